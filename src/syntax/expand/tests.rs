//! Definitions, calls, and the text of what they expand to.

use super::{Budget, Failure, Position, direct, expand, expand_items, items_of_shape, set_aside, syn_items};
use crate::hir::{
    Delim, Item, ItemKind, Joint, MacroDef, MacroRule, MacroShape, Name, StaticKind, TextRange, Tokens, Tt,
};
use crate::syntax::source_map::{SourceMap, parse};
use crate::syntax::tokens::{from_stream, render};
use proc_macro2::TokenStream;
use syn::parse::Parse;

fn tokens(text: &str) -> Tokens {
    let map = SourceMap::of_text(text, TextRange::new(0, text.len() as u32));
    parse(text, &map, TokenStream::parse, |stream| from_stream(stream, &map)).expect("tokens")
}

/// The rules of `(matcher) => { transcriber }; …`.
fn definition(name: &str, rules: &str) -> MacroDef {
    let rules = tokens(rules);
    let rules = rules.windows(4).filter_map(|window| match window {
        [Tt::Group(_, matcher, _), Tt::Punct('=', ..), Tt::Punct('>', ..), Tt::Group(_, transcriber, _)] => {
            Some(MacroRule { matcher: matcher.clone(), transcriber: transcriber.clone() })
        }
        _ => None,
    });
    MacroDef { name: Name::new(name), rules: rules.collect(), exported: false }
}

fn expanded(rules: &str, call: &str) -> Result<String, Failure> {
    let def = definition("m", rules);
    let tokens = expand(&def, &tokens(call), TextRange::new(0, 1), Position::Item, &mut Budget::default())?;
    Ok(render(&tokens).0)
}

/// Compares token by token, so that blanks don't matter.
#[track_caller]
fn check(rules: &str, call: &str, expected: &str) {
    assert_eq!(expanded(rules, call), Ok(render(&tokens(expected)).0), "{call}");
}

/// Whether one fragment of the kind takes all of the text.
fn takes(kind: &str, text: &str) -> bool {
    expanded(&format!("($x:{kind}) => {{ yes }}"), text).is_ok()
}

#[test]
fn fragments_take_what_the_grammar_gives_them() {
    let cases = [
        ("ident", "r#fn", true),
        ("ident", "_", false),
        ("ident", "a.b", false),
        ("lifetime", "'a", true),
        ("literal", "-1.5", true),
        ("literal", "true", true),
        ("literal", "x", false),
        ("tt", "+=", true),
        ("tt", "..=", true),
        ("tt", "+ =", false),
        ("tt", "(a b)", true),
        ("vis", "", true),
        ("vis", "pub(in a::b)", true),
        ("block", "{ a }", true),
        ("meta", "cfg(all(unix, test))", true),
        ("meta", "path = \"x\"", true),
        ("path", "a::B<C<D>>::E", true),
        ("path", "Fn(A) -> B", true),
        ("pat", "Some(1) | None", true),
        ("pat_param", "Some(1) | None", false),
        ("pat", "a @ 1..=5", true),
        ("item", "#[a] pub(crate) fn f<T>() -> [u8; 2] where T: X {}", true),
        ("item", "const X: [u8; 1] = { [1] };", true),
        ("item", "struct S;", true),
        ("item", "a::m!(x);", true),
        ("item", "macro_rules! m { () => {} }", true),
        ("item", "a + b", false),
        ("stmt", "let x: Vec<u8> = if a { b } else { c }", true),
        ("stmt", "let Some(x) = y else { return }", true),
        ("stmt", "x.y()", true),
        ("stmt", "struct S;", true),
    ];
    for (kind, text, expected) in cases {
        assert_eq!(takes(kind, text), expected, "{kind}: {text}");
    }
}

