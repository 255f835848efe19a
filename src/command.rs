//! What both binaries do: run the analysis as the command line says, print, and choose the exit code.
//!
//! In: a `Cli`. Out: findings on the standard output or in files, everything else on the standard error. Invariants: all
//! that could be analysed is printed before an error ends the run; a reader that goes away ends it quietly, with the exit
//! code of the findings; escape codes are written only where colour was decided on.

use crate::cli::{Cli, Color, FailOn, Output};
use crate::config::Config;
use crate::finding::{Level, Report, RunError};
use crate::fix;
use crate::report::lines::Sources;
use crate::report::{self, Format, summary};
use crate::rules::{RULES, RuleInfo};
use crate::settings;
use codespan_reporting::term::termcolor::{Buffer, BufferWriter, ColorChoice};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const FINDINGS: u8 = 1;
/// As clap's for bad usage.
const FAILED: u8 = 2;

/// Runs `racelint ARGS`.
pub fn racelint(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    start(args.into_iter().collect(), "racelint", || PathBuf::from("."))
}

/// Runs `cargo racelint ARGS`: cargo passes its subcommand's name on, and the default is the workspace.
pub fn cargo_racelint(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if args.get(1).is_some_and(|arg| arg == "racelint") {
        args.remove(1);
    }
    start(args, "cargo racelint", || workspace_root(Path::new(".")))
}

fn start(args: Vec<OsString>, bin_name: &'static str, default_path: impl FnOnce() -> PathBuf) -> ExitCode {
    let mut cli = match Cli::from_args(args, bin_name) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    if cli.paths.is_empty() {
        cli.paths.push(default_path());
    }
    if let Some(rule) = cli.explain {
        return finish([print(&explain(rule))], 0);
    }
    if cli.list_rules {
        return finish([print(&rule_table())], 0);
    }
    let (settings, errors) = settings::load(&cli.paths, &cli.settings());
    let mut report = crate::check(&cli.paths, &Config { settings, ..cli.config() });
    report.errors.extend(errors);
    if cli.diff {
        let fixes = fix::apply(&report, cli.unsafe_fixes);
        let text: String = fixes.files.iter().map(fix::diff).collect();
        return finish([print(&text), print_about(&cli, &report)], exit_code(&cli, &report));
    }
    if cli.fix || cli.unsafe_fixes {
        write_fixes(&cli, &mut report);
    }
    let sources = Sources::new(&report.files);
    let printed = [
        print_findings(&cli, &report, &sources),
        write_files(&cli, &report, &sources),
        print_about(&cli, &report),
    ];
    finish(printed, exit_code(&cli, &report))
}

/// Writes the fixed files; what is settled is no longer in the report. A file that changed meanwhile stays as it is.
fn write_fixes(cli: &Cli, report: &mut Report) {
    let fixes = fix::apply(report, cli.unsafe_fixes);
    let mut failed = false;
    for file in &fixes.files {
        let unchanged = std::fs::read_to_string(&file.path).is_ok_and(|text| text == file.before);
        let written = match unchanged {
            true => std::fs::write(&file.path, &file.after).map_err(|error| error.to_string()),
            false => Err("not fixed, it has changed".to_owned()),
        };
        if let Err(message) = written {
            failed = true;
            let error = RunError { file: file.path.clone(), line: 0, column: 0, message, fatal: true };
            report.errors.push(error);
        }
    }
    if failed {
        return;
    }
    let mut number = 0;
    report.findings.retain(|_| {
        number += 1;
        !fixes.settled.contains(&(number - 1))
    });
    if !cli.quiet && !fixes.settled.is_empty() {
        let plural =
            |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        let (findings, files) = (plural(fixes.settled.len(), "finding"), plural(fixes.files.len(), "file"));
        // Where the standard error is gone there is nobody left to tell.
        let _ = writeln!(io::stderr(), "fixed {findings} in {files}");
    }
}

/// The exit code for a run that printed all it had.
fn exit_code(cli: &Cli, report: &Report) -> u8 {
    let failed = report.errors.iter().any(|error| error.fatal) || (cli.strict && !report.errors.is_empty());
    let counts = |level| match cli.fail_on {
        FailOn::Error => level >= Level::Error,
        FailOn::Warning => level >= Level::Warning,
        FailOn::Never => false,
    };
    match failed {
        true => FAILED,
        false if report.findings.iter().any(|finding| counts(finding.level)) => FINDINGS,
        false => 0,
    }
}

