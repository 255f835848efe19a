//! Numbers from a list that is written down: `cuts[own]` and `cuts[own + 1]`, the items of a loop over `[(0, 16), (16, 32)]`.
//!
//! In: an array of known numbers, or of tuples and ranges of such, and which element a round of a loop takes. Out:
//! `Portion::Listed`, what each round has. Invariant: `apart` says that the numbers of no two rounds coincide.

use super::Interp;
use super::places::{Index, LoopId, PlaceId, Portion, Proj, Root};
use super::values::{Aggregate, Const, Kind, Val};
use crate::hir::{BinaryOp, Name, StaticKind};
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// Longer lists are not looked at.
const MAX_LENGTH: usize = 64;
/// Tuples in tuples are followed this far.
const MAX_NESTING: u32 = 3;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ListId(u32);

/// Numbers from the one on and less than the other.
type Part = (i128, i128);

/// What each round of a loop has: `parts[n]` is the share of round `first + n`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Listed {
    first: i128,
    parts: Rc<[Part]>,
}

impl Listed {
    fn apart(&self) -> bool {
        let apart = |(n, one): (usize, &Part)| self.parts[..n].iter().all(|other| !overlap(*one, *other));
        self.parts.iter().enumerate().all(apart)
    }
}

#[derive(Clone, Default)]
pub struct WrittenLists {
    all: Vec<Listed>,
    ids: FxHashMap<Listed, ListId>,
}

impl WrittenLists {
    fn get(&self, id: ListId) -> &Listed {
        &self.all[id.0 as usize]
    }

    fn add(&mut self, listed: Listed) -> Option<Portion> {
        if let Some(id) = self.ids.get(&listed) {
            return Some(Portion::Listed { list: *id, apart: self.get(*id).apart() });
        }
        let filled = listed.parts.iter().all(|(from, to)| from < to);
        if listed.parts.len() > MAX_LENGTH || !filled {
            return None;
        }
        let apart = listed.apart();
        let id = ListId(self.all.len() as u32);
        self.all.push(listed.clone());
        self.ids.insert(listed, id);
        Some(Portion::Listed { list: id, apart })
    }

    /// One number for each round.
    fn numbers(&self, id: ListId) -> Option<(i128, Vec<i128>)> {
        let listed = self.get(id);
        let number = |(from, to): &Part| (from.checked_add(1) == Some(*to)).then_some(*from);
        Some((listed.first, listed.parts.iter().map(number).collect::<Option<_>>()?))
    }

    fn changed(&mut self, id: ListId, change: impl Fn(Part) -> Option<Part>) -> Option<Portion> {
        let listed = self.get(id);
        let parts = listed.parts.iter().map(|part| change(*part)).collect::<Option<_>>()?;
        self.add(Listed { first: listed.first, parts })
    }

    /// Whether two rounds have some number in common.
    pub fn meet(&self, one: ListId, two: ListId) -> bool {
        let (one, two) = (self.get(one), self.get(two));
        let rounds = |listed: &Listed| {
            let first = listed.first;
            listed.parts.iter().copied().enumerate().map(move |(n, part)| (first + n as i128, part)).collect()
        };
        let (one, two): (Vec<_>, Vec<_>) = (rounds(one), rounds(two));
        one.iter().any(|(n, part)| two.iter().any(|(k, other)| n != k && overlap(*part, *other)))
    }

    /// The least and the greatest number.
    pub fn ends(&self, id: ListId) -> Option<(i128, i128)> {
        let parts = &self.get(id).parts;
        Some((parts.iter().map(|part| part.0).min()?, parts.iter().map(|part| part.1).max()?.checked_sub(1)?))
    }
}

fn overlap(one: Part, two: Part) -> bool {
    one.0 < two.1 && two.0 < one.1
}

