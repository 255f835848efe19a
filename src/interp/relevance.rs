//! Which bodies can matter: found by words, before anything is resolved or walked.
//!
//! In: the group's `Outline` (who mentions whom). Out: for a function, whether it may (transitively) touch state that
//! all contexts share, start a context, or do anything the walk has to see (state, contexts, locks, order).
//! Over-approximate: a word stands for everything of that name.

use crate::hir::{Name, StaticKind};
use crate::models::{Models, Op, OpName};
use crate::resolve::outline::{Key, Outline, Unit, UnitOf};
use crate::resolve::{BodyOwner, FnId, ModuleId, Program, Ty};
use rustc_hash::{FxHashMap, FxHashSet};

pub struct Relevance {
    /// By `FnId`, without the functions that are declared in bodies.
    functions: Vec<Flags>,
    /// Statics and constants whose bodies do something that matters.
    initializers: FxHashSet<BodyOwner>,
    any_state: bool,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    /// May touch state that every context sees.
    shares: bool,
    /// May start a context.
    starts: bool,
    /// May do anything that matters.
    acts: bool,
    /// Some other code may call it.
    called: bool,
}

impl Relevance {
    pub fn new(program: &Program, outline: &Outline, models: &Models) -> Relevance {
        let words = model_words(models);
        let index = Index::new(outline, &words);
        let seeds = |sets: &[&FxHashSet<Name>]| -> Vec<Mention> {
            sets.iter().flat_map(|set| set.iter()).copied().map(Mention::Any).collect()
        };
        let any_state = index.mentions_any(&words.state)
            || index.mentions_any(&words.acts)
            || program.statics.iter().any(|s| s.item.mutable);
        let mut found = Relevance {
            functions: vec![Flags::default(); program.fns.len()],
            initializers: FxHashSet::default(),
            any_state,
        };
        if !any_state {
            return found;
        }
        let stateful = index.closure(seeds(&[&words.state]), true);
        let shared: Vec<Mention> = (program.statics.iter().zip(index.statics(program)))
            .filter(|(def, unit)| {
                def.item.storage != StaticKind::ThreadLocal
                    && (def.item.mutable || unit.is_some_and(|at| stateful[at as usize]))
            })
            .map(|(def, _)| Mention::Plain(def.name))
            .chain(words.global.iter().copied().map(Mention::Any))
            .chain(index.declaring_statics(&words).map(Mention::Unit))
            .collect();
        let mut acting = seeds(&[&words.state, &words.acts, &words.starts]);
        acting.extend(&shared);
        let shares = index.closure(shared, false);
        let starts = index.closure(seeds(&[&words.starts]), false);
        let acts = index.closure(acting, false);
        for (at, unit) in outline.units.iter().enumerate() {
            match unit.of {
                UnitOf::Body(BodyOwner::Fn(id)) => {
                    let called = index.is_mentioned(at as u32);
                    found.functions[id.index()] =
                        Flags { shares: shares[at], starts: starts[at], acts: acts[at], called };
                }
                UnitOf::Body(owner) if acts[at] => {
                    found.initializers.insert(owner);
                }
                UnitOf::Body(_) | UnitOf::Declaration | UnitOf::Macro => {}
            }
        }
        found
    }

    pub fn any_state(&self) -> bool {
        self.any_state
    }

    /// Whether the items in a body can matter.
    pub fn wants_items(&self, program: &Program, owner: BodyOwner) -> bool {
        match owner {
            BodyOwner::Fn(id) => {
                let flags = self.flags(program, id);
                let entered = flags.called || flags.shares || flags.starts;
                self.any_state && flags.acts && entered
            }
            other => self.initializers.contains(&other),
        }
    }

    /// Whether it may touch state that every context sees.
    pub fn shares_state(&self, program: &Program, id: FnId) -> bool {
        self.flags(program, id).shares
    }

    pub fn starts_contexts(&self, program: &Program, id: FnId) -> bool {
        self.flags(program, id).starts
    }

    /// Whether a call has to be entered: it does something that matters, or its result may carry a pointer, a
    /// closure, a handle.
    pub fn walks(&self, program: &Program, id: FnId) -> bool {
        self.flags(program, id).acts || !is_plain(program, &program.fn_def(id).sig.ret, 0)
    }

    /// Of a function declared in a body: those of the function around it.
    fn flags(&self, program: &Program, id: FnId) -> Flags {
        if let Some(flags) = self.functions.get(id.index()) {
            return *flags;
        }
        let mut module: Option<ModuleId> = Some(program.fn_def(id).module);
        while let Some(at) = module {
            let def = &program.modules[at.index()];
            if let Some(around) = def.block_of.filter(|_| def.is_block) {
                return self.flags(program, around);
            }
            module = def.parent;
        }
        Flags { shares: true, starts: true, acts: true, called: true }
    }
}

