//! Counting contexts in and out: who waits until a counter has reached the number of all steps that are ever made, or until as
//! many steps down have left nothing of it, has waited for all who make them.
//!
//! In: the steps in the log and how often their contexts run. Out: whether a number means everybody. Invariant: where that
//! isn't known (the number of threads is decided at run time, say), whoever waits for a number is taken to wait for all.

use super::Analysis;
use super::access::{AccessEvent, Runs};
use super::contexts::ContextId;
use super::order::ANY_VALUE;
use super::places::{LoopId, PlaceId};
use super::state::{Moment, SyncKey, SyncKind};
use super::terms::Term;
use crate::finding::AccessKind;

impl Analysis {
    /// The first access comes before a step of its context, and `least` isn't reached without that step.
    pub(super) fn counted_in(&self, one: ContextId, first: &Moment, counter: PlaceId, least: i128) -> bool {
        self.steps_later(one, first, counter) && self.takes_all(counter, least)
    }

    /// The first access comes before a step down of its context, and nothing is left only after that step too.
    pub(super) fn counted_out(&self, one: ContextId, first: &Moment, counter: PlaceId) -> bool {
        self.steps_later(one, first, counter) && self.leaves_nothing(counter)
    }

    /// The context changes the counter after that moment, and in doing so releases what it did before.
    fn steps_later(&self, one: ContextId, first: &Moment, counter: PlaceId) -> bool {
        let key = SyncKey { place: counter, kind: SyncKind::Flag(ANY_VALUE) };
        let context = self.contexts.get(one);
        let count = |done: Option<&u8>| done.copied().unwrap_or(0);
        let steps_later = count(first.released.get(&key)) < count(context.released_at_end.get(&key));
        steps_later && !context.weakly_released_at_end.contains(&key)
    }

    /// The counter is back where it began: the second context counted up before it started the first, which counts down after
    /// the first access.
    pub(super) fn counted_back(
        &self,
        one: ContextId,
        first: &Moment,
        two: ContextId,
        counter: PlaceId,
    ) -> bool {
        if !self.steps_later(one, first, counter) {
            return false;
        }
        let (mut ups, mut downs) = (Some(0), Some(0));
        let mut before = false;
        for id in self.contexts.ids() {
            for event in &self.contexts.get(id).log.events {
                if event.place != counter || event.kind == AccessKind::Read {
                    continue;
                }
                let Some(by) = event.term.as_ref().and_then(|term| term.steps()) else { return false };
                if by > 0 && id != two {
                    return false;
                }
                let all = self.times(id, event).map(|times| times.saturating_mul(by.abs()));
                let sum = if by > 0 { &mut ups } else { &mut downs };
                *sum = sum.zip(all).map(|(sum, all): (i128, i128)| sum.saturating_add(all));
                before |= by > 0 && self.not_started(two, &self.moments[event.moment.0 as usize], one);
            }
        }
        before && ups.zip(downs).is_none_or(|(ups, downs)| downs <= ups)
    }

    /// The first access is made by the one instance whose step of an atomic led to some number, the other by it too, or where a
    /// flag has been set that only this instance sets, afterwards.
    pub(super) fn led(&self, first: &Moment, second: &Moment) -> bool {
        let counted_up = |atomic: PlaceId| {
            let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
            events.all(|event| {
                let by = || event.term.as_ref().and_then(|term| term.steps());
                event.place != atomic || event.kind == AccessKind::Read || by().is_some_and(|by| by > 0)
            })
        };
        let told_by = |drawn: &(PlaceId, i128), flag: PlaceId, value: i128| {
            let set = SyncKey { place: flag, kind: SyncKind::Flag(value) };
            let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
            !self.begins_with(flag, value)
                && !first.released.contains_key(&set)
                && events.all(|event| {
                    let drew = || self.moments[event.moment.0 as usize].drew.contains(drawn);
                    let releases = event.atomic.is_none_or(super::order::releases);
                    event.place != flag || event.kind == AccessKind::Read || (releases && drew())
                })
        };
        first.drew.iter().filter(|drawn| counted_up(drawn.0)).any(|drawn| {
            let passed = || second.passed.iter().filter(|(_, known_by)| known_by.is_none());
            second.drew.contains(drawn) || passed().any(|((flag, value), _)| told_by(drawn, *flag, *value))
        })
    }

