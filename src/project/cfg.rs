//! `#[cfg]` predicates: which code is in the build.
//!
//! In: attributes as tokens and one crate's configuration. Out: in which of the crate's builds (normal, test) an item
//! is. Source: Rust Reference, "Conditional compilation". Invariant: a name that nobody has set is off; all features
//! are on; evaluating never fails (what isn't a predicate is off).

use crate::hir::{Attr, Delim, Name, Tt};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The configuration of one crate: host target (or `.cargo/config.toml`'s), features on, not `loom`, not `miri`.
#[derive(Clone, Debug, Default)]
pub struct CfgSet {
    /// Set names: `unix`, `debug_assertions`.
    pub names: BTreeSet<Name>,
    /// `target_os = "linux"`; for `feature`, all features are on.
    pub pairs: BTreeSet<(Name, Name)>,
    /// `cfg(test)`, where the crate is only ever built one way (a test target; everything with `--no-tests`).
    /// `None`: it is built both ways.
    pub test: Option<bool>,
}

/// In which builds an item is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum When {
    #[default]
    Always,
    TestOnly,
    NotTest,
    Never,
}

impl When {
    /// For what is in the normal build, in the test build.
    fn of(normal: bool, test: bool) -> When {
        match (normal, test) {
            (true, true) => When::Always,
            (false, true) => When::TestOnly,
            (true, false) => When::NotTest,
            (false, false) => When::Never,
        }
    }

    /// In the builds that both are in: of an item inside another.
    pub fn and(self, other: When) -> When {
        match (self, other) {
            (When::Always, w) | (w, When::Always) => w,
            (a, b) if a == b => a,
            _ => When::Never,
        }
    }
}

/// Names that attributes are compared with, interned once.
struct Known {
    cfg: Name,
    cfg_attr: Name,
    path: Name,
    test: Name,
    bench: Name,
    feature: Name,
    all: Name,
    any: Name,
    not: Name,
    on: Name,
    off: Name,
    version: Name,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| Known {
    cfg: Name::new("cfg"),
    cfg_attr: Name::new("cfg_attr"),
    path: Name::new("path"),
    test: Name::new("test"),
    bench: Name::new("bench"),
    feature: Name::new("feature"),
    all: Name::new("all"),
    any: Name::new("any"),
    not: Name::new("not"),
    on: Name::new("true"),
    off: Name::new("false"),
    version: Name::new("version"),
});

impl CfgSet {
    /// When an item with these attributes is compiled. All `#[cfg]`s must hold; `#[cfg_attr(p, cfg(q))]` is followed;
    /// `#[test]` and `#[bench]` functions are in the test build only.
    pub fn when(&self, attrs: &[Attr]) -> When {
        let decides = |a: &Attr| {
            let k = &*KNOWN;
            matches!(a.path[..], [n] if n == k.cfg || n == k.cfg_attr || n == k.test || n == k.bench)
        };
        if !attrs.iter().any(decides) {
            return When::Always;
        }
        let (normal, test) = self.in_both(|test| self.in_build(attrs, test));
        When::of(normal, test)
    }

    /// The value of `#[path = "…"]`, also inside a `cfg_attr` that holds in one of the builds.
    pub(super) fn path_attr(&self, attrs: &[Attr]) -> Option<String> {
        let find = |test: bool| {
            let mut found = None;
            for attr in attrs {
                self.effective(&attr.path, &attr.tokens, test, &mut |name, tokens| {
                    if name == KNOWN.path && found.is_none() {
                        found = literal(tokens);
                    }
                });
            }
            found
        };
        let (normal, test) = self.in_both(find);
        normal.or(test)
    }

    /// Sets `name` or `key="value"`, as `--cfg` has it.
    pub(super) fn set(&mut self, spec: &str) {
        match spec.split_once('=') {
            Some((key, value)) => {
                let value = value.trim().trim_matches('"');
                self.pairs.insert((Name::new(key.trim()), Name::new(value)));
            }
            None => {
                self.names.insert(Name::new(spec.trim()));
            }
        }
    }

    fn in_both<T: Clone>(&self, eval: impl Fn(bool) -> T) -> (T, T) {
        match self.test {
            Some(test) => {
                let only = eval(test);
                (only.clone(), only)
            }
            None => (eval(false), eval(true)),
        }
    }

