//! The index of impls and unification: which impls may apply to a type.
//!
//! In: impls with their types. Out: for a name or trait and a type's head, the impls in question, in source order;
//! whether one really applies is `unify`'s to say.
//! Invariant: nothing iterates over the maps; the vectors in them are in the order of the tables.

use super::*;
use crate::hir::{Edition, Name};
use rustc_hash::{FxHashMap, FxHashSet};

/// The outermost constructor of a type: impls of other heads need no look.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Head {
    Adt(AdtId),
    Ext(Name),
    Prim(Name),
    Ref(bool),
    Ptr(bool),
    Tuple(usize),
    Array,
    Slice,
    FnPtr,
    Never,
    Dyn(Option<TraitKey>),
    /// A parameter or projection: any type.
    Any,
}

impl Head {
    /// `None`: nothing is known of the type.
    pub fn of(ty: &Ty) -> Option<Head> {
        Some(match ty {
            Ty::Unknown => return None,
            Ty::Never => Head::Never,
            Ty::Prim(name) => Head::Prim(*name),
            Ty::Adt(id, _) => Head::Adt(*id),
            Ty::Ext(path, _) => Head::Ext(*path),
            Ty::Ref { mutable, .. } => Head::Ref(*mutable),
            Ty::Ptr { mutable, .. } => Head::Ptr(*mutable),
            Ty::Tuple(parts) => Head::Tuple(parts.len()),
            Ty::Array(_) => Head::Array,
            Ty::Slice(_) => Head::Slice,
            Ty::FnPtr(..) => Head::FnPtr,
            Ty::Dyn(bounds) => Head::Dyn(bounds.first().map(|b| b.key)),
            Ty::Param(_) | Ty::Assoc(..) => Head::Any,
        })
    }
}

type ByNameAndHead<T> = FxHashMap<(Name, Head), Vec<T>>;

/// Impls by what they are looked up with.
#[derive(Default)]
pub(super) struct ImplIndex {
    /// All impls of a trait.
    pub by_trait: FxHashMap<TraitKey, Vec<ImplId>>,
    /// Those that aren't negative, by their self type's head.
    pub by_head: FxHashMap<(TraitKey, Head), Vec<ImplId>>,
    /// Functions of inherent impls.
    pub inherent: ByNameAndHead<(ImplId, FnId)>,
    /// Functions of impls of library traits.
    pub of_ext_traits: ByNameAndHead<(ImplId, FnId)>,
    /// Functions that traits declare.
    pub declared: FxHashMap<Name, Vec<(TraitId, FnId)>>,
    /// Impls that define an associated type.
    pub types: ByNameAndHead<ImplId>,
    pub consts: ByNameAndHead<(ImplId, ConstId)>,
    pub declared_consts: FxHashMap<Name, Vec<(TraitId, ConstId)>>,
    pub drops: FxHashMap<AdtId, FnId>,
    /// The functions of each impl by name.
    own: FxHashMap<(ImplId, Name), FnId>,
    /// The names of all functions of impls and traits, once all are known.
    fns: Option<FxHashSet<Name>>,
}

impl ImplIndex {
    /// Impls by trait and self type only.
    pub fn of_heads(program: &Program) -> ImplIndex {
        let mut index = ImplIndex::default();
        for (i, def) in program.impls.iter().enumerate() {
            let id = ImplId(i as u32);
            let Some(of_trait) = &def.trait_ else { continue };
            index.by_trait.entry(of_trait.key).or_default().push(id);
            if let (Some(head), false) = (Head::of(&def.self_ty), def.negative) {
                index.by_head.entry((of_trait.key, head)).or_default().push(id);
            }
        }
        index
    }

    /// The whole index.
    pub fn with_members(program: &Program) -> ImplIndex {
        let mut index = ImplIndex::of_heads(program);
        for (i, def) in program.impls.iter().enumerate() {
            if let Some(head) = Head::of(&def.self_ty) {
                index.add_impl(program, ImplId(i as u32), def, head);
            }
        }
        for (i, def) in program.traits.iter().enumerate() {
            let id = TraitId(i as u32);
            for f in &def.fns {
                index.declared.entry(program.fn_def(*f).name).or_default().push((id, *f));
            }
            for c in &def.consts {
                index.declared_consts.entry(program.consts[c.index()].name).or_default().push((id, *c));
            }
        }
        let by_head = index.inherent.keys().chain(index.of_ext_traits.keys()).map(|(name, _)| *name);
        index.fns = Some(by_head.chain(index.declared.keys().copied()).collect());
        index
    }

    /// Whether some impl or trait has a function of that name, as far as is known.
    pub fn may_have_fn(&self, name: Name) -> bool {
        self.fns.as_ref().is_none_or(|names| names.contains(&name))
    }

    fn add_impl(&mut self, program: &Program, id: ImplId, def: &ImplDef, head: Head) {
        for f in &def.fns {
            let name = program.fn_def(*f).name;
            self.own.entry((id, name)).or_insert(*f);
            match def.trait_.as_ref().map(|t| t.key) {
                // An impl of a trait that doesn't resolve still has methods; they're found like a library trait's.
                None if !def.inherent => self.of_ext_traits.entry((name, head)).or_default().push((id, *f)),
                None => self.inherent.entry((name, head)).or_default().push((id, *f)),
                Some(TraitKey::Ext(_)) => self.of_ext_traits.entry((name, head)).or_default().push((id, *f)),
                Some(TraitKey::Local(_)) => {}
            }
        }
        for (name, _) in &def.types {
            self.types.entry((*name, head)).or_default().push(id);
        }
        for c in &def.consts {
            self.consts.entry((program.consts[c.index()].name, head)).or_default().push((id, *c));
        }
        if let (Ty::Adt(adt, _), Some(drop)) = (&def.self_ty, program.drop_fn(def)) {
            self.drops.insert(*adt, drop);
        }
    }

