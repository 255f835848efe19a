//! May happen in parallel: whether two accesses of a program are ordered.
//!
//! Each access knows what its context may have started and surely joined by then, and which orders it released and
//! acquired (`Moment`). Two accesses are ordered when one of the named exclusions below holds. (The shape follows
//! thread-id analyses: created and must-joined sets.)

use super::Analysis;
use super::access::{AccessEvent, Effect, Runs};
use super::contexts::ContextId;
use super::phases::Phases;
use super::places::{LoopId, PlaceId, Proj, Root};
use super::state::{Claim, Moment, SyncKey, SyncKind};
use super::terms::Term;
use crate::finding::AccessKind;
use crate::hir::Name;
use std::collections::BTreeSet;

/// A stored value nobody knows; an acquire of it accepts every release.
pub const ANY_VALUE: i128 = i128::MIN;
/// One of several values: a release of each of them counts, if none was stored without one before.
pub const ONE_OF_SEVERAL: i128 = i128::MIN + 1;

pub fn releases(order: Name) -> bool {
    matches!(order.as_str(), "Release" | "AcqRel" | "SeqCst")
}

pub fn acquires(order: Name) -> bool {
    matches!(order.as_str(), "Acquire" | "AcqRel" | "SeqCst")
}

/// Why two accesses can't happen at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ordered {
    /// One context, one instance.
    SameContext,
    /// The second context is only started later.
    NotStarted,
    /// The first context has ended.
    Joined,
    /// A once-initializer.
    Once,
    /// A flag says whose turn it is.
    Turn,
    /// Each has taken the same flag: excluded, not ordered.
    Taken,
    /// A message, flag, barrier or token passed between them.
    Handed,
}

impl Ordered {
    pub fn reason(self) -> &'static str {
        match self {
            Ordered::SameContext => "one instance of one context",
            Ordered::NotStarted => "the other is only started afterwards",
            Ordered::Joined => "the other has been joined by then",
            Ordered::Once => "one runs in a once-initializer, the other after it",
            Ordered::Turn => {
                "a flag or a message says whose turn it is, and only who has the turn passes it on"
            }
            Ordered::Taken => "each of them is made with the same flag taken",
            Ordered::Handed => "a message, flag or barrier orders them",
        }
    }
}

impl Analysis {
    /// Several instances of the context may run at once: it was started again unjoined, or its parent is many.
    pub fn is_many(&self, id: ContextId) -> bool {
        self.contexts.ancestry(id).any(|at| self.contexts.get(at).many)
    }

    /// Both are made by the instance that was started in the same round: its number was asked for.
    fn one_instance(&self, context: ContextId, first: &Moment, second: &Moment) -> bool {
        let started = self.contexts.get(context);
        let same_round =
            |at: &&LoopId| first.rounds.get(at).is_some_and(|round| second.rounds.get(at) == Some(round));
        let mut innermost = started.loops.iter().rev().take_while(same_round);
        started.parent.is_none_or(|parent| !self.is_many(parent))
            && innermost.any(|at| !started.entered_again.contains(at))
    }

