//! Values that prove something by being there: a function that demands one runs only where it was made.
//!
//! In: the types of the program and of the models. Out: which are *tokens* (only unsafe functions make them: who has one excludes
//! all others) and which are *witnesses* (safe functions make them, after they have synchronized; what has one as a field
//! is one too). Both are without data and can't be written down outside of their module.
//!
//! What a caller hands in and nobody else can have (a *key*) proves as much of what it chooses.
//!
//! Invariant: a type that safe code can make without doing anything proves nothing.

use super::places::FrameId;
use super::values::{HoldId, Mode, Val};
use super::{Cx, Interp};
use crate::finding::ContextKind;
use crate::hir::{ExprId, Name, Tt};
use crate::models::Models;
use crate::resolve::{AdtDef, AdtId, FnDef, FnId, Owner, Program, TraitKey, Ty};
use rustc_hash::{FxHashMap, FxHashSet};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// Exclusion: a lock that nobody names.
    Token,
    /// That something was done before.
    Witness,
}

#[derive(Default)]
pub struct Tokens {
    of: FxHashMap<AdtId, Proof>,
}

/// Markers in markers are followed this far.
const MAX_DEPTH: u32 = 4;

impl Tokens {
    /// `acts`: whether a function does anything that may synchronize.
    pub fn new(program: &Program, models: &Models, acts: impl Fn(FnId) -> bool) -> Tokens {
        let types = Types { program, models };
        let sealed = (0..program.adts.len() as u32).map(AdtId).filter(|id| types.is_sealed(*id));
        let sealed: FxHashSet<AdtId> = sealed.collect();
        let mut of: FxHashMap<AdtId, Proof> = FxHashMap::default();
        if sealed.is_empty() {
            return Tokens::default();
        }
        let mut free: FxHashSet<AdtId> = FxHashSet::default();
        for (at, def) in program.fns.iter().enumerate() {
            let Some(id) = made_by(program, def, &sealed) else { continue };
            if def.item.is_unsafe {
                of.entry(id).or_insert(Proof::Token);
            } else if acts(FnId(at as u32)) {
                of.insert(id, Proof::Witness);
            } else {
                free.insert(id);
            }
        }
        of.retain(|id, _| !free.contains(id));
        let mut found = Tokens { of };
        found.add_holders(program);
        found
    }

    /// Structs with a witness among their fields, and those with such a struct.
    fn add_holders(&mut self, program: &Program) {
        for _ in 0..MAX_DEPTH {
            let before = self.of.len();
            for (at, def) in program.adts.iter().enumerate() {
                let [only] = &def.variants[..] else { continue };
                let witness = |ty: &Ty| matches!(self.proof(ty), Some((_, Proof::Witness)));
                if !self.of.is_empty() && only.fields.iter().any(|field| witness(&field.ty)) {
                    self.of.entry(AdtId(at as u32)).or_insert(Proof::Witness);
                }
            }
            if self.of.len() == before {
                return;
            }
        }
    }

    /// What a value of the type, or a reference to one, proves.
    fn proof(&self, ty: &Ty) -> Option<(AdtId, Proof)> {
        match ty {
            Ty::Ref { inner, .. } => self.proof(inner),
            Ty::Adt(id, _) => self.of.get(id).map(|proof| (*id, *proof)),
            _ => None,
        }
    }
}

/// The type that others than its module make with this function, out of nothing.
fn made_by(program: &Program, def: &FnDef, of: &FxHashSet<AdtId>) -> Option<AdtId> {
    if def.is_private || def.item.ret.is_none() {
        return None;
    }
    let id = find(&def.sig(program).ret, of, 0)?;
    let owner = match def.owner {
        Owner::Impl(imp) => find(&program.impls[imp.index()].self_ty, of, 0),
        Owner::Trait(_) | Owner::Module => None,
    };
    let takes = |ty: &Ty| find(ty, of, 0) == Some(id) || (owner == Some(id) && matches!(ty, Ty::Ref { .. }));
    let given = def.sig(program).self_ty.iter().chain(&def.sig(program).params).any(takes);
    (!given).then_some(id)
}

