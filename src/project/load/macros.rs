//! Which definition a macro's path means.
//!
//! By name, with the nearest module winning, rather than by textual order: a call in item or statement position finds
//! its rules in the enclosing modules, through imports, in the crate's other modules (`#[macro_use]`, `#[macro_export]`),
//! in the group's other crates, and last among what models know.

use crate::hir::{Attr, Item, ItemKind, MacroDef, MacroShape, Name, Path, UseKind};
use crate::project::cfg::{CfgSet, When, has_attr};
use crate::syntax::{MacroMeaning, MacroScope};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The `macro_rules!` of a crate, and the imports that may bring others in.
#[derive(Clone, Default)]
pub struct MacroTable {
    /// With the path of the module (without the crate's name) that each stands in.
    pub defs: Vec<(Vec<Name>, Arc<MacroDef>)>,
    by_name: FxHashMap<Name, Vec<u32>>,
    imports: FxHashMap<Name, Vec<Import>>,
    /// Crates whose macros need no import: `#[macro_use] extern crate name`, `use name::…::*`.
    open_crates: Vec<Name>,
}

#[derive(Clone)]
struct Import {
    module: Vec<Name>,
    path: Vec<Name>,
}

/// What the macros that no analysed crate defines mean; answered by models.
pub trait LibraryMacros: Sync {
    /// `path` is what stands before `!`, with leading names resolved through no imports (`tokio::select`, `println`),
    /// or, tried first, the import that it goes through.
    fn shape(&self, path: &[Name]) -> Option<MacroShape>;
}

impl MacroTable {
    /// Takes note of an item of `module`, if it defines or imports macros.
    pub(super) fn note(&mut self, module: &[Name], item: &Item) {
        match &item.kind {
            ItemKind::MacroRules(def) => {
                self.by_name.entry(def.name).or_default().push(self.defs.len() as u32);
                self.defs.push((module.to_vec(), def.clone()));
            }
            ItemKind::ExternCrate { alias } if has_attr(&item.attrs, "macro_use") => {
                self.open_crates.push(alias.unwrap_or(item.name));
            }
            ItemKind::Use(leaves) => {
                for leaf in leaves {
                    self.note_use(module, &leaf.path, &leaf.kind);
                }
            }
            _ => {}
        }
    }

    fn note_use(&mut self, module: &[Name], path: &Path, kind: &UseKind) {
        let names: Vec<Name> = path.segments.iter().map(|s| s.name).collect();
        let [first, .., last] = names[..] else {
            if let (UseKind::Glob, [only]) = (kind, &names[..]) {
                self.open_crates.push(*only);
            }
            return;
        };
        let local = match kind {
            UseKind::Plain => last,
            UseKind::Renamed(name) => *name,
            UseKind::Glob => return self.open_crates.push(first),
            UseKind::SelfModule => return,
        };
        // Types and constants are by far the most imports; macros are written in lower case.
        if !last.as_str().starts_with(char::is_uppercase) {
            self.imports.entry(local).or_default().push(Import { module: module.to_vec(), path: names });
        }
    }

    /// Whether the crate defines a macro of this name.
    pub fn defines(&self, name: Name) -> bool {
        self.by_name.contains_key(&name)
    }

    fn defs_of(&self, name: Name) -> impl DoubleEndedIterator<Item = &(Vec<Name>, Arc<MacroDef>)> {
        self.by_name.get(&name).into_iter().flatten().map(|at| &self.defs[*at as usize])
    }

    /// The definition in the innermost module around `module`; the last of several.
    fn in_scope(&self, module: &[Name], name: Name) -> Option<&Arc<MacroDef>> {
        let around = self.defs_of(name).filter(|(at, _)| module.starts_with(at));
        around.max_by_key(|(at, _)| at.len()).map(|(_, def)| def)
    }

