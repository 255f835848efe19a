//! `racelint.toml`: the user's own models, and how tests are run.
//!
//! In: the paths of the command line, or the file that it names. Out: `Settings`, and an error for each thing that is
//! wrong with the file, which is left out. The file is the nearest one at or above the first path.
//!
//! ```toml
//! test-runner = "nextest"        # tests are processes, and share nothing
//!
//! [[model]]                      # one or more model files in place: see docs/MODELS.md
//! fns = ["jobs::submit(F) -> () = seq(spawn(thread, a0), unit)"]
//!
//! [[model]]
//! file = "models/jobs.toml"      # or one in a file, its path from here
//! ```

use crate::finding::RunError;
use crate::models::UserModels;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FILE_NAME: &str = "racelint.toml";

/// What a user's file says.
#[derive(Clone, Default, Debug)]
pub struct Settings {
    /// Their own models; `None`: there are none.
    pub models: Option<Arc<UserModels>>,
    /// Tests run as a process each.
    pub process_per_test: bool,
}

/// Where settings are looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    Nearest,
    File(PathBuf),
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FileText {
    #[serde(default)]
    test_runner: Option<String>,
    #[serde(default, rename = "model")]
    models: Vec<toml::Table>,
}

/// Reads the settings for these paths.
pub fn load(paths: &[PathBuf], source: &Source) -> (Settings, Vec<RunError>) {
    let file = match source {
        Source::None => None,
        Source::File(file) => Some(file.clone()),
        Source::Nearest => paths.first().and_then(|path| nearest(path)),
    };
    let mut errors = Vec::new();
    let settings = file.map_or_else(Settings::default, |file| read(&file, &mut errors));
    (settings, errors)
}

fn nearest(path: &Path) -> Option<PathBuf> {
    let start = path.canonicalize().ok()?;
    let found = start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file())?;
    // As it is written on the command line, where it lies beside what is.
    let beside = path.join(FILE_NAME);
    Some(if beside.is_file() { beside } else { found })
}

fn read(file: &Path, errors: &mut Vec<RunError>) -> Settings {
    let mut wrong = |at: &Path, message: String| {
        let file = at.to_string_lossy().into_owned();
        errors.push(RunError { file, line: 0, column: 0, message, fatal: true });
    };
    let Some(text) = text_of(file, &mut wrong) else { return Settings::default() };
    let parsed: FileText = match toml::from_str(&text) {
        Ok(parsed) => parsed,
        Err(error) => {
            wrong(file, error.to_string().trim_end().to_owned());
            return Settings::default();
        }
    };
    let process_per_test = match parsed.test_runner.as_deref() {
        None | Some("libtest") => false,
        Some("nextest") => true,
        Some(other) => {
            wrong(file, format!("`test-runner` is \"libtest\" or \"nextest\", not \"{other}\""));
            false
        }
    };
    let mut models = UserModels::default();
    for table in parsed.models {
        let (at, table) = match table.get("file") {
            None => (file.to_owned(), Some(table)),
            Some(named) => included(file, &table, named, &mut wrong),
        };
        if let Some(Err(problem)) = table.map(|table| models.add(table)) {
            wrong(&at, problem);
        }
    }
    Settings { models: (!models.is_empty()).then(|| Arc::new(models)), process_per_test }
}

/// The model in a file that the settings name.
fn included(
    from: &Path,
    table: &toml::Table,
    named: &toml::Value,
    wrong: &mut impl FnMut(&Path, String),
) -> (PathBuf, Option<toml::Table>) {
    let (Some(name), 1) = (named.as_str(), table.len()) else {
        wrong(from, "a `[[model]]` with a `file` has its path and nothing else".to_owned());
        return (from.to_owned(), None);
    };
    let at = from.parent().unwrap_or(Path::new("")).join(name);
    let parsed = text_of(&at, wrong).map(|text| toml::from_str(&text));
    match parsed {
        Some(Ok(table)) => (at, Some(table)),
        Some(Err(error)) => {
            wrong(&at, error.to_string().trim_end().to_owned());
            (at, None)
        }
        None => (at, None),
    }
}

fn text_of(file: &Path, wrong: &mut impl FnMut(&Path, String)) -> Option<String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) => {
            wrong(file, error.to_string());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Settings, Vec<String>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join(FILE_NAME);
        std::fs::write(&file, text).expect("written");
        std::fs::write(folder.path().join("lock.toml"), "fns = [\"a::f() -> ()\"]").expect("written");
        let (settings, errors) = load(&[folder.path().to_owned()], &Source::Nearest);
        (settings, errors.into_iter().map(|error| error.message).collect())
    }

    #[test]
    fn models_stand_in_place_or_in_a_file() {
        let (settings, errors) =
            read_text("[[model]]\nfns = [\"p::run(F) = call(a0)\"]\n[[model]]\nfile = \"lock.toml\"");
        assert!(errors.is_empty(), "{errors:?}");
        assert!(settings.models.is_some_and(|models| models.len() == 2));
        assert!(read_text("test-runner = \"nextest\"").0.process_per_test);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, problem) in [
            ("[[model]]\nfns = [\"p::run(F) = cal(a0)\"]", "`cal` is no operation"),
            ("[[model]]\nfunctions = []", "unknown field `functions`"),
            ("[[model]]\nfile = \"none.toml\"", "No such file"),
            ("[[model]]\nfile = \"lock.toml\"\nfns = []", "nothing else"),
            ("[[model]]\nfns = [", "TOML parse error at line"),
            ("test-runner = \"cargo\"", "\"libtest\" or \"nextest\""),
            ("modle = 1", "unknown field `modle`"),
        ] {
            let (_, errors) = read_text(text);
            assert!(errors.iter().any(|e| e.contains(problem)), "{text}: {errors:?}");
        }
    }
}
