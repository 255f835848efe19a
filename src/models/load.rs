//! Reads model files into `Models`.
//!
//! In: TOML text. Out: the models added, or a sentence that names the entry at fault.
//! Invariant: the types of all files given together are declared before any entry is read, so files may name each
//! other's types. Within one load a function is described once; a later load may describe it anew.

use super::text::{self, TypeNames};
use super::types::TyExpr;
use super::{AttributeModel, Contents, FnModel, FnModelId, Language, Models, Role, Threads, TypeModel};
use crate::hir::Name;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FileText {
    language: Option<LanguageText>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    #[serde(default)]
    prelude: Vec<String>,
    #[serde(default)]
    traits: Vec<String>,
    #[serde(default)]
    fns: Vec<String>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default, rename = "type")]
    types: Vec<TypeText>,
    #[serde(default)]
    macros: BTreeMap<String, Vec<String>>,
    #[serde(default, rename = "context")]
    contexts: Vec<ContextText>,
}

/// See `Language`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LanguageText {
    option: String,
    result: String,
    vec: String,
    string: String,
    range: String,
    iterator: String,
    join_handle: String,
    thread_local: String,
    send: String,
    sync: String,
    clone: String,
    copy: String,
    deref: String,
    deref_mut: String,
    iterate: String,
    future: String,
    poll: String,
    convert: String,
    print: Vec<String>,
    data: Vec<String>,
}

impl LanguageText {
    fn language(&self) -> Language {
        Language {
            option: Name::new(&self.option),
            result: Name::new(&self.result),
            vec: Name::new(&self.vec),
            string: Name::new(&self.string),
            range: Name::new(&self.range),
            iterator: Name::new(&self.iterator),
            join_handle: Name::new(&self.join_handle),
            thread_local: Name::new(&self.thread_local),
            send: Name::new(&self.send),
            sync: Name::new(&self.sync),
            clone: Name::new(&self.clone),
            copy: Name::new(&self.copy),
            deref: Name::new(&self.deref),
            deref_mut: Name::new(&self.deref_mut),
            iterate: Name::new(&self.iterate),
            future: Name::new(&self.future),
            poll: Name::new(&self.poll),
            convert: Name::new(&self.convert),
            print: self.print.iter().map(|text| Name::new(text)).collect(),
            data: self.data.iter().map(|text| Name::new(text)).collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeText {
    /// With its parameters: `std::sync::Mutex<T>`.
    path: String,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    copy: bool,
    /// What a `for` loop over it binds.
    item: Option<String>,
    /// What it derefs to, if that isn't what its role says.
    target: Option<String>,
    /// Names that a glob import of an enum brings.
    #[serde(default)]
    variants: Vec<String>,
    #[serde(default)]
    fns: Vec<String>,
    /// Takes over the functions of these types that it doesn't describe itself: `slice<T>`.
    #[serde(default)]
    like: Vec<String>,
    #[serde(default)]
    threads: Threads,
    #[serde(default)]
    contents: Contents,
    /// See `TypeModel::sender`.
    #[serde(default)]
    sender: bool,
    /// See `TypeModel::provided`.
    #[serde(default)]
    provided: bool,
    /// See `TypeModel::empty`.
    #[serde(default)]
    empty: bool,
    /// See `TypeModel::token`.
    token: Option<String>,
}

/// See `AttributeModel`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ContextText {
    attribute: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    many: bool,
    #[serde(default)]
    when: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    #[serde(default)]
    since: Option<String>,
    #[serde(default)]
    cases: Option<String>,
    #[serde(default)]
    single_threaded: bool,
    #[serde(default)]
    holds: Vec<String>,
    #[serde(default)]
    shares: Vec<String>,
    #[serde(default)]
    revokes: Vec<String>,
    #[serde(default)]
    functions_of: Option<String>,
}

impl ContextText {
    fn model(&self) -> Result<AttributeModel, String> {
        let kind = match &self.kind {
            None => None,
            Some(kind) => {
                Some(text::context_kind(kind).ok_or_else(|| format!("`{kind}` is no kind of context"))?)
            }
        };
        let names = |texts: &[String]| texts.iter().map(|text| Name::new(text)).collect();
        Ok(AttributeModel {
            path: Name::new(&self.attribute),
            when: self.when.clone(),
            unless: self.unless.clone(),
            since: self.since.as_deref().map(text::version),
            kind,
            many: self.many,
            cases: self.cases.as_deref().map(Name::new),
            single_threaded: self.single_threaded,
            holds: names(&self.holds),
            shares: names(&self.shares),
            revokes: names(&self.revokes),
            functions_of: self.functions_of.as_deref().map(Name::new),
        })
    }
}

/// Adds model files that may name each other's types. Errs with the entry at fault; what stood before it stays.
pub(super) fn add_files(models: &mut Models, texts: &[&str]) -> Result<(), String> {
    let files: Vec<FileText> =
        texts.iter().map(|text| toml::from_str(text).map_err(|e| e.to_string())).collect::<Result<_, _>>()?;
    add_parsed(models, &files)
}

/// The same of files that are read already.
pub(super) fn add_parsed(models: &mut Models, files: &[FileText]) -> Result<(), String> {
    let first = FnModelId(models.fns.len() as u32);
    models.directory.take();
    let mut loader = Loader { models, first };
    for file in files {
        loader.declare(file)?;
    }
    for file in files {
        loader.add_entries(file)?;
    }
    for ty in files.iter().flat_map(|file| &file.types) {
        loader.take_over(ty)?;
    }
    Ok(())
}

struct Loader<'a> {
    models: &'a mut Models,
    /// First function of this load.
    first: FnModelId,
}

impl Loader<'_> {
    /// Everything that needs no name but its own: aliases, types, traits, prelude, macros, contexts.
    fn declare(&mut self, file: &FileText) -> Result<(), String> {
        if let Some(language) = &file.language {
            self.models.language = language.language();
        }
        for (from, to) in &file.aliases {
            self.models.aliases.insert(from.as_str().into(), to.as_str().into());
            self.member(from, Name::new(to));
        }
        for ty in &file.types {
            self.declare_type(ty);
        }
        for path in &file.traits {
            let name = Name::new(path);
            self.models.traits.insert(name);
            self.member(path, name);
        }
        for path in &file.prelude {
            self.models.prelude.insert(Name::new(last(path)), Name::new(path));
        }
        for (shape, paths) in &file.macros {
            let shape = text::macro_shape(shape).ok_or_else(|| format!("`{shape}` is no macro shape"))?;
            for path in paths {
                self.models.macros.insert(path.as_str().into(), shape);
                self.models.macros.entry(last(path).into()).or_insert(shape);
            }
        }
        for context in &file.contexts {
            let model = context.model()?;
            self.member(model.path.as_str(), model.path);
            self.models.attributes.push(model);
        }
        Ok(())
    }

