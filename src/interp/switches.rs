//! Conditions that are tested more than once: `if shared { lock } … if shared { access }`.
//!
//! In: the place that a condition reads, and the two paths on which it held and failed, where they meet. Out: where the same
//! place is tested again, each path gets back what the meeting took from it. Invariant: what was told of a place goes
//! with the next store to it, a lock with its guard or with the store that gives it back.

use super::condition::Branches;
use super::places::{PlaceId, Root};
use super::remembered::{Learned, Outcome};
use super::state::{Hold, State};
use super::values::Val;
use super::{Cx, Interp};
use crate::hir::{ExprId, ExprKind, UnaryOp};
use std::rc::Rc;

/// A place that a condition reads, and whether the condition holds where the place is true.
#[derive(Clone, Copy)]
pub(super) struct Switch {
    pub place: PlaceId,
    upright: bool,
}

impl Interp<'_> {
    /// The place that is the whole condition, but for negations.
    pub(super) fn switch(&mut self, cx: &Cx, cond: ExprId) -> Option<Switch> {
        let (mut at, mut upright) = (cond, true);
        while let ExprKind::Unary { op: UnaryOp::Not, operand } = &cx.body.body.expr(at).kind {
            (at, upright) = (*operand, !upright);
        }
        let mut base = at;
        while let ExprKind::Field { base: inner, .. } = &cx.body.body.expr(base).kind {
            base = *inner;
        }
        if !matches!(cx.body.body.expr(base).kind, ExprKind::Path(_)) || !self.is_place(cx, at) {
            return None;
        }
        let muted = std::mem::replace(&mut self.muted, true);
        let lval = self.lval(cx, at, false);
        self.muted = muted;
        match lval.places[..] {
            [place] => Some(Switch { place, upright }),
            _ => None,
        }
    }

    /// The place was tested before.
    pub(super) fn recall_switch(&self, switch: Switch, branches: &mut Branches) {
        let Some(outcome) = self.st.told.get(&switch.place) else { return };
        let (on, off) = match switch.upright {
            true => (&mut branches.yes, &mut branches.no),
            false => (&mut branches.no, &mut branches.yes),
        };
        self.recall_kept(&outcome.holds, on);
        self.recall_kept(&outcome.fails, off);
    }

    fn recall_kept(&self, learned: &Learned, state: &mut State) {
        let mut learned = learned.clone();
        learned.keep_locks(|hold| self.is_atomic(hold.lock) || guarded(state, hold));
        learned.recall(state);
    }

    /// What is to be remembered of a switch where the path on which its condition held meets the other.
    pub(super) fn told_by(&self, switch: Switch, yes: &State, no: &State) -> Option<Rc<Outcome>> {
        let (on, off) = if switch.upright { (yes, no) } else { (no, yes) };
        let alike = Rc::ptr_eq(&on.moment, &off.moment) && on.saw.is_same(&off.saw) && on.locks == off.locks;
        if alike || !on.reachable || !off.reachable {
            return None;
        }
        if let Root::Local(frame, local) = self.places.get(switch.place).root
            && on.local(frame, local) != off.local(frame, local)
        {
            return None;
        }
        let outcome = Outcome::of(on, off);
        outcome.tells().then(|| Rc::new(outcome))
    }
}

/// Whether the guard that a lock was taken with is still there.
fn guarded(state: &State, hold: &Hold) -> bool {
    let held = |value: &Val| hold.has_guard_in(value, 0);
    state.frames.iter().any(|frame| frame.locals.iter().any(|(_, value)| held(value)))
}
