//! The one-line notation of model files: `[async] name(parameters) -> type = effect`.
//!
//! In: one entry and what type names mean where it stands. Out: a `FnModel` whose effect is checked, or a sentence
//! that says what is wrong with the entry.

use super::op::{Op, OpName};
use super::types::TyExpr;
use super::{FnModel, SelfMode};
use crate::finding::ContextKind;
use crate::hir::{BinaryOp, MacroShape, Name};

const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64",
];

/// Kinds of context that a function can start.
pub const SPAWN_KINDS: &[&str] = &[
    "thread",
    "parallel",
    "task",
    "local-task",
    "blocking-task",
    "branch",
    "worker",
    "interrupt",
    "signal-handler",
    "request-handler",
    "python-call",
    "hook",
];

/// What type names mean inside one entry.
pub struct TypeNames<'a> {
    /// The receiver's parameters.
    pub params: &'a [Name],
    /// Path of a type by its short name, where the entry stands; errs when several types are called so.
    pub short: &'a dyn Fn(&str) -> Result<Option<Name>, String>,
}

/// `std::sync::Mutex<T>` → path and parameter names.
pub fn type_head(text: &str) -> (&str, Vec<Name>) {
    match text.split_once('<') {
        None => (text.trim(), Vec::new()),
        Some((path, rest)) => {
            let params = rest.trim_end_matches('>').split(',').map(|p| Name::new(p.trim())).collect();
            (path.trim(), params)
        }
    }
}

/// Reads `[async] name(parameters) -> type = effect`.
pub fn parse_fn(text: &str, names: &TypeNames) -> Result<FnModel, String> {
    let mut parser = Parser { rest: text, names };
    let is_async = parser.eat("async ");
    let path = Name::new(parser.word()?);
    parser.expect("(")?;
    let mut self_mode = SelfMode::None;
    let mut params = Vec::new();
    while !parser.eat(")") {
        match parser.self_param() {
            Some(mode) if params.is_empty() => self_mode = mode,
            _ => params.push(parser.ty()?),
        }
        parser.separator(")")?;
    }
    let ret = if parser.eat("->") { parser.ty()? } else { TyExpr::Tuple(Vec::new()) };
    let op = if parser.eat("=") { Some(parser.op()?) } else { None };
    parser.end()?;
    if let Some(op) = &op {
        op.check(self_mode != SelfMode::None, params.len())?;
    }
    Ok(FnModel { path, is_async, self_mode, params, ret, op })
}

/// Reads a type alone.
pub fn parse_ty(text: &str, names: &TypeNames) -> Result<TyExpr, String> {
    let mut parser = Parser { rest: text, names };
    let ty = parser.ty()?;
    parser.end()?;
    Ok(ty)
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

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.eat(token) {
            Ok(())
        } else {
            Err(format!("`{token}` expected before `{}`", self.rest.trim()))
        }
    }

    /// A comma, unless the list ends here.
    fn separator(&mut self, close: &str) -> Result<(), String> {
        if self.rest.trim_start().starts_with(close) { Ok(()) } else { self.expect(",") }
    }

    fn end(&self) -> Result<(), String> {
        match self.rest.trim() {
            "" => Ok(()),
            rest => Err(format!("`{rest}` is left over")),
        }
    }

    /// A name or path; kinds of context have dashes in them.
    fn word(&mut self) -> Result<&'a str, String> {
        let trimmed = self.rest.trim_start();
        let bytes = trimmed.as_bytes();
        let part = |at: usize| match bytes[at] {
            b'_' | b':' => true,
            b'-' => bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic),
            byte => byte.is_ascii_alphanumeric(),
        };
        let end = (0..bytes.len()).find(|at| !part(*at)).unwrap_or(bytes.len());
        self.rest = &trimmed[end..];
        if end > 0 { Ok(&trimmed[..end]) } else { Err(format!("a name expected before `{trimmed}`")) }
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

    fn ty(&mut self) -> Result<TyExpr, String> {
        if self.eat("&mut ") {
            return Ok(TyExpr::Ref(true, Box::new(self.ty()?)));
        }
        if self.eat("&") {
            return Ok(TyExpr::Ref(false, Box::new(self.ty()?)));
        }
        if self.eat("*mut ") {
            return Ok(TyExpr::Ptr(true, Box::new(self.ty()?)));
        }
        if self.eat("*const ") {
            return Ok(TyExpr::Ptr(false, Box::new(self.ty()?)));
        }
        if self.eat("*") {
            return Ok(TyExpr::Target(Box::new(self.ty()?)));
        }
        if self.eat("!") {
            return Ok(TyExpr::Never);
        }
        if self.eat("[") {
            let inner = self.ty()?;
            self.expect("]")?;
            return Ok(TyExpr::Slice(Box::new(inner)));
        }
        if self.eat("(") {
            return Ok(TyExpr::Tuple(self.types(")")?));
        }
        let name = self.word()?;
        let args = if self.eat("<") { self.types(">")? } else { Vec::new() };
        self.named(name, args)
    }

    fn types(&mut self, close: &str) -> Result<Vec<TyExpr>, String> {
        let mut types = Vec::new();
        while !self.eat(close) {
            types.push(self.ty()?);
            self.separator(close)?;
        }
        Ok(types)
    }

    fn named(&self, text: &str, mut args: Vec<TyExpr>) -> Result<TyExpr, String> {
        match text {
            "Self" => return Ok(TyExpr::SelfTy),
            "Item" => return Ok(TyExpr::Item(Box::new(args.pop().unwrap_or(TyExpr::SelfTy)))),
            _ => {}
        }
        // A function's own parameters: the caller's types aren't matched against them.
        if text.len() <= 2 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            let position = self.names.params.iter().position(|p| p.as_str() == text);
            return Ok(position.map_or(TyExpr::Unknown, TyExpr::Param));
        }
        if PRIMITIVES.contains(&text) {
            return Ok(TyExpr::Prim(Name::new(text)));
        }
        if text.contains("::") {
            return Ok(TyExpr::Ext(Name::new(text), args));
        }
        match (self.names.short)(text)? {
            Some(path) => Ok(TyExpr::Ext(path, args)),
            None => Err(format!("no type `{text}` is known here")),
        }
    }

    fn op(&mut self) -> Result<Op, String> {
        let word = self.word()?;
        if word == "self" {
            return Ok(Op::SelfArg);
        }
        if let Some(n) = word.strip_prefix('a').and_then(|n| n.parse().ok()) {
            return Ok(Op::Arg(n));
        }
        let open = self.eat("(");
        let mut args = Vec::new();
        while open && !self.eat(")") {
            args.push(self.op()?);
            self.separator(")")?;
        }
        match OpName::parse(word) {
            // `exclusive` is an operation and a mode: without arguments it is the word.
            Some(name) if open || *name.arity().start() == 0 => Ok(Op::Apply(name, args)),
            _ if !open => Ok(Op::Word(Name::new(word))),
            _ => Err(format!("`{word}` is no operation")),
        }
    }
}

