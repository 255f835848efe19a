//! Rules: what of the walk's facts is a finding. One file a rule, and the table of what users know of them (`info`).
//!
//! In: an `Analysis`: contexts, places, accesses with locks and moments. Out: findings. Rules never see syntax.

mod announced;
mod atomic_check_then_act;
mod claimed;
mod describe;
mod env_race;
mod harmless;
mod ignored_compare_exchange;
pub mod info;
mod lock_check_then_act;
mod order_dependent;
mod pairs;
mod protocol;
mod raw_pointer_race;
mod recursion;
mod relaxed_publish;
mod retired;
mod same_again;
mod sentence;
mod split;
mod split_atomic_update;
mod split_lock_update;
mod static_mut_race;
mod unsafe_cell_race;
mod unsound_sync;
mod why;

use crate::config::Config;
use crate::finding::{Finding, Level};
use crate::interp::places::Root;
use crate::interp::{Analysis, Made, ProgramKind};
use crate::models::Models;
use crate::resolve::Program;
use std::cell::Cell;

pub use info::{RULES, RuleInfo, find, unknown_rule};
pub use why::{nothing, why};

/// What a rule may look at.
pub struct Facts<'a> {
    pub program: &'a Program,
    pub models: &'a Models,
    pub analysis: &'a Analysis,
    pub kind: ProgramKind,
    /// Pairs of accesses that nothing but a protocol of the program's own was seen to keep apart.
    pub trusted: Cell<u64>,
}

impl Facts<'_> {
    /// Each thread has an object of its own behind this root.
    pub fn is_of_each_thread(&self, root: Root) -> bool {
        match root {
            Root::ThreadLocal(_) => true,
            Root::Object(object) => {
                let own = self.analysis.objects.list[object.0 as usize].made == Made::ByThread;
                own && !self.analysis.escaped.contains(&object)
            }
            Root::Static(_) | Root::Local(..) | Root::Process(_) => false,
        }
    }
}

/// One rule.
pub trait Rule: Sync {
    fn id(&self) -> &'static str;
    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>);
}

/// The rules that exist, in the order of the manual.
const CHECKS: &[&dyn Rule] = &[
    &static_mut_race::StaticMutRace,
    &unsafe_cell_race::UnsafeCellRace,
    &raw_pointer_race::RawPointerRace,
    &relaxed_publish::RelaxedPublish,
    &split_atomic_update::SplitAtomicUpdate,
    &atomic_check_then_act::AtomicCheckThenAct,
    &split_lock_update::SplitLockUpdate,
    &lock_check_then_act::LockCheckThenAct,
    &ignored_compare_exchange::IgnoredCompareExchange,
    &order_dependent::OrderDependent,
    &env_race::EnvRace,
];

/// Whether something is asked for that only a walk can tell.
pub fn wants_walk(config: &Config) -> bool {
    let on = |rule: &&dyn Rule| find(rule.id()).is_some_and(|info| config.level(info).is_some());
    config.why.is_some() || CHECKS.iter().any(on)
}

/// Runs the rules that look at types alone: once for a group, without a walk.
pub fn check_types(program: &Program, models: &Models, config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(level) = find(unsound_sync::ID).and_then(|info| config.level(info)) {
        unsound_sync::check(program, models, level, &mut found);
    }
    found
}

/// Runs every rule that is on.
pub fn check(facts: &Facts, config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in CHECKS {
        if let Some(info) = find(rule.id())
            && let Some(level) = config.level(info)
        {
            rule.check(facts, level, &mut found);
        }
    }
    // Where updates are lost, or race, that they don't commute is the smaller evil.
    let order = order_dependent::OrderDependent.id();
    let worse: Vec<String> = found.iter().filter(|f| f.rule != order).map(|f| f.place.clone()).collect();
    found.retain(|finding| finding.rule != order || !worse.contains(&finding.place));
    found
}
