//! Rendering: findings and source text in, one document a format out.
//!
//! Invariants. Nothing here knows the engine, and nothing here decides anything about a race: formats only arrange what
//! a finding says. Colour is the writer's business: the same calls on a colourless writer give plain text. Output depends
//! on the report alone.

mod human;
mod json;
pub mod lines;
#[cfg(test)]
mod samples;
mod schedule;
mod short;
pub mod summary;
mod wording;

use crate::finding::{Report, Why};
use codespan_reporting::term::termcolor::WriteColor;
use lines::Sources;
use std::io;

/// An output format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// Source excerpts with labels and notes.
    Human,
    /// One line a finding.
    Short,
    /// One JSON document.
    Json,
}

/// Writes the findings of `report` in `format`. Errs only when `out` does.
pub fn write(
    format: Format,
    report: &Report,
    sources: &Sources<'_>,
    out: &mut dyn WriteColor,
) -> io::Result<()> {
    match format {
        Format::Human => human::write(report, sources, out),
        Format::Short => short::write(report, sources, out),
        Format::Json => json::write(report, sources, out),
    }
}

/// Writes the answer to `--why`, positions as `path:line`.
pub fn write_why(why: &Why, sources: &Sources<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for (template, locations) in &why.lines {
        writeln!(out, "{}", sources.fill(template, locations))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::lines::Sources;
    use super::samples::demonstration;
    use super::write_why;
    use crate::finding::Why;

    #[test]
    fn why_names_its_places() {
        let report = demonstration();
        let at = report.findings[0].accesses[0].at;
        let why = Why { lines: vec![("`thread_one` updates `A` ({0})".to_owned(), vec![at])] };
        let mut out = Vec::new();
        write_why(&why, &Sources::new(&report.files), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "`thread_one` updates `A` (src/main.rs:6)\n");
    }
}
