//! The words by which code says that it does something that matters: functions of libraries that start contexts, lock or
//! order, types that hold state.
//!
//! In: the models, and which words the group's code has. Out: `Words`. Invariant: a library's method counts only where a value of its
//! type may be at hand (see `Models::callable`), for its name is often one that other types use too.

use super::mentions::Mention;
use crate::hir::{MacroShape, Name};
use crate::models::{FnModelId, Models, Op, OpName};
use rustc_hash::FxHashSet;

/// Words of libraries and of the language.
pub(super) struct Words {
    /// Functions and macros that start contexts.
    pub starts: FxHashSet<Mention>,
    /// Functions that join, lock or order.
    pub acts: FxHashSet<Mention>,
    /// Types that hold state.
    pub state: FxHashSet<Name>,
    /// Functions that touch the process's own state.
    pub global: FxHashSet<Mention>,
    /// Those of them that change it.
    pub changes: FxHashSet<Mention>,
    /// Methods that count in one step.
    pub steps: FxHashSet<Name>,
    /// `unsafe`
    pub unchecked: FxHashSet<Name>,
    /// Functions whose result is made for the type that is wanted.
    pub makers: FxHashSet<Name>,
}

/// Of the functions that code can call which has only these words.
pub(super) fn model_words(models: &Models, has: &dyn Fn(Name) -> bool) -> Words {
    let callable = models.callable(has);
    let (mut starts, mut acts) = (FxHashSet::default(), FxHashSet::default());
    let mut stateful = FxHashSet::default();
    let (mut global, mut changes) = (FxHashSet::default(), FxHashSet::default());
    let (mut makers, mut steps) = (FxHashSet::default(), FxHashSet::default());
    for (at, model) in models.fns.iter().enumerate() {
        let id = FnModelId(at as u32);
        let Some(op) = model.op.as_ref().filter(|_| callable.contains(&id)) else { continue };
        let last = models.name_of(id);
        let mention = match models.module_of(id) {
            Some(module) if models.is_free(id) => Mention::In { module, name: last },
            _ if models.is_free(id) => Mention::Plain(last),
            _ => Mention::Word(last),
        };
        let starting = |name| {
            use OpName as O;
            matches!(name, O::Spawn | O::SpawnIn | O::Scope | O::Run | O::Parallel | O::Gather)
        };
        if mentions(op, &starting) {
            starts.insert(mention);
        }
        if mentions(op, &|name| matches!(name, OpName::Make | OpName::Default)) {
            makers.insert(last);
        }
        if counts(op) {
            steps.insert(last);
        }
        let locking = |name| matches!(name, OpName::WithLock | OpName::Without | OpName::Take | OpName::Give);
        if mentions(op, &|name| name == OpName::Global) && !mentions(op, &locking) {
            global.insert(mention);
            if mentions(op, &|name| matches!(name, OpName::Write | OpName::Replace | OpName::Update)) {
                changes.insert(mention);
            }
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
                    | O::WaitAtMost
                    | O::OnceCall
                    | O::OnceSet
                    | O::Send
                    | O::Recv
                    | O::RecvCopy
                    | O::RecvReady
                    | O::Closed
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
            acts.insert(mention);
        }
        if op.wraps().is_some_and(|step| step != "once") || mentions(op, &|name| name == OpName::AtomicLoad) {
            stateful.insert(id);
        }
    }
    let state = models.owners(&stateful).map(Name::last_segment).collect();
    let macros = [MacroShape::Join, MacroShape::Select].into_iter().flat_map(|shape| models.macros_of(shape));
    starts.extend(macros.map(Mention::Macro));
    Words {
        starts,
        acts,
        state,
        global,
        changes,
        steps,
        unchecked: FxHashSet::from_iter([Name::new("unsafe")]),
        makers,
    }
}

/// Adds to an atomic or takes away, and nothing else.
fn counts(op: &Op) -> bool {
    match op {
        Op::Apply(OpName::AtomicUpdate, args) => {
            matches!(args.get(1), Some(Op::Word(how)) if *how == "add" || *how == "sub")
        }
        _ => false,
    }
}

fn mentions(op: &Op, wanted: &dyn Fn(OpName) -> bool) -> bool {
    match op {
        Op::Apply(name, args) => wanted(*name) || args.iter().any(|a| mentions(a, wanted)),
        Op::SelfArg | Op::Arg(_) | Op::Word(_) => false,
    }
}
