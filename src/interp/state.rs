//! The abstract state at one point of one context: what locals hold, which locks are held, what was started, joined,
//! released and acquired so far, and which reads decided the way here.
//!
//! Join at a meeting of paths: locals by union; locks, joined contexts and acquired orders by intersection (a context
//! that one path never started counts as joined there); started contexts and released orders by union.

use super::access::Side;
use super::acts::Ways;
use super::contexts::ContextId;
use super::env::Frames;
use super::phases::Phases;
use super::places::{FrameId, LoopId, PlaceId};
use super::remembered::Outcome;
use super::shared::Shared;
use super::values::{Deps, HoldId, Kind, Mode, ReadId, Val};
use crate::hir::Name;
use crate::resolve::LocalId;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// A lock that is held.
#[derive(Clone, PartialEq, Debug)]
pub struct Hold {
    pub lock: PlaceId,
    pub mode: Mode,
    pub id: HoldId,
    /// Given up and taken again wherever the context waits: an executor's.
    pub yields: bool,
    pub reach: Reach,
    /// Of an atomic that was taken as a whole by setting one bit of it: that bit, as the lock that others know it as.
    pub bit: Option<PlaceId>,
}

/// Guards lie no deeper in a value.
const MAX_GUARD_DEPTH: u32 = 4;

impl Hold {
    /// Whether a guard that the lock was taken with is in a value, `depth` steps into a larger one.
    pub(super) fn has_guard_in(&self, value: &Val, depth: u32) -> bool {
        depth < MAX_GUARD_DEPTH
            && value.alts.iter().any(|kind| match kind {
                Kind::Guard(guard) => guard.lock == self.lock && self.id.meets(guard.hold),
                Kind::Aggregate(parts) => {
                    parts.fields.iter().any(|(_, part)| self.has_guard_in(part, depth + 1))
                }
                _ => false,
            })
    }
}

/// Which of the locks that a place stands for is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    One,
    /// One of several that the guard may be of: it counts only where its own data is touched.
    Among,
    /// Those of all elements: a loop over them took each and kept it.
    All,
}

/// Something that orders contexts by release and acquire: a channel, a flag with the value stored, a barrier.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SyncKey {
    pub place: PlaceId,
    pub kind: SyncKind,
}

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum SyncKind {
    /// A barrier that it waited at; how often is in `Moment::phases`.
    Barrier,
    /// Messages: whoever received knows what the sender did before it sent.
    Channel,
    /// A loop received until the channel had nothing more, or as often as it counts, or it was found closed: what all who send
    /// to it or have an end of it did before.
    Drained,
    /// A sending end of a channel was dropped.
    HungUp,
    /// A value of an atomic (or of a plain flag under a lock).
    Flag(i128),
    /// An atomic has been counted up to this number; `ANY_VALUE`: to one that nobody knows.
    Counted(i128),
    /// An atomic, or a number under a lock, has been counted down to nothing.
    CountedDown,
    /// The body of a once-initializer has run.
    Once,
    /// A park token of a context.
    Token,
    /// An object became reachable for others.
    Object,
    /// The last of several that counted down found nobody left.
    Last,
    /// One of several that count found its own step to make this number, past which nobody counts; `ANY_VALUE`: some number.
    LastDrawn(i128),
}

/// Which of how many parts of an array or collection of handles; all of them.
pub type Part = Option<(u32, u32)>;

/// Releases past this are "some number".
pub const MANY_RELEASES: u8 = 64;

/// How an exchange took an atomic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Claim {
    /// For itself.
    Whole,
    /// As one of several, which it counts up or down.
    Counted { up: bool },
}

