//! Symbolic numbers: what a value is in terms of the reads it was computed from.
//!
//! In: constants, reads and the operations on them. Out: terms that can be evaluated once the values read are known,
//! so that schedules have values and the results of interleavings can be worked out.
//! Invariants: a term has at most `MAX_SIZE` operations; truth values are 0 and 1; evaluation is over the
//! mathematical integers and gives nothing where it would overflow `i128` or divide by zero.

use super::contexts::ContextId;
use super::places::{LoopId, PlaceId};
use super::units::UnitId;
use super::values::{Const, ReadId};
use crate::hir::BinaryOp;
use std::rc::Rc;

/// Longer computations are not followed.
const MAX_SIZE: u32 = 24;
/// Any number is taken to lie between this and its negative.
const WIDE: i128 = 1 << 80;

#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    Const(i128),
    /// What this read of this context found.
    Read(ContextId, ReadId),
    /// What the access that the term belongs to found itself.
    Old,
    /// A number that nobody knows but that is always the same.
    Unit(UnitId),
    /// The number of a round that is somebody's own.
    Round(Rounds),
    /// Some number from the one on and less than the other.
    Within(Rc<Term>, Rc<Term>),
    Apply(Operator, Rc<Term>, Rc<Term>),
}

/// Whose round it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rounds {
    /// Each round of the loop started an instance.
    Started(LoopId),
    /// What was put into the list in each round of the loop was taken out again.
    Taken(PlaceId, LoopId),
}

/// What a term may be made of that differs from instance to instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaf {
    Read(ReadId),
    Round(Rounds),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    Binary(BinaryOp),
    Min,
    Max,
    /// The logarithm to base 2, rounded down, of the first operand.
    Log2,
}

impl Operator {
    /// The operator that a model calls by this name.
    pub fn named(word: &str) -> Option<Operator> {
        Some(match word {
            "add" => Operator::Binary(BinaryOp::Add),
            "sub" => Operator::Binary(BinaryOp::Sub),
            "mul" => Operator::Binary(BinaryOp::Mul),
            "div" => Operator::Binary(BinaryOp::Div),
            "rem" => Operator::Binary(BinaryOp::Rem),
            "and" => Operator::Binary(BinaryOp::BitAnd),
            "or" => Operator::Binary(BinaryOp::BitOr),
            "shl" => Operator::Binary(BinaryOp::Shl),
            "shr" => Operator::Binary(BinaryOp::Shr),
            "xor" => Operator::Binary(BinaryOp::BitXor),
            "eq" => Operator::Binary(BinaryOp::Eq),
            "min" => Operator::Min,
            "max" => Operator::Max,
            "log2" => Operator::Log2,
            _ => return None,
        })
    }

    fn apply(self, a: i128, b: i128) -> Option<i128> {
        match self {
            Operator::Binary(op) => number(&fold_int(op, a, b)?),
            Operator::Min => Some(a.min(b)),
            Operator::Max => Some(a.max(b)),
            Operator::Log2 => a.checked_ilog2().map(i128::from),
        }
    }

    /// The numbers that it gives for those of two ranges; all there are where they don't follow from the ends.
    fn range(self, (al, ah): (i128, i128), (bl, bh): (i128, i128)) -> Option<(i128, i128)> {
        let anything = Some((-WIDE, WIDE));
        if al == ah && bl == bh {
            return self.apply(al, bl).map(|n| (n, n));
        }
        let ends = |low: (i128, i128), high: (i128, i128)| {
            let (low, high) = (self.apply(low.0, low.1)?, self.apply(high.0, high.1)?);
            Some((low.min(high), low.max(high)))
        };
        let repeats = |period: i128| match (al.checked_div(period)? == ah / period, period) {
            (true, _) => Some((al % period, ah % period)),
            (false, _) => Some((0, period - 1)),
        };
        match self {
            Operator::Min | Operator::Max | Operator::Binary(BinaryOp::Add) => ends((al, bl), (ah, bh)),
            Operator::Binary(BinaryOp::Sub) => ends((al, bh), (ah, bl)),
            Operator::Binary(BinaryOp::Mul) if al >= 0 && bl >= 0 => ends((al, bl), (ah, bh)),
            Operator::Binary(BinaryOp::Div | BinaryOp::Shr | BinaryOp::Shl) | Operator::Log2
                if al >= 0 && bl == bh =>
            {
                ends((al, bl), (ah, bh))
            }
            Operator::Binary(BinaryOp::Rem) if al >= 0 && bl == bh && bl > 0 => repeats(bl),
            Operator::Binary(BinaryOp::BitAnd) if al >= 0 && bl == bh && bl >= 0 && bl & (bl + 1) == 0 => {
                repeats(bl + 1)
            }
            Operator::Log2 | Operator::Binary(_) => anything,
        }
    }
}

