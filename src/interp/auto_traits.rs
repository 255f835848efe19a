//! `Send` and `Sync`: whether a type has them, and what its type parameters must have for it.
//!
//! In: types, impls and what the models say of library types. Out: the needs of a type, or nothing where it doesn't have the trait
//! or nobody knows. (Rust Reference, "Auto traits": a type has them when all its fields do, unless an impl says otherwise.)

use crate::hir::Name;
use crate::models::{Models, Threads};
use crate::resolve::{AdtId, ImplId, ParamId, Program, Subst, TraitKey, TraitRef, Ty};

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
        let mut needs = Needs::new();
        self.holds(ty, auto, &mut Vec::new(), &mut needs).then_some(needs)
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
        let found = self.program.impls.iter().position(|imp| {
            matches!(imp.self_ty, Ty::Adt(id, _) if id == adt)
                && matches!(&imp.trait_, Some(TraitRef { key: TraitKey::Ext(path), .. }) if self.named(*path) == Some(auto))
        });
        found.map(|at| ImplId(at as u32))
    }

    fn holds(&self, ty: &Ty, auto: Auto, open: &mut Vec<(AdtId, Auto)>, needs: &mut Needs) -> bool {
        if open.len() > MAX_DEPTH {
            return false;
        }
        let mut all = |parts: &[Ty], auto| parts.iter().all(|part| self.holds(part, auto, open, needs));
        match ty {
            Ty::Never | Ty::Prim(_) | Ty::FnPtr(..) => true,
            Ty::Unknown | Ty::Assoc(..) | Ty::Ptr { .. } => false,
            Ty::Ref { mutable: false, inner } => all(std::slice::from_ref(inner), Auto::Sync),
            Ty::Ref { mutable: true, inner } | Ty::Array(inner) | Ty::Slice(inner) => {
                all(std::slice::from_ref(inner), auto)
            }
            Ty::Tuple(parts) => all(parts, auto),
            Ty::Dyn(bounds) => self.implied(bounds, auto),
            Ty::Param(param) => {
                let implied = self.implied(&self.program.params[param.index()].bounds, auto);
                if !implied && !needs.contains(&(*param, auto)) {
                    needs.push((*param, auto));
                }
                true
            }
            Ty::Ext(path, args) => match self.models.threads(*path) {
                Some(Threads::Structural) => all(args, auto),
                Some(Threads::Always) => true,
                Some(Threads::Never) | None => false,
                Some(Threads::Send) => auto == Auto::Send && all(args, auto),
                Some(Threads::Sync) => auto == Auto::Sync && all(args, auto),
                Some(Threads::Exclusive) => all(args, Auto::Send),
                Some(Threads::Guarded) => {
                    all(args, Auto::Send) && (auto == Auto::Send || all(args, Auto::Sync))
                }
                Some(Threads::Shared) => all(args, Auto::Send) && all(args, Auto::Sync),
            },
            Ty::Adt(adt, args) => self.adt_holds(*adt, args, auto, open, needs),
        }
    }

    fn adt_holds(
        &self,
        adt: AdtId,
        args: &[Ty],
        auto: Auto,
        open: &mut Vec<(AdtId, Auto)>,
        needs: &mut Needs,
    ) -> bool {
        if open.contains(&(adt, auto)) {
            return true;
        }
        open.push((adt, auto));
        let found = match self.impl_of(adt, auto) {
            Some(id) => self.impl_holds(id, args, open, needs),
            None => {
                let subst = self.program.adt_subst(adt, &args.iter().cloned().collect());
                let fields = self.program.adts[adt.index()].variants.iter().flat_map(|v| &v.fields);
                fields.into_iter().all(|field| self.holds(&subst.apply(&field.ty), auto, open, needs))
            }
        };
        open.pop();
        found
    }

    /// An impl holds where its bounds do; bounds other than `Send` and `Sync` are the caller's affair.
    fn impl_holds(&self, id: ImplId, args: &[Ty], open: &mut Vec<(AdtId, Auto)>, needs: &mut Needs) -> bool {
        let imp = &self.program.impls[id.index()];
        if imp.negative {
            return false;
        }
        let mut subst = Subst::default();
        if let Ty::Adt(_, params) = &imp.self_ty {
            for (param, arg) in params.iter().zip(args) {
                self.program.unify(param, arg, &mut subst);
            }
        }
        imp.predicates.iter().all(|(ty, bound)| match bound.key {
            TraitKey::Ext(path) => match self.named(path) {
                Some(auto) => self.holds(&subst.apply(ty), auto, open, needs),
                None => true,
            },
            TraitKey::Local(_) => true,
        })
    }
}
