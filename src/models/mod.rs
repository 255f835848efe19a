//! What libraries do that matters here, as data: one TOML file a library, compiled into the program.
//!
//! In: the files of this folder (and, in the same format, a user's own). Out: `Models`, answering by canonical path.
//! Invariant: everything the engine knows about a library comes from here; the engine knows only the *kinds* of effect (`Op`).
//!
//! The format, by example:
//!
//! ```toml
//! aliases = { "core" = "std" }                # canonical spelling of a path prefix
//! prelude = ["std::sync::Arc"]                # names in scope without an import
//! fns = ["std::thread::spawn(F) -> JoinHandle = spawn(thread, a0)"]
//! methods = ["for_each(self, F) -> () = each(self, a0)"]      # on any receiver without a model of its own
//! [[type]]
//! path = "std::sync::Mutex<T>"
//! fns = ["new(T) -> Self = wrap(guarded, a0)", "lock(&self) -> LockResult<MutexGuard<T>> = ok(lock(self, exclusive))"]
//! [macros]
//! format = ["println"]
//! [[context]]
//! attribute = "test"
//! kind = "test"
//! ```
//!
//! A function is written `name(parameters) -> type = effect`; without an effect, a place lent by `&` is read, one lent
//! by `&mut` is updated, closures run there and then, and the result depends on all arguments.

mod op;
mod text;

use crate::finding::ContextKind;
use crate::hir::{Edition, MacroShape, Name};
use crate::project::load::LibraryMacros;
use crate::resolve::{LibraryNames, Subst, Ty};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

pub use op::{Op, OpName};
pub use text::TyExpr;

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

#[derive(Clone, Debug)]
pub struct TypeModel {
    pub path: Name,
    pub params: Vec<Name>,
    pub role: Role,
    /// Plain data: copying and dropping it has no effect that matters.
    pub copy: bool,
}

/// An attribute that makes a function a context.
#[derive(Clone, Debug)]
pub struct AttributeModel {
    pub path: Vec<Name>,
    pub kind: ContextKind,
    pub many: bool,
}

