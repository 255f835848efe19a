//! Control flow: blocks, branches and the exits out of them. Loops are in `loops`, what a test tells in `condition`.

use super::access::{AccessEvent, Effect};
use super::condition::Branches;
use super::contexts::Entry;
use super::pattern::Subject;
use super::places::FrameId;
use super::scopes::ScopeKind;
use super::state::{Exit, State};
use super::switches::Switch;
use super::values::{Deps, Kind, Val};
use super::{Cx, Interp};
use crate::finding::AccessKind;
use crate::hir::{Arm, Block, BlockKind, Edition, ExprId, ExprKind, Name, Pat, Stmt};
use crate::resolve::Ty;

impl Interp<'_> {
    pub(super) fn eval_block(&mut self, cx: &Cx, id: ExprId, block: &Block) -> Val {
        match block.kind {
            BlockKind::Async { is_move } => return self.async_block(cx, id, is_move),
            BlockKind::Try | BlockKind::Const | BlockKind::Plain | BlockKind::Unsafe => {}
        }
        if block.transparent {
            return self.statements(cx, block);
        }
        if block.label.is_none() {
            return self.scoped(cx, ScopeKind::Block, |this| this.statements(cx, block));
        }
        self.push_exit(block.label, false);
        let value = self.scoped(cx, ScopeKind::Block, |this| this.statements(cx, block));
        self.pop_exit(value)
    }

    pub(super) fn push_exit(&mut self, label: Option<Name>, is_loop: bool) {
        self.exits.push(Exit { label, is_loop, breaks: None, continues: None, scopes: self.scopes.len() });
    }

    /// Joins the breaks out of the innermost exit into the state.
    pub(super) fn pop_exit(&mut self, value: Val) -> Val {
        let exit = self.exits.pop().and_then(|exit| exit.breaks);
        match exit {
            None => value,
            Some((state, broken)) => {
                let value = if self.st.reachable { value.join(&broken) } else { broken };
                self.st.join(&state);
                value
            }
        }
    }

    fn statements(&mut self, cx: &Cx, block: &Block) -> Val {
        for stmt in &block.stmts {
            if !self.st.reachable {
                return Val::bottom();
            }
            match stmt {
                Stmt::Let { pat, ty, init, else_ } => self.eval_let(cx, pat, ty.as_ref(), *init, *else_),
                Stmt::Expr(expr) => self.eval_statement(cx, *expr),
            }
        }
        let Some(tail) = block.tail else { return Val::unit() };
        let value = |this: &mut Self| {
            let value = this.eval(cx, tail);
            this.outlasting(cx.frame, value)
        };
        if cx.body.edition >= Edition::E2024 {
            return self.scoped(cx, ScopeKind::Temporaries, value);
        }
        value(self)
    }

    pub(super) fn eval_statement(&mut self, cx: &Cx, expr: ExprId) {
        let transparent = matches!(&cx.body.body.expr(expr).kind, ExprKind::Block(b) if b.transparent);
        if transparent {
            self.eval(cx, expr);
            return;
        }
        self.scoped(cx, ScopeKind::Temporaries, |this| {
            let value = this.eval(cx, expr);
            if this.st.reachable && !this.is_place(cx, expr) {
                this.discard(cx, expr, &value);
                this.drop_value(cx, expr, value);
            }
        });
    }

    /// Nobody looks at a call's result: whatever it took out is taken unseen.
    fn discard(&mut self, cx: &Cx, expr: ExprId, value: &Val) {
        if value.deps.is_empty() {
            return;
        }
        let mut calls = Vec::new();
        let mut at = expr;
        while let ExprKind::MethodCall { receiver, args, .. } = &cx.body.body.expr(at).kind
            && args.is_empty()
        {
            calls.push(cx.location(cx.body.body.expr(at).range));
            at = *receiver;
        }
        let log = &mut self.contexts.get_mut(self.context).log;
        for id in value.deps.iter() {
            let taken = |event: &AccessEvent| event.effect == Some(Effect::Take) && calls.contains(&event.at);
            if log.events.get(id.0 as usize).is_some_and(taken) {
                log.discarded.insert(id);
            }
        }
    }

    fn eval_let(
        &mut self,
        cx: &Cx,
        pat: &Pat,
        ty: Option<&crate::hir::Type>,
        init: Option<ExprId>,
        else_: Option<ExprId>,
    ) {
        let declared = ty.map(|ty| self.type_in(cx, ty));
        let Some(init) = init else {
            let value = Val { open: false, ..Val::unknown(declared.unwrap_or(Ty::Unknown)) };
            let subject = Subject::value(value, ExprId(0), Default::default());
            self.bind(cx, pat, &subject);
            return;
        };
        if let Some(ty) = &declared {
            self.want(cx, init, ty);
        }
        let mut found = Vec::new();
        self.extended_temporaries(cx, init, &mut found);
        let outer = std::mem::replace(&mut self.extended, found.into_iter().map(|e| (cx.frame, e)).collect());
        let range = cx.body.body.expr(init).range;
        self.scoped(cx, ScopeKind::Temporaries, |this| {
            let wild = matches!(pat, Pat::Wild);
            if wild && this.is_place(cx, init) {
                this.lval(cx, init, false);
                return;
            }
            let structural = !matches!(pat, Pat::Bind { by_ref: false, sub: None, .. });
            let mut subject = if structural && this.is_place(cx, init) {
                let lval = this.lval(cx, init, false);
                let value = this.peek(&lval);
                Subject { value, place: Some(lval), by_ref: None, range, expr: init }
            } else {
                Subject::value(this.eval(cx, init), init, range)
            };
            if wild {
                this.discard(cx, init, &subject.value);
            }
            if !this.st.reachable {
                return;
            }
            if let Some(ty) = declared {
                subject.value = this.coerced(cx, init, subject.value, &ty);
                this.adopt_pointee(&subject.value, &ty);
                subject.value = match this.is_cast_to_inferred(cx, init) {
                    true => Val { ty, ..subject.value },
                    false => with_declared(subject.value, ty),
                };
            }
            if let Some(else_) = else_ {
                this.let_else(cx, pat, &mut subject, else_);
                return;
            }
            this.name_bound(cx, pat, init, &subject.value);
            if wild {
                let value = subject.value.clone();
                this.drop_value(cx, init, value);
            } else {
                this.bind(cx, pat, &subject);
                this.drop_unbound(cx, pat, &subject);
            }
        });
        self.extended = outer;
    }

    /// A declared pointer type says what a new object is, if its making didn't.
    fn adopt_pointee(&mut self, value: &Val, declared: &Ty) {
        let Some((_, inner)) = self.pointer_ty(declared) else { return };
        for (place, _) in value.pointers() {
            let found = self.places.get(place);
            if found.parent.is_none() && found.ty.is_unknown() {
                let root = found.root;
                self.places.root(root, &inner);
            }
        }
    }

    /// Parts that a pattern doesn't bind end with the statement.
    fn drop_unbound(&mut self, cx: &Cx, pat: &Pat, subject: &Subject) {
        if subject.place.is_some() || !self.needs_drop(&subject.value) {
            return;
        }
        if let Pat::Tuple(parts) = pat {
            for (n, part) in parts.iter().enumerate() {
                if matches!(part, Pat::Wild) {
                    let value = super::memory::project(&subject.value, super::expr::field(n));
                    self.drop_value(cx, subject.expr, value);
                }
            }
        }
    }

    fn let_else(&mut self, cx: &Cx, pat: &Pat, subject: &mut Subject, else_: ExprId) {
        self.read_subject(cx, subject);
        let fit = self.fit(cx, pat, subject);
        let deps = self.tested(cx, pat, subject, true);
        if fit.can_fail {
            self.st.sure = false;
            let before = self.st.clone();
            self.decide(&deps);
            self.missing_handles_joined(&subject.value);
            self.eval(cx, else_);
            self.st = before;
        }
        if !fit.can_match {
            self.st.reachable = false;
            return;
        }
        self.decide(&deps);
        if fit.can_fail {
            self.one_way_left();
        }
        self.bind(cx, pat, subject);
    }

    /// The branches from here on are taken because of these reads.
    pub(super) fn decide(&mut self, deps: &Deps) {
        self.st.control = self.st.control.join(deps);
        self.st.decided_anew(deps);
        self.judge(deps);
    }

    /// These reads decide how often a loop runs.
    pub(super) fn loops_on(&mut self, reads: &Deps) {
        self.st.looping = self.st.looping.join(reads);
        self.contexts.get_mut(self.context).log.looped.extend(reads.iter());
    }

    /// The results of these updates are looked at.
    pub(super) fn judge(&mut self, deps: &Deps) {
        let log = &mut self.contexts.get_mut(self.context).log;
        for id in deps.iter() {
            if log.events.get(id.0 as usize).is_some_and(|event| event.kind != AccessKind::Read) {
                log.judged.insert(id);
            }
        }
    }

    pub(super) fn eval_flow(&mut self, cx: &Cx, id: ExprId, kind: &ExprKind) -> Val {
        match kind {
            ExprKind::If { cond, then, else_ } => self.eval_if(cx, *cond, *then, *else_),
            ExprKind::Match { scrutinee, arms } => self.eval_match(cx, *scrutinee, arms),
            ExprKind::While { label, cond, body } => self.eval_while(cx, id, *label, *cond, *body),
            ExprKind::Loop { label, body } => self.eval_loop(cx, id, *label, *body),
            ExprKind::For { label, pat, iter, body } => self.eval_for(cx, id, *label, pat, *iter, *body),
            ExprKind::Break { label, value } => {
                let value = value.map_or_else(Val::unit, |v| self.eval(cx, v));
                self.leave(cx, *label, Some(value));
                Val::bottom()
            }
            ExprKind::Continue { label } => {
                self.leave(cx, *label, None);
                Val::bottom()
            }
            ExprKind::Return(value) => {
                let value = value.map_or_else(Val::unit, |v| self.eval(cx, v));
                self.refused = self.is_refusal(&value);
                self.return_value(cx, value);
                Val::bottom()
            }
            _ => Val::unknown(Ty::Unknown),
        }
    }

    /// `break` (with a value) or `continue` (without).
    fn leave(&mut self, cx: &Cx, label: Option<Name>, value: Option<Val>) {
        if !self.st.reachable {
            return;
        }
        let found = self.exits.iter().rposition(|exit| match label {
            Some(label) => exit.label == Some(label),
            None => exit.is_loop,
        });
        if let Some(at) = found {
            let before = self.st.clone();
            let depth = self.exits[at].scopes;
            self.unwind(cx, depth);
            let state = std::mem::replace(&mut self.st, before);
            let exit = &mut self.exits[at];
            match value {
                Some(value) => match &mut exit.breaks {
                    Some((old, old_value)) => {
                        old.join(&state);
                        *old_value = old_value.join(&value);
                    }
                    None => exit.breaks = Some((state, value)),
                },
                None => match &mut exit.continues {
                    Some(old) => old.join(&state),
                    None => exit.continues = Some(state),
                },
            }
        }
        self.st.reachable = false;
    }

    pub(super) fn return_value(&mut self, cx: &Cx, value: Val) {
        if !self.st.reachable {
            return;
        }
        if let Some(depth) = self.stack.last().map(|call| call.scopes) {
            let mut value = self.outlasting(cx.frame, value);
            self.unwind(cx, depth);
            let state = self.st.clone();
            if let Some((mut old, mut old_value)) =
                self.stack.last_mut().and_then(|call| call.returned.take())
            {
                self.grant((&old, &mut old_value), (&state, &mut value));
                old.join(&state);
                self.set_returned(old, old_value.join(&value));
            } else {
                self.set_returned(state, value);
            }
        }
        self.st.reachable = false;
    }

    fn set_returned(&mut self, state: State, value: Val) {
        if let Some(call) = self.stack.last_mut() {
            call.returned = Some((state, value));
        }
    }

    fn eval_if(&mut self, cx: &Cx, cond: ExprId, then: ExprId, else_: Option<ExprId>) -> Val {
        let lets = self.has_let(cx, cond);
        let late_drop = lets && cx.body.edition < Edition::E2024;
        let outer_control = self.st.control.clone();
        let kind = if lets { ScopeKind::Condition } else { ScopeKind::Temporaries };
        let value = if late_drop {
            // Temporaries of the scrutinee live through both branches.
            self.scoped(cx, kind, |this| {
                let branches = this.condition(cx, cond);
                this.run_branches(branches, |this| this.eval(cx, then), |this| this.else_value(cx, else_))
            })
        } else if lets {
            self.scoped(cx, kind, |this| {
                let branches = this.condition(cx, cond);
                this.st = branches.no;
                let scope = this.scopes.last().cloned();
                if let Some(scope) = scope
                    && this.st.reachable
                {
                    for &local in scope.owned.iter().rev() {
                        this.drop_local(cx, scope.frame, local);
                    }
                }
                let no = std::mem::replace(&mut this.st, branches.yes);
                let branches = Branches { yes: this.st.clone(), no, deps: branches.deps };
                this.run_branches(branches, |this| this.eval(cx, then), |this| this.else_value(cx, else_))
            })
        } else {
            let switch = self.switch(cx, cond);
            let mut branches = self.scoped_condition(cx, cond);
            if let Some(switch) = switch {
                self.recall_switch(switch, &mut branches);
            }
            self.run_switch(switch, branches, |this| this.eval(cx, then), |this| this.else_value(cx, else_))
        };
        if self.st.reachable {
            if self.st.control_sticks && self.breaks_off(cx, then) {
                self.loops_on(&self.st.control.without(&outer_control));
            }
            self.restore_control(outer_control);
        }
        value
    }

    /// Whether a branch ends the loop that it is in: its condition is the loop's.
    fn breaks_off(&self, cx: &Cx, branch: ExprId) -> bool {
        match &cx.body.body.expr(branch).kind {
            ExprKind::Break { .. } => true,
            ExprKind::Return(_) => {
                self.loops.last().is_some_and(|at| at.frame == cx.frame) || self.is_round_of_items(cx)
            }
            ExprKind::Block(block) => match (block.tail, block.stmts.last()) {
                (Some(tail), _) => self.breaks_off(cx, tail),
                (None, Some(Stmt::Expr(last))) => self.breaks_off(cx, *last),
                _ => false,
            },
            _ => false,
        }
    }

    /// What runs for each item of a parallel iterator: its end is that of a round.
    fn is_round_of_items(&self, cx: &Cx) -> bool {
        let of_chain = |outer: FrameId| self.frames.get(outer).parent.is_none();
        let frame = self.frames.get(cx.frame);
        matches!(self.contexts.get(self.context).entry, Entry::Chain(_))
            && frame.captures.is_some()
            && frame.parent.is_some_and(of_chain)
    }

    fn else_value(&mut self, cx: &Cx, else_: Option<ExprId>) -> Val {
        else_.map_or_else(Val::unit, |e| self.eval(cx, e))
    }

    /// After a branch both of whose ways come back, its reads no longer decide whether we run. If one way left,
    /// they do.
    pub(super) fn restore_control(&mut self, outer: Deps) {
        if !self.st.control_sticks {
            self.st.control = outer.join(&self.st.left);
        }
        self.st.control_sticks = false;
    }

    /// Another way was left by: what decided that goes on deciding whether we are here.
    fn one_way_left(&mut self) {
        self.st.left = self.st.left.join(&self.st.control);
    }

    pub(super) fn run_branches(
        &mut self,
        branches: Branches,
        yes: impl FnOnce(&mut Self) -> Val,
        no: impl FnOnce(&mut Self) -> Val,
    ) -> Val {
        self.run_switch(None, branches, yes, no)
    }

    /// An error that is made here, not one that was met with.
    fn is_refusal(&self, value: &Val) -> bool {
        let fails = |kind: &Kind| matches!(kind, Kind::Aggregate(a) if a.variant == Some(self.names.err));
        !value.open && !value.alts.is_empty() && value.alts.iter().all(fails)
    }

    /// Both ways out of a condition that reads this place and nothing else.
    fn run_switch(
        &mut self,
        switch: Option<Switch>,
        branches: Branches,
        yes: impl FnOnce(&mut Self) -> Val,
        no: impl FnOnce(&mut Self) -> Val,
    ) -> Val {
        let had_both = branches.yes.reachable && branches.no.reachable;
        let sure = branches.yes.sure && branches.no.sure;
        self.st = branches.yes;
        self.st.sure &= !had_both;
        self.decide(&branches.deps);
        let mut value = if self.st.reachable { yes(self) } else { Val::bottom() };
        let refused = std::mem::take(&mut self.refused) || self.is_refusal(&value);
        let after = std::mem::replace(&mut self.st, branches.no);
        self.st.sure &= !had_both;
        self.decide(&branches.deps);
        let mut other = if self.st.reachable { no(self) } else { Val::bottom() };
        let refused_too = std::mem::take(&mut self.refused) || self.is_refusal(&other);
        if had_both && refused != refused_too {
            // Where what was looked for has been put in by now, the error is about something else.
            let open = branches.deps.without(&self.st.settled);
            self.contexts.get_mut(self.context).log.refusing.extend(open.iter());
        }
        self.refused = refused && refused_too;
        self.grant((&after, &mut value), (&self.st, &mut other));
        let one_left = had_both && after.reachable != self.st.reachable;
        if self.st.reachable {
            value = match self.limited((&after, &value), (&self.st, &other)) {
                Some(limit) if after.reachable => {
                    Val::of(limit, value.ty.clone()).with_deps(&value.deps.join(&other.deps))
                }
                _ if after.reachable => value.join(&other),
                _ => other,
            };
        }
        let both_back = had_both && after.reachable && self.st.reachable;
        let told = switch.map(|switch| (switch.place, self.told_by(switch, &after, &self.st)));
        self.st.join_decided(&after, &branches.deps);
        if let Some((place, told)) = told {
            self.st.tell(place, told);
        }
        self.st.sure |= sure && both_back;
        self.st.control_sticks = one_left;
        if one_left && self.st.reachable {
            self.one_way_left();
        }
        if !self.st.reachable {
            return Val::bottom();
        }
        value.with_deps(&branches.deps)
    }

    pub(super) fn scrutinee(&mut self, cx: &Cx, id: ExprId) -> Subject {
        let range = cx.body.body.expr(id).range;
        if self.is_place(cx, id) {
            let lval = self.lval(cx, id, false);
            let value = self.peek(&lval);
            return Subject { value, place: Some(lval), by_ref: None, range, expr: id };
        }
        let value = self.eval(cx, id);
        let droppable = self.needs_drop(&value);
        if !droppable {
            return Subject::value(value, id, range);
        }
        let lval = self.materialize(cx, id, value.clone());
        Subject { value, place: Some(lval), by_ref: None, range, expr: id }
    }

    /// Where an `Option` of a handle is empty there is nothing to join.
    pub(super) fn missing_handles_joined(&mut self, value: &Val) {
        for kind in &value.alts {
            if let Kind::Aggregate(aggregate) = kind {
                for (_, field) in &aggregate.fields {
                    for kind in &field.alts {
                        if let Kind::Handle(handle) = kind {
                            self.st.join_all(handle.context);
                        }
                    }
                }
            }
        }
    }

    fn eval_match(&mut self, cx: &Cx, scrutinee: ExprId, arms: &[Arm]) -> Val {
        let outer_control = self.st.control.clone();
        let mut subject = self.scrutinee(cx, scrutinee);
        if !self.st.reachable {
            return Val::bottom();
        }
        let decides = arms.len() > 1;
        if decides {
            self.read_subject(cx, &mut subject);
        }
        let mut deps = Deps::default();
        if decides {
            for arm in arms {
                deps = deps.join(&self.tested(cx, &arm.pat, &subject, true));
            }
        }
        let mut rest = self.st.clone();
        let mut after: Option<State> = None;
        let mut value = Val::bottom();
        let mut left = false;
        let sure = self.st.sure;
        for arm in arms {
            self.st = rest.clone();
            self.decide(&deps);
            let fit = self.fit(cx, &arm.pat, &subject);
            if !fit.can_match || !rest.reachable {
                continue;
            }
            self.st.sure &= !fit.can_fail && arm.guard.is_none();
            rest.sure = false;
            self.learn_from_pattern(cx, &arm.pat, &subject, Some(&mut rest));
            let (mut arm_value, unguarded) = self.eval_arm(cx, arm, &subject, &mut rest);
            left |= !self.st.reachable;
            if self.st.reachable {
                if let Some(state) = &after {
                    self.grant((state, &mut value), (&self.st, &mut arm_value));
                }
                value = value.join(&arm_value);
                match &mut after {
                    Some(state) => state.join_decided(&self.st, &deps),
                    None => after = Some(self.st.clone()),
                }
            }
            if !fit.can_fail && unguarded {
                rest.reachable = false;
            }
        }
        match after {
            Some(state) => self.st = state,
            None => self.st.reachable = false,
        }
        if self.st.reachable && !left {
            self.st.control = outer_control.join(&self.st.left);
            self.st.sure = sure;
        } else if self.st.reachable {
            self.one_way_left();
        }
        if !self.st.reachable { Val::bottom() } else { value.with_deps(&deps) }
    }

    /// One arm; what a failing guard leaves goes back to `rest`.
    fn eval_arm(&mut self, cx: &Cx, arm: &Arm, subject: &Subject, rest: &mut State) -> (Val, bool) {
        let mut unguarded = true;
        let value = self.scoped(cx, ScopeKind::Block, |this| {
            this.bind(cx, &arm.pat, subject);
            if let Some(guard) = arm.guard {
                unguarded = false;
                let branches = this.scoped_condition(cx, guard);
                rest.join(&branches.no);
                this.st = branches.yes;
                this.decide(&branches.deps);
            }
            this.scoped(cx, ScopeKind::Temporaries, |this| this.eval(cx, arm.body))
        });
        (value, unguarded)
    }

    pub(super) fn eval_try(&mut self, cx: &Cx, id: ExprId, operand: ExprId) -> Val {
        let value = self.eval(cx, operand);
        if !self.st.reachable {
            return Val::bottom();
        }
        let mut success = Val { alts: Default::default(), ..value.clone() };
        let mut can_fail = value.open || value.alts.is_empty();
        let mut failure = Val::bottom();
        for kind in &value.alts {
            match kind {
                Kind::Aggregate(a)
                    if a.variant == Some(self.names.err) || a.variant == Some(self.names.none) =>
                {
                    can_fail = true;
                    // What an error is made into is not known; nothing stays nothing.
                    failure = failure.join(&Val {
                        alts: [kind.clone()].into_iter().collect(),
                        open: a.variant != Some(self.names.none),
                        ..Val::unknown(Ty::Unknown)
                    });
                }
                _ => success.alts.push(kind.clone()),
            }
        }
        if can_fail {
            self.st.sure = false;
            let before = self.st.clone();
            self.decide(&value.deps);
            self.recall_failure(&value);
            let failure = if failure.is_bottom() { Val::unknown(Ty::Unknown) } else { failure };
            self.converted(cx, id, &failure);
            self.return_value(cx, failure.with_deps(&value.deps));
            self.st = before;
            self.decide(&value.deps);
            self.one_way_left();
        }
        if success.is_bottom() {
            self.st.reachable = false;
            return Val::bottom();
        }
        self.recall_success(&value);
        self.payload(&success)
    }
}

pub(super) fn join_into(after: &mut Option<State>, state: &State) {
    if !state.reachable {
        return;
    }
    match after {
        Some(old) => old.join(state),
        None => *after = Some(state.clone()),
    }
}

fn with_declared(value: Val, ty: Ty) -> Val {
    let mut value = value;
    let vague = matches!(value.ty, Ty::Unknown | Ty::Never | Ty::Prim(_));
    let better = !matches!(ty, Ty::Unknown) && !matches!(&ty, Ty::Dyn(_));
    if vague && better {
        value.ty = ty;
    } else if value.ty != ty {
        value.ty = value.ty.refined(&ty);
    }
    value
}
