//! Library calls: evaluates a model's effect over the arguments.

mod pointer;
mod sync;
mod written;

use super::access::Effect;
use super::memory::{AccessInfo, Lval};
use super::places::{Index, LoopId, PlaceId, Proj};
use super::state::{Hold, SyncKey, SyncKind};
use super::terms::{Operator, Term};
use super::values::{
    Aggregate, Const, Deps, FutureValue, GuardValue, HoldId, Kind, Mode, Pointer, StageKind, Subject, Test,
    Val,
};
use super::{Cx, Interp};
use crate::finding::AccessKind;
use crate::hir::{ExprId, Name};
use crate::models::{FnModel, FnModelId, Op, OpName, Role, SelfMode, TyExpr};
use crate::resolve::Ty;
use std::rc::Rc;

/// One library call being evaluated.
pub(super) struct Call<'a> {
    pub cx: &'a Cx,
    pub id: ExprId,
    this: Option<Val>,
    args: Vec<Val>,
    /// The model's result type.
    pub ret: Ty,
    /// Shares of a slice made so far.
    shares: u32,
    /// Contexts started so far.
    started: u32,
}

impl Interp<'_> {
    pub(super) fn apply_model(
        &mut self,
        cx: &Cx,
        id: ExprId,
        model: FnModelId,
        this: Option<Val>,
        self_ty: &Ty,
        args: Vec<Val>,
    ) -> Val {
        if !self.models.fn_model(model).is_async {
            return self.apply_now(cx, id, model, this, self_ty, args);
        }
        let made_at = (cx.frame, id);
        let call = FutureValue::Model { model, this, self_ty: self_ty.clone(), args, made_at };
        Val::of(Kind::Future(Rc::new(call)), Ty::Unknown)
    }

    /// The effect, of a function that is awaited too.
    pub(super) fn apply_now(
        &mut self,
        cx: &Cx,
        id: ExprId,
        model: FnModelId,
        this: Option<Val>,
        self_ty: &Ty,
        args: Vec<Val>,
    ) -> Val {
        let models = self.models;
        let model = models.fn_model(model);
        let ret = self.model_ret(model, self_ty, &this, &args);
        let Some(op) = &model.op else {
            return self.plain_model(cx, id, model, this, args, ret);
        };
        let mut call = Call { cx, id, this, args, ret: ret.clone(), shares: 0, started: 0 };
        let held = self.st.locks.len();
        let mut value = self.apply(&mut call, op);
        if !self.st.reachable {
            return Val::bottom();
        }
        if self.st.locks.len() > held && !keeps_locks(op) {
            self.drop_unreturned(held, &value);
        }
        // What a number is put into, or taken out of, is known by the declaration.
        let plain = matches!(
            (&value.ty, &ret),
            (Ty::Prim(_), Ty::Prim(_) | Ty::Ext(..)) | (Ty::Ext(..), Ty::Prim(_))
        );
        let owned = matches!(value.ty, Ty::Ptr { .. }) && self.models.role(&ret) == Role::Owner;
        if owned || value.ty.is_unknown() || plain {
            value.ty = ret;
        } else if let (Ty::Ext(path, args), Ty::Ext(_, declared)) = (&value.ty, &ret)
            && args.iter().all(Ty::is_unknown)
            && !declared.is_empty()
            && matches!(&ret, Ty::Ext(p, _) if p == path)
        {
            value.ty = ret;
        }
        value
    }

    /// What the call locked ends with it, unless its result holds it on.
    fn drop_unreturned(&mut self, before: usize, result: &Val) {
        let mut at = 0;
        self.st.locks.retain(|hold| {
            at += 1;
            at <= before || has_guard(result, hold, 0)
        });
    }

    /// Result type; a constructor without declared arguments gets its type arguments from what it is given.
    fn model_ret(
        &self,
        model: &crate::models::FnModel,
        self_ty: &Ty,
        this: &Option<Val>,
        args: &[Val],
    ) -> Ty {
        let mut self_ty = self_ty.clone();
        if let Ty::Ext(path, given) = &self_ty
            && this.is_none()
            && given.iter().all(Ty::is_unknown)
            && let Some(known) = self.models.type_model(*path)
            && known.params.len() == 1
            && let (Some(param), Some(first)) = (model.params.first(), args.first())
            && let Some(inferred) = inferred_self(param, &first.ty, *path)
        {
            self_ty = inferred;
        }
        self.models.ret_ty(model, &self_ty)
    }

    /// No effect given: lent places are touched, closures run, the result depends on everything.
    fn plain_model(
        &mut self,
        cx: &Cx,
        id: ExprId,
        model: &FnModel,
        this: Option<Val>,
        args: Vec<Val>,
        ret: Ty,
    ) -> Val {
        let mut deps = Deps::default();
        if let Some(this) = this {
            deps = deps.join(&match model.self_mode {
                SelfMode::Ref => self.lend(cx, id, &this, Some(AccessKind::Read)),
                SelfMode::RefMut => self.lend_with(cx, id, &this, Some(AccessKind::Update), &args),
                SelfMode::Value | SelfMode::None => this.all_deps(),
            });
        }
        for (n, arg) in args.iter().enumerate() {
            let lent = match model.params.get(n) {
                Some(TyExpr::Ref(false, _)) => Some(AccessKind::Read),
                Some(TyExpr::Ref(true, _)) => Some(AccessKind::Update),
                _ => None,
            };
            deps = deps.join(&self.lend(cx, id, arg, lent));
        }
        Val::unknown(ret).with_deps(&deps)
    }

    fn apply(&mut self, call: &mut Call, op: &Op) -> Val {
        match op {
            Op::SelfArg => call.this.clone().unwrap_or_else(|| Val::unknown(Ty::Unknown)),
            Op::Arg(n) => call.args.get(*n).cloned().unwrap_or_else(|| Val::unknown(Ty::Unknown)),
            // Names a type where it isn't taken literally.
            Op::Word(word) => Val::unknown(Ty::ext(word.as_str(), Vec::new())),
            Op::Apply(name, args) => {
                let mut values: Vec<Val> = args.iter().map(|a| self.apply(call, a)).collect();
                let typed = *name == OpName::Typed;
                let literal = args.iter().enumerate().find_map(|(at, arg)| match arg {
                    Op::Word(word) if !typed => Some((at, *word)),
                    _ => None,
                });
                let word = literal.map(|(at, word)| {
                    values.remove(at);
                    word
                });
                self.operate(call, *name, word, values)
            }
        }
    }

    fn operate(&mut self, call: &mut Call, name: OpName, word: Option<Name>, values: Vec<Val>) -> Val {
        use OpName as O;
        match name {
            O::Unit => Val::unit(),
            O::Seq => values.into_iter().last().unwrap_or_else(Val::unit),
            O::Fresh => {
                let deps =
                    call.args.iter().chain(&call.this).fold(Deps::default(), |d, v| d.join(&v.all_deps()));
                Val::unknown(Ty::Unknown).with_deps(&deps)
            }
            O::Read | O::Write | O::Fill | O::Clear | O::Update | O::Observe | O::Replace | O::Swap => {
                self.memory_op(call, name, values)
            }
            O::Part | O::Raw | O::Shared | O::Exclusive | O::Global | O::New | O::Wrap | O::Unwrap => {
                self.pointer_op(call, name, word, values)
            }
            O::Either => {
                let of = call.this.as_ref().map_or_else(Deps::default, Val::all_deps);
                self.variant_op(name, values).with_deps(&of)
            }
            O::Some | O::Ok | O::None | O::Err | O::Tuple => self.variant_op(name, values),
            O::Payload
            | O::Inner
            | O::PayloadOrElse
            | O::OkOr
            | O::MapFailure
            | O::PayloadOr
            | O::Success
            | O::IsSuccess
            | O::IsFailure
            | O::PayloadRef
            | O::MapPayload
            | O::AndThen
            | O::OrElse => self.payload_op(call, name, values),
            O::Call | O::MaybeCall => self.closure_op(call, name, values),
            O::TakeElem | O::ElemRef | O::IndexRef | O::Push | O::Extend | O::Shares | O::Share => {
                self.element_op(call, name, values)
            }
            O::First | O::Offset | O::Block => self.array_op(call, name, values),
            O::Size => match values.first() {
                Some(pointer) => self.size_of(call, pointer),
                None => Val::unknown(Ty::Unknown),
            },
            O::Iter
            | O::Parallel
            | O::DrainIter
            | O::Stage
            | O::Each
            | O::Fold
            | O::Drive
            | O::Search
            | O::Collect
            | O::Next
            | O::Find
            | O::Repeat
            | O::Counter
            | O::IterFrom => self.iterator_op(call, name, word, values),
            O::AtomicLoad
            | O::AtomicStore
            | O::AtomicUpdate
            | O::AtomicCas
            | O::AtomicCasOld
            | O::AtomicFetchUpdate
            | O::Fence => self.atomic_op(call, name, word, values),
            O::Lock
            | O::TryLock
            | O::WithLock
            | O::MapGuard
            | O::Remode
            | O::Wait
            | O::WaitWhile
            | O::WaitAtMost
            | O::Without
            | O::Take
            | O::Give => self.lock_op(call, name, word, values),
            O::Drop => {
                for value in values {
                    self.drop_value(call.cx, call.id, value);
                }
                Val::unit()
            }
            O::Forget => values.into_iter().next().unwrap_or_else(Val::unit),
            O::Spawn
            | O::SpawnIn
            | O::Scope
            | O::Join
            | O::SetName
            | O::Run
            | O::Group
            | O::JoinGroup
            | O::JoinNext
            | O::Enter
            | O::JoinHolders
            | O::RunOn
            | O::Await
            | O::Gather
            | O::Provide => self.context_op(call, name, word, values),
            O::OnceCall | O::OnceSet | O::OnceGet => self.once_op(call, name, values),
            O::Channel
            | O::Send
            | O::Recv
            | O::RecvIter
            | O::Barrier
            | O::Release
            | O::Acquire
            | O::Current
            | O::Park
            | O::Unpark => self.order_op(call, name, values),
            O::Typed => match &values[..] {
                [value, named] => Val { ty: named.ty.clone(), ..value.clone() },
                _ => Val::unknown(Ty::Unknown),
            },
            O::Diverge => {
                self.st.reachable = false;
                Val::bottom()
            }
            O::Arith => self.arithmetic(word, values),
        }
    }

    /// The places a pointer argument leads to.
    fn target(&mut self, call: &Call, pointer: &Val) -> Lval {
        self.deref_value(call.cx, pointer, call.id)
    }

    fn info(&self, call: &Call, kind: AccessKind) -> AccessInfo {
        AccessInfo::plain(kind, call.cx.body.body.expr(call.id).range)
    }

    fn memory_op(&mut self, call: &mut Call, name: OpName, mut values: Vec<Val>) -> Val {
        let Some(first) = (!values.is_empty()).then(|| values.remove(0)) else { return Val::unit() };
        let lval = self.target(call, &first);
        match name {
            OpName::Read => {
                if lval.places.is_empty() {
                    return first;
                }
                let info = self.info(call, AccessKind::Read);
                let deps = self.log_lval(call.cx, &lval, &info);
                self.peek(&lval).with_deps(&deps)
            }
            OpName::Observe => {
                let info = self.info(call, AccessKind::Read);
                let deps = self.log_lval(call.cx, &lval, &info);
                Val::unknown(Ty::Unknown).with_deps(&deps)
            }
            OpName::Write => {
                let value = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let mut info = self.info(call, AccessKind::Write);
                if let Some(Const::Int(n)) = value.constant() {
                    info.effect = Some(Effect::Set(*n));
                }
                self.write(call.cx, &lval, value, info);
                Val::unit()
            }
            OpName::Fill => {
                let info = self.info(call, AccessKind::Read);
                let deps = self.log_lval(call.cx, &lval, &info);
                let before = self.st.clone();
                self.decide(&deps);
                let value = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let info = self.info(call, AccessKind::Write);
                // An element: what it held before stays an alternative.
                self.write(call.cx, &lval, value, info);
                self.st.join(&before);
                self.st.control = before.control;
                Val::unit()
            }
            OpName::Clear => {
                let effect = Some(Effect::Set(0));
                let info = AccessInfo { effect, ..self.info(call, AccessKind::Write) };
                self.log_lval(call.cx, &lval, &info);
                Val::unit()
            }
            OpName::Update => {
                let info = self.info(call, AccessKind::Update);
                let deps = self.log_lval(call.cx, &lval, &info);
                Val::unknown(Ty::Unknown).with_deps(&deps)
            }
            OpName::Replace => {
                let value = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let old = self.peek(&lval);
                let mut info = AccessInfo { term: value.symbol(), ..self.info(call, AccessKind::Update) };
                info.data = value.all_deps().join(&lval.deps);
                // Under a key: a function of the key.
                let others = call.args.split_last().map_or(&[][..], |(_, keys)| keys);
                let keys = others.to_vec();
                let keys = keys.iter().fold(Deps::default(), |deps, key| deps.join(&self.lent_deps(key)));
                info.same = self.same_everywhere(&value, &keys);
                let deps = self.log_lval(call.cx, &lval, &info);
                self.store(&lval, value);
                let found = self.found_by(&lval, &deps);
                old.with_deps(&deps).with_term(found)
            }
            _ => {
                let second = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let other = self.target(call, &second);
                let (a, b) = (self.peek(&lval), self.peek(&other));
                let info = self.info(call, AccessKind::Update);
                self.log_lval(call.cx, &lval, &info);
                self.log_lval(call.cx, &other, &info);
                self.store(&lval, b);
                self.store(&other, a);
                Val::unit()
            }
        }
    }

    fn step_of(word: Option<Name>) -> Proj {
        match word.map(Name::as_str) {
            Some("guarded") => Proj::Guarded,
            Some("once") => Proj::Once,
            _ => Proj::Cell,
        }
    }

    fn pointer_op(&mut self, call: &mut Call, name: OpName, word: Option<Name>, mut values: Vec<Val>) -> Val {
        if let (OpName::Global, Some(word)) = (name, word) {
            return self.process_pointer(word, values.pop());
        }
        let Some(first) = values.pop() else {
            return match name {
                OpName::Wrap => Val { open: false, ..Val::unknown(call.ret.clone()) },
                _ => Val::unknown(Ty::Unknown),
            };
        };
        match name {
            OpName::Unwrap => super::memory::project(&first, Self::step_of(word)),
            OpName::Part => {
                let lval = self.target(call, &first);
                let part = self.step_lval(&lval, Self::step_of(word));
                let mut pointer = self.pointer_to(&part, Pointer::Shared);
                pointer.ty = call.ret.clone();
                pointer
            }
            OpName::Raw => repointed(first, Pointer::Raw, &call.ret),
            OpName::Shared => repointed(first, Pointer::Shared, &call.ret),
            OpName::Exclusive => repointed(first, Pointer::Exclusive, &call.ret),
            OpName::New => {
                let how = match self.models.role(&call.ret) {
                    Role::Counted => Pointer::Counted,
                    _ => Pointer::Owner,
                };
                let ty = match &call.ret {
                    Ty::Ext(path, _) => Ty::Ext(*path, [first.ty.clone()].into_iter().collect()),
                    other => other.clone(),
                };
                let deps = first.all_deps();
                let mut first = first;
                if let (true, Ty::Ext(_, args)) = (first.ty.is_unknown(), &call.ret) {
                    first.ty = args.first().cloned().unwrap_or(Ty::Unknown);
                }
                self.allocate(call.cx, call.id, 0, first, how, ty).with_deps(&deps)
            }
            _ => Val::aggregate(None, vec![(Self::step_of(word), first)], call.ret.clone()),
        }
    }

    /// A pointer to what the process has one of, or to the entries that the key may be; unknown keys lead nowhere.
    fn process_pointer(&mut self, name: Name, key: Option<Val>) -> Val {
        let whole = self.process_place(name);
        let Some(key) = key else { return Val::pointer(whole, Pointer::Shared, Ty::Unknown) };
        let mut pointer = Val::unknown(Ty::Unknown).with_deps(&key.all_deps());
        for word in self.words(&key, 0) {
            let entry = self.places.step(whole, Proj::Field(word), &Ty::Unknown);
            pointer.alts.push(Kind::Pointer(entry, Pointer::Shared));
        }
        pointer
    }

    /// The texts that a value may be, also behind references.
    fn words(&mut self, value: &Val, depth: u32) -> Vec<Name> {
        const MAX_REFERENCES: u32 = 3;
        let mut words = Vec::new();
        for kind in &value.alts {
            match kind {
                Kind::Const(Const::Str(word)) => words.push(*word),
                Kind::Pointer(place, _) if depth < MAX_REFERENCES => {
                    let inner = self.value_at(*place);
                    words.extend(self.words(&inner, depth + 1));
                }
                _ => {}
            }
        }
        words
    }

    fn variant_op(&mut self, name: OpName, values: Vec<Val>) -> Val {
        let option = |args: Vec<Ty>| Ty::ext("std::option::Option", args);
        let result = |args: Vec<Ty>| Ty::ext("std::result::Result", args);
        let first = values.first().cloned().unwrap_or_else(Val::unit);
        match name {
            OpName::Some => self.enum_value(self.names.some, first.clone(), option(vec![first.ty])),
            OpName::Ok => self.enum_value(self.names.ok, first.clone(), result(vec![first.ty])),
            OpName::Err => self.enum_value(self.names.err, first, result(Vec::new())),
            OpName::None => Val::aggregate(Some(self.names.none), Vec::new(), option(Vec::new())),
            OpName::Tuple => {
                let ty = Ty::Tuple(values.iter().map(|v| v.ty.clone()).collect());
                Val::aggregate(
                    None,
                    values.into_iter().enumerate().map(|(n, v)| (super::expr::field(n), v)).collect(),
                    ty,
                )
            }
            _ => {
                // Which of them it is depends on what they are made of.
                let deps = values.iter().fold(Deps::default(), |deps, v| deps.join(&v.all_deps()));
                values.into_iter().reduce(|a, b| a.join(&b)).unwrap_or_else(Val::unit).with_deps(&deps)
            }
        }
    }

    pub(super) fn enum_value(&self, variant: Name, payload: Val, ty: Ty) -> Val {
        Val::aggregate(Some(variant), vec![(super::expr::field(0), payload)], ty)
    }

    pub(super) fn is_success(&self, variant: Name) -> bool {
        variant == self.names.ok || variant == self.names.some
    }

    fn is_failure(&self, variant: Name) -> bool {
        variant == self.names.err || variant == self.names.none
    }

    /// What the success variant carries; a value that is no enum passes through.
    pub(super) fn payload(&mut self, value: &Val) -> Val {
        let mut result: Option<Val> = None;
        let mut open = value.open;
        for kind in &value.alts {
            let one = match kind {
                Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_failure(v)) => continue,
                Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_success(v)) => {
                    a.field(super::expr::field(0)).cloned().unwrap_or_else(|| Val::unknown(Ty::Unknown))
                }
                Kind::Moved => continue,
                other => Val::of(other.clone(), value.ty.clone()).with_term(value.term.clone()),
            };
            result = Some(result.map_or(one.clone(), |old| old.join(&one)));
        }
        open |= value.alts.is_empty();
        let inner = match &value.ty {
            Ty::Ext(_, args) => args.first().cloned().unwrap_or(Ty::Unknown),
            _ => Ty::Unknown,
        };
        let mut result = result
            .unwrap_or_else(|| Val { open, ..Val::unknown(inner.clone()) }.with_term(value.term.clone()));
        result.open |= open;
        if result.ty.is_unknown() {
            result.ty = inner;
        }
        let result = self.activated(result);
        result.with_deps(&value.deps)
    }

    fn payload_op(&mut self, call: &mut Call, name: OpName, mut values: Vec<Val>) -> Val {
        if values.is_empty() {
            return Val::unknown(Ty::Unknown);
        }
        let value = values.remove(0);
        let second = values.pop();
        match name {
            OpName::Payload => {
                self.judge(&value.deps);
                let payload = self.payload(&value);
                if payload.is_bottom() {
                    self.st.reachable = false;
                }
                payload
            }
            OpName::Inner => self.payload(&value),
            OpName::PayloadOrElse => {
                let fails = value.open
                    || value.alts.iter().any(
                        |k| matches!(k, Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_failure(v))),
                    );
                let payload = self.payload(&value);
                let (true, Some(f)) = (fails, second) else { return payload };
                let before = self.st.clone();
                let other = self.call_value(call.cx, call.id, f, vec![Val::unknown(Ty::Unknown)]);
                self.st.join(&before);
                payload.join(&other)
            }
            OpName::OkOr => self.ok_or(&value),
            OpName::MapFailure => {
                if let Some(f) = second {
                    let before = self.st.clone();
                    self.call_value(call.cx, call.id, f, vec![Val::unknown(Ty::Unknown)]);
                    self.st.join(&before);
                }
                value
            }
            OpName::PayloadOr => {
                let payload = self.payload(&value);
                second.map_or(payload.clone(), |other| payload.join(&other))
            }
            OpName::Success => {
                let payload = self.payload(&value);
                let some = self.enum_value(
                    self.names.some,
                    payload.clone(),
                    Ty::ext("std::option::Option", vec![payload.ty]),
                );
                let none = Val::aggregate(Some(self.names.none), Vec::new(), Ty::Unknown);
                let fails = value.open
                    || value.alts.iter().any(
                        |k| matches!(k, Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_failure(v))),
                    );
                let result = if fails { some.join(&none) } else { some };
                result.with_deps(&value.deps)
            }
            OpName::IsSuccess | OpName::IsFailure => {
                self.variant_test(call, value, name == OpName::IsFailure)
            }
            OpName::PayloadRef => self.payload_reference(call, &value),
            OpName::MapPayload | OpName::AndThen | OpName::OrElse => self.mapped(call, name, value, second),
            _ => value,
        }
    }

    /// An `Option` as a `Result`.
    fn ok_or(&self, value: &Val) -> Val {
        let mut result = value.clone();
        for kind in &mut result.alts {
            if let Kind::Aggregate(aggregate) = kind {
                let success = aggregate.variant.is_none_or(|v| self.is_success(v));
                let variant = Some(if success { self.names.ok } else { self.names.err });
                *kind = Kind::Aggregate(Rc::new(Aggregate { variant, fields: aggregate.fields.clone() }));
            }
        }
        result.ty = Ty::Unknown;
        result
    }

    fn variant_test(&mut self, call: &mut Call, pointer: Val, negated: bool) -> Val {
        let lval = self.target(call, &pointer);
        let info = self.info(call, AccessKind::Read);
        let deps = self.log_lval(call.cx, &lval, &info);
        let value = self.peek(&lval);
        let success = value
            .alts
            .iter()
            .any(|k| matches!(k, Kind::Aggregate(a) if a.variant.is_none_or(|v| self.is_success(v))));
        let failure = value
            .alts
            .iter()
            .any(|k| matches!(k, Kind::Aggregate(a) if a.variant.is_none_or(|v| self.is_failure(v))));
        let deps = deps.join(&value.deps);
        if !value.open && success != failure {
            return Val::bool(success != negated).with_deps(&deps);
        }
        let mut result = Val::unknown(Ty::Prim(Name::new("bool"))).with_deps(&deps);
        if let [place] = lval.places[..]
            && value.alts.iter().any(|k| matches!(k, Kind::Aggregate(_)))
        {
            result.alts.push(Kind::Test(Rc::new(Test { subject: Subject::Success(place), negated })));
            result.open = false;
        }
        result
    }

    /// `as_ref`, `as_mut`: references to the payload inside.
    fn payload_reference(&mut self, call: &mut Call, pointer: &Val) -> Val {
        let lval = self.target(call, pointer);
        let value = self.peek(&lval);
        let info = self.info(call, AccessKind::Read);
        let deps = self.log_lval(call.cx, &lval, &info);
        let how = pointer.pointers().next().map_or(Pointer::Shared, |(_, how)| how);
        let part = self.step_lval(&lval, super::expr::field(0));
        let reference = self.pointer_to(&part, how);
        let ok =
            value.alts.iter().any(|k| matches!(k, Kind::Aggregate(a) if a.variant == Some(self.names.ok)));
        let variant = if ok { self.names.ok } else { self.names.some };
        let ty = Ty::ext("std::option::Option", vec![reference.ty.clone()]);
        let some = self.enum_value(variant, reference, ty);
        let fails = value.open
            || value
                .alts
                .iter()
                .any(|k| matches!(k, Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_failure(v))));
        let none = Val::aggregate(Some(self.names.none), Vec::new(), Ty::Unknown);
        let result = if fails { some.join(&none) } else { some };
        result.with_deps(&deps)
    }

    /// `map`, `and_then`, `or_else` and their like.
    fn mapped(&mut self, call: &mut Call, name: OpName, value: Val, f: Option<Val>) -> Val {
        let Some(f) = f else { return value };
        let on_success = name != OpName::OrElse;
        let mut result = Val { alts: Default::default(), open: false, ..value.clone() };
        let applies = value.open
            || value.alts.iter().any(|k| match k {
                Kind::Aggregate(a) => a.variant.is_none_or(|v| self.is_success(v) == on_success),
                _ => true,
            });
        for kind in &value.alts {
            if let Kind::Aggregate(a) = kind
                && a.variant.is_some_and(|v| self.is_success(v) != on_success)
            {
                result.alts.push(kind.clone());
            }
        }
        if !applies {
            return result;
        }
        let before = self.st.clone();
        let argument = if on_success { vec![self.payload(&value)] } else { Vec::new() };
        self.decide(&value.deps);
        self.st.sure &= result.alts.is_empty() && !value.open;
        let callable = f.alts.iter().any(|k| {
            matches!(
                k,
                Kind::Closure(_) | Kind::Fn(..) | Kind::Model(_) | Kind::Constructor(..) | Kind::Pointer(..)
            )
        });
        let mapped = match (name, callable) {
            (OpName::AndThen | OpName::OrElse, false) => f,
            _ => self.call_value(call.cx, call.id, f, argument),
        };
        if self.st.reachable {
            self.st.control = before.control.clone();
            self.st.sure = before.sure;
        }
        let wrapped = match name {
            OpName::MapPayload => {
                let ok = value
                    .alts
                    .iter()
                    .any(|k| matches!(k, Kind::Aggregate(a) if a.variant == Some(self.names.ok)));
                let variant = if ok { self.names.ok } else { self.names.some };
                let path = if ok { "std::result::Result" } else { "std::option::Option" };
                let ty = Ty::ext(path, vec![mapped.ty.clone()]);
                self.enum_value(variant, mapped, ty)
            }
            _ => mapped,
        };
        let skipped = !result.alts.is_empty() || value.open;
        if skipped {
            self.st.join(&before);
        }
        result.ty = wrapped.ty.clone();
        let mut result = if result.alts.is_empty() { wrapped } else { result.join(&wrapped) };
        result.open |= value.open;
        result.with_deps(&value.deps)
    }

    fn closure_op(&mut self, call: &mut Call, name: OpName, mut values: Vec<Val>) -> Val {
        if values.is_empty() {
            return Val::unit();
        }
        let f = values.remove(0);
        if name == OpName::Call {
            return self.call_value(call.cx, call.id, f, values);
        }
        let before = self.st.clone();
        let deps = values.iter().fold(Deps::default(), |deps, v| deps.join(&v.deps));
        self.decide(&deps);
        self.st.sure = false;
        let result = self.call_value(call.cx, call.id, f, values);
        self.st.join_decided(&before, &deps);
        self.st.control = before.control;
        self.st.sure = before.sure;
        result
    }

    fn element_op(&mut self, call: &mut Call, name: OpName, mut values: Vec<Val>) -> Val {
        if values.is_empty() {
            return Val::unknown(Ty::Unknown);
        }
        let pointer = values.remove(0);
        let lval = self.target(call, &pointer);
        let how = pointer.pointers().next().map_or(Pointer::Shared, |(_, how)| how);
        match name {
            OpName::TakeElem => {
                // What may find nothing says so; what must find something was told by another look.
                let optional = matches!(&call.ret, Ty::Ext(..));
                let effect = optional.then_some(Effect::Take);
                let info = AccessInfo { effect, ..self.info(call, AccessKind::Update) };
                let deps = self.log_lval(call.cx, &lval, &info);
                let element = self.step_lval(&lval, Proj::Index(Index::Any));
                let mut value = self.peek(&element).with_deps(&deps);
                if !self.st.locks.is_empty() {
                    self.obtain(&value);
                }
                match self.draining {
                    Some(at) => super::iterate::tag_handles(&mut value, at),
                    None => super::iterate::untag_handles(&mut value),
                }
                value
            }
            OpName::Push => {
                let value = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                self.used(&value);
                if !self.st.locks.is_empty() {
                    self.publish(&value);
                }
                let mut info = self.info(call, AccessKind::Update);
                info.data = value.all_deps();
                let deps = self.log_lval(call.cx, &lval, &info);
                for &place in &lval.places {
                    let element = self.places.step(place, Proj::Index(Index::Any), &value.ty);
                    self.store_at(element, value.clone(), false);
                }
                Val::unknown(call.ret.clone()).with_deps(&deps)
            }
            OpName::Extend => {
                let info = self.info(call, AccessKind::Update);
                self.log_lval(call.cx, &lval, &info);
                let elements = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let mut item = self.drive(call.cx, call.id, elements, true, |_, item| item);
                super::iterate::untag_handles(&mut item);
                for &place in &lval.places {
                    let element = self.places.step(place, Proj::Index(Index::Any), &item.ty);
                    self.store_at(element, item.clone(), false);
                }
                Val::unit()
            }
            OpName::Shares => {
                let share = self.share(call, &lval, how, super::places::EACH_SHARE);
                self.iter_over(share)
            }
            OpName::Share => {
                call.shares += 1;
                let which = call.shares;
                self.share(call, &lval, how, which)
            }
            OpName::IndexRef => {
                let key = values.pop();
                let index = key.as_ref().map_or(Index::Any, super::expr::index_of);
                let mut element = self.step_lval(&lval, Proj::Index(index));
                if let Some(key) = key {
                    element.deps = element.deps.join(&self.lent_deps(&key));
                }
                self.element_of(call, &pointer, &element, how)
            }
            _ => {
                let element = self.step_lval(&lval, Proj::Index(Index::Any));
                self.element_of(call, &pointer, &element, how)
            }
        }
    }

    /// A pointer to an element; through a guard, one that holds the lock on. Whether it is there is read, where a lock lets
    /// others change that.
    fn element_of(&mut self, call: &Call, base: &Val, element: &Lval, how: Pointer) -> Val {
        let mut result = self.pointer_to(element, how);
        if element.places.iter().any(|p| self.is_guarded(*p)) {
            let info = self.info(call, AccessKind::Read);
            result.deps = self.log_lval(call.cx, element, &info);
        }
        let Some(&data) = element.places.first() else { return result };
        let guards = base.alts.iter().filter_map(|kind| match kind {
            Kind::Guard(guard) => Some(Kind::Guard(Rc::new(GuardValue { data, ..(**guard).clone() }))),
            _ => None,
        });
        let guards: Vec<Kind> = guards.collect();
        if !guards.is_empty() {
            result.alts = guards.into_iter().collect();
            result.ty = inner_guard(self.models, &call.ret);
        }
        result
    }

    /// A pointer to a part that no other part made by the same call overlaps.
    fn share(&mut self, call: &Call, lval: &Lval, how: Pointer, which: u32) -> Val {
        let at = LoopId { frame: call.cx.frame, expr: call.id };
        let element = self.step_lval(lval, Proj::Index(Index::Share(at, which)));
        self.pointer_to(&element, how)
    }

    fn iterator_op(
        &mut self,
        call: &mut Call,
        name: OpName,
        word: Option<Name>,
        mut values: Vec<Val>,
    ) -> Val {
        let (cx, id) = (call.cx, call.id);
        if values.is_empty() {
            let zero = Val::aggregate(
                None,
                vec![(Proj::Field(Name::new("start")), Val::unit())],
                Ty::ext("std::ops::Range", Vec::new()),
            );
            return self.iterate(cx, id, zero);
        }
        let first = values.remove(0);
        if matches!(
            name,
            OpName::Each | OpName::Search | OpName::Find | OpName::Fold | OpName::Drive | OpName::Collect
        ) && let Some(value) = self.consume_parallel(call, name, &first, &values)
        {
            return value;
        }
        match name {
            OpName::Parallel => self.made_parallel(call, first),
            OpName::Repeat => self.iter_over(first),
            OpName::Find => {
                let f = values.pop();
                let item = self.drive(cx, id, first, false, |this, item| {
                    let Some(f) = &f else { return item };
                    let lval = this.materialize(cx, id, item.clone());
                    let reference = this.pointer_to(&lval, Pointer::Shared);
                    let kept = this.call_value(cx, id, f.clone(), vec![reference]);
                    item.with_deps(&kept.all_deps())
                });
                let mut item = item;
                super::iterate::untag_handles(&mut item);
                let ty = Ty::ext("std::option::Option", vec![item.ty.clone()]);
                let deps = item.all_deps();
                let none = Val::aggregate(Some(self.names.none), Vec::new(), Ty::Unknown);
                self.enum_value(self.names.some, item, ty).join(&none).with_deps(&deps)
            }
            OpName::Iter => self.iterate(cx, id, first),
            OpName::DrainIter => {
                let lval = self.target(call, &first);
                let info = self.info(call, AccessKind::Update);
                let deps = self.log_lval(cx, &lval, &info);
                let element = self.step_lval(&lval, Proj::Index(Index::Any));
                let source = self.peek(&element).with_deps(&deps);
                let all = call.args.first().is_none_or(is_full_range);
                let iter = self.iter_over(source);
                if all { iter } else { self.add_stage(cx, id, StageKind::Partial, iter, (None, None)) }
            }
            OpName::Stage => {
                let kind = stage_kind(word);
                let closure = values.pop();
                self.add_stage(cx, id, kind, first, (values.pop(), closure))
            }
            OpName::Each | OpName::Search => {
                let f = values.pop();
                let complete = name == OpName::Each;
                let result = self.drive(cx, id, first, complete, |this, item| match &f {
                    Some(f) => this.call_value(cx, id, f.clone(), vec![item]),
                    None => item,
                });
                Val::unknown(Ty::Unknown).with_deps(&result.all_deps())
            }
            OpName::Fold => {
                let f = values.pop();
                let init = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let start = super::memory::generalize(&init);
                let result = self.drive(cx, id, first, true, |this, item| match &f {
                    Some(f) => this.call_value(cx, id, f.clone(), vec![start.clone(), item]),
                    None => item,
                });
                start.join(&result)
            }
            OpName::Drive => {
                let result = self.drive(cx, id, first, true, |this, item| {
                    let read = this.observe_pointees(cx, &item, id);
                    item.with_deps(&read)
                });
                Val::unknown(Ty::Unknown).with_deps(&result.all_deps())
            }
            OpName::Collect => self.collect(cx, id, first),
            OpName::Next => self.next_of(call, first),
            _ => {
                let result = self.call_value(cx, id, first, Vec::new());
                self.iter_over(result)
            }
        }
    }

    fn next_of(&mut self, call: &mut Call, pointer: Val) -> Val {
        let at = self.draining.unwrap_or(LoopId { frame: call.cx.frame, expr: call.id });
        let iter = self.iterate(call.cx, call.id, pointer);
        let mut item = self.next_item(call.cx, call.id, at, &iter);
        if self.draining.is_none() {
            super::iterate::untag_handles(&mut item);
        }
        let ty = Ty::ext("std::option::Option", vec![item.ty.clone()]);
        let some = self.enum_value(self.names.some, item, ty);
        some.join(&Val::aggregate(Some(self.names.none), Vec::new(), Ty::Unknown)).with_deps(&iter.deps)
    }

    fn arithmetic(&mut self, word: Option<Name>, values: Vec<Val>) -> Val {
        let ([a, b], Some(op)) = (&values[..], word.and_then(|word| Operator::named(word.as_str()))) else {
            return Val::unknown(Ty::Unknown);
        };
        if let Operator::Binary(op) = op {
            return self.binary(op, a, b);
        }
        let deps = a.all_deps().join(&b.all_deps());
        Val::unknown(a.ty.clone()).with_deps(&deps).with_term(super::expr::applied(op, a, b))
    }
}

