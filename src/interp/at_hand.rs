//! Of which of a group's types a unit may have values, and which it names: by words.
//!
//! In: an `Outline` and who uses which of its words. Out: sets of the group's types, which are numbered. Over-approximate: a word
//! stands for everything of that name.

use super::bits::Bits;
use super::uses::{Uses, Vocabulary};
use crate::hir::Name;
use crate::resolve::outline::{Key, Outline, Unit, UnitOf};
use rustc_hash::FxHashSet;

/// The types that a group declares, numbered, and what each holds.
pub(super) struct Types {
    /// By word: the number of the type of that name, counted from one.
    numbers: Vec<u32>,
    /// By number.
    names: Vec<Name>,
    /// By number: the type and all that its fields hold.
    parts: Vec<Bits>,
    /// By number: what the name stands for, itself included.
    meant: Vec<Vec<u32>>,
    /// By word: the types of what stands under it gives, with their parts.
    given: Vec<Option<Bits>>,
}

impl Types {
    pub fn new(outline: &Outline, words: &Vocabulary) -> Types {
        let mut types = Types {
            numbers: vec![0; words.count()],
            names: Vec::new(),
            parts: Vec::new(),
            meant: Vec::new(),
            given: vec![None; words.count()],
        };
        for name in outline.units.iter().filter_map(declared) {
            let Some(word) = words.number(name) else { continue };
            if types.numbers[word as usize] == 0 {
                types.names.push(name);
                types.numbers[word as usize] = types.names.len() as u32;
            }
        }
        types.close(outline, words);
        types.meant = (0..types.count() as u32).map(|number| vec![number]).collect();
        for (name, behind) in &outline.aliases {
            let Some(number) = types.number(words, *name) else { continue };
            let behind = types.known(words, behind);
            types.meant[number as usize].extend(behind);
        }
        types.note_given(outline, words);
        types
    }

    pub fn count(&self) -> usize {
        self.names.len()
    }

    pub fn number(&self, words: &Vocabulary, name: Name) -> Option<u32> {
        self.of_word(words.number(name)?)
    }

    fn of_word(&self, word: u32) -> Option<u32> {
        self.numbers[word as usize].checked_sub(1)
    }

    fn known(&self, words: &Vocabulary, names: &[Name]) -> Vec<u32> {
        names.iter().filter_map(|name| self.number(words, *name)).collect()
    }

    /// Finds the parts of all types.
    fn close(&mut self, outline: &Outline, words: &Vocabulary) {
        let mut parts: Vec<Bits> = vec![Bits::new(self.count()); self.count()];
        parts.iter_mut().enumerate().for_each(|(number, own)| own.insert(number as u32));
        let of_fields = |unit: &Unit| {
            let fields = self.known(words, &unit.types);
            Some((self.number(words, declared(unit)?)? as usize, fields))
                .filter(|(_, fields)| !fields.is_empty())
        };
        let fields: Vec<(usize, Vec<u32>)> = outline.units.iter().filter_map(of_fields).collect();
        let mut grown = true;
        while std::mem::take(&mut grown) {
            for (at, types) in &fields {
                let mut all = std::mem::take(&mut parts[*at]);
                types.iter().for_each(|part| grown |= all.add(&parts[*part as usize]));
                parts[*at] = all;
            }
        }
        self.parts = parts;
    }

    fn note_given(&mut self, outline: &Outline, words: &Vocabulary) {
        for unit in outline.units.iter().filter(|unit| !unit.gives.is_empty()) {
            let gives = self.known(words, &unit.gives);
            for key in unit.keys.iter().filter(|_| !gives.is_empty()) {
                let (Key::Plain(name)
                | Key::Dotted(name)
                | Key::Method { name, .. }
                | Key::Assoc { name, .. }) = key
                else {
                    continue;
                };
                let Some(word) = words.number(*name) else { continue };
                let count = self.names.len();
                let given = self.given[word as usize].get_or_insert_with(|| Bits::new(count));
                gives.iter().for_each(|number| _ = given.add(&self.parts[*number as usize]));
            }
        }
    }

    /// The types of the values that a unit may have.
    pub fn held(&self, unit: u32, plain: &Uses, dotted: &Uses, typed: &Uses) -> Bits {
        let mut found = Bits::new(self.count());
        for number in typed.words(unit).iter().chain(plain.words(unit)).filter_map(|word| self.of_word(*word))
        {
            found.add(&self.parts[number as usize]);
        }
        for word in plain.words(unit).iter().chain(dotted.words(unit)) {
            if let Some(given) = &self.given[*word as usize] {
                found.add(given);
            }
        }
        found
    }

    /// The types that a unit names: by name, by another name, as `Self`.
    pub fn named(&self, at: u32, unit: &Unit, words: &Vocabulary, plain: &Uses) -> Bits {
        let mut found = Bits::new(self.count());
        for number in plain.words(at).iter().filter_map(|word| self.of_word(*word)) {
            self.meant[number as usize].iter().for_each(|meant| found.insert(*meant));
        }
        let own = unit.owner.and_then(|owner| self.number(words, owner));
        own.into_iter().for_each(|owner| found.insert(owner));
        found
    }

    /// The types that hold, at some depth, one of these, and these themselves.
    pub fn holding(
        &self,
        outline: &Outline,
        words: &Vocabulary,
        wanted: &FxHashSet<Name>,
    ) -> FxHashSet<Name> {
        let mut directly = Bits::new(self.count());
        for unit in &outline.units {
            if let Some(name) = declared(unit)
                && let Some(number) = self.number(words, name)
                && (wanted.contains(&name) || unit.types.iter().any(|ty| wanted.contains(ty)))
            {
                directly.insert(number);
            }
        }
        let holding = self.names.iter().zip(&self.parts).filter(|(_, parts)| parts.meets(&directly));
        holding.map(|(name, _)| *name).chain(wanted.iter().copied()).collect()
    }
}

/// The name that a unit declares for a type.
fn declared(unit: &Unit) -> Option<Name> {
    match unit.keys.first() {
        Some(Key::Holds(name)) if unit.of == UnitOf::Declaration => Some(*name),
        _ => None,
    }
}