#[test]
fn expressions_end_where_the_grammar_ends_them() {
    let whole = [
        "a + -b * *c << 2",
        "a.b::<Vec<u8>>().0.await?[1]",
        "<T as A<B>>::f(x)",
        "if let Some(x) = a && b { 1 } else if c { 2 } else { 3 }",
        "match x { _ => 1 } + 2",
        "move |a: u8, (b, c)| -> u8 { a }",
        "async move { x.await }",
        "async |x| x",
        "|| x = y",
        "&raw const a.b",
        "&mut S { a: 1, ..d }",
        "..",
        "..=b",
        "a..",
        "a as *const Vec<dyn A + B> as usize",
        "return",
        "break 'a x",
        "'a: loop { }",
        "unsafe { f() }.g()",
        "vec![1, 2].len()",
        "for x in 0..n { }",
        "#[inline] || 1",
        "x as fn(u8) -> u8",
        "$crate",
    ];
    for text in whole {
        assert_eq!(takes("expr", text), text != "$crate", "{text}");
    }
    for text in ["a b", "a => b", "a, b", "a;", "let", "fn", "+ a", "", "{ a } b", "struct S;", "_"] {
        assert!(!takes("expr", text), "{text}");
    }
}

#[test]
fn types_end_where_the_grammar_ends_them() {
    for text in [
        "Vec<Vec<u8>>",
        "&'a mut dyn for<'x> Fn(&'x u8) -> A<B> + Send",
        "[u8; 4]",
        "*const *mut T",
        "unsafe extern \"C\" fn(u8, ...) -> !",
        "<T as A>::B<C>",
        "impl A<B = C> + ?Sized",
        "m!(x)",
        "_",
    ] {
        assert!(takes("ty", text), "{text}");
    }
    for text in ["a b", "1", "Vec<u8", "+ A", ""] {
        assert!(!takes("ty", text), "{text}");
    }
}

#[test]
fn repetitions_nest() {
    check(
        "($($n:ident => [$($v:expr),*]);* $(;)?) => { $( f($n $(, $v)*); )* }",
        "a => [1, 2 + 3]; b => [];",
        "f(a, 1, (2 + 3)); f(b);",
    );
    check(
        "($($a:ident $($b:literal)?),+ $(,)?) => { $($a: [$($b)?])|+ }",
        "x 1, y, z 2,",
        "x: [1] | y: [] | z: [2]",
    );
    check("($t:ident; $($x:tt)*) => { $($t.$x;)* }", "s; a b", "s.a; s.b;");
    assert_eq!(expanded("($($x:ident),+) => { }", ""), Err(Failure::NoRule));
    assert_eq!(expanded("($($x:ident),*; $($y:ident),*) => { $($x $y)* }", "a, b; c"), Err(Failure::NoRule));
}

#[test]
fn documentation_may_be_missing() {
    check("($(#[$m:meta])+ $n:ident) => { $(#[$m])* fn $n() {} }", "f", "fn f() {}");
    check(
        "($(#[$m:meta])+ $n:ident) => { $(#[$m])* fn $n() {} }",
        "#[a] #[b(c)] f",
        "#[a] #[b(c)] fn f() {}",
    );
}

#[test]
fn rules_are_tried_in_order() {
    let rules = "(@step $x:expr) => { one $x }; ($a:ident += $b:expr) => { add $a $b }; ($($t:tt)+) => { all $($t)+ }";
    check(rules, "@step 1", "one 1");
    check(rules, "A += 1", "add A 1");
    check(rules, "A -= 1", "all A -= 1");
    check(rules, "a b", "all a b");
    check("($e:expr) => { expr }; ($a:ident $b:ident) => { two }", "a b", "two");
    check("({ $($x:tt)* }) => { braces }; (($x:ty)) => { $x }", "(Vec<A>)", "Vec<A>");
}

#[test]
fn an_expression_stays_one_operand() {
    check("($e:expr) => { $e * 2 }", "1 + 1", "(1 + 1) * 2");
    check("($t:ty) => { &$t }", "dyn A + B", "&(dyn A + B)");
    let outer = definition("m", "($e:expr) => { $e }");
    let call = TextRange::new(0, 1);
    let first =
        expand(&outer, &tokens("1 + 1"), call, Position::Item, &mut Budget::default()).expect("expands");
    let literal =
        definition("m", "($l:literal) => { lit }; ($a:tt + $b:tt) => { sum }; ($e:expr) => { expr }");
    let second = expand(&literal, &first, call, Position::Item, &mut Budget::default()).expect("expands");
    assert_eq!(render(&second).0, "expr");
}

