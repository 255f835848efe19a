//! How a type holds values of a parameter: by its fields' types.
//!
//! In: a promise and one of its parameters. Out: whether the type has a value of it by itself, by a pointer, or not at all. A field's own
//! promise is trusted: what a private part promises wrongly is that part's affair.

use super::Types;
use super::promise::{Promise, mentions};
use crate::hir::Name;
use crate::interp::auto_traits::Auto;
use crate::models::{Contents, Role, Threads};
use crate::resolve::{ParamId, Ty};

/// Ordered by how much is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// No value, or nobody knows: `PhantomData<T>`, a function that takes one.
    Nothing,
    /// `PhantomData<T>` beside a pointer to something else, which may be one in disguise.
    Marked,
    /// Behind a pointer, which may be anyone's; or in a library's type that nobody described.
    Pointed,
    /// In the field of this name, with all that it goes with.
    Owned(Name),
}

/// Types nested deeper than this are held to hold nothing.
const MAX_DEPTH: u32 = 8;

pub fn holds(types: Types, promise: &Promise, param: ParamId) -> Holds {
    let Ty::Adt(adt, args) = &promise.imp.self_ty else { return Holds::Nothing };
    let subst = types.program.adt_subst(*adt, args);
    let mut found = Holds::Nothing;
    for field in types.program.adts[adt.index()].variants.iter().flat_map(|v| &v.fields) {
        match in_type(types, &subst.apply(&field.ty), promise.auto, param, 0) {
            How::Owned => return Holds::Owned(field.name),
            How::Pointed => found = Holds::Pointed,
            How::Not => {}
        }
    }
    let mut fields = types.program.adts[adt.index()].variants.iter().flat_map(|v| &v.fields);
    match found {
        Holds::Nothing if fields.any(|field| is_pointer(types, &field.ty)) => Holds::Marked,
        found => found,
    }
}

fn is_pointer(types: Types, ty: &Ty) -> bool {
    match ty {
        Ty::Ptr { .. } => true,
        Ty::Ext(path, args) => {
            let holder = types.models.threads(*path) == Some(Threads::Always) && !args.is_empty();
            holder || types.models.role(ty) == Role::Raw
        }
        _ => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Not,
    Pointed,
    Owned,
}

fn in_type(types: Types, ty: &Ty, auto: Auto, param: ParamId, depth: u32) -> How {
    if depth > MAX_DEPTH || !mentions(ty, param) {
        return How::Not;
    }
    let one = |inner: &Ty| in_type(types, inner, auto, param, depth + 1);
    let all = |tys: &[Ty]| tys.iter().map(one).max().unwrap_or(How::Not);
    match ty {
        Ty::Param(_) => How::Owned,
        Ty::Tuple(parts) => all(parts),
        Ty::Array(inner) | Ty::Slice(inner) => one(inner),
        Ty::Ref { mutable: true, inner } => one(inner),
        Ty::Ref { mutable: false, inner } | Ty::Ptr { inner, .. } => one(inner).min(How::Pointed),
        Ty::Ext(path, args) => {
            let model = types.models.type_model(*path);
            if model.is_some_and(|m| m.contents == Contents::Nothing) {
                return How::Not;
            }
            let by_pointer = model.is_some_and(|m| matches!(m.role, Role::Raw | Role::Counted | Role::Guard));
            match types.models.threads(*path) {
                Some(Threads::Always) | None => all(args).min(How::Pointed),
                Some(_) if by_pointer => all(args).min(How::Pointed),
                Some(_) => all(args),
            }
        }
        Ty::Adt(adt, args) => match types.auto.impl_of(*adt, auto) {
            Some(_) => match types.auto.needs(ty, auto) {
                Some(needs) if needs.iter().any(|(of, _)| *of == param) => How::Owned,
                Some(_) => How::Not,
                None => How::Pointed,
            },
            None => {
                let subst = types.program.adt_subst(*adt, args);
                let fields = types.program.adts[adt.index()].variants.iter().flat_map(|v| &v.fields);
                fields.map(|field| one(&subst.apply(&field.ty))).max().unwrap_or(How::Not)
            }
        },
        Ty::Unknown | Ty::Never | Ty::Prim(_) | Ty::FnPtr(..) | Ty::Dyn(_) | Ty::Assoc(..) => How::Not,
    }
}
