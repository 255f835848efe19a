//! Reads bodies straight from tokens: expressions and statements.
//!
//! In: the tokens of a body, or of what a macro call in one stands for. Out: the same HIR that `syntax::body` lowers from
//! syn's tree, expression by expression in the same order; or `None`, and the state is what it was. Invariant: what isn't
//! surely understood (an error, syntax that is rare or new, deep nesting) is left to syn. Of a macro call whose arguments
//! aren't understood syn reads that call only.
//!
//! The grammar follows syn's (`Expr::parse`, `parse_with_earlier_boundary_rule`, `Block::parse_within`): `expr` reads
//! operators and what follows an operand, `operand` what stands alone, `control` what has blocks, `stmt` blocks and
//! statements, `macros` calls, `shapes`, `format` and `select` their arguments, `literals` literals.

mod control;
mod expr;
mod format;
mod literals;
mod macros;
mod operand;
mod select;
mod shapes;
mod stmt;

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

use super::Bodies;
use super::cursor::Reader;
use super::stream::{Placed, Stream};
use crate::hir::{BlockKind, BodySource, ExprId, ExprKind, Path, TextRange, Tt};
use crate::syntax::body::{Contents, Mark, State};
use crate::syntax::guard::{self, Guard, Verdict};
use crate::syntax::lexer::TokenKind;
use crate::syntax::{MacroMeaning, MacroScope};
use expr::{Form, Read};

pub(super) use literals::literal;

/// Expressions inside expressions, parentheses included; what nests deeper is left to syn.
const MAX_NESTING: u32 = 100;
/// The same for those that nest without brackets (`!!x`, `a = b = c`).
const MAX_DEPTH: u32 = 150;

/// One expression comes about so often.
const TOKENS_AN_EXPR: usize = 3;

/// Where the tokens come from.
#[derive(Clone, Copy)]
enum Origin<'t> {
    /// From this text, of which they are this part.
    Text(&'t str, TextRange),
    /// From macros.
    Tokens,
}

struct BodyReader<'t, 's, 'a> {
    tokens: Reader<'t>,
    state: &'s mut State<'a>,
    origin: Origin<'t>,
    /// Nothing that is read now is kept: macro calls are passed over.
    dry: bool,
}

/// A function's block or an initializer; see `direct::body`.
pub(super) fn source(text: &str, source: &BodySource, state: &mut State) -> Option<ExprId> {
    match source {
        BodySource::Text(range) => {
            text.get(range.lo as usize..range.hi as usize)?;
            let stream = Stream::of_text(text, *range);
            state.exprs.reserve(stream.tokens.len() / TOKENS_AN_EXPR);
            attempt(&stream, Origin::Text(text, *range), state, |reader| reader.whole())
        }
        BodySource::Tokens(tokens) => {
            attempt(&Stream::of_tokens(tokens)?, Origin::Tokens, state, |reader| reader.whole())
        }
    }
}

/// An expansion in place of an expression, `range`; see `direct::code`.
pub(super) fn code(tokens: &[Tt], range: TextRange, state: &mut State) -> Option<ExprId> {
    let stream = Stream::of_tokens(tokens)?;
    let has_statements = stream.has_inner_semicolon();
    if !has_statements && let Some(id) = attempt(&stream, Origin::Tokens, state, |reader| reader.lone()) {
        return Some(id);
    }
    attempt(&stream, Origin::Tokens, state, |reader| {
        let outside = reader.state.local_macros.len();
        let mut contents = Contents::default();
        reader.statements(&mut contents)?;
        reader.state.local_macros.truncate(outside);
        Some(reader.state.finish_block(contents, BlockKind::Plain, None, range))
    })
}

/// Statements that a macro made; see `direct::statements`.
pub(super) fn statements(tokens: &[Tt], state: &mut State) -> Option<Contents> {
    let stream = Stream::of_tokens(tokens)?;
    attempt(&stream, Origin::Tokens, state, |reader| {
        let mut contents = Contents::default();
        reader.statements(&mut contents)?;
        Some(contents)
    })
}

