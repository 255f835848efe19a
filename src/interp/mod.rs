//! The abstract walk: runs the program as each context would, and writes down what touches shared places.
//!
//! In: a resolved group (`resolve::Program`) and the models. Out: `Analysis`: contexts, places, and per context the
//! accesses with the locks held and the moment (`order`). Rules compare those; nothing here knows a rule.
//!
//! Method. An entry's body is interpreted statement by statement over an abstract `State`; calls enter the callee
//! with its abstract arguments, so closures, guards and handles pass through helpers without special cases. Locals
//! are flow-sensitive; what shared objects hold is one growing, flow-insensitive heap, and a context is walked again where what it
//! read of it (`facts`) has grown since. Spawning adds a context, walked in turn.
//!
//! Bounds (each hit is counted in `Analysis::cut`): call depth, recursion, loop rounds, steps per entry and program,
//! contexts, rounds of walking again. A walk that is cut accuses nobody (`fixpoint`): bounds lose findings and never invent them.

pub mod access;
pub mod acts;
pub mod auto_traits;
pub mod claims;
pub mod contexts;
pub mod listed;
pub mod order;
pub mod places;
pub mod state;
pub mod terms;
pub mod values;

mod arithmetic;
mod at_hand;
mod bits;
mod calls;
mod chains;
mod closures;
mod coercions;
mod condition;
mod contents;
mod costs;
mod counters;
mod counting;
mod declared;
pub mod deps;
mod doors;
mod effects;

mod entering;
mod entries;
pub mod env;
mod escape;
mod expr;
mod facts;
mod fixpoint;
mod flow;
mod grants;
mod hand_barriers;
mod hand_locks;
mod handed_elements;
pub mod handles;
mod induction;
mod iterate;
mod links;
mod logging;
mod loops;
mod memory;
mod mentions;
mod method;
pub mod numbers;
mod once;
mod operators;
mod parallel;
mod pattern;
mod phases;
mod places_of;
mod portions;
mod publish;
mod quiet;
mod reach;
mod recursion;
mod relevance;
mod remembered;
mod same;
mod scopes;
pub mod shared;
mod shown_shared;
mod spawn;
mod stand_ins;
mod switches;
mod tasks;
mod tokens;
mod told;
mod trait_calls;
mod units;
mod unknown_calls;
mod uses;
mod walk;
mod words;

use crate::finding::Location;
use crate::hir::{ExprId, Name, TextRange};
use crate::models::{FnModelId, Models};
use crate::resolve::{FnId, LocalId, Program, ResolvedBody, Subst, Ty};
pub use entries::{ProgramEntries, ProgramKind, programs};
pub use fixpoint::{Budget, Share};
pub use relevance::Relevance;

use access::MomentId;
use contexts::{ContextId, Contexts};
use places::{FrameId, LoopId, ObjId, PlaceId, Places, Root};
use rustc_hash::{FxHashMap, FxHashSet};
use shown_shared::SharedTypes;
use state::{Exit, Moment, State};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use values::{Const, Deps, HoldId, Pointer, ReadId, Val};

