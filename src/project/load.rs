//! Loads a crate: follows `mod` items file by file, decides cfg, expands macros in item position.

use super::cfg::When;
use super::{CrateSource, Group, Options};
use crate::finding::{FileId, RunError, SourceText};
use crate::hir::{BodyIndex, Item, Name, TextRange, Visibility};
use crate::syntax::{MacroMeaning, MacroScope};
use std::sync::Arc;

/// A group with its text parsed.
pub struct LoadedGroup {
    pub files: Vec<LoadedFile>,
    pub crates: Vec<LoadedCrate>,
    pub errors: Vec<RunError>,
    /// Macro calls in item position that nothing is known of.
    pub opaque_macros: u64,
}

pub struct LoadedFile {
    pub source: SourceText,
    /// Of all function bodies in the file, by start.
    pub bodies: Vec<BodyIndex>,
    pub outside: Box<[Name]>,
}

pub struct LoadedCrate {
    pub source: CrateSource,
    pub root: ModuleNode,
    /// Macros of the crate, by name, in textual order.
    pub macros: Arc<MacroTable>,
}

/// One module with its items: cfg'd-out ones dropped, macro calls replaced by what they expand to, `mod` items moved to `children`.
pub struct ModuleNode {
    /// The crate's name for the root.
    pub name: Name,
    pub vis: Visibility,
    pub when: When,
    pub file: FileId,
    /// The `mod` item's name in the parent's file; for a root, empty at 0.
    pub declared_at: TextRange,
    pub items: Vec<(Item, When)>,
    pub children: Vec<ModuleNode>,
}

/// The `macro_rules!` of a crate.
#[derive(Default)]
pub struct MacroTable {
    pub defs: Vec<(Vec<Name>, Arc<crate::hir::MacroDef>)>,
}

/// What the macros that no analysed crate defines mean; answered by models.
pub trait LibraryMacros: Sync {
    /// `path` is what stands before `!`, with leading names resolved through no imports (`tokio::select`, `println`).
    fn shape(&self, path: &[Name]) -> Option<crate::hir::MacroShape>;
}

/// How a body of `module` sees macros: the crate's own rules, those of crates it depends on, then the library's.
pub struct CrateMacroScope<'a> {
    pub table: &'a MacroTable,
    /// Exported macros of the group's other crates, by extern name.
    pub others: &'a [(Name, Arc<MacroTable>)],
    pub module: &'a [Name],
    pub library: &'a dyn LibraryMacros,
}

impl MacroScope for CrateMacroScope<'_> {
    fn lookup(&self, _path: &crate::hir::Path) -> MacroMeaning {
        MacroMeaning::Unknown
    }
}

/// Reads and parses all files of a group, in parallel. `FileId`s count from 0 in the group (index into `files`).
pub fn load(_group: &Group, _options: &Options, _library: &dyn LibraryMacros) -> LoadedGroup {
    LoadedGroup { files: Vec::new(), crates: Vec::new(), errors: Vec::new(), opaque_macros: 0 }
}
