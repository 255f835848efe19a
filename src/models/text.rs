//! The one-line notation of model files: `name(parameters) -> type = effect`.

use super::op::{Op, OpName};
use super::{FnModel, SelfMode};
use crate::finding::ContextKind;
use crate::hir::{MacroShape, Name};
use crate::resolve::Ty;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A type in a model: as `Ty`, with the receiver's arguments by position.
#[derive(Clone, PartialEq, Debug)]
pub enum TyExpr {
    Unknown,
    /// The receiver's type.
    SelfTy,
    /// The receiver's nth argument.
    Param(usize),
    Prim(Name),
    Ext(Name, Vec<TyExpr>),
    Ref(bool, Box<TyExpr>),
    Ptr(bool, Box<TyExpr>),
    Tuple(Vec<TyExpr>),
    Slice(Box<TyExpr>),
    /// A closure.
    Callable,
}

impl TyExpr {
    pub fn instantiate(&self, self_ty: &Ty) -> Ty {
        let all = |args: &[TyExpr]| -> Arc<[Ty]> { args.iter().map(|a| a.instantiate(self_ty)).collect() };
        match self {
            TyExpr::Unknown | TyExpr::Callable => Ty::Unknown,
            TyExpr::SelfTy => self_ty.clone(),
            TyExpr::Param(n) => match self_ty {
                Ty::Ext(_, args) | Ty::Adt(_, args) => args.get(*n).cloned().unwrap_or(Ty::Unknown),
                Ty::Slice(inner) | Ty::Array(inner) => (**inner).clone(),
                Ty::Ptr { inner, .. } | Ty::Ref { inner, .. } => (**inner).clone(),
                _ => Ty::Unknown,
            },
            TyExpr::Prim(name) => Ty::Prim(*name),
            TyExpr::Ext(path, args) => Ty::Ext(*path, all(args)),
            TyExpr::Ref(mutable, inner) => Ty::reference(*mutable, inner.instantiate(self_ty)),
            TyExpr::Ptr(mutable, inner) => Ty::Ptr { mutable: *mutable, inner: Arc::new(inner.instantiate(self_ty)) },
            TyExpr::Tuple(args) => Ty::Tuple(all(args)),
            TyExpr::Slice(inner) => Ty::Slice(Arc::new(inner.instantiate(self_ty))),
        }
    }
}

/// What type names mean inside one entry.
pub struct TypeNames<'a> {
    pub params: &'a [Name],
    pub owner: Option<Name>,
    pub short: &'a FxHashMap<Name, Name>,
}

const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
    "f64",
];

/// The name under which the methods of a primitive type are modelled.
pub fn primitive_class(name: &str) -> &'static str {
    match name {
        "str" => "str",
        "bool" => "bool",
        "char" => "char",
        "f32" | "f64" => "float",
        _ => "int",
    }
}

/// `std::sync::Mutex<T>` → path and parameter names.
pub fn type_head(text: &str) -> Option<(String, Vec<Name>)> {
    match text.split_once('<') {
        None => Some((text.trim().to_owned(), Vec::new())),
        Some((path, rest)) => {
            let params = rest.strip_suffix('>')?.split(',').map(|p| Name::new(p.trim())).collect();
            Some((path.trim().to_owned(), params))
        }
    }
}

pub fn parse_fn(text: &str, names: &TypeNames) -> Option<FnModel> {
    let mut parser = Parser { rest: text, names };
    let path = Name::new(parser.path()?);
    parser.eat("(").then_some(())?;
    let mut self_mode = SelfMode::None;
    let mut params = Vec::new();
    while !parser.eat(")") {
        match parser.self_param() {
            Some(mode) if params.is_empty() => self_mode = mode,
            _ => params.push(parser.ty()?),
        }
        parser.eat(",");
    }
    let ret = if parser.eat("->") { parser.ty()? } else { TyExpr::Tuple(Vec::new()) };
    let op = if parser.eat("=") { Some(parser.op()?) } else { None };
    parser.rest.trim().is_empty().then_some(FnModel { path, self_mode, params, ret, op })
}

struct Parser<'a> {
    rest: &'a str,
    names: &'a TypeNames<'a>,
}

impl<'a> Parser<'a> {
    fn eat(&mut self, token: &str) -> bool {
        let trimmed = self.rest.trim_start();
        match trimmed.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn path(&mut self) -> Option<&'a str> {
        let trimmed = self.rest.trim_start();
        let end = trimmed
            .char_indices()
            .find(|(_, c)| !(c.is_alphanumeric() || *c == '_' || *c == ':'))
            .map_or(trimmed.len(), |(at, _)| at);
        self.rest = &trimmed[end..];
        (end > 0).then(|| &trimmed[..end])
    }

    fn self_param(&mut self) -> Option<SelfMode> {
        let before = self.rest;
        let mode = if self.eat("&mut self") {
            SelfMode::RefMut
        } else if self.eat("&self") {
            SelfMode::Ref
        } else if self.eat("self") {
            SelfMode::Value
        } else {
            return None;
        };
        let next = self.rest.trim_start();
        if next.starts_with(',') || next.starts_with(')') {
            return Some(mode);
        }
        self.rest = before;
        None
    }

