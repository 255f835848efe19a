//! Protocols that the order relation doesn't follow: what an object's own atomics, a lock of a type that nobody knows, or a proof
//! say of who may touch it.
//!
//! In: two conflicting accesses, or an update in two steps and a write that may fall between. Out: whether a library's own rules
//! keep them apart. Invariant: an atomic that is no more than a lock is followed elsewhere, and excuses nobody here.

use super::Facts;
use super::harmless::{repeats, stands_before};
use super::pairs::Event;
use crate::finding::AccessKind;
use crate::interp::ProgramKind;
use crate::interp::access::{AccessEvent, Effect, Runs};
use crate::interp::handles::takes_handle;
use crate::interp::order::{ANY_VALUE, acquires, releases};
use crate::interp::places::{Index, PlaceId, Proj};
use crate::interp::state::{SyncKey, SyncKind};
use crate::interp::terms::Term;
use crate::interp::values::ReadId;
use crate::resolve::Ty;
use std::collections::BTreeSet;

/// Whether some protocol keeps two accesses apart, or may do so where nobody sees.
pub fn keeps_apart(facts: &Facts, a: Event, b: Event) -> bool {
    let unseen = facts.kind == ProgramKind::Callers
        && (guards_itself(facts, a)
            || guards_itself(facts, b)
            || counts_handles(facts, a)
            || counts_handles(facts, b)
            || chosen_by_type(facts, a));
    unseen
        || (chosen_by_key(facts, a) && chosen_by_key(facts, b))
        || within_another(facts, a, b)
        || within_another(facts, b, a)
        || (follows(facts, a) && follows(facts, b))
        || in_sequence(facts, a, b)
        || asks_who(facts, a, b)
        || asks_who(facts, b, a)
        || (a.context != b.context
            && [(a, b), (b, a)].iter().any(|(first, second)| {
                hands_over(facts, *first, *second) || only_handle_left(facts, *first, *second)
            }))
}

/// The second access is made to an object of which its context had found itself to have the only handle, the first before its
/// context gave its own up.
fn only_handle_left(facts: &Facts, first: Event, second: Event) -> bool {
    let analysis = facts.analysis;
    let root = analysis.places.get(second.access.place).root;
    let acquired = &analysis.moments[second.access.moment.0 as usize].acquired;
    acquired.iter().any(|key| {
        key.kind == SyncKind::Flag(1)
            && analysis.places.get(key.place).root == root
            && analysis.initial(key.place) == Some(1)
            && analysis.releases_after(first.context, first.access, key.place)
            && counts(facts, key.place)
    })
}

/// A value of the callers' type is reached as an atomic in some way, too: which way is taken is told by the type, and what is
/// done in one way never meets what is done in another.
fn chosen_by_type(facts: &Facts, event: Event) -> bool {
    let place = event.access.place;
    let mut all = facts.analysis.contexts.list.iter().flat_map(|context| &context.log.events);
    is_open(&facts.analysis.places.get(place).ty, 0) && all.any(|e| e.place == place && e.atomic.is_some())
}

/// Whether a type is a type parameter or holds one.
fn is_open(ty: &Ty, depth: u32) -> bool {
    const DEEPEST: u32 = 4;
    match ty {
        Ty::Param(_) => true,
        Ty::Ext(_, args) if depth < DEEPEST => args.iter().any(|arg| is_open(arg, depth + 1)),
        _ => false,
    }
}

/// Who has a handle of its own asks an atomic of the object, as how many there are: what the others did before they gave theirs up,
/// nobody sees.
fn counts_handles(facts: &Facts, event: Event) -> bool {
    let context = facts.analysis.contexts.get(event.context);
    takes_handle(facts.program, context) && !deciding(facts, event).is_empty()
}

/// Which element it is, is told by something that only the caller has: who has another one gets another element.
fn chosen_by_key(facts: &Facts, event: Event) -> bool {
    let by_key = |id: ReadId| facts.analysis.keys.contains(&id);
    event.access.through.iter().any(by_key)
        && facts.analysis.places.passes(event.access.place, |step| step == Proj::Index(Index::Any))
}

