//! Order between elements of one array: flags that stand beside the data, and counters of how many elements are ready.
//!
//! In: two accesses of elements, which meet only if the indices are the same. Out: whether the element itself was handed
//! over: by a flag in the same element, by a counter that its only writer moves past it, or by the two indices of a ring;
//! and whether it would have been, had the orderings been strong enough.

use super::Analysis;
use super::access::{AccessEvent, Runs};
use super::contexts::ContextId;
use super::order::{ANY_VALUE, acquires, releases};
use super::places::{Index, PlaceId, Proj};
use super::state::{SyncKey, SyncKind};
use crate::finding::AccessKind;

impl Analysis {
    /// The second access follows an acquire of a flag in its element, which the first context releases in its own after the
    /// first access.
    pub(super) fn handed_within(&self, one: ContextId, a: &AccessEvent, b: &AccessEvent) -> bool {
        let (first, second) = (&self.moments[a.moment.0 as usize], &self.moments[b.moment.0 as usize]);
        let (from, to) = (self.places.path(a.place), self.places.path(b.place));
        // An element that comes round again is handed over again, and nothing says that it was given back.
        let again = (a.runs != Runs::Once || self.is_many(one)) && from.contains(&Proj::Index(Index::Any));
        if again {
            return false;
        }
        let released = &self.contexts.get(one).released_at_end;
        second.acquired.iter().any(|seen| {
            let SyncKind::Flag(value) = seen.kind else { return false };
            let flag = self.places.path(seen.place);
            let Some(at) = index_of(&flag).filter(|at| to.get(*at) == Some(&flag[*at])) else { return false };
            let told = value != self.initial_flag(seen.place) && self.beside(seen.place, b.place, at);
            told && released.iter().any(|(key, count)| {
                let path = self.places.path(key.place);
                key.kind == seen.kind
                    && path.len() == flag.len()
                    && self.beside(key.place, a.place, at)
                    && path[..at] == flag[..at]
                    && path[at + 1..] == flag[at + 1..]
                    && from.get(at) == Some(&path[at])
                    && first.released.get(key).is_none_or(|before| before < count)
            })
        })
    }

    /// Both are in elements of one array, by this step of their paths.
    fn beside(&self, flag: PlaceId, data: PlaceId, at: usize) -> bool {
        let (flag, data) = ((flag, self.places.path(flag)), (data, self.places.path(data)));
        self.places.get(flag.0).root == self.places.get(data.0).root && data.1.get(..at) == flag.1.get(..at)
    }

    /// The counter that orders the accesses, if one does: the first is made by its only writer, which moves it on afterwards,
    /// the second is decided by a load of it, and so of what it has passed. `strictly`: by orderings that order.
    pub fn published_up_to(
        &self,
        (one, a): (ContextId, &AccessEvent),
        (two, b): (ContextId, &AccessEvent),
        strictly: bool,
    ) -> Option<PlaceId> {
        let path = self.places.path(a.place);
        let moves = |place: PlaceId| {
            let path = self.places.path(place);
            index_of(&path).is_some_and(|at| !matches!(path[at], Proj::Index(Index::Const(_))))
        };
        // An index that is a constant in the first round is that of others later.
        let later = |event: &AccessEvent| (event.at, event.frame) == (a.at, a.frame) && moves(event.place);
        let log = &self.contexts.get(one).log.events;
        let advances = index_of(&path).is_some() && (moves(a.place) || log.iter().any(later));
        if one == two || self.is_many(one) || a.kind == AccessKind::Read || !advances {
            return None;
        }
        let first = &self.moments[a.moment.0 as usize];
        let loaded = self.deciding(two, b).filter_map(|load| Some((load.place, acquires(load.atomic?))));
        loaded.chain(self.counted_past(b)).find_map(|(counter, acquiring)| {
            let key = SyncKey { place: counter, kind: SyncKind::Flag(ANY_VALUE) };
            let moved_later = self.contexts.get(one).released_at_end.get(&key) > first.released.get(&key);
            let ordered = acquiring && moved_later && self.stored_only_by(counter, (one, two), true);
            let found = ordered || (!strictly && self.stored_only_by(counter, (one, two), false));
            // Who fills it again waits for the second to have done with it, and is told so before that is true.
            let refilled = |own| self.moved_too_soon(two, b, (counter, own));
            let refilled = || self.index_owned(one, a, two, false).is_some_and(refilled);
            (found && self.moved_with(one, a, counter) && !refilled()).then_some(counter)
        })
    }

    /// The counters that were waited for until they had passed the element's number, and whether the wait acquired.
    fn counted_past(&self, access: &AccessEvent) -> Vec<(PlaceId, bool)> {
        let path = self.places.path(access.place);
        let Some(Proj::Index(Index::Const(number))) = index_of(&path).map(|at| path[at]) else {
            return Vec::new();
        };
        let moment = &self.moments[access.moment.0 as usize];
        let seen =
            moment.acquired.iter().map(|key| (key, true)).chain(moment.weak.iter().map(|key| (key, false)));
        seen.filter(|(key, _)| matches!(key.kind, SyncKind::Counted(least) if least > number))
            .map(|(key, acquiring)| (key.place, acquiring))
            .collect()
    }

