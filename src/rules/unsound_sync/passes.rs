//! How a signature lets values of a parameter pass: taken in, handed out, lent.
//!
//! In: a promise and one of its parameters. Out: the public safe methods, trait impls included, through which a value passes, with
//! the bounds that they ask for by themselves. A method that also takes something that can't leave its thread (a token, the guard of an
//! epoch) is left out: it may be called on that thread only.

use super::promise::{Promise, doc_hidden, mentions};
use super::{Granted, Types};
use crate::hir::Name;
use crate::interp::auto_traits::Auto;
use crate::models::{Contents, Role, Threads};
use crate::project::cfg::When;
use crate::resolve::{AdtId, FnDef, FnId, ImplDef, ParamId, Subst, Ty};

/// From the weakest to the strongest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Passes {
    /// `&T` to a closure, or by a guard: perhaps to one thread at a time.
    Lent,
    /// `T`, where a `&T` would be enough to make one.
    Copied,
    /// `&T`
    Shared,
    /// `&mut T` by a guard that may have come by it as it liked.
    Guarded,
    /// `&mut T`
    Exclusive,
    /// `T` as a result.
    Out,
    /// `T` as an argument.
    In,
}

impl Passes {
    /// What the method does, for a sentence that it begins.
    pub fn does(self, param: Name) -> String {
        match self {
            Passes::Lent => format!("lends a `{param}` to whoever calls it"),
            Passes::Copied => format!("hands out a copy of a `{param}`"),
            Passes::Shared => format!("hands out a `&{param}`"),
            Passes::Guarded => format!("hands out a guard of a `{param}`"),
            Passes::Exclusive => format!("hands out a `&mut {param}`"),
            Passes::Out => format!("hands out a `{param}`"),
            Passes::In => format!("takes in a `{param}`"),
        }
    }
}

/// A method through which a value passes.
pub struct Passing {
    pub id: FnId,
    pub passes: Passes,
    pub granted: Granted,
}

/// Types nested deeper than this hide what is in them.
const MAX_DEPTH: u32 = 5;

pub fn methods(types: Types, promise: &Promise, param: ParamId) -> Vec<Passing> {
    let mut found = Vec::new();
    for imp in &types.program.impls {
        let this = match &imp.self_ty {
            Ty::Ref { mutable: false, inner } => inner,
            ty => ty,
        };
        let mut subst = Subst::default();
        // What holds for one other argument only (a lock of one kind) doesn't speak for the type.
        let any = |args: &[Ty]| args.iter().all(|arg| matches!(arg, Ty::Param(_)));
        let of_type = matches!(this, Ty::Adt(adt, args) if *adt == promise.adt && any(args));
        if !of_type || !types.program.unify(this, &promise.imp.self_ty, &mut subst) {
            continue;
        }
        let Some(own) = own_bounds(types, imp, &subst, param) else { continue };
        let signatures = Signatures { types, adt: promise.adt, param, subst: &subst, own };
        for id in &imp.fns {
            let def = types.program.fn_def(*id);
            let reached = match promise.auto {
                Auto::Sync => is_shared(types, def),
                Auto::Send => def.sig(types.program).self_ty.is_some(),
            };
            if reached && is_callable(def) {
                found.extend(signatures.of(*id, def));
            }
        }
    }
    found
}

/// Whether safe code outside the crate may call it.
pub fn is_callable(def: &FnDef) -> bool {
    def.public && !def.item.is_unsafe && def.when == When::Always && !doc_hidden(&def.attrs)
}

/// Whether several threads may have its receiver at once.
fn is_shared(types: Types, def: &FnDef) -> bool {
    fn shared(types: Types, ty: &Ty) -> bool {
        match ty {
            Ty::Ref { mutable, .. } => !mutable,
            Ty::Ext(_, args) => match types.models.role(ty) {
                Role::Counted => true,
                Role::Transparent => args.first().is_some_and(|ty| shared(types, ty)),
                _ => false,
            },
            _ => false,
        }
    }
    def.sig(types.program).self_ty.as_ref().is_some_and(|ty| shared(types, ty))
}

/// Whether an argument is a library's or the crate's own thing that can't leave its thread.
pub fn stays(types: Types, ty: &Ty, param: ParamId) -> bool {
    match ty {
        Ty::Ref { inner, .. } => stays(types, inner, param),
        Ty::Adt(..) | Ty::Ext(..) => !mentions(ty, param) && types.auto.needs(ty, Auto::Send).is_none(),
        _ => false,
    }
}

/// What an impl asks of the parameter, and whether it asks for copies.
#[derive(Clone, Copy, Default)]
struct OwnBounds {
    granted: Granted,
    copied: bool,
}

/// `None`: its bounds may stand for anything.
fn own_bounds(types: Types, imp: &ImplDef, subst: &Subst, param: ParamId) -> Option<OwnBounds> {
    let mut own = OwnBounds::default();
    for id in imp.generics.iter().filter(|id| subst.get(**id) == Some(&Ty::Param(param))) {
        own.granted = own.granted.with(types.granted_by_bounds(*id)?);
        let bounds = &types.program.params[id.index()].bounds;
        own.copied |= bounds.iter().any(|bound| types.is_copy(bound.key));
    }
    Some(own)
}

struct Signatures<'a> {
    types: Types<'a>,
    adt: AdtId,
    param: ParamId,
    subst: &'a Subst,
    own: OwnBounds,
}

