//! Closures: what they capture, and their bodies run where they are called.
//!
//! In: a closure's value and its arguments. Out: the body's effects, in a frame that shares the captured locals of the frame
//! it was made in, or has copies of those that moved.

use super::calls::{FIRST_PARAM, MAX_DEPTH};
use super::places::{FrameId, Root};
use super::values::{ClosureValue, Kind, Val};
use super::{CalleeKey, Cx, Frame, Interp};
use crate::finding::Location;
use crate::hir::{self, ExprId, ExprKind, Pat};
use crate::resolve::{Bound, LocalId, Res, ResolvedBody, Ty};
use rustc_hash::FxHashSet;
use std::rc::Rc;
use std::sync::Arc;

/// What a closure's body binds itself and what it captures.
#[derive(Debug, Default)]
pub struct ClosureInfo {
    pub bound: FxHashSet<LocalId>,
    pub captured: Vec<LocalId>,
}

impl Interp<'_> {
    pub(super) fn eval_closure(&mut self, cx: &Cx, id: ExprId, closure: &hir::Closure) -> Val {
        let info = self.closure_info(&cx.body, id);
        let mut moved = Vec::new();
        if closure.is_move {
            for &local in &info.captured {
                let frame = self.frame_of(cx, local);
                let place = self.places.root(Root::Local(frame, local), &Ty::Unknown);
                let value = self.value_at(place);
                let lval = super::memory::Lval::one(place, value.ty.clone());
                self.move_out(&lval, &value);
                moved.push((local, value));
            }
        }
        let value =
            ClosureValue { body: cx.body.clone(), expr: id, frame: cx.frame, moved, subst: cx.subst.clone() };
        Val::of(Kind::Closure(Rc::new(value)), Ty::Unknown)
    }

    pub(super) fn closure_info(&mut self, body: &Arc<ResolvedBody>, id: ExprId) -> Rc<ClosureInfo> {
        let key = (Arc::as_ptr(body) as usize, id);
        if let Some(info) = self.closures.get(&key) {
            return info.clone();
        }
        let mut info = ClosureInfo::default();
        let mut used = Vec::new();
        gather(body, id, &mut info.bound, &mut used);
        used.retain(|local| !info.bound.contains(local));
        used.sort_unstable();
        used.dedup();
        info.captured = used;
        let info = Rc::new(info);
        self.closures.insert(key, info.clone());
        info
    }

    pub(super) fn call_closure(
        &mut self,
        cx: &Cx,
        site: ExprId,
        closure: &ClosureValue,
        args: Vec<Val>,
    ) -> Val {
        let depth = self.frames.get(cx.frame).depth;
        if depth >= MAX_DEPTH {
            self.counts.cut += 1;
            return self.opaque_call(cx, site, None, args);
        }
        self.note_run();
        let inner = self.closure_frame(closure, Ok(cx.frame), site, Some(self.call_location(cx, site)));
        self.run_closure(&inner, site, closure, args)
    }

    /// The frame a closure's body runs in.
    pub(super) fn closure_frame(
        &mut self,
        closure: &ClosureValue,
        caller: Result<FrameId, super::contexts::ContextId>,
        site: ExprId,
        called_at: Option<Location>,
    ) -> Cx {
        let info = self.closure_info(&closure.body, closure.expr);
        let context = self.context;
        let key = (caller, site, CalleeKey::Closure(closure.frame, closure.expr));
        let captures = Some((closure.frame, info));
        let frame = self.intern_frame(key, |depth| Frame {
            context,
            parent: caller.ok(),
            called_at,
            function: None,
            captures,
            depth,
        });
        Cx { frame, body: closure.body.clone(), subst: closure.subst.clone() }
    }

    pub(super) fn run_closure(
        &mut self,
        inner: &Cx,
        site: ExprId,
        closure: &ClosureValue,
        args: Vec<Val>,
    ) -> Val {
        let body = closure.body.clone();
        let (params, root, is_async) = match &body.body.expr(closure.expr).kind {
            ExprKind::Closure(c) => (&c.params[..], Some(c.body), c.is_async),
            _ => (&[][..], None, false),
        };
        let _ = is_async;
        self.run_frame(inner, None, |this| {
            let entered = this.frames.get(inner.frame).parent.is_none();
            for (local, value) in &closure.moved {
                let mut value = value.clone();
                if entered && (value.open || value.alts.len() > 1) {
                    value.deps = value.deps.join(&this.elsewhere(inner, FIRST_PARAM + local.0));
                }
                this.st.set_local(inner.frame, *local, value);
                if entered {
                    // A context's own closure ends with it, and what it captured does.
                    this.own_local(inner.frame, *local);
                }
            }
            let mut args = args.into_iter();
            for (pat, ty) in params {
                let declared = ty.as_ref().map(|ty| this.type_in(inner, ty));
                let given = args.next();
                let mut value = match (given, &declared) {
                    (Some(value), _) => value,
                    (None, Some(ty)) => this.asked_for(ty),
                    (None, None) => Val::unknown(Ty::Unknown),
                };
                if let Some(ty) = declared {
                    value = this.coerced(inner, site, value, &ty);
                    if value.ty.is_unknown() {
                        value.ty = ty;
                    }
                }
                this.hold_proof(inner, &value.ty);
                this.bind_param(inner, site, pat, value);
            }
            match root {
                Some(root) => this.eval(inner, root),
                // An async block: its statements are the body.
                None => match &body.body.expr(closure.expr).kind {
                    ExprKind::Block(block) => this.eval_async_body(inner, block),
                    _ => Val::unit(),
                },
            }
        })
    }
}

/// Locals bound and used in an expression.
pub(super) fn gather(
    body: &ResolvedBody,
    id: ExprId,
    bound: &mut FxHashSet<LocalId>,
    used: &mut Vec<LocalId>,
) {
    let mut work = vec![id];
    while let Some(id) = work.pop() {
        if let ExprKind::Path(path) = &body.body.expr(id).kind
            && let Res::Local(local) = body.path(path.id)
        {
            used.push(*local);
        }
        body.body.each_pat(id, &mut |pat| {
            pat.walk(&mut |pat| {
                if let Pat::Bind { binding, .. } = pat
                    && let Bound::Local(local) = body.binding(*binding)
                {
                    bound.insert(*local);
                }
            });
        });
        body.body.each_child(id, &mut |child| work.push(child));
    }
}