/// What the order relation needs to know of a moment: interned, an access keeps its number.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Moment {
    /// May have been started by now, by this context.
    pub started: Shared<BTreeSet<ContextId>>,
    /// Surely ended by now.
    pub joined: Shared<BTreeSet<ContextId>>,
    /// Most releases done so far.
    pub released: Shared<BTreeMap<SyncKey, u8>>,
    /// Surely acquired so far.
    pub acquired: Shared<BTreeSet<SyncKey>>,
    /// How often each barrier was waited at.
    pub phases: Shared<BTreeMap<PlaceId, Phases>>,
    /// Flags that have had this value: stored by this context or seen, by a load that acquires or under this lock.
    pub passed: Shared<BTreeMap<(PlaceId, i128), Option<PlaceId>>>,
    /// Once-bodies this runs in.
    pub within: Shared<BTreeSet<PlaceId>>,
    /// Flags that were seen to hold one of these values and not stored to since by this context: its turn.
    pub knows: Shared<BTreeMap<PlaceId, BTreeSet<i128>>>,
    /// Atomics that a compare-exchange or swap of this context took and no store gave back: a protocol of its own.
    pub taken: Shared<BTreeMap<PlaceId, Claim>>,
    /// Atomics that this context's own step made this number: of all that count there, it is the one that did.
    pub drew: Shared<BTreeSet<(PlaceId, i128)>>,
    /// Objects that came in a message and weren't sent on since.
    pub received: Shared<BTreeSet<PlaceId>>,
    /// Channels sent to with nothing received since.
    pub owes: Shared<BTreeSet<PlaceId>>,
    /// Channels received from with nothing sent since.
    pub has: Shared<BTreeSet<PlaceId>>,
    /// Of loops whose counter was compared with a number, which round it is.
    pub rounds: Shared<BTreeMap<LoopId, i128>>,
    /// A release fence was passed: later stores release.
    pub fenced: bool,
    /// Stores with an ordering too weak to order.
    pub weakly_released: Shared<BTreeSet<SyncKey>>,
    /// Flags read as this value with an ordering too weak to order.
    pub weak: Shared<BTreeSet<SyncKey>>,
}

/// Copies share what neither has changed since.
#[derive(Clone, Debug)]
pub struct State {
    /// False after a `return`, `break`, `panic!`: nothing below is evaluated.
    pub reachable: bool,
    /// The last branch had one way that left: what decided it goes on deciding.
    pub control_sticks: bool,
    /// Nothing decided whether we come here, but for loops and panics.
    pub sure: bool,
    pub frames: Frames,
    /// Reads that decided the branches we are in.
    pub control: Deps,
    /// Those that decided whether we left on the way here, and so that we are here at all.
    pub left: Deps,
    known: Rc<Knowledge>,
}

/// What is changed by less than every statement.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    pub locks: Vec<Hold>,
    pub moment: Rc<Moment>,
    /// Started again while an earlier instance may still run.
    pub overlapping: Shared<BTreeSet<ContextId>>,
    /// Of the reads that decided the branches we are in those that are conditions of the loops we are in.
    pub looping: Deps,
    /// Reads of atomics and of what locks protect that were made on the way here.
    pub seen: Deps,
    /// Reads that a write of the same place has acted on since: what follows from them now is another step.
    pub settled: Deps,
    /// Those of them that say nothing any more, not even of memory beside the place: it was not put into a further state.
    pub outdated: Deps,
    /// What the last test of a flag on the way here said of its value.
    pub saw: Shared<BTreeMap<PlaceId, i128>>,
    /// Which values of what was read and tested lead here.
    pub ways: Ways,
    /// The same of a bound.
    pub sides: Shared<BTreeMap<PlaceId, Side>>,
    /// Claimed numbers that are known to be less than this.
    pub below: Shared<BTreeMap<ReadId, i128>>,
    /// What the paths that met after a condition knew each, by the place that it read.
    pub told: Shared<BTreeMap<PlaceId, Rc<Outcome>>>,
    /// Joined for each element of what the loop goes through, which may be one of several parts.
    pub each_joined: Vec<(LoopId, ContextId, Part)>,
    /// Parts of arrays of handles that were joined.
    pub joined_parts: Vec<(ContextId, u32)>,
}

impl Deref for State {
    type Target = Knowledge;

    fn deref(&self) -> &Knowledge {
        &self.known
    }
}

impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut Knowledge {
        Rc::make_mut(&mut self.known)
    }
}

impl State {
    pub fn entry(joined: Shared<BTreeSet<ContextId>>) -> State {
        let moment = Rc::new(Moment { joined, ..Moment::default() });
        State {
            reachable: true,
            control_sticks: false,
            sure: true,
            frames: Frames::default(),
            control: Deps::default(),
            left: Deps::default(),
            known: Rc::new(Knowledge { moment, ..Knowledge::default() }),
        }
    }

