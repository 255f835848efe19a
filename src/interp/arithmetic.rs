//! Arithmetic on abstract values: constants folded, counters kept linear, and what a comparison tells of what it compares.
//!
//! In: the two values. Out: the value, with the reads that both depend on. A number that was loaded, counted down, drawn or
//! is the context's own gives a test, from which `condition` learns.

use super::Interp;
use super::access::{Effect, Runs, Side};
use super::places::{LoopId, PlaceId, Portion, Proj, Root};
use super::terms::{Operator, Rounds, Term, fold_int};
use super::values::{Const, Deps, Kind, Pointer, ReadId, Slack, Subject, Test, Val};
use crate::finding::AccessKind;
use crate::hir::{BinaryOp, Name, UnaryOp};
use crate::resolve::Ty;
use std::rc::Rc;

impl Interp<'_> {
    /// Reads that are held against what the context alone has, or against a constant.
    fn note_comparison(&mut self, read: &Val, with: &Val) {
        let atomic = matches!(read.single(), Some(Kind::Loaded(..) | Kind::CountedDown(..)));
        let identity = self.is_identity(with) && !read.deps.contains(ReadId::OWN);
        if identity {
            let log = &mut self.contexts.get_mut(self.context).log;
            log.identified.extend(read.deps.iter().filter(|id| !id.is_elsewhere()));
        }
        if atomic && with.constant().is_some() {
            self.contexts.get_mut(self.context).log.compared.extend(read.deps.iter());
        }
    }

    /// What a number that was loaded is found to be more or less than.
    fn note_measure(&mut self, read: &Val, by: &Val) {
        if let (Some(Kind::Loaded(..)), Some(Term::Read(_, id))) = (read.single(), read.term.as_deref()) {
            self.contexts.get_mut(self.context).log.measured.insert(*id, by.clone());
        }
    }

    /// Two reads of one place whose values are held against each other.
    fn note_comparison_again(&mut self, a: &Val, b: &Val) {
        let (Some(Term::Read(_, one)), Some(Term::Read(_, two))) = (a.term.as_deref(), b.term.as_deref())
        else {
            return;
        };
        let log = &mut self.contexts.get_mut(self.context).log;
        let place = |id: &ReadId| log.events.get(id.0 as usize).map(|event| event.place);
        if one != two && place(one).is_some() && place(one) == place(two) {
            log.compared_again.extend([(*one, *two), (*two, *one)]);
        }
    }

    /// Read from what the thread alone has, or where that is.
    fn is_identity(&self, value: &Val) -> bool {
        let own = |place| matches!(self.places.get(place).root, Root::ThreadLocal(_));
        let found_here = value.deps.iter().all(ReadId::is_elsewhere);
        value.deps.contains(ReadId::OWN) || (found_here && value.pointers().any(|(place, _)| own(place)))
    }

    pub(super) fn binary(&mut self, op: BinaryOp, a: &Val, b: &Val) -> Val {
        let deps = a.all_deps().join(&b.all_deps());
        let comparison = super::operators::is_comparison(op);
        let ty = if comparison { Ty::Prim(Name::new("bool")) } else { a.ty.clone() };
        if matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
            self.note_comparison_again(a, b);
            self.note_comparison(a, b);
            self.note_comparison(b, a);
        } else if comparison {
            self.note_measure(a, b);
            self.note_measure(b, a);
        }
        let kind = match (a.single(), b.single()) {
            (Some(Kind::Const(x)), Some(Kind::Const(y))) => fold(op, x, y).map(Kind::Const),
            (Some(Kind::Linear(l, m, c)), Some(Kind::Const(Const::Int(n))))
            | (Some(Kind::Const(Const::Int(n))), Some(Kind::Linear(l, m, c)))
                if matches!(op, BinaryOp::Eq | BinaryOp::Ne) =>
            {
                round_of_counter(*l, *m, *c, *n, op == BinaryOp::Ne)
            }
            (Some(counter @ Kind::Linear(l, m, c)), Some(Kind::Const(Const::Int(n)))) => {
                let divided = || self.units.scaled(op, counter, &Kind::Const(Const::Int(*n)));
                let number = linear(op, *l, *m, *c, *n).or_else(divided);
                number.or_else(|| self.last_round(op, counter, *n))
            }
            (Some(Kind::Const(Const::Int(n))), Some(Kind::Linear(l, m, c)))
                if matches!(op, BinaryOp::Add | BinaryOp::Mul) =>
            {
                linear(op, *l, *m, *c, *n)
            }
            (Some(Kind::Const(Const::Int(n))), Some(counter @ Kind::Linear(..))) if comparison => {
                self.last_round(mirrored(op), counter, *n)
            }
            (Some(one @ Kind::Portion(_, Portion::Listed { .. })), Some(two))
            | (Some(one), Some(two @ Kind::Portion(_, Portion::Listed { .. })))
                if !comparison =>
            {
                self.listed_result(op, one, two)
            }
            (Some(portion @ Kind::Portion(..)), Some(Kind::Const(Const::Int(n)))) if op == BinaryOp::Sub => {
                n.checked_neg().and_then(|n| self.portion_sum(portion, &Kind::Const(Const::Int(n))))
            }
            (Some(one @ Kind::Portion(..)), Some(two)) | (Some(two), Some(one @ Kind::Portion(..)))
                if op == BinaryOp::Add =>
            {
                self.portion_sum(one, two)
            }
            (Some(one @ Kind::Portion(..)), Some(two)) => self.units.scaled(op, one, two),
            (Some(one @ (Kind::Const(_) | Kind::Unit(_))), Some(two @ Kind::Portion(..))) => {
                self.units.scaled(op, one, two)
            }
            (Some(counter @ Kind::Linear(..)), Some(Kind::Unit(unit))) if comparison => {
                self.units.in_round(op, counter, *unit)
            }
            (Some(Kind::Unit(unit)), Some(counter @ Kind::Linear(..))) if comparison => {
                self.units.in_round(mirrored(op), counter, *unit)
            }
            (Some(one @ Kind::Linear(..)), Some(two @ Kind::Unit(_)))
            | (Some(one @ Kind::Unit(_)), Some(two @ Kind::Linear(..))) => self.units.scaled(op, one, two),
            (Some(one @ Kind::Unit(_)), Some(two @ (Kind::Unit(_) | Kind::Const(_))))
            | (Some(one @ Kind::Const(_)), Some(two @ Kind::Unit(_)))
                if !comparison =>
            {
                self.units.binary(op, one, two)
            }
            (Some(one @ Kind::Linear(l, m, c)), Some(two @ Kind::Linear(k, n, d))) if op == BinaryOp::Add => {
                let portion = self.portion_sum(one, two).or_else(|| self.portion_sum(two, one));
                let inner = |mul, inner| if mul == 1 { inner } else { None };
                portion
                    .or_else(|| inner(*n, self.block(*l, *m, *c, *k, *d)))
                    .or_else(|| inner(*m, self.block(*k, *n, *d, *l, *c)))
            }
            (Some(Kind::Block(l, m, c, room)), Some(Kind::Linear(inner, 1, d)))
            | (Some(Kind::Linear(inner, 1, d)), Some(Kind::Block(l, m, c, room)))
                if op == BinaryOp::Add =>
            {
                self.within_block((*l, *m, *c, *room), *inner, *d)
            }
            (Some(Kind::Block(l, m, c, room)), Some(Kind::Const(Const::Int(n)))) => {
                of_block(op, (*l, *m, *c, *room), *n)
            }
            (Some(Kind::Const(Const::Int(n))), Some(Kind::Block(l, m, c, room)))
                if matches!(op, BinaryOp::Add | BinaryOp::Mul) =>
            {
                of_block(op, (*l, *m, *c, *room), *n)
            }
            (Some(Kind::Claimed(_)), Some(Kind::Const(Const::Int(n)))) if comparison => below(op, a, *n),
            (Some(Kind::Const(Const::Int(n))), Some(Kind::Claimed(_))) if comparison => {
                below(mirrored(op), b, *n)
            }
            (Some(Kind::Const(Const::Int(n))), Some(Kind::Linear(l, m, c))) if op == BinaryOp::Sub => {
                let from = i64::try_from(*n).ok().and_then(|n| n.checked_sub(*c));
                from.zip(m.checked_neg()).map(|(add, mul)| Kind::Linear(*l, mul, add))
            }
            (Some(Kind::CountedDown(place, order)), Some(Kind::Const(Const::Int(1)))) if comparison => {
                let negated = matches!(op, BinaryOp::Ne | BinaryOp::Gt);
                Some(Kind::Test(Rc::new(Test { subject: Subject::Last(*place, *order), negated })))
            }
            (Some(Kind::BitsSet { lock, bits, alone }), Some(Kind::Const(Const::Int(n))))
            | (Some(Kind::Const(Const::Int(n))), Some(Kind::BitsSet { lock, bits, alone })) => {
                bits_tested(op, (*lock, *bits, *alone), *n)
            }
            // A number drawn by a `fetch_add`, awaited: whoever's it is has the turn until it stores the next.
            (Some(Kind::Loaded(place, order)), Some(Kind::Claimed(drawn)))
            | (Some(Kind::Claimed(drawn)), Some(Kind::Loaded(place, order)))
                if matches!(op, BinaryOp::Eq | BinaryOp::Ne)
                    && place != drawn
                    && super::order::acquires(*order) =>
            {
                let negated = op == BinaryOp::Ne;
                Some(Kind::Test(Rc::new(Test { subject: Subject::Taken(*place), negated })))
            }
            // Its own number, awaited: one context has the turn.
            (Some(Kind::Loaded(place, order)), Some(Kind::Linear(at, mul, _)))
            | (Some(Kind::Linear(at, mul, _)), Some(Kind::Loaded(place, order)))
                if matches!(op, BinaryOp::Eq | BinaryOp::Ne)
                    && *mul != 0
                    && super::order::acquires(*order)
                    && self.contexts.get(self.context).loops.contains(at) =>
            {
                let negated = op == BinaryOp::Ne;
                Some(Kind::Test(Rc::new(Test { subject: Subject::Taken(*place), negated })))
            }
            (Some(Kind::Test(test)), Some(other)) if matches!(op, BinaryOp::Eq | BinaryOp::Ne) => {
                let truth = super::effects::flag_value(&Val::of(other.clone(), Ty::Unknown));
                truth.filter(|truth| matches!(truth, 0 | 1)).map(|truth| {
                    let negated = test.negated ^ ((truth == 0) == (op == BinaryOp::Eq));
                    Kind::Test(Rc::new(Test { subject: test.subject.clone(), negated }))
                })
            }
            // A bit of what was there.
            (Some(Kind::Test(test)), Some(Kind::Const(Const::Int(_)))) if op == BinaryOp::BitAnd => {
                Some(Kind::Test(test.clone()))
            }
            (Some(Kind::Loaded(place, order)), Some(Kind::Const(Const::Int(bit))))
            | (Some(Kind::Const(Const::Int(bit))), Some(Kind::Loaded(place, order)))
                if op == BinaryOp::BitAnd && *bit > 0 && bit.count_ones() == 1 =>
            {
                Some(Kind::Bit(*place, *order, *bit))
            }
            (Some(Kind::Bit(place, order, bit)), Some(Kind::Const(Const::Int(n))))
            | (Some(Kind::Const(Const::Int(n))), Some(Kind::Bit(place, order, bit)))
                if matches!(op, BinaryOp::Eq | BinaryOp::Ne) && (*n == 0 || n == bit) =>
            {
                let negated = (op == BinaryOp::Eq) == (*n == 0);
                Some(Kind::Test(Rc::new(Test { subject: Subject::Bit(*place, *order, *bit), negated })))
            }
            (Some(Kind::Difference { atomic, order, from, turned }), Some(Kind::Const(Const::Int(n))))
                if comparison =>
            {
                let end = |from: i128| if *turned { from.checked_sub(*n) } else { from.checked_add(*n) };
                let end = from.and_then(end).map(|n| Kind::Const(Const::Int(n)));
                tested(if *turned { mirrored(op) } else { op }, *atomic, *order, end.as_ref())
            }
            (Some(Kind::Loaded(place, order)), Some(Kind::Const(Const::Int(n))))
            | (Some(Kind::Const(Const::Int(n))), Some(Kind::Loaded(place, order)))
                if op == BinaryOp::Add =>
            {
                let from = n.checked_neg();
                from.map(|from| Kind::Difference {
                    atomic: *place,
                    order: *order,
                    from: Some(from),
                    turned: false,
                })
            }
            (Some(one), Some(Kind::Loaded(place, order)))
                if op == BinaryOp::Sub && super::order::acquires(*order) =>
            {
                difference((*place, *order), Some(one), true)
            }
            (Some(Kind::Loaded(place, order)), other) if op == BinaryOp::Sub => {
                difference((*place, *order), other, false)
            }
            (other, Some(Kind::Loaded(place, order))) if op == BinaryOp::Sub => {
                difference((*place, *order), other, true)
            }
            (Some(Kind::Loaded(place, order)), Some(Kind::Const(Const::Int(bit))))
                if op == BinaryOp::BitOr && self.st.sides.get(place) == Some(&Side::Clear(*bit)) =>
            {
                let from = bit.checked_neg();
                from.map(|from| Kind::Difference {
                    atomic: *place,
                    order: *order,
                    from: Some(from),
                    turned: false,
                })
            }
            (Some(Kind::Loaded(place, order)), Some(other)) if comparison => {
                tested(op, *place, *order, Some(other))
            }
            (Some(other), Some(Kind::Loaded(place, order))) if comparison => {
                tested(mirrored(op), *place, *order, Some(other))
            }
            (Some(Kind::Loaded(place, order)), None) if comparison => tested(op, *place, *order, None),
            (None, Some(Kind::Loaded(place, order))) if comparison => {
                tested(mirrored(op), *place, *order, None)
            }
            (_, Some(null @ Kind::Const(_))) if comparison && all_pointers(a) => self.null_test(op, a, null),
            (Some(null @ Kind::Const(_)), _) if comparison && all_pointers(b) => self.null_test(op, b, null),
            _ if matches!(op, BinaryOp::Eq | BinaryOp::Ne) => {
                let drawn = self.drawn(op, a, b).or_else(|| self.drawn(op, b, a));
                drawn.or_else(|| super::remembered::compared(a, b, op == BinaryOp::Ne))
            }
            _ => None,
        };
        let mut value = Val::unknown(ty).with_deps(&deps);
        let bounded =
            |kind: &Kind| matches!(kind, Kind::Test(test) if matches!(test.subject, Subject::Below(..)));
        if kind.as_ref().is_none_or(bounded) {
            value.deps = value.deps.join(&self.own_numbers(a)).join(&self.own_numbers(b));
            if matches!(op, BinaryOp::Rem | BinaryOp::Div | BinaryOp::BitAnd | BinaryOp::Shr) {
                value.deps = self.less_of_unknown(&value.deps);
            }
        }
        if a.term.is_some() || b.term.is_some() {
            let (one, two) = (self.term_beside(a, b), self.term_beside(b, a));
            value.term = one.zip(two).and_then(|(a, b)| Term::apply(Operator::Binary(op), &a, &b));
        } else if kind.is_none() && !comparison && (self.is_own_number(a) || self.is_own_number(b)) {
            let (one, two) = (self.term_in_rounds(a), self.term_in_rounds(b));
            value.term = one.zip(two).and_then(|(a, b)| Term::apply(Operator::Binary(op), &a, &b));
        }
        if let Some(kind) = kind {
            value.open = false;
            value.alts.push(kind);
        }
        value
    }

    /// What an atomic held before this context's one step of it, compared with a number: who finds it is the one whose step led there.
    pub(super) fn drawn(&self, op: BinaryOp, found: &Val, with: &Val) -> Option<Kind> {
        if !matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
            return None;
        }
        let (read, moved) = match found.term.as_deref()? {
            Term::Read(context, read) if *context == self.context => (*read, 0),
            Term::Apply(Operator::Binary(BinaryOp::Add), left, right) => match (&**left, &**right) {
                (Term::Read(context, read), Term::Const(n)) if *context == self.context => (*read, *n),
                _ => return None,
            },
            _ => return None,
        };
        let step = self.contexts.get(self.context).log.events.get(read.0 as usize)?;
        let by = step.term.as_ref()?.steps()?;
        if step.effect != Some(Effect::Add) || step.runs != Runs::Once {
            return None;
        }
        let number = match with.constant() {
            Some(Const::Int(n)) => n.checked_add(by)?.checked_sub(moved)?,
            _ => super::order::ANY_VALUE,
        };
        let subject = Subject::Drawn(step.place, step.atomic?, number);
        Some(Kind::Test(Rc::new(Test { subject, negated: op == BinaryOp::Ne })))
    }

    /// A pointer that was loaded from an atomic is compared with null.
    fn null_test(&self, op: BinaryOp, pointer: &Val, null: &Kind) -> Option<Kind> {
        if !matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
            return None;
        }
        let log = &self.contexts.get(self.context).log.events;
        let mut loads = pointer.deps.iter().filter_map(|id| {
            let event = log.get(id.0 as usize).filter(|event| event.kind == AccessKind::Read)?;
            Some((event.place, event.atomic?))
        });
        match (loads.next(), loads.next()) {
            (Some((place, order)), None) => tested(op, place, order, Some(null)),
            _ => None,
        }
    }

    /// What a number depends on that differs from round to round of a loop, or is claimed.
    pub(super) fn own_numbers(&mut self, value: &Val) -> Deps {
        match value.single() {
            Some(Kind::Linear(at, ..) | Kind::Block(at, ..) | Kind::Portion(at, _)) => {
                let foreign = self.frames.get(at.frame).context != self.context;
                if foreign && self.found_in_memory(&value.deps) {
                    Deps::default()
                } else {
                    self.round_of(*at)
                }
            }
            Some(Kind::Claimed(_)) => Deps::one(ReadId::elsewhere(u32::MAX)),
            Some(Kind::Aggregate(parts)) => {
                let of_parts = |deps: Deps, (_, part): &(Proj, Val)| deps.join(&self.own_numbers(part));
                parts.clone().fields.iter().fold(Deps::default(), of_parts)
            }
            Some(Kind::Pointer(place, Pointer::Shared))
                if matches!(self.places.get(*place).root, Root::Local(..)) =>
            {
                let held = self.value_at(*place);
                if held.pointers().next().is_some() { Deps::default() } else { self.own_numbers(&held) }
            }
            _ => Deps::default(),
        }
    }

    /// What depends on which round of a loop it is.
    pub(super) fn round_of(&mut self, at: LoopId) -> Deps {
        let deps = self.elsewhere_in(at.frame, at.expr.0);
        self.counters.extend(deps.iter().map(|read| (read, at)));
        deps
    }

    /// A number as a term, beside another one.
    fn term_beside(&self, value: &Val, other: &Val) -> Option<Rc<Term>> {
        if other.term.as_ref().is_some_and(|term| term.rounds().is_some()) {
            return self.term_in_rounds(value);
        }
        if self.is_claimed(other) { self.term_with_units(value) } else { self.round_term(value) }
    }

    /// Whether each round of the loop that started the context has another such number.
    fn is_own_number(&self, value: &Val) -> bool {
        match value.single() {
            Some(Kind::Linear(at, ..) | Kind::Block(at, ..) | Kind::Portion(at, _)) => self.is_own(*at),
            _ => false,
        }
    }

    /// A number as a term in which the rounds that started the context have their number.
    pub(super) fn term_in_rounds(&self, value: &Val) -> Option<Rc<Term>> {
        let apply = |op, a: &Rc<Term>, n: i64| {
            Term::apply(Operator::Binary(op), a, &Rc::new(Term::Const(i128::from(n))))
        };
        let round = |at| Rc::new(Term::Round(Rounds::Started(at)));
        let linear = |at, mul, add| apply(BinaryOp::Add, &apply(BinaryOp::Mul, &round(at), mul)?, add);
        match value.single().filter(|_| value.term.is_none() && self.is_own_number(value)) {
            Some(Kind::Linear(at, mul, add)) => linear(*at, *mul, *add),
            Some(Kind::Block(at, mul, add, room)) => {
                let start = linear(*at, *mul, add.checked_add(room.below)?)?;
                let len = mul.checked_sub(room.below)?.checked_sub(room.above)?;
                Term::within(&start, &apply(BinaryOp::Add, &start, len)?)
            }
            Some(Kind::Portion(at, portion)) => portion.as_term(&round(*at)),
            _ => self.term_with_units(value),
        }
    }

    /// A number as a term, also where nobody knows it but it is always the same, or is the counter of a loop that stays below that.
    pub(super) fn term_with_units(&self, value: &Val) -> Option<Rc<Term>> {
        match value.single().filter(|_| value.term.is_none()) {
            Some(Kind::Unit(unit)) => Some(Rc::new(Term::Unit(*unit))),
            Some(Kind::Linear(at, 1, 0)) if self.bounds_of(*at).is_none() => {
                Term::within(&Rc::new(Term::Const(0)), &Rc::new(Term::Unit(self.units.room_of(*at)?)))
            }
            _ => self.round_term(value),
        }
    }

    /// A number as a term: the counter of a loop is some number below its bound.
    pub(super) fn round_term(&self, value: &Val) -> Option<Rc<Term>> {
        let Some(Kind::Linear(at, mul @ 1.., add)) = value.single().filter(|_| value.term.is_none()) else {
            return value.symbol();
        };
        let (from, to) = self.bounds_of(*at)?;
        let number = |i: i128| i.checked_mul(i128::from(*mul))?.checked_add(i128::from(*add));
        let (first, end) = (number(from)?, number(to.checked_sub(1)?)?.checked_add(1)?);
        Term::within(&Rc::new(Term::Const(first)), &Rc::new(Term::Const(end)))
    }

    /// `own * m + j` with `0 <= j < m`: a block of one's own.
    fn block(&self, own: LoopId, mul: i64, add: i64, inner: LoopId, offset: i64) -> Option<Kind> {
        let room = Slack { below: 0, above: mul.checked_sub(1)? };
        self.within_block((own, mul, add, room), inner, offset)
    }

    /// A number of a block, and the counter of a loop that stays within the room round it.
    fn within_block(&self, block: (LoopId, i64, i64, Slack), inner: LoopId, offset: i64) -> Option<Kind> {
        let (at, mul, add, room) = block;
        let (from, to) = self.bounds_of(inner)?;
        let least = i64::try_from(from.checked_add(i128::from(offset))?).ok()?;
        let most = i64::try_from(to.checked_add(i128::from(offset))?.checked_sub(1)?).ok()?;
        let below = room.below.checked_add(least)?;
        let above = room.above.checked_sub(most)?;
        (below >= 0 && above >= 0).then_some(Kind::Block(at, mul, add, Slack { below, above }))
    }
}

