//! Claimed numbers: what a counter gave out, by `fetch_add`, `fetch_sub` or `fetch_update` or under a lock under which it was
//! moved on, is given out once, and so is what is computed from it alone, as long as the computation keeps two numbers apart
//! (`i + 1`, `2 * i`, the pair of `i / 8` and `i % 8`, the range `64 * i .. 64 * i + 64`; not `i / 2`). So is the number of a
//! round that started the context, or of which it took out what was put into a list.
//!
//! In: terms over one claim. Out: claims, interned, and whether the elements that two of them stand for may be the same.
//! Whether a computation keeps numbers apart is tried out: for the first numbers and for those round its constants, where what
//! repeats begins anew. Invariant: what isn't a function of one claimed number alone is no claim.

use super::Interp;
use super::access::{AccessEvent, Effect, HeldLock};
use super::contexts::Context;
use super::expr::index_of;
use super::places::{Index, LoopId, PlaceId, Proj, Root};
use super::terms::{Leaf, Operator, Rounds, Term};
use super::units::UnitId;
use super::values::{Aggregate, Kind, Mode, ReadId, Val};
use crate::finding::AccessKind;
use crate::hir::{BinaryOp, Name};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// More computations aren't told apart.
const MAX_CLAIMS: usize = 256;
/// The first numbers that are tried.
const FIRST: i128 = 96;
/// Numbers tried from each multiple of a constant on.
const NEAR: i128 = 2;
/// Constants of one computation that are tried.
const MAX_CONSTANTS: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ClaimId(u32);

/// What gives numbers out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Giver {
    /// An atomic, a number under a lock, or a list of numbers.
    Counter(PlaceId),
    Rounds(Rounds),
}

/// What is computed from a claimed number.
#[derive(Clone, PartialEq, Debug)]
struct Claim {
    giver: Giver,
    /// How many at a time; negative where it counts down.
    step: i128,
    /// Of the number given out, which is `Term::Old` here.
    computed: Rc<Term>,
    /// It is known to be less than this.
    below: Option<i128>,
}

impl Claim {
    /// Whether an update of the counter takes back numbers that may be in use.
    fn taken_back(&self, log: &[AccessEvent], event: &AccessEvent) -> bool {
        let Giver::Counter(counter) = self.giver else { return false };
        if event.place != counter || event.kind == AccessKind::Read {
            return false;
        }
        if event.atomic.is_none() {
            let moved = |term: &Rc<Term>| term.steps().is_some_and(|step| (step > 0) == (self.step > 0));
            return event.term.as_ref().is_some_and(|term| !moved(term));
        }
        let back = match event.effect {
            Some(Effect::Subtract | Effect::SubtractSeen) => self.step > 0,
            Some(Effect::Add) => self.step < 0,
            _ => false,
        };
        let given = |id: &ReadId| {
            log.get(id.0 as usize).is_some_and(|e| e.place == counter && e.kind == AccessKind::Update)
        };
        // Who was given a number that is of no use gives it back.
        let refused = || event.control.iter().chain(event.acted_on.iter()).any(|id| given(&id));
        back && !refused()
    }
}

/// All claims of an analysis.
#[derive(Default)]
pub struct Claims {
    list: Vec<Claim>,
    /// Of these the ones whose numbers may be given out again.
    again: BTreeSet<ClaimId>,
    /// Some number was given out.
    drawn: bool,
    /// Which were found to meet, or not to.
    known: RefCell<FxHashMap<Vec<(ClaimId, ClaimId)>, bool>>,
    /// The same of indices that belong to a round.
    known_rounds: RefCell<FxHashMap<(LoopId, Index, Index), bool>>,
}

impl Claims {
    /// All contexts have been walked.
    pub(super) fn settle(&mut self, contexts: &[Context], is_fixed: impl Fn(UnitId) -> bool) {
        let again = |claim: &Claim| {
            let mut fixed = true;
            claim.computed.each_unit(&mut |unit| fixed &= is_fixed(unit));
            !fixed
                || contexts.iter().any(|context| {
                    let log = &context.log.events;
                    log.iter().any(|event| claim.taken_back(log, event))
                })
        };
        let numbered = self.list.iter().enumerate().filter(|(_, claim)| again(claim));
        self.again = numbered.map(|(at, _)| ClaimId(at as u32)).collect();
    }

    fn get(&self, id: ClaimId) -> &Claim {
        &self.list[id.0 as usize]
    }

    /// What gives the number out.
    pub fn giver(&self, id: ClaimId) -> Giver {
        self.get(id).giver
    }

