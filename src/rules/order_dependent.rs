//! `order-dependent`: updates that are atomic or guarded, so that none is lost, but that give another result in another
//! order.
//!
//! Method: each write whose value is known in terms of the value before is a function. Two that nothing orders don't commute
//! if for some value the one after the other gives something else than the other way round; the values tried are those
//! round the constants of both. What isn't such a function, and what a test of the same place decides, is taken to commute.

use super::describe::{Story, describe};
use super::pairs::{Event, Group, by_root, is_own};
use super::sentence::Says;
use super::{Facts, Rule};
use crate::finding::{AccessKind, Finding, Level};
use crate::interp::access::Effect;
use crate::interp::places::{PlaceId, Proj};
use crate::interp::values::Mode;
use crate::witness::{Unit, unit};

/// More updates of one place aren't compared.
const MAX_UPDATES: usize = 40;

pub struct OrderDependent;

/// An update with the accesses that make it up.
struct Update<'a> {
    event: Event<'a>,
    unit: Unit,
}

impl Rule for OrderDependent {
    fn id(&self) -> &'static str {
        "order-dependent"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        for events in by_root(facts, |root| !facts.is_of_each_thread(root)) {
            let mut places: Vec<PlaceId> = events.iter().map(|e| e.access.place).collect();
            places.sort_unstable();
            places.dedup();
            for place in places {
                let group = group(facts, place, &events);
                let story = Story {
                    rule: self.id(),
                    level,
                    says: Says::Updates("in no fixed order, and the result depends on it"),
                    help: "fix the order (join the one before the other starts), or make the updates commute"
                        .to_owned(),
                };
                if !group.pairs.is_empty() {
                    out.extend(describe(facts, &story, &group));
                }
            }
        }
    }
}

/// The updates of a place that don't commute with one that may come before or after.
fn group<'a>(facts: &Facts<'a>, place: PlaceId, events: &[Event<'a>]) -> Group<'a> {
    let mut group = Group { place, events: Vec::new(), pairs: Vec::new() };
    if is_protocol(facts, place) {
        return group;
    }
    let writes = events.iter().filter(|e| e.access.place == place && e.access.kind != AccessKind::Read);
    let updates: Vec<Update> = writes.filter_map(|e| update(facts, *e)).take(MAX_UPDATES).collect();
    for (n, one) in updates.iter().enumerate() {
        for other in &updates[n + 1..] {
            if meet(facts, one, other) && !commute(facts, place, one, other) {
                let mut number = |event: Event<'a>| {
                    let same = |e: &Event| std::ptr::eq(e.access, event.access) && e.context == event.context;
                    group.events.iter().position(same).unwrap_or_else(|| {
                        group.events.push(event);
                        group.events.len() - 1
                    })
                };
                let pair = (number(one.event), number(other.event));
                group.pairs.push(pair);
            }
        }
    }
    group
}

/// A lock, a turn, an element: not a value that is updated.
fn is_protocol(facts: &Facts, place: PlaceId) -> bool {
    let analysis = facts.analysis;
    let taken = |e: &crate::interp::access::AccessEvent| {
        let moment = &analysis.moments[e.moment.0 as usize];
        e.locks.iter().any(|l| l.lock == place)
            || moment.taken.contains_key(&place)
            || moment.knows.contains_key(&place)
    };
    analysis.places.passes(place, |step| matches!(step, Proj::Index(_) | Proj::Deref | Proj::Once))
        || analysis.contexts.list.iter().any(|c| c.log.events.iter().any(taken))
}

/// The access as a function of the value before it, if it is one step.
fn update<'a>(facts: &Facts<'a>, event: Event<'a>) -> Option<Update<'a>> {
    let access = event.access;
    let log = &facts.analysis.contexts.get(event.context).log.events;
    let read_of_it =
        |id: crate::interp::values::ReadId| log.get(id.0 as usize).filter(|e| e.place == access.place);
    if matches!(access.effect, Some(Effect::Compare { .. }))
        || access.control.iter().any(|id| read_of_it(id).is_some())
    {
        return None;
    }
    let unit = unit(facts.analysis, event.context, access)?;
    let whole = access.data.iter().filter_map(read_of_it).all(|read| {
        std::ptr::eq(read, access)
            || read.locks.iter().any(|l| {
                l.mode == Mode::Exclusive
                    && access.locks.iter().any(|w| w.lock == l.lock && w.hold.meets(l.hold))
            })
    });
    whole.then_some(Update { event, unit })
}

/// Both may happen in either order, each as a whole.
fn meet(facts: &Facts, one: &Update, other: &Update) -> bool {
    let (a, b) = (one.event, other.event);
    let analysis = facts.analysis;
    let own =
        a.context == b.context && (!analysis.is_many(a.context) || is_own(facts, a.context, a.access.place));
    let atomic = a.access.atomic.is_some() && b.access.atomic.is_some();
    let locked = a.access.locks.iter().any(|l| {
        l.mode == Mode::Exclusive
            && b.access.locks.iter().any(|m| m.lock == l.lock && m.mode == Mode::Exclusive)
    });
    !own && (atomic || locked) && analysis.ordered(a.context, a.access, b.context, b.access).is_none()
}

fn commute(facts: &Facts, place: PlaceId, one: &Update, other: &Update) -> bool {
    let mut samples: Vec<i128> = vec![0, 1, 2, 3, 7, 10, 100, 1000];
    samples.extend(facts.analysis.initial(place));
    for constant in one.unit.constants().into_iter().chain(other.unit.constants()) {
        samples.extend([constant.saturating_sub(1), constant, constant.saturating_add(1)]);
    }
    samples.into_iter().all(|value| {
        let first = one.unit.apply(value).and_then(|v| other.unit.apply(v));
        let second = other.unit.apply(value).and_then(|v| one.unit.apply(v));
        first.is_none() || second.is_none() || first == second
    })
}
