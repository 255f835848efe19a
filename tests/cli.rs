//! The binary from outside: usage, tables and pages, exit codes, where output goes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn racelint() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_racelint"));
    for variable in ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

fn run(args: &[&str]) -> Output {
    racelint().args(args).output().expect("the binary runs")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

/// A folder with one program in which nothing runs concurrently.
fn clean_program() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("calm.rs"), "fn main() {\n    println!(\"calm\");\n}\n").expect("writable");
    folder
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn usage_errors_exit_with_2_and_say_what_to_do() {
    let cases: &[(&[&str], &str)] = &[
        (&["--frobnicate"], "--frobnicate"),
        (&["--format", "xml"], "there are human, short and json"),
        (&["--format", "sarif"], "not available yet"),
        (&["--format", "cargo=out.json"], "not available yet"),
        (&["--format", "json="], "file name is missing"),
        (&["--format", "json", "--format", "human"], "only one --format"),
        (&["-D", "static-mut-rase"], "did you mean `static-mut-race`?"),
        (&["-A", "nonsense-at-all"], "--list-rules"),
        (&["--explain", "env_rase"], "did you mean `env-race`?"),
        (&["--fail-on", "note"], "never"),
        (&["--exclude", "{a"], "--exclude"),
        (&["--cfg", "feature=x"], "key=\"value\""),
        (&["-j", "0"], "at least one thread"),
        (&["--baseline", "known.json"], "--baseline"),
    ];
    for (args, expected) in cases {
        let output = run(args);
        assert_eq!(code(&output), 2, "{args:?}");
        assert!(stderr(&output).contains(expected), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}

#[test]
fn rules_are_listed_with_their_levels() {
    let output = run(&["--list-rules"]);
    assert_eq!(code(&output), 0);
    let lines: Vec<&str> = stdout(&output).lines().collect();
    assert_eq!(lines.len(), racelint::rules::RULES.len());
    assert!(lines.iter().any(|line| line.starts_with("static-mut-race ") && line.contains(" error ")));
    assert!(lines.iter().any(|line| line.starts_with("order-dependent ") && line.contains(" pedantic ")));
}

#[test]
fn every_rule_is_explained() {
    for rule in racelint::rules::RULES {
        let output = run(&["--explain", rule.id]);
        assert_eq!(code(&output), 0, "{}", rule.id);
        assert!(stdout(&output).starts_with(&format!("# {}", rule.id)), "{}", rule.id);
        assert!(stdout(&output).contains(rule.explanation), "{}", rule.id);
    }
}

#[test]
fn help_and_version_are_no_failures() {
    let help = run(&["--help"]);
    assert_eq!(code(&help), 0);
    assert!(stdout(&help).contains("--pedantic") && stdout(&help).contains("Exit code"));
    let version = run(&["--version"]);
    assert_eq!(
        (code(&version), stdout(&version)),
        (0, concat!("racelint ", env!("CARGO_PKG_VERSION"), "\n"))
    );
}

#[test]
fn a_missing_path_exits_with_2_and_names_it() {
    let folder = clean_program();
    let missing = folder.path().join("no-such-folder");
    let output = run(&[path(&missing)]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("no-such-folder"), "{}", stderr(&output));

    let also_there = run(&["--format", "json", path(folder.path()), path(&missing)]);
    assert_eq!(code(&also_there), 2);
    let document: serde_json::Value = serde_json::from_str(stdout(&also_there)).expect("printed first");
    assert_eq!(document["errors"].as_array().map(Vec::len), Some(1));
}

#[test]
fn nothing_found_is_0_and_the_summary_goes_to_stderr() {
    let folder = clean_program();
    let output = run(&[path(folder.path())]);
    assert_eq!((code(&output), stdout(&output)), (0, ""), "{}", stderr(&output));
    assert!(stderr(&output).starts_with("no findings in "), "{}", stderr(&output));

    let quiet = run(&["-q", path(folder.path())]);
    assert_eq!((code(&quiet), stdout(&quiet), stderr(&quiet)), (0, "", ""));

    let stats = run(&["-q", "--stats", path(folder.path())]);
    assert!(stderr(&stats).contains("functions"), "{}", stderr(&stats));
}

#[test]
fn json_is_one_document() {
    let folder = clean_program();
    let output = run(&["--format", "json", path(folder.path())]);
    let document: serde_json::Value = serde_json::from_str(stdout(&output)).expect("JSON");
    assert_eq!(document["version"], 1);
    assert_eq!(document["tool"]["name"], "racelint");
    assert_eq!(document["findings"], serde_json::json!([]));
    assert!(document["summary"]["files"].is_u64());
    assert!(stdout(&output).ends_with("}\n"));
}

#[test]
fn formats_can_go_to_files() {
    let folder = clean_program();
    let (json, human) = (folder.path().join("out.json"), folder.path().join("out.txt"));
    let output = run(&[
        "--format",
        &format!("json={}", path(&json)),
        "--format",
        &format!("human={}", path(&human)),
        "--format",
        "short",
        "--color",
        "always",
        path(folder.path()),
    ]);
    assert_eq!((code(&output), stdout(&output)), (0, ""), "{}", stderr(&output));
    let document = fs::read_to_string(json).expect("written");
    assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok());
    let text = fs::read_to_string(human).expect("written");
    assert!(text.starts_with("no findings in ") && !text.contains('\u{1b}'), "{text}");

    let nowhere = format!("json={}", path(&folder.path().join("missing/out.json")));
    let output = run(&["--format", &nowhere, path(folder.path())]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("out.json"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_it_quietly() {
    use std::os::unix::process::ExitStatusExt;
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = racelint().arg("--list-rules").stdout(writer).output().expect("the binary runs");
    assert_eq!((output.status.code(), output.status.signal(), stderr(&output)), (Some(0), None, ""));
}

#[test]
fn cargo_passes_its_subcommand_name_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let member = folder.path().join("member");
    fs::create_dir_all(member.join("src")).expect("writable");
    fs::write(folder.path().join("Cargo.toml"), "[workspace]\nmembers = [\"member\"]\n").expect("writable");
    fs::write(
        member.join("Cargo.toml"),
        "[package]\nname = \"member\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    )
    .expect("writable");
    fs::write(member.join("src/main.rs"), "fn main() {}\n").expect("writable");
    let cargo_racelint = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_cargo-racelint"))
            .args(args)
            .current_dir(&member)
            .output()
            .expect("the binary runs")
    };
    assert_eq!(code(&cargo_racelint(&["racelint", "--format", "json"])), 0);
    assert_eq!(code(&cargo_racelint(&["racelint", "--list-rules"])), 0);
    let help = cargo_racelint(&["racelint", "--help"]);
    assert!(stdout(&help).contains("Usage: cargo racelint"), "{}", stdout(&help));
}

#[test]
fn fixes_are_shown_or_applied() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("count.rs");
    let before = "use std::sync::atomic::{AtomicU32, Ordering};\nuse std::thread;\n\nstatic N: AtomicU32 = AtomicU32::new(0);\n\n\
                  fn count() {\n    N.store(N.load(Ordering::Relaxed) + 1, Ordering::Relaxed);\n}\n\n\
                  fn main() {\n    let one = thread::spawn(count);\n    count();\n    one.join().unwrap();\n}\n";
    fs::write(&file, before).expect("writable");

    let shown = run(&["--diff", path(folder.path())]);
    assert_eq!(code(&shown), 1);
    assert!(stdout(&shown).contains("\n-    N.store(N.load(Ordering::Relaxed) + 1, Ordering::Relaxed);\n"));
    assert!(stdout(&shown).contains("\n+    N.fetch_add(1, Ordering::Relaxed);\n"));
    assert_eq!(fs::read_to_string(&file).expect("readable"), before);

    let applied = run(&["--fix", path(folder.path())]);
    assert_eq!(code(&applied), 0, "{}", stdout(&applied));
    assert!(stderr(&applied).contains("fixed 1 finding in 1 file"));
    assert_eq!(code(&run(&[path(folder.path())])), 0);
}