impl Signatures<'_> {
    fn of(&self, id: FnId, def: &FnDef) -> Option<Passing> {
        let params: Vec<Ty> =
            def.sig(self.types.program).params.iter().map(|ty| self.subst.apply(ty)).collect();
        if params.iter().any(|ty| stays(self.types, ty, self.param)) {
            return None;
        }
        let lends = |ty: &Ty| matches!(ty, Ty::Ref { .. }) && mentions(ty, self.param);
        let out =
            self.carried(&self.subst.apply(&def.sig(self.types.program).ret), 0).map(|passes| match passes {
                Passes::Out if self.own.copied => Passes::Copied,
                passes => passes,
            });
        let out = out.filter(|_| !params.iter().any(lends)).map(|passes| match passes {
            Passes::Shared if params.iter().any(|ty| self.may_prove(ty)) => Passes::Lent,
            passes => passes,
        });
        let passes = params.iter().filter_map(|ty| self.taken(ty)).chain(out).max()?;
        Some(Passing { id, passes, granted: self.own.granted })
    }

    /// Whether having an argument may prove that nobody else has what is handed out: a critical section.
    fn may_prove(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Ref { inner, .. } => self.may_prove(inner),
            Ty::Adt(..) => true,
            Ty::Ext(path, _) => !self.types.models.is_standard(*path),
            _ => false,
        }
    }

    /// What an argument brings in, or a closure is given.
    fn taken(&self, ty: &Ty) -> Option<Passes> {
        let Ty::Param(closure) = ty else { return self.moved_in(ty) };
        if *closure == self.param {
            return Some(Passes::In);
        }
        let bounds = &self.types.program.params[closure.index()].bounds;
        let given = bounds.iter().map(|bound| self.subst.apply_trait(bound)).filter_map(|bound| {
            // `Fn(A) -> B` has its inputs as one tuple.
            let ([Ty::Tuple(inputs)], false) = (&bound.args[..], bound.assoc.is_empty()) else { return None };
            let made = bound.assoc.iter().filter_map(|(_, output)| self.moved_in(output)).max();
            let lent = inputs.iter().filter_map(|input| self.carried(input, 0)).max();
            let lent = lent.map(|passes| match passes {
                Passes::Shared | Passes::Copied => Passes::Lent,
                passes => passes,
            });
            made.max(lent)
        });
        given.max()
    }

    fn moved_in(&self, ty: &Ty) -> Option<Passes> {
        (self.carried(ty, 0)? == Passes::Out).then_some(Passes::In)
    }

    /// How who is given a value of the type gets at the parameter's.
    fn carried(&self, ty: &Ty, depth: u32) -> Option<Passes> {
        if depth > MAX_DEPTH || !mentions(ty, self.param) {
            return None;
        }
        let all = |tys: &[Ty]| tys.iter().filter_map(|ty| self.carried(ty, depth + 1)).max();
        match ty {
            Ty::Param(_) => Some(Passes::Out),
            Ty::Tuple(parts) => all(parts),
            Ty::Array(inner) | Ty::Slice(inner) => self.carried(inner, depth + 1),
            Ty::Ref { mutable, inner } => {
                self.carried(inner, depth + 1).map(|passes| match (mutable, passes) {
                    (_, Passes::Lent | Passes::Guarded) => Passes::Lent,
                    (true, _) => Passes::Exclusive,
                    (false, _) => Passes::Shared,
                })
            }
            Ty::Ext(path, args) => {
                let model = self.types.models.type_model(*path);
                let opaque = model.is_some_and(|m| m.contents == Contents::Nothing || m.role == Role::Raw);
                match self.types.models.threads(*path) {
                    Some(Threads::Structural) if !opaque => all(args),
                    Some(Threads::Shared) => all(args).map(|_| Passes::Lent),
                    _ if model.is_some_and(|m| m.role == Role::Guard) => all(args).map(|_| Passes::Lent),
                    _ => None,
                }
            }
            Ty::Adt(adt, _) if *adt != self.adt => self.by_trait(*adt, ty, depth),
            Ty::Dyn(bounds) => {
                let assoc = bounds.iter().flat_map(|b| b.assoc.iter()).map(|(_, ty)| ty);
                assoc.filter_map(|ty| self.carried(ty, depth + 1)).max()
            }
            _ => None,
        }
    }

    /// What the language gets out of a value of one of the crate's own types: by `*`, `for` and `.await`.
    fn by_trait(&self, adt: AdtId, ty: &Ty, depth: u32) -> Option<Passes> {
        let language = &self.types.models.language;
        let given = |name: Name, of: &str| {
            self.types.trait_impls(adt, name).find_map(|imp| {
                let mut subst = Subst::default();
                self.types.program.unify(&imp.self_ty, ty, &mut subst);
                let (_, given) = imp.types.iter().find(|(name, _)| *name == of)?;
                self.carried(&subst.apply(given), depth + 1)
            })
        };
        let guarded = given(language.deref, "Target").map(|_| {
            let exclusive = self.types.trait_impls(adt, language.deref_mut).next().is_some();
            if exclusive { Passes::Guarded } else { Passes::Lent }
        });
        guarded.or_else(|| given(language.iterate, "Item")).or_else(|| given(language.future, "Output"))
    }
}
