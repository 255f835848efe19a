//! Mutual exclusion by announcement (Dekker, Peterson): each side raises a flag of its own and then looks at the other's.
//!
//! In: two accesses of different contexts. Out: whether each is made after its context raised a flag and then looked at the one that
//! the other raised, all sequentially consistent: of two stores and two loads, one load sees the other's store.

use super::Facts;
use super::pairs::Event;
use crate::finding::AccessKind;
use crate::interp::access::AccessEvent;
use crate::interp::places::PlaceId;
use crate::interp::terms::Term;
use crate::interp::values::ReadId;

/// A flag that is up, and one that was looked at since.
type Announced = (PlaceId, PlaceId);

pub fn announced(facts: &Facts, a: Event, b: Event) -> bool {
    if a.context == b.context || facts.analysis.is_many(a.context) || facts.analysis.is_many(b.context) {
        return false;
    }
    let theirs = announcements(facts, b);
    announcements(facts, a).iter().any(|(own, other)| theirs.contains(&(*other, *own)))
}

fn announcements(facts: &Facts, event: Event) -> Vec<Announced> {
    let log = &facts.analysis.contexts.get(event.context).log;
    let decides = |id: ReadId| event.access.control.contains(id) || log.looped.contains(&id);
    let log = &log.events;
    let Some(here) = log.iter().position(|access| std::ptr::eq(access, event.access)) else {
        return Vec::new();
    };
    let mut up: Vec<PlaceId> = Vec::new();
    let mut found: Vec<Announced> = Vec::new();
    for (id, access) in log[..here].iter().enumerate().filter(|(_, access)| access.atomic.is_some()) {
        match access.kind {
            AccessKind::Read if is_strong(access) && decides(ReadId(id as u32)) => {
                found.extend(up.iter().filter(|own| **own != access.place).map(|own| (*own, access.place)));
            }
            AccessKind::Read => {}
            AccessKind::Write | AccessKind::Update => {
                up.retain(|own| *own != access.place);
                found.retain(|(own, _)| *own != access.place);
                if is_strong(access) && raises(facts, access) {
                    up.push(access.place);
                }
            }
        }
    }
    found
}

fn is_strong(access: &AccessEvent) -> bool {
    access.atomic.is_some_and(|order| order == "SeqCst")
}

fn raises(facts: &Facts, access: &AccessEvent) -> bool {
    match access.term.as_deref() {
        Some(Term::Const(value)) => facts.analysis.initial(access.place).is_some_and(|first| first != *value),
        _ => false,
    }
}
