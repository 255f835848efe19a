//! Split read-modify-writes: a read of a place and a later write of it that depends on the read, with another context's
//! write possible between.
//!
//! In: the accesses of one root. Out: `Split`s, those of atomics and those of lock-protected data apart, told apart further by
//! whether the written value depends on the read (an update) or only the decision to write does (check, then act).
//!
//! One step, and so no split: a read-modify-write operation, a compare-exchange, both ends under one uninterrupted hold of a lock
//! that the other writers hold too, a second look at the place under the hold that writes, a store of a flag that nothing but it depends on.

use super::Facts;
use super::describe::{Story, describe};
use super::pairs::{Event, Group, by_root, common_lock, differs, is_own, meet};
use super::protocol::{asks_for_itself, awaits_another};
use super::sentence::Says;
use crate::finding::{AccessKind, Finding, Level};
use crate::interp::ProgramKind;
use crate::interp::access::{AccessEvent, Effect, HeldLock, Side};
use crate::interp::contexts::{Context, ContextId};
use crate::interp::order::Ordered;
use crate::interp::places::PlaceId;
use crate::interp::places::{Index, Proj, Root};
use crate::interp::terms::Term;
use crate::interp::values::{Const, Mode, ReadId};

/// More accesses of one root aren't compared.
const MAX_EVENTS: usize = 300;

/// What synchronizes each single access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    Atomic,
    Locked,
}

/// Whether the value or only the decision depends on the read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dependence {
    Value,
    Decision,
    /// The value; and whether it is written at all, nobody looks at.
    Ignored,
}

/// A read, the write that depends on it, and a write that may fall between.
struct Split<'a> {
    context: ContextId,
    read: &'a AccessEvent,
    write: &'a AccessEvent,
    between: Event<'a>,
}

/// The findings of one of the four rules.
pub fn check(
    facts: &Facts,
    family: Family,
    dependence: Dependence,
    story: &dyn Fn(Level) -> Story,
    level: Level,
    out: &mut Vec<Finding>,
) {
    // Callers of a library count only where the crate itself shows that the object is shared.
    if facts.kind == ProgramKind::Callers {
        return;
    }
    for events in by_root(facts, |root| !matches!(root, Root::ThreadLocal(_))) {
        let events: Vec<Event> =
            events.into_iter().filter(|e| belongs(facts, e.access, family)).take(MAX_EVENTS).collect();
        let splits = splits(facts, &events, dependence);
        for group in groups(facts, splits) {
            let mut story = story(level);
            if waits_between(facts, &group) {
                across_await(&mut story);
            }
            out.extend(describe(facts, &story, &group));
        }
    }
}

/// Whether a context is suspended by an `.await` between two accesses of the group.
fn waits_between(facts: &Facts, group: &Group) -> bool {
    let inside = |a: &Event, b: &Event| {
        let (first, second) = (a.access, b.access);
        let same = a.context == b.context && first.frame == second.frame;
        same && facts.analysis.awaits.iter().any(|(frame, at)| {
            *frame == first.frame
                && at.file == first.at.file
                && (first.at.range.hi..=second.at.range.lo).contains(&at.range.hi)
        })
    };
    let events = &group.events;
    events.iter().any(|a| events.iter().any(|b| b.access.kind != AccessKind::Read && inside(a, b)))
}

fn across_await(story: &mut Story) {
    story.says = match story.says {
        Says::InTwo(_) => Says::InTwo("on both sides of an `.await`, where other tasks run"),
        Says::Decides(..) => Says::Decides("before an `.await`, where other tasks run,", "after it"),
        says => says,
    };
    story.help.push_str("; nothing that was read before an `.await` is sure to hold after it");
}

fn belongs(facts: &Facts, access: &AccessEvent, family: Family) -> bool {
    match family {
        Family::Atomic => access.atomic.is_some(),
        Family::Locked => {
            access.atomic.is_none()
                && match is_cell(facts, access) {
                    false => facts.analysis.places.passes(access.place, |step| step == Proj::Guarded),
                    true => !access.locks.is_empty(),
                }
        }
    }
}

