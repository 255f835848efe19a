//! A place in the tokens, and the questions one asks there.

use super::{Bodies, Outer};
use crate::hir::{Name, TextRange};
use crate::syntax::lexer::TokenKind;

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    tokens: &'t [Outer],
    /// Where bodies are.
    pub(super) bodies: Bodies<'t>,
    at: usize,
    /// Bindings made so far by the parameters of the present function.
    pub(super) bindings: u32,
    /// Types and patterns around the present one.
    pub(super) depth: u32,
}

/// A name and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Ident {
    pub(super) name: Name,
    pub(super) range: TextRange,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, tokens: &'t [Outer], bodies: Bodies<'t>) -> Reader<'t> {
        Reader { text, tokens, bodies, at: 0, bindings: 0, depth: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at == self.tokens.len()
    }

    pub(super) fn nth(&self, ahead: usize) -> Option<&'t Outer> {
        self.tokens.get(self.at + ahead)
    }

    pub(super) fn bump(&mut self) -> Option<&'t Outer> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.tokens.len());
    }

    /// The number of the next token, to ask later what came since.
    pub(super) fn start(&self) -> Option<usize> {
        self.nth(0).map(|_| self.at)
    }

    /// From the token of this number to the last one.
    pub(super) fn since(&self, start: usize) -> TextRange {
        let read = &self.tokens[start.min(self.at)..self.at];
        read.first()
            .zip(read.last())
            .map_or_else(TextRange::default, |(first, last)| first.range.to(last.range))
    }

    /// The text of these tokens.
    pub(super) fn text_since(&self, start: usize) -> &'t str {
        let read = &self.tokens[start.min(self.at)..self.at];
        read.first()
            .zip(read.last())
            .map_or("", |(first, last)| &self.text[first.lo as usize..last.hi as usize])
    }

    pub(super) fn text_of(&self, token: &Outer) -> &'t str {
        &self.text[token.lo as usize..token.hi as usize]
    }

    /// The word that stands there; raw identifiers begin with `r#`.
    pub(super) fn word(&self, ahead: usize) -> &'t str {
        match self.nth(ahead) {
            Some(token) if token.kind == TokenKind::Ident => self.text_of(token),
            _ => "",
        }
    }

    pub(super) fn is(&self, kind: TokenKind) -> bool {
        self.is_nth(0, kind)
    }

    pub(super) fn is_nth(&self, ahead: usize, kind: TokenKind) -> bool {
        self.nth(ahead).is_some_and(|token| token.kind == kind)
    }

    pub(super) fn is_punct(&self, byte: u8) -> bool {
        self.is(TokenKind::Punct(byte))
    }

    /// Whether two punctuation characters come next that touch.
    pub(super) fn is_pair(&self, ahead: usize, pair: [u8; 2]) -> bool {
        match (self.nth(ahead), self.nth(ahead + 1)) {
            (Some(first), Some(second)) => {
                first.kind == TokenKind::Punct(pair[0])
                    && second.kind == TokenKind::Punct(pair[1])
                    && first.hi == second.lo
            }
            _ => false,
        }
    }

    pub(super) fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.is(kind);
        self.at += usize::from(found);
        found
    }

    pub(super) fn eat_punct(&mut self, byte: u8) -> bool {
        self.eat(TokenKind::Punct(byte))
    }

    pub(super) fn eat_pair(&mut self, pair: [u8; 2]) -> bool {
        let found = self.is_pair(0, pair);
        self.at += if found { 2 } else { 0 };
        found
    }

    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.word(0) == word;
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, kind: TokenKind) -> Option<()> {
        self.eat(kind).then_some(())
    }

    pub(super) fn punct(&mut self, byte: u8) -> Option<()> {
        self.expect(TokenKind::Punct(byte))
    }

    /// An identifier that is no keyword.
    pub(super) fn is_ident(&self, ahead: usize) -> bool {
        let word = self.word(ahead);
        !word.is_empty() && !is_keyword(word)
    }

    pub(super) fn ident(&mut self) -> Option<Ident> {
        if self.is_ident(0) { self.any_word() } else { None }
    }

    /// A word of a path: an identifier, or one of the keywords that begin paths.
    pub(super) fn path_word(&mut self) -> Option<Ident> {
        let fits = self.is_path_word(0);
        if fits { self.any_word() } else { None }
    }

    pub(super) fn is_path_word(&self, ahead: usize) -> bool {
        self.is_ident(ahead) || matches!(self.word(ahead), "self" | "Self" | "super" | "crate")
    }

    /// Any word, keywords included.
    pub(super) fn any_word(&mut self) -> Option<Ident> {
        let token = self.nth(0).filter(|token| token.kind == TokenKind::Ident)?;
        self.at += 1;
        let text = self.text_of(token);
        let name = token.name.unwrap_or_else(|| Name::new(text.strip_prefix("r#").unwrap_or(text)));
        Some(Ident { name, range: token.range })
    }

    pub(super) fn lifetime(&mut self) -> Option<Name> {
        let token = self.nth(0).filter(|token| token.kind == TokenKind::Lifetime)?;
        self.at += 1;
        Some(Name::new(self.text_of(token)))
    }
}

/// Whether a word can't be a name.
#[rustfmt::skip]
pub(super) fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "_" | "abstract" | "as" | "async" | "await" | "become" | "box" | "break" | "const" | "continue" | "crate"
            | "do" | "dyn" | "else" | "enum" | "extern" | "false" | "final" | "fn" | "for" | "if" | "impl" | "in"
            | "let" | "loop" | "macro" | "match" | "mod" | "move" | "mut" | "override" | "priv" | "pub" | "ref"
            | "return" | "Self" | "self" | "static" | "struct" | "super" | "trait" | "true" | "try" | "type"
            | "typeof" | "unsafe" | "unsized" | "use" | "virtual" | "where" | "while" | "yield"
    )
}
