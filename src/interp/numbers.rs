//! Numbers that are handed out one at a time: a loop puts each of its rounds' into a collection or channel, and who takes one
//! out is the only one who has it, until it is put back.
//!
//! In: what is put in and what is taken out. Out: for a number taken out, that it is claimed from there; for the rules, where
//! such numbers come from. Invariant: a list that may get one number twice hands out nothing.

use super::access::{AccessEvent, Effect};
use super::contexts::ContextId;
use super::memory::{held_first, project};
use super::places::{Index, LoopId, PlaceId, Proj, Root};
use super::state::{SyncKey, SyncKind};
use super::terms::Term;
use super::values::{Aggregate, Const, Deps, Kind, Val};
use super::{Analysis, Interp};
use crate::finding::Location;
use crate::resolve::Ty;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// The lists that hand out numbers.
#[derive(Default)]
pub struct Lists {
    /// Where a list's numbers come from; `None`: from several places, or again in each round of another loop.
    sources: FxHashMap<PlaceId, Option<Source>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Source {
    /// The loop whose rounds' numbers they are.
    counted_by: LoopId,
    /// Which part of what is put in is the number.
    part: Vec<Proj>,
    /// Where they are put in; `None`: the list begins with them.
    filled_at: Option<Location>,
}

impl Interp<'_> {
    /// A value is put into a list.
    pub(super) fn list_filled(&mut self, list: PlaceId, value: &Val, at: Location) {
        let made_in = match self.places.get(list).root {
            Root::Object(object) => self.objects.list[object.0 as usize].loops.len(),
            _ => 0,
        };
        let once = self.loops.len() <= made_in + 1;
        let constant = value.alts.iter().any(|kind| matches!(kind, Kind::Const(Const::Int(_))));
        match number_in(value) {
            Some((counted_by, part)) if once => {
                self.add_source(list, Some(Source { counted_by, part, filled_at: Some(at) }));
            }
            Some(_) => self.add_source(list, None),
            None if value.open || constant => self.add_source(list, None),
            None => {}
        }
    }

    fn add_source(&mut self, list: PlaceId, source: Option<Source>) {
        let known = self.lists.sources.entry(list).or_insert_with(|| source.clone());
        if *known != source {
            *known = None;
        }
    }

    /// Whether numbers are known to come out of the list.
    pub(super) fn hands_out_numbers(&self, list: PlaceId) -> bool {
        self.lists.sources.get(&list).is_some_and(Option::is_some)
    }

    /// A value is taken out of a list, which nobody else gets then.
    pub(super) fn taken_from_list(&mut self, list: PlaceId, mut value: Val, taken: &Deps) -> Val {
        if !self.is_shared(list) {
            return value;
        }
        if let Some(first) = held_first(&self.initial, &self.places, list) {
            let element = project(&first, Proj::Index(Index::Any));
            if let Some((counted_by, part)) = number_in(&element) {
                self.add_source(list, Some(Source { counted_by, part, filled_at: None }));
            }
        }
        if let Some(Some(source)) = self.lists.sources.get(&list) {
            let log = &self.contexts.get(self.context).log.events;
            let by = taken.iter().find(|id| log.get(id.0 as usize).is_some_and(|event| event.place == list));
            let number = Val {
                term: by.map(|read| Rc::new(Term::Read(self.context, read))),
                ..Val::of(Kind::Claimed(list), Ty::Unknown)
            };
            claim(&mut value, &source.part, &number);
            self.drawn_anew(&number);
        }
        value
    }
}

impl Analysis {
    /// Whether a number of the list goes to one context at a time. (What isn't a list, counts up.)
    pub fn hands_out(&self, list: PlaceId) -> bool {
        self.lists.sources.get(&list).is_none_or(|source| {
            source
                .as_ref()
                .is_some_and(|source| !self.is_many(self.frames.get(source.counted_by.frame).context))
        })
    }

    /// Whether the context has given something back to the list before an access, as far as its text says, and not taken out
    /// another one since.
    pub fn gave_back(
        &self,
        context: ContextId,
        access: &AccessEvent,
        list: PlaceId,
        before: impl Fn(&AccessEvent, &AccessEvent) -> bool,
    ) -> bool {
        if !self.lists.sources.contains_key(&list) {
            return false;
        }
        let sent = SyncKey { place: list, kind: SyncKind::Channel };
        if self.moments[access.moment.0 as usize].released.contains_key(&sent) {
            return true;
        }
        let log = &self.contexts.get(context).log.events;
        let with = |effects: &'static [Effect]| {
            log.iter().filter(move |event| {
                event.place == list && event.effect.as_ref().is_some_and(|effect| effects.contains(effect))
            })
        };
        with(&[Effect::Put]).filter(|put| before(put, access)).any(|put| {
            !with(&[Effect::Take, Effect::TakeSure]).any(|take| before(put, take) && before(take, access))
        })
    }
}

/// The one part of a value that is a function of a loop's counter, and the loop.
fn number_in(value: &Val) -> Option<(LoopId, Vec<Proj>)> {
    let mut found = Vec::new();
    gather(value, &mut Vec::new(), &mut found);
    match &mut found[..] {
        [(at, part)] => Some((*at, std::mem::take(part))),
        _ => None,
    }
}

fn gather(value: &Val, path: &mut Vec<Proj>, found: &mut Vec<(LoopId, Vec<Proj>)>) {
    for kind in &value.alts {
        match kind {
            Kind::Linear(at, mul, _) if *mul != 0 => found.push((*at, path.clone())),
            Kind::Aggregate(parts) => {
                for (step, part) in &parts.fields {
                    path.push(*step);
                    gather(part, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }
}

/// The number in a value becomes one claimed from the list.
fn claim(value: &mut Val, part: &[Proj], number: &Val) {
    let Some((step, rest)) = part.split_first() else {
        if value.alts.iter().all(|kind| matches!(kind, Kind::Linear(..) | Kind::Claimed(_))) {
            *value = Val { ty: value.ty.clone(), deps: value.deps.clone(), ..number.clone() };
        }
        return;
    };
    value.open = false;
    for kind in &mut value.alts {
        if let Kind::Aggregate(parts) = kind {
            let mut claimed = Aggregate::clone(parts);
            for (_, inner) in claimed.fields.iter_mut().filter(|(at, _)| at == step) {
                claim(inner, rest, number);
            }
            *kind = Kind::Aggregate(Rc::new(claimed));
        }
    }
}
