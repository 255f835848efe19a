//! What makes a finding convincing: a schedule that goes wrong, step by step, and the results that are possible.
//!
//! In: an analysis and the accesses of one finding. Out: `Step`s that name threads, lines and (where the start and the
//! operations are known) values; and `Outcomes`, told apart into those that some order of whole updates gives and those
//! that take a lost update. Nothing here decides whether something is a finding.
//!
//! `model` gathers who does what to the place, if all of it is known; `walk` tries all interleavings of that;
//! `schedule` picks one that loses an update.

mod model;
mod schedule;
mod walk;

use crate::finding::{ContextKind, Outcomes, Step};
use crate::interp::Analysis;
use crate::interp::access::AccessEvent;
use crate::interp::contexts::ContextId;
use crate::interp::places::PlaceId;

pub use model::{Unit, unit};

/// An access with the context that makes it.
pub type Act<'a> = (ContextId, &'a AccessEvent);

/// The accesses of a finding.
pub struct Scene<'a> {
    pub place: PlaceId,
    pub acts: Vec<Act<'a>>,
    /// Those that meet, as indices into `acts`.
    pub pairs: &'a [(usize, usize)],
    /// A context's number in the finding.
    pub thread: &'a dyn Fn(ContextId) -> usize,
    /// How a place is called.
    pub name: &'a dyn Fn(PlaceId) -> String,
}

/// The schedule (empty where no two steps are worth showing) and the results.
pub fn witness(analysis: &Analysis, scene: &Scene) -> (Vec<Step>, Option<Outcomes>) {
    let mut schedule = schedule::schedule(analysis, scene);
    if interrupts_a_handler(analysis, scene, &schedule) {
        schedule.clear();
    }
    (schedule, outcomes(analysis, scene.place))
}

/// Whether another context comes between two steps of one that nothing interrupts.
fn interrupts_a_handler(analysis: &Analysis, scene: &Scene, schedule: &[Step]) -> bool {
    let preempts = |kind| matches!(kind, ContextKind::Interrupt | ContextKind::SignalHandler);
    let handlers = scene.acts.iter().filter(|(context, _)| preempts(analysis.contexts.get(*context).kind));
    handlers.map(|(context, _)| (scene.thread)(*context)).any(|thread| {
        let of_it = |step: &Step| step.thread == thread;
        let (first, last) = (schedule.iter().position(of_it), schedule.iter().rposition(of_it));
        first.zip(last).is_some_and(|(first, last)| !schedule[first..=last].iter().all(of_it))
    })
}

/// The values that a place may end with, if everything that is done to it is known.
pub fn outcomes(analysis: &Analysis, place: PlaceId) -> Option<Outcomes> {
    let model = model::Model::new(analysis, place)?;
    let ordered = walk::results(&model, walk::Grain::Updates)?;
    let all = walk::results(&model, walk::Grain::Steps)?;
    let truth = model::is_truth(analysis, place);
    let lost: Vec<i128> = all.into_iter().filter(|n| !ordered.contains(n)).collect();
    if ordered.len() + lost.len() < 2 {
        return None;
    }
    let told = |results: Vec<i128>| results.into_iter().map(|n| shown(n, truth)).collect();
    Some(Outcomes { ordered: told(ordered), lost: told(lost) })
}

/// A number as a value of its type is written.
fn shown(number: i128, truth: bool) -> String {
    if truth { (number != 0).to_string() } else { number.to_string() }
}
