//! racelint: finds data races and lost updates in Rust source and names the threads that race.

pub mod cli;
pub mod command;
pub mod config;
pub mod finding;
pub mod fix;
pub mod hir;
pub mod interp;
pub mod models;
pub mod project;
pub mod report;
pub mod resolve;
pub mod rules;
pub mod settings;
pub mod syntax;
pub mod witness;

pub use config::Config;

use finding::{FileId, Finding, Report, RunError, SourceText, Summary, Why};
use interp::Relevance;
use rayon::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// Stack of a worker thread: deep syntax trees recurse; pages not touched cost nothing.
const STACK: usize = 64 << 20;

/// Analyses the programs under `paths`. Never fails: what went wrong is in `Report::errors`.
pub fn check(paths: &[PathBuf], config: &Config) -> Report {
    let threads = config.threads.unwrap_or(0);
    match rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build() {
        Ok(pool) => pool.install(|| check_here(paths, config)),
        Err(error) => Report {
            errors: vec![RunError {
                file: String::new(),
                line: 0,
                column: 0,
                message: format!("no worker threads: {error}"),
                fatal: true,
            }],
            ..Report::default()
        },
    }
}

fn check_here(paths: &[PathBuf], config: &Config) -> Report {
    let start = Instant::now();
    let mut found = project::discover(paths, &config.options);
    if config.settings.process_per_test {
        let crates = found.groups.iter_mut().flat_map(|group| &mut group.crates);
        crates.for_each(|krate| krate.process_per_test = true);
    }
    let walked = start.elapsed().as_secs_f64();
    let parts: Vec<Part> = found.groups.par_iter().map(|group| check_or_tell(group, config)).collect();
    let mut report = Report { errors: found.errors, ..Report::default() };
    let mut why = config.why.as_ref().map(|_| Why::default());
    for part in parts {
        part.add_to(&mut report, why.as_mut());
    }
    if let (Some(why), Some(wanted)) = (&mut why, &config.why)
        && why.lines.is_empty()
    {
        why.lines.push(rules::nothing(wanted));
    }
    report.why = why;
    report.errors.sort();
    report.errors.dedup();
    if report.summary.lines == 0 {
        // Nothing could be read: whatever went wrong is why.
        report.errors.iter_mut().for_each(|e| e.fatal = true);
    }
    sort_findings(&mut report);
    report.summary.times.insert(0, ("discover", walked));
    report
}

/// What one group adds; files are numbered in the group and only the cited ones are kept.
struct Part {
    findings: Vec<Finding>,
    files: BTreeMap<FileId, SourceText>,
    errors: Vec<RunError>,
    summary: Summary,
    why: Why,
}

impl Part {
    fn add_to(self, report: &mut Report, why: Option<&mut Why>) {
        let mut numbers: BTreeMap<FileId, FileId> = BTreeMap::new();
        for (old, source) in self.files {
            let known = report.files.iter().position(|f| f.path == source.path);
            let at = known.unwrap_or_else(|| {
                report.files.push(source);
                report.files.len() - 1
            });
            numbers.insert(old, FileId(at as u32));
        }
        for mut finding in self.findings {
            finding.each_location(&mut |at| at.file = numbers[&at.file]);
            let known = report.findings.iter().any(|f| same_finding(f, &finding));
            if !known {
                report.findings.push(finding);
            }
        }
        if let Some(why) = why {
            for (text, mut at) in self.why.lines {
                at.iter_mut().for_each(|l| l.file = numbers[&l.file]);
                why.lines.push((text, at));
            }
        }
        report.errors.extend(self.errors);
        report.summary.add(self.summary);
    }
}

/// One finding a place and rule; objects that are used by the very same code are told as one.
fn same_finding(a: &Finding, b: &Finding) -> bool {
    let lines = |f: &Finding| f.accesses.iter().map(|access| access.at).collect::<Vec<_>>();
    let same_code = !a.accesses.is_empty() && lines(a) == lines(b);
    a.rule == b.rule && a.place == b.place && (a.declared_at == b.declared_at || same_code)
}

fn sort_findings(report: &mut Report) {
    let files = &report.files;
    let key = |f: &Finding| {
        let at = f.primary();
        (at.map(|l| files[l.file.0 as usize].path.clone()), at.map(|l| l.range), f.rule, f.place.clone())
    };
    report.findings.sort_by_cached_key(key);
}

/// A defect of ours in one group costs that group only.
fn check_or_tell(group: &project::Group, config: &Config) -> Part {
    std::panic::catch_unwind(|| check_group(group, config)).unwrap_or_else(|_| {
        let root = group.crates.first().map(|krate| krate.root.display().to_string());
        let error = RunError {
            file: root.unwrap_or_default(),
            line: 0,
            column: 0,
            message: "internal error: the package of this file was not analysed; please report it".to_owned(),
            fatal: true,
        };
        Part {
            findings: Vec::new(),
            files: BTreeMap::new(),
            errors: vec![error],
            summary: Summary::default(),
            why: Why::default(),
        }
    })
}

