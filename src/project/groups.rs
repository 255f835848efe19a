//! Packages to groups: those that link into each other, with a crate for each target.

use super::cargo_config::CargoConfigs;
use super::cfg::CfgSet;
use super::packages::{DependencyKind, Package, PackageDependency};
use super::shown::Shown;
use super::targets::Target;
use super::{
    CrateId, CrateSource, Dependency, Group, Options, TargetKind, UnnamedFiles, crate_name, platform,
};
use crate::hir::{Edition, Name};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The packages by folder.
pub(super) type PackageMap = BTreeMap<PathBuf, Package>;

/// The sets of packages that path dependencies connect, each in path order.
pub(super) fn components(packages: &PackageMap) -> Vec<Vec<&Package>> {
    let all: Vec<&Package> = packages.values().collect();
    let index: BTreeMap<&Path, usize> =
        all.iter().enumerate().map(|(at, p)| (p.folder.as_path(), at)).collect();
    let mut parent: Vec<usize> = (0..all.len()).collect();
    for (at, package) in all.iter().enumerate() {
        for other in package.dependencies.iter().filter_map(|d| index.get(d.folder.as_deref()?)) {
            let (a, b) = (root_of(&mut parent, at), root_of(&mut parent, *other));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut sets: BTreeMap<usize, Vec<&Package>> = BTreeMap::new();
    for (at, package) in all.iter().enumerate() {
        sets.entry(root_of(&mut parent, at)).or_default().push(package);
    }
    sets.into_values().collect()
}

fn root_of(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// What making crates takes besides the packages.
pub(super) struct Maker<'a> {
    shown: &'a Shown,
    options: &'a Options,
    pub configs: CargoConfigs,
    /// What is built to run here: build scripts, proc-macros, loose files.
    host: CfgSet,
}

/// The libraries of a group's packages, by folder.
type Libraries<'p> = BTreeMap<&'p Path, (CrateId, Name)>;

impl Maker<'_> {
    pub fn new<'a>(shown: &'a Shown, options: &'a Options) -> Maker<'a> {
        Maker { shown, options, configs: CargoConfigs::default(), host: platform::host() }
    }

    /// The group of connected packages. `unnamed` lists, for each, the files under its `src/` that are no target.
    pub fn group(&mut self, packages: &[&Package], unnamed: impl Fn(&Package) -> Vec<PathBuf>) -> Group {
        let libraries = self.libraries(packages);
        let mut group = Group { crates: Vec::new(), unnamed: Vec::new(), focus: Vec::new() };
        for package in packages {
            let cfg = self.configs.of(&package.folder, &package.workspace, self.shown);
            let of_lib = dependencies(package, Uses::Lib, &libraries);
            let of_others = dependencies(package, Uses::Program, &libraries);
            let of_build = dependencies(package, Uses::Build, &libraries);
            for target in self.targets_of(package) {
                group.crates.push(CrateSource {
                    name: crate_name(&target.name),
                    kind: target.kind,
                    root: self.shown.path(&target.file),
                    edition: target.edition,
                    cfg: self.cfg(&cfg, target.kind),
                    dependencies: match target.kind {
                        TargetKind::Lib | TargetKind::ProcMacro => of_lib.clone(),
                        TargetKind::BuildScript => of_build.clone(),
                        TargetKind::Bin
                        | TargetKind::Example
                        | TargetKind::Test
                        | TargetKind::Bench
                        | TargetKind::Loose => of_others.clone(),
                    },
                    harness: target.harness,
                    process_per_test: false,
                });
            }
            let files = unnamed(package);
            if !files.is_empty() {
                let files = files.iter().map(|file| self.shown.path(file)).collect();
                let edition = package.edition;
                let like = CrateSource { edition, dependencies: of_others, ..self.loose_crate(&cfg) };
                group.unnamed.push(UnnamedFiles { files, like });
            }
        }
        group
    }

    /// The group of a file without a manifest.
    pub fn loose(&self, file: &Path) -> Group {
        let krate = self.loose_crate(&self.host).at(self.shown.path(file));
        Group { crates: vec![krate], unnamed: Vec::new(), focus: Vec::new() }
    }

    fn loose_crate(&self, cfg: &CfgSet) -> CrateSource {
        CrateSource {
            name: Name::new(""),
            kind: TargetKind::Loose,
            root: PathBuf::new(),
            edition: Edition::E2021,
            cfg: self.cfg(cfg, TargetKind::Loose),
            dependencies: Vec::new(),
            harness: true,
            process_per_test: false,
        }
    }

    /// The libraries, with the numbers that their crates will have.
    fn libraries<'p>(&self, packages: &[&'p Package]) -> Libraries<'p> {
        let targets = packages.iter().flat_map(|p| self.targets_of(p).map(|t| (p.folder.as_path(), t)));
        let numbered = targets.enumerate().filter(|(_, (_, t))| t.is_library());
        numbered.map(|(at, (folder, t))| (folder, (CrateId(at as u32), crate_name(&t.name)))).collect()
    }

    fn targets_of<'p>(&self, package: &'p Package) -> impl Iterator<Item = &'p Target> + use<'p> {
        let no_tests = self.options.no_tests;
        package.targets.iter().filter(move |target| !(no_tests && target.kind == TargetKind::Test))
    }

    fn cfg(&self, package: &CfgSet, kind: TargetKind) -> CfgSet {
        let runs_here = matches!(kind, TargetKind::BuildScript | TargetKind::ProcMacro);
        let mut cfg = if runs_here { self.host.clone() } else { package.clone() };
        for spec in &self.options.cfg {
            cfg.set(spec);
        }
        if kind == TargetKind::ProcMacro {
            cfg.set("proc_macro");
        }
        cfg.test = match kind {
            _ if self.options.no_tests => Some(false),
            TargetKind::BuildScript => Some(false),
            TargetKind::Test | TargetKind::Bench => Some(true),
            TargetKind::Lib
            | TargetKind::ProcMacro
            | TargetKind::Bin
            | TargetKind::Example
            | TargetKind::Loose => None,
        };
        cfg
    }
}

