//! Abstract values: what a variable may hold, and the reads it depends on.
//!
//! A value is a small set of alternatives plus `open` ("or something else"). No alternatives and not open: no
//! execution reaches here. Lattice join is union; aggregates of one variant join field by field. Bounded: at most
//! `MAX_ALTS` alternatives and `MAX_DEPS` dependences, past that the value is open.

pub use super::chains::{IterValue, Stage, StageKind};
use super::contexts::ContextId;
use super::deps::mixed;
pub use super::deps::{Constants, Deps, ReadId};
use super::places::{FrameId, LoopId, PlaceId, Portion, Proj};
use super::remembered::Outcome;
use super::terms::{Term, number};
use super::units::UnitId;
use crate::hir::{ExprId, Lit, Name};
use crate::models::FnModelId;
use crate::resolve::{FnId, ResolvedBody, Subst, Ty};
use smallvec::SmallVec;
use std::rc::Rc;
use std::sync::Arc;

const MAX_ALTS: usize = 8;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Const {
    Int(i128),
    Bool(bool),
    Char(char),
    Str(Name),
    Float(Name),
}

/// How a pointer value points.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pointer {
    /// `&T`
    Shared,
    /// `&mut T`
    Exclusive,
    /// `*const T`, `*mut T`, `NonNull`, an address; also a reference made from one.
    Raw,
    /// `Box`: owns what it points to.
    Owner,
    /// `Arc`, `Rc`: one of several handles.
    Counted,
}

/// How far a number is from the ends of its block: so much may be taken off or added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slack {
    pub below: i64,
    pub above: i64,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    Const(Const),
    /// `mul * i + add` with the counter of a loop.
    Linear(LoopId, i64, i64),
    /// Somewhere in a block of `mul` from `mul * i + add` on.
    Block(LoopId, i64, i64, Slack),
    /// An unknown number that is always the same.
    Unit(UnitId),
    /// See `Portion`.
    Portion(LoopId, Portion),
    /// Given out by a `fetch_add` of this atomic.
    Claimed(PlaceId),
    Pointer(PlaceId, Pointer),
    Aggregate(Rc<Aggregate>),
    Closure(Rc<ClosureValue>),
    Fn(FnId, Rc<Subst>),
    /// A library function used as a value.
    Model(FnModelId),
    /// A variant's (or tuple struct's) constructor used as a value.
    Constructor(Option<Name>, Ty),
    Guard(Rc<GuardValue>),
    Handle(HandleValue),
    Iter(Rc<IterValue>),
    /// The argument of a scope's closure.
    Scope(LoopId),
    /// A future that hasn't run: an async block or the call of an async fn.
    Future(Rc<FutureValue>),
    /// What an atomic held when it was loaded with this ordering: an unknown number with a known origin.
    Loaded(PlaceId, Name),
    /// How much more an atomic held than some number (or, turned, less), when it was loaded with this ordering.
    Difference {
        atomic: PlaceId,
        order: Name,
        from: Option<i128>,
        turned: bool,
    },
    /// One bit of what an atomic held when it was loaded with this ordering.
    Bit(PlaceId, Name, i128),
    /// What an atomic held before one was taken off it.
    CountedDown(PlaceId, Name),
    /// What an atomic held before bits of it were set: the lock that the bits are, which bits, and whether the others are
    /// masked out.
    BitsSet {
        lock: PlaceId,
        bits: i128,
        alone: bool,
    },
    /// A condition and what its truth tells.
    Test(Rc<Test>),
    /// Moved away: nothing is dropped at the end of the scope.
    Moved,
}

/// A struct, tuple, enum value, array or collection. `Proj::Index(Any)` is the summary of a collection's elements.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Aggregate {
    /// The enum variant's name; `None` for everything else.
    pub variant: Option<Name>,
    pub fields: Vec<(Proj, Val)>,
}

impl Aggregate {
    pub fn field(&self, proj: Proj) -> Option<&Val> {
        self.fields.iter().find(|(p, _)| *p == proj).map(|(_, v)| v)
    }

