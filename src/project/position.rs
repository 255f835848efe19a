//! Byte offsets to lines and columns, and errors of the run made from them.

use crate::finding::RunError;

/// Line and column of a byte offset, from 1; columns count characters. An offset past the end is the end's.
pub(super) fn line_column(text: &str, offset: usize) -> (u32, u32) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count() + 1;
    (line as u32, column as u32)
}

/// An error at a byte offset of a file.
pub(super) fn error_at(file: &str, text: &str, offset: usize, message: String) -> RunError {
    let (line, column) = line_column(text, offset);
    RunError { file: file.to_owned(), line, column, message, fatal: false }
}

/// An error of a whole file.
pub(super) fn error_in(file: &str, message: String) -> RunError {
    RunError { file: file.to_owned(), line: 0, column: 0, message, fatal: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a\näö x\n";
        assert_eq!(line_column(text, 0), (1, 1));
        assert_eq!(line_column(text, text.find('x').expect("x")), (2, 4));
        assert_eq!(line_column(text, 999), (3, 1));
        assert_eq!(line_column(text, 3), (2, 1));
    }
}
