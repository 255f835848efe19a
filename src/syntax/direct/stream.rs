//! Tokens as they are read: those of a text, or those that a macro made.
//!
//! In: the scanner's tokens with their text, or `hir::Tokens`. Out: `Placed` tokens in one row, groups flattened into their
//! brackets. Invariant: the row that is made of macro tokens is the one that their rendered text would be scanned to, so
//! syn, which gets the text, reads the same: an invisible group is parentheses (or nothing around a single token), and
//! punctuation touches where `render` lets it touch.

use crate::hir::{Delim, Joint, Name, TextRange, Tt};
use crate::syntax::lexer::{Lexer, Token, TokenKind};
use crate::syntax::names::intern_word;

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::syntax) struct Placed<'t> {
    pub(in crate::syntax) kind: TokenKind,
    /// The next token follows without a blank or comment between.
    pub(super) joint: bool,
    pub(in crate::syntax) text: &'t str,
    /// In the file.
    pub(in crate::syntax) range: TextRange,
    /// Of an identifier, without `r#`; of those that macros made only if they aren't raw.
    pub(super) name: Option<Name>,
}

/// A row of tokens that grows.
#[derive(Default)]
pub(in crate::syntax) struct Stream<'t> {
    pub(super) tokens: Vec<Placed<'t>>,
    /// Where the last token ends in its text.
    end: usize,
}

impl<'t> Stream<'t> {
    /// A row for about so many tokens.
    pub(in crate::syntax) fn with_room(tokens: usize) -> Stream<'t> {
        Stream { tokens: Vec::with_capacity(tokens), end: 0 }
    }

    pub(in crate::syntax) fn last(&self) -> Option<&Placed<'t>> {
        self.tokens.last()
    }

    pub(in crate::syntax) fn before_last(&self) -> Option<&Placed<'t>> {
        self.tokens.len().checked_sub(2).map(|at| &self.tokens[at])
    }

    /// What the guard asks of the tokens.
    pub(in crate::syntax) fn seen(&self) -> impl ExactSizeIterator<Item = (TokenKind, &'t str)> + Clone {
        self.tokens.iter().map(|token| (token.kind, token.text))
    }

    /// Adds a token of the file `text`.
    #[inline]
    pub(in crate::syntax) fn push(&mut self, token: Token, text: &'t str, name: Option<Name>) {
        if let Some(last) = self.tokens.last_mut() {
            last.joint = self.end == token.lo;
        }
        self.end = token.hi;
        let range = TextRange::new(token.lo as u32, token.hi as u32);
        self.tokens.push(Placed { kind: token.kind, joint: false, text: token.text(text), range, name });
    }

    /// Whether a semicolon stands outside of brackets, but at the end.
    pub(super) fn has_inner_semicolon(&self) -> bool {
        let mut depth = 0_u32;
        let before_last = self.tokens.len().saturating_sub(1);
        self.tokens[..before_last].iter().any(|token| {
            match token.kind {
                TokenKind::Open(_) => depth += 1,
                TokenKind::Close(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && token.kind == TokenKind::Punct(b';')
        })
    }

    /// All tokens of `text[range]`; of comments those that document something, which are attributes.
    pub(super) fn of_text(text: &'t str, range: TextRange) -> Stream<'t> {
        let mut stream = Stream::with_room((range.hi - range.lo) as usize / 4);
        for token in Lexer::new(text, range.lo as usize, range.hi as usize) {
            if !token.is_comment() || documents(token.text(text)) {
                let is_word = token.kind == TokenKind::Ident;
                stream.push(token, text, is_word.then(|| intern_word(token.text(text))));
            }
        }
        stream
    }
}

impl Stream<'static> {
    /// What tokens would be read as from their rendered text; `None` for tokens that no text has.
    pub(super) fn of_tokens(tokens: &[Tt]) -> Option<Stream<'static>> {
        let mut flattened = Flattened { stream: Stream::default(), joint: None };
        flattened.stream.tokens.reserve(tokens.len());
        flattened.all(tokens)?;
        Some(flattened.stream)
    }
}

