//! Reads declarations straight from tokens.
//!
//! In: a file's tokens outside bodies, comments left out (a body is its two braces, an initializer one token), or the
//! tokens that a macro made of items, bodies set aside. Out: the same HIR that `items` lowers from syn's tree, at a
//! tenth of the price, for no tree is made and no text is read twice; or `None`. Invariant: what isn't surely
//! understood (an error, syntax that is rare or new) is left to syn, which then reads the whole; so nothing is refused
//! here and no message is made.
//!
//! `cursor` walks the tokens; `trees` reads attributes and macro calls, `types` types and generics, `patterns` the
//! patterns of parameters, `items` and `members` the rest.

mod cursor;
mod items;
mod members;
mod patterns;
mod trees;
mod types;

use super::lexer::{Lexer, Token, TokenKind};
use super::source_map::SourceMap;
use crate::hir::{Attr, Item, ItemTree, Name, TextRange, Tokens};
use cursor::Reader;

/// A token outside bodies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outer {
    pub(super) kind: TokenKind,
    /// Where it is in the text that is read.
    lo: u32,
    hi: u32,
    /// Where it is in the file.
    range: TextRange,
    /// Of an identifier, without `r#`, if the scanner knows it.
    pub(super) name: Option<Name>,
}

impl Outer {
    pub(super) fn new(token: Token, name: Option<Name>) -> Outer {
        let (lo, hi) = (token.lo as u32, token.hi as u32);
        Outer { kind: token.kind, lo, hi, range: TextRange::new(lo, hi), name }
    }
}

/// Where the bodies of what is read are.
#[derive(Clone, Copy)]
enum Bodies<'t> {
    /// In the file, between their braces.
    InFile,
    /// Here, under the number that stands between their braces.
    SetAside(&'t [Tokens]),
}

/// The declarations of a file, bodies left as text; `None`: ask syn.
pub(super) fn file(text: &str, tokens: &[Outer]) -> Option<ItemTree> {
    tree(Reader::new(text, tokens, Bodies::InFile))
}

/// The declarations that a macro made: `text` is rendered from tokens, which `map` knows; the bodies are set aside.
pub(super) fn items(text: &str, map: &SourceMap, bodies: &[Tokens]) -> Option<Vec<Item>> {
    let ranges = map.token_ranges();
    let mut tokens = Vec::with_capacity(ranges.len());
    tokens.extend(Lexer::new(text, 0, text.len()).map(|token| Outer::new(token, None)));
    // What was one token for the macro may be several here: `-1`.
    if tokens.len() != ranges.len() {
        return None;
    }
    tokens.iter_mut().zip(ranges).for_each(|(token, range)| token.range = range);
    tree(Reader::new(text, &tokens, Bodies::SetAside(bodies))).map(|tree| tree.items)
}

/// The outer attributes that `tokens` are, doc comments left out.
pub(super) fn attrs(text: &str, tokens: &[Outer]) -> Option<Vec<Attr>> {
    let mut reader = Reader::new(text, tokens, Bodies::InFile);
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
        (super::file(text, &found.tokens), skeleton_tree(text, whole, &found))
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
