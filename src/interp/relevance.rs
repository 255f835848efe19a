//! Which bodies can matter: found by words, before anything is resolved or walked.
//!
//! In: the group's `Outline` (who mentions whom). Out: for a function, whether it may (transitively) touch state that
//! all contexts share, start a context, or do anything the walk has to see (state, contexts, locks, order).
//! Over-approximate: a word stands for everything of that name.

use super::counters::Counters;
use super::declared::declared;
use super::doors::{self, Doors};
use super::mentions::{Mention, Mentions};
use super::reach::reach;
use super::tokens::Tokens;
use super::words::{Words, model_words};
use crate::finding::ContextKind;
use crate::hir::{Name, StaticKind};
use crate::models::Models;
use crate::resolve::outline::{Field, Outline, Unit, UnitOf};
use crate::resolve::{BodyOwner, FnId, ModuleId, Program, Ty};
use rustc_hash::FxHashSet;

pub struct Relevance {
    /// By `FnId`, without the functions that are declared in bodies.
    functions: Vec<Flags>,
    /// Statics and constants whose bodies do something that matters.
    initializers: FxHashSet<BodyOwner>,
    any_state: bool,
    doors: Doors,
    tokens: Tokens,
    /// Library functions whose result is made for the type that is wanted.
    makers: FxHashSet<Name>,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    /// May touch state that every context sees.
    shares: bool,
    /// May touch that, or what an unsafe promise shares.
    opens: bool,
    /// May do what only unsafe code can: dereference raw pointers.
    unchecked: bool,
    /// May start a context.
    starts: bool,
    /// May do anything that matters.
    acts: bool,
    /// Some other code may call it, or it is where contexts begin.
    entered: bool,
}

/// What a body gets to, by bits.
const SHARES: u8 = 1;
const OPENS: u8 = 1 << 1;
const STARTS: u8 = 1 << 2;
const ACTS: u8 = 1 << 3;
const UNCHECKED: u8 = 1 << 4;
/// A lone test's own state.
const OWN: u8 = 1 << 5;

impl Relevance {
    pub fn new(program: &Program, outline: &Outline, models: &Models) -> Relevance {
        let used = outline.words();
        let mut words = model_words(models, &|name| used.get(name));
        let doors = door_fields(outline, models);
        let called = [&words.starts, &words.acts, &words.global].into_iter().flatten();
        let named = called.chain(&doors).flat_map(Mention::words);
        let other = words.state.iter().chain(&words.unchecked).copied().chain([Name::new("static")]);
        let mentions = Mentions::new(program, outline, named.chain(other));
        if !words.changes.iter().any(|word| mentions.has(*word)) {
            // Nobody changes what the others only read.
            words.global.clear();
        }
        let mut found = Relevance {
            functions: vec![Flags::default(); program.fns.len()],
            initializers: FxHashSet::default(),
            any_state: false,
            doors: Doors::default(),
            tokens: Tokens::default(),
            makers: std::mem::take(&mut words.makers),
        };
        let named = words.state.iter().chain(&words.unchecked).map(|name| Mention::Word(*name));
        let called = words.acts.iter().chain(&words.global).copied();
        found.any_state = named.chain(called).any(|word| mentions.has(word))
            || program.statics.iter().any(|s| s.item.mutable);
        if found.any_state {
            found.mark(program, models, &mentions, &words, &doors);
        }
        found
    }

