//! What an atomic holds after a write of it, as far as it can be told.
//!
//! In: the operation's operand or the result of its closure. Out: the term of the access that was logged, and the value of an
//! atomic that is still its context's own.

use super::*;
use crate::interp::access::Runs;
use crate::interp::places::Root;
use crate::interp::terms::{Operator, Term};

impl Interp<'_> {
    /// An update whose own result was given to a closure writes what that made of it, if it always makes something.
    pub(super) fn becomes(&mut self, found: Option<Rc<Term>>, made: &Val) {
        let Some(Term::Read(_, read)) = found.as_deref() else { return };
        let some = made.alts.iter().find_map(|kind| match kind {
            Kind::Aggregate(some) if some.variant == Some(self.names.some) => {
                some.field(crate::interp::expr::field(0)).and_then(Val::symbol)
            }
            _ => None,
        });
        let refuses = |kind: &Kind| matches!(kind, Kind::Aggregate(a) if a.variant == Some(self.names.none));
        let always = !(made.alts.iter().any(refuses) || made.open && some.is_some());
        let event = &mut self.contexts.get_mut(self.context).log.events[read.0 as usize];
        event.term = some.or_else(|| made.symbol());
        if !always {
            event.runs = Runs::Unknown;
        }
    }

    /// An atomic that no other context can reach yet: what it holds when it is shared is what was stored last.
    pub(super) fn store_own(&mut self, lval: &Lval, value: Val) {
        if let [place] = lval.places[..]
            && let Root::Local(..) = self.places.get(place).root
            && !self.is_shared(place)
        {
            let ty = self.peek(lval).ty;
            self.store_at(place, Val { ty, ..value }, true);
        }
    }
}

/// What an atomic becomes by an operation with this operand.
pub(super) fn new_value(word: &str, operand: &Val) -> Option<Rc<Term>> {
    let operand = operand.symbol()?;
    match word {
        "swap" => Some(operand),
        word => Term::apply(Operator::named(word)?, &Rc::new(Term::Old), &operand),
    }
}
