//! Macro calls in bodies.
//!
//! In: a call. Out: the expression or statements it stands for. The body's own `macro_rules!` are looked up first,
//! then `MacroScope` says what the path means: rules are expanded (`expansion`); known shapes are lowered by their
//! grammar (`shapes`); of unknown macros the arguments are evaluated if they parse as expressions or statements, else
//! the call is opaque and counted.

use super::Lowering;
use super::stmt::{Contents, add_expr};
use crate::hir::{BlockKind, ExprId, ExprKind, MacroArgsKind, MacroDef, TextRange, Tokens};
use crate::syntax::MacroMeaning;
use crate::syntax::expand::Failure;
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
        self.state.meaning(&lower_path(&mac.path, None, self.map, &mut Counters::default()))
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
        let (args, path) = (self.args_of(mac), self.path_range(mac));
        match self.state.expanded_expr(def, &args, path, range) {
            Ok(id) => id,
            Err(Failure::NoRule) => self.unknown_macro(mac),
            Err(Failure::Bound) => self.cut(range),
        }
    }

    fn expanded_stmts(&mut self, def: &MacroDef, mac: &syn::Macro, is_tail: bool, out: &mut Contents) {
        let range = self.call_range(mac);
        let (args, path) = (self.args_of(mac), self.path_range(mac));
        let id = match self.state.expanded_stmts(def, &args, path, is_tail, range, out) {
            Ok(()) => return,
            Err(Failure::NoRule) => self.unknown_macro(mac),
            Err(Failure::Bound) => self.cut(range),
        };
        add_expr(id, is_tail, out);
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
