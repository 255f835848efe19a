//! What the variant of a result tells who sees it: what a success has proved to have been done by others, and what a
//! failure leaves. (For `true` and `false` see `remembered`, for locks `grants`.)
//!
//! In: an enum value, and what its success or failure says. Out: the same value with that beside the payload; where a
//! pattern, `unwrap` or `?` sees the variant, the state learns it. Invariant: what a variant tells is of the moment it was
//! looked at, so it never gets into memory that others share.

use super::places::{PlaceId, Proj};
use super::remembered::{Learned, telling, told_by};
use super::state::{SyncKey, SyncKind};
use super::values::{Aggregate, Kind, Val};
use super::{Analysis, Interp};
use crate::hir::Name;
use crate::resolve::Ty;
use std::rc::Rc;
use std::sync::LazyLock;

/// Where a variant keeps what it tells: a field past all that code can name.
static TOLD: LazyLock<Proj> = LazyLock::new(|| super::expr::field((1 << 16) - 1));
/// What the place of a collection says as a flag: that something is in it.
const FILLED: i128 = 1 << 41;

pub(super) fn told_at() -> Proj {
    *TOLD
}

/// The variant without what it tells.
pub(super) fn untold(aggregate: &Aggregate) -> impl Iterator<Item = &(Proj, Val)> {
    let told = aggregate.variant.map(|_| told_at());
    aggregate.fields.iter().filter(move |(proj, _)| Some(*proj) != told)
}

/// Whether two alternatives are one, whatever they tell.
pub(super) fn looks_like(one: &Kind, two: &Kind) -> bool {
    match (one, two) {
        (Kind::Aggregate(one), Kind::Aggregate(two)) => {
            one.variant == two.variant && untold(one).eq(untold(two))
        }
        _ => one == two,
    }
}

/// What a plain value behind a lock says as a flag: constants as they are, variants by their name whatever they hold, collections
/// by whether something is in them.
pub(super) fn state_value(value: &Val) -> Option<i128> {
    match value.single()? {
        Kind::Aggregate(aggregate) => match aggregate.variant {
            Some(variant) => Some(variant_value(variant)),
            None => aggregate.fields.iter().any(|(proj, _)| matches!(proj, Proj::Index(_))).then_some(FILLED),
        },
        // A pointer is set where it isn't null.
        Kind::Pointer(..) => Some(1),
        _ => super::effects::flag_value(value),
    }
}

/// A variant as a flag's value: by its name.
pub(super) fn variant_value(variant: Name) -> i128 {
    let hash = |seed: i128, byte: u8| (seed * 257 + i128::from(byte)) % (1 << 61);
    variant.as_str().bytes().fold(1 << 40, hash)
}

/// A once-cell has been set.
pub(super) fn set_key(cell: PlaceId) -> SyncKey {
    SyncKey { place: cell, kind: SyncKind::Flag(1) }
}

impl Analysis {
    /// Whether a place may have the value without that anybody stored it.
    pub(super) fn begins_with(&self, place: PlaceId, value: i128) -> bool {
        match value {
            FILLED => match self.held_first(place).as_ref().map(|held| &held.alts[..]) {
                Some([Kind::Aggregate(held)]) => !held.fields.is_empty(),
                _ => true,
            },
            _ => value == self.initial_flag(place),
        }
    }
}

