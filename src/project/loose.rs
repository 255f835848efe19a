//! Files without a manifest: which of them are roots, and which are modules of another.

use super::modules::{ModuleFolder, named_files};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

/// The files that the roots reach by `mod` items (cfg'd out or not), the roots included.
pub(super) fn reached(roots: impl IntoIterator<Item = PathBuf>) -> BTreeSet<PathBuf> {
    reached_from(roots.into_iter().map(|file| (file.clone(), ModuleFolder::of_root(&file))))
}

/// The same from files of which it is known where their modules' files are.
pub(super) fn reached_from(files: impl IntoIterator<Item = (PathBuf, ModuleFolder)>) -> BTreeSet<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut waiting: VecDeque<(PathBuf, ModuleFolder)> = files.into_iter().collect();
    while let Some((file, folder)) = waiting.pop_front() {
        // What can't be read names nothing; loading says so.
        if !seen.contains(&file)
            && let Ok(text) = std::fs::read_to_string(&file)
        {
            waiting.extend(named_files(&text, &folder));
            seen.insert(file);
        }
    }
    seen
}

/// Of a set of files, those that are roots: no other file of the set declares them as a module. Of files that only
/// declare each other, the first is one.
pub(super) fn roots(files: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let named: BTreeMap<&PathBuf, Vec<PathBuf>> =
        files.par_iter().map(|file| (file, names_of(file))).collect();
    let mut left: BTreeSet<&PathBuf> = files.iter().collect();
    let mut found = BTreeSet::new();
    while let Some(&first) = left.first() {
        let declared: BTreeSet<&PathBuf> =
            left.iter().flat_map(|&file| named[file].iter().filter(move |other| *other != file)).collect();
        let mut new: Vec<PathBuf> =
            left.iter().filter(|file| !declared.contains(**file)).map(|f| (*f).clone()).collect();
        if new.is_empty() {
            new.push(first.clone());
        }
        found.extend(new.iter().cloned());
        for file in reached(new) {
            left.remove(&file);
        }
        left.retain(|file| !found.contains(*file));
    }
    found.into_iter().collect()
}

/// What a file declares, be it a root or a module named like the file.
fn names_of(file: &PathBuf) -> Vec<PathBuf> {
    let Ok(text) = std::fs::read_to_string(file) else { return Vec::new() };
    let mut names = named_files(&text, &ModuleFolder::of_root(file));
    names.extend(named_files(&text, &ModuleFolder::of_named(file)));
    names.into_iter().map(|(file, _)| file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::Tree;

    fn roots_of(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::new(files);
        let all = files.iter().map(|(path, _)| tree.root().join(path)).collect();
        roots(&all).iter().map(|file| tree.relative(file)).collect()
    }

    #[test]
    fn modules_belong_to_the_file_that_declares_them() {
        let files = [
            ("main.rs", "mod a;\nfn main() {}"),
            ("a.rs", "mod b;"),
            ("a/b.rs", ""),
            ("b.rs", "fn main() {}"),
            ("c.rs", ""),
        ];
        assert_eq!(roots_of(&files), ["b.rs", "c.rs", "main.rs"]);
    }

    #[test]
    fn a_ring_has_a_first() {
        assert_eq!(roots_of(&[("x.rs", "mod y;"), ("y.rs", "#[path = \"x.rs\"] mod x;")]), ["x.rs"]);
        assert_eq!(roots_of(&[("x.rs", "#[path = \"x.rs\"] mod x;")]), ["x.rs"]);
    }
}
