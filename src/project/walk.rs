//! Which files lie below a folder: `.rs` files and manifests, in path order.
//!
//! Left out: hidden folders, build output (a `target` folder beside a manifest, or any with a CACHEDIR.TAG), what
//! `.gitignore` files say (also those above, up to the repository's root) and what `--exclude` matches. Links to
//! folders are not followed, so there are no loops; links to files are read.

use super::Options;
use super::position::error_in;
use super::shown::Shown;
use crate::finding::RunError;
use globset::{Glob, GlobSet, GlobSetBuilder};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// What walks found: absolute paths, sorted once `sort` was called.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub sources: Vec<PathBuf>,
    /// The folders with a `Cargo.toml`.
    pub packages: Vec<PathBuf>,
}

impl Listing {
    pub fn sort(&mut self) {
        for paths in [&mut self.sources, &mut self.packages] {
            paths.sort();
            paths.dedup();
        }
    }

    /// The `.rs` files below a folder (or the file itself).
    pub fn sources_in<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a PathBuf> {
        let start = self.sources.partition_point(|file| file.as_path() < folder);
        self.sources[start..].iter().take_while(move |file| file.starts_with(folder))
    }

    /// Whether the folder was found to hold a manifest.
    pub fn is_package(&self, folder: &Path) -> bool {
        self.packages.binary_search_by(|known| known.as_path().cmp(folder)).is_ok()
    }
}

/// What is left out on the command line's behalf.
pub(super) struct Filter {
    exclude: GlobSet,
    no_ignore: bool,
}

impl Filter {
    /// Fails on a pattern that isn't one.
    pub fn new(options: &Options) -> Result<Filter, RunError> {
        let mut set = GlobSetBuilder::new();
        for pattern in &options.exclude {
            let glob = Glob::new(pattern).map_err(|error| RunError {
                fatal: true,
                ..error_in(pattern, format!("this is no pattern for --exclude: {}", error.kind()))
            })?;
            set.add(glob);
        }
        let exclude = set.build().map_err(|error| RunError {
            fatal: true,
            ..error_in("--exclude", format!("the patterns are too large: {error}"))
        })?;
        Ok(Filter { exclude, no_ignore: options.no_ignore })
    }

    /// Whether a pattern matches the path as it is shown, one of its folders, or a tail of it.
    pub fn excludes(&self, path: &Path, shown: &Shown) -> bool {
        if self.exclude.is_empty() {
            return false;
        }
        shown.path(path).ancestors().filter(|p| !p.as_os_str().is_empty()).any(|folder| {
            let mut tail = folder.components();
            loop {
                if self.exclude.is_match(tail.as_path()) {
                    return true;
                }
                if tail.next().is_none() || tail.as_path().as_os_str().is_empty() {
                    return false;
                }
            }
        })
    }
}

/// Walks the folder `root` and adds what it finds to `listing`.
pub(super) fn walk(
    root: &Path,
    filter: &Filter,
    shown: &Shown,
    listing: &mut Listing,
    errors: &mut Vec<RunError>,
) {
    let mut ignores = Ignores::above(root, filter.no_ignore);
    let mut entries = WalkDir::new(root).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let at = error.path().map_or_else(|| shown.text(root), |p| shown.text(p));
                let reason = error.io_error().map_or_else(|| error.to_string(), |e| e.to_string());
                errors.push(error_in(&at, format!("can't be read: {reason}")));
                continue;
            }
        };
        let is_dir = entry.file_type().is_dir();
        let below = entry.depth() > 0;
        ignores.leave_to(entry.depth());
        let left_out = below
            && (ignores.ignores(entry.path(), is_dir)
                || is_dir && (is_hidden(&entry) || is_build_output(entry.path()))
                || filter.excludes(entry.path(), shown));
        if left_out {
            if is_dir {
                entries.skip_current_dir();
            }
        } else if is_dir {
            ignores.enter(entry.path());
        } else {
            add_file(&entry, shown, listing, errors);
        }
    }
}

