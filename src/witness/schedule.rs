//! A schedule that goes wrong: the fewest steps of two contexts that lose an update, or that nothing orders.
//!
//! In: the accesses of a finding and which of them meet. Out: steps with lines, and with values as far as the first value
//! and the operations are known. Of several such pairs the one is taken whose story is clearest: two updates that both
//! have values before a write that comes between, and that before a read and a write that merely meet.

use super::model::{is_truth, settled_term, unit};
use super::{Act, Scene, shown};
use crate::finding::{AccessKind, Step};
use crate::interp::Analysis;
use crate::interp::access::{AccessEvent, Effect, HeldLock, Runs};
use crate::interp::contexts::ContextId;
use crate::interp::places::PlaceId;
use crate::interp::values::{Mode, ReadId};

/// An update as the reader meets it: where it reads, where it writes.
#[derive(Clone, Copy)]
struct Update<'a> {
    context: ContextId,
    read: Option<(ReadId, &'a AccessEvent)>,
    write: (ReadId, &'a AccessEvent),
}

/// One half of an update, by one instance.
struct Beat<'a> {
    context: ContextId,
    instance: u32,
    number: ReadId,
    event: &'a AccessEvent,
    does: Does,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Read,
    Write,
    /// A whole update.
    Both,
    /// A compare-exchange that finds another value than it expects.
    Fail,
}

pub fn schedule(analysis: &Analysis, scene: &Scene) -> Vec<Step> {
    let beats = lost_update(analysis, scene).or_else(|| meeting(analysis, scene)).unwrap_or_default();
    with_values(analysis, scene, &beats)
}

/// Two updates, the first of which reads before and writes after the other.
fn lost_update<'a>(analysis: &'a Analysis, scene: &Scene<'a>) -> Option<Vec<Beat<'a>>> {
    let mut best: Option<(u32, Update, Update)> = None;
    for &(i, j) in scene.pairs {
        for (a, b) in [(scene.acts[i], scene.acts[j]), (scene.acts[j], scene.acts[i])] {
            for victim in updates(analysis, scene, a) {
                for other in updates(analysis, scene, b) {
                    let rank = rank(scene, &victim, &other);
                    if victim.read.is_some()
                        && !is_protected(&victim, &other)
                        && best.as_ref().is_none_or(|(least, ..)| rank < *least)
                    {
                        best = Some((rank, victim, other));
                    }
                }
            }
        }
    }
    let (_, victim, other) = best?;
    let again = u32::from((scene.thread)(victim.context) == (scene.thread)(other.context));
    let mut beats = Vec::new();
    beats.extend(victim.read.map(|read| beat(victim.context, 0, read, reading(read.1, victim.write.1))));
    let other_reads = other.read.filter(|_| !is_atomic_update(other.write.1));
    beats.extend(other_reads.map(|read| beat(other.context, again, read, reading(read.1, other.write.1))));
    beats.push(beat(other.context, again, other.write, writing(&other)));
    let last = match victim.write.1.effect {
        Some(Effect::Compare { stale: false, .. }) => Does::Fail,
        _ => writing(&victim),
    };
    beats.push(beat(victim.context, 0, victim.write, last));
    Some(beats)
}

fn beat<'a>(
    context: ContextId,
    instance: u32,
    (number, event): (ReadId, &'a AccessEvent),
    does: Does,
) -> Beat<'a> {
    Beat { context, instance, number, event, does }
}

/// What the access does that an update writes by: one that reads anew is whole.
fn writing(update: &Update) -> Does {
    let (number, write) = update.write;
    let anew = update.read.is_some_and(|(read, _)| read != number);
    match write.kind {
        AccessKind::Update if write.atomic.is_some() || anew => Does::Both,
        AccessKind::Update | AccessKind::Write | AccessKind::Read => Does::Write,
    }
}

/// What the access does that an update reads by: a swap does more than read.
fn reading(read: &AccessEvent, write: &AccessEvent) -> Does {
    if is_atomic_update(read) && !std::ptr::eq(read, write) { Does::Both } else { Does::Read }
}

/// One hold of a lock covers the update, and the other write takes that lock too.
fn is_protected(victim: &Update, other: &Update) -> bool {
    let Some((_, read)) = victim.read else { return false };
    read.locks.iter().any(|lock| {
        let covers = |w: &HeldLock| w.lock == lock.lock && w.hold.meets(lock.hold);
        let excludes =
            |o: &HeldLock| o.lock == lock.lock && (o.mode == Mode::Exclusive || lock.mode == Mode::Exclusive);
        victim.write.1.locks.iter().any(covers) && other.write.1.locks.iter().any(excludes)
    })
}

