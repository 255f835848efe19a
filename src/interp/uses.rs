//! Who uses which word: the outline's words, numbered.
//!
//! In: an `Outline` and the words that somebody may ask for. Out: by word the units that use it, by unit the words that it uses,
//! by how they stand there. Invariants: a unit stands once under a word; units are in the outline's order.

use crate::hir::{Name, NameMap};
use crate::resolve::outline::{Key, Outline, Unit};

/// The words that lead anywhere.
pub(super) struct Vocabulary {
    /// Counted from one.
    numbers: NameMap<u32>,
    count: u32,
}

impl Vocabulary {
    /// The words by which the outline's units are reached, and those of libraries that will be asked for.
    pub fn new(outline: &Outline, asked: impl Iterator<Item = Name>) -> Vocabulary {
        let mut words = Vocabulary { numbers: NameMap::default(), count: 0 };
        asked.for_each(|name| words.add(name));
        for key in outline.units.iter().flat_map(|unit| &unit.keys) {
            match *key {
                Key::Plain(name) | Key::Dotted(name) | Key::Macro(name) => words.add(name),
                Key::Assoc { name, .. } | Key::Method { name, .. } => words.add(name),
                Key::Holds(_) => {}
            }
        }
        words
    }

    fn add(&mut self, name: Name) {
        let number = self.numbers.get_mut(name);
        if *number == 0 {
            self.count += 1;
            *number = self.count;
        }
    }

    pub fn number(&self, name: Name) -> Option<u32> {
        self.numbers.get(name).checked_sub(1)
    }

    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Who uses which of them, among the names that `of` gives of a unit.
    pub fn uses<'o, 'p>(&self, units: &'o [Unit<'p>], of: impl Fn(&'o Unit<'p>) -> &'o [Name]) -> Uses {
        let mut words: Vec<u32> = Vec::new();
        let mut by_unit: Vec<u32> = Vec::with_capacity(units.len() + 1);
        let mut used: Vec<u32> = vec![0; self.count() + 1];
        // The last unit that each word was met in, counted from one.
        let mut met: Vec<u32> = vec![0; self.count()];
        by_unit.push(0);
        for (at, unit) in units.iter().enumerate() {
            for word in of(unit).iter().filter_map(|name| self.number(*name)) {
                if std::mem::replace(&mut met[word as usize], at as u32 + 1) != at as u32 + 1 {
                    words.push(word);
                    used[word as usize + 1] += 1;
                }
            }
            by_unit.push(words.len() as u32);
        }
        for word in 0..self.count() {
            used[word + 1] += used[word];
        }
        let mut next = used.clone();
        let mut users: Vec<u32> = vec![0; words.len()];
        for at in 0..units.len() {
            for word in &words[by_unit[at] as usize..by_unit[at + 1] as usize] {
                let slot = &mut next[*word as usize];
                users[*slot as usize] = at as u32;
                *slot += 1;
            }
        }
        Uses { by_unit, words, by_word: used, users }
    }
}

/// Which units use which words, both ways.
pub(super) struct Uses {
    /// By unit: where its words begin.
    by_unit: Vec<u32>,
    words: Vec<u32>,
    /// By word: where its users begin.
    by_word: Vec<u32>,
    users: Vec<u32>,
}

impl Uses {
    /// The units that use a word.
    pub fn users(&self, word: u32) -> &[u32] {
        &self.users[self.by_word[word as usize] as usize..self.by_word[word as usize + 1] as usize]
    }

    /// The words that a unit uses.
    pub fn words(&self, unit: u32) -> &[u32] {
        &self.words[self.by_unit[unit as usize] as usize..self.by_unit[unit as usize + 1] as usize]
    }
}
