//! Names and types: what each path means, what type each signature has, which functions a method call may enter.
//!
//! In: a loaded group (`project::load`), the names that models know (`LibraryNames`). Out: `Program`, a database of
//! definitions with dense ids; bodies are lowered and resolved on first use and kept.
//!
//! `build` goes through the files in this order: `collect` (declarations into tables and `scope`s), `blocks` (items in
//! bodies), `imports` (a fixpoint), `signatures` (types; `types` and `paths` lower what is written, `external` what
//! leads into libraries), `impls` (the index), `public` (what is reachable from outside). `body` and `lookup` answer
//! questions afterwards.
//!
//! Invariants. No syn here, no I/O, no value of any variable. A library (a crate that isn't analysed) is known by
//! canonical paths only (`std::sync::Mutex`); `core` and `alloc` names are canonicalized by `LibraryNames`.
//! What can't be resolved is `Res::Unresolved`, never a guess. Tables and answers are in source order.

mod blocks;
pub mod body;
mod check;
mod collect;
pub mod defs;
mod external;
mod impls;
mod imports;
pub mod lookup;
mod paths;
mod public;
pub mod scope;
mod signatures;
#[cfg(test)]
mod tests;
pub mod ty;
mod types;

pub use defs::*;
pub use ty::*;

use crate::project::load::{LibraryMacros, LoadedGroup};
use std::sync::Arc;

/// The definitions of a group, with all names in signatures resolved. Bodies that may hold items are lowered here (in
/// parallel), the others on first use.
pub fn build(
    group: LoadedGroup,
    names: Arc<dyn LibraryNames + Send + Sync>,
    macros: Arc<dyn LibraryMacros + Send + Sync>,
) -> Program {
    let mut collector = collect::collect(group, names, macros);
    blocks::collect_blocks(&mut collector);
    imports::resolve_imports(&mut collector);
    let mut program = signatures::lower_signatures(collector);
    program.mark_public();
    program
}
