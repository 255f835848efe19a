//! Types that an unsafe promise may share unguarded: found once, before anything is walked.
//!
//! In: the program's types and unsafe impls, and which library types are cells. Out: the types that hold a cell. There
//! are none where nothing promises `Send` or `Sync`: there the borrow checker and the auto traits keep cells in one thread.

use crate::hir::Name;
use crate::models::Models;
use crate::resolve::{AdtId, Program, TraitKey, Ty};
use rustc_hash::FxHashSet;

#[derive(Default)]
pub struct Doors {
    holding: FxHashSet<AdtId>,
}

impl Doors {
    pub fn new(program: &Program, models: &Models) -> Doors {
        if !promises(program, models) {
            return Doors::default();
        }
        let cells = cell_types(models);
        let mut doors = Doors::default();
        for (at, def) in program.adts.iter().enumerate() {
            for field in def.variants.iter().flat_map(|v| &v.fields) {
                let door = |ty: &Ty| is_cell(&cells, ty) || matches!(ty, Ty::Ptr { .. });
                if mentions(&field.ty, &door, 0) {
                    doors.holding.insert(AdtId(at as u32));
                }
            }
        }
        doors.close(program);
        doors
    }

    /// Types that hold such a type, and so on.
    fn close(&mut self, program: &Program) {
        loop {
            let before = self.holding.len();
            for (at, def) in program.adts.iter().enumerate() {
                let holds = |ty: &Ty| matches!(ty, Ty::Adt(id, _) if self.holding.contains(id));
                let found = def.variants.iter().flat_map(|v| &v.fields).any(|f| mentions(&f.ty, &holds, 0));
                if found {
                    self.holding.insert(AdtId(at as u32));
                }
            }
            if self.holding.len() == before {
                return;
            }
        }
    }

    /// Whether a value of the type has a cell or a raw pointer somewhere inside.
    pub fn holds_cell(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Adt(id, _) if self.holding.contains(id))
    }
}

/// Whether anything in the program promises `Send` or `Sync`.
fn promises(program: &Program, models: &Models) -> bool {
    let is_auto = |key: &TraitKey| matches!(key, TraitKey::Ext(path) if models.language.is_auto_trait(*path));
    program.impls.iter().any(|i| i.is_unsafe && i.trait_.as_ref().is_some_and(|t| is_auto(&t.key)))
}

/// Library types whose constructor makes a cell.
pub fn cell_types(models: &Models) -> FxHashSet<Name> {
    let mut found = FxHashSet::default();
    for model in &models.fns {
        if let Some(op) = &model.op
            && op.wraps().is_some_and(|step| step == "cell")
            && let Some((owner, _)) = model.path.as_str().rsplit_once("::")
        {
            found.insert(Name::new(owner));
        }
    }
    found
}

fn is_cell(cells: &FxHashSet<Name>, ty: &Ty) -> bool {
    matches!(ty, Ty::Ext(path, _) if cells.contains(path))
}

/// Whether some part of a type is one that `wanted` accepts.
fn mentions(ty: &Ty, wanted: &dyn Fn(&Ty) -> bool, depth: u32) -> bool {
    if depth > 6 {
        return false;
    }
    wanted(ty)
        || match ty {
            Ty::Adt(_, args) | Ty::Ext(_, args) | Ty::Tuple(args) => {
                args.iter().any(|a| mentions(a, wanted, depth + 1))
            }
            Ty::Ref { inner, .. } | Ty::Ptr { inner, .. } | Ty::Array(inner) | Ty::Slice(inner) => {
                mentions(inner, wanted, depth + 1)
            }
            Ty::Unknown
            | Ty::Never
            | Ty::Prim(_)
            | Ty::FnPtr(..)
            | Ty::Param(_)
            | Ty::Dyn(_)
            | Ty::Assoc(..) => false,
        }
}
