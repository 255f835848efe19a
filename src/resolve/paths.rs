//! Paths: what a path means where it stands, as a value, as the shape of a struct, as a type.
//!
//! In: a path as written and an `Env` (module, generic parameters, `Self`, a body's locals and blocks). Out: `Res` or
//! `Ty`; with a recorder in the `Env`, also an entry by `PathId`, for the paths nested in generic arguments too.
//!
//! Lookup order (Rust Reference, "Names"): locals and block items from the inside out, generic parameters, the
//! module (blocks around a nested item first), extern crates, the library's prelude.

use super::scope::{Def, Namespace, WORDS};
use super::ty::no_args;
use super::{AliasId, Args, LocalId, ModuleId, ParamDef, ParamId, Program, Res, TraitKey, TraitRef, Ty};
use crate::hir::{AdtKind, Edition, GenericParamKind, Name, Path, PathId, Segment};
use std::cell::RefCell;
use std::sync::Arc;

/// What is in scope at one point of a body, outermost first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rib {
    Local(Name, LocalId),
    /// Items of a block.
    Items(ModuleId),
}

/// Where a path or type is written.
#[derive(Clone, Copy)]
pub(super) struct Env<'a> {
    pub program: &'a Program,
    pub module: ModuleId,
    /// Generic parameters in scope; later ones shadow.
    pub generics: &'a [ParamId],
    pub self_ty: Option<&'a Ty>,
    pub ribs: &'a [Rib],
    /// Where meanings are noted by `PathId`.
    pub record: Option<&'a RefCell<Vec<Res>>>,
    /// Takes the anonymous parameters of `impl Trait` arguments; `None`: `impl Trait` is a `Ty::Dyn`.
    pub opaque: Option<&'a RefCell<Vec<ParamDef>>>,
    /// Takes the aliases that were used.
    pub aliases: Option<&'a RefCell<Vec<AliasId>>>,
}

/// What the first segments of a path stand for.
enum Start {
    Def(Def),
    Ty(Ty),
    Local(LocalId),
    ConstParam(Name),
}

