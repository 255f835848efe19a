//! Counters kept by hand: a local that each round of a loop moves on by the same step is linear in the loop's counter.
//! One that starts at a claimed number is some number from there up to the loop's end.
//!
//! In: a loop's body and the state before it. Out: what the local holds when a round begins. Invariant: only where one
//! statement of the body itself, and nothing else in the loop, changes the local, and no round leaves it out.

use super::places::LoopId;
use super::terms::{Operator, Term};
use super::values::{Const, Kind, Val};
use super::{Cx, Interp};
use crate::hir::{BinaryOp, ExprId, ExprKind, Lit, Stmt};
use crate::resolve::{LocalId, Res, ResolvedBody, Ty};
use std::rc::Rc;

/// A local that moves on by `step` in each round, from `start` on.
pub(super) struct Counter {
    local: LocalId,
    step: i64,
    start: i64,
    /// It starts at a claimed number, and this is what it is up to the loop's end.
    claimed: Option<Val>,
}

impl Interp<'_> {
    /// The counters of a loop about to be walked.
    pub(super) fn counters_of(&mut self, cx: &Cx, cond: Option<ExprId>, body: ExprId) -> Vec<Counter> {
        let steps = steps_of(&cx.body, cond, body);
        steps.into_iter().filter_map(|(local, step)| self.counter(cx, cond, local, step)).collect()
    }

    fn counter(&mut self, cx: &Cx, cond: Option<ExprId>, local: LocalId, step: i64) -> Option<Counter> {
        let frame = self.frame_of(cx, local);
        if frame != cx.frame || self.shared_locals.contains(&(frame, local)) {
            return None;
        }
        let value = self.st.local(frame, local)?.clone();
        if step > 0 && self.is_claimed(&value) {
            let end = self.end_of(cx, cond?, local)?;
            let claimed = Some(self.claimed_until(&value, &end)?);
            return Some(Counter { local, step, start: 0, claimed });
        }
        let start = match value.constant() {
            Some(Const::Int(n)) => i64::try_from(*n).ok()?,
            Some(_) => return None,
            None if value.alts.is_empty() => 0,
            None => return None,
        };
        Some(Counter { local, step, start, claimed: None })
    }

    /// The number that a loop's condition says a local is less than.
    fn end_of(&mut self, cx: &Cx, cond: ExprId, local: LocalId) -> Option<Rc<Term>> {
        let body = cx.body.clone();
        let ExprKind::Binary { op, left, right } = &body.body.expr(cond).kind else { return None };
        if local_of(&body, *left) != Some(local) || !is_plain(&body, *right) {
            return None;
        }
        let before = self.st.clone();
        let muted = std::mem::replace(&mut self.muted, true);
        let end = self.eval(cx, *right);
        self.muted = muted;
        self.st = before;
        match op {
            BinaryOp::Lt => end.symbol(),
            BinaryOp::Le => {
                Term::apply(Operator::Binary(BinaryOp::Add), &end.symbol()?, &Rc::new(Term::Const(1)))
            }
            _ => None,
        }
    }

    /// A round begins.
    pub(super) fn count_round(&mut self, cx: &Cx, at: LoopId, counters: &[Counter]) {
        for counter in counters {
            let linear = Val::of(Kind::Linear(at, counter.step, counter.start), Ty::Unknown);
            self.set_counter(cx, counter, counter.claimed.clone().unwrap_or(linear));
        }
    }

    /// After the loop nobody knows how many rounds there were.
    pub(super) fn stop_counting(&mut self, cx: &Cx, counters: &[Counter]) {
        for counter in counters {
            self.set_counter(cx, counter, Val::unknown(Ty::Unknown));
        }
    }

    fn set_counter(&mut self, cx: &Cx, counter: &Counter, number: Val) {
        let Some(old) = self.st.local(cx.frame, counter.local) else { return };
        let value = Val { ty: old.ty.clone(), ..number }.with_deps(&old.deps);
        self.st.set_local(cx.frame, counter.local, value);
    }
}

/// Locals that a statement of the body moves on by a constant, and nothing else in the loop assigns or lends.
fn steps_of(body: &ResolvedBody, cond: Option<ExprId>, id: ExprId) -> Vec<(LocalId, i64)> {
    let ExprKind::Block(block) = &body.body.expr(id).kind else { return Vec::new() };
    let statements = block.stmts.iter().filter_map(|stmt| match stmt {
        Stmt::Expr(expr) => Some(*expr),
        Stmt::Let { .. } => None,
    });
    let mut found: Vec<(LocalId, i64)> =
        statements.chain(block.tail).filter_map(|expr| step_of(body, expr)).collect();
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
    found.retain(|(local, _)| !skips && changes.iter().filter(|changed| *changed == local).count() == 1);
    found
}

fn step_of(body: &ResolvedBody, id: ExprId) -> Option<(LocalId, i64)> {
    let ExprKind::AssignOp { op, left, right } = &body.body.expr(id).kind else { return None };
    let ExprKind::Lit(Lit::Int(Some(by), _)) = &body.body.expr(*right).kind else { return None };
    let by = i64::try_from(*by).ok().filter(|by| *by != 0)?;
    let step = match op {
        BinaryOp::Add => by,
        BinaryOp::Sub => by.checked_neg()?,
        _ => return None,
    };
    Some((local_of(body, *left)?, step))
}

/// An expression without an effect: numbers and what is computed of them.
fn is_plain(body: &ResolvedBody, id: ExprId) -> bool {
    match &body.body.expr(id).kind {
        ExprKind::Path(_) | ExprKind::Lit(_) => true,
        ExprKind::Binary { left, right, .. } => is_plain(body, *left) && is_plain(body, *right),
        _ => false,
    }
}

fn local_of(body: &ResolvedBody, id: ExprId) -> Option<LocalId> {
    match &body.body.expr(id).kind {
        ExprKind::Path(path) => match body.path(path.id) {
            Res::Local(local) => Some(*local),
            _ => None,
        },
        _ => None,
    }
}
