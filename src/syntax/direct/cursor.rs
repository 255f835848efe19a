//! A place in the tokens, and the questions one asks there.

use super::Bodies;
use super::stream::Placed;
use crate::hir::{BindingId, Name, TextRange, Tt};
use crate::syntax::lexer::TokenKind;
use crate::syntax::names::{intern_text, intern_word};
use crate::syntax::types::Counters;

pub(super) struct Reader<'t> {
    tokens: &'t [Placed<'t>],
    /// Where bodies are.
    pub(super) bodies: Bodies<'t>,
    at: usize,
    /// The numbers given out so far in the present body, or to the parameters of the present function; types and
    /// patterns around the present one.
    pub(super) counters: Counters,
    /// What the earlier alternatives of the or-patterns around bind.
    pub(super) known: Vec<(Name, BindingId)>,
    /// Of the items of a block: bodies and values that were passed over.
    pub(super) passed: Vec<Passed>,
    /// Token trees of the groups that are being read.
    pub(super) trees: Vec<Tt>,
}

/// What was passed over, by the numbers of its first token and of the one after its last.
#[derive(Clone, Copy)]
pub(super) enum Passed {
    Body(usize, usize),
    Value(usize, usize),
}

/// A name and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Ident {
    pub(super) name: Name,
    pub(super) range: TextRange,
}

impl<'t> Reader<'t> {
    pub(super) fn new(tokens: &'t [Placed<'t>], bodies: Bodies<'t>, counters: Counters) -> Reader<'t> {
        Reader { tokens, bodies, at: 0, counters, known: Vec::new(), passed: Vec::new(), trees: Vec::new() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// The number of the next token.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn go_to(&mut self, position: usize) {
        self.at = position;
    }

    /// The tokens from one number up to another.
    pub(super) fn between(&self, from: usize, to: usize) -> &'t [Placed<'t>] {
        self.tokens.get(from..to).unwrap_or_default()
    }

    /// Where all tokens come from.
    pub(super) fn whole(&self) -> TextRange {
        self.tokens.iter().map(|token| token.range).reduce(TextRange::to).unwrap_or_default()
    }

    pub(super) fn nth(&self, ahead: usize) -> Option<&'t Placed<'t>> {
        self.tokens.get(self.at + ahead)
    }

    pub(super) fn bump(&mut self) -> Option<&'t Placed<'t>> {
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

    /// The word that stands there; raw identifiers begin with `r#`.
    pub(super) fn word(&self, ahead: usize) -> &'t str {
        match self.nth(ahead) {
            Some(token) if token.kind == TokenKind::Ident => token.text,
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
                    && first.joint
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
        self.nth(ahead).is_some_and(|token| token.kind == TokenKind::Ident && !is_keyword(token))
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
        self.nth(ahead).is_some_and(|token| {
            let begins_path = || matches!(token.text, "self" | "Self" | "super" | "crate");
            token.kind == TokenKind::Ident && (!is_keyword(token) || begins_path())
        })
    }

    /// Any word, keywords included.
    pub(super) fn any_word(&mut self) -> Option<Ident> {
        let token = self.nth(0).filter(|token| token.kind == TokenKind::Ident)?;
        self.at += 1;
        let name = token.name.unwrap_or_else(|| intern_word(token.text));
        Some(Ident { name, range: token.range })
    }

    pub(super) fn pass_lifetime(&mut self) -> bool {
        self.eat(TokenKind::Lifetime)
    }

    pub(super) fn lifetime(&mut self) -> Option<Name> {
        let token = self.nth(0).filter(|token| token.kind == TokenKind::Lifetime)?;
        self.at += 1;
        Some(intern_text(token.text))
    }
}

/// Whether a word can't be a name.
fn is_keyword(word: &Placed<'_>) -> bool {
    word.name.is_some_and(Name::is_keyword) && !word.text.starts_with("r#")
}
