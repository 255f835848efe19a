//! Items in function bodies.
//!
//! In: the bodies that `collect` left pending because an item's keyword (or a macro that makes items) stands in them.
//! Out: an anonymous module for each block with items, below the module (or block) around it, its items collected
//! like any others; and again for the bodies of those items, until none is left.
//!
//! Invariants. Afterwards the program's tables are complete: resolving a body never adds to them. A body is lowered here
//! only where its tokens don't tell its items. Reading runs in parallel; what is found is entered in the bodies' order.

use super::collect::{Collector, Place};
use super::scope::CrateNames;
use super::{BodyOwner, File, ModuleId, Owner, Program};
use crate::finding::FileId;
use crate::hir::{
    Block, BlockItemsId, Body, BodySource, Delim, ExprId, ExprKind, Item, MacroDef, MacroShape, Name,
    NameMap, Stmt, TextRange, Tt,
};
use crate::project::load::{CrateMacroScope, LibraryMacros, MacroTable};
use crate::syntax::{BlockItems, LoweredBody, block_items, lower_body};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::sync::{Arc, LazyLock, Mutex};

/// Words that may begin an item.
static KEYWORDS: LazyLock<NameMap<bool>> = LazyLock::new(|| {
    let mut words = NameMap::default();
    KEYWORD_TEXTS.iter().for_each(|word| *words.get_mut(Name::new(word)) = true);
    words
});

const KEYWORD_TEXTS: [&str; 13] = [
    "fn",
    "static",
    "const",
    "struct",
    "enum",
    "impl",
    "trait",
    "use",
    "mod",
    "type",
    "macro_rules",
    "union",
    "extern",
];

/// A body that may hold items.
pub(super) struct PendingBody {
    pub owner: BodyOwner,
    pub place: Place,
    pub source: BodySource,
    pub first_binding: u32,
}

/// The modules of a body's blocks.
pub(super) enum BodyBlocks {
    /// Read from the tokens: the module with where the first of its items begins.
    Read(Vec<(u32, ModuleId)>),
    Lowered {
        /// Taken when the body is resolved.
        lowered: Mutex<Option<LoweredBody>>,
        /// By `BlockItemsId`.
        modules: Vec<Option<ModuleId>>,
    },
}

impl BodyBlocks {
    /// The body, if it was lowered already and nobody took it.
    pub fn take_lowered(&self) -> Option<LoweredBody> {
        match self {
            BodyBlocks::Read(_) => None,
            BodyBlocks::Lowered { lowered, .. } => lowered.lock().ok()?.take(),
        }
    }

    /// By `BlockItemsId` of the lowered body.
    pub fn modules(&self, body: &Body) -> Vec<Option<ModuleId>> {
        let read = match self {
            BodyBlocks::Lowered { modules, .. } => return modules.clone(),
            BodyBlocks::Read(read) => read,
        };
        let starting = |lo: u32| read.iter().find(|(start, _)| *start == lo).map(|(_, module)| *module);
        let of_items = |items: &Vec<Item>| items.first().and_then(|item| starting(item.range.lo));
        body.block_items.iter().map(of_items).collect()
    }
}

/// What there is to know of the items in a body's blocks.
enum Found {
    Read(Vec<BlockItems>),
    Lowered(LoweredBody),
}

/// What the macros of each table make: a library's are those of all crates that depend on it.
#[derive(Default)]
pub(super) struct MadeByMacros {
    of: Vec<(Arc<MacroTable>, MadeByName)>,
}

type MadeByName = Vec<(Name, Arc<Made>)>;

impl MadeByMacros {
    fn of(&mut self, table: &Arc<MacroTable>) -> &[(Name, Arc<Made>)] {
        let known = self.of.iter().position(|(of, _)| Arc::ptr_eq(of, table));
        let at = known.unwrap_or_else(|| {
            let made = table.defs.iter().map(|(_, def)| (def.name, Arc::new(Made::by(def))));
            self.of.push((table.clone(), made.collect()));
            self.of.len() - 1
        });
        &self.of[at].1
    }
}

/// Which macros that a crate's bodies call may stand for items.
pub(super) struct ItemWords {
    /// The answer for each name seen so far.
    known: FxHashMap<Name, bool>,
}

