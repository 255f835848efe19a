//! Patterns.
//!
//! As in `syntax::patterns`: bindings are numbered in text order, and alternatives give the same number to the same name;
//! the ends of ranges are dropped.

use super::body::literal;
use super::cursor::Reader;
use super::types::MAX_DEPTH;
use crate::hir::{BindingId, Name, Pat, TextRange};
use crate::syntax::lexer::TokenKind;
use crate::syntax::patterns::collect_bindings;

impl Reader<'_> {
    /// A pattern, with alternatives if there are any.
    pub(super) fn alternatives(&mut self) -> Option<Pat> {
        let leading = self.eat_punct(b'|');
        let outer = self.known.len();
        let first = self.pat()?;
        if !leading && !self.is_alternative() {
            return Some(first);
        }
        collect_bindings(&first, &mut self.known);
        let mut cases = vec![first];
        while self.is_alternative() {
            self.bump();
            cases.push(self.pat()?);
        }
        self.known.truncate(outer);
        Some(Pat::Or(cases))
    }

    /// Whether a `|` comes that is no part of a longer operator.
    fn is_alternative(&self) -> bool {
        self.is_punct(b'|') && !self.is_pair(0, *b"||") && !self.is_pair(0, *b"|=")
    }

    /// A pattern without alternatives.
    pub(super) fn pat(&mut self) -> Option<Pat> {
        if self.counters.depth >= MAX_DEPTH {
            return None;
        }
        self.counters.depth += 1;
        let pat = self.pat_inside();
        self.counters.depth -= 1;
        pat
    }

    fn pat_inside(&mut self) -> Option<Pat> {
        match self.nth(0)?.kind {
            TokenKind::Punct(b'&') => {
                self.bump();
                self.eat_word("mut");
                Some(Pat::Ref(Box::new(self.pat()?)))
            }
            TokenKind::Punct(b'.') if self.is_pair(0, *b"..") => self.range_to(),
            TokenKind::Punct(b':' | b'<') => self.path_pat(),
            TokenKind::Punct(b'-') | TokenKind::Number | TokenKind::Str | TokenKind::Char => {
                self.literal_pat()
            }
            TokenKind::Open(b'(') => {
                self.bump();
                let (mut parts, is_tuple) = self.pats(b')')?;
                match (is_tuple, parts.len()) {
                    (false, 1) if parts[0] != Pat::Rest => parts.pop(),
                    _ => Some(Pat::Tuple(parts)),
                }
            }
            TokenKind::Open(b'[') => {
                self.bump();
                self.pats(b']').map(|(parts, _)| Pat::Slice(parts))
            }
            TokenKind::Ident => match self.word(0) {
                "_" => self.bump().map(|_| Pat::Wild),
                "true" | "false" => self.literal_pat(),
                "Self" | "super" | "crate" => self.path_pat(),
                _ if self.begins_path() => self.path_pat(),
                _ => self.binding().map(|(_, pat)| pat),
            },
            _ => None,
        }
    }

    /// Patterns up to the bracket that closes the list; whether a comma ended the last one.
    fn pats(&mut self, close: u8) -> Option<(Vec<Pat>, bool)> {
        let mut parts = Vec::new();
        let mut comma = true;
        while !self.eat(TokenKind::Close(close)) {
            let is_open = self.is_pair(0, *b"..");
            let part = self.alternatives()?;
            // An open range in a slice must be in parentheses.
            if close == b']' && part == Pat::Range && (is_open || self.ends_open_range()) {
                return None;
            }
            parts.push(part);
            comma = self.eat_punct(b',');
            if !comma && !self.is(TokenKind::Close(close)) {
                return None;
            }
        }
        Some((parts, comma))
    }

    /// Whether the tokens before are the dots of a range.
    fn ends_open_range(&self) -> bool {
        let at = self.position();
        self.between(at.saturating_sub(1), at).iter().any(|token| token.kind == TokenKind::Punct(b'.'))
    }

    /// Whether a word is followed by what makes it a path and no binding.
    fn begins_path(&self) -> bool {
        let is_path = match self.nth(1).map(|token| token.kind) {
            Some(TokenKind::Open(b'(' | b'{') | TokenKind::Punct(b'!')) => self.is_ident(0),
            Some(TokenKind::Punct(b'.')) => self.is_ident(0) && self.is_pair(1, *b".."),
            Some(TokenKind::Punct(b':')) => self.is_path_word(0) && self.is_pair(1, *b"::"),
            _ => false,
        };
        is_path && !self.is_pair(1, *b"!=")
    }

    /// `a::B(x)`, `a::B { x, .. }`, `a::B`, `A..=B`, `m!(…)`
    fn path_pat(&mut self) -> Option<Pat> {
        let numbered = self.counters.paths;
        let path = self.value_path()?;
        let next = self.nth(0).map(|token| token.kind);
        match next {
            Some(TokenKind::Open(b'(')) => {
                self.bump();
                self.pats(b')').map(|(parts, _)| Pat::TupleStruct(path, parts))
            }
            Some(TokenKind::Open(b'{')) => {
                self.bump();
                let mut fields = Vec::new();
                let mut rest = false;
                while !rest && !self.is(TokenKind::Close(b'}')) {
                    self.outer_attrs()?;
                    rest = self.eat_pair(*b"..");
                    if !rest {
                        fields.push(self.field_pat()?);
                        self.list_goes_on(b'}')?;
                    }
                }
                self.expect(TokenKind::Close(b'}'))?;
                Some(Pat::Struct { path, fields, rest })
            }
            Some(TokenKind::Punct(b'.')) if self.is_pair(0, *b"..") => {
                self.counters.paths = numbered;
                self.range_from()
            }
            Some(TokenKind::Punct(b'!')) if !self.is_pair(0, *b"!=") && path.qself.is_none() => {
                self.bump();
                self.passed_group()?;
                self.counters.paths = numbered;
                Some(Pat::Unknown)
            }
            _ => Some(Pat::Path(path)),
        }
    }

    fn field_pat(&mut self) -> Option<(Name, Pat)> {
        if self.is_nth(1, TokenKind::Punct(b':')) {
            let name = match self.is(TokenKind::Number) {
                true => self.tuple_index()?,
                false => self.ident()?.name,
            };
            self.bump();
            return Some((name, self.alternatives()?));
        }
        let (name, pat) = self.shorthand()?;
        Some((name, pat))
    }

    /// The number of a tuple's field.
    pub(super) fn tuple_index(&mut self) -> Option<Name> {
        let token = self.nth(0).filter(|token| token.kind == TokenKind::Number)?;
        let plain = token.text == "0" || !token.text.starts_with('0');
        if !plain || token.text.len() > 9 || !token.text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.bump();
        Some(Name::new(token.text))
    }

    /// `ref mut x`, with what follows `@`.
    fn binding(&mut self) -> Option<(Name, Pat)> {
        let (name, mut pat) = self.shorthand()?;
        if self.eat_punct(b'@') {
            let inner = Box::new(self.pat()?);
            if let Pat::Bind { sub, .. } = &mut pat {
                *sub = Some(inner);
            }
        }
        Some((name, pat))
    }

    /// `ref mut x`
    fn shorthand(&mut self) -> Option<(Name, Pat)> {
        let by_ref = self.eat_word("ref");
        let mutable = self.eat_word("mut");
        let ident = self.ident()?;
        let known = self.known.iter().rev().find(|(known, _)| *known == ident.name);
        let binding = match known {
            Some(&(_, binding)) => binding,
            None => {
                self.counters.bindings += 1;
                BindingId(self.counters.bindings - 1)
            }
        };
        let pat = Pat::Bind { name: ident.name, binding, by_ref, mutable, sub: None, range: ident.range };
        Some((ident.name, pat))
    }

    /// A literal, or a range that begins with one.
    fn literal_pat(&mut self) -> Option<Pat> {
        let start = self.position();
        self.literal_end()?;
        if self.is_pair(0, *b"..") {
            return self.range_from();
        }
        let tokens = self.between(start, self.position());
        literal(tokens).map(Pat::Lit)
    }

    /// Past a literal; a number may be negative.
    fn literal_end(&mut self) -> Option<()> {
        let negative = self.eat_punct(b'-');
        let token = self.bump()?;
        match token.kind {
            TokenKind::Number => Some(()),
            TokenKind::Str | TokenKind::Char if !negative => Some(()),
            TokenKind::Ident if !negative && matches!(token.text, "true" | "false") => Some(()),
            _ => None,
        }
    }

    /// `..`, or a range without a start.
    fn range_to(&mut self) -> Option<Pat> {
        let closed = self.range_dots(false)?;
        match self.range_end()? {
            true => Some(Pat::Range),
            false => (!closed).then_some(Pat::Rest),
        }
    }

    /// After the start of a range.
    fn range_from(&mut self) -> Option<Pat> {
        let closed = self.range_dots(true)?;
        let ends = self.range_end()?;
        (ends || !closed).then_some(Pat::Range)
    }

    /// `..`, `..=` or, in old code, `...`: whether the range must have an end.
    fn range_dots(&mut self, old: bool) -> Option<bool> {
        let third = if self.nth(1)?.joint { self.nth(2).map(|token| token.kind) } else { None };
        self.eat_pair(*b"..");
        match third {
            Some(TokenKind::Punct(b'=')) => self.punct(b'=').map(|()| true),
            Some(TokenKind::Punct(b'.')) if old => self.punct(b'.').map(|()| true),
            Some(TokenKind::Punct(b'.')) => None,
            _ => Some(false),
        }
    }

    /// The end of a range, if there is one.
    fn range_end(&mut self) -> Option<bool> {
        let numbered = self.counters.paths;
        let ends = match self.nth(0).map(|token| token.kind) {
            None | Some(TokenKind::Close(_) | TokenKind::Punct(b'|' | b'=' | b',' | b';')) => false,
            Some(TokenKind::Punct(b':')) if !self.is_pair(0, *b"::") => false,
            Some(TokenKind::Ident) if self.word(0) == "if" => false,
            Some(TokenKind::Punct(b'-') | TokenKind::Number | TokenKind::Str | TokenKind::Char) => {
                self.literal_end()?;
                true
            }
            Some(TokenKind::Ident) if matches!(self.word(0), "true" | "false") => {
                self.literal_end().is_some()
            }
            _ => {
                self.value_path()?;
                true
            }
        };
        self.counters.paths = numbered;
        Some(ends)
    }

    /// Past a group; its range.
    pub(super) fn passed_group(&mut self) -> Option<TextRange> {
        let start = self.start()?;
        if !matches!(self.nth(0)?.kind, TokenKind::Open(_)) {
            return None;
        }
        self.pass_tree()?;
        Some(self.since(start))
    }
}
