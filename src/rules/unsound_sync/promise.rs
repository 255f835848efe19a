//! Promises: unsafe impls of `Send` and `Sync` for types that code outside the library can name, and what they ask for.
//!
//! In: the impls of a group. Out: those worth a look, and for each parameter the bounds that it is known to have. `None` where that
//! can't be told: a trait that nobody knows may stand for types that are all harmless.

use super::{Granted, Types};
use crate::hir::{Attr, GenericParamKind, Name, Tt};
use crate::interp::auto_traits::Auto;
use crate::project::TargetKind;
use crate::project::cfg::When;
use crate::resolve::{AdtId, ImplDef, ModuleId, ParamId, Program, TraitKey, TraitRef, Ty};

/// `unsafe impl<…> Send for Adt<…>`
pub struct Promise<'a> {
    pub imp: &'a ImplDef,
    pub adt: AdtId,
    pub auto: Auto,
}

/// The promises that other crates' code may rely on.
pub fn promises(types: Types<'_>) -> Vec<Promise<'_>> {
    let program = types.program;
    let mut found = Vec::new();
    for imp in &program.impls {
        let Some(auto) = promised(types, imp) else { continue };
        let Ty::Adt(adt, _) = imp.self_ty else { continue };
        let def = &program.adts[adt.index()];
        if def.public && is_library(program, def.module) && !is_hidden(program, def.module, &def.attrs) {
            found.push(Promise { imp, adt, auto });
        }
    }
    found
}

fn promised(types: Types, imp: &ImplDef) -> Option<Auto> {
    let promises = imp.is_unsafe && !imp.negative && imp.when == When::Always && !imp.generics.is_empty();
    match &imp.trait_ {
        Some(TraitRef { key: TraitKey::Ext(path), .. }) if promises => types.auto.named(*path),
        _ => None,
    }
}

/// Code that other crates may use.
fn is_library(program: &Program, module: ModuleId) -> bool {
    let krate = &program.crates[program.krate(module).0 as usize];
    match krate.source.kind {
        TargetKind::Lib => true,
        TargetKind::Loose => !program.fns.iter().any(|def| def.module == krate.root && def.name == "main"),
        _ => false,
    }
}

/// Public only for the crate's own macros: marked `#[doc(hidden)]`, itself or a module around it.
fn is_hidden(program: &Program, module: ModuleId, attrs: &[Attr]) -> bool {
    let mut around = Some(module);
    let mut hidden = doc_hidden(attrs);
    while let (false, Some(module)) = (hidden, around) {
        let def = &program.modules[module.index()];
        hidden = doc_hidden(&def.attrs);
        around = def.parent;
    }
    hidden
}

pub fn doc_hidden(attrs: &[Attr]) -> bool {
    let says =
        |attr: &Attr| attr.tokens.iter().any(|tt| matches!(tt, Tt::Ident(name, _) if *name == "hidden"));
    attrs.iter().any(|attr| matches!(&attr.path[..], [name] if *name == "doc") && says(attr))
}

impl Promise<'_> {
    /// The type parameters that the impl leaves open.
    pub fn params(&self, types: Types) -> Vec<ParamId> {
        let is_type = |p: &&ParamId| types.program.params[p.index()].kind == GenericParamKind::Type;
        self.imp.generics.iter().filter(is_type).copied().collect()
    }

    /// The bounds that the impl asks for, directly or by asking for something made of the parameter.
    pub fn granted(&self, types: Types, param: ParamId) -> Option<Granted> {
        let mut granted = types.granted_by_bounds(param)?;
        for (ty, bound) in &self.imp.predicates {
            if matches!(ty, Ty::Param(_)) || !mentions(ty, param) {
                continue;
            }
            let TraitKey::Ext(path) = bound.key else { continue };
            if let Some(auto) = types.auto.named(path) {
                for (of, auto) in types.auto.needs(ty, auto)? {
                    granted.send |= of == param && auto == Auto::Send;
                    granted.sync |= of == param && auto == Auto::Sync;
                }
            }
        }
        Some(granted)
    }
}

impl Types<'_> {
    /// What a parameter's own bounds say; `None`: one of them may stand for anything.
    pub fn granted_by_bounds(&self, param: ParamId) -> Option<Granted> {
        let bounds = &self.program.params[param.index()].bounds;
        let open = |bound: &TraitRef| match bound.key {
            TraitKey::Ext(path) => !self.models.is_standard(path),
            TraitKey::Local(id) => {
                let def = &self.program.traits[id.index()];
                def.is_unsafe || !def.public || def.supers.iter().any(|s| self.is_private(s))
            }
        };
        let implied = |auto| self.auto.implied(bounds, auto);
        let granted = Granted { send: implied(Auto::Send), sync: implied(Auto::Sync) };
        let told = (granted.send && granted.sync) || !bounds.iter().any(open);
        told.then_some(granted)
    }

    /// A trait that only this crate can implement.
    fn is_private(&self, of: &TraitRef) -> bool {
        match of.key {
            TraitKey::Local(id) => !self.program.traits[id.index()].public,
            TraitKey::Ext(_) => false,
        }
    }

    /// The impls of a library's trait for a type.
    pub fn trait_impls(&self, adt: AdtId, path: Name) -> impl Iterator<Item = &ImplDef> {
        self.program.impls.iter().filter(move |imp| {
            matches!(imp.self_ty, Ty::Adt(of, _) if of == adt)
                && matches!(&imp.trait_, Some(TraitRef { key: TraitKey::Ext(of), .. }) if *of == path)
        })
    }

    /// Whether who has a `&T` of a type with the trait can make another `T`.
    pub fn is_copy(&self, key: TraitKey) -> bool {
        let language = &self.models.language;
        matches!(key, TraitKey::Ext(path) if path == language.clone || path == language.copy)
    }
}

/// Whether the parameter is somewhere in the type.
pub fn mentions(ty: &Ty, param: ParamId) -> bool {
    let any = |tys: &[Ty]| tys.iter().any(|ty| mentions(ty, param));
    match ty {
        Ty::Param(p) => *p == param,
        Ty::Adt(_, args) | Ty::Ext(_, args) | Ty::Tuple(args) => any(args),
        Ty::Ref { inner, .. } | Ty::Ptr { inner, .. } | Ty::Array(inner) | Ty::Slice(inner) => {
            mentions(inner, param)
        }
        Ty::FnPtr(of) => any(&of.0) || mentions(&of.1, param),
        Ty::Dyn(bounds) => {
            bounds.iter().any(|b| any(&b.args) || b.assoc.iter().any(|(_, ty)| mentions(ty, param)))
        }
        Ty::Assoc(of) => mentions(&of.base, param),
        Ty::Unknown | Ty::Never | Ty::Prim(_) => false,
    }
}
