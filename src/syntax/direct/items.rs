//! Items: what stands in files and modules.

use super::Bodies;
use super::cursor::{Ident, Passed, Reader};
use super::trees::{Attrs, printed};
use crate::hir::{
    AdtItem, AdtKind, Attr, BodySource, ConstItem, Delim, FieldDef, Generics, Item, ItemKind, Name, Path,
    StaticItem, StaticKind, TextRange, Tt, Variant, VariantShape, Visibility,
};
use crate::syntax::lexer::TokenKind;
use std::sync::Arc;

/// What all items begin with.
pub(super) struct Head {
    pub(super) attrs: Attrs,
    pub(super) vis: Visibility,
    /// Where the visibility begins, or what follows it.
    pub(super) start: usize,
    /// The first token after the visibility.
    pub(super) first: TextRange,
}

impl Reader<'_> {
    pub(super) fn head(&mut self) -> Option<Head> {
        let attrs = self.outer_attrs()?;
        let start = self.start()?;
        let vis = self.visibility()?;
        let first = self.nth(0)?;
        Some(Head { attrs, vis, start, first: first.range })
    }

    /// The item that ends here.
    pub(super) fn finish(&self, head: Head, name: Option<Ident>, kind: ItemKind) -> Item {
        Item {
            name: name.map_or_else(|| Name::new(""), |name| name.name),
            name_range: name.map_or(head.first, |name| name.range),
            range: self.since(head.attrs.start.unwrap_or(head.start)),
            vis: head.vis,
            attrs: head.attrs.list,
            kind,
        }
    }

    /// `pub (A, B)` is a public tuple's field.
    fn visibility(&mut self) -> Option<Visibility> {
        if !self.eat_word("pub") {
            return Some(Visibility::Private);
        }
        if !self.is(TokenKind::Open(b'(')) {
            return Some(Visibility::Public);
        }
        let is_restricted = match self.word(1) {
            "in" => true,
            "crate" | "self" | "super" => self.is_nth(2, TokenKind::Close(b')')),
            _ => false,
        };
        if !is_restricted {
            return Some(Visibility::Public);
        }
        self.bump();
        self.eat_word("in");
        let start = self.start()?;
        let global = self.eat_pair(*b"::");
        let segments = self.mod_path()?;
        let range = self.since(start);
        self.expect(TokenKind::Close(b')'))?;
        Some(Visibility::Restricted(Path { global, segments, range, ..Path::default() }))
    }

    /// One item of a file or module.
    pub(super) fn item(&mut self) -> Option<Item> {
        let head = self.head()?;
        match self.word(0) {
            "use" => self.use_item(head),
            "mod" => self.mod_item(head),
            "struct" => self.struct_item(head, AdtKind::Struct),
            "enum" => self.enum_item(head),
            "union" if self.is_ident(1) => self.struct_item(head, AdtKind::Union),
            "static" => self.static_item(head),
            "const" if !self.qualifies(1) => self.const_item(head, true),
            "type" => self.type_item(head),
            "extern" if self.word(1) == "crate" => self.extern_crate(head),
            "impl" => self.impl_item(head),
            "trait" => self.trait_item(head),
            "auto" if self.word(1) == "trait" => self.trait_item(head),
            "unsafe" | "default" if self.word(1) == "impl" => self.impl_item(head),
            "unsafe" if matches!(self.word(1), "trait" | "auto") => self.trait_item(head),
            "fn" | "const" | "async" | "unsafe" | "extern" => match self.is_extern_block() {
                true => self.extern_block(head),
                false => self.function(head, true),
            },
            _ => self.macro_item(head, true),
        }
    }

    /// Whether the word there goes on with what `const` began as a function.
    pub(super) fn qualifies(&self, ahead: usize) -> bool {
        matches!(self.word(ahead), "fn" | "async" | "unsafe" | "extern")
    }

    /// A macro call; `named`: where a word may stand before its arguments.
    pub(super) fn macro_item(&mut self, head: Head, named: bool) -> Option<Item> {
        if head.vis != Visibility::Private {
            return None;
        }
        let (kind, name) = self.macro_call(&head.attrs.list, named)?;
        Some(self.finish(head, name, kind))
    }

    fn mod_item(&mut self, mut head: Head) -> Option<Item> {
        self.bump();
        let name = self.ident()?;
        if self.eat_punct(b';') {
            return Some(self.finish(head, Some(name), ItemKind::Mod(None)));
        }
        self.expect(TokenKind::Open(b'{'))?;
        self.inner_attrs(&mut head.attrs.list)?;
        let mut items = Vec::new();
        while !self.eat(TokenKind::Close(b'}')) {
            items.push(self.item()?);
        }
        Some(self.finish(head, Some(name), ItemKind::Mod(Some(items))))
    }

    fn extern_crate(&mut self, head: Head) -> Option<Item> {
        self.bump();
        self.bump();
        let name = if self.word(0) == "self" { self.any_word()? } else { self.ident()? };
        let alias = match self.eat_word("as") {
            true => Some(if self.word(0) == "_" { self.any_word()? } else { self.ident()? }.name),
            false => None,
        };
        self.punct(b';')?;
        Some(self.finish(head, Some(name), ItemKind::ExternCrate { alias }))
    }

    fn static_item(&mut self, head: Head) -> Option<Item> {
        self.bump();
        let mutable = self.eat_word("mut");
        let name = self.ident()?;
        self.punct(b':')?;
        let ty = self.ty(true)?;
        let init = Some(self.initializer()?);
        self.punct(b';')?;
        let storage = match head.attrs.list.iter().any(is_thread_local) {
            true => StaticKind::ThreadLocal,
            false => StaticKind::Plain,
        };
        let kind = ItemKind::Static(Arc::new(StaticItem { mutable, ty, init, storage }));
        Some(self.finish(head, Some(name), kind))
    }

    /// A constant; `valued`: it can't go without a value.
    pub(super) fn const_item(&mut self, head: Head, valued: bool) -> Option<Item> {
        self.bump();
        let name = if self.word(0) == "_" { self.any_word()? } else { self.ident()? };
        self.punct(b':')?;
        let ty = self.ty(true)?;
        let init = match !valued && self.is_punct(b';') {
            true => None,
            false => Some(self.initializer()?),
        };
        self.punct(b';')?;
        let kind = ItemKind::Const(Arc::new(ConstItem { generics: Generics::default(), ty, init }));
        Some(self.finish(head, Some(name), kind))
    }

    /// `= value`; in a file the value is one token.
    fn initializer(&mut self) -> Option<BodySource> {
        self.punct(b'=')?;
        let start = self.start()?;
        match self.bodies {
            Bodies::InFile => {
                self.expect(TokenKind::Number)?;
                Some(BodySource::Text(self.since(start)))
            }
            Bodies::InBlock => {
                while !self.is_punct(b';') {
                    self.pass_tree()?;
                }
                self.passed.push(Passed::Value(start, self.position()));
                Some(BodySource::Text(self.since(start)))
            }
            Bodies::Tokens => {
                let mut tokens = Vec::new();
                while !self.is_punct(b';') {
                    tokens.push(self.tree()?);
                }
                // What has blocks syn may print with other commas.
                let has_blocks = tokens.iter().any(|tree| matches!(tree, Tt::Group(Delim::Brace, ..)));
                let sound = !has_blocks && self.is_value(start, &tokens);
                if sound { printed(&tokens).map(BodySource::Tokens) } else { None }
            }
            Bodies::SetAside(_) => {
                let mut tokens = Vec::new();
                while !self.is_punct(b';') {
                    tokens.push(self.tree()?);
                }
                self.is_value(start, &tokens).then(|| BodySource::Tokens(tokens.into()))
            }
        }
    }

    /// An alias with the type it stands for.
    pub(super) fn type_item(&mut self, head: Head) -> Option<Item> {
        self.bump();
        let name = self.ident()?;
        let mut generics = self.generics()?;
        self.punct(b'=')?;
        let ty = Some(self.ty(true)?);
        self.where_clause(&mut generics.preds)?;
        self.punct(b';')?;
        Some(self.finish(head, Some(name), ItemKind::TypeAlias { generics, bounds: Vec::new(), ty }))
    }

    /// A struct or union.
    fn struct_item(&mut self, head: Head, kind: AdtKind) -> Option<Item> {
        self.bump();
        let name = self.ident()?;
        let mut generics = self.generics()?;
        self.where_clause(&mut generics.preds)?;
        let (shape, fields) = self.fields()?;
        if shape != VariantShape::Named {
            self.where_clause(&mut generics.preds)?;
            self.punct(b';')?;
        }
        if kind == AdtKind::Union && shape != VariantShape::Named {
            return None;
        }
        let variant = Variant { name: name.name, name_range: name.range, attrs: Vec::new(), shape, fields };
        let adt = AdtItem { kind, generics, variants: vec![variant] };
        Some(self.finish(head, Some(name), ItemKind::Adt(Arc::new(adt))))
    }

    fn enum_item(&mut self, head: Head) -> Option<Item> {
        self.bump();
        let name = self.ident()?;
        let mut generics = self.generics()?;
        self.where_clause(&mut generics.preds)?;
        self.expect(TokenKind::Open(b'{'))?;
        let mut variants = Vec::new();
        while !self.eat(TokenKind::Close(b'}')) {
            variants.push(self.variant()?);
            self.list_goes_on(b'}')?;
        }
        let adt = AdtItem { kind: AdtKind::Enum, generics, variants };
        Some(self.finish(head, Some(name), ItemKind::Adt(Arc::new(adt))))
    }

    fn variant(&mut self) -> Option<Variant> {
        let attrs = self.outer_attrs()?.list;
        let name = self.ident()?;
        let (shape, fields) = self.fields()?;
        if self.eat_punct(b'=') {
            self.discriminant()?;
        }
        Some(Variant { name: name.name, name_range: name.range, attrs, shape, fields })
    }

    /// Skips a value up to the comma or brace that ends it. `<` may hold commas.
    fn discriminant(&mut self) -> Option<()> {
        let start = self.start()?;
        let mut tokens = Vec::new();
        while !self.is_punct(b',') && !self.is(TokenKind::Close(b'}')) {
            if self.is_pair(0, *b"<<") {
                tokens.push(self.tree()?);
            } else if self.is_punct(b'<') {
                return None;
            }
            tokens.push(self.tree()?);
        }
        self.is_value(start, &tokens).then_some(())
    }

    /// Of a struct or variant: `{ a: A }`, `(A)`, or nothing.
    fn fields(&mut self) -> Option<(VariantShape, Vec<FieldDef>)> {
        let mut fields = Vec::new();
        if self.eat(TokenKind::Open(b'{')) {
            while !self.eat(TokenKind::Close(b'}')) {
                fields.push(self.named_field()?);
                self.list_goes_on(b'}')?;
            }
            return Some((VariantShape::Named, fields));
        }
        if self.eat(TokenKind::Open(b'(')) {
            while !self.eat(TokenKind::Close(b')')) {
                fields.push(self.tuple_field(fields.len())?);
                self.list_goes_on(b')')?;
            }
            return Some((VariantShape::Tuple, fields));
        }
        Some((VariantShape::Unit, fields))
    }

    fn named_field(&mut self) -> Option<FieldDef> {
        let Attrs { list: attrs, .. } = self.outer_attrs()?;
        let vis = self.visibility()?;
        let name = self.ident()?;
        self.punct(b':')?;
        let ty = self.ty(true)?;
        Some(FieldDef { name: name.name, name_range: name.range, vis, attrs, ty })
    }

    /// Named by its index; it stands where its type does.
    fn tuple_field(&mut self, index: usize) -> Option<FieldDef> {
        let Attrs { list: attrs, .. } = self.outer_attrs()?;
        let vis = self.visibility()?;
        let start = self.start()?;
        let ty = self.ty(true)?;
        let name_range = self.since(start);
        Some(FieldDef { name: Name::new(&index.to_string()), name_range, vis, attrs, ty })
    }
}

fn is_thread_local(attr: &Attr) -> bool {
    matches!(attr.path[..], [only] if only == "thread_local")
}