    /// Whether two indices, each a function of the number of a round that started the context, may be the same in different rounds.
    /// No round's number is as large as `below`.
    pub fn rounds_meet(&self, own: LoopId, x: Index, y: Index, below: Option<i128>) -> bool {
        if let Some(known) = self.known_rounds.borrow().get(&(own, x, y)) {
            return *known;
        }
        let giver = Giver::Rounds(Rounds::Started(own));
        let claim = |index: Index| {
            let computed = self.of_round(own, index)?;
            Some(Claim { giver, step: 1, computed, below })
        };
        let units = |claim: &Claim| {
            let mut units = BTreeSet::new();
            claim.computed.each_unit(&mut |unit| {
                units.insert(unit.rank());
            });
            units
        };
        let found = match claim(x).zip(claim(y)) {
            Some((one, two)) if units(&one) == units(&two) => self.tried(&[(one, two)]),
            _ => true,
        };
        self.known_rounds.borrow_mut().insert((own, x, y), found);
        found
    }

    /// An index as a function of the number of the round, which is `Term::Old`.
    fn of_round(&self, own: LoopId, index: Index) -> Option<Rc<Term>> {
        let apply = |op, a: &Rc<Term>, n: i64| {
            Term::apply(Operator::Binary(op), a, &Rc::new(Term::Const(i128::from(n))))
        };
        let number = Rc::new(Term::Old);
        let linear = |mul, add| apply(BinaryOp::Add, &apply(BinaryOp::Mul, &number, mul)?, add);
        match index {
            Index::Linear(at, mul, add) if at == own => linear(mul, add),
            Index::Block(at, mul @ 1.., add) if at == own => {
                let start = linear(mul, add)?;
                Term::within(&start, &apply(BinaryOp::Add, &start, mul)?)
            }
            Index::Portion(at, portion) if at == own => portion.as_term(&number),
            Index::Claimed(id) if self.giver(id) == Giver::Rounds(Rounds::Started(own)) => {
                (!self.again.contains(&id)).then(|| self.get(id).computed.clone())
            }
            _ => None,
        }
    }

    fn intern(&mut self, claim: Claim) -> Option<ClaimId> {
        let known = self.list.iter().position(|old| *old == claim);
        let at = match known {
            Some(at) => at,
            None if self.list.len() < MAX_CLAIMS => {
                self.list.push(claim);
                self.list.len() - 1
            }
            None => return None,
        };
        Some(ClaimId(at as u32))
    }

    /// Whether two different numbers of one counter may lead to the same element, which is found by all of these indices together:
    /// those of the one access on the left, of the other on the right.
    pub fn meet(&self, indices: &[(ClaimId, ClaimId)]) -> bool {
        let alike = |x: &Claim, y: &Claim| x.giver == y.giver && (x.step > 0) == (y.step > 0);
        let Some(first) = indices.first().map(|pair| self.get(pair.0)) else { return true };
        let comparable = |id: &ClaimId| alike(first, self.get(*id)) && !self.again.contains(id);
        if !indices.iter().all(|(x, y)| comparable(x) && comparable(y)) {
            return true;
        }
        if let Some(known) = self.known.borrow().get(indices) {
            return *known;
        }
        let claims = indices.iter().map(|(x, y)| (self.get(*x).clone(), self.get(*y).clone()));
        let found = self.tried(&claims.collect::<Vec<_>>());
        self.known.borrow_mut().insert(indices.to_vec(), found);
        found
    }

    /// Units are tried as numbers of which the later ones are greater, and less.
    fn tried(&self, claims: &[(Claim, Claim)]) -> bool {
        let mut units = false;
        claims.iter().flat_map(|(x, y)| [x, y]).for_each(|claim| {
            claim.computed.each_unit(&mut |_| units = true);
        });
        tried_with(claims, &|unit| 127 + 64 * unit.rank())
            || (units && tried_with(claims, &|unit| (1 << 20) - 64 * unit.rank()))
    }
}

fn tried_with(claims: &[(Claim, Claim)], number: &dyn Fn(UnitId) -> i128) -> bool {
    let tried =
        |claim: &Claim| Claim { computed: Term::with_units(&claim.computed, number), ..claim.clone() };
    let one: Vec<Claim> = claims.iter().map(|pair| tried(&pair.0)).collect();
    let two: Vec<Claim> = claims.iter().map(|pair| tried(&pair.1)).collect();
    let (one, two): (Vec<&Claim>, Vec<&Claim>) = (one.iter().collect(), two.iter().collect());
    let numbers = samples(one.iter().chain(&two));
    let (left, right) = (elements(&one, &numbers), elements(&two, &numbers));
    let untried = left.len() < 2 || right.len() < 2;
    untried
        || left.iter().any(|(i, x)| {
            let both = |j: i128| {
                if i < &j { given_apart(&one, *i, &two, j) } else { given_apart(&two, j, &one, *i) }
            };
            right.iter().any(|(j, y)| overlap(x, y) && i != j && both(*j))
        })
}

