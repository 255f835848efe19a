//! The kinds of effect a modelled function can have: a small expression over its arguments, evaluated by the walk.

use crate::hir::Name;

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

macro_rules! op_names {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// See each; arguments in parentheses.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum OpName { $($(#[$doc])* $variant,)* }

        impl OpName {
            pub fn parse(text: &str) -> Option<OpName> {
                match text { $($text => Some(OpName::$variant),)* _ => None }
            }
        }
    };
}

op_names! {
    /// The unit value.
    Unit = "unit",
    /// A fresh value that depends on the arguments but doesn't touch them.
    Fresh = "fresh",
    /// (p) what a pointer points to, by value (also the pointer or handle itself if that is what is stored).
    Read = "read",
    /// (p, v) stores through a pointer.
    Write = "write",
    /// (p) reads and writes through a pointer in one call, nobody knows how.
    Update = "update",
    /// (p) reads through a pointer; the result is plain data.
    Observe = "observe",
    /// (p, v) stores, gives back the old value.
    Replace = "replace",
    /// (p, q) exchanges what two pointers point to.
    Swap = "swap",
    /// (step, p) pointer to a part: `cell`, `guarded`, `once`.
    Part = "part",
    /// (p) the pointer as a raw one.
    Raw = "raw",
    /// (p) the pointer as `&`.
    Shared = "shared",
    /// (p) the pointer as `&mut`.
    Exclusive = "exclusive",
    /// (v) puts a value into a new object, gives a pointer that owns it.
    New = "new",
    /// (step, v) a value that holds another as a part.
    Wrap = "wrap",
    /// (v) as an enum value.
    Some = "some",
    Ok = "ok",
    None = "none",
    Err = "err",
    /// (a, b) one of them.
    Either = "either",
    Tuple = "tuple",
    /// (x) the payload of the success variant; the rest of the program runs only if there is one.
    Payload = "payload",
    /// (x, y) payload, or else y.
    PayloadOr = "payload_or",
    /// (x) Some/Ok payload as an Option, mixed with None.
    Success = "success",
    /// (x) whether the success variant is there: a condition.
    IsSuccess = "is_success",
    /// (x) whether it isn't.
    IsFailure = "is_failure",
    /// (p) a reference to the payload inside (`as_ref`, `as_mut`).
    PayloadRef = "payload_ref",
    /// (f, args…) runs a closure now.
    Call = "call",
    /// (f, args…) runs a closure now, or not.
    MaybeCall = "maybe_call",
    /// (x, f) maps the success payload.
    MapPayload = "map_payload",
    /// (x, f) the closure's result replaces the success.
    AndThen = "and_then",
    /// (x, f) the closure's result replaces the failure.
    OrElse = "or_else",
    /// (p) an element, taken out.
    TakeElem = "take_elem",
    /// (p) a pointer to some element.
    ElemRef = "elem_ref",
    /// (p, i) a pointer to the element at an index.
    IndexRef = "index_ref",
    /// (p, v) puts an element in.
    Push = "push",
    /// (p) pointers to disjoint shares of a slice, one each time.
    Shares = "shares",
    /// (x) iterator over a collection (given by value or pointer) or the iterator itself.
    Iter = "iter",
    /// (x) every element by value, taken out of the place (`drain`).
    DrainIter = "drain_iter",
    /// (kind, x, f) adds an adaptor: `map`, `filter`, `filter_map`, `flat_map`, `inspect`, `enumerate`, `zip`, `chain`, `partial`, `cloned`, `flatten`.
    Stage = "stage",
    /// (x, f) consumes an iterator, runs f on each element.
    Each = "each",
    /// (x, init, f) consumes with an accumulator.
    Fold = "fold",
    /// (x) consumes; the result depends on the elements.
    Drive = "drive",
    /// (x, f) consumes and may stop early, f on each element.
    Search = "search",
    /// (x) consumes into a collection of the elements.
    Collect = "collect",
    /// (p) next element of an iterator, or None.
    Next = "next",
    /// (f) an iterator whose elements a closure makes.
    IterFrom = "iter_from",
    AtomicLoad = "atomic_load",
    AtomicStore = "atomic_store",
    /// (p, operation, v, ordering)
    AtomicUpdate = "atomic_update",
    /// (p, expected, new, success, failure)
    AtomicCas = "atomic_cas",
    /// (p, f) compare-exchange loop around a closure.
    AtomicFetchUpdate = "atomic_fetch_update",
    /// (ordering)
    Fence = "fence",
    /// (p, mode) takes a lock, gives the guard.
    Lock = "lock",
    /// (p, mode) takes it if it is free: a guard that holds once the success is seen.
    TryLock = "try_lock",
    /// (p, mode, f) runs a closure under a lock, with a pointer to the data.
    WithLock = "with_lock",
    /// (condvar, guard) gives the lock up and takes it again.
    Wait = "wait",
    /// (condvar, guard, f) the same, until a closure on the data says stop.
    WaitWhile = "wait_while",
    /// (v) ends a value.
    Drop = "drop",
    /// (v) a value is never dropped.
    Forget = "forget",
    /// (kind, f, options) starts a context; gives a handle. `options` is a builder that may hold a name.
    Spawn = "spawn",
    /// (scope, f, options) starts one that the scope joins.
    SpawnIn = "spawn_in",
    /// (kind, f) runs f with a scope; joins all it started.
    Scope = "scope",
    /// (h) waits for a context's end.
    Join = "join",
    /// (builder, name)
    SetName = "set_name",
    /// (p, f) runs f the first time; a pointer to what it made.
    OnceCall = "once_call",
    /// (p, v) stores if nothing is there yet.
    OnceSet = "once_set",
    /// (p) waits for or gets what is there.
    OnceGet = "once_get",
    /// () sender and receiver.
    Channel = "channel",
    Send = "send",
    Recv = "recv",
    /// (p) everybody waits for everybody.
    Barrier = "barrier",
    /// (p) what was done before is seen by who acquires after.
    Release = "release",
    Acquire = "acquire",
    /// () the thread's own park token; (handle).
    Park = "park",
    Unpark = "unpark",
    /// Doesn't come back.
    Diverge = "diverge",
    /// (operation, a, b) arithmetic on constants.
    Arith = "arith",
}
