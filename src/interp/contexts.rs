//! Contexts: bodies of code that run concurrently with others.
//!
//! A context is identified by where it is started and the call path that leads there; contexts of one spawn site are
//! shown as one. Invariant: ids are given in the order of discovery, which is fixed.

use super::Cx;
use super::access::AccessLog;
use super::acts::Acts;
use super::phases::Phases;
use super::places::{FrameId, LoopId, PlaceId};
use super::state::SyncKey;
use super::values::{IterValue, Mode, Val};
use crate::finding::{ContextKind, Evidence, Location};
use crate::hir::ExprId;
use crate::resolve::FnId;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ContextId(pub u32);

/// What a context runs.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// A function with arguments nobody knows.
    Fn(FnId),
    /// A callable value, called with these arguments.
    Value(Val, Vec<Val>),
    /// A chain of iterator adaptors on one element.
    Chain(Rc<Chain>),
}

/// What a context of a parallel iterator runs: the closures of a chain up to one that the accesses are of.
#[derive(Clone, PartialEq, Debug)]
pub struct Chain {
    pub site: Site,
    pub iter: IterValue,
    /// The stage whose closure it is.
    pub last: usize,
}

/// Where a chain is consumed.
#[derive(Clone)]
pub struct Site {
    pub cx: Cx,
    pub expr: ExprId,
}

impl PartialEq for Site {
    fn eq(&self, other: &Site) -> bool {
        self.cx.frame == other.cx.frame && self.expr == other.expr
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {:?}", self.expr, self.cx.frame)
    }
}

impl Entry {
    /// What it runs when it was started with `other`, too.
    pub fn joined(&self, other: Entry) -> Entry {
        match (self, other) {
            (Entry::Value(value, args), Entry::Value(other, more)) => {
                let args = args.iter().zip(&more).map(|(a, b)| a.join(b)).collect();
                Entry::Value(value.join(&other), args)
            }
            (_, other) => other,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Context {
    pub kind: ContextKind,
    pub evidence: Evidence,
    pub name: String,
    /// The name is only that of the binding, or none: a better one may come.
    pub named: Naming,
    pub spawned_at: Location,
    /// Which of the contexts that one call starts.
    pub branch: u32,
    pub parent: Option<ContextId>,
    /// The call, of its parent, that starts it.
    pub started_in: Option<FrameId>,
    pub entry: Entry,
    /// Several instances may run at once.
    pub many: bool,
    /// Loops round the spawn, outermost first, in the parent.
    pub loops: Vec<LoopId>,
    /// Those of them that are entered again while instances of an earlier time may run.
    pub entered_again: BTreeSet<LoopId>,
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
    pub released_at_end: BTreeMap<SyncKey, u8>,
    /// For each order that it releases, what it has acquired whenever it does.
    pub passes_on: BTreeMap<SyncKey, BTreeSet<SyncKey>>,
    /// How often it sends to each channel without having received from it since the last time.
    pub minted: BTreeMap<PlaceId, u32>,
    /// Stores too weak to order that it may have done by its end.
    pub weakly_released_at_end: Vec<SyncKey>,
    /// Orders acquired before it was started hold for it too.
    pub acquired_at_start: Vec<SyncKey>,
    /// Phases of barriers that it may see.
    pub phases_at_start: BTreeMap<PlaceId, Phases>,
    /// Locks held from the beginning: exclusion that nobody takes.
    pub holds: Vec<(PlaceId, Mode)>,
    /// The single-threaded executor that it runs on, held but where it waits.
    pub executor: Option<PlaceId>,
    pub log: AccessLog,
    /// What it did that has an effect of its own.
    pub acts: Acts,
    /// Walked at least once.
    pub walked: bool,
    /// The walk was cut.
    pub cut: bool,
    /// What was walked stands for more of the kind that it starts, too.
    pub starts_more: bool,
}

impl Context {
    /// One that nothing started, with nothing known but what it runs.
    pub fn new(kind: ContextKind, name: String, spawned_at: Location, entry: Entry) -> Context {
        Context {
            kind,
            evidence: Evidence::Declared,
            name,
            named: Naming::Item,
            spawned_at,
            branch: 0,
            parent: None,
            started_in: None,
            entry,
            many: false,
            loops: Vec::new(),
            entered_again: BTreeSet::new(),
            sure: true,
            started_before: BTreeSet::new(),
            joined_at_start: BTreeSet::new(),
            joined_at_end: BTreeSet::new(),
            result: None,
            released_at_end: BTreeMap::new(),
            passes_on: BTreeMap::new(),
            minted: BTreeMap::new(),
            weakly_released_at_end: Vec::new(),
            acquired_at_start: Vec::new(),
            phases_at_start: BTreeMap::new(),
            holds: Vec::new(),
            executor: None,
            log: AccessLog::default(),
            acts: Acts::default(),
            walked: false,
            cut: false,
            starts_more: false,
        }
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