/// Whether the lower and the higher number may both be given out.
fn given_apart(lower: &[&Claim], low: i128, higher: &[&Claim], high: i128) -> bool {
    let at_once = match (lower.first(), higher.first()) {
        (Some(lower), Some(_)) if lower.step > 0 => lower.step,
        (_, Some(higher)) => -higher.step,
        _ => 1,
    };
    high - low >= at_once
}

/// The numbers to try: the first ones, and those from the multiples of the computations' constants on.
fn samples<'a>(claims: impl Iterator<Item = &'a &'a Claim>) -> BTreeSet<i128> {
    let mut constants = BTreeSet::new();
    for claim in claims {
        constants.insert(claim.step.unsigned_abs());
        claim.computed.each_constant(&mut |n| {
            constants.insert(n.unsigned_abs());
        });
    }
    let small = |n: u128| u32::try_from(n).ok().filter(|n| *n < 48).map(|n| 1_u128 << n);
    let periods: BTreeSet<u128> =
        constants.iter().take(MAX_CONSTANTS).flat_map(|n| [Some(*n), small(*n)]).flatten().collect();
    let products = periods.iter().flat_map(|n| periods.iter().map(|m| n.saturating_mul(*m)));
    let mut found: BTreeSet<i128> = (0..FIRST).collect();
    for period in periods.iter().copied().chain(products).filter_map(|n| i128::try_from(n).ok()) {
        let near = |from: i128| (0..NEAR).filter_map(move |n| from.checked_add(n));
        found.extend(near(period).chain(near(period.saturating_sub(1))));
    }
    found
}

/// The elements of each number, as a range for each index.
fn elements(claims: &[&Claim], numbers: &BTreeSet<i128>) -> Vec<(i128, Vec<(i128, i128)>)> {
    let given = |n: &i128| claims.iter().all(|claim| claim.below.is_none_or(|below| *n < below));
    let of_number = |n: &i128| {
        let ranges: Option<Vec<_>> = claims.iter().map(|claim| claim.computed.range(*n)).collect();
        Some((*n, ranges?))
    };
    numbers.iter().filter(|n| given(n)).filter_map(of_number).collect()
}

fn overlap(one: &[(i128, i128)], two: &[(i128, i128)]) -> bool {
    one.iter().zip(two).all(|(x, y)| x.0 <= y.1 && y.0 <= x.1)
}

/// By how much a counter is moved on under the very hold that it was read under, not far from there.
fn moved_on(log: &[AccessEvent], number: ReadId) -> Option<i128> {
    const NEAR: usize = 32;
    let at = number.0 as usize;
    let read = log.get(at)?;
    let held = |lock: &HeldLock| {
        let same = |own: &HeldLock| own.lock == lock.lock && own.hold == lock.hold;
        lock.mode == Mode::Exclusive && read.locks.iter().any(same)
    };
    let moves = |event: &&AccessEvent| {
        event.place == read.place && event.kind != AccessKind::Read && event.locks.iter().any(held)
    };
    let near = log.iter().skip(at.saturating_sub(NEAR)).take(2 * NEAR);
    near.filter(moves).find_map(|event| event.term.as_ref()?.steps())
}

