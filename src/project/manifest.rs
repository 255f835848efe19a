//! One Cargo.toml as written: the keys that say which files make which crates. Other keys are not looked at.
//!
//! Source: The Cargo Book, "The Manifest Format". What is inherited from a workspace, and which files the targets are,
//! is decided in `packages` and `targets`.

use super::position::{error_at, error_in};
use super::shown::Shown;
use crate::finding::RunError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Manifest {
    #[serde(alias = "project")]
    pub package: Option<PackageTable>,
    pub workspace: Option<WorkspaceTable>,
    pub lib: Option<TargetTable>,
    #[serde(default)]
    pub bin: Vec<TargetTable>,
    #[serde(default)]
    pub example: Vec<TargetTable>,
    #[serde(default)]
    pub test: Vec<TargetTable>,
    #[serde(default)]
    pub bench: Vec<TargetTable>,
    #[serde(flatten)]
    pub dependencies: DependencyTables,
    /// `[target.'cfg(…)'.dependencies]`; the platform isn't asked: a dependency too many does no harm.
    #[serde(default)]
    pub target: BTreeMap<String, DependencyTables>,
    /// `[patch.crates-io]`, by registry.
    #[serde(default)]
    pub patch: BTreeMap<String, Dependencies>,
    /// The file's text, for positions.
    #[serde(skip)]
    pub text: String,
}

