//! Bodies: what each name in a function's body or in an initializer means.
//!
//! In: a lowered body and the scope it stands in. Out: `ResolvedBody`: a meaning for every path by `PathId`, a local
//! (or the constant it names) for every pattern binding by `BindingId`.
//!
//! Scoping follows the Rust Reference ("Names/Scopes"): a `let` is visible after its statement, an `if let` or
//! `while let` in the rest of its condition and in the block, a block's items in the whole block. Locals are numbered
//! parameters first, `self` first of all; alternatives of an or-pattern share one. Closures share their body's numbers.
//! Bodies are resolved on first use and kept; threads may ask at once.

use super::blocks::{BodyBlocks, items_of_block};
use super::paths::{Env, Rib};
use super::scope::{Def, Namespace, WORDS};
use super::ty::no_args;
use super::*;
use crate::finding::FileId;
use crate::hir::{
    self, BinaryOp, BindingId, Block, Body, BodySource, ExprId, ExprKind, FnItem, Name, Pat, Path, PathId,
    SelectBranch, Stmt, TextRange, Type,
};
use crate::syntax::LoweredBody;
use std::cell::RefCell;
use std::sync::Arc;

/// Deepest nesting of expressions that is looked into.
const MAX_DEPTH: u32 = 1000;

/// Where a body stands.
struct Site<'a> {
    owner: BodyOwner,
    module: ModuleId,
    file: FileId,
    generics: &'a [ParamId],
    self_ty: Option<Ty>,
    source: &'a BodySource,
    /// A function's declaration, and its name's place (which `self` is given).
    item: Option<(&'a FnItem, TextRange)>,
}

impl Program {
    /// The resolved body of a function, its parameters' patterns included; `None`: it has none.
    pub fn body(&self, id: FnId) -> Option<Arc<ResolvedBody>> {
        let def = self.fn_def(id);
        let resolve = || {
            Some(self.resolve_body(Site {
                owner: BodyOwner::Fn(id),
                module: def.module,
                file: def.file,
                generics: &def.generics,
                self_ty: self.owner_self(def.owner),
                source: def.item.body.as_ref()?,
                item: Some((&def.item, def.name_range)),
            }))
        };
        def.body.get_or_init(resolve).clone()
    }

    /// A lower bound, mostly, of the expressions in a function's body: those of the body, where it was asked for before,
    /// else what its words tell.
    pub fn body_size_at_least(&self, id: FnId) -> u64 {
        let def = self.fn_def(id);
        if let Some(known) = def.body.get() {
            return known.as_ref().map_or(0, |body| body.body.exprs.len() as u64);
        }
        let Some(BodySource::Text(range)) = &def.item.body else { return 0 };
        let bodies = &self.file(def.file).bodies;
        let Ok(at) = bodies.binary_search_by_key(&range.lo, |body| body.range.lo) else { return 0 };
        // After a dot stands a field's or a method's name, and before it another expression.
        const FOR_DOTTED: usize = 2;
        (bodies[at].identifiers.len() + FOR_DOTTED * bodies[at].dotted.len()) as u64
    }

    /// The resolved initializer of a static.
    pub fn static_init(&self, id: StaticId) -> Option<Arc<ResolvedBody>> {
        let def = &self.statics[id.index()];
        let resolve = || {
            Some(self.resolve_body(Site {
                owner: BodyOwner::Static(id),
                module: def.module,
                file: def.file,
                generics: &[],
                self_ty: None,
                source: def.item.init.as_ref()?,
                item: None,
            }))
        };
        def.body.get_or_init(resolve).clone()
    }

    /// The resolved initializer of a constant.
    pub fn const_init(&self, id: ConstId) -> Option<Arc<ResolvedBody>> {
        let def = &self.consts[id.index()];
        let resolve = || {
            Some(self.resolve_body(Site {
                owner: BodyOwner::Const(id),
                module: def.module,
                file: def.file,
                generics: self.owner_generics(def.owner),
                self_ty: self.owner_self(def.owner),
                source: def.item.init.as_ref()?,
                item: None,
            }))
        };
        def.body.get_or_init(resolve).clone()
    }

