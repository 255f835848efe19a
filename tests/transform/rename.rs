//! Gives every name of a program another one, the same everywhere.

use super::names::Names;
use super::{
    after_path_separator, group, ident, is_attribute, is_colon, is_operator, is_punct, trees, with_contents,
};
use proc_macro2::{Delimiter, Ident, Literal, Span, TokenStream, TokenTree};

/// The name that `name` becomes: spelled backwards, in the same case, and never a word of the language.
pub fn renamed(name: &str) -> String {
    let backwards: String = name.chars().rev().filter(|c| *c != '_').collect();
    let first = name.chars().find(|c| *c != '_').unwrap_or('x');
    let underscore = if name.starts_with('_') { "_" } else { "" };
    match (first.is_uppercase(), name.chars().any(char::is_lowercase)) {
        (true, true) => format!("Zq{backwards}"),
        (true, false) => format!("ZQ_{backwards}"),
        (false, _) => format!("{underscore}zq_{backwards}"),
    }
}

/// The name of a place or a context after renaming: each of its parts, if it is a name of the program.
pub fn renamed_path(path: &str, names: &Names) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut result = String::new();
    let mut rest = path;
    while !rest.is_empty() {
        let part = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(part);
        let own = [&names.values, &names.fields, &names.methods].iter().any(|all| all.contains(word));
        result.push_str(&if own { renamed(word) } else { word.to_owned() });
        let gap = after.find(is_part).unwrap_or(after.len());
        result.push_str(&after[..gap]);
        rest = &after[gap..];
    }
    result
}

/// The program with its names changed.
pub fn rename(stream: TokenStream, names: &Names) -> TokenStream {
    rename_trees(&trees(stream), names, false)
}

fn rename_trees(here: &[TokenTree], names: &Names, in_macro: bool) -> TokenStream {
    let mut result: Vec<TokenTree> = Vec::with_capacity(here.len());
    let mut index = 0;
    while index < here.len() {
        if ident(here, index).as_deref() == Some("use") {
            let end = (index..here.len()).find(|&at| is_punct(here, at, ';')).unwrap_or(here.len());
            let own = ident(here, index + 1).is_some_and(|root| names.own_root(&root));
            result.extend(
                here[index..end].iter().map(|tree| if own { rename_all(tree, names) } else { tree.clone() }),
            );
            index = end;
            continue;
        }
        result.push(match &here[index] {
            TokenTree::Group(inner) if is_attribute(here, index) => TokenTree::Group(inner.clone()),
            TokenTree::Group(inner) => {
                let of_macro = in_macro || is_macro_call(here, index);
                with_contents(inner, rename_trees(&trees(inner.stream()), names, of_macro))
            }
            TokenTree::Ident(word) if is_own(here, index, names) => changed(word),
            TokenTree::Literal(literal) if in_macro => captures_renamed(literal, names),
            tree => tree.clone(),
        });
        index += 1;
    }
    result.into_iter().collect()
}

/// In a `use` of the program's own items every own name is meant.
fn rename_all(tree: &TokenTree, names: &Names) -> TokenTree {
    match tree {
        TokenTree::Ident(word) if names.values.contains(&word.to_string()) => changed(word),
        TokenTree::Group(inner) => {
            with_contents(inner, inner.stream().into_iter().map(|tree| rename_all(&tree, names)).collect())
        }
        other => other.clone(),
    }
}

fn changed(word: &Ident) -> TokenTree {
    TokenTree::Ident(Ident::new(&renamed(&word.to_string()), Span::call_site()))
}

/// Whether the identifier at `index` is one of the program's names where it stands.
fn is_own(here: &[TokenTree], index: usize, names: &Names) -> bool {
    let Some(name) = ident(here, index) else { return false };
    let before = |character| index > 0 && is_punct(here, index - 1, character);
    if before('\'') || before('$') {
        return false;
    }
    let member = before('.') && !(index > 1 && is_punct(here, index - 2, '.'));
    let called =
        group(here, index + 1, Delimiter::Parenthesis).is_some() || is_operator(here, index + 1, [':', ':']);
    if member {
        return if called { names.methods.contains(&name) } else { names.fields.contains(&name) };
    }
    if after_path_separator(here, index) {
        return path_is_own(here, index, names)
            && (names.values.contains(&name) || names.methods.contains(&name));
    }
    let declared_method = index > 0 && ident(here, index - 1).as_deref() == Some("fn");
    let is_field = names.fields.contains(&name) && is_colon(here, index + 1);
    names.values.contains(&name) || is_field || (declared_method && names.methods.contains(&name))
}

/// Whether the path whose last segment stands at `index` starts with one of the program's names.
fn path_is_own(here: &[TokenTree], mut index: usize, names: &Names) -> bool {
    while after_path_separator(here, index) {
        match index.checked_sub(3) {
            Some(before) => index = before,
            None => return false,
        }
    }
    ident(here, index).is_some_and(|root| names.own_root(&root))
}

fn is_macro_call(here: &[TokenTree], index: usize) -> bool {
    index >= 2 && is_punct(here, index - 1, '!') && ident(here, index - 2).is_some()
}

/// A format string with its inline captures renamed; any other literal as it is.
fn captures_renamed(literal: &Literal, names: &Names) -> TokenTree {
    let text = literal.to_string();
    if !text.starts_with('"') {
        return TokenTree::Literal(literal.clone());
    }
    let mut changed = String::new();
    let mut rest = text.as_str();
    while let Some(open) = rest.find('{') {
        let (before, after) = rest.split_at(open + 1);
        changed.push_str(before);
        if let Some(escaped) = after.strip_prefix('{') {
            changed.push('{');
            rest = escaped;
            continue;
        }
        let end = after.find(['}', ':', '{']).unwrap_or(after.len());
        let own = names.values.contains(&after[..end]);
        changed.push_str(&if own { renamed(&after[..end]) } else { after[..end].to_owned() });
        rest = &after[end..];
    }
    changed.push_str(rest);
    match changed.parse::<Literal>() {
        Ok(renamed) => TokenTree::Literal(renamed),
        Err(_) => TokenTree::Literal(literal.clone()),
    }
}
