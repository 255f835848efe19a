//! Who gets to whom by words: the outline read backwards.
//!
//! In: an `Outline`. Out: for words, the units that use them; for a unit, those that use it (`reach` goes on from there). A
//! method counts as used where its name follows a dot and a value of its type may be at hand: the type is named there,
//! is a parameter's or field's, or is given back by something that is named there.

use super::at_hand::Types;
use super::bits::Bits;
use super::uses::{Uses, Vocabulary};
use crate::hir::Name;
use crate::resolve::outline::{Key, Outline, Unit, UnitOf};
use crate::resolve::{ModuleId, Program};
use rustc_hash::FxHashSet;
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
    /// The words that have to be known to find it.
    pub(super) fn words(&self) -> impl Iterator<Item = Name> {
        let (word, module) = match *self {
            Mention::Plain(name) | Mention::Word(name) | Mention::Macro(name) => (Some(name), None),
            Mention::Field { name, .. } => (Some(name), None),
            Mention::In { module, name } => (Some(name), Some(module)),
            Mention::Value(_) | Mention::Unit(_) => (None, None),
        };
        word.into_iter().chain(module)
    }
}

pub(super) struct Mentions<'o, 'p> {
    program: &'o Program,
    pub(super) outline: &'o Outline<'p>,
    words: Vocabulary,
    /// Words after no dot, and after one.
    plain: Uses,
    dotted: Uses,
    macros: Uses,
    /// Of the types of what a unit takes or holds.
    typed: Uses,
    types: Types,
    /// All units.
    all: Vec<u32>,
    /// By unit: the types of values it may have, and those that it names.
    held: Vec<OnceCell<Bits>>,
    named: Vec<OnceCell<Bits>>,
    /// Of units that are macros: who calls them.
    callers: Vec<OnceCell<Vec<u32>>>,
}

/// How a unit is reached: by those who use a word, if they have what it takes.
#[derive(Clone, Copy)]
pub(super) struct Route {
    pub place: Place,
    /// The type that they must name, after no dot; else the one that they must have a value of.
    pub owner: Option<u32>,
    /// Only code of this module and those in it can.
    pub scope: Option<ModuleId>,
}

/// Where the word that leads to a unit stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Plain(u32),
    Dotted(u32),
    Macro(u32),
    /// No word is needed.
    Anywhere,
}

/// A macro with more callers than this may see anything.
const MAX_CALLERS: usize = 64;

impl<'o, 'p> Mentions<'o, 'p> {
    /// `asked`: the words of libraries that will be asked for.
    pub(super) fn new(
        program: &'o Program,
        outline: &'o Outline<'p>,
        asked: impl Iterator<Item = Name>,
    ) -> Mentions<'o, 'p> {
        let words = Vocabulary::new(outline, asked);
        let units = &outline.units;
        Mentions {
            program,
            outline,
            plain: words.uses(units, |unit| &unit.words.plain),
            dotted: words.uses(units, |unit| &unit.words.dotted),
            macros: words.uses(units, |unit| &unit.words.macros),
            typed: words.uses(units, |unit| &unit.types),
            types: Types::new(outline, &words),
            words,
            all: (0..units.len() as u32).collect(),
            held: vec![OnceCell::new(); units.len()],
            named: vec![OnceCell::new(); units.len()],
            callers: vec![OnceCell::new(); units.len()],
        }
    }

