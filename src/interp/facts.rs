//! What a walk builds on that other walks find out, and when it last changed.
//!
//! In: what is looked at in a walk, and what grows. Out: the contexts whose walk is stale and has to be done again.
//! Invariant: facts only grow, so a walk that looked at nothing that has changed since would come out the same.

use super::contexts::ContextId;
use super::places::{LoopId, Root};
use super::values::Val;
use rustc_hash::FxHashMap;
use std::cell::RefCell;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Fact {
    /// What a root holds for all contexts.
    Held(Root),
    /// Which of a context's locals others can reach.
    Locals(ContextId),
    /// What a context runs, and what it knows when it begins.
    Start(ContextId),
    /// What a context returned.
    Result(ContextId),
    /// What was started in a scope or group.
    Members(LoopId),
    /// What contexts are given where they ask for it by type.
    Provided,
}

/// Moments at which facts changed, counted from one.
#[derive(Default)]
pub(super) struct Facts {
    now: u64,
    changed: FxHashMap<Fact, u64>,
    /// What the walk under way looked at, and when it first did.
    looked_at: RefCell<FxHashMap<Fact, u64>>,
    /// The same of the last walk of each context.
    walks: FxHashMap<ContextId, Vec<(Fact, u64)>>,
}

impl Facts {
    pub(super) fn look_at(&self, fact: Fact) {
        self.looked_at.borrow_mut().entry(fact).or_insert(self.now);
    }

    pub(super) fn change(&mut self, fact: Fact) {
        self.now += 1;
        self.changed.insert(fact, self.now);
    }

    pub(super) fn begin_walk(&mut self, context: ContextId) {
        self.looked_at.get_mut().clear();
        self.look_at(Fact::Start(context));
        self.look_at(Fact::Locals(context));
    }

    pub(super) fn end_walk(&mut self, context: ContextId) {
        let looked_at = self.looked_at.get_mut().drain().collect();
        self.walks.insert(context, looked_at);
    }

    /// The context will be walked again.
    pub(super) fn forget_walk(&mut self, context: ContextId) {
        self.walks.remove(&context);
    }

    /// Whether a context was not walked yet, or saw what is different by now.
    pub(super) fn is_stale(&self, context: ContextId) -> bool {
        let later = |(fact, at): &(Fact, u64)| self.changed.get(fact).is_some_and(|changed| changed > at);
        self.walks.get(&context).is_none_or(|walk| walk.iter().any(later))
    }
}

/// What roots hold for all contexts.
#[derive(Default)]
pub(super) struct Heap {
    held: FxHashMap<Root, Val>,
    pub(super) facts: Facts,
}

impl Heap {
    /// What a root holds; the walk under way builds on it.
    pub(super) fn get(&self, root: Root) -> Option<&Val> {
        self.facts.look_at(Fact::Held(root));
        self.held.get(&root)
    }

    pub(super) fn contains(&self, root: Root) -> bool {
        self.held.contains_key(&root)
    }

    /// What a root holds at first: known to nobody before.
    pub(super) fn begin(&mut self, root: Root, value: Val) {
        self.held.insert(root, value);
    }

    /// What a root holds, to be added to.
    pub(super) fn old(&self, root: Root) -> Option<&Val> {
        self.held.get(&root)
    }

    pub(super) fn put(&mut self, root: Root, value: Val) {
        if self.held.get(&root) != Some(&value) {
            self.held.insert(root, value);
            self.facts.change(Fact::Held(root));
        }
    }
}
