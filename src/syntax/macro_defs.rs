//! Macro definitions: their rules, split into matcher and transcriber.
//!
//! In: the tokens of a `macro_rules!` body or of a `macro` item. Out: a `MacroDef`. Invariant: a rule that isn't one
//! ends the list; the rules before it are kept.

use crate::hir::{Attr, Delim, MacroDef, MacroRule, Name, Tokens, Tt};

/// `(matcher) => {transcriber}`, separated by `;` (`macro` items: by `,`).
pub(super) fn macro_def(name: Name, attrs: &[Attr], tokens: &[Tt]) -> MacroDef {
    let mut rules = Vec::new();
    let mut rest = tokens;
    while let [
        Tt::Group(_, matcher, _),
        Tt::Punct('=', ..),
        Tt::Punct('>', ..),
        Tt::Group(_, body, _),
        after @ ..,
    ] = rest
    {
        rules.push(MacroRule { matcher: matcher.clone(), transcriber: body.clone() });
        rest = match after {
            [Tt::Punct(';' | ',', ..), after @ ..] => after,
            _ => after,
        };
    }
    MacroDef { name, rules, exported: is_exported(attrs) }
}

/// What stands after the name of a `macro` item: one rule (`(matcher) {transcriber}`) or braces around several.
pub(super) fn macro_item(name: Name, attrs: &[Attr], tokens: &Tokens) -> MacroDef {
    match &tokens[..] {
        [Tt::Group(Delim::Paren, matcher, _), Tt::Group(Delim::Brace, transcriber, _)] => {
            let rule = MacroRule { matcher: matcher.clone(), transcriber: transcriber.clone() };
            MacroDef { name, rules: vec![rule], exported: is_exported(attrs) }
        }
        [Tt::Group(Delim::Brace, rules, _)] => macro_def(name, attrs, rules),
        _ => macro_def(name, attrs, tokens),
    }
}

fn is_exported(attrs: &[Attr]) -> bool {
    attrs.iter().any(|attr| matches!(&attr.path[..], [only] if *only == "macro_export"))
}
