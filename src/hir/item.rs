//! Items: what a file declares. One tree a file; bodies stay text until somebody asks for them (`BodySource`).

use super::{ExprText, MacroDef, Name, Pat, TextRange, Tokens};
use std::sync::Arc;

/// Everything one file declares.
#[derive(Clone, Debug, Default)]
pub struct ItemTree {
    pub items: Vec<Item>,
    /// `#![…]` of the file.
    pub attrs: Vec<Attr>,
    /// What could not be parsed.
    pub errors: Vec<SyntaxError>,
    /// `// racelint:` comments.
    pub comments: Vec<DirectiveComment>,
}

/// The identifiers that stand in one function body's text (sorted by text order of first use, no duplicates, macro
/// arguments included, without the keywords that `Name::tells_nothing` of): enough to find the bodies that can matter without parsing them.
#[derive(Clone, Debug)]
pub struct BodyIndex {
    /// As in `BodySource::Text`.
    pub range: TextRange,
    /// Those that follow no dot.
    pub identifiers: Box<[Name]>,
    /// Those that follow a dot: fields and methods.
    pub dotted: Box<[Name]>,
    /// Those before a `!`: macros. They are among the others too.
    pub macros: Box<[Name]>,
}

/// A part of the file that isn't Rust, as far as the parser can tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    pub range: TextRange,
    pub message: String,
}

/// A `// racelint: …` or `//! racelint: …` comment, text after `racelint:`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectiveComment {
    pub range: TextRange,
    pub inner: bool,
    pub text: String,
}

#[derive(Clone, Debug)]
pub struct Item {
    /// Empty name for impls, uses, extern blocks, macro calls.
    pub name: Name,
    pub name_range: TextRange,
    pub range: TextRange,
    pub vis: Visibility,
    pub attrs: Vec<Attr>,
    pub kind: ItemKind,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Visibility {
    Private,
    Public,
    /// `pub(crate)`, `pub(super)`, `pub(self)`, `pub(in path)`: the path (`crate`, `super`, …).
    Restricted(Path),
}

/// An attribute other than a doc comment. `cfg_attr` is kept as it is written.
#[derive(Clone, PartialEq, Debug)]
pub struct Attr {
    /// `["tokio", "main"]`, `["cfg"]`.
    pub path: Vec<Name>,
    /// The tokens in the delimiters (`#[cfg(test)]`: `test`) or after `=` (`#[path = "x.rs"]`: the literal).
    pub tokens: Tokens,
    pub range: TextRange,
}

#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `None`: declared with `;`, the content is another file.
    Mod(Option<Vec<Item>>),
    /// One entry a leaf of the use tree.
    Use(Vec<UseLeaf>),
    /// `extern crate name as alias;` (`Item::name` is the crate's name).
    ExternCrate {
        alias: Option<Name>,
    },
    Fn(Arc<FnItem>),
    Static(Arc<StaticItem>),
    Const(Arc<ConstItem>),
    /// struct, enum, union
    Adt(Arc<AdtItem>),
    TypeAlias {
        generics: Generics,
        bounds: Vec<Bound>,
        ty: Option<Type>,
    },
    Trait(Arc<TraitItem>),
    Impl(Arc<ImplItem>),
    /// `extern "C" { … }`: its functions (no body) and statics.
    ExternBlock {
        abi: Name,
        items: Vec<Item>,
    },
    MacroRules(Arc<MacroDef>),
    /// A macro called in item position; `Item::name` is empty (for `macro_name! ident { … }` the ident).
    MacroCall {
        path: Path,
        tokens: Tokens,
    },
}

#[derive(Clone, PartialEq, Debug)]
pub struct UseLeaf {
    /// Whole path from the root of the tree, without the glob's `*`; a trailing `self` is dropped.
    pub path: Path,
    pub kind: UseKind,
    pub range: TextRange,
}

#[derive(Clone, PartialEq, Debug)]
pub enum UseKind {
    /// Binds the last segment's name.
    Plain,
    /// `as name` (`_` for an anonymous import).
    Renamed(Name),
    Glob,
    /// `path::{self}`: types (modules) only.
    SelfModule,
}

#[derive(Clone, Debug)]
pub struct FnItem {
    pub generics: Generics,
    pub self_param: Option<SelfParam>,
    /// Without self. Patterns number their bindings from 0 (`self`, if there is one, is binding 0).
    pub params: Vec<Param>,
    /// Bindings made by self and the parameters; the body numbers its own from here.
    pub param_bindings: u32,
    pub ret: Option<Type>,
    pub is_async: bool,
    pub is_unsafe: bool,
    pub is_const: bool,
    /// `extern "C" fn`: the ABI.
    pub abi: Option<Name>,
    /// `None` for a declaration.
    pub body: Option<BodySource>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    pub pat: Pat,
    pub ty: Type,
}

