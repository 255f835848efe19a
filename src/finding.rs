//! What a rule yields: a format-free value. `report` renders it, `rules` build it.
//!
//! Invariants: positions are (file, byte range); every access names a thread by index into `threads`; accesses and
//! threads are in source order, so the same program gives the same finding.

use crate::hir::TextRange;
use std::fmt;

/// A file of the run, index into `Report::files`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FileId(pub u32);

/// A place in the source text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Location {
    pub file: FileId,
    pub range: TextRange,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Level {
    Note,
    Warning,
    Error,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// How sure it is that the contexts meet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Evidence {
    /// Both are spawned in the analysed code (or are main, tests).
    Spawned,
    /// An attribute, a registration, a safe public API says so.
    Declared,
    /// Nothing shows it; only with `--pedantic`.
    Assumed,
}

impl Evidence {
    pub fn as_str(self) -> &'static str {
        match self {
            Evidence::Spawned => "spawned",
            Evidence::Declared => "declared",
            Evidence::Assumed => "assumed",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ContextKind {
    Main,
    Thread,
    Parallel,
    Task,
    Test,
    Interrupt,
    SignalHandler,
    RequestHandler,
    PythonCall,
    Hook,
    Caller,
}

impl ContextKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ContextKind::Main => "main",
            ContextKind::Thread => "thread",
            ContextKind::Parallel => "parallel",
            ContextKind::Task => "task",
            ContextKind::Test => "test",
            ContextKind::Interrupt => "interrupt",
            ContextKind::SignalHandler => "signal-handler",
            ContextKind::RequestHandler => "request-handler",
            ContextKind::PythonCall => "python-call",
            ContextKind::Hook => "hook",
            ContextKind::Caller => "caller",
        }
    }
}

/// A context that takes part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    /// Without backticks; "closure" where it has no name.
    pub name: String,
    pub kind: ContextKind,
    /// Several instances may run at once.
    pub many: bool,
    /// The function name in the call that takes the closure; for main, tests, handlers, callers the `fn`'s name.
    pub spawned_at: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum AccessKind {
    Read,
    Write,
    /// Read and write in one expression.
    Update,
}

impl AccessKind {
    pub fn as_str(self) -> &'static str {
        match self {
            AccessKind::Read => "read",
            AccessKind::Write => "write",
            AccessKind::Update => "update",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Access {
    /// Index into `Finding::threads`.
    pub thread: usize,
    pub kind: AccessKind,
    /// The atomic that it is an access of, if that isn't the finding's place.
    pub of: Option<String>,
    /// `Relaxed`, …: an atomic access with this ordering; `None`: a plain one.
    pub atomic: Option<&'static str>,
    /// An update by a call that changes what is there (`push`, `insert`), and doesn't put back what it read.
    pub in_place: bool,
    /// Locks held, by name.
    pub locks: Vec<String>,
    pub at: Location,
    /// The calls that lead from the context's entry to the access, outermost first.
    pub via: Vec<Via>,
}

/// A call on the way to an access.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Via {
    /// The called function.
    pub function: String,
    /// Where it is called.
    pub at: Location,
}

/// One step of a losing schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub thread: usize,
    /// Which instance of a many-context takes the step, from 0.
    pub instance: u32,
    /// `reads`, `writes`, `locks`, …
    pub does: String,
    /// The value, where known.
    pub value: Option<String>,
    pub at: Option<Location>,
}

/// Possible final values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcomes {
    /// Given by some serial order.
    pub ordered: Vec<String>,
    /// Only possible when an update is lost.
    pub lost: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    pub at: Location,
    pub insert: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fix {
    /// Keeps the meaning but for the race.
    pub safe: bool,
    pub edits: Vec<Edit>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    pub level: Level,
    pub evidence: Evidence,
    /// One sentence with the place and the threads' names in backticks.
    pub message: String,
    /// Why the code is held to be concurrent. Text with positions as `{0}`, `{1}`, … that index `because_at`;
    /// reports write them as `path:line`.
    pub because: String,
    pub because_at: Vec<Location>,
    /// The place's name: `stats::HITS`, `Type.field`, a binding.
    pub place: String,
    pub declared_at: Option<Location>,
    pub threads: Vec<Thread>,
    pub accesses: Vec<Access>,
    pub schedule: Vec<Step>,
    pub outcomes: Option<Outcomes>,
    pub help: String,
    pub fix: Option<Fix>,
    /// Stable under moved lines.
    pub fingerprint: String,
}

