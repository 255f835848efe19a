//! Programs as tests write them: crates of one file each, asked by names; answers as short texts.
//!
//! `Asked::of(text)` loads and builds a library crate; `path("f", "a::b")` says what the path with this text means in
//! the body of the function `f`; `methods`, `ty` and the rest show ids by name.

mod bodies;
mod imports;
mod methods;
mod types;

use super::*;
use crate::hir::{Edition, ExprKind, MacroShape, Name, Pat};
use crate::project::cfg::CfgSet;
use crate::project::load::{LibraryMacros, load};
use crate::project::{CrateId, CrateSource, Dependency, Group, TargetKind};
use std::path::PathBuf;
use std::sync::Arc;

/// A crate of one file.
pub(super) struct Source<'a> {
    pub name: &'a str,
    pub edition: Edition,
    /// Extern names of earlier crates by their number.
    pub uses: &'a [(&'a str, u32)],
    /// Extern name and package of libraries.
    pub libraries: &'a [(&'a str, &'a str)],
    pub text: &'a str,
}

/// A built program.
pub(super) struct Asked(pub Program);

struct Names;

impl LibraryNames for Names {
    fn canonical(&self, path: &str) -> Name {
        match path.strip_prefix("core::").or_else(|| path.strip_prefix("alloc::")) {
            Some(rest) => Name::new(&format!("std::{rest}")),
            None => Name::new(path),
        }
    }

    fn prelude(&self, name: Name, _: Edition) -> Option<Name> {
        let path = match name.as_str() {
            "Some" => "std::option::Option::Some",
            "None" => "std::option::Option::None",
            "Option" => "std::option::Option",
            "Vec" => "std::vec::Vec",
            "Box" => "std::boxed::Box",
            "String" => "std::string::String",
            "Drop" => "std::ops::Drop",
            "Clone" => "std::clone::Clone",
            "Iterator" => "std::iter::Iterator",
            "Default" => "std::default::Default",
            "Fn" => "std::ops::Fn",
            "Send" => "std::marker::Send",
            "drop" => "std::mem::drop",
            _ => return None,
        };
        Some(Name::new(path))
    }

    fn glob(&self, module: &str) -> Vec<(Name, Name)> {
        let members: &[&str] = match module {
            "ext::prelude" => &["ext::iter::Par", "ext::run"],
            "std::sync::atomic::Ordering" => &["std::sync::atomic::Ordering::SeqCst"],
            _ => &[],
        };
        members.iter().map(|path| (Name::new(path).last_segment(), Name::new(path))).collect()
    }

    fn is_trait(&self, path: Name) -> bool {
        ["Default", "Clone", "Iterator", "Drop", "Deref", "Fn", "Send"]
            .contains(&path.last_segment().as_str())
    }
}

impl LibraryMacros for Names {
    fn shape(&self, path: &[Name]) -> Option<MacroShape> {
        match path.last()?.as_str() {
            "thread_local" => Some(MacroShape::ThreadLocal),
            "println" => Some(MacroShape::Format),
            "vec" => Some(MacroShape::Vec),
            _ => None,
        }
    }
}

#[test]
fn programs_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Program>();
}

impl Asked {
    /// One library crate of edition 2021 named `demo`.
    pub fn of(text: &str) -> Asked {
        Asked::of_crates(&[Source { name: "demo", edition: Edition::E2021, uses: &[], libraries: &[], text }])
    }

    pub fn of_crates(sources: &[Source]) -> Asked {
        let folder = tempfile::tempdir().expect("temporary folder");
        let krate = |source: &Source| {
            let root: PathBuf = folder.path().join(format!("{}.rs", source.name));
            std::fs::write(&root, source.text).expect("file");
            let own = source.uses.iter().map(|(name, id)| (Name::new(name), Dependency::Crate(CrateId(*id))));
            let external =
                |package: &str| Dependency::External { package: Name::new(package), version: None };
            let libraries =
                source.libraries.iter().map(|(name, package)| (Name::new(name), external(package)));
            CrateSource {
                name: Name::new(source.name),
                kind: TargetKind::Lib,
                root,
                edition: source.edition,
                cfg: CfgSet::default(),
                dependencies: own.chain(libraries).collect(),
                harness: true,
                process_per_test: false,
            }
        };
        let crates = sources.iter().map(krate).collect();
        let group = Group { crates, unnamed: Vec::new(), focus: Vec::new() };
        let loaded = load(&group, &Names);
        assert_eq!(loaded.errors, [], "the program doesn't parse");
        Asked(build(collect(loaded, Arc::new(Names), Arc::new(Names)), &|_, _| true))
    }

