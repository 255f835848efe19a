//! `ignored-compare-exchange`: a compare-exchange whose new value depends on an earlier read, and whose failure nobody
//! notices. See `split` for who may write between.

use super::describe::Story;
use super::sentence::Says;
use super::split::{Dependence, Family, check};
use super::{Facts, Rule};
use crate::finding::{Finding, Level};

pub struct IgnoredCompareExchange;

impl Rule for IgnoredCompareExchange {
    fn id(&self) -> &'static str {
        "ignored-compare-exchange"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        let help =
            "use `fetch_update` or an operation that can't fail, or try again until the exchange succeeds";
        let story = |level| Story {
            rule: self.id(),
            level,
            says: Says::Updates(
                "by a compare-exchange whose failure nobody notices, and that update is lost",
            ),
            help: help.to_owned(),
        };
        check(facts, Family::Atomic, Dependence::Ignored, &story, level, out);
    }
}