/// How many bits an integer type has, and whether it is signed.
pub(super) fn integer_bits(ty: &Ty) -> Option<(u32, bool)> {
    let Ty::Prim(name) = ty else { return None };
    let (signed, bits) = match name.as_str().split_at_checked(1)? {
        ("i", bits) => (true, bits),
        ("u", bits) => (false, bits),
        _ => return None,
    };
    let bits = if bits == "size" { 64 } else { bits.parse().ok()? };
    Some((bits, signed))
}

/// `-x` as a difference, `!b` of a truth value as the other one.
pub(super) fn negation(op: UnaryOp, term: &Rc<Term>, ty: &Ty) -> Option<Rc<Term>> {
    let (op, left) = match op {
        UnaryOp::Neg => (BinaryOp::Sub, 0),
        UnaryOp::Not if matches!(ty, Ty::Prim(name) if *name == "bool") => (BinaryOp::BitXor, 1),
        _ => return None,
    };
    Term::apply(Operator::Binary(op), &Rc::new(Term::Const(left)), term)
}

/// The term of an operation on two values.
pub(super) fn applied(op: Operator, a: &Val, b: &Val) -> Option<Rc<Term>> {
    Term::apply(op, &a.symbol()?, &b.symbol()?)
}

fn fold(op: BinaryOp, a: &Const, b: &Const) -> Option<Const> {
    match (a, b) {
        (Const::Int(a), Const::Int(b)) => fold_int(op, *a, *b),
        (Const::Bool(a), Const::Bool(b)) => match op {
            BinaryOp::Eq => Some(Const::Bool(a == b)),
            BinaryOp::Ne | BinaryOp::BitXor => Some(Const::Bool(a != b)),
            BinaryOp::BitAnd => Some(Const::Bool(*a && *b)),
            BinaryOp::BitOr => Some(Const::Bool(*a || *b)),
            _ => None,
        },
        _ => None,
    }
}

