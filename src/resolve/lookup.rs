//! Questions the walk asks of the definitions: methods, associated items, impls, fields.
//!
//! In: a finished `Program`. Out: answers by unification with the impls of the group; receivers are taken as they
//! are (autoderef and autoref are the caller's).
//!
//! Invariants. Candidates come in source order. An impl is left out only when it can't apply: its self type or a
//! trait argument doesn't unify, or a bound by a trait of the group fails for a known type. Library traits' bounds
//! are taken to hold. Checking one impl's bounds takes `MAX_CHECKS` steps at most; what is left then holds.

use super::impls::{Head, for_head};
use super::*;
use crate::hir::Name;
use std::cell::Cell;

/// How deep bounds of bounds are checked.
const MAX_DEPTH: u32 = 4;

/// How many bounds are checked to find out whether one impl applies: impls for tuples have a dozen bounds, for each of
/// which those impls are candidates again.
const MAX_CHECKS: u32 = 64;

/// What may still be spent on checking bounds.
struct Effort {
    depth: Cell<u32>,
    checks: Cell<u32>,
}

impl Effort {
    fn new() -> Effort {
        Effort { depth: Cell::new(0), checks: Cell::new(0) }
    }

    /// Runs one check, or assumes that it holds when too many were made.
    fn check(&self, check: impl FnOnce() -> bool) -> bool {
        self.checks.set(self.checks.get() + 1);
        if self.checks.get() > MAX_CHECKS || self.depth.get() >= MAX_DEPTH {
            return true;
        }
        self.depth.set(self.depth.get() + 1);
        let holds = check();
        self.depth.set(self.depth.get() - 1);
        holds
    }
}

impl Program {
    /// The transcribers of all macros the group defines, by name.
    pub fn macro_tokens(&self) -> Vec<(Name, crate::hir::Tokens)> {
        let tables = self.index.crates.iter().map(|c| &c.macros);
        tables
            .flat_map(|table| table.defs.iter())
            .flat_map(|(_, def)| def.rules.iter().map(|rule| (def.name, rule.transcriber.clone())))
            .collect()
    }

    /// Methods named `name` that apply to exactly `ty` (no autoderef, no autoref): inherent ones first, and only if
    /// there are none, those of traits (blanket impls and default bodies included). For a `dyn Trait` or a parameter
    /// that nothing is substituted for: the method of all impls of its traits, and the default body if one uses it.
    pub fn methods(&self, ty: &Ty, name: Name) -> Vec<Method> {
        let mut found = self.assoc_fns(ty, None, name);
        found.retain(|m| self.fn_def(m.id).item.self_param.is_some());
        found
    }

    /// What `ty::name` may call, methods or not, by the same rules; `of_trait` leaves only that trait's.
    pub fn assoc_fns(&self, ty: &Ty, of_trait: Option<&TraitRef>, name: Name) -> Vec<Method> {
        if !self.index.impls.may_have_fn(name) {
            return Vec::new();
        }
        let Some(head) = Head::of(ty) else {
            return of_trait.map_or_else(Vec::new, |t| self.fns_by_bounds(ty, std::slice::from_ref(t), name));
        };
        if of_trait.is_none() {
            let found = self.inherent_fns(ty, head, name);
            if !found.is_empty() {
                return found;
            }
        }
        let bounds = match (ty, of_trait) {
            (Ty::Dyn(_) | Ty::Param(_) | Ty::Assoc(..), Some(of_trait)) => vec![of_trait.clone()],
            (Ty::Dyn(bounds), None) => bounds.to_vec(),
            (Ty::Param(param), None) => self.params[param.index()].bounds.clone(),
            (Ty::Assoc(of), None) => self.assoc_bounds(&of.base, of.key, of.name),
            _ => Vec::new(),
        };
        let found = self.fns_by_bounds(ty, &bounds, name);
        if found.is_empty() { self.trait_fns(ty, head, of_trait, name) } else { found }
    }

    fn inherent_fns(&self, ty: &Ty, head: Head, name: Name) -> Vec<Method> {
        let Some(candidates) = self.index.impls.inherent.get(&(name, head)) else { return Vec::new() };
        let applies = |(id, f): &(ImplId, FnId)| {
            let mut subst = Subst::default();
            let fits = self.unify(&self.impls[id.index()].self_ty, ty, &mut subst);
            fits.then_some(Method { id: *f, subst })
        };
        candidates.iter().filter_map(applies).collect()
    }