/// What a cell holds: locks or a single-threaded executor synchronize it only where they are held.
fn is_cell(facts: &Facts, access: &AccessEvent) -> bool {
    facts.analysis.places.passes(access.place, |step| step == Proj::Cell)
}

fn splits<'a>(facts: &Facts<'a>, events: &[Event<'a>], dependence: Dependence) -> Vec<Split<'a>> {
    let mut found = Vec::new();
    for write in events.iter().filter(|e| e.access.kind != AccessKind::Read) {
        for (read, how) in reads_of(facts, write, dependence) {
            let whole = dependence != Dependence::Ignored && one_step(facts, write, how);
            if !same_place(facts, write, read) || whole {
                continue;
            }
            let between = events.iter().filter(|other| {
                falls_between(facts, write, read, other, how) && !same_version(facts, write, read, other)
            });
            found.extend(between.map(|between| Split {
                context: write.context,
                read,
                write: write.access,
                between: *between,
            }));
        }
    }
    found
}

/// A compare-exchange whose result nothing looks at.
fn is_ignored(facts: &Facts, write: &Event) -> bool {
    let log = &facts.analysis.contexts.get(write.context).log;
    let is_it = |id: &ReadId| log.events.get(id.0 as usize).is_some_and(|e| std::ptr::eq(e, write.access));
    matches!(write.access.effect, Some(Effect::Compare { .. }))
        && !log.judged.iter().any(is_it)
        && !log.used.iter().any(is_it)
}

/// How a write depends on a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Computed,
    /// What was read went somewhere, and then the place is reset.
    Drained,
    Decided,
    /// Both of these.
    DrainedIfDecided,
}

/// The reads before a write that it depends on in this way.
fn reads_of<'a>(facts: &Facts<'a>, write: &Event<'a>, dependence: Dependence) -> Vec<(&'a AccessEvent, How)> {
    let log = &facts.analysis.contexts.get(write.context).log;
    let access = write.access;
    let drained = |id: &ReadId| {
        log.used.contains(id) && access.seen.contains(*id) && matches!(access.effect, Some(Effect::Set(_)))
    };
    let found: Vec<(ReadId, How)> = match dependence {
        Dependence::Value => {
            let computed = access.data.iter().map(|id| (id, How::Computed));
            let drained = access.seen.iter().filter(|id| drained(id) && !access.data.contains(*id));
            computed.chain(drained.map(|id| (id, How::Drained))).collect()
        }
        Dependence::Decision => {
            let how = |id| if drained(&id) { How::DrainedIfDecided } else { How::Decided };
            let only_decides = access.control.iter().filter(|id| !access.data.contains(*id));
            only_decides.map(|id| (id, how(id))).collect()
        }
        Dependence::Ignored if is_ignored(facts, write) => {
            access.data.iter().map(|id| (id, How::Computed)).collect()
        }
        Dependence::Ignored => Vec::new(),
    };
    let event = |(id, how): (ReadId, How)| {
        let read = log.events.get(id.0 as usize)?;
        (!asks_for_itself(facts, write.context, id)).then_some((read, how))
    };
    let reads = |(read, how): &(&AccessEvent, How)| {
        // What a swap took out and what an addition found is read too, if it is then written over.
        let found = *how == How::Computed && access.kind == AccessKind::Write;
        read.kind == AccessKind::Read
            || (found && !matches!(read.effect, Some(Effect::Exchange | Effect::Compare { .. })))
    };
    found.into_iter().filter_map(event).filter(reads).collect()
}

/// Whether the read may be of what is written, or of a part or whole of it.
fn same_place(facts: &Facts, write: &Event, read: &AccessEvent) -> bool {
    let places = &facts.analysis.places;
    if places.get(read.place).root != places.get(write.access.place).root {
        return false;
    }
    let (one, two) = (places.path(read.place), places.path(write.access.place));
    // Putting elements in or taking them out changes none that stays, only which there are.
    let inside = one.len() > two.len() + 1 && index(&one[two.len()]);
    if inside && write.access.kind == AccessKind::Update && write.access.effect.is_none() {
        return false;
    }
    let any = |step: &Proj| *step == Proj::Index(Index::Any);
    one.iter().zip(&two).all(|(x, y)| x == y || (any(x) && index(y)) || (any(y) && index(x)))
}

