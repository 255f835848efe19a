//! Which names a program gives: its statics, constants, functions, modules, types, locals, methods and fields.
//!
//! Limits: a scan, not a parse. Bindings are the small-letter names in patterns; the methods of an impl of a trait that
//! isn't the program's own, generic parameters, foreign functions and what is imported from elsewhere are not its names.

use super::{group, ident, is_attribute, is_colon, is_operator, is_punct, split_at_commas, trees};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::BTreeSet;

/// Names that a program may give and that still must keep what they are.
const KEPT: [&str; 16] = [
    "main", "self", "Self", "crate", "super", "mut", "ref", "move", "box", "_", "true", "false", "if",
    "const", "fn", "unsafe",
];

/// The names given in a program.
#[derive(Default, Debug)]
pub struct Names {
    /// Whatever is named by a path or alone: items, enum variants, bindings.
    pub values: BTreeSet<String>,
    pub fields: BTreeSet<String>,
    pub methods: BTreeSet<String>,
    /// Type parameters: not renamed, but paths may start with them.
    pub parameters: BTreeSet<String>,
    /// Own traits, whose methods are own ones.
    traits: BTreeSet<String>,
}

/// The names given in the program `stream`.
pub fn given(stream: TokenStream) -> Names {
    let all = trees(stream);
    let mut names = Names::default();
    names.collect_traits(&all);
    names.collect(&all, false);
    let mut imported = BTreeSet::new();
    imports(&all, &names, &mut imported);
    names.values.retain(|name| !imported.contains(name) && !KEPT.contains(&name.as_str()));
    names
}

impl Names {
    /// Whether a path that starts with `root` leads to the program's own items.
    pub fn own_root(&self, root: &str) -> bool {
        matches!(root, "crate" | "self" | "super" | "Self")
            || self.values.contains(root)
            || self.parameters.contains(root)
    }

    fn collect_traits(&mut self, trees_here: &[TokenTree]) {
        for index in 0..trees_here.len() {
            if ident(trees_here, index).as_deref() == Some("trait") {
                self.traits.extend(ident(trees_here, index + 1));
            }
            if let TokenTree::Group(inner) = &trees_here[index] {
                self.collect_traits(&trees(inner.stream()));
            }
        }
    }

    /// Collects what is given directly in `here` and in its groups; in an impl or a trait (`associated`) functions are methods.
    fn collect(&mut self, here: &[TokenTree], associated: bool) {
        let mut index = 0;
        while index < here.len() {
            match &here[index] {
                TokenTree::Ident(word) => match word.to_string().as_str() {
                    "impl" => {
                        index = self.collect_impl(here, index);
                        continue;
                    }
                    word => self.declaration(here, index, word, associated),
                },
                TokenTree::Group(_) if is_attribute(here, index) || is_foreign(here, index) => {}
                TokenTree::Group(inner) => {
                    let in_trait = inner.delimiter() == Delimiter::Brace && self.heads_trait(here, index);
                    self.collect(&trees(inner.stream()), in_trait);
                }
                TokenTree::Punct(punct) if punct.as_char() == '|' && opens_closure(here, index) => {
                    self.closure_parameters(&here[index + 1..]);
                }
                TokenTree::Punct(_) if is_operator(here, index, ['=', '>']) => self.arm(&here[..index]),
                _ => {}
            }
            index += 1;
        }
    }

    /// What the keyword `word` at `index` declares.
    fn declaration(&mut self, here: &[TokenTree], index: usize, word: &str, associated: bool) {
        let named = if ident(here, index + 1).as_deref() == Some("mut") { index + 2 } else { index + 1 };
        let after_quote = index > 0 && is_punct(here, index - 1, '\'');
        match word {
            "static" | "const" | "mod" | "trait" | "type" if !after_quote => {
                self.values
                    .extend(ident(here, named).filter(|_| !is_punct(here, index.wrapping_sub(1), '*')));
            }
            "struct" | "enum" => self.type_declaration(here, index),
            "fn" => {
                let Some(name) = ident(here, named) else { return };
                if associated {
                    self.methods.insert(name)
                } else {
                    self.values.insert(name)
                };
                self.signature(&here[named + 1..]);
            }
            "macro_rules" => self.values.extend(ident(here, index + 2)),
            "let" => self.pattern(until(&here[index + 1..], &['=', ';', ':'])),
            "for" => {
                let to_in = here[index + 1..].iter().position(|tree| is_word(tree, "in"));
                if let Some(length) = to_in {
                    self.pattern(&here[index + 1..index + 1 + length]);
                }
            }
            _ => {}
        }
    }

