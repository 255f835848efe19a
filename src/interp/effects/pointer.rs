//! Effects on pointers into arrays: the first element, an offset, a slice or a span of a length; and to what each context has one of.
//!
//! In: pointers and the evaluated counts. Out: pointers to elements, as exact as `Index` can say: a pointer to element `k` moved by
//! `n` points to element `k + n`. What can't be told is "some element" of the same array.

use super::*;
use crate::hir::BinaryOp;
use crate::interp::places::{LoopId, Portion, Root};
use crate::interp::units::Scale;
use crate::interp::{CalleeKey, Frame};

impl Interp<'_> {
    pub(super) fn array_op(&mut self, call: &mut Call, name: OpName, mut values: Vec<Val>) -> Val {
        if values.is_empty() {
            return Val::unknown(call.ret.clone());
        }
        let pointer = values.remove(0);
        let count = values.pop();
        let mut result = Val { alts: Default::default(), ..pointer.clone() };
        for kind in &pointer.alts {
            result.alts.push(match kind {
                Kind::Pointer(place, how) => {
                    let to = match name {
                        OpName::First => self.first_of(*place),
                        OpName::Offset => self.moved_by(*place, count.as_ref()),
                        OpName::Span => self.span_from(*place, count.as_ref()),
                        _ => self.block_from(*place, count.as_ref()),
                    };
                    Kind::Pointer(to, *how)
                }
                other => other.clone(),
            });
        }
        if let Some(count) = &count {
            result.deps = result.deps.join(&count.deps);
        }
        if !call.ret.is_unknown() {
            result.ty = call.ret.clone();
        }
        result
    }

    /// Reads how many elements there are: nothing for an array, whose type says it.
    pub(super) fn size_of(&mut self, call: &mut Call, pointer: &Val) -> Val {
        let lval = self.target(call, pointer);
        if let Some(between) = self.length_of_range(call, &lval) {
            return between;
        }
        let mut deps = lval.deps.clone();
        if !matches!(lval.ty, Ty::Array(_) | Ty::Slice(_)) {
            let header = self.step_lval(&lval, Proj::Field(Name::new("len")));
            let info = self.info(call, AccessKind::Read);
            deps = deps.join(&self.log_lval(call.cx, &header, &info));
        }
        if let [place] = lval.places[..]
            && matches!(self.places.get(place).root, Root::Local(..))
        {
            deps = deps.join(&self.value_at(place).deps);
        }
        let asked = call.ret == Ty::Prim(Name::new("bool"));
        match self.empty_behind_lock(&lval.places).filter(|_| asked) {
            Some(told) => Val::of(told, Ty::Unknown).with_deps(&deps),
            None => self.number_of_call(call.cx, call.id, Val::unknown(Ty::Unknown)).with_deps(&deps),
        }
    }

    /// How much more the end of a range is than its start.
    fn length_of_range(&mut self, call: &Call, range: &Lval) -> Option<Val> {
        let held = self.peek(range);
        let Some(Kind::Aggregate(ends)) = held.single() else { return None };
        let bound = |name| ends.field(Proj::Field(Name::new(name))).cloned();
        let (start, end) =
            bound("start").zip(bound("end")).filter(|_| self.models.role(&held.ty) == Role::Iterator)?;
        let info = self.info(call, AccessKind::Read);
        let deps = self.log_lval(call.cx, range, &info);
        Some(self.binary(BinaryOp::Sub, &end, &start).with_deps(&deps))
    }

    /// Of a thread-local that nobody saw declared, the context has an object of its own.
    pub(super) fn own_of(&mut self, call: &mut Call, pointer: Val) -> Val {
        let lval = self.target(call, &pointer);
        let mut own = Val { alts: Default::default(), ..pointer };
        for &place in &lval.places {
            let known = matches!(self.places.get(place).root, Root::ThreadLocal(_));
            let place = if known { place } else { self.own_object(call, place) };
            own.alts.push(Kind::Pointer(place, Pointer::Shared));
        }
        own
    }

    fn own_object(&mut self, call: &Call, of: PlaceId) -> PlaceId {
        let context = self.context;
        let key = (Err(context), ExprId(u32::MAX), CalleeKey::Body);
        let frame = self.intern_frame(key, |depth| Frame {
            context,
            parent: None,
            called_at: None,
            function: None,
            captures: None,
            depth,
        });
        let site = call.cx.location(call.cx.body.body.expr(call.id).range);
        let object = self.object_at((frame, ExprId(of.0), 0), site);
        let ty = self.places.get(of).ty.clone();
        self.places.root(Root::Object(object), &ty)
    }

    pub(in crate::interp) fn first_of(&mut self, place: PlaceId) -> PlaceId {
        if !self.is_array(place) {
            return place;
        }
        let ty = self.array_element(place);
        self.places.step(place, Proj::Index(Index::Const(0)), &ty)
    }

    fn moved_by(&mut self, place: PlaceId, count: Option<&Val>) -> PlaceId {
        let at = self.places.get(place);
        if let (Some(array), Some(Proj::Index(from))) = (at.parent, at.proj) {
            let ty = at.ty.clone();
            let to = count.map_or(Index::Any, |count| self.index_sum(from, count));
            return self.places.step(array, Proj::Index(to), &ty);
        }
        if !self.is_array(place) {
            return place;
        }
        let ty = self.array_element(place);
        let index = count.map_or(Index::Any, |count| self.index_at(count));
        self.places.step(place, Proj::Index(index), &ty)
    }

    /// The elements from the one pointed to on: the whole array from its first, a context's own block, or some element.
    fn block_from(&mut self, place: PlaceId, count: Option<&Val>) -> PlaceId {
        let at = self.places.get(place);
        let (Some(array), Some(Proj::Index(from))) = (at.parent, at.proj) else { return place };
        let ty = at.ty.clone();
        let len = match count.and_then(Val::constant) {
            Some(Const::Int(n)) => Some(*n),
            _ => None,
        };
        let block = match (from, len) {
            (Index::Const(first), Some(len)) if span(first, len).is_some() => {
                span(first, len).unwrap_or(Index::Any)
            }
            (Index::Claimed(claim), _) => {
                count.and_then(|count| self.claim_extended(claim, count, true)).unwrap_or(Index::Any)
            }
            (Index::Const(0), _) => return array,
            (Index::Portion(own, portion @ Portion::Listed { .. }), _) => {
                self.listed_block(own, portion, count)
            }
            (Index::Linear(own, mul, add), Some(len)) if len <= i128::from(mul) => {
                Index::Block(own, mul, add)
            }
            (Index::Portion(own, Portion::Scaled { scale, add }), _) if scale_is(scale, count) => {
                Index::Portion(own, Portion::Within { scale, add })
            }
            (_, Some(1)) => from,
            _ => Index::Any,
        };
        self.places.step(array, Proj::Index(block), &Ty::Slice(ty.into()))
    }

    /// The elements from the one pointed to on, where their number is known: a context's own, or such that those of different
    /// rounds overlap.
    fn span_from(&mut self, place: PlaceId, count: Option<&Val>) -> PlaceId {
        let at = self.places.get(place);
        let (Some(array), Some(Proj::Index(from))) = (at.parent, at.proj) else { return place };
        let ty = at.ty.clone();
        let Some(count) = count else { return place };
        let index = match (from, count.constant()) {
            (Index::Claimed(claim), _) => self.claim_extended(claim, count, true).unwrap_or(from),
            (Index::Portion(own, portion @ Portion::Listed { .. }), _) => {
                self.listed_block(own, portion, Some(count))
            }
            (Index::Linear(own, mul, add), Some(Const::Int(len @ 2..))) => {
                let apart = *len <= i128::from(mul).abs();
                if apart { Index::Block(own, mul, add) } else { Index::Any }
            }
            _ => return place,
        };
        self.places.step(array, Proj::Index(index), &ty)
    }

    /// So many elements from one on that a written list has for the round.
    fn listed_block(&mut self, own: LoopId, from: Portion, count: Option<&Val>) -> Index {
        let count = count.and_then(Val::single);
        match count.and_then(|count| self.listed_from(&Kind::Portion(own, from), count)) {
            Some(Kind::Portion(own, block)) if block.is_own() => Index::Portion(own, block),
            _ => Index::Any,
        }
    }

    fn index_sum(&mut self, from: Index, by: &Val) -> Index {
        let base = match from {
            Index::Const(0) => return self.index_at(by),
            Index::Claimed(claim) => return self.claim_extended(claim, by, false).unwrap_or(Index::Any),
            Index::Const(n) => Kind::Const(Const::Int(n)),
            Index::Linear(own, mul, add) => Kind::Linear(own, mul, add),
            Index::Portion(own, portion) => Kind::Portion(own, portion),
            Index::Key(_) | Index::Block(..) | Index::Span(..) | Index::Share(..) | Index::Any => {
                let still = matches!(by.constant(), Some(Const::Int(0)));
                return if still { from } else { Index::Any };
            }
        };
        let sum = self.binary(BinaryOp::Add, &Val::of(base, Ty::Unknown), by);
        self.index_at(&sum)
    }

    /// An array, slice or collection; also memory of which nobody knows what is in it.
    fn is_array(&self, place: PlaceId) -> bool {
        match &self.places.get(place).ty {
            Ty::Array(_) | Ty::Slice(_) | Ty::Unknown => true,
            ty => self.models.role(ty) == Role::Collection,
        }
    }

    fn array_element(&self, place: PlaceId) -> Ty {
        match &self.places.get(place).ty {
            Ty::Array(inner) | Ty::Slice(inner) => (**inner).clone(),
            Ty::Ext(_, args) => args.last().cloned().unwrap_or(Ty::Unknown),
            _ => Ty::Unknown,
        }
    }
}

/// Whether the number is what the scale multiplies by.
fn scale_is(scale: Scale, count: Option<&Val>) -> bool {
    matches!(count.and_then(Val::single), Some(Kind::Unit(unit)) if scale.is_by(*unit))
}

fn span(first: i128, len: i128) -> Option<Index> {
    Some(Index::Span(i64::try_from(first).ok()?, i64::try_from(len).ok()?))
}