/// A word as some unit uses it.
#[derive(Clone, Copy)]
enum Mention {
    Plain(Name),
    Any(Name),
    /// The unit itself.
    Unit(u32),
}

/// The outline by mention.
struct Index<'o, 'p> {
    outline: &'o Outline<'p>,
    /// Units that use a word after no dot, after a dot, and that hold a value of a type; only words that lead anywhere.
    plain: FxHashMap<Name, Vec<u32>>,
    dotted: FxHashMap<Name, Vec<u32>>,
    holding: FxHashMap<Name, Vec<u32>>,
    /// Other names of types.
    also: FxHashMap<Name, Vec<Name>>,
}

impl<'o, 'p> Index<'o, 'p> {
    fn new(outline: &'o Outline<'p>, words: &Words) -> Index<'o, 'p> {
        let mut wanted: FxHashSet<Name> = FxHashSet::default();
        wanted.extend(words.starts.iter().chain(&words.acts).chain(&words.state).chain(&words.global));
        for key in outline.units.iter().flat_map(|unit| &unit.keys) {
            match *key {
                Key::Plain(name) | Key::Dotted(name) | Key::Holds(name) => wanted.insert(name),
                Key::Assoc { owner, name } => wanted.insert(owner) | wanted.insert(name),
            };
        }
        let mut index = Index {
            outline,
            plain: FxHashMap::default(),
            dotted: FxHashMap::default(),
            holding: FxHashMap::default(),
            also: FxHashMap::default(),
        };
        for (at, unit) in outline.units.iter().enumerate() {
            let enter = |map: &mut FxHashMap<Name, Vec<u32>>, name: Name| {
                if wanted.contains(&name) {
                    map.entry(name).or_default().push(at as u32);
                }
            };
            unit.plain.iter().for_each(|name| enter(&mut index.plain, *name));
            unit.dotted.iter().for_each(|name| enter(&mut index.dotted, *name));
            unit.types.iter().for_each(|name| enter(&mut index.holding, *name));
        }
        for (alias, declared) in &outline.aliases {
            declared.iter().for_each(|name| index.also.entry(*name).or_default().push(*alias));
        }
        index
    }

    fn mentions_any(&self, words: &FxHashSet<Name>) -> bool {
        words.iter().any(|name| {
            self.plain.contains_key(name) || self.dotted.contains_key(name) || self.holding.contains_key(name)
        })
    }

    /// The units of the statics.
    fn statics(&self, program: &Program) -> Vec<Option<u32>> {
        let mut found = vec![None; program.statics.len()];
        for (at, unit) in self.outline.units.iter().enumerate() {
            if let UnitOf::Body(BodyOwner::Static(id)) = unit.of {
                found[id.index()] = Some(at as u32);
            }
        }
        found
    }

    /// Bodies in which a static that holds state may be declared.
    fn declaring_statics(&self, words: &Words) -> impl Iterator<Item = u32> {
        let (keyword, mutable) = (Name::new("static"), Name::new("mut"));
        let declares = move |unit: &Unit| {
            matches!(unit.of, UnitOf::Body(_) | UnitOf::Macro)
                && unit.plain.contains(&keyword)
                && unit.plain.iter().any(|word| *word == mutable || words.state.contains(word))
        };
        (0..).zip(&self.outline.units).filter(move |(_, unit)| declares(unit)).map(|(at, _)| at)
    }

    /// Units reached backwards from words: those that mention one, those that mention them, and so on.
    /// `types`: only by what types hold.
    fn closure(&self, seeds: Vec<Mention>, types: bool) -> Vec<bool> {
        let mut seen = vec![false; self.outline.units.len()];
        let mut done: FxHashSet<Key> = FxHashSet::default();
        let mut work: Vec<u32> = Vec::new();
        for seed in seeds {
            match seed {
                Mention::Unit(at) => work.push(at),
                Mention::Plain(name) => self.users(Key::Plain(name), &mut |at| work.push(at)),
                Mention::Any(name) => {
                    for key in [Key::Plain(name), Key::Dotted(name), Key::Holds(name)] {
                        self.users(key, &mut |at| work.push(at));
                    }
                }
            }
        }
        while let Some(at) = work.pop() {
            let unit = &self.outline.units[at as usize];
            let passes = !types || matches!(unit.of, UnitOf::Declaration);
            if std::mem::replace(&mut seen[at as usize], true) || !passes {
                continue;
            }
            for key in unit.keys.iter().filter(|key| done.insert(**key)) {
                self.users(*key, &mut |user| work.push(user));
            }
        }
        seen
    }

    /// Whether other code reaches the unit.
    fn is_mentioned(&self, at: u32) -> bool {
        let mut found = false;
        for key in &self.outline.units[at as usize].keys {
            self.users(*key, &mut |user| found |= user != at);
        }
        found
    }

