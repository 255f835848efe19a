//! What the tests over `fixtures/` share: the programs, and how findings name contexts and places.
//!
//! A fixture is a file or a crate folder named `NAME_racy` or `NAME_clean`.

use racelint::Config;
use racelint::config::{Selector, Setting};
use racelint::finding::{Finding, Level, Report};
use std::fs;
use std::path::{Path, PathBuf};

/// The folders with fixtures, below `fixtures/`.
const DOORS: [&str; 7] = ["cells", "contexts", "demo", "lost_updates", "order", "promises", "static_mut"];

/// One program of `fixtures/`.
pub struct Fixture {
    /// `static_mut/spawn_loop_racy`
    pub name: String,
    /// The file or the crate's folder.
    pub path: PathBuf,
}

impl Fixture {
    pub fn is_crate(&self) -> bool {
        self.path.is_dir()
    }
}

/// All fixtures, sorted by name.
pub fn fixtures() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut fixtures = Vec::new();
    for door in DOORS {
        let folder = root.join(door);
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("a readable entry").path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            fixtures.push(Fixture { name: format!("{door}/{stem}"), path });
        }
    }
    fixtures.sort_by(|a, b| a.name.cmp(&b.name));
    fixtures
}

/// With the rule on that is off by default.
pub fn pedantic() -> Config {
    let mut config = Config::default();
    config.rules.push(Selector::Rule("order-dependent"), Setting::Warn);
    config
}

/// The findings at warning or above.
pub fn loud(report: &Report) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(|finding| finding.level >= Level::Warning)
}

/// The context's name, with `*` when several instances may run at once.
pub fn context(finding: &Finding, thread: usize) -> String {
    let thread = &finding.threads[thread];
    format!("{}{}", thread.name, if thread.many { "*" } else { "" })
}

/// A place's name without indices and dereferences: markers name the array, not its element.
pub fn place(name: &str) -> &str {
    let end = name.find(['[', '*']).unwrap_or(name.len());
    name[..end].trim_end_matches('.')
}