    /// Finds what each body may do.
    fn mark(
        &mut self,
        program: &Program,
        models: &Models,
        mentions: &Mentions,
        words: &Words,
        doors: &[Mention],
    ) {
        let all = |words: &FxHashSet<Mention>| words.iter().copied().collect::<Vec<_>>();
        let state: Vec<Mention> = words.state.iter().copied().map(Mention::Word).collect();
        let (own, shared): (Vec<Mention>, Vec<Mention>) =
            shared_state(program, mentions, words).into_iter().partition(
                |seed| matches!(seed, Mention::Unit(at) if is_lone_test(program, models, mentions, *at)),
            );
        let seeds: [(u8, &[Mention]); 7] = [
            (SHARES | OPENS | ACTS, &shared),
            (OPENS | ACTS, doors),
            (STARTS | ACTS, &all(&words.starts)),
            (ACTS, &state),
            (ACTS, &all(&words.acts)),
            (UNCHECKED, &unsafe_code(program, mentions.outline, words)),
            (OWN, &own),
        ];
        let reached = reach(mentions, &seeds);
        for (at, unit) in mentions.outline.units.iter().enumerate() {
            // A test's own state is shared by what the test starts, or by nobody.
            let shares_own = reached[at] & (OWN | STARTS) == OWN | STARTS;
            let bits = if shares_own { reached[at] | SHARES | OPENS | ACTS } else { reached[at] };
            let has = |wanted: u8| bits & wanted != 0;
            // Nobody enters a test that neither starts anything nor shares what others see.
            let is_entered = || match () {
                () if has(SHARES | STARTS) => true,
                () if has(OPENS) => !is_lone_test(program, models, mentions, at),
                () => has(ACTS | UNCHECKED) && mentions.is_used(at),
            };
            match unit.of {
                UnitOf::Body(BodyOwner::Fn(id)) => {
                    self.functions[id.index()] = Flags {
                        shares: has(SHARES),
                        opens: has(OPENS),
                        starts: has(STARTS),
                        acts: has(ACTS),
                        unchecked: has(UNCHECKED),
                        entered: is_entered(),
                    };
                }
                UnitOf::Body(owner) if has(ACTS) => {
                    self.initializers.insert(owner);
                }
                UnitOf::Body(_) | UnitOf::Declaration | UnitOf::Macro => {}
            }
        }
    }

    /// What the resolved types tell.
    pub fn add_types(&mut self, program: &Program, models: &Models) {
        self.doors = Doors::new(program, models);
        self.tokens = Tokens::new(program, models, |id| self.acts(program, id));
    }

    /// Whether a library function of this name makes what is wanted of it.
    pub fn makes(&self, name: Name) -> bool {
        self.makers.contains(&name)
    }

    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Whether a value of the type has a cell inside that an unsafe promise may share.
    pub fn holds_cell(&self, ty: &Ty) -> bool {
        self.doors.holds_cell(ty)
    }

    pub fn any_state(&self) -> bool {
        self.any_state
    }

    /// Whether the items in a body can matter.
    pub fn wants_items(&self, program: &Program, owner: BodyOwner) -> bool {
        match owner {
            BodyOwner::Fn(id) => {
                let flags = self.flags(program, id);
                self.any_state && (flags.acts || flags.unchecked) && flags.entered
            }
            other => self.initializers.contains(&other),
        }
    }

    /// Whether it may touch state that every context sees.
    pub fn shares_state(&self, program: &Program, id: FnId) -> bool {
        self.flags(program, id).shares
    }

    /// Whether it may touch state that every context sees, or a cell that an unsafe promise shares.
    pub fn opens_doors(&self, program: &Program, id: FnId) -> bool {
        self.flags(program, id).opens
    }

    /// Whether it may do anything that matters.
    pub fn acts(&self, program: &Program, id: FnId) -> bool {
        self.flags(program, id).acts
    }

    pub fn derefs_raw(&self, program: &Program, id: FnId) -> bool {
        self.flags(program, id).unchecked
    }

    pub fn starts_contexts(&self, program: &Program, id: FnId) -> bool {
        self.flags(program, id).starts
    }

    /// Whether a call has to be entered: it does something that matters, or its result may carry a pointer, a
    /// closure, a handle.
    pub fn walks(&self, program: &Program, models: &Models, id: FnId) -> bool {
        self.flags(program, id).acts || !is_plain(program, models, &program.sig(id).ret, 0)
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
        Flags { shares: true, opens: true, unchecked: true, starts: true, acts: true, entered: true }
    }
}

