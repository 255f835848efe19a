//! What libraries do that matters here, as data: one TOML file a library, compiled into the program.
//!
//! In: the files of this folder and of `library/` (and, in the same format, a user's own). Out: `Models`, answering by canonical path.
//! Invariant: everything the engine knows about a library comes from here; the engine knows only the *kinds* of effect (`Op`).
//!
//! The format, by example:
//!
//! ```toml
//! aliases = { "core" = "std" }                # canonical spelling of a path or a path's beginning
//! prelude = ["std::sync::Arc"]                # names in scope without an import
//! traits = ["std::iter::Iterator"]            # their methods are those of `methods`
//! fns = ["std::thread::spawn(F) -> JoinHandle = spawn(thread, a0)"]
//! methods = ["for_each(self, F) -> () = each(self, a0)"]      # on any receiver without a model of its own
//! [[type]]
//! path = "std::sync::Mutex<T>"                # primitive types: `int`, `float`, `str`, `slice<T>`, `pointer<T>`, …
//! role = "plain"                              # see `Role`; also copy = true, variants = ["A"], item = "T" (what a
//! like = ["other::Lock<T>"]                   # loop binds), target = "T" (what it derefs to)
//! fns = ["new(T) -> Self = wrap(guarded, a0)", "lock(&self) -> Result<MutexGuard<T>> = ok(lock(self, exclusive))"]
//! [macros]
//! format = ["std::println"]                   # known by the path and by its last segment
//! [[context]]
//! attribute = "test"
//! kind = "test"
//! ```
//!
//! A function is written `name(parameters) -> type = effect` (see `OpName`); without an effect, a place lent by `&` is
//! read, one lent by `&mut` is updated, closures run there and then, and the result depends on all arguments.
//!
//! In types, names of one or two capitals are parameters (only the type's own are followed), `Item<T>` is what
//! iterating `T` gives (`Item` alone: the receiver), `*T` what `T` points to. A short name is a type of the same
//! module or else the only one of that name; any other type is written with its path.

mod at_hand;
mod library;
mod load;
mod op;
#[cfg(test)]
mod tests;
mod text;
mod types;
mod user;

use crate::finding::ContextKind;
use crate::hir::{Edition, MacroShape, Name};
use crate::project::load::LibraryMacros;
use crate::resolve::LibraryNames;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

pub use library::{Libraries, built_in};
pub use op::{Op, OpName};
pub use text::{context_kind, version};
pub use types::TyExpr;
pub use user::UserModels;

/// Index of a modelled function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FnModelId(pub u32);

/// How a modelled method takes its receiver.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SelfMode {
    None,
    Value,
    Ref,
    RefMut,
}

#[derive(Clone, Debug)]
pub struct FnModel {
    /// Canonical path, or the bare name of an any-receiver method.
    pub path: Name,
    /// Its effect happens where its result is awaited.
    pub is_async: bool,
    pub self_mode: SelfMode,
    pub params: Vec<TyExpr>,
    pub ret: TyExpr,
    /// `None`: the default described above.
    pub op: Option<Op>,
}

/// What dereferencing, dropping and iterating a value of a library's type means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Nothing special.
    Plain,
    /// `Box`: its value is a pointer to what it owns.
    Owner,
    /// `Arc`, `Rc`: a pointer to what several handles own.
    Counted,
    /// A raw pointer by another name (`NonNull`).
    Raw,
    /// Gives access to what a lock protects, releases on drop.
    Guard,
    /// Derefs to what a once-cell holds (`LazyLock`).
    Lazy,
    /// The same place as what it wraps (`Pin`, `ManuallyDrop`).
    Transparent,
    /// Elements behind an index.
    Collection,
    Iterator,
}

/// Whether values of a library's type may be sent to and shared with other threads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Threads {
    /// `Send` and `Sync` as its arguments are.
    #[default]
    Structural,
    /// Both, whatever the arguments.
    Always,
    /// Neither (`Rc`).
    Never,
    /// `Send` as its arguments are, never `Sync` (`Cell`).
    Send,
    /// `Sync` as its arguments are, never `Send` (a mutex guard).
    Sync,
    /// Both where its arguments are `Send`: one at a time has them (`Mutex`).
    Exclusive,
    /// `Send` as its arguments are, `Sync` where they are both (`RwLock`).
    Guarded,
    /// Both where its arguments are both (`Arc`).
    Shared,
}

