//! Load and store of one atomic as one operation: `fetch_add` and its like, `fetch_update`, `swap`.
//!
//! The ordering is at least as strong as both: SeqCst if one is, Acquire of the load and Release of the store together
//! AcqRel.

use super::Rewrite;
use super::shapes::{
    Text, bare, fresh, is_name, is_plain, is_used, method, parts, same_place, simple_let, statement,
};
use crate::hir::TextRange;
use syn::spanned::Spanned;
use syn::{BinOp, Expr, Stmt};

/// What the atomic becomes, as a call of it.
enum Operation {
    /// `fetch_add(n, …)`: method and operand.
    Fetch(&'static str, TextRange),
    /// A function of the old value, with the parts that are the old value.
    Update(Vec<TextRange>),
}

impl Operation {
    /// A statement whose value nobody wants.
    fn alone(&self, call: &str) -> String {
        match self {
            Operation::Fetch(..) => call.to_owned(),
            Operation::Update(_) => format!("let _ = {call}"),
        }
    }

    /// The old value: an update that always gives a new one never fails.
    fn for_value(&self, call: String) -> String {
        match self {
            Operation::Fetch(..) => call,
            Operation::Update(_) => format!("{call}.unwrap()"),
        }
    }
}

/// `x.load(o)`, one of the accesses or part of one: place and ordering.
fn load(expr: &Expr) -> Option<(&Expr, &Expr)> {
    method(expr, "load", 1).map(|(place, args)| (place, args[0]))
}

/// `x.store(value, o)`
fn store(expr: &Expr) -> Option<(&Expr, &Expr, &Expr)> {
    method(expr, "store", 2).map(|(place, args)| (place, args[0], args[1]))
}

/// A compare-exchange, its result dropped: place, expected, new value, ordering; and the call itself.
fn exchange(expr: &Expr) -> Option<(&Expr, [&Expr; 4])> {
    let call =
        ["ok", "is_ok", "is_err"].iter().find_map(|name| method(expr, name, 0)).map_or(expr, |(c, _)| c);
    let (place, args) =
        method(call, "compare_exchange", 4).or_else(|| method(call, "compare_exchange_weak", 4))?;
    Some((call, [place, args[0], args[1], args[2]]))
}

/// Both steps of an update in one expression.
pub fn is_compound(text: &Text, expr: &Expr) -> bool {
    let value = match (store(expr), exchange(expr)) {
        (Some((_, value, _)), _) => value,
        (_, Some((_, [_, _, value, _]))) => value,
        _ => return false,
    };
    text.access(expr).is_some() && !parts(value, &|part| load(part).is_some()).is_empty()
}

/// `x.store(x.load(o) + n, o2)`; `around`: what has to stand before and after the new call.
pub fn operation_of_store(text: &Text, expr: &Expr, around: (&str, &str)) -> Option<Rewrite> {
    let (place, value, order) = store(expr)?;
    let write = text.access(expr)?;
    let is_read = |part: &Expr| load(part).is_some_and(|(other, _)| same_place(place, other));
    let reads = parts(value, &is_read);
    let [read] = reads[..] else { return None };
    let (_, load_order) = load(read)?;
    let operation = operation(text, value, &is_read)?;
    let call = call(text, place, value, &operation, (load_order, order), &[value])?;
    let edits = vec![(write, format!("{}{}{}", around.0, operation.alone(&call), around.1))];
    Some(Rewrite { edits, covers: vec![write, text.range(read.span())] })
}

/// `let v = x.load(o); [let w = v + n;] x.store(w, o2);`, or with a compare-exchange whose result is dropped.
pub fn operation_of_statements(text: &Text, stmts: &[Stmt], at: usize) -> Option<Rewrite> {
    let (old, init) = simple_let(&stmts[at])?;
    let (place, load_order) = load(init)?;
    let read = text.access(init)?;
    let middle = stmts.get(at + 1).and_then(simple_let);
    let last = if middle.is_some() { at + 2 } else { at + 1 };
    let write = Write::of(text, stmts.get(last)?)?;
    if !same_place(place, write.place) || write.expected.is_some_and(|e| !is_name(e, &old)) {
        return None;
    }
    let is_old = |part: &Expr| is_name(part, &old);
    let value = match &middle {
        Some((new, value)) if is_name(write.value, new) => *value,
        Some(_) => return None,
        None => write.value,
    };
    if middle.is_none()
        && write.expected.is_none()
        && is_plain(value, &|_| false)
        && parts(value, &is_old).is_empty()
    {
        return swap_out(text, (place, init, load_order), &write, &stmts[last]);
    }
    let operation = operation(text, value, &is_old)?;
    let after = &stmts[last + 1..];
    let names = std::iter::once(&old).chain(middle.as_ref().map(|(new, _)| new));
    let used_later = names.into_iter().any(|name| is_used(name, after));
    let call = call(text, place, value, &operation, (load_order, write.order), &stmts[at..])?;
    let edits = match (&operation, used_later) {
        (operation, false) => {
            let mut edits: Vec<_> =
                stmts[at..last].iter().map(|stmt| (text.line_of(stmt), String::new())).collect();
            let end = if write.ends { "" } else { ";" };
            edits.push((write.whole, format!("{}{end}", operation.alone(&call))));
            edits
        }
        (operation, true) => {
            vec![(read, operation.for_value(call)), (text.line_of(&stmts[last]), String::new())]
        }
    };
    Some(Rewrite { edits, covers: vec![read, write.access] })
}

/// `let v = x.load(o); x.store(0, o2);`: what was there is taken out.
fn swap_out(text: &Text, read: (&Expr, &Expr, &Expr), write: &Write, stmt: &Stmt) -> Option<Rewrite> {
    let (place, load, load_order) = read;
    let covers = vec![text.access(load)?, write.access];
    let order = both(text, load_order, write.order)?;
    let swap = format!("{}.swap({}, {order})", text.of(place), text.of(write.value));
    Some(Rewrite { edits: vec![(covers[0], swap), (text.line_of(stmt), String::new())], covers })
}

/// The second step, as a statement.
struct Write<'e> {
    place: &'e Expr,
    value: &'e Expr,
    order: &'e Expr,
    expected: Option<&'e Expr>,
    access: TextRange,
    /// What the new call takes the place of.
    whole: TextRange,
    /// A semicolon follows.
    ends: bool,
}