    /// The first function of this name.
    pub fn fn_id(&self, name: &str) -> FnId {
        let at = self.0.fns.iter().position(|f| f.name == name);
        FnId(at.unwrap_or_else(|| panic!("no fn {name}")) as u32)
    }

    pub fn body_of(&self, name: &str) -> Arc<ResolvedBody> {
        self.0.body(self.fn_id(name)).unwrap_or_else(|| panic!("fn {name} has no body"))
    }

    /// What the last path expression (or struct literal) with this text means in the body of `function`.
    pub fn path(&self, function: &str, text: &str) -> String {
        let body = self.body_of(function);
        let source = &self.0.file(body.file).source.text;
        let paths = body.body.exprs.iter().filter_map(|e| match &e.kind {
            ExprKind::Path(path) | ExprKind::Struct { path, .. } => Some(path),
            _ => None,
        });
        let mut same = paths.filter(|p| &source[p.range.lo as usize..p.range.hi as usize] == text);
        let path = same.next_back().unwrap_or_else(|| panic!("no path {text} in {function}"));
        self.show(body.res(path))
    }

    /// What the names and paths in the patterns of `match`, `let` and `if let` of a function mean, in source order.
    pub fn patterns(&self, function: &str) -> Vec<String> {
        let body = self.body_of(function);
        let mut shown = Vec::new();
        for expr in &body.body.exprs {
            let pats: Vec<&Pat> = match &expr.kind {
                ExprKind::Match { arms, .. } => arms.iter().map(|arm| &arm.pat).collect(),
                ExprKind::Let { pat, .. } => vec![pat],
                _ => Vec::new(),
            };
            pats.iter().for_each(|pat| self.pattern(&body, pat, &mut shown));
        }
        shown
    }

    fn pattern(&self, body: &ResolvedBody, pat: &Pat, shown: &mut Vec<String>) {
        match pat {
            Pat::Bind { binding, .. } => shown.push(match body.binding(*binding) {
                Bound::Local(id) => format!("local {}#{}", body.locals[id.0 as usize].name, id.0),
                Bound::Named(res) => self.show(res),
            }),
            Pat::Path(path) => shown.push(self.show(body.res(path))),
            Pat::TupleStruct(path, parts) => {
                shown.push(self.show(body.res(path)));
                parts.iter().for_each(|p| self.pattern(body, p, shown));
            }
            Pat::Struct { path, fields, .. } => {
                shown.push(self.show(body.res(path)));
                fields.iter().for_each(|(_, p)| self.pattern(body, p, shown));
            }
            Pat::Tuple(parts) | Pat::Or(parts) | Pat::Slice(parts) => {
                parts.iter().for_each(|p| self.pattern(body, p, shown));
            }
            Pat::Ref(inner) => self.pattern(body, inner, shown),
            Pat::Wild | Pat::Rest | Pat::Lit(_) | Pat::Range | Pat::Unknown => {}
        }
    }

    pub fn show(&self, res: &Res) -> String {
        match res {
            Res::Unresolved => "?".to_owned(),
            Res::Local(id) => format!("local #{}", id.0),
            Res::Fn(id, args) => format!("fn {}{}", self.fn_path(*id), self.show_args(args)),
            Res::Static(id) => format!("static {}", self.0.statics[id.index()].path),
            Res::Const(id) => format!("const {}", self.0.consts[id.index()].name),
            Res::ConstParam(name) => format!("const param {name}"),
            Res::Variant(adt, v, args) => {
                let def = &self.0.adts[adt.index()];
                let variant = &def.variants[*v as usize];
                let dot =
                    if variant.name == def.name { String::new() } else { format!("::{}", variant.name) };
                format!("shape {}{dot}{}", def.name, self.show_args(args))
            }
            Res::Assoc { ty, of_trait, name, args } => {
                let of_trait =
                    of_trait.as_ref().map_or_else(String::new, |t| format!(" as {}", self.show_trait(t)));
                format!("<{}{of_trait}>::{name}{}", self.show_ty(ty), self.show_args(args))
            }
            Res::TraitItem { of_trait, name, .. } => format!("trait {}::{name}", self.show_trait(of_trait)),
            Res::Ext(path, args) => format!("ext {path}{}", self.show_args(args)),
            Res::Type(ty) => format!("type {}", self.show_ty(ty)),
            Res::Module(id) => format!("mod {}", self.module_path(*id)),
        }
    }

