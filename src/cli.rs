//! The command line.
//!
//! In: arguments. Out: a `Cli` in which everything is checked that can be without looking at the sources, or a clap error
//! (which exits with 2, or 0 for `--help`). Invariant: an option that isn't built isn't accepted.

use crate::config::{Config, RuleLevels, Selector, Setting};
use crate::project;
use crate::report::Format;
use crate::rules::RuleInfo;
use crate::rules::info;
use crate::settings::{Settings, Source};
use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Finds data races and lost updates in Rust source, and names the threads that race.
///
/// Reads the sources only: the code need not compile and nothing is built or run.
#[derive(Parser, Debug)]
#[command(
    name = "racelint",
    version,
    max_term_width = 100,
    after_help = "Exit code: 0 nothing found at --fail-on or above, 1 findings, 2 the run couldn't do its work."
)]
pub struct Cli {
    /// Folders, packages, workspaces or files; default: the current folder
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// human, short or json; `FORMAT=FILE` writes to a file instead of the standard output. May be given several times
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = parse_output)]
    pub outputs: Vec<Output>,

    /// Don't report RULE; of -A, -W and -D for a rule the last one wins
    #[arg(short = 'A', long, value_name = "RULE|all", value_parser = parse_selector)]
    allow: Vec<Selector>,

    /// Report RULE as a warning
    #[arg(short = 'W', long, value_name = "RULE|all", value_parser = parse_selector)]
    warn: Vec<Selector>,

    /// Report RULE as an error
    #[arg(short = 'D', long, value_name = "RULE|all", value_parser = parse_selector)]
    deny: Vec<Selector>,

    /// Also report what is merely assumed to run concurrently, and results that depend on the order
    #[arg(long)]
    pub pedantic: bool,

    /// The lowest level of a finding that makes the exit code 1
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = FailOn::Warning)]
    pub fail_on: FailOn,

    /// Read the settings in FILE; default: the nearest racelint.toml
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,

    /// Read no settings
    #[arg(long)]
    no_config: bool,

    /// Leave out files and folders that match GLOB
    #[arg(long, value_name = "GLOB", value_parser = parse_glob)]
    exclude: Vec<String>,

    /// Also look at files that .gitignore names
    #[arg(long)]
    no_ignore: bool,

    /// Look at test targets and `cfg(test)` code (the default)
    #[arg(long, overrides_with = "no_tests")]
    tests: bool,

    /// Leave test targets and `cfg(test)` code out
    #[arg(long, overrides_with = "tests")]
    no_tests: bool,

    /// Set a configuration predicate: `name` or `key="value"`
    #[arg(long, value_name = "SPEC", value_parser = parse_cfg)]
    cfg: Vec<String>,

    /// Apply the safe fixes; what they settle is not reported
    #[arg(long)]
    pub fix: bool,

    /// Apply the other fixes too
    #[arg(long)]
    pub unsafe_fixes: bool,

    /// Instead of applying fixes, print what they would change
    #[arg(long)]
    pub diff: bool,

    /// Describe RULE on a page
    #[arg(long, value_name = "RULE", value_parser = parse_rule)]
    pub explain: Option<&'static RuleInfo>,

    /// List the rules with their levels
    #[arg(long)]
    pub list_rules: bool,

    /// Exit with 2 when a file or item couldn't be parsed
    #[arg(long)]
    pub strict: bool,

    /// Worker threads; default: one a core
    #[arg(short = 'j', long, value_name = "N", value_parser = parse_threads)]
    jobs: Option<usize>,

    /// When to use colour; NO_COLOR and FORCE_COLOR in the environment decide `auto`
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,

    /// Print findings only
    #[arg(short, long)]
    pub quiet: bool,

    /// Print counts, blind spots and times to the standard error
    #[arg(long)]
    pub stats: bool,

    /// Instead of the findings, print what is known of PLACE and why each pair of accesses is or isn't reported
    #[arg(long, value_name = "PLACE")]
    why: Option<String>,

    #[arg(skip)]
    rules: RuleLevels,
}

/// A format and where it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    pub format: Format,
    /// `None`: the standard output.
    pub file: Option<PathBuf>,
}

/// What makes the exit code 1.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum FailOn {
    Error,
    Warning,
    Never,
}

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Color {
    Auto,
    Always,
    Never,
}

impl Cli {
    /// Reads arguments, the program's name first. `bin_name` is what usage messages call the command.
    pub fn from_args(
        args: impl IntoIterator<Item = OsString>,
        bin_name: &'static str,
    ) -> Result<Cli, clap::Error> {
        let mut command = Cli::command().bin_name(bin_name);
        let matches = command.try_get_matches_from_mut(args)?;
        let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        cli.rules = rule_levels(&cli, &matches);
        if cli.outputs.iter().filter(|output| output.file.is_none()).count() > 1 {
            let message = "only one --format can go to the standard output; write the others as FORMAT=FILE";
            return Err(command.error(ErrorKind::ArgumentConflict, message));
        }
        if cli.outputs.is_empty() {
            cli.outputs.push(Output { format: Format::Human, file: None });
        }
        Ok(cli)
    }

