//! The documentation says what is true: the diagnostic in the README is the program's, and every effect of model files
//! has its row in `docs/MODELS.md`.

use codespan_reporting::term::termcolor::NoColor;
use racelint::report::lines::Sources;
use racelint::report::{self, Format};
use std::path::PathBuf;

const README: &str = include_str!("../README.md");
const MODELS: &str = include_str!("../docs/MODELS.md");
const EFFECTS: &str = include_str!("../src/models/op.rs");

#[test]
fn the_readme_shows_the_real_diagnostic() {
    let program = PathBuf::from("fixtures/demo/fn_items_racy.rs");
    let report = racelint::check(&[program], &racelint::Config::default());
    let mut text = NoColor::new(Vec::new());
    report::write(Format::Human, &report, &Sources::new(&report.files), &mut text).expect("a Vec takes all");
    let text = String::from_utf8(text.into_inner()).expect("reports are UTF-8");
    let shown: String = text.trim_end().lines().map(|line| format!("    {line}\n")).collect();
    assert!(README.contains(&shown), "put this into the README:\n{shown}");
}

#[test]
fn every_effect_has_its_row() {
    let (_, table) = EFFECTS.split_once("\nop_names! {\n").expect("the table of effects");
    let (table, _) = table.split_once("\n}\n").expect("its end");
    let lines = table.lines().filter(|line| !line.trim_start().starts_with("//"));
    let names: Vec<&str> = lines.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(!names.is_empty());
    let rows: Vec<&str> = MODELS.lines().filter(|line| line.starts_with("| `")).collect();
    for name in names {
        let (alone, applied) = (format!("`{name}`"), format!("`{name}("));
        let documented = rows.iter().any(|row| {
            let effect = row.split('|').nth(1).unwrap_or_default();
            effect.contains(&alone) || effect.contains(&applied)
        });
        assert!(documented, "`{name}` has no row in docs/MODELS.md");
    }
}
