//! The kinds of effect a modelled function can have: a small expression over its arguments, evaluated by the walk.
//!
//! In: the words of a model's effect. Out: `OpName` with how many arguments each takes and which words it takes
//! literally. Invariant: an `Op` that `check` accepts needs no further look at its shape by who evaluates it.

use crate::hir::Name;
use std::ops::RangeInclusive;

/// An effect: nested applications, evaluated inside out; the outermost one's value is the result.
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// The receiver.
    SelfArg,
    /// An argument, from 0.
    Arg(usize),
    /// A word that an operation takes literally (`exclusive`, `thread`).
    Word(Name),
    Apply(OpName, Vec<Op>),
}

impl Op {
    /// The kind of step (`lock`, `cell`, `once`, ..) that a constructor wraps its content with.
    pub fn wraps(&self) -> Option<Name> {
        match self {
            Op::Apply(OpName::Wrap, args) => match args.first() {
                Some(Op::Word(word)) => Some(*word),
                _ => None,
            },
            _ => None,
        }
    }
}

macro_rules! op_names {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $arity:expr;)*) => {
        /// See each; arguments in parentheses, `?` after one that may be left out.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum OpName { $($(#[$doc])* $variant,)* }

        impl OpName {
            pub fn parse(text: &str) -> Option<OpName> {
                match text { $($text => Some(OpName::$variant),)* _ => None }
            }

            pub fn as_str(self) -> &'static str {
                match self { $(OpName::$variant => $text,)* }
            }

            /// How many arguments it takes, words included.
            pub fn arity(self) -> RangeInclusive<usize> {
                match self { $(OpName::$variant => $arity,)* }
            }
        }
    };
}

