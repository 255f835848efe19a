//! The definitions of a group of crates, in dense tables.

use super::ty::*;
use crate::finding::{FileId, Location, SourceText};
use crate::hir::{
    self, Attr, Body, BodyIndex, DirectiveComment, Edition, Name, Pat, PathId, SyntaxError, TextRange,
};
use crate::project::cfg::When;
use crate::project::{CrateId, CrateSource};
use std::sync::{Arc, OnceLock};

/// Everything a group of crates declares.
pub struct Program {
    pub files: Vec<File>,
    pub crates: Vec<CrateDef>,
    pub modules: Vec<ModuleDef>,
    pub fns: Vec<FnDef>,
    pub statics: Vec<StaticDef>,
    pub consts: Vec<ConstDef>,
    pub adts: Vec<AdtDef>,
    pub traits: Vec<TraitDef>,
    pub impls: Vec<ImplDef>,
    pub aliases: Vec<AliasDef>,
    pub params: Vec<ParamDef>,
    /// Items found in function bodies, added when a body is first resolved, live in the same tables; this guards them.
    /// (Bodies with items of their own are resolved before the walk begins, so the tables are complete by then.)
    pub errors: Vec<crate::finding::RunError>,
    pub blind: Blind,
    pub(super) index: super::scope::Index,
}

/// Blind spots met while resolving.
#[derive(Default, Debug)]
pub struct Blind {
    pub unresolved_imports: u64,
    pub opaque_macros: u64,
}

pub struct File {
    pub source: SourceText,
    pub bodies: Vec<BodyIndex>,
    /// `#![…]` of the file.
    pub attrs: Vec<Attr>,
    pub comments: Vec<DirectiveComment>,
}

pub struct CrateDef {
    pub source: CrateSource,
    pub root: ModuleId,
}

pub struct ModuleDef {
    pub name: Name,
    pub krate: CrateId,
    /// `None` for a crate's root. The anonymous module of a block with items has the enclosing module as parent.
    pub parent: Option<ModuleId>,
    pub file: FileId,
    /// Of the `mod` item.
    pub attrs: Vec<Attr>,
    pub when: When,
    pub public: bool,
    /// The anonymous module of a block with items.
    pub is_block: bool,
    /// The function that the block stands in; `None` in an initializer.
    pub block_of: Option<FnId>,
}

/// What has a body: a function, or an initializer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BodyOwner {
    Fn(FnId),
    Static(StaticId),
    Const(ConstId),
}

/// Where an item is declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    Module,
    Impl(ImplId),
    Trait(TraitId),
}

pub struct FnDef {
    pub name: Name,
    pub module: ModuleId,
    pub owner: Owner,
    pub file: FileId,
    pub name_range: TextRange,
    pub range: TextRange,
    pub attrs: Vec<Attr>,
    pub when: When,
    /// Reachable from outside the crate by name: `pub` all the way (or re-exported), or a method of a public type or trait.
    pub public: bool,
    /// Written with a plain `pub`.
    pub(super) declared_public: bool,
    /// Written without any visibility, and not of a trait's impl.
    pub is_private: bool,
    pub item: Arc<hir::FnItem>,
    /// The function's own parameters (`impl Trait` arguments included), after those of its impl or trait.
    pub generics: Vec<ParamId>,
    pub(super) sig: OnceLock<FnSig>,
    pub(super) body: OnceLock<Option<Arc<ResolvedBody>>>,
}

/// A signature with resolved types. `self` is not among `params`.
#[derive(Clone, Debug)]
pub struct FnSig {
    /// The type of `self` as written (`&Self`: `Ref`).
    pub self_ty: Option<Ty>,
    pub params: Vec<Ty>,
    /// An async fn's declared type (not the future).
    pub ret: Ty,
}

