//! Statics that code does nothing to but count, each time in one step: drawing numbers, keeping statistics. No update
//! of them can be lost, and nothing waits for them.
//!
//! In: the texts of the bodies that mention a static. Out: whether it is only counted. Invariant: what isn't
//! recognized (another use, a macro's argument, a comment) is no counting.

use crate::hir::{BodySource, Name};
use crate::resolve::outline::{Outline, Unit, UnitOf};
use crate::resolve::{BodyOwner, Program};
use rustc_hash::FxHashSet;

pub(super) struct Counters<'a> {
    pub program: &'a Program,
    /// Methods that count.
    pub steps: &'a FxHashSet<Name>,
}

impl Counters<'_> {
    /// Whether all units that mention the name of a static, declared outside of bodies, only count it.
    pub(super) fn are_all(&self, outline: &Outline, name: Name) -> bool {
        let renamed = outline.aliases.values().any(|declared| declared.contains(&name));
        let mut users = outline.units.iter().filter(|unit| unit.words.plain.contains(&name));
        !renamed && users.all(|unit| self.text(unit).is_some_and(|text| self.counts(text, name.as_str())))
    }

    /// Whether the statics that a body declares are all only counted.
    pub(super) fn are_all_declared(&self, unit: &Unit) -> bool {
        let Some(text) = self.text(unit) else { return false };
        words(text, "static").all(|at| {
            let rest = text[at..].trim_start_matches("static").trim_start();
            let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            let name = &rest[..end];
            !name.is_empty() && name != "mut" && self.counts(text, name)
        })
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

/// Where a word stands.
fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let whole =
        move |at: &usize| !text[..*at].ends_with(is_word) && !text[*at + word.len()..].starts_with(is_word);
    text.match_indices(word).map(|(at, _)| at).filter(whole)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
