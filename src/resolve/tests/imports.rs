//! What names mean in modules: declarations, imports, crates.

use super::{Asked, Source};
use crate::hir::Edition;

#[test]
fn renames_and_nested_groups() {
    let asked = Asked::of(
        "mod stats { pub static HITS: u32 = 0; pub mod inner { pub fn bump() {} } }
         use stats::{HITS as H, inner::{self, bump as b}};
         fn f() { H; b(); inner::bump(); crate::stats::HITS; self::stats::inner::bump(); }",
    );
    assert_eq!(asked.path("f", "H"), "static stats::HITS");
    assert_eq!(asked.path("f", "b"), "fn stats::inner::bump");
    assert_eq!(asked.path("f", "inner::bump"), "fn stats::inner::bump");
    assert_eq!(asked.path("f", "crate::stats::HITS"), "static stats::HITS");
    assert_eq!(asked.path("f", "self::stats::inner::bump"), "fn stats::inner::bump");
}

#[test]
fn globs_follow_reexports_and_cycles() {
    let asked = Asked::of(
        "mod a { pub use crate::b::*; pub fn from_a() {} }
         mod b { pub use crate::a::*; pub use crate::deep::hidden::X; }
         mod deep { pub mod hidden { pub static X: u8 = 0; } }
         use a::*;
         fn f() { X; from_a(); }",
    );
    assert_eq!(asked.path("f", "X"), "static deep::hidden::X");
    assert_eq!(asked.path("f", "from_a"), "fn a::from_a");
}

#[test]
fn explicit_names_beat_globs() {
    let asked = Asked::of(
        "mod a { pub fn go() {} pub fn other() {} }
         mod b { pub fn go() {} }
         use a::*;
         use b::go;
         fn other() {}
         fn f() { go(); other(); }",
    );
    assert_eq!(asked.path("f", "go"), "fn b::go");
    assert_eq!(asked.path("f", "other"), "fn other");
}

#[test]
fn globs_bring_private_names_to_children_only() {
    let asked = Asked::of(
        "use std::thread;
         fn secret() {}
         mod child { use super::*; fn f() { secret(); thread::spawn(); } }
         mod a { fn closed() {} }
         mod b { use crate::a::*; fn g() { closed(); } }",
    );
    assert_eq!(asked.path("f", "secret"), "fn secret");
    assert_eq!(asked.path("f", "thread::spawn"), "ext std::thread::spawn");
    assert_eq!(asked.path("g", "closed"), "?");
}

#[test]
fn private_globs_lead_on_to_each_other() {
    let asked = Asked::of(
        "mod a { pub static A: u8 = 0; pub mod sub { pub fn deep() {} } }
         use a::*;
         mod b { use super::*; mod c { use super::*; fn f() { A; sub::deep(); here(); } } fn here() {} }
         mod d { pub(crate) use super::*; }
         mod e { use crate::d::A as Renamed; fn g() { Renamed; crate::d::A; } }
         fn h() { use b::*; A; }",
    );
    assert_eq!(asked.path("f", "A"), "static a::A");
    assert_eq!(asked.path("f", "sub::deep"), "fn a::sub::deep");
    assert_eq!(asked.path("f", "here"), "fn b::here");
    assert_eq!(asked.path("g", "Renamed"), "static a::A");
    assert_eq!(asked.path("g", "crate::d::A"), "static a::A");
    assert_eq!(asked.path("h", "A"), "static a::A");
}

#[test]
fn namespaces_are_apart() {
    let asked = Asked::of(
        "mod m { pub struct Item { pub n: u8 } #[allow(non_snake_case)] pub fn Item() {} }
         use m::Item;
         fn f() { Item(); Item { n: 1 }; }",
    );
    assert_eq!(asked.path("f", "Item"), "shape Item");
    let body = asked.body_of("f");
    let called = body.body.exprs.iter().find_map(|e| match &e.kind {
        crate::hir::ExprKind::Path(path) => Some(asked.show(body.res(path))),
        _ => None,
    });
    assert_eq!(called.as_deref(), Some("fn m::Item"));
}