impl ItemWords {
    pub fn new(krate: &CrateNames, made: &mut MadeByMacros) -> ItemWords {
        let mut known: FxHashMap<Name, bool> = FxHashMap::default();
        let tables = std::iter::once(&krate.macros).chain(krate.other_macros.iter().map(|(_, table)| table));
        let mut left: Vec<(Name, Arc<Made>)> = tables.flat_map(|table| made.of(table).to_vec()).collect();
        loop {
            let before = left.len();
            left.retain(|(name, made)| {
                let items = made.items || made.calls.iter().any(|called| known.contains_key(called));
                if items {
                    known.insert(*name, true);
                }
                !items
            });
            if left.len() == before {
                return ItemWords { known };
            }
        }
    }

    fn is_item_word(&mut self, name: Name, library: &dyn LibraryMacros) -> bool {
        *self.known.entry(name).or_insert_with(|| library_makes_items(name, library))
    }

    /// Whether a macro of this name may stand for items.
    fn makes_items(&self, name: Name, library: &dyn LibraryMacros) -> bool {
        self.known.get(&name).copied().unwrap_or_else(|| library_makes_items(name, library))
    }

    fn tokens_may_have_items(&mut self, tokens: &[Tt], library: &dyn LibraryMacros) -> bool {
        let mut made = Made::default();
        made.add(tokens, false);
        made.items || made.calls.iter().any(|name| self.is_item_word(*name, library))
    }

    pub fn may_have_items(&mut self, file: &File, source: &BodySource, library: &dyn LibraryMacros) -> bool {
        match source {
            BodySource::Tokens(tokens) => self.tokens_may_have_items(tokens, library),
            BodySource::Text(range) => match file.bodies.binary_search_by_key(&range.lo, |b| b.range.lo) {
                Ok(at) => {
                    let body = &file.bodies[at];
                    let keywords = &*KEYWORDS;
                    body.identifiers.iter().any(|name| keywords.get(*name))
                        || body.macros.iter().any(|name| self.is_item_word(*name, library))
                }
                Err(_) => text_has_keyword(&file.source.text, *range),
            },
        }
    }
}

fn library_makes_items(name: Name, library: &dyn LibraryMacros) -> bool {
    use MacroShape as M;
    matches!(library.shape(&[name]), Some(M::ThreadLocal | M::LazyStatic | M::CfgIf | M::Items))
}

/// What tokens may stand for.
#[derive(Default)]
struct Made {
    /// An item's keyword stands among them.
    items: bool,
    /// The macros that they may call.
    calls: Vec<Name>,
}

impl Made {
    /// What a macro's rules write.
    fn by(def: &MacroDef) -> Made {
        let mut made = Made::default();
        def.rules.iter().for_each(|rule| made.add(&rule.transcriber, false));
        made
    }

    /// `in_call`: the tokens are a macro's arguments, which it may call in turn.
    fn add(&mut self, tokens: &[Tt], in_call: bool) {
        for (at, tt) in tokens.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &tokens[before]);
            match tt {
                Tt::Ident(name, _) if KEYWORDS.get(*name) => {
                    self.items |= !is_no_item(*name, before, &tokens[at + 1..]);
                }
                Tt::Ident(name, _) if in_call || is_bang(tokens.get(at + 1)) => self.calls.push(*name),
                Tt::Group(_, inner, _) => self.add(inner, in_call || is_bang(before)),
                Tt::Ident(..) | Tt::Lifetime(..) | Tt::Punct(..) | Tt::Literal(..) => {}
            }
        }
    }
}

fn is_bang(tt: Option<&Tt>) -> bool {
    matches!(tt, Some(Tt::Punct('!', ..)))
}

/// Whether an item's keyword is part of an expression, a type or a macro's variable between these tokens.
fn is_no_item(keyword: Name, before: Option<&Tt>, after: &[Tt]) -> bool {
    let is_group = |wanted: Delim| matches!(after, [Tt::Group(delim, ..), ..] if *delim == wanted);
    let is_variable = matches!(before, Some(Tt::Punct('$', ..)));
    is_variable
        || match keyword.as_str() {
            "fn" => is_group(Delim::Paren),
            "const" => matches!(before, Some(Tt::Punct('*', ..))) || is_group(Delim::Brace),
            "union" => !matches!(after, [Tt::Ident(..) | Tt::Punct('$', ..), ..]),
            _ => false,
        }
}

/// Whether an initializer that has a block holds an item's keyword.
fn text_has_keyword(text: &str, range: TextRange) -> bool {
    let Some(text) = text.get(range.lo as usize..range.hi as usize) else { return false };
    text.contains('{')
        && text
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\''))
            .any(|w| KEYWORD_TEXTS.contains(&w))
}

