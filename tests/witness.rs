//! The demonstration in every costume: one thread adds 2, another multiplies by 3, the start is 2. What a finding
//! says of the possible results, and the schedule it shows.

use racelint::Config;
use racelint::finding::{Finding, Outcomes};
use std::fs;

/// The findings of a program of one file.
fn findings(text: &str) -> Vec<Finding> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("program.rs");
    fs::write(&path, text).expect("a writable folder");
    racelint::check(&[path], &Config::default()).findings
}

/// The one finding of a program, by this rule.
fn finding(rule: &str, text: &str) -> Finding {
    let mut found = findings(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].rule, rule);
    found.remove(0)
}

fn results(ordered: &[&str], lost: &[&str]) -> Option<Outcomes> {
    let owned = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    Some(Outcomes { ordered: owned(ordered), lost: owned(lost) })
}

/// The schedule, a step each: thread, what it does, value.
fn steps(finding: &Finding) -> Vec<String> {
    let told = |step: &racelint::finding::Step| {
        let name = &finding.threads[step.thread].name;
        format!("{name} {} {}", step.does, step.value.as_deref().unwrap_or("?"))
    };
    finding.schedule.iter().map(told).collect()
}

const LOSING: [&str; 4] = ["one reads 2", "two reads 2", "two writes 6", "one writes 4"];

/// A program whose threads `one` and `two` run these bodies.
fn two_threads(items: &str, one: &str, two: &str) -> String {
    format!(
        "use std::sync::atomic::{{AtomicI32, Ordering::SeqCst}};
         use std::sync::{{Arc, Mutex}};
         use std::thread;
         {items}
         fn main() {{
             let one = thread::spawn(|| {{ {one} }});
             let two = thread::spawn(|| {{ {two} }});
             one.join().unwrap();
             two.join().unwrap();
         }}"
    )
}

#[test]
fn a_static_mut_loses_an_update() {
    let text = two_threads("static mut A: i32 = 2;", "unsafe { A = A + 2 }", "unsafe { A *= 3 }");
    let found = finding("static-mut-race", &text);
    assert_eq!(found.outcomes, results(&["12", "8"], &["6", "4"]));
    assert_eq!(steps(&found), LOSING);
}

#[test]
fn an_atomic_in_two_steps_loses_an_update() {
    let text = two_threads(
        "static A: AtomicI32 = AtomicI32::new(2);",
        "let v = A.load(SeqCst); A.store(v + 2, SeqCst);",
        "A.store(A.load(SeqCst) * 3, SeqCst);",
    );
    let found = finding("split-atomic-update", &text);
    assert_eq!(found.outcomes, results(&["12", "8"], &["6", "4"]));
    assert_eq!(steps(&found), LOSING);
}

#[test]
fn a_lock_released_between_loses_an_update() {
    let text = two_threads(
        "static A: Mutex<i32> = Mutex::new(2);",
        "let v = *A.lock().unwrap(); *A.lock().unwrap() = v + 2;",
        "let v = { let g = A.lock().unwrap(); *g }; let mut g = A.lock().unwrap(); *g = v * 3;",
    );
    let found = finding("split-lock-update", &text);
    assert_eq!(found.outcomes, results(&["12", "8"], &["6", "4"]));
    assert_eq!(steps(&found), LOSING);
}

#[test]
fn a_whole_update_between_is_seen_or_lost() {
    let text = two_threads(
        "static A: AtomicI32 = AtomicI32::new(2);",
        "A.store(A.load(SeqCst) + 2, SeqCst)",
        "A.fetch_update(SeqCst, SeqCst, |v| Some(v * 3)).unwrap();",
    );
    let found = finding("split-atomic-update", &text);
    assert_eq!(found.outcomes, results(&["12", "8"], &["4"]));
    assert_eq!(steps(&found), ["one reads 2", "two updates 6", "one writes 4"]);
}

#[test]
fn updates_pass_through_helpers_methods_and_operands_that_nobody_changes() {
    let found = finding(
        "split-atomic-update",
        "use std::sync::atomic::{AtomicI32, Ordering};
         use std::sync::Arc;
         use std::thread;
         struct Account { total: AtomicI32 }
         impl Account {
             fn get(&self) -> i32 { self.total.load(Ordering::SeqCst) }
             fn set(&self, v: i32) { self.total.store(v, Ordering::SeqCst) }
             fn change(&self, by: impl Fn(i32) -> i32) { self.set(by(self.get())) }
         }
         fn add(a: &Account, n: i32) { let v = a.get(); a.set(v.wrapping_add(n)); }
         fn main() {
             let account = Arc::new(Account { total: AtomicI32::new(2) });
             let factor = 3;
             thread::scope(|s| {
                 let one = s.spawn(|| add(&account, 2));
                 let two = s.spawn(|| account.change(|v| v * factor));
                 let _ = (one, two);
             });
         }",
    );
    assert_eq!(found.outcomes, results(&["12", "8"], &["6", "4"]));
    assert_eq!(steps(&found), LOSING);
}

