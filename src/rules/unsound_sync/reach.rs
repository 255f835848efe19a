//! Who can have a value of a promising type, and where: questions that silence a finding.
//!
//! In: a type. Out: whether safe code outside the library can make one whose parameter lacks a bound, whether its clones share what
//! they hold, and whether it looks at run time which thread it is on.

use super::Types;
use super::passes::{is_callable, stays};
use super::promise::{Promise, mentions};
use crate::hir::AdtKind;
use crate::interp::auto_traits::Auto;
use crate::models::{Contents, Op, OpName};
use crate::resolve::{AdtId, FnDef, FnId, ParamId, Res, TraitKey, TraitRef, Ty};

/// Longest chain of types that are had from one another, and of calls that look for the thread.
const MAX_DEPTH: u32 = 3;

#[derive(Clone, Copy)]
pub struct Reach<'a> {
    types: Types<'a>,
    adt: AdtId,
}

impl<'a> Reach<'a> {
    pub fn new(types: Types<'a>, adt: AdtId) -> Reach<'a> {
        Reach { types, adt }
    }

    /// Whether safe code can have one with an argument that doesn't have the bound.
    pub fn made_without(&self, promise: &Promise, param: ParamId, bound: Auto) -> bool {
        let Ty::Adt(_, args) = &promise.imp.self_ty else { return false };
        let at = args.iter().position(|arg| *arg == Ty::Param(param));
        at.is_some_and(|at| self.is_made(at, bound, 0))
    }

    /// The same by the position of the argument.
    fn is_made(&self, at: usize, bound: Auto, depth: u32) -> bool {
        let def = &self.types.program.adts[self.adt.index()];
        let mut fields = def.variants.iter().flat_map(|v| &v.fields);
        let open = matches!(def.kind, AdtKind::Struct | AdtKind::Enum) && fields.all(|field| field.public);
        open || (0..self.types.program.fns.len()).any(|id| self.makes(FnId(id as u32), at, bound, depth))
    }

    /// Whether a function gives one to whoever calls it.
    fn makes(&self, id: FnId, at: usize, bound: Auto, depth: u32) -> bool {
        let program = self.types.program;
        let def = program.fn_def(id);
        if !is_callable(def) || def.item.ret.is_none() {
            return false;
        }
        let Some(Ty::Param(given)) = self.argument(&def.sig(program).ret, at) else { return false };
        let inputs = || def.sig(program).params.iter().chain(&def.sig(program).self_ty);
        let had = |ty| self.is_in(ty) && mentions(ty, *given);
        if inputs().any(|ty| had(ty) || stays(self.types, ty, *given)) || self.comes_bounded(def, *given) {
            return false;
        }
        let lacks = self.types.granted_by_bounds(*given).is_some_and(|granted| match bound {
            Auto::Send => !granted.send,
            Auto::Sync => !granted.sync,
        });
        // What it is called on has to exist with such an argument, too.
        let from = def.sig(program).self_ty.as_ref().map(pointee);
        lacks
            && match from {
                Some(Ty::Adt(other, args)) if mentions(&Ty::Adt(*other, args.clone()), *given) => {
                    let position = args.iter().position(|arg| *arg == Ty::Param(*given));
                    let other = Reach { types: self.types, adt: *other };
                    depth < MAX_DEPTH && position.is_some_and(|at| other.is_made(at, bound, depth + 1))
                }
                _ => true,
            }
    }

    /// Whether the argument is that of another parameter, which has a bound: `O: Deref<Target = T> + Send`.
    fn comes_bounded(&self, def: &FnDef, given: ParamId) -> bool {
        def.generics.iter().filter(|id| **id != given).any(|id| {
            let bounds = &self.types.program.params[id.index()].bounds;
            let bounded =
                [Auto::Send, Auto::Sync].into_iter().any(|auto| self.types.auto.implied(bounds, auto));
            let named = |bound: &TraitRef| {
                bound.args.iter().chain(bound.assoc.iter().map(|(_, ty)| ty)).any(|ty| mentions(ty, given))
            };
            bounded && bounds.iter().any(named)
        })
    }

    fn is_in(&self, ty: &Ty) -> bool {
        self.instance(ty).is_some()
    }

    fn argument<'t>(&self, ty: &'t Ty, at: usize) -> Option<&'t Ty> {
        self.instance(ty)?.get(at)
    }

    /// The arguments of the type where it is part of another.
    fn instance<'t>(&self, ty: &'t Ty) -> Option<&'t [Ty]> {
        match ty {
            Ty::Adt(adt, args) if *adt == self.adt => Some(args),
            Ty::Adt(_, args) | Ty::Ext(_, args) | Ty::Tuple(args) => {
                args.iter().find_map(|ty| self.instance(ty))
            }
            Ty::Ref { inner, .. } | Ty::Ptr { inner, .. } | Ty::Array(inner) | Ty::Slice(inner) => {
                self.instance(inner)
            }
            Ty::Unknown
            | Ty::Never
            | Ty::Prim(_)
            | Ty::FnPtr(..)
            | Ty::Param(_)
            | Ty::Dyn(_)
            | Ty::Assoc(..) => None,
        }
    }

    /// Whether a clone of it can only be another handle to the same value: nothing could copy that.
    pub fn clones_share(&self) -> bool {
        let params = &self.types.program.params;
        let mut impls = self.types.trait_impls(self.adt, self.types.models.language.clone);
        impls.next().is_some_and(|imp| {
            let copies = |key| matches!(key, TraitKey::Local(_)) || self.types.is_copy(key);
            !imp.generics.iter().flat_map(|id| &params[id.index()].bounds).any(|bound| copies(bound.key))
        })
    }

    /// Whether the type asks which thread it is on, or keeps a value for each.
    pub fn stays_on_its_thread(&self) -> bool {
        self.has_thread_part(0) || {
            let program = self.types.program;
            let own =
                program.impls.iter().filter(|imp| matches!(imp.self_ty, Ty::Adt(adt, _) if adt == self.adt));
            own.flat_map(|imp| &imp.fns).any(|id| self.asks(*id, 0))
        }
    }

    fn has_thread_part(&self, depth: u32) -> bool {
        let fields = self.types.program.adts[self.adt.index()].variants.iter().flat_map(|v| &v.fields);
        fields.into_iter().any(|field| self.is_thread_part(&field.ty, depth))
    }

    fn is_thread_part(&self, ty: &Ty, depth: u32) -> bool {
        match ty {
            Ty::Ext(path, args) => {
                let model = self.types.models.type_model(*path);
                model.is_some_and(|m| m.contents == Contents::OfThread)
                    || args.iter().any(|ty| self.is_thread_part(ty, depth))
            }
            Ty::Tuple(parts) => parts.iter().any(|ty| self.is_thread_part(ty, depth)),
            Ty::Ref { inner, .. } | Ty::Array(inner) | Ty::Slice(inner) => self.is_thread_part(inner, depth),
            Ty::Adt(adt, _) => depth < MAX_DEPTH && Reach { adt: *adt, ..*self }.has_thread_part(depth + 1),
            _ => false,
        }
    }

    /// Whether a body, or one that it calls, uses a thread-local or asks for the running thread.
    fn asks(&self, id: FnId, depth: u32) -> bool {
        let program = self.types.program;
        let Some(body) = program.body(id) else { return false };
        body.mentioned().any(|res| match res {
            Res::Static(id) => {
                let thread_local =
                    program.statics[id.index()].item.storage == crate::hir::StaticKind::ThreadLocal;
                thread_local || self.is_thread_part(&program.statics[id.index()].ty, 0)
            }
            Res::Ext(path, _) => {
                let model = self.types.models.function(*path).map(|id| self.types.models.fn_model(id));
                matches!(model.and_then(|m| m.op.as_ref()), Some(Op::Apply(OpName::Current, _)))
            }
            Res::Fn(id, _) => depth < MAX_DEPTH && self.asks(*id, depth + 1),
            Res::Assoc { ty: Ty::Adt(adt, _), name, .. } if *adt != self.adt => {
                let named = |id: &FnId| program.fn_def(*id).name == *name;
                let impls =
                    program.impls.iter().filter(|imp| matches!(imp.self_ty, Ty::Adt(of, _) if of == *adt));
                depth < MAX_DEPTH
                    && impls.flat_map(|imp| &imp.fns).any(|id| named(id) && self.asks(*id, depth + 1))
            }
            _ => false,
        })
    }
}

/// What a receiver points to.
fn pointee(ty: &Ty) -> &Ty {
    match ty {
        Ty::Ref { inner, .. } | Ty::Ptr { inner, .. } => pointee(inner),
        Ty::Ext(_, args) => args.first().map_or(ty, pointee),
        _ => ty,
    }
}
