//! Functions, impls, traits, extern blocks and `use` trees.

use super::Bodies;
use super::cursor::{Ident, Passed, Reader};
use super::items::Head;
use crate::hir::{
    BodySource, FnItem, Generics, ImplItem, Item, ItemKind, Name, Param, Path, Segment, SelfParam,
    StaticItem, StaticKind, TextRange, TraitItem, Type, UseKind, UseLeaf, Visibility,
};
use crate::syntax::expand::body_number;
use crate::syntax::lexer::TokenKind;
use std::sync::Arc;

/// Segments of an import's path; what is longer is left to syn.
const MAX_SEGMENTS: usize = 100;

/// What stands before `fn`.
#[derive(Default)]
struct Qualifiers {
    is_const: bool,
    is_async: bool,
    is_unsafe: bool,
    abi: Option<Name>,
}

impl Reader<'_> {
    /// A function; `with_body`: it can't be a declaration.
    pub(super) fn function(&mut self, head: Head, with_body: bool) -> Option<Item> {
        let before = self.qualifiers()?;
        let name = self.ident()?;
        let mut generics = self.generics()?;
        let (self_param, params) = self.parameters()?;
        let param_bindings = self.counters.bindings;
        let ret = if self.eat_pair(*b"->") { Some(self.ty(true)?) } else { None };
        self.where_clause(&mut generics.preds)?;
        let body = match self.eat_punct(b';') {
            // What a macro makes may be meant for a trait.
            true if with_body && !matches!(self.bodies, Bodies::SetAside(_)) => return None,
            true => None,
            false => Some(self.body()?),
        };
        let kind = FnItem {
            generics,
            self_param,
            params,
            param_bindings,
            ret,
            is_async: before.is_async,
            is_unsafe: before.is_unsafe,
            is_const: before.is_const,
            abi: before.abi,
            body,
        };
        Some(self.finish(head, Some(name), ItemKind::Fn(Arc::new(kind))))
    }

    fn qualifiers(&mut self) -> Option<Qualifiers> {
        self.eat_word("default");
        let mut before = Qualifiers {
            is_const: self.eat_word("const"),
            is_async: self.eat_word("async"),
            is_unsafe: self.eat_word("unsafe"),
            abi: None,
        };
        if !before.is_unsafe {
            self.eat_word("safe");
        }
        if self.eat_word("extern") {
            before.abi = Some(self.abi()?);
        }
        self.eat_word("fn").then_some(before)
    }

    /// After `extern`, which alone means C.
    fn abi(&mut self) -> Option<Name> {
        if !self.is(TokenKind::Str) {
            return Some(Name::new("C"));
        }
        let token = self.bump()?;
        let name = token.text.strip_prefix('"')?.strip_suffix('"')?;
        (!name.contains('\\')).then(|| Name::new(name))
    }

    /// The body is two braces, with a number in them if it was set aside by a macro.
    fn body(&mut self) -> Option<BodySource> {
        let start = self.start()?;
        self.expect(TokenKind::Open(b'{'))?;
        let source = match self.bodies {
            Bodies::InFile => None,
            Bodies::InBlock => {
                self.go_to(start);
                self.pass_tree()?;
                self.passed.push(Passed::Body(start, self.position()));
                return Some(BodySource::Text(self.since(start)));
            }
            Bodies::Tokens => return None,
            Bodies::SetAside(bodies) => {
                let token = self.bump()?;
                let number = body_number(token.text)?;
                Some(BodySource::Tokens(bodies.get(number)?.clone()))
            }
        };
        self.expect(TokenKind::Close(b'}'))?;
        Some(source.unwrap_or_else(|| BodySource::Text(self.since(start))))
    }

    fn parameters(&mut self) -> Option<(Option<SelfParam>, Vec<Param>)> {
        self.counters.bindings = 0;
        self.expect(TokenKind::Open(b'('))?;
        let (mut self_param, mut params) = (None, Vec::new());
        let mut first = true;
        while !self.eat(TokenKind::Close(b')')) {
            self.outer_attrs()?;
            if self.is_pair(0, *b"..") {
                // C's variadic arguments.
                self.eat_pair(*b"..");
                self.punct(b'.')?;
            } else if let Some(receiver) = if first { self.receiver()? } else { None } {
                self_param = Some(receiver);
            } else {
                let pat = self.pat()?;
                self.punct(b':')?;
                if self.is_pair(0, *b"..") {
                    return None;
                }
                params.push(Param { pat, ty: self.ty(true)? });
            }
            first = false;
            self.list_goes_on(b')')?;
        }
        Some((self_param, params))
    }

    /// `self` in one of its forms, if it comes.
    fn receiver(&mut self) -> Option<Option<SelfParam>> {
        let mut ahead = 0;
        let by_ref = self.is_punct(b'&');
        if by_ref {
            ahead += 1 + usize::from(self.is_nth(1, TokenKind::Lifetime));
        }
        let mutable = self.word(ahead) == "mut";
        ahead += usize::from(mutable);
        if self.word(ahead) != "self" || self.is_pair(ahead + 1, *b"::") {
            return Some(None);
        }
        self.skip(ahead + 1);
        self.counters.bindings += 1;
        if !by_ref && self.eat_punct(b':') {
            return Some(Some(SelfParam::Typed(self.ty(true)?)));
        }
        Some(Some(match (by_ref, mutable) {
            (false, _) => SelfParam::Value,
            (true, false) => SelfParam::Ref,
            (true, true) => SelfParam::RefMut,
        }))
    }

    pub(super) fn impl_item(&mut self, mut head: Head) -> Option<Item> {
        if head.vis != Visibility::Private {
            return None;
        }
        self.eat_word("default");
        let is_unsafe = self.eat_word("unsafe");
        if !self.eat_word("impl") {
            return None;
        }
        let mut generics = if self.impl_has_generics() { self.generics()? } else { Generics::default() };
        let negative = self.eat_punct(b'!');
        let first = self.ty(true)?;
        let (trait_, self_ty) = match self.eat_word("for") {
            true => match first {
                Type::Path(path) if path.qself.is_none() => (Some(path), self.ty(true)?),
                _ => return None,
            },
            false if negative => return None,
            false => (None, first),
        };
        self.where_clause(&mut generics.preds)?;
        self.expect(TokenKind::Open(b'{'))?;
        self.inner_attrs(&mut head.attrs.list)?;
        let mut items = Vec::new();
        while !self.eat(TokenKind::Close(b'}')) {
            items.push(self.impl_member()?);
        }
        let kind = ImplItem { generics, is_unsafe, negative, trait_, self_ty, items };
        Some(self.finish(head, None, ItemKind::Impl(Arc::new(kind))))
    }

    /// Not the `<` of a qualified path.
    fn impl_has_generics(&self) -> bool {
        let named = self.is_nth(1, TokenKind::Lifetime) || self.is_ident(1);
        let follows = [b':', b',', b'>', b'='].iter().any(|byte| self.is_nth(2, TokenKind::Punct(*byte)));
        self.is_punct(b'<')
            && (self.is_nth(1, TokenKind::Punct(b'>'))
                || self.is_nth(1, TokenKind::Punct(b'#'))
                || (named && follows)
                || self.word(1) == "const")
    }

    fn impl_member(&mut self) -> Option<Item> {
        let head = self.head()?;
        let qualified = usize::from(self.word(0) == "default" && self.is_nth(1, TokenKind::Ident));
        match self.word(qualified) {
            "const" if !self.qualifies(qualified + 1) => self.const_item(head, true),
            "type" => self.type_item(head),
            "fn" | "const" | "async" | "unsafe" | "extern" => self.function(head, true),
            _ => self.macro_item(head, false),
        }
    }

    pub(super) fn trait_item(&mut self, mut head: Head) -> Option<Item> {
        let is_unsafe = self.eat_word("unsafe");
        self.eat_word("auto");
        if !self.eat_word("trait") {
            return None;
        }
        let name = self.ident()?;
        let mut generics = self.generics()?;
        let supers = if self.eat_punct(b':') { self.bounds(true)? } else { Vec::new() };
        self.where_clause(&mut generics.preds)?;
        self.expect(TokenKind::Open(b'{'))?;
        self.inner_attrs(&mut head.attrs.list)?;
        let mut items = Vec::new();
        while !self.eat(TokenKind::Close(b'}')) {
            items.push(self.trait_member()?);
        }
        let kind = ItemKind::Trait(Arc::new(TraitItem { generics, supers, is_unsafe, items }));
        Some(self.finish(head, Some(name), kind))
    }

    fn trait_member(&mut self) -> Option<Item> {
        let head = self.head()?;
        if head.vis != Visibility::Private {
            return None;
        }
        match self.word(0) {
            "const" if !self.qualifies(1) => self.const_item(head, false),
            "type" => self.associated_type(head),
            "fn" | "const" | "async" | "unsafe" | "extern" => self.function(head, false),
            _ => self.macro_item(head, false),
        }
    }

    fn associated_type(&mut self, head: Head) -> Option<Item> {
        self.bump();
        let name = self.ident()?;
        let mut generics = self.generics()?;
        let bounds = if self.eat_punct(b':') { self.bounds(true)? } else { Vec::new() };
        let ty = if self.eat_punct(b'=') { Some(self.ty(true)?) } else { None };
        self.where_clause(&mut generics.preds)?;
        self.punct(b';')?;
        Some(self.finish(head, Some(name), ItemKind::TypeAlias { generics, bounds, ty }))
    }

    /// Whether `extern "C" {` comes, or `unsafe extern "C" {`.
    pub(super) fn is_extern_block(&self) -> bool {
        let at = usize::from(self.word(0) == "unsafe");
        let open = at + 1 + usize::from(self.is_nth(at + 1, TokenKind::Str));
        self.word(at) == "extern" && self.is_nth(open, TokenKind::Open(b'{'))
    }

    pub(super) fn extern_block(&mut self, mut head: Head) -> Option<Item> {
        if head.vis != Visibility::Private {
            return None;
        }
        self.eat_word("unsafe");
        self.eat_word("extern");
        let abi = self.abi()?;
        self.expect(TokenKind::Open(b'{'))?;
        self.inner_attrs(&mut head.attrs.list)?;
        let mut items = Vec::new();
        while !self.eat(TokenKind::Close(b'}')) {
            items.push(self.foreign_member()?);
        }
        Some(self.finish(head, None, ItemKind::ExternBlock { abi, items }))
    }

    fn foreign_member(&mut self) -> Option<Item> {
        let head = self.head()?;
        let qualified = usize::from(matches!(self.word(0), "safe" | "unsafe"));
        match self.word(qualified) {
            "static" => self.foreign_static(head, qualified),
            "fn" => {
                let item = self.function(head, false)?;
                let declared = matches!(&item.kind, ItemKind::Fn(item) if item.body.is_none());
                declared.then_some(item)
            }
            "type" => {
                self.bump();
                let name = self.ident()?;
                self.punct(b';')?;
                let generics = Generics::default();
                let kind = ItemKind::TypeAlias { generics, bounds: Vec::new(), ty: None };
                Some(self.finish(head, Some(name), kind))
            }
            _ => self.macro_item(head, false),
        }
    }

    fn foreign_static(&mut self, head: Head, qualified: usize) -> Option<Item> {
        self.skip(qualified + 1);
        let mutable = self.eat_word("mut");
        let name = self.ident()?;
        self.punct(b':')?;
        let ty = self.ty(true)?;
        self.punct(b';')?;
        let kind = StaticItem { mutable, ty, init: None, storage: StaticKind::Plain };
        Some(self.finish(head, Some(name), ItemKind::Static(Arc::new(kind))))
    }

    pub(super) fn use_item(&mut self, head: Head) -> Option<Item> {
        self.bump();
        let global = self.eat_pair(*b"::");
        let mut leaves = Vec::new();
        self.use_tree(global, &mut Vec::new(), &mut leaves)?;
        self.punct(b';')?;
        Some(self.finish(head, None, ItemKind::Use(leaves)))
    }

    fn use_tree(&mut self, global: bool, prefix: &mut Vec<Segment>, out: &mut Vec<UseLeaf>) -> Option<()> {
        let token = self.nth(0)?;
        let here = token.range;
        match token.kind {
            TokenKind::Punct(b'*') => {
                self.bump();
                out.push(leaf(global, prefix, None, UseKind::Glob, here));
            }
            TokenKind::Open(b'{') => {
                self.bump();
                while !self.eat(TokenKind::Close(b'}')) {
                    self.use_tree(global, prefix, out)?;
                    self.list_goes_on(b'}')?;
                }
            }
            _ if prefix.len() >= MAX_SEGMENTS => return None,
            _ if matches!(self.word(0), "self" | "super" | "crate") || self.is_ident(0) => {
                let is_self = self.word(0) == "self" && !prefix.is_empty();
                let word = self.any_word()?;
                if self.eat_pair(*b"::") {
                    prefix.push(segment(word));
                    self.use_tree(global, prefix, out)?;
                    prefix.pop();
                } else if self.eat_word("as") {
                    let alias = if self.word(0) == "_" { self.any_word()? } else { self.ident()? };
                    let last = (!is_self).then_some(word);
                    out.push(leaf(global, prefix, last, UseKind::Renamed(alias.name), alias.range));
                } else if is_self {
                    out.push(leaf(global, prefix, None, UseKind::SelfModule, word.range));
                } else {
                    out.push(leaf(global, prefix, Some(word), UseKind::Plain, word.range));
                }
            }
            _ => return None,
        }
        Some(())
    }
}

/// What the tree's branch that ends at `end` brings in.
fn leaf(global: bool, prefix: &[Segment], last: Option<Ident>, kind: UseKind, end: TextRange) -> UseLeaf {
    let mut segments = prefix.to_vec();
    segments.extend(last.map(segment));
    let range = segments.iter().map(|s| s.range).reduce(TextRange::to).unwrap_or_default();
    let path = Path { global, segments, range, ..Path::default() };
    UseLeaf { path, kind, range: last.map_or(end, |last| last.range.to(end)) }
}

fn segment(word: Ident) -> Segment {
    Segment { name: word.name, range: word.range, args: Vec::new(), fn_output: None }
}
