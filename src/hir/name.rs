//! Interned names: every identifier, lifetime and literal text the analysis keeps is one `u32`.
//!
//! The table is global and only grows. Ids depend on the order in which threads intern, so nothing may be ordered
//! or iterated by id: `Ord` compares the text, and maps keyed by `Name` that are iterated must keep insertion order.

use rustc_hash::FxBuildHasher;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, OnceLock, RwLock};

/// An interned string. Equality and hashing are by id; ordering is by text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(u32);

/// The ids by text.
static IDS: LazyLock<RwLock<HashMap<&'static str, u32, FxBuildHasher>>> = LazyLock::new(Default::default);

/// The texts by id: in parts, each twice as long as the one before, that never move, so that reading takes no lock.
static TEXTS: [OnceLock<Box<[OnceLock<&'static str>]>>; PARTS] = [const { OnceLock::new() }; PARTS];

/// Enough for all ids.
const PARTS: usize = 23;
/// Length of the first part.
const FIRST: u64 = 1 << 10;

/// The part that an id's text is in, and the place there.
fn place(id: u32) -> (usize, usize) {
    let at = u64::from(id) + FIRST;
    let part = at.ilog2() - FIRST.ilog2();
    (part as usize, (at - (FIRST << part)) as usize)
}

impl Name {
    /// The name for `text`, interning it if it is new.
    pub fn new(text: &str) -> Name {
        if let Some(&id) = IDS.read().expect("interner").get(text) {
            return Name(id);
        }
        let mut ids = IDS.write().expect("interner");
        if let Some(&id) = ids.get(text) {
            return Name(id);
        }
        let id = ids.len() as u32;
        let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
        let (part, at) = place(id);
        let texts = TEXTS[part].get_or_init(|| vec![OnceLock::new(); (FIRST << part) as usize].into());
        texts[at].get_or_init(|| leaked);
        ids.insert(leaked, id);
        Name(id)
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        let (part, at) = place(self.0);
        TEXTS[part].get().and_then(|texts| texts[at].get()).copied().unwrap_or_default()
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
