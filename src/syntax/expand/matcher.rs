//! Matches a macro's input against one rule's matcher.
//!
//! In: compiled matcher and input tokens. Out: what each variable stands for, borrowed from the input. Repetitions
//! take as many rounds as they can; a round that fails gives back its tokens and its separator. There is no other
//! backtracking inside a rule (valid macros need none: rustc calls the rest ambiguous). `$(#[$meta:meta])+` also takes
//! nothing: doc comments, which may have stood there, never reach us.

use super::fragment::{Frag, fragment_len};
use super::glue::same_token;
use super::template::{Node, Repeat, Times};
use crate::hir::{Delim, Name, Tt};

/// What a variable stands for.
#[derive(Debug)]
pub(super) enum Binding<'a> {
    Leaf(Frag, &'a [Tt]),
    /// One for each round of the repetition it stands in.
    Rounds(Vec<Binding<'a>>),
}

pub(super) type Bindings<'a> = Vec<(Name, Binding<'a>)>;

/// The bindings if the whole input matches.
pub(super) fn match_rule<'a>(nodes: &[Node], input: &'a [Tt]) -> Option<Bindings<'a>> {
    let mut out = Vec::new();
    whole(nodes, input, &mut out)?;
    Some(out)
}

fn whole<'a>(nodes: &[Node], input: &'a [Tt], out: &mut Bindings<'a>) -> Option<()> {
    (sequence(nodes, input, out)? == input.len()).then_some(())
}

/// Matches a prefix of the input; yields its length.
fn sequence<'a>(nodes: &[Node], input: &'a [Tt], out: &mut Bindings<'a>) -> Option<usize> {
    let mut at = 0;
    for node in nodes {
        let rest = &input[at..];
        at += match node {
            Node::Token(token) => same_token(token, rest)?,
            Node::Group(delim, inner) => match rest.first() {
                Some(Tt::Group(found, tokens, _)) if found == delim => {
                    whole(inner, tokens, out)?;
                    1
                }
                _ => return None,
            },
            Node::Var { name, kind, .. } => {
                let kind = (*kind)?;
                let len = fragment_len(kind, rest)?;
                out.push((*name, Binding::Leaf(kind, &rest[..len])));
                len
            }
            Node::Repeat(repeat) => rounds(repeat, rest, out)?,
            Node::Crate | Node::Meta { .. } => return None,
        };
    }
    Some(at)
}

fn rounds<'a>(repeat: &Repeat, input: &'a [Tt], out: &mut Bindings<'a>) -> Option<usize> {
    let base = out.len();
    out.extend(repeat.vars.iter().map(|name| (*name, Binding::Rounds(Vec::new()))));
    let mut at = 0;
    let mut count = 0usize;
    let mut found = Vec::new();
    while count == 0 || repeat.times != Times::Optional {
        let mut start = at;
        if count > 0 && !repeat.separator.is_empty() {
            match same_token(&repeat.separator, &input[at..]) {
                Some(len) => start += len,
                None => break,
            }
        }
        found.clear();
        match sequence(&repeat.body, &input[start..], &mut found) {
            Some(len) if len > 0 => at = start + len,
            _ => break,
        }
        count += 1;
        for (slot, (_, binding)) in out[base..].iter_mut().zip(found.drain(..)) {
            if let Binding::Rounds(list) = &mut slot.1 {
                list.push(binding);
            }
        }
    }
    (count > 0 || repeat.times != Times::Some || is_attribute(&repeat.body)).then_some(at)
}

/// `#[$meta]`
fn is_attribute(body: &[Node]) -> bool {
    match body {
        [Node::Token(token), Node::Group(Delim::Bracket, inner)] => {
            matches!(token[..], [Tt::Punct('#', ..)])
                && matches!(inner[..], [Node::Var { kind: Some(Frag::Meta), .. }])
        }
        _ => false,
    }
}
