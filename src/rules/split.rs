//! Split read-modify-writes: a read of a place and a later write of it that depends on the read, with another context's
//! write possible between.
//!
//! In: the accesses of one root. Out: `Split`s, those of atomics and those of lock-protected data apart, told apart further by
//! whether the written value depends on the read (an update) or only the decision to write does (check, then act).
//!
//! What is one step, and what may come between without harm, says `harmless`.

use super::Facts;
use super::describe::{Story, describe};
use super::harmless::{How, harmless, is_cell, one_step, same_place};
use super::pairs::{Event, Group, by_root};
use super::protocol::asks_for_itself;
use super::sentence::Says;
use crate::finding::{AccessKind, Finding, Level};
use crate::interp::access::{AccessEvent, AccessLog, Effect, HeldLock};
use crate::interp::contexts::ContextId;
use crate::interp::places::Proj;
use crate::interp::values::ReadId;

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
    for events in by_root(facts, |root| !facts.is_of_each_thread(root)) {
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

fn splits<'a>(facts: &Facts<'a>, events: &[Event<'a>], dependence: Dependence) -> Vec<Split<'a>> {
    let mut found = Vec::new();
    for write in events.iter().filter(|e| e.access.kind != AccessKind::Read) {
        for (read, how) in reads_of(facts, write, dependence) {
            let whole = dependence != Dependence::Ignored && one_step(facts, write, read, how).is_some();
            if !same_place(facts, write, read) || whole {
                continue;
            }
            let between = events.iter().filter(|other| harmless(facts, write, read, other, how).is_none());
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

/// A compare-exchange whose result nothing looks at. What is compared with what comes later is a generation: who finds that it
/// is another one by now has nothing to do.
fn is_ignored(facts: &Facts, write: &Event) -> bool {
    let log = &facts.analysis.contexts.get(write.context).log;
    let is_it = |id: &ReadId| log.events.get(id.0 as usize).is_some_and(|e| std::ptr::eq(e, write.access));
    matches!(write.access.effect, Some(Effect::Compare { .. }))
        && !log.judged.iter().any(is_it)
        && !log.used.iter().any(is_it)
        && !write.access.data.iter().any(|id| log.compared_again.iter().any(|(one, _)| *one == id))
}

/// The reads before a write that it depends on in this way.
pub fn reads_of<'a>(
    facts: &Facts<'a>,
    write: &Event<'a>,
    dependence: Dependence,
) -> Vec<(&'a AccessEvent, How)> {
    let log = &facts.analysis.contexts.get(write.context).log;
    let access = write.access;
    let drained = |id: &ReadId| {
        log.used.contains(id)
            && access.seen.contains(*id)
            && matches!(access.effect, Some(Effect::Set(_)))
            && !read_anew(facts, log, access, *id)
    };
    let found: Vec<(ReadId, How)> = match dependence {
        Dependence::Value => {
            let taken = |id: &ReadId| led_to_taking(log, access, *id) || exchanged_away(log, access, *id);
            let computed = access.data.iter().filter(|id| !taken(id));
            let computed = computed.map(|id| (id, How::Computed));
            let drained = access.seen.iter().filter(|id| drained(id) && !access.data.contains(*id));
            computed.chain(drained.map(|id| (id, How::Drained))).collect()
        }
        Dependence::Decision => {
            let how = |id| if drained(&id) { How::DrainedIfDecided } else { How::Decided };
            let only_decides = access.control.iter().filter(|id| !access.data.contains(*id));
            only_decides.map(|id| (id, how(id))).collect()
        }
        Dependence::Ignored if is_ignored(facts, write) => {
            let outdone = access.control.iter().filter(|id| log.outdone.contains(id));
            access.data.iter().chain(outdone).map(|id| (id, How::Computed)).collect()
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

/// The same code read the place once more before the write: in another round, or in that call of it which the write belongs to.
fn read_anew(facts: &Facts, log: &AccessLog, write: &AccessEvent, read: ReadId) -> bool {
    let frames = &facts.analysis.frames;
    let shared = |frame| frames.outward(write.frame).find(|at| frames.outward(frame).any(|f| f == *at));
    let depth = |frame| shared(frame).map(|at| frames.get(at).depth);
    let Some(first) = log.events.get(read.0 as usize) else { return false };
    let later = write.seen.iter().filter(|id| id.0 > read.0).filter_map(|id| log.events.get(id.0 as usize));
    later
        .filter(|again| again.at == first.at && again.place == first.place)
        .any(|again| again.frame == first.frame || depth(again.frame) > depth(first.frame))
}

/// An element was taken out under the lock under which the read was made: what is written comes of that element, which nobody else
/// has.
fn led_to_taking(log: &AccessLog, write: &AccessEvent, read: ReadId) -> bool {
    let Some(looked) = log.events.get(read.0 as usize) else { return false };
    let taken = write.data.iter().filter(|id| *id != read).filter_map(|id| log.events.get(id.0 as usize));
    let locked = |lock: &HeldLock| looked.locks.iter().any(|l| l.lock == lock.lock);
    write.kind == AccessKind::Update
        && taken
            .filter(|event| matches!(event.effect, Some(Effect::Take | Effect::TakeSure)))
            .any(|event| event.locks.iter().any(locked))
}

/// What was read had not changed when an exchange put a constant in its place; the store gives back what was taken out by it.
fn exchanged_away(log: &AccessLog, write: &AccessEvent, read: ReadId) -> bool {
    let by = || log.exchanged_away.iter().filter(|(load, _)| *load == read).map(|(_, by)| by);
    write.kind == AccessKind::Write && by().any(|by| log.judged.contains(by))
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
        // What one line does to several elements is told once.
        let same_code = |access: &AccessEvent| {
            access.at == split.write.at
                && facts.analysis.places.same_but_index(access.place, split.write.place)
        };
        let known = groups.iter().position(|g| {
            g.events.iter().any(|e| {
                same_place(facts, e, split.write)
                    || same_place(facts, &ends[1], e.access)
                    || same_code(e.access)
            })
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