impl<'e> Write<'e> {
    fn of(text: &Text, stmt: &'e Stmt) -> Option<Write<'e>> {
        if let Stmt::Local(local) = stmt {
            // `let _ = x.compare_exchange(…);`
            let dropped = matches!(local.pat, syn::Pat::Wild(_));
            let init = local.init.as_ref().filter(|init| dropped && init.diverge.is_none())?;
            let whole = text.range(stmt.span());
            return Write::exchange(
                text,
                &init.expr,
                TextRange::new(whole.lo, whole.hi.saturating_sub(1)),
                true,
            );
        }
        let (expr, ends) = statement(stmt)?;
        let whole = text.range(expr.span());
        if let Some((place, value, order)) = store(expr) {
            let access = text.access(expr)?;
            return Some(Write { place, value, order, expected: None, access, whole, ends });
        }
        if ends { Write::exchange(text, expr, whole, ends) } else { None }
    }

    fn exchange(text: &Text, expr: &'e Expr, whole: TextRange, ends: bool) -> Option<Write<'e>> {
        let (call, [place, expected, value, order]) = exchange(expr)?;
        let access = text.access(call)?;
        Some(Write { place, value, order, expected: Some(expected), access, whole, ends })
    }
}

fn operation(text: &Text, value: &Expr, is_old: &dyn Fn(&Expr) -> bool) -> Option<Operation> {
    let without_old = |operand: &Expr| parts(operand, is_old).is_empty();
    let range = |operand: &Expr| text.range(operand.span());
    let fetched = match bare(value) {
        Expr::Binary(binary) => {
            let (name, swaps) = match binary.op {
                BinOp::Add(_) => ("fetch_add", true),
                BinOp::Sub(_) => ("fetch_sub", false),
                BinOp::BitAnd(_) => ("fetch_and", true),
                BinOp::BitOr(_) => ("fetch_or", true),
                BinOp::BitXor(_) => ("fetch_xor", true),
                _ => ("", false),
            };
            let (left, right) = (&*binary.left, &*binary.right);
            match name {
                "" => None,
                _ if is_old(bare(left)) && without_old(right) => Some((name, bare(right))),
                _ if swaps && is_old(bare(right)) && without_old(left) => Some((name, bare(left))),
                _ => None,
            }
        }
        Expr::MethodCall(call) => {
            let known = [
                ("wrapping_add", "fetch_add"),
                ("wrapping_sub", "fetch_sub"),
                ("max", "fetch_max"),
                ("min", "fetch_min"),
            ];
            let name = known.iter().find(|(from, _)| call.method == from).map(|(_, to)| *to);
            match (name, call.args.first()) {
                (Some(name), Some(operand)) if is_old(bare(&call.receiver)) && without_old(operand) => {
                    Some((name, operand))
                }
                _ => None,
            }
        }
        _ => None,
    };
    if let Some((name, operand)) = fetched {
        return Some(Operation::Fetch(name, range(operand)));
    }
    let old: Vec<TextRange> = parts(value, is_old).into_iter().map(range).collect();
    (is_plain(value, is_old) && !old.is_empty()).then_some(Operation::Update(old))
}

/// The call that is the whole update. `near`: where its closure's parameter must not be a name.
fn call(
    text: &Text,
    place: &Expr,
    value: &Expr,
    operation: &Operation,
    orders: (&Expr, &Expr),
    near: &[impl quote::ToTokens],
) -> Option<String> {
    let order = both(text, orders.0, orders.1)?;
    let place = text.of(place);
    match operation {
        Operation::Fetch(name, operand) => Some(format!("{place}.{name}({}, {order})", text.slice(*operand))),
        Operation::Update(old) => {
            let name = fresh(&["old", "now", "current", "seen"], near)?;
            let new = text.with(value, old, &name);
            let reading = text.of(orders.0);
            Some(format!("{place}.fetch_update({order}, {reading}, |{name}| Some({new}))"))
        }
    }
}

/// One ordering for what a load and a store had.
fn both(text: &Text, load: &Expr, store: &Expr) -> Option<String> {
    let name = |expr: &Expr| match bare(expr) {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        _ => None,
    };
    let (first, second) = (name(load)?, name(store)?);
    let wanted = match (first.as_str(), second.as_str()) {
        ("SeqCst", _) | (_, "SeqCst") => "SeqCst",
        ("Relaxed", "Relaxed") => "Relaxed",
        ("Acquire", "Relaxed") => "Acquire",
        ("Relaxed", "Release") => "Release",
        ("Acquire" | "AcqRel" | "Relaxed", "Release" | "AcqRel" | "Acquire") => "AcqRel",
        _ => return None,
    };
    for (expr, name) in [(store, &second), (load, &first)] {
        let written = text.of(expr);
        if name == wanted {
            return Some(written.to_owned());
        }
        if let Some(prefix) = written.strip_suffix(name.as_str()).filter(|prefix| prefix.ends_with("::")) {
            return Some(format!("{prefix}{wanted}"));
        }
    }
    Some(format!("std::sync::atomic::Ordering::{wanted}"))
}

/// A test of a flag: the load, its place and ordering, and which value the test finds.
fn test(condition: &Expr) -> Option<(&Expr, &Expr, &Expr, bool)> {
    match bare(condition) {
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Not(_)) => {
            let read = bare(&unary.expr);
            load(read).map(|(place, order)| (read, place, order, false))
        }
        read => load(read).map(|(place, order)| (read, place, order, true)),
    }
}

/// A store of a truth value: place, value, ordering.
fn flag(stmt: &Stmt) -> Option<(&Expr, &Expr, bool, &Expr)> {
    let (expr, _) = statement(stmt)?;
    let (place, value, order) = store(expr)?;
    match bare(value) {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Bool(value), .. }) => Some((expr, place, value.value, order)),
        _ => None,
    }
}

