//! The exhaustive walk: every interleaving of a model's steps, and the values the place ends with.
//!
//! In: a model and whether whole updates or single steps are interleaved. Out: the final values, each once, in the
//! order they are met when earlier contexts go first; `None` past the bound or where a value can't be worked out.
//! Method: depth first over (steps taken, value, values read), each such configuration visited once. Locks admit a step
//! only while nobody else is between two steps of one hold of them. Memory is sequentially consistent here.

use super::model::{Half, Model, ModelStep};
use crate::interp::access::Effect;
use crate::interp::terms::Term;
use crate::interp::values::{Mode, ReadId};
use rustc_hash::FxHashSet;
use std::rc::Rc;

/// Configurations looked at.
const MAX_VISITED: usize = 20_000;

/// What is interleaved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grain {
    Updates,
    Steps,
}

/// How far everybody is.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Configuration {
    taken: Vec<usize>,
    value: i128,
    /// What each actor's reads found, the newest of each.
    found: Vec<Vec<(ReadId, i128)>>,
}

struct Walk<'m, 'a> {
    model: &'m Model<'a>,
    grain: Grain,
    seen: FxHashSet<Configuration>,
    results: Vec<i128>,
}

pub fn results(model: &Model, grain: Grain) -> Option<Vec<i128>> {
    let actors = model.actors.len();
    let first = Configuration { taken: vec![0; actors], value: model.start, found: vec![Vec::new(); actors] };
    let mut walk = Walk { model, grain, seen: FxHashSet::default(), results: Vec::new() };
    walk.visit(first)?;
    (!walk.results.is_empty()).then_some(walk.results)
}

impl Walk<'_, '_> {
    /// Goes on from here in every way. Recursion is as deep as the model has steps.
    fn visit(&mut self, at: Configuration) -> Option<()> {
        if !self.seen.insert(at.clone()) {
            return Some(());
        }
        if self.seen.len() > MAX_VISITED {
            return None;
        }
        let mut over = true;
        for actor in 0..self.model.actors.len() {
            let steps = &self.model.actors[actor].steps;
            over &= at.taken[actor] == steps.len();
            if at.taken[actor] < steps.len() && self.admitted(&at, actor) {
                self.visit(self.after(&at, actor)?)?;
            }
        }
        if over && !self.results.contains(&at.value) {
            self.results.push(at.value);
        }
        Some(())
    }

    fn admitted(&self, at: &Configuration, actor: usize) -> bool {
        let step = &self.model.actors[actor].steps[at.taken[actor]];
        let others = (0..self.model.actors.len()).filter(|other| *other != actor);
        let ordered = step.after.iter().all(|(other, count)| at.taken[*other] >= *count);
        ordered && others.into_iter().all(|other| !self.keeps_out(at, other, step))
    }

    /// Whether the other actor is in the midst of something that this step may not fall into.
    fn keeps_out(&self, at: &Configuration, other: usize, step: &ModelStep) -> bool {
        let steps = &self.model.actors[other].steps;
        let (done, left) = steps.split_at(at.taken[other]);
        let Some(last) = done.last() else { return false };
        if self.grain == Grain::Updates && last.unit_end >= done.len() {
            return true;
        }
        last.event.locks.iter().any(|held| {
            left.first().is_some_and(|next| last.shares_hold(next, held))
                && step.event.locks.iter().any(|l| {
                    l.lock == held.lock && (l.mode == Mode::Exclusive || held.mode == Mode::Exclusive)
                })
        })
    }

    fn after(&self, at: &Configuration, actor: usize) -> Option<Configuration> {
        let step = &self.model.actors[actor].steps[at.taken[actor]];
        let mut next = at.clone();
        next.taken[actor] += 1;
        let found = &mut next.found[actor];
        if step.half != Half::Write {
            match found.iter_mut().find(|(read, _)| *read == step.number) {
                Some(slot) => slot.1 = at.value,
                None => found.push((step.number, at.value)),
            }
        }
        if step.half != Half::Read {
            let known = |read: ReadId| found.iter().find(|(r, _)| *r == read).map(|(_, value)| *value);
            let old = known(step.number).unwrap_or(at.value);
            let number = |term: &Rc<Term>| term.value(Some(old), &|_, read| known(read));
            let value = number(step.term.as_ref()?)?;
            let (least, most) = self.model.limits;
            let value = (least..=most).contains(&value).then_some(value)?;
            let succeeds = match &step.event.effect {
                Some(Effect::Compare { expected, .. }) => number(expected.as_ref()?)? == at.value,
                _ => true,
            };
            next.value = if succeeds { value } else { at.value };
        }
        Some(next)
    }
}
