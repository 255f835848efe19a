//! `unsound-sync`: an `unsafe impl Send`/`Sync` lets a type parameter through that safe methods carry between threads.
//!
//! In: public generic types of libraries, their unsafe impls, their fields and the signatures of their public safe methods. Out: a
//! finding for each impl with the bounds that are missing and what shows it. The reasoning is that of Rudra's Send/Sync variance
//! checker (SOSP 2021): `holds` says how a type has a value of the parameter, `passes` how a signature lets it pass, `reach` who can
//! make such a value and whether it may leave its thread at all.
//!
//! Invariants: nothing is walked, and a group without such an impl costs one look at each of its impls. What a signature doesn't say
//! is not held against the type.

mod holds;
mod passes;
mod promise;
mod reach;

use crate::finding::{ContextKind, Evidence, Finding, Level, Location, Thread};
use crate::hir::Name;
use crate::interp::auto_traits::{Auto, AutoTraits};
use crate::models::Models;
use crate::resolve::{FnId, ParamId, Program};
use holds::{Holds, holds};
use passes::{Passes, Passing, methods};
use promise::{Promise, promises};
use reach::Reach;

pub const ID: &str = "unsound-sync";

/// What all parts of the rule look at.
#[derive(Clone, Copy)]
struct Types<'a> {
    program: &'a Program,
    models: &'a Models,
    auto: AutoTraits<'a>,
}

/// Bounds on a parameter that an impl doesn't ask for, and what shows that the first is needed.
struct Missing {
    param: ParamId,
    bounds: Vec<Auto>,
    first: Auto,
    witness: Witness,
}

/// How a value gets to another thread.
enum Witness {
    /// A field owns one, and goes where the whole goes.
    Field(Name),
    /// A method lets one pass.
    Method { id: FnId, passes: Passes },
}

/// All findings of a group.
pub fn check(program: &Program, models: &Models, level: Level, out: &mut Vec<Finding>) {
    let types = Types { program, models, auto: AutoTraits { program, models } };
    for promise in promises(types) {
        let missing: Vec<Missing> =
            promise.params(types).into_iter().filter_map(|p| promise.missing(types, p)).collect();
        if !missing.is_empty() && !Reach::new(types, promise.adt).stays_on_its_thread() {
            out.push(finding(types, level, &promise, &missing));
        }
    }
}

impl Promise<'_> {
    /// The bounds on a parameter that something needs and nothing asks for.
    fn missing(&self, types: Types, param: ParamId) -> Option<Missing> {
        let granted = self.granted(types, param).filter(|granted| !granted.send || !granted.sync)?;
        let reach = Reach::new(types, self.adt);
        let mut needs = self.needs(types, param, granted);
        needs.retain(|(bound, _)| reach.made_without(self, param, *bound));
        let mut bounds: Vec<Auto> = needs.iter().map(|(bound, _)| *bound).collect();
        bounds.sort_unstable();
        bounds.dedup();
        let (first, witness) = needs.into_iter().next()?;
        Some(Missing { param, bounds, first, witness })
    }

    /// Each bound that is needed beyond the granted ones, with what needs it.
    fn needs(&self, types: Types, param: ParamId, granted: Granted) -> Vec<(Auto, Witness)> {
        let mut needs = Vec::new();
        let held = holds(types, self, param);
        if let (Holds::Owned(field), Auto::Send, false) = (held, self.auto, granted.send) {
            needs.push((Auto::Send, Witness::Field(field)));
        }
        let all = methods(types, self, param);
        let both = [Passes::In, Passes::Out].iter().all(|passes| all.iter().any(|m| m.passes == *passes));
        let shares = Reach::new(types, self.adt).clones_share();
        for Passing { id, passes, granted: own } in all {
            let counts = match held {
                Holds::Nothing => self.auto == Auto::Sync && passes == Passes::Shared,
                Holds::Marked => matches!(passes, Passes::Shared | Passes::Exclusive) || both,
                Holds::Owned(_) | Holds::Pointed => true,
            };
            let need = self.need(passes, granted.with(own), shares).filter(|_| counts);
            needs.extend(need.map(|bound| (bound, Witness::Method { id, passes })));
        }
        needs
    }

    /// What a value that passes needs beyond what it is known to have.
    fn need(&self, passes: Passes, granted: Granted, shares: bool) -> Option<Auto> {
        let Granted { send, sync } = granted;
        match (self.auto, passes) {
            (_, Passes::In | Passes::Out | Passes::Exclusive) => (!send).then_some(Auto::Send),
            (Auto::Sync, Passes::Guarded) => (!send).then_some(Auto::Send),
            (Auto::Sync, Passes::Shared) => (!sync).then_some(Auto::Sync),
            (Auto::Send, Passes::Shared) if shares => (!sync).then_some(Auto::Sync),
            // One at a time, or a view that is moved: the one bound or the other, nobody knows which.
            (Auto::Send, Passes::Shared | Passes::Guarded) | (_, Passes::Lent | Passes::Copied) => {
                (!send && !sync).then_some(Auto::Send)
            }
        }
    }
}

/// Which of the two bounds a parameter is known to have.
#[derive(Clone, Copy, Default, Debug)]
struct Granted {
    send: bool,
    sync: bool,
}

impl Granted {
    fn with(self, other: Granted) -> Granted {
        Granted { send: self.send || other.send, sync: self.sync || other.sync }
    }
}

fn finding(types: Types, level: Level, promise: &Promise, missing: &[Missing]) -> Finding {
    let Types { program, .. } = types;
    let adt = program.adts[promise.adt.index()].name;
    let first = &missing[0];
    let (auto, param) = (promise.auto.as_str(), program.params[first.param.index()].name);
    let (what, threads) = match &first.witness {
        Witness::Field(field) => (format!("its field `{field}` owns one"), Vec::new()),
        Witness::Method { id, passes } => {
            let name = program.fn_def(*id).name;
            let thread = Thread {
                name: name.to_string(),
                kind: ContextKind::Caller,
                many: true,
                spawned_at: program.fn_location(*id),
            };
            (format!("`{name}` {}", passes.does(param)), vec![thread])
        }
    };
    let bounds: Vec<String> = missing
        .iter()
        .map(|m| {
            let bounds: Vec<&str> = m.bounds.iter().map(|bound| bound.as_str()).collect();
            format!("`{}: {}`", program.params[m.param.index()].name, bounds.join(" + "))
        })
        .collect();
    let params: Vec<&str> = missing.iter().map(|m| program.params[m.param.index()].name.as_str()).collect();
    let (example, done) = match first.first {
        Auto::Send => ("an `Rc`", "count its owners"),
        Auto::Sync => ("a `Cell`", "read and write it"),
    };
    Finding {
        rule: ID,
        level,
        evidence: Evidence::Declared,
        message: format!(
            "`{adt}` is `{auto}` even where `{param}` isn't `{}`, and {what}",
            first.first.as_str()
        ),
        because: format!(
            "where `{param}` is {example}, two threads may then {done} at the same time, with nothing between them"
        ),
        because_at: Vec::new(),
        place: adt.to_string(),
        declared_at: Some(Location { file: promise.imp.file, range: promise.imp.range }),
        threads,
        accesses: Vec::new(),
        schedule: Vec::new(),
        outcomes: None,
        help: format!("ask for {} in the bounds of the `unsafe impl {auto}`", bounds.join(" and ")),
        fix: None,
        fingerprint: super::describe::fingerprint(ID, &format!("{adt}:{auto}:{}", params.join(",")), &[]),
    }
}
