//! Types of declarations.

use super::Asked;
use crate::hir::Name;
use crate::resolve::Ty;

fn ret(asked: &Asked, function: &str) -> String {
    asked.show_ty(&asked.0.sig(asked.fn_id(function)).ret)
}

fn param(asked: &Asked, function: &str) -> String {
    asked.show_ty(&asked.param_ty(function))
}

#[test]
fn aliases_expand_in_any_order() {
    let asked = Asked::of(
        "use std::sync::Arc;
         type Shared<T> = Handle<Vec<T>>; type Handle<T> = Arc<T>; type Own = Own2; type Own2 = Own;
         enum E { A } type Alias = E;
         fn f(x: Shared<u8>) -> Own {} fn g() { Alias::A; Handle::new(1); }",
    );
    assert_eq!(param(&asked, "f"), "std::sync::Arc<std::vec::Vec<u8>>");
    assert_eq!(ret(&asked, "f"), "_");
    assert_eq!(asked.path("g", "Alias::A"), "shape E::A");
    assert_eq!(asked.path("g", "Handle::new"), "<std::sync::Arc<_>>::new");
}

#[test]
fn doubling_aliases_are_cut() {
    let mut text = String::from("type T0 = (u8, u8);");
    for i in 1..40 {
        text.push_str(&format!("type T{i} = (T{0}, T{0});", i - 1));
    }
    text.push_str("fn f(x: T39) {}");
    assert!(param(&Asked::of(&text), "f").len() < 4000);
}

#[test]
fn impl_trait_is_a_parameter_or_its_bounds() {
    let asked = Asked::of(
        "trait Job { fn run(&self); }
         fn f(x: &impl Job) -> impl Job + Send { x }",
    );
    let Ty::Ref { inner, .. } = asked.param_ty("f") else { panic!("no reference") };
    let Ty::Param(anonymous) = *inner else { panic!("no parameter") };
    let def = asked.0.fn_def(asked.fn_id("f"));
    assert_eq!(def.generics, [anonymous]);
    assert_eq!(asked.show_trait(&asked.0.params[anonymous.index()].bounds[0]), "Job");
    assert_eq!(ret(&asked, "f"), "dyn Job + std::marker::Send");
}

#[test]
fn closures_bounds_have_inputs_and_output() {
    let asked = Asked::of("fn f<F>(x: F) where F: Fn(u8, &str) -> bool + Send {}");
    let def = asked.0.fn_def(asked.fn_id("f"));
    let bounds: Vec<String> =
        asked.0.params[def.generics[0].index()].bounds.iter().map(|b| asked.show_trait(b)).collect();
    assert_eq!(bounds, ["std::ops::Fn<(u8, &str), Output = bool>", "std::marker::Send"]);
}

#[test]
fn self_and_receivers() {
    let asked = Asked::of(
        "use std::sync::Arc; struct W<T>(T);
         impl<T> W<T> { fn a(self: Arc<Self>) -> Self {} fn b(&mut self) {} fn c() -> Option<Self> {} }",
    );
    let this = |f: &str| asked.0.sig(asked.fn_id(f)).self_ty.as_ref().map(|ty| asked.show_ty(ty));
    assert_eq!(this("a").as_deref(), Some("std::sync::Arc<W<T>>"));
    assert_eq!(this("b").as_deref(), Some("&mut W<T>"));
    assert_eq!(this("c"), None);
    assert_eq!(ret(&asked, "a"), "W<T>");
    assert_eq!(ret(&asked, "c"), "std::option::Option<W<T>>");
}

#[test]
fn associated_types_go_through_impls() {
    let asked = Asked::of(
        "trait Source { type Item; fn next(&self) -> Self::Item; }
         struct Lines; impl Source for Lines { type Item = String; fn next(&self) -> Self::Item {} }
         fn f(x: <Lines as Source>::Item) {}
         fn g<S: Source<Item = u8>>(x: S::Item) {}
         fn h<S: Source>(x: S::Item) {}",
    );
    assert_eq!(param(&asked, "f"), "std::string::String");
    assert_eq!(param(&asked, "g"), "u8");
    assert_eq!(param(&asked, "h"), "S::Item");
    let own = asked.0.fns.iter().filter(|f| f.name == "next").map(|f| asked.show_ty(&f.sig(&asked.0).ret));
    assert_eq!(own.collect::<Vec<_>>(), ["Self::Item", "std::string::String"]);
}

#[test]
fn deref_targets_are_found() {
    let asked = Asked::of(
        "use std::ops::Deref; struct Guard<'a, T>(&'a T);
         impl<'a, T> Deref for Guard<'a, T> { type Target = T; fn deref(&self) -> &T { self.0 } }
         fn f(x: Guard<'static, u8>) {}",
    );
    let ty = asked.param_ty("f");
    assert_eq!(asked.show_ty(&asked.0.assoc_type(&ty, None, Name::new("Target"))), "u8");
    assert_eq!(asked.methods(&ty, "deref"), ["Guard<T>::deref [T=u8]"]);
}

#[test]
fn fields_take_the_arguments() {
    let asked =
        Asked::of("struct Node<T, A = u8> { item: T, next: *mut Node<T, A>, by: A } fn f(x: Node<bool>) {}");
    let Ty::Adt(adt, args) = asked.param_ty("f") else { panic!("no adt") };
    let field = |name: &str| asked.show_ty(&asked.0.field_ty(adt, &args, 0, Name::new(name)).expect("field"));
    assert_eq!(field("item"), "bool");
    assert_eq!(field("next"), "*mut Node<bool, u8>");
    assert_eq!(field("by"), "u8");
}