    fn declare_type(&mut self, ty: &TypeText) {
        let (path, params) = text::type_head(&ty.path);
        let name = Name::new(path);
        let homonyms = self.models.short.entry(Name::new(last(path))).or_default();
        if !homonyms.contains(&name) {
            homonyms.push(name);
        }
        self.member(path, name);
        for variant in &ty.variants {
            let variant = format!("{path}::{variant}");
            self.member(&variant, Name::new(&variant));
        }
        let new = || TypeModel {
            path: name,
            params,
            role: Role::Plain,
            copy: false,
            item: None,
            target: None,
            sender: false,
            provided: false,
            empty: false,
            token: None,
            threads: ty.threads,
            contents: ty.contents,
            methods: FxHashMap::default(),
        };
        let model = Arc::make_mut(self.models.types.entry(name).or_insert_with(|| Arc::new(new())));
        model.sender |= ty.sender;
        model.provided |= ty.provided;
        model.empty |= ty.empty;
        model.token = ty.token.as_deref().map(Name::new).or(model.token);
        model.role = ty.role.unwrap_or(model.role);
        model.copy |= ty.copy;
    }

    fn add_entries(&mut self, file: &FileText) -> Result<(), String> {
        for ty in &file.types {
            self.add_type_entries(ty)?;
        }
        for entry in &file.fns {
            let module = parent(entry.split('(').next().unwrap_or_default());
            let model = self.parse(entry, &[], module)?;
            let path = model.path;
            self.member(path.as_str(), path);
            let id = self.push(model);
            let before = self.models.functions.insert(path, id);
            self.once(before, entry)?;
        }
        for entry in &file.methods {
            let model = self.parse(entry, &[], "")?;
            let name = model.path;
            let id = self.push(model);
            let before = self.models.any_methods.insert(name, id);
            self.once(before, entry)?;
        }
        Ok(())
    }

