//! From proc-macro2's spans (line and column in the text that was parsed) to byte ranges of the file.
//!
//! In: which piece of the file a text is (or keeps the lines and columns of), or the table of a rendered token list;
//! spans of trees that were parsed from that text on this thread. Out: `TextRange`s of the original file.
//! Invariants: spans are read only inside `parse`'s closure; the thread's span table is emptied when the outermost
//! parse of the thread is done, so a nested parse never takes the spans of the tree around it away.

use super::guard;
use crate::hir::{SyntaxError, TextRange};
use proc_macro2::{LineColumn, Span};
use std::cell::Cell;
use std::fmt;
use syn::parse::Parser;

/// Where the tokens of one parsed text stand in the file.
pub(super) struct SourceMap {
    kind: Kind,
    /// Of the whole piece in the file.
    whole: TextRange,
}

enum Kind {
    Text(Lines),
    /// Start positions of the rendered tokens, ascending, with the ranges they came from.
    Synthetic(Vec<(Position, TextRange)>),
}

/// A place in synthetic text: line and column as proc-macro2 counts them (lines from 1, columns from 0 in chars).
pub(super) type Position = (u32, u32);

/// Line starts of a piece of the file, and its characters of more than one byte.
struct Lines {
    /// Byte offset in the file at which each line of the piece starts.
    starts: Vec<u32>,
    /// For each such character: its byte offset, and by how many bytes it and those before it are longer than one.
    wide: Vec<(u32, u32)>,
}

impl SourceMap {
    /// For a text that is the part `range` of the file `text`, or a copy of it in which everything that is left
    /// stands at its original line and column.
    pub(super) fn of_text(text: &str, range: TextRange) -> SourceMap {
        let piece = &text[range.lo as usize..range.hi as usize];
        let mut starts = vec![range.lo];
        starts.extend(piece.match_indices('\n').map(|(at, _)| range.lo + at as u32 + 1));
        let mut wide = Vec::new();
        if !piece.is_ascii() {
            let mut extra = 0;
            for (at, ch) in piece.char_indices().filter(|(_, char)| !char.is_ascii()) {
                extra += ch.len_utf8() as u32 - 1;
                wide.push((range.lo + at as u32, extra));
            }
        }
        SourceMap { kind: Kind::Text(Lines { starts, wide }), whole: range }
    }

    /// For rendered tokens: where each starts in the synthetic text, ascending, and what it stands for.
    pub(super) fn of_tokens(table: Vec<(Position, TextRange)>) -> SourceMap {
        let whole = table.iter().map(|&(_, range)| range).reduce(TextRange::to).unwrap_or_default();
        SourceMap { kind: Kind::Synthetic(table), whole }
    }

    /// The bytes of one token (or of a group, delimiters included).
    pub(super) fn range(&self, span: Span) -> TextRange {
        self.between(span.start(), span.end())
    }

    /// The byte of a punctuation character.
    pub(super) fn char_range(&self, span: Span) -> TextRange {
        match &self.kind {
            Kind::Text(lines) => {
                let lo = lines.offset(span.start()).min(self.whole.hi);
                TextRange::new(lo, (lo + 1).min(self.whole.hi))
            }
            Kind::Synthetic(table) => Self::last_at(table, span.start(), true).unwrap_or(self.whole),
        }
    }

    /// From the first token's start to the last token's end.
    pub(super) fn join(&self, first: Span, last: Span) -> TextRange {
        match &self.kind {
            Kind::Text(_) => self.between(first.start(), last.end()),
            Kind::Synthetic(_) => self.range(first).to(self.range(last)),
        }
    }

    /// The same map for a piece of which the text is only a part.
    pub(super) fn within(self, whole: TextRange) -> SourceMap {
        SourceMap { whole, ..self }
    }

    /// The whole piece.
    pub(super) fn whole(&self) -> TextRange {
        self.whole
    }

    fn between(&self, start: LineColumn, end: LineColumn) -> TextRange {
        match &self.kind {
            Kind::Text(lines) => {
                let lo = lines.offset(start).min(self.whole.hi);
                TextRange::new(lo, lines.offset(end).clamp(lo, self.whole.hi))
            }
            Kind::Synthetic(table) => {
                let first = Self::last_at(table, start, true);
                let last = Self::last_at(table, end, false);
                match (first, last) {
                    (Some(first), Some(last)) => first.to(last),
                    (Some(only), None) | (None, Some(only)) => only,
                    (None, None) => self.whole,
                }
            }
        }
    }

    /// The token that starts last before `at` (or exactly there, if `inclusive`).
    fn last_at(table: &[(Position, TextRange)], at: LineColumn, inclusive: bool) -> Option<TextRange> {
        let at = (at.line as u32, at.column as u32);
        let after = table.partition_point(|&(start, _)| start < at || (inclusive && start == at));
        after.checked_sub(1).map(|index| table[index].1)
    }

    /// Where a parse error stands. Errors at the end of the text have no place of their own: they stand at its last
    /// byte.
    fn error(&self, error: &syn::Error) -> SyntaxError {
        let span = error.span();
        let (start, end) = (span.start(), span.end());
        let nowhere = start == end && start.line <= 1 && start.column == 0;
        let range = match nowhere {
            true => TextRange::new(self.whole.hi.saturating_sub(1).max(self.whole.lo), self.whole.hi),
            false => self.between(start, end),
        };
        SyntaxError { range, message: error.to_string() }
    }
}