/// What the walk found.
pub struct Analysis {
    pub places: Places,
    pub contexts: Contexts,
    pub frames: Frames,
    pub objects: Objects,
    pub moments: Vec<Rc<Moment>>,
    pub locals: LocalNames,
    /// The atomic that an object was first published through.
    pub published: FxHashMap<PlaceId, PlaceId>,
    /// Objects that may have been made reachable for several contexts at once, as far as stores and messages do that.
    pub spread: FxHashSet<PlaceId>,
    /// Where contexts were suspended.
    pub awaits: FxHashSet<(FrameId, Location)>,
    /// Instances handed in by callers that have a part which may be their lock, of a type that nobody knows.
    pub self_guarded: FxHashSet<PlaceId>,
    /// Instances handed in by callers whose type isn't `Sync`: only what a call starts shares them with it.
    pub unshared: FxHashSet<PlaceId>,
    /// Objects that others than who made them may reach.
    pub escaped: FxHashSet<ObjId>,
    /// Of these the ones of which callers may have several handles.
    pub multiplied: FxHashSet<PlaceId>,
    /// Lists that hand out numbers.
    pub lists: numbers::Lists,
    /// What depends on a value that only the caller who handed it in has.
    pub keys: FxHashSet<ReadId>,
    /// Of the locks those that stand for a proof that something was done before.
    pub witnesses: FxHashSet<PlaceId>,
    /// What a library shows to be shared.
    pub shared_types: SharedTypes,
    /// What roots hold at first.
    initial: FxHashMap<Root, Val>,
    /// The same of the places that were asked for.
    asked: RefCell<FxHashMap<PlaceId, Option<Val>>>,
    /// Some context passes a fence that acquires.
    pub fences: bool,
    /// How often a loop's body runs, where that is known.
    pub rounds: FxHashMap<LoopId, u32>,
    /// What the counters of loops go through, where that is known: from the first number on, up to the second, exclusive.
    pub bounds: FxHashMap<LoopId, (i128, i128)>,
    /// The same where the ends are numbers that nobody knows but that are always the same.
    pub spans: FxHashMap<LoopId, units::Span>,
    pub written: listed::WrittenLists,
    /// The flags that barriers made by hand open.
    pub hand_barriers: FxHashSet<PlaceId>,
    /// Of a loop over elements what belongs to one of them, and so to one round.
    pub apart: FxHashSet<(Root, LoopId)>,
    /// What was computed from numbers that atomics gave out.
    pub claims: claims::Claims,
    /// Loops that stand for the levels of a recursion: their counters start at 0.
    pub recursions: FxHashSet<LoopId>,
    pub counts: Counts,
}

impl Analysis {
    /// What a place holds at first, where it is known.
    pub fn initial_value(&self, place: PlaceId) -> Option<Const> {
        self.held_first(place)?.constant().cloned()
    }

    /// The same as a test of a flag compares it: taken to be 0 where nothing is known.
    fn initial_flag(&self, place: PlaceId) -> i128 {
        self.held_first(place).as_ref().and_then(told::state_value).unwrap_or(0)
    }

    fn held_first(&self, place: PlaceId) -> Option<Val> {
        let found = || memory::held_first(&self.initial, &self.places, place);
        self.asked.borrow_mut().entry(place).or_insert_with(found).clone()
    }

    /// The same as a number; a truth value is 0 or 1.
    pub fn initial(&self, place: PlaceId) -> Option<i128> {
        self.initial_value(place).as_ref().and_then(terms::number)
    }
}

/// Blind spots and bounds.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    pub unresolved_calls: u64,
    pub unresolved_methods: u64,
    pub opaque_macros: u64,
    pub cut: u64,
    pub steps: u64,
    /// Those of them that were taken in walks that were cut short.
    pub in_vain: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.unresolved_calls += other.unresolved_calls;
        self.unresolved_methods += other.unresolved_methods;
        self.opaque_macros += other.opaque_macros;
        self.cut += other.cut;
        self.steps += other.steps;
        self.in_vain += other.in_vain;
    }
}

/// The locals that were declared.
pub type LocalNames = FxHashMap<(FrameId, LocalId), LocalName>;

/// What a local is called, where it is declared, and whether it is `mut`.
#[derive(Clone, Copy, Debug)]
pub struct LocalName {
    pub name: Name,
    pub at: Location,
    pub mutable: bool,
}

/// One call on some call path.
#[derive(Clone)]
pub struct Frame {
    pub context: ContextId,
    pub parent: Option<FrameId>,
    /// The call: where, and of what.
    pub called_at: Option<Location>,
    pub function: Option<FnId>,
    /// A closure's body: the frame whose locals it uses, and which locals are its own.
    pub captures: Option<(FrameId, Rc<closures::ClosureInfo>)>,
    pub depth: u32,
}

#[derive(Default)]
pub struct Frames {
    pub list: Vec<Frame>,
    interned: FxHashMap<FrameKey, FrameId>,
}

