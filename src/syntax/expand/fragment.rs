//! How far a fragment (`$x:expr`, `$t:ty`, …) reaches in a macro's input.
//!
//! In: a fragment kind and the tokens from where it begins. Out: the number of tokens it takes, or `None` if it
//! doesn't begin here. A scan over tokens, not a parse: what it takes may still turn out not to be Rust. It takes
//! what the grammar takes from valid input, in one pass without backtracking. Source: Rust Reference, "Macros By
//! Example", section Metavariables.

use super::glue::{Op, op1, op2, operator, tree_len};
use super::scan_expr::Scan;
use crate::hir::{Delim, Tt};

/// A fragment specifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Frag {
    Ident,
    Expr,
    Ty,
    Pat,
    PatParam,
    Path,
    Stmt,
    Block,
    Item,
    Meta,
    Tt,
    Vis,
    Lifetime,
    Literal,
}

impl Frag {
    /// The specifier with this name.
    pub(super) fn named(name: &str) -> Option<Frag> {
        Some(match name {
            "ident" => Frag::Ident,
            "expr" | "expr_2021" => Frag::Expr,
            "ty" => Frag::Ty,
            "pat" => Frag::Pat,
            "pat_param" => Frag::PatParam,
            "path" => Frag::Path,
            "stmt" => Frag::Stmt,
            "block" => Frag::Block,
            "item" => Frag::Item,
            "meta" => Frag::Meta,
            "tt" => Frag::Tt,
            "vis" => Frag::Vis,
            "lifetime" => Frag::Lifetime,
            "literal" => Frag::Literal,
            _ => return None,
        })
    }
}

/// The number of tokens that a fragment takes from the front; `None` if none begins there.
pub(super) fn fragment_len(kind: Frag, tokens: &[Tt]) -> Option<usize> {
    if let Some(Tt::Group(Delim::None, inner, _)) = tokens.first()
        && kind != Frag::Tt
        && kind != Frag::Expr
        && kind != Frag::Stmt
        && kind != Frag::Vis
    {
        // What an outer macro matched as one fragment stays one.
        return (fragment_len(kind, inner)? == inner.len()).then_some(1);
    }
    let len = match kind {
        Frag::Tt => tree_len(tokens),
        Frag::Ident => usize::from(matches!(tokens.first(), Some(Tt::Ident(name, _)) if *name != "_")),
        Frag::Lifetime => usize::from(matches!(tokens.first(), Some(Tt::Lifetime(..)))),
        Frag::Block => usize::from(matches!(tokens.first(), Some(Tt::Group(Delim::Brace, ..)))),
        Frag::Literal => literal(tokens),
        Frag::Vis => return Some(visibility(tokens)),
        Frag::Meta => meta(tokens),
        Frag::Expr => Scan::new(tokens).expression()?,
        Frag::Ty => Scan::new(tokens).whole_type()?,
        Frag::Path => Scan::new(tokens).type_path()?,
        Frag::Pat => pattern(tokens, true),
        Frag::PatParam => pattern(tokens, false),
        Frag::Stmt => statement(tokens)?,
        Frag::Item => item(tokens)?,
    };
    (len > 0).then_some(len)
}

fn literal(tokens: &[Tt]) -> usize {
    let minus = usize::from(matches!(tokens.first(), Some(Tt::Punct('-', ..))));
    match tokens.get(minus) {
        Some(Tt::Literal(..)) => minus + 1,
        Some(Tt::Ident(name, _)) if minus == 0 && (*name == "true" || *name == "false") => 1,
        _ => 0,
    }
}

/// `pub`, `pub(crate)`, `pub(in path)`, or nothing.
fn visibility(tokens: &[Tt]) -> usize {
    match tokens {
        [Tt::Group(Delim::None, inner, _), ..] if visibility(inner) == inner.len() => 1,
        [Tt::Ident(name, _), Tt::Group(Delim::Paren, inner, _), ..] if *name == "pub" => {
            let restricted = matches!(inner.first(), Some(Tt::Ident(word, _))
                if ["crate", "self", "super", "in"].contains(&word.as_str()));
            1 + usize::from(restricted)
        }
        [Tt::Ident(name, _), ..] if *name == "pub" => 1,
        _ => 0,
    }
}

/// `path`, `path = expr`, `path(…)`.
fn meta(tokens: &[Tt]) -> usize {
    let mut scan = Scan::new(tokens);
    let Some(path) = scan.mod_path() else { return 0 };
    let rest = &tokens[path..];
    match rest.first() {
        Some(Tt::Group(delim, ..)) if *delim != Delim::None => path + 1,
        Some(Tt::Punct('=', ..)) if is_op(rest, op1(b'=')) => {
            path + 1 + Scan::new(&rest[1..]).expression().unwrap_or(0)
        }
        _ => path,
    }
}