    /// Functions of the trait impls that apply to `ty`.
    fn trait_fns(&self, ty: &Ty, head: Head, of_trait: Option<&TraitRef>, name: Name) -> Vec<Method> {
        let impls = &self.index.impls;
        let mut found = Vec::new();
        for (id, declared) in impls.declared.get(&name).into_iter().flatten() {
            let key = TraitKey::Local(*id);
            if of_trait.is_none_or(|t| t.key == key) {
                for (id, subst) in self.impls_of_ref(key, of_trait, ty, head) {
                    found.extend(self.method_of_impl(id, subst, *declared, name, ty));
                }
            }
        }
        for (id, f) in for_head(&impls.of_ext_traits, name, head) {
            let def = &self.impls[id.index()];
            let same_trait = of_trait.is_none_or(|t| def.trait_.as_ref().is_some_and(|own| own.key == t.key));
            if same_trait && let Some(subst) = self.impl_applies(*id, of_trait, ty, &Effort::new()) {
                found.push(Method { id: *f, subst });
            }
        }
        found
    }

    /// The impl's own function, or the trait's with a body.
    fn method_of_impl(
        &self,
        id: ImplId,
        subst: Subst,
        declared: FnId,
        name: Name,
        self_ty: &Ty,
    ) -> Option<Method> {
        if let Some(own) = self.index.impls.own_fn(id, name) {
            return Some(Method { id: own, subst });
        }
        self.fn_def(declared).item.body.as_ref()?;
        let of_trait = subst.apply_trait(self.impls[id.index()].trait_.as_ref()?);
        Some(Method { id: declared, subst: self.trait_subst(&of_trait, self_ty)? })
    }

    /// `Self` and the parameters of a trait of the group.
    fn trait_subst(&self, of_trait: &TraitRef, self_ty: &Ty) -> Option<Subst> {
        let TraitKey::Local(id) = of_trait.key else { return None };
        let def = &self.traits[id.index()];
        let mut subst = Subst(vec![(def.self_param, self_ty.clone())]);
        subst.0.extend(def.generics.iter().copied().zip(of_trait.args.iter().cloned()));
        Some(subst)
    }

    /// Functions named `name` of the traits that a type is known by: those of all their impls, and the default body
    /// where an impl (or no impl) uses it.
    fn fns_by_bounds(&self, ty: &Ty, bounds: &[TraitRef], name: Name) -> Vec<Method> {
        let mut found = Vec::new();
        if bounds.is_empty() {
            return found;
        }
        for bound in self.with_supertraits(bounds) {
            let declared = match bound.key {
                TraitKey::Local(id) => {
                    self.traits[id.index()].fns.iter().copied().find(|f| self.fn_def(*f).name == name)
                }
                TraitKey::Ext(_) => None,
            };
            let Some(declared) = declared else { continue };
            let impls = self.impls_of(bound.key);
            let mut default = impls.is_empty();
            for id in impls {
                let of_trait = self.impls[id.index()].trait_.as_ref();
                let mut subst = Subst::default();
                if !of_trait.is_some_and(|t| self.unify_all(&t.args, &bound.args, &mut subst)) {
                    continue;
                }
                match self.index.impls.own_fn(*id, name) {
                    Some(own) => found.push(Method { id: own, subst }),
                    None => default = true,
                }
            }
            if default && self.fn_def(declared).item.body.is_some() {
                found.extend(self.trait_subst(&bound, ty).map(|subst| Method { id: declared, subst }));
            }
        }
        found
    }

    /// The bounds and all their supertraits, each trait once.
    fn with_supertraits(&self, bounds: &[TraitRef]) -> Vec<TraitRef> {
        let mut all: Vec<TraitRef> = Vec::new();
        let mut todo: Vec<TraitRef> = bounds.iter().rev().cloned().collect();
        while let Some(bound) = todo.pop() {
            if all.iter().any(|b| b.key == bound.key) {
                continue;
            }
            if let TraitKey::Local(id) = bound.key {
                let def = &self.traits[id.index()];
                let subst = Subst(def.generics.iter().copied().zip(bound.args.iter().cloned()).collect());
                todo.extend(def.supers.iter().rev().map(|s| subst.apply_trait(s)));
            }
            all.push(bound);
        }
        all
    }

