//! Escape: what becomes reachable for other contexts when a value is handed out.
//!
//! In: a value that is captured, sent or stored where others look. Out: the locals it leads to, also by way of objects, become
//! shared places, whose contents move to the heap.

use super::facts::Fact;
use super::places::{PlaceId, Root};
use super::values::{ClosureValue, FutureValue, Kind, Val};
use super::{Cx, Interp};
use crate::resolve::Ty;

/// Values nested deeper than this don't escape any further.
const MAX_ESCAPE: u32 = 6;

impl Interp<'_> {
    /// What a value can reach is reachable for others from now on.
    pub(super) fn escape(&mut self, value: &Val) {
        self.escape_within(value, 0);
    }

    fn escape_within(&mut self, value: &Val, depth: u32) {
        if depth > MAX_ESCAPE {
            return;
        }
        for kind in value.alts.clone() {
            match kind {
                Kind::Pointer(place, _) => self.escape_place(place, depth),
                Kind::Guard(guard) => self.escape_place(guard.data, depth),
                Kind::Aggregate(aggregate) => {
                    for (_, field) in &aggregate.fields {
                        self.escape_within(field, depth + 1);
                    }
                }
                Kind::Closure(closure) => self.escape_closure(&closure, depth),
                Kind::Future(future) => match &*future {
                    FutureValue::Block(closure) => self.escape_closure(closure, depth),
                    FutureValue::Call { args, self_arg, .. } => {
                        args.iter().chain(self_arg).for_each(|a| self.escape_within(a, depth + 1));
                    }
                    FutureValue::Ready(value) => self.escape_within(value, depth + 1),
                    FutureValue::Model { this, args, .. } => {
                        args.iter().chain(this).for_each(|a| self.escape_within(a, depth + 1));
                    }
                },
                Kind::Iter(iter) => {
                    self.escape_within(&iter.source, depth + 1);
                    for stage in &iter.stages {
                        for closure in stage.closure.iter().chain(&stage.state) {
                            self.escape_within(closure, depth + 1);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn escape_closure(&mut self, closure: &ClosureValue, depth: u32) {
        let info = self.closure_info(&closure.body, closure.expr);
        for &local in &info.captured {
            match closure.moved.iter().find(|(l, _)| *l == local) {
                Some((_, value)) => self.escape_within(&value.clone(), depth + 1),
                None => {
                    let cx =
                        Cx { frame: closure.frame, body: closure.body.clone(), subst: closure.subst.clone() };
                    let frame = self.frame_of(&cx, local);
                    let place = self.places.root(Root::Local(frame, local), &Ty::Unknown);
                    self.escape_place(place, depth);
                }
            }
        }
    }

    fn escape_place(&mut self, place: PlaceId, depth: u32) {
        let root = self.places.get(place).root;
        if let Root::Object(object) = root
            && self.escaped.insert(object)
            && let Some(content) = self.heap.old(root).cloned()
        {
            // What is stored into an object later escapes as it is stored.
            self.escape_within(&content, depth + 1);
        }
        if let Root::Local(frame, local) = root {
            let value = self.st.local(frame, local).cloned();
            let new = self.shared_locals.insert((frame, local));
            if new {
                self.heap.facts.change(Fact::Locals(self.frames.get(frame).context));
            }
            if let Some(value) = value {
                if new {
                    self.starts_as(root, &value);
                }
                let general = super::memory::generalize(&value);
                self.grow_heap(root, general);
                if new {
                    self.escape_within(&value, depth + 1);
                }
            }
        }
    }
}