impl<'a> Env<'a> {
    /// The environment of items of a module, without generics.
    pub fn of_module(program: &'a Program, module: ModuleId) -> Env<'a> {
        Env {
            program,
            module,
            generics: &[],
            self_ty: None,
            ribs: &[],
            record: None,
            opaque: None,
            aliases: None,
        }
    }

    /// Notes what the path of this id means.
    pub fn note(&self, id: PathId, res: &Res) {
        let Some(record) = self.record else { return };
        if let Some(slot) = record.borrow_mut().get_mut(id.0 as usize) {
            *slot = res.clone();
        }
    }

    /// A path in an expression (`locals`) or pattern (not).
    pub fn value(&self, path: &Path, locals: bool) -> Res {
        let res = self.value_of(path, locals);
        self.note(path.id, &res);
        res
    }

    fn value_of(&self, path: &Path, locals: bool) -> Res {
        if let Some((ty, of_trait, rest)) = self.qualified(path) {
            return self.value_in_qualified(ty, of_trait, rest);
        }
        let Some((start, used)) = self.start(path, Namespace::Values, locals) else { return Res::Unresolved };
        let (head, rest) = path.segments.split_at(used);
        match start {
            Start::Local(id) => Res::Local(id),
            Start::ConstParam(name) => Res::ConstParam(name),
            Start::Ty(ty) if rest.is_empty() => self.constructor(ty),
            Start::Ty(ty) => self.value_in_type(ty, rest),
            Start::Def(def) => self.value_of_def(def, head, rest),
        }
    }

    /// `<ty as of_trait>::rest` as a value.
    fn value_in_qualified(&self, ty: Ty, of_trait: Option<TraitRef>, rest: &[Segment]) -> Res {
        match (of_trait, rest) {
            (None, rest) => self.value_in_type(ty, rest),
            (Some(_), []) => Res::Unresolved,
            (of_trait, [seg]) => Res::Assoc { ty, of_trait, name: seg.name, args: self.args(seg) },
            (of_trait, [seg, rest @ ..]) => {
                self.value_in_type(self.program.projection(ty, of_trait.map(|t| t.key), seg.name), rest)
            }
        }
    }

    fn value_of_def(&self, def: Def, head: &[Segment], rest: &[Segment]) -> Res {
        let args = || head.last().map_or_else(no_args, |seg| self.args(seg));
        match (def, rest) {
            (Def::Ext(path), _) => self.program.ext_value(path, args(), &self.named_args(rest)),
            (Def::Fn(id), []) => Res::Fn(id, args()),
            (Def::Static(id), []) => Res::Static(id),
            (Def::Const(id), []) => Res::Const(id),
            (Def::Variant(adt, v), []) => Res::Variant(adt, v, args()),
            (Def::Module(id), []) => Res::Module(id),
            (Def::Adt(adt), []) => Res::Type(Ty::Adt(adt, args())),
            (Def::Adt(adt), _) => self.value_in_type(Ty::Adt(adt, args()), rest),
            (Def::Alias(alias), []) => Res::Type(self.alias(alias, args())),
            (Def::Alias(alias), _) => self.value_in_type(self.alias(alias, args()), rest),
            (Def::Trait(id), _) => {
                let of_trait = self.trait_ref(TraitKey::Local(id), head.last());
                match rest {
                    [] => Res::Type(Ty::Dyn(Arc::from([of_trait]))),
                    [seg] => Res::TraitItem { of_trait, name: seg.name, args: self.args(seg) },
                    _ => Res::Unresolved,
                }
            }
            (Def::Fn(_) | Def::Static(_) | Def::Const(_) | Def::Variant(..) | Def::Module(_), _) => {
                Res::Unresolved
            }
        }
    }

    /// `ty::rest` as a value: a variant, or something associated.
    fn value_in_type(&self, ty: Ty, rest: &[Segment]) -> Res {
        let Some((last, between)) = rest.split_last() else { return Res::Type(ty) };
        let ty = between.iter().fold(ty, |ty, seg| self.program.projection(ty, None, seg.name));
        let args = self.args(last);
        if let Ty::Adt(adt, adt_args) = &ty
            && let Some(variant) = self.program.enum_variant(*adt, last.name)
        {
            return Res::Variant(*adt, variant, if args.is_empty() { adt_args.clone() } else { args });
        }
        Res::Assoc { ty, of_trait: None, name: last.name, args }
    }

    /// `Self(…)`, `Self { … }`, an alias of a struct.
    fn constructor(&self, ty: Ty) -> Res {
        match ty {
            Ty::Adt(adt, args) if self.program.adts[adt.index()].kind != AdtKind::Enum => {
                Res::Variant(adt, 0, args)
            }
            ty => Res::Type(ty),
        }
    }

    /// The path of a struct literal or struct pattern.
    pub fn shape(&self, path: &Path) -> Res {
        let res = self.shape_of(path);
        self.note(path.id, &res);
        res
    }

    fn shape_of(&self, path: &Path) -> Res {
        if path.qself.is_some() {
            return self.constructor(self.path_type_of(path));
        }
        let Some((start, used)) = self.start(path, Namespace::Types, false) else { return Res::Unresolved };
        let (head, rest) = path.segments.split_at(used);
        let args = || head.last().map_or_else(no_args, |seg| self.args(seg));
        match (start, rest) {
            (Start::Def(Def::Ext(path)), rest) => {
                self.program.ext_value(path, args(), &self.named_args(rest))
            }
            (Start::Def(Def::Variant(adt, v)), []) => Res::Variant(adt, v, args()),
            (Start::Def(Def::Adt(adt)), []) => self.constructor(Ty::Adt(adt, args())),
            (Start::Def(Def::Alias(alias)), []) => self.constructor(self.alias(alias, args())),
            (Start::Ty(ty), []) => self.constructor(ty),
            (Start::Def(Def::Adt(adt)), rest) => self.shape_in_type(Ty::Adt(adt, args()), rest),
            (Start::Def(Def::Alias(alias)), rest) => self.shape_in_type(self.alias(alias, args()), rest),
            (Start::Ty(ty), rest) => self.shape_in_type(ty, rest),
            (Start::Def(_) | Start::Local(_) | Start::ConstParam(_), _) => Res::Unresolved,
        }
    }

    /// A variant, or the shape of an associated type.
    fn shape_in_type(&self, ty: Ty, rest: &[Segment]) -> Res {
        match self.value_in_type(ty, rest) {
            Res::Assoc { ty, of_trait: None, name, .. } => {
                self.constructor(self.program.projection(ty, None, name))
            }
            res => res,
        }
    }

    /// A path in type position.
    pub fn path_type(&self, path: &Path) -> Ty {
        let ty = self.path_type_of(path);
        self.note(path.id, &Res::Type(ty.clone()));
        ty
    }

    fn path_type_of(&self, path: &Path) -> Ty {
        if let Some((ty, of_trait, rest)) = self.qualified(path) {
            let mut key = of_trait.map(|t| t.key);
            return rest.iter().fold(ty, |ty, seg| self.program.projection(ty, key.take(), seg.name));
        }
        let Some((start, used)) = self.start(path, Namespace::Types, false) else { return Ty::Unknown };
        let (head, rest) = path.segments.split_at(used);
        let args = || head.last().map_or_else(no_args, |seg| self.args(seg));
        let base = match start {
            Start::Ty(ty) => ty,
            Start::Def(Def::Ext(path)) => return self.program.ext_type(path, args(), &self.named_args(rest)),
            Start::Def(Def::Adt(adt)) => Ty::Adt(adt, self.program.padded_adt_args(adt, args())),
            Start::Def(Def::Alias(alias)) => self.alias(alias, args()),
            Start::Def(Def::Trait(id)) => {
                Ty::Dyn(Arc::from([self.trait_ref(TraitKey::Local(id), head.last())]))
            }
            Start::Def(_) | Start::Local(_) | Start::ConstParam(_) => Ty::Unknown,
        };
        rest.iter().fold(base, |ty, seg| self.program.projection(ty, None, seg.name))
    }

    /// The trait that a bound or an impl names.
    pub fn trait_path(&self, path: &Path) -> Option<TraitRef> {
        let found = self.trait_path_of(path);
        if let Some(bound) = &found {
            self.note(path.id, &Res::Type(Ty::Dyn(Arc::from([bound.clone()]))));
        }
        found
    }

    fn trait_path_of(&self, path: &Path) -> Option<TraitRef> {
        let (start, used) = self.start(path, Namespace::Types, false)?;
        let rest = &path.segments[used..];
        let key = match start {
            Start::Def(Def::Trait(id)) if rest.is_empty() => TraitKey::Local(id),
            Start::Def(Def::Ext(base)) => {
                TraitKey::Ext(rest.iter().fold(base, |base, seg| self.program.ext_member(base, seg.name)))
            }
            Start::Def(_) | Start::Ty(_) | Start::Local(_) | Start::ConstParam(_) => return None,
        };
        Some(self.trait_ref(key, path.segments.last()))
    }

    /// The `<T as Trait>` of a path and what follows.
    fn qualified<'p>(&self, path: &'p Path) -> Option<(Ty, Option<TraitRef>, &'p [Segment])> {
        let (ty, of_trait) = &**path.qself.as_ref()?;
        let of_trait = of_trait.as_ref().and_then(|p| self.trait_path(p));
        Some((self.ty(ty), of_trait, &path.segments))
    }

