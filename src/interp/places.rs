//! Places: what is shared. A place is a root and a path of projections, interned so that equality is one compare.
//!
//! In: roots and projections met by the walk. Out: `PlaceId`s with type, and the conflict relation of two places.
//! Invariant: a handle (`Arc`, `Box`, `&`) is no projection: its value *is* a pointer to another place. `Deref` occurs
//! only where the pointer's value isn't known.

use super::claims::ClaimId;
use super::listed::ListId;
use super::units::{Scale, UnitId};
use crate::hir::{ExprId, Name};
use crate::resolve::{LocalId, StaticId, Ty};
use rustc_hash::FxHashMap;

/// One call in one context: interned from its caller's frame and the call site, so that walking a context again
/// gives the same frames.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FrameId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct PlaceId(pub u32);

/// An abstract object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ObjId(pub u32);

/// A loop (or iterator drive) being walked: the frame it runs in and its expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LoopId {
    pub frame: FrameId,
    pub expr: ExprId,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Root {
    Static(StaticId),
    /// A thread-local static: one object a context.
    ThreadLocal(StaticId),
    Local(FrameId, LocalId),
    Object(ObjId),
    /// What the whole process has one of, by the models' name for it: the environment, an interpreter's lock.
    Process(Name),
}

/// An index, as far as it tells two accesses apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Index {
    Const(i128),
    /// A map's key that is written down: a text or letter in quotes, or a variant's name.
    Key(Name),
    /// `mul * i + add`, with `i` the counter of the loop.
    Linear(LoopId, i64, i64),
    /// A share of a slice that overlaps no other share made by the same call; `EACH_SHARE`: one each time.
    Share(LoopId, u32),
    /// Somewhere in `mul * i + add ..` of length `mul`, with `i` the counter of the loop.
    Block(LoopId, i64, i64),
    /// One of the numbers that a round of the loop has for itself.
    Portion(LoopId, Portion),
    /// Somewhere in this many elements from one on.
    Span(i64, i64),
    /// Computed from a number that an atomic gave out, and never gives out twice.
    Claimed(ClaimId),
    Any,
}

/// Which numbers a round has for itself, `i` being the counter of its loop.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Portion {
    /// `i + add + n * step`, for whatever `n`; the loop has no more than `step` rounds.
    Stride { step: i64, add: i64 },
    /// `i + add + n * by`, for whatever `n`; the loop's counter goes from zero to `by`.
    Steps { by: UnitId, add: i64 },
    /// Somewhere in the row of so many that begins at `(i + add + n * step) * width`, for whatever `n`.
    Rows { step: UnitId, add: i64, width: UnitId },
    /// At most `mul * i + add`; in the loop's last round any number.
    UpTo { mul: i64, add: i64 },
    /// `i + add`, scaled.
    Scaled { scale: Scale, add: i64 },
    /// Somewhere between `i + add` and the next number, both scaled; the latter excluded.
    Within { scale: Scale, add: i64 },
    /// At most `i + add`, scaled; in the loop's last round any number.
    UpToScaled { scale: Scale, add: i64 },
    /// What a written list has for the round; whether no two rounds have a number in common.
    Listed { list: ListId, apart: bool },
}

/// See `Index::Share`.
pub const EACH_SHARE: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Proj {
    Field(Name),
    Index(Index),
    /// What an unsafe cell (`UnsafeCell`, `Cell`, `RefCell`) holds.
    Cell,
    /// What a lock protects.
    Guarded,
    /// What a once-initialized cell holds.
    Once,
    /// What a pointer of unknown value points to.
    Deref,
}

#[derive(Clone, Debug)]
pub struct Place {
    pub root: Root,
    pub parent: Option<PlaceId>,
    /// Of the last step; `None` for a root.
    pub proj: Option<Proj>,
    pub ty: Ty,
}

#[derive(Default)]
pub struct Places {
    places: Vec<Place>,
    roots: FxHashMap<Root, PlaceId>,
    steps: FxHashMap<(PlaceId, Proj), PlaceId>,
}

/// Paths longer than this end in their own parent: `list.next.next.next…` stays bounded.
const MAX_DEPTH: usize = 12;

impl Places {
    pub fn get(&self, id: PlaceId) -> &Place {
        &self.places[id.0 as usize]
    }

    pub fn count(&self) -> usize {
        self.places.len()
    }

    pub fn root(&mut self, root: Root, ty: &Ty) -> PlaceId {
        if let Some(&id) = self.roots.get(&root) {
            let slot = &mut self.places[id.0 as usize].ty;
            if slot.is_unknown() && !ty.is_unknown() {
                *slot = ty.clone();
            }
            return id;
        }
        let id = self.push(Place { root, parent: None, proj: None, ty: ty.clone() });
        self.roots.insert(root, id);
        id
    }

    /// What a place's type is, if that wasn't known.
    pub fn declare(&mut self, id: PlaceId, ty: &Ty) {
        let slot = &mut self.places[id.0 as usize].ty;
        if slot.is_unknown() {
            *slot = ty.clone();
        }
    }

    /// The place one step below `parent`. `ty` is its type, as far as the caller knows it.
    pub fn step(&mut self, parent: PlaceId, proj: Proj, ty: &Ty) -> PlaceId {
        if let Some(&id) = self.steps.get(&(parent, proj)) {
            let slot = &mut self.places[id.0 as usize].ty;
            if slot.is_unknown() && !ty.is_unknown() {
                *slot = ty.clone();
            }
            return id;
        }
        if self.path(parent).len() >= MAX_DEPTH {
            return parent;
        }
        let root = self.get(parent).root;
        let id = self.push(Place { root, parent: Some(parent), proj: Some(proj), ty: ty.clone() });
        self.steps.insert((parent, proj), id);
        id
    }

    fn push(&mut self, place: Place) -> PlaceId {
        let id = PlaceId(self.places.len() as u32);
        self.places.push(place);
        id
    }

    /// Projections from the root on.
    pub fn path(&self, id: PlaceId) -> Vec<Proj> {
        let mut path = Vec::new();
        let mut at = id;
        while let (Some(parent), Some(proj)) = (self.get(at).parent, self.get(at).proj) {
            path.push(proj);
            at = parent;
        }
        path.reverse();
        path
    }

    /// The place itself and all it is part of, innermost first.
    pub fn ancestors(&self, id: PlaceId) -> impl Iterator<Item = PlaceId> + '_ {
        std::iter::successors(Some(id), |at| self.get(*at).parent)
    }

    /// Whether some step on the way is one that `wanted` accepts.
    pub fn passes(&self, id: PlaceId, wanted: impl Fn(Proj) -> bool) -> bool {
        self.ancestors(id).any(|at| self.get(at).proj.is_some_and(&wanted))
    }

    /// Whether two places differ in indices at most.
    pub fn same_but_index(&self, one: PlaceId, two: PlaceId) -> bool {
        let (first, second) = (self.path(one), self.path(two));
        let index = |step: &Proj| matches!(step, Proj::Index(_));
        one == two
            || (self.get(one).root == self.get(two).root
                && first.len() == second.len()
                && first.iter().zip(&second).all(|(a, b)| a == b || (index(a) && index(b))))
    }

    /// The steps from `ancestor` down to `id`, if `ancestor` is one.
    pub fn below(&self, ancestor: PlaceId, id: PlaceId) -> Option<Vec<Proj>> {
        let mut path = Vec::new();
        let mut at = id;
        while at != ancestor {
            path.push(self.get(at).proj?);
            at = self.get(at).parent?;
        }
        path.reverse();
        Some(path)
    }
}