impl Program {
    /// Lowers a body that stands in `module`.
    pub(super) fn lower(
        &self,
        module: ModuleId,
        file: FileId,
        source: &BodySource,
        first_binding: u32,
    ) -> LoweredBody {
        let path = self.module_path(module);
        let macros = self.macro_scope(module, &path);
        lower_body(&self.file(file).source.text, source, first_binding, &macros)
    }

    /// What macros mean in the module, whose path is given.
    fn macro_scope<'p>(&'p self, module: ModuleId, path: &'p [Name]) -> CrateMacroScope<'p> {
        let krate = self.krate(module).0 as usize;
        let names = &self.index.crates[krate];
        CrateMacroScope {
            table: &names.macros,
            others: &names.other_macros,
            module: path,
            library: &*self.index.macros,
            cfg: &self.crates[krate].source.cfg,
        }
    }

    /// The items in a body's blocks, from its tokens if they tell.
    fn items_of_body(&self, pending: &PendingBody, words: &[ItemWords]) -> Found {
        let Place { module, file, .. } = pending.place;
        if let BodySource::Text(range) = pending.source {
            let words = &words[self.krate(module).0 as usize];
            let makes_items = |name| words.makes_items(name, &*self.index.macros);
            let path = self.module_path(module);
            let macros = self.macro_scope(module, &path);
            if let Some(found) = block_items(&self.file(file).source.text, range, &macros, &makes_items) {
                return Found::Read(found);
            }
        }
        Found::Lowered(self.lower(module, file, &pending.source, pending.first_binding))
    }
}

/// Finds the items in the pending bodies that are wanted.
pub(super) fn collect_blocks(collector: &mut Collector, wanted: &dyn Fn(&Program, BodyOwner) -> bool) {
    while !collector.pending.is_empty() {
        let mut batch = std::mem::take(&mut collector.pending);
        let Collector { program, words, .. } = &*collector;
        batch.retain(|pending| wanted(program, pending.owner));
        let found: Vec<Found> =
            batch.par_iter().map(|pending| program.items_of_body(pending, words)).collect();
        for (pending, found) in batch.iter().zip(found) {
            let blocks = match found {
                Found::Read(blocks) => collector.enter_read(pending, blocks),
                Found::Lowered(lowered) => collector.enter_lowered(pending, lowered),
            };
            collector.program.index.blocks.insert(pending.owner, blocks);
        }
    }
}

impl Collector {
    /// Makes the modules of a body's blocks, the outer ones first, and collects their items.
    fn enter_read(&mut self, pending: &PendingBody, blocks: Vec<BlockItems>) -> BodyBlocks {
        let mut by_start: Vec<&BlockItems> = blocks.iter().collect();
        by_start.sort_by_key(|block| block.range.lo);
        let mut around: Vec<(TextRange, ModuleId)> = Vec::new();
        let mut modules: Vec<(u32, ModuleId)> = Vec::new();
        for block in by_start {
            while around.last().is_some_and(|(range, _)| range.hi <= block.range.lo) {
                around.pop();
            }
            let outer = around.last().map_or(pending.place.module, |(_, module)| *module);
            let module = self.block_module(pending, outer);
            around.push((block.range, module));
            modules.push((block.items[0].range.lo, module));
        }
        for block in &blocks {
            let lo = block.items[0].range.lo;
            let Some((_, module)) = modules.iter().find(|(start, _)| *start == lo) else { continue };
            let place = Place { module: *module, owner: Owner::Module, ..pending.place };
            self.undecided_items(place, &block.items);
        }
        BodyBlocks::Read(modules)
    }

    /// The same for a body that was lowered.
    fn enter_lowered(&mut self, pending: &PendingBody, lowered: LoweredBody) -> BodyBlocks {
        let body = &lowered.body;
        let mut modules: Vec<Option<ModuleId>> = vec![None; body.block_items.len()];
        let mut todo = Vec::new();
        if !body.block_items.is_empty() {
            todo.push((body.root, pending.place.module));
        }
        while let Some((id, around)) = todo.pop() {
            let kind = &body.expr(id).kind;
            let mut module = around;
            if let ExprKind::Block(block) = kind {
                let mut own = items_of_block(body, block);
                own.retain(|items| modules.get(items.0 as usize).is_some_and(|m| m.is_none()));
                if !own.is_empty() {
                    module = self.block_module(pending, around);
                    for items in own {
                        modules[items.0 as usize] = Some(module);
                    }
                }
            }
            let first = todo.len();
            children(kind, &mut |child| todo.push((child, module)));
            todo[first..].reverse();
        }
        for (items, module) in body.block_items.iter().zip(&modules) {
            if let Some(module) = *module {
                self.undecided_items(Place { module, owner: Owner::Module, ..pending.place }, items);
            }
        }
        BodyBlocks::Lowered { lowered: Mutex::new(Some(lowered)), modules }
    }

