//! The format for people: one codespan diagnostic a finding.
//!
//! In: a report. Out: for each finding a header, source excerpts with labels (what happens there and in which thread)
//! and notes (why the threads meet, how the place is reached, a losing schedule, the possible results, help).
//! Invariants: every range has one label; at most `MAX_ACCESSES` accesses and `MAX_SPAWNS` spawn sites are excerpted,
//! the others are counted in a note; control characters of the source never reach the terminal.

use super::lines::Sources;
use super::schedule;
use super::wording::{Names, accesses_label, and_list, capped_list, spawn_label};
use crate::finding::{Access, FileId, Finding, Level, Location, Report, Thread, Via};
use codespan_reporting::diagnostic::{Diagnostic, Label, LabelStyle, Severity};
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term::termcolor::WriteColor;
use codespan_reporting::term::{Config, emit_to_write_style};
use std::borrow::Cow;
use std::io;
use std::ops::Range;

const MAX_ACCESSES: usize = 12;
const MAX_SPAWNS: usize = 8;
/// Call chains told in notes, and calls told of one chain.
const MAX_CHAINS: usize = 4;
const MAX_CALLS: usize = 6;
/// Notes are wrapped to this many characters.
const NOTE_WIDTH: usize = 96;

/// Writes all findings. Errs only when `out` does.
pub fn write(report: &Report, sources: &Sources<'_>, out: &mut dyn WriteColor) -> io::Result<()> {
    let config = Config::default();
    let files = Excerpts(sources);
    for finding in &report.findings {
        let diagnostic = diagnostic(finding, sources);
        emit_to_write_style(out, &config, &files, &diagnostic).map_err(|error| match error {
            Error::Io(error) => error,
            other => io::Error::other(other),
        })?;
    }
    Ok(())
}

fn diagnostic(finding: &Finding, sources: &Sources<'_>) -> Diagnostic<FileId> {
    let severity = match finding.level {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Note => Severity::Note,
    };
    let names = Names::new(finding, sources);
    Diagnostic::new(severity)
        .with_code(finding.rule)
        .with_message(&finding.message)
        .with_labels(labels(finding, sources, &names))
        .with_notes(notes(finding, sources, &names))
}

/// The labels, the primary one first, so that its file is shown first.
fn labels(finding: &Finding, sources: &Sources<'_>, names: &Names) -> Vec<Label<FileId>> {
    let mut marks = Marks { sources, labels: Vec::new() };
    let tell_locks = locks_differ(&finding.accesses);
    let primary = finding.primary().map(|at| site(at, sources));

    let accesses: Vec<&Access> = finding.accesses.iter().collect();
    let mut groups = group(&accesses, |access| site(access.at, sources));
    groups.sort_by_key(|(site, _)| Some(site) != primary.as_ref());
    for (_, here) in groups.iter().take(MAX_ACCESSES) {
        marks.add(here[0].at, accesses_label(here, &finding.place, tell_locks, names));
    }

    let threads: Vec<(usize, &Thread)> = finding.threads.iter().enumerate().collect();
    let groups = group(&threads, |(_, thread)| site(thread.spawned_at, sources));
    for (_, here) in groups.iter().take(MAX_SPAWNS) {
        marks.add(here[0].1.spawned_at, spawn_label(here, names));
    }

    if let Some(at) = finding.declared_at {
        let what = if finding.accesses.is_empty() { "is promised" } else { "is declared" };
        marks.add(at, format!("`{}` {what} here", finding.place));
    }
    let is_primary = |label: &Label<FileId>| primary == Some((label.file_id, label.range.clone()));
    if let Some(position) = marks.labels.iter().position(is_primary) {
        marks.labels[position].style = LabelStyle::Primary;
        marks.labels.swap(0, position);
    }
    marks.labels
}

/// A location as far as it is shown.
type Site = (FileId, Range<usize>);

fn site(at: Location, sources: &Sources<'_>) -> Site {
    (at.file, sources.on_first_line(at))
}