    /// The last definition anywhere in the crate, those that are exported first.
    fn anywhere(&self, name: Name) -> Option<&Arc<MacroDef>> {
        self.exported(name).or_else(|| self.defs_of(name).next_back().map(|(_, def)| def))
    }

    fn exported(&self, name: Name) -> Option<&Arc<MacroDef>> {
        self.defs_of(name).rfind(|(_, def)| def.exported).map(|(_, def)| def)
    }

    /// The import in this very module, else the last in another (which a glob may bring in).
    fn import(&self, module: &[Name], name: Name) -> (Option<&[Name]>, Option<&[Name]>) {
        let all = self.imports.get(&name).map_or(&[][..], Vec::as_slice);
        let own = all.iter().rfind(|import| import.module == module);
        (own.map(|i| i.path.as_slice()), all.last().map(|i| i.path.as_slice()))
    }
}

/// How a body of `module` sees macros: the crate's own rules, those of crates it depends on, then the library's.
pub struct CrateMacroScope<'a> {
    pub table: &'a MacroTable,
    /// Exported macros of the group's other crates, by extern name.
    pub others: &'a [(Name, Arc<MacroTable>)],
    /// Path of the module, without the crate's name.
    pub module: &'a [Name],
    pub library: &'a dyn LibraryMacros,
    pub cfg: &'a CfgSet,
}

impl MacroScope for CrateMacroScope<'_> {
    fn lookup(&self, path: &Path) -> MacroMeaning {
        let names: Vec<Name> = path.segments.iter().map(|s| s.name).collect();
        match names[..] {
            [] => MacroMeaning::Unknown,
            [name] => self.by_name(name),
            _ => self.by_path(&names),
        }
    }

    fn enabled(&self, attrs: &[Attr]) -> bool {
        self.cfg.when(attrs) != When::Never
    }
}

impl CrateMacroScope<'_> {
    fn by_name(&self, name: Name) -> MacroMeaning {
        if let Some(def) = self.table.in_scope(self.module, name) {
            return MacroMeaning::Rules(def.clone());
        }
        let (own_import, any_import) = self.table.import(self.module, name);
        own_import
            .and_then(|path| known(self.by_path(path)))
            .or_else(|| self.table.anywhere(name).cloned().map(MacroMeaning::Rules))
            .or_else(|| known(self.by_path(any_import?)))
            .or_else(|| self.exported_where(name, |krate| self.table.open_crates.contains(&krate)))
            .or_else(|| self.library.shape(&[name]).map(MacroMeaning::Shape))
            .or_else(|| self.exported_where(name, |_| true))
            .unwrap_or(MacroMeaning::Unknown)
    }

    fn by_path(&self, path: &[Name]) -> MacroMeaning {
        let [first, .., last] = *path else { return MacroMeaning::Unknown };
        let own = || self.table.anywhere(last).cloned().map(MacroMeaning::Rules);
        let found = match first.as_str() {
            "crate" | "$crate" | "self" | "super" => own().or_else(|| self.exported_where(last, |_| true)),
            _ if self.others.iter().any(|(krate, _)| *krate == first) => self
                .exported_where(last, |krate| krate == first)
                .or_else(|| self.library.shape(path).map(MacroMeaning::Shape)),
            _ => self.library.shape(path).map(MacroMeaning::Shape).or_else(own),
        };
        found.unwrap_or(MacroMeaning::Unknown)
    }

    fn exported_where(&self, name: Name, wanted: impl Fn(Name) -> bool) -> Option<MacroMeaning> {
        let tables = self.others.iter().filter(|(krate, _)| wanted(*krate));
        tables.filter_map(|(_, table)| table.exported(name)).next().cloned().map(MacroMeaning::Rules)
    }
}

fn known(meaning: MacroMeaning) -> Option<MacroMeaning> {
    match meaning {
        MacroMeaning::Unknown => None,
        MacroMeaning::Rules(_) | MacroMeaning::Shape(_) => Some(meaning),
    }
}
