//! `split-lock-update`: lock-protected data is read in one critical section and written back in another. See `split` for what counts as one step.

use super::describe::Story;
use super::sentence::Says;
use super::split::{Dependence, Family, check};
use super::{Facts, Rule};
use crate::finding::{Finding, Level};

pub struct SplitLockUpdate;

impl Rule for SplitLockUpdate {
    fn id(&self) -> &'static str {
        "split-lock-update"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        let story = |level| Story {
            rule: self.id(),
            level,
            says: Says::InTwo("in two critical sections"),
            help: "hold one guard from the read to the write".to_owned(),
        };
        check(facts, Family::Locked, Dependence::Value, &story, level, out);
    }
}
