//! Loading small trees: module files, cfg, macros in item position, errors.

use super::*;
use crate::hir::{ItemKind, MacroShape};
use crate::project::testing::Tree;
use crate::project::{Options, discover};
use std::path::PathBuf;

/// Knows `cfg_if!` only.
struct CfgIf;

impl LibraryMacros for CfgIf {
    fn shape(&self, path: &[Name]) -> Option<MacroShape> {
        path.last().filter(|name| **name == "cfg_if").map(|_| MacroShape::CfgIf)
    }
}

fn load_tree(tree: &Tree) -> LoadedGroup {
    let found = discover(&[tree.root().to_path_buf()], &Options::default());
    assert_eq!(found.errors, []);
    assert_eq!(found.groups.len(), 1);
    load(&found.groups[0], &CfgIf)
}

fn package(files: &[(&str, &str)]) -> Tree {
    let tree = Tree::new(files);
    tree.write("Cargo.toml", b"[package]\nname = \"p\"\nedition = \"2021\"\n");
    tree
}

/// The modules of a crate, `path file: items`, where items that aren't always there say when they are.
fn outline(tree: &Tree, group: &LoadedGroup, krate: &LoadedCrate) -> Vec<String> {
    let mut out = Vec::new();
    describe(tree, group, &krate.root, String::new(), &mut out);
    out
}

fn describe(tree: &Tree, group: &LoadedGroup, module: &ModuleNode, above: String, out: &mut Vec<String>) {
    let path = if above.is_empty() { "crate".to_owned() } else { format!("{above}::{}", module.name) };
    let file = &group.files[module.file.0 as usize].source.path;
    let mut line = format!("{path} {}:", tree.relative(&PathBuf::from(file)));
    for (item, when) in &module.items {
        let name = if item.name.as_str().is_empty() { "_" } else { item.name.as_str() };
        line += &match when {
            When::Always => format!(" {name}"),
            other => format!(" {name}({other:?})"),
        };
    }
    out.push(line);
    for child in &module.children {
        describe(tree, group, child, path.clone(), out);
    }
}

fn only_crate(files: &[(&str, &str)]) -> Vec<String> {
    let tree = package(files);
    let group = load_tree(&tree);
    assert_eq!(group.errors, []);
    assert_eq!(
        group.crates.len(),
        1,
        "{:?}",
        group.crates.iter().map(|k| &k.source.root).collect::<Vec<_>>()
    );
    outline(&tree, &group, &group.crates[0])
}

#[test]
fn module_files_of_both_styles_and_by_path() {
    let found = only_crate(&[
        ("src/lib.rs", "mod a; mod b; mod inline { mod c; #[path = \"odd.rs\"] mod d; }"),
        ("src/a.rs", "fn in_a() {} mod sub;"),
        ("src/a/sub.rs", "fn in_sub() {}"),
        ("src/b/mod.rs", "#[path = \"../far/e.rs\"] mod e;"),
        ("src/far/e.rs", "mod f;"),
        ("src/far/f.rs", ""),
        ("src/inline/c.rs", ""),
        ("src/inline/odd.rs", ""),
    ]);
    assert_eq!(
        found,
        [
            "crate src/lib.rs:",
            "crate::inline src/lib.rs:",
            "crate::inline::c src/inline/c.rs:",
            "crate::inline::d src/inline/odd.rs:",
            "crate::a src/a.rs: in_a",
            "crate::a::sub src/a/sub.rs: in_sub",
            "crate::b src/b/mod.rs:",
            "crate::b::e src/far/e.rs:",
            "crate::b::e::f src/far/f.rs:",
        ]
    );
}

#[test]
fn cfg_is_decided_and_inherited() {
    let found = only_crate(&[
        (
            "src/lib.rs",
            "#[cfg(test)] mod tests; #[cfg(not(test))] fn normal() {} #[cfg(loom)] fn never() {}\n\
             #[cfg(target_os = \"nonesuch\")] mod gone;",
        ),
        ("src/tests.rs", "fn helper() {} #[cfg(not(test))] fn nowhere() {} mod deeper { fn x() {} }"),
        ("src/gone.rs", "mod further;"),
        ("src/gone/further.rs", "fn main() {}"),
    ]);
    assert_eq!(
        found,
        [
            "crate src/lib.rs: normal(NotTest)",
            "crate::tests src/tests.rs: helper(TestOnly)",
            "crate::tests::deeper src/tests.rs: x(TestOnly)",
        ]
    );
}

#[test]
fn parts_of_items_are_pruned() {
    let tree = package(&[(
        "src/lib.rs",
        "struct S { a: u8, #[cfg(loom)] b: u8 } enum E { A, #[cfg(loom)] B }\n\
         impl S { #[cfg(loom)] fn f() {} fn g() {} }",
    )]);
    let group = load_tree(&tree);
    let items = &group.crates[0].root.items;
    let ItemKind::Adt(s) = &items[0].0.kind else { panic!("struct") };
    let ItemKind::Adt(e) = &items[1].0.kind else { panic!("enum") };
    let ItemKind::Impl(i) = &items[2].0.kind else { panic!("impl") };
    assert_eq!((s.variants[0].fields.len(), e.variants.len(), i.items.len()), (1, 1, 1));
}

