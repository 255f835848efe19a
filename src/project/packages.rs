//! Packages with what they take from their workspace, and the packages they link to.
//!
//! In: folders with a manifest. Out: those packages, the other members of their workspaces, and the path dependencies
//! of all of these. Source: The Cargo Book, "Workspaces" and "Specifying Dependencies".

use super::manifest::{Dependencies, DependencySpec, Inherited, Manifest, Manifests};
use super::shown::{Shown, normalized};
use super::targets::{Target, edition, targets};
use super::walk::Filter;
use crate::hir::Edition;
use globset::Glob;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Package {
    pub folder: PathBuf,
    /// The folder of the workspace's manifest; its own, if it is in none.
    pub workspace: PathBuf,
    pub edition: Edition,
    pub targets: Vec<Target>,
    pub dependencies: Vec<PackageDependency>,
}

#[derive(Clone, Debug)]
pub(super) struct PackageDependency {
    /// The key, if `package = …` says that the package is called otherwise.
    pub rename: Option<String>,
    pub package: String,
    pub version: Option<String>,
    /// Where the package is, if it is a path dependency (by itself, by the workspace or by `[patch]`).
    pub folder: Option<PathBuf>,
    pub kind: DependencyKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DependencyKind {
    Normal,
    Dev,
    Build,
}

/// The packages known so far, by folder.
pub(super) struct Packages<'a> {
    pub by_folder: BTreeMap<PathBuf, Package>,
    pub manifests: Manifests,
    shown: &'a Shown,
    filter: &'a Filter,
    /// Workspace manifests whose members are on the list.
    opened: BTreeSet<PathBuf>,
}

impl<'a> Packages<'a> {
    pub fn new(shown: &'a Shown, filter: &'a Filter) -> Packages<'a> {
        Packages {
            by_folder: BTreeMap::new(),
            manifests: Manifests::default(),
            shown,
            filter,
            opened: BTreeSet::new(),
        }
    }

    /// Adds the packages in these folders and all that link with them.
    pub fn load(&mut self, folders: impl IntoIterator<Item = PathBuf>) {
        let mut waiting: Vec<PathBuf> = folders.into_iter().collect();
        while !waiting.is_empty() {
            self.manifests.preload(waiting.iter().cloned(), self.shown);
            for folder in std::mem::take(&mut waiting) {
                if !self.by_folder.contains_key(&folder) {
                    self.add(folder, &mut waiting);
                }
            }
        }
    }

    /// Whether the folder has a manifest that could be read, of a package or a workspace.
    pub fn has_manifest(&mut self, folder: &Path) -> bool {
        self.manifests.get(folder, self.shown).is_some()
    }

    fn add(&mut self, folder: PathBuf, waiting: &mut Vec<PathBuf>) {
        let Some(manifest) = self.manifests.get(&folder, self.shown) else { return };
        let workspace = self.workspace_of(&folder, &manifest);
        if let Some(root) = workspace.as_ref().filter(|root| !self.opened.contains(*root)) {
            waiting.extend(self.members(root));
            self.opened.insert(root.clone());
        }
        if let Some(package) = self.package(&folder, &manifest, workspace) {
            waiting.extend(package.dependencies.iter().filter_map(|d| d.folder.clone()));
            self.by_folder.insert(folder, package);
        }
    }

    fn package(&mut self, folder: &Path, manifest: &Manifest, workspace: Option<PathBuf>) -> Option<Package> {
        let table = manifest.package.as_ref()?;
        let workspace = workspace.unwrap_or_else(|| folder.to_owned());
        let root = self.manifests.get(&workspace, self.shown);
        let inherited = root.as_ref().and_then(|m| m.workspace.as_ref());
        let edition = edition(match &table.edition {
            Some(Inherited::Own(text)) => Some(text.as_str()),
            Some(Inherited::Workspace { workspace: true }) => {
                inherited.and_then(|w| w.package.edition.as_deref())
            }
            Some(Inherited::Workspace { workspace: false }) | None => None,
        });
        let file = self.shown.text(&folder.join("Cargo.toml"));
        let mut targets = targets(folder, table, manifest, edition, &file, &mut self.manifests.errors);
        targets.retain(|target| !self.filter.excludes(&target.file, self.shown));
        let linker = Linker { folder, workspace: &workspace, root: root.as_deref() };
        Some(Package {
            dependencies: linker.dependencies(manifest),
            folder: folder.to_owned(),
            workspace,
            edition,
            targets,
        })
    }

    /// The folder of the workspace that a package is in: as it says, or the nearest above with `[workspace]` that
    /// doesn't exclude it.
    fn workspace_of(&mut self, folder: &Path, manifest: &Manifest) -> Option<PathBuf> {
        if let Some(named) = manifest.package.as_ref().and_then(|p| p.workspace.as_ref()) {
            return Some(normalized(&folder.join(named)));
        }
        for above in folder.ancestors() {
            let Some(candidate) = self.manifests.get(above, self.shown) else { continue };
            let Some(table) = &candidate.workspace else { continue };
            let excluded = table.exclude.iter().any(|path| folder.starts_with(normalized(&above.join(path))));
            return (!excluded).then(|| above.to_owned());
        }
        None
    }

    /// The folders of a workspace's members.
    fn members(&mut self, root: &Path) -> Vec<PathBuf> {
        let Some(manifest) = self.manifests.get(root, self.shown) else { return Vec::new() };
        let Some(table) = &manifest.workspace else { return Vec::new() };
        let mut folders = vec![root.to_owned()];
        for pattern in &table.members {
            expand(root.to_owned(), Path::new(pattern), &mut folders);
        }
        let excluded: Vec<PathBuf> = table.exclude.iter().map(|path| normalized(&root.join(path))).collect();
        folders.retain(|folder| {
            folder.join("Cargo.toml").is_file()
                && !excluded.iter().any(|e| folder.starts_with(e))
                && !self.filter.excludes(folder, self.shown)
        });
        folders
    }
}

