//! All that is ever done to one place, as a small program of steps: the input of the exhaustive walk.
//!
//! In: the accesses of all contexts to a place. Out: a `Model`, or `None` where anything about it isn't known: the
//! first value, what is written, how often something runs, in which order two steps come, or where it gets too large.
//! Invariant: a model has every write of the place, so what can't happen in it can't happen.

use crate::finding::{AccessKind, ContextKind};
use crate::interp::Analysis;
use crate::interp::access::{AccessEvent, HeldLock, Runs};
use crate::interp::contexts::ContextId;
use crate::interp::places::{LoopId, PlaceId, Proj, Root};
use crate::interp::terms::Term;
use crate::interp::values::{Const, ReadId};
use crate::resolve::Ty;
use std::rc::Rc;

/// Larger models have too many interleavings, and too many results to tell anybody anything.
const MAX_STEPS: usize = 16;
const MAX_ACTORS: u32 = 6;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Half {
    Read,
    Write,
    /// Both at once: an atomic operation.
    Both,
}

#[derive(Clone, Debug)]
pub struct ModelStep<'a> {
    pub event: &'a AccessEvent,
    /// Its number in its context's log.
    pub number: ReadId,
    pub half: Half,
    /// For a write: the value written.
    pub term: Option<Rc<Term>>,
    /// Which round of the loops round it, all in one.
    round: u32,
    /// Steps of other actors that surely come first: how many of each actor's.
    pub after: Vec<(usize, usize)>,
    /// The last step of the update that this one begins or goes on with.
    pub unit_end: usize,
}

/// One instance of a context.
#[derive(Clone, Debug)]
pub struct Actor<'a> {
    pub context: ContextId,
    pub steps: Vec<ModelStep<'a>>,
}

pub struct Model<'a> {
    pub start: i128,
    pub limits: (i128, i128),
    pub actors: Vec<Actor<'a>>,
}

