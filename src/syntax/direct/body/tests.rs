//! Bodies, and whether they are read as syn reads them.

use super::testing::{Shapes, shown};
use crate::hir::{Body, BodySource, TextRange};
use crate::syntax::body::{lower_by_syn_alone, lower_directly};

/// What is read here, and by syn if it isn't refused.
fn both(text: &str) -> (Option<Body>, Option<Body>) {
    // Something before, so that ranges don't begin with 0.
    let text = format!("é {text}");
    let source = BodySource::Text(TextRange::new("é ".len() as u32, text.len() as u32));
    let syn = lower_by_syn_alone(&text, &source, &Shapes);
    let direct = lower_directly(&text, &source, &Shapes);
    (direct.map(|lowered| lowered.body), syn.errors.is_empty().then_some(syn.body))
}

#[track_caller]
fn same(texts: &[&str]) {
    for text in texts {
        let (direct, syn) = both(text);
        let direct = direct.unwrap_or_else(|| panic!("not read: {text}"));
        let syn = syn.unwrap_or_else(|| panic!("refused: {text}"));
        assert_eq!(shown(direct), shown(syn), "{text}");
    }
}

/// What syn refuses isn't read, and what is rare is left to it.
#[track_caller]
fn left_to_syn(texts: &[&str]) {
    for text in texts {
        assert!(both(text).0.is_none(), "{text}");
    }
}

#[test]
fn operators() {
    same(&[
        "a + b * -c == !d && e as *mut u8 as usize | f ^ g & h << 1 >> i",
        "{ a = b = c + d; x += y <<= z; *p -= 1; *q &= !r; s ||t; u && v }",
        "{ a..b; a..; ..b; ..=b; a + 1..=b - 1; ..; [..]; f(a.., ..b)[..][1..] }",
        "-a.b()?.c.0.1[d + 1](e)?.await.f::<u8, { N }, 'a, Vec<_>>(g)",
        "(a + b).c() + ((d)) * (e, f,) - (g,) % ()",
        "&a + &mut b - &raw const c.d / &raw mut e * &raw",
        "&&a == &&mut b && *&*c",
        "(a as u8) < b || (a as u8) << 3 > c as i128 && d <= e && f >= g || h != i",
        "{ || a; |x| x + 1; |&x, (y, mut z): (u8, _)| -> u8 { y }; move || {}; async |x| y; async move |x| async move { x } }",
        "{ return; return a + b; loop { break; } ; 'l: loop { break 'l a; continue 'l; }; return return }",
        "{ S { a, b: 1, 0: c, ..d }; S::<T> {}; <S as T>::U { e, .. }; S { r#type } }",
        "{ [a, b,]; [a; N * 2]; []; [[0; 2], [1; 2]] }",
    ]);
}

#[test]
fn paths_are_numbered_as_syn_numbers_them() {
    same(&[
        "<T as a::B<C, D>>::E::<F>(<G<H> as I>::j, <<K as L<M>>::N as O<P>>::q::<R>())",
        "::a::b::<fn(C, &D) -> E, dyn F<G = H<I>> + 'static, impl J<K: L>, [M; 3], (N,), !>::o",
        "{ let a: <B as C<D>>::E = f::<{ 1 + 2 }, 3>(); let h: Box<dyn Fn(&I, J) -> K<L> + Send> = m; }",
        "x as <T as U<V>>::W as *const X<Y> as &'a mut [Z]",
    ]);
}

#[test]
fn patterns() {
    same(&[
        "match x { A::B(a, .., b) | C { a, b: ref mut b, .. } if a > b => {} [a, b @ .., c] => a, (1..=5 | 'a'..'z', _) => {} _ => {} }",
        "match x { -1 => a, \"s\" => b, A..=B::C => c, 5.. => d, ..=6 => e, &(ref a, &mut b) => f, c @ (D(_) | E(_)) => g, r#type => {} true => h }",
        "if let Some(x) | Ok(x) = a && let (y, ..) = b || c { x } else if let | D = e {} else { f }",
        "while let Some((a, S { b: T(c), 0: d, .. })) = e.next() { f(a, b, c, d) }",
        "for (i, &x) in a.iter().enumerate() { for _ in 0..n {} }",
        "{ let (mut a, [b, ..], S { c, .. }): (u8, _, S) = d else { return; }; let e; let f = 1; let &g = h; let m!(x) = y; }",
        "match x { <A as B>::C => 1, crate::D { .. } => 2, Self(a) => 3, self::E::<F>::G => 4 }",
    ]);
}