    pub fn local(&self, frame: FrameId, local: LocalId) -> Option<&Val> {
        self.frames.get(frame, local)
    }

    pub fn has_frame(&self, frame: FrameId) -> bool {
        self.frames.has(frame)
    }

    pub fn set_local(&mut self, frame: FrameId, local: LocalId, value: Val) {
        self.frames.set(frame, local, value);
    }

    /// The two paths of a condition meet: this is what they knew each.
    pub fn tell(&mut self, place: PlaceId, outcome: Option<Rc<Outcome>>) {
        match outcome {
            Some(outcome) => drop(self.told.insert(place, outcome)),
            None => self.untell(|at, _| at == place),
        }
    }

    /// Forgets what was told of some conditions.
    pub fn untell(&mut self, gone: impl Fn(PlaceId, &Outcome) -> bool) {
        if self.told.iter().any(|(place, outcome)| gone(*place, outcome)) {
            self.told.retain(|place, outcome| !gone(*place, outcome));
        }
    }

    pub fn moment_mut(&mut self) -> &mut Moment {
        Rc::make_mut(&mut Rc::make_mut(&mut self.known).moment)
    }

    pub fn start(&mut self, context: ContextId) -> bool {
        let running = self.moment.started.contains(&context) && !self.moment.joined.contains(&context);
        let moment = self.moment_mut();
        moment.started.insert(context);
        moment.joined.remove(&context);
        if running {
            self.overlapping.insert(context);
        }
        running
    }

    /// All instances have ended.
    pub fn join_all(&mut self, context: ContextId) {
        self.moment_mut().joined.insert(context);
        if self.overlapping.contains(&context) {
            self.overlapping.remove(&context);
        }
    }

    /// Those of one of several parts of an array or collection of handles have ended.
    pub fn join_part(&mut self, context: ContextId, (part, of): (u32, u32)) {
        if !self.joined_parts.contains(&(context, part)) {
            self.joined_parts.push((context, part));
        }
        let joined = self.joined_parts.iter().filter(|(c, _)| *c == context).count();
        if joined as u32 == of {
            self.join_all(context);
        }
    }

    /// The newest instance has ended.
    pub fn join_one(&mut self, context: ContextId) {
        if !self.overlapping.contains(&context) {
            self.moment_mut().joined.insert(context);
        }
    }

    pub fn release(&mut self, key: SyncKey) {
        let count = self.moment_mut().released.entry(key).or_insert(0);
        *count = count.saturating_add(1).min(MANY_RELEASES);
    }

    /// What was released has been so as often as there: more rounds of a loop tell nothing new.
    pub fn count_releases_as(&mut self, other: &State) {
        let (own, others) = (&self.moment.released, &other.moment.released);
        if others.iter().any(|(key, count)| own.get(key).is_some_and(|now| now != count)) {
            self.moment_mut().released.extend(others.iter().map(|(key, count)| (key.clone(), *count)));
        }
    }

    pub fn acquire(&mut self, key: SyncKey) {
        if !self.moment.acquired.contains(&key) {
            self.moment_mut().acquired.insert(key);
        }
    }

    /// Everybody who waits at the barrier has come here.
    pub fn wait_at(&mut self, barrier: PlaceId) {
        self.release(SyncKey { place: barrier, kind: SyncKind::Barrier });
        let phases = self.moment_mut().phases.entry(barrier).or_default();
        *phases = phases.next();
    }

    /// The flag has had this value, as is known from this lock if not by its own ordering.
    pub fn pass(&mut self, flag: PlaceId, value: i128, known_by: Option<PlaceId>) {
        let known = self.moment.passed.get(&(flag, value));
        if known.is_none_or(|by| by.is_some() && *by != known_by) {
            self.moment_mut().passed.insert((flag, value), known_by);
        }
    }

    /// These reads decide once more.
    pub fn decided_anew(&mut self, deps: &Deps) {
        if self.ways.any_leads_anyway(deps) {
            self.ways.decided_anew(deps);
        }
    }

    /// Merges the state of another path that arrives here.
    pub fn join(&mut self, other: &State) {
        self.join_decided(other, &Deps::default());
    }

