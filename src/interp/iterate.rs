//! Iterators: lazy chains, run where they are consumed; one abstract element stands for all.

use super::access::Door;
use super::memory::AccessInfo;
use super::places::{Index, LoopId, PlaceId, Proj};
use super::values::{Aggregate, Const, Deps, HandleValue, IterValue, Kind, Pointer, Stage, StageKind, Val};
use super::{Cx, Interp};
use crate::finding::AccessKind;
use crate::hir::{ExprId, Name};
use crate::models::Role;
use crate::resolve::{Method, Ty};
use std::rc::Rc;

impl Interp<'_> {
    /// A value as an iterator.
    pub(super) fn iterate(&mut self, cx: &Cx, expr: ExprId, value: Val) -> Val {
        self.iterate_at(cx, expr, value, 0)
    }

    /// The same behind `depth` pointers, which may lead in a circle.
    fn iterate_at(&mut self, cx: &Cx, expr: ExprId, value: Val, depth: u32) -> Val {
        let deps = value.deps.clone();
        let mut result: Option<Val> = None;
        for kind in &value.alts {
            let one = self.iter_of(cx, expr, kind, &value.ty, depth).with_deps(&deps);
            result = Some(result.map_or(one.clone(), |old| old.join(&one)));
        }
        result.unwrap_or_else(|| {
            let element = self.element_ty(&value.ty);
            self.iter_over(Val::unknown(element).with_deps(&deps))
        })
    }

    pub(super) fn iter_over(&mut self, source: Val) -> Val {
        self.iter_over_parts(source, Rc::default())
    }

    fn iter_over_parts(&mut self, source: Val, apart: Rc<[PlaceId]>) -> Val {
        let iter = IterValue {
            source,
            stages: Vec::new(),
            channels: Vec::new(),
            ready: false,
            counter: false,
            first: None,
            bound: None,
            span: (None, None),
            rounds: None,
            listed: None,
            parallel: false,
            apart,
        };
        Val::of(Kind::Iter(Rc::new(iter)), Ty::named(self.models.language.iterator, Vec::new()))
    }

    /// What a `for` loop goes through: `into_iter` as the type's model has it, `iter` behind a reference.
    pub(super) fn loop_source(&mut self, cx: &Cx, expr: ExprId, value: Val) -> Val {
        let by_ref = matches!(value.ty, Ty::Ref { .. });
        let mut ty = value.ty.clone();
        while let Ty::Ref { inner, .. } = &ty {
            ty = (**inner).clone();
        }
        let method = Name::new(if by_ref { "iter" } else { "into_iter" });
        let model = match &ty {
            Ty::Ext(path, _) => self.models.type_method(*path, method),
            _ => None,
        };
        match model.filter(|m| self.models.fn_model(*m).op.is_some()) {
            Some(model) => self.apply_model(cx, expr, model, Some(value), &ty, Vec::new()),
            None => self.iterate(cx, expr, value),
        }
    }

    pub(super) fn iter_received(&mut self, source: Val, channels: Vec<PlaceId>, ready: bool) -> Val {
        let iter = IterValue {
            source,
            stages: Vec::new(),
            channels,
            ready,
            counter: false,
            first: None,
            bound: None,
            span: (None, None),
            rounds: None,
            listed: None,
            parallel: false,
            apart: Rc::default(),
        };
        Val::of(Kind::Iter(Rc::new(iter)), Ty::named(self.models.language.iterator, Vec::new()))
    }

    fn iter_of(&mut self, cx: &Cx, expr: ExprId, kind: &Kind, ty: &Ty, depth: u32) -> Val {
        const MAX_POINTERS: u32 = 8;
        match kind {
            Kind::Iter(_) => Val::of(kind.clone(), ty.clone()),
            Kind::Aggregate(aggregate) => self.iter_of_aggregate(cx, expr, aggregate, ty),
            Kind::Pointer(place, how) if depth < MAX_POINTERS => {
                let inner = self.value_at(*place);
                if let Some(Kind::Iter(_)) = inner.single() {
                    return inner;
                }
                if *how == Pointer::Owner || *how == Pointer::Counted {
                    return self.iterate_at(cx, expr, inner, depth + 1);
                }
                let place_ty = self.places.get(*place).ty.clone();
                let nested = inner.alts.iter().any(|k| matches!(k, Kind::Pointer(..)))
                    && !matches!(place_ty, Ty::Ext(..));
                if nested {
                    return self.iterate_at(cx, expr, inner, depth + 1);
                }
                if let Some(user) = self.user_iter(cx, expr, &place_ty, *place, *how) {
                    return user;
                }
                let element = self.element_ty(&place_ty);
                let at = self.places.step(*place, Proj::Index(Index::Any), &element);
                let mutable = *how == Pointer::Exclusive;
                let pointer = Val::pointer(at, *how, Ty::reference(mutable, element));
                let apart = match inner.single() {
                    Some(Kind::Aggregate(aggregate)) => self.one_each(aggregate),
                    _ => Rc::default(),
                };
                let mut iter = self.iter_over_parts(pointer, apart);
                if let (Some(Kind::Aggregate(elements)), Some(Kind::Iter(whole))) =
                    (inner.single(), iter.single())
                    && !self.is_shared(*place)
                    && *how == Pointer::Shared
                    && super::listed::is_written(&inner)
                {
                    let listed = Some(elements.clone());
                    iter.alts =
                        std::iter::once(Kind::Iter(Rc::new(IterValue { listed, ..(**whole).clone() })))
                            .collect();
                }
                if !self.is_guarded(at) {
                    return iter.with_deps(&self.counted_elements(cx, expr, *place, *how));
                }
                // Which elements there are is read, where a lock lets others change that.
                let info = AccessInfo::plain(AccessKind::Read, cx.body.body.expr(expr).range);
                let read = self.log(cx, at, Door::Safe, &info);
                read.map_or(iter.clone(), |read| iter.with_deps(&Deps::one(read)))
            }
            _ => {
                let element = self.element_ty(ty);
                self.iter_over(Val::unknown(element))
            }
        }
    }

    /// To go through a collection is to read how many elements it has.
    pub(super) fn counted_elements(&mut self, cx: &Cx, expr: ExprId, place: PlaceId, how: Pointer) -> Deps {
        if self.models.role(&self.places.get(place).ty) != Role::Collection {
            return Deps::default();
        }
        let header = self.places.step(place, Proj::Field(Name::new("len")), &Ty::Unknown);
        let door = if how == Pointer::Raw { Door::Raw } else { Door::Safe };
        let info = AccessInfo::plain(AccessKind::Read, cx.body.body.expr(expr).range);
        self.log(cx, header, door, &info).map_or_else(Deps::default, Deps::one)
    }

    fn iter_of_aggregate(&mut self, cx: &Cx, expr: ExprId, aggregate: &Rc<Aggregate>, ty: &Ty) -> Val {
        if let Some(variant) = aggregate.variant {
            let none = variant == self.names.none || variant == self.names.err;
            let source = if none {
                Val::bottom()
            } else {
                aggregate.field(super::expr::field(0)).cloned().unwrap_or_else(Val::bottom)
            };
            return self.iter_over(source);
        }
        if aggregate.field(Proj::Field(Name::new("start"))).is_some()
            && self.models.role(ty) != Role::Collection
        {
            let element = self.element_ty(ty);
            let bound = |name| match aggregate.field(Proj::Field(Name::new(name))).and_then(Val::constant) {
                Some(Const::Int(n)) => Some(*n),
                _ => None,
            };
            let start = bound("start");
            let end = bound("end").or_else(|| bound("last")?.checked_add(1));
            let bounds =
                aggregate.fields.iter().fold(Deps::default(), |deps, (_, v)| deps.join(&v.all_deps()));
            let own = super::portions::own_block(aggregate).or_else(|| self.listed_range(aggregate));
            let own = own.map(|block| Val::of(block, element.clone()));
            let numbers = own.or_else(|| self.claimed_range(aggregate));
            let iter = IterValue {
                counter: numbers.is_none(),
                source: numbers.unwrap_or_else(|| Val::unknown(element)).with_deps(&bounds),
                stages: Vec::new(),
                channels: Vec::new(),
                ready: false,
                first: aggregate.field(Proj::Field(Name::new("start"))).and_then(Val::single).cloned(),
                bound: end,
                span: self.span_of(aggregate),
                listed: None,
                rounds: start.zip(end).and_then(|(s, e)| u32::try_from(e.checked_sub(s)?).ok()),
                parallel: false,
                apart: Rc::default(),
            };
            let ty = Ty::named(self.models.language.iterator, Vec::new());
            return Val::of(Kind::Iter(Rc::new(iter)), ty).with_deps(&bounds);
        }
        if matches!(ty, Ty::Adt(..)) {
            let value = Val::of(Kind::Aggregate(aggregate.clone()), ty.clone());
            let lval = self.materialize(cx, expr, value);
            if let Some(&place) = lval.places.first()
                && let Some(user) = self.user_iter(cx, expr, ty, place, Pointer::Owner)
            {
                return user;
            }
        }
        let mut source: Option<Val> = None;
        let mut constants = Vec::new();
        for (proj, value) in &aggregate.fields {
            if matches!(proj, Proj::Index(_)) {
                source = Some(source.map_or(value.clone(), |old: Val| old.join(value)));
                constants.push(value.constant().cloned());
            }
        }
        let distinct = constants.len() > 1
            && constants.iter().all(|c| matches!(c, Some(Const::Int(_))))
            && constants.iter().enumerate().all(|(n, c)| !constants[..n].contains(c));
        let listed = super::listed::is_written(&Val::of(Kind::Aggregate(aggregate.clone()), Ty::Unknown));
        let source = source.unwrap_or_else(|| Val::unknown(self.element_ty(ty)));
        let iter = IterValue {
            source,
            stages: Vec::new(),
            channels: Vec::new(),
            ready: false,
            counter: distinct,
            first: None,
            bound: None,
            span: (None, None),
            rounds: None,
            listed: listed.then(|| aggregate.clone()),
            parallel: false,
            apart: self.one_each(aggregate),
        };
        Val::of(Kind::Iter(Rc::new(iter)), Ty::named(self.models.language.iterator, Vec::new()))
    }

    /// A type of the program that iterates: its `next` makes the elements.
    fn user_iter(&mut self, cx: &Cx, expr: ExprId, ty: &Ty, place: PlaceId, how: Pointer) -> Option<Val> {
        if !matches!(ty, Ty::Adt(..)) {
            return None;
        }
        let by_ref = Ty::reference(how != Pointer::Shared, ty.clone());
        let found = self.program.methods(&by_ref, Name::new("into_iter")).into_iter().next();
        if let Some(method) = found.filter(|_| matches!(how, Pointer::Shared | Pointer::Exclusive)) {
            let this = Val::pointer(place, how, by_ref);
            return Some(self.user_into_iter(cx, expr, method, this));
        }
        let this = Val::pointer(place, Pointer::Exclusive, Ty::reference(true, ty.clone()));
        if let Some(method) = self.program.methods(ty, Name::new("next")).into_iter().next() {
            let item = self.call_fn(cx, expr, method.id, method.subst, Some(this), Vec::new());
            let item = self.payload(&item);
            return Some(self.iter_over(item));
        }
        let method = self.program.methods(ty, Name::new("into_iter")).into_iter().next()?;
        Some(self.user_into_iter(cx, expr, method, this))
    }

    fn user_into_iter(&mut self, cx: &Cx, expr: ExprId, method: Method, this: Val) -> Val {
        let result = self.call_fn(cx, expr, method.id, method.subst, Some(this), Vec::new());
        let again = result.alts.iter().any(|k| matches!(k, Kind::Iter(_)));
        if again { result } else { self.iterate(cx, expr, result) }
    }

    pub(super) fn element_ty(&self, ty: &Ty) -> Ty {
        match ty {
            Ty::Ext(_, args) if matches!(self.models.role(ty), Role::Owner | Role::Counted) => {
                args.first().map_or(Ty::Unknown, |inner| self.element_ty(inner))
            }
            Ty::Ext(_, args) => args.last().cloned().unwrap_or(Ty::Unknown),
            Ty::Array(inner) | Ty::Slice(inner) => (**inner).clone(),
            Ty::Ref { mutable, inner } => match self.element_ty(inner) {
                Ty::Unknown => Ty::Unknown,
                element => Ty::reference(*mutable, element),
            },
            _ => Ty::Unknown,
        }
    }

    /// The element of this round, after the chain's closures ran on it. Unreachable state: the chain yields nothing.
    pub(super) fn next_item(&mut self, cx: &Cx, expr: ExprId, at: LoopId, iter: &Val) -> Val {
        let mut item: Option<Val> = None;
        for kind in iter.alts.clone() {
            if let Kind::Iter(iter) = kind {
                let one = self.item_of(cx, expr, at, &iter);
                item = Some(item.map_or(one.clone(), |old: Val| old.join(&one)));
            }
        }
        item.unwrap_or_else(|| Val::unknown(Ty::Unknown)).with_deps(&iter.deps)
    }

    /// What each of several known elements leads to, where no two lead to the same.
    fn one_each(&self, elements: &Aggregate) -> Rc<[PlaceId]> {
        let mut found: Vec<PlaceId> = Vec::new();
        for (proj, value) in &elements.fields {
            let own = self.roots_from(value);
            let known = matches!(proj, Proj::Index(Index::Const(_))) && !value.open;
            if !known || own.is_empty() || own.iter().any(|place| found.contains(place)) {
                return Rc::default();
            }
            found.extend(own);
        }
        found.into()
    }

    /// How often a loop over this iterator runs.
    fn note_rounds(&mut self, at: LoopId, iter: &IterValue) {
        let keeps = |s: &Stage| matches!(s.kind, StageKind::Map | StageKind::Inspect | StageKind::Enumerate);
        match iter.rounds.filter(|_| iter.stages.iter().all(keeps)) {
            Some(rounds) => self.loop_rounds.insert(at, rounds),
            None => self.loop_rounds.remove(&at),
        };
    }

    pub(super) fn item_of(&mut self, cx: &Cx, expr: ExprId, at: LoopId, iter: &IterValue) -> Val {
        for &channel in &iter.channels {
            self.received(channel, iter.ready.then_some(at));
        }
        let mut item = iter.source.clone();
        if !iter.channels.is_empty() {
            self.take_over(&item);
        }
        self.note_rounds(at, iter);
        if iter.stages.iter().all(one_element_each) {
            let roots = iter.apart.iter().map(|place| (self.places.get(*place).root, at));
            self.apart_in.extend(roots);
        }
        if let Some(own) = iter.listed.as_ref().and_then(|elements| self.listed_item(at, elements)) {
            let own = own.with_deps(&item.deps);
            let pointer = item.pointers().next();
            item = match pointer {
                Some((_, how)) => {
                    let lval = self.materialize(cx, expr, own);
                    self.pointer_to(&lval, how)
                }
                None => own,
            };
        } else if iter.counter {
            let number = self.counter_of(at, iter);
            item.alts.clear();
            item.alts.push(number);
            item.open = false;
        } else if iter.channels.is_empty()
            && (item.open
                || item.alts.len() > 1
                || item.pointers().next().is_some()
                || item.term.is_some()
                || matches!(item.single(), Some(Kind::Block(..) | Kind::Portion(..))))
        {
            // Another element in each round.
            let round = self.round_of(at);
            item = item.with_deps(&round);
        }
        tag_handles(&mut item, at);
        let each = iter.channels.is_empty() && iter.stages.iter().all(one_element_each);
        if each {
            self.renumber(&mut item, at, 0);
        }
        for stage in &iter.stages {
            if !self.st.reachable {
                return Val::bottom();
            }
            item = self.staged(cx, expr, at, stage, item);
            if each && stage.kind == StageKind::Cloned {
                self.renumber(&mut item, at, 0);
            }
        }
        item
    }

    pub(super) fn staged(&mut self, cx: &Cx, expr: ExprId, at: LoopId, stage: &Stage, item: Val) -> Val {
        let closure = stage.closure.clone();
        let run = |this: &mut Self, args: Vec<Val>| match &closure {
            Some(closure) => this.call_value(cx, expr, closure.clone(), args),
            None => Val::unknown(Ty::Unknown),
        };
        match stage.kind {
            StageKind::Map => run(self, vec![item]),
            StageKind::Filter | StageKind::Inspect => {
                let lval = self.materialize(cx, expr, item.clone());
                let reference = self.pointer_to(&lval, Pointer::Shared);
                let kept = run(self, vec![reference]);
                if stage.kind == StageKind::Filter {
                    let mut item = item.with_deps(&kept.all_deps());
                    untag_handles(&mut item);
                    self.decide(&kept.all_deps());
                    return item;
                }
                item
            }
            StageKind::FilterMap => {
                let result = run(self, vec![item]);
                let mut item = self.payload(&result);
                untag_handles(&mut item);
                item
            }
            StageKind::FlatMap => {
                let result = run(self, vec![item]);
                let inner = self.iterate(cx, expr, result);
                self.next_item(cx, expr, at, &again_and_again(inner))
            }
            StageKind::Flatten => {
                let inner = self.iterate(cx, expr, item);
                self.next_item(cx, expr, at, &again_and_again(inner))
            }
            StageKind::Enumerate => {
                let counter = Val::of(Kind::Linear(at, 1, 0), Ty::Prim(Name::new("usize")));
                let ty = Ty::Tuple([counter.ty.clone(), item.ty.clone()].into_iter().collect());
                Val::aggregate(
                    None,
                    vec![(super::expr::field(0), counter), (super::expr::field(1), item)],
                    ty,
                )
            }
            StageKind::Zip => {
                let other = closure.unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let other = self.iterate(cx, expr, other);
                let second = self.next_item(cx, expr, at, &other);
                let ty = Ty::Tuple([item.ty.clone(), second.ty.clone()].into_iter().collect());
                Val::aggregate(None, vec![(super::expr::field(0), item), (super::expr::field(1), second)], ty)
            }
            StageKind::Chain => {
                let other = closure.unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let other = self.iterate(cx, expr, other);
                let second = self.next_item(cx, expr, at, &again_and_again(other));
                item.join(&second)
            }
            StageKind::Partial => {
                let mut item = item;
                untag_handles(&mut item);
                if closure.is_some() {
                    let lval = self.materialize(cx, expr, item.clone());
                    let reference = self.pointer_to(&lval, Pointer::Shared);
                    let kept = run(self, vec![reference]);
                    self.decide(&kept.all_deps());
                }
                item
            }
            StageKind::Step => {
                let mut item = item;
                untag_handles(&mut item);
                item
            }
            StageKind::Keyed => {
                let key = Val::unknown(Ty::Unknown);
                let ty = Ty::Tuple([key.ty.clone(), item.ty.clone()].into_iter().collect());
                Val::aggregate(None, vec![(super::expr::field(0), key), (super::expr::field(1), item)], ty)
            }
            StageKind::Values => super::memory::project(&item, super::expr::field(1)),
            StageKind::Fold => {
                let made = match &stage.state {
                    Some(state) => self.call_value(cx, expr, state.clone(), Vec::new()),
                    None => Val::unknown(Ty::Unknown),
                };
                let start = super::memory::generalize(&made);
                let result = run(self, vec![start.clone(), item]);
                start.join(&result)
            }
            StageKind::Scan => {
                let result = run(self, vec![Val::unknown(Ty::Unknown), item]);
                self.payload(&result)
            }
            StageKind::Cloned => {
                let lval = self.deref_value(cx, &item, expr);
                if lval.places.is_empty() {
                    return item;
                }
                let range = cx.body.body.expr(expr).range;
                let deps = self.log_lval(cx, &lval, &AccessInfo::plain(AccessKind::Read, range));
                let mut value = self.peek(&lval).with_deps(&deps);
                tag_handles(&mut value, at);
                value
            }
        }
    }

    /// Consumes an iterator: walks the chain and `each` as a loop. Gives the join of what `each` gave.
    pub(super) fn drive(
        &mut self,
        cx: &Cx,
        expr: ExprId,
        iter: Val,
        complete: bool,
        mut each: impl FnMut(&mut Self, Val) -> Val,
    ) -> Val {
        let iter = self.iterate(cx, expr, iter);
        let at = LoopId { frame: cx.frame, expr };
        let outer = (self.st.control.clone(), self.st.left.clone());
        let mut exit = Some(self.st.clone());
        let mut result: Option<Val> = None;
        self.rounds(at, None, |this| {
            let before = this.st.clone();
            let item = this.next_item(cx, expr, at, &iter);
            if !this.st.reachable {
                // The chain yields nothing: as if the loop ended.
                this.st = before;
                return;
            }
            let one = each(this, item);
            if this.st.reachable {
                result = Some(result.take().map_or(one.clone(), |old| old.join(&one)));
                match &mut exit {
                    Some(old) => old.join(&this.st),
                    None => exit = Some(this.st.clone()),
                }
            }
        });
        if complete {
            self.keep_locked(at, &mut exit);
        } else {
            self.forget_rounds(at);
        }
        self.finish_loop(at, exit, outer);
        result.unwrap_or_else(|| Val::unknown(Ty::Unknown)).with_deps(&iter.deps)
    }

    pub(super) fn add_stage(
        &mut self,
        cx: &Cx,
        expr: ExprId,
        kind: StageKind,
        iter: Val,
        (state, closure): (Option<Val>, Option<Val>),
    ) -> Val {
        let at = self.call_location(cx, expr);
        let iter = self.iterate(cx, expr, iter);
        let mut staged = iter.clone();
        let mut parallel = false;
        for alt in &mut staged.alts {
            if let Kind::Iter(iter) = alt {
                let mut iter = (**iter).clone();
                iter.stages.push(Stage { kind, closure: closure.clone(), state: state.clone(), at });
                parallel |= iter.parallel;
                *alt = Kind::Iter(Rc::new(iter));
            }
        }
        if !parallel {
            staged.ty = Ty::named(self.models.language.iterator, Vec::new());
        }
        staged
    }

    /// A collection of what an iterator yields.
    pub(super) fn collect(&mut self, cx: &Cx, expr: ExprId, iter: Val) -> Val {
        let iter = self.iterate(cx, expr, iter);
        let one_each = |kind: &Kind| matches!(kind, Kind::Iter(i) if i.stages.iter().all(one_element_each));
        let each = iter.alts.iter().all(one_each);
        if each {
            self.collected.insert(LoopId { frame: cx.frame, expr });
        }
        let mut element = self.drive(cx, expr, iter, true, |_, item| item);
        if !each && self.holds_counter(&element, 0) {
            element = super::memory::generalize(&element);
        }
        untag_handles(&mut element);
        let deps = element.all_deps();
        let failed = element.alts.iter().any(|k| matches!(k, Kind::Aggregate(a) if a.variant.is_some_and(|v| v == self.names.ok || v == self.names.err)));
        let mut value =
            Val::aggregate(None, vec![(Proj::Index(Index::Any), element)], Ty::Unknown).with_deps(&deps);
        if failed {
            // `collect::<Result<Vec<_>, _>>()`: seen as the collection; `?` and `unwrap` let it through.
            value.open = true;
        }
        value
    }
}

