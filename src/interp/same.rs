//! Values that are the same whoever computes them: stored twice they are stored once.
//!
//! In: a value about to be stored, and what the choice of the place depends on. Out: what tells it from others, if it is made of
//! constants, of shared data and of that choice alone and has no identity of its own. Whether the shared data stays as it is, is
//! for the rules to say.

use super::Interp;
use super::access::{Made, Same};
use super::places::{Index, PlaceId, Proj, Root};
use super::values::{Constants, Deps, Kind, Pointer, ReadId, Val};
use crate::finding::AccessKind;
use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};

impl Interp<'_> {
    /// What tells a value from others, if it is the same whichever context computes it; `but`: what the choice of the place
    /// depends on.
    pub(super) fn same_everywhere(&self, value: &Val, but: &Deps) -> Option<Same> {
        if self.st.control.is_empty() && value.constant().is_none() {
            return None;
        }
        let mut hasher = FxHasher::default();
        let deps = value.all_deps();
        let within = deps.iter().filter(|read| self.is_within(*read, but));
        let but = within.fold(but.join(&self.ended_loops(&deps)), |all, read| all.join(&Deps::one(read)));
        let made = made(value);
        let constants = if made == Made::Constant { Constants::default() } else { deps.constants() };
        let of_place = but.constants();
        let found = self.found_in_memory(&deps);
        self.same_within(value, &but, found, &mut hasher).then(|| Same {
            hash: hasher.finish(),
            made,
            constants,
            of_place,
        })
    }

    /// Of what a value depends on the counters of loops that have ended by now: all rounds went into it.
    fn ended_loops(&self, deps: &Deps) -> Deps {
        let ended = |read: &ReadId| {
            let counted = self.wholes_of(*read).find_map(|whole| self.counters.get(&whole));
            counted.is_some_and(|at| {
                !self.loops.contains(at) && self.frames.get(at.frame).context == self.context
            })
        };
        deps.iter().filter(ended).collect()
    }

    /// Whether it comes of reads of memory that is one for all: a counter that was left there is but what the place holds.
    pub(super) fn found_in_memory(&self, deps: &Deps) -> bool {
        let log = &self.contexts.get(self.context).log.events;
        let common = |read: ReadId| {
            log.get(read.0 as usize).is_some_and(|event| {
                let of_a_round = match self.places.get(event.place).root {
                    Root::Object(object) => !self.objects.list[object.0 as usize].loops.is_empty(),
                    _ => false,
                };
                event.kind == AccessKind::Read && !of_a_round && !self.places.passes(event.place, is_own_part)
            })
        };
        let mut reads = deps.iter().filter(|read| !read.is_elsewhere()).peekable();
        reads.peek().is_some() && reads.all(common)
    }

    fn same_within(&self, value: &Val, but: &Deps, found: bool, hasher: &mut FxHasher) -> bool {
        value.open.hash(hasher);
        let own = |read: ReadId| read.is_elsewhere() && !but.contains(read);
        !value.deps.iter().any(own)
            && value.alts.iter().all(|kind| match kind {
                Kind::Const(constant) => {
                    constant.hash(hasher);
                    true
                }
                Kind::Aggregate(aggregate) => {
                    aggregate.variant.hash(hasher);
                    aggregate.fields.iter().all(|(proj, field)| {
                        let state = matches!(proj, Proj::Guarded | Proj::Cell | Proj::Once);
                        !state && self.same_within(field, but, found, hasher)
                    })
                }
                Kind::Pointer(_, Pointer::Owner | Pointer::Shared) => true,
                Kind::Pointer(place, Pointer::Raw) => self.is_same_address(*place, but),
                Kind::Pointer(..) => false,
                Kind::Fn(..) | Kind::Model(_) | Kind::Constructor(..) => true,
                Kind::Loaded(..)
                | Kind::Difference { .. }
                | Kind::Test(_)
                | Kind::Bit(..)
                | Kind::Moved
                | Kind::Unit(_) => true,
                Kind::Linear(at, ..) | Kind::Block(at, ..) | Kind::Portion(at, _) => {
                    // What the place is chosen by too, is a function of the place.
                    found || but.iter().any(|read| self.counters.get(&read) == Some(at))
                }
                Kind::Claimed(_)
                | Kind::CountedDown(..)
                | Kind::BitsSet { .. }
                | Kind::Closure(_)
                | Kind::Guard(_)
                | Kind::Handle(_)
                | Kind::Iter(_)
                | Kind::Scope(_)
                | Kind::Future(_) => false,
            })
    }

    /// A static's address, or one that was looked up: a function that nobody knows may make a new object whenever it is asked.
    fn is_same_address(&self, place: PlaceId, but: &Deps) -> bool {
        let made_here = |read: ReadId| {
            read.is_elsewhere() && (!but.contains(read) || self.unknown_results.contains_key(&read))
        };
        let fixed = |at: &PlaceId| match self.places.get(*at).proj {
            Some(Proj::Index(index)) => matches!(index, Index::Const(_)),
            step => step != Some(Proj::Deref),
        };
        let Some(base) = self.places.ancestors(place).find(|at| !fixed(at)) else {
            return matches!(self.places.get(place).root, Root::Static(_));
        };
        let base = self.places.get(base);
        let holder = base.parent.filter(|_| base.proj == Some(Proj::Deref));
        let held = holder.and_then(|holder| self.held_at(holder));
        held.is_some_and(|held| !held.all_deps().iter().any(made_here))
    }

    /// What is held at a place of the context's own, if it is known.
    fn held_at(&self, place: PlaceId) -> Option<Val> {
        let root = self.places.get(place).root;
        let Root::Local(frame, local) = root else { return None };
        let held = self.st.local(frame, local).or_else(|| self.heap.get(root))?;
        let path = self.places.path(place).into_iter();
        Some(path.fold(held.clone(), |value, step| super::memory::project(&value, step)))
    }
}

/// An element that others may not mean by the same index.
fn is_own_part(step: Proj) -> bool {
    matches!(step, Proj::Index(Index::Linear(..) | Index::Share(..) | Index::Block(..) | Index::Claimed(_)))
}

fn made(value: &Val) -> Made {
    match is_constant(value) {
        true if value.alts.len() > 1 => Made::Chosen,
        true => Made::Constant,
        false => Made::Computed,
    }
}

fn is_constant(value: &Val) -> bool {
    !value.open
        && value.alts.iter().all(|kind| match kind {
            Kind::Const(_) => true,
            Kind::Aggregate(aggregate) => aggregate.fields.iter().all(|(_, field)| is_constant(field)),
            _ => false,
        })
}
