//! What a context does to shared places: the log the rules compare.

use super::acts::Ways;
use super::places::{FrameId, LoopId, PlaceId};
use super::terms::Term;
use super::values::{Constants, Deps, HoldId, Mode, ReadId, Val};
use crate::finding::{AccessKind, Location};
use crate::hir::Name;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use std::rc::Rc;

/// Index into the interned moments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MomentId(pub u32);

/// Which door an access came through.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Door {
    /// A plain safe access.
    Safe,
    /// Through a raw pointer or a reference made from one.
    Raw,
}

/// A held lock, as an access remembers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct HeldLock {
    pub lock: PlaceId,
    /// Whichever index the lock's place has.
    pub all: bool,
    pub mode: Mode,
    pub hold: HoldId,
}

/// One access.
#[derive(Clone, PartialEq, Debug)]
pub struct AccessEvent {
    pub place: PlaceId,
    pub kind: AccessKind,
    /// The ordering's name for an atomic access.
    pub atomic: Option<Name>,
    pub door: Door,
    pub locks: Rc<[HeldLock]>,
    pub moment: MomentId,
    pub at: Location,
    /// The call it stands in: leads to the call path.
    pub frame: FrameId,
    /// For a write: the reads the value depends on.
    pub data: Deps,
    /// The reads that the way to the place depends on: of pointers, and what decided which function gave one.
    pub through: Deps,
    /// The reads that decided whether it runs, and that no write of the same place has acted on yet. A store of a constant
    /// isn't decided by the condition of a loop round it.
    pub control: Deps,
    /// Those of them that are conditions of loops round it.
    pub looping: Deps,
    /// The reads that decided whether it runs, and that a write of their place has acted on.
    pub acted_on: Deps,
    /// For a store of a constant: the reads that were made on the way there.
    pub seen: Deps,
    /// For a write of a value that is the same whoever computes it (as long as the places that it was read from don't change):
    /// what tells it from others.
    pub same: Option<Same>,
    /// For a write: what a test had said of the place's value.
    pub saw: Option<i128>,
    /// Which values of the reads that were tested led to it.
    pub ways: Ways,
    /// The same of a bound.
    pub side: Option<Side>,
    /// What the operation does, where it is known (for schedules): see `effect`.
    pub effect: Option<Effect>,
    /// For a write: the value written, where it is known.
    pub term: Option<Rc<Term>>,
    pub runs: Runs,
}

/// How often its context surely does an access.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Runs {
    Once,
    /// Once in each round of these loops, outermost first.
    Rounds(Rc<[LoopId]>),
    /// Something decides whether.
    Unknown,
}

/// Which side of a bound a value was found on, or which one bit of it was found clear.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Below,
    Above,
    Clear(i128),
}

/// A value that is the same whoever computes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Same {
    /// What tells it from others.
    pub hash: u64,
    pub made: Made,
    /// The constants that it was made of, where it isn't one.
    pub constants: Constants,
    /// Those that the place was chosen by.
    pub of_place: Constants,
}

impl Same {
    /// Whether two writes of one place store the same.
    pub fn is_same_as(self, other: Same) -> bool {
        let by_place = self.of_place.or(other.of_place);
        (self.hash, self.made) == (other.hash, other.made)
            && self.constants.or(by_place) == other.constants.or(by_place)
    }

    /// What one access stores in several rounds.
    fn and(self, other: Same) -> Option<Same> {
        let alike = (self.hash, self.made) == (other.hash, other.made);
        let (constants, of_place) = (self.constants.or(other.constants), self.of_place.or(other.of_place));
        alike.then_some(Same { constants, of_place, ..self })
    }
}

/// How a value comes about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Made {
    /// Written down as it is.
    Constant,
    /// It was found out which of several constants it is.
    Chosen,
    Computed,
}

