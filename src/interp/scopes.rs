//! Scopes and drops: how long guards and other values live. (Rust Reference, "Destructors" and "Temporary scopes".)
//!
//! A scope owns locals; leaving it drops them in reverse. A *temporary scope* owns what was materialized while a
//! statement, condition, guard, operand or match arm was evaluated.

use super::access::Door;
use super::memory::{AccessInfo, Lval};
use super::places::{FrameId, PlaceId, Proj, Root};
use super::state::{SyncKey, SyncKind};
use super::values::{Kind, Pointer, Val};
use super::{Cx, Interp};
use crate::finding::AccessKind;
use crate::hir::{ExprId, TextRange};
use crate::models::Role;
use crate::resolve::{LocalId, Ty};
use smallvec::SmallVec;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScopeKind {
    /// A block: owns its `let`s and the temporaries extended to it.
    Block,
    /// Owns the temporaries of what is evaluated in it.
    Temporaries,
    /// A condition with `let`s: both.
    Condition,
}

#[derive(Clone, Debug)]
pub struct Scope {
    pub kind: ScopeKind,
    pub frame: FrameId,
    pub owned: SmallVec<[LocalId; 4]>,
}

/// Temporaries are locals numbered by their expression, above this.
const FIRST_TEMPORARY: u32 = 0x8000_0000;

pub fn temporary(expr: ExprId) -> LocalId {
    LocalId(FIRST_TEMPORARY | expr.0)
}

/// Values nested deeper than this aren't searched for something to drop.
const MAX_DROP_DEPTH: u32 = 6;

