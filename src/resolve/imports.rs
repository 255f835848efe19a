//! `use` declarations: resolved together to a fixpoint.
//!
//! In: scopes with all declarations. Out: the same scopes with the imported names. A path is first looked for among
//! declarations, imports and known crates only; when nothing more is found that way, an unknown first segment is
//! taken for a library's crate (rustc would refuse it otherwise) and the fixpoint goes on.
//! Invariant: the result depends on the order of declarations only; rounds are bounded.

use super::collect::{Collector, Place};
use super::scope::{Def, Entry, Glob, Namespace, Origin, Vis, WORDS};
use super::{ModuleId, Program};
use crate::hir::{AdtKind, Edition, Name, UseKind, UseLeaf};
use crate::project::cfg::When;

/// Bound on rounds over all imports; a chain of re-exports needs one a link at worst.
const MAX_ROUNDS: u32 = 64;

/// One leaf of a `use` tree.
pub(super) struct Import {
    module: ModuleId,
    path: Vec<Name>,
    /// `use ::path`
    global: bool,
    kind: UseKind,
    vis: Vis,
    when: When,
    /// For `$crate::path`: the crates it may mean.
    macro_crates: Vec<ModuleId>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Found in one namespace or as a glob's module (with the version of its scope): more may come.
    Partial(u32),
    /// Nothing more can be found.
    Done,
}

/// What an import's path means by namespace.
#[derive(Default, Clone, Copy)]
struct Found {
    types: Option<Def>,
    values: Option<Def>,
}

impl Import {
    pub fn new(program: &Program, place: Place, leaf: &UseLeaf, vis: Vis) -> Import {
        let first = leaf.path.segments.first();
        let macro_crates = first.map_or_else(Vec::new, |seg| program.macro_crates(place.module, seg));
        Import {
            macro_crates,
            module: place.module,
            path: leaf.path.segments.iter().map(|s| s.name).collect(),
            global: leaf.path.global,
            kind: leaf.kind.clone(),
            vis,
            when: place.when,
            state: State::Open,
        }
    }

    /// The path as it is written.
    pub fn path(&self) -> &[Name] {
        &self.path
    }

    /// The last two words of the path of what it binds; only the first of them for a glob.
    pub fn ends_in(&self) -> Option<(Name, Option<Name>)> {
        match (&self.kind, &self.path[..]) {
            (UseKind::Glob, [.., module]) => Some((*module, None)),
            (_, [.., module, name]) => Some((*module, Some(*name))),
            _ => None,
        }
    }

    /// A new name and what it stands for.
    pub fn rename(&self) -> Option<(Name, Name)> {
        match self.kind {
            UseKind::Renamed(name) => Some((name, *self.path.last()?)),
            UseKind::Plain | UseKind::SelfModule | UseKind::Glob => None,
        }
    }

    /// The name it binds; `None` for globs and `_`.
    fn binds(&self) -> Option<Name> {
        let name = match self.kind {
            UseKind::Plain | UseKind::SelfModule => *self.path.last()?,
            UseKind::Renamed(name) => name,
            UseKind::Glob => return None,
        };
        (name != WORDS.underscore).then_some(name)
    }
}

/// Puts all imported names into the scopes.
pub(super) fn resolve_imports(collector: &mut Collector) {
    let mut imports = std::mem::take(&mut collector.imports);
    let program = &mut collector.program;
    for guess in [false, true] {
        for _ in 0..MAX_ROUNDS {
            let mut changed = false;
            for (number, import) in imports.iter_mut().enumerate() {
                if import.state != State::Done {
                    changed |= program.import(import, number as u32, guess);
                }
            }
            if !changed {
                break;
            }
        }
    }
    let lost = |i: &&Import| {
        let names_macro = i.path.last().is_some_and(|name| program.is_macro(i.module, *name));
        i.state == State::Open && !names_macro
    };
    program.blind.unresolved_imports = imports.iter().filter(lost).count() as u64;
}

impl Program {
    /// Resolves one import as far as it goes; says whether a scope changed.
    fn import(&mut self, import: &mut Import, number: u32, guess: bool) -> bool {
        let found = self.import_target(import, guess);
        if import.kind == UseKind::Glob {
            return match found.types {
                Some(target) => self.import_all(import, number, target),
                None => false,
            };
        }
        let is_ext = matches!(found.types, Some(Def::Ext(_)));
        import.state = match (found.types, found.values) {
            (None, None) => return false,
            (Some(_), Some(_)) => State::Done,
            _ if is_ext || import.kind == UseKind::SelfModule => State::Done,
            _ => State::Partial(0),
        };
        let Some(name) = import.binds() else { return false };
        let entry = |def| Entry { def, vis: import.vis, when: import.when, origin: Origin::Import };
        let scope = &mut self.index.scopes[import.module.index()];
        let mut changed = false;
        if let Some(def) = found.types {
            changed |= scope.insert(Namespace::Types, name, entry(def));
        }
        if let Some(def) = found.values.filter(|_| import.kind != UseKind::SelfModule) {
            changed |= scope.insert(Namespace::Values, name, entry(def));
        }
        changed
    }

    /// What the import's path means now.
    fn import_target(&self, import: &Import, guess: bool) -> Found {
        let from_crate = |root: &ModuleId| {
            let start = Found { types: Some(Def::Module(*root)), values: None };
            let found = self.follow_import(start, &import.path[1..]);
            (found.types.is_some() || found.values.is_some()).then_some(found)
        };
        if let Some(found) = import.macro_crates.iter().find_map(from_crate) {
            return found;
        }
        match self.import_start(import, guess) {
            Some((start, used)) => self.follow_import(start, &import.path[used..]),
            None => Found::default(),
        }
    }

