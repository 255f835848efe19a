//! Finds function bodies in a file without parsing it, indexes their identifiers, and makes what is parsed of the rest.
//!
//! In: a file's text, or the part of it that holds one item. Out: a `Scan`. Invariants: whatever is left in the
//! skeleton stands at its original line and column; a function's body is `{}` there, an initializer is `0`; comments
//! are gone. Macro calls and definitions are kept whole, so nothing in them counts as a body. A body that is overlooked
//! only costs the time to parse it.
//!
//! Why: parsing is 40 times as slow as scanning, and most bodies are never looked at. Doc comments alone are a third
//! of what syn would read of a well documented crate.

use super::direct::Stream;
use super::guard::{self, MAX_NUMBER};
use super::lexer::{Lexer, Token, TokenKind, closing, may_name_macro};
use super::names::{NameIndex, Words};
use super::skeleton::Skeleton;
use crate::hir::{BodyIndex, DirectiveComment, TextRange};

/// What one pass over a text finds.
pub(super) struct Scan<'t> {
    /// The tokens outside bodies; a body is its braces, an initializer one number.
    pub(super) tokens: Stream<'t>,
    /// The guard has nothing against the tokens.
    pub(super) checked: bool,
    /// By ascending start.
    pub(super) bodies: Vec<BodyIndex>,
    pub(super) comments: Vec<DirectiveComment>,
}

/// Scans `text[range]`, which starts and ends between items.
pub(super) fn scan(text: &str, range: TextRange) -> Scan<'_> {
    let start = code(text, range).lo;
    let mut scanner = Scanner::new(text, TextRange::new(start, range.hi), None);
    scanner.items();
    let checked = scanner.ends_well && guard::allows(scanner.tokens.seen());
    Scan { tokens: scanner.tokens, checked, bodies: scanner.bodies, comments: scanner.comments }
}

/// The text to be parsed in the place of `text[range]`, which starts and ends between items.
pub(super) fn skeleton(text: &str, range: TextRange) -> String {
    let start = code(text, range).lo;
    let mut skeleton = Skeleton::new(text, range);
    skeleton.drop(range.lo as usize, start as usize);
    let mut scanner = Scanner::new(text, TextRange::new(start, range.hi), Some(skeleton));
    scanner.items();
    scanner.skeleton.map_or_else(String::new, |skeleton| skeleton.render())
}

/// What `Scan::bodies` says of a body, for one that a scan overlooked.
pub(super) fn index(text: &str, range: TextRange) -> BodyIndex {
    let mut lexer = Lexer::new(text, range.lo as usize, range.hi as usize);
    let mut names = NameIndex::new(text, (range.hi - range.lo) as usize);
    let (_, words) = names.body(&mut lexer, |_| ());
    indexed(range, words)
}

fn indexed(range: TextRange, words: Words) -> BodyIndex {
    let Words { plain, dotted, macros } = words;
    BodyIndex { range, identifiers: plain, dotted, macros }
}

/// The range without white space and comments at its ends. Empty if nothing else is there.
pub(super) fn trim(text: &str, range: TextRange) -> TextRange {
    let mut tokens =
        Lexer::new(text, range.lo as usize, range.hi as usize).filter(|token| !token.is_comment());
    let Some(first) = tokens.next() else { return TextRange::new(range.lo, range.lo) };
    let last = tokens.last().unwrap_or(first);
    TextRange::new(first.lo as u32, last.hi as u32)
}

/// The brace that opens what a keyword before the range declares, if there is one before its end.
pub(super) fn open_brace(text: &str, range: TextRange) -> Option<TextRange> {
    Scanner::new(text, range, None).header(b'{')
}

/// The range without what may stand at the start of a file and is no Rust.
pub(super) fn code(text: &str, range: TextRange) -> TextRange {
    match range.lo {
        0 => TextRange::new((preamble(text) as u32).min(range.hi), range.hi),
        _ => range,
    }
}

/// Bytes at the start of a file that are no Rust: byte order mark, shebang line, the front matter of a cargo script.
fn preamble(text: &str) -> usize {
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    if text[at..].starts_with("#!") {
        let first = Lexer::new(text, at + 2, text.len()).find(|token| !token.is_comment());
        if first.is_none_or(|token| token.kind != TokenKind::Open(b'[')) {
            at = line_end(at);
        }
    }
    let fence = text[at..].trim_start();
    if fence.starts_with("---")
        && let Some(close) = fence.find("\n---")
    {
        at = line_end(text.len() - fence.len() + close + 1);
    }
    at
}

