//! Statics by the texts of the bodies that mention them: those declared in bodies, and those that code does nothing to
//! but count, each time in one step: drawing numbers, keeping statistics. No update of these can be lost, and nothing
//! waits for them.
//!
//! In: the texts. Out: whether a body declares state, whether a static is only counted. Invariant: what isn't
//! recognized (another use, a macro's argument, a comment) is no counting.

use super::mentions::Mentions;
use crate::hir::{BodySource, Name};
use crate::resolve::outline::{Unit, UnitOf};
use crate::resolve::{BodyOwner, Program};
use rustc_hash::FxHashSet;

pub(super) struct Counters<'a> {
    pub program: &'a Program,
    /// Methods that count.
    pub steps: &'a FxHashSet<Name>,
    /// Types that hold state.
    pub stateful: &'a FxHashSet<Name>,
}

/// A static that is declared in a body.
struct Declared<'t> {
    name: &'t str,
    mutable: bool,
    /// Its type and its initializer.
    rest: &'t str,
}

impl Counters<'_> {
    /// Whether all units that mention the name of a static, declared outside of bodies, only count it.
    pub(super) fn are_all(&self, mentions: &Mentions, name: Name) -> bool {
        let mut users = mentions.naming(name).map(|at| mentions.unit(at));
        !mentions.outline.renames(name)
            && users.all(|unit| self.text(unit).is_some_and(|text| self.counts(text, name.as_str())))
    }

    /// Whether a body may declare a static that can change, other than by being counted.
    pub(super) fn declares_state(&self, unit: &Unit) -> bool {
        let Some(text) = self.text(unit) else { return true };
        declared(text).any(|item| {
            let changes = item.mutable || item.rest.contains('!') || self.names_state(item.rest);
            changes && (item.mutable || !self.counts(text, item.name))
        })
    }

    fn names_state(&self, text: &str) -> bool {
        let mut words = text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
        words.any(|word| self.stateful.contains(&Name::new(word)))
    }

    fn text(&self, unit: &Unit) -> Option<&str> {
        let UnitOf::Body(BodyOwner::Fn(id)) = unit.of else { return None };
        let def = self.program.fn_def(id);
        match &def.item.body {
            Some(BodySource::Text(range)) => {
                self.program.file(def.file).source.text.get(range.lo as usize..range.hi as usize)
            }
            Some(BodySource::Tokens(_)) | None => None,
        }
    }

    /// Whether each use of the name is a step; where it is declared is none.
    fn counts(&self, text: &str, name: &str) -> bool {
        words(text, name).all(|at| {
            let declared = text[..at].trim_end().strip_suffix("static");
            let called = text[at + name.len()..].trim_start().strip_prefix('.').map(str::trim_start);
            let method = called.and_then(|rest| rest.split(|c: char| !is_word(c)).next());
            declared.is_some() || method.is_some_and(|method| self.steps.contains(&Name::new(method)))
        })
    }
}

/// The statics that a text declares: the keyword, perhaps more of it, a name, a type.
fn declared(text: &str) -> impl Iterator<Item = Declared<'_>> {
    words(text, "static").filter(|at| !text[..*at].ends_with('\'')).filter_map(|at| {
        let rest = text[at..].trim_start_matches("static").trim_start();
        let (first, after) = word(rest);
        let (name, after) =
            if ["mut", "ref"].contains(&first) { word(after.trim_start()) } else { (first, after) };
        let ty = after.trim_start().strip_prefix(':').filter(|ty| !ty.starts_with(':'))?;
        (!name.is_empty()).then(|| Declared { name, mutable: first == "mut", rest: &ty[..end_of_item(ty)] })
    })
}

/// The word that a text begins with, and the rest.
fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !is_word(c)).unwrap_or(text.len()))
}

/// Where the `;` stands that no bracket is round.
fn end_of_item(text: &str) -> usize {
    let mut open = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            ';' if open == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Where a word stands.
fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let whole =
        move |at: &usize| !text[..*at].ends_with(is_word) && !text[*at + word.len()..].starts_with(is_word);
    text.match_indices(word).map(|(at, _)| at).filter(whole)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