    fn add_type_entries(&mut self, ty: &TypeText) -> Result<(), String> {
        let (path, params) = text::type_head(&ty.path);
        let owner = Name::new(path);
        let item = self.type_of(ty.item.as_deref(), &params, path)?;
        let target = self.type_of(ty.target.as_deref(), &params, path)?;
        let mut methods = Vec::with_capacity(ty.fns.len());
        for entry in &ty.fns {
            let mut model = self.parse(entry, &params, parent(path))?;
            let method = model.path;
            model.path = Name::new(&format!("{path}::{method}"));
            methods.push((method, self.push(model), entry));
        }
        let Some(model) = self.models.types.get_mut(&owner).map(Arc::make_mut) else { return Ok(()) };
        model.item = item.or(model.item.take());
        model.target = target.or(model.target.take());
        let before = methods.into_iter().map(|(method, id, entry)| (model.methods.insert(method, id), entry));
        let before: Vec<_> = before.collect();
        before.into_iter().try_for_each(|(before, entry)| self.once(before, entry))
    }

    /// Gives a type the functions of those that it is like.
    fn take_over(&mut self, ty: &TypeText) -> Result<(), String> {
        let (path, params) = text::type_head(&ty.path);
        let owner = Name::new(path);
        let own: Vec<TyExpr> = (0..params.len()).map(TyExpr::Param).collect();
        for like in &ty.like {
            let (other, args) = match self.type_of(Some(like), &params, path)? {
                Some(TyExpr::Ext(other, args)) => (other, args),
                _ => (Name::new(like), Vec::new()),
            };
            let Some(model) = self.models.types.get(&other) else {
                return Err(format!("`{path}` is like `{like}`, which is no type with a model"));
            };
            let taken: Vec<(Name, FnModelId)> = model.methods.iter().map(|(name, id)| (*name, *id)).collect();
            for (method, id) in taken {
                if self.models.type_method(owner, method).is_some() {
                    continue;
                }
                let id = if args == own { id } else { self.push_substituted(id, &args) };
                if let Some(model) = self.models.types.get_mut(&owner) {
                    Arc::make_mut(model).methods.insert(method, id);
                }
            }
        }
        Ok(())
    }

    fn push_substituted(&mut self, id: FnModelId, args: &[TyExpr]) -> FnModelId {
        let mut model = self.models.fn_model(id).clone();
        model.ret = model.ret.substitute(args);
        for param in &mut model.params {
            *param = param.substitute(args);
        }
        self.push(model)
    }

    fn type_of(&self, text: Option<&str>, params: &[Name], path: &str) -> Result<Option<TyExpr>, String> {
        let Some(text) = text else { return Ok(None) };
        let short = |name: &str| self.short(name, parent(path));
        let parsed = text::parse_ty(text, &TypeNames { params, short: &short });
        parsed.map(Some).map_err(|problem| format!("type `{path}`: {problem}"))
    }

    fn parse(&self, entry: &str, params: &[Name], module: &str) -> Result<FnModel, String> {
        let short = |name: &str| self.short(name, module);
        text::parse_fn(entry, &TypeNames { params, short: &short })
            .map_err(|problem| format!("`{entry}`: {problem}"))
    }

    /// The type called so: in the module itself, else the one of the standard library, else the only one of its crate or anywhere.
    fn short(&self, name: &str, module: &str) -> Result<Option<Name>, String> {
        let Some(homonyms) = self.models.short.get(&Name::new(name)) else { return Ok(None) };
        let of_crate = |name: &str| {
            let mut own = homonyms.iter().filter(|path| path.as_str().split("::").next() == Some(name));
            own.next().filter(|_| own.next().is_none())
        };
        let own = homonyms.iter().find(|path| parent(path.as_str()) == module);
        let krate = module.split("::").next().unwrap_or_default();
        match own.or_else(|| of_crate("std")).or_else(|| of_crate(krate)) {
            Some(path) => Ok(Some(*path)),
            None if homonyms.len() > 1 => {
                Err(format!("there are several types `{name}`; write the whole path"))
            }
            None => Ok(homonyms.first().copied()),
        }
    }

    /// Errs if what an entry replaces was given in the same load.
    fn once(&self, before: Option<FnModelId>, entry: &str) -> Result<(), String> {
        match before {
            Some(id) if id >= self.first => Err(format!("`{entry}`: described twice")),
            _ => Ok(()),
        }
    }

    fn push(&mut self, model: FnModel) -> FnModelId {
        let id = FnModelId(self.models.fns.len() as u32);
        self.models.fns.push(Arc::new(model));
        id
    }

    /// Remembers what a module has, for glob imports; the module is in turn a member of its own parent.
    fn member(&mut self, path: &str, meaning: Name) {
        let Some((module, name)) = path.rsplit_once("::") else { return };
        let known = self.models.members.contains_key(module);
        self.models.members.entry(module.into()).or_default().push((Name::new(name), meaning));
        if !known {
            self.member(module, Name::new(module));
        }
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn parent(path: &str) -> &str {
    path.rsplit_once("::").map_or("", |(module, _)| module)
}
