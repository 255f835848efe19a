//! Names the identifiers of a file, and collects those of each body.
//!
//! In: the file's identifiers, and the tokens of its bodies. Out: names without `r#`; for each body those that it has, in
//! order of first occurrence, none twice; of string literals those that a format string may capture (`"{name}"`).
//! What follows a dot is kept apart: a field or method, never a free function, static or type. Keywords that tell
//! nothing are left out.
//! Invariant: the global name table, whose lock all threads share, is asked once for each distinct identifier of the
//! file; `intern` keeps the names that a thread used last for the same reason.

use super::lexer::{Lexer, Token, TokenKind};
use crate::hir::Name;
use std::cell::RefCell;
use std::fmt::{Display, Write};

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
    recent: Vec<Option<Recent>>,
}

#[derive(Clone, Copy)]
struct Recent {
    hash: u64,
    text: &'static str,
    name: Name,
}

impl Recent {
    /// Whether it is this text, which has the same hash.
    fn is(&self, text: &str) -> bool {
        // A short text's hash is no other short text's.
        self.text.len() == text.len() && (text.len() <= HEAD || self.text == text)
    }
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
    intern_hashed(text, hash(text.as_bytes(), 0, text.len()))
}

/// The name for an identifier, without `r#`.
pub(super) fn intern_word(text: &str) -> Name {
    intern_text(text.strip_prefix("r#").unwrap_or(text))
}

fn intern_hashed(text: &str, hash: u64) -> Name {
    INTERNER.with_borrow_mut(|interner| name(text, hash, &mut interner.recent))
}

impl Interner {
    fn printed(&mut self, word: &impl Display, prefix: &str) -> Name {
        self.text.clear();
        // Writing to a string doesn't fail unless the word's own Display does; what it wrote is its name then.
        let _ = write!(self.text, "{word}");
        let text = self.text.strip_prefix(prefix).unwrap_or(&self.text);
        name(text, hash(text.as_bytes(), 0, text.len()), &mut self.recent)
    }
}

fn name(text: &str, hash: u64, recent: &mut [Option<Recent>]) -> Name {
    let slot = &mut recent[(hash >> 32) as usize % RECENT];
    match slot {
        Some(known) if known.hash == hash && known.is(text) => known.name,
        _ => {
            let name = Name::new(text);
            *slot = Some(Recent { hash, text: name.as_str(), name });
            name
        }
    }
}

/// A file's words, each asked of the interner once: an open table of their texts.
pub(super) struct NameIndex<'t> {
    text: &'t str,
    words: Vec<Word>,
    /// By hash: a word's number from 1, or 0. Their number is a power of two, and more than half of them are 0.
    slots: Vec<u32>,
    /// Number of the body that is read, from 1.
    body: u32,
    /// Those of the body so far.
    plain: Vec<Name>,
    dotted: Vec<Name>,
    macros: Vec<Name>,
}

struct Word {
    /// The first bytes.
    head: u64,
    hash: u64,
    /// Where it stands first.
    lo: u32,
    len: u32,
    name: Name,
    /// The last body in which it follows no dot, and in which it follows one; 0 for none.
    seen: [u32; 2],
}

/// What the token before is, as far as it says what a word after it means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Other,
    /// A dot, and not the second one of a range.
    Dot,
    Star,
    Word(Name),
}