/// By the name that code (with `-` for `_`) and inheritance use.
pub(super) type Dependencies = BTreeMap<String, DependencySpec>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct DependencyTables {
    #[serde(default)]
    pub dependencies: Dependencies,
    #[serde(default, alias = "dev_dependencies")]
    pub dev_dependencies: Dependencies,
    #[serde(default, alias = "build_dependencies")]
    pub build_dependencies: Dependencies,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PackageTable {
    pub name: String,
    pub edition: Option<Inherited<String>>,
    pub build: Option<BuildSpec>,
    /// The workspace root's folder, if it isn't above.
    pub workspace: Option<String>,
    pub autolib: Option<bool>,
    pub autobins: Option<bool>,
    pub autoexamples: Option<bool>,
    pub autotests: Option<bool>,
    pub autobenches: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct WorkspaceTable {
    #[serde(default)]
    pub members: Vec<String>,
    #[serde(default)]
    pub exclude: Vec<String>,
    #[serde(default)]
    pub package: WorkspacePackage,
    #[serde(default)]
    pub dependencies: Dependencies,
}

/// What members may inherit, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WorkspacePackage {
    pub edition: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct TargetTable {
    pub name: Option<Spanned<String>>,
    pub path: Option<Spanned<String>>,
    pub edition: Option<String>,
    pub harness: Option<bool>,
    #[serde(alias = "proc_macro")]
    pub proc_macro: Option<bool>,
    #[serde(default, alias = "crate_type")]
    pub crate_type: Vec<String>,
}

/// `key = value` or `key.workspace = true`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Inherited<T> {
    Own(T),
    Workspace { workspace: bool },
}

/// `build = "build.rs"`, `build = false`, `build = ["a.rs", "b.rs"]`
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum BuildSpec {
    Auto(bool),
    File(String),
    Files(Vec<String>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum DependencySpec {
    Version(String),
    Detailed(DependencyTable),
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct DependencyTable {
    pub version: Option<String>,
    pub path: Option<String>,
    pub package: Option<String>,
    #[serde(default)]
    pub workspace: bool,
}

impl DependencySpec {
    pub fn table(&self) -> DependencyTable {
        match self {
            DependencySpec::Version(version) => {
                DependencyTable { version: Some(version.clone()), ..DependencyTable::default() }
            }
            DependencySpec::Detailed(table) => table.clone(),
        }
    }
}

impl Manifest {
    fn read(file: &Path, shown: &Shown) -> Result<Manifest, RunError> {
        let text = std::fs::read(file)
            .and_then(|bytes| String::from_utf8(bytes).map_err(std::io::Error::other))
            .map_err(|error| error_in(&shown.text(file), format!("can't be read: {error}")))?;
        let parsed: Result<Manifest, toml::de::Error> = toml::from_str(&text);
        match parsed {
            Ok(manifest) if manifest.package.is_none() && manifest.workspace.is_none() => {
                Err(error_at(&shown.text(file), &text, 0, "has neither [package] nor [workspace]".to_owned()))
            }
            Ok(manifest) => Ok(Manifest { text, ..manifest }),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                let message = error.message().lines().collect::<Vec<_>>().join(", ");
                Err(error_at(&shown.text(file), &text, offset, message))
            }
        }
    }

    /// All the tables of one kind, the platforms' included.
    pub fn tables(
        &self,
        kind: fn(&DependencyTables) -> &Dependencies,
    ) -> impl Iterator<Item = (&String, &DependencySpec)> {
        std::iter::once(&self.dependencies).chain(self.target.values()).flat_map(kind)
    }
}

/// The manifests read so far, by folder; each is read once and its error reported once.
#[derive(Default)]
pub(super) struct Manifests {
    read: BTreeMap<PathBuf, Option<Arc<Manifest>>>,
    pub errors: Vec<RunError>,
}

impl Manifests {
    /// Reads many at once.
    pub fn preload(&mut self, folders: impl IntoIterator<Item = PathBuf>, shown: &Shown) {
        use rayon::prelude::*;
        let new: Vec<PathBuf> = folders.into_iter().filter(|f| !self.read.contains_key(f)).collect();
        let read: Vec<_> =
            new.into_par_iter().map(|f| (Manifest::read(&f.join("Cargo.toml"), shown), f)).collect();
        for (result, folder) in read {
            self.add(folder, result);
        }
    }

    /// The manifest in a folder; `None` if there is none, or it is broken.
    pub fn get(&mut self, folder: &Path, shown: &Shown) -> Option<Arc<Manifest>> {
        if let Some(known) = self.read.get(folder) {
            return known.clone();
        }
        let file = folder.join("Cargo.toml");
        if !file.is_file() {
            self.read.insert(folder.to_owned(), None);
            return None;
        }
        self.add(folder.to_owned(), Manifest::read(&file, shown))
    }

    fn add(&mut self, folder: PathBuf, result: Result<Manifest, RunError>) -> Option<Arc<Manifest>> {
        let manifest = match result {
            Ok(manifest) => Some(Arc::new(manifest)),
            Err(error) => {
                self.errors.push(error);
                None
            }
        };
        self.read.insert(folder, manifest.clone());
        manifest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::Tree;

    fn read(text: &str) -> Result<Manifest, RunError> {
        let tree = Tree::new(&[("Cargo.toml", text)]);
        Manifest::read(&tree.root().join("Cargo.toml"), &Shown::default())
    }

    #[test]
    fn a_broken_manifest_is_told_with_its_line() {
        let error = read("[package]\nname = \"a\"\nedition = 2021 x\n").expect_err("broken");
        assert_eq!((error.line, error.fatal), (3, false));
        let error = read("[package]\nedition = \"2021\"\n").expect_err("no name");
        assert_eq!(error.line, 1);
        assert!(error.message.contains("name"), "{error}");
        assert!(read("").is_err());
    }

    #[test]
    fn tables_of_all_platforms_are_read() {
        let manifest = read(
            "[package]\nname = \"a\"\nedition.workspace = true\n\
             [dependencies]\nx = \"1\"\n\
             [target.'cfg(unix)'.dependencies]\ny = { path = \"../y\", package = \"z\" }\n\
             [dev_dependencies]\nw.workspace = true\n",
        )
        .expect("manifest");
        let names: Vec<&String> = manifest.tables(|t| &t.dependencies).map(|(name, _)| name).collect();
        assert_eq!(names, ["x", "y"]);
        let (_, w) = manifest.tables(|t| &t.dev_dependencies).next().expect("dev-dependency");
        assert!(w.table().workspace);
        let edition = manifest.package.expect("package").edition;
        assert!(matches!(edition, Some(Inherited::Workspace { workspace: true })));
    }
}
