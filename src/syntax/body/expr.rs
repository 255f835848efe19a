//! Expressions without blocks of their own: operators, calls, places, literals.
//!
//! In: syn expressions. Out: `ExprId`s of the body's arena. Operands on the left (`a` in `a + b`, `a.b()`, `a?`) are
//! found in a loop, so that chains of any length need no stack. Parentheses vanish, but widen the range.

use super::attrs::of_expr;
use super::{Lowering, MAX_DEPTH};
use crate::hir::{BinaryOp, BlockKind, ExprId, ExprKind, Name, Path, TextRange, Type, UnaryOp};
use crate::syntax::patterns::{lower_lit, lower_pat, member_name};
use crate::syntax::types::{lower_generic_args, lower_path, lower_type, name_of};
use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::{BinOp, Expr, Member, RangeLimits, UnOp};

impl Lowering<'_, '_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> ExprId {
        if self.state.depth >= MAX_DEPTH {
            return self.cut(self.map.whole());
        }
        self.state.depth += 1;
        let mut around = Vec::new();
        let mut innermost = expr;
        while let Some(left) = left_operand(innermost) {
            around.push(innermost);
            innermost = left;
        }
        let mut id = self.operand(innermost);
        while let Some(outer) = around.pop() {
            id = self.around(outer, id);
        }
        self.state.depth -= 1;
        id
    }

    /// All that are in the build.
    pub(super) fn exprs<P>(&mut self, exprs: &Punctuated<Expr, P>) -> Vec<ExprId> {
        let mut ids = Vec::with_capacity(exprs.len());
        for expr in exprs {
            if self.enabled(of_expr(expr)) {
                ids.push(self.expr(expr));
            }
        }
        ids
    }

    fn optional(&mut self, expr: Option<&Expr>) -> Option<ExprId> {
        expr.map(|expr| self.expr(expr))
    }

    pub(super) fn ty(&mut self, ty: &syn::Type) -> Type {
        lower_type(ty, self.map, &mut self.state.counters)
    }

    pub(super) fn pat(&mut self, pat: &syn::Pat) -> crate::hir::Pat {
        lower_pat(pat, self.map, &mut self.state.counters)
    }

    fn path(&mut self, path: &syn::Path, qself: Option<&syn::QSelf>) -> Path {
        lower_path(path, qself, self.map, &mut self.state.counters)
    }

    /// An expression whose left operand (see `left_operand`) is lowered already.
    fn around(&mut self, expr: &Expr, left: ExprId) -> ExprId {
        let lo = self.range_of(left);
        let (kind, hi) = match expr {
            Expr::Binary(binary) => {
                let right = self.expr(&binary.right);
                (binary_kind(&binary.op, left, right), self.range_of(right))
            }
            Expr::Assign(assign) => {
                let right = self.expr(&assign.right);
                (ExprKind::Assign { left, right }, self.range_of(right))
            }
            Expr::MethodCall(call) => {
                let generics = call.turbofish.as_ref();
                let generic_args = generics.map_or_else(Vec::new, |args| self.type_args(args));
                let kind = ExprKind::MethodCall {
                    receiver: left,
                    method: name_of(&call.method),
                    name_range: self.range(call.method.span()),
                    generic_args,
                    args: self.exprs(&call.args),
                };
                (kind, self.range(call.paren_token.span.close()))
            }
            Expr::Field(field) => {
                let name_range = match &field.member {
                    Member::Named(ident) => self.range(ident.span()),
                    Member::Unnamed(index) => self.range(index.span),
                };
                (ExprKind::Field { base: left, name: member_name(&field.member), name_range }, name_range)
            }
            Expr::Call(call) => {
                let kind = ExprKind::Call { callee: left, args: self.exprs(&call.args) };
                (kind, self.range(call.paren_token.span.close()))
            }
            Expr::Index(index) => {
                let kind = ExprKind::Index { base: left, index: self.expr(&index.index) };
                (kind, self.range(index.bracket_token.span.close()))
            }
            Expr::Try(question) => (ExprKind::Try(left), self.range(question.question_token.span)),
            Expr::Await(it) => (ExprKind::Await(left), self.range(it.await_token.span)),
            Expr::Cast(cast) => {
                let ty = self.ty(&cast.ty);
                let hi = type_end(&ty).unwrap_or_else(|| self.range(cast.as_token.span));
                (ExprKind::Cast { operand: left, ty }, hi)
            }
            Expr::Paren(paren) => {
                let span = paren.paren_token.span;
                let outer = self.between(span.open(), span.close());
                if outer.contains(lo) {
                    self.state.exprs[left.0 as usize].range = outer;
                }
                return left;
            }
            _ => return left,
        };
        self.alloc(kind, lo.to(hi))
    }

    /// The types of a turbofish.
    fn type_args(&mut self, args: &syn::AngleBracketedGenericArguments) -> Vec<Type> {
        let args = lower_generic_args(args, self.map, &mut self.state.counters);
        let types = args.into_iter().map(|arg| match arg {
            crate::hir::GenericArg::Type(ty) => ty,
            crate::hir::GenericArg::Const(_) | crate::hir::GenericArg::Assoc(..) => Type::Unknown,
        });
        types.collect()
    }

    /// An expression that doesn't begin with another one.
    fn operand(&mut self, expr: &Expr) -> ExprId {
        match expr {
            Expr::Lit(lit) => {
                let range = self.range(lit.lit.span());
                self.alloc(ExprKind::Lit(lower_lit(&lit.lit)), range)
            }
            Expr::Path(path) => {
                let path = self.path(&path.path, path.qself.as_ref());
                let range = path.range;
                self.alloc(ExprKind::Path(path), range)
            }
            Expr::Macro(call) => self.macro_expr(&call.mac),
            Expr::Unary(unary) => self.unary(unary),
            Expr::Reference(borrow) => {
                let mutable = borrow.mutability.is_some();
                self.borrow(borrow.and_token.span, mutable, false, &borrow.expr)
            }
            Expr::RawAddr(borrow) => {
                let mutable = matches!(borrow.mutability, syn::PointerMutability::Mut(_));
                self.borrow(borrow.and_token.span, mutable, true, &borrow.expr)
            }
            Expr::Tuple(tuple) => {
                let kind = ExprKind::Tuple(self.exprs(&tuple.elems));
                self.delimited(kind, &tuple.paren_token.span)
            }
            Expr::Array(array) => {
                let kind = ExprKind::Array { elements: self.exprs(&array.elems), owned: false };
                self.delimited(kind, &array.bracket_token.span)
            }
            Expr::Repeat(repeat) => {
                let element = self.expr(&repeat.expr);
                let kind = ExprKind::Repeat { element, len: self.expr(&repeat.len), owned: false };
                self.delimited(kind, &repeat.bracket_token.span)
            }
            Expr::Range(range) => self.range_expr(range),
            Expr::Struct(literal) => self.struct_literal(literal),
            Expr::Let(condition) => {
                let pat = self.pat(&condition.pat);
                let scrutinee = self.expr(&condition.expr);
                let range = self.range(condition.let_token.span).to(self.range_of(scrutinee));
                self.alloc(ExprKind::Let { pat, scrutinee }, range)
            }
            Expr::Return(it) => {
                let value = self.optional(it.expr.as_deref());
                self.keyword(ExprKind::Return(value), it.return_token.span, value)
            }
            Expr::Break(it) => {
                let value = self.optional(it.expr.as_deref());
                let label = it.label.as_ref().map(label_name);
                self.keyword(ExprKind::Break { label, value }, it.break_token.span, value)
            }
            Expr::Continue(it) => {
                let label = it.label.as_ref().map(label_name);
                self.keyword(ExprKind::Continue { label }, it.continue_token.span, None)
            }
            Expr::If(it) => self.if_chain(it),
            Expr::Match(it) => self.match_expr(it),
            Expr::While(it) => self.while_loop(it),
            Expr::Loop(it) => self.endless_loop(it),
            Expr::ForLoop(it) => self.for_loop(it),
            Expr::Closure(it) => self.closure(it),
            Expr::Block(it) => self.labeled_block(it),
            Expr::Unsafe(it) => self.keyword_block(&it.block, BlockKind::Unsafe, it.unsafe_token.span),
            Expr::Const(it) => self.keyword_block(&it.block, BlockKind::Const, it.const_token.span),
            Expr::TryBlock(it) => self.keyword_block(&it.block, BlockKind::Try, it.try_token.span),
            Expr::Async(it) => {
                let kind = BlockKind::Async { is_move: it.capture.is_some() };
                self.keyword_block(&it.block, kind, it.async_token.span)
            }
            Expr::Infer(it) => self.keyword(ExprKind::Missing, it.underscore_token.span, None),
            Expr::Yield(it) => self.keyword(ExprKind::Missing, it.yield_token.span, None),
            Expr::Verbatim(tokens) => {
                let range = self.stream_range(tokens);
                self.alloc(ExprKind::Missing, range)
            }
            // Those with a left operand don't get here; the rest is newer than us.
            _ => self.alloc(ExprKind::Missing, self.map.whole()),
        }
    }

    fn unary(&mut self, unary: &syn::ExprUnary) -> ExprId {
        let operand = self.expr(&unary.expr);
        let (op, span) = match &unary.op {
            UnOp::Deref(token) => (UnaryOp::Deref, token.span),
            UnOp::Not(token) => (UnaryOp::Not, token.span),
            UnOp::Neg(token) => (UnaryOp::Neg, token.span),
            _ => return operand,
        };
        self.keyword(ExprKind::Unary { op, operand }, span, Some(operand))
    }

    fn borrow(&mut self, start: proc_macro2::Span, mutable: bool, raw: bool, operand: &Expr) -> ExprId {
        let operand = self.expr(operand);
        self.keyword(ExprKind::Borrow { mutable, raw, operand }, start, Some(operand))
    }

    /// An expression that reaches from a token to the end of its last operand.
    pub(super) fn keyword(
        &mut self,
        kind: ExprKind,
        start: proc_macro2::Span,
        last: Option<ExprId>,
    ) -> ExprId {
        let lo = self.range(start);
        let range = last.map_or(lo, |last| lo.to(self.range_of(last)));
        self.alloc(kind, range)
    }

    fn delimited(&mut self, kind: ExprKind, span: &proc_macro2::extra::DelimSpan) -> ExprId {
        let range = self.between(span.open(), span.close());
        self.alloc(kind, range)
    }

    fn range_expr(&mut self, range: &syn::ExprRange) -> ExprId {
        let lo = self.optional(range.start.as_deref());
        let hi = self.optional(range.end.as_deref());
        let (inclusive, spans) = match &range.limits {
            RangeLimits::HalfOpen(token) => (false, &token.spans[..]),
            RangeLimits::Closed(token) => (true, &token.spans[..]),
        };
        let mut whole = self.between(spans[0], spans[spans.len() - 1]);
        for end in [lo, hi].into_iter().flatten() {
            whole = whole.to(self.range_of(end));
        }
        self.alloc(ExprKind::Range { lo, hi, inclusive }, whole)
    }

    fn struct_literal(&mut self, literal: &syn::ExprStruct) -> ExprId {
        let path = self.path(&literal.path, literal.qself.as_ref());
        let mut fields = Vec::with_capacity(literal.fields.len());
        for field in &literal.fields {
            if self.enabled(&field.attrs) {
                fields.push((member_name(&field.member), self.expr(&field.expr)));
            }
        }
        let base = self.optional(literal.rest.as_deref());
        let range = path.range.to(self.range(literal.brace_token.span.close()));
        self.alloc(ExprKind::Struct { path, fields, base }, range)
    }

    /// From the first to the last token.
    pub(super) fn stream_range(&self, tokens: &TokenStream) -> TextRange {
        let ranges = tokens.clone().into_iter().map(|tree| self.range(tree.span()));
        ranges.reduce(TextRange::to).unwrap_or_else(|| self.map.whole())
    }
}