impl<'t> NameIndex<'t> {
    /// For a part of `text` that has so many bytes.
    pub(super) fn new(text: &'t str, len: usize) -> NameIndex<'t> {
        // A word is new about every hundred bytes.
        let words = (len / 64).clamp(16, MOST_WORDS);
        NameIndex {
            text,
            words: Vec::with_capacity(words),
            slots: vec![0; (2 * words).next_power_of_two()],
            body: 0,
            plain: Vec::new(),
            dotted: Vec::new(),
            macros: Vec::new(),
        }
    }

    /// The name that an identifier is, without `r#`.
    #[inline]
    pub(super) fn name(&mut self, token: Token) -> Name {
        let at = self.word_of(token);
        self.words[at].name
    }

    /// Reads the tokens that `lexer` gives up to the brace that closes a body, and its identifiers; the brace, if it comes.
    pub(super) fn body(
        &mut self,
        lexer: &mut Lexer<'t>,
        mut comment: impl FnMut(Token),
    ) -> (Option<Token>, Words) {
        self.body += 1;
        let mut before = Before::Other;
        let mut depth = 1;
        for token in lexer.by_ref() {
            let previous = std::mem::replace(&mut before, Before::Other);
            match token.kind {
                TokenKind::Ident => before = self.body_word(token, previous),
                TokenKind::Punct(b'.') if previous != Before::Dot => before = Before::Dot,
                TokenKind::Punct(b'*') => before = Before::Star,
                TokenKind::Punct(b'!') => self.bang(previous),
                TokenKind::Open(b'{') => depth += 1,
                TokenKind::Close(b'}') => {
                    depth -= 1;
                    if depth == 0 {
                        return (Some(token), self.take_words());
                    }
                }
                TokenKind::Str => self.captures(token),
                TokenKind::LineComment | TokenKind::BlockComment => {
                    before = previous;
                    comment(token);
                }
                _ => {}
            }
        }
        (None, self.take_words())
    }

    #[inline]
    fn body_word(&mut self, token: Token, before: Before) -> Before {
        // A `const` there is a pointer's.
        if before == Before::Star && token.text(self.text) == "const" {
            return Before::Other;
        }
        let at = self.word_of(token);
        let name = self.words[at].name;
        let is_raw = || self.words[at].len as usize != token.hi - token.lo;
        if !name.tells_nothing() || is_raw() {
            self.note(at, before == Before::Dot);
        }
        Before::Word(name)
    }

    /// Adds a word to those of the body.
    #[inline]
    fn note(&mut self, at: usize, dotted: bool) {
        let word = &mut self.words[at];
        let seen = &mut word.seen[usize::from(dotted)];
        if *seen != self.body {
            *seen = self.body;
            if dotted { &mut self.dotted } else { &mut self.plain }.push(word.name);
        }
    }

    fn bang(&mut self, before: Before) {
        match before {
            Before::Word(name) if !self.macros.contains(&name) => self.macros.push(name),
            _ => {}
        }
    }

    fn take_words(&mut self) -> Words {
        let words = Words {
            plain: self.plain[..].into(),
            dotted: self.dotted[..].into(),
            macros: self.macros[..].into(),
        };
        self.plain.clear();
        self.dotted.clear();
        self.macros.clear();
        words
    }

    /// The names in `{name}` and `{name:…}` of a string literal.
    fn captures(&mut self, literal: Token) {
        let text = literal.text(self.text);
        for (brace, _) in text.match_indices('{') {
            let piece = &text[brace + 1..];
            let end = piece.find(|char: char| char != '_' && !char.is_alphanumeric()).unwrap_or(piece.len());
            let ends_well = piece[end..].starts_with(['}', ':', ' ']);
            if ends_well && piece.starts_with(|char: char| char == '_' || char.is_alphabetic()) {
                let lo = literal.lo + brace + 1;
                let at = self.word(lo, lo + end);
                self.note(at, false);
            }
        }
    }

    #[inline]
    fn word_of(&mut self, token: Token) -> usize {
        let is_raw = token.hi - token.lo > 2 && self.text.as_bytes()[token.lo + 1] == b'#';
        self.word(token.lo + if is_raw { 2 } else { 0 }, token.hi)
    }

    /// The number of the word that stands there.
    #[inline]
    fn word(&mut self, lo: usize, hi: usize) -> usize {
        let bytes = self.text.as_bytes();
        let head = head(bytes, lo, hi);
        let hash = hash_after(head, bytes, lo, hi);
        let mut slot = self.slot(hash);
        while let Some(at) = (self.slots[slot] as usize).checked_sub(1) {
            let word = &self.words[at];
            let is_same = word.head == head && word.len as usize == hi - lo;
            if is_same && (hi - lo <= HEAD || self.is_same_text(word, lo)) {
                return at;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.add(lo, hi, head, hash, slot)
    }

    fn is_same_text(&self, word: &Word, lo: usize) -> bool {
        let (text, len) = (self.text.as_bytes(), word.len as usize);
        let known = word.lo as usize;
        text[known..known + len] == text[lo..lo + len]
    }

    #[inline]
    fn slot(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.slots.len() - 1)
    }

    fn add(&mut self, lo: usize, hi: usize, head: u64, hash: u64, slot: usize) -> usize {
        let name = intern_hashed(&self.text[lo..hi], hash);
        self.words.push(Word { head, hash, lo: lo as u32, len: (hi - lo) as u32, name, seen: [0; 2] });
        self.slots[slot] = self.words.len() as u32;
        if 2 * self.words.len() >= self.slots.len() {
            self.grow();
        }
        self.words.len() - 1
    }

    fn grow(&mut self) {
        self.slots = vec![0; 2 * self.slots.len()];
        for at in 0..self.words.len() {
            let mut slot = self.slot(self.words[at].hash);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = at as u32 + 1;
        }
    }
}

/// The identifiers of one body.
pub(super) struct Words {
    pub(super) plain: Box<[Name]>,
    pub(super) dotted: Box<[Name]>,
    pub(super) macros: Box<[Name]>,
}

/// How many bytes of a word are compared at once.
const HEAD: usize = 8;
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The first bytes of `bytes[lo..hi]`, as a number.
#[inline]
fn head(bytes: &[u8], lo: usize, hi: usize) -> u64 {
    match bytes.get(lo..).and_then(<[u8]>::first_chunk::<HEAD>) {
        Some(chunk) if hi > lo => {
            u64::from_le_bytes(*chunk) & (u64::MAX >> (8 * HEAD.saturating_sub(hi - lo)))
        }
        _ => short(&bytes[lo..hi]),
    }
}

/// At most eight bytes as a number.
fn short(bytes: &[u8]) -> u64 {
    bytes.iter().take(HEAD).rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn hash(bytes: &[u8], lo: usize, hi: usize) -> u64 {
    hash_after(head(bytes, lo, hi), bytes, lo, hi)
}

/// The hash of `bytes[lo..hi]`, which has this head.
#[inline]
fn hash_after(head: u64, bytes: &[u8], lo: usize, hi: usize) -> u64 {
    let first = head.wrapping_mul(SPREAD);
    if hi - lo <= HEAD {
        return first;
    }
    let mix = |hash: u64, part: u64| (hash.rotate_left(23) ^ part).wrapping_mul(SPREAD);
    let (chunks, last) = bytes[lo + HEAD..hi].as_chunks::<HEAD>();
    let hash = chunks.iter().fold(first, |hash, chunk| mix(hash, u64::from_le_bytes(*chunk)));
    mix(hash, short(last))
}
