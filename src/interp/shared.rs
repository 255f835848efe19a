//! What is copied at every branch and changed at few: copies share it until one of them is changed.
//!
//! In: sets and maps. Out: the same, whose copies cost one count, whose comparison sees at once that two are one, and whose hash
//! is computed once for all copies. Invariant: what is empty takes no memory.

use rustc_hash::FxHasher;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

/// What has an empty value.
pub trait Empty: Clone + 'static {
    const EMPTY: &'static Self;

    fn is_empty(&self) -> bool;
}

impl<T: Clone + 'static> Empty for BTreeSet<T> {
    const EMPTY: &'static Self = &BTreeSet::new();

    fn is_empty(&self) -> bool {
        BTreeSet::is_empty(self)
    }
}

impl<K: Clone + 'static, V: Clone + 'static> Empty for BTreeMap<K, V> {
    const EMPTY: &'static Self = &BTreeMap::new();

    fn is_empty(&self) -> bool {
        BTreeMap::is_empty(self)
    }
}

#[derive(Clone)]
struct Kept<T> {
    value: T,
    /// 0: not computed yet.
    hash: Cell<u64>,
}

#[derive(Clone)]
pub struct Shared<T>(Option<Rc<Kept<T>>>);

impl<T: Empty> Shared<T> {
    pub fn new(value: T) -> Shared<T> {
        Shared((!value.is_empty()).then(|| Rc::new(Kept { value, hash: Cell::new(0) })))
    }

    /// Surely equal.
    pub fn is_same(&self, other: &Shared<T>) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(two)) => Rc::ptr_eq(one, two),
            (None, None) => true,
            _ => false,
        }
    }

    /// What comes of two where they meet; of one and itself comes itself.
    pub fn met(&self, other: &Shared<T>, meet: impl FnOnce(&T, &T) -> T) -> Shared<T> {
        if self.is_same(other) { self.clone() } else { Shared::new(meet(self, other)) }
    }
}

impl<T: Empty + Hash> Shared<T> {
    fn known_hash(&self) -> u64 {
        let Some(kept) = self.0.as_ref().filter(|kept| !kept.value.is_empty()) else { return 0 };
        if kept.hash.get() == 0 {
            let mut hasher = FxHasher::default();
            kept.value.hash(&mut hasher);
            kept.hash.set(hasher.finish() | 1);
        }
        kept.hash.get()
    }
}

impl<T: Ord + Clone + 'static> Shared<BTreeSet<T>> {
    /// All of both.
    pub fn union(&self, other: &Shared<BTreeSet<T>>) -> Shared<BTreeSet<T>> {
        if self.is_same(other) || self.is_superset(other) {
            return self.clone();
        }
        if other.is_superset(self) { other.clone() } else { Shared::new(&**self | &**other) }
    }

    /// What is in both.
    pub fn common(&self, other: &Shared<BTreeSet<T>>) -> Shared<BTreeSet<T>> {
        if self.is_same(other) || self.is_subset(other) {
            return self.clone();
        }
        if other.is_subset(self) { other.clone() } else { Shared::new(&**self & &**other) }
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Shared<T> {
        Shared(None)
    }
}

impl<T: Empty> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().map_or(T::EMPTY, |kept| &kept.value)
    }
}

impl<T: Empty> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        let empty = || Rc::new(Kept { value: T::EMPTY.clone(), hash: Cell::new(0) });
        let kept = Rc::make_mut(self.0.get_or_insert_with(empty));
        kept.hash.set(0);
        &mut kept.value
    }
}

impl<T: Empty + PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Shared<T>) -> bool {
        self.is_same(other) || **self == **other
    }
}

impl<T: Empty + Eq> Eq for Shared<T> {}

impl<T: Empty + Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.known_hash());
    }
}

impl<T: Empty + std::fmt::Debug> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Shared;
    use std::collections::BTreeSet;

    #[test]
    fn copies_are_apart_once_one_is_changed() {
        let mut one: Shared<BTreeSet<u32>> = Shared::default();
        one.insert(1);
        let two = one.clone();
        assert!(one.is_same(&two) && one.known_hash() == two.known_hash());
        one.insert(2);
        assert!(one != two && two.len() == 1);
        one.remove(&2);
        assert!(one == two && one.known_hash() == two.known_hash());
    }

    #[test]
    fn what_was_emptied_is_like_what_always_was() {
        let mut one: Shared<BTreeSet<u32>> = Shared::default();
        one.insert(1);
        one.clear();
        assert!(one == Shared::default() && one.known_hash() == 0);
    }

    #[test]
    fn sets_that_contain_each_other_meet_in_one_of_them() {
        let small = Shared::new(BTreeSet::from([1, 2]));
        let large = Shared::new(BTreeSet::from([1, 2, 3]));
        assert!(small.union(&large).is_same(&large) && large.common(&small).is_same(&small));
        assert!(*small.union(&Shared::new(BTreeSet::from([4]))) == BTreeSet::from([1, 2, 4]));
    }
}