/// The exit code after printing: a closed pipe is no failure, a file that can't be written is.
fn finish(printed: impl IntoIterator<Item = io::Result<()>>, code: u8) -> ExitCode {
    let failure = printed.into_iter().filter_map(Result::err).find(|e| e.kind() != io::ErrorKind::BrokenPipe);
    let Some(error) = failure else { return ExitCode::from(code) };
    // Where the standard error is gone too there is nobody left to tell.
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::from(FAILED)
}

/// What goes to the standard output; with `--why` its answer instead of the findings.
fn print_findings(cli: &Cli, report: &Report, sources: &Sources<'_>) -> io::Result<()> {
    let stdout = BufferWriter::stdout(color_choice(cli.color));
    let mut text = stdout.buffer();
    if let Some(why) = &report.why {
        report::write_why(why, sources, &mut text)?;
    } else if let Some(output) = cli.outputs.iter().find(|output| output.file.is_none()) {
        report::write(output.format, report, sources, &mut text)?;
    }
    stdout.print(&text)?;
    io::stdout().flush()
}

/// The formats that go to files, without colour.
fn write_files(cli: &Cli, report: &Report, sources: &Sources<'_>) -> io::Result<()> {
    for Output { format, file } in &cli.outputs {
        let Some(file) = file else { continue };
        let mut text = Buffer::no_color();
        report::write(*format, report, sources, &mut text)?;
        if *format == Format::Human {
            writeln!(text, "{}", summary::line(report))?;
        }
        std::fs::write(file, text.as_slice())
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    }
    Ok(())
}

/// Everything besides findings: what went wrong, the summary line, the counts.
fn print_about(cli: &Cli, report: &Report) -> io::Result<()> {
    let mut err = io::stderr().lock();
    for error in report.errors.iter().filter(|error| error.fatal || !cli.quiet) {
        let kind = if error.fatal || cli.strict { "error" } else { "warning" };
        writeln!(err, "{kind}: {error}")?;
    }
    let is_human = |output: &Output| output.file.is_none() && output.format == Format::Human;
    // "No findings in 0 files" after an error would sound like a verdict.
    let looked_at_something = report.summary.files > 0 || report.errors.is_empty();
    if !cli.quiet && looked_at_something && report.why.is_none() && cli.outputs.iter().any(is_human) {
        writeln!(err, "{}", summary::line(report))?;
    }
    if cli.stats {
        summary::write_stats(report, &mut err)?;
    }
    Ok(())
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// <https://no-color.org> and <https://force-color.org>: set and not empty. An explicit choice comes first.
fn color_choice(choice: Color) -> ColorChoice {
    let is_set = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    let use_color = match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if is_set("NO_COLOR") => false,
        Color::Auto if is_set("FORCE_COLOR") => true,
        Color::Auto => {
            io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    };
    if use_color { ColorChoice::Always } else { ColorChoice::Never }
}

fn explain(rule: &RuleInfo) -> String {
    format!("# {} ({})\n\n{}", rule.id, level_name(rule), rule.explanation)
}

fn rule_table() -> String {
    let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let row = |rule: &RuleInfo| format!("{:width$}  {:8}  {}\n", rule.id, level_name(rule), rule.summary);
    RULES.iter().map(row).collect()
}

/// A rule's level; notes are off until asked for.
fn level_name(rule: &RuleInfo) -> &'static str {
    match rule.level {
        Level::Note => "pedantic",
        level => level.as_str(),
    }
}

/// The folder of the workspace that `from` is in: the nearest one upwards whose manifest has a `[workspace]`, else the
/// nearest with a manifest, else `from`. Relative to `from`, so that paths are shown relative too.
fn workspace_root(from: &Path) -> PathBuf {
    let depth = from.canonicalize().map_or(1, |path| path.components().count());
    let mut package = None;
    let mut folder = from.to_path_buf();
    for step in 0..depth {
        if let Ok(manifest) = std::fs::read_to_string(folder.join("Cargo.toml")) {
            if manifest.parse::<toml::Table>().is_ok_and(|table| table.contains_key("workspace")) {
                return folder;
            }
            package.get_or_insert_with(|| folder.clone());
        }
        folder = if step == 0 && from == Path::new(".") { PathBuf::from("..") } else { folder.join("..") };
    }
    package.unwrap_or_else(|| from.to_path_buf())
}