/// The one fills, holding a hand-made lock, what the other finds a cell of its own in: who gets there saw it filled.
fn within_another(facts: &Facts, outer: Event, inner: Event) -> bool {
    let places = &facts.analysis.places;
    let Some(below) = places.below(outer.access.place, inner.access.place) else { return false };
    below.contains(&Proj::Cell)
        && outer
            .access
            .locks
            .iter()
            .any(|held| places.get(held.lock).root == places.get(outer.access.place).root)
        && !inner.access.control.is_empty()
}

/// A part of the object may be its lock, or whoever gets there has proof that it may: nobody sees what was done.
fn guards_itself(facts: &Facts, event: Event) -> bool {
    if event.access.locks.iter().any(|held| facts.analysis.witnesses.contains(&held.lock)) {
        return true;
    }
    let root = facts.analysis.places.ancestors(event.access.place).last();
    root.is_some_and(|root| facts.analysis.self_guarded.contains(&root))
}

/// The reads of atomics that decided an access or the way to its place.
fn atomics_before<'a>(
    facts: &Facts<'a>,
    event: Event<'a>,
) -> impl Iterator<Item = (ReadId, &'a AccessEvent)> + use<'a> {
    let log = &facts.analysis.contexts.get(event.context).log.events;
    let all = event.access.control.iter().chain(event.access.through.iter());
    all.filter_map(|id| Some((id, log.get(id.0 as usize)?))).filter(|(_, read)| read.atomic.is_some())
}

/// Those of the same object.
fn deciding<'a>(facts: &Facts<'a>, event: Event<'a>) -> Vec<(ReadId, &'a AccessEvent)> {
    let places = &facts.analysis.places;
    let root = places.get(event.access.place).root;
    atomics_before(facts, event).filter(|(_, read)| places.get(read.place).root == root).collect()
}

/// The one access is made where an atomic says that its own thread has the place, the other where the same atomic says so of its, or
/// by who exchanged it.
fn asks_who(facts: &Facts, a: Event, b: Event) -> bool {
    let owned = |event: Event, id| asks_for_itself(facts, event.context, id);
    atomics_before(facts, a).filter(|(id, _)| owned(a, *id)).any(|(_, read)| {
        let got =
            |id, other: &AccessEvent| owned(b, id) || (other.kind == AccessKind::Update && orders(other));
        atomics_before(facts, b).any(|(id, other)| other.place == read.place && got(id, other))
    })
}

/// The access is decided by an atomic, a write by what an exchange itself found; or by an atomic that was compared with what
/// only the context itself has. Who gets there when is a protocol, unless that atomic is no more than a lock, which others may
/// take again. What a look at it decides without leading to the place is followed by the order relation, if all
/// callers are seen.
fn follows(facts: &Facts, event: Event) -> bool {
    let log = &facts.analysis.contexts.get(event.context).log;
    deciding(facts, event).into_iter().any(|(id, read)| {
        let found = read.kind == AccessKind::Update;
        log.identified.contains(&id)
            || match event.access.kind {
                AccessKind::Read if !found => {
                    let followed = facts.kind != ProgramKind::Callers && !event.access.through.contains(id);
                    read.atomic.is_some_and(acquires) && !followed && !only_a_lock(facts, read.place)
                }
                AccessKind::Read => read.atomic.is_some_and(acquires),
                AccessKind::Write | AccessKind::Update => {
                    let held = || event.access.locks.iter().any(|held| held.lock == read.place);
                    let weak = || held() && facts.analysis.is_too_weak(read.place);
                    found && orders(read) && !weak()
                }
            }
    })
}

