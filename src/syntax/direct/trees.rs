//! Attributes, macro calls and other tokens that are kept as they are.

use super::body;
use super::cursor::{Ident, Reader};
use super::stream::{Placed, is_operator, text_of};
use crate::hir::{
    Attr, Delim, ExprText, ItemKind, Joint, Name, Path, PathId, Segment, TextRange, Tokens, Tt,
};
use crate::syntax::expand::body_number;
use crate::syntax::lexer::{TokenKind, closing};
use crate::syntax::macro_defs::macro_def;
use crate::syntax::source_map::{SourceMap, parse};
use std::sync::Arc;
use syn::parse::Parse;

/// The attributes before something.
#[derive(Default)]
pub(super) struct Attrs {
    /// But for doc comments.
    pub(super) list: Vec<Attr>,
    /// Where the first of them begins.
    pub(super) start: Option<usize>,
}

impl Reader<'_> {
    /// `#[…]` as often as it comes.
    pub(super) fn outer_attrs(&mut self) -> Option<Attrs> {
        let mut attrs = Attrs::default();
        loop {
            if self.pass_doc(false) {
                continue;
            }
            if !self.is_punct(b'#') {
                return Some(attrs);
            }
            if self.is_nth(1, TokenKind::Punct(b'!')) {
                return None;
            }
            let start = self.start()?;
            if let Some(attr) = self.attr()? {
                attrs.start.get_or_insert(start);
                attrs.list.push(attr);
            }
        }
    }

    /// `#![…]` as often as it comes.
    pub(super) fn inner_attrs(&mut self, out: &mut Vec<Attr>) -> Option<()> {
        loop {
            if self.pass_doc(true) {
                continue;
            }
            if !self.is_punct(b'#') || !self.is_nth(1, TokenKind::Punct(b'!')) {
                return Some(());
            }
            out.extend(self.attr()?);
        }
    }

    /// Past a doc comment, if one comes: of what is around, or of what follows.
    fn pass_doc(&mut self, inner: bool) -> bool {
        let found = self.nth(0).is_some_and(|token| {
            matches!(token.kind, TokenKind::LineComment | TokenKind::BlockComment)
                && token.text[2..].starts_with('!') == inner
        });
        if found {
            self.bump();
        }
        found
    }

    /// One attribute; nothing for a doc comment.
    fn attr(&mut self) -> Option<Option<Attr>> {
        let start = self.start()?;
        self.punct(b'#')?;
        self.eat_punct(b'!');
        self.expect(TokenKind::Open(b'['))?;
        self.eat_pair(*b"::");
        let path = match self.word(0) {
            "unsafe" => vec![self.any_word()?.name],
            _ => self.path_names()?,
        };
        let (tokens, is_pair) = match self.nth(0)?.kind {
            TokenKind::Close(_) => (Tokens::default(), false),
            TokenKind::Open(_) => match self.tree()? {
                Tt::Group(_, inner, _) => (inner, false),
                _ => return None,
            },
            _ => {
                self.punct(b'=')?;
                (self.expr_text(b']')?.0, true)
            }
        };
        self.expect(TokenKind::Close(b']'))?;
        let range = self.since(start);
        let is_doc = is_pair && matches!(path[..], [only] if only == "doc");
        Some((!is_doc).then_some(Attr { path, tokens, range }))
    }

    /// `a::b` as its names.
    fn path_names(&mut self) -> Option<Vec<Name>> {
        let mut names = Vec::with_capacity(1);
        loop {
            names.push(self.path_word()?.name);
            if !self.eat_pair(*b"::") {
                return Some(names);
            }
        }
    }

    /// `a::b` without arguments.
    pub(super) fn mod_path(&mut self) -> Option<Vec<Segment>> {
        let mut segments = Vec::with_capacity(1);
        loop {
            let word = self.path_word()?;
            segments.push(Segment { name: word.name, range: word.range, args: Vec::new(), fn_output: None });
            if !self.eat_pair(*b"::") {
                return Some(segments);
            }
        }
    }

    /// A macro's call after its attributes; `named`: a word may stand before the arguments. Says what the word was.
    pub(super) fn macro_call(&mut self, attrs: &[Attr], named: bool) -> Option<(ItemKind, Option<Ident>)> {
        let start = self.start()?;
        let global = self.eat_pair(*b"::");
        let segments = self.mod_path()?;
        let path = Path { global, qself: None, segments, range: self.since(start), id: PathId::ITEM };
        self.punct(b'!')?;
        let name = if named && self.is_ident(0) { self.ident() } else { None };
        let Tt::Group(delim, tokens, _) = self.tree()? else { return None };
        if delim != Delim::Brace {
            self.punct(b';')?;
        }
        let defines = !path.global && matches!(&path.segments[..], [only] if only.name == "macro_rules");
        let kind = match name {
            Some(name) if defines => ItemKind::MacroRules(Arc::new(macro_def(name.name, attrs, &tokens))),
            _ => ItemKind::MacroCall { path, tokens },
        };
        Some((kind, name))
    }

    /// A small expression as its tokens, up to the bracket that closes what it stands in.
    pub(super) fn expr_text(&mut self, close: u8) -> Option<ExprText> {
        let start = self.start()?;
        let tokens = self.trees(close)?;
        let sound = self.is_value(start, &tokens);
        if !sound {
            return None;
        }
        printed(&tokens).map(ExprText)
    }

    /// Whether the tokens read since `start` are an expression: of one that isn't understood syn has to say.
    pub(super) fn is_value(&self, start: usize, tokens: &[Tt]) -> bool {
        match tokens {
            [] => false,
            [Tt::Literal(..)] => true,
            [Tt::Ident(name, _)] if !name.is_keyword() => true,
            _ => {
                let tokens = self.between(start, self.position());
                body::is_expr(tokens) || is_expr(&text_of(tokens))
            }
        }
    }

    /// Token trees up to a closing bracket, which is left.
    fn trees(&mut self, close: u8) -> Option<Tokens> {
        let outside = self.trees.len();
        while !self.is(TokenKind::Close(close)) {
            let tree = self.tree()?;
            self.trees.push(tree);
        }
        Some(self.trees.drain(outside..).collect())
    }

    /// One token, or a group.
    pub(super) fn tree(&mut self) -> Option<Tt> {
        let start = self.start()?;
        let token = self.bump()?;
        let range = token.range;
        let text = token.text;
        Some(match token.kind {
            TokenKind::Ident => {
                let name = token.name.filter(|_| !text.starts_with("r#"));
                Tt::Ident(name.unwrap_or_else(|| Name::new(text)), range)
            }
            TokenKind::Lifetime => Tt::Lifetime(Name::new(text), range),
            TokenKind::Number | TokenKind::Str | TokenKind::Char => {
                self.sound_literal(token)?;
                Tt::Literal(Name::new(text), range)
            }
            TokenKind::Punct(byte) if is_operator(byte) => {
                let joint = if token.joint && self.begins_punct() { Joint::Joint } else { Joint::Alone };
                Tt::Punct(byte as char, joint, range)
            }
            TokenKind::Open(open) => {
                let inner = self.trees(closing(open))?;
                self.bump()?;
                let delim = match open {
                    b'(' => Delim::Paren,
                    b'[' => Delim::Bracket,
                    _ => Delim::Brace,
                };
                Tt::Group(delim, inner, self.since(start))
            }
            _ => return None,
        })
    }

    /// Past one token or a group.
    pub(super) fn pass_tree(&mut self) -> Option<()> {
        let mut open = Vec::new();
        loop {
            let token = self.bump()?;
            match token.kind {
                TokenKind::Open(byte) => open.push(closing(byte)),
                TokenKind::Close(byte) if open.pop() != Some(byte) => return None,
                TokenKind::Number | TokenKind::Str | TokenKind::Char => self.sound_literal(token)?,
                TokenKind::Punct(byte) if !is_operator(byte) => return None,
                TokenKind::Other => return None,
                _ => {}
            }
            if open.is_empty() {
                return Some(());
            }
        }
    }

    /// Whether a literal, which was the last token, ends and has no suffix that is a token of its own here.
    pub(super) fn sound_literal(&self, token: &Placed<'_>) -> Option<()> {
        let ends_well = token.kind == TokenKind::Number || token.text.ends_with(['"', '\'', '#']);
        let has_suffix = self
            .nth(0)
            .is_some_and(|next| token.joint && matches!(next.kind, TokenKind::Ident | TokenKind::Number));
        (ends_well && !has_suffix && body_number(token.text).is_none()).then_some(())
    }

    /// Whether the next token begins with punctuation; a lifetime does.
    fn begins_punct(&self) -> bool {
        self.nth(0).is_some_and(|next| match next.kind {
            TokenKind::Punct(byte) => is_operator(byte),
            TokenKind::Lifetime | TokenKind::Char => next.text.starts_with('\''),
            _ => false,
        })
    }
}