pub struct StaticDef {
    pub name: Name,
    pub module: ModuleId,
    pub file: FileId,
    pub name_range: TextRange,
    pub when: When,
    pub public: bool,
    pub attrs: Vec<Attr>,
    pub item: Arc<hir::StaticItem>,
    pub ty: Ty,
    /// `stats::HITS`: path within its crate, without the function it may stand in.
    pub path: String,
    pub(super) body: OnceLock<Option<Arc<ResolvedBody>>>,
}

pub struct ConstDef {
    pub name: Name,
    pub module: ModuleId,
    pub owner: Owner,
    pub file: FileId,
    pub ty: Ty,
    pub item: Arc<hir::ConstItem>,
    pub(super) body: OnceLock<Option<Arc<ResolvedBody>>>,
}

pub struct AdtDef {
    pub name: Name,
    pub module: ModuleId,
    pub file: FileId,
    pub name_range: TextRange,
    pub public: bool,
    pub attrs: Vec<Attr>,
    pub kind: hir::AdtKind,
    pub generics: Vec<ParamId>,
    pub variants: Vec<VariantDef>,
}

pub struct VariantDef {
    pub name: Name,
    pub shape: hir::VariantShape,
    pub fields: Vec<FieldDef>,
}

pub struct FieldDef {
    pub name: Name,
    pub name_range: TextRange,
    pub public: bool,
    pub ty: Ty,
}

pub struct TraitDef {
    pub name: Name,
    pub module: ModuleId,
    pub public: bool,
    pub is_unsafe: bool,
    pub self_param: ParamId,
    pub generics: Vec<ParamId>,
    pub supers: Vec<TraitRef>,
    pub fns: Vec<FnId>,
    pub consts: Vec<ConstId>,
    /// Associated types with their defaults.
    pub types: Vec<(Name, Option<Ty>)>,
    /// The bounds of the associated types.
    pub type_bounds: Vec<(Name, Vec<TraitRef>)>,
}

pub struct ImplDef {
    pub module: ModuleId,
    pub file: FileId,
    pub range: TextRange,
    pub attrs: Vec<Attr>,
    pub when: When,
    pub is_unsafe: bool,
    pub negative: bool,
    pub generics: Vec<ParamId>,
    /// Bounds of the parameters and of the `where` clause.
    pub predicates: Vec<(Ty, TraitRef)>,
    /// Written without a trait. (`trait_` is also `None` when the trait's path doesn't resolve.)
    pub inherent: bool,
    pub trait_: Option<TraitRef>,
    pub self_ty: Ty,
    pub fns: Vec<FnId>,
    pub consts: Vec<ConstId>,
    pub types: Vec<(Name, Ty)>,
}

pub struct AliasDef {
    pub name: Name,
    pub generics: Vec<ParamId>,
    pub ty: Ty,
}

pub struct ParamDef {
    pub name: Name,
    pub kind: hir::GenericParamKind,
    /// From the declaration and the `where` clauses.
    pub bounds: Vec<TraitRef>,
    pub default: Option<Ty>,
}

/// A body with its names resolved.
pub struct ResolvedBody {
    pub body: Body,
    /// The module (perhaps a block's anonymous one) whose scope the body starts in.
    pub module: ModuleId,
    pub file: FileId,
    pub edition: Edition,
    /// By `PathId`.
    pub(super) paths: Vec<Res>,
    /// By `BindingId`: the local a pattern binding introduces (alternatives of an or-pattern share one), or the
    /// constant, static or variant it names instead.
    pub(super) bindings: Vec<Bound>,
    pub locals: Vec<Local>,
    /// Of the parameters' patterns, whose paths have no number, by range.
    pub(super) param_paths: Vec<(TextRange, Res)>,
    /// What of the body could not be parsed.
    pub errors: Vec<SyntaxError>,
}

