//! The text that syn gets instead of a file: parts are left out, lines and columns stay.
//!
//! In: a text, and by ascending position the parts to leave out. Out: a copy without them in which every newline is
//! kept, and blanks stand only where something follows on the same line. Dropping pays more than blanking:
//! proc-macro2 walks blanks one by one.

use crate::hir::TextRange;

const NEWLINES: &str = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
const BLANKS: &str = "                                ";

pub(super) struct Skeleton<'t> {
    text: &'t str,
    range: TextRange,
    /// Ascending, with what stands there instead.
    parts: Vec<(usize, usize, &'static str)>,
}

impl<'t> Skeleton<'t> {
    pub(super) fn new(text: &'t str, range: TextRange) -> Skeleton<'t> {
        Skeleton { text, range, parts: Vec::new() }
    }

    /// Leaves `text[lo..hi]` out. A part that begins before the last one's end is left alone.
    pub(super) fn drop(&mut self, lo: usize, hi: usize) {
        self.replace(lo, hi, "");
    }

    /// As `drop`, with `stand_in` (ASCII, on one line, not longer than the part's first line) in the part's place.
    pub(super) fn replace(&mut self, lo: usize, hi: usize, stand_in: &'static str) {
        let done = self.parts.last().map_or(self.range.lo as usize, |&(_, hi, _)| hi);
        if done <= lo && lo < hi {
            self.parts.push((lo, hi, stand_in));
        }
    }

    /// The copy.
    pub(super) fn render(&self) -> String {
        let (mut done, end) = (self.range.lo as usize, self.range.hi as usize);
        let mut out = String::with_capacity((end - done) / 2);
        for &(lo, hi, stand_in) in &self.parts {
            out.push_str(&self.text[done..lo]);
            out.push_str(stand_in);
            done = hi;
            let part = &self.text[lo..hi];
            fill(&mut out, NEWLINES, part.bytes().filter(|&byte| byte == b'\n').count());
            let next = self.text.as_bytes()[..end].get(hi);
            if matches!(next, None | Some(b'\n' | b'\r')) {
                continue;
            }
            let column = match part.rfind('\n') {
                Some(newline) => part[newline + 1..].chars().count(),
                None => part.chars().count() - stand_in.len(),
            };
            fill(&mut out, BLANKS, column);
        }
        out.push_str(&self.text[done..end]);
        out
    }
}

/// `count` times the character that `stock` is made of.
fn fill(out: &mut String, stock: &str, mut count: usize) {
    while count > 0 {
        let some = count.min(stock.len());
        out.push_str(&stock[..some]);
        count -= some;
    }
}
