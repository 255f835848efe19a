//! Walking one context from its entry: the arguments it begins with, the locks it holds, what it leaves behind.

use super::contexts::{ContextId, Entry};
use super::facts::Fact;
use super::shared::Shared;
use super::state::State;
use super::values::{ClosureValue, FutureValue, HoldId, Kind, Val};
use super::{CalleeKey, Cx, Frame, Interp};
use crate::hir::ExprId;
use std::rc::Rc;

impl Interp<'_> {
    /// Walks one context from its entry, with a log of its own.
    pub(super) fn walk_context(&mut self, id: ContextId) {
        let context = self.contexts.get(id);
        let entry = context.entry.clone();
        let joined = context.joined_at_start.clone();
        let acquired = context.acquired_at_start.clone();
        let phases = context.phases_at_start.clone();
        let holds = context.holds.clone();
        self.executor = context.executor;
        self.context = id;
        self.steps = 0;
        self.stopped = false;
        self.last_moment = None;
        self.st = State::entry(Shared::new(joined));
        for key in acquired {
            self.st.acquire(key);
        }
        self.st.moment_mut().phases = Shared::new(phases);
        for (lock, mode) in holds {
            self.hold(lock, mode, HoldId::of_flag(lock));
        }
        self.loops.clear();
        self.taken_here.clear();
        self.contents.clear();
        self.part_sets.clear();
        self.muted = false;
        self.contexts.get_mut(id).log = Default::default();
        self.contexts.get_mut(id).acts = Default::default();
        self.contexts.get_mut(id).passes_on.clear();
        self.contexts.get_mut(id).minted.clear();
        let returned = match entry {
            Entry::Fn(function) => self.walk_fn_entry(id, function),
            Entry::Value(value, args) => self.walk_value_entry(id, value, args),
            Entry::Chain(chain) => self.walk_chain(id, &chain),
        };
        let returned = self.awaited_entry(id, returned);
        self.used(&returned);
        let mut returned = super::memory::generalize(&returned);
        super::memory::strip_deps(&mut returned);
        self.escape(&returned);
        if self.contexts.get(id).result.as_ref() != Some(&returned) {
            self.heap.facts.change(Fact::Result(id));
        }
        let ended = if self.st.reachable { (*self.st.moment.joined).clone() } else { Default::default() };
        let released = (*self.st.moment.released).clone();
        let weakly = self.st.moment.weakly_released.iter().cloned().collect();
        let steps = self.steps;
        self.counts.steps += steps;
        let context = self.contexts.get_mut(id);
        context.result = Some(returned);
        context.joined_at_end = ended;
        context.released_at_end = released;
        context.weakly_released_at_end = weakly;
        context.walked = true;
    }

    /// A closure that gives a future is called for what the future does.
    fn awaited_entry(&mut self, context: ContextId, returned: Val) -> Val {
        let mut futures = Vec::new();
        self.futures(&returned, &mut futures, 0);
        if futures.is_empty() || !self.st.reachable {
            return returned;
        }
        let value = Val { alts: futures.into_iter().collect(), ..returned };
        self.walk_value_entry(context, value, Vec::new())
    }

    fn walk_fn_entry(&mut self, context: ContextId, function: crate::resolve::FnId) -> Val {
        if !self.affords(function) {
            return Val::bottom();
        }
        let Some(body) = self.program.body(function) else { return Val::unit() };
        let frame = self.intern_frame((Err(context), ExprId(0), CalleeKey::Fn(function)), |depth| Frame {
            context,
            parent: None,
            called_at: None,
            function: Some(function),
            captures: None,
            depth,
        });
        let cx = Cx { frame, body, subst: Rc::default() };
        self.run_frame(&cx, Some(function), |this| {
            this.bind_params(&cx, ExprId(0), function, None, Vec::new());
            let root = cx.body.body.root;
            this.eval(&cx, root)
        })
    }

    fn walk_value_entry(&mut self, context: ContextId, value: Val, args: Vec<Val>) -> Val {
        let before = self.st.clone();
        let mut result = Val::bottom();
        let mut after: Option<State> = None;
        for kind in value.alts {
            self.st = before.clone();
            let returned = match kind {
                Kind::Closure(closure) => self.walk_closure_entry(context, &closure, args.clone()),
                Kind::Fn(function, subst) => {
                    let mut args = args.clone();
                    let takes_self = self.program.sig(function).self_ty.is_some();
                    let self_arg = (takes_self && !args.is_empty()).then(|| args.remove(0));
                    self.walk_callable(context, function, subst, self_arg, args)
                }
                Kind::Future(future) => match &*future {
                    FutureValue::Block(closure) => self.walk_closure_entry(context, closure, Vec::new()),
                    FutureValue::Call { id, subst, args, self_arg } => {
                        self.walk_callable(context, *id, subst.clone(), self_arg.clone(), args.clone())
                    }
                    FutureValue::Ready(value) => value.clone(),
                    FutureValue::Model { .. } => Val::unknown(crate::resolve::Ty::Unknown),
                },
                _ => Val::unit(),
            };
            if self.st.reachable {
                result = result.join(&returned);
                match &mut after {
                    Some(state) => state.join(&self.st),
                    None => after = Some(self.st.clone()),
                }
            }
        }
        self.st = after.unwrap_or(before);
        result
    }

    fn walk_closure_entry(&mut self, context: ContextId, closure: &ClosureValue, args: Vec<Val>) -> Val {
        let cx = self.closure_frame(closure, Err(context), closure.expr, None);
        self.run_closure(&cx, closure.expr, closure, args)
    }

    fn walk_callable(
        &mut self,
        context: ContextId,
        function: crate::resolve::FnId,
        subst: Rc<crate::resolve::Subst>,
        self_arg: Option<Val>,
        args: Vec<Val>,
    ) -> Val {
        if !self.affords(function) {
            return Val::bottom();
        }
        let Some(body) = self.program.body(function) else { return Val::unit() };
        let frame = self.intern_frame((Err(context), ExprId(0), CalleeKey::Fn(function)), |depth| Frame {
            context,
            parent: None,
            called_at: None,
            function: Some(function),
            captures: None,
            depth,
        });
        let cx = Cx { frame, body, subst };
        self.run_frame(&cx, Some(function), |this| {
            this.bind_params(&cx, ExprId(0), function, self_arg, args);
            let root = cx.body.body.root;
            this.eval(&cx, root)
        })
    }
}
