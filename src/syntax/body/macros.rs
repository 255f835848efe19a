//! Macro calls in bodies.
//!
//! In: a call. Out: the expression or statements it stands for. The body's own `macro_rules!` are looked up first,
//! then `MacroScope` says what the path means: rules are expanded and the result is parsed and lowered like the
//! text around it; known shapes are lowered by their grammar (`shapes`); of unknown macros the arguments are
//! evaluated if they parse as expressions or statements, else the call is opaque and counted. Macro recursion is
//! bounded by `MAX_MACRO_DEPTH` and by the body's token budget.

use super::stmt::{Contents, add_expr};
use super::{Lowering, MAX_MACRO_DEPTH};
use crate::hir::{
    Block, BlockKind, ExprId, ExprKind, MacroArgsKind, MacroDef, Path, PathId, Segment, TextRange, Tokens, Tt,
};
use crate::syntax::MacroMeaning;
use crate::syntax::expand::{Failure, MAX_STEPS, Position, expand, sole_call};
use crate::syntax::tokens::from_stream;
use crate::syntax::types::{Counters, lower_path};
use proc_macro2::{TokenStream, TokenTree};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

/// Longest run of tokens without `,` or `;` in arguments that are parsed (a bracketed group counts as one).
const MAX_RUN: u32 = 8_000;

/// Code from a macro: an expression, or statements.
pub(super) enum Code {
    Expr(Expr),
    Stmts(Vec<syn::Stmt>),
}

impl Parse for Code {
    fn parse(input: ParseStream<'_>) -> syn::Result<Code> {
        let ahead = input.fork();
        if let Ok(expr) = ahead.parse::<Expr>()
            && ahead.parse::<Option<Token![;]>>().is_ok()
            && ahead.is_empty()
        {
            input.advance_to(&ahead);
            return Ok(Code::Expr(expr));
        }
        input.call(syn::Block::parse_within).map(Code::Stmts)
    }
}

/// The arguments of a macro nobody knows.
enum Arguments {
    Exprs(Punctuated<Expr, Token![,]>),
    Stmts(Vec<syn::Stmt>),
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Arguments> {
        let ahead = input.fork();
        if let Ok(exprs) = ahead.call(Punctuated::parse_terminated)
            && ahead.is_empty()
        {
            input.advance_to(&ahead);
            return Ok(Arguments::Exprs(exprs));
        }
        input.call(syn::Block::parse_within).map(Arguments::Stmts)
    }
}

impl Lowering<'_, '_> {
    /// A call in expression position.
    pub(super) fn macro_expr(&mut self, mac: &syn::Macro) -> ExprId {
        match self.meaning_of(mac) {
            MacroMeaning::Rules(def) => self.expanded_expr(&def, mac),
            MacroMeaning::Shape(shape) => self.shape_expr(shape, mac),
            MacroMeaning::Unknown => self.unknown_macro(mac),
        }
    }

    /// A call in statement position: what it declares belongs to the block around it.
    pub(super) fn macro_statement(&mut self, mac: &syn::Macro, is_tail: bool, out: &mut Contents) {
        match self.meaning_of(mac) {
            MacroMeaning::Rules(def) => self.expanded_stmts(&def, mac, is_tail, out),
            MacroMeaning::Shape(shape) => self.shape_stmt(shape, mac, is_tail, out),
            MacroMeaning::Unknown => {
                let id = self.unknown_macro(mac);
                add_expr(id, is_tail, out);
            }
        }
    }

    fn meaning_of(&self, mac: &syn::Macro) -> MacroMeaning {
        self.meaning(&lower_path(&mac.path, None, self.map, &mut Counters::default()))
    }

    fn meaning(&self, path: &Path) -> MacroMeaning {
        if let [only] = &path.segments[..] {
            let local = self.state.local_macros.iter().rev().find(|def| def.name == only.name);
            if let Some(def) = local {
                return MacroMeaning::Rules(def.clone());
            }
        }
        self.state.macros.lookup(path)
    }

    /// The whole call.
    pub(super) fn call_range(&self, mac: &syn::Macro) -> TextRange {
        self.path_range(mac).to(self.range(mac.delimiter.span().close()))
    }

    /// Where the tokens of the definition are placed.
    pub(super) fn path_range(&self, mac: &syn::Macro) -> TextRange {
        let idents = mac.path.segments.iter().map(|segment| self.range(segment.ident.span()));
        idents.reduce(TextRange::to).unwrap_or_else(|| self.map.whole())
    }

    pub(super) fn args_of(&self, mac: &syn::Macro) -> Tokens {
        from_stream(mac.tokens.clone(), self.map)
    }

