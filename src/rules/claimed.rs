//! Elements that are told apart by several indices together: a row and a column, a bucket and an entry of it.
//!
//! In: two accesses. Out: whether all indices on the way to their places are made of two different numbers that one atomic gave out,
//! and lead to different elements. For one index alone that is a difference of place like any other. Invariant: a table holds
//! each pointer once.

use super::Facts;
use super::harmless::stands_before;
use super::pairs::{Event, gives_apart};
use crate::interp::access::AccessEvent;
use crate::interp::claims::{ClaimId, Giver};
use crate::interp::places::{Index, PlaceId, Proj};
use crate::interp::terms::Rounds;

pub fn claimed_apart(facts: &Facts, a: Event, b: Event) -> bool {
    let mut indices = claims(facts, a.access.place, b.access.place);
    let no_more = |(x, y): &(ClaimId, ClaimId)| {
        claimed_no_more(facts, (a, Proj::Index(Index::Claimed(*x))), (b, Proj::Index(Index::Claimed(*y))))
    };
    let apart = |(x, _): &(ClaimId, ClaimId)| gives_apart(facts, (a.context, *x), b.context);
    if indices.is_empty() || indices.iter().any(no_more) || !indices.iter().all(apart) {
        return false;
    }
    for x in tables(facts, a) {
        for y in tables(facts, b).into_iter().filter(|y| facts.analysis.places.same_but_index(x, *y)) {
            indices.extend(claims(facts, x, y));
        }
    }
    indices.len() > 1 && !facts.analysis.claims.meet(&indices)
}

/// The list that the numbers come from has one twice, or one of the two has put its number back.
pub fn claimed_no_more(facts: &Facts, (a, x): (Event, Proj), (b, y): (Event, Proj)) -> bool {
    let (Proj::Index(Index::Claimed(x)), Proj::Index(Index::Claimed(y))) = (x, y) else { return false };
    let analysis = facts.analysis;
    let giver = analysis.claims.giver(x);
    let before = |one: &AccessEvent, two: &AccessEvent| stands_before(facts, one, two);
    let given_back = |list| [a, b].iter().any(|e| analysis.gave_back(e.context, e.access, list, before));
    giver == analysis.claims.giver(y)
        && match giver {
            Giver::Counter(list) => !analysis.hands_out_numbers(list) || given_back(list),
            Giver::Rounds(Rounds::Taken(list, _)) => given_back(list),
            Giver::Rounds(Rounds::Started(_)) => false,
        }
}

/// The claimed indices of two places, step by step.
fn claims(facts: &Facts, x: PlaceId, y: PlaceId) -> Vec<(ClaimId, ClaimId)> {
    let places = &facts.analysis.places;
    let both = |(x, y)| match (x, y) {
        (Proj::Index(Index::Claimed(x)), Proj::Index(Index::Claimed(y))) => Some((x, y)),
        _ => None,
    };
    places.path(x).into_iter().zip(places.path(y)).filter_map(both).collect()
}

/// Where the pointers on the way to a place were found under claimed indices, each the only one from its table.
fn tables(facts: &Facts, event: Event) -> Vec<PlaceId> {
    let places = &facts.analysis.places;
    let log = &facts.analysis.contexts.get(event.context).log.events;
    let claimed = |step| matches!(step, Proj::Index(Index::Claimed(_)));
    let reads = event.access.through.iter().filter_map(|id| log.get(id.0 as usize));
    let mut found: Vec<PlaceId> = reads.map(|read| read.place).collect();
    found.retain(|place| places.passes(*place, claimed));
    found.sort_unstable();
    found.dedup();
    let alone = |place: &PlaceId| found.iter().filter(|at| places.same_but_index(*place, **at)).count() == 1;
    found.iter().copied().filter(alone).collect()
}