    /// What the library is to do.
    pub fn config(&self) -> Config {
        Config {
            options: project::Options {
                exclude: self.exclude.clone(),
                no_ignore: self.no_ignore,
                no_tests: self.no_tests,
                cfg: self.cfg.clone(),
            },
            pedantic: self.pedantic,
            rules: self.rules.clone(),
            parse_all: self.strict,
            why: self.why.clone(),
            threads: self.jobs,
            settings: Settings::default(),
        }
    }

    /// Where the settings are.
    pub fn settings(&self) -> Source {
        match &self.config {
            _ if self.no_config => Source::None,
            Some(file) => Source::File(file.clone()),
            None => Source::Nearest,
        }
    }
}

/// The settings of `-A`, `-W` and `-D` in the order of the command line, which clap keeps by option only.
fn rule_levels(cli: &Cli, matches: &ArgMatches) -> RuleLevels {
    let options = [
        ("allow", &cli.allow, Setting::Allow),
        ("warn", &cli.warn, Setting::Warn),
        ("deny", &cli.deny, Setting::Deny),
    ];
    let mut settings: Vec<(usize, Selector, Setting)> = Vec::new();
    for (id, selectors, setting) in options {
        let positions = matches.indices_of(id).into_iter().flatten();
        settings.extend(positions.zip(selectors).map(|(position, selector)| (position, *selector, setting)));
    }
    settings.sort_by_key(|(position, ..)| *position);
    let mut levels = RuleLevels::default();
    for (_, selector, setting) in settings {
        levels.push(selector, setting);
    }
    levels
}

fn parse_output(text: &str) -> Result<Output, String> {
    let (name, file) = match text.split_once('=') {
        Some((_, "")) => return Err("a file name is missing after `=`".to_owned()),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let format = match name {
        "human" => Format::Human,
        "short" => Format::Short,
        "json" => Format::Json,
        "sarif" | "github" | "cargo" => {
            return Err(format!("the format `{name}` is not available yet; there are human, short and json"));
        }
        _ => return Err("no such format; there are human, short and json".to_owned()),
    };
    Ok(Output { format, file })
}

fn parse_selector(text: &str) -> Result<Selector, String> {
    match text {
        "all" => Ok(Selector::All),
        name => parse_rule(name).map(|rule| Selector::Rule(rule.id)),
    }
}

fn parse_rule(text: &str) -> Result<&'static RuleInfo, String> {
    info::find(text).ok_or_else(|| info::unknown_rule(text))
}

fn parse_glob(text: &str) -> Result<String, String> {
    globset::Glob::new(text).map(|_| text.to_owned()).map_err(|error| error.kind().to_string())
}

fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one thread is needed".to_owned()),
        Ok(n) => Ok(n),
        Err(_) => Err("not a number of threads".to_owned()),
    }
}

/// `name` or `key="value"`, as rustc's `--cfg`; spaces around `=` are let go.
fn parse_cfg(text: &str) -> Result<String, String> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let is_string = |value: &str| {
        value.len() >= 2
            && value.starts_with('"')
            && value.ends_with('"')
            && !value[1..value.len() - 1].contains('"')
    };
    match text.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
        Some((key, value)) if is_name(key) && is_string(value) => Ok(format!("{key}={value}")),
        None if is_name(text.trim()) => Ok(text.trim().to_owned()),
        Some(_) | None => Err("expected `name` or `key=\"value\"`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Level;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        let args = std::iter::once("racelint").chain(args.iter().copied()).map(OsString::from);
        Cli::from_args(args, "racelint")
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn levels_keep_the_order_of_the_command_line() {
        let level = |args: &[&str], rule| parse(args).unwrap().config().rules.apply(rule, Level::Warning);
        assert_eq!(level(&["-A", "all", "-D", "env-race"], "env-race"), Some(Level::Error));
        assert_eq!(level(&["-D", "env_race", "-A", "all"], "env-race"), None);
        assert_eq!(
            level(&["-Aenv-race", "--warn=env-race", "--deny", "all"], "env-race"),
            Some(Level::Error)
        );
    }

    #[test]
    fn outputs_are_formats_with_files() {
        let outputs = |args: &[&str]| parse(args).unwrap().outputs;
        let human = Output { format: Format::Human, file: None };
        assert_eq!(outputs(&[]), std::slice::from_ref(&human));
        let json = Output { format: Format::Json, file: Some(PathBuf::from("a=b.json")) };
        assert_eq!(outputs(&["--format", "json=a=b.json", "--format", "human"]), [json, human]);
    }

    #[test]
    fn tests_are_looked_at_unless_turned_off_last() {
        let no_tests = |args: &[&str]| parse(args).unwrap().config().options.no_tests;
        assert!(!no_tests(&[]));
        assert!(no_tests(&["--tests", "--no-tests"]));
        assert!(!no_tests(&["--no-tests", "--tests"]));
    }

    #[test]
    fn predicates_are_normalised() {
        assert_eq!(parse_cfg("loom"), Ok("loom".to_owned()));
        assert_eq!(parse_cfg("feature = \"rt\""), Ok("feature=\"rt\"".to_owned()));
        for bad in ["", "a b", "feature=rt", "=\"x\"", "feature=\"", "not(x)"] {
            assert!(parse_cfg(bad).is_err(), "{bad}");
        }
    }
}
