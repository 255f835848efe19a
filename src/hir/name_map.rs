//! Small values by name, found by the name's number instead of its hash.
//!
//! In: names. Out: what was put there, or the default. Invariant: nothing is ever iterated, for the numbers of names depend on
//! the order in which threads met them.
//!
//! Why: code has millions of words, most of which nobody asks for. Names that were met together have numbers that lie
//! together, so few pages exist.

use super::Name;

/// A map with the type's default for all names that nothing was put for.
pub struct NameMap<T> {
    pages: Vec<Option<Box<[T; PAGE]>>>,
}

/// Names of which the values lie together.
const PAGE: usize = 512;

impl<T> Default for NameMap<T> {
    fn default() -> NameMap<T> {
        NameMap { pages: Vec::new() }
    }
}

impl<T: Copy + Default> NameMap<T> {
    pub fn get(&self, name: Name) -> T {
        let at = name.number();
        match self.pages.get(at / PAGE) {
            Some(Some(page)) => page[at % PAGE],
            Some(None) | None => T::default(),
        }
    }

    pub fn get_mut(&mut self, name: Name) -> &mut T {
        let at = name.number();
        if at / PAGE >= self.pages.len() {
            self.pages.resize_with(at / PAGE + 1, || None);
        }
        let page = self.pages[at / PAGE].get_or_insert_with(|| Box::new([T::default(); PAGE]));
        &mut page[at % PAGE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_what_was_put_for_them() {
        let names: Vec<Name> = (0..2000).map(|n| Name::new(&format!("name_map_{n}"))).collect();
        let mut map: NameMap<u32> = NameMap::default();
        for (n, name) in names.iter().enumerate().filter(|(n, _)| n % 3 == 0) {
            *map.get_mut(*name) = n as u32;
        }
        for (n, name) in names.iter().enumerate() {
            assert_eq!(map.get(*name), if n % 3 == 0 { n as u32 } else { 0 });
        }
    }
}
