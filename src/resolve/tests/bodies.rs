//! What names mean in bodies: locals, patterns, items of blocks.

use super::Asked;
use crate::hir::Name;

#[test]
fn lets_shadow_after_their_statement() {
    let asked = Asked::of(
        "static X: u8 = 0;
         fn f(a: u8) { let b = X; let X1 = a; let a = a + b; { let a = 3; a; } a; }",
    );
    assert_eq!(asked.path("f", "X"), "static X");
    assert_eq!(asked.path("f", "a"), "local #3");
    let body = asked.body_of("f");
    let names: Vec<&str> = body.locals.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "X1", "a", "a"]);
}

#[test]
fn self_is_the_first_local() {
    let asked = Asked::of("struct S(u8); impl S { fn f(&self, n: u8) { self; n; Self(n); } }");
    assert_eq!(asked.path("f", "self"), "local #0");
    assert_eq!(asked.path("f", "n"), "local #1");
    assert_eq!(asked.path("f", "Self"), "shape S");
}

#[test]
fn conditions_bind_in_chain_and_block() {
    let asked = Asked::of(
        "static y: u8 = 0;
         fn f(a: u8) { if let Some(x) = a && let Some(z) = x && z == 1 { x; } while let Some(w) = a { w; } y; }
         fn g(a: u8) { if let Some(q) = a { q; } else { q; } }",
    );
    assert_eq!(asked.path("f", "x"), "local #1");
    assert_eq!(asked.path("f", "z"), "local #2");
    assert_eq!(asked.path("f", "w"), "local #3");
    assert_eq!(asked.path("f", "y"), "static y");
    assert_eq!(asked.path("g", "q"), "?");
}

#[test]
fn closures_and_loops_have_scopes_of_their_own() {
    let asked = Asked::of("fn f(n: u8) { let g = |n, (a, b)| n + a + b; for n in n { n; } n; }");
    assert_eq!(asked.path("f", "a"), "local #2");
    assert_eq!(asked.path("f", "n"), "local #0");
}

#[test]
fn patterns_name_constants_and_variants() {
    let asked = Asked::of(
        "const LIMIT: u8 = 1; static S: u8 = 2; struct Unit; enum E { A, B(u8), C { n: u8 } } use E::A;
         fn f(x: E) { match x { A => 1, LIMIT => 2, Unit => 3, None => 4, E::B(n) | E::C { n } => n, other => 5 }; }",
    );
    assert_eq!(
        asked.patterns("f"),
        [
            "shape E::A",
            "const LIMIT",
            "shape Unit",
            "ext std::option::Option::None",
            "shape E::B",
            "local n#1",
            "shape E::C",
            "local n#1",
            "local other#2",
        ]
    );
}

#[test]
fn functions_are_no_constants() {
    let asked = Asked::of("use std::thread::spawn; fn go() {} fn f() { if let (spawn, go) = 1 { spawn; } }");
    assert_eq!(asked.patterns("f"), ["local spawn#0", "local go#1"]);
}

#[test]
fn parameters_patterns_are_resolved() {
    let asked = Asked::of("struct P { x: u8, y: u8 } fn f(P { x, y }: P, (a, _): (u8, u8)) { x; a; }");
    assert_eq!(asked.path("f", "x"), "local #0");
    assert_eq!(asked.path("f", "a"), "local #2");
    let body = asked.body_of("f");
    let def = asked.0.fn_def(asked.fn_id("f"));
    let mut shown = Vec::new();
    asked.pattern(&body, &def.item.params[0].pat, &mut shown);
    assert_eq!(shown[0], "shape P");
}

#[test]
fn items_of_blocks() {
    let asked = Asked::of(
        "mod m { pub static LAST: u8 = 0; }
         fn next(count: u8) {
             use m::LAST as Before;
             static LAST: u8 = 1;
             fn helper() { static DEEP: u8 = 2; fn inner() { DEEP; LAST; } }
             Before; LAST; helper();
             { const count: u8 = 3; count; }
             count;
         }
         fn outside() { helper(); }",
    );
    assert_eq!(asked.path("next", "LAST"), "static LAST");
    assert_eq!(asked.path("next", "Before"), "static m::LAST");
    assert_eq!(asked.path("next", "helper"), "fn helper");
    assert_eq!(asked.path("next", "count"), "local #0");
    assert_eq!(asked.path("inner", "DEEP"), "static DEEP");
    assert_eq!(asked.path("inner", "LAST"), "static LAST");
    assert_eq!(asked.path("outside", "helper"), "?");
    let statics: Vec<&str> = asked.0.statics.iter().map(|s| s.path.as_str()).collect();
    assert_eq!(statics, ["m::LAST", "LAST", "DEEP"]);
}