/// Labels being collected; a second text for a range joins the first.
struct Marks<'a, 's> {
    sources: &'a Sources<'s>,
    labels: Vec<Label<FileId>>,
}

impl Marks<'_, '_> {
    fn add(&mut self, at: Location, text: String) {
        if self.sources.index(at.file).is_none() {
            return;
        }
        let (file, range) = site(at, self.sources);
        // What is said of a part of an expression needn't be said of the whole again.
        let told = |label: &Label<FileId>| {
            let (part, whole) = (&label.range, &range);
            let inside = part.start == whole.start || part.end == whole.end;
            label.file_id == file && inside && *part != *whole && label.message == text
        };
        if self.labels.iter().any(told) {
            return;
        }
        match self.labels.iter_mut().find(|label| label.file_id == file && label.range == range) {
            Some(label) => label.message = format!("{}; {text}", label.message),
            None => self.labels.push(Label::secondary(file, range).with_message(text)),
        }
    }
}

/// Items with the same key together, groups and items in the order they come.
fn group<T: Copy, K: PartialEq>(items: &[T], key: impl Fn(&T) -> K) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for item in items {
        let key = key(item);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, members)) => members.push(*item),
            None => groups.push((key, vec![*item])),
        }
    }
    groups
}

fn notes(finding: &Finding, sources: &Sources<'_>, names: &Names) -> Vec<String> {
    let home = finding.primary().map(|at| at.file);
    let mut notes = Vec::new();
    if !finding.because.is_empty() {
        notes.push(wrap(&sources.fill(&finding.because, &finding.because_at)));
    }
    notes.extend(locks_note(&finding.accesses).map(|note| wrap(&note)));
    notes.extend(chain_notes(finding, sources, names, home));
    notes.extend(left_out_notes(finding, sources).iter().map(|note| wrap(note)));
    notes.extend(schedule::table(finding, names, sources, home));
    notes.extend(finding.outcomes.as_ref().and_then(schedule::results).map(|note| wrap(&note)));
    notes.extend(finding.fix.as_ref().map(|fix| wrap(&schedule::replacement(fix))));
    // A safe fix says all that the help would.
    let fixed = finding.fix.as_ref().is_some_and(|fix| fix.safe);
    if !finding.help.is_empty() && !fixed {
        notes.push(wrap(&format!("help: {}", finding.help)));
    }
    notes
}

/// Whether it says something which locks each access holds.
fn locks_differ(accesses: &[Access]) -> bool {
    accesses.windows(2).any(|pair| pair[0].locks != pair[1].locks)
}

/// The locks that all accesses hold: that one hold doesn't cover them, or is shared, is the point of the finding.
fn locks_note(accesses: &[Access]) -> Option<String> {
    let first = accesses.first()?;
    if first.locks.is_empty() || locks_differ(accesses) {
        return None;
    }
    let locks: Vec<String> = first.locks.iter().map(|lock| format!("`{lock}`")).collect();
    Some(format!("held at each of these accesses: {}", and_list(&locks)))
}

/// `` `worker` reaches line 12 through `push` (src/a.rs:40) → `bump` (src/a.rs:22) ``, one note a chain.
fn chain_notes(finding: &Finding, sources: &Sources<'_>, names: &Names, home: Option<FileId>) -> Vec<String> {
    let called: Vec<&Access> = finding.accesses.iter().filter(|access| !access.via.is_empty()).collect();
    let chains = group(&called, |access| (access.thread, &access.via));
    let mut notes: Vec<String> = Vec::new();
    for ((thread, via), reached) in chains.iter().take(MAX_CHAINS) {
        let call = |via: &Via| format!("`{}` ({})", via.function, sources.path_line(via.at));
        let mut calls: Vec<String> = via.iter().map(call).collect();
        if calls.len() > MAX_CALLS {
            calls.splice(MAX_CALLS / 2..calls.len() - MAX_CALLS / 2, ["…".to_owned()]);
        }
        let (name, targets) = (names.full(*thread), lines_of(reached, sources, home));
        notes.push(format!("{name} reaches {targets} through {}", calls.join(" → ")));
    }
    if chains.len() > MAX_CHAINS {
        notes.push(format!("{} more call chains lead to these accesses", chains.len() - MAX_CHAINS));
    }
    notes.iter().map(|note| wrap(note)).collect()
}

