//! Expressions with blocks: conditions, loops, matches, closures.
//!
//! In: syn expressions. Out: `ExprId`s. An `else if` chain is lowered in a loop.

use super::Lowering;
use super::expr::label_name;
use crate::hir::{Arm, BlockKind, Closure, ExprId, ExprKind, Pat, TextRange, Type};
use crate::syntax::types::lower_return;
use proc_macro2::Span;
use syn::Expr;

impl Lowering<'_, '_> {
    pub(super) fn plain_block(&mut self, block: &syn::Block) -> ExprId {
        self.block_expr(block, BlockKind::Plain, None, None)
    }

    pub(super) fn keyword_block(&mut self, block: &syn::Block, kind: BlockKind, keyword: Span) -> ExprId {
        let start = self.range(keyword);
        self.block_expr(block, kind, None, Some(start))
    }

    pub(super) fn labeled_block(&mut self, it: &syn::ExprBlock) -> ExprId {
        let label = it.label.as_ref();
        let start = label.map(|label| self.label_start(label));
        self.block_expr(&it.block, BlockKind::Plain, label.map(|label| label_name(&label.name)), start)
    }

    fn label_start(&self, label: &syn::Label) -> TextRange {
        self.range(label.name.apostrophe)
    }

    /// From a loop's label, or its keyword, to the end of its body.
    fn loop_range(&self, label: Option<&syn::Label>, keyword: Span, body: ExprId) -> TextRange {
        let start = label.map_or_else(|| self.range(keyword), |label| self.label_start(label));
        start.to(self.range_of(body))
    }

    pub(super) fn if_chain(&mut self, first: &syn::ExprIf) -> ExprId {
        let mut links = Vec::new();
        let mut link = first;
        let mut else_ = loop {
            let cond = self.expr(&link.cond);
            let then = self.plain_block(&link.then_branch);
            links.push((self.range(link.if_token.span), cond, then));
            match link.else_branch.as_ref().map(|(_, branch)| &**branch) {
                Some(Expr::If(next)) => link = next,
                Some(last) => break Some(self.expr(last)),
                None => break None,
            }
        };
        while let Some((start, cond, then)) = links.pop() {
            let range = start.to(self.range_of(else_.unwrap_or(then)));
            else_ = Some(self.alloc(ExprKind::If { cond, then, else_ }, range));
        }
        else_.unwrap_or_else(|| self.cut(self.map.whole()))
    }

    pub(super) fn match_expr(&mut self, it: &syn::ExprMatch) -> ExprId {
        let scrutinee = self.expr(&it.expr);
        let mut arms = Vec::with_capacity(it.arms.len());
        for arm in &it.arms {
            if !self.enabled(&arm.attrs) {
                continue;
            }
            let (pat, guard) = self.guarded_pat(&arm.pat);
            arms.push(Arm { pat, guard, body: self.expr(&arm.body) });
        }
        let range = self.between(it.match_token.span, it.brace_token.span.close());
        self.alloc(ExprKind::Match { scrutinee, arms }, range)
    }

    /// `pat` or `pat if guard`
    pub(super) fn guarded_pat(&mut self, pat: &syn::Pat) -> (Pat, Option<ExprId>) {
        match pat {
            syn::Pat::Guard(guarded) => (self.pat(&guarded.pat), Some(self.expr(&guarded.guard))),
            plain => (self.pat(plain), None),
        }
    }

    pub(super) fn while_loop(&mut self, it: &syn::ExprWhile) -> ExprId {
        let cond = self.expr(&it.cond);
        let body = self.plain_block(&it.body);
        let range = self.loop_range(it.label.as_ref(), it.while_token.span, body);
        let label = it.label.as_ref().map(|label| label_name(&label.name));
        self.alloc(ExprKind::While { label, cond, body }, range)
    }

    pub(super) fn endless_loop(&mut self, it: &syn::ExprLoop) -> ExprId {
        let body = self.plain_block(&it.body);
        let range = self.loop_range(it.label.as_ref(), it.loop_token.span, body);
        let label = it.label.as_ref().map(|label| label_name(&label.name));
        self.alloc(ExprKind::Loop { label, body }, range)
    }

    pub(super) fn for_loop(&mut self, it: &syn::ExprForLoop) -> ExprId {
        let pat = self.pat(&it.pat);
        let iter = self.expr(&it.expr);
        let body = self.plain_block(&it.body);
        let range = self.loop_range(it.label.as_ref(), it.for_token.span, body);
        let label = it.label.as_ref().map(|label| label_name(&label.name));
        self.alloc(ExprKind::For { label, pat, iter, body }, range)
    }

    pub(super) fn closure(&mut self, it: &syn::ExprClosure) -> ExprId {
        let params = it.inputs.iter().map(|param| self.typed_pat(param)).collect();
        let ret = lower_return(&it.output, self.map, &mut self.state.counters);
        let body = self.expr(&it.body);
        let first = it
            .lifetimes
            .as_ref()
            .map(|binder| binder.for_token.span)
            .or_else(|| it.constness.as_ref().map(|token| token.span))
            .or_else(|| it.asyncness.as_ref().map(|token| token.span))
            .or_else(|| it.capture.as_ref().map(|token| token.span))
            .unwrap_or(it.inputs_begin.span);
        let closure =
            Closure { params, ret, body, is_move: it.capture.is_some(), is_async: it.asyncness.is_some() };
        self.keyword(ExprKind::Closure(closure), first, Some(body))
    }

    /// `pat` or `pat: type`
    pub(super) fn typed_pat(&mut self, pat: &syn::Pat) -> (Pat, Option<Type>) {
        match pat {
            syn::Pat::Type(typed) => (self.pat(&typed.pat), Some(self.ty(&typed.ty))),
            plain => (self.pat(plain), None),
        }
    }
}