impl Interp<'_> {
    /// The number in a part of what nobody may change while it is shared: an immutable local, temporary or static, an object behind counted
    /// handles that nobody was seen to store to.
    pub(super) fn number_for_good(&mut self, place: PlaceId) -> Option<Val> {
        let found = self.places.get(place);
        let (root, inner) = (found.root, found.parent.is_some());
        let plain = |step: Proj| !matches!(step, Proj::Field(_) | Proj::Index(_));
        if !inner || super::arithmetic::integer_bits(&found.ty).is_none() || self.places.passes(place, plain)
        {
            return None;
        }
        let fixed = match root {
            Root::Local(frame, local) => {
                self.local_names.get(&(frame, local)).is_none_or(|named| !named.mutable)
                    && self.shared_locals.contains(&(frame, local))
            }
            Root::Static(id) => {
                let item = &self.program.statics[id.index()].item;
                !item.mutable && item.storage == StaticKind::Plain
            }
            Root::Object(_) => {
                self.counted.contains(&root)
                    && !self.places.ancestors(place).any(|at| self.rewritten.contains(&at))
            }
            Root::ThreadLocal(_) | Root::Process(_) => false,
        };
        let whole = self.initial.get(&root).filter(|_| fixed)?.clone();
        let number =
            self.places.path(place).into_iter().fold(whole, |value, step| self.projected(&value, step));
        let known = match number.single() {
            Some(Kind::Const(_) | Kind::Unit(_)) => true,
            Some(Kind::Linear(at, ..) | Kind::Portion(at, _)) => self.is_own(*at),
            _ => false,
        };
        (known && !number.open).then_some(number)
    }

    /// The element of a written list that the round of a loop takes.
    pub(super) fn listed_item(&mut self, at: LoopId, elements: &Aggregate) -> Option<Val> {
        let all = in_order(elements)?;
        self.note_bounds(at, Some((0, all.len() as i128)));
        self.one_of(at, 0, &all, 0)
    }

    /// The element of a written list under an index that is linear in a loop's counter.
    pub(super) fn listed_at(&mut self, elements: &Aggregate, index: Index) -> Option<Val> {
        let Index::Linear(at, mul, add) = index else { return None };
        let all = in_order(elements)?;
        let (mul, add) = (i128::from(mul), i128::from(add));
        let element = |round: i128| usize::try_from(round.checked_mul(mul)?.checked_add(add)?).ok();
        // Outside of the list there is no element, and the round ends in a panic.
        let bound = all.len() as i128 + add.abs();
        let (from, to) = self.bounds_of(at).unwrap_or((-bound, bound + 1));
        let rounds = from.max(-bound)..to.min(bound + 1);
        let mut taken = rounds.filter(|round| element(*round).is_some_and(|n| n < all.len())).peekable();
        let first = *taken.peek().filter(|_| mul != 0)?;
        let taken: Vec<&Val> = taken.filter_map(|round| all.get(element(round)?).copied()).collect();
        self.one_of(at, first, &taken, 0)
    }

    /// The one of several values that the round of a loop takes, from the round `first` on.
    fn one_of(&mut self, at: LoopId, first: i128, all: &[&Val], depth: u32) -> Option<Val> {
        let (one, rest) = all.split_first()?;
        let joined = || rest.iter().fold((*one).clone(), |joined, value| joined.join(value));
        let kind = if let Some(numbers) = all.iter().map(|value| number(value)).collect::<Option<Vec<_>>>() {
            self.number_of(at, first, &numbers)?
        } else {
            Kind::Aggregate(Rc::new(self.parts_of(at, first, all, depth)?))
        };
        let deps = joined().deps;
        Some(Val::of(kind, one.ty.clone()).with_deps(&deps))
    }

    /// Numbers that rise or fall by one step are linear, others a list.
    fn number_of(&mut self, at: LoopId, first: i128, numbers: &[i128]) -> Option<Kind> {
        let step = numbers.get(1)?.checked_sub(numbers[0])?;
        let regular = numbers.windows(2).all(|pair| pair[1].checked_sub(pair[0]) == Some(step));
        if regular && step == 0 {
            return Some(Kind::Const(Const::Int(numbers[0])));
        }
        if regular {
            let start = numbers[0].checked_sub(step.checked_mul(first)?)?;
            return Some(Kind::Linear(at, i64::try_from(step).ok()?, i64::try_from(start).ok()?));
        }
        let part = |n: &i128| Some((*n, n.checked_add(1)?));
        let parts = numbers.iter().map(part).collect::<Option<_>>()?;
        self.written.add(Listed { first, parts }).map(|portion| Kind::Portion(at, portion))
    }

    /// Part by part, where all are of one shape.
    fn parts_of(&mut self, at: LoopId, first: i128, all: &[&Val], depth: u32) -> Option<Aggregate> {
        let shapes: Vec<&Aggregate> = all.iter().map(|value| parts(value)).collect::<Option<_>>()?;
        let (one, rest) = shapes.split_first().filter(|_| depth < MAX_NESTING)?;
        let mut taken = Aggregate::default();
        for (proj, value) in &one.fields {
            let others = rest.iter().map(|shape| shape.field(*proj));
            let same: Vec<&Val> = std::iter::once(Some(value)).chain(others).collect::<Option<_>>()?;
            let part = self.one_of(at, first, &same, depth + 1);
            let joined = || same[1..].iter().fold(value.clone(), |joined, other| joined.join(other));
            taken.set(*proj, part.unwrap_or_else(joined));
        }
        Some(taken)
    }

    /// Arithmetic on a listed number.
    pub(super) fn listed_result(&mut self, op: BinaryOp, one: &Kind, two: &Kind) -> Option<Kind> {
        let (Kind::Portion(at, Portion::Listed { list: id, .. }), _) = (one, two) else {
            let commutes = matches!(op, BinaryOp::Add | BinaryOp::Mul);
            let listed = matches!(two, Kind::Portion(_, Portion::Listed { .. }));
            return if commutes && listed { self.listed_result(op, two, one) } else { None };
        };
        let changed = match (op, two) {
            (BinaryOp::Add, Kind::Const(Const::Int(n))) => {
                self.written.changed(*id, |part| Some((part.0.checked_add(*n)?, part.1.checked_add(*n)?)))
            }
            (BinaryOp::Sub, Kind::Const(Const::Int(n))) => {
                self.written.changed(*id, |part| Some((part.0.checked_sub(*n)?, part.1.checked_sub(*n)?)))
            }
            (BinaryOp::Mul, Kind::Const(Const::Int(n))) => {
                let (_, numbers) = self.written.numbers(*id)?;
                let all: Vec<i128> = numbers.iter().map(|own| own.checked_mul(*n)).collect::<Option<_>>()?;
                let first = self.written.get(*id).first;
                return self.number_of(*at, first, &all);
            }
            (BinaryOp::Add, Kind::Linear(inner, 1, add)) if inner != at => {
                let (from, to) = self.bounds_of(*inner)?;
                let add = i128::from(*add);
                self.written.changed(*id, |(least, end)| {
                    let (most, moved) = (end.checked_sub(1)?.checked_add(to)?, least.checked_add(from)?);
                    Some((moved.checked_add(add)?, most.checked_add(add)?))
                })
            }
            (BinaryOp::Add | BinaryOp::Sub, _) => return self.listed_pair(op, *at, one, two),
            _ => None,
        };
        changed.map(|portion| Kind::Portion(*at, portion))
    }

    /// The sum or difference of two numbers that the same round takes.
    fn listed_pair(&mut self, op: BinaryOp, at: LoopId, one: &Kind, two: &Kind) -> Option<Kind> {
        let (first, pairs) = self.side_by_side(at, one, two)?;
        let apply = |(a, b): &Part| if op == BinaryOp::Add { a.checked_add(*b) } else { a.checked_sub(*b) };
        let numbers: Vec<i128> = pairs.iter().map(apply).collect::<Option<_>>()?;
        self.number_of(at, first, &numbers)
    }

    /// Both numbers of each round that has both.
    fn side_by_side(&self, at: LoopId, one: &Kind, two: &Kind) -> Option<(i128, Vec<Part>)> {
        let listed = |kind: &Kind| match kind {
            Kind::Portion(of, Portion::Listed { list: id, .. }) if *of == at => self.written.numbers(*id),
            _ => None,
        };
        let linear = |kind: &Kind, (first, len): (i128, usize)| match kind {
            Kind::Linear(of, mul, add) if *of == at => {
                let number =
                    |n| (first + n as i128).checked_mul(i128::from(*mul))?.checked_add(i128::from(*add));
                Some((first, (0..len).map(number).collect::<Option<Vec<_>>>()?))
            }
            Kind::Const(Const::Int(n)) => Some((first, vec![*n; len])),
            _ => None,
        };
        let (one, two) = match (listed(one), listed(two)) {
            (Some(one), Some(two)) => (one, two),
            (Some(one), None) => {
                let like = (one.0, one.1.len());
                (one, linear(two, like)?)
            }
            (None, Some(two)) => {
                let like = (two.0, two.1.len());
                (linear(one, like)?, two)
            }
            (None, None) => return None,
        };
        let first = one.0.max(two.0);
        let skipped = |from: i128| usize::try_from(first - from).ok();
        let (ones, twos) = (one.1.get(skipped(one.0)?..)?, two.1.get(skipped(two.0)?..)?);
        Some((first, ones.iter().copied().zip(twos.iter().copied()).collect()))
    }

    /// The numbers from `start` on that are less than `end` and so many more, if each round has its own.
    pub(super) fn listed_between(&mut self, start: &Kind, end: &Kind, more: i64) -> Option<Kind> {
        let at = match (start, end) {
            (Kind::Portion(at, Portion::Listed { .. }), _)
            | (_, Kind::Portion(at, Portion::Listed { .. })) => *at,
            _ => return None,
        };
        let (first, pairs) = self.side_by_side(at, start, end)?;
        let part = |(from, to): &Part| Some((*from, to.checked_add(i128::from(more))?));
        let parts = pairs.iter().map(part).collect::<Option<_>>()?;
        self.written.add(Listed { first, parts }).map(|portion| Kind::Portion(at, portion))
    }

    /// So many numbers from `start` on.
    pub(super) fn listed_from(&mut self, start: &Kind, count: &Kind) -> Option<Kind> {
        let end = self.listed_result(BinaryOp::Add, start, count)?;
        self.listed_between(start, &end, 0)
    }

    /// The same of a range.
    pub(super) fn listed_range(&mut self, range: &Aggregate) -> Option<Kind> {
        let bound = |name| range.field(Proj::Field(Name::new(name))).and_then(Val::single);
        let start = bound("start")?;
        match bound("end") {
            Some(end) => self.listed_between(start, end, 0),
            None => self.listed_between(start, bound("last")?, 1),
        }
    }
}

