//! Operators on types of the program: they call the function of the trait that overloads them. (Reference: "Operator expressions".)
//!
//! In: the operator with its operands. Out: what the user's function gives; `None` where the operands' types have none of their
//! own, and the operator is the language's.

use super::memory::Lval;
use super::places_of::MAX_DEREFS;
use super::values::{Pointer, Val};
use super::{Cx, Interp};
use crate::hir::{BinaryOp, ExprId, Name, UnaryOp};
use crate::models::SelfMode;
use crate::resolve::{Method, Owner, TraitKey, Ty};

/// An operand, as far as it has been evaluated: comparisons borrow places, other operators take their value.
enum Operand {
    Place(Lval),
    Value(Val),
}

impl Interp<'_> {
    pub(super) fn eval_binary(
        &mut self,
        cx: &Cx,
        id: ExprId,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    ) -> Val {
        let first = self.begin_operand(cx, left);
        let ty = match &first {
            Operand::Place(lval) => &lval.ty,
            Operand::Value(value) => &value.ty,
        };
        let methods = self.overloads(ty, binary_methods(op));
        if methods.is_empty() {
            let a = self.finish_operand(cx, left, first);
            let a = self.behind_reference(cx, left, a);
            let b = self.eval_operand(cx, right);
            return self.binary(op, &a, &b);
        }
        let borrows = self.self_mode(methods.first()) != SelfMode::Value;
        let this = self.passed(cx, left, first, borrows);
        let second = self.begin_operand(cx, right);
        let other = self.passed(cx, right, second, borrows);
        let result = self.call_operator(cx, id, methods, this, vec![other]);
        if !is_comparison(op) || !self.st.reachable {
            return result;
        }
        // The function may be another comparison's (`eq` for `!=`, `partial_cmp` for `<`): what it gives isn't the truth.
        Val::unknown(Ty::Prim(Name::new("bool"))).with_deps(&result.all_deps())
    }

    /// `-x`, `!x`
    pub(super) fn user_unary(&mut self, cx: &Cx, id: ExprId, op: UnaryOp, value: &Val) -> Option<Val> {
        let name = match op {
            UnaryOp::Not => "not",
            UnaryOp::Neg => "neg",
            UnaryOp::Deref => return None,
        };
        let methods = self.overloads(&value.ty, &[name]);
        (!methods.is_empty()).then(|| self.call_operator(cx, id, methods, value.clone(), Vec::new()))
    }

    /// `x += y`
    pub(super) fn user_assign_op(
        &mut self,
        cx: &Cx,
        id: ExprId,
        op: BinaryOp,
        target: &Lval,
        operand: &Val,
    ) -> Option<Val> {
        let methods = self.overloads(&target.ty, &[assigning_method(op)?]);
        if methods.is_empty() {
            return None;
        }
        let this = self.pointer_to(target, Pointer::Exclusive);
        Some(self.call_operator(cx, id, methods, this, vec![operand.clone()]))
    }

    /// Calls the one of a type's overloads that is for the other operand's type.
    fn call_operator(&mut self, cx: &Cx, id: ExprId, methods: Vec<Method>, this: Val, args: Vec<Val>) -> Val {
        if !self.st.reachable {
            return Val::bottom();
        }
        let takes = |method: &&Method| {
            let declared = self.program.sig(method.id).params.first();
            let mut subst = method.subst.clone();
            let fits = |(ty, other): (&Ty, &Val)| self.program.unify(&subst.apply(ty), &other.ty, &mut subst);
            declared.zip(args.first()).is_none_or(fits)
        };
        let fitting: Vec<Method> = methods.iter().filter(takes).cloned().collect();
        // A number's type may be known from its use only.
        let methods = if fitting.is_empty() { methods } else { fitting };
        self.each_alternative(methods, |walk, method| {
            walk.call_fn(cx, id, method.id, method.subst, Some(this.clone()), args.clone())
        })
    }

    fn begin_operand(&mut self, cx: &Cx, expr: ExprId) -> Operand {
        if self.is_place(cx, expr) {
            Operand::Place(self.lval(cx, expr, false))
        } else {
            Operand::Value(self.eval(cx, expr))
        }
    }

    fn finish_operand(&mut self, cx: &Cx, expr: ExprId, operand: Operand) -> Val {
        match operand {
            Operand::Value(value) => value,
            Operand::Place(lval) => {
                let value = self.read(cx, &lval, cx.body.body.expr(expr).range);
                self.move_out(&lval, &value);
                value
            }
        }
    }

    /// An operand as the function gets it: by value, or a reference to what it is or points to.
    fn passed(&mut self, cx: &Cx, expr: ExprId, operand: Operand, borrows: bool) -> Val {
        let lval = match operand {
            operand if !borrows => return self.finish_operand(cx, expr, operand),
            Operand::Place(lval) => lval,
            Operand::Value(value) => self.materialize(cx, expr, value),
        };
        let mut at = lval;
        for _ in 0..MAX_DEREFS {
            if !matches!(at.ty, Ty::Ref { .. }) {
                break;
            }
            at = self.deref(cx, &at, expr, false);
        }
        self.pointer_to(&at, Pointer::Shared)
    }

    /// The functions of operators' traits that a type of the program, or a reference to one, has by the first of these names.
    fn overloads(&self, ty: &Ty, names: &[&str]) -> Vec<Method> {
        let mut own = ty;
        while let Ty::Ref { inner, .. } = own {
            own = inner;
        }
        if !matches!(own, Ty::Adt(..)) {
            return Vec::new();
        }
        let of_library_trait = |method: &Method| {
            let Owner::Impl(id) = self.program.fn_def(method.id).owner else { return false };
            let of_trait = self.program.impls[id.index()].trait_.as_ref();
            of_trait.is_some_and(|of_trait| matches!(of_trait.key, TraitKey::Ext(_)))
        };
        // References have operators of their own, or are compared by what they point to.
        for ty in [ty, own] {
            for name in names {
                let mut found = self.program.methods(ty, Name::new(name));
                found.retain(of_library_trait);
                if !found.is_empty() {
                    return found;
                }
            }
        }
        Vec::new()
    }
}

