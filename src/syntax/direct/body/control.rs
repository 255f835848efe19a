//! Expressions with blocks: conditions, loops, matches, labels.

use super::BodyReader;
use super::expr::{Form, Precedence, Read};
use crate::hir::{Arm, BlockKind, ExprId, ExprKind, Name, TextRange};
use crate::syntax::lexer::TokenKind;

impl BodyReader<'_, '_, '_> {
    /// `unsafe {}`, `const {}`, `try {}`
    pub(super) fn keyword_block(&mut self, kind: BlockKind) -> Option<Read> {
        let start = self.bump()?.range;
        match kind {
            BlockKind::Try => {
                let id = self.block(kind, None, Some(start))?;
                Some(Read { id, form: Form::Block })
            }
            _ => self.block_atom(kind, None, Some(start)),
        }
    }

    pub(super) fn async_block(&mut self, is_move: bool) -> Option<Read> {
        let start = self.bump()?.range;
        if is_move {
            self.bump();
        }
        let id = self.block(BlockKind::Async { is_move }, None, Some(start))?;
        Some(Read { id, form: Form::Plain })
    }

    /// A block that ends a statement; it may begin with attributes of its own.
    pub(super) fn block_atom(
        &mut self,
        kind: BlockKind,
        label: Option<Name>,
        start: Option<TextRange>,
    ) -> Option<Read> {
        let id = self.block_with_attrs(kind, label, start)?;
        Some(Read { id, form: Form::Block })
    }

    /// `'label: loop {}`, or a block.
    pub(super) fn labeled(&mut self) -> Option<Read> {
        let start = self.tokens.nth(0)?.range;
        let label = self.tokens.lifetime()?;
        if self.tokens.is_pair(0, *b"::") {
            return None;
        }
        self.tokens.punct(b':')?;
        match self.tokens.is(TokenKind::Open(b'{')) {
            true => self.block_atom(BlockKind::Plain, Some(label), Some(start)),
            false => self.a_loop(Some((label, start))),
        }
    }

    /// `while`, `loop` or `for`.
    pub(super) fn a_loop(&mut self, labeled: Option<(Name, TextRange)>) -> Option<Read> {
        let keyword = self.bump()?;
        let label = labeled.map(|(label, _)| label);
        let (kind, body) = match keyword.text {
            "while" => {
                let cond = self.expr_in(false)?.id;
                let body = self.block_with_attrs(BlockKind::Plain, None, None)?;
                (ExprKind::While { label, cond, body }, body)
            }
            "loop" => {
                let body = self.block_with_attrs(BlockKind::Plain, None, None)?;
                (ExprKind::Loop { label, body }, body)
            }
            "for" if !self.tokens.is_punct(b'<') => {
                let pat = self.tokens.alternatives()?;
                self.tokens.eat_word("in").then_some(())?;
                let iter = self.expr_in(false)?.id;
                let body = self.block_with_attrs(BlockKind::Plain, None, None)?;
                (ExprKind::For { label, pat, iter, body }, body)
            }
            _ => return None,
        };
        let start = labeled.map_or(keyword.range, |(_, start)| start);
        let range = start.to(self.range_of(body));
        Some(Read { id: self.alloc(kind, range), form: Form::Block })
    }

    /// `if a {} else if b {} else {}`
    pub(super) fn if_chain(&mut self) -> Option<Read> {
        let mut links = Vec::new();
        let mut else_ = None;
        loop {
            let start = self.bump()?.range;
            let cond = self.expr_in(false)?.id;
            let then = self.plain_block()?;
            links.push((start, cond, then));
            if !self.tokens.eat_word("else") {
                break;
            }
            if self.tokens.word(0) != "if" {
                else_ = Some(self.deeper(|reader| reader.plain_block())?);
                break;
            }
        }
        while let Some((start, cond, then)) = links.pop() {
            let range = start.to(self.range_of(else_.unwrap_or(then)));
            else_ = Some(self.alloc(ExprKind::If { cond, then, else_ }, range));
        }
        Some(Read { id: else_?, form: Form::Block })
    }

    pub(super) fn plain_block(&mut self) -> Option<ExprId> {
        self.block(BlockKind::Plain, None, None)
    }

    pub(super) fn match_expr(&mut self) -> Option<Read> {
        let start = self.bump()?.range;
        let scrutinee = self.expr_in(false)?.id;
        self.open(b'{')?;
        self.inner_attrs()?;
        let mut arms = Vec::new();
        while !self.tokens.is(TokenKind::Close(b'}')) {
            let attrs = self.tokens.outer_attrs()?.list;
            match attrs.is_empty() || self.state.macros.enabled(&attrs) {
                true => arms.push(self.arm()?),
                false => drop(self.dry(|reader| reader.arm())?),
            }
        }
        let range = start.to(self.close(b'}')?);
        Some(Read { id: self.alloc(ExprKind::Match { scrutinee, arms }, range), form: Form::Block })
    }

    /// An arm with the comma that ends it.
    fn arm(&mut self) -> Option<Arm> {
        let pat = self.tokens.alternatives()?;
        let guard = if self.tokens.eat_word("if") { Some(self.expr()?.id) } else { None };
        if !self.tokens.eat_pair(*b"=>") {
            return None;
        }
        let body = self.bounded_expr()?;
        let comma = self.tokens.eat_punct(b',');
        if !comma && body.form != Form::Block && !self.tokens.is(TokenKind::Close(b'}')) {
            return None;
        }
        Some(Arm { pat, guard, body: body.id })
    }

    /// An expression at the beginning of a statement or arm: one that ends with a block ends there.
    pub(super) fn bounded_expr(&mut self) -> Option<Read> {
        self.deeper(|reader| reader.bounded_expr_inside())
    }

    fn bounded_expr_inside(&mut self) -> Option<Read> {
        self.expr_attrs()?;
        let read = match self.begins_block() {
            true => self.nested(|reader| reader.atom(true))?,
            false => self.unary(true)?,
        };
        if read.form != Form::Block {
            return self.operators(read, true, Precedence::Lowest);
        }
        let goes_on =
            self.tokens.is_punct(b'?') || (self.tokens.is_punct(b'.') && !self.tokens.is_pair(0, *b".."));
        if !goes_on {
            return Some(read);
        }
        let read = self.trailers(read)?;
        self.operators(read, true, Precedence::Lowest)
    }

    /// Whether an expression comes that ends a statement with its block.
    fn begins_block(&self) -> bool {
        let Some(token) = self.tokens.nth(0) else { return false };
        match token.kind {
            TokenKind::Open(b'{') | TokenKind::Lifetime => true,
            TokenKind::Ident => match token.text {
                "if" | "while" | "for" | "loop" | "match" | "unsafe" => true,
                "try" | "const" => self.tokens.is_nth(1, TokenKind::Open(b'{')),
                _ => false,
            },
            _ => false,
        }
    }

    /// `#![…]` at the beginning of a block or match, which leave it in the build.
    pub(super) fn inner_attrs(&mut self) -> Option<()> {
        let mut attrs = Vec::new();
        self.tokens.inner_attrs(&mut attrs)?;
        (attrs.is_empty() || self.state.macros.enabled(&attrs)).then_some(())
    }
}
