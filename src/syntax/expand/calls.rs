//! Macro calls among the items that a macro made.
//!
//! In: tokens that stand for items. Out: those that call macros as items, with their arguments as they are, so that what
//! recursive macros hand on isn't written out and read again at each step; and the tokens in between.
//! Invariant: a call is given as it would be read from the tokens rendered: invisible groups become parentheses or
//! vanish. A call that has attributes is left among the tokens in between.

use crate::hir::{Delim, Item, ItemKind, Name, Path, PathId, Segment, TextRange, Tokens, Tt, Visibility};

/// A part of the tokens.
pub(super) enum Part<'t> {
    Call(Item),
    /// One or more items of any kind.
    Items(&'t [Tt]),
}

/// The parts in their order.
pub(super) fn parts(tokens: &[Tt]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut at, mut done) = (0, 0);
    while at < tokens.len() {
        match call(&tokens[at..]) {
            Some((item, len)) => {
                if done < at {
                    parts.push(Part::Items(&tokens[done..at]));
                }
                parts.push(Part::Call(item));
                at += len;
                done = at;
            }
            None => at += item_len(&tokens[at..]),
        }
    }
    if done < at {
        parts.push(Part::Items(&tokens[done..]));
    }
    parts
}

/// The number of tokens up to where another item may begin.
fn item_len(tokens: &[Tt]) -> usize {
    let ends = |tt: &Tt| matches!(tt, Tt::Punct(';', ..) | Tt::Group(Delim::Brace, ..));
    tokens.iter().position(ends).map_or(tokens.len(), |at| at + 1)
}

/// If the tokens begin with a call: it, and its number of tokens.
fn call(tokens: &[Tt]) -> Option<(Item, usize)> {
    let (path, mut len) = path(tokens)?;
    let [Tt::Punct('!', ..), Tt::Group(delim, args, _), rest @ ..] = &tokens[len..] else { return None };
    len += 2;
    match delim {
        Delim::Brace => {}
        Delim::Paren | Delim::Bracket if matches!(rest.first(), Some(Tt::Punct(';', ..))) => len += 1,
        Delim::Paren | Delim::Bracket | Delim::None => return None,
    }
    let item = Item {
        name: Name::new(""),
        name_range: tokens[0].range(),
        range: tokens[0].range().to(tokens[len - 1].range()),
        vis: Visibility::Private,
        attrs: Vec::new(),
        kind: ItemKind::MacroCall { path, tokens: visible(args) },
    };
    Some((item, len))
}

/// `a::b` or `::a::b`, and its number of tokens.
fn path(tokens: &[Tt]) -> Option<(Path, usize)> {
    let is_colons = |at: usize| matches!(tokens[at..], [Tt::Punct(':', ..), Tt::Punct(':', ..), ..]);
    let global = is_colons(0);
    let mut len = if global { 2 } else { 0 };
    let mut segments = Vec::new();
    while let Some(Tt::Ident(name, range)) = tokens.get(len) {
        segments.push(Segment { name: *name, range: *range, args: Vec::new(), fn_output: None });
        len += 1;
        if !is_colons(len) {
            let range = TextRange::to(tokens[0].range(), *range);
            return Some((Path { global, qself: None, segments, range, id: PathId::ITEM }, len));
        }
        len += 2;
    }
    None
}

/// The tokens without invisible groups.
fn visible(tokens: &Tokens) -> Tokens {
    if !has_invisible(tokens) {
        return tokens.clone();
    }
    let mut out = Vec::with_capacity(tokens.len());
    make_visible(tokens, &mut out);
    out.into()
}

fn has_invisible(tokens: &[Tt]) -> bool {
    tokens.iter().any(|tt| match tt {
        Tt::Group(delim, inner, _) => *delim == Delim::None || has_invisible(inner),
        Tt::Ident(..) | Tt::Lifetime(..) | Tt::Punct(..) | Tt::Literal(..) => false,
    })
}

fn make_visible(tokens: &[Tt], out: &mut Vec<Tt>) {
    for tt in tokens {
        match tt {
            Tt::Group(Delim::None, inner, _) if inner.len() == 1 => make_visible(inner, out),
            Tt::Group(Delim::None, inner, range) => out.push(Tt::Group(Delim::Paren, visible(inner), *range)),
            Tt::Group(delim, inner, range) => out.push(Tt::Group(*delim, visible(inner), *range)),
            Tt::Ident(..) | Tt::Lifetime(..) | Tt::Punct(..) | Tt::Literal(..) => out.push(tt.clone()),
        }
    }
}