    fn type_declaration(&mut self, here: &[TokenTree], index: usize) {
        self.values.extend(ident(here, index + 1));
        self.generics(&here[index + 2..]);
        let braces = (index..here.len())
            .take_while(|&at| !is_punct(here, at, ';'))
            .find_map(|at| group(here, at, Delimiter::Brace));
        let Some(braces) = braces else { return };
        let inside = trees(braces.stream());
        let is_struct = ident(here, index).as_deref() == Some("struct");
        for part in split_at_commas(&inside) {
            match part
                .iter()
                .position(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':'))
            {
                Some(colon) if is_struct => self.fields.extend(ident(part, colon.wrapping_sub(1))),
                _ if is_struct => {}
                _ => self.values.extend(part.iter().enumerate().find_map(|(at, _)| ident(part, at))),
            }
        }
    }

    /// Parameters of a function whose name stands before `rest`.
    fn signature(&mut self, rest: &[TokenTree]) {
        self.generics(rest);
        let parameters = (0..rest.len()).find_map(|at| group(rest, at, Delimiter::Parenthesis));
        let Some(parameters) = parameters else { return };
        for parameter in split_at_commas(&trees(parameters.stream())) {
            let pattern = until(parameter, &[':']);
            // What has no type is `self`, or the rest of a type with a comma in it.
            if pattern.len() < parameter.len() {
                self.pattern(pattern);
            }
        }
    }

    /// Type parameters in `<…>` at the start of `rest`.
    fn generics(&mut self, rest: &[TokenTree]) {
        if !is_punct(rest, 0, '<') {
            return;
        }
        for at in 1..rest.len() {
            if is_punct(rest, at, '>') {
                return;
            }
            if is_punct(rest, at - 1, '<') || is_punct(rest, at - 1, ',') {
                self.parameters.extend(ident(rest, at));
            }
        }
    }

    /// Collects an impl whose keyword stands at `index`; the index behind it. `impl Trait` types are passed over.
    fn collect_impl(&mut self, here: &[TokenTree], index: usize) -> usize {
        self.generics(&here[index + 1..]);
        let body = (index..here.len()).find(|&at| group(here, at, Delimiter::Brace).is_some());
        let head_ends = body.filter(|&at| (index..at).all(|at| !is_punct(here, at, ';')));
        let Some(at) = head_ends else { return index + 1 };
        let head = &here[index..at];
        let of_trait = head.iter().any(|tree| is_word(tree, "for"));
        let own_trait = head.iter().take_while(|tree| !is_word(tree, "for")).any(|tree| match tree {
            TokenTree::Ident(word) => self.traits.contains(&word.to_string()),
            _ => false,
        });
        if let Some(braces) = group(here, at, Delimiter::Brace) {
            let inside = trees(braces.stream());
            if of_trait && !own_trait {
                let mut methods = std::mem::take(&mut self.methods);
                self.collect(&inside, true);
                std::mem::swap(&mut self.methods, &mut methods);
            } else {
                self.collect(&inside, true);
            }
        }
        at + 1
    }

    fn heads_trait(&self, here: &[TokenTree], brace: usize) -> bool {
        let head = here[..brace].iter().rev().take_while(|tree| match tree {
            TokenTree::Punct(punct) => punct.as_char() != ';',
            TokenTree::Group(group) => group.delimiter() != Delimiter::Brace,
            _ => true,
        });
        head.into_iter().any(|tree| is_word(tree, "trait"))
    }

    fn closure_parameters(&mut self, rest: &[TokenTree]) {
        let length = (0..rest.len()).find(|&at| is_punct(rest, at, '|')).unwrap_or(0);
        for parameter in split_at_commas(&rest[..length]) {
            self.pattern(until(parameter, &[':']));
        }
    }

    /// The pattern of a match arm that ends where `before` ends.
    fn arm(&mut self, before: &[TokenTree]) {
        let start = before.iter().rposition(|tree| match tree {
            TokenTree::Punct(punct) => punct.as_char() == ',',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        });
        let pattern = &before[start.map_or(0, |at| at + 1)..];
        let guard = pattern.iter().position(|tree| is_word(tree, "if")).unwrap_or(pattern.len());
        self.pattern(&pattern[..guard]);
    }

    /// The bindings of a pattern.
    fn pattern(&mut self, pattern: &[TokenTree]) {
        for at in 0..pattern.len() {
            if let TokenTree::Group(inner) = &pattern[at] {
                self.pattern(&trees(inner.stream()));
            }
            let Some(name) = ident(pattern, at) else { continue };
            let small = name.starts_with(|first: char| first.is_lowercase() || first == '_');
            let called = matches!(pattern.get(at + 1), Some(TokenTree::Group(_)));
            let in_path =
                is_operator(pattern, at + 1, [':', ':']) || (at > 0 && is_punct(pattern, at - 1, ':'));
            let field = is_colon(pattern, at + 1);
            let fragment = at > 0 && is_punct(pattern, at - 1, '$');
            if small && !called && !in_path && !field && !fragment && !KEPT.contains(&name.as_str()) {
                self.values.insert(name);
            }
        }
    }
}