impl<'a> Model<'a> {
    pub fn new(analysis: &'a Analysis, place: PlaceId) -> Option<Model<'a>> {
        let start = analysis.initial(place)?;
        if !is_one(analysis, place) || analysis.counts.cut > 0 {
            return None;
        }
        let mut actors = Vec::new();
        for context in analysis.contexts.ids() {
            let events = writes_and_their_reads(analysis, place, context)?;
            if events.is_empty() {
                continue;
            }
            let instances = instances(analysis, context, &events)?;
            let steps = unrolled(analysis, &events)?;
            actors.extend((0..instances).map(|_| Actor { context, steps: steps.clone() }));
            let size: usize = actors.iter().map(|a| a.steps.len()).sum();
            if size > MAX_STEPS || actors.len() > MAX_ACTORS as usize {
                return None;
            }
        }
        let mut model = Model { start, limits: limits(analysis, place, start), actors };
        model.order(analysis)?;
        Some(model)
    }

    /// Which steps surely come after which. `None` where two are ordered and it isn't known how.
    fn order(&mut self, analysis: &Analysis) -> Option<()> {
        let actors = self.actors.clone();
        for (i, one) in self.actors.iter_mut().enumerate() {
            for step in &mut one.steps {
                for (j, other) in actors.iter().enumerate().filter(|(j, _)| *j != i) {
                    let count = steps_before(analysis, one.context, step.event, other)?;
                    if count > 0 {
                        step.after.push((j, count));
                    }
                }
            }
        }
        Some(())
    }
}

fn steps_before(
    analysis: &Analysis,
    context: ContextId,
    event: &AccessEvent,
    other: &Actor,
) -> Option<usize> {
    let mut count = 0;
    for (n, step) in other.steps.iter().enumerate() {
        if analysis.ordered(context, event, other.context, step.event).is_none() {
            continue;
        }
        if context == other.context {
            return None;
        }
        if analysis.before(other.context, step.event, context, event) {
            count = n + 1;
        } else if !analysis.before(context, event, other.context, step.event) {
            return None;
        }
    }
    Some(count)
}

/// One place in every run, that only its own path leads to.
fn is_one(analysis: &Analysis, place: PlaceId) -> bool {
    let own = match analysis.places.get(place).root {
        Root::Static(_) => true,
        Root::ThreadLocal(_) | Root::Process(_) => false,
        Root::Local(frame, _) => !analysis.is_many(analysis.frames.get(frame).context),
        Root::Object(object) => {
            let object = &analysis.objects.list[object.0 as usize];
            object.loops.is_empty() && !analysis.is_many(analysis.frames.get(object.frame).context)
        }
    };
    own && !analysis.places.passes(place, |step| matches!(step, Proj::Deref | Proj::Index(_) | Proj::Once))
}

/// The values a place can have; outside them arithmetic stops or wraps round. Of an atomic the type doesn't tell.
fn limits(analysis: &Analysis, place: PlaceId, start: i128) -> (i128, i128) {
    let bits = |digits: &str| digits.parse::<u32>().unwrap_or(64).min(126);
    match &analysis.places.get(place).ty {
        Ty::Prim(name) => match name.as_str().split_at(1) {
            ("i", digits) => (-(1 << (bits(digits) - 1)), (1 << (bits(digits) - 1)) - 1),
            ("u", digits) => (0, (1 << bits(digits)) - 1),
            ("b", _) => (0, 1),
            _ => (0, -1),
        },
        _ => (start.min(0), i128::from(i32::MAX).max(start)),
    }
}

/// The context's writes of the place and the reads of it that what is written is made of, in the order of the code.
fn writes_and_their_reads(
    analysis: &Analysis,
    place: PlaceId,
    id: ContextId,
) -> Option<Vec<(ReadId, &AccessEvent)>> {
    let context = analysis.contexts.get(id);
    let places = &analysis.places;
    let mut wanted = Vec::new();
    let mut own: Vec<(ReadId, &AccessEvent)> = Vec::new();
    for (n, event) in context.log.events.iter().enumerate() {
        let number = ReadId(n as u32);
        if event.place == place {
            let known = |(_, old): &&(ReadId, &AccessEvent)| {
                (old.at, old.frame, old.kind) == (event.at, event.frame, event.kind)
            };
            if own.iter().find(known).is_none() {
                own.push((number, event));
            }
        } else if event.kind != AccessKind::Read
            && (places.below(place, event.place).is_some() || places.below(event.place, place).is_some())
        {
            return None;
        }
        if event.place == place && event.kind != AccessKind::Read {
            let term = settled_term(analysis, event)?;
            term.each_read(&mut |owner, read| wanted.push((owner, read)));
        }
    }
    let needed = |(number, event): &(ReadId, &AccessEvent)| {
        event.kind != AccessKind::Read || wanted.contains(&(id, *number))
    };
    own.retain(needed);
    let here = wanted.iter().all(|(owner, read)| *owner == id && own.iter().any(|(n, _)| n == read));
    let foreign = matches!(places.get(place).root, Root::Local(frame, _)
        if analysis.frames.get(frame).context == id && own.iter().any(|(_, e)| is_early(analysis, e)));
    (here && !foreign && !context.cut && !context.starts_more).then_some(own)
}

/// Before any other context was started: what a local holds at first may be from before or after that.
fn is_early(analysis: &Analysis, event: &AccessEvent) -> bool {
    event.kind != AccessKind::Read && analysis.moments[event.moment.0 as usize].started.is_empty()
}

/// How many instances of the context there are, all of which may run at once.
fn instances(analysis: &Analysis, id: ContextId, events: &[(ReadId, &AccessEvent)]) -> Option<u32> {
    let mut count = 1_u32;
    for at in analysis.contexts.ancestry(id) {
        let context = analysis.contexts.get(at);
        let counted = match context.kind {
            ContextKind::Main | ContextKind::Test => true,
            ContextKind::Thread | ContextKind::Task | ContextKind::Parallel => {
                context.sure && !context.cut && !context.starts_more
            }
            ContextKind::Interrupt
            | ContextKind::SignalHandler
            | ContextKind::RequestHandler
            | ContextKind::PythonCall
            | ContextKind::Hook
            | ContextKind::Caller => false,
        };
        if !counted {
            return None;
        }
        for at in &context.loops {
            count = count.checked_mul(*analysis.rounds.get(at)?)?;
        }
        let parent_writes_between = context.parent.is_some_and(|parent| {
            !context.loops.is_empty() && analysis.contexts.get(parent).log.events.iter().any(|e| {
                e.kind != AccessKind::Read
                    && events.iter().any(|(_, own)| own.place == e.place)
                    && matches!(&e.runs, Runs::Rounds(loops) if loops.iter().any(|l| context.loops.contains(l)))
            })
        });
        if parent_writes_between {
            return None;
        }
    }
    (count <= MAX_ACTORS && analysis.is_many(id) == (count > 1)).then_some(count)
}

/// The accesses as steps, loops written out.
fn unrolled<'a>(analysis: &Analysis, events: &[(ReadId, &'a AccessEvent)]) -> Option<Vec<ModelStep<'a>>> {
    let mut steps = Vec::new();
    unroll(analysis, events, 0, 0, &mut steps)?;
    for n in 0..steps.len() {
        let first = begin(&steps, n);
        for step in &mut steps[first..=n] {
            step.unit_end = step.unit_end.max(n);
        }
    }
    // Overlapping updates are one.
    for n in 0..steps.len() {
        let end = steps[n].unit_end;
        let furthest = steps[n..=end].iter().map(|s| s.unit_end).max().unwrap_or(end);
        steps[n..=end].iter_mut().for_each(|s| s.unit_end = furthest);
    }
    Some(steps)
}

fn loops_of(event: &AccessEvent) -> Option<&[LoopId]> {
    match &event.runs {
        Runs::Once => Some(&[]),
        Runs::Rounds(loops) => Some(loops),
        Runs::Unknown => None,
    }
}

