//! Writes what a matched rule stands for.
//!
//! In: compiled transcriber, bindings, the range of the call. Out: tokens. Tokens of the call keep their ranges,
//! those of the definition get the call's. An expression stays one operand: it becomes an invisible group. The
//! number of tokens is bounded by `Budget`.

use super::Budget;
use super::fragment::Frag;
use super::glue::{Op, op1, op2, operator};
use super::hygiene::Renames;
use super::matcher::{Binding, Bindings};
use super::template::{Node, Repeat};
use crate::hir::{Delim, Joint, Name, TextRange, Tokens, Tt};

/// The tokens a transcriber yields; `None` if a variable is used at the wrong depth or the budget is spent.
pub(super) fn transcribe(
    nodes: &[Node],
    bindings: &Bindings<'_>,
    renames: &Renames,
    call: TextRange,
    budget: &mut Budget,
) -> Option<Tokens> {
    let env: Env<'_> = bindings.iter().map(|(name, binding)| (*name, binding)).collect();
    let mut writer = Writer { renames, call, budget, rounds: Vec::new(), in_fields: false };
    Some(writer.nodes(nodes, &env)?.into())
}

type Env<'a> = Vec<(Name, &'a Binding<'a>)>;

struct Writer<'r> {
    renames: &'r Renames,
    call: TextRange,
    budget: &'r mut Budget,
    /// The number of the round in each repetition around, outermost first.
    rounds: Vec<usize>,
    /// Whether the innermost group holds a struct literal's fields.
    in_fields: bool,
}

fn lookup<'a>(env: &Env<'a>, name: Name) -> Option<&'a Binding<'a>> {
    env.iter().find(|(bound, _)| *bound == name).map(|(_, binding)| *binding)
}

impl Writer<'_> {
    fn nodes(&mut self, nodes: &[Node], env: &Env<'_>) -> Option<Vec<Tt>> {
        let mut out = Vec::with_capacity(nodes.len());
        self.write(nodes, env, &mut out)?;
        Some(out)
    }

    fn token(&self, nodes: &[Node], at: usize, tokens: &[Tt], out: &mut Vec<Tt>) {
        match tokens {
            [Tt::Ident(name, _)] if self.renames.is_empty() || is_member(nodes, at, self.in_fields) => {
                out.push(Tt::Ident(*name, self.call))
            }
            _ => out.extend(tokens.iter().map(|tt| self.own(tt))),
        }
    }

    fn write(&mut self, nodes: &[Node], env: &Env<'_>, out: &mut Vec<Tt>) -> Option<()> {
        for (at, node) in nodes.iter().enumerate() {
            self.budget.spend(1)?;
            match node {
                Node::Token(tokens) => self.token(nodes, at, tokens, out),
                Node::Group(delim, inner) => {
                    let fields = *delim == Delim::Brace && begins_with_field(inner);
                    let outside = std::mem::replace(&mut self.in_fields, fields);
                    let inner = self.nodes(inner, env)?;
                    self.in_fields = outside;
                    out.push(Tt::Group(*delim, inner.into(), self.call));
                }
                Node::Crate => out.push(Tt::Ident(Name::new("crate"), self.call)),
                Node::Meta { function, argument } => out.extend(self.meta(*function, *argument, env)?),
                Node::Var { name, dollar, .. } => match lookup(env, *name) {
                    Some(Binding::Leaf(kind, tokens)) => self.leaf(*kind, tokens, out)?,
                    Some(Binding::Rounds(_)) => return None,
                    None => out.extend(dollar.iter().map(|tt| self.own(tt))),
                },
                Node::Repeat(repeat) => self.repeat(repeat, env, out)?,
            }
        }
        Some(())
    }

    /// A token of the definition, at the call's range.
    fn own(&self, tt: &Tt) -> Tt {
        match tt {
            Tt::Ident(name, _) => Tt::Ident(self.renames.ident(*name), self.call),
            Tt::Lifetime(name, _) => Tt::Lifetime(*name, self.call),
            Tt::Punct(c, joint, _) => Tt::Punct(*c, *joint, self.call),
            Tt::Literal(text, _) => Tt::Literal(self.renames.literal(*text), self.call),
            Tt::Group(delim, inner, _) => {
                Tt::Group(*delim, inner.iter().map(|tt| self.own(tt)).collect(), self.call)
            }
        }
    }

    fn leaf(&mut self, kind: Frag, tokens: &[Tt], out: &mut Vec<Tt>) -> Option<()> {
        self.budget.spend(count(tokens))?;
        match (kind, tokens) {
            (Frag::Expr, [single @ Tt::Group(Delim::None, ..)]) => out.push(single.clone()),
            (Frag::Expr, _) => out.push(group(Delim::None, tokens)),
            // `dyn A + B` after `&`, `A | B` in a closure's parameters.
            (Frag::Ty, _) if has_punct(tokens, '+') => out.push(group(Delim::Paren, tokens)),
            (Frag::Pat, _) if has_punct(tokens, '|') => out.push(group(Delim::Paren, tokens)),
            _ => out.extend_from_slice(tokens),
        }
        // The last character must not run together with what follows it.
        if let Some(Tt::Punct(_, joint, _)) = out.last_mut() {
            *joint = Joint::Alone;
        }
        Some(())
    }

    fn repeat(&mut self, repeat: &Repeat, env: &Env<'_>, out: &mut Vec<Tt>) -> Option<()> {
        let mut times = None;
        for name in &repeat.vars {
            if let Some(Binding::Rounds(list)) = lookup(env, *name) {
                if times.is_some_and(|known| known != list.len()) {
                    return None;
                }
                times = Some(list.len());
            }
        }
        for round in 0..times? {
            self.budget.spend(1)?;
            if round > 0 {
                out.extend(repeat.separator.iter().map(|tt| self.own(tt)));
            }
            let inner: Env<'_> = env
                .iter()
                .filter(|(name, _)| repeat.vars.contains(name))
                .filter_map(|(name, binding)| match binding {
                    Binding::Rounds(list) => list.get(round).map(|binding| (*name, binding)),
                    Binding::Leaf(..) => Some((*name, *binding)),
                })
                .collect();
            self.rounds.push(round);
            self.write(&repeat.body, &inner, out)?;
            self.rounds.pop();
        }
        Some(())
    }

    /// `${count(x)}`, `${index()}`, `${ignore(x)}`; `None` for the others.
    fn meta(&self, function: Name, argument: Option<Name>, env: &Env<'_>) -> Option<Option<Tt>> {
        let number = match function.as_str() {
            "count" => match lookup(env, argument?)? {
                Binding::Rounds(list) => list.len(),
                Binding::Leaf(..) => return None,
            },
            "index" => *self.rounds.last()?,
            "ignore" => return Some(None),
            _ => return None,
        };
        Some(Some(Tt::Literal(Name::new(&number.to_string()), self.call)))
    }
}

