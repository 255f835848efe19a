//! Calls of library macros, lowered by the shape of their arguments.
//!
//! In: a shape and the call. Out: an expression, or items and statements of the block around. Arguments that don't
//! have the shape are treated like an unknown macro's.

use super::format::FormatArgs;
use super::macros::Code;
use super::select::{Select, skip_biased};
use super::stmt::{Contents, add_expr};
use super::{Lowering, State};
use crate::hir::{
    Arm, BinaryOp, BlockKind, ExprId, ExprKind, Lit, MacroArgsKind, MacroShape, Name, Pat, TextRange, Tokens,
    Tt,
};
use crate::syntax::expand::{asked, cfg_branches, items_of_shape};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

/// `expr, pat if guard`
struct Matches {
    scrutinee: Expr,
    pat: syn::Pat,
    guard: Option<Expr>,
}

impl Parse for Matches {
    fn parse(input: ParseStream<'_>) -> syn::Result<Matches> {
        let scrutinee = input.parse()?;
        input.parse::<Token![,]>()?;
        let pat = syn::Pat::parse_multi_with_leading_vert(input)?;
        let guard = if input.parse::<Option<Token![if]>>()?.is_some() { Some(input.parse()?) } else { None };
        input.parse::<Option<Token![,]>>()?;
        Ok(Matches { scrutinee, pat, guard })
    }
}

/// `a, b, c` or `element; len`
enum Elements {
    List(Punctuated<Expr, Token![,]>),
    Repeat(Box<(Expr, Expr)>),
}

impl Parse for Elements {
    fn parse(input: ParseStream<'_>) -> syn::Result<Elements> {
        let ahead = input.fork();
        if let Ok(element) = ahead.parse::<Expr>()
            && ahead.peek(Token![;])
        {
            input.advance_to(&ahead);
            input.parse::<Token![;]>()?;
            return Ok(Elements::Repeat(Box::new((element, input.parse()?))));
        }
        Punctuated::parse_terminated(input).map(Elements::List)
    }
}

/// Comma-separated expressions.
struct Exprs(Punctuated<Expr, Token![,]>);

impl Parse for Exprs {
    fn parse(input: ParseStream<'_>) -> syn::Result<Exprs> {
        skip_biased(input)?;
        Punctuated::parse_terminated(input).map(Exprs)
    }
}

impl Lowering<'_, '_> {
    /// A call in expression position.
    pub(super) fn shape_expr(&mut self, shape: MacroShape, mac: &syn::Macro) -> ExprId {
        let range = self.call_range(mac);
        let lowered = match shape {
            MacroShape::Format => self.format_call(mac, range, false),
            MacroShape::Write(method) => self.write_call(mac, range, method),
            MacroShape::Diverge => self.format_call(mac, range, true),
            MacroShape::Assert => self.assertion(mac, range, None),
            MacroShape::AssertCompared(op) => self.assertion(mac, range, Some(op)),
            MacroShape::Matches => self.matches_call(mac, range),
            MacroShape::Vec => self.vec_call(mac, range),
            MacroShape::Pass => self.args_call(mac, range, MacroArgsKind::Pass),
            MacroShape::Exprs => self.args_call(mac, range, MacroArgsKind::Unknown),
            MacroShape::AddrOf => self.addr_of(mac, range, false),
            MacroShape::AddrOfMut => self.addr_of(mac, range, true),
            MacroShape::Constant => Some(self.state.constant(range)),
            MacroShape::Cfg => Some(self.state.holds(&self.args_of(mac), range)),
            MacroShape::Join => self.parsed(mac, Exprs::parse).map(|exprs| {
                let branches = self.exprs(&exprs.0);
                let name_range = self.name_range(mac);
                self.alloc(ExprKind::Join { branches, name_range }, range)
            }),
            MacroShape::Select => self.parsed(mac, Select::parse).map(|select| {
                let name_range = self.name_range(mac);
                self.select(&select, name_range, range)
            }),
            MacroShape::Nothing => Some(self.alloc(ExprKind::Tuple(Vec::new()), range)),
            MacroShape::ThreadLocal | MacroShape::LazyStatic | MacroShape::CfgIf | MacroShape::Items => {
                let mut contents = Contents::default();
                self.shape_stmt(shape, mac, true, &mut contents);
                Some(self.state.finish_block(contents, BlockKind::Plain, None, range))
            }
        };
        lowered.unwrap_or_else(|| self.unknown_macro(mac))
    }

