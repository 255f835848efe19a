//! `static-mut-race`: door 1. Two contexts access one `static mut`, one writes, nothing orders them and no lock is common.
//!
//! Atomics and locks that are stored in a `static mut` are judged by what they are; only plain accesses count here.

use super::describe::{Story, describe};
use super::pairs::{Door, Wanted, by_root, races};
use super::sentence::Says;
use super::{Facts, Rule};
use crate::finding::{Finding, Level};
use crate::interp::places::Root;

pub struct StaticMutRace;

impl Rule for StaticMutRace {
    fn id(&self) -> &'static str {
        "static-mut-race"
    }

    fn check(&self, facts: &Facts, level: Level, out: &mut Vec<Finding>) {
        let is_door = |root| match root {
            Root::Static(id) => facts.program.statics[id.index()].item.mutable,
            _ => false,
        };
        for events in by_root(facts, is_door) {
            for group in races(facts, &events, Wanted::Door(Door::StaticMut)) {
                let story = Story {
                    rule: self.id(),
                    level,
                    says: Says::Accesses("with no lock in common"),
                    help: help(facts, &group.place),
                };
                out.extend(describe(facts, &story, &group));
            }
        }
    }
}

fn help(facts: &Facts, place: &crate::interp::places::PlaceId) -> String {
    let Root::Static(id) = facts.analysis.places.get(*place).root else { return String::new() };
    let def = &facts.program.statics[id.index()];
    let name = def.name;
    let atomic = match &def.ty {
        crate::resolve::Ty::Prim(ty) => atomic_for(ty.as_str()),
        _ => None,
    };
    match atomic {
        Some(atomic) => format!(
            "make `{name}` a `static {name}: {atomic}` and update it in one step (`fetch_add`, `fetch_update`), or put it into a `Mutex`"
        ),
        None => format!(
            "put `{name}` into a `Mutex` (`static {name}: Mutex<_>`) and hold the lock over the whole update"
        ),
    }
}

fn atomic_for(ty: &str) -> Option<&'static str> {
    Some(match ty {
        "bool" => "AtomicBool",
        "u8" => "AtomicU8",
        "u16" => "AtomicU16",
        "u32" => "AtomicU32",
        "u64" => "AtomicU64",
        "usize" => "AtomicUsize",
        "i8" => "AtomicI8",
        "i16" => "AtomicI16",
        "i32" => "AtomicI32",
        "i64" => "AtomicI64",
        "isize" => "AtomicIsize",
        _ => return None,
    })
}
