//! Iterators as values: where the elements come from, and the adaptors on the way. They run where the chain is consumed (`iterate`).
//!
//! Invariant: a chain says nothing of the loop that consumes it; one value may be consumed by several.

use super::places::PlaceId;
use super::units::Span;
use super::values::{Aggregate, Kind, Val};
use std::rc::Rc;

/// An iterator: where elements come from and the adaptors on the way, run when it is consumed.
#[derive(Clone, PartialEq, Debug)]
pub struct IterValue {
    /// One element, before the stages.
    pub source: Val,
    pub stages: Vec<Stage>,
    /// Each element is a message of one of these channels.
    pub channels: Vec<PlaceId>,
    /// They end where no message is there yet.
    pub ready: bool,
    /// The elements are the counter of a range or enumerate: becomes linear in the loop that consumes it.
    pub counter: bool,
    /// Of a range: its first number.
    pub first: Option<Kind>,
    /// Of a range: its end, exclusive.
    pub bound: Option<i128>,
    /// Of a range: its ends, if they are numbers that nobody knows.
    pub span: Span,
    /// Its closures run in many instances at once.
    pub parallel: bool,
    /// How many elements there are.
    pub rounds: Option<u32>,
    /// The elements one by one, where they are written down.
    pub listed: Option<Rc<Aggregate>>,
    /// Each of these belongs to one of the elements.
    pub apart: Rc<[PlaceId]>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Stage {
    pub kind: StageKind,
    pub closure: Option<Val>,
    /// What makes the state that it begins with.
    pub state: Option<Val>,
    pub at: crate::finding::Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StageKind {
    Map,
    /// Keeps some: closure gets a reference.
    Filter,
    FilterMap,
    FlatMap,
    Inspect,
    Enumerate,
    /// With another iterator's elements (its value is in `closure`).
    Zip,
    Chain,
    /// Leaves some out: what follows doesn't see every element.
    Partial,
    /// Every so many elements; closure is the number.
    Step,
    /// Dereferences elements (`cloned`, `copied`).
    Cloned,
    Flatten,
    /// Makes pairs of an unknown key and the element.
    Keyed,
    /// Keeps a pair's second part.
    Values,
    /// The closure gets a state and the element.
    Scan,
    /// The closure gets a state, the same that it gives, and the element; the state's maker comes first.
    Fold,
}
