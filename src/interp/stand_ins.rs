//! What a type parameter stands for where several implementations of its bound could: whoever chooses it.
//!
//! In: a method called on a value of a type parameter, with something to run. Out: the implementations that are walked. Where
//! some take a lock round what they run, the bound is that of a lock, and the others keep its promise by means that
//! nobody sees here: by running on one core, or by not being shared.

use super::values::{Kind, Val};
use super::{Cx, Interp};
use crate::hir::ExprId;
use crate::resolve::{FnId, Method, Ty};
use rustc_hash::FxHashMap;

/// Trials of implementations, and what they showed.
#[derive(Default)]
pub(super) struct StandIns {
    /// Whether a function runs what it is given under a lock of its own.
    locking: FxHashMap<FnId, bool>,
    /// The trial under way: the locks held before, and whether something ran under more.
    trial: Option<(usize, bool)>,
}

impl Interp<'_> {
    /// Of the implementations that a type parameter could stand for those that are walked.
    pub(super) fn stand_ins(
        &mut self,
        cx: &Cx,
        site: ExprId,
        ty: &Ty,
        methods: Vec<Method>,
        (this, args): (&Val, &[Val]),
    ) -> Vec<Method> {
        let open = matches!(ty, Ty::Param(_) | Ty::Assoc(..));
        if methods.len() < 2 || !open || !args.iter().any(is_callable) {
            return methods;
        }
        let mut locking = Vec::new();
        for method in &methods {
            if self.runs_locked(cx, site, method, this, args) {
                locking.push(method.clone());
            }
        }
        if locking.is_empty() { methods } else { locking }
    }

    fn runs_locked(&mut self, cx: &Cx, site: ExprId, method: &Method, this: &Val, args: &[Val]) -> bool {
        if let Some(known) = self.stand_ins.locking.get(&method.id) {
            return *known;
        }
        let before = self.st.clone();
        let muted = std::mem::replace(&mut self.muted, true);
        let outer = self.stand_ins.trial.replace((before.locks.len(), false));
        self.call_fn(cx, site, method.id, method.subst.clone(), Some(this.clone()), args.to_vec());
        let trial = std::mem::replace(&mut self.stand_ins.trial, outer);
        self.muted = muted;
        self.st = before;
        let locked = trial.is_some_and(|(_, locked)| locked);
        if !self.stopped {
            self.stand_ins.locking.insert(method.id, locked);
        }
        locked
    }

    /// A closure is called now.
    pub(super) fn note_run(&mut self) {
        if let Some((before, locked)) = &mut self.stand_ins.trial {
            *locked |= self.st.locks.len() > *before;
        }
    }
}

fn is_callable(value: &Val) -> bool {
    value.alts.iter().any(|kind| matches!(kind, Kind::Closure(_) | Kind::Fn(..)))
}
