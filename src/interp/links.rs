//! Order along links: a node is published by storing a pointer to it into another node, and found there.
//!
//! In: two accesses. Out: whether the second follows from what the first stored to a link, or is made to a node that its
//! context had found by an acquiring load and kept in memory that it alone writes to.

use super::Analysis;
use super::access::AccessEvent;
use super::contexts::ContextId;
use super::order::{acquires, releases};
use super::places::{PlaceId, Root};
use super::publish::object_key;
use super::state::Moment;
use crate::finding::AccessKind;
use crate::resolve::Ty;

impl Analysis {
    /// The first access is the store to a link that the second was decided by.
    pub(super) fn followed(&self, a: &AccessEvent, two: ContextId, b: &AccessEvent) -> bool {
        let stores =
            |event: &AccessEvent| event.kind == AccessKind::Write && event.atomic.is_some_and(releases);
        let log = &self.contexts.get(two).log.events;
        let looked = |read: &AccessEvent| {
            read.place == a.place && read.kind == AccessKind::Read && read.atomic.is_some_and(acquires)
        };
        let decided = || b.control.iter().filter_map(|id| log.get(id.0 as usize)).any(looked);
        let mut events = self.contexts.list.iter().flat_map(|context| &context.log.events);
        stores(a)
            && self.leads_on(a.place)
            && decided()
            && events.all(|event| {
                event.place != a.place
                    || event.kind == AccessKind::Read
                    || (stores(event) && event.at == a.at)
            })
    }

    /// An atomic pointer in an object.
    fn leads_on(&self, link: PlaceId) -> bool {
        let link = self.places.get(link);
        let pointer = matches!(&link.ty, Ty::Ext(_, target) if !target.is_empty());
        pointer && link.parent.is_some() && matches!(link.root, Root::Object(_))
    }

    /// The first access is made to a node before that was published, the second by the one context that keeps such nodes in some
    /// place, each of which it had obtained.
    pub(super) fn kept(&self, one: ContextId, a: &AccessEvent, two: ContextId, b: &AccessEvent) -> bool {
        let first = &self.moments[a.moment.0 as usize];
        let Root::Object(id) = self.places.get(a.place).root else { return false };
        let Some(node) = self.places.ancestors(a.place).last() else { return false };
        let key = object_key(node);
        let maker = self.contexts.get(one);
        let made_here = self.frames.get(self.objects.list[id.0 as usize].frame).context == one;
        let published_later = made_here
            && !first.released.contains_key(&key)
            && maker.released_at_end.contains_key(&key)
            && !maker.weakly_released_at_end.contains(&key);
        published_later
            && one != two
            && !self.is_many(two)
            && self.places.get(b.place).root == self.places.get(node).root
            && self.kept_in(two, b).any(|place| self.puts_only_obtained(two, place, node))
    }

    /// Plain places that led to an access.
    fn kept_in<'a>(&'a self, two: ContextId, b: &'a AccessEvent) -> impl Iterator<Item = PlaceId> + 'a {
        let log = &self.contexts.get(two).log.events;
        let reads = b.through.iter().filter_map(|id| log.get(id.0 as usize));
        reads.filter(|read| read.atomic.is_none()).map(|read| read.place)
    }

    /// Nobody but this context writes to the place while it runs, and it does so with the node obtained.
    fn puts_only_obtained(&self, two: ContextId, place: PlaceId, node: PlaceId) -> bool {
        let key = object_key(node);
        let obtained = |moment: &Moment| moment.acquired.contains(&key);
        let mut puts = 0;
        let all = self.contexts.ids().all(|id| {
            let writes = self.contexts.get(id).log.events.iter();
            let mut writes = writes.filter(|event| event.place == place && event.kind != AccessKind::Read);
            writes.all(|event| {
                let moment = &self.moments[event.moment.0 as usize];
                puts += u32::from(id == two);
                if id == two { obtained(moment) } else { self.not_started(id, moment, two) }
            })
        });
        all && puts > 0
    }
}
