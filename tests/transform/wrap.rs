//! Puts every item but `main` into a module.

use super::{ident, is_operator, trees, with_contents};
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{File, ImplItem, Item, ItemImpl, Visibility, parse_quote};

/// The module's name.
pub const MODULE: &str = "inner";

/// The program with its items in `mod inner`, all public and imported back.
pub fn wrap(file: File) -> TokenStream {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for mut item in file.items {
        match &item {
            Item::Fn(function) if function.sig.ident == "main" => {
                outside.push(item.into_token_stream());
                continue;
            }
            Item::Use(_) => outside.push(item.to_token_stream()),
            _ => {}
        }
        publish(&mut item);
        inside.push(item.into_token_stream());
    }
    let attributes = file.attrs;
    let program = quote! {
        #(#attributes)*
        #[macro_use]
        mod inner { #(#inside)* }
        #[allow(unused_imports)]
        use inner::*;
        #(#outside)*
    };
    paths_through_module(program)
}

/// Makes an item, its fields and its methods public.
fn publish(item: &mut Item) {
    match item {
        Item::Const(item) => item.vis = public(),
        Item::Enum(item) => item.vis = public(),
        Item::Fn(item) => item.vis = public(),
        Item::Mod(item) => item.vis = public(),
        Item::Static(item) => item.vis = public(),
        Item::Trait(item) => item.vis = public(),
        Item::Type(item) => item.vis = public(),
        Item::Struct(item) => {
            item.vis = public();
            item.fields.iter_mut().for_each(|field| field.vis = public());
        }
        Item::Impl(item) if item.trait_.is_none() => publish_methods(item),
        _ => {}
    }
}

fn publish_methods(item: &mut ItemImpl) {
    for member in &mut item.items {
        match member {
            ImplItem::Fn(method) => method.vis = public(),
            ImplItem::Const(constant) => constant.vis = public(),
            _ => {}
        }
    }
}

fn public() -> Visibility {
    parse_quote!(pub)
}

/// Paths from the crate's root now lead through the module.
fn paths_through_module(stream: TokenStream) -> TokenStream {
    let here = trees(stream);
    let mut result = TokenStream::new();
    for (index, tree) in here.iter().enumerate() {
        match tree {
            TokenTree::Group(inner) => {
                let contents = paths_through_module(inner.stream());
                with_contents(inner, contents).to_tokens(&mut result);
            }
            _ if ident(&here, index).as_deref() == Some("crate")
                && is_operator(&here, index + 1, [':', ':']) =>
            {
                quote!(crate::inner).to_tokens(&mut result);
            }
            tree => tree.to_tokens(&mut result),
        }
    }
    result
}
