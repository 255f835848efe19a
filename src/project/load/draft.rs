//! Builds the module trees of a group's crates.
//!
//! Three kinds of work wait in turns until none is left: module files to read (a wave of them in parallel), item macro
//! calls to expand (when all definitions known so far are in the tables), and calls that failed, tried again once
//! tables have grown. Bounds: nesting and number of expansions; a file inside itself is an error.

use super::files::Files;
use super::macros::{CrateMacroScope, LibraryMacros, MacroTable};
use super::prune::prune;
use super::{LoadedCrate, LoadedGroup, ModuleNode};
use crate::finding::FileId;
use crate::hir::{Item, ItemKind, Name, TextRange, Visibility};
use crate::project::cfg::{When, all_path_values};
use crate::project::modules::ModuleFolder;
use crate::project::{CrateSource, Dependency};
use crate::syntax::{MacroMeaning, MacroScope, expand_items, items_of_shape};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

/// Macro calls that come out of macro calls.
const MAX_DEPTH: u32 = 128;
/// Item macro calls expanded in one group.
const MAX_EXPANSIONS: u32 = 200_000;

pub(super) struct Loader<'a> {
    library: &'a dyn LibraryMacros,
    pub files: Files,
    /// Files that only modules outside the build name.
    pub inactive: Vec<(PathBuf, ModuleFolder)>,
    crates: Vec<Draft>,
    /// Modules whose files aren't read yet.
    requests: Vec<Request>,
    calls: VecDeque<Call>,
    expansions: u32,
    opaque_macros: u64,
}

/// A crate under construction.
struct Draft {
    source: CrateSource,
    /// Parents come before their children; the root is the first.
    modules: Vec<DraftModule>,
    macros: MacroTable,
}

struct DraftModule {
    parent: Option<usize>,
    /// Without the crate's name.
    path: Vec<Name>,
    folder: ModuleFolder,
    node: ModuleNode,
}

/// Where items go.
#[derive(Clone, Copy)]
struct Site {
    krate: usize,
    module: usize,
    when: When,
    /// Expansions they came out of.
    depth: u32,
}

/// A `mod name;` (or a crate's root), with the files it may mean.
struct Request {
    krate: usize,
    parent: Option<usize>,
    node: ModuleNode,
    /// Where each file looks for its children.
    files: Vec<(PathBuf, ModuleFolder)>,
}

/// A macro call in item position.
struct Call {
    site: Site,
    item: Item,
}