    /// All steps together come to no more than this.
    pub(super) fn takes_all(&self, counter: PlaceId, least: i128) -> bool {
        let start = self.initial(counter).unwrap_or(0);
        let Some((total, smallest)) = self.steps_of(counter, |by| by > 0) else { return false };
        match total.map(|total| start.saturating_add(total)) {
            _ if least == ANY_VALUE => true,
            Some(total) => total <= least,
            None => least > start.saturating_add(smallest),
        }
    }

    /// All steps down together are needed to leave nothing of what the counter is at first.
    fn leaves_nothing(&self, counter: PlaceId) -> bool {
        let Some((total, largest)) = self.steps_of(counter, |by| by < 0) else { return false };
        match (self.counts_from(counter), total) {
            (Some(start), Some(total)) => total.saturating_add(start) >= 0,
            (Some(start), None) => start > largest.saturating_neg(),
            (None, _) => true,
        }
    }

    /// What a counter is before others change it, if it is known.
    fn counts_from(&self, counter: PlaceId) -> Option<i128> {
        let all =
            self.contexts.ids().flat_map(|id| self.contexts.get(id).log.events.iter().map(move |e| (id, e)));
        let mut resets = all.filter(|(id, event)| event.place == counter && self.is_reset(*id, event));
        match (resets.next(), resets.next()) {
            (None, _) => self.initial(counter),
            (Some((_, event)), None) => match event.term.as_deref() {
                Some(Term::Const(n)) => Some(*n),
                _ => None,
            },
            _ => None,
        }
    }

    /// All steps of a counter together, where it is known how often each is made, and the least of them; `None` if it changes in
    /// another way too.
    fn steps_of(&self, counter: PlaceId, counts: impl Fn(i128) -> bool) -> Option<(Option<i128>, i128)> {
        let mut total = Some(0_i128);
        let mut least = i128::MAX;
        for id in self.contexts.ids() {
            for event in &self.contexts.get(id).log.events {
                if event.place != counter || event.kind == AccessKind::Read || self.is_reset(id, event) {
                    continue;
                }
                let by = self.step_of(event).filter(|by| counts(*by))?;
                least = least.min(by);
                let times = self.times(id, event);
                total = total.zip(times).map(|(total, times)| total.saturating_add(by.saturating_mul(times)));
            }
        }
        Some((total, least))
    }

    /// By how much an access moves its place on, from what was found there.
    fn step_of(&self, event: &AccessEvent) -> Option<i128> {
        let term = event.term.as_ref()?;
        let mut elsewhere = false;
        term.each_read(&mut |context, read| {
            let log = &self.contexts.get(context).log.events;
            elsewhere |= log.get(read.0 as usize).is_some_and(|found| found.place != event.place);
        });
        term.steps().filter(|_| !elsewhere)
    }

    /// Stored before any other context was started.
    fn is_reset(&self, context: ContextId, event: &AccessEvent) -> bool {
        event.kind == AccessKind::Write
            && self.contexts.get(context).parent.is_none()
            && self.moments[event.moment.0 as usize].started.is_empty()
    }

    /// How often an access is made by all instances of its context together.
    fn times(&self, context: ContextId, event: &AccessEvent) -> Option<i128> {
        let own = match &event.runs {
            Runs::Once => 1,
            Runs::Rounds(loops) => self.product(loops)?,
            Runs::Unknown => return None,
        };
        self.contexts.ancestry(context).try_fold(own, |times, at| {
            let context = self.contexts.get(at);
            let counted = context.sure && (!context.many || !context.loops.is_empty());
            if counted { times.checked_mul(self.product(&context.loops)?) } else { None }
        })
    }

    fn product(&self, loops: &[LoopId]) -> Option<i128> {
        loops.iter().try_fold(1_i128, |product, at| product.checked_mul(i128::from(*self.rounds.get(at)?)))
    }
}
