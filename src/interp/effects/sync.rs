//! Effects that synchronize: locks, starting and joining contexts, once-cells, channels and barriers.
//!
//! In: the operation of a model and its evaluated arguments. Out: its value; locks, order and accesses go into the state.

use super::*;
use crate::interp::facts::Fact;
use crate::interp::spawn::Job;
use crate::interp::values::ReadId;

impl Call<'_> {
    /// Numbers for the contexts that one call starts; each may have several callees.
    fn next_job(&mut self) -> u32 {
        const MOST_CALLEES: u32 = 16;
        self.started += 1;
        (self.started - 1) * MOST_CALLEES
    }
}

impl Interp<'_> {
    /// A lock is taken here: the same hold each time but for the first, so that rounds of a loop are told apart and walks end.
    pub(in crate::interp) fn new_hold(&mut self, cx: &Cx, expr: ExprId, which: u32) -> HoldId {
        const MOST: u32 = 2;
        let times = self.taken_here.entry((cx.frame, expr, which)).or_insert(0);
        *times = (*times + 1).min(MOST);
        HoldId::new(cx.frame, expr, which, *times)
    }

    pub(super) fn lock_op(
        &mut self,
        call: &mut Call,
        name: OpName,
        word: Option<Name>,
        mut values: Vec<Val>,
    ) -> Val {
        if values.is_empty() {
            return Val::unknown(call.ret.clone());
        }
        let mode = if word.is_some_and(|w| w == "shared") { Mode::Shared } else { Mode::Exclusive };
        match name {
            OpName::MapGuard => {
                let f = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let guard = values.remove(0);
                self.map_guard(call, guard, f)
            }
            OpName::Remode => {
                let mut guard = values.remove(0);
                for kind in &mut guard.alts {
                    if let Kind::Guard(old) = kind {
                        self.st
                            .locks
                            .iter_mut()
                            .filter(|h| h.lock == old.lock && h.id.meets(old.hold))
                            .for_each(|h| h.mode = mode);
                        *kind = Kind::Guard(Rc::new(GuardValue { mode, ..(**old).clone() }));
                    }
                }
                guard.ty = call.ret.clone();
                guard
            }
            OpName::Lock | OpName::TryLock => {
                let lval = self.target(call, &values[0]);
                self.guard(call, &lval, mode, name == OpName::TryLock)
            }
            OpName::Without => {
                let lval = self.target(call, &values[0]);
                let f = values.get(1).cloned();
                self.without(call, &lval, f)
            }
            OpName::Take => {
                for (n, place) in self.target(call, &values[0]).places.into_iter().enumerate() {
                    let id = self.new_hold(call.cx, call.id, n as u32);
                    self.hold(place, mode, id);
                }
                Val::unit()
            }
            OpName::Give => {
                let lval = self.target(call, &values[0]);
                self.st.locks.retain(|h| !lval.places.contains(&h.lock));
                Val::unit()
            }
            OpName::WithLock => {
                let lval = self.target(call, &values[0]);
                let f = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let guard = self.guard(call, &lval, mode, false);
                let data = self.deref_value(call.cx, &guard, call.id);
                let argument = self.pointer_to(
                    &data,
                    if mode == Mode::Shared { Pointer::Shared } else { Pointer::Exclusive },
                );
                let result = self.call_value(call.cx, call.id, f, vec![argument]);
                self.drop_value(call.cx, call.id, guard);
                result
            }
            _ => {
                let f = (name != OpName::Wait).then(|| values.pop()).flatten();
                let guard = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                let again = self.wait(call, guard);
                if let Some(f) = f {
                    let waits = self.asked(call, &again, f);
                    if name == OpName::WaitWhile {
                        let at = LoopId { frame: call.cx.frame, expr: call.id };
                        let outer = self.draining.replace(at);
                        self.st = self.split_by(&waits).no;
                        self.waited_in_loop(&waits.all_deps());
                        self.draining = outer;
                    }
                }
                again
            }
        }
    }

    /// Gives up the lock at the place, or that of the guard there, for as long as a closure runs.
    fn without(&mut self, call: &Call, lval: &Lval, f: Option<Val>) -> Val {
        let mut guard = self.peek(lval);
        let of_guard = |kind: &Kind| match kind {
            Kind::Guard(guard) => Some(guard.lock),
            _ => None,
        };
        let mut locks: Vec<PlaceId> = guard.alts.iter().filter_map(of_guard).collect();
        let guards = !locks.is_empty();
        locks.extend(&lval.places);
        let (given_up, kept) = self.st.locks.drain(..).partition(|hold| locks.contains(&hold.lock));
        let given_up: Vec<Hold> = given_up;
        self.st.locks = kept;
        let result = match f {
            Some(f) => self.call_value(call.cx, call.id, f, Vec::new()),
            None => Val::unit(),
        };
        for (n, hold) in given_up.into_iter().enumerate() {
            let id = self.new_hold(call.cx, call.id, n as u32);
            self.hold_one(hold.lock, hold.mode, id, hold.reach);
            for kind in &mut guard.alts {
                if let Kind::Guard(old) = kind
                    && old.lock == hold.lock
                {
                    *kind = Kind::Guard(Rc::new(GuardValue { hold: id, ..(**old).clone() }));
                }
            }
        }
        if guards && self.st.reachable {
            self.store(lval, guard);
        }
        result
    }

    /// The same hold, giving access to a part of the data.
    pub(super) fn map_guard(&mut self, call: &Call, guard: Val, f: Val) -> Val {
        let part = self.asked(call, &guard, f);
        let target = part.pointers().next().map(|(place, _)| place);
        let mut mapped = guard;
        for kind in &mut mapped.alts {
            if let (Kind::Guard(old), Some(data)) = (&*kind, target) {
                *kind = Kind::Guard(Rc::new(GuardValue { data, ..(**old).clone() }));
            }
        }
        mapped.ty = call.ret.clone();
        mapped
    }

    pub(super) fn guard(&mut self, call: &Call, lval: &Lval, mode: Mode, pending: bool) -> Val {
        let ty = match &call.ret {
            Ty::Ext(_, args) if !args.is_empty() => args[0].clone(),
            other => other.clone(),
        };
        let ty = if self.models.role(&ty) == Role::Guard { ty } else { call.ret.clone() };
        let mut guard = Val { open: false, ..Val::unknown(ty) };
        let reach = if lval.places.len() > 1 { Reach::Among } else { Reach::One };
        for (which, &lock) in lval.places.iter().enumerate() {
            let data = self.step_lval(&Lval::one(lock, lval.ty.clone()), Proj::Guarded);
            let hold = self.new_hold(call.cx, call.id, which as u32);
            if reach == Reach::Among {
                self.found_by_way.insert(hold, lval.deps.clone());
            }
            if !pending {
                self.hold_one(lock, mode, hold, reach);
            }
            guard.alts.push(Kind::Guard(Rc::new(GuardValue {
                hold,
                lock,
                mode,
                data: data.places[0],
                pending,
                manual: false,
            })));
        }
        if guard.alts.is_empty() {
            guard.open = true;
        }
        guard
    }

    /// Gives the lock up and takes it again: another hold.
    pub(super) fn wait(&mut self, call: &mut Call, guard: Val) -> Val {
        let reach = if guard.alts.len() > 1 { Reach::Among } else { Reach::One };
        let mut again = guard;
        for kind in &mut again.alts {
            if let Kind::Guard(old) = kind {
                let hold = self.new_hold(call.cx, call.id, 0);
                self.st.locks.retain(|h| h.lock != old.lock || !h.id.meets(old.hold));
                self.hold_one(old.lock, old.mode, hold, reach);
                let key = SyncKey { place: old.lock, kind: SyncKind::Token };
                self.st.acquire(key);
                *kind = Kind::Guard(Rc::new(GuardValue { hold, pending: false, ..(**old).clone() }));
            }
        }
        again
    }

    /// What a closure says of the data that a guard gives access to.
    fn asked(&mut self, call: &Call, guard: &Val, f: Val) -> Val {
        let data = self.deref_value(call.cx, guard, call.id);
        let argument = self.pointer_to(&data, Pointer::Exclusive);
        self.call_value(call.cx, call.id, f, vec![argument])
    }

    pub(super) fn context_op(
        &mut self,
        call: &mut Call,
        name: OpName,
        word: Option<Name>,
        mut values: Vec<Val>,
    ) -> Val {
        let (cx, id) = (call.cx, call.id);
        let word = word.map_or("thread", Name::as_str);
        if name == OpName::Group {
            let one = matches!(values.first().and_then(Val::constant), Some(Const::Int(1)));
            return self.group(cx, id, word, one, call.ret.clone());
        }
        if values.is_empty() {
            return Val::unknown(Ty::Unknown);
        }
        let first = values.remove(0);
        match name {
            OpName::Spawn => {
                let literal = values.first().and_then(crate::interp::spawn::builder_name);
                let job = Job { name: literal, which: call.next_job(), ..Job::of_word(word) };
                self.spawn(cx, id, &job, &first)
            }
            OpName::SpawnIn => {
                let body = if values.is_empty() { Val::unknown(Ty::Unknown) } else { values.remove(0) };
                let literal = values.first().and_then(crate::interp::spawn::builder_name);
                self.spawn_in(call, first, &body, literal)
            }
            OpName::Scope => {
                let ty = values.first().map_or(Ty::Unknown, |v| v.ty.clone());
                let group = values.get(1).and_then(|group| self.scope_of(group));
                let token = group.and_then(|at| self.groups.get(&at)).and_then(|group| group.token);
                self.run_scope(cx, id, word, (first, ty), token)
            }
            OpName::Run => self.run_many(cx, id, word, &first, values),
            OpName::JoinGroup => {
                if let Some(group) = self.scope_of(&first) {
                    self.join_group(group);
                }
                Val::unit()
            }
            OpName::JoinNext => self.join_next(&first),
            OpName::Enter => {
                let group = self.scope_of(&first).and_then(|at| self.groups.get(&at).copied());
                match group.and_then(|group| group.token) {
                    Some(token) => self.guard(call, &Lval::one(token, Ty::Unknown), Mode::Exclusive, false),
                    None => Val::unknown(Ty::Unknown),
                }
            }
            OpName::JoinHolders => {
                for place in self.target(call, &first).places {
                    self.join_holders(place);
                }
                Val::unit()
            }
            OpName::RunOn => {
                let f = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                self.run_on(cx, id, &first, f)
            }
            OpName::Await => self.await_value(cx, id, first),
            OpName::Poll => self.poll_value(cx, id, first),
            OpName::Gather => {
                let most = values.pop();
                let in_turn = matches!(most.as_ref().and_then(Val::constant), Some(Const::Int(1)));
                self.gather(cx, id, first, in_turn)
            }
            OpName::Provide => {
                self.escape(&first);
                let mut value = crate::interp::memory::generalize(&first);
                crate::interp::memory::strip_deps(&mut value);
                if !self.provided.contains(&value) {
                    self.provided.push(value);
                    self.heap.facts.change(Fact::Provided);
                }
                Val::unit()
            }
            OpName::Join => self.join(&first),
            _ => {
                let mut builder = match first.single() {
                    Some(Kind::Aggregate(aggregate)) => (**aggregate).clone(),
                    _ => Aggregate::default(),
                };
                let value = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                builder.set(Proj::Field(Name::new("name")), value);
                Val::of(Kind::Aggregate(Rc::new(builder)), first.ty)
            }
        }
    }

    /// The result of one of a group as `Some`; where there is none left, all have ended.
    fn join_next(&mut self, group: &Val) -> Val {
        let handles = self.scope_of(group).map(|group| self.group_handles(group));
        let handles = handles.unwrap_or_else(|| Val::unknown(Ty::Unknown));
        let mut result = Val { open: handles.alts.is_empty(), ..Val::unknown(Ty::Unknown) };
        for kind in &handles.alts {
            if let Kind::Handle(handle) = kind
                && let Some(returned) = self.result_of(handle.context)
            {
                result = result.join(returned);
            }
        }
        result.open |= result.alts.is_empty();
        let ty = Ty::named(self.models.language.option, Vec::new());
        // What the result is of goes along: see `missing_handles_joined`.
        let fields = vec![(crate::interp::expr::field(0), result), (Proj::Field(Name::new("of")), handles)];
        let some = Val::aggregate(Some(self.names.some), fields, ty.clone());
        some.join(&Val::aggregate(Some(self.names.none), Vec::new(), ty))
    }

    fn spawn_in(&mut self, call: &mut Call, group: Val, body: &Val, name: Option<Name>) -> Val {
        let at = self.scope_of(&group);
        let known = at.and_then(|at| self.groups.get(&at).copied());
        let job = Job {
            name,
            which: call.next_job(),
            group: at,
            args: vec![group],
            ..known.map_or(Job::of_word("thread"), |group| Job {
                kind: group.kind,
                on: group.on,
                ..Job::of_word("thread")
            })
        };
        self.spawn(call.cx, call.id, &job, body)
    }

    pub(super) fn once_op(&mut self, call: &mut Call, name: OpName, mut values: Vec<Val>) -> Val {
        if values.is_empty() {
            return Val::unknown(Ty::Unknown);
        }
        let pointer = values.remove(0);
        let lval = self.target(call, &pointer);
        let content = self.step_lval(&lval, Proj::Once);
        match name {
            OpName::OnceCall => {
                if let Some(f) = values.pop() {
                    let made = self.within_once(&lval, |this| {
                        let made = this.call_value(call.cx, call.id, f, Vec::new());
                        let future = made.alts.iter().any(|k| matches!(k, Kind::Future(_)));
                        let made = if future { this.await_value(call.cx, call.id, made) } else { made };
                        // Where the call may fail, what makes the value may.
                        if this.is_result(&call.ret) { this.payload(&made) } else { made }
                    });
                    self.store(&content, made);
                }
                self.initialized(&lval);
            }
            OpName::OnceSet => {
                let value = values.pop().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                self.publish(&value);
                self.store(&content, value);
                self.initialized(&lval);
                return Val::unknown(Ty::Unknown);
            }
            _ => {
                let once = |place: &PlaceId| SyncKey { place: *place, kind: SyncKind::Once };
                let known = |place| [once(place), crate::interp::told::set_key(*place)];
                call.found.extend(lval.places.iter().flat_map(known));
            }
        }
        self.pointer_to(&content, Pointer::Shared)
    }

    fn is_result(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ext(path, _) if *path == self.models.language.result)
    }

    /// Runs what only one context runs, once, before all that follows the call anywhere.
    pub(in crate::interp) fn within_once(&mut self, lval: &Lval, run: impl FnOnce(&mut Self) -> Val) -> Val {
        let outer = self.st.moment.within.clone();
        let places: Vec<PlaceId> = lval.places.to_vec();
        self.st.moment_mut().within.extend(places);
        let before = self.st.clone();
        let value = run(self);
        self.st.join(&before);
        self.st.moment_mut().within = outer;
        value
    }

    /// The cell is set from here on: by this context, or by another that was first.
    fn initialized(&mut self, lval: &Lval) {
        for &place in &lval.places {
            self.pass_on(crate::interp::told::set_key(place));
        }
        self.acquire_once(lval);
    }

    pub(in crate::interp) fn acquire_once(&mut self, lval: &Lval) {
        for &place in &lval.places {
            self.st.acquire(SyncKey { place, kind: SyncKind::Once });
        }
    }

    pub(super) fn order_op(&mut self, call: &mut Call, name: OpName, values: Vec<Val>) -> Val {
        if name == OpName::Channel {
            return self.channel(call);
        }
        if name == OpName::Current {
            let own = self.elsewhere(call.cx, call.id.0).join(&Deps::one(ReadId::OWN));
            return Val::unknown(call.ret.clone()).with_deps(&own);
        }
        let Some(pointer) = values.first().cloned() else {
            return Val::unit();
        };
        let places: Vec<PlaceId> = match name {
            OpName::Send
            | OpName::Recv
            | OpName::RecvCopy
            | OpName::RecvIter
            | OpName::RecvReady
            | OpName::Closed => self.channel_of(&pointer),
            _ => self.target(call, &pointer).places.to_vec(),
        };
        match name {
            OpName::Send => {
                let value = values.get(1).cloned().unwrap_or_else(Val::unit);
                self.escape(&value);
                self.hand_over(&value);
                self.used(&value);
                let at = call.cx.location(call.cx.body.body.expr(call.id).range);
                for &place in &places {
                    self.list_filled(place, &value, (call.cx.frame, at));
                    self.pass_on(SyncKey { place, kind: SyncKind::Channel });
                    if !self.st.moment.has.contains(&place) {
                        *self.contexts.get_mut(self.context).minted.entry(place).or_insert(0) += 1;
                    }
                    let moment = self.st.moment_mut();
                    moment.owes.insert(place);
                    moment.has.clear();
                    let element = self.places.step(place, Proj::Index(Index::Any), &value.ty);
                    self.store_at(element, value.clone(), false);
                }
                Val::unit()
            }
            OpName::Recv | OpName::RecvCopy | OpName::RecvIter | OpName::RecvReady => {
                let mut value: Option<Val> = None;
                for &place in &places {
                    if matches!(name, OpName::Recv | OpName::RecvCopy) {
                        let waits = if self.attempting { self.draining } else { None };
                        self.received(place, waits);
                    }
                    let element = self.places.step(place, Proj::Index(Index::Any), &Ty::Unknown);
                    let mut one = self.value_at(element);
                    if name != OpName::RecvCopy {
                        one = self.taken_from_list(place, one, &Deps::default());
                    }
                    value = Some(value.map_or(one.clone(), |old| old.join(&one)));
                }
                let value = value.unwrap_or_else(|| Val::unknown(Ty::Unknown));
                if name == OpName::Recv {
                    self.take_over(&value);
                }
                match name {
                    OpName::Recv | OpName::RecvCopy => value,
                    _ => self.iter_received(value, places, name == OpName::RecvReady),
                }
            }
            OpName::Closed => {
                for place in places {
                    self.st.acquire(SyncKey { place, kind: SyncKind::Drained });
                }
                Val::unit()
            }
            OpName::Barrier => {
                for &place in &places {
                    self.st.locks.retain(|hold| hold.lock != place);
                    self.st.wait_at(place);
                }
                // One of those who come here is the leader, until they come here again.
                match places[..] {
                    [place] => {
                        let led = Test { subject: Subject::Taken(place), negated: false };
                        Val::of(Kind::Test(Rc::new(led)), Ty::Unknown)
                    }
                    _ => Val::unknown(Ty::Unknown),
                }
            }
            OpName::Release | OpName::Unpark => {
                for place in places {
                    self.pass_on(SyncKey { place, kind: SyncKind::Token });
                }
                Val::unit()
            }
            _ => {
                for place in places {
                    self.st.acquire(SyncKey { place, kind: SyncKind::Token });
                }
                Val::unit()
            }
        }
    }

    /// What the context did, and what it knows of others by now, is known to who acquires this.
    pub(in crate::interp) fn pass_on(&mut self, key: SyncKey) {
        let acquired = &self.st.moment.acquired;
        let passed_on = &mut self.contexts.get_mut(self.context).passes_on;
        match passed_on.get_mut(&key) {
            Some(always) => always.retain(|known| acquired.contains(known)),
            None => {
                passed_on.insert(key.clone(), (**acquired).clone());
            }
        }
        self.st.release(key);
    }

    /// A message came: what its sender did before is known, and an answer to what was sent. `ends`: the loop that ends where
    /// none is there yet.
    pub(in crate::interp) fn received(&mut self, place: PlaceId, ends: Option<LoopId>) {
        self.st.acquire(SyncKey { place, kind: SyncKind::Channel });
        for at in self.loops.iter().filter(|at| Some(**at) != ends) {
            self.received_in.entry(*at).or_default().insert(place);
        }
        let moment = self.st.moment_mut();
        moment.owes.clear();
        moment.has.insert(place);
    }

    /// A new channel: an object that both ends point to.
    pub(super) fn channel(&mut self, call: &mut Call) -> Val {
        let content = Val { open: false, ..Val::unknown(Ty::Unknown) };
        let pointer = self.allocate(call.cx, call.id, 0, content, Pointer::Counted, Ty::Unknown);
        let ends = match &call.ret {
            Ty::Tuple(parts) if parts.len() == 2 => [parts[0].clone(), parts[1].clone()],
            _ => [Ty::Unknown, Ty::Unknown],
        };
        let fields = ends
            .into_iter()
            .enumerate()
            .map(|(n, ty)| (crate::interp::expr::field(n), Val { ty, ..pointer.clone() }))
            .collect();
        Val::aggregate(None, fields, call.ret.clone())
    }

    /// The channel that an end belongs to: the end is itself a pointer to it.
    pub(in crate::interp) fn channel_of(&mut self, end: &Val) -> Vec<PlaceId> {
        let mut found = Vec::new();
        for (place, _) in end.pointers() {
            let inner = self.value_at(place);
            let nested: Vec<PlaceId> =
                inner.pointers().filter(|(_, how)| *how == Pointer::Counted).map(|(p, _)| p).collect();
            if nested.is_empty() { found.push(place) } else { found.extend(nested) }
        }
        found
    }
}
