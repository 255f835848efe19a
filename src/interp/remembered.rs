//! What a truth value or an enum's variant remembers of the paths that gave it, so that a condition may be tested later than
//! it was decided.
//!
//! In: two paths that meet, with the outcomes that the value may have on each: true, false, a variant. Out: with each outcome
//! what, when it is seen, gives back what the meeting took: orders acquired, atomics and locks taken, flags known. What was
//! stored in between isn't looked at: a value is tested soon after it is made.
//!
//! Invariant: an outcome that several paths give tells only what holds on all of them.

use super::Interp;
use super::contexts::ContextId;
use super::places::{FrameId, LoopId, PlaceId, Root};
use super::publish::object_key;
use super::state::{Claim, Hold, State, SyncKey};
use super::told::told_at;
use super::values::{Aggregate, Const, Kind, Subject, Test, Val};
use crate::hir::Name;
use crate::resolve::Ty;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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
    knows: Vec<(PlaceId, BTreeSet<i128>)>,
    saw: Vec<(PlaceId, i128)>,
    taken: Vec<(PlaceId, Claim)>,
    drew: Vec<(PlaceId, i128)>,
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
        self.tells().then(|| telling(self.holds, self.fails))
    }
}

impl Learned {
    /// Others did something before, and it is known to have been done.
    pub fn acquired(keys: Vec<SyncKey>) -> Learned {
        Learned { acquired: keys, ..Learned::default() }
    }

    /// What was to be put where others reach it is still its context's own.
    pub fn refused(objects: Vec<PlaceId>) -> Learned {
        Learned { refused: objects, ..Learned::default() }
    }

    /// The orders that one path knows of and the other doesn't.
    pub fn orders(one: &State, other: &State) -> Learned {
        let Learned { acquired, joined, .. } = Learned::between(one, other);
        Learned { acquired, joined, ..Learned::default() }
    }

