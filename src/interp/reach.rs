//! From what some units mention to all that get there: those who use these, and those who use them, to the end.
//!
//! In: `Mentions`, and seeds with the bits that they stand for. Out: by unit, the bits of all that it gets to. What users of one
//! word may gain is gathered and shown to them together: methods of one name may be hundreds.

use super::bits::Bits;
use super::mentions::{Mention, Mentions, Place};
use crate::resolve::ModuleId;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Of more types than this a set is made to look for one of them.
const FEW: usize = 6;

/// By unit: the bits of the seeds that it uses, itself or by way of what it uses.
pub(super) fn reach(mentions: &Mentions, seeds: &[(u8, &[Mention])]) -> Vec<u8> {
    let mut reach = Reach {
        mentions,
        found: vec![0; mentions.outline.units.len()],
        stations: Vec::new(),
        known: FxHashMap::default(),
        work: VecDeque::new(),
        last: None,
    };
    let mut begun: Vec<u32> = Vec::new();
    for (bits, seeds) in seeds {
        for seed in *seeds {
            mentions.mentioning(*seed, &mut |at| {
                begun.push(at);
                reach.found[at as usize] |= bits;
                false
            });
        }
    }
    begun.sort_unstable();
    begun.dedup();
    for at in begun {
        reach.announce(at, reach.found[at as usize]);
    }
    while let Some(station) = reach.work.pop_front().or_else(|| reach.last.take()) {
        reach.visit(station);
    }
    reach.found
}

struct Reach<'m, 'o, 'p> {
    mentions: &'m Mentions<'o, 'p>,
    /// By unit.
    found: Vec<u8>,
    stations: Vec<Station>,
    /// Their numbers.
    known: FxHashMap<(Place, Option<ModuleId>), u32>,
    /// Those with something to pass on.
    work: VecDeque<u32>,
    /// The one that asks all units, which therefore comes last.
    last: Option<u32>,
}

/// The users of one word.
struct Station {
    place: Place,
    scope: Option<ModuleId>,
    /// What all users gained.
    passed: u8,
    /// What all of them are still to gain.
    all: u8,
    /// What those of them are still to gain who know a type.
    knowing: Vec<(u32, u8)>,
}

impl Reach<'_, '_, '_> {
    /// Has the users of a unit gain what it gained.
    fn announce(&mut self, at: u32, bits: u8) {
        let mentions = self.mentions;
        for route in mentions.routes(at) {
            let next = self.stations.len() as u32;
            let number = *self.known.entry((route.place, route.scope)).or_insert(next);
            if number == next {
                self.stations.push(Station {
                    place: route.place,
                    scope: route.scope,
                    passed: 0,
                    all: 0,
                    knowing: Vec::new(),
                });
            }
            let station = &mut self.stations[number as usize];
            let new = bits & !station.passed;
            let waits = station.all != 0 || !station.knowing.is_empty();
            match route.owner {
                _ if new == 0 => continue,
                None => {
                    station.passed |= new;
                    station.all |= new;
                }
                Some(owner) => station.knowing.push((owner, new)),
            }
            match route.place {
                Place::Anywhere => self.last = Some(number),
                _ if waits => {}
                _ => self.work.push_back(number),
            }
        }
    }

    /// Passes on what has gathered.
    fn visit(&mut self, number: u32) {
        let station = &mut self.stations[number as usize];
        let (place, scope, all) = (station.place, station.scope, std::mem::take(&mut station.all));
        let asked = Asked::new(std::mem::take(&mut station.knowing), self.mentions.type_count());
        let any = all | asked.bits;
        let mentions = self.mentions;
        let mut gained: Vec<(u32, u8)> = Vec::new();
        for at in mentions.users(place) {
            let missing = any & !self.found[*at as usize];
            if missing == 0 {
                continue;
            }
            let mut new = missing & all;
            if new != missing && asked.bits != 0 {
                new |= asked.of(mentions.knows(*at, place), missing);
            }
            if new != 0 && mentions.sees(*at, scope) {
                self.found[*at as usize] |= new;
                gained.push((*at, new));
            }
        }
        for (at, bits) in gained {
            self.announce(at, bits);
        }
    }
}

/// What those gain who know some types.
struct Asked {
    bits: u8,
    types: Vec<(u32, u8)>,
    /// By bit: the types that give it, if they are many.
    sets: Vec<Bits>,
}

impl Asked {
    fn new(types: Vec<(u32, u8)>, count: usize) -> Asked {
        let bits = types.iter().fold(0, |all, (_, bits)| all | bits);
        let mut sets = Vec::new();
        if types.len() > FEW {
            sets = vec![Bits::new(count); (u8::BITS - bits.leading_zeros()) as usize];
            for (bit, set) in sets.iter_mut().enumerate() {
                let giving = types.iter().filter(|(_, bits)| bits & (1 << bit) != 0);
                giving.for_each(|(number, _)| set.insert(*number));
            }
        }
        Asked { bits, types, sets }
    }

    /// What of `missing` someone gains who knows these types.
    fn of(&self, known: &Bits, missing: u8) -> u8 {
        if self.sets.is_empty() {
            let given = self.types.iter().filter(|(number, bits)| bits & missing != 0 && known.has(*number));
            return given.fold(0, |all, (_, bits)| all | bits) & missing;
        }
        let gives = |(bit, set): &(usize, &Bits)| missing & (1 << *bit) != 0 && set.meets(known);
        self.sets.iter().enumerate().filter(gives).fold(0, |all, (bit, _)| all | 1 << bit)
    }
}
