//! Discovery over small trees: which groups, which crates in them, which focus.

use super::*;
use crate::project::testing::Tree;
use crate::project::{Dependency, TargetKind};

fn run(tree: &Tree, paths: &[&str]) -> Discovery {
    let paths: Vec<PathBuf> = paths.iter().map(|path| tree.root().join(path)).collect();
    discover(&paths, &Options::default())
}

/// The groups, each as `kind name file` of its crates.
fn groups(tree: &Tree, discovery: &Discovery) -> Vec<Vec<String>> {
    let line =
        |k: &crate::project::CrateSource| format!("{:?} {} {}", k.kind, k.name, tree.relative(&k.root));
    discovery.groups.iter().map(|group| group.crates.iter().map(line).collect()).collect()
}

/// `name = file or package` of a crate's dependencies.
fn links(tree: &Tree, group: &Group, name: &str) -> Vec<String> {
    let krate = group.crates.iter().find(|k| k.name == name).expect("crate");
    let meaning = |d: &Dependency| match d {
        Dependency::Crate(id) => tree.relative(&group.crates[id.0 as usize].root),
        Dependency::External { package, version } => {
            format!("{package} {}", version.as_deref().unwrap_or("*"))
        }
    };
    krate.dependencies.iter().map(|(name, d)| format!("{name} = {}", meaning(d))).collect()
}

const WORKSPACE: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nedition = \"2024\"\n\
         [workspace.dependencies]\nbase = { package = \"the-base\", path = \"crates/base\" }\n",
    ),
    (
        "crates/app/Cargo.toml",
        "[package]\nname = \"app\"\nedition.workspace = true\n[dependencies]\nbase.workspace = true\n\
         [dev-dependencies]\nserde_json = \"1\"\n[build-dependencies]\ncc = \"1\"\n",
    ),
    ("crates/app/src/main.rs", "mod part;"),
    ("crates/app/src/part.rs", ""),
    ("crates/app/build.rs", ""),
    ("crates/base/Cargo.toml", "[package]\nname = \"the-base\"\n[lib]\nname = \"based\"\n"),
    ("crates/base/src/lib.rs", ""),
    ("crates/base/tests/t.rs", "mod common;"),
    ("crates/base/tests/common/mod.rs", ""),
    ("crates/alone/Cargo.toml", "[package]\nname = \"alone\"\n"),
    ("crates/alone/src/lib.rs", ""),
    ("scripts/x.rs", ""),
];

#[test]
fn a_workspace_makes_a_group_of_what_links() {
    let tree = Tree::new(WORKSPACE);
    let found = run(&tree, &[""]);
    assert_eq!(found.errors, []);
    assert_eq!(
        groups(&tree, &found),
        [
            vec!["Lib alone crates/alone/src/lib.rs"],
            vec![
                "Bin app crates/app/src/main.rs",
                "BuildScript build_script_build crates/app/build.rs",
                "Lib based crates/base/src/lib.rs",
                "Test t crates/base/tests/t.rs",
            ],
        ]
    );
    let group = &found.groups[1];
    assert_eq!(links(&tree, group, "app"), ["base = crates/base/src/lib.rs", "serde_json = serde_json 1"]);
    assert_eq!(links(&tree, group, "build_script_build"), ["cc = cc 1"]);
    assert_eq!(links(&tree, group, "t"), ["based = crates/base/src/lib.rs"]);
    assert_eq!(group.crates[0].edition, crate::hir::Edition::E2024);
    assert_eq!(group.crates[2].edition, crate::hir::Edition::E2015);
    assert!(group.focus.is_empty());
}

#[test]
fn a_path_inside_a_package_brings_the_package_and_its_group() {
    let tree = Tree::new(WORKSPACE);
    for path in ["crates/base/tests/common", "crates/base/src", "crates/base/src/lib.rs", "crates/base"] {
        let found = run(&tree, &[path]);
        assert_eq!(found.errors, []);
        assert_eq!(found.groups.len(), 1, "{path}");
        let group = &found.groups[0];
        assert_eq!(group.crates.len(), 4, "{path}");
        assert_eq!(group.focus, [tree.root().join(path)]);
        let inside = tree.root().join(path).join("x.rs");
        assert!(group.in_focus(&inside.to_string_lossy()));
        assert!(!group.in_focus(&tree.root().join("crates/app/src/main.rs").to_string_lossy()));
    }
}