fn index(step: &Proj) -> bool {
    matches!(step, Proj::Index(_))
}

/// What makes the two accesses one step, or the split harmless.
fn one_step(facts: &Facts, write: &Event, how: How) -> bool {
    let access = write.access;
    let context = facts.analysis.contexts.get(write.context);
    let decision = matches!(how, How::Decided | How::DrainedIfDecided);
    let judged = |id: &ReadId| context.log.events.get(id.0 as usize).is_some_and(|e| std::ptr::eq(e, access));
    if decision && context.log.judged.iter().any(judged) {
        return true;
    }
    // Unlocking a hand-written lock.
    if access.locks.iter().any(|l| l.lock == access.place) {
        return true;
    }
    match &access.effect {
        // What is put in may be computed from a value that was read before the one expected.
        Some(Effect::Compare { stale: true, .. }) if how == How::Computed => {}
        // Which element is taken out, nobody looks at: it may be another than the one decided on.
        Some(Effect::Take) if decision && discarded(context, access) => {}
        // What a swap stores may still be out of date, unless somebody looks at what it found.
        Some(Effect::Swap) if how == How::Computed && !context.log.judged.iter().any(judged) => {}
        Some(Effect::Compare { .. } | Effect::Exchange | Effect::Swap | Effect::Take) => return true,
        Some(Effect::Idempotent) if decision => return true,
        _ => {}
    }
    looks_again(facts, write) && (access.atomic.is_none() || decision)
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
        && !facts.analysis.contexts.get(write.context).acts_on(read.at, access.at)
}

/// Both writes store one value, and nothing else follows from the decision: who comes second changes nothing.
fn same_again(facts: &Facts, write: &Event, read: &AccessEvent, other: &Event) -> bool {
    if write.access.same.is_none() || write.access.same != other.access.same {
        return false;
    }
    let context = facts.analysis.contexts.get(write.context);
    match write.access.same {
        Some(same) if same.constant => !context.acts_on(read.at, write.access.at),
        _ => write.access.data.iter().all(|id| {
            let source = context.log.events.get(id.0 as usize);
            source.is_none_or(|source| never_written(facts, source, write))
        }),
    }
}

/// Nobody writes where this was read, but for the write itself.
fn never_written(facts: &Facts, source: &AccessEvent, but: &Event) -> bool {
    let places = &facts.analysis.places;
    source.kind == AccessKind::Read
        && facts.analysis.contexts.list.iter().flat_map(|context| &context.log.events).all(|event| {
            event.kind == AccessKind::Read
                || event.place == but.access.place
                || (places.below(event.place, source.place).is_none()
                    && places.below(source.place, event.place).is_none())
        })
}

/// The write is decided anew by a read under the very hold that it is made under: of the place itself, or, for an atomic,
/// of what the lock protects.
fn looks_again(facts: &Facts, write: &Event) -> bool {
    let log = &facts.analysis.contexts.get(write.context).log.events;
    // What an atomic shows of what a lock protects is made of that under the lock.
    let mirrored = write.access.data.iter().filter(|id| {
        let protected = log.get(id.0 as usize).is_some_and(|read| read.atomic.is_none());
        write.access.atomic.is_some() && protected
    });
    write.access.control.iter().chain(mirrored).filter_map(|id| log.get(id.0 as usize)).any(|read| {
        let of_it = write.access.atomic.is_some() || same_place(facts, write, read);
        // A lock that each instance has one of excludes none of the others, but at what is in one object with it.
        let places = &facts.analysis.places;
        let shared = |hold: &&HeldLock| {
            places.get(hold.lock).root == places.get(write.access.place).root
                || !differs(facts, write.context, write.context, hold.lock, write.access.place)
        };
        of_it && common_holds(read, write.access).iter().any(shared)
    })
}

