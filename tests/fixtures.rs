//! Every program of `fixtures/` is analysed and the findings are held against the markers in it; what a user would see of
//! the racy ones is recorded in `fixtures/snapshots`.

#[path = "support/marks.rs"]
mod marks;
mod support;

use codespan_reporting::term::termcolor::NoColor;
use marks::{Mark, What, expected, found};
use racelint::Config;
use racelint::finding::Report;
use racelint::report::lines::Sources;
use racelint::report::{self, Format};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Fixture, fixtures, pedantic};

#[test]
fn findings_stand_where_the_markers_say() {
    let mut failures = String::new();
    let (mut count, mut failing) = (0, 0);
    for fixture in fixtures() {
        count += 1;
        let difference = difference(&expected(&fixture), &Copy::of(&fixture).check());
        if !difference.is_empty() {
            failing += 1;
            writeln!(failures, "\n{}\n{difference}", fixture.name).expect("a String takes all");
        }
    }
    assert!(failing == 0, "{failing} of {count} fixtures differ (- marked, + found):\n{failures}");
}

#[test]
fn diagnostics_read_as_recorded() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../fixtures/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for fixture in fixtures().iter().filter(|fixture| is_racy(fixture)) {
            let name = fixture.name.replace('/', "__");
            insta::assert_snapshot!(name, human(&Copy::of(fixture).check()));
        }
    });
}

#[test]
fn names_agree_with_markers() {
    for fixture in fixtures() {
        let marks = expected(&fixture);
        assert_eq!(is_racy(&fixture), !marks.is_empty(), "{}", fixture.name);
        assert!(is_racy(&fixture) || fixture.name.ends_with("_clean"), "{}", fixture.name);
    }
}

#[test]
fn every_marked_context_starts_somewhere() {
    for fixture in fixtures() {
        let (mut meeting, mut started) = (BTreeSet::new(), BTreeSet::new());
        for mark in expected(&fixture) {
            match mark.what {
                What::Access { context, .. } | What::Promise { context: Some(context), .. } => {
                    meeting.insert(context)
                }
                What::Promise { context: None, .. } => false,
                What::Spawn { context } => started.insert(context),
            };
        }
        assert_eq!(meeting, started, "{}", fixture.name);
    }
}

#[test]
fn every_lesson_has_both_sides() {
    let names: BTreeSet<String> = fixtures().into_iter().map(|fixture| fixture.name).collect();
    for name in names.iter().filter(|name| !name.starts_with("demo/")) {
        let sibling = match name.strip_suffix("_racy") {
            Some(lesson) => format!("{lesson}_clean"),
            None => format!("{}_racy", name.trim_end_matches("_clean")),
        };
        assert!(names.contains(&sibling), "{name} has no sibling");
    }
}

/// What is marked and not found, and what is found and not marked, a line each; with the run's errors.
fn difference(expected: &BTreeSet<Mark>, report: &Report) -> String {
    let found = found(report);
    let mut lines: Vec<String> = Vec::new();
    lines.extend(report.errors.iter().map(|error| format!("  ! {error}")));
    lines.extend(expected.difference(&found).map(|mark| format!("  - {mark}")));
    lines.extend(found.difference(expected).map(|mark| format!("  + {mark}")));
    lines.join("\n")
}

/// The human-readable diagnostics, without colour.
fn human(report: &Report) -> String {
    let mut out = NoColor::new(Vec::new());
    report::write(Format::Human, report, &Sources::new(&report.files), &mut out).expect("a Vec takes all");
    String::from_utf8(out.into_inner()).expect("UTF-8")
}

fn is_racy(fixture: &Fixture) -> bool {
    fixture.name.ends_with("_racy")
}

/// A fixture's program in a folder of its own, away from this package's manifest.
struct Copy {
    /// Kept for its `Drop`, which removes the folder.
    _folder: tempfile::TempDir,
    root: PathBuf,
    path: PathBuf,
    config: Config,
}

impl Copy {
    fn of(fixture: &Fixture) -> Copy {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("an existing folder");
        let path = match fixture.is_crate() {
            true => root.clone(),
            false => root.join(fixture.path.file_name().expect("a file")),
        };
        copy(&fixture.path, &path);
        let config = if fixture.name.starts_with("order/") { pedantic() } else { Config::default() };
        Copy { _folder: folder, root, path, config }
    }

    /// Runs the analysis; the report's paths are as in marks.
    fn check(&self) -> Report {
        let mut report = racelint::check(std::slice::from_ref(&self.path), &self.config);
        let root = self.root.to_string_lossy().replace('\\', "/");
        for file in &mut report.files {
            let relative = file.path.strip_prefix(root.as_str()).map(|path| path.trim_start_matches('/'));
            if let Some(relative) = relative.map(str::to_owned) {
                file.path = relative;
            }
        }
        report
    }
}

fn copy(from: &Path, to: &Path) {
    match fs::read_dir(from) {
        Err(_) => drop(fs::copy(from, to).expect("a writable folder")),
        Ok(entries) => {
            fs::create_dir_all(to).expect("a writable folder");
            for entry in entries {
                let entry = entry.expect("a readable entry");
                copy(&entry.path(), &to.join(entry.file_name()));
            }
        }
    }
}
