//! Portions: numbers that belong to one round of a loop, because those of different rounds never coincide.
//!
//! In: a loop's counter and what is computed from it: steps through the rest of an array, a residue, the start and the end of a
//! range. Out: `Kind::Portion` and `Kind::Block`, by which indices of different instances are told apart. Invariant: of two
//! numbers of one portion that were made in different rounds of its loop none equals the other.

use super::places::{LoopId, Portion, Proj};
use super::state::State;
use super::terms::{Operator, Term};
use super::units::{Scale, Span, UnitId};
use super::values::{Aggregate, Const, IterValue, Kind, Slack, StageKind, Val};
use super::{Cx, Interp};
use crate::hir::{BinaryOp, ExprId, ExprKind, Name};
use crate::resolve::LocalId;
use std::rc::Rc;

/// Numbers of an element lie no deeper in it.
const MAX_NESTING: u32 = 2;

/// What a loop's counter goes through: from the first number on, up to the second, exclusive.
pub type Bounds = (i128, i128);

/// A condition `local % step == own`, or `!=`.
pub(super) struct Residue {
    local: LocalId,
    portion: Kind,
    negated: bool,
}

impl Interp<'_> {
    /// A loop is entered with these bounds. All that it is ever entered with count, and one that isn't known leaves none.
    pub(super) fn note_bounds(&mut self, at: LoopId, bounds: Option<Bounds>) {
        let known = self.loop_bounds.entry(at).or_insert(bounds);
        *known = known.zip(bounds).map(|(old, new)| (old.0.min(new.0), old.1.max(new.1)));
    }

    pub(super) fn bounds_of(&self, at: LoopId) -> Option<Bounds> {
        self.loop_bounds.get(&at).copied().flatten()
    }

    /// Whether the counter of a loop takes so many values at most.
    fn takes_at_most(&self, at: LoopId, most: i64) -> bool {
        let by_bounds = self.bounds_of(at).is_some_and(|(from, to)| to - from <= i128::from(most));
        by_bounds || self.loop_rounds.get(&at).is_some_and(|rounds| i64::from(*rounds) <= most)
    }

    /// Whether each round of the loop started an instance of this context.
    pub(super) fn is_own(&self, at: LoopId) -> bool {
        self.contexts.get(self.context).loops.contains(&at)
    }

    /// `own + add + n * step`, for whatever `n`: those of different rounds never meet where there are no more rounds than that.
    pub(super) fn stride(&self, own: LoopId, add: i64, step: i64) -> Option<Kind> {
        let step = step.checked_abs().filter(|step| *step > 1)?;
        self.takes_at_most(own, step).then_some(Kind::Portion(own, Portion::Stride { step, add }))
    }

    /// The number in each round of a loop over a range.
    pub(super) fn counter_of(&mut self, at: LoopId, iter: &IterValue) -> Kind {
        let start = match &iter.first {
            Some(Kind::Const(Const::Int(n))) => Some(*n),
            _ => None,
        };
        let step = iter.stages.first().filter(|stage| stage.kind == StageKind::Step);
        self.units.note_span(at, if step.is_none() { iter.span } else { (None, None) });
        let Some(step) = step else {
            self.note_bounds(at, start.zip(iter.bound));
            return Kind::Linear(at, 1, 0);
        };
        let step = step.closure.as_ref().and_then(Val::single).cloned();
        if let (Some(Kind::Linear(own, 1, add)), Some(Kind::Unit(by))) = (&iter.first, &step) {
            self.note_bounds(at, None);
            return self.units.steps(*own, *add, *by).unwrap_or(Kind::Linear(at, 1, 0));
        }
        let step = match step {
            Some(Kind::Const(Const::Int(n))) => i64::try_from(n).ok().filter(|n| *n > 0),
            _ => None,
        };
        let rounds = start.zip(iter.bound).zip(step);
        self.note_bounds(
            at,
            rounds.map(|((from, to), step)| (0, to.saturating_sub(from).max(0) / i128::from(step) + 1)),
        );
        let from = start.and_then(|n| i64::try_from(n).ok());
        match (&iter.first, step, from) {
            (Some(Kind::Linear(own, 1, add)), Some(step), _) => {
                self.stride(*own, *add, step).unwrap_or(Kind::Linear(at, 1, 0))
            }
            (_, Some(step), Some(from)) => Kind::Linear(at, step, from),
            _ => Kind::Linear(at, 1, 0),
        }
    }

    /// An element that was made in one round of a loop is taken in one round of another: what differs from element to element does
    /// so from round to round.
    pub(super) fn renumber(&mut self, item: &mut Val, at: LoopId, depth: u32) {
        if self.collected.is_empty() || depth > MAX_NESTING {
            return;
        }
        for kind in &mut item.alts {
            match kind {
                Kind::Linear(made, ..) | Kind::Block(made, ..) | Kind::Portion(made, _)
                    if self.collected.contains(made) && !self.is_own(*made) && !self.loops.contains(made) =>
                {
                    self.note_bounds(at, self.bounds_of(*made));
                    *made = at;
                }
                Kind::Aggregate(parts) => {
                    let mut renumbered = (**parts).clone();
                    renumbered.fields.iter_mut().for_each(|(_, part)| self.renumber(part, at, depth + 1));
                    *parts = Rc::new(renumbered);
                }
                _ => {}
            }
        }
    }

    /// The ends of a range, if they are numbers that nobody knows.
    pub(super) fn span_of(&mut self, range: &Aggregate) -> Span {
        let field = |name| range.field(Proj::Field(Name::new(name))).and_then(Val::single);
        let (start, end) = (field("start"), field("end"));
        if !matches!(start, Some(Kind::Unit(_))) && !matches!(end, Some(Kind::Unit(_))) {
            return (None, None);
        }
        let mut unit = |kind: Option<&Kind>| self.units.of(kind?);
        (unit(start), unit(end))
    }

    /// The sum of two numbers of which one is a portion, or both together make one.
    pub(super) fn portion_sum(&mut self, a: &Kind, b: &Kind) -> Option<Kind> {
        match (a, b) {
            (Kind::Portion(at, Portion::Scaled { scale, .. }), Kind::Linear(own, 1, add))
                if self.is_own(*own) && !self.is_own(*at) =>
            {
                self.units.steps(*own, *add, scale.whole()?)
            }
            (Kind::Portion(_, Portion::Scaled { .. }), _) => {
                self.units.scaled(BinaryOp::Add, a, b).or_else(|| self.units.within(a, b))
            }
            (Kind::Portion(at, row @ Portion::Rows { width, .. }), _) => {
                self.stays_below(b, *width).then_some(Kind::Portion(*at, *row))
            }
            (Kind::Portion(at, portion), Kind::Const(Const::Int(n))) => {
                Some(Kind::Portion(*at, portion.moved(i64::try_from(*n).ok()?)?))
            }
            (Kind::Portion(at, portion @ Portion::Stride { step, .. }), Kind::Linear(_, mul, more))
                if mul % step == 0 =>
            {
                Some(Kind::Portion(*at, portion.moved(*more)?))
            }
            (Kind::Linear(own, 1, add), Kind::Linear(other, step, more))
                if self.is_own(*own) && !self.is_own(*other) =>
            {
                self.stride(*own, add.checked_add(*more)?, *step)
            }
            _ => None,
        }
    }

    /// A number from nothing on that is less than the unit.
    fn stays_below(&self, number: &Kind, unit: UnitId) -> bool {
        let within =
            |from: i128, to: i128| from >= 0 && self.units.number_of(unit).is_some_and(|unit| to <= unit);
        match number {
            Kind::Const(Const::Int(n)) => within(*n, n.saturating_add(1)),
            Kind::Linear(at, 1, 0) => {
                self.units.room_of(*at) == Some(unit)
                    || self.bounds_of(*at).is_some_and(|(from, to)| within(from, to))
            }
            _ => false,
        }
    }

    /// The value after two ways of which one is for the last round of a loop only: the other one's is the limit elsewhere.
    pub(super) fn limited(&self, one: (&State, &Val), two: (&State, &Val)) -> Option<Kind> {
        let of = |(last, _): (&State, &Val), (_, other): (&State, &Val)| {
            let limit = limit(other)?;
            let Kind::Portion(at, _) = limit else { return None };
            let round = *last.moment.rounds.get(&at)?;
            let last = self.bounds_of(at).is_some_and(|(_, end)| round.checked_add(1) == Some(end));
            (last || self.units.is_last(at, round)).then_some(limit)
        };
        of(one, two).or_else(|| of(two, one))
    }

    /// What comparing a loop's counter with the number of its last round tells: `i < n - 1`, `i >= n - 1`.
    pub(super) fn last_round(&self, op: BinaryOp, counter: &Kind, n: i128) -> Option<Kind> {
        let Kind::Linear(at, mul @ 1, add) = *counter else { return None };
        let (more, negated) = match op {
            BinaryOp::Lt => (0, true),
            BinaryOp::Ge => (0, false),
            BinaryOp::Le => (1, true),
            BinaryOp::Gt => (1, false),
            _ => return None,
        };
        let least = n.checked_add(more)?;
        let last = self.bounds_of(at)?.1.checked_sub(1)?;
        (least.checked_sub(i128::from(add)) == Some(last))
            .then(|| super::arithmetic::round_of_counter(at, mul, add, least, negated))
            .flatten()
    }

    /// What a condition of the form `local % step == own` tells of the local.
    pub(super) fn residue(&mut self, cx: &Cx, id: ExprId) -> Option<Residue> {
        let body = cx.body.clone();
        let expr = |id: ExprId| &body.body.expr(id).kind;
        let ExprKind::Binary { op: op @ (BinaryOp::Eq | BinaryOp::Ne), left, right } = expr(id) else {
            return None;
        };
        let (left, right) = (*left, *right);
        let plain = |id: ExprId| matches!(expr(id), ExprKind::Path(_) | ExprKind::Lit(_));
        let (of, step, own) = match (expr(left), expr(right)) {
            (ExprKind::Binary { op: BinaryOp::Rem, left: of, right: step }, _) => (*of, *step, right),
            (_, ExprKind::Binary { op: BinaryOp::Rem, left: of, right: step }) => (*of, *step, left),
            _ => return None,
        };
        let local = super::induction::local_of(&body, of)?;
        let here = self.frame_of(cx, local) == cx.frame && !self.shared_locals.contains(&(cx.frame, local));
        if !here || !plain(step) || !plain(own) {
            return None;
        }
        let (step, own) = (self.eval(cx, step), self.eval(cx, own));
        let (Some(Const::Int(step)), Some(Kind::Linear(at, 1, add))) = (step.constant(), own.single()) else {
            return None;
        };
        let portion = self.stride(*at, *add, i64::try_from(*step).ok()?)?;
        Some(Residue { local, portion, negated: *op == BinaryOp::Ne })
    }

    pub(super) fn learn_residue(&mut self, cx: &Cx, residue: Residue, yes: &mut State, no: &mut State) {
        let holds = if residue.negated { no } else { yes };
        let Some(old) = holds.local(cx.frame, residue.local) else { return };
        let value = Val::of(residue.portion, old.ty.clone()).with_deps(&old.deps);
        holds.set_local(cx.frame, residue.local, value);
    }
}

