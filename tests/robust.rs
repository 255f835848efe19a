//! No input makes the command panic or hang, and what is wrong with one item, file or manifest costs no more than that:
//! everything else is still analysed. The inputs are in `fixtures/bad`, or made here where they would be too large or
//! too strange for a repository.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Two threads on one static: the race that has to be found beside whatever is hard to digest.
const RACY: &str = "use std::thread;
static mut CUPS: u32 = 0;
fn pour() { unsafe { CUPS += 1 } }
fn main() {
    let first = thread::spawn(pour);
    let second = thread::spawn(pour);
    first.join().unwrap();
    second.join().unwrap();
}
";

/// What the command said about a path.
struct Answer {
    code: i32,
    document: Value,
    stderr: String,
}

impl Answer {
    /// The places of the findings.
    fn places(&self) -> Vec<&str> {
        let findings = self.document["findings"].as_array().expect("an array of findings");
        findings.iter().filter_map(|finding| finding["place"].as_str()).collect()
    }

    /// Whether an error is reported in `file`, at `line` unless that is 0, in JSON and on stderr.
    fn reports_error(&self, file: &str, line: u64) -> bool {
        let errors = self.document["errors"].as_array().expect("an array of errors");
        let said = errors.iter().any(|error| {
            error["file"].as_str().is_some_and(|name| name.ends_with(file))
                && (line == 0 || error["line"].as_u64() == Some(line))
        });
        said && self.stderr.contains(file)
    }
}

fn racelint(path: &Path, more: &[&str]) -> Answer {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_racelint"))
        .args(["--format", "json", "--color", "never"])
        .args(more)
        .arg(path)
        .output()
        .expect("the binary runs");
    assert!(started.elapsed() < Duration::from_secs(20), "{} takes too long", path.display());
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_str(&stdout)
        .unwrap_or_else(|e| panic!("{}: no JSON ({e}): {stdout}{stderr}", path.display()));
    Answer { code: output.status.code().expect("no signal ended it"), document, stderr }
}

fn bad(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bad").join(name)
}

/// A copy of a file or folder of `fixtures/bad`, away from this package's manifest.
fn bad_copy(name: &str) -> (tempfile::TempDir, PathBuf) {
    let text = fs::read(bad(name)).expect("an input");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(Path::new(name).file_name().expect("a file"));
    fs::write(&path, text).expect("a writable folder");
    (folder, path)
}

fn program(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("program.rs");
    fs::write(&path, text).expect("a writable folder");
    (folder, path)
}

#[test]
fn a_syntax_error_costs_only_its_function() {
    let (_folder, path) = bad_copy("syntax_error.rs");
    let answer = racelint(&path, &[]);
    assert_eq!((answer.code, answer.places()), (1, vec!["ORDERS"]), "{}", answer.stderr);
    assert!(answer.reports_error("syntax_error.rs", 12), "{}", answer.stderr);
    assert_eq!(racelint(&path, &["--strict"]).code, 2);
}

#[test]
fn unbalanced_braces_are_reported() {
    let (_folder, path) = bad_copy("unbalanced.rs");
    let answer = racelint(&path, &[]);
    assert!(answer.code <= 2 && answer.reports_error("unbalanced.rs", 0), "{}", answer.stderr);
    assert_eq!(racelint(&path, &["--strict"]).code, 2);
}

#[test]
fn a_module_without_a_file_costs_only_itself() {
    let (_folder, path) = bad_copy("missing_module/main.rs");
    let answer = racelint(&path, &[]);
    assert_eq!((answer.code, answer.places()), (1, vec!["SOUPS"]), "{}", answer.stderr);
    assert!(answer.reports_error("main.rs", 3), "{}", answer.stderr);
}

#[test]
fn a_broken_manifest_costs_no_source() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("src")).expect("a writable folder");
    fs::write(folder.path().join("Cargo.toml"), "[package\nname = \"torn\"\n").expect("a writable folder");
    fs::write(folder.path().join("src/main.rs"), RACY).expect("a writable folder");
    let answer = racelint(folder.path(), &[]);
    assert_eq!((answer.code, answer.places()), (1, vec!["CUPS"]), "{}", answer.stderr);
    assert!(answer.reports_error("Cargo.toml", 1), "{}", answer.stderr);
}

