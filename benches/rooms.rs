//! What each room costs, on generated programs: a file of about 2,000 lines, and a package of such files.
//!
//! In: nothing; the inputs are made here and are the same in every run. `cargo bench --bench rooms` runs it.
//! Invariant: the measured part does one room's work; what it is given was made outside the clock.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use racelint::Config;
use racelint::hir::{BodySource, Name, Path};
use racelint::models::{self, Models};
use racelint::project::load::{self, LibraryMacros, LoadedGroup};
use racelint::project::{self, Group};
use racelint::resolve::{self, FnId, Program};
use racelint::syntax::{self, MacroMeaning, MacroScope};
use std::fmt::Write;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

/// As in the program, or the numbers would be another allocator's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Sections of the generated file: about 2,000 lines.
const SECTIONS: usize = 42;
/// Files of the generated package beside its root.
const MODULES: usize = 8;

/// One section of a file: a struct with methods, a trait's impl, functions with branches, loops, closures, macros.
const SECTION: &str = r#"
/// A ledger of the quarter §.
#[derive(Clone, Debug, Default)]
pub struct Ledger§ {
    entries: Vec<(String, i64)>,
    balance: i64,
}

impl Ledger§ {
    pub fn new() -> Self {
        Ledger§ { entries: Vec::with_capacity(§), balance: 0 }
    }

    pub fn enter(&mut self, name: &str, amount: i64) -> Result<i64, String> {
        if name.is_empty() {
            return Err(format!("entry {} of ledger § has no name", self.entries.len()));
        }
        self.entries.push((name.to_owned(), amount));
        self.balance += match amount {
            0 => 0,
            small if small.abs() < 100 => small,
            large => large - large / 100,
        };
        Ok(self.balance)
    }

    fn largest(&self) -> Option<&(String, i64)> {
        self.entries.iter().filter(|(name, _)| !name.starts_with('#')).max_by_key(|(_, amount)| amount.abs())
    }
}

impl Summary for Ledger§ {
    fn summary(&self) -> i64 {
        let mut total = 0;
        for (at, (_, amount)) in self.entries.iter().enumerate() {
            total += *amount * (at as i64 + 1);
        }
        self.largest().map_or(total, |(_, amount)| total - amount)
    }
}

pub fn settle_§(names: &[&str], step: i64) -> i64 {
    let mut ledger = Ledger§::new();
    for (at, name) in names.iter().enumerate() {
        ledger.enter(name, step * at as i64).unwrap_or_default();
    }
    note(ledger.summary());
    ledger.balance
}
"#;

/// What the sections of a file share: the statics that its threads meet at.
const HEAD: &str = "use std::sync::Mutex;\nuse std::thread;\n\n\
    static mut NOTED: i64 = 0;\nstatic mut GUARDED: i64 = 0;\nstatic GUARD: Mutex<()> = Mutex::new(());\n\n\
    pub trait Summary {\n    fn summary(&self) -> i64;\n}\n\n\
    fn note(amount: i64) {\n    let _held = GUARD.lock().unwrap();\n    unsafe { GUARDED += amount };\n}\n\n\
    fn note_unguarded(amount: i64) {\n    unsafe { NOTED += amount };\n}\n";

/// A file of about 2,000 lines whose `run` starts threads.
fn file() -> String {
    let mut text = HEAD.to_owned();
    for section in 0..SECTIONS {
        text.push_str(&SECTION.replace('§', &section.to_string()));
    }
    text.push_str("\npub fn run() {\n    let mut threads = Vec::new();\n");
    for section in 0..SECTIONS {
        let body = format!("note_unguarded(settle_{section}(&[\"a\", \"b\"], {section}))");
        writeln!(text, "    threads.push(thread::spawn(|| {body}));").expect("a String takes all");
    }
    text.push_str("    for thread in threads {\n        thread.join().unwrap();\n    }\n}\n");
    text
}

/// A package of a root and `MODULES` files, in a folder that goes with it.
fn package() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let source = folder.path().join("src");
    std::fs::create_dir(&source).expect("a folder");
    let manifest = "[package]\nname = \"ledgers\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let (mut modules, mut calls) = (String::new(), String::new());
    for module in 0..MODULES {
        writeln!(modules, "mod quarter{module};").expect("a String takes all");
        writeln!(calls, "    quarter{module}::run();").expect("a String takes all");
        std::fs::write(source.join(format!("quarter{module}.rs")), file()).expect("a file");
    }
    std::fs::write(folder.path().join("Cargo.toml"), manifest).expect("a file");
    std::fs::write(source.join("main.rs"), format!("{modules}\nfn main() {{\n{calls}}}\n")).expect("a file");
    folder
}

/// The package's only group of crates.
fn group(folder: &TempDir) -> Group {
    let found = project::discover(&[folder.path().to_owned()], &project::Options::default());
    found.groups.into_iter().next().expect("a package is a group")
}

/// Macros are what the models say.
struct Shapes(Arc<Models>);

impl MacroScope for Shapes {
    fn lookup(&self, path: &Path) -> MacroMeaning {
        let names: Vec<Name> = path.segments.iter().map(|segment| segment.name).collect();
        self.0.shape(&names).map_or(MacroMeaning::Unknown, MacroMeaning::Shape)
    }
}

fn parse(c: &mut Criterion) {
    let text = file();
    let mut group = c.benchmark_group("parse");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("items of a file", |b| b.iter(|| syntax::parse_file(black_box(&text))));
    group.finish();
}

fn lower(c: &mut Criterion) {
    let text = file();
    let bodies: Vec<BodySource> =
        syntax::parse_file(&text).bodies.iter().map(|body| BodySource::Text(body.range)).collect();
    let scope = Shapes(models::built_in(Default::default()));
    let mut group = c.benchmark_group("lower");
    group.throughput(Throughput::Elements(bodies.len() as u64));
    group.bench_function("bodies of a file", |b| {
        b.iter(|| {
            bodies.iter().map(|body| syntax::lower_body(&text, body, 0, &scope).errors.len()).sum::<usize>()
        });
    });
    group.finish();
}

fn resolve(c: &mut Criterion) {
    let folder = package();
    let (sources, models) = (group(&folder), models::built_in(Default::default()));
    let load = || load::load(&sources, &*models);
    let build = |loaded: LoadedGroup| {
        resolve::build(resolve::collect(loaded, models.clone(), models.clone()), &|_, _| true)
    };
    let bodies = |program: Program| {
        let resolved = (0..program.fns.len()).filter_map(|at| program.body(FnId(at as u32))).count();
        (program, resolved)
    };
    let mut group = c.benchmark_group("resolve");
    group.bench_function("declarations of a package", |b| b.iter_batched(load, build, BatchSize::LargeInput));
    group.bench_function("bodies of a package", |b| {
        b.iter_batched(|| build(load()), bodies, BatchSize::LargeInput)
    });
    group.finish();
}

fn check(c: &mut Criterion) {
    let folder = package();
    let paths: Vec<PathBuf> = vec![folder.path().to_owned()];
    let config = Config { threads: Some(1), ..Config::default() };
    let report = racelint::check(&paths, &config);
    assert_eq!(report.findings.len(), MODULES, "each file has one race");
    let mut group = c.benchmark_group("check");
    group.sample_size(10);
    group.throughput(Throughput::Elements(report.summary.lines));
    group.bench_function("a package, one thread", |b| b.iter(|| racelint::check(black_box(&paths), &config)));
    group.finish();
}

criterion_group!(rooms, parse, lower, resolve, check);
criterion_main!(rooms);