    /// A type written in a body.
    pub fn type_in(&self, body: &ResolvedBody, ty: &Type) -> Ty {
        let all = |tys: &[Type]| -> Args { tys.iter().map(|ty| self.type_in(body, ty)).collect() };
        match ty {
            Type::Path(path) => match body.res(path) {
                Res::Type(ty) => ty.clone(),
                _ => Ty::Unknown,
            },
            Type::Ref { mutable, inner } => Ty::reference(*mutable, self.type_in(body, inner)),
            Type::Ptr { mutable, inner } => {
                Ty::Ptr { mutable: *mutable, inner: Arc::new(self.type_in(body, inner)) }
            }
            Type::Tuple(parts) => Ty::Tuple(all(parts)),
            Type::Array(inner, _) => Ty::Array(Arc::new(self.type_in(body, inner))),
            Type::Slice(inner) => Ty::Slice(Arc::new(self.type_in(body, inner))),
            Type::FnPtr { params, ret } => {
                let ret = ret.as_ref().map_or_else(Ty::unit, |ret| self.type_in(body, ret));
                Ty::FnPtr(Arc::new((all(params), ret)))
            }
            Type::Dyn(bounds) | Type::Impl(bounds) => Ty::Dyn(traits_in(body, bounds)),
            Type::Never => Ty::Never,
            Type::Infer | Type::Unknown => Ty::Unknown,
        }
    }

    fn resolve_body(&self, site: Site) -> Arc<ResolvedBody> {
        let blocks = self.index.blocks.get(&site.owner);
        let ready = blocks.and_then(BodyBlocks::take_lowered);
        let lowered = ready.unwrap_or_else(|| {
            let first_binding = site.item.map_or(0, |(item, _)| item.param_bindings);
            self.lower(site.module, site.file, site.source, first_binding)
        });
        let LoweredBody { body, errors } = lowered;
        let mut resolver = Resolver {
            program: self,
            site: &site,
            body: &body,
            modules: blocks.map(|blocks| blocks.modules(&body)).unwrap_or_default(),
            ribs: Vec::new(),
            paths: RefCell::new(vec![Res::Unresolved; body.path_count as usize]),
            param_paths: Vec::new(),
            bindings: vec![Bound::Named(Res::Unresolved); body.binding_count as usize],
            locals: Vec::new(),
            depth: 0,
        };
        if let Some((item, name_range)) = site.item {
            resolver.parameters(item, name_range);
        }
        resolver.expr(body.root);
        let Resolver { paths, param_paths, bindings, locals, .. } = resolver;
        Arc::new(ResolvedBody {
            module: site.module,
            file: site.file,
            edition: self.edition(site.module),
            paths: paths.into_inner(),
            bindings,
            locals,
            param_paths,
            errors,
            body,
        })
    }
}

fn traits_in(body: &ResolvedBody, bounds: &[hir::Bound]) -> Arc<[TraitRef]> {
    let traits = bounds.iter().filter_map(|bound| match body.res(&bound.path) {
        Res::Type(Ty::Dyn(traits)) => traits.first().cloned(),
        _ => None,
    });
    traits.collect()
}

struct Resolver<'a> {
    program: &'a Program,
    site: &'a Site<'a>,
    body: &'a Body,
    /// Of the blocks with items, by `BlockItemsId`.
    modules: Vec<Option<ModuleId>>,
    ribs: Vec<Rib>,
    paths: RefCell<Vec<Res>>,
    param_paths: Vec<(TextRange, Res)>,
    bindings: Vec<Bound>,
    locals: Vec<Local>,
    depth: u32,
}

