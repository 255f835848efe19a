//! Memory that is freed when its readers have left (counted readers, hazard pointers, epochs made by hand).
//!
//! In: two accesses of one object. Out: whether the one ends it after it was taken out of the atomic that it was published through
//! and another atomic was looked at since, and the other comes where its context had announced itself in that other one.

use super::Facts;
use super::pairs::Event;
use crate::finding::AccessKind;
use crate::interp::access::AccessEvent;
use crate::interp::places::PlaceId;
use crate::interp::values::ReadId;

/// Whether `free` is made when the context of `reader` has left, as an atomic of theirs says.
pub fn retired(facts: &Facts, free: Event, reader: Event) -> bool {
    let asked = asked_since(facts, free);
    !asked.is_empty() && announces_in(facts, reader, &asked)
}

/// The atomics that decided the free after an exchange took the object out.
fn asked_since(facts: &Facts, free: Event) -> Vec<PlaceId> {
    let places = &facts.analysis.places;
    let whole = places.get(free.access.place).parent.is_none();
    let Some(published) = facts.analysis.published.get(&free.access.place).filter(|_| whole) else {
        return Vec::new();
    };
    let log = &facts.analysis.contexts.get(free.context).log;
    let Some(here) = first_time(&log.events, free.access) else { return Vec::new() };
    let decides = |id: usize| {
        let id = ReadId(id as u32);
        free.access.control.contains(id) || log.looped.contains(&id)
    };
    let taken_out = |event: &AccessEvent| {
        event.kind == AccessKind::Update && places.same_but_index(event.place, *published)
    };
    let before = &log.events[..here];
    let Some(taken) = before.iter().rposition(taken_out) else { return Vec::new() };
    let asked = before.iter().enumerate().skip(taken).filter(|(id, event)| {
        event.kind == AccessKind::Read && event.atomic.is_some() && decides(*id) && event.place != *published
    });
    asked.map(|(_, event)| event.place).collect()
}

/// Whether its context writes to one of these atomics before and again after the access.
fn announces_in(facts: &Facts, reader: Event, atomics: &[PlaceId]) -> bool {
    let log = &facts.analysis.contexts.get(reader.context).log.events;
    let Some(here) = first_time(log, reader.access) else { return false };
    let places = &facts.analysis.places;
    let announces = |event: &AccessEvent| {
        event.kind != AccessKind::Read
            && event.atomic.is_some()
            && atomics.iter().any(|at| places.same_but_index(*at, event.place))
    };
    log[..here].iter().any(announces) && log[here..].iter().any(announces)
}

/// Where the log has the access the first time, to whichever object: what a round of a loop does again stands there once.
fn first_time(log: &[AccessEvent], wanted: &AccessEvent) -> Option<usize> {
    let again =
        |event: &AccessEvent| (event.at, event.frame, event.kind) == (wanted.at, wanted.frame, wanted.kind);
    log.iter().position(again)
}
