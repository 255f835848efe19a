//! The abstract state at one point of one context: what locals hold, which locks are held, what was started, joined,
//! released and acquired so far, and which reads decided the way here.
//!
//! Join at a meeting of paths: locals by union; locks, joined contexts and acquired orders by intersection (a context
//! that one path never started counts as joined there); started contexts and released orders by union.

use super::access::Side;
use super::acts::Ways;
use super::contexts::ContextId;
use super::phases::Phases;
use super::places::{FrameId, LoopId, PlaceId};
use super::remembered::Outcome;
use super::values::{Deps, HoldId, Kind, Mode, ReadId, Val};
use crate::hir::Name;
use crate::resolve::LocalId;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What locals hold is known this deep where paths meet.
const MAX_NESTING: u32 = 8;

/// The locals of one call.
#[derive(Clone, Debug)]
pub struct FrameEnv {
    pub id: FrameId,
    pub locals: Vec<(LocalId, Val)>,
}

impl FrameEnv {
    pub fn get(&self, local: LocalId) -> Option<&Val> {
        self.locals.iter().find(|(l, _)| *l == local).map(|(_, v)| v)
    }

    fn set(&mut self, local: LocalId, value: Val) {
        match self.locals.iter_mut().find(|(l, _)| *l == local) {
            Some(slot) => slot.1 = value,
            None => self.locals.push((local, value)),
        }
    }
}

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
    pub started: BTreeSet<ContextId>,
    /// Surely ended by now.
    pub joined: BTreeSet<ContextId>,
    /// Most releases done so far.
    pub released: BTreeMap<SyncKey, u8>,
    /// Surely acquired so far.
    pub acquired: BTreeSet<SyncKey>,
    /// How often each barrier was waited at.
    pub phases: BTreeMap<PlaceId, Phases>,
    /// Flags that have had this value: stored by this context or seen, by a load that acquires or under this lock.
    pub passed: BTreeMap<(PlaceId, i128), Option<PlaceId>>,
    /// Once-bodies this runs in.
    pub within: BTreeSet<PlaceId>,
    /// Flags that were seen to hold one of these values and not stored to since by this context: its turn.
    pub knows: BTreeMap<PlaceId, BTreeSet<i128>>,
    /// Atomics that a compare-exchange or swap of this context took and no store gave back: a protocol of its own.
    pub taken: BTreeMap<PlaceId, Claim>,
    /// Atomics that this context's own step made this number: of all that count there, it is the one that did.
    pub drew: BTreeSet<(PlaceId, i128)>,
    /// Objects that came in a message and weren't sent on since.
    pub received: BTreeSet<PlaceId>,
    /// Channels sent to with nothing received since.
    pub owes: BTreeSet<PlaceId>,
    /// Channels received from with nothing sent since.
    pub has: BTreeSet<PlaceId>,
    /// Of loops whose counter was compared with a number, which round it is.
    pub rounds: BTreeMap<LoopId, i128>,
    /// A release fence was passed: later stores release.
    pub fenced: bool,
    /// Stores with an ordering too weak to order.
    pub weakly_released: BTreeSet<SyncKey>,
    /// Flags read as this value with an ordering too weak to order.
    pub weak: BTreeSet<SyncKey>,
}

#[derive(Clone, Debug)]
pub struct State {
    /// False after a `return`, `break`, `panic!`: nothing below is evaluated.
    pub reachable: bool,
    pub frames: Vec<Rc<FrameEnv>>,
    pub locks: Vec<Hold>,
    pub moment: Rc<Moment>,
    /// Started again while an earlier instance may still run.
    pub overlapping: Rc<BTreeSet<ContextId>>,
    /// Reads that decided the branches we are in.
    pub control: Deps,
    /// Those that decided whether we left on the way here, and so that we are here at all.
    pub left: Deps,
    /// Those of them that are conditions of the loops we are in.
    pub looping: Deps,
    /// Reads of atomics and of what locks protect that were made on the way here.
    pub seen: Deps,
    /// Reads that a write of the same place has acted on since: what follows from them now is another step.
    pub settled: Deps,
    /// Those of them that say nothing any more, not even of memory beside the place: it was not put into a further state.
    pub outdated: Deps,
    /// What the last test of a flag on the way here said of its value.
    pub saw: Rc<BTreeMap<PlaceId, i128>>,
    /// Which values of what was read and tested lead here.
    pub ways: Ways,
    /// The same of a bound.
    pub sides: Rc<BTreeMap<PlaceId, Side>>,
    /// Claimed numbers that are known to be less than this.
    pub below: Rc<BTreeMap<ReadId, i128>>,
    /// What the paths that met after a condition knew each, by the place that it read.
    pub told: Rc<BTreeMap<PlaceId, Rc<Outcome>>>,
    /// The last branch had one way that left: what decided it goes on deciding.
    pub control_sticks: bool,
    /// Nothing decided whether we come here, but for loops and panics.
    pub sure: bool,
    /// Joined for each element of what the loop goes through, which may be one of several parts.
    pub each_joined: Vec<(LoopId, ContextId, Part)>,
    /// Parts of arrays of handles that were joined.
    pub joined_parts: Vec<(ContextId, u32)>,
}

