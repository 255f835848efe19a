//! Changes to a program that change nothing about its races: other names, statements moved into helpers, another module
//! around the items. In: a program's tokens. Out: the tokens of a program that compiles if the first one did.
//!
//! The work is done on tokens, so that what stands in a macro's arguments changes with the rest. Invariant: what belongs
//! to the standard library keeps its name; where a name can't be told from the library's, it is left alone.

pub mod names;
pub mod outline;
pub mod rename;
pub mod wrap;

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// The trees of a stream, for looking around.
pub fn trees(stream: TokenStream) -> Vec<TokenTree> {
    stream.into_iter().collect()
}

/// The identifier at `index`.
pub fn ident(trees: &[TokenTree], index: usize) -> Option<String> {
    match trees.get(index) {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}

/// Whether the punctuation character `character` stands at `index`.
pub fn is_punct(trees: &[TokenTree], index: usize, character: char) -> bool {
    matches!(trees.get(index), Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

/// Whether `index` and the next tree are the two characters of one operator.
pub fn is_operator(trees: &[TokenTree], index: usize, operator: [char; 2]) -> bool {
    let joint =
        matches!(trees.get(index), Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Joint);
    joint && is_punct(trees, index, operator[0]) && is_punct(trees, index + 1, operator[1])
}

/// Whether a `::` ends right before `index`.
pub fn after_path_separator(trees: &[TokenTree], index: usize) -> bool {
    index >= 2 && is_operator(trees, index - 2, [':', ':'])
}

/// Whether a single `:` stands at `index`.
pub fn is_colon(trees: &[TokenTree], index: usize) -> bool {
    let second = index > 0 && is_operator(trees, index - 1, [':', ':']);
    is_punct(trees, index, ':') && !is_operator(trees, index, [':', ':']) && !second
}

/// The group at `index`, when it has this delimiter.
pub fn group(trees: &[TokenTree], index: usize, delimiter: Delimiter) -> Option<&Group> {
    match trees.get(index) {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group),
        _ => None,
    }
}

/// `group` with other contents.
pub fn with_contents(group: &Group, contents: TokenStream) -> TokenTree {
    TokenTree::Group(Group::new(group.delimiter(), contents))
}

/// Whether the group at `index` belongs to an attribute.
pub fn is_attribute(trees: &[TokenTree], index: usize) -> bool {
    let marked = |index: usize| is_punct(trees, index, '#');
    let inner = index >= 2 && is_punct(trees, index - 1, '!') && marked(index - 2);
    inner || (index >= 1 && marked(index - 1))
}

/// Splits at the commas that stand in no group.
pub fn split_at_commas(trees: &[TokenTree]) -> impl Iterator<Item = &[TokenTree]> {
    trees.split(|tree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ','))
}
