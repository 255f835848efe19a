//! The JSON document, version 1.
//!
//! In: a report. Out: one document with the keys in a fixed order, ended by a line break. Keys may be added within
//! version 1, never removed, renamed or given another meaning. Lines and columns count from 1, columns in characters,
//! `end_column` exclusive; the `start`/`end` of edits are byte offsets.

use super::lines::Sources;
use crate::finding::{
    Access, Edit, Finding, Fix, Location, Outcomes, Report, RunError, Step, Summary, Thread,
};
use serde::Serialize;
use std::io;

const VERSION: u32 = 1;

#[derive(Serialize)]
struct DocumentJson<'a> {
    version: u32,
    tool: ToolJson,
    findings: Vec<FindingJson<'a>>,
    errors: Vec<ErrorJson<'a>>,
    summary: SummaryJson,
}

#[derive(Serialize)]
struct ToolJson {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: &'a str,
    level: &'a str,
    evidence: &'a str,
    message: &'a str,
    because: String,
    place: &'a str,
    declared_at: Option<PointJson<'a>>,
    threads: Vec<ThreadJson<'a>>,
    accesses: Vec<AccessJson<'a>>,
    schedule: Vec<StepJson<'a>>,
    outcomes: Option<OutcomesJson<'a>>,
    help: &'a str,
    fix: Option<FixJson<'a>>,
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct PointJson<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct SpanJson<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct ThreadJson<'a> {
    id: usize,
    name: &'a str,
    kind: &'a str,
    many: bool,
    spawned_at: SpanJson<'a>,
}

#[derive(Serialize)]
struct AccessJson<'a> {
    thread: usize,
    kind: &'a str,
    atomic: Option<&'a str>,
    locks: &'a [String],
    #[serde(flatten)]
    at: SpanJson<'a>,
    via: Vec<ViaJson<'a>>,
}

#[derive(Serialize)]
struct ViaJson<'a> {
    function: &'a str,
    file: &'a str,
    line: usize,
}

#[derive(Serialize)]
struct StepJson<'a> {
    thread: usize,
    /// Left out for a context's first instance, so only schedules of a many-context with itself have it.
    #[serde(skip_serializing_if = "is_first")]
    instance: u32,
    does: &'a str,
    value: Option<&'a str>,
}

#[derive(Serialize)]
struct OutcomesJson<'a> {
    ordered: &'a [String],
    lost: &'a [String],
}

#[derive(Serialize)]
struct FixJson<'a> {
    safe: bool,
    edits: Vec<EditJson<'a>>,
}

#[derive(Serialize)]
struct EditJson<'a> {
    file: &'a str,
    start: u32,
    end: u32,
    insert: &'a str,
}

#[derive(Serialize)]
struct ErrorJson<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
}

#[derive(Serialize)]
struct SummaryJson {
    files: u64,
    lines: u64,
    functions: u64,
    contexts: u64,
    places: u64,
    suppressed: u64,
    cut: u64,
}

/// Writes the document. Errs only when `out` does.
pub fn write(report: &Report, sources: &Sources<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let document = DocumentJson {
        version: VERSION,
        tool: ToolJson { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        findings: report.findings.iter().map(|finding| finding_json(finding, sources)).collect(),
        errors: report.errors.iter().map(error_json).collect(),
        summary: summary_json(&report.summary),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn finding_json<'a>(finding: &'a Finding, sources: &Sources<'a>) -> FindingJson<'a> {
    FindingJson {
        rule: finding.rule,
        level: finding.level.as_str(),
        evidence: finding.evidence.as_str(),
        message: &finding.message,
        because: sources.fill(&finding.because, &finding.because_at),
        place: &finding.place,
        declared_at: finding.declared_at.map(|at| point_json(at, sources)),
        threads: finding.threads.iter().enumerate().map(|(id, t)| thread_json(id, t, sources)).collect(),
        accesses: finding.accesses.iter().map(|access| access_json(access, sources)).collect(),
        schedule: finding.schedule.iter().map(step_json).collect(),
        outcomes: finding.outcomes.as_ref().map(|Outcomes { ordered, lost }| OutcomesJson { ordered, lost }),
        help: &finding.help,
        fix: finding.fix.as_ref().map(|fix| fix_json(fix, sources)),
        fingerprint: &finding.fingerprint,
    }
}

fn thread_json<'a>(id: usize, thread: &'a Thread, sources: &Sources<'a>) -> ThreadJson<'a> {
    ThreadJson {
        id,
        name: &thread.name,
        kind: thread.kind.as_str(),
        many: thread.many,
        spawned_at: span_json(thread.spawned_at, sources),
    }
}

fn access_json<'a>(access: &'a Access, sources: &Sources<'a>) -> AccessJson<'a> {
    let via = access.via.iter().map(|via| {
        let PointJson { file, line, .. } = point_json(via.at, sources);
        ViaJson { function: &via.function, file, line }
    });
    AccessJson {
        thread: access.thread,
        kind: access.kind.as_str(),
        atomic: access.atomic,
        locks: &access.locks,
        at: span_json(access.at, sources),
        via: via.collect(),
    }
}

fn step_json(step: &Step) -> StepJson<'_> {
    StepJson { thread: step.thread, instance: step.instance, does: &step.does, value: step.value.as_deref() }
}

fn fix_json<'a>(fix: &'a Fix, sources: &Sources<'a>) -> FixJson<'a> {
    let edits = fix.edits.iter().map(|Edit { at, insert }| EditJson {
        file: sources.path(at.file),
        start: at.range.lo,
        end: at.range.hi,
        insert,
    });
    FixJson { safe: fix.safe, edits: edits.collect() }
}

fn error_json(error: &RunError) -> ErrorJson<'_> {
    ErrorJson { file: &error.file, line: error.line, column: error.column, message: &error.message }
}

fn summary_json(summary: &Summary) -> SummaryJson {
    // By field, so that a count added to `Summary` has to be decided on here.
    let Summary { files, lines, functions, contexts, places, suppressed, cut, blind: _, times: _ } = *summary;
    SummaryJson { files, lines, functions, contexts, places, suppressed, cut }
}

fn point_json<'a>(at: Location, sources: &Sources<'a>) -> PointJson<'a> {
    let start = sources.start(at);
    PointJson { file: sources.path(at.file), line: start.line, column: start.column }
}