#[test]
fn a_file_that_is_not_utf8_is_reported() {
    let (folder, path) = bad_copy("latin1.rs");
    let alone = racelint(&path, &[]);
    assert!(alone.code == 2 && alone.reports_error("latin1.rs", 0), "{}", alone.stderr);
    fs::write(folder.path().join("tea.rs"), RACY).expect("a writable folder");
    let beside = racelint(folder.path(), &[]);
    assert_eq!((beside.code, beside.places()), (1, vec!["CUPS"]), "{}", beside.stderr);
    assert!(beside.reports_error("latin1.rs", 0), "{}", beside.stderr);
}

#[test]
fn an_empty_file_has_nothing_wrong() {
    let (_folder, path) = bad_copy("empty.rs");
    let answer = racelint(&path, &["--strict"]);
    assert_eq!((answer.code, answer.places()), (0, vec![]), "{}", answer.stderr);
}

#[test]
fn no_such_path_and_an_empty_folder_are_fatal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(racelint(&folder.path().join("nowhere"), &[]).code, 2);
    assert_eq!(racelint(folder.path(), &[]).code, 2);
}

#[test]
fn deep_nesting_costs_only_its_function() {
    let nestings =
        [("(", ")"), ("[", "]"), ("{", "}"), ("!", ""), ("&", ""), ("if true {", "}"), ("a.b(", ")")];
    for (open, close) in nestings {
        let nested = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let (_folder, path) = program(&format!("{RACY}fn deep() {{ let _x = {nested}; }}\n"));
        let answer = racelint(&path, &[]);
        assert_eq!((answer.code, answer.places()), (1, vec!["CUPS"]), "{open}: {}", answer.stderr);
    }
}

#[test]
fn deep_types_patterns_and_modules_are_survived() {
    let nestings = [
        ("type T = ", "&'static ", "u8", "", ";"),
        ("type T = ", "Vec<", "u8", ">", ";"),
        ("fn f(", "(", "_x", ",)", ": u8) {}"),
        ("", "mod m {", "", "}", ""),
        ("macro_rules! m { () => {", "(", "", ")", "} }"),
    ];
    for (before, open, middle, close, after) in nestings {
        let nested = format!("{before}{}{middle}{}{after}", open.repeat(10_000), close.repeat(10_000));
        let (_folder, path) = program(&format!("{RACY}{nested}\n"));
        let answer = racelint(&path, &[]);
        assert_eq!((answer.code, answer.places()), (1, vec!["CUPS"]), "{open}: {}", answer.stderr);
    }
}

#[test]
fn a_literal_of_a_million_digits_is_survived() {
    let (_folder, path) = program(&format!("{RACY}fn large() {{ let _n = {}; }}\n", "7".repeat(1_000_000)));
    let answer = racelint(&path, &[]);
    assert_eq!((answer.code, answer.places()), (1, vec!["CUPS"]), "{}", answer.stderr);
}

#[test]
fn an_expression_of_many_terms_is_survived() {
    let sum = vec!["1"; 50_000].join(" + ");
    let (_folder, path) = program(&format!("{RACY}fn long() -> u64 {{ {sum} }}\n"));
    let answer = racelint(&path, &[]);
    assert_eq!((answer.code, answer.places()), (1, vec!["CUPS"]), "{}", answer.stderr);
}

#[test]
fn a_macro_that_calls_itself_ends() {
    let endless =
        "macro_rules! grow { ($($t:tt)*) => { grow!($($t)* $($t)* more) } }\nfn run() { grow!(a) }\n";
    let (_folder, path) = program(&format!("{RACY}{endless}"));
    let answer = racelint(&path, &[]);
    assert_eq!((answer.code, answer.places()), (1, vec!["CUPS"]), "{}", answer.stderr);
}

#[cfg(unix)]
#[test]
fn a_loop_of_symbolic_links_is_walked_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let nested = folder.path().join("nested");
    fs::create_dir(&nested).expect("a writable folder");
    fs::write(nested.join("tea.rs"), RACY).expect("a writable folder");
    std::os::unix::fs::symlink(folder.path(), nested.join("again")).expect("symbolic links");
    let answer = racelint(folder.path(), &[]);
    assert_eq!((answer.code, answer.places()), (1, vec!["CUPS"]), "{}", answer.stderr);
}
