//! Names and types: what each path means, what type each signature has, which functions a method call may enter.
//!
//! In: a loaded group (`project::load`), the names that models know (`LibraryNames`). Out: `Program`, a database of
//! definitions with dense ids; bodies are lowered and resolved on first use and kept.
//!
//! The files in the order in which they are gone through: `collect` (declarations into tables and `scope`s), `outline`
//! (who mentions whom, for those who decide what is wanted), then in `build` `blocks` (items in bodies), `imports` (a fixpoint), `signatures` (types; `types` and `paths` lower what is written, `external` what
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
pub mod outline;
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

/// The declarations of a group, before any body is parsed and any name resolved.
pub struct Collected(collect::Collector);

/// Enters what the files of a group declare into tables.
pub fn collect(
    group: LoadedGroup,
    names: Arc<dyn LibraryNames + Send + Sync>,
    macros: Arc<dyn LibraryMacros + Send + Sync>,
) -> Collected {
    Collected(collect::collect(group, names, macros))
}

impl Collected {
    /// The tables: names, places and written types, no resolved ones.
    pub fn program(&self) -> &Program {
        &self.0.program
    }

    /// Who mentions whom.
    pub fn outline(&self) -> outline::Outline<'_> {
        outline::outline(&self.0)
    }
}

/// The definitions of a group, with all names in scope; functions' signatures are lowered on first use. Of the bodies that
/// may hold items those that are `wanted` are lowered here (in parallel), the others on first use; items in bodies that
/// nobody wants stay unknown.
pub fn build(collected: Collected, wanted: &dyn Fn(&Program, BodyOwner) -> bool) -> Program {
    let mut collector = collected.0;
    blocks::collect_blocks(&mut collector, wanted);
    imports::resolve_imports(&mut collector);
    let mut program = signatures::lower_signatures(collector);
    program.mark_public();
    program
}