/// Whether a comment is documentation.
fn documents(comment: &str) -> bool {
    match comment.as_bytes() {
        [b'/', b'/', b'/', rest @ ..] => rest.first() != Some(&b'/'),
        [b'/', b'*', b'*', rest @ ..] => !matches!(rest.first(), Some(b'*' | b'/')),
        [b'/', b'/' | b'*', b'!', ..] => true,
        _ => false,
    }
}

struct Flattened {
    stream: Stream<'static>,
    /// The punctuation character before, if it wants to touch the next one.
    joint: Option<char>,
}

impl Flattened {
    fn all(&mut self, tokens: &[Tt]) -> Option<()> {
        for token in tokens {
            match token {
                Tt::Ident(name, range) => {
                    let text = name.as_str();
                    self.token(TokenKind::Ident, text, *range, (!text.starts_with("r#")).then_some(*name));
                }
                Tt::Lifetime(name, range) => self.token(TokenKind::Lifetime, name.as_str(), *range, None),
                Tt::Literal(name, range) => self.literal(name.as_str(), *range)?,
                Tt::Punct(char, joint, range) => self.punct(*char, *joint, *range)?,
                Tt::Group(delim, inner, range) => self.group(*delim, inner, *range)?,
            }
        }
        Some(())
    }

    fn token(&mut self, kind: TokenKind, text: &'static str, range: TextRange, name: Option<Name>) {
        self.stream.tokens.push(Placed { kind, joint: false, text, range, name });
        self.joint = None;
    }

    /// A negative number is two tokens.
    fn literal(&mut self, text: &'static str, range: TextRange) -> Option<()> {
        if let Some(number) = text.strip_prefix('-') {
            self.punct('-', Joint::Alone, range)?;
            return self.literal(number, range);
        }
        let kind = match (text.as_bytes(), text.as_bytes().last()?) {
            ([b'0'..=b'9', ..], _) => TokenKind::Number,
            ([b'\'', ..] | [b'b', b'\'', ..], _) => TokenKind::Char,
            (_, b'"' | b'#') => TokenKind::Str,
            _ => return None,
        };
        self.token(kind, text, range, None);
        Some(())
    }

    fn punct(&mut self, char: char, joint: Joint, range: TextRange) -> Option<()> {
        let touches = self.joint.is_some_and(|before| before != '/' || !matches!(char, '/' | '*'));
        if let Some(last) = self.stream.tokens.last_mut() {
            last.joint = touches;
        }
        let byte = u8::try_from(char).ok().filter(|byte| is_operator(*byte))?;
        self.token(TokenKind::Punct(byte), operator_text(byte), range, None);
        self.joint = (joint == Joint::Joint).then_some(char);
        Some(())
    }

    fn group(&mut self, delim: Delim, inner: &[Tt], range: TextRange) -> Option<()> {
        let (open, close) = match (delim, inner) {
            (Delim::None, [_]) => return self.all(inner),
            (Delim::Paren | Delim::None, _) => (b'(', b')'),
            (Delim::Bracket, _) => (b'[', b']'),
            (Delim::Brace, _) => (b'{', b'}'),
        };
        self.token(TokenKind::Open(open), operator_text(open), range, None);
        self.all(inner)?;
        self.token(TokenKind::Close(close), operator_text(close), range, None);
        Some(())
    }
}

/// All characters of one byte, to take a slice of.
const ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = byte as u8;
        byte += 1;
    }
    table
};

static ASCII_TEXT: &str = match std::str::from_utf8(&ASCII) {
    Ok(text) => text,
    Err(_) => "",
};

fn operator_text(byte: u8) -> &'static str {
    let at = usize::from(byte);
    ASCII_TEXT.get(at..at + 1).unwrap_or_default()
}

#[rustfmt::skip]
pub(super) fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'-' | b'=' | b'+' | b'|' | b';' | b':' | b','
            | b'<' | b'.' | b'>' | b'/' | b'?'
    )
}

/// The tokens as text that is scanned to the same tokens.
pub(super) fn text_of(tokens: &[Placed<'_>]) -> String {
    let mut text = String::new();
    for token in tokens {
        text.push_str(token.text);
        if !token.joint {
            text.push(if token.kind == TokenKind::LineComment { '\n' } else { ' ' });
        }
    }
    text
}
