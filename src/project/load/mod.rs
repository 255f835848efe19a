//! Loads a group: follows `mod` items file by file, decides cfg, expands macros in item position.
//!
//! In: a group's crates. Out: their files with all bodies indexed, and a module tree for each crate. Files are read and
//! parsed in parallel, a wave at a time; a file that several crates use is one `LoadedFile`. Invariants: the same files
//! give the same result whatever the number of threads; nothing in the input makes it run without bound.

mod draft;
mod expansion;
mod files;
mod macros;
mod prune;
mod unnamed;

use super::cfg::When;
use super::{CrateSource, Group};
use crate::finding::{FileId, RunError, SourceText};
use crate::hir::{Attr, BodyIndex, DirectiveComment, Item, Name, TextRange, Visibility};
use draft::Loader;
use std::sync::Arc;

pub use macros::{CrateMacroScope, LibraryMacros, MacroTable};

/// A group with its text parsed.
pub struct LoadedGroup {
    pub files: Vec<LoadedFile>,
    /// Those of the group, in its order, then the files that no `mod` item names.
    pub crates: Vec<LoadedCrate>,
    pub errors: Vec<RunError>,
    /// Macro calls in item position that nothing is known of.
    pub opaque_macros: u64,
}

pub struct LoadedFile {
    pub source: SourceText,
    /// Of all function bodies in the file, by start.
    pub bodies: Vec<BodyIndex>,
    /// `#![…]` of the file.
    pub attrs: Vec<Attr>,
    pub comments: Vec<DirectiveComment>,
}

pub struct LoadedCrate {
    pub source: CrateSource,
    pub root: ModuleNode,
    /// Macros of the crate, by name, in textual order.
    pub macros: Arc<MacroTable>,
}

/// One module with its items: cfg'd-out ones dropped, macro calls replaced by what they expand to (at the end), `mod`
/// items moved to `children`.
pub struct ModuleNode {
    /// The crate's name for the root.
    pub name: Name,
    pub vis: Visibility,
    /// Of the `mod` item.
    pub attrs: Vec<Attr>,
    pub when: When,
    pub file: FileId,
    /// The `mod` item's name in the parent's file; for a root, empty at 0.
    pub declared_at: TextRange,
    /// With the builds they are in, the module's taken into account.
    pub items: Vec<(Item, When)>,
    pub children: Vec<ModuleNode>,
}

/// Reads and parses all files of a group, in parallel. `FileId`s count from 0 in the group (index into `files`).
pub fn load(group: &Group, library: &dyn LibraryMacros) -> LoadedGroup {
    let mut loader = Loader::new(library);
    for source in &group.crates {
        loader.add_crate(source.clone());
    }
    loader.run();
    loader.beside_targets = true;
    for source in unnamed::crates(&loader, &group.unnamed) {
        loader.add_crate(source);
    }
    loader.run();
    loader.finish()
}

#[cfg(test)]
mod tests;