/// Adds the folders below `base` that a member pattern (`crates/*`) matches.
fn expand(base: PathBuf, pattern: &Path, out: &mut Vec<PathBuf>) {
    let mut parts = pattern.components();
    let Some(part) = parts.next() else {
        out.push(normalized(&base));
        return;
    };
    let rest = parts.as_path();
    let text = part.as_os_str().to_string_lossy();
    if !text.contains(['*', '?', '[']) {
        return expand(base.join(part), rest, out);
    }
    let Ok(glob) = Glob::new(&text) else { return };
    let matcher = glob.compile_matcher();
    let Ok(entries) = std::fs::read_dir(&base) else { return };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|e| e.ok())
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
        .map(|e| e.path())
        .collect();
    folders.sort();
    if text == "**" {
        expand(base, rest, out);
        for folder in folders.into_iter().filter(|f| f.file_name().is_some_and(|n| n != "target")) {
            expand(folder, pattern, out);
        }
        return;
    }
    for folder in folders {
        if folder.file_name().is_some_and(|name| matcher.is_match(name)) {
            expand(folder, rest, out);
        }
    }
}

/// Finds out what the dependencies of one package are.
struct Linker<'a> {
    folder: &'a Path,
    workspace: &'a Path,
    /// The workspace's manifest.
    root: Option<&'a Manifest>,
}