#[test]
fn enum_variants_by_import_and_glob() {
    let asked = Asked::of(
        "enum Job { Stop, Run(u8), Wait { ms: u32 } }
         mod a { use super::Job::*; fn f() { Stop; Run(1); Wait { ms: 2 }; } }
         mod b { use crate::Job::Run as Go; fn g() { Go(1); super::Job::Stop; } }",
    );
    assert_eq!(asked.path("f", "Stop"), "shape Job::Stop");
    assert_eq!(asked.path("f", "Run"), "shape Job::Run");
    assert_eq!(asked.path("f", "Wait"), "shape Job::Wait");
    assert_eq!(asked.path("g", "Go"), "shape Job::Run");
    assert_eq!(asked.path("g", "super::Job::Stop"), "shape Job::Stop");
}

#[test]
fn library_paths_are_canonical() {
    let asked = Asked::of(
        "use core::sync::atomic::{AtomicUsize as Counter, Ordering};
         use std::mem;
         use anyhow::anyhow;
         fn f() {
             Counter::new(0); Ordering::SeqCst; mem::swap(); std::thread::Builder::new();
             Vec::<u8>::with_capacity(3); Some(1); u32::MAX; i64::from_str_radix(); Default::default();
             anyhow::Error::msg(); anyhow();
         }",
    );
    assert_eq!(asked.path("f", "Counter::new"), "<std::sync::atomic::AtomicUsize>::new");
    assert_eq!(asked.path("f", "Ordering::SeqCst"), "ext std::sync::atomic::Ordering::SeqCst");
    assert_eq!(asked.path("f", "mem::swap"), "ext std::mem::swap");
    assert_eq!(asked.path("f", "std::thread::Builder::new"), "<std::thread::Builder>::new");
    assert_eq!(asked.path("f", "Vec::<u8>::with_capacity"), "<std::vec::Vec<u8>>::with_capacity");
    assert_eq!(asked.path("f", "Some"), "ext std::option::Option::Some");
    assert_eq!(asked.path("f", "u32::MAX"), "<u32>::MAX");
    assert_eq!(asked.path("f", "i64::from_str_radix"), "<i64>::from_str_radix");
    assert_eq!(asked.path("f", "Default::default"), "trait std::default::Default::default");
    assert_eq!(asked.path("f", "anyhow::Error::msg"), "<anyhow::Error>::msg");
    assert_eq!(asked.path("f", "anyhow"), "ext anyhow::anyhow");
}

#[test]
fn library_globs_bring_what_models_know() {
    let asked = Asked::of(
        "use ext::prelude::*; use std::sync::atomic::Ordering::*; fn f() { run(); Par::new(); SeqCst; unknown(); }",
    );
    assert_eq!(asked.path("f", "run"), "ext ext::run");
    assert_eq!(asked.path("f", "Par::new"), "<ext::iter::Par>::new");
    assert_eq!(asked.path("f", "SeqCst"), "ext std::sync::atomic::Ordering::SeqCst");
    assert_eq!(asked.path("f", "unknown"), "?");
}

#[test]
fn crates_of_the_group_are_entered() {
    let util = Source {
        name: "util",
        edition: Edition::E2018,
        uses: &[],
        libraries: &[],
        text: "pub mod pool { pub fn start() {} fn private() {} } pub use pool::start as begin;",
    };
    let app = Source {
        name: "app",
        edition: Edition::E2021,
        uses: &[("helpers", 0)],
        libraries: &[("par", "rayon-core")],
        text: "use helpers::pool; fn f() { pool::start(); helpers::begin(); ::helpers::begin(); par::join(); }",
    };
    let asked = Asked::of_crates(&[util, app]);
    for path in ["pool::start", "helpers::begin", "::helpers::begin"] {
        assert_eq!(asked.path("f", path), "fn pool::start", "{path}");
    }
    assert_eq!(asked.path("f", "par::join"), "ext rayon_core::join");
}

