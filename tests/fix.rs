//! Fixes: what they make of a program parses and is silent, and reads as a person would have written it.

use racelint::finding::{Finding, Report};
use racelint::{Config, fix};
use std::fs;
use std::path::{Path, PathBuf};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

fn check(path: &Path) -> Report {
    racelint::check(&[path.to_owned()], &Config::default())
}

/// Writes the fixed files; the report before.
fn fixed(path: &Path) -> (Report, fix::Fixes) {
    let report = check(path);
    let fixes = fix::apply(&report, false);
    for file in &fixes.files {
        fs::write(&file.path, &file.after).expect("a writable file");
    }
    (report, fixes)
}

fn of_one_file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("program.rs");
    fs::write(&path, text).expect("a writable folder");
    (folder, path)
}

/// A program whose two threads run `work`, with these statements in it.
fn program(work: &str) -> String {
    format!(
        "use std::sync::atomic::{{AtomicBool, AtomicI32, Ordering}};\n\
         use std::sync::{{Mutex, RwLock}};\n\
         static A: AtomicI32 = AtomicI32::new(2);\n\
         static F: AtomicBool = AtomicBool::new(false);\n\
         static M: Mutex<i32> = Mutex::new(2);\n\
         static R: RwLock<i32> = RwLock::new(2);\n\
         fn work(n: i32) {{\n{work}\n}}\n\
         fn main() {{\n\
             let one = std::thread::spawn(|| work(2));\n\
             let two = std::thread::spawn(|| work(3));\n\
             one.join().unwrap();\n\
             two.join().unwrap();\n\
         }}\n"
    )
}

/// Fixes the statements of `work`; the program is silent then.
fn rewritten(work: &str) -> String {
    let (_folder, path) = of_one_file(&program(work));
    let (report, fixes) = fixed(&path);
    assert_eq!(fixes.settled.len(), report.findings.len(), "{work}: {:#?}", report.findings);
    assert!(!fixes.settled.is_empty(), "nothing was found: {work}");
    let after = fs::read_to_string(&path).expect("the fixed file");
    let left = check(&path);
    assert!(left.findings.is_empty() && left.errors.is_empty(), "not silent:\n{after}\n{:#?}", left.findings);
    let (start, end) = (after.find("{\n").expect("a body") + 2, after.find("\n}\nfn main").expect("main"));
    let start =
        after[..end].rfind("fn work(n: i32) {\n").map_or(start, |at| at + "fn work(n: i32) {\n".len());
    after[start..end].to_owned()
}

fn unfixed(work: &str) -> Vec<Finding> {
    let (_folder, path) = of_one_file(&program(work));
    let (report, fixes) = fixed(&path);
    assert!(fixes.files.is_empty(), "{:?}", fixes.files);
    report.findings
}

#[test]
fn a_load_in_a_store_becomes_one_operation() {
    assert_eq!(
        rewritten("A.store(A.load(Ordering::Acquire) + n * 2, Ordering::Release);"),
        "A.fetch_add(n * 2, Ordering::AcqRel);"
    );
    assert_eq!(
        rewritten("A.store(7 | A.load(Ordering::Relaxed), Ordering::SeqCst)"),
        "A.fetch_or(7, Ordering::SeqCst);"
    );
    assert_eq!(
        rewritten("A.store(A.load(Ordering::Relaxed).wrapping_sub(n), Ordering::Relaxed);"),
        "A.fetch_sub(n, Ordering::Relaxed);"
    );
    assert_eq!(
        rewritten("A.store((A.load(Ordering::Relaxed) + 1) * n, Ordering::Relaxed);"),
        "let _ = A.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| Some((old + 1) * n));"
    );
    assert_eq!(
        rewritten("let add = || A.store(A.load(Ordering::Relaxed) + n, Ordering::Relaxed);\nadd();"),
        "let add = || { A.fetch_add(n, Ordering::Relaxed); };\nadd();"
    );
}

