//! Types of everything declared: signatures, fields, impls, bounds.
//!
//! In: a program with all names in scope, and the types as written. Out: the tables' types, and the index of impls.
//!
//! Steps, each of which needs the ones before: parameters get ids; aliases their types (those they use first);
//! bounds, supertraits, impl heads; the index of impls; associated types; then fields and signatures, in which
//! projections (`Self::Item`) are looked up in the impls. A signature waits until it is asked for, unless it has parameters
//! without a name (`impl Trait` arguments), which get their ids here.

use super::collect::{Collector, Written, type_params};
use super::paths::Env;
use super::ty::no_assoc;
use super::*;
use crate::hir::{self, GenericArg, Generics, ItemKind, Name, SelfParam, Type};
use std::cell::RefCell;
use std::sync::OnceLock;

/// Longest chain of aliases of aliases declared in reverse order that is followed.
const MAX_ALIAS_CHAIN: u32 = 100;

/// Fills in all types.
pub(super) fn lower_signatures(collector: Collector) -> Program {
    let Collector { mut program, written, .. } = collector;
    program.declare_params(&written);
    // Twice: defaults may be aliases, and aliases may leave arguments to defaults.
    Aliases::lower(&mut program, &written);
    program.lower_defaults(&written);
    Aliases::lower(&mut program, &written);
    program.lower_impl_heads(&written);
    program.lower_trait_bounds(&written);
    program.lower_param_bounds(&written);
    program.index.impls = super::impls::ImplIndex::of_heads(&program);
    program.lower_assoc_types(&written);
    program.index.impls = super::impls::ImplIndex::with_members(&program);
    program.lower_adts(&written);
    for i in 0..program.fns.len() {
        program.lower_anonymous(FnId(i as u32));
    }
    program.lower_values();
    program
}

impl Program {
    /// Gives each generic parameter an id.
    fn declare_params(&mut self, written: &Written) {
        for (i, t) in written.traits.iter().enumerate() {
            let self_param = self.new_param(super::scope::WORDS.self_type, hir::GenericParamKind::Type);
            self.traits[i].self_param = self_param;
            self.traits[i].generics = self.new_params(&t.generics);
        }
        for (i, item) in written.impls.iter().enumerate() {
            self.impls[i].generics = self.new_params(&item.generics);
        }
        for (i, adt) in written.adts.iter().enumerate() {
            self.adts[i].generics = self.new_params(&adt.generics);
        }
        for (i, (_, generics, _)) in written.aliases.iter().enumerate() {
            self.aliases[i].generics = self.new_params(generics);
        }
        for i in 0..self.fns.len() {
            let item = self.fns[i].item.clone();
            let mut generics = self.owner_generics(self.fns[i].owner).to_vec();
            generics.extend(self.new_params(&item.generics));
            self.fns[i].generics = generics;
        }
    }

    fn new_params(&mut self, generics: &Generics) -> Vec<ParamId> {
        type_params(generics).map(|p| self.new_param(p.name, p.kind)).collect()
    }

    fn new_param(&mut self, name: Name, kind: hir::GenericParamKind) -> ParamId {
        let id = ParamId(self.params.len() as u32);
        self.params.push(ParamDef { name, kind, bounds: Vec::new(), default: None });
        id
    }

    /// The parameters of the impl or trait that an item stands in.
    pub(super) fn owner_generics(&self, owner: Owner) -> &[ParamId] {
        match owner {
            Owner::Module => &[],
            Owner::Impl(id) => &self.impls[id.index()].generics,
            Owner::Trait(id) => &self.traits[id.index()].generics,
        }
    }

    /// What `Self` means in an item.
    pub(super) fn owner_self(&self, owner: Owner) -> Option<Ty> {
        match owner {
            Owner::Module => None,
            Owner::Impl(id) => Some(self.impls[id.index()].self_ty.clone()),
            Owner::Trait(id) => Some(Ty::Param(self.traits[id.index()].self_param)),
        }
    }

