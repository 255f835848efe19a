//! Operators, and what follows an operand: calls, fields, indices, `?`.
//!
//! Binary operators are read by precedence climbing, as syn does it, so that right operands nest and left ones don't.

use super::BodyReader;
use crate::hir::{BinaryOp, ExprId, ExprKind, GenericArg, Name, TextRange, Type, UnaryOp};
use crate::syntax::body::type_end;
use crate::syntax::lexer::TokenKind;

/// An expression that was read.
#[derive(Clone, Copy)]
pub(super) struct Read {
    pub(super) id: ExprId,
    pub(super) form: Form,
}

/// What matters of an expression for what may follow it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Not in parentheses: no operator may follow.
    Range,
    /// Not in parentheses: no other comparison may follow.
    Comparison,
    /// Ends a statement with its brace.
    Block,
    Plain,
}

/// How tightly an operator binds, in ascending order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Precedence {
    Lowest,
    Assign,
    Range,
    Or,
    And,
    Compare,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Sum,
    Product,
    Cast,
}

#[derive(Clone, Copy)]
enum Operator {
    Binary(BinaryOp),
    /// `op=`
    AssignOp(BinaryOp),
    Assign,
    Range,
    Cast,
}

impl BodyReader<'_, '_, '_> {
    /// Any expression.
    pub(super) fn expr(&mut self) -> Option<Read> {
        self.expr_in(true)
    }

    /// An expression; `structs`: a struct literal may begin with a path and a brace.
    pub(super) fn expr_in(&mut self, structs: bool) -> Option<Read> {
        self.deeper(|reader| {
            let left = reader.unary(structs)?;
            reader.operators(left, structs, Precedence::Lowest)
        })
    }

    /// The operators after an operand that bind at least as tightly as `base`, with their right operands.
    pub(super) fn operators(&mut self, mut left: Read, structs: bool, base: Precedence) -> Option<Read> {
        while left.form != Form::Range {
            let Some((operator, precedence, length)) = self.operator() else { break };
            if precedence < base {
                break;
            }
            let start = self.tokens.position();
            if !matches!(operator, Operator::Range) {
                self.tokens.skip(length);
            }
            left = match operator {
                Operator::Cast => self.cast(left, start)?,
                Operator::Range => self.range(Some(left.id), structs)?,
                Operator::Binary(op) => {
                    if precedence == Precedence::Compare && left.form == Form::Comparison {
                        return None;
                    }
                    let right = self.right_operand(structs, precedence)?;
                    let compares = precedence == Precedence::Compare;
                    let form = if compares { Form::Comparison } else { Form::Plain };
                    self.binary(ExprKind::Binary { op, left: left.id, right }, left.id, right, form)
                }
                Operator::AssignOp(op) => {
                    let right = self.right_operand(structs, precedence)?;
                    self.binary(ExprKind::AssignOp { op, left: left.id, right }, left.id, right, Form::Plain)
                }
                Operator::Assign => {
                    let right = self.right_operand(structs, precedence)?;
                    self.binary(ExprKind::Assign { left: left.id, right }, left.id, right, Form::Plain)
                }
            };
        }
        Some(left)
    }

    fn binary(&mut self, kind: ExprKind, left: ExprId, right: ExprId, form: Form) -> Read {
        let range = self.range_of(left).to(self.range_of(right));
        Read { id: self.alloc(kind, range), form }
    }

    /// The operand after an operator, with all operators that bind more tightly.
    fn right_operand(&mut self, structs: bool, precedence: Precedence) -> Option<ExprId> {
        self.deeper(|reader| {
            let mut right = reader.unary(structs)?;
            while let Some((_, next, _)) = reader.operator() {
                let right_first = next == precedence && precedence == Precedence::Assign;
                if next <= precedence && !right_first {
                    break;
                }
                let start = reader.tokens.position();
                right = reader.operators(right, structs, next)?;
                if reader.tokens.position() == start {
                    break;
                }
            }
            Some(right.id)
        })
    }

    /// `as type`, of which the keyword was read; `start`: its number.
    fn cast(&mut self, left: Read, start: usize) -> Option<Read> {
        let keyword = self.tokens.since(start);
        let ty = self.tokens.ty(false)?;
        if self.continues_operand() {
            return None;
        }
        let hi = type_end(&ty).unwrap_or(keyword);
        let range = self.range_of(left.id).to(hi);
        Some(Read { id: self.alloc(ExprKind::Cast { operand: left.id, ty }, range), form: Form::Plain })
    }

    /// Whether a call, field, index or `?` comes.
    fn continues_operand(&self) -> bool {
        match self.tokens.nth(0).map(|token| token.kind) {
            Some(TokenKind::Punct(b'.')) => !self.tokens.is_pair(0, *b".."),
            Some(TokenKind::Punct(b'?') | TokenKind::Open(b'(' | b'[')) => true,
            _ => false,
        }
    }

    /// `..` or `..=`, which comes, and its end.
    pub(super) fn range(&mut self, lo: Option<ExprId>, structs: bool) -> Option<Read> {
        let start = self.tokens.position();
        let third = if self.tokens.nth(1)?.joint { self.tokens.nth(2).map(|token| token.kind) } else { None };
        let inclusive = third == Some(TokenKind::Punct(b'='));
        if third == Some(TokenKind::Punct(b'.')) {
            return None;
        }
        self.tokens.skip(if inclusive { 3 } else { 2 });
        let mut whole = self.tokens.since(start);
        let hi = match !inclusive && self.ends_range(structs) {
            true => None,
            false => Some(self.right_operand(structs, Precedence::Range)?),
        };
        for end in [lo, hi].into_iter().flatten() {
            whole = whole.to(self.range_of(end));
        }
        Some(Read { id: self.alloc(ExprKind::Range { lo, hi, inclusive }, whole), form: Form::Range })
    }

    /// Whether no end of a range can begin here.
    fn ends_range(&self, structs: bool) -> bool {
        let Some(token) = self.tokens.nth(0) else { return true };
        match token.kind {
            TokenKind::Close(_) => true,
            TokenKind::Punct(b',' | b';' | b'?' | b'=' | b'+' | b'/' | b'%' | b'^' | b'>') => true,
            TokenKind::Punct(b'.') => !self.tokens.is_pair(0, *b".."),
            TokenKind::Punct(byte @ (b'<' | b'!' | b'-' | b'*' | b'&' | b'|')) => {
                let shifts = self.tokens.is_pair(0, *b"<<") && self.tokens.is_pair(1, *b"<=");
                self.tokens.is_pair(0, [byte, b'=']) || shifts
            }
            TokenKind::Open(b'{') => !structs,
            TokenKind::Ident => token.text == "as",
            _ => false,
        }
    }

    /// Prefix operators and their operand.
    pub(super) fn unary(&mut self, structs: bool) -> Option<Read> {
        let documented = self.tokens.position();
        self.expr_attrs()?;
        let has_attrs = self.tokens.position() != documented;
        let token = self.tokens.nth(0)?;
        let op = match token.kind {
            TokenKind::Punct(b'&') => return self.borrow(structs),
            TokenKind::Punct(b'*') => UnaryOp::Deref,
            TokenKind::Punct(b'!') => UnaryOp::Not,
            TokenKind::Punct(b'-') => UnaryOp::Neg,
            _ => {
                let read = self.operand(structs)?;
                return Some(read).filter(|read| !has_attrs || read.form != Form::Range);
            }
        };
        self.bump();
        let operand = self.deeper(|reader| reader.unary(structs))?.id;
        Some(self.keyword(ExprKind::Unary { op, operand }, token.range, Some(operand)))
    }

    /// Attributes before an expression that leave it in the build.
    pub(super) fn expr_attrs(&mut self) -> Option<()> {
        match self.tokens.nth(0)?.kind {
            TokenKind::Punct(b'#') | TokenKind::LineComment | TokenKind::BlockComment => {
                let attrs = self.tokens.outer_attrs()?.list;
                (attrs.is_empty() || self.state.macros.enabled(&attrs)).then_some(())
            }
            _ => Some(()),
        }
    }

    /// `&e`, `&mut e`, `&raw const e`, `&raw mut e`
    fn borrow(&mut self, structs: bool) -> Option<Read> {
        let start = self.bump()?.range;
        let raw = self.tokens.word(0) == "raw" && matches!(self.tokens.word(1), "mut" | "const");
        if raw {
            self.bump();
        }
        let mutable = self.tokens.eat_word("mut");
        if raw && !mutable {
            self.bump();
        }
        let operand = self.deeper(|reader| reader.unary(structs))?.id;
        Some(self.keyword(ExprKind::Borrow { mutable, raw, operand }, start, Some(operand)))
    }

    /// What stands alone, with the calls, fields, indices and `?` after it.
    fn operand(&mut self, structs: bool) -> Option<Read> {
        let read = self.nested(|reader| reader.atom(structs))?;
        self.trailers(read)
    }

    /// The calls, fields, indices and `?` after an operand.
    pub(super) fn trailers(&mut self, mut read: Read) -> Option<Read> {
        while read.form != Form::Range {
            let Some(token) = self.tokens.nth(0) else { break };
            let left = read.id;
            let (kind, hi) = match token.kind {
                TokenKind::Open(b'(') => {
                    let args = self.args()?;
                    (ExprKind::Call { callee: left, args: args.0 }, args.1)
                }
                TokenKind::Open(b'[') => {
                    self.bump();
                    let index = self.expr()?.id;
                    (ExprKind::Index { base: left, index }, self.close(b']')?)
                }
                TokenKind::Punct(b'?') => {
                    self.bump();
                    (ExprKind::Try(left), token.range)
                }
                TokenKind::Punct(b'.') if !self.tokens.is_pair(0, *b"..") => {
                    self.bump();
                    self.member(left)?
                }
                _ => break,
            };
            let range = self.range_of(left).to(hi);
            read = Read { id: self.alloc(kind, range), form: Form::Plain };
        }
        Some(read)
    }

    /// What follows a dot.
    fn member(&mut self, base: ExprId) -> Option<(ExprKind, TextRange)> {
        let token = self.tokens.nth(0)?;
        if token.kind == TokenKind::Number {
            return self.numbered_field(base);
        }
        if self.tokens.eat_word("await") {
            return Some((ExprKind::Await(base), token.range));
        }
        let name = self.tokens.ident()?;
        let is_generic = self.tokens.eat_pair(*b"::");
        let generic_args = if is_generic { self.type_args()? } else { Vec::new() };
        if !is_generic && !self.tokens.is(TokenKind::Open(b'(')) {
            return Some((ExprKind::Field { base, name: name.name, name_range: name.range }, name.range));
        }
        let (args, hi) = self.args()?;
        let kind = ExprKind::MethodCall {
            receiver: base,
            method: name.name,
            name_range: name.range,
            generic_args,
            args,
        };
        Some((kind, hi))
    }

    /// `.0`, and `.0.1`, which is one number.
    fn numbered_field(&mut self, base: ExprId) -> Option<(ExprKind, TextRange)> {
        let token = self.tokens.nth(0)?;
        let Some((first, second)) = token.text.split_once('.') else {
            let name = self.tokens.tuple_index()?;
            return Some((ExprKind::Field { base, name, name_range: token.range }, token.range));
        };
        let (first_name, second_name) = (field_number(first)?, field_number(second)?);
        self.bump();
        self.tokens.sound_literal(token)?;
        let [first_range, second_range] = match self.origin {
            super::Origin::Text(..) => [
                TextRange::new(token.range.lo, token.range.lo + first.len() as u32),
                TextRange::new(token.range.hi - second.len() as u32, token.range.hi),
            ],
            super::Origin::Tokens => [token.range; 2],
        };
        let kind = ExprKind::Field { base, name: first_name, name_range: first_range };
        let range = self.range_of(base).to(first_range);
        let base = self.alloc(kind, range);
        let kind = ExprKind::Field { base, name: second_name, name_range: second_range };
        Some((kind, second_range))
    }

    /// The types of a turbofish.
    fn type_args(&mut self) -> Option<Vec<Type>> {
        let args = self.tokens.generic_args()?;
        let types = args.into_iter().map(|arg| match arg {
            GenericArg::Type(ty) => ty,
            GenericArg::Const(_) | GenericArg::Assoc(..) => Type::Unknown,
        });
        Some(types.collect())
    }

    /// Arguments in parentheses, and the one that closes them.
    fn args(&mut self) -> Option<(Vec<ExprId>, TextRange)> {
        self.open(b'(')?;
        let args = self.exprs(b')')?;
        Some((args, self.close(b')')?))
    }

    /// Expressions and commas up to a closing bracket.
    pub(super) fn exprs(&mut self, close: u8) -> Option<Vec<ExprId>> {
        let mut ids = Vec::new();
        while !self.tokens.is(TokenKind::Close(close)) {
            ids.extend(self.element()?);
            self.tokens.list_goes_on(close)?;
        }
        Some(ids)
    }

    /// An expression of a list; nothing if it isn't in the build.
    pub(super) fn element(&mut self) -> Option<Option<ExprId>> {
        let start = self.tokens.position();
        if self.tokens.is_punct(b'#') {
            let attrs = self.tokens.outer_attrs()?.list;
            if !attrs.is_empty() && !self.state.macros.enabled(&attrs) {
                self.dry(|reader| reader.unary(true))?;
                // The attributes of a longer expression are those of its first operand.
                return matches!(self.tokens.nth(0)?.kind, TokenKind::Punct(b',') | TokenKind::Close(_))
                    .then_some(None);
            }
            self.tokens.go_to(start);
        }
        self.expr().map(|read| Some(read.id))
    }

    /// The operator that comes, and its number of tokens.
    fn operator(&self) -> Option<(Operator, Precedence, usize)> {
        use Operator::{Assign, AssignOp, Binary, Cast, Range};
        use Precedence as P;
        let token = self.tokens.nth(0)?;
        let first = match token.kind {
            TokenKind::Punct(byte) => byte,
            TokenKind::Ident if token.text == "as" => return Some((Cast, P::Cast, 1)),
            _ => return None,
        };
        let second = self.punct_after(0);
        let then_equals = second == Some(b'=');
        let plain = |op, precedence| Some((Binary(op), precedence, 1));
        let with_assign = |op, precedence| match then_equals {
            true => Some((AssignOp(op), P::Assign, 2)),
            false => Some((Binary(op), precedence, 1)),
        };
        match (first, second) {
            (b'+', _) => with_assign(BinaryOp::Add, P::Sum),
            (b'-', Some(b'>')) => None,
            (b'-', _) => with_assign(BinaryOp::Sub, P::Sum),
            (b'*', _) => with_assign(BinaryOp::Mul, P::Product),
            (b'/', _) => with_assign(BinaryOp::Div, P::Product),
            (b'%', _) => with_assign(BinaryOp::Rem, P::Product),
            (b'^', _) => with_assign(BinaryOp::BitXor, P::BitXor),
            (b'&', Some(b'&')) => Some((Binary(BinaryOp::And), P::And, 2)),
            (b'&', _) => with_assign(BinaryOp::BitAnd, P::BitAnd),
            (b'|', Some(b'|')) => Some((Binary(BinaryOp::Or), P::Or, 2)),
            (b'|', _) => with_assign(BinaryOp::BitOr, P::BitOr),
            (b'<', Some(b'<')) => self.shift(BinaryOp::Shl),
            (b'>', Some(b'>')) => self.shift(BinaryOp::Shr),
            (b'<', Some(b'=')) => Some((Binary(BinaryOp::Le), P::Compare, 2)),
            (b'>', Some(b'=')) => Some((Binary(BinaryOp::Ge), P::Compare, 2)),
            (b'<', Some(b'-')) => None,
            (b'<', _) => plain(BinaryOp::Lt, P::Compare),
            (b'>', _) => plain(BinaryOp::Gt, P::Compare),
            (b'=', Some(b'=')) => Some((Binary(BinaryOp::Eq), P::Compare, 2)),
            (b'!', Some(b'=')) => Some((Binary(BinaryOp::Ne), P::Compare, 2)),
            (b'=', Some(b'>')) => None,
            (b'=', _) => Some((Assign, P::Assign, 1)),
            (b'.', Some(b'.')) => Some((Range, P::Range, 2)),
            _ => None,
        }
    }

    fn shift(&self, op: BinaryOp) -> Option<(Operator, Precedence, usize)> {
        match self.punct_after(1) {
            Some(b'=') => Some((Operator::AssignOp(op), Precedence::Assign, 3)),
            _ => Some((Operator::Binary(op), Precedence::Shift, 2)),
        }
    }

    /// The punctuation that follows a token without a blank.
    fn punct_after(&self, ahead: usize) -> Option<u8> {
        if !self.tokens.nth(ahead)?.joint {
            return None;
        }
        match self.tokens.nth(ahead + 1)?.kind {
            TokenKind::Punct(byte) => Some(byte),
            _ => None,
        }
    }
}

/// A tuple field's number as it is usually written.
fn field_number(text: &str) -> Option<Name> {
    let plain = !text.is_empty() && (text == "0" || !text.starts_with('0')) && text.len() < 10;
    (plain && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| Name::new(text))
}
