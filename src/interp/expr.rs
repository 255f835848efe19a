//! Expressions: values and places. Control flow is in `flow`, calls in `calls` and `method`.

use super::access::Effect;
use super::arithmetic::{integer_bits, negation};
use super::memory::{AccessInfo, project};
use super::places::{Index, Proj, Root};
use super::places_of::MAX_DEREFS;
use super::terms::{Operator, Term};
use super::values::{Const, Deps, Kind, Pointer, Subject, Test, Val};
use super::{Cx, Interp};
use crate::finding::AccessKind;
use crate::hir::{BinaryOp, Expr, ExprId, ExprKind, Lit, MacroArgsKind, Name, Path, TextRange, UnaryOp};
use crate::models::Role;
use crate::resolve::{Res, Ty};
use std::rc::Rc;
use std::sync::LazyLock;

impl Interp<'_> {
    /// The value of an expression; `Val::bottom` where control doesn't come back.
    pub(super) fn eval(&mut self, cx: &Cx, id: ExprId) -> Val {
        if !self.step() {
            return Val::bottom();
        }
        let Expr { kind, range } = cx.body.body.expr(id);
        let range = *range;
        match kind {
            ExprKind::Missing => Val::unknown(Ty::Unknown),
            ExprKind::Lit(lit) => literal(lit),
            ExprKind::Path(path) => self.eval_path(cx, id, path, range),
            ExprKind::Field { .. } | ExprKind::Index { .. } | ExprKind::Unary { op: UnaryOp::Deref, .. } => {
                let lval = self.lval(cx, id, false);
                let value = self.read(cx, &lval, range);
                self.move_out(&lval, &value);
                value
            }
            ExprKind::Block(block) => self.eval_block(cx, id, block),
            ExprKind::If { .. } | ExprKind::Match { .. } | ExprKind::While { .. } | ExprKind::Loop { .. } => {
                self.eval_flow(cx, id, kind)
            }
            ExprKind::For { .. }
            | ExprKind::Break { .. }
            | ExprKind::Continue { .. }
            | ExprKind::Return(_) => self.eval_flow(cx, id, kind),
            ExprKind::Let { .. } => self.eval_condition(cx, id),
            ExprKind::Call { callee, args } => self.eval_call(cx, id, *callee, args),
            ExprKind::MethodCall { receiver, method, name_range, args, .. } => {
                self.eval_method(cx, id, *receiver, *method, *name_range, args)
            }
            ExprKind::Unary { op, operand } => self.eval_unary(cx, id, *op, *operand),
            ExprKind::Borrow { mutable, raw, operand } => self.eval_borrow(cx, *operand, *mutable, *raw),
            ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, .. } => self.eval_condition(cx, id),
            ExprKind::Binary { op, left, right } => self.eval_binary(cx, id, *op, *left, *right),
            ExprKind::Assign { left, right } => self.eval_assign(cx, id, *left, *right, range),
            ExprKind::AssignOp { op, left, right } => self.eval_assign_op(cx, id, *op, *left, *right, range),
            ExprKind::Cast { operand, ty } => {
                let value = self.eval(cx, *operand);
                let ty = self.type_in(cx, ty);
                self.cast(value, ty)
            }
            ExprKind::Closure(closure) => self.eval_closure(cx, id, closure),
            ExprKind::Struct { path, fields, base } => self.eval_struct(cx, id, path, fields, *base),
            ExprKind::Tuple(parts) => {
                let values: Vec<Val> = parts.iter().map(|p| self.eval(cx, *p)).collect();
                let ty = Ty::Tuple(values.iter().map(|v| v.ty.clone()).collect());
                let fields = values.into_iter().enumerate().map(|(n, v)| (field(n), v)).collect();
                Val::aggregate(None, fields, ty)
            }
            ExprKind::Array { elements, owned } => self.eval_array(cx, elements, *owned),
            ExprKind::Repeat { element, len, owned } => {
                let value = self.eval(cx, *element);
                self.eval(cx, *len);
                let ty = collection_ty(self.models.language.vec, value.ty.clone(), *owned);
                Val::aggregate(None, vec![(Proj::Index(Index::Any), value)], ty)
            }
            ExprKind::Range { lo, hi, inclusive } => self.eval_range(cx, *lo, *hi, *inclusive),
            ExprKind::Await(operand) => {
                let future = self.eval(cx, *operand);
                self.await_value(cx, id, future)
            }
            ExprKind::Try(operand) => self.eval_try(cx, id, *operand),
            ExprKind::MacroArgs { kind, args, diverges } => self.eval_macro(cx, id, *kind, args, *diverges),
            ExprKind::Join { branches, .. } => self.eval_join(cx, id, branches),
            ExprKind::Select { branches, else_, .. } => self.eval_select(cx, id, branches, *else_),
        }
    }

    pub(super) fn type_in(&mut self, cx: &Cx, ty: &crate::hir::Type) -> Ty {
        let ty = self.program.type_in(&cx.body, ty);
        self.normalized(&cx.subst.apply(&ty))
    }

    /// Associated types resolved where they can be.
    pub(super) fn normalized(&self, ty: &Ty) -> Ty {
        match ty {
            Ty::Assoc(of) => {
                let base = self.normalized(&of.base);
                match self.program.assoc_type(&base, of.key, of.name) {
                    Ty::Unknown => Ty::Unknown,
                    found => found,
                }
            }
            Ty::Ref { mutable, inner } if leads_to_assoc(inner) => {
                Ty::reference(*mutable, self.normalized(inner))
            }
            other => other.clone(),
        }
    }

    fn eval_path(&mut self, cx: &Cx, id: ExprId, path: &Path, range: TextRange) -> Val {
        match cx.body.path(path.id) {
            Res::Local(_) | Res::Static(_) => {
                let lval = self.lval(cx, id, false);
                let value = self.read(cx, &lval, range);
                self.move_out(&lval, &value);
                value
            }
            res => self.path_value(cx, res),
        }
    }

    pub(super) fn eval_borrow(&mut self, cx: &Cx, operand: ExprId, mutable: bool, raw: bool) -> Val {
        let lval = self.lval(cx, operand, mutable);
        let how = match (raw, mutable) {
            (true, _) => Pointer::Raw,
            (false, true) => Pointer::Exclusive,
            (false, false) => Pointer::Shared,
        };
        let mut value = self.pointer_to(&lval, how);
        if matches!(cx.body.body.expr(operand).kind, ExprKind::Index { .. }) {
            let indexed = lval.places.iter().filter_map(|place| self.places.get(*place).parent);
            for collection in indexed.filter(|place| !self.is_guarded(*place)).collect::<Vec<_>>() {
                self.counted_elements(cx, operand, collection, how);
            }
        }
        if raw {
            value.ty = Ty::Ptr { mutable, inner: lval.ty.clone().into() };
        }
        value
    }

    fn eval_unary(&mut self, cx: &Cx, id: ExprId, op: UnaryOp, operand: ExprId) -> Val {
        let value = self.eval(cx, operand);
        if let Some(result) = self.user_unary(cx, id, op, &value) {
            return result;
        }
        let mut result = Val::unknown(value.ty.clone()).with_deps(&value.deps);
        result.term = value.term.as_ref().and_then(|term| negation(op, term, &value.ty));
        if let Some(kind) = value.single() {
            let negated = match (op, kind) {
                (UnaryOp::Not, Kind::Const(Const::Bool(b))) => Some(Kind::Const(Const::Bool(!b))),
                (UnaryOp::Neg, Kind::Const(Const::Int(n))) => {
                    n.checked_neg().map(|n| Kind::Const(Const::Int(n)))
                }
                (UnaryOp::Not, Kind::Test(test)) => {
                    let flipped = Test { subject: test.subject.clone(), negated: !test.negated };
                    Some(Kind::Test(Rc::new(flipped)))
                }
                (UnaryOp::Not, Kind::Loaded(place, order)) => Some(Kind::Test(Rc::new(Test {
                    subject: Subject::Flag(*place, *order, 1),
                    negated: true,
                }))),
                _ => None,
            };
            if let Some(kind) = negated {
                result.alts.push(kind);
                result.open = false;
            }
        }
        result
    }

    /// An operand of an operator, which works on what a reference points to.
    pub(super) fn eval_operand(&mut self, cx: &Cx, id: ExprId) -> Val {
        let value = self.eval(cx, id);
        self.behind_reference(cx, id, value)
    }

    pub(super) fn behind_reference(&mut self, cx: &Cx, id: ExprId, value: Val) -> Val {
        let mut value = value;
        // What is borrowed on the spot is compared itself; a reference that it holds is looked through by nobody here.
        let borrowed = matches!(cx.body.body.expr(id).kind, ExprKind::Borrow { .. });
        for _ in 0..if borrowed { 1 } else { MAX_DEREFS } {
            let Ty::Ref { inner, .. } = &value.ty else { break };
            if value.pointers().next().is_none() {
                break;
            }
            if matches!(**inner, Ty::Adt(..)) {
                let read = self.observe_pointees(cx, &value, id);
                value.deps = value.deps.join(&read);
                break;
            }
            let lval = self.deref_value(cx, &value, id);
            value = self.read(cx, &lval, cx.body.body.expr(id).range);
        }
        if value.alts.iter().any(|kind| matches!(kind, Kind::Aggregate(_))) {
            value.deps = value.deps.join(&self.observe_payloads(cx, &value, id));
        }
        value
    }

    fn eval_assign(&mut self, cx: &Cx, id: ExprId, left: ExprId, right: ExprId, range: TextRange) -> Val {
        let value = self.eval(cx, right);
        if !self.st.reachable {
            return Val::bottom();
        }
        match &cx.body.body.expr(left).kind {
            ExprKind::Missing => {
                self.drop_value(cx, id, value);
                return Val::unit();
            }
            ExprKind::Tuple(parts) => {
                for (n, part) in parts.iter().enumerate() {
                    let field = project(&value, field(n));
                    self.assign_to(cx, id, *part, field, range);
                }
                return Val::unit();
            }
            _ => {}
        }
        let value = match self.is_cast_to_inferred(cx, right) {
            true => Val { ty: self.lval(cx, left, true).ty, ..value },
            false => value,
        };
        self.name_handle(cx, left, right, &value);
        if !self.is_own_variable(cx, left) {
            self.used(&value);
        }
        self.assign_to(cx, id, left, value, range);
        Val::unit()
    }

    /// A variable of this very call: what it is given is used where the variable is.
    fn is_own_variable(&self, cx: &Cx, expr: ExprId) -> bool {
        match &cx.body.body.expr(expr).kind {
            ExprKind::Path(path) => match cx.body.path(path.id) {
                Res::Local(local) => {
                    self.st.local(cx.frame, *local).is_some()
                        && !self.shared_locals.contains(&(cx.frame, *local))
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn assign_to(&mut self, cx: &Cx, id: ExprId, left: ExprId, value: Val, range: TextRange) {
        let lval = self.lval(cx, left, true);
        let value = self.coerced(cx, id, value, &lval.ty);
        let old = self.peek(&lval);
        if self.needs_drop(&old)
            && let [place] = lval.places[..]
            && matches!(self.places.get(place).root, Root::Local(..))
        {
            // The old value ends after the new one was made.
            self.store(&lval, value.clone());
            self.drop_value(cx, id, old);
        }
        let mut info = AccessInfo::plain(AccessKind::Write, range);
        if let Some(Const::Int(n)) = value.constant() {
            info.effect = Some(Effect::Set(*n));
        }
        info.range = cx.body.body.expr(left).range.to(range);
        self.write(cx, &lval, value, info);
    }

    fn eval_assign_op(
        &mut self,
        cx: &Cx,
        id: ExprId,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        range: TextRange,
    ) -> Val {
        let operand = self.eval(cx, right);
        let lval = self.lval(cx, left, true);
        if let Some(result) = self.user_assign_op(cx, id, op, &lval, &operand) {
            return result;
        }
        let operand = self.behind_reference(cx, right, operand);
        self.used(&operand);
        let old = self.peek(&lval);
        let mut info = AccessInfo::plain(AccessKind::Update, range);
        info.effect = Some(Effect::Assign);
        info.term = operand.symbol().and_then(|n| Term::apply(Operator::Binary(op), &Rc::new(Term::Old), &n));
        if info.term.is_some() && !self.st.locks.is_empty() {
            self.draws();
        }
        let mut new = self.binary(op, &old, &operand);
        if new.ty.is_unknown() {
            new.ty = lval.ty.clone();
        }
        if matches!(new.single(), Some(Kind::Const(_))) && !self.loops.is_empty() {
            // A counter: its value differs from round to round.
            new.alts.clear();
            new.open = true;
        }
        self.write(cx, &lval, new, info);
        Val::unit()
    }

    fn eval_struct(
        &mut self,
        cx: &Cx,
        id: ExprId,
        path: &Path,
        fields: &[(Name, ExprId)],
        base: Option<ExprId>,
    ) -> Val {
        let mut values: Vec<(Proj, Val)> = Vec::new();
        let (ty, variant) = self.struct_ty(cx, path);
        let ty = match (&ty, self.wanted_at(cx, id)) {
            (Ty::Adt(adt, args), wanted @ Ty::Adt(..)) if args.iter().all(is_vague) => match &wanted {
                Ty::Adt(other, _) if other == adt => wanted,
                _ => ty,
            },
            _ => ty,
        };
        for (name, value) in fields {
            let field = Proj::Field(*name);
            let declared = self.part_ty(&ty, field);
            self.want(cx, *value, &declared);
            let value = self.eval(cx, *value);
            let mut value = self.coerced(cx, id, value, &declared);
            self.name_held(&mut value, &ty, *name, declared);
            values.push((field, value));
        }
        if let Some(base) = base {
            let rest = self.lval(cx, base, false);
            let range = cx.body.body.expr(base).range;
            let whole = self.read(cx, &rest, range);
            for kind in &whole.alts {
                if let Kind::Aggregate(aggregate) = kind {
                    for (proj, value) in &aggregate.fields {
                        if !values.iter().any(|(p, _)| p == proj) {
                            values.push((*proj, value.clone()));
                        }
                    }
                }
            }
        }
        Val::aggregate(variant, values, ty)
    }

    /// Objects that only a field holds are called after it, and their type is what the field's says.
    fn name_held(&mut self, value: &mut Val, owner: &Ty, field: Name, declared: Ty) {
        let vague = match (&value.ty, &declared) {
            (Ty::Ext(path, args), Ty::Ext(other, _)) => path == other && args.iter().all(Ty::is_unknown),
            _ => false,
        };
        if vague {
            if let Some((_, inner)) = self.pointer_ty(&declared) {
                for (place, _) in value.pointers().collect::<Vec<_>>() {
                    self.places.declare(place, &inner);
                }
            }
            value.ty = declared;
        }
        if let Ty::Adt(id, _) = owner
            && self.has_nameless(value)
        {
            let name = Name::new(&format!("{}.{field}", self.program.adts[id.index()].name));
            self.name_object(value, name);
        }
    }

    fn struct_ty(&mut self, cx: &Cx, path: &Path) -> (Ty, Option<Name>) {
        match cx.body.path(path.id) {
            &Res::Variant(adt, variant, ref args) => {
                let def = &self.program.adts[adt.index()];
                let name =
                    (def.kind == crate::hir::AdtKind::Enum).then(|| def.variants[variant as usize].name);
                let args = args.iter().map(|a| cx.subst.apply(a)).collect();
                (Ty::Adt(adt, args), name)
            }
            Res::Type(ty) => (self.normalized(&cx.subst.apply(ty)), None),
            Res::Assoc { ty, name, .. } => (cx.subst.apply(ty), Some(*name)),
            _ => (Ty::Unknown, None),
        }
    }

    fn eval_array(&mut self, cx: &Cx, elements: &[ExprId], owned: bool) -> Val {
        let mut fields = Vec::new();
        let mut ty = Ty::Unknown;
        for (n, element) in elements.iter().enumerate() {
            let value = self.eval(cx, *element);
            if ty.is_unknown() {
                ty = value.ty.clone();
            }
            let index = if n < 64 { Index::Const(n as i128) } else { Index::Any };
            fields.push((Proj::Index(index), value));
        }
        Val::aggregate(None, fields, collection_ty(self.models.language.vec, ty, owned))
    }

    fn eval_range(&mut self, cx: &Cx, lo: Option<ExprId>, hi: Option<ExprId>, inclusive: bool) -> Val {
        let mut fields = Vec::new();
        let mut ty = Ty::Unknown;
        let end = if inclusive { "last" } else { "end" };
        for (name, bound) in [("start", lo), (end, hi)] {
            if let Some(bound) = bound {
                let value = self.eval(cx, bound);
                ty = value.ty.clone();
                fields.push((Proj::Field(Name::new(name)), value));
            }
        }
        Val::aggregate(None, fields, Ty::named(self.models.language.range, vec![ty]))
    }

    fn eval_macro(
        &mut self,
        cx: &Cx,
        id: ExprId,
        kind: MacroArgsKind,
        args: &[ExprId],
        diverges: bool,
    ) -> Val {
        if matches!(kind, MacroArgsKind::Format | MacroArgsKind::Unknown) {
            self.act(cx, id);
        }
        let mut deps = Deps::default();
        let mut last = Val::unit();
        for (n, arg) in args.iter().enumerate() {
            let value = match kind {
                MacroArgsKind::Assert if n == 0 => self.eval_asserted(cx, *arg),
                _ => self.eval(cx, *arg),
            };
            if kind == MacroArgsKind::Format {
                self.printed(cx, *arg, &value);
                let observed = self.observe_pointees(cx, &value, *arg);
                self.used(&value.clone().with_deps(&observed));
                deps = deps.join(&observed);
            }
            deps = deps.join(&value.all_deps()).join(&self.own_numbers(&value));
            last = value;
        }
        if kind == MacroArgsKind::Unknown && args.is_empty() {
            self.counts.opaque_macros += 1;
        }
        if diverges {
            self.st.reachable = false;
            return Val::bottom();
        }
        match kind {
            MacroArgsKind::Pass => last,
            MacroArgsKind::Format => {
                Val::unknown(Ty::named(self.models.language.string, Vec::new())).with_deps(&deps)
            }
            MacroArgsKind::Assert => Val::unit(),
            MacroArgsKind::Constant | MacroArgsKind::Unknown => Val::unknown(Ty::Unknown).with_deps(&deps),
        }
    }

    /// What formatting or comparing through a reference reads.
    pub(super) fn observe_pointees(&mut self, cx: &Cx, value: &Val, arg: ExprId) -> Deps {
        let range = cx.body.body.expr(arg).range;
        let operand = match &cx.body.body.expr(arg).kind {
            ExprKind::Borrow { operand, .. } => cx.body.body.expr(*operand).range,
            _ => range,
        };
        let mut deps = Deps::default();
        let mut at = value.clone();
        for _ in 0..3 {
            let leads_on = at.alts.iter().any(|k| matches!(k, Kind::Pointer(..) | Kind::Guard(_)));
            let plain = matches!(at.ty, Ty::Ext(..)) && self.models.role(&at.ty) == Role::Plain;
            if !leads_on || plain || self.is_address(&at.ty) {
                break;
            }
            let lval = self.deref_value(cx, &at, arg);
            deps = deps.join(&self.log_lval(cx, &lval, &AccessInfo::plain(AccessKind::Read, operand)));
            at = self.peek(&lval);
            deps = deps.join(&at.all_deps());
        }
        deps.join(&self.observe_payloads(cx, value, arg))
    }

    /// The same of the references in an `Option`, a `Result` or a tuple: these look at what they hold, each variant where it is
    /// the one that is there.
    fn observe_payloads(&mut self, cx: &Cx, value: &Val, arg: ExprId) -> Deps {
        if !matches!(value.ty, Ty::Ext(..) | Ty::Tuple(_) | Ty::Unknown) {
            return Deps::default();
        }
        let mut deps = Deps::default();
        for kind in &value.alts {
            let Kind::Aggregate(parts) = kind else { continue };
            let held = parts.fields.iter().filter(|(step, _)| matches!(step, Proj::Field(_)));
            let held: Vec<&Val> =
                held.map(|(_, part)| part).filter(|part| part.pointers().next().is_some()).collect();
            if held.is_empty() {
                continue;
            }
            let before = self.st.clone();
            self.st.control = self.st.control.join(&value.deps);
            self.recall_variant(&Val::of(kind.clone(), Ty::Unknown));
            for part in held {
                deps = deps.join(&self.observe_pointees(cx, &part.clone().with_deps(&value.deps), arg));
            }
            let looked = std::mem::replace(&mut self.st, before);
            self.st.seen = self.st.seen.join(&looked.seen);
        }
        deps
    }

    fn cast(&mut self, value: Val, ty: Ty) -> Val {
        let mut value = value;
        let raw = matches!(ty, Ty::Ptr { .. });
        if raw {
            let narrows = self.pointer_ty(&value.ty).is_some_and(|(_, from)| is_array_ty(&from))
                && matches!(&ty, Ty::Ptr { inner, .. } if !is_array_ty(inner) && !inner.is_unknown());
            for kind in &mut value.alts {
                if let Kind::Pointer(place, how) = kind {
                    *how = Pointer::Raw;
                    if narrows {
                        *place = self.first_of(*place);
                    }
                }
            }
        }
        let keeps = matches!(ty, Ty::Unknown) || matches!(&ty, Ty::Ptr { inner, .. } if inner.is_unknown());
        if !keeps {
            value.term = value.term.take().and_then(|term| narrowed(term, &value.ty, &ty));
            value.ty = ty;
        } else if raw {
            let inner = self.pointer_ty(&value.ty).map_or(Ty::Unknown, |(_, inner)| inner);
            value.ty = Ty::Ptr { mutable: true, inner: inner.into() };
        }
        value
    }

    /// Finds the temporaries of a `let` initializer that live to the block's end. (Reference: "Temporary lifetime extension".)
    pub(super) fn extended_temporaries(&self, cx: &Cx, id: ExprId, found: &mut Vec<ExprId>) {
        match &cx.body.body.expr(id).kind {
            ExprKind::Borrow { operand, .. } => {
                let mut at = *operand;
                loop {
                    at = match &cx.body.body.expr(at).kind {
                        ExprKind::Unary { op: UnaryOp::Deref, operand } => *operand,
                        ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => *base,
                        _ => break,
                    };
                }
                found.push(at);
                self.extended_temporaries(cx, at, found);
            }
            ExprKind::Struct { fields, .. } => {
                fields.iter().for_each(|(_, e)| self.extended_temporaries(cx, *e, found))
            }
            ExprKind::Tuple(parts) | ExprKind::Array { elements: parts, .. } => {
                parts.iter().for_each(|e| self.extended_temporaries(cx, *e, found));
            }
            ExprKind::Cast { operand, .. } => self.extended_temporaries(cx, *operand, found),
            ExprKind::Block(block) => {
                if let Some(tail) = block.tail {
                    self.extended_temporaries(cx, tail, found);
                }
            }
            ExprKind::If { then, else_, .. } => {
                self.extended_temporaries(cx, *then, found);
                if let Some(else_) = else_ {
                    self.extended_temporaries(cx, *else_, found);
                }
            }
            ExprKind::Match { arms, .. } => {
                arms.iter().for_each(|arm| self.extended_temporaries(cx, arm.body, found))
            }
            _ => {}
        }
    }
}

/// An associated type behind nothing or references.
fn leads_to_assoc(ty: &Ty) -> bool {
    match ty {
        Ty::Ref { inner, .. } => leads_to_assoc(inner),
        other => matches!(other, Ty::Assoc(..)),
    }
}

fn is_array_ty(ty: &Ty) -> bool {
    matches!(ty, Ty::Array(_) | Ty::Slice(_))
}

pub(super) fn field(n: usize) -> Proj {
    static FIRST: LazyLock<[Name; 16]> = LazyLock::new(|| std::array::from_fn(|n| Name::new(&n.to_string())));
    Proj::Field(FIRST.get(n).copied().unwrap_or_else(|| Name::new(&n.to_string())))
}

/// What literals are, where nothing says otherwise.
struct LiteralTypes {
    int: Ty,
    float: Ty,
    bool: Ty,
    char: Ty,
    str: Ty,
}

static LITERAL: LazyLock<LiteralTypes> = LazyLock::new(|| {
    let prim = |name| Ty::Prim(Name::new(name));
    LiteralTypes {
        int: prim("i32"),
        float: prim("f64"),
        bool: prim("bool"),
        char: prim("char"),
        str: prim("str"),
    }
});

fn collection_ty(vec: Name, element: Ty, owned: bool) -> Ty {
    if owned { Ty::named(vec, vec![element]) } else { Ty::Array(element.into()) }
}

pub(super) fn literal(lit: &Lit) -> Val {
    let (kind, ty) = match lit {
        Lit::Int(value, suffix) => {
            let ty = suffix.map_or_else(|| LITERAL.int.clone(), Ty::Prim);
            match value {
                Some(n) => (Kind::Const(Const::Int(*n)), ty),
                None => return Val::unknown(ty),
            }
        }
        Lit::Float(text) => (Kind::Const(Const::Float(*text)), LITERAL.float.clone()),
        Lit::Bool(b) => (Kind::Const(Const::Bool(*b)), LITERAL.bool.clone()),
        Lit::Str(text) => (Kind::Const(Const::Str(*text)), Ty::reference(false, LITERAL.str.clone())),
        Lit::Char(c) => (Kind::Const(Const::Char(*c)), LITERAL.char.clone()),
        Lit::Other => return Val::unknown(Ty::Unknown),
    };
    Val::of(kind, ty)
}

/// The index an index value stands for by itself.
pub(super) fn index_of(value: &Val) -> Index {
    match value.single() {
        Some(Kind::Const(Const::Int(n))) => Index::Const(*n),
        Some(Kind::Linear(l, m, c)) => Index::Linear(*l, *m, *c),
        Some(Kind::Block(l, m, c, _)) => Index::Block(*l, *m, *c),
        Some(Kind::Portion(l, portion)) if portion.is_own() => Index::Portion(*l, *portion),
        _ => Index::Any,
    }
}

/// A number cast to a type: a small one loses the upper bits.
fn narrowed(term: Rc<Term>, from: &Ty, to: &Ty) -> Option<Rc<Term>> {
    const SMALL: u32 = 16;
    let (bits, signed) = integer_bits(to)?;
    if bits > SMALL || integer_bits(from).is_some_and(|(old, _)| old <= bits) {
        return Some(term);
    }
    let mask = Rc::new(Term::Const((1 << bits) - 1));
    (!signed).then(|| Term::apply(Operator::Binary(BinaryOp::BitAnd), &term, &mask))?
}

/// Nothing says what it stands for.
fn is_vague(ty: &Ty) -> bool {
    matches!(ty, Ty::Unknown | Ty::Param(_))
}
