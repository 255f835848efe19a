//! Where programs begin: the entries whose contexts meet, and initializers that run by themselves.

use super::contexts::{Context, ContextId, Entry};
use super::declared::{EntryPoint, declared, declared_on, revoked};
use super::handles::is_only_sent;
use super::memory::Lval;
use super::places::{PlaceId, Proj};
use super::scopes::ScopeKind;
use super::state::State;
use super::values::{Kind, Mode, Pointer, Val};
use super::{CalleeKey, Cx, Frame, Interp};
use crate::finding::{ContextKind, Evidence};
use crate::hir::{ExprId, SelfParam};
use crate::models::Models;
use crate::project::TargetKind;
use crate::project::cfg::When;
use crate::resolve::{FnId, Program, ResolvedBody, StaticId, Ty};
use std::rc::Rc;
use std::sync::Arc;

/// The entries of one linked program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProgramEntries {
    pub kind: ProgramKind,
    /// An example's or a benchmark's: it shows how others are used.
    pub shows: bool,
    pub entries: Vec<EntryPoint>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ProgramKind {
    Main,
    Tests,
    /// A library's public functions: whoever calls them.
    Callers,
}

/// The programs of a group, each a set of entries: first those that cost least, last those that show how the others
/// are used.
pub fn programs(program: &Program, models: &Models) -> Vec<ProgramEntries> {
    let mut found = Vec::new();
    for (at, krate) in program.crates.iter().enumerate() {
        let (mut mains, mut tests, mut callers) = (Vec::new(), Vec::new(), Vec::new());
        for (n, def) in program.fns.iter().enumerate() {
            if program.krate(def.module).0 as usize != at || def.item.body.is_none() {
                continue;
            }
            let id = FnId(n as u32);
            let is_main = def.module == krate.root
                && def.name == "main"
                && def.owner == crate::resolve::Owner::Module
                && def.when != When::TestOnly;
            match declared(program, models, id, is_main.then_some(ContextKind::Main)) {
                Some(entry) if entry.kind == ContextKind::Test => tests.push(entry),
                Some(entry) => mains.push(entry),
                None if is_caller_entry(program, models, id) => {
                    callers.push(EntryPoint::new(id, ContextKind::Caller, true));
                }
                None => {}
            }
        }
        let own = |id: &StaticId| program.krate(program.statics[id.index()].module).0 as usize == at;
        for id in (0..program.statics.len() as u32).map(StaticId).filter(own) {
            let hooks = declared_on(program, models, id);
            for entries in [&mut tests, &mut callers].into_iter().filter(|entries| !entries.is_empty()) {
                entries.extend(hooks.iter().cloned());
            }
            mains.extend(hooks);
        }
        if let [.., _] = &mains[..] {
            let revoked = revoked(program, models, krate.root);
            mains.iter_mut().for_each(|entry| entry.holds.retain(|(name, _)| !revoked.contains(name)));
        }
        let kind = krate.source.kind;
        let shows = matches!(kind, TargetKind::Example | TargetKind::Bench);
        let has_main = mains.iter().any(|m| m.kind == ContextKind::Main);
        let runs_main = match kind {
            TargetKind::Bin | TargetKind::Example => true,
            TargetKind::Test | TargetKind::Bench => !krate.source.harness,
            TargetKind::Loose => true,
            // Others run what a library declares to them.
            TargetKind::Lib => !has_main,
            TargetKind::ProcMacro | TargetKind::BuildScript => false,
        };
        if runs_main && !mains.is_empty() {
            found.push(ProgramEntries { kind: ProgramKind::Main, shows, entries: mains });
        }
        if !tests.is_empty() && !krate.source.process_per_test {
            found.push(ProgramEntries { kind: ProgramKind::Tests, shows, entries: tests });
        }
        let library = kind == TargetKind::Lib || (kind == TargetKind::Loose && !has_main);
        if library && !callers.is_empty() {
            found.push(ProgramEntries { kind: ProgramKind::Callers, shows, entries: callers });
        }
    }
    found.sort_by_key(|program| (program.shows, program.kind != ProgramKind::Callers, program.kind));
    found
}

/// A safe public function that any threads may call at once; one that takes a handle exclusively, each thread with its own.
fn is_caller_entry(program: &Program, models: &Models, id: FnId) -> bool {
    let def = program.fn_def(id);
    let is_callable = def.public && !def.item.is_unsafe && def.when == When::Always;
    let alone = || match &def.sig(program).self_ty {
        Some(Ty::Ref { mutable: true, inner }) => match &**inner {
            Ty::Adt(adt, _) => !is_only_sent(program, models, *adt),
            _ => true,
        },
        _ => false,
    };
    let may_be_exclusive = !matches!(def.item.self_param, None | Some(SelfParam::Ref));
    is_callable && !(may_be_exclusive && alone())
}

