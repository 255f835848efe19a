//! Reads the items in a body's blocks without parsing the rest of the body.
//!
//! In: a file's text and where a body stands in it. Out: for each block that declares items, where it is and the items;
//! or `None` where only the lowered body tells: a macro may make items or its arguments may hold some, a statement may be
//! left out of the build, a keyword stands where no item is understood. Invariant: what is given is what `lower_body`
//! would find.
//!
//! Why: most bodies with items in them are never walked, and to find the items is a hundredth of lowering the body.

use super::direct::Stream;
use super::lexer::{Lexer, Token, TokenKind, closing, may_name_macro};
use super::names::intern_text;
use super::{BlockItems, MacroMeaning, MacroScope, direct, scan};
use crate::hir::{Item, ItemKind, MacroShape, Name, Path, Segment, TextRange};
use std::ops::Range;

/// See `syntax::block_items`.
pub(super) fn block_items(
    text: &str,
    range: TextRange,
    macros: &dyn MacroScope,
    makes_items: &dyn Fn(Name) -> bool,
) -> Option<Vec<BlockItems>> {
    let tokens = Lexer::new(text, range.lo as usize, range.hi as usize).filter(|token| !token.is_comment());
    let tokens = tokens.collect();
    let mut finder = Finder { text, tokens, at: 0, macros, makes_items, open: Vec::new(), found: Vec::new() };
    finder.all()?;
    Some(finder.found)
}

struct Finder<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    macros: &'t dyn MacroScope,
    /// Whether a macro of this name may stand for items.
    makes_items: &'t dyn Fn(Name) -> bool,
    open: Vec<Open>,
    found: Vec<BlockItems>,
}

/// A bracket that is open, with the items that stand right in it.
struct Open {
    byte: u8,
    lo: usize,
    items: Vec<Item>,
}

/// How an item's tokens end.
#[derive(Clone, Copy)]
enum End {
    Semicolon,
    /// Or a brace that closes.
    Brace,
}

