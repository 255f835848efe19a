//! Which accesses race: the pairs of conflicting, unordered, commonly unlocked accesses, grouped by place.
//!
//! In: the accesses of one root. Out: groups of accesses that race, each with the place they share. The definition is
//! that of a data race (two accesses of one place, one a write, not both atomic, not ordered), less what a common lock excludes.

use super::Facts;
use super::announced::announced;
use super::claimed::{claimed_apart, claimed_no_more};
use super::protocol::keeps_apart;
use super::recursion::shares_of_recursion;
use super::retired::retired;
use crate::finding::{AccessKind, ContextKind};
use crate::interp::access::{AccessEvent, HeldLock};
use crate::interp::claims::{ClaimId, Giver};
use crate::interp::contexts::ContextId;
use crate::interp::handles::takes_handle;
use crate::interp::order::Ordered;
use crate::interp::places::{Index, LoopId, PlaceId, Portion, Proj, Root};
use crate::interp::terms::Rounds;
use crate::interp::values::Mode;

/// An access with the context that makes it.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    pub context: ContextId,
    pub access: &'a AccessEvent,
}

/// The door an access comes through.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Door {
    None,
    Raw,
    Cell,
    StaticMut,
    /// State of the process, which every safe call reaches.
    Process,
}

/// The door of one access: what lets it be unsynchronized at all.
pub fn door(facts: &Facts, event: Event) -> Door {
    let places = &facts.analysis.places;
    let place = event.access.place;
    if event.access.atomic.is_some() {
        return Door::None;
    }
    if matches!(places.get(place).root, Root::Process(_)) {
        return Door::Process;
    }
    if let Root::Static(id) = places.get(place).root
        && facts.program.statics[id.index()].item.mutable
        && !places.passes(place, |step| matches!(step, Proj::Guarded | Proj::Deref))
    {
        return Door::StaticMut;
    }
    if places.passes(place, |step| step == Proj::Cell) {
        return Door::Cell;
    }
    if event.access.door == crate::interp::access::Door::Raw { Door::Raw } else { Door::None }
}

/// Why a pair isn't a race, or that it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Race,
    /// Different parts, objects of each instance's own, or parts that a recursion divides among its levels.
    Disjoint,
    /// Safe accesses that no unsafe promise makes shared.
    NoDoor,
    BothRead,
    BothAtomic,
    Locked(PlaceId),
    /// Kept apart in a way that is the library's own.
    Protocol,
    Ordered(Ordered),
}

/// Accesses of one place that race with each other.
pub struct Group<'a> {
    pub place: PlaceId,
    pub events: Vec<Event<'a>>,
    /// The pairs, as indices into `events`.
    pub pairs: Vec<(usize, usize)>,
}

/// More accesses of one root aren't compared: past this a finding says nothing new.
const MAX_EVENTS: usize = 300;

/// All accesses of roots that `wanted` accepts, root by root in the order of first access.
pub fn by_root<'a>(facts: &Facts<'a>, wanted: impl Fn(Root) -> bool) -> Vec<Vec<Event<'a>>> {
    let analysis = facts.analysis;
    let mut roots: indexmap::IndexMap<Root, Vec<Event<'a>>, rustc_hash::FxBuildHasher> = Default::default();
    for id in analysis.contexts.ids() {
        for access in &analysis.contexts.get(id).log.events {
            let root = analysis.places.get(access.place).root;
            if wanted(root) {
                roots.entry(root).or_default().push(Event { context: id, access });
            }
        }
    }
    roots.into_values().collect()
}