    /// With the name of the crate that declares it.
    pub fn show_in_crate(&self, res: &Res) -> String {
        let module = match res {
            Res::Fn(id, _) => self.0.fn_def(*id).module,
            Res::Static(id) => self.0.statics[id.index()].module,
            _ => return self.show(res),
        };
        format!("{} {}", self.0.crates[self.0.krate(module).0 as usize].source.name, self.show(res))
    }

    /// `module::name`; an impl's or trait's functions as `Type::name`.
    pub fn fn_path(&self, id: FnId) -> String {
        let def = self.0.fn_def(id);
        let owner = match def.owner {
            Owner::Module => self.module_path(def.module),
            Owner::Impl(i) => self.show_ty(&self.0.impls[i.index()].self_ty),
            Owner::Trait(t) => self.0.traits[t.index()].name.to_string(),
        };
        if owner.is_empty() { def.name.to_string() } else { format!("{owner}::{}", def.name) }
    }

    fn module_path(&self, id: ModuleId) -> String {
        self.0.module_path(id).iter().map(|n| n.as_str()).collect::<Vec<_>>().join("::")
    }

    pub fn show_ty(&self, ty: &Ty) -> String {
        match ty {
            Ty::Unknown => "_".to_owned(),
            Ty::Never => "!".to_owned(),
            Ty::Prim(name) => name.to_string(),
            Ty::Adt(id, args) => format!("{}{}", self.0.adts[id.index()].name, self.show_args(args)),
            Ty::Ext(path, args) => format!("{path}{}", self.show_args(args)),
            Ty::Ref { mutable, inner } => {
                format!("&{}{}", if *mutable { "mut " } else { "" }, self.show_ty(inner))
            }
            Ty::Ptr { mutable, inner } => {
                format!("*{} {}", if *mutable { "mut" } else { "const" }, self.show_ty(inner))
            }
            Ty::Tuple(parts) => format!("({})", self.show_tys(parts)),
            Ty::Array(inner) => format!("[{}; _]", self.show_ty(inner)),
            Ty::Slice(inner) => format!("[{}]", self.show_ty(inner)),
            Ty::FnPtr(of) => format!("fn({}) -> {}", self.show_tys(&of.0), self.show_ty(&of.1)),
            Ty::Param(id) => self.0.params[id.index()].name.to_string(),
            Ty::Dyn(bounds) => {
                let bounds: Vec<String> = bounds.iter().map(|b| self.show_trait(b)).collect();
                format!("dyn {}", bounds.join(" + "))
            }
            Ty::Assoc(of) => format!("{}::{}", self.show_ty(&of.base), of.name),
        }
    }

    pub fn show_trait(&self, of_trait: &TraitRef) -> String {
        let name = match of_trait.key {
            TraitKey::Local(id) => self.0.traits[id.index()].name,
            TraitKey::Ext(path) => path,
        };
        let mut inside: Vec<String> = of_trait.args.iter().map(|ty| self.show_ty(ty)).collect();
        inside.extend(of_trait.assoc.iter().map(|(n, ty)| format!("{n} = {}", self.show_ty(ty))));
        if inside.is_empty() { name.to_string() } else { format!("{name}<{}>", inside.join(", ")) }
    }

    fn show_args(&self, args: &Args) -> String {
        if args.is_empty() { String::new() } else { format!("<{}>", self.show_tys(args)) }
    }

    fn show_tys(&self, args: &Args) -> String {
        args.iter().map(|ty| self.show_ty(ty)).collect::<Vec<_>>().join(", ")
    }

    /// The declared type of a function's only parameter.
    pub fn param_ty(&self, function: &str) -> Ty {
        self.0.sig(self.fn_id(function)).params[0].clone()
    }

    /// The functions that `ty.name()` may enter, with what parameters stand for.
    pub fn methods(&self, ty: &Ty, name: &str) -> Vec<String> {
        let found = self.0.methods(ty, Name::new(name));
        let shown = found.iter().map(|m| {
            let subst = m
                .subst
                .0
                .iter()
                .map(|(p, ty)| format!("{}={}", self.0.params[p.index()].name, self.show_ty(ty)));
            let subst: Vec<String> = subst.collect();
            let path = self.fn_path(m.id);
            if subst.is_empty() { path } else { format!("{path} [{}]", subst.join(", ")) }
        });
        shown.collect()
    }
}