    fn in_build(&self, attrs: &[Attr], test: bool) -> bool {
        let mut held = true;
        for attr in attrs {
            self.effective(&attr.path, &attr.tokens, test, &mut |name, tokens| {
                if name == KNOWN.cfg {
                    held &= split(tokens).iter().all(|p| self.holds(p, test));
                } else if name == KNOWN.test || name == KNOWN.bench {
                    held &= test;
                }
            });
        }
        held
    }

    /// Visits the attribute, or those that a `cfg_attr` stands for, as far as they have a single name.
    fn effective<'a>(
        &self,
        path: &[Name],
        tokens: &'a [Tt],
        test: bool,
        visit: &mut dyn FnMut(Name, &'a [Tt]),
    ) {
        let &[name] = path else { return };
        if name != KNOWN.cfg_attr {
            return visit(name, tokens);
        }
        let parts = split(tokens);
        let Some((pred, attrs)) = parts.split_first() else { return };
        if !self.holds(pred, test) {
            return;
        }
        for attr in attrs {
            match unwrapped(attr) {
                [Tt::Ident(name, _)] => self.effective(&[*name], &[], test, visit),
                [Tt::Ident(name, _), Tt::Group(_, inner, _)] => self.effective(&[*name], inner, test, visit),
                [Tt::Ident(name, _), Tt::Punct('=', ..), value @ ..] => {
                    self.effective(&[*name], value, test, visit)
                }
                _ => {}
            }
        }
    }

    /// Whether one predicate holds.
    fn holds(&self, pred: &[Tt], test: bool) -> bool {
        let k = &*KNOWN;
        match unwrapped(pred) {
            [Tt::Ident(name, _)] if *name == k.test => test,
            [Tt::Ident(name, _)] if *name == k.on || *name == k.off => *name == k.on,
            [Tt::Ident(name, _)] => self.names.contains(name),
            [Tt::Ident(key, _), Tt::Punct('=', ..), value @ ..] => {
                *key == k.feature
                    || literal(value).is_some_and(|v| self.pairs.contains(&(*key, Name::new(&v))))
            }
            [Tt::Ident(op, _), Tt::Group(Delim::Paren, inner, _)] => {
                let parts = split(inner);
                match *op {
                    op if op == k.all => parts.iter().all(|p| self.holds(p, test)),
                    op if op == k.any => parts.iter().any(|p| self.holds(p, test)),
                    op if op == k.not => !parts.iter().all(|p| self.holds(p, test)),
                    // A compiler version: taken to be new enough.
                    op => op == k.version,
                }
            }
            _ => false,
        }
    }
}

