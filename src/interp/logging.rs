//! The log of a context's accesses: each is written down with what decided it, the locks held and the moment.
//!
//! In: an access of a place that others may reach. Out: its event, and the number by which values name it as a read; in the
//! state, which reads a write has acted on. Invariant: what others can't reach is not logged.

use super::access::{AccessEvent, Door, Effect, HeldLock, Runs};
use super::memory::{AccessInfo, Lval, held_first};
use super::places::{PlaceId, Proj, Root};
use super::state::{Hold, Reach};
use super::terms::Term;
use super::values::{Deps, ReadId, Val};
use super::{Cx, Interp};
use crate::finding::AccessKind;
use std::rc::Rc;

impl Interp<'_> {
    /// Writes an access down if others can reach the place. Gives the read's number.
    pub(super) fn log(&mut self, cx: &Cx, place: PlaceId, door: Door, info: &AccessInfo) -> Option<ReadId> {
        self.log_through(cx, place, door, info, &Deps::default())
    }

    /// The same of a place that was found by way of these reads.
    pub(super) fn log_through(
        &mut self,
        cx: &Cx,
        place: PlaceId,
        door: Door,
        info: &AccessInfo,
        through: &Deps,
    ) -> Option<ReadId> {
        if self.stopped || self.muted || !self.st.reachable {
            return None;
        }
        if info.kind != AccessKind::Read {
            self.act_at(cx.frame, cx.location(info.range));
        }
        if !self.is_shared(place) {
            return None;
        }
        let constant = info.kind == AccessKind::Write && matches!(info.effect, Some(Effect::Set(_)));
        let held = self.st.locks.iter().filter(|hold| self.holds_at(hold, place, through));
        let locks: Rc<[HeldLock]> = held
            .map(|h| HeldLock { lock: h.lock, all: h.reach == Reach::All, mode: h.mode, hold: h.id })
            .collect();
        let settled = if info.atomic.is_some() { &self.st.settled } else { &self.st.outdated };
        let mut control = self.st.control.without(settled);
        let acted_on = self.st.control.without(&control);
        let looping = match info.kind {
            AccessKind::Update => control.without(&control.without(&self.st.looping)),
            _ => Deps::default(),
        };
        if constant {
            control = control.without(&self.st.looping);
        }
        let event = AccessEvent {
            place,
            kind: info.kind,
            atomic: info.atomic,
            door,
            locks,
            moment: self.moment(),
            at: cx.location(info.range),
            frame: cx.frame,
            data: info.data.clone(),
            through: through.clone(),
            control,
            looping,
            acted_on,
            seen: if constant { self.st.seen.clone() } else { Deps::default() },
            same: info.same,
            saw: self.st.saw.get(&place).copied(),
            ways: self.st.ways.clone(),
            side: self.st.sides.get(&place).copied(),
            effect: info.effect.clone(),
            term: info.term.clone(),
            runs: self.runs(),
        };
        let synchronized = event.atomic.is_some() || self.places.passes(place, |step| step == Proj::Guarded);
        let read = event.kind == AccessKind::Read;
        let reasons = if read || !synchronized { Deps::default() } else { event.control.join(&event.data) };
        let log = &mut self.contexts.get_mut(self.context).log;
        // What goes back to where it was read from isn't taken away.
        let elsewhere = |read: &ReadId| {
            event.kind != AccessKind::Update
                || log.events.get(read.0 as usize).is_none_or(|source| source.place != event.place)
        };
        log.used.extend(event.data.iter().filter(elsewhere).collect::<Vec<_>>());
        let id = log.add(event)?;
        if read && synchronized {
            let one = Deps::one(id);
            self.st.settled = self.st.settled.without(&one);
            self.st.outdated = self.st.outdated.without(&one);
            self.st.seen = self.st.seen.join(&one);
            self.st.ways.forget(id);
        }
        let reasons = if read { reasons } else { reasons.join(&self.superseded(place)) };
        self.settle(place, &reasons, info);
        Some(id)
    }

    /// Whether a hold is one of the lock at this place: one of several is where it protects the place, or lies in one object with it
    /// that both were found by way of the same reads.
    fn holds_at(&self, hold: &Hold, place: PlaceId, through: &Deps) -> bool {
        let together = || {
            let via = self.found_by_way.get(&hold.id);
            self.places.get(hold.lock).root == self.places.get(place).root
                && via.is_some_and(|via| !via.is_empty() && via.iter().all(|read| through.contains(read)))
        };
        hold.reach != Reach::Among || self.places.below(hold.lock, place).is_some() || together()
    }

    /// What was read of the place under a hold that it is now written under: the write comes after it.
    fn superseded(&self, place: PlaceId) -> Deps {
        if self.st.locks.is_empty() {
            return Deps::default();
        }
        let log = &self.contexts.get(self.context).log.events;
        let under_hold = |read: &ReadId| {
            log.get(read.0 as usize).is_some_and(|event| {
                event.place == place
                    && event.locks.iter().any(|held| self.st.locks.iter().any(|now| now.id == held.hold))
            })
        };
        self.st.seen.iter().filter(under_hold).collect()
    }

    /// A write of a place acts on what was read of it.
    fn settle(&mut self, place: PlaceId, reasons: &Deps, info: &AccessInfo) {
        let log = &self.contexts.get(self.context).log.events;
        let acted_on = reasons.iter().filter(|id| {
            let Some(read) = log.get(id.0 as usize).map(|event| event.place) else { return false };
            self.places.ancestors(read).any(|p| p == place) || self.places.ancestors(place).any(|p| p == read)
        });
        let acted_on: Deps = acted_on.collect();
        if acted_on.is_empty() {
            return;
        }
        self.st.settled = self.st.settled.join(&acted_on);
        if !(info.atomic.is_some() && self.goes_on(place, info)) {
            self.st.outdated = self.st.outdated.join(&acted_on);
        }
    }

    /// The atomic gets a state that it didn't have at first: what was found in it before goes on deciding who may touch what
    /// lies beside it.
    fn goes_on(&self, place: PlaceId, info: &AccessInfo) -> bool {
        let first = held_first(&self.initial, &self.places, place);
        let first = first.as_ref().and_then(Val::constant).and_then(super::terms::number);
        match (info.term.as_deref(), first) {
            (Some(Term::Const(state)), Some(first)) => *state != first,
            _ => false,
        }
    }

    /// How often its context comes here.
    pub(super) fn runs(&self) -> Runs {
        match self.loops.as_slice() {
            _ if !self.st.sure => Runs::Unknown,
            [] => Runs::Once,
            loops => Runs::Rounds(loops.into()),
        }
    }

    /// The value goes somewhere, and what it and the local that it points to depend on with it.
    pub(super) fn used(&mut self, value: &Val) {
        if value.ty.is_unit() {
            return;
        }
        let deps = self.lent_deps(value);
        if !deps.is_empty() {
            self.contexts.get_mut(self.context).log.used.extend(deps.iter());
        }
    }

    pub(super) fn log_lval(&mut self, cx: &Cx, lval: &Lval, info: &AccessInfo) -> Deps {
        let mut deps = lval.deps.clone();
        let chosen = info.kind == AccessKind::Read && info.atomic.is_none() && !lval.deps.is_empty();
        let by_choice = chosen.then(|| AccessInfo { data: lval.deps.clone(), ..info.clone() });
        let info = by_choice.as_ref().unwrap_or(info);
        for &place in &lval.places {
            if let Some(read) = self.log_through(cx, place, lval.door, info, &lval.deps)
                && info.kind != AccessKind::Write
            {
                deps = deps.join(&Deps::one(read));
            }
            if matches!(self.places.get(place).root, Root::ThreadLocal(_)) {
                deps = deps.join(&Deps::one(ReadId::OWN));
            }
        }
        deps
    }
}
