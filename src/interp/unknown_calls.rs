//! Calls of something that nobody knows.
//!
//! In: the arguments. Out: lent places are touched as their references allow, closures among the arguments run, and the
//! result depends on everything.

use super::access::Door;
use super::memory::AccessInfo;
use super::places::{FrameId, Index, Proj, Root};
use super::values::{Deps, Kind, Pointer, ReadId, Val};
use super::{Cx, Interp};
use crate::finding::AccessKind;
use crate::hir::{ExprId, ExprKind};
use crate::resolve::Ty;

/// What a function that nobody knows was given.
pub(super) struct Given {
    deps: Deps,
    /// It has arguments besides what it is a method of.
    asked: bool,
}

/// The parts of a set of values from elsewhere.
pub(super) struct PartSet {
    /// Kept so that no other set gets its address.
    _wholes: Deps,
    parts: Deps,
    /// How many keys there were: parts of later ones are keys too.
    keys: usize,
}

impl Interp<'_> {
    /// A call of something nobody knows: lent places are touched, closures run, the result depends on everything.
    pub(super) fn opaque_call(&mut self, cx: &Cx, id: ExprId, this: Option<Val>, args: Vec<Val>) -> Val {
        self.act(cx, id);
        self.lent_to(cx, id, this, args)
    }

    /// What a call does to its arguments, and a result that depends on them.
    pub(super) fn lent_to(&mut self, cx: &Cx, id: ExprId, this: Option<Val>, args: Vec<Val>) -> Val {
        self.may_be_locked(cx, id, this.iter().chain(&args));
        if let Some(receiver) = &this {
            self.may_guard_itself(receiver);
        }
        let mut deps = Deps::default();
        let asked = !args.is_empty();
        for value in this.into_iter().chain(args) {
            self.used(&value);
            deps = deps.join(&self.lend(cx, id, &value, None));
        }
        let result = self.elsewhere(cx, id.0);
        let given = |result| (result, Given { deps: deps.clone(), asked });
        self.unknown_results.extend(result.iter().map(given));
        Val::unknown(Ty::Unknown).with_deps(&deps.join(&result))
    }

    /// The dependence on something that isn't known here.
    pub(super) fn elsewhere(&mut self, cx: &Cx, what: u32) -> Deps {
        self.elsewhere_in(cx.frame, what)
    }

    pub(super) fn elsewhere_in(&mut self, frame: FrameId, what: u32) -> Deps {
        let next = (self.elsewhere.len() + self.parts.len()) as u32;
        let number = *self.elsewhere.entry((frame, what)).or_insert(next);
        Deps::one(ReadId::elsewhere(number))
    }

    /// Of what a value depends on the results of functions that nobody knows: they may give the same whoever asks.
    pub(super) fn unknown_results_in(&self, value: &Val) -> Deps {
        let deps = value.all_deps();
        let unknown = deps.iter().filter(|read| self.unknown_results.contains_key(read));
        unknown.collect()
    }

    /// The keys, and of what a value depends on what functions that nobody knows gave for them, and for nothing else that others
    /// don't have: that too may be the same whoever asks.
    pub(super) fn following_from(&self, keys: Deps, value: &Val) -> Deps {
        let deps = value.all_deps();
        let constant = keys.is_empty();
        let mut known = keys;
        // Each round adds one, unless there are too many to know them all.
        for _ in 0..deps.len() {
            let own = |part: ReadId| part.is_elsewhere() && !self.is_within(part, &known);
            let asks = |given: &Given| {
                (constant && given.asked) || given.deps.iter().any(|part| self.is_within(part, &known))
            };
            let follows = |read: &ReadId| {
                let given = self.unknown_results.get(read);
                given.is_some_and(|given| asks(given) && !given.deps.iter().any(own))
            };
            let more: Deps = deps.iter().filter(|read| !known.contains(*read)).filter(follows).collect();
            if more.is_empty() {
                break;
            }
            known = known.join(&more);
        }
        known
    }

    /// A part of a value that nobody knows is known by less than the whole.
    pub(super) fn part_of_unknown(&mut self, part: &mut Val, proj: Proj) {
        if !matches!(proj, Proj::Field(_))
            || !part.open
            || !part.alts.is_empty()
            || !part.deps.iter().any(ReadId::is_elsewhere)
        {
            return;
        }
        part.deps = self.parts_of_unknown(&part.deps, proj);
    }

    /// What of numbers that nobody knows is left by an operation that gives the same for several of them.
    pub(super) fn less_of_unknown(&mut self, deps: &Deps) -> Deps {
        if !deps.iter().any(ReadId::is_elsewhere) {
            return deps.clone();
        }
        self.parts_of_unknown(deps, Proj::Index(Index::Any))
    }

    fn parts_of_unknown(&mut self, deps: &Deps, proj: Proj) -> Deps {
        let at = (deps.address(), proj);
        if let Some(known) = self.part_sets.get(&at).filter(|known| known.keys == self.keys.len()) {
            return known.parts.clone();
        }
        let parts = deps.iter().map(|read| match read.is_elsewhere() && read != ReadId::OWN {
            true => self.part_of_whole(read, proj),
            false => read,
        });
        let parts: Deps = parts.collect();
        let known = PartSet { _wholes: deps.clone(), parts: parts.clone(), keys: self.keys.len() };
        self.part_sets.insert(at, known);
        parts
    }

    fn part_of_whole(&mut self, whole: ReadId, proj: Proj) -> ReadId {
        let next = (self.elsewhere.len() + self.parts.len()) as u32;
        let part = *self.parts.entry((whole, proj)).or_insert_with(|| {
            let part = ReadId::elsewhere(next);
            self.wholes.insert(part, whole);
            part
        });
        if self.keys.contains(&whole) {
            self.keys.insert(part);
        }
        part
    }

    /// Whether it is one of these values from elsewhere, or a part of one.
    pub(super) fn is_within(&self, read: ReadId, known: &Deps) -> bool {
        self.wholes_of(read).any(|whole| known.contains(whole))
    }

    /// The value itself and all that it is a part of.
    pub(super) fn wholes_of(&self, read: ReadId) -> impl Iterator<Item = ReadId> + '_ {
        std::iter::successors(Some(read), |part| self.wholes.get(part).copied())
    }

    /// What an argument depends on, and what it points to in the caller.
    pub(super) fn lent_deps(&mut self, value: &Val) -> Deps {
        let mut deps = value.all_deps();
        for (place, _) in value.pointers() {
            if matches!(self.places.get(place).root, Root::Local(..)) {
                deps = deps.join(&self.value_at(place).all_deps());
            }
        }
        deps
    }

    /// What a callee that isn't entered does to an argument. `lent`: how its signature takes it.
    pub(super) fn lend(&mut self, cx: &Cx, id: ExprId, value: &Val, lent: Option<AccessKind>) -> Deps {
        self.lend_with(cx, id, value, lent, &[])
    }

    /// The same of an argument that is changed by what the others say.
    pub(super) fn lend_with(
        &mut self,
        cx: &Cx,
        id: ExprId,
        value: &Val,
        lent: Option<AccessKind>,
        others: &[Val],
    ) -> Deps {
        let data = others.iter().fold(Deps::default(), |deps, other| deps.join(&other.all_deps()));
        let range = cx.body.body.expr(id).range;
        let mut deps = self.lent_deps(value).join(&self.own_numbers(value));
        for kind in value.alts.clone() {
            match kind {
                Kind::Pointer(place, how) => {
                    let access = match (lent, how) {
                        (Some(kind), _) => kind,
                        (None, Pointer::Shared | Pointer::Counted) => AccessKind::Read,
                        (None, Pointer::Exclusive) => AccessKind::Update,
                        // A reference that was made of a raw pointer is one. Of several, what led to each is not known any more.
                        (None, Pointer::Raw) if value.alts.len() > 1 => continue,
                        (None, Pointer::Raw) => match &value.ty {
                            Ty::Ref { mutable: false, .. } => AccessKind::Read,
                            Ty::Ref { mutable: true, .. } => AccessKind::Update,
                            _ => continue,
                        },
                        (None, Pointer::Owner) => continue,
                    };
                    let door = if how == Pointer::Raw { Door::Raw } else { Door::Safe };
                    let info = AccessInfo { data: data.clone(), ..AccessInfo::plain(access, range) };
                    if let Some(read) = self.log(cx, place, door, &info) {
                        deps = deps.join(&Deps::one(read));
                    }
                }
                Kind::Closure(_) | Kind::Fn(..) => {
                    let callee = Val::of(kind, Ty::Unknown);
                    let before = self.st.clone();
                    self.st.sure = false;
                    let result = self.call_unknown_args(cx, id, callee);
                    deps = deps.join(&result.all_deps());
                    self.st.join(&before);
                    self.st.sure = before.sure;
                }
                Kind::Future(_) => {
                    let before = self.st.clone();
                    let result = self.await_value(cx, id, Val::of(kind, Ty::Unknown));
                    deps = deps.join(&result.all_deps());
                    self.st.join(&before);
                }
                Kind::Handle(handle) => self.st.join_all(handle.context),
                _ => {}
            }
        }
        deps
    }

    pub(super) fn call_unknown_args(&mut self, cx: &Cx, id: ExprId, callee: Val) -> Val {
        let count = match callee.single() {
            Some(Kind::Closure(closure)) => match &closure.body.body.expr(closure.expr).kind {
                ExprKind::Closure(c) => c.params.len(),
                _ => 0,
            },
            Some(Kind::Fn(function, _)) => self.program.sig(*function).params.len(),
            _ => 0,
        };
        self.call_value(cx, id, callee, vec![Val::unknown(Ty::Unknown); count])
    }
}
