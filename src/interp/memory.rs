//! Reading and writing places: locals in the state, shared objects and statics in the heap. (The log of accesses is in `logging`.)

use super::access::{Door, Effect, Same};
use super::places::{Index, PlaceId, Places, Proj, Root};
use super::terms::Term;
use super::values::{Aggregate, ClosureValue, Deps, FutureValue, Kind, Mode, Pointer, Val};
use super::{Cx, Interp, Made};
use crate::finding::AccessKind;
use crate::hir::{Name, StaticKind, TextRange};
use crate::models::Role;
use crate::resolve::{StaticId, Ty};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::rc::Rc;

/// What shared objects hold is known this deep.
const MAX_NESTING: u32 = 5;

/// What a place expression denotes: usually one place.
#[derive(Clone, Debug)]
pub struct Lval {
    pub places: SmallVec<[PlaceId; 1]>,
    pub ty: Ty,
    pub door: Door,
    /// Reads the choice of place depends on (a pointer's value, an index).
    pub deps: Deps,
}

impl Lval {
    pub fn one(place: PlaceId, ty: Ty) -> Lval {
        Lval { places: SmallVec::from_buf([place]), ty, door: Door::Safe, deps: Deps::default() }
    }

    /// One projection below it.
    pub fn part(&self, places: &mut Places, proj: Proj, ty: Ty) -> Lval {
        let below = match self.places[..] {
            [place] => SmallVec::from_buf([places.step(place, proj, &ty)]),
            _ => self.places.iter().map(|place| places.step(*place, proj, &ty)).collect(),
        };
        Lval { places: below, ty, door: self.door, deps: self.deps.clone() }
    }

    pub fn nowhere(ty: Ty) -> Lval {
        Lval { places: SmallVec::new(), ty, door: Door::Safe, deps: Deps::default() }
    }
}

/// What is known of an access besides the place.
#[derive(Clone, Debug)]
pub struct AccessInfo {
    pub kind: AccessKind,
    pub atomic: Option<Name>,
    pub range: TextRange,
    pub data: Deps,
    pub effect: Option<Effect>,
    /// See `AccessEvent::same`.
    pub same: Option<Same>,
    pub term: Option<Rc<Term>>,
}

impl AccessInfo {
    pub fn plain(kind: AccessKind, range: TextRange) -> AccessInfo {
        AccessInfo { kind, atomic: None, range, data: Deps::default(), effect: None, same: None, term: None }
    }
}

/// What a place holds at first, where it is known.
pub(super) fn held_first(initial: &FxHashMap<Root, Val>, places: &Places, place: PlaceId) -> Option<Val> {
    let whole = initial.get(&places.get(place).root)?;
    let path = places.path(place);
    Some(path.into_iter().fold(whole.clone(), |value, step| project(&value, step)))
}