    fn follow_import(&self, start: Found, path: &[Name]) -> Found {
        let mut found = start;
        for name in path {
            let Some(base) = found.types else { return Found::default() };
            let (types, values) = self.members(base, *name);
            found = Found { types, values };
        }
        found
    }

    /// What the path begins with, and how many segments say so.
    fn import_start(&self, import: &Import, guess: bool) -> Option<(Found, usize)> {
        let module = |def: Def, used| Some((Found { types: Some(def), values: None }, used));
        let mut names = import.path.iter().copied();
        if let Some((id, used)) = self.keyword_module(import.module, &mut names, false) {
            return module(Def::Module(id), used);
        }
        let root = self.root_of(import.module);
        let Some(&first) = import.path.first() else { return module(Def::Module(root), 0) };
        if self.edition(import.module) == Edition::E2015 {
            return self.import_start_2015(import, first, guess);
        }
        if import.global {
            let krate = self.extern_crate(import.module, first).unwrap_or(Def::Ext(first));
            return module(krate, 1);
        }
        match import.kind {
            UseKind::Plain if import.path.len() == 1 => {
                // `use name;` brings a crate (or a macro); never something of its own scope.
                let guessed = || (guess && !self.is_macro(import.module, first)).then_some(Def::Ext(first));
                module(self.extern_crate(import.module, first).or_else(guessed)?, 1)
            }
            _ => {
                let types =
                    self.first_segment(import.module, first, guess && !self.is_macro(import.module, first));
                let values = self.lexical(import.module, Namespace::Values, first);
                (types.is_some() || values.is_some()).then_some((Found { types, values }, 1))
            }
        }
    }

    /// Edition 2015: paths of imports start in the crate's root.
    fn import_start_2015(&self, import: &Import, first: Name, guess: bool) -> Option<(Found, usize)> {
        let root = self.root_of(import.module);
        let (types, values) = self.members(Def::Module(root), first);
        let types = types
            .or_else(|| self.extern_crate(import.module, first))
            .or_else(|| (guess && values.is_none()).then_some(Def::Ext(first)));
        (types.is_some() || values.is_some()).then_some((Found { types, values }, 1))
    }

    /// Copies all that `target` has and the importing module may see.
    fn import_all(&mut self, import: &mut Import, number: u32, target: Def) -> bool {
        match target {
            Def::Module(from) => self.import_module(import, number, from),
            Def::Adt(adt) if self.adts[adt.index()].kind == AdtKind::Enum => {
                import.state = State::Done;
                let variants = self.adts[adt.index()].variants.iter().enumerate();
                let names: Vec<_> = variants.map(|(i, v)| (v.name, Def::Variant(adt, i as u32))).collect();
                self.enter_glob(import, number, names)
            }
            Def::Ext(path) => {
                import.state = State::Done;
                let names = self.index.names.glob(path.as_str());
                self.enter_glob(
                    import,
                    number,
                    names.into_iter().map(|(n, path)| (n, Def::Ext(path))).collect(),
                )
            }
            _ => false,
        }
    }

    /// A private glob is noted only; what others bring is copied, again whenever its scope has changed.
    fn import_module(&mut self, import: &mut Import, number: u32, from: ModuleId) -> bool {
        let glob = Glob { from, vis: import.vis, when: import.when };
        if import.vis == Vis::In(import.module) {
            import.state = State::Done;
            return from != import.module && self.index.scopes[import.module.index()].add_glob(glob);
        }
        let version = self.index.scopes[from.index()].version;
        if from == import.module || import.state == State::Partial(version) {
            import.state = State::Partial(version);
            return false;
        }
        import.state = State::Partial(version);
        let source = &self.index.scopes[from.index()];
        let passed_on = source.globs().iter().filter(|g| self.sees(import.module, g.vis));
        let narrowed = |g: &Glob| Glob { vis: self.narrower(g.vis, import.vis), ..*g };
        let passed_on: Vec<Glob> = passed_on.map(narrowed).collect();
        let mut changed = false;
        for glob in passed_on {
            changed |= self.index.scopes[import.module.index()].add_glob(glob);
        }
        for ns in [Namespace::Types, Namespace::Values] {
            let source = self.index.scopes[from.index()].names(ns);
            let seen = source.iter().filter(|(_, e)| self.sees(import.module, e.vis));
            let origin = Origin::Glob(number);
            let copy = |e: &Entry| Entry { vis: self.narrower(e.vis, import.vis), origin, ..*e };
            let seen: Vec<(Name, Entry)> = seen.map(|(name, e)| (*name, copy(e))).collect();
            let scope = &mut self.index.scopes[import.module.index()];
            for (name, entry) in seen {
                changed |= scope.insert(ns, name, entry);
            }
        }
        changed
    }

    /// Whether the crate or one that it depends on defines a macro of this name.
    fn is_macro(&self, module: ModuleId, name: Name) -> bool {
        let krate = &self.index.crates[self.krate(module).0 as usize];
        krate.macros.defines(name) || krate.other_macros.iter().any(|(_, table)| table.defines(name))
    }

    fn enter_glob(&mut self, import: &Import, number: u32, names: Vec<(Name, Def)>) -> bool {
        let scope = &mut self.index.scopes[import.module.index()];
        let mut changed = false;
        for (name, def) in names {
            let entry = Entry { def, vis: import.vis, when: import.when, origin: Origin::Glob(number) };
            changed |= scope.insert(Namespace::Types, name, entry);
            changed |= scope.insert(Namespace::Values, name, entry);
        }
        changed
    }
}
