//! The targets of a package: those its manifest lists and those cargo finds by their place.
//!
//! Source: The Cargo Book, "Cargo Targets" (target auto-discovery). A listed target whose file is missing is an error
//! of the run and left out.

use super::TargetKind;
use super::manifest::{BuildSpec, Manifest, PackageTable, TargetTable};
use super::position::{error_at, error_in};
use crate::finding::RunError;
use crate::hir::Edition;
use std::path::{Path, PathBuf};

/// A crate of a package.
#[derive(Debug)]
pub(super) struct Target {
    pub kind: TargetKind,
    /// As cargo knows it (`my-bin`).
    pub name: String,
    pub file: PathBuf,
    pub edition: Edition,
    pub harness: bool,
}

impl Target {
    pub fn is_library(&self) -> bool {
        matches!(self.kind, TargetKind::Lib | TargetKind::ProcMacro)
    }
}

/// The edition that a manifest names; one newer than we know is like the newest.
pub(super) fn edition(text: Option<&str>) -> Edition {
    match text {
        None | Some("2015") => Edition::E2015,
        Some("2018") => Edition::E2018,
        Some("2021") => Edition::E2021,
        Some(_) => Edition::E2024,
    }
}

/// All targets of the package in `folder`, in cargo's order; `manifest_path` is the manifest's as shown.
pub(super) fn targets(
    folder: &Path,
    package: &PackageTable,
    manifest: &Manifest,
    edition: Edition,
    manifest_path: &str,
    errors: &mut Vec<RunError>,
) -> Vec<Target> {
    let mut finder = Finder { folder, package, manifest, edition, manifest_path, found: Vec::new(), errors };
    finder.lib();
    finder.listed(TargetKind::Bin, &manifest.bin, package.autobins);
    finder.listed(TargetKind::Example, &manifest.example, package.autoexamples);
    finder.listed(TargetKind::Test, &manifest.test, package.autotests);
    finder.listed(TargetKind::Bench, &manifest.bench, package.autobenches);
    finder.build_scripts();
    finder.found
}

struct Finder<'a> {
    folder: &'a Path,
    package: &'a PackageTable,
    manifest: &'a Manifest,
    edition: Edition,
    manifest_path: &'a str,
    found: Vec<Target>,
    errors: &'a mut Vec<RunError>,
}

impl Finder<'_> {
    fn add(&mut self, kind: TargetKind, name: &str, file: PathBuf, table: Option<&TargetTable>) {
        let own = table.and_then(|t| t.edition.as_deref());
        self.found.push(Target {
            kind,
            name: name.to_owned(),
            file,
            edition: own.map_or(self.edition, |text| edition(Some(text))),
            harness: table.and_then(|t| t.harness).unwrap_or(true),
        });
    }

    fn lib(&mut self) {
        let table = self.manifest.lib.as_ref();
        if table.is_none() && self.package.autolib == Some(false) {
            return;
        }
        let name = table.and_then(|t| t.name.as_ref()).map_or(self.package.name.as_str(), |n| n.get_ref());
        let is_proc_macro =
            |t: &TargetTable| t.proc_macro == Some(true) || t.crate_type.iter().any(|c| c == "proc-macro");
        let kind = if table.is_some_and(is_proc_macro) { TargetKind::ProcMacro } else { TargetKind::Lib };
        let by_place = ["src/lib.rs".to_owned(), format!("src/{name}.rs")];
        let by_place = &by_place[..if table.is_some() { 2 } else { 1 }];
        match self.file_of(table, by_place) {
            Some(file) => self.add(kind, name, file, table),
            None => self.missing("the library", table),
        }
    }

    /// Listed targets of a kind, then those found by their place.
    fn listed(&mut self, kind: TargetKind, tables: &[TargetTable], auto: Option<bool>) {
        for table in tables {
            let Some(name) = table.name.as_ref().map(|n| n.get_ref().as_str()) else {
                self.missing("a target without a name", Some(table));
                continue;
            };
            match self.file_of(Some(table), &self.places(kind, name)) {
                Some(file) => self.add(kind, name, file, Some(table)),
                None => self.missing(&format!("`{name}`"), Some(table)),
            }
        }
        if !auto.unwrap_or(self.edition != Edition::E2015 || tables.is_empty()) {
            return;
        }
        for (name, file) in self.discovered(kind) {
            let taken = |t: &Target| t.kind == kind && (t.name == name || t.file == file);
            if !self.found.iter().any(taken) {
                self.add(kind, &name, file, None);
            }
        }
    }

    fn build_scripts(&mut self) {
        let listed = match &self.package.build {
            Some(BuildSpec::Auto(false)) => return,
            Some(BuildSpec::Auto(true)) | None => {
                let file = self.folder.join("build.rs");
                if file.is_file() {
                    self.add(TargetKind::BuildScript, "build-script-build", file, None);
                }
                return;
            }
            Some(BuildSpec::File(file)) => std::slice::from_ref(file),
            Some(BuildSpec::Files(files)) => files,
        };
        for path in listed {
            let file = self.folder.join(path);
            if file.is_file() {
                self.add(TargetKind::BuildScript, "build-script-build", file, None);
            } else {
                let message = format!("the build script {path} does not exist");
                self.errors.push(error_in(self.manifest_path, message));
            }
        }
    }

    /// The file of a listed target: its `path`, else the first of the usual places that exists.
    fn file_of(&self, table: Option<&TargetTable>, places: &[String]) -> Option<PathBuf> {
        match table.and_then(|t| t.path.as_ref()) {
            Some(path) => existing(super::shown::normalized(&self.folder.join(path.get_ref()))),
            None => places.iter().find_map(|place| existing(self.folder.join(place))),
        }
    }

    fn places(&self, kind: TargetKind, name: &str) -> Vec<String> {
        let folder = kind_folder(kind);
        let mut places = vec![format!("{folder}/{name}.rs"), format!("{folder}/{name}/main.rs")];
        if kind == TargetKind::Bin {
            places.extend(["src/main.rs".to_owned(), format!("src/{name}.rs")]);
        }
        places
    }

    fn discovered(&self, kind: TargetKind) -> Vec<(String, PathBuf)> {
        let mut found = Vec::new();
        let main = self.folder.join("src/main.rs");
        if kind == TargetKind::Bin && main.is_file() {
            found.push((self.package.name.clone(), main));
        }
        let Ok(entries) = std::fs::read_dir(self.folder.join(kind_folder(kind))) else { return found };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            let is_source = path.extension().is_some_and(|e| e == "rs") && path.is_file();
            let name = if is_source { path.file_stem() } else { path.file_name() };
            let Some(name) = name.and_then(|n| n.to_str()).filter(|n| !n.starts_with('.')) else { continue };
            let name = name.to_owned();
            let file = if is_source { Some(path) } else { existing(path.join("main.rs")) };
            found.extend(file.map(|file| (name, file)));
        }
        found
    }

    fn missing(&mut self, what: &str, table: Option<&TargetTable>) {
        let Some(table) = table else { return };
        let at = table.path.as_ref().or(table.name.as_ref()).map_or(0, |text| text.span().start);
        let message = format!("the file of {what} does not exist");
        self.errors.push(error_at(self.manifest_path, &self.manifest.text, at, message));
    }
}

