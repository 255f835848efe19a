//! Units: numbers that nobody knows but that are always the same, and what is a multiple of one.
//!
//! In: locals that don't change and hold an unknown number; arithmetic on them and on counters of loops. Out: `Kind::Unit` and
//! `Portion::Scaled`, so that `own * chunk .. (own + 1) * chunk` is known to be one's own whatever `chunk` is. Invariant: two units
//! with one id have the same value wherever both are met, unless they were made in different rounds of one of `Unit::loops`.

use super::contexts::ContextId;
use super::places::{FrameId, LoopId, Portion};
use super::values::{Const, Kind, Subject, Test, Val};
use super::{Cx, Interp};
use crate::hir::{BinaryOp, ExprId};
use crate::resolve::LocalId;
use rustc_hash::FxHashMap;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UnitId(u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Key {
    Number(i64),
    Local(FrameId, LocalId),
    Call(FrameId, ExprId),
    Apply(BinaryOp, UnitId, UnitId),
}

impl UnitId {
    /// How many units were met before it.
    pub(super) fn rank(self) -> i128 {
        i128::from(self.0)
    }
}

struct Unit {
    /// How many operations went into it.
    size: u32,
    /// In each round of these it may be another number.
    loops: Rc<[LoopId]>,
    /// Each instance of these has another one.
    contexts: Rc<[ContextId]>,
}

/// Longer computations are not followed.
const MAX_SIZE: u32 = 8;
/// Of a loop whose end is a unit: the number of its last round.
const LAST: i128 = i128::MAX;

#[derive(Default)]
pub(super) struct Units {
    list: Vec<Unit>,
    ids: FxHashMap<Key, UnitId>,
    /// Where the counters of loops begin and end, as far as the units tell.
    ends: FxHashMap<LoopId, Span>,
}

/// From where on and up to where, exclusive, a loop's counter goes.
pub type Span = (Option<UnitId>, Option<UnitId>);

/// Multiplied by one unit and divided by another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Scale {
    by: UnitId,
    over: Option<UnitId>,
}

impl Units {
    fn get(&self, id: UnitId) -> &Unit {
        &self.list[id.0 as usize]
    }

    fn add(&mut self, key: Key, unit: impl FnOnce(&Units) -> Unit) -> UnitId {
        if let Some(id) = self.ids.get(&key) {
            return *id;
        }
        let id = UnitId(self.list.len() as u32);
        self.list.push(unit(self));
        self.ids.insert(key, id);
        id
    }

    pub(super) fn number(&mut self, n: i128) -> Option<UnitId> {
        let plain = |_: &Units| Unit { size: 0, loops: Rc::default(), contexts: Rc::default() };
        Some(self.add(Key::Number(i64::try_from(n).ok()?), plain))
    }

    /// The number that a unit is, if it is known after all.
    pub(super) fn number_of(&self, unit: UnitId) -> Option<i128> {
        self.ids.iter().find_map(|(key, id)| match key {
            Key::Number(n) if *id == unit => Some(i128::from(*n)),
            _ => None,
        })
    }

    fn apply(&mut self, op: BinaryOp, a: UnitId, b: UnitId) -> Option<UnitId> {
        let size = self.get(a).size + self.get(b).size + 1;
        let both = |units: &Units| {
            let (one, two) = (units.get(a), units.get(b));
            Unit { size, loops: all(&one.loops, &two.loops), contexts: all(&one.contexts, &two.contexts) }
        };
        (size <= MAX_SIZE).then(|| self.add(Key::Apply(op, a, b), both))
    }

    /// The unit that a value is, or the number.
    pub(super) fn of(&mut self, kind: &Kind) -> Option<UnitId> {
        match kind {
            Kind::Unit(id) => Some(*id),
            Kind::Const(Const::Int(n)) => self.number(*n),
            _ => None,
        }
    }

    /// An operation on two units, or on a unit and a number.
    pub(super) fn binary(&mut self, op: BinaryOp, a: &Kind, b: &Kind) -> Option<Kind> {
        use BinaryOp::{Add, BitAnd, Div, Mul, Rem, Shl, Shr, Sub};
        if !matches!(op, Add | Sub | Mul | Div | Rem | Shl | Shr | BitAnd) {
            return None;
        }
        let (a, b) = (self.of(a)?, self.of(b)?);
        self.apply(op, a, b).map(Kind::Unit)
    }