impl State {
    pub fn entry(joined: BTreeSet<ContextId>) -> State {
        State {
            reachable: true,
            frames: Vec::new(),
            locks: Vec::new(),
            moment: Rc::new(Moment { joined, ..Moment::default() }),
            overlapping: Rc::default(),
            control: Deps::default(),
            left: Deps::default(),
            looping: Deps::default(),
            seen: Deps::default(),
            settled: Deps::default(),
            outdated: Deps::default(),
            saw: Rc::default(),
            ways: Ways::default(),
            sides: Rc::default(),
            below: Rc::default(),
            told: Rc::default(),
            control_sticks: false,
            sure: true,
            each_joined: Vec::new(),
            joined_parts: Vec::new(),
        }
    }

    pub fn local(&self, frame: FrameId, local: LocalId) -> Option<&Val> {
        self.frames.iter().rev().find(|f| f.id == frame)?.get(local)
    }

    pub fn has_frame(&self, frame: FrameId) -> bool {
        self.frames.iter().any(|f| f.id == frame)
    }

    pub fn set_local(&mut self, frame: FrameId, local: LocalId, value: Val) {
        if let Some(env) = self.frames.iter_mut().rev().find(|f| f.id == frame) {
            Rc::make_mut(env).set(local, value);
        }
    }

    /// The two paths of a condition meet: this is what they knew each.
    pub fn tell(&mut self, place: PlaceId, outcome: Option<Rc<Outcome>>) {
        match outcome {
            Some(outcome) => drop(Rc::make_mut(&mut self.told).insert(place, outcome)),
            None => self.untell(|at, _| at == place),
        }
    }

    /// Forgets what was told of some conditions.
    pub fn untell(&mut self, gone: impl Fn(PlaceId, &Outcome) -> bool) {
        if self.told.iter().any(|(place, outcome)| gone(*place, outcome)) {
            Rc::make_mut(&mut self.told).retain(|place, outcome| !gone(*place, outcome));
        }
    }

    pub fn moment_mut(&mut self) -> &mut Moment {
        Rc::make_mut(&mut self.moment)
    }

    pub fn start(&mut self, context: ContextId) -> bool {
        let running = self.moment.started.contains(&context) && !self.moment.joined.contains(&context);
        let moment = self.moment_mut();
        moment.started.insert(context);
        moment.joined.remove(&context);
        if running {
            Rc::make_mut(&mut self.overlapping).insert(context);
        }
        running
    }