/// What an update does to the value, for working out results.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Stores a constant.
    Set(i128),
    /// A compare-exchange: its own result tells.
    Compare {
        /// The value expected, where it is known.
        expected: Option<Rc<Term>>,
        /// That was read later than what the new value is computed from.
        stale: bool,
    },
    /// A compare-exchange loop in one call (`fetch_update`).
    Exchange,
    /// Stores and gives the old value.
    Swap,
    /// Adds, and so only commutes with others that do.
    Add,
    /// Takes off.
    Subtract,
    /// Takes off exactly what was loaded of the same place.
    SubtractSeen,
    /// Doing it twice is doing it once (`fetch_max`, `fetch_or`; filling what is empty).
    Idempotent,
    /// Takes an element out, or finds none.
    Take,
    /// Takes an element out that must be there.
    TakeSure,
    /// Puts an element in.
    Put,
    /// Computes and stores by itself (`+=`).
    Assign,
    /// Looks whether an element is there.
    Find,
}

#[derive(Clone, Debug, Default)]
pub struct AccessLog {
    pub events: Vec<AccessEvent>,
    /// Reads whose value went somewhere: into a place, an output, an unknown function.
    pub used: FxHashSet<ReadId>,
    /// Reads that decide how often a loop runs.
    pub looped: FxHashSet<ReadId>,
    /// Updates whose own result decided something.
    pub judged: FxHashSet<ReadId>,
    /// Reads that were compared with what only the context itself has, such as its thread's id.
    pub identified: FxHashSet<ReadId>,
    /// Reads that were compared with a constant.
    pub compared: FxHashSet<ReadId>,
    /// Pairs of reads of one place, at two times, whose values were compared with each other.
    pub compared_again: FxHashSet<(ReadId, ReadId)>,
    /// Numbers that were read of atomics, and what each was last found to be more or less than.
    pub measured: FxHashMap<ReadId, Val>,
    /// Those of them that an exchange expects, to put in what they were measured by.
    pub outdone: FxHashSet<ReadId>,
    /// Loads, and the exchanges that expect what they found, to put a constant in its place.
    pub exchanged_away: FxHashSet<(ReadId, ReadId)>,
    /// Reads that decided between an error and something else.
    pub refusing: FxHashSet<ReadId>,
    /// Elements taken out, whichever they were, that nobody looks at.
    pub discarded: FxHashSet<ReadId>,
    seen: FxHashMap<(PlaceId, Location, MomentId), SmallVec<[u32; 4]>>,
}

/// A context doesn't log more accesses than this.
const MAX_EVENTS: usize = 20_000;

impl AccessLog {
    /// Adds an event unless an equal one is there; its number either way.
    pub fn add(&mut self, event: AccessEvent) -> Option<ReadId> {
        let same = self.seen.entry((event.place, event.at, event.moment)).or_default();
        for &at in same.iter() {
            let old = &mut self.events[at as usize];
            let locks_equal = old.locks.len() == event.locks.len()
                && old.locks.iter().zip(event.locks.iter()).all(|(a, b)| a == b);
            if old.kind == event.kind && old.atomic == event.atomic && old.frame == event.frame && locks_equal
            {
                old.data = old.data.join(&event.data);
                old.control = old.control.join(&event.control);
                old.acted_on = old.acted_on.join(&event.acted_on);
                old.through = old.through.join(&event.through);
                if old.term != event.term {
                    old.term = None;
                }
                if old.runs != event.runs {
                    old.runs = Runs::Unknown;
                }
                old.seen = old.seen.join(&event.seen);
                old.same = old.same.zip(event.same).and_then(|(one, two)| one.and(two));
                old.saw = old.saw.filter(|saw| event.saw == Some(*saw));
                old.ways.join(&event.ways);
                old.side = old.side.filter(|side| event.side == Some(*side));
                if matches!(event.effect, Some(Effect::Compare { stale: true, .. })) {
                    old.effect = event.effect;
                }
                return Some(ReadId(at));
            }
        }
        if self.events.len() >= MAX_EVENTS {
            return None;
        }
        let at = self.events.len() as u32;
        same.push(at);
        self.events.push(event);
        Some(ReadId(at))
    }
}
