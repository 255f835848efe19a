//! Which bodies can matter: found by names, before anything is walked.
//!
//! In: the identifiers of every body. Out: for a function, whether it may (transitively) touch shared state, and
//! whether it may do anything the walk has to see (state, contexts, locks, order). Over-approximate: a name stands for
//! every function of that name; what runs without being named (drops, derefs, operators) is named by its type.

use super::doors::Doors;
use crate::hir::{BodySource, Name, Tokens, Tt};
use crate::models::{Models, Op, OpName};
use crate::resolve::{FnId, Owner, Program, Ty};
use rustc_hash::{FxHashMap, FxHashSet};

pub struct Relevance {
    /// Functions that may touch shared state.
    touching: FxHashSet<FnId>,
    /// Functions that may do anything that matters.
    acting: FxHashSet<FnId>,
    /// Functions that may do what only unsafe code can: dereference raw pointers.
    unchecked: FxHashSet<FnId>,
    /// Functions that may start a context.
    starting: FxHashSet<FnId>,
    any_state: bool,
    doors: Doors,
}

/// What one body or initializer mentions, under which names it is reached.
struct Unit {
    function: Option<FnId>,
    names: Vec<Name>,
    mentions: Vec<Name>,
}

impl Relevance {
    pub fn new(program: &Program, models: &Models) -> Relevance {
        let (starts, acts, mut state) = model_words(models);
        state.extend(static_words(program));
        let doors = Doors::new(program, models);
        state.extend(doors.fields());
        let units = units(program);
        let unchecked = FxHashSet::from_iter([Name::new("unsafe")]);
        let matters = |n: &Name| state.contains(n) || acts.contains(n) || unchecked.contains(n);
        let any_state = units.iter().any(|unit| unit.mentions.iter().any(matters));
        if !any_state {
            let none = FxHashSet::default();
            return Relevance {
                touching: none.clone(),
                acting: none.clone(),
                unchecked: none.clone(),
                starting: none,
                any_state,
                doors,
            };
        }
        let mut by_mention: FxHashMap<Name, Vec<u32>> = FxHashMap::default();
        for (at, unit) in units.iter().enumerate() {
            for &name in &unit.mentions {
                by_mention.entry(name).or_default().push(at as u32);
            }
        }
        let all: FxHashSet<Name> = state.iter().chain(&acts).chain(&starts).copied().collect();
        Relevance {
            touching: closure(&units, &by_mention, &state),
            acting: closure(&units, &by_mention, &all),
            unchecked: closure(&units, &by_mention, &unchecked),
            starting: closure(&units, &by_mention, &starts),
            any_state,
            doors,
        }
    }

    pub fn any_state(&self) -> bool {
        self.any_state
    }

    pub fn derefs_raw(&self, id: FnId) -> bool {
        self.unchecked.contains(&id)
    }

    /// Whether a value of the type has a cell inside that an unsafe promise may share.
    pub fn holds_cell(&self, ty: &Ty) -> bool {
        self.doors.holds_cell(ty)
    }

    pub fn touches_state(&self, id: FnId) -> bool {
        self.touching.contains(&id)
    }

    pub fn starts_contexts(&self, id: FnId) -> bool {
        self.starting.contains(&id)
    }

    /// Whether a call has to be entered: it does something that matters, or its result may carry a pointer, a
    /// closure, a handle.
    pub fn walks(&self, program: &Program, id: FnId) -> bool {
        self.acting.contains(&id) || !is_plain(program, &program.fn_def(id).sig.ret, 0)
    }
}

/// Names of the statics that are doors.
fn static_words(program: &Program) -> FxHashSet<Name> {
    program.statics.iter().filter(|s| s.item.mutable).map(|s| s.name).collect()
}

