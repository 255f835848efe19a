//! Scopes: which definition a name stands for in a module, by namespace.
//!
//! In: entries put in by `collect` (declarations) and `imports` (`use`). Out: lookups by name, lexical (a block's
//! items, the blocks and the module around it, the crate's extern names) or in one module, and `Index`, everything a
//! finished `Program` keeps beside its tables to resolve bodies later.
//!
//! Invariants. Scopes keep insertion order, so walking one doesn't depend on ids of names. An explicit entry beats a
//! glob's; of a test-only and another item of one name the other one stays; a library's path, whose namespace is
//! unknown, stands in both and gives way to a definition.

use super::blocks::BodyBlocks;
use super::impls::ImplIndex;
use super::{
    AdtId, AliasId, ConstId, FnId, LibraryNames, ModuleId, Program, StaticId, TraitId, Ty, external,
};
use crate::hir::{AdtKind, Edition, Name, Segment, VariantShape};
use crate::project::cfg::When;
use crate::project::load::{LibraryMacros, MacroTable};
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::sync::{Arc, LazyLock, Mutex};

/// A map with insertion order.
pub(super) type OrderedMap<K, V> = IndexMap<K, V, FxBuildHasher>;

/// What a name in a scope stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Def {
    Module(ModuleId),
    Adt(AdtId),
    /// An enum's variant, or (in the value namespace) the constructor of a tuple or unit struct.
    Variant(AdtId, u32),
    Trait(TraitId),
    Alias(AliasId),
    Fn(FnId),
    Static(StaticId),
    Const(ConstId),
    /// A library's crate, module, type or value by canonical path.
    Ext(Name),
}

/// From where an entry may be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Vis {
    Public,
    /// In this module and those below it.
    In(ModuleId),
}

/// How an entry came into its scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    Declared,
    Import,
    /// By the glob import of this number.
    Glob(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub def: Def,
    pub vis: Vis,
    pub when: When,
    pub origin: Origin,
}

/// A glob import of a module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glob {
    pub from: ModuleId,
    pub vis: Vis,
    pub when: When,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Namespace {
    /// Types, modules, traits; variants, for struct patterns and literals.
    Types,
    Values,
}

/// The names of one module.
#[derive(Default, Debug)]
pub(super) struct Scope {
    types: OrderedMap<Name, Entry>,
    values: OrderedMap<Name, Entry>,
    /// Private globs, which are looked through when the name is asked for: copying what `use super::*` brings into
    /// each module would take the product of modules and names.
    globs: Vec<Glob>,
    /// Counts changes.
    pub version: u32,
}

impl Entry {
    /// Whether this entry takes the place of `old`, which has the same name and namespace.
    fn beats(&self, old: &Entry) -> bool {
        let rank = |e: &Entry| {
            (
                !matches!(e.origin, Origin::Glob(_)),
                e.when != When::TestOnly,
                !matches!(e.def, Def::Ext(_)),
                e.origin == Origin::Declared,
            )
        };
        if matches!(self.origin, Origin::Glob(_)) && self.origin == old.origin {
            return self.def != old.def || self.vis != old.vis;
        }
        let wider = self.vis == Vis::Public && old.vis != Vis::Public;
        rank(self) > rank(old) || (rank(self) == rank(old) && self.def == old.def && wider)
    }
}

impl Scope {
    pub fn names(&self, ns: Namespace) -> &OrderedMap<Name, Entry> {
        match ns {
            Namespace::Types => &self.types,
            Namespace::Values => &self.values,
        }
    }

    pub fn globs(&self) -> &[Glob] {
        &self.globs
    }

    /// Adds a glob that is looked through; those of test builds come last. Says whether it is new.
    pub fn add_glob(&mut self, glob: Glob) -> bool {
        if self.globs.iter().any(|g| g.from == glob.from && g.vis == glob.vis) {
            return false;
        }
        let tests = self.globs.iter().position(|g| g.when == When::TestOnly).unwrap_or(self.globs.len());
        let at = if glob.when == When::TestOnly { self.globs.len() } else { tests };
        self.globs.insert(at, glob);
        self.version += 1;
        true
    }

    /// Puts an entry in unless a better one is there; says whether the scope changed.
    pub fn insert(&mut self, ns: Namespace, name: Name, entry: Entry) -> bool {
        let names = match ns {
            Namespace::Types => &mut self.types,
            Namespace::Values => &mut self.values,
        };
        let changed = match names.entry(name) {
            indexmap::map::Entry::Vacant(slot) => {
                slot.insert(entry);
                true
            }
            indexmap::map::Entry::Occupied(mut slot) => {
                let wins = entry.beats(slot.get());
                if wins {
                    slot.insert(entry);
                }
                wins
            }
        };
        self.version += u32::from(changed);
        changed
    }
}

