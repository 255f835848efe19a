//! Moves `unsafe` blocks that mention only statics and literals into helper functions.
//!
//! A block that is a closure's whole body stays: moved out, the closure would only call one function and take its name.

use super::{group, ident, is_attribute, is_operator, is_punct, trees, with_contents};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{format_ident, quote};
use std::collections::BTreeMap;

/// The program with its blocks moved, and how many there were.
pub fn outline(stream: TokenStream) -> (TokenStream, usize) {
    let all = trees(stream);
    let mut outliner = Outliner { statics: statics(&all), helpers: Vec::new() };
    let program = outliner.blocks(&all);
    let (helpers, count) = (&outliner.helpers, outliner.helpers.len());
    (quote!(#program #(#helpers)*), count)
}

struct Outliner {
    /// The type of each static that a helper at the end of the file can name.
    statics: BTreeMap<String, TokenStream>,
    helpers: Vec<TokenStream>,
}

impl Outliner {
    fn blocks(&mut self, here: &[TokenTree]) -> TokenStream {
        let mut result: Vec<TokenTree> = Vec::with_capacity(here.len());
        let mut index = 0;
        while index < here.len() {
            if let Some(call) = self.call_for(here, index) {
                result.extend(call);
                index += 2;
                continue;
            }
            result.push(match &here[index] {
                TokenTree::Group(inner) if !is_attribute(here, index) && !names_differ_in(here, index) => {
                    with_contents(inner, self.blocks(&trees(inner.stream())))
                }
                tree => tree.clone(),
            });
            index += 1;
        }
        result.into_iter().collect()
    }

    /// The call that replaces an `unsafe` block at `index`, whose helper is then among the helpers.
    fn call_for(&mut self, here: &[TokenTree], index: usize) -> Option<TokenStream> {
        if ident(here, index)? != "unsafe" || (index > 0 && is_punct(here, index - 1, '|')) {
            return None;
        }
        let block = group(here, index + 1, Delimiter::Brace)?;
        let body = trees(block.stream());
        let mentions = body.iter().any(|tree| matches!(tree, TokenTree::Ident(_)));
        if !mentions || !self.knows_all(&body) {
            return None;
        }
        let result = self.result(&body)?;
        let name = format_ident!("outlined_{}", self.helpers.len());
        let contents = block.stream();
        self.helpers.push(quote!(fn #name() #result { unsafe { #contents } }));
        let is_statement = starts_statement(here, index) && continues(here, index + 2);
        Some(if is_statement { quote!(#name();) } else { quote!(#name()) })
    }

    /// Whether everything named in `body` is a static, or the type of a cast.
    fn knows_all(&self, body: &[TokenTree]) -> bool {
        (0..body.len()).all(|at| match &body[at] {
            TokenTree::Ident(word) => {
                let cast = word == "as" || (at > 0 && ident(body, at - 1).as_deref() == Some("as"));
                cast || self.statics.contains_key(&word.to_string())
            }
            TokenTree::Group(inner) => {
                inner.delimiter() == Delimiter::Parenthesis && self.knows_all(&trees(inner.stream()))
            }
            TokenTree::Punct(punct) => !matches!(punct.as_char(), '&' | '$' | '?' | '|'),
            TokenTree::Literal(_) => true,
        })
    }

    /// The helper's `-> Type`, when it can be told: the static's own, or none after an assignment.
    fn result(&self, body: &[TokenTree]) -> Option<TokenStream> {
        if let ([TokenTree::Ident(_)], Some(name)) = (body, ident(body, 0)) {
            let of_static = self.statics.get(&name)?;
            return Some(quote!(-> #of_static));
        }
        let ends_open = !is_punct(body, body.len() - 1, ';');
        let assignments = (0..body.len()).filter(|&at| is_assignment(body, at)).count();
        let statements = body.iter().filter(|tree| is_semicolon(tree)).count() + usize::from(ends_open);
        (assignments == statements).then(TokenStream::new)
    }
}

/// The statics declared once in the program and at its top level, which nothing else hides.
fn statics(all: &[TokenTree]) -> BTreeMap<String, TokenStream> {
    let mut found = BTreeMap::new();
    for at in 0..all.len() {
        let mutable =
            ident(all, at).as_deref() == Some("static") && ident(all, at + 1).as_deref() == Some("mut");
        let Some(name) = ident(all, at + 2).filter(|_| mutable) else { continue };
        let equals = (at..all.len()).find(|&at| is_punct(all, at, '='));
        let Some(declared) = equals.map(|equals| &all[at + 4..equals]) else { continue };
        if declarations(all, &name) == 1 && !mentions_reference(declared) {
            found.insert(name, declared.iter().cloned().collect());
        }
    }
    found
}

/// Whether a type has a lifetime that may only be left out in a static.
fn mentions_reference(declared: &[TokenTree]) -> bool {
    declared.iter().any(|tree| match tree {
        TokenTree::Punct(punct) => punct.as_char() == '&',
        TokenTree::Group(inner) => mentions_reference(&trees(inner.stream())),
        _ => false,
    })
}

/// How often `static` or `const` declares `name`, at any depth.
fn declarations(here: &[TokenTree], name: &str) -> usize {
    let of = |at: usize| match &here[at] {
        TokenTree::Group(inner) => declarations(&trees(inner.stream()), name),
        TokenTree::Ident(word) if word == "static" || word == "const" => {
            let mutable = ident(here, at + 1).as_deref() == Some("mut");
            usize::from(ident(here, at + 1 + usize::from(mutable)).as_deref() == Some(name))
        }
        _ => 0,
    };
    (0..here.len()).map(of).sum()
}

/// Whether the group at `index` is a module's or a macro definition's, in which helpers of the file have no name.
fn names_differ_in(here: &[TokenTree], index: usize) -> bool {
    let word = |back: usize| index.checked_sub(back).and_then(|at| ident(here, at));
    word(2).as_deref() == Some("mod") || word(3).as_deref() == Some("macro_rules")
}

fn is_assignment(body: &[TokenTree], at: usize) -> bool {
    let comparison = |at: usize| is_operator(body, at, ['=', '=']) || is_operator(body, at, ['=', '>']);
    let compared = at > 0
        && (comparison(at - 1)
            || ['<', '>', '!']
                .iter()
                .any(|first| is_operator(body, at - 1, [*first, '=']) && !shifts(body, at - 1)));
    is_punct(body, at, '=') && !comparison(at) && !compared
}

/// Whether the `<` or `>` at `at` is the second half of a shift.
fn shifts(body: &[TokenTree], at: usize) -> bool {
    at > 0 && ['<', '>'].iter().any(|c| is_operator(body, at - 1, [*c, *c]))
}

fn is_semicolon(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';')
}

fn starts_statement(here: &[TokenTree], index: usize) -> bool {
    match index.checked_sub(1).map(|before| &here[before]) {
        None => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == ';',
        Some(TokenTree::Group(group)) => is_block(group),
        Some(_) => false,
    }
}

fn is_block(group: &Group) -> bool {
    group.delimiter() == Delimiter::Brace
}

/// Whether another statement follows at `index` without a semicolon.
fn continues(here: &[TokenTree], index: usize) -> bool {
    here.get(index).is_some_and(|tree| !matches!(tree, TokenTree::Punct(_)))
}