pub fn verdict(facts: &Facts, a: Event, b: Event) -> Verdict {
    let analysis = facts.analysis;
    if a.access.kind == AccessKind::Read && b.access.kind == AccessKind::Read {
        return Verdict::BothRead;
    }
    if a.access.atomic.is_some() && b.access.atomic.is_some() {
        return Verdict::BothAtomic;
    }
    if door(facts, a).max(door(facts, b)) == Door::None || handed_in_apart(facts, a, b) {
        return Verdict::NoDoor;
    }
    let own = || a.context == b.context && is_own(facts, a.context, a.access.place);
    if !meet(facts, a, b) || (own() && !one_is_found(facts, a, b)) {
        return Verdict::Disjoint;
    }
    if let Some(order) = analysis.ordered(a.context, a.access, b.context, b.access) {
        return Verdict::Ordered(order);
    }
    if keeps_apart(facts, a, b) || announced(facts, a, b) || retired(facts, a, b) || retired(facts, b, a) {
        return Verdict::Protocol;
    }
    match common_lock(facts, a, b) {
        Some(lock) => Verdict::Locked(lock),
        None if shares_of_recursion(facts, a, b) => Verdict::Disjoint,
        None => Verdict::Race,
    }
}

/// One of two accesses is to an object that was found where any instance may have put its own; the other too, or nothing
/// of its own being put there decided it: what is done because of that is done to one that was refused.
fn one_is_found(facts: &Facts, a: Event, b: Event) -> bool {
    let places = &facts.analysis.places;
    let Some(object) = places.ancestors(a.access.place).last() else { return false };
    let Some(atomic) = facts.analysis.published.get(&object).copied() else { return false };
    let log = |event: Event| &facts.analysis.contexts.get(event.context).log.events;
    let at = |event: &AccessEvent| event.atomic.is_some() && places.same_but_index(event.place, atomic);
    let found = |event: Event| {
        let mut through = event.access.through.iter().filter_map(|id| log(event).get(id.0 as usize));
        !is_own(facts, event.context, atomic) && through.any(at)
    };
    let before = |event: Event| {
        let deciding = event.access.control.iter().chain(event.access.acted_on.iter());
        let mut deciding = deciding.filter_map(|id| log(event).get(id.0 as usize));
        !deciding.any(|other| at(other) && other.kind != AccessKind::Read)
    };
    match (found(a), found(b)) {
        (true, true) => true,
        (true, false) => before(b),
        (false, true) => before(a),
        (false, false) => false,
    }
}

/// Two callers of a library, each with an instance of its own: the type doesn't let them share one.
fn handed_in_apart(facts: &Facts, a: Event, b: Event) -> bool {
    let context = |event: Event| facts.analysis.contexts.get(event.context);
    let by_caller = |event: Event| context(event).kind == ContextKind::Caller;
    let behind = |event: &Event| facts.analysis.is_behind_handles(event.access);
    let own = |event: &Event| takes_handle(facts.program, context(*event)) && !behind(event);
    let root = facts.analysis.places.ancestors(a.access.place).last();
    let unshared = || root.is_some_and(|root| facts.analysis.unshared.contains(&root));
    [a, b].iter().any(own) || (by_caller(a) && by_caller(b) && ![a, b].iter().all(behind) && unshared())
}

/// The flag that was meant to order a pair.
pub fn weak_flag(facts: &Facts, a: Event, b: Event) -> Option<PlaceId> {
    let analysis = facts.analysis;
    let one_way = |x: Event, y: Event| analysis.weakly_handed(x.context, x.access, y.context, y.access);
    let held = |x: &HeldLock| b.access.locks.iter().any(|y| y.lock == x.lock) && analysis.is_too_weak(x.lock);
    let weak_lock = || a.access.locks.iter().find(|x| held(x)).map(|x| x.lock);
    let [one, two] = [(a.context, a.access), (b.context, b.access)];
    one_way(a, b)
        .or_else(|| one_way(b, a))
        .or_else(weak_lock)
        .or_else(|| analysis.ring_between(one, two, false))
        .or_else(|| analysis.published_up_to(one, two, false))
        .or_else(|| analysis.published_up_to(two, one, false))
}

/// Which racing pairs a rule takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Through this door, with no flag between.
    Door(Door),
    /// Through any door, with nothing between but a flag whose ordering is too weak.
    WeaklyPublished,
}