impl Linker<'_> {
    fn dependencies(&self, manifest: &Manifest) -> Vec<PackageDependency> {
        let mut found = Vec::new();
        for (name, spec) in manifest.tables(|t| &t.dependencies) {
            found.push(self.dependency(name, spec, DependencyKind::Normal));
        }
        for (name, spec) in manifest.tables(|t| &t.dev_dependencies) {
            found.push(self.dependency(name, spec, DependencyKind::Dev));
        }
        for (name, spec) in manifest.tables(|t| &t.build_dependencies) {
            found.push(self.dependency(name, spec, DependencyKind::Build));
        }
        found
    }

    fn dependency(&self, name: &str, spec: &DependencySpec, kind: DependencyKind) -> PackageDependency {
        let mut table = spec.table();
        let mut base = self.folder;
        if table.workspace {
            let shared = self.root.and_then(|m| m.workspace.as_ref()).and_then(|w| w.dependencies.get(name));
            table = shared.map(DependencySpec::table).unwrap_or_default();
            base = self.workspace;
        }
        let package = table.package.clone().unwrap_or_else(|| name.to_owned());
        let own = table.path.as_ref().map(|path| normalized(&base.join(path)));
        PackageDependency {
            rename: table.package.is_some().then(|| name.to_owned()),
            folder: own.or_else(|| self.patched(&package)),
            package,
            version: table.version,
            kind,
        }
    }

    /// The folder that `[patch]` in the workspace's manifest gives a registry package.
    fn patched(&self, package: &str) -> Option<PathBuf> {
        let patches: &BTreeMap<String, Dependencies> = &self.root?.patch;
        for (name, spec) in patches.values().flatten() {
            let table = spec.table();
            if table.package.as_deref().unwrap_or(name) == package
                && let Some(path) = table.path
            {
                return Some(normalized(&self.workspace.join(path)));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Options;
    use crate::project::testing::Tree;

    const PLAIN: &str = "[package]\nname = \"p\"\n";

    /// Folders of the packages loaded from `start`, with `name -> folder` of their path dependencies.
    fn load(tree: &Tree, start: &str) -> Vec<String> {
        let shown = Shown::default();
        let filter = Filter::new(&Options::default()).expect("patterns");
        let mut packages = Packages::new(&shown, &filter);
        packages.load([normalized(&tree.root().join(start))]);
        assert_eq!(packages.manifests.errors, []);
        let link = |d: &PackageDependency| {
            let name = d.rename.as_ref().unwrap_or(&d.package);
            d.folder.as_ref().map(|folder| format!(" {name}->{}", tree.relative(folder)))
        };
        let line = |p: &Package| {
            let links: String = p.dependencies.iter().filter_map(link).collect();
            format!("{}{links}", tree.relative(&p.folder))
        };
        packages.by_folder.values().map(line).collect()
    }

    #[test]
    fn members_come_by_pattern_and_inherit() {
        let tree = Tree::new(&[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"crates/*\", \"tool\"]\nexclude = [\"crates/old\"]\n\
                 [workspace.package]\nedition = \"2024\"\n\
                 [workspace.dependencies]\nbase = { package = \"real-base\", path = \"crates/base\" }\n",
            ),
            ("crates/app/Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\nbase.workspace = true\n"),
            ("crates/base/Cargo.toml", "[package]\nname = \"real-base\"\nedition.workspace = true\n"),
            ("crates/old/Cargo.toml", PLAIN),
            ("crates/notes/readme.rs", ""),
            ("tool/Cargo.toml", PLAIN),
            ("other/Cargo.toml", PLAIN),
        ]);
        let all = ["crates/app base->crates/base", "crates/base", "tool"];
        assert_eq!(load(&tree, ""), all);
        assert_eq!(load(&tree, "crates/base"), all);
    }

    #[test]
    fn path_dependencies_and_patches_are_followed() {
        let tree = Tree::new(&[
            (
                "a/Cargo.toml",
                "[package]\nname = \"a\"\n[dependencies]\nb = { path = \"../b\" }\nrand = \"1\"\n\
                 [patch.crates-io]\nrand = { path = \"../my-rand\" }\n[workspace]\n",
            ),
            ("b/Cargo.toml", "[package]\nname = \"b\"\n[dev-dependencies]\na = { path = \"../a\" }\n"),
            ("my-rand/Cargo.toml", PLAIN),
        ]);
        assert_eq!(load(&tree, "a"), ["a b->b rand->my-rand", "b a->a", "my-rand"]);
    }

    #[test]
    fn patterns_may_span_folders() {
        let tree = Tree::new(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"x/**\"]\n"),
            ("x/a/Cargo.toml", PLAIN),
            ("x/a/b/Cargo.toml", PLAIN),
            ("x/target/c/Cargo.toml", PLAIN),
        ]);
        assert_eq!(load(&tree, ""), ["x/a", "x/a/b"]);
    }
}
