//! In which order contexts are walked, how often, and what a walk that was cut short is worth.
//!
//! In: the contexts that a program starts with. Out: every context walked until nothing that its walk builds on
//! changes, or without a log. Each entry is walked with all that it starts before the next one, within steps of its
//! own: what one entry costs is not at the expense of the others. These are few at first; who needs more is walked
//! again with more when all others had theirs, so that of many entries the cheap ones are surely seen. A program whose
//! walks keep being cut short isn't gone on with.
//!
//! Invariant: a context whose walk was cut short, or that would have to be walked again, accuses nobody; nor does
//! what a cut entry started, for nobody knows what that waits for.

use super::contexts::ContextId;
use super::{Counts, Interp, ProgramEntries, ProgramKind};
use crate::resolve::Program;

/// How often the contexts of one entry are gone through.
const MAX_ROUNDS: usize = 3;
/// Steps that an entry may take with all that it starts, walks done again included.
const TREE_STEPS: u64 = 10_000;
/// The same where there are few entries: for all of them together.
const LONE_STEPS: u64 = 40_000;
/// The same at first: those that need few come before those that need many.
const FIRST_STEPS: u64 = 80;
/// So many times more steps than before have those that were cut short; fewer, so that what may still be taken in vain
/// isn't used up by the first of them.
const DEEPER: u64 = 4;
const DEEPER_AT_LEAST: u64 = 2;

/// Steps (expressions evaluated) that the programs of a group share, more for larger groups.
pub struct Budget {
    all: Share,
    programs: u64,
}

/// What one program may take.
#[derive(Clone, Copy)]
pub struct Share {
    pub steps: u64,
    /// Steps that may be taken in vain, in walks that are cut short. Walks that come to their end earn more. Without
    /// any left each entry still has its first few.
    pub patience: u64,
}

/// A step in vain is earned by so many that were not.
const USEFUL_FOR_ONE: u64 = 2;

impl Budget {
    pub fn of(program: &Program, programs: &[ProgramEntries]) -> Budget {
        const BASE: u64 = 40_000;
        const FOR_EACH_FUNCTION: u64 = 6;
        const FOR_MAIN: u64 = 100_000;
        const PATIENCE: u64 = 5_000;
        const PATIENCE_FOR_MAIN: u64 = 35_000;
        let mains = programs.iter().any(|p| p.kind == ProgramKind::Main && !p.shows);
        let steps = BASE + FOR_EACH_FUNCTION * program.fns.len() as u64 + FOR_MAIN * u64::from(mains);
        let patience = PATIENCE + PATIENCE_FOR_MAIN * u64::from(mains);
        Budget { all: Share { steps, patience }, programs: programs.len() as u64 }
    }

    /// What the next program may take at most, where those before it took so much: more than an equal part, and
    /// the last one all that is left.
    pub fn next_share(&mut self, taken: &Counts) -> Share {
        const PARTS: u64 = 3;
        let others = self.programs.saturating_sub(1);
        self.programs = others;
        let part = |left: u64| left * PARTS / (others + PARTS);
        let steps = part(self.all.steps.saturating_sub(taken.steps));
        Share { steps, patience: part(patience_left(self.all.patience, taken)) }
    }
}

fn patience_left(given: u64, taken: &Counts) -> u64 {
    let earned = (taken.steps - taken.in_vain) / USEFUL_FOR_ONE;
    (given + earned).saturating_sub(taken.in_vain)
}

impl Interp<'_> {
    /// Walks every context, again where what it builds on has changed since it was walked.
    pub(super) fn walk_all(&mut self) {
        let entries = self.contexts.list.len() as u32;
        let lone = LONE_STEPS / u64::from(entries.max(1));
        let most = TREE_STEPS.max(lone);
        let mut steps = if lone < TREE_STEPS { FIRST_STEPS.max(lone) } else { lone };
        let mut least = FIRST_STEPS;
        let mut open: Vec<ContextId> = (0..entries).map(ContextId).collect();
        loop {
            open.retain(|entry| !self.try_tree(*entry, steps, least));
            let spent = self.counts.steps >= self.steps_for_trees() || self.patience() < steps;
            if open.is_empty() || spent || steps == most {
                break;
            }
            let even = self.patience() / open.len() as u64;
            steps = most.min(even.clamp(steps * DEEPER_AT_LEAST, steps * DEEPER));
            least = 0;
            // Those that seem to lack least come first: patience may not be enough for all.
            open.sort_by_key(|entry| self.costs.of_entry(*entry));
            open.iter().for_each(|entry| self.reopen(*entry));
        }
        self.limit = self.budget.steps;
        for _ in 1..MAX_ROUNDS {
            if !self.walk_stale(ContextId(0), &|_, _| true) {
                break;
            }
        }
        self.silence_unfinished();
    }

    /// The rest is for what has to be walked again when all were walked.
    fn steps_for_trees(&self) -> u64 {
        self.budget.steps - self.budget.steps / 4
    }

    fn patience(&self) -> u64 {
        patience_left(self.budget.patience, &self.counts)
    }

    /// Walks an entry and what it starts in at most so many steps, fewer if patience runs out, but not below the least.
    /// Whether all of it came to its end.
    fn try_tree(&mut self, entry: ContextId, steps: u64, least: u64) -> bool {
        let before = self.counts.steps;
        if self.costs.of_entry(entry) > steps {
            self.contexts.get_mut(entry).cut = true;
            return false;
        }
        self.limit = self.steps_for_trees().min(before + steps.min(self.patience().max(least)));
        let done = self.walk_tree(entry);
        if !done {
            let taken = self.counts.steps - before;
            self.counts.in_vain += taken;
            self.costs.give_up_entry(entry, taken);
        }
        done
    }

    fn walk_tree(&mut self, entry: ContextId) -> bool {
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
        let in_vain = || self.contexts.ancestry(id).any(|at| self.contexts.get(at).cut);
        if stale && (self.counts.steps >= self.limit || in_vain()) {
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
        self.costs.step();
        if self.counts.steps + self.steps > self.limit && !self.stopped {
            self.give_up(0);
        }
        self.st.reachable && !self.stopped
    }

    /// Ends the walk where it is.
    pub(super) fn stop(&mut self) {
        self.stopped = true;
        self.contexts.get_mut(self.context).cut = true;
        self.st.reachable = false;
    }
}
