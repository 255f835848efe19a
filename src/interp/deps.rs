//! What a value or a branch depends on: reads, and the constants that went into it.
//!
//! In: reads as they are logged, values that are put together. Out: sorted sets that copies share. Bounded: the newest `MAX_DEPS`
//! reads are kept.

use super::values::Const;
use crate::resolve::FnId;
use rustc_hash::FxHasher;
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

const MAX_DEPS: usize = 48;

/// A read event of the context being walked: index into its access log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ReadId(pub u32);

impl ReadId {
    /// No read of this context's log, but something that only its caller, its starter or an unknown function knows: by number.
    pub fn elsewhere(number: u32) -> ReadId {
        ReadId(u32::MAX - number % ReadId::ELSEWHERE)
    }

    const ELSEWHERE: u32 = 1 << 24;

    /// What a thread has for itself: a thread-local's value, its id.
    pub const OWN: ReadId = ReadId(u32::MAX - (ReadId::ELSEWHERE - 1));

    pub fn is_elsewhere(self) -> bool {
        self.0 > u32::MAX - ReadId::ELSEWHERE
    }
}

/// The reads a value or a branch depends on: sorted, shared; and the constants that went into it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Deps {
    reads: Option<Rc<[ReadId]>>,
    constants: Constants,
}

/// A set of constants, as the bits that they hash to. (Two sets that look equal by chance are taken for the same.)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Constants(u64);

impl Constants {
    const BITS: u32 = 3;

    fn of(constant: &Const) -> Constants {
        let mut hasher = FxHasher::default();
        match constant {
            Const::Int(n) => n.hash(&mut hasher),
            Const::Bool(b) => b.hash(&mut hasher),
            Const::Char(c) => c.hash(&mut hasher),
            // By the text: the numbers of names differ from run to run.
            Const::Str(text) | Const::Float(text) => text.as_str().hash(&mut hasher),
        }
        Constants::hashed(hasher.finish())
    }

    pub fn or(self, other: Constants) -> Constants {
        Constants(self.0 | other.0)
    }

    fn hashed(hash: u64) -> Constants {
        let mut state = hash;
        Constants((0..Constants::BITS).fold(0, |bits, _| bits | 1 << (mixed(&mut state) >> 58)))
    }
}

/// splitmix64
pub(super) fn mixed(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

impl Deps {
    pub fn one(read: ReadId) -> Deps {
        Deps::of_reads(Rc::from([read]))
    }

    /// What a function made that was not looked into.
    pub fn of_function(id: FnId) -> Deps {
        Deps { reads: None, constants: Constants::hashed(u64::from(id.0)) }
    }

    fn of_reads(reads: Rc<[ReadId]>) -> Deps {
        Deps { reads: Some(reads), constants: Constants::default() }
    }

    /// Whatever constants they are.
    pub fn of_any_constants() -> Deps {
        Deps { reads: None, constants: Constants(u64::MAX) }
    }

    /// The same, and what a constant adds.
    pub fn with_constant(mut self, constant: &Const) -> Deps {
        self.constants = self.constants.or(Constants::of(constant));
        self
    }

    pub fn constants(&self) -> Constants {
        self.constants
    }

    pub fn iter(&self) -> impl Iterator<Item = ReadId> + '_ {
        self.reads.iter().flat_map(|reads| reads.iter().copied())
    }

    /// No reads.
    pub fn is_empty(&self) -> bool {
        self.reads.is_none()
    }

    /// Where the reads are kept: two sets at one address are one.
    pub(super) fn address(&self) -> usize {
        self.reads.as_ref().map_or(0, |reads| reads.as_ptr() as usize)
    }

    /// How many reads.
    pub fn len(&self) -> usize {
        self.reads.as_ref().map_or(0, |reads| reads.len())
    }

    pub fn contains(&self, read: ReadId) -> bool {
        self.reads.as_ref().is_some_and(|reads| reads.binary_search(&read).is_ok())
    }

    /// The reads that aren't in the other.
    pub fn without(&self, other: &Deps) -> Deps {
        let (Some(own), Some(gone)) = (&self.reads, &other.reads) else { return self.clone() };
        if Rc::ptr_eq(own, gone) {
            return Deps { reads: None, constants: self.constants };
        }
        let rest = difference(own, gone);
        let reads = match rest.len() {
            0 => None,
            all if all == own.len() => Some(own.clone()),
            _ => Some(Rc::from(&rest[..])),
        };
        Deps { reads, constants: self.constants }
    }

    pub fn join(&self, other: &Deps) -> Deps {
        let reads = match (&self.reads, &other.reads) {
            (None, reads) | (reads, None) => reads.clone(),
            (Some(a), Some(b)) if Rc::ptr_eq(a, b) => Some(a.clone()),
            (Some(a), Some(b)) => Some(union(a, b)),
        };
        Deps { reads, constants: self.constants.or(other.constants) }
    }
}

fn union(a: &Rc<[ReadId]>, b: &Rc<[ReadId]>) -> Rc<[ReadId]> {
    let mut all = [ReadId(0); 2 * MAX_DEPS];
    let (mut left, mut right, mut len) = (0, 0, 0);
    while let (Some(one), Some(two)) = (a.get(left), b.get(right)) {
        all[len] = *one.min(two);
        // Both where they are equal: no branch that nobody can predict.
        left += usize::from(one <= two);
        right += usize::from(two <= one);
        len += 1;
    }
    for rest in [&a[left..], &b[right..]] {
        all[len..len + rest.len()].copy_from_slice(rest);
        len += rest.len();
    }
    let all = &all[..len];
    if all.len() == a.len() {
        return a.clone();
    }
    if all.len() == b.len() {
        return b.clone();
    }
    let newest = all.len().saturating_sub(MAX_DEPS);
    Rc::from(&all[newest..])
}

/// What is in the one sorted list and not in the other.
fn difference(own: &[ReadId], gone: &[ReadId]) -> SmallVec<[ReadId; 64]> {
    let mut rest = SmallVec::new();
    let mut gone = gone;
    for &read in own {
        while let [first, later @ ..] = gone
            && *first < read
        {
            gone = later;
        }
        if gone.first() != Some(&read) {
            rest.push(read);
        }
    }
    rest
}

impl FromIterator<ReadId> for Deps {
    fn from_iter<I: IntoIterator<Item = ReadId>>(reads: I) -> Deps {
        let mut all: SmallVec<[ReadId; 16]> = reads.into_iter().collect();
        if all.is_empty() {
            return Deps::default();
        }
        if !all.is_sorted_by(|one, two| one < two) {
            all.sort_unstable();
            all.dedup();
        }
        let newest = all.len().saturating_sub(MAX_DEPS);
        Deps::of_reads(Rc::from(&all[newest..]))
    }
}