/// What `use` items bring in from outside the program.
fn imports(here: &[TokenTree], names: &Names, imported: &mut BTreeSet<String>) {
    let mut index = 0;
    while index < here.len() {
        if let TokenTree::Group(inner) = &here[index] {
            imports(&trees(inner.stream()), names, imported);
        }
        if ident(here, index).as_deref() == Some("use") {
            let end = (index..here.len()).find(|&at| is_punct(here, at, ';')).unwrap_or(here.len());
            if ident(here, index + 1).is_some_and(|root| !names.own_root(&root)) {
                all_idents(&here[index + 1..end], imported);
            }
            index = end;
        }
        index += 1;
    }
}

fn all_idents(here: &[TokenTree], found: &mut BTreeSet<String>) {
    for (index, tree) in here.iter().enumerate() {
        found.extend(ident(here, index));
        if let TokenTree::Group(inner) = tree {
            all_idents(&trees(inner.stream()), found);
        }
    }
}

/// Whether the group at `index` is the block after `extern "C"`: what it declares is named elsewhere.
fn is_foreign(here: &[TokenTree], index: usize) -> bool {
    let abi = index.checked_sub(1).is_some_and(|at| matches!(here[at], TokenTree::Literal(_)));
    ident(here, index.wrapping_sub(1 + usize::from(abi))).as_deref() == Some("extern")
}

/// Whether the `|` at `index` opens a closure's parameters (and isn't the second half of `||`).
fn opens_closure(here: &[TokenTree], index: usize) -> bool {
    match index.checked_sub(1).map(|before| &here[before]) {
        None => true,
        Some(TokenTree::Ident(word)) => matches!(word.to_string().as_str(), "move" | "return"),
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), '(' | ',' | '=' | ';' | ':'),
        Some(_) => false,
    }
}

/// The part of `here` before the first of `ends` that stands in no group and in no path.
fn until<'a>(here: &'a [TokenTree], ends: &[char]) -> &'a [TokenTree] {
    let end = (0..here.len()).find(|&at| match &here[at] {
        TokenTree::Punct(punct) if punct.as_char() == ':' => ends.contains(&':') && is_colon(here, at),
        TokenTree::Punct(punct) => ends.contains(&punct.as_char()),
        _ => false,
    });
    &here[..end.unwrap_or(here.len())]
}

fn is_word(tree: &TokenTree, word: &str) -> bool {
    matches!(tree, TokenTree::Ident(ident) if ident == word)
}
