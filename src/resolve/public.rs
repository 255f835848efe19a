//! What is reachable from outside its crate, and what attributes and definitions are called there.
//!
//! In: finished scopes. Out: the `public` flags of modules, functions, statics, types and traits: by a path of public
//! modules, or by a public re-export; methods by their type and trait. Invariant: flags only go from false to true.

use super::scope::{Def, Namespace, Vis};
use super::*;
use crate::hir::Name;
use crate::project::TargetKind;

impl Program {
    /// Sets all `public` flags.
    pub(super) fn mark_public(&mut self) {
        let mut todo: Vec<ModuleId> = self.crates.iter().map(|c| c.root).collect();
        for root in &todo {
            self.modules[root.index()].public = true;
        }
        while let Some(module) = todo.pop() {
            for ns in [Namespace::Types, Namespace::Values] {
                let public =
                    self.index.scopes[module.index()].names(ns).values().filter(|e| e.vis == Vis::Public);
                for def in public.map(|e| e.def).collect::<Vec<_>>() {
                    todo.extend(self.mark(def));
                }
            }
        }
        self.mark_methods();
    }

    /// Marks a definition; a module that is new is still to be walked.
    fn mark(&mut self, def: Def) -> Option<ModuleId> {
        match def {
            Def::Module(id) => {
                let seen = std::mem::replace(&mut self.modules[id.index()].public, true);
                return (!seen).then_some(id);
            }
            Def::Adt(id) | Def::Variant(id, _) => self.adts[id.index()].public = true,
            Def::Trait(id) => self.traits[id.index()].public = true,
            Def::Fn(id) => self.fns[id.index()].public = true,
            Def::Static(id) => self.statics[id.index()].public = true,
            Def::Const(_) | Def::Alias(_) | Def::Ext(_) => {}
        }
        None
    }

    /// Methods: public ones of a public type, those of a public trait (for a public type).
    fn mark_methods(&mut self) {
        for i in 0..self.fns.len() {
            let def = &self.fns[i];
            let public = match def.owner {
                Owner::Module => continue,
                Owner::Trait(id) => self.traits[id.index()].public,
                Owner::Impl(id) => {
                    let of = &self.impls[id.index()];
                    let type_public = match &of.self_ty {
                        Ty::Adt(adt, _) => self.adts[adt.index()].public,
                        _ => true,
                    };
                    type_public
                        && match &of.trait_ {
                            Some(TraitRef { key: TraitKey::Local(t), .. }) => self.traits[t.index()].public,
                            Some(TraitRef { key: TraitKey::Ext(_), .. }) => true,
                            None => !of.inherent || def.declared_public,
                        }
                }
            };
            self.fns[i].public = public;
        }
    }

    /// The attributes of a function by canonical path, in order: `tokio::main`, `test`, `my_macros::entry`.
    pub fn fn_attr_paths(&self, id: FnId) -> Vec<Name> {
        let def = self.fn_def(id);
        def.attrs.iter().map(|attr| self.attr_path(def.module, &attr.path)).collect()
    }

    /// The canonical path of an attribute that is written in a module.
    pub fn attr_path(&self, module: ModuleId, path: &[Name]) -> Name {
        let Some((first, rest)) = path.split_first() else { return Name::new("") };
        let found = if rest.is_empty() {
            self.imported_attr(module, *first)
        } else {
            self.first_segment(module, *first, true)
        };
        let base = match found {
            Some(Def::Ext(path)) => path.as_str().to_owned(),
            Some(Def::Module(id)) => self.full_path(id, None),
            Some(Def::Fn(id)) => self.full_path(self.fn_def(id).module, Some(self.fn_def(id).name)),
            _ => first.as_str().to_owned(),
        };
        let full = rest.iter().fold(base, |base, name| format!("{base}::{name}"));
        self.index.names.canonical(&full)
    }

    /// An attribute's name as an import of a library's or of a procedural macro of the group: ordinary functions and
    /// modules of that name are something else.
    fn imported_attr(&self, module: ModuleId, name: Name) -> Option<Def> {
        let is_macro = |def: &Def| match def {
            Def::Ext(_) => true,
            Def::Fn(id) => {
                let krate = self.krate(self.fn_def(*id).module);
                self.crates[krate.0 as usize].source.kind == TargetKind::ProcMacro
            }
            _ => false,
        };
        self.lexical(module, Namespace::Values, name).filter(is_macro)
    }

    /// `krate::module::name`
    fn full_path(&self, module: ModuleId, name: Option<Name>) -> String {
        let krate = self.crates[self.krate(module).0 as usize].source.name;
        let names = std::iter::once(krate).chain(self.module_path(module)).chain(name);
        names.map(|n| n.as_str()).collect::<Vec<_>>().join("::")
    }
}