#[test]
fn main_takes_part_and_what_it_did_before_counts() {
    let found = finding(
        "static-mut-race",
        "static mut A: i32 = 1;
         fn main() {
             unsafe { A += 1 };
             let one = std::thread::spawn(|| unsafe { A += 2 });
             unsafe { A *= 3 };
             one.join().unwrap();
             unsafe { A += 100 };
         }",
    );
    assert_eq!(found.outcomes, results(&["108", "112"], &["104", "106"]));
    assert_eq!(steps(&found), ["main reads 2", "one reads 2", "one writes 4", "main writes 6"]);
}

#[test]
fn three_threads_and_counted_instances_have_results() {
    let three = finding(
        "static-mut-race",
        "static mut A: i32 = 2;
         fn main() {
             let hs = [std::thread::spawn(|| unsafe { A += 2 }),
                       std::thread::spawn(|| unsafe { A *= 3 }),
                       std::thread::spawn(|| unsafe { A -= 1 })];
             for h in hs { h.join().unwrap(); }
         }",
    );
    let three = three.outcomes.expect("all is known");
    assert_eq!(three.ordered, ["11", "9", "7", "5"]);
    assert!(["1", "3", "4", "6"].iter().all(|n| three.lost.contains(&(*n).to_owned())), "{three:?}");

    let two = finding(
        "static-mut-race",
        "static mut A: i32 = 0;
         fn main() {
             let hs: Vec<_> = (0..2).map(|_| std::thread::spawn(|| unsafe { A += 1 })).collect();
             for h in hs { h.join().unwrap(); }
         }",
    );
    assert_eq!(two.outcomes, results(&["2"], &["1"]));
}

#[test]
fn counted_rounds_have_results_and_others_do_not() {
    let program = |rounds: &str| {
        format!(
            "static mut A: i32 = 0;
             fn main() {{
                 let n = std::env::args().count();
                 let one = std::thread::spawn(move || for _ in {rounds} {{ unsafe {{ A += 1 }} }});
                 unsafe {{ A += 1 }};
                 one.join().unwrap();
             }}"
        )
    };
    let counted = finding("static-mut-race", &program("0..2"));
    assert_eq!(counted.outcomes, results(&["3"], &["2", "1"]));
    assert_eq!(finding("static-mut-race", &program("0..n")).outcomes, None);
    assert_eq!(finding("static-mut-race", &program("0..1000")).outcomes, None);
}

#[test]
fn what_may_not_run_has_no_results() {
    let may = "if std::env::args().count() > 1 { unsafe { A += 2 } }";
    let text = two_threads("static mut A: i32 = 2;", may, "unsafe { A *= 3 }");
    assert_eq!(finding("static-mut-race", &text).outcomes, None);
}

#[test]
fn truth_values_are_told_as_such() {
    let text = two_threads(
        "use std::sync::atomic::AtomicBool; static ON: AtomicBool = AtomicBool::new(false);",
        "ON.store(!ON.load(SeqCst), SeqCst)",
        "ON.store(!ON.load(SeqCst), SeqCst)",
    );
    let found = finding("split-atomic-update", &text);
    assert_eq!(found.outcomes, results(&["false"], &["true"]));
}

#[test]
fn what_an_atomic_was_given_before_it_is_shared_counts() {
    let program = |before: &str| {
        format!(
            "use std::sync::{{Arc, atomic::{{AtomicI32, Ordering::SeqCst}}}};
             fn main() {{
                 let a = AtomicI32::new(7);
                 {before}
                 let a = Arc::new(a);
                 let b = a.clone();
                 let one = std::thread::spawn(move || a.store(a.load(SeqCst) + 2, SeqCst));
                 let two = std::thread::spawn(move || b.store(b.load(SeqCst) * 3, SeqCst));
                 one.join().unwrap();
                 two.join().unwrap();
             }}"
        )
    };
    let stored = finding("split-atomic-update", &program("a.store(2, SeqCst);"));
    assert_eq!(stored.outcomes, results(&["12", "8"], &["6", "4"]));
    assert_eq!(finding("split-atomic-update", &program("a.fetch_sub(5, SeqCst);")).outcomes, None);
}

#[test]
fn what_an_unknown_function_calls_has_no_results() {
    let found = finding(
        "static-mut-race",
        "static mut A: i32 = 2;
         fn main() {
             let one = std::thread::spawn(|| somewhere::often(|| unsafe { A += 2 }));
             unsafe { A *= 3 };
             one.join().unwrap();
         }",
    );
    assert_eq!(found.outcomes, None);
}

#[test]
fn one_exchange_that_fails_is_an_update_lost() {
    let add = "let v = A.load(SeqCst); let _ = A.compare_exchange(v, v + 3, SeqCst, SeqCst);";
    let multiply = "let v = A.load(SeqCst); A.compare_exchange(v, v * 5, SeqCst, SeqCst).ok();";
    let text = two_threads("static A: AtomicI32 = AtomicI32::new(2);", add, multiply);
    let found = finding("ignored-compare-exchange", &text);
    assert_eq!(found.outcomes, results(&["25", "13"], &["5", "10"]));
    assert_eq!(steps(&found), ["one reads 2", "two updates 10", "one fails to update ?"]);
}