    fn ty(&mut self) -> Option<TyExpr> {
        if self.eat("&mut ") {
            return Some(TyExpr::Ref(true, Box::new(self.ty()?)));
        }
        if self.eat("&") {
            return Some(TyExpr::Ref(false, Box::new(self.ty()?)));
        }
        if self.eat("*mut ") {
            return Some(TyExpr::Ptr(true, Box::new(self.ty()?)));
        }
        if self.eat("*const ") {
            return Some(TyExpr::Ptr(false, Box::new(self.ty()?)));
        }
        if self.eat("[") {
            let inner = self.ty()?;
            return self.eat("]").then(|| TyExpr::Slice(Box::new(inner)));
        }
        if self.eat("(") {
            let mut parts = Vec::new();
            while !self.eat(")") {
                parts.push(self.ty()?);
                self.eat(",");
            }
            return Some(TyExpr::Tuple(parts));
        }
        let name = self.path()?;
        let mut args = Vec::new();
        if self.eat("<") {
            while !self.eat(">") {
                args.push(self.ty()?);
                self.eat(",");
            }
        }
        Some(self.named(name, args))
    }

    fn named(&self, text: &str, args: Vec<TyExpr>) -> TyExpr {
        let name = Name::new(text);
        if text == "Self" {
            return TyExpr::SelfTy;
        }
        if let Some(n) = self.names.params.iter().position(|p| *p == name) {
            return TyExpr::Param(n);
        }
        if PRIMITIVES.contains(&text) {
            return TyExpr::Prim(name);
        }
        if let Some(path) = self.names.short.get(&name) {
            return TyExpr::Ext(*path, args);
        }
        if text.contains("::") { TyExpr::Ext(name, args) } else { TyExpr::Unknown }
    }

    fn op(&mut self) -> Option<Op> {
        let word = self.path()?;
        if word == "self" {
            return Some(Op::SelfArg);
        }
        if let Some(n) = word.strip_prefix('a').and_then(|n| n.parse().ok()) {
            return Some(Op::Arg(n));
        }
        let open = self.eat("(");
        let mut args = Vec::new();
        while open && !self.eat(")") {
            args.push(self.op()?);
            self.eat(",");
        }
        match OpName::parse(word) {
            // `exclusive` is an operation and a mode: without arguments it is the word.
            Some(name) if open || matches!(name, OpName::Unit | OpName::None | OpName::Diverge | OpName::Fresh) => {
                Some(Op::Apply(name, args))
            }
            _ if !open => Some(Op::Word(Name::new(word))),
            _ => None,
        }
    }
}

pub fn macro_shape(text: &str) -> Option<MacroShape> {
    Some(match text {
        "format" => MacroShape::Format,
        "diverge" => MacroShape::Diverge,
        "assert" => MacroShape::Assert,
        "assert-eq" => MacroShape::AssertEq,
        "matches" => MacroShape::Matches,
        "vec" => MacroShape::Vec,
        "pass" => MacroShape::Pass,
        "addr-of" => MacroShape::AddrOf,
        "addr-of-mut" => MacroShape::AddrOfMut,
        "constant" => MacroShape::Constant,
        "join" => MacroShape::Join,
        "select" => MacroShape::Select,
        "thread-local" => MacroShape::ThreadLocal,
        "lazy-static" => MacroShape::LazyStatic,
        "cfg-if" => MacroShape::CfgIf,
        "items" => MacroShape::Items,
        "exprs" => MacroShape::Exprs,
        "nothing" => MacroShape::Nothing,
        _ => return None,
    })
}

pub fn context_kind(text: &str) -> Option<ContextKind> {
    const KINDS: [ContextKind; 11] = [
        ContextKind::Main,
        ContextKind::Thread,
        ContextKind::Parallel,
        ContextKind::Task,
        ContextKind::Test,
        ContextKind::Interrupt,
        ContextKind::SignalHandler,
        ContextKind::RequestHandler,
        ContextKind::PythonCall,
        ContextKind::Hook,
        ContextKind::Caller,
    ];
    KINDS.into_iter().find(|kind| kind.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> FnModel {
        let short = FxHashMap::from_iter([(Name::new("Option"), Name::new("std::option::Option"))]);
        let params = [Name::new("T")];
        let names = TypeNames { params: &params, owner: None, short: &short };
        parse_fn(text, &names).expect("parses")
    }

    #[test]
    fn reads_signature_and_effect() {
        let model = parse("get(&self, usize) -> Option<&T> = either(some(index_ref(self, a0)), none)");
        assert_eq!(model.self_mode, SelfMode::Ref);
        assert_eq!(model.params, [TyExpr::Prim(Name::new("usize"))]);
        let option = Name::new("std::option::Option");
        assert_eq!(model.ret, TyExpr::Ext(option, vec![TyExpr::Ref(false, Box::new(TyExpr::Param(0)))]));
        let Some(Op::Apply(OpName::Either, args)) = model.op else { panic!("either expected") };
        assert_eq!(args.len(), 2);
    }

    #[test]
    fn words_are_not_operations() {
        let model = parse("lock(&self) -> T = ok(lock(self, exclusive))");
        let expected = Op::Apply(
            OpName::Ok,
            vec![Op::Apply(OpName::Lock, vec![Op::SelfArg, Op::Word(Name::new("exclusive"))])],
        );
        assert_eq!(model.op, Some(expected));
    }

    #[test]
    fn refuses_what_is_left_over() {
        let short = FxHashMap::default();
        let names = TypeNames { params: &[], owner: None, short: &short };
        assert!(parse_fn("f() -> u8 = nosuch(a0)", &names).is_none());
        assert!(parse_fn("f( -> u8", &names).is_none());
        assert!(parse_fn("f() = unit junk", &names).is_none());
    }
}