/// What values of a library's type have of its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contents {
    /// Values, or pointers to them.
    #[default]
    Values,
    /// Nothing (`PhantomData`).
    Nothing,
    /// It tells threads apart (`ThreadId`), or has a value for each (`LocalKey`).
    OfThread,
}

#[derive(Clone, Debug)]
pub struct TypeModel {
    pub path: Name,
    pub params: Vec<Name>,
    pub role: Role,
    /// Plain data: copying and dropping it has no effect that matters.
    pub copy: bool,
    /// What a `for` loop over it binds.
    item: Option<TyExpr>,
    /// What it derefs to, if that isn't its first argument.
    target: Option<TyExpr>,
    /// An end of a channel, which ends when the last of them is dropped.
    pub sender: bool,
    /// A context that asks for a value of this type is given what was provided.
    pub provided: bool,
    /// A marker without data.
    pub empty: bool,
    /// Who has a value of it holds this process-wide lock.
    pub token: Option<Name>,
    pub threads: Threads,
    pub contents: Contents,
    methods: FxHashMap<Name, FnModelId>,
}

/// An attribute that makes a function a context, or says how one runs.
#[derive(Clone, Debug)]
pub struct AttributeModel {
    /// Canonical path; `*::name`: of whatever library.
    pub path: Name,
    /// Only if the attribute's arguments contain one of these; empty: always.
    pub when: Vec<String>,
    /// Not if they contain one of these.
    pub unless: Vec<String>,
    /// Only from this version of the attribute's library on.
    pub since: Option<Vec<u32>>,
    /// `None`: it makes no context, but says more of one.
    pub kind: Option<ContextKind>,
    pub many: bool,
    /// Attributes of this name make an instance each.
    pub cases: Option<Name>,
    /// Runs on a single-threaded executor of its own.
    pub single_threaded: bool,
    /// Process-wide locks that it holds, by name.
    pub holds: Vec<Name>,
    /// Those that it holds as a reader.
    pub shares: Vec<Name>,
    /// Locks that no context of a crate with this attribute holds.
    pub revokes: Vec<Name>,
    /// It stands on a static, and the contexts are the functions of this trait that the static's type implements.
    pub functions_of: Option<Name>,
}

/// Library types that the language itself makes or asks for, wherever they are declared.
#[derive(Clone, Debug)]
pub struct Language {
    pub option: Name,
    pub result: Name,
    /// What `vec![..]` makes.
    pub vec: Name,
    /// What `format!(..)` makes.
    pub string: Name,
    pub range: Name,
    /// What an iterator's adapters make.
    pub iterator: Name,
    pub join_handle: Name,
    /// What `thread_local!` declares.
    pub thread_local: Name,
    pub send: Name,
    pub sync: Name,
    pub clone: Name,
    pub copy: Name,
    pub deref: Name,
    pub deref_mut: Name,
    /// The trait of what a loop takes its elements from.
    pub iterate: Name,
    pub future: Name,
    /// What runs a future.
    pub poll: Name,
    /// What `?` calls to make the failure one of the function's.
    pub convert: Name,
    /// What formatting calls: the first of these that a type has.
    pub print: Vec<Name>,
    /// Types whose values carry nothing but what their arguments carry.
    data: Vec<Name>,
}

impl Default for Language {
    fn default() -> Language {
        let none = Name::new("");
        Language {
            option: none,
            result: none,
            vec: none,
            string: none,
            range: none,
            iterator: none,
            join_handle: none,
            thread_local: none,
            send: none,
            sync: none,
            clone: none,
            copy: none,
            deref: none,
            deref_mut: none,
            iterate: none,
            future: none,
            poll: none,
            convert: none,
            print: Vec::new(),
            data: Vec::new(),
        }
    }
}

impl Language {
    pub fn is_auto_trait(&self, path: Name) -> bool {
        path == self.send || path == self.sync
    }

    pub fn is_data(&self, path: Name) -> bool {
        self.data.contains(&path)
    }
}

/// All models.
#[derive(Clone, Default)]
pub struct Models {
    pub language: Language,
    pub fns: Vec<Arc<FnModel>>,
    types: FxHashMap<Name, Arc<TypeModel>>,
    functions: FxHashMap<Name, FnModelId>,
    any_methods: FxHashMap<Name, FnModelId>,
    aliases: FxHashMap<Arc<str>, Arc<str>>,
    prelude: FxHashMap<Name, Name>,
    /// By path, and by last segment alone.
    macros: FxHashMap<Arc<str>, MacroShape>,
    attributes: Vec<AttributeModel>,
    /// Last segment of each type path → the types called so.
    short: FxHashMap<Name, Vec<Name>>,
    /// Module path → names in it, for glob imports.
    members: FxHashMap<Arc<str>, Vec<(Name, Name)>>,
    traits: FxHashSet<Name>,
    /// Made when it is first asked.
    directory: OnceLock<at_hand::Directory>,
}

