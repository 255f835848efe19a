//! The grammar of `select!`: branches that wait at once, of which one runs.
//!
//! In: the call's tokens. Out: `ExprKind::Select`. Understood: `pat = future [, if guard] => handler`, `else`,
//! `default` and `complete` branches, `biased;`, and channel operations `recv(channel) -> pat => handler`, which
//! become method calls on the channel.

use super::{Lowering, State};
use crate::hir::{Arm, ExprId, ExprKind, Pat as HirPat, SelectBranch, TextRange};
use crate::syntax::types::name_of;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Pat, Token};

/// One branch as written.
enum Branch {
    Future(Waiting),
    Operation(Operation),
    Otherwise(Expr),
}

/// `pat = future, if guard => handler`
struct Waiting {
    pat: Pat,
    future: Box<Expr>,
    guard: Option<Box<Expr>>,
    handler: Box<Expr>,
}

/// `call -> pat => handler`
struct Operation {
    call: Box<syn::ExprCall>,
    pat: Pat,
    handler: Box<Expr>,
}

/// All branches of a call.
pub(super) struct Select(Vec<Branch>);

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> syn::Result<Select> {
        skip_biased(input)?;
        let mut branches = Vec::new();
        while !input.is_empty() {
            branches.push(branch(input)?);
            while input.parse::<Option<Token![,]>>()?.is_some() {}
        }
        Ok(Select(branches))
    }
}

/// `biased;`
pub(super) fn skip_biased(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Ident) && input.peek2(Token![;]) {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    Ok(())
}

fn branch(input: ParseStream<'_>) -> syn::Result<Branch> {
    if let Some(()) = otherwise(input) {
        return handler(input).map(Branch::Otherwise);
    }
    let ahead = input.fork();
    if let Ok(Expr::Call(call)) = ahead.parse::<Expr>()
        && ahead.peek(Token![->])
    {
        input.advance_to(&ahead);
        input.parse::<Token![->]>()?;
        let pat = Pat::parse_multi_with_leading_vert(input)?;
        let call = Box::new(call);
        return Ok(Branch::Operation(Operation { call, pat, handler: Box::new(handler(input)?) }));
    }
    let pat = Pat::parse_multi_with_leading_vert(input)?;
    input.parse::<Token![=]>()?;
    let future = input.parse()?;
    let guard = if input.peek(Token![,]) && input.peek2(Token![if]) {
        input.parse::<Token![,]>()?;
        input.parse::<Token![if]>()?;
        Some(input.parse()?)
    } else {
        None
    };
    Ok(Branch::Future(Waiting { pat, future, guard, handler: Box::new(handler(input)?) }))
}

/// `else`, `default`, `default(timeout)`, `complete`, if `=>` follows.
fn otherwise(input: ParseStream<'_>) -> Option<()> {
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok()?;
    if !["else", "default", "complete"].iter().any(|known| word == known) {
        return None;
    }
    if ahead.peek(syn::token::Paren) {
        ahead.parse::<proc_macro2::Group>().ok()?;
    }
    if !ahead.peek(Token![=>]) {
        return None;
    }
    input.advance_to(&ahead);
    Some(())
}

/// `=> expr`; a block ends it without a comma.
fn handler(input: ParseStream<'_>) -> syn::Result<Expr> {
    input.parse::<Token![=>]>()?;
    Expr::parse_with_earlier_boundary_rule(input)
}

impl Lowering<'_, '_> {
    pub(super) fn select(&mut self, select: &Select, name_range: TextRange, range: TextRange) -> ExprId {
        let mut branches = Vec::with_capacity(select.0.len());
        let mut others = Vec::new();
        for branch in &select.0 {
            match branch {
                Branch::Future(Waiting { pat, future, guard, handler }) => {
                    let future = self.expr(future);
                    let guard = guard.as_ref().map(|guard| self.expr(guard));
                    let pat = self.pat(pat);
                    branches.push(SelectBranch { pat, future, guard, handler: self.expr(handler) });
                }
                Branch::Operation(Operation { call, pat, handler }) => {
                    let future = self.operation(call);
                    let pat = self.pat(pat);
                    branches.push(SelectBranch { pat, future, guard: None, handler: self.expr(handler) });
                }
                Branch::Otherwise(handler) => others.push(self.expr(handler)),
            }
        }
        let else_ = self.state.one_of(&others, range);
        self.alloc(ExprKind::Select { branches, else_, name_range }, range)
    }

    /// `recv(channel)` as `channel.recv()`, `send(channel, value)` as `channel.send(value)`.
    fn operation(&mut self, call: &syn::ExprCall) -> ExprId {
        let mut args = self.exprs(&call.args);
        let method = match &*call.func {
            Expr::Path(path) => path.path.get_ident(),
            _ => None,
        };
        let (Some(method), false) = (method, args.is_empty()) else {
            return self.cut(self.map.whole());
        };
        let receiver = args.remove(0);
        let name_range = self.range(method.span());
        let range = name_range.to(self.range(call.paren_token.span.close()));
        let kind = ExprKind::MethodCall {
            receiver,
            method: name_of(method),
            name_range,
            generic_args: Vec::new(),
            args,
        };
        self.alloc(kind, range)
    }
}

impl State<'_> {
    /// One of the handlers runs, it isn't known which.
    pub(in crate::syntax) fn one_of(&mut self, handlers: &[ExprId], range: TextRange) -> Option<ExprId> {
        if handlers.len() < 2 {
            return handlers.first().copied();
        }
        let scrutinee = self.alloc(ExprKind::Missing, range);
        let arm = |body: &ExprId| Arm { pat: HirPat::Wild, guard: None, body: *body };
        let arms = handlers.iter().map(arm).collect();
        Some(self.alloc(ExprKind::Match { scrutinee, arms }, range))
    }
}
