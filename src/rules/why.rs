//! `--why PLACE`: everything known of a place, and for each pair of accesses why it is or isn't a race.

use super::Facts;
use super::describe::place_name;
use super::pairs::{Event, Verdict, verdict};
use crate::finding::{Location, Why};
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
        out.lines.push((line, vec![event.access.at]));
    }
    let mut listed = 0;
    for (i, (_, a)) in events.iter().enumerate() {
        for (_, b) in &events[i..] {
            let verdict = verdict(facts, *a, *b);
            if verdict == Verdict::BothRead || listed >= MAX_PAIRS {
                continue;
            }
            listed += 1;
            let (one, two) = (context_name(facts, a), context_name(facts, b));
            let line = format!("`{one}` {{0}} and `{two}` {{1}}: {}", said(facts, verdict));
            out.lines.push((line, vec![a.access.at, b.access.at]));
        }
    }
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
