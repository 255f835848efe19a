//! What is handed out one at a time: a loop puts a number, a job or a pointer in each of its rounds into a collection or channel,
//! and who takes one out is the only one who has it, until it is put back.
//!
//! In: what is put in and what is taken out. Out: what was taken out, in terms of the round in which it was put in; for the
//! rules, whether each round's goes to one taker. Invariant: a loop that may put one thing in twice hands out nothing.

use super::access::{AccessEvent, Effect};
use super::contexts::ContextId;
use super::memory::{held_first, project};
use super::places::{FrameId, Index, LoopId, PlaceId, Proj, Root};
use super::state::{SyncKey, SyncKind};
use super::terms::{Operator, Rounds, Term};
use super::values::{Aggregate, Const, Deps, Kind, Pointer, Val};
use super::{Analysis, Interp};
use crate::finding::Location;
use crate::hir::BinaryOp;
use crate::resolve::Ty;
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// What is put in lies no deeper in a message.
const MAX_DEPTH: u32 = 4;

/// The lists that hand out numbers.
#[derive(Default)]
pub struct Lists {
    /// What each loop puts into a list; `None`: it does so in several places, or again in each round of another loop.
    sources: FxHashMap<PlaceId, Vec<(LoopId, Option<Source>)>>,
    /// Lists that get numbers from elsewhere too.
    mixed: FxHashSet<PlaceId>,
}

#[derive(Clone, PartialEq)]
struct Source {
    /// Which parts of what is put in are numbers, as functions of the round: the factor, and what is added.
    parts: Vec<(Vec<Proj>, (i64, i64))>,
    /// Where they are put in; `None`: the list begins with them.
    filled_at: Option<(FrameId, Location)>,
}

impl Lists {
    fn of(&self, list: PlaceId) -> &[(LoopId, Option<Source>)] {
        self.sources.get(&list).map_or(&[], |sources| sources)
    }

    fn hand_out_numbers(&self, list: PlaceId) -> bool {
        matches!(self.of(list), [(_, Some(_))]) && !self.mixed.contains(&list)
    }
}