struct Scanner<'t> {
    text: &'t str,
    lexer: Lexer<'t>,
    names: NameIndex<'t>,
    /// If it is wanted.
    skeleton: Option<Skeleton<'t>>,
    tokens: Stream<'t>,
    /// The last of `tokens` was looked at only.
    peeked: bool,
    /// No number is huge, and all bodies end.
    ends_well: bool,
    bodies: Vec<BodyIndex>,
    comments: Vec<DirectiveComment>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str, range: TextRange, skeleton: Option<Skeleton<'t>>) -> Scanner<'t> {
        let (lo, hi) = (range.lo as usize, range.hi as usize);
        let len = hi.saturating_sub(lo);
        Scanner {
            text,
            lexer: Lexer::new(text, lo, hi),
            names: NameIndex::new(text, len),
            skeleton,
            tokens: Stream::with_room(len / BYTES_A_TOKEN),
            peeked: false,
            ends_well: true,
            bodies: Vec::new(),
            comments: Vec::new(),
        }
    }

    /// The kind of the next token outside bodies, which is taken.
    #[inline]
    fn next(&mut self) -> Option<TokenKind> {
        let kind = self.peek()?;
        self.peeked = false;
        Some(kind)
    }

    /// The kind of the next token outside bodies.
    #[inline]
    fn peek(&mut self) -> Option<TokenKind> {
        if !self.peeked {
            self.read()?;
            self.peeked = true;
        }
        self.tokens.last().map(|token| token.kind)
    }

    /// Adds the next token that is no comment.
    fn read(&mut self) -> Option<()> {
        loop {
            let token = self.lexer.next()?;
            let name = match token.kind {
                TokenKind::LineComment | TokenKind::BlockComment => {
                    self.comment(token);
                    continue;
                }
                TokenKind::Ident => Some(self.names.name(token)),
                TokenKind::Number => {
                    self.ends_well &= token.hi - token.lo <= MAX_NUMBER;
                    None
                }
                _ => None,
            };
            self.tokens.push(token, self.text, name);
            return Some(());
        }
    }

    fn comment(&mut self, token: Token) {
        self.comments.extend(directive(token, self.text));
        if let Some(skeleton) = &mut self.skeleton {
            skeleton.drop(token.lo, token.hi);
        }
    }

    /// The text of the token that was looked at, or taken if none was.
    fn last_text(&self) -> &'t str {
        self.tokens.last().map_or("", |token| token.text)
    }

    /// Everything at the level of items: what stands in files, modules, impls, traits and extern blocks, with the
    /// fields of structs and enums in between.
    fn items(&mut self) {
        // Only attributes and modifiers came since the last item ended, so a keyword here begins an item.
        let mut at_start = true;
        while let Some(kind) = self.next() {
            at_start = match kind {
                TokenKind::Ident => self.word(at_start),
                TokenKind::Punct(b';') | TokenKind::Open(b'{') | TokenKind::Close(b'}') => true,
                TokenKind::Punct(b'#') => {
                    self.attribute();
                    at_start
                }
                // The ABI of `extern "C" fn`.
                TokenKind::Str => at_start,
                _ => false,
            };
        }
    }

    /// After a word at the level of items; returns whether an item may begin there.
    fn word(&mut self, at_start: bool) -> bool {
        let word = self.last_text();
        let next = self.peek();
        if next == Some(TokenKind::Punct(b'!')) && may_name_macro(TokenKind::Ident, word) {
            return self.macro_call(at_start);
        }
        if !at_start {
            return false;
        }
        let next_is_word = next == Some(TokenKind::Ident);
        match word {
            "fn" if next_is_word => self.function(),
            "const" if next_is_word && is_fn_qualifier(self.last_text()) => {}
            "const" | "static" if next_is_word => self.initializer(),
            "macro" if next_is_word => self.macro_definition(),
            "pub" if next == Some(TokenKind::Open(b'(')) => self.group(),
            "pub" | "unsafe" | "async" | "extern" | "default" | "safe" | "crate" => {}
            _ => return false,
        }
        true
    }

    /// After `#`: `[…]` or `![…]`.
    fn attribute(&mut self) {
        if self.peek() == Some(TokenKind::Punct(b'!')) {
            self.next();
        }
        if self.peek() == Some(TokenKind::Open(b'[')) {
            self.group();
        }
    }

    /// A bracketed group, its brackets included. Only brackets of its own kind are counted.
    fn group(&mut self) {
        let Some(TokenKind::Open(open)) = self.next() else { return };
        let close = closing(open);
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                Some(TokenKind::Open(byte)) if byte == open => depth += 1,
                Some(TokenKind::Close(byte)) if byte == close => depth -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// After a macro's name: `!(…)`, `!{…}`, `! name {…}`.
    fn macro_call(&mut self, at_start: bool) -> bool {
        self.next();
        if self.peek() == Some(TokenKind::Ident) {
            self.next();
        }
        match self.peek() {
            Some(TokenKind::Open(open)) => {
                self.group();
                at_start || open == b'{'
            }
            _ => false,
        }
    }

    /// After `macro`: `name {…}` or `name(…) {…}`.
    fn macro_definition(&mut self) {
        self.next();
        if self.peek() == Some(TokenKind::Open(b'(')) {
            self.group();
        }
        if self.peek() == Some(TokenKind::Open(b'{')) {
            self.group();
        }
    }

    /// After `fn`: the signature, and the body if there is one.
    fn function(&mut self) {
        if let Some(open) = self.header(b'{') {
            self.body(open);
        }
    }

    /// From after the keyword to the first `stop` that stands in no brackets and no generic arguments: its place. `None` if
    /// the declaration ends before.
    fn header(&mut self, stop: u8) -> Option<TextRange> {
        let mut angles = 0_u32;
        let mut before = None;
        while let Some(kind) = self.peek() {
            match kind {
                TokenKind::Open(b) | TokenKind::Punct(b) if b == stop && angles == 0 => {
                    self.next();
                    return self.tokens.last().map(|token| token.range);
                }
                // The end of the block around a declaration that doesn't end.
                TokenKind::Close(b'}') => return None,
                TokenKind::Open(_) => {
                    self.group();
                    before = None;
                    continue;
                }
                TokenKind::Punct(b';') => {
                    self.next();
                    return None;
                }
                TokenKind::Punct(b'!') if before == Some(TokenKind::Ident) && self.bang_calls() => {
                    self.macro_call(false);
                    before = None;
                    continue;
                }
                TokenKind::Punct(b'<') => angles += 1,
                TokenKind::Punct(b'>')
                    if !matches!(before, Some(TokenKind::Punct(b'-') | TokenKind::Punct(b'='))) =>
                {
                    angles = angles.saturating_sub(1);
                }
                _ => {}
            }
            before = self.next();
        }
        None
    }

    /// Whether the word before the token that was looked at may be a macro's name.
    fn bang_calls(&self) -> bool {
        self.tokens.before_last().is_some_and(|token| may_name_macro(token.kind, token.text))
    }

    /// From the brace at `open` to the one that closes it. Without one the text is left as it is.
    fn body(&mut self, open: TextRange) {
        let (text, comments) = (self.text, &mut self.comments);
        let note = |token| comments.extend(directive(token, text));
        let (close, words) = self.names.body(&mut self.lexer, note);
        let Some(close) = close else {
            self.ends_well = false;
            return;
        };
        if let Some(skeleton) = &mut self.skeleton {
            skeleton.drop(open.hi as usize, close.lo);
        }
        self.tokens.push(close, self.text, None);
        self.bodies.push(indexed(TextRange::new(open.lo, close.hi as u32), words));
    }

    /// After `const` or `static`: up to its `;`, leaving `0` in the place of the value.
    fn initializer(&mut self) {
        if self.header(b'=').is_none() {
            return;
        }
        let mut depth = 0;
        let mut value: Option<(usize, usize)> = None;
        // Comments before the value are dropped one by one.
        while let Some(token) = self.lexer.next() {
            match token.kind {
                TokenKind::LineComment | TokenKind::BlockComment => {
                    self.comments.extend(directive(token, self.text));
                    if let (Some(skeleton), None) = (&mut self.skeleton, value) {
                        skeleton.drop(token.lo, token.hi);
                    }
                    continue;
                }
                TokenKind::Open(_) => depth += 1,
                TokenKind::Close(_) if depth == 0 => break,
                TokenKind::Close(_) => depth -= 1,
                TokenKind::Punct(b';') if depth == 0 => {
                    self.end_initializer(value, token);
                    return;
                }
                _ => {}
            }
            value = Some((value.map_or(token.lo, |(lo, _)| lo), token.hi));
        }
        self.ends_well = false;
    }

    fn end_initializer(&mut self, value: Option<(usize, usize)>, semicolon: Token) {
        if let Some((lo, hi)) = value {
            if let Some(skeleton) = &mut self.skeleton {
                skeleton.replace(lo, hi, "0");
            }
            self.tokens.push(Token { kind: TokenKind::Number, lo, hi }, self.text, None);
        }
        self.tokens.push(semicolon, self.text, None);
    }
}

