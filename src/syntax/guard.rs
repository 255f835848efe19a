//! Refuses or repairs texts that syn can't be trusted with.
//!
//! In: a text that is about to be parsed. Out: the text, with huge integer literals shortened (syn reads them in
//! quadratic time), or where and why it is refused: syn recurses at every bracket, generic argument and prefix
//! operator, and a stack overflow can't be caught. Invariant: lines and columns stay.
//!
//! Measured on a stack of 64 MiB, syn 3 dies at 11,904 nested modules, 10,240 nested generic arguments, 18,432
//! closures, 82,944 prefix operators. Brackets are cut much earlier, because what walks the trees recurses as well.

use super::lexer::{self, Lexer, Token, TokenKind};
use std::borrow::Cow;

/// Deepest nesting of brackets.
const MAX_BRACKETS: usize = 900;
/// Most open `<` in one expression or type, those that are comparisons included.
const MAX_ANGLES: u32 = 2_000;
/// Most `|` in one statement or list: two may begin a closure inside the closure before.
const MAX_BARS: u32 = 8_000;
/// Longest run of tokens without `,` or `;` (a bracketed group counts as one). Each may be a level of recursion
/// (`return return …`, `if if …`); 3,000 method calls in one chain still pass.
const MAX_RUN: u32 = 12_000;
/// Longest number.
pub(super) const MAX_NUMBER: usize = 400;

/// Why a text is not parsed, at a line (from 1) and column (from 0, in characters).
pub(super) struct Refusal {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: &'static str,
}

/// What is counted inside one pair of brackets.
#[derive(Clone, Copy, Default)]
struct Level {
    run: u32,
    angles: u32,
    bars: u32,
    /// A macro's arguments, which syn keeps as they are.
    opaque: bool,
}

/// The text in a form that can be parsed on a stack of 64 MiB and in linear time.
pub(super) fn check(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let mut guard = Guard::default();
    let mut huge = Vec::new();
    for token in Lexer::new(text, 0, text.len()).filter(|token| !token.is_comment()) {
        match guard.take(token.kind, token.text(text)) {
            Verdict::Fine => {}
            Verdict::Huge => huge.push(token),
            Verdict::Deep => return Err(refuse(text, token)),
        }
    }
    Ok(shorten(text, &huge))
}

/// Whether tokens, comments left out, don't nest too deeply. Most texts are too small for it, which is quickly seen.
pub(super) fn allows<'t>(tokens: impl ExactSizeIterator<Item = (TokenKind, &'t str)> + Clone) -> bool {
    tokens.len() <= MAX_RUN as usize && is_flat(tokens.clone().map(|(kind, _)| kind)) || {
        let mut guard = Guard::default();
        tokens.into_iter().all(|(kind, text)| guard.take(kind, text) != Verdict::Deep)
    }
}

/// Whether all brackets, angles and bars together are too few to nest too deeply.
fn is_flat(kinds: impl Iterator<Item = TokenKind>) -> bool {
    let (mut depth, mut deepest, mut angles, mut bars) = (0_usize, 0, 0, 0);
    for kind in kinds {
        match kind {
            TokenKind::Open(_) => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            TokenKind::Close(_) => depth = depth.saturating_sub(1),
            TokenKind::Punct(b'<') => angles += 1,
            TokenKind::Punct(b'|') => bars += 1,
            _ => {}
        }
    }
    deepest <= MAX_BRACKETS && angles <= MAX_ANGLES && bars <= MAX_BARS
}

/// So many tokens can't nest too deeply.
pub(super) const ALWAYS_FINE: usize = 2 * MAX_BRACKETS;

/// Watches the tokens of a text go by.
#[derive(Default)]
pub(super) struct Guard<'t> {
    outer: Vec<Level>,
    level: Level,
    before: [Option<Seen<'t>>; 3],
}

/// A token's kind and text.
type Seen<'t> = (TokenKind, &'t str);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Fine,
    /// The token is a number that takes too long to read.
    Huge,
    /// The text up to the token nests too deeply.
    Deep,
}

impl<'t> Guard<'t> {
    /// The next token, comments left out.
    pub(super) fn take(&mut self, kind: TokenKind, text: &'t str) -> Verdict {
        if ends_before((kind, text), self.before[2]) {
            self.level.restart();
        }
        let mut huge = false;
        match kind {
            TokenKind::Open(_) => {
                self.level.run += 1;
                self.outer.push(self.level);
                let opaque = self.level.opaque || opens_macro(&self.before);
                self.level = Level { opaque, ..Level::default() };
            }
            TokenKind::Close(_) => self.level = self.outer.pop().unwrap_or_default(),
            TokenKind::Punct(char) => self.level.punct(char, self.before[2]),
            TokenKind::Number if text.len() > MAX_NUMBER => huge = true,
            _ => self.level.run += 1,
        }
        self.before = [self.before[1], self.before[2], Some((kind, text))];
        if self.level.is_deep() || self.outer.len() > MAX_BRACKETS {
            return Verdict::Deep;
        }
        if huge { Verdict::Huge } else { Verdict::Fine }
    }
}