/// A local variable of a body. Parameters come first, `self` first of all.
#[derive(Clone, Debug)]
pub struct Local {
    pub name: Name,
    pub mutable: bool,
    pub range: TextRange,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LocalId(pub u32);

#[derive(Clone, PartialEq, Debug)]
pub enum Bound {
    Local(LocalId),
    /// The name is that of a constant, unit struct or unit variant.
    Named(Res),
}

/// What a path means.
#[derive(Clone, PartialEq, Debug)]
pub enum Res {
    Unresolved,
    Local(LocalId),
    /// A free function; the types are the turbofish's.
    Fn(FnId, Args),
    Static(StaticId),
    Const(ConstId),
    ConstParam(Name),
    /// A struct, union (variant 0) or an enum's variant: as a value its constructor, as a pattern its shape.
    /// Type arguments as written (empty: unknown).
    Variant(AdtId, u32, Args),
    /// `T::name`, `Self::name`, `<T as Trait>::name`, `Vec::new`: to be looked up in the type (library types too).
    Assoc {
        ty: Ty,
        of_trait: Option<TraitRef>,
        name: Name,
        args: Args,
    },
    /// `Trait::name` without a type: the first argument's type decides.
    TraitItem {
        of_trait: TraitRef,
        name: Name,
        args: Args,
    },
    /// A library's function, static, constant or variant: `std::thread::spawn`, `std::option::Option::Some`.
    Ext(Name, Args),
    /// A type or module where a value was expected, or a type position.
    Type(Ty),
    Module(ModuleId),
}

impl ResolvedBody {
    pub fn path(&self, id: PathId) -> &Res {
        self.paths.get(id.0 as usize).unwrap_or(&Res::Unresolved)
    }

    /// What the paths of the body mean, in no order that matters.
    pub fn mentioned(&self) -> impl Iterator<Item = &Res> {
        self.paths.iter()
    }

    /// What a path of the body or of a parameter's pattern means.
    pub fn res(&self, path: &hir::Path) -> &Res {
        if path.id != PathId::ITEM {
            return self.path(path.id);
        }
        let found = self.param_paths.iter().find(|(range, _)| *range == path.range);
        found.map_or(&Res::Unresolved, |(_, res)| res)
    }

    pub fn binding(&self, id: hir::BindingId) -> &Bound {
        &self.bindings[id.0 as usize]
    }
}

/// A method found for a type.
#[derive(Clone, Debug)]
pub struct Method {
    pub id: FnId,
    /// What the impl's (or trait's) generics stand for, `Self` of a trait's default method included.
    pub subst: Subst,
}

/// The names that libraries have: answered by models.
pub trait LibraryNames: Sync {
    /// The canonical path of a library path given as written after resolving imports (`alloc::sync::Arc` → `std::sync::Arc`).
    fn canonical(&self, path: &str) -> Name;
    /// What an unqualified name means when nothing in scope declares it (`Vec` → `std::vec::Vec`, `Some` → `std::option::Option::Some`).
    fn prelude(&self, name: Name, edition: Edition) -> Option<Name>;
    /// The names that a glob import of a library's module brings in: (name, canonical path).
    fn glob(&self, module: &str) -> Vec<(Name, Name)>;
    /// Whether the canonical path is a trait's.
    fn is_trait(&self, path: Name) -> bool;
}

impl Program {
    pub fn file(&self, id: FileId) -> &File {
        &self.files[id.0 as usize]
    }

    pub fn fn_def(&self, id: FnId) -> &FnDef {
        &self.fns[id.index()]
    }

    /// Where a function's name stands.
    pub fn fn_location(&self, id: FnId) -> Location {
        let def = self.fn_def(id);
        Location { file: def.file, range: def.name_range }
    }

    pub fn krate(&self, module: ModuleId) -> CrateId {
        self.modules[module.index()].krate
    }
}

/// Which patterns a fn's parameters have: `FnItem::params[i].pat` with `ResolvedBody::binding`.
pub fn param_pats(item: &hir::FnItem) -> impl Iterator<Item = &Pat> {
    item.params.iter().map(|p| &p.pat)
}
