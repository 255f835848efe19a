//! Counters kept by hand: a local that each round of a loop moves on by the same step is linear in the loop's counter.
//!
//! In: a loop's body and the state before it. Out: what the local holds when a round begins. Invariant: only where one
//! statement of the body itself, and nothing else in the loop, changes the local, and no round leaves it out.

use super::places::LoopId;
use super::values::{Const, Kind, Val};
use super::{Cx, Interp};
use crate::hir::{BinaryOp, ExprId, ExprKind, Lit, Stmt};
use crate::resolve::{LocalId, Res, ResolvedBody};

/// A local that moves on by `step` in each round, from `start` on.
pub(super) struct Counter {
    local: LocalId,
    step: i64,
    start: i64,
}

impl Interp<'_> {
    /// The counters of a loop about to be walked.
    pub(super) fn counters_of(&mut self, cx: &Cx, cond: Option<ExprId>, body: ExprId) -> Vec<Counter> {
        let steps = steps_of(&cx.body, cond, body);
        let counter = |(local, step): (LocalId, i64)| {
            let frame = self.frame_of(cx, local);
            if frame != cx.frame || self.shared_locals.contains(&(frame, local)) {
                return None;
            }
            let value = self.st.local(frame, local)?;
            let start = match value.constant() {
                Some(Const::Int(n)) => i64::try_from(*n).ok()?,
                Some(_) => return None,
                None if value.alts.is_empty() => 0,
                None => return None,
            };
            Some(Counter { local, step, start })
        };
        steps.into_iter().filter_map(counter).collect()
    }

    /// A round begins.
    pub(super) fn count_round(&mut self, cx: &Cx, at: LoopId, counters: &[Counter]) {
        for counter in counters {
            let linear = Kind::Linear(at, counter.step, counter.start);
            self.set_counter(cx, counter, Some(linear));
        }
    }

    /// After the loop nobody knows how many rounds there were.
    pub(super) fn stop_counting(&mut self, cx: &Cx, counters: &[Counter]) {
        for counter in counters {
            self.set_counter(cx, counter, None);
        }
    }

    fn set_counter(&mut self, cx: &Cx, counter: &Counter, kind: Option<Kind>) {
        let Some(old) = self.st.local(cx.frame, counter.local) else { return };
        let mut value = Val { open: kind.is_none(), ..Val::unknown(old.ty.clone()) }.with_deps(&old.deps);
        value.alts.extend(kind);
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

fn local_of(body: &ResolvedBody, id: ExprId) -> Option<LocalId> {
    match &body.body.expr(id).kind {
        ExprKind::Path(path) => match body.path(path.id) {
            Res::Local(local) => Some(*local),
            _ => None,
        },
        _ => None,
    }
}