impl Lines {
    /// The file's byte offset of a position in the piece.
    fn offset(&self, at: LineColumn) -> u32 {
        let line = at.line.saturating_sub(1).min(self.starts.len() - 1);
        let start = self.starts[line];
        if self.wide.is_empty() {
            return start + at.column as u32;
        }
        // In characters counted from the file's start as if each were a byte, a wide one at byte `w` that has `e`
        // extra bytes before it stands at `w - e`.
        let before_line = self.extra(|&(byte, _), _| byte < start);
        let target = start - before_line + at.column as u32;
        target + self.extra(|&(byte, _), before| byte - before < target)
    }

    /// The extra bytes of the wide characters for which `before` holds (it is told the extra bytes before each).
    fn extra(&self, before: impl Fn(&(u32, u32), u32) -> bool) -> u32 {
        let (mut lo, mut hi) = (0, self.wide.len());
        while lo < hi {
            let mid = (lo + hi) / 2;
            let extra_before = mid.checked_sub(1).map_or(0, |previous| self.wide[previous].1);
            match before(&self.wide[mid], extra_before) {
                true => lo = mid + 1,
                false => hi = mid,
            }
        }
        lo.checked_sub(1).map_or(0, |last| self.wide[last].1)
    }
}

impl fmt::Debug for SourceMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceMap").field("whole", &self.whole).finish_non_exhaustive()
    }
}

thread_local! {
    /// How many parses are under way on this thread, one inside the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Counts one parse; the last one to end empties the thread's span table.
struct Session;

impl Session {
    fn begin() -> Session {
        DEPTH.set(DEPTH.get() + 1);
        Session
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let depth = DEPTH.get() - 1;
        DEPTH.set(depth);
        if depth == 0 {
            proc_macro2::extra::invalidate_current_thread_spans();
        }
    }
}

/// Parses `text` (which `map` describes) and runs `then` on the tree while its spans can still be asked. Texts that
/// syn can't be trusted with (nested too deeply) are refused without asking it.
pub(super) fn parse<P: Parser, R>(
    text: &str,
    map: &SourceMap,
    parser: P,
    then: impl FnOnce(P::Output) -> R,
) -> Result<R, SyntaxError> {
    let safe = match guard::check(text) {
        Ok(safe) => safe,
        Err(refusal) => {
            let at = LineColumn { line: refusal.line, column: refusal.column };
            return Err(SyntaxError { range: map.between(at, at), message: refusal.message.to_owned() });
        }
    };
    parse_checked(&safe, map, parser, then)
}

/// As `parse`, for a text that the guard has seen.
pub(super) fn parse_checked<P: Parser, R>(
    text: &str,
    map: &SourceMap,
    parser: P,
    then: impl FnOnce(P::Output) -> R,
) -> Result<R, SyntaxError> {
    let _session = Session::begin();
    match parser.parse_str(text) {
        Ok(tree) => Ok(then(tree)),
        Err(error) => Err(map.error(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::Ident;
    use syn::parse::ParseStream;

    /// The source text under each identifier of `text[lo..]`.
    fn identifiers(text: &str, lo: usize) -> Vec<String> {
        let map = SourceMap::of_text(text, TextRange::new(lo as u32, text.len() as u32));
        let idents = |input: ParseStream| {
            let mut all = Vec::new();
            while !input.is_empty() {
                match input.peek(syn::Lit) {
                    true => drop(input.parse::<syn::Lit>()?),
                    false => all.push(input.parse::<Ident>()?),
                }
            }
            Ok(all)
        };
        let ranges = |all: Vec<Ident>| all.iter().map(|i| map.range(i.span())).collect::<Vec<_>>();
        let ranges = parse(&text[lo..], &map, idents, ranges).unwrap();
        ranges.iter().map(|r| text[r.lo as usize..r.hi as usize].to_owned()).collect()
    }

    #[test]
    fn columns_after_wide_characters_become_bytes() {
        let text = "alpha \"äöü€\" beta\n\"𝒳\" größe 'ß' last\nplain";
        assert_eq!(identifiers(text, 0), ["alpha", "beta", "größe", "last", "plain"]);
    }

    #[test]
    fn a_piece_counts_from_its_own_start() {
        let text = "\"é\" skip \"é\" one \"é\" two\r\n\"é\" three";
        assert_eq!(identifiers(text, text.find("\"é\" one").unwrap()), ["one", "two", "three"]);
    }

    #[test]
    fn an_error_at_the_end_stands_at_the_last_byte() {
        let text = "struct A";
        let map = SourceMap::of_text(text, TextRange::new(0, 8));
        let error = parse(text, &map, <syn::Item as syn::parse::Parse>::parse, |_| ()).unwrap_err();
        assert_eq!(error.range, TextRange::new(7, 8), "{}", error.message);
    }

    #[test]
    fn an_error_stands_at_the_unexpected_token() {
        let text = "struct é é {}";
        let map = SourceMap::of_text(text, TextRange::new(0, text.len() as u32));
        let error = parse(text, &map, <syn::Item as syn::parse::Parse>::parse, |_| ()).unwrap_err();
        assert_eq!(error.range, TextRange::new(10, 12));
    }

    #[test]
    fn a_nested_parse_leaves_the_outer_spans_alone() {
        let text = "outer";
        let map = SourceMap::of_text(text, TextRange::new(0, 5));
        let ident = <Ident as syn::parse::Parse>::parse;
        let range = parse(text, &map, ident, |outer| {
            parse("inner", &map, ident, |inner| map.range(inner.span())).unwrap();
            map.range(outer.span())
        });
        assert_eq!(range, Ok(TextRange::new(0, 5)));
    }
}
