//! Paths into crates that aren't analysed, by the spelling of their names alone.
//!
//! In: canonical paths (`std::sync::Arc`) and the segments that follow. Out: what they mean as a value or type.
//! Invariant: no library is known here; only Rust's naming conventions are: types and variants begin with an
//! upper-case letter, functions and modules with a lower-case one, constants are all upper case.

use super::scope::Def;
use super::ty::no_assoc;
use super::{Args, Program, Res, TraitKey, TraitRef, Ty};
use crate::hir::Name;
use rustc_hash::FxHashSet;
use std::sync::{Arc, LazyLock};

/// Primitive types by name.
static PRIMITIVES: LazyLock<FxHashSet<Name>> = LazyLock::new(|| {
    let names = "bool char str u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f16 f32 f64 f128";
    names.split(' ').map(Name::new).collect()
});

/// Whether `name` is a primitive type's.
pub(super) fn is_primitive(name: Name) -> bool {
    PRIMITIVES.contains(&name)
}

/// A type's, trait's or variant's name (constants have this form too).
pub(super) fn is_type_name(name: Name) -> bool {
    name.as_str().trim_start_matches('_').starts_with(char::is_uppercase)
}

/// `MAX`, `EPSILON`, `BITS_2`.
fn is_constant_name(name: Name) -> bool {
    let text = name.as_str();
    text.len() > 1 && is_type_name(name) && !text.contains(char::is_lowercase)
}

/// Whether `path` is `name::name`: something named like the crate it stands in.
pub(super) fn named_like_its_crate(path: Name, name: Name) -> bool {
    path.as_str().split_once("::").is_some_and(|(krate, rest)| rest == name.as_str() && krate == rest)
}

/// The crate of a path.
pub(super) fn crate_root(path: Name) -> Option<Def> {
    path.as_str().split("::").next().map(|krate| Def::Ext(Name::new(krate)))
}

/// What `base::segments` means, `base` being canonical; `args` are those of `base`'s own last segment.
struct Walk {
    path: Name,
    args: Args,
    /// `path` is a type: what follows is looked up in it.
    in_type: bool,
}

impl Program {
    /// A library's path where a type is expected.
    pub(super) fn ext_type(&self, path: Name, args: Args, rest: &[(Name, Args)]) -> Ty {
        let walk = self.ext_walk(path, args, rest);
        match walk {
            (walk, []) => self.ext_type_named(walk.path, walk.args),
            (walk, more) => {
                let base = self.ext_type_named(walk.path, walk.args);
                more.iter().fold(base, |ty, (name, _)| self.projection(ty, None, *name))
            }
        }
    }

    /// A library's path where a value is expected.
    pub(super) fn ext_value(&self, path: Name, args: Args, rest: &[(Name, Args)]) -> Res {
        if let ([(name, name_args)], true) =
            (rest, is_primitive(path.last_segment()) && !is_type_name(path.last_segment()))
            && is_constant_name(*name)
        {
            // `use std::f32; f32::MAX`: the module is named like the type.
            let ty = Ty::Prim(path.last_segment());
            return Res::Assoc { ty, of_trait: None, name: *name, args: name_args.clone() };
        }
        let (walk, more) = self.ext_walk(path, args, rest);
        let Some(((name, name_args), between)) = more.split_last() else {
            return Res::Ext(walk.path, walk.args);
        };
        if between.is_empty() && is_type_name(*name) && !is_constant_name(*name) {
            let args = if name_args.is_empty() { walk.args } else { name_args.clone() };
            return Res::Ext(self.ext_member(walk.path, *name), args);
        }
        if between.is_empty() && self.index.names.is_trait(walk.path) {
            let of_trait = TraitRef { key: TraitKey::Ext(walk.path), args: walk.args, assoc: no_assoc() };
            return Res::TraitItem { of_trait, name: *name, args: name_args.clone() };
        }
        let base = self.ext_type_named(walk.path, walk.args);
        let ty = between.iter().fold(base, |ty, (name, _)| self.projection(ty, None, *name));
        Res::Assoc { ty, of_trait: None, name: *name, args: name_args.clone() }
    }

    /// Goes on from `path` up to the first type.
    fn ext_walk<'r>(&self, path: Name, args: Args, rest: &'r [(Name, Args)]) -> (Walk, &'r [(Name, Args)]) {
        let mut walk = Walk { path, args, in_type: is_type_name(path.last_segment()) };
        let mut rest = rest;
        while let ([(name, args), more @ ..], false) = (rest, walk.in_type) {
            walk = Walk {
                path: self.ext_member(walk.path, *name),
                args: args.clone(),
                in_type: is_type_name(*name),
            };
            rest = more;
        }
        (walk, rest)
    }

    /// The type that a library's path names: a primitive if the path is that of the primitive's module.
    fn ext_type_named(&self, path: Name, args: Args) -> Ty {
        if is_primitive(path.last_segment()) {
            return Ty::Prim(path.last_segment());
        }
        if self.index.names.is_trait(path) {
            let bound = TraitRef { key: TraitKey::Ext(path), args, assoc: no_assoc() };
            return Ty::Dyn(Arc::from([bound]));
        }
        Ty::Ext(path, args)
    }
}
