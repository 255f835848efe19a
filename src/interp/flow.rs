//! Control flow: blocks, branches, loops and the exits out of them.

use super::pattern::Subject;
use super::places::LoopId;
use super::scopes::ScopeKind;
use super::state::{Exit, State, SyncKey, SyncKind};
use super::values::{Deps, Kind, Subject as Tested, Test, Val};
use super::{Cx, Interp};
use crate::hir::{Arm, BinaryOp, Block, BlockKind, Edition, ExprId, ExprKind, Name, Pat, Stmt, UnaryOp};
use crate::resolve::Ty;

/// Rounds a loop's body is walked at most; two at least, so that a read in one round meets the write of the next.
const MAX_ROUNDS: usize = 4;

/// Both ways out of a condition.
pub(super) struct Branches {
    pub yes: State,
    pub no: State,
    pub deps: Deps,
}

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

    fn push_exit(&mut self, label: Option<Name>, is_loop: bool) {
        self.exits.push(Exit { label, is_loop, breaks: None, continues: None, scopes: self.scopes.len() });
    }

    /// Joins the breaks out of the innermost exit into the state.
    fn pop_exit(&mut self, value: Val) -> Val {
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
        if cx.body.edition >= Edition::E2024 {
            return self.scoped(cx, ScopeKind::Temporaries, |this| this.eval(cx, tail));
        }
        self.eval(cx, tail)
    }

    fn eval_statement(&mut self, cx: &Cx, expr: ExprId) {
        let transparent = matches!(&cx.body.body.expr(expr).kind, ExprKind::Block(b) if b.transparent);
        if transparent {
            self.eval(cx, expr);
            return;
        }
        self.scoped(cx, ScopeKind::Temporaries, |this| {
            let value = this.eval(cx, expr);
            if this.st.reachable && !this.is_place(cx, expr) {
                this.drop_value(cx, expr, value);
            }
        });
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
            if !this.st.reachable {
                return;
            }
            if let Some(ty) = declared {
                subject.value = with_declared(subject.value, ty);
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
        if fit.can_fail {
            let before = self.st.clone();
            self.decide(&subject.value.all_deps());
            self.missing_handles_joined(&subject.value);
            self.eval(cx, else_);
            self.st = before;
        }
        if !fit.can_match {
            self.st.reachable = false;
            return;
        }
        self.decide(&subject.value.all_deps());
        self.bind(cx, pat, subject);
    }

    /// The branches from here on are taken because of these reads.
    pub(super) fn decide(&mut self, deps: &Deps) {
        self.st.control = self.st.control.join(deps);
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
            self.unwind(cx, depth);
            let state = self.st.clone();
            if let Some(call) = self.stack.last_mut() {
                match &mut call.returned {
                    Some((old, old_value)) => {
                        old.join(&state);
                        *old_value = old_value.join(&value);
                    }
                    None => call.returned = Some((state, value)),
                }
            }
        }
        self.st.reachable = false;
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
            let branches = self.scoped_condition(cx, cond);
            self.run_branches(branches, |this| this.eval(cx, then), |this| this.else_value(cx, else_))
        };
        if self.st.reachable {
            self.restore_control(outer_control);
        }
        value
    }

    fn else_value(&mut self, cx: &Cx, else_: Option<ExprId>) -> Val {
        else_.map_or_else(Val::unit, |e| self.eval(cx, e))
    }

    /// After a branch both of whose ways come back, its reads no longer decide whether we run. If one way left,
    /// they do.
    fn restore_control(&mut self, outer: Deps) {
        if !self.st.control_sticks {
            self.st.control = outer;
        }
        self.st.control_sticks = false;
    }

    fn run_branches(
        &mut self,
        branches: Branches,
        yes: impl FnOnce(&mut Self) -> Val,
        no: impl FnOnce(&mut Self) -> Val,
    ) -> Val {
        let had_both = branches.yes.reachable && branches.no.reachable;
        self.st = branches.yes;
        self.decide(&branches.deps);
        let mut value = if self.st.reachable { yes(self) } else { Val::bottom() };
        let after = std::mem::replace(&mut self.st, branches.no);
        self.decide(&branches.deps);
        let other = if self.st.reachable { no(self) } else { Val::bottom() };
        let one_left = had_both && after.reachable != self.st.reachable;
        if self.st.reachable {
            value = if after.reachable { value.join(&other) } else { other };
        }
        self.st.join(&after);
        self.st.control_sticks = one_left;
        if !self.st.reachable {
            return Val::bottom();
        }
        value.with_deps(&branches.deps)
    }

    fn has_let(&self, cx: &Cx, cond: ExprId) -> bool {
        match &cx.body.body.expr(cond).kind {
            ExprKind::Let { .. } => true,
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                self.has_let(cx, *left) || self.has_let(cx, *right)
            }
            _ => false,
        }
    }

    /// A condition whose temporaries end with it.
    fn scoped_condition(&mut self, cx: &Cx, cond: ExprId) -> Branches {
        let mut branches = None;
        self.scoped(cx, ScopeKind::Temporaries, |this| {
            let found = this.condition(cx, cond);
            let Some(scope) = this.scopes.last().cloned() else { return };
            let mut ended = Vec::new();
            for state in [found.yes, found.no] {
                this.st = state;
                if this.st.reachable {
                    for &local in scope.owned.iter().rev() {
                        this.drop_local(cx, scope.frame, local);
                    }
                }
                ended.push(this.st.clone());
            }
            if let Some(scope) = this.scopes.last_mut() {
                scope.owned.clear();
            }
            let no = ended.pop().unwrap_or_else(|| this.st.clone());
            let yes = ended.pop().unwrap_or_else(|| this.st.clone());
            branches = Some(Branches { yes, no, deps: found.deps });
        });
        branches.unwrap_or_else(|| Branches {
            yes: self.st.clone(),
            no: self.st.clone(),
            deps: Deps::default(),
        })
    }

    /// A condition as a value.
    pub(super) fn eval_condition(&mut self, cx: &Cx, id: ExprId) -> Val {
        let control = self.st.control.clone();
        let branches = self.condition(cx, id);
        let value = match (branches.yes.reachable, branches.no.reachable) {
            (true, false) => Val::bool(true),
            (false, true) => Val::bool(false),
            _ => Val::unknown(Ty::Prim(Name::new("bool"))),
        };
        self.st = branches.yes;
        self.st.join(&branches.no);
        if self.st.reachable {
            self.st.control = control;
        }
        value.with_deps(&branches.deps)
    }

    /// `assert!(cond)`: control comes back only if it holds.
    pub(super) fn eval_asserted(&mut self, cx: &Cx, id: ExprId) -> Val {
        let branches = self.condition(cx, id);
        self.st = branches.yes;
        Val::unit().with_deps(&branches.deps)
    }

    /// Walks a condition and splits the state by its outcome.
    pub(super) fn condition(&mut self, cx: &Cx, id: ExprId) -> Branches {
        let body = cx.body.clone();
        match &body.body.expr(id).kind {
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                let first = self.operand(cx, *left);
                self.st = first.yes;
                self.decide(&first.deps);
                let second = self.operand(cx, *right);
                let mut no = first.no;
                no.join(&second.no);
                Branches { yes: second.yes, no, deps: first.deps.join(&second.deps) }
            }
            ExprKind::Binary { op: BinaryOp::Or, left, right } => {
                let first = self.operand(cx, *left);
                self.st = first.no;
                self.decide(&first.deps);
                let second = self.operand(cx, *right);
                let mut yes = first.yes;
                yes.join(&second.yes);
                Branches { yes, no: second.no, deps: first.deps.join(&second.deps) }
            }
            ExprKind::Unary { op: UnaryOp::Not, operand } => {
                let inner = self.condition(cx, *operand);
                Branches { yes: inner.no, no: inner.yes, deps: inner.deps }
            }
            ExprKind::Let { pat, scrutinee } => self.let_condition(cx, pat, *scrutinee),
            _ => {
                let value = self.eval(cx, id);
                self.split_by(&value)
            }
        }
    }

    /// An operand of `&&` or `||`: its temporaries end with it, unless it is a `let`.
    fn operand(&mut self, cx: &Cx, id: ExprId) -> Branches {
        if self.has_let(cx, id) { self.condition(cx, id) } else { self.scoped_condition(cx, id) }
    }

    /// Splits the state by the truth of a value.
    pub(super) fn split_by(&mut self, value: &Val) -> Branches {
        let mut yes = self.st.clone();
        let mut no = self.st.clone();
        match value.as_bool() {
            Some(true) => no.reachable = false,
            Some(false) => yes.reachable = false,
            None => {}
        }
        if value.is_bottom() {
            yes.reachable = false;
            no.reachable = false;
        }
        match value.single() {
            Some(Kind::Test(test)) => {
                self.learn(test, &mut yes, &mut no);
            }
            Some(Kind::Loaded(place, order)) => {
                let test = Test { subject: Tested::Flag(*place, *order, 1), negated: false };
                self.learn(&test, &mut yes, &mut no);
            }
            _ => {}
        }
        Branches { yes, no, deps: value.all_deps() }
    }

    /// What a test's outcome says about each branch.
    fn learn(&mut self, test: &Test, yes: &mut State, no: &mut State) {
        let (holds, fails) = if test.negated { (no, yes) } else { (yes, no) };
        match &test.subject {
            Tested::Flag(place, order, value) => {
                acquire_flag(holds, SyncKey { place: *place, kind: SyncKind::Flag(*value) }, *order);
                if *value == 0 || *value == 1 {
                    let other = SyncKey { place: *place, kind: SyncKind::Flag(1 - *value) };
                    acquire_flag(fails, other, *order);
                }
            }
            Tested::Taken(place) => {
                let id = self.new_hold();
                holds.locks.push(super::state::Hold {
                    lock: *place,
                    mode: super::values::Mode::Exclusive,
                    id,
                    yields: false,
                });
            }
            Tested::Reached(place, order) => {
                let key = SyncKey { place: *place, kind: SyncKind::Flag(super::order::ANY_VALUE) };
                acquire_flag(holds, key, *order);
            }
            Tested::Success(place) => {
                let saved = std::mem::replace(&mut self.st, holds.clone());
                let value = self.value_at(*place);
                let mut held = value.clone();
                held.alts.retain(|k| !matches!(k, Kind::Aggregate(a) if a.variant == Some(self.names.err) || a.variant == Some(self.names.none)));
                let held = self.activated(held);
                self.store_at(*place, held, true);
                *holds = std::mem::replace(&mut self.st, fails.clone());
                let mut failed = value;
                failed.alts.retain(|k| !matches!(k, Kind::Aggregate(a) if a.variant == Some(self.names.ok) || a.variant == Some(self.names.some)));
                if failed.is_bottom() {
                    self.st.reachable = false;
                }
                self.store_at(*place, failed, true);
                *fails = std::mem::replace(&mut self.st, saved);
            }
        }
    }

    fn let_condition(&mut self, cx: &Cx, pat: &Pat, scrutinee: ExprId) -> Branches {
        let mut subject = self.scrutinee(cx, scrutinee);
        if !self.st.reachable {
            return Branches { yes: self.st.clone(), no: self.st.clone(), deps: Deps::default() };
        }
        self.read_subject(cx, &mut subject);
        let deps = subject.value.all_deps();
        let fit = self.fit(cx, pat, &subject);
        let mut no = self.st.clone();
        no.reachable &= fit.can_fail;
        if fit.can_fail {
            let before = std::mem::replace(&mut self.st, no);
            self.missing_handles_joined(&subject.value);
            no = std::mem::replace(&mut self.st, before);
        }
        if fit.can_match {
            self.bind(cx, pat, &subject);
        } else {
            self.st.reachable = false;
        }
        Branches { yes: self.st.clone(), no, deps }
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
        let deps = if decides { subject.value.all_deps() } else { Deps::default() };
        let mut rest = self.st.clone();
        let mut after: Option<State> = None;
        let mut value = Val::bottom();
        let mut left = false;
        for arm in arms {
            self.st = rest.clone();
            self.decide(&deps);
            let fit = self.fit(cx, &arm.pat, &subject);
            if !fit.can_match || !rest.reachable {
                continue;
            }
            let (arm_value, unguarded) = self.eval_arm(cx, arm, &subject, &mut rest);
            left |= !self.st.reachable;
            if self.st.reachable {
                value = value.join(&arm_value);
                match &mut after {
                    Some(state) => state.join(&self.st),
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
            self.st.control = outer_control;
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

    fn eval_while(&mut self, cx: &Cx, id: ExprId, label: Option<Name>, cond: ExprId, body: ExprId) -> Val {
        let lets = self.has_let(cx, cond);
        let at = LoopId { frame: cx.frame, expr: id };
        let outer_control = self.st.control.clone();
        let mut exit: Option<State> = None;
        self.rounds(at, label, |this| {
            let kind = if lets { ScopeKind::Condition } else { ScopeKind::Temporaries };
            this.scoped(cx, kind, |this| {
                let outer = this.draining.replace(at);
                let branches = if lets { this.condition(cx, cond) } else { this.scoped_condition(cx, cond) };
                this.draining = outer;
                let mut no = branches.no;
                if lets && no.reachable {
                    let yes = std::mem::replace(&mut this.st, no);
                    let scope = this.scopes.last().cloned();
                    if let Some(scope) = scope {
                        for &local in scope.owned.iter().rev() {
                            this.drop_local(cx, scope.frame, local);
                        }
                    }
                    no = std::mem::replace(&mut this.st, yes);
                }
                if no.reachable {
                    match &mut exit {
                        Some(old) => old.join(&no),
                        None => exit = Some(no),
                    }
                }
                this.st = branches.yes;
                this.decide(&branches.deps);
                if this.st.reachable {
                    this.eval_statement(cx, body);
                }
            });
        });
        self.finish_loop(at, exit, outer_control)
    }

    fn eval_loop(&mut self, cx: &Cx, id: ExprId, label: Option<Name>, body: ExprId) -> Val {
        let at = LoopId { frame: cx.frame, expr: id };
        let outer_control = self.st.control.clone();
        self.rounds(at, label, |this| this.eval_statement(cx, body));
        self.finish_loop(at, None, outer_control)
    }

    fn eval_for(
        &mut self,
        cx: &Cx,
        id: ExprId,
        label: Option<Name>,
        pat: &Pat,
        iter: ExprId,
        body: ExprId,
    ) -> Val {
        let at = LoopId { frame: cx.frame, expr: id };
        let outer_control = self.st.control.clone();
        let range = cx.body.body.expr(iter).range;
        self.scoped(cx, ScopeKind::Temporaries, |this| {
            let source = this.eval(cx, iter);
            if !this.st.reachable {
                return Val::bottom();
            }
            let source = this.loop_source(cx, iter, source);
            let mut exit: Option<State> = Some(this.st.clone());
            this.rounds(at, label, |this| {
                let item = this.next_item(cx, iter, at, &source);
                if !this.st.reachable {
                    return;
                }
                this.scoped(cx, ScopeKind::Block, |this| {
                    let subject = Subject::value(item, iter, range);
                    this.bind(cx, pat, &subject);
                    this.eval_statement(cx, body);
                });
                if this.st.reachable {
                    match &mut exit {
                        Some(old) => old.join(&this.st),
                        None => exit = Some(this.st.clone()),
                    }
                }
            });
            this.finish_loop(at, exit, outer_control)
        })
    }

    /// Walks a loop's rounds until nothing changes. The state afterwards is that at the end of a round; the way
    /// out is `finish_loop`'s. What every round joins is kept in `each`.
    pub(super) fn rounds(&mut self, at: LoopId, label: Option<Name>, mut round: impl FnMut(&mut Self)) {
        self.push_exit(label, true);
        self.loops.push(at);
        let mut entry = self.st.clone();
        for n in 0..MAX_ROUNDS {
            self.st = entry.clone();
            round(self);
            if let Some(state) = self.exits.last_mut().and_then(|exit| exit.continues.take()) {
                if self.st.reachable {
                    self.st.join(&state);
                } else {
                    self.st = state;
                }
            }
            let mut next = entry.clone();
            next.join(&self.st);
            let stable = next.same_as(&entry);
            self.each_round(at);
            entry = next;
            if (stable && n > 0) || self.stopped {
                break;
            }
        }
        self.loops.pop();
    }

    /// Remembers what the round that just ended joined of the elements it went through.
    fn each_round(&mut self, at: LoopId) {
        if !self.st.reachable {
            return;
        }
        let joined: Vec<_> = self.st.each_joined.iter().filter(|(l, _)| *l == at).map(|(_, c)| *c).collect();
        self.each.retain(|(l, _)| *l != at);
        self.each.push((at, joined));
    }

    /// The state after a loop: `exit` (its condition failed, its elements ran out) joined with the breaks.
    pub(super) fn finish_loop(&mut self, at: LoopId, exit: Option<State>, control: Deps) -> Val {
        self.st.reachable = false;
        if let Some(mut state) = exit {
            let joined = self.each.iter().rposition(|(l, _)| *l == at).map(|n| self.each.remove(n).1);
            for context in joined.unwrap_or_default() {
                state.join_all(context);
            }
            self.st = state;
        }
        let plain_exit = self.st.reachable;
        let value = self.pop_exit(if plain_exit { Val::unit() } else { Val::bottom() });
        self.st.each_joined.retain(|(l, _)| *l != at);
        if self.st.reachable {
            self.st.control = control;
        }
        value
    }

    pub(super) fn eval_try(&mut self, cx: &Cx, _id: ExprId, operand: ExprId) -> Val {
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
                    failure = failure.join(&Val {
                        alts: [kind.clone()].into_iter().collect(),
                        ..Val::unknown(Ty::Unknown)
                    });
                }
                _ => success.alts.push(kind.clone()),
            }
        }
        if can_fail {
            let before = self.st.clone();
            self.decide(&value.all_deps());
            let failure = if failure.is_bottom() { Val::unknown(Ty::Unknown) } else { failure };
            self.return_value(cx, failure.with_deps(&value.all_deps()));
            self.st = before;
            self.decide(&value.all_deps());
        }
        if success.is_bottom() {
            self.st.reachable = false;
            return Val::bottom();
        }
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

fn acquire_flag(state: &mut State, key: SyncKey, order: Name) {
    if super::order::acquires(order) {
        if let SyncKind::Flag(value) = key.kind
            && value != super::order::ANY_VALUE
        {
            state.moment_mut().knows.insert(key.place, value);
        }
        state.acquire(key);
    } else {
        state.moment_mut().weak.insert(key);
    }
}

fn with_declared(value: Val, ty: Ty) -> Val {
    let mut value = value;
    let vague = matches!(value.ty, Ty::Unknown | Ty::Never | Ty::Prim(_));
    let better = !matches!(ty, Ty::Unknown) && !matches!(&ty, Ty::Dyn(_));
    if vague && better {
        value.ty = ty;
    }
    value
}