/// All the values of `path` attributes, whether or not their `cfg_attr` holds.
pub(super) fn all_path_values(attrs: &[Attr]) -> Vec<String> {
    let mut found = Vec::new();
    for attr in attrs {
        match attr.path[..] {
            [name] if name == KNOWN.path => found.extend(literal(&attr.tokens)),
            [name] if name == KNOWN.cfg_attr => {
                for part in split(&attr.tokens) {
                    if let [Tt::Ident(name, _), Tt::Punct('=', ..), value @ ..] = part
                        && *name == KNOWN.path
                    {
                        found.extend(literal(value));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether the attributes hold `#[name]` or `#[name(…)]`.
pub(super) fn has_attr(attrs: &[Attr], name: &str) -> bool {
    attrs.iter().any(|a| matches!(a.path[..], [n] if n == name))
}

/// The parts between top-level commas; empty ones are left out.
fn split(tokens: &[Tt]) -> Vec<&[Tt]> {
    unwrapped(tokens).split(|t| matches!(t, Tt::Punct(',', ..))).filter(|part| !part.is_empty()).collect()
}

/// Without the invisible group that a macro fragment comes in.
fn unwrapped(tokens: &[Tt]) -> &[Tt] {
    match tokens {
        [Tt::Group(Delim::None, inner, _)] => unwrapped(inner),
        _ => tokens,
    }
}

/// The value of a single string literal (escapes are kept as written).
fn literal(tokens: &[Tt]) -> Option<String> {
    let [Tt::Literal(text, _)] = unwrapped(tokens) else { return None };
    let text = text.as_str();
    let (lo, hi) = (text.find('"')?, text.rfind('"')?);
    (lo < hi).then(|| text[lo + 1..hi].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::{Joint, TextRange, Tokens};

    /// Tokens of `text`: names, string literals, punctuation, parentheses.
    fn tokens(text: &str) -> Tokens {
        let mut chars = text.chars().peekable();
        sequence(&mut chars)
    }

    fn sequence(chars: &mut std::iter::Peekable<std::str::Chars>) -> Tokens {
        let at = TextRange::default();
        let mut out = Vec::new();
        while let Some(c) = chars.next() {
            match c {
                ')' => break,
                '(' => out.push(Tt::Group(Delim::Paren, sequence(chars), at)),
                '"' => {
                    let value: String = chars.by_ref().take_while(|c| *c != '"').collect();
                    out.push(Tt::Literal(Name::new(&format!("\"{value}\"")), at));
                }
                c if c.is_alphabetic() => {
                    let mut word = c.to_string();
                    while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                        word.push(c);
                    }
                    out.push(Tt::Ident(Name::new(&word), at));
                }
                c if c.is_whitespace() => {}
                c => out.push(Tt::Punct(c, Joint::Alone, at)),
            }
        }
        out.into()
    }

    fn attr(name: &str, args: &str) -> Attr {
        Attr { path: vec![Name::new(name)], tokens: tokens(args), range: TextRange::default() }
    }

    fn linux() -> CfgSet {
        let mut cfg = CfgSet::default();
        cfg.set("unix");
        cfg.set("target_os=\"linux\"");
        cfg
    }

    #[test]
    fn predicates_are_decided_for_both_builds() {
        let cfg = linux();
        let when = |pred: &str| cfg.when(&[attr("cfg", pred)]);
        assert_eq!(when("unix"), When::Always);
        assert_eq!(when("windows"), When::Never);
        assert_eq!(when("test"), When::TestOnly);
        assert_eq!(when("not(test)"), When::NotTest);
        assert_eq!(when("all(test, not(test))"), When::Never);
        assert_eq!(when("any(test, target_os = \"linux\",)"), When::Always);
        assert_eq!(when("all(test, feature = \"anything\")"), When::TestOnly);
        assert_eq!(when("not(feature = \"std\")"), When::Never);
        assert_eq!(when("any(loom, miri)"), When::Never);
        assert_eq!(when("any()"), When::Never);
        assert_eq!(when("all()"), When::Always);
        assert_eq!(when("true"), When::Always);
        assert_eq!(when("false"), When::Never);
    }

    #[test]
    fn all_attributes_must_hold_and_cfg_attr_is_followed() {
        let cfg = linux();
        assert_eq!(cfg.when(&[attr("cfg", "unix"), attr("cfg", "test")]), When::TestOnly);
        assert_eq!(cfg.when(&[attr("cfg_attr", "unix, cfg(windows)")]), When::Never);
        assert_eq!(cfg.when(&[attr("cfg_attr", "windows, cfg(windows)")]), When::Always);
        assert_eq!(cfg.when(&[attr("cfg_attr", "test, inline, cfg(windows)")]), When::NotTest);
        assert_eq!(cfg.when(&[attr("test", "")]), When::TestOnly);
    }

    #[test]
    fn a_crate_built_one_way_knows_no_difference() {
        let test_target = CfgSet { test: Some(true), ..linux() };
        assert_eq!(test_target.when(&[attr("cfg", "test")]), When::Always);
        assert_eq!(test_target.when(&[attr("cfg", "not(test)")]), When::Never);
        let no_tests = CfgSet { test: Some(false), ..linux() };
        assert_eq!(no_tests.when(&[attr("test", "")]), When::Never);
    }

    #[test]
    fn the_path_attribute_may_hang_on_a_predicate() {
        let cfg = linux();
        let attrs =
            [attr("cfg_attr", "windows, path = \"win.rs\""), attr("cfg_attr", "unix, path = \"nix.rs\"")];
        assert_eq!(cfg.path_attr(&attrs).as_deref(), Some("nix.rs"));
        assert_eq!(all_path_values(&attrs), ["win.rs", "nix.rs"]);
        assert_eq!(cfg.path_attr(&[attr("path", "\"a/b.rs\"")]).as_deref(), Some("a/b.rs"));
    }

    #[test]
    fn builds_are_intersected() {
        assert_eq!(When::TestOnly.and(When::NotTest), When::Never);
        assert_eq!(When::TestOnly.and(When::Always), When::TestOnly);
        assert_eq!(When::NotTest.and(When::NotTest), When::NotTest);
    }
}