    fn between(one: &State, other: &State) -> Learned {
        let (here, there) = (&one.moment, &other.moment);
        Learned {
            acquired: here.acquired.difference(&there.acquired).cloned().collect(),
            joined: here.joined.difference(&there.joined).copied().collect(),
            passed: only_in(&here.passed, &there.passed),
            knows: only_in(&here.knows, &there.knows),
            saw: only_in(&one.saw, &other.saw),
            taken: only_in(&here.taken, &there.taken),
            drew: here.drew.difference(&there.drew).copied().collect(),
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

    /// What both know, and what each does.
    pub fn and(mut self, other: &Learned) -> Learned {
        fn add<T: PartialEq + Clone>(all: &mut Vec<T>, more: &[T]) {
            let new: Vec<T> = more.iter().filter(|item| !all.contains(item)).cloned().collect();
            all.extend(new);
        }
        add(&mut self.acquired, &other.acquired);
        add(&mut self.joined, &other.joined);
        add(&mut self.passed, &other.passed);
        add(&mut self.knows, &other.knows);
        add(&mut self.saw, &other.saw);
        add(&mut self.taken, &other.taken);
        add(&mut self.drew, &other.drew);
        add(&mut self.rounds, &other.rounds);
        add(&mut self.locks, &other.locks);
        add(&mut self.refused, &other.refused);
        self
    }

    /// What the two have in common.
    fn common(&self, other: &Learned) -> Learned {
        fn both<T: PartialEq + Clone>(one: &[T], two: &[T]) -> Vec<T> {
            one.iter().filter(|item| two.contains(item)).cloned().collect()
        }
        Learned {
            acquired: both(&self.acquired, &other.acquired),
            joined: both(&self.joined, &other.joined),
            passed: both(&self.passed, &other.passed),
            knows: both(&self.knows, &other.knows),
            saw: both(&self.saw, &other.saw),
            taken: both(&self.taken, &other.taken),
            drew: both(&self.drew, &other.drew),
            rounds: both(&self.rounds, &other.rounds),
            locks: both(&self.locks, &other.locks),
            refused: both(&self.refused, &other.refused),
        }
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
            state.saw.extend(self.saw.iter().copied());
        }
        let moment = state.moment_mut();
        moment.passed.extend(self.passed.iter().copied());
        moment.knows.extend(self.knows.iter().cloned());
        moment.taken.extend(self.taken.iter().copied());
        moment.drew.extend(self.drew.iter().copied());
        moment.rounds.extend(self.rounds.iter().copied());
    }
}

/// A condition that tells this when it is true, and that when it is false.
pub(super) fn telling(holds: Learned, fails: Learned) -> Kind {
    let outcome = Outcome { holds, fails };
    Kind::Test(Rc::new(Test { subject: Subject::Outcome(Rc::new(outcome)), negated: false }))
}

/// A value compared with a variant: where they are equal, what the value tells of that variant is known.
pub(super) fn compared(a: &Val, b: &Val, negated: bool) -> Option<Kind> {
    let told = |value: &Val, other: &Val| {
        let Some(Kind::Aggregate(wanted)) = other.single() else { return None };
        let told = value.alts.iter().find_map(|kind| match kind {
            Kind::Aggregate(one) if one.variant == wanted.variant => told_by(one),
            _ => None,
        });
        told.filter(|_| !value.open).cloned()
    };
    let (equal, differs) = (told(a, b).or_else(|| told(b, a))?, Learned::default());
    Some(if negated { telling(differs, equal) } else { telling(equal, differs) })
}

fn only_in<K: Ord + Copy, V: PartialEq + Clone>(
    here: &BTreeMap<K, V>,
    there: &BTreeMap<K, V>,
) -> Vec<(K, V)> {
    here.iter()
        .filter(|(key, value)| there.get(key) != Some(value))
        .map(|(key, value)| (*key, value.clone()))
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

    /// The atomics that were taken since: no guard gives them back.
    pub(super) fn atomics_taken(&self, since: &State) -> Option<Learned> {
        let mut learned = Learned { locks: Learned::between(&self.st, since).locks, ..Learned::default() };
        learned.keep_locks(|hold| self.is_atomic(hold.lock));
        (!learned.locks.is_empty()).then_some(learned)
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

    pub(super) fn is_atomic(&self, place: PlaceId) -> bool {
        let log = &self.contexts.get(self.context).log.events;
        let of_bit = self.places.get(place).parent;
        log.iter()
            .any(|event| event.atomic.is_some() && (event.place == place || Some(event.place) == of_bit))
    }
}

/// What is told by each outcome that a value may have: the truth, or the variant's name.
type Outcomes<K> = Vec<(K, Learned)>;

/// What each outcome tells where two paths meet: what an earlier meeting told, and what only its own path knows.
fn outcomes_met<K: PartialEq + Copy>(one: (&State, Outcomes<K>), two: (&State, Outcomes<K>)) -> Outcomes<K> {
    let (first, second) = (Learned::between(one.0, two.0), Learned::between(two.0, one.0));
    let known = |outcomes: Outcomes<K>, more: &Learned| -> Outcomes<K> {
        outcomes.into_iter().map(|(outcome, told)| (outcome, told.and(more))).collect()
    };
    let (mut met, other) = (known(one.1, &first), known(two.1, &second));
    for (outcome, told) in other {
        match met.iter_mut().find(|(known, _)| *known == outcome) {
            Some(slot) => slot.1 = slot.1.common(&told),
            None => met.push((outcome, told)),
        }
    }
    met
}

/// Of two values that meet, what their outcomes say of the paths.
pub(super) fn remember(one: (&State, &mut Val), two: (&State, &mut Val)) {
    let (Some(here), Some(there)) = (truths(one.1), truths(two.1)) else { return };
    let met = outcomes_met((one.0, here), (two.0, there));
    let Ok([(truth, first), (_, second)]) = <[_; 2]>::try_from(met) else { return };
    let (holds, fails) = if truth { (first, second) } else { (second, first) };
    if let Some(kind) = (Outcome { holds, fails }).told() {
        for value in [one.1, two.1] {
            value.alts = std::iter::once(kind.clone()).collect();
        }
    }
}

fn truths(value: &Val) -> Option<Outcomes<bool>> {
    match value.single()? {
        Kind::Const(Const::Bool(truth)) => Some(vec![(*truth, Learned::default())]),
        Kind::Test(test) => match &test.subject {
            Subject::Outcome(outcome) => {
                let Outcome { holds, fails } = (**outcome).clone();
                Some(vec![(!test.negated, holds), (test.negated, fails)])
            }
            _ => None,
        },
        _ => None,
    }
}

impl Interp<'_> {
    /// Of two values that meet, each some variants of an enum, what these say of the paths.
    pub(super) fn remember_variants(&self, one: (&State, &mut Val), two: (&State, &mut Val)) {
        let (Some(here), Some(there)) = (variants(one.1), variants(two.1)) else { return };
        let decided = |of: &Outcomes<Name>, others: &Outcomes<Name>| {
            of.iter().any(|(variant, _)| others.iter().all(|(other, _)| other != variant))
        };
        let alike = Rc::ptr_eq(&one.0.moment, &two.0.moment)
            && one.0.saw.is_same(&two.0.saw)
            && one.0.locks == two.0.locks;
        let told = here.iter().chain(&there).any(|(_, told)| *told != Learned::default());
        if !(decided(&here, &there) || decided(&there, &here)) || (alike && !told) {
            return;
        }
        let mut met = outcomes_met((one.0, here), (two.0, there));
        for (_, told) in &mut met {
            // Guards are values of their own, and may be gone when the variant is seen.
            told.locks.retain(|hold| self.is_atomic(hold.lock));
        }
        for value in [one.1, two.1] {
            tell(value, &met);
        }
    }

    /// A variant was seen.
    pub(super) fn recall_variant(&mut self, value: &Val) {
        if let Some(Kind::Aggregate(variant)) = value.single()
            && let Some(learned) = told_by(variant)
        {
            learned.clone().recall(&mut self.st);
        }
    }
}

fn variants(value: &Val) -> Option<Outcomes<Name>> {
    if value.open || value.alts.is_empty() {
        return None;
    }
    let variant = |kind: &Kind| match kind {
        Kind::Aggregate(aggregate) => {
            Some((aggregate.variant?, told_by(aggregate).cloned().unwrap_or_default()))
        }
        _ => None,
    };
    value.alts.iter().map(variant).collect()
}

/// What a variant tells who sees it.
pub(super) fn told_by(variant: &Aggregate) -> Option<&Learned> {
    match variant.field(told_at())?.single()? {
        Kind::Test(test) => match &test.subject {
            Subject::Outcome(outcome) => Some(&outcome.holds),
            _ => None,
        },
        _ => None,
    }
}

fn tell(value: &mut Val, met: &Outcomes<Name>) {
    for kind in &mut value.alts {
        let Kind::Aggregate(aggregate) = kind else { continue };
        let Some((_, told)) = met.iter().find(|(name, _)| aggregate.variant == Some(*name)) else { continue };
        let known = aggregate.field(told_at()).is_some();
        let outcome = Outcome { holds: told.clone(), fails: Learned::default() };
        let mut telling = (**aggregate).clone();
        match outcome.told() {
            Some(test) => telling.set(told_at(), Val::of(test, Ty::Unknown)),
            None if known => telling.fields.retain(|(proj, _)| *proj != told_at()),
            None => continue,
        }
        *kind = Kind::Aggregate(telling.into());
    }
}