/// How a method takes `self`.
#[derive(Clone, PartialEq, Debug)]
pub enum SelfParam {
    /// `self`, `mut self`
    Value,
    /// `&self`
    Ref,
    /// `&mut self`
    RefMut,
    /// `self: Arc<Self>`, …
    Typed(Type),
}

/// Where a body's (or initializer's) text is. Cheap to clone.
#[derive(Clone, Debug)]
pub enum BodySource {
    /// `{ … }` of a function, braces included; or an expression's text. A range of the file that holds the item.
    Text(TextRange),
    /// Of an item that a macro produced: a brace group, or the expression's tokens.
    Tokens(Tokens),
}

#[derive(Clone, Debug)]
pub struct StaticItem {
    pub mutable: bool,
    pub ty: Type,
    pub init: Option<BodySource>,
    pub storage: StaticKind,
}

/// Where a static's value lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StaticKind {
    Plain,
    /// One a thread.
    ThreadLocal,
    /// Computed at the first use; reads through a `Deref` to the declared type.
    Lazy,
}

#[derive(Clone, Debug)]
pub struct ConstItem {
    pub generics: Generics,
    pub ty: Type,
    pub init: Option<BodySource>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdtKind {
    Struct,
    Enum,
    Union,
}

#[derive(Clone, Debug)]
pub struct AdtItem {
    pub kind: AdtKind,
    pub generics: Generics,
    /// A struct or union has one, named like itself.
    pub variants: Vec<Variant>,
}

#[derive(Clone, Debug)]
pub struct Variant {
    pub name: Name,
    pub name_range: TextRange,
    pub attrs: Vec<Attr>,
    pub shape: VariantShape,
    pub fields: Vec<FieldDef>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VariantShape {
    Unit,
    Tuple,
    Named,
}

#[derive(Clone, Debug)]
pub struct FieldDef {
    /// `0`, `1`, … in a tuple.
    pub name: Name,
    pub name_range: TextRange,
    pub vis: Visibility,
    pub attrs: Vec<Attr>,
    pub ty: Type,
}

#[derive(Clone, Debug)]
pub struct TraitItem {
    pub generics: Generics,
    pub supers: Vec<Bound>,
    pub is_unsafe: bool,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub struct ImplItem {
    pub generics: Generics,
    pub is_unsafe: bool,
    /// `impl !Send for T`
    pub negative: bool,
    pub trait_: Option<Path>,
    pub self_ty: Type,
    /// Fns, consts, type aliases, macro calls.
    pub items: Vec<Item>,
}

#[derive(Clone, PartialEq, Debug, Default)]
pub struct Generics {
    pub params: Vec<GenericParam>,
    /// `where` predicates on types.
    pub preds: Vec<WherePred>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct GenericParam {
    pub name: Name,
    pub kind: GenericParamKind,
    pub bounds: Vec<Bound>,
    pub default: Option<Type>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GenericParamKind {
    Lifetime,
    Type,
    Const,
}

#[derive(Clone, PartialEq, Debug)]
pub struct WherePred {
    pub ty: Type,
    pub bounds: Vec<Bound>,
}

/// A trait bound (lifetimes are dropped, except that `'static` bounds vanish too).
#[derive(Clone, PartialEq, Debug)]
pub struct Bound {
    pub path: Path,
    /// `?Sized`
    pub maybe: bool,
}

/// A type as written.
#[derive(Clone, PartialEq, Debug)]
pub enum Type {
    Path(Path),
    Ref {
        mutable: bool,
        inner: Box<Type>,
    },
    Ptr {
        mutable: bool,
        inner: Box<Type>,
    },
    Tuple(Vec<Type>),
    Array(Box<Type>, ExprText),
    Slice(Box<Type>),
    FnPtr {
        params: Vec<Type>,
        ret: Option<Box<Type>>,
    },
    Dyn(Vec<Bound>),
    Impl(Vec<Bound>),
    Never,
    Infer,
    /// A macro in type position, or something newer than us.
    Unknown,
}

/// A path as written, with its generic arguments.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Path {
    /// `::std::…`
    pub global: bool,
    /// `<T as Trait>::…`: the type, and the trait's path if there is one; `segments` holds only what follows `>::`.
    pub qself: Option<Box<(Type, Option<Path>)>>,
    pub segments: Vec<Segment>,
    pub range: TextRange,
    /// Dense number of the path in its body, for side tables; `PathId::ITEM` outside bodies.
    pub id: PathId,
}

/// See `Path::id`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PathId(pub u32);

impl PathId {
    pub const ITEM: PathId = PathId(u32::MAX);
}

impl Default for PathId {
    fn default() -> Self {
        PathId::ITEM
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Segment {
    pub name: Name,
    pub range: TextRange,
    pub args: Vec<GenericArg>,
    /// `Fn(A, B) -> C`: `args` holds one `Type::Tuple` of the inputs; this is the output.
    pub fn_output: Option<Box<Type>>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum GenericArg {
    Type(Type),
    Const(ExprText),
    /// `Item = T`
    Assoc(Name, Type),
}