fn add_file(entry: &DirEntry, shown: &Shown, listing: &mut Listing, errors: &mut Vec<RunError>) {
    let path = entry.path();
    let manifest = entry.file_name() == "Cargo.toml";
    if !manifest && path.extension().is_none_or(|e| e != "rs") {
        return;
    }
    if entry.path_is_symlink() {
        match path.metadata() {
            Ok(data) if data.is_dir() => return,
            Ok(_) => {}
            Err(error) => {
                errors.push(error_in(&shown.text(path), format!("the link can't be followed: {error}")));
                return;
            }
        }
    }
    if manifest {
        listing.packages.extend(path.parent().map(Path::to_owned));
    } else {
        listing.sources.push(path.to_owned());
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_build_output(folder: &Path) -> bool {
    let beside_manifest = || folder.parent().is_some_and(|p| p.join("Cargo.toml").is_file());
    folder.file_name().is_some_and(|name| name == "target") && beside_manifest()
        || folder.join("CACHEDIR.TAG").is_file()
}

/// The ignore files that apply where the walk is.
struct Ignores {
    disabled: bool,
    /// Those above the walk's root, outermost first.
    above: Vec<Gitignore>,
    /// One for each folder entered, by depth.
    entered: Vec<Gitignore>,
}

impl Ignores {
    fn above(root: &Path, disabled: bool) -> Ignores {
        let mut above = Vec::new();
        let repository = root.ancestors().find(|folder| folder.join(".git").exists());
        if let Some(repository) = repository.filter(|_| !disabled) {
            let mut own = GitignoreBuilder::new(repository);
            // An unreadable or malformed ignore file ignores nothing.
            let _ = own.add(repository.join(".git/info/exclude"));
            above.push(own.build().unwrap_or_else(|_| Gitignore::empty()));
            let mut between: Vec<&Path> =
                root.ancestors().skip(1).take_while(|folder| folder.starts_with(repository)).collect();
            between.reverse();
            above.extend(between.into_iter().map(of_folder));
        }
        Ignores { disabled, above, entered: Vec::new() }
    }

    fn enter(&mut self, folder: &Path) {
        if !self.disabled {
            self.entered.push(of_folder(folder));
        }
    }

    /// Forgets the folders that an entry at `depth` is not in.
    fn leave_to(&mut self, depth: usize) {
        self.entered.truncate(depth);
    }

    /// The innermost file that says something decides.
    fn ignores(&self, path: &Path, is_dir: bool) -> bool {
        for file in self.entered.iter().rev().chain(self.above.iter().rev()) {
            match file.matched(path, is_dir) {
                Match::None => {}
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
            }
        }
        false
    }
}

fn of_folder(folder: &Path) -> Gitignore {
    let file = folder.join(".gitignore");
    if !file.is_file() {
        return Gitignore::empty();
    }
    let mut builder = GitignoreBuilder::new(folder);
    // An unreadable ignore file, or a malformed line of it, ignores nothing.
    let _ = builder.add(file);
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::testing::Tree;

    /// Names of the `.rs` files found, relative to the tree.
    fn found(tree: &Tree, options: &Options) -> Vec<String> {
        let (listing, errors) = list(tree, options);
        assert_eq!(errors, []);
        listing.sources.iter().map(|p| tree.relative(p)).collect()
    }

    fn list(tree: &Tree, options: &Options) -> (Listing, Vec<RunError>) {
        let filter = Filter::new(options).expect("patterns");
        let (mut listing, mut errors) = (Listing::default(), Vec::new());
        walk(tree.root(), &filter, &Shown::default(), &mut listing, &mut errors);
        (listing, errors)
    }

    #[test]
    fn ignored_hidden_and_built_files_are_left_out() {
        let tree = Tree::new(&[
            (".git/HEAD", ""),
            (".gitignore", "/gen\n*.tmp.rs\n!keep.tmp.rs\n"),
            ("a.rs", ""),
            ("b.tmp.rs", ""),
            ("keep.tmp.rs", ""),
            ("gen/c.rs", ""),
            ("sub/gen/d.rs", ""),
            ("sub/.gitignore", "e.rs\n"),
            ("sub/e.rs", ""),
            ("e.rs", ""),
            (".hidden/f.rs", ""),
            ("p/Cargo.toml", ""),
            ("p/target/g.rs", ""),
            ("target/h.rs", ""),
            ("cache/CACHEDIR.TAG", ""),
            ("cache/i.rs", ""),
        ]);
        let all = found(&tree, &Options::default());
        assert_eq!(all, ["a.rs", "e.rs", "keep.tmp.rs", "sub/gen/d.rs", "target/h.rs"]);
        let unignored = found(&tree, &Options { no_ignore: true, ..Options::default() });
        assert_eq!(unignored.len(), 8);
    }

    #[test]
    fn ignore_files_above_count_up_to_the_repository() {
        let tree = Tree::new(&[
            (".gitignore", "a.rs\n"),
            ("repo/.git/HEAD", ""),
            ("repo/.gitignore", "b.rs\n"),
            ("repo/sub/a.rs", ""),
            ("repo/sub/b.rs", ""),
        ]);
        let filter = Filter::new(&Options::default()).expect("patterns");
        let mut listing = Listing::default();
        let folder = tree.root().join("repo/sub");
        walk(&folder, &filter, &Shown::default(), &mut listing, &mut Vec::new());
        assert_eq!(listing.sources.into_iter().collect::<Vec<_>>(), [folder.join("a.rs")]);
    }

    #[test]
    fn excludes_match_folders_and_tails() {
        let tree = Tree::new(&[("a/gen/x.rs", ""), ("a/y.rs", ""), ("b/x_test.rs", "")]);
        let exclude = |glob: &str| Options { exclude: vec![glob.to_owned()], ..Options::default() };
        assert_eq!(found(&tree, &exclude("gen")), ["a/y.rs", "b/x_test.rs"]);
        assert_eq!(found(&tree, &exclude("a/**")), ["b/x_test.rs"]);
        assert_eq!(found(&tree, &exclude("*_test.rs")), ["a/gen/x.rs", "a/y.rs"]);
        assert!(Filter::new(&exclude("a[")).is_err_and(|error| error.fatal));
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_loop() {
        let tree = Tree::new(&[("a/x.rs", "")]);
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, tree.root().join(at)).expect("link");
        link("..", "a/up");
        link("self.rs", "a/self.rs");
        link("x.rs", "a/y.rs");
        let (listing, errors) = list(&tree, &Options::default());
        let names: Vec<String> = listing.sources.iter().map(|p| tree.relative(p)).collect();
        assert_eq!(names, ["a/x.rs", "a/y.rs"]);
        assert_eq!(errors.len(), 1);
        assert!(errors[0].file.ends_with("a/self.rs"), "{errors:?}");
    }
}
