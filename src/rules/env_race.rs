//! `env-race`: the environment or the current directory is changed while another context uses the same.
//!
//! Each single call is synchronized by the standard library; what another context sets in between is nevertheless what
//! the next call sees. Entries of the environment are told apart by name; a name that isn't known is no place.

use super::describe::{Story, describe};
use super::pairs::{Door, Wanted, by_root, races};
use super::sentence::Says;
use super::{Facts, Rule};
use crate::finding::{Finding, Level};
use crate::interp::places::Root;

pub struct EnvRace;

impl Rule for EnvRace {
    fn id(&self) -> &'static str {
        "env-race"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        for events in by_root(facts, |root| matches!(root, Root::Process(_))) {
            for group in races(facts, &events, Wanted::Door(Door::Process)) {
                let story = Story {
                    rule: self.id(),
                    level,
                    says: Says::Accesses("at the same time, and the process has only one"),
                    help: "hand the setting over as a value; or change it before anything else starts, or hold one lock \
                           over each change and all that depends on it"
                        .to_owned(),
                };
                out.extend(describe(facts, &story, &group));
            }
        }
    }
}