/// The numbers of a version or a requirement of one: `^1.28` is 1, 28.
pub fn version(text: &str) -> Vec<u32> {
    let numbers = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    numbers.split('.').map_while(|part| part.parse().ok()).collect()
}

pub fn macro_shape(text: &str) -> Option<MacroShape> {
    Some(match text {
        "format" => MacroShape::Format,
        "write" => MacroShape::Write(Name::new("write_fmt")),
        "diverge" => MacroShape::Diverge,
        "assert" => MacroShape::Assert,
        "assert-eq" => MacroShape::AssertCompared(BinaryOp::Eq),
        "assert-ne" => MacroShape::AssertCompared(BinaryOp::Ne),
        "assert-lt" => MacroShape::AssertCompared(BinaryOp::Lt),
        "assert-le" => MacroShape::AssertCompared(BinaryOp::Le),
        "assert-gt" => MacroShape::AssertCompared(BinaryOp::Gt),
        "assert-ge" => MacroShape::AssertCompared(BinaryOp::Ge),
        "matches" => MacroShape::Matches,
        "vec" => MacroShape::Vec,
        "pass" => MacroShape::Pass,
        "addr-of" => MacroShape::AddrOf,
        "addr-of-mut" => MacroShape::AddrOfMut,
        "constant" => MacroShape::Constant,
        "cfg" => MacroShape::Cfg,
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
    let text = match text {
        "local-task" | "blocking-task" | "branch" => "task",
        "worker" => "thread",
        text => text,
    };
    KINDS.into_iter().find(|kind| kind.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_parse(text: &str) -> Result<FnModel, String> {
        let short = |name: &str| Ok((name == "Option").then(|| Name::new("std::option::Option")));
        let params = [Name::new("T")];
        parse_fn(text, &TypeNames { params: &params, short: &short })
    }

    fn parse(text: &str) -> FnModel {
        try_parse(text).expect("parses")
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
        let lock = Op::Apply(OpName::Lock, vec![Op::SelfArg, Op::Word(Name::new("exclusive"))]);
        assert_eq!(model.op, Some(Op::Apply(OpName::Ok, vec![lock])));
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        for (entry, problem) in [
            ("f() -> u8 = nosuch(a0)", "`nosuch` is no operation"),
            ("f(", "a name expected"),
            ("f() = unit junk", "`junk` is left over"),
            ("f(T) = write(a0)", "`write` takes 2 arguments, not 1"),
            ("f(T) = drop(a1)", "there is no argument `a1`"),
            ("f(T) = drop(self)", "there is no `self`"),
            ("f(T) = lock(a0, exclusiv)", "argument 2 of `lock` is one of exclusive, shared"),
            ("f(T) -> T = either(a0, nonw)", "`nonw` is no operation"),
            ("f(Optoin<T>)", "no type `Optoin` is known here"),
        ] {
            let error = try_parse(entry).expect_err(entry);
            assert!(error.contains(problem), "{entry}: {error}");
        }
    }

    #[test]
    fn kinds_of_context_have_dashes() {
        let model = parse("register(T) -> () = spawn(signal-handler, a0)");
        let Some(Op::Apply(OpName::Spawn, args)) = model.op else { panic!("spawn expected") };
        assert_eq!(args[0], Op::Word(Name::new("signal-handler")));
        assert!(SPAWN_KINDS.iter().all(|kind| context_kind(kind).is_some()));
    }
}
