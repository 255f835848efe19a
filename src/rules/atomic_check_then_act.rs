//! `atomic-check-then-act`: a load decides whether the same atomic is written; another context writes between. See `split` for what counts as one step.

use super::describe::Story;
use super::sentence::Says;
use super::split::{Dependence, Family, check};
use super::{Facts, Rule};
use crate::finding::{Finding, Level};

pub struct AtomicCheckThenAct;

impl Rule for AtomicCheckThenAct {
    fn id(&self) -> &'static str {
        "atomic-check-then-act"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        let story = |level| {
            Story {
            rule: self.id(),
            level,
            says: Says::Decides("by a load", "when that may be out of date"),
            help: "let the operation decide: `swap`, `compare_exchange` or `fetch_update`, and look at its result".to_owned(),
        }
        };
        check(facts, Family::Atomic, Dependence::Decision, &story, level, out);
    }
}