impl Interp<'_> {
    /// A value is put into a list by a call.
    pub(super) fn list_filled(&mut self, list: PlaceId, value: &Val, at: (FrameId, Location)) {
        let made_in = match self.places.get(list).root {
            Root::Object(object) => self.objects.list[object.0 as usize].loops.len(),
            _ => 0,
        };
        let once = self.loops.len() <= made_in + 1;
        let constant = value.alts.iter().any(|kind| matches!(kind, Kind::Const(Const::Int(_))));
        match self.counted_by(value) {
            Counted::One(counted_by, parts) => {
                let source = once.then_some(Source { parts, filled_at: Some(at) });
                self.add_source(list, counted_by, source);
            }
            Counted::Several(loops) => loops.into_iter().for_each(|at| self.add_source(list, at, None)),
            Counted::No if value.open || constant => drop(self.lists.mixed.insert(list)),
            Counted::No => {}
        }
    }

    fn add_source(&mut self, list: PlaceId, counted_by: LoopId, source: Option<Source>) {
        let known = self.lists.sources.entry(list).or_default();
        match known.iter_mut().find(|(at, _)| *at == counted_by) {
            Some((_, old)) if *old == source => {}
            Some((_, old)) => *old = None,
            None => known.push((counted_by, source)),
        }
    }

    /// Whether numbers are known to come out of the list.
    pub(super) fn hands_out_numbers(&self, list: PlaceId) -> bool {
        self.lists.hand_out_numbers(list)
    }

    /// A value is taken out of a list, which nobody else gets then.
    pub(super) fn taken_from_list(&mut self, list: PlaceId, mut value: Val, taken: &Deps) -> Val {
        if !self.is_shared(list) {
            return value;
        }
        if let Some(first) = held_first(&self.initial, &self.places, list) {
            let element = project(&first, Proj::Index(Index::Any));
            if let Counted::One(counted_by, parts) = self.counted_by(&element) {
                self.add_source(list, counted_by, Some(Source { parts, filled_at: None }));
            }
        }
        let sources = self.lists.of(list).to_vec();
        if self.lists.hand_out_numbers(list)
            && let [(at, Some(source))] = &sources[..]
        {
            let log = &self.contexts.get(self.context).log.events;
            let by = taken.iter().find(|id| log.get(id.0 as usize).is_some_and(|event| event.place == list));
            let round = match by {
                Some(read) => Term::Read(self.context, read),
                None => Term::Round(Rounds::Taken(list, *at)),
            };
            let number = Val { term: Some(Rc::new(round)), ..Val::of(Kind::Claimed(list), Ty::Unknown) };
            for (part, step) in &source.parts {
                claim(&mut value, part, *step, &number);
            }
            self.drawn_anew(&number);
        }
        for (at, source) in sources {
            if source.is_some() {
                value = self.of_round(&value, at, Rounds::Taken(list, at), 0);
                self.draws();
            }
        }
        value
    }

    /// What was put in in a round of the loop, with the numbers and places that differ from round to round as those of that round.
    fn of_round(&mut self, value: &Val, at: LoopId, round: Rounds, depth: u32) -> Val {
        if depth > MAX_DEPTH || !self.counts_in(value, at, depth) {
            return value.clone();
        }
        let mut taken = Val { alts: Default::default(), ..value.clone() };
        for kind in &value.alts {
            match kind {
                Kind::Linear(of, mul, add) if *of == at => {
                    taken.open = true;
                    taken.term = linear(&Rc::new(Term::Round(round)), (*mul, *add));
                }
                Kind::Aggregate(parts) => {
                    let mut inner = Aggregate::clone(parts);
                    for (_, part) in &mut inner.fields {
                        *part = self.of_round(part, at, round, depth + 1);
                    }
                    taken.alts.push(Kind::Aggregate(Rc::new(inner)));
                }
                Kind::Closure(closure) => {
                    let mut inner = (**closure).clone();
                    for (_, captured) in &mut inner.moved {
                        *captured = self.of_round(captured, at, round, depth + 1);
                    }
                    taken.alts.push(Kind::Closure(Rc::new(inner)));
                }
                Kind::Pointer(place, how) => match self.boxed_closure(*place, *how) {
                    Some(closure) => {
                        let inner = self.of_round(&closure, at, round, depth + 1);
                        taken.alts.extend(inner.alts);
                    }
                    None => taken.alts.push(Kind::Pointer(self.place_of_round(*place, at, round), *how)),
                },
                other => taken.alts.push(other.clone()),
            }
        }
        taken
    }

    /// The closure in a box.
    fn boxed_closure(&self, place: PlaceId, how: Pointer) -> Option<Val> {
        let held = self.heap.get(self.places.get(place).root).filter(|_| how == Pointer::Owner)?;
        let closure =
            self.places.get(place).parent.is_none() && matches!(held.single(), Some(Kind::Closure(_)));
        closure.then(|| held.clone())
    }

    /// The element that was chosen in a round of the loop.
    fn place_of_round(&mut self, place: PlaceId, at: LoopId, round: Rounds) -> PlaceId {
        let found = self.places.get(place).clone();
        let (Some(parent), Some(step)) = (found.parent, found.proj) else { return place };
        let parent = self.place_of_round(parent, at, round);
        let number = match step {
            Proj::Index(Index::Linear(of, mul, add)) if of == at => {
                linear(&Rc::new(Term::Round(round)), (mul, add))
            }
            Proj::Index(Index::Block(of, mul, add)) if of == at => {
                let start = linear(&Rc::new(Term::Round(round)), (mul, add));
                let end = linear(&Rc::new(Term::Round(round)), (mul, add.saturating_add(mul)));
                start.zip(end).and_then(|(start, end)| Term::within(&start, &end))
            }
            _ => None,
        };
        let step = match number {
            Some(term) => Proj::Index(self.index_at(&Val::unknown(Ty::Unknown).with_term(Some(term)))),
            None => step,
        };
        self.places.step(parent, step, &found.ty)
    }

    /// The loops of which a value has numbers or elements.
    fn counted_by(&self, value: &Val) -> Counted {
        let mut found = Found::default();
        self.note_counted(value, &mut Vec::new(), 0, &mut found);
        match &found.loops[..] {
            [] => Counted::No,
            [at] => Counted::One(*at, found.parts),
            _ => Counted::Several(found.loops),
        }
    }

    fn counts_in(&self, value: &Val, at: LoopId, depth: u32) -> bool {
        let mut found = Found::default();
        self.note_counted(value, &mut Vec::new(), depth, &mut found);
        found.loops.contains(&at)
    }

    fn note_counted(&self, value: &Val, path: &mut Vec<Proj>, depth: u32, found: &mut Found) {
        if depth > MAX_DEPTH {
            return;
        }
        for kind in &value.alts {
            match kind {
                Kind::Linear(at, mul, add) if *mul != 0 => {
                    found.add(*at);
                    found.parts.push((path.clone(), (*mul, *add)));
                }
                Kind::Aggregate(parts) => {
                    for (step, part) in &parts.fields {
                        path.push(*step);
                        self.note_counted(part, path, depth + 1, found);
                        path.pop();
                    }
                }
                Kind::Closure(closure) => {
                    for (_, captured) in &closure.moved {
                        let mut inner = Found::default();
                        self.note_counted(captured, &mut Vec::new(), depth + 1, &mut inner);
                        inner.loops.into_iter().for_each(|at| found.add(at));
                    }
                }
                Kind::Pointer(place, how) => match self.boxed_closure(*place, *how) {
                    Some(closure) => self.note_counted(&closure, path, depth + 1, found),
                    None => {
                        for step in self.places.path(*place) {
                            if let Proj::Index(Index::Linear(at, ..) | Index::Block(at, ..)) = step {
                                found.add(at);
                            }
                        }
                    }
                },
                _ => {}
            }
        }
    }
}

