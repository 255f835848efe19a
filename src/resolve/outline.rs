//! Who mentions whom, by words: what is known of a group's code before any body is parsed.
//!
//! In: the collected declarations and the identifiers of every body. Out: an `Outline`: for each body, type, alias and
//! macro the words it uses and the words by which other code gets to it. Nothing is resolved: a word stands for
//! everything of that name. Invariants: what isn't found under its keys can't be used by name; code that runs
//! without being named (drops, operators) is reached by having a value of its type. Items in
//! bodies are not listed: their words are among those of the body around them.

use super::collect::Collector;
use super::imports::Import;
use super::scope::WORDS;
use super::{BodyOwner, FnDef, FnId, ModuleId, Owner, Program, StaticId};
use crate::finding::FileId;
use crate::hir::{self, BodyIndex, BodySource, GenericArg, Name, NameMap, Tokens, Tt, Type};
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;

pub struct Outline<'p> {
    pub units: Vec<Unit<'p>>,
    /// Other names of types: what a rename or a type alias stands for, by the name that stands for it.
    pub aliases: FxHashMap<Name, Vec<Name>>,
    /// What these stand for, all together.
    renamed: FxHashSet<Name>,
    /// Words in the paths of imports.
    imported: Vec<Name>,
    /// Modules with what is imported from them; with nothing for a glob.
    imports: FxHashSet<(Name, Option<Name>)>,
    /// Of all types.
    pub fields: Vec<Field>,
    /// Something in the group is `unsafe impl Send` or `Sync`, or of another unsafe trait.
    pub promises: bool,
}

impl Outline<'_> {
    /// Whether something imports the name from a module so called, or the module's name may be another.
    pub fn imports(&self, module: Name, name: Name) -> bool {
        self.imports.contains(&(module, Some(name)))
            || self.imports.contains(&(module, None))
            || self.renames(module)
    }

    /// Whether something of this name may be called by another one.
    pub fn renames(&self, name: Name) -> bool {
        self.renamed.contains(&name)
    }

    /// All words that the code uses.
    pub fn words(&self) -> NameMap<bool> {
        let mut found: NameMap<bool> = NameMap::default();
        let mut add = |names: &[Name]| names.iter().for_each(|name| *found.get_mut(*name) = true);
        add(&self.imported);
        for unit in &self.units {
            let words = &unit.words;
            [&words.plain, &words.dotted, &words.macros].into_iter().for_each(|names| add(names));
            [&unit.types, &unit.gives].into_iter().for_each(|names| add(names));
        }
        found
    }
}

/// A field as it is declared.
pub struct Field {
    pub name: Name,
    /// The type that has it.
    pub owner: Name,
    /// It is known by its position.
    pub unnamed: bool,
    pub types: Vec<Name>,
    /// A raw pointer is part of its type.
    pub raw: bool,
}

/// One piece of code or declaration.
pub struct Unit<'p> {
    pub of: UnitOf,
    pub keys: Vec<Key>,
    pub words: Words<'p>,
    /// Types of what it takes or holds.
    pub types: Vec<Name>,
    /// Types of what it gives to those who name it.
    pub gives: Vec<Name>,
    /// The type that `Self` means.
    pub owner: Option<Name>,
    pub module: Option<ModuleId>,
    /// Only code of `module` and the modules in it can name it.
    pub private: bool,
}

/// The words that a piece of code uses.
#[derive(Default)]
pub struct Words<'p> {
    /// After no dot.
    pub plain: Cow<'p, [Name]>,
    /// After a dot.
    pub dotted: Cow<'p, [Name]>,
    /// Before a `!`.
    pub macros: Cow<'p, [Name]>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnitOf {
    Body(BodyOwner),
    /// A type or another name for something.
    Declaration,
    Macro,
}

/// How code is reached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// By its name, not after a dot.
    Plain(Name),
    /// By its name before a `!`.
    Macro(Name),
    /// By its name after a dot.
    Dotted(Name),
    /// By its name after a dot where a value of the type may be.
    Method { owner: Name, name: Name },
    /// `owner::name`
    Assoc { owner: Name, name: Name },
    /// By whoever has a value of the type: what the language calls without a name.
    Holds(Name),
}

