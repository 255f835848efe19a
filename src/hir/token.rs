//! Token trees of macro calls and definitions: our own, because proc-macro2's are bound to the thread that made them.

use super::{BinaryOp, Name, TextRange};
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Delim {
    Paren,
    Bracket,
    Brace,
    /// An invisible group: what a `$x:expr` fragment was replaced by.
    None,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Tt {
    /// Also raw identifiers (text with `r#`), keywords, `_`.
    Ident(Name, TextRange),
    /// Text with its `'`.
    Lifetime(Name, TextRange),
    Punct(char, Joint, TextRange),
    /// The literal's source text.
    Literal(Name, TextRange),
    /// `open`..`close`: the range includes the delimiters.
    Group(Delim, Tokens, TextRange),
}

/// Whether a punctuation character is directly followed by another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joint {
    Joint,
    Alone,
}

pub type Tokens = Arc<[Tt]>;

impl Tt {
    pub fn range(&self) -> TextRange {
        match self {
            Tt::Ident(_, r)
            | Tt::Lifetime(_, r)
            | Tt::Punct(_, _, r)
            | Tt::Literal(_, r)
            | Tt::Group(_, _, r) => *r,
        }
    }
}

/// A `macro_rules!` (or `macro`) definition.
#[derive(Clone, Debug)]
pub struct MacroDef {
    pub name: Name,
    pub rules: Vec<MacroRule>,
    /// `#[macro_export]`: reachable as `crate::name`.
    pub exported: bool,
}

/// One arm: matcher tokens and transcriber tokens, both without the outer delimiters.
#[derive(Clone, Debug)]
pub struct MacroRule {
    pub matcher: Tokens,
    pub transcriber: Tokens,
}

/// What the arguments of a macro that the program doesn't define look like: decided by models, so that lowering
/// knows grammars and no library.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MacroShape {
    /// `println!("{x} {}", y)`, `write!(f, "…")`, `panic!`: expressions before the format string, then format
    /// arguments, inline captures included; all are taken by reference.
    Format,
    /// `write!(to, "…", …)`: a method of the first expression, called with what is formatted.
    Write(Name),
    /// As `Format`, and control does not come back (`panic!`, `todo!`, `unreachable!`, `unimplemented!`, `bail!`).
    Diverge,
    /// `assert!(cond, "…", …)`: a condition, then format arguments.
    Assert,
    /// `assert_eq!(a, b, "…")`: two expressions that compare like this, taken by reference, then format arguments.
    AssertCompared(BinaryOp),
    /// `matches!(e, pat if guard)`.
    Matches,
    /// `vec![a, b]`, `vec![e; n]`: an owned collection of the elements.
    Vec,
    /// `dbg!(e)`: its argument(s) by value.
    Pass,
    /// `addr_of!(place)` / `addr_of_mut!(place)`.
    AddrOf,
    AddrOfMut,
    /// `concat!`, `env!`, `include_str!`, `line!`, …: a constant, arguments are no code.
    Constant,
    /// `cfg!(p)`: whether the predicate holds.
    Cfg,
    /// `join!(a, b)`, `try_join!`: futures awaited concurrently.
    Join,
    /// `select! { pat = fut => handler, … }` of tokio and futures.
    Select,
    /// Item position: `thread_local! { static X: T = e; }`.
    ThreadLocal,
    /// Item position: `lazy_static! { static ref X: T = e; }`.
    LazyStatic,
    /// Item position: `cfg_if! { if #[cfg(p)] { items } else { items } }`.
    CfgIf,
    /// Arguments are items, taken as they are (`bitflags!`-like wrappers are not).
    Items,
    /// Comma-separated expressions, evaluated by value in order.
    Exprs,
    /// Expands to nothing.
    Nothing,
}