fn check_group(group: &project::Group, config: &Config) -> Part {
    let used = libraries(group);
    let models = match &config.settings.models {
        Some(own) => own.over(used),
        None => models::built_in(used),
    };
    let start = Instant::now();
    let loaded = project::load::load(group, &*models);
    let parsed = start.elapsed().as_secs_f64();
    let mut errors = loaded.errors.clone();
    let start = Instant::now();
    let collected = resolve::collect(loaded, models.clone(), models.clone());
    let mut relevance = Relevance::new(collected.program(), &collected.outline(), &models);
    let program = resolve::build(collected, &|program, owner| relevance.wants_items(program, owner));
    relevance.add_types(&program, &models);
    let resolved = start.elapsed().as_secs_f64();
    errors.extend(program.errors.iter().cloned());
    let start = Instant::now();
    let mut summary = Summary {
        files: program.files.len() as u64,
        lines: program.files.iter().map(|f| f.source.text.lines().count() as u64).sum(),
        functions: program.fns.iter().filter(|f| f.item.body.is_some()).count() as u64,
        ..Summary::default()
    };
    let mut findings: Vec<Finding> = rules::check_types(&program, &models, config);
    let mut why = Why::default();
    let mut counts = interp::Counts::default();
    let mut trusted = 0;
    if relevance.any_state() && rules::wants_walk(config) {
        let programs = interp::programs(&program, &models);
        let mut found = Vec::new();
        let mut budget = interp::Budget::of(&program, &programs);
        for entries in programs {
            let left = budget.next_share(&counts);
            let analysis = interp::analyse(&program, &models, &relevance, &entries, left);
            let facts = rules::Facts {
                program: &program,
                models: &models,
                analysis: &analysis,
                kind: entries.kind,
                trusted: Cell::new(0),
            };
            found.push((entries.kind, rules::check(&facts, config)));
            if let Some(place) = &config.why {
                rules::why(&facts, place, &mut why);
            }
            trusted += facts.trusted.get();
            summary.contexts += analysis.contexts.list.len() as u64;
            summary.places += analysis.places.count() as u64;
            counts.add(&analysis.counts);
        }
        // What several programs show is told of the one that says most: `main` before those who might call.
        found.sort_by_key(|(kind, _)| *kind);
        for finding in found.into_iter().flat_map(|(_, of_program)| of_program) {
            if !findings.iter().any(|f| same_finding(f, &finding)) {
                findings.push(finding);
            }
        }
    }
    errors.extend(program.body_errors(config.parse_all));
    let in_focus = |at: &finding::Location| group.in_focus(&program.file(at.file).source.path);
    findings.retain(|f| {
        let declared = f.declared_at.iter().filter(|_| f.accesses.is_empty());
        f.accesses.iter().map(|a| &a.at).chain(declared).any(in_focus)
    });
    for finding in &mut findings {
        finding.fix = fix::propose(finding, &|file| &program.file(file).source.text);
    }
    summary.cut = counts.cut;
    summary.blind = vec![
        ("unresolved imports", program.blind.unresolved_imports),
        ("opaque macros", program.blind.opaque_macros + counts.opaque_macros),
        ("unresolved calls", counts.unresolved_calls),
        ("unresolved methods", counts.unresolved_methods),
        ("pairs left to a protocol", trusted),
    ];
    let analysed = start.elapsed().as_secs_f64();
    summary.times = vec![("parse", parsed), ("resolve", resolved), ("analyse", analysed)];
    let mut files = BTreeMap::new();
    let mut keep = |at: &mut finding::Location| {
        files.entry(at.file).or_insert_with(|| program.file(at.file).source.clone());
    };
    for finding in &mut findings {
        finding.each_location(&mut keep);
    }
    for (_, at) in &mut why.lines {
        at.iter_mut().for_each(&mut keep);
    }
    Part { findings, files, errors, summary, why }
}

/// What a group's manifests say it uses; of files without one, what they name.
fn libraries(group: &project::Group) -> models::Libraries {
    let mut used = models::Libraries::default();
    for krate in &group.crates {
        for (_, dependency) in &krate.dependencies {
            if let project::Dependency::External { package, .. } = dependency {
                used.add_crate(&package.as_str().replace('-', "_"));
            }
        }
        if krate.kind == project::TargetKind::Loose
            && let Ok(text) = std::fs::read_to_string(&krate.root)
        {
            used.add_mentioned(&text);
        }
    }
    used
}