    /// Why access `a` of context `one` and `b` of `two` are ordered; `None`: they may happen in parallel.
    pub fn ordered(
        &self,
        one: ContextId,
        a: &AccessEvent,
        two: ContextId,
        b: &AccessEvent,
    ) -> Option<Ordered> {
        let (first, second) = (&self.moments[a.moment.0 as usize], &self.moments[b.moment.0 as usize]);
        if one == two {
            if !self.is_many(one) || self.one_instance(one, first, second) {
                return Some(Ordered::SameContext);
            }
        } else if self.not_started(one, first, two)
            || self.not_started(two, second, one)
            || self.exclusive_starts(one, two)
        {
            return Some(Ordered::NotStarted);
        } else if self.joined(first).contains(&two) || self.joined(second).contains(&one) {
            return Some(Ordered::Joined);
        }
        if once_between(first, second) || once_between(second, first) {
            return Some(Ordered::Once);
        }
        if self.ring_between((one, a), (two, b), true).is_some() {
            return Some(Ordered::Turn);
        }
        if self.takes_turns((one, first), (two, second)) || self.has_the_token((one, first), (two, second)) {
            return Some(Ordered::Turn);
        }
        if self.done_once(a, second)
            || self.done_once(b, first)
            || self.checked_twice(one, a, second)
            || self.checked_twice(two, b, first)
            || self.led_to_when_done(a, two, b)
            || self.led_to_when_done(b, one, a)
            || self.settled(first, second)
            || self.settled(second, first)
        {
            return Some(Ordered::Once);
        }
        if self.obtained(one, a, two, second)
            || self.obtained(two, b, one, first)
            || self.only_through_acquires(one, a, two, b)
            || self.only_through_acquires(two, b, one, a)
            || self.last_of(one, first, second)
            || self.last_of(two, second, first)
            || self.led(first, second)
            || self.led(second, first)
            || self.followed(a, two, b)
            || self.followed(b, one, a)
            || self.kept(one, a, two, b)
            || self.kept(two, b, one, a)
        {
            return Some(Ordered::Handed);
        }
        if (self.owns(one, a) && self.owns(two, b))
            || self.handed(one, first, two, second)
            || self.handed(two, second, one, first)
            || self.handed_within(one, a, b)
            || self.handed_within(two, b, a)
            || self.published_up_to((one, a), (two, b), true).is_some()
            || self.published_up_to((two, b), (one, a), true).is_some()
            || self.in_other_phase(one, first, two, second)
            || self.relayed(one, first, two, second)
            || self.relayed(two, second, one, first)
        {
            return Some(Ordered::Handed);
        }
        let excludes = |(atomic, claim): (&PlaceId, &Claim)| {
            second
                .taken
                .get(atomic)
                .is_some_and(|other| claim != other || !self.counts_several(*atomic, *claim))
        };
        first.taken.iter().any(excludes).then_some(Ordered::Taken)
    }

    /// The atomic is counted to by claims like this and back again, not from the one that a single claim leaves nothing of.
    fn counts_several(&self, atomic: PlaceId, claim: Claim) -> bool {
        let Claim::Counted { up } = claim else { return false };
        let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        let back = |by: i128| if up { by < 0 } else { by > 0 };
        let counted = |event: &AccessEvent| event.term.as_ref().and_then(|term| term.steps());
        (up || self.initial(atomic) != Some(1))
            && events.any(|event| event.place == atomic && counted(event).is_some_and(back))
    }

    /// Whether access `a` of context `one` surely comes before `b` of another context.
    pub fn before(&self, one: ContextId, a: &AccessEvent, two: ContextId, b: &AccessEvent) -> bool {
        let (first, second) = (&self.moments[a.moment.0 as usize], &self.moments[b.moment.0 as usize]);
        self.not_started(one, first, two)
            || self.joined(second).contains(&one)
            || self.handed(one, first, two, second)
    }

    /// Whether access `a` is made once for all, in a once-initializer or before the other's context is started, and `b` after it.
    pub fn comes_once_before(
        &self,
        (one, a): (ContextId, &AccessEvent),
        (two, b): (ContextId, &AccessEvent),
    ) -> bool {
        let (first, second) = (&self.moments[a.moment.0 as usize], &self.moments[b.moment.0 as usize]);
        once_between(first, second) || self.not_started(one, first, two)
    }

    /// `two` descends from a context that `one` hasn't started yet.
    pub(super) fn not_started(&self, one: ContextId, moment: &Moment, two: ContextId) -> bool {
        let mut child = two;
        for at in self.contexts.ancestry(two).skip(1) {
            if at == one {
                return !self.is_many(one) && !moment.started.contains(&child);
            }
            child = at;
        }
        false
    }

    /// Both descend from contexts of which one parent starts only the one or the other.
    fn exclusive_starts(&self, one: ContextId, two: ContextId) -> bool {
        let (ours, theirs): (Vec<_>, Vec<_>) =
            (self.contexts.ancestry(one).collect(), self.contexts.ancestry(two).collect());
        let Some(at) = ours.iter().position(|c| theirs.contains(c)) else { return false };
        let parent = ours[at];
        let Some(other) = theirs.iter().position(|c| *c == parent) else { return false };
        if at == 0 || other == 0 || self.is_many(parent) {
            return false;
        }
        let (x, y) = (ours[at - 1], theirs[other - 1]);
        x != y
            && !self.contexts.get(x).started_before.contains(&y)
            && !self.contexts.get(y).started_before.contains(&x)
    }

    /// What has surely ended: joined, and what those had joined at their end.
    pub(super) fn joined(&self, moment: &Moment) -> BTreeSet<ContextId> {
        let mut all = (*moment.joined).clone();
        let mut work: Vec<ContextId> = all.iter().copied().collect();
        while let Some(id) = work.pop() {
            for &inner in &self.contexts.get(id).joined_at_end {
                if all.insert(inner) {
                    work.push(inner);
                }
            }
        }
        all
    }