    /// Parses a call's arguments where they stand; `None` if they aren't what `parser` wants.
    pub(super) fn parsed<P: Parser>(&self, mac: &syn::Macro, parser: P) -> Option<P::Output> {
        if !is_flat(&mac.tokens) {
            return None;
        }
        parser.parse2(mac.tokens.clone()).ok()
    }

    fn expanded_expr(&mut self, def: &MacroDef, mac: &syn::Macro) -> ExprId {
        let range = self.call_range(mac);
        let lowered = self.expanded(def, mac, Position::Expr, |lowering, tokens| {
            lowering.reparse(tokens, Code::parse, |inner, code| match code {
                Code::Expr(expr) => inner.expr(&expr),
                Code::Stmts(stmts) => inner.block_of(&stmts, BlockKind::Plain, None, range),
            })
        });
        match lowered {
            Ok(id) => id,
            Err(Failure::NoRule) => self.unknown_macro(mac),
            Err(Failure::Bound) => self.cut(range),
        }
    }

    fn expanded_stmts(&mut self, def: &MacroDef, mac: &syn::Macro, is_tail: bool, out: &mut Contents) {
        let range = self.call_range(mac);
        let lowered = self.expanded(def, mac, Position::Stmt, |lowering, tokens| {
            lowering.reparse(tokens, syn::Block::parse_within, |inner, stmts| {
                inner.transparent(&stmts, is_tail, range, out);
            })
        });
        match lowered {
            Ok(()) => {}
            Err(Failure::NoRule) => {
                let id = self.unknown_macro(mac);
                add_expr(id, is_tail, out);
            }
            Err(Failure::Bound) => {
                let id = self.cut(range);
                add_expr(id, is_tail, out);
            }
        }
    }

    /// Statements that a macro call stands for, in the scope around it: its items are the outer block's.
    pub(super) fn transparent(
        &mut self,
        stmts: &[syn::Stmt],
        is_tail: bool,
        range: TextRange,
        out: &mut Contents,
    ) {
        let mut contents = Contents { items: std::mem::take(&mut out.items), ..Contents::default() };
        self.statements(stmts, &mut contents);
        let Contents { items, stmts, tail } = contents;
        out.items = items;
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
        mac: &syn::Macro,
        position: Position,
        then: impl FnOnce(&mut Self, &[Tt]) -> Option<R>,
    ) -> Result<R, Failure> {
        if self.state.macro_depth >= MAX_MACRO_DEPTH {
            return Err(Failure::Bound);
        }
        let tokens = self.expansion(def, mac, position)?;
        self.state.macro_depth += 1;
        let result = then(self, &tokens);
        self.state.macro_depth -= 1;
        result.ok_or(Failure::NoRule)
    }

    /// The tokens a call stands for. If they are just another call of rules, that one is expanded in turn, here and
    /// not in the depth: recursive macros that consume their input step by step are long and not deep.
    fn expansion(&mut self, def: &MacroDef, mac: &syn::Macro, position: Position) -> Result<Tokens, Failure> {
        let call = self.path_range(mac);
        let args = self.args_of(mac);
        let mut tokens = expand(def, &args, call, position, &mut self.state.budget)?;
        for _ in 0..MAX_STEPS {
            let Some((path, args)) = sole_call(&tokens) else { return Ok(tokens) };
            let MacroMeaning::Rules(next) = self.meaning(&token_path(path, call)) else { return Ok(tokens) };
            tokens = expand(&next, args, call, position, &mut self.state.budget)?;
        }
        Err(Failure::Bound)
    }

    /// A call of which nothing is known: its arguments by value, if they are code.
    pub(super) fn unknown_macro(&mut self, mac: &syn::Macro) -> ExprId {
        let range = self.call_range(mac);
        let args = match self.parsed(mac, Arguments::parse) {
            Some(Arguments::Exprs(exprs)) => self.exprs(&exprs),
            Some(Arguments::Stmts(stmts)) => vec![self.block_of(&stmts, BlockKind::Plain, None, range)],
            None => {
                self.state.opaque_macros += 1;
                Vec::new()
            }
        };
        self.alloc(ExprKind::MacroArgs { kind: MacroArgsKind::Unknown, args, diverges: false }, range)
    }
}

/// Whether syn can be trusted with a call's arguments, which were not looked at when the text around was checked: each
/// token without a `,` or `;` between may be a level of its recursion.
fn is_flat(tokens: &TokenStream) -> bool {
    let mut run = 0;
    tokens.clone().into_iter().all(|tree| {
        run += 1;
        match &tree {
            TokenTree::Group(group) => return run <= MAX_RUN && is_flat(&group.stream()),
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => run = 0,
            TokenTree::Punct(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
        run <= MAX_RUN
    })
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
