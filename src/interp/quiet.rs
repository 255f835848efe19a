//! Functions without an effect of their own: what they are called for is their result.
//!
//! In: a function that isn't walked, because it touches nothing that is shared. Out: whether it can be called once more without
//! anybody noticing: all that it calls is modelled, or is such a function, and it prints nothing.
//!
//! Of them some are walked all the same: what they make of a loop's counter tells the instances of a context apart, what they
//! make of an atomic's value tells its state.
//!
//! Methods are told by their names alone, so that no type is needed: every method of that name has to be quiet.

use super::Interp;
use super::places::Root;
use super::values::{Kind, Val};
use crate::hir::{ExprKind, MacroArgsKind, Name};
use crate::resolve::{FnId, Owner, Res, ResolvedBody, Ty};

/// Functions looked at for one answer; past that it is no.
const MAX_FUNCTIONS: usize = 100;
/// What tells instances apart is a getter or a comparison, no larger than this.
const MAX_EXPRESSIONS: usize = 32;
/// What computes something of a claimed number is no larger than this.
const MAX_COMPUTING: usize = 80;
/// A counter lies no deeper in an argument.
const MAX_NESTING: u32 = 3;

impl Interp<'_> {
    /// Whether a small function makes something of a number that tells more than it shows: a truth value or numbers of what
    /// tells one instance of a context from another, or anything of what was found in an atomic.
    pub(super) fn tells_apart<'a>(&self, id: FnId, ret: &Ty, args: impl Iterator<Item = &'a Val>) -> bool {
        let number = self.are_numbers(ret);
        let most = args.map(|arg| match arg {
            arg if self.holds_claim(arg, MAX_NESTING) => MAX_COMPUTING,
            arg if found_in_atomic(arg) || (number && self.holds_counter(arg, 0)) => MAX_EXPRESSIONS,
            _ => 0,
        });
        let most = most.max().filter(|most| *most > 0);
        most.is_some_and(|most| self.program.body(id).is_some_and(|body| body.body.exprs.len() <= most))
    }

    /// A number, or several: a pair, a range, a struct of them.
    fn are_numbers(&self, ty: &Ty) -> bool {
        let plain = |ty: &Ty| matches!(ty, Ty::Prim(_));
        match ty {
            Ty::Prim(_) => true,
            Ty::Tuple(parts) => !parts.is_empty() && parts.iter().all(|part| self.are_numbers(part)),
            Ty::Ext(_, args) => !args.is_empty() && args.iter().all(plain),
            Ty::Adt(id, _) => {
                let def = &self.program.adts[id.index()];
                let mut fields = def.variants.iter().flat_map(|variant| &variant.fields).peekable();
                fields.peek().is_some() && fields.all(|field| plain(&field.ty))
            }
            _ => false,
        }
    }

    pub(super) fn holds_counter(&self, value: &Val, depth: u32) -> bool {
        depth <= MAX_NESTING
            && value.alts.iter().any(|kind| match kind {
                Kind::Linear(..) | Kind::Block(..) | Kind::Portion(..) | Kind::Claimed(_) => true,
                Kind::Aggregate(parts) => {
                    parts.fields.iter().any(|(_, part)| self.holds_counter(part, depth + 1))
                }
                Kind::Pointer(place, _) => {
                    let held = match self.places.get(*place).root {
                        Root::Local(frame, local) => self.st.local(frame, local),
                        root => self.heap.get(root),
                    };
                    held.is_some_and(|held| self.holds_counter(held, depth + 1))
                }
                _ => false,
            })
    }

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

fn found_in_atomic(value: &Val) -> bool {
    matches!(value.single(), Some(Kind::Loaded(..) | Kind::CountedDown(..) | Kind::BitsSet { .. }))
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
