//! Shapes of expressions and statements that rewrites look for, and pieces of the text they stand in.
//!
//! Invariant: a *place* has no calls, so naming it twice is naming it once; a *plain* expression has no effects and may be
//! evaluated again.

use crate::hir::TextRange;
use crate::syntax::source_map::SourceMap;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Expr, Stmt};

/// The file that is rewritten and the accesses in question.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    pub text: &'a str,
    pub map: &'a SourceMap,
    pub accesses: &'a [TextRange],
}

impl<'a> Text<'a> {
    pub fn range(&self, span: Span) -> TextRange {
        self.map.range(span)
    }

    pub fn of(&self, tree: &impl Spanned) -> &'a str {
        self.slice(self.range(tree.span()))
    }

    pub fn slice(&self, range: TextRange) -> &'a str {
        self.text.get(range.lo as usize..range.hi as usize).unwrap_or_default()
    }

    /// The range of an expression that is one of the accesses.
    pub fn access(&self, expr: &Expr) -> Option<TextRange> {
        let range = self.range(expr.span());
        self.accesses.contains(&range).then_some(range)
    }

    /// An expression's text with parts of it replaced.
    pub fn with(&self, expr: &Expr, parts: &[TextRange], name: &str) -> String {
        let whole = self.range(expr.span());
        let mut text = String::new();
        let mut at = whole.lo;
        for part in parts {
            text.push_str(self.slice(TextRange::new(at, part.lo)));
            text.push_str(name);
            at = part.hi;
        }
        text + self.slice(TextRange::new(at, whole.hi))
    }

    /// A line break and the blanks that a statement's line begins with; a blank where other text stands before it.
    pub fn new_line(&self, at: u32) -> String {
        let before = &self.text[..at as usize];
        let indent = &before[before.rfind('\n').map_or(0, |n| n + 1)..];
        if indent.trim().is_empty() { format!("\n{indent}") } else { " ".to_owned() }
    }

    /// What to delete so that a statement is gone, with the rest of its line where nothing else stands there.
    pub fn line_of(&self, stmt: &Stmt) -> TextRange {
        let range = self.range(stmt.span());
        let rest = &self.text[range.hi as usize..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        if !rest[blank..].starts_with('\n') {
            return TextRange::new(range.lo, range.hi + blank as u32);
        }
        let indent = rest.len() - rest.trim_start().len();
        TextRange::new(range.lo, range.hi + indent as u32)
    }
}

/// Without parentheses.
pub fn bare(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let Expr::Paren(paren) = expr {
        expr = &paren.expr;
    }
    expr
}

/// A method call's receiver and arguments.
pub fn method<'e>(expr: &'e Expr, name: &str, args: usize) -> Option<(&'e Expr, Vec<&'e Expr>)> {
    let Expr::MethodCall(call) = bare(expr) else { return None };
    (call.method == name && call.args.len() == args && call.turbofish.is_none())
        .then(|| (&*call.receiver, call.args.iter().collect()))
}

/// Both name one place, without calls on the way.
pub fn same_place(one: &Expr, two: &Expr) -> bool {
    is_place(one) && tokens(one) == tokens(two)
}

pub fn tokens(tree: &impl ToTokens) -> String {
    tree.to_token_stream().to_string()
}

fn is_place(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Index(index) => {
            is_place(&index.expr) && matches!(bare(&index.index), Expr::Path(_) | Expr::Lit(_))
        }
        Expr::Unary(unary) => matches!(unary.op, syn::UnOp::Deref(_)) && is_place(&unary.expr),
        Expr::Reference(reference) => is_place(&reference.expr),
        _ => false,
    }
}

/// Methods of numbers that only compute.
const COMPUTING: [&str; 9] =
    ["wrapping_", "saturating_", "min", "max", "pow", "abs", "rotate_", "clamp", "abs_diff"];

