//! Hygiene of local variables: what a macro's definition binds must not capture the call's names, nor be seen by them.
//!
//! In: a rule's transcriber and the tokens of the call. Out: which of the definition's identifiers get another
//! name in this expansion. Only those that would meet a name of the call are renamed, so that names in messages stay
//! as written. The new name is the old one with `MARK` and the expansion's number; `MARK` may stand in an identifier
//! for the lexer, but nobody writes it. Which identifiers the definition binds is guessed from its tokens.
//! Departs from Rust: labels, and names bound by a struct pattern's shorthand, aren't renamed.

use super::fragment::pattern;
use super::glue::{op1, op2, operator};
use crate::hir::{Delim, Name, Tt};
use rustc_hash::FxHashSet;

/// U+00B7, which continues an identifier and begins none.
const MARK: char = '\u{b7}';

/// The identifiers of a definition that are renamed in one expansion.
#[derive(Debug, Default)]
pub(super) struct Renames {
    names: Vec<(Name, Name)>,
}

impl Renames {
    /// What must be renamed. `scope_leaks`: the expansion's outermost `let`s stay visible after the call.
    pub(super) fn find(binders: &Binders, call: &[Tt], scope_leaks: bool, number: u32) -> Renames {
        if binders.any.is_empty() {
            return Renames::default();
        }
        let mut used = FxHashSet::default();
        identifiers(call, &mut used);
        let names = binders
            .any
            .iter()
            .filter(|name| used.contains(name) || scope_leaks && binders.outermost.contains(name));
        let renamed = |name: &Name| (*name, Name::new(&format!("{name}{MARK}{number}")));
        Renames { names: names.map(renamed).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn ident(&self, name: Name) -> Name {
        self.names.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| *new)
    }

    /// A string literal with its inline captures (`"{x}"`) renamed.
    pub(super) fn literal(&self, text: Name) -> Name {
        if self.names.is_empty() || !text.as_str().contains('{') {
            return text;
        }
        let mut out = text.as_str().to_owned();
        for (old, new) in &self.names {
            for end in ['}', ':'] {
                out = out.replace(&format!("{{{old}{end}"), &format!("{{{new}{end}"));
            }
        }
        Name::new(&out)
    }
}

fn identifiers(tokens: &[Tt], out: &mut FxHashSet<Name>) {
    for tt in tokens {
        match tt {
            Tt::Ident(name, _) => {
                out.insert(*name);
            }
            Tt::Group(_, inner, _) => identifiers(inner, out),
            Tt::Literal(text, _) => captures(text.as_str(), out),
            Tt::Lifetime(..) | Tt::Punct(..) => {}
        }
    }
}

/// The names in `"{x} {y:?}"`.
fn captures(text: &str, out: &mut FxHashSet<Name>) {
    if !text.ends_with(['"', '#']) {
        return;
    }
    for part in text.split('{').skip(1) {
        let name = part.split(['}', ':']).next().unwrap_or_default();
        if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            out.insert(Name::new(name));
        }
    }
}

/// The variables that a definition binds.
#[derive(Debug, Default)]
pub(super) struct Binders {
    any: FxHashSet<Name>,
    outermost: FxHashSet<Name>,
}

impl Binders {
    pub(super) fn of(transcriber: &[Tt]) -> Binders {
        let mut binders = Binders::default();
        binders.visit(transcriber, true);
        binders
    }

    fn visit(&mut self, tokens: &[Tt], outermost: bool) {
        for (at, tt) in tokens.iter().enumerate() {
            let rest = &tokens[at + 1..];
            match tt {
                Tt::Ident(word, _) if *word == "let" => {
                    self.bind(&rest[..pattern(rest, true)], outermost);
                }
                Tt::Ident(word, _) if *word == "for" => {
                    let len = pattern(rest, true);
                    if matches!(rest.get(len), Some(Tt::Ident(word, _)) if *word == "in") {
                        self.bind(&rest[..len], false);
                    }
                }
                Tt::Punct('|', ..) if at == 0 || !ends_operand(&tokens[at - 1]) => self.closure(rest),
                Tt::Punct('=', ..) if matches!(operator(&tokens[at..]), Some((op, _)) if op == op2(b"=>")) => {
                    self.bind(arm_pattern(&tokens[..at]), false);
                }
                Tt::Group(_, inner, _) => self.visit(inner, false),
                Tt::Ident(..) | Tt::Lifetime(..) | Tt::Punct(..) | Tt::Literal(..) => {}
            }
        }
    }

    fn closure(&mut self, rest: &[Tt]) {
        let close = rest.iter().position(|tt| matches!(tt, Tt::Punct('|', ..))).unwrap_or(0);
        for param in rest[..close].split(|tt| matches!(tt, Tt::Punct(',', ..))) {
            self.bind(&param[..pattern(param, false)], false);
        }
    }

    /// Collects the variables of a pattern.
    fn bind(&mut self, pat: &[Tt], outermost: bool) {
        for (at, tt) in pat.iter().enumerate() {
            match tt {
                Tt::Group(Delim::Paren | Delim::Bracket | Delim::None, inner, _) => {
                    self.bind(inner, outermost)
                }
                Tt::Ident(name, _) if is_variable(*name) && stands_alone(pat, at) => {
                    self.any.insert(*name);
                    if outermost {
                        self.outermost.insert(*name);
                    }
                }
                Tt::Group(..) | Tt::Ident(..) | Tt::Lifetime(..) | Tt::Punct(..) | Tt::Literal(..) => {}
            }
        }
    }
}

/// Whether `|` after this token is an operator and begins no closure.
fn ends_operand(tt: &Tt) -> bool {
    match tt {
        Tt::Ident(word, _) => !["move", "return", "break", "in", "else", "async"].contains(&word.as_str()),
        Tt::Literal(..) | Tt::Group(..) | Tt::Lifetime(..) => true,
        Tt::Punct(c, ..) => *c == '?' || *c == '|',
    }
}

/// The pattern of the match arm whose `=>` follows `tokens`, guard left out.
fn arm_pattern(tokens: &[Tt]) -> &[Tt] {
    let ends = |tt: &Tt| matches!(tt, Tt::Punct(',', ..) | Tt::Group(Delim::Brace, ..));
    let start = tokens.iter().rposition(ends).map_or(0, |at| at + 1);
    let arm = &tokens[start..];
    &arm[..pattern(arm, true)]
}

fn is_variable(name: Name) -> bool {
    let text = name.as_str();
    let word = ["ref", "mut", "box", "true", "false", "self", "if", "in", "crate", "super", "_"];
    text.starts_with(|c: char| c.is_lowercase() || c == '_') && !word.contains(&text)
}

/// Not part of a path, not the name of a constructor or macro, not `$x`.
fn stands_alone(pat: &[Tt], at: usize) -> bool {
    let after_dollar_or_path = at > 0 && matches!(pat[at - 1], Tt::Punct('$' | ':', ..));
    let before = matches!(pat.get(at + 1), Some(Tt::Group(Delim::Paren | Delim::Brace, ..)));
    let path = matches!(operator(&pat[at + 1..]), Some((op, _)) if op == op2(b"::") || op == op1(b'!'));
    !after_dollar_or_path && !before && !path
}
