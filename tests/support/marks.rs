//! Expectations and findings in one form: a set of marks, each saying one thing about one line of a program.
//!
//! In a program they are line comments, several to a line if need be (`fixtures/README.md`):
//! `//~ race PLACE: CTX, CTX` on each line with an access that takes part, of the contexts whose access stands there;
//! `//~ unsound TYPE: CTX` on an unsafe impl;
//! `//~ relaxed PLACE: CTX` likewise for `relaxed-publish`, `//~ lost PLACE: CTX` for updates and decisions in two steps; `//~ spawn CTX` where a context starts. `CTX*` is many.

use crate::support::{Fixture, context, loud, place};
use racelint::finding::{Location, Report};
use racelint::report::lines::Sources;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One thing that is said about one line of a program.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    /// Relative to the fixture's folder, or the fixture's file name.
    pub file: String,
    pub line: usize,
    pub what: What,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    Access {
        class: String,
        place: String,
        context: String,
    },
    /// An unsafe impl, with the method that shows what it lacks.
    Promise {
        place: String,
        context: Option<String>,
    },
    Spawn {
        context: String,
    },
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Access { class, place, context } => {
                write!(f, "{}:{} {class} {place}: {context}", self.file, self.line)
            }
            What::Promise { place, context } => {
                let context = context.as_ref().map(|context| format!(": {context}")).unwrap_or_default();
                write!(f, "{}:{} unsound {place}{context}", self.file, self.line)
            }
            What::Spawn { context } => write!(f, "{}:{} spawn {context}", self.file, self.line),
        }
    }
}

/// The marks written in a program.
pub fn expected(fixture: &Fixture) -> BTreeSet<Mark> {
    let mut marks = BTreeSet::new();
    for file in files(fixture) {
        let name = file_name(fixture, &file);
        let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        for (index, line) in text.lines().enumerate() {
            for comment in line.split("//~").skip(1) {
                let parsed = parse_mark(comment.trim());
                let whats = parsed.unwrap_or_else(|| panic!("{name}:{}: no marker: {comment}", index + 1));
                let mark = |what| Mark { file: name.clone(), line: index + 1, what };
                marks.extend(whats.into_iter().map(mark));
            }
        }
    }
    marks
}

/// The marks that a report's findings at warning or above make.
pub fn found(report: &Report) -> BTreeSet<Mark> {
    let sources = Sources::new(&report.files);
    let mark = |at: Location, what| Mark {
        file: sources.path(at.file).to_owned(),
        line: sources.start(at).line,
        what,
    };
    let mut marks = BTreeSet::new();
    for finding in loud(report) {
        for access in &finding.accesses {
            let class = class(finding.rule).to_owned();
            let place = place(&finding.place).to_owned();
            let context = context(finding, access.thread);
            marks.insert(mark(access.at, What::Access { class, place, context }));
        }
        if let (Some(at), true) = (finding.declared_at, finding.accesses.is_empty()) {
            let context = (!finding.threads.is_empty()).then(|| context(finding, 0));
            marks.insert(mark(at, What::Promise { place: place(&finding.place).to_owned(), context }));
        }
        for (index, thread) in finding.threads.iter().enumerate() {
            marks.insert(mark(thread.spawned_at, What::Spawn { context: context(finding, index) }));
        }
    }
    marks
}

/// The word that markers use for a rule: data races are told apart by where the fixture lies.
pub fn class(rule: &str) -> &str {
    match rule {
        "static-mut-race" | "unsafe-cell-race" | "raw-pointer-race" => "race",
        "relaxed-publish" => "relaxed",
        "split-atomic-update"
        | "split-lock-update"
        | "atomic-check-then-act"
        | "lock-check-then-act"
        | "ignored-compare-exchange" => "lost",
        "order-dependent" => "order",
        "env-race" => "env",
        other => other,
    }
}

fn parse_mark(comment: &str) -> Option<Vec<What>> {
    let (class, rest) = comment.split_once(' ')?;
    match class {
        "unsound" => {
            let (place, context) = match rest.split_once(": ") {
                Some((place, context)) => (place, Some(context.to_owned())),
                None => (rest, None),
            };
            Some(vec![What::Promise { place: place.to_owned(), context }])
        }
        "spawn" => Some(vec![What::Spawn { context: rest.to_owned() }]),
        "race" | "relaxed" | "lost" | "order" | "env" => {
            let (place, contexts) = rest.split_once(": ")?;
            let access = |context: &str| What::Access {
                class: class.to_owned(),
                place: place.to_owned(),
                context: context.to_owned(),
            };
            Some(contexts.split(", ").map(access).collect())
        }
        _ => None,
    }
}

/// The Rust files of a fixture, sorted by path.
fn files(fixture: &Fixture) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect_files(&fixture.path, &mut files);
    files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    files.sort();
    files
}

fn collect_files(path: &Path, files: &mut Vec<PathBuf>) {
    match fs::read_dir(path) {
        Err(_) => files.push(path.to_owned()),
        Ok(entries) => {
            for entry in entries {
                collect_files(&entry.expect("a readable entry").path(), files);
            }
        }
    }
}

/// The name that `file` has in marks.
fn file_name(fixture: &Fixture, file: &Path) -> String {
    let root = if fixture.is_crate() { Some(fixture.path.as_path()) } else { fixture.path.parent() };
    let relative = root.and_then(|root| file.strip_prefix(root).ok()).unwrap_or(file);
    relative.to_string_lossy().replace('\\', "/")
}
