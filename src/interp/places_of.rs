//! Place expressions: which memory a path, field, index or dereference means.
//!
//! In: an expression in place position. Out: an `Lval`, the places it may mean; what has to be read to get there is logged.

use super::access::Door;
use super::expr::field;
use super::memory::{AccessInfo, Lval};
use super::places::{Proj, Root};
use super::values::{Kind, Pointer, Val};
use super::{Cx, Interp};
use crate::finding::AccessKind;
use crate::hir::{ExprId, ExprKind, MacroArgsKind, Name, UnaryOp};
use crate::models::Role;
use crate::resolve::{LocalId, Res, StaticId, Ty};

/// Deref steps one expression may take: `Deref` impls could go round.
pub(super) const MAX_DEREFS: usize = 12;

impl Interp<'_> {
    /// The frame that owns a local: the closure's own, or one it captured from.
    pub(super) fn frame_of(&self, cx: &Cx, local: LocalId) -> super::places::FrameId {
        let mut frame = cx.frame;
        while self.st.local(frame, local).is_none() {
            match &self.frames.get(frame).captures {
                Some((outer, info)) if !info.bound.contains(&local) => frame = *outer,
                _ => break,
            }
        }
        frame
    }

    /// The place an expression denotes; a value without one is put into a temporary. `mutable`: which of `Deref`,
    /// `DerefMut` and `Index`, `IndexMut` user code is entered.
    pub(super) fn lval(&mut self, cx: &Cx, id: ExprId, mutable: bool) -> Lval {
        if !self.step() {
            return Lval::nowhere(Ty::Never);
        }
        match &cx.body.body.expr(id).kind {
            ExprKind::Path(path) => match cx.body.path(path.id) {
                &Res::Local(local) => {
                    let frame = self.frame_of(cx, local);
                    let ty = self.st.local(frame, local).map_or(Ty::Unknown, |v| v.ty.clone());
                    let place = self.places.root(Root::Local(frame, local), &ty);
                    let ty = if ty.is_unknown() { self.places.get(place).ty.clone() } else { ty };
                    Lval::one(place, ty)
                }
                Res::Static(id) => self.static_lval(*id),
                res => {
                    let value = self.path_value(cx, res);
                    self.materialize(cx, id, value)
                }
            },
            ExprKind::Field { base, name, .. } => self.field_lval(cx, *base, *name, mutable),
            ExprKind::Index { base, index } => self.index_lval(cx, id, *base, *index, mutable),
            ExprKind::Unary { op: UnaryOp::Deref, operand } => {
                let operand = *operand;
                if self.is_place(cx, operand) {
                    let inner = self.lval(cx, operand, mutable);
                    self.deref(cx, &inner, operand, mutable)
                } else {
                    let value = self.eval(cx, operand);
                    if value.alts.iter().any(|k| matches!(k, Kind::Pointer(..))) {
                        return self.deref_value(cx, &value, operand);
                    }
                    let temp = self.materialize(cx, operand, value);
                    self.deref(cx, &temp, operand, mutable)
                }
            }
            ExprKind::MacroArgs { kind: MacroArgsKind::Pass, args, .. } if args.len() == 1 => {
                self.lval(cx, args[0], mutable)
            }
            _ => {
                let value = self.eval(cx, id);
                self.materialize(cx, id, value)
            }
        }
    }

    pub(super) fn is_place(&self, cx: &Cx, id: ExprId) -> bool {
        match &cx.body.body.expr(id).kind {
            ExprKind::Path(path) => matches!(cx.body.path(path.id), Res::Local(_) | Res::Static(_)),
            ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Unary { op: UnaryOp::Deref, .. } => {
                true
            }
            _ => false,
        }
    }

    pub(super) fn static_lval(&mut self, id: StaticId) -> Lval {
        let def = &self.program.statics[id.index()];
        let ty = def.ty.clone();
        let root = match def.item.storage {
            crate::hir::StaticKind::ThreadLocal => Root::ThreadLocal(id),
            _ => Root::Static(id),
        };
        let lazy = def.item.storage == crate::hir::StaticKind::Lazy;
        let place = self.places.root(root, &ty);
        if lazy {
            self.initialize_lazy(place, id);
        }
        Lval::one(place, ty)
    }

    pub(super) fn field_lval(&mut self, cx: &Cx, base: ExprId, name: Name, mutable: bool) -> Lval {
        let mut lval = self.lval(cx, base, mutable);
        for _ in 0..MAX_DEREFS {
            if self.has_field(&lval, name) {
                break;
            }
            match self.try_deref(cx, &lval, base, mutable) {
                Some(next) => lval = next,
                None => break,
            }
        }
        self.step_lval(&lval, Proj::Field(name))
    }

    pub(super) fn has_field(&mut self, lval: &Lval, name: Name) -> bool {
        match &lval.ty {
            Ty::Adt(adt, args) => {
                let count = self.program.adts[adt.index()].variants.len() as u32;
                (0..count).any(|v| self.program.field_ty(*adt, args, v, name).is_some())
                    || self.user_deref(&lval.ty, false).is_none()
            }
            Ty::Tuple(_) => true,
            Ty::Ref { .. } | Ty::Ptr { .. } => false,
            Ty::Ext(..) => {
                let value = self.peek(lval);
                value
                    .alts
                    .iter()
                    .any(|k| matches!(k, Kind::Aggregate(a) if a.field(Proj::Field(name)).is_some()))
            }
            _ => {
                let value = self.peek(lval);
                !value.alts.iter().any(|k| matches!(k, Kind::Pointer(..) | Kind::Guard(_)))
            }
        }
    }

    /// One projection below a place expression.
    pub(super) fn step_lval(&mut self, lval: &Lval, proj: Proj) -> Lval {
        let ty = self.part_ty(&lval.ty, proj);
        let mut part = lval.part(&mut self.places, proj, ty);
        if part.ty.is_unknown()
            && let Some(&place) = part.places.first()
        {
            part.ty = self.places.get(place).ty.clone();
            if part.ty.is_unknown() {
                part.ty = self.value_at(place).ty;
            }
        }
        part
    }

    pub(super) fn index_lval(
        &mut self,
        cx: &Cx,
        id: ExprId,
        base: ExprId,
        index: ExprId,
        mutable: bool,
    ) -> Lval {
        let mut lval = self.lval(cx, base, mutable);
        let index_value = self.eval(cx, index);
        for _ in 0..MAX_DEREFS {
            let known = matches!(lval.ty, Ty::Array(_) | Ty::Slice(_))
                || self.models.role(&lval.ty) == Role::Collection;
            if known {
                break;
            }
            if let Some(result) = self.user_index(cx, id, &lval, &index_value, mutable) {
                return self.deref_value(cx, &result, id);
            }
            match self.try_deref(cx, &lval, base, mutable) {
                Some(next) => lval = next,
                None => break,
            }
        }
        if matches!(index_value.ty, Ty::Ext(..)) && !lval.ty.is_unknown() {
            // A range: some part of the same elements.
            let mut part = self.own_part(&lval, &index_value).unwrap_or_else(|| lval.clone());
            part.deps = part.deps.join(&index_value.all_deps());
            return part;
        }
        let index = self.index_at(&index_value);
        let mut element = self.step_lval(&lval, Proj::Index(index));
        element.deps = element.deps.join(&index_value.deps).join(&self.own_numbers(&index_value));
        element
    }

    /// The elements in a range that is a context's own.
    fn own_part(&mut self, array: &Lval, range: &Val) -> Option<Lval> {
        let Some(Kind::Aggregate(range)) = range.single() else { return None };
        let own = super::portions::own_block(range).or_else(|| self.listed_range(range));
        let own = own.map(|block| Val::of(block, Ty::Unknown));
        let numbers = own.or_else(|| self.claimed_range(range))?;
        let block = Proj::Index(self.index_at(&numbers));
        let ty = Ty::Slice(self.part_ty(&array.ty, block).into());
        let places = array.places.iter().map(|place| self.places.step(*place, block, &ty)).collect();
        Some(Lval { places, ty, ..array.clone() })
    }

    /// What the value at a place points to; the place itself where it isn't a pointer.
    pub(super) fn deref(&mut self, cx: &Cx, lval: &Lval, expr: ExprId, mutable: bool) -> Lval {
        self.try_deref(cx, lval, expr, mutable).unwrap_or_else(|| lval.clone())
    }

    /// One step of autoderef, if the type has one.
    pub(super) fn try_deref(&mut self, cx: &Cx, lval: &Lval, expr: ExprId, mutable: bool) -> Option<Lval> {
        let value = self.peek(lval);
        let pointed = value.alts.iter().any(|k| matches!(k, Kind::Pointer(..) | Kind::Guard(_)));
        if pointed && !matches!(lval.ty, Ty::Adt(..)) && !self.wraps_a_library_type(&lval.ty) {
            let range = cx.body.body.expr(expr).range;
            let deps = self.log_lval(cx, lval, &AccessInfo::plain(AccessKind::Read, range));
            if !self.st.locks.is_empty() && lval.places.iter().any(|place| self.is_guarded(*place)) {
                self.obtain(&value);
            }
            return Some(self.deref_value(cx, &value.with_deps(&deps), expr));
        }
        if value.alts.iter().any(|k| matches!(k, Kind::Const(_)))
            && let Ty::Ref { inner, .. } = &lval.ty
        {
            // A literal seen through its reference.
            return Some(Lval { ty: (**inner).clone(), ..lval.clone() });
        }
        match &lval.ty {
            Ty::Adt(..) => {
                let method = self.user_deref(&lval.ty, mutable)?;
                let how = if mutable { Pointer::Exclusive } else { Pointer::Shared };
                let this = self.pointer_to(lval, how);
                let result = self.call_fn(cx, expr, method.id, method.subst, Some(this), Vec::new());
                Some(self.deref_value(cx, &result, expr))
            }
            Ty::Ext(..) => match self.models.role(&lval.ty) {
                Role::Lazy => {
                    for place in lval.places.clone() {
                        self.force_lazy(cx, expr, place);
                    }
                    Some(self.step_lval(lval, Proj::Once))
                }
                Role::Transparent => {
                    let mut inner = lval.clone();
                    inner.ty = self.part_ty(&lval.ty, Proj::Cell);
                    (inner.ty != lval.ty).then_some(inner)
                }
                Role::Guard => Some(self.step_lval(lval, Proj::Deref)),
                // A wrapper: what it derefs to is its one field.
                Role::Plain if self.models.target_ty(&lval.ty).is_some() && self.is_wrapper(lval) => {
                    Some(self.step_lval(lval, field(0)))
                }
                // Collected into a box: the elements are where the box is.
                Role::Owner | Role::Counted if value.alts.iter().any(|k| matches!(k, Kind::Aggregate(_))) => {
                    let inner = self.pointer_ty(&lval.ty).map_or(Ty::Unknown, |(_, inner)| inner);
                    (inner != lval.ty).then(|| Lval { ty: inner, ..lval.clone() })
                }
                _ => None,
            },
            Ty::Ref { .. } | Ty::Ptr { .. } => Some(self.step_lval(lval, Proj::Deref)),
            _ => None,
        }
    }

    /// The same place as a value of a library's type: what that does with a pointer is for its own functions to say.
    fn wraps_a_library_type(&self, ty: &Ty) -> bool {
        let transparent = matches!(ty, Ty::Ext(..)) && self.models.role(ty) == Role::Transparent;
        transparent
            && matches!(self.part_ty(ty, Proj::Cell), inner @ Ty::Ext(..) if self.models.role(&inner) == Role::Plain)
    }

    pub(super) fn is_wrapper(&mut self, lval: &Lval) -> bool {
        let value = self.peek(lval);
        value.alts.iter().any(|k| matches!(k, Kind::Aggregate(a) if a.field(field(0)).is_some()))
    }

    pub(super) fn user_deref(&self, ty: &Ty, mutable: bool) -> Option<crate::resolve::Method> {
        let name = if mutable { "deref_mut" } else { "deref" };
        let found = self.program.methods(ty, Name::new(name)).into_iter().next();
        match found {
            None if mutable => self.user_deref(ty, false),
            found => found,
        }
    }

    pub(super) fn user_index(
        &mut self,
        cx: &Cx,
        expr: ExprId,
        lval: &Lval,
        index: &Val,
        mutable: bool,
    ) -> Option<Val> {
        if !matches!(lval.ty, Ty::Adt(..)) {
            return None;
        }
        let names = if mutable { ["index_mut", "index"] } else { ["index", "index"] };
        let method =
            names.iter().find_map(|n| self.program.methods(&lval.ty, Name::new(n)).into_iter().next())?;
        let this = self.pointer_to(lval, if mutable { Pointer::Exclusive } else { Pointer::Shared });
        Some(self.call_fn(cx, expr, method.id, method.subst, Some(this), vec![index.clone()]))
    }

    /// The places a pointer or guard value leads to.
    pub(super) fn deref_value(&mut self, _cx: &Cx, value: &Val, _expr: ExprId) -> Lval {
        let inner = self.pointer_ty(&value.ty).map_or(Ty::Unknown, |(_, inner)| inner);
        let mut lval = Lval::nowhere(inner);
        lval.deps = value.deps.clone();
        for kind in &value.alts {
            match kind {
                Kind::Pointer(place, how) => {
                    if !lval.places.contains(place) {
                        lval.places.push(*place);
                    }
                    if *how == Pointer::Raw {
                        lval.door = Door::Raw;
                    }
                }
                Kind::Guard(guard) if lval.places.contains(&guard.data) => {}
                Kind::Guard(guard) => lval.places.push(guard.data),
                _ => {}
            }
        }
        if let Some(&place) = lval.places.first() {
            let known = &self.places.get(place).ty;
            let vague =
                matches!(lval.ty, Ty::Unknown | Ty::Dyn(_) | Ty::Param(_) | Ty::Assoc(..) | Ty::Slice(_));
            let open = matches!(lval.ty, Ty::Dyn(_)) && self.differ_in_type(&lval.places);
            if vague && !open && !known.is_unknown() {
                lval.ty = known.clone();
            }
        }
        lval
    }
}
