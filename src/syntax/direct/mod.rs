//! Reads declarations and bodies straight from tokens.
//!
//! In: a file's tokens outside bodies, comments left out (a body is its two braces, an initializer one token), or the
//! tokens that a macro made of items, bodies set aside; the tokens of a body, or of what a macro call in one stands for.
//! Out: the same HIR that `syntax::items` and `syntax::body` lower from syn's tree, at a tenth of the price, for no tree
//! is made and no text is read twice; or `None`. Invariant: what isn't surely understood (an error, syntax that is rare
//! or new) is left to syn, which then reads the whole; so nothing is refused here and no message is made.
//!
//! `stream` makes the tokens and `cursor` walks them; `trees` reads attributes and macro calls, `types` types and
//! generics, `paths` paths, `patterns` patterns, `items` and `members` the other declarations, `body` bodies.

mod body;
#[cfg(test)]
mod corpus;
mod cursor;
mod items;
mod members;
mod paths;
mod patterns;
mod stream;
mod trees;
mod types;

use super::body::{Contents, State};
use super::types::Counters;
use crate::hir::{Attr, BodySource, ExprId, Item, ItemTree, TextRange, Tokens, Tt};
use cursor::Reader;

pub(super) use stream::Stream;

/// Where the bodies of what is read are.
#[derive(Clone, Copy)]
enum Bodies<'t> {
    /// In the file, between their braces, which are all that is here of them.
    InFile,
    /// In the file, and here: of items in a block.
    InBlock,
    /// Here only, whole.
    Tokens,
    /// Here, under the number that stands between their braces.
    SetAside(&'t [Tokens]),
}

/// The declarations of a file, bodies left as text; `None`: ask syn.
pub(super) fn file(stream: &Stream) -> Option<ItemTree> {
    tree(Reader::new(&stream.tokens, Bodies::InFile, Counters::default()))
}

/// The declarations that a macro made, their bodies set aside.
pub(super) fn items(tokens: &[Tt], bodies: &[Tokens]) -> Option<Vec<Item>> {
    let stream = Stream::of_tokens(tokens)?;
    tree(Reader::new(&stream.tokens, Bodies::SetAside(bodies), Counters::default())).map(|tree| tree.items)
}

/// Lowers a body; `None`: ask syn, what was lowered is void.
pub(super) fn body(text: &str, source: &BodySource, state: &mut State) -> Option<ExprId> {
    body::source(text, source, state)
}

/// Whether a body surely parses.
pub(super) fn is_sound(text: &str, source: &BodySource) -> bool {
    body::is_sound(text, source)
}

/// Lowers what a macro call in an expression's place, `range`, stands for; `None`: ask syn, the state is what it was.
pub(super) fn code(tokens: &[Tt], range: TextRange, state: &mut State) -> Option<ExprId> {
    body::code(tokens, range, state)
}

/// Lowers what a macro call in a statement's place stands for; `None`: ask syn, the state is what it was.
pub(super) fn statements(tokens: &[Tt], state: &mut State) -> Option<Contents> {
    body::statements(tokens, state)
}

/// The outer attributes that `tokens` are, doc comments left out.
pub(super) fn attrs(stream: &Stream) -> Option<Vec<Attr>> {
    let mut reader = Reader::new(&stream.tokens, Bodies::InFile, Counters::default());
    let attrs = reader.outer_attrs()?.list;
    reader.is_done().then_some(attrs)
}

fn tree(mut reader: Reader) -> Option<ItemTree> {
    let mut attrs = Vec::new();
    reader.inner_attrs(&mut attrs)?;
    let mut items = Vec::new();
    while !reader.is_done() {
        items.push(reader.item()?);
    }
    Some(ItemTree { items, attrs, ..ItemTree::default() })
}

#[cfg(test)]
mod tests {
    use crate::hir::{ItemTree, TextRange};
    use crate::syntax::items::skeleton_tree;
    use crate::syntax::scan::scan;

    fn both(text: &str) -> (Option<ItemTree>, ItemTree) {
        let whole = TextRange::new(0, text.len() as u32);
        let found = scan(text, whole);
        (super::file(&found.tokens), skeleton_tree(text, whole, found.checked))
    }

    #[test]
    fn declarations_are_read_as_syn_reads_them() {
        let texts = [
            "#![a] #[cfg(test)] #[doc = \"x\"] /* é */ pub(crate) mod é { #![b(c)] pub(in a::b) use c::{self, d::*, e as _}; }",
            "use ::a::{b::{self as c}, d}; extern crate e as f; pub mod g; #[unsafe(no_mangle)] static mut A: [u8; N + 1] = f({ 1 });",
            "pub struct A<'a: 'b, T: ?Sized + Fn(u8, &T) -> B = C, const N: usize = 3>(pub (u8, T), #[x] pub(super) &'a [T; 2]) where T: 'a;",
            "enum E<T> where for<'a> &'a T: X<'a>, { A = -1 << 2, #[b] B { c: <T as X<'static>>::D<u8>, }, F(*const T, dyn Y + 'a) } union U { a: u8 }",
            "unsafe impl<#[a] T> !Send for A<T, { 1 }, Item = u8, B: C> where T: D {} impl <T>::X { const A: u8 = 1; default fn b() {} type B<'a> = &'a u8 where Self: 'a; m! { x } }",
            "pub unsafe auto trait T<X>: A + for<'a> B<'a> { const N: usize; type C: D = E; fn f(self: Box<Self>, (a, mut b): (u8, u8)) -> impl F + use<'_, T>; fn g(&mut self) { x } }",
            "pub const async unsafe extern \"C\" fn f<T>(&S { a, ref b, .. }: &S, [c, ..]: [u8; 2], V(d): V, _: fn(x: u8) -> !) -> ! where T: U { y }",
            "unsafe extern { static A: u8; pub safe fn f(x: *mut c_char, ...); type T; } macro_rules! m { ($a:expr) => { 1e-5 <<= 2. \"a\" 'b' r#fn }; } a::m![x]; thread_local! { x }",
        ];
        for text in texts {
            let (direct, syn) = both(text);
            let direct = direct.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(syn.errors, [], "{text}");
            let shown = |tree: &ItemTree| format!("{:#?} {:#?}", tree.items, tree.attrs);
            assert!(shown(&direct) == shown(&syn), "{text}");
        }
    }

    #[test]
    fn what_is_no_rust_is_left_to_syn() {
        let texts = [
            "fn f(",
            "fn fn() {}",
            "fn f(x: u8 u8) {}",
            "fn f();",
            "struct A { b: }",
            "struct A { b: C c: D }",
            "x",
            "impl !A {}",
            "static A: u8;",
            "type A = B + C;",
            "fn f() -> A(u8) {}",
            "#[a = ] fn f() {}",
            "# [a] #![b]",
            "enum E { A = 1 2 }",
            "pub m! {}",
            "m!(x)",
            "m! { ( }",
            "fn f(a | b: u8) {}",
            "trait T { pub fn f(); }",
            "use a::{b c};",
            "mod m { fn f() {}",
            "struct A([u8; 1 1]);",
            "impl A for B for C {}",
            "extern { fn f() {} }",
            "fn f() {} }",
            "#[a",
            "const A: = 1;",
        ];
        for text in texts {
            assert!(both(text).0.is_none(), "{text}");
        }
    }
}
