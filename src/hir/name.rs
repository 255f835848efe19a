//! Interned names: every identifier, lifetime and literal text the analysis keeps is one `u32`.
//!
//! The table is global and only grows. Ids depend on the order in which threads intern, so nothing may be ordered
//! or iterated by id: `Ord` compares the text, and maps keyed by `Name` that are iterated must keep insertion order.

use rustc_hash::FxBuildHasher;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, RwLock};

/// An interned string. Equality and hashing are by id; ordering is by text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(u32);

#[derive(Default)]
struct Table {
    ids: HashMap<&'static str, u32, FxBuildHasher>,
    texts: Vec<&'static str>,
}

static TABLE: LazyLock<RwLock<Table>> = LazyLock::new(Default::default);

impl Name {
    /// The name for `text`, interning it if it is new.
    pub fn new(text: &str) -> Name {
        if let Some(&id) = TABLE.read().expect("interner").ids.get(text) {
            return Name(id);
        }
        let mut table = TABLE.write().expect("interner");
        if let Some(&id) = table.ids.get(text) {
            return Name(id);
        }
        let id = table.texts.len() as u32;
        let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
        table.texts.push(leaked);
        table.ids.insert(leaked, id);
        Name(id)
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        TABLE.read().expect("interner").texts[self.0 as usize]
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.0 == other.0 { Ordering::Equal } else { self.as_str().cmp(other.as_str()) }
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}