    /// Both saw one flag, with different values, and nobody stores to it but who saw its own value, or at least one that isn't
    /// another's turn.
    fn takes_turns(&self, (one, first): (ContextId, &Moment), (two, second): (ContextId, &Moment)) -> bool {
        first.knows.iter().any(|(flag, ours)| {
            let theirs = second.knows.get(flag).filter(|theirs| {
                theirs.is_disjoint(ours) && !theirs.contains(&ANY_VALUE) && !ours.contains(&ANY_VALUE)
            });
            theirs.is_some_and(|theirs| {
                let in_turn = |id: ContextId, known: &BTreeSet<i128>| {
                    known.len() == 1
                        || ((id == one || known.is_disjoint(ours))
                            && (id == two || known.is_disjoint(theirs)))
                };
                self.contexts.ids().all(|id| {
                    let context = self.contexts.get(id);
                    let stores =
                        context.log.events.iter().filter(|e| e.place == *flag && e.kind != AccessKind::Read);
                    stores.into_iter().all(|e| {
                        let moment = &self.moments[e.moment.0 as usize];
                        moment.knows.get(flag).is_some_and(|known| in_turn(id, known))
                            || (context.parent.is_none() && moment.started.is_empty())
                    })
                })
            })
        })
    }

    /// The object is the context's at that moment: it made it and gave it to nobody yet, or it came in a message and wasn't
    /// sent on.
    fn owns(&self, context: ContextId, access: &AccessEvent) -> bool {
        let place = self.places.ancestors(access.place).last().unwrap_or(access.place);
        let Root::Object(object) = self.places.get(place).root else { return false };
        let moment = &self.moments[access.moment.0 as usize];
        let maker = self.frames.get(self.objects.list[object.0 as usize].frame).context;
        let key = SyncKey { place, kind: SyncKind::Object };
        let kept = maker == context && !moment.released.contains_key(&key) && self.releases(context, &key);
        !self.spread.contains(&place) && (kept || moment.received.contains(&place))
    }

    /// Both have received from a channel what they send back later, and there is one such message.
    fn has_the_token(&self, (one, first): (ContextId, &Moment), (two, second): (ContextId, &Moment)) -> bool {
        first.has.intersection(&second.has).any(|channel| {
            let key = SyncKey { place: *channel, kind: SyncKind::Channel };
            let minted = self.contexts.ids().map(|id| {
                let times = self.contexts.get(id).minted.get(channel).copied().unwrap_or(0);
                if self.is_many(id) { times.saturating_mul(2) } else { times }
            });
            minted.fold(0, u32::saturating_add) == 1 && self.releases(one, &key) && self.releases(two, &key)
        })
    }

    /// Everything `one` releases into some order comes after the first access, and the second comes after an acquire of it.
    fn handed(&self, one: ContextId, first: &Moment, two: ContextId, second: &Moment) -> bool {
        let in_turn = |barrier| {
            let [before, after] = [(one, first), (two, second)].map(|(c, m)| self.phases(c, m, barrier));
            before.before(after)
        };
        if second.phases.keys().any(|barrier| in_turn(*barrier)) {
            return true;
        }
        second.acquired.iter().any(|key| match key.kind {
            SyncKind::Channel => {
                let answered = !first.owes.contains(&key.place) && second.has.contains(&key.place);
                one != two
                    && (self.handed_by(one, first, two, key)
                        || (answered && self.only_releaser(one, two, key)))
            }
            // Where each counts and awaits all, one instance comes after the others too.
            SyncKind::Counted(_) | SyncKind::CountedDown => self.handed_by(one, first, two, key),
            _ => one != two && !self.may_be_own(second, key) && self.handed_by(one, first, two, key),
        })
    }

    /// What was found behind a lock may be what the context put there itself.
    fn may_be_own(&self, moment: &Moment, key: &SyncKey) -> bool {
        moment.released.contains_key(key) && self.places.passes(key.place, |step| step == Proj::Guarded)
    }

    /// What `one` releases after the first access reached `two` through others, who had acquired it before they released in turn.
    fn relayed(&self, one: ContextId, first: &Moment, two: ContextId, second: &Moment) -> bool {
        let mut known: Vec<(&SyncKey, ContextId)> = second.acquired.iter().map(|key| (key, two)).collect();
        let mut next = 0;
        while let Some(&(key, by)) = known.get(next) {
            next += 1;
            for (relayed, through) in self.relayed_with(key, by) {
                if through != one && self.handed_by(one, first, through, relayed) {
                    return one != two;
                }
                if known.iter().all(|(other, _)| *other != relayed) {
                    known.push((relayed, through));
                }
            }
        }
        false
    }

