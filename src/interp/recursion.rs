//! Recursion: how far a function that calls or starts itself is followed, and what stands for the deeper levels.
//!
//! In: a call, or what a context is to run, and the levels above it. Out: whether it is entered, and with which values: the last
//! level that is entered stands for all below it, so a number that differs from that of the level above goes on differing.

use super::contexts::{ContextId, Entry};
use super::places::{FrameId, LoopId};
use super::values::{Aggregate, ClosureValue, Const, FutureValue, Kind, Val};
use super::{Cx, Interp};
use crate::finding::Location;
use crate::hir::{ExprId, Pat};
use crate::resolve::{Bound, FnId, LocalId, Ty};
use std::rc::Rc;
use std::sync::Arc;

/// A function is entered at most this often on one call path.
pub(super) const MAX_CALLS: usize = 2;
/// A context starts itself, through others or not, at most this often.
const MAX_STARTS: usize = 2;
/// Wrappers of what is called, looked through.
const MAX_WRAPPERS: u32 = 3;

impl Interp<'_> {
    /// What a callable is started with here; `None`: its levels have been followed far enough.
    pub(super) fn one_more_level(
        &mut self,
        cx: &Cx,
        site: ExprId,
        callee: Kind,
        at: Location,
    ) -> Option<Kind> {
        let above: Vec<ContextId> = self.contexts.ancestry(self.context).collect();
        let mut levels = Vec::new();
        for id in above {
            let context = self.contexts.get(id);
            if context.spawned_at != at {
                continue;
            }
            let Entry::Value(value, _) = &context.entry else { continue };
            for kind in value.alts.clone() {
                if self.same_code(&kind, &callee, MAX_WRAPPERS) {
                    levels.push(kind);
                    break;
                }
            }
        }
        if levels.len() >= MAX_STARTS {
            return None;
        }
        let here = LoopId { frame: cx.frame, expr: site };
        match levels.first() {
            Some(before) if levels.len() + 1 == MAX_STARTS => {
                Some(self.widened_captures(before, callee, here))
            }
            _ => Some(callee),
        }
    }

    /// Both run the same code, through the same wrappers. What one body starts in two halves is the same.
    fn same_code(&mut self, one: &Kind, two: &Kind, wrappers: u32) -> bool {
        match (one, two) {
            (Kind::Fn(one, _), Kind::Fn(two, _)) => one == two,
            (Kind::Closure(one), Kind::Closure(two)) => self.same_closure(one, two, wrappers),
            (Kind::Future(one), Kind::Future(two)) => match (&**one, &**two) {
                (FutureValue::Block(one), FutureValue::Block(two)) => self.same_closure(one, two, wrappers),
                (FutureValue::Call { id: one, .. }, FutureValue::Call { id: two, .. }) => one == two,
                _ => false,
            },
            _ => false,
        }
    }

    fn same_closure(&mut self, one: &ClosureValue, two: &ClosureValue, wrappers: u32) -> bool {
        if !Arc::ptr_eq(&one.body, &two.body) {
            return false;
        }
        let (called, other) = (self.captured_callables(one), self.captured_callables(two));
        called.len() == other.len()
            && (wrappers == 0
                || called.iter().zip(&other).all(|(one, two)| self.same_code(one, two, wrappers - 1)))
    }

    fn captured_callables(&mut self, closure: &ClosureValue) -> Vec<Kind> {
        let info = self.closure_info(&closure.body, closure.expr);
        let cx = Cx { frame: closure.frame, body: closure.body.clone(), subst: closure.subst.clone() };
        let mut found = Vec::new();
        for &local in &info.captured {
            let moved = closure.moved.iter().find(|(l, _)| *l == local);
            let value = match moved {
                Some((_, value)) => value.clone(),
                None => self.captured_value(&cx, local),
            };
            self.callables(&value, &mut found, 0);
        }
        found
    }

    fn captured_value(&mut self, cx: &Cx, local: LocalId) -> Val {
        let frame = self.frame_of(cx, local);
        let place = self.places.root(super::places::Root::Local(frame, local), &Ty::Unknown);
        self.value_at(place)
    }

    fn widened_captures(&mut self, before: &Kind, callee: Kind, at: LoopId) -> Kind {
        self.recursions.insert(at);
        match (before, &callee) {
            (Kind::Closure(before), Kind::Closure(closure)) => {
                Kind::Closure(Rc::new(widened_closure(before, closure, at)))
            }
            (Kind::Future(before), Kind::Future(future)) => match (&**before, &**future) {
                (FutureValue::Block(before), FutureValue::Block(closure)) => {
                    Kind::Future(Rc::new(FutureValue::Block(widened_closure(before, closure, at))))
                }
                (FutureValue::Call { args: before, .. }, FutureValue::Call { id, subst, args, self_arg }) => {
                    let args =
                        before.iter().zip(args).map(|(old, new)| widened(old, new.clone(), at)).collect();
                    let (id, subst, self_arg) = (*id, subst.clone(), self_arg.clone());
                    Kind::Future(Rc::new(FutureValue::Call { id, subst, args, self_arg }))
                }
                _ => callee,
            },
            _ => callee,
        }
    }

    /// The arguments that the last level of a recursive call is entered with.
    pub(super) fn widened_args(&mut self, cx: &Cx, site: ExprId, id: FnId, args: Vec<Val>) -> Vec<Val> {
        let (Some(above), Some(body)) = (self.level_above(cx.frame, id), self.program.body(id)) else {
            return args;
        };
        let at = LoopId { frame: cx.frame, expr: site };
        self.recursions.insert(at);
        let params = &self.program.fn_def(id).item.params;
        let before = |n: usize| match &params.get(n)?.pat {
            Pat::Bind { binding, .. } => match body.binding(*binding) {
                Bound::Local(local) => self.st.local(above, *local),
                _ => None,
            },
            _ => None,
        };
        let widen = |(n, arg)| match before(n) {
            Some(old) => widened(old, arg, at),
            None => arg,
        };
        args.into_iter().enumerate().map(widen).collect()
    }

    /// The frame of the same function's call that this one is made in.
    fn level_above(&self, frame: FrameId, id: FnId) -> Option<FrameId> {
        self.frames.outward(frame).find(|at| self.frames.get(*at).function == Some(id))
    }
}

