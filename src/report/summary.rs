//! The counts of a run: the summary line and the table of `--stats`.
//!
//! In: a report. Out: lines for stderr (the summary line also ends a human report that goes to a file).

use crate::finding::{Level, Report};
use std::collections::BTreeSet;
use std::io;

/// `2 findings (1 error, 1 warning) in 14 files, 3,201 lines; 1 file could not be parsed in full`
pub fn line(report: &Report) -> String {
    let summary = &report.summary;
    let mut text = match report.findings.len() {
        0 => "no findings".to_owned(),
        n => format!("{} ({})", count(n as u64, "finding"), levels(report)),
    };
    text.push_str(&format!(" in {}, {}", count(summary.files, "file"), count(summary.lines, "line")));
    if summary.suppressed > 0 {
        text.push_str(&format!("; {} suppressed", thousands(summary.suppressed)));
    }
    let broken: BTreeSet<&str> =
        report.errors.iter().filter(|error| !error.fatal).map(|error| error.file.as_str()).collect();
    if !broken.is_empty() {
        text.push_str(&format!("; {} could not be parsed in full", count(broken.len() as u64, "file")));
    }
    if summary.cut > 0 {
        text.push_str(&format!("; cut short in {}", count(summary.cut, "place")));
    }
    text
}

/// Counts, blind spots and times per room, one a line.
pub fn write_stats(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let summary = &report.summary;
    let counts = [
        ("files", summary.files),
        ("lines", summary.lines),
        ("functions", summary.functions),
        ("contexts", summary.contexts),
        ("places", summary.places),
        ("suppressed", summary.suppressed),
        ("cut short", summary.cut),
    ];
    let rows = |rows: &[(&str, u64)]| {
        rows.iter().map(|(name, n)| ((*name).to_owned(), thousands(*n))).collect::<Vec<_>>()
    };
    let seconds = summary.times.iter().map(|(room, time)| ((*room).to_owned(), format!("{time:.3} s")));
    write_table("analysed", &rows(&counts), out)?;
    write_table("not understood", &rows(&summary.blind), out)?;
    write_table("time", &seconds.collect::<Vec<_>>(), out)
}

/// A heading and rows, names to the left, values to the right; nothing without rows.
fn write_table(heading: &str, rows: &[(String, String)], out: &mut dyn io::Write) -> io::Result<()> {
    let width =
        |cell: fn(&(String, String)) -> &String| rows.iter().map(|row| cell(row).chars().count()).max();
    let (Some(name_width), Some(value_width)) = (width(|row| &row.0), width(|row| &row.1)) else {
        return Ok(());
    };
    writeln!(out, "{heading}:")?;
    for (name, value) in rows {
        writeln!(out, "  {name:<name_width$}  {value:>value_width$}")?;
    }
    Ok(())
}

fn levels(report: &Report) -> String {
    let of = |level| report.findings.iter().filter(|finding| finding.level == level).count() as u64;
    let named = [Level::Error, Level::Warning, Level::Note].map(|level| (of(level), level.as_str()));
    let parts = named.iter().filter(|(n, _)| *n > 0).map(|(n, name)| count(*n, name));
    parts.collect::<Vec<_>>().join(", ")
}

/// `1 file`, `3,201 lines`.
fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// Digits in groups of three.
fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::finding::{Finding, Level, Report, RunError, Summary};
    use crate::report::samples::demonstration;
    use crate::report::summary;

    #[test]
    fn the_summary_line_counts_what_matters() {
        let mut report = demonstration();
        assert_eq!(summary::line(&report), "1 finding (1 error) in 14 files, 3,201 lines");

        report.findings.push(Finding { level: Level::Warning, ..report.findings[0].clone() });
        report.errors = [("a.rs", 3), ("a.rs", 9), ("b.rs", 1)]
            .map(|(file, line)| RunError {
                file: file.to_owned(),
                line,
                column: 1,
                message: "expected an item".to_owned(),
                fatal: false,
            })
            .to_vec();
        report.summary = Summary { suppressed: 2, cut: 1, ..report.summary };
        assert_eq!(
            summary::line(&report),
            "2 findings (1 error, 1 warning) in 14 files, 3,201 lines; 2 suppressed; \
             2 files could not be parsed in full; cut short in 1 place"
        );

        let nothing =
            Report { summary: Summary { files: 1, lines: 0, ..Summary::default() }, ..Report::default() };
        assert_eq!(summary::line(&nothing), "no findings in 1 file, 0 lines");
    }

    #[test]
    fn stats_are_tables() {
        let mut report = demonstration();
        report.summary.blind = vec![("unknown macros", 3), ("unresolved calls", 1200)];
        report.summary.times = vec![("project", 0.0125), ("interp", 1.5)];
        let mut out = Vec::new();
        summary::write_stats(&report, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        analysed:
          files          14
          lines       3,201
          functions       0
          contexts        0
          places          0
          suppressed      0
          cut short       0
        not understood:
          unknown macros        3
          unresolved calls  1,200
        time:
          project  0.013 s
          interp   1.500 s
        "#);
    }
}
