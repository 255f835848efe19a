//! Locks that a result tells of: taken on the path that gives `Some` or `Ok`, and not on the other. (For `true` and
//! `false`, and what else a variant tells, see `remembered`.)
//!
//! In: two paths that meet, each with its state and its value. Out: the successful value keeps what the other path
//! doesn't hold as guards that are pending until the success is seen. So `try_lock` may be written by hand.

use super::Interp;
use super::state::{Hold, Reach, State};
use super::values::{Aggregate, GuardValue, Kind, Val};
use crate::resolve::Ty;
use std::rc::Rc;

/// Position of the first granted lock among a variant's fields: past all that code can name.
const GRANTED: usize = 1 << 16;

impl Interp<'_> {
    /// To be called before the states and values are joined.
    pub(super) fn grant(&self, one: (&State, &mut Val), two: (&State, &mut Val)) {
        let ((first, one), (second, two)) = (one, two);
        if !first.reachable || !second.reachable {
            return;
        }
        super::remembered::remember((first, one), (second, two));
        self.remember_variants((first, one), (second, two));
        if first.locks == second.locks {
            return;
        }
        if self.succeeds(one) && self.fails(two) {
            self.keep(one, &missing(first, second));
        } else if self.fails(one) && self.succeeds(two) {
            self.keep(two, &missing(second, first));
        }
    }

    fn succeeds(&self, value: &Val) -> bool {
        value
            .alts
            .iter()
            .any(|k| matches!(k, Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_success(v))))
    }

    fn fails(&self, value: &Val) -> bool {
        let failure = |k: &Kind| match k {
            Kind::Aggregate(a) => a.variant.is_some_and(|v| !self.is_success(v)),
            _ => false,
        };
        !value.open && !value.alts.is_empty() && value.alts.iter().all(failure)
    }

    fn keep(&self, value: &mut Val, holds: &[Hold]) {
        for kind in &mut value.alts {
            if let Kind::Aggregate(aggregate) = kind
                && aggregate.variant.is_some_and(|v| self.is_success(v))
            {
                let mut granting = (**aggregate).clone();
                for (n, hold) in holds.iter().enumerate() {
                    if !suspend(&mut granting, hold) {
                        granting.set(super::expr::field(GRANTED + n), pending(hold));
                    }
                }
                *kind = Kind::Aggregate(granting.into());
            }
        }
    }
}

/// What the one holds and the other doesn't.
fn missing(one: &State, other: &State) -> Vec<Hold> {
    let kept = |hold: &&Hold| hold.reach != Reach::Among && !other.locks.iter().any(|o| o.lock == hold.lock);
    one.locks.iter().filter(kept).cloned().collect()
}

/// Makes the guards of the hold in a value pending again; false if there are none.
fn suspend(aggregate: &mut Aggregate, hold: &Hold) -> bool {
    let mut found = false;
    for kind in aggregate.fields.iter_mut().flat_map(|(_, field)| &mut field.alts) {
        match kind {
            Kind::Guard(guard) if guard.hold == hold.id && guard.lock == hold.lock => {
                *kind = Kind::Guard(Rc::new(GuardValue { pending: true, ..(**guard).clone() }));
                found = true;
            }
            Kind::Aggregate(inner) => {
                let mut opened = (**inner).clone();
                if suspend(&mut opened, hold) {
                    *kind = Kind::Aggregate(opened.into());
                    found = true;
                }
            }
            _ => {}
        }
    }
    found
}

fn pending(hold: &Hold) -> Val {
    let guard = GuardValue {
        hold: hold.id,
        lock: hold.lock,
        mode: hold.mode,
        data: hold.lock,
        pending: true,
        manual: true,
    };
    Val::of(Kind::Guard(Rc::new(guard)), Ty::Unknown)
}