    /// What the one context that releases what `by` acquired has acquired whenever it does.
    fn relayed_with(&self, key: &SyncKey, by: ContextId) -> Vec<(&SyncKey, ContextId)> {
        let starts_so = matches!(key.kind, SyncKind::Flag(value) if value == self.initial_flag(key.place));
        if starts_so || !matches!(key.kind, SyncKind::Channel | SyncKind::Flag(_) | SyncKind::Token) {
            return Vec::new();
        }
        let relays = self.contexts.ids().flat_map(|id| {
            let passed_on = self.contexts.get(id).passes_on.iter();
            passed_on
                .filter(|(released, _)| matches_release(released, key))
                .map(move |(_, known)| (id, known))
        });
        let mut relays = relays.filter(|(id, _)| *id != by);
        match (relays.next(), relays.next()) {
            (Some((through, known)), None) => known.iter().map(|known| (known, through)).collect(),
            _ => Vec::new(),
        }
    }

    /// Who acquired this knows all that `one` did up to the first access.
    fn handed_by(&self, one: ContextId, first: &Moment, two: ContextId, key: &SyncKey) -> bool {
        match key.kind {
            SyncKind::Barrier
            | SyncKind::Once
            | SyncKind::Object
            | SyncKind::HungUp
            | SyncKind::Last
            | SyncKind::LastDrawn(_) => false,
            SyncKind::Counted(least) => self.counted_in(one, first, key.place, least),
            SyncKind::CountedDown => self.counted_out(one, first, key.place),
            SyncKind::Drained => {
                let sent = SyncKey { place: key.place, kind: SyncKind::Channel };
                (!released_before(first, &sent) && self.releases(one, &sent))
                    || self.hangs_up(one, first, key.place)
            }
            SyncKind::Flag(value) if self.begins_with(key.place, value) => {
                self.counted_back(one, first, two, key.place)
            }
            SyncKind::Flag(ONE_OF_SEVERAL)
                if first.weakly_released.iter().any(|stored| matches_release(stored, key)) =>
            {
                false
            }
            // Where nobody sends, what is received is that nobody will.
            SyncKind::Channel if self.contexts.ids().all(|id| !self.releases(id, key)) => {
                self.hangs_up(one, first, key.place)
            }
            SyncKind::Channel | SyncKind::Flag(_) | SyncKind::Token => {
                !released_before(first, key) && self.only_releaser(one, two, key)
            }
        }
    }

    /// The access comes before the context drops an end of the channel by which it could have sent. The channel is the only one
    /// that was made there.
    fn hangs_up(&self, one: ContextId, first: &Moment, channel: PlaceId) -> bool {
        let key = SyncKey { place: channel, kind: SyncKind::HungUp };
        let count = |done: Option<&u8>| done.copied().unwrap_or(0);
        let one_channel = match self.places.get(channel).root {
            Root::Object(object) => {
                !self.is_many(self.frames.get(self.objects.list[object.0 as usize].frame).context)
            }
            _ => true,
        };
        one_channel
            && count(first.released.get(&key)) < count(self.contexts.get(one).released_at_end.get(&key))
    }

    /// The two contexts wait at one barrier, and the accesses are never in the same of its phases.
    fn in_other_phase(&self, one: ContextId, first: &Moment, two: ContextId, second: &Moment) -> bool {
        let barriers = first.phases.keys().chain(second.phases.keys());
        barriers
            .into_iter()
            .any(|barrier| !self.phases(one, first, *barrier).meets(self.phases(two, second, *barrier)))
    }

    /// The phases of a barrier that a moment may be in. Nobody waits for who never comes to it.
    fn phases(&self, context: ContextId, moment: &Moment, barrier: PlaceId) -> Phases {
        let waited = moment.phases.get(&barrier).copied().unwrap_or_default();
        let key = SyncKey { place: barrier, kind: SyncKind::Barrier };
        if self.contexts.get(context).released_at_end.contains_key(&key) { waited } else { waited.onwards() }
    }

