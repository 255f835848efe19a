//! `split-atomic-update`: an atomic is loaded and stored back in two steps; another context writes between. See `split` for what counts as one step.

use super::describe::Story;
use super::sentence::Says;
use super::split::{Dependence, Family, check};
use super::{Facts, Rule};
use crate::finding::{Finding, Level};

pub struct SplitAtomicUpdate;

impl Rule for SplitAtomicUpdate {
    fn id(&self) -> &'static str {
        "split-atomic-update"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        let story = |level| {
            Story {
            rule: self.id(),
            level,
            says: Says::InTwo("in two steps"),
            help: "use one operation (`fetch_add`, `fetch_sub`, `fetch_max`, `fetch_update`) or a compare-exchange loop".to_owned(),
        }
        };
        check(facts, Family::Atomic, Dependence::Value, &story, level, out);
    }
}