/// Caller's frame (or context), the calling expression, and what it calls (a body may be entered for several alternatives).
type FrameKey = (Result<FrameId, ContextId>, ExprId, CalleeKey);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CalleeKey {
    Fn(FnId),
    Closure(FrameId, ExprId),
    Body,
}

impl Frames {
    pub fn get(&self, id: FrameId) -> &Frame {
        &self.list[id.0 as usize]
    }

    /// The call, the one that it was made in, and so on.
    pub fn outward(&self, from: FrameId) -> impl Iterator<Item = FrameId> + '_ {
        std::iter::successors(Some(from), |at| self.get(*at).parent)
    }
}

/// An allocation site on a call path.
#[derive(Clone, Debug)]
pub struct Object {
    pub frame: FrameId,
    pub site: Location,
    /// Loops round the allocation: one object a round.
    pub loops: Vec<LoopId>,
    /// The binding it was first given, for messages.
    pub name: Option<Name>,
    pub made: Made,
}

/// Who has an object of its own behind an allocation site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Made {
    /// Each context that comes there.
    ByContext,
    /// There is one, whichever context was seen to make it: a static's, or one that contexts are given from outside.
    Once,
    /// Each thread: it is made in a thread-local's initializer.
    ByThread,
}

#[derive(Default)]
pub struct Objects {
    pub list: Vec<Object>,
    interned: FxHashMap<(FrameId, ExprId, u32), ObjId>,
    /// By type.
    ambient: FxHashMap<Ty, ObjId>,
}

/// Where a piece of code is walked: the call, its body and what generics stand for there.
#[derive(Clone)]
pub struct Cx {
    pub frame: FrameId,
    pub body: Arc<ResolvedBody>,
    pub subst: Rc<Subst>,
}

impl Cx {
    pub fn location(&self, range: TextRange) -> Location {
        Location { file: self.body.file, range }
    }
}

