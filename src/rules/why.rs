//! `--why PLACE`: everything known of a place, for each pair of accesses why it is or isn't a race, and for each read and the
//! write that depends on it why they are or aren't an update in two steps.

use super::Facts;
use super::describe::place_name;
use super::harmless::{Harmless, How, harmless, one_step, same_place};
use super::pairs::{Event, Verdict, verdict};
use super::split::{Dependence, reads_of};
use crate::finding::{AccessKind, Location, Why};
use crate::interp::places::PlaceId;

/// Pairs listed at most.
const MAX_PAIRS: usize = 200;

/// Adds what this program's walk knows of the place named `wanted` (or ending in it).
pub fn why(facts: &Facts, wanted: &str, out: &mut Why) {
    let analysis = facts.analysis;
    let mut events: Vec<(String, Event)> = Vec::new();
    for id in analysis.contexts.ids() {
        for access in &analysis.contexts.get(id).log.events {
            let name = place_name(facts, access.place);
            if named(&name, wanted) {
                events.push((name, Event { context: id, access }));
            }
        }
    }
    for (name, event) in &events {
        let line = format!("{}: {} {{0}}", name, doing(facts, event));
        add(out, line, vec![event.access.at]);
    }
    let events: Vec<Event> = events.into_iter().map(|(_, event)| event).collect();
    races(facts, &events, out);
    updates(facts, &events, out);
}

fn races(facts: &Facts, events: &[Event], out: &mut Why) {
    let mut listed = 0;
    for (i, a) in events.iter().enumerate() {
        for b in &events[i..] {
            let verdict = verdict(facts, *a, *b);
            if verdict == Verdict::BothRead || listed >= MAX_PAIRS {
                continue;
            }
            let (one, two) = (context_name(facts, a), context_name(facts, b));
            let line = format!("`{one}` {{0}} and `{two}` {{1}}: {}", said(facts, verdict));
            listed += usize::from(add(out, line, vec![a.access.at, b.access.at]));
        }
    }
}

/// Each write with the reads that it depends on, and what may come between.
fn updates(facts: &Facts, events: &[Event], out: &mut Why) {
    let mut listed = 0;
    for write in events.iter().filter(|event| event.access.kind != AccessKind::Read) {
        let reads = [Dependence::Value, Dependence::Decision].map(|kind| reads_of(facts, write, kind));
        for (read, how) in reads.into_iter().flatten() {
            if std::ptr::eq(read, write.access) || !same_place(facts, write, read) || listed >= MAX_PAIRS {
                continue;
            }
            let context = context_name(facts, write);
            let word = if how == How::Decided { "decided" } else { "computed" };
            let line = |reason: &str| format!("`{context}` {{0}}, {word} by what is read {{1}}: {reason}");
            let at = vec![write.access.at, read.at];
            if let Some(whole) = one_step(facts, write, read, how) {
                listed += usize::from(add(out, line(whole.reason()), at));
                continue;
            }
            for other in events.iter().filter(|other| other.access.kind != AccessKind::Read) {
                let reason = harmless(facts, write, read, other, how);
                let said = reason.map_or("an update in two steps", Harmless::reason);
                let reason = format!("with `{}` {{2}} between, {said}", context_name(facts, other));
                let at = vec![write.access.at, read.at, other.access.at];
                listed += usize::from(add(out, line(&reason), at));
            }
        }
    }
}

/// Adds a line that isn't there yet.
fn add(out: &mut Why, line: String, at: Vec<Location>) -> bool {
    let entry = (line, at);
    let new = !out.lines.contains(&entry);
    if new {
        out.lines.push(entry);
    }
    new
}

fn named(name: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.replace("[*]", "");
    let (name, wanted) = (plain(name), plain(wanted));
    name == wanted
        || name.strip_suffix(&wanted).is_some_and(|rest| rest.ends_with("::") || rest.ends_with('.'))
        || name.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('['))
}

fn context_name(facts: &Facts, event: &Event) -> String {
    facts.analysis.contexts.get(event.context).name.clone()
}

fn doing(facts: &Facts, event: &Event) -> String {
    let access = event.access;
    let moment = &facts.analysis.moments[access.moment.0 as usize];
    let atomic = access.atomic.map_or(String::new(), |o| format!(" ({o})"));
    let locks: Vec<String> = access.locks.iter().map(|l| lock(facts, l.lock)).collect();
    let names = |ids: &std::collections::BTreeSet<crate::interp::contexts::ContextId>| -> String {
        let names: Vec<String> = ids.iter().map(|c| facts.analysis.contexts.get(*c).name.clone()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    format!(
        "`{}` {}s{atomic}, holding {}, started {}, joined {}, at",
        context_name(facts, event),
        access.kind.as_str(),
        if locks.is_empty() { "no lock".to_owned() } else { locks.join(", ") },
        names(&moment.started),
        names(&moment.joined),
    )
}

fn lock(facts: &Facts, place: PlaceId) -> String {
    format!("`{}`", place_name(facts, place))
}

fn said(facts: &Facts, verdict: Verdict) -> String {
    match verdict {
        Verdict::Race => "race".to_owned(),
        Verdict::Disjoint => "different parts".to_owned(),
        Verdict::NoDoor => "safe accesses".to_owned(),
        Verdict::BothRead => "both read".to_owned(),
        Verdict::BothAtomic => "both atomic".to_owned(),
        Verdict::Locked(place) => format!("both hold {}", lock(facts, place)),
        Verdict::Protocol => "both decided by atomics of the object".to_owned(),
        Verdict::Ordered(order) => order.reason().to_owned(),
    }
}

/// Where nothing was found.
pub fn nothing(wanted: &str) -> (String, Vec<Location>) {
    (format!("no access of a shared place named `{wanted}` is known"), Vec::new())
}