/// Each is made when a number beside the element was found to be that of the context's turn, and before it moves that number on.
/// Turns are claimed by an exchange, or the two contexts wait for numbers of their own.
pub fn in_sequence(facts: &Facts, a: Event, b: Event) -> bool {
    let places = &facts.analysis.places;
    let moment = |event: Event| &facts.analysis.moments[event.access.moment.0 as usize];
    let claimed =
        |event: &Event| deciding(facts, *event).into_iter().any(|(_, read)| read.kind == AccessKind::Update);
    let beside = |sequence: PlaceId, event: Event| {
        places.get(sequence).root == places.get(event.access.place).root
            && facts.analysis.releases_at_all(event.context, sequence)
    };
    let awaits = |numbers: &BTreeSet<i128>| numbers.contains(&ANY_VALUE);
    moment(a).knows.iter().filter(|(_, found)| awaits(found)).any(|(sequence, _)| {
        let others = moment(b).knows.iter().filter(|(_, found)| awaits(found));
        let theirs = others.map(|(other, _)| *other).find(|other| places.same_but_index(*sequence, *other));
        theirs.is_some_and(|theirs| {
            let taken = [a, b].iter().all(claimed) || wait_apart(facts, (a, *sequence), (b, theirs));
            taken && beside(*sequence, a) && beside(theirs, b)
        })
    })
}

/// Two contexts, each of which runs once, ask a number at different places.
fn wait_apart(facts: &Facts, (a, one): (Event, PlaceId), (b, two): (Event, PlaceId)) -> bool {
    let asks = |event: Event, sequence: PlaceId| {
        let log = facts.analysis.contexts.get(event.context).log.events.iter();
        let asked = log.filter(move |read| read.place == sequence && read.kind == AccessKind::Read);
        asked.map(|read| read.at).collect::<Vec<_>>()
    };
    let theirs = asks(b, two);
    let once = [a, b].iter().all(|event| !facts.analysis.is_many(event.context));
    a.context != b.context && once && asks(a, one).iter().all(|at| !theirs.contains(at))
}

/// The first access comes before its context releases an atomic of the object, and what the second found there decided it: one of
/// several states that it exchanged, or a count that only the last holder sees.
fn hands_over(facts: &Facts, first: Event, second: Event) -> bool {
    let log = &facts.analysis.contexts.get(second.context).log;
    deciding(facts, second).into_iter().any(|(id, read)| {
        let moment = &facts.analysis.moments[second.access.moment.0 as usize];
        let fenced = || moment.acquired.iter().any(|key| key.place == read.place);
        let acquired = || read.atomic.is_some_and(acquires) || fenced();
        let last = || log.compared.contains(&id) && acquired() && counts(facts, read.place);
        (orders(read) || fenced())
            && facts.analysis.releases_after(first.context, first.access, read.place)
            && ((read.kind == AccessKind::Update && has_states(facts, read.place)) || last())
    })
}

fn orders(access: &AccessEvent) -> bool {
    match access.kind {
        AccessKind::Read => access.atomic.is_some_and(acquires),
        AccessKind::Write => access.atomic.is_some_and(releases),
        // An exchange may acquire where it fails.
        AccessKind::Update => access.atomic.is_some_and(|order| acquires(order) || releases(order)),
    }
}

/// What is stored to an atomic.
#[derive(Default)]
struct Stored {
    /// The value that it has at first.
    initial: bool,
    others: BTreeSet<i128>,
    /// Values other than the first that an exchange waits for.
    awaited: BTreeSet<i128>,
    unknown: bool,
}

fn stored(facts: &Facts, atomic: PlaceId) -> Stored {
    let initial = facts.analysis.initial(atomic);
    let mut found = Stored { unknown: initial.is_none(), ..Stored::default() };
    for event in writes(facts, atomic) {
        match event.term.as_deref() {
            Some(Term::Const(value)) if Some(*value) == initial => found.initial = true,
            Some(Term::Const(value)) => {
                found.others.insert(*value);
            }
            _ => found.unknown = true,
        }
        if let Some(Effect::Compare { expected: Some(expected), .. }) = &event.effect
            && let Term::Const(value) = **expected
            && Some(value) != initial
        {
            found.awaited.insert(value);
        }
    }
    found
}

