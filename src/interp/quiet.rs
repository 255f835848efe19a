//! Functions without an effect of their own: what they are called for is their result.
//!
//! In: a function that isn't walked, because it touches nothing that is shared. Out: whether it can be called once more without
//! anybody noticing: all that it calls is modelled, or is such a function, and it prints nothing.
//!
//! Methods are told by their names alone, so that no type is needed: every method of that name has to be quiet.

use super::Interp;
use crate::hir::{ExprKind, MacroArgsKind, Name};
use crate::resolve::{FnId, Owner, Res, ResolvedBody};

/// Functions looked at for one answer; past that it is no.
const MAX_FUNCTIONS: usize = 100;

impl Interp<'_> {
    pub(super) fn is_quiet(&mut self, id: FnId) -> bool {
        if let Some(known) = self.quiet.get(&id) {
            return *known;
        }
        let mut seen = vec![id];
        let mut next = 0;
        let mut quiet = true;
        while let Some(at) = seen.get(next).copied().filter(|_| quiet) {
            next += 1;
            quiet = seen.len() <= MAX_FUNCTIONS
                && self.quiet.get(&at).copied().unwrap_or(true)
                && match self.program.body(at) {
                    Some(body) => self.calls_of(&body, &mut seen),
                    // Declared by a trait: its implementations have the name too.
                    None => matches!(self.program.fn_def(at).owner, Owner::Trait(_)),
                };
        }
        self.quiet.insert(id, quiet);
        quiet
    }

    /// Adds what a body calls; false: something that may be noticed.
    fn calls_of(&self, body: &ResolvedBody, called: &mut Vec<FnId>) -> bool {
        let mut add = |id: FnId| {
            if !called.contains(&id) {
                called.push(id);
            }
        };
        body.body.exprs.iter().all(|expr| match &expr.kind {
            ExprKind::MacroArgs { kind: MacroArgsKind::Format | MacroArgsKind::Unknown, .. } => false,
            ExprKind::Missing | ExprKind::Join { .. } | ExprKind::Select { .. } => false,
            ExprKind::MethodCall { method, .. } => {
                let known = self.methods_named(*method);
                let modelled = !known.is_empty() || self.models.any_method(*method).is_some();
                known.into_iter().for_each(&mut add);
                modelled
            }
            ExprKind::Path(path) => match body.path(path.id) {
                Res::Fn(id, _) => {
                    add(*id);
                    true
                }
                Res::Assoc { name, .. } | Res::TraitItem { name, .. } => {
                    self.methods_named(*name).into_iter().for_each(&mut add);
                    true
                }
                Res::Ext(path, _) => self.models.function(*path).is_some() || !is_called(body, path),
                Res::Unresolved => false,
                _ => true,
            },
            _ => true,
        })
    }

    fn methods_named(&self, name: Name) -> Vec<FnId> {
        let fns = self.program.fns.iter().enumerate();
        fns.filter(|(_, def)| def.name == name).map(|(n, _)| FnId(n as u32)).collect()
    }
}

/// Whether a library path of this name stands where a function is called.
fn is_called(body: &ResolvedBody, path: &Name) -> bool {
    body.body.exprs.iter().any(|expr| match &expr.kind {
        ExprKind::Call { callee, .. } => match &body.body.expr(*callee).kind {
            ExprKind::Path(at) => matches!(body.path(at.id), Res::Ext(called, _) if called == path),
            _ => false,
        },
        _ => false,
    })
}