/// Traits whose functions run without being named: at the end of a scope, by operators, loops, `await` and `?`, by what a library
/// does with a value.
const CALLED_UNNAMED: [&str; 54] = [
    "Drop",
    "Deref",
    "DerefMut",
    "Index",
    "IndexMut",
    "Iterator",
    "IntoIterator",
    "Future",
    "IntoFuture",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "TryFrom",
    "FromStr",
    "FromIterator",
    "Sum",
    "Product",
    "Default",
    "Clone",
    "Display",
    "Debug",
    "Write",
    "Read",
    "Hash",
    "Ord",
    "AsRef",
    "AsMut",
    "Borrow",
    "Extend",
    "PartialEq",
    "PartialOrd",
    "Add",
    "AddAssign",
    "Sub",
    "SubAssign",
    "Mul",
    "MulAssign",
    "Div",
    "DivAssign",
    "Rem",
    "RemAssign",
    "BitAnd",
    "BitAndAssign",
    "BitOr",
    "BitOrAssign",
    "BitXor",
    "BitXorAssign",
    "Shl",
    "ShlAssign",
    "Shr",
    "ShrAssign",
    "Neg",
    "Not",
];

/// Those of them that generic code calls by name on what may be any type.
const CALLED_BY_BOUND: [&str; 5] = ["AsRef", "AsMut", "Borrow", "Write", "Read"];

pub(super) fn outline(collector: &Collector) -> Outline<'_> {
    let program = &collector.program;
    let written = &collector.written;
    let (mut units, mut fields) = (Vec::new(), Vec::new());
    let mut aliases: FxHashMap<Name, Vec<Name>> = FxHashMap::default();
    for (def, (_, _, ty)) in program.aliases.iter().zip(&written.aliases) {
        let types = words_of_type(ty);
        aliases.entry(def.name).or_default().extend(&types);
        units.push(declaration(def.name, types));
    }
    for (name, declared) in collector.imports.iter().filter_map(Import::rename) {
        aliases.entry(name).or_default().push(declared);
        let words = Words { plain: vec![declared].into(), ..Words::default() };
        units.push(Unit { words, ..declaration(name, vec![declared]) });
    }
    let own = Own {
        aliases: &aliases,
        types: program.adts.iter().map(|adt| adt.name).collect(),
        traits: program.traits.iter().map(|t| t.name).collect(),
        unnamed: CALLED_UNNAMED.iter().map(|name| Name::new(name)).collect(),
    };
    for at in 0..program.fns.len() {
        units.extend(function(collector, &own, FnId(at as u32)));
    }
    for (at, def) in program.statics.iter().enumerate() {
        let of = UnitOf::Body(BodyOwner::Static(StaticId(at as u32)));
        let types = words_of_type(&def.item.ty);
        let words = words(program, def.file, def.item.init.as_ref());
        let keys = vec![Key::Plain(def.name)];
        units.push(Unit { words, types: types.clone(), gives: types, ..Unit::new(of, keys) });
    }
    for (at, def) in program.consts.iter().enumerate() {
        let of = UnitOf::Body(BodyOwner::Const(super::ConstId(at as u32)));
        let words = words(program, def.file, def.item.init.as_ref());
        let keys = if def.name == WORDS.underscore { Vec::new() } else { vec![Key::Plain(def.name)] };
        units.push(Unit { words, gives: words_of_type(&def.item.ty), ..Unit::new(of, keys) });
    }
    for (def, item) in program.adts.iter().zip(&written.adts) {
        let mut types = Vec::new();
        for (variant, field) in item.variants.iter().flat_map(|v| v.fields.iter().map(move |f| (v, f))) {
            let own = words_of_type(&field.ty);
            types.extend(&own);
            fields.push(Field {
                name: field.name,
                owner: def.name,
                unnamed: variant.shape == hir::VariantShape::Tuple,
                types: own,
                raw: has_pointer(&field.ty),
            });
        }
        units.push(declaration(def.name, types));
    }
    for (name, tokens) in program.macro_tokens() {
        let words = words_of_tokens(&tokens);
        units.push(Unit { words, ..Unit::new(UnitOf::Macro, vec![Key::Macro(name)]) });
    }
    let promises = written.impls.iter().any(|i| i.is_unsafe);
    let imported = collector.imports.iter().flat_map(Import::path).copied().collect();
    let imports = collector.imports.iter().filter_map(Import::ends_in).collect();
    let renamed = aliases.values().flatten().copied().collect();
    Outline { units, aliases, renamed, imported, imports, fields, promises }
}

