//! `lock-check-then-act`: what one critical section saw decides what another one does. See `split` for what counts as one step.

use super::describe::Story;
use super::sentence::Says;
use super::split::{Dependence, Family, check};
use super::{Facts, Rule};
use crate::finding::{Finding, Level};

pub struct LockCheckThenAct;

impl Rule for LockCheckThenAct {
    fn id(&self) -> &'static str {
        "lock-check-then-act"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        let story = |level| Story {
            rule: self.id(),
            level,
            says: Says::Decides("in one critical section", "in another"),
            help: "hold one guard over the check and the act, or look again under the second one".to_owned(),
        };
        check(facts, Family::Locked, Dependence::Decision, &story, level, out);
    }
}