    /// The bounds that a trait puts on the associated type `<base as key>::name`.
    fn assoc_bounds(&self, base: &Ty, key: Option<TraitKey>, name: Name) -> Vec<TraitRef> {
        let traits: Vec<TraitKey> = match (key, base) {
            (Some(key), _) => vec![key],
            (None, Ty::Param(p)) => {
                self.with_supertraits(&self.params[p.index()].bounds).iter().map(|b| b.key).collect()
            }
            (None, Ty::Dyn(bounds)) => self.with_supertraits(bounds).iter().map(|b| b.key).collect(),
            (None, _) => Vec::new(),
        };
        let declares = |key: &TraitKey| match key {
            TraitKey::Local(id) => self.traits[id.index()].type_bounds.iter().find(|(n, _)| *n == name),
            TraitKey::Ext(_) => None,
        };
        traits.iter().find_map(declares).map_or_else(Vec::new, |(_, bounds)| bounds.clone())
    }

    /// The constant `ty::name`: inherent, of a trait impl, or a trait's default.
    pub fn assoc_const(&self, ty: &Ty, name: Name) -> Option<ConstId> {
        let head = Head::of(ty)?;
        let applies = |id: ImplId| self.impl_applies(id, None, ty, &Effort::new()).is_some();
        let own = for_head(&self.index.impls.consts, name, head).find(|(id, _)| applies(*id));
        if let Some((_, id)) = own {
            return Some(*id);
        }
        let declared = self.index.impls.declared_consts.get(&name)?;
        let implements = |(id, _): &&(TraitId, ConstId)| !self.impls(TraitKey::Local(*id), ty).is_empty();
        declared.iter().find(implements).map(|(_, id)| *id)
    }

    /// `<ty as key>::name`, resolved through impls, or through the bounds of a parameter; `Unknown` when there is
    /// none.
    pub fn assoc_type(&self, ty: &Ty, key: Option<TraitKey>, name: Name) -> Ty {
        let bounds: &[TraitRef] = match ty {
            Ty::Param(param) => &self.params[param.index()].bounds,
            Ty::Dyn(bounds) => bounds,
            _ => &[],
        };
        for bound in self.with_supertraits(bounds) {
            if key.is_none_or(|k| k == bound.key)
                && let Some((_, ty)) = bound.assoc.iter().find(|(n, _)| *n == name)
            {
                return ty.clone();
            }
        }
        let Some(head) = Head::of(ty) else { return Ty::Unknown };
        for id in for_head(&self.index.impls.types, name, head) {
            let def = &self.impls[id.index()];
            let same_trait = key.is_none_or(|k| def.trait_.as_ref().is_some_and(|t| t.key == k));
            if same_trait && let Some(subst) = self.impl_applies(*id, None, ty, &Effort::new()) {
                let found = def.types.iter().find(|(n, _)| *n == name);
                return found.map_or(Ty::Unknown, |(_, ty)| subst.apply(ty));
            }
        }
        self.default_assoc_type(ty, key, name)
    }

    fn default_assoc_type(&self, ty: &Ty, key: Option<TraitKey>, name: Name) -> Ty {
        let Some(TraitKey::Local(id)) = key else { return Ty::Unknown };
        let default =
            self.traits[id.index()].types.iter().find(|(n, _)| *n == name).and_then(|(_, ty)| ty.as_ref());
        match (default, self.impls(TraitKey::Local(id), ty).first()) {
            (Some(default), Some(_)) => {
                Subst(vec![(self.traits[id.index()].self_param, ty.clone())]).apply(default)
            }
            _ => Ty::Unknown,
        }
    }

    /// The impls of a trait that apply to a type, with what their parameters stand for.
    pub fn impls(&self, key: TraitKey, ty: &Ty) -> Vec<(ImplId, Subst)> {
        Head::of(ty).map_or_else(Vec::new, |head| self.impls_of_ref(key, None, ty, head))
    }

