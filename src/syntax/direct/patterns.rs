//! The patterns of parameters: bindings, tuples, references, fields.

use super::cursor::Reader;
use super::types::MAX_DEPTH;
use crate::hir::{BindingId, Name, Pat};
use crate::syntax::lexer::TokenKind;

impl Reader<'_> {
    /// A pattern; alternatives, literals and ranges are left to syn.
    pub(super) fn pat(&mut self) -> Option<Pat> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let pat = self.pat_inside();
        self.depth -= 1;
        pat
    }

    fn pat_inside(&mut self) -> Option<Pat> {
        match self.nth(0)?.kind {
            TokenKind::Punct(b'&') => {
                self.bump();
                self.eat_word("mut");
                Some(Pat::Ref(Box::new(self.pat()?)))
            }
            TokenKind::Punct(b'.') if self.is_pair(0, *b"..") => {
                self.eat_pair(*b"..");
                Some(Pat::Rest)
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
            TokenKind::Ident if self.eat_word("_") => Some(Pat::Wild),
            TokenKind::Ident if self.is_path_pattern() => self.path_pat(),
            TokenKind::Ident => self.binding().map(|(_, pat)| pat),
            _ => None,
        }
    }

    /// Patterns up to the bracket that closes the list; whether a comma ended the last one.
    fn pats(&mut self, close: u8) -> Option<(Vec<Pat>, bool)> {
        let mut parts = Vec::new();
        let mut comma = true;
        while !self.eat(TokenKind::Close(close)) {
            parts.push(self.pat()?);
            comma = self.eat_punct(b',');
            if !comma && !self.is(TokenKind::Close(close)) {
                return None;
            }
        }
        Some((parts, comma))
    }

    fn is_path_pattern(&self) -> bool {
        self.is_path_word(0)
            && (self.is_pair(1, *b"::")
                || self.is_nth(1, TokenKind::Open(b'('))
                || self.is_nth(1, TokenKind::Open(b'{')))
    }

    /// `a::B(x)`, `a::B { x, .. }`, `a::B`
    fn path_pat(&mut self) -> Option<Pat> {
        let start = self.start()?;
        let segments = self.mod_path()?;
        let range = self.since(start);
        let path = crate::hir::Path { segments, range, ..Default::default() };
        match self.nth(0)?.kind {
            TokenKind::Open(b'(') => {
                self.bump();
                self.pats(b')').map(|(parts, _)| Pat::TupleStruct(path, parts))
            }
            TokenKind::Open(b'{') => {
                self.bump();
                let mut fields = Vec::new();
                while !self.is(TokenKind::Close(b'}')) && !self.is_pair(0, *b"..") {
                    fields.push(self.field_pat()?);
                    self.list_goes_on(b'}')?;
                }
                let rest = self.eat_pair(*b"..");
                self.expect(TokenKind::Close(b'}'))?;
                Some(Pat::Struct { path, fields, rest })
            }
            _ => Some(Pat::Path(path)),
        }
    }

    fn field_pat(&mut self) -> Option<(Name, Pat)> {
        if self.is_nth(1, TokenKind::Punct(b':')) {
            let name = self.ident()?.name;
            self.bump();
            return Some((name, self.pat()?));
        }
        self.binding()
    }

    /// `ref mut x`; what follows `@` is left to syn.
    fn binding(&mut self) -> Option<(Name, Pat)> {
        let by_ref = self.eat_word("ref");
        let mutable = self.eat_word("mut");
        let ident = self.ident()?;
        if self.is_punct(b'@') || self.is_punct(b'!') || self.is_pair(0, *b"..") {
            return None;
        }
        let binding = BindingId(self.bindings);
        self.bindings += 1;
        let pat = Pat::Bind { name: ident.name, binding, by_ref, mutable, sub: None, range: ident.range };
        Some((ident.name, pat))
    }
}