/// The lesser of a number that is linear in a loop and another one.
pub(super) fn lesser(a: &Val, b: &Val) -> Option<Kind> {
    limit(a).or_else(|| limit(b))
}

/// No more than this number.
fn limit(value: &Val) -> Option<Kind> {
    match value.single()? {
        Kind::Linear(at, mul, add) => Some(Kind::Portion(*at, Portion::UpTo { mul: *mul, add: *add })),
        Kind::Portion(at, Portion::Scaled { scale, add }) => {
            Some(Kind::Portion(*at, Portion::UpToScaled { scale: *scale, add: *add }))
        }
        limit @ Kind::Portion(_, Portion::UpTo { .. } | Portion::UpToScaled { .. }) => Some(limit.clone()),
        _ => None,
    }
}

/// The range `own * m + a .. own * m + b`, if those of different rounds don't overlap.
pub(super) fn own_block(range: &Aggregate) -> Option<Kind> {
    let bound = |name| range.field(Proj::Field(Name::new(name)))?.single();
    let start = bound("start")?;
    match bound("end") {
        Some(end) => block_between(start, end, 0),
        None => block_between(start, bound("last")?, 1),
    }
}

/// Numbers from `start` on that are less than `end` and so many more.
pub(super) fn block_between(start: &Kind, end: &Kind, more: i64) -> Option<Kind> {
    if let (Kind::Portion(at, Portion::Scaled { scale, add }), Kind::Portion(end_at, limit)) = (start, end) {
        let (Portion::Scaled { scale: by, add: end } | Portion::UpToScaled { scale: by, add: end }) = limit
        else {
            return None;
        };
        let apart = (at, scale) == (end_at, by) && more == 0 && *end == add.checked_add(1)?;
        return apart.then_some(Kind::Portion(*at, Portion::Within { scale: *scale, add: *add }));
    }
    let Kind::Linear(at, mul, start) = *start else { return None };
    let (end_at, end_mul, end, exact) = match *end {
        Kind::Linear(at, mul, add) => (at, mul, add, true),
        Kind::Portion(at, Portion::UpTo { mul, add }) if mul > 0 => (at, mul, add, false),
        _ => return None,
    };
    let above = mul.checked_abs()?.checked_sub(end.checked_add(more)?.checked_sub(start)?)?;
    let apart = (at, mul) == (end_at, end_mul) && above >= 0;
    let above = if mul > 0 && exact { above } else { 0 };
    apart.then_some(Kind::Block(at, mul, start, Slack { below: 0, above }))
}