impl<'p> Unit<'p> {
    fn new(of: UnitOf, keys: Vec<Key>) -> Unit<'p> {
        Unit {
            of,
            keys,
            words: Words::default(),
            types: Vec::new(),
            gives: Vec::new(),
            owner: None,
            module: None,
            private: false,
        }
    }
}

fn declaration<'p>(name: Name, types: Vec<Name>) -> Unit<'p> {
    Unit { types, ..Unit::new(UnitOf::Declaration, vec![Key::Holds(name), Key::Plain(name)]) }
}

/// The names that a group declares.
struct Own<'a> {
    aliases: &'a FxHashMap<Name, Vec<Name>>,
    types: FxHashSet<Name>,
    traits: FxHashSet<Name>,
    unnamed: FxHashSet<Name>,
}

impl Own<'_> {
    /// The first own type that the words of a type name, be it by another name.
    fn type_in(&self, words: &[Name]) -> Option<Name> {
        let behind = words.iter().filter_map(|word| self.aliases.get(word)).flatten();
        words.iter().chain(behind).copied().find(|word| self.types.contains(word))
    }
}

/// A function with a body.
fn function<'p>(collector: &'p Collector, own: &Own<'_>, id: FnId) -> Option<Unit<'p>> {
    let def = collector.program.fn_def(id);
    let source = def.item.body.as_ref()?;
    let gives = def.item.ret.as_ref().map(words_of_type).unwrap_or_default();
    let mut types = gives.clone();
    def.item.params.iter().for_each(|param| type_words(&param.ty, &mut types));
    let (owner, keys) = match def.owner {
        Owner::Module | Owner::Trait(_) => (None, by_name(def)),
        Owner::Impl(at) => {
            let item = &collector.written.impls[at.index()];
            let of = words_of_type(&item.self_ty);
            let owner = own.type_in(&of);
            types.extend(of);
            (owner, keys_in_impl(item, def, owner, own))
        }
    };
    let words = words(&collector.program, def.file, Some(source));
    let (of, module) = (UnitOf::Body(BodyOwner::Fn(id)), Some(def.module));
    Some(Unit { of, keys, words, types, gives, owner, module, private: def.is_private })
}

fn by_name(def: &FnDef) -> Vec<Key> {
    let mut keys = vec![Key::Plain(def.name)];
    keys.extend(def.item.self_param.as_ref().map(|_| Key::Dotted(def.name)));
    keys
}

fn keys_in_impl(item: &hir::ImplItem, def: &FnDef, owner: Option<Name>, own: &Own<'_>) -> Vec<Key> {
    let of_trait = item.trait_.as_ref().and_then(|path| path.segments.last());
    match (owner, of_trait) {
        (None, _) => by_name(def),
        (Some(_), Some(name)) if own.traits.contains(&name.name) => by_name(def),
        (Some(owner), Some(name)) if own.unnamed.contains(&name.name) => {
            let mut keys = vec![Key::Holds(owner), Key::Assoc { owner, name: def.name }];
            keys.extend(CALLED_BY_BOUND.contains(&name.name.as_str()).then_some(Key::Dotted(def.name)));
            keys
        }
        (Some(owner), _) => {
            let mut keys = vec![Key::Assoc { owner, name: def.name }];
            keys.extend(def.item.self_param.as_ref().map(|_| Key::Method { owner, name: def.name }));
            keys
        }
    }
}

