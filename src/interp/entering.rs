//! Which functions of the program a call enters: those that may touch what is shared, be it by what they are given.
//!
//! In: a function and its arguments. Out: whether its result can be told without walking its body.

use super::Interp;
use super::places::{Proj, Root};
use super::values::{Kind, Pointer, Val};
use crate::resolve::{FnId, Ty};

/// A returned address is looked for this deep.
const MAX_ADDRESS_DEPTH: u32 = 3;

impl Interp<'_> {
    /// Whether the function leaves alone all that matters: a function of its arguments.
    pub(super) fn leaves_alone(&self, id: FnId, ret: &Ty, this: Option<&Val>, args: &[Val]) -> bool {
        let unchecked = self.relevance.derefs_raw(self.program, id);
        let all = || this.into_iter().chain(args);
        !self.relevance.walks(self.program, self.models, id)
            && !all().any(|arg| self.carries(arg) || (unchecked && self.reaches_shared(arg)))
            && !self.takes_address(&self.program.sig(id).params, ret, this, args)
            && !self.tells_apart(id, ret, all())
    }

    /// Whether a value lets the callee touch something that matters.
    fn carries(&self, value: &Val) -> bool {
        self.carries_within(value, &mut 64)
    }

    /// The same, looking at no more than `left` values.
    fn carries_within(&self, value: &Val, left: &mut u32) -> bool {
        if *left == 0 {
            return false;
        }
        *left -= 1;
        value.alts.iter().any(|kind| match kind {
            Kind::Pointer(place, Pointer::Raw) => match self.places.get(*place).root {
                Root::Local(frame, local) => self.shared_locals.contains(&(frame, local)),
                Root::Static(_) | Root::ThreadLocal(_) | Root::Object(_) | Root::Process(_) => true,
            },
            Kind::Pointer(place, _) if self.relevance.holds_cell(&self.places.get(*place).ty) => true,
            Kind::Pointer(place, _) => match self.places.get(*place).root {
                Root::Static(_) => true,
                Root::Local(frame, local) => {
                    self.st.local(frame, local).is_some_and(|v| self.carries_within(v, left))
                }
                root => self.heap.get(root).is_some_and(|v| self.carries_within(v, left)),
            },
            Kind::Aggregate(aggregate) => {
                aggregate.fields.iter().any(|(p, f)| *p == Proj::Cell || self.carries_within(f, left))
            }
            Kind::Closure(_)
            | Kind::Fn(..)
            | Kind::Guard(_)
            | Kind::Handle(_)
            | Kind::Iter(_)
            | Kind::Scope(_)
            | Kind::Future(_) => true,
            _ => false,
        })
    }

    /// Whether a value points to a place that others can reach.
    fn reaches_shared(&self, value: &Val) -> bool {
        value.pointers().any(|(place, _)| match self.places.get(place).root {
            Root::Static(_) | Root::Object(_) | Root::Process(_) => true,
            Root::Local(frame, local) => {
                self.shared_locals.contains(&(frame, local))
                    || self.st.local(frame, local).is_some_and(|v| {
                        v.pointers().any(|(p, _)| !matches!(self.places.get(p).root, Root::Local(..)))
                    })
            }
            Root::ThreadLocal(_) => false,
        })
    }

    /// Whether a number that comes back may be an argument's address: a raw pointer is among them, or a reference that
    /// may be written through.
    fn takes_address(&self, params: &[Ty], ret: &Ty, this: Option<&Val>, args: &[Val]) -> bool {
        let pointer = |how, declared| {
            declared
                || how == Pointer::Raw
                || (how == Pointer::Exclusive && self.holds_address(ret, MAX_ADDRESS_DEPTH))
        };
        let may = |arg: &Val, declared: bool| arg.pointers().any(|(_, how)| pointer(how, declared));
        let is_ptr = |n: usize| matches!(params.get(n), Some(Ty::Ptr { .. }));
        this.is_some_and(|this| may(this, false))
            || args.iter().enumerate().any(|(n, arg)| may(arg, is_ptr(n)))
    }

    /// A number as large as an address, also in a part.
    fn holds_address(&self, ty: &Ty, depth: u32) -> bool {
        let Some(within) = depth.checked_sub(1) else { return false };
        match ty {
            Ty::Prim(name) => *name == "usize",
            Ty::Tuple(parts) => parts.iter().any(|part| self.holds_address(part, within)),
            Ty::Array(inner) => self.holds_address(inner, within),
            Ty::Adt(id, _) => {
                let variants = &self.program.adts[id.index()].variants;
                variants.iter().flat_map(|v| &v.fields).any(|field| self.holds_address(&field.ty, within))
            }
            _ => false,
        }
    }
}
