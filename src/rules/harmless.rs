//! Why a read and a later write that depends on it are one step, or why what may come between does no harm.
//!
//! In: the two accesses, and a third of another context or instance. Out: the reason, for the rules that judge updates in two steps
//! and for `--why`; none where an update may be lost or a decision be out of date.

use super::Facts;
use super::pairs::{Event, common_lock, differs, guards_element, is_own, meet};
use super::protocol::{awaits_another, forgets_notice, in_sequence};
use super::same_again::{acts, found_by_itself, is_below, same_again};
use crate::finding::{AccessKind, ContextKind, Location};
use crate::interp::access::{AccessEvent, Effect, HeldLock, Runs, Side};
use crate::interp::contexts::{Context, ContextId};
use crate::interp::order::Ordered;
use crate::interp::places::{FrameId, Index, PlaceId, Proj, Root};
use crate::interp::terms::Term;
use crate::interp::values::{Const, Mode, ReadId};
use crate::interp::{Made, ProgramKind};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harmless {
    /// The write's own result decides.
    Judged,
    /// It gives a hand-written lock back.
    Unlocks,
    /// One operation, which says what it found.
    OneOperation,
    /// Doing it twice is doing it once.
    Idempotent,
    /// It puts back what it took out: that was its own meanwhile.
    PutsBack,
    /// It is decided anew under the hold that it is made under.
    LooksAgain,
    /// The look only led to another round, which decides for itself.
    ComesRound,
    /// The other only reads, or it is somewhere else.
    Apart,
    /// What was decided on holds after the other's write too.
    StillHolds,
    /// The other comes only where there is another value.
    AwaitsAnother,
    /// A version that the other changes was looked at again.
    SameVersion,
    /// The other puts in, and what is taken out must only be there.
    PutsIn,
    /// Both set it to one value.
    SameAgain,
    /// A flag is set, and nothing else follows.
    MerelySets,
    /// Work that is done over and over ends when what it found says so.
    Stops,
    /// The other goes away from the bound.
    MakesRoom,
    /// It counts what its context claimed by itself, and the look is only for when to stop.
    CountsClaims,
    /// It takes off what was there, and the other only adds.
    KeepsRest,
    /// Nobody else writes.
    OneWriter,
    Ordered(Ordered),
    /// Nothing synchronizes them: that is a data race.
    Unsynchronized,
    /// One hold of this lock covers both, and the other takes it.
    OneHold(PlaceId),
}

impl Harmless {
    pub fn reason(self) -> &'static str {
        match self {
            Harmless::Judged => "its own result decides",
            Harmless::Unlocks => "it gives a lock back",
            Harmless::OneOperation => "one operation, which says what it found",
            Harmless::PutsBack => "it puts back what it took out",
            Harmless::Idempotent => "doing it twice is doing it once",
            Harmless::LooksAgain => "decided anew under the hold that it is made under",
            Harmless::ComesRound => "the look led to another round, which decides for itself",
            Harmless::Apart => "nothing written between",
            Harmless::StillHolds => "what was decided on holds after it",
            Harmless::AwaitsAnother => "it awaits another value",
            Harmless::SameVersion => "decided by a version that it changes",
            Harmless::PutsIn => "it puts in, and what is taken out must only be there",
            Harmless::SameAgain => "both put in the same",
            Harmless::MerelySets => "a flag is set, and nothing else follows",
            Harmless::Stops => "what the work found ends it, and everybody may find that",
            Harmless::MakesRoom => "it goes away from the bound",
            Harmless::CountsClaims => "it counts what was claimed, and the look says when to stop",
            Harmless::KeepsRest => "it takes off what was there, and what was added stays",
            Harmless::OneWriter => "no other instance writes",
            Harmless::Ordered(order) => order.reason(),
            Harmless::Unsynchronized => "not synchronized at all",
            Harmless::OneHold(_) => "one hold covers both, and the other takes the lock too",
        }
    }
}

