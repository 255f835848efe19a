//! Blocks and statements.

use super::BodyReader;
use super::expr::{Form, Read};
use crate::hir::{BlockKind, ExprId, Name, Stmt, TextRange};
use crate::syntax::body::{Contents, add_expr};
use crate::syntax::direct::cursor::Passed;
use crate::syntax::lexer::TokenKind;

impl BodyReader<'_, '_, '_> {
    /// A block; `start`: the keyword or label before its brace.
    pub(super) fn block(
        &mut self,
        kind: BlockKind,
        label: Option<Name>,
        start: Option<TextRange>,
    ) -> Option<ExprId> {
        let open = self.open(b'{')?;
        self.rest_of_block(kind, label, start, open)
    }

    /// A block that may begin with attributes.
    pub(super) fn block_with_attrs(
        &mut self,
        kind: BlockKind,
        label: Option<Name>,
        start: Option<TextRange>,
    ) -> Option<ExprId> {
        let open = self.open(b'{')?;
        self.inner_attrs()?;
        self.rest_of_block(kind, label, start, open)
    }

    fn rest_of_block(
        &mut self,
        kind: BlockKind,
        label: Option<Name>,
        start: Option<TextRange>,
        open: TextRange,
    ) -> Option<ExprId> {
        let macros_outside = self.state.local_macros.len();
        let mut contents = Contents::default();
        self.statements(&mut contents)?;
        let range = open.to(self.close(b'}')?);
        let range = start.map_or(range, |start| start.to(range));
        self.state.local_macros.truncate(macros_outside);
        Some(self.state.finish_block(contents, kind, label, range))
    }

    /// Statements up to the end; a last expression without `;` is the tail.
    pub(super) fn statements(&mut self, out: &mut Contents) -> Option<()> {
        loop {
            while self.tokens.eat_punct(b';') {}
            if self.at_end() {
                return Some(());
            }
            self.statement(out)?;
        }
    }

    fn statement(&mut self, out: &mut Contents) -> Option<()> {
        let start = self.tokens.position();
        let attrs = self.tokens.outer_attrs()?.list;
        if self.begins_item() {
            self.tokens.go_to(start);
            return self.item(out);
        }
        if attrs.is_empty() || self.state.macros.enabled(&attrs) {
            return self.statement_inside(out);
        }
        self.dry(|reader| reader.statement_inside(&mut Contents::default()))
    }

    /// A statement after its attributes, that is no item.
    fn statement_inside(&mut self, out: &mut Contents) -> Option<()> {
        if self.tokens.word(0) == "let" {
            let stmt = self.local()?;
            out.stmts.push(stmt);
            return Some(());
        }
        if self.begins_macro() && self.macro_statement(out)? {
            return Some(());
        }
        let read = self.bounded_expr()?;
        let semicolon = self.tokens.eat_punct(b';');
        let last = self.at_end();
        if !semicolon && !last && read.form != Form::Block {
            return None;
        }
        add_expr(read.id, last && !semicolon, out);
        Some(())
    }

    /// `let pat: ty = init else {};`
    fn local(&mut self) -> Option<Stmt> {
        self.bump();
        let pat = self.tokens.pat()?;
        let ty = if self.tokens.eat_punct(b':') { Some(self.tokens.ty(true)?) } else { None };
        let mut init = None;
        let mut else_ = None;
        if self.tokens.is_punct(b'=') {
            self.equals()?;
            let Read { id, .. } = self.expr()?;
            init = Some(id);
            if !self.ends_with_brace() && self.tokens.eat_word("else") {
                else_ = Some(self.deeper(|reader| reader.plain_block())?);
            }
        }
        self.tokens.punct(b';')?;
        Some(Stmt::Let { pat, ty, init, else_ })
    }

    /// Whether the last token was a closing brace.
    fn ends_with_brace(&self) -> bool {
        let at = self.tokens.position();
        self.tokens.between(at - 1, at).iter().any(|token| token.kind == TokenKind::Close(b'}'))
    }

    /// Whether an item comes, attributes already passed.
    fn begins_item(&self) -> bool {
        let next = self.tokens.word(1);
        let brace = self.tokens.is_nth(1, TokenKind::Open(b'{'));
        let bar = self.tokens.is_nth(1, TokenKind::Punct(b'|'));
        match self.tokens.word(0) {
            "" => false,
            "pub" | "extern" | "use" | "fn" | "mod" | "type" | "struct" | "enum" | "trait" | "impl"
            | "macro" => true,
            "crate" => !self.tokens.is_pair(1, *b"::"),
            "static" => next == "mut" || self.tokens.is_ident(1),
            "const" => !brace && !bar && !matches!(next, "static" | "move") && !self.is_const_closure(),
            "unsafe" => !brace,
            "async" => matches!(next, "unsafe" | "extern" | "fn"),
            "union" => self.tokens.is_ident(1),
            "auto" => next == "trait",
            "default" => matches!(next, "unsafe" | "impl"),
            _ => self.begins_item_macro(),
        }
    }

    /// `const async |…|`
    fn is_const_closure(&self) -> bool {
        self.tokens.word(1) == "async" && !matches!(self.tokens.word(2), "unsafe" | "extern" | "fn")
    }

    fn item(&mut self, out: &mut Contents) -> Option<()> {
        let outside = std::mem::take(&mut self.tokens.counters);
        let item = self.tokens.item()?;
        self.tokens.counters = outside;
        self.passed_parts()?;
        self.state.add_items([item], out);
        Some(())
    }

    /// Whether the bodies and values that the items before passed over are understood: what syn would refuse, it must be
    /// asked about.
    fn passed_parts(&mut self) -> Option<()> {
        let end = self.tokens.position();
        for passed in std::mem::take(&mut self.tokens.passed) {
            let (Passed::Body(from, to) | Passed::Value(from, to)) = passed;
            self.tokens.go_to(from);
            self.dry(|reader| match passed {
                Passed::Body(..) => {
                    reader.nested(|reader| reader.block_with_attrs(BlockKind::Plain, None, None))
                }
                Passed::Value(..) => reader.expr().map(|read| read.id),
            })?;
            if self.tokens.position() != to {
                return None;
            }
        }
        self.tokens.go_to(end);
        Some(())
    }
}