    /// The function that an impl itself defines.
    pub fn own_fn(&self, id: ImplId, name: Name) -> Option<FnId> {
        self.own.get(&(id, name)).copied()
    }
}

/// The entries for a type of this head: those of the head itself, then those for any type.
pub(super) fn for_head<T>(map: &ByNameAndHead<T>, name: Name, head: Head) -> impl Iterator<Item = &T> {
    let exact = map.get(&(name, head));
    let any = if head == Head::Any { None } else { map.get(&(name, Head::Any)) };
    exact.into_iter().chain(any).flatten()
}

impl Program {
    /// The function of an impl of the library's `Drop`.
    fn drop_fn(&self, def: &ImplDef) -> Option<FnId> {
        let TraitKey::Ext(path) = def.trait_.as_ref()?.key else { return None };
        let names = &self.index.names;
        let is_drop = names.prelude(Name::new("Drop"), Edition::E2021) == Some(path);
        is_drop.then(|| def.fns.first().copied()).flatten()
    }

    /// Binds the parameters of `pattern` so that it becomes `ty`, as far as both are known; `false` if they can't be
    /// equal. What is unknown, or a parameter of `ty`, may be anything.
    pub fn unify(&self, pattern: &Ty, ty: &Ty, subst: &mut Subst) -> bool {
        match (pattern, ty) {
            (Ty::Param(param), ty) => self.bind(*param, ty, subst),
            (Ty::Unknown | Ty::Assoc(..), _)
            | (_, Ty::Unknown | Ty::Assoc(..) | Ty::Param(_) | Ty::Never) => true,
            (Ty::Prim(a), Ty::Prim(b)) => a == b,
            (Ty::Adt(a, x), Ty::Adt(b, y)) => a == b && self.unify_all(x, y, subst),
            (Ty::Ext(a, x), Ty::Ext(b, y)) => a == b && self.unify_all(x, y, subst),
            (Ty::Tuple(x), Ty::Tuple(y)) => x.len() == y.len() && self.unify_all(x, y, subst),
            (Ty::Ref { mutable: a, inner: x }, Ty::Ref { mutable: b, inner: y })
            | (Ty::Ptr { mutable: a, inner: x }, Ty::Ptr { mutable: b, inner: y }) => {
                a == b && self.unify(x, y, subst)
            }
            (Ty::Array(x), Ty::Array(y)) | (Ty::Slice(x), Ty::Slice(y)) => self.unify(x, y, subst),
            (Ty::FnPtr(x), Ty::FnPtr(y)) => {
                x.0.len() == y.0.len() && self.unify_all(&x.0, &y.0, subst) && self.unify(&x.1, &y.1, subst)
            }
            (Ty::Dyn(x), Ty::Dyn(y)) => match (x.first(), y.first()) {
                (Some(x), Some(y)) => x.key == y.key && self.unify_all(&x.args, &y.args, subst),
                _ => true,
            },
            (Ty::Never | Ty::Prim(_) | Ty::Adt(..) | Ty::Ext(..) | Ty::Tuple(_) | Ty::Ref { .. }, _)
            | (Ty::Ptr { .. } | Ty::Array(_) | Ty::Slice(_) | Ty::FnPtr(..) | Ty::Dyn(_), _) => false,
        }
    }

    /// Lists of arguments; an empty or shorter one is unknown from there on.
    pub(super) fn unify_all(&self, patterns: &[Ty], tys: &[Ty], subst: &mut Subst) -> bool {
        patterns.iter().zip(tys).all(|(pattern, ty)| self.unify(pattern, ty, subst))
    }

    fn bind(&self, param: ParamId, ty: &Ty, subst: &mut Subst) -> bool {
        match subst.get(param) {
            Some(Ty::Unknown) | None => {
                subst.insert(param, ty.clone());
                true
            }
            Some(bound) if bound == ty => true,
            // Bound before: the two must be able to be equal, but parameters of the bound type are no pattern's.
            Some(bound) => bound.clone().may_equal(ty),
        }
    }
}

impl Ty {
    /// Whether two types can be equal, whatever their parameters stand for.
    fn may_equal(&self, other: &Ty) -> bool {
        let all = |x: &Args, y: &Args| x.iter().zip(y.iter()).all(|(x, y)| x.may_equal(y));
        match (self, other) {
            (Ty::Unknown | Ty::Param(_) | Ty::Assoc(..), _)
            | (_, Ty::Unknown | Ty::Param(_) | Ty::Assoc(..)) => true,
            (Ty::Adt(a, x), Ty::Adt(b, y)) => a == b && all(x, y),
            (Ty::Ext(a, x), Ty::Ext(b, y)) => a == b && all(x, y),
            (Ty::Tuple(x), Ty::Tuple(y)) => x.len() == y.len() && all(x, y),
            (Ty::Ref { mutable: a, inner: x }, Ty::Ref { mutable: b, inner: y })
            | (Ty::Ptr { mutable: a, inner: x }, Ty::Ptr { mutable: b, inner: y }) => {
                a == b && x.may_equal(y)
            }
            (Ty::Array(x), Ty::Array(y)) | (Ty::Slice(x), Ty::Slice(y)) => x.may_equal(y),
            (Ty::FnPtr(x), Ty::FnPtr(y)) => all(&x.0, &y.0) && x.1.may_equal(&y.1),
            (a, b) => a == b,
        }
    }
}
