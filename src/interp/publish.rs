//! Publication of objects: what is done before a pointer is made reachable happens before what is done by who obtains it.
//!
//! In: values stored into and loaded from atomics, channels, once-cells and what locks protect. Out: orders of kind
//! `SyncKind::Object` in the moment, one for each object that the value leads to. An object made anew (in a loop's next round) begins unpublished.

use super::Interp;
use super::access::{AccessEvent, Door};
use super::order::{acquires, releases};
use super::places::{PlaceId, Root};
use super::state::{SyncKey, SyncKind};
use super::values::{Deps, Kind, Val};
use crate::finding::AccessKind;
use crate::hir::Name;
use std::rc::Rc;

/// Pointers are followed this far from what is published.
const MAX_HOPS: u32 = 4;
/// Objects one value publishes or obtains at most.
const MAX_OBJECTS: usize = 16;

impl Interp<'_> {
    /// The value becomes reachable for whoever reads where it was stored.
    pub(super) fn publish(&mut self, value: &Val) {
        for place in self.led_to(value) {
            self.spread.insert(place);
            self.st.release(object_key(place));
        }
    }

    /// The value goes to one receiver; nobody else has it, unless it was given away before.
    pub(super) fn hand_over(&mut self, value: &Val) {
        for place in self.led_to(value) {
            let own = self.made_here(place) && !self.st.moment.released.contains_key(&object_key(place));
            if !self.st.moment.received.contains(&place) && !own {
                self.spread.insert(place);
            }
            if self.st.moment.received.contains(&place) {
                self.st.moment_mut().received.remove(&place);
            }
            self.st.release(object_key(place));
        }
    }

    /// A message is the receiver's.
    pub(super) fn take_over(&mut self, value: &Val) {
        for place in self.led_to(value) {
            self.st.acquire(object_key(place));
            if !self.st.moment.received.contains(&place) {
                self.st.moment_mut().received.insert(place);
            }
        }
    }

    /// One value goes in where the other one came out. What is made anew in each round isn't what is put in now.
    pub(super) fn exchange(&mut self, old: &Val, new: &Val) {
        self.take_over(old);
        self.hand_over(new);
        for place in self.led_to(old) {
            let Root::Object(object) = self.places.get(place).root else { continue };
            if !self.objects.list[object.0 as usize].loops.is_empty() {
                self.st.moment_mut().received.insert(place);
            }
        }
    }

    /// The value becomes reachable through an atomic.
    pub(super) fn publish_through(&mut self, atomic: &[PlaceId], value: &Val, order: Name) {
        let loaded_from = self.loaded_from(value);
        let passed_on = loaded_from.is_some();
        for place in self.led_to(value) {
            self.spread.insert(place);
            let own = self.made_here(place);
            if !(own && passed_on) {
                self.log_construction(place);
            }
            // What is passed on, to announce it say, others find where it was found.
            if let Some(atomic) = loaded_from.or(atomic.first().copied()) {
                self.published.entry(place).or_insert(atomic);
            }
            if releases(order) || self.st.moment.fenced {
                self.st.release(object_key(place));
            } else if !(own && passed_on) {
                self.st.moment_mut().weakly_released.insert(object_key(place));
            }
        }
    }

    /// The atomic that the pointer came out of: what it leads to had been published before it is stored again.
    fn loaded_from(&self, value: &Val) -> Option<PlaceId> {
        let log = &self.contexts.get(self.context).log.events;
        let mut loads = value.deps.iter().filter_map(|id| log.get(id.0 as usize));
        loads.find(|event| event.atomic.is_some()).map(|event| event.place)
    }

    /// An object that the context being walked makes.
    fn made_here(&self, place: PlaceId) -> bool {
        let Root::Object(object) = self.places.get(place).root else { return false };
        self.frames.get(self.objects.list[object.0 as usize].frame).context == self.context
    }

    /// The value was read where another context may have published it.
    pub(super) fn obtain(&mut self, value: &Val) {
        for place in self.led_to(value) {
            self.st.acquire(object_key(place));
        }
    }

    /// The value was read from an atomic.
    pub(super) fn obtain_through(&mut self, value: &Val, order: Name) {
        if acquires(order) {
            return self.obtain(value);
        }
        for place in self.led_to(value) {
            self.st.moment_mut().weak.insert(object_key(place));
        }
    }

    /// A new object: what was published before was another one.
    pub(super) fn unpublish(&mut self, place: PlaceId) {
        let key = object_key(place);
        if self.st.moment.released.contains_key(&key) {
            self.st.moment_mut().released.remove(&key);
        }
        if self.st.moment.weakly_released.contains(&key) {
            self.st.moment_mut().weakly_released.remove(&key);
        }
        self.made_at.insert(place, self.st.moment.clone());
    }

    /// Making what is published is a write, unless it was reachable before.
    fn log_construction(&mut self, place: PlaceId) {
        let Root::Object(object) = self.places.get(place).root else { return };
        let made = self.objects.list[object.0 as usize].clone();
        if !self.made_here(place) || self.stopped || self.st.moment.released.contains_key(&object_key(place))
        {
            return;
        }
        let Some(moment) = self.made_at.get(&place).cloned() else { return };
        let now = std::mem::replace(&mut self.st.moment, moment);
        let moment = self.moment();
        self.st.moment = now;
        let event = AccessEvent {
            place,
            kind: AccessKind::Write,
            atomic: None,
            door: Door::Raw,
            locks: Rc::from([]),
            moment,
            at: made.site,
            frame: made.frame,
            data: Deps::default(),
            through: Deps::default(),
            control: Deps::default(),
            looping: Deps::default(),
            seen: Deps::default(),
            same: None,
            saw: None,
            ways: Default::default(),
            side: None,
            acted_on: Deps::default(),
            effect: None,
            term: None,
            runs: self.runs(),
        };
        self.contexts.get_mut(self.context).log.add(event);
    }

    /// The objects that a value leads to and that nobody else can reach yet.
    pub(super) fn unpublished(&self, value: &Val) -> Vec<PlaceId> {
        let mut found = self.led_to(value);
        found.retain(|place| !self.st.moment.released.contains_key(&object_key(*place)));
        found
    }

    /// The same, and the locals that it points to itself.
    pub(super) fn roots_from(&self, value: &Val) -> Vec<PlaceId> {
        let mut found = self.led_to(value);
        for (place, _) in value.pointers() {
            let root = self.places.ancestors(place).last().unwrap_or(place);
            if matches!(self.places.get(root).root, Root::Local(..)) && !found.contains(&root) {
                found.push(root);
            }
        }
        found
    }

    /// The objects that a value leads to, in the order in which they are met.
    fn led_to(&self, value: &Val) -> Vec<PlaceId> {
        let mut found = Vec::new();
        self.follow(value, 0, &mut found);
        found
    }

    fn follow(&self, value: &Val, hops: u32, found: &mut Vec<PlaceId>) {
        if hops > MAX_HOPS || found.len() >= MAX_OBJECTS {
            return;
        }
        for kind in &value.alts {
            match kind {
                Kind::Pointer(place, _) => {
                    let root = self.places.ancestors(*place).last().unwrap_or(*place);
                    let kind = self.places.get(root).root;
                    if matches!(kind, Root::Object(_)) && !found.contains(&root) {
                        found.push(root);
                        if let Some(content) = self.heap.get(kind) {
                            self.follow(content, hops + 1, found);
                        }
                    }
                }
                Kind::Aggregate(aggregate) => {
                    aggregate.fields.iter().for_each(|(_, field)| self.follow(field, hops + 1, found));
                }
                _ => {}
            }
        }
    }
}

pub(super) fn object_key(place: PlaceId) -> SyncKey {
    SyncKey { place, kind: SyncKind::Object }
}