/// How a write depends on a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    Computed,
    /// What was read went somewhere, and then the place is reset.
    Drained,
    Decided,
    /// Both of these.
    DrainedIfDecided,
}

/// Whether the read may be of what is written, or of a part or whole of it.
pub fn same_place(facts: &Facts, write: &Event, read: &AccessEvent) -> bool {
    let places = &facts.analysis.places;
    if places.get(read.place).root != places.get(write.access.place).root {
        return false;
    }
    let (one, two) = (places.path(read.place), places.path(write.access.place));
    // Putting elements in or taking them out changes none that stays, only which there are.
    let inside = one.len() > two.len() + 1 && index(&one[two.len()]);
    let moves_none = matches!(write.access.effect, None | Some(Effect::Put | Effect::TakeSure));
    if inside && write.access.kind == AccessKind::Update && moves_none {
        return false;
    }
    // Nobody reads a cell, an atomic or what a lock protects by reading what it is part of.
    let beyond = two.get(one.len()..).unwrap_or_default();
    let within = |step: &Proj| matches!(step, Proj::Cell | Proj::Guarded | Proj::Once);
    let atomic = write.access.atomic.is_some() && !beyond.is_empty();
    if read.atomic.is_none() && (atomic || beyond.iter().any(within)) {
        return false;
    }
    let any = |step: &Proj| *step == Proj::Index(Index::Any);
    one.iter().zip(&two).all(|(x, y)| x == y || (any(x) && index(y)) || (any(y) && index(x)))
}

fn index(step: &Proj) -> bool {
    matches!(step, Proj::Index(_))
}

/// What a cell holds: locks or a single-threaded executor synchronize it only where they are held.
pub fn is_cell(facts: &Facts, access: &AccessEvent) -> bool {
    facts.analysis.places.passes(access.place, |step| step == Proj::Cell)
}

/// What makes the two accesses one step, whoever writes between.
pub fn one_step(facts: &Facts, write: &Event, read: &AccessEvent, how: How) -> Option<Harmless> {
    let access = write.access;
    let context = facts.analysis.contexts.get(write.context);
    let decision = matches!(how, How::Decided | How::DrainedIfDecided);
    let judged = |id: &ReadId| context.log.events.get(id.0 as usize).is_some_and(|e| std::ptr::eq(e, access));
    if decision && context.log.judged.iter().any(judged) {
        return Some(Harmless::Judged);
    }
    if access.locks.iter().any(|l| l.lock == access.place) {
        return Some(Harmless::Unlocks);
    }
    match &access.effect {
        // What is put in may be computed from a value that was read before the one expected.
        Some(Effect::Compare { stale: true, .. }) if how == How::Computed => {}
        // Which element is taken out, nobody looks at: it may be another than the one decided on.
        Some(Effect::Take) if decision && discarded(context, access) => {}
        // What is swapped in for another was swapped out before, and what comes out is kept in turn.
        Some(Effect::Swap) if read.effect == Some(Effect::Swap) && context.log.used.iter().any(judged) => {
            return Some(Harmless::PutsBack);
        }
        // What a swap stores may still be out of date, unless somebody looks at what it found.
        Some(Effect::Swap) if how == How::Computed && !context.log.judged.iter().any(judged) => {}
        // Which bit to set, or what to raise to, was found before: what the step found there says whether it was so still.
        Some(Effect::Idempotent) if context.log.judged.iter().any(judged) => return Some(Harmless::Judged),
        Some(Effect::Compare { .. } | Effect::Exchange | Effect::Swap | Effect::Take) => {
            return Some(Harmless::OneOperation);
        }
        Some(Effect::Idempotent) if decision => return Some(Harmless::Idempotent),
        // Whose bit it was is told by what was there before.
        Some(Effect::Idempotent) if context.log.judged.iter().any(judged) => {
            return Some(Harmless::OneOperation);
        }
        Some(Effect::Idempotent) if took_bits(context, access, read) => return Some(Harmless::PutsBack),
        Some(Effect::Put) if how == How::Computed && takes_first(facts, write) => {
            return Some(Harmless::PutsBack);
        }
        _ => {}
    }
    let looked = |look: &AccessEvent| match how {
        How::Decided | How::DrainedIfDecided => true,
        // That there is still one says nothing of what it has become.
        How::Computed => access.atomic.is_none() && look.effect != Some(Effect::Find),
        // What was used is what the second look found to be there still.
        How::Drained => access.atomic.is_none() || compared(context, look, read),
    };
    // A look at a whole collection decides nothing anew that was found out of an element.
    let as_close = |look: &&AccessEvent| {
        let from_above = |look| looks_from_above(facts, write, look);
        access.atomic.is_some() || from_above(read) || !from_above(*look)
    };
    if looks_again(facts, write).into_iter().filter(as_close).any(looked) {
        return Some(Harmless::LooksAgain);
    }
    (how == How::Decided && comes_round(facts, write, read)).then_some(Harmless::ComesRound)
}