/// All models.
#[derive(Default)]
pub struct Models {
    pub fns: Vec<FnModel>,
    types: FxHashMap<Name, TypeModel>,
    functions: FxHashMap<Name, FnModelId>,
    type_methods: FxHashMap<(Name, Name), FnModelId>,
    any_methods: FxHashMap<Name, FnModelId>,
    aliases: BTreeMap<String, String>,
    prelude: FxHashMap<Name, Name>,
    macros: FxHashMap<Vec<Name>, MacroShape>,
    attributes: Vec<AttributeModel>,
    /// Last segment of each type path.
    short: FxHashMap<Name, Name>,
    /// Module path → names in it, for glob imports.
    members: BTreeMap<String, Vec<(Name, Name)>>,
    traits: Vec<Name>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeText {
    /// With its parameters: `std::sync::Mutex<T>`.
    path: String,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    copy: bool,
    #[serde(default)]
    fns: Vec<String>,
    /// Takes over all functions of these types too.
    #[serde(default)]
    like: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContextText {
    attribute: String,
    kind: String,
    #[serde(default)]
    many: bool,
}

/// The built-in model files, in load order.
const BUILT_IN: &[(&str, &str)] = &[
    ("std", include_str!("std.toml")),
    ("std-collections", include_str!("std-collections.toml")),
    ("std-sync", include_str!("std-sync.toml")),
];

/// The models compiled into the program.
pub fn built_in() -> Arc<Models> {
    static MODELS: LazyLock<Arc<Models>> = LazyLock::new(|| {
        let mut models = Models::default();
        for (name, text) in BUILT_IN {
            if let Err(error) = models.add(text) {
                panic!("built-in model file {name}: {error}");
            }
        }
        Arc::new(models)
    });
    MODELS.clone()
}

impl Models {
    /// Adds one model file. Errs with a sentence that names the entry at fault; nothing is added then but what stood
    /// before it.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let file: FileText = toml::from_str(text).map_err(|e| e.to_string())?;
        self.aliases.extend(file.aliases);
        for ty in &file.types {
            self.declare_type(ty)?;
        }
        for path in &file.traits {
            self.traits.push(Name::new(path));
            self.member(path);
        }
        for path in file.prelude {
            let last = path.rsplit("::").next().unwrap_or(&path);
            self.prelude.insert(Name::new(last), Name::new(&path));
        }
        for ty in &file.types {
            self.add_type_fns(ty)?;
        }
        for entry in &file.fns {
            let model = self.parse_fn(entry, &[], None)?;
            let path = model.path;
            self.member(path.as_str());
            let id = self.push(model);
            self.functions.insert(path, id);
        }
        for entry in &file.methods {
            let model = self.parse_fn(entry, &[], None)?;
            let name = model.path;
            let id = self.push(model);
            self.any_methods.insert(name, id);
        }
        for (shape, names) in &file.macros {
            let shape = text::macro_shape(shape).ok_or_else(|| format!("`{shape}` is no macro shape"))?;
            for name in names {
                self.macros.insert(name.split("::").map(Name::new).collect(), shape);
            }
        }
        for context in file.contexts {
            let kind = text::context_kind(&context.kind).ok_or_else(|| format!("`{}` is no kind of context", context.kind))?;
            let path = context.attribute.split("::").map(Name::new).collect();
            self.attributes.push(AttributeModel { path, kind, many: context.many });
        }
        Ok(())
    }

    fn declare_type(&mut self, ty: &TypeText) -> Result<(), String> {
        let (path, params) = text::type_head(&ty.path).ok_or_else(|| format!("`{}` is no type path", ty.path))?;
        let name = Name::new(&path);
        let last = path.rsplit("::").next().unwrap_or(&path);
        self.short.entry(Name::new(last)).or_insert(name);
        self.member(&path);
        let role = ty.role.unwrap_or(Role::Plain);
        self.types.insert(name, TypeModel { path: name, params, role, copy: ty.copy });
        Ok(())
    }

    fn add_type_fns(&mut self, ty: &TypeText) -> Result<(), String> {
        let (path, params) = text::type_head(&ty.path).ok_or_else(|| format!("`{}` is no type path", ty.path))?;
        let owner = Name::new(&path);
        for other in &ty.like {
            let other = Name::new(other);
            let taken: Vec<(Name, FnModelId)> =
                self.type_methods.iter().filter(|((t, _), _)| *t == other).map(|((_, m), id)| (*m, *id)).collect();
            for (method, id) in taken {
                self.type_methods.entry((owner, method)).or_insert(id);
            }
        }
        for entry in &ty.fns {
            let mut model = self.parse_fn(entry, &params, Some(owner))?;
            let method = model.path;
            model.path = Name::new(&format!("{path}::{method}"));
            let id = self.push(model);
            self.type_methods.insert((owner, method), id);
        }
        Ok(())
    }

    fn parse_fn(&self, entry: &str, params: &[Name], owner: Option<Name>) -> Result<FnModel, String> {
        let names = text::TypeNames { params, owner, short: &self.short };
        text::parse_fn(entry, &names).ok_or_else(|| format!("`{entry}` is not of the form `name(parameters) -> type = effect`"))
    }

    fn push(&mut self, model: FnModel) -> FnModelId {
        let id = FnModelId(self.fns.len() as u32);
        self.fns.push(model);
        id
    }

    /// Remembers that a module has this member.
    fn member(&mut self, path: &str) {
        if let Some((module, last)) = path.rsplit_once("::") {
            self.members.entry(module.to_owned()).or_default().push((Name::new(last), Name::new(path)));
        }
    }

    pub fn fn_model(&self, id: FnModelId) -> &FnModel {
        &self.fns[id.0 as usize]
    }

    /// A free function (or an associated one by its full path).
    pub fn function(&self, path: Name) -> Option<FnModelId> {
        self.functions.get(&path).copied().or_else(|| {
            let (owner, method) = path.as_str().rsplit_once("::")?;
            self.type_methods.get(&(Name::new(owner), Name::new(method))).copied()
        })
    }

    /// A method or associated function of a library's type.
    pub fn type_method(&self, ty: Name, method: Name) -> Option<FnModelId> {
        self.type_methods.get(&(ty, method)).copied()
    }

    /// A method of a library's trait, whatever the receiver.
    pub fn any_method(&self, method: Name) -> Option<FnModelId> {
        self.any_methods.get(&method).copied()
    }

    pub fn type_model(&self, path: Name) -> Option<&TypeModel> {
        self.types.get(&path)
    }

    pub fn role(&self, ty: &Ty) -> Role {
        match ty {
            Ty::Ext(path, _) => self.type_model(*path).map_or(Role::Plain, |t| t.role),
            Ty::Array(_) | Ty::Slice(_) => Role::Collection,
            _ => Role::Plain,
        }
    }

    /// Name under which a type's methods are modelled: primitive types share a few (`int`, `float`).
    pub fn method_owner(&self, ty: &Ty) -> Option<Name> {
        match ty {
            Ty::Ext(path, _) => Some(*path),
            Ty::Prim(name) => Some(Name::new(text::primitive_class(name.as_str()))),
            Ty::Slice(_) | Ty::Array(_) => Some(Name::new("slice")),
            Ty::Ptr { .. } => Some(Name::new("pointer")),
            _ => None,
        }
    }

    pub fn attributes(&self) -> &[AttributeModel] {
        &self.attributes
    }

    /// The result type of a model for a receiver of type `self_ty`.
    pub fn ret_ty(&self, model: &FnModel, self_ty: &Ty) -> Ty {
        model.ret.instantiate(self_ty)
    }

    /// Substitution isn't needed: model types carry their arguments by position.
    pub fn no_subst() -> Subst {
        Subst::default()
    }
}

impl LibraryNames for Models {
    fn canonical(&self, path: &str) -> Name {
        let mut path = path.to_owned();
        for _ in 0..4 {
            let hit = self.aliases.iter().rev().find(|(from, _)| {
                path.strip_prefix(from.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            });
            match hit {
                Some((from, to)) => path = format!("{to}{}", &path[from.len()..]),
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
        self.macros.get(path).copied()
    }
}
