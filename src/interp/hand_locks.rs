//! Locks made by hand, from an atomic or from a flag that a real lock protects: what claims one, and whether it then
//! excludes and orders as a lock does.
//!
//! In: stores of flags that were looked at, and all accesses of an atomic. Out: holds of the flag; and of a hold, whether it
//! counts. An atomic that is taken or given back by an ordering too weak to order excludes, but guards nothing.

use super::access::{AccessEvent, Effect};
use super::memory::Lval;
use super::order::{acquires, releases};
use super::places::{PlaceId, Proj};
use super::terms::Term;
use super::values::Val;
use super::{Analysis, Interp};
use crate::finding::AccessKind;

impl Interp<'_> {
    /// A flag that a lock protects, which is found in one state and put into the other under one hold: as if exchanged.
    pub(super) fn claimed(&self, lval: &Lval, value: &Val, term: Option<&Term>) -> Option<PlaceId> {
        let [flag] = lval.places[..] else { return None };
        let found = *self.st.saw.get(&flag)?;
        let becomes = match super::effects::flag_value(value) {
            Some(value) => value,
            None => found.checked_add(term?.steps()?)?,
        };
        let log = &self.contexts.get(self.context).log.events;
        let looked = log.iter().rev().find(|event| event.place == flag && event.kind == AccessKind::Read)?;
        let one_hold = self.st.locks.iter().any(|hold| {
            hold.lock != flag && looked.locks.iter().any(|l| l.lock == hold.lock && l.hold.meets(hold.id))
        });
        (one_hold && found != becomes).then_some(flag)
    }
}

impl Analysis {
    /// Whether who holds this has it alone, as far as its own accesses tell.
    pub fn excludes(&self, lock: PlaceId) -> bool {
        let flag = self.places.passes(lock, |step| step == Proj::Guarded);
        !self.is_too_weak(lock) && (!flag || self.is_claimed(lock))
    }

    /// Everybody who stores to the flag holds it, or has just found it free, as it was at first.
    fn is_claimed(&self, flag: PlaceId) -> bool {
        let at_first = self.initial(flag);
        self.accesses(flag).filter(|event| event.kind != AccessKind::Read).all(|event| {
            let free = event.saw.is_some_and(|found| at_first.is_none_or(|first| first == found));
            free || event.locks.iter().any(|held| held.lock == flag)
        })
    }

    /// An atomic that orders nothing where it is taken, or where who has it gives it back.
    pub fn is_too_weak(&self, lock: PlaceId) -> bool {
        self.accesses(lock).any(|event| {
            let Some(order) = event.atomic else { return false };
            let stores = event.kind == AccessKind::Write || event.effect == Some(Effect::Swap);
            let moment = &self.moments[event.moment.0 as usize];
            match event.locks.iter().any(|held| held.lock == lock) {
                true => stores && !releases(order) && !moment.fenced,
                false if stores => !releases(order) && !moment.fenced && self.gives_back(lock, event),
                false => takes(event) && !acquires(order) && !self.fences,
            }
        })
    }

    /// What is stored is what those who take the lock wait for.
    fn gives_back(&self, lock: PlaceId, store: &AccessEvent) -> bool {
        let freed = |taker: &AccessEvent| match &taker.effect {
            Some(Effect::Compare { expected: Some(free), .. }) => store.term.as_ref() == Some(free),
            _ => false,
        };
        matches!(store.term.as_deref(), Some(Term::Const(_)))
            && store.kind == AccessKind::Write
            && self.accesses(lock).any(|event| takes(event) && freed(event))
    }

    fn accesses(&self, place: PlaceId) -> impl Iterator<Item = &AccessEvent> {
        let events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        events.filter(move |event| event.place == place)
    }
}

/// An exchange of one constant for another, or one that sets a bit.
fn takes(event: &AccessEvent) -> bool {
    let constant = |term: Option<&Term>| matches!(term, Some(Term::Const(_)));
    let sets_bit = |by: i128| by > 0 && by.count_ones() == 1;
    if matches!(event.effect, Some(Effect::Compare { .. }))
        && event.term.as_ref().and_then(|term| term.steps()).is_some_and(sets_bit)
    {
        return true;
    }
    let expects = match &event.effect {
        Some(Effect::Compare { expected, .. }) => constant(expected.as_deref()),
        Some(Effect::Swap) => true,
        _ => false,
    };
    expects && constant(event.term.as_deref())
}
