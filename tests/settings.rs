//! `racelint.toml` from outside: ten lines about a library that nobody knows change what is found in a program.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A pool, a lock and a callback of a library without a model.
const PROGRAM: &str = r#"
use jobs::{Latch, Pool};

static mut SUM: u32 = 0;
static GATE: Latch = Latch::new();

fn add(n: u32) {
    unsafe { SUM += n };
}

fn guarded(n: u32) {
    let _held = GATE.hold();
    add(n);
}

extern "C" fn tick() {
    guarded(7);
}

fn main() {
    let pool = Pool::with_workers(4);
    for n in 0..4 {
        pool.submit(move || add(n));
    }
    jobs::on_tick(tick);
}
"#;

const MODELS: &str = r#"
[[model]]
fns = ["jobs::on_tick(F) -> () = seq(spawn(hook, a0), unit)"]
[[model.type]]
path = "jobs::Pool"
fns = ["with_workers(usize) -> Self = group(thread, a0)", "submit(&self, F) -> () = seq(spawn_in(self, a0), unit)"]
[[model.type]]
path = "jobs::Latch"
fns = ["new() -> Self = fresh", "hold(&self) -> LatchGuard = lock(self, exclusive)"]
[[model.type]]
path = "jobs::LatchGuard"
role = "guard"
"#;

/// What is found in the program with these settings, one finding a line.
fn found(folder: &Path, program: &str, settings: Option<&str>) -> String {
    fs::write(folder.join("main.rs"), program).expect("writable");
    let file = folder.join("racelint.toml");
    match settings {
        Some(text) => fs::write(file, text).expect("writable"),
        None => drop(fs::remove_file(file)),
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_racelint"));
    let output = command.args(["-q", "--format", "short"]).arg(folder).output().expect("the binary runs");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_pool_is_several_threads_once_it_is_known() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(found(folder.path(), PROGRAM, None), "");
    let racy = found(folder.path(), PROGRAM, Some(MODELS));
    assert!(racy.contains("`tick`") && racy.contains("`add` (×many)"), "{racy}");
    let one_worker =
        PROGRAM.replace("with_workers(4)", "with_workers(1)").replace("jobs::on_tick(tick);", "");
    assert_eq!(found(folder.path(), &one_worker, Some(MODELS)), "");
}

#[test]
fn a_lock_keeps_threads_apart_once_it_is_known() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let locked = PROGRAM.replace("move || add(n)", "move || guarded(n)");
    assert_eq!(found(folder.path(), &locked, Some(MODELS)), "");
    let without_lock = MODELS.replace("= lock(self, exclusive)", "= fresh");
    assert!(found(folder.path(), &locked, Some(&without_lock)).contains("`SUM`"));
}

#[test]
fn a_file_of_models_may_be_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let alone = MODELS.replace("[[model]]", "").replace("[[model.type]]", "[[type]]");
    fs::write(folder.path().join("jobs.toml"), alone).expect("writable");
    let named = "[[model]]\nfile = \"jobs.toml\"\n";
    assert!(found(folder.path(), PROGRAM, Some(named)).contains("`SUM`"));
}

#[test]
fn wrong_settings_are_told_and_end_with_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    fs::write(folder.join("main.rs"), "fn main() {}\n").expect("writable");
    fs::write(folder.join("racelint.toml"), MODELS.replace("group(", "grup(")).expect("writable");
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_racelint"));
        let output = command.args(args).arg(folder).output().expect("the binary runs");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (code, told) = run(&[]);
    assert_eq!(code, Some(2));
    assert!(told.contains("racelint.toml") && told.contains("`grup` is no operation"), "{told}");
    assert_eq!(run(&["--no-config"]).0, Some(0));
}
