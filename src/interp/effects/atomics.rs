//! Effects on atomics: loads, stores and exchanges with their orderings, fences, and what a stored flag promises.
//!
//! In: the operation of a model and its evaluated arguments. Out: its value; accesses, order and claims go into the state.

use super::written::new_value;
use super::*;
use crate::interp::access::Side;
use crate::interp::places::Places;
use crate::interp::told::state_value;
use crate::interp::values::ReadId;
use smallvec::SmallVec;

impl Interp<'_> {
    pub(super) fn ordering(&self, value: Option<&Val>) -> Name {
        if let Some(Kind::Aggregate(aggregate)) = value.and_then(Val::single)
            && let Some(variant) = aggregate.variant
        {
            return variant;
        }
        Name::new("SeqCst")
    }

    pub(super) fn atomic_op(
        &mut self,
        call: &mut Call,
        name: OpName,
        word: Option<Name>,
        mut values: Vec<Val>,
    ) -> Val {
        if name == OpName::Fence {
            let order = self.ordering(values.first());
            self.fence(order);
            return Val::unit();
        }
        if values.is_empty() {
            return Val::unit();
        }
        let pointer = values.remove(0);
        let lval = self.target(call, &pointer);
        match name {
            OpName::AtomicLoad => {
                let order = self.ordering(values.first());
                let info = AccessInfo { atomic: Some(order), ..self.info(call, AccessKind::Read) };
                let deps = self.log_lval(call.cx, &lval, &info);
                self.last_looks_again(&lval, order);
                let held = self.peek(&lval);
                let mut value = Val::unknown(call.ret.clone()).with_deps(&deps);
                value.term = self.found_by(&lval, &deps);
                value.alts = held.alts.iter().filter(|k| matches!(k, Kind::Pointer(..))).cloned().collect();
                self.obtain_through(&value, order);
                if let ([place], true) = (&lval.places[..], value.alts.is_empty()) {
                    value.alts.push(Kind::Loaded(*place, order));
                }
                value.open = value.alts.is_empty();
                value
            }
            OpName::AtomicStore => {
                let value = values.first().cloned().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let order = self.ordering(values.get(1));
                let effect = flag_value(&value).map(Effect::Set);
                self.atomic_write(
                    call,
                    &lval,
                    AtomicWrite { kind: AccessKind::Write, order, effect, term: value.symbol() },
                    &value,
                );
                Val::unit()
            }
            OpName::AtomicUpdate => {
                let value = values.first().cloned().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let order = self.ordering(values.get(1));
                let effect = match word.map(Name::as_str) {
                    Some("swap") => Some(Effect::Swap),
                    Some("add") => Some(Effect::Add),
                    Some("sub") if was_loaded(&value, &lval) => Some(Effect::SubtractSeen),
                    Some("sub") => Some(Effect::Subtract),
                    Some("max" | "min" | "or" | "and") => Some(Effect::Idempotent),
                    _ => None,
                };
                let term = word.and_then(|word| new_value(word.as_str(), &value));
                let write = AtomicWrite { kind: AccessKind::Update, order, effect, term };
                let sets_bits = word.is_some_and(|w| w == "or");
                let bit_holds = self.holds_kept(&lval, word, &value);
                let deps = self.atomic_write(call, &lval, write, &value);
                self.st.locks.extend(bit_holds);
                let mut old = self.peek(&lval).with_deps(&deps).with_term(self.found_by(&lval, &deps));
                old.alts.retain(|k| matches!(k, Kind::Pointer(..)));
                self.obtain_through(&old, order);
                for kind in &mut old.alts {
                    // Who takes a pointer out owns what it points to.
                    if let Kind::Pointer(_, how) = kind {
                        *how = Pointer::Owner;
                    }
                }
                if word.is_some_and(|w| w == "swap")
                    && flag_value(&value) == Some(0)
                    && let [place] = lval.places[..]
                {
                    let test = Test { subject: Subject::TakenBack(place, order), negated: false };
                    old.alts.push(Kind::Test(Rc::new(test)));
                }
                let one_bit = match value.constant() {
                    Some(Const::Int(bits)) if sets_bits && bits.count_ones() == 1 => Some(*bits),
                    _ => None,
                };
                let sets = match word.map(Name::as_str) {
                    Some("swap") => {
                        flag_value(&value).is_some_and(|put| put == 1 || (put > 1 && self.begins_free(&lval)))
                    }
                    Some("or") => {
                        one_bit.is_none()
                            && crate::interp::order::acquires(order)
                            && flag_value(&value).is_some_and(|bits| bits != 0)
                    }
                    _ => false,
                };
                if let (true, [place]) = (sets, &lval.places[..]) {
                    let test = Test { subject: Subject::Taken(*place), negated: true };
                    old.alts.push(Kind::Test(Rc::new(test)));
                }
                if let ([place], Some(bits)) = (&lval.places[..], one_bit)
                    && crate::interp::order::acquires(order)
                {
                    let lock = self.bit_lock(*place, bits);
                    old.alts.push(Kind::BitsSet { lock, bits, alone: false });
                }
                if word.is_some_and(|w| w == "sub")
                    && let [place] = lval.places[..]
                {
                    self.drawn_anew(&old);
                    old.alts.push(Kind::CountedDown(place, order));
                    self.counted_down(place, order);
                }
                if word.is_some_and(|w| w == "add")
                    && let [place] = lval.places[..]
                {
                    self.drawn_anew(&old);
                    old.alts.push(Kind::Claimed(place));
                }
                old.open = old.alts.is_empty();
                old.ty = call.ret.clone();
                old
            }
            OpName::AtomicCas | OpName::AtomicCasWeak | OpName::AtomicCasOld => {
                let sets_bit = values.first().zip(values.get(1));
                let sets_bit = sets_bit.and_then(|(seen, new)| self.sets_clear_bit(&lval, seen, new));
                let new = values.get(1).cloned().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let order = self.ordering(values.get(2));
                let expected = values.first().and_then(compared_with);
                let stale = values.first().is_some_and(|seen| self.is_stale(&lval, seen, &new));
                let effect = Some(Effect::Compare { expected, stale });
                let term = match sets_bit {
                    Some(bit) => {
                        let by = Rc::new(Term::Const(bit));
                        Term::apply(Operator::Binary(crate::hir::BinaryOp::Add), &Rc::new(Term::Old), &by)
                    }
                    None => new.symbol(),
                };
                let write = AtomicWrite { kind: AccessKind::Update, order, effect, term };
                let own = self.unpublished(&new);
                self.note_outdone(values.first(), &new);
                let deps = self.atomic_write(call, &lval, write, &new);
                if flag_value(&new).is_some() {
                    self.note_exchanged_away(values.first(), &deps);
                }
                let seen = self
                    .exchanged(&lval, values.get(3), order)
                    .with_deps(&deps)
                    .with_term(self.found_by(&lval, &deps));
                if name == OpName::AtomicCasOld {
                    return Val { alts: pointers_in(&seen), open: true, ..seen };
                }
                let taken =
                    values.first().is_some_and(|v| flag_value(v).is_some()) && flag_value(&new).is_some();
                let won = match (taken || sets_bit.is_some(), &lval.places[..]) {
                    // From one constant to another: who succeeds has it until it stores again.
                    (true, [place]) => {
                        let hold = self.new_hold(call.cx, call.id, 0);
                        if let Some(bit) = values.first().and_then(|free| one_bit_set(free, &new))
                            && taken
                        {
                            let bit = self.bit_lock(*place, bit);
                            self.bits_taken.insert(hold, bit);
                        }
                        let guard = GuardValue {
                            hold,
                            lock: *place,
                            mode: Mode::Exclusive,
                            data: *place,
                            pending: true,
                            manual: true,
                        };
                        Val::of(Kind::Guard(Rc::new(guard)), Ty::Unknown).with_deps(&deps)
                    }
                    _ => Val { alts: pointers_in(&seen), open: true, ..seen.clone() },
                };
                let result = self.either_result(won, seen, call.ret.clone());
                let (mut found, mut failed) = (None, None);
                if let ([place], Some(value)) = (&lval.places[..], values.first().and_then(flag_value)) {
                    let flag = |value| Some(SyncKey { place: *place, kind: SyncKind::Flag(value) });
                    found = flag(value).filter(|_| crate::interp::order::acquires(order));
                    let failure = values.get(3).map_or(order, |order| self.ordering(Some(order)));
                    let sure = name == OpName::AtomicCas && crate::interp::order::acquires(failure);
                    // It has another value than at first, so somebody stored that.
                    if sure && self.begun(*place) == Some(value) {
                        failed = flag(crate::interp::order::ONE_OF_SEVERAL);
                    }
                }
                self.exchange_result(result, own, found, failed)
            }
            _ => {
                let f = values.first().cloned().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let info = AccessInfo {
                    atomic: Some(self.ordering(values.get(1))),
                    effect: Some(Effect::Exchange),
                    ..self.info(call, AccessKind::Update)
                };
                let deps = self.log_lval(call.cx, &lval, &info);
                let found = self.found_by(&lval, &deps);
                let seen = Val::unknown(Ty::Unknown).with_deps(&deps).with_term(found.clone());
                let made = self.call_value(call.cx, call.id, f, vec![seen.clone()]);
                self.becomes(found, &made);
                self.store_own(&lval, Val::unknown(Ty::Unknown));
                self.either_result(seen.clone(), seen, call.ret.clone())
            }
        }
    }

    pub(super) fn holds_pointer(&mut self, lval: &Lval) -> bool {
        self.peek(lval).pointers().next().is_some()
    }

    /// The one bit that an exchange sets of what was loaded, where it was found clear: of an odd version, say, by which others are
    /// kept out.
    fn sets_clear_bit(&self, lval: &Lval, seen: &Val, new: &Val) -> Option<i128> {
        let [place] = lval.places[..] else { return None };
        let Some(Side::Clear(bit)) = self.st.sides.get(&place) else { return None };
        moved_by(new, place).filter(|by| was_loaded(seen, lval) && by == bit)
    }

    /// The atomic is zero at first: who swaps another number in and finds that, took it.
    fn begins_free(&self, lval: &Lval) -> bool {
        matches!(lval.places[..], [place] if self.begun(place) == Some(0))
    }

    /// The number that a flag is before anybody stores to it.
    pub(in crate::interp) fn begun(&self, flag: PlaceId) -> Option<i128> {
        let held = crate::interp::memory::held_first(&self.initial, &self.places, flag)?;
        held.constant().and_then(crate::interp::terms::number)
    }

    /// Whether the value that an exchange expects was read of the place anew after what the new value is computed from. What an
    /// exchange took out of it since is the taker's own.
    fn is_stale(&self, lval: &Lval, expected: &Val, new: &Val) -> bool {
        let log = &self.contexts.get(self.context).log.events;
        let of_place =
            |read: &ReadId| log.get(read.0 as usize).is_some_and(|event| lval.places.contains(&event.place));
        let (expected, new) = (expected.all_deps(), self.deps_with_contents(new));
        let waiting = new.without(&self.st.settled);
        waiting.iter().any(|read| of_place(&read))
            && expected.without(&new).iter().any(|read| of_place(&read))
    }

    /// Whether the value that an exchange expects was found to be more or less than what it puts in.
    fn note_outdone(&mut self, expected: Option<&Val>, new: &Val) {
        let log = &mut self.contexts.get_mut(self.context).log;
        if let Some(Term::Read(_, id)) = expected.and_then(|seen| seen.term.as_deref())
            && log.measured.get(id).is_some_and(|by| is_same_number(by, new))
        {
            log.outdone.insert(*id);
        }
    }

    /// Who expects what a load found and puts a constant there has taken it out.
    fn note_exchanged_away(&mut self, expected: Option<&Val>, exchange: &Deps) {
        let loads: Vec<ReadId> = expected.into_iter().flat_map(|seen| seen.deps.iter()).collect();
        let log = &mut self.contexts.get_mut(self.context).log;
        let pairs = exchange.iter().flat_map(|by| loads.iter().map(move |load| (*load, by)));
        log.exchanged_away.extend(pairs.filter(|(load, by)| load != by));
    }

    /// What a compare-exchange that failed saw: a pointer, where the atomic holds one.
    pub(super) fn exchanged(&mut self, lval: &Lval, failure: Option<&Val>, success: Name) -> Val {
        let mut seen = self.peek(lval);
        seen.alts = pointers_in(&seen);
        seen.ty = Ty::Unknown;
        let failure = failure.map_or(success, |order| self.ordering(Some(order)));
        self.obtain_through(&seen, failure);
        if let ([place], true) = (&lval.places[..], seen.alts.is_empty()) {
            seen.alts.push(Kind::Loaded(*place, failure));
            seen.open = false;
            return seen;
        }
        seen.open = true;
        seen
    }

    /// One less: what was done before is seen by the one that finds itself the last.
    pub(super) fn counted_down(&mut self, place: PlaceId, order: Name) {
        let key = SyncKey { place, kind: SyncKind::Last };
        if crate::interp::order::releases(order) || self.st.moment.fenced {
            self.st.release(key);
        }
    }

    /// The last to count down loads what it left: nobody counts any more, so the load gets what all did before.
    fn last_looks_again(&mut self, lval: &Lval, order: Name) {
        for &place in &lval.places {
            let key = SyncKey { place, kind: SyncKind::Last };
            if crate::interp::order::acquires(order) && self.st.moment.weak.contains(&key) {
                self.st.acquire(key);
            }
        }
    }

    pub(super) fn either_result(&mut self, ok: Val, err: Val, ty: Ty) -> Val {
        let deps = ok.deps.join(&err.deps);
        let ok = self.enum_value(self.names.ok, ok, ty.clone());
        let err = self.enum_value(self.names.err, err, ty);
        ok.join(&err).with_deps(&deps)
    }

    pub(super) fn atomic_write(&mut self, call: &Call, lval: &Lval, write: AtomicWrite, value: &Val) -> Deps {
        let AtomicWrite { kind, order, effect, term } = write;
        // A number that some library finds out: nobody can tell, so it counts as the same.
        let known = lval.deps.join(&self.unknown_results_in(value));
        let same = (kind == AccessKind::Write).then(|| self.same_everywhere(value, &known)).flatten();
        let info = AccessInfo {
            atomic: Some(order),
            data: self.deps_with_contents(value),
            effect,
            term,
            same,
            ..self.info(call, kind)
        };
        let deps = self.log_lval(call.cx, lval, &info);
        if value.alts.iter().any(|k| matches!(k, Kind::Pointer(..))) {
            self.publish_through(&lval.places, value, order);
            self.store(lval, value.clone());
        } else {
            let known = if kind == AccessKind::Write { value.clone() } else { Val::unknown(Ty::Unknown) };
            self.store_own(lval, known);
        }
        // What a flag or a pointer that was swapped tells is known from its value.
        let told = matches!(flag_value(value), Some(0 | 1)) || self.holds_pointer(lval);
        let exchange =
            matches!(info.effect, Some(Effect::Exchange | Effect::Compare { .. } | Effect::Swap)) && !told;
        for &place in &lval.places {
            let alone = self.st.saw.contains_key(&place);
            let by = info.term.as_deref().and_then(Term::steps).or_else(|| moved_by(value, place));
            let by = by.filter(|_| !alone);
            let moment = self.st.moment_mut();
            if moment.taken.remove(&place).is_none() && exchange {
                let claim = by.map_or(Claim::Whole, |by| Claim::Counted { up: by > 0 });
                moment.taken.insert(place, claim);
            }
        }
        let stored = if kind == AccessKind::Update { None } else { state_value(value) };
        let left = match info.effect {
            Some(Effect::Compare { .. } | Effect::Swap) => flag_value(value),
            _ => stored,
        };
        let sides = self.sides_kept(lval, info.effect.as_ref());
        self.flag_changed(lval, stored, left, crate::interp::order::releases(order));
        for (place, side) in sides {
            self.st.sides.insert(place, side);
        }
        if let ([place], Some(Effect::Swap), Some(value)) =
            (&lval.places[..], &info.effect, flag_value(value))
        {
            self.st.pass(*place, value, None);
        }
        deps
    }

    /// On which side of a bound a number stays that goes away from it.
    fn sides_kept(&self, lval: &Lval, effect: Option<&Effect>) -> Vec<(PlaceId, Side)> {
        let away = match effect {
            Some(Effect::Add) => Side::Above,
            Some(Effect::Subtract | Effect::SubtractSeen) => Side::Below,
            _ => return Vec::new(),
        };
        let known = lval.places.iter().filter_map(|place| Some((*place, *self.st.sides.get(place)?)));
        known.filter(|(_, side)| *side == away).collect()
    }

    /// A fence makes relaxed loads before it acquire, relaxed stores after it release.
    pub(super) fn fence(&mut self, order: Name) {
        if crate::interp::order::acquires(order) {
            self.fences = true;
            let weak: Vec<SyncKey> = self.st.moment.weak.iter().cloned().collect();
            for key in weak {
                if let SyncKind::Flag(value) = key.kind {
                    self.st.pass(key.place, value, None);
                }
                self.st.acquire(key);
            }
        }
        if crate::interp::order::releases(order) {
            self.st.moment_mut().fenced = true;
        }
    }

    /// The context stored to a flag: what it knew of it is over, and who sees the value sees what was done before.
    pub(in crate::interp) fn flag_stored(&mut self, lval: &Lval, value: Option<i128>, releases: bool) {
        self.flag_changed(lval, value, value, releases);
    }

    /// `value`: what it surely holds now; `left`: what others see that see the change.
    fn flag_changed(&mut self, lval: &Lval, value: Option<i128>, left: Option<i128>, releases: bool) {
        for &place in &lval.places {
            if self.st.saw.contains_key(&place) {
                self.st.saw.remove(&place);
            }
            if self.st.sides.contains_key(&place) {
                self.st.sides.remove(&place);
            }
            if self.st.moment.knows.contains_key(&place) {
                self.st.moment_mut().knows.remove(&place);
            }
            let places = &self.places;
            let gone = |h: &Hold| h.lock == place || bit_of(places, h.lock, place).is_some();
            if self.st.locks.iter().any(gone) {
                self.st.locks.retain(|h| !gone(h));
            }
            self.st.untell(|_, outcome| outcome.tells_of_lock(place));
            if let Some(value) = value {
                self.st.pass(place, value, None);
            }
            let kind = SyncKind::Flag(left.unwrap_or(crate::interp::order::ANY_VALUE));
            let key = SyncKey { place, kind };
            if releases || self.st.moment.fenced {
                self.pass_on(key);
                self.opens(place);
            } else {
                self.st.moment_mut().weakly_released.insert(key);
            }
        }
    }

    /// A bit of an atomic, as the lock that it is.
    fn bit_lock(&mut self, atomic: PlaceId, bit: i128) -> PlaceId {
        self.places.step(atomic, Proj::Index(Index::Const(bit)), &Ty::Unknown)
    }

    /// The bits of an atomic that are held as locks, and that an operation with this operand leaves as they are.
    fn holds_kept(&self, lval: &Lval, word: Option<Name>, operand: &Val) -> Vec<Hold> {
        let (Some(word), [atomic]) = (word, &lval.places[..]) else { return Vec::new() };
        let operand = match operand.constant() {
            Some(Const::Int(n)) => Some(*n),
            _ => None,
        };
        let kept = |hold: &Hold| {
            let lock = hold.bit.unwrap_or(hold.lock);
            let bit = bit_of(&self.places, lock, *atomic)?;
            let keeps = match (word.as_str(), operand) {
                ("or", _) => true,
                ("and", Some(n)) => n & bit == bit,
                ("add" | "sub", Some(n)) => bit.checked_mul(2).is_some_and(|above| n % above == 0),
                _ => false,
            };
            keeps.then(|| Hold { lock, bit: None, ..hold.clone() })
        };
        self.st.locks.iter().filter_map(kept).collect()
    }

    /// A flag was found free.
    pub(in crate::interp) fn flag_hold(&mut self, flag: PlaceId) -> HoldId {
        const MOST: u32 = 7;
        let (frame, expr) = (crate::interp::FrameId(u32::MAX), ExprId(flag.0));
        let times = self.taken_here.entry((frame, expr, 0)).or_insert(0);
        *times = (*times + 1).min(MOST);
        HoldId::new(frame, expr, 0, *times)
    }
}

