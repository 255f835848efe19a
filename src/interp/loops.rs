//! Loops: their rounds, walked until nothing changes, and the ways out.
//!
//! In: a loop and the state before it. Out: the state after it, in which what each round joined is joined.

use super::contexts::ContextId;
use super::pattern::Subject;
use super::places::{LoopId, Proj};
use super::scopes::ScopeKind;
use super::state::{Hold, Part, Reach, State, SyncKey, SyncKind};
use super::values::{Deps, ReadId, Val};
use super::{Cx, Interp};
use crate::hir::{ExprId, Name, Pat};

/// Rounds a loop's body is walked at most; two at least, so that a read in one round meets the write of the next.
const MAX_ROUNDS: usize = 4;

/// What a round does with the element that it is for, and so a whole loop with all of them.
pub(super) struct EachRound {
    at: LoopId,
    joined: Vec<(ContextId, Part)>,
    /// Taken and not given back.
    locked: Vec<Hold>,
}

impl Interp<'_> {
    pub(super) fn eval_while(
        &mut self,
        cx: &Cx,
        id: ExprId,
        label: Option<Name>,
        cond: ExprId,
        body: ExprId,
    ) -> Val {
        let lets = self.has_let(cx, cond);
        let at = LoopId { frame: cx.frame, expr: id };
        let outer = (self.st.control.clone(), self.st.left.clone());
        let looping = self.st.looping.clone();
        let mut exit: Option<State> = None;
        let counters = self.counters_of(cx, at, Some(cond), body);
        self.rounds(at, label, |this| {
            this.count_round(&counters);
            let kind = if lets { ScopeKind::Condition } else { ScopeKind::Temporaries };
            this.scoped(cx, kind, |this| {
                let outer = this.draining.replace(at);
                let branches = if lets { this.condition(cx, cond) } else { this.scoped_condition(cx, cond) };
                this.draining = outer;
                let mut no = branches.no;
                if lets && no.reachable {
                    let yes = std::mem::replace(&mut this.st, no);
                    let scope = this.scopes.last().cloned();
                    if let Some(scope) = scope {
                        for &local in scope.owned.iter().rev() {
                            this.drop_local(cx, scope.frame, local);
                        }
                    }
                    no = std::mem::replace(&mut this.st, yes);
                }
                if no.reachable {
                    no.control = no.control.join(&branches.deps);
                    match &mut exit {
                        Some(old) => old.join(&no),
                        None => exit = Some(no),
                    }
                }
                this.st = branches.yes;
                this.decide(&branches.deps);
                this.loops_on(&branches.deps);
                if this.st.reachable {
                    this.eval_statement(cx, body);
                }
            });
        });
        let value = self.finish_loop(at, exit, outer);
        self.stop_counting(&counters);
        self.st.looping = looping;
        value
    }

    pub(super) fn eval_loop(&mut self, cx: &Cx, id: ExprId, label: Option<Name>, body: ExprId) -> Val {
        let at = LoopId { frame: cx.frame, expr: id };
        let outer = (self.st.control.clone(), self.st.left.clone());
        let looping = self.st.looping.clone();
        let counters = self.counters_of(cx, at, None, body);
        self.rounds(at, label, |this| {
            this.count_round(&counters);
            this.eval_statement(cx, body);
        });
        let value = self.finish_loop(at, None, outer);
        self.stop_counting(&counters);
        self.st.looping = looping;
        value
    }

    pub(super) fn eval_for(
        &mut self,
        cx: &Cx,
        id: ExprId,
        label: Option<Name>,
        pat: &Pat,
        iter: ExprId,
        body: ExprId,
    ) -> Val {
        let at = LoopId { frame: cx.frame, expr: id };
        let outer = (self.st.control.clone(), self.st.left.clone());
        let range = cx.body.body.expr(iter).range;
        self.scoped(cx, ScopeKind::Temporaries, |this| {
            let source = this.eval(cx, iter);
            if !this.st.reachable {
                return Val::bottom();
            }
            let source = this.loop_source(cx, iter, source);
            let mut exit: Option<State> = Some(this.st.clone());
            let counters = this.counters_of(cx, at, None, body);
            this.rounds(at, label, |this| {
                this.count_round(&counters);
                let item = this.next_item(cx, iter, at, &source);
                if !this.st.reachable {
                    return;
                }
                this.scoped(cx, ScopeKind::Block, |this| {
                    let subject = Subject::value(item, iter, range);
                    this.bind(cx, pat, &subject);
                    this.eval_statement(cx, body);
                });
                if this.st.reachable {
                    match &mut exit {
                        Some(old) => old.join(&this.st),
                        None => exit = Some(this.st.clone()),
                    }
                }
            });
            this.keep_locked(at, &mut exit);
            let value = this.finish_loop(at, exit, outer);
            this.stop_counting(&counters);
            value
        })
    }

    /// Walks a loop's rounds until nothing changes. The state afterwards is that at the end of a round; the way
    /// out is `finish_loop`'s. What every round joins is kept in `each`.
    pub(super) fn rounds(&mut self, at: LoopId, label: Option<Name>, mut round: impl FnMut(&mut Self)) {
        self.push_exit(label, true);
        self.loops.push(at);
        self.loop_entries.insert(at, self.st.moment.clone());
        let mut entry = self.st.clone();
        for n in 0..MAX_ROUNDS {
            self.st = entry.clone();
            round(self);
            if let Some(state) = self.exits.last_mut().and_then(|exit| exit.continues.take()) {
                if self.st.reachable {
                    self.st.join(&state);
                } else {
                    self.st = state;
                }
            }
            let mut next = entry.clone();
            next.join(&self.st);
            if n > 0 {
                next.count_releases_as(&entry);
            }
            // Where a round gives back the lock of its element, the next one still has that of its own.
            let all = entry.locks.iter().filter(|h| h.reach == Reach::All && !next.locks.contains(h));
            let kept: Vec<Hold> = all.cloned().collect();
            next.locks.extend(kept);
            let stable = next.same_as(&entry);
            self.each_round(at, &entry);
            entry = next;
            let only_one = self.loop_rounds.get(&at) == Some(&1);
            if (stable && n > 0) || only_one || self.stopped {
                break;
            }
        }
        self.loops.pop();
        if self.exits.last().is_some_and(|exit| exit.breaks.is_some()) {
            self.loop_rounds.remove(&at);
        }
    }

    /// Remembers what the round that just ended joined and locked of the elements it went through.
    fn each_round(&mut self, at: LoopId, entry: &State) {
        if !self.st.reachable {
            return;
        }
        let of_element = |hold: &&Hold| {
            !entry.locks.iter().any(|old| old.lock == hold.lock)
                && self.places.passes(hold.lock, |step| matches!(step, Proj::Index(_)))
        };
        let locked = self.st.locks.iter().filter(of_element);
        let locked = locked.map(|hold| Hold { reach: Reach::All, ..hold.clone() }).collect();
        let joined = self.st.each_joined.iter().filter(|(l, ..)| *l == at);
        let joined = joined.map(|(_, context, part)| (*context, *part)).collect();
        self.each.retain(|each| each.at != at);
        self.each.push(EachRound { at, joined, locked });
    }

    /// The loop may leave out elements.
    pub(super) fn forget_rounds(&mut self, at: LoopId) {
        self.each.retain(|each| each.at != at);
    }

    /// After a loop over elements that went through all of them: the locks that each round kept are all held.
    pub(super) fn keep_locked(&mut self, at: LoopId, exit: &mut Option<State>) {
        let each = self.each.iter().rfind(|each| each.at == at);
        if let (Some(each), Some(state)) = (each, exit) {
            state.locks.retain(|hold| !each.locked.iter().any(|own| own.lock == hold.lock));
            state.locks.extend(each.locked.iter().cloned());
        }
    }

    /// The state after a loop: `exit` (its condition failed, its elements ran out) joined with the breaks. `outer`: what
    /// decided before it, and what had left.
    pub(super) fn finish_loop(&mut self, at: LoopId, exit: Option<State>, outer: (Deps, Deps)) -> Val {
        self.st.reachable = false;
        let received = self.received_in.remove(&at).unwrap_or_default();
        if let Some(mut state) = exit {
            let joined = self.each.iter().rposition(|each| each.at == at).map(|n| self.each.remove(n).joined);
            for (context, part) in joined.unwrap_or_default() {
                match part {
                    Some(part) => state.join_part(context, part),
                    None => state.join_all(context),
                }
            }
            for place in received {
                state.acquire(SyncKey { place, kind: SyncKind::Drained });
            }
            self.st = state;
        }
        let plain_exit = self.st.reachable;
        let value = self.pop_exit(if plain_exit { Val::unit() } else { Val::bottom() });
        if !self.st.each_joined.is_empty() {
            self.st.each_joined.retain(|(l, ..)| *l != at);
        }
        if self.st.reachable {
            let decided = self.st.control.join(&self.st.left).without(&outer.0).without(&outer.1);
            self.waited_in_loop(&decided);
            let waited = self.waited_for();
            self.st.control = outer.0.join(&waited);
            self.st.left = outer.1;
        }
        value
    }

    /// Of the reads that decided the end of a loop those of flags whose value is known by it: waited for.
    fn waited_for(&self) -> Deps {
        let log = &self.contexts.get(self.context).log.events;
        let of_flag = |read: &ReadId| {
            log.get(read.0 as usize).is_some_and(|e| e.atomic.is_some() && self.st.saw.contains_key(&e.place))
        };
        self.st.control.iter().filter(of_flag).collect()
    }
}
