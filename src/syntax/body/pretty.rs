//! Prints bodies for tests: Rust-like text in which everything is parenthesised and borrowing made visible.

use crate::hir::{
    Block, BlockKind, Body, ExprId, ExprKind, GenericArg, ItemKind, Lit, MacroArgsKind, Name, Pat, Path,
    Stmt, Type, UnaryOp,
};

/// The whole body on one line.
pub(super) fn print(body: &Body) -> String {
    Printer { body }.expr(body.root)
}

struct Printer<'a> {
    body: &'a Body,
}

fn join(parts: impl IntoIterator<Item = String>, separator: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(separator)
}

fn label(label: &Option<Name>) -> String {
    label.map_or_else(String::new, |label| format!("{label}: "))
}

impl Printer<'_> {
    fn list(&self, ids: &[ExprId]) -> String {
        join(ids.iter().map(|id| self.expr(*id)), ", ")
    }

    fn opt(&self, prefix: &str, id: Option<ExprId>) -> String {
        id.map_or_else(String::new, |id| format!("{prefix}{}", self.expr(id)))
    }

    fn expr(&self, id: ExprId) -> String {
        match &self.body.expr(id).kind {
            ExprKind::Missing => "?!".to_owned(),
            ExprKind::Lit(lit) => self::lit(lit),
            ExprKind::Path(path) => self::path(path),
            ExprKind::Block(block) => self.block(block),
            ExprKind::If { cond, then, else_ } => {
                format!("if {} {}{}", self.expr(*cond), self.expr(*then), self.opt(" else ", *else_))
            }
            ExprKind::Let { pat, scrutinee } => format!("let {} = {}", self::pat(pat), self.expr(*scrutinee)),
            ExprKind::Match { scrutinee, arms } => {
                let arms = arms.iter().map(|arm| {
                    format!(
                        "{}{} => {}",
                        self::pat(&arm.pat),
                        self.opt(" if ", arm.guard),
                        self.expr(arm.body)
                    )
                });
                format!("match {} {{ {} }}", self.expr(*scrutinee), join(arms, ", "))
            }
            ExprKind::While { label, cond, body } => {
                format!("{}while {} {}", self::label(label), self.expr(*cond), self.expr(*body))
            }
            ExprKind::Loop { label, body } => format!("{}loop {}", self::label(label), self.expr(*body)),
            ExprKind::For { label, pat, iter, body } => {
                let head = format!("{}for {} in {}", self::label(label), self::pat(pat), self.expr(*iter));
                format!("{head} {}", self.expr(*body))
            }
            ExprKind::Break { label, value } => {
                let label = label.map_or_else(String::new, |label| format!(" {label}"));
                format!("break{label}{}", self.opt(" ", *value))
            }
            ExprKind::Continue { label } => {
                format!("continue{}", label.map_or_else(String::new, |label| format!(" {label}")))
            }
            ExprKind::Return(value) => format!("return{}", self.opt(" ", *value)),
            ExprKind::Select { branches, else_, .. } => {
                let branches = branches.iter().map(|branch| {
                    let head = format!("{} = {}", self::pat(&branch.pat), self.expr(branch.future));
                    format!("{head}{} => {}", self.opt(" if ", branch.guard), self.expr(branch.handler))
                });
                format!("select {{ {}{} }}", join(branches, ", "), self.opt("; else => ", *else_))
            }
            ExprKind::Join { branches, .. } => format!("join({})", self.list(branches)),
            other => self.operator(other),
        }
    }

    fn operator(&self, kind: &ExprKind) -> String {
        match kind {
            ExprKind::Call { callee, args } => format!("{}({})", self.expr(*callee), self.list(args)),
            ExprKind::MethodCall { receiver, method, generic_args, args, .. } => {
                let types = match generic_args.len() {
                    0 => String::new(),
                    _ => format!("::<{}>", join(generic_args.iter().map(ty), ", ")),
                };
                format!("{}.{method}{types}({})", self.expr(*receiver), self.list(args))
            }
            ExprKind::Field { base, name, .. } => format!("{}.{name}", self.expr(*base)),
            ExprKind::Index { base, index } => format!("{}[{}]", self.expr(*base), self.expr(*index)),
            ExprKind::Unary { op, operand } => {
                let op = match op {
                    UnaryOp::Not => '!',
                    UnaryOp::Neg => '-',
                    UnaryOp::Deref => '*',
                };
                format!("{op}{}", self.expr(*operand))
            }
            ExprKind::Borrow { mutable, raw, operand } => {
                let word = match (raw, mutable) {
                    (false, false) => "",
                    (false, true) => "mut ",
                    (true, false) => "raw const ",
                    (true, true) => "raw mut ",
                };
                format!("&{word}{}", self.expr(*operand))
            }
            ExprKind::Binary { op, left, right } => {
                format!("({op:?} {} {})", self.expr(*left), self.expr(*right))
            }
            ExprKind::Assign { left, right } => format!("{} = {}", self.expr(*left), self.expr(*right)),
            ExprKind::AssignOp { op, left, right } => {
                format!("({op:?}Assign {} {})", self.expr(*left), self.expr(*right))
            }
            ExprKind::Cast { operand, ty } => format!("({} as {})", self.expr(*operand), self::ty(ty)),
            ExprKind::Closure(closure) => {
                let params = closure.params.iter().map(|(pat, ty)| {
                    format!(
                        "{}{}",
                        self::pat(pat),
                        ty.as_ref().map_or_else(String::new, |ty| format!(": {}", self::ty(ty)))
                    )
                });
                let words = [(closure.is_async, "async "), (closure.is_move, "move ")];
                let words = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect::<String>();
                format!("{words}|{}| {}", join(params, ", "), self.expr(closure.body))
            }
            ExprKind::Struct { path, fields, base } => {
                let fields = fields.iter().map(|(name, id)| format!("{name}: {}", self.expr(*id)));
                format!("{} {{ {}{} }}", self::path(path), join(fields, ", "), self.opt(", ..", *base))
            }
            ExprKind::Tuple(ids) => format!("({})", self.list(ids)),
            ExprKind::Array { elements, owned } => {
                format!("{}[{}]", if *owned { "vec" } else { "" }, self.list(elements))
            }
            ExprKind::Repeat { element, len, owned } => {
                let owned = if *owned { "vec" } else { "" };
                format!("{owned}[{}; {}]", self.expr(*element), self.expr(*len))
            }
            ExprKind::Range { lo, hi, inclusive } => {
                let dots = if *inclusive { "..=" } else { ".." };
                format!("({}{dots}{})", self.opt("", *lo), self.opt("", *hi))
            }
            ExprKind::Await(id) => format!("{}.await", self.expr(*id)),
            ExprKind::Try(id) => format!("{}?", self.expr(*id)),
            ExprKind::MacroArgs { kind, args, diverges } => {
                let kind = match kind {
                    MacroArgsKind::Format => "format",
                    MacroArgsKind::Pass => "pass",
                    MacroArgsKind::Unknown => "unknown",
                    MacroArgsKind::Assert => "assert",
                    MacroArgsKind::Constant => "constant",
                };
                format!("{kind}!{}({})", if *diverges { "!" } else { "" }, self.list(args))
            }
            other => format!("{other:?}"),
        }
    }

    fn block(&self, block: &Block) -> String {
        let word = match block.kind {
            BlockKind::Plain => "",
            BlockKind::Unsafe => "unsafe ",
            BlockKind::Async { is_move: false } => "async ",
            BlockKind::Async { is_move: true } => "async move ",
            BlockKind::Const => "const ",
            BlockKind::Try => "try ",
        };
        let mut parts = Vec::new();
        for item in block.items.iter().flat_map(|id| &self.body.block_items[id.0 as usize]) {
            let kind = match item.kind {
                ItemKind::Fn(_) => "fn",
                ItemKind::Static(_) => "static",
                ItemKind::MacroRules(_) => "macro",
                _ => "item",
            };
            parts.push(format!("{kind} {};", item.name));
        }
        parts.extend(block.stmts.iter().map(|stmt| match stmt {
            Stmt::Expr(id) => format!("{};", self.expr(*id)),
            Stmt::Let { pat, ty, init, else_ } => {
                let ty = ty.as_ref().map_or_else(String::new, |ty| format!(": {}", self::ty(ty)));
                format!("let {}{ty}{}{};", self::pat(pat), self.opt(" = ", *init), self.opt(" else ", *else_))
            }
        }));
        parts.extend(block.tail.map(|id| self.expr(id)));
        let (open, close) = if block.transparent { ("{|", "|}") } else { ("{", "}") };
        let inner = if parts.is_empty() { String::new() } else { format!(" {} ", parts.join(" ")) };
        format!("{}{word}{open}{inner}{close}", self::label(&block.label))
    }
}

