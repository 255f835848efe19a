//! Counters kept by hand: a local that each round of a loop moves on by the same step is linear in the loop's counter, or
//! stays within what the context has for itself, or claimed.
//!
//! In: a loop's body and the state before it. Out: what the local holds when a round begins. Invariant: only where one
//! statement of the body itself, and nothing else in the loop, changes the local, and no round leaves it out.

use super::places::{FrameId, LoopId};
use super::portions::block_between;
use super::terms::{Operator, Term};
use super::values::{Const, Kind, Val};
use super::{Cx, Interp};
use crate::hir::{BinaryOp, ExprId, ExprKind, Stmt};
use crate::resolve::{LocalId, Res, ResolvedBody, Ty};
use std::rc::Rc;

/// A local that moves on by the same step in each round, and what it holds when one begins.
pub(super) struct Counter {
    frame: FrameId,
    local: LocalId,
    value: Val,
}

impl Interp<'_> {
    /// The counters of a loop about to be walked.
    pub(super) fn counters_of(
        &mut self,
        cx: &Cx,
        at: LoopId,
        cond: Option<ExprId>,
        body: ExprId,
    ) -> Vec<Counter> {
        let steps = steps_of(&cx.body, cond, body);
        let counter = |(local, op, by)| self.counter(cx, at, cond, (local, op, by));
        steps.into_iter().filter_map(counter).collect()
    }

    fn counter(
        &mut self,
        cx: &Cx,
        at: LoopId,
        cond: Option<ExprId>,
        (local, op, by): (LocalId, BinaryOp, ExprId),
    ) -> Option<Counter> {
        let frame = self.frame_of(cx, local);
        if self.shared_locals.contains(&(frame, local)) || !self.st.has_frame(frame) {
            return None;
        }
        let by = self.plain_value(cx, by)?;
        if let (Some(Kind::Linear(own, 1, add)), Some(Kind::Unit(by))) =
            (self.st.local(frame, local)?.single(), by.single())
        {
            let value = Val::of(self.units.steps(*own, *add, *by)?, Ty::Unknown);
            return Some(Counter { frame, local, value });
        }
        let Some(Const::Int(by)) = by.constant() else { return None };
        let by = i64::try_from(*by).ok().filter(|by| *by != 0)?;
        let step = if op == BinaryOp::Sub { by.checked_neg()? } else { by };
        let start = self.st.local(frame, local)?.clone();
        let end = cond.and_then(|cond| self.end_of(cx, cond, local));
        if step > 0 && self.is_claimed(&start) {
            let (end, more) = end?;
            let more = Rc::new(Term::Const(i128::from(more)));
            let end = Term::apply(Operator::Binary(BinaryOp::Add), &end.symbol()?, &more)?;
            return Some(Counter { frame, local, value: self.claimed_until(&start, &end)? });
        }
        let value = match (start.single(), &end) {
            (Some(Kind::Const(Const::Int(from))), end) => {
                let rounds = match end.as_ref().and_then(|(end, more)| Some((end.constant()?, more))) {
                    Some((Const::Int(end), more)) if step > 0 => {
                        let numbers = end.saturating_add(i128::from(*more)).saturating_sub(*from).max(0);
                        Some((0, numbers / i128::from(step) + 1))
                    }
                    _ => None,
                };
                self.note_bounds(at, rounds);
                Kind::Linear(at, step, i64::try_from(*from).ok()?)
            }
            (Some(first @ (Kind::Linear(..) | Kind::Portion(..))), end) => {
                let end = end.as_ref().and_then(|(end, more)| Some((end.single()?, *more)));
                let block = end.filter(|_| step > 0).and_then(|(end, more)| {
                    block_between(first, end, more).or_else(|| self.listed_between(first, end, more))
                });
                let stride = || match first {
                    Kind::Linear(own, 1, add) => self.stride(*own, *add, step),
                    _ => None,
                };
                block.or_else(stride)?
            }
            (Some(Kind::Unit(_)), _) => Kind::Linear(at, step, 0),
            (None, _) if start.alts.is_empty() => Kind::Linear(at, step, 0),
            _ => return None,
        };
        Some(Counter { frame, local, value: Val::of(value, Ty::Unknown) })
    }

    /// Below what a loop's condition keeps a local: the number, and how much more it may be.
    fn end_of(&mut self, cx: &Cx, cond: ExprId, local: LocalId) -> Option<(Val, i64)> {
        let body = cx.body.clone();
        match &body.body.expr(cond).kind {
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                self.end_of(cx, *left, local).or_else(|| self.end_of(cx, *right, local))
            }
            ExprKind::Binary { op: op @ (BinaryOp::Lt | BinaryOp::Le), left, right } => {
                (local_of(&body, *left) == Some(local)).then_some(())?;
                Some((self.plain_value(cx, *right)?, i64::from(*op == BinaryOp::Le)))
            }
            _ => None,
        }
    }

    /// The value of an expression of literals, constants and the function's unchanging locals; nothing happens on the way.
    pub(super) fn plain_value(&mut self, cx: &Cx, id: ExprId) -> Option<Val> {
        is_plain(cx, id).then(|| self.eval(cx, id))
    }

    /// A round begins.
    pub(super) fn count_round(&mut self, counters: &[Counter]) {
        for counter in counters {
            self.set_counter(counter, counter.value.clone());
        }
    }

    /// After the loop nobody knows how many rounds there were.
    pub(super) fn stop_counting(&mut self, counters: &[Counter]) {
        for counter in counters {
            self.set_counter(counter, Val::unknown(Ty::Unknown));
        }
    }

    fn set_counter(&mut self, counter: &Counter, number: Val) {
        let Some(old) = self.st.local(counter.frame, counter.local) else { return };
        let value = Val { ty: old.ty.clone(), ..number }.with_deps(&old.deps);
        self.st.set_local(counter.frame, counter.local, value);
    }
}

