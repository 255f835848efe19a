//! Parallel iterators and other calls that run a closure in many instances at once and return when all have ended.
//!
//! In: a chain of adaptors where it is consumed. Out: one context for each closure in it, shown where that closure is
//! given; each walks the chain up to its own closure and logs only what that one does. Invariant: after the consuming
//! call all of them are joined.

use super::contexts::{Chain, Entry, Naming, Site};
use super::effects::Call;
use super::places::LoopId;
use super::spawn::Job;
use super::state::Reach;
use super::values::{HandleValue, IterValue, Kind, Stage, StageKind, Val};
use super::{CalleeKey, Cx, Frame, Interp};
use crate::hir::ExprId;
use crate::models::OpName;
use crate::resolve::Ty;
use std::rc::Rc;

impl Interp<'_> {
    /// Runs many instances of a closure at once.
    pub(super) fn run_many(&mut self, cx: &Cx, site: ExprId, word: &str, f: &Val, args: Vec<Val>) -> Val {
        let holds = self
            .st
            .locks
            .iter()
            .filter(|h| !h.yields && h.reach != Reach::Among)
            .map(|h| (h.lock, h.mode))
            .collect();
        let job = Job { args, many: true, holds, ..Job::of_word(word) };
        let handles = self.spawn(cx, site, &job, f);
        self.end_all(&handles);
        self.join(&handles)
    }

    fn end_all(&mut self, handles: &Val) {
        for kind in &handles.alts {
            if let Kind::Handle(handle) = kind {
                self.st.join_all(handle.context);
            }
        }
    }

    /// The iterator, from here on run in many instances.
    pub(super) fn made_parallel(&mut self, call: &Call, iter: Val) -> Val {
        let mut iter = self.iterate(call.cx, call.id, iter);
        for kind in &mut iter.alts {
            if let Kind::Iter(chain) = kind {
                *kind = Kind::Iter(Rc::new(IterValue { parallel: true, ..(**chain).clone() }));
            }
        }
        iter.ty = call.ret.clone();
        iter
    }

    /// What a consuming call of a parallel chain gives; `None` if the iterator isn't parallel.
    pub(super) fn consume_parallel(
        &mut self,
        call: &Call,
        name: OpName,
        iter: &Val,
        values: &[Val],
    ) -> Option<Val> {
        let (cx, id) = (call.cx, call.id);
        let iter = self.iterate(cx, id, iter.clone());
        let Some(Kind::Iter(chain)) = iter.single() else { return None };
        if !chain.parallel {
            return None;
        }
        let mut chain = (**chain).clone();
        let closure = values.last().cloned();
        let (kind, state) = match name {
            OpName::Each | OpName::Search => (StageKind::Map, None),
            OpName::Find => (StageKind::Filter, None),
            OpName::Fold => (StageKind::Fold, values.first().cloned()),
            _ => (StageKind::Map, None),
        };
        if closure.is_some() {
            let at = self.call_location(cx, id);
            chain.stages.push(Stage { kind, closure, state, at });
        }
        let item = self.drive_parallel(cx, id, chain).with_deps(&iter.deps);
        Some(match name {
            OpName::Find => {
                let ty = Ty::named(self.models.language.option, vec![item.ty.clone()]);
                let some = self.enum_value(self.names.some, item, ty);
                some.join(&Val::aggregate(Some(self.names.none), Vec::new(), Ty::Unknown))
            }
            OpName::Fold => item,
            OpName::Collect => {
                let element = super::places::Proj::Index(super::places::Index::Any);
                Val::aggregate(None, vec![(element, item)], Ty::Unknown)
            }
            _ => Val::unknown(Ty::Unknown),
        })
    }

    /// Runs each closure of the chain in many instances; what comes out at its end.
    fn drive_parallel(&mut self, cx: &Cx, site: ExprId, iter: IterValue) -> Val {
        self.escape(&Val::of(Kind::Iter(Rc::new(iter.clone())), Ty::Unknown));
        let at = LoopId { frame: cx.frame, expr: site };
        let holds: Vec<_> = self
            .st
            .locks
            .iter()
            .filter(|h| !h.yields && h.reach != Reach::Among)
            .map(|h| (h.lock, h.mode))
            .collect();
        let mut handles = Val { open: false, ..Val::unknown(Ty::Unknown) };
        let mut last = None;
        for (n, stage) in iter.stages.iter().enumerate() {
            let runs = stage.closure.as_ref().is_some_and(|c| self.is_callable(c));
            if !runs {
                continue;
            }
            let site = Site { cx: cx.clone(), expr: site };
            let entry = Entry::Chain(Rc::new(Chain { site, iter: iter.clone(), last: n }));
            let job = Job { which: n as u32, many: true, holds: holds.clone(), ..Job::of_word("parallel") };
            let named =
                stage.closure.as_ref().map_or(("closure".to_owned(), Naming::None), |c| self.name_of(c));
            self.loops.push(at);
            let id = self.start(cx, at.expr, &job, entry, named, stage.at);
            self.loops.pop();
            if let Some(context) = id {
                last = Some((n, context));
                handles.alts.push(Kind::Handle(HandleValue { context, each_of: None, part: None }));
            }
        }
        self.end_all(&handles);
        let Some((n, context)) = last else {
            let whole = Val::of(Kind::Iter(Rc::new(IterValue { parallel: false, ..iter })), Ty::Unknown);
            return self.drive(cx, site, whole, true, |_, item| item);
        };
        let mut item = self.result_of(context).cloned().unwrap_or_else(|| Val::unknown(Ty::Unknown));
        for stage in &iter.stages[n + 1..] {
            item = self.staged(cx, site, at, stage, item);
        }
        item
    }

    fn is_callable(&mut self, value: &Val) -> bool {
        let mut found = Vec::new();
        self.callables(value, &mut found, 0);
        !found.is_empty()
    }

    fn name_of(&mut self, closure: &Val) -> (String, Naming) {
        let mut found = Vec::new();
        self.callables(closure, &mut found, 0);
        found.first().map_or(("closure".to_owned(), Naming::None), |callee| self.context_name(callee, None))
    }

    /// One element through the chain, up to the closure that this context is.
    pub(super) fn walk_chain(&mut self, context: super::contexts::ContextId, chain: &Chain) -> Val {
        let Site { cx, expr } = &chain.site;
        let frame = self.intern_frame((Err(context), *expr, CalleeKey::Body), |depth| Frame {
            context,
            parent: None,
            called_at: None,
            function: None,
            captures: None,
            depth,
        });
        let at = LoopId { frame: cx.frame, expr: *expr };
        let inner = Cx { frame, ..cx.clone() };
        let stages = chain.iter.stages.get(..=chain.last).unwrap_or_default();
        self.run_frame(&inner, None, |this| {
            let stepped = chain.iter.stages.iter().take(1).filter(|stage| stage.kind == StageKind::Step);
            let source = IterValue { stages: stepped.cloned().collect(), ..chain.iter.clone() };
            let mut item = this.item_of(&inner, *expr, at, &source);
            for (n, stage) in stages.iter().enumerate() {
                if !this.st.reachable {
                    return Val::bottom();
                }
                this.muted = n < chain.last;
                item = this.staged(&inner, *expr, at, stage, item);
                this.muted = false;
            }
            item
        })
    }
}