/// The test becomes a swap and the store is gone.
fn swapped(text: &Text, test: (&Expr, &Expr, &Expr), stmt: &Stmt) -> Option<Rewrite> {
    let (read, place, load_order) = test;
    let (store, stored, value, order) = flag(stmt)?;
    let covers = vec![text.access(read)?, text.access(store)?];
    let order = both(text, load_order, order)?;
    let swap = format!("{}.swap({value}, {order})", text.of(place));
    let edits = vec![(covers[0], swap), (text.line_of(stmt), String::new())];
    same_place(place, stored).then_some(Rewrite { edits, covers })
}

/// `if !f.load(o) { f.store(true, o2); … }`
pub fn swap_of_branch(text: &Text, expr: &Expr) -> Option<Rewrite> {
    let Expr::If(branch) = expr else { return None };
    let (read, place, order, found) = test(&branch.cond)?;
    let first = branch.then_branch.stmts.first()?;
    let (_, _, value, _) = flag(first)?;
    if value == found { None } else { swapped(text, (read, place, order), first) }
}

/// `if f.load(o) { return; } f.store(true, o2);`
pub fn swap_of_statements(text: &Text, stmts: &[Stmt], at: usize) -> Option<Rewrite> {
    let (Expr::If(branch), _) = statement(&stmts[at])? else { return None };
    let leaves = branch
        .then_branch
        .stmts
        .last()
        .and_then(statement)
        .is_some_and(|(last, _)| matches!(last, Expr::Return(_) | Expr::Break(_) | Expr::Continue(_)));
    let (read, place, order, found) = test(&branch.cond)?;
    let next = stmts.get(at + 1)?;
    let (_, _, value, _) = flag(next)?;
    if !leaves || branch.else_branch.is_some() || value != found {
        return None;
    }
    swapped(text, (read, place, order), next)
}