impl Interp<'_> {
    /// Runs `inside` in a scope of its own and drops what the scope owns at its end.
    pub(super) fn scoped<R>(&mut self, cx: &Cx, kind: ScopeKind, inside: impl FnOnce(&mut Self) -> R) -> R {
        self.scopes.push(Scope { kind, frame: cx.frame, owned: SmallVec::new() });
        let result = inside(self);
        self.leave_scope(cx);
        result
    }

    fn leave_scope(&mut self, cx: &Cx) {
        if let Some(scope) = self.scopes.last()
            && self.st.reachable
            && !scope.owned.is_empty()
        {
            let scope = scope.clone();
            self.drop_owned(cx, &scope);
        }
        self.scopes.pop();
    }

    fn drop_owned(&mut self, cx: &Cx, scope: &Scope) {
        for &local in scope.owned.iter().rev() {
            self.drop_local(cx, scope.frame, local);
        }
    }

    /// Drops what the scopes above `depth` own, without leaving them: on the way of a `break`, `return` or `?`.
    pub(super) fn unwind(&mut self, cx: &Cx, depth: usize) {
        for at in (depth..self.scopes.len()).rev() {
            if !self.scopes[at].owned.is_empty() {
                let scope = self.scopes[at].clone();
                self.drop_owned(cx, &scope);
            }
        }
    }

    /// Makes a local belong to the innermost block.
    pub(super) fn own_local(&mut self, frame: FrameId, local: LocalId) {
        if let Some(scope) =
            self.scopes.iter_mut().rev().find(|s| s.kind != ScopeKind::Temporaries && s.frame == frame)
            && !scope.owned.contains(&local)
        {
            scope.owned.push(local);
        }
    }

    /// Gives a value without a place one: a temporary, dropped with the innermost temporary scope (or block, if it is extended).
    pub(super) fn materialize(&mut self, cx: &Cx, expr: ExprId, value: Val) -> Lval {
        let local = temporary(expr);
        let ty = value.ty.clone();
        let deps = value.deps.clone();
        let droppable = self.needs_drop(&value);
        self.st.set_local(cx.frame, local, value);
        let place = self.places.root(Root::Local(cx.frame, local), &ty);
        if droppable {
            let extended = self.extended.contains(&(cx.frame, expr));
            let kind = if extended { ScopeKind::Block } else { ScopeKind::Temporaries };
            let scope = self
                .scopes
                .iter_mut()
                .rev()
                .find(|s| s.frame == cx.frame && (s.kind == kind || s.kind == ScopeKind::Condition));
            if let Some(scope) = scope
                && !scope.owned.contains(&local)
            {
                scope.owned.push(local);
            }
        }
        let mut lval = Lval::one(place, ty);
        lval.deps = deps;
        lval
    }

    pub(super) fn drop_local(&mut self, cx: &Cx, frame: FrameId, local: LocalId) {
        let Some(value) = self.st.local(frame, local).cloned() else { return };
        if self.needs_drop(&value) {
            if let Some(info) = cx.body.locals.get(local.0 as usize) {
                self.log_free(cx, &value, info.range);
            }
            let place = self.places.root(Root::Local(frame, local), &value.ty);
            self.drop_at(cx, place, value, 0);
        }
        self.st.set_local(frame, local, Val::moved());
    }

    /// Ends a value that has no place any more.
    pub(super) fn drop_value(&mut self, cx: &Cx, expr: ExprId, value: Val) {
        if !self.needs_drop(&value) {
            return;
        }
        self.log_free(cx, &value, cx.body.body.expr(expr).range);
        let local = temporary(expr);
        self.st.set_local(cx.frame, local, value.clone());
        let place = self.places.root(Root::Local(cx.frame, local), &value.ty);
        self.drop_at(cx, place, value, 0);
        self.st.set_local(cx.frame, local, Val::moved());
    }

    /// Whether ending the value does something that matters, as far as a bounded search sees.
    pub(super) fn needs_drop(&self, value: &Val) -> bool {
        const FUEL: u32 = 64;
        self.finds_drop(value, &mut FUEL.clone())
    }

    fn finds_drop(&self, value: &Val, fuel: &mut u32) -> bool {
        let Some(left) = fuel.checked_sub(1) else { return false };
        *fuel = left;
        if let Ty::Adt(id, _) = &value.ty
            && self.program.drop_impl(*id).is_some()
        {
            return !matches!(value.alts[..], [Kind::Moved]);
        }
        if !self.freed_by(value).is_empty() {
            return true;
        }
        if self.models.keeps_open(&value.ty) {
            return value.pointers().next().is_some();
        }
        value.alts.iter().any(|kind| match kind {
            Kind::Guard(guard) => !guard.manual,
            Kind::Aggregate(aggregate) => {
                aggregate.fields.iter().any(|(_, field)| self.finds_drop(field, fuel))
            }
            Kind::Closure(closure) => closure.moved.iter().any(|(_, v)| self.finds_drop(v, fuel)),
            Kind::Pointer(place, Pointer::Owner) => self.owned_needs_drop(*place, fuel),
            _ => false,
        })
    }

    /// The memory that ends with a box made from a raw pointer, or from what was taken out of an atomic: others may still
    /// know where it was.
    fn freed_by(&self, value: &Val) -> SmallVec<[(PlaceId, Door); 1]> {
        if self.models.role(&value.ty) != Role::Owner {
            return SmallVec::new();
        }
        let freed = |kind: &Kind| match kind {
            Kind::Pointer(place, Pointer::Raw) => Some((*place, Door::Raw)),
            Kind::Pointer(place, Pointer::Owner) if self.published.contains_key(place) => {
                Some((*place, Door::Safe))
            }
            _ => None,
        };
        let whole = |(place, _): &(PlaceId, Door)| self.places.get(*place).parent.is_none();
        value.alts.iter().filter_map(freed).filter(whole).collect()
    }

    fn owned_needs_drop(&self, place: PlaceId, fuel: &mut u32) -> bool {
        let found = self.places.get(place);
        if let Ty::Adt(id, _) = &found.ty
            && self.program.drop_impl(*id).is_some()
        {
            return true;
        }
        match (found.parent, self.heap.get(found.root)) {
            (None, Some(value)) => self.finds_drop(value, fuel),
            _ => false,
        }
    }

    /// What decides the way here, or that there is something to free, is an acquiring exchange on the object itself: it told that
    /// nobody else has it.
    fn counted_out(&self, place: PlaceId, value: &Val) -> bool {
        let log = &self.contexts.get(self.context).log.events;
        let deciding = self.st.control.iter().chain(value.deps.iter());
        deciding.filter_map(|id| log.get(id.0 as usize)).any(|event| {
            event.kind == AccessKind::Update
                && event.atomic.is_some_and(super::order::acquires)
                && self.places.get(event.place).root == self.places.get(place).root
        })
    }

    /// Freeing memory is a write of all of it.
    fn log_free(&mut self, cx: &Cx, value: &Val, range: TextRange) {
        for (place, door) in self.freed_by(value) {
            if !self.counted_out(place, value) {
                let info = AccessInfo::plain(AccessKind::Write, range);
                self.log_through(cx, place, door, &info, &value.deps);
            }
        }
    }

    fn drop_at(&mut self, cx: &Cx, place: PlaceId, value: Val, depth: u32) {
        if depth > MAX_DROP_DEPTH || !self.st.reachable {
            return;
        }
        let mut value = value;
        if let Ty::Adt(id, _) = &value.ty
            && let Some(drop) = self.program.drop_impl(*id)
            && !matches!(value.alts[..], [Kind::Moved])
        {
            let ty = Ty::reference(true, value.ty.clone());
            let this = Val::pointer(place, Pointer::Exclusive, ty);
            self.call_drop(cx, drop, &value.ty, this);
            value = self.value_at(place);
        }
        if self.models.keeps_open(&value.ty) {
            return self.hang_up(&value);
        }
        for kind in value.alts.clone() {
            match kind {
                Kind::Guard(guard) if !guard.pending && !guard.manual => {
                    self.st.locks.retain(|hold| hold.lock != guard.lock || !hold.id.meets(guard.hold));
                }
                Kind::Aggregate(aggregate) => {
                    for (proj, field) in aggregate.fields.clone() {
                        if self.needs_drop(&field) {
                            let at = self.places.step(place, proj, &field.ty);
                            self.drop_at(cx, at, field, depth + 1);
                        }
                    }
                }
                Kind::Closure(closure) => {
                    for (_, captured) in &closure.moved {
                        if self.needs_drop(captured) {
                            self.drop_at(cx, place, captured.clone(), depth + 1);
                        }
                    }
                }
                Kind::Pointer(target, Pointer::Owner) => {
                    let content = self.value_at(target);
                    if self.needs_drop(&content) {
                        self.drop_at(cx, target, content, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }

    /// The sending end of a channel is dropped. What may have been dropped or sent away before says nothing.
    fn hang_up(&mut self, end: &Val) {
        if end.open || end.alts.iter().any(|kind| !matches!(kind, Kind::Pointer(..))) {
            return;
        }
        for place in self.channel_of(end) {
            self.pass_on(SyncKey { place, kind: SyncKind::HungUp });
        }
    }

    /// Marks what a place held as moved away, where that matters for drops.
    pub(super) fn move_out(&mut self, lval: &Lval, value: &Val) {
        if lval.door == Door::Raw || !self.needs_drop(value) {
            return;
        }
        let [place] = lval.places[..] else { return };
        if let Root::Local(frame, _) = self.places.get(place).root
            && self.st.has_frame(frame)
            && !self.places.path(place).contains(&Proj::Deref)
        {
            self.store_at(place, Val::moved(), true);
        }
    }
}