/// The bits that are set or cleared were chosen by the read, and then got by a change of the same place whose result told so.
fn took_bits(context: &Context, access: &AccessEvent, read: &AccessEvent) -> bool {
    let event = |id: ReadId| context.log.events.get(id.0 as usize);
    let chosen_by_it =
        |change: &AccessEvent| change.data.iter().filter_map(event).any(|source| std::ptr::eq(source, read));
    context.log.judged.iter().filter_map(|id| event(*id)).any(|change| {
        let changed = matches!(change.effect, Some(Effect::Idempotent | Effect::Compare { .. }));
        change.place == access.place && changed && chosen_by_it(change)
    })
}

fn compared(context: &Context, look: &AccessEvent, read: &AccessEvent) -> bool {
    let is =
        |id: &ReadId, access| context.log.events.get(id.0 as usize).is_some_and(|e| std::ptr::eq(e, access));
    context.log.compared_again.iter().any(|(one, two)| is(one, look) && is(two, read))
}

/// The look stands behind the write, which only another round leads back to: the first one did without it. What that round took
/// out decides, or the look was but a wait.
fn comes_round(facts: &Facts, write: &Event, read: &AccessEvent) -> bool {
    let access = write.access;
    let log = &facts.analysis.contexts.get(write.context).log;
    let event = |id: ReadId| log.events.get(id.0 as usize);
    let is_it = |id: &ReadId| event(*id).is_some_and(|e| std::ptr::eq(e, read));
    let waits = || log.looped.iter().any(is_it) && !access.looping.iter().any(|id| is_it(&id));
    let taken = |event: &&AccessEvent| matches!(event.effect, Some(Effect::Take | Effect::TakeSure));
    let decisive = access.control.join(&access.acted_on);
    let mut took = decisive.iter().filter_map(event).filter(taken);
    stands_before(facts, access, read) && (waits() || took.any(|event| stands_before(facts, event, access)))
}

/// Whether the one stands before the other in the text of the function that leads to both.
pub fn stands_before(facts: &Facts, one: &AccessEvent, two: &AccessEvent) -> bool {
    let frames = &facts.analysis.frames;
    let way = |event: &AccessEvent| {
        let start = (event.frame, event.at);
        let up = |(frame, _): &(FrameId, Location)| {
            let inner = frames.get(*frame);
            Some((inner.parent?, inner.called_at?))
        };
        std::iter::successors(Some(start), up).collect::<Vec<_>>()
    };
    let (first, second) = (way(one), way(two));
    let meeting = first.iter().find_map(|(frame, at)| {
        second.iter().find(|(other, _)| other == frame).map(|(_, other)| (*at, *other))
    });
    meeting.is_some_and(|(at, other)| at.file == other.file && at.range.hi <= other.range.lo)
}

/// What is put in is computed from an element that was taken out of the same collection.
fn takes_first(facts: &Facts, write: &Event) -> bool {
    let log = &facts.analysis.contexts.get(write.context).log.events;
    let taken = |read: &AccessEvent| {
        matches!(read.effect, Some(Effect::Take | Effect::TakeSure)) && same_place(facts, write, read)
    };
    write.access.data.iter().filter_map(|id| log.get(id.0 as usize)).any(taken)
}

