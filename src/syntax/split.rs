//! Splits a text that doesn't parse into its items.
//!
//! In: a part of a file that holds items: all of it, or what stands between a container's braces. Out: the range of
//! each item, attributes included, in text order. Invariants: every token is in one of the ranges; never fails.

use super::lexer::{Lexer, Token, TokenKind, closing};
use crate::hir::TextRange;

/// The items of `text[range]`. If its brackets don't balance, an item also ends where one begins at the margin, which
/// is the column of the first.
pub(super) fn items(text: &str, range: TextRange) -> Vec<TextRange> {
    let tokens =
        || Lexer::new(text, range.lo as usize, range.hi as usize).filter(|token| !token.is_comment());
    let mut splitter = Splitter::new(text, None);
    splitter.all(tokens());
    if splitter.is_balanced() {
        return splitter.items;
    }
    let margin = tokens().next().and_then(|first| column(text, first));
    let mut splitter = Splitter::new(text, Some(margin.unwrap_or(0)));
    splitter.all(tokens());
    splitter.items
}

struct Splitter<'t> {
    text: &'t str,
    margin: Option<usize>,
    items: Vec<TextRange>,
    /// First and last token of the item under way.
    item: Option<(Token, Token)>,
    /// More than attributes of it have been seen.
    past_attributes: bool,
    /// The open brackets of the item.
    open: Vec<u8>,
    /// A bracket closed nothing.
    stray: bool,
}

impl<'t> Splitter<'t> {
    fn new(text: &'t str, margin: Option<usize>) -> Splitter<'t> {
        Splitter {
            text,
            margin,
            items: Vec::new(),
            item: None,
            past_attributes: false,
            open: Vec::new(),
            stray: false,
        }
    }

    fn all(&mut self, tokens: impl Iterator<Item = Token>) {
        let mut tokens = tokens.peekable();
        while let Some(token) = tokens.next() {
            if self.begins_item_at_margin(token) {
                self.end();
            }
            let first = self.item.map_or(token, |(first, _)| first);
            self.item = Some((first, token));
            if self.token(token, tokens.peek().copied()) {
                self.end();
            }
        }
        self.stray |= !self.open.is_empty();
        self.end();
    }

    fn is_balanced(&self) -> bool {
        !self.stray
    }

    fn end(&mut self) {
        if let Some((first, last)) = self.item.take() {
            self.items.push(TextRange::new(first.lo as u32, last.hi as u32));
        }
        self.past_attributes = false;
        self.open.clear();
    }

    /// Takes one token; whether it ends the item.
    fn token(&mut self, token: Token, next: Option<Token>) -> bool {
        let outermost = self.open.is_empty();
        self.past_attributes |= outermost
            && !matches!(
                token.kind,
                TokenKind::Punct(b'#' | b'!') | TokenKind::Open(b'[') | TokenKind::Close(b']')
            );
        match token.kind {
            TokenKind::Open(open) => self.open.push(open),
            TokenKind::Close(close) => self.close(close),
            TokenKind::Punct(b';') => return outermost,
            _ => {}
        }
        token.kind == TokenKind::Close(b'}') && self.open.is_empty() && !self.goes_on(next)
    }

    /// A closing bracket closes the innermost one of its kind; a brace also what was left open in it.
    fn close(&mut self, close: u8) {
        let matches = |open: &u8| closing(*open) == close;
        match self.open.iter().rposition(matches) {
            Some(index) if close == b'}' || index + 1 == self.open.len() => self.open.truncate(index),
            _ => self.stray = true,
        }
    }

    /// Whether an item whose outermost brace has just closed has more to come: `T { … };`, `if a { b } else { c }`,
    /// `impl A<{ N }> for B { … }`.
    fn goes_on(&self, next: Option<Token>) -> bool {
        match next.map(|next| (next.kind, next.text(self.text))) {
            None => false,
            Some((TokenKind::Ident, word)) => matches!(word, "else" | "as" | "where"),
            Some((TokenKind::Punct(b'#' | b':') | TokenKind::Close(_), _)) => false,
            Some(_) => true,
        }
    }

    fn begins_item_at_margin(&self, token: Token) -> bool {
        self.past_attributes
            && self.margin.is_some_and(|margin| column(self.text, token) == Some(margin))
            && (token.is_punct(b'#') || begins_item(token.text(self.text)))
    }
}

fn begins_item(word: &str) -> bool {
    let keywords = [
        "pub",
        "fn",
        "struct",
        "enum",
        "union",
        "impl",
        "trait",
        "mod",
        "use",
        "static",
        "const",
        "type",
        "extern",
        "unsafe",
        "async",
        "macro_rules",
    ];
    keywords.contains(&word)
}

/// How many bytes of white space are before a token that is the first of its line.
fn column(text: &str, token: Token) -> Option<usize> {
    let before = &text[..token.lo];
    let line = &before[before.rfind('\n').map_or(0, |newline| newline + 1)..];
    line.trim_start().is_empty().then_some(line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        let all = items(text, TextRange::new(0, text.len() as u32));
        all.iter().map(|range| &text[range.lo as usize..range.hi as usize]).collect()
    }

    #[test]
    fn items_end_where_their_brackets_do() {
        let all = [
            "#![a(;)]\n#[b] const A: T = T { a: 1 };",
            "static B: u8 = if a { 1 } else { 2 };",
            "use a::{b, c};",
            "impl A<{ N }> for B { fn f() { ; } }",
            "pub struct S { a: [u8; 2] }",
            "struct T(u8);",
            "m! { ; }",
            "::a::n!(;);",
            "#[c] fn f() where A: B {}",
        ];
        assert_eq!(split(&all.join("\n  /* ; */")), all);
    }

    #[test]
    fn words_at_the_margin_end_what_is_unbalanced() {
        let all = ["fn a() { if b {\n  }\n", "#[c]\npub fn d() {}", "mod e {\n  fn f() {}\n", "fn g() {}"];
        let trimmed: Vec<_> = all.iter().map(|item| item.trim_end()).collect();
        assert_eq!(split(&all.join("\n")), trimmed);
        let indented: Vec<_> =
            all.iter().map(|item| item.replace('\n', "\n  ").trim_end().to_owned()).collect();
        assert_eq!(split(&format!("  {}", all.join("\n").replace('\n', "\n  "))), indented);
    }

    #[test]
    fn stray_brackets_are_items_of_their_own() {
        assert_eq!(split("fn a() {}\n}\nfn b() {}"), ["fn a() {}", "}", "fn b() {}"]);
        assert_eq!(split("fn a() { (] }\nfn b() {}"), ["fn a() { (] }", "fn b() {}"]);
    }
}
