//! Bodies: an arena of expressions a function (or initializer). Names are as written; `resolve` says what they mean.

use super::{Item, Name, Path, TextRange, Tokens, Type};

/// Index into `Body::exprs`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExprId(pub u32);

/// A variable introduced by a pattern: dense per body, parameters first. Which `Pat::Bind`s really bind (and don't
/// name a constant) is `resolve`'s to say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct BindingId(pub u32);

/// Index into `Body::blocks_items`: the items declared in one block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct BlockItemsId(pub u32);

#[derive(Clone, Debug)]
pub struct Body {
    pub exprs: Vec<Expr>,
    pub root: ExprId,
    /// All bindings, parameters' included (theirs are declared in `FnItem`).
    pub binding_count: u32,
    /// Number of `PathId`s given out.
    pub path_count: u32,
    /// Items (fns, statics, uses, macro definitions, …) declared in the body's blocks, by block.
    pub block_items: Vec<Vec<Item>>,
    /// Macro calls whose arguments were not understood (no rules, no shape, not parseable as expressions).
    pub opaque_macros: u32,
    /// Parts cut for depth or size.
    pub cut: u32,
}

impl Body {
    pub fn expr(&self, id: ExprId) -> &Expr {
        &self.exprs[id.0 as usize]
    }

    /// Calls `visit` for each direct sub-expression.
    pub fn each_child(&self, id: ExprId, visit: &mut dyn FnMut(ExprId)) {
        use ExprKind as K;
        match &self.expr(id).kind {
            K::Missing | K::Lit(_) | K::Path(_) | K::Continue { .. } => {}
            K::Block(block) => block.each_child(visit),
            K::If { cond, then, else_ } => {
                [Some(*cond), Some(*then), *else_].into_iter().flatten().for_each(visit)
            }
            K::Let { scrutinee: e, .. }
            | K::Loop { body: e, .. }
            | K::Field { base: e, .. }
            | K::Unary { operand: e, .. }
            | K::Borrow { operand: e, .. }
            | K::Cast { operand: e, .. }
            | K::Await(e)
            | K::Try(e) => visit(*e),
            K::Match { scrutinee, arms } => {
                visit(*scrutinee);
                for arm in arms {
                    arm.guard.into_iter().chain([arm.body]).for_each(&mut *visit);
                }
            }
            K::While { cond: a, body: b, .. }
            | K::For { iter: a, body: b, .. }
            | K::Index { base: a, index: b }
            | K::Binary { left: a, right: b, .. }
            | K::Assign { left: a, right: b }
            | K::AssignOp { left: a, right: b, .. }
            | K::Repeat { element: a, len: b, .. } => [*a, *b].into_iter().for_each(visit),
            K::Break { value, .. } | K::Return(value) => value.iter().copied().for_each(visit),
            K::Call { callee, args } => [*callee].iter().chain(args).copied().for_each(visit),
            K::MethodCall { receiver, args, .. } => [*receiver].iter().chain(args).copied().for_each(visit),
            K::Closure(closure) => visit(closure.body),
            K::Struct { fields, base, .. } => fields.iter().map(|(_, e)| *e).chain(*base).for_each(visit),
            K::Tuple(parts)
            | K::Array { elements: parts, .. }
            | K::MacroArgs { args: parts, .. }
            | K::Join { branches: parts, .. } => parts.iter().copied().for_each(visit),
            K::Range { lo, hi, .. } => lo.iter().chain(hi).copied().for_each(visit),
            K::Select { branches, else_, .. } => {
                for branch in branches {
                    [Some(branch.future), branch.guard, Some(branch.handler)]
                        .into_iter()
                        .flatten()
                        .for_each(&mut *visit);
                }
                else_.iter().copied().for_each(visit);
            }
        }
    }

