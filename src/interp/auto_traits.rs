//! `Send` and `Sync`: whether a type has them, and what its type parameters must have for it.
//!
//! In: types, impls and what the models say of library types. Out: the needs of a type, or nothing where it doesn't have the trait
//! or nobody knows. (Rust Reference, "Auto traits": a type has them when all its fields do, unless an impl says otherwise.)

use crate::hir::Name;
use crate::models::{Models, Threads};
use crate::resolve::{AdtId, Args, ImplId, ParamId, Program, Subst, TraitKey, TraitRef, Ty};
use rustc_hash::FxHashSet;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Auto {
    Send,
    Sync,
}

impl Auto {
    pub fn as_str(self) -> &'static str {
        match self {
            Auto::Send => "Send",
            Auto::Sync => "Sync",
        }
    }
}

/// What type parameters must have.
pub type Needs = Vec<(ParamId, Auto)>;

/// Types nested deeper than this are held to be nobody's.
const MAX_DEPTH: usize = 24;

#[derive(Clone, Copy)]
pub struct AutoTraits<'a> {
    pub program: &'a Program,
    pub models: &'a Models,
}

impl AutoTraits<'_> {
    /// The auto trait that a library path names.
    pub fn named(&self, path: Name) -> Option<Auto> {
        let language = &self.models.language;
        match path {
            _ if path == language.send => Some(Auto::Send),
            _ if path == language.sync => Some(Auto::Sync),
            _ => None,
        }
    }

    /// What has to hold for the type to have the trait; `None`: it doesn't have it, or can't be seen.
    pub fn needs(&self, ty: &Ty, auto: Auto) -> Option<Needs> {
        let mut search = Search::new(self);
        search.holds(ty, auto).then_some(search.needs)
    }

    /// Whether the type has the trait if what nobody knows has it that the crate keeps behind handles for several threads.
    pub fn is_meant_to_have(&self, ty: &Ty, auto: Auto) -> bool {
        Search { trusts_handles: true, ..Search::new(self) }.holds(ty, auto)
    }

    /// Whether bounds say it, also through supertraits.
    pub fn implied(&self, bounds: &[TraitRef], auto: Auto) -> bool {
        self.implied_within(bounds, auto, 0)
    }

    fn implied_within(&self, bounds: &[TraitRef], auto: Auto, depth: usize) -> bool {
        depth < MAX_DEPTH
            && bounds.iter().any(|bound| match bound.key {
                TraitKey::Ext(path) => self.named(path) == Some(auto),
                TraitKey::Local(id) => {
                    self.implied_within(&self.program.traits[id.index()].supers, auto, depth + 1)
                }
            })
    }

    /// The impl of the trait for the type, if there is one: positive or negative.
    pub fn impl_of(&self, adt: AdtId, auto: Auto) -> Option<ImplId> {
        let language = &self.models.language;
        let path = match auto {
            Auto::Send => language.send,
            Auto::Sync => language.sync,
        };
        let mut impls = self.program.impls_of(TraitKey::Ext(path)).iter().copied();
        impls.find(|id| matches!(self.program.impls[id.index()].self_ty, Ty::Adt(of, _) if of == adt))
    }
}

/// One question, on its way through the parts of a type. The first part that doesn't have the trait ends it.
struct Search<'s, 'a> {
    auto: &'s AutoTraits<'a>,
    /// The types around the present one: a type has the trait if all else in it does.
    open: Vec<(AdtId, Auto)>,
    /// What was asked before, so its needs are known.
    seen: FxHashSet<(AdtId, Args, Auto)>,
    needs: Needs,
    trusts_handles: bool,
    /// Handles for several threads round the present type.
    handles: usize,
}

impl<'s, 'a> Search<'s, 'a> {
    fn new(auto: &'s AutoTraits<'a>) -> Search<'s, 'a> {
        Search {
            auto,
            open: Vec::new(),
            seen: FxHashSet::default(),
            needs: Needs::new(),
            trusts_handles: false,
            handles: 0,
        }
    }

    fn holds(&mut self, ty: &Ty, auto: Auto) -> bool {
        if self.open.len() > MAX_DEPTH {
            return false;
        }
        match ty {
            Ty::Never | Ty::Prim(_) | Ty::FnPtr(..) => true,
            Ty::Unknown | Ty::Assoc(..) | Ty::Ptr { .. } => false,
            Ty::Ref { mutable: false, inner } => self.holds(inner, Auto::Sync),
            Ty::Ref { mutable: true, inner } | Ty::Array(inner) | Ty::Slice(inner) => self.holds(inner, auto),
            Ty::Tuple(parts) => self.all(parts, auto),
            Ty::Dyn(bounds) => self.auto.implied(bounds, auto),
            Ty::Param(param) => {
                let implied = self.auto.implied(&self.auto.program.params[param.index()].bounds, auto);
                if !implied && !self.needs.contains(&(*param, auto)) {
                    self.needs.push((*param, auto));
                }
                true
            }
            Ty::Ext(path, args) => match self.auto.models.threads(*path) {
                Some(Threads::Structural) => self.all(args, auto),
                Some(Threads::Always) => true,
                None if self.trusts_handles && self.handles > 0 => self.all(args, auto),
                Some(Threads::Never) | None => false,
                Some(Threads::Send) => auto == Auto::Send && self.all(args, auto),
                Some(Threads::Sync) => auto == Auto::Sync && self.all(args, auto),
                Some(Threads::Exclusive) => self.all(args, Auto::Send),
                Some(Threads::Guarded) => {
                    self.all(args, Auto::Send) && (auto == Auto::Send || self.all(args, Auto::Sync))
                }
                Some(Threads::Shared) => {
                    self.handles += 1;
                    let holds = self.all(args, Auto::Send) && self.all(args, Auto::Sync);
                    self.handles -= 1;
                    holds
                }
            },
            Ty::Adt(adt, args) => self.adt_holds(*adt, args, auto),
        }
    }

    fn all(&mut self, parts: &[Ty], auto: Auto) -> bool {
        parts.iter().all(|part| self.holds(part, auto))
    }

    fn adt_holds(&mut self, adt: AdtId, args: &Args, auto: Auto) -> bool {
        if self.open.contains(&(adt, auto)) || !self.seen.insert((adt, args.clone(), auto)) {
            return true;
        }
        self.open.push((adt, auto));
        let program = self.auto.program;
        let found = match self.auto.impl_of(adt, auto) {
            Some(id) => self.impl_holds(id, args),
            None => {
                let subst = program.adt_subst(adt, args);
                let fields = program.adts[adt.index()].variants.iter().flat_map(|v| &v.fields);
                fields.into_iter().all(|field| self.holds(&subst.apply(&field.ty), auto))
            }
        };
        self.open.pop();
        found
    }

    /// An impl holds where its bounds do; bounds other than `Send` and `Sync` are the caller's affair.
    fn impl_holds(&mut self, id: ImplId, args: &[Ty]) -> bool {
        let program = self.auto.program;
        let imp = &program.impls[id.index()];
        if imp.negative {
            return false;
        }
        let mut subst = Subst::default();
        if let Ty::Adt(_, params) = &imp.self_ty {
            for (param, arg) in params.iter().zip(args) {
                program.unify(param, arg, &mut subst);
            }
        }
        imp.predicates.iter().all(|(ty, bound)| match bound.key {
            TraitKey::Ext(path) => match self.auto.named(path) {
                Some(auto) => self.holds(&subst.apply(ty), auto),
                None => true,
            },
            TraitKey::Local(_) => true,
        })
    }
}