/// Which of its package's dependencies a target may use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Uses {
    /// All but those for building.
    Lib,
    /// These and the package's own library.
    Program,
    /// Those for building.
    Build,
}

/// What code may name, sorted by name.
fn dependencies(package: &Package, uses: Uses, libraries: &Libraries<'_>) -> Vec<(Name, Dependency)> {
    let wanted = |d: &&PackageDependency| (d.kind == DependencyKind::Build) == (uses == Uses::Build);
    let mut found: BTreeMap<Name, Dependency> = BTreeMap::new();
    if let Some((id, name)) = libraries.get(package.folder.as_path()).filter(|_| uses == Uses::Program) {
        found.insert(*name, Dependency::Crate(*id));
    }
    for dependency in package.dependencies.iter().filter(wanted) {
        let krate = dependency.folder.as_deref().and_then(|folder| libraries.get(folder));
        let own = krate.map_or_else(|| crate_name(&dependency.package), |(_, name)| *name);
        let name = dependency.rename.as_deref().map_or(own, crate_name);
        let meaning = match krate {
            Some((id, _)) => Dependency::Crate(*id),
            None => Dependency::External {
                package: Name::new(&dependency.package),
                version: dependency.version.clone(),
            },
        };
        found.entry(name).or_insert(meaning);
    }
    found.into_iter().collect()
}

/// Restricts a group's findings to the given paths, unless all its crates lie in them.
pub(super) fn focus(group: &mut Group, roots: &BTreeSet<PathBuf>, shown: &Shown) {
    let inside = |file: &PathBuf| shown.given.iter().any(|given| file.starts_with(given.folder()));
    if !roots.iter().all(inside) {
        group.focus = shown.given.iter().map(|given| shown.path(given.folder())).collect();
    }
}