/// The words of a body or initializer.
fn words<'p>(program: &'p Program, file: FileId, source: Option<&BodySource>) -> Words<'p> {
    match source {
        None => Words::default(),
        Some(BodySource::Tokens(tokens)) => words_of_tokens(tokens),
        Some(BodySource::Text(range)) => {
            let file = program.file(file);
            match file.bodies.binary_search_by_key(&range.lo, |b| b.range.lo) {
                Ok(at) => {
                    let BodyIndex { identifiers, dotted, macros, .. } = &file.bodies[at];
                    Words {
                        plain: identifiers[..].into(),
                        dotted: dotted[..].into(),
                        macros: macros[..].into(),
                    }
                }
                Err(_) => {
                    let index = crate::syntax::index(&file.source.text, *range);
                    let [plain, dotted, macros] =
                        [index.identifiers, index.dotted, index.macros].map(|names| names.into_vec().into());
                    Words { plain, dotted, macros }
                }
            }
        }
    }
}

fn words_of_tokens<'p>(tokens: &Tokens) -> Words<'p> {
    let mut words = Words::default();
    token_words(tokens, &mut words);
    words
}

fn token_words(tokens: &Tokens, words: &mut Words) {
    let (mut after_dot, mut before) = (false, None);
    for token in tokens.iter() {
        let dot = matches!(token, Tt::Punct('.', ..)) && !after_dot;
        let mut word = None;
        match token {
            Tt::Ident(name, _) => {
                let to = if after_dot { &mut words.dotted } else { &mut words.plain };
                to.to_mut().push(*name);
                word = Some(*name);
            }
            Tt::Group(_, inner, _) => token_words(inner, words),
            Tt::Punct('!', ..) => words.macros.to_mut().extend(before),
            Tt::Lifetime(..) | Tt::Punct(..) | Tt::Literal(..) => {}
        }
        (after_dot, before) = (dot, word);
    }
}

/// The types that a type names, the outermost first.
fn words_of_type(ty: &Type) -> Vec<Name> {
    let mut words = Vec::new();
    type_words(ty, &mut words);
    words
}

fn type_words(ty: &Type, words: &mut Vec<Name>) {
    match ty {
        Type::Path(path) => path_words(path, words),
        Type::Ref { inner, .. } | Type::Ptr { inner, .. } | Type::Array(inner, _) | Type::Slice(inner) => {
            type_words(inner, words);
        }
        Type::Tuple(all) => all.iter().for_each(|ty| type_words(ty, words)),
        Type::Dyn(bounds) | Type::Impl(bounds) => bounds.iter().for_each(|b| path_words(&b.path, words)),
        Type::FnPtr { params, ret } => {
            params.iter().for_each(|ty| type_words(ty, words));
            ret.iter().for_each(|ty| type_words(ty, words));
        }
        Type::Never | Type::Infer | Type::Unknown => {}
    }
}

fn has_pointer(ty: &Type) -> bool {
    match ty {
        Type::Ptr { .. } => true,
        Type::Ref { inner, .. } | Type::Array(inner, _) | Type::Slice(inner) => has_pointer(inner),
        Type::Tuple(all) => all.iter().any(has_pointer),
        Type::Path(path) => path.segments.iter().flat_map(|segment| &segment.args).any(|arg| match arg {
            GenericArg::Type(ty) | GenericArg::Assoc(_, ty) => has_pointer(ty),
            GenericArg::Const(_) => false,
        }),
        Type::FnPtr { .. } | Type::Dyn(_) | Type::Impl(_) | Type::Never | Type::Infer | Type::Unknown => {
            false
        }
    }
}

fn path_words(path: &hir::Path, words: &mut Vec<Name>) {
    if let Some(qualified) = &path.qself {
        type_words(&qualified.0, words);
    }
    words.extend(path.segments.last().map(|segment| segment.name));
    for segment in &path.segments {
        for arg in &segment.args {
            match arg {
                GenericArg::Type(ty) | GenericArg::Assoc(_, ty) => type_words(ty, words),
                GenericArg::Const(_) => {}
            }
        }
        segment.fn_output.iter().for_each(|ty| type_words(ty, words));
    }
}
