//! Effects on enum values: `Option`, `Result` and their like.
//!
//! In: the values of an effect's arguments. Out: variants made, tested, opened and mapped; a guard in a variant is held from where
//! its success is seen.

use super::Call;
use crate::finding::AccessKind;
use crate::hir::{ExprKind, Name};
use crate::interp::Interp;
use crate::interp::access::{AccessEvent, Effect};
use crate::interp::condition::Branches;
use crate::interp::remembered::Learned;
use crate::interp::values::{Aggregate, Deps, Kind, Pointer, Subject, Test, Val};
use crate::models::{Op, OpName};
use crate::resolve::Ty;
use std::rc::Rc;

impl Interp<'_> {
    pub(super) fn variant_op(&mut self, name: OpName, values: Vec<Val>) -> Val {
        let language = &self.models.language;
        let option = |args: Vec<Ty>| Ty::named(language.option, args);
        let result = |args: Vec<Ty>| Ty::named(language.result, args);
        let first = values.first().cloned().unwrap_or_else(Val::unit);
        match name {
            OpName::Some => self.enum_value(self.names.some, first.clone(), option(vec![first.ty])),
            OpName::Ok => self.enum_value(self.names.ok, first.clone(), result(vec![first.ty])),
            OpName::Err => self.enum_value(self.names.err, first, result(Vec::new())),
            OpName::None => Val::aggregate(Some(self.names.none), Vec::new(), option(Vec::new())),
            OpName::Tuple => {
                let ty = Ty::Tuple(values.iter().map(|v| v.ty.clone()).collect());
                Val::aggregate(
                    None,
                    values.into_iter().enumerate().map(|(n, v)| (crate::interp::expr::field(n), v)).collect(),
                    ty,
                )
            }
            _ => {
                // Which of them it is depends on what they are made of.
                let deps = values.iter().fold(Deps::default(), |deps, v| deps.join(&v.all_deps()));
                values.into_iter().reduce(|a, b| a.join(&b)).unwrap_or_else(Val::unit).with_deps(&deps)
            }
        }
    }

    /// The first effect comes about, or the second: what only the first knows is told where its variant is seen.
    pub(super) fn attempt(&mut self, call: &mut Call, args: &[Op]) -> Val {
        let [wanted, other] = args else { return Val::unknown(Ty::Unknown) };
        let before = self.st.clone();
        let outer = std::mem::replace(&mut self.attempting, true);
        let value = self.apply(call, wanted);
        self.attempting = outer;
        let after = std::mem::replace(&mut self.st, before);
        let failed = self.apply(call, other);
        let value = match after.reachable {
            true => self.telling(value, Some(&Learned::orders(&after, &self.st)), None),
            false => value,
        };
        self.st.join(&after);
        let of = call.this.as_ref().map_or_else(Deps::default, Val::all_deps);
        self.variant_op(OpName::Either, vec![value, failed]).with_deps(&of)
    }

    /// One of the two effects comes about: what each found out is told where its variant is seen; where nobody looks it is taken
    /// to be the first.
    pub(super) fn outcome(&mut self, call: &mut Call, args: &[Op]) -> Val {
        let [wanted, other] = args else { return Val::unknown(Ty::Unknown) };
        let before = self.st.clone();
        let failed = self.apply(call, other);
        let failure = Learned::orders(&self.st, &before);
        self.st = before;
        let value = self.apply(call, wanted);
        let failed = self.telling(failed, None, Some(&failure));
        let of = call.this.as_ref().map_or_else(Deps::default, Val::all_deps);
        self.variant_op(OpName::Either, vec![value, failed]).with_deps(&of)
    }

    pub(in crate::interp) fn enum_value(&self, variant: Name, payload: Val, ty: Ty) -> Val {
        Val::aggregate(Some(variant), vec![(crate::interp::expr::field(0), payload)], ty)
    }

    pub(in crate::interp) fn is_success(&self, variant: Name) -> bool {
        variant == self.names.ok || variant == self.names.some
    }

    pub(in crate::interp) fn is_failure(&self, variant: Name) -> bool {
        variant == self.names.err || variant == self.names.none
    }

    /// What the success variant carries; a value that is no enum passes through.
    pub(in crate::interp) fn payload(&mut self, value: &Val) -> Val {
        let mut result: Option<Val> = None;
        let mut open = value.open;
        for kind in &value.alts {
            let one = match kind {
                Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_failure(v)) => continue,
                Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_success(v)) => a
                    .field(crate::interp::expr::field(0))
                    .cloned()
                    .unwrap_or_else(|| Val::unknown(Ty::Unknown)),
                Kind::Moved => continue,
                other => Val::of(other.clone(), value.ty.clone()).with_term(value.term.clone()),
            };
            result = Some(result.map_or(one.clone(), |old| old.join(&one)));
        }
        open |= value.alts.is_empty();
        let inner = match &value.ty {
            Ty::Ext(_, args) => args.first().cloned().unwrap_or(Ty::Unknown),
            _ => Ty::Unknown,
        };
        let mut result = result
            .unwrap_or_else(|| Val { open, ..Val::unknown(inner.clone()) }.with_term(value.term.clone()));
        result.open |= open;
        if result.ty.is_unknown() {
            result.ty = inner;
        }
        let result = self.activated(result);
        result.with_deps(&value.deps)
    }

    /// Elements taken out by what this call is made on that must be there, as nobody has looked.
    fn demanded(&mut self, call: &Call, deps: &Deps) -> Deps {
        let ExprKind::MethodCall { receiver, .. } = &call.cx.body.body.expr(call.id).kind else {
            return Deps::default();
        };
        let within = call.cx.location(call.cx.body.body.expr(*receiver).range);
        let frames = &self.frames;
        let made_here = |event: &AccessEvent| {
            let outer = frames.outward(event.frame).take_while(|at| *at != call.cx.frame).last();
            let at = outer.map_or(Some(event.at), |frame| frames.get(frame).called_at);
            at.is_some_and(|at| at.file == within.file && within.range.contains(at.range))
        };
        let log = &mut self.contexts.get_mut(self.context).log;
        let mut found = Deps::default();
        for id in deps.iter().filter(|id| !log.judged.contains(id)) {
            let Some(event) = log.events.get_mut(id.0 as usize) else { continue };
            if matches!(event.effect, Some(Effect::Take | Effect::TakeSure)) && made_here(event) {
                event.effect = Some(Effect::TakeSure);
                found = found.join(&Deps::one(id));
            }
        }
        found
    }

    pub(super) fn payload_op(&mut self, call: &mut Call, name: OpName, mut values: Vec<Val>) -> Val {
        if values.is_empty() {
            return Val::unknown(Ty::Unknown);
        }
        let value = values.remove(0);
        let second = values.pop();
        match name {
            OpName::Payload => {
                let demanded = self.demanded(call, &value.deps);
                self.judge(&value.deps.without(&demanded));
                self.recall_success(&value);
                let payload = self.payload(&value);
                if payload.is_bottom() {
                    self.st.reachable = false;
                }
                payload
            }
            OpName::Inner => self.payload(&value),
            OpName::PayloadOrElse => {
                let fails = value.open
                    || value.alts.iter().any(
                        |k| matches!(k, Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_failure(v))),
                    );
                match second.filter(|_| fails) {
                    Some(f) => self.payload_or_else(call, &value, f),
                    None => self.payload(&value),
                }
            }
            OpName::OkOr => self.ok_or(&value),
            OpName::MapFailure => {
                if let Some(f) = second {
                    let before = self.st.clone();
                    self.call_value(call.cx, call.id, f, vec![Val::unknown(Ty::Unknown)]);
                    self.st.join(&before);
                }
                value
            }
            OpName::PayloadOr => {
                let payload = self.payload(&value);
                second.map_or(payload.clone(), |other| payload.join(&other))
            }
            OpName::Success => {
                let payload = self.payload(&value);
                let some = self.enum_value(
                    self.names.some,
                    payload.clone(),
                    Ty::named(self.models.language.option, vec![payload.ty]),
                );
                let none = Val::aggregate(Some(self.names.none), Vec::new(), Ty::Unknown);
                let fails = value.open
                    || value.alts.iter().any(
                        |k| matches!(k, Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_failure(v))),
                    );
                let result = if fails { some.join(&none) } else { some };
                self.told_as(&value, result).with_deps(&value.deps)
            }
            OpName::IsSuccess | OpName::IsFailure => {
                self.variant_test(call, value, name == OpName::IsFailure)
            }
            OpName::PayloadRef => self.payload_reference(call, &value),
            OpName::MapPayload | OpName::AndThen | OpName::OrElse => self.mapped(call, name, value, second),
            _ => value,
        }
    }

    /// The payload, or what a closure gives where there is none: a branch as `match` makes.
    fn payload_or_else(&mut self, call: &mut Call, value: &Val, f: Val) -> Val {
        let outer = self.st.control.clone();
        let payload = self.payload(value);
        // What the failure carries may say as well that an atomic was got: locks are held on both ways.
        let no = self.st.clone();
        self.recall_success(value);
        let yes = std::mem::replace(&mut self.st, no.clone());
        let branches = Branches { yes, no, deps: value.deps.clone() };
        let otherwise = |this: &mut Self| {
            this.recall_failure(value);
            this.call_value(call.cx, call.id, f, vec![Val::unknown(Ty::Unknown)])
        };
        let result = self.run_branches(branches, |_| payload, otherwise);
        self.restore_control(outer);
        result
    }

    /// What a closure gives where a condition holds.
    pub(super) fn if_true(&mut self, call: &mut Call, values: Vec<Val>) -> Val {
        let [condition, f] = &values[..] else { return Val::unknown(call.ret.clone()) };
        let outer = self.st.control.clone();
        let branches = self.split_by(condition);
        let (some, none, ty) = (self.names.some, self.names.none, call.ret.clone());
        let given = |this: &mut Self| {
            let given = this.call_value(call.cx, call.id, f.clone(), Vec::new());
            this.enum_value(some, given, ty.clone())
        };
        let result =
            self.run_branches(branches, given, |_| Val::aggregate(Some(none), Vec::new(), ty.clone()));
        self.restore_control(outer);
        result
    }

    /// An `Option` as a `Result`.
    pub(super) fn ok_or(&self, value: &Val) -> Val {
        let mut result = value.clone();
        for kind in &mut result.alts {
            if let Kind::Aggregate(aggregate) = kind {
                let success = aggregate.variant.is_none_or(|v| self.is_success(v));
                let variant = Some(if success { self.names.ok } else { self.names.err });
                *kind = Kind::Aggregate(Rc::new(Aggregate { variant, fields: aggregate.fields.clone() }));
            }
        }
        result.ty = Ty::Unknown;
        result
    }

    pub(super) fn variant_test(&mut self, call: &mut Call, pointer: Val, negated: bool) -> Val {
        let lval = self.target(call, &pointer);
        let info = self.info(call, AccessKind::Read);
        let deps = self.log_lval(call.cx, &lval, &info);
        let value = self.peek(&lval);
        let success = value
            .alts
            .iter()
            .any(|k| matches!(k, Kind::Aggregate(a) if a.variant.is_none_or(|v| self.is_success(v))));
        let failure = value
            .alts
            .iter()
            .any(|k| matches!(k, Kind::Aggregate(a) if a.variant.is_none_or(|v| self.is_failure(v))));
        let deps = deps.join(&value.deps);
        if !value.open && success != failure {
            return Val::bool(success != negated).with_deps(&deps);
        }
        let mut result = Val::unknown(Ty::Prim(Name::new("bool"))).with_deps(&deps);
        if let [place] = lval.places[..]
            && value.alts.iter().any(|k| matches!(k, Kind::Aggregate(_)))
        {
            let told = self.asked_behind_lock(place, value, negated);
            let success = Test { subject: Subject::Success(place), negated };
            result.alts.push(told.unwrap_or_else(|| Kind::Test(Rc::new(success))));
            result.open = false;
        }
        result
    }

    /// `as_ref`, `as_mut`: references to the payload inside.
    pub(super) fn payload_reference(&mut self, call: &mut Call, pointer: &Val) -> Val {
        let lval = self.target(call, pointer);
        let value = self.peek(&lval);
        let value = self.found_behind_lock(&lval.places, value);
        let info = self.info(call, AccessKind::Read);
        let deps = self.log_lval(call.cx, &lval, &info);
        let how = pointer.pointers().next().map_or(Pointer::Shared, |(_, how)| how);
        let part = self.step_lval(&lval, crate::interp::expr::field(0));
        let reference = self.pointer_to(&part, how);
        let ok =
            value.alts.iter().any(|k| matches!(k, Kind::Aggregate(a) if a.variant == Some(self.names.ok)));
        let variant = if ok { self.names.ok } else { self.names.some };
        let ty = Ty::named(self.models.language.option, vec![reference.ty.clone()]);
        let some = self.enum_value(variant, reference, ty);
        let fails = value.open
            || value
                .alts
                .iter()
                .any(|k| matches!(k, Kind::Aggregate(a) if a.variant.is_some_and(|v| self.is_failure(v))));
        let none = Val::aggregate(Some(self.names.none), Vec::new(), Ty::Unknown);
        let result = if fails { some.join(&none) } else { some };
        self.told_as(&value, result).with_deps(&deps)
    }

    /// `map`, `and_then`, `or_else` and their like.
    pub(super) fn mapped(&mut self, call: &mut Call, name: OpName, value: Val, f: Option<Val>) -> Val {
        let Some(f) = f else { return value };
        let on_success = name != OpName::OrElse;
        let mut result = Val { alts: Default::default(), open: false, ..value.clone() };
        let applies = value.open
            || value.alts.iter().any(|k| match k {
                Kind::Aggregate(a) => a.variant.is_none_or(|v| self.is_success(v) == on_success),
                _ => true,
            });
        for kind in &value.alts {
            if let Kind::Aggregate(a) = kind
                && a.variant.is_some_and(|v| self.is_success(v) != on_success)
            {
                result.alts.push(kind.clone());
            }
        }
        if !applies {
            return result;
        }
        let before = self.st.clone();
        if on_success {
            self.recall_success(&value);
        }
        let argument = if on_success { vec![self.payload(&value)] } else { Vec::new() };
        self.decide(&value.deps);
        self.st.sure &= result.alts.is_empty() && !value.open;
        let callable = f.alts.iter().any(|k| {
            matches!(
                k,
                Kind::Closure(_) | Kind::Fn(..) | Kind::Model(_) | Kind::Constructor(..) | Kind::Pointer(..)
            )
        });
        let mapped = match (name, callable) {
            (OpName::AndThen | OpName::OrElse, false) => f,
            _ => self.call_value(call.cx, call.id, f, argument),
        };
        if self.st.reachable {
            self.st.control = before.control.clone();
            self.st.sure = before.sure;
        }
        let wrapped = match name {
            OpName::MapPayload => {
                let ok = value
                    .alts
                    .iter()
                    .any(|k| matches!(k, Kind::Aggregate(a) if a.variant == Some(self.names.ok)));
                let variant = if ok { self.names.ok } else { self.names.some };
                let path = if ok { self.models.language.result } else { self.models.language.option };
                let ty = Ty::named(path, vec![mapped.ty.clone()]);
                self.enum_value(variant, mapped, ty)
            }
            _ => mapped,
        };
        let wrapped = if on_success { self.succeeded_as(&value, wrapped) } else { wrapped };
        let skipped = !result.alts.is_empty() || value.open;
        let wrapped = match (on_success && skipped).then(|| self.atomics_taken(&before)).flatten() {
            Some(taken) => self.telling(wrapped, Some(&taken), None),
            None => wrapped,
        };
        if skipped {
            self.st.join(&before);
        }
        result.ty = wrapped.ty.clone();
        let mut result = if result.alts.is_empty() { wrapped } else { result.join(&wrapped) };
        result.open |= value.open;
        result.with_deps(&value.deps)
    }
}
