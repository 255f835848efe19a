//! What a truth value remembers of the paths that gave it, so that a condition may be tested later than it was decided.
//!
//! In: two paths that meet, one on which it is true and one on which it isn't. Out: a test that, when its outcome is
//! seen, gives each path back what the meeting took from it: orders acquired, atomics and locks taken, flags known. What was
//! stored in between isn't looked at: a value is tested soon after it is made.

use super::Interp;
use super::contexts::ContextId;
use super::places::{FrameId, LoopId, PlaceId, Root};
use super::publish::object_key;
use super::state::{Claim, Hold, State, SyncKey};
use super::values::{Const, Kind, Subject, Test, Val};
use crate::resolve::Ty;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Position of what a variant tells among its fields: past all that code can name.
const TOLD: usize = (1 << 16) - 2;

/// What each outcome of a condition says.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    pub holds: Learned,
    pub fails: Learned,
}

/// What one of two paths knows that the other doesn't.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Learned {
    acquired: Vec<SyncKey>,
    joined: Vec<ContextId>,
    passed: Vec<((PlaceId, i128), Option<PlaceId>)>,
    knows: Vec<(PlaceId, i128)>,
    saw: Vec<(PlaceId, i128)>,
    taken: Vec<(PlaceId, Claim)>,
    rounds: Vec<(LoopId, i128)>,
    locks: Vec<Hold>,
    /// Objects that this path did not make reachable for others, as it would have.
    refused: Vec<PlaceId>,
}

impl Outcome {
    pub(super) fn of(holds: &State, fails: &State) -> Outcome {
        Outcome { holds: Learned::between(holds, fails), fails: Learned::between(fails, holds) }
    }

    /// Whether the two paths differ in anything.
    pub(super) fn tells(&self) -> bool {
        let nothing = Learned::default();
        self.holds != nothing || self.fails != nothing
    }

    /// Whether it says that this lock is held.
    pub(super) fn tells_of_lock(&self, lock: PlaceId) -> bool {
        self.holds.locks.iter().chain(&self.fails.locks).any(|hold| hold.lock == lock)
    }

    fn told(self) -> Option<Kind> {
        self.tells()
            .then(|| Kind::Test(Rc::new(Test { subject: Subject::Outcome(Rc::new(self)), negated: false })))
    }
}

impl Learned {
    fn between(one: &State, other: &State) -> Learned {
        let (here, there) = (&one.moment, &other.moment);
        Learned {
            acquired: here.acquired.difference(&there.acquired).cloned().collect(),
            joined: here.joined.difference(&there.joined).copied().collect(),
            passed: only_in(&here.passed, &there.passed),
            knows: only_in(&here.knows, &there.knows),
            saw: only_in(&one.saw, &other.saw),
            taken: only_in(&here.taken, &there.taken),
            rounds: only_in(&here.rounds, &there.rounds),
            locks: one
                .locks
                .iter()
                .filter(|hold| {
                    hold.reach != super::state::Reach::Among
                        && !other.locks.iter().any(|o| o.lock == hold.lock)
                })
                .cloned()
                .collect(),
            refused: Vec::new(),
        }
    }

    pub(super) fn keep_locks(&mut self, kept: impl Fn(&Hold) -> bool) {
        self.locks.retain(kept);
    }

    pub fn recall(&self, state: &mut State) {
        for hold in &self.locks {
            if !state.locks.iter().any(|held| held.lock == hold.lock) {
                state.locks.push(hold.clone());
            }
        }
        self.acquired.iter().for_each(|key| state.acquire(key.clone()));
        self.joined.iter().for_each(|context| state.join_all(*context));
        for &place in &self.refused {
            state.moment_mut().released.remove(&object_key(place));
        }
        if !self.saw.is_empty() {
            Rc::make_mut(&mut state.saw).extend(self.saw.iter().copied());
        }
        let moment = state.moment_mut();
        moment.passed.extend(self.passed.iter().copied());
        moment.knows.extend(self.knows.iter().copied());
        moment.taken.extend(self.taken.iter().copied());
        moment.rounds.extend(self.rounds.iter().copied());
    }
}

/// What a failed exchange tells: what it was to put in is still its context's own.
pub(super) fn refusal(objects: Vec<PlaceId>) -> Kind {
    let fails = Learned { refused: objects, ..Learned::default() };
    let outcome = Outcome { holds: Learned::default(), fails };
    Kind::Test(Rc::new(Test { subject: Subject::Outcome(Rc::new(outcome)), negated: false }))
}

/// A value compared with a variant: where they are equal, what the value tells of that variant is known.
pub(super) fn compared(a: &Val, b: &Val, negated: bool) -> Option<Kind> {
    let told = |value: &Val, other: &Val| {
        let Some(Kind::Aggregate(wanted)) = other.single() else { return None };
        let told = value.alts.iter().find_map(|kind| match kind {
            Kind::Aggregate(one) if one.variant == wanted.variant => one.field(super::expr::field(TOLD)),
            _ => None,
        })?;
        match told.single() {
            Some(Kind::Test(test)) if !value.open => Some(test.subject.clone()),
            _ => None,
        }
    };
    let subject = told(a, b).or_else(|| told(b, a))?;
    Some(Kind::Test(Rc::new(Test { subject, negated })))
}