impl Interp<'_> {
    /// Adds the contexts that a program starts with.
    pub(super) fn add_entries(&mut self, entries: &ProgramEntries) {
        let several = entries.entries.len() > 1;
        for entry in &entries.entries {
            let (id, kind) = (entry.function, entry.kind);
            let starts = self.relevance.starts_contexts(self.program, id);
            let matters = match kind {
                ContextKind::Main => starts || (several && self.relevance.shares_state(self.program, id)),
                ContextKind::Caller => {
                    starts
                        || self.relevance.opens_doors(self.program, id)
                        || self.relevance.shares_state(self.program, id)
                        || (self.relevance.acts(self.program, id) && self.takes_shared(id))
                }
                // Others share the object that it is called on.
                ContextKind::PythonCall | ContextKind::Hook => {
                    starts || self.relevance.acts(self.program, id)
                }
                _ => starts || self.relevance.shares_state(self.program, id),
            };
            if !matters {
                continue;
            }
            let evidence = match kind {
                ContextKind::Main | ContextKind::Test | ContextKind::Thread => Evidence::Spawned,
                _ => Evidence::Declared,
            };
            let name = self.program.fn_def(id).name.to_string();
            let spawned_at = self.program.fn_location(id);
            let runs = match entry.on {
                Some(on) => {
                    Entry::Value(Val::of(Kind::Fn(id, Rc::default()), Ty::Unknown), vec![self.lent(on)])
                }
                None => Entry::Fn(id),
            };
            let context =
                Context { evidence, many: entry.many, ..Context::new(kind, name, spawned_at, runs) };
            match self.contexts.add(None, context) {
                Some(id) => self.hold_from_start(id, entry),
                None => self.counts.cut += 1,
            }
        }
    }

    /// A parameter is an object that the library shows to be shared.
    fn takes_shared(&self, id: FnId) -> bool {
        let sig = self.program.sig(id);
        let behind =
            |ty: &Ty| self.pointer_ty(ty).is_some_and(|(_, inner)| self.shared_types.leads_to(&inner));
        sig.self_ty.iter().chain(&sig.params).any(behind)
    }

    /// A reference to a static.
    fn lent(&mut self, id: StaticId) -> Val {
        let lval = self.static_lval(id);
        self.pointer_to(&lval, Pointer::Shared)
    }

    fn hold_from_start(&mut self, id: ContextId, entry: &EntryPoint) {
        let mut holds: Vec<_> =
            entry.holds.iter().map(|(name, mode)| (self.process_place(*name), *mode)).collect();
        let executor = entry.single_threaded.then(|| self.own_executor(id));
        holds.extend(executor.map(|executor| (executor, Mode::Exclusive)));
        let context = self.contexts.get_mut(id);
        context.holds = holds;
        context.executor = executor;
    }

    /// The value of a static's initializer; what it does is not logged.
    pub(super) fn evaluate_initializer(&mut self, id: StaticId) -> Option<Val> {
        let body = self.program.static_init(id)?;
        self.evaluate_apart(body)
    }

    /// Evaluates a constant expression in a state of its own.
    pub(super) fn evaluate_apart(&mut self, body: Arc<ResolvedBody>) -> Option<Val> {
        if self.apart > 4 {
            return None;
        }
        self.apart += 1;
        let context = self.context;
        let key = (Err(context), ExprId(Arc::as_ptr(&body) as usize as u32), CalleeKey::Body);
        let frame = self.intern_frame(key, |depth| Frame {
            context,
            parent: None,
            called_at: None,
            function: None,
            captures: None,
            depth,
        });
        let cx = Cx { frame, body, subst: Rc::default() };
        let state = std::mem::replace(&mut self.st, State::entry(Default::default()));
        let exits = std::mem::take(&mut self.exits);
        let scopes = std::mem::take(&mut self.scopes);
        let loops = std::mem::take(&mut self.loops);
        let value = self.run_frame(&cx, None, |this| {
            let root = cx.body.body.root;
            this.eval(&cx, root)
        });
        self.loops = loops;
        self.scopes = scopes;
        self.exits = exits;
        self.st = state;
        self.apart -= 1;
        Some(value)
    }

    /// A `lazy_static!`-like static: its initializer runs at the first use.
    pub(super) fn initialize_lazy(&mut self, place: PlaceId, id: StaticId) {
        let Some(body) = self.program.static_init(id) else { return };
        let lval = Lval::one(place, Ty::Unknown);
        let context = self.context;
        let key = (Err(context), ExprId(id.0), CalleeKey::Body);
        let frame = self.intern_frame(key, |depth| Frame {
            context,
            parent: None,
            called_at: None,
            function: None,
            captures: None,
            depth,
        });
        if self.forcing.contains(&place) {
            return;
        }
        self.forcing.push(place);
        let cx = Cx { frame, body, subst: Rc::default() };
        self.within_once(&lval, |this| {
            this.run_frame(&cx, None, |this| {
                let root = cx.body.body.root;
                this.scoped(&cx, ScopeKind::Temporaries, |this| this.eval(&cx, root))
            })
        });
        self.acquire_once(&lval);
        self.forcing.pop();
    }

    /// A `LazyLock`: runs its closure if nobody has.
    pub(super) fn force_lazy(&mut self, cx: &Cx, expr: ExprId, place: PlaceId) {
        if self.forcing.contains(&place) {
            return;
        }
        self.forcing.push(place);
        let value = self.value_at(place);
        let init = super::memory::project(&value, Proj::Once);
        let lval = Lval::one(place, Ty::Unknown);
        let mut callees = Vec::new();
        self.callables(&init, &mut callees, 0);
        if !callees.is_empty() {
            let made = self.within_once(&lval, |this| this.call_value(cx, expr, init, Vec::new()));
            let ty = made.ty.clone();
            let content = self.places.step(place, Proj::Once, &ty);
            self.store_at(content, made, false);
        }
        self.acquire_once(&lval);
        self.forcing.pop();
    }

    /// `Drop::drop` of a value.
    pub(super) fn call_drop(&mut self, cx: &Cx, drop: FnId, owner: &Ty, this: Val) {
        let mut subst = crate::resolve::Subst::default();
        if let crate::resolve::Owner::Impl(id) = self.program.fn_def(drop).owner {
            self.program.unify(&self.program.impls[id.index()].self_ty, owner, &mut subst);
        }
        // Drops have no expression of their own: each dropped function counts as one call of the frame.
        let site = ExprId(0);
        self.enter_fn(cx, site, drop, subst, Some(this), Vec::new());
    }
}