#[test]
fn dollar_crate_is_the_macro_s_crate() {
    let util = Source {
        name: "util",
        edition: Edition::E2021,
        uses: &[],
        libraries: &[],
        text: "pub mod stats { pub static HITS: u8 = 0; pub fn one() {} }
               #[macro_export] macro_rules! hit { () => { { use $crate::stats::one; one(); $crate::stats::HITS } } }",
    };
    let app = Source {
        name: "app",
        edition: Edition::E2021,
        uses: &[("util", 0)],
        libraries: &[],
        text: "mod stats { pub static HITS: u8 = 0; pub fn one() {} } fn f() { util::hit!(); } fn g() { crate::stats::one(); }",
    };
    let asked = Asked::of_crates(&[util, app]);
    let body = asked.body_of("f");
    let called: Vec<String> =
        (0..body.body.path_count).map(|i| asked.show_in_crate(body.path(crate::hir::PathId(i)))).collect();
    assert_eq!(called, ["util fn stats::one", "util static stats::HITS"]);
    assert_eq!(asked.path("g", "crate::stats::one"), "fn stats::one");
}

#[test]
fn edition_2015_imports_start_at_the_root() {
    let old = Source {
        name: "old",
        edition: Edition::E2015,
        uses: &[],
        libraries: &[("crossbeam", "crossbeam")],
        text: "extern crate crossbeam as cb;
               use std::sync::Arc;
               mod a { pub fn go() {} }
               mod b { use a::go; use cb::scope; fn f() { go(); ::a::go(); scope(); ::std::mem::drop(); } }
               fn g() { Arc::new(1); std::mem::drop(); }",
    };
    let asked = Asked::of_crates(&[old]);
    assert_eq!(asked.path("f", "go"), "fn a::go");
    assert_eq!(asked.path("f", "::a::go"), "fn a::go");
    assert_eq!(asked.path("f", "scope"), "ext crossbeam::scope");
    assert_eq!(asked.path("f", "::std::mem::drop"), "ext std::mem::drop");
    assert_eq!(asked.path("g", "Arc::new"), "<std::sync::Arc>::new");
}

#[test]
fn of_test_and_other_items_the_other_is_named() {
    let asked = Asked::of(
        "#[cfg(test)] mod clock { pub fn now() {} }
         #[cfg(not(test))] mod clock { pub fn now() {} }
         #[cfg(test)] use clock as c;
         fn f() { clock::now(); }",
    );
    let id = asked.0.fns.iter().position(|f| f.name == "now" && f.when == crate::project::cfg::When::NotTest);
    let body = asked.body_of("f");
    let res = body.path(crate::hir::PathId(0));
    assert_eq!(*res, super::Res::Fn(super::FnId(id.expect("fn") as u32), super::ty::no_args()));
}

#[test]
fn public_means_reachable_from_outside() {
    let asked = Asked::of(
        "mod inner { pub fn shown() {} pub fn hidden() {} pub struct S; impl S { pub fn m(&self) {} fn p(&self) {} } }
         pub use inner::{shown, S};
         pub mod open { pub(crate) fn internal() {} pub static T: u8 = 0; }
         pub trait Act { fn act(&self); }
         impl Act for inner::S { fn act(&self) {} }",
    );
    let public: Vec<&str> = asked.0.fns.iter().filter(|f| f.public).map(|f| f.name.as_str()).collect();
    assert_eq!(public, ["act", "act", "shown", "m"]);
    assert!(asked.0.statics[0].public);
}

#[test]
fn attributes_are_named_through_imports() {
    let asked =
        Asked::of("use ext::test as t; fn inline() {} #[t] #[inline] #[ext::main(flavor = 1)] fn f() {}");
    let names = asked.0.fn_attr_paths(asked.fn_id("f"));
    assert_eq!(names.iter().map(|n| n.as_str()).collect::<Vec<_>>(), ["ext::test", "inline", "ext::main"]);
}
