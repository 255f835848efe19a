//! Syntax errors in bodies that nobody asked for: every body is parsed once, whether or not it can matter.

use super::Program;
use crate::finding::{FileId, RunError};
use crate::hir::{BodySource, TextRange};
use crate::report::lines::LineIndex;
use rayon::prelude::*;
use std::collections::BTreeSet;

impl Program {
    /// The errors of all function bodies, in file order.
    pub fn check_bodies(&self) -> Vec<RunError> {
        let mut bodies: BTreeSet<(FileId, TextRange)> = BTreeSet::new();
        for def in &self.fns {
            if let Some(BodySource::Text(range)) = &def.item.body {
                bodies.insert((def.file, *range));
            }
        }
        let bodies: Vec<(FileId, TextRange)> = bodies.into_iter().collect();
        bodies.par_iter().flat_map_iter(|(file, range)| self.check_body_at(*file, *range)).collect()
    }

    fn check_body_at(&self, file: FileId, range: TextRange) -> Vec<RunError> {
        let source = &self.file(file).source;
        let errors = crate::syntax::check_body(&source.text, &BodySource::Text(range));
        if errors.is_empty() {
            return Vec::new();
        }
        let lines = LineIndex::new(&source.text);
        errors
            .into_iter()
            .map(|error| {
                let at = lines.position(&source.text, error.range.lo as usize);
                RunError {
                    file: source.path.clone(),
                    line: at.line as u32,
                    column: at.column as u32,
                    message: error.message,
                    fatal: false,
                }
            })
            .collect()
    }
}
