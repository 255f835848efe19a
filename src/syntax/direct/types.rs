//! Types, bounds and generics.
//!
//! As in `syntax::types`: lifetimes and higher-ranked binders are dropped.

use super::cursor::Reader;
use crate::hir::{Bound, GenericParam, GenericParamKind, Generics, Type, WherePred};
use crate::syntax::lexer::TokenKind;

/// What nests deeper is left to syn.
pub(super) const MAX_DEPTH: u32 = 100;

impl Reader<'_> {
    /// A type; where no `+` may follow it, `dyn` and `impl` have one bound.
    pub(super) fn ty(&mut self, plus: bool) -> Option<Type> {
        if self.counters.depth >= MAX_DEPTH {
            return None;
        }
        self.counters.depth += 1;
        let ty = self.type_inside(plus);
        self.counters.depth -= 1;
        // `A + B` without `dyn`.
        ty.filter(|_| !(plus && self.is_punct(b'+')))
    }

    fn type_inside(&mut self, plus: bool) -> Option<Type> {
        match self.nth(0)?.kind {
            TokenKind::Open(b'(') => self.tuple(),
            TokenKind::Open(b'[') => self.array(),
            TokenKind::Punct(b'!') => self.bump().map(|_| Type::Never),
            TokenKind::Punct(b'&') => {
                self.bump();
                self.pass_lifetime();
                let mutable = self.eat_word("mut");
                Some(Type::Ref { mutable, inner: Box::new(self.ty(false)?) })
            }
            TokenKind::Punct(b'*') => {
                self.bump();
                let mutable = self.eat_word("mut");
                if !mutable && !self.eat_word("const") {
                    return None;
                }
                Some(Type::Ptr { mutable, inner: Box::new(self.ty(false)?) })
            }
            TokenKind::Punct(b'<' | b':') => self.path_type(),
            TokenKind::Ident => match self.word(0) {
                "_" => self.bump().map(|_| Type::Infer),
                "dyn" => {
                    self.bump();
                    self.bounds(plus).filter(|bounds| !bounds.is_empty()).map(Type::Dyn)
                }
                "impl" => {
                    self.bump();
                    self.bounds(plus).filter(|bounds| !bounds.is_empty()).map(Type::Impl)
                }
                "fn" | "unsafe" | "extern" | "for" => self.fn_pointer(),
                _ => self.path_type(),
            },
            _ => None,
        }
    }

    fn path_type(&mut self) -> Option<Type> {
        let numbered = self.counters.paths;
        let path = self.path()?;
        if self.is_punct(b'!') && !self.is_pair(0, *b"!=") && path.qself.is_none() {
            self.bump();
            self.passed_group()?;
            self.counters.paths = numbered;
            return Some(Type::Unknown);
        }
        Some(Type::Path(path))
    }

    /// `(A, B)`, or a type in parentheses.
    fn tuple(&mut self) -> Option<Type> {
        self.bump()?;
        let mut parts = Vec::new();
        let mut is_tuple = true;
        while !self.eat(TokenKind::Close(b')')) {
            parts.push(self.ty(true)?);
            is_tuple = self.eat_punct(b',');
            if !is_tuple && !self.is(TokenKind::Close(b')')) {
                return None;
            }
        }
        match (is_tuple, parts.len()) {
            (false, 1) => parts.pop(),
            _ => Some(Type::Tuple(parts)),
        }
    }

    fn array(&mut self) -> Option<Type> {
        self.bump()?;
        let inner = Box::new(self.ty(true)?);
        let ty = match self.eat_punct(b';') {
            true => Type::Array(inner, self.expr_text(b']')?),
            false => Type::Slice(inner),
        };
        self.expect(TokenKind::Close(b']'))?;
        Some(ty)
    }

    /// `for<'a> unsafe extern "C" fn(x: A) -> B`
    fn fn_pointer(&mut self) -> Option<Type> {
        self.binder()?;
        self.eat_word("unsafe");
        if self.eat_word("extern") {
            self.eat(TokenKind::Str);
        }
        if !self.eat_word("fn") {
            return None;
        }
        self.expect(TokenKind::Open(b'('))?;
        let mut params = Vec::new();
        while !self.eat(TokenKind::Close(b')')) {
            if self.is_punct(b'#') {
                return None;
            }
            if (self.is_ident(0) || self.word(0) == "_")
                && self.is_nth(1, TokenKind::Punct(b':'))
                && !self.is_pair(1, *b"::")
            {
                self.bump();
                self.bump();
            }
            params.push(self.ty(true)?);
            self.list_goes_on(b')')?;
        }
        let ret = if self.eat_pair(*b"->") { Some(Box::new(self.ty(false)?)) } else { None };
        Some(Type::FnPtr { params, ret })
    }

    /// After an element of a list: a comma, or the end, which is left.
    pub(super) fn list_goes_on(&mut self, close: u8) -> Option<()> {
        (self.eat_punct(b',') || self.is(TokenKind::Close(close))).then_some(())
    }

    /// `for<'a>`, if it is there.
    fn binder(&mut self) -> Option<()> {
        if !self.eat_word("for") {
            return Some(());
        }
        self.punct(b'<')?;
        while !self.eat_punct(b'>') {
            self.expect(TokenKind::Lifetime)?;
            self.eat_punct(b',');
        }
        Some(())
    }

    /// Bounds joined by `+`, if several are allowed; without lifetimes and `use<…>`. There may be none.
    pub(super) fn bounds(&mut self, plus: bool) -> Option<Vec<Bound>> {
        let mut bounds = Vec::new();
        while self.begins_bound() {
            bounds.extend(self.bound()?);
            if !plus || !self.eat_punct(b'+') {
                break;
            }
        }
        Some(bounds)
    }

    fn begins_bound(&self) -> bool {
        self.is(TokenKind::Lifetime)
            || self.is_punct(b'?')
            || self.is_pair(0, *b"::")
            || self.is_path_word(0)
            || matches!(self.word(0), "for" | "use")
            || self.is(TokenKind::Open(b'('))
    }

    /// `None` inside: a lifetime or `use<…>`.
    fn bound(&mut self) -> Option<Option<Bound>> {
        if self.pass_lifetime() {
            return Some(None);
        }
        if self.eat_word("use") {
            return self.generic_args().map(|_| None);
        }
        let in_parens = self.eat(TokenKind::Open(b'('));
        let maybe = self.eat_punct(b'?');
        self.binder()?;
        let start = self.start()?;
        let mut path = self.path().filter(|path| path.qself.is_none())?;
        if self.is(TokenKind::Open(b'('))
            || (self.is_pair(0, *b"::") && self.is_nth(2, TokenKind::Open(b'(')))
        {
            self.callable(&mut path, start)?;
        }
        if in_parens {
            self.expect(TokenKind::Close(b')'))?;
        }
        Some(Some(Bound { path, maybe }))
    }

    /// The parameters in `<…>`, if there are any.
    pub(super) fn generics(&mut self) -> Option<Generics> {
        let mut generics = Generics::default();
        if !self.eat_punct(b'<') {
            return Some(generics);
        }
        while !self.eat_punct(b'>') {
            self.outer_attrs()?;
            generics.params.push(self.generic_param()?);
            if !self.eat_punct(b',') && !self.is_punct(b'>') {
                return None;
            }
        }
        Some(generics)
    }

    fn generic_param(&mut self) -> Option<GenericParam> {
        if let Some(name) = self.lifetime() {
            if self.eat_punct(b':') {
                self.lifetimes();
            }
            return Some(GenericParam {
                name,
                kind: GenericParamKind::Lifetime,
                bounds: Vec::new(),
                default: None,
            });
        }
        if self.eat_word("const") {
            let name = self.ident()?.name;
            self.punct(b':')?;
            self.ty(true)?;
            if self.eat_punct(b'=') {
                match self.is_constant() {
                    true => drop(self.constant()?),
                    false => drop(self.ident()?),
                }
            }
            return Some(GenericParam {
                name,
                kind: GenericParamKind::Const,
                bounds: Vec::new(),
                default: None,
            });
        }
        let name = self.ident()?.name;
        let bounds = if self.eat_punct(b':') { self.bounds(true)? } else { Vec::new() };
        let default = if self.eat_punct(b'=') { Some(self.ty(true)?) } else { None };
        Some(GenericParam { name, kind: GenericParamKind::Type, bounds, default })
    }

    /// `'a + 'b`
    fn lifetimes(&mut self) {
        while self.pass_lifetime() {
            self.eat_punct(b'+');
        }
    }

    /// A `where` clause, if there is one: its predicates on types.
    pub(super) fn where_clause(&mut self, preds: &mut Vec<WherePred>) -> Option<()> {
        if !self.eat_word("where") {
            return Some(());
        }
        while !self.ends_where() {
            if self.pass_lifetime() {
                self.punct(b':')?;
                self.lifetimes();
            } else {
                self.binder()?;
                let ty = self.ty(true)?;
                self.punct(b':')?;
                preds.push(WherePred { ty, bounds: self.bounds(true)? });
            }
            if !self.eat_punct(b',') && !self.ends_where() {
                return None;
            }
        }
        Some(())
    }

    fn ends_where(&self) -> bool {
        matches!(
            self.nth(0).map(|token| token.kind),
            None | Some(TokenKind::Open(b'{') | TokenKind::Punct(b';' | b'='))
        )
    }
}