    /// The access comes before an object was published by who made it, the other after that object was obtained.
    fn obtained(&self, one: ContextId, access: &AccessEvent, two: ContextId, second: &Moment) -> bool {
        let first = &self.moments[access.moment.0 as usize];
        second.acquired.iter().filter(|key| key.kind == SyncKind::Object).any(|key| {
            let root = self.places.get(key.place).root;
            let Root::Object(object) = root else { return false };
            let object = &self.objects.list[object.0 as usize];
            let made = self.frames.get(object.frame).context == one;
            let of_it = made && self.places.get(access.place).root == root;
            // What else was done before tells something only if there is but one such object, and no other in its place.
            let only_one = one != two
                && object.loops.is_empty()
                && !self.is_many(one)
                && self.alone_in_its_atomic(key.place);
            let maker = self.contexts.get(one);
            let released =
                maker.released_at_end.contains_key(key) && !maker.weakly_released_at_end.contains(key);
            released
                && !first.released.contains_key(key)
                && (of_it || (only_one && (made || self.only_releaser(one, two, key))))
        })
    }

    /// No other object is published through the atomic that this one is.
    fn alone_in_its_atomic(&self, object: PlaceId) -> bool {
        let atomic = self.published.get(&object);
        let through_it = self.published.values().filter(|other| Some(*other) == atomic);
        atomic.is_none() || through_it.count() == 1
    }

    /// The first access is made to an object of its own context before that published it, the second to the same object by a
    /// context that reads the atomic it was published through with orderings that acquire, and no other way.
    fn only_through_acquires(
        &self,
        one: ContextId,
        a: &AccessEvent,
        two: ContextId,
        b: &AccessEvent,
    ) -> bool {
        let root = self.places.get(a.place).root;
        let Root::Object(id) = root else { return false };
        let object = self.places.ancestors(a.place).last().unwrap_or(a.place);
        let Some(atomic) = self.published.get(&object) else { return false };
        if one == two || self.places.get(b.place).root != root {
            return false;
        }
        let made = self.frames.get(self.objects.list[id.0 as usize].frame).context == one;
        let key = SyncKey { place: object, kind: SyncKind::Object };
        let (maker, first) = (self.contexts.get(one), &self.moments[a.moment.0 as usize]);
        let second = &self.moments[b.moment.0 as usize];
        let weakly = |e: &AccessEvent| self.moments[e.moment.0 as usize].weakly_released.contains(&key);
        let mut reads = self.contexts.get(two).log.events.iter().filter(|event| {
            self.places.same_but_index(event.place, *atomic)
                && event.kind != AccessKind::Write
                && event.atomic.is_some()
        });
        made && !first.released.contains_key(&key)
            && !second.weak.contains(&key)
            && self.releases(one, &key)
            && !maker.weakly_released_at_end.contains(&key)
            && !maker.log.events.iter().any(weakly)
            && reads.clone().next().is_some()
            && reads.all(|event| {
                // What a failed exchange finds is told by `weak`.
                matches!(event.effect, Some(Effect::Compare { .. })) || event.atomic.is_some_and(acquires)
            })
    }

    /// The other found itself the last to count down, and the access comes before its context did.
    fn last_of(&self, one: ContextId, first: &Moment, second: &Moment) -> bool {
        second.acquired.iter().any(|key| {
            match key.kind {
                SyncKind::Last => {}
                SyncKind::LastDrawn(number) => {
                    // Only one of them is the last.
                    let last = first.acquired.contains(key) && self.takes_all(key.place, number);
                    return last || self.counted_in(one, first, key.place, number);
                }
                _ => return false,
            }
            let done = |count: Option<&u8>| count.copied().unwrap_or(0);
            let before =
                done(first.released.get(key)) < done(self.contexts.get(one).released_at_end.get(key));
            // Only one of them is the last.
            before || first.acquired.contains(key) || first.weak.contains(key)
        })
    }