/// A test that runs once and that no other code calls.
fn is_lone_test(program: &Program, models: &Models, mentions: &Mentions, unit: usize) -> bool {
    let UnitOf::Body(BodyOwner::Fn(id)) = mentions.unit(unit).of else { return false };
    let entry = declared(program, models, id, None);
    entry.is_some_and(|entry| entry.kind == ContextKind::Test && !entry.many) && !mentions.is_used(unit)
}

/// Statics that every context sees and that can change, and the process's own state.
fn shared_state(program: &Program, mentions: &Mentions, words: &Words) -> Vec<Mention> {
    let stateful = mentions.types_holding(&words.state);
    let mutable = Name::new("mut");
    let counters = Counters { program, steps: &words.steps, stateful: &stateful };
    let declares = |unit: &Unit| {
        matches!(unit.of, UnitOf::Body(_) | UnitOf::Macro)
            && unit.words.plain.iter().any(|word| *word == mutable || stateful.contains(word))
            && counters.declares_state(unit)
    };
    let mut found: Vec<Mention> = words.global.iter().copied().collect();
    let statics = |unit: &Unit| match unit.of {
        UnitOf::Body(BodyOwner::Static(id)) => Some(id),
        _ => None,
    };
    for unit in &mentions.outline.units {
        let Some(id) = statics(unit) else { continue };
        let item = &program.statics[id.index()].item;
        let changes = item.mutable || unit.types.iter().any(|word| stateful.contains(word));
        let name = program.statics[id.index()].name;
        let shared = changes && item.storage != StaticKind::ThreadLocal;
        if shared && (item.mutable || !counters.are_all(mentions, name)) {
            found.push(Mention::Plain(name));
        }
    }
    for at in mentions.naming(Name::new("static")) {
        let unit = mentions.unit(at);
        if statics(unit).is_none() && declares(unit) {
            found.push(Mention::Unit(at));
        }
    }
    found
}

/// Fields that are a cell or a raw pointer, where something promises that they may be shared: by their names; those without one by
/// who has a value of their type.
fn door_fields(outline: &Outline, models: &Models) -> Vec<Mention> {
    if !outline.promises {
        return Vec::new();
    }
    let cells: FxHashSet<Name> = doors::cell_types(models).into_iter().map(Name::last_segment).collect();
    let is_door = |field: &&Field| field.raw || field.types.iter().any(|ty| cells.contains(ty));
    let mut found: Vec<Mention> = Vec::new();
    for field in outline.fields.iter().filter(is_door) {
        let (owner, name) = (field.owner, field.name);
        let mention = if field.unnamed { Mention::Value(owner) } else { Mention::Field { owner, name } };
        if !found.contains(&mention) {
            found.push(mention);
        }
    }
    found
}

fn unsafe_code(program: &Program, outline: &Outline, words: &Words) -> Vec<Mention> {
    let unsafe_fns = outline.units.iter().enumerate().filter(|(_, unit)| match unit.of {
        UnitOf::Body(BodyOwner::Fn(id)) => program.fn_def(id).item.is_unsafe,
        _ => false,
    });
    let blocks = words.unchecked.iter().copied().map(Mention::Plain);
    unsafe_fns.map(|(at, _)| Mention::Unit(at)).chain(blocks).collect()
}

/// A type whose values carry nothing that the walk follows.
fn is_plain(program: &Program, models: &Models, ty: &Ty, depth: u32) -> bool {
    if depth > 4 {
        return false;
    }
    match ty {
        Ty::Never | Ty::Prim(_) => true,
        Ty::Tuple(args) => args.iter().all(|a| is_plain(program, models, a, depth + 1)),
        Ty::Array(inner) | Ty::Slice(inner) => is_plain(program, models, inner, depth + 1),
        Ty::Ext(path, args) => {
            models.language.is_data(*path) && args.iter().all(|a| is_plain(program, models, a, depth + 1))
        }
        Ty::Adt(id, args) => {
            let def = &program.adts[id.index()];
            args.is_empty()
                && program.drop_impl(*id).is_none()
                && def
                    .variants
                    .iter()
                    .all(|v| v.fields.iter().all(|f| is_plain(program, models, &f.ty, depth + 1)))
        }
        _ => false,
    }
}
