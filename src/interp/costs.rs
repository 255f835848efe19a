//! What walks cost before they are done, so that one that would run out of its steps isn't begun, nor gone on with.
//!
//! In: how far walks came, and the size of what they enter. Out: whether a walk that enters a function comes out again
//! with the steps that are left, and what an entry whose walk didn't come to its end needs at least. A step is an
//! expression evaluated; both ways of a branch are walked, so that a function's expressions are a lower bound but where
//! its end isn't reached.
//!
//! Invariant: an estimate never excuses and never accuses. What isn't walked for it counts as cut short.

use super::Interp;
use super::contexts::ContextId;
use crate::resolve::FnId;
use rustc_hash::FxHashMap;

/// What is known of costs, and what the walk under way still has before it.
#[derive(Default)]
pub(super) struct Costs {
    /// Of each function the two dearest walks that didn't come out of it, the dearest last.
    unfinished: FxHashMap<FnId, [u64; 2]>,
    /// Expressions of the innermost function that wait for their first evaluation.
    owed: u64,
    /// The same of those that called it.
    owed_outside: u64,
    /// What walks that were given up would have needed beyond the steps that they had taken.
    lacking: u64,
    /// Of entries whose walk was given up.
    entries: FxHashMap<ContextId, u64>,
}

/// What was owed before a function was entered.
#[derive(Clone, Copy)]
pub(super) struct Owed {
    pub here: u64,
    outside: u64,
}

impl Costs {
    /// So many expressions more.
    pub(super) fn enter(&mut self, expressions: usize) -> Owed {
        let before = self.owed_before();
        self.owed = expressions as u64;
        self.owed_outside = before.here + before.outside;
        before
    }

    pub(super) fn owed_before(&self) -> Owed {
        Owed { here: self.owed, outside: self.owed_outside }
    }

    pub(super) fn leave(&mut self, before: Owed) {
        self.owed = before.here;
        self.owed_outside = before.outside;
    }

    pub(super) fn step(&mut self) {
        self.owed = self.owed.saturating_sub(1);
    }

    /// The function was walked to its end.
    pub(super) fn finish(&mut self, function: FnId) {
        if !self.unfinished.is_empty() {
            self.unfinished.remove(&function);
        }
    }

    fn add_unfinished(&mut self, function: FnId, steps: u64) {
        let dearest = self.unfinished.entry(function).or_default();
        dearest[0] = dearest[0].max(steps);
        dearest.sort_unstable();
    }

    /// What a function takes in any case, going by the walks of it: two took as much in vain.
    fn seen(&self, function: FnId) -> u64 {
        self.unfinished.get(&function).map_or(0, |[second, _]| *second)
    }

    /// Of an entry that was walked before.
    pub(super) fn of_entry(&self, entry: ContextId) -> u64 {
        self.entries.get(&entry).copied().unwrap_or(0)
    }

    /// The walk of an entry took so many steps and was given up.
    pub(super) fn give_up_entry(&mut self, entry: ContextId, steps: u64) {
        self.entries.insert(entry, steps + std::mem::take(&mut self.lacking));
    }
}

impl Interp<'_> {
    /// Whether the walk comes out of the function again with the steps that are left, as far as can be told. It ends
    /// here if not.
    pub(super) fn affords(&mut self, function: FnId) -> bool {
        let left = self.limit.saturating_sub(self.counts.steps + self.steps);
        let owed = self.costs.owed + self.costs.owed_outside;
        let seen = self.costs.seen(function);
        let most = left.saturating_sub(owed);
        let mut needs = seen.max(self.program.body_size_at_least(function));
        if needs <= most {
            needs = self.program.body(function).map_or(0, |body| body.body.exprs.len() as u64);
        }
        if needs > most {
            self.give_up(needs);
        }
        needs <= most
    }

    /// Ends the walk, which would need so many steps for what it is about to do.
    pub(super) fn give_up(&mut self, needs: u64) {
        let now = self.counts.steps + self.steps;
        let mut lacking = needs + self.costs.owed;
        let mut told = true;
        for call in self.stack.iter().rev() {
            // What a closure costs says nothing of who called it.
            told &= call.function.is_some();
            if let Some(function) = call.function.filter(|_| told) {
                self.costs.add_unfinished(function, now - call.began + lacking);
            }
            lacking += if call.function.is_some() { call.owed.here } else { 0 };
        }
        self.costs.lacking = lacking;
        self.stop();
    }
}
