//! Files under a package's `src/` that no `mod` item names, active or not: each is a root of its own.

use super::draft::Loader;
use crate::project::CrateSource;
use crate::project::loose;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Of the candidates, those that nothing loaded names and that no other candidate declares.
pub(super) fn roots(loader: &Loader<'_>, candidates: &[CrateSource]) -> Vec<CrateSource> {
    let unloaded: Vec<&CrateSource> =
        candidates.iter().filter(|c| loader.files.id(&c.root).is_none()).collect();
    if unloaded.is_empty() {
        return Vec::new();
    }
    // Modules that are in no build name files as well; what these name is only scanned.
    let inactive = loose::reached_from(loader.inactive.iter().cloned());
    let left: BTreeSet<PathBuf> =
        unloaded.iter().map(|c| c.root.clone()).filter(|root| !inactive.contains(root)).collect();
    let roots: BTreeSet<PathBuf> = loose::roots(&left).into_iter().collect();
    unloaded.into_iter().filter(|c| roots.contains(&c.root)).cloned().collect()
}