fn lit(lit: &Lit) -> String {
    match lit {
        Lit::Int(value, suffix) => {
            let value = value.map_or_else(|| "huge".to_owned(), |value| value.to_string());
            format!("{value}{}", suffix.map_or("", Name::as_str))
        }
        Lit::Float(text) => text.to_string(),
        Lit::Bool(value) => value.to_string(),
        Lit::Str(text) => format!("{text:?}"),
        Lit::Char(c) => format!("{c:?}"),
        Lit::Other => "lit".to_owned(),
    }
}

fn path(path: &Path) -> String {
    let segments = path.segments.iter().map(|segment| {
        let args = segment.args.iter().map(|arg| match arg {
            GenericArg::Type(ty) => self::ty(ty),
            GenericArg::Const(_) => "const".to_owned(),
            GenericArg::Assoc(name, ty) => format!("{name} = {}", self::ty(ty)),
        });
        let args = join(args, ", ");
        if args.is_empty() { segment.name.to_string() } else { format!("{}<{args}>", segment.name) }
    });
    let text = join(segments, "::");
    match &path.qself {
        Some(qself) => format!("<{}>::{text}", self::ty(&qself.0)),
        None => text,
    }
}

fn ty(ty: &Type) -> String {
    match ty {
        Type::Path(path) => self::path(path),
        Type::Ref { mutable, inner } => format!("&{}{}", if *mutable { "mut " } else { "" }, self::ty(inner)),
        Type::Ptr { mutable, inner } => {
            format!("*{} {}", if *mutable { "mut" } else { "const" }, self::ty(inner))
        }
        Type::Tuple(types) => format!("({})", join(types.iter().map(self::ty), ", ")),
        Type::Infer => "_".to_owned(),
        other => format!("{other:?}"),
    }
}

