//! Which functions a call may enter.

use super::Asked;
use crate::hir::Name;
use crate::resolve::{TraitId, TraitKey, Ty};

#[test]
fn inherent_methods_hide_trait_methods() {
    let asked = Asked::of(
        "struct S<T>(T); trait Go { fn go(&self); fn other(&self) {} }
         impl<T> S<T> { fn go(&self) {} fn make() {} }
         impl<T> Go for S<T> { fn go(&self) {} }
         fn f(x: S<u8>) {}",
    );
    let ty = asked.param_ty("f");
    assert_eq!(asked.methods(&ty, "go"), ["S<T>::go [T=u8]"]);
    assert_eq!(asked.methods(&ty, "other"), ["Go::other [Self=S<u8>]"]);
    assert_eq!(asked.methods(&ty, "make"), [""; 0]);
    assert_eq!(asked.0.assoc_fns(&ty, None, Name::new("make")).len(), 1);
    assert_eq!(asked.methods(&Ty::reference(false, ty), "go"), [""; 0]);
}

#[test]
fn impls_are_told_apart_by_arguments() {
    let asked = Asked::of(
        "struct W<T>(T); impl W<u8> { fn name(&self) {} } impl W<bool> { fn name(&mut self) {} }
         fn f(x: W<bool>) {} fn g(x: W<_>) {}",
    );
    assert_eq!(asked.methods(&asked.param_ty("f"), "name"), ["W<bool>::name"]);
    assert_eq!(asked.methods(&asked.param_ty("g"), "name"), ["W<u8>::name", "W<bool>::name"]);
}

#[test]
fn blanket_impls_respect_bounds_of_the_group() {
    let asked = Asked::of(
        "trait Base {} trait Ext { fn ext(&self) {} } struct Yes; struct No;
         impl Base for Yes {} impl<T: Base> Ext for T {}
         fn f(x: Yes) {} fn g(x: No) {} fn h<P: Base>(x: P) {} fn i<P>(x: P) {}",
    );
    assert_eq!(asked.methods(&asked.param_ty("f"), "ext"), ["Ext::ext [Self=Yes]"]);
    assert_eq!(asked.methods(&asked.param_ty("g"), "ext"), [""; 0]);
    assert_eq!(asked.methods(&asked.param_ty("h"), "ext"), ["Ext::ext [Self=P]"]);
    assert_eq!(asked.methods(&asked.param_ty("i"), "ext"), [""; 0]);
}

#[test]
fn bounds_that_lead_to_each_other_end() {
    let tuple = |item: &str| vec![item; 16].join(", ");
    let params: Vec<String> = (0..16).map(|i| format!("T{i}")).collect();
    let blanket = format!("impl<T> Arg for T where ({}): Arg {{}}", tuple("T"));
    let bounded = params.iter().map(|p| format!("{p}: Arg")).collect::<Vec<_>>().join(", ");
    let asked = Asked::of(&format!(
        "trait Arg {{ fn arg(&self) {{}} }} struct S; {blanket} {blanket}
         impl<{bounded}> Arg for ({}) {{}}
         fn f(x: ({})) {{}}",
        params.join(", "),
        tuple("S"),
    ));
    assert_eq!(asked.methods(&asked.param_ty("f"), "arg").len(), 3);
}

#[test]
fn dyn_and_parameters_reach_all_impls() {
    let asked = Asked::of(
        "trait Super { fn id(&self); } trait Job: Super { fn run(&self) {} fn stop(&self); }
         struct A; struct B;
         impl Super for A { fn id(&self) {} } impl Super for B { fn id(&self) {} }
         impl Job for A { fn run(&self) {} fn stop(&self) {} } impl Job for B { fn stop(&self) {} }
         fn f(x: dyn Job) {} fn g<J: Job>(x: J) {}",
    );
    let dynamic = asked.param_ty("f");
    assert_eq!(asked.methods(&dynamic, "run"), ["A::run", "Job::run [Self=dyn Job]"]);
    assert_eq!(asked.methods(&dynamic, "stop"), ["A::stop", "B::stop"]);
    assert_eq!(asked.methods(&dynamic, "id"), ["A::id", "B::id"]);
    assert_eq!(asked.methods(&asked.param_ty("g"), "stop"), ["A::stop", "B::stop"]);
}

