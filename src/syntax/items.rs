//! Lowers a file's items: its declarations, with bodies left as text.
//!
//! In: a file's text (`parse_file`), or items that were parsed from a body or from what a macro produced. Out: HIR
//! items. Invariants: a file is parsed without its bodies, by `direct` if that understands all of it, else by syn from
//! the skeleton; what doesn't parse goes to `recover` and costs the item it stands in; each function body in the tree has
//! its `BodyIndex`.

use super::macro_defs::macro_def;
use super::source_map::{SourceMap, parse, parse_checked};
use super::tokens::from_stream;
use super::types::{
    Counters, is_doc, lower_attrs, lower_bounds, lower_generics, lower_path, lower_type, lower_vis, name_of,
};
use super::{ParsedFile, direct, recover, scan};
use crate::hir::{
    AdtItem, AdtKind, Attr, BodyIndex, BodySource, ConstItem, FieldDef, ImplItem, Item, ItemKind, ItemTree,
    Name, StaticItem, StaticKind, SyntaxError, TextRange, Tokens, TraitItem, Type, Variant, VariantShape,
};
use proc_macro2::Span;
use quote::ToTokens;
use std::sync::Arc;
use syn::parse::Parse;
use syn::spanned::Spanned;

pub(super) fn parse_file(text: &str) -> ParsedFile {
    let Ok(len) = u32::try_from(text.len()) else {
        let error = SyntaxError { range: TextRange::default(), message: "larger than 4 GiB".to_owned() };
        let tree = ItemTree { errors: vec![error], ..ItemTree::default() };
        return ParsedFile { tree, bodies: Vec::new() };
    };
    let whole = TextRange::new(0, len);
    let found = scan::scan(text, whole);
    let direct = if found.checked { direct::file(&found.tokens) } else { None };
    let mut tree = direct.unwrap_or_else(|| skeleton_tree(text, whole, found.checked));
    tree.comments = found.comments;
    let bodies = match_bodies(text, &tree, found.bodies);
    ParsedFile { tree, bodies }
}

/// What syn makes of a file without its bodies; `checked`: the guard has nothing against it.
pub(super) fn skeleton_tree(text: &str, whole: TextRange, checked: bool) -> ItemTree {
    let map = SourceMap::of_text(text, whole);
    let skeleton = scan::skeleton(text, whole);
    let lower = |file| lower_file(&file, text, &map);
    let parsed = match checked {
        true => parse_checked(&skeleton, &map, syn::File::parse, lower),
        false => parse(&skeleton, &map, syn::File::parse, lower),
    };
    parsed.unwrap_or_else(|_| recover::file(text, whole))
}

/// A parsed file, or one item of it as a file of its own.
pub(super) fn lower_file(file: &syn::File, text: &str, map: &SourceMap) -> ItemTree {
    let items = lower_items(&file.items, map, Bodies::InFile(text));
    ItemTree { items, attrs: lower_attrs(&file.attrs, map), ..ItemTree::default() }
}

/// The indices of the bodies that are in the tree: those the scan found there, and new ones for those it overlooked.
fn match_bodies(text: &str, tree: &ItemTree, scanned: Vec<BodyIndex>) -> Vec<BodyIndex> {
    let mut ranges = Vec::with_capacity(scanned.len());
    body_ranges(&tree.items, &mut ranges);
    ranges.sort_unstable();
    if ranges.iter().eq(scanned.iter().map(|body| &body.range)) {
        return scanned;
    }
    let mut bodies = Vec::with_capacity(ranges.len());
    let mut scanned = scanned.into_iter().peekable();
    for range in ranges {
        while scanned.next_if(|body| body.range < range).is_some() {}
        let known = scanned.next_if(|body| body.range == range);
        bodies.push(known.unwrap_or_else(|| scan::index(text, range)));
    }
    bodies
}

fn body_ranges(items: &[Item], out: &mut Vec<TextRange>) {
    for item in items {
        match &item.kind {
            ItemKind::Fn(function) => {
                if let Some(BodySource::Text(range)) = function.body {
                    out.push(range);
                }
            }
            ItemKind::Mod(Some(items)) => body_ranges(items, out),
            ItemKind::Impl(block) => body_ranges(&block.items, out),
            ItemKind::Trait(item) => body_ranges(&item.items, out),
            _ => {}
        }
    }
}

