//! Lowers function bodies and initializers.
//!
//! In: the file's text and where the body stands in it (or the tokens a macro made of it), and what macros mean
//! there. Out: `hir::Body` and syntax errors of the body's own text. Invariants: ranges are put together from the
//! bottom, never by asking a tree for its span (that is quadratic); long chains (`a + b + …`, `a.b().c()…`,
//! `else if …`) are lowered in loops, everything else recurses at most `MAX_DEPTH` expressions deep, macros included;
//! what lies deeper is `Missing` and counted in `Body::cut`.
//!
//! `direct` is asked first and writes to the same `State`; here syn's trees are lowered, of what `direct` left.

mod attrs;
mod control;
mod expansion;
mod expr;
mod format;
mod macros;
mod select;
mod shapes;
mod state;
mod stmt;

#[cfg(test)]
mod pretty;
#[cfg(test)]
mod tests;

use super::items::Bodies;
use super::source_map::{SourceMap, parse};
use super::tokens::render;
use super::{LoweredBody, MacroScope, direct};
use crate::hir::{BlockKind, BodySource, ExprId, ExprKind, SyntaxError, TextRange, Tt};
use proc_macro2::Span;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};

pub(super) use expr::type_end;
pub(super) use format::captures;
pub(super) use shapes::declares;
pub(super) use state::{Mark, State};
pub(super) use stmt::{Contents, add_expr};

/// Expressions inside expressions.
pub(super) const MAX_DEPTH: u32 = 400;
/// Macro calls inside what macro calls expand to.
pub(super) const MAX_MACRO_DEPTH: u32 = 32;

/// See `syntax::lower_body`.
pub(super) fn lower_body(
    text: &str,
    source: &BodySource,
    first_binding: u32,
    macros: &dyn MacroScope,
) -> LoweredBody {
    let mut state = State::new(first_binding, macros);
    if let Some(root) = direct::body(text, source, &mut state) {
        return LoweredBody { body: state.finish(root), errors: Vec::new() };
    }
    lower_by_syn(text, source, state)
}

/// The same with what syn makes of the body.
fn lower_by_syn(text: &str, source: &BodySource, mut state: State<'_>) -> LoweredBody {
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
    if direct::is_sound(text, source) {
        return Vec::new();
    }
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

    fn cut(&mut self, range: TextRange) -> ExprId {
        self.state.cut(range)
    }

    fn range_of(&self, id: ExprId) -> TextRange {
        self.state.range_of(id)
    }

    /// The bytes of one token.
    fn range(&self, span: Span) -> TextRange {
        self.map.range(span)
    }

    fn between(&self, first: Span, last: Span) -> TextRange {
        self.map.join(first, last)
    }
}

impl State<'_> {
    /// Renders tokens, parses them and lowers the tree; `None` if they don't parse.
    fn reparse<P: Parser, R>(
        &mut self,
        tokens: &[Tt],
        parser: P,
        then: impl FnOnce(&mut Lowering<'_, '_>, P::Output) -> R,
    ) -> Option<R> {
        let (text, map) = render(tokens);
        let lower = |tree| then(&mut Lowering { state: self, map: &map, bodies: Bodies::Tokens }, tree);
        parse(&text, &map, parser, lower).ok()
    }
}

/// The text of a macro call, with what knows where it stands.
pub(super) struct CallText<'t> {
    pub(super) text: &'t str,
    pub(super) map: &'t SourceMap,
    pub(super) bodies: Bodies<'t>,
}

impl State<'_> {
    /// Lowers a call in expression position; `unknown`: as one of which nothing is known. `None` if it isn't a call.
    pub(super) fn call_expr(&mut self, call: CallText<'_>, unknown: bool) -> Option<ExprId> {
        self.call(call, |lowering, mac| match unknown {
            true => lowering.unknown_macro(mac),
            false => lowering.macro_expr(mac),
        })
    }

    /// Lowers a call in statement position.
    pub(super) fn call_stmt(&mut self, call: CallText<'_>, is_tail: bool, out: &mut Contents) -> Option<()> {
        self.call(call, |lowering, mac| lowering.macro_statement(mac, is_tail, out))
    }

    fn call<R>(
        &mut self,
        CallText { text, map, bodies }: CallText<'_>,
        then: impl FnOnce(&mut Lowering<'_, '_>, &syn::Macro) -> R,
    ) -> Option<R> {
        let lower = |mac| then(&mut Lowering { state: self, map, bodies }, &mac);
        parse(text, map, syn::Macro::parse, lower).ok()
    }
}

/// What lowering gives when only syn reads: to compare with.
#[cfg(test)]
pub(super) fn lower_by_syn_alone(text: &str, source: &BodySource, macros: &dyn MacroScope) -> LoweredBody {
    let mut state = State::new(0, macros);
    state.try_nothing();
    lower_by_syn(text, source, state)
}

/// What lowering gives when syn is asked for single macro calls only.
#[cfg(test)]
pub(super) fn lower_directly(
    text: &str,
    source: &BodySource,
    macros: &dyn MacroScope,
) -> Option<LoweredBody> {
    let mut state = State::new(0, macros);
    let root = direct::body(text, source, &mut state)?;
    Some(LoweredBody { body: state.finish(root), errors: Vec::new() })
}
