//! What lowering yields: plain, compact, `Send` data with byte ranges and interned names.
//!
//! In: nothing (types only). Out: the item tree of a file, the body of a function, macro definitions and token trees.
//!
//! Invariants. HIR is a pure function of (text, edition): no I/O, no knowledge of any library; `cfg` stays in it as
//! attributes' predicates, macro calls in item position as their tokens. All ranges are byte ranges of the *original*
//! file text, also for code that a macro produced (tokens of the call keep their own range; tokens of the macro's
//! definition stand at the range of the outermost call's path). Nothing here mentions syn.

pub mod body;
pub mod item;
pub mod name;
pub mod name_map;
pub mod token;

pub use body::*;
pub use item::*;
pub use name::Name;
pub use name_map::NameMap;
pub use token::*;

/// A half-open byte range of one file's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct TextRange {
    pub lo: u32,
    pub hi: u32,
}

impl TextRange {
    pub fn new(lo: u32, hi: u32) -> TextRange {
        TextRange { lo, hi }
    }

    /// The smallest range that covers both.
    pub fn to(self, end: TextRange) -> TextRange {
        TextRange { lo: self.lo.min(end.lo), hi: self.hi.max(end.hi) }
    }

    pub fn contains(self, other: TextRange) -> bool {
        self.lo <= other.lo && other.hi <= self.hi
    }
}

/// The language edition, as far as it changes what the analysis sees (temporary scopes from 2024).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub enum Edition {
    E2015,
    E2018,
    #[default]
    E2021,
    E2024,
}