/// The type among these that is part of a type.
fn find(ty: &Ty, of: &FxHashSet<AdtId>, depth: u32) -> Option<AdtId> {
    if depth > MAX_DEPTH {
        return None;
    }
    match ty {
        Ty::Adt(id, _) if of.contains(id) => Some(*id),
        Ty::Adt(_, args) | Ty::Ext(_, args) | Ty::Tuple(args) => {
            args.iter().find_map(|arg| find(arg, of, depth + 1))
        }
        Ty::Ref { inner, .. } => find(inner, of, depth + 1),
        _ => None,
    }
}

struct Types<'a> {
    program: &'a Program,
    models: &'a Models,
}

impl Types<'_> {
    /// Without data, and with a field that keeps others from writing one down.
    fn is_sealed(&self, id: AdtId) -> bool {
        let def = &self.program.adts[id.index()];
        let [only] = &def.variants[..] else { return false };
        only.fields.iter().any(|field| !field.public)
            && only.fields.iter().all(|field| self.is_empty(&field.ty, 0))
            && !derives_default(def)
    }

    fn is_empty(&self, ty: &Ty, depth: u32) -> bool {
        match ty {
            Ty::Tuple(parts) => parts.iter().all(|part| self.is_empty(part, depth)),
            Ty::Ext(path, _) => self.models.type_model(*path).is_some_and(|model| model.empty),
            Ty::Adt(id, _) if depth < MAX_DEPTH => {
                let variants = &self.program.adts[id.index()].variants;
                matches!(&variants[..], [only] if only.fields.iter().all(|f| self.is_empty(&f.ty, depth + 1)))
            }
            _ => false,
        }
    }
}

fn derives_default(def: &AdtDef) -> bool {
    derives(def, "Default")
}

fn derives(def: &AdtDef, what: &str) -> bool {
    let mut derives = def.attrs.iter().filter(|attr| attr.path.last().is_some_and(|name| *name == "derive"));
    derives.any(|attr| attr.tokens.iter().any(|tt| matches!(tt, Tt::Ident(name, _) if *name == what)))
}

impl Interp<'_> {
    /// What an argument of this type proves holds while the call lasts.
    pub(super) fn hold_proof(&mut self, cx: &Cx, ty: &Ty) {
        let Some(name) = self.proven(ty) else { return };
        let lock = self.process_place(name);
        self.hold(lock, Mode::Exclusive, proof_hold(cx.frame));
    }

    fn proven(&mut self, ty: &Ty) -> Option<Name> {
        if let Some((id, proof)) = self.relevance.tokens().proof(ty) {
            let name = self.program.adts[id.index()].name;
            if proof == Proof::Witness {
                let place = self.process_place(name);
                self.witnesses.insert(place);
            }
            return Some(name);
        }
        match ty {
            Ty::Ref { inner, .. } => self.proven(inner),
            Ty::Ext(path, _) => self.models.type_model(*path)?.token,
            _ => None,
        }
    }

    /// What a context gets for a parameter that nobody of the program gave it: it depends on who calls.
    pub(super) fn handed_in(&mut self, cx: &Cx, number: u32, ty: &Ty) -> Val {
        let deps = self.elsewhere(cx, number);
        if self.contexts.get(self.context).kind == ContextKind::Caller && self.is_key(ty) {
            self.keys.extend(deps.iter());
        }
        self.asked_for(ty).with_deps(&deps)
    }

    /// Whoever hands this in alone has it: nobody copies it, and only its own module makes it and knows what it says.
    fn is_key(&self, ty: &Ty) -> bool {
        let held = match ty {
            Ty::Ref { mutable: true, inner } => inner,
            other => other,
        };
        let Ty::Adt(id, _) = held else { return false };
        let def = &self.program.adts[id.index()];
        let language = &self.models.language;
        let copies = |key: &TraitKey| matches!(key, TraitKey::Ext(path) if *path == language.clone);
        let copied = self.program.impls.iter().any(|imp| {
            matches!(imp.self_ty, Ty::Adt(of, _) if of == *id)
                && imp.trait_.as_ref().is_some_and(|of| copies(&of.key))
        });
        let hidden = matches!(&def.variants[..], [only] if only.fields.iter().any(|field| !field.public));
        hidden && !copied && !derives(def, "Clone")
    }

    pub(super) fn drop_proofs(&mut self, frame: FrameId) {
        if !self.st.locks.is_empty() {
            self.st.locks.retain(|hold| hold.id != proof_hold(frame));
        }
    }
}

fn proof_hold(frame: FrameId) -> HoldId {
    HoldId::new(frame, ExprId(u32::MAX), 0, 0)
}
