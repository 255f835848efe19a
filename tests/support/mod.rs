//! What the tests over `fixtures/` share: the programs, the expectations written in them, and what a run says.
//!
//! A fixture is a file or a crate folder named `NAME_racy` or `NAME_clean`. Its expectations are line comments, several
//! to a line if need be (`fixtures/README.md`):
//! `//~ race PLACE: CTX, CTX` on each line with an access that takes part, of the contexts whose access stands there;
//! `//~ relaxed PLACE: CTX` likewise for `relaxed-publish`; `//~ spawn CTX` where a context starts. `CTX*` is many.
//!
//! Invariant: expectations and findings are brought into the same form, a set of `Mark`s, and compared as sets.

use racelint::finding::{Finding, Level, Location, Report};
use racelint::report::lines::Sources;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders with fixtures, below `fixtures/`.
const DOORS: [&str; 2] = ["demo", "static_mut"];

/// One program of `fixtures/`.
pub struct Fixture {
    /// `static_mut/spawn_loop_racy`
    pub name: String,
    /// The file or the crate's folder.
    pub path: PathBuf,
}

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
    Access { class: String, place: String, context: String },
    Spawn { context: String },
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Access { class, place, context } => {
                write!(f, "{}:{} {class} {place}: {context}", self.file, self.line)
            }
            What::Spawn { context } => write!(f, "{}:{} spawn {context}", self.file, self.line),
        }
    }
}

impl Fixture {
    pub fn is_racy(&self) -> bool {
        self.name.ends_with("_racy")
    }

    pub fn is_crate(&self) -> bool {
        self.path.is_dir()
    }

    /// The Rust files, sorted by path.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect_files(&self.path, &mut files);
        files.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
        files.sort();
        files
    }

    /// The name that `file` has in marks.
    pub fn file_name(&self, file: &Path) -> String {
        let root = if self.is_crate() { Some(self.path.as_path()) } else { self.path.parent() };
        let relative = root.and_then(|root| file.strip_prefix(root).ok()).unwrap_or(file);
        relative.to_string_lossy().replace('\\', "/")
    }

    /// The marks written in the program.
    pub fn expected(&self) -> BTreeSet<Mark> {
        let mut marks = BTreeSet::new();
        for file in self.files() {
            let name = self.file_name(&file);
            let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            for (index, line) in text.lines().enumerate() {
                for comment in line.split("//~").skip(1) {
                    let parsed = parse_mark(comment.trim());
                    let whats = parsed.unwrap_or_else(|| panic!("{name}:{}: no marker: {comment}", index + 1));
                    marks.extend(whats.into_iter().map(|what| Mark {
                        file: name.clone(),
                        line: index + 1,
                        what,
                    }));
                }
            }
        }
        marks
    }
}

/// All fixtures, sorted by name.
pub fn fixtures() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut fixtures = Vec::new();
    for door in DOORS {
        let folder = root.join(door);
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("a readable entry").path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            fixtures.push(Fixture { name: format!("{door}/{stem}"), path });
        }
    }
    fixtures.sort_by(|a, b| a.name.cmp(&b.name));
    fixtures
}

/// A fixture's program in a folder of its own, away from this package's manifest.
pub struct Copy {
    /// Kept for its `Drop`, which removes the folder.
    _folder: tempfile::TempDir,
    root: PathBuf,
    path: PathBuf,
}

impl Copy {
    pub fn of(fixture: &Fixture) -> Copy {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("an existing folder");
        let path = match fixture.is_crate() {
            true => root.clone(),
            false => root.join(fixture.path.file_name().expect("a file")),
        };
        copy(&fixture.path, &path);
        Copy { _folder: folder, root, path }
    }

    /// A program of one file with this text.
    pub fn of_text(text: &str) -> Copy {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("an existing folder");
        let path = root.join("program.rs");
        fs::write(&path, text).expect("a writable folder");
        Copy { _folder: folder, root, path }
    }

    /// Runs the analysis; the report's paths are as in marks.
    pub fn check(&self) -> Report {
        let mut report = racelint::check(std::slice::from_ref(&self.path), &racelint::Config::default());
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
        for (index, thread) in finding.threads.iter().enumerate() {
            marks.insert(mark(thread.spawned_at, What::Spawn { context: context(finding, index) }));
        }
    }
    marks
}

/// The findings at warning or above.
pub fn loud(report: &Report) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(|finding| finding.level >= Level::Warning)
}

/// The context's name, with `*` when several instances may run at once.
pub fn context(finding: &Finding, thread: usize) -> String {
    let thread = &finding.threads[thread];
    format!("{}{}", thread.name, if thread.many { "*" } else { "" })
}

/// The word that markers use for a rule: data races are told apart by where the fixture lies.
pub fn class(rule: &str) -> &str {
    match rule {
        "static-mut-race" | "unsafe-cell-race" | "raw-pointer-race" => "race",
        "relaxed-publish" => "relaxed",
        other => other,
    }
}

/// A place's name without indices and dereferences: markers name the array, not its element.
pub fn place(name: &str) -> &str {
    let end = name.find(['[', '*']).unwrap_or(name.len());
    name[..end].trim_end_matches('.')
}

fn parse_mark(comment: &str) -> Option<Vec<What>> {
    let (class, rest) = comment.split_once(' ')?;
    match class {
        "spawn" => Some(vec![What::Spawn { context: rest.to_owned() }]),
        "race" | "relaxed" => {
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
