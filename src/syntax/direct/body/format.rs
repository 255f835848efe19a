//! Format-like arguments: see `syntax::body::format`.
//!
//! What stands before the format string and what is named after it decides how the arguments before are lowered, so the
//! arguments are looked over first.

use super::{BodyReader, literals};
use crate::hir::{ExprId, Name, TextRange};
use crate::syntax::body::captures;
use crate::syntax::lexer::TokenKind;

/// How an argument begins.
struct Head {
    /// `name =`, `name:`
    name: Option<Name>,
    /// Named or marked for formatting.
    is_value: bool,
}

/// What is found out about an argument before it is read.
struct Outline<'t> {
    name: Option<Name>,
    /// The format string, if that is what the argument is.
    template: Option<(&'t str, TextRange)>,
}

impl<'t> BodyReader<'t, '_, '_> {
    /// An argument that isn't formatted, with the comma after it.
    pub(super) fn format_operand(&mut self) -> Option<ExprId> {
        self.head()?;
        let id = self.expr()?.id;
        self.comma_or_end()?;
        Some(id)
    }

    fn comma_or_end(&mut self) -> Option<()> {
        (self.tokens.eat_punct(b',') || self.at_end()).then_some(())
    }

    /// All arguments up to the end: what stands before the format string as it is; then the captures and the arguments,
    /// borrowed.
    pub(super) fn format_args(&mut self) -> Option<Vec<ExprId>> {
        let outlines = self.outlines()?;
        let template = outlines.iter().position(|outline| outline.template.is_some());
        let mut ids = Vec::with_capacity(outlines.len());
        for (at, outline) in outlines.iter().enumerate() {
            let is_value = self.head()?.is_value;
            match &outline.template {
                Some((text, range)) if template == Some(at) => {
                    self.passed_template()?;
                    for name in captures(&literals::string(text)?) {
                        if !outlines.iter().any(|outline| outline.name == Some(name)) {
                            let id = self.tokens.counters.next_path();
                            let path = self.state.variable(name, id, *range);
                            ids.push(self.state.shared(path));
                        }
                    }
                }
                _ => {
                    let id = self.expr()?.id;
                    let plain = !is_value && template.is_some_and(|template| at < template);
                    ids.push(if plain { id } else { self.state.shared(id) });
                }
            }
            self.comma_or_end()?;
        }
        self.at_end().then_some(ids)
    }

    /// Looks the arguments over, without reading them.
    fn outlines(&mut self) -> Option<Vec<Outline<'t>>> {
        let start = self.tokens.position();
        let mut outlines = Vec::new();
        while !self.at_end() {
            let head = self.head()?;
            let template = if head.is_value { None } else { self.template() };
            outlines.push(Outline { name: head.name, template });
            self.pass_argument()?;
            self.comma_or_end()?;
        }
        self.tokens.go_to(start);
        Some(outlines)
    }

    /// Past an argument's expression. A comma may stand in a closure's parameters or a path's arguments.
    fn pass_argument(&mut self) -> Option<()> {
        let start = self.tokens.position();
        while !self.at_end() && !self.tokens.is_punct(b',') {
            if self.tokens.is_punct(b'|') || self.tokens.is_punct(b'<') {
                self.tokens.go_to(start);
                return self.dry(|reader| reader.expr()).map(drop);
            }
            self.tokens.pass_tree()?;
        }
        Some(())
    }

    /// The string literal that the argument is, perhaps in parentheses. It isn't passed.
    fn template(&mut self) -> Option<(&'t str, TextRange)> {
        let start = self.tokens.position();
        let found = self.passed_template().filter(|_| self.at_end() || self.tokens.is_punct(b','));
        self.tokens.go_to(start);
        found
    }

    fn passed_template(&mut self) -> Option<(&'t str, TextRange)> {
        let mut parens = 0;
        while self.tokens.eat(TokenKind::Open(b'(')) {
            parens += 1;
        }
        let token = self.tokens.nth(0).filter(|token| token.kind == TokenKind::Str)?;
        self.bump();
        self.tokens.sound_literal(token)?;
        for _ in 0..parens {
            self.tokens.expect(TokenKind::Close(b')'))?;
        }
        Some((token.text, token.range))
    }

    /// `a.b =`, `"a" =` or `a:`, and the marks `?` and `%`. `{ … }`, as loggers take fields, is left to syn.
    fn head(&mut self) -> Option<Head> {
        let name = self.argument_name()?;
        let debug = self.tokens.eat_punct(b'?');
        let display = self.tokens.eat_punct(b'%');
        if self.tokens.is(TokenKind::Open(b'{')) && !debug && !display && name.is_none() {
            return None;
        }
        Some(Head { is_value: name.is_some() || debug || display, name })
    }

    /// `None` inside: the argument has no name.
    fn argument_name(&mut self) -> Option<Option<Name>> {
        let token = self.tokens.nth(0)?;
        let is_equals =
            |at| self.tokens.is_nth(at, TokenKind::Punct(b'=')) && !self.tokens.is_pair(at, *b"==");
        if token.kind == TokenKind::Str && is_equals(1) {
            let name = literals::string(token.text).map(|text| Name::new(&text))?;
            self.tokens.skip(2);
            return Some(Some(name));
        }
        if token.kind != TokenKind::Ident {
            return Some(None);
        }
        if self.tokens.is_nth(1, TokenKind::Punct(b':')) && !self.tokens.is_pair(1, *b"::") {
            self.tokens.skip(2);
            return Some(Some(Name::new(token.text)));
        }
        let mut at = 1;
        while self.tokens.is_nth(at, TokenKind::Punct(b'.')) && self.tokens.is_nth(at + 1, TokenKind::Ident) {
            at += 2;
        }
        if is_equals(at) && !self.tokens.is_pair(at, *b"=>") {
            self.tokens.skip(at + 1);
            return Some(Some(Name::new(token.text)));
        }
        Some(None)
    }
}