    /// A loop is entered with these ends: those that it is always entered with count.
    pub(super) fn note_span(&mut self, at: LoopId, span: Span) {
        let known = self.ends.entry(at).or_insert(span);
        let same = |old: Option<UnitId>, new: Option<UnitId>| old.filter(|old| Some(*old) == new);
        *known = (same(known.0, span.0), same(known.1, span.1));
    }

    /// Where loops begin and end, as far as that is the same wherever it is met.
    pub(super) fn spans(&self, is_many: impl Fn(ContextId) -> bool) -> FxHashMap<LoopId, Span> {
        let fixed = |id: Option<UnitId>| id.filter(|id| self.is_fixed(*id, &is_many));
        self.ends.iter().map(|(at, span)| (*at, (fixed(span.0), fixed(span.1)))).collect()
    }

    /// Whether it is one number wherever it is met.
    pub(super) fn is_fixed(&self, id: UnitId, is_many: impl Fn(ContextId) -> bool) -> bool {
        let unit = self.get(id);
        unit.loops.is_empty() && !unit.contexts.iter().any(|id| is_many(*id))
    }

    /// The unit that a loop's counter stays below that begins at nothing.
    pub(super) fn room_of(&self, at: LoopId) -> Option<UnitId> {
        let (from, to) = self.ends.get(&at)?;
        from.filter(|from| self.ids.get(&Key::Number(0)) == Some(from)).and(*to)
    }

    fn end_of(&self, at: LoopId) -> Option<UnitId> {
        self.ends.get(&at)?.1
    }

    fn is_fixed_in(&self, id: UnitId, at: LoopId) -> bool {
        !self.get(id).loops.contains(&at)
    }

    /// `own + add` multiplied by the unit.
    fn times(&mut self, (own, add): (LoopId, i64), by: UnitId) -> Option<Kind> {
        let scale = Scale { by, over: None };
        self.is_fixed_in(by, own).then_some(Kind::Portion(own, Portion::Scaled { scale, add }))
    }

    /// `own + add + n * by`, for whatever `n`, where that is as many steps as there are rounds.
    pub(super) fn steps(&mut self, own: LoopId, add: i64, by: UnitId) -> Option<Kind> {
        let none = self.number(0)?;
        let all = self.ends.get(&own) == Some(&(Some(none), Some(by)));
        (all && self.is_fixed_in(by, own)).then_some(Kind::Portion(own, Portion::Steps { by, add }))
    }

    /// What a counter, or a multiple of it, comes to.
    pub(super) fn scaled(&mut self, op: BinaryOp, a: &Kind, b: &Kind) -> Option<Kind> {
        match (op, a, b) {
            (BinaryOp::Mul, Kind::Linear(own, 1, add), Kind::Unit(by))
            | (BinaryOp::Mul, Kind::Unit(by), Kind::Linear(own, 1, add)) => self.times((*own, *add), *by),
            (BinaryOp::Div, Kind::Linear(own, mul, add), over) if *mul > 0 && add % mul == 0 => {
                let by = self.number(i128::from(*mul))?;
                let start =
                    Kind::Portion(*own, Portion::Scaled { scale: Scale { by, over: None }, add: add / mul });
                self.scaled(op, &start, over)
            }
            (_, Kind::Portion(own, Portion::Scaled { scale, add }), other) => {
                let unit = self.of(other)?;
                if !self.is_fixed_in(unit, *own) {
                    return None;
                }
                let (scale, add) = self.rescaled(op, (*scale, *add), unit)?;
                Some(Kind::Portion(*own, Portion::Scaled { scale, add }))
            }
            (
                BinaryOp::Mul,
                Kind::Portion(own, steps @ (Portion::Stride { .. } | Portion::Steps { .. })),
                other,
            ) => {
                let width = self.of(other).filter(|width| self.is_fixed_in(*width, *own))?;
                let (step, add) = match *steps {
                    Portion::Stride { step, add } => (self.number(i128::from(step))?, add),
                    Portion::Steps { by, add } => (by, add),
                    _ => return None,
                };
                Some(Kind::Portion(*own, Portion::Rows { step, add, width }))
            }
            (BinaryOp::Add | BinaryOp::Mul, one, two @ Kind::Portion(..))
                if !matches!(one, Kind::Portion(..)) =>
            {
                self.scaled(op, two, one)
            }
            _ => None,
        }
    }