pub(super) fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp as B;
    matches!(op, B::Eq | B::Ne | B::Lt | B::Le | B::Gt | B::Ge)
}

/// The functions that an operator calls: its own, or the one that its own is made of.
fn binary_methods(op: BinaryOp) -> &'static [&'static str] {
    match op {
        BinaryOp::Add => &["add"],
        BinaryOp::Sub => &["sub"],
        BinaryOp::Mul => &["mul"],
        BinaryOp::Div => &["div"],
        BinaryOp::Rem => &["rem"],
        BinaryOp::BitXor => &["bitxor"],
        BinaryOp::BitAnd => &["bitand"],
        BinaryOp::BitOr => &["bitor"],
        BinaryOp::Shl => &["shl"],
        BinaryOp::Shr => &["shr"],
        BinaryOp::Eq => &["eq"],
        BinaryOp::Ne => &["ne", "eq"],
        BinaryOp::Lt => &["lt", "partial_cmp"],
        BinaryOp::Le => &["le", "partial_cmp"],
        BinaryOp::Gt => &["gt", "partial_cmp"],
        BinaryOp::Ge => &["ge", "partial_cmp"],
        BinaryOp::And | BinaryOp::Or => &[],
    }
}

fn assigning_method(op: BinaryOp) -> Option<&'static str> {
    Some(match op {
        BinaryOp::Add => "add_assign",
        BinaryOp::Sub => "sub_assign",
        BinaryOp::Mul => "mul_assign",
        BinaryOp::Div => "div_assign",
        BinaryOp::Rem => "rem_assign",
        BinaryOp::BitXor => "bitxor_assign",
        BinaryOp::BitAnd => "bitand_assign",
        BinaryOp::BitOr => "bitor_assign",
        BinaryOp::Shl => "shl_assign",
        BinaryOp::Shr => "shr_assign",
        _ => return None,
    })
}
