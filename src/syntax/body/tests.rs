//! Programs and what they are lowered to, in the notation of `pretty`.

use super::pretty::print;
use crate::hir::{Attr, BinaryOp, BodySource, ExprKind, MacroShape, Path, TextRange};
use crate::syntax::{LoweredBody, MacroMeaning, MacroScope, check_body, lower_body};

/// Knows the shapes under the names that the tests use; `#[cfg(off)]` is off.
struct Shapes;

impl MacroScope for Shapes {
    fn lookup(&self, path: &Path) -> MacroMeaning {
        let name = path.segments.last().map_or("", |segment| segment.name.as_str());
        let shape = match name {
            "println" | "write" | "format" | "info" => MacroShape::Format,
            "panic" => MacroShape::Diverge,
            "assert" => MacroShape::Assert,
            "assert_eq" => MacroShape::AssertCompared(BinaryOp::Eq),
            "matches" => MacroShape::Matches,
            "vec" => MacroShape::Vec,
            "dbg" => MacroShape::Pass,
            "addr_of_mut" => MacroShape::AddrOfMut,
            "concat" => MacroShape::Constant,
            "cfg" => MacroShape::Cfg,
            "join" => MacroShape::Join,
            "select" => MacroShape::Select,
            "thread_local" => MacroShape::ThreadLocal,
            "lazy_static" => MacroShape::LazyStatic,
            "cfg_if" => MacroShape::CfgIf,
            "exprs" => MacroShape::Exprs,
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

fn lowered(text: &str) -> LoweredBody {
    let source = BodySource::Text(TextRange::new(0, text.len() as u32));
    lower_body(text, &source, 0, &Shapes)
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let lowered = lowered(text);
    assert_eq!(lowered.errors, []);
    assert_eq!(print(&lowered.body), expected, "{text}");
}

/// The source text of every expression that `pick` accepts.
fn texts(text: &str, pick: impl Fn(&ExprKind) -> bool) -> Vec<&str> {
    let body = lowered(text).body;
    let picked = body.exprs.iter().filter(|expr| pick(&expr.kind));
    picked.map(|expr| &text[expr.range.lo as usize..expr.range.hi as usize]).collect()
}

#[test]
fn operators_and_places() {
    check("{ a + b * -c == !d && e as *mut u8 }", "{ (And (Eq (Add a (Mul b -c)) !d) (e as *mut u8)) }");
    check(
        "{ x.0[i + 1].y = (*p).q; n <<= 2u8; _ = f::<A>(1)?; }",
        "{ x.0[(Add i 1)].y = *p.q; (ShlAssign n 2u8); ?! = f<A>(1)?; }",
    );
    check(
        "{ (&a, &mut b, &raw const c, &raw mut d, &raw) }",
        "{ (&a, &mut b, &raw const c, &raw mut d, &raw) }",
    );
    check("{ ..; a..; ..=b; (a..=b) }", "{ (..); (a..); (..=b); (a..=b) }");
    check(
        "{ [1, 'x', \"s\", b\"s\"]; [0; N]; S { a, b: 1, ..c } }",
        "{ [1, 'x', \"s\", lit]; [0; N]; S { a: a, b: 1, ..c } }",
    );
    check(
        "v.iter().map::<u8, _>(<T as A>::f).collect::<Vec<_>>()",
        "v.iter().map::<u8, _>(<T>::f).collect::<Vec<_>>()",
    );
}

#[test]
fn control_flow() {
    check(
        "{ if let Some(x) = a && x > 1 { b } else if c { d } else { e } }",
        "{ if (And let Some(x%0) = a (Gt x 1)) { b } else if c { d } else { e } }",
    );
    check(
        "{ match x { A { n, .. } | B { n } if n > 0 => n, 1..=5 => return, _ => break 'a 1 } }",
        "{ match x { A { n: n%0, .. } | B { n: n%0 } if (Gt n 0) => n, range => return, _ => break 'a 1 } }",
    );
    check(
        "{ 'o: while a { continue 'o } loop { break; } 'f: for (i, ref mut v) in it {} 'b: { 1 } }",
        "{ 'o: while a { continue 'o }; loop { break; }; 'f: for (i%0, ref mut v%1) in it {}; 'b: { 1 } }",
    );
    check("{ let Some(x): O = y else { return; }; x }", "{ let Some(x%0): O = y else { return; }; x }");
    check(
        "{ async move { a.await }; async { b }; const { 1 }; unsafe { *p }; try { c? }; async |x| y; move |&z: &u8| z }",
        "{ async move { a.await }; async { b }; const { 1 }; unsafe { *p }; try { c? }; async |x%0| y; move |&z%1: &u8| z }",
    );
    check("{ #![allow(x)] fn f() {} static S: u8 = 1; ;; f() }", "{ fn f; static S; f() }");
    check("{ a } + 1", "(Add { a } 1)");
}

#[test]
fn what_cfg_turns_off_is_dropped() {
    check(
        "{ #[cfg(off)] let a = 1; #[cfg(on)] let b = 2; #[cfg(off)] f(); #[cfg(off)] { x } #[cfg(off)] g!(); #[cfg(off)] fn h() {} }",
        "{ let b%0 = 2; }",
    );
    check(
        "match x { #[cfg(off)] A => 1, B => S { #[cfg(off)] a: 1, b: [1, #[cfg(off)] 2] } }",
        "match x { B%0 => S { b: [1] } }",
    );
    check("if cfg!(off) { a } else { b }", "if false { a } else { b }");
    check("if cfg!(feature = \"f\") { a }", "if constant!() { a }");
}

#[test]
fn ranges_cover_the_whole_expression() {
    let text = "{ let é = (a + b).run::<T>(c); 'l: while x[1] { y? } }";
    let calls = texts(text, |kind| matches!(kind, ExprKind::MethodCall { .. }));
    assert_eq!(calls, ["(a + b).run::<T>(c)"]);
    let sums = texts(text, |kind| matches!(kind, ExprKind::Binary { .. }));
    assert_eq!(sums, ["(a + b)"]);
    let loops = texts(text, |kind| {
        matches!(kind, ExprKind::While { .. } | ExprKind::Index { .. } | ExprKind::Try(_))
    });
    assert_eq!(loops, ["x[1]", "y?", "'l: while x[1] { y? }"]);
    let closure = "f(async move |x| x as u8, &mut y, if a { b } else { c })";
    let parts = texts(closure, |kind| {
        matches!(kind, ExprKind::Closure(_) | ExprKind::Borrow { .. } | ExprKind::If { .. })
    });
    assert_eq!(parts, ["async move |x| x as u8", "&mut y", "if a { b } else { c }"]);
}

#[test]
fn format_like_macros_borrow_their_arguments() {
    check(
        "{ println!(\"{x} {0} {y:>w$} {n}\", a.b, n = c); write!(f, \"{}\", d)?; panic!(\"{e}\") }",
        "{ format!(&x, &y, &w, &a.b, &c); format!(f, &d)?; format!!(&e) }",
    );
    check("info!(target: \"t\", id = %x.y, ?z, \"hit {n}\")", "format!(&\"t\", &x.y, &z, &n)");
    check("println!(\"{}\", { x })", "format!(&{ x })");
    check("info!({ a = ?x, \"b\" = y }, \"done\",)", "format!(&x, &y)");
    check(
        "{ assert!(a > 1, \"no {b}\", c); assert_eq!(x, y.z(), \"{}\", w); }",
        "{ assert!((Gt a 1), &b, &c); assert!((Eq &x &y.z()), &w); }",
    );
    let text = "println!(\"{x}\", y)";
    assert_eq!(texts(text, |kind| matches!(kind, ExprKind::Path(_))), ["\"{x}\"", "y"]);
}

#[test]
fn other_shapes() {
    check(
        "matches!(x, Some(n) | Ok(n) if n > 1,)",
        "match x { Some(n%0) | Ok(n%0) if (Gt n 1) => true, _ => false }",
    );
    check("{ vec![a, b]; vec![a; 3]; vec![]; dbg!(x, y) }", "{ vec[a, b]; vec[a; 3]; vec[]; pass!(x, y) }");
    check("{ addr_of_mut!((*p).f); concat!(\"a\", 1); nothing!(x) }", "{ &raw mut *p.f; constant!(); () }");
    check("{ join!(a(), async { b }); exprs!(a = 1, b) }", "{ join(a(), async { b }); unknown!(a = 1, b) }");
}

#[test]
fn macros_that_declare_items() {
    check(
        "{ thread_local! { static A: C<u8> = const { C::new(1) }; static B: u8 = 2 } lazy_static! { static ref D: u8 = 3; } A.x() }",
        "{ static A; static B; static D; A.x() }",
    );
    check("{ cfg_if! { if #[cfg(off)] { fn f() {} } else { fn g() {} } } }", "{ fn g; }");
    check(
        "{ cfg_if! { if #[cfg(off)] { a() } else if #[cfg(on)] { let b = 1; b.c() } else { d() } } }",
        "{ {| let b%0 = 1; b.c() |} }",
    );
}

#[test]
fn select_waits_for_one_of_its_branches() {
    check(
        "select! { biased; Some(m) = rx.recv(), if ok => { use_it(m) } _ = &mut stop => break, else => return }",
        "select { Some(m%0) = rx.recv() if ok => { use_it(m) }, _ = &mut stop => break; else => return }",
    );
    check(
        "select! { x = fut => x, complete => break, default => { idle() } }",
        "select { x%0 = fut => x; else => match ?! { _ => break, _ => { idle() } } }",
    );
    check(
        "select! { recv(r) -> msg => got(msg), send(s, 1) -> _ => {} default(wait()) => {} }",
        "select { msg%0 = r.recv() => got(msg), _ = s.send(1) => {}; else => {} }",
    );
}

#[test]
fn unknown_macros_are_looked_into_as_far_as_they_are_code() {
    check(
        "{ a!(x, y + 1); b!{ let z = 1; z } c!(); }",
        "{ unknown!(x, (Add y 1)); unknown!({ let z%0 = 1; z }); unknown!(); }",
    );
    let body = lowered("json!({ \"a\": x })").body;
    assert_eq!((print(&body).as_str(), body.opaque_macros), ("unknown!()", 1));
}

#[test]
fn local_rules_are_expanded() {
    check(
        "{ macro_rules! add { ($x:expr, $($r:tt)*) => { $x + add!($($r)*) }; ($x:expr) => { $x } } add!(a, b * 2, c) }",
        "{ macro add; (Add a (Add (Mul b 2) c)) }",
    );
    check(
        "{ macro_rules! twice { ($e:expr) => { $e * 2 } } twice!(1 + 2) }",
        "{ macro twice; (Mul (Add 1 2) 2) }",
    );
    check(
        "{ m!(1); { macro_rules! m { ($e:expr) => { -$e } } m!(1); } m!(1); }",
        "{ unknown!(1); { macro m; -1; }; unknown!(1); }",
    );
}

#[test]
fn statements_of_a_macro_are_in_the_scope_around() {
    check(
        "{ macro_rules! decl { ($($n:ident = $e:expr),* $(,)?) => { $(let $n = $e;)* } } decl!(a = 1, b = 2); a + b }",
        "{ macro decl; {| let a%0 = 1; let b%1 = 2; |}; (Add a b) }",
    );
    check(
        "{ macro_rules! items { ($n:ident) => { static $n: u8 = 0; fn helper() {} } } items!(S); S }",
        "{ macro items; static S; fn helper; S }",
    );
    check(
        "{ macro_rules! tail { ($e:expr) => { let t = $e; t } } tail!(1) }",
        "{ macro tail; { let t%0 = 1; t } }",
    );
}

#[test]
fn variables_of_a_definition_and_of_a_call_stay_apart() {
    check(
        "{ macro_rules! max { ($a:expr, $b:expr) => {{ let x = $a; let y = $b; if x > y { x } else { y } }} } let x = 1; max!(x, 2) }",
        "{ macro max; let x%0 = 1; { let x·1%1 = x; let y%2 = 2; if (Gt x·1 y) { x·1 } else { y } } }",
    );
    check(
        "{ macro_rules! tmp { ($e:expr) => { let t = $e; println!(\"{t} {}\", t.t); } } let t = 1; tmp!(2); t }",
        "{ macro tmp; let t%0 = 1; {| let t·1%1 = 2; format!(&t·1, &t·1.t); |}; t }",
    );
    check(
        "{ macro_rules! each { ($v:expr, $f:expr) => { $v.iter().map(|i| $f(i)) } } let i = 1; each!(v, |n| n + i) }",
        "{ macro each; let i%0 = 1; v.iter().map(|i·1%1| |n%2| (Add n i)(i·1)) }",
    );
}

#[test]
fn names_of_fields_are_no_variables() {
    check(
        "{ macro_rules! m { ($e:expr) => {{ let x = $e; let f = |a: u8, x: u8| S { a, x: x.x }; T::x(x) }} } m!(x) }",
        "{ macro m; { let x·1%0 = x; let f%1 = |a%2: u8, x·1%3: u8| S { a: a, x: x·1.x }; T::x(x·1) } }",
    );
}

#[test]
fn tokens_of_a_definition_stand_at_the_call() {
    let text = "{ macro_rules! get { ($m:expr) => { $m.lock().unwrap() } } let g = get!(state); }";
    let locks = texts(text, |kind| matches!(kind, ExprKind::MethodCall { .. }));
    assert_eq!(locks, ["get!(state", "get!(state"]);
    let body = lowered(text).body;
    let names = body.exprs.iter().filter_map(|expr| match &expr.kind {
        ExprKind::MethodCall { name_range, .. } => {
            Some(&text[name_range.lo as usize..name_range.hi as usize])
        }
        _ => None,
    });
    assert!(names.eq(["get", "get"]));
    assert!(texts(text, |kind| matches!(kind, ExprKind::Path(_))).contains(&"state"));
}

#[test]
fn a_body_made_of_tokens_keeps_their_ranges() {
    let text = "{ macro_rules! m { ($b:block) => { $b } } m!({ a.b() }) }";
    let lowered = lowered(text);
    let call = lowered.body.exprs.iter().find(|expr| matches!(expr.kind, ExprKind::MethodCall { .. }));
    let range = call.map(|expr| expr.range);
    let lo = text.find("a.b()").map_or(0, |at| at as u32);
    assert_eq!(range, Some(TextRange::new(lo, lo + 5)));
}

#[test]
fn endless_recursion_is_cut() {
    let body = lowered("{ macro_rules! m { ($($t:tt)*) => { f(m!($($t)* +)) } } m!() }").body;
    assert_eq!(body.cut, 1);
    let body = lowered("{ macro_rules! m { ($($t:tt)*) => { m!($($t)* $($t)* x) } } m!(); }").body;
    assert_eq!(body.cut, 1);
    let body = lowered("{ macro_rules! a { () => { b!() } } macro_rules! b { () => { a!() } } a!() }").body;
    assert_eq!(body.cut, 1);
}

#[test]
fn syntax_errors_are_told_with_their_place() {
    let text = "{ let = 1; }";
    let source = BodySource::Text(TextRange::new(0, text.len() as u32));
    let errors = check_body(text, &source);
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].range, TextRange::new(6, 7));
    let lowered = lower_body(text, &source, 0, &Shapes);
    assert_eq!(lowered.errors, errors);
    assert_eq!(print(&lowered.body), "?!");
}

/// Runs on a stack like a worker thread's.
fn on_big_stack<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, run);
        thread.expect("thread").join().expect("no panic")
    })
}

