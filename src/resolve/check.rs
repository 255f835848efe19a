//! Syntax errors in function bodies.
//!
//! Out: those of the bodies that were looked at, and of a small group's others, which are parsed for this alone. In a
//! large group parsing what can't matter would cost more than the analysis; `all` does it nevertheless.

use super::Program;
use crate::finding::{FileId, RunError};
use crate::hir::{BodySource, SyntaxError, TextRange};
use crate::report::lines::LineIndex;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Bytes of source up to which a group is small.
const SMALL: usize = 64 << 10;

impl Program {
    /// The errors of function bodies, in file order; to be called when the analysis is done.
    pub fn body_errors(&self, all: bool) -> Vec<RunError> {
        let small = self.files.iter().map(|file| file.source.text.len()).sum::<usize>() <= SMALL;
        let mut bodies: BTreeMap<(FileId, TextRange), Option<&[SyntaxError]>> = BTreeMap::new();
        for def in &self.fns {
            let Some(BodySource::Text(range)) = &def.item.body else { continue };
            let known = def.body.get().and_then(|body| body.as_ref()).map(|body| &body.errors[..]);
            if known.is_some() || all || small {
                bodies.insert((def.file, *range), known);
            }
        }
        let bodies: Vec<_> = bodies.into_iter().collect();
        let errors = bodies.par_iter().flat_map_iter(|((file, range), known)| match known {
            Some(errors) => self.run_errors(*file, errors),
            None => {
                let source = &self.file(*file).source;
                self.run_errors(*file, &crate::syntax::check_body(&source.text, &BodySource::Text(*range)))
            }
        });
        errors.collect()
    }

    fn run_errors(&self, file: FileId, errors: &[SyntaxError]) -> Vec<RunError> {
        if errors.is_empty() {
            return Vec::new();
        }
        let source = &self.file(file).source;
        let lines = LineIndex::new(&source.text);
        let told = |error: &SyntaxError| {
            let at = lines.position(&source.text, error.range.lo as usize);
            RunError {
                file: source.path.clone(),
                line: at.line as u32,
                column: at.column as u32,
                message: error.message.clone(),
                fatal: false,
            }
        };
        errors.iter().map(told).collect()
    }
}