    /// All instances have ended.
    pub fn join_all(&mut self, context: ContextId) {
        self.moment_mut().joined.insert(context);
        if self.overlapping.contains(&context) {
            Rc::make_mut(&mut self.overlapping).remove(&context);
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
        self.join_frames(other, deps);
        self.join_locks(other);
        if !Rc::ptr_eq(&self.moment, &other.moment) && self.moment != other.moment {
            let joined = join_moments(&self.moment, &other.moment);
            self.moment = Rc::new(joined);
        }
        if !other.overlapping.is_empty() && !Rc::ptr_eq(&self.overlapping, &other.overlapping) {
            Rc::make_mut(&mut self.overlapping).extend(other.overlapping.iter().copied());
        }
        self.control = self.control.join(&other.control);
        self.sure &= other.sure;
        self.left = self.left.join(&other.left);
        self.looping = self.looping.join(&other.looping);
        self.seen = self.seen.join(&other.seen);
        self.settled = self.settled.join(&other.settled);
        self.outdated = self.outdated.join(&other.outdated);
        self.ways.join(&other.ways);
        if !self.saw.is_empty() && !Rc::ptr_eq(&self.saw, &other.saw) {
            Rc::make_mut(&mut self.saw).retain(|place, value| other.saw.get(place) == Some(value));
        }
        if !self.sides.is_empty() && !Rc::ptr_eq(&self.sides, &other.sides) {
            Rc::make_mut(&mut self.sides).retain(|place, side| other.sides.get(place) == Some(side));
        }
        if !self.below.is_empty() && !Rc::ptr_eq(&self.below, &other.below) {
            Rc::make_mut(&mut self.below).retain(|read, bound| other.below.get(read) == Some(bound));
        }
        if !self.told.is_empty() && !Rc::ptr_eq(&self.told, &other.told) {
            Rc::make_mut(&mut self.told).retain(|place, outcome| other.told.get(place) == Some(outcome));
        }
        self.each_joined.retain(|pair| other.each_joined.contains(pair));
        self.joined_parts.retain(|part| other.joined_parts.contains(part));
    }

    /// What both hold; not the same acquisition on both, it is a hold of its own.
    fn join_locks(&mut self, other: &State) {
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

    fn join_frames(&mut self, other: &State, deps: &Deps) {
        let depth = self.frames.len().min(other.frames.len());
        self.frames.truncate(depth);
        for (mine, theirs) in self.frames.iter_mut().zip(&other.frames) {
            if Rc::ptr_eq(mine, theirs) {
                continue;
            }
            let env = Rc::make_mut(mine);
            for (local, value) in &theirs.locals {
                match env.locals.iter_mut().find(|(l, _)| l == local) {
                    Some(slot) if slot.1 == *value => {}
                    Some(slot) => {
                        slot.1 = slot.1.join(value).with_deps(deps);
                        slot.1.bound_depth(MAX_NESTING);
                    }
                    None => env.locals.push((*local, value.clone())),
                }
            }
        }
    }

    /// Equal as far as another round of a loop could tell.
    pub fn same_as(&self, other: &State) -> bool {
        self.reachable == other.reachable
            && self.moment == other.moment
            && self.overlapping == other.overlapping
            && self.locks.len() == other.locks.len()
            && self.locks.iter().zip(&other.locks).all(|(a, b)| same_lock(a, b))
            && self.frames.len() == other.frames.len()
            && self.frames.iter().zip(&other.frames).all(|(a, b)| Rc::ptr_eq(a, b) || a.locals == b.locals)
    }
}

/// The one holds a bit, the other took the whole by setting it.
fn same_bit(a: &Hold, b: &Hold) -> bool {
    a.bit == Some(b.lock) || b.bit == Some(a.lock)
}

fn same_lock(a: &Hold, b: &Hold) -> bool {
    a.lock == b.lock && a.mode == b.mode && a.reach == b.reach
}

fn join_moments(a: &Moment, b: &Moment) -> Moment {
    let joined = a
        .joined
        .union(&b.joined)
        .filter(|c| a.joined.contains(c) || !a.started.contains(c))
        .filter(|c| b.joined.contains(c) || !b.started.contains(c))
        .copied()
        .collect();
    let mut released = a.released.clone();
    for (key, count) in &b.released {
        let slot = released.entry(key.clone()).or_insert(0);
        *slot = (*slot).max(*count);
    }
    let mut phases = a.phases.clone();
    for (barrier, waited) in &mut phases {
        *waited = waited.join(b.phases.get(barrier).copied().unwrap_or_default());
    }
    for (barrier, waited) in &b.phases {
        phases.entry(*barrier).or_insert_with(|| waited.join(Phases::default()));
    }
    Moment {
        started: a.started.union(&b.started).copied().collect(),
        joined,
        released,
        acquired: a.acquired.intersection(&b.acquired).cloned().collect(),
        phases,
        passed: a.passed.iter().filter_map(|(flag, by)| join_passed(*flag, *by, &b.passed)).collect(),
        within: a.within.intersection(&b.within).copied().collect(),
        knows: a.knows.iter().filter_map(|(p, v)| Some((*p, v | b.knows.get(p)?))).collect(),
        taken: a
            .taken
            .iter()
            .filter_map(|(place, claim)| {
                let same = claim == b.taken.get(place)?;
                Some((*place, if same { *claim } else { Claim::Whole }))
            })
            .collect(),
        drew: a.drew.intersection(&b.drew).copied().collect(),
        received: a.received.intersection(&b.received).copied().collect(),
        owes: a.owes.union(&b.owes).copied().collect(),
        has: a.has.intersection(&b.has).copied().collect(),
        rounds: a.rounds.iter().filter(|(l, n)| b.rounds.get(l) == Some(n)).map(|(l, n)| (*l, *n)).collect(),
        fenced: a.fenced && b.fenced,
        weakly_released: a.weakly_released.union(&b.weakly_released).cloned().collect(),
        weak: a.weak.union(&b.weak).cloned().collect(),
    }
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