/// The bit of the atomic that the lock is.
fn bit_of(places: &Places, lock: PlaceId, atomic: PlaceId) -> Option<i128> {
    let lock = places.get(lock);
    match lock.proj {
        Some(Proj::Index(Index::Const(bit))) if lock.parent == Some(atomic) => Some(bit),
        _ => None,
    }
}

/// The one bit that the new value has and the old one hasn't, where they differ in no other.
fn one_bit_set(old: &Val, new: &Val) -> Option<i128> {
    let (Some(Const::Int(old)), Some(Const::Int(new))) = (old.constant(), new.constant()) else {
        return None;
    };
    let set = old ^ new;
    (set > 0 && set.count_ones() == 1 && new & set != 0).then_some(set)
}

/// By how much a number is more than what was loaded of the atomic.
fn moved_by(value: &Val, atomic: PlaceId) -> Option<i128> {
    match value.single()? {
        Kind::Difference { atomic: loaded, from: Some(from), turned: false, .. } if *loaded == atomic => {
            from.checked_neg()
        }
        _ => None,
    }
}

fn pointers_in(value: &Val) -> SmallVec<[Kind; 1]> {
    value.alts.iter().filter(|kind| matches!(kind, Kind::Pointer(..))).cloned().collect()
}

fn is_same_number(one: &Val, two: &Val) -> bool {
    let known = one.single().is_some() || one.term.is_some() || !one.deps.is_empty();
    known && one.alts == two.alts && one.term == two.term && (one.single().is_some() || one.deps == two.deps)
}

/// What an exchange expects: a number, or a state's name.
fn compared_with(value: &Val) -> Option<Rc<Term>> {
    value.symbol().or_else(|| flag_value(value).map(|state| Rc::new(Term::Const(state))))
}

/// The value is what was loaded of the place itself.
pub(super) fn was_loaded(value: &Val, lval: &Lval) -> bool {
    matches!((value.single(), &lval.places[..]), (Some(Kind::Loaded(seen, _)), [place]) if seen == place)
}