#[test]
fn special_variables() {
    check("($x:ident) => { $crate::$x }", "f", "crate::f");
    check(
        "($($x:ident),*) => { ${count(x)} $(${index()} $x),* $$y $unknown }",
        "a, b",
        "2 0 a, 1 b $y $unknown",
    );
}

#[test]
fn definitions_made_by_macros_work() {
    check(
        "($d:tt $n:ident) => { macro_rules! $n { ($d x:expr) => { $d x } } }",
        "$ inner",
        "macro_rules! inner { ($x:expr) => { $x } }",
    );
}

#[test]
fn tokens_of_the_call_keep_their_ranges() {
    let def = definition("m", "($e:expr) => { f($e) }");
    let call = TextRange::new(100, 103);
    let out = expand(&def, &tokens("ab + c"), call, Position::Item, &mut Budget::default()).expect("expands");
    let [Tt::Ident(_, f), Tt::Group(_, args, parens)] = &out[..] else { panic!("{out:?}") };
    assert_eq!((*f, *parens), (call, call));
    assert_eq!(args[0].range(), TextRange::new(0, 6));
}

#[test]
fn growth_is_bounded() {
    let def = definition("m", "($($t:tt)*) => { $($t $t)* }");
    let mut budget = Budget::default();
    let mut tokens = tokens("a");
    let mut rounds = 0;
    let failure = loop {
        match expand(&def, &tokens, TextRange::default(), Position::Item, &mut budget) {
            Ok(next) => tokens = next,
            Err(failure) => break failure,
        }
        rounds += 1;
    };
    assert_eq!(failure, Failure::Bound);
    assert!(rounds < 20, "{rounds}");
    let nest = definition("m", "($t:tt) => { ($t) }");
    let mut tokens = self::tokens("a");
    let failure = loop {
        match expand(&nest, &tokens, TextRange::default(), Position::Item, &mut budget) {
            Ok(next) => tokens = next,
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure, Failure::Bound);
}

fn names(items: &[Item]) -> Vec<&'static str> {
    items.iter().map(|item| item.name.as_str()).collect()
}

#[test]
fn items_come_from_rules() {
    let def = definition(
        "metrics",
        "($($n:ident),*) => { metrics!(@each [] $($n)*); };
         (@each [$($done:tt)*] $n:ident $($rest:tt)*) => {
             metrics!(@each [$($done)* static $n: AtomicU64 = AtomicU64::new(0);] $($rest)*);
         };
         (@each [$($done:tt)*]) => { $($done)* fn total() -> u64 { 0 } };",
    );
    let items = expand_items(&def, &tokens("A, B"), TextRange::new(0, 7)).expect("items");
    assert_eq!(names(&items), ["A", "B", "total"]);
    let endless = definition("m", "() => { m!(); }");
    assert!(expand_items(&endless, &tokens(""), TextRange::default()).is_none());
}

#[test]
fn items_are_read_as_syn_reads_them() {
    let texts = [
        "#![a] pub(in a::b) static mut A: [T; 2] = [x, { 1 }]; const _: () = f(2. * 1e-5); fn f(self: &S) -> U { y } fn g();",
        "impl<'a> T<'a> for S { const C: u8 = -1; fn f<F: Fn(A) -> B>((a, _): P, x: F) where F: 'a { z } m! { x } }",
        "mod m { use a::{b, c as d}; struct S(u8, *mut T); trait T: A { type X: B; fn f(&self) { x } } macro_rules! n { () => { fn f() {} } } }",
    ];
    for text in texts {
        let mut bodies = Vec::new();
        let tokens = set_aside::set_aside(&tokens(text), &mut bodies);
        let direct = direct::items(&tokens, &bodies);
        let syn = syn_items(&tokens, &bodies);
        assert!(direct.is_some() && format!("{direct:?}") == format!("{syn:?}"), "{text}");
    }
    let nothing = |text| direct::items(&tokens(text), &[]).is_none();
    assert!(nothing("fn f() { 0aside }") && nothing("fn f() { x }") && nothing("static A: u8 = 1 2;"));
}