/// Takes a lock for which there is no guard.
fn keeps_locks(op: &Op) -> bool {
    match op {
        Op::Apply(name, args) => {
            matches!(name, OpName::Take | OpName::Call | OpName::MaybeCall | OpName::Await | OpName::RunOn)
                || args.iter().any(keeps_locks)
        }
        Op::SelfArg | Op::Arg(_) | Op::Word(_) => false,
    }
}

fn has_guard(value: &Val, hold: &Hold, depth: u32) -> bool {
    const MAX_DEPTH: u32 = 4;
    depth < MAX_DEPTH
        && value.alts.iter().any(|kind| match kind {
            Kind::Guard(guard) => guard.lock == hold.lock && hold.id.meets(guard.hold),
            Kind::Aggregate(aggregate) => aggregate.fields.iter().any(|(_, v)| has_guard(v, hold, depth + 1)),
            _ => false,
        })
}

/// The guard's type in what a call gives.
fn inner_guard(models: &crate::models::Models, ret: &Ty) -> Ty {
    match ret {
        Ty::Ext(_, args) if models.role(ret) != Role::Guard => {
            args.iter().find(|arg| models.role(arg) == Role::Guard).cloned().unwrap_or(Ty::Unknown)
        }
        other => other.clone(),
    }
}

/// How an atomic is written.
struct AtomicWrite {
    kind: AccessKind,
    order: Name,
    effect: Option<Effect>,
    term: Option<Rc<Term>>,
}