impl Level {
    fn punct(&mut self, char: u8, before: Option<Seen>) {
        self.run += 1;
        match char {
            b',' => self.run = 0,
            b'<' => self.angles += 1,
            b'|' => self.bars += 1,
            b'>' if before.is_some_and(|(kind, _)| kind == TokenKind::Punct(b'=')) => self.restart(),
            b'>' => self.angles = self.angles.saturating_sub(1),
            b';' => self.restart(),
            _ => {}
        }
    }

    /// A statement or a match arm's body begins.
    fn restart(&mut self) {
        *self = Level { opaque: self.opaque, ..Level::default() };
    }

    fn is_deep(&self) -> bool {
        !self.opaque && (self.run > MAX_RUN || self.angles > MAX_ANGLES || self.bars > MAX_BARS)
    }
}

/// Whether a statement or item that ends with `}` ended before a token: a word follows that doesn't go on with it.
fn ends_before((kind, text): Seen, before: Option<Seen>) -> bool {
    let starts =
        kind == TokenKind::Punct(b'#') || (kind == TokenKind::Ident && !matches!(text, "else" | "as"));
    starts && before.is_some_and(|(before, _)| before == TokenKind::Close(b'}'))
}

/// Whether a bracket after these tokens holds a macro's arguments: `name!` or `name! ident`.
fn opens_macro(before: &[Option<Seen>; 3]) -> bool {
    let bang = |token: &Option<Seen>| token.is_some_and(|(kind, _)| kind == TokenKind::Punct(b'!'));
    let name = |token: &Option<Seen>| token.is_some_and(|(kind, text)| lexer::may_name_macro(kind, text));
    match before {
        [_, first, second] if bang(second) => name(first),
        [first, second, Some((kind, _))] if bang(second) => name(first) && *kind == TokenKind::Ident,
        _ => false,
    }
}

fn refuse(text: &str, token: Token) -> Refusal {
    let before = &text[..token.lo];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Refusal {
        line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
        column: before[line_start..].chars().count(),
        message: "nested too deeply",
    }
}

/// The text with `0` and blanks for each of these numbers.
fn shorten<'t>(text: &'t str, numbers: &[Token]) -> Cow<'t, str> {
    if numbers.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for number in numbers {
        out.push_str(&text[copied..number.lo]);
        out.push('0');
        out.extend(std::iter::repeat_n(' ', number.text(text).chars().count() - 1));
        copied = number.hi;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::TextRange;
    use crate::syntax::source_map::{SourceMap, parse};
    use std::time::Instant;
    use syn::parse::Parse;

    /// Whether `text` parses as an expression, on a stack as workers have it.
    fn parses(text: String) -> bool {
        let parses = move || {
            let map = SourceMap::of_text(&text, TextRange::new(0, text.len() as u32));
            parse(&text, &map, <syn::Expr as Parse>::parse, |_| ()).is_ok()
        };
        std::thread::Builder::new().stack_size(64 << 20).spawn(parses).unwrap().join().unwrap()
    }

    /// `n` times the one and the other around a `1`.
    fn nest(open: &str, close: &str, n: usize) -> String {
        format!("{}1{}", open.repeat(n), close.repeat(n))
    }

    #[test]
    fn brackets_have_a_limit() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("|| {", "}")] {
            assert!(parses(nest(open, close, MAX_BRACKETS)), "{open}");
            assert!(!parses(nest(open, close, MAX_BRACKETS + 1)), "{open}");
            assert!(!parses(nest(open, close, 100_000)), "{open}");
        }
    }

    #[test]
    fn what_recurses_without_brackets_has_a_limit() {
        for (open, close) in [
            ("&", ""),
            ("-", ""),
            ("return ", ""),
            ("|| ", ""),
            ("|a, b| ", ""),
            ("x::<A<", ">>::y"),
            ("a = ", ""),
            ("if ", ""),
            ("", ".a()"),
            ("", " + 1"),
            ("if a {} else ", "{}"),
        ] {
            parses(nest(open, close, 3_000));
            assert!(!parses(nest(open, close, 100_000)), "{open}…{close}");
        }
        assert!(parses(nest("", ".a()", 2_900)));
        assert!(parses(nest("", " + 1", 5_000)));
        assert!(parses(nest("a < b, ", "", 1).replace("a < b, ", "f(") + &", a < b".repeat(1_000) + ")"));
    }

    #[test]
    fn many_statements_are_no_nesting() {
        assert!(parses(format!("{{ {} }}", "#[a] fn f<T>(x: u8) -> u8 {} ".repeat(5_000))));
    }

    #[test]
    fn macro_arguments_may_be_long() {
        assert!(parses(format!("table! {{ {} }}", "row < ".repeat(50_000))));
    }

    #[test]
    fn huge_numbers_cost_nothing_and_move_nothing() {
        let text = format!("[{}, after]", "9".repeat(1_000_000));
        let start = Instant::now();
        let map = SourceMap::of_text(&text, TextRange::new(0, text.len() as u32));
        let last = |expr: syn::Expr| match expr {
            syn::Expr::Array(array) => match array.elems.last() {
                Some(syn::Expr::Path(path)) => map.range(path.path.segments[0].ident.span()),
                _ => TextRange::default(),
            },
            _ => TextRange::default(),
        };
        let range = parse(&text, &map, <syn::Expr as Parse>::parse, last).unwrap();
        assert_eq!(&text[range.lo as usize..range.hi as usize], "after");
        assert!(start.elapsed().as_secs() < 5);
    }
}
