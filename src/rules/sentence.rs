//! The sentences of a finding: what is wrong, and why the code is held to be concurrent.
//!
//! In: the place's name, the threads and what they do. Out: plain text with names in backticks; the reason has positions
//! as `{0}`, `{1}`, … Invariant: threads of one name that do the same are named once.

use super::Facts;
use crate::finding::{Access, AccessKind, ContextKind, Location, Thread};
use crate::interp::contexts::Context;

/// What a rule says is wrong.
#[derive(Clone, Copy)]
pub enum Says {
    /// Who accesses the place, then this.
    Accesses(&'static str),
    /// Who updates the place, then this.
    Updates(&'static str),
    /// Who updates the place, then this: in which two steps.
    InTwo(&'static str),
    /// Who decides on the place, by what; and acts how.
    Decides(&'static str, &'static str),
}

/// Names beyond this many are counted.
const MAX_NAMES: usize = 6;

/// The headline. `readers`: the threads that read the place in a step of its own.
pub fn headline(
    says: Says,
    place: &str,
    threads: &[Thread],
    accesses: &[Access],
    readers: &[usize],
) -> String {
    let others: Vec<usize> = (0..threads.len()).filter(|t| !readers.contains(t)).collect();
    match says {
        Says::Accesses(tail) => accessed(place, threads, accesses, tail),
        Says::Updates(how) => {
            let updaters = if readers.is_empty() { &others } else { readers };
            format!(
                "`{place}` is updated by {} {how}{}",
                names(threads, updaters),
                between(threads, readers, &others)
            )
        }
        Says::InTwo(how) => {
            let updaters = if readers.is_empty() { &others } else { readers };
            let lost = match readers.is_empty() || others.is_empty() {
                true => "an update between them is lost".to_owned(),
                false => format!("an update by {} between them is lost", names(threads, &others)),
            };
            format!("`{place}` is updated by {} {how}, and {lost}", names(threads, updaters))
        }
        Says::Decides(by, how) => {
            let deciders = if readers.is_empty() { &others } else { readers };
            let (decide, act) = if deciders.len() == 1 { ("decides", "acts") } else { ("decide", "act") };
            format!(
                "{} {decide} on `{place}` {by} and {act} {how}{}",
                names(threads, deciders),
                between(threads, readers, &others)
            )
        }
    }
}

/// Those who write but take no two steps themselves.
fn between(threads: &[Thread], readers: &[usize], others: &[usize]) -> String {
    match readers.is_empty() || others.is_empty() {
        true => String::new(),
        false => format!("; {} may write it between", names(threads, others)),
    }
}

fn accessed(place: &str, threads: &[Thread], accesses: &[Access], tail: &str) -> String {
    let kind = |t: usize| {
        let own = accesses.iter().filter(|a| a.thread == t && a.of.is_none()).map(|a| a.kind);
        own.reduce(|a, b| if a == b { a } else { AccessKind::Update }).unwrap_or(AccessKind::Read)
    };
    let clause = |(wanted, verb): (AccessKind, &str)| {
        let who: Vec<usize> = (0..threads.len()).filter(|t| kind(*t) == wanted).collect();
        (!who.is_empty()).then(|| format!("{verb} by {}", names(threads, &who)))
    };
    let kinds = [(AccessKind::Update, "updated"), (AccessKind::Write, "written"), (AccessKind::Read, "read")];
    let clauses: Vec<String> = kinds.into_iter().filter_map(clause).collect();
    let several = if threads.len() == 1 { ", several of which run at once," } else { "" };
    format!("`{place}` is {}{several} {tail}", list(&clauses))
}

fn names(threads: &[Thread], who: &[usize]) -> String {
    let mut named: Vec<(&Thread, usize)> = Vec::new();
    for t in who {
        let thread = &threads[*t];
        match named.iter_mut().find(|(other, _)| (&other.name, other.many) == (&thread.name, thread.many)) {
            Some((_, count)) => *count += 1,
            None => named.push((thread, 1)),
        }
    }
    let mut parts: Vec<String> = named
        .iter()
        .map(|(thread, count)| match (thread.many, *count) {
            (true, 1) => format!("`{}` (×many)", thread.name),
            (false, 1) => format!("`{}`", thread.name),
            (true, count) => format!("`{}` (×many, from {count} places)", thread.name),
            (false, count) => format!("`{}` (from {count} places)", thread.name),
        })
        .collect();
    if parts.len() > MAX_NAMES {
        let more = parts.len() - (MAX_NAMES - 1);
        parts.truncate(MAX_NAMES - 1);
        parts.push(format!("{more} more"));
    }
    list(&parts)
}

/// `a`, `a and b`, `a, b and c`.
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A clause of the reason: text before and after the positions it holds for.
#[derive(PartialEq)]
struct Clause {
    before: String,
    after: String,
}

/// Why the contexts are held to be concurrent, for each thread with one of the contexts it stands for.
pub fn because(facts: &Facts, contexts: &[(&Thread, &Context)]) -> (String, Vec<Location>) {
    let mut clauses: Vec<(Clause, Vec<Location>)> = Vec::new();
    for (thread, context) in contexts {
        let clause = reason(facts, context, thread);
        match clauses.iter_mut().find(|(known, _)| *known == clause) {
            Some((_, at)) => at.push(thread.spawned_at),
            None => clauses.push((clause, vec![thread.spawned_at])),
        }
    }
    let mut at = Vec::new();
    let parts: Vec<String> = clauses
        .into_iter()
        .map(|(clause, places)| {
            let holes: Vec<String> =
                (at.len()..at.len() + places.len()).map(|n| format!("{{{n}}}")).collect();
            at.extend(places);
            format!("{}{}{}", clause.before, list(&holes), clause.after)
        })
        .collect();
    (list(&parts), at)
}

fn reason(facts: &Facts, context: &Context, thread: &Thread) -> Clause {
    let name = &thread.name;
    let clause = |before: String, after: &str| Clause { before, after: after.to_owned() };
    let own_line = |after| clause(format!("`{name}` ("), after);
    match context.kind {
        ContextKind::Main => own_line(") goes on meanwhile"),
        ContextKind::Test => clause(format!("test `{name}` ("), ") runs in a thread of the one test process"),
        ContextKind::Caller => own_line(") is a safe public function that any thread may call"),
        ContextKind::Thread | ContextKind::Parallel | ContextKind::Task => {
            let times = match (thread.many, context.many) {
                (true, true) => " again before an earlier one has ended",
                (true, false) => " on several paths",
                (false, _) => "",
            };
            let parent = context.parent.map(|p| facts.analysis.contexts.get(p).name.clone());
            let by = parent.map_or(String::new(), |p| format!(" by `{p}`"));
            clause(format!("`{name}` is started{by} at "), times)
        }
        ContextKind::Interrupt | ContextKind::SignalHandler => own_line(") interrupts what runs"),
        ContextKind::RequestHandler | ContextKind::PythonCall | ContextKind::Hook => {
            own_line(") may be called by several threads")
        }
    }
}
