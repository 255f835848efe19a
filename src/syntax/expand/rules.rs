//! Rules as they are worked with, kept for the next call.
//!
//! In: a rule. Out: its halves compiled and the variables that it binds, each found out when it is first asked for.
//! Invariant: what is kept depends on the rule alone; a rule is known by where its tokens are, which are kept with it.

use super::hygiene::Binders;
use super::template::{Half, Node, compile};
use crate::hir::{MacroRule, Tokens, Tt};
use rustc_hash::FxHashMap;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

/// Most rules that a thread keeps.
const MAX_KEPT: usize = 256;

thread_local! {
    static KEPT: RefCell<FxHashMap<Place, Rc<Compiled>>> = RefCell::default();
}

/// Where the tokens of a rule's halves are.
type Place = [(*const Tt, usize); 2];

pub(super) struct Compiled {
    /// `None`: it is no matcher.
    pub(super) matcher: Option<Vec<Node>>,
    transcriber: OnceCell<Option<Vec<Node>>>,
    binders: OnceCell<Binders>,
    rule: [Tokens; 2],
}

impl Compiled {
    /// `None`: it is none.
    pub(super) fn transcriber(&self) -> Option<&Vec<Node>> {
        self.transcriber.get_or_init(|| compile(&self.rule[1], Half::Transcriber)).as_ref()
    }

    pub(super) fn binders(&self) -> &Binders {
        self.binders.get_or_init(|| Binders::of(&self.rule[1]))
    }
}

/// The rule, compiled now or before.
pub(super) fn compiled(rule: &MacroRule) -> Rc<Compiled> {
    let halves = [&rule.matcher, &rule.transcriber];
    let place = halves.map(|tokens| (tokens.as_ptr(), tokens.len()));
    KEPT.with_borrow_mut(|kept| {
        if let Some(known) = kept.get(&place) {
            return known.clone();
        }
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        let compiled = Rc::new(Compiled {
            matcher: compile(&rule.matcher, Half::Matcher),
            transcriber: OnceCell::new(),
            binders: OnceCell::new(),
            rule: halves.map(Tokens::clone),
        });
        kept.insert(place, compiled.clone());
        compiled
    })
}
