//! Types and bounds as written → `Ty` and `TraitRef`.
//!
//! In: HIR types and an `Env`. Out: types with aliases expanded, defaults of type parameters put in, `impl Trait` and
//! `dyn Trait` as their bounds. Array lengths and lifetimes are gone.
//! Invariant: a type has at most `MAX_SIZE` nodes (aliases of aliases can double at each step); larger ones are
//! `Unknown`, so that walking a type is always cheap.

use super::paths::Env;
use super::scope::WORDS;
use super::ty::{Projection, no_args, no_assoc};
use super::{AdtId, AliasId, Args, ParamDef, ParamId, Program, Subst, TraitKey, TraitRef, Ty};
use crate::hir::{self, Bound, GenericArg, GenericParamKind, Name, Segment, Type};
use std::sync::Arc;

/// Largest number of nodes in a type.
const MAX_SIZE: usize = 400;

impl Env<'_> {
    /// A type as written.
    pub fn ty(&self, ty: &Type) -> Ty {
        match ty {
            Type::Path(path) => self.path_type(path),
            Type::Ref { mutable, inner } => Ty::reference(*mutable, self.ty(inner)),
            Type::Ptr { mutable, inner } => Ty::Ptr { mutable: *mutable, inner: Arc::new(self.ty(inner)) },
            Type::Tuple(parts) => Ty::Tuple(self.tys(parts)),
            Type::Array(inner, _) => Ty::Array(Arc::new(self.ty(inner))),
            Type::Slice(inner) => Ty::Slice(Arc::new(self.ty(inner))),
            Type::FnPtr { params, ret } => {
                let ret = ret.as_ref().map_or_else(Ty::unit, |ret| self.ty(ret));
                Ty::FnPtr(Arc::new((self.tys(params), ret)))
            }
            Type::Dyn(bounds) => Ty::Dyn(self.bounds(bounds).into()),
            Type::Impl(bounds) => self.opaque(bounds),
            Type::Never => Ty::Never,
            Type::Infer | Type::Unknown => Ty::Unknown,
        }
    }

    fn tys(&self, tys: &[Type]) -> Args {
        tys.iter().map(|ty| self.ty(ty)).collect()
    }

    /// `impl A + B`: a parameter of its own in argument position.
    fn opaque(&self, bounds: &[Bound]) -> Ty {
        let bounds = self.bounds(bounds);
        let Some(params) = self.opaque else { return Ty::Dyn(bounds.into()) };
        let mut params = params.borrow_mut();
        let id = ParamId((self.program.params.len() + params.len()) as u32);
        params.push(ParamDef {
            name: Name::new("impl"),
            kind: GenericParamKind::Type,
            bounds,
            default: None,
        });
        Ty::Param(id)
    }

    /// The traits of a list of bounds, as far as they resolve; `?Sized` is none.
    pub fn bounds(&self, bounds: &[Bound]) -> Vec<TraitRef> {
        bounds.iter().filter(|b| !b.maybe).filter_map(|b| self.trait_path(&b.path)).collect()
    }

    /// A trait with the arguments and associated types of the segment that names it.
    pub fn trait_ref(&self, key: TraitKey, segment: Option<&Segment>) -> TraitRef {
        let Some(segment) = segment else { return TraitRef { key, args: no_args(), assoc: no_assoc() } };
        let mut assoc: Vec<(Name, Ty)> = Vec::new();
        for arg in &segment.args {
            if let GenericArg::Assoc(name, ty) = arg {
                assoc.push((*name, self.ty(ty)));
            }
        }
        if let Some(output) = &segment.fn_output {
            assoc.push((WORDS.output, self.ty(output)));
        }
        TraitRef { key, args: self.args(segment), assoc: assoc.into() }
    }

    /// A segment's type arguments, const arguments as `Unknown`.
    pub fn args(&self, segment: &Segment) -> Args {
        if segment.args.is_empty() {
            return no_args();
        }
        let arg = |arg: &GenericArg| match arg {
            GenericArg::Type(ty) => Some(self.ty(ty)),
            GenericArg::Const(_) => Some(Ty::Unknown),
            GenericArg::Assoc(..) => None,
        };
        segment.args.iter().filter_map(arg).collect()
    }

    /// The bounds that a declaration and its `where` clause put on types.
    pub fn predicates(&self, generics: &hir::Generics) -> Vec<(Ty, TraitRef)> {
        let mut preds = Vec::new();
        for param in generics.params.iter().filter(|p| !p.bounds.is_empty()) {
            let Some(ty) = self.generic_ty(param.name) else { continue };
            preds.extend(self.bounds(&param.bounds).into_iter().map(|b| (ty.clone(), b)));
        }
        for pred in &generics.preds {
            let ty = self.ty(&pred.ty);
            preds.extend(self.bounds(&pred.bounds).into_iter().map(|b| (ty.clone(), b)));
        }
        preds
    }

    fn generic_ty(&self, name: Name) -> Option<Ty> {
        let params = &self.program.params;
        self.generics.iter().rev().find(|p| params[p.index()].name == name).map(|p| Ty::Param(*p))
    }
}

