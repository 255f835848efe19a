//! Collects the identifiers of a file: of each body, and of what is outside.
//!
//! In: the file's tokens in text order, and where bodies begin and end. Out: names without `r#`, in order of first
//! occurrence, none twice in a part; of string literals those that a format string may capture (`"{name}"`). In bodies
//! what follows a dot is kept apart: a field or method, never a free function, static or type.
//! Invariant: the global name table, whose lock all threads share, is asked once for each distinct identifier of the
//! file; `intern` keeps the names that a thread used last for the same reason.

use super::lexer::{Token, TokenKind};
use crate::hir::Name;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHasher};
use std::cell::RefCell;
use std::fmt::{Display, Write};
use std::hash::Hasher;

/// How many names a thread keeps at hand; a power of two.
const RECENT: usize = 4096;
/// Words of a file that room is made for beforehand.
const MOST_WORDS: usize = 4096;

thread_local! {
    static INTERNER: RefCell<Interner> =
        RefCell::new(Interner { text: String::new(), recent: vec![None; RECENT] });
}

struct Interner {
    /// The word that is looked up, written out.
    text: String,
    /// By hash; a newer name displaces an older one.
    recent: Vec<Option<(&'static str, Name)>>,
}

/// The name for what `word` prints, `r#` included.
pub(super) fn intern(word: &impl Display) -> Name {
    INTERNER.with_borrow_mut(|interner| interner.printed(word, ""))
}

/// The name for what `word` prints, without `r#`.
pub(super) fn intern_plain(word: &impl Display) -> Name {
    INTERNER.with_borrow_mut(|interner| interner.printed(word, "r#"))
}

/// The name for a text.
pub(super) fn intern_text(text: &str) -> Name {
    INTERNER.with_borrow_mut(|interner| name(text, &mut interner.recent))
}

impl Interner {
    fn printed(&mut self, word: &impl Display, prefix: &str) -> Name {
        self.text.clear();
        // Writing to a string doesn't fail unless the word's own Display does; what it wrote is its name then.
        let _ = write!(self.text, "{word}");
        name(self.text.strip_prefix(prefix).unwrap_or(&self.text), &mut self.recent)
    }
}

fn name(text: &str, recent: &mut [Option<(&'static str, Name)>]) -> Name {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    let slot = &mut recent[hasher.finish() as usize % RECENT];
    match slot {
        Some((known, name)) if *known == text => *name,
        _ => {
            let name = Name::new(text);
            *slot = Some((name.as_str(), name));
            name
        }
    }
}

#[derive(Default)]
pub(super) struct NameIndex<'t> {
    words: FxHashMap<&'t str, Word>,
    outside: Vec<Name>,
    body: Names,
    /// What comes next follows a dot (and not the two of a range).
    after_dot: bool,
    /// What comes next follows a `*`: a `const` there is a pointer's.
    after_star: bool,
    /// The identifier just before.
    before: Option<Name>,
    /// Number of the body that tokens now belong to, from 1.
    current: Option<u32>,
    bodies: u32,
}

struct Word {
    name: Name,
    /// It is in `outside`.
    outside: bool,
    /// The last body it was seen in, after a dot and elsewhere; 0 for none.
    bodies: [u32; 2],
}

/// The identifiers of one body.
#[derive(Default)]
pub(super) struct Names {
    pub(super) plain: Vec<Name>,
    pub(super) dotted: Vec<Name>,
    pub(super) macros: Vec<Name>,
}

impl<'t> NameIndex<'t> {
    /// For a text of so many bytes.
    pub(super) fn of(len: usize) -> NameIndex<'t> {
        // A word is new about every hundred bytes.
        let words = FxHashMap::with_capacity_and_hasher((len / 100).min(MOST_WORDS), FxBuildHasher);
        NameIndex { words, ..NameIndex::default() }
    }

    /// Adds the identifiers that `token` holds; the name, if it is one.
    pub(super) fn add(&mut self, token: Token, text: &'t str) -> Option<Name> {
        let after_dot = self.after_dot;
        self.after_dot = token.is_punct(b'.') && !after_dot;
        let before = self.before.take();
        let of_pointer = std::mem::replace(&mut self.after_star, token.is_punct(b'*'));
        match token.kind {
            TokenKind::Ident if of_pointer && token.text(text) == "const" => {}
            TokenKind::Ident => {
                let word = token.text(text);
                self.before = Some(self.word(word.strip_prefix("r#").unwrap_or(word), after_dot));
            }
            TokenKind::Punct(b'!') if self.current.is_some() => {
                self.body.macros.extend(before.filter(|name| !self.body.macros.contains(name)));
            }
            TokenKind::Str => self.captures(token.text(text)),
            _ => {}
        }
        self.before
    }

    /// What follows belongs to a body.
    pub(super) fn begin_body(&mut self) {
        self.bodies += 1;
        self.current = Some(self.bodies);
    }

    /// The identifiers since `begin_body`.
    pub(super) fn end_body(&mut self) -> Names {
        self.current = None;
        std::mem::take(&mut self.body)
    }

    /// The identifiers outside of bodies, those of a body that didn't end included.
    pub(super) fn finish(mut self) -> Vec<Name> {
        let unended =
            self.body.plain.iter().filter(|name| self.words.get(name.as_str()).is_some_and(|w| !w.outside));
        self.outside.extend(unended);
        self.outside
    }

    fn word(&mut self, text: &'t str, dotted: bool) -> Name {
        let new = || Word { name: intern_text(text), outside: false, bodies: [0; 2] };
        let word = self.words.entry(text).or_insert_with(new);
        match self.current {
            Some(body) if word.bodies[usize::from(dotted)] != body => {
                word.bodies[usize::from(dotted)] = body;
                match dotted {
                    true => self.body.dotted.push(word.name),
                    false => self.body.plain.push(word.name),
                }
            }
            None if !word.outside => {
                word.outside = true;
                self.outside.push(word.name);
            }
            _ => {}
        }
        word.name
    }

    /// The names in `{name}` and `{name:…}` of a string literal.
    fn captures(&mut self, literal: &'t str) {
        for piece in literal.split('{').skip(1) {
            let end = piece.find(|char: char| char != '_' && !char.is_alphanumeric()).unwrap_or(piece.len());
            let ends_well = piece[end..].starts_with(['}', ':', ' ']);
            if ends_well && piece.starts_with(|char: char| char == '_' || char.is_alphabetic()) {
                self.word(&piece[..end], false);
            }
        }
    }
}