    fn rescaled(&mut self, op: BinaryOp, (scale, add): (Scale, i64), unit: UnitId) -> Option<(Scale, i64)> {
        let whole = scale.over.is_none();
        Some(match op {
            BinaryOp::Add if whole && unit == scale.by => (scale, add.checked_add(1)?),
            BinaryOp::Sub if whole && unit == scale.by => (scale, add.checked_sub(1)?),
            BinaryOp::Mul if whole => {
                (Scale { by: self.apply(BinaryOp::Mul, scale.by, unit)?, over: None }, add)
            }
            BinaryOp::Div => {
                let over = match scale.over {
                    Some(over) => self.apply(BinaryOp::Mul, over, unit)?,
                    None => unit,
                };
                (Scale { over: Some(over), ..scale }, add)
            }
            _ => return None,
        })
    }

    /// `own * unit` and the counter of a loop that runs from zero to the unit.
    pub(super) fn within(&mut self, a: &Kind, b: &Kind) -> Option<Kind> {
        let (Kind::Portion(own, Portion::Scaled { scale, add }), Kind::Linear(at, 1, 0)) = (a, b) else {
            return None;
        };
        let none = self.number(0)?;
        let (from, to) = *self.ends.get(at)?;
        let fits = scale.over.is_none() && from == Some(none) && to == Some(scale.by);
        fits.then_some(Kind::Portion(*own, Portion::Within { scale: *scale, add: *add }))
    }

    /// What comparing a loop's counter with a unit tells: in which of its rounds that is.
    pub(super) fn in_round(&mut self, op: BinaryOp, counter: &Kind, unit: UnitId) -> Option<Kind> {
        let Kind::Linear(at, 1, add) = *counter else { return None };
        let one = self.number(1)?;
        let last = match (add, self.end_of(at)) {
            (0, Some(end)) => self.apply(BinaryOp::Sub, end, one) == Some(unit),
            (1, end) => end == Some(unit),
            _ => false,
        };
        let (number, negated) = match op {
            BinaryOp::Eq | BinaryOp::Ne if last => (LAST, op == BinaryOp::Ne),
            BinaryOp::Lt | BinaryOp::Ge if last => (LAST, op == BinaryOp::Lt),
            BinaryOp::Eq | BinaryOp::Ne if self.is_fixed_in(unit, at) => {
                let key = i128::MIN + (i128::from(unit.0) << 64) + i128::from(add);
                (key, op == BinaryOp::Ne)
            }
            _ => return None,
        };
        Some(Kind::Test(Rc::new(Test { subject: Subject::Round(at, number), negated })))
    }

    /// Whether the round with this number is a loop's last.
    pub(super) fn is_last(&self, at: LoopId, round: i128) -> bool {
        round == LAST && self.end_of(at).is_some()
    }
}

impl Scale {
    /// Multiplied by a unit and nothing else: those of different rounds differ.
    pub fn is_whole(self) -> bool {
        self.over.is_none()
    }

    /// What it multiplies by, and what it then divides by.
    pub(super) fn units(self) -> (UnitId, Option<UnitId>) {
        (self.by, self.over)
    }

    pub(super) fn whole(self) -> Option<UnitId> {
        self.over.is_none().then_some(self.by)
    }

    pub(super) fn is_by(self, unit: UnitId) -> bool {
        self.over.is_none() && self.by == unit
    }
}

impl Interp<'_> {
    /// An unknown number that a local holds for good gets a name.
    pub(super) fn name_number(&mut self, cx: &Cx, local: LocalId, value: &mut Val) {
        let unknown =
            value.open && value.alts.is_empty() && super::arithmetic::integer_bits(&value.ty).is_some();
        if !unknown || cx.body.locals[local.0 as usize].mutable {
            return;
        }
        *value = self.named_number(Key::Local(cx.frame, local), value.clone());
    }

    /// The same for the result of a call.
    pub(super) fn number_of_call(&mut self, cx: &Cx, call: ExprId, value: Val) -> Val {
        self.named_number(Key::Call(cx.frame, call), value)
    }

    fn named_number(&mut self, key: Key, mut value: Val) -> Val {
        let started = self.contexts.ancestry(self.context);
        let outer = started.flat_map(|id| self.contexts.get(id).loops.iter());
        let loops = self.loops.iter().chain(outer).copied().collect();
        let contexts = Rc::from([self.context]);
        let id = self.units.add(key, |_| Unit { size: 0, loops, contexts });
        value.alts.push(Kind::Unit(id));
        value.open = false;
        value
    }
}

fn all<T: Copy>(one: &Rc<[T]>, two: &Rc<[T]>) -> Rc<[T]> {
    if two.is_empty() { one.clone() } else { one.iter().chain(two.iter()).copied().collect() }
}