#[test]
fn statements_end_where_they_do() {
    same(&[
        "{ if a {} else {} -1; match b {} *c = 1; {} (d)(); loop {} [e]; while f {} &g; unsafe {} ..; }",
        "{ if a { b } else { c }.d() + 1; match e {}?.f; { g }.h = 1; unsafe { i }.await; 'l: { j }.k() }",
        "{ { a; b }; { a; b; }; { ;; a ;; }; {} }",
        "{ match a { B => c, D => { e } F => { g }, H => if i { j } else { k } L => m!{} , N => o }; }",
        "{ #![allow(x)] //! inner\n /// doc\n #[x] let a = 1; #[y] f(); /** doc */ #[z] if b {} g() }",
        "{ let a = b else { return }; let c = if d { e } else { f }; let g = S { h }; let i = |x| { x }; let j = { k } + l; }",
        "{ async { a }; async move { b.await? }; const { c }; try { d? }; unsafe { #![a] e } f() }",
        "{ while a < b && { c } {} for x in S::new() {} if (S { a: 1 }) == b {} match c { d => return, e => break } }",
    ]);
}

#[test]
fn items_in_blocks() {
    same(&[
        "{ fn f<T>(x: T) -> Vec<T> { if x {} g(x); vec![x] } use a::{b, c as d}; f(b) }",
        "{ const A: u8 = { 1 } + B; static C: [u8; 2] = [1, 2]; struct D { /// doc\n e: u8 } impl D { fn g(&self) { let h: I<J> = k; } } enum L { M(u8) } D { e: A } }",
        "{ pub(crate) struct S; type T = u8; #[cfg(off)] fn off() {} unsafe extern \"C\" { fn ext(); } async fn a() { b.await } trait U { fn v() {} } mod w { fn x() { y } } }",
        "{ macro_rules! m { ($e:expr) => { $e + 1 }; () => { fn made() {} } } m!(2 * 3).n(); m!(); m!(z) }",
        "{ macro_rules! m { ($($n:ident = $e:expr),*) => { $(let $n = $e;)* } } m!(a = 1, b = |x| x); { m!(c = 2); c } a + b }",
        "{ macro_rules! m { ($t:ty, $b:block, $p:pat) => { match <$t as A>::b() { $p => $b, _ => { c.0.1 } } } } let x = m!(Vec<u8>, { d }, Some(e) | f); }",
        "{ macro_rules! m { ($e:expr) => { 'l: loop { static N: usize = $e; const O: &str = \"a\\n\"; break 'l -1i8 >>= 0 } } } m!(1) }",
        "{ macro_rules! m { ($t:ty) => { { fn f<'a, T>(x: &'a $t) -> T { match x { A => b, C => { d } } } const E: u8 = { 1 } + 2; impl F for $t { fn g() {} } f } } } m!(Vec<u8>) }",
        "{ macro_rules! m { ($($t:tt)*) => { n!($($t)*) } } macro_rules! n { ($a:expr, $($r:tt)*) => { $a + m!($($r)*) }; ($a:expr) => { unknown!(&&$a, {\"b\": c}) } } m!(a, b, c) }",
    ]);
}

#[test]
fn macro_calls() {
    same(&[
        "{ format!(\"{a} {} {b:>w$}\", c, d = e); format!(\"{d}\", d = |x, y| x, f::<A, B>()); format!(g, \"{}\", h); format!((\"{i}\")); format!(j.k = %l, ?m, n: o); }",
        "{ write!(f, \"{x} é\\n{{}}\", y < z, w)?; panic!(); panic!(\"{e}\"); assert!(a > 1, \"no {b}\", c); assert_eq!(x, y.z(), \"{}\", w); }",
        "{ matches!(x, Some(n) | Ok(n) if n > 1,); vec![a, b,]; vec![a; 3]; vec![]; dbg!(x, y); addr_of!((*p).f); concat!(\"a\", 1); nothing!(x / / y) }",
        "{ thread_local! { static A: C<u8> = const { C::new(1) }; } cfg_if! { if #[cfg(off)] { a() } else { let b = 1; b.c() } } cfg!(x); A }",
        "{ join!(biased; a(), async { b }); let x = cfg_if! { if #[cfg(x)] { fn f() {} } }; nothing! {} }",
        "select! { biased; Some(m) = rx.recv::<A>(), if let Some(x) = ok => { use_it(m) } _ = async { |z| z } => break, else => return }",
        "select! { recv(r) -> msg => got(msg), send(s, 1) -> _ => {} default(wait()) => {} complete => x, }",
        "{ a!(x, y + 1); b! { let z = 1; z } c!(); json!({ \"a\": x }); d![e].f()?; g! { h }.i(); j!(/// doc\n k) }",
        "{ format!({ a = ?x, \"b\" = y }, \"done\"); format!(\"{}\", { x }); assert!({ x }); m! { x }; std::vec![1]; ::a::b!(c) }",
    ]);
}

