//! Fixes: proposes them for findings, and applies them to files.
//!
//! In: findings with the text of their files. Out: `Finding::fix`; new texts; a diff. Invariants: a fix takes care of all that
//! is in two steps in its finding, or there is none; of fixes that overlap only the first is applied, whole; a text that would
//! no longer parse is not changed at all.

use crate::finding::{AccessKind, Edit, FileId, Finding, Fix, Location, Report};
use crate::hir::TextRange;
use crate::syntax::{self, Goal, Rewrites};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What the two steps of a rule's findings are to become.
fn goal(rule: &str) -> Option<Goal> {
    match rule {
        "split-atomic-update" | "ignored-compare-exchange" => Some(Goal::Operation),
        "atomic-check-then-act" => Some(Goal::Swap),
        "split-lock-update" => Some(Goal::Guard),
        _ => None,
    }
}

/// The fix of a finding, if all of it can be rewritten. `text`: of a file.
pub fn propose<'t>(finding: &Finding, text: &dyn Fn(FileId) -> &'t str) -> Option<Fix> {
    let goal = goal(finding.rule)?;
    let mut files: BTreeMap<FileId, Vec<TextRange>> = BTreeMap::new();
    for access in &finding.accesses {
        files.entry(access.at.file).or_default().push(access.at.range);
    }
    let mut edits = Vec::new();
    for (file, accesses) in files {
        let Rewrites { found, compound } = syntax::rewrites(text(file), goal, &accesses);
        let covered = |range: &TextRange| found.iter().any(|rewrite| rewrite.covers.contains(range));
        let reads = finding.accesses.iter().filter(|a| a.at.file == file && a.kind == AccessKind::Read);
        if !reads.into_iter().all(|read| covered(&read.at.range)) || !compound.iter().all(covered) {
            return None;
        }
        for (range, insert) in found.into_iter().flat_map(|rewrite| rewrite.edits) {
            edits.push(Edit { at: Location { file, range }, insert });
        }
    }
    edits.sort_by_key(|edit| (edit.at.file, edit.at.range.lo, edit.at.range.hi));
    let apart = edits.windows(2).all(|pair| !overlap(&pair[0].at, &pair[1].at));
    (apart && !edits.is_empty()).then_some(Fix { safe: true, edits })
}

fn overlap(one: &Location, two: &Location) -> bool {
    let (a, b) = (one.range, two.range);
    one.file == two.file && (a.lo < b.hi && b.lo < a.hi || a == b)
}

/// A file as it is after the fixes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fixed {
    pub path: String,
    pub before: String,
    pub after: String,
}

/// What applying the fixes of a report gives: new texts, and the findings (by number) that they settle.
#[derive(Clone, Default, Debug)]
pub struct Fixes {
    pub files: Vec<Fixed>,
    pub settled: Vec<usize>,
}

/// Applies the safe fixes of a report, and the others if `all`. Nothing is written.
pub fn apply(report: &Report, all: bool) -> Fixes {
    let mut chosen: Vec<(usize, &Edit)> = Vec::new();
    let mut settled = Vec::new();
    for (number, finding) in report.findings.iter().enumerate() {
        let Some(fix) = finding.fix.as_ref().filter(|fix| fix.safe || all) else { continue };
        let clashes = |edit: &&Edit| chosen.iter().any(|(_, old)| old != edit && overlap(&old.at, &edit.at));
        if !fix.edits.iter().any(|edit| clashes(&edit)) {
            let new: Vec<&Edit> =
                fix.edits.iter().filter(|e| chosen.iter().all(|(_, old)| old != e)).collect();
            chosen.extend(new.into_iter().map(|edit| (number, edit)));
            settled.push(number);
        }
    }
    let mut files: BTreeMap<u32, Vec<&Edit>> = BTreeMap::new();
    for (_, edit) in &chosen {
        files.entry(edit.at.file.0).or_default().push(edit);
    }
    let mut fixes = Fixes::default();
    let mut failed: Vec<u32> = Vec::new();
    for (file, edits) in files {
        match report.files.get(file as usize).and_then(|source| Some((source, edited(&source.text, edits)?)))
        {
            Some((source, after)) => {
                fixes.files.push(Fixed { path: source.path.clone(), before: source.text.to_string(), after });
            }
            None => failed.push(file),
        }
    }
    let whole = |number: &usize| {
        let fix = report.findings[*number].fix.iter();
        fix.flat_map(|fix| &fix.edits).all(|edit| !failed.contains(&edit.at.file.0))
    };
    fixes.settled = settled.into_iter().filter(whole).collect();
    fixes
}