fn discarded(context: &Context, access: &AccessEvent) -> bool {
    let log = &context.log;
    log.discarded.iter().any(|id| log.events.get(id.0 as usize).is_some_and(|e| std::ptr::eq(e, access)))
}

/// A flag that isn't set is set, and nothing else follows from the look at it: as if it were set anyway.
fn merely_sets(facts: &Facts, write: &Event, read: &AccessEvent) -> bool {
    let access = write.access;
    let flag = matches!(facts.analysis.initial_value(access.place), Some(Const::Bool(_)));
    let other = |value: &i128| access.saw == Some(1 - *value);
    flag && matches!(&access.effect, Some(Effect::Set(value)) if other(value))
        && !acts(facts, write, read, |_| true)
}

/// A flag says that work which goes on in rounds is to end, and is set by what a step of that work found: that several find it
/// is all the same.
fn stops(facts: &Facts, write: &Event, read: &AccessEvent, other: &Event) -> bool {
    let access = write.access;
    let flag = matches!(facts.analysis.initial_value(access.place), Some(Const::Bool(_)));
    let Some(Effect::Set(value)) = access.effect else { return false };
    let sets = flag && access.saw == Some(1 - value) && other.access.effect == Some(Effect::Set(value));
    let over_and_over = read.runs != Runs::Once;
    let log = &facts.analysis.contexts.get(write.context).log.events;
    let looked = log.iter().position(|event| std::ptr::eq(event, read));
    let found_later = |id: ReadId| {
        let step = log.get(id.0 as usize).filter(|_| Some(id.0 as usize) > looked);
        step.is_some_and(|event| event.kind == AccessKind::Update && event.place != access.place)
    };
    sets && over_and_over && access.control.iter().chain(access.acted_on.iter()).any(found_later)
}

/// What was looked at is the whole collection that the write puts something into under a key, as by how much is in it.
pub(super) fn looks_at_whole(facts: &Facts, write: &Event, read: &AccessEvent) -> bool {
    let places = &facts.analysis.places;
    let (looked, written) = (places.path(read.place), places.path(write.access.place));
    write.access.effect == Some(Effect::Put)
        && written.starts_with(&looked)
        && written.get(looked.len()).is_some_and(index)
}

/// A swap put in what tells that there is nothing to be had, and got what was there: until the write puts something back, others
/// only put in the same, or have got something themselves.
fn took_all(facts: &Facts, write: &Event, other: &Event) -> bool {
    let made_of = |event: &Event| {
        let log = &facts.analysis.contexts.get(event.context).log.events;
        let mut sources = event.access.data.iter().filter_map(|id| log.get(id.0 as usize));
        sources.find_map(|source| {
            let taken = taken_by(facts, event.context, source);
            taken.filter(|_| source.place == event.access.place)
        })
    };
    let mine = made_of(write).filter(|_| write.access.kind == AccessKind::Write);
    mine.is_some() && (taken_by(facts, other.context, other.access) == mine || made_of(other) == mine)
}

/// What a swap whose result was looked at leaves in the place.
fn taken_by(facts: &Facts, context: ContextId, access: &AccessEvent) -> Option<i128> {
    let log = &facts.analysis.contexts.get(context).log;
    let is_it = |id: &ReadId| log.events.get(id.0 as usize).is_some_and(|e| std::ptr::eq(e, access));
    match access.term.as_deref() {
        Some(Term::Const(left)) if access.effect == Some(Effect::Swap) => {
            log.judged.iter().any(is_it).then_some(*left)
        }
        _ => None,
    }
}

