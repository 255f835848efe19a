//! Who gets to whom by words: the outline read backwards.
//!
//! In: an `Outline`. Out: for words, the units that use them, and those that use these, to the end. A method counts as
//! used where its name follows a dot and a value of its type may be at hand: the type is named there, is a
//! parameter's or field's, or is given back by something that is named there.

use crate::hir::Name;
use crate::resolve::outline::{Key, Outline, Unit, UnitOf};
use crate::resolve::{ModuleId, Program};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::OnceCell;

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mention {
    /// The word, not after a dot.
    Plain(Name),
    /// The same of what a module has: where that is named too, or the word is imported.
    In { module: Name, name: Name },
    /// The word, wherever it stands.
    Word(Name),
    /// The word before a `!`.
    Macro(Name),
    /// The field of a type.
    Field { owner: Name, name: Name },
    /// A value of the type, whatever it is called.
    Value(Name),
    /// A unit itself.
    Unit(usize),
}

impl Mention {
    pub(super) fn name(&self) -> Option<Name> {
        match *self {
            Mention::Plain(name) | Mention::Word(name) | Mention::Macro(name) => Some(name),
            Mention::In { name, .. } | Mention::Field { name, .. } => Some(name),
            Mention::Value(_) | Mention::Unit(_) => None,
        }
    }
}

pub(super) struct Mentions<'o, 'p> {
    program: &'o Program,
    outline: &'o Outline<'p>,
    /// Units by the words they use after no dot and after one; only words that lead anywhere.
    plain: FxHashMap<Name, Vec<u32>>,
    dotted: FxHashMap<Name, Vec<u32>>,
    /// Units by the macros they call.
    macros: FxHashMap<Name, Vec<u32>>,
    /// Units by the types of what they take or hold.
    typed: FxHashMap<Name, Vec<u32>>,
    /// Other names of types.
    also: FxHashMap<Name, Vec<Name>>,
    types: Types,
    /// By unit: the types of values it may have.
    held: Vec<OnceCell<Bits>>,
    /// Of units that are macros: who calls them.
    callers: Vec<OnceCell<Vec<u32>>>,
}

/// A macro with more callers than this may see anything.
const MAX_CALLERS: usize = 64;