/// `line 3`, `lines 3 and 9`; with paths where the accesses aren't all in `home`.
fn lines_of(accesses: &[&Access], sources: &Sources<'_>, home: Option<FileId>) -> String {
    let at_home = accesses.iter().all(|access| Some(access.at.file) == home);
    let mut lines: Vec<String> = Vec::new();
    for access in accesses {
        let line = match at_home {
            true => sources.start(access.at).line.to_string(),
            false => sources.path_line(access.at),
        };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match (at_home, lines.len()) {
        (false, _) => and_list(&lines),
        (true, 1) => format!("line {}", lines[0]),
        (true, _) => format!("lines {}", and_list(&lines)),
    }
}

/// What the excerpts leave out.
fn left_out_notes(finding: &Finding, sources: &Sources<'_>) -> Vec<String> {
    let accesses: Vec<&Access> = finding.accesses.iter().collect();
    let groups = group(&accesses, |access| site(access.at, sources));
    let mut notes = Vec::new();
    // The primary one is always shown and then the first ones, so what is left out are the last, but for the primary.
    let primary = finding.primary().map(|at| site(at, sources));
    let others: Vec<String> = groups
        .iter()
        .filter(|(site, _)| Some(site) != primary.as_ref())
        .skip(MAX_ACCESSES - 1)
        .map(|(_, here)| sources.path_line(here[0].at))
        .collect();
    if !others.is_empty() {
        notes.push(format!("and {} more accesses: {}", others.len(), capped_list(&others, 6)));
    }
    let sites = group(&finding.threads.iter().collect::<Vec<_>>(), |thread| site(thread.spawned_at, sources));
    if let Some(left @ 1..) = sites.len().checked_sub(MAX_SPAWNS) {
        let named: Vec<String> =
            sites[MAX_SPAWNS..].iter().map(|(_, here)| sources.path_line(here[0].spawned_at)).collect();
        notes.push(format!("and {left} more places where threads start: {}", capped_list(&named, 6)));
    }
    notes
}

/// Breaks lines at spaces so that none is longer than `NOTE_WIDTH`, where words allow.
fn wrap(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let mut width = 0;
        for (index, word) in line.split(' ').enumerate() {
            let length = word.chars().count();
            if index > 0 && width + 1 + length > NOTE_WIDTH {
                out.push('\n');
                width = 0;
            } else if index > 0 {
                out.push(' ');
                width += 1;
            }
            out.push_str(word);
            width += length;
        }
    }
    out
}

/// The sources as codespan asks for them.
struct Excerpts<'a, 's>(&'a Sources<'s>);

impl<'f> Files<'f> for Excerpts<'_, '_> {
    type FileId = FileId;
    type Name = &'f str;
    type Source = Cow<'f, str>;