    pub fn set(&mut self, proj: Proj, value: Val) {
        match self.fields.iter_mut().find(|(p, _)| *p == proj) {
            Some(slot) => slot.1 = value,
            None => self.fields.push((proj, value)),
        }
    }
}

/// A closure with what it captured.
#[derive(Clone)]
pub struct ClosureValue {
    pub body: Arc<ResolvedBody>,
    /// The closure expression.
    pub expr: ExprId,
    /// Frame whose locals it refers to.
    pub frame: FrameId,
    /// Captured values of a `move` closure; empty means by reference to the frame.
    pub moved: Vec<(crate::resolve::LocalId, Val)>,
    pub subst: Rc<Subst>,
}

impl PartialEq for ClosureValue {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr && self.frame == other.frame && self.moved == other.moved
    }
}

impl std::fmt::Debug for ClosureValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "closure {:?} of {:?}", self.expr, self.frame)
    }
}

/// A future value: what runs when it is awaited.
#[derive(Clone, PartialEq, Debug)]
pub enum FutureValue {
    /// An async block: a closure without parameters.
    Block(ClosureValue),
    /// A call of an async fn with its arguments.
    Call { id: FnId, subst: Rc<Subst>, args: Vec<Val>, self_arg: Option<Val> },
    /// Already has its result.
    Ready(Val),
    /// A library's: the model's effect happens when it is awaited. `made_at`: by which call, for messages.
    Model { model: FnModelId, this: Option<Val>, self_ty: Ty, args: Vec<Val>, made_at: (FrameId, ExprId) },
}

/// Exclusive or shared possession of a lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Mode {
    Exclusive,
    Shared,
}

/// The acquisition of a lock that a hold began with; where paths meet, the set of those it may have begun with, as the bits
/// that they hash to. (Two sets that look equal by chance hide an interruption; they never invent one.)
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct HoldId(u64);

impl HoldId {
    const BITS: u32 = 4;

    /// The acquisition by this expression of this call, the `round`th time.
    pub fn new(frame: FrameId, expr: ExprId, which: u32, round: u32) -> HoldId {
        let mut hash = u64::from(frame.0) << 32 | u64::from(expr.0);
        let mut bits = 0;
        hash ^= u64::from(which * 8 + round) << 56;
        for _ in 0..HoldId::BITS {
            hash = mixed(&mut hash);
            bits |= 1 << (hash >> 58);
        }
        HoldId(bits)
    }

    /// A lock that is held from the start.
    pub fn of_flag(flag: PlaceId) -> HoldId {
        HoldId::new(FrameId(u32::MAX), ExprId(flag.0), 0, 0)
    }

    pub fn or(self, other: HoldId) -> HoldId {
        HoldId(self.0 | other.0)
    }

