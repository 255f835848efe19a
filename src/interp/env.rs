//! The locals of the calls under way.
//!
//! In: calls as they are entered and left, what locals are given, paths that meet. Out: what a local holds. Copies share what
//! neither has changed since: a branch costs what it changes. Invariant: each call stands on the one that made it.

use super::places::FrameId;
use super::values::{Deps, Val};
use crate::resolve::LocalId;
use std::rc::Rc;

/// What locals hold is known this deep where paths meet.
const MAX_NESTING: u32 = 8;

/// The locals of one call.
#[derive(Clone, Debug)]
pub struct FrameEnv {
    pub id: FrameId,
    pub locals: Vec<(LocalId, Val)>,
}

impl FrameEnv {
    pub fn get(&self, local: LocalId) -> Option<&Val> {
        self.locals.iter().find(|(l, _)| *l == local).map(|(_, v)| v)
    }

    fn set(&mut self, local: LocalId, value: Val) {
        match self.locals.iter_mut().find(|(l, _)| *l == local) {
            Some(slot) => slot.1 = value,
            None => self.locals.push((local, value)),
        }
    }
}

/// A call and those that it was made in.
#[derive(Clone, Debug)]
struct Level {
    env: Rc<FrameEnv>,
    outer: Option<Rc<Level>>,
    depth: u32,
}

/// The calls under way, innermost first.
#[derive(Clone, Debug, Default)]
pub struct Frames(Option<Rc<Level>>);

impl Frames {
    /// `locals`: so many of its own, about.
    pub fn enter(&mut self, id: FrameId, locals: usize) {
        const MOST: usize = 16;
        let depth = self.depth() + 1;
        let env = Rc::new(FrameEnv { id, locals: Vec::with_capacity(locals.min(MOST)) });
        self.0 = Some(Rc::new(Level { env, outer: self.0.take(), depth }));
    }

    /// Leaves a call, and all that were made in it.
    pub fn leave(&mut self, id: FrameId) {
        let outer = self.levels().find(|level| level.env.id == id).map(|level| level.outer.clone());
        if let Some(outer) = outer {
            self.0 = outer;
        }
    }

    fn depth(&self) -> u32 {
        self.0.as_ref().map_or(0, |level| level.depth)
    }

    fn levels(&self) -> impl Iterator<Item = &Level> {
        std::iter::successors(self.0.as_deref(), |level| level.outer.as_deref())
    }

    pub fn iter(&self) -> impl Iterator<Item = &FrameEnv> {
        self.levels().map(|level| &*level.env)
    }

    pub fn get(&self, frame: FrameId, local: LocalId) -> Option<&Val> {
        self.iter().find(|env| env.id == frame)?.get(local)
    }

    pub fn has(&self, frame: FrameId) -> bool {
        self.iter().any(|env| env.id == frame)
    }

    pub fn set(&mut self, frame: FrameId, local: LocalId, value: Val) {
        if !self.has(frame) {
            return;
        }
        let mut at = &mut self.0;
        while let Some(level) = at {
            let level = Rc::make_mut(level);
            if level.env.id == frame {
                return Rc::make_mut(&mut level.env).set(local, value);
            }
            at = &mut level.outer;
        }
    }

    /// Merges what locals hold on another path; what differs depends on these reads.
    pub fn join(&mut self, other: &Frames, deps: &Deps) {
        let depth = self.depth().min(other.depth());
        while self.depth() > depth {
            self.0 = self.0.take().and_then(|level| level.outer.clone());
        }
        let mut theirs = other.levels().find(|level| level.depth == depth);
        let mut mine = &mut self.0;
        while let (Some(level), Some(met)) = (mine, theirs) {
            if std::ptr::eq(&**level, met) {
                break;
            }
            let level = Rc::make_mut(level);
            join_locals(&mut level.env, &met.env, deps);
            mine = &mut level.outer;
            theirs = met.outer.as_deref();
        }
    }

    /// Equal as far as another round of a loop could tell.
    pub fn same_as(&self, other: &Frames) -> bool {
        if self.depth() != other.depth() {
            return false;
        }
        for (mine, theirs) in self.levels().zip(other.levels()) {
            if std::ptr::eq(mine, theirs) {
                break;
            }
            if !Rc::ptr_eq(&mine.env, &theirs.env) && mine.env.locals != theirs.env.locals {
                return false;
            }
        }
        true
    }
}

fn join_locals(mine: &mut Rc<FrameEnv>, theirs: &Rc<FrameEnv>, deps: &Deps) {
    if Rc::ptr_eq(mine, theirs) {
        return;
    }
    for (n, (local, value)) in theirs.locals.iter().enumerate() {
        // Mostly the two have the same locals in the same order.
        let at = match mine.locals.get(n) {
            Some((own, _)) if own == local => Some(n),
            _ => mine.locals.iter().position(|(own, _)| own == local),
        };
        match at {
            Some(at) if mine.locals[at].1 == *value => {}
            Some(at) => {
                let slot = &mut Rc::make_mut(mine).locals[at].1;
                *slot = slot.join(value).with_deps(deps);
                slot.bound_depth(MAX_NESTING);
            }
            None => Rc::make_mut(mine).locals.push((*local, value.clone())),
        }
    }
}