/// What a program keeps for resolving bodies on demand.
pub(super) struct Index {
    /// By module.
    pub scopes: Vec<Scope>,
    /// By crate.
    pub crates: Vec<CrateNames>,
    /// Bodies with items in their blocks.
    pub blocks: FxHashMap<super::BodyOwner, BodyBlocks>,
    pub impls: ImplIndex,
    pub names: Arc<dyn LibraryNames + Send + Sync>,
    /// Canonical paths of what libraries' modules and types have, as far as they were asked for.
    pub ext_members: Mutex<FxHashMap<(Name, Name), Name>>,
    pub macros: Arc<dyn LibraryMacros + Send + Sync>,
}

/// The names a crate has from outside.
#[derive(Default)]
pub(super) struct CrateNames {
    /// Crates it depends on, by the name its code uses.
    pub externs: FxHashMap<Name, Def>,
    pub macros: Arc<MacroTable>,
    /// Exported macros of the group's crates it depends on, by extern name.
    pub other_macros: Vec<(Name, Arc<MacroTable>)>,
}

/// Words with a meaning of their own in paths.
pub(super) struct Words {
    pub self_value: Name,
    pub self_type: Name,
    pub super_: Name,
    pub crate_: Name,
    pub dollar_crate: Name,
    pub underscore: Name,
    pub output: Name,
}

pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    self_value: Name::new("self"),
    self_type: Name::new("Self"),
    super_: Name::new("super"),
    crate_: Name::new("crate"),
    dollar_crate: Name::new("$crate"),
    underscore: Name::new("_"),
    output: Name::new("Output"),
});

impl Program {
    pub(super) fn edition(&self, module: ModuleId) -> Edition {
        self.crates[self.krate(module).0 as usize].source.edition
    }

    /// The root of the crate that `module` belongs to.
    pub(super) fn root_of(&self, module: ModuleId) -> ModuleId {
        self.crates[self.krate(module).0 as usize].root
    }

    /// The module that `self` means in `module`: blocks are none.
    pub(super) fn named_module(&self, mut module: ModuleId) -> ModuleId {
        while let (true, Some(parent)) =
            (self.modules[module.index()].is_block, self.modules[module.index()].parent)
        {
            module = parent;
        }
        module
    }

    /// The module above the one that `self` means.
    pub(super) fn super_module(&self, module: ModuleId) -> Option<ModuleId> {
        let parent = self.modules[self.named_module(module).index()].parent?;
        Some(self.named_module(parent))
    }

    /// Names of the modules from the crate's root (left out) to `module`; blocks are left out.
    pub(super) fn module_path(&self, module: ModuleId) -> Vec<Name> {
        let mut path = Vec::new();
        let mut at = Some(module);
        while let Some(id) = at {
            let def = &self.modules[id.index()];
            if !def.is_block && def.parent.is_some() {
                path.push(def.name);
            }
            at = def.parent;
        }
        path.reverse();
        path
    }

    /// Whether code in `from` may use an entry with this visibility.
    pub(super) fn sees(&self, from: ModuleId, vis: Vis) -> bool {
        let Vis::In(inside) = vis else { return true };
        let mut at = Some(from);
        while let Some(id) = at {
            if id == inside {
                return true;
            }
            at = self.modules[id.index()].parent;
        }
        false
    }

    /// Of two visibilities, both of which reach one module, the one that reaches less.
    pub(super) fn narrower(&self, a: Vis, b: Vis) -> Vis {
        match (a, b) {
            (Vis::Public, other) | (other, Vis::Public) => other,
            (Vis::In(inner), outer) if self.sees(inner, outer) => a,
            _ => b,
        }
    }

    /// What `name` means in the scope of `module` alone.
    pub(super) fn in_scope(&self, module: ModuleId, ns: Namespace, name: Name) -> Option<Def> {
        let scope = &self.index.scopes[module.index()];
        match scope.names(ns).get(&name) {
            Some(entry) => Some(entry.def),
            None if scope.globs.is_empty() => None,
            None => self.through_globs(module, ns, name, &mut Vec::new()).map(|e| e.def),
        }
    }

    fn through_globs(
        &self,
        module: ModuleId,
        ns: Namespace,
        name: Name,
        seen: &mut Vec<ModuleId>,
    ) -> Option<Entry> {
        seen.push(module);
        for glob in &self.index.scopes[module.index()].globs {
            if seen.contains(&glob.from) {
                continue;
            }
            let own = self.index.scopes[glob.from.index()].names(ns).get(&name).copied();
            let found = own.or_else(|| self.through_globs(glob.from, ns, name, seen));
            if let Some(entry) = found.filter(|e| self.sees(module, e.vis)) {
                return Some(Entry { vis: self.narrower(entry.vis, glob.vis), ..entry });
            }
        }
        None
    }

    /// What `name` means in `module`'s code by declarations and imports: the block's and the surrounding blocks'
    /// items, then those of the module.
    pub(super) fn lexical(&self, module: ModuleId, ns: Namespace, name: Name) -> Option<Def> {
        let mut at = module;
        loop {
            if let Some(def) = self.in_scope(at, ns, name) {
                return Some(def);
            }
            let def = &self.modules[at.index()];
            match def.parent {
                Some(parent) if def.is_block => at = parent,
                _ => return None,
            }
        }
    }