#[test]
fn items_come_from_known_shapes() {
    let storage = |items: &[Item]| -> Vec<StaticKind> {
        let kinds = items.iter().filter_map(|item| match &item.kind {
            ItemKind::Static(item) => Some(item.storage),
            _ => None,
        });
        kinds.collect()
    };
    let call = TextRange::new(0, 1);
    let text = "pub static A: C<u8> = const { C::new(1) }; #[x] static B: u8 = 2";
    let items = items_of_shape(MacroShape::ThreadLocal, &tokens(text), call).expect("items");
    assert_eq!(names(&items), ["A", "B"]);
    assert_eq!(storage(&items), [StaticKind::ThreadLocal; 2]);
    let text = "static ref A: M<u8> = M::new(1);";
    let items = items_of_shape(MacroShape::LazyStatic, &tokens(text), call).expect("items");
    assert_eq!((names(&items), storage(&items)), (vec!["A"], vec![StaticKind::Lazy]));
    assert!(items_of_shape(MacroShape::Format, &tokens(text), call).is_none());
}

#[test]
fn branches_of_cfg_if_exclude_each_other() {
    let text = "if #[cfg(unix)] { fn a() {} } else if #[cfg(all(test, x))] { fn b() {} } else { #[inline] fn c() {} }";
    let items = items_of_shape(MacroShape::CfgIf, &tokens(text), TextRange::default()).expect("items");
    let attrs = |item: &Item| -> Vec<String> {
        item.attrs.iter().map(|attr| format!("{} {}", attr.path[0], render(&attr.tokens).0)).collect()
    };
    assert_eq!(names(&items), ["a", "b", "c"]);
    assert_eq!(attrs(&items[0]), ["cfg unix"]);
    assert_eq!(attrs(&items[1]), ["cfg not ( unix )", "cfg all ( test , x )"]);
    assert_eq!(attrs(&items[2]), ["inline ", "cfg not ( unix )", "cfg not ( all ( test , x ) )"]);
}

#[test]
fn calls_among_items_are_read_as_from_their_text() {
    let texts = [
        "m! { a } ::a::m!(b \"c\", 'd 1.5e3); fn f() { m!(x); } a::m![]; struct S; m! {}",
        "use a::{b}; #[cfg(x)] m!(y); const A: [u8; 1] = { m!(z) }; impl A { m! { u } } m! { r#fn += -> }",
        "macro_rules! n { () => {} } static A: T = if a { b } else { c }; mod m { m!(); } n! { { ( ) } }",
    ];
    for text in texts {
        let tokens = tokens(text);
        let read = super::items_of_tokens(&tokens).map(|items| format!("{items:?}"));
        let rendered = super::rendered_items(&tokens).map(|items| format!("{items:?}"));
        assert!(read.is_some() && read == rendered, "{text}\n{read:?}\n{rendered:?}");
    }
}

#[test]
fn calls_among_items_have_no_invisible_groups() {
    let invisible = |text: &str| Tt::Group(Delim::None, tokens(text), TextRange::new(0, 5));
    let args = [invisible("a + b"), Tt::Punct(',', Joint::Alone, TextRange::new(6, 7)), invisible("c")];
    let mut call = tokens("m!").to_vec();
    call.push(Tt::Group(Delim::Brace, args.into(), TextRange::new(2, 9)));
    let (read, rendered) = (super::items_of_tokens(&call), super::rendered_items(&call));
    assert!(read.is_some() && format!("{read:?}") == format!("{rendered:?}"), "{read:?}\n{rendered:?}");
}