    fn named_args(&self, segments: &[Segment]) -> Vec<(Name, Args)> {
        segments.iter().map(|seg| (seg.name, self.args(seg))).collect()
    }

    /// Follows the path through modules up to the first definition that is none; `ns` is the last segment's
    /// namespace. Returns the number of segments used, at least one.
    fn start(&self, path: &Path, ns: Namespace, locals: bool) -> Option<(Start, usize)> {
        let segments = &path.segments[..];
        let first = segments.first()?;
        if path.global {
            let used = usize::from(self.edition() != Edition::E2015);
            return self.follow(self.global_root(first.name)?, used, segments, ns);
        }
        let macro_crates = self.program.macro_crates(self.module, first);
        let found = macro_crates.iter().find_map(|root| self.follow(Def::Module(*root), 1, segments, ns));
        if found.is_some() {
            return found;
        }
        if let Some((module, used)) = self.keyword_module(segments) {
            return self.follow(Def::Module(module), used, segments, ns);
        }
        if let [only] = segments {
            return Some((self.single(only.name, ns, locals)?, 1));
        }
        match self.first_of_many(first.name)? {
            Start::Def(def) => self.follow(def, 1, segments, ns),
            start => Some((start, 1)),
        }
    }

    /// Goes on from a definition while it is a module.
    fn follow(&self, start: Def, used: usize, segments: &[Segment], ns: Namespace) -> Option<(Start, usize)> {
        let (mut def, mut used) = (start, used);
        while let (Def::Module(module), Some(seg)) = (def, segments.get(used)) {
            let last = used + 1 == segments.len();
            def = self.member(module, seg.name, if last { ns } else { Namespace::Types })?;
            used += 1;
        }
        Some((Start::Def(def), used))
    }

    /// What `::name` starts in: the crate's root in edition 2015, the crate `name` later.
    fn global_root(&self, name: Name) -> Option<Def> {
        let root = self.program.root_of(self.module);
        if self.edition() == Edition::E2015 {
            return Some(Def::Module(root));
        }
        Some(self.program.extern_crate(root, name).unwrap_or(Def::Ext(name)))
    }