/// Whether the identifier at `at` names a field, method or path segment and so no variable: after `.` or `::`, before
/// `::`, or before the `:` of a struct literal's field.
fn is_member(nodes: &[Node], at: usize, in_fields: bool) -> bool {
    let before = at.checked_sub(1).and_then(|at| nodes.get(at));
    let after = nodes.get(at + 1);
    let begins_field = in_fields && (before.is_none() || is_op(before, &[op1(b',')]));
    is_op(before, &[op1(b'.'), op2(b"::")])
        || is_op(after, &[op2(b"::")])
        || begins_field && is_op(after, &[op1(b':')])
}

/// `name:` or `name,` in front, as in a struct literal and not in a block.
fn begins_with_field(nodes: &[Node]) -> bool {
    let Some((first, rest)) = nodes.split_first() else { return false };
    let is_name = match first {
        Node::Token(token) => matches!(token[..], [Tt::Ident(..)]),
        Node::Var { .. } => true,
        _ => false,
    };
    is_name && is_op(rest.first(), &[op1(b':'), op1(b',')])
}

fn is_op(node: Option<&Node>, wanted: &[Op]) -> bool {
    match node {
        Some(Node::Token(tokens)) => operator(tokens).is_some_and(|(op, _)| wanted.contains(&op)),
        _ => false,
    }
}

fn group(delim: Delim, tokens: &[Tt]) -> Tt {
    let range = match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.range().to(last.range()),
        _ => TextRange::default(),
    };
    Tt::Group(delim, tokens.into(), range)
}

fn has_punct(tokens: &[Tt], wanted: char) -> bool {
    tokens.iter().any(|tt| matches!(tt, Tt::Punct(c, ..) if *c == wanted))
}

/// Number of tokens, those in groups included.
pub(super) fn count(tokens: &[Tt]) -> u32 {
    tokens.iter().fold(0u32, |sum, tt| {
        let inner = if let Tt::Group(_, inner, _) = tt { count(inner) } else { 0 };
        sum.saturating_add(1).saturating_add(inner)
    })
}