impl Finder<'_> {
    fn kind(&self, at: usize) -> Option<TokenKind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// The identifier there; empty if there is none.
    fn word(&self, at: usize) -> &str {
        match self.tokens.get(at) {
            Some(token) if token.kind == TokenKind::Ident => token.text(self.text),
            _ => "",
        }
    }

    fn is_open(&self, at: usize) -> bool {
        matches!(self.kind(at), Some(TokenKind::Open(_)))
    }

    fn all(&mut self) -> Option<()> {
        while let Some(token) = self.tokens.get(self.at).copied() {
            match token.kind {
                TokenKind::Open(byte) => {
                    self.open.push(Open { byte, lo: token.lo, items: Vec::new() });
                    self.at += 1;
                }
                TokenKind::Close(byte) => self.close(byte, token.hi)?,
                TokenKind::Punct(b'#') => self.attributes()?,
                TokenKind::Ident => self.ident(token)?,
                _ => self.at += 1,
            }
        }
        self.open.is_empty().then_some(())
    }

    fn close(&mut self, byte: u8, hi: usize) -> Option<()> {
        let open = self.open.pop().filter(|open| closing(open.byte) == byte)?;
        if !open.items.is_empty() {
            let range = TextRange::new(open.lo as u32, hi as u32);
            self.found.push(BlockItems { range, items: open.items });
        }
        self.at += 1;
        Some(())
    }

    /// Attributes, with the item that they stand on. How far something else goes that they leave out of the build isn't
    /// known here.
    fn attributes(&mut self) -> Option<()> {
        let first = self.at;
        while self.kind(self.at) == Some(TokenKind::Punct(b'#')) {
            let is_inner = self.kind(self.at + 1) == Some(TokenKind::Punct(b'!'));
            let open = self.at + 1 + usize::from(is_inner);
            if self.kind(open) != Some(TokenKind::Open(b'[')) {
                return None;
            }
            self.at = self.end_of_group(open)?;
            if is_inner {
                return Some(());
            }
        }
        match self.item_end() {
            Some(end) => self.item(first, end?),
            None => self.is_enabled(first..self.at).then_some(()),
        }
    }

    /// Whether what has these attributes is surely in the build.
    fn is_enabled(&self, attributes: Range<usize>) -> bool {
        let decides = |token: &Token| matches!(token.text(self.text), "cfg" | "cfg_attr");
        let tokens = &self.tokens[attributes];
        if !tokens.iter().any(decides) {
            return true;
        }
        let mut stream = Stream::default();
        tokens.iter().for_each(|token| stream.push(*token, self.text, None));
        direct::attrs(&stream).is_some_and(|attrs| self.macros.enabled(&attrs))
    }

    fn ident(&mut self, token: Token) -> Option<()> {
        if self.is_call(self.at) {
            return self.macro_call(token);
        }
        if self.begins_statement()
            && let Some(end) = self.item_end()
        {
            return self.item(self.at, end?);
        }
        let is_understood = is_no_item(&self.window(self.at));
        self.at += 1;
        is_understood.then_some(())
    }

    /// Whether what stands before may end a statement or begin a block.
    fn begins_statement(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|before| self.kind(before));
        matches!(before, Some(TokenKind::Open(b'{') | TokenKind::Close(b'}') | TokenKind::Punct(b';')))
    }

    /// Past a call that makes no items and holds none.
    fn macro_call(&mut self, name: Token) -> Option<()> {
        let end = self.end_of_group(self.at + 2)?;
        if self.is_item_macro(name) {
            return None;
        }
        let may_hold_item = (self.at + 2..end).any(|at| self.may_begin_item(at));
        if may_hold_item && !self.holds_no_code(name) {
            return None;
        }
        self.at = end;
        Some(())
    }

    /// Whether the token, one of a macro's arguments, is an item's keyword or calls a macro that makes items.
    fn may_begin_item(&self, at: usize) -> bool {
        let token = self.tokens[at];
        self.is_call(at) && self.is_item_macro(token) || !is_no_item(&self.window(at))
    }

    /// Whether the arguments of the macro are known to be no code.
    fn holds_no_code(&self, name: Token) -> bool {
        let name = Segment {
            name: intern_text(name.text(self.text)),
            range: TextRange::new(name.lo as u32, name.hi as u32),
            args: Vec::new(),
            fn_output: None,
        };
        let path = Path { range: name.range, segments: vec![name], ..Path::default() };
        let meaning = self.macros.lookup(&path);
        matches!(meaning, MacroMeaning::Shape(MacroShape::Constant | MacroShape::Nothing))
    }

    /// Whether a macro's name stands there, and it is called.
    fn is_call(&self, at: usize) -> bool {
        self.kind(at + 1) == Some(TokenKind::Punct(b'!'))
            && self.is_open(at + 2)
            && may_name_macro(self.tokens[at].kind, self.tokens[at].text(self.text))
    }

    fn is_item_macro(&self, name: Token) -> bool {
        let name = name.text(self.text);
        (self.makes_items)(intern_text(name.strip_prefix("r#").unwrap_or(name)))
    }

    /// The words around a token: the one before it, itself, and what comes next.
    fn window(&self, at: usize) -> Window<'_> {
        let text = |at: usize| self.tokens.get(at).map_or("", |token| token.text(self.text));
        let before = at.checked_sub(1).map_or("", text);
        Window { before, word: self.word(at), next: text(at + 1), after: text(at + 2) }
    }

    /// The index after a group.
    fn end_of_group(&self, open: usize) -> Option<usize> {
        let mut depth = 0_u32;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match token.kind {
                TokenKind::Open(_) => depth += 1,
                TokenKind::Close(_) => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// If an item begins here: the index after it, if it ends.
    fn item_end(&self) -> Option<Option<usize>> {
        let mut at = self.at;
        if self.word(at) == "pub" {
            at += 1;
            if self.kind(at) == Some(TokenKind::Open(b'(')) {
                match self.end_of_group(at) {
                    Some(end) => at = end,
                    None => return Some(None),
                }
            }
        }
        let next = self.word(at + 1);
        let is_function = matches!(next, "fn" | "async" | "unsafe" | "extern");
        let end = match self.word(at) {
            "use" | "type" => End::Semicolon,
            "static" if !matches!(next, "" | "move") => End::Semicolon,
            "const" if is_function => End::Brace,
            "const" if self.kind(at + 2) == Some(TokenKind::Punct(b':')) => End::Semicolon,
            "extern" if next == "crate" => End::Semicolon,
            "mod" | "struct" | "enum" | "trait" | "impl" | "fn" | "extern" => End::Brace,
            "unsafe" | "async" if is_function || matches!(next, "impl" | "trait") => End::Brace,
            _ => return None,
        };
        Some(self.end_of_item(at, end))
    }

    fn end_of_item(&self, mut at: usize, end: End) -> Option<usize> {
        loop {
            match self.kind(at)? {
                TokenKind::Punct(b';') => return Some(at + 1),
                TokenKind::Open(byte) => {
                    at = self.end_of_group(at)?;
                    if byte == b'{' && matches!(end, End::Brace) {
                        return Some(at);
                    }
                }
                TokenKind::Close(_) => return None,
                _ => at += 1,
            }
        }
    }

    /// Reads the item from the token `first` up to the token `end`.
    fn item(&mut self, first: usize, end: usize) -> Option<()> {
        let around = self.open.last_mut().filter(|open| open.byte == b'{')?;
        let range = TextRange::new(self.tokens[first].lo as u32, self.tokens[end - 1].hi as u32);
        let found = scan::scan(self.text, range);
        if !found.checked {
            return None;
        }
        let [item] = <[Item; 1]>::try_from(direct::file(&found.tokens)?.items).ok()?;
        if matches!(item.kind, ItemKind::MacroRules(_) | ItemKind::MacroCall { .. }) {
            return None;
        }
        if item.attrs.is_empty() || self.macros.enabled(&item.attrs) {
            around.items.push(item);
        }
        self.at = end;
        Some(())
    }
}

/// A word with its neighbours.
struct Window<'t> {
    before: &'t str,
    word: &'t str,
    next: &'t str,
    after: &'t str,
}

