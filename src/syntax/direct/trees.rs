//! Attributes, macro calls and other tokens that are kept as they are.

use super::cursor::{Ident, Reader, is_keyword};
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
        while self.is_punct(b'#') {
            if self.is_nth(1, TokenKind::Punct(b'!')) {
                return None;
            }
            let start = self.start()?;
            if let Some(attr) = self.attr()? {
                attrs.start.get_or_insert(start);
                attrs.list.push(attr);
            }
        }
        Some(attrs)
    }

    /// `#![…]` as often as it comes.
    pub(super) fn inner_attrs(&mut self, out: &mut Vec<Attr>) -> Option<()> {
        while self.is_punct(b'#') && self.is_nth(1, TokenKind::Punct(b'!')) {
            out.extend(self.attr()?);
        }
        Some(())
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
            _ => self.mod_path()?.into_iter().map(|segment| segment.name).collect(),
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

    /// `a::b` without arguments.
    pub(super) fn mod_path(&mut self) -> Option<Vec<Segment>> {
        let mut segments = Vec::new();
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
        self.is_value(start, &tokens).then_some(ExprText(tokens))
    }

    /// Whether the tokens read since `start` are an expression: of one that is more than a word or a literal syn has to
    /// say.
    pub(super) fn is_value(&self, start: usize, tokens: &[Tt]) -> bool {
        match tokens {
            [] => false,
            [Tt::Literal(..)] => true,
            [Tt::Ident(name, _)] if !is_keyword(name.as_str()) => true,
            _ => is_expr(self.text_since(start)),
        }
    }

    /// Token trees up to a closing bracket, which is left.
    fn trees(&mut self, close: u8) -> Option<Tokens> {
        let mut trees = Vec::new();
        while !self.is(TokenKind::Close(close)) {
            trees.push(self.tree()?);
        }
        Some(trees.into())
    }

    /// One token, or a group.
    pub(super) fn tree(&mut self) -> Option<Tt> {
        let start = self.start()?;
        let token = self.bump()?;
        let range = token.range;
        let text = self.text_of(token);
        Some(match token.kind {
            TokenKind::Ident => {
                let name = token.name.filter(|_| !text.starts_with("r#"));
                Tt::Ident(name.unwrap_or_else(|| Name::new(text)), range)
            }
            TokenKind::Lifetime => Tt::Lifetime(Name::new(text), range),
            TokenKind::Number | TokenKind::Str | TokenKind::Char => {
                let ends_well = token.kind == TokenKind::Number || text.ends_with(['"', '\'', '#']);
                let has_suffix = self.nth(0).is_some_and(|next| {
                    next.lo == token.hi && matches!(next.kind, TokenKind::Ident | TokenKind::Number)
                });
                if !ends_well || has_suffix || body_number(text).is_some() {
                    return None;
                }
                Tt::Literal(Name::new(text), range)
            }
            TokenKind::Punct(byte) if is_operator(byte) => {
                let joint = if self.touches(token.hi) { Joint::Joint } else { Joint::Alone };
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

    /// Whether punctuation stands right there, and no comment.
    fn touches(&self, at: u32) -> bool {
        let rest = &self.text.as_bytes()[at as usize..];
        rest.first().is_some_and(|byte| is_operator(*byte) || *byte == b'\'')
            && !rest.starts_with(b"//")
            && !rest.starts_with(b"/*")
    }
}

fn is_expr(text: &str) -> bool {
    let map = SourceMap::of_text(text, TextRange::new(0, text.len() as u32));
    parse(text, &map, syn::Expr::parse, drop).is_ok()
}

fn is_operator(byte: u8) -> bool {
    b"~!@#$%^&*-=+|;:,<.>/?".contains(&byte)
}
