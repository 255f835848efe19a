//! In which order contexts are walked, how often, and what a walk that was cut short is worth.
//!
//! In: the contexts that a program starts with. Out: every context walked until nothing that its walk builds on
//! changes, or without a log. Each entry is walked with all that it starts before the next one, within steps of its
//! own: what one entry costs is not at the expense of the others. These are few at first; who needs more is walked
//! again with more when all others had theirs, so that of many entries the cheap ones are surely seen.
//!
//! Invariant: a context whose walk was cut short, or that would have to be walked again, accuses nobody; nor does
//! what a cut entry started, for nobody knows what that waits for.

use super::contexts::ContextId;
use super::{Interp, ProgramEntries, ProgramKind};
use crate::resolve::{FnId, Program};
use rustc_hash::FxHashMap;

/// How often the contexts of one entry are gone through.
const MAX_ROUNDS: usize = 3;
/// Steps that an entry may take with all that it starts, walks done again included.
const TREE_STEPS: u64 = 10_000;
/// The same where there are few entries: for all of them together.
const LONE_STEPS: u64 = 80_000;
/// The same at first: those that need few come before those that need many.
const FIRST_STEPS: u64 = 600;
/// So many times more steps than before have those that were cut short.
const DEEPER: u64 = 4;
/// So many walks have to end in a function before it is taken to be too long for any.
const MOST_UNFINISHED: u32 = 2;

/// Steps (expressions evaluated) that the programs of a group share, more for larger groups.
pub struct Budget {
    steps: u64,
    programs: u64,
}

impl Budget {
    pub fn of(program: &Program, programs: &[ProgramEntries]) -> Budget {
        const BASE: u64 = 40_000;
        const FOR_EACH_FUNCTION: u64 = 6;
        const FOR_MAIN: u64 = 100_000;
        let has_main = programs.iter().any(|p| p.kind == ProgramKind::Main && !p.shows);
        let steps = BASE + FOR_EACH_FUNCTION * program.fns.len() as u64 + FOR_MAIN * u64::from(has_main);
        Budget { steps, programs: programs.len() as u64 }
    }

    /// What the next program may take at most, where those before it took so many: more than an equal part, and
    /// the last one all that is left.
    pub fn next_share(&mut self, taken: u64) -> u64 {
        const PARTS: u64 = 3;
        let others = self.programs.saturating_sub(1);
        self.programs = others;
        self.steps.saturating_sub(taken) * PARTS / (others + PARTS)
    }
}

/// What walks ran out of steps in.
#[derive(Default)]
pub(super) struct Unfinished {
    by_function: FxHashMap<FnId, u32>,
}

impl Unfinished {
    /// A walk ended in the function, after it had taken most of the steps.
    pub(super) fn add(&mut self, function: FnId) {
        *self.by_function.entry(function).or_default() += 1;
    }

    /// The function was walked to its end.
    pub(super) fn finish(&mut self, function: FnId) {
        if !self.by_function.is_empty() {
            self.by_function.remove(&function);
        }
    }

    /// Whether a walk that enters the function would hardly come out again.
    pub(super) fn too_long(&self, function: FnId) -> bool {
        self.by_function.get(&function).is_some_and(|times| *times >= MOST_UNFINISHED)
    }
}

