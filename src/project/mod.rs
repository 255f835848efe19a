//! Which files make which crates and programs. Reads Cargo.toml itself and never runs cargo.
//!
//! In: the paths of the command line. Out: linked groups of crates, each with its module tree loaded, cfg decided and
//! item macros expanded. Invariant: the result depends on the files only, not on the order the file system lists them.

mod cargo_config;
pub mod cfg;
mod discover;
mod groups;
pub mod load;
mod loose;
mod manifest;
mod modules;
mod packages;
mod platform;
mod position;
mod shown;
mod targets;
#[cfg(test)]
mod testing;
mod walk;

use crate::finding::RunError;
use crate::hir::{Edition, Name};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

pub use discover::discover;

/// What is looked at.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--exclude GLOB`
    pub exclude: Vec<String>,
    /// `--no-ignore`: don't read .gitignore.
    pub no_ignore: bool,
    /// `--no-tests`: leave test targets and cfg(test) out.
    pub no_tests: bool,
    /// `--cfg SPEC`: `name`, `key="value"`.
    pub cfg: Vec<String>,
}

/// Packages that link into each other: analysed at a time and then let go.
#[derive(Clone, Debug)]
pub struct Group {
    pub crates: Vec<CrateSource>,
    /// By package.
    pub unnamed: Vec<UnnamedFiles>,
    /// Only findings with an access in one of these folders or files are reported; empty: all.
    pub focus: Vec<PathBuf>,
}

/// Files under a package's `src/` that are no target. Loading makes crates of those that no `mod` item names.
#[derive(Clone, Debug)]
pub struct UnnamedFiles {
    /// As they will be shown.
    pub files: Vec<PathBuf>,
    /// What a crate made of one is like, but for its name and root.
    pub like: CrateSource,
}

impl Group {
    /// Whether a shown path is in focus.
    pub fn in_focus(&self, path: &str) -> bool {
        let path = Path::new(path);
        let outside = path.is_absolute() || path.components().next() == Some(Component::ParentDir);
        let covers = |folder: &PathBuf| {
            // The current folder is shown as nothing.
            if folder.as_os_str().is_empty() { !outside } else { path.starts_with(folder) }
        };
        self.focus.is_empty() || self.focus.iter().any(covers)
    }
}

/// Index into `LoadedGroup::crates`, which begins with `Group::crates`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct CrateId(pub u32);

/// One target (or loose file) of a package.
#[derive(Clone, Debug)]
pub struct CrateSource {
    /// As code names it (`my_crate`).
    pub name: Name,
    pub kind: TargetKind,
    /// The root file, as it will be shown.
    pub root: PathBuf,
    pub edition: Edition,
    pub cfg: cfg::CfgSet,
    /// Extern names and what they mean: another crate of the group, or a library known by its package name only.
    pub dependencies: Vec<(Name, Dependency)>,
    /// `false`: `fn main` is the context of a test target.
    pub harness: bool,
    /// Tests run as a process each (`test-runner = "nextest"` in the configuration).
    pub process_per_test: bool,
}

impl CrateSource {
    /// A crate like this one whose root is `file`, named after it.
    fn at(&self, file: PathBuf) -> CrateSource {
        let text = |part: Option<&OsStr>| part.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = text(file.file_stem());
        let of_folder = matches!(stem.as_str(), "main" | "lib" | "mod");
        let folder = text(file.parent().and_then(Path::file_name));
        let name = if of_folder && !folder.is_empty() { folder } else { stem };
        CrateSource { name: crate_name(&name), root: file, ..self.clone() }
    }
}

/// A package's, target's or file's name as code has it.
fn crate_name(name: &str) -> Name {
    Name::new(&name.replace(|c: char| !c.is_alphanumeric(), "_"))
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Dependency {
    Crate(CrateId),
    /// Package name (not the rename) and the version requirement as written.
    External {
        package: Name,
        version: Option<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TargetKind {
    Lib,
    ProcMacro,
    Bin,
    Example,
    Test,
    Bench,
    BuildScript,
    /// A file without a manifest, or under `src/` and named by no `mod` item: `fn main` makes it a program, else its
    /// public functions are a library's.
    Loose,
}

/// What discovery found.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// In path order.
    pub groups: Vec<Group>,
    pub errors: Vec<RunError>,
}
