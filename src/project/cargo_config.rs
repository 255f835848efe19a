//! `.cargo/config.toml`: the target a package is built for, and `--cfg` in the flags.
//!
//! Source: The Cargo Book, "Configuration". Read are the files of the package's folder and those above, up to the
//! repository's root (or the workspace's, outside a repository): what lies beyond is this machine's, not the project's.

use super::cfg::CfgSet;
use super::platform;
use super::position::{error_at, error_in};
use super::shown::Shown;
use crate::finding::RunError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Debug, Default, Deserialize)]
struct ConfigFile {
    #[serde(default)]
    build: BuildTable,
    /// By triple or `cfg(…)`.
    #[serde(default)]
    target: BTreeMap<String, TargetTable>,
}

#[derive(Debug, Default, Deserialize)]
struct BuildTable {
    target: Option<OneOrMany>,
    rustflags: Option<OneOrMany>,
}

#[derive(Debug, Default, Deserialize)]
struct TargetTable {
    rustflags: Option<OneOrMany>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn words(&self) -> Vec<&str> {
        match self {
            OneOrMany::One(text) => text.split_whitespace().collect(),
            OneOrMany::Many(words) => words.iter().map(String::as_str).collect(),
        }
    }
}

/// Configurations by folder; each file is read once and its error reported once.
#[derive(Default)]
pub(super) struct CargoConfigs {
    known: BTreeMap<PathBuf, CfgSet>,
    reported: BTreeSet<RunError>,
}

impl CargoConfigs {
    /// The configuration of a package's code, without what the command line sets.
    pub fn of(&mut self, folder: &Path, workspace: &Path, shown: &Shown) -> CfgSet {
        if let Some(known) = self.known.get(folder) {
            return known.clone();
        }
        let repository = folder.ancestors().find(|above| above.join(".git").exists());
        let top = repository.unwrap_or(if folder.starts_with(workspace) { workspace } else { folder });
        let files: Vec<ConfigFile> = folder
            .ancestors()
            .take_while(|above| above.starts_with(top))
            .filter_map(|f| self.read(f, shown))
            .collect();
        let cfg = combined(&files);
        self.known.insert(folder.to_owned(), cfg.clone());
        cfg
    }

    pub fn into_errors(self) -> impl Iterator<Item = RunError> {
        self.reported.into_iter()
    }

    fn read(&mut self, folder: &Path, shown: &Shown) -> Option<ConfigFile> {
        let names = [".cargo/config", ".cargo/config.toml"];
        let file = names.iter().map(|name| folder.join(name)).find(|file| file.is_file())?;
        let result = match std::fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).map_err(|error: toml::de::Error| {
                let offset = error.span().map_or(0, |span| span.start);
                error_at(&shown.text(&file), &text, offset, error.message().to_owned())
            }),
            Err(error) => Err(error_in(&shown.text(&file), format!("can't be read: {error}"))),
        };
        result.map_err(|error| self.reported.insert(error)).ok()
    }
}

/// From the nearest file to the farthest: the nearest target counts, and the flags of all.
fn combined(files: &[ConfigFile]) -> CfgSet {
    let target = files.iter().find_map(|f| f.build.target.as_ref()).and_then(|t| t.words().first().copied());
    let target = target.filter(|t| *t != "host-tuple");
    let mut cfg = target.map_or_else(platform::host, platform::of_triple);
    for file in files {
        let of_target = target.and_then(|t| file.target.get(t)).and_then(|t| t.rustflags.as_ref());
        for flags in file.build.rustflags.iter().chain(of_target) {
            let words = flags.words();
            for (at, word) in words.iter().enumerate() {
                let spec = match word.strip_prefix("--cfg=") {
                    Some(spec) => Some(spec),
                    None if *word == "--cfg" => words.get(at + 1).copied(),
                    None => None,
                };
                if let Some(spec) = spec {
                    cfg.set(spec);
                }
            }
        }
    }
    cfg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::Name;
    use crate::project::testing::Tree;

    #[test]
    fn target_and_flags_come_from_the_folders_above() {
        let tree = Tree::new(&[
            (".git/HEAD", ""),
            (
                ".cargo/config.toml",
                "[build]\nrustflags = [\"--cfg\", \"tokio_unstable\", '--cfg=mode=\"fast\"']\ntarget = \"x\"\n",
            ),
            ("fw/.cargo/config.toml", "[build]\ntarget = \"thumbv7em-none-eabihf\"\n"),
            ("fw/src/main.rs", ""),
        ]);
        let folder = tree.root().join("fw");
        let mut configs = CargoConfigs::default();
        let cfg = configs.of(&folder, &folder, &Shown::default());
        assert!(cfg.names.contains(&Name::new("tokio_unstable")));
        assert!(cfg.pairs.contains(&(Name::new("mode"), Name::new("fast"))));
        assert!(cfg.pairs.contains(&(Name::new("target_os"), Name::new("none"))));
        assert_eq!(configs.into_errors().count(), 0);
    }

    #[test]
    fn a_broken_file_is_told_once() {
        let tree = Tree::new(&[(".git/HEAD", ""), (".cargo/config.toml", "[build]\ntarget = = 1\n")]);
        let mut configs = CargoConfigs::default();
        for sub in ["a", "b"] {
            let folder = tree.root().join(sub);
            configs.of(&folder, &folder, &Shown::default());
        }
        let errors: Vec<RunError> = configs.into_errors().collect();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].line, 2);
    }
}
