//! In which order contexts are walked, how often, and what a walk that was cut short is worth.
//!
//! In: the contexts that a program starts with. Out: every context walked until nothing that its walk builds on
//! changes, or without a log. Each entry is walked with all that it starts before the next one, within steps of its
//! own: what one entry costs is not at the expense of the others.

use super::Interp;
use super::contexts::ContextId;

/// How often the contexts of one entry are gone through.
const MAX_ROUNDS: usize = 3;

impl Interp<'_> {
    /// Walks every context, again where what it builds on has changed since it was walked.
    pub(super) fn walk_all(&mut self) {
        let entries = self.contexts.list.len() as u32;
        for entry in 0..entries {
            self.walk_tree(ContextId(entry));
        }
        for _ in 1..MAX_ROUNDS {
            let mut next = 0;
            let mut again = false;
            while next < self.contexts.list.len() {
                again |= self.walk_if_stale(ContextId(next as u32));
                next += 1;
            }
            if !again {
                return;
            }
        }
        self.counts.cut += 1;
    }

    /// Walks an entry and what it starts.
    fn walk_tree(&mut self, entry: ContextId) {
        let first = self.contexts.list.len();
        for _ in 0..MAX_ROUNDS {
            let mut again = self.walk_if_stale(entry);
            let mut next = first;
            while next < self.contexts.list.len() {
                again |= self.walk_if_stale(ContextId(next as u32));
                next += 1;
            }
            if !again {
                return;
            }
        }
    }

    /// Whether there was anything to do.
    fn walk_if_stale(&mut self, id: ContextId) -> bool {
        let stale = self.heap.facts.is_stale(id);
        if stale {
            self.heap.facts.begin_walk(id);
            self.walk_context(id);
            self.heap.facts.end_walk(id);
        }
        stale
    }
}