#[test]
fn what_cfg_turns_off_is_dropped() {
    same(&[
        "{ #[cfg(off)] let a = m!(1); #[cfg(on)] let b = 2; #[cfg(off)] f(|x| y::<Z>()); #[cfg(off)] { x } #[cfg(off)] g!(); b }",
        "match x { #[cfg(off)] A(a) => 1, B(b) => S { #[cfg(off)] a: 1, b: [1, #[cfg(off)] 2, #[cfg(on)] 3], c: f(#[cfg(off)] g) } }",
        "{ #[cfg(off)] const A: u8 = 1; #[cfg(off)] macro_rules! m { () => {} } a; #[cfg(off)] return }",
    ]);
}

#[test]
fn literals_keep_their_values() {
    same(&[
        "(0, 1_000, 0xff_u8, 0b1, 0o7, 1f32, 1.5, 1., 2.5f64, 1e5, 1_0.0_1, 340282366920938463463374607431768211455, 1.max(2))",
        "(\"a\\n\\u{e9}\\\n   b\", r#\"raw \"q\"\"#, b\"x\\xff\", c\"c\", 'a', '\\'', '\\u{1F600}', b'b', 'é', true, \"two\nlines\")",
    ]);
    let long = format!("\"{}\"", "é".repeat(200));
    same(&[&long]);
}

#[test]
fn what_is_no_rust_is_left_to_syn() {
    left_to_syn(&[
        "",
        "{",
        "{ a b }",
        "{ let = 1; }",
        "{ let a = 1 }",
        "a == b == c",
        "a < b > c",
        "a as u8.b()",
        "a as u8 < 1 > 2",
        "f(a b)",
        "f(a;)",
        "S { a b }",
        "S { ..a, b }",
        "[a; b, c]",
        "match a { b => c d => e }",
        "match a { b c => d }",
        "if a b",
        "if S { a: 1 } {}",
        "|a b| c",
        "|a| -> b c",
        "{ /// doc\n }",
        "{ a /// doc\n }",
        "{ break 'a: loop {} }",
        "{ fn f() { let } }",
        "{ fn f(); }",
        "{ const A: u8 = ; }",
        "{ crate a; }",
        "{ 'a': x }",
        "a... b",
        "a ...",
        "\"a\\q\"",
        "\"a",
        "a.0x1",
        "a.1u8",
        "a <- b",
        "a & = b",
        "m!(",
        "m! a",
        "{ m!(a) b }",
        "#[a] ..b",
        "match a { [..b] => c }",
        "let [a @ 1.., ..] = b;",
    ]);
}

/// On a stack like a worker thread's, which syn needs.
#[test]
fn what_nests_deeply_is_left_to_syn() {
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(read_what_nests_deeply);
    thread.expect("thread").join().expect("no panic");
}

fn read_what_nests_deeply() {
    for (open, close) in
        [("(", ")"), ("{", "}"), ("!", ""), ("a = ", ""), ("f(|| [", "])"), ("if a {} else { ", "}")]
    {
        let nested = |times: usize| format!("{{ {}x{} }}", open.repeat(times), close.repeat(times));
        same(&[&nested(20)]);
        left_to_syn(&[&nested(10_000)]);
    }
    let chain = |times: usize| format!("{{ x{} }}", " + f(a).b?.c[1]".repeat(times));
    same(&[&chain(1_000)]);
    left_to_syn(&[&chain(20_000)]);
}