/// The text after the edits; `None` if it wouldn't parse where the text before does.
fn edited(text: &str, mut edits: Vec<&Edit>) -> Option<String> {
    edits.sort_by_key(|edit| (edit.at.range.lo, edit.at.range.hi));
    let mut after = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        after.push_str(text.get(at..edit.at.range.lo as usize)?);
        after.push_str(&edit.insert);
        at = edit.at.range.hi as usize;
    }
    after.push_str(text.get(at..)?);
    syntax::parses(&after).then_some(after)
}

/// Lines round a change that are shown with it.
const CONTEXT: usize = 3;

/// The changes of a file in unified form.
pub fn diff(file: &Fixed) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (file.before.lines().collect(), file.after.lines().collect());
    let mut text = format!("--- {0}\n+++ {0}\n", file.path);
    for hunk in hunks(&old, &new) {
        let (from, to) = (hunk.old.start.saturating_sub(CONTEXT), (hunk.old.end + CONTEXT).min(old.len()));
        let new_from = hunk.new.start - (hunk.old.start - from);
        let new_len = (to - from) - hunk.old.len() + hunk.new.len();
        let _ = writeln!(text, "@@ -{},{} +{},{} @@", from + 1, to - from, new_from + 1, new_len);
        let mut lines = |mark: char, lines: &[&str]| {
            for line in lines {
                let _ = writeln!(text, "{mark}{line}");
            }
        };
        lines(' ', &old[from..hunk.old.start]);
        for part in &hunk.parts {
            lines(' ', &old[part.kept.clone()]);
            lines('-', &old[part.old.clone()]);
            lines('+', &new[part.new.clone()]);
        }
        lines(' ', &old[hunk.old.end..to]);
    }
    text
}

/// A run of changed lines, with the equal ones before it that belong to its hunk.
struct Part {
    kept: std::ops::Range<usize>,
    old: std::ops::Range<usize>,
    new: std::ops::Range<usize>,
}

struct Hunk {
    old: std::ops::Range<usize>,
    new: std::ops::Range<usize>,
    parts: Vec<Part>,
}

/// How far ahead equal lines are looked for after a change: fixes change a few lines at a time.
const WINDOW: usize = 40;

fn hunks(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            i += 1;
            j += 1;
            continue;
        }
        let (n, m) = next_equal(&old[i..], &new[j..]);
        let kept = hunks.last().filter(|h| i - h.old.end <= 2 * CONTEXT).map_or(i..i, |h| h.old.end..i);
        let part = Part { kept: kept.clone(), old: i..i + n, new: j..j + m };
        match hunks.last_mut().filter(|h| i - h.old.end <= 2 * CONTEXT) {
            Some(hunk) => {
                (hunk.old.end, hunk.new.end) = (i + n, j + m);
                hunk.parts.push(part);
            }
            None => hunks.push(Hunk { old: i..i + n, new: j..j + m, parts: vec![part] }),
        }
        i += n;
        j += m;
    }
    hunks
}

/// How many lines of each differ before equal ones come.
fn next_equal(old: &[&str], new: &[&str]) -> (usize, usize) {
    for total in 1..2 * WINDOW {
        for n in 0..=total.min(old.len()) {
            let m = total - n;
            if m > new.len() {
                continue;
            }
            let rest = (&old[n..], &new[m..]);
            if rest.0.first() == rest.1.first() {
                return (n, m);
            }
        }
    }
    (old.len(), new.len())
}