    fn impls_of_ref(
        &self,
        key: TraitKey,
        of_trait: Option<&TraitRef>,
        ty: &Ty,
        head: Head,
    ) -> Vec<(ImplId, Subst)> {
        let applies = |id: &ImplId| Some((*id, self.impl_applies(*id, of_trait, ty, &Effort::new())?));
        self.candidates(key, head).filter_map(applies).collect()
    }

    /// The impls of a trait for types of this head.
    fn candidates(&self, key: TraitKey, head: Head) -> impl Iterator<Item = &ImplId> {
        let by_head = &self.index.impls.by_head;
        let exact = by_head.get(&(key, head));
        let any = if head == Head::Any { None } else { by_head.get(&(key, Head::Any)) };
        exact.into_iter().chain(any).flatten()
    }

    /// What an impl's parameters stand for when it applies to `ty`.
    fn impl_applies(
        &self,
        id: ImplId,
        of_trait: Option<&TraitRef>,
        ty: &Ty,
        effort: &Effort,
    ) -> Option<Subst> {
        let def = &self.impls[id.index()];
        let mut subst = Subst::default();
        let fits = self.unify(&def.self_ty, ty, &mut subst)
            && match (&def.trait_, of_trait) {
                (Some(own), Some(wanted)) => self.unify_all(&own.args, &wanted.args, &mut subst),
                _ => true,
            };
        let holds = |(ty, bound): &(Ty, TraitRef)| match bound.key {
            TraitKey::Local(_) => effort.check(|| self.bound_holds(&subst.apply(ty), bound.key, effort)),
            TraitKey::Ext(_) => true,
        };
        (fits && def.predicates.iter().all(holds)).then_some(subst)
    }

    /// Whether a type may satisfy a bound by a trait of the group.
    fn bound_holds(&self, ty: &Ty, key: TraitKey, effort: &Effort) -> bool {
        let known_by: &[TraitRef] = match ty {
            Ty::Unknown | Ty::Never | Ty::Assoc(..) => return true,
            Ty::Param(param) => &self.params[param.index()].bounds,
            Ty::Dyn(bounds) => bounds,
            _ => &[],
        };
        let Some(head) = Head::of(ty) else { return true };
        self.with_supertraits(known_by).iter().any(|b| b.key == key)
            || self.candidates(key, head).any(|id| self.impl_applies(*id, None, ty, effort).is_some())
    }

    /// All impls of a trait, negative ones too.
    pub fn impls_of(&self, key: TraitKey) -> &[ImplId] {
        self.index.impls.by_trait.get(&key).map_or(&[], |ids| ids)
    }

    /// The function of impl `id` named `name`, else its trait's, which has a body or not.
    pub fn impl_fn(&self, id: ImplId, name: Name) -> Option<FnId> {
        self.index.impls.own_fn(id, name).or_else(|| match self.impls[id.index()].trait_.as_ref()?.key {
            TraitKey::Local(t) => {
                self.traits[t.index()].fns.iter().copied().find(|f| self.fn_def(*f).name == name)
            }
            TraitKey::Ext(_) => None,
        })
    }

    /// `Drop::drop` of an adt.
    pub fn drop_impl(&self, adt: AdtId) -> Option<FnId> {
        self.index.impls.drops.get(&adt).copied()
    }

    /// Type of a field with the adt's arguments put in.
    pub fn field_ty(&self, adt: AdtId, args: &Args, variant: u32, field: Name) -> Option<Ty> {
        let variant = self.adts[adt.index()].variants.get(variant as usize)?;
        let field = variant.fields.iter().find(|f| f.name == field)?;
        if let Ty::Param(param) = &field.ty
            && let Some(at) = self.adts[adt.index()].generics.iter().position(|own| own == param)
            && let Some(given) = args.get(at)
        {
            return Some(given.clone());
        }
        Some(if field.ty.is_ground() { field.ty.clone() } else { self.adt_subst(adt, args).apply(&field.ty) })
    }

    /// What an adt's parameters stand for; missing arguments are defaults or `Unknown`.
    pub fn adt_subst(&self, adt: AdtId, args: &Args) -> Subst {
        self.arguments(&self.adts[adt.index()].generics, args)
    }
}
