//! What a context does that others may notice, with what decided it: so that a decision that is out of date can be told from
//! one that doesn't matter.
//!
//! In: tests of what a read gave, and effects (*acts*: writes, calls of what nobody knows, output, starting contexts). Out: for
//! each act the reads that decided it, and for which of the values that a read may have given it is done. Invariant: a read
//! that isn't in `Ways` says nothing; what is known of one ends when it is read again.

use super::access::AccessEvent;
use super::places::{FrameId, PlaceId};
use super::state::State;
use super::values::{Deps, ReadId};
use super::{Cx, Interp};
use crate::finding::Location;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// More acts of a context aren't kept.
const MAX_ACTS: usize = 4_000;
/// More values of one read aren't told apart.
const MAX_VALUES: usize = 16;

/// Which values of a read lead here: these, or all but these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    these: bool,
    values: BTreeSet<i128>,
}

impl Found {
    fn one(value: i128) -> Found {
        Found { these: true, values: BTreeSet::from([value]) }
    }

    fn all_but(value: i128) -> Found {
        Found { these: false, ..Found::one(value) }
    }

    /// Whatever was read.
    fn is_all(&self) -> bool {
        !self.these && self.values.is_empty()
    }

    fn or(&self, other: &Found) -> Found {
        let (one, two) = (&self.values, &other.values);
        match (self.these, other.these) {
            (true, true) => Found { these: true, values: one | two },
            (true, false) => Found { these: false, values: two - one },
            (false, true) => Found { these: false, values: one - two },
            (false, false) => Found { these: false, values: one & two },
        }
    }

    fn and(&self, other: &Found) -> Found {
        let (one, two) = (&self.values, &other.values);
        match (self.these, other.these) {
            (true, true) => Found { these: true, values: one & two },
            (true, false) => Found { these: true, values: one - two },
            (false, true) => Found { these: true, values: two - one },
            (false, false) => Found { these: false, values: one | two },
        }
    }

    fn excludes(&self, other: &Found) -> bool {
        let both = self.and(other);
        both.these && both.values.is_empty()
    }
}

/// For reads that were tested on the way here, which of their values lead here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ways(Option<Rc<BTreeMap<ReadId, Found>>>);

impl Ways {
    fn get(&self, read: ReadId) -> Option<&Found> {
        self.0.as_ref()?.get(&read)
    }

    fn set(&mut self, read: ReadId, found: Found) {
        if found.values.len() > MAX_VALUES {
            return self.forget(read);
        }
        Rc::make_mut(self.0.get_or_insert_default()).insert(read, found);
    }

    /// It is read again.
    pub fn forget(&mut self, read: ReadId) {
        if self.get(read).is_some() {
            self.0.as_mut().map(|ways| Rc::make_mut(ways).remove(&read));
        }
    }

    /// A way that meets this one.
    pub fn join(&mut self, other: &Ways) {
        let (Some(mine), Some(theirs)) = (&self.0, &other.0) else {
            self.0 = None;
            return;
        };
        if Rc::ptr_eq(mine, theirs) {
            return;
        }
        let both = mine.iter().filter_map(|(read, found)| Some((*read, found.or(theirs.get(read)?))));
        let both: BTreeMap<ReadId, Found> =
            both.filter(|(_, found)| found.values.len() <= MAX_VALUES).collect();
        self.0 = (!both.is_empty()).then(|| Rc::new(both));
    }

    /// These reads decide once more, in a way that nobody can tell: what was the same for all their values isn't any more.
    pub fn decided_anew(&mut self, deps: &Deps) {
        for read in deps.iter() {
            if self.leads_anyway(read) {
                self.forget(read);
            }
        }
    }

    /// Whether some of these reads were tested, and whatever each of them gave led here.
    pub fn any_leads_anyway(&self, deps: &Deps) -> bool {
        self.0.is_some() && deps.iter().any(|read| self.leads_anyway(read))
    }

    fn leads_anyway(&self, read: ReadId) -> bool {
        self.get(read).is_some_and(Found::is_all)
    }

    /// Of these reads those of which every value may lead here, and there too.
    pub fn whatever_was_read(&self, there: &Ways, reads: &Deps) -> Deps {
        let all = |ways: &Ways, read| ways.get(read).is_some_and(Found::is_all);
        reads.iter().filter(|read| all(self, *read) && all(there, *read)).collect()
    }

    /// Whether what is done here has nothing to do with a value of this read that led there: it is done whatever was read, or
    /// only where it was another value.
    fn apart_from(&self, read: ReadId, there: &Ways) -> bool {
        let Some(here) = self.get(read) else { return false };
        here.is_all() || there.get(read).is_some_and(|there| here.excludes(there))
    }
}

/// Something with an effect of its own.
#[derive(Clone, Debug)]
pub struct Act {
    /// The reads that decided it.
    deps: Deps,
    ways: Ways,
}

/// What a context did, by call and place in the text.
#[derive(Clone, Debug, Default)]
pub struct Acts(FxHashMap<(FrameId, Location), Act>);

impl Acts {
    fn add(&mut self, frame: FrameId, at: Location, deps: &Deps, ways: &Ways) {
        if let Some(act) = self.0.get_mut(&(frame, at)) {
            act.deps = act.deps.join(deps);
            act.ways.join(ways);
        } else if self.0.len() < MAX_ACTS {
            self.0.insert((frame, at), Act { deps: deps.clone(), ways: ways.clone() });
        }
    }

    /// Whether anything, other than the write itself, was done because the read at `read` led to this write, in calls that are
    /// asked for.
    pub fn follow(
        &self,
        log: &[AccessEvent],
        read: Location,
        write: &AccessEvent,
        within: impl Fn(FrameId) -> bool,
    ) -> bool {
        let is_it = |id: &ReadId| log.get(id.0 as usize).is_some_and(|event| event.at == read);
        self.0.iter().any(|((frame, at), act)| {
            *at != write.at
                && within(*frame)
                && act.deps.iter().filter(is_it).any(|id| !act.ways.apart_from(id, &write.ways))
        })
    }
}

impl Interp<'_> {
    /// An effect of its own, decided by what decided that we are here.
    pub(super) fn act(&mut self, cx: &Cx, expr: crate::hir::ExprId) {
        if self.st.reachable {
            self.act_at(cx.frame, cx.location(cx.body.body.expr(expr).range));
        }
    }

    pub(super) fn act_at(&mut self, frame: FrameId, at: Location) {
        // What a once-initializer does is done once, whoever comes first.
        if !self.st.control.is_empty() && self.st.moment.within.is_empty() {
            self.contexts.get_mut(self.context).acts.add(frame, at, &self.st.control, &self.st.ways);
        }
    }

    /// The read of this atomic among those that a tested value depends on, if there is just one.
    pub(super) fn tested_read(&self, place: PlaceId, deps: &Deps) -> Option<ReadId> {
        let log = &self.contexts.get(self.context).log.events;
        let mut reads = deps.iter().filter(|id| log.get(id.0 as usize).is_some_and(|e| e.place == place));
        reads.next().filter(|_| reads.next().is_none())
    }
}

/// A test of what was read: it is this value, or another one.
pub(super) fn split_ways(read: ReadId, value: i128, holds: &mut State, fails: &mut State) {
    let narrow = |state: &mut State, found: Found| {
        let known = state.ways.get(read).map(|known| known.and(&found));
        state.ways.set(read, known.unwrap_or(found));
    };
    narrow(holds, Found::one(value));
    narrow(fails, Found::all_but(value));
}