    /// Defaults of the parameters of structs, enums, traits and aliases.
    fn lower_defaults(&mut self, written: &Written) {
        let mut defaults = Vec::new();
        for (item, def) in written.adts.iter().zip(&self.adts) {
            let env = Env { generics: &def.generics, ..Env::of_module(self, def.module) };
            defaults.extend(env.defaults(&item.generics));
        }
        for (item, def) in written.traits.iter().zip(&self.traits) {
            let self_ty = Ty::Param(def.self_param);
            let env =
                Env { generics: &def.generics, self_ty: Some(&self_ty), ..Env::of_module(self, def.module) };
            defaults.extend(env.defaults(&item.generics));
        }
        for ((module, generics, _), def) in written.aliases.iter().zip(&self.aliases) {
            let env = Env { generics: &def.generics, ..Env::of_module(self, *module) };
            defaults.extend(env.defaults(generics));
        }
        for (param, ty) in defaults {
            self.params[param.index()].default = Some(ty);
        }
    }

    /// Self types, traits and predicates of impls.
    fn lower_impl_heads(&mut self, written: &Written) {
        for (i, item) in written.impls.iter().enumerate() {
            let def = &self.impls[i];
            let env = Env { generics: &def.generics, ..Env::of_module(self, def.module) };
            let self_ty = env.ty(&item.self_ty);
            let env = Env { self_ty: Some(&self_ty), ..env };
            let trait_ = item.trait_.as_ref().and_then(|path| env.trait_path(path));
            let predicates = env.predicates(&item.generics);
            self.add_bounds(&predicates);
            let def = &mut self.impls[i];
            (def.self_ty, def.trait_, def.predicates) = (self_ty, trait_, predicates);
        }
    }

    /// Supertraits, and the bounds of traits' parameters; `Self` is bounded by the trait itself.
    fn lower_trait_bounds(&mut self, written: &Written) {
        for (i, item) in written.traits.iter().enumerate() {
            let def = &self.traits[i];
            let self_ty = Ty::Param(def.self_param);
            let env =
                Env { generics: &def.generics, self_ty: Some(&self_ty), ..Env::of_module(self, def.module) };
            let mut supers = env.bounds(&item.supers);
            let predicates = env.predicates(&item.generics);
            supers.extend(predicates.iter().filter(|(ty, _)| *ty == self_ty).map(|(_, bound)| bound.clone()));
            let key = TraitKey::Local(TraitId(i as u32));
            let itself = TraitRef { key, args: Program::identity_args(&def.generics), assoc: no_assoc() };
            let self_param = def.self_param;
            self.add_bounds(&predicates);
            self.params[self_param.index()].bounds = vec![itself];
            self.traits[i].supers = supers;
        }
    }

    /// Bounds of the parameters of structs, enums and functions.
    fn lower_param_bounds(&mut self, written: &Written) {
        for (i, item) in written.adts.iter().enumerate() {
            let def = &self.adts[i];
            let env = Env { generics: &def.generics, ..Env::of_module(self, def.module) };
            let predicates = env.predicates(&item.generics);
            self.add_bounds(&predicates);
        }
        for i in 0..self.fns.len() {
            let def = &self.fns[i];
            let generics = &def.item.generics;
            if generics.params.is_empty() && generics.preds.is_empty() {
                continue;
            }
            let self_ty = self.owner_self(def.owner);
            let env = Env {
                generics: &def.generics,
                self_ty: self_ty.as_ref(),
                ..Env::of_module(self, def.module)
            };
            let predicates = env.predicates(generics);
            self.add_bounds(&predicates);
        }
    }

    /// Notes bounds of parameters at the parameters.
    fn add_bounds(&mut self, predicates: &[(Ty, TraitRef)]) {
        for (ty, bound) in predicates {
            if let Ty::Param(param) = ty
                && !self.params[param.index()].bounds.contains(bound)
            {
                self.params[param.index()].bounds.push(bound.clone());
            }
        }
    }