fn unroll<'a>(
    analysis: &Analysis,
    events: &[(ReadId, &'a AccessEvent)],
    depth: usize,
    round: u32,
    steps: &mut Vec<ModelStep<'a>>,
) -> Option<()> {
    let mut rest = events;
    let mut done: Vec<LoopId> = Vec::new();
    while let Some((first, others)) = rest.split_first() {
        let Some(&at) = loops_of(first.1)?.get(depth) else {
            push_steps(analysis, *first, round, steps);
            rest = others;
            continue;
        };
        let inside = |e: &&(ReadId, &AccessEvent)| loops_of(e.1).is_some_and(|l| l.get(depth) == Some(&at));
        let count = rest.iter().take_while(inside).count();
        if done.contains(&at) {
            return None;
        }
        done.push(at);
        for n in 0..*analysis.rounds.get(&at)? {
            unroll(analysis, &rest[..count], depth + 1, round * MAX_STEPS as u32 + n + 1, steps)?;
            if steps.len() > MAX_STEPS {
                return None;
            }
        }
        rest = &rest[count..];
    }
    Some(())
}

fn push_steps<'a>(
    analysis: &Analysis,
    (number, event): (ReadId, &'a AccessEvent),
    round: u32,
    steps: &mut Vec<ModelStep<'a>>,
) {
    let term = settled_term(analysis, event);
    let mut push = |half| {
        let unit_end = steps.len();
        steps.push(ModelStep { event, number, half, term: term.clone(), round, after: Vec::new(), unit_end });
    };
    match event.kind {
        AccessKind::Read => push(Half::Read),
        AccessKind::Write => push(Half::Write),
        AccessKind::Update if event.atomic.is_some() => push(Half::Both),
        AccessKind::Update => {
            push(Half::Read);
            push(Half::Write);
        }
    }
}

/// Where the update that ends with this step begins: at the first of the reads it needs.
fn begin(steps: &[ModelStep], at: usize) -> usize {
    let step = &steps[at];
    if step.half == Half::Read {
        return at;
    }
    let latest =
        |number: ReadId| steps[..=at].iter().rposition(|s| s.number == number && s.half != Half::Write);
    let mut first = if step.half == Half::Both { at } else { latest(step.number).unwrap_or(at) };
    if let Some(term) = &step.term {
        term.each_read(&mut |_, read| first = first.min(latest(read).unwrap_or(at)));
    }
    first
}

impl ModelStep<'_> {
    /// Whether this and another step of the same actor are made under one acquisition of a lock.
    pub fn shares_hold(&self, other: &ModelStep, lock: &HeldLock) -> bool {
        self.round == other.round
            && other.event.locks.iter().any(|l| l.lock == lock.lock && l.hold.meets(lock.hold))
    }
}

/// One whole update: what it makes of a value.
pub struct Unit {
    context: ContextId,
    new: Rc<Term>,
    /// The reads of the same place in it.
    reads: Vec<ReadId>,
}

impl Unit {
    /// The value after it, if nothing comes between.
    pub fn apply(&self, value: i128) -> Option<i128> {
        self.new.value(Some(value), &|owner, read| {
            (owner == self.context && self.reads.contains(&read)).then_some(value)
        })
    }

    /// The constants in it.
    pub fn constants(&self) -> Vec<i128> {
        let mut found = Vec::new();
        self.new.each_constant(&mut |n| found.push(n));
        found
    }
}

/// A write as a function of the value before, if that is known.
pub fn unit(analysis: &Analysis, context: ContextId, write: &AccessEvent) -> Option<Unit> {
    let new = settled_term(analysis, write)?;
    let log = &analysis.contexts.get(context).log.events;
    let of_it = |id: &ReadId| log.get(id.0 as usize).is_some_and(|e| e.place == write.place);
    let mut reads = Vec::new();
    new.each_read(&mut |owner, read| reads.extend((owner == context && of_it(&read)).then_some(read)));
    Some(Unit { context, new, reads })
}

/// The value that an access writes, with what it reads of places that nobody changes filled in.
pub fn settled_term(analysis: &Analysis, event: &AccessEvent) -> Option<Rc<Term>> {
    let term = event.term.as_ref()?;
    let settled = |owner: ContextId, read: ReadId| {
        let read = analysis.contexts.get(owner).log.events.get(read.0 as usize)?;
        if read.place == event.place { None } else { constant(analysis, read.place) }
    };
    Some(Term::settle(term, &settled))
}

/// What a place always holds: its first value, if no access changes it.
fn constant(analysis: &Analysis, place: PlaceId) -> Option<i128> {
    let places = &analysis.places;
    let changes = |e: &AccessEvent| {
        e.kind != AccessKind::Read
            && (places.below(place, e.place).is_some() || places.below(e.place, place).is_some())
    };
    let indexed = places.passes(place, |step| matches!(step, Proj::Index(_) | Proj::Deref));
    let changed = indexed || analysis.contexts.list.iter().any(|c| c.log.events.iter().any(changes));
    if changed { None } else { analysis.initial(place) }
}

/// Whether a place holds truth values.
pub fn is_truth(analysis: &Analysis, place: PlaceId) -> bool {
    matches!(analysis.initial_value(place), Some(Const::Bool(_)))
}
