//! Types in models: what a model's type means for a receiver, what dereferencing and iterating a library's type gives.
//!
//! In: types as written in model files (`TyExpr`), the receiver's type. Out: `Ty`, `Unknown` where the receiver's
//! type doesn't say.

use super::{FnModel, Models, Role, TypeModel};
use crate::hir::Name;
use crate::resolve::Ty;
use std::sync::Arc;

/// A type in a model: as `Ty`, with the receiver's arguments by position.
#[derive(Clone, PartialEq, Debug)]
pub enum TyExpr {
    Unknown,
    Never,
    /// The receiver's type.
    SelfTy,
    /// The receiver's nth argument.
    Param(usize),
    Prim(Name),
    Ext(Name, Vec<TyExpr>),
    Ref(bool, Box<TyExpr>),
    Ptr(bool, Box<TyExpr>),
    Tuple(Vec<TyExpr>),
    Slice(Box<TyExpr>),
    /// What iterating the type gives.
    Item(Box<TyExpr>),
    /// What dereferencing the type gives.
    Target(Box<TyExpr>),
}

impl TyExpr {
    /// The type with other types in place of the receiver's arguments.
    pub fn substitute(&self, args: &[TyExpr]) -> TyExpr {
        let all = |list: &[TyExpr]| list.iter().map(|ty| ty.substitute(args)).collect();
        let boxed = |ty: &TyExpr| Box::new(ty.substitute(args));
        match self {
            TyExpr::Param(n) => args.get(*n).cloned().unwrap_or(TyExpr::Unknown),
            TyExpr::Ext(path, inner) => TyExpr::Ext(*path, all(inner)),
            TyExpr::Tuple(inner) => TyExpr::Tuple(all(inner)),
            TyExpr::Ref(mutable, inner) => TyExpr::Ref(*mutable, boxed(inner)),
            TyExpr::Ptr(mutable, inner) => TyExpr::Ptr(*mutable, boxed(inner)),
            TyExpr::Slice(inner) => TyExpr::Slice(boxed(inner)),
            TyExpr::Item(inner) => TyExpr::Item(boxed(inner)),
            TyExpr::Target(inner) => TyExpr::Target(boxed(inner)),
            TyExpr::Unknown | TyExpr::Never | TyExpr::SelfTy | TyExpr::Prim(_) => self.clone(),
        }
    }
}

/// Methods of primitive types are modelled under a few shared names.
fn primitive_class(name: Name) -> &'static str {
    match name.as_str() {
        "str" => "str",
        "bool" => "bool",
        "char" => "char",
        "f32" | "f64" => "float",
        _ => "int",
    }
}

impl Models {
    /// Name under which a type's methods are modelled: primitive types share a few (`int`, `float`).
    pub fn method_owner(&self, ty: &Ty) -> Option<Name> {
        match ty {
            Ty::Ext(path, _) => Some(*path),
            Ty::Prim(name) => Some(Name::new(primitive_class(*name))),
            Ty::Slice(_) | Ty::Array(_) => Some(Name::new("slice")),
            Ty::Ptr { .. } => Some(Name::new("pointer")),
            _ => None,
        }
    }

    pub fn role(&self, ty: &Ty) -> Role {
        match ty {
            Ty::Ext(path, _) => self.type_model(*path).map_or(Role::Plain, |t| t.role),
            Ty::Array(_) | Ty::Slice(_) => Role::Collection,
            _ => Role::Plain,
        }
    }

