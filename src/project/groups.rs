//! Packages to groups: those that link into each other, with a crate for each target.

use super::cargo_config::CargoConfigs;
use super::cfg::CfgSet;
use super::packages::{DependencyKind, Package, PackageDependency};
use super::shown::Shown;
use super::targets::Target;
use super::{CrateId, CrateSource, Dependency, Group, Options, TargetKind, platform};
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
    pub shown: &'a Shown,
    pub options: &'a Options,
    pub configs: CargoConfigs,
}

impl Maker<'_> {
    /// The group of connected packages. `unnamed` lists, for each, the files under its `src/` that are no target.
    pub fn group(&mut self, packages: &[&Package], unnamed: impl Fn(&Package) -> Vec<PathBuf>) -> Group {
        let mut ids = BTreeMap::new();
        let mut count = 0;
        for package in packages {
            for target in self.targets_of(package) {
                if matches!(target.kind, TargetKind::Lib | TargetKind::ProcMacro) {
                    ids.insert(package.folder.as_path(), (CrateId(count), crate_name(&target.name)));
                }
                count += 1;
            }
        }
        let mut group = Group { crates: Vec::new(), unnamed: Vec::new(), focus: Vec::new() };
        for package in packages {
            let cfg = self.configs.of(&package.folder, &package.workspace, self.shown);
            for target in self.targets_of(package) {
                group.crates.push(CrateSource {
                    name: crate_name(&target.name),
                    kind: target.kind,
                    root: self.shown.path(&target.file),
                    edition: target.edition,
                    cfg: self.cfg(&cfg, target.kind),
                    dependencies: dependencies(package, target.kind, &ids),
                    harness: target.harness,
                    process_per_test: false,
                });
            }
            for file in unnamed(package) {
                group.unnamed.push(CrateSource {
                    edition: package.edition,
                    cfg: self.cfg(&cfg, TargetKind::Loose),
                    dependencies: dependencies(package, TargetKind::Loose, &ids),
                    ..self.loose_crate(&file)
                });
            }
        }
        group
    }

    /// The group of a file without a manifest.
    pub fn loose(&self, file: &Path) -> Group {
        Group { crates: vec![self.loose_crate(file)], unnamed: Vec::new(), focus: Vec::new() }
    }

    fn loose_crate(&self, file: &Path) -> CrateSource {
        let stem = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = file.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
        let name =
            if matches!(stem.as_str(), "main" | "lib" | "mod") { folder.unwrap_or(stem) } else { stem };
        CrateSource {
            name: crate_name(&name),
            kind: TargetKind::Loose,
            root: self.shown.path(file),
            edition: Edition::E2021,
            cfg: self.cfg(&platform::host(), TargetKind::Loose),
            dependencies: Vec::new(),
            harness: true,
            process_per_test: false,
        }
    }

    fn targets_of<'p>(&self, package: &'p Package) -> impl Iterator<Item = &'p Target> + use<'p> {
        let no_tests = self.options.no_tests;
        package.targets.iter().filter(move |target| !(no_tests && target.kind == TargetKind::Test))
    }

    fn cfg(&self, package: &CfgSet, kind: TargetKind) -> CfgSet {
        let runs_here = matches!(kind, TargetKind::BuildScript | TargetKind::ProcMacro);
        let mut cfg = if runs_here { platform::host() } else { package.clone() };
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

/// What a target's code may name, sorted: the library of its own package and the dependencies of the right kinds.
fn dependencies(
    package: &Package,
    kind: TargetKind,
    ids: &BTreeMap<&Path, (CrateId, Name)>,
) -> Vec<(Name, Dependency)> {
    let is_lib = matches!(kind, TargetKind::Lib | TargetKind::ProcMacro);
    let of_build = kind == TargetKind::BuildScript;
    let wanted = |d: &&PackageDependency| (d.kind == DependencyKind::Build) == of_build;
    let mut found: BTreeMap<Name, Dependency> = BTreeMap::new();
    if let Some((id, name)) = ids.get(package.folder.as_path()).filter(|_| !is_lib && !of_build) {
        found.insert(*name, Dependency::Crate(*id));
    }
    for dependency in package.dependencies.iter().filter(wanted) {
        let krate = dependency.folder.as_deref().and_then(|folder| ids.get(folder));
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

/// A package's or target's name as code has it.
fn crate_name(name: &str) -> Name {
    Name::new(&name.replace(|c: char| !c.is_alphanumeric(), "_"))
}

/// Restricts a group's findings to the given paths, unless all its crates lie in them.
pub(super) fn focus(group: &mut Group, roots: &BTreeSet<PathBuf>, shown: &Shown) {
    let inside = |file: &PathBuf| shown.given.iter().any(|given| file.starts_with(given.folder()));
    if !roots.iter().all(inside) {
        group.focus = shown.given.iter().map(|given| shown.path(given.folder())).collect();
    }
}
