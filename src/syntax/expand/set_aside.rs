//! Sets the bodies of functions aside while the items around them are parsed: most of them are never looked at.
//!
//! In: the tokens of items. Out: the same tokens with a number for each function's body, and the bodies by number.
//! A body that is overlooked only costs the time to parse it.

use crate::hir::{Delim, Name, Tokens, Tt};
use std::sync::Arc;

/// Tells the number of a body from any that code may have. It begins with no letter that a number may go on with.
const SUFFIX: &str = "aside";

/// The tokens, with `{ n }` for the body `bodies[n]`.
pub(super) fn set_aside(tokens: &[Tt], bodies: &mut Vec<Tokens>) -> Vec<Tt> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut place = Place::Other;
    for (at, tt) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        let (now, token) = match (place, tt) {
            (Place::Function, Tt::Group(Delim::Brace, ..)) if ends_item(next) => {
                (Place::Other, number(tt, bodies))
            }
            (Place::Container, Tt::Group(Delim::Brace, inner, range)) if ends_item(next) => {
                let inner = set_aside(inner, bodies);
                (Place::Other, Tt::Group(Delim::Brace, inner.into(), *range))
            }
            (_, Tt::Punct(';' | '!', ..)) => (Place::Other, tt.clone()),
            (Place::Function, Tt::Ident(..)) => (place, tt.clone()),
            (_, Tt::Ident(word, _)) => (after_word(*word, next).unwrap_or(place), tt.clone()),
            _ => (place, tt.clone()),
        };
        place = now;
        kept.push(token);
    }
    kept
}

/// What the next group in braces is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A function's body.
    Function,
    /// The items of a module, trait or impl.
    Container,
    Other,
}

/// What a keyword says of the next braces; `None` for other words.
fn after_word(word: Name, next: Option<&Tt>) -> Option<Place> {
    match word.as_str() {
        // Not the type of a function.
        "fn" => matches!(next, Some(Tt::Ident(..))).then_some(Place::Function),
        "mod" | "trait" | "impl" => Some(Place::Container),
        "struct" | "enum" | "union" | "static" | "const" | "macro_rules" | "use" | "type" => {
            Some(Place::Other)
        }
        _ => None,
    }
}

/// Whether braces end an item where this follows them, and aren't part of a type.
fn ends_item(next: Option<&Tt>) -> bool {
    match next {
        None | Some(Tt::Punct('#', ..)) => true,
        Some(Tt::Ident(word, _)) => *word != "where",
        Some(_) => false,
    }
}

/// The number that stands for a body, in its braces.
fn number(body: &Tt, bodies: &mut Vec<Tokens>) -> Tt {
    let range = body.range();
    let number = Tt::Literal(Name::new(&format!("{}{SUFFIX}", bodies.len())), range);
    bodies.push(Arc::new([body.clone()]));
    Tt::Group(Delim::Brace, Arc::new([number]), range)
}

/// The number that a body in the tree is.
pub(in crate::syntax) fn numbered(block: &syn::Block) -> Option<usize> {
    match block.stmts.as_slice() {
        [syn::Stmt::Expr(syn::Expr::Lit(literal), None)] => match &literal.lit {
            syn::Lit::Int(number) => body_number(&number.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// The number of a body, if the literal is one.
pub(in crate::syntax) fn body_number(literal: &str) -> Option<usize> {
    literal.strip_suffix(SUFFIX)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Tokens {
        let file: proc_macro2::TokenStream = text.parse().expect("tokens");
        let map = crate::syntax::source_map::SourceMap::of_text(
            text,
            crate::hir::TextRange::new(0, text.len() as u32),
        );
        crate::syntax::tokens::from_stream(file, &map)
    }

    fn kept(text: &str) -> (String, usize) {
        let mut bodies = Vec::new();
        let kept = set_aside(&tokens(text), &mut bodies);
        let (text, _) = crate::syntax::tokens::render(&kept);
        (text.split_whitespace().collect::<Vec<_>>().join(" "), bodies.len())
    }

    #[test]
    fn bodies_of_functions_are_set_aside_wherever_items_stand() {
        let (text, count) = kept(
            "fn a() { x(); } mod m { pub fn b() -> impl Fn() { y } } impl T { const C: u8 = { 1 }; fn c(&self) {} }",
        );
        assert_eq!(count, 3);
        assert!(!text.contains('x') && !text.contains('y') && text.contains("C : u8 = { 1 }"), "{text}");
    }

    #[test]
    fn braces_in_types_and_macros_stay() {
        let (text, count) = kept("fn a() -> A<{ 1 + 1 }> { x } struct S { f: fn() } m! { fn b() { y } }");
        assert_eq!(count, 1);
        assert!(!text.contains('x') && text.contains('y') && text.contains("1 + 1"), "{text}");
    }
}
