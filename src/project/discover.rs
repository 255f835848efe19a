//! From the paths of the command line to groups of crates.
//!
//! A path is a folder or a file. Manifests at or below it give their packages; sources that no manifest below covers
//! belong to the package above, if its targets reach one of them, and are loose files otherwise.

use super::groups::{Maker, components, focus};
use super::loose::{reached, roots};
use super::packages::{Package, Packages};
use super::position::error_in;
use super::shown::{Given, Shown};
use super::walk::{Filter, Listing, walk};
use super::{Discovery, Group, Options};
use crate::finding::RunError;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// Finds the groups of crates at, below and (for paths inside a package) above the given paths. Fatal errors: a path
/// that doesn't exist, a pattern that is none, no source file at all.
pub fn discover(paths: &[PathBuf], options: &Options) -> Discovery {
    let filter = match Filter::new(options) {
        Ok(filter) => filter,
        Err(error) => return Discovery { groups: Vec::new(), errors: vec![error] },
    };
    let mut errors = Vec::new();
    let shown = Shown::new(given(paths, &mut errors));
    let mut search = Search {
        shown: &shown,
        filter: &filter,
        listing: Listing::default(),
        packages: Packages::new(&shown, &filter),
        seeds: BTreeSet::new(),
        loose: BTreeSet::new(),
        errors,
    };
    search.run();
    let groups = search.groups(options);
    let mut errors = search.errors;
    errors.sort();
    errors.dedup();
    if groups.is_empty() && !errors.iter().any(|error| error.fatal) {
        let all = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        errors.push(RunError {
            fatal: true,
            ..error_in(&all, "there is no Rust source to analyse".to_owned())
        });
    }
    Discovery { groups, errors }
}

fn given(paths: &[PathBuf], errors: &mut Vec<RunError>) -> Vec<Given> {
    let mut found = Vec::new();
    for path in paths {
        match Given::new(path) {
            Ok(given) => found.push(given),
            Err(error) => {
                let message = match error.kind() {
                    std::io::ErrorKind::NotFound => "no such file or folder".to_owned(),
                    _ => error.to_string(),
                };
                errors.push(RunError { fatal: true, ..error_in(&path.display().to_string(), message) });
            }
        }
    }
    found
}

struct Search<'a> {
    shown: &'a Shown,
    filter: &'a Filter,
    listing: Listing,
    packages: Packages<'a>,
    /// Folders of the packages asked for; what links with them comes along.
    seeds: BTreeSet<PathBuf>,
    loose: BTreeSet<PathBuf>,
    errors: Vec<RunError>,
}

