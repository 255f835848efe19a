//! Order by states that are reached once and stay: a once-initializer made by hand, a flag that is only ever set, a look that is
//! repeated under the lock.
//!
//! In: two accesses, with what their contexts hold and saw. Out: whether the one comes after the other for it was seen to be done.
//! Invariant: of such a state nobody takes the atomic back, as far as the events of all contexts tell.

use super::Analysis;
use super::access::{AccessEvent, Effect, HeldLock};
use super::contexts::ContextId;
use super::order::{ANY_VALUE, ONE_OF_SEVERAL, acquires, releases};
use super::places::PlaceId;
use super::state::{Claim, Moment, SyncKey, SyncKind};
use super::terms::Term;
use super::values::Mode;
use crate::finding::AccessKind;

impl Analysis {
    /// The access is made by who holds an atomic, the other after it saw or itself stored a value that only a holder stores and that
    /// nobody takes it out of again: a once-initializer made by hand.
    pub(super) fn done_once(&self, access: &AccessEvent, second: &Moment) -> bool {
        access.locks.iter().filter(|held| held.mode == Mode::Exclusive).any(|held| {
            let settles = |place: PlaceId, value: i128| {
                place == held.lock
                    && !matches!(value, ANY_VALUE | ONE_OF_SEVERAL)
                    && value != self.initial_flag(place)
                    && self.stays(held.lock, value)
                    && self.told_in_order(held.lock, value)
            };
            let seen = second
                .acquired
                .iter()
                .any(|key| matches!(key.kind, SyncKind::Flag(value) if settles(key.place, value)));
            let passed = second.passed.iter().filter(|(_, known_by)| known_by.is_none());
            seen || passed.into_iter().any(|((place, value), _)| settles(*place, *value))
        })
    }

    /// The first is made with an atomic taken, the other after that atomic had, for its context, a value that who has it leaves
    /// it with and that nobody takes it out of again: a once-initializer whose state is made of bits.
    pub(super) fn settled(&self, first: &Moment, second: &Moment) -> bool {
        first.taken.iter().filter(|(_, claim)| **claim == Claim::Whole).any(|(atomic, _)| {
            let passed = second.passed.iter().filter(|((place, _), by)| place == atomic && by.is_none());
            !second.taken.contains_key(atomic)
                && passed.into_iter().any(|((_, value), _)| {
                    *value != self.initial_flag(*atomic) && self.ends_with(*atomic, *value)
                })
        })
    }

    /// Whoever has taken the atomic by an exchange gives it this value, and those who exchange it look at what it has before.
    fn ends_with(&self, atomic: PlaceId, value: i128) -> bool {
        let constant = |term: Option<&Term>| match term {
            Some(Term::Const(value)) => Some(*value),
            _ => None,
        };
        let mut left = false;
        let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        let leaves_it = events.all(|event| {
            if event.place != atomic || event.kind == AccessKind::Read {
                return true;
            }
            match &event.effect {
                Some(Effect::Set(_) | Effect::Swap) => {
                    let ends = constant(event.term.as_deref()) == Some(value);
                    left |= ends && event.atomic.is_some_and(releases);
                    ends && self.moments[event.moment.0 as usize].taken.contains_key(&atomic)
                }
                Some(Effect::Compare { expected, .. }) => {
                    let (expected, new) = (constant(expected.as_deref()), constant(event.term.as_deref()));
                    expected.map_or(new.is_none(), |expected| expected != value && new != Some(value))
                        && !event.control.is_empty()
                }
                Some(Effect::Exchange) => constant(event.term.as_deref()).is_none(),
                _ => false,
            }
        });
        leaves_it && left
    }

    /// The access is made by who holds an atomic, the other to what a look at that atomic led to: a pointer that is only given out
    /// where the atomic has the value that its holder leaves it with for good.
    pub(super) fn led_to_when_done(&self, access: &AccessEvent, two: ContextId, other: &AccessEvent) -> bool {
        let log = &self.contexts.get(two).log.events;
        let mut looks = other.through.iter().filter_map(|id| log.get(id.0 as usize));
        looks.any(|read| {
            let held = |lock: &HeldLock| lock.mode == Mode::Exclusive && lock.lock == read.place;
            read.kind == AccessKind::Read
                && read.atomic.is_some_and(acquires)
                && access.locks.iter().any(held)
                && self.is_left_for_good(read.place)
        })
    }

    /// A holder of the atomic stores a value that nobody takes out again.
    fn is_left_for_good(&self, atomic: PlaceId) -> bool {
        let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        events.any(|event| match event.effect {
            Some(Effect::Set(value)) if event.place == atomic && event.kind == AccessKind::Write => {
                value != self.initial_flag(atomic)
                    && event.atomic.is_some_and(releases)
                    && event.locks.iter().any(|held| held.lock == atomic)
                    && self.stays(atomic, value)
            }
            _ => false,
        }) && self
            .stored(atomic)
            .all(|value| value == self.initial_flag(atomic) || self.told_in_order(atomic, value))
    }

    /// The constants that are stored to an atomic.
    fn stored(&self, atomic: PlaceId) -> impl Iterator<Item = i128> + '_ {
        let events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        events.filter(move |event| event.place == atomic && event.kind == AccessKind::Write).filter_map(
            |event| match event.effect {
                Some(Effect::Set(value)) => Some(value),
                _ => None,
            },
        )
    }

    /// The access is made by who looked at a flag under a lock and found it as it was at first, the other where the flag has
    /// had the one value that is ever stored to it, under that lock: double-checked locking.
    pub(super) fn checked_twice(&self, context: ContextId, access: &AccessEvent, second: &Moment) -> bool {
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
                        // Seen unset, and not set since.
                        let is_unset = |now: &i128| SyncKind::Flag(*now) == key.kind;
                        let seen = first.knows.get(flag).is_some_and(|now| now.iter().all(is_unset));
                        let set = first.passed.contains_key(&(*flag, *value));
                        key.kind != SyncKind::Flag(*value) && !set && (seen || first.weak.contains(&key))
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

    /// Whoever gives the atomic this value releases what it did before.
    fn told_in_order(&self, atomic: PlaceId, value: i128) -> bool {
        let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        let gives = |event: &AccessEvent| match event.effect {
            Some(Effect::Set(set)) => set == value,
            _ => event.term.as_deref() == Some(&Term::Const(value)),
        };
        events.all(|event| {
            event.place != atomic
                || event.kind == AccessKind::Read
                || !gives(event)
                || event.atomic.is_some_and(releases)
                || self.moments[event.moment.0 as usize].fenced
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
}