    /// The crate that `name` means as a path's first segment.
    pub(super) fn extern_crate(&self, module: ModuleId, name: Name) -> Option<Def> {
        self.index.crates[self.krate(module).0 as usize].externs.get(&name).copied()
    }

    /// The roots that a path's first segment `crate` may mean where a macro wrote it (as `$crate`): of the crates that
    /// define the macro called there first, then the module's own. Empty for a `crate` in the text itself.
    pub(super) fn macro_crates(&self, module: ModuleId, segment: &Segment) -> Vec<ModuleId> {
        if segment.name != WORDS.crate_ {
            return Vec::new();
        }
        let text = &self.file(self.modules[module.index()].file).source.text;
        let call = text.get(segment.range.lo as usize..segment.range.hi as usize).unwrap_or_default();
        if call == WORDS.crate_.as_str() {
            return Vec::new();
        }
        let called = Name::new(call.rsplit("::").next().unwrap_or_default().trim());
        let krate = &self.index.crates[self.krate(module).0 as usize];
        let root = |(name, _): &(Name, Arc<MacroTable>)| match krate.externs.get(name) {
            Some(Def::Module(root)) => Some(*root),
            _ => None,
        };
        let own = self.root_of(module);
        let defining = krate.other_macros.iter().filter(|(_, table)| table.defines(called)).filter_map(root);
        let mut roots: Vec<ModuleId> = defining.chain([own]).collect();
        if krate.macros.defines(called) {
            roots.rotate_right(1);
        }
        roots.extend(krate.other_macros.iter().filter(|(_, table)| !table.defines(called)).filter_map(root));
        roots
    }

    /// What a path's first segment means as a module or type (keywords and `Self` apart). `guess`: a lower-case
    /// name that nothing declares is a library's crate.
    pub(super) fn first_segment(&self, module: ModuleId, name: Name, guess: bool) -> Option<Def> {
        let found = self.lexical(module, Namespace::Types, name);
        if let Some(Def::Ext(path)) = found
            && external::named_like_its_crate(path, name)
        {
            // `use anyhow::anyhow` imports a macro or function; `anyhow::` still means the crate.
            return self.extern_crate(module, name).or_else(|| external::crate_root(path));
        }
        found
            .or_else(|| self.extern_crate(module, name))
            .or_else(|| (guess && !external::is_type_name(name)).then_some(Def::Ext(name)))
            .or_else(|| self.index.names.prelude(name, self.edition(module)).map(Def::Ext))
    }

    /// What `base::name` means in both namespaces.
    pub(super) fn members(&self, base: Def, name: Name) -> (Option<Def>, Option<Def>) {
        match base {
            Def::Module(module) => (
                self.in_scope(module, Namespace::Types, name),
                self.in_scope(module, Namespace::Values, name),
            ),
            Def::Adt(adt) => {
                let variant = self.enum_variant(adt, name).map(|v| Def::Variant(adt, v));
                (variant, variant)
            }
            Def::Ext(path) => {
                let def = Some(Def::Ext(self.ext_member(path, name)));
                (def, def)
            }
            Def::Variant(..)
            | Def::Trait(_)
            | Def::Alias(_)
            | Def::Fn(_)
            | Def::Static(_)
            | Def::Const(_) => (None, None),
        }
    }

    /// The canonical path of `path::name`.
    pub(super) fn ext_member(&self, path: Name, name: Name) -> Name {
        let canonical = || self.index.names.canonical(&format!("{path}::{name}"));
        match self.index.ext_members.lock() {
            Ok(mut known) => *known.entry((path, name)).or_insert_with(canonical),
            Err(_) => canonical(),
        }
    }

    /// The number of an enum's variant.
    pub(super) fn enum_variant(&self, adt: AdtId, name: Name) -> Option<u32> {
        let def = &self.adts[adt.index()];
        if def.kind != AdtKind::Enum {
            return None;
        }
        def.variants.iter().position(|v| v.name == name).map(|i| i as u32)
    }

    /// Whether a name in a pattern that stands for `def` doesn't introduce a variable.
    pub(super) fn is_pattern_constant(&self, def: Def) -> bool {
        match def {
            Def::Const(_) | Def::Static(_) => true,
            Def::Variant(adt, v) => self.adts[adt.index()].variants[v as usize].shape == VariantShape::Unit,
            Def::Ext(path) => external::is_type_name(path.last_segment()),
            Def::Module(_) | Def::Adt(_) | Def::Trait(_) | Def::Alias(_) | Def::Fn(_) => false,
        }
    }

    /// The type parameters of an adt as its own arguments.
    pub(super) fn identity_args(params: &[super::ParamId]) -> super::Args {
        params.iter().map(|p| Ty::Param(*p)).collect()
    }
}