fn is_plain(cx: &Cx, id: ExprId) -> bool {
    match &cx.body.body.expr(id).kind {
        ExprKind::Lit(_) => true,
        ExprKind::Path(path) => match cx.body.path(path.id) {
            Res::Local(local) => !cx.body.locals[local.0 as usize].mutable,
            Res::Const(_) => true,
            _ => false,
        },
        ExprKind::Binary { op, left, right } => {
            let arithmetic =
                matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem);
            arithmetic && is_plain(cx, *left) && is_plain(cx, *right)
        }
        _ => false,
    }
}

/// Locals that a statement of the body moves on by a constant, and nothing else in the loop assigns or lends.
fn steps_of(body: &ResolvedBody, cond: Option<ExprId>, id: ExprId) -> Vec<(LocalId, BinaryOp, ExprId)> {
    let ExprKind::Block(block) = &body.body.expr(id).kind else { return Vec::new() };
    let statements = block.stmts.iter().filter_map(|stmt| match stmt {
        Stmt::Expr(expr) => Some(*expr),
        Stmt::Let { .. } => None,
    });
    let mut found: Vec<_> = statements.chain(block.tail).filter_map(|expr| step_of(body, expr)).collect();
    if found.is_empty() {
        return found;
    }
    let mut changes: Vec<LocalId> = Vec::new();
    let mut skips = false;
    let mut work: Vec<ExprId> = cond.into_iter().chain([id]).collect();
    while let Some(id) = work.pop() {
        match &body.body.expr(id).kind {
            ExprKind::Assign { left, .. } | ExprKind::AssignOp { left, .. } => {
                changes.extend(local_of(body, *left));
            }
            ExprKind::Borrow { operand, .. } => changes.extend(local_of(body, *operand)),
            ExprKind::Continue { .. } => skips = true,
            _ => {}
        }
        body.body.each_child(id, &mut |child| work.push(child));
    }
    found.retain(|(local, ..)| !skips && changes.iter().filter(|changed| *changed == local).count() == 1);
    found
}

fn step_of(body: &ResolvedBody, id: ExprId) -> Option<(LocalId, BinaryOp, ExprId)> {
    let ExprKind::AssignOp { op: op @ (BinaryOp::Add | BinaryOp::Sub), left, right } =
        body.body.expr(id).kind
    else {
        return None;
    };
    Some((local_of(body, left)?, op, right))
}

pub(super) fn local_of(body: &ResolvedBody, id: ExprId) -> Option<LocalId> {
    match &body.body.expr(id).kind {
        ExprKind::Path(path) => match body.path(path.id) {
            Res::Local(local) => Some(*local),
            _ => None,
        },
        _ => None,
    }
}
