//! Tasks: futures, what `.await` does, and the branches of `join!` and `select!`.
//!
//! In: futures that haven't run. Out: their bodies, walked where they are awaited or as contexts of their own.
//! Invariant: of a single-threaded executor's tasks one runs at a time; only a wait that may suspend is a place where
//! another one does, and so only there the executor is given up (`yield_now`).

use super::contexts::ContextId;
use super::flow::join_into;
use super::pattern::Subject;
use super::places::{FrameId, LoopId, PlaceId, Root};
use super::scopes::ScopeKind;
use super::spawn::{Job, RunsOn};
use super::state::{Reach, State};
use super::values::{ClosureValue, FutureValue, Kind, Mode, Pointer, Val};
use super::{CalleeKey, Cx, Frame, Interp};
use crate::finding::Location;
use crate::hir::{Block, BlockKind, ExprId, Name, SelectBranch};
use crate::resolve::Ty;
use std::rc::Rc;

/// Futures are looked for behind so many boxes and pins.
const MAX_BOXES: u32 = 4;

impl Interp<'_> {
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

    /// The futures a value may be, also boxed ones.
    pub(super) fn futures(&mut self, value: &Val, found: &mut Vec<Kind>, depth: u32) {
        for kind in &value.alts {
            match kind {
                Kind::Future(_) => found.push(kind.clone()),
                Kind::Pointer(place, _) if depth < MAX_BOXES => {
                    let inner = self.value_at(*place);
                    self.futures(&inner, found, depth + 1);
                }
                _ => {}
            }
        }
    }

    /// `.await`: the future's body runs here, in this context; a handle is joined; what is no future passes through.
    pub(super) fn await_value(&mut self, cx: &Cx, site: ExprId, value: Val) -> Val {
        let value = self.lent_handle(value);
        if let Some(model) = self.models.method_owner(&value.ty).and_then(|owner| {
            let found = self.models.type_method(owner, Name::new("await"));
            found.filter(|m| self.models.fn_model(*m).op.is_some())
        }) {
            self.yield_now(cx, site);
            let ty = value.ty.clone();
            return self.apply_model(cx, site, model, Some(value), &ty, Vec::new());
        }
        let mut futures = Vec::new();
        self.futures(&value, &mut futures, 0);
        if !futures.is_empty() {
            return self.each_alternative(futures, |this, future| this.run_future(cx, site, &future));
        }
        self.yield_now(cx, site);
        if value.alts.iter().any(|k| matches!(k, Kind::Handle(_))) {
            return self.join(&value);
        }
        let own = self.own_future(cx, site, &value);
        if own.is_empty() {
            return value;
        }
        let polled = self.each_alternative(own, |this, future| this.run_future(cx, site, &future));
        super::memory::project(&polled, super::expr::field(0))
    }

    /// The calls that run a value of a type of the program that is a future.
    pub(super) fn own_future(&mut self, cx: &Cx, site: ExprId, value: &Val) -> Vec<Kind> {
        let function = self.models.language.poll;
        if !matches!(value.ty, Ty::Adt(..)) || !self.implements(function, &value.ty) {
            return Vec::new();
        }
        let this = self.allocate(cx, site, 0, value.clone(), Pointer::Owner, Ty::Unknown);
        let context = Val::unknown(Ty::Unknown);
        self.call_later(cx, site, function, &this, &[context]).alts.into_iter().collect()
    }

    /// A future is run by hand: as far as it goes, once.
    pub(super) fn poll_value(&mut self, cx: &Cx, site: ExprId, value: Val) -> Val {
        let mut futures = Vec::new();
        self.futures(&value, &mut futures, 0);
        match futures.is_empty() {
            true => self.opaque_call(cx, site, Some(value), Vec::new()),
            false => self.await_value(cx, site, value),
        }
    }

    /// A handle that is only lent to who waits for it (`&mut handle`) is waited for as well.
    fn lent_handle(&mut self, value: Val) -> Val {
        match value.single() {
            Some(Kind::Pointer(place, _)) => {
                let lent = self.value_at(*place);
                if matches!(lent.single(), Some(Kind::Handle(_))) { lent } else { value }
            }
            _ => value,
        }
    }

    fn run_future(&mut self, cx: &Cx, site: ExprId, future: &Kind) -> Val {
        let Kind::Future(future) = future else { return Val::unknown(Ty::Unknown) };
        match &**future {
            FutureValue::Block(closure) => self.call_closure(cx, site, closure, Vec::new()),
            FutureValue::Call { id, subst, args, self_arg } => {
                self.enter_fn(cx, site, *id, (**subst).clone(), self_arg.clone(), args.clone())
            }
            FutureValue::Ready(value) => value.clone(),
            FutureValue::Model { model, this, self_ty, args, made_at: (frame, call) } => {
                // Of a future that came from elsewhere this body knows only that it is awaited here.
                let site = if *frame == cx.frame { *call } else { site };
                self.yield_now(cx, site);
                self.apply_now(cx, site, *model, this.clone(), self_ty, args.clone())
            }
        }
    }

    /// Remembers a wait for the call it stands in and those that lead there.
    fn note_wait(&mut self, frame: FrameId, at: Location) {
        self.awaits.insert((frame, at));
        let call = self.frames.get(frame);
        if let (Some(parent), Some(called_at)) = (call.parent, call.called_at)
            && !self.awaits.contains(&(parent, called_at))
        {
            self.note_wait(parent, called_at);
        }
    }

    /// The context waits: other tasks of its executor run.
    fn yield_now(&mut self, cx: &Cx, site: ExprId) {
        const FIRST: u32 = 1 << 16;
        let at = cx.location(cx.body.body.expr(site).range);
        self.note_wait(cx.frame, at);
        if !self.st.locks.iter().any(|hold| hold.yields) {
            return;
        }
        let mut locks = std::mem::take(&mut self.st.locks);
        for (n, hold) in locks.iter_mut().filter(|hold| hold.yields).enumerate() {
            hold.id = self.new_hold(cx, site, FIRST + n as u32);
        }
        self.st.locks = locks;
    }

    /// The lock that stands for a single-threaded executor which the context brings along.
    pub(super) fn own_executor(&mut self, context: ContextId) -> PlaceId {
        let frame = self.intern_frame((Err(context), ExprId(u32::MAX), CalleeKey::Body), |depth| Frame {
            context,
            parent: None,
            called_at: None,
            function: None,
            captures: None,
            depth,
        });
        let at = self.contexts.get(context).spawned_at;
        let object = self.object_at((frame, ExprId(u32::MAX), 0), at);
        self.objects.list[object.0 as usize].name = Some(Name::new("executor"));
        let place = self.places.root(Root::Object(object), &Ty::Unknown);
        self.executors.insert(place);
        place
    }

    /// Runs a closure or future here as one of a group: on its executor, if it has one.
    pub(super) fn run_on(&mut self, cx: &Cx, site: ExprId, group: &Val, f: Val) -> Val {
        let group = self.scope_of(group).and_then(|g| self.groups.get(&g).copied());
        let token = group.filter(|g| g.on == RunsOn::LocalExecutor).and_then(|g| g.token);
        let outer = self.executor;
        let fresh = token.filter(|token| !self.st.locks.iter().any(|h| h.lock == *token));
        if let Some(token) = token {
            self.executor = Some(token);
        }
        if let Some(token) = fresh {
            let id = self.new_hold(cx, site, 0);
            self.hold(token, Mode::Exclusive, id);
        }
        let mut futures = Vec::new();
        self.futures(&f, &mut futures, 0);
        let waits = matches!(f.single(), Some(Kind::Handle(_)));
        let result = match futures.is_empty() && !waits {
            true => self.call_value(cx, site, f, Vec::new()),
            false => self.await_value(cx, site, f),
        };
        if let Some(token) = fresh {
            self.st.locks.retain(|hold| hold.lock != token);
        }
        self.executor = outer;
        result
    }

    /// Whether walking the value as a future walks code of the program.
    fn is_user_future(&mut self, value: &Val) -> bool {
        let mut futures = Vec::new();
        self.futures(value, &mut futures, 0);
        let user = |kind: &Kind| match kind {
            Kind::Future(future) => matches!(**future, FutureValue::Block(_) | FutureValue::Call { .. }),
            _ => false,
        };
        futures.iter().any(user)
    }

    /// Starts those of several futures that the program wrote as branches of one task: each runs while the others wait.
    /// Gives their handles, by position.
    fn start_branches(&mut self, cx: &Cx, site: ExprId, futures: &[Val]) -> Vec<Option<Val>> {
        let range = cx.body.body.expr(site).range;
        let object = self.object(cx, site, u32::MAX, range);
        self.objects.list[object.0 as usize].name = Some(Name::new("executor"));
        let token = self.places.root(Root::Object(object), &Ty::Unknown);
        self.executors.insert(token);
        // Whoever waits for them holds its locks for as long as they run.
        let mut holds = vec![(token, Mode::Exclusive)];
        holds.extend(
            self.st.locks.iter().filter(|h| !h.yields && h.reach != Reach::Among).map(|h| (h.lock, h.mode)),
        );
        let mut handles = Vec::new();
        for (n, future) in futures.iter().enumerate() {
            let job = Job { which: n as u32 * 8, holds: holds.clone(), ..Job::of_word("task") };
            let user = self.is_user_future(future);
            handles.push(user.then(|| self.spawn(cx, site, &job, future)));
        }
        handles
    }

    /// `join!`, `try_join!`
    pub(super) fn eval_join(&mut self, cx: &Cx, id: ExprId, branches: &[ExprId]) -> Val {
        let futures: Vec<Val> = branches.iter().map(|b| self.eval(cx, *b)).collect();
        let handles = match futures.len() {
            0 | 1 => vec![None; futures.len()],
            _ => self.start_branches(cx, id, &futures),
        };
        let mut fields = Vec::new();
        for (n, (future, handle)) in futures.into_iter().zip(handles).enumerate() {
            let value = match handle {
                Some(handle) => {
                    self.yield_now(cx, id);
                    self.join(&handle)
                }
                None => self.await_value(cx, id, future),
            };
            fields.push((super::expr::field(n), value));
        }
        Val::aggregate(None, fields, Ty::Unknown)
    }

    pub(super) fn eval_select(
        &mut self,
        cx: &Cx,
        id: ExprId,
        branches: &[SelectBranch],
        else_: Option<ExprId>,
    ) -> Val {
        let futures: Vec<Option<Val>> = branches.iter().map(|b| self.pending(cx, b.future)).collect();
        let known: Vec<Val> = futures.iter().map(|f| f.clone().unwrap_or_else(Val::unit)).collect();
        let handles = match branches.len() {
            0 | 1 => vec![None; branches.len()],
            _ => self.start_branches(cx, id, &known),
        };
        for handle in handles.iter().flatten() {
            // Those that don't come first are dropped.
            self.join(handle);
        }
        let before = self.st.clone();
        let mut after: Option<State> = None;
        let mut value = Val::bottom();
        for ((branch, future), handle) in branches.iter().zip(futures).zip(handles) {
            self.st = before.clone();
            self.st.sure = false;
            let result = match (handle, future) {
                (Some(handle), _) => {
                    self.yield_now(cx, id);
                    self.join(&handle)
                }
                (None, Some(future)) => self.await_value(cx, branch.future, future),
                (None, None) => self.eval(cx, branch.future),
            };
            let range = cx.body.body.expr(branch.future).range;
            let one = self.scoped(cx, ScopeKind::Block, |this| {
                this.bind(cx, &branch.pat, &Subject::value(result, branch.future, range));
                this.eval(cx, branch.handler)
            });
            value = value.join(&one);
            join_into(&mut after, &self.st);
        }
        if let Some(else_) = else_ {
            self.st = before.clone();
            value = value.join(&self.eval(cx, else_));
            join_into(&mut after, &self.st);
        }
        self.st = after.unwrap_or(before);
        value
    }

    /// A branch's future. `None`: it has no future but an effect of its own, which only the branch that is taken has.
    fn pending(&mut self, cx: &Cx, future: ExprId) -> Option<Val> {
        let before = self.st.clone();
        let value = self.eval(cx, future);
        let value = self.lent_handle(value);
        let mut futures = Vec::new();
        self.futures(&value, &mut futures, 0);
        if futures.is_empty() && !value.alts.iter().any(|k| matches!(k, Kind::Handle(_))) {
            self.st = before;
            return None;
        }
        Some(value)
    }

    /// Runs every future of an iterator or collection at the same time, in this task; all have ended afterwards.
    /// `in_turn`: one after the other.
    pub(super) fn gather(&mut self, cx: &Cx, site: ExprId, futures: Val, in_turn: bool) -> Val {
        let ty = Ty::named(self.models.language.vec, Vec::new());
        let element = super::places::Proj::Index(super::places::Index::Any);
        if in_turn {
            let result =
                self.drive(cx, site, futures, true, |this, future| this.await_value(cx, site, future));
            return Val::aggregate(None, vec![(element, result)], ty);
        }
        self.group(cx, site, "task", true, Ty::Unknown);
        let group = LoopId { frame: cx.frame, expr: site };
        let job = Job { group: Some(group), ..Job::of_word("task") };
        self.drive(cx, site, futures, true, |this, future| this.spawn(cx, site, &job, &future));
        self.yield_now(cx, site);
        self.join_group(group);
        let handles = self.group_handles(group);
        let result = self.join(&handles);
        Val::aggregate(None, vec![(element, result)], ty)
    }
}