/// An addition of this one context found that it went too far, and what it found is put back: the other's exchange looks at the
/// place first, and doesn't come while that is so.
fn takes_back(facts: &Facts, write: &Event, other: &Event) -> bool {
    let log = &facts.analysis.contexts.get(write.context).log;
    let access = write.access;
    let Some(Term::Read(_, found)) = access.term.as_deref() else { return false };
    let added = log.events.get(found.0 as usize).is_some_and(|event| {
        event.place == access.place && matches!(event.effect, Some(Effect::Add | Effect::Subtract))
    });
    let others = &facts.analysis.contexts.get(other.context).log.events;
    let mut decisive = other.access.control.iter().filter_map(|id| others.get(id.0 as usize));
    added
        && log.judged.contains(found)
        && !repeats(facts, write.context)
        && decisive.any(|look| look.place == access.place && look.kind == AccessKind::Read)
}

/// What is counted are claims that the context made by itself after the look, which is but the condition of a loop. Down to
/// nothing each claim goes once, and may bring more; up to a bound, if the other doesn't ask for the bound, nobody keeps it, and if
/// nothing is ever taken off, it only says how far the work is.
fn counts_claims(facts: &Facts, write: &Event, read: &AccessEvent, between: &Effect, other: &Event) -> bool {
    let access = write.access;
    let log = &facts.analysis.contexts.get(write.context).log.events;
    let event = |id: &ReadId| log.get(id.0 as usize);
    let stops = access.looping.iter().any(|id| event(&id).is_some_and(|e| std::ptr::eq(e, read)));
    let claimed = |id: ReadId| {
        event(&id).is_some_and(|claim| {
            claim.kind == AccessKind::Update
                && claim.place != access.place
                && (claim.atomic.is_some() || matches!(claim.effect, Some(Effect::Take | Effect::TakeSure)))
        })
    };
    let others = &facts.analysis.contexts.get(other.context).log.events;
    let asks = |id: ReadId| others.get(id.0 as usize).is_some_and(|look| look.place == access.place);
    let unasked = || !other.access.control.join(&other.access.acted_on).iter().any(asks);
    let counts = match (&access.effect, between) {
        (Some(Effect::Subtract), Effect::Subtract) => true,
        (Some(Effect::Add), Effect::Add) if unasked() || only_rises(facts, access.place) => true,
        (Some(Effect::Add), Effect::Add | Effect::Subtract) => access.side == Some(Side::Above),
        _ => false,
    };
    let decisive = access.control.join(&access.acted_on);
    counts
        && ((stops && decisive.iter().any(claimed))
            || (access.effect == Some(Effect::Subtract) && counts_elements(facts, write, read)))
}

/// All that is ever done to an atomic is adding to it.
fn only_rises(facts: &Facts, atomic: PlaceId) -> bool {
    let events = facts.analysis.contexts.list.iter().flat_map(|context| &context.log.events);
    let mut writes = events.filter(|event| event.place == atomic && event.kind != AccessKind::Read);
    writes.all(|event| event.effect == Some(Effect::Add))
}

/// What is counted are the elements of a collection: each that is put in is counted up where that is done, and the write counts
/// down one that was taken out after the look, which only spares the way there.
fn counts_elements(facts: &Facts, write: &Event, read: &AccessEvent) -> bool {
    let access = write.access;
    let log = &facts.analysis.contexts.get(write.context).log.events;
    let position = |wanted: &AccessEvent| log.iter().position(|event| std::ptr::eq(event, wanted));
    let taken = |event: &AccessEvent| matches!(event.effect, Some(Effect::Take | Effect::TakeSure));
    let decisive = access.control.join(&access.acted_on);
    let mut claims = decisive.iter().filter_map(|id| log.get(id.0 as usize)).filter(|event| taken(event));
    let mut ups = facts
        .analysis
        .contexts
        .list
        .iter()
        .flat_map(|context| context.log.events.iter().map(move |event| (&context.log.events, event)))
        .filter(|(_, event)| event.effect == Some(Effect::Add) && same_place_as(facts, event, access));
    claims.any(|claim| {
        let puts = |up: &AccessEvent, event: &AccessEvent| {
            event.effect == Some(Effect::Put)
                && same_place_as(facts, event, claim)
                && (is_below(facts, event.frame, up.frame) || is_below(facts, up.frame, event.frame))
        };
        position(claim) > position(read) && ups.all(|(events, up)| events.iter().any(|event| puts(up, event)))
    })
}