impl Portion {
    /// The same numbers, each with this one added.
    fn moved(self, by: i64) -> Option<Portion> {
        Some(match self {
            Portion::Stride { step, add } => Portion::Stride { step, add: add.checked_add(by)? },
            Portion::Steps { by: unit, add } => Portion::Steps { by: unit, add: add.checked_add(by)? },
            Portion::UpTo { mul, add } => Portion::UpTo { mul, add: add.checked_add(by)? },
            Portion::Scaled { .. }
            | Portion::Rows { .. }
            | Portion::Within { .. }
            | Portion::UpToScaled { .. }
            | Portion::Listed { .. } => return None,
        })
    }

    /// The same as a term in the number of its round.
    pub(super) fn as_term(self, round: &Rc<Term>) -> Option<Rc<Term>> {
        let apply = |op, a: &Rc<Term>, b: Term| Term::apply(Operator::Binary(op), a, &Rc::new(b));
        let scaled = |scale: Scale, add: i64| {
            let at = apply(BinaryOp::Add, round, Term::Const(i128::from(add)))?;
            let (by, over) = scale.units();
            let at = apply(BinaryOp::Mul, &at, Term::Unit(by))?;
            over.map_or(Some(at.clone()), |over| apply(BinaryOp::Div, &at, Term::Unit(over)))
        };
        match self {
            Portion::Scaled { scale, add } => scaled(scale, add),
            Portion::Within { scale, add } => {
                Term::within(&scaled(scale, add)?, &scaled(scale, add.checked_add(1)?)?)
            }
            Portion::Stride { .. }
            | Portion::Steps { .. }
            | Portion::Rows { .. }
            | Portion::UpTo { .. }
            | Portion::UpToScaled { .. }
            | Portion::Listed { .. } => None,
        }
    }

    /// Whether those of different rounds differ.
    pub(super) fn is_own(self) -> bool {
        match self {
            Portion::Stride { .. }
            | Portion::Steps { .. }
            | Portion::Rows { .. }
            | Portion::Within { .. } => true,
            Portion::Listed { apart, .. } => apart,
            Portion::Scaled { scale, .. } => scale.is_whole(),
            Portion::UpTo { .. } | Portion::UpToScaled { .. } => false,
        }
    }
}