/// The shapes of long chains.
fn chains(length: usize) -> [String; 5] {
    [
        format!("{{ a{} }}", " + a".repeat(length)),
        format!("{{ a{} }}", ".a()".repeat(length)),
        format!("{{ a{} }}", "?.await".repeat(length)),
        format!("{{ if a {{}}{} }}", " else if a {}".repeat(length)),
        format!("{{ {} }}", "a;".repeat(length)),
    ]
}

#[test]
fn long_chains_need_no_stack() {
    for text in chains(2_500) {
        let body = lowered(&text).body;
        assert!(body.exprs.len() > 2_500 && body.cut == 0, "{}", &text[..20]);
    }
}

#[test]
fn endless_chains_are_lowered_or_refused() {
    for text in chains(100_000) {
        let lowered = on_big_stack(|| lowered(&text));
        assert!(lowered.body.exprs.len() > 100_000 || lowered.errors.len() == 1, "{}", &text[..20]);
    }
    for text in ["!".repeat(100_000), "a<".repeat(100_000), "a+".repeat(100_000)] {
        let opaque =
            on_big_stack(|| lowered(&format!("{{ unknown!({text}x); vec![{text}x] }}")).body.opaque_macros);
        assert_eq!(opaque, 2);
    }
}

#[test]
fn deep_nesting_is_cut() {
    for text in [
        format!("{{ {}x }}", "!".repeat(1000)),
        format!("{{ {}x }}", "|| ".repeat(1000)),
        format!("{{ {}x{} }}", "f(".repeat(150), ")".repeat(150)) + &" = a".repeat(0),
        format!("{{ x{} }}", " = a".repeat(1000)),
    ] {
        let (cut, errors) = on_big_stack(|| {
            let lowered = lowered(&text);
            (lowered.body.cut, lowered.errors.len())
        });
        let shallow = text.contains("f(");
        assert_eq!((cut + errors as u32) > 0, !shallow, "{}", &text[..20]);
    }
}
