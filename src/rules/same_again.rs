//! Writes that store the same whoever makes them: constants, memos, values chosen anew.
//!
//! In: a write that a look led to, and another one of the same place. Out: whether who comes second changes nothing by it.

use super::Facts;
use super::harmless::{common_holds, looks_at_whole};
use super::pairs::Event;
use crate::finding::AccessKind;
use crate::interp::access::{AccessEvent, Made};
use crate::interp::places::{FrameId, Index, Proj};

/// Both writes store one value, and nothing else follows from the decision: who comes second changes nothing.
pub(super) fn same_again(facts: &Facts, write: &Event, read: &AccessEvent, other: &Event) -> bool {
    let Some((same, others)) = write.access.same.zip(other.access.same) else { return false };
    if !same.is_same_as(others) {
        return false;
    }
    // Under two keys even the same is put in twice.
    if looks_at_whole(facts, write, read) {
        return false;
    }
    match same.made {
        Made::Constant => !acts(facts, write, read, |_| true),
        Made::Chosen => {
            let below = |frame| is_below(facts, frame, write.access.frame);
            !acts(facts, write, read, below) && stays_same(facts, write)
        }
        Made::Computed => !refuses(facts, write, read) && stays_same(facts, write),
    }
}

/// Who finds it there already is told so by an error.
fn refuses(facts: &Facts, write: &Event, read: &AccessEvent) -> bool {
    let log = &facts.analysis.contexts.get(write.context).log;
    log.refusing.iter().any(|id| log.events.get(id.0 as usize).is_some_and(|event| std::ptr::eq(event, read)))
}

/// Whether anything else with an effect is done because of the look that the write is decided by.
pub(super) fn acts(
    facts: &Facts,
    write: &Event,
    read: &AccessEvent,
    within: impl Fn(FrameId) -> bool,
) -> bool {
    let context = facts.analysis.contexts.get(write.context);
    context.acts.follow(&context.log.events, read.at, write.access, within)
}

/// Whether a call is made by another one, or is it.
pub(super) fn is_below(facts: &Facts, frame: FrameId, caller: FrameId) -> bool {
    facts.analysis.frames.outward(frame).any(|at| at == caller)
}

/// What the written value is computed from doesn't change. What was read to get to the place, of what it is in, is no part of that.
fn stays_same(facts: &Facts, write: &Event) -> bool {
    let log = &facts.analysis.contexts.get(write.context).log.events;
    let leads_there = |id, source: &AccessEvent| {
        write.access.through.contains(id)
            && facts.analysis.places.below(source.place, write.access.place).is_some()
    };
    write.access.data.iter().all(|id| {
        log.get(id.0 as usize).is_none_or(|source| {
            leads_there(id, source)
                || found_by_itself(facts, write, source)
                || (!is_old_state(facts, write, source) && never_written(facts, source, write))
        })
    })
}

/// It was read by a call of the very function that decides on the write, for another argument: what that gives is as much the
/// same whoever asks as what is written.
pub(super) fn found_by_itself(facts: &Facts, write: &Event, source: &AccessEvent) -> bool {
    let frames = &facts.analysis.frames;
    let calls = |frame| frames.outward(frame);
    let log = &facts.analysis.contexts.get(write.context).log.events;
    let decisive = write.access.control.join(&write.access.acted_on);
    let looks: Vec<&AccessEvent> = decisive
        .iter()
        .filter_map(|id| log.get(id.0 as usize))
        .filter(|read| read.place == write.access.place)
        .collect();
    let own =
        calls(write.access.frame).find(|at| looks.iter().any(|read| calls(read.frame).any(|f| f == *at)));
    own.is_some_and(|own| {
        let function = frames.get(own).function;
        let mut inner = calls(source.frame).take_while(|at| *at != own);
        function.is_some()
            && calls(source.frame).any(|at| at == own)
            && inner.any(|at| frames.get(at).function == function)
    })
}

/// What was read is the very state that the write changes (no other element of a collection), and under one hold with it.
fn is_old_state(facts: &Facts, write: &Event, source: &AccessEvent) -> bool {
    let places = &facts.analysis.places;
    let known = |step| {
        !matches!(step, Proj::Index(_)) || matches!(step, Proj::Index(Index::Const(_) | Index::Key(_)))
    };
    let one_of_many = |place| places.passes(place, |step| !known(step));
    source.kind == AccessKind::Read
        && source.at != write.access.at
        && places.below(source.place, write.access.place).is_some()
        && (source.place != write.access.place || !one_of_many(source.place))
        && !common_holds(source, write.access).is_empty()
}

/// Nobody writes where this was read, but for the write itself and what was written once, before.
fn never_written(facts: &Facts, source: &AccessEvent, but: &Event) -> bool {
    let places = &facts.analysis.places;
    let contexts = &facts.analysis.contexts;
    let all = contexts.ids().flat_map(|id| contexts.get(id).log.events.iter().map(move |event| (id, event)));
    source.kind == AccessKind::Read
        && all.into_iter().all(|(id, event)| {
            event.kind == AccessKind::Read
                || places.same_but_index(event.place, but.access.place)
                || (places.below(event.place, source.place).is_none()
                    && places.below(source.place, event.place).is_none())
                || facts.analysis.comes_once_before((id, event), (but.context, source))
        })
}
