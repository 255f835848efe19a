//! Multi-character operators: `hir::Tt` keeps punctuation one character a token, `macro_rules` counts `+=` as one.
//!
//! In: token slices. Out: how many tokens at the front make one operator. Pure.

use crate::hir::{Joint, Tt};

const THREE: [&[u8; 3]; 4] = [b"<<=", b">>=", b"...", b"..="];
const TWO: [&[u8; 2]; 22] = [
    b"&&", b"||", b"==", b"!=", b"<=", b">=", b"+=", b"-=", b"*=", b"/=", b"%=", b"^=", b"&=", b"|=", b"<<",
    b">>", b"->", b"=>", b"::", b"..", b"<-", b"~=",
];

/// An operator of one to three characters; unused places are 0.
pub(super) type Op = [u8; 3];

/// The operator of one character.
pub(super) const fn op1(a: u8) -> Op {
    [a, 0, 0]
}

/// The operator of two characters.
pub(super) const fn op2(text: &[u8; 2]) -> Op {
    [text[0], text[1], 0]
}

/// The longest operator at the front of `tokens` and its number of tokens; `None` if there is no punctuation.
pub(super) fn operator(tokens: &[Tt]) -> Option<(Op, usize)> {
    let mut chars = [0u8; 3];
    let mut len = 0;
    while len < 3 {
        let Some(Tt::Punct(c, joint, _)) = tokens.get(len) else { break };
        chars[len] = if c.is_ascii() { *c as u8 } else { b'?' };
        len += 1;
        if *joint == Joint::Alone {
            break;
        }
    }
    match len {
        0 => None,
        3 if THREE.contains(&&chars) => Some((chars, 3)),
        2 | 3 if TWO.contains(&&[chars[0], chars[1]]) => Some(([chars[0], chars[1], 0], 2)),
        _ => Some((op1(chars[0]), 1)),
    }
}

/// Number of tokens of the first token tree: more than one for an operator of several characters, 0 at the end.
pub(super) fn tree_len(tokens: &[Tt]) -> usize {
    match operator(tokens) {
        Some((_, len)) => len,
        None => usize::from(!tokens.is_empty()),
    }
}

/// Whether both slices begin with the same token; if so, how many tokens it takes in each.
pub(super) fn same_token(pattern: &[Tt], input: &[Tt]) -> Option<usize> {
    match (pattern.first()?, input.first()?) {
        (Tt::Ident(a, _), Tt::Ident(b, _)) | (Tt::Lifetime(a, _), Tt::Lifetime(b, _)) => {
            (a == b).then_some(1)
        }
        (Tt::Literal(a, _), Tt::Literal(b, _)) => (a == b).then_some(1),
        (Tt::Punct(..), Tt::Punct(..)) => {
            let (a, len) = operator(pattern)?;
            (operator(input)?.0 == a).then_some(len)
        }
        _ => None,
    }
}
