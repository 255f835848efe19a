//! Effects on collections: elements looked up, put in and taken out, and iterators over them.
//!
//! In: a pointer to the collection, keys and values. Out: accesses of the elements they mean, and the values found there.

use super::Call;
use crate::finding::AccessKind;
use crate::hir::Name;
use crate::interp::Interp;
use crate::interp::access::Effect;
use crate::interp::memory::{AccessInfo, Lval};
use crate::interp::places::{Index, LoopId, Proj};
use crate::interp::values::{Const, Deps, GuardValue, Kind, Pointer, StageKind, Val};
use crate::models::{OpName, Role};
use crate::resolve::Ty;
use std::rc::Rc;

/// A key is looked for behind this many references.
const MAX_REFERENCES: usize = 3;

impl Interp<'_> {
    pub(super) fn element_op(&mut self, call: &mut Call, name: OpName, mut values: Vec<Val>) -> Val {
        if values.is_empty() {
            return Val::unknown(Ty::Unknown);
        }
        let pointer = values.remove(0);
        let lval = self.target(call, &pointer);
        let how = pointer.pointers().next().map_or(Pointer::Shared, |(_, how)| how);
        match name {
            OpName::TakeElem | OpName::TakeKey => {
                // What may find nothing says so; what must find something was told by another look.
                let optional = matches!(&call.ret, Ty::Ext(..));
                let effect = Some(if optional { Effect::Take } else { Effect::TakeSure });
                // Which one must be there was told by whatever the index comes from.
                let data = match values.first() {
                    Some(index) if !optional => index.all_deps(),
                    _ => Deps::default(),
                };
                let info = AccessInfo { effect, data, ..self.info(call, AccessKind::Update) };
                let taken = match (name, values.first()) {
                    (OpName::TakeKey, Some(key)) => self.under_key(&lval, key),
                    _ => None,
                };
                let deps = self.log_lval(call.cx, taken.as_ref().unwrap_or(&lval), &info);
                if name == OpName::TakeElem {
                    self.found_in(call, &lval);
                }
                let element = self.step_lval(&lval, Proj::Index(Index::Any));
                let mut value = self.peek(&element);
                if let (OpName::TakeElem, [list]) = (name, &lval.places[..]) {
                    value = self.taken_from_list(*list, value, &deps);
                }
                let mut value = value.with_deps(&deps);
                if !self.st.locks.is_empty() {
                    self.take_over(&value);
                }
                match self.draining {
                    Some(at) => crate::interp::iterate::tag_handles(&mut value, at),
                    None => crate::interp::iterate::untag_handles(&mut value),
                }
                value
            }
            OpName::Split => self.split_collection(call, &lval),
            OpName::Push => {
                let value = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                self.used(&value);
                if !self.st.locks.is_empty() {
                    self.hand_over(&value);
                }
                let mut info = self.info(call, AccessKind::Update);
                info.data = value.all_deps();
                info.effect = Some(Effect::Put);
                let deps = self.log_lval(call.cx, &lval, &info);
                let at = call.cx.location(call.cx.body.body.expr(call.id).range);
                for &place in &lval.places {
                    self.list_filled(place, &value, (call.cx.frame, at));
                    let element = self.places.step(place, Proj::Index(Index::Any), &value.ty);
                    self.store_at(element, value.clone(), false);
                    if let Some(filled) = self.filled_behind_lock(place) {
                        self.pass_on(filled);
                    }
                }
                Val::unknown(call.ret.clone()).with_deps(&deps)
            }
            OpName::Extend => {
                let info = AccessInfo { effect: Some(Effect::Put), ..self.info(call, AccessKind::Update) };
                self.log_lval(call.cx, &lval, &info);
                let elements = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let mut item = self.drive(call.cx, call.id, elements, true, |_, item| item);
                crate::interp::iterate::untag_handles(&mut item);
                self.used(&item);
                let at = call.cx.location(call.cx.body.body.expr(call.id).range);
                for &place in &lval.places {
                    self.list_filled(place, &item, (call.cx.frame, at));
                    let element = self.places.step(place, Proj::Index(Index::Any), &item.ty);
                    self.store_at(element, item.clone(), false);
                    if let Some(filled) = self.filled_behind_lock(place) {
                        self.pass_on(filled);
                    }
                }
                Val::unit()
            }
            OpName::Shares => {
                let share = self.share(call, &lval, how, crate::interp::places::EACH_SHARE);
                self.iter_over(share)
            }
            OpName::Share => {
                call.shares += 1;
                let which = call.shares;
                self.share(call, &lval, how, which)
            }
            OpName::IndexRef | OpName::KeyRef => {
                let key = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let element = match name {
                    OpName::KeyRef => self.under_key(&lval, &key),
                    _ => {
                        let index = self.index_at(&key);
                        Some(self.step_lval(&lval, Proj::Index(index)))
                    }
                };
                let mut element = element.unwrap_or_else(|| self.step_lval(&lval, Proj::Index(Index::Any)));
                let looked = match name {
                    OpName::KeyRef => self.looked_up(call, &element, how),
                    _ => self.looked_through(call, &lval, how),
                };
                element.deps = element.deps.join(&self.lent_deps(&key)).join(&looked);
                if name == OpName::IndexRef {
                    self.found_in(call, &lval);
                }
                self.element_of(call, &pointer, &element, how)
            }
            _ => {
                let mut element = self.step_lval(&lval, Proj::Index(Index::Any));
                element.deps = element.deps.join(&self.looked_through(call, &lval, how));
                self.found_in(call, &lval);
                self.element_of(call, &pointer, &element, how)
            }
        }
    }

    /// Takes some elements out into another collection: who joins the handles that are left has not joined those.
    fn split_collection(&mut self, call: &Call, lval: &Lval) -> Val {
        let info = self.range_taken(call);
        let deps = self.log_lval(call.cx, lval, &info);
        let element = self.step_lval(lval, Proj::Index(Index::Any));
        let mut taken = self.peek(&element);
        crate::interp::iterate::untag_handles(&mut taken);
        crate::interp::iterate::divide_handles(&mut taken, 1);
        for &place in &lval.places {
            let mut rest = self.value_at(place);
            crate::interp::iterate::divide_handles(&mut rest, 0);
            self.store_at(place, rest, lval.places.len() == 1);
        }
        Val::aggregate(None, vec![(Proj::Index(Index::Any), taken)], call.ret.clone()).with_deps(&deps)
    }

    /// Elements in a range are taken out: which ones must be there was told by whatever the numbers come from.
    fn range_taken(&self, call: &Call) -> AccessInfo {
        let mut info = self.info(call, AccessKind::Update);
        let numbers = call.args.iter().filter(|arg| arg.pointers().next().is_none());
        info.data = numbers.fold(Deps::default(), |deps, arg| deps.join(&arg.all_deps()));
        info.effect = Some(Effect::TakeSure);
        info
    }

    /// An element is there: whoever put it in did so before.
    fn found_in(&self, call: &mut Call, collection: &Lval) {
        if let [place] = collection.places[..] {
            call.found.extend(self.filled_behind_lock(place));
        }
    }

    /// To look for an element is to read which there are, unless a lock tells others to wait.
    fn looked_through(&mut self, call: &Call, collection: &Lval, how: Pointer) -> Deps {
        let open = collection.places.iter().copied().filter(|place| !self.is_guarded(*place));
        let open: Vec<_> = open.collect();
        let read = |deps: Deps, place| deps.join(&self.counted_elements(call.cx, call.id, place, how));
        open.into_iter().fold(Deps::default(), read)
    }

    /// The same of a map, where what is put under a key is that element.
    fn looked_up(&mut self, call: &Call, element: &Lval, how: Pointer) -> Deps {
        if how == Pointer::Exclusive || element.places.iter().any(|place| self.is_guarded(*place)) {
            return Deps::default();
        }
        let info = self.info(call, AccessKind::Read);
        self.log_lval(call.cx, element, &info)
    }

    /// The element under a key that tells it from others. Without a lock none is: who puts one in may move all.
    pub(in crate::interp) fn under_key(&mut self, map: &Lval, key: &Val) -> Option<Lval> {
        if !map.places.iter().all(|place| self.is_guarded(*place)) {
            return None;
        }
        let mut key = key.clone();
        for _ in 0..MAX_REFERENCES {
            let Some(Kind::Pointer(place, _)) = key.single() else { break };
            key = self.value_at(*place);
        }
        let index = match key.single() {
            Some(Kind::Const(Const::Str(text))) => Index::Key(Name::new(&format!("{:?}", text.as_str()))),
            Some(Kind::Const(Const::Char(letter))) => Index::Key(Name::new(&format!("{letter:?}"))),
            Some(Kind::Aggregate(value)) if value.fields.is_empty() => Index::Key(value.variant?),
            _ => self.index_at(&key),
        };
        (index != Index::Any).then(|| self.step_lval(map, Proj::Index(index)))
    }

    /// A pointer to an element; through a guard, one that holds the lock on. Whether it is there is read, where a lock lets
    /// others change that.
    pub(super) fn element_of(&mut self, call: &Call, base: &Val, element: &Lval, how: Pointer) -> Val {
        let mut result = self.pointer_to(element, how);
        if element.places.iter().any(|p| self.is_guarded(*p)) {
            let info = AccessInfo { effect: Some(Effect::Find), ..self.info(call, AccessKind::Read) };
            result.deps = self.log_lval(call.cx, element, &info);
        }
        let Some(&data) = element.places.first() else { return result };
        let guards = base.alts.iter().filter_map(|kind| match kind {
            Kind::Guard(guard) => Some(Kind::Guard(Rc::new(GuardValue { data, ..(**guard).clone() }))),
            _ => None,
        });
        let guards: Vec<Kind> = guards.collect();
        if !guards.is_empty() {
            result.alts = guards.into_iter().collect();
            result.ty = inner_guard(self.models, &call.ret);
        }
        result
    }

    /// A pointer to a part that no other part made by the same call overlaps.
    pub(super) fn share(&mut self, call: &Call, lval: &Lval, how: Pointer, which: u32) -> Val {
        let at = LoopId { frame: call.cx.frame, expr: call.id };
        let element = self.step_lval(lval, Proj::Index(Index::Share(at, which)));
        self.pointer_to(&element, how)
    }

    pub(super) fn iterator_op(
        &mut self,
        call: &mut Call,
        name: OpName,
        word: Option<Name>,
        mut values: Vec<Val>,
    ) -> Val {
        let (cx, id) = (call.cx, call.id);
        if values.is_empty() {
            let zero = Val::aggregate(
                None,
                vec![(Proj::Field(Name::new("start")), Val::unit())],
                Ty::named(self.models.language.range, Vec::new()),
            );
            return self.iterate(cx, id, zero);
        }
        let first = values.remove(0);
        if matches!(
            name,
            OpName::Each
                | OpName::Search
                | OpName::Find
                | OpName::Compare
                | OpName::Fold
                | OpName::Drive
                | OpName::Collect
        ) && let Some(value) = self.consume_parallel(call, name, &first, &values)
        {
            return value;
        }
        match name {
            OpName::Parallel => self.made_parallel(call, first),
            OpName::Repeat => self.iter_over(first),
            OpName::Find => {
                let f = values.pop();
                let item = self.drive(cx, id, first, false, |this, item| {
                    let Some(f) = &f else { return item };
                    let lval = this.materialize(cx, id, item.clone());
                    let reference = this.pointer_to(&lval, Pointer::Shared);
                    let kept = this.call_value(cx, id, f.clone(), vec![reference]);
                    item.with_deps(&kept.all_deps())
                });
                self.one_or_none(item)
            }
            OpName::Compare => {
                let f = values.pop();
                let item = self.drive(cx, id, first, true, |this, item| {
                    let Some(f) = &f else {
                        let read = this.observe_pointees(cx, &item, id);
                        return item.with_deps(&read);
                    };
                    let lval = this.materialize(cx, id, item.clone());
                    let reference = this.pointer_to(&lval, Pointer::Shared);
                    let order = this.call_value(cx, id, f.clone(), vec![reference.clone(), reference]);
                    item.with_deps(&order.all_deps())
                });
                self.one_or_none(item)
            }
            OpName::Iter => self.iterate(cx, id, first),
            OpName::DrainIter => {
                let lval = self.target(call, &first);
                let all = call.args.first().is_none_or(is_full_range);
                let info = match all {
                    true => self.info(call, AccessKind::Update),
                    false => self.range_taken(call),
                };
                let deps = self.log_lval(cx, &lval, &info);
                let element = self.step_lval(&lval, Proj::Index(Index::Any));
                let source = self.peek(&element).with_deps(&deps);
                if !self.st.locks.is_empty() && lval.places.iter().any(|place| self.is_guarded(*place)) {
                    self.take_over(&source);
                }
                let iter = self.iter_over(source);
                if all { iter } else { self.add_stage(cx, id, StageKind::Partial, iter, (None, None)) }
            }
            OpName::Stage => {
                let kind = stage_kind(word);
                let closure = values.pop();
                self.add_stage(cx, id, kind, first, (values.pop(), closure))
            }
            OpName::Each | OpName::Search => {
                let f = values.pop();
                let complete = name == OpName::Each;
                let result = self.drive(cx, id, first, complete, |this, item| match &f {
                    Some(f) => this.call_value(cx, id, f.clone(), vec![item]),
                    None => item,
                });
                Val::unknown(Ty::Unknown).with_deps(&result.all_deps())
            }
            OpName::Fold => {
                let f = values.pop();
                let init = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let start = crate::interp::memory::generalize(&init);
                let result = self.drive(cx, id, first, true, |this, item| match &f {
                    Some(f) => this.call_value(cx, id, f.clone(), vec![start.clone(), item]),
                    None => item,
                });
                start.join(&result)
            }
            OpName::Drive => {
                let result = self.drive(cx, id, first, true, |this, item| {
                    let read = this.observe_pointees(cx, &item, id);
                    item.with_deps(&read)
                });
                Val::unknown(Ty::Unknown).with_deps(&result.all_deps())
            }
            OpName::Collect => self.collect(cx, id, first),
            OpName::Next => self.next_of(call, first),
            _ => {
                let result = self.call_value(cx, id, first, Vec::new());
                self.iter_over(result)
            }
        }
    }

    /// One of the elements, if there is one.
    fn one_or_none(&mut self, mut item: Val) -> Val {
        crate::interp::iterate::untag_handles(&mut item);
        let ty = Ty::named(self.models.language.option, vec![item.ty.clone()]);
        let deps = item.all_deps();
        let none = Val::aggregate(Some(self.names.none), Vec::new(), Ty::Unknown);
        self.enum_value(self.names.some, item, ty).join(&none).with_deps(&deps)
    }

    pub(super) fn next_of(&mut self, call: &mut Call, pointer: Val) -> Val {
        let at = self.draining.unwrap_or(LoopId { frame: call.cx.frame, expr: call.id });
        let iter = self.iterate(call.cx, call.id, pointer);
        let mut item = self.next_item(call.cx, call.id, at, &iter);
        if self.draining.is_none() {
            crate::interp::iterate::untag_handles(&mut item);
        }
        let ty = Ty::named(self.models.language.option, vec![item.ty.clone()]);
        let some = self.enum_value(self.names.some, item, ty);
        some.join(&Val::aggregate(Some(self.names.none), Vec::new(), Ty::Unknown)).with_deps(&iter.deps)
    }
}

