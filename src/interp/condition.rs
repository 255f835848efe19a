//! Conditions: how a test splits the state, and what each outcome says of flags, locks and options.
//!
//! In: a condition and the state before it. Out: the states in which it holds and fails, and the reads that decided.

use super::access::Side;
use super::acts::split_ways;
use super::effects::flag_value;
use super::memory::held_first;
use super::pattern::Subject;
use super::places::PlaceId;
use super::scopes::ScopeKind;
use super::state::{State, SyncKey, SyncKind};
use super::values::{Const, Deps, Kind, Mode, Subject as Tested, Test, Val};
use super::{Cx, Interp};
use crate::hir::{BinaryOp, ExprId, ExprKind, Lit, Name, Pat, UnaryOp};
use crate::resolve::{Bound, Ty};
use std::collections::BTreeSet;

/// Both ways out of a condition.
pub(super) struct Branches {
    pub yes: State,
    pub no: State,
    pub deps: Deps,
}

impl Interp<'_> {
    pub(super) fn has_let(&self, cx: &Cx, cond: ExprId) -> bool {
        match &cx.body.body.expr(cond).kind {
            ExprKind::Let { .. } => true,
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                self.has_let(cx, *left) || self.has_let(cx, *right)
            }
            _ => false,
        }
    }

    /// A condition whose temporaries end with it.
    pub(super) fn scoped_condition(&mut self, cx: &Cx, cond: ExprId) -> Branches {
        let mut branches = None;
        self.scoped(cx, ScopeKind::Temporaries, |this| {
            let found = this.condition(cx, cond);
            let Some(scope) = this.scopes.last().filter(|scope| !scope.owned.is_empty()).cloned() else {
                this.st = found.no.clone();
                branches = Some(found);
                return;
            };
            let mut ended = Vec::new();
            for state in [found.yes, found.no] {
                this.st = state;
                if this.st.reachable {
                    for &local in scope.owned.iter().rev() {
                        this.drop_local(cx, scope.frame, local);
                    }
                }
                ended.push(this.st.clone());
            }
            if let Some(scope) = this.scopes.last_mut() {
                scope.owned.clear();
            }
            let no = ended.pop().unwrap_or_else(|| this.st.clone());
            let yes = ended.pop().unwrap_or_else(|| this.st.clone());
            branches = Some(Branches { yes, no, deps: found.deps });
        });
        branches.unwrap_or_else(|| Branches {
            yes: self.st.clone(),
            no: self.st.clone(),
            deps: Deps::default(),
        })
    }

    /// A condition as a value.
    pub(super) fn eval_condition(&mut self, cx: &Cx, id: ExprId) -> Val {
        let control = self.st.control.clone();
        let branches = self.condition(cx, id);
        let value = match (branches.yes.reachable, branches.no.reachable) {
            (true, false) => Val::bool(true),
            (false, true) => Val::bool(false),
            _ => {
                let ty = Ty::Prim(Name::new("bool"));
                match self.remembered(&branches.yes, &branches.no) {
                    Some(told) => Val::of(told, ty),
                    None => Val::unknown(ty),
                }
            }
        };
        self.st = branches.yes;
        self.st.join(&branches.no);
        if self.st.reachable {
            self.st.control = control;
        }
        value.with_deps(&branches.deps)
    }

    /// `assert!(cond)`: control comes back only if it holds.
    pub(super) fn eval_asserted(&mut self, cx: &Cx, id: ExprId) -> Val {
        let branches = self.condition(cx, id);
        self.judge(&branches.deps);
        // One that can't hold says that something isn't known, not that the program ends here.
        self.st = if branches.yes.reachable { branches.yes } else { branches.no };
        Val::unit().with_deps(&branches.deps)
    }

    /// Walks a condition and splits the state by its outcome.
    pub(super) fn condition(&mut self, cx: &Cx, id: ExprId) -> Branches {
        match &cx.body.body.expr(id).kind {
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                let first = self.operand(cx, *left);
                let sure = first.yes.sure;
                self.st = first.yes;
                self.st.sure &= !first.no.reachable;
                self.decide(&first.deps);
                let mut second = self.operand(cx, *right);
                let mut no = first.no;
                no.join(&second.no);
                second.yes.sure = sure;
                no.sure = sure;
                Branches { yes: second.yes, no, deps: first.deps.join(&second.deps) }
            }
            ExprKind::Binary { op: BinaryOp::Or, left, right } => {
                let first = self.operand(cx, *left);
                let sure = first.no.sure;
                self.st = first.no;
                self.st.sure &= !first.yes.reachable;
                self.decide(&first.deps);
                let mut second = self.operand(cx, *right);
                let mut yes = first.yes;
                yes.join(&second.yes);
                second.no.sure = sure;
                yes.sure = sure;
                Branches { yes, no: second.no, deps: first.deps.join(&second.deps) }
            }
            ExprKind::Unary { op: UnaryOp::Not, operand } => {
                let inner = self.condition(cx, *operand);
                Branches { yes: inner.no, no: inner.yes, deps: inner.deps }
            }
            ExprKind::Let { pat, scrutinee } => self.let_condition(cx, pat, *scrutinee),
            _ => {
                let value = self.eval(cx, id);
                let residue = self.residue(cx, id);
                let mut branches = self.split_by(&value);
                if let Some(residue) = residue {
                    self.learn_residue(cx, residue, &mut branches.yes, &mut branches.no);
                }
                branches
            }
        }
    }

    /// An operand of `&&` or `||`: its temporaries end with it, unless it is a `let`.
    fn operand(&mut self, cx: &Cx, id: ExprId) -> Branches {
        if self.has_let(cx, id) { self.condition(cx, id) } else { self.scoped_condition(cx, id) }
    }

    /// Splits the state by the truth of a value.
    pub(super) fn split_by(&mut self, value: &Val) -> Branches {
        let mut yes = self.st.clone();
        let mut no = self.st.clone();
        match value.as_bool() {
            Some(true) => no.reachable = false,
            Some(false) => yes.reachable = false,
            None => {}
        }
        if value.is_bottom() {
            yes.reachable = false;
            no.reachable = false;
        }
        match value.single() {
            Some(Kind::Test(test)) => {
                self.learn(test, &value.deps, &mut yes, &mut no);
            }
            Some(Kind::Loaded(place, order)) => {
                let test = Test { subject: Tested::Flag(*place, *order, 1), negated: false };
                self.learn(&test, &value.deps, &mut yes, &mut no);
            }
            _ => {}
        }
        Branches { yes, no, deps: value.all_deps() }
    }

    /// What an arm's pattern tells of the flags that it is matched with: here; and of the one that is the whole subject, in `rest`
    /// if it doesn't fit.
    pub(super) fn learn_from_pattern(
        &mut self,
        cx: &Cx,
        pat: &Pat,
        subject: &Subject,
        rest: Option<&mut State>,
    ) {
        let Some(tested @ (Kind::Loaded(..) | Kind::Linear(..) | Kind::Claimed(_) | Kind::Test(_))) =
            subject.value.single().cloned()
        else {
            for (part, inner) in self.inner_patterns(cx, pat, subject) {
                self.learn_from_pattern(cx, inner, &part, None);
            }
            return;
        };
        if let (Kind::Loaded(place, order), Pat::Or(parts)) = (&tested, pat) {
            return self.learn_from_values(cx, parts, (*place, *order));
        }
        let Some(value) = self.pattern_value(cx, pat).as_ref().and_then(flag_value) else {
            return;
        };
        let test = match tested {
            Kind::Loaded(place, order) => Test { subject: Tested::Flag(place, order, value), negated: false },
            Kind::Linear(at, mul, add) => {
                match super::arithmetic::round_of_counter(at, mul, add, value, false) {
                    Some(Kind::Test(test)) => (*test).clone(),
                    _ => return,
                }
            }
            Kind::Claimed(_) => {
                let number = Val::of(Kind::Const(Const::Int(value)), Ty::Unknown);
                match self.drawn(BinaryOp::Eq, &subject.value, &number) {
                    Some(Kind::Test(test)) => (*test).clone(),
                    _ => return,
                }
            }
            Kind::Test(test) => Test { negated: test.negated != (value == 0), ..(*test).clone() },
            _ => return,
        };
        let deps = &subject.value.deps;
        let mut yes = self.st.clone();
        match rest {
            Some(rest) => self.learn(&test, deps, &mut yes, rest),
            None => self.learn(&test, deps, &mut yes, &mut self.st.clone()),
        }
        self.st = yes;
    }

    /// The flag has one of several values: if it began with another, somebody stored to it.
    fn learn_from_values(&mut self, cx: &Cx, patterns: &[Pat], (flag, order): (PlaceId, Name)) {
        let begun = self.begun(flag);
        let later = |this: &mut Self, pat: &Pat| {
            let value = this.pattern_value(cx, pat).as_ref().and_then(flag_value);
            value.is_some() && begun.is_some() && value != begun
        };
        if patterns.iter().all(|pat| later(self, pat)) {
            let kind = SyncKind::Flag(super::order::ONE_OF_SEVERAL);
            acquire_flag(&mut self.st, SyncKey { place: flag, kind }, order);
        }
    }

    /// The atomic is no number that began as neither 0 nor 1, or as nobody knows what.
    fn begins_as_flag(&self, atomic: PlaceId) -> bool {
        match held_first(&self.initial, &self.places, atomic) {
            Some(begun) => flag_value(&begun).map_or(!is_some_number(&begun), |n| matches!(n, 0 | 1)),
            None => true,
        }
    }

    /// The number was reached from the start, or may have been: nobody need have counted.
    fn begins_at_least(&self, counter: PlaceId, least: i128) -> bool {
        let Some(begun) = held_first(&self.initial, &self.places, counter) else { return false };
        match flag_value(&begun) {
            Some(begun) if least == super::order::ANY_VALUE => begun > 0,
            Some(begun) => begun >= least,
            None => begun.open || is_some_number(&begun),
        }
    }

    /// The one value that a pattern fits.
    fn pattern_value(&mut self, cx: &Cx, pat: &Pat) -> Option<Val> {
        match pat {
            Pat::Lit(Lit::Int(Some(n), _)) => Some(Val::of(Kind::Const(Const::Int(*n)), Ty::Unknown)),
            Pat::Lit(Lit::Bool(truth)) => Some(Val::bool(*truth)),
            Pat::Path(path) => Some(self.path_value(cx, cx.body.path(path.id))),
            Pat::Bind { binding, .. } => match cx.body.binding(*binding) {
                Bound::Named(res) => Some(self.path_value(cx, res)),
                Bound::Local(_) => None,
            },
            _ => None,
        }
    }

    /// What a test's outcome says about each branch.
    fn learn(&mut self, test: &Test, deps: &Deps, yes: &mut State, no: &mut State) {
        let (holds, fails) = if test.negated { (no, yes) } else { (yes, no) };
        match &test.subject {
            Tested::Flag(place, order, value) => {
                holds.saw.insert(*place, *value);
                if let Some(read) = self.tested_read(*place, deps) {
                    split_ways(read, *value, holds, fails);
                }
                if *value == 0 {
                    fails.sides.insert(*place, Side::Above);
                }
                let two_valued = matches!(*value, 0 | 1) && self.begins_as_flag(*place);
                if two_valued {
                    fails.saw.insert(*place, 1 - *value);
                }
                acquire_flag(holds, SyncKey { place: *place, kind: SyncKind::Flag(*value) }, *order);
                // So says a failed exchange, too, that another way may have tried instead.
                if super::order::acquires(*order) && self.begun(*place).is_some_and(|first| first != *value) {
                    let kind = SyncKind::Flag(super::order::ONE_OF_SEVERAL);
                    holds.acquire(SyncKey { place: *place, kind });
                }
                let counted = if *value > 0 { SyncKind::Counted(*value) } else { SyncKind::CountedDown };
                acquire_flag(holds, SyncKey { place: *place, kind: counted }, *order);
                if two_valued {
                    let other = SyncKey { place: *place, kind: SyncKind::Flag(1 - *value) };
                    acquire_flag(fails, other, *order);
                }
            }
            Tested::Bit(place, order, bit) => {
                let key = SyncKey { place: *place, kind: SyncKind::Flag(*bit) };
                if super::order::acquires(*order) {
                    holds.pass(*place, *bit, None);
                    holds.acquire(key);
                } else {
                    holds.moment_mut().weak.insert(key);
                }
                fails.sides.insert(*place, Side::Clear(*bit));
            }
            Tested::Taken(place) => {
                let id = self.flag_hold(*place);
                holds.locks.push(super::state::Hold {
                    lock: *place,
                    mode: super::values::Mode::Exclusive,
                    id,
                    yields: false,
                    reach: super::state::Reach::One,
                    bit: None,
                });
            }
            Tested::TakenBack(place, order) => {
                let key = SyncKey { place: *place, kind: SyncKind::Flag(1) };
                if super::order::acquires(*order) {
                    holds.pass(*place, 1, None);
                    holds.acquire(key);
                } else {
                    holds.moment_mut().weak.insert(key);
                }
            }
            Tested::Outcome(outcome) => {
                outcome.holds.recall(holds);
                outcome.fails.recall(fails);
            }
            Tested::Round(at, number) => {
                holds.moment_mut().rounds.insert(*at, *number);
            }
            Tested::Below(read, bound) => {
                let known = holds.below.entry(*read).or_insert(*bound);
                *known = (*known).min(*bound);
            }
            Tested::Last(place, order) => {
                acquire_flag(holds, SyncKey { place: *place, kind: SyncKind::Last }, *order);
            }
            Tested::Drawn(place, order, number) => {
                acquire_flag(holds, SyncKey { place: *place, kind: SyncKind::LastDrawn(*number) }, *order);
                if *number != super::order::ANY_VALUE {
                    holds.moment_mut().drew.insert((*place, *number));
                }
            }
            Tested::Reached(place, order, least) => {
                holds.sides.insert(*place, Side::Above);
                fails.sides.insert(*place, Side::Below);
                if *least == super::order::ANY_VALUE && super::order::acquires(*order) {
                    holds.moment_mut().knows.insert(*place, BTreeSet::from([*least]));
                }
                if *least == 1 {
                    acquire_flag(fails, SyncKey { place: *place, kind: SyncKind::CountedDown }, *order);
                }
                // What a lock protects may have been there from the start; only waiting for it means that somebody came.
                let counted = self.draining.is_some() || !self.is_guarded(*place);
                if counted && !self.begins_at_least(*place, *least) {
                    let key = SyncKey { place: *place, kind: SyncKind::Flag(super::order::ANY_VALUE) };
                    acquire_flag(holds, key, *order);
                    let counted = SyncKind::Counted(*least);
                    acquire_flag(holds, SyncKey { place: *place, kind: counted }, *order);
                }
            }
            Tested::Success(place) => {
                let saved = std::mem::replace(&mut self.st, holds.clone());
                let value = self.value_at(*place);
                let mut held = value.clone();
                held.alts.retain(|k| !matches!(k, Kind::Aggregate(a) if a.variant == Some(self.names.err) || a.variant == Some(self.names.none)));
                self.recall_variant(&held);
                let held = self.activated(held);
                self.store_at(*place, held, true);
                *holds = std::mem::replace(&mut self.st, fails.clone());
                let mut failed = value;
                failed.alts.retain(|k| !matches!(k, Kind::Aggregate(a) if a.variant == Some(self.names.ok) || a.variant == Some(self.names.some)));
                if failed.is_bottom() {
                    self.st.reachable = false;
                }
                self.recall_variant(&failed);
                self.store_at(*place, failed, true);
                *fails = std::mem::replace(&mut self.st, saved);
            }
        }
    }

    fn let_condition(&mut self, cx: &Cx, pat: &Pat, scrutinee: ExprId) -> Branches {
        let mut subject = self.scrutinee(cx, scrutinee);
        if !self.st.reachable {
            return Branches { yes: self.st.clone(), no: self.st.clone(), deps: Deps::default() };
        }
        self.read_subject(cx, &mut subject);
        let deps = self.tested(cx, pat, &subject, true);
        // What the match finds out, that a lock was got say, holds only where it fits.
        let mut no = self.st.clone();
        let fit = self.fit(cx, pat, &subject);
        no.reachable &= fit.can_fail;
        if fit.can_fail {
            let before = std::mem::replace(&mut self.st, no);
            self.missing_handles_joined(&subject.value);
            no = std::mem::replace(&mut self.st, before);
        }
        if fit.can_match {
            self.learn_from_pattern(cx, pat, &subject, Some(&mut no));
            self.bind(cx, pat, &subject);
        } else {
            self.st.reachable = false;
        }
        Branches { yes: self.st.clone(), no, deps }
    }
}

/// A number that is decided elsewhere.
fn is_some_number(value: &Val) -> bool {
    value.alts.iter().any(|kind| matches!(kind, Kind::Unit(_)))
}

fn acquire_flag(state: &mut State, key: SyncKey, order: Name) {
    let known = match key.kind {
        SyncKind::Flag(value) if !matches!(value, super::order::ANY_VALUE | super::order::ONE_OF_SEVERAL) => {
            Some(value)
        }
        _ => None,
    };
    let lock = state.locks.iter().rev().find(|hold| hold.mode == Mode::Exclusive && hold.lock != key.place);
    if super::order::acquires(order) {
        if let Some(value) = known {
            state.moment_mut().knows.insert(key.place, BTreeSet::from([value]));
            state.pass(key.place, value, None);
        }
        state.acquire(key);
    } else {
        if let (Some(value), Some(lock)) = (known, lock.map(|hold| hold.lock)) {
            state.pass(key.place, value, Some(lock));
        }
        state.moment_mut().weak.insert(key);
    }
}