fn widened_closure(before: &ClosureValue, closure: &ClosureValue, at: LoopId) -> ClosureValue {
    let mut wide = closure.clone();
    for (local, value) in &mut wide.moved {
        if let Some((_, old)) = before.moved.iter().find(|(l, _)| l == local) {
            *value = widened(old, value.clone(), at);
        }
    }
    wide
}

/// What stands for a value on this level and all below it: the levels count like the rounds of a loop.
fn widened(before: &Val, now: Val, at: LoopId) -> Val {
    let kind = match (before.single(), now.single()) {
        (Some(Kind::Const(old)), Some(Kind::Const(new))) if old != new => step_between(old, new, at),
        (Some(Kind::Aggregate(old)), Some(Kind::Aggregate(new))) if old.variant == new.variant => {
            let field = |(proj, value): &(_, Val)| match old.field(*proj) {
                Some(old) => (*proj, widened(old, value.clone(), at)),
                None => (*proj, value.clone()),
            };
            let fields = new.fields.iter().map(field).collect();
            Some(Kind::Aggregate(Rc::new(Aggregate { variant: new.variant, fields })))
        }
        _ => return now,
    };
    let open = kind.is_none();
    Val { alts: kind.into_iter().collect(), open, term: None, ..now }
}

fn step_between(old: &Const, new: &Const, at: LoopId) -> Option<Kind> {
    let (Const::Int(old), Const::Int(new)) = (old, new) else { return None };
    let step = i64::try_from(new.checked_sub(*old)?).ok()?;
    Some(Kind::Linear(at, step, i64::try_from(*new).ok()?))
}
