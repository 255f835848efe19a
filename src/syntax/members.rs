//! Lowers functions, the members of impls, traits and extern blocks, `use` trees, and what syn keeps as tokens.
//!
//! In and out as in `items`, of which this is the other half. Invariant: in a signature `self` is binding 0 and the
//! parameters' bindings follow in text order.

use super::expand::numbered;
use super::items::{Bodies, Head, Lowering};
use super::macro_defs::macro_item;
use super::patterns::lower_pat;
use super::tokens::from_stream;
use super::types::{Counters, lower_attrs, lower_return, lower_type, name_of};
use crate::hir::{
    BodySource, ConstItem, FnItem, Item, ItemKind, Name, Param, Path, PathId, Segment, SelfParam, StaticItem,
    StaticKind, UseKind, UseLeaf,
};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::sync::Arc;
use syn::parse::{ParseStream, Parser};

impl Lowering<'_> {
    pub(super) fn function(
        &self,
        attrs: &[syn::Attribute],
        vis: &syn::Visibility,
        modifiers: &syn::FnModifiers,
        sig: &syn::Signature,
        block: Option<&syn::Block>,
        last: Span,
    ) -> Item {
        let first = match &modifiers.defaultness {
            Some(token) => token.span,
            None => signature_start(sig),
        };
        let kind = ItemKind::Fn(Arc::new(self.signature(sig, block)));
        self.finish(Head { attrs, vis, first, last, name: Some(&sig.ident) }, kind)
    }

    fn signature(&self, sig: &syn::Signature, block: Option<&syn::Block>) -> FnItem {
        let mut counters = Counters::default();
        let mut self_param = None;
        let mut params = Vec::with_capacity(sig.inputs.len());
        for input in &sig.inputs {
            match input {
                syn::FnArg::Receiver(receiver) => {
                    counters.bindings += 1;
                    self_param = Some(self.self_param(receiver));
                }
                syn::FnArg::Typed(typed) => params.push(Param {
                    pat: lower_pat(&typed.pat, self.map, &mut counters),
                    ty: lower_type(&typed.ty, self.map, &mut counters),
                }),
            }
        }
        FnItem {
            generics: self.generics(&sig.generics),
            self_param,
            params,
            param_bindings: counters.bindings,
            ret: lower_return(&sig.output, self.map, &mut Counters::default()),
            is_async: sig.asyncness.is_some(),
            is_unsafe: matches!(sig.safety, syn::Safety::Unsafe(_)),
            is_const: sig.constness.is_some(),
            abi: sig.abi.as_ref().map(abi_name),
            body: block.map(|block| self.body_source(block)),
        }
    }

    fn self_param(&self, receiver: &syn::Receiver) -> SelfParam {
        match &receiver.kind {
            syn::ReceiverKind::Reference(_, _, None) => SelfParam::Ref,
            syn::ReceiverKind::Reference(_, _, Some(_)) => SelfParam::RefMut,
            syn::ReceiverKind::Typed(_, ty) => SelfParam::Typed(self.ty(ty)),
            _ => SelfParam::Value,
        }
    }

    fn body_source(&self, block: &syn::Block) -> BodySource {
        let tokens = || BodySource::Tokens(from_stream(block.to_token_stream(), self.map));
        match self.bodies {
            Bodies::InFile(_) => BodySource::Text(self.map.range(block.brace_token.span.join())),
            Bodies::Tokens => tokens(),
            Bodies::SetAside(bodies) => {
                let body = numbered(block).and_then(|number| bodies.get(number));
                body.map_or_else(tokens, |body| BodySource::Tokens(body.clone()))
            }
        }
    }

    pub(super) fn impl_members(&self, members: &[syn::ImplItem]) -> Vec<Item> {
        members.iter().filter_map(|member| self.impl_member(member)).collect()
    }

    fn impl_member(&self, member: &syn::ImplItem) -> Option<Item> {
        Some(match member {
            syn::ImplItem::Fn(it) => {
                let last = it.block.brace_token.span.close();
                self.function(&it.attrs, &it.vis, &it.modifiers, &it.sig, Some(&it.block), last)
            }
            syn::ImplItem::Const(it) => {
                let (first, last) = (it.const_token.span, it.semi_token.span);
                let kind = ConstItem {
                    generics: self.generics(&it.generics),
                    ty: self.ty(&it.ty),
                    init: Some(self.initializer(it.eq_token.span, &it.expr, last)),
                };
                let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
                self.finish(head, ItemKind::Const(Arc::new(kind)))
            }
            syn::ImplItem::Type(it) => {
                let (first, last) = (it.type_token.span, it.semi_token.span);
                let (generics, ty) = (self.generics(&it.generics), Some(self.ty(&it.ty)));
                let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
                self.finish(head, ItemKind::TypeAlias { generics, bounds: Vec::new(), ty })
            }
            syn::ImplItem::Macro(it) => {
                self.macro_call(&it.attrs, None, &it.mac, it.semi_token.as_ref().map(|semi| semi.span))
            }
            syn::ImplItem::Verbatim(tokens) => return self.verbatim(tokens),
            _ => return None,
        })
    }

    pub(super) fn trait_members(&self, members: &[syn::TraitItem]) -> Vec<Item> {
        members.iter().filter_map(|member| self.trait_member(member)).collect()
    }

    fn trait_member(&self, member: &syn::TraitItem) -> Option<Item> {
        let vis = &syn::Visibility::Inherited;
        Some(match member {
            syn::TraitItem::Fn(it) => {
                let last = match (&it.default, &it.semi_token) {
                    (Some(block), _) => block.brace_token.span.close(),
                    (None, Some(semi)) => semi.span,
                    (None, None) => it.sig.paren_token.span.close(),
                };
                self.function(&it.attrs, vis, &it.modifiers, &it.sig, it.default.as_ref(), last)
            }
            syn::TraitItem::Const(it) => {
                let (first, last) = (it.const_token.span, it.semi_token.span);
                let init = it.default.as_ref().map(|(eq, value)| self.initializer(eq.span, value, last));
                let kind = ConstItem { generics: self.generics(&it.generics), ty: self.ty(&it.ty), init };
                let head = Head { attrs: &it.attrs, vis, first, last, name: Some(&it.ident) };
                self.finish(head, ItemKind::Const(Arc::new(kind)))
            }
            syn::TraitItem::Type(it) => {
                let (first, last) = (it.type_token.span, it.semi_token.span);
                let kind = ItemKind::TypeAlias {
                    generics: self.generics(&it.generics),
                    bounds: self.bounds(&it.bounds),
                    ty: it.default.as_ref().map(|(_, ty)| self.ty(ty)),
                };
                self.finish(Head { attrs: &it.attrs, vis, first, last, name: Some(&it.ident) }, kind)
            }
            syn::TraitItem::Macro(it) => {
                self.macro_call(&it.attrs, None, &it.mac, it.semi_token.as_ref().map(|semi| semi.span))
            }
            syn::TraitItem::Verbatim(tokens) => return self.verbatim(tokens),
            _ => return None,
        })
    }

    pub(super) fn foreign_mod(&self, it: &syn::ItemForeignMod) -> Item {
        let first = it.unsafety.as_ref().map_or(it.abi.extern_token.span, |token| token.span);
        let last = it.brace_token.span.close();
        let kind = ItemKind::ExternBlock { abi: abi_name(&it.abi), items: self.foreign_members(&it.items) };
        let head = Head { attrs: &it.attrs, vis: &syn::Visibility::Inherited, first, last, name: None };
        self.finish(head, kind)
    }

    pub(super) fn foreign_members(&self, members: &[syn::ForeignItem]) -> Vec<Item> {
        members.iter().filter_map(|member| self.foreign_member(member)).collect()
    }

    fn foreign_member(&self, member: &syn::ForeignItem) -> Option<Item> {
        Some(match member {
            syn::ForeignItem::Fn(it) => {
                self.function(&it.attrs, &it.vis, &it.modifiers, &it.sig, None, it.semi_token.span)
            }
            syn::ForeignItem::Static(it) => {
                let first = match &it.safety {
                    syn::Safety::Safe(token) => token.span,
                    syn::Safety::Unsafe(token) => token.span,
                    syn::Safety::Default => it.static_token.span,
                };
                let kind = StaticItem {
                    mutable: matches!(it.mutability, syn::StaticMutability::Mut(_)),
                    ty: self.ty(&it.ty),
                    init: None,
                    storage: StaticKind::Plain,
                };
                let last = it.semi_token.span;
                let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
                self.finish(head, ItemKind::Static(Arc::new(kind)))
            }
            syn::ForeignItem::Type(it) => {
                let (first, last) = (it.type_token.span, it.semi_token.span);
                let generics = self.generics(&it.generics);
                let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: Some(&it.ident) };
                self.finish(head, ItemKind::TypeAlias { generics, bounds: Vec::new(), ty: None })
            }
            syn::ForeignItem::Macro(it) => {
                self.macro_call(&it.attrs, None, &it.mac, it.semi_token.as_ref().map(|semi| semi.span))
            }
            syn::ForeignItem::Verbatim(tokens) => return self.verbatim(tokens),
            _ => return None,
        })
    }

    pub(super) fn use_item(&self, it: &syn::ItemUse) -> Item {
        let mut leaves = Vec::new();
        self.use_tree(&it.tree, it.leading_colon.is_some(), &mut Vec::new(), &mut leaves);
        let (first, last) = (it.use_token.span, it.semi_token.span);
        let head = Head { attrs: &it.attrs, vis: &it.vis, first, last, name: None };
        self.finish(head, ItemKind::Use(leaves))
    }

    fn use_tree(&self, tree: &syn::UseTree, global: bool, prefix: &mut Vec<Segment>, out: &mut Vec<UseLeaf>) {
        let mut leaf = |last: Option<&syn::Ident>, kind: UseKind, end: Span| {
            let mut segments = prefix.clone();
            segments.extend(last.map(|ident| self.use_segment(ident)));
            let range = segments.iter().map(|s| s.range).reduce(|a, b| a.to(b)).unwrap_or_default();
            let path = Path { global, qself: None, segments, range, id: PathId::ITEM };
            let range = last.map_or(self.map.range(end), |ident| self.map.join(ident.span(), end));
            out.push(UseLeaf { path, kind, range });
        };
        match tree {
            syn::UseTree::Path(path) => {
                prefix.push(self.use_segment(&path.ident));
                self.use_tree(&path.tree, global, prefix, out);
                prefix.pop();
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.use_tree(item, global, prefix, out));
            }
            syn::UseTree::Glob(glob) => leaf(None, UseKind::Glob, glob.star_token.span),
            syn::UseTree::Name(name) if name.ident == "self" && !prefix.is_empty() => {
                leaf(None, UseKind::SelfModule, name.ident.span());
            }
            syn::UseTree::Name(name) => leaf(Some(&name.ident), UseKind::Plain, name.ident.span()),
            syn::UseTree::Rename(rename) => {
                let is_self = rename.ident == "self" && !prefix.is_empty();
                let last = (!is_self).then_some(&rename.ident);
                leaf(last, UseKind::Renamed(name_of(&rename.rename)), rename.rename.span());
            }
        }
    }

    fn use_segment(&self, ident: &syn::Ident) -> Segment {
        let range = self.map.range(ident.span());
        Segment { name: name_of(ident), range, args: Vec::new(), fn_output: None }
    }

    /// Items that syn reads and has no type for: `macro` definitions, functions without a body where one is needed,
    /// `const impl` and `const trait`.
    pub(super) fn verbatim(&self, tokens: &TokenStream) -> Option<Item> {
        let parsed = (|input: ParseStream| {
            let attrs = input.call(syn::Attribute::parse_outer)?;
            let vis: syn::Visibility = input.parse()?;
            if input.peek(syn::Token![macro]) {
                let keyword: syn::Token![macro] = input.parse()?;
                let name: syn::Ident = input.parse()?;
                let rest: TokenStream = input.parse()?;
                return Ok(self.macro_definition(&attrs, &vis, keyword.span, &name, rest));
            }
            if input.peek(syn::Token![const]) && input.fork().parse::<syn::Signature>().is_err() {
                input.parse::<syn::Token![const]>()?;
                let mut item = self.items(&[input.parse()?]).pop();
                if let Some(item) = &mut item {
                    item.attrs.splice(0..0, lower_attrs(&attrs, self.map));
                }
                return Ok(item);
            }
            let sig: syn::Signature = input.parse()?;
            let semi: syn::Token![;] = input.parse()?;
            Ok(Some(self.function(&attrs, &vis, &syn::FnModifiers::default(), &sig, None, semi.span)))
        })
        .parse2(tokens.clone());
        parsed.ok().flatten()
    }

    fn macro_definition(
        &self,
        attrs: &[syn::Attribute],
        vis: &syn::Visibility,
        first: Span,
        name: &syn::Ident,
        rest: TokenStream,
    ) -> Option<Item> {
        let last = match rest.clone().into_iter().last()? {
            TokenTree::Group(group) => group.span_close(),
            other => other.span(),
        };
        let tokens = from_stream(rest, self.map);
        let def = macro_item(name_of(name), &lower_attrs(attrs, self.map), &tokens);
        let head = Head { attrs, vis, first, last, name: Some(name) };
        Some(self.finish(head, ItemKind::MacroRules(Arc::new(def))))
    }
}

fn signature_start(sig: &syn::Signature) -> Span {
    let safety = match &sig.safety {
        syn::Safety::Safe(token) => Some(token.span),
        syn::Safety::Unsafe(token) => Some(token.span),
        syn::Safety::Default => None,
    };
    (sig.constness.as_ref().map(|token| token.span))
        .or(sig.asyncness.as_ref().map(|token| token.span))
        .or(safety)
        .or(sig.abi.as_ref().map(|abi| abi.extern_token.span))
        .unwrap_or(sig.fn_token.span)
}

/// `extern` alone means C.
fn abi_name(abi: &syn::Abi) -> Name {
    match &abi.name {
        Some(name) => Name::new(&name.value()),
        None => Name::new("C"),
    }
}
