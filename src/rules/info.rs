//! The rules as users know them: id, default level, a line for the table, a page for `--explain`.
//!
//! In: nothing; the pages are the files in `explain/`. Out: `RULES` and lookups by name. Invariants: ids never change once
//! released; the table is in the order of the manual; each page has the same sections (see the tests).

use crate::finding::Level;

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct RuleInfo {
    /// Lower case with dashes.
    pub id: &'static str,
    /// Unless the user sets another one. Rules of level note report only when asked for.
    pub level: Level,
    /// One line, without a full stop.
    pub summary: &'static str,
    /// Markdown, a page.
    pub explanation: &'static str,
}

macro_rules! rule {
    ($id:literal, $level:ident, $summary:literal) => {
        RuleInfo {
            id: $id,
            level: Level::$level,
            summary: $summary,
            explanation: include_str!(concat!("explain/", $id, ".md")),
        }
    };
}

/// All rules.
pub const RULES: &[RuleInfo] = &[
    rule!(
        "static-mut-race",
        Error,
        "a `static mut` is accessed by two contexts, one writes, and nothing orders them"
    ),
    rule!(
        "unsafe-cell-race",
        Error,
        "a cell shared by an unsafe promise is accessed by two contexts and one writes"
    ),
    rule!(
        "raw-pointer-race",
        Error,
        "memory behind a raw pointer that reached another context is written unordered"
    ),
    rule!(
        "relaxed-publish",
        Error,
        "plain data is published through an atomic whose ordering doesn't order it"
    ),
    rule!(
        "split-atomic-update",
        Warning,
        "an atomic is loaded and stored back in two steps; an update can be lost"
    ),
    rule!(
        "atomic-check-then-act",
        Warning,
        "a decision on an atomic's value is out of date when it is acted on"
    ),
    rule!(
        "split-lock-update",
        Warning,
        "a value read under one hold of a lock is written back under another"
    ),
    rule!(
        "lock-check-then-act",
        Warning,
        "a decision made under one hold of a lock is acted on under another"
    ),
    rule!(
        "ignored-compare-exchange",
        Warning,
        "a compare-exchange whose failure nobody sees may drop an update"
    ),
    rule!("unsound-sync", Warning, "an `unsafe impl Send`/`Sync` lets through what can't cross threads"),
    rule!(
        "env-race",
        Warning,
        "the environment or current directory is changed while another context uses it"
    ),
    rule!("order-dependent", Note, "guarded updates that don't commute: the result depends on the schedule"),
];

/// The rule with this id; underscores count as dashes, as for the compiler's lints.
pub fn find(name: &str) -> Option<&'static RuleInfo> {
    let id = name.replace('_', "-");
    RULES.iter().find(|rule| rule.id == id)
}

/// What to tell someone who names a rule that doesn't exist.
pub fn unknown_rule(name: &str) -> String {
    match nearest(name) {
        Some(id) => format!("no such rule; did you mean `{id}`?"),
        None => "no such rule; `racelint --list-rules` shows them all".to_owned(),
    }
}

/// The id that is most like `name`, if any is like it at all.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase().replace('_', "-");
    let within = |id: &str| id.len().max(name.len()) / 2;
    // No id is longer than 64 bytes: a name that is can't be a slip of the pen.
    let candidates = RULES.iter().filter(|_| name.len() <= 64);
    candidates
        .map(|rule| (edit_distance(&name, rule.id), rule.id))
        .filter(|(distance, id)| *distance <= within(id))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, id)| id)
}

/// Levenshtein distance in characters.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_the_same_sections() {
        let sections =
            ["## What it does", "## Why it is bad", "## Example", "## Use instead", "## Known limits"];
        for rule in RULES {
            let headings: Vec<&str> =
                rule.explanation.lines().filter(|line| line.starts_with("## ")).collect();
            assert_eq!(headings, sections, "{}", rule.id);
            assert!(rule.explanation.matches("```rust").count() >= 2, "{}: racy and better code", rule.id);
            assert_eq!(rule.explanation.matches("```").count() % 2, 0, "{}", rule.id);
        }
    }

    #[test]
    fn summaries_fit_a_line_of_the_table() {
        for rule in RULES {
            assert!(rule.summary.chars().count() <= 85, "{}", rule.id);
        }
    }

    #[test]
    fn slips_are_understood() {
        assert_eq!(find("static_mut_race").map(|rule| rule.id), Some("static-mut-race"));
        assert_eq!(nearest("static-mut-rase"), Some("static-mut-race"));
        assert_eq!(nearest("split-atomic"), Some("split-atomic-update"));
        assert_eq!(nearest("xyz"), None);
        assert_eq!(nearest(&"a".repeat(100_000)), None);
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("größe", "grösse"), 2);
    }
}