impl Term {
    pub fn apply(op: Operator, a: &Rc<Term>, b: &Rc<Term>) -> Option<Rc<Term>> {
        if let (Term::Const(a), Term::Const(b)) = (&**a, &**b) {
            return op.apply(*a, *b).map(|n| Rc::new(Term::Const(n)));
        }
        // The length of a range from its start on.
        if let (Operator::Binary(BinaryOp::Add), Term::Apply(Operator::Binary(BinaryOp::Sub), end, start)) =
            (op, &**b)
            && start == a
        {
            return Some(end.clone());
        }
        (a.size() + b.size() < MAX_SIZE).then(|| Rc::new(Term::Apply(op, a.clone(), b.clone())))
    }

    /// Some number from the one on and less than the other.
    pub fn within(from: &Rc<Term>, to: &Rc<Term>) -> Option<Rc<Term>> {
        (from.size() + to.size() < MAX_SIZE).then(|| Rc::new(Term::Within(from.clone(), to.clone())))
    }

    /// By how much it is more than what was found there, if by a constant.
    pub fn steps(&self) -> Option<i128> {
        let Term::Apply(Operator::Binary(op), found, by) = self else { return None };
        match (&**found, op, &**by) {
            (Term::Read(..) | Term::Old, BinaryOp::Add, Term::Const(n)) => Some(*n),
            (Term::Read(..) | Term::Old, BinaryOp::Sub, Term::Const(n)) => n.checked_neg(),
            _ => None,
        }
    }

    fn size(&self) -> u32 {
        match self {
            Term::Const(_) | Term::Read(..) | Term::Old | Term::Unit(_) | Term::Round(_) => 0,
            Term::Within(a, b) | Term::Apply(_, a, b) => 1 + a.size() + b.size(),
        }
    }

    /// The least and the greatest number that it may be where `Old` is this; `None` where it is none.
    pub fn range(&self, old: i128) -> Option<(i128, i128)> {
        match self {
            Term::Const(n) => Some((*n, *n)),
            Term::Old => Some((old, old)),
            Term::Read(..) | Term::Unit(_) | Term::Round(_) => Some((-WIDE, WIDE)),
            Term::Within(from, to) => {
                let (least, most) = (from.range(old)?.0, to.range(old)?.1.checked_sub(1)?);
                (least <= most).then_some((least, most))
            }
            Term::Apply(op, a, b) => op.range(a.range(old)?, b.range(old)?),
        }
    }

    /// With this leaf replaced by `Old`.
    pub fn replaced(term: &Rc<Term>, by_old: Leaf) -> Rc<Term> {
        match &**term {
            Term::Read(_, read) if Leaf::Read(*read) == by_old => Rc::new(Term::Old),
            Term::Round(rounds) if Leaf::Round(*rounds) == by_old => Rc::new(Term::Old),
            Term::Const(_) | Term::Old | Term::Read(..) | Term::Unit(_) | Term::Round(_) => term.clone(),
            Term::Within(a, b) => Rc::new(Term::Within(Term::replaced(a, by_old), Term::replaced(b, by_old))),
            Term::Apply(op, a, b) => {
                Rc::new(Term::Apply(*op, Term::replaced(a, by_old), Term::replaced(b, by_old)))
            }
        }
    }

    /// The number, given what the reads found.
    pub fn value(
        &self,
        old: Option<i128>,
        found: &dyn Fn(ContextId, ReadId) -> Option<i128>,
    ) -> Option<i128> {
        match self {
            Term::Const(n) => Some(*n),
            Term::Read(context, read) => found(*context, *read),
            Term::Old => old,
            Term::Within(..) | Term::Unit(_) | Term::Round(_) => None,
            Term::Apply(op, a, b) => op.apply(a.value(old, found)?, b.value(old, found)?),
        }
    }

    /// With the reads whose value is known replaced by it.
    pub fn settle(term: &Rc<Term>, known: &dyn Fn(ContextId, ReadId) -> Option<i128>) -> Rc<Term> {
        match &**term {
            Term::Const(_) | Term::Old | Term::Unit(_) | Term::Round(_) => term.clone(),
            Term::Read(owner, read) => known(*owner, *read).map_or(term.clone(), |n| Rc::new(Term::Const(n))),
            Term::Within(a, b) => Rc::new(Term::Within(Term::settle(a, known), Term::settle(b, known))),
            Term::Apply(op, a, b) => {
                let (a, b) = (Term::settle(a, known), Term::settle(b, known));
                Rc::new(Term::Apply(*op, a, b))
            }
        }
    }

