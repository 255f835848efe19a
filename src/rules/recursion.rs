//! Shares of a recursion: a function that starts itself on parts of its input touches other elements on each level.
//!
//! In: two accesses that nothing else keeps apart. Out: whether both touch, at indices that come from the recursion's own
//! arguments, elements of one array. Whether such ranges overlap can't be told; an index made of data that was read can't be
//! part of a division, and does count.

use super::Facts;
use super::pairs::Event;
use crate::interp::contexts::ContextId;
use crate::interp::places::{FrameId, Index, Proj};
use crate::resolve::FnId;

pub fn shares_of_recursion(facts: &Facts, a: Event, b: Event) -> bool {
    let places = &facts.analysis.places;
    let (one, two) = (places.path(a.access.place), places.path(b.access.place));
    let divided = |(x, y): (&Proj, &Proj)| match (x, y) {
        (Proj::Index(x), Proj::Index(y)) => ranged(a, *x) && ranged(b, *y),
        _ => false,
    };
    one.iter().zip(&two).any(divided) && levels_of_one(facts, a, b)
}

/// An index of which nobody knows more than that it isn't a number or made of data.
fn ranged(event: Event, index: Index) -> bool {
    match index {
        Index::Linear(..) | Index::Block(..) | Index::Portion(..) => true,
        Index::Any => event.access.through.iter().all(|read| read.is_elsewhere()),
        Index::Const(_) | Index::Key(_) | Index::Share(..) | Index::Span(..) | Index::Claimed(_) => false,
    }
}

/// Both are made in a function that one of the two contexts, or one above it, was started in.
fn levels_of_one(facts: &Facts, a: Event, b: Event) -> bool {
    let mut ours = functions(facts, a.access.frame);
    let theirs = functions(facts, b.access.frame);
    ours.retain(|function| theirs.contains(function));
    !ours.is_empty() && [a.context, b.context].iter().any(|context| started_by(facts, *context, &ours))
}

fn started_by(facts: &Facts, context: ContextId, functions_above: &[FnId]) -> bool {
    let contexts = &facts.analysis.contexts;
    contexts
        .ancestry(context)
        .filter_map(|at| contexts.get(at).started_in)
        .any(|frame| functions(facts, frame).iter().any(|function| functions_above.contains(function)))
}

/// The functions on the call path of a frame, within its context.
fn functions(facts: &Facts, frame: FrameId) -> Vec<FnId> {
    let frames = &facts.analysis.frames;
    frames.outward(frame).filter_map(|at| frames.get(at).function).collect()
}
