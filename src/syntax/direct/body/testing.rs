//! What the tests of bodies compare with, and how.

use crate::hir::{Attr, BinaryOp, Body, BodySource, Item, ItemKind, MacroShape, Name, Path};
use crate::syntax::body::lower_by_syn_alone;
use crate::syntax::{MacroMeaning, MacroScope};
use std::sync::Arc;

/// Knows the shapes under the names that the tests use; `#[cfg(off)]` is off.
pub(in crate::syntax::direct) struct Shapes;

impl MacroScope for Shapes {
    fn lookup(&self, path: &Path) -> MacroMeaning {
        let name = path.segments.last().map_or("", |segment| segment.name.as_str());
        let shape = match name {
            "format" => MacroShape::Format,
            "write" => MacroShape::Write(Name::new("write_fmt")),
            "panic" => MacroShape::Diverge,
            "assert" => MacroShape::Assert,
            "assert_eq" => MacroShape::AssertCompared(BinaryOp::Eq),
            "matches" => MacroShape::Matches,
            "vec" => MacroShape::Vec,
            "dbg" => MacroShape::Pass,
            "addr_of" => MacroShape::AddrOf,
            "concat" => MacroShape::Constant,
            "cfg" => MacroShape::Cfg,
            "join" => MacroShape::Join,
            "select" => MacroShape::Select,
            "thread_local" => MacroShape::ThreadLocal,
            "cfg_if" => MacroShape::CfgIf,
            "nothing" => MacroShape::Nothing,
            _ => return MacroMeaning::Unknown,
        };
        MacroMeaning::Shape(shape)
    }

    fn enabled(&self, attrs: &[Attr]) -> bool {
        !attrs
            .iter()
            .any(|attr| format!("{:?}", attr.tokens).contains("Ident(\"off\"") && attr.tokens.len() == 1)
    }
}

/// All of a body. In the place of the tokens of bodies in it, which syn prints anew, is what they are lowered to.
pub(in crate::syntax::direct) fn shown(mut body: Body) -> String {
    let mut sources = Vec::new();
    body.block_items.iter_mut().for_each(|items| take_bodies(items, &mut sources));
    let inner = sources.iter().map(|source| shown(lower_by_syn_alone("", source, &Shapes).body));
    let inner: String = inner.collect();
    format!("{body:#?} {inner}")
}

/// Takes the bodies away that are tokens.
fn take_bodies(items: &mut [Item], out: &mut Vec<BodySource>) {
    let is_tokens = |source: &mut BodySource| matches!(source, BodySource::Tokens(_));
    for item in items {
        out.extend(match &mut item.kind {
            ItemKind::Fn(item) => Arc::make_mut(item).body.take_if(is_tokens),
            ItemKind::Static(item) => Arc::make_mut(item).init.take_if(is_tokens),
            ItemKind::Const(item) => Arc::make_mut(item).init.take_if(is_tokens),
            _ => None,
        });
        match &mut item.kind {
            ItemKind::Mod(Some(items)) => take_bodies(items, out),
            ItemKind::Impl(block) => take_bodies(&mut Arc::make_mut(block).items, out),
            ItemKind::Trait(item) => take_bodies(&mut Arc::make_mut(item).items, out),
            _ => {}
        }
    }
}