    /// Associated types of impls and traits.
    fn lower_assoc_types(&mut self, written: &Written) {
        for (i, item) in written.impls.iter().enumerate() {
            let def = &self.impls[i];
            let env = Env {
                generics: &def.generics,
                self_ty: Some(&def.self_ty),
                ..Env::of_module(self, def.module)
            };
            let types = item.items.iter().filter_map(|item| match &item.kind {
                ItemKind::TypeAlias { ty: Some(ty), .. } => Some((item.name, env.ty(ty))),
                _ => None,
            });
            let types: Vec<(Name, Ty)> = types.collect();
            self.impls[i].types = types;
        }
        for (i, item) in written.traits.iter().enumerate() {
            let def = &self.traits[i];
            let self_ty = Ty::Param(def.self_param);
            let env =
                Env { generics: &def.generics, self_ty: Some(&self_ty), ..Env::of_module(self, def.module) };
            let mut types = Vec::new();
            let mut type_bounds = Vec::new();
            for item in &item.items {
                if let ItemKind::TypeAlias { ty, bounds, .. } = &item.kind {
                    types.push((item.name, ty.as_ref().map(|ty| env.ty(ty))));
                    type_bounds.push((item.name, env.bounds(bounds)));
                }
            }
            (self.traits[i].types, self.traits[i].type_bounds) = (types, type_bounds);
        }
    }

    fn lower_adts(&mut self, written: &Written) {
        for (i, item) in written.adts.iter().enumerate() {
            let def = &self.adts[i];
            let self_ty = Ty::Adt(AdtId(i as u32), Program::identity_args(&def.generics));
            let env =
                Env { generics: &def.generics, self_ty: Some(&self_ty), ..Env::of_module(self, def.module) };
            let cfg = &self.crates[self.krate(def.module).0 as usize].source.cfg;
            let built = |attrs: &[hir::Attr]| cfg.when(attrs) != crate::project::cfg::When::Never;
            let fields = item.variants.iter().filter(|v| built(&v.attrs)).flat_map(|v| &v.fields);
            let types: Vec<Ty> = fields.filter(|f| built(&f.attrs)).map(|f| env.ty(&f.ty)).collect();
            let fields = self.adts[i].variants.iter_mut().flat_map(|v| &mut v.fields);
            for (field, ty) in fields.zip(types) {
                field.ty = ty;
            }
        }
    }

    /// The signature of a function whose `impl Trait` arguments are parameters of their own.
    fn lower_anonymous(&mut self, id: FnId) {
        let def = &self.fns[id.index()];
        if !def.item.params.iter().any(|param| is_anonymous(&param.ty)) {
            return;
        }
        let opaque = RefCell::new(Vec::new());
        let sig = self.lower_fn(def, Some(&opaque));
        let opaque = opaque.into_inner();
        let first = self.params.len() as u32;
        let anonymous = (0..opaque.len() as u32).map(|i| ParamId(first + i));
        self.params.extend(opaque);
        let def = &mut self.fns[id.index()];
        def.generics.extend(anonymous);
        def.sig = OnceLock::from(sig);
    }

    /// A function's signature; `opaque` takes its anonymous parameters.
    fn lower_fn(&self, def: &FnDef, opaque: Option<&RefCell<Vec<ParamDef>>>) -> FnSig {
        let self_ty = self.owner_self(def.owner);
        let result =
            Env { generics: &def.generics, self_ty: self_ty.as_ref(), ..Env::of_module(self, def.module) };
        let argument = Env { opaque, ..result };
        let params: Vec<Ty> = def.item.params.iter().map(|p| argument.ty(&p.ty)).collect();
        let receiver = def.item.self_param.as_ref().map(|receiver| {
            let this = self_ty.clone().unwrap_or(Ty::Unknown);
            match receiver {
                SelfParam::Value => this,
                SelfParam::Ref => Ty::reference(false, this),
                SelfParam::RefMut => Ty::reference(true, this),
                SelfParam::Typed(ty) => result.ty(ty),
            }
        });
        let ret = def.item.ret.as_ref().map_or_else(Ty::unit, |ret| result.ty(ret));
        FnSig { params, self_ty: receiver, ret }
    }

