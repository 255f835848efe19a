//! Blocks and statements.
//!
//! In: syn blocks. Out: `hir::Block`s; items declared in a block go to `Body::block_items`, its `macro_rules!` are in
//! scope from their definition to the block's end.

use super::Lowering;
use crate::hir::{BlockKind, ExprId, Item, Name, Stmt, TextRange};
use crate::syntax::items::lower_items;
use syn::Expr;

/// What the statements of a block have come to so far.
#[derive(Default)]
pub(in crate::syntax) struct Contents {
    pub(in crate::syntax) items: Vec<Item>,
    pub(in crate::syntax) stmts: Vec<Stmt>,
    pub(in crate::syntax) tail: Option<ExprId>,
}

impl Lowering<'_, '_> {
    /// A block as an expression; `start`: the keyword or label before its brace.
    pub(super) fn block_expr(
        &mut self,
        block: &syn::Block,
        kind: BlockKind,
        label: Option<Name>,
        start: Option<TextRange>,
    ) -> ExprId {
        let braces = block.brace_token.span;
        let range = self.between(braces.open(), braces.close());
        let range = start.map_or(range, |start| start.to(range));
        self.block_of(&block.stmts, kind, label, range)
    }

    /// Statements in a scope of their own.
    pub(super) fn block_of(
        &mut self,
        stmts: &[syn::Stmt],
        kind: BlockKind,
        label: Option<Name>,
        range: TextRange,
    ) -> ExprId {
        let macros_outside = self.state.local_macros.len();
        let mut contents = Contents::default();
        self.statements(stmts, &mut contents);
        self.state.local_macros.truncate(macros_outside);
        self.state.finish_block(contents, kind, label, range)
    }

    /// Lowers statements into the block that `out` collects; a last expression without `;` is its tail.
    pub(super) fn statements(&mut self, stmts: &[syn::Stmt], out: &mut Contents) {
        for (at, stmt) in stmts.iter().enumerate() {
            self.statement(stmt, at + 1 == stmts.len(), out);
        }
    }

    fn statement(&mut self, stmt: &syn::Stmt, last: bool, out: &mut Contents) {
        match stmt {
            syn::Stmt::Local(local) if self.enabled(&local.attrs) => {
                let stmt = self.local(local);
                out.stmts.push(stmt);
            }
            syn::Stmt::Item(item) => {
                let items = lower_items(std::slice::from_ref(item), self.map, self.bodies);
                self.state.add_items(items, out);
            }
            // A lone `;`.
            syn::Stmt::Expr(Expr::Verbatim(tokens), Some(_)) if tokens.is_empty() => {}
            syn::Stmt::Expr(expr, semi) if self.statement_enabled(expr) => {
                let id = self.expr(expr);
                add_expr(id, last && semi.is_none(), out);
            }
            syn::Stmt::Macro(call) if self.enabled(&call.attrs) => {
                self.macro_statement(&call.mac, last && call.semi_token.is_none(), out);
            }
            syn::Stmt::Local(_) | syn::Stmt::Expr(..) | syn::Stmt::Macro(_) => {}
        }
    }

    fn local(&mut self, local: &syn::Local) -> Stmt {
        let (pat, ty) = self.typed_pat(&local.pat);
        let init = local.init.as_ref();
        let else_ = init.and_then(|init| init.diverge.as_ref());
        Stmt::Let {
            pat,
            ty,
            init: init.map(|init| self.expr(&init.expr)),
            else_: else_.map(|(_, branch)| self.expr(branch)),
        }
    }
}

pub(in crate::syntax) fn add_expr(id: ExprId, is_tail: bool, out: &mut Contents) {
    match is_tail {
        true => out.tail = Some(id),
        false => out.stmts.push(Stmt::Expr(id)),
    }
}
