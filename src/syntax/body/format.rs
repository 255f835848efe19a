//! Format-like macros: their arguments and what the format string captures.
//!
//! In: the call's tokens. Out: the argument expressions, borrowed as formatting does. `{x}`, `{x:?}`, `{x:>width$}`
//! capture variables, which become paths at the literal's range. Source: std::fmt, "Syntax".

use super::{Lowering, State};
use crate::hir::{ExprId, ExprKind, Name, Path, PathId, Segment, TextRange};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, Ident, Lit, LitStr, Token};

/// `expr`, `name = expr`, and what loggers add: `target: expr`, `field = %expr`, `?expr`.
pub(super) struct FormatArg {
    name: Option<Name>,
    /// Named or marked for formatting: borrowed, wherever it stands.
    is_value: bool,
    pub(super) expr: Expr,
}

impl Parse for FormatArg {
    fn parse(input: ParseStream<'_>) -> syn::Result<FormatArg> {
        let ahead = input.fork();
        let name = argument_name(&ahead);
        if name.is_some() {
            input.advance_to(&ahead);
        }
        let debug = input.parse::<Option<Token![?]>>()?.is_some();
        let display = input.parse::<Option<Token![%]>>()?.is_some();
        Ok(FormatArg { is_value: name.is_some() || debug || display, name, expr: input.parse()? })
    }
}

/// `a.b =`, `"a" =` or `a:`; its first identifier.
fn argument_name(input: ParseStream<'_>) -> Option<Name> {
    if input.peek(LitStr) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
        let name = input.parse::<LitStr>().ok()?;
        input.parse::<Token![=]>().ok()?;
        return Some(Name::new(&name.value()));
    }
    let first = input.call(Ident::parse_any).ok()?;
    if input.peek(Token![:]) && !input.peek(Token![::]) {
        input.parse::<Token![:]>().ok()?;
        return Some(Name::new(&first.to_string()));
    }
    while input.peek(Token![.]) && input.peek2(Ident::peek_any) {
        input.parse::<Token![.]>().ok()?;
        input.call(Ident::parse_any).ok()?;
    }
    if input.peek(Token![==]) || input.peek(Token![=>]) {
        return None;
    }
    input.parse::<Token![=]>().ok()?;
    Some(Name::new(&first.to_string()))
}

/// All arguments of a call.
pub(super) struct FormatArgs(pub(super) Vec<FormatArg>);

impl Parse for FormatArgs {
    fn parse(input: ParseStream<'_>) -> syn::Result<FormatArgs> {
        let mut args = Vec::new();
        while !input.is_empty() {
            match grouped_fields(input) {
                Some(fields) => args.extend(fields.0),
                None => args.push(input.parse()?),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(FormatArgs(args))
    }
}

/// `{ a = 1, %b }`, as loggers take fields.
fn grouped_fields(input: ParseStream<'_>) -> Option<FormatArgs> {
    if !input.peek(syn::token::Brace) {
        return None;
    }
    let ahead = input.fork();
    let group = ahead.parse::<proc_macro2::Group>().ok()?;
    let fields = FormatArgs::parse.parse2(group.stream()).ok()?;
    let is_block = matches!(&fields.0[..], [only] if !only.is_value);
    if is_block || !ahead.is_empty() && !ahead.peek(Token![,]) {
        return None;
    }
    input.advance_to(&ahead);
    Some(fields)
}

impl Lowering<'_, '_> {
    /// What stands before the format string as it is; then the captures and the arguments, borrowed.
    pub(super) fn format_args(&mut self, args: &[FormatArg]) -> Vec<ExprId> {
        let template = args.iter().position(|arg| !arg.is_value && template_of(&arg.expr).is_some());
        let mut ids = Vec::with_capacity(args.len());
        for (at, arg) in args.iter().enumerate() {
            if template == Some(at) {
                let Some(literal) = template_of(&arg.expr) else { continue };
                let range = self.range(literal.span());
                for name in captures(&literal.value()) {
                    if !args.iter().any(|arg| arg.name == Some(name)) {
                        let id = self.state.counters.next_path();
                        let path = self.state.variable(name, id, range);
                        ids.push(self.shared(path));
                    }
                }
                continue;
            }
            let id = self.expr(&arg.expr);
            let plain = !arg.is_value && template.is_some_and(|template| at < template);
            ids.push(if plain { id } else { self.shared(id) });
        }
        ids
    }

    pub(super) fn shared(&mut self, operand: ExprId) -> ExprId {
        self.state.shared(operand)
    }
}

impl State<'_> {
    /// A variable that a format string names.
    pub(in crate::syntax) fn variable(&mut self, name: Name, id: PathId, range: TextRange) -> ExprId {
        let segment = Segment { name, range, args: Vec::new(), fn_output: None };
        let path = Path { global: false, qself: None, segments: vec![segment], range, id };
        self.alloc(ExprKind::Path(path), range)
    }
}

/// The string literal that the expression is, perhaps in parentheses.
fn template_of(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text),
        Expr::Paren(paren) => template_of(&paren.expr),
        Expr::Group(group) => template_of(&group.expr),
        _ => None,
    }
}

/// The variables that a format string names, each once, in order.
pub(in crate::syntax) fn captures(template: &str) -> Vec<Name> {
    let mut names = Vec::new();
    let mut add = |text: &str| {
        if text.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            let name = Name::new(text);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    };
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let Some(close) = rest.find('}') else { break };
        let (argument, spec) = rest[..close].split_once(':').unwrap_or((&rest[..close], ""));
        add(argument.trim());
        // `width$`, `.precision$`
        let mut pieces = spec.split('$').peekable();
        while let Some(piece) = pieces.next() {
            if pieces.peek().is_some() {
                let start = piece.rfind(|c: char| ".<>^+-#".contains(c)).map_or(0, |at| at + 1);
                add(piece[start..].trim_start_matches('0'));
            }
        }
        rest = &rest[close + 1..];
    }
    names
}

#[cfg(test)]
mod tests {
    use super::captures;

    #[test]
    fn a_format_string_names_its_captures() {
        assert_eq!(
            captures("{x} {{no}} {y:?} {0} {} {z:>width$.prec$} {x}"),
            ["x", "y", "z", "width", "prec"]
        );
        assert_eq!(captures("{a:08.3} {b:0w$} {unclosed"), ["a", "b", "w"]);
        assert_eq!(captures("}{ {_u:#x}"), [" {_u"; 0]);
    }
}