/// The operand that an expression begins with.
fn left_operand(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Binary(it) => Some(&it.left),
        Expr::Assign(it) => Some(&it.left),
        Expr::MethodCall(it) => Some(&it.receiver),
        Expr::Field(it) => Some(&it.base),
        Expr::Call(it) => Some(&it.func),
        Expr::Index(it) => Some(&it.expr),
        Expr::Try(it) => Some(&it.expr),
        Expr::Await(it) => Some(&it.base),
        Expr::Cast(it) => Some(&it.expr),
        Expr::Paren(it) => Some(&it.expr),
        Expr::Group(it) => Some(&it.expr),
        _ => None,
    }
}

/// With its `'`.
pub(super) fn label_name(label: &syn::Lifetime) -> Name {
    Name::new(&label.to_string())
}

/// Where a type as written ends, as far as its paths tell.
pub(in crate::syntax) fn type_end(ty: &Type) -> Option<TextRange> {
    match ty {
        Type::Path(path) => Some(path.range),
        Type::Ref { inner, .. } | Type::Ptr { inner, .. } => type_end(inner),
        Type::Dyn(bounds) | Type::Impl(bounds) => bounds.last().map(|bound| bound.path.range),
        Type::FnPtr { ret, .. } => ret.as_deref().and_then(type_end),
        Type::Tuple(_) | Type::Array(..) | Type::Slice(_) => None,
        Type::Never | Type::Infer | Type::Unknown => None,
    }
}