    /// Calls `visit` for each pattern that stands directly in an expression.
    pub fn each_pat(&self, id: ExprId, visit: &mut dyn FnMut(&Pat)) {
        match &self.expr(id).kind {
            ExprKind::Let { pat, .. } | ExprKind::For { pat, .. } => visit(pat),
            ExprKind::Match { arms, .. } => arms.iter().for_each(|arm| visit(&arm.pat)),
            ExprKind::Closure(closure) => closure.params.iter().for_each(|(pat, _)| visit(pat)),
            ExprKind::Select { branches, .. } => branches.iter().for_each(|b| visit(&b.pat)),
            ExprKind::Block(block) => {
                for stmt in &block.stmts {
                    if let Stmt::Let { pat, .. } = stmt {
                        visit(pat);
                    }
                }
            }
            _ => {}
        }
    }
}

#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    /// Of the whole expression.
    pub range: TextRange,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    /// Not parsed, or cut.
    Missing,
    Lit(Lit),
    Path(Path),
    Block(Block),
    If {
        cond: ExprId,
        then: ExprId,
        else_: Option<ExprId>,
    },
    /// `let pat = scrutinee` as a condition.
    Let {
        pat: Pat,
        scrutinee: ExprId,
    },
    /// `has_guard`s are inside the arms.
    Match {
        scrutinee: ExprId,
        arms: Vec<Arm>,
    },
    While {
        label: Option<Name>,
        cond: ExprId,
        body: ExprId,
    },
    Loop {
        label: Option<Name>,
        body: ExprId,
    },
    For {
        label: Option<Name>,
        pat: Pat,
        iter: ExprId,
        body: ExprId,
    },
    Break {
        label: Option<Name>,
        value: Option<ExprId>,
    },
    Continue {
        label: Option<Name>,
    },
    Return(Option<ExprId>),
    /// Evaluates its operand and does not come back: `yield`-like and unknown forms are `Missing` instead.
    Call {
        callee: ExprId,
        args: Vec<ExprId>,
    },
    MethodCall {
        receiver: ExprId,
        method: Name,
        name_range: TextRange,
        generic_args: Vec<Type>,
        args: Vec<ExprId>,
    },
    /// `base.name`, `base.0`
    Field {
        base: ExprId,
        name: Name,
        name_range: TextRange,
    },
    Index {
        base: ExprId,
        index: ExprId,
    },
    Unary {
        op: UnaryOp,
        operand: ExprId,
    },
    /// `&e`, `&mut e`, `&raw const e`, `&raw mut e`
    Borrow {
        mutable: bool,
        raw: bool,
        operand: ExprId,
    },
    Binary {
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    },
    Assign {
        left: ExprId,
        right: ExprId,
    },
    /// `left op= right`
    AssignOp {
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    },
    Cast {
        operand: ExprId,
        ty: Type,
    },
    Closure(Closure),
    Struct {
        path: Path,
        fields: Vec<(Name, ExprId)>,
        base: Option<ExprId>,
    },
    Tuple(Vec<ExprId>),
    /// An array literal, and `vec![a, b]` (`owned`).
    Array {
        elements: Vec<ExprId>,
        owned: bool,
    },
    /// `[e; n]`, `vec![e; n]` (`owned`)
    Repeat {
        element: ExprId,
        len: ExprId,
        owned: bool,
    },
    Range {
        lo: Option<ExprId>,
        hi: Option<ExprId>,
        inclusive: bool,
    },
    Await(ExprId),
    /// `e?`
    Try(ExprId),
    /// A macro of a known shape whose arguments are evaluated and whose result matters little.
    MacroArgs {
        kind: MacroArgsKind,
        args: Vec<ExprId>,
        diverges: bool,
    },
    /// `join!(…)`: the branch futures, awaited concurrently; `name_range`: the macro's name.
    Join {
        branches: Vec<ExprId>,
        name_range: TextRange,
    },
    /// `select!`.
    Select {
        branches: Vec<SelectBranch>,
        else_: Option<ExprId>,
        name_range: TextRange,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MacroArgsKind {
    /// Format-like: each argument is read by reference; result a fresh value.
    Format,
    /// Expressions by value; the result is the last one's (`dbg!`).
    Pass,
    /// Arguments of a macro nobody knows, as far as they parse as expressions: evaluated by value.
    Unknown,
    /// `assert!`-like: the first argument (or two) is a condition.
    Assert,
    /// Evaluated to a constant.
    Constant,
}

#[derive(Clone, Debug)]
pub struct SelectBranch {
    pub pat: Pat,
    pub future: ExprId,
    pub guard: Option<ExprId>,
    pub handler: ExprId,
}

#[derive(Clone, Debug)]
pub struct Block {
    pub kind: BlockKind,
    pub label: Option<Name>,
    pub items: Option<BlockItemsId>,
    pub stmts: Vec<Stmt>,
    pub tail: Option<ExprId>,
    /// The statements a macro call in statement position expanded to: same scope as the block around it
    /// (`let`s stay visible after it).
    pub transparent: bool,
}

impl Block {
    fn each_child(&self, visit: &mut dyn FnMut(ExprId)) {
        for stmt in &self.stmts {
            match stmt {
                Stmt::Let { init, else_, .. } => init.iter().chain(else_).copied().for_each(&mut *visit),
                Stmt::Expr(expr) => visit(*expr),
            }
        }
        self.tail.iter().copied().for_each(visit);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockKind {
    Plain,
    Unsafe,
    /// `async {}` / `async move {}`
    Async {
        is_move: bool,
    },
    Const,
    /// `try {}`
    Try,
}

#[derive(Clone, Debug)]
pub enum Stmt {
    Let {
        pat: Pat,
        ty: Option<Type>,
        init: Option<ExprId>,
        else_: Option<ExprId>,
    },
    /// With or without a semicolon.
    Expr(ExprId),
}

#[derive(Clone, Debug)]
pub struct Arm {
    pub pat: Pat,
    pub guard: Option<ExprId>,
    pub body: ExprId,
}

#[derive(Clone, Debug)]
pub struct Closure {
    pub params: Vec<(Pat, Option<Type>)>,
    pub ret: Option<Type>,
    pub body: ExprId,
    pub is_move: bool,
    pub is_async: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Lit {
    /// Value if it fits; the suffix (`u8`) if there is one. Negative literals are `Unary(Neg)`.
    Int(Option<i128>, Option<Name>),
    Float(Name),
    Bool(bool),
    /// The value, cut at 256 bytes.
    Str(Name),
    Char(char),
    /// Byte strings and anything else.
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOp {
    Not,
    Neg,
    Deref,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    BitXor,
    BitAnd,
    BitOr,
    Shl,
    Shr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
}

/// A pattern.
#[derive(Clone, PartialEq, Debug)]
pub enum Pat {
    Wild,
    /// `..` in a tuple, slice.
    Rest,
    /// `ref mut x @ sub`; may turn out to name a constant or unit variant.
    Bind {
        name: Name,
        binding: BindingId,
        by_ref: bool,
        mutable: bool,
        sub: Option<Box<Pat>>,
        range: TextRange,
    },
    Path(Path),
    Lit(Lit),
    /// `1..=5`, ends that are literals or paths are dropped.
    Range,
    Ref(Box<Pat>),
    Tuple(Vec<Pat>),
    Slice(Vec<Pat>),
    TupleStruct(Path, Vec<Pat>),
    Struct {
        path: Path,
        fields: Vec<(Name, Pat)>,
        rest: bool,
    },
    Or(Vec<Pat>),
    /// A macro or something newer.
    Unknown,
}

/// A small expression kept as tokens: an array length, a const argument.
#[derive(Clone, PartialEq, Debug)]
pub struct ExprText(pub Tokens);

impl Pat {
    /// Calls `visit` for this pattern and all inside it.
    pub fn walk(&self, visit: &mut dyn FnMut(&Pat)) {
        visit(self);
        match self {
            Pat::Bind { sub: Some(sub), .. } | Pat::Ref(sub) => sub.walk(visit),
            Pat::Tuple(parts) | Pat::Slice(parts) | Pat::TupleStruct(_, parts) | Pat::Or(parts) => {
                parts.iter().for_each(|p| p.walk(visit));
            }
            Pat::Struct { fields, .. } => fields.iter().for_each(|(_, p)| p.walk(visit)),
            Pat::Wild
            | Pat::Rest
            | Pat::Bind { .. }
            | Pat::Path(_)
            | Pat::Lit(_)
            | Pat::Range
            | Pat::Unknown => {}
        }
    }
}