    /// Merges the state of another path; which of the two was taken depends on these reads, and so does what differs.
    pub fn join_decided(&mut self, other: &State, deps: &Deps) {
        if !other.reachable {
            return;
        }
        if !self.reachable {
            *self = other.clone();
            return;
        }
        self.frames.join(&other.frames, deps);
        self.control = self.control.join(&other.control);
        self.left = self.left.join(&other.left);
        self.sure &= other.sure;
        if !Rc::ptr_eq(&self.known, &other.known) {
            Rc::make_mut(&mut self.known).join(&other.known);
        }
    }

    /// Equal as far as another round of a loop could tell.
    pub fn same_as(&self, other: &State) -> bool {
        self.reachable == other.reachable
            && self.moment == other.moment
            && self.overlapping == other.overlapping
            && self.locks.len() == other.locks.len()
            && self.locks.iter().zip(&other.locks).all(|(a, b)| same_lock(a, b))
            && self.frames.same_as(&other.frames)
    }
}

impl Knowledge {
    fn join(&mut self, other: &Knowledge) {
        self.join_locks(other);
        if !Rc::ptr_eq(&self.moment, &other.moment) && self.moment != other.moment {
            self.moment = Rc::new(join_moments(&self.moment, &other.moment));
        }
        self.overlapping = self.overlapping.union(&other.overlapping);
        self.looping = self.looping.join(&other.looping);
        self.seen = self.seen.join(&other.seen);
        self.settled = self.settled.join(&other.settled);
        self.outdated = self.outdated.join(&other.outdated);
        self.ways.join(&other.ways);
        self.saw = self.saw.met(&other.saw, known_to_both);
        self.sides = self.sides.met(&other.sides, known_to_both);
        self.below = self.below.met(&other.below, known_to_both);
        self.told = self.told.met(&other.told, known_to_both);
        self.each_joined.retain(|pair| other.each_joined.contains(pair));
        self.joined_parts.retain(|part| other.joined_parts.contains(part));
    }

    /// What both hold; not the same acquisition on both, it is a hold of its own.
    fn join_locks(&mut self, other: &Knowledge) {
        self.locks.retain_mut(|hold| {
            let same = other.locks.iter().find(|o| o.id == hold.id && o.lock == hold.lock);
            if let Some(one) = same.or_else(|| other.locks.iter().find(|o| same_lock(o, hold))) {
                hold.id = hold.id.or(one.id);
                return true;
            }
            let Some(one) = other.locks.iter().find(|o| o.mode == hold.mode && same_bit(o, hold)) else {
                return false;
            };
            *hold =
                Hold { lock: one.bit.unwrap_or(one.lock), id: hold.id.or(one.id), bit: None, ..hold.clone() };
            true
        });
    }
}

/// What two paths know alike.
fn known_to_both<K: Ord + Copy, V: PartialEq + Clone>(
    one: &BTreeMap<K, V>,
    two: &BTreeMap<K, V>,
) -> BTreeMap<K, V> {
    let alike = one.iter().filter(|(key, value)| two.get(key) == Some(value));
    alike.map(|(key, value)| (*key, value.clone())).collect()
}

/// The one holds a bit, the other took the whole by setting it.
fn same_bit(a: &Hold, b: &Hold) -> bool {
    a.bit == Some(b.lock) || b.bit == Some(a.lock)
}

fn same_lock(a: &Hold, b: &Hold) -> bool {
    a.lock == b.lock && a.mode == b.mode && a.reach == b.reach
}