    /// With numbers for the units.
    pub fn with_units(term: &Rc<Term>, number: &dyn Fn(UnitId) -> i128) -> Rc<Term> {
        let inner = |term| Term::with_units(term, number);
        match &**term {
            Term::Unit(unit) => Rc::new(Term::Const(number(*unit))),
            Term::Const(_) | Term::Old | Term::Read(..) | Term::Round(_) => term.clone(),
            Term::Within(a, b) => Rc::new(Term::Within(inner(a), inner(b))),
            Term::Apply(op, a, b) => Rc::new(Term::Apply(*op, inner(a), inner(b))),
        }
    }

    /// Calls `visit` for each unit in it.
    pub fn each_unit(&self, visit: &mut dyn FnMut(UnitId)) {
        match self {
            Term::Unit(unit) => visit(*unit),
            Term::Const(_) | Term::Old | Term::Read(..) | Term::Round(_) => {}
            Term::Within(a, b) | Term::Apply(_, a, b) => {
                a.each_unit(visit);
                b.each_unit(visit);
            }
        }
    }

    /// Calls `visit` for each constant in it.
    pub fn each_constant(&self, visit: &mut dyn FnMut(i128)) {
        match self {
            Term::Const(n) => visit(*n),
            Term::Read(..) | Term::Old | Term::Unit(_) | Term::Round(_) => {}
            Term::Within(a, b) | Term::Apply(_, a, b) => {
                a.each_constant(visit);
                b.each_constant(visit);
            }
        }
    }

    /// The rounds in it, if they are all of one kind.
    pub fn rounds(&self) -> Option<Rounds> {
        match self {
            Term::Round(rounds) => Some(*rounds),
            Term::Const(_) | Term::Old | Term::Unit(_) | Term::Read(..) => None,
            Term::Within(a, b) | Term::Apply(_, a, b) => match (a.rounds(), b.rounds()) {
                (Some(one), Some(two)) => (one == two).then_some(one),
                (one, two) => one.or(two),
            },
        }
    }

    /// Calls `visit` for each read in it.
    pub fn each_read(&self, visit: &mut dyn FnMut(ContextId, ReadId)) {
        match self {
            Term::Const(_) | Term::Old | Term::Unit(_) | Term::Round(_) => {}
            Term::Read(context, read) => visit(*context, *read),
            Term::Within(a, b) | Term::Apply(_, a, b) => {
                a.each_read(visit);
                b.each_read(visit);
            }
        }
    }
}

/// A constant as a number, truth values as 0 and 1.
pub fn number(constant: &Const) -> Option<i128> {
    match constant {
        Const::Int(n) => Some(*n),
        Const::Bool(b) => Some(i128::from(*b)),
        Const::Char(_) | Const::Str(_) | Const::Float(_) => None,
    }
}

/// What a binary operation on two integers gives; `None` where it overflows or isn't defined.
pub fn fold_int(op: BinaryOp, a: i128, b: i128) -> Option<Const> {
    let shift = u32::try_from(b).ok().filter(|s| *s < 127);
    Some(match op {
        BinaryOp::Add => Const::Int(a.checked_add(b)?),
        BinaryOp::Sub => Const::Int(a.checked_sub(b)?),
        BinaryOp::Mul => Const::Int(a.checked_mul(b)?),
        BinaryOp::Div => Const::Int(a.checked_div(b)?),
        BinaryOp::Rem => Const::Int(a.checked_rem(b)?),
        BinaryOp::BitXor => Const::Int(a ^ b),
        BinaryOp::BitAnd => Const::Int(a & b),
        BinaryOp::BitOr => Const::Int(a | b),
        BinaryOp::Shl => Const::Int(a.checked_mul(1_i128.checked_shl(shift?)?)?),
        BinaryOp::Shr => Const::Int(a.checked_shr(shift?)?),
        BinaryOp::Eq => Const::Bool(a == b),
        BinaryOp::Ne => Const::Bool(a != b),
        BinaryOp::Lt => Const::Bool(a < b),
        BinaryOp::Le => Const::Bool(a <= b),
        BinaryOp::Gt => Const::Bool(a > b),
        BinaryOp::Ge => Const::Bool(a >= b),
        BinaryOp::And | BinaryOp::Or => return None,
    })
}