    fn block_module(&mut self, pending: &PendingBody, around: ModuleId) -> ModuleId {
        let krate = self.program.krate(around);
        let name = self.program.modules[around.index()].name;
        let id = self.new_module(name, krate, Some(around), pending.place.file, pending.place.when);
        let def = &mut self.program.modules[id.index()];
        def.is_block = true;
        def.block_of = match pending.owner {
            BodyOwner::Fn(id) => Some(id),
            BodyOwner::Static(_) | BodyOwner::Const(_) => None,
        };
        id
    }
}

/// The items that a block declares, those of the macro calls among its statements included.
pub(super) fn items_of_block(body: &Body, block: &Block) -> Vec<BlockItemsId> {
    let mut found: Vec<BlockItemsId> = block.items.into_iter().collect();
    let statements = block.stmts.iter().filter_map(|s| match s {
        Stmt::Expr(e) => Some(*e),
        Stmt::Let { .. } => None,
    });
    for statement in statements.chain(block.tail) {
        if let ExprKind::Block(inner) = &body.expr(statement).kind
            && inner.transparent
        {
            found.extend(items_of_block(body, inner));
        }
    }
    found
}

/// The expressions directly below one, in source order.
fn children(kind: &ExprKind, visit: &mut dyn FnMut(ExprId)) {
    let mut all = |ids: &[ExprId]| ids.iter().for_each(|id| visit(*id));
    match kind {
        ExprKind::Missing | ExprKind::Lit(_) | ExprKind::Path(_) | ExprKind::Continue { .. } => {}
        ExprKind::Block(block) => {
            for stmt in &block.stmts {
                match stmt {
                    Stmt::Let { init, else_, .. } => init.iter().chain(else_).for_each(|id| visit(*id)),
                    Stmt::Expr(e) => visit(*e),
                }
            }
            block.tail.iter().for_each(|id| visit(*id));
        }
        ExprKind::If { cond, then, else_ } => {
            all(&[*cond, *then]);
            else_.iter().for_each(|id| visit(*id));
        }
        ExprKind::Match { scrutinee, arms } => {
            visit(*scrutinee);
            for arm in arms {
                arm.guard.iter().chain([&arm.body]).for_each(|id| visit(*id));
            }
        }
        ExprKind::While { cond: a, body: b, .. }
        | ExprKind::For { iter: a, body: b, .. }
        | ExprKind::Index { base: a, index: b }
        | ExprKind::Binary { left: a, right: b, .. }
        | ExprKind::Assign { left: a, right: b }
        | ExprKind::AssignOp { left: a, right: b, .. }
        | ExprKind::Repeat { element: a, len: b, .. } => all(&[*a, *b]),
        ExprKind::Let { scrutinee: e, .. }
        | ExprKind::Loop { body: e, .. }
        | ExprKind::Field { base: e, .. }
        | ExprKind::Unary { operand: e, .. }
        | ExprKind::Borrow { operand: e, .. }
        | ExprKind::Cast { operand: e, .. }
        | ExprKind::Await(e)
        | ExprKind::Try(e) => visit(*e),
        ExprKind::Closure(closure) => visit(closure.body),
        ExprKind::Break { value, .. } | ExprKind::Return(value) => value.iter().for_each(|id| visit(*id)),
        ExprKind::Call { callee: first, args } | ExprKind::MethodCall { receiver: first, args, .. } => {
            visit(*first);
            args.iter().for_each(|id| visit(*id));
        }
        ExprKind::Struct { fields, base, .. } => {
            fields.iter().map(|(_, id)| id).chain(base).for_each(|id| visit(*id));
        }
        ExprKind::Tuple(args)
        | ExprKind::Array { elements: args, .. }
        | ExprKind::MacroArgs { args, .. }
        | ExprKind::Join { branches: args, .. } => all(args),
        ExprKind::Range { lo, hi, .. } => lo.iter().chain(hi).for_each(|id| visit(*id)),
        ExprKind::Select { branches, else_, .. } => {
            for branch in branches {
                [Some(&branch.future), branch.guard.as_ref(), Some(&branch.handler)]
                    .into_iter()
                    .flatten()
                    .for_each(|id| visit(*id));
            }
            else_.iter().for_each(|id| visit(*id));
        }
    }
}
