//! Interned names: every identifier, lifetime and literal text the analysis keeps is one `u32`.
//!
//! The table is global and only grows; texts are read without a lock. Ids depend on the order in which threads intern,
//! so nothing may be ordered or iterated by id: `Ord` compares the text, and maps keyed by `Name` that are iterated must
//! keep insertion order. Only the language's keywords have known ids, the first ones.

use rustc_hash::FxBuildHasher;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{LazyLock, OnceLock, RwLock};

/// An interned string. Equality and hashing are by id; ordering is by text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name(NonZeroU32);

type Ids = HashMap<&'static str, Name, FxBuildHasher>;

static IDS: LazyLock<RwLock<Ids>> = LazyLock::new(|| {
    let mut ids = Ids::default();
    KEYWORDS.iter().for_each(|word| {
        add(&mut ids, word);
    });
    RwLock::new(ids)
});

/// The words that can't be names, `_` with them. The first ones stand in any code and tell nothing about it.
#[rustfmt::skip]
const KEYWORDS: [&str; 52] = [
    "as", "break", "continue", "else", "false", "for", "if", "in", "let", "loop", "match", "ref", "return", "self",
    "true", "where", "while",
    "_", "abstract", "async", "await", "become", "box", "const", "crate", "do", "dyn", "enum", "extern", "final", "fn",
    "impl", "macro", "mod", "move", "mut", "override", "priv", "pub", "Self", "static", "struct", "super", "trait",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "yield",
];

/// How many of them these are.
const TELL_NOTHING: usize = 17;

/// Texts by id, in chunks of which each holds twice as many as the one before.
static TEXTS: [OnceLock<Box<[OnceLock<&'static str>]>>; CHUNKS] = [const { OnceLock::new() }; CHUNKS];

/// Enough for all ids.
const CHUNKS: usize = 32 - FIRST_CHUNK_BITS as usize + 1;
/// The first chunk has two to this power.
const FIRST_CHUNK_BITS: u32 = 12;

/// The chunk that an id's text is in, and where.
fn place(id: u32) -> (usize, usize) {
    let shifted = u64::from(id) + (1 << FIRST_CHUNK_BITS);
    let bits = shifted.ilog2();
    ((bits - FIRST_CHUNK_BITS) as usize, (shifted - (1 << bits)) as usize)
}

impl Name {
    /// The name for `text`, interning it if it is new.
    pub fn new(text: &str) -> Name {
        if let Some(name) = IDS.read().expect("interner").get(text) {
            return *name;
        }
        let mut ids = IDS.write().expect("interner");
        match ids.get(text) {
            Some(name) => *name,
            None => add(&mut ids, Box::leak(text.to_owned().into_boxed_str())),
        }
    }

    /// Of a path: what comes after the last `::`.
    pub fn last_segment(self) -> Name {
        // Asked for each use of a library's type: a map for each thread, for sharing one costs as much as the search.
        thread_local!(static KNOWN: RefCell<HashMap<Name, Name, FxBuildHasher>> = RefCell::default());
        KNOWN.with_borrow_mut(|known| {
            *known.entry(self).or_insert_with(|| match self.as_str().rsplit_once("::") {
                Some((_, last)) => Name::new(last),
                None => self,
            })
        })
    }

    /// The id, for tables by name that nobody iterates.
    pub(super) fn number(self) -> usize {
        self.0.get() as usize
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        let (chunk, at) = place(self.0.get());
        TEXTS[chunk].get().and_then(|texts| texts[at].get()).copied().unwrap_or_default()
    }

    /// Whether the text, if it isn't raw, is a keyword that neither names something nor begins an item.
    pub fn tells_nothing(self) -> bool {
        self.0.get() as usize <= TELL_NOTHING
    }

    /// Whether the text, if it isn't raw, is a keyword.
    pub fn is_keyword(self) -> bool {
        self.0.get() as usize <= KEYWORDS.len()
    }
}

/// Gives a text that is new the next id.
fn add(ids: &mut Ids, text: &'static str) -> Name {
    let name = Name(NonZeroU32::MIN.saturating_add(ids.len() as u32));
    let (chunk, at) = place(name.0.get());
    let new_chunk = || (0..1_usize << (FIRST_CHUNK_BITS as usize + chunk)).map(|_| OnceLock::new()).collect();
    TEXTS[chunk].get_or_init(new_chunk)[at].get_or_init(|| text);
    ids.insert(text, name);
    name
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
