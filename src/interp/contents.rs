//! What an object's content was computed from: the heap keeps values without the reads that they depend on, for it belongs to
//! all contexts, but a context that puts an object together and then stores a pointer to it stores what is in it too.
//!
//! In: what the context being walked stores into objects. Out: the reads of its own that those depend on.

use super::Interp;
use super::places::Root;
use super::values::{Deps, Val};

impl Interp<'_> {
    /// An object is made with this content.
    pub(super) fn made_of(&mut self, root: Root, content: &Val) {
        let reads = content.all_deps();
        if reads.is_empty() {
            self.contents.remove(&root);
        } else {
            self.contents.insert(root, reads);
        }
    }

    /// A part of an object is replaced by this.
    pub(super) fn put_into(&mut self, root: Root, part: &Val) {
        let reads = part.all_deps();
        if !reads.is_empty() && matches!(root, Root::Object(_)) {
            let known = self.contents.entry(root).or_default();
            *known = known.join(&reads);
        }
    }

    /// All reads that a value depends on, or that what it points to was made of.
    pub(super) fn deps_with_contents(&self, value: &Val) -> Deps {
        let contents =
            value.pointers().filter_map(|(place, _)| self.contents.get(&self.places.get(place).root));
        contents.fold(value.all_deps(), |deps, content| deps.join(content))
    }
}