fn is_atomic_update(event: &AccessEvent) -> bool {
    event.kind == AccessKind::Update && event.atomic.is_some()
}

/// Lower is clearer.
fn rank(scene: &Scene, victim: &Update, other: &Update) -> u32 {
    let unknown = |update: &Update| u32::from(update.write.1.term.is_none());
    let blind = u32::from(other.read.is_none() && !is_atomic_update(other.write.1));
    let later = u32::from((scene.thread)(victim.context) > (scene.thread)(other.context));
    let decided = u32::from(victim.read.is_some_and(|(id, _)| !victim.write.1.data.contains(id)));
    4 * (unknown(victim) + unknown(other)) + 3 * blind + 2 * decided + later
}

/// The updates that an access is the read or the write of.
fn updates<'a>(analysis: &'a Analysis, scene: &Scene<'a>, (context, event): Act<'a>) -> Vec<Update<'a>> {
    let log = &analysis.contexts.get(context).log.events;
    let Some(number) = number_of(log, event) else { return Vec::new() };
    if event.kind != AccessKind::Read {
        let own = (event.kind == AccessKind::Update && event.atomic.is_none()).then_some((number, event));
        // A drain needs nothing of what it read: it resets that.
        let needed =
            event.data.iter().chain(event.control.iter()).chain(event.seen.iter()).filter_map(|id| {
                let read = log.get(id.0 as usize)?;
                let listed = scene.acts.iter().any(|(c, a)| *c == context && std::ptr::eq(*a, read));
                (listed && id != number && touch(analysis, read.place, event.place)).then_some((id, read))
            });
        let needed = needed.max_by_key(|(id, _)| event.data.contains(*id));
        let update = |read| Update { context, read, write: (number, event) };
        return match (needed, own) {
            (Some(_), Some(_)) => vec![update(needed), update(own)],
            _ => vec![update(needed.or(own))],
        };
    }
    let depends = |write: &&AccessEvent| {
        write.kind != AccessKind::Read
            && [&write.data, &write.control, &write.seen].iter().any(|deps| deps.contains(number))
            && touch(analysis, write.place, event.place)
    };
    let writes = scene.acts.iter().filter(|(c, _)| *c == context).map(|(_, a)| *a).filter(depends);
    let update = |write| {
        let at = number_of(log, write)?;
        Some(Update { context, read: Some((number, event)), write: (at, write) })
    };
    writes.filter_map(update).collect()
}

fn number_of(log: &[AccessEvent], event: &AccessEvent) -> Option<ReadId> {
    log.iter().position(|e| std::ptr::eq(e, event)).map(|n| ReadId(n as u32))
}

fn touch(analysis: &Analysis, one: PlaceId, two: PlaceId) -> bool {
    analysis.places.below(one, two).is_some() || analysis.places.below(two, one).is_some()
}

/// Two accesses that nothing orders; between them the flag that was meant to.
fn meeting<'a>(analysis: &'a Analysis, scene: &Scene<'a>) -> Option<Vec<Beat<'a>>> {
    let writes = |act: &Act| act.1.kind != AccessKind::Read;
    let &(i, j) = scene
        .pairs
        .iter()
        .find(|(i, j)| writes(&scene.acts[*i]) != writes(&scene.acts[*j]))
        .or(scene.pairs.first())?;
    let (writer, other) =
        if writes(&scene.acts[i]) { (scene.acts[i], scene.acts[j]) } else { (scene.acts[j], scene.acts[i]) };
    let again = u32::from((scene.thread)(writer.0) == (scene.thread)(other.0));
    let mut beats = Vec::new();
    let mut add = |(context, event): Act<'a>, instance| {
        let log = &analysis.contexts.get(context).log.events;
        let of_it =
            |id: ReadId| log.get(id.0 as usize).is_some_and(|read| touch(analysis, read.place, event.place));
        let does = match event.kind {
            AccessKind::Read => Does::Read,
            AccessKind::Write if !event.data.iter().any(of_it) => Does::Write,
            AccessKind::Write | AccessKind::Update => Does::Both,
        };
        beats.extend(number_of(log, event).map(|number| beat(context, instance, (number, event), does)));
    };
    let flag = |context: ContextId, reads: bool| {
        scene.acts.iter().copied().find(|(c, e)| {
            *c == context
                && e.atomic.is_some()
                && e.place != scene.place
                && (e.kind == AccessKind::Read) == reads
        })
    };
    match (flag(writer.0, false), flag(other.0, true)) {
        (Some(stored), Some(seen)) => {
            add(stored, 0);
            add(seen, again);
            add(other, again);
            add(writer, 0);
        }
        _ => {
            add(writer, 0);
            add(other, again);
        }
    }
    Some(beats)
}

