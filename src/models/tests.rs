//! Tests of the built-in models as a whole, and of loading model files.

use super::*;
use crate::resolve::Ty;

fn ext(path: &str, args: Vec<Ty>) -> Ty {
    Ty::named(Name::new(path), args)
}

fn built_in_ty(text: &str) -> Ty {
    Ty::named(Name::new(text), Vec::new())
}

fn built_in() -> std::sync::Arc<Models> {
    super::built_in(Libraries::all())
}

fn load(text: &str) -> Result<Models, String> {
    let mut models = Models::default();
    models.add(text).map(|()| models)
}

fn method<'a>(models: &'a Models, ty: &str, name: &str) -> &'a FnModel {
    let id = models.type_method(Name::new(ty), Name::new(name));
    models.fn_model(id.unwrap_or_else(|| panic!("{ty}::{name}")))
}

#[test]
fn built_in_files_load() {
    let models = built_in();
    assert!(models.fns.len() > 1500, "{}", models.fns.len());
}

#[test]
fn canonical_paths_resolve() {
    let models = built_in();
    for (written, canonical) in [
        ("core::sync::atomic::AtomicU32", "std::sync::atomic::AtomicU32"),
        ("alloc::sync::Arc", "std::sync::Arc"),
        ("std::collections::hash_map::HashMap", "std::collections::HashMap"),
        ("core::fmt::Result", "std::result::Result"),
        ("std::sync::poison::Mutex", "std::sync::Mutex"),
        ("other::core::Thing", "other::core::Thing"),
        ("corelike::Thing", "corelike::Thing"),
    ] {
        assert_eq!(models.canonical(written), Name::new(canonical), "{written}");
    }
    assert!(models.type_model(models.canonical("core::sync::atomic::AtomicU32")).is_some());
}

#[test]
fn what_is_promised_by_name_exists() {
    let models = built_in();
    for path in [
        "std::thread::spawn",
        "std::thread::Builder::spawn",
        "std::mem::drop",
        "std::sync::Arc::new",
        "std::sync::Arc::clone",
        "std::sync::atomic::AtomicPtr::compare_exchange_weak",
        "std::option::Option::Some",
        "std::iter::Iterator::for_each",
        "std::env::set_var",
    ] {
        assert!(models.function(Name::new(path)).is_some(), "{path}");
    }
    for target in models.aliases.values().filter(|to| to.contains("::")) {
        let name = Name::new(target);
        let known =
            models.type_model(name).is_some() || models.is_trait(name) || models.members.contains_key(target);
        let known = known || models.function(name).is_some();
        assert!(known, "alias of unknown `{target}`");
    }
    for path in models.prelude.values() {
        let known =
            models.type_model(*path).is_some() || models.is_trait(*path) || models.function(*path).is_some();
        assert!(known, "unknown `{path}` in the prelude");
    }
}

#[test]
fn types_named_in_entries_exist() {
    fn check(models: &Models, entry: &FnModel, ty: &TyExpr) {
        match ty {
            TyExpr::Ext(path, args) => {
                assert!(models.type_model(*path).is_some(), "{}: no type `{path}`", entry.path);
                args.iter().for_each(|arg| check(models, entry, arg));
            }
            TyExpr::Tuple(args) => args.iter().for_each(|arg| check(models, entry, arg)),
            TyExpr::Ref(_, inner) | TyExpr::Ptr(_, inner) => check(models, entry, inner),
            TyExpr::Slice(inner) | TyExpr::Item(inner) | TyExpr::Target(inner) => check(models, entry, inner),
            TyExpr::Unknown | TyExpr::Never | TyExpr::SelfTy | TyExpr::Param(_) | TyExpr::Prim(_) => {}
        }
    }
    let models = built_in();
    for entry in &models.fns {
        entry.params.iter().chain([&entry.ret]).for_each(|ty| check(&models, entry, ty));
    }
}

#[test]
fn atomics_take_over_with_their_own_type() {
    let models = built_in();
    let prim = |name| TyExpr::Prim(Name::new(name));
    let ret = |ty: &str, name: &str| method(&models, &format!("std::sync::atomic::{ty}"), name).ret.clone();
    assert_eq!(ret("AtomicU32", "fetch_add"), prim("u32"));
    assert_eq!(ret("AtomicBool", "load"), prim("bool"));
    assert_eq!(ret("AtomicPtr", "load"), TyExpr::Ptr(true, Box::new(TyExpr::Param(0))));
    assert_eq!(ret("AtomicPtr", "new"), TyExpr::SelfTy);
}

#[test]
fn result_types_follow_the_receiver() {
    let models = built_in();
    let string = built_in_ty("std::string::String");
    let map = ext("std::collections::HashMap", vec![Ty::Prim(Name::new("u8")), string.clone()]);
    let get = models.ret_ty(method(&models, "std::collections::HashMap", "get"), &map);
    assert_eq!(get, ext("std::option::Option", vec![Ty::reference(false, string.clone())]));
    let deref = models.ret_ty(
        method(&models, "std::option::Option", "as_deref"),
        &ext("std::option::Option", vec![string]),
    );
    assert_eq!(deref, ext("std::option::Option", vec![Ty::reference(false, Ty::Prim(Name::new("str")))]));
    let pushed = method(&models, "std::vec::Vec", "push");
    assert_eq!(pushed.params, [TyExpr::Param(0)]);
}

