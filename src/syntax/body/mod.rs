//! Lowers function bodies and initializers.
//!
//! In: the file's text and where the body stands in it (or the tokens a macro made of it), and what macros mean
//! there. Out: `hir::Body` and syntax errors of the body's own text. Invariants: ranges are put together from the
//! bottom, never by asking a tree for its span (that is quadratic); long chains (`a + b + …`, `a.b().c()…`,
//! `else if …`) are lowered in loops, everything else recurses at most `MAX_DEPTH` expressions deep, macros included;
//! what lies deeper is `Missing` and counted in `Body::cut`.

mod attrs;
mod control;
mod expr;
mod format;
mod macros;
mod select;
mod shapes;
mod stmt;

#[cfg(test)]
mod pretty;
#[cfg(test)]
mod tests;

use super::expand::Budget;
use super::items::Bodies;
use super::source_map::{SourceMap, parse};
use super::tokens::render;
use super::types::Counters;
use super::{LoweredBody, MacroScope};
use crate::hir::{
    BlockKind, Body, BodySource, Expr, ExprId, ExprKind, Item, MacroDef, SyntaxError, TextRange,
};
use proc_macro2::Span;
use std::sync::Arc;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};

/// Expressions inside expressions.
const MAX_DEPTH: u32 = 400;
/// Macro calls inside what macro calls expand to.
const MAX_MACRO_DEPTH: u32 = 32;

/// See `syntax::lower_body`.
pub(super) fn lower_body(
    text: &str,
    source: &BodySource,
    first_binding: u32,
    macros: &dyn MacroScope,
) -> LoweredBody {
    let mut state = State::new(first_binding, macros);
    let lowered = with_tree(text, source, |tree, map| {
        let bodies = match source {
            BodySource::Text(_) => Bodies::InFile(text),
            BodySource::Tokens(_) => Bodies::Tokens,
        };
        let mut lowering = Lowering { state: &mut state, map, bodies };
        match tree {
            Source::Block(block) => lowering.block_expr(&block, BlockKind::Plain, None, None),
            Source::Expr(expr) => lowering.expr(&expr),
        }
    });
    let (root, errors) = match lowered {
        Ok(root) => (root, Vec::new()),
        Err(error) => (state.alloc(ExprKind::Missing, error.range), vec![error]),
    };
    LoweredBody { body: state.finish(root), errors }
}

/// See `syntax::check_body`.
pub(super) fn check_body(text: &str, source: &BodySource) -> Vec<SyntaxError> {
    with_tree(text, source, |_, _| ()).err().into_iter().collect()
}

/// A body as it is parsed: a function's block, or an initializer.
enum Source {
    Block(syn::Block),
    Expr(syn::Expr),
}

impl Parse for Source {
    fn parse(input: ParseStream<'_>) -> syn::Result<Source> {
        if !input.peek(syn::token::Brace) {
            return input.parse().map(Source::Expr);
        }
        let ahead = input.fork();
        let block = body_block(&ahead)?;
        if ahead.is_empty() {
            input.advance_to(&ahead);
            return Ok(Source::Block(block));
        }
        // `{ a } + b`
        input.parse().map(Source::Expr)
    }
}

/// A function's block, inner attributes included.
fn body_block(input: ParseStream<'_>) -> syn::Result<syn::Block> {
    let content;
    let brace_token = syn::braced!(content in input);
    content.call(syn::Attribute::parse_inner)?;
    Ok(syn::Block { brace_token, stmts: content.call(syn::Block::parse_within)? })
}

fn with_tree<R>(
    text: &str,
    source: &BodySource,
    then: impl FnOnce(Source, &SourceMap) -> R,
) -> Result<R, SyntaxError> {
    match source {
        BodySource::Text(range) => {
            let piece = text.get(range.lo as usize..range.hi as usize).unwrap_or_default();
            let map = SourceMap::of_text(text, *range);
            parse(piece, &map, Source::parse, |tree| then(tree, &map))
        }
        BodySource::Tokens(tokens) => {
            let (rendered, map) = render(tokens);
            parse(&rendered, &map, Source::parse, |tree| then(tree, &map))
        }
    }
}

/// What the lowering of one body has made so far.
struct State<'a> {
    macros: &'a dyn MacroScope,
    exprs: Vec<Expr>,
    counters: Counters,
    block_items: Vec<Vec<Item>>,
    opaque_macros: u32,
    cut: u32,
    /// Expressions, and macro expansions, around the present one.
    depth: u32,
    macro_depth: u32,
    budget: Budget,
    /// The `macro_rules!` in scope that the body itself defines, innermost last.
    local_macros: Vec<Arc<MacroDef>>,
}

impl<'a> State<'a> {
    fn new(first_binding: u32, macros: &'a dyn MacroScope) -> State<'a> {
        State {
            macros,
            exprs: Vec::new(),
            counters: Counters::body(first_binding),
            block_items: Vec::new(),
            opaque_macros: 0,
            cut: 0,
            depth: 0,
            macro_depth: 0,
            budget: Budget::default(),
            local_macros: Vec::new(),
        }
    }

    fn alloc(&mut self, kind: ExprKind, range: TextRange) -> ExprId {
        self.exprs.push(Expr { kind, range });
        ExprId(self.exprs.len() as u32 - 1)
    }

    fn finish(self, root: ExprId) -> Body {
        Body {
            exprs: self.exprs,
            root,
            binding_count: self.counters.bindings,
            path_count: self.counters.paths,
            block_items: self.block_items,
            opaque_macros: self.opaque_macros,
            cut: self.cut,
        }
    }
}

/// Lowers the trees of one parsed text: the body's own, or what a macro call in it expanded to.
struct Lowering<'s, 'a> {
    state: &'s mut State<'a>,
    map: &'s SourceMap,
    /// Where the bodies of the items stand that are declared here.
    bodies: Bodies<'s>,
}

impl Lowering<'_, '_> {
    fn alloc(&mut self, kind: ExprKind, range: TextRange) -> ExprId {
        self.state.alloc(kind, range)
    }

    /// In place of what isn't lowered for its depth or size.
    fn cut(&mut self, range: TextRange) -> ExprId {
        self.state.cut += 1;
        self.alloc(ExprKind::Missing, range)
    }

    fn range_of(&self, id: ExprId) -> TextRange {
        self.state.exprs[id.0 as usize].range
    }

    /// The bytes of one token.
    fn range(&self, span: Span) -> TextRange {
        self.map.range(span)
    }

    fn between(&self, first: Span, last: Span) -> TextRange {
        self.map.join(first, last)
    }

    /// Renders tokens, parses them and lowers the tree; `None` if they don't parse.
    fn reparse<P, R>(
        &mut self,
        tokens: &[crate::hir::Tt],
        parser: P,
        then: impl FnOnce(&mut Lowering<'_, '_>, P::Output) -> R,
    ) -> Option<R>
    where
        P: syn::parse::Parser,
    {
        let (text, map) = render(tokens);
        let state = &mut *self.state;
        let lower = |tree| then(&mut Lowering { state, map: &map, bodies: Bodies::Tokens }, tree);
        parse(&text, &map, parser, lower).ok()
    }
}
