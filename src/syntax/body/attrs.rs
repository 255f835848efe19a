//! Attributes in bodies: which statements, expressions, arms and fields are in the build.
//!
//! In: syn's attributes. Out: whether `MacroScope::enabled` keeps what they stand on.

use super::Lowering;
use crate::syntax::types::lower_attrs;
use syn::{Attribute, Expr};

impl Lowering<'_, '_> {
    /// Whether what has these attributes is compiled.
    pub(super) fn enabled(&self, attrs: &[Attribute]) -> bool {
        attrs.is_empty() || self.state.macros.enabled(&lower_attrs(attrs, self.map))
    }

    /// The same for a statement's expression: its attributes are the leftmost operand's.
    pub(super) fn statement_enabled(&self, expr: &Expr) -> bool {
        let mut expr = expr;
        loop {
            if !self.enabled(of_expr(expr)) {
                return false;
            }
            expr = match expr {
                Expr::Assign(assign) => &assign.left,
                Expr::Binary(binary) => &binary.left,
                Expr::Cast(cast) => &cast.expr,
                _ => return true,
            };
        }
    }
}

/// An expression's own outer attributes.
pub(super) fn of_expr(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Array(syn::ExprArray { attrs, .. })
        | Expr::Assign(syn::ExprAssign { attrs, .. })
        | Expr::Async(syn::ExprAsync { attrs, .. })
        | Expr::Await(syn::ExprAwait { attrs, .. })
        | Expr::Binary(syn::ExprBinary { attrs, .. })
        | Expr::Block(syn::ExprBlock { attrs, .. })
        | Expr::Break(syn::ExprBreak { attrs, .. })
        | Expr::Call(syn::ExprCall { attrs, .. })
        | Expr::Cast(syn::ExprCast { attrs, .. })
        | Expr::Closure(syn::ExprClosure { attrs, .. })
        | Expr::Const(syn::ExprConst { attrs, .. })
        | Expr::Continue(syn::ExprContinue { attrs, .. })
        | Expr::Field(syn::ExprField { attrs, .. })
        | Expr::ForLoop(syn::ExprForLoop { attrs, .. })
        | Expr::Group(syn::ExprGroup { attrs, .. })
        | Expr::If(syn::ExprIf { attrs, .. })
        | Expr::Index(syn::ExprIndex { attrs, .. })
        | Expr::Infer(syn::ExprInfer { attrs, .. })
        | Expr::Let(syn::ExprLet { attrs, .. })
        | Expr::Lit(syn::ExprLit { attrs, .. })
        | Expr::Loop(syn::ExprLoop { attrs, .. })
        | Expr::Macro(syn::ExprMacro { attrs, .. })
        | Expr::Match(syn::ExprMatch { attrs, .. })
        | Expr::MethodCall(syn::ExprMethodCall { attrs, .. })
        | Expr::Paren(syn::ExprParen { attrs, .. })
        | Expr::Path(syn::ExprPath { attrs, .. })
        | Expr::Range(syn::ExprRange { attrs, .. })
        | Expr::RawAddr(syn::ExprRawAddr { attrs, .. })
        | Expr::Reference(syn::ExprReference { attrs, .. })
        | Expr::Repeat(syn::ExprRepeat { attrs, .. })
        | Expr::Return(syn::ExprReturn { attrs, .. })
        | Expr::Struct(syn::ExprStruct { attrs, .. })
        | Expr::Try(syn::ExprTry { attrs, .. })
        | Expr::TryBlock(syn::ExprTryBlock { attrs, .. })
        | Expr::Tuple(syn::ExprTuple { attrs, .. })
        | Expr::Unary(syn::ExprUnary { attrs, .. })
        | Expr::Unsafe(syn::ExprUnsafe { attrs, .. })
        | Expr::While(syn::ExprWhile { attrs, .. })
        | Expr::Yield(syn::ExprYield { attrs, .. }) => attrs,
        _ => &[],
    }
}