fn pat(pat: &Pat) -> String {
    let all = |pats: &[Pat], separator| join(pats.iter().map(self::pat), separator);
    match pat {
        Pat::Wild => "_".to_owned(),
        Pat::Rest => "..".to_owned(),
        Pat::Bind { name, binding, by_ref, mutable, sub, .. } => {
            let words =
                format!("{}{}", if *by_ref { "ref " } else { "" }, if *mutable { "mut " } else { "" });
            let sub = sub.as_ref().map_or_else(String::new, |sub| format!(" @ {}", self::pat(sub)));
            format!("{words}{name}%{}{sub}", binding.0)
        }
        Pat::Path(path) => self::path(path),
        Pat::Lit(lit) => self::lit(lit),
        Pat::Range => "range".to_owned(),
        Pat::Ref(inner) => format!("&{}", self::pat(inner)),
        Pat::Tuple(pats) => format!("({})", all(pats, ", ")),
        Pat::Slice(pats) => format!("[{}]", all(pats, ", ")),
        Pat::TupleStruct(path, pats) => format!("{}({})", self::path(path), all(pats, ", ")),
        Pat::Struct { path, fields, rest } => {
            let fields = join(fields.iter().map(|(name, pat)| format!("{name}: {}", self::pat(pat))), ", ");
            format!("{} {{ {fields}{} }}", self::path(path), if *rest { ", .." } else { "" })
        }
        Pat::Or(pats) => all(pats, " | "),
        Pat::Unknown => "?".to_owned(),
    }
}
