//! Handles of an object: types that promise to be `Send` though their clones share what is behind a pointer. Threads can't share
//! a handle, but each may have its own, and then they meet at the object.
//!
//! In: types, and what the library's public functions return. Out: which instances handed in by callers stand for several
//! handles. Invariant: a type whose clones were not seen to share has none.

use super::access::AccessEvent;
use super::auto_traits::{Auto, AutoTraits};
use super::places::{PlaceId, Proj};
use super::values::{Kind, Val};
use super::{Analysis, Interp};
use crate::finding::ContextKind;
use crate::hir::Tt;
use crate::models::{Role, Threads};
use crate::resolve::{AdtId, Ty};
use rustc_hash::FxHashSet;

/// A returned handle is looked for this deep.
const MAX_DEPTH: u32 = 3;

impl Interp<'_> {
    /// A promise makes the type `Send`, which what it points to wouldn't be.
    pub(super) fn is_sent_by_promise(&self, adt: AdtId) -> bool {
        let auto = AutoTraits { program: self.program, models: self.models };
        let promised = auto.impl_of(adt, Auto::Send).is_some_and(|id| {
            let promise = &self.program.impls[id.index()];
            promise.is_unsafe && !promise.negative
        });
        let mut fields = self.program.adts[adt.index()].variants.iter().flat_map(|variant| &variant.fields);
        promised && fields.any(|field| self.stays_behind(&field.ty))
    }

    /// A pointer that is neither owned nor for several threads.
    fn stays_behind(&self, ty: &Ty) -> bool {
        let counted = |path| self.models.threads(path) == Some(Threads::Never);
        match ty {
            Ty::Ptr { .. } => true,
            Ty::Ext(path, _) => match self.models.role(ty) {
                Role::Raw => true,
                Role::Counted => counted(*path),
                _ => false,
            },
            _ => false,
        }
    }

    /// Of the instances that callers don't share those of which the library gives them another handle.
    pub(super) fn handles_multiplied(&self) -> FxHashSet<PlaceId> {
        let mut found = FxHashSet::default();
        for &place in &self.unshared {
            if let Ty::Adt(adt, _) = &self.places.get(place).ty
                && self.is_sent_by_promise(*adt)
                && (self.clones_by_derive(*adt) || self.is_returned_anew(place, *adt))
            {
                found.insert(place);
            }
        }
        found
    }

    fn clones_by_derive(&self, adt: AdtId) -> bool {
        let clone = self.models.language.clone;
        let clone = clone.as_str().rsplit("::").next();
        self.program.adts[adt.index()].attrs.iter().any(|attr| {
            let derives = matches!(&attr.path[..], [only] if *only == "derive");
            let names = |tt: &Tt| matches!(tt, Tt::Ident(name, _) if Some(name.as_str()) == clone);
            derives && attr.tokens.iter().any(names)
        })
    }

    /// A public function gives a value of the type with a pointer to what the instance points to.
    fn is_returned_anew(&self, place: PlaceId, adt: AdtId) -> bool {
        let callers = self.contexts.list.iter().filter(|context| context.kind == ContextKind::Caller);
        callers
            .filter_map(|context| context.result.as_ref())
            .any(|result| self.leads_back(result, place, adt, 0))
    }

    fn leads_back(&self, value: &Val, place: PlaceId, adt: AdtId, depth: u32) -> bool {
        let own = matches!(&value.ty, Ty::Adt(id, _) if *id == adt);
        let beyond =
            |at: PlaceId| self.places.below(place, at).is_some_and(|path| path.contains(&Proj::Deref));
        value.alts.iter().any(|kind| match kind {
            Kind::Aggregate(parts) => parts.fields.iter().any(|(_, part)| {
                (own && part.pointers().any(|(at, _)| beyond(at)))
                    || (depth < MAX_DEPTH && self.leads_back(part, place, adt, depth + 1))
            }),
            _ => false,
        })
    }
}

impl Analysis {
    /// Whether two callers have handles of one object, and the access is to that.
    pub fn is_behind_handles(&self, access: &AccessEvent) -> bool {
        let root = self.places.ancestors(access.place).last();
        root.is_some_and(|root| self.multiplied.contains(&root))
            && self.places.passes(access.place, |step| step == Proj::Deref)
    }
}