impl Search<'_> {
    fn run(&mut self) {
        for given in &self.shown.given {
            if given.is_source() {
                self.listing.sources.push(given.folder().to_owned());
            } else {
                walk(given.folder(), self.filter, self.shown, &mut self.listing, &mut self.errors);
            }
        }
        self.listing.sort();
        self.packages.load(self.listing.packages.iter().cloned());
        let usable = |folder: &&PathBuf| self.packages.by_folder.contains_key(*folder);
        self.seeds.extend(self.listing.packages.iter().filter(usable).cloned());
        for given in &self.shown.given {
            self.assign(given);
        }
    }

    /// Gives the sources of a path that no package below covers to the package above, or makes them loose.
    fn assign(&mut self, given: &Given) {
        let mut uncovered = BTreeSet::new();
        let sources: Vec<PathBuf> = self.listing.sources_in(given.folder()).cloned().collect();
        // The files of a folder come together: the last answer is often the next.
        let mut last: Option<(PathBuf, Nearest)> = None;
        for file in sources {
            let folder = file.parent().unwrap_or(Path::new(""));
            let nearest = match &last {
                Some((known, nearest)) if known == folder => *nearest,
                _ => self.nearest_below(folder, given),
            };
            last = Some((folder.to_owned(), nearest));
            match nearest {
                Nearest::Usable => {}
                Nearest::Unusable => {
                    self.loose.insert(file);
                }
                Nearest::None => {
                    uncovered.insert(file);
                }
            }
        }
        if uncovered.is_empty() {
            return;
        }
        match self.package_above(given) {
            Some(folder) if self.reaches(&folder, &uncovered) => {
                self.seeds.insert(folder);
            }
            _ => self.loose.extend(uncovered),
        }
    }

    /// What the nearest manifest between a given folder and one in it is good for.
    fn nearest_below(&mut self, folder: &Path, given: &Given) -> Nearest {
        for folder in folder.ancestors().take_while(|folder| folder.starts_with(given.folder())) {
            if !self.listing.is_package(folder) {
                continue;
            }
            let usable = match self.packages.by_folder.get(folder) {
                Some(package) => !package.targets.is_empty(),
                None => self.packages.has_manifest(folder),
            };
            return if usable { Nearest::Usable } else { Nearest::Unusable };
        }
        Nearest::None
    }

    /// The folder of the package whose manifest is the nearest at or above a given path.
    fn package_above(&mut self, given: &Given) -> Option<PathBuf> {
        let folder =
            given.folder().parent()?.ancestors().find(|folder| folder.join("Cargo.toml").is_file())?;
        self.packages.load([folder.to_owned()]);
        self.packages.by_folder.contains_key(folder).then(|| folder.to_owned())
    }

    /// Whether one of the files is part of the package: in a target's module tree, or under `src/`.
    fn reaches(&self, folder: &Path, files: &BTreeSet<PathBuf>) -> bool {
        let Some(package) = self.packages.by_folder.get(folder) else { return false };
        let source_folder = folder.join("src");
        files.iter().any(|file| file.starts_with(&source_folder))
            || !reached(package.targets.iter().map(|target| target.file.clone())).is_disjoint(files)
    }

    fn groups(&mut self, options: &Options) -> Vec<Group> {
        let mut maker = Maker::new(self.shown, options);
        let mut groups: Vec<Group> = Vec::new();
        for component in components(&self.packages.by_folder) {
            if !component.iter().any(|package| self.seeds.contains(&package.folder)) {
                continue;
            }
            let mut group = maker.group(&component, |package| self.unnamed(package));
            if group.crates.is_empty() && group.unnamed.is_empty() {
                continue;
            }
            let roots = component.iter().flat_map(|p| p.targets.iter().map(|t| t.file.clone())).collect();
            focus(&mut group, &roots, self.shown);
            groups.push(group);
        }
        groups.extend(roots(&self.loose).iter().map(|file| maker.loose(file)));
        groups.sort_by_cached_key(|group| group.crates.first().map(|krate| krate.root.clone()));
        self.errors.append(&mut self.packages.manifests.errors);
        self.errors.extend(maker.configs.into_errors());
        groups
    }

    /// The files under a package's `src/` that are no target's root.
    fn unnamed(&self, package: &Package) -> Vec<PathBuf> {
        let source_folder = package.folder.join("src");
        let mut walked = Listing::default();
        let listing = if self.listing.is_package(&package.folder) {
            &self.listing
        } else {
            if source_folder.is_dir() {
                // Outside the given paths: what can't be listed there isn't missed.
                walk(&source_folder, self.filter, self.shown, &mut walked, &mut Vec::new());
            }
            &walked
        };
        let targets: HashSet<&Path> = package.targets.iter().map(|target| target.file.as_path()).collect();
        let is_package = |folder: &&Path| self.packages.by_folder.contains_key(*folder);
        // The files of a folder come together.
        let mut last: Option<(&Path, bool)> = None;
        let mut found = Vec::new();
        for file in listing.sources_in(&source_folder) {
            let folder = file.parent().unwrap_or(Path::new(""));
            let is_own = match last {
                Some((known, is_own)) if known.as_os_str() == folder.as_os_str() => is_own,
                _ => folder.ancestors().find(is_package) == Some(package.folder.as_path()),
            };
            last = Some((folder, is_own));
            if is_own && !targets.contains(file.as_path()) {
                found.push(file.clone());
            }
        }
        found
    }
}

#[derive(Clone, Copy)]
enum Nearest {
    /// There is none.
    None,
    /// It is broken, or its package has no targets.
    Unusable,
    Usable,
}

#[cfg(test)]
mod tests;
