//! May happen in parallel: whether two accesses of a program are ordered.
//!
//! Each access knows what its context may have started and surely joined by then, and which orders it released and
//! acquired (`Moment`). Two accesses are ordered when one of the named exclusions below holds. (The shape follows
//! thread-id analyses: created and must-joined sets.)

use super::Analysis;
use super::access::{AccessEvent, Effect, HeldLock};
use super::contexts::ContextId;
use super::phases::Phases;
use super::places::{PlaceId, Proj, Root};
use super::state::{Claim, Moment, SyncKey, SyncKind};
use super::terms::Term;
use super::values::Mode;
use crate::finding::AccessKind;
use crate::hir::Name;
use std::collections::BTreeSet;

/// A stored value nobody knows; an acquire of it accepts every release.
pub const ANY_VALUE: i128 = i128::MIN;

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
            Ordered::Turn => "a flag says whose turn it is, and only who has the turn stores to it",
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
        let loops = &self.contexts.get(context).loops;
        first.rounds.iter().any(|(at, round)| loops.contains(at) && second.rounds.get(at) == Some(round))
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
        if one != two && self.index_owned(one, a, two) && self.index_owned(two, b, one) {
            return Some(Ordered::Turn);
        }
        if self.takes_turns(first, second) {
            return Some(Ordered::Turn);
        }
        if self.done_once(a, second)
            || self.done_once(b, first)
            || self.checked_twice(one, a, second)
            || self.checked_twice(two, b, first)
        {
            return Some(Ordered::Once);
        }
        if self.obtained(one, a, two, second)
            || self.obtained(two, b, one, first)
            || self.last_of(one, first, second)
            || self.last_of(two, second, first)
        {
            return Some(Ordered::Handed);
        }
        if self.handed(one, first, two, second)
            || self.handed(two, second, one, first)
            || self.in_other_phase(one, first, two, second)
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

    /// `two` descends from a context that `one` hasn't started yet.
    fn not_started(&self, one: ContextId, moment: &Moment, two: ContextId) -> bool {
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
    fn joined(&self, moment: &Moment) -> BTreeSet<ContextId> {
        let mut all = moment.joined.clone();
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

    /// The access is to an element, decided by an acquiring load of an index that only `other` stores: a ring of one producer and
    /// one consumer.
    fn index_owned(&self, context: ContextId, access: &AccessEvent, other: ContextId) -> bool {
        let element = self.places.passes(access.place, |step| matches!(step, Proj::Index(_)));
        let log = &self.contexts.get(context).log.events;
        element
            && !self.is_many(context)
            && access
                .control
                .iter()
                .filter_map(|id| log.get(id.0 as usize))
                .any(|load| load.atomic.is_some_and(acquires) && self.stored_only_by(load.place, other))
    }

    fn stored_only_by(&self, place: PlaceId, only: ContextId) -> bool {
        let mut stored = false;
        for id in self.contexts.ids() {
            for event in &self.contexts.get(id).log.events {
                if event.place == place && event.kind != AccessKind::Read {
                    if id != only || !event.atomic.is_some_and(releases) {
                        return false;
                    }
                    stored = true;
                }
            }
        }
        stored
    }

    /// Both saw one flag, with different values, and nobody stores to it but who saw its own value.
    fn takes_turns(&self, first: &Moment, second: &Moment) -> bool {
        first.knows.iter().any(|(flag, value)| {
            second.knows.get(flag).is_some_and(|other| other != value)
                && self.contexts.list.iter().all(|context| {
                    let stores =
                        context.log.events.iter().filter(|e| e.place == *flag && e.kind != AccessKind::Read);
                    stores.into_iter().all(|e| {
                        let moment = &self.moments[e.moment.0 as usize];
                        moment.knows.contains_key(flag)
                            || (context.parent.is_none() && moment.started.is_empty())
                    })
                })
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
            SyncKind::Barrier | SyncKind::Once | SyncKind::Object | SyncKind::Last => false,
            SyncKind::Counted(least) => one != two && self.counted_in(one, first, key.place, least),
            SyncKind::Channel => {
                let answered = !first.owes.contains(&key.place) && second.has.contains(&key.place);
                one != two && (!released_before(first, key) || answered) && self.only_releaser(one, two, key)
            }
            SyncKind::Drained => {
                let sent = SyncKey { place: key.place, kind: SyncKind::Channel };
                one != two && !released_before(first, &sent) && self.releases(one, &sent)
            }
            SyncKind::Flag(value) => {
                let initial = self.initial_flag(key.place);
                one != two
                    && value != initial
                    && !released_before(first, key)
                    && self.only_releaser(one, two, key)
            }
            SyncKind::Token => {
                one != two && !released_before(first, key) && self.only_releaser(one, two, key)
            }
        })
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
            // What else was done before tells something only if there is but one such object.
            let only_one = one != two && object.loops.is_empty() && !self.is_many(one);
            let maker = self.contexts.get(one);
            let released =
                maker.released_at_end.contains_key(key) && !maker.weakly_released_at_end.contains(key);
            released
                && !first.released.contains_key(key)
                && (of_it || (only_one && (made || self.only_releaser(one, two, key))))
        })
    }

    /// The access is made by who holds an atomic, the other after it saw a value that only a holder stores and that nobody takes it
    /// out of again: a once-initializer made by hand.
    fn done_once(&self, access: &AccessEvent, second: &Moment) -> bool {
        access.locks.iter().filter(|held| held.mode == Mode::Exclusive).any(|held| {
            second.acquired.iter().any(|key| {
                let SyncKind::Flag(value) = key.kind else { return false };
                key.place == held.lock
                    && value != ANY_VALUE
                    && value != self.initial_flag(key.place)
                    && self.stays(held.lock, value)
            })
        })
    }

    /// The access is made by who looked at a flag under a lock and found it as it was at first, the other where the flag has
    /// had the one value that is ever stored to it, under that lock: double-checked locking.
    fn checked_twice(&self, context: ContextId, access: &AccessEvent, second: &Moment) -> bool {
        let first = &self.moments[access.moment.0 as usize];
        let log = &self.contexts.get(context).log.events;
        let exclusive = |held: &&HeldLock| held.mode == Mode::Exclusive;
        access.locks.iter().filter(exclusive).any(|held| {
            let looked = |flag: PlaceId| {
                access.control.iter().filter_map(|id| log.get(id.0 as usize)).any(|read| {
                    read.place == flag
                        && read.locks.iter().any(|l| l.lock == held.lock && l.hold.meets(held.hold))
                })
            };
            second.passed.iter().any(|((flag, value), known_by)| {
                let unset = self
                    .initial(*flag)
                    .map(|at_first| SyncKey { place: *flag, kind: SyncKind::Flag(at_first) });
                known_by.is_none_or(|lock| lock == held.lock)
                    && unset.is_some_and(|key| {
                        key.kind != SyncKind::Flag(*value)
                            && (first.acquired.contains(&key) || first.weak.contains(&key))
                    })
                    && looked(*flag)
                    && self.only_set(*flag, *value, held.lock)
            })
        })
    }

    /// Whoever stores to the flag stores this value, with the lock held.
    fn only_set(&self, flag: PlaceId, value: i128, lock: PlaceId) -> bool {
        let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        events.all(|event| {
            event.place != flag
                || event.kind == AccessKind::Read
                || (event.kind == AccessKind::Write
                    && event.effect == Some(Effect::Set(value))
                    && event.locks.iter().any(|held| held.lock == lock))
        })
    }

    /// Once the atomic has this value it keeps it: exchanges expect another one and put in another one, stores are made by
    /// who holds it.
    fn stays(&self, atomic: PlaceId, value: i128) -> bool {
        let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        events.all(|event| {
            if event.place != atomic || event.kind == AccessKind::Read {
                return true;
            }
            match &event.effect {
                Some(Effect::Compare { expected: Some(expected), .. }) => {
                    matches!(**expected, Term::Const(other) if other != value)
                        && event.term.as_deref() != Some(&Term::Const(value))
                }
                _ => event.kind == AccessKind::Write && event.locks.iter().any(|held| held.lock == atomic),
            }
        })
    }

    /// The other found itself the last to count down, and the access comes before its context did.
    fn last_of(&self, one: ContextId, first: &Moment, second: &Moment) -> bool {
        second.acquired.iter().filter(|key| key.kind == SyncKind::Last).any(|key| {
            let done = |count: Option<&u8>| count.copied().unwrap_or(0);
            let before =
                done(first.released.get(key)) < done(self.contexts.get(one).released_at_end.get(key));
            // Only one of them is the last.
            before || first.acquired.contains(key)
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
        let weakly_seen = second.weak.iter().map(|key| (key, true));
        let seen = weakly_seen.chain(second.acquired.iter().map(|key| (key, false)));
        seen.into_iter().find_map(|(key, weakly)| {
            let (flag, changed) = match key.kind {
                SyncKind::Flag(value) => (key.place, value != self.initial_flag(key.place)),
                SyncKind::Object => (*self.published.get(&key.place)?, true),
                SyncKind::Barrier
                | SyncKind::Channel
                | SyncKind::Drained
                | SyncKind::Once
                | SyncKind::Token
                | SyncKind::Counted(_)
                | SyncKind::Last => {
                    return None;
                }
            };
            let strongly = context.released_at_end.keys().filter(|_| weakly);
            let stored = strongly.chain(&context.weakly_released_at_end);
            let later = stored.into_iter().any(|k| matches_release(k, key));
            let before = first.released.keys().chain(&first.weakly_released).any(|k| matches_release(k, key));
            (one != two && changed && later && !before).then_some(flag)
        })
    }

    /// Whether a context releases, at some time, what an acquire of `key` may see.
    fn releases(&self, id: ContextId, key: &SyncKey) -> bool {
        let context = self.contexts.get(id);
        let by = |moment: &Moment| moment.released.keys().any(|k| matches_release(k, key));
        context.log.events.iter().any(|e| by(&self.moments[e.moment.0 as usize]))
            || context.released_at_end.keys().any(|k| matches_release(k, key))
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
        (SyncKind::Flag(a), SyncKind::Flag(b)) => a == b || *a == ANY_VALUE || *b == ANY_VALUE,
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