/// The walk of one group.
pub struct Interp<'p> {
    pub program: &'p Program,
    pub models: &'p Models,
    places: Places,
    contexts: Contexts,
    frames: Frames,
    objects: Objects,
    moments: Vec<Rc<Moment>>,
    moment_ids: FxHashMap<Rc<Moment>, MomentId>,
    /// Last interned moment: most accesses share it with the one before.
    last_moment: Option<(Rc<Moment>, MomentId)>,
    heap: facts::Heap,
    /// Locals that other contexts can reach.
    shared_locals: FxHashSet<(FrameId, LocalId)>,
    local_names: LocalNames,
    /// Objects that other contexts can reach.
    escaped: FxHashSet<ObjId>,
    /// A thread-local's initializer is evaluated.
    within_thread_local: bool,
    published: FxHashMap<PlaceId, PlaceId>,
    spread: FxHashSet<PlaceId>,
    /// When each object was made.
    made_at: FxHashMap<PlaceId, Rc<Moment>>,
    initial: FxHashMap<Root, Val>,
    /// What the counters of loops go through; `None` where that isn't always known.
    loop_bounds: FxHashMap<LoopId, Option<portions::Bounds>>,
    units: units::Units,
    written: listed::WrittenLists,
    hand_barriers: hand_barriers::HandBarriers,
    /// Objects behind counted handles, and the parts of objects that were stored to.
    counted: FxHashSet<Root>,
    rewritten: FxHashSet<PlaceId>,
    /// Loops that made a collection, one element in each round.
    collected: FxHashSet<LoopId>,
    claims: claims::Claims,
    /// How often a loop's body runs, where that is known.
    loop_rounds: FxHashMap<LoopId, u32>,
    recursions: FxHashSet<LoopId>,
    apart_in: FxHashSet<(Root, LoopId)>,
    relevance: &'p Relevance,
    closures: FxHashMap<(usize, ExprId), Rc<closures::ClosureInfo>>,
    /// Functions without an effect of their own.
    quiet: FxHashMap<FnId, bool>,
    /// What paths into libraries mean as functions, and as values.
    library_functions: FxHashMap<Name, Option<FnModelId>>,
    library_values: FxHashMap<Name, Val>,
    names: Known,
    counts: Counts,

    // What follows belongs to the context being walked.
    context: ContextId,
    st: State,
    exits: Vec<Exit>,
    scopes: Vec<scopes::Scope>,
    loops: Vec<LoopId>,
    /// What had been started and joined when a loop was last entered.
    loop_entries: FxHashMap<LoopId, Rc<Moment>>,
    stack: Vec<CallFrame>,
    steps: u64,
    /// What this program may take, and the step at which the entry under way has had its share.
    budget: Share,
    limit: u64,
    costs: costs::Costs,
    stand_ins: stand_ins::StandIns,
    /// Values from elsewhere, by where they come in: see `ReadId::elsewhere`.
    elsewhere: FxHashMap<(FrameId, u32), u32>,
    /// Of these the results of functions that nobody knows, with what each was given.
    unknown_results: FxHashMap<values::ReadId, unknown_calls::Given>,
    /// Parts of such values, by the whole and by the part.
    parts: FxHashMap<(values::ReadId, places::Proj), values::ReadId>,
    wholes: FxHashMap<values::ReadId, values::ReadId>,
    /// The same of the sets of them that were met in this walk, by where each is kept.
    part_sets: FxHashMap<(usize, places::Proj), unknown_calls::PartSet>,
    /// Of these the counters of loops.
    counters: FxHashMap<values::ReadId, LoopId>,
    /// How often each expression took a lock.
    taken_here: FxHashMap<(FrameId, ExprId, u32), u32>,
    /// What the content of objects that the context made depends on.
    contents: FxHashMap<Root, values::Deps>,
    /// Of holds of one of several locks: by way of which reads the locks were found.
    found_by_way: FxHashMap<HoldId, Deps>,
    /// Of holds of an atomic that was taken by setting one bit of it: the lock that this bit is.
    bits_taken: FxHashMap<HoldId, PlaceId>,
    /// Temporaries of the `let` being evaluated that live to the block's end.
    extended: Vec<(FrameId, ExprId)>,
    /// Scopes and other sets that contexts are started in.
    groups: FxHashMap<LoopId, spawn::Group>,
    /// The locks that stand for single-threaded executors.
    executors: FxHashSet<PlaceId>,
    awaits: FxHashSet<(FrameId, Location)>,
    unshared: FxHashSet<PlaceId>,
    lists: numbers::Lists,
    keys: FxHashSet<ReadId>,
    self_guarded: FxHashSet<PlaceId>,
    witnesses: FxHashSet<PlaceId>,
    shared_types: SharedTypes,
    /// What contexts are given where they ask for it by type.
    provided: Vec<Val>,
    fences: bool,
    /// The single-threaded executor that the context runs on.
    executor: Option<PlaceId>,
    /// Accesses are another context's, and not written down.
    muted: bool,
    /// All contexts ever started in a scope (`thread::scope`), also by its own threads.
    scope_members: FxHashMap<LoopId, std::collections::BTreeSet<ContextId>>,
    /// The `while let` whose condition is being evaluated: what it takes out is taken for each element.
    draining: Option<LoopId>,
    /// The branch being walked left with an error.
    refused: bool,
    /// Under way is what may not come about.
    attempting: bool,
    /// Library traits, and whether the program implements them by hand.
    implemented: FxHashMap<Name, bool>,
    /// Types that calls' values are wanted as.
    wanted: FxHashMap<(FrameId, ExprId), Ty>,
    /// What each round of a loop surely does with the element that it is for.
    each: Vec<loops::EachRound>,
    /// Channels that the loops being walked receive from.
    received_in: FxHashMap<LoopId, std::collections::BTreeSet<PlaceId>>,
    stopped: bool,
    /// Constant evaluations under way.
    apart: u32,
    /// Default values being made, one as a part of the other.
    defaults: u32,
    /// Which part of the outermost one: parts are objects of their own.
    default_part: u32,
    /// Lazy statics being initialized.
    forcing: Vec<PlaceId>,
}

/// A call being walked.
struct CallFrame {
    function: Option<FnId>,
    /// Returns collected so far.
    returned: Option<(State, Val)>,
    scopes: usize,
    /// The step at which it began.
    began: u64,
    /// What those round it owed then.
    owed: costs::Owed,
}

