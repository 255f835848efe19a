//! `relaxed-publish`: the only thing between two plain accesses is an atomic whose ordering doesn't order them.
//!
//! One context writes data and then stores a flag, another reads the flag and then the data, but the store doesn't release
//! or the load doesn't acquire. The finding's place is the data, or the atomic that a pointer was published through; the flag's accesses are listed with it.

use super::describe::{Story, describe};
use super::pairs::{Event, Group, Wanted, by_root, races, weak_flag};
use super::sentence::Says;
use super::{Facts, Rule};
use crate::finding::{Finding, Level};
use crate::interp::places::PlaceId;

pub struct RelaxedPublish;

impl Rule for RelaxedPublish {
    fn id(&self) -> &'static str {
        "relaxed-publish"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        for events in by_root(facts, |root| !facts.is_of_each_thread(root)) {
            for mut group in races(facts, &events, Wanted::WeaklyPublished) {
                let flags = add_flag(facts, &mut group);
                if let [flag] = flags[..]
                    && facts.analysis.published.values().any(|through| *through == flag)
                {
                    group.place = flag;
                }
                let help = "store the flag with `Ordering::Release` and load it with `Ordering::Acquire`";
                let story = Story {
                    rule: self.id(),
                    level,
                    says: Says::Accesses("with nothing between but a flag whose ordering is too weak"),
                    help: help.to_owned(),
                };
                out.extend(describe(facts, &story, &group));
            }
        }
    }
}

/// Adds the flag's accesses by the contexts that take part; the flags.
fn add_flag<'a>(facts: &Facts<'a>, group: &mut Group<'a>) -> Vec<PlaceId> {
    let mut flags: Vec<PlaceId> = Vec::new();
    for (i, j) in &group.pairs {
        if let Some(flag) = weak_flag(facts, group.events[*i], group.events[*j])
            && !flags.contains(&flag)
        {
            flags.push(flag);
        }
    }
    let mut contexts: Vec<_> = group.events.iter().map(|e| e.context).collect();
    contexts.sort_unstable();
    contexts.dedup();
    for context in contexts {
        for access in &facts.analysis.contexts.get(context).log.events {
            if flags.contains(&access.place) && access.atomic.is_some() {
                group.events.push(Event { context, access });
            }
        }
    }
    flags
}