op_names! {
    /// The unit value.
    Unit = "unit", 0..=0;
    /// A fresh value that depends on the arguments of the call but doesn't touch them.
    Fresh = "fresh", 0..=0;
    /// The number 0.
    Zero = "zero", 0..=0;
    /// `false`
    Off = "off", 0..=0;
    /// The default of what the result holds: of its first type argument.
    Default = "default", 0..=0;
    /// A collection with nothing in it.
    Empty = "empty", 0..=0;
    /// (x, y, …) one after the other; the last one's value.
    Seq = "seq", 2..=8;
    /// (p) what a pointer points to, by value (also the pointer or handle itself if that is what is stored).
    Read = "read", 1..=1;
    /// (p, v) stores through a pointer.
    Write = "write", 2..=2;
    /// (p, v) stores through a pointer if nothing is there yet.
    Fill = "fill", 2..=2;
    /// (p) empties a collection: stores what is the same whatever was there.
    Clear = "clear", 1..=1;
    /// (p) reads and writes through a pointer in one call, nobody knows how.
    Update = "update", 1..=1;
    /// (p) reads through a pointer; the result is plain data.
    Observe = "observe", 1..=1;
    /// (p, v) stores, gives back the old value.
    Replace = "replace", 2..=2;
    /// (p, q) exchanges what two pointers point to.
    Swap = "swap", 2..=2;
    /// (step, p) pointer to a part: `cell`, `guarded`, `once`.
    Part = "part", 2..=2;
    /// (p) the pointer as a raw one. Of a guard or handle, as the next two: a pointer to what it gives access to.
    Raw = "raw", 1..=1;
    /// (p) the pointer as `&`; one made from a raw pointer stays raw.
    Shared = "shared", 1..=1;
    /// (p) the pointer as `&mut`; one made from a raw pointer stays raw.
    Exclusive = "exclusive", 1..=1;
    /// (p) pointer to the running context's own one, where several contexts get at theirs through one pointer.
    Own = "own", 1..=1;
    /// (what, key?) pointer to something the whole process has one of, by its name; or to one entry of it.
    Global = "global", 1..=2;
    /// (v) puts a value into a new object, gives a pointer that owns it.
    New = "new", 1..=1;
    /// (step, v?) a value that holds another as a part; without `v` nothing is there yet.
    Wrap = "wrap", 1..=2;
    /// (step, v) the part that a value holds, taken out of it.
    Unwrap = "unwrap", 2..=2;
    /// (v) as an enum value.
    Some = "some", 1..=1;
    Ok = "ok", 1..=1;
    None = "none", 0..=0;
    Err = "err", 1..=1;
    /// (a, b) one of them.
    Either = "either", 2..=2;
    Tuple = "tuple", 1..=8;
    /// (x) the payload of the success variant; the rest of the program runs only if there is one.
    Payload = "payload", 1..=1;
    /// (x) the payload of the success variant if there is one, nothing (bottom) otherwise; the path goes on.
    Inner = "inner", 1..=1;
    /// (v, w) v where it comes about, else w: what was waited for or taken on the way to v counts where v is seen.
    Attempt = "attempt", 2..=2;
    /// (v, w) one of them comes about: what was found out on the way to each counts where it is seen, and that of v where nobody looks.
    Outcome = "outcome", 2..=2;
    /// (name, v?) a variant of the enum that the result is of, with this payload or without one.
    Variant = "variant", 1..=2;
    /// (x, y) payload, or else y.
    PayloadOr = "payload_or", 2..=2;
    /// (x, f) payload, or else what the closure makes of the failure; not run if the success is sure.
    PayloadOrElse = "payload_or_else", 2..=2;
    /// (x) Some/Ok payload as an Option, mixed with None.
    Success = "success", 1..=1;
    /// (x, e) an Option as a Result, with `e` for None.
    OkOr = "ok_or", 2..=2;
    /// (p) whether the success variant is there: a condition.
    IsSuccess = "is_success", 1..=1;
    /// (p) whether it isn't.
    IsFailure = "is_failure", 1..=1;
    /// (p) the enum with a reference to the payload inside (`as_ref`, `as_mut`); as exclusive as `p`.
    PayloadRef = "payload_ref", 1..=1;
    /// (trait::function, p, v…) calls the impl that the program has of it for what `p` is or points to, or for its parts.
    Through = "through", 2..=5;
    /// (trait::function, p, v…) the same call, not made yet: what is started with it makes it.
    Later = "later", 2..=5;
    /// (trait::function, w, v…) calls the impl that the program has of it for the type that the result is wanted as; else `w`.
    Make = "make", 2..=5;
    /// (f, args…) runs a closure now.
    Call = "call", 1..=5;
    /// (f, args…) runs a closure now, or not.
    MaybeCall = "maybe_call", 1..=5;
    /// (c, f) Some of what the closure gives where a condition holds, None where it doesn't.
    IfTrue = "if_true", 2..=2;
    /// (x, f) maps the success payload.
    MapPayload = "map_payload", 2..=2;
    /// (x, f) maps the failure payload.
    MapFailure = "map_failure", 2..=2;
    /// (x, f) the closure's result (or `f` itself if it is no closure) replaces the success.
    AndThen = "and_then", 2..=2;
    /// (x, f) the closure's result (or `f` itself if it is no closure) replaces the failure.
    OrElse = "or_else", 2..=2;
    /// (p, i?) an element (that at the index), taken out.
    TakeElem = "take_elem", 1..=2;
    /// (p) the elements behind some index, taken out into another collection.
    Split = "split", 1..=1;
    /// (p, key) the element under a key of a map, taken out.
    TakeKey = "take_key", 2..=2;
    /// (p) a pointer to some element.
    ElemRef = "elem_ref", 1..=1;
    /// (p, i) a pointer to the element at an index.
    IndexRef = "index_ref", 2..=2;
    /// (p, key) a pointer to the element under a key of a map.
    KeyRef = "key_ref", 2..=2;
    /// (p) a pointer to the first element.
    First = "first", 1..=1;
    /// (p, n?) a pointer into an array, moved by a number of elements; without `n` nobody knows how far.
    Offset = "offset", 1..=2;
    /// (p, n) the pointer as one to a slice of this many elements.
    Block = "block", 2..=2;
    /// (p, n) the pointer, where this many elements from there on are touched.
    Span = "span", 2..=2;
    /// (p) how many elements a collection has: reads only that.
    Size = "size", 1..=1;
    /// (p, v) puts an element in; the value depends on what was there (whether it is new).
    Push = "push", 2..=2;
    /// (p, x) puts every element of an iterator or collection in.
    Extend = "extend", 2..=2;
    /// (p) iterator of pointers to disjoint shares of a slice.
    Shares = "shares", 1..=1;
    /// (p) a pointer to one share of a slice, disjoint from the others made by the same call.
    Share = "share", 1..=1;
    /// (x) iterator over a collection (given by value or pointer) or the iterator itself.
    Iter = "iter", 1..=1;
    /// (x) every element by value, taken out of the place (`drain`).
    DrainIter = "drain_iter", 1..=1;
    /// (kind, x, f?, g?) adds an adaptor: one of `STAGES`. `keyed` makes each element a pair of an unknown key and it,
    /// `values` keeps a pair's second part; `scan` and `fold` have the state (or what makes it) first, then the closure.
    Stage = "stage", 2..=4;
    /// (x, f) consumes an iterator, runs f on each element.
    Each = "each", 2..=2;
    /// (x, init, f) consumes with an accumulator.
    Fold = "fold", 3..=3;
    /// (x) consumes; the result depends on the elements.
    Drive = "drive", 1..=1;
    Compare = "compare", 1..=2;
    /// (x, f) consumes and may stop early, f on each element; plain data that depends on what f says.
    Search = "search", 2..=2;
    /// (x, f?) consumes and may stop early, f on a reference to each element; one of the elements, or None.
    Find = "find", 1..=2;
    /// (x) consumes into a collection of the elements.
    Collect = "collect", 1..=1;
    /// (x) next element of an iterator (given by value or pointer), or None.
    Next = "next", 1..=1;
    /// (f) an iterator whose elements a closure makes.
    IterFrom = "iter_from", 1..=1;
    /// (v) an iterator that gives the same value again and again.
    Repeat = "repeat", 1..=1;
    /// () an iterator that counts from 0.
    Counter = "counter", 0..=0;
    /// (p, ordering)
    AtomicLoad = "atomic_load", 2..=2;
    /// (p, v, ordering)
    AtomicStore = "atomic_store", 3..=3;
    /// (p, operation, v, ordering) gives the old value; with `apply`, `v` is a closure from the old to the new one.
    AtomicUpdate = "atomic_update", 4..=4;
    /// (p, expected, new, success, failure)
    AtomicCas = "atomic_cas", 5..=5;
    /// The same, which may fail though it finds the value that it expects.
    AtomicCasWeak = "atomic_cas_weak", 5..=5;
    /// The same, giving the value that was there (`compare_and_swap`).
    AtomicCasOld = "atomic_cas_old", 5..=5;
    /// (p, f, set, fetch) compare-exchange loop around a closure.
    AtomicFetchUpdate = "atomic_fetch_update", 4..=4;
    /// (ordering)
    Fence = "fence", 1..=1;
    /// (p, mode) takes a lock, gives the guard.
    Lock = "lock", 2..=2;
    /// (p, mode) takes it if it is free: a guard that holds once the success is seen.
    TryLock = "try_lock", 2..=2;
    /// (p, mode, f) runs a closure under a lock, with a pointer to the data.
    WithLock = "with_lock", 3..=3;
    /// (guard, f) the same hold, giving access to what the closure's result points to.
    MapGuard = "map_guard", 2..=2;
    /// (guard, mode) the same hold in another mode, not given up between.
    Remode = "remode", 2..=2;
    /// (condvar, guard) gives the lock up and takes it again.
    Wait = "wait", 2..=2;
    /// (condvar, guard, f) the same, until a closure on the data says stop.
    WaitWhile = "wait_while", 3..=3;
    /// (condvar, guard, f) the same, but it may stop before.
    WaitAtMost = "wait_at_most", 3..=3;
    /// (v) ends a value.
    Drop = "drop", 1..=1;
    /// (v) the value, which is never dropped.
    Forget = "forget", 1..=1;
    /// (kind, f, options?) starts a context; gives a handle. `options` is a builder that may hold a name.
    Spawn = "spawn", 2..=3;
    /// (scope, f, options?) starts one that the scope joins.
    SpawnIn = "spawn_in", 2..=3;
    /// (kind, f, type, group?) runs f with a scope, a value of the type, in the group if one is given; joins all it started.
    Scope = "scope", 3..=4;
    /// (h) waits for a context's end; of a tuple of handles, for each.
    Join = "join", 1..=1;
    /// (kind, f, args…) runs many instances of a closure at once; all have ended afterwards.
    Run = "run", 2..=6;
    /// (x) the iterator, whose closures run in many instances at once where it is consumed.
    Parallel = "parallel", 1..=1;
    /// (kind, workers?) a set that contexts are started in; of one worker, they exclude each other.
    Group = "group", 1..=2;
    /// (group) waits for all that was started in it.
    JoinGroup = "join_group", 1..=1;
    /// (group) waits for one of them: its result, or None when there is none left.
    JoinNext = "join_next", 1..=1;
    /// (group) as its one worker, if it has only one: a guard.
    Enter = "enter", 1..=1;
    /// (p) waits until no other context has the object.
    JoinHolders = "join_holders", 1..=1;
    /// (group, f) runs a closure or future here, as one of the group.
    RunOn = "run_on", 2..=2;
    /// (f) waits for a future's result: it runs here.
    Await = "await", 1..=1;
    /// (f) runs a future here as `await` does; what is none is lent.
    Poll = "poll", 1..=1;
    /// (x, most?) runs all futures of an iterator at the same time, at most so many at once, in this task; a collection of their
    /// results.
    Gather = "gather", 1..=2;
    /// (p, f?) runs a closure with a lock, or that of a guard, given up.
    Without = "without", 1..=2;
    /// (p, mode) takes a lock that no guard gives back.
    Take = "take", 2..=2;
    /// (p) gives it back.
    Give = "give", 1..=1;
    /// (v) what the program's contexts are given where they ask for its type.
    Provide = "provide", 1..=1;
    /// (builder, name)
    SetName = "set_name", 2..=2;
    /// (p, f?) runs f (or the closure wrapped as `once`) the first time; a pointer to what it made.
    OnceCall = "once_call", 1..=2;
    /// (p, v) stores if nothing is there yet.
    OnceSet = "once_set", 2..=2;
    /// (p) a pointer to what is there.
    OnceGet = "once_get", 1..=1;
    /// () sender and receiver.
    Channel = "channel", 0..=0;
    /// (sender, v)
    Send = "send", 2..=2;
    /// (receiver) a value that was sent.
    Recv = "recv", 1..=1;
    RecvCopy = "recv_copy", 1..=1;
    /// (receiver) iterator over the values that were sent.
    RecvIter = "recv_iter", 1..=1;
    /// (receiver) iterator over the values that are there by now.
    RecvReady = "recv_ready", 1..=1;
    /// (receiver) all who could send have ended.
    Closed = "closed", 1..=1;
    /// (p) everybody waits for everybody.
    Barrier = "barrier", 1..=1;
    /// (p) what was done before is seen by who acquires after.
    Release = "release", 1..=1;
    Acquire = "acquire", 1..=1;
    /// () a handle of the running context.
    Current = "current", 0..=0;
    /// () waits for the running context's own token.
    Park = "park", 0..=0;
    /// (handle) gives a context its token.
    Unpark = "unpark", 1..=1;
    /// (v, type) the value, as one of the type.
    Typed = "typed", 2..=2;
    /// Doesn't come back.
    Diverge = "diverge", 0..=0;
    /// (operation, a, b) arithmetic on constants.
    Arith = "arith", 3..=3;
}

