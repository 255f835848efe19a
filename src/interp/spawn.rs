//! Starting, naming and joining contexts, alone, in scopes and in groups.
//!
//! In: a callable or future and how it is started. Out: a context, new or known, and a handle to it.

use super::contexts::{Context, ContextId, Entry, Naming};
use super::facts::Fact;
use super::phases::Phases;
use super::places::{LoopId, PlaceId, Root};
use super::state::{Hold, Moment, Reach};
use super::values::{ClosureValue, Const, Deps, FutureValue, HandleValue, HoldId, Kind, Mode, Val};
use super::{Cx, Interp};
use crate::finding::{ContextKind, Evidence, Location};
use crate::hir::{Body, ExprId, ExprKind, Name, Pat};
use crate::resolve::Ty;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a context runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RunsOn {
    /// A thread of its own, or of a pool.
    Thread,
    /// The executor of whoever starts it.
    Executor,
    /// A single-threaded executor: that of whoever starts it, if it is one.
    LocalExecutor,
    /// Several threads, each with a single-threaded executor of its own.
    Workers,
}

/// How contexts are started.
#[derive(Clone)]
pub(super) struct Job {
    pub kind: ContextKind,
    pub on: RunsOn,
    /// Tells apart what one expression starts.
    pub which: u32,
    /// The literal name given to a builder.
    pub name: Option<Name>,
    pub group: Option<LoopId>,
    pub args: Vec<Val>,
    /// Several instances from the beginning.
    pub many: bool,
    /// Locks held from the beginning to the end.
    pub holds: Vec<(PlaceId, Mode)>,
}

impl Job {
    /// By the word that models have for it.
    pub fn of_word(word: &str) -> Job {
        let kind = crate::models::context_kind(word).unwrap_or(ContextKind::Thread);
        let on = match (word, kind) {
            ("worker", _) => RunsOn::Workers,
            ("local-task", _) => RunsOn::LocalExecutor,
            ("blocking-task", _) => RunsOn::Thread,
            (_, ContextKind::Task | ContextKind::RequestHandler) => RunsOn::Executor,
            _ => RunsOn::Thread,
        };
        Job {
            kind,
            on,
            which: 0,
            name: None,
            group: None,
            args: Vec::new(),
            many: kind == ContextKind::RequestHandler || on == RunsOn::Workers,
            holds: Vec::new(),
        }
    }
}

/// A set that contexts are started in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub kind: ContextKind,
    pub on: RunsOn,
    /// Held by each member while it runs: there is one worker.
    pub token: Option<PlaceId>,
}

