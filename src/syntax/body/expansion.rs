//! What calls of `macro_rules!` macros stand for.
//!
//! In: a definition and the tokens of a call. Out: the expression or the statements that the expansion is, read from its
//! tokens directly or, if these aren't wholly understood, by syn. Recursion is bounded by `MAX_MACRO_DEPTH` and by the
//! body's token budget.

use super::macros::Code;
use super::stmt::{Contents, add_expr};
use super::{MAX_MACRO_DEPTH, State};
use crate::hir::{
    Block, BlockKind, ExprId, ExprKind, MacroDef, Path, PathId, Segment, TextRange, Tokens, Tt,
};
use crate::syntax::expand::{Failure, MAX_STEPS, Position, expand, sole_call};
use crate::syntax::{MacroMeaning, direct};
use syn::parse::Parse;

impl State<'_> {
    /// A call in expression position; `path`: the range of the macro's path, `range`: of the whole call.
    pub(in crate::syntax) fn expanded_expr(
        &mut self,
        def: &MacroDef,
        args: &Tokens,
        path: TextRange,
        range: TextRange,
    ) -> Result<ExprId, Failure> {
        self.expanded(def, args, path, Position::Expr, |state, tokens| {
            direct::code(tokens, range, state).or_else(|| {
                state.reparse(tokens, Code::parse, |inner, code| match code {
                    Code::Expr(expr) => inner.expr(&expr),
                    Code::Stmts(stmts) => inner.block_of(&stmts, BlockKind::Plain, None, range),
                })
            })
        })
    }

    /// A call in statement position: what it declares belongs to the block around it.
    pub(in crate::syntax) fn expanded_stmts(
        &mut self,
        def: &MacroDef,
        args: &Tokens,
        path: TextRange,
        is_tail: bool,
        range: TextRange,
        out: &mut Contents,
    ) -> Result<(), Failure> {
        let contents = self.expanded(def, args, path, Position::Stmt, Self::statements_of)?;
        self.add_transparent(contents, is_tail, range, out);
        Ok(())
    }

    /// The statements that tokens are; `None` if they don't parse.
    pub(in crate::syntax) fn statements_of(&mut self, tokens: &[Tt]) -> Option<Contents> {
        direct::statements(tokens, self).or_else(|| {
            self.reparse(tokens, syn::Block::parse_within, |inner, stmts| {
                let mut contents = Contents::default();
                inner.statements(&stmts, &mut contents);
                contents
            })
        })
    }

    /// Statements that a macro call stands for, in the scope around it: its items are the outer block's.
    pub(in crate::syntax) fn add_transparent(
        &mut self,
        contents: Contents,
        is_tail: bool,
        range: TextRange,
        out: &mut Contents,
    ) {
        let Contents { items, stmts, tail } = contents;
        out.items.extend(items);
        match tail {
            None if stmts.is_empty() => {}
            Some(tail) if stmts.is_empty() => add_expr(tail, is_tail, out),
            _ => {
                let kind = BlockKind::Plain;
                let block = Block { kind, label: None, items: None, stmts, tail, transparent: true };
                let id = self.alloc(ExprKind::Block(block), range);
                add_expr(id, is_tail, out);
            }
        }
    }

    /// Expands a call and gives the result to `then` (which says `None` if it doesn't parse).
    fn expanded<R>(
        &mut self,
        def: &MacroDef,
        args: &Tokens,
        path: TextRange,
        position: Position,
        then: impl FnOnce(&mut Self, &[Tt]) -> Option<R>,
    ) -> Result<R, Failure> {
        if self.macro_depth >= MAX_MACRO_DEPTH {
            return Err(Failure::Bound);
        }
        let tokens = self.expansion(def, args, path, position)?;
        self.macro_depth += 1;
        let result = then(self, &tokens);
        self.macro_depth -= 1;
        result.ok_or(Failure::NoRule)
    }

    /// The tokens a call stands for. If they are just another call of rules, that one is expanded in turn, here and
    /// not in the depth: recursive macros that consume their input step by step are long and not deep.
    fn expansion(
        &mut self,
        def: &MacroDef,
        args: &Tokens,
        call: TextRange,
        position: Position,
    ) -> Result<Tokens, Failure> {
        let mut tokens = expand(def, args, call, position, &mut self.budget)?;
        for _ in 0..MAX_STEPS {
            let Some((path, args)) = sole_call(&tokens) else { return Ok(tokens) };
            let MacroMeaning::Rules(next) = self.meaning(&token_path(path, call)) else { return Ok(tokens) };
            tokens = expand(&next, args, call, position, &mut self.budget)?;
        }
        Err(Failure::Bound)
    }
}

/// `a::b` as a path without generic arguments.
fn token_path(tokens: &[Tt], range: TextRange) -> Path {
    let segments = tokens.iter().filter_map(|tt| match tt {
        Tt::Ident(name, range) => {
            Some(Segment { name: *name, range: *range, args: Vec::new(), fn_output: None })
        }
        _ => None,
    });
    let global = matches!(tokens.first(), Some(Tt::Punct(':', ..)));
    Path { global, qself: None, segments: segments.collect(), range, id: PathId::ITEM }
}