    pub(super) fn unit(&self, at: usize) -> &Unit<'p> {
        &self.outline.units[at]
    }

    pub(super) fn type_count(&self) -> usize {
        self.types.count()
    }

    /// Whether anything uses the word.
    pub(super) fn has(&self, mention: Mention) -> bool {
        self.mentioning(mention, &mut |_| true)
    }

    /// The units that use the word, not after a dot.
    pub(super) fn naming(&self, name: Name) -> impl Iterator<Item = usize> {
        self.found(&self.plain, name).iter().map(|at| *at as usize)
    }

    /// The types that hold, at some depth, one of `words`, and these themselves.
    pub(super) fn types_holding(&self, words: &FxHashSet<Name>) -> FxHashSet<Name> {
        self.types.holding(self.outline, &self.words, words)
    }

    fn found<'u>(&self, uses: &'u Uses, name: Name) -> &'u [u32] {
        self.words.number(name).map_or(&[], |word| uses.users(word))
    }

    /// Shows the units that a seed means until `enough` says so; whether it did.
    pub(super) fn mentioning(&self, seed: Mention, enough: &mut dyn FnMut(u32) -> bool) -> bool {
        let mut any = |uses: &Uses, name: Name| self.found(uses, name).iter().any(|at| enough(*at));
        match seed {
            Mention::Unit(at) => enough(at as u32),
            Mention::Value(of) => {
                let Some(number) = self.types.number(&self.words, of) else { return false };
                self.all.iter().any(|at| self.held(*at).has(number) && enough(*at))
            }
            Mention::Field { owner, name } => self.having_field(owner, name, enough),
            Mention::In { module, name } if !self.outline.imports(module, name) => {
                let named = self.found(&self.plain, module);
                let mut units = self.found(&self.plain, name).iter();
                units.any(|at| named.binary_search(at).is_ok() && enough(*at))
            }
            Mention::Macro(name) => any(&self.macros, name),
            Mention::Plain(name) | Mention::In { name, .. } => any(&self.plain, name),
            Mention::Word(name) => {
                any(&self.plain, name) || any(&self.dotted, name) || any(&self.typed, name)
            }
        }
    }

    /// The units that may name a type's field: after a dot, or where a value is made or taken apart.
    fn having_field(&self, owner: Name, name: Name, enough: &mut dyn FnMut(u32) -> bool) -> bool {
        let Some(owner) = self.types.number(&self.words, owner) else { return false };
        let after_dot = self.found(&self.dotted, name);
        let named = self.found(&self.plain, name);
        after_dot.iter().any(|at| self.held(*at).has(owner) && enough(*at))
            || named.iter().any(|at| self.named(*at).has(owner) && enough(*at))
    }

    /// Whether another unit uses this one.
    pub(super) fn is_used(&self, at: usize) -> bool {
        self.routes(at as u32).any(|route| {
            let fits = |user: &u32| {
                *user as usize != at
                    && route.owner.is_none_or(|owner| self.knows(*user, route.place).has(owner))
                    && self.sees(*user, route.scope)
            };
            self.users(route.place).iter().any(fits)
        })
    }

    /// How a unit is reached.
    pub(super) fn routes(&self, at: u32) -> impl Iterator<Item = Route> {
        let unit = &self.outline.units[at as usize];
        let scope = unit.module.filter(|_| unit.private);
        unit.keys.iter().filter_map(move |key| {
            let word = |name| self.words.number(name);
            let (place, owner) = match *key {
                Key::Plain(name) => (Place::Plain(word(name)?), None),
                Key::Dotted(name) => (Place::Dotted(word(name)?), None),
                Key::Macro(name) => (Place::Macro(word(name)?), None),
                Key::Method { owner, name } => (Place::Dotted(word(name)?), Some(owner)),
                Key::Assoc { owner, name } => (Place::Plain(word(name)?), Some(owner)),
                Key::Holds(owner) => (Place::Anywhere, Some(owner)),
            };
            let owner = match owner {
                Some(owner) => Some(self.types.number(&self.words, owner)?),
                None => None,
            };
            Some(Route { place, owner, scope })
        })
    }

    /// The units that have the word there.
    pub(super) fn users(&self, place: Place) -> &[u32] {
        match place {
            Place::Plain(word) => self.plain.users(word),
            Place::Dotted(word) => self.dotted.users(word),
            Place::Macro(word) => self.macros.users(word),
            Place::Anywhere => &self.all,
        }
    }

    /// The types with which a unit gets to what such a word may mean.
    pub(super) fn knows(&self, at: u32, place: Place) -> &Bits {
        match place {
            Place::Plain(_) => self.named(at),
            Place::Dotted(_) | Place::Macro(_) | Place::Anywhere => self.held(at),
        }
    }

    /// Whether a unit can name what only `scope` and the modules in it see.
    pub(super) fn sees(&self, at: u32, scope: Option<ModuleId>) -> bool {
        let Some(scope) = scope else { return true };
        let is_inside = |at: u32| {
            let Some(from) = self.outline.units[at as usize].module else { return true };
            let mut modules = std::iter::successors(Some(from), |m| self.program.modules[m.index()].parent);
            modules.any(|module| module == scope)
        };
        match self.callers(at) {
            None => is_inside(at),
            Some(callers) => callers.len() > MAX_CALLERS || callers.iter().any(|caller| is_inside(*caller)),
        }
    }

    /// The types that a unit names; of a macro, also those that its callers do.
    fn named(&self, at: u32) -> &Bits {
        self.named[at as usize].get_or_init(|| {
            let unit = &self.outline.units[at as usize];
            let own = self.types.named(at, unit, &self.words, &self.plain);
            self.with_callers(at, own, &|caller| self.named(caller))
        })
    }

    /// The types of which a unit may have values, in the same way.
    fn held(&self, at: u32) -> &Bits {
        self.held[at as usize].get_or_init(|| match self.outline.units[at as usize].of {
            UnitOf::Declaration => Bits::new(self.types.count()),
            UnitOf::Body(_) | UnitOf::Macro => {
                let own = self.types.held(at, &self.plain, &self.dotted, &self.typed);
                self.with_callers(at, own, &|caller| self.held(caller))
            }
        })
    }

    fn with_callers<'s>(&'s self, at: u32, mut own: Bits, of: &dyn Fn(u32) -> &'s Bits) -> Bits {
        match self.callers(at) {
            Some(callers) if callers.len() > MAX_CALLERS => return Bits::all(self.types.count()),
            Some(callers) => callers.iter().for_each(|caller| _ = own.add(of(*caller))),
            None => {}
        }
        own
    }

    /// The bodies that call a macro, also by way of others; `None` if it is none. The items that macros make are units of
    /// their own.
    fn callers(&self, at: u32) -> Option<&[u32]> {
        let is_macro = self.outline.units[at as usize].of == UnitOf::Macro;
        is_macro.then(|| &self.callers[at as usize].get_or_init(|| self.callers_of(at))[..])
    }

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
                    work.extend(self.found(&self.macros, *name));
                }
            }
        }
        found
    }
}