/// `mul * i + add == n`: true in one round at most.
pub(super) fn round_of_counter(at: LoopId, mul: i64, add: i64, n: i128, negated: bool) -> Option<Kind> {
    let (mul, offset) = (i128::from(mul), n.checked_sub(i128::from(add))?);
    let hit = mul != 0 && offset % mul == 0;
    hit.then(|| Kind::Test(Rc::new(Test { subject: Subject::Round(at, offset / mul), negated })))
}

fn linear(op: BinaryOp, at: LoopId, mul: i64, add: i64, n: i128) -> Option<Kind> {
    let n = i64::try_from(n).ok()?;
    match op {
        BinaryOp::Add => Some(Kind::Linear(at, mul, add.checked_add(n)?)),
        BinaryOp::Sub => Some(Kind::Linear(at, mul, add.checked_sub(n)?)),
        BinaryOp::Mul if n != 0 => Some(Kind::Linear(at, mul.checked_mul(n)?, add.checked_mul(n)?)),
        BinaryOp::Div if n > 0 && mul % n == 0 && add % n == 0 => Some(Kind::Linear(at, mul / n, add / n)),
        _ => None,
    }
}

/// A try-lock that is a bit: what was found there before it was set, masked or compared with a number.
fn bits_tested(op: BinaryOp, (lock, bits, alone): (PlaceId, i128, bool), n: i128) -> Option<Kind> {
    let taken = |negated| Kind::Test(Rc::new(Test { subject: Subject::Taken(lock), negated }));
    match op {
        BinaryOp::BitAnd if n & bits != 0 => Some(Kind::BitsSet { lock, bits, alone: n == bits }),
        BinaryOp::Eq | BinaryOp::Ne if n == 0 => Some(taken(op == BinaryOp::Ne)),
        BinaryOp::Eq | BinaryOp::Ne if alone && n == bits => Some(taken(op == BinaryOp::Eq)),
        _ => None,
    }
}