/// The write is decided by a second look at a version that was first read with what the write was computed from, and
/// that the other changes together with what it writes: the version is the old one only if nothing fell between.
fn same_version(facts: &Facts, write: &Event, read: &AccessEvent, other: &Event) -> bool {
    let log = &facts.analysis.contexts.get(write.context).log.events;
    let decisive = || write.access.control.iter().filter_map(|id| log.get(id.0 as usize));
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
        let first = |first: &AccessEvent| first.place == again.place && !common_holds(first, read).is_empty();
        decisive().any(first) && changed(again.place)
    })
}

/// Locks held without interruption from the one access to the other.
fn common_holds<'a>(read: &'a AccessEvent, write: &AccessEvent) -> Vec<&'a HeldLock> {
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

fn falls_between(facts: &Facts, write: &Event, read: &AccessEvent, other: &Event, how: How) -> bool {
    let analysis = facts.analysis;
    if other.access.kind == AccessKind::Read || !meet(facts, *write, *other) {
        return false;
    }
    match (&other.access.effect, how) {
        // What was decided on still holds after it.
        (Some(Effect::Set(value)), How::Decided | How::DrainedIfDecided)
            if write.access.saw == Some(*value) =>
        {
            return false;
        }
        (_, How::Decided | How::DrainedIfDecided | How::Drained)
            if awaits_another(facts, write.access, *other) =>
        {
            return false;
        }
        // A flag or a state that is set again: nothing adds up.
        (_, How::Drained) if matches!(other.access.term.as_deref(), Some(Term::Const(_))) => return false,
        // Who raises below a bound, or lowers above one, may do so all the more when others go the other way.
        (Some(effect), How::Decided) if makes_room(effect, write.access) => return false,
        (_, How::Decided | How::DrainedIfDecided) if merely_sets(facts, write, read) => return false,
        (_, How::Decided | How::DrainedIfDecided) if same_again(facts, write, read, other) => return false,
        (Some(Effect::Add), How::Computed) if write.access.effect == Some(Effect::SubtractSeen) => {
            return false;
        }
        (effect, How::DrainedIfDecided) if !matches!(effect, Some(Effect::Set(_))) => return false,
        _ => {}
    }
    if other.context == write.context
        && (!analysis.is_many(write.context) || is_own(facts, write.context, write.access.place))
    {
        return false;
    }
    // Holding a flag at both ends isn't holding it between them: that is for the holds to say.
    let parallel = |access: &AccessEvent| {
        let order = analysis.ordered(write.context, access, other.context, other.access);
        matches!(order, None | Some(Ordered::Taken))
    };
    if !parallel(read) || !parallel(write.access) {
        return false;
    }
    let synchronized = |access| common_lock(facts, Event { access, ..*write }, *other).is_some();
    if is_cell(facts, read) && !(synchronized(read) && synchronized(write.access)) {
        // A data race, and not for this rule.
        return false;
    }
    let excluded =
        common_holds(read, write.access).iter().any(|hold| {
            !differs(facts, write.context, other.context, hold.lock, write.access.place)
                && other.access.locks.iter().any(|l| {
                    l.lock == hold.lock && (l.mode == Mode::Exclusive || hold.mode == Mode::Exclusive)
                })
        });
    !excluded
}

/// Splits whose places meet become one finding.
fn groups<'a>(facts: &Facts, splits: Vec<Split<'a>>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    for split in splits {
        let ends = [
            Event { context: split.context, access: split.read },
            Event { context: split.context, access: split.write },
            split.between,
        ];
        let known = groups.iter().position(|g| {
            g.events
                .iter()
                .any(|e| same_place(facts, e, split.write) || same_place(facts, &ends[1], e.access))
        });
        let at = known.unwrap_or_else(|| {
            groups.push(Group { place: split.write.place, events: Vec::new(), pairs: Vec::new() });
            groups.len() - 1
        });
        let group = &mut groups[at];
        let mut number = |event: Event<'a>| {
            let same = |e: &Event| e.context == event.context && std::ptr::eq(e.access, event.access);
            group.events.iter().position(same).unwrap_or_else(|| {
                group.events.push(event);
                group.events.len() - 1
            })
        };
        number(ends[0]);
        let pair = (number(ends[1]), number(ends[2]));
        group.pairs.push(pair);
    }
    for group in &mut groups {
        group.place = super::pairs::common_place(facts, &group.events);
    }
    groups
}
