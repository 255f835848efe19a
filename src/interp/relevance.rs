//! Which bodies can matter: found by words, before anything is resolved or walked.
//!
//! In: the group's `Outline` (who mentions whom). Out: for a function, whether it may (transitively) touch state that
//! all contexts share, start a context, or do anything the walk has to see (state, contexts, locks, order).
//! Over-approximate: a word stands for everything of that name.

use super::mentions::{Mention, Mentions};
use crate::hir::{Name, StaticKind};
use crate::models::{Models, Op, OpName};
use crate::resolve::outline::{Outline, Unit, UnitOf};
use crate::resolve::{BodyOwner, FnId, ModuleId, Program, Ty};
use rustc_hash::FxHashSet;

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
        let all = [&words.starts, &words.acts, &words.state, &words.global];
        let mentions = Mentions::new(program, outline, all.into_iter().flatten().copied());
        let any_state = [&words.state, &words.acts].into_iter().flatten().any(|word| mentions.has(*word))
            || program.statics.iter().any(|s| s.item.mutable);
        let mut found = Relevance {
            functions: vec![Flags::default(); program.fns.len()],
            initializers: FxHashSet::default(),
            any_state,
        };
        if !any_state {
            return found;
        }
        let any = |words: &FxHashSet<Name>| words.iter().copied().map(Mention::Word).collect::<Vec<_>>();
        let shared = shared_state(program, outline, &mentions, &words);
        let shares = mentions.reach(&shared);
        let starts = mentions.reach(&any(&words.starts));
        let acting = [any(&words.state), any(&words.acts), any(&words.starts), shared].concat();
        let acts = mentions.reach(&acting);
        for (at, unit) in outline.units.iter().enumerate() {
            match unit.of {
                UnitOf::Body(BodyOwner::Fn(id)) => {
                    let called = mentions.is_used(at);
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

/// Statics that every context sees and that can change, and the process's own state.
fn shared_state(program: &Program, outline: &Outline, mentions: &Mentions, words: &Words) -> Vec<Mention> {
    let stateful = mentions.types_holding(&words.state);
    let (keyword, mutable) = (Name::new("static"), Name::new("mut"));
    let declares = |unit: &Unit| {
        matches!(unit.of, UnitOf::Body(_) | UnitOf::Macro)
            && unit.words.plain.contains(&keyword)
            && unit.words.plain.iter().any(|word| *word == mutable || stateful.contains(word))
    };
    let mut found: Vec<Mention> = words.global.iter().copied().map(Mention::Word).collect();
    for (at, unit) in outline.units.iter().enumerate() {
        match unit.of {
            UnitOf::Body(BodyOwner::Static(id)) => {
                let item = &program.statics[id.index()].item;
                let changes = item.mutable || unit.types.iter().any(|word| stateful.contains(word));
                if changes && item.storage != StaticKind::ThreadLocal {
                    found.push(Mention::Plain(program.statics[id.index()].name));
                }
            }
            _ if declares(unit) => found.push(Mention::Unit(at)),
            _ => {}
        }
    }
    found
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