impl Interp<'_> {
    /// What the read of one place that was just logged found.
    pub(super) fn found_by(&self, lval: &Lval, deps: &Deps) -> Option<Rc<Term>> {
        let [place] = lval.places[..] else { return None };
        let log = &self.contexts.get(self.context).log.events;
        let read = deps.iter().filter(|id| !lval.deps.contains(*id));
        let read = read.into_iter().find(|id| log.get(id.0 as usize).is_some_and(|e| e.place == place))?;
        Some(Rc::new(Term::Read(self.context, read)))
    }

    pub(super) fn is_shared(&self, place: PlaceId) -> bool {
        match self.places.get(place).root {
            Root::Static(_) | Root::Object(_) | Root::Process(_) => true,
            Root::ThreadLocal(_) => false,
            Root::Local(frame, local) => self.shared_locals.contains(&(frame, local)),
        }
    }

    /// The value at a place expression, with the read in its dependences.
    pub(super) fn read(&mut self, cx: &Cx, lval: &Lval, range: TextRange) -> Val {
        if let Some(constant) = self.never_changes(lval) {
            return constant;
        }
        let deps = self.log_lval(cx, lval, &AccessInfo::plain(AccessKind::Read, range));
        let mut value = self.peek(lval);
        if !self.st.locks.is_empty() && value.pointers().next().is_some() {
            self.obtain(&value);
        }
        if let Some(term) = self.found_by(lval, &deps) {
            value.term = Some(term);
        }
        if let [place] = lval.places[..]
            && self.is_guarded_flag(place, &value)
        {
            // What a lock protects can be a flag as an atomic is: the lock orders.
            value.alts.clear();
            value.alts.push(Kind::Loaded(place, self.names.seq_cst));
            value.open = false;
        } else {
            value = self.found_behind_lock(&lval.places, value);
        }
        if let [place] = lval.places[..]
            && value.alts.is_empty()
            && let Some(number) = self.number_for_good(place)
        {
            (value.alts, value.open, value.term) = (number.alts, false, None);
        }
        value.with_deps(&deps)
    }

    /// A static or shared local that nobody may write to: what it holds is a constant.
    fn never_changes(&mut self, lval: &Lval) -> Option<Val> {
        let [place] = lval.places[..] else { return None };
        let found = self.places.get(place);
        let root = found.root;
        if found.parent.is_some() || !matches!(found.ty, Ty::Prim(_)) {
            return None;
        }
        match root {
            Root::Static(id) => {
                let item = &self.program.statics[id.index()].item;
                if item.mutable || item.storage != StaticKind::Plain {
                    return None;
                }
                self.value_at(place);
            }
            Root::Local(frame, local) => {
                let fixed = self.local_names.get(&(frame, local)).is_some_and(|named| !named.mutable);
                if !fixed || !self.shared_locals.contains(&(frame, local)) {
                    return None;
                }
            }
            _ => return None,
        }
        let first = self.initial.get(&root)?;
        matches!(first.single(), Some(Kind::Const(_) | Kind::Unit(_))).then(|| first.clone())
    }

    pub(super) fn is_guarded(&self, place: PlaceId) -> bool {
        self.places.passes(place, |step| step == Proj::Guarded)
    }

    /// Plain data behind a held lock.
    fn is_guarded_flag(&self, place: PlaceId, value: &Val) -> bool {
        let plain = value.alts.iter().all(|k| match k {
            Kind::Aggregate(a) => a.fields.is_empty() && a.variant.is_some(),
            Kind::Const(_) => true,
            _ => false,
        });
        plain && !self.st.locks.is_empty() && self.is_guarded(place) && self.is_shared(place)
    }

    /// The value without an access.
    pub(super) fn peek(&mut self, lval: &Lval) -> Val {
        let mut value = match lval.places[..] {
            [] => return Val::unknown(lval.ty.clone()),
            [first, ..] => self.value_at(first),
        };
        for &place in &lval.places[1..] {
            value = value.join(&self.value_at(place));
        }
        if value.ty.is_unknown() {
            value.ty = lval.ty.clone();
        }
        value
    }

    /// What a place holds.
    pub(super) fn value_at(&mut self, place: PlaceId) -> Val {
        let mut value = self.value_within(place);
        if value.ty.is_unknown() {
            value.ty = self.places.get(place).ty.clone();
        }
        self.with_symbolic_pointee(place, value)
    }

    /// The same, as far as what it is part of tells.
    fn value_within(&mut self, place: PlaceId) -> Val {
        let found = self.places.get(place);
        let (root, Some(whole), Some(proj)) = (found.root, found.parent, found.proj) else {
            return self.root_value(found.root, place);
        };
        let known = if self.places.get(whole).parent.is_none() { self.held(root) } else { None };
        let mut part = match known {
            Some(value) if listed(value, proj).is_none() => project(value, proj),
            Some(value) => {
                let value = value.clone();
                self.projected(&value, proj)
            }
            None => {
                let value = self.value_within(whole);
                self.projected(&value, proj)
            }
        };
        self.part_of_unknown(&mut part, proj);
        part
    }

    /// What a root holds, where that is one value.
    fn held(&self, root: Root) -> Option<&Val> {
        match root {
            Root::Local(frame, local) if !self.shared_locals.contains(&(frame, local)) => {
                self.st.local(frame, local)
            }
            Root::Object(_) | Root::Process(_) => self.heap.get(root),
            Root::Local(..) | Root::Static(_) | Root::ThreadLocal(_) => None,
        }
    }

    /// The part that a projection names, exactly where it is one of a written list.
    pub(super) fn projected(&mut self, value: &Val, proj: Proj) -> Val {
        let own = listed(value, proj).and_then(|(elements, index)| self.listed_at(elements, index));
        own.map_or_else(|| project(value, proj), |own| own.with_deps(&value.deps))
    }

    fn root_value(&mut self, root: Root, place: PlaceId) -> Val {
        match root {
            Root::Local(frame, local) => {
                let shared = self.shared_locals.contains(&(frame, local));
                let own = self.st.local(frame, local).cloned();
                let heap = if shared || own.is_none() { self.heap.get(root).cloned() } else { None };
                match (own, heap) {
                    (Some(own), Some(heap)) => own.join(&heap),
                    (Some(value), None) | (None, Some(value)) => value,
                    (None, None) => Val::unknown(self.root_ty(place)),
                }
            }
            Root::Static(id) | Root::ThreadLocal(id) => {
                if !self.heap.contains(root) {
                    let value = self.initial_value(id);
                    let general = match root {
                        Root::ThreadLocal(_) => generalize_own(&value),
                        _ => generalize(&value),
                    };
                    self.heap.begin(root, general);
                }
                let value = self.heap.get(root).cloned().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                if matches!(root, Root::ThreadLocal(_)) { self.of_this_thread(value) } else { value }
            }
            Root::Object(_) | Root::Process(_) => {
                self.heap.get(root).cloned().unwrap_or_else(|| Val::unknown(self.root_ty(place)))
            }
        }
    }

    /// What a thread-local holds, without the objects that other threads made and put into theirs.
    fn of_this_thread(&self, mut value: Val) -> Val {
        value.alts.retain(|kind| match kind {
            Kind::Pointer(place, _) => self.may_be_of_this_thread(*place),
            _ => true,
        });
        for kind in &mut value.alts {
            if let Kind::Aggregate(aggregate) = kind {
                let fields =
                    aggregate.fields.iter().map(|(p, field)| (*p, self.of_this_thread(field.clone())));
                *aggregate = Rc::new(Aggregate { variant: aggregate.variant, fields: fields.collect() });
            }
        }
        value
    }

    /// Its own objects, those that it may have from who started it, and those that nobody made in particular.
    fn may_be_of_this_thread(&self, place: PlaceId) -> bool {
        let Root::Object(object) = self.places.get(place).root else { return true };
        let object = &self.objects.list[object.0 as usize];
        let maker = self.frames.get(object.frame).context;
        object.made != Made::ByContext || self.contexts.ancestry(self.context).any(|at| at == maker)
    }

    fn root_ty(&self, place: PlaceId) -> Ty {
        let root = self.places.ancestors(place).last().unwrap_or(place);
        self.places.get(root).ty.clone()
    }

    /// A pointer of unknown value points to what only it is known to point to.
    fn with_symbolic_pointee(&mut self, place: PlaceId, mut value: Val) -> Val {
        if !value.open || !value.alts.is_empty() {
            return value;
        }
        if let Some((how, inner)) = self.pointer_ty(&value.ty) {
            let target = self.places.step(place, Proj::Deref, &inner);
            value.alts.push(Kind::Pointer(target, how));
            value.open = false;
        }
        value
    }

    /// How a value of this type points, and at what.
    pub(super) fn pointer_ty(&self, ty: &Ty) -> Option<(Pointer, Ty)> {
        match ty {
            Ty::Ref { mutable: false, inner } => Some((Pointer::Shared, (**inner).clone())),
            Ty::Ref { mutable: true, inner } => Some((Pointer::Exclusive, (**inner).clone())),
            Ty::Ptr { inner, .. } => Some((Pointer::Raw, (**inner).clone())),
            Ty::Ext(_, args) => {
                let inner = args.first().cloned().unwrap_or(Ty::Unknown);
                match self.models.role(ty) {
                    Role::Owner => Some((Pointer::Owner, inner)),
                    Role::Counted => Some((Pointer::Counted, inner)),
                    Role::Raw => Some((Pointer::Raw, inner)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// A static's initializer, evaluated without logging.
    fn initial_value(&mut self, id: StaticId) -> Val {
        let ty = self.program.statics[id.index()].ty.clone();
        let own = self.program.statics[id.index()].item.storage == StaticKind::ThreadLocal;
        let outer = std::mem::replace(&mut self.within_thread_local, own);
        let mut value = self.evaluate_initializer(id).unwrap_or_else(|| Val::unknown(ty.clone()));
        self.within_thread_local = outer;
        if value.ty.is_unknown() || matches!(value.ty, Ty::Prim(_)) {
            value.ty = ty;
        }
        self.starts_as(Root::Static(id), &value);
        value
    }

    /// Remembers what a root holds at first: nothing certain, where that differs from one time to the other.
    pub(super) fn starts_as(&mut self, root: Root, value: &Val) {
        match self.initial.get_mut(&root) {
            Some(old) if old == value => {}
            Some(old) => *old = old.join(value),
            None => {
                self.initial.insert(root, value.clone());
            }
        }
    }

    /// Joins a value into what a root holds for all contexts.
    pub(super) fn grow_heap(&mut self, root: Root, value: Val) {
        let grown = match self.heap.old(root) {
            Some(old) => old.join(&value),
            None => value,
        };
        self.put_heap(root, grown);
    }

    fn put_heap(&mut self, root: Root, value: Val) {
        let mut value = value;
        strip_deps(&mut value);
        value.bound_depth(MAX_NESTING);
        self.heap.put(root, value);
    }

    /// A pointer, also one that there may be none of.
    fn is_pointer(&self, value: &Val) -> bool {
        let optional =
            |part: &Aggregate| part.variant.is_some_and(|v| self.is_success(v)) && part.fields.len() == 1;
        !value.alts.is_empty()
            && value.alts.iter().all(|kind| match kind {
                Kind::Pointer(..) => true,
                Kind::Aggregate(part) => {
                    optional(part) && part.fields.iter().all(|(_, inner)| self.is_pointer(inner))
                }
                _ => false,
            })
    }

    /// Stores into a place expression, logging the write.
    pub(super) fn write(&mut self, cx: &Cx, lval: &Lval, value: Val, mut info: AccessInfo) {
        info.data = info.data.join(&value.all_deps()).join(&lval.deps);
        if self.is_pointer(&value) {
            // A pointer that was taken out is put back: what it was read from has another since.
            info.data = info.data.join(&self.deps_with_contents(&value)).without(&self.st.settled);
        }
        if info.kind == AccessKind::Write && lval.places.iter().any(|place| self.is_shared(*place)) {
            info.same = self.same_everywhere(&value, &lval.deps);
        }
        if info.kind == AccessKind::Write {
            info.term = value.symbol();
        }
        self.log_lval(cx, lval, &info);
        if !self.st.locks.is_empty() && lval.places.iter().any(|p| self.is_guarded(*p)) {
            let claimed = self.claimed(lval, &value, info.term.as_deref());
            self.flag_stored(lval, super::told::state_value(&value), true);
            self.publish(&value);
            if let Some(flag) = claimed {
                let id = self.flag_hold(flag);
                self.hold(flag, Mode::Exclusive, id);
            }
        }
        self.store(lval, value);
    }

    /// Stores without an access.
    pub(super) fn store(&mut self, lval: &Lval, value: Val) {
        let strong = lval.places.len() == 1;
        for &place in &lval.places {
            self.store_at(place, value.clone(), strong);
        }
    }

    pub(super) fn store_at(&mut self, place: PlaceId, value: Val, strong: bool) {
        let root = self.places.get(place).root;
        let path = self.places.path(place);
        if path.contains(&Proj::Deref) {
            return;
        }
        let root_place = self.places.ancestors(place).last().unwrap_or(place);
        if !self.st.told.is_empty() {
            let places = &self.places;
            self.st.untell(|at, _| places.below(at, place).is_some() || places.below(place, at).is_some());
        }
        match root {
            Root::Local(frame, local) => {
                let shared = self.shared_locals.contains(&(frame, local));
                if shared || !self.st.has_frame(frame) {
                    let old = self.root_value(root, root_place);
                    let new = updated(&old, &path, &generalize(&value), false);
                    self.escape(&value);
                    self.put_heap(root, new);
                }
                if self.st.has_frame(frame) {
                    let old =
                        self.st.local(frame, local).cloned().unwrap_or_else(|| Val::unknown(Ty::Unknown));
                    let new = updated(&old, &path, &value, strong);
                    self.st.set_local(frame, local, new);
                }
            }
            _ if self.keeps_for_itself(root) => {}
            Root::Static(_) | Root::ThreadLocal(_) | Root::Object(_) | Root::Process(_) => {
                if !path.is_empty() {
                    self.rewritten.insert(place);
                }
                let old = self.root_value(root, root_place);
                let new = updated(&old, &path, &generalize(&value), false);
                self.put_into(root, &value);
                self.escape(&value);
                self.put_heap(root, new);
            }
        }
    }
}

/// The part of a value that a projection names.
pub(super) fn project(value: &Val, proj: Proj) -> Val {
    let mut result: Option<Val> = None;
    let mut open = value.open;
    for kind in &value.alts {
        match kind {
            Kind::Aggregate(aggregate) => match part(aggregate, proj) {
                Some(part) => {
                    result = Some(match result {
                        Some(old) => old.join(&part),
                        None => part,
                    });
                }
                None => open |= aggregate.variant.is_none(),
            },
            Kind::Moved => {}
            _ => open = true,
        }
    }
    let mut result = result.unwrap_or_else(|| Val::unknown(Ty::Unknown));
    result.open |= open;
    result.with_deps(&value.deps)
}

fn part(aggregate: &Aggregate, proj: Proj) -> Option<Val> {
    let Proj::Index(index) = proj else { return aggregate.field(proj).cloned() };
    if let Index::Const(_) = index
        && let Some(own) = aggregate.field(proj)
    {
        return match aggregate.field(Proj::Index(Index::Any)) {
            Some(any) => Some(own.join(any)),
            None => Some(own.clone()),
        };
    }
    let exact = matches!(index, Index::Const(_));
    let mut all: Option<Val> = None;
    for (key, value) in &aggregate.fields {
        let Proj::Index(key) = key else { continue };
        if exact && matches!(key, Index::Const(_)) {
            continue;
        }
        all = Some(match all {
            Some(old) => old.join(value),
            None => value.clone(),
        });
    }
    all
}

/// `old` with the part at `path` replaced (strong) or joined (weak).
pub(super) fn updated(old: &Val, path: &[Proj], value: &Val, strong: bool) -> Val {
    let Some((&first, rest)) = path.split_first() else {
        return if strong { value.clone() } else { old.join(value) };
    };
    let summary = matches!(first, Proj::Index(index) if !matches!(index, Index::Const(_)));
    let key = if summary { Proj::Index(Index::Any) } else { first };
    let mut result = old.clone();
    let mut found = false;
    for kind in &mut result.alts {
        if let Kind::Aggregate(aggregate) = kind {
            found = true;
            let mut aggregate = (**aggregate).clone();
            let part = aggregate.field(key).cloned();
            let new = match part {
                Some(part) => updated(&part, rest, value, strong && !summary),
                None if rest.is_empty() => value.clone(),
                None => updated(&Val::unknown(Ty::Unknown), rest, value, strong),
            };
            aggregate.set(key, new);
            *kind = Kind::Aggregate(Rc::new(aggregate));
        }
    }
    if !found {
        let inner = if rest.is_empty() {
            value.clone()
        } else {
            updated(&Val::unknown(Ty::Unknown), rest, value, strong)
        };
        result.alts.retain(|kind| !matches!(kind, Kind::Moved | Kind::Const(_)));
        result.alts.push(Kind::Aggregate(Rc::new(Aggregate { variant: None, fields: vec![(key, inner)] })));
        result.open = true;
    }
    result
}

/// A value as others may see it: numbers become unknown, but for those that nobody knows anyway.
pub(super) fn generalize(value: &Val) -> Val {
    generalized(value, false)
}

/// The same of what each context has for itself: a number given out to it remains that.
fn generalize_own(value: &Val) -> Val {
    generalized(value, true)
}

fn generalized(value: &Val, own: bool) -> Val {
    let mut general = value.clone();
    general.alts.clear();
    general.term = None;
    for kind in &value.alts {
        match kind {
            Kind::Claimed(_) if own => general.alts.push(kind.clone()),
            Kind::Const(_)
            | Kind::Linear(..)
            | Kind::Block(..)
            | Kind::Portion(..)
            | Kind::Claimed(_)
            | Kind::Loaded(..)
            | Kind::Bit(..)
            | Kind::CountedDown(..)
            | Kind::BitsSet { .. }
            | Kind::Difference { .. }
            | Kind::Test(_) => general.open = true,
            Kind::Moved => general.open = true,
            Kind::Aggregate(aggregate) => {
                let fields = super::told::untold(aggregate).map(|(p, v)| (*p, generalized(v, own))).collect();
                let aggregate = Aggregate { variant: aggregate.variant, fields };
                general.alts.push(Kind::Aggregate(Rc::new(aggregate)));
            }
            other => general.alts.push(other.clone()),
        }
    }
    general
}

/// A value as another context gets it: the reads that it depends on are none of that context's.
pub(super) fn strip_deps(value: &mut Val) {
    value.deps = Deps::default();
    value.term = None;
    for kind in &mut value.alts {
        match kind {
            Kind::Aggregate(aggregate) if aggregate.fields.iter().any(|(_, v)| depends(v)) => {
                let mut stripped = (**aggregate).clone();
                stripped.fields.iter_mut().for_each(|(_, field)| strip_deps(field));
                *kind = Kind::Aggregate(Rc::new(stripped));
            }
            Kind::Closure(closure) if closure.moved.iter().any(|(_, v)| depends(v)) => {
                *kind = Kind::Closure(Rc::new(stripped_closure(closure)));
            }
            Kind::Future(future) => *kind = Kind::Future(Rc::new(stripped_future(future))),
            _ => {}
        }
    }
    // What differed in that alone is the same now.
    let stripped = std::mem::take(&mut value.alts);
    for kind in stripped {
        if !value.alts.contains(&kind) {
            value.alts.push(kind);
        }
    }
}

/// Whether there is anything to strip.
fn depends(value: &Val) -> bool {
    value.deps != Deps::default()
        || value.alts.iter().any(|kind| match kind {
            Kind::Aggregate(aggregate) => aggregate.fields.iter().any(|(_, v)| depends(v)),
            Kind::Closure(closure) => closure.moved.iter().any(|(_, v)| depends(v)),
            Kind::Future(_) => true,
            _ => false,
        })
}

fn stripped_closure(closure: &ClosureValue) -> ClosureValue {
    let mut stripped = closure.clone();
    stripped.moved.iter_mut().for_each(|(_, value)| strip_deps(value));
    stripped
}

fn stripped_future(future: &FutureValue) -> FutureValue {
    let mut stripped = future.clone();
    match &mut stripped {
        FutureValue::Block(closure) => *closure = stripped_closure(closure),
        FutureValue::Call { args, self_arg, .. } => args.iter_mut().chain(self_arg).for_each(strip_deps),
        FutureValue::Ready(value) => strip_deps(value),
        FutureValue::Model { this, args, .. } => args.iter_mut().chain(this).for_each(strip_deps),
    }
    stripped
}

/// A written list and which of its elements is meant.
fn listed(value: &Val, proj: Proj) -> Option<(&Aggregate, Index)> {
    match (proj, value.single()) {
        (Proj::Index(index @ Index::Linear(..)), Some(Kind::Aggregate(elements))) => Some((elements, index)),
        _ => None,
    }
}
