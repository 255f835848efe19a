//! Where the files of modules are, and which files a text's `mod` items name.
//!
//! Source: Rust Reference, "Module source filenames" and "The path attribute". The text scan knows no cfg and no macro:
//! it answers "could a `mod` item name this file", for files that aren't loaded (inactive modules, loose files).

use super::shown::normalized;
use std::path::{Path, PathBuf};

/// Where a module looks for the files of its children.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ModuleFolder {
    /// `path` attributes are relative to it.
    folder: PathBuf,
    /// In a file that is named like its module (`a.rs`, not `mod.rs`): the sub-folder for children without one.
    relative: Option<String>,
}

impl ModuleFolder {
    /// Of a crate's root file, a `mod.rs` and any file that a `path` attribute names.
    pub fn of_root(file: &Path) -> ModuleFolder {
        ModuleFolder { folder: file.parent().unwrap_or(Path::new("")).to_owned(), relative: None }
    }

    /// Of a file that stands for the module it is named like.
    pub fn of_named(file: &Path) -> ModuleFolder {
        let relative = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        ModuleFolder { relative, ..ModuleFolder::of_root(file) }
    }

    /// Of an inline module.
    pub fn inline(&self, name: &str, path: Option<&str>) -> ModuleFolder {
        let folder = match path {
            Some(path) => normalized(&self.folder.join(path)),
            None => self.children().join(plain(name)),
        };
        ModuleFolder { folder, relative: None }
    }

    /// The files that `mod name;` may mean, the first that exists being it, with where each looks for its children.
    pub fn files(&self, name: &str, path: Option<&str>) -> Vec<(PathBuf, ModuleFolder)> {
        if let Some(path) = path {
            let file = normalized(&self.folder.join(path));
            let below = ModuleFolder::of_root(&file);
            return vec![(file, below)];
        }
        let base = self.children();
        let file = base.join(format!("{}.rs", plain(name)));
        let nested = base.join(plain(name)).join("mod.rs");
        let below = [ModuleFolder::of_named(&file), ModuleFolder::of_root(&nested)];
        [file, nested].into_iter().zip(below).collect()
    }

    fn children(&self) -> PathBuf {
        self.relative.as_ref().map_or_else(|| self.folder.clone(), |name| self.folder.join(name))
    }
}

/// The name without `r#`.
fn plain(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// The files that the `mod` items in `text` may name, cfg'd out or not, existing or not.
pub(super) fn named_files(text: &str, folder: &ModuleFolder) -> Vec<(PathBuf, ModuleFolder)> {
    let mut found = Vec::new();
    if !may_name_files(text) {
        return found;
    }
    let mut lexer = Lexer { text, at: 0 };
    // One entry for each open brace: the folder inside it.
    let mut open = vec![folder.clone()];
    let mut paths: Vec<&str> = Vec::new();
    let mut previous = ["", ""];
    while let Some(token) = lexer.token() {
        let here = open.last().unwrap_or(folder).clone();
        match (previous, token) {
            (["mod", name], ";") if is_word(name) => {
                if paths.is_empty() {
                    found.extend(here.files(name, None));
                }
                for path in &paths {
                    found.extend(here.files(name, Some(path)));
                    // The attribute may be conditional.
                    found.extend(here.files(name, None));
                }
            }
            (["mod", name], "{") if is_word(name) => open.push(here.inline(name, paths.first().copied())),
            (_, "{") => open.push(here),
            (_, "}") if open.len() > 1 => {
                open.pop();
            }
            (["path", "="], value) => paths.extend(string_value(value)),
            _ => {}
        }
        if matches!(token, ";" | "{" | "}") {
            paths.clear();
        }
        previous = [previous[1], token];
    }
    found
}

/// A quick look for `mod name ;`, which most files don't hold.
fn may_name_files(text: &str) -> bool {
    text.match_indices("mod").any(|(at, _)| {
        let rest = &text[at + 3..];
        let name = rest.trim_start();
        name.len() < rest.len() && {
            let after =
                name.trim_start_matches("r#").trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
            let after = after.trim_start();
            after.starts_with([';', '/'])
        }
    })
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn string_value(token: &str) -> Option<&str> {
    let (lo, hi) = (token.find('"')?, token.rfind('"')?);
    token.get(lo + 1..hi)
}

/// Splits text into words, strings and single characters; skips blanks and comments. Knows as much of Rust's tokens
/// as it takes not to read strings and comments as code.
struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn token(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let start = self.at;
        let rest = &self.text[start..];
        let first = rest.chars().next()?;
        let len = if first == '"' {
            quoted_len(rest)
        } else if is_word(rest) {
            word_len(rest)
        } else if first == '\'' {
            char_or_lifetime_len(rest)
        } else {
            first.len_utf8()
        };
        self.at += len;
        Some(&self.text[start..self.at])
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += block_comment_len(trimmed);
            } else {
                return;
            }
        }
    }
}

