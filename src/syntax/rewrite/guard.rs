//! Two critical sections as one: the guard that the value is read through is kept until it is written back.

use super::Rewrite;
use super::shapes::{Text, bare, fresh, is_plain, method, same_place, simple_let, statement, tokens};
use crate::hir::TextRange;
use syn::spanned::Spanned;
use syn::{Block, Expr};

fn at_byte(at: u32) -> TextRange {
    TextRange::new(at, at)
}

/// The lock's place and the method that takes it, of `*x.lock().unwrap()`.
fn locked(expr: &Expr) -> Option<(&Expr, &Expr, String)> {
    let Expr::Unary(unary) = bare(expr) else { return None };
    let guard = bare(&unary.expr);
    let taken =
        method(guard, "unwrap", 0).or_else(|| method(guard, "expect", 1)).map_or(guard, |(call, _)| call);
    let Expr::MethodCall(call) = bare(taken) else { return None };
    let plain = matches!(unary.op, syn::UnOp::Deref(_)) && call.args.is_empty();
    plain.then(|| (guard, &*call.receiver, call.method.to_string()))
}

/// `let v = *x.lock().unwrap(); *x.lock().unwrap() = v + n;`
pub fn guard_of_statements(text: &Text, block: &Block, at: usize) -> Option<Rewrite> {
    let stmts = &block.stmts;
    let (_, init) = simple_let(&stmts[at])?;
    let (reading, place, how) = locked(init)?;
    let next = stmts.get(at + 1)?;
    let (assign, _) = statement(next)?;
    let (left, right) = match assign {
        Expr::Assign(assign) => (&*assign.left, &*assign.right),
        Expr::Binary(binary) if super::shapes::is_assignment(&binary.op) => (&*binary.left, &*binary.right),
        _ => return None,
    };
    let (writing, other, how_then) = locked(left)?;
    let same = same_place(place, other)
        && (tokens(reading) == tokens(writing) || (how == "read" && how_then == "write"));
    if !same || !is_plain(right, &|_| false) {
        return None;
    }
    let covers = vec![text.access(init)?, text.access(assign)?];
    let name = fresh(&["guard", "held", "locked"], stmts)?;
    let start = text.range(stmts[at].span());
    let line = text.new_line(start.lo);
    let taken = format!("let mut {name} = {};{line}", text.of(writing));
    let held = format!("*{name}");
    let mut edits =
        vec![(at_byte(start.lo), taken), (covers[0], held.clone()), (text.range(left.span()), held)];
    if stmts.len() > at + 2 {
        edits.push((at_byte(text.range(next.span()).hi), format!("{line}drop({name});")));
    }
    Some(Rewrite { edits, covers })
}