fn span_json<'a>(at: Location, sources: &Sources<'a>) -> SpanJson<'a> {
    let (start, end) = (sources.start(at), sources.end(at));
    SpanJson {
        file: sources.path(at.file),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}

fn is_first(instance: &u32) -> bool {
    *instance == 0
}

#[cfg(test)]
mod tests {
    use crate::finding::{Edit, Fix, RunError};
    use crate::report::Format;
    use crate::report::samples::{demonstration, pool, render};

    #[test]
    fn json_has_the_documented_keys_in_order() {
        let mut report = demonstration();
        report.errors.push(RunError {
            file: "src/broken.rs".to_owned(),
            line: 3,
            column: 1,
            message: "expected `;`".to_owned(),
            fatal: false,
        });
        let edit = Edit { at: report.findings[0].accesses[0].at, insert: "A.fetch_add(2)".to_owned() };
        report.findings[0].fix = Some(Fix { safe: true, edits: vec![edit] });
        insta::assert_snapshot!(render(Format::Json, &report), @r#"
        {
          "version": 1,
          "tool": {
            "name": "racelint",
            "version": "0.1.0"
          },
          "findings": [
            {
              "rule": "static-mut-race",
              "level": "error",
              "evidence": "spawned",
              "message": "`A` is updated by `thread_one` and `thread_two` with no lock in common",
              "because": "both are spawned in `main` (src/main.rs:14, 15) and neither is joined before the other starts",
              "place": "A",
              "declared_at": {
                "file": "src/main.rs",
                "line": 3,
                "column": 12
              },
              "threads": [
                {
                  "id": 0,
                  "name": "thread_one",
                  "kind": "thread",
                  "many": false,
                  "spawned_at": {
                    "file": "src/main.rs",
                    "line": 14,
                    "column": 23,
                    "end_line": 14,
                    "end_column": 28
                  }
                },
                {
                  "id": 1,
                  "name": "thread_two",
                  "kind": "thread",
                  "many": false,
                  "spawned_at": {
                    "file": "src/main.rs",
                    "line": 15,
                    "column": 23,
                    "end_line": 15,
                    "end_column": 28
                  }
                }
              ],
              "accesses": [
                {
                  "thread": 0,
                  "kind": "update",
                  "atomic": null,
                  "locks": [],
                  "file": "src/main.rs",
                  "line": 6,
                  "column": 14,
                  "end_line": 6,
                  "end_column": 23,
                  "via": []
                },
                {
                  "thread": 1,
                  "kind": "update",
                  "atomic": null,
                  "locks": [],
                  "file": "src/main.rs",
                  "line": 10,
                  "column": 14,
                  "end_line": 10,
                  "end_column": 23,
                  "via": []
                }
              ],
              "schedule": [
                {
                  "thread": 0,
                  "does": "reads",
                  "value": "2"
                },
                {
                  "thread": 1,
                  "does": "reads",
                  "value": "2"
                },
                {
                  "thread": 1,
                  "does": "writes",
                  "value": "6"
                },
                {
                  "thread": 0,
                  "does": "writes",
                  "value": "4"
                }
              ],
              "outcomes": {
                "ordered": [
                  "12",
                  "8"
                ],
                "lost": [
                  "6",
                  "4"
                ]
              },
              "help": "make `A` an `AtomicI32` and update it with `fetch_update`, or guard both updates with one `Mutex`",
              "fix": {
                "safe": true,
                "edits": [
                  {
                    "file": "src/main.rs",
                    "start": 73,
                    "end": 82,
                    "insert": "A.fetch_add(2)"
                  }
                ]
              },
              "fingerprint": "f00d"
            }
          ],
          "errors": [
            {
              "file": "src/broken.rs",
              "line": 3,
              "column": 1,
              "message": "expected `;`"
            }
          ],
          "summary": {
            "files": 14,
            "lines": 3201,
            "functions": 0,
            "contexts": 0,
            "places": 0,
            "suppressed": 0,
            "cut": 0
          }
        }
        "#);
    }

    #[test]
    fn json_counts_columns_in_characters_and_numbers_instances() {
        let text = render(Format::Json, &pool());
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let finding = &document["findings"][0];
        let store = &finding["accesses"][1];
        assert_eq!(store["file"], "src/worker.rs");
        assert_eq!(
            (&store["line"], &store["column"], &store["end_column"]),
            (&4.into(), &34.into(), &39.into())
        );
        assert_eq!(store["atomic"], "Relaxed");
        assert_eq!(
            store["via"][1],
            serde_json::json!({ "function": "work", "file": "src/main.rs", "line": 10 })
        );
        assert_eq!(finding["schedule"][0].get("instance"), None);
        assert_eq!(finding["schedule"][1]["instance"], 1);
        assert_eq!(finding["outcomes"], serde_json::Value::Null);
        assert!(text.ends_with("}\n"));
    }
}