    /// An end of a channel, which ends when the last of them is dropped.
    pub fn keeps_open(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ext(path, _) if self.type_model(*path).is_some_and(|t| t.sender))
    }

    /// The result type of a model for a receiver of type `self_ty`.
    pub fn ret_ty(&self, model: &FnModel, self_ty: &Ty) -> Ty {
        self.instantiate(&model.ret, self_ty)
    }

    /// What a model's type is for a receiver of type `self_ty`.
    pub fn instantiate(&self, expr: &TyExpr, self_ty: &Ty) -> Ty {
        let one = |inner: &TyExpr| self.instantiate(inner, self_ty);
        let all = |args: &[TyExpr]| -> Arc<[Ty]> { args.iter().map(one).collect() };
        match expr {
            TyExpr::Unknown => Ty::Unknown,
            TyExpr::Never => Ty::Never,
            TyExpr::SelfTy => self_ty.clone(),
            TyExpr::Param(n) => match self_ty {
                Ty::Ext(_, args) | Ty::Adt(_, args) => args.get(*n).cloned().unwrap_or(Ty::Unknown),
                Ty::Slice(inner) | Ty::Array(inner) => (**inner).clone(),
                Ty::Ptr { inner, .. } | Ty::Ref { inner, .. } => (**inner).clone(),
                _ => Ty::Unknown,
            },
            TyExpr::Prim(name) => Ty::Prim(*name),
            TyExpr::Ext(path, args) => Ty::Ext(*path, all(args)),
            TyExpr::Ref(mutable, inner) => Ty::reference(*mutable, one(inner)),
            TyExpr::Ptr(mutable, inner) => Ty::Ptr { mutable: *mutable, inner: Arc::new(one(inner)) },
            TyExpr::Tuple(args) => Ty::Tuple(all(args)),
            TyExpr::Slice(inner) => Ty::Slice(Arc::new(one(inner))),
            TyExpr::Item(inner) => self.item_ty(&one(inner)),
            TyExpr::Target(inner) => self.target_ty(&one(inner)).unwrap_or(Ty::Unknown),
        }
    }

    /// What a value of the type derefs to (a raw pointer: points to), if it derefs at all.
    pub fn target_ty(&self, ty: &Ty) -> Option<Ty> {
        match ty {
            Ty::Ref { inner, .. } | Ty::Ptr { inner, .. } => Some((**inner).clone()),
            Ty::Ext(path, args) => {
                let model = self.type_model(*path)?;
                match (&model.target, model.role) {
                    (Some(target), _) => Some(self.instantiate(target, ty)),
                    (
                        None,
                        Role::Owner
                        | Role::Counted
                        | Role::Raw
                        | Role::Guard
                        | Role::Lazy
                        | Role::Transparent,
                    ) => args.first().cloned(),
                    (None, Role::Plain | Role::Collection | Role::Iterator) => None,
                }
            }
            _ => None,
        }
    }

    /// What a `for` loop over a value of the type binds.
    pub fn item_ty(&self, ty: &Ty) -> Ty {
        match ty {
            Ty::Array(inner) | Ty::Slice(inner) => (**inner).clone(),
            Ty::Ref { mutable, inner } => self.lent_item(*mutable, inner),
            Ty::Ext(path, args) => match self.type_model(*path) {
                Some(model) if model.item.is_some() => {
                    model.item.as_ref().map_or(Ty::Unknown, |item| self.instantiate(item, ty))
                }
                Some(model) if model.role == Role::Owner => {
                    args.first().map_or(Ty::Unknown, |t| self.item_ty(t))
                }
                _ => Ty::Unknown,
            },
            Ty::Dyn(bounds) => {
                let mut assoc = bounds.iter().flat_map(|bound| bound.assoc.iter());
                assoc.find(|(name, _)| *name == "Item").map_or(Ty::Unknown, |(_, ty)| ty.clone())
            }
            _ => Ty::Unknown,
        }
    }

    /// The item of a borrowed collection: a reference; of a map, a pair of them.
    fn lent_item(&self, mutable: bool, inner: &Ty) -> Ty {
        let model = match inner {
            Ty::Ext(path, _) => self.type_model(*path),
            _ => None,
        };
        match (self.item_ty(inner), model) {
            (Ty::Unknown, _) => Ty::Unknown,
            (item, Some(TypeModel { role: Role::Iterator, .. })) => item,
            (Ty::Tuple(parts), Some(TypeModel { item: Some(TyExpr::Tuple(_)), .. })) => Ty::Tuple(
                parts.iter().enumerate().map(|(n, t)| Ty::reference(mutable && n > 0, t.clone())).collect(),
            ),
            (item, _) => Ty::reference(mutable, item),
        }
    }
}