fn with_values(analysis: &Analysis, scene: &Scene, beats: &[Beat]) -> Vec<Step> {
    let truth = is_truth(analysis, scene.place);
    // Whether the first value leads into a branch isn't known, but for a flag.
    let decided = beats.last().is_some_and(|last| {
        let first = beats.first().map(|first| first.number);
        last.does != Does::Read && first.is_some_and(|read| last.event.control.contains(read))
    });
    let value = value_before(analysis, scene.place, beats).filter(|_| truth || !decided);
    let mut replay = Replay { analysis, value, found: Vec::new() };
    let step = |beat: &Beat| {
        let of_it = beat.event.place == scene.place;
        let value = if of_it { replay.after(beat) } else { None };
        let word = match beat.does {
            Does::Read => "reads",
            Does::Write => "writes",
            Does::Both => "updates",
            Does::Fail => "fails to update",
        };
        let place = if of_it { String::new() } else { format!(" `{}`", (scene.name)(beat.event.place)) };
        Step {
            thread: (scene.thread)(beat.context),
            instance: beat.instance,
            does: format!("{word}{place}"),
            value: value.map(|n| shown(n, truth)),
            at: Some(beat.event.at),
        }
    };
    beats.iter().map(step).collect()
}

/// The place's value as the schedule goes, as far as it is known.
struct Replay<'a> {
    analysis: &'a Analysis,
    value: Option<i128>,
    /// What each read of each instance found.
    found: Vec<(ContextId, u32, ReadId, i128)>,
}

impl Replay<'_> {
    /// What an update in one step makes of the value, and of what its instance read earlier.
    fn updated(&self, beat: &Beat) -> Option<i128> {
        let term = settled_term(self.analysis, beat.event);
        let earlier = |read: ReadId| {
            let by = (beat.context, beat.instance, read);
            self.found.iter().find(|(context, n, r, _)| (*context, *n, *r) == by).map(|f| f.3)
        };
        let told = term.and_then(|term| term.value(self.value, &|_, read| earlier(read)));
        told.or_else(|| unit(self.analysis, beat.context, beat.event)?.apply(self.value?))
    }

    /// The value read or written by the next step.
    fn after(&mut self, beat: &Beat) -> Option<i128> {
        let known = |read: ReadId| {
            let by = (beat.context, beat.instance, read);
            self.found.iter().find(|(context, n, r, _)| (*context, *n, *r) == by).map(|f| f.3)
        };
        match beat.does {
            Does::Read => {
                let found = self.value.map(|value| (beat.context, beat.instance, beat.number, value));
                self.found.extend(found);
            }
            Does::Write => {
                let term = settled_term(self.analysis, beat.event);
                self.value = term.and_then(|term| term.value(known(beat.number), &|_, read| known(read)));
            }
            Does::Both => {
                let found = self.value.map(|value| (beat.context, beat.instance, beat.number, value));
                self.found.extend(found);
                self.value = self.updated(beat);
            }
            Does::Fail => return None,
        }
        self.value
    }
}

/// The value that the first step meets: the first one, if what surely comes before the steps can be followed.
fn value_before(analysis: &Analysis, place: PlaceId, beats: &[Beat]) -> Option<i128> {
    let mut value = analysis.initial(place)?;
    let mut writer: Option<ContextId> = None;
    let mut found: Vec<(ReadId, i128)> = Vec::new();
    for context in analysis.contexts.ids() {
        for (n, event) in analysis.contexts.get(context).log.events.iter().enumerate() {
            let number = ReadId(n as u32);
            if !touch(analysis, event.place, place) || !comes_first(analysis, context, number, event, beats) {
                continue;
            }
            if event.kind == AccessKind::Read {
                found.push((number, value));
                continue;
            }
            let alone = *writer.get_or_insert(context) == context;
            if !alone || event.place != place || event.runs != Runs::Once {
                return None;
            }
            found.push((number, value));
            let known = |read: ReadId| found.iter().find(|(r, _)| *r == read).map(|(_, v)| *v);
            value = settled_term(analysis, event)?.value(Some(value), &|owner, read| {
                if owner == context { known(read) } else { None }
            })?;
        }
    }
    Some(value)
}

/// Surely before one of the steps, and none of them.
fn comes_first(
    analysis: &Analysis,
    context: ContextId,
    number: ReadId,
    event: &AccessEvent,
    beats: &[Beat],
) -> bool {
    let is_step = beats.iter().any(|b| b.context == context && b.number == number);
    !is_step
        && beats.iter().any(|b| match b.context == context {
            true => number < b.number,
            false => analysis.before(context, event, b.context, b.event),
        })
}