impl<'o, 'p> Mentions<'o, 'p> {
    /// `words`: those of libraries that will be asked for.
    pub(super) fn new(
        program: &'o Program,
        outline: &'o Outline<'p>,
        words: impl Iterator<Item = Name>,
    ) -> Mentions<'o, 'p> {
        let mut wanted: FxHashSet<Name> = words.collect();
        for key in outline.units.iter().flat_map(|unit| &unit.keys) {
            match *key {
                Key::Plain(name) | Key::Dotted(name) | Key::Macro(name) => wanted.insert(name),
                Key::Assoc { name, .. } | Key::Method { name, .. } => wanted.insert(name),
                Key::Holds(_) => false,
            };
        }
        let by = |words: &dyn Fn(usize) -> &'o [Name]| {
            let mut map: FxHashMap<Name, Vec<u32>> = FxHashMap::default();
            for at in 0..outline.units.len() {
                for name in words(at).iter().filter(|name| wanted.contains(name)) {
                    map.entry(*name).or_default().push(at as u32);
                }
            }
            map
        };
        let mut also: FxHashMap<Name, Vec<Name>> = FxHashMap::default();
        for (alias, declared) in &outline.aliases {
            declared.iter().for_each(|name| also.entry(*name).or_default().push(*alias));
        }
        Mentions {
            program,
            outline,
            plain: by(&|at| &outline.units[at].words.plain),
            dotted: by(&|at| &outline.units[at].words.dotted),
            macros: by(&|at| &outline.units[at].words.macros),
            typed: by(&|at| &outline.units[at].types),
            also,
            types: Types::new(outline),
            held: (0..outline.units.len()).map(|_| OnceCell::new()).collect(),
            callers: (0..outline.units.len()).map(|_| OnceCell::new()).collect(),
        }
    }

    /// Whether anything uses the word.
    pub(super) fn has(&self, mention: Mention) -> bool {
        !self.mentioning(mention).is_empty()
    }

    /// The types that hold, at some depth, one of `words`, and these themselves.
    pub(super) fn types_holding(&self, words: &FxHashSet<Name>) -> FxHashSet<Name> {
        let mut found = words.clone();
        loop {
            let before = found.len();
            for unit in self.outline.units.iter().filter(|unit| unit.of == UnitOf::Declaration) {
                if unit.types.iter().any(|ty| found.contains(ty)) {
                    found.extend(unit.keys.iter().filter_map(|key| match key {
                        Key::Holds(name) => Some(*name),
                        _ => None,
                    }));
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// By unit: bit n is set if it uses one of the nth `seeds`, or something that does.
    pub(super) fn reach(&self, seeds: &[&[Mention]]) -> Vec<u8> {
        let mut found: Vec<u8> = vec![0; self.outline.units.len()];
        let mut passed: Vec<u8> = found.clone();
        let mut done: FxHashMap<(Key, Option<ModuleId>), u8> = FxHashMap::default();
        let mut work: Vec<u32> = Vec::new();
        for (n, seeds) in seeds.iter().enumerate() {
            for at in seeds.iter().flat_map(|seed| self.mentioning(*seed)) {
                found[at as usize] |= 1 << n;
                work.push(at);
            }
        }
        while let Some(at) = work.pop() {
            let new = found[at as usize] & !passed[at as usize];
            passed[at as usize] |= new;
            let unit = &self.outline.units[at as usize];
            let scope = unit.module.filter(|_| unit.private);
            for key in &unit.keys {
                let done = done.entry((*key, scope)).or_default();
                let bits = new & !*done;
                *done |= bits;
                if bits != 0 {
                    self.users(unit, *key, &mut |user| {
                        let wanted = bits & !found[user.at as usize] != 0;
                        if wanted && (user.fits)() {
                            found[user.at as usize] |= bits;
                            work.push(user.at);
                        }
                        false
                    });
                }
            }
        }
        found
    }

    /// The units that a seed means.
    fn mentioning(&self, seed: Mention) -> Vec<u32> {
        let maps = match seed {
            Mention::Unit(at) => return vec![at as u32],
            Mention::Value(of) => {
                let all = 0..self.outline.units.len() as u32;
                return all.filter(|at| self.holds(*at, of)).collect();
            }
            Mention::Field { owner, name } => return self.having_field(owner, name),
            Mention::In { module, name } if !self.outline.imports(module, name) => {
                let units = self.plain.get(&name).into_iter().flatten().copied();
                let named = |at: &u32| self.outline.units[*at as usize].words.plain.contains(&module);
                return units.filter(named).collect();
            }
            Mention::In { name, .. } => [self.plain.get(&name), None, None],
            Mention::Macro(name) => [self.macros.get(&name), None, None],
            Mention::Plain(name) => [self.plain.get(&name), None, None],
            Mention::Word(name) => [self.plain.get(&name), self.dotted.get(&name), self.typed.get(&name)],
        };
        maps.into_iter().flatten().flatten().copied().collect()
    }

    /// The units that may name a type's field: after a dot, or where a value is made or taken apart.
    fn having_field(&self, owner: Name, name: Name) -> Vec<u32> {
        let also = self.also.get(&owner).map_or(&[][..], |names| names);
        let after_dot = self.dotted.get(&name).into_iter().flatten().filter(|at| self.holds(**at, owner));
        let named = self.plain.get(&name).into_iter().flatten();
        let named = named.filter(|at| self.names_type(**at, owner, also));
        after_dot.chain(named).copied().collect()
    }

    pub(super) fn unit(&self, at: usize) -> &Unit<'p> {
        &self.outline.units[at]
    }

    /// Whether another unit uses this one.
    pub(super) fn is_used(&self, at: usize) -> bool {
        let unit = &self.outline.units[at];
        unit.keys.iter().any(|key| {
            let mut used = false;
            self.users(unit, *key, &mut |user| {
                used = user.at as usize != at && (user.fits)();
                used
            });
            used
        })
    }

    /// Shows the units that may use `unit` by one of its keys until `visit` says that it is enough.
    fn users(&self, unit: &Unit, key: Key, visit: &mut dyn FnMut(&User) -> bool) {
        let scope = unit.module.filter(|_| unit.private);
        let mut of = |map: &FxHashMap<Name, Vec<u32>>, name: Name, fits: &dyn Fn(u32) -> bool| {
            for at in map.get(&name).into_iter().flatten().copied() {
                if visit(&User { at, fits: &|| self.sees(at, scope) && fits(at) }) {
                    return;
                }
            }
        };
        match key {
            Key::Plain(name) => of(&self.plain, name, &|_| true),
            Key::Dotted(name) => of(&self.dotted, name, &|_| true),
            Key::Macro(name) => of(&self.macros, name, &|_| true),
            Key::Method { owner, name } => of(&self.dotted, name, &|at| self.holds(at, owner)),
            Key::Assoc { owner, name } => {
                let also = self.also.get(&owner).map_or(&[][..], |names| names);
                of(&self.plain, name, &|at| self.names_type(at, owner, also));
            }
            Key::Holds(owner) => {
                let mut all = 0..self.outline.units.len() as u32;
                all.any(|at| visit(&User { at, fits: &|| self.holds(at, owner) }));
            }
        }
    }

    /// Whether a unit can name what only `scope` and the modules in it see.
    fn sees(&self, at: u32, scope: Option<ModuleId>) -> bool {
        let Some(scope) = scope else { return true };
        self.does(at, &|at| {
            let Some(from) = self.outline.units[at as usize].module else { return true };
            let mut modules = std::iter::successors(Some(from), |m| self.program.modules[m.index()].parent);
            modules.any(|module| module == scope)
        })
    }

    /// Whether a unit names the type: by name, by another name, as `Self`.
    fn names_type(&self, at: u32, owner: Name, also: &[Name]) -> bool {
        let named = |at: u32| {
            let unit = &self.outline.units[at as usize];
            unit.owner == Some(owner)
                || unit.words.plain.iter().any(|word| *word == owner || also.contains(word))
        };
        named(at) || self.does(at, &named)
    }

    /// Whether a unit may have a value of the type.
    fn holds(&self, at: u32, owner: Name) -> bool {
        let Some(number) = self.types.numbers.get(&owner) else { return false };
        let held = |at: u32| {
            self.outline.units[at as usize].of != UnitOf::Declaration
                && self.held[at as usize]
                    .get_or_init(|| self.types.of_unit(self.outline, at as usize))
                    .has(*number)
        };
        held(at) || self.does(at, &held)
    }

    /// Whether something is so of a unit, or of a caller if it is a macro.
    fn does(&self, at: u32, is_so: &dyn Fn(u32) -> bool) -> bool {
        match self.outline.units[at as usize].of {
            UnitOf::Macro => {
                let callers = self.callers[at as usize].get_or_init(|| self.callers_of(at));
                callers.len() > MAX_CALLERS || callers.iter().any(|caller| is_so(*caller))
            }
            UnitOf::Body(_) | UnitOf::Declaration => is_so(at),
        }
    }

    /// The bodies that call a macro, also by way of others. The items that macros make are units of their own.
    fn callers_of(&self, called: u32) -> Vec<u32> {
        let (mut found, mut seen, mut work) = (Vec::new(), FxHashSet::default(), vec![called]);
        while let Some(at) = work.pop() {
            if found.len() > MAX_CALLERS || !seen.insert(at) {
                continue;
            }
            let unit = &self.outline.units[at as usize];
            if unit.of != UnitOf::Macro {
                found.push(at);
                continue;
            }
            for key in &unit.keys {
                if let Key::Macro(name) = key {
                    work.extend(self.macros.get(name).into_iter().flatten());
                }
            }
        }
        found
    }
}

/// A unit that uses another, if it fits: that costs more to say than whether it matters.
struct User<'a> {
    at: u32,
    fits: &'a dyn Fn() -> bool,
}

/// The types a group declares, numbered, and what each holds.
struct Types {
    numbers: FxHashMap<Name, u32>,
    /// By number: the type and all that its fields hold.
    parts: Vec<Bits>,
    /// By name: the types of what stands under it gives, with their parts.
    given: FxHashMap<Name, Bits>,
}

impl Types {
    fn new(outline: &Outline) -> Types {
        let mut numbers: FxHashMap<Name, u32> = FxHashMap::default();
        for key in
            outline.units.iter().filter(|unit| unit.of == UnitOf::Declaration).flat_map(|unit| &unit.keys)
        {
            if let Key::Holds(name) = key {
                let next = numbers.len() as u32;
                numbers.entry(*name).or_insert(next);
            }
        }
        let count = numbers.len();
        let mut parts: Vec<Bits> = (0..count as u32).map(|number| Bits::new(count).with(number)).collect();
        let declared: Vec<(usize, Vec<u32>)> = (outline.units.iter())
            .filter(|unit| unit.of == UnitOf::Declaration)
            .filter_map(|unit| match unit.keys.first() {
                Some(Key::Holds(name)) => Some((numbers[name] as usize, known(&numbers, &unit.types))),
                _ => None,
            })
            .collect();
        loop {
            let mut grown = false;
            for (at, types) in &declared {
                let mut all = std::mem::take(&mut parts[*at]);
                types.iter().for_each(|part| grown |= all.add(&parts[*part as usize]));
                parts[*at] = all;
            }
            if !grown {
                break;
            }
        }
        let mut given: FxHashMap<Name, Bits> = FxHashMap::default();
        for unit in outline.units.iter().filter(|unit| !unit.gives.is_empty()) {
            for key in &unit.keys {
                let (Key::Plain(name)
                | Key::Dotted(name)
                | Key::Method { name, .. }
                | Key::Assoc { name, .. }) = key
                else {
                    continue;
                };
                let gives = given.entry(*name).or_insert_with(|| Bits::new(count));
                for number in known(&numbers, &unit.gives) {
                    gives.add(&parts[number as usize]);
                }
            }
        }
        Types { numbers, parts, given }
    }

    /// The types of the values that a unit may have.
    fn of_unit(&self, outline: &Outline, at: usize) -> Bits {
        let unit = &outline.units[at];
        let mut found = Bits::new(self.numbers.len());
        for number in
            known(&self.numbers, &unit.types).into_iter().chain(known(&self.numbers, &unit.words.plain))
        {
            found.add(&self.parts[number as usize]);
        }
        for given in
            unit.words.plain.iter().chain(unit.words.dotted.iter()).filter_map(|name| self.given.get(name))
        {
            found.add(given);
        }
        found
    }
}

fn known(numbers: &FxHashMap<Name, u32>, names: &[Name]) -> Vec<u32> {
    names.iter().filter_map(|name| numbers.get(name).copied()).collect()
}

/// A set of small numbers.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(count: usize) -> Bits {
        Bits(vec![0; count.div_ceil(64)])
    }

    fn with(mut self, number: u32) -> Bits {
        self.0[number as usize / 64] |= 1 << (number % 64);
        self
    }

    fn has(&self, number: u32) -> bool {
        self.0[number as usize / 64] & (1 << (number % 64)) != 0
    }

    /// Whether anything was new.
    fn add(&mut self, other: &Bits) -> bool {
        let mut grown = false;
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            grown |= *theirs & !*mine != 0;
            *mine |= theirs;
        }
        grown
    }
}