fn writes<'a>(facts: &Facts<'a>, atomic: PlaceId) -> impl Iterator<Item = &'a AccessEvent> + use<'a> {
    let contexts = &facts.analysis.contexts.list;
    let events = contexts.iter().flat_map(|context| &context.log.events);
    events.filter(move |event| event.place == atomic && event.kind != AccessKind::Read)
}

/// The atomic goes to and fro between its first value and one other.
fn only_a_lock(facts: &Facts, atomic: PlaceId) -> bool {
    let stored = stored(facts, atomic);
    stored.initial && !stored.unknown && stored.others.len() <= 1
}

/// It has more states than two.
fn has_states(facts: &Facts, atomic: PlaceId) -> bool {
    let stored = stored(facts, atomic);
    stored.others.union(&stored.awaited).count() > 1
}

/// All that is done to it is counting up and down; but who has found that nobody else counts may put in what it likes.
fn counts(facts: &Facts, atomic: PlaceId) -> bool {
    let last = SyncKey { place: atomic, kind: SyncKind::Last };
    let counted = |event: &AccessEvent| {
        matches!(event.effect, Some(Effect::Add | Effect::Subtract | Effect::SubtractSeen))
            || facts.analysis.moments[event.moment.0 as usize].acquired.contains(&last)
    };
    writes(facts, atomic).all(counted)
}

/// A read that asked whether the atomic has what only the context itself has: nobody else stores that.
pub fn asks_for_itself(facts: &Facts, context: crate::interp::contexts::ContextId, read: ReadId) -> bool {
    facts.analysis.contexts.get(context).log.identified.contains(&read)
}

/// The other write can't come while the atomic has the value that was seen: it expects another one, or, where there are several
/// states, is made by who found the one before itself.
pub fn awaits_another(facts: &Facts, write: &AccessEvent, other: Event) -> bool {
    let Some(saw) = write.saw else { return false };
    if let Some(Effect::Compare { expected: Some(expected), .. }) = &other.access.effect {
        return matches!(**expected, Term::Const(value) if value != saw);
    }
    let log = &facts.analysis.contexts.get(other.context).log;
    let event = |id: &ReadId| log.events.get(id.0 as usize);
    let found_itself = |id: &ReadId| {
        event(id).is_some_and(|e| e.place == other.access.place && e.kind == AccessKind::Update)
    };
    let itself = log.judged.iter().any(|id| event(id).is_some_and(|e| std::ptr::eq(e, other.access)));
    other.access.kind == AccessKind::Update
        && (itself || other.access.control.iter().any(|id| found_itself(&id)))
        && has_states(facts, other.access.place)
}

/// A flag that announces something is taken back when what was announced has been looked at: what came meanwhile is announced by
/// nothing any more.
pub fn forgets_notice(facts: &Facts, write: &Event, read: &AccessEvent, other: &Event) -> bool {
    let access = write.access;
    let log = &facts.analysis.contexts.get(write.context).log.events;
    let others = &facts.analysis.contexts.get(other.context).log;
    let decided = |event: &AccessEvent| {
        let mut decisive = event.control.iter().chain(event.acted_on.iter());
        decisive.any(|id| log.get(id.0 as usize).is_some_and(|e| std::ptr::eq(e, read)))
    };
    let places = &facts.analysis.places;
    let announced = |event: &AccessEvent| {
        others.events.iter().any(|given| {
            given.kind != AccessKind::Read
                && places.get(given.place).root == places.get(event.place).root
                && given.place != access.place
                && (places.below(given.place, event.place).is_some()
                    || places.below(event.place, given.place).is_some())
        })
    };
    let waits = others
        .looped
        .iter()
        .any(|id| others.events.get(id.0 as usize).is_some_and(|look| look.place == access.place));
    let again = repeats(facts, other.context) || matches!(other.access.runs, Runs::Rounds(_));
    again
        && !waits
        && other.access.saw.is_none()
        && log.iter().any(|event| {
            event.place != access.place
                && decided(event)
                && stands_before(facts, event, access)
                && announced(event)
        })
}
