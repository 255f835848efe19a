//! `raw-pointer-race`: door 3. Memory behind a raw pointer that travelled to another context is accessed by two, one writes, nothing
//! orders them and no lock is common.

use super::describe::{Story, describe};
use super::pairs::{Door, Wanted, by_root, races};
use super::sentence::Says;
use super::{Facts, Rule};
use crate::finding::{Finding, Level};

pub struct RawPointerRace;

impl Rule for RawPointerRace {
    fn id(&self) -> &'static str {
        "raw-pointer-race"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        for events in by_root(facts, |root| !facts.is_of_each_thread(root)) {
            for group in races(facts, &events, Wanted::Door(Door::Raw)) {
                let help = "share the memory through a type that synchronizes (`Mutex`, an atomic), give each context a part of its own, or hand it over";
                let story = Story {
                    rule: self.id(),
                    level,
                    says: Says::Accesses("with no lock in common"),
                    help: help.to_owned(),
                };
                out.extend(describe(facts, &story, &group));
            }
        }
    }
}
