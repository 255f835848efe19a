//! Whether whole folders of real code are read as syn reads them.
//!
//! In: folders, in the environment as `SOURCES`, divided by `:`. Out: a panic with the places where the two differ. Run
//! by hand (`cargo test --lib corpus -- --ignored --nocapture`), for it takes a minute for 10 MB of code.

use super::body::testing::{Shapes, shown};
use crate::hir::{BodySource, Item, ItemKind, ItemTree, TextRange};
use crate::syntax::body::{lower_by_syn_alone, lower_directly};
use crate::syntax::items::skeleton_tree;
use crate::syntax::scan::scan;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

/// Differences that are shown; the others are counted.
const SHOWN: usize = 60;

#[derive(Default)]
struct Tally {
    files: usize,
    files_by_syn: usize,
    bodies: usize,
    bodies_by_syn: usize,
    bytes_by_syn: usize,
    differences: Vec<String>,
}

impl Tally {
    fn file(&mut self, path: &Path, text: &str) {
        let whole = TextRange::new(0, text.len() as u32);
        let found = scan(text, whole);
        let syn = skeleton_tree(text, whole, found.checked);
        let direct = if found.checked { super::file(&found.tokens) } else { None };
        self.files += 1;
        match direct {
            Some(direct) => {
                let same = syn.errors.is_empty() && print(&declared(&direct)) == print(&declared(&syn));
                if !same {
                    self.differ(path, text, whole, "declarations");
                }
            }
            None => self.files_by_syn += 1,
        }
        let mut sources = Vec::new();
        sources_of(&syn.items, &mut sources);
        for source in sources {
            self.body(path, text, &source);
        }
    }

    fn body(&mut self, path: &Path, text: &str, source: &BodySource) {
        let BodySource::Text(range) = *source else { return };
        self.bodies += 1;
        let Some(direct) = lower_directly(text, source, &Shapes) else {
            self.bodies_by_syn += 1;
            self.bytes_by_syn += (range.hi - range.lo) as usize;
            return;
        };
        let syn = lower_by_syn_alone(text, source, &Shapes);
        if !syn.errors.is_empty() {
            self.differ(path, text, range, "refused by syn");
        } else if shown(direct.body) != shown(syn.body) {
            self.differ(path, text, range, "body");
        }
    }

    fn differ(&mut self, path: &Path, text: &str, range: TextRange, what: &str) {
        let line = text[..range.lo as usize].matches('\n').count() + 1;
        self.differences.push(format!("{}:{line}: {what}", path.display()));
    }
}

fn print(value: &impl Debug) -> String {
    format!("{value:?}")
}

fn declared(tree: &ItemTree) -> (&[Item], &[crate::hir::Attr]) {
    (&tree.items, &tree.attrs)
}

fn sources_of(items: &[Item], out: &mut Vec<BodySource>) {
    for item in items {
        match &item.kind {
            ItemKind::Fn(item) => out.extend(item.body.clone()),
            ItemKind::Static(item) => out.extend(item.init.clone()),
            ItemKind::Const(item) => out.extend(item.init.clone()),
            ItemKind::Mod(Some(items)) => sources_of(items, out),
            ItemKind::Impl(block) => sources_of(&block.items, out),
            ItemKind::Trait(item) => sources_of(&item.items, out),
            _ => {}
        }
    }
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    out.extend(
        entries.map(|entry| entry.into_path()).filter(|path| path.extension().is_some_and(|e| e == "rs")),
    );
}

#[test]
#[ignore = "reads the folders that SOURCES names"]
fn corpus_is_read_as_syn_reads_it() {
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(read_corpus);
    thread.expect("thread").join().expect("no panic");
}

fn read_corpus() {
    let mut files = Vec::new();
    let folders = std::env::var("SOURCES").expect("SOURCES names folders");
    folders.split(':').for_each(|folder| rust_files(Path::new(folder), &mut files));
    let mut tally = Tally::default();
    for path in &files {
        if let Ok(text) = std::fs::read_to_string(path) {
            tally.file(path, &text);
        }
    }
    let Tally { files, files_by_syn, bodies, bodies_by_syn, bytes_by_syn, differences } = tally;
    println!(
        "{files} files, {files_by_syn} by syn; {bodies} bodies, {bodies_by_syn} ({bytes_by_syn} bytes) by syn"
    );
    let first: Vec<_> = differences.iter().take(SHOWN).map(String::as_str).collect();
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), first.join("\n"));
}