/// Where the bodies of the items that are lowered stand.
#[derive(Clone, Copy)]
pub(super) enum Bodies<'t> {
    /// In this file.
    InFile(&'t str),
    /// Nowhere: their tokens are kept.
    Tokens,
    /// Nowhere: in the place of each is a number, under which its tokens are found here.
    SetAside(&'t [Tokens]),
}

/// Lowers items of a file, a block, or a macro's result.
pub(super) fn lower_items(items: &[syn::Item], map: &SourceMap, bodies: Bodies<'_>) -> Vec<Item> {
    Lowering { map, bodies }.items(items)
}

/// Everything that lowering an item needs to know; the members of impls and traits are in `members`.
pub(super) struct Lowering<'a> {
    pub(super) map: &'a SourceMap,
    pub(super) bodies: Bodies<'a>,
}

/// What all items have in common.
pub(super) struct Head<'s> {
    pub(super) attrs: &'s [syn::Attribute],
    pub(super) vis: &'s syn::Visibility,
    /// The first token after the visibility.
    pub(super) first: Span,
    pub(super) last: Span,
    pub(super) name: Option<&'s syn::Ident>,
}

impl Lowering<'_> {
    pub(super) fn items(&self, items: &[syn::Item]) -> Vec<Item> {
        items.iter().filter_map(|item| self.item(item)).collect()
    }

    /// `None` for what syn itself kept as tokens and nothing is known of.
    fn item(&self, item: &syn::Item) -> Option<Item> {
        Some(match item {
            syn::Item::Fn(it) => {
                let last = it.block.brace_token.span.close();
                self.function(&it.attrs, &it.vis, &it.modifiers, &it.sig, Some(&it.block), last)
            }
            syn::Item::Use(it) => self.use_item(it),
            syn::Item::Struct(it) => self.struct_item(it),
            syn::Item::Enum(it) => self.enum_item(it),
            syn::Item::Union(it) => self.union_item(it),
            syn::Item::Impl(it) => self.impl_item(it),
            syn::Item::Trait(it) => self.trait_item(it),
            syn::Item::TraitAlias(it) => self.trait_alias(it),
            syn::Item::Mod(it) => self.mod_item(it),
            syn::Item::Static(it) => self.static_item(it),
            syn::Item::Const(it) => self.const_item(it),
            syn::Item::Type(it) => self.type_item(it),
            syn::Item::Macro(it) => self.macro_item(it),
            syn::Item::ExternCrate(it) => self.extern_crate(it),
            syn::Item::ForeignMod(it) => self.foreign_mod(it),
            syn::Item::Verbatim(tokens) => return self.verbatim(tokens),
            _ => return None,
        })
    }

    pub(super) fn finish(&self, head: Head<'_>, kind: ItemKind) -> Item {
        let outer = |attr: &&syn::Attribute| matches!(attr.style, syn::AttrStyle::Outer) && !is_doc(attr);
        let vis_start = match head.vis {
            syn::Visibility::Public(token) => token.span,
            syn::Visibility::Restricted(restricted) => restricted.pub_token.span,
            syn::Visibility::Inherited => head.first,
        };
        let start = head.attrs.iter().find(outer).map_or(vis_start, |attr| attr.pound_token.span);
        Item {
            name: head.name.map_or_else(|| Name::new(""), name_of),
            name_range: self.map.range(head.name.map_or(head.first, syn::Ident::span)),
            range: self.map.join(start, head.last),
            vis: lower_vis(head.vis, self.map),
            attrs: lower_attrs(head.attrs, self.map),
            kind,
        }
    }

    pub(super) fn ty(&self, ty: &syn::Type) -> Type {
        lower_type(ty, self.map, &mut Counters::default())
    }

    pub(super) fn generics(&self, generics: &syn::Generics) -> crate::hir::Generics {
        lower_generics(generics, self.map, &mut Counters::default())
    }

    pub(super) fn bounds<P>(
        &self,
        bounds: &syn::punctuated::Punctuated<syn::TypeParamBound, P>,
    ) -> Vec<crate::hir::Bound> {
        lower_bounds(bounds, self.map, &mut Counters::default())
    }

    /// The value between `=` and `;`.
    pub(super) fn initializer(&self, eq: Span, value: &syn::Expr, semi: Span) -> BodySource {
        match self.bodies {
            Bodies::InFile(text) => {
                let between = TextRange::new(self.map.range(eq).hi, self.map.range(semi).lo);
                BodySource::Text(scan::trim(text, between))
            }
            Bodies::Tokens | Bodies::SetAside(_) => {
                BodySource::Tokens(from_stream(value.to_token_stream(), self.map))
            }
        }
    }

    fn mod_item(&self, it: &syn::ItemMod) -> Item {
        let first = it.unsafety.as_ref().map_or(it.mod_token.span, |token| token.span);
        let last = match (&it.content, &it.semi) {
            (Some((brace, _)), _) => brace.span.close(),
            (None, Some(semi)) => semi.span,
            (None, None) => it.ident.span(),
        };
        let items = it.content.as_ref().map(|(_, items)| self.items(items));
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        self.finish(head, ItemKind::Mod(items))
    }

    fn extern_crate(&self, it: &syn::ItemExternCrate) -> Item {
        let (first, last) = (it.extern_token.span, it.semi_token.span);
        let alias = it.rename.as_ref().map(|(_, alias)| name_of(alias));
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        self.finish(head, ItemKind::ExternCrate { alias })
    }

    fn static_item(&self, it: &syn::ItemStatic) -> Item {
        let (first, last) = (it.static_token.span, it.semi_token.span);
        let is_thread_local = |attr: &syn::Attribute| attr.path().is_ident("thread_local");
        let kind = StaticItem {
            mutable: matches!(it.mutability, syn::StaticMutability::Mut(_)),
            ty: self.ty(&it.ty),
            init: Some(self.initializer(it.eq_token.span, &it.expr, last)),
            storage: match it.attrs.iter().any(is_thread_local) {
                true => StaticKind::ThreadLocal,
                false => StaticKind::Plain,
            },
        };
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        self.finish(head, ItemKind::Static(Arc::new(kind)))
    }

    fn const_item(&self, it: &syn::ItemConst) -> Item {
        let (first, last) = (it.const_token.span, it.semi_token.span);
        let kind = ConstItem {
            generics: self.generics(&it.generics),
            ty: self.ty(&it.ty),
            init: Some(self.initializer(it.eq_token.span, &it.expr, last)),
        };
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        self.finish(head, ItemKind::Const(Arc::new(kind)))
    }

    fn type_item(&self, it: &syn::ItemType) -> Item {
        let (first, last) = (it.type_token.span, it.semi_token.span);
        let (generics, ty) = (self.generics(&it.generics), Some(self.ty(&it.ty)));
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        self.finish(head, ItemKind::TypeAlias { generics, bounds: Vec::new(), ty })
    }

    fn macro_item(&self, it: &syn::ItemMacro) -> Item {
        let semi = it.semi_token.as_ref().map(|semi| semi.span);
        self.macro_call(&it.attrs, it.ident.as_ref(), &it.mac, semi)
    }

    /// A macro call, or a `macro_rules!` definition.
    pub(super) fn macro_call(
        &self,
        attrs: &[syn::Attribute],
        name: Option<&syn::Ident>,
        mac: &syn::Macro,
        semi: Option<Span>,
    ) -> Item {
        let tokens = from_stream(mac.tokens.clone(), self.map);
        let kind = match name {
            Some(name) if mac.path.is_ident("macro_rules") => ItemKind::MacroRules(Arc::new(macro_def(
                name_of(name),
                &lower_attrs(attrs, self.map),
                &tokens,
            ))),
            _ => ItemKind::MacroCall {
                path: lower_path(&mac.path, None, self.map, &mut Counters::default()),
                tokens,
            },
        };
        let first = match (&mac.path.leading_colon, mac.path.segments.first()) {
            (Some(colons), _) => colons.spans[0],
            (None, Some(segment)) => segment.ident.span(),
            (None, None) => mac.bang_token.span,
        };
        let last = semi.unwrap_or_else(|| mac.delimiter.span().close());
        self.finish(Head { attrs, vis: &syn::Visibility::Inherited, first, last, name }, kind)
    }

    fn impl_item(&self, it: &syn::ItemImpl) -> Item {
        let first = match (&it.modifiers.defaultness, &it.unsafety) {
            (Some(token), _) => token.span,
            (None, Some(token)) => token.span,
            (None, None) => it.impl_token.span,
        };
        let trait_ = it.trait_.as_ref();
        let kind = ImplItem {
            generics: self.generics(&it.generics),
            is_unsafe: it.unsafety.is_some(),
            negative: it.modifiers.polarity.is_some(),
            trait_: trait_.map(|(path, _)| lower_path(path, None, self.map, &mut Counters::default())),
            self_ty: self.ty(&it.self_ty),
            items: self.impl_members(&it.items),
        };
        let last = it.brace_token.span.close();
        let head = Head { attrs: &it.attrs, vis: &syn::Visibility::Inherited, first, last, name: None };
        self.finish(head, ItemKind::Impl(Arc::new(kind)))
    }

    fn trait_item(&self, it: &syn::ItemTrait) -> Item {
        let first = match (&it.unsafety, &it.modifiers.auto_token) {
            (Some(token), _) => token.span,
            (None, Some(token)) => token.span,
            (None, None) => it.trait_token.span,
        };
        let kind = TraitItem {
            generics: self.generics(&it.generics),
            supers: self.bounds(&it.supertraits),
            is_unsafe: it.unsafety.is_some(),
            items: self.trait_members(&it.items),
        };
        let last = it.brace_token.span.close();
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        self.finish(head, ItemKind::Trait(Arc::new(kind)))
    }

    fn trait_alias(&self, it: &syn::ItemTraitAlias) -> Item {
        let kind = TraitItem {
            generics: self.generics(&it.generics),
            supers: self.bounds(&it.bounds),
            is_unsafe: false,
            items: Vec::new(),
        };
        let (first, last) = (it.trait_token.span, it.semi_token.span);
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        self.finish(head, ItemKind::Trait(Arc::new(kind)))
    }

    fn struct_item(&self, it: &syn::ItemStruct) -> Item {
        let first = it.struct_token.span;
        let last = match (&it.fields, &it.semi_token) {
            (_, Some(semi)) => semi.span,
            (syn::Fields::Named(fields), None) => fields.brace_token.span.close(),
            (syn::Fields::Unnamed(fields), None) => fields.paren_token.span.close(),
            (syn::Fields::Unit, None) => it.ident.span(),
        };
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        let (shape, fields) = self.fields(&it.fields);
        self.adt(
            head,
            AdtKind::Struct,
            &it.generics,
            vec![self.variant(&it.ident, Vec::new(), shape, fields)],
        )
    }

    fn union_item(&self, it: &syn::ItemUnion) -> Item {
        let (first, last) = (it.union_token.span, it.fields.brace_token.span.close());
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        let fields =
            it.fields.named.iter().enumerate().map(|(index, field)| self.field(index, field)).collect();
        let variant = self.variant(&it.ident, Vec::new(), VariantShape::Named, fields);
        self.adt(head, AdtKind::Union, &it.generics, vec![variant])
    }

    fn enum_item(&self, it: &syn::ItemEnum) -> Item {
        let (first, last) = (it.enum_token.span, it.brace_token.span.close());
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
        let variant = |variant: &syn::Variant| {
            let (shape, fields) = self.fields(&variant.fields);
            self.variant(&variant.ident, lower_attrs(&variant.attrs, self.map), shape, fields)
        };
        self.adt(head, AdtKind::Enum, &it.generics, it.variants.iter().map(variant).collect())
    }

    fn adt(&self, head: Head<'_>, kind: AdtKind, generics: &syn::Generics, variants: Vec<Variant>) -> Item {
        let adt = AdtItem { kind, generics: self.generics(generics), variants };
        self.finish(head, ItemKind::Adt(Arc::new(adt)))
    }

    fn variant(
        &self,
        name: &syn::Ident,
        attrs: Vec<Attr>,
        shape: VariantShape,
        fields: Vec<FieldDef>,
    ) -> Variant {
        Variant { name: name_of(name), name_range: self.map.range(name.span()), attrs, shape, fields }
    }

    fn fields(&self, fields: &syn::Fields) -> (VariantShape, Vec<FieldDef>) {
        let shape = match fields {
            syn::Fields::Named(_) => VariantShape::Named,
            syn::Fields::Unnamed(_) => VariantShape::Tuple,
            syn::Fields::Unit => VariantShape::Unit,
        };
        (shape, fields.iter().enumerate().map(|(index, field)| self.field(index, field)).collect())
    }

    /// A field; one of a tuple is named by its index and stands where its type does.
    fn field(&self, index: usize, field: &syn::Field) -> FieldDef {
        let (name, name_range) = match &field.ident {
            Some(ident) => (name_of(ident), self.map.range(ident.span())),
            None => (Name::new(&index.to_string()), self.map.range(field.ty.span())),
        };
        FieldDef {
            name,
            name_range,
            vis: lower_vis(&field.vis, self.map),
            attrs: lower_attrs(&field.attrs, self.map),
            ty: self.ty(&field.ty),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::{SelfParam, UseKind, Visibility};

    fn parsed(text: &str) -> ParsedFile {
        let file = parse_file(text);
        assert_eq!(file.tree.errors, []);
        file
    }

    fn at(text: &str, range: TextRange) -> &str {
        &text[range.lo as usize..range.hi as usize]
    }

    #[test]
    fn items_know_their_places() {
        let text = "/* é */ /// é\n#[cfg(test)] /* ü */ pub(crate) fn größe() { \"}\" } // é\n\
                    static mut É: u8 = /* é */ f({ 1 })  ;";
        let items = parsed(text).tree.items;
        assert_eq!(at(text, items[0].range), "#[cfg(test)] /* ü */ pub(crate) fn größe() { \"}\" }");
        assert_eq!(at(text, items[0].name_range), "größe");
        assert!(matches!(&items[0].vis, Visibility::Restricted(path) if at(text, path.range) == "crate"));
        assert_eq!((items[0].attrs.len(), at(text, items[0].attrs[0].range)), (1, "#[cfg(test)]"));
        assert_eq!(at(text, items[1].range), "static mut É: u8 = /* é */ f({ 1 })  ;");
        match &items[1].kind {
            ItemKind::Static(it) => {
                let Some(BodySource::Text(range)) = it.init else { panic!() };
                assert!(it.mutable);
                assert_eq!(at(text, range), "f({ 1 })");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_body_in_the_tree_is_indexed_and_no_other() {
        let text = "fn a() { x } trait T { fn b() { y } fn c(); } mod m { impl S { fn d() { z } } }
            const C: fn() = { fn e() { w } e }; enum E { A = { fn f() { v } 1 } }";
        let file = parsed(text);
        let bodies: Vec<_> = file.bodies.iter().map(|body| at(text, body.range)).collect();
        assert_eq!(bodies, ["{ x }", "{ y }", "{ z }"]);
    }

    #[test]
    fn use_trees_become_leaves() {
        let text = "use ::a::{self, b::*, c as d, e::{self as _, f}}; pub use self::r#g;";
        let items = parsed(text).tree.items;
        let leaves = items.iter().flat_map(|item| match &item.kind {
            ItemKind::Use(leaves) => leaves.clone(),
            _ => Vec::new(),
        });
        let shown: Vec<_> = leaves
            .map(|leaf| {
                let path: Vec<_> = leaf.path.segments.iter().map(|s| s.name.as_str()).collect();
                (leaf.path.global, path.join("::"), leaf.kind, at(text, leaf.range))
            })
            .collect();
        let renamed = |name| UseKind::Renamed(Name::new(name));
        let expected = [
            (true, "a".to_owned(), UseKind::SelfModule, "self"),
            (true, "a::b".to_owned(), UseKind::Glob, "*"),
            (true, "a::c".to_owned(), renamed("d"), "c as d"),
            (true, "a::e".to_owned(), renamed("_"), "_"),
            (true, "a::e::f".to_owned(), UseKind::Plain, "f"),
            (false, "self::g".to_owned(), UseKind::Plain, "r#g"),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn signatures_number_their_bindings() {
        let text = "impl S { async unsafe fn f<T>(self: Arc<Self>, (a, b): (u8, u8), c: T) -> T {} }
            extern \"C\" fn g(mut a: u8, ...) {}";
        let items = parsed(text).tree.items;
        let ItemKind::Impl(block) = &items[0].kind else { panic!() };
        let ItemKind::Fn(f) = &block.items[0].kind else { panic!() };
        assert!(matches!(f.self_param, Some(SelfParam::Typed(Type::Path(_)))));
        assert_eq!((f.param_bindings, f.params.len(), f.is_async, f.is_unsafe), (4, 2, true, true));
        let ItemKind::Fn(g) = &items[1].kind else { panic!() };
        assert_eq!((g.param_bindings, g.abi), (1, Some(Name::new("C"))));
    }

    #[test]
    fn macros_keep_rules_and_arguments() {
        let text = "#[macro_export] macro_rules! m { ($a:expr) => { $a }; () => [1] }
            thread_local! { static A: u8 = 1; } m! name { x } pub macro n($x:ident) { fn $x() {} }";
        let items = parsed(text).tree.items;
        let def = |item: &Item| match &item.kind {
            ItemKind::MacroRules(def) => (def.name.as_str(), def.rules.len(), def.exported),
            other => panic!("{other:?}"),
        };
        assert_eq!(def(&items[0]), ("m", 2, true));
        assert!(
            matches!(&items[1].kind, ItemKind::MacroCall { path, .. } if at(text, path.range) == "thread_local")
        );
        assert_eq!(items[2].name, "name");
        assert_eq!(def(&items[3]), ("n", 1, false));
        assert_eq!(at(text, items[3].range), "pub macro n($x:ident) { fn $x() {} }");
    }

    #[test]
    fn scripts_and_marks_are_read() {
        for start in
            ["\u{feff}", "#!/usr/bin/env cargo\n", "\u{feff}#!x\n---\n[dependencies]\n---\n", "#![a]\n"]
        {
            let text = format!("{start}fn é() {{}}\n");
            assert_eq!(at(&text, parsed(&text).tree.items[0].range), "fn é() {}");
        }
        assert!(parsed("").tree.items.is_empty());
    }
}
