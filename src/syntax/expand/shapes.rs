//! Calls of library macros that stand for items: `thread_local!`, `lazy_static!`, `cfg_if!` and wrappers.
//!
//! In: the shape and the call's tokens. Out: items, lowered like those of a file; `None` for other shapes and for
//! what doesn't parse. Pure. The token lists are rewritten to plain items first, so that there is one lowering.

use super::items_of_tokens;
use crate::hir::{
    Attr, Delim, Item, ItemKind, Joint, MacroShape, Name, StaticItem, StaticKind, TextRange, Tokens, Tt,
};
use std::sync::Arc;

/// See `syntax::items_of_shape`.
pub(in crate::syntax) fn items_of_shape(
    shape: MacroShape,
    args: &[Tt],
    call: TextRange,
) -> Option<Vec<Item>> {
    match shape {
        MacroShape::ThreadLocal => statics(args, call, StaticKind::ThreadLocal),
        MacroShape::LazyStatic => statics(args, call, StaticKind::Lazy),
        MacroShape::Items => items_of_tokens(args),
        MacroShape::Nothing => Some(Vec::new()),
        MacroShape::CfgIf => cfg_if(args, call),
        MacroShape::Format
        | MacroShape::Write(_)
        | MacroShape::Diverge
        | MacroShape::Assert
        | MacroShape::AssertCompared(_)
        | MacroShape::Matches
        | MacroShape::Vec
        | MacroShape::Pass
        | MacroShape::AddrOf
        | MacroShape::AddrOfMut
        | MacroShape::Constant
        | MacroShape::Cfg
        | MacroShape::Join
        | MacroShape::Select
        | MacroShape::Exprs => None,
    }
}

/// `static X: T = e;` or `static ref X: T = e;`, the last `;` may be left out.
fn statics(args: &[Tt], call: TextRange, storage: StaticKind) -> Option<Vec<Item>> {
    let mut plain: Vec<Tt> = Vec::with_capacity(args.len() + 1);
    for tt in args {
        let after_static = matches!(plain.last(), Some(Tt::Ident(word, _)) if *word == "static");
        if !(after_static && matches!(tt, Tt::Ident(word, _) if *word == "ref")) {
            plain.push(tt.clone());
        }
    }
    if !matches!(plain.last(), None | Some(Tt::Punct(';', ..))) {
        plain.push(Tt::Punct(';', Joint::Alone, call));
    }
    let mut items = items_of_tokens(&plain)?;
    for item in &mut items {
        if let ItemKind::Static(old) = &item.kind {
            item.kind = ItemKind::Static(Arc::new(StaticItem { storage, ..StaticItem::clone(old) }));
        }
    }
    Some(items)
}

/// A branch of `cfg_if!`: its own predicate and those of the branches before it, which are off.
pub(in crate::syntax) struct CfgBranch<'a> {
    pub(in crate::syntax) attrs: Vec<Attr>,
    pub(in crate::syntax) tokens: &'a Tokens,
}

/// `if #[cfg(p)] { … } else if #[cfg(q)] { … } else { … }`
pub(in crate::syntax) fn cfg_branches(args: &[Tt], call: TextRange) -> Option<Vec<CfgBranch<'_>>> {
    let mut branches = Vec::new();
    let mut off: Vec<Attr> = Vec::new();
    let mut rest = args;
    while !rest.is_empty() {
        if !branches.is_empty() {
            rest = after_word(rest, "else")?;
        }
        let mut attrs = off.clone();
        if let Some(tail) = after_word(rest, "if") {
            let [Tt::Punct('#', ..), Tt::Group(Delim::Bracket, attr, range), tail @ ..] = tail else {
                return None;
            };
            let [Tt::Ident(cfg, _), Tt::Group(Delim::Paren, pred, _)] = &attr[..] else { return None };
            attrs.push(Attr { path: vec![*cfg], tokens: pred.clone(), range: *range });
            off.push(Attr { path: vec![*cfg], tokens: not(pred, call), range: *range });
            rest = tail;
        }
        let [Tt::Group(Delim::Brace, tokens, _), tail @ ..] = rest else { return None };
        branches.push(CfgBranch { attrs, tokens });
        rest = tail;
    }
    Some(branches)
}

/// The attributes that ask whether a predicate holds, and whether it doesn't.
pub(in crate::syntax) fn asked(pred: &Tokens, call: TextRange) -> [Attr; 2] {
    let attr = |tokens| Attr { path: vec![Name::new("cfg")], tokens, range: call };
    [attr(pred.clone()), attr(not(pred, call))]
}

fn after_word<'a>(tokens: &'a [Tt], word: &str) -> Option<&'a [Tt]> {
    match tokens {
        [Tt::Ident(found, _), rest @ ..] if *found == word => Some(rest),
        _ => None,
    }
}

/// `not(pred)`
fn not(pred: &Tokens, call: TextRange) -> Tokens {
    Arc::new([Tt::Ident(Name::new("not"), call), Tt::Group(Delim::Paren, pred.clone(), call)])
}

fn cfg_if(args: &[Tt], call: TextRange) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for branch in cfg_branches(args, call)? {
        for mut item in items_of_tokens(branch.tokens)? {
            item.attrs.extend(branch.attrs.iter().cloned());
            items.push(item);
        }
    }
    Some(items)
}
