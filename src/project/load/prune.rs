//! Takes what isn't in the build out of an item: parts of impls, traits, extern blocks, structs and enums.

use crate::hir::{Item, ItemKind};
use crate::project::cfg::{CfgSet, When};
use std::sync::Arc;

/// Removes the parts that are in no build.
pub(super) fn prune(item: &mut Item, cfg: &CfgSet) {
    let is_out = |item: &Item| cfg.when(&item.attrs) == When::Never;
    match &mut item.kind {
        ItemKind::Impl(imp) if imp.items.iter().any(is_out) => {
            Arc::make_mut(imp).items.retain(|i| !is_out(i))
        }
        ItemKind::Trait(tr) if tr.items.iter().any(is_out) => Arc::make_mut(tr).items.retain(|i| !is_out(i)),
        ItemKind::ExternBlock { items, .. } => items.retain(|i| !is_out(i)),
        ItemKind::Adt(adt) => {
            let all_in = adt.variants.iter().all(|v| {
                cfg.when(&v.attrs) != When::Never
                    && v.fields.iter().all(|f| cfg.when(&f.attrs) != When::Never)
            });
            if !all_in {
                let adt = Arc::make_mut(adt);
                adt.variants.retain(|v| cfg.when(&v.attrs) != When::Never);
                for variant in &mut adt.variants {
                    variant.fields.retain(|f| cfg.when(&f.attrs) != When::Never);
                }
            }
        }
        ItemKind::Impl(_)
        | ItemKind::Trait(_)
        | ItemKind::Mod(_)
        | ItemKind::Use(_)
        | ItemKind::ExternCrate { .. }
        | ItemKind::Fn(_)
        | ItemKind::Static(_)
        | ItemKind::Const(_)
        | ItemKind::TypeAlias { .. }
        | ItemKind::MacroRules(_)
        | ItemKind::MacroCall { .. } => {}
    }
}
