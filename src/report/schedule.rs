//! The losing schedule as a table, the possible results and the fix, as notes of the human format.
//!
//! In: a finding's steps and outcomes. Out: lines of plain text, columns aligned by characters. Invariant: a column
//! that no step fills is left out; no line ends in spaces.

use super::lines::Sources;
use super::wording::{Names, capped_list};
use crate::finding::{FileId, Finding, Fix, Outcomes, Step};

/// A schedule has as many steps as it takes to lose one update; longer ones are cut, they no longer help.
const MAX_STEPS: usize = 12;
const MAX_RESULTS: usize = 6;

/// The schedule with its heading, one step a line; `None` when there is none.
/// Places in `home` are written as `line N`, others with their path.
pub fn table(
    finding: &Finding,
    names: &Names,
    sources: &Sources<'_>,
    home: Option<FileId>,
) -> Option<String> {
    if finding.schedule.is_empty() {
        return None;
    }
    let shown = finding.schedule.len().min(MAX_STEPS);
    let rows: Vec<[String; 5]> = finding.schedule[..shown]
        .iter()
        .enumerate()
        .map(|(number, step)| {
            [
                (number + 1).to_string(),
                actor(finding, step, names),
                step.does.clone(),
                step.value.clone().unwrap_or_default(),
                place(step, sources, home),
            ]
        })
        .collect();
    let mut text = format!("{}:", heading(finding));
    for line in align(&rows) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    if shown < finding.schedule.len() {
        text.push_str(&format!("\n  … and {} more steps", finding.schedule.len() - shown));
    }
    Some(text)
}

/// The possible results as one line; `None` when they aren't known.
pub fn results(outcomes: &Outcomes) -> Option<String> {
    let ordered = capped_list(&outcomes.ordered, MAX_RESULTS);
    let lost = capped_list(&outcomes.lost, MAX_RESULTS);
    match (outcomes.ordered.len(), outcomes.lost.len()) {
        (0, 0) => None,
        (0, _) => Some(format!("possible results: {lost} with an update lost")),
        (1, 0) => Some(format!("possible results: {ordered}")),
        (_, 0) => Some(format!("possible results: {ordered}, depending on the order")),
        (1, _) => Some(format!("possible results: {ordered} in any order; {lost} with an update lost")),
        (_, _) => Some(format!("possible results: {ordered} in some order; {lost} with an update lost")),
    }
}

/// What a fix puts in, and how to have it done.
pub fn replacement(fix: &Fix) -> String {
    let mut new: Vec<String> = Vec::new();
    for edit in &fix.edits {
        for line in edit.insert.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let line = format!("`{}`", line.trim_end_matches(';'));
            if !new.contains(&line) {
                new.push(line);
            }
        }
    }
    let option = if fix.safe { "--fix" } else { "--unsafe-fixes" };
    format!("fix: {}; `{option}` does it", capped_list(&new, MAX_RESULTS))
}

/// What the steps show: an update that is lost, an order that is only one of several, or accesses that simply meet.
fn heading(finding: &Finding) -> &'static str {
    let steps = &finding.schedule;
    let loses = steps.first().zip(steps.last()).is_some_and(|(first, last)| {
        steps.len() > 2 && (first.thread, first.instance) == (last.thread, last.instance)
    });
    match &finding.outcomes {
        _ if finding.accesses.iter().any(|access| access.of.is_some()) => {
            "the ordering lets these steps be seen like this"
        }
        _ if !loses => "nothing orders these steps",
        Some(outcomes) if outcomes.lost.is_empty() => "one possible schedule",
        Some(_) | None => "one losing schedule",
    }
}

/// The context's name, numbered when two of its instances take part.
fn actor(finding: &Finding, step: &Step, names: &Names) -> String {
    let name = names.short(step.thread);
    let own = finding.schedule.iter().filter(|other| other.thread == step.thread);
    match own.map(|other| other.instance).max() {
        Some(highest) if highest > 0 => format!("{name} #{}", step.instance + 1),
        Some(_) | None => name.to_owned(),
    }
}

fn place(step: &Step, sources: &Sources<'_>, home: Option<FileId>) -> String {
    match step.at {
        None => String::new(),
        Some(at) if Some(at.file) == home => format!("line {}", sources.start(at).line),
        Some(at) => sources.path_line(at),
    }
}

fn align<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).filter(|(_, width)| *width > 0);
        let padded: Vec<String> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