    /// A call in statement position: its items are the block's.
    pub(super) fn shape_stmt(
        &mut self,
        shape: MacroShape,
        mac: &syn::Macro,
        is_tail: bool,
        out: &mut Contents,
    ) {
        if !declares(shape) {
            let id = self.shape_expr(shape, mac);
            return add_expr(id, is_tail, out);
        }
        let (args, path, range) = (self.args_of(mac), self.path_range(mac), self.call_range(mac));
        if self.state.declared(shape, &args, path, is_tail, range, out).is_none() {
            let id = self.unknown_macro(mac);
            add_expr(id, is_tail, out);
        }
    }

    /// The last name of the macro's path.
    fn name_range(&self, mac: &syn::Macro) -> TextRange {
        mac.path.segments.last().map_or_else(|| self.map.whole(), |last| self.range(last.ident.span()))
    }

    fn format_call(&mut self, mac: &syn::Macro, range: TextRange, diverges: bool) -> Option<ExprId> {
        let args = self.parsed(mac, FormatArgs::parse)?;
        let args = self.format_args(&args.0);
        Some(self.alloc(ExprKind::MacroArgs { kind: MacroArgsKind::Format, args, diverges }, range))
    }

    /// A method of what stands first, called with what the rest formats.
    fn write_call(&mut self, mac: &syn::Macro, range: TextRange, method: Name) -> Option<ExprId> {
        let parsed = self.parsed(mac, FormatArgs::parse)?;
        let (to, rest) = parsed.0.split_first()?;
        let receiver = self.expr(&to.expr);
        let args = self.format_args(rest);
        let kind = ExprKind::MacroArgs { kind: MacroArgsKind::Format, args, diverges: false };
        let text = self.alloc(kind, range);
        let name_range = self.name_range(mac);
        let args = vec![text];
        let kind = ExprKind::MethodCall { receiver, method, name_range, generic_args: Vec::new(), args };
        Some(self.alloc(kind, range))
    }

    /// A condition by value, or two values by reference (`compares`); then format arguments.
    fn assertion(
        &mut self,
        mac: &syn::Macro,
        range: TextRange,
        compared: Option<BinaryOp>,
    ) -> Option<ExprId> {
        let parsed = self.parsed(mac, FormatArgs::parse)?;
        let operands = if compared.is_some() { 2 } else { 1 };
        let (operands, rest) = parsed.0.split_at_checked(operands)?;
        let condition = match (compared, operands) {
            (Some(op), [left, right]) => {
                let [left, right] = [left, right].map(|operand| {
                    let id = self.expr(&operand.expr);
                    self.shared(id)
                });
                self.alloc(ExprKind::Binary { op, left, right }, range)
            }
            _ => self.expr(&operands.first()?.expr),
        };
        let mut args = vec![condition];
        args.extend(self.format_args(rest));
        let kind = MacroArgsKind::Assert;
        Some(self.alloc(ExprKind::MacroArgs { kind, args, diverges: false }, range))
    }

    fn args_call(&mut self, mac: &syn::Macro, range: TextRange, kind: MacroArgsKind) -> Option<ExprId> {
        let exprs = self.parsed(mac, Exprs::parse)?;
        let args = self.exprs(&exprs.0);
        Some(self.alloc(ExprKind::MacroArgs { kind, args, diverges: false }, range))
    }

    /// `match e { pat if guard => true, _ => false }`
    fn matches_call(&mut self, mac: &syn::Macro, range: TextRange) -> Option<ExprId> {
        let parsed = self.parsed(mac, Matches::parse)?;
        let scrutinee = self.expr(&parsed.scrutinee);
        let pat = self.pat(&parsed.pat);
        let guard = parsed.guard.as_ref().map(|guard| self.expr(guard));
        Some(self.state.matched(scrutinee, pat, guard, range))
    }