fn binary_kind(op: &BinOp, left: ExprId, right: ExprId) -> ExprKind {
    let (op, assigns) = match op {
        BinOp::Add(_) => (BinaryOp::Add, false),
        BinOp::Sub(_) => (BinaryOp::Sub, false),
        BinOp::Mul(_) => (BinaryOp::Mul, false),
        BinOp::Div(_) => (BinaryOp::Div, false),
        BinOp::Rem(_) => (BinaryOp::Rem, false),
        BinOp::And(_) => (BinaryOp::And, false),
        BinOp::Or(_) => (BinaryOp::Or, false),
        BinOp::BitXor(_) => (BinaryOp::BitXor, false),
        BinOp::BitAnd(_) => (BinaryOp::BitAnd, false),
        BinOp::BitOr(_) => (BinaryOp::BitOr, false),
        BinOp::Shl(_) => (BinaryOp::Shl, false),
        BinOp::Shr(_) => (BinaryOp::Shr, false),
        BinOp::Eq(_) => (BinaryOp::Eq, false),
        BinOp::Lt(_) => (BinaryOp::Lt, false),
        BinOp::Le(_) => (BinaryOp::Le, false),
        BinOp::Ne(_) => (BinaryOp::Ne, false),
        BinOp::Ge(_) => (BinaryOp::Ge, false),
        BinOp::Gt(_) => (BinaryOp::Gt, false),
        BinOp::AddAssign(_) => (BinaryOp::Add, true),
        BinOp::SubAssign(_) => (BinaryOp::Sub, true),
        BinOp::MulAssign(_) => (BinaryOp::Mul, true),
        BinOp::DivAssign(_) => (BinaryOp::Div, true),
        BinOp::RemAssign(_) => (BinaryOp::Rem, true),
        BinOp::BitXorAssign(_) => (BinaryOp::BitXor, true),
        BinOp::BitAndAssign(_) => (BinaryOp::BitAnd, true),
        BinOp::BitOrAssign(_) => (BinaryOp::BitOr, true),
        BinOp::ShlAssign(_) => (BinaryOp::Shl, true),
        BinOp::ShrAssign(_) => (BinaryOp::Shr, true),
        _ => return ExprKind::Missing,
    };
    if assigns { ExprKind::AssignOp { op, left, right } } else { ExprKind::Binary { op, left, right } }
}