#[test]
fn loops_bind_items() {
    let models = built_in();
    let byte = Ty::Prim(Name::new("u8"));
    let text = built_in_ty("std::string::String");
    let vec = ext("std::vec::Vec", vec![byte.clone()]);
    let map = ext("std::collections::BTreeMap", vec![byte.clone(), text.clone()]);
    let pairs = ext("std::vec::Vec", vec![Ty::Tuple([byte.clone(), text.clone()].into())]);
    assert_eq!(models.item_ty(&vec), byte);
    assert_eq!(models.item_ty(&Ty::reference(true, vec.clone())), Ty::reference(true, byte.clone()));
    let lent = Ty::Tuple([Ty::reference(false, byte.clone()), Ty::reference(true, text.clone())].into());
    assert_eq!(models.item_ty(&Ty::reference(true, map)), lent);
    let pair = Ty::Tuple([byte.clone(), text].into());
    assert_eq!(models.item_ty(&Ty::reference(false, pairs)), Ty::reference(false, pair));
    let iter = ext("std::iter::Rev", vec![ext("std::slice::Iter", vec![byte.clone()])]);
    assert_eq!(models.item_ty(&iter), Ty::reference(false, byte));
}

#[test]
fn globs_list_members() {
    let models = built_in();
    let names =
        |module: &str| -> Vec<Name> { models.glob(module).into_iter().map(|(name, _)| name).collect() };
    assert!(names("std::sync::atomic").contains(&Name::new("AtomicU32")));
    assert!(names("core::sync::atomic::Ordering").contains(&Name::new("SeqCst")));
    assert!(names("std::sync").contains(&Name::new("mpsc")));
    assert!(names("std::collections::hash_map").contains(&Name::new("HashMap")));
    assert!(names("std::io::prelude").contains(&Name::new("Write")));
}

#[test]
fn macros_are_known_by_path_and_by_name() {
    let models = built_in();
    let shape = |path: &str| {
        let path: Vec<Name> = path.split("::").map(Name::new).collect();
        models.shape(&path)
    };
    assert_eq!(shape("println"), Some(MacroShape::Format));
    assert_eq!(shape("core::println"), Some(MacroShape::Format));
    assert_eq!(shape("tokio::select"), Some(MacroShape::Select));
    assert_eq!(shape("select"), Some(MacroShape::Select));
    assert_eq!(shape("mine::println"), None);
}

#[test]
fn refuses_contradictions() {
    let twice = load("fns = [\"a::f() -> ()\", \"a::f() -> u8\"]").err();
    assert_eq!(twice.as_deref(), Some("`a::f() -> u8`: described twice"));
    let method = load("[[type]]\npath = \"a::B\"\nfns = [\"f(&self) -> ()\", \"f(&self) -> u8\"]").err();
    assert_eq!(method.as_deref(), Some("`f(&self) -> u8`: described twice"));
    let homonyms =
        load("fns = [\"c::f() -> Bus\"]\n[[type]]\npath = \"a::Bus\"\n[[type]]\npath = \"b::Bus\"").err();
    assert!(homonyms.is_some_and(|e| e.contains("several types `Bus`")));
    let like = load("[[type]]\npath = \"a::B\"\nlike = [\"a::C\"]").err();
    assert!(like.is_some_and(|e| e.contains("no type with a model")));
    assert!(load("[macros]\nfromat = [\"x\"]").err().is_some_and(|e| e.contains("no macro shape")));
}

#[test]
fn a_later_file_may_describe_anew() {
    let mut models = load(
        "fns = [\"a::f() -> u8\"]\n[[type]]\npath = \"a::B<T>\"\nrole = \"guard\"\nfns = [\"g(&self) -> T\"]",
    )
    .expect("loads");
    let more = "fns = [\"a::f() -> ()\"]\n[[type]]\npath = \"a::B<T>\"\nfns = [\"h(&self) -> T\"]";
    models.add(more).expect("loads");
    let f = models.function(Name::new("a::f")).map(|id| models.fn_model(id).ret.clone());
    assert_eq!(f, Some(TyExpr::Tuple(Vec::new())));
    assert_eq!(method(&models, "a::B", "g").ret, method(&models, "a::B", "h").ret);
    assert_eq!(models.role(&built_in_ty("a::B")), Role::Guard);
}

#[test]
fn aliases_in_a_circle_end() {
    let models = load("[aliases]\n\"a\" = \"b\"\n\"b\" = \"a\"").expect("loads");
    assert!(["a::X", "b::X"].contains(&models.canonical("a::X").as_str()));
}