    fn vec_call(&mut self, mac: &syn::Macro, range: TextRange) -> Option<ExprId> {
        let kind = match self.parsed(mac, Elements::parse)? {
            Elements::List(list) => ExprKind::Array { elements: self.exprs(&list), owned: true },
            Elements::Repeat(repeat) => {
                let element = self.expr(&repeat.0);
                ExprKind::Repeat { element, len: self.expr(&repeat.1), owned: true }
            }
        };
        Some(self.alloc(kind, range))
    }

    fn addr_of(&mut self, mac: &syn::Macro, range: TextRange, mutable: bool) -> Option<ExprId> {
        let Code::Expr(place) = self.parsed(mac, Code::parse)? else { return None };
        let operand = self.expr(&place);
        Some(self.alloc(ExprKind::Borrow { mutable, raw: true, operand }, range))
    }
}

/// Whether what a macro of this shape stands for belongs to the block around it.
pub(in crate::syntax) fn declares(shape: MacroShape) -> bool {
    matches!(shape, MacroShape::ThreadLocal | MacroShape::LazyStatic | MacroShape::CfgIf | MacroShape::Items)
}

impl State<'_> {
    /// A call that `declares`; `None` if the arguments don't have the shape. `path`: the range of the macro's path.
    pub(in crate::syntax) fn declared(
        &mut self,
        shape: MacroShape,
        args: &Tokens,
        path: TextRange,
        is_tail: bool,
        range: TextRange,
        out: &mut Contents,
    ) -> Option<()> {
        if let Some(items) = items_of_shape(shape, args, path) {
            self.add_items(items, out);
            return Some(());
        }
        let branches = if shape == MacroShape::CfgIf { cfg_branches(args, path)? } else { return None };
        if let Some(branch) = branches.into_iter().find(|branch| self.macros.enabled(&branch.attrs)) {
            let contents = self.statements_of(branch.tokens)?;
            self.add_transparent(contents, is_tail, range, out);
        }
        Some(())
    }

    /// A constant that isn't known.
    pub(in crate::syntax) fn constant(&mut self, range: TextRange) -> ExprId {
        let kind = MacroArgsKind::Constant;
        self.alloc(ExprKind::MacroArgs { kind, args: Vec::new(), diverges: false }, range)
    }

    /// Whether a predicate holds, if it does or doesn't in every build: what users of the crate choose may be either.
    pub(in crate::syntax) fn holds(&mut self, pred: &Tokens, range: TextRange) -> ExprId {
        if mentions_choice(pred) {
            return self.constant(range);
        }
        let [holds, fails] = asked(pred, range).map(|attr| self.macros.enabled(&[attr]));
        match holds != fails {
            true => self.alloc(ExprKind::Lit(Lit::Bool(holds)), range),
            false => self.constant(range),
        }
    }

    /// `match scrutinee { pat if guard => true, _ => false }`
    pub(in crate::syntax) fn matched(
        &mut self,
        scrutinee: ExprId,
        pat: Pat,
        guard: Option<ExprId>,
        range: TextRange,
    ) -> ExprId {
        let yes = self.alloc(ExprKind::Lit(Lit::Bool(true)), range);
        let no = self.alloc(ExprKind::Lit(Lit::Bool(false)), range);
        let arms = vec![Arm { pat, guard, body: yes }, Arm { pat: Pat::Wild, guard: None, body: no }];
        self.alloc(ExprKind::Match { scrutinee, arms }, range)
    }
}

/// Features, and whether it is a debug build.
fn mentions_choice(pred: &[Tt]) -> bool {
    pred.iter().any(|tt| match tt {
        Tt::Ident(name, _) => *name == "feature" || *name == "debug_assertions",
        Tt::Group(_, inner, _) => mentions_choice(inner),
        Tt::Lifetime(..) | Tt::Punct(..) | Tt::Literal(..) => false,
    })
}