    fn name(&'f self, file: FileId) -> Result<&'f str, Error> {
        Ok(self.0.path(file))
    }

    fn source(&'f self, file: FileId) -> Result<Cow<'f, str>, Error> {
        Ok(visible(self.0.text(file)))
    }

    fn line_index(&'f self, file: FileId, byte: usize) -> Result<usize, Error> {
        Ok(self.0.index(file).ok_or(Error::FileMissing)?.line_of(byte))
    }

    fn line_range(&'f self, file: FileId, line: usize) -> Result<Range<usize>, Error> {
        let index = self.0.index(file).ok_or(Error::FileMissing)?;
        index.line_range(self.0.text(file), line).ok_or(Error::FileMissing)
    }
}

/// The text with control characters replaced byte by byte: a raw escape in a string literal must not steer a terminal.
fn visible(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r');
    if text.contains(steers) { Cow::Owned(text.replace(steers, "?")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use crate::finding::{AccessKind, FileId, Finding, Location, Report};
    use crate::hir::TextRange;
    use crate::report::lines::Sources;
    use crate::report::samples::{
        DEMONSTRATION, access, at, demonstration, file, finding, pool, render, thread,
    };
    use crate::report::{Format, write};
    use codespan_reporting::term::termcolor::Ansi;

    #[test]
    fn the_demonstration_fits_a_screen() {
        let text = render(Format::Human, &demonstration());
        insta::assert_snapshot!(text, @r#"
        error[static-mut-race]: `A` is updated by `thread_one` and `thread_two` with no lock in common
           ┌─ src/main.rs:6:14
           │
         3 │ static mut A: i32 = 2;
           │            - `A` is declared here
           ·
         6 │     unsafe { A = A + 2 }
           │              ^^^^^^^^^ `thread_one` reads `A` and writes it back
           ·
        10 │     unsafe { A = A * 3 }
           │              --------- `thread_two` reads `A` and writes it back
           ·
        14 │     let one = thread::spawn(thread_one);
           │                       ----- `thread_one` is spawned here
        15 │     let two = thread::spawn(thread_two);
           │                       ----- `thread_two` is spawned here
           │
           = both are spawned in `main` (src/main.rs:14, 15) and neither is joined before the other starts
           = one losing schedule:
               1  `thread_one`  reads   2  line 6
               2  `thread_two`  reads   2  line 10
               3  `thread_two`  writes  6  line 10
               4  `thread_one`  writes  4  line 6
           = possible results: 12, 8 in some order; 6, 4 with an update lost
           = help: make `A` an `AtomicI32` and update it with `fetch_update`, or guard both updates with one
             `Mutex`
        "#);
        assert!(text.lines().count() <= 30);
    }

    #[test]
    fn contexts_in_several_files_share_one_diagnostic() {
        insta::assert_snapshot!(render(Format::Human, &pool()), @r#"
        warning[split-atomic-update]: `Shared.hits` is loaded and stored back in two steps
          ┌─ src/worker.rs:4:34
          │
        3 │         let größe = shared.hits.load(Relaxed);
          │                                 ---- the closure (×many) loads `Shared.hits` (Relaxed), holding no lock
        4 │         /* größer */ shared.hits.store(größe + 1, Relaxed);
          │                                  ^^^^^ the closure (×many) stores to `Shared.hits` (Relaxed), holding no lock
          │
          ┌─ src/main.rs:1:4
          │
        1 │ fn main() {
          │    ---- `main` starts here
        2 │     for _ in 0..4 {
        3 │         thread::spawn(move || run(&shared));
          │                 ----- the closure (×many) is spawned here
          ·
        6 │     shared.hits.store(0, Relaxed);
          │                 ----- `main` stores to `Shared.hits` (Relaxed), holding `LOCK`
          │
          = the closure (×many) reaches lines 3 and 4 through `run` (src/main.rs:3) → `work`
            (src/main.rs:10)
          = one losing schedule:
              1  the closure #1  loads   0  line 3
              2  the closure #2  loads   0  line 3
              3  the closure #2  stores  1  line 4
              4  the closure #1  stores  1  line 4
        "#);
    }

    #[test]
    fn no_escape_codes_without_colour_and_some_with() {
        let report = demonstration();
        assert!(!render(Format::Human, &report).contains('\u{1b}'));
        let mut out = Ansi::new(Vec::new());
        write(Format::Human, &report, &Sources::new(&report.files), &mut out).unwrap();
        assert!(out.into_inner().contains(&0x1b));
    }

    #[test]
    fn control_characters_of_the_source_are_not_passed_on() {
        let mut report = demonstration();
        report.files[0].text = DEMONSTRATION.replace("i32 = 2;", "i32 = 2;\u{1b}[31m").into();
        let text = render(Format::Human, &Report { findings: Vec::new(), ..report.clone() });
        assert_eq!(text, "");
        let text = render(Format::Human, &report);
        assert!(text.contains("i32 = 2;?[31m") && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn contexts_that_do_the_same_at_one_place_share_a_label() {
        let mut report = demonstration();
        let files = report.files.clone();
        let finding = &mut report.findings[0];
        finding.accesses[1].at = finding.accesses[0].at;
        finding.threads[1] = thread("thread_one", at(&files, 0, "spawn", 1));
        let text = render(Format::Human, &report);
        assert!(
            text.contains(
                "^ `thread_one` of line 14 and `thread_one` of line 15 read `A` and write it back\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_read_and_a_write_at_one_place_are_an_update() {
        let mut report = demonstration();
        let finding = &mut report.findings[0];
        let both = finding.accesses[0].at;
        finding.accesses[0].kind = AccessKind::Read;
        finding.accesses.insert(1, access(0, AccessKind::Write, both));
        let text = render(Format::Human, &report);
        assert!(text.contains("^^ `thread_one` reads `A` and writes it back\n"), "{text}");
    }

    #[test]
    fn locks_are_told_in_labels_where_they_differ_and_once_where_not() {
        let mut report = demonstration();
        report.findings[0].accesses[1].locks = vec!["GATE".to_owned()];
        let text = render(Format::Human, &report);
        assert!(text.contains("writes it back, holding no lock\n"), "{text}");
        assert!(text.contains("writes it back, holding `GATE`\n"), "{text}");

        report.findings[0].accesses[0].locks = vec!["GATE".to_owned()];
        let text = render(Format::Human, &report);
        assert!(!text.contains("holding"), "{text}");
        assert!(text.contains("= held at each of these accesses: `GATE`\n"), "{text}");
    }

    #[test]
    fn absurdly_many_accesses_and_spawns_are_counted_not_shown() {
        let text: String = (0..40).map(|n| format!("x{n} = 1; spawn{n}();\n")).collect();
        let files = vec![file("big.rs", &text)];
        let mut finding = finding("static-mut-race", "X", "`X` is written by forty threads");
        for n in 0..40 {
            finding.threads.push(thread(&format!("t{n}"), at(&files, 0, &format!("spawn{n}("), 0)));
            let kind = if n == 30 { AccessKind::Write } else { AccessKind::Read };
            finding.accesses.push(access(n, kind, at(&files, 0, &format!("x{n} "), 0)));
        }
        let report = Report { findings: vec![finding], files, ..Report::default() };
        let text = render(Format::Human, &report);
        assert!(text.contains("┌─ big.rs:31:1\n"), "the write is the primary access: {text}");
        assert!(text.contains("= and 28 more accesses: big.rs:12, big.rs:13, big.rs:14"), "{text}");
        assert!(text.contains("= and 32 more places where threads start: big.rs:9"), "{text}");
        assert!(text.lines().count() < 80, "{text}");
    }

    #[test]
    fn a_finding_without_accesses_stands_at_the_declaration() {
        let files = vec![file("lib.rs", "unsafe impl<T> Sync for Slot<T> {}\n")];
        let finding = Finding {
            declared_at: Some(at(&files, 0, "Sync", 0)),
            ..finding("unsound-sync", "Slot", "`Slot<T>` is `Sync` for every `T`")
        };
        let report = Report { findings: vec![finding], files, ..Report::default() };
        assert_eq!(
            render(Format::Short, &report),
            "lib.rs:1:16: error[unsound-sync]: `Slot<T>` is `Sync` for every `T`\n"
        );
        assert!(render(Format::Human, &report).contains("^^^^ `Slot` is promised here"));
    }

    #[test]
    fn positions_that_do_not_exist_render_all_the_same() {
        let mut report = demonstration();
        report.findings[0].accesses[0].at = Location { file: FileId(0), range: TextRange::new(9_000, 9_010) };
        report.findings[0].accesses[1].at = Location { file: FileId(9), range: TextRange::new(3, 1) };
        for format in [Format::Short, Format::Json] {
            assert!(!render(format, &report).is_empty());
        }
        assert!(render(Format::Human, &report).contains("static-mut-race"));
    }
}