/// A number of a block, moved or scaled by a constant; `None` where it may leave its block.
fn of_block(op: BinaryOp, (at, mul, add, room): (LoopId, i64, i64, Slack), n: i128) -> Option<Kind> {
    let n = i64::try_from(n).ok()?;
    let moved = |by: i64| {
        let (below, above) = (room.below.checked_add(by)?, room.above.checked_sub(by)?);
        (below >= 0 && above >= 0).then_some(Kind::Block(at, mul, add, Slack { below, above }))
    };
    match op {
        BinaryOp::Add => moved(n),
        BinaryOp::Sub => moved(n.checked_neg()?),
        BinaryOp::Mul if n > 0 => {
            let above = room.above.checked_add(1)?.checked_mul(n)?.checked_sub(1)?;
            let room = Slack { below: room.below.checked_mul(n)?, above };
            Some(Kind::Block(at, mul.checked_mul(n)?, add.checked_mul(n)?, room))
        }
        _ => None,
    }
}

/// A claimed number held against a constant.
fn below(op: BinaryOp, claimed: &Val, n: i128) -> Option<Kind> {
    let Some(Term::Read(_, read)) = claimed.term.as_deref() else { return None };
    let (bound, negated) = match op {
        BinaryOp::Lt => (n, false),
        BinaryOp::Le => (n.checked_add(1)?, false),
        BinaryOp::Ge => (n, true),
        BinaryOp::Gt => (n.checked_add(1)?, true),
        _ => return None,
    };
    Some(Kind::Test(Rc::new(Test { subject: Subject::Below(*read, bound), negated })))
}