impl Resolver<'_> {
    fn env(&self) -> Env<'_> {
        Env {
            generics: self.site.generics,
            self_ty: self.site.self_ty.as_ref(),
            ribs: &self.ribs,
            record: Some(&self.paths),
            ..Env::of_module(self.program, self.site.module)
        }
    }

    fn parameters(&mut self, item: &FnItem, name_range: TextRange) {
        if item.self_param.is_some() {
            let name = WORDS.self_value;
            let id = self.local(name, BindingId(0), false, name_range);
            self.ribs.push(Rib::Local(name, id));
        }
        for param in &item.params {
            self.declare(&param.pat);
        }
    }

    /// A new local for a binding.
    fn local(&mut self, name: Name, binding: BindingId, mutable: bool, range: TextRange) -> LocalId {
        let id = LocalId(self.locals.len() as u32);
        self.locals.push(Local { name, mutable, range });
        self.bind(binding, Bound::Local(id));
        id
    }

    fn bind(&mut self, binding: BindingId, bound: Bound) {
        let at = binding.0 as usize;
        if at >= self.bindings.len() {
            self.bindings.resize(at + 1, Bound::Named(Res::Unresolved));
        }
        self.bindings[at] = bound;
    }

    /// Runs `part` and forgets the names it introduced.
    fn scoped(&mut self, part: impl FnOnce(&mut Self)) {
        let mark = self.ribs.len();
        part(self);
        self.ribs.truncate(mark);
    }

    fn all(&mut self, ids: &[ExprId]) {
        ids.iter().for_each(|id| self.expr(*id));
    }

    fn each(&mut self, ids: &[Option<ExprId>]) {
        ids.iter().flatten().for_each(|id| self.expr(*id));
    }

    /// An expression; chains of calls, fields and operators are followed without recursion.
    fn expr(&mut self, id: ExprId) {
        let body = self.body;
        let mut chain = Vec::new();
        let mut at = id;
        while let Some(left) = leftmost(&body.expr(at).kind) {
            chain.push(at);
            at = left;
        }
        if self.depth < MAX_DEPTH {
            self.depth += 1;
            self.node(&body.expr(at).kind);
            for link in chain.into_iter().rev() {
                self.link(&body.expr(link).kind);
            }
            self.depth -= 1;
        }
    }

    /// What follows the leftmost operand of a link of a chain.
    fn link(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::MethodCall { generic_args, args, .. } => {
                generic_args.iter().for_each(|ty| self.ty(ty));
                self.all(args);
            }
            ExprKind::Call { args, .. } => self.all(args),
            ExprKind::Index { index: right, .. } | ExprKind::Binary { right, .. } => self.expr(*right),
            ExprKind::Cast { ty, .. } => self.ty(ty),
            _ => {}
        }
    }

    fn ty(&self, ty: &Type) {
        self.env().ty(ty);
    }

    /// An expression that is no link of a chain.
    fn node(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Missing | ExprKind::Lit(_) | ExprKind::Continue { .. } => {}
            ExprKind::Path(path) => {
                self.env().value(path, true);
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::If { cond, then, else_ } => self.if_chain(*cond, *then, *else_),
            ExprKind::Match { scrutinee, arms } => {
                self.expr(*scrutinee);
                for arm in arms {
                    self.scoped(|r| {
                        r.declare(&arm.pat);
                        arm.guard.iter().for_each(|guard| r.condition(*guard));
                        r.expr(arm.body);
                    });
                }
            }
            ExprKind::While { cond, body, .. } => self.scoped(|r| {
                r.condition(*cond);
                r.expr(*body);
            }),
            ExprKind::For { pat, iter, body, .. } => {
                self.expr(*iter);
                self.scoped(|r| {
                    r.declare(pat);
                    r.expr(*body);
                });
            }
            ExprKind::Let { pat, scrutinee } => {
                self.expr(*scrutinee);
                self.scoped(|r| r.declare(pat));
            }
            ExprKind::Closure(closure) => self.scoped(|r| {
                for (pat, ty) in &closure.params {
                    ty.iter().for_each(|ty| r.ty(ty));
                    r.declare(pat);
                }
                closure.ret.iter().for_each(|ty| r.ty(ty));
                r.expr(closure.body);
            }),
            ExprKind::Struct { path, fields, base } => {
                self.env().shape(path);
                fields.iter().for_each(|(_, value)| self.expr(*value));
                self.each(&[*base]);
            }
            ExprKind::Select { branches, else_, .. } => {
                branches.iter().for_each(|branch| self.select_branch(branch));
                self.each(&[*else_]);
            }
            // A conjunction may hold `let`s whose names the rest of it sees.
            ExprKind::Binary { .. } => self.scoped(|r| r.condition_of(kind)),
            ExprKind::Break { value, .. } | ExprKind::Return(value) => self.each(&[*value]),
            ExprKind::Range { lo, hi, .. } => self.each(&[*lo, *hi]),
            ExprKind::Assign { left, right } | ExprKind::AssignOp { left, right, .. } => {
                self.all(&[*left, *right])
            }
            ExprKind::Repeat { element, len, .. } => self.all(&[*element, *len]),
            ExprKind::Loop { body: e, .. }
            | ExprKind::Unary { operand: e, .. }
            | ExprKind::Borrow { operand: e, .. } => self.expr(*e),
            ExprKind::Tuple(args)
            | ExprKind::Array { elements: args, .. }
            | ExprKind::MacroArgs { args, .. }
            | ExprKind::Join { branches: args, .. } => self.all(args),
            // Links of chains; `expr` takes these apart.
            ExprKind::MethodCall { .. }
            | ExprKind::Call { .. }
            | ExprKind::Field { .. }
            | ExprKind::Index { .. }
            | ExprKind::Cast { .. }
            | ExprKind::Await(_)
            | ExprKind::Try(_) => {}
        }
    }

    /// `if … else if … else …`
    fn if_chain(&mut self, cond: ExprId, then: ExprId, else_: Option<ExprId>) {
        let body = self.body;
        let mut next = Some((cond, then, else_));
        while let Some((cond, then, else_)) = next.take() {
            self.scoped(|r| {
                r.condition(cond);
                r.expr(then);
            });
            let Some(other) = else_ else { return };
            match &body.expr(other).kind {
                ExprKind::If { cond, then, else_ } => next = Some((*cond, *then, *else_)),
                _ => self.expr(other),
            }
        }
    }

    /// A condition: names that its `let`s introduce stay visible.
    fn condition(&mut self, id: ExprId) {
        let kind = &self.body.expr(id).kind;
        if !is_condition(kind) {
            self.expr(id);
        } else if self.depth < MAX_DEPTH {
            self.depth += 1;
            self.condition_of(kind);
            self.depth -= 1;
        }
    }

    /// The same for the two forms that introduce names; nothing for others.
    fn condition_of(&mut self, kind: &ExprKind) {
        let body = self.body;
        match kind {
            ExprKind::Let { pat, scrutinee } => {
                self.expr(*scrutinee);
                self.declare(pat);
            }
            ExprKind::Binary { op: BinaryOp::And, left, right } => {
                let mut operands = vec![*right];
                let mut at = *left;
                while let ExprKind::Binary { op: BinaryOp::And, left, right } = &body.expr(at).kind {
                    operands.push(*right);
                    at = *left;
                }
                self.condition(at);
                operands.iter().rev().for_each(|operand| self.condition(*operand));
            }
            _ => {}
        }
    }

    fn select_branch(&mut self, branch: &SelectBranch) {
        self.expr(branch.future);
        self.each(&[branch.guard]);
        self.scoped(|r| {
            r.declare(&branch.pat);
            r.expr(branch.handler);
        });
    }

    fn block(&mut self, block: &Block) {
        let mark = self.ribs.len();
        if !self.modules.is_empty() && !block.transparent {
            let items = items_of_block(self.body, block);
            let module = items.first().and_then(|id| *self.modules.get(id.0 as usize)?);
            self.ribs.extend(module.map(Rib::Items));
        }
        for stmt in &block.stmts {
            match stmt {
                Stmt::Let { pat, ty, init, else_ } => {
                    ty.iter().for_each(|ty| self.ty(ty));
                    self.each(&[*init, *else_]);
                    self.declare(pat);
                }
                Stmt::Expr(e) => self.expr(*e),
            }
        }
        self.each(&[block.tail]);
        if !block.transparent {
            self.ribs.truncate(mark);
        }
    }

    /// Resolves a pattern and brings its names into scope.
    fn declare(&mut self, pat: &Pat) {
        let mut made = Vec::new();
        self.pattern(pat, &mut made);
        self.ribs.extend(made.into_iter().map(|(name, id)| Rib::Local(name, id)));
    }

    fn pattern(&mut self, pat: &Pat, made: &mut Vec<(Name, LocalId)>) {
        match pat {
            Pat::Wild | Pat::Rest | Pat::Lit(_) | Pat::Range | Pat::Unknown => {}
            Pat::Bind { name, binding, by_ref, mutable, sub, range } => {
                let named =
                    if *by_ref || *mutable || sub.is_some() { None } else { self.pattern_constant(*name) };
                let made_before = made.iter().find(|(n, _)| n == name).map(|(_, id)| *id);
                match (named, made_before) {
                    (Some(res), _) => self.bind(*binding, Bound::Named(res)),
                    (None, Some(id)) => self.bind(*binding, Bound::Local(id)),
                    (None, None) => made.push((*name, self.local(*name, *binding, *mutable, *range))),
                }
                sub.iter().for_each(|sub| self.pattern(sub, made));
            }
            Pat::Path(path) => {
                let res = self.env().value(path, false);
                self.note_param_path(path, res);
            }
            Pat::TupleStruct(path, parts) => {
                let res = self.env().value(path, false);
                self.note_param_path(path, res);
                parts.iter().for_each(|part| self.pattern(part, made));
            }
            Pat::Struct { path, fields, .. } => {
                let res = self.env().shape(path);
                self.note_param_path(path, res);
                fields.iter().for_each(|(_, part)| self.pattern(part, made));
            }
            Pat::Ref(inner) => self.pattern(inner, made),
            Pat::Tuple(parts) | Pat::Slice(parts) | Pat::Or(parts) => {
                parts.iter().for_each(|part| self.pattern(part, made));
            }
        }
    }

    fn note_param_path(&mut self, path: &Path, res: Res) {
        if path.id == PathId::ITEM {
            self.param_paths.push((path.range, res));
        }
    }

    /// What a plain name in a pattern stands for, if it introduces no variable.
    fn pattern_constant(&self, name: Name) -> Option<Res> {
        let items = self.ribs.iter().rev().filter_map(|rib| match rib {
            Rib::Items(module) => self.program.in_scope(*module, Namespace::Values, name),
            Rib::Local(..) => None,
        });
        let def = items
            .into_iter()
            .next()
            .or_else(|| self.program.lexical(self.site.module, Namespace::Values, name))
            .or_else(|| {
                let path = self.program.index.names.prelude(name, self.program.edition(self.site.module))?;
                Some(Def::Ext(path))
            })?;
        if !self.program.is_pattern_constant(def) {
            return None;
        }
        match def {
            Def::Const(id) => Some(Res::Const(id)),
            Def::Static(id) => Some(Res::Static(id)),
            Def::Variant(adt, variant) => Some(Res::Variant(adt, variant, no_args())),
            Def::Ext(path) => Some(Res::Ext(path, no_args())),
            Def::Module(_) | Def::Adt(_) | Def::Trait(_) | Def::Alias(_) | Def::Fn(_) => None,
        }
    }
}

/// The operand that a link of a chain begins with. Conjunctions are no links: they may hold `let`s.
fn leftmost(kind: &ExprKind) -> Option<ExprId> {
    match kind {
        ExprKind::MethodCall { receiver: e, .. }
        | ExprKind::Call { callee: e, .. }
        | ExprKind::Field { base: e, .. }
        | ExprKind::Index { base: e, .. }
        | ExprKind::Cast { operand: e, .. }
        | ExprKind::Await(e)
        | ExprKind::Try(e) => Some(*e),
        ExprKind::Binary { op, left, .. } if *op != BinaryOp::And => Some(*left),
        _ => None,
    }
}

fn is_condition(kind: &ExprKind) -> bool {
    matches!(kind, ExprKind::Let { .. } | ExprKind::Binary { op: BinaryOp::And, .. })
}
