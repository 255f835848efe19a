//! The two halves of a macro rule, compiled: what the matcher and the transcriber look like.
//!
//! In: the rule's tokens. Out: a tree of `Node`s. `$x:kind` is a variable in a matcher, `$x` in a transcriber.
//! Source: Rust Reference, "Macros By Example".

use super::fragment::Frag;
use super::glue::{operator, tree_len};
use crate::hir::{Delim, Name, Tt};

/// A piece of a matcher or transcriber.
#[derive(Debug)]
pub(super) enum Node {
    /// One token; an operator of several characters is one.
    Token(Box<[Tt]>),
    Group(Delim, Vec<Node>),
    /// `$name` or `$name:kind`; in transcribers `dollar` are its tokens as written.
    Var {
        name: Name,
        kind: Option<Frag>,
        dollar: Box<[Tt]>,
    },
    /// `$crate`
    Crate,
    /// `${count(x)}`, `${index()}`, … : the function and its first argument.
    Meta {
        function: Name,
        argument: Option<Name>,
    },
    Repeat(Repeat),
}

#[derive(Debug)]
pub(super) struct Repeat {
    pub(super) body: Vec<Node>,
    pub(super) separator: Box<[Tt]>,
    pub(super) times: Times,
    /// All variables inside, at any depth.
    pub(super) vars: Vec<Name>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Times {
    Any,
    Some,
    Optional,
}

/// Which half is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Half {
    Matcher,
    Transcriber,
}

/// Compiles tokens; `None` if they are no macro pattern.
pub(super) fn compile(tokens: &[Tt], half: Half) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    let mut at = 0;
    while let Some(tt) = tokens.get(at) {
        match tt {
            Tt::Punct('$', ..) => {
                let (node, len) = dollar(&tokens[at..], half)?;
                nodes.push(node);
                at += len;
            }
            Tt::Group(delim, inner, _) => {
                nodes.push(Node::Group(*delim, compile(inner, half)?));
                at += 1;
            }
            Tt::Ident(..) | Tt::Lifetime(..) | Tt::Punct(..) | Tt::Literal(..) => {
                let len = tree_len(&tokens[at..]);
                nodes.push(Node::Token(tokens[at..at + len].into()));
                at += len;
            }
        }
    }
    Some(nodes)
}

/// What a `$` begins, and its length.
fn dollar(tokens: &[Tt], half: Half) -> Option<(Node, usize)> {
    match (&tokens[1..], half) {
        ([Tt::Punct('$', ..), ..], _) => Some((Node::Token(tokens[1..2].into()), 2)),
        ([Tt::Group(Delim::Paren, inner, _), rest @ ..], _) => {
            let body = compile(inner, half)?;
            let (sep_len, times) = repetition(rest)?;
            let mut vars = Vec::new();
            collect_vars(&body, &mut vars);
            let repeat = Repeat { body, separator: rest[..sep_len].into(), times, vars };
            Some((Node::Repeat(repeat), 2 + sep_len + 1))
        }
        ([Tt::Group(Delim::Brace, inner, _), ..], Half::Transcriber) => Some((meta(inner)?, 2)),
        ([Tt::Ident(name, _), ..], _) if *name == "crate" => Some((Node::Crate, 2)),
        ([Tt::Ident(name, _), Tt::Punct(':', ..), Tt::Ident(kind, _), ..], Half::Matcher) => {
            let kind = Some(Frag::named(kind.as_str())?);
            Some((Node::Var { name: *name, kind, dollar: tokens[..2].into() }, 4))
        }
        ([Tt::Ident(name, _), ..], Half::Transcriber) => {
            Some((Node::Var { name: *name, kind: None, dollar: tokens[..2].into() }, 2))
        }
        // A lone `$`, as a token.
        _ => Some((Node::Token(tokens[..1].into()), 1)),
    }
}

/// The number of separator tokens, and the operator after them.
fn repetition(tokens: &[Tt]) -> Option<(usize, Times)> {
    if let Some(times) = tokens.first().and_then(times) {
        return Some((0, times));
    }
    let len = operator(tokens).map_or(1, |(_, len)| len);
    Some((len, times(tokens.get(len)?)?))
}

fn times(tt: &Tt) -> Option<Times> {
    match tt {
        Tt::Punct('*', ..) => Some(Times::Any),
        Tt::Punct('+', ..) => Some(Times::Some),
        Tt::Punct('?', ..) => Some(Times::Optional),
        _ => None,
    }
}

/// `count(x)`, `index()`, `ignore(x)`, …
fn meta(tokens: &[Tt]) -> Option<Node> {
    let [Tt::Ident(function, _), Tt::Group(Delim::Paren, inner, _)] = tokens else { return None };
    let argument = inner.iter().find_map(|tt| match tt {
        Tt::Ident(name, _) => Some(*name),
        _ => None,
    });
    Some(Node::Meta { function: *function, argument })
}

fn collect_vars(nodes: &[Node], vars: &mut Vec<Name>) {
    for node in nodes {
        match node {
            Node::Var { name, .. } => vars.push(*name),
            Node::Group(_, inner) => collect_vars(inner, vars),
            Node::Repeat(repeat) => vars.extend(&repeat.vars),
            Node::Meta { argument, .. } => vars.extend(argument),
            Node::Token(_) | Node::Crate => {}
        }
    }
}