/// Handles that come out of a collection one after the other.
pub(super) fn tag_handles(value: &mut Val, at: LoopId) {
    each_handle(value, &|handle| handle.each_of = Some(at), 0);
}

pub(super) fn untag_handles(value: &mut Val) {
    each_handle(value, &|handle| handle.each_of = None, 0);
}

/// Handles of one of the two parts that a collection was taken apart into; taken apart again, nobody counts them.
pub(super) fn divide_handles(value: &mut Val, part: u32) {
    each_handle(
        value,
        &|handle| handle.part = Some((part, if handle.part.is_none() { 2 } else { u32::MAX })),
        0,
    );
}

fn each_handle(value: &mut Val, change: &dyn Fn(&mut HandleValue), depth: u32) {
    if depth > 3 {
        return;
    }
    for kind in &mut value.alts {
        match kind {
            Kind::Handle(handle) => change(handle),
            Kind::Aggregate(aggregate) => {
                let holds =
                    |v: &Val| v.alts.iter().any(|k| matches!(k, Kind::Handle(_) | Kind::Aggregate(_)));
                if aggregate.fields.iter().any(|(_, v)| holds(v)) {
                    let mut changed = (**aggregate).clone();
                    changed.fields.iter_mut().for_each(|(_, field)| each_handle(field, change, depth + 1));
                    *kind = Kind::Aggregate(Rc::new(changed));
                }
            }
            _ => {}
        }
    }
}

/// No two rounds get parts of one element of the source.
fn one_element_each(stage: &Stage) -> bool {
    !matches!(stage.kind, StageKind::FlatMap | StageKind::Flatten | StageKind::Chain)
}

/// Iterators that may be gone through more than once in one loop.
fn again_and_again(mut iter: Val) -> Val {
    for kind in &mut iter.alts {
        if let Kind::Iter(inner) = kind {
            let source = super::memory::generalize(&inner.source);
            *kind = Kind::Iter(Rc::new(IterValue { apart: Rc::default(), source, ..(**inner).clone() }));
        }
    }
    iter
}
