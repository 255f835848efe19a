//! The only room that knows syn: source text in, HIR out.
//!
//! Invariants. No syn or proc-macro2 type leaves this folder; trees are dropped in the thread that made them and the
//! thread's span table is emptied after each parse (spans are turned into byte ranges first). Everything is a pure
//! function of its arguments. No input makes it panic, overflow the stack (worker threads have 64 MiB) or run without bound: bracket
//! depth is checked before syn sees the text, huge literals are cut, macro expansion is bounded in depth and in tokens.
//! What was refused is a `SyntaxError` with its range; it costs the item it stands in, never the file.

mod block_items;
mod body;
mod direct;
mod expand;
mod guard;
mod items;
mod lexer;
mod macro_defs;
mod members;
mod names;
mod patterns;
mod recover;
mod rewrite;
mod scan;
mod skeleton;
mod source_map;
mod split;
mod tokens;
mod types;

use crate::hir::{
    Attr, Body, BodyIndex, BodySource, Item, ItemTree, MacroDef, MacroShape, Name, Path, SyntaxError,
    TextRange, Tokens,
};
use std::sync::Arc;

pub use rewrite::{Goal, Rewrite, Rewrites, parses, rewrites};

/// A file's declarations and the identifiers of its bodies.
pub struct ParsedFile {
    pub tree: ItemTree,
    /// By ascending start; one for each `BodySource::Text` of a function in `tree` (also nested in impls, traits, inline modules).
    pub bodies: Vec<BodyIndex>,
}

/// Parses a file's items. Function bodies are skipped (only indexed). Never fails: what could not be parsed is in `tree.errors`.
pub fn parse_file(text: &str) -> ParsedFile {
    items::parse_file(text)
}

/// A body, and what of it could not be parsed.
pub struct LoweredBody {
    pub body: Body,
    pub errors: Vec<SyntaxError>,
}

/// The identifiers of the body at `range`.
pub fn index(text: &str, range: TextRange) -> BodyIndex {
    scan::index(text, range)
}

/// Lowers a function's body or an initializer expression. `text` is the whole file; `first_binding` is the number of
/// bindings the parameters made.
pub fn lower_body(
    text: &str,
    source: &BodySource,
    first_binding: u32,
    macros: &dyn MacroScope,
) -> LoweredBody {
    body::lower_body(text, source, first_binding, macros)
}

/// The items that stand right in one block of a body.
#[derive(Debug)]
pub struct BlockItems {
    /// The block, its braces included.
    pub range: TextRange,
    pub items: Vec<Item>,
}

/// The items in the blocks of the body at `range`, in the order in which the blocks end. `None`: only the lowered body
/// tells, as where one of the macros that `makes_items` knows is called.
pub fn block_items(
    text: &str,
    range: TextRange,
    macros: &dyn MacroScope,
    makes_items: &dyn Fn(Name) -> bool,
) -> Option<Vec<BlockItems>> {
    block_items::block_items(text, range, macros, makes_items)
}

/// Only checks that a body parses: the errors that `lower_body` would give for the body's own text.
pub fn check_body(text: &str, source: &BodySource) -> Vec<SyntaxError> {
    body::check_body(text, source)
}

/// What a macro's path means where it is called.
pub trait MacroScope {
    fn lookup(&self, path: &Path) -> MacroMeaning;

    /// Whether a statement, expression, arm, field or block item with these attributes is in the build.
    fn enabled(&self, _attrs: &[Attr]) -> bool {
        true
    }
}

#[derive(Clone, Debug)]
pub enum MacroMeaning {
    Rules(Arc<MacroDef>),
    Shape(MacroShape),
    Unknown,
}

/// The items that a macro call in item position stands for. `call` is the range of the call's path, at which tokens
/// of the definition are placed. `None`: no rule matches, or the result doesn't parse, or a bound was hit.
pub fn expand_items(def: &MacroDef, args: &Tokens, call: TextRange) -> Option<Vec<Item>> {
    expand::expand_items(def, args, call)
}

/// The items that a call of a macro of a known shape stands for (`ThreadLocal`, `LazyStatic`, `CfgIf`: each item gets
/// the `#[cfg]` of its branch, `Items`). `None` for other shapes and for what doesn't parse.
pub fn items_of_shape(shape: MacroShape, args: &Tokens, call: TextRange) -> Option<Vec<Item>> {
    expand::items_of_shape(shape, args, call)
}