/// Names the walk compares with often.
struct Known {
    some: Name,
    none: Name,
    ok: Name,
    err: Name,
    seq_cst: Name,
}

impl Known {
    fn new() -> Known {
        Known {
            some: Name::new("Some"),
            none: Name::new("None"),
            ok: Name::new("Ok"),
            err: Name::new("Err"),
            seq_cst: Name::new("SeqCst"),
        }
    }
}

/// Walks everything that one program of the group runs, within `budget`.
pub fn analyse(
    program: &Program,
    models: &Models,
    relevance: &Relevance,
    entries: &ProgramEntries,
    budget: Share,
) -> Analysis {
    let mut interp = Interp {
        program,
        models,
        places: Places::default(),
        contexts: Contexts::default(),
        frames: Frames::default(),
        objects: Objects::default(),
        moments: Vec::new(),
        moment_ids: FxHashMap::default(),
        last_moment: None,
        heap: facts::Heap::default(),
        shared_locals: FxHashSet::default(),
        escaped: FxHashSet::default(),
        within_thread_local: false,
        local_names: FxHashMap::default(),
        initial: FxHashMap::default(),
        published: FxHashMap::default(),
        spread: FxHashSet::default(),
        made_at: FxHashMap::default(),
        loop_bounds: FxHashMap::default(),
        units: units::Units::default(),
        written: listed::WrittenLists::default(),
        hand_barriers: hand_barriers::HandBarriers::default(),
        counted: FxHashSet::default(),
        rewritten: FxHashSet::default(),
        collected: FxHashSet::default(),
        claims: Default::default(),
        loop_rounds: FxHashMap::default(),
        recursions: FxHashSet::default(),
        apart_in: FxHashSet::default(),
        relevance,
        closures: FxHashMap::default(),
        quiet: FxHashMap::default(),
        library_functions: FxHashMap::default(),
        library_values: FxHashMap::default(),
        names: Known::new(),
        counts: Counts::default(),
        context: ContextId(0),
        st: State::entry(Default::default()),
        exits: Vec::new(),
        scopes: Vec::new(),
        loops: Vec::new(),
        loop_entries: FxHashMap::default(),
        stack: Vec::new(),
        steps: 0,
        budget,
        limit: budget.steps,
        costs: Default::default(),
        stand_ins: Default::default(),
        elsewhere: FxHashMap::default(),
        unknown_results: FxHashMap::default(),
        parts: FxHashMap::default(),
        wholes: FxHashMap::default(),
        part_sets: FxHashMap::default(),
        counters: FxHashMap::default(),
        taken_here: FxHashMap::default(),
        contents: FxHashMap::default(),
        found_by_way: FxHashMap::default(),
        bits_taken: FxHashMap::default(),
        extended: Vec::new(),
        groups: FxHashMap::default(),
        executors: FxHashSet::default(),
        awaits: FxHashSet::default(),
        self_guarded: FxHashSet::default(),
        unshared: FxHashSet::default(),
        lists: numbers::Lists::default(),
        keys: FxHashSet::default(),
        witnesses: FxHashSet::default(),
        shared_types: match entries.kind {
            ProgramKind::Callers => SharedTypes::of(program, models),
            ProgramKind::Main | ProgramKind::Tests => SharedTypes::default(),
        },
        provided: Vec::new(),
        fences: false,
        executor: None,
        muted: false,
        scope_members: FxHashMap::default(),
        draining: None,
        refused: false,
        attempting: false,
        implemented: FxHashMap::default(),
        wanted: FxHashMap::default(),
        each: Vec::new(),
        received_in: FxHashMap::default(),
        stopped: false,
        apart: 0,
        defaults: 0,
        default_part: 0,
        forcing: Vec::new(),
    };
    interp.add_entries(entries);
    interp.walk_all();
    interp.settle_hooks();
    let hand_barriers = interp.settle_barriers();
    let many = |id| interp.contexts.ancestry(id).any(|at| interp.contexts.get(at).many);
    let spans = interp.units.spans(many);
    interp.claims.settle(&interp.contexts.list, |unit| interp.units.is_fixed(unit, many));
    let multiplied = interp.handles_multiplied();
    Analysis {
        places: interp.places,
        contexts: interp.contexts,
        frames: interp.frames,
        objects: interp.objects,
        moments: interp.moments,
        locals: interp.local_names,
        initial: interp.initial,
        asked: RefCell::default(),
        published: interp.published,
        spread: interp.spread,
        awaits: interp.awaits,
        self_guarded: interp.self_guarded,
        multiplied,
        unshared: interp.unshared,
        escaped: interp.escaped,
        lists: interp.lists,
        written: interp.written,
        hand_barriers,
        keys: interp.keys,
        witnesses: interp.witnesses,
        shared_types: interp.shared_types,
        fences: interp.fences,
        rounds: interp.loop_rounds,
        spans,
        bounds: interp.loop_bounds.into_iter().filter_map(|(at, bounds)| Some((at, bounds?))).collect(),
        recursions: interp.recursions,
        claims: interp.claims,
        apart: interp.apart_in,
        counts: interp.counts,
    }
}