#[test]
fn files_that_no_target_reaches_are_loose_when_named() {
    let tree = Tree::new(WORKSPACE);
    assert_eq!(groups(&tree, &run(&tree, &["scripts/x.rs"])), [["Loose x scripts/x.rs"]]);
    let package = Tree::new(&[
        ("Cargo.toml", "[package]\nname = \"p\"\n"),
        ("src/lib.rs", ""),
        ("fixtures/a.rs", "mod helper;"),
        ("fixtures/helper.rs", ""),
        ("fixtures/b/main.rs", ""),
        ("fixtures/own/Cargo.toml", "[package]\nname = \"own\"\n[workspace]\n"),
        ("fixtures/own/src/main.rs", ""),
    ]);
    assert_eq!(
        groups(&package, &run(&package, &["fixtures"])),
        [["Loose a fixtures/a.rs"], ["Loose b fixtures/b/main.rs"], ["Bin own fixtures/own/src/main.rs"]]
    );
    assert_eq!(
        groups(&package, &run(&package, &[""])),
        [["Bin own fixtures/own/src/main.rs"], ["Lib p src/lib.rs"]]
    );
}

#[test]
fn unrelated_packages_are_groups_of_their_own() {
    let tree = Tree::new(&[
        ("a-1.0/Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n"),
        ("a-1.0/src/lib.rs", ""),
        ("b-1.0/Cargo.toml", "[package]\nname = \"b\"\n"),
        ("b-1.0/src/lib.rs", ""),
        ("loose.rs", ""),
    ]);
    let found = run(&tree, &[""]);
    assert_eq!(
        groups(&tree, &found),
        [["Lib a a-1.0/src/lib.rs"], ["Lib b b-1.0/src/lib.rs"], ["Loose loose loose.rs"]]
    );
    assert_eq!(links(&tree, &found.groups[0], "a"), ["b = b 1"]);
}

#[test]
fn the_folder_of_a_broken_manifest_holds_loose_files() {
    let tree = Tree::new(&[
        ("Cargo.toml", "[package]\nname = \"p\"\n"),
        ("src/lib.rs", ""),
        ("bad/Cargo.toml", "[package]\nname =\n"),
        ("bad/src/main.rs", "mod m;"),
        ("bad/src/m.rs", ""),
    ]);
    let found = run(&tree, &[""]);
    assert_eq!(groups(&tree, &found), [["Loose src bad/src/main.rs"], ["Lib p src/lib.rs"]]);
    assert_eq!(found.errors.len(), 1);
    assert!(found.errors[0].file.ends_with("bad/Cargo.toml") && found.errors[0].line == 2);
    assert!(!found.errors[0].fatal);
}

#[test]
fn what_is_not_there_is_fatal() {
    let tree = Tree::new(&[("notes.txt", "")]);
    let found = run(&tree, &["nowhere"]);
    assert!(found.errors.len() == 1 && found.errors[0].fatal, "{:?}", found.errors);
    let found = run(&tree, &[""]);
    assert!(found.errors.len() == 1 && found.errors[0].fatal, "{:?}", found.errors);
}

#[test]
fn options_leave_targets_out() {
    let tree = Tree::new(WORKSPACE);
    let base = [tree.root().join("crates/base")];
    let no_tests = discover(&base, &Options { no_tests: true, ..Options::default() });
    assert!(no_tests.groups[0].crates.iter().all(|krate| krate.kind != TargetKind::Test));
    let exclude = Options { exclude: vec!["crates/app".to_owned()], ..Options::default() };
    assert_eq!(discover(&base, &exclude).groups[0].crates.len(), 2);
}

#[test]
fn files_beside_the_targets_are_candidates() {
    let tree = Tree::new(&[
        ("Cargo.toml", "[package]\nname = \"p\"\nedition = \"2018\"\n"),
        ("src/lib.rs", "mod a;"),
        ("src/a.rs", ""),
        ("src/lost.rs", ""),
        ("src/inner/Cargo.toml", "[package]\nname = \"q\"\n[workspace]\n"),
        ("src/inner/src/lib.rs", ""),
        ("other/not_src.rs", ""),
    ]);
    let found = run(&tree, &[""]);
    let group = found.groups.iter().find(|group| group.crates[0].name == "p").expect("group");
    let unnamed: Vec<String> = group.unnamed[0].files.iter().map(|file| tree.relative(file)).collect();
    assert_eq!(unnamed, ["src/a.rs", "src/lost.rs"]);
    assert_eq!(group.unnamed[0].like.edition, crate::hir::Edition::E2018);
    assert_eq!(links(&tree, group, "p"), Vec::<String>::new());
}
