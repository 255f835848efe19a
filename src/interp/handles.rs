//! Handles of an object: types that promise to be `Send` though their clones share what is behind a pointer. Threads can't share
//! a handle, but each may have its own, and then they meet at the object.
//!
//! In: types, and what the library's public functions return: clones that share, or several handles at once. Out: which instances
//! handed in by callers stand for several handles. Invariant: a type that was not seen to have several for one object has none.

use super::access::AccessEvent;
use super::auto_traits::{Auto, AutoTraits};
use super::contexts::{Context, Entry};
use super::places::{PlaceId, Proj, Root};
use super::values::{Kind, Val};
use super::{Analysis, Interp, Made};
use crate::finding::ContextKind;
use crate::hir::Tt;
use crate::models::{Models, Role, Threads};
use crate::resolve::{AdtId, Program, Ty};
use rustc_hash::FxHashSet;

/// A returned handle is looked for this deep.
const MAX_DEPTH: u32 = 3;

/// A promise makes the type `Send`, which what it points to wouldn't be.
pub(super) fn is_sent_by_promise(program: &Program, models: &Models, adt: AdtId) -> bool {
    let auto = AutoTraits { program, models };
    let promised = auto.impl_of(adt, Auto::Send).is_some_and(|id| {
        let promise = &program.impls[id.index()];
        promise.is_unsafe && !promise.negative
    });
    let mut fields = program.adts[adt.index()].variants.iter().flat_map(|variant| &variant.fields);
    promised && fields.any(|field| stays_behind(models, &field.ty))
}

/// The same, of a type whose values threads can't share: what is given exclusively is a handle, not what it leads to.
pub(super) fn is_only_sent(program: &Program, models: &Models, adt: AdtId) -> bool {
    let auto = AutoTraits { program, models };
    let shared = auto.impl_of(adt, Auto::Sync).is_some_and(|id| !program.impls[id.index()].negative);
    is_sent_by_promise(program, models, adt) && !shared
}

/// A caller's context that takes its own handle exclusively: of what is behind it that says nothing.
pub fn takes_handle(program: &Program, context: &Context) -> bool {
    let exclusive = |id| matches!(program.sig(id).self_ty, Some(Ty::Ref { mutable: true, .. }));
    context.kind == ContextKind::Caller && matches!(context.entry, Entry::Fn(id) if exclusive(id))
}

/// A pointer that is neither owned nor for several threads.
fn stays_behind(models: &Models, ty: &Ty) -> bool {
    let counted = |path| models.threads(path) == Some(Threads::Never);
    match ty {
        Ty::Ptr { .. } => true,
        Ty::Ext(path, _) => match models.role(ty) {
            Role::Raw => true,
            Role::Counted => counted(*path),
            _ => false,
        },
        _ => false,
    }
}

impl Interp<'_> {
    /// What is put into a handle that a caller has for itself, the handles of others don't lead to.
    pub(super) fn keeps_for_itself(&self, root: Root) -> bool {
        let ambient = matches!(root, Root::Object(id) if self.objects.list[id.0 as usize].made == Made::Once);
        ambient && takes_handle(self.program, self.contexts.get(self.context))
    }

    /// Of the instances that callers don't share those of which the library gives them another handle.
    pub(super) fn handles_multiplied(&self) -> FxHashSet<PlaceId> {
        let mut found = FxHashSet::default();
        for &place in &self.unshared {
            if let Ty::Adt(adt, _) = &self.places.get(place).ty
                && is_sent_by_promise(self.program, self.models, *adt)
                && (self.clones_by_derive(*adt)
                    || self.is_returned_anew(place, *adt)
                    || self.is_returned_twice(*adt))
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

    /// A public function gives two values of the type with pointers to one object.
    fn is_returned_twice(&self, adt: AdtId) -> bool {
        let callers = self.contexts.list.iter().filter(|context| context.kind == ContextKind::Caller);
        callers.filter_map(|context| context.result.as_ref()).any(|result| {
            let mut pointees = Vec::new();
            self.pointees_of_handles(result, adt, 0, &mut pointees);
            let one = |at: &PlaceId| match self.places.get(*at).root {
                Root::Object(object) => self.objects.list[object.0 as usize].loops.is_empty(),
                _ => false,
            };
            pointees.iter().enumerate().any(|(n, at)| one(at) && pointees[..n].contains(at))
        })
    }

    /// What each value of the type in a larger one points to, once.
    fn pointees_of_handles(&self, value: &Val, adt: AdtId, depth: u32, found: &mut Vec<PlaceId>) {
        let own = matches!(&value.ty, Ty::Adt(id, _) if *id == adt);
        for kind in &value.alts {
            let Kind::Aggregate(parts) = kind else { continue };
            for (_, part) in &parts.fields {
                if own {
                    found.extend(part.pointers().map(|(at, _)| at));
                } else if depth < MAX_DEPTH {
                    self.pointees_of_handles(part, adt, depth + 1, found);
                }
            }
        }
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
