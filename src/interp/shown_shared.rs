//! Which types a library itself shows to be shared between threads: it keeps them behind counted handles that threads may
//! share, or in statics, or takes them as such.
//!
//! In: the types of signatures, fields and statics. Out: the set of types. Of others, whoever calls may keep each instance to
//! one thread, and nothing says that updates of one meet.

use crate::models::{Models, Role, Threads};
use crate::resolve::{AdtId, Program, Ty};
use rustc_hash::FxHashSet;

/// Types are looked through this deep.
const MAX_DEPTH: u32 = 8;

#[derive(Default)]
pub struct SharedTypes {
    shared: FxHashSet<AdtId>,
    /// Types with a handle of one of these as a field.
    handles: FxHashSet<AdtId>,
}

impl SharedTypes {
    pub fn of(program: &Program, models: &Models) -> SharedTypes {
        let mut found = SharedTypes::default();
        for def in &program.fns {
            let sig = def.sig(program);
            sig.params.iter().chain(&sig.self_ty).chain([&sig.ret]).for_each(|ty| found.look(models, ty, 0));
        }
        for def in &program.adts {
            let fields = def.variants.iter().flat_map(|variant| &variant.fields);
            fields.for_each(|field| found.look(models, &field.ty, 0));
        }
        for (at, def) in program.adts.iter().enumerate() {
            if let [variant] = &def.variants[..]
                && variant.fields.iter().any(|field| shared_by(models, &field.ty).is_some())
            {
                found.handles.insert(AdtId(at as u32));
            }
        }
        found
    }

    pub fn contains(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Adt(id, _) if self.shared.contains(id))
    }

    /// Whether it is one of them or has a handle of one.
    pub fn leads_to(&self, ty: &Ty) -> bool {
        self.contains(ty) || matches!(ty, Ty::Adt(id, _) if self.handles.contains(id))
    }

    /// What is behind a handle in a type.
    fn look(&mut self, models: &Models, ty: &Ty, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        self.shared.extend(shared_by(models, ty));
        match ty {
            Ty::Ext(_, args) | Ty::Adt(_, args) | Ty::Tuple(args) => {
                args.iter().for_each(|arg| self.look(models, arg, depth + 1));
            }
            Ty::Ref { inner, .. } | Ty::Ptr { inner, .. } | Ty::Array(inner) | Ty::Slice(inner) => {
                self.look(models, inner, depth + 1);
            }
            Ty::Unknown
            | Ty::Never
            | Ty::Prim(_)
            | Ty::FnPtr(..)
            | Ty::Param(_)
            | Ty::Dyn(_)
            | Ty::Assoc(..) => {}
        }
    }
}

/// What a handle that threads may share has behind it.
fn shared_by(models: &Models, ty: &Ty) -> Option<AdtId> {
    let Ty::Ext(path, args) = ty else { return None };
    let crosses = models.threads(*path).is_some_and(|threads| threads != Threads::Never);
    match args.first() {
        Some(Ty::Adt(id, _)) if crosses && models.role(ty) == Role::Counted => Some(*id),
        _ => None,
    }
}
