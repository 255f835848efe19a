//! Method calls: autoderef over the receiver until a type has the method. (Reference: "Method-call expressions".)

use super::memory::Lval;
use super::places::Root;
use super::values::{Kind, Pointer, Val};
use super::{Cx, Interp};
use crate::hir::{ExprId, Name, TextRange};
use crate::models::{FnModelId, Role, SelfMode};
use crate::resolve::{Method, Owner, Ty};
use std::sync::Arc;

/// A receiver: a place, or a value that becomes one when it has to.
#[derive(Clone)]
enum Receiver {
    Place(Lval),
    Value(Val),
}

/// What a method name means for a receiver.
enum Target {
    User(Vec<Method>),
    /// A trait's method, for each type that a trait object may be.
    OfSeveral(Vec<(Ty, Method)>),
    Model(FnModelId),
}

const MAX_STEPS: usize = 12;

impl Interp<'_> {
    pub(super) fn eval_method(
        &mut self,
        cx: &Cx,
        id: ExprId,
        receiver: ExprId,
        name: Name,
        _name_range: TextRange,
        args: &[ExprId],
    ) -> Val {
        let mut found = if self.is_place(cx, receiver) {
            Receiver::Place(self.lval(cx, receiver, false))
        } else {
            Receiver::Value(self.eval(cx, receiver))
        };
        if !self.st.reachable {
            return Val::bottom();
        }
        if let Receiver::Value(value) = &found
            && value.alts.iter().any(|k| matches!(k, Kind::Pointer(_, Pointer::Owner)))
        {
            let value = value.clone();
            found = Receiver::Place(self.materialize(cx, receiver, value));
        }
        let first = self.receiver_type(&found);
        let mut autoderefs = 0;
        // The handle that led here: `self: Arc<Self>` takes that.
        let mut handle: Option<Receiver> = None;
        loop {
            let ty = self.receiver_type(&found);
            let target = self
                .of_thread_local(&found, name)
                .or_else(|| self.of_several(&found, name))
                .or_else(|| self.method_target(&ty, name));
            if let Some(target) = target {
                if let Some(handle) = handle
                    && self.takes_handle(&target)
                {
                    found = handle;
                }
                let values = self.arguments(cx, args);
                return self.call_target(cx, id, receiver, found, ty, target, values);
            }
            autoderefs += 1;
            if autoderefs > MAX_STEPS || self.is_address(&ty) {
                break;
            }
            if matches!(self.models.role(&ty), Role::Counted | Role::Owner) {
                handle = Some(found.clone());
            }
            let lval = match &found {
                Receiver::Place(lval) => lval.clone(),
                Receiver::Value(value) if value.alts.iter().any(|k| matches!(k, Kind::Pointer(..))) => {
                    found = Receiver::Place(self.deref_value(cx, &value.clone(), receiver));
                    continue;
                }
                Receiver::Value(value) => self.materialize(cx, receiver, value.clone()),
            };
            let mutable = matches!(&lval.ty, Ty::Adt(..)) && self.wants_mut(&lval.ty, name);
            match self.try_deref(cx, &lval, receiver, mutable) {
                Some(next) if next.places != lval.places || next.ty != lval.ty => {
                    found = Receiver::Place(next)
                }
                _ => {
                    found = Receiver::Place(lval);
                    break;
                }
            }
        }
        let values = self.arguments(cx, args);
        if let Some(field) = self.callable_field(&found, name) {
            return self.call_value(cx, id, field, values);
        }
        if let Some(model) = self.models.any_method(name) {
            return self.call_target(cx, id, receiver, found, first, Target::Model(model), values);
        }
        self.counts.unresolved_methods += 1;
        let this = self.pass_receiver(cx, receiver, found, SelfMode::Ref);
        self.opaque_call(cx, id, Some(this), values)
    }

    /// A raw pointer, which is shown and compared as the number that it is, and which nothing dereferences but `*`.
    pub(super) fn is_address(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ptr { .. }) || self.models.role(ty) == Role::Raw
    }

    /// Whether a method of the program declares its receiver as a handle (`self: Arc<Self>`, `self: &Arc<Self>`).
    fn takes_handle(&self, target: &Target) -> bool {
        let method = match target {
            Target::User(methods) => methods.first(),
            Target::OfSeveral(methods) => methods.first().map(|(_, method)| method),
            Target::Model(_) => None,
        };
        let declared = method.and_then(|m| self.program.sig(m.id).self_ty.as_ref());
        let handle = match declared {
            Some(Ty::Ref { inner, .. }) => &**inner,
            Some(ty) => ty,
            None => return false,
        };
        matches!(self.models.role(handle), Role::Counted | Role::Owner)
    }

    fn arguments(&mut self, cx: &Cx, args: &[ExprId]) -> Vec<Val> {
        args.iter().map(|a| self.eval(cx, *a)).collect()
    }

    fn receiver_type(&mut self, receiver: &Receiver) -> Ty {
        match receiver {
            Receiver::Value(value) => self.value_type(value),
            Receiver::Place(lval) => {
                let of_several = matches!(lval.ty, Ty::Dyn(_)) && self.differ_in_type(&lval.places);
                if matches!(lval.ty, Ty::Unknown | Ty::Dyn(_) | Ty::Param(_) | Ty::Assoc(..)) && !of_several {
                    let value = self.peek(lval);
                    let known = self.value_type(&value);
                    if !known.is_unknown() {
                        return known;
                    }
                }
                lval.ty.clone()
            }
        }
    }

    /// The type by what the value is, where its static type doesn't tell.
    fn value_type(&self, value: &Val) -> Ty {
        if !value.ty.is_unknown() {
            return value.ty.clone();
        }
        match value.alts.first() {
            Some(Kind::Iter(_)) => Ty::named(self.models.language.iterator, Vec::new()),
            Some(Kind::Handle(_)) => Ty::named(self.models.language.join_handle, Vec::new()),
            // Whatever it takes and gives: an extension of all functions is one of these.
            Some(Kind::Closure(_) | Kind::Fn(..)) => Ty::FnPtr(Arc::new((Default::default(), Ty::Unknown))),
            _ => Ty::Unknown,
        }
    }

    /// `DerefMut` is entered where the method behind it takes `&mut self`.
    fn wants_mut(&self, ty: &Ty, name: Name) -> bool {
        let Some(deref) = self.program.methods(ty, Name::new("deref_mut")).into_iter().next() else {
            return false;
        };
        let target = deref.subst.apply(&self.program.sig(deref.id).ret);
        let target = match self.normalized(&target) {
            Ty::Ref { inner, .. } => self.normalized(&inner),
            other => other,
        };
        let target = self.behind_alias(ty, target);
        let user = self.program.methods(&target, name);
        if let Some(method) = user.first() {
            return matches!(self.program.sig(method.id).self_ty, Some(Ty::Ref { mutable: true, .. }));
        }
        let model = self.models.method_owner(&target).and_then(|owner| self.models.type_method(owner, name));
        model.is_some_and(|m| self.models.fn_model(m).self_mode == SelfMode::RefMut)
    }

    fn behind_alias(&self, owner: &Ty, target: Ty) -> Ty {
        match target {
            Ty::Unknown => self.program.assoc_type(owner, None, Name::new("Target")),
            known => known,
        }
    }

    fn method_target(&self, ty: &Ty, name: Name) -> Option<Target> {
        let user = self.program.methods(ty, name);
        if !user.is_empty() {
            return Some(Target::User(user));
        }
        let owner = self.models.method_owner(ty)?;
        self.models.type_method(owner, name).map(Target::Model)
    }

    /// What a thread-local itself offers: its place is that of its value.
    fn of_thread_local(&self, receiver: &Receiver, name: Name) -> Option<Target> {
        let Receiver::Place(lval) = receiver else { return None };
        let [place] = lval.places[..] else { return None };
        let found = self.places.get(place);
        if !matches!(found.root, Root::ThreadLocal(_)) || found.parent.is_some() {
            return None;
        }
        self.models.type_method(self.models.language.thread_local, name).map(Target::Model)
    }

    /// Places of different types are behind a trait object: each has its own impl of the trait's method.
    fn of_several(&self, receiver: &Receiver, name: Name) -> Option<Target> {
        let Receiver::Place(lval) = receiver else { return None };
        let (first, rest) = lval.places.split_first()?;
        let first = &self.places.get(*first).ty;
        if rest.iter().all(|place| &self.places.get(*place).ty == first) {
            return None;
        }
        let mut found: Vec<(Ty, Method)> = Vec::new();
        for place in &lval.places {
            let ty = &self.places.get(*place).ty;
            if !matches!(ty, Ty::Adt(..)) {
                return None;
            }
            if !found.iter().any(|(known, _)| known == ty) {
                found.push((ty.clone(), self.trait_method(ty, name)?));
            }
        }
        Some(Target::OfSeveral(found))
    }

    fn trait_method(&self, ty: &Ty, name: Name) -> Option<Method> {
        let method = self.program.methods(ty, name).into_iter().next()?;
        let of_trait = match self.program.fn_def(method.id).owner {
            Owner::Impl(id) => self.program.impls[id.index()].trait_.is_some(),
            Owner::Trait(_) => true,
            _ => false,
        };
        of_trait.then_some(method)
    }

    #[allow(clippy::too_many_arguments)]
    fn call_target(
        &mut self,
        cx: &Cx,
        id: ExprId,
        receiver: ExprId,
        found: Receiver,
        ty: Ty,
        target: Target,
        args: Vec<Val>,
    ) -> Val {
        match target {
            Target::Model(model) => {
                let mode = self.models.fn_model(model).self_mode;
                let this = self.pass_receiver(cx, receiver, found, mode);
                self.apply_model(cx, id, model, Some(this), &ty, args)
            }
            Target::OfSeveral(methods) => {
                let mode = self.self_mode(methods.first().map(|(_, method)| method));
                let this = self.pass_receiver(cx, receiver, found, mode);
                self.each_called(methods, args, |interp, (ty, method), args| {
                    let this = interp.only_of_type(&this, &ty);
                    interp.call_fn(cx, id, method.id, method.subst, Some(this), args)
                })
            }
            Target::User(methods) => {
                let mode = self.self_mode(methods.first());
                let this = self.pass_receiver(cx, receiver, found, mode);
                let methods = self.stand_ins(cx, id, &ty, methods, (&this, &args));
                self.each_called(methods, args, |interp, method, args| {
                    let this = interp.only_of_impl(&this, &method);
                    interp.call_fn(cx, id, method.id, method.subst, Some(this), args)
                })
            }
        }
    }

    /// How a function of the program takes its receiver.
    pub(super) fn self_mode(&self, method: Option<&Method>) -> SelfMode {
        match method.and_then(|m| self.program.sig(m.id).self_ty.as_ref()) {
            Some(Ty::Ref { mutable: true, .. }) => SelfMode::RefMut,
            Some(Ty::Ref { .. }) | None => SelfMode::Ref,
            Some(_) => SelfMode::Value,
        }
    }

    /// The alternatives of a receiver that are of one type.
    fn only_of_type(&self, this: &Val, ty: &Ty) -> Val {
        let mut narrowed = this.clone();
        narrowed.alts.retain(|kind| match kind {
            Kind::Pointer(place, _) => &self.places.get(*place).ty == ty,
            _ => true,
        });
        if let Ty::Ref { mutable, .. } = narrowed.ty {
            narrowed.ty = Ty::reference(mutable, ty.clone());
        }
        narrowed
    }

    /// For a trait object with several implementations: the alternatives of the receiver that this one is for.
    fn only_of_impl(&self, this: &Val, method: &Method) -> Val {
        let Owner::Impl(imp) = self.program.fn_def(method.id).owner else {
            return this.clone();
        };
        let own = &self.program.impls[imp.index()].self_ty;
        let mut narrowed = this.clone();
        narrowed.alts.retain(|kind| match kind {
            Kind::Pointer(place, _) => match (&self.places.get(*place).ty, own) {
                (Ty::Adt(a, _), Ty::Adt(b, _)) => a == b,
                _ => true,
            },
            _ => true,
        });
        if narrowed.is_bottom() { this.clone() } else { narrowed }
    }

    fn pass_receiver(&mut self, cx: &Cx, receiver: ExprId, found: Receiver, mode: SelfMode) -> Val {
        let range = cx.body.body.expr(receiver).range;
        match (found, mode) {
            (Receiver::Value(value), SelfMode::Value | SelfMode::None) => value,
            (Receiver::Place(lval), SelfMode::Value | SelfMode::None) => {
                let value = self.read(cx, &lval, range);
                self.move_out(&lval, &value);
                value
            }
            (Receiver::Value(value), mode) => {
                let lval = self.materialize(cx, receiver, value);
                self.pointer_to(&lval, pointer_mode(mode))
            }
            (Receiver::Place(lval), mode) => self.pointer_to(&lval, pointer_mode(mode)),
        }
    }

    /// `(self.callback)(…)` written as a method can't be; but a field of closure type behind a user `Deref` can.
    fn callable_field(&mut self, found: &Receiver, name: Name) -> Option<Val> {
        let Receiver::Place(lval) = found else { return None };
        let value = self.peek(lval);
        let known = value.alts.iter().any(|k| matches!(k, Kind::Closure(_) | Kind::Fn(..)));
        (known && (name == "call" || name == "call_mut" || name == "call_once")).then_some(value)
    }
}

fn pointer_mode(mode: SelfMode) -> Pointer {
    match mode {
        SelfMode::RefMut => Pointer::Exclusive,
        SelfMode::Ref | SelfMode::Value | SelfMode::None => Pointer::Shared,
    }
}