    /// The units that use what stands under `key`.
    fn users(&self, key: Key, visit: &mut dyn FnMut(u32)) {
        let of = |map: &'_ FxHashMap<Name, Vec<u32>>, name: Name, visit: &mut dyn FnMut(u32)| {
            map.get(&name).into_iter().flatten().for_each(|at| visit(*at));
        };
        match key {
            Key::Plain(name) => of(&self.plain, name, visit),
            Key::Dotted(name) => of(&self.dotted, name, visit),
            Key::Holds(name) => {
                of(&self.holding, name, visit);
                of(&self.plain, name, visit);
            }
            Key::Assoc { owner, name } => {
                let also = self.also.get(&owner).map_or(&[][..], |names| names);
                let users = self.plain.get(&name).into_iter().flatten();
                users.filter(|at| self.means_type(**at, owner, also)).for_each(|at| visit(*at));
            }
        }
    }

    /// Whether a unit names the type: by name, by another name, as `Self`, or it is a macro, whose callers may.
    fn means_type(&self, at: u32, owner: Name, also: &[Name]) -> bool {
        let unit = &self.outline.units[at as usize];
        unit.of == UnitOf::Macro
            || unit.owner == Some(owner)
            || unit.plain.iter().any(|word| *word == owner || also.contains(word))
    }
}

/// Words of libraries.
struct Words {
    /// Functions that start contexts.
    starts: FxHashSet<Name>,
    /// Functions that join, lock or order.
    acts: FxHashSet<Name>,
    /// Types that hold state.
    state: FxHashSet<Name>,
    /// Functions that touch the process's own state.
    global: FxHashSet<Name>,
}

fn model_words(models: &Models) -> Words {
    let (mut starts, mut acts) = (FxHashSet::default(), FxHashSet::default());
    let (mut state, mut global) = (FxHashSet::default(), FxHashSet::default());
    for model in &models.fns {
        let Some(op) = &model.op else { continue };
        let last = super::pattern::last_segment(model.path);
        if mentions(op, &|name| matches!(name, OpName::Spawn | OpName::SpawnIn | OpName::Scope)) {
            starts.insert(last);
        }
        let acting = |name| {
            use OpName as O;
            matches!(
                name,
                O::Join
                    | O::Lock
                    | O::TryLock
                    | O::WithLock
                    | O::Wait
                    | O::WaitWhile
                    | O::OnceCall
                    | O::OnceSet
                    | O::Send
                    | O::Recv
                    | O::Barrier
                    | O::Release
                    | O::Acquire
                    | O::Park
                    | O::Unpark
                    | O::AtomicLoad
                    | O::AtomicStore
                    | O::AtomicUpdate
                    | O::AtomicCas
                    | O::AtomicFetchUpdate
                    | O::Fence
                    | O::Channel
                    | O::Drop
            )
        };
        if mentions(op, &|name| name == OpName::Global) {
            global.insert(last);
        }
        if mentions(op, &acting) {
            acts.insert(last);
        }
        if (makes_cell(op) || mentions(op, &|name| name == OpName::AtomicLoad))
            && let Some((owner, _)) = model.path.as_str().rsplit_once("::")
        {
            state.insert(super::pattern::last_segment(Name::new(owner)));
        }
    }
    Words { starts, acts, state, global }
}

/// A constructor of a cell or lock.
fn makes_cell(op: &Op) -> bool {
    matches!(op, Op::Apply(OpName::Wrap, args) if matches!(args.first(), Some(Op::Word(word)) if *word != "once"))
}

fn mentions(op: &Op, wanted: &dyn Fn(OpName) -> bool) -> bool {
    match op {
        Op::Apply(name, args) => wanted(*name) || args.iter().any(|a| mentions(a, wanted)),
        Op::SelfArg | Op::Arg(_) | Op::Word(_) => false,
    }
}

/// A type whose values carry nothing that the walk follows.
fn is_plain(program: &Program, ty: &Ty, depth: u32) -> bool {
    if depth > 4 {
        return false;
    }
    match ty {
        Ty::Never | Ty::Prim(_) => true,
        Ty::Tuple(args) => args.iter().all(|a| is_plain(program, a, depth + 1)),
        Ty::Array(inner) | Ty::Slice(inner) => is_plain(program, inner, depth + 1),
        Ty::Ext(path, args) => {
            const DATA: &[&str] =
                &["std::string::String", "std::option::Option", "std::vec::Vec", "std::time::Duration"];
            DATA.contains(&path.as_str()) && args.iter().all(|a| is_plain(program, a, depth + 1))
        }
        Ty::Adt(id, args) => {
            let def = &program.adts[id.index()];
            args.is_empty()
                && program.drop_impl(*id).is_none()
                && def.variants.iter().all(|v| v.fields.iter().all(|f| is_plain(program, &f.ty, depth + 1)))
        }
        _ => false,
    }
}