/// Aliases may lead to aliases; those of a user's file may do so in a circle.
const MAX_ALIAS_STEPS: usize = 8;

impl Models {
    /// Adds one model file. Errs with a sentence that names the entry at fault; what stood before it stays.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        load::add_files(self, &[text])
    }

    pub fn fn_model(&self, id: FnModelId) -> &FnModel {
        &self.fns[id.0 as usize]
    }

    /// A free function, or an associated one of a type or trait by its full path.
    pub fn function(&self, path: Name) -> Option<FnModelId> {
        self.functions.get(&path).copied().or_else(|| {
            let (owner, method) = path.as_str().rsplit_once("::")?;
            let (owner, method) = (Name::new(owner), Name::new(method));
            if self.traits.contains(&owner) {
                self.any_method(method)
            } else {
                self.type_method(owner, method)
            }
        })
    }

    /// A method or associated function of a library's type.
    pub fn type_method(&self, ty: Name, method: Name) -> Option<FnModelId> {
        self.types.get(&ty)?.methods.get(&method).copied()
    }

    /// A method of a library's trait, whatever the receiver.
    pub fn any_method(&self, method: Name) -> Option<FnModelId> {
        self.any_methods.get(&method).copied()
    }

    /// Whether the path is one of the standard library.
    pub fn is_standard(&self, path: Name) -> bool {
        path.as_str().starts_with("std::")
    }

    /// How a library's type behaves between threads; `None` where nobody says.
    pub fn threads(&self, path: Name) -> Option<Threads> {
        let standard = || self.is_standard(path).then_some(Threads::Structural);
        self.type_model(path).map(|model| model.threads).or_else(standard)
    }

    /// The types that have one of these functions, be it taken over from another type; in no order.
    pub fn owners<'a>(&'a self, of: &'a FxHashSet<FnModelId>) -> impl Iterator<Item = Name> + 'a {
        let owns = |model: &&Arc<TypeModel>| model.methods.values().any(|id| of.contains(id));
        self.types.values().filter(owns).map(|model| model.path)
    }

    pub fn type_model(&self, path: Name) -> Option<&TypeModel> {
        self.types.get(&path).map(Arc::as_ref)
    }

    pub fn attributes(&self) -> &[AttributeModel] {
        &self.attributes
    }

    /// The names of the macros of one shape.
    pub fn macros_of(&self, shape: MacroShape) -> impl Iterator<Item = Name> + '_ {
        self.macros
            .iter()
            .filter(move |(_, s)| **s == shape)
            .filter_map(|(path, _)| path.rsplit("::").next())
            .map(Name::new)
    }

    /// One step towards the canonical path: the longest prefix that is an alias, replaced.
    fn replace_alias(&self, path: &str) -> Option<String> {
        let mut end = path.len();
        loop {
            if let Some(to) = self.aliases.get(&path[..end]) {
                return Some(format!("{to}{}", &path[end..]));
            }
            end = path[..end].rfind("::")?;
        }
    }
}

impl LibraryNames for Models {
    fn canonical(&self, path: &str) -> Name {
        let mut path = Cow::Borrowed(path);
        for _ in 0..MAX_ALIAS_STEPS {
            match self.replace_alias(&path) {
                Some(replaced) => path = Cow::Owned(replaced),
                None => break,
            }
        }
        Name::new(&path)
    }

    fn prelude(&self, name: Name, _edition: Edition) -> Option<Name> {
        self.prelude.get(&name).copied()
    }

    fn glob(&self, module: &str) -> Vec<(Name, Name)> {
        let module = self.canonical(module);
        self.members.get(module.as_str()).cloned().unwrap_or_default()
    }

    fn is_trait(&self, path: Name) -> bool {
        self.traits.contains(&path)
    }
}

impl LibraryMacros for Models {
    fn shape(&self, path: &[Name]) -> Option<MacroShape> {
        match path {
            [name] => self.macros.get(name.as_str()).copied(),
            path => {
                let path: Vec<&str> = path.iter().map(|name| name.as_str()).collect();
                self.macros.get(self.canonical(&path.join("::")).as_str()).copied()
            }
        }
    }
}
