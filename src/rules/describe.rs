//! From a group of racing accesses to a finding: names, threads, accesses, the sentence and the reason.

use super::Facts;
use super::pairs::{Event, Group};
use super::sentence::{Says, because, headline};
use crate::finding::{
    Access, AccessKind, ContextKind, Evidence, Finding, Level, Location, Outcomes, Step, Thread, Via,
};
use crate::hir::Name;
use crate::interp::access::{AccessEvent, Effect};
use crate::interp::contexts::{Context, ContextId, Naming};
use crate::interp::places::{FrameId, Index, PlaceId, Proj, Root};
use crate::models::Role;
use crate::resolve::Ty;
use crate::witness::{self, Scene};

/// What the rule adds.
pub struct Story {
    pub rule: &'static str,
    pub level: Level,
    pub says: Says,
    pub help: String,
}

/// The contexts that are shown as one: those of one spawn site.
struct Shown {
    thread: Thread,
    members: Vec<ContextId>,
}

/// The finding for a group. `None` where no two contexts are left to name.
pub fn describe(facts: &Facts, story: &Story, group: &Group) -> Option<Finding> {
    let shown = threads(facts, group);
    if shown.is_empty() {
        return None;
    }
    let accesses = accesses(facts, group, &shown);
    let place = place_name(facts, group.place);
    let threads: Vec<Thread> = shown.iter().map(|s| s.thread.clone()).collect();
    let only_tests = threads.iter().all(|t| t.kind == ContextKind::Test);
    let level = if only_tests { story.level.min(Level::Warning) } else { story.level };
    let evidence = shown
        .iter()
        .flat_map(|s| &s.members)
        .map(|id| facts.analysis.contexts.get(*id).evidence)
        .max()
        .unwrap_or(Evidence::Spawned);
    let contexts: Vec<(&Thread, &Context)> =
        shown.iter().map(|s| (&s.thread, facts.analysis.contexts.get(s.members[0]))).collect();
    let (because, because_at) = because(facts, &contexts);
    let readers: Vec<usize> = (0..shown.len())
        .filter(|n| {
            let reads =
                |e: &Event| e.access.kind == AccessKind::Read && shown[*n].members.contains(&e.context);
            group.events.iter().any(reads)
        })
        .collect();
    let (schedule, outcomes) = witness(facts, group, &shown);
    Some(Finding {
        rule: story.rule,
        level,
        evidence,
        message: headline(story.says, &place, &threads, &accesses, &readers),
        because,
        because_at,
        fingerprint: fingerprint(story.rule, &place, &threads),
        place,
        declared_at: declared_at(facts, group.place),
        threads,
        accesses,
        schedule,
        outcomes,
        help: story.help.clone(),
        fix: None,
    })
}

/// A schedule that goes wrong and the possible results.
fn witness(facts: &Facts, group: &Group, shown: &[Shown]) -> (Vec<Step>, Option<Outcomes>) {
    let thread = |context| shown.iter().position(|s| s.members.contains(&context)).unwrap_or_default();
    let scene = Scene {
        place: group.place,
        acts: group.events.iter().map(|e| (e.context, e.access)).collect(),
        pairs: &group.pairs,
        thread: &thread,
        name: &|place| place_name(facts, place),
    };
    witness::witness(facts.analysis, &scene)
}

fn threads(facts: &Facts, group: &Group) -> Vec<Shown> {
    let analysis = facts.analysis;
    let mut shown: Vec<Shown> = Vec::new();
    let mut order: Vec<ContextId> = group.events.iter().map(|e| e.context).collect();
    order.sort_unstable();
    order.dedup();
    for id in order {
        let context = analysis.contexts.get(id);
        let same = |s: &&mut Shown| shown_as_one(analysis.contexts.get(s.members[0]), context);
        match shown.iter_mut().find(same) {
            Some(known) => {
                let meets = known.members.iter().any(|m| {
                    group.pairs.iter().any(|(i, j)| {
                        let pair = (group.events[*i].context, group.events[*j].context);
                        pair == (*m, id) || pair == (id, *m)
                    })
                });
                known.thread.many |= meets || analysis.is_many(id);
                known.members.push(id);
            }
            None => shown.push(Shown {
                thread: Thread {
                    name: context.name.clone(),
                    kind: context.kind,
                    many: analysis.is_many(id),
                    spawned_at: context.spawned_at,
                },
                members: vec![id],
            }),
        }
    }
    shown.sort_by_key(|s| (s.thread.kind != ContextKind::Main, s.thread.spawned_at));
    shown
}

/// One spawn site reached by several call paths, unless each of them has a name of its own to give or a function to run.
fn shown_as_one(one: &Context, two: &Context) -> bool {
    let own_name = |context: &Context| matches!(context.named, Naming::Literal | Naming::Item);
    (one.spawned_at, one.kind, one.branch) == (two.spawned_at, two.kind, two.branch)
        && (one.name == two.name || !(own_name(one) || own_name(two)))
}

fn accesses(facts: &Facts, group: &Group, shown: &[Shown]) -> Vec<Access> {
    let mut list: Vec<Access> = Vec::new();
    for event in &group.events {
        let Some(thread) = shown.iter().position(|s| s.members.contains(&event.context)) else { continue };
        let access = Access {
            thread,
            kind: event.access.kind,
            of: flag_name(facts, event, group.place),
            atomic: event.access.atomic.map(|n| n.as_str()),
            in_place: changes_in_place(event.access),
            locks: lock_names(facts, event),
            at: event.access.at,
            via: via(facts, event),
        };
        merge(&mut list, access);
    }
    list.sort_by_key(|a| (a.at.file, a.at.range.lo, a.at.range.hi, a.thread));
    list
}

