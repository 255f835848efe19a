//! `unsafe-cell-race`: door 2. What a cell holds that is shared by an unsafe promise is accessed by two contexts, one writes,
//! nothing orders them and no lock is common.
//!
//! A cell is one of the interior-mutable types without synchronization of their own (`UnsafeCell`, `Cell`, `RefCell`, …). A cell
//! that no other context can reach is never compared.

use super::describe::{Story, describe};
use super::pairs::{Door, Wanted, by_root, races};
use super::sentence::Says;
use super::{Facts, Rule};
use crate::finding::{Finding, Level};

pub struct UnsafeCellRace;

impl Rule for UnsafeCellRace {
    fn id(&self) -> &'static str {
        "unsafe-cell-race"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        for events in by_root(facts, |root| !facts.is_of_each_thread(root)) {
            for group in races(facts, &events, Wanted::Door(Door::Cell)) {
                let help =
                    "guard the cell with a lock that every access holds, or make it an atomic or a `Mutex`";
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
