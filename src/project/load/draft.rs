//! Builds the module trees of a group's crates.
//!
//! Work waits in turns until none is left: module files to read (a wave of them in parallel), item macro calls to expand
//! (`expansion`, when all definitions known so far are in the tables), and calls that failed, tried again once tables
//! have grown. A file inside itself is an error.

use super::files::Files;
use super::macros::{LibraryMacros, MacroTable};
use super::prune::prune;
use super::{LoadedCrate, LoadedGroup, ModuleNode};
use crate::finding::FileId;
use crate::hir::{Attr, Item, ItemKind, Name, TextRange, Visibility};
use crate::project::CrateSource;
use crate::project::cfg::{When, all_path_values};
use crate::project::modules::{ModuleFolder, named_files};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A group under construction, and the work that waits.
pub(super) struct Loader<'a> {
    pub library: &'a dyn LibraryMacros,
    pub files: Files,
    /// Files that only modules outside the build name.
    pub inactive: Vec<(PathBuf, ModuleFolder)>,
    pub crates: Vec<Draft>,
    /// Modules whose files aren't read yet.
    requests: Vec<Request>,
    pub calls: Vec<Call>,
    pub expansions: usize,
    pub opaque_macros: u64,
    /// The crates added from now on are of files that no module names.
    pub beside_targets: bool,
}

/// A crate under construction.
pub(super) struct Draft {
    pub source: CrateSource,
    /// Parents come before their children; the root is the first.
    pub modules: Vec<DraftModule>,
    pub macros: Arc<MacroTable>,
}

/// A module under construction; its children are found by their `parent`.
pub(super) struct DraftModule {
    parent: Option<usize>,
    /// Without the crate's name.
    pub path: Vec<Name>,
    folder: ModuleFolder,
    pub node: ModuleNode,
}

/// Where items go.
#[derive(Clone, Copy)]
pub(super) struct Site {
    pub krate: usize,
    pub module: usize,
    pub when: When,
    /// Expansions they came out of.
    pub depth: u32,
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
pub(super) struct Call {
    pub site: Site,
    pub item: Item,
}

impl<'a> Loader<'a> {
    pub fn new(library: &'a dyn LibraryMacros) -> Loader<'a> {
        Loader {
            library,
            files: Files::default(),
            inactive: Vec::new(),
            crates: Vec::new(),
            requests: Vec::new(),
            calls: Vec::new(),
            expansions: 0,
            opaque_macros: 0,
            beside_targets: false,
        }
    }

    /// Puts a crate on the list.
    pub fn add_crate(&mut self, source: CrateSource) {
        let folder = ModuleFolder::of_root(&source.root);
        let node = ModuleNode {
            name: source.name,
            vis: Visibility::Public,
            attrs: Vec::new(),
            when: When::Always,
            file: FileId(0),
            declared_at: TextRange::default(),
            items: Vec::new(),
            children: Vec::new(),
        };
        let files = vec![(source.root.clone(), folder)];
        self.requests.push(Request { krate: self.crates.len(), parent: None, node, files });
        self.crates.push(Draft { source, modules: Vec::new(), macros: Arc::default() });
    }

    /// Works until nothing waits.
    pub fn run(&mut self) {
        let mut failed = Vec::new();
        // Definitions known when the failed calls were last tried.
        let mut tried_with = 0;
        loop {
            while !self.requests.is_empty() {
                self.load_wave();
            }
            let known = self.definitions();
            if known != tried_with {
                self.calls.append(&mut failed);
                tried_with = known;
            }
            if self.calls.is_empty() {
                self.take_as_items(&mut failed);
                if self.calls.is_empty() && self.requests.is_empty() && self.definitions() == known {
                    break;
                }
            }
            self.expand_calls(&mut failed);
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

    /// What no target reaches isn't built: a file that is missing there is no error.
    fn report_missing(&mut self, request: &Request) {
        if self.beside_targets {
            return;
        }
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
        if when == When::Never {
            self.note_inactive(&folder, id, items);
            if request.parent.is_none() {
                self.add_module(request.krate, None, folder, request.node);
            }
            return;
        }
        let module = self.add_module(request.krate, request.parent, folder, request.node);
        self.absorb(Site { krate: request.krate, module, when, depth: 0 }, items);
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
    pub fn absorb(&mut self, site: Site, items: Vec<Item>) {
        for mut item in items {
            let cfg = &self.crates[site.krate].source.cfg;
            let when = site.when.and(cfg.when(&item.attrs));
            if when == When::Never {
                let module = &self.crates[site.krate].modules[site.module];
                let (folder, file) = (module.folder.clone(), module.node.file);
                self.note_inactive(&folder, file, vec![item]);
                continue;
            }
            let site = Site { when, ..site };
            prune(&mut item, cfg);
            match item.kind {
                ItemKind::Mod(_) => self.absorb_module(site, item),
                ItemKind::MacroCall { .. } => self.calls.push(Call { site, item }),
                _ => {
                    let draft = &mut self.crates[site.krate];
                    let module = &mut draft.modules[site.module];
                    Arc::make_mut(&mut draft.macros).note(&module.path, &item);
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
            attrs: item.attrs.clone(),
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
                let mut files = parent.folder.files(name, path.as_deref());
                // Those for other configurations (which a build script may set) are better than none.
                let others = other_files(&parent.folder, name, &item.attrs);
                let others: Vec<_> = others.into_iter().filter(|other| !files.contains(other)).collect();
                self.inactive.extend(others.iter().cloned());
                files.extend(others);
                self.requests.push(Request { krate: site.krate, parent: Some(site.module), node, files });
            }
        }
    }

    /// Notes the files that the modules among items outside the build name.
    fn note_inactive(&mut self, folder: &ModuleFolder, file: FileId, items: Vec<Item>) {
        let mut waiting: Vec<(ModuleFolder, Item)> = items.into_iter().map(|i| (folder.clone(), i)).collect();
        while let Some((folder, item)) = waiting.pop() {
            let name = item.name.as_str();
            match item.kind {
                ItemKind::Mod(Some(items)) => {
                    let paths = all_path_values(&item.attrs);
                    let inside = folder.inline(name, paths.first().map(String::as_str));
                    waiting.extend(items.into_iter().map(|item| (inside.clone(), item)));
                }
                ItemKind::Mod(None) => self.inactive.extend(other_files(&folder, name, &item.attrs)),
                ItemKind::MacroCall { .. } => {
                    let text = &self.files.loaded[file.0 as usize].source.text;
                    let call = text.get(item.range.lo as usize..item.range.hi as usize);
                    self.inactive.extend(named_files(call.unwrap_or_default(), &folder));
                }
                _ => {}
            }
        }
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
                    return Some(LoadedCrate { source: self.source, root: module.node, macros: self.macros });
                }
            }
        }
        None
    }
}

/// The files that a `mod name;` may mean in any configuration, by its `path` attributes and by its name.
fn other_files(folder: &ModuleFolder, name: &str, attrs: &[Attr]) -> Vec<(PathBuf, ModuleFolder)> {
    let paths = all_path_values(attrs);
    let by_path = paths.iter().flat_map(|path| folder.files(name, Some(path)));
    by_path.chain(folder.files(name, None)).collect()
}
