//! Rewrites two steps into one: the exact replacement text for a finding, where it is mechanical.
//!
//! In: a file's text and the ranges of a finding's accesses. Out: edits of that text, each set whole, and the ranges it
//! takes care of. Operands are copied from the text as they stand; places are compared by their tokens. Only shapes that
//! are understood completely are rewritten: adjacent statements, places without calls, operands that may be moved.
//! The names of the operations are those the program would be written with; which access is which the finding says.

mod atomic;
mod guard;
mod shapes;

use super::source_map::{SourceMap, parse};
use crate::hir::TextRange;
use shapes::Text;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// What two steps are to become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goal {
    /// One operation of the atomic.
    Operation,
    /// A swap whose result decides.
    Swap,
    /// One guard over both steps.
    Guard,
}

/// Edits that belong together, and the accesses they turn into one step.
pub struct Rewrite {
    pub edits: Vec<(TextRange, String)>,
    pub covers: Vec<TextRange>,
}

/// What can be rewritten of a finding in one file.
#[derive(Default)]
pub struct Rewrites {
    pub found: Vec<Rewrite>,
    /// Accesses of two steps in one expression.
    pub compound: Vec<TextRange>,
}

/// The rewrites of a file for a goal. `accesses`: the ranges of the finding's accesses in this file.
pub fn rewrites(text: &str, goal: Goal, accesses: &[TextRange]) -> Rewrites {
    let whole = TextRange::new(0, text.len() as u32);
    let map = SourceMap::of_text(text, whole);
    let read = |file: syn::File| {
        let text = Text { text, map: &map, accesses };
        let mut search = Search { text, goal, result: Rewrites::default() };
        search.visit_file(&file);
        search.result
    };
    parse(text, &map, <syn::File as syn::parse::Parse>::parse, read).unwrap_or_default()
}

/// Whether a whole file parses.
pub fn parses(text: &str) -> bool {
    let map = SourceMap::of_text(text, TextRange::new(0, text.len() as u32));
    parse(text, &map, <syn::File as syn::parse::Parse>::parse, drop).is_ok()
}

struct Search<'a> {
    text: Text<'a>,
    goal: Goal,
    result: Rewrites,
}

impl Search<'_> {
    /// Adds a rewrite unless its accesses are taken care of.
    fn add(&mut self, rewrite: Option<Rewrite>) {
        let Some(rewrite) = rewrite else { return };
        let known = |range: &TextRange| self.result.found.iter().any(|r| r.covers.contains(range));
        if !rewrite.covers.iter().any(known) {
            self.result.found.push(rewrite);
        }
    }
}

impl<'ast> Visit<'ast> for Search<'_> {
    fn visit_block(&mut self, block: &'ast syn::Block) {
        for at in 0..block.stmts.len() {
            let rewrite = match self.goal {
                Goal::Operation => atomic::operation_of_statements(&self.text, &block.stmts, at),
                Goal::Swap => atomic::swap_of_statements(&self.text, &block.stmts, at),
                Goal::Guard => guard::guard_of_statements(&self.text, block, at),
            };
            self.add(rewrite);
        }
        visit::visit_block(self, block);
    }

    fn visit_stmt(&mut self, stmt: &'ast syn::Stmt) {
        if let (Goal::Operation, syn::Stmt::Expr(expr, semicolon)) = (self.goal, stmt) {
            let end = if semicolon.is_some() { "" } else { ";" };
            let rewrite = atomic::operation_of_store(&self.text, expr, ("", end));
            self.add(rewrite);
        }
        visit::visit_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'ast syn::Expr) {
        match self.goal {
            Goal::Operation => {
                if atomic::is_compound(&self.text, expr) {
                    self.result.compound.push(self.text.range(expr.span()));
                }
                let rewrite = atomic::operation_of_store(&self.text, expr, ("{ ", "; }"));
                self.add(rewrite);
            }
            Goal::Swap => {
                let rewrite = atomic::swap_of_branch(&self.text, expr);
                self.add(rewrite);
            }
            Goal::Guard => {}
        }
        visit::visit_expr(self, expr);
    }
}