#[test]
fn item_macros_expand_until_nothing_is_left() {
    let found = only_crate(&[
        (
            "src/lib.rs",
            "#[macro_use] mod macros; pair! { one, two } cfg_if::cfg_if! { if #[cfg(loom)] { mod l; } \
             else if #[cfg(test)] { fn t() {} } else { mod real; } }",
        ),
        (
            "src/macros.rs",
            "macro_rules! single { ($n:ident) => { fn $n() {} }; }\n\
             macro_rules! pair { ($a:ident, $b:ident) => { single!($a); single!($b); make!(); }; }\n\
             macro_rules! make { () => { macro_rules! made { () => { fn made() {} } } made!(); } }",
        ),
        ("src/real.rs", ""),
        ("src/l.rs", ""),
    ]);
    assert_eq!(found[0], "crate src/lib.rs: t(TestOnly) one two made made");
    assert!(found.contains(&"crate::real src/real.rs:".to_owned()), "{found:?}");
}

#[test]
fn macros_come_from_linked_crates_and_unknown_ones_are_counted() {
    let tree = package(&[
        (
            "src/lib.rs",
            "#[macro_export] macro_rules! item { ($n:ident) => { fn $n() {} } }\nmystery! { x }\nwrapper! { fn wrapped() {} }",
        ),
        ("src/main.rs", "use p::item as make; make!(by_import); p::item!(by_path); fn main() {}"),
    ]);
    let group = load_tree(&tree);
    assert_eq!(group.opaque_macros, 1);
    let main = outline(&tree, &group, &group.crates[1]);
    assert_eq!(main, ["crate src/main.rs: _ main by_import by_path"]);
    let lib = outline(&tree, &group, &group.crates[0]);
    assert_eq!(lib, ["crate src/lib.rs: item wrapped _"]);
}

#[test]
fn a_module_without_a_file_is_told_with_its_line() {
    let tree = package(&[
        ("src/lib.rs", "fn f() {}\nmod missing;\n#[cfg(windows)]\nmod absent;\nmod round;"),
        ("src/round.rs", "#[path = \"round.rs\"]\nmod again;"),
    ]);
    let group = load_tree(&tree);
    let lines: Vec<(u32, u32, bool)> = group.errors.iter().map(|e| (e.line, e.column, e.fatal)).collect();
    assert_eq!(lines, [(2, 5, false), (2, 5, false)], "{:?}", group.errors);
    assert!(group.errors[0].message.contains("missing"));
    assert!(group.errors[1].message.contains("itself"));
}

#[test]
fn syntax_errors_and_bad_text_cost_little() {
    let tree = package(&[
        ("src/lib.rs", "mod good;\nmod bad;\nfn before() {}\nfn ( {}\n"),
        ("src/good.rs", "fn g() {}"),
    ]);
    tree.write("src/bad.rs", b"fn f() {}\xff");
    let group = load_tree(&tree);
    assert_eq!(group.errors.len(), 2, "{:?}", group.errors);
    assert!(group.errors[0].file.ends_with("bad.rs"));
    assert_eq!(group.errors[1].line, 4);
    assert!(outline(&tree, &group, &group.crates[0])[0].contains("before"));
}

#[test]
fn a_file_of_several_crates_is_loaded_once() {
    let tree = package(&[
        ("src/lib.rs", ""),
        ("tests/a.rs", "mod common;"),
        ("tests/b.rs", "mod common;"),
        ("tests/common/mod.rs", "fn shared() {}"),
    ]);
    let group = load_tree(&tree);
    assert_eq!(group.files.len(), 4);
    for krate in &group.crates[1..] {
        assert_eq!(krate.root.children[0].items.len(), 1);
    }
}

#[test]
fn files_that_no_module_names_are_crates_of_their_own() {
    let lib = "mod a; #[cfg_attr(unix, path = \"unix.rs\")] #[cfg_attr(windows, path = \"windows.rs\")] mod sys;\n\
        #[cfg(loom)] wrapper! { mod loom; } #[cfg_attr(has_x, path = \"from_build_script.rs\")] mod x;";
    let tree = package(&[
        ("src/lib.rs", lib),
        ("src/a.rs", ""),
        ("src/lost.rs", "mod below;"),
        ("src/below.rs", "mod nowhere;"),
        ("src/unix.rs", ""),
        ("src/windows.rs", ""),
        ("src/loom.rs", "mod deep;"),
        ("src/loom/deep.rs", ""),
        ("src/from_build_script.rs", ""),
    ]);
    let group = load_tree(&tree);
    let roots: Vec<String> = group.crates.iter().map(|krate| tree.relative(&krate.source.root)).collect();
    assert_eq!(group.errors, []);
    assert_eq!(roots, ["src/lib.rs", "src/lost.rs"]);
    assert_eq!(group.crates[0].root.children.len(), 3);
    assert_eq!(group.crates[1].root.children.len(), 1);
}