fn is_expr(text: &str) -> bool {
    let map = SourceMap::of_text(text, TextRange::new(0, text.len() as u32));
    parse(text, &map, syn::Expr::parse, drop).is_ok()
}

/// The tokens of an expression as syn prints them, where the last character of an operator touches nothing. `None` where
/// it takes a parser to tell what the operators are.
pub(super) fn printed(tokens: &[Tt]) -> Option<Tokens> {
    let mut out: Vec<Tt> = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after.first()) {
            // A macro's arguments.
            (Tt::Group(..), _) if matches!(out[..], [.., Tt::Ident(..), Tt::Punct('!', ..)]) => {
                out.push(first.clone())
            }
            (Tt::Group(delim, inner, range), _) => out.push(Tt::Group(*delim, printed(inner)?, *range)),
            (Tt::Punct(char, Joint::Joint, range), Some(Tt::Punct(next, joint, next_range))) => {
                let ends_operand =
                    matches!(out.last(), Some(Tt::Ident(..) | Tt::Literal(..) | Tt::Group(..)));
                let is_shift = *char == '<' && ends_operand && *joint == Joint::Alone;
                if char != next || !(*char == ':' || is_shift) {
                    return None;
                }
                out.push(Tt::Punct(*char, Joint::Joint, *range));
                out.push(Tt::Punct(*char, Joint::Alone, *next_range));
                rest = &after[1..];
            }
            (Tt::Punct(char, _, range), _) => out.push(Tt::Punct(*char, Joint::Alone, *range)),
            (other, _) => out.push(other.clone()),
        }
    }
    Some(out.into())
}