impl Finding {
    /// Calls `visit` for every position in it.
    pub fn each_location(&mut self, visit: &mut dyn FnMut(&mut Location)) {
        self.because_at.iter_mut().for_each(&mut *visit);
        self.declared_at.iter_mut().for_each(&mut *visit);
        self.threads.iter_mut().for_each(|t| visit(&mut t.spawned_at));
        for access in &mut self.accesses {
            visit(&mut access.at);
            access.via.iter_mut().for_each(|v| visit(&mut v.at));
        }
        self.schedule.iter_mut().filter_map(|s| s.at.as_mut()).for_each(&mut *visit);
        if let Some(fix) = &mut self.fix {
            fix.edits.iter_mut().for_each(|e| visit(&mut e.at));
        }
    }

    /// Where the finding is shown: the first access that writes, else the first access, else the declaration.
    pub fn primary(&self) -> Option<Location> {
        let writes =
            self.accesses.iter().find(|access| access.kind != AccessKind::Read && access.of.is_none());
        writes.or(self.accesses.first()).map(|access| access.at).or(self.declared_at)
    }
}

/// A file of the run.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// As given on the command line joined with what was walked, `/`-separated.
    pub path: String,
    pub text: std::sync::Arc<str>,
}

/// Something that went wrong in the run, for stderr and JSON `errors`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RunError {
    pub file: String,
    /// From 1; 0 where there is no line.
    pub line: u32,
    pub column: u32,
    pub message: String,
    /// The run couldn't do its work (exit code 2) rather than losing a part.
    pub fatal: bool,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)
        } else {
            write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
        }
    }
}

/// Counts of a run.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Summary {
    pub files: u64,
    pub lines: u64,
    pub functions: u64,
    pub contexts: u64,
    pub places: u64,
    pub suppressed: u64,
    /// Bounds that were hit: calls, loops, contexts not walked to the end, files or items skipped for depth.
    pub cut: u64,
    /// Blind spots, by kind (`unknown macros`, `unresolved calls`, …), for `--stats`.
    pub blind: Vec<(&'static str, u64)>,
    /// Seconds per room, for `--stats`.
    pub times: Vec<(&'static str, f64)>,
}

impl Summary {
    /// Adds the counts and times of another part of the run.
    pub fn add(&mut self, other: Summary) {
        self.files += other.files;
        self.lines += other.lines;
        self.functions += other.functions;
        self.contexts += other.contexts;
        self.places += other.places;
        self.suppressed += other.suppressed;
        self.cut += other.cut;
        for (name, count) in other.blind {
            match self.blind.iter_mut().find(|(n, _)| *n == name) {
                Some(slot) => slot.1 += count,
                None => self.blind.push((name, count)),
            }
        }
        for (name, seconds) in other.times {
            match self.times.iter_mut().find(|(n, _)| *n == name) {
                Some(slot) => slot.1 += seconds,
                None => self.times.push((name, seconds)),
            }
        }
    }
}

/// Answer to `--why PLACE`: lines of text with positions as in `Finding::because`.
#[derive(Clone, Default, Debug)]
pub struct Why {
    pub lines: Vec<(String, Vec<Location>)>,
}

/// What a run yields.
#[derive(Clone, Default, Debug)]
pub struct Report {
    pub findings: Vec<Finding>,
    pub files: Vec<SourceText>,
    pub errors: Vec<RunError>,
    pub summary: Summary,
    pub why: Option<Why>,
}