    /// The flag that hands something from `one` to `two` but for an ordering too weak: stored after the first access, seen
    /// before the second.
    pub fn weakly_handed(
        &self,
        one: ContextId,
        a: &AccessEvent,
        two: ContextId,
        b: &AccessEvent,
    ) -> Option<PlaceId> {
        let (first, second) = (&self.moments[a.moment.0 as usize], &self.moments[b.moment.0 as usize]);
        let context = self.contexts.get(one);
        // An exchange that took the atomic said more than a look before it.
        let looked = second.weak.iter().filter(|key| !second.taken.contains_key(&key.place));
        let weakly_seen = looked.map(|key| (key.clone(), true));
        let acquired = second.acquired.iter().map(|key| (key.clone(), false));
        let passed = second.passed.iter().filter(|((place, value), known_by)| {
            known_by.is_none() && !self.is_exchanged_for(*place, *value)
        });
        let passed = passed
            .map(|((place, value), _)| (SyncKey { place: *place, kind: SyncKind::Flag(*value) }, false));
        weakly_seen.chain(acquired).chain(passed).find_map(|(key, weakly)| {
            let key = &key;
            let (flag, changed) = match key.kind {
                SyncKind::Flag(value) => (key.place, value != self.initial_flag(key.place)),
                SyncKind::Object => (*self.published.get(&key.place)?, true),
                SyncKind::Barrier
                | SyncKind::Channel
                | SyncKind::Drained
                | SyncKind::HungUp
                | SyncKind::Once
                | SyncKind::Token
                | SyncKind::Counted(_)
                | SyncKind::CountedDown
                | SyncKind::Last
                | SyncKind::LastDrawn(_) => {
                    return None;
                }
            };
            let strongly = context.released_at_end.keys().filter(|_| weakly);
            let stored = strongly.chain(&context.weakly_released_at_end);
            let later = stored.into_iter().any(|k| matches_release(k, key));
            let before =
                first.released.keys().chain(first.weakly_released.iter()).any(|k| matches_release(k, key));
            // What an earlier round stored doesn't tell of this one.
            let before = before && !matches!(a.runs, Runs::Rounds(_));
            ((one != two || self.is_many(one)) && changed && later && !before).then_some(flag)
        })
    }

    /// Some exchange puts this value in.
    fn is_exchanged_for(&self, atomic: PlaceId, value: i128) -> bool {
        let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        events.any(|event| {
            event.place == atomic
                && event.kind == AccessKind::Update
                && event.term.as_deref() == Some(&Term::Const(value))
        })
    }

    /// Whether a context releases, at some time, what an acquire of `key` may see.
    fn releases(&self, id: ContextId, key: &SyncKey) -> bool {
        let context = self.contexts.get(id);
        let by = |moment: &Moment| moment.released.keys().any(|k| matches_release(k, key));
        context.log.events.iter().any(|e| by(&self.moments[e.moment.0 as usize]))
            || context.released_at_end.keys().any(|k| matches_release(k, key))
    }

    /// Whether a context releases an atomic, each time it stores to it.
    pub fn releases_at_all(&self, id: ContextId, atomic: PlaceId) -> bool {
        let key = SyncKey { place: atomic, kind: SyncKind::Flag(ANY_VALUE) };
        self.releases(id, &key) && !self.contexts.get(id).weakly_released_at_end.contains(&key)
    }

    /// Whether a context releases an atomic after an access of its own, and not before.
    pub fn releases_after(&self, id: ContextId, access: &AccessEvent, atomic: PlaceId) -> bool {
        let key = SyncKey { place: atomic, kind: SyncKind::Flag(ANY_VALUE) };
        !released_before(&self.moments[access.moment.0 as usize], &key) && self.releases(id, &key)
    }

    /// Whether what `two` acquired can only have come from `one`.
    fn only_releaser(&self, one: ContextId, two: ContextId, key: &SyncKey) -> bool {
        let mut by_one = false;
        for id in self.contexts.ids() {
            if id == two && id != one {
                continue;
            }
            let releases = self.releases(id, key);
            if releases && id == one {
                by_one = true;
            } else if releases {
                return false;
            }
        }
        by_one && !self.is_many(one)
    }
}

fn released_before(moment: &Moment, key: &SyncKey) -> bool {
    moment.released.keys().any(|k| matches_release(k, key))
}

/// Whether a release of `released` may be what an acquire of `acquired` saw.
fn matches_release(released: &SyncKey, acquired: &SyncKey) -> bool {
    if released.place != acquired.place {
        return false;
    }
    match (&released.kind, &acquired.kind) {
        (SyncKind::Flag(a), SyncKind::Flag(b)) => {
            a == b || *a == ANY_VALUE || matches!(*b, ANY_VALUE | ONE_OF_SEVERAL)
        }
        (a, b) => a == b,
    }
}

/// The first runs in a once-body, the second in the same or after a call of it.
fn once_between(first: &Moment, second: &Moment) -> bool {
    first.within.iter().any(|place| {
        second.within.contains(place)
            || second.acquired.contains(&SyncKey { place: *place, kind: SyncKind::Once })
    })
}