fn only_in<K: Ord + Copy, V: PartialEq + Copy>(here: &BTreeMap<K, V>, there: &BTreeMap<K, V>) -> Vec<(K, V)> {
    here.iter()
        .filter(|(key, value)| there.get(key) != Some(value))
        .map(|(key, value)| (*key, *value))
        .collect()
}

impl Interp<'_> {
    /// The truth of a condition: true on the one path, false on the other.
    pub(super) fn remembered(&self, holds: &State, fails: &State) -> Option<Kind> {
        let mut outcome = Outcome::of(holds, fails);
        // Guards are values of their own, and may be gone when the truth is seen.
        for learned in [&mut outcome.holds, &mut outcome.fails] {
            learned.locks.retain(|hold| self.is_atomic(hold.lock));
        }
        outcome.told()
    }

    /// A test of an `Option` or `Result` that ends here, with what its outcome tells: the atomics that were taken.
    pub(super) fn outlasting(&mut self, frame: FrameId, value: Val) -> Val {
        let ends = |test: &Test| match test.subject {
            Subject::Success(place) => matches!(self.places.get(place).root, Root::Local(f, _) if f == frame),
            _ => false,
        };
        if !matches!(value.single(), Some(Kind::Test(test)) if ends(test)) {
            return value;
        }
        let branches = self.split_by(&value);
        match self.remembered(&branches.yes, &branches.no) {
            Some(told) => Val { alts: std::iter::once(told).collect(), ..value },
            None => value,
        }
    }

    /// A value that, where its variant is seen, tells what this path knows and the other doesn't.
    pub(super) fn telling(&self, value: Val, path: &State, other: &State) -> Val {
        if !path.reachable {
            return value;
        }
        let Learned { acquired, joined, .. } = Learned::between(path, other);
        let learned = Learned { acquired, joined, ..Learned::default() };
        if learned == Learned::default() {
            return value;
        }
        let outcome = Outcome { holds: learned, fails: Learned::default() };
        let told = Kind::Test(Rc::new(Test { subject: Subject::Outcome(Rc::new(outcome)), negated: false }));
        self.with_told(value, &Val::of(told, Ty::Unknown))
    }

    /// A success made of another one tells what that told.
    pub(super) fn retold(&self, value: Val, of: &Val) -> Val {
        match self.told_with(of) {
            Some(told) => self.with_told(value, &told),
            None => value,
        }
    }

    fn with_told(&self, value: Val, told: &Val) -> Val {
        let mut value = value;
        for kind in &mut value.alts {
            if let Kind::Aggregate(aggregate) = kind
                && aggregate.variant.is_some_and(|variant| !self.is_failure(variant))
            {
                let mut telling = (**aggregate).clone();
                telling.set(super::expr::field(TOLD), told.clone());
                *kind = Kind::Aggregate(telling.into());
            }
        }
        value
    }

    /// What the one alternative that is no failure tells.
    fn told_with(&self, value: &Val) -> Option<Val> {
        let mut others = value.alts.iter().filter(
            |kind| !matches!(kind, Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_failure(v))),
        );
        match (others.next(), others.next(), value.open) {
            (Some(Kind::Aggregate(one)), None, false) => one.field(super::expr::field(TOLD)).cloned(),
            _ => None,
        }
    }

    /// A variant was seen: what was learned on the way to it is known, and what was refused goes back.
    pub(super) fn recall_told(&mut self, value: &Val) {
        self.recall_refused(value);
        if let Some(told) = self.told_with(value)
            && let Some(Kind::Test(test)) = told.single()
            && let Subject::Outcome(outcome) = &test.subject
        {
            outcome.holds.recall(&mut self.st);
        }
    }

    pub(super) fn is_atomic(&self, place: PlaceId) -> bool {
        let log = &self.contexts.get(self.context).log.events;
        let of_bit = self.places.get(place).parent;
        log.iter()
            .any(|event| event.atomic.is_some() && (event.place == place || Some(event.place) == of_bit))
    }
}

/// Of two values that meet, the one true and the other false, what they say of their paths.
pub(super) fn remember(one: (&State, &mut Val), two: (&State, &mut Val)) {
    let truth = |value: &Val| match value.constant() {
        Some(Const::Bool(truth)) => Some(*truth),
        _ => None,
    };
    let kind = match (truth(one.1), truth(two.1)) {
        (Some(true), Some(false)) => Outcome::of(one.0, two.0).told(),
        (Some(false), Some(true)) => Outcome::of(two.0, one.0).told(),
        _ => None,
    };
    if let Some(kind) = kind {
        for value in [one.1, two.1] {
            value.alts = std::iter::once(kind.clone()).collect();
        }
    }
}