/// Of an atomic that is neither part of the finding's place nor has it inside.
fn flag_name(facts: &Facts, event: &Event, place: PlaceId) -> Option<String> {
    let (places, flag) = (&facts.analysis.places, event.access.place);
    let apart = places.below(place, flag).is_none() && places.below(flag, place).is_none();
    (event.access.atomic.is_some() && apart).then(|| place_name(facts, flag))
}

/// One entry for each thread and source range; a read inside the expression that writes makes it an update.
fn merge(list: &mut Vec<Access>, access: Access) {
    for old in list.iter_mut() {
        let same_file = old.at.file == access.at.file && old.thread == access.thread;
        if !same_file || old.of != access.of {
            continue;
        }
        let (inner, outer) = (old.at.range, access.at.range);
        if inner == outer || inner.contains(outer) && is_part(old.kind, access.kind) {
            old.kind = joined(old.kind, access.kind);
            old.in_place |= access.in_place;
            return;
        }
        if outer.contains(inner) && is_part(access.kind, old.kind) {
            let kind = joined(old.kind, access.kind);
            *old = access;
            old.kind = kind;
            return;
        }
    }
    list.push(access);
}

/// A call such as `push`: what it reads to do so is its own affair.
fn changes_in_place(access: &AccessEvent) -> bool {
    let computes = access.effect == Some(Effect::Assign) || access.term.is_some();
    access.kind == AccessKind::Update && access.atomic.is_none() && !computes
}

fn is_part(whole: AccessKind, part: AccessKind) -> bool {
    whole != AccessKind::Read && part == AccessKind::Read
}

fn joined(a: AccessKind, b: AccessKind) -> AccessKind {
    if a == b { a } else { AccessKind::Update }
}

fn lock_names(facts: &Facts, event: &Event) -> Vec<String> {
    let mut names: Vec<String> = event.access.locks.iter().map(|l| place_name(facts, l.lock)).collect();
    names.dedup();
    names
}

/// The calls that lead from the context's entry to the access.
fn via(facts: &Facts, event: &Event) -> Vec<Via> {
    let mut calls = Vec::new();
    let mut at: Option<FrameId> = Some(event.access.frame);
    while let Some(frame) = at {
        let frame = facts.analysis.frames.get(frame);
        if let (Some(function), Some(at)) = (frame.function, frame.called_at) {
            calls.push(Via { function: facts.program.fn_def(function).name.to_string(), at });
        }
        at = frame.parent;
    }
    calls.reverse();
    calls
}

/// The name of a place: the static's path, `Type.field`, or the binding.
pub fn place_name(facts: &Facts, place: PlaceId) -> String {
    let analysis = facts.analysis;
    let places = &analysis.places;
    let root_place = places.ancestors(place).last().unwrap_or(place);
    let mut name = match places.get(root_place).root {
        Root::Static(id) | Root::ThreadLocal(id) => facts.program.statics[id.index()].path.clone(),
        Root::Local(frame, local) => match &places.get(root_place).ty {
            Ty::Adt(id, _) if place != root_place => facts.program.adts[id.index()].name.to_string(),
            _ => analysis.locals.get(&(frame, local)).map_or("value".to_owned(), |l| l.name.to_string()),
        },
        Root::Object(object) => {
            let object = &analysis.objects.list[object.0 as usize];
            match (&places.get(root_place).ty, object.name) {
                (Ty::Adt(id, _), _) => facts.program.adts[id.index()].name.to_string(),
                (_, Some(name)) => name.to_string(),
                _ => "value".to_owned(),
            }
        }
        Root::Process(name) => return process_place(facts, place, name),
    };
    let mut steps: Vec<PlaceId> = places.ancestors(place).collect();
    steps.reverse();
    for (ends, step) in steps.windows(2).zip(places.path(place)) {
        match step {
            // What a counted handle leads to is an object of its own.
            Proj::Deref if facts.models.role(&places.get(ends[0]).ty) == Role::Counted => {
                if let Ty::Adt(id, _) = &places.get(ends[1]).ty {
                    name = facts.program.adts[id.index()].name.to_string();
                }
            }
            Proj::Field(field) => name.push_str(&format!(".{field}")),
            Proj::Index(Index::Const(n)) => name.push_str(&format!("[{n}]")),
            Proj::Index(Index::Key(key)) => name.push_str(&format!("[{}]", key.as_str())),
            Proj::Index(_) => name.push_str("[*]"),
            Proj::Cell | Proj::Guarded | Proj::Once | Proj::Deref => {}
        }
    }
    name
}

fn declared_at(facts: &Facts, place: PlaceId) -> Option<Location> {
    match facts.analysis.places.get(place).root {
        Root::Static(id) | Root::ThreadLocal(id) => {
            let def = &facts.program.statics[id.index()];
            Some(Location { file: def.file, range: def.name_range })
        }
        Root::Local(frame, local) => facts.analysis.locals.get(&(frame, local)).map(|l| l.at),
        Root::Object(object) => Some(facts.analysis.objects.list[object.0 as usize].site),
        Root::Process(_) => None,
    }
}

/// An entry by its key, the whole by what models call it.
fn process_place(facts: &Facts, place: PlaceId, name: Name) -> String {
    let path = facts.analysis.places.path(place);
    let key = path.iter().find_map(|step| match step {
        Proj::Field(key) => Some(key.to_string()),
        _ => None,
    });
    key.unwrap_or_else(|| name.to_string())
}

/// Stable under moved lines: rule, place and thread names.
pub fn fingerprint(rule: &str, place: &str, threads: &[Thread]) -> String {
    let mut names: Vec<&str> = threads.iter().map(|t| t.name.as_str()).collect();
    names.sort_unstable();
    let text = format!("{rule}|{place}|{}", names.join(","));
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}
