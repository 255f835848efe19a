//! Expands the macro calls that stand where items do: in modules, impls, traits and extern blocks.
//!
//! Bounds: nesting of expansions, and their number in a group. A call of a macro that nobody knows whose arguments are
//! items is taken for these items: so do the wrappers that only put attributes or a `cfg` on what they are given.

use super::draft::{Call, Draft, Loader, Site};
use super::macros::{CrateMacroScope, MacroTable};
use crate::hir::{Item, ItemKind, MacroShape, Name};
use crate::project::Dependency;
use crate::project::cfg::When;
use crate::syntax::{MacroMeaning, MacroScope, expand_items, items_of_shape};
use rayon::prelude::*;
use std::sync::Arc;

/// Macro calls that come out of macro calls.
const MAX_DEPTH: u32 = 128;
/// Item macro calls expanded in one group.
const MAX_EXPANSIONS: usize = 200_000;

/// The macros known when a round begins.
struct Tables {
    own: Vec<Arc<MacroTable>>,
    /// For each crate, those of the crates it may name.
    linked: Vec<Vec<(Name, Arc<MacroTable>)>>,
}

impl Tables {
    fn new(crates: &[Draft]) -> Tables {
        let own: Vec<Arc<MacroTable>> = crates.iter().map(|krate| krate.macros.clone()).collect();
        let table = |(name, dependency): &(Name, Dependency)| match dependency {
            Dependency::Crate(id) => Some((*name, own.get(id.0 as usize)?.clone())),
            Dependency::External { .. } => None,
        };
        let linked =
            crates.iter().map(|k| k.source.dependencies.iter().filter_map(table).collect()).collect();
        Tables { own, linked }
    }
}

impl Loader<'_> {
    /// Expands the waiting calls and those that come out of them; what can't be expanded is added to `failed`.
    pub fn expand_calls(&mut self, failed: &mut Vec<Call>) {
        let tables = Tables::new(&self.crates);
        while !self.calls.is_empty() {
            let calls = std::mem::take(&mut self.calls);
            let left = MAX_EXPANSIONS.saturating_sub(self.expansions);
            let expand = |(at, call): (usize, &Call)| {
                if at < left { self.expand(call.site, &call.item, &tables) } else { None }
            };
            let expanded: Vec<_> = calls.par_iter().enumerate().map(expand).collect();
            self.expansions += calls.len();
            for (call, items) in calls.into_iter().zip(expanded) {
                match items {
                    Some(items) => self.absorb(call.site.deeper(), items),
                    None => failed.push(call),
                }
            }
        }
    }

    /// Of the failed calls, takes those of unknown macros for the items in their arguments.
    pub fn take_as_items(&mut self, failed: &mut Vec<Call>) {
        let tables = Tables::new(&self.crates);
        for call in std::mem::take(failed) {
            match self.items_in_arguments(&call, &tables) {
                Some(items) => self.absorb(call.site.deeper(), items),
                None => failed.push(call),
            }
        }
    }

    fn items_in_arguments(&self, call: &Call, tables: &Tables) -> Option<Vec<Item>> {
        let ItemKind::MacroCall { path, tokens } = &call.item.kind else { return None };
        match self.meaning(call.site, &call.item, tables) {
            MacroMeaning::Unknown if !tokens.is_empty() => {
                items_of_shape(MacroShape::Items, tokens, path.range)
            }
            MacroMeaning::Unknown | MacroMeaning::Rules(_) | MacroMeaning::Shape(_) => None,
        }
    }

    fn meaning(&self, site: Site, item: &Item, tables: &Tables) -> MacroMeaning {
        let ItemKind::MacroCall { path, .. } = &item.kind else { return MacroMeaning::Unknown };
        let draft = &self.crates[site.krate];
        CrateMacroScope {
            table: &tables.own[site.krate],
            others: &tables.linked[site.krate],
            module: &draft.modules[site.module].path,
            library: self.library,
            cfg: &draft.source.cfg,
        }
        .lookup(path)
    }

    /// `None` also when it came out of too many others.
    fn expand(&self, site: Site, item: &Item, tables: &Tables) -> Option<Vec<Item>> {
        let ItemKind::MacroCall { path, tokens } = &item.kind else { return None };
        if site.depth >= MAX_DEPTH {
            return None;
        }
        match self.meaning(site, item, tables) {
            MacroMeaning::Rules(def) => expand_items(&def, tokens, path.range),
            MacroMeaning::Shape(shape) => items_of_shape(shape, tokens, path.range),
            MacroMeaning::Unknown => None,
        }
    }

    /// Expands the calls among the items of impls, traits and extern blocks; what can't be expanded stays and is counted.
    pub fn expand_members(&mut self) {
        let tables = Tables::new(&self.crates);
        for krate in 0..self.crates.len() {
            for module in 0..self.crates[krate].modules.len() {
                let mut items = std::mem::take(&mut self.crates[krate].modules[module].node.items);
                for (item, when) in &mut items {
                    let site = Site { krate, module, when: *when, depth: 0 };
                    if let Some(members) = members_with_calls(item) {
                        let old = std::mem::take(members);
                        self.add_members(site, old, &tables, members);
                    }
                }
                self.crates[krate].modules[module].node.items = items;
            }
        }
    }

    fn add_members(&mut self, site: Site, members: Vec<Item>, tables: &Tables, out: &mut Vec<Item>) {
        for item in members {
            if self.crates[site.krate].source.cfg.when(&item.attrs) == When::Never {
                continue;
            }
            let within_bounds = is_call(&item) && self.expansions < MAX_EXPANSIONS;
            self.expansions += usize::from(within_bounds);
            match if within_bounds { self.expand(site, &item, tables) } else { None } {
                Some(items) => self.add_members(site.deeper(), items, tables, out),
                None => {
                    self.opaque_macros += u64::from(is_call(&item));
                    out.push(item);
                }
            }
        }
    }
}

impl Site {
    fn deeper(self) -> Site {
        Site { depth: self.depth + 1, ..self }
    }
}

fn is_call(item: &Item) -> bool {
    matches!(item.kind, ItemKind::MacroCall { .. })
}

/// The items of an impl, trait or extern block, if there are macro calls among them.
fn members_with_calls(item: &mut Item) -> Option<&mut Vec<Item>> {
    match &mut item.kind {
        ItemKind::Impl(imp) if imp.items.iter().any(is_call) => Some(&mut Arc::make_mut(imp).items),
        ItemKind::Trait(tr) if tr.items.iter().any(is_call) => Some(&mut Arc::make_mut(tr).items),
        ItemKind::ExternBlock { items, .. } if items.iter().any(is_call) => Some(items),
        _ => None,
    }
}
