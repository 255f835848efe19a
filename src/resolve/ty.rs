//! Types, as far as forward inference needs them.

use crate::hir::Name;
use std::sync::Arc;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(pub u32);
        impl $name {
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(/// A module of some crate.
    ModuleId);
id!(/// A function or method with or without a body.
    FnId);
id!(StaticId);
id!(/// A const, also an associated one.
    ConstId);
id!(/// A struct, enum or union.
    AdtId);
id!(TraitId);
id!(ImplId);
id!(AliasId);
id!(/// A generic parameter of some item: each declaration has its own; also a trait's `Self` and each `impl Trait` argument.
    ParamId);

/// A type. `Unknown` wherever forward inference has no answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    Unknown,
    Never,
    /// `u8`, `bool`, `str`, `char`, `f64`, …
    Prim(Name),
    Adt(AdtId, Args),
    /// A library's type by canonical path: `std::sync::Mutex`.
    Ext(Name, Args),
    Ref {
        mutable: bool,
        inner: Arc<Ty>,
    },
    Ptr {
        mutable: bool,
        inner: Arc<Ty>,
    },
    Tuple(Args),
    Array(Arc<Ty>),
    Slice(Arc<Ty>),
    /// What it takes and what it gives.
    FnPtr(Arc<(Args, Ty)>),
    /// A generic parameter that no substitution replaced.
    Param(ParamId),
    /// `dyn A + B`, `impl A` in return position when its body is unknown.
    Dyn(Arc<[TraitRef]>),
    /// Not yet known.
    Assoc(Arc<Projection>),
}

/// `<base as Trait>::name`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Projection {
    pub base: Ty,
    pub key: Option<TraitKey>,
    pub name: Name,
}

pub type Args = Arc<[Ty]>;

/// A trait by id or canonical path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TraitKey {
    Local(TraitId),
    Ext(Name),
}

/// A trait with its arguments and bound associated types (`Iterator<Item = T>`, `Fn(A) -> B` has args `[(A,)]` and assoc `Output`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TraitRef {
    pub key: TraitKey,
    pub args: Args,
    pub assoc: Arc<[(Name, Ty)]>,
}

/// No generic arguments.
pub(super) fn no_args() -> Args {
    // One a thread: a count that threads share is slower than an allocation.
    thread_local!(static NOTHING: Args = Arc::from([]));
    NOTHING.with(Arc::clone)
}

/// No bound associated types.
pub(super) fn no_assoc() -> Arc<[(Name, Ty)]> {
    thread_local!(static NOTHING: Arc<[(Name, Ty)]> = Arc::from([]));
    NOTHING.with(Arc::clone)
}

impl Ty {
    /// The same, and what the other knows of arguments that this one doesn't know.
    pub fn refined(&self, by: &Ty) -> Ty {
        match (self, by) {
            (Ty::Unknown, known) => known.clone(),
            (Ty::Ext(path, args), Ty::Ext(other, _)) if path == other && args.is_empty() => by.clone(),
            (Ty::Ext(path, args), Ty::Ext(other, known)) if path == other && args.len() == known.len() => {
                Ty::Ext(*path, args.iter().zip(known.iter()).map(|(arg, by)| arg.refined(by)).collect())
            }
            _ => self.clone(),
        }
    }

    pub fn unit() -> Ty {
        Ty::Tuple(no_args())
    }

    pub fn is_unit(&self) -> bool {
        matches!(self, Ty::Tuple(parts) if parts.is_empty())
    }

    /// Whether there is no generic parameter in it.
    pub fn is_ground(&self) -> bool {
        let all = |args: &[Ty]| args.iter().all(Ty::is_ground);
        match self {
            Ty::Unknown | Ty::Never | Ty::Prim(_) => true,
            Ty::Adt(_, args) | Ty::Ext(_, args) | Ty::Tuple(args) => all(args),
            Ty::Ref { inner, .. } | Ty::Ptr { inner, .. } | Ty::Array(inner) | Ty::Slice(inner) => {
                inner.is_ground()
            }
            Ty::FnPtr(signature) => all(&signature.0) && signature.1.is_ground(),
            Ty::Param(_) => false,
            Ty::Dyn(bounds) => bounds
                .iter()
                .all(|bound| all(&bound.args) && bound.assoc.iter().all(|(_, ty)| ty.is_ground())),
            Ty::Assoc(projection) => projection.base.is_ground(),
        }
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Ty::Unknown)
    }

    pub fn reference(mutable: bool, inner: Ty) -> Ty {
        Ty::Ref { mutable, inner: Arc::new(inner) }
    }

    /// A library's type by its canonical path.
    pub fn named(path: Name, args: Vec<Ty>) -> Ty {
        Ty::Ext(path, args.into())
    }
}

/// What generic parameters stand for.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Subst(pub Vec<(ParamId, Ty)>);

impl Subst {
    pub fn get(&self, param: ParamId) -> Option<&Ty> {
        self.0.iter().rev().find(|(p, _)| *p == param).map(|(_, ty)| ty)
    }

    pub fn insert(&mut self, param: ParamId, ty: Ty) {
        match self.0.iter_mut().find(|(p, _)| *p == param) {
            Some(slot) => slot.1 = ty,
            None => self.0.push((param, ty)),
        }
    }

    /// `ty` with the parameters replaced.
    pub fn apply(&self, ty: &Ty) -> Ty {
        if self.0.is_empty() || ty.is_ground() { ty.clone() } else { self.replaced(ty) }
    }

    fn replaced(&self, ty: &Ty) -> Ty {
        let all = |args: &Args| match args.is_empty() {
            true => args.clone(),
            false => args.iter().map(|a| self.apply(a)).collect(),
        };
        match ty {
            Ty::Param(p) => self.get(*p).cloned().unwrap_or_else(|| ty.clone()),
            Ty::Adt(id, args) => Ty::Adt(*id, all(args)),
            Ty::Ext(name, args) => Ty::Ext(*name, all(args)),
            Ty::Ref { mutable, inner } => Ty::Ref { mutable: *mutable, inner: Arc::new(self.apply(inner)) },
            Ty::Ptr { mutable, inner } => Ty::Ptr { mutable: *mutable, inner: Arc::new(self.apply(inner)) },
            Ty::Tuple(args) => Ty::Tuple(all(args)),
            Ty::Array(inner) => Ty::Array(Arc::new(self.apply(inner))),
            Ty::Slice(inner) => Ty::Slice(Arc::new(self.apply(inner))),
            Ty::FnPtr(signature) => Ty::FnPtr(Arc::new((all(&signature.0), self.apply(&signature.1)))),
            Ty::Dyn(bounds) => Ty::Dyn(bounds.iter().map(|b| self.apply_trait(b)).collect()),
            Ty::Assoc(of) => Ty::Assoc(Arc::new(Projection { base: self.apply(&of.base), ..**of })),
            Ty::Unknown | Ty::Never | Ty::Prim(_) => ty.clone(),
        }
    }

    pub fn apply_trait(&self, bound: &TraitRef) -> TraitRef {
        TraitRef {
            key: bound.key,
            args: bound.args.iter().map(|a| self.apply(a)).collect(),
            assoc: bound.assoc.iter().map(|(n, t)| (*n, self.apply(t))).collect(),
        }
    }
}
