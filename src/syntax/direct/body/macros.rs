//! Macro calls.
//!
//! What a call means is found out as in `syntax::body`. Arguments that aren't understood are given to syn, of this call
//! alone.

use super::expr::{Form, Read};
use super::{BodyReader, Origin};
use crate::hir::{ExprId, ExprKind, MacroArgsKind, Path, PathId, TextRange, Tokens, Tt};
use crate::syntax::MacroMeaning;
use crate::syntax::body::{CallText, Contents, State, add_expr, declares};
use crate::syntax::expand::Failure;
use crate::syntax::items::Bodies;
use crate::syntax::lexer::TokenKind;
use crate::syntax::source_map::SourceMap;
use crate::syntax::tokens::Rendered;

/// Most tokens in arguments that are read here.
const MAX_ARGUMENTS: usize = 8_000;

/// A call as it stands.
pub(super) struct Call {
    path: Path,
    /// From the first to the last name of the path.
    pub(super) path_range: TextRange,
    /// The last name of the path.
    pub(super) name_range: TextRange,
    /// Of the whole call.
    pub(super) range: TextRange,
    /// The numbers of the call's first token, and of its brackets.
    start: usize,
    pub(super) open: usize,
    pub(super) close: usize,
}

impl BodyReader<'_, '_, '_> {
    /// Whether a macro call comes.
    pub(super) fn begins_macro(&self) -> bool {
        self.bang()
            .is_some_and(|at| matches!(self.tokens.nth(at + 1).map(|t| t.kind), Some(TokenKind::Open(_))))
    }

    /// Whether a macro call comes in which a name stands before the arguments.
    pub(super) fn begins_item_macro(&self) -> bool {
        self.bang().is_some_and(|at| self.tokens.is_ident(at + 1) || self.tokens.word(at + 1) == "try")
    }

    /// How far away the `!` of a macro call is, if a path and one come.
    fn bang(&self) -> Option<usize> {
        let mut at = if self.tokens.is_pair(0, *b"::") { 2 } else { 0 };
        if !matches!(self.tokens.nth(at + 1)?.kind, TokenKind::Punct(b'!' | b':')) {
            return None;
        }
        while self.tokens.is_path_word(at) {
            at += 1;
            match self.tokens.nth(at)?.kind {
                TokenKind::Punct(b'!') => return (!self.tokens.is_pair(at, *b"!=")).then_some(at),
                TokenKind::Punct(b':') if self.tokens.is_pair(at, *b"::") => at += 2,
                _ => return None,
            }
        }
        None
    }

    /// Passes a call.
    fn call(&mut self) -> Option<Call> {
        let start = self.tokens.position();
        let global = self.tokens.eat_pair(*b"::");
        let segments = self.tokens.mod_path()?;
        let range = self.tokens.since(start);
        let path_range = segments.iter().map(|segment| segment.range).reduce(TextRange::to)?;
        let name_range = segments.last()?.range;
        self.bump();
        let open = self.tokens.position();
        self.tokens.passed_group()?;
        let close = self.tokens.position() - 1;
        let last = self.tokens.between(close, close + 1).first()?.range;
        let path = Path { global, qself: None, segments, range, id: PathId::ITEM };
        Some(Call { path, path_range, name_range, range: path_range.to(last), start, open, close })
    }

    /// A call in expression position.
    pub(super) fn macro_expr(&mut self) -> Option<Read> {
        let call = self.call()?;
        let end = self.tokens.position();
        let id = match self.dry {
            true => self.alloc(ExprKind::Missing, call.range),
            false => self.value_of(&call)?,
        };
        self.tokens.go_to(end);
        Some(Read { id, form: Form::Plain })
    }

    fn value_of(&mut self, call: &Call) -> Option<ExprId> {
        match self.state.meaning(&call.path) {
            MacroMeaning::Shape(shape) => match self.shape_expr(shape, call) {
                Some(id) => Some(id),
                None => self.by_syn(call, false),
            },
            MacroMeaning::Unknown => self.unknown(call),
            MacroMeaning::Rules(def) => {
                let Some(args) = self.tokens_of(call) else { return self.by_syn(call, false) };
                let (path, range) = (call.path_range, call.range);
                match self.with_state(|state| state.expanded_expr(&def, &args, path, range)) {
                    Ok(id) => Some(id),
                    Err(Failure::NoRule) => self.unknown(call),
                    Err(Failure::Bound) => Some(self.state.cut(range)),
                }
            }
        }
    }

    /// A call that is a whole statement, if it is one; then it is passed, with its semicolon.
    pub(super) fn macro_statement(&mut self, out: &mut Contents) -> Option<bool> {
        let call = self.call()?;
        let in_braces = self.tokens.between(call.open, call.open + 1)[0].kind == TokenKind::Open(b'{');
        let goes_on =
            self.tokens.is_punct(b'?') || (self.tokens.is_punct(b'.') && !self.tokens.is_pair(0, *b".."));
        let semicolon = self.tokens.eat_punct(b';');
        if !semicolon && (!in_braces || goes_on) {
            self.tokens.go_to(call.start);
            return Some(false);
        }
        let is_tail = !semicolon && self.at_end();
        let end = self.tokens.position();
        if !self.dry {
            self.statement_of(&call, is_tail, out)?;
        }
        self.tokens.go_to(end);
        Some(true)
    }

    fn statement_of(&mut self, call: &Call, is_tail: bool, out: &mut Contents) -> Option<()> {
        let (path, range) = (call.path_range, call.range);
        let id = match self.state.meaning(&call.path) {
            MacroMeaning::Rules(def) => {
                let Some(args) = self.tokens_of(call) else {
                    return self.statement_by_syn(call, is_tail, out);
                };
                let expanded =
                    |state: &mut State| state.expanded_stmts(&def, &args, path, is_tail, range, out);
                match self.with_state(expanded) {
                    Ok(()) => return Some(()),
                    Err(Failure::NoRule) => self.unknown(call)?,
                    Err(Failure::Bound) => self.state.cut(range),
                }
            }
            MacroMeaning::Shape(shape) if declares(shape) => {
                let Some(args) = self.tokens_of(call) else {
                    return self.statement_by_syn(call, is_tail, out);
                };
                match self.with_state(|state| state.declared(shape, &args, path, is_tail, range, out)) {
                    Some(()) => return Some(()),
                    None => self.unknown(call)?,
                }
            }
            MacroMeaning::Shape(_) | MacroMeaning::Unknown => self.value_of(call)?,
        };
        add_expr(id, is_tail, out);
        Some(())
    }

    /// A call of which nothing is known: its arguments by value, if they are code.
    pub(super) fn unknown(&mut self, call: &Call) -> Option<ExprId> {
        let value = self.arguments(call, |reader| {
            let args = reader.all_exprs()?;
            let kind = ExprKind::MacroArgs { kind: MacroArgsKind::Unknown, args, diverges: false };
            Some(reader.alloc(kind, call.range))
        });
        match value {
            Some(id) => Some(id),
            None => self.by_syn(call, true),
        }
    }

    /// Expressions and commas up to the end of a call's arguments.
    pub(super) fn all_exprs(&mut self) -> Option<Vec<ExprId>> {
        let mut ids = Vec::new();
        while !self.at_end() {
            ids.push(self.expr()?.id);
            if !self.tokens.eat_punct(b',') && !self.at_end() {
                return None;
            }
        }
        Some(ids)
    }

    /// Reads the arguments of a call, all of them; otherwise nothing has happened.
    pub(super) fn arguments<R>(
        &mut self,
        call: &Call,
        read: impl FnOnce(&mut Self) -> Option<R>,
    ) -> Option<R> {
        let length = call.close - call.open;
        if length > MAX_ARGUMENTS || !self.state.may_try() {
            return None;
        }
        let mark = self.mark();
        self.tokens.go_to(call.open + 1);
        let result = self.nested(read).filter(|_| self.tokens.position() == call.close);
        if result.is_none() {
            self.state.give_up(&mark, length);
            self.tokens.counters = self.state.counters.clone();
        }
        result
    }

    /// The arguments of a call as they are; `None` if there are comments among them that are attributes.
    pub(super) fn tokens_of(&mut self, call: &Call) -> Option<Tokens> {
        self.tokens.go_to(call.open);
        match self.tokens.tree()? {
            Tt::Group(_, inner, _) => Some(inner),
            _ => None,
        }
    }

    /// What syn makes of a call; `unknown`: whatever its name means.
    fn by_syn(&mut self, call: &Call, unknown: bool) -> Option<ExprId> {
        self.call_text(call, |state, text| state.call_expr(text, unknown))
    }

    fn statement_by_syn(&mut self, call: &Call, is_tail: bool, out: &mut Contents) -> Option<()> {
        self.call_text(call, |state, text| state.call_stmt(text, is_tail, out))
    }

    fn call_text<R>(
        &mut self,
        call: &Call,
        run: impl FnOnce(&mut State, CallText<'_>) -> Option<R>,
    ) -> Option<R> {
        let tokens = self.tokens.between(call.start, call.close + 1);
        match self.origin {
            Origin::Text(text, whole) => {
                let range = tokens.first()?.range.to(tokens.last()?.range);
                let map = SourceMap::of_text(text, range).within(whole);
                let bodies = Bodies::InFile(text);
                let text = text.get(range.lo as usize..range.hi as usize)?;
                self.with_state(|state| run(state, CallText { text, map: &map, bodies }))
            }
            Origin::Tokens => {
                let mut rendered = Rendered::default();
                let mut touches = true;
                for token in tokens {
                    rendered.add(token.text, token.range, touches);
                    touches = token.joint;
                }
                let (text, map) = rendered.finish();
                let map = map.within(self.tokens.whole());
                self.with_state(|state| {
                    run(state, CallText { text: &text, map: &map, bodies: Bodies::Tokens })
                })
            }
        }
    }
}
