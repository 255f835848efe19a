//! Arguments of library macros, by their shape.

use super::BodyReader;
use super::macros::Call;
use crate::hir::{BinaryOp, BlockKind, ExprId, ExprKind, MacroArgsKind, MacroShape, Name};
use crate::syntax::body::{Contents, declares};
use crate::syntax::lexer::TokenKind;

impl BodyReader<'_, '_, '_> {
    /// A call in expression position; `None` if the arguments don't have the shape, as far as is understood here.
    pub(super) fn shape_expr(&mut self, shape: MacroShape, call: &Call) -> Option<ExprId> {
        let range = call.range;
        if declares(shape) {
            let args = self.tokens_of(call)?;
            let mut contents = Contents::default();
            self.with_state(|state| {
                state.declared(shape, &args, call.path_range, true, range, &mut contents)
            })?;
            return Some(self.state.finish_block(contents, BlockKind::Plain, None, range));
        }
        match shape {
            MacroShape::Constant => Some(self.state.constant(range)),
            MacroShape::Nothing => Some(self.alloc(ExprKind::Tuple(Vec::new()), range)),
            MacroShape::Cfg => {
                let args = self.tokens_of(call)?;
                Some(self.state.holds(&args, range))
            }
            _ => self.arguments(call, |reader| reader.shaped(shape, call)),
        }
    }

    /// Arguments that are code.
    fn shaped(&mut self, shape: MacroShape, call: &Call) -> Option<ExprId> {
        let range = call.range;
        match shape {
            MacroShape::Format => self.format_call(call, false),
            MacroShape::Diverge => self.format_call(call, true),
            MacroShape::Write(method) => self.write_call(call, method),
            MacroShape::Assert => self.assertion(call, None),
            MacroShape::AssertCompared(op) => self.assertion(call, Some(op)),
            MacroShape::Matches => self.matches_call(call),
            MacroShape::Vec => {
                let close = self.closing_of(call)?;
                let kind = self.elements(close, true)?;
                Some(self.alloc(kind, range))
            }
            MacroShape::Pass => self.args_call(call, MacroArgsKind::Pass),
            MacroShape::Exprs => self.args_call(call, MacroArgsKind::Unknown),
            MacroShape::AddrOf => self.addr_of(call, false),
            MacroShape::AddrOfMut => self.addr_of(call, true),
            MacroShape::Join => {
                self.skip_biased();
                let branches = self.all_exprs()?;
                let kind = ExprKind::Join { branches, name_range: call.name_range };
                Some(self.alloc(kind, range))
            }
            MacroShape::Select => self.select(call),
            MacroShape::Constant
            | MacroShape::Cfg
            | MacroShape::Nothing
            | MacroShape::ThreadLocal
            | MacroShape::LazyStatic
            | MacroShape::CfgIf
            | MacroShape::Items => None,
        }
    }

    /// The bracket that closes a call.
    fn closing_of(&self, call: &Call) -> Option<u8> {
        match self.tokens.between(call.close, call.close + 1).first()?.kind {
            TokenKind::Close(byte) => Some(byte),
            _ => None,
        }
    }

    /// `biased;`
    pub(super) fn skip_biased(&mut self) {
        if self.tokens.is_ident(0) && self.tokens.is_nth(1, TokenKind::Punct(b';')) {
            self.tokens.skip(2);
        }
    }

    fn args_call(&mut self, call: &Call, kind: MacroArgsKind) -> Option<ExprId> {
        self.skip_biased();
        let args = self.all_exprs()?;
        Some(self.alloc(ExprKind::MacroArgs { kind, args, diverges: false }, call.range))
    }

    fn format_call(&mut self, call: &Call, diverges: bool) -> Option<ExprId> {
        let args = self.format_args()?;
        let kind = MacroArgsKind::Format;
        Some(self.alloc(ExprKind::MacroArgs { kind, args, diverges }, call.range))
    }

    /// A method of what stands first, called with what the rest formats.
    fn write_call(&mut self, call: &Call, method: Name) -> Option<ExprId> {
        let receiver = self.format_operand()?;
        let args = self.format_args()?;
        let kind = ExprKind::MacroArgs { kind: MacroArgsKind::Format, args, diverges: false };
        let text = self.alloc(kind, call.range);
        let kind = ExprKind::MethodCall {
            receiver,
            method,
            name_range: call.name_range,
            generic_args: Vec::new(),
            args: vec![text],
        };
        Some(self.alloc(kind, call.range))
    }

    /// A condition by value, or two values by reference; then format arguments.
    fn assertion(&mut self, call: &Call, compared: Option<BinaryOp>) -> Option<ExprId> {
        let mut condition = self.format_operand()?;
        if let Some(op) = compared {
            let left = self.state.shared(condition);
            let right = self.format_operand()?;
            let right = self.state.shared(right);
            condition = self.alloc(ExprKind::Binary { op, left, right }, call.range);
        }
        let mut args = vec![condition];
        args.extend(self.format_args()?);
        let kind = MacroArgsKind::Assert;
        Some(self.alloc(ExprKind::MacroArgs { kind, args, diverges: false }, call.range))
    }

    fn matches_call(&mut self, call: &Call) -> Option<ExprId> {
        let scrutinee = self.expr()?.id;
        self.tokens.punct(b',')?;
        let pat = self.tokens.alternatives()?;
        let guard = if self.tokens.eat_word("if") { Some(self.expr()?.id) } else { None };
        self.tokens.eat_punct(b',');
        Some(self.state.matched(scrutinee, pat, guard, call.range))
    }

    fn addr_of(&mut self, call: &Call, mutable: bool) -> Option<ExprId> {
        let operand = self.expr()?.id;
        self.tokens.eat_punct(b';');
        Some(self.alloc(ExprKind::Borrow { mutable, raw: true, operand }, call.range))
    }
}