impl<'p> Interp<'p> {
    fn intern_frame(&mut self, key: FrameKey, make: impl FnOnce(u32) -> Frame) -> FrameId {
        if let Some(&id) = self.frames.interned.get(&key) {
            return id;
        }
        let depth = key.0.map_or(0, |parent| self.frames.get(parent).depth + 1);
        let id = FrameId(self.frames.list.len() as u32);
        self.frames.list.push(make(depth));
        self.frames.interned.insert(key, id);
        id
    }

    /// The object allocated by this expression of this call. `which` tells several of one expression apart.
    fn object(&mut self, cx: &Cx, expr: ExprId, which: u32, range: TextRange) -> ObjId {
        self.object_at((cx.frame, expr, which), cx.location(range))
    }

    fn object_at(&mut self, key: (FrameId, ExprId, u32), site: Location) -> ObjId {
        if let Some(&id) = self.objects.interned.get(&key) {
            return id;
        }
        let id = ObjId(self.objects.list.len() as u32);
        let loops = self.loops.clone();
        let made = self.making();
        self.objects.list.push(Object { frame: key.0, site, loops, name: None, made });
        self.objects.interned.insert(key, id);
        id
    }

    /// What is made in a static's initializer is made once in the whole process, whoever comes here first.
    fn making(&self) -> Made {
        let of_static = |place: &PlaceId| matches!(self.places.get(*place).root, Root::Static(_));
        if self.within_thread_local {
            Made::ByThread
        } else if self.apart > 0 || self.st.moment.within.iter().any(of_static) {
            Made::Once
        } else {
            Made::ByContext
        }
    }

    /// Puts a value into a new object; the pointer that owns it.
    fn allocate(&mut self, cx: &Cx, expr: ExprId, which: u32, content: Val, how: Pointer, ty: Ty) -> Val {
        let range = cx.body.body.expr(expr).range;
        let object = self.object(cx, expr, which, range);
        let root = Root::Object(object);
        let place = self.places.root(root, &content.ty);
        self.unpublish(place);
        if how == Pointer::Counted {
            self.counted.insert(root);
        }
        self.starts_as(root, &content);
        if self.escaped.contains(&object) {
            self.escape(&content);
        }
        self.made_of(root, &content);
        self.grow_heap(root, content);
        Val::pointer(place, how, ty)
    }

    fn moment(&mut self) -> MomentId {
        if let Some((last, id)) = &self.last_moment
            && Rc::ptr_eq(last, &self.st.moment)
        {
            return *id;
        }
        let id = match self.moment_ids.get(&*self.st.moment) {
            Some(&id) => id,
            None => {
                let id = MomentId(self.moments.len() as u32);
                self.moments.push(self.st.moment.clone());
                self.moment_ids.insert(self.st.moment.clone(), id);
                id
            }
        };
        self.last_moment = Some((self.st.moment.clone(), id));
        id
    }
}