impl Interp<'_> {
    /// The result of an exchange: if it fails these objects stay with their context, and it found something else; if not it found what
    /// it expected.
    pub(super) fn exchange_result(
        &self,
        result: Val,
        own: Vec<PlaceId>,
        found: Option<SyncKey>,
        failed: Option<SyncKey>,
    ) -> Val {
        let tells = !own.is_empty() || failed.is_some();
        let failure =
            tells.then(|| Learned::refused(own).and(&Learned::acquired(failed.into_iter().collect())));
        let success = found.map(|key| Learned::acquired(vec![key]));
        self.telling(result, success.as_ref(), failure.as_ref())
    }

    /// An enum value whose variants tell something, once they are seen.
    pub(super) fn telling(
        &self,
        mut value: Val,
        success: Option<&Learned>,
        failure: Option<&Learned>,
    ) -> Val {
        for kind in &mut value.alts {
            let Kind::Aggregate(aggregate) = kind else { continue };
            let Some(variant) = aggregate.variant else { continue };
            let told = if self.is_failure(variant) { failure } else { success };
            if let Some(told) = told {
                *kind = Kind::Aggregate(Rc::new(with_told(aggregate, told.clone())));
            }
        }
        value
    }

    /// What a call found out about others: told by the variant or the truth it gives, or else known from here on.
    pub(super) fn finding(&mut self, value: Val, keys: Vec<SyncKey>) -> Val {
        let says = |value: &Val, success: bool| {
            let variant = |k: &Kind| match k {
                Kind::Aggregate(a) => a.variant.is_some_and(|v| self.is_success(v) == success),
                _ => false,
            };
            value.alts.iter().any(variant)
        };
        if says(&value, true) && says(&value, false) {
            return self.telling(value, Some(&Learned::acquired(keys)), None);
        }
        if value.alts.is_empty() && value.ty == Ty::Prim(Name::new("bool")) {
            let told = telling_if_true(Learned::acquired(keys));
            return Val { alts: std::iter::once(told).collect(), open: false, ..value };
        }
        keys.into_iter().for_each(|key| self.st.acquire(key));
        value
    }

    /// What the value of a place that a lock protects tells by its variant: what was done before it was put there.
    pub(super) fn found_behind_lock(&self, places: &[PlaceId], mut value: Val) -> Val {
        let [place] = places[..] else { return value };
        if self.st.locks.is_empty() || !self.is_guarded(place) || !self.is_shared(place) {
            return value;
        }
        for kind in &mut value.alts {
            let Kind::Aggregate(aggregate) = kind else { continue };
            let Some(variant) = aggregate.variant else { continue };
            let key = SyncKey { place, kind: SyncKind::Flag(variant_value(variant)) };
            *kind = Kind::Aggregate(Rc::new(with_told(aggregate, Learned::acquired(vec![key]))));
        }
        value
    }

    /// The condition that a place behind a lock holds the success variant, or doesn't.
    pub(super) fn asked_behind_lock(&self, place: PlaceId, value: Val, negated: bool) -> Option<Kind> {
        if self.st.locks.is_empty() || !self.is_guarded(place) || !self.is_shared(place) {
            return None;
        }
        let value = self.found_behind_lock(&[place], value);
        let (holds, fails) = (self.told_where(&value, !negated)?, self.told_where(&value, negated)?);
        Some(telling(holds, fails))
    }

    /// The truth of whether nothing is in a collection.
    pub(super) fn empty_behind_lock(&self, places: &[PlaceId]) -> Option<Kind> {
        let [place] = places[..] else { return None };
        let keys = self.filled_behind_lock(place)?;
        Some(telling(Learned::default(), Learned::acquired(vec![keys])))
    }

    /// What is known where something is in a collection that a lock protects.
    pub(super) fn filled_behind_lock(&self, collection: PlaceId) -> Option<SyncKey> {
        let guarded = !self.st.locks.is_empty() && self.is_guarded(collection) && self.is_shared(collection);
        guarded.then_some(SyncKey { place: collection, kind: SyncKind::Flag(FILLED) })
    }

    /// An enum value made of another, of which it tells the same.
    pub(super) fn told_as(&self, original: &Val, value: Val) -> Val {
        let (success, failure) = (self.told_where(original, true), self.told_where(original, false));
        if success.is_none() && failure.is_none() {
            return value;
        }
        self.telling(value, success.as_ref(), failure.as_ref())
    }

    /// A success made of that of another value, of which it tells the same.
    pub(super) fn succeeded_as(&self, original: &Val, value: Val) -> Val {
        self.telling(value, self.told_where(original, true).as_ref(), None)
    }

    /// The success of an enum value was seen.
    pub(super) fn recall_success(&mut self, value: &Val) {
        if let Some(told) = self.told_where(value, true).filter(|_| !value.open) {
            told.recall(&mut self.st);
        }
    }

    /// Its failure was seen.
    pub(super) fn recall_failure(&mut self, value: &Val) {
        if let Some(told) = self.told_where(value, false).filter(|_| !value.open) {
            told.recall(&mut self.st);
        }
    }

    /// What the one variant of success, or of failure, tells.
    fn told_where(&self, value: &Val, success: bool) -> Option<Learned> {
        let mut variants = value.alts.iter().filter_map(|kind| match kind {
            Kind::Aggregate(a) if self.is_failure(a.variant?) != success => Some(told_by(a).cloned()),
            _ => None,
        });
        variants.next().flatten().filter(|_| variants.next().is_none())
    }
}

fn with_told(aggregate: &Aggregate, told: Learned) -> Aggregate {
    let told = match told_by(aggregate) {
        Some(before) => before.clone().and(&told),
        None => told,
    };
    let mut telling = aggregate.clone();
    telling.set(told_at(), Val::of(telling_if_true(told), Ty::Unknown));
    telling
}

fn telling_if_true(told: Learned) -> Kind {
    telling(told, Learned::default())
}
