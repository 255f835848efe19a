//! Coercions: what becomes of a value where one of another type is declared. (Reference: "Type coercions".)
//!
//! In: a value and the type that is wanted. Out: the value as that type; where nothing is known, the value as it is.

use super::places::PlaceId;
use super::places_of::MAX_DEREFS;
use super::values::{Kind, Pointer, Val};
use super::{Cx, Interp};
use crate::hir::{ExprId, ExprKind, Type, UnaryOp};
use crate::models::Role;
use crate::resolve::Ty;

impl Interp<'_> {
    /// A value where one of a declared type is wanted.
    pub(super) fn coerced(&mut self, cx: &Cx, site: ExprId, value: Val, declared: &Ty) -> Val {
        let value = self.as_declared(value, declared);
        self.dereferenced(cx, site, value, declared)
    }

    /// Deref coercion of a reference to a handle, where what it points to is wanted.
    fn dereferenced(&mut self, cx: &Cx, site: ExprId, value: Val, wanted: &Ty) -> Val {
        let Ty::Ref { mutable, inner: wanted } = wanted else { return value };
        let mut value = value;
        for _ in 0..MAX_DEREFS {
            let Ty::Ref { inner, .. } = &value.ty else { break };
            let handle = matches!(self.models.role(inner), Role::Counted | Role::Owner);
            let plain = matches!(**wanted, Ty::Adt(..) | Ty::Prim(_) | Ty::Array(_) | Ty::Slice(_));
            let Some((_, how)) = value.pointers().next().filter(|_| handle && plain) else { break };
            let at = self.deref_value(cx, &value, site);
            let handle = self.peek(&at);
            if handle.pointers().next().is_none() {
                break;
            }
            let content = self.deref_value(cx, &handle, site);
            let how = if *mutable { how } else { Pointer::Shared };
            value = self.pointer_to(&content, how).with_deps(&value.deps);
        }
        value
    }

    /// Deref coercion of a reference to a guard, where what it guards is wanted.
    pub(super) fn unguarded(&mut self, cx: &Cx, id: ExprId, value: Val, wanted: &Ty) -> Val {
        let to_guard = value.pointers().all(|(place, _)| {
            let ty = &self.places.get(place).ty;
            self.models.role(ty) == Role::Guard
        });
        let Some((_, how)) = value.pointers().next().filter(|_| to_guard) else { return value };
        if matches!(self.models.role(wanted), Role::Guard) {
            return value;
        }
        let guard = self.deref_value(cx, &value, id);
        match self.try_deref(cx, &guard, id, false) {
            Some(data) => self.pointer_to(&data, how).with_deps(&value.deps),
            None => value,
        }
    }

    /// What a declared type makes of a value: a reference becomes a raw pointer, a pointer to one of several types a trait object.
    pub(super) fn as_declared(&self, value: Val, declared: &Ty) -> Val {
        if value.alts.len() > 1 && self.is_object(declared) {
            let pointees: Vec<PlaceId> = value.pointers().map(|(place, _)| place).collect();
            if self.differ_in_type(&pointees) {
                return Val { ty: declared.clone(), ..value };
            }
        }
        let raw = matches!(declared, Ty::Ptr { .. });
        // What was taken out of an atomic is raw already, and goes on belonging to its taker.
        let becomes_raw = |how: Pointer| !matches!(how, Pointer::Raw | Pointer::Owner);
        if !raw || !value.alts.iter().any(|k| matches!(k, Kind::Pointer(_, how) if becomes_raw(*how))) {
            return value;
        }
        let mut value = value;
        for kind in &mut value.alts {
            if let Kind::Pointer(_, how) = kind
                && becomes_raw(*how)
            {
                *how = Pointer::Raw;
            }
        }
        value.ty = declared.clone();
        value
    }

    /// A pointer cast to `*const _`, or a reference made of one: the type wanted of it says what it points to.
    pub(super) fn is_cast_to_inferred(&self, cx: &Cx, expr: ExprId) -> bool {
        match &cx.body.body.expr(expr).kind {
            ExprKind::Cast { ty: Type::Ptr { inner, .. }, .. } => **inner == Type::Infer,
            ExprKind::Borrow { operand, .. } | ExprKind::Unary { op: UnaryOp::Deref, operand } => {
                self.is_cast_to_inferred(cx, *operand)
            }
            ExprKind::Block(block) => block.tail.is_some_and(|tail| self.is_cast_to_inferred(cx, tail)),
            _ => false,
        }
    }

    fn is_object(&self, ty: &Ty) -> bool {
        self.pointer_ty(ty).is_some_and(|(_, inner)| matches!(inner, Ty::Dyn(_)))
    }

    pub(super) fn differ_in_type(&self, places: &[PlaceId]) -> bool {
        let mut types = places.iter().map(|place| &self.places.get(*place).ty);
        let first = types.next();
        types.any(|ty| Some(ty) != first)
    }
}