fn number(value: &Val) -> Option<i128> {
    match value.constant() {
        Some(Const::Int(n)) if !value.open => Some(*n),
        _ => None,
    }
}

fn parts(value: &Val) -> Option<&Aggregate> {
    match value.single() {
        Some(Kind::Aggregate(parts)) if !value.open && parts.variant.is_none() => Some(parts),
        _ => None,
    }
}

/// Whether a value is a list of numbers, or of such.
pub(super) fn is_written(value: &Val) -> bool {
    fn known(value: &Val, depth: u32) -> bool {
        let all = |shape: &Aggregate| shape.fields.iter().all(|(_, part)| known(part, depth + 1));
        number(value).is_some() || (depth < MAX_NESTING && parts(value).is_some_and(all))
    }
    parts(value).and_then(in_order).is_some_and(|all| all.len() > 1 && all.iter().all(|one| known(one, 0)))
}

/// The elements of an array, if all of them are known one by one.
fn in_order(elements: &Aggregate) -> Option<Vec<&Val>> {
    let len = elements.fields.len();
    let at = |n| elements.field(Proj::Index(Index::Const(i128::try_from(n).ok()?)));
    (len <= MAX_LENGTH && elements.variant.is_none()).then(|| (0..len).map(at).collect::<Option<_>>())?
}
