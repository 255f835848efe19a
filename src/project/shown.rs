//! Paths as the user sees them: as given on the command line, joined with what was walked.
//!
//! Discovery works on absolute paths; what leaves it is shown. A shown path can be opened from the current folder.
//! Files outside every given path (the package above it, a path dependency beside it) are shown relative to it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// One path of the command line.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// As given; `.` is empty, so that what is below shows without `./`.
    pub shown: PathBuf,
    /// With symbolic links resolved.
    absolute: PathBuf,
    kind: GivenKind,
    /// Stepping up from `shown` by its text leads where stepping up from `absolute` does: no link is in the way.
    climbs: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum GivenKind {
    Folder,
    /// A Cargo.toml: its folder is meant.
    Manifest,
    Source,
}

impl Given {
    /// Fails if there is no such file or folder.
    pub fn new(path: &Path) -> std::io::Result<Given> {
        let absolute = path.canonicalize()?;
        let plain = std::path::absolute(path).map(|p| normalized(&p)).unwrap_or_default();
        let shown: PathBuf = path.components().filter(|c| *c != Component::CurDir).collect();
        let kind = match absolute.file_name() {
            _ if absolute.is_dir() => GivenKind::Folder,
            Some(name) if name == "Cargo.toml" => GivenKind::Manifest,
            _ => GivenKind::Source,
        };
        Ok(Given { shown, kind, climbs: plain == absolute, absolute })
    }

    /// A single file, rather than a folder or a package by its manifest.
    pub fn is_source(&self) -> bool {
        self.kind == GivenKind::Source
    }

    /// The folder that is given, also by its manifest; a single file's own path.
    pub fn folder(&self) -> &Path {
        match self.kind {
            GivenKind::Manifest => self.absolute.parent().unwrap_or(&self.absolute),
            GivenKind::Folder | GivenKind::Source => &self.absolute,
        }
    }

    /// How an absolute path is shown, and how many components it shares with this one.
    fn show(&self, path: &Path) -> (PathBuf, usize) {
        let shared = self.absolute.components().zip(path.components()).take_while(|(a, b)| a == b).count();
        let up = self.absolute.components().count() - shared;
        if up > 0 && !self.climbs {
            return (path.to_owned(), shared);
        }
        let mut shown = self.shown.clone();
        for _ in 0..up {
            match shown.components().next_back() {
                Some(Component::Normal(_)) => {
                    shown.pop();
                }
                _ => shown.push(".."),
            }
        }
        shown.extend(path.components().skip(shared));
        (shown, shared)
    }
}

/// Shows absolute paths relative to the nearest given one.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub given: Vec<Given>,
    /// Index into `given`, by absolute path; the first of equal ones.
    by_path: BTreeMap<PathBuf, usize>,
}

impl Shown {
    pub fn new(given: Vec<Given>) -> Shown {
        let by_path = given.iter().enumerate().rev().map(|(at, g)| (g.absolute.clone(), at)).collect();
        Shown { given, by_path }
    }

    pub fn path(&self, path: &Path) -> PathBuf {
        // Nearly all paths lie in a given one.
        if let Some(at) = path.ancestors().find_map(|folder| self.by_path.get(folder)) {
            return self.given[*at].show(path).0;
        }
        let mut best: Option<(PathBuf, usize)> = None;
        for given in &self.given {
            let candidate = given.show(path);
            if best.as_ref().is_none_or(|(_, shared)| candidate.1 > *shared) {
                best = Some(candidate);
            }
        }
        best.map_or_else(|| path.to_owned(), |(shown, _)| shown)
    }

    pub fn text(&self, path: &Path) -> String {
        slashed(&self.path(path))
    }
}

/// The path with `/` between its components.
pub(super) fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' {
        text.into_owned()
    } else {
        text.replace(std::path::MAIN_SEPARATOR, "/")
    }
}

/// The path without `.`, and without `..` where a named component stands before it.
pub(super) fn normalized(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                Some(Component::CurDir | Component::ParentDir) | None => out.push(".."),
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(shown: &str, absolute: &str) -> Given {
        Given { shown: shown.into(), absolute: absolute.into(), kind: GivenKind::Folder, climbs: true }
    }

    #[test]
    fn paths_are_shown_from_the_given_one() {
        let shown = Shown::new(vec![given("crates/foo", "/w/crates/foo")]);
        assert_eq!(shown.text(Path::new("/w/crates/foo/src/lib.rs")), "crates/foo/src/lib.rs");
        assert_eq!(shown.text(Path::new("/w/crates/bar/src/lib.rs")), "crates/bar/src/lib.rs");
        assert_eq!(shown.text(Path::new("/other/lib.rs")), "../other/lib.rs");
    }

    #[test]
    fn the_current_folder_is_not_shown() {
        let shown = Shown::new(vec![given("", "/w/foo")]);
        assert_eq!(shown.text(Path::new("/w/foo/src/lib.rs")), "src/lib.rs");
        assert_eq!(shown.text(Path::new("/w/bar/src/lib.rs")), "../bar/src/lib.rs");
    }

    #[test]
    fn the_nearest_given_path_is_taken() {
        let shown = Shown::new(vec![given("a", "/w/a"), given("a/b", "/w/a/b"), given("/w/c", "/w/c")]);
        assert_eq!(shown.text(Path::new("/w/c/x.rs")), "/w/c/x.rs");
        assert_eq!(shown.text(Path::new("/w/a/b/x.rs")), "a/b/x.rs");
    }

    #[test]
    fn dots_are_taken_out() {
        assert_eq!(normalized(Path::new("tests/./common/../x.rs")), Path::new("tests/x.rs"));
        assert_eq!(normalized(Path::new("../../x.rs")), Path::new("../../x.rs"));
        assert_eq!(normalized(Path::new("/../x.rs")), Path::new("/x.rs"));
    }
}
