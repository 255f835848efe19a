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
    end: usize,
    out: String,
    /// Up to where the text is in `out` or dropped.
    done: usize,
}

impl<'t> Skeleton<'t> {
    pub(super) fn new(text: &'t str, range: TextRange) -> Skeleton<'t> {
        let (lo, end) = (range.lo as usize, range.hi as usize);
        Skeleton { text, end, out: String::with_capacity((end - lo) / 2), done: lo }
    }

    /// Leaves `text[lo..hi]` out. A part that begins before the last one's end is left alone.
    pub(super) fn drop(&mut self, lo: usize, hi: usize) {
        self.replace(lo, hi, "");
    }

    /// As `drop`, with `stand_in` (ASCII, on one line, not longer than the part's first line) in the part's place.
    pub(super) fn replace(&mut self, lo: usize, hi: usize, stand_in: &str) {
        if lo < self.done || hi <= lo {
            return;
        }
        self.out.push_str(&self.text[self.done..lo]);
        self.out.push_str(stand_in);
        self.done = hi;
        let part = &self.text[lo..hi];
        self.fill(NEWLINES, part.bytes().filter(|&byte| byte == b'\n').count());
        let next = self.text.as_bytes()[..self.end].get(hi);
        if matches!(next, None | Some(b'\n' | b'\r')) {
            return;
        }
        let column = match part.rfind('\n') {
            Some(newline) => part[newline + 1..].chars().count(),
            None => part.chars().count() - stand_in.len(),
        };
        self.fill(BLANKS, column);
    }

    /// `count` times the character that `stock` is made of.
    fn fill(&mut self, stock: &str, mut count: usize) {
        while count > 0 {
            let some = count.min(stock.len());
            self.out.push_str(&stock[..some]);
            count -= some;
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str(&self.text[self.done..self.end]);
        self.out
    }
}