    /// Whether the one may be the other.
    pub fn meets(self, other: HoldId) -> bool {
        let both = self.0 & other.0;
        both == self.0 || both == other.0
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct GuardValue {
    pub hold: HoldId,
    pub lock: PlaceId,
    pub mode: Mode,
    /// What it gives access to.
    pub data: PlaceId,
    /// Of a try: held only once the success is seen.
    pub pending: bool,
    /// A hand-written lock: released by a store to it, not by a drop.
    pub manual: bool,
}

/// A handle that can be joined.
#[derive(Clone, PartialEq, Debug)]
pub struct HandleValue {
    pub context: ContextId,
    /// The loop that takes each element of the collection the handle came from.
    pub each_of: Option<LoopId>,
    /// Which of how many parts an array of handles was taken apart into.
    pub part: Option<(u32, u32)>,
}

/// What a condition tells when it is true (or, `negated`, when it is false).
#[derive(Clone, PartialEq, Debug)]
pub struct Test {
    pub subject: Subject,
    pub negated: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Subject {
    /// The place holds the success variant (`is_some`, `is_ok`).
    Success(PlaceId),
    /// The atomic was read as this value, with this ordering.
    Flag(PlaceId, Name, i128),
    /// This bit of the atomic was read as set, with this ordering.
    Bit(PlaceId, Name, i128),
    /// A swap found the flag free (and set it).
    Taken(PlaceId),
    /// A swap with this ordering found the flag set, and took it back.
    TakenBack(PlaceId, Name),
    /// Nothing is left of what is counted down: this was the last.
    Last(PlaceId, Name),
    /// Its own step of the atomic, with this ordering, made it this number (`ANY_VALUE`: some number).
    Drawn(PlaceId, Name, i128),
    /// What paths that have met since said.
    Outcome(Rc<Outcome>),
    /// It is this round of a loop.
    Round(LoopId, i128),
    /// The claimed number that this read found is less than this.
    Below(ReadId, i128),
    /// The atomic was read as having reached this number (`ANY_VALUE`: some bound), with this ordering.
    Reached(PlaceId, Name, i128),
}

/// A set of alternatives with a type and dependences.
#[derive(PartialEq, Debug)]
pub struct Val {
    pub ty: Ty,
    pub alts: SmallVec<[Kind; 1]>,
    /// Something else is possible too.
    pub open: bool,
    pub deps: Deps,
    /// The number it is, over the reads it was computed from; `None` for a constant and where it isn't known.
    pub term: Option<Rc<Term>>,
}

impl Clone for Val {
    fn clone(&self) -> Val {
        let alts = match &self.alts[..] {
            [] => SmallVec::new(),
            // Most values have one; copied in place.
            [one] => SmallVec::from_buf([one.clone()]),
            several => several.iter().cloned().collect(),
        };
        let (ty, deps, term) = (self.ty.clone(), self.deps.clone(), self.term.clone());
        Val { ty, alts, open: self.open, deps, term }
    }
}

impl Val {
    pub fn unknown(ty: Ty) -> Val {
        Val { ty, alts: SmallVec::new(), open: true, deps: Deps::default(), term: None }
    }

    /// The value of code that is never reached.
    pub fn bottom() -> Val {
        Val { ty: Ty::Never, alts: SmallVec::new(), open: false, deps: Deps::default(), term: None }
    }

    pub fn unit() -> Val {
        Val::unknown(Ty::unit())
    }

    pub fn of(kind: Kind, ty: Ty) -> Val {
        Val { ty, alts: SmallVec::from_buf([kind]), open: false, deps: Deps::default(), term: None }
    }

    pub fn bool(value: bool) -> Val {
        super::expr::literal(&Lit::Bool(value))
    }

    pub fn pointer(place: PlaceId, how: Pointer, ty: Ty) -> Val {
        Val::of(Kind::Pointer(place, how), ty)
    }

    pub fn aggregate(variant: Option<Name>, fields: Vec<(Proj, Val)>, ty: Ty) -> Val {
        Val::of(Kind::Aggregate(Rc::new(Aggregate { variant, fields })), ty)
    }

    pub fn moved() -> Val {
        Val::of(Kind::Moved, Ty::Unknown)
    }

    pub fn with_deps(mut self, deps: &Deps) -> Val {
        self.deps = self.deps.join(deps);
        self
    }

    pub fn is_bottom(&self) -> bool {
        self.alts.is_empty() && !self.open
    }

    /// The one alternative, if there is exactly one and nothing else is possible.
    pub fn single(&self) -> Option<&Kind> {
        match &self.alts[..] {
            [kind] if !self.open => Some(kind),
            _ => None,
        }
    }

    pub fn constant(&self) -> Option<&Const> {
        match self.single() {
            Some(Kind::Const(c)) => Some(c),
            _ => None,
        }
    }

    /// The number it is, as a term: its own, or that of a constant.
    pub fn symbol(&self) -> Option<Rc<Term>> {
        match &self.term {
            Some(term) => Some(term.clone()),
            None => self.constant().and_then(number).map(|n| Rc::new(Term::Const(n))),
        }
    }

    pub fn with_term(mut self, term: Option<Rc<Term>>) -> Val {
        self.term = term;
        self
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.constant() {
            Some(Const::Bool(b)) => Some(*b),
            _ => None,
        }
    }

    pub fn pointers(&self) -> impl Iterator<Item = (PlaceId, Pointer)> + '_ {
        self.alts.iter().filter_map(|kind| match kind {
            Kind::Pointer(place, how) => Some((*place, *how)),
            _ => None,
        })
    }

    /// All reads that the value or something inside it depends on, and the constants that it is made of.
    pub fn all_deps(&self) -> Deps {
        let mut deps = self.deps.clone();
        for kind in &self.alts {
            match kind {
                Kind::Const(constant) => deps = deps.with_constant(constant),
                Kind::Aggregate(aggregate) => {
                    for (_, field) in &aggregate.fields {
                        deps = deps.join(&field.all_deps());
                    }
                }
                _ => {}
            }
        }
        deps
    }

    /// Forgets what lies deeper than `depth` aggregates.
    pub fn bound_depth(&mut self, depth: u32) {
        for kind in &mut self.alts {
            if let Kind::Aggregate(aggregate) = kind {
                if depth == 0 {
                    self.open = true;
                    *kind = Kind::Aggregate(Rc::new(Aggregate {
                        variant: aggregate.variant,
                        fields: Vec::new(),
                    }));
                } else if aggregate
                    .fields
                    .iter()
                    .any(|(_, f)| f.alts.iter().any(|k| matches!(k, Kind::Aggregate(_))))
                {
                    let mut bounded = (**aggregate).clone();
                    bounded.fields.iter_mut().for_each(|(_, f)| f.bound_depth(depth - 1));
                    *kind = Kind::Aggregate(Rc::new(bounded));
                }
            }
        }
    }

    pub fn join(&self, other: &Val) -> Val {
        if self.is_bottom() {
            let mut joined = other.clone();
            joined.deps = joined.deps.join(&self.deps);
            return joined;
        }
        if other.is_bottom() {
            return self.clone().with_deps(&other.deps);
        }
        let mut joined = self.clone();
        joined.deps = joined.deps.join(&other.deps);
        joined.open |= other.open;
        if self.term.is_some() || other.term.is_some() {
            joined.term = self.symbol().filter(|term| other.symbol().as_ref() == Some(term));
        }
        if joined.ty.is_unknown() || joined.ty == Ty::Never {
            joined.ty = other.ty.clone();
        }
        for kind in &other.alts {
            joined.add(kind);
        }
        joined
    }

    fn add(&mut self, kind: &Kind) {
        if self.alts.contains(kind) {
            return;
        }
        if let Kind::Guard(new) = kind {
            // One guard on all paths, whichever acquisition it came from.
            let same = |k: &Kind| matches!(k, Kind::Guard(old) if (old.lock, old.data, old.mode, old.pending) == (new.lock, new.data, new.mode, new.pending));
            if let Some(Kind::Guard(old)) = self.alts.iter_mut().find(|k| same(k)) {
                if old.hold != new.hold {
                    let hold = old.hold.or(new.hold);
                    *old = Rc::new(GuardValue { hold, ..(**old).clone() });
                }
                return;
            }
        }
        if let Kind::Aggregate(new) = kind {
            for slot in &mut self.alts {
                if let Kind::Aggregate(old) = slot
                    && old.variant == new.variant
                {
                    *slot = Kind::Aggregate(Rc::new(join_aggregates(old, new)));
                    return;
                }
            }
        }
        if self.alts.len() < MAX_ALTS {
            self.alts.push(kind.clone());
        } else {
            self.open = true;
        }
    }
}

fn join_aggregates(a: &Aggregate, b: &Aggregate) -> Aggregate {
    let mut fields = a.fields.clone();
    for (proj, value) in &b.fields {
        match fields.iter_mut().find(|(p, _)| p == proj) {
            Some(slot) => slot.1 = slot.1.join(value),
            None => fields.push((*proj, value.clone())),
        }
    }
    // A variant tells what it tells on all paths.
    if a.variant.is_some() {
        let told = super::told::told_at();
        fields.retain(|(p, _)| *p != told || (a.field(told).is_some() && a.field(told) == b.field(told)));
    }
    Aggregate { variant: a.variant, fields }
}