impl Program {
    /// An alias with its parameters replaced.
    pub(super) fn expand_alias(&self, alias: AliasId, args: &Args) -> Ty {
        let def = &self.aliases[alias.index()];
        let ty = self.arguments(&def.generics, args).apply(&def.ty);
        self.bounded(ty)
    }

    /// `ty`, or `Unknown` when it is too large.
    pub(super) fn bounded(&self, ty: Ty) -> Ty {
        let mut left = MAX_SIZE;
        if fits(&ty, &mut left) { ty } else { Ty::Unknown }
    }

    /// An adt's arguments as a type has them: all, with defaults and `Unknown` put in.
    pub(super) fn padded_adt_args(&self, adt: AdtId, args: Args) -> Args {
        let generics = &self.adts[adt.index()].generics;
        if args.len() >= generics.len() {
            return args;
        }
        let subst = self.arguments(generics, &args);
        generics.iter().map(|p| subst.get(*p).cloned().unwrap_or(Ty::Unknown)).collect()
    }

    /// What arguments make of generic parameters: missing ones are their defaults or `Unknown`.
    pub(super) fn arguments(&self, generics: &[ParamId], args: &[Ty]) -> Subst {
        let mut subst = Subst::default();
        for (i, param) in generics.iter().enumerate() {
            let ty = match (args.get(i), &self.params[param.index()].default) {
                (Some(ty), _) => ty.clone(),
                (None, Some(default)) => subst.apply(default),
                (None, None) => Ty::Unknown,
            };
            subst.0.push((*param, ty));
        }
        subst
    }

    /// `<base as key>::name`, as far as it is known.
    pub(super) fn projection(&self, base: Ty, key: Option<TraitKey>, name: Name) -> Ty {
        if base.is_unknown() {
            return Ty::Unknown;
        }
        match self.assoc_type(&base, key, name) {
            Ty::Unknown => self.bounded(Ty::Assoc(Arc::new(Projection { base, key, name }))),
            ty => self.bounded(ty),
        }
    }
}

/// Counts nodes down from `left`; `false` when there are more.
fn fits(ty: &Ty, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    let bound = |b: &TraitRef, left: &mut usize| {
        b.args.iter().all(|t| fits(t, left)) && b.assoc.iter().all(|(_, t)| fits(t, left))
    };
    match ty {
        Ty::Adt(_, args) | Ty::Ext(_, args) | Ty::Tuple(args) => args.iter().all(|t| fits(t, left)),
        Ty::Ref { inner, .. } | Ty::Ptr { inner, .. } | Ty::Array(inner) | Ty::Slice(inner) => {
            fits(inner, left)
        }
        Ty::FnPtr(of) => of.0.iter().all(|t| fits(t, left)) && fits(&of.1, left),
        Ty::Dyn(bounds) => bounds.iter().all(|b| bound(b, left)),
        Ty::Assoc(of) => fits(&of.base, left),
        Ty::Unknown | Ty::Never | Ty::Prim(_) | Ty::Param(_) => true,
    }
}
