//! Expands `macro_rules!` macros, and calls of library macros that stand for items.
//!
//! In: a definition, the call's tokens, the range of the call. Out: tokens (of which bodies are lowered) or items.
//! Pure. Rules are tried in order; `matcher` decides whether one applies, `transcribe` writes its result, `hygiene`
//! renames local variables. What is spent is counted in a `Budget`, so that no macro runs without bound.

mod calls;
mod fragment;
mod glue;
mod hygiene;
mod matcher;
mod rules;
mod scan_expr;
mod set_aside;
mod shapes;
mod template;
mod transcribe;

#[cfg(test)]
mod tests;

use super::direct;
use super::items::{Bodies, lower_items};
use super::source_map::parse;
use super::tokens::render;
use crate::hir::{Item, MacroDef, TextRange, Tokens, Tt};
use calls::Part;
use hygiene::Renames;
use syn::parse::Parse;

pub(super) use set_aside::{body_number, numbered};
pub(super) use shapes::{asked, cfg_branches, items_of_shape};

/// Tokens that the expansions of one body (or of one item) may make and read, all together.
const MAX_TOKENS: u32 = 200_000;
/// How deep groups may nest in what an expansion yields.
const MAX_NESTING: u32 = 200;
/// A macro whose result is nothing but another call is followed this far.
pub(super) const MAX_STEPS: u32 = 512;

/// What expansions may still cost.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    tokens: u32,
    /// Number of expansions so far: tells their variables apart.
    expansions: u32,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { tokens: MAX_TOKENS, expansions: 0 }
    }
}

impl Budget {
    /// What was spent since it was like that.
    pub(super) fn spent_since(&self, before: &Budget) -> u32 {
        before.tokens.saturating_sub(self.tokens)
    }

    /// `None` when it is used up.
    fn spend(&mut self, tokens: u32) -> Option<()> {
        let left = self.tokens.checked_sub(tokens);
        self.tokens = left.unwrap_or(0);
        left.map(|_| ())
    }
}

/// Why a call was not expanded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    /// No rule matches, or the definition is none.
    NoRule,
    /// The budget is spent, or the result nests too deep.
    Bound,
}

/// Where a macro is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Position {
    /// Its variables end with it.
    Expr,
    /// Its `let`s stay visible after it.
    Stmt,
    Item,
}

/// The tokens that one call stands for.
pub(super) fn expand(
    def: &MacroDef,
    args: &[Tt],
    call: TextRange,
    position: Position,
    budget: &mut Budget,
) -> Result<Tokens, Failure> {
    budget.expansions += 1;
    budget.spend(1 + args.len() as u32).ok_or(Failure::Bound)?;
    for rule in def.rules.iter().filter(|rule| may_match(&rule.matcher, args)) {
        let compiled = rules::compiled(rule);
        let matcher = compiled.matcher.as_ref().ok_or(Failure::NoRule)?;
        let Some(bindings) = matcher::match_rule(matcher, args) else { continue };
        let scope_leaks = position == Position::Stmt;
        let renames = match position {
            Position::Item => Renames::default(),
            Position::Expr | Position::Stmt => {
                Renames::find(compiled.binders(), args, scope_leaks, budget.expansions)
            }
        };
        let transcriber = compiled.transcriber().ok_or(Failure::NoRule)?;
        let tokens = transcribe::transcribe(transcriber, &bindings, &renames, call, budget);
        return match tokens {
            Some(tokens) if nesting(&tokens) <= MAX_NESTING => Ok(tokens),
            None if budget.tokens > 0 => Err(Failure::NoRule),
            Some(_) | None => Err(Failure::Bound),
        };
    }
    Err(Failure::NoRule)
}

/// A quick look at what stands before the first variable: `false` if the rule surely doesn't match.
fn may_match(matcher: &[Tt], args: &[Tt]) -> bool {
    let mut at = 0;
    loop {
        at += match (matcher.get(at), args.get(at)) {
            (Some(Tt::Punct('$', ..)), _) | (None, None) => return true,
            (Some(Tt::Group(delim, matcher, _)), Some(Tt::Group(found, args, _))) => {
                if delim != found || !may_match(matcher, args) {
                    return false;
                }
                1
            }
            (Some(_), Some(_)) => match glue::same_token(&matcher[at..], &args[at..]) {
                Some(len) => len,
                None => return false,
            },
            (Some(_), None) | (None, Some(_)) => return false,
        };
    }
}

fn nesting(tokens: &[Tt]) -> u32 {
    let depths = tokens.iter().map(|tt| if let Tt::Group(_, inner, _) = tt { 1 + nesting(inner) } else { 0 });
    depths.max().unwrap_or(0)
}

/// The items that a call in item position stands for; see `syntax::expand_items`.
pub(super) fn expand_items(def: &MacroDef, args: &Tokens, call: TextRange) -> Option<Vec<Item>> {
    let tokens = expand_own_calls(def, args, call)?;
    items_of_tokens(&tokens)
}

/// The items that tokens are; `None` if they don't parse as items.
fn items_of_tokens(tokens: &[Tt]) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for part in calls::parts(tokens) {
        match part {
            Part::Call(item) => items.push(item),
            Part::Items(tokens) => items.extend(rendered_items(tokens)?),
        }
    }
    Some(items)
}

/// The items that tokens are, read from their text.
fn rendered_items(tokens: &[Tt]) -> Option<Vec<Item>> {
    let mut bodies = Vec::new();
    let tokens = set_aside::set_aside(tokens, &mut bodies);
    direct::items(&tokens, &bodies).or_else(|| syn_items(&tokens, &bodies))
}

/// What syn makes of the same.
fn syn_items(tokens: &[Tt], bodies: &[Tokens]) -> Option<Vec<Item>> {
    let (text, map) = render(tokens);
    let lower = |file: syn::File| lower_items(&file.items, &map, Bodies::SetAside(bodies));
    parse(&text, &map, syn::File::parse, lower).ok()
}

/// Expands, and follows calls of the same macro (`@step` rules) as long as they are the whole result.
fn expand_own_calls(def: &MacroDef, args: &Tokens, call: TextRange) -> Option<Tokens> {
    let mut budget = Budget::default();
    let mut tokens = expand(def, args, call, Position::Item, &mut budget).ok()?;
    for _ in 0..MAX_STEPS {
        let Some((path, inner)) = sole_call(&tokens) else { return Some(tokens) };
        let own = path.last().is_some_and(|tt| matches!(tt, Tt::Ident(name, _) if *name == def.name));
        if !own {
            return Some(tokens);
        }
        tokens = expand(def, inner, call, Position::Item, &mut budget).ok()?;
    }
    None
}

/// If the tokens are one macro call and nothing else: its path's tokens and its arguments.
pub(super) fn sole_call(tokens: &[Tt]) -> Option<(&[Tt], &Tokens)> {
    let tokens = match tokens {
        [head @ .., Tt::Punct(';', ..)] => head,
        all => all,
    };
    let [path @ .., Tt::Punct('!', ..), Tt::Group(_, args, _)] = tokens else { return None };
    let is_path = path.iter().all(|tt| matches!(tt, Tt::Ident(..) | Tt::Punct(':', ..)));
    (is_path && !path.is_empty()).then_some((path, args))
}
