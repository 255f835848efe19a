//! What a program is called inside, and how it is cut into functions and modules, changes no verdict: every fixture of one
//! file is renamed, outlined and wrapped, and must be judged as before.
//!
//! Printed tokens stand on one line, so verdicts are compared without lines: the rule, the place, the contexts, and how
//! many accesses of each kind each context has. The unchanged program is printed the same way first.

mod support;
mod transform;

use proc_macro2::TokenStream;
use racelint::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use support::{context, fixtures, loud, place};
use transform::names::{self, Names};
use transform::rename::{rename, renamed_path};
use transform::{outline, wrap};

/// A finding without its lines.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Verdict {
    rule: &'static str,
    place: String,
    contexts: BTreeSet<String>,
    accesses: BTreeMap<(String, &'static str), usize>,
}

#[test]
fn names_change_no_verdict() {
    let mut failures = Failures::default();
    for (name, program) in programs() {
        let names = names::given(program.clone());
        let before = verdicts(&program, |path| renamed_path(path, &names));
        let after = verdicts(&rename(program, &names), str::to_owned);
        failures.compare(&name, &before, &after);
    }
    failures.report();
}

#[test]
fn helper_functions_change_no_verdict() {
    let mut failures = Failures::default();
    let mut moved = 0;
    for (name, program) in programs() {
        let (outlined, count) = outline::outline(program.clone());
        moved += count;
        if count > 0 {
            failures.compare(&name, &verdicts(&program, str::to_owned), &verdicts(&outlined, str::to_owned));
        }
    }
    assert!(moved > 50, "only {moved} blocks could be moved");
    failures.report();
}

#[test]
fn a_module_around_the_program_changes_no_verdict() {
    let mut failures = Failures::default();
    let prefix = format!("{}::", wrap::MODULE);
    for (name, program) in programs() {
        let file = syn::parse2(program.clone()).expect("a fixture parses");
        let unwrapped = |path: &str| path.strip_prefix(&prefix).unwrap_or(path).to_owned();
        failures.compare(&name, &verdicts(&program, str::to_owned), &verdicts(&wrap::wrap(file), unwrapped));
    }
    failures.report();
}

#[test]
fn every_name_of_a_program_is_found() {
    let program = "
        mod shelf { pub static mut BOOKS: u32 = 1; pub const LIMIT: u32 = 9; }
        struct Reader { pages: u32 }
        trait Read { fn read(&self, page: u32); }
        impl Read for Reader { fn read(&self, page: u32) { let total = page + self.pages; drop(total) } }
        impl Drop for Reader { fn drop(&mut self) {} }
        fn borrow<T: Read>(reader: T, (first, last): (u32, u32), kept: HashMap<u8, u32>) {
            for page in first..last { reader.read(page) }
            let add = move |more: u32| more + 1;
            match Some(add(1)) { Some(found) if found > 2 => {} _ => {} }
        }";
    let names = names::given(program.parse().expect("tokens"));
    let values = [
        "BOOKS", "LIMIT", "Read", "Reader", "add", "borrow", "first", "found", "kept", "last", "more",
        "page", "reader", "shelf", "total",
    ];
    assert_eq!(names.values, values.map(str::to_owned).into());
    assert_eq!(names.fields, ["pages".to_owned()].into());
    assert_eq!(names.methods, ["read".to_owned()].into());
}

#[test]
fn renaming_keeps_what_is_the_librarys() {
    let program =
        r#"fn push(name: u32) { let list = Vec::new(); list.push(name); println!("{name:>3} {{name}}"); }"#;
    let program: TokenStream = program.parse().expect("tokens");
    let names: Names = names::given(program.clone());
    let expected = r#"fn zq_hsup(zq_eman: u32) { let zq_tsil = Vec::new(); zq_tsil.push(zq_eman);
        println!("{zq_eman:>3} {{name}}"); }"#;
    let expected: TokenStream = expected.parse().expect("tokens");
    assert_eq!(rename(program, &names).to_string(), expected.to_string());
}

/// The fixtures of one file that run, by name. (A library's functions are its contexts by name and by being public.)
fn programs() -> impl Iterator<Item = (String, TokenStream)> {
    fixtures().into_iter().filter(|fixture| !fixture.is_crate()).filter_map(|fixture| {
        let text = fs::read_to_string(&fixture.path).expect("a readable fixture");
        let program = text.parse().unwrap_or_else(|e| panic!("{}: {e}", fixture.name));
        text.contains("fn main()").then_some((fixture.name, program))
    })
}

/// The verdicts on a program, with the names in them mapped.
fn verdicts(program: &TokenStream, map: impl Fn(&str) -> String) -> BTreeSet<Verdict> {
    let text = program.to_string();
    assert!(syn::parse_file(&text).is_ok(), "not a program: {text}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("program.rs");
    fs::write(&path, &text).expect("a writable folder");
    let report = racelint::check(&[path], &support::pedantic());
    loud(&report).map(|finding| verdict(finding, &map)).collect()
}

fn verdict(finding: &Finding, map: impl Fn(&str) -> String) -> Verdict {
    let contexts = (0..finding.threads.len()).map(|thread| map(&context(finding, thread))).collect();
    let mut accesses = BTreeMap::new();
    for access in &finding.accesses {
        *accesses.entry((map(&context(finding, access.thread)), access.kind.as_str())).or_default() += 1;
    }
    Verdict { rule: finding.rule, place: map(place(&finding.place)), contexts, accesses }
}

/// Programs that are judged in two ways, gathered so that all are seen at once.
#[derive(Default)]
struct Failures {
    findings: usize,
    text: String,
}

impl Failures {
    fn compare(&mut self, name: &str, before: &BTreeSet<Verdict>, after: &BTreeSet<Verdict>) {
        self.findings += before.len();
        if before != after {
            let lines = before.difference(after).map(|verdict| format!("  - {verdict:?}"));
            let lines = lines.chain(after.difference(before).map(|verdict| format!("  + {verdict:?}")));
            writeln!(self.text, "{name}\n{}", lines.collect::<Vec<_>>().join("\n"))
                .expect("a String takes all");
        }
    }

    fn report(self) {
        assert!(self.text.is_empty(), "judged in two ways (- before, + after):\n{}", self.text);
        assert!(self.findings > 20, "only {} findings were compared", self.findings);
    }
}
