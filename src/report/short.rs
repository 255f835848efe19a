//! One line a finding, `path:line:col: level[rule]: message`, for grep, editors' quickfix lists and scripts.
//!
//! In: a report. Out: text without colour; the position is that of the primary access (see `Finding::primary`).

use super::lines::Sources;
use crate::finding::Report;
use std::io;

/// Writes the lines. Errs only when `out` does.
pub fn write(report: &Report, sources: &Sources<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for finding in &report.findings {
        let (level, rule, message) = (finding.level.as_str(), finding.rule, &finding.message);
        match finding.primary() {
            Some(at) => {
                let start = sources.start(at);
                let path = sources.path(at.file);
                writeln!(out, "{path}:{}:{}: {level}[{rule}]: {message}", start.line, start.column)?;
            }
            None => writeln!(out, "{level}[{rule}]: {message}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::report::Format;
    use crate::report::samples::{demonstration, render};

    #[test]
    fn short_is_a_line_a_finding() {
        insta::assert_snapshot!(render(Format::Short, &demonstration()), @"src/main.rs:6:14: error[static-mut-race]: `A` is updated by `thread_one` and `thread_two` with no lock in common");
    }
}
