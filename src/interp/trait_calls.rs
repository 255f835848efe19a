//! Impls of library traits that the program writes and a library, or the language, calls: what prints a value, makes one of
//! another, hashes or compares the elements of a collection.
//!
//! In: the trait's function, what it is called on or the type that is wanted. Out: the impl is entered like any call. A type without
//! an impl of its own is held to derive it, and its fields' impls are entered. Invariant: impls that touch nothing that matters
//! are passed over.

use super::memory::Lval;
use super::places::{Index, Proj};
use super::values::{FutureValue, Kind, Pointer, Val};
use super::{Cx, Interp};
use crate::hir::{ExprId, ExprKind, Name};
use crate::models::{Op, OpName, Role, SelfMode};
use crate::resolve::{Method, Res, TraitKey, TraitRef, Ty};
use std::rc::Rc;
use std::sync::Arc;

/// Fields and elements are followed no deeper.
const MAX_DEPTH: u32 = 3;

impl Interp<'_> {
    /// Whether the program implements the trait by hand.
    fn is_implemented(&mut self, of: Name) -> bool {
        if let Some(&known) = self.implemented.get(&of) {
            return known;
        }
        let mut impls = self.program.impls.iter();
        let found = impls.any(|imp| imp.trait_.as_ref().is_some_and(|own| own.key == TraitKey::Ext(of)));
        self.implemented.insert(of, found);
        found
    }

    fn impls_for(&self, of: Name, name: Name, ty: &Ty) -> Vec<Method> {
        let of_trait = TraitRef { key: TraitKey::Ext(of), args: Arc::from([]), assoc: Arc::from([]) };
        self.program.assoc_fns(ty, Some(&of_trait), name)
    }

    /// Whether the program has an impl of `function` (`trait::function`) for the type.
    pub(super) fn implements(&mut self, function: Name, ty: &Ty) -> bool {
        let Some((of, name)) = function.as_str().rsplit_once("::") else { return false };
        let of = Name::new(of);
        self.is_implemented(of) && !self.impls_for(of, Name::new(name), ty).is_empty()
    }

    /// A value is formatted.
    pub(super) fn printed(&mut self, cx: &Cx, id: ExprId, value: &Val) {
        for function in self.models.language.print.iter().copied() {
            let text = Val::unknown(Ty::Unknown);
            if self.call_through(cx, id, function, value.clone(), &[text]) {
                return;
            }
        }
    }

    /// The failure that `?` gives back is made one of the function's.
    pub(super) fn converted(&mut self, cx: &Cx, id: ExprId, failure: &Val) {
        let function = self.stack.last().and_then(|call| call.function);
        let Some(Ty::Ext(_, args)) = function.map(|id| &self.program.sig(id).ret) else { return };
        let Some(wanted @ Ty::Adt(..)) = args.get(1) else { return };
        let given = super::memory::project(failure, super::expr::field(0));
        if given.ty != *wanted {
            self.made_by(cx, id, self.models.language.convert, wanted, &[given]);
        }
    }

    /// Calls `function` (`trait::function`) on what a value is or points to, or on its parts.
    pub(super) fn call_through(
        &mut self,
        cx: &Cx,
        id: ExprId,
        function: Name,
        this: Val,
        args: &[Val],
    ) -> bool {
        let Some((of, name)) = function.as_str().rsplit_once("::") else { return false };
        let (of, name) = (Name::new(of), Name::new(name));
        if !self.is_implemented(of) {
            return false;
        }
        let lent = this.pointers().next().is_some();
        let at = if lent { self.deref_value(cx, &this, id) } else { self.materialize(cx, id, this) };
        self.through(cx, id, (of, name), &at, args, 0)
    }

    fn through(
        &mut self,
        cx: &Cx,
        id: ExprId,
        (of, name): (Name, Name),
        at: &Lval,
        args: &[Val],
        depth: u32,
    ) -> bool {
        if depth > MAX_DEPTH || !self.st.reachable {
            return false;
        }
        let ty = match at.places.first() {
            Some(place) if matches!(at.ty, Ty::Unknown | Ty::Param(_)) => self.places.get(*place).ty.clone(),
            _ => at.ty.clone(),
        };
        let parts: Vec<Proj> = match &ty {
            Ty::Ref { .. } => {
                let behind = self.deref(cx, at, id, false);
                return self.through(cx, id, (of, name), &behind, args, depth + 1);
            }
            Ty::Adt(adt, _) => {
                let methods = self.impls_for(of, name, &ty);
                if !methods.is_empty() {
                    self.enter_impls(cx, id, methods, at, args);
                    return true;
                }
                let fields = self.program.adts[adt.index()].variants.iter().flat_map(|v| &v.fields);
                fields.map(|field| Proj::Field(field.name)).collect()
            }
            Ty::Ext(..) if self.models.role(&ty) == Role::Collection => vec![Proj::Index(Index::Any)],
            _ => Vec::new(),
        };
        let mut called = false;
        for part in parts {
            if holds_own(&self.part_ty(&ty, part)) {
                let before = self.st.clone();
                let inner = self.step_lval(at, part);
                called |= self.through(cx, id, (of, name), &inner, args, depth + 1);
                self.st.join(&before);
            }
        }
        called
    }

    fn enter_impls(&mut self, cx: &Cx, id: ExprId, methods: Vec<Method>, at: &Lval, args: &[Val]) {
        let how = match self.self_mode(methods.first()) {
            SelfMode::RefMut => Pointer::Exclusive,
            _ => Pointer::Shared,
        };
        let this = self.pointer_to(at, how);
        let mut methods = methods;
        methods.retain(|method| {
            let ret = method.subst.apply(&self.program.sig(method.id).ret);
            !self.leaves_alone(method.id, &ret, Some(&this), args)
        });
        if methods.is_empty() {
            return;
        }
        self.each_alternative(methods, |interp, method| {
            interp.call_fn(cx, id, method.id, method.subst, Some(this.clone()), args.to_vec())
        });
    }

    /// The calls of `function` (`trait::function`) on what a value points to, for who is started with them.
    pub(super) fn call_later(
        &mut self,
        cx: &Cx,
        id: ExprId,
        function: Name,
        this: &Val,
        args: &[Val],
    ) -> Val {
        let Some((of, name)) = function.as_str().rsplit_once("::") else { return Val::unknown(Ty::Unknown) };
        let at = self.deref_value(cx, this, id);
        let methods = self.impls_for(Name::new(of), Name::new(name), &at.ty);
        let how = match self.self_mode(methods.first()) {
            SelfMode::Ref => Pointer::Shared,
            _ => Pointer::Exclusive,
        };
        let mut calls = Val { open: false, ..Val::unknown(Ty::Unknown) };
        for method in methods {
            let call = FutureValue::Call {
                id: method.id,
                subst: Rc::new(method.subst),
                args: args.to_vec(),
                self_arg: Some(self.pointer_to(&at, how)),
            };
            calls.alts.push(Kind::Future(Rc::new(call)));
        }
        calls
    }

    /// What the impl of `function` for the wanted type makes of the arguments, if the program has one.
    pub(super) fn made_by(
        &mut self,
        cx: &Cx,
        id: ExprId,
        function: Name,
        wanted: &Ty,
        args: &[Val],
    ) -> Option<Val> {
        let (of, name) = function.as_str().rsplit_once("::")?;
        let (of, name) = (Name::new(of), Name::new(name));
        if !self.is_implemented(of) {
            return None;
        }
        let language = &self.models.language;
        let payload = match wanted {
            Ty::Ext(path, args) if *path == language.option || *path == language.result => args.first(),
            other => Some(other),
        };
        let ty = payload.filter(|ty| matches!(ty, Ty::Adt(..)))?.clone();
        let mut methods = self.impls_for(of, name, &ty);
        methods.retain(|method| self.takes(method, args));
        if methods.is_empty() {
            return None;
        }
        Some(self.each_alternative(methods, |interp, method| {
            interp.call_fn(cx, id, method.id, method.subst, None, args.to_vec())
        }))
    }

    fn takes(&self, method: &Method, args: &[Val]) -> bool {
        let params = &self.program.sig(method.id).params;
        params.iter().zip(args).all(|(param, arg)| {
            let vague = arg.ty.is_unknown() || matches!((param, &arg.ty), (Ty::Prim(_), Ty::Prim(_)));
            vague || self.program.unify(param, &arg.ty, &mut method.subst.clone())
        })
    }

    /// The expression's value is wanted as one of this type: remembered for the call that makes it.
    pub(super) fn want(&mut self, cx: &Cx, id: ExprId, ty: &Ty) {
        if !holds_own(ty) {
            return;
        }
        let body = &cx.body.body;
        let mut at = id;
        loop {
            at = match &body.expr(at).kind {
                ExprKind::Try(inner) => *inner,
                ExprKind::Struct { .. } => break,
                ExprKind::Block(block) => match block.tail {
                    Some(tail) => tail,
                    None => return,
                },
                ExprKind::MethodCall { method, .. } if self.relevance.makes(*method) => break,
                ExprKind::MethodCall { receiver, method, .. } if self.gives_payload(*method) => *receiver,
                ExprKind::Call { callee, args } => match &body.expr(*callee).kind {
                    ExprKind::Path(path)
                        if let ([last], [only]) = (&path.segments[..], &args[..])
                            && self.is_success(last.name) =>
                    {
                        *only
                    }
                    ExprKind::Path(path)
                        if path.segments.last().is_some_and(|last| self.relevance.makes(last.name)) =>
                    {
                        break;
                    }
                    _ => return,
                },
                _ => return,
            };
        }
        let ty = self.normalized(&cx.subst.apply(ty));
        self.wanted.insert((cx.frame, at), ty);
    }

    /// The arguments of a call are wanted as its parameters' types.
    pub(super) fn want_arguments(&mut self, cx: &Cx, res: Option<&Res>, args: &[ExprId]) {
        let program = self.program;
        match res {
            Some(Res::Fn(id, _)) => {
                for (arg, ty) in args.iter().zip(&program.sig(*id).params) {
                    self.want(cx, *arg, ty);
                }
            }
            Some(Res::Variant(adt, variant, generics)) => {
                let fields = &program.adts[adt.index()].variants[*variant as usize].fields;
                for (arg, field) in args.iter().zip(fields) {
                    let ty = program.field_ty(*adt, generics, *variant, field.name).unwrap_or(Ty::Unknown);
                    self.want(cx, *arg, &ty);
                }
            }
            _ => {}
        }
    }

    /// The type that a call's value is wanted as: where it goes, or as the call itself says.
    pub(super) fn wanted_at(&mut self, cx: &Cx, id: ExprId) -> Ty {
        if let ExprKind::MethodCall { generic_args, .. } = &cx.body.body.expr(id).kind
            && let [only] = &generic_args[..]
        {
            return self.type_in(cx, only);
        }
        self.wanted.get(&(cx.frame, id)).cloned().unwrap_or(Ty::Unknown)
    }

    /// Whether a method of the library's `Option` or `Result` gives what is inside.
    fn gives_payload(&self, method: Name) -> bool {
        let language = &self.models.language;
        [language.option, language.result].into_iter().any(|owner| {
            let found = self.models.type_method(owner, method);
            let op = found.and_then(|id| self.models.fn_model(id).op.as_ref());
            matches!(op, Some(Op::Apply(OpName::Payload | OpName::PayloadOr | OpName::PayloadOrElse, _)))
        })
    }
}

/// Whether some part of a type is the program's own, or may be.
fn holds_own(ty: &Ty) -> bool {
    match ty {
        Ty::Adt(..) | Ty::Param(_) => true,
        Ty::Ext(_, args) | Ty::Tuple(args) => args.iter().any(holds_own),
        Ty::Ref { inner, .. } | Ty::Array(inner) | Ty::Slice(inner) => holds_own(inner),
        _ => false,
    }
}
