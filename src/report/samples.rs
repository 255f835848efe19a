//! Findings built by hand, for the tests of the formats.

use super::lines::Sources;
use super::{Format, write};
use crate::finding::*;
use crate::hir::TextRange;
use codespan_reporting::term::termcolor::NoColor;

pub const DEMONSTRATION: &str = "\
use std::thread;

static mut A: i32 = 2;

fn thread_one() {
    unsafe { A = A + 2 }
}

fn thread_two() {
    unsafe { A = A * 3 }
}

fn main() {
    let one = thread::spawn(thread_one);
    let two = thread::spawn(thread_two);
    one.join().unwrap();
    two.join().unwrap();
}
";

pub fn file(path: &str, text: &str) -> SourceText {
    SourceText { path: path.to_owned(), text: text.into() }
}

/// Where `needle` stands in a file for the `nth` time, from 0.
pub fn at(files: &[SourceText], index: usize, needle: &str, nth: usize) -> Location {
    let (lo, _) = files[index].text.match_indices(needle).nth(nth).expect("needle in text");
    Location { file: FileId(index as u32), range: TextRange::new(lo as u32, (lo + needle.len()) as u32) }
}

pub fn thread(name: &str, spawned_at: Location) -> Thread {
    Thread { name: name.to_owned(), kind: ContextKind::Thread, many: false, spawned_at }
}

pub fn access(thread: usize, kind: AccessKind, at: Location) -> Access {
    Access { thread, kind, of: None, atomic: None, in_place: false, locks: Vec::new(), at, via: Vec::new() }
}

pub fn step(thread: usize, does: &str, value: &str, at: Location) -> Step {
    Step { thread, instance: 0, does: does.to_owned(), value: Some(value.to_owned()), at: Some(at) }
}

pub fn finding(rule: &'static str, place: &str, message: &str) -> Finding {
    Finding {
        rule,
        level: Level::Error,
        evidence: Evidence::Spawned,
        message: message.to_owned(),
        because: String::new(),
        because_at: Vec::new(),
        place: place.to_owned(),
        declared_at: None,
        threads: Vec::new(),
        accesses: Vec::new(),
        schedule: Vec::new(),
        outcomes: None,
        help: String::new(),
        fix: None,
        fingerprint: "f00d".to_owned(),
    }
}

/// The two threads of the manual, `A + 2` against `A * 3`.
pub fn demonstration() -> Report {
    let files = vec![file("src/main.rs", DEMONSTRATION)];
    let (one, two) = (at(&files, 0, "A = A + 2", 0), at(&files, 0, "A = A * 3", 0));
    let spawns = [at(&files, 0, "spawn", 0), at(&files, 0, "spawn", 1)];
    let finding = Finding {
        because: "both are spawned in `main` ({0}, {1}) and neither is joined before the other starts".to_owned(),
        because_at: spawns.to_vec(),
        declared_at: Some(at(&files, 0, "A", 0)),
        threads: vec![thread("thread_one", spawns[0]), thread("thread_two", spawns[1])],
        accesses: vec![access(0, AccessKind::Update, one), access(1, AccessKind::Update, two)],
        schedule: vec![
            step(0, "reads", "2", one),
            step(1, "reads", "2", two),
            step(1, "writes", "6", two),
            step(0, "writes", "4", one),
        ],
        outcomes: Some(Outcomes {
            ordered: vec!["12".to_owned(), "8".to_owned()],
            lost: vec!["6".to_owned(), "4".to_owned()],
        }),
        help: "make `A` an `AtomicI32` and update it with `fetch_update`, or guard both updates with one `Mutex`"
            .to_owned(),
        ..finding(
            "static-mut-race",
            "A",
            "`A` is updated by `thread_one` and `thread_two` with no lock in common",
        )
    };
    let summary = Summary { files: 14, lines: 3201, ..Summary::default() };
    Report { findings: vec![finding], files, summary, ..Report::default() }
}

pub fn render(format: Format, report: &Report) -> String {
    let mut out = NoColor::new(Vec::new());
    write(format, report, &Sources::new(&report.files), &mut out).expect("writing to memory");
    String::from_utf8(out.into_inner()).expect("UTF-8")
}

/// A counter behind a function, updated by instances of one worker and read by main in another file.
pub fn pool() -> Report {
    let worker = "\
pub fn work(shared: &Shared) {
    for _ in 0..10 {
        let größe = shared.hits.load(Relaxed);
        /* größer */ shared.hits.store(größe + 1, Relaxed);
    }
}
";
    let main = "\
fn main() {
    for _ in 0..4 {
        thread::spawn(move || run(&shared));
    }
    let guard = LOCK.lock();
    shared.hits.store(0, Relaxed);
}

fn run(shared: &Shared) {
    work(shared)
}
";
    let files = vec![file("src/main.rs", main), file("src/worker.rs", worker)];
    let via = vec![
        Via { function: "run".to_owned(), at: at(&files, 0, "run", 0) },
        Via { function: "work".to_owned(), at: at(&files, 0, "work", 0) },
    ];
    let atomic = |thread, kind, at| Access { atomic: Some("Relaxed"), ..access(thread, kind, at) };
    let load = at(&files, 1, "load", 0);
    let store = at(&files, 1, "store", 0);
    let numbered = |instance, does, value, at| Step { instance, ..step(0, does, value, at) };
    let finding = Finding {
        level: Level::Warning,
        threads: vec![
            Thread { many: true, ..thread("closure", at(&files, 0, "spawn", 0)) },
            Thread { kind: ContextKind::Main, ..thread("main", at(&files, 0, "main", 0)) },
        ],
        accesses: vec![
            Access { via: via.clone(), ..atomic(0, AccessKind::Read, load) },
            Access { via, ..atomic(0, AccessKind::Write, store) },
            Access {
                locks: vec!["LOCK".to_owned()],
                ..atomic(1, AccessKind::Write, at(&files, 0, "store", 0))
            },
        ],
        schedule: vec![
            numbered(0, "loads", "0", load),
            numbered(1, "loads", "0", load),
            numbered(1, "stores", "1", store),
            numbered(0, "stores", "1", store),
        ],
        ..finding(
            "split-atomic-update",
            "Shared.hits",
            "`Shared.hits` is loaded and stored back in two steps",
        )
    };
    Report { findings: vec![finding], files, ..Report::default() }
}