/// Whether a word surely begins no item: it is no item's keyword, or one that stands in an expression or a type.
fn is_no_item(at: &Window<'_>) -> bool {
    match at.word {
        "fn" => at.next == "(",
        "const" => matches!(at.before, "*" | "raw") || matches!(at.next, "{" | "|" | "move" | "async"),
        "static" => matches!(at.next, "|" | "move"),
        "extern" => at.next == "fn" || (at.next.ends_with('"') && at.after == "fn"),
        "union" => !starts_word(at.next),
        "struct" | "enum" | "impl" | "trait" | "use" | "mod" | "type" | "macro_rules" | "macro" => false,
        _ => true,
    }
}

fn starts_word(text: &str) -> bool {
    text.starts_with(|char: char| char == '_' || char.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::{Attr, BodySource};
    use crate::syntax::lower_body;

    /// Knows of one macro that its arguments are no code; `#[cfg(off)]` is off.
    struct Nothing;

    impl MacroScope for Nothing {
        fn lookup(&self, path: &Path) -> MacroMeaning {
            match path.segments.last() {
                Some(last) if last.name == "quote" => MacroMeaning::Shape(MacroShape::Constant),
                _ => MacroMeaning::Unknown,
            }
        }

        fn enabled(&self, attrs: &[Attr]) -> bool {
            !attrs.iter().any(|attr| format!("{:?}", attr.tokens).contains("Ident(\"off\""))
        }
    }

    fn found(text: &str) -> Option<Vec<BlockItems>> {
        block_items(text, TextRange::new(0, text.len() as u32), &Nothing, &|name| name.as_str() == "items")
    }

    #[test]
    fn items_are_those_of_the_lowered_body() {
        let texts = [
            "{ use a::b; { fn f() { g!(fn h() {}) } } const C: u8 = { 1 }; 1 }",
            "{ #[a] #[cfg(on)] pub(crate) struct S { a: fn(u8) } impl S {} unsafe impl Send for S {} let x = S { a }; }",
            "{ if a { static mut A: [u8; 2] = [1; 2]; } else { type T = *const u8; } #[cfg(off)] mod m { use x; } }",
            "{ x.map(|y| { /* é */ async fn f<T: A>() {} unsafe extern \"C\" { fn g(); } y as *const u8 }); }",
            "{ match a { B => { enum E { F } } C if d => { trait T { fn t(); } } _ => const { 1 } } }",
            "{ let p = &raw const x; let q: *const fn(u8) -> u8 = f as unsafe extern \"C\" fn(u8) -> u8; q.union(p); }",
            "{ #![a] #[cfg(on)] { const fn f() {} } #[cfg(off)] fn g() {} #[b] let x = m!(a != b, fn(c)); extern crate d; }",
            "{ a(quote::quote! { impl #a for B { fn c() { items!() } } }); { use d; } quote!(static A: u8 = 1;) }",
            "{ unsafe fn a() -> [u8; { 1 }] {} let s = || { struct S(u8); }; } + { pub use b::{c, d}; }",
        ];
        for text in texts {
            let source = BodySource::Text(TextRange::new(0, text.len() as u32));
            let lowered = lower_body(text, &source, 0, &Nothing);
            assert_eq!(lowered.errors, [], "{text}");
            let read = found(text).unwrap_or_else(|| panic!("{text}"));
            let read: Vec<_> = read.iter().map(|block| format!("{:?}", block.items)).collect();
            let expected: Vec<_> =
                lowered.body.block_items.iter().map(|items| format!("{items:?}")).collect();
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn what_only_lowering_tells_is_left_to_it() {
        let texts = [
            "{ items!(x); }",
            "{ m!(a, b::items! { x }); }",
            "{ m! { { use x; } } }",
            "{ macro_rules! m { () => {} } }",
            "{ #[cfg(off)] { use x; } }",
            "{ union U { a: u8 } }",
            "{ let f: impl F = a; }",
            "{ struct S<const N: usize = { 1 }>; }",
            "{ fn f( }",
            "{ use a }",
            "{ ( }",
        ];
        for text in texts {
            assert!(found(text).is_none(), "{text}");
        }
    }
}
