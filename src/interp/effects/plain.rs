//! Effects on plain memory: what a pointer leads to is read, written, filled or exchanged; and the pointers themselves.
//!
//! In: pointers and the values to put there. Out: accesses, what was found, and pointers to parts of what was pointed to.

use super::*;

impl Interp<'_> {
    pub(super) fn memory_op(&mut self, call: &mut Call, name: OpName, mut values: Vec<Val>) -> Val {
        let Some(first) = (!values.is_empty()).then(|| values.remove(0)) else { return Val::unit() };
        let lval = self.target(call, &first);
        match name {
            OpName::Read => {
                if lval.places.is_empty() {
                    return if self.is_raw(&first.ty) { self.at_address(call, &first) } else { first };
                }
                let info = self.info(call, AccessKind::Read);
                let deps = self.log_lval(call.cx, &lval, &info);
                self.peek(&lval).with_deps(&deps)
            }
            OpName::Observe => {
                let info = self.info(call, AccessKind::Read);
                let deps = self.log_lval(call.cx, &lval, &info);
                Val::unknown(Ty::Unknown).with_deps(&deps)
            }
            OpName::Write => {
                let value = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let mut info = self.info(call, AccessKind::Write);
                if let Some(Const::Int(n)) = value.constant() {
                    info.effect = Some(Effect::Set(*n));
                }
                self.write(call.cx, &lval, value, info);
                Val::unit()
            }
            OpName::Fill => self.fill(call, &lval, values.pop()),
            OpName::Clear => {
                let effect = Some(Effect::Set(0));
                let info = AccessInfo { effect, ..self.info(call, AccessKind::Write) };
                self.log_lval(call.cx, &lval, &info);
                Val::unit()
            }
            OpName::Update => {
                let info = self.info(call, AccessKind::Update);
                let deps = self.log_lval(call.cx, &lval, &info);
                Val::unknown(Ty::Unknown).with_deps(&deps)
            }
            OpName::Replace => self.replace(call, &lval, values.pop()),
            _ => {
                let second = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let other = self.target(call, &second);
                let (a, b) = (self.peek(&lval), self.peek(&other));
                let info = self.info(call, AccessKind::Update);
                self.log_lval(call.cx, &lval, &info);
                self.log_lval(call.cx, &other, &info);
                self.store(&lval, b);
                self.store(&other, a);
                Val::unit()
            }
        }
    }

    /// Puts a value where nothing was: what there was before stays an alternative.
    fn fill(&mut self, call: &Call, lval: &Lval, value: Option<Val>) -> Val {
        let info = self.info(call, AccessKind::Read);
        let deps = self.log_lval(call.cx, lval, &info);
        let before = self.st.clone();
        self.decide(&deps);
        let value = value.unwrap_or_else(|| Val::unknown(Ty::Unknown));
        let effect = Some(Effect::Idempotent);
        let info = AccessInfo { effect, ..self.info(call, AccessKind::Write) };
        self.write(call.cx, lval, value, info);
        self.st.join(&before);
        // Where there was something already, nothing has acted on what was seen in it.
        self.st.settled = before.settled.clone();
        self.st.outdated = before.outdated.clone();
        self.st.control = before.control;
        Val::unit()
    }

    /// Puts a value in and takes out what was there.
    fn replace(&mut self, call: &Call, lval: &Lval, value: Option<Val>) -> Val {
        let value = value.unwrap_or_else(|| Val::unknown(Ty::Unknown));
        let old = self.peek(lval);
        let mut info = AccessInfo { term: value.symbol(), ..self.info(call, AccessKind::Update) };
        info.data = value.all_deps().join(&lval.deps);
        let element = |place: &PlaceId| matches!(self.places.get(*place).proj, Some(Proj::Index(_)));
        info.effect = lval.places.iter().any(element).then_some(Effect::Put);
        // Under a key: a function of the key.
        let others = call.args.split_last().map_or(&[][..], |(_, keys)| keys);
        let keys = others.to_vec();
        let of_key = |deps: Deps, key| deps.join(&self.lent_deps(key)).join(&self.own_numbers(key));
        let mut keys = keys.iter().fold(Deps::default(), of_key);
        let some =
            |step| matches!(step, Proj::Index(index) if !matches!(index, Index::Const(_) | Index::Key(_)));
        if lval.places.iter().any(|place| self.places.passes(*place, some)) {
            keys = keys.join(&Deps::of_any_constants());
        }
        info.same = self.same_everywhere(&value, &self.following_from(keys, &value));
        let deps = self.log_lval(call.cx, lval, &info);
        let old = self.found_behind_lock(&lval.places, old);
        if !self.st.locks.is_empty() && lval.places.iter().any(|place| self.is_guarded(*place)) {
            self.flag_stored(lval, crate::interp::told::state_value(&value), true);
            self.exchange(&old, &value);
        }
        self.store(lval, value);
        let found = self.found_by(lval, &deps);
        old.with_deps(&deps).with_term(found)
    }

    fn step_of(word: Option<Name>) -> Proj {
        match word.map(Name::as_str) {
            Some("guarded") => Proj::Guarded,
            Some("once") => Proj::Once,
            _ => Proj::Cell,
        }
    }

    pub(super) fn pointer_op(
        &mut self,
        call: &mut Call,
        name: OpName,
        word: Option<Name>,
        mut values: Vec<Val>,
    ) -> Val {
        if let (OpName::Global, Some(word)) = (name, word) {
            return self.process_pointer(word, values.pop());
        }
        let Some(first) = values.pop() else {
            return match name {
                OpName::Wrap => Val { open: false, ..Val::unknown(call.ret.clone()) },
                _ => Val::unknown(Ty::Unknown),
            };
        };
        match name {
            OpName::Unwrap => crate::interp::memory::project(&first, Self::step_of(word)),
            OpName::Part => {
                let lval = self.target(call, &first);
                let part = self.step_lval(&lval, Self::step_of(word));
                let mut pointer = self.pointer_to(&part, Pointer::Shared);
                pointer.ty = call.ret.clone();
                pointer
            }
            OpName::Raw => repointed(first, Pointer::Raw, &call.ret),
            OpName::Shared => repointed(first, Pointer::Shared, &call.ret),
            OpName::Exclusive => repointed(first, Pointer::Exclusive, &call.ret),
            OpName::Own => self.own_of(call, first),
            OpName::New => {
                let how = match self.models.role(&call.ret) {
                    Role::Counted => Pointer::Counted,
                    _ => Pointer::Owner,
                };
                let ty = match &call.ret {
                    Ty::Ext(path, _) => Ty::Ext(*path, [first.ty.clone()].into_iter().collect()),
                    other => other.clone(),
                };
                let deps = first.all_deps();
                let mut first = first;
                if let (true, Ty::Ext(_, args)) = (first.ty.is_unknown(), &call.ret) {
                    first.ty = args.first().cloned().unwrap_or(Ty::Unknown);
                }
                self.allocate(call.cx, call.id, self.default_part, first, how, ty).with_deps(&deps)
            }
            _ => Val::aggregate(None, vec![(Self::step_of(word), first)], call.ret.clone()),
        }
    }

    /// A pointer to what the process has one of, or to the entries that the key may be; unknown keys lead nowhere.
    fn process_pointer(&mut self, name: Name, key: Option<Val>) -> Val {
        let whole = self.process_place(name);
        let Some(key) = key else { return Val::pointer(whole, Pointer::Shared, Ty::Unknown) };
        let mut pointer = Val::unknown(Ty::Unknown).with_deps(&key.all_deps());
        for word in self.words(&key, 0) {
            let entry = self.places.step(whole, Proj::Field(word), &Ty::Unknown);
            pointer.alts.push(Kind::Pointer(entry, Pointer::Shared));
        }
        pointer
    }

    /// The texts that a value may be, also behind references.
    fn words(&mut self, value: &Val, depth: u32) -> Vec<Name> {
        const MAX_REFERENCES: u32 = 3;
        let mut words = Vec::new();
        for kind in &value.alts {
            match kind {
                Kind::Const(Const::Str(word)) => words.push(*word),
                Kind::Pointer(place, _) if depth < MAX_REFERENCES => {
                    let inner = self.value_at(*place);
                    words.extend(self.words(&inner, depth + 1));
                }
                _ => {}
            }
        }
        words
    }

    pub(super) fn is_raw(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ptr { .. }) || self.models.role(ty) == Role::Raw
    }

    /// What is found at an address that is but a number, as a register of a device: something else each time.
    fn at_address(&mut self, call: &Call, address: &Val) -> Val {
        let found = self.elsewhere(call.cx, call.id.0);
        Val::unknown(call.ret.clone()).with_deps(&address.all_deps().join(&found))
    }
}

fn repointed(value: Val, how: Pointer, ret: &Ty) -> Val {
    let mut value = value;
    for kind in &mut value.alts {
        if let Kind::Pointer(_, old) = kind
            && (*old != Pointer::Raw || how == Pointer::Raw)
        {
            *old = how;
        }
    }
    if !ret.is_unknown() {
        value.ty = ret.clone();
    }
    value
}