/// Block comments nest.
fn block_comment_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0);
    while at < bytes.len() {
        match &bytes[at..bytes.len().min(at + 2)] {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn quoted_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Of a word; of the whole literal for `r"…"`, `br#"…"#`, `b"…"`, `c"…"`; with the name for `r#name`.
fn word_len(text: &str) -> usize {
    let len = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let rest = &text[len..];
    match &text[..len] {
        "b" | "c" if rest.starts_with('"') => len + quoted_len(rest),
        "b" if rest.starts_with('\'') => len + char_or_lifetime_len(rest),
        "r" | "br" | "cr" if rest.starts_with(['#', '"']) => {
            let hashes = rest.len() - rest.trim_start_matches('#').len();
            if rest[hashes..].starts_with('"') {
                let end = format!("\"{}", "#".repeat(hashes));
                let body = &rest[hashes + 1..];
                len + hashes + 1 + body.find(&end).map_or(body.len(), |at| at + end.len())
            } else {
                len + hashes + word_len(&rest[hashes..])
            }
        }
        _ => len,
    }
}

fn char_or_lifetime_len(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((_, escaped))) => {
            let after = 2 + escaped.len_utf8();
            text[after..].find('\'').map_or(text.len(), |at| after + at + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, folder: &ModuleFolder) -> Vec<String> {
        named_files(text, folder).into_iter().map(|(file, _)| super::super::shown::slashed(&file)).collect()
    }

    #[test]
    fn children_of_roots_and_of_named_files() {
        let root = ModuleFolder::of_root(Path::new("src/lib.rs"));
        assert_eq!(names("pub(crate) mod a;", &root), ["src/a.rs", "src/a/mod.rs"]);
        let named = ModuleFolder::of_named(Path::new("src/a.rs"));
        assert_eq!(names("mod r#try;", &named), ["src/a/try.rs", "src/a/try/mod.rs"]);
        assert_eq!(names("mod x { mod y; }", &named), ["src/a/x/y.rs", "src/a/x/y/mod.rs"]);
        assert_eq!(named.files("z", Some("other/z.rs"))[0].0, Path::new("src/other/z.rs"));
        let inline = named.inline("x", None);
        assert_eq!(inline.files("z", Some("../z.rs"))[0].0, Path::new("src/a/z.rs"));
        assert_eq!(root.inline("x", Some("threads")).files("z", None)[0].0, Path::new("src/threads/z.rs"));
    }

    #[test]
    fn comments_and_strings_name_nothing() {
        let root = ModuleFolder::of_root(Path::new("main.rs"));
        let text = r####"
            // mod a;
            /* mod b; /* mod c; */ mod d; */
            const S: &str = "mod e;"; const R: &str = r#"mod f; " mod g;"#; const C: char = '"'; const Q: char = '\'';
            fn f<'a>(x: &'a str) { mod_name; }
            mod real;
        "####;
        assert_eq!(names(text, &root), ["real.rs", "real/mod.rs"]);
    }

    #[test]
    fn modules_in_macros_and_behind_cfg_are_named() {
        let root = ModuleFolder::of_root(Path::new("lib.rs"));
        let text =
            "cfg_if! { if #[cfg(windows)] { mod win; } } #[cfg_attr(unix, path = \"nix/imp.rs\")] mod imp;";
        assert_eq!(names(text, &root), ["win.rs", "win/mod.rs", "nix/imp.rs", "imp.rs", "imp/mod.rs"]);
    }
}