impl Interp<'_> {
    /// Starts a context that runs `body`; the handle to it.
    pub(super) fn spawn(&mut self, cx: &Cx, site: ExprId, job: &Job, body: &Val) -> Val {
        let mut callees = Vec::new();
        self.callables(body, &mut callees, 0);
        self.futures(body, &mut callees, 0);
        let by_hand = callees.is_empty();
        if by_hand {
            callees = self.own_future(cx, site, body);
        }
        if callees.is_empty() {
            self.counts.unresolved_calls += 1;
            return Val::unknown(Ty::Unknown);
        }
        let mut handles = Val { open: false, ..Val::unknown(Ty::Unknown) };
        handles.deps = self.given_from_elsewhere(&callees, &job.args);
        for (n, callee) in callees.into_iter().enumerate() {
            let mut body = Val::of(callee, Ty::Unknown);
            super::memory::strip_deps(&mut body);
            let Some(callee) = body.alts.pop() else { continue };
            let at = self.started_at(cx, site, job.kind, &callee);
            let Some(callee) = self.one_more_level(cx, site, callee, at) else {
                self.counts.cut += 1;
                self.contexts.get_mut(self.context).starts_more = true;
                handles.open = true;
                continue;
            };
            let entry = Entry::Value(Val::of(callee.clone(), Ty::Unknown), job.args.clone());
            let (name, named) = match by_hand {
                true => ("closure".to_owned(), Naming::None),
                false => self.context_name(&callee, job.name),
            };
            self.escape(&Val::of(callee, Ty::Unknown));
            for arg in &job.args {
                self.escape(arg);
            }
            let one = Job { which: job.which + n as u32, ..job.clone() };
            if let Some(id) = self.start(cx, site, &one, entry, (name, named), at) {
                self.contexts.get_mut(id).branch = job.which;
                handles.alts.push(Kind::Handle(HandleValue { context: id, each_of: None, part: None }));
            }
        }
        handles
    }

    /// What nobody knows of what a started body is given: its result depends on that.
    fn given_from_elsewhere(&mut self, callees: &[Kind], args: &[Val]) -> Deps {
        let mut given: Vec<Val> = args.to_vec();
        for callee in callees {
            match callee {
                Kind::Closure(closure) => given.extend(closure.moved.iter().map(|(_, value)| value.clone())),
                Kind::Future(future) => match &**future {
                    FutureValue::Block(closure) => {
                        given.extend(closure.moved.iter().map(|(_, value)| value.clone()));
                    }
                    FutureValue::Call { args, .. } | FutureValue::Model { args, .. } => {
                        given.extend(args.iter().cloned());
                    }
                    FutureValue::Ready(value) => given.push(value.clone()),
                },
                _ => {}
            }
        }
        let mut deps = Deps::default();
        for value in &given {
            deps = deps.join(&self.lent_deps(value)).join(&self.own_numbers(value));
        }
        deps.iter().filter(|read| read.is_elsewhere()).collect()
    }

    /// Starts a context of its own or one more instance of a known one.
    pub(super) fn start(
        &mut self,
        cx: &Cx,
        site: ExprId,
        job: &Job,
        entry: Entry,
        named: (String, Naming),
        at: Location,
    ) -> Option<ContextId> {
        let id = self.context_at(cx, site, job, entry, named, at)?;
        self.act(cx, site);
        let before = self.st.moment.clone();
        let entered_again: Vec<LoopId> =
            self.loops.iter().copied().filter(|at| self.ran_before(*at, id)).collect();
        let context = self.contexts.get_mut(id);
        context.started_before.extend(before.started.iter().copied());
        context.entered_again.extend(entered_again);
        let running = self.st.start(id);
        self.note_start(id, running);
        if let Some(group) = job.group
            && self.scope_members.entry(group).or_default().insert(id)
        {
            self.heap.facts.change(Fact::Members(group));
        }
        Some(id)
    }

    /// The context of this site on this call path, new or known.
    fn context_at(
        &mut self,
        cx: &Cx,
        site: ExprId,
        job: &Job,
        entry: Entry,
        (name, named): (String, Naming),
        spawned_at: Location,
    ) -> Option<ContextId> {
        if let Some(id) = self.contexts.at(cx.frame, site, job.which) {
            let context = self.contexts.get_mut(id);
            let joined = context.entry.joined(entry);
            if joined != context.entry {
                context.entry = joined;
                self.heap.facts.change(Fact::Start(id));
            }
            return Some(id);
        }
        let evidence = match job.kind {
            ContextKind::Thread | ContextKind::Parallel | ContextKind::Task => Evidence::Spawned,
            _ => Evidence::Declared,
        };
        let context = Context {
            parent: Some(self.context),
            started_in: Some(cx.frame),
            evidence,
            named,
            many: job.many,
            loops: self.loops.clone(),
            sure: self.st.sure,
            joined_at_start: (*self.st.moment.joined).clone(),
            acquired_at_start: self.st.moment.acquired.iter().cloned().collect(),
            phases_at_start: self.phases_from_here(),
            ..Context::new(job.kind, name, spawned_at, entry)
        };
        let Some(id) = self.contexts.add(Some((cx.frame, site, job.which)), context) else {
            self.counts.cut += 1;
            return None;
        };
        let (holds, executor) = self.held_from_start(id, job);
        let context = self.contexts.get_mut(id);
        context.holds = holds;
        context.executor = executor;
        Some(id)
    }

    /// The locks that a new context holds when it begins, and the single-threaded executor it runs on.
    fn held_from_start(&mut self, id: ContextId, job: &Job) -> (Vec<(PlaceId, Mode)>, Option<PlaceId>) {
        let mut holds = job.holds.clone();
        let group = job.group.and_then(|g| self.groups.get(&g).copied());
        let token = group.and_then(|g| g.token);
        holds.extend(token.map(|token| (token, Mode::Exclusive)));
        let executor = match job.on {
            RunsOn::Thread => None,
            RunsOn::Executor => self.executor,
            RunsOn::LocalExecutor => {
                token.or(self.executor).or_else(|| Some(self.own_executor(self.context)))
            }
            RunsOn::Workers => Some(self.own_executor(id)),
        };
        holds.extend(executor.filter(|e| Some(*e) != token).map(|executor| (executor, Mode::Exclusive)));
        (holds, executor)
    }

    /// The line a context is shown with: the call that takes it; of what a framework calls, the function's own.
    fn started_at(&self, cx: &Cx, site: ExprId, kind: ContextKind, callee: &Kind) -> Location {
        let called = matches!(
            kind,
            ContextKind::Interrupt
                | ContextKind::SignalHandler
                | ContextKind::RequestHandler
                | ContextKind::PythonCall
                | ContextKind::Hook
        );
        match callee {
            Kind::Fn(id, _) if called => self.program.fn_location(*id),
            Kind::Future(future) if called => match &**future {
                FutureValue::Call { id, .. } => self.program.fn_location(*id),
                _ => self.call_location(cx, site),
            },
            _ => self.call_location(cx, site),
        }
    }

    /// An instance may have been running when the loop was entered.
    fn ran_before(&self, at: LoopId, id: ContextId) -> bool {
        let running = |entry: &Rc<Moment>| entry.started.contains(&id) && !entry.joined.contains(&id);
        self.loop_entries.get(&at).is_some_and(running)
    }

    fn note_start(&mut self, id: ContextId, running: bool) {
        let joined = self.st.moment.joined.clone();
        let acquired: Vec<_> = self.st.moment.acquired.iter().cloned().collect();
        let phases = self.phases_from_here();
        let sure = self.st.sure;
        let context = self.contexts.get_mut(id);
        context.many |= running;
        context.sure &= sure;
        let known =
            (context.joined_at_start.len(), context.acquired_at_start.len(), context.phases_at_start.clone());
        context.joined_at_start.retain(|c| joined.contains(c));
        context.acquired_at_start.retain(|k| acquired.contains(k));
        context.phases_at_start.retain(|barrier, _| phases.contains_key(barrier));
        for (barrier, waited) in &mut context.phases_at_start {
            *waited = phases.get(barrier).map_or(*waited, |other| waited.join(*other));
        }
        if known
            != (
                context.joined_at_start.len(),
                context.acquired_at_start.len(),
                context.phases_at_start.clone(),
            )
        {
            self.heap.facts.change(Fact::Start(id));
        }
    }

    /// What a context that is started now knows of the barriers waited at.
    fn phases_from_here(&self) -> BTreeMap<PlaceId, Phases> {
        self.st.moment.phases.iter().map(|(barrier, waited)| (*barrier, waited.onwards())).collect()
    }

    pub(super) fn context_name(&self, callee: &Kind, literal: Option<Name>) -> (String, Naming) {
        if let Some(name) = literal {
            return (name.to_string(), Naming::Literal);
        }
        let own = |name| self.program.fns.iter().any(|f| f.name == name);
        match callee {
            Kind::Fn(id, _) => (self.program.fn_def(*id).name.to_string(), Naming::Item),
            Kind::Future(future) => match &**future {
                FutureValue::Call { id, .. } => (self.program.fn_def(*id).name.to_string(), Naming::Item),
                FutureValue::Block(closure) => named_by_callee(closure, own),
                FutureValue::Ready(_) | FutureValue::Model { .. } => ("closure".to_owned(), Naming::None),
            },
            Kind::Closure(closure) => named_by_callee(closure, own),
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

    /// Waits for a context's end, or for those of all in a tuple. Gives what it returned.
    pub(super) fn join(&mut self, handle: &Val) -> Val {
        let mut result = Val { open: handle.open, ..Val::unknown(Ty::Unknown) };
        for kind in handle.alts.clone() {
            match kind {
                Kind::Handle(handle) => {
                    // Of several alternatives just one was started on this path.
                    match handle.each_of {
                        Some(at) => self.st.each_joined.push((at, handle.context, handle.part)),
                        None => match handle.part {
                            Some(part) => self.st.join_part(handle.context, part),
                            None => self.st.join_one(handle.context),
                        },
                    }
                    result = match self.result_of(handle.context) {
                        Some(returned) => result.join(returned),
                        None => Val { open: true, ..result },
                    };
                }
                Kind::Aggregate(tuple) if tuple.variant.is_none() => {
                    let fields: Vec<_> = tuple.fields.iter().map(|(p, v)| (*p, self.join(v))).collect();
                    let ty = Ty::Tuple(fields.iter().map(|(_, v)| v.ty.clone()).collect());
                    result = result.join(&Val::aggregate(None, fields, ty));
                }
                _ => {}
            }
        }
        result.with_deps(&handle.deps)
    }

    /// What a context returned, as far as its walk told yet.
    pub(super) fn result_of(&self, context: ContextId) -> Option<&Val> {
        self.heap.facts.look_at(Fact::Result(context));
        self.contexts.get(context).result.as_ref()
    }

    /// Runs a closure with a scope; everything started in it has ended afterwards.
    /// `token`: the one worker that runs it all.
    pub(super) fn run_scope(
        &mut self,
        cx: &Cx,
        site: ExprId,
        word: &str,
        (body, ty): (Val, Ty),
        token: Option<PlaceId>,
    ) -> Val {
        let scope = LoopId { frame: cx.frame, expr: site };
        let Job { kind, on, .. } = Job::of_word(word);
        self.groups.insert(scope, Group { kind, on, token });
        let object = self.object(cx, site, 0, cx.body.body.expr(site).range);
        let place = self.places.root(Root::Object(object), &ty);
        let content = Val::of(Kind::Scope(scope), ty.clone());
        self.grow_heap(Root::Object(object), content);
        let argument = Val::pointer(place, super::values::Pointer::Shared, Ty::reference(false, ty));
        let token = token.filter(|token| !self.st.locks.iter().any(|hold| hold.lock == *token));
        if let Some(token) = token {
            let id = self.new_hold(cx, site, 0);
            self.hold(token, Mode::Exclusive, id);
        }
        let result = self.call_value(cx, site, body, vec![argument]);
        self.st.locks.retain(|hold| Some(hold.lock) != token);
        self.join_group(scope);
        result
    }

    /// A new group; with one worker, its members exclude each other.
    pub(super) fn group(&mut self, cx: &Cx, site: ExprId, word: &str, one_worker: bool, ty: Ty) -> Val {
        let group = LoopId { frame: cx.frame, expr: site };
        let Job { kind, on, .. } = Job::of_word(word);
        let one_worker = one_worker || matches!(word, "branch" | "local-task");
        let token = one_worker.then(|| {
            let object = self.object(cx, site, u32::MAX, cx.body.body.expr(site).range);
            let name = if on == RunsOn::Thread { "worker" } else { "executor" };
            self.objects.list[object.0 as usize].name = Some(Name::new(name));
            self.places.root(Root::Object(object), &Ty::Unknown)
        });
        if on != RunsOn::Thread {
            self.executors.extend(token);
        }
        self.groups.insert(group, Group { kind, on, token });
        Val::of(Kind::Scope(group), ty)
    }

    /// Everything started in the group has ended.
    pub(super) fn join_group(&mut self, group: LoopId) {
        self.heap.facts.look_at(Fact::Members(group));
        for id in self.scope_members.get(&group).cloned().unwrap_or_default() {
            self.st.join_all(id);
        }
    }

    /// All that waits until no context has this object any more: those whose captures lead to it have ended.
    pub(super) fn join_holders(&mut self, place: PlaceId) {
        let root = self.places.get(place).root;
        let started: Vec<ContextId> = self.st.moment.started.iter().copied().collect();
        for id in started {
            let Entry::Value(value, _) = &self.contexts.get(id).entry else { continue };
            let captures = value.alts.iter().filter_map(|kind| match kind {
                Kind::Closure(closure) => Some(&closure.moved),
                Kind::Future(future) => match &**future {
                    FutureValue::Block(closure) => Some(&closure.moved),
                    _ => None,
                },
                _ => None,
            });
            let mut pointers = captures.flatten().flat_map(|(_, value)| value.pointers());
            if pointers.any(|(at, _)| self.places.get(at).root == root) {
                self.st.join_all(id);
            }
        }
    }

    /// Handles of all that was started in the group.
    pub(super) fn group_handles(&self, group: LoopId) -> Val {
        let mut handles = Val { open: false, ..Val::unknown(Ty::Unknown) };
        self.heap.facts.look_at(Fact::Members(group));
        for &context in self.scope_members.get(&group).into_iter().flatten() {
            handles.alts.push(Kind::Handle(HandleValue { context, each_of: None, part: None }));
        }
        handles
    }

    /// The scope or group that a value stands for, also behind handles.
    pub(super) fn scope_of(&mut self, value: &Val) -> Option<LoopId> {
        const MOST_HANDLES: usize = 4;
        let mut value = value.clone();
        for _ in 0..MOST_HANDLES {
            let mut next = None;
            for kind in &value.alts {
                match kind {
                    Kind::Scope(scope) => return Some(*scope),
                    Kind::Pointer(place, _) => next = Some(*place),
                    Kind::Aggregate(some) if some.variant.is_some_and(|v| self.is_success(v)) => {
                        return some.field(super::expr::field(0)).cloned().and_then(|v| self.scope_of(&v));
                    }
                    _ => {}
                }
            }
            value = self.value_at(next?);
        }
        None
    }

    pub(super) fn hold(&mut self, lock: PlaceId, mode: Mode, id: HoldId) {
        self.hold_one(lock, mode, id, Reach::One);
    }

    /// Takes a lock, or one of several.
    pub(super) fn hold_one(&mut self, lock: PlaceId, mode: Mode, id: HoldId, reach: Reach) {
        if !self.st.locks.iter().any(|h| h.id == id && h.lock == lock) {
            let yields = self.executors.contains(&lock);
            let bit = self.bits_taken.get(&id).copied();
            self.st.locks.push(Hold { lock, mode, id, yields, reach, bit });
        }
    }
}

/// The literal given to a thread builder.
pub(super) fn builder_name(options: &Val) -> Option<Name> {
    let key = super::places::Proj::Field(Name::new("name"));
    let value = super::memory::project(options, key);
    match value.constant() {
        Some(Const::Str(name)) => Some(*name),
        _ => None,
    }
}

/// Whether a method's receiver is the result of another call.
fn calls(body: &Body, receiver: ExprId) -> bool {
    match &body.expr(receiver).kind {
        ExprKind::Call { .. } | ExprKind::MethodCall { .. } => true,
        ExprKind::Field { base: inner, .. }
        | ExprKind::Unary { operand: inner, .. }
        | ExprKind::Borrow { operand: inner, .. }
        | ExprKind::Try(inner)
        | ExprKind::Await(inner) => calls(body, *inner),
        _ => false,
    }
}

fn is_closure(body: &Body, id: ExprId) -> bool {
    matches!(body.expr(id).kind, ExprKind::Closure(_))
}

/// A closure that only calls one function is called like it; `own`: whether the program has one of this name.
fn named_by_callee(closure: &ClosureValue, own: impl Fn(Name) -> bool) -> (String, Naming) {
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
            // What a library's method does is the code that it is given.
            ExprKind::MethodCall { receiver, method, args, .. }
                if !calls(body, *receiver)
                    && (own(*method) || !args.iter().any(|arg| is_closure(body, *arg))) =>
            {
                return (method.to_string(), Naming::Callee);
            }
            _ => break,
        }
    }
    ("closure".to_owned(), Naming::None)
}