/// The comparison with its sides exchanged.
fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::Le => BinaryOp::Ge,
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::Ge => BinaryOp::Le,
        other => other,
    }
}

/// What comparing a loaded atomic with something tells.
fn tested(op: BinaryOp, place: PlaceId, order: Name, with: Option<&Kind>) -> Option<Kind> {
    let value = with.and_then(|with| super::effects::flag_value(&Val::of(with.clone(), Ty::Unknown)));
    let reached = |more: i128| {
        let least = value.and_then(|n| n.checked_add(more)).unwrap_or(super::order::ANY_VALUE);
        Subject::Reached(place, order, least)
    };
    let (subject, negated) = match (op, value) {
        (BinaryOp::Eq, Some(n)) => (Subject::Flag(place, order, n), false),
        (BinaryOp::Ne, Some(n)) => (Subject::Flag(place, order, n), true),
        (BinaryOp::Ge | BinaryOp::Eq, _) => (reached(0), false),
        (BinaryOp::Gt, _) => (reached(1), false),
        (BinaryOp::Le, _) => (reached(1), true),
        _ => (reached(0), true),
    };
    Some(Kind::Test(Rc::new(Test { subject, negated })))
}

/// What is left where a loaded atomic and a number are taken off each other: compared with a number, the two are compared.
fn difference((atomic, order): (PlaceId, Name), with: Option<&Kind>, turned: bool) -> Option<Kind> {
    let from = match with {
        Some(Kind::Const(Const::Int(n))) => Some(*n),
        None | Some(Kind::Loaded(..) | Kind::Difference { .. }) => None,
        Some(_) => return None,
    };
    Some(Kind::Difference { atomic, order, from, turned })
}

fn all_pointers(value: &Val) -> bool {
    !value.alts.is_empty() && value.alts.iter().all(|kind| matches!(kind, Kind::Pointer(..)))
}

/// The least or the greatest number of an integer type, as far as it is known.
pub(super) fn limit(integer: Name, which: Name) -> Option<Const> {
    let (signed, width) = integer.as_str().split_at_checked(1)?;
    let bits: u32 = if width == "size" { usize::BITS } else { width.parse().ok()? };
    let size = 1i128.checked_shl(bits).filter(|_| bits < i128::BITS - 1)?;
    match (signed, which.as_str()) {
        ("u", "MIN") => Some(Const::Int(0)),
        ("u", "MAX") => Some(Const::Int(size - 1)),
        ("i", "MIN") => Some(Const::Int(-size / 2)),
        ("i", "MAX") => Some(Const::Int(size / 2 - 1)),
        _ => None,
    }
}