fn kind_folder(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Example => "examples",
        TargetKind::Test => "tests",
        TargetKind::Bench => "benches",
        TargetKind::Bin => "src/bin",
        TargetKind::Lib | TargetKind::ProcMacro | TargetKind::BuildScript | TargetKind::Loose => "src",
    }
}

fn existing(file: PathBuf) -> Option<PathBuf> {
    file.is_file().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::manifest::Manifests;
    use crate::project::shown::Shown;
    use crate::project::testing::Tree;

    /// `kind name file` of each target, and the errors.
    fn list(files: &[(&str, &str)]) -> (Vec<String>, Vec<RunError>) {
        let tree = Tree::new(files);
        let mut manifests = Manifests::default();
        let manifest = manifests.get(tree.root(), &Shown::default()).expect("manifest");
        let package = manifest.package.as_ref().expect("package");
        let own = match &package.edition {
            Some(super::super::manifest::Inherited::Own(text)) => Some(text.as_str()),
            _ => None,
        };
        let mut errors = Vec::new();
        let found = targets(tree.root(), package, &manifest, edition(own), "Cargo.toml", &mut errors);
        let line = |t: &Target| format!("{:?} {} {}", t.kind, t.name, tree.relative(&t.file));
        (found.iter().map(line).collect(), errors)
    }

    #[test]
    fn targets_are_found_by_their_place() {
        let (found, errors) = list(&[
            ("Cargo.toml", "[package]\nname = \"my-app\"\nedition = \"2021\"\n"),
            ("src/lib.rs", ""),
            ("src/main.rs", ""),
            ("src/bin/tool.rs", ""),
            ("src/bin/big/main.rs", ""),
            ("src/bin/big/part.rs", ""),
            ("examples/e.rs", ""),
            ("tests/t.rs", ""),
            ("tests/common/mod.rs", ""),
            ("benches/b/main.rs", ""),
            ("build.rs", ""),
        ]);
        assert_eq!(errors, []);
        assert_eq!(
            found,
            [
                "Lib my-app src/lib.rs",
                "Bin my-app src/main.rs",
                "Bin big src/bin/big/main.rs",
                "Bin tool src/bin/tool.rs",
                "Example e examples/e.rs",
                "Test t tests/t.rs",
                "Bench b benches/b/main.rs",
                "BuildScript build-script-build build.rs",
            ]
        );
    }

    #[test]
    fn what_is_listed_comes_before_what_is_found() {
        let (found, errors) = list(&[
            (
                "Cargo.toml",
                "[package]\nname = \"a\"\nedition = \"2021\"\nautotests = false\nbuild = false\n\
                 [lib]\nname = \"core_a\"\npath = \"lib/a.rs\"\nproc-macro = true\n\
                 [[bin]]\nname = \"x\"\npath = \"src/bin/y.rs\"\n\
                 [[test]]\nname = \"gone\"\npath = \"tests/gone.rs\"\n",
            ),
            ("lib/a.rs", ""),
            ("src/bin/y.rs", ""),
            ("src/bin/z.rs", ""),
            ("tests/t.rs", ""),
            ("build.rs", ""),
        ]);
        assert_eq!(found, ["ProcMacro core_a lib/a.rs", "Bin x src/bin/y.rs", "Bin z src/bin/z.rs"]);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].line, 15);
    }

    #[test]
    fn edition_2015_does_not_search_where_targets_are_listed() {
        let (found, _) = list(&[
            ("Cargo.toml", "[package]\nname = \"a\"\n[[bin]]\nname = \"x\"\n"),
            ("src/bin/x.rs", ""),
            ("src/bin/z.rs", ""),
        ]);
        assert_eq!(found, ["Bin x src/bin/x.rs"]);
    }
}