/// Names of library functions that start contexts, of those that join, lock or order, and of cells' constructors' types.
fn model_words(models: &Models) -> (FxHashSet<Name>, FxHashSet<Name>, FxHashSet<Name>) {
    let (mut starts, mut acts) = (FxHashSet::default(), FxHashSet::default());
    let mut state = FxHashSet::default();
    for model in &models.fns {
        let Some(op) = &model.op else { continue };
        let last = super::pattern::last_segment(model.path);
        let starting = |name| {
            use OpName as O;
            matches!(name, O::Spawn | O::SpawnIn | O::Scope | O::Run | O::Parallel | O::Gather)
        };
        if mentions(op, &starting) {
            starts.insert(last);
        }
        let changing = |name| matches!(name, OpName::Write | OpName::Replace | OpName::Update);
        if mentions(op, &|name| name == OpName::Global) && mentions(op, &changing) {
            state.insert(last);
        }
        let acting = |name| {
            use OpName as O;
            matches!(
                name,
                O::Join
                    | O::JoinGroup
                    | O::JoinNext
                    | O::Group
                    | O::RunOn
                    | O::Provide
                    | O::Without
                    | O::Take
                    | O::Give
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
        if mentions(op, &acting) {
            acts.insert(last);
        }
        if (makes_cell(op) || mentions(op, &|name| name == OpName::AtomicLoad))
            && let Some((owner, _)) = model.path.as_str().rsplit_once("::")
        {
            state.insert(super::pattern::last_segment(Name::new(owner)));
        }
    }
    starts.extend(models.macros_of(crate::hir::MacroShape::Join));
    starts.extend(models.macros_of(crate::hir::MacroShape::Select));
    (starts, acts, state)
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

/// Functions reached backwards from the words, over who mentions whom.
fn closure(
    units: &[Unit],
    by_mention: &FxHashMap<Name, Vec<u32>>,
    words: &FxHashSet<Name>,
) -> FxHashSet<FnId> {
    let mut found = FxHashSet::default();
    let mut seen = vec![false; units.len()];
    let mut done: FxHashSet<Name> = words.clone();
    let mut work: Vec<Name> = words.iter().copied().collect();
    while let Some(name) = work.pop() {
        for &at in by_mention.get(&name).into_iter().flatten() {
            if std::mem::replace(&mut seen[at as usize], true) {
                continue;
            }
            let unit = &units[at as usize];
            found.extend(unit.function);
            work.extend(unit.names.iter().copied().filter(|n| done.insert(*n)));
        }
    }
    found
}

fn units(program: &Program) -> Vec<Unit> {
    let mut units = Vec::new();
    for (at, def) in program.fns.iter().enumerate() {
        let Some(source) = &def.item.body else { continue };
        let mut mentions = match source {
            BodySource::Text(range) => {
                let bodies = &program.file(def.file).bodies;
                match bodies.binary_search_by_key(&range.lo, |b| b.range.lo) {
                    Ok(found) => bodies[found].identifiers.to_vec(),
                    Err(_) => words_of(program, def.file, source),
                }
            }
            BodySource::Tokens(_) => words_of(program, def.file, source),
        };
        adt_names(program, &def.sig.ret, &mut mentions, 0);
        if def.item.is_unsafe {
            mentions.push(Name::new("unsafe"));
        }
        let mut names = vec![def.name];
        if let Owner::Impl(id) = def.owner
            && program.impls[id.index()].trait_.is_some()
        {
            adt_names(program, &program.impls[id.index()].self_ty, &mut names, 0);
        }
        units.push(Unit { function: Some(FnId(at as u32)), names, mentions });
    }
    for def in &program.statics {
        if let Some(init) = &def.item.init {
            units.push(Unit {
                function: None,
                names: vec![def.name],
                mentions: words_of(program, def.file, init),
            });
        }
    }
    for def in &program.consts {
        if let Some(init) = &def.item.init {
            units.push(Unit {
                function: None,
                names: vec![def.name],
                mentions: words_of(program, def.file, init),
            });
        }
    }
    for (name, declared) in program.renames() {
        units.push(Unit { function: None, names: vec![name], mentions: vec![declared] });
    }
    for (name, tokens) in program.macro_tokens() {
        let mut mentions = Vec::new();
        token_words(&tokens, &mut mentions);
        units.push(Unit { function: None, names: vec![name], mentions });
    }
    units
}

/// Identifiers of a body that has no index.
fn words_of(program: &Program, file: crate::finding::FileId, source: &BodySource) -> Vec<Name> {
    match source {
        BodySource::Text(range) => {
            let text = &program.file(file).source.text;
            let part = text.get(range.lo as usize..range.hi as usize).unwrap_or("");
            const LONGEST: usize = 20_000;
            let part = part.get(..LONGEST).unwrap_or(part);
            part.split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .filter(|w| w.starts_with(|c: char| c.is_alphabetic() || c == '_'))
                .map(Name::new)
                .collect()
        }
        BodySource::Tokens(tokens) => {
            let mut words = Vec::new();
            token_words(tokens, &mut words);
            words
        }
    }
}

fn token_words(tokens: &Tokens, words: &mut Vec<Name>) {
    for token in tokens.iter() {
        match token {
            Tt::Ident(name, _) => words.push(*name),
            Tt::Group(_, inner, _) => token_words(inner, words),
            Tt::Lifetime(..) | Tt::Punct(..) | Tt::Literal(..) => {}
        }
    }
}

fn adt_names(program: &Program, ty: &Ty, names: &mut Vec<Name>, depth: u32) {
    if depth > 4 {
        return;
    }
    match ty {
        Ty::Adt(id, args) => {
            names.push(program.adts[id.index()].name);
            args.iter().for_each(|a| adt_names(program, a, names, depth + 1));
        }
        Ty::Ext(_, args) | Ty::Tuple(args) => {
            args.iter().for_each(|a| adt_names(program, a, names, depth + 1))
        }
        Ty::Ref { inner, .. } | Ty::Ptr { inner, .. } | Ty::Array(inner) | Ty::Slice(inner) => {
            adt_names(program, inner, names, depth + 1);
        }
        Ty::Unknown | Ty::Never | Ty::Prim(_) | Ty::FnPtr(..) | Ty::Param(_) | Ty::Dyn(_) | Ty::Assoc(..) => {
        }
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