/// Parts of a value that the type's own methods lead to.
pub const STEPS: &[&str] = &["cell", "guarded", "once"];
/// Modes of a lock.
pub const MODES: &[&str] = &["exclusive", "shared"];
/// Iterator adaptors.
pub const STAGES: &[&str] = &[
    "map",
    "filter",
    "filter_map",
    "flat_map",
    "inspect",
    "enumerate",
    "zip",
    "chain",
    "partial",
    "step",
    "cloned",
    "flatten",
    "keyed",
    "values",
    "scan",
    "fold",
];
/// What `atomic_update` does to the value.
pub const UPDATES: &[&str] =
    &["add", "sub", "and", "nand", "or", "xor", "not", "max", "min", "swap", "apply"];
/// What `arith` knows.
pub const ARITHMETIC: &[&str] = &[
    "add",
    "sub",
    "mul",
    "div",
    "rem",
    "and",
    "or",
    "xor",
    "shl",
    "shr",
    "min",
    "max",
    "log2",
    "leading_zeros",
    "eq",
];
impl OpName {
    /// Position of the argument that is taken literally, and the words it may be.
    fn literal(self) -> Option<(usize, &'static [&'static str])> {
        match self {
            OpName::Part | OpName::Wrap | OpName::Unwrap => Some((0, STEPS)),
            OpName::Lock | OpName::TryLock | OpName::WithLock | OpName::Remode | OpName::Take => {
                Some((1, MODES))
            }
            OpName::Stage => Some((0, STAGES)),
            OpName::AtomicUpdate => Some((1, UPDATES)),
            OpName::Arith => Some((0, ARITHMETIC)),
            OpName::Spawn | OpName::Scope | OpName::Run | OpName::Group => {
                Some((0, super::text::SPAWN_KINDS))
            }
            _ => None,
        }
    }
}

