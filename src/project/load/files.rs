//! The files of a group: each is read and indexed once.

use super::LoadedFile;
use crate::finding::{FileId, RunError, SourceText};
use crate::hir::{Attr, Item};
use crate::project::position::{error_at, error_in};
use crate::project::shown::slashed;
use crate::syntax::{ParsedFile, parse_file};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files read so far.
#[derive(Default)]
pub(super) struct Files {
    pub loaded: Vec<LoadedFile>,
    pub errors: Vec<RunError>,
    /// The items of a file until its last user of the wave takes them.
    items: Vec<Option<Vec<Item>>>,
    ids: FxHashMap<PathBuf, FileId>,
}

impl Files {
    /// Reads and parses those of the files that are new.
    pub fn read(&mut self, paths: impl Iterator<Item = PathBuf>) {
        let mut new: Vec<PathBuf> = paths.filter(|path| !self.ids.contains_key(path)).collect();
        new.sort();
        new.dedup();
        let read: Vec<_> = new.par_iter().with_max_len(1).map(|path| read_and_parse(path)).collect();
        for (path, (source, parsed, error)) in new.into_iter().zip(read) {
            self.errors.extend(error);
            for error in &parsed.tree.errors {
                let offset = error.range.lo as usize;
                self.errors.push(error_at(&source.path, &source.text, offset, error.message.clone()));
            }
            self.ids.insert(path, FileId(self.loaded.len() as u32));
            self.items.push(Some(parsed.tree.items));
            self.loaded.push(LoadedFile {
                source,
                bodies: parsed.bodies,
                attrs: parsed.tree.attrs,
                comments: parsed.tree.comments,
            });
        }
    }

    pub fn id(&self, path: &Path) -> Option<FileId> {
        self.ids.get(path).copied()
    }

    /// A file's items and `#![…]`. `last`: nobody else of this wave wants them; whoever does later has them parsed anew.
    pub fn items(&mut self, id: FileId, last: bool) -> (Vec<Item>, Vec<Attr>) {
        let at = id.0 as usize;
        let kept = if last { self.items[at].take() } else { self.items[at].clone() };
        let items = kept.unwrap_or_else(|| parse_file(&self.loaded[at].source.text).tree.items);
        (items, self.loaded[at].attrs.clone())
    }

    pub fn error_at(&mut self, file: FileId, offset: u32, message: String) {
        let source = &self.loaded[file.0 as usize].source;
        self.errors.push(error_at(&source.path, &source.text, offset as usize, message));
    }
}

/// What can't be read is empty, with the reason.
fn read_and_parse(path: &Path) -> (SourceText, ParsedFile, Option<RunError>) {
    let shown = slashed(path);
    let (text, error) = match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(_) => (String::new(), Some(error_in(&shown, "is not UTF-8 text".to_owned()))),
        },
        Err(error) => (String::new(), Some(error_in(&shown, format!("can't be read: {error}")))),
    };
    let parsed = parse_file(&text);
    (SourceText { path: shown, text: Arc::from(text) }, parsed, error)
}
