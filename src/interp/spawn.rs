//! Starting and joining contexts, what escapes to them, and how they are called.

use super::contexts::{Context, ContextId, Entry, Naming};
use super::places::{LoopId, PlaceId, Root};
use super::state::{Hold, State};
use super::values::{ClosureValue, Const, FutureValue, HandleValue, HoldId, Kind, Mode, Val};
use super::{CalleeKey, Cx, Frame, Interp};
use crate::finding::{ContextKind, Evidence};
use crate::hir::{Block, BlockKind, ExprId, ExprKind, Name, Pat};
use crate::resolve::Ty;
use std::rc::Rc;

/// Values nested deeper than this don't escape any further.
const MAX_ESCAPE: u32 = 6;

impl Interp<'_> {
    /// Starts a context that runs `body`; the handle to it.
    pub(super) fn spawn(
        &mut self,
        cx: &Cx,
        site: ExprId,
        kind: ContextKind,
        body: Val,
        options: Option<&Val>,
        scope: Option<LoopId>,
    ) -> Val {
        let mut callees = Vec::new();
        self.callables(&body, &mut callees, 0);
        callees.extend(body.alts.iter().filter(|k| matches!(k, Kind::Future(_))).cloned());
        if callees.is_empty() {
            self.counts.unresolved_calls += 1;
            return Val::unknown(Ty::Unknown);
        }
        let literal = options.and_then(builder_name);
        let mut handles = Val { open: false, ..Val::unknown(Ty::Unknown) };
        for (which, callee) in callees.into_iter().enumerate() {
            let mut body = Val::of(callee, Ty::Unknown);
            super::memory::strip_deps(&mut body);
            let Some(callee) = body.alts.pop() else { continue };
            let Some(id) = self.context_at(cx, site, which as u32, kind, &callee, literal) else { continue };
            self.escape(&Val::of(callee, Ty::Unknown));
            self.act(cx, site);
            let before = self.st.moment.started.clone();
            self.contexts.get_mut(id).started_before.extend(before);
            let running = self.st.start(id);
            self.note_start(id, running);
            if let Some(scope) = scope
                && self.scope_members.entry(scope).or_default().insert(id)
            {
                self.heap_version += 1;
            }
            handles.alts.push(Kind::Handle(HandleValue { context: id, each_of: None, part: None }));
        }
        handles
    }

    /// The context of this site on this call path, new or known.
    fn context_at(
        &mut self,
        cx: &Cx,
        site: ExprId,
        which: u32,
        kind: ContextKind,
        callee: &Kind,
        literal: Option<Name>,
    ) -> Option<ContextId> {
        let entry = Entry::Value(Val::of(callee.clone(), Ty::Unknown), Vec::new());
        if let Some(id) = self.contexts.at(cx.frame, site, which) {
            let context = self.contexts.get_mut(id);
            if let Entry::Value(old, _) = &context.entry {
                let joined = old.join(&Val::of(callee.clone(), Ty::Unknown));
                if joined != *old {
                    context.entry = Entry::Value(joined, Vec::new());
                    self.heap_version += 1;
                }
            }
            return Some(id);
        }
        let (name, named) = self.context_name(callee, literal);
        let context = Context {
            kind,
            evidence: Evidence::Spawned,
            name,
            named,
            spawned_at: self.call_location(cx, site),
            parent: Some(self.context),
            entry,
            many: false,
            loops: self.loops.clone(),
            sure: self.st.sure,
            started_before: Default::default(),
            joined_at_start: self.st.moment.joined.clone(),
            joined_at_end: Default::default(),
            result: None,
            released_at_end: Vec::new(),
            weakly_released_at_end: Vec::new(),
            acquired_at_start: self.st.moment.acquired.keys().cloned().collect(),
            log: Default::default(),
            acts: Default::default(),
            walked: false,
            cut: false,
        };
        let id = self.contexts.add(Some((cx.frame, site, which)), context);
        if id.is_none() {
            self.counts.cut += 1;
        }
        id
    }

    fn note_start(&mut self, id: ContextId, running: bool) {
        let joined = self.st.moment.joined.clone();
        let acquired: Vec<_> = self.st.moment.acquired.keys().cloned().collect();
        let sure = self.st.sure;
        let context = self.contexts.get_mut(id);
        if running && !context.many {
            context.many = true;
            self.heap_version += 1;
        }
        context.sure &= sure;
        context.joined_at_start.retain(|c| joined.contains(c));
        context.acquired_at_start.retain(|k| acquired.contains(k));
    }

    fn context_name(&self, callee: &Kind, literal: Option<Name>) -> (String, Naming) {
        if let Some(name) = literal {
            return (name.to_string(), Naming::Literal);
        }
        match callee {
            Kind::Fn(id, _) => (self.program.fn_def(*id).name.to_string(), Naming::Item),
            Kind::Future(future) => match &**future {
                FutureValue::Call { id, .. } => (self.program.fn_def(*id).name.to_string(), Naming::Item),
                FutureValue::Block(closure) => named_by_callee(closure),
                FutureValue::Ready(_) => ("closure".to_owned(), Naming::None),
            },
            Kind::Closure(closure) => named_by_callee(closure),
            _ => ("closure".to_owned(), Naming::None),
        }
    }

    /// `let name = spawn(…)`: the binding names the context, if nothing better does.
    pub(super) fn name_bound(&mut self, cx: &Cx, pat: &Pat, init: ExprId, value: &Val) {
        match pat {
            Pat::Bind { name, .. } => self.name_by(cx, *name, init, value),
            Pat::Tuple(parts) => {
                for (n, part) in parts.iter().enumerate() {
                    let field = super::memory::project(value, super::expr::field(n));
                    self.name_bound(cx, part, init, &field);
                }
            }
            _ => {}
        }
    }

    /// `name = spawn(…)`.
    pub(super) fn name_handle(&mut self, cx: &Cx, left: ExprId, right: ExprId, value: &Val) {
        if let ExprKind::Path(path) = &cx.body.body.expr(left).kind
            && let Some(segment) = path.segments.last()
        {
            self.name_by(cx, segment.name, right, value);
        }
    }

    fn name_by(&mut self, cx: &Cx, name: Name, init: ExprId, value: &Val) {
        let range = cx.body.body.expr(init).range;
        for kind in &value.alts {
            let handle = match kind {
                Kind::Handle(handle) => handle.clone(),
                Kind::Aggregate(some) if some.variant == Some(self.names.some) => {
                    let payload = some.field(super::expr::field(0)).cloned();
                    payload.into_iter().for_each(|p| self.name_by(cx, name, init, &p));
                    continue;
                }
                _ => continue,
            };
            let context = self.contexts.get_mut(handle.context);
            let here = context.spawned_at.file == cx.body.file && range.contains(context.spawned_at.range);
            if here && context.named > Naming::Binding {
                context.name = name.to_string();
                context.named = Naming::Binding;
            }
        }
    }

    /// Waits for a context's end.
    /// What it returned.
    pub(super) fn join(&mut self, handle: &Val) -> Val {
        let mut result = Val { open: handle.open, ..Val::unknown(Ty::Unknown) };
        for kind in handle.alts.clone() {
            if let Kind::Handle(handle) = kind {
                // Of several alternatives just one was started on this path.
                match handle.each_of {
                    Some(at) => self.st.each_joined.push((at, handle.context)),
                    None => self.join_part(&handle),
                }
                result = match &self.contexts.get(handle.context).result {
                    Some(returned) => result.join(returned),
                    None => Val { open: true, ..result },
                };
            }
        }
        result
    }

    /// One of the parts of an array, or the newest instance.
    fn join_part(&mut self, handle: &HandleValue) {
        let Some((part, of)) = handle.part else { return self.st.join_one(handle.context) };
        if !self.st.joined_parts.contains(&(handle.context, part)) {
            self.st.joined_parts.push((handle.context, part));
        }
        let joined = self.st.joined_parts.iter().filter(|(c, _)| *c == handle.context).count();
        if joined as u32 == of {
            self.st.join_all(handle.context);
        }
    }

    /// Runs a closure with a scope; everything started in it has ended afterwards.
    pub(super) fn run_scope(&mut self, cx: &Cx, site: ExprId, body: Val) -> Val {
        let scope = LoopId { frame: cx.frame, expr: site };
        let object = self.object(cx, site, 0, cx.body.body.expr(site).range);
        let place = self.places.root(Root::Object(object), &Ty::ext("std::thread::Scope", Vec::new()));
        let content = Val::of(Kind::Scope(scope), Ty::ext("std::thread::Scope", Vec::new()));
        self.grow_heap(Root::Object(object), content);
        let ty = Ty::reference(false, Ty::ext("std::thread::Scope", Vec::new()));
        let argument = Val::pointer(place, super::values::Pointer::Shared, ty);
        let result = self.call_value(cx, site, body, vec![argument]);
        for id in self.scope_members.get(&scope).cloned().unwrap_or_default() {
            self.st.join_all(id);
        }
        result
    }

    /// The scope that a value stands for; one that another context opened is joined there.
    pub(super) fn scope_of(&mut self, value: &Val) -> Option<LoopId> {
        for kind in value.alts.clone() {
            match kind {
                Kind::Scope(scope) => return Some(scope),
                Kind::Pointer(place, _) => {
                    let inner = self.value_at(place);
                    if let Some(Kind::Scope(scope)) = inner.alts.first() {
                        return Some(*scope);
                    }
                }
                _ => {}
            }
        }
        None
    }

    pub(super) fn hold(&mut self, lock: PlaceId, mode: Mode, id: HoldId) {
        if !self.st.locks.iter().any(|h| h.id == id && h.lock == lock) {
            self.st.locks.push(Hold { lock, mode, id });
        }
    }

    /// What a value can reach is reachable for others from now on.
    pub(super) fn escape(&mut self, value: &Val) {
        self.escape_within(value, 0);
    }

    fn escape_within(&mut self, value: &Val, depth: u32) {
        if depth > MAX_ESCAPE {
            return;
        }
        for kind in value.alts.clone() {
            match kind {
                Kind::Pointer(place, _) => self.escape_place(place, depth),
                Kind::Guard(guard) => self.escape_place(guard.data, depth),
                Kind::Aggregate(aggregate) => {
                    for (_, field) in &aggregate.fields {
                        self.escape_within(field, depth + 1);
                    }
                }
                Kind::Closure(closure) => self.escape_closure(&closure, depth),
                Kind::Future(future) => match &*future {
                    FutureValue::Block(closure) => self.escape_closure(closure, depth),
                    FutureValue::Call { args, self_arg, .. } => {
                        args.iter().chain(self_arg).for_each(|a| self.escape_within(a, depth + 1));
                    }
                    FutureValue::Ready(value) => self.escape_within(value, depth + 1),
                },
                Kind::Iter(iter) => {
                    self.escape_within(&iter.source, depth + 1);
                    for stage in &iter.stages {
                        if let Some(closure) = &stage.closure {
                            self.escape_within(closure, depth + 1);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn escape_closure(&mut self, closure: &ClosureValue, depth: u32) {
        let info = self.closure_info(&closure.body, closure.expr);
        for &local in &info.captured {
            match closure.moved.iter().find(|(l, _)| *l == local) {
                Some((_, value)) => self.escape_within(&value.clone(), depth + 1),
                None => {
                    let cx =
                        Cx { frame: closure.frame, body: closure.body.clone(), subst: closure.subst.clone() };
                    let frame = self.frame_of(&cx, local);
                    let place = self.places.root(Root::Local(frame, local), &Ty::Unknown);
                    self.escape_place(place, depth);
                }
            }
        }
    }

    fn escape_place(&mut self, place: PlaceId, depth: u32) {
        let root = self.places.get(place).root;
        if let Root::Local(frame, local) = root {
            let value = self.st.local(frame, local).cloned();
            let new = self.shared_locals.insert((frame, local));
            if let Some(value) = value {
                if new {
                    self.starts_as(root, &value);
                }
                let general = super::memory::generalize(&value);
                self.grow_heap(root, general);
                if new {
                    self.escape_within(&value, depth + 1);
                }
            }
        }
    }

    /// Walks one context from its entry, with a log of its own.
    pub(super) fn walk_context(&mut self, id: ContextId) {
        let context = self.contexts.get(id);
        let entry = context.entry.clone();
        let joined = context.joined_at_start.clone();
        let acquired = context.acquired_at_start.clone();
        self.context = id;
        self.steps = 0;
        self.stopped = false;
        self.last_moment = None;
        self.st = State::entry(joined);
        for key in acquired {
            self.st.acquire(key);
        }
        self.loops.clear();
        self.taken_here.clear();
        self.contexts.get_mut(id).log = Default::default();
        self.contexts.get_mut(id).acts.clear();
        let returned = match entry {
            Entry::Fn(function) => self.walk_fn_entry(id, function),
            Entry::Value(value, args) => self.walk_value_entry(id, value, args),
        };
        self.used(&returned);
        let mut returned = super::memory::generalize(&returned);
        super::memory::strip_deps(&mut returned);
        self.escape(&returned);
        if self.contexts.get(id).result.as_ref() != Some(&returned) {
            self.heap_version += 1;
        }
        let ended = if self.st.reachable { self.st.moment.joined.clone() } else { Default::default() };
        let released = self.st.moment.released.keys().cloned().collect();
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

    fn walk_fn_entry(&mut self, context: ContextId, function: crate::resolve::FnId) -> Val {
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
                Kind::Fn(function, subst) => self.walk_callable(context, function, subst, None, args.clone()),
                Kind::Future(future) => match &*future {
                    FutureValue::Block(closure) => self.walk_closure_entry(context, closure, Vec::new()),
                    FutureValue::Call { id, subst, args, self_arg } => {
                        self.walk_callable(context, *id, subst.clone(), self_arg.clone(), args.clone())
                    }
                    FutureValue::Ready(value) => value.clone(),
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

    /// An async block is a closure that runs where it is awaited.
    pub(super) fn async_block(&mut self, cx: &Cx, id: ExprId, is_move: bool) -> Val {
        let info = self.closure_info(&cx.body, id);
        let mut moved = Vec::new();
        if is_move {
            for &local in &info.captured {
                let frame = self.frame_of(cx, local);
                let place = self.places.root(Root::Local(frame, local), &Ty::Unknown);
                let value = self.value_at(place);
                moved.push((local, value));
            }
        }
        let closure =
            ClosureValue { body: cx.body.clone(), expr: id, frame: cx.frame, moved, subst: cx.subst.clone() };
        Val::of(Kind::Future(Rc::new(FutureValue::Block(closure))), Ty::Unknown)
    }

    pub(super) fn eval_async_body(&mut self, cx: &Cx, block: &Block) -> Val {
        let plain = Block { kind: BlockKind::Plain, ..block.clone() };
        self.eval_block(cx, ExprId(0), &plain)
    }

    /// `.await`: the future's body runs here, in this context; a handle is joined.
    pub(super) fn await_value(&mut self, cx: &Cx, site: ExprId, value: Val) -> Val {
        if value.alts.iter().any(|k| matches!(k, Kind::Handle(_))) {
            return self.join(&value);
        }
        let futures: Vec<Rc<FutureValue>> = value
            .alts
            .iter()
            .filter_map(|k| match k {
                Kind::Future(future) => Some(future.clone()),
                _ => None,
            })
            .collect();
        if futures.is_empty() {
            return Val::unknown(Ty::Unknown).with_deps(&value.all_deps());
        }
        self.each_alternative(futures, |this, future| match &*future {
            FutureValue::Block(closure) => this.call_closure(cx, site, closure, Vec::new()),
            FutureValue::Call { id, subst, args, self_arg } => {
                this.enter_fn(cx, site, *id, (**subst).clone(), self_arg.clone(), args.clone())
            }
            FutureValue::Ready(value) => value.clone(),
        })
    }
}

/// The literal given to a thread builder.
fn builder_name(options: &Val) -> Option<Name> {
    let key = super::places::Proj::Field(Name::new("name"));
    let value = super::memory::project(options, key);
    match value.constant() {
        Some(Const::Str(name)) => Some(*name),
        _ => None,
    }
}

/// A closure that only calls one function is called like it.
fn named_by_callee(closure: &ClosureValue) -> (String, Naming) {
    let body = &closure.body.body;
    let mut at = match &body.expr(closure.expr).kind {
        ExprKind::Closure(c) => c.body,
        _ => closure.expr,
    };
    for _ in 0..6 {
        match &body.expr(at).kind {
            ExprKind::Block(block) => match (&block.stmts[..], block.tail) {
                ([], Some(tail)) => at = tail,
                ([crate::hir::Stmt::Expr(only)], None) => at = *only,
                _ => break,
            },
            ExprKind::Await(inner) => at = *inner,
            ExprKind::Call { callee, .. } => {
                if let ExprKind::Path(path) = &body.expr(*callee).kind
                    && !matches!(closure.body.path(path.id), crate::resolve::Res::Local(_))
                    && let Some(segment) = path.segments.last()
                {
                    return (segment.name.to_string(), Naming::Callee);
                }
                break;
            }
            ExprKind::MethodCall { method, .. } => return (method.to_string(), Naming::Callee),
            _ => break,
        }
    }
    ("closure".to_owned(), Naming::None)
}