/// One place, whichever element it is of.
fn same_place_as(facts: &Facts, one: &AccessEvent, two: &AccessEvent) -> bool {
    one.place == two.place || facts.analysis.places.same_but_index(one.place, two.place)
}

/// The write is decided anew by a read under the very hold that it is made under: of the place itself, or, for an atomic,
/// of what the lock protects.
fn looks_again<'a>(facts: &Facts<'a>, write: &Event<'a>) -> Vec<&'a AccessEvent> {
    let log = &facts.analysis.contexts.get(write.context).log.events;
    // What an atomic shows of what a lock protects is made of that under the lock.
    let mirrored = write.access.data.iter().filter(|id| {
        let protected = log.get(id.0 as usize).is_some_and(|read| read.atomic.is_none());
        write.access.atomic.is_some() && protected
    });
    let under_it = |read: &&AccessEvent| {
        let of_it = write.access.atomic.is_some() || same_place(facts, write, read);
        // What a loop read after the write, it read for the next round.
        let earlier = std::ptr::from_ref::<AccessEvent>(read) < std::ptr::from_ref(write.access);
        of_it
            && earlier
            && common_holds(read, write.access).iter().any(|hold| keeps_others_out(facts, write, hold))
    };
    let decisive = write.access.control.join(&write.access.acted_on);
    decisive.iter().chain(mirrored).filter_map(|id| log.get(id.0 as usize)).filter(under_it).collect()
}

/// What was read is a collection round the element that is written.
fn looks_from_above(facts: &Facts, write: &Event, read: &AccessEvent) -> bool {
    let places = &facts.analysis.places;
    let (looked, written) = (places.path(read.place), places.path(write.access.place));
    written.get(looked.len()..).is_some_and(|beyond| beyond.iter().any(index))
}

/// Readers don't exclude each other, nor does a lock that each instance has one of, but at what is in one object with it.
fn keeps_others_out(facts: &Facts, write: &Event, hold: &HeldLock) -> bool {
    let places = &facts.analysis.places;
    let exclusive = |held: &HeldLock| held.hold == hold.hold && held.mode == Mode::Exclusive;
    let one_object = places.get(hold.lock).root == places.get(write.access.place).root;
    write.access.locks.iter().any(exclusive)
        && (one_object || !differs(facts, write.context, write.context, hold.lock, write.access.place))
}

/// The write is decided by a second look at a version that was first read with what the write was computed from, and
/// that the other changes together with what it writes: the version is the old one only if nothing fell between.
fn same_version(facts: &Facts, write: &Event, read: &AccessEvent, other: &Event) -> bool {
    let log = &facts.analysis.contexts.get(write.context).log.events;
    // The version may have been moved on before the value is stored.
    let deciding = write.access.control.join(&write.access.acted_on);
    let decisive = || deciding.iter().filter_map(|id| log.get(id.0 as usize));
    let changed = |version: PlaceId| {
        let others = &facts.analysis.contexts.get(other.context).log.events;
        others.iter().any(|event| {
            event.kind == AccessKind::Update
                && event.place == version
                && !common_holds(event, other.access).is_empty()
        })
    };
    let places = &facts.analysis.places;
    let apart = |place: PlaceId| {
        let written = write.access.place;
        places.below(place, written).is_none() && places.below(written, place).is_none()
    };
    let looks = |read: &&AccessEvent| apart(read.place) && !common_holds(read, write.access).is_empty();
    decisive().filter(looks).any(|again| {
        let first = |first: &AccessEvent| {
            let earlier = first.place == again.place && !std::ptr::eq(first, again);
            earlier && !common_holds(first, read).is_empty()
        };
        decisive().any(first) && changed(again.place)
    })
}