/// No effects, nothing that can leave: may be evaluated again, and elsewhere. `part`: parts that are taken out anyway.
pub fn is_plain(expr: &Expr, part: &dyn Fn(&Expr) -> bool) -> bool {
    if part(expr) {
        return true;
    }
    match expr {
        Expr::Lit(_) | Expr::Path(_) => true,
        Expr::Paren(paren) => is_plain(&paren.expr, part),
        Expr::Unary(unary) => !matches!(unary.op, syn::UnOp::Deref(_)) && is_plain(&unary.expr, part),
        Expr::Cast(cast) => is_plain(&cast.expr, part),
        Expr::Field(field) => is_plain(&field.base, part),
        Expr::Binary(binary) => {
            !is_assignment(&binary.op) && is_plain(&binary.left, part) && is_plain(&binary.right, part)
        }
        Expr::MethodCall(call) => {
            let name = call.method.to_string();
            COMPUTING.iter().any(|known| name.starts_with(known))
                && is_plain(&call.receiver, part)
                && call.args.iter().all(|arg| is_plain(arg, part))
        }
        _ => false,
    }
}

pub fn is_assignment(op: &syn::BinOp) -> bool {
    use syn::BinOp as B;
    matches!(
        op,
        B::AddAssign(_)
            | B::SubAssign(_)
            | B::MulAssign(_)
            | B::DivAssign(_)
            | B::RemAssign(_)
            | B::BitXorAssign(_)
            | B::BitAndAssign(_)
            | B::BitOrAssign(_)
            | B::ShlAssign(_)
            | B::ShrAssign(_)
    )
}

/// Whether a name occurs in a tree.
pub fn mentions(tree: &impl ToTokens, name: &str) -> bool {
    fn within(tokens: TokenStream, name: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == name,
            TokenTree::Group(group) => within(group.stream(), name),
            // A name inside a format string.
            TokenTree::Literal(literal) => literal.to_string().contains(&format!("{{{name}")),
            TokenTree::Punct(_) => false,
        })
    }
    within(tree.to_token_stream(), name)
}

/// Whether a name is used in these statements, before they bind it anew.
pub fn is_used(name: &str, stmts: &[Stmt]) -> bool {
    for stmt in stmts {
        match simple_let(stmt) {
            Some((bound, init)) if bound == name => return mentions(init, name),
            _ if mentions(stmt, name) => return true,
            _ => {}
        }
    }
    false
}

/// `let NAME = INIT;`
pub fn simple_let(stmt: &Stmt) -> Option<(String, &Expr)> {
    let Stmt::Local(local) = stmt else { return None };
    let init = local.init.as_ref().filter(|init| init.diverge.is_none())?;
    let mut pat = &local.pat;
    if let syn::Pat::Type(typed) = pat {
        pat = &typed.pat;
    }
    match pat {
        syn::Pat::Ident(ident)
            if ident.by_ref.is_none() && ident.mutability.is_none() && ident.subpat.is_none() =>
        {
            Some((ident.ident.to_string(), &init.expr))
        }
        _ => None,
    }
}

/// An expression that is nothing but this name.
pub fn is_name(expr: &Expr, name: &str) -> bool {
    matches!(bare(expr), Expr::Path(path) if path.path.is_ident(name))
}

/// The expression of a statement, and whether a semicolon follows.
pub fn statement(stmt: &Stmt) -> Option<(&Expr, bool)> {
    match stmt {
        Stmt::Expr(expr, semicolon) => Some((expr, semicolon.is_some())),
        _ => None,
    }
}

/// A name that occurs in none of these statements.
pub fn fresh(names: &[&str], stmts: &[impl ToTokens]) -> Option<String> {
    let free = |name: &&&str| !stmts.iter().any(|stmt| mentions(stmt, name));
    names.iter().find(free).map(|name| (*name).to_owned())
}

/// The parts of an expression, outermost first, that `wanted` accepts.
pub fn parts<'e>(expr: &'e Expr, wanted: &dyn Fn(&Expr) -> bool) -> Vec<&'e Expr> {
    struct Find<'e, 'w> {
        wanted: &'w dyn Fn(&Expr) -> bool,
        found: Vec<&'e Expr>,
    }
    impl<'e> syn::visit::Visit<'e> for Find<'e, '_> {
        fn visit_expr(&mut self, expr: &'e Expr) {
            if (self.wanted)(expr) {
                self.found.push(expr);
            } else {
                syn::visit::visit_expr(self, expr);
            }
        }
    }
    let mut find = Find { wanted, found: Vec::new() };
    syn::visit::Visit::visit_expr(&mut find, expr);
    find.found
}
