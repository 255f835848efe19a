//! Byte offsets to lines and columns.
//!
//! In: the run's files. Out: positions, counted from 1, columns in characters; and texts with `{0}` placeholders filled
//! in. Invariants: a file is indexed when the first position in it is asked for, never before; everything here is total:
//! an offset past the end or inside a character is moved back to where a position exists, an unknown file is empty.

use crate::finding::{FileId, Location, SourceText};
use std::cell::OnceCell;
use std::ops::Range;

/// Where the lines of one text start.
#[derive(Clone, Debug)]
pub struct LineIndex {
    /// Byte offsets, ascending, the first 0.
    starts: Vec<usize>,
}

impl LineIndex {
    /// Lines end with `\n` (so also with `\r\n`).
    pub fn new(text: &str) -> LineIndex {
        let after_breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        LineIndex { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The line of a byte offset, counted from 0; the last line for offsets past the end.
    pub fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// The bytes of a line counted from 0, its line break included; `None` past the last line.
    pub fn line_range(&self, text: &str, line: usize) -> Option<Range<usize>> {
        let start = *self.starts.get(line)?;
        let end = self.starts.get(line + 1).copied().unwrap_or(text.len());
        Some(start..end)
    }

    /// Line and column of a byte offset of `text`.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = snap(text, offset);
        let line = self.line_of(offset);
        let column = text[self.starts[line]..offset].chars().count();
        Position { line: line + 1, column: column + 1 }
    }
}

/// A place in a text, both counted from 1, the column in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// The files of a run with their line indices.
pub struct Sources<'a> {
    files: &'a [SourceText],
    indices: Vec<OnceCell<LineIndex>>,
}

impl<'a> Sources<'a> {
    pub fn new(files: &'a [SourceText]) -> Sources<'a> {
        Sources { files, indices: files.iter().map(|_| OnceCell::new()).collect() }
    }

    /// The path as it is shown.
    pub fn path(&self, file: FileId) -> &'a str {
        self.files.get(file.0 as usize).map_or("<unknown>", |source| source.path.as_str())
    }

    pub fn text(&self, file: FileId) -> &'a str {
        self.files.get(file.0 as usize).map_or("", |source| &*source.text)
    }

    /// The line index of a file, built on first use.
    pub fn index(&self, file: FileId) -> Option<&LineIndex> {
        let cell = self.indices.get(file.0 as usize)?;
        Some(cell.get_or_init(|| LineIndex::new(self.text(file))))
    }

    /// Where a location starts.
    pub fn start(&self, at: Location) -> Position {
        self.position(at.file, at.range.lo)
    }

    /// Where a location ends, exclusive.
    pub fn end(&self, at: Location) -> Position {
        self.position(at.file, at.range.hi.max(at.range.lo))
    }

    /// `path:line` of a location's start.
    pub fn path_line(&self, at: Location) -> String {
        format!("{}:{}", self.path(at.file), self.start(at).line)
    }

    /// The bytes of a location that stand on its first line, without the line break.
    pub fn on_first_line(&self, at: Location) -> Range<usize> {
        let text = self.text(at.file);
        let start = snap(text, at.range.lo as usize);
        let end = snap(text, at.range.hi as usize).max(start);
        let first_line = text[start..end].lines().next().unwrap_or("").trim_end();
        start..start + first_line.len()
    }

    /// `template` with every `{N}` replaced by `path:line` of `locations[N]`. In a list (`{0}, {1}` or `{0} and {1}`)
    /// of places in one file only the first carries the path. Other braces stay as they are.
    pub fn fill(&self, template: &str, locations: &[Location]) -> String {
        let mut out = String::with_capacity(template.len() + 16 * locations.len());
        let mut rest = template;
        let mut last_file = None;
        while let Some((before, at, after)) = next_placeholder(rest, locations) {
            out.push_str(before);
            if last_file == Some(at.file) && matches!(before, ", " | " and ") {
                out.push_str(&self.start(at).line.to_string());
            } else {
                out.push_str(&self.path_line(at));
            }
            last_file = Some(at.file);
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn position(&self, file: FileId, offset: u32) -> Position {
        match self.index(file) {
            Some(index) => index.position(self.text(file), offset as usize),
            None => Position { line: 1, column: 1 },
        }
    }
}

/// The first `{N}` with a location: the text before it, the location, the text after it.
fn next_placeholder<'t>(text: &'t str, locations: &[Location]) -> Option<(&'t str, Location, &'t str)> {
    text.match_indices('{').find_map(|(open, _)| {
        let inside = &text[open + 1..];
        let close = inside.find('}')?;
        let at = locations.get(inside[..close].parse::<usize>().ok()?)?;
        Some((&text[..open], *at, &inside[close + 1..]))
    })
}

/// The nearest character boundary at or before `offset`.
fn snap(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::TextRange;

    fn file(path: &str, text: &str) -> SourceText {
        SourceText { path: path.to_owned(), text: text.into() }
    }

    fn at(file: u32, lo: u32, hi: u32) -> Location {
        Location { file: FileId(file), range: TextRange::new(lo, hi) }
    }

    #[test]
    fn columns_count_characters() {
        let text = "let größe = 1;\r\n  zähler += größe;\n";
        let index = LineIndex::new(text);
        let offset = text.find("+=").unwrap();
        assert_eq!(index.position(text, offset), Position { line: 2, column: 10 });
        assert_eq!(index.position(text, text.find("= 1").unwrap()), Position { line: 1, column: 11 });
    }

    #[test]
    fn offsets_outside_the_text_are_moved_into_it() {
        let text = "é\nab";
        let index = LineIndex::new(text);
        assert_eq!(index.position(text, 1), Position { line: 1, column: 1 });
        assert_eq!(index.position(text, 999), Position { line: 2, column: 3 });
        assert_eq!(LineIndex::new("").position("", 7), Position { line: 1, column: 1 });
        assert_eq!(Sources::new(&[]).path_line(at(3, 0, 1)), "<unknown>:1");
    }

    #[test]
    fn a_range_over_several_lines_is_shown_on_its_first() {
        let files = [file("a.rs", "total\n    .load(o);\n")];
        assert_eq!(Sources::new(&files).on_first_line(at(0, 0, 18)), 0..5);
    }

    #[test]
    fn lists_of_places_name_the_file_once() {
        let files = [file("src/a.rs", "1\n2\n3\n"), file("src/b.rs", "1\n2\n")];
        let sources = Sources::new(&files);
        let places = [at(0, 2, 3), at(0, 4, 5), at(1, 2, 3)];
        assert_eq!(
            sources.fill("spawned in `main` ({0}, {1} and {2})", &places),
            "spawned in `main` (src/a.rs:2, 3 and src/b.rs:2)"
        );
        assert_eq!(sources.fill("`S { x }` {9} at {0}", &places), "`S { x }` {9} at src/a.rs:2");
    }
}