/// Whether tokens surely are one expression.
pub(super) fn is_expr(tokens: &[Placed<'_>]) -> bool {
    if !is_shallow(tokens) {
        return false;
    }
    let mut state = State::new(0, &NoMacros);
    let tokens = Reader::new(tokens, Bodies::Tokens, state.counters.clone());
    let mut reader = BodyReader { tokens, state: &mut state, origin: Origin::Tokens, dry: true };
    reader.expr().is_some() && reader.tokens.is_done()
}

/// Whether a body is surely sound; see `direct::is_sound`.
pub(super) fn is_sound(text: &str, source: &BodySource) -> bool {
    let mut state = State::new(0, &NoMacros);
    let mut check = |stream: &Stream, origin| {
        attempt(stream, origin, &mut state, |reader| {
            reader.dry = true;
            reader.whole()
        })
        .is_some()
    };
    match source {
        BodySource::Text(range) => {
            let is_there = text.get(range.lo as usize..range.hi as usize).is_some();
            is_there && check(&Stream::of_text(text, *range), Origin::Text(text, *range))
        }
        BodySource::Tokens(tokens) => {
            Stream::of_tokens(tokens).is_some_and(|stream| check(&stream, Origin::Tokens))
        }
    }
}

struct NoMacros;

impl MacroScope for NoMacros {
    fn lookup(&self, _path: &Path) -> MacroMeaning {
        MacroMeaning::Unknown
    }
}

/// Reads all tokens; the state is left as it was if they aren't understood.
fn attempt<'t, R>(
    stream: &'t Stream<'t>,
    origin: Origin<'t>,
    state: &mut State,
    read: impl FnOnce(&mut BodyReader<'t, '_, '_>) -> Option<R>,
) -> Option<R> {
    if !is_shallow(&stream.tokens) || !state.may_try() {
        return None;
    }
    let mark = state.mark();
    let bodies = match origin {
        Origin::Text(..) => Bodies::InBlock,
        Origin::Tokens => Bodies::Tokens,
    };
    let tokens = Reader::new(&stream.tokens, bodies, state.counters.clone());
    let mut reader = BodyReader { tokens, state, origin, dry: false };
    let result = read(&mut reader).filter(|_| reader.tokens.is_done());
    let counters = reader.tokens.counters;
    match result {
        Some(_) => state.counters = counters,
        None => state.give_up(&mark, stream.tokens.len()),
    }
    result
}

/// Whether the guard before syn has nothing against the tokens.
fn is_shallow(tokens: &[Placed<'_>]) -> bool {
    tokens.len() <= guard::ALWAYS_FINE || {
        let mut guard = Guard::default();
        let comment = |kind| matches!(kind, TokenKind::LineComment | TokenKind::BlockComment);
        let mut tokens = tokens.iter().filter(|token| !comment(token.kind));
        tokens.all(|token| guard.take(token.kind, token.text) == Verdict::Fine)
    }
}

impl<'t> BodyReader<'t, '_, '_> {
    /// A function's block, or the expression of an initializer.
    fn whole(&mut self) -> Option<ExprId> {
        let start = self.tokens.position();
        if self.tokens.is(TokenKind::Open(b'{')) {
            let mark = self.mark();
            let block = self.block_with_attrs(BlockKind::Plain, None, None)?;
            if self.tokens.is_done() {
                return Some(block);
            }
            // `{ a } + b`
            self.go_back(&mark);
            self.tokens.go_to(start);
        }
        self.expr().map(|read| read.id)
    }

    /// One expression, perhaps with a semicolon after it.
    fn lone(&mut self) -> Option<ExprId> {
        let read = self.expr()?;
        self.tokens.eat_punct(b';');
        Some(read.id)
    }

    fn alloc(&mut self, kind: ExprKind, range: TextRange) -> ExprId {
        self.state.alloc(kind, range)
    }

    fn range_of(&self, id: ExprId) -> TextRange {
        self.state.range_of(id)
    }

    /// An expression that reaches from a token to the end of its last operand.
    fn keyword(&mut self, kind: ExprKind, start: TextRange, last: Option<ExprId>) -> Read {
        let range = last.map_or(start, |last| start.to(self.range_of(last)));
        Read { id: self.alloc(kind, range), form: Form::Plain }
    }

    /// Reads an expression inside the present one.
    fn deeper<R>(&mut self, read: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        if self.state.depth >= MAX_DEPTH {
            return None;
        }
        self.state.depth += 1;
        let result = read(self);
        self.state.depth -= 1;
        result
    }

    /// Reads what needs more stack.
    fn nested<R>(&mut self, read: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        if self.state.nesting >= MAX_NESTING {
            return None;
        }
        self.state.nesting += 1;
        let result = read(self);
        self.state.nesting -= 1;
        result
    }

    /// Has the state do something that gives out numbers.
    fn with_state<R>(&mut self, run: impl FnOnce(&mut State) -> R) -> R {
        self.state.counters = std::mem::take(&mut self.tokens.counters);
        let result = run(self.state);
        self.tokens.counters = self.state.counters.clone();
        result
    }

    fn mark(&mut self) -> Mark {
        self.state.counters = self.tokens.counters.clone();
        self.state.mark()
    }

    /// Undoes what was lowered since, but not what was read.
    fn go_back(&mut self, mark: &Mark) {
        self.state.go_back(mark);
        self.tokens.counters = self.state.counters.clone();
    }

    /// Reads something of which nothing is kept.
    fn dry<R>(&mut self, read: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        let mark = self.mark();
        let outside = std::mem::replace(&mut self.dry, true);
        let result = read(self);
        self.dry = outside;
        self.go_back(&mark);
        result
    }

    /// The token that comes, if it opens a group of this kind; it is passed.
    fn open(&mut self, bracket: u8) -> Option<TextRange> {
        self.next_of(TokenKind::Open(bracket))
    }

    fn close(&mut self, bracket: u8) -> Option<TextRange> {
        self.next_of(TokenKind::Close(bracket))
    }

    fn next_of(&mut self, kind: TokenKind) -> Option<TextRange> {
        if !self.tokens.is(kind) {
            return None;
        }
        self.tokens.bump().map(|token| token.range)
    }

    /// Past the next token, whatever it is.
    fn bump(&mut self) -> Option<&'t Placed<'t>> {
        self.tokens.bump()
    }

    /// Whether the tokens, or those of the group around, end here.
    fn at_end(&self) -> bool {
        matches!(self.tokens.nth(0).map(|token| token.kind), None | Some(TokenKind::Close(_)))
    }
}
