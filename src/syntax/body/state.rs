//! What the lowering of one body has made so far.
//!
//! Both readers of a body, `direct` and the one that asks syn, write here; one may give up and the other go on from a
//! `Mark`.

use super::stmt::Contents;
use crate::hir::{
    Block, BlockItemsId, BlockKind, Body, Expr, ExprId, ExprKind, Item, ItemKind, MacroDef, Name, Path,
    TextRange,
};
use crate::syntax::expand::Budget;
use crate::syntax::types::Counters;
use crate::syntax::{MacroMeaning, MacroScope};
use std::sync::Arc;

/// Most tokens of a body that are read in vain.
const MAX_WASTED: u32 = 100_000;

pub(in crate::syntax) struct State<'a> {
    pub(in crate::syntax) macros: &'a dyn MacroScope,
    pub(in crate::syntax) exprs: Vec<Expr>,
    pub(in crate::syntax) counters: Counters,
    pub(super) block_items: Vec<Vec<Item>>,
    pub(in crate::syntax) opaque_macros: u32,
    pub(super) cut: u32,
    /// Expressions, and macro expansions, around the present one.
    pub(in crate::syntax) depth: u32,
    pub(in crate::syntax) macro_depth: u32,
    /// Of the present expression's reading, parentheses included: what takes stack.
    pub(in crate::syntax) nesting: u32,
    pub(in crate::syntax) budget: Budget,
    /// Tokens that were read in vain.
    wasted: u32,
    /// The `macro_rules!` in scope that the body itself defines, innermost last.
    pub(in crate::syntax) local_macros: Vec<Arc<MacroDef>>,
}

/// How far the lowering has come.
#[derive(Clone)]
pub(in crate::syntax) struct Mark {
    exprs: usize,
    counters: Counters,
    block_items: usize,
    opaque_macros: u32,
    cut: u32,
    depth: u32,
    macro_depth: u32,
    nesting: u32,
    budget: Budget,
    local_macros: usize,
}

impl<'a> State<'a> {
    pub(in crate::syntax) fn new(first_binding: u32, macros: &'a dyn MacroScope) -> State<'a> {
        State {
            macros,
            exprs: Vec::new(),
            counters: Counters::body(first_binding),
            block_items: Vec::new(),
            opaque_macros: 0,
            cut: 0,
            depth: 0,
            macro_depth: 0,
            nesting: 0,
            budget: Budget::default(),
            wasted: 0,
            local_macros: Vec::new(),
        }
    }

    pub(in crate::syntax) fn mark(&self) -> Mark {
        Mark {
            exprs: self.exprs.len(),
            counters: self.counters.clone(),
            block_items: self.block_items.len(),
            opaque_macros: self.opaque_macros,
            cut: self.cut,
            depth: self.depth,
            macro_depth: self.macro_depth,
            nesting: self.nesting,
            budget: self.budget.clone(),
            local_macros: self.local_macros.len(),
        }
    }

    /// Undoes all since a mark of the same or an outer block.
    pub(in crate::syntax) fn go_back(&mut self, mark: &Mark) {
        self.exprs.truncate(mark.exprs);
        self.counters = mark.counters.clone();
        self.block_items.truncate(mark.block_items);
        self.opaque_macros = mark.opaque_macros;
        self.cut = mark.cut;
        self.depth = mark.depth;
        self.macro_depth = mark.macro_depth;
        self.nesting = mark.nesting;
        self.budget = mark.budget.clone();
        self.local_macros.truncate(mark.local_macros);
    }

    /// Undoes an attempt to read so many tokens.
    pub(in crate::syntax) fn give_up(&mut self, mark: &Mark, tokens: usize) {
        let expanded = self.budget.spent_since(&mark.budget);
        self.wasted = self.wasted.saturating_add(tokens as u32).saturating_add(expanded);
        self.go_back(mark);
    }

    /// Whether something may be read that perhaps must be read again: attempts inside attempts could go on forever.
    pub(in crate::syntax) fn may_try(&self) -> bool {
        self.wasted < MAX_WASTED
    }

    /// Leaves everything to syn.
    #[cfg(test)]
    pub(super) fn try_nothing(&mut self) {
        self.wasted = MAX_WASTED;
    }

    pub(in crate::syntax) fn alloc(&mut self, kind: ExprKind, range: TextRange) -> ExprId {
        self.exprs.push(Expr { kind, range });
        ExprId(self.exprs.len() as u32 - 1)
    }

    /// In place of what isn't lowered for its depth or size.
    pub(in crate::syntax) fn cut(&mut self, range: TextRange) -> ExprId {
        self.cut += 1;
        self.alloc(ExprKind::Missing, range)
    }

    pub(in crate::syntax) fn range_of(&self, id: ExprId) -> TextRange {
        self.exprs[id.0 as usize].range
    }

    /// `&operand`
    pub(in crate::syntax) fn shared(&mut self, operand: ExprId) -> ExprId {
        let range = self.range_of(operand);
        self.alloc(ExprKind::Borrow { mutable: false, raw: false, operand }, range)
    }

    /// What a macro's path means here: the body's own definitions come first.
    pub(in crate::syntax) fn meaning(&self, path: &Path) -> MacroMeaning {
        if let [only] = &path.segments[..] {
            let local = self.local_macros.iter().rev().find(|def| def.name == only.name);
            if let Some(def) = local {
                return MacroMeaning::Rules(def.clone());
            }
        }
        self.macros.lookup(path)
    }

    pub(in crate::syntax) fn finish_block(
        &mut self,
        contents: Contents,
        kind: BlockKind,
        label: Option<Name>,
        range: TextRange,
    ) -> ExprId {
        let Contents { items, stmts, tail } = contents;
        let items = (!items.is_empty()).then(|| {
            self.block_items.push(items);
            BlockItemsId(self.block_items.len() as u32 - 1)
        });
        self.alloc(ExprKind::Block(Block { kind, label, items, stmts, tail, transparent: false }), range)
    }

    /// Adds items to a block; its macros are in scope from here on.
    pub(in crate::syntax) fn add_items(&mut self, items: impl IntoIterator<Item = Item>, out: &mut Contents) {
        for item in items {
            if !item.attrs.is_empty() && !self.macros.enabled(&item.attrs) {
                continue;
            }
            if let ItemKind::MacroRules(def) = &item.kind {
                self.local_macros.push(def.clone());
            }
            out.items.push(item);
        }
    }

    pub(super) fn finish(self, root: ExprId) -> Body {
        Body {
            exprs: self.exprs,
            root,
            binding_count: self.counters.bindings,
            path_count: self.counters.paths,
            block_items: self.block_items,
            opaque_macros: self.opaque_macros,
            cut: self.cut,
        }
    }
}
