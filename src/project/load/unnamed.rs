//! Files under a package's `src/` that no `mod` item names, active or not: each is a root of its own.

use super::draft::Loader;
use crate::project::loose;
use crate::project::{CrateSource, UnnamedFiles};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Crates of the files that nothing loaded names and that no other such file declares.
pub(super) fn crates(loader: &Loader<'_>, unnamed: &[UnnamedFiles]) -> Vec<CrateSource> {
    let files = unnamed.iter().flat_map(|unnamed| &unnamed.files);
    let mut left: BTreeSet<PathBuf> = files.filter(|file| loader.files.id(file).is_none()).cloned().collect();
    if left.is_empty() {
        return Vec::new();
    }
    // Modules that are in no build name files as well; what these name is only scanned.
    let unloaded = loader.inactive.iter().filter(|(file, _)| loader.files.id(file).is_none());
    let inactive = loose::reached_from(unloaded.cloned());
    left.retain(|file| !inactive.contains(file));
    let roots: BTreeSet<PathBuf> = loose::roots(&left).into_iter().collect();
    let of_package = |u: &UnnamedFiles| {
        let files = u.files.iter().filter(|file| roots.contains(*file));
        files.map(|file| u.like.at(file.clone())).collect::<Vec<_>>()
    };
    unnamed.iter().flat_map(of_package).collect()
}