    /// The index of a ring of one producer and one consumer: an element is accessed as a load of an index says that only
    /// `other` stores. `strictly`: by orderings that order.
    fn index_owned(
        &self,
        context: ContextId,
        access: &AccessEvent,
        other: ContextId,
        strictly: bool,
    ) -> Option<PlaceId> {
        if self.is_many(context) || index_of(&self.places.path(access.place)).is_none() {
            return None;
        }
        let mut loads = self.deciding(context, access).filter(|load| match load.atomic {
            Some(order) => acquires(order) || !strictly,
            None => false,
        });
        loads.find(|load| self.stored_only_by(load.place, (other, context), strictly)).map(|load| load.place)
    }

    /// An index of the ring whose elements the two contexts hand to each other.
    pub fn ring_between(
        &self,
        (one, a): (ContextId, &AccessEvent),
        (two, b): (ContextId, &AccessEvent),
        strictly: bool,
    ) -> Option<PlaceId> {
        let index = self.index_owned(one, a, two, strictly).filter(|_| one != two)?;
        let other = self.index_owned(two, b, one, strictly)?;
        let given_up =
            self.moved_too_soon(one, a, (index, other)) || self.moved_too_soon(two, b, (other, index));
        (!given_up).then_some(index)
    }

    /// The context moves its own index on after it looked at the other's and before it makes the access: the element is the other's
    /// by then.
    fn moved_too_soon(
        &self,
        context: ContextId,
        access: &AccessEvent,
        (asked, own): (PlaceId, PlaceId),
    ) -> bool {
        let log = &self.contexts.get(context).log.events;
        let position = |wanted: &AccessEvent| log.iter().position(|event| std::ptr::eq(event, wanted));
        let looks = self.deciding(context, access).filter(|load| load.place == asked);
        let Some((here, looked)) = position(access).zip(looks.filter_map(position).max()) else {
            return false;
        };
        let mut between = log.get(looked..here).into_iter().flatten();
        between
            .any(|event| event.place == own && event.kind != AccessKind::Read && event.frame == access.frame)
    }

    /// The reads that an access, or the choice of its element, depends on.
    fn deciding<'a>(
        &'a self,
        context: ContextId,
        access: &'a AccessEvent,
    ) -> impl Iterator<Item = &'a AccessEvent> {
        let log = &self.contexts.get(context).log.events;
        access.control.iter().chain(access.data.iter()).filter_map(|id| log.get(id.0 as usize))
    }

    /// Stores from before `seen_by` was started are its own past, those after it was joined come too late.
    fn stored_only_by(
        &self,
        place: PlaceId,
        (only, seen_by): (ContextId, ContextId),
        releasing: bool,
    ) -> bool {
        let mut stored = false;
        for id in self.contexts.ids() {
            for event in &self.contexts.get(id).log.events {
                let apart = || {
                    let moment = &self.moments[event.moment.0 as usize];
                    self.not_started(id, moment, seen_by) || self.joined(moment).contains(&seen_by)
                };
                if event.place == place && event.kind != AccessKind::Read && !apart() {
                    if id != only || !event.atomic.is_some_and(|order| releases(order) || !releasing) {
                        return false;
                    }
                    stored = true;
                }
            }
        }
        stored
    }

    /// The element is chosen by the counter's own value, or in the loop that moves the counter.
    fn moved_with(&self, context: ContextId, access: &AccessEvent, counter: PlaceId) -> bool {
        let log = &self.contexts.get(context).log.events;
        let by_itself = self.deciding(context, access).any(|load| load.place == counter);
        let loops = |runs: &Runs| match runs {
            Runs::Rounds(loops) => loops.last().copied(),
            Runs::Once | Runs::Unknown => None,
        };
        let stores = log.iter().filter(|event| event.place == counter && event.kind != AccessKind::Read);
        // One function fills an element, whichever, and then moves the counter on.
        let filled_before = |store: &AccessEvent| {
            store.frame == access.frame
                && store.at.file == access.at.file
                && access.at.range.hi <= store.at.range.lo
        };
        by_itself
            || stores.clone().any(filled_before)
            || stores.into_iter().any(|store| {
                loops(&store.runs).is_some_and(|at| {
                    self.places.path(access.place).iter().any(
                        |step| matches!(step, Proj::Index(Index::Linear(l, mul, _)) if *l == at && *mul != 0),
                    )
                })
            })
    }
}

fn index_of(path: &[Proj]) -> Option<usize> {
    path.iter().position(|step| matches!(step, Proj::Index(_)))
}