fn join_moments(a: &Moment, b: &Moment) -> Moment {
    Moment {
        started: a.started.union(&b.started),
        joined: a.joined.met(&b.joined, |one, two| {
            let ended = one.union(two).filter(|c| one.contains(c) || !a.started.contains(c));
            ended.filter(|c| two.contains(c) || !b.started.contains(c)).copied().collect()
        }),
        released: match (&a.released, &b.released) {
            (one, two) if one.is_same(two) || released_all(one, two) => one.clone(),
            (one, two) if released_all(two, one) => two.clone(),
            (one, two) => Shared::new(most_released(one, two)),
        },
        acquired: join_acquired(a, b),
        phases: a.phases.met(&b.phases, join_phases),
        passed: a.passed.met(&b.passed, |one, two| {
            one.iter().filter_map(|(flag, by)| join_passed(*flag, *by, two)).collect()
        }),
        within: a.within.common(&b.within),
        knows: a.knows.met(&b.knows, |one, two| {
            one.iter().filter_map(|(place, values)| Some((*place, values | two.get(place)?))).collect()
        }),
        taken: a.taken.met(&b.taken, join_claims),
        drew: a.drew.common(&b.drew),
        received: a.received.common(&b.received),
        owes: a.owes.union(&b.owes),
        has: a.has.common(&b.has),
        rounds: a.rounds.met(&b.rounds, known_to_both),
        fenced: a.fenced && b.fenced,
        weakly_released: a.weakly_released.union(&b.weakly_released),
        weak: a.weak.union(&b.weak),
    }
}

/// What both acquired; and what the one learned from a count of which the other gave its share up: that one doesn't touch what is
/// counted any more.
fn join_acquired(a: &Moment, b: &Moment) -> Shared<BTreeSet<SyncKey>> {
    let mut both = a.acquired.common(&b.acquired);
    if a.released.is_same(&b.released) {
        return both;
    }
    let times = |of: &Moment, key: &SyncKey| of.released.get(key).copied().unwrap_or(0);
    for (one, other) in [(a, b), (b, a)] {
        let gave_up = |key: &SyncKey| {
            let last = SyncKey { place: key.place, kind: SyncKind::Last };
            times(other, &last) > times(one, &last)
        };
        for key in one.acquired.iter().filter(|key| !other.acquired.contains(*key) && gave_up(key)) {
            both.insert(key.clone());
        }
    }
    both
}

type Released = BTreeMap<SyncKey, u8>;

/// Whether the one has done all releases of the other, as often at least.
fn released_all(a: &Released, b: &Released) -> bool {
    let mut own = a.iter();
    b.len() <= a.len()
        && b.iter()
            .all(|(key, count)| own.find(|(own, _)| *own >= key).is_some_and(|(k, n)| k == key && n >= count))
}

fn most_released(a: &Released, b: &Released) -> Released {
    let mut released = a.clone();
    for (key, count) in b {
        match released.get_mut(key) {
            Some(slot) => *slot = (*slot).max(*count),
            None => drop(released.insert(key.clone(), *count)),
        }
    }
    released
}

fn join_phases(a: &BTreeMap<PlaceId, Phases>, b: &BTreeMap<PlaceId, Phases>) -> BTreeMap<PlaceId, Phases> {
    let barriers = a.keys().chain(b.keys().filter(|barrier| !a.contains_key(barrier)));
    let waited = |of: &BTreeMap<PlaceId, Phases>, barrier| of.get(barrier).copied().unwrap_or_default();
    barriers.map(|barrier| (*barrier, waited(a, barrier).join(waited(b, barrier)))).collect()
}

fn join_claims(a: &BTreeMap<PlaceId, Claim>, b: &BTreeMap<PlaceId, Claim>) -> BTreeMap<PlaceId, Claim> {
    let both = a.iter().filter_map(|(place, claim)| {
        let same = claim == b.get(place)?;
        Some((*place, if same { *claim } else { Claim::Whole }))
    });
    both.collect()
}

/// A value that both paths know of: by the lock of the one that needs one.
fn join_passed(
    flag: (PlaceId, i128),
    by: Option<PlaceId>,
    others: &BTreeMap<(PlaceId, i128), Option<PlaceId>>,
) -> Option<((PlaceId, i128), Option<PlaceId>)> {
    let other = *others.get(&flag)?;
    (by == other || by.is_none() || other.is_none()).then_some((flag, by.or(other)))
}

/// Where control leaves a block to: collected while its body is walked.
#[derive(Debug)]
pub struct Exit {
    pub label: Option<Name>,
    /// A loop takes unlabeled breaks; a labeled block doesn't.
    pub is_loop: bool,
    pub breaks: Option<(State, Val)>,
    pub continues: Option<State>,
    /// Depth of the scope stack to unwind to.
    pub scopes: usize,
}