impl Wanted {
    fn takes(self, facts: &Facts, a: Event, b: Event) -> bool {
        let through = door(facts, a).max(door(facts, b));
        match self {
            Wanted::Door(door) => through == door,
            Wanted::WeaklyPublished => !matches!(through, Door::None | Door::Process),
        }
    }

    fn takes_race(self, facts: &Facts, a: Event, b: Event) -> bool {
        weak_flag(facts, a, b).is_some() == (self == Wanted::WeaklyPublished)
    }
}

/// Numbers of the accesses of a group, and its pairs.
type Members = (Vec<usize>, Vec<(usize, usize)>);

/// The races among the accesses of one root, grouped so that each group's accesses share a place.
pub fn races<'a>(facts: &Facts, events: &[Event<'a>], wanted: Wanted) -> Vec<Group<'a>> {
    let events = &events[..events.len().min(MAX_EVENTS)];
    let mut parent: Vec<usize> = (0..events.len()).collect();
    let mut pairs = Vec::new();
    for i in 0..events.len() {
        for j in i..events.len() {
            let (a, b) = (events[i], events[j]);
            if !wanted.takes(facts, a, b) {
                continue;
            }
            let verdict = verdict(facts, a, b);
            if verdict == Verdict::Protocol && wanted != Wanted::WeaklyPublished {
                facts.trusted.set(facts.trusted.get() + 1);
            }
            if verdict == Verdict::Race && wanted.takes_race(facts, a, b) {
                pairs.push((i, j));
                let (a, b) = (find(&mut parent, i), find(&mut parent, j));
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    let mut groups: indexmap::IndexMap<usize, Members> = Default::default();
    for &(i, j) in &pairs {
        let group = groups.entry(find(&mut parent, i)).or_default();
        let mut at = |n: usize| match group.0.iter().position(|m| *m == n) {
            Some(at) => at,
            None => {
                group.0.push(n);
                group.0.len() - 1
            }
        };
        let pair = (at(i), at(j));
        group.1.push(pair);
    }
    groups
        .into_values()
        .map(|(members, pairs)| {
            let events: Vec<Event> = members.iter().map(|m| events[*m]).collect();
            Group { place: common_place(facts, &events), events, pairs }
        })
        .collect()
}

fn find(parent: &mut [usize], at: usize) -> usize {
    let mut at = at;
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// The most precise place that all accesses are in.
pub fn common_place(facts: &Facts, events: &[Event]) -> PlaceId {
    let places = &facts.analysis.places;
    let mut common: Vec<PlaceId> = places.ancestors(events[0].access.place).collect();
    for event in &events[1..] {
        let other: Vec<PlaceId> = places.ancestors(event.access.place).collect();
        common.retain(|p| other.contains(p));
    }
    common.first().copied().unwrap_or(events[0].access.place)
}

/// Whether one place is a prefix of the other, indices taken into account.
pub fn meet(facts: &Facts, a: Event, b: Event) -> bool {
    let places = &facts.analysis.places;
    let (one, two) = (places.path(a.access.place), places.path(b.access.place));
    let shared = one.len().min(two.len());
    // What a pointer leads to is no part of the place that holds the pointer.
    let beyond = one[shared..].iter().chain(&two[shared..]).any(|step| *step == Proj::Deref);
    // Nobody reads a cell or an atomic by reading what it is part of.
    let passes_by = |event: Event, other: Event, rest: &[Proj]| {
        let apart = rest.contains(&Proj::Cell) || (other.access.atomic.is_some() && !rest.is_empty());
        event.access.kind == AccessKind::Read && event.access.atomic.is_none() && apart
    };
    let outside = passes_by(a, b, &two[shared..]) || passes_by(b, a, &one[shared..]);
    let step = |(x, y): (&Proj, &Proj)| {
        steps_meet(facts, a.context, *x, b.context, *y) || claimed_no_more(facts, (a, *x), (b, *y))
    };
    !beyond && !outside && one.iter().zip(&two).all(step) && !claimed_apart(facts, a, b)
}

fn steps_meet(facts: &Facts, one: ContextId, x: Proj, two: ContextId, y: Proj) -> bool {
    match (x, y) {
        (Proj::Index(x), Proj::Index(y)) => indices_meet(facts, one, x, two, y),
        (x, y) => x == y,
    }
}

fn indices_meet(facts: &Facts, one: ContextId, x: Index, two: ContextId, y: Index) -> bool {
    match (x, y) {
        (Index::Const(a), Index::Const(b)) => a == b,
        (Index::Key(a), Index::Key(b)) => a == b,
        (Index::Linear(l, m, a), Index::Linear(k, n, b)) if l == k && m == n => {
            let own = one == two && facts.analysis.contexts.get(one).loops.contains(&l);
            // The same round gives the same index to two contexts, different rounds never do.
            let offset = i128::from(a) - i128::from(b);
            let never = m != 0 && offset % i128::from(m) != 0;
            !(never || (own && offset == 0 && m != 0))
        }
        (Index::Const(n), Index::Linear(l, step, first))
        | (Index::Linear(l, step, first), Index::Const(n))
            if step != 0 && facts.analysis.recursions.contains(&l) =>
        {
            let (beyond, step) = (n - i128::from(first), i128::from(step));
            beyond % step == 0 && beyond / step >= 0
        }
        (Index::Share(l, a), Index::Share(k, b)) if l == k => {
            let handed_out = facts.analysis.frames.get(l.frame).context != one;
            a == b && !(a == crate::interp::places::EACH_SHARE && one == two && handed_out)
        }
        (Index::Block(l, m, a), Index::Block(k, n, b)) if (l, m, a) == (k, n, b) => {
            !(one == two && facts.analysis.contexts.get(one).loops.contains(&l))
        }
        (Index::Portion(l, a), Index::Portion(k, b)) if (l, a) == (k, b) => {
            !(one == two && facts.analysis.contexts.get(one).loops.contains(&l))
        }
        (
            Index::Portion(l, Portion::Listed { list: a, .. }),
            Index::Portion(k, Portion::Listed { list: b, .. }),
        ) if l == k && one == two && facts.analysis.contexts.get(one).loops.contains(&l) => {
            facts.analysis.written.meet(a, b)
        }
        (Index::Claimed(a), Index::Claimed(b)) => {
            !gives_apart(facts, (one, a), two) || facts.analysis.claims.meet(&[(a, b)])
        }
        (Index::Linear(l, 1, a), Index::Linear(k, 1, b))
            if follows(facts, (l, a), (k, b)) || follows(facts, (k, b), (l, a)) =>
        {
            false
        }
        (Index::Linear(_, m, a), Index::Linear(_, n, b)) if never_equal((m, a), (n, b)) => false,
        _ if own_rounds(facts, one, (x, y), two).is_some_and(|own| !rounds_meet(facts, own, x, y)) => false,
        _ => match (numbers(facts, x), numbers(facts, y)) {
            (Some((least, most)), Some((other, greatest))) => least <= greatest && other <= most,
            _ => true,
        },
    }
}

/// The loop each round of which started an instance, and of the rounds of which both indices are functions.
fn own_rounds(facts: &Facts, one: ContextId, (x, y): (Index, Index), two: ContextId) -> Option<LoopId> {
    let of = |index| match index {
        Index::Linear(at, ..) | Index::Block(at, ..) | Index::Portion(at, _) => Some(at),
        Index::Claimed(claim) => match facts.analysis.claims.giver(claim) {
            Giver::Rounds(Rounds::Started(at)) => Some(at),
            _ => None,
        },
        _ => None,
    };
    let own = of(x).filter(|own| of(y) == Some(*own))?;
    (one == two && facts.analysis.contexts.get(one).loops.contains(&own)).then_some(own)
}

fn rounds_meet(facts: &Facts, own: LoopId, x: Index, y: Index) -> bool {
    let below = facts.analysis.bounds.get(&own).map(|(_, to)| *to);
    facts.analysis.claims.rounds_meet(own, x, y, below)
}

/// Whether what gives the number out gives each of two contexts, or instances, another one.
pub fn gives_apart(facts: &Facts, (one, claim): (ContextId, ClaimId), two: ContextId) -> bool {
    match facts.analysis.claims.giver(claim) {
        Giver::Rounds(Rounds::Started(at)) => {
            one == two && facts.analysis.contexts.get(one).loops.contains(&at)
        }
        Giver::Rounds(Rounds::Taken(list, at)) => facts.analysis.hands_out(list, at),
        Giver::Counter(_) => true,
    }
}

/// What is left by a common divisor of the factors differs: `2 * i` and `2 * j + 1`.
fn never_equal((mul, add): (i64, i64), (other, more): (i64, i64)) -> bool {
    let (mut divisor, mut rest) = (mul.unsigned_abs(), other.unsigned_abs());
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    divisor > 1 && (i128::from(add) - i128::from(more)) % i128::from(divisor) != 0
}

/// The one loop's counter begins where the other's ends.
fn follows(facts: &Facts, (after, more): (LoopId, i64), (before, less): (LoopId, i64)) -> bool {
    let span = |at| facts.analysis.spans.get(&at);
    let (Some((Some(start), _)), Some((_, Some(end)))) = (span(after), span(before)) else { return false };
    start == end && more >= less
}

/// The least and the greatest number that an index can be.
fn numbers(facts: &Facts, index: Index) -> Option<(i128, i128)> {
    let counted = |at, mul: i64, add: i64, len: i64| {
        let (from, to) = facts.analysis.bounds.get(&at).copied()?;
        let value = |i: i128| i.checked_mul(i128::from(mul))?.checked_add(i128::from(add));
        let (one, two) = (value(from)?, value(to.checked_sub(1)?.max(from))?);
        Some((one.min(two), one.max(two).checked_add(i128::from(len.checked_sub(1)?))?))
    };
    match index {
        Index::Const(n) => Some((n, n)),
        Index::Linear(at, mul, add) => counted(at, mul, add, 1),
        Index::Block(at, mul, add) => counted(at, mul, add, mul.checked_abs()?),
        Index::Portion(_, Portion::Listed { list, .. }) => facts.analysis.written.ends(list),
        Index::Span(first, len) => {
            let first = i128::from(first);
            Some((first, first + i128::from(len) - 1))
        }
        _ => None,
    }
}

/// A lock that both hold, one of them exclusively.
pub fn common_lock(facts: &Facts, a: Event, b: Event) -> Option<PlaceId> {
    let same = |x: &HeldLock, y: &HeldLock| {
        let one = x.lock == y.lock && locks_meet(facts, (a.context, x.lock), (b.context, y.lock));
        one || is_one_of_all(facts, x, y)
            || guards_element(facts, (x.lock, a.access.place), (y.lock, b.access.place))
    };
    let excludes = |x: &HeldLock, y: &HeldLock| {
        same(x, y)
            && facts.analysis.excludes(x.lock)
            && (x.mode == Mode::Exclusive || y.mode == Mode::Exclusive)
            && !differs(facts, a.context, b.context, x.lock, a.access.place)
    };
    a.access.locks.iter().find(|x| b.access.locks.iter().any(|y| excludes(x, y))).map(|x| x.lock)
}

/// One of the locks that the other holds all of.
fn is_one_of_all(facts: &Facts, x: &HeldLock, y: &HeldLock) -> bool {
    (x.all || y.all) && facts.analysis.places.same_but_index(x.lock, y.lock)
}

/// Whether locks in elements may be those of one element.
fn locks_meet(facts: &Facts, (one, x): (ContextId, PlaceId), (two, y): (ContextId, PlaceId)) -> bool {
    let (x, y) = (facts.analysis.places.path(x), facts.analysis.places.path(y));
    x.iter().zip(&y).all(|(x, y)| steps_meet(facts, one, *x, two, *y))
}

/// Each has the lock at the index at which it accesses the data: who meets at one element holds one lock.
pub fn guards_element(
    facts: &Facts,
    (lock, data): (PlaceId, PlaceId),
    (other, there): (PlaceId, PlaceId),
) -> bool {
    let places = &facts.analysis.places;
    if places.get(lock).root != places.get(other).root {
        return false;
    }
    let indexed = |path: &[Proj]| path.iter().position(|step| matches!(step, Proj::Index(_)));
    let (one, two) = (places.path(lock), places.path(other));
    let (this, that) = (places.path(data), places.path(there));
    let (Some(at), Some(within)) = (indexed(&one), indexed(&this)) else { return false };
    // An index that nobody knows is taken to be one and the same where lock and data are parts of one element.
    let known = |step: Proj, lock: PlaceId, data: PlaceId| {
        let one_object = places.get(lock).root == places.get(data).root && one[..at] == this[..within];
        step != Proj::Index(Index::Any) || one_object
    };
    known(one[at], lock, data)
        && known(two[at], other, there)
        && indexed(&two) == Some(at)
        && indexed(&that) == Some(within)
        && one[..at] == two[..at]
        && one[at + 1..] == two[at + 1..]
        && this[..within] == that[..within]
        && one[at] == this[within]
        && two[at] == that[within]
}

/// Whether two contexts that meet at a place may each hold a lock of their own here: one is made by each instance of
/// some context, and the place isn't one of its.
pub fn differs(facts: &Facts, one: ContextId, two: ContextId, lock: PlaceId, place: PlaceId) -> bool {
    let analysis = facts.analysis;
    let root = |at: PlaceId| analysis.places.get(at).root;
    if one == two && root(lock) != root(place) && is_own(facts, one, lock) {
        return true;
    }
    match maker(facts, lock) {
        Some(by) if analysis.is_many(by) => {
            maker(facts, place).is_none_or(|other| !analysis.contexts.ancestry(other).any(|c| c == by))
        }
        _ => false,
    }
}

/// The context that made what a place is in; `None`: there is just one, whoever made it.
fn maker(facts: &Facts, place: PlaceId) -> Option<ContextId> {
    let analysis = facts.analysis;
    let frame = match analysis.places.get(place).root {
        Root::Static(_) | Root::ThreadLocal(_) | Root::Process(_) => return None,
        Root::Local(frame, _) => frame,
        Root::Object(object) => {
            let object = &analysis.objects.list[object.0 as usize];
            (!object.ambient).then_some(object.frame)?
        }
    };
    Some(analysis.frames.get(frame).context)
}

/// Whether each instance of a many-context has an object of its own behind this place.
pub fn is_own(facts: &Facts, context: ContextId, place: PlaceId) -> bool {
    let analysis = facts.analysis;
    let (frame, loops) = match analysis.places.get(place).root {
        Root::Static(_) | Root::Process(_) => return false,
        Root::ThreadLocal(_) => return true,
        Root::Local(frame, _) => (frame, &[][..]),
        Root::Object(object) => {
            let object = &analysis.objects.list[object.0 as usize];
            if object.ambient {
                return false;
            }
            (object.frame, &object.loops[..])
        }
    };
    let started = analysis.contexts.get(context);
    let root = analysis.places.get(place).root;
    if started
        .loops
        .iter()
        .any(|at| !started.entered_again.contains(at) && analysis.apart.contains(&(root, *at)))
    {
        return true;
    }
    let maker = analysis.frames.get(frame).context;
    for at in analysis.contexts.ancestry(context).take_while(|c| analysis.is_many(*c)) {
        if at == maker {
            return true;
        }
        if analysis.contexts.get(at).many {
            // Several instances of this one share what an ancestor made.
            break;
        }
    }
    let round = &analysis.contexts.get(context).loops;
    !round.is_empty() && loops.starts_with(round)
}