impl Interp<'_> {
    /// The index that a value stands for.
    pub(super) fn index_at(&mut self, value: &Val) -> Index {
        match index_of(value) {
            Index::Any => self.claimed_index(value).unwrap_or(Index::Any),
            known => known,
        }
    }

    /// Numbers are given out.
    pub(super) fn draws(&mut self) {
        self.claims.drawn = true;
    }

    /// A number was given out, which is another one than in the last round.
    pub(super) fn drawn_anew(&mut self, given: &Val) {
        self.draws();
        if let Some(Term::Read(_, read)) = given.term.as_deref()
            && self.st.below.contains_key(read)
        {
            self.st.below.remove(read);
        }
    }

    /// What is known of an index that is computed from a claimed number.
    fn claimed_index(&mut self, value: &Val) -> Option<Index> {
        let claim = match (&value.term, value.single()) {
            (Some(term), _) if self.claim_in(term).is_some() => self.claim_of(term)?,
            (_, Some(Kind::Claimed(atomic))) => {
                Claim { giver: Giver::Counter(*atomic), step: 1, computed: Rc::new(Term::Old), below: None }
            }
            _ => return None,
        };
        let started = matches!(claim.giver, Giver::Rounds(Rounds::Started(_)));
        let id = self.claims.intern(claim)?;
        // What several rounds have is nobody's own.
        (!started || !self.claims.meet(&[(id, id)])).then_some(Index::Claimed(id))
    }

    /// The claimed element `by` further on, or the `by` elements from there on.
    pub(super) fn claim_extended(&mut self, from: ClaimId, by: &Val, range: bool) -> Option<Index> {
        let claim = self.claims.get(from).clone();
        let by = self.of_claim(&self.term_in_rounds(by)?, claim.giver)?;
        let end = Term::apply(Operator::Binary(BinaryOp::Add), &claim.computed, &by)?;
        let computed = if range { Term::within(&claim.computed, &end)? } else { end };
        self.claims.intern(Claim { computed, ..claim }).map(Index::Claimed)
    }

    /// The one claimed number that a term is made of, and nothing else that was read; what gave it out, and by which step.
    fn claim_in(&self, term: &Term) -> Option<(Leaf, Giver, i128)> {
        let mut reads = Vec::new();
        term.each_read(&mut |context, read| reads.push((context, read)));
        let Some((context, read)) = reads.first().copied() else {
            let rounds = term.rounds()?;
            return Some((Leaf::Round(rounds), Giver::Rounds(rounds), 1));
        };
        if context != self.context || reads.iter().any(|other| *other != (context, read)) {
            return None;
        }
        let log = &self.contexts.get(context).log.events;
        let event = log.get(read.0 as usize)?;
        let given = (Leaf::Read(read), Giver::Counter(event.place));
        if matches!(event.effect, Some(Effect::Take | Effect::TakeSure))
            && self.hands_out_numbers(event.place)
        {
            return Some((given.0, given.1, 1));
        }
        let counts = matches!(event.effect, Some(Effect::Add | Effect::Subtract | Effect::Exchange));
        let step = match event.kind {
            AccessKind::Update if event.atomic.is_some() && counts => event.term.as_ref()?.steps()?,
            AccessKind::Read if event.atomic.is_none() => moved_on(log, read)?,
            _ => return None,
        };
        (step != 0).then_some((given.0, given.1, step))
    }

    fn claim_of(&self, term: &Rc<Term>) -> Option<Claim> {
        let (leaf, giver, step) = self.claim_in(term)?;
        let below = match leaf {
            Leaf::Read(read) => self.st.below.get(&read).copied(),
            Leaf::Round(Rounds::Started(at) | Rounds::Taken(_, at)) => self.bounds_of(at).map(|(_, to)| to),
        };
        Some(Claim { giver, step, computed: Term::replaced(term, leaf), below })
    }

    /// A term in which nothing was read but what this counter gave out.
    fn of_claim(&self, term: &Rc<Term>, giver: Giver) -> Option<Rc<Term>> {
        let mut reads = 0;
        term.each_read(&mut |_, _| reads += 1);
        if reads == 0 && term.rounds().is_none() {
            return Some(term.clone());
        }
        let (leaf, of, _) = self.claim_in(term)?;
        (of == giver).then(|| Term::replaced(term, leaf))
    }

    /// Whether a number is computed from a claimed one.
    pub(super) fn is_claimed(&self, value: &Val) -> bool {
        matches!(value.single(), Some(Kind::Claimed(_)))
            || value.term.as_ref().is_some_and(|term| self.claim_in(term).is_some())
    }

    /// The same of a value that a function is given, or of some part of it.
    pub(super) fn holds_claim(&self, value: &Val, depth: u32) -> bool {
        let of_part = |kind: &Kind| match kind {
            Kind::Aggregate(parts) => parts.fields.iter().any(|(_, part)| self.holds_claim(part, depth - 1)),
            Kind::Pointer(place, _) => match self.places.get(*place).root {
                Root::Local(frame, local) => {
                    self.st.local(frame, local).is_some_and(|held| self.holds_claim(held, depth - 1))
                }
                Root::Static(_) | Root::ThreadLocal(_) | Root::Object(_) | Root::Process(_) => false,
            },
            _ => false,
        };
        self.claims.drawn && depth > 0 && (self.is_claimed(value) || value.alts.iter().any(of_part))
    }

    /// The least of a claimed number and one that tells nothing of it: no more than the claimed one, and no index is below 0.
    pub(super) fn at_most(&self, a: &Val, b: &Val) -> Option<Rc<Term>> {
        let (known, other) = if self.is_claimed(a) { (a, b) } else { (b, a) };
        if other.constant().is_some() || self.is_claimed(other) || !self.is_claimed(known) {
            return None;
        }
        let zero = Rc::new(Term::Const(0));
        let end =
            Term::apply(Operator::Binary(BinaryOp::Add), known.term.as_ref()?, &Rc::new(Term::Const(1)))?;
        Term::within(&zero, &end)
    }

    /// Some number of a range that begins at one computed from a claimed one.
    pub(super) fn claimed_range(&self, range: &Aggregate) -> Option<Val> {
        let bound = |name| range.field(Proj::Field(Name::new(name)));
        let start = bound("start")?;
        let number =
            |value: &Val| if self.is_claimed(start) { value.symbol() } else { self.term_in_rounds(value) };
        let end = match bound("end") {
            Some(end) => number(end)?,
            None => {
                let one = Rc::new(Term::Const(1));
                Term::apply(Operator::Binary(BinaryOp::Add), &number(bound("last")?)?, &one)?
            }
        };
        if self.is_claimed(start) {
            return self.claimed_until(start, &end);
        }
        // A range from one's own number on is one's own if it ends by it too.
        let from = number(start).filter(|from| from.rounds().is_some() && from.rounds() == end.rounds())?;
        Some(Val::unknown(start.ty.clone()).with_term(Some(Term::within(&from, &end)?)))
    }

    /// Some number from a claimed one on and less than the end.
    pub(super) fn claimed_until(&self, start: &Val, end: &Rc<Term>) -> Option<Val> {
        let number = Term::within(&start.symbol()?, end)?;
        Some(Val::unknown(start.ty.clone()).with_term(Some(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTER: Giver = Giver::Counter(PlaceId(0));

    fn apply(op: BinaryOp, n: i128) -> Rc<Term> {
        let (old, n) = (Rc::new(Term::Old), Rc::new(Term::Const(n)));
        Term::apply(Operator::Binary(op), &old, &n).expect("a small term")
    }

    /// Whether two numbers meet at elements found by all of these together.
    fn meets(step: i128, below: Option<i128>, computed: &[Rc<Term>]) -> bool {
        let mut claims = Claims::default();
        let claim = |computed: &Rc<Term>| Claim { giver: COUNTER, step, computed: computed.clone(), below };
        let ids: Vec<ClaimId> = computed.iter().filter_map(|term| claims.intern(claim(term))).collect();
        let indices: Vec<_> = ids.iter().map(|id| (*id, *id)).collect();
        claims.meet(&indices)
    }

    #[test]
    fn one_to_one_or_not() {
        assert!(!meets(1, None, &[Rc::new(Term::Old)]));
        assert!(!meets(1, None, &[apply(BinaryOp::Mul, 3)]));
        assert!(meets(1, None, &[apply(BinaryOp::Div, 2)]));
        assert!(meets(1, None, &[apply(BinaryOp::Rem, 1000)]));
        assert!(meets(1, None, &[apply(BinaryOp::BitAnd, 4095)]));
        assert!(!meets(1, Some(4096), &[apply(BinaryOp::BitAnd, 4095)]));
    }

    #[test]
    fn together() {
        let row = apply(BinaryOp::Div, 48);
        assert!(!meets(1, None, &[row.clone(), apply(BinaryOp::Rem, 48)]));
        assert!(meets(1, None, &[row.clone(), apply(BinaryOp::Rem, 47)]));
        assert!(meets(1, None, &[row.clone(), row]));
        let mask = apply(BinaryOp::BitAnd, 255);
        assert!(!meets(1, None, &[apply(BinaryOp::Shr, 8), mask.clone()]));
        assert!(meets(1, None, &[apply(BinaryOp::Shr, 9), mask]));
    }

    #[test]
    fn several_at_once() {
        let batch =
            |len| Term::within(&Rc::new(Term::Old), &apply(BinaryOp::Add, len)).expect("a small term");
        assert!(!meets(500, None, &[batch(500)]));
        assert!(meets(500, None, &[batch(501)]));
        assert!(meets(1, None, &[batch(2)]));
        assert!(!meets(-1, None, &[apply(BinaryOp::Sub, 1)]));
    }

    #[test]
    fn two_elements_of_each() {
        let mut claims = Claims::default();
        let mut of = |op, n| {
            let computed = apply(op, n);
            claims.intern(Claim { giver: COUNTER, step: 1, computed, below: None }).expect("room")
        };
        let (own, next, even) = (of(BinaryOp::Add, 0), of(BinaryOp::Add, 1), of(BinaryOp::Mul, 2));
        assert!(claims.meet(&[(own, next)]));
        assert!(claims.meet(&[(own, even)]));
        assert!(!claims.meet(&[(next, next)]));
    }
}