/// Which loops' numbers are in a value.
enum Counted {
    No,
    One(LoopId, Vec<(Vec<Proj>, (i64, i64))>),
    Several(Vec<LoopId>),
}

#[derive(Default)]
struct Found {
    loops: Vec<LoopId>,
    parts: Vec<(Vec<Proj>, (i64, i64))>,
}

impl Found {
    fn add(&mut self, at: LoopId) {
        if !self.loops.contains(&at) {
            self.loops.push(at);
        }
    }
}

impl Analysis {
    /// Whether what the rounds of the loop put into the list goes to one context at a time.
    pub fn hands_out(&self, list: PlaceId, by: LoopId) -> bool {
        let sure = |(at, source): &(LoopId, Option<Source>)| *at == by && source.is_some();
        self.lists.of(list).iter().any(sure) && !self.is_many(self.frames.get(by.frame).context)
    }

    /// The same of a list of numbers. (What isn't a list, counts up.)
    pub fn hands_out_numbers(&self, list: PlaceId) -> bool {
        match self.lists.of(list) {
            [] => !self.lists.mixed.contains(&list),
            sources => {
                let [(at, _)] = sources else { return false };
                self.lists.hand_out_numbers(list) && self.hands_out(list, *at)
            }
        }
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
        if self.lists.of(list).is_empty() {
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

/// The number in a value becomes a function of a claimed one.
fn claim(value: &mut Val, part: &[Proj], (mul, add): (i64, i64), number: &Val) {
    let Some((step, rest)) = part.split_first() else {
        if value.alts.iter().all(|kind| matches!(kind, Kind::Linear(..) | Kind::Claimed(_))) {
            let (ty, deps) = (value.ty.clone(), value.deps.clone());
            *value = match (mul, add) {
                (1, 0) => Val { ty, deps, ..number.clone() },
                step => {
                    let term = number.term.as_ref().and_then(|number| linear(number, step));
                    Val::unknown(ty).with_deps(&deps).with_term(term)
                }
            };
        }
        return;
    };
    value.open = false;
    for kind in &mut value.alts {
        if let Kind::Aggregate(parts) = kind {
            let mut claimed = Aggregate::clone(parts);
            for (_, inner) in claimed.fields.iter_mut().filter(|(at, _)| at == step) {
                claim(inner, rest, (mul, add), number);
            }
            *kind = Kind::Aggregate(Rc::new(claimed));
        }
    }
}

fn linear(number: &Rc<Term>, (mul, add): (i64, i64)) -> Option<Rc<Term>> {
    let apply = |op, term: &Rc<Term>, n: i64| {
        Term::apply(Operator::Binary(op), term, &Rc::new(Term::Const(n.into())))
    };
    apply(BinaryOp::Add, &apply(BinaryOp::Mul, number, mul)?, add)
}
