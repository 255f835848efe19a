//! Calls: of functions, closures, constructors and library functions. A call enters the callee.

use super::pattern::Subject;
use super::recursion::MAX_CALLS;
use super::scopes::ScopeKind;
use super::values::{Deps, FutureValue, Kind, Val};
use super::{CallFrame, CalleeKey, Cx, Frame, Interp};
use crate::finding::Location;
use crate::hir::{self, ExprId, ExprKind, Name, Pat};
use crate::models::FnModelId;
use crate::resolve::{FnId, LocalId, Res, Subst, TraitRef, Ty};
use std::rc::Rc;

/// Calls nest no deeper.
pub(super) const MAX_DEPTH: u32 = 40;
/// Parameters are numbered from here where expressions are numbered too.
pub(super) const FIRST_PARAM: u32 = 1 << 31;

impl Interp<'_> {
    pub(super) fn eval_call(&mut self, cx: &Cx, id: ExprId, callee: ExprId, args: &[ExprId]) -> Val {
        let res = match &cx.body.body.expr(callee).kind {
            ExprKind::Path(path) => Some(cx.body.path(path.id)),
            _ => None,
        };
        let target = match &res {
            None | Some(Res::Local(_) | Res::Static(_) | Res::Const(_)) => Some(self.eval(cx, callee)),
            Some(_) => None,
        };
        self.want_arguments(cx, res, args);
        let values: Vec<Val> = args.iter().map(|a| self.eval(cx, *a)).collect();
        if !self.st.reachable {
            return Val::bottom();
        }
        match (target, res) {
            (Some(target), _) => self.call_value(cx, id, target, values),
            (None, Some(res)) => self.call_path(cx, id, res, values),
            (None, None) => Val::unknown(Ty::Unknown),
        }
    }

    fn call_path(&mut self, cx: &Cx, id: ExprId, res: &Res, args: Vec<Val>) -> Val {
        match res {
            Res::Fn(function, generics) => {
                let subst = self.fn_subst(cx, *function, generics);
                self.call_fn(cx, id, *function, subst, None, args)
            }
            Res::Assoc { ty, of_trait, name, args: generics } => {
                let ty = self.normalized(&cx.subst.apply(ty));
                self.call_assoc(cx, id, ty, of_trait.as_ref(), *name, generics, args)
            }
            Res::TraitItem { of_trait, name, args: generics } => {
                let ty = match args.first() {
                    Some(first) => self.receiver_ty(first),
                    None => self.wanted_at(cx, id),
                };
                self.call_assoc(cx, id, ty, Some(of_trait), *name, generics, args)
            }
            Res::Ext(path, _) => match self.model_of(*path) {
                Some(model) => self.apply_model(cx, id, model, None, &Ty::Unknown, args),
                None => match self.constructor(*path, &args) {
                    Some(value) => value,
                    None => self.opaque_call(cx, id, None, args),
                },
            },
            other => {
                let target = self.path_value(cx, other);
                self.call_value(cx, id, target, args)
            }
        }
    }

    /// A variant of a library's enum, called.
    fn constructor(&mut self, path: Name, args: &[Val]) -> Option<Val> {
        let (owner, last) = path.as_str().rsplit_once("::")?;
        let is_variant = last.starts_with(char::is_uppercase)
            && owner.rsplit("::").next()?.starts_with(char::is_uppercase);
        if !is_variant {
            return None;
        }
        let ty = Ty::named(Name::new(owner), args.iter().map(|a| a.ty.clone()).collect());
        let fields = args.iter().enumerate().map(|(n, v)| (super::expr::field(n), v.clone())).collect();
        Some(Val::aggregate(Some(Name::new(last)), fields, ty))
    }

    /// The type whose methods a first argument selects: behind references.
    fn receiver_ty(&mut self, value: &Val) -> Ty {
        let mut ty = value.ty.clone();
        for (place, _) in value.pointers() {
            let known = self.places.get(place).ty.clone();
            if !known.is_unknown() {
                return known;
            }
        }
        while let Ty::Ref { inner, .. } = &ty {
            ty = (**inner).clone();
        }
        ty
    }

    #[allow(clippy::too_many_arguments)]
    fn call_assoc(
        &mut self,
        cx: &Cx,
        id: ExprId,
        ty: Ty,
        of_trait: Option<&TraitRef>,
        name: Name,
        generics: &[Ty],
        args: Vec<Val>,
    ) -> Val {
        let found = self.program.assoc_fns(&ty, of_trait, name);
        if !found.is_empty() {
            return self.each_called(found, args, |this, method, mut args| {
                let mut subst = method.subst;
                this.bind_generics(cx, method.id, generics, &mut subst);
                let takes_self = this.program.sig(method.id).self_ty.is_some();
                let self_arg = (takes_self && !args.is_empty()).then(|| args.remove(0));
                this.call_fn(cx, id, method.id, subst, self_arg, args)
            });
        }
        if let Ty::Adt(adt, adt_args) = &ty {
            let def = &self.program.adts[adt.index()];
            if def.variants.iter().any(|v| v.name == name) {
                return self.constructed(Some(name), args, Ty::Adt(*adt, adt_args.clone()));
            }
        }
        let model = self.models.method_owner(&ty).and_then(|owner| self.models.type_method(owner, name));
        let model = model.or_else(|| of_trait.is_some().then(|| self.models.any_method(name)).flatten());
        if let Some(model) = model {
            let takes_self = self.models.fn_model(model).self_mode != crate::models::SelfMode::None;
            let mut args = args;
            if let Some(first) = args.first_mut() {
                *first = self.unguarded(cx, id, first.clone(), &ty);
            }
            let self_arg = (takes_self && !args.is_empty()).then(|| args.remove(0));
            return self.apply_model(cx, id, model, self_arg, &ty, args);
        }
        if name == "default" && args.is_empty() {
            return self.default_value(cx, id, ty);
        }
        self.counts.unresolved_calls += 1;
        let mut result = self.opaque_call(cx, id, None, args);
        if name == "new" || name == "default" || name == "from" {
            result.ty = ty;
        }
        result
    }

    /// `#[derive(Default)]`: every field's own default. Types nest, through handles without end.
    pub(super) fn default_value(&mut self, cx: &Cx, id: ExprId, ty: Ty) -> Val {
        const MOST_NESTED: u32 = 8;
        if self.defaults >= MOST_NESTED {
            self.counts.cut += 1;
            return Val::unknown(ty);
        }
        self.defaults += 1;
        let value = self.default_of(cx, id, ty);
        self.defaults -= 1;
        value
    }

    fn default_of(&mut self, cx: &Cx, id: ExprId, ty: Ty) -> Val {
        if matches!(ty, Ty::Adt(..))
            && let [only] = &self.program.assoc_fns(&ty, None, Name::new("default"))[..]
            && self.program.sig(only.id).params.is_empty()
        {
            return self.call_fn(cx, id, only.id, only.subst.clone(), None, Vec::new());
        }
        let Ty::Adt(adt, args) = &ty else {
            if let Some(owner) = self.models.method_owner(&ty)
                && let Some(model) = self.models.type_method(owner, Name::new("default"))
            {
                return self.apply_model(cx, id, model, None, &ty, Vec::new());
            }
            return Val { ty, ..Val::unknown(Ty::Unknown) };
        };
        let def = &self.program.adts[adt.index()];
        if def.variants.len() != 1 {
            return Val::unknown(ty);
        }
        let names: Vec<Name> = def.variants[0].fields.iter().map(|f| f.name).collect();
        const MOST_FIELDS: u32 = 64;
        let mut fields = Vec::new();
        let whole = self.default_part;
        for (at, name) in (1u32..).zip(names) {
            let field_ty = self.program.field_ty(*adt, args, 0, name).unwrap_or(Ty::Unknown);
            if field_ty != ty {
                self.default_part = whole.wrapping_mul(MOST_FIELDS).wrapping_add(at);
                let value = self.default_value(cx, id, field_ty);
                fields.push((super::places::Proj::Field(name), value));
            }
        }
        self.default_part = whole;
        Val::aggregate(None, fields, ty)
    }

    /// Runs one way for each alternative and joins what comes out.
    pub(super) fn each_alternative<T>(
        &mut self,
        alternatives: Vec<T>,
        mut run: impl FnMut(&mut Self, T) -> Val,
    ) -> Val {
        const MOST: usize = 8;
        let count = alternatives.len();
        if count > MOST {
            self.counts.cut += 1;
        }
        if let [_] = &alternatives[..] {
            let value = alternatives.into_iter().next().map(|only| run(self, only));
            return value.filter(|_| self.st.reachable).unwrap_or_else(Val::bottom);
        }
        let before = self.st.clone();
        let mut after: Option<super::state::State> = None;
        let mut result = Val::bottom();
        for alternative in alternatives.into_iter().take(MOST) {
            self.st = before.clone();
            let value = run(self, alternative);
            if self.st.reachable {
                result = result.join(&value);
                super::flow::join_into(&mut after, &self.st);
            }
        }
        match after {
            Some(state) => self.st = state,
            None => self.st.reachable = false,
        }
        result
    }

    /// The same of calls with these arguments.
    pub(super) fn each_called<T>(
        &mut self,
        callees: Vec<T>,
        args: Vec<Val>,
        mut run: impl FnMut(&mut Self, T, Vec<Val>) -> Val,
    ) -> Val {
        if let [_] = &callees[..] {
            let mut given = Some(args);
            return self
                .each_alternative(callees, |this, only| run(this, only, given.take().unwrap_or_default()));
        }
        self.each_alternative(callees, |this, callee| run(this, callee, args.clone()))
    }

    fn fn_subst(&mut self, cx: &Cx, id: FnId, generics: &[Ty]) -> Subst {
        let mut subst = Subst::default();
        self.bind_generics(cx, id, generics, &mut subst);
        subst
    }

    fn bind_generics(&mut self, cx: &Cx, id: FnId, generics: &[Ty], subst: &mut Subst) {
        if generics.is_empty() {
            return;
        }
        let program = self.program;
        let params = program.fn_def(id).generics.iter();
        let named = params.filter(|p| program.params[p.index()].kind == hir::GenericParamKind::Type);
        for (param, ty) in named.zip(generics) {
            let ty = self.normalized(&cx.subst.apply(ty));
            if !ty.is_unknown() {
                subst.insert(*param, ty);
            }
        }
    }

    /// The value of a path that isn't a local or static.
    pub(super) fn path_value(&mut self, cx: &Cx, res: &Res) -> Val {
        match res {
            Res::Fn(id, generics) => {
                let subst = self.fn_subst(cx, *id, generics);
                Val::of(Kind::Fn(*id, Rc::new(subst)), Ty::Unknown)
            }
            Res::Const(id) => self.const_value(*id),
            Res::Variant(adt, variant, args) => {
                let def = &self.program.adts[adt.index()];
                let found = &def.variants[*variant as usize];
                let is_enum = def.kind == hir::AdtKind::Enum;
                let ty = Ty::Adt(*adt, args.clone());
                let name = is_enum.then_some(found.name);
                match found.shape {
                    hir::VariantShape::Tuple => Val::of(Kind::Constructor(name, ty), Ty::Unknown),
                    _ => Val::aggregate(name, Vec::new(), ty),
                }
            }
            Res::Ext(path, _) => self.library_value(*path),
            Res::Assoc { ty, name, of_trait, args } => {
                let ty = self.normalized(&cx.subst.apply(ty));
                self.assoc_value(cx, ty, of_trait.as_ref(), *name, args)
            }
            _ => Val::unknown(Ty::Unknown),
        }
    }

    fn library_value(&mut self, path: Name) -> Val {
        if let Some(known) = self.library_values.get(&path) {
            return known.clone();
        }
        let value = self.value_of_library(path);
        self.library_values.insert(path, value.clone());
        value
    }

    /// The model of a library's function.
    fn model_of(&mut self, path: Name) -> Option<FnModelId> {
        *self.library_functions.entry(path).or_insert_with(|| self.models.function(path))
    }

    fn value_of_library(&self, path: Name) -> Val {
        let Some((owner, last)) = path.as_str().rsplit_once("::") else { return Val::unknown(Ty::Unknown) };
        let variant = last.starts_with(char::is_uppercase)
            && owner.rsplit("::").next().is_some_and(|o| o.starts_with(char::is_uppercase));
        if let Some(model) = self.models.function(path) {
            // A variant without fields is a value, whatever describes it as a function.
            let unit = variant && self.models.fn_model(model).params.is_empty();
            if !unit {
                return Val::of(Kind::Model(model), Ty::Unknown);
            }
        }
        if !variant {
            return Val::unknown(Ty::Unknown);
        }
        let name = Name::new(last);
        let ty = Ty::named(Name::new(owner), Vec::new());
        if [self.names.some, self.names.ok, self.names.err].contains(&name) {
            return Val::of(Kind::Constructor(Some(name), ty), Ty::Unknown);
        }
        Val::aggregate(Some(name), Vec::new(), ty)
    }

    fn assoc_value(
        &mut self,
        cx: &Cx,
        ty: Ty,
        of_trait: Option<&TraitRef>,
        name: Name,
        generics: &[Ty],
    ) -> Val {
        if let Some(id) = self.program.assoc_const(&ty, name) {
            return self.const_value(id);
        }
        if let Ty::Prim(integer) = &ty
            && let Some(limit) = super::arithmetic::limit(*integer, name)
        {
            return Val::of(Kind::Const(limit), ty);
        }
        let mut value: Option<Val> = None;
        for method in self.program.assoc_fns(&ty, of_trait, name) {
            let mut subst = method.subst;
            self.bind_generics(cx, method.id, generics, &mut subst);
            let one = Val::of(Kind::Fn(method.id, Rc::new(subst)), Ty::Unknown);
            value = Some(value.map_or(one.clone(), |old: Val| old.join(&one)));
        }
        if let Some(value) = value {
            return value;
        }
        if let Ty::Adt(adt, _) = &ty {
            let def = &self.program.adts[adt.index()];
            if let Some(variant) = def.variants.iter().find(|v| v.name == name) {
                return match variant.shape {
                    hir::VariantShape::Tuple => Val::of(Kind::Constructor(Some(name), ty), Ty::Unknown),
                    _ => Val::aggregate(Some(name), Vec::new(), ty),
                };
            }
        }
        let model = self.models.method_owner(&ty).and_then(|owner| self.models.type_method(owner, name));
        match model {
            Some(model) => Val::of(Kind::Model(model), Ty::Unknown),
            None => Val::unknown(ty),
        }
    }

    /// A constant's value: every mention makes a new one.
    fn const_value(&mut self, id: crate::resolve::ConstId) -> Val {
        let ty = self.program.consts[id.index()].ty.clone();
        let Some(body) = self.program.const_init(id) else { return Val::unknown(ty) };
        let mut value = self.evaluate_apart(body).unwrap_or_else(|| Val::unknown(ty.clone()));
        if value.ty.is_unknown() || matches!(value.ty, Ty::Prim(_)) {
            value.ty = ty;
        }
        value
    }

    /// Calls whatever a value may be.
    pub(super) fn call_value(&mut self, cx: &Cx, id: ExprId, target: Val, args: Vec<Val>) -> Val {
        let mut callees: Vec<Kind> = Vec::new();
        self.callables(&target, &mut callees, 0);
        if callees.is_empty() {
            self.counts.unresolved_calls += 1;
            return self.opaque_call(cx, id, None, args);
        }
        let deps = target.deps.clone();
        self.each_called(callees, args, |this, kind, args| match kind {
            Kind::Closure(closure) => this.call_closure(cx, id, &closure, args),
            Kind::Fn(function, subst) => {
                let takes_self = this.program.sig(function).self_ty.is_some();
                let mut args = args;
                let self_arg = (takes_self && !args.is_empty()).then(|| args.remove(0));
                this.call_fn(cx, id, function, (*subst).clone(), self_arg, args)
            }
            Kind::Model(model) => {
                let takes_self = this.models.fn_model(model).self_mode != crate::models::SelfMode::None;
                let mut args = args;
                let self_arg = (takes_self && !args.is_empty()).then(|| args.remove(0));
                let ty = self_arg.as_ref().map_or(Ty::Unknown, |a| this.receiver_ty(a));
                this.apply_model(cx, id, model, self_arg, &ty, args)
            }
            Kind::Constructor(name, ty) => this.constructed(name, args, ty),
            _ => Val::unknown(Ty::Unknown),
        })
        .with_deps(&deps)
    }

    /// A tuple struct or variant of the program.
    fn constructed(&mut self, variant: Option<Name>, args: Vec<Val>, ty: Ty) -> Val {
        let fields = args.into_iter().enumerate().map(|(n, value)| {
            let field = super::expr::field(n);
            (field, self.as_declared(value, &self.part_ty(&ty, field)))
        });
        Val::aggregate(variant, fields.collect(), ty.clone())
    }

    /// The callable alternatives of a value, also behind boxes and references.
    pub(super) fn callables(&mut self, target: &Val, found: &mut Vec<Kind>, depth: u32) {
        for kind in &target.alts {
            match kind {
                Kind::Closure(_) | Kind::Fn(..) | Kind::Model(_) | Kind::Constructor(..) => {
                    found.push(kind.clone())
                }
                Kind::Pointer(place, _) if depth < 4 => {
                    let inner = self.value_at(*place);
                    self.callables(&inner, found, depth + 1);
                }
                Kind::Aggregate(aggregate)
                    if depth < 4 && aggregate.variant.is_some_and(|v| v == self.names.some) =>
                {
                    for (_, field) in &aggregate.fields {
                        self.callables(field, found, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }

    /// Enters a function of the program.
    pub(super) fn call_fn(
        &mut self,
        cx: &Cx,
        site: ExprId,
        id: FnId,
        subst: Subst,
        self_arg: Option<Val>,
        args: Vec<Val>,
    ) -> Val {
        let def = self.program.fn_def(id);
        let mut subst = subst;
        if let (Some(ty), Some(value)) = (&def.sig(self.program).self_ty, &self_arg) {
            self.infer(ty, value, &mut subst);
        }
        for (ty, value) in def.sig(self.program).params.iter().zip(&args) {
            self.infer(ty, value, &mut subst);
        }
        if def.item.is_async {
            let call = FutureValue::Call { id, subst: Rc::new(subst), args, self_arg };
            return Val::of(Kind::Future(Rc::new(call)), Ty::Unknown);
        }
        self.enter_fn(cx, site, id, subst, self_arg, args)
    }

    fn infer(&self, pattern: &Ty, value: &Val, subst: &mut Subst) {
        if !value.ty.is_unknown() {
            self.program.unify(pattern, &value.ty, subst);
        }
        for (place, _) in value.pointers() {
            let known = &self.places.get(place).ty;
            if let (Ty::Ref { inner, .. }, false) = (pattern, known.is_unknown()) {
                self.program.unify(inner, known, subst);
            }
        }
    }

    pub(super) fn enter_fn(
        &mut self,
        cx: &Cx,
        site: ExprId,
        id: FnId,
        subst: Subst,
        self_arg: Option<Val>,
        args: Vec<Val>,
    ) -> Val {
        let def = self.program.fn_def(id);
        let ret = self.normalized(&subst.apply(&def.sig(self.program).ret));
        let depth = self.frames.get(cx.frame).depth;
        let nested = self.stack.iter().filter(|call| call.function == Some(id)).count();
        let skipped = self.leaves_alone(id, &ret, self_arg.as_ref(), &args);
        if skipped || depth >= MAX_DEPTH || nested >= MAX_CALLS {
            if !skipped && depth >= MAX_DEPTH {
                self.counts.cut += 1;
            }
            let quiet = skipped && !self.st.control.is_empty() && self.is_quiet(id);
            if !quiet {
                self.act(cx, site);
            }
            let given =
                args.iter().chain(&self_arg).fold(Deps::default(), |all, arg| all.join(&arg.all_deps()));
            let mut result = self.lent_to(cx, site, self_arg, args);
            if skipped {
                // It touches nothing that is shared: a function of its arguments.
                let made = Deps::of_function(id);
                result.deps = result.deps.without(&self.elsewhere(cx, site.0)).join(&made);
            } else if nested >= MAX_CALLS {
                // What it touches, the calls round it do too: for the rest it is a function of its arguments.
                result.deps = given;
            }
            result.ty = ret;
            return result;
        }
        if !self.affords(id) {
            return Val::bottom();
        }
        let Some(body) = self.program.body(id) else {
            // Declared, not written, here: a library's, by a name that all libraries share.
            let foreign = Name::new(&format!("extern::{}", def.name));
            if let Some(model) = self.models.function(foreign) {
                return self.apply_model(cx, site, model, self_arg, &Ty::Unknown, args);
            }
            let mut result = self.opaque_call(cx, site, self_arg, args);
            result.ty = ret;
            return result;
        };
        let last_level = nested > 0 && nested + 1 == MAX_CALLS;
        let args = if last_level { self.widened_args(cx, site, id, args) } else { args };
        let called_at = Some(self.call_location(cx, site));
        let context = self.context;
        let key = (Ok(cx.frame), site, CalleeKey::Fn(id));
        let frame = self.intern_frame(key, |depth| Frame {
            context,
            parent: Some(cx.frame),
            called_at,
            function: Some(id),
            captures: None,
            depth,
        });
        let inner = Cx { frame, body, subst: Rc::new(subst) };
        let mut result = self.run_frame(&inner, Some(id), |this| {
            this.bind_params(&inner, site, id, self_arg, args);
            let root = inner.body.body.root;
            this.want(&inner, root, &ret);
            this.eval(&inner, root)
        });
        if !self.stopped {
            self.costs.finish(id);
        }
        result = self.coerced(cx, site, result, &ret);
        if result.ty.is_unknown() || (matches!(result.ty, Ty::Prim(_)) && !ret.is_unknown()) {
            result.ty = ret;
        }
        result
    }

    /// Binds `self` and the parameters' patterns.
    pub(super) fn bind_params(
        &mut self,
        cx: &Cx,
        site: ExprId,
        id: FnId,
        self_arg: Option<Val>,
        args: Vec<Val>,
    ) {
        let def = self.program.fn_def(id);
        if let Some(ty) = &def.sig(self.program).self_ty {
            let ty = cx.subst.apply(ty);
            let mut value = self_arg.unwrap_or_else(|| self.own_receiver(&ty));
            if value.ty.is_unknown() {
                value.ty = ty;
            }
            self.hold_proof(cx, &value.ty);
            self.declare(cx, LocalId(0), value);
        }
        let mut args = args.into_iter();
        for (n, (param, ty)) in def.item.params.iter().zip(&def.sig(self.program).params).enumerate() {
            let ty = cx.subst.apply(ty);
            let given = args.next();
            let mut value = given.unwrap_or_else(|| self.handed_in(cx, FIRST_PARAM + n as u32, &ty));
            value = self.coerced(cx, site, value, &ty);
            if value.ty.is_unknown() || (matches!(value.ty, Ty::Prim(_)) && matches!(ty, Ty::Prim(_))) {
                value.ty = ty;
            }
            self.hold_proof(cx, &value.ty);
            self.bind_param(cx, site, &param.pat, value);
        }
    }

    pub(super) fn bind_param(&mut self, cx: &Cx, site: ExprId, pat: &Pat, value: Val) {
        if matches!(pat, Pat::Wild) && self.needs_drop(&value) {
            // A `_` parameter lives to the function's end.
            let local = super::scopes::temporary(ExprId(u32::MAX >> 1));
            self.st.set_local(cx.frame, local, value);
            self.own_local(cx.frame, local);
            return;
        }
        let range = super::pattern::bound_at(cx, pat).unwrap_or_default();
        let subject = Subject::value(value, site, range);
        self.bind(cx, pat, &subject);
    }

    /// Runs a body in a frame of its own: its scope, its returns.
    pub(super) fn run_frame(
        &mut self,
        cx: &Cx,
        function: Option<FnId>,
        run: impl FnOnce(&mut Self) -> Val,
    ) -> Val {
        self.st.frames.enter(cx.frame, cx.body.locals.len());
        let outer_control = self.st.control.clone();
        let outer_left = self.st.left.clone();
        let exits = std::mem::take(&mut self.exits);
        let extended = std::mem::take(&mut self.extended);
        let draining = self.draining.take();
        let began = self.counts.steps + self.steps;
        let owed = match function {
            Some(_) => self.costs.enter(cx.body.body.exprs.len()),
            None => self.costs.owed_before(),
        };
        self.stack.push(CallFrame { function, returned: None, scopes: self.scopes.len(), began, owed });
        let mut value =
            self.scoped(cx, ScopeKind::Block, |this| this.scoped(cx, ScopeKind::Temporaries, run));
        self.exits = exits;
        self.extended = extended;
        self.draining = draining;
        let returned = self.stack.pop().and_then(|call| call.returned);
        if let Some((state, mut early)) = returned {
            let tells = self.st.reachable && early != value && !may_be_either(&early, &value);
            self.grant((&self.st, &mut value), (&state, &mut early));
            value = if self.st.reachable { value.join(&early) } else { early };
            let (ways, others) = (self.st.ways.clone(), state.ways.clone());
            self.st.join(&state);
            if tells {
                let decided = self.st.control.without(&outer_control);
                let decided = decided.without(&ways.whatever_was_read(&others, &decided));
                value.deps = value.deps.join(&decided);
                self.st.decided_anew(&decided);
                self.act(cx, cx.body.body.root);
            }
        }
        self.costs.leave(owed);
        self.st.frames.leave(cx.frame);
        self.drop_proofs(cx.frame);
        if self.st.reachable {
            self.st.control = outer_control;
            self.st.left = outer_left;
        }
        value
    }

    /// The function name in a call: where contexts are spawned and calls are shown.
    pub(super) fn call_location(&self, cx: &Cx, site: ExprId) -> Location {
        let expr = cx.body.body.expr(site);
        let range = match &expr.kind {
            ExprKind::MethodCall { name_range, .. }
            | ExprKind::Join { name_range, .. }
            | ExprKind::Select { name_range, .. } => *name_range,
            ExprKind::Call { callee, .. } => match &cx.body.body.expr(*callee).kind {
                ExprKind::Path(path) => path.segments.last().map_or(path.range, |s| s.range),
                _ => cx.body.body.expr(*callee).range,
            },
            _ => expr.range,
        };
        cx.location(range)
    }
}

/// What was found out, and not just that it was: the other way may give the same, so this doesn't tell which way was taken.
fn may_be_either(found: &Val, other: &Val) -> bool {
    let several = !found.open && found.alts.len() > 1;
    let in_other = |kind: &Kind| other.alts.iter().any(|k| super::told::looks_like(k, kind));
    several && (other.open || found.alts.iter().all(in_other))
}