    fn edition(&self) -> Edition {
        self.program.edition(self.module)
    }

    /// `crate`, `self`, `super::super`: the module, and how many segments say so.
    fn keyword_module(&self, segments: &[Segment]) -> Option<(ModuleId, usize)> {
        self.program.keyword_module(
            self.module,
            &mut segments.iter().map(|seg| seg.name),
            segments.len() == 1,
        )
    }

    /// `module::name`; in a crate's root (edition 2015) also the crates it depends on.
    fn member(&self, module: ModuleId, name: Name, ns: Namespace) -> Option<Def> {
        let (types, values) = self.program.members(Def::Module(module), name);
        let found = if ns == Namespace::Types { types } else { values.or(types) };
        found.or_else(|| {
            let in_root = self.edition() == Edition::E2015 && module == self.program.root_of(module);
            in_root.then(|| self.program.extern_crate(module, name).unwrap_or(Def::Ext(name)))
        })
    }

    /// A path of one segment.
    fn single(&self, name: Name, ns: Namespace, locals: bool) -> Option<Start> {
        for rib in self.ribs.iter().rev() {
            match *rib {
                Rib::Local(local, id) if locals && local == name => return Some(Start::Local(id)),
                Rib::Local(..) => {}
                Rib::Items(module) => {
                    if let Some(def) = self.program.in_scope(module, ns, name) {
                        return Some(Start::Def(def));
                    }
                }
            }
        }
        if name == WORDS.self_type {
            return self.self_ty.cloned().map(Start::Ty);
        }
        if let Some(param) = self.generic(name) {
            let is_const = self.program.params[param.index()].kind == GenericParamKind::Const;
            match ns {
                Namespace::Types => return Some(Start::Ty(Ty::Param(param))),
                Namespace::Values if is_const => return Some(Start::ConstParam(name)),
                Namespace::Values => {}
            }
        }
        if let Some(def) = self.program.lexical(self.module, ns, name) {
            return Some(Start::Def(def));
        }
        if ns == Namespace::Types && super::external::is_primitive(name) {
            return Some(Start::Ty(Ty::Prim(name)));
        }
        if let Some(path) = self.program.index.names.prelude(name, self.edition()) {
            return Some(Start::Def(Def::Ext(path)));
        }
        match ns {
            Namespace::Types => self.program.extern_crate(self.module, name).map(Start::Def),
            Namespace::Values => self.single(name, Namespace::Types, false),
        }
    }

    /// The first segment of a longer path.
    fn first_of_many(&self, name: Name) -> Option<Start> {
        for rib in self.ribs.iter().rev() {
            if let Rib::Items(module) = *rib
                && let Some(def) = self.program.in_scope(module, Namespace::Types, name)
            {
                return Some(Start::Def(def));
            }
        }
        if name == WORDS.self_type {
            return self.self_ty.cloned().map(Start::Ty);
        }
        if let Some(param) = self.generic(name) {
            return Some(Start::Ty(Ty::Param(param)));
        }
        if super::external::is_primitive(name)
            && self.program.lexical(self.module, Namespace::Types, name).is_none()
        {
            return Some(Start::Ty(Ty::Prim(name)));
        }
        self.program.first_segment(self.module, name, true).map(Start::Def)
    }

    fn generic(&self, name: Name) -> Option<ParamId> {
        self.generics.iter().rev().copied().find(|p| self.program.params[p.index()].name == name)
    }

    /// An alias with these arguments.
    fn alias(&self, alias: AliasId, args: Args) -> Ty {
        if let Some(met) = self.aliases {
            met.borrow_mut().push(alias);
        }
        self.program.expand_alias(alias, &args)
    }
}

impl Program {
    /// The module meant by the keywords that `names` begins with, and their number. `single`: the path has one
    /// segment only, so that `self` is a variable.
    pub(super) fn keyword_module(
        &self,
        from: ModuleId,
        names: &mut dyn Iterator<Item = Name>,
        single: bool,
    ) -> Option<(ModuleId, usize)> {
        let words = &*WORDS;
        let first = names.next()?;
        let mut module = match first {
            n if n == words.crate_ || n == words.dollar_crate => return Some((self.root_of(from), 1)),
            n if n == words.self_value && !single => self.named_module(from),
            n if n == words.super_ => self.super_module(from)?,
            _ => return None,
        };
        let mut used = 1;
        for _ in names.take_while(|n| *n == words.super_) {
            module = self.super_module(module)?;
            used += 1;
        }
        Some((module, used))
    }
}