/// One token outside bodies comes about so often.
const BYTES_A_TOKEN: usize = 12;

fn is_fn_qualifier(word: &str) -> bool {
    matches!(word, "fn" | "async" | "unsafe" | "extern" | "safe")
}

/// `// racelint: …` and `//! racelint: …`.
fn directive(token: Token, text: &str) -> Option<DirectiveComment> {
    let comment = token.text(text).strip_prefix("//")?;
    let (inner, comment) = match comment.strip_prefix('!') {
        Some(comment) => (true, comment),
        None => (false, comment),
    };
    let text = comment.trim_start().strip_prefix("racelint:")?.trim().to_owned();
    Some(DirectiveComment { range: TextRange::new(token.lo as u32, token.hi as u32), inner, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::Name;

    fn whole(text: &str) -> Scan<'_> {
        scan(text, TextRange::new(0, text.len() as u32))
    }

    fn bare(text: &str) -> String {
        skeleton(text, TextRange::new(0, text.len() as u32))
    }

    fn bodies(text: &str) -> Vec<&str> {
        whole(text).bodies.iter().map(|b| &text[b.range.lo as usize..b.range.hi as usize]).collect()
    }

    #[test]
    fn bodies_are_found_behind_any_signature() {
        for signature in [
            "fn f()",
            "pub(crate) async fn f()",
            "const unsafe extern \"C\" fn r#fn()",
            "#[a = \"{\"] #[b({})] pub fn f()",
            "fn f<const N: usize, T: A<{ N + 1 }, B = C<{ 2 > 1 }>>>(x: [u8; { N }]) -> A<{ N }>",
            "fn f(x: fn(u8) -> u8, y: impl Fn() -> u8) -> Box<dyn Fn(u8) -> u8>",
            "fn f<T>() -> <<T as A>::B as C>::D where T: Fn(u8) -> u8, for<'a> &'a T: PartialOrd<u8>",
            "fn f() -> !",
            "fn f(c: char /* ' { */) -> r#type!{ {} }",
            "pub default unsafe fn f<'a>(&'a self, (a, b): (u8, u8)) // {\n",
        ] {
            let text = format!("{signature} {{ body(\"}}\", '}}') }}");
            assert_eq!(bodies(&text), ["{ body(\"}\", '}') }"], "{text}");
            assert!(bare(&text).ends_with('}'));
        }
    }

    #[test]
    fn bodies_are_found_in_any_container() {
        let text =
            "mod m { impl<T> A<{ N }> for B { fn a() {1} const C: u8 = { fn no() {0} 1 }; fn b() {2} } }
            trait T { fn d(&self); fn e() {3} type X; fn f() {4} } extern \"C\" { fn g(x: fn(u8)); }
            struct S { f: fn() -> u8, } enum E { V { f: fn() } } fn h() { fn inner() {} }";
        assert_eq!(bodies(text), ["{1}", "{2}", "{3}", "{4}", "{ fn inner() {} }"]);
    }

    #[test]
    fn macros_are_kept_whole() {
        let text = "macro_rules! m { ($a:ident) => { fn $a() {} fn b() {} }; } m! { fn c() { x } } a::m!(fn d() {});
            pub macro n($a:ident) { fn e() {} } macro o { () => { fn f() {} } } m! { name { fn g() {} } } fn h() {1}";
        assert_eq!(bodies(text), ["{1}"]);
        assert_eq!(bare(text), text.replace("{1}", "{ }"));
    }

    #[test]
    fn a_body_index_has_each_identifier_once_in_order() {
        let text = "use a::b; fn f(x: X) { let y = r#type(x, y); m!(z, \"{cap} {{no}} {n:?}\"); /* c */ 'l: loop {} }";
        let found = whole(text);
        let words = |names: &[Name]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!(words(&found.bodies[0].identifiers), "y type x m z cap no n");
    }

    #[test]
    fn what_is_left_stays_where_it_was() {
        let text = "\u{feff}#!/bin/sh\n/// é {\n/* ö */ fn /* ü\n */ f() { é();\n\n  } \
                    static A: [u8; 2] = /* c */ [1,\n 2] ; // x\nmod é;";
        let skeleton = bare(text);
        let lines: Vec<_> = skeleton.lines().map(str::trim_end).collect();
        let expected =
            ["", "", "        fn", "    f() {", "", "  } static A: [u8; 2] =         0", "    ;", "mod é;"];
        assert_eq!(lines, expected);
    }

    #[test]
    fn directives_are_collected_everywhere() {
        let text = "//! racelint: allow(x)\nfn f() { a(); // racelint:  allow(y) \n }\n/// racelint: no\n\
                    const A: u8 = 1 // racelint: z\n;// not racelint: w";
        let comments = whole(text).comments;
        let all: Vec<_> = comments.iter().map(|c| (c.inner, c.text.as_str(), c.range.lo)).collect();
        let at = |needle| text.find(needle).unwrap() as u32;
        let expected = [
            (true, "allow(x)", 0),
            (false, "allow(y)", at("// racelint:  allow(y)")),
            (false, "z", at("// racelint: z")),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_never_ends_is_left_alone() {
        for text in
            ["fn f() { a", "static A: u8 = 1", "mod m { const A: u8 = 1 }", "fn f(", "fn f<", "m! { fn g() {"]
        {
            let found = whole(text);
            assert_eq!(bare(text), text);
            assert!(found.bodies.is_empty());
        }
    }
}