/// Locks held without interruption from the one access to the other.
pub(super) fn common_holds<'a>(read: &'a AccessEvent, write: &AccessEvent) -> Vec<&'a HeldLock> {
    read.locks.iter().filter(|l| write.locks.iter().any(|w| w.hold == l.hold)).collect()
}

/// Whether an update, done between a test of a bound and the write that it decided, leaves the test as it is.
fn makes_room(between: &Effect, write: &AccessEvent) -> bool {
    let lowers = |effect: &Effect| matches!(effect, Effect::Subtract | Effect::SubtractSeen);
    match (&write.effect, write.side) {
        (Some(Effect::Add), Some(Side::Below)) => lowers(between),
        (Some(effect), Some(Side::Above)) if lowers(effect) => *between == Effect::Add,
        _ => false,
    }
}

/// Callers of a library share what the crate itself shows to be shared: its statics, and what it keeps behind shared handles.
fn is_shown_shared(facts: &Facts, event: &Event) -> bool {
    let analysis = facts.analysis;
    if facts.kind != ProgramKind::Callers || analysis.contexts.get(event.context).kind != ContextKind::Caller
    {
        return true;
    }
    let places = &analysis.places;
    let whole = places.ancestors(event.access.place).last().unwrap_or(event.access.place);
    let shared = |at: PlaceId| analysis.shared_types.contains(&places.get(at).ty);
    match places.get(whole).root {
        Root::Static(_) => true,
        Root::Object(id) => {
            // The whole is held where nobody knows whether a callee locks it.
            analysis.objects.list[id.0 as usize].made == Made::Once
                && places.ancestors(event.access.place).any(shared)
                && event.access.locks.iter().all(|held| held.lock != whole)
        }
        Root::ThreadLocal(_) | Root::Local(..) | Root::Process(_) => false,
    }
}

/// Several instances may run at once. That a caller might start the same again is no reason: it may know better.
pub fn repeats(facts: &Facts, context: ContextId) -> bool {
    let contexts = &facts.analysis.contexts;
    if facts.kind != ProgramKind::Callers || contexts.get(context).kind == ContextKind::Caller {
        return facts.analysis.is_many(context);
    }
    let started = contexts.ancestry(context).map(|at| contexts.get(at));
    started.take_while(|at| at.kind != ContextKind::Caller).any(|at| at.many)
}

/// Why what the other writes does no harm between the read and the write; `None`: it does.
pub fn harmless(
    facts: &Facts,
    write: &Event,
    read: &AccessEvent,
    other: &Event,
    how: How,
) -> Option<Harmless> {
    let apart = !is_shown_shared(facts, write) || !is_shown_shared(facts, other);
    let whole = looks_at_whole(facts, write, read);
    let meets =
        meet(facts, *write, *other) || (whole && meet(facts, Event { access: read, ..*write }, *other));
    if other.access.kind == AccessKind::Read || apart || !meets {
        return Some(Harmless::Apart);
    }
    by_effect(facts, write, read, other, how)
        .or_else(|| by_order(facts, write, read, other))
        .or_else(|| same_version(facts, write, read, other).then_some(Harmless::SameVersion))
}