#[test]
fn a_local_between_goes_or_stays() {
    assert_eq!(
        rewritten(
            "    let v = A.load(Ordering::SeqCst);\n    A.store(v - n, Ordering::SeqCst);\n    println!(\"done\");"
        ),
        "    A.fetch_sub(n, Ordering::SeqCst);\n    println!(\"done\");"
    );
    assert_eq!(
        rewritten(
            "    let v = A.load(Ordering::SeqCst);\n    A.store(v - n, Ordering::SeqCst);\n    println!(\"{v}\");"
        ),
        "    let v = A.fetch_sub(n, Ordering::SeqCst);\n    println!(\"{v}\");"
    );
    assert_eq!(
        rewritten(
            "    let v = A.load(Ordering::Relaxed);\n    let w = v * n;\n    A.store(w, Ordering::Relaxed);"
        ),
        "    let _ = A.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| Some(old * n));"
    );
    assert_eq!(
        rewritten(
            "    let v = A.load(Ordering::Acquire);\n    let _ = A.compare_exchange(v, v + n, Ordering::AcqRel, Ordering::Relaxed);"
        ),
        "    A.fetch_add(n, Ordering::AcqRel);"
    );
}

#[test]
fn a_drain_takes_out() {
    assert_eq!(
        rewritten(
            "    A.fetch_add(n, Ordering::Relaxed);\n    let v = A.load(Ordering::Acquire);\n    A.store(0, Ordering::Release);\n    println!(\"{v}\");"
        ),
        "    A.fetch_add(n, Ordering::Relaxed);\n    let v = A.swap(0, Ordering::AcqRel);\n    println!(\"{v}\");"
    );
}

#[test]
fn a_flag_is_swapped() {
    assert_eq!(
        rewritten(
            "    if !F.load(Ordering::Acquire) {\n        F.store(true, Ordering::Release);\n        println!(\"first\");\n    }"
        ),
        "    if !F.swap(true, Ordering::AcqRel) {\n        println!(\"first\");\n    }"
    );
    assert_eq!(
        rewritten(
            "    if F.load(Ordering::SeqCst) {\n        return;\n    }\n    F.store(true, Ordering::SeqCst);\n    println!(\"first\");"
        ),
        "    if F.swap(true, Ordering::SeqCst) {\n        return;\n    }\n    println!(\"first\");"
    );
}

#[test]
fn a_guard_is_kept() {
    assert_eq!(
        rewritten("    let v = *M.lock().unwrap();\n    *M.lock().unwrap() = v + n;\n    println!(\"{v}\");"),
        "    let mut guard = M.lock().unwrap();\n    let v = *guard;\n    *guard = v + n;\n    drop(guard);\n    println!(\"{v}\");"
    );
    assert_eq!(
        rewritten("    let v = *R.read().unwrap();\n    *R.write().unwrap() = v * n;"),
        "    let mut guard = R.write().unwrap();\n    let v = *guard;\n    *guard = v * n;"
    );
}

#[test]
fn what_is_not_understood_stays() {
    // The new value is asked for elsewhere.
    assert!(!unfixed("A.store(next(A.load(Ordering::SeqCst)), Ordering::SeqCst); fn next(v: i32) -> i32 { print!(\"\"); v + 1 }").is_empty());
    // Something happens between.
    assert!(
        !unfixed("let v = A.load(Ordering::SeqCst);\nprintln!(\"{v}\");\nA.store(v + n, Ordering::SeqCst);")
            .is_empty()
    );
    // One of two updates only.
    let half = "A.store(A.load(Ordering::SeqCst) + 1, Ordering::SeqCst);\n\
                let v = A.load(Ordering::SeqCst);\nprintln!(\"{v}\");\nA.store(v + n, Ordering::SeqCst);";
    assert!(!unfixed(half).is_empty());
}

#[test]
fn fixed_fixtures_are_silent() {
    let mut count = 0;
    let folders = ["demo", "lost_updates", "order"].map(|name| Path::new(FIXTURES).join(name));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder of fixtures"));
    for fixture in entries.map(|entry| entry.expect("a readable entry").path()).filter(|path| path.is_file())
    {
        let text = fs::read_to_string(&fixture).expect("a readable fixture");
        let (_folder, path) = of_one_file(&text);
        let (report, fixes) = fixed(&path);
        count += fixes.settled.len();
        let left = check(&path);
        let settled = fixes.settled.iter().map(|n| &report.findings[*n].place);
        for place in settled {
            let again = left.findings.iter().any(|finding| finding.place == *place);
            assert!(!again, "{}: {place} is still reported", fixture.display());
        }
        assert_eq!(left.findings.len(), report.findings.len() - fixes.settled.len(), "{}", fixture.display());
        assert!(left.errors.is_empty(), "{}", fixture.display());
    }
    assert!(count >= 3, "only {count} findings had a fix");
}
