//! Contexts: bodies of code that run concurrently with others.
//!
//! A context is identified by where it is started and the call path that leads there; contexts of one spawn site are
//! shown as one. Invariant: ids are given in the order of discovery, which is fixed.

use super::access::AccessLog;
use super::places::{FrameId, LoopId};
use super::values::Val;
use crate::finding::{ContextKind, Evidence, Location};
use crate::hir::ExprId;
use crate::resolve::FnId;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ContextId(pub u32);

/// What a context runs.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A function with arguments nobody knows.
    Fn(FnId),
    /// A callable value, called with these arguments.
    Value(Val, Vec<Val>),
}

#[derive(Clone, Debug)]
pub struct Context {
    pub kind: ContextKind,
    pub evidence: Evidence,
    pub name: String,
    /// The name is only that of the binding, or none: a better one may come.
    pub named: Naming,
    pub spawned_at: Location,
    pub parent: Option<ContextId>,
    pub entry: Entry,
    /// Several instances may run at once.
    pub many: bool,
    /// Loops round the spawn, outermost first, in the parent.
    pub loops: Vec<LoopId>,
    /// Nothing but those loops decides whether it is started.
    pub sure: bool,
    /// Contexts that its parent may have started when it starts this one.
    pub started_before: BTreeSet<ContextId>,
    /// Contexts that have surely ended when this one starts.
    pub joined_at_start: BTreeSet<ContextId>,
    /// Contexts that have surely ended when this one ends.
    pub joined_at_end: BTreeSet<ContextId>,
    /// What it returned, as others may see it.
    pub result: Option<Val>,
    /// Orders it may have released by its end.
    pub released_at_end: Vec<super::state::SyncKey>,
    /// Stores too weak to order that it may have done by its end.
    pub weakly_released_at_end: Vec<super::state::SyncKey>,
    /// Orders acquired before it was started hold for it too.
    pub acquired_at_start: Vec<super::state::SyncKey>,
    pub log: AccessLog,
    /// The reads that decided what was done here that has an effect of its own.
    pub acts: FxHashMap<Location, super::values::Deps>,
    /// Walked at least once.
    pub walked: bool,
    /// The walk was cut.
    pub cut: bool,
}

impl Context {
    /// Whether anything with an effect, other than stores at `but`, is decided by the read at `read`.
    pub fn acts_on(&self, read: Location, but: Location) -> bool {
        self.acts.iter().any(|(at, deps)| {
            *at != but
                && deps.iter().any(|id| self.log.events.get(id.0 as usize).is_some_and(|e| e.at == read))
        })
    }
}

/// Where a context's name comes from, best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Naming {
    Literal,
    Item,
    Binding,
    Callee,
    None,
}

#[derive(Default)]
pub struct Contexts {
    pub list: Vec<Context>,
    by_site: FxHashMap<(FrameId, ExprId, u32), ContextId>,
}

/// A group doesn't get more contexts than this; further spawns are counted as cut.
const MAX_CONTEXTS: usize = 400;

impl Contexts {
    pub fn get(&self, id: ContextId) -> &Context {
        &self.list[id.0 as usize]
    }

    pub fn get_mut(&mut self, id: ContextId) -> &mut Context {
        &mut self.list[id.0 as usize]
    }

    pub fn ids(&self) -> impl Iterator<Item = ContextId> + use<> {
        (0..self.list.len() as u32).map(ContextId)
    }

    /// The context started at this site of this call, if it is known already; `which` tells apart several started by one expression.
    pub fn at(&self, frame: FrameId, expr: ExprId, which: u32) -> Option<ContextId> {
        self.by_site.get(&(frame, expr, which)).copied()
    }

    pub fn add(&mut self, site: Option<(FrameId, ExprId, u32)>, context: Context) -> Option<ContextId> {
        if self.list.len() >= MAX_CONTEXTS {
            return None;
        }
        let id = ContextId(self.list.len() as u32);
        self.list.push(context);
        if let Some(site) = site {
            self.by_site.insert(site, id);
        }
        Some(id)
    }

    /// The context itself, its parent, and so on.
    pub fn ancestry(&self, id: ContextId) -> impl Iterator<Item = ContextId> + '_ {
        std::iter::successors(Some(id), |at| self.get(*at).parent)
    }
}