/// `..`: a range without bounds.
pub(super) fn is_full_range(value: &Val) -> bool {
    matches!(value.single(), Some(Kind::Aggregate(range)) if range.fields.is_empty())
}

pub(super) fn stage_kind(word: Option<Name>) -> StageKind {
    match word.map(Name::as_str) {
        Some("map") => StageKind::Map,
        Some("filter") => StageKind::Filter,
        Some("filter_map") => StageKind::FilterMap,
        Some("flat_map") => StageKind::FlatMap,
        Some("inspect") => StageKind::Inspect,
        Some("enumerate") => StageKind::Enumerate,
        Some("zip") => StageKind::Zip,
        Some("chain") => StageKind::Chain,
        Some("cloned") => StageKind::Cloned,
        Some("flatten") => StageKind::Flatten,
        Some("keyed") => StageKind::Keyed,
        Some("step") => StageKind::Step,
        Some("values") => StageKind::Values,
        Some("scan") => StageKind::Scan,
        Some("fold") => StageKind::Fold,
        _ => StageKind::Partial,
    }
}

/// The guard's type in what a call gives.
fn inner_guard(models: &crate::models::Models, ret: &Ty) -> Ty {
    match ret {
        Ty::Ext(_, args) if models.role(ret) != Role::Guard => {
            args.iter().find(|arg| models.role(arg) == Role::Guard).cloned().unwrap_or(Ty::Unknown)
        }
        other => other.clone(),
    }
}
