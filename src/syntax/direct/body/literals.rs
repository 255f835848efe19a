//! Literals and their values, as `syntax::patterns::lower_lit` gives them.
//!
//! What is usual is read here; of everything else syn is asked for the literal alone.

use crate::hir::{Lit, Name};
use crate::syntax::direct::stream::Placed;
use crate::syntax::lexer::TokenKind;
use crate::syntax::patterns::{MAX_STR, lower_lit};
use std::borrow::Cow;

const SUFFIXES: [&str; 14] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64"];
/// Longest number that is read.
const MAX_NUMBER: usize = 100;

/// A literal's value; a number may have a `-` before it.
pub(in crate::syntax::direct) fn literal(tokens: &[Placed<'_>]) -> Option<Lit> {
    match tokens {
        [token] => match token.kind {
            TokenKind::Ident => Some(Lit::Bool(token.text == "true")),
            TokenKind::Number => number(token.text),
            TokenKind::Char => char(token.text),
            TokenKind::Str if token.text.starts_with(['b', 'c']) => {
                asked(token.text).filter(|lit| *lit == Lit::Other)
            }
            TokenKind::Str => {
                let value = string(token.text)?;
                Some(Lit::Str(Name::new(&value[..value.floor_char_boundary(MAX_STR)])))
            }
            _ => None,
        },
        [_, number] => match self::number(number.text)? {
            Lit::Int(Some(value), suffix) => Some(Lit::Int(Some(-value), suffix)),
            _ => asked(&format!("-{}", number.text)),
        },
        _ => None,
    }
}

/// What syn makes of a literal.
fn asked(text: &str) -> Option<Lit> {
    syn::parse_str::<syn::Lit>(text).ok().map(|lit| lower_lit(&lit))
}

fn number(text: &str) -> Option<Lit> {
    if text.len() > MAX_NUMBER {
        return None;
    }
    integer(text).or_else(|| decimal(text)).or_else(|| asked(text))
}

fn integer(text: &str) -> Option<Lit> {
    let (radix, digits) = match text.as_bytes() {
        [b'0', b'x', ..] => (16, &text[2..]),
        [b'0', b'o', ..] => (8, &text[2..]),
        [b'0', b'b', ..] => (2, &text[2..]),
        _ => (10, text),
    };
    let mut value: i128 = 0;
    let mut end = 0;
    let mut any = false;
    for byte in digits.bytes() {
        if byte != b'_' {
            let Some(digit) = char::from(byte).to_digit(radix) else { break };
            value = value.checked_mul(radix.into())?.checked_add(digit.into())?;
            any = true;
        }
        end += 1;
    }
    let suffix = &digits[end..];
    let suffix = match suffix.is_empty() {
        true => None,
        false => Some(SUFFIXES.iter().find(|known| **known == suffix)?),
    };
    any.then(|| Lit::Int(Some(value), suffix.map(|suffix| Name::new(suffix))))
}

/// `1.5`, `1.5f32`
fn decimal(text: &str) -> Option<Lit> {
    let text = text.strip_suffix("f32").or_else(|| text.strip_suffix("f64")).unwrap_or(text);
    let (whole, fraction) = text.split_once('.')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(whole) && is_number(fraction)).then(|| Lit::Float(Name::new(text)))
}

fn char(text: &str) -> Option<Lit> {
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some(char), Some('\''), None) if !char.is_control() && char != '\\' => {
            Some(Lit::Char(char))
        }
        _ => asked(text),
    }
}

/// The value of a string literal.
pub(super) fn string(text: &str) -> Option<Cow<'_, str>> {
    let plain = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match plain {
        Some(inner) if !inner.contains(['\\', '\r', '"']) => Some(Cow::Borrowed(inner)),
        _ => syn::parse_str::<syn::LitStr>(text).ok().map(|literal| Cow::Owned(literal.value())),
    }
}