impl Interp<'_> {
    /// Walks every context, again where what it builds on has changed since it was walked.
    pub(super) fn walk_all(&mut self) {
        let entries = self.contexts.list.len() as u32;
        let lone = LONE_STEPS / u64::from(entries.max(1));
        self.most_tree_steps = TREE_STEPS.max(lone);
        self.tree_steps = if lone < TREE_STEPS { FIRST_STEPS.max(lone) } else { lone };
        let mut open: Vec<ContextId> = (0..entries).map(ContextId).collect();
        loop {
            open.retain(|entry| !self.walk_tree(*entry));
            let spent = self.counts.steps >= self.steps_for_trees();
            if open.is_empty() || spent || self.tree_steps == self.most_tree_steps {
                break;
            }
            self.tree_steps = self.most_tree_steps.min(self.tree_steps * DEEPER);
            open.iter().for_each(|entry| self.reopen(*entry));
        }
        self.limit = self.budget;
        for _ in 1..MAX_ROUNDS {
            if !self.walk_stale(ContextId(0), &|_, _| true) {
                break;
            }
        }
        self.silence_unfinished();
    }

    /// The rest is for what has to be walked again when all were walked.
    fn steps_for_trees(&self) -> u64 {
        self.budget - self.budget / 4
    }

    /// Walks an entry and what it starts. Whether all of it came to its end.
    fn walk_tree(&mut self, entry: ContextId) -> bool {
        self.limit = self.steps_for_trees().min(self.counts.steps + self.tree_steps);
        let in_tree = |this: &Self, id: ContextId| this.contexts.ancestry(id).any(|at| at == entry);
        for _ in 0..MAX_ROUNDS {
            if !self.walk_stale(entry, &in_tree) {
                break;
            }
        }
        !self.tree_of(entry).any(|id| self.contexts.get(id).cut)
    }

    fn tree_of(&self, entry: ContextId) -> impl Iterator<Item = ContextId> {
        self.contexts.ids().filter(move |id| self.contexts.ancestry(*id).any(|at| at == entry))
    }

    /// Forgets that the walks of an entry and of what it starts were cut short: there are more steps for them now.
    fn reopen(&mut self, entry: ContextId) {
        let tree: Vec<ContextId> = self.tree_of(entry).collect();
        for id in tree {
            self.contexts.get_mut(id).cut = false;
            self.heap.facts.forget_walk(id);
        }
    }

    /// Walks the stale ones of some contexts, those that are found on the way included. Whether there was one.
    fn walk_stale(&mut self, first: ContextId, wanted: &dyn Fn(&Self, ContextId) -> bool) -> bool {
        let mut next = first;
        let mut any = false;
        while (next.0 as usize) < self.contexts.list.len() {
            any |= wanted(self, next) && self.walk_if_stale(next);
            next.0 += 1;
        }
        any
    }

    /// Whether there was anything to do.
    fn walk_if_stale(&mut self, id: ContextId) -> bool {
        let stale = !self.contexts.get(id).cut && self.heap.facts.is_stale(id);
        if stale && self.counts.steps >= self.limit {
            // Not even its body is looked at.
            self.contexts.get_mut(id).cut = true;
        } else if stale {
            self.heap.facts.begin_walk(id);
            self.walk_context(id);
            self.heap.facts.end_walk(id);
        }
        stale
    }

    /// Those whose walk was cut or is stale tell nothing that can be relied on.
    fn silence_unfinished(&mut self) {
        for id in self.contexts.ids() {
            let cut = self.contexts.ancestry(id).any(|at| self.contexts.get(at).cut);
            if cut || self.heap.facts.is_stale(id) {
                self.counts.cut += 1;
                let context = self.contexts.get_mut(id);
                context.log = Default::default();
                context.acts = Default::default();
            }
        }
    }

    /// Counts a step; from the bound on nothing is evaluated any more.
    pub(super) fn step(&mut self) -> bool {
        self.steps += 1;
        if self.counts.steps + self.steps > self.limit && !self.stopped {
            self.blame_calls();
            self.stop();
        }
        self.st.reachable && !self.stopped
    }

    /// Ends the walk where it is.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        self.contexts.get_mut(self.context).cut = true;
        self.st.reachable = false;
    }

    /// Remembers the calls under way that took most of the steps.
    fn blame_calls(&mut self) {
        let now = self.counts.steps + self.steps;
        for call in &self.stack {
            if let Some(function) = call.function.filter(|_| now - call.began > self.most_tree_steps / 2) {
                self.unfinished.add(function);
            }
        }
    }
}