#[test]
fn items_shadow_locals_around_their_block() {
    let asked = Asked::of("fn f(x: u8) { { fn x() {} x; } { let x = 1; fn x() {} x } }");
    assert_eq!(asked.path("f", "x"), "local #1");
    let body = asked.body_of("f");
    let first = asked.show(body.path(crate::hir::PathId(0)));
    assert_eq!(first, "fn x");
}

#[test]
fn a_static_of_a_generic_function_is_one() {
    let asked = Asked::of("fn count<T>(t: T) { static N: u8 = 0; fn own<T>(t: T) {} N; T::default(); }");
    assert_eq!(asked.0.statics.len(), 1);
    assert_eq!(asked.path("count", "N"), "static N");
    assert_eq!(asked.path("count", "T::default"), "<T>::default");
}

#[test]
fn impls_in_bodies_count_everywhere() {
    let asked = Asked::of("struct S; fn setup() { impl S { fn late(&self) {} } } fn f(s: S) {}");
    assert_eq!(asked.methods(&asked.param_ty("f"), "late"), ["S::late"]);
}

#[test]
fn items_in_initializers() {
    let asked = Asked::of("static S: u8 = { fn seed() -> u8 { 1 } seed() };");
    let init = asked.0.static_init(super::StaticId(0)).expect("initializer");
    assert_eq!(asked.show(init.path(crate::hir::PathId(0))), "fn seed");
}

#[test]
fn macros_make_items() {
    let asked = Asked::of(
        "macro_rules! counter { ($name:ident, $f:ident) => { static $name: u8 = 0; fn $f() { $name; } } }
         counter!(HITS, hit);
         fn f() { counter!(LOCAL, local); LOCAL; local(); HITS; hit(); }",
    );
    assert_eq!(asked.path("hit", "HITS"), "static HITS");
    assert_eq!(asked.path("f", "HITS"), "static HITS");
    assert_eq!(asked.path("f", "LOCAL"), "static LOCAL");
    assert_eq!(asked.path("f", "local"), "fn local");
}

#[test]
fn thread_locals_of_a_body() {
    let asked = Asked::of("fn f() { thread_local! { static SEED: u8 = 1; } SEED; }");
    assert_eq!(asked.path("f", "SEED"), "static SEED");
    assert_eq!(asked.0.statics[0].item.storage, crate::hir::StaticKind::ThreadLocal);
}

#[test]
fn const_parameters_are_values() {
    let asked = Asked::of("fn f<const N: usize>() { N; }");
    assert_eq!(asked.path("f", "N"), "const param N");
}

#[test]
fn types_in_bodies() {
    let asked = Asked::of(
        "struct Pair<A, B = u8>(A, B);
         fn f<T>() { let a: Pair<T> = 1; let b = 2 as *mut [Option<&T>; 3]; let c: Box<dyn Fn(u8) -> T> = 3; }",
    );
    let body = asked.body_of("f");
    let block = match &body.body.expr(body.body.root).kind {
        crate::hir::ExprKind::Block(block) => block,
        other => panic!("{other:?}"),
    };
    let mut shown = Vec::new();
    for stmt in &block.stmts {
        let crate::hir::Stmt::Let { ty, init, .. } = stmt else { panic!("no let") };
        let cast = init.and_then(|e| match &body.body.expr(e).kind {
            crate::hir::ExprKind::Cast { ty, .. } => Some(ty),
            _ => None,
        });
        let ty = ty.as_ref().or(cast).expect("a type");
        shown.push(asked.show_ty(&asked.0.type_in(&body, ty)));
    }
    assert_eq!(
        shown,
        [
            "Pair<T, u8>",
            "*mut [std::option::Option<&T>; _]",
            "std::boxed::Box<dyn std::ops::Fn<(u8), Output = T>>"
        ]
    );
    assert_eq!(body.locals[2].name, Name::new("c"));
}