/// By what the three accesses do.
fn by_effect(facts: &Facts, write: &Event, read: &AccessEvent, other: &Event, how: How) -> Option<Harmless> {
    let access = write.access;
    let decided = matches!(how, How::Decided | How::DrainedIfDecided);
    match (&other.access.effect, how) {
        (Some(Effect::Set(value)), _)
            if decided && access.saw == Some(*value) && !forgets_notice(facts, write, read, other) =>
        {
            Some(Harmless::StillHolds)
        }
        _ if how != How::Computed && awaits_another(facts, access, *other) => Some(Harmless::AwaitsAnother),
        // A flag or a state that is set again: nothing adds up.
        (_, How::Drained) if stores_constant(other.access) => Some(Harmless::SameAgain),
        (Some(effect), How::Decided) if makes_room(effect, access) => Some(Harmless::MakesRoom),
        (Some(Effect::Put), _) if access.effect == Some(Effect::TakeSure) => Some(Harmless::PutsIn),
        (Some(Effect::Idempotent), _) if decided && makes_holder(facts, write, other) => {
            Some(Harmless::StillHolds)
        }
        _ if decided && merely_sets(facts, write, read) => Some(Harmless::MerelySets),
        _ if decided && stops(facts, write, read, other) => Some(Harmless::Stops),
        _ if decided && same_again(facts, write, read, other) => Some(Harmless::SameAgain),
        (_, How::Computed)
            if found_by_itself(facts, write, read) && same_again(facts, write, read, other) =>
        {
            Some(Harmless::SameAgain)
        }
        (Some(Effect::Add), How::Computed) if access.effect == Some(Effect::SubtractSeen) => {
            Some(Harmless::KeepsRest)
        }
        _ if in_sequence(facts, *write, *other) => Some(Harmless::AwaitsAnother),
        // Who comes last opens a barrier, and is another one only when all have come again.
        _ if facts.analysis.hand_barriers.contains(&access.place) => Some(Harmless::AwaitsAnother),
        _ if took_all(facts, write, other) => Some(Harmless::AwaitsAnother),
        (Some(Effect::Compare { .. }), How::Computed) if takes_back(facts, write, other) => {
            Some(Harmless::AwaitsAnother)
        }
        (Some(effect), How::Decided) if counts_claims(facts, write, read, effect, other) => {
            Some(Harmless::CountsClaims)
        }
        (effect, How::DrainedIfDecided) if !matches!(effect, Some(Effect::Set(_))) => {
            Some(Harmless::KeepsRest)
        }
        _ => None,
    }
}

/// Where nothing was yet, the other makes what the written part will be in.
fn makes_holder(facts: &Facts, write: &Event, other: &Event) -> bool {
    let rest = facts.analysis.places.below(other.access.place, write.access.place);
    other.access.atomic.is_none() && rest.is_some_and(|rest| rest.iter().any(index))
}

/// A number, or a state by its name.
fn stores_constant(access: &AccessEvent) -> bool {
    matches!(access.term.as_deref(), Some(Term::Const(_)))
        || (access.kind == AccessKind::Write && matches!(access.effect, Some(Effect::Set(_))))
}

/// By when the other comes, and by the locks held.
fn by_order(facts: &Facts, write: &Event, read: &AccessEvent, other: &Event) -> Option<Harmless> {
    let again = other.context == write.context;
    let own = || is_own(facts, write.context, write.access.place) && !looks_at_whole(facts, write, read);
    if again && (!repeats(facts, write.context) || own()) {
        return Some(Harmless::OneWriter);
    }
    // Holding a flag at both ends isn't holding it between them: that is for the holds to say.
    let ordered = |access: &AccessEvent| {
        let order = facts.analysis.ordered(write.context, access, other.context, other.access);
        order.filter(|order| *order != Ordered::Taken)
    };
    if let Some(order) = ordered(read).or_else(|| ordered(write.access)) {
        return Some(Harmless::Ordered(order));
    }
    let synchronized = |access| common_lock(facts, Event { access, ..*write }, *other).is_some();
    if is_cell(facts, read) && !(synchronized(read) && synchronized(write.access)) {
        return Some(Harmless::Unsynchronized);
    }
    let excludes = |hold: &&&HeldLock| {
        !differs(facts, write.context, other.context, hold.lock, write.access.place)
            && other.access.locks.iter().any(|l| {
                let element = || {
                    let (mine, theirs) = (write.access.place, other.access.place);
                    guards_element(facts, (hold.lock, mine), (l.lock, theirs))
                };
                (l.lock == hold.lock || element())
                    && (l.mode == Mode::Exclusive || hold.mode == Mode::Exclusive)
            })
    };
    common_holds(read, write.access).iter().find(excludes).map(|hold| Harmless::OneHold(hold.lock))
}