    /// Types of statics and constants.
    fn lower_values(&mut self) {
        for i in 0..self.statics.len() {
            let def = &self.statics[i];
            self.statics[i].ty = Env::of_module(self, def.module).ty(&def.item.ty);
        }
        for i in 0..self.consts.len() {
            let def = &self.consts[i];
            let self_ty = self.owner_self(def.owner);
            let generics = self.owner_generics(def.owner);
            let env = Env { generics, self_ty: self_ty.as_ref(), ..Env::of_module(self, def.module) };
            self.consts[i].ty = env.ty(&def.item.ty);
        }
    }
}

impl Program {
    /// A function's signature.
    pub fn sig(&self, id: FnId) -> &FnSig {
        self.fn_def(id).sig(self)
    }
}

impl FnDef {
    /// The signature, lowered when somebody asks for it: most functions are never called where it matters.
    pub fn sig(&self, program: &Program) -> &FnSig {
        self.sig.get_or_init(|| program.lower_fn(self, None))
    }
}

/// Whether an `impl Trait` is part of the type.
fn is_anonymous(ty: &Type) -> bool {
    match ty {
        Type::Impl(_) => true,
        Type::Ref { inner, .. } | Type::Ptr { inner, .. } | Type::Array(inner, _) | Type::Slice(inner) => {
            is_anonymous(inner)
        }
        Type::Tuple(parts) => parts.iter().any(is_anonymous),
        Type::FnPtr { params, ret } => params.iter().chain(ret.as_deref()).any(is_anonymous),
        Type::Dyn(bounds) => bounds.iter().any(|bound| names_anonymous(&bound.path)),
        Type::Path(path) => names_anonymous(path),
        Type::Never | Type::Infer | Type::Unknown => false,
    }
}

fn names_anonymous(path: &hir::Path) -> bool {
    let of_qualified =
        |q: &(Type, Option<hir::Path>)| is_anonymous(&q.0) || q.1.as_ref().is_some_and(names_anonymous);
    let of_segment = |segment: &hir::Segment| {
        segment.fn_output.as_ref().is_some_and(|ty| is_anonymous(ty))
            || segment.args.iter().any(|arg| match arg {
                GenericArg::Type(ty) | GenericArg::Assoc(_, ty) => is_anonymous(ty),
                GenericArg::Const(_) => false,
            })
    };
    path.qself.as_ref().is_some_and(|q| of_qualified(q)) || path.segments.iter().any(of_segment)
}

impl Env<'_> {
    /// The defaults of type parameters.
    fn defaults(&self, generics: &Generics) -> Vec<(ParamId, Ty)> {
        let params = type_params(generics).zip(self.generics);
        params.filter_map(|(p, id)| Some((*id, self.ty(p.default.as_ref()?)))).collect()
    }
}

/// Aliases on the way to their types.
struct Aliases<'w> {
    written: &'w Written,
    /// By `AliasId`: begun or done.
    done: Vec<bool>,
}

impl<'w> Aliases<'w> {
    fn lower(program: &mut Program, written: &'w Written) {
        let mut aliases = Aliases { written, done: vec![false; written.aliases.len()] };
        for i in 0..written.aliases.len() {
            aliases.alias(program, AliasId(i as u32), 0);
        }
    }

    /// Lowers one alias, those it uses first; an alias of itself is `Unknown`.
    fn alias(&mut self, program: &mut Program, id: AliasId, depth: u32) {
        if std::mem::replace(&mut self.done[id.index()], true) || depth > MAX_ALIAS_CHAIN {
            return;
        }
        let (_, used) = self.alias_type(program, id);
        for other in used {
            self.alias(program, other, depth + 1);
        }
        program.aliases[id.index()].ty = self.alias_type(program, id).0;
    }

    fn alias_type(&self, program: &Program, id: AliasId) -> (Ty, Vec<AliasId>) {
        let (module, _, ty) = &self.written.aliases[id.index()];
        let used = RefCell::new(Vec::new());
        let env = Env {
            generics: &program.aliases[id.index()].generics,
            aliases: Some(&used),
            ..Env::of_module(program, *module)
        };
        let ty = env.ty(ty);
        (ty, used.into_inner())
    }
}
