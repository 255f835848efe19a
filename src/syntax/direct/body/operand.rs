//! Expressions that stand alone: literals, paths, what is in brackets, and those that begin with a keyword.

use super::expr::{Form, Precedence, Read};
use super::{BodyReader, literal};
use crate::hir::{BlockKind, Closure, ExprId, ExprKind, Lit, Name, Path, Segment, TextRange};
use crate::syntax::lexer::TokenKind;

impl BodyReader<'_, '_, '_> {
    /// An expression that doesn't begin with another one.
    pub(super) fn atom(&mut self, structs: bool) -> Option<Read> {
        let token = self.tokens.nth(0)?;
        match token.kind {
            TokenKind::Ident => self.word(structs),
            TokenKind::Number | TokenKind::Str | TokenKind::Char => {
                self.bump();
                self.tokens.sound_literal(token)?;
                let at = self.tokens.position();
                let lit = literal(self.tokens.between(at - 1, at))?;
                Some(self.plain(ExprKind::Lit(lit), token.range))
            }
            TokenKind::Open(b'(') => self.parens(),
            TokenKind::Open(b'[') => self.array(),
            TokenKind::Open(b'{') => self.block_atom(BlockKind::Plain, None, None),
            TokenKind::Punct(b'|') => self.closure(structs),
            TokenKind::Punct(b'.') if self.tokens.is_pair(0, *b"..") => self.range(None, structs),
            TokenKind::Punct(b'<' | b':') => self.path_or_struct(structs),
            TokenKind::Lifetime => self.labeled(),
            _ => None,
        }
    }

    pub(super) fn plain(&mut self, kind: ExprKind, range: TextRange) -> Read {
        Read { id: self.alloc(kind, range), form: Form::Plain }
    }

    /// What begins with a word.
    fn word(&mut self, structs: bool) -> Option<Read> {
        let token = self.tokens.nth(0)?;
        let next = self.tokens.nth(1).map(|token| token.kind);
        let opens_brace = next == Some(TokenKind::Open(b'{'));
        match token.text {
            "true" | "false" => {
                self.bump();
                Some(self.plain(ExprKind::Lit(Lit::Bool(token.text == "true")), token.range))
            }
            "if" => self.if_chain(),
            "match" => self.match_expr(),
            "while" | "for" | "loop" => self.a_loop(None),
            "unsafe" if opens_brace => self.keyword_block(BlockKind::Unsafe),
            "const" if opens_brace => self.keyword_block(BlockKind::Const),
            "try" if opens_brace => self.keyword_block(BlockKind::Try),
            "async" => match (self.tokens.word(1), opens_brace) {
                (_, true) => self.async_block(false),
                ("move", _) if self.tokens.is_nth(2, TokenKind::Open(b'{')) => self.async_block(true),
                _ => self.closure(structs),
            },
            "move" => self.closure(structs),
            "return" => {
                self.bump();
                let value = if self.begins_expr() { Some(self.expr()?.id) } else { None };
                Some(self.keyword(ExprKind::Return(value), token.range, value))
            }
            "break" => self.break_expr(structs),
            "continue" => {
                self.bump();
                let label = self.tokens.lifetime();
                Some(self.plain(ExprKind::Continue { label }, token.range))
            }
            "let" => self.condition(structs),
            "_" => {
                self.bump();
                Some(self.plain(ExprKind::Missing, token.range))
            }
            _ if !self.tokens.is_path_word(0) => None,
            _ if self.begins_macro() => self.macro_expr(),
            _ => self.path_or_struct(structs),
        }
    }

    /// Whether a value may follow `return` or `break`.
    fn begins_expr(&self) -> bool {
        let Some(token) = self.tokens.nth(0) else { return false };
        match token.kind {
            TokenKind::Ident => token.text != "as",
            TokenKind::Open(_)
            | TokenKind::Number
            | TokenKind::Str
            | TokenKind::Char
            | TokenKind::Lifetime
            | TokenKind::LineComment
            | TokenKind::BlockComment
            | TokenKind::Punct(b'#') => true,
            TokenKind::Punct(b'-') => !self.tokens.is_pair(0, *b"-=") && !self.tokens.is_pair(0, *b"->"),
            TokenKind::Punct(byte @ (b'!' | b'*' | b'|' | b'&')) => !self.tokens.is_pair(0, [byte, b'=']),
            TokenKind::Punct(b'.') => self.tokens.is_pair(0, *b".."),
            TokenKind::Punct(b':') => self.tokens.is_pair(0, *b"::"),
            TokenKind::Punct(b'<') => {
                let shifts = self.tokens.is_pair(0, *b"<<") && self.tokens.is_pair(1, *b"<=");
                !self.tokens.is_pair(0, *b"<=") && !shifts
            }
            _ => false,
        }
    }

    fn break_expr(&mut self, structs: bool) -> Option<Read> {
        let start = self.bump()?.range;
        let label = self.tokens.lifetime();
        if label.is_some() && self.tokens.is_nth(0, TokenKind::Punct(b':')) && !self.tokens.is_pair(0, *b"::")
        {
            return None;
        }
        let has_value = self.begins_expr() && (structs || !self.tokens.is(TokenKind::Open(b'{')));
        let value = if has_value { Some(self.expr()?.id) } else { None };
        Some(self.keyword(ExprKind::Break { label, value }, start, value))
    }

    /// `let pat = scrutinee`
    fn condition(&mut self, structs: bool) -> Option<Read> {
        let start = self.bump()?.range;
        let pat = self.tokens.alternatives()?;
        self.equals()?;
        let scrutinee = self.deeper(|reader| {
            let left = reader.unary(structs)?;
            reader.operators(left, structs, Precedence::Compare)
        })?;
        let scrutinee = scrutinee.id;
        Some(self.keyword(ExprKind::Let { pat, scrutinee }, start, Some(scrutinee)))
    }

    /// `=`, and not `==` or `=>`.
    pub(super) fn equals(&mut self) -> Option<()> {
        let longer = self.tokens.is_pair(0, *b"==") || self.tokens.is_pair(0, *b"=>");
        if longer { None } else { self.tokens.punct(b'=') }
    }

    /// `(e)`, which widens the expression's range, or a tuple.
    fn parens(&mut self) -> Option<Read> {
        let open = self.open(b'(')?;
        let mut ids = Vec::new();
        let mut comma = true;
        while !self.tokens.is(TokenKind::Close(b')')) {
            ids.push(self.expr()?.id);
            comma = self.tokens.eat_punct(b',');
            if !comma && !self.tokens.is(TokenKind::Close(b')')) {
                return None;
            }
        }
        let outer = open.to(self.close(b')')?);
        match (comma, &ids[..]) {
            (false, &[id]) => {
                if outer.contains(self.range_of(id)) {
                    self.state.exprs[id.0 as usize].range = outer;
                }
                Some(Read { id, form: Form::Plain })
            }
            _ => Some(self.plain(ExprKind::Tuple(ids), outer)),
        }
    }

    /// `[a, b]`, `[e; n]`
    fn array(&mut self) -> Option<Read> {
        let open = self.open(b'[')?;
        let kind = self.elements(b']', false)?;
        let range = open.to(self.close(b']')?);
        Some(self.plain(kind, range))
    }

    /// Up to the closing bracket: `a, b` or `e; n`.
    pub(super) fn elements(&mut self, close: u8, owned: bool) -> Option<ExprKind> {
        let mut elements = Vec::new();
        while !self.tokens.is(TokenKind::Close(close)) {
            let element = self.element()?;
            if elements.is_empty() && self.tokens.eat_punct(b';') {
                let len = self.expr()?.id;
                return Some(ExprKind::Repeat { element: element?, len, owned });
            }
            elements.extend(element);
            self.tokens.list_goes_on(close)?;
        }
        Some(ExprKind::Array { elements, owned })
    }

    /// A path, or the struct literal that begins with it.
    fn path_or_struct(&mut self, structs: bool) -> Option<Read> {
        if self.tokens.is_punct(b':') && !self.tokens.is_pair(0, *b"::") {
            return None;
        }
        if self.begins_macro() {
            return self.macro_expr();
        }
        let path = self.tokens.value_path()?;
        if structs && self.tokens.is(TokenKind::Open(b'{')) {
            return self.struct_literal(path);
        }
        let range = path.range;
        Some(self.plain(ExprKind::Path(path), range))
    }

    fn struct_literal(&mut self, path: Path) -> Option<Read> {
        self.open(b'{')?;
        let mut fields = Vec::new();
        let mut base = None;
        while !self.tokens.is(TokenKind::Close(b'}')) {
            if self.tokens.eat_pair(*b"..") {
                if !self.tokens.is(TokenKind::Close(b'}')) {
                    base = Some(self.expr()?.id);
                }
                break;
            }
            fields.extend(self.field()?);
            self.tokens.list_goes_on(b'}')?;
        }
        let range = path.range.to(self.close(b'}')?);
        Some(self.plain(ExprKind::Struct { path, fields, base }, range))
    }

    /// A field of a struct literal; nothing if it isn't in the build.
    fn field(&mut self) -> Option<Option<(Name, ExprId)>> {
        let attrs = self.tokens.outer_attrs()?.list;
        if attrs.is_empty() || self.state.macros.enabled(&attrs) {
            return self.field_value().map(Some);
        }
        self.dry(|reader| reader.field_value()).map(|_| None)
    }

    fn field_value(&mut self) -> Option<(Name, ExprId)> {
        let has_value = self.tokens.is_nth(1, TokenKind::Punct(b':'));
        if self.tokens.is(TokenKind::Number) {
            let name = self.tokens.tuple_index()?;
            self.tokens.punct(b':')?;
            return Some((name, self.expr()?.id));
        }
        let name = self.tokens.ident()?;
        if has_value {
            self.bump();
            return Some((name.name, self.expr()?.id));
        }
        let segment = Segment { name: name.name, range: name.range, args: Vec::new(), fn_output: None };
        let id = self.tokens.counters.next_path();
        let path = Path { global: false, qself: None, segments: vec![segment], range: name.range, id };
        Some((name.name, self.alloc(ExprKind::Path(path), name.range)))
    }

    /// `async move |x: T| -> U { … }`
    fn closure(&mut self, structs: bool) -> Option<Read> {
        let start = self.tokens.nth(0)?.range;
        let is_async = self.tokens.eat_word("async");
        let is_move = self.tokens.eat_word("move");
        self.tokens.punct(b'|')?;
        let mut params = Vec::new();
        while !self.tokens.eat_punct(b'|') {
            self.tokens.outer_attrs()?;
            let pat = self.tokens.pat()?;
            let ty = if self.tokens.eat_punct(b':') { Some(self.tokens.ty(true)?) } else { None };
            params.push((pat, ty));
            if !self.tokens.eat_punct(b',') && !self.tokens.is_punct(b'|') {
                return None;
            }
        }
        let ret = if self.tokens.eat_pair(*b"->") { Some(self.tokens.ty(true)?) } else { None };
        let body = match ret {
            Some(_) => self.deeper(|reader| reader.plain_block())?,
            None => self.expr_in(structs)?.id,
        };
        let closure = Closure { params, ret, body, is_move, is_async };
        Some(self.keyword(ExprKind::Closure(closure), start, Some(body)))
    }
}