impl<'a> Loader<'a> {
    pub fn new(library: &'a dyn LibraryMacros) -> Loader<'a> {
        Loader {
            library,
            files: Files::default(),
            inactive: Vec::new(),
            crates: Vec::new(),
            requests: Vec::new(),
            calls: VecDeque::new(),
            expansions: 0,
            opaque_macros: 0,
        }
    }

    /// Puts a crate on the list.
    pub fn add_crate(&mut self, source: CrateSource) {
        let folder = ModuleFolder::of_root(&source.root);
        let node = ModuleNode {
            name: source.name,
            vis: Visibility::Public,
            when: When::Always,
            file: FileId(0),
            declared_at: TextRange::default(),
            items: Vec::new(),
            children: Vec::new(),
        };
        let files = vec![(source.root.clone(), folder)];
        self.requests.push(Request { krate: self.crates.len(), parent: None, node, files });
        self.crates.push(Draft { source, modules: Vec::new(), macros: MacroTable::default() });
    }

    /// Works until nothing waits.
    pub fn run(&mut self) {
        let mut failed = Vec::new();
        loop {
            while !self.requests.is_empty() {
                self.load_wave();
            }
            let before = self.definitions();
            self.expand_calls(&mut failed);
            if !self.requests.is_empty() {
                continue;
            }
            if failed.is_empty() || self.definitions() == before {
                break;
            }
            self.calls.extend(failed.drain(..));
        }
        for call in failed {
            self.opaque_macros += 1;
            let module = &mut self.crates[call.site.krate].modules[call.site.module];
            module.node.items.push((call.item, call.site.when));
        }
    }

    fn definitions(&self) -> usize {
        self.crates.iter().map(|krate| krate.macros.defs.len()).sum()
    }

    /// Reads the files of all waiting modules and takes their items in.
    fn load_wave(&mut self) {
        let requests: Vec<Request> = std::mem::take(&mut self.requests);
        let mut found = Vec::new();
        for request in requests {
            // A crate's root is loaded even if it isn't there, so that crates keep their numbers.
            let is_there =
                |(file, _): &&(PathBuf, ModuleFolder)| self.files.id(file).is_some() || file.is_file();
            let which = request.files.iter().find(is_there);
            match which.or(request.files.first().filter(|_| request.parent.is_none())).cloned() {
                Some(file) => found.push((request, file)),
                None => self.report_missing(&request),
            }
        }
        self.files.read(found.iter().map(|(_, (file, _))| file.clone()));
        let mut users: BTreeMap<FileId, usize> = BTreeMap::new();
        let ids: Vec<FileId> = found.iter().filter_map(|(_, (file, _))| self.files.id(file)).collect();
        for id in &ids {
            *users.entry(*id).or_default() += 1;
        }
        for ((request, (_, folder)), id) in found.into_iter().zip(ids) {
            let left = users.entry(id).or_default();
            *left -= 1;
            self.take_in(request, folder, id, *left == 0);
        }
    }

    fn report_missing(&mut self, request: &Request) {
        let files: Vec<String> =
            request.files.iter().map(|(file, _)| format!("`{}`", file.display())).collect();
        let message =
            format!("module `{}` has no file: {} does not exist", request.node.name, files.join(" or "));
        if let Some(file) = self.file_of_parent(request) {
            self.files.error_at(file, request.node.declared_at.lo, message);
        }
    }

    fn file_of_parent(&self, request: &Request) -> Option<FileId> {
        Some(self.crates[request.krate].modules[request.parent?].node.file)
    }

    /// Makes a module of a file that has been read.
    fn take_in(&mut self, mut request: Request, folder: ModuleFolder, id: FileId, last: bool) {
        if self.is_circular(&request, id) {
            let message = format!("module `{}` is part of itself", request.node.name);
            if let Some(file) = self.file_of_parent(&request) {
                self.files.error_at(file, request.node.declared_at.lo, message);
            }
            return;
        }
        let (items, attrs) = self.files.items(id, last);
        let when = request.node.when.and(self.crates[request.krate].source.cfg.when(&attrs));
        request.node.when = when;
        request.node.file = id;
        let is_root = request.parent.is_none();
        if when == When::Never && !is_root {
            return;
        }
        let module = self.add_module(request.krate, request.parent, folder, request.node);
        if when != When::Never {
            self.absorb(Site { krate: request.krate, module, when, depth: 0 }, items);
        }
    }

    /// Whether the file is already being taken in by a module around the new one.
    fn is_circular(&self, request: &Request, file: FileId) -> bool {
        let modules = &self.crates[request.krate].modules;
        let mut around = std::iter::successors(request.parent, |at| modules[*at].parent);
        around.any(|at| modules[at].node.file == file)
    }

    fn add_module(
        &mut self,
        krate: usize,
        parent: Option<usize>,
        folder: ModuleFolder,
        node: ModuleNode,
    ) -> usize {
        let modules = &mut self.crates[krate].modules;
        let mut path = parent.map_or_else(Vec::new, |at| modules[at].path.clone());
        path.extend(parent.map(|_| node.name));
        modules.push(DraftModule { parent, path, folder, node });
        modules.len() - 1
    }

    /// Puts items where they belong: the module, its children, or one of the lists of what waits.
    fn absorb(&mut self, site: Site, items: Vec<Item>) {
        for mut item in items {
            let cfg = &self.crates[site.krate].source.cfg;
            let when = site.when.and(cfg.when(&item.attrs));
            if when == When::Never {
                self.note_inactive(site, item);
                continue;
            }
            let site = Site { when, ..site };
            prune(&mut item, cfg);
            match item.kind {
                ItemKind::Mod(_) => self.absorb_module(site, item),
                ItemKind::MacroCall { .. } => self.calls.push_back(Call { site, item }),
                _ => {
                    let draft = &mut self.crates[site.krate];
                    let module = &mut draft.modules[site.module];
                    draft.macros.note(&module.path, &item);
                    module.node.items.push((item, when));
                }
            }
        }
    }

    fn absorb_module(&mut self, site: Site, item: Item) {
        let draft = &self.crates[site.krate];
        let parent = &draft.modules[site.module];
        let path = draft.source.cfg.path_attr(&item.attrs);
        let node = ModuleNode {
            name: item.name,
            vis: item.vis,
            when: site.when,
            file: parent.node.file,
            declared_at: item.name_range,
            items: Vec::new(),
            children: Vec::new(),
        };
        let name = item.name.as_str();
        match item.kind {
            ItemKind::Mod(Some(items)) => {
                let folder = parent.folder.inline(name, path.as_deref());
                let module = self.add_module(site.krate, Some(site.module), folder, node);
                self.absorb(Site { module, ..site }, items);
            }
            _ => {
                let files = parent.folder.files(name, path.as_deref());
                self.requests.push(Request { krate: site.krate, parent: Some(site.module), node, files });
            }
        }
    }

    /// Notes the files that the modules in an item outside the build name.
    fn note_inactive(&mut self, site: Site, item: Item) {
        let folder = self.crates[site.krate].modules[site.module].folder.clone();
        let mut waiting = vec![(folder, item)];
        while let Some((folder, item)) = waiting.pop() {
            let paths = all_path_values(&item.attrs);
            let name = item.name.as_str();
            match item.kind {
                ItemKind::Mod(Some(items)) => {
                    let inside = folder.inline(name, paths.first().map(String::as_str));
                    waiting.extend(items.into_iter().map(|item| (inside.clone(), item)));
                }
                ItemKind::Mod(None) => {
                    self.inactive.extend(folder.files(name, None));
                    self.inactive.extend(paths.iter().flat_map(|path| folder.files(name, Some(path))));
                }
                _ => {}
            }
        }
    }

    /// Expands the waiting calls and those that come out of them; what can't be expanded is added to `failed`.
    fn expand_calls(&mut self, failed: &mut Vec<Call>) {
        let tables: Vec<Arc<MacroTable>> = self.crates.iter().map(|k| Arc::new(k.macros.clone())).collect();
        let others: Vec<Vec<(Name, Arc<MacroTable>)>> =
            self.crates.iter().map(|k| linked(k, &tables)).collect();
        while let Some(call) = self.calls.pop_front() {
            let site = call.site;
            let expanded = if site.depth < MAX_DEPTH && self.expansions < MAX_EXPANSIONS {
                self.expansions += 1;
                self.expand(site, &call.item, &tables[site.krate], &others[site.krate])
            } else {
                None
            };
            match expanded {
                Some(items) => self.absorb(Site { depth: site.depth + 1, ..site }, items),
                None => failed.push(call),
            }
        }
    }

    fn expand(
        &self,
        site: Site,
        item: &Item,
        table: &MacroTable,
        others: &[(Name, Arc<MacroTable>)],
    ) -> Option<Vec<Item>> {
        let ItemKind::MacroCall { path, tokens } = &item.kind else { return None };
        let draft = &self.crates[site.krate];
        let module = &draft.modules[site.module].path;
        let scope = CrateMacroScope { table, others, module, library: self.library, cfg: &draft.source.cfg };
        match scope.lookup(path) {
            MacroMeaning::Rules(def) => expand_items(&def, tokens, path.range),
            MacroMeaning::Shape(shape) => items_of_shape(shape, tokens, path.range),
            MacroMeaning::Unknown => None,
        }
    }

    /// Expands the calls among the items of impls and traits.
    fn expand_members(&mut self) {
        let tables: Vec<Arc<MacroTable>> = self.crates.iter().map(|k| Arc::new(k.macros.clone())).collect();
        for krate in 0..self.crates.len() {
            let others = linked(&self.crates[krate], &tables);
            for module in 0..self.crates[krate].modules.len() {
                let mut items = std::mem::take(&mut self.crates[krate].modules[module].node.items);
                for (item, when) in &mut items {
                    let site = Site { krate, module, when: *when, depth: 0 };
                    if let Some(members) = members_with_calls(item) {
                        let old = std::mem::take(members);
                        *members = self.expanded_members(site, old, &tables[krate], &others);
                    }
                }
                self.crates[krate].modules[module].node.items = items;
            }
        }
    }

    fn expanded_members(
        &mut self,
        site: Site,
        members: Vec<Item>,
        table: &MacroTable,
        others: &[(Name, Arc<MacroTable>)],
    ) -> Vec<Item> {
        let mut out = Vec::new();
        for item in members {
            let may_expand = matches!(item.kind, ItemKind::MacroCall { .. }) && site.depth < MAX_DEPTH;
            if !may_expand || self.expansions >= MAX_EXPANSIONS {
                self.opaque_macros += u64::from(matches!(item.kind, ItemKind::MacroCall { .. }));
                out.push(item);
                continue;
            }
            self.expansions += 1;
            match self.expand(site, &item, table, others) {
                Some(mut items) => {
                    let cfg = &self.crates[site.krate].source.cfg;
                    items.retain(|item| cfg.when(&item.attrs) != When::Never);
                    let below = Site { depth: site.depth + 1, ..site };
                    out.extend(self.expanded_members(below, items, table, others));
                }
                None => {
                    self.opaque_macros += 1;
                    out.push(item);
                }
            }
        }
        out
    }

    pub fn finish(mut self) -> LoadedGroup {
        self.expand_members();
        let mut errors = self.files.errors;
        errors.sort();
        errors.dedup();
        LoadedGroup {
            files: self.files.loaded,
            crates: self.crates.into_iter().filter_map(Draft::finish).collect(),
            errors,
            opaque_macros: self.opaque_macros,
        }
    }
}

impl Draft {
    /// `None` only if the root was never loaded, which `Loader::run` does for every crate.
    fn finish(mut self) -> Option<LoadedCrate> {
        while let Some(mut module) = self.modules.pop() {
            // Children were put in from the last to the first.
            module.node.children.reverse();
            match module.parent {
                Some(parent) => self.modules[parent].node.children.push(module.node),
                None => {
                    let macros = Arc::new(self.macros);
                    return Some(LoadedCrate { source: self.source, root: module.node, macros });
                }
            }
        }
        None
    }
}

/// The tables of the crates that a crate may name.
fn linked(draft: &Draft, tables: &[Arc<MacroTable>]) -> Vec<(Name, Arc<MacroTable>)> {
    let dependencies = draft.source.dependencies.iter();
    let krate = |(name, dependency): &(Name, Dependency)| match dependency {
        Dependency::Crate(id) => Some((*name, tables.get(id.0 as usize)?.clone())),
        Dependency::External { .. } => None,
    };
    dependencies.filter_map(krate).collect()
}

/// The items of an impl or trait, if there are macro calls among them.
fn members_with_calls(item: &mut Item) -> Option<&mut Vec<Item>> {
    let has_calls = |items: &[Item]| items.iter().any(|i| matches!(i.kind, ItemKind::MacroCall { .. }));
    match &mut item.kind {
        ItemKind::Impl(imp) if has_calls(&imp.items) => Some(&mut Arc::make_mut(imp).items),
        ItemKind::Trait(tr) if has_calls(&tr.items) => Some(&mut Arc::make_mut(tr).items),
        ItemKind::ExternBlock { items, .. } if has_calls(items) => Some(items),
        _ => None,
    }
}