/// The type that a constructor is of, by the declared and the given type of its first argument.
fn inferred_self(param: &TyExpr, given: &Ty, path: Name) -> Option<Ty> {
    match (param, given) {
        (TyExpr::SelfTy, Ty::Ext(..)) => Some(given.clone()),
        (TyExpr::Param(0), _) => Some(Ty::Ext(path, [given.clone()].into_iter().collect())),
        (
            TyExpr::Ref(_, inner) | TyExpr::Ptr(_, inner),
            Ty::Ref { inner: ty, .. } | Ty::Ptr { inner: ty, .. },
        ) => inferred_self(inner, ty, path),
        (TyExpr::Ext(..) | TyExpr::Slice(_), _) => Some(Ty::Ext(path, [given.clone()].into_iter().collect())),
        _ => None,
    }
}

/// `..`: a range without bounds.
fn is_full_range(value: &Val) -> bool {
    matches!(value.single(), Some(Kind::Aggregate(range)) if range.fields.is_empty())
}

/// A value as a flag's: numbers as they are, enum variants by their name.
pub(super) fn flag_value(value: &Val) -> Option<i128> {
    match value.single()? {
        Kind::Const(Const::Int(n)) => Some(*n),
        Kind::Const(Const::Bool(b)) => Some(i128::from(*b)),
        Kind::Aggregate(aggregate) if aggregate.fields.is_empty() => {
            let hash = |seed: i128, byte: u8| (seed * 257 + i128::from(byte)) % (1 << 61);
            aggregate.variant.map(|name| name.as_str().bytes().fold(1 << 40, hash))
        }
        _ => None,
    }
}

fn repointed(value: Val, how: Pointer, ret: &Ty) -> Val {
    let mut value = value;
    for kind in &mut value.alts {
        if let Kind::Pointer(_, old) = kind
            && (*old != Pointer::Raw || how == Pointer::Raw)
        {
            *old = how;
        }
    }
    if !ret.is_unknown() {
        value.ty = ret.clone();
    }
    value
}

fn stage_kind(word: Option<Name>) -> StageKind {
    match word.map(Name::as_str) {
        Some("map") => StageKind::Map,
        Some("filter") => StageKind::Filter,
        Some("filter_map") => StageKind::FilterMap,
        Some("flat_map") => StageKind::FlatMap,
        Some("inspect") => StageKind::Inspect,
        Some("enumerate") => StageKind::Enumerate,
        Some("zip") => StageKind::Zip,
        Some("chain") => StageKind::Chain,
        Some("cloned") => StageKind::Cloned,
        Some("flatten") => StageKind::Flatten,
        Some("keyed") => StageKind::Keyed,
        Some("values") => StageKind::Values,
        Some("scan") => StageKind::Scan,
        Some("fold") => StageKind::Fold,
        _ => StageKind::Partial,
    }
}
