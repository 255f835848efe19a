//! The branches of `select!`: see `syntax::body::select`.

use super::BodyReader;
use super::macros::Call;
use crate::hir::{ExprId, ExprKind, SelectBranch};
use crate::syntax::lexer::TokenKind;

impl BodyReader<'_, '_, '_> {
    pub(super) fn select(&mut self, call: &Call) -> Option<ExprId> {
        self.skip_biased();
        let mut branches = Vec::new();
        let mut others = Vec::new();
        while !self.at_end() {
            if self.is_otherwise() {
                others.push(self.handler()?);
            } else if self.begins_operation() {
                branches.push(self.operation()?);
            } else {
                branches.push(self.waiting()?);
            }
            while self.tokens.eat_punct(b',') {}
        }
        let else_ = self.state.one_of(&others, call.range);
        let kind = ExprKind::Select { branches, else_, name_range: call.name_range };
        Some(self.alloc(kind, call.range))
    }

    /// Past `else`, `default`, `default(timeout)` or `complete`, if `=>` follows.
    fn is_otherwise(&mut self) -> bool {
        if !matches!(self.tokens.word(0), "else" | "default" | "complete") {
            return false;
        }
        let start = self.tokens.position();
        self.bump();
        let passed = !self.tokens.is(TokenKind::Open(b'(')) || self.tokens.passed_group().is_some();
        let found = passed && self.tokens.is_pair(0, *b"=>");
        if !found {
            self.tokens.go_to(start);
        }
        found
    }

    /// Whether `recv(channel) ->` comes.
    fn begins_operation(&mut self) -> bool {
        if !self.tokens.is_ident(0) || !self.tokens.is_nth(1, TokenKind::Open(b'(')) {
            return false;
        }
        let start = self.tokens.position();
        self.bump();
        let found = self.tokens.passed_group().is_some() && self.tokens.is_pair(0, *b"->");
        self.tokens.go_to(start);
        found
    }

    /// `recv(channel) -> pat => handler`, the operation as a method of the channel.
    fn operation(&mut self) -> Option<SelectBranch> {
        let method = self.tokens.ident()?;
        self.open(b'(')?;
        let mut args = self.exprs(b')')?;
        let range = method.range.to(self.close(b')')?);
        if args.is_empty() {
            return None;
        }
        let receiver = args.remove(0);
        let kind = ExprKind::MethodCall {
            receiver,
            method: method.name,
            name_range: method.range,
            generic_args: Vec::new(),
            args,
        };
        let future = self.alloc(kind, range);
        self.tokens.eat_pair(*b"->");
        let pat = self.tokens.alternatives()?;
        Some(SelectBranch { pat, future, guard: None, handler: self.handler()? })
    }

    /// `pat = future, if guard => handler`; the pattern binds after the future and the guard.
    fn waiting(&mut self) -> Option<SelectBranch> {
        let start = self.tokens.position();
        self.dry(|reader| reader.tokens.alternatives())?;
        self.equals()?;
        let future = self.expr()?.id;
        let mut guard = None;
        if self.tokens.is_punct(b',') && self.tokens.word(1) == "if" {
            self.tokens.skip(2);
            guard = Some(self.expr()?.id);
        }
        let end = self.tokens.position();
        self.tokens.go_to(start);
        let pat = self.tokens.alternatives()?;
        self.tokens.go_to(end);
        Some(SelectBranch { pat, future, guard, handler: self.handler()? })
    }

    /// `=> expr`; a block ends it without a comma.
    fn handler(&mut self) -> Option<ExprId> {
        if !self.tokens.eat_pair(*b"=>") {
            return None;
        }
        self.bounded_expr().map(|read| read.id)
    }
}