#[test]
fn library_types_have_the_group_s_methods() {
    let asked = Asked::of(
        "trait Sum { fn total(&self); } struct Mine;
         impl<T> Sum for Vec<T> { fn total(&self) {} } impl Sum for [u8] { fn total(&self) {} }
         impl Sum for u32 { fn total(&self) {} } impl<'a> Sum for &'a Mine { fn total(&self) {} }
         fn v(x: Vec<bool>) {} fn s(x: [u8]) {} fn p(x: u32) {} fn r(x: &Mine) {} fn q(x: i8) {}",
    );
    assert_eq!(asked.methods(&asked.param_ty("v"), "total"), ["std::vec::Vec<T>::total [T=bool]"]);
    assert_eq!(asked.methods(&asked.param_ty("s"), "total"), ["[u8]::total"]);
    assert_eq!(asked.methods(&asked.param_ty("p"), "total"), ["u32::total"]);
    assert_eq!(asked.methods(&asked.param_ty("r"), "total"), ["&Mine::total"]);
    assert_eq!(asked.methods(&asked.param_ty("q"), "total"), [""; 0]);
}

#[test]
fn library_traits_of_own_types() {
    let asked = Asked::of(
        "struct It; impl Iterator for It { type Item = u8; fn next(&mut self) -> Option<u8> { None } }
         struct D; impl Drop for D { fn drop(&mut self) {} }
         unsafe impl Send for It {} impl !Sync for It {}
         fn f(x: It) {}",
    );
    assert_eq!(asked.methods(&asked.param_ty("f"), "next"), ["It::next"]);
    let (it, d) = (super::AdtId(0), super::AdtId(1));
    assert_eq!(asked.0.drop_impl(d).map(|id| asked.fn_path(id)).as_deref(), Some("D::drop"));
    assert_eq!(asked.0.drop_impl(it), None);
    let send = TraitKey::Ext(Name::new("std::marker::Send"));
    assert_eq!(asked.0.impls_of(send).len(), 1);
    assert_eq!(asked.0.impls(send, &asked.param_ty("f")).len(), 1);
}

#[test]
fn trait_paths_and_constants() {
    let asked = Asked::of(
        "trait Limit { const MAX: u8 = 1; fn get() -> u8; } struct A; struct B;
         impl Limit for A { const MAX: u8 = 2; fn get() -> u8 { Self::MAX } } impl Limit for B { fn get() -> u8 { 0 } }
         fn f(a: A) { A::get(); <A as Limit>::get(); Limit::get(); } fn g(b: B) {}",
    );
    assert_eq!(asked.path("f", "A::get"), "<A>::get");
    assert_eq!(asked.path("f", "<A as Limit>::get"), "<A as Limit>::get");
    assert_eq!(asked.path("f", "Limit::get"), "trait Limit::get");
    let max = |f: &str| asked.0.assoc_const(&asked.param_ty(f), Name::new("MAX")).map(|id| id.0);
    assert_eq!((max("f"), max("g")), (Some(1), Some(0)));
    assert_eq!(asked.0.impls_of(TraitKey::Local(TraitId(0))).len(), 2);
}

#[test]
fn methods_of_associated_types_by_their_bounds() {
    let asked = Asked::of(
        "trait Node { fn visit(&self); } struct N; impl Node for N { fn visit(&self) {} }
         trait Graph { type Root: Node; } fn f<G: Graph>(x: G::Root) {}",
    );
    assert_eq!(asked.methods(&asked.param_ty("f"), "visit"), ["N::visit"]);
}

#[test]
fn generic_traits_match_by_argument() {
    let asked = Asked::of(
        "trait Handle<M> { fn handle(&self, m: M); } struct A;
         impl Handle<u8> for A { fn handle(&self, m: u8) {} } impl Handle<bool> for A { fn handle(&self, m: bool) {} }
         fn f(x: dyn Handle<bool>) {} fn g(a: A) { <A as Handle<u8>>::handle(); }",
    );
    let found = asked.0.methods(&asked.param_ty("f"), Name::new("handle"));
    assert_eq!(found.len(), 1);
    assert_eq!(asked.0.sig(found[0].id).params, [Ty::Prim(Name::new("bool"))]);
}