impl Op {
    /// Whether the effect makes sense for a function with so many parameters; errs with what is wrong.
    pub fn check(&self, has_self: bool, params: usize) -> Result<(), String> {
        match self {
            Op::SelfArg if !has_self => Err("there is no `self`".to_owned()),
            Op::Arg(n) if *n >= params => Err(format!("there is no argument `a{n}`")),
            Op::SelfArg | Op::Arg(_) => Ok(()),
            Op::Word(word) => Err(format!("`{word}` is no operation")),
            Op::Apply(name, args) => {
                let arity = name.arity();
                if !arity.contains(&args.len()) {
                    let (least, most) = (arity.start(), arity.end());
                    let wanted =
                        if least == most { format!("{least}") } else { format!("{least} to {most}") };
                    return Err(format!("`{}` takes {wanted} arguments, not {}", name.as_str(), args.len()));
                }
                args.iter().enumerate().try_for_each(|(at, arg)| match (name.literal(), arg) {
                    (_, Op::Word(_)) if *name == OpName::Global && at == 0 => Ok(()),
                    (_, Op::Word(_)) if *name == OpName::Scope && at == 2 => Ok(()),
                    (_, Op::Word(_)) if *name == OpName::Typed && at == 1 => Ok(()),
                    (_, Op::Word(_)) if *name == OpName::Variant && at == 0 => Ok(()),
                    (_, Op::Word(_))
                        if matches!(name, OpName::Through | OpName::Later | OpName::Make) && at == 0 =>
                    {
                        Ok(())
                    }
                    (Some((n, words)), Op::Word(word)) if n == at && words.contains(&word.as_str()) => Ok(()),
                    (Some((n, words)), _) if n == at => Err(format!(
                        "argument {} of `{}` is one of {}",
                        at + 1,
                        name.as_str(),
                        words.join(", ")
                    )),
                    _ => arg.check(has_self, params),
                })
            }
        }
    }
}
