//! Library calls: evaluates a model's effect over the arguments.

mod atomics;
mod elements;
mod plain;
mod pointer;
mod sync;
mod variants;
mod written;

use super::access::Effect;
use super::memory::{AccessInfo, Lval};
use super::places::{Index, LoopId, PlaceId, Proj};
use super::state::{Claim, Hold, Reach, SyncKey, SyncKind};
use super::terms::{Operator, Term};
use super::values::{
    Aggregate, Const, Deps, FutureValue, GuardValue, HoldId, Kind, Mode, Pointer, Subject, Test, Val,
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
    /// What the call finds others to have done, if it finds anything.
    found: Vec<SyncKey>,
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
        let mut call =
            Call { cx, id, this, args, ret: ret.clone(), shares: 0, started: 0, found: Vec::new() };
        let held = self.st.locks.len();
        let mut value = self.apply(&mut call, op);
        if !self.st.reachable {
            return Val::bottom();
        }
        if self.st.locks.len() > held && !keeps_locks(op) {
            self.drop_unreturned(held, &value);
        }
        // What a number or pointer is put into, or taken out of, is known by the declaration.
        let plain = matches!(
            (&value.ty, &ret),
            (Ty::Prim(_), Ty::Prim(_) | Ty::Ext(..)) | (Ty::Ext(..), Ty::Prim(_) | Ty::Ptr { .. })
        );
        let pointer = matches!(value.ty, Ty::Ptr { .. } | Ty::Ref { .. });
        let plain = plain || (pointer && matches!(ret, Ty::Ext(..)) && self.models.role(&ret) == Role::Plain);
        let raw = self.is_raw(&value.ty);
        let owned = raw && matches!(self.models.role(&ret), Role::Owner | Role::Counted);
        if owned || value.ty.is_unknown() || plain {
            value.ty = ret;
        } else if let (Ty::Ext(path, args), Ty::Ext(_, declared)) = (&value.ty, &ret)
            && args.iter().all(Ty::is_unknown)
            && !declared.is_empty()
            && matches!(&ret, Ty::Ext(p, _) if p == path)
        {
            value.ty = ret;
        }
        if call.found.is_empty() { value } else { self.finding(value, call.found) }
    }

    /// What the call locked ends with it, unless its result holds it on.
    fn drop_unreturned(&mut self, before: usize, result: &Val) {
        let mut at = 0;
        self.st.locks.retain(|hold| {
            at += 1;
            at <= before || hold.has_guard_in(result, 0)
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
            Op::Word(word) => Val::unknown(Ty::named(*word, Vec::new())),
            Op::Apply(OpName::Attempt, args) => self.attempt(call, args),
            Op::Apply(OpName::Outcome, args) => self.outcome(call, args),
            Op::Apply(OpName::Make, args) => self.make(call, args),
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
            O::Zero => Val::of(Kind::Const(Const::Int(0)), call.ret.clone()),
            // What nobody sees put in may be in it some day.
            O::Empty => Val { open: true, ..Val::aggregate(None, Vec::new(), call.ret.clone()) },
            O::Off => Val::of(Kind::Const(Const::Bool(false)), call.ret.clone()),
            O::Default => {
                let held = |ty: &Ty| match ty {
                    Ty::Ext(_, args) => args.first().cloned().unwrap_or(Ty::Unknown),
                    _ => Ty::Unknown,
                };
                // What the expression is wanted for says nothing of the parts of a default.
                let wanted = if self.defaults == 0 { self.wanted_at(call.cx, call.id) } else { Ty::Unknown };
                let held = held(&call.ret).refined(&held(&wanted));
                self.default_value(call.cx, call.id, held)
            }
            O::Read | O::Write | O::Fill | O::Clear | O::Update | O::Observe | O::Replace | O::Swap => {
                self.memory_op(call, name, values)
            }
            O::Part
            | O::Raw
            | O::Shared
            | O::Exclusive
            | O::Own
            | O::Global
            | O::New
            | O::Wrap
            | O::Unwrap => self.pointer_op(call, name, word, values),
            O::Either => {
                let of = call.this.as_ref().map_or_else(Deps::default, Val::all_deps);
                self.variant_op(name, values).with_deps(&of)
            }
            O::Some | O::Ok | O::None | O::Err | O::Tuple | O::Attempt | O::Outcome => {
                self.variant_op(name, values)
            }
            O::Through => match (word, values.split_first()) {
                (Some(function), Some((this, args))) => {
                    self.call_through(call.cx, call.id, function, this.clone(), args);
                    Val::unit()
                }
                _ => Val::unit(),
            },
            O::Later => match (word, values.split_first()) {
                (Some(function), Some((this, args))) => {
                    self.call_later(call.cx, call.id, function, this, args)
                }
                _ => Val::unknown(Ty::Unknown),
            },
            O::Make => Val::unknown(Ty::Unknown),
            O::Variant => {
                let fields = values.into_iter().map(|payload| (super::expr::field(0), payload));
                Val::aggregate(word, fields.collect(), call.ret.clone())
            }
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
            O::IfTrue => self.if_true(call, values),
            O::Call | O::MaybeCall => self.closure_op(call, name, values),
            O::TakeElem
            | O::Split
            | O::TakeKey
            | O::ElemRef
            | O::IndexRef
            | O::KeyRef
            | O::Push
            | O::Extend
            | O::Shares
            | O::Share => self.element_op(call, name, values),
            O::First | O::Offset | O::Block | O::Span => self.array_op(call, name, values),
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
            | O::Compare
            | O::Repeat
            | O::Counter
            | O::IterFrom => self.iterator_op(call, name, word, values),
            O::AtomicLoad
            | O::AtomicStore
            | O::AtomicUpdate
            | O::AtomicCas
            | O::AtomicCasWeak
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
            | O::Poll
            | O::Gather
            | O::Provide => self.context_op(call, name, word, values),
            O::OnceCall | O::OnceSet | O::OnceGet => self.once_op(call, name, values),
            O::Channel
            | O::Send
            | O::Recv
            | O::RecvCopy
            | O::RecvIter
            | O::RecvReady
            | O::Closed
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

    /// What the program's impl for the wanted type makes of the arguments; without one, what the library does.
    fn make(&mut self, call: &mut Call, args: &[Op]) -> Val {
        let [Op::Word(function), other, given @ ..] = args else { return Val::unknown(Ty::Unknown) };
        let wanted = self.wanted_at(call.cx, call.id);
        if !wanted.is_unknown() {
            let given: Vec<Val> = given.iter().map(|arg| self.apply(call, arg)).collect();
            if let Some(made) = self.made_by(call.cx, call.id, *function, &wanted, &given) {
                return made;
            }
        }
        let mut made = self.apply(call, other);
        if made.ty.is_unknown() && self.models.role(&wanted) == Role::Collection {
            made.ty = wanted;
        }
        made
    }

    /// The places a pointer argument leads to.
    fn target(&mut self, call: &Call, pointer: &Val) -> Lval {
        self.deref_value(call.cx, pointer, call.id)
    }

    fn info(&self, call: &Call, kind: AccessKind) -> AccessInfo {
        AccessInfo::plain(kind, call.cx.body.body.expr(call.id).range)
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

    fn arithmetic(&mut self, word: Option<Name>, values: Vec<Val>) -> Val {
        let [a, b] = &values[..] else { return Val::unknown(Ty::Unknown) };
        if word.is_some_and(|word| word == "leading_zeros") {
            return Val::unknown(Ty::Unknown).with_deps(&a.all_deps()).with_term(leading_zeros(a));
        }
        let Some(op) = word.and_then(|word| Operator::named(word.as_str())) else {
            return Val::unknown(Ty::Unknown);
        };
        if let Operator::Binary(op) = op {
            return self.binary(op, a, b);
        }
        let deps = a.all_deps().join(&b.all_deps());
        let mut term = super::arithmetic::applied(op, a, b);
        let mut limit = None;
        if op == Operator::Min {
            term = self.at_most(a, b).or(term);
            limit = super::portions::lesser(a, b);
        }
        let value = limit.map_or_else(|| Val::unknown(a.ty.clone()), |kind| Val::of(kind, a.ty.clone()));
        value.with_deps(&deps).with_term(term)
    }
}

/// What a type's bits are more than those up to the highest one that is set.
fn leading_zeros(value: &Val) -> Option<Rc<Term>> {
    let ty = match &value.ty {
        Ty::Ext(_, args) => args.first()?,
        ty => ty,
    };
    let (bits, _) = super::arithmetic::integer_bits(ty)?;
    let highest = super::arithmetic::applied(Operator::Log2, value, value)?;
    Term::apply(
        Operator::Binary(crate::hir::BinaryOp::Sub),
        &Rc::new(Term::Const(i128::from(bits) - 1)),
        &highest,
    )
}

/// Takes a lock for which there is no guard.
fn keeps_locks(op: &Op) -> bool {
    match op {
        Op::Apply(name, args) => {
            matches!(
                name,
                OpName::Take
                    | OpName::Call
                    | OpName::MaybeCall
                    | OpName::IfTrue
                    | OpName::Await
                    | OpName::Poll
                    | OpName::RunOn
            ) || args.iter().any(keeps_locks)
        }
        Op::SelfArg | Op::Arg(_) | Op::Word(_) => false,
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

/// A value as a flag's: numbers as they are, enum variants by their name.
pub(super) fn flag_value(value: &Val) -> Option<i128> {
    match value.single()? {
        Kind::Const(Const::Int(n)) => Some(*n),
        Kind::Const(Const::Bool(b)) => Some(i128::from(*b)),
        Kind::Aggregate(aggregate) if super::told::untold(aggregate).next().is_none() => {
            aggregate.variant.map(super::told::variant_value)
        }
        _ => None,
    }
}