pub(super) fn is_op(tokens: &[Tt], op: Op) -> bool {
    operator(tokens).is_some_and(|(found, _)| found == op)
}

/// A pattern ends before `=>`, `,`, `=`, `;`, `:`, `if`, `in` and, if alternatives don't belong to it, `|`.
pub(super) fn pattern(tokens: &[Tt], alternatives: bool) -> usize {
    let mut at = 0;
    while let Some(tt) = tokens.get(at) {
        match tt {
            Tt::Ident(name, _) if at > 0 && (*name == "if" || *name == "in") => break,
            Tt::Punct('<', ..) => match Scan::new(&tokens[at..]).angles() {
                Some(len) => at += len,
                None => break,
            },
            Tt::Punct(..) => {
                let Some((op, len)) = operator(&tokens[at..]) else { break };
                let ends = [op2(b"=>"), op1(b','), op1(b'='), op1(b';'), op1(b':')].contains(&op)
                    || !alternatives && op == op1(b'|');
                if ends {
                    break;
                }
                at += len;
            }
            Tt::Ident(..) | Tt::Lifetime(..) | Tt::Literal(..) | Tt::Group(..) => at += 1,
        }
    }
    at
}

/// A statement without its semicolon.
fn statement(tokens: &[Tt]) -> Option<usize> {
    let start = attributes(tokens);
    if matches!(tokens.get(start), Some(Tt::Ident(name, _)) if *name == "let") {
        return let_statement(tokens, start + 1);
    }
    if begins_item(&tokens[start..]) {
        return item(tokens);
    }
    Some(start + Scan::new(&tokens[start..]).expression()?)
}

fn let_statement(tokens: &[Tt], start: usize) -> Option<usize> {
    let mut at = start + pattern(&tokens[start..], true);
    if is_op(&tokens[at..], op1(b':')) {
        at += 1;
        at += Scan::new(&tokens[at..]).whole_type()?;
    }
    if is_op(&tokens[at..], op1(b'=')) {
        at += 1;
        at += Scan::new(&tokens[at..]).expression()?;
        if let [Tt::Ident(name, _), Tt::Group(Delim::Brace, ..), ..] = &tokens[at..]
            && *name == "else"
        {
            at += 2;
        }
    }
    Some(at)
}

/// Number of tokens of the attributes in front.
fn attributes(tokens: &[Tt]) -> usize {
    let mut at = 0;
    while let [Tt::Punct('#', ..), Tt::Group(Delim::Bracket, ..), ..] = &tokens[at..] {
        at += 2;
    }
    at
}

const ITEM_WORDS: [&str; 15] = [
    "fn",
    "struct",
    "enum",
    "union",
    "trait",
    "impl",
    "mod",
    "use",
    "static",
    "const",
    "type",
    "extern",
    "unsafe",
    "async",
    "macro_rules",
];

/// Whether an item (and no expression) begins here, attributes already passed.
fn begins_item(tokens: &[Tt]) -> bool {
    let rest = &tokens[visibility(tokens)..];
    if rest.len() < tokens.len() {
        return true;
    }
    let [Tt::Ident(word, _), next, ..] = rest else { return false };
    match word.as_str() {
        "fn" | "struct" | "enum" | "trait" | "impl" | "mod" | "use" | "type" | "extern" => true,
        "union" => matches!(next, Tt::Ident(..)),
        "static" => matches!(next, Tt::Ident(name, _) if !["move", "async"].contains(&name.as_str())),
        "const" => matches!(next, Tt::Ident(name, _) if !["move", "async"].contains(&name.as_str())),
        "unsafe" => matches!(next, Tt::Ident(..)),
        "async" => matches!(next, Tt::Ident(name, _) if *name != "move"),
        "macro_rules" => matches!(next, Tt::Punct('!', ..)),
        _ => false,
    }
}

/// An item reaches to its `;`, or to the brace group that ends it.
fn item(tokens: &[Tt]) -> Option<usize> {
    let start = attributes(tokens);
    let start = start + visibility(&tokens[start..]);
    let rest = &tokens[start..];
    let path = Scan::new(rest).mod_path()?;
    let is_macro_call = matches!(rest.get(path), Some(Tt::Punct('!', ..)));
    let word = if let Some(Tt::Ident(word, _)) = rest.first() { word.as_str() } else { "" };
    if !ITEM_WORDS.contains(&word) && !is_macro_call {
        return None;
    }
    let has_value = match (word, rest.get(1)) {
        ("use" | "static", _) => true,
        ("const", Some(Tt::Ident(next, _))) => !["fn", "unsafe", "extern", "async"].contains(&next.as_str()),
        _ => false,
    };
    let ends = |tt: &Tt| match tt {
        Tt::Punct(';', ..) => true,
        Tt::Group(Delim::Brace, ..) => !has_value,
        _ => false,
    };
    Some(start + rest.iter().position(ends)? + 1)
}
