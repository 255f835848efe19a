//! Barriers made by hand: contexts count themselves in, who comes last opens a flag, and the others wait until it has changed
//! (a sense, a generation; with atomics, or with a lock and a condition variable).
//!
//! In: stores to flags and loops that were left because of one, each on a way that the context's own step of a counter decided.
//! Out: waits at a barrier, known by its flag. Invariant: what has only one of the two sides, or counts with an ordering that
//! doesn't both release and acquire, is no barrier: its phases are forgotten in the end.

use super::Interp;
use super::access::{AccessEvent, Effect};
use super::order::{ANY_VALUE, acquires, releases};
use super::places::PlaceId;
use super::state::SyncKind;
use super::values::Deps;
use crate::finding::AccessKind;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Counters that decided who opens a flag, and who waits for it.
#[derive(Default)]
pub(super) struct Sides {
    opened: BTreeSet<PlaceId>,
    awaited: BTreeSet<PlaceId>,
}

pub(super) type HandBarriers = FxHashMap<PlaceId, Sides>;

/// A step under a lock stands this near to the test of the counter.
const NEAR: usize = 48;

impl Interp<'_> {
    /// The context stores to a flag, so that others see what it did before.
    pub(super) fn opens(&mut self, flag: PlaceId) {
        for counter in self.counted_itself_in() {
            if counter != flag && self.came_last(counter) {
                self.hand_barriers.entry(flag).or_default().opened.insert(counter);
                self.st.wait_at(flag);
                return;
            }
        }
    }

    /// A loop was left; these reads decided that.
    pub(super) fn waited_in_loop(&mut self, decided: &Deps) {
        let counters = self.counted_itself_in();
        if counters.is_empty() {
            return;
        }
        let log = &self.contexts.get(self.context).log.events;
        let mut looked: BTreeMap<PlaceId, &AccessEvent> = BTreeMap::new();
        for read in decided.iter().filter_map(|id| log.get(id.0 as usize)) {
            if read.kind == AccessKind::Read && counters.iter().any(|counter| *counter != read.place) {
                looked.insert(read.place, read);
            }
        }
        // What was read before the loop is only what the flag is compared with.
        let acquired = |(_, last): &(&PlaceId, &&AccessEvent)| match last.atomic {
            Some(order) => acquires(order),
            None => self.is_guarded(last.place),
        };
        let flags: Vec<PlaceId> = looked.iter().filter(acquired).map(|(flag, _)| *flag).collect();
        for flag in flags {
            self.hand_barriers.entry(flag).or_default().awaited.extend(counters.iter().copied());
            self.st.wait_at(flag);
        }
    }

    /// The counters of which the context's own step decided the way here.
    fn counted_itself_in(&self) -> Vec<PlaceId> {
        let log = &self.contexts.get(self.context).log.events;
        let decisive = self.st.control.iter().chain(self.st.left.iter());
        let mut found: Vec<PlaceId> = Vec::new();
        for (at, event) in decisive.filter_map(|id| Some((id.0 as usize, log.get(id.0 as usize)?))) {
            let counted = match event.atomic {
                Some(order) => {
                    event.kind == AccessKind::Update && counts(event) && acquires(order) && releases(order)
                }
                None => self.is_guarded(event.place) && stepped_near(log, at),
            };
            if counted && !found.contains(&event.place) {
                found.push(event.place);
            }
        }
        found
    }

    /// The way here is that of the last to count, not of the first: the counter was put back, or says so.
    fn came_last(&self, counter: PlaceId) -> bool {
        let last = self.st.moment.acquired.iter().any(|key| {
            key.place == counter
                && match key.kind {
                    SyncKind::Last => true,
                    SyncKind::LastDrawn(number) => number == ANY_VALUE || number > 1,
                    _ => false,
                }
        });
        let log = &self.contexts.get(self.context).log.events;
        let put_back = |event: &AccessEvent| event.place == counter && event.kind == AccessKind::Write;
        let guarded = self.is_guarded(counter) && self.st.saw.get(&counter) != Some(&1);
        last || guarded || log.iter().any(put_back)
    }

    /// The flags of the barriers. What turned out to be none orders nothing.
    pub(super) fn settle_barriers(&mut self) -> FxHashSet<PlaceId> {
        let sides = std::mem::take(&mut self.hand_barriers);
        let has_both = |(_, sides): &(&PlaceId, &Sides)| !sides.opened.is_disjoint(&sides.awaited);
        let barriers: FxHashSet<PlaceId> = sides.iter().filter(has_both).map(|(flag, _)| *flag).collect();
        let half = |flag: &PlaceId| sides.contains_key(flag) && !barriers.contains(flag);
        if barriers.len() < sides.len() {
            for at in &mut self.moments {
                if at.phases.keys().any(half) {
                    Rc::make_mut(at).phases.retain(|flag, _| !half(flag));
                }
            }
        }
        barriers
    }
}

fn counts(event: &AccessEvent) -> bool {
    matches!(event.effect, Some(Effect::Add | Effect::Subtract | Effect::SubtractSeen))
}

/// The counter that this read found was moved on by the context itself not long before.
fn stepped_near(log: &[AccessEvent], read: usize) -> bool {
    let steps = |event: &AccessEvent| {
        event.kind != AccessKind::Read
            && event.place == log[read].place
            && event.term.as_ref().is_some_and(|term| term.steps().is_some())
    };
    log[read.saturating_sub(NEAR)..read].iter().any(steps)
}
