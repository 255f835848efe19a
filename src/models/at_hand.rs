//! Which of the modelled functions a piece of code can call at all, by the words that it has.
//!
//! In: the models, and which words the code has. Out: the functions whose name says enough, and those of types that the code
//! names or is given. Over-approximate: a word stands for everything of that name, and a function gives all types that its
//! result or its effect mentions.

use super::{FnModel, FnModelId, Models, Op, Role, TyExpr, TypeModel};
use crate::hir::Name;
use crate::resolve::LibraryNames;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What is asked of the models for each piece of code, gathered once.
#[derive(Clone)]
pub(super) struct Directory {
    /// By `FnModelId`.
    callees: Vec<Callee>,
    /// Free functions, and methods of any type.
    named: Vec<NamedFn>,
    types: Vec<Named>,
}

/// How a function is called.
#[derive(Clone)]
struct Callee {
    name: Name,
    module: Option<Name>,
    is_free: bool,
}

/// A function by the word that calls it.
#[derive(Clone)]
struct NamedFn {
    name: Name,
    id: FnModelId,
    is_method: bool,
}

/// A type and the words that say that code may have values of it.
#[derive(Clone)]
struct Named {
    path: Name,
    /// None, where code has them anyway.
    words: Vec<Name>,
}

impl Directory {
    fn new(models: &Models) -> Directory {
        let unqualified: FxHashSet<Name> = models.prelude.values().copied().collect();
        let callee = |(at, model): (usize, &Arc<FnModel>)| Callee {
            name: model.path.last_segment(),
            module: models.find_module(model.path, &unqualified),
            is_free: models.functions.get(&model.path) == Some(&FnModelId(at as u32)),
        };
        let other_names = models.other_names();
        let named = |model: &TypeModel| {
            let others = other_names.get(&model.path).into_iter().flatten().copied();
            let words = std::iter::once(model.path.last_segment()).chain(others);
            let words = if models.needs_no_name(model) { Vec::new() } else { words.collect() };
            Named { path: model.path, words }
        };
        let named_fn = |is_method| {
            move |(path, id): (&Name, &FnModelId)| NamedFn { name: path.last_segment(), id: *id, is_method }
        };
        let free = models.functions.iter().map(named_fn(false));
        Directory {
            callees: models.fns.iter().enumerate().map(callee).collect(),
            named: free.chain(models.any_methods.iter().map(named_fn(true))).collect(),
            types: models.types.values().map(|model| named(model)).collect(),
        }
    }
}

impl Models {
    fn directory(&self) -> &Directory {
        self.directory.get_or_init(|| Directory::new(self))
    }

    fn callee(&self, id: FnModelId) -> &Callee {
        &self.directory().callees[id.0 as usize]
    }

    /// The last segment of its path.
    pub fn name_of(&self, id: FnModelId) -> Name {
        self.callee(id).name
    }

    /// Called by its path, never after a dot.
    pub fn is_free(&self, id: FnModelId) -> bool {
        self.callee(id).is_free
    }

    /// The module by way of which the free function is called, or from which it is imported.
    pub fn module_of(&self, id: FnModelId) -> Option<Name> {
        self.callee(id).module
    }

    /// `unqualified`: what is called without a module.
    fn find_module(&self, path: Name, unqualified: &FxHashSet<Name>) -> Option<Name> {
        let named = self.is_standard(path) && !unqualified.contains(&path);
        let (module, _) = path.as_str().rsplit_once("::").filter(|_| named)?;
        Some(last_segment(module))
    }

    /// The functions that code can call which has these words.
    pub fn callable(&self, has: &dyn Fn(Name) -> bool) -> FxHashSet<FnModelId> {
        let types = self.types_at_hand(has);
        let methods =
            types.iter().filter_map(|ty| self.types.get(ty)).flat_map(|model| model.methods.values());
        let free = self.functions.values().filter(|id| self.is_within_reach(**id, has));
        free.chain(self.any_methods.values()).chain(methods).copied().collect()
    }

    fn is_within_reach(&self, id: FnModelId, has: &dyn Fn(Name) -> bool) -> bool {
        self.module_of(id).is_none_or(has)
    }

    /// The types that such code may have values of: those it names, and those it gets from what it calls.
    fn types_at_hand(&self, has: &dyn Fn(Name) -> bool) -> FxHashSet<Name> {
        let mut found: FxHashSet<Name> = FxHashSet::default();
        let mut work: Vec<Name> = Vec::new();
        for callable in self.directory().named.iter().filter(|callable| has(callable.name)) {
            if callable.is_method || self.is_within_reach(callable.id, has) {
                self.given_by(callable.id, &mut work);
            }
        }
        let named = |ty: &&Named| ty.words.is_empty() || ty.words.iter().any(|word| has(*word));
        work.extend(self.directory().types.iter().filter(named).map(|ty| ty.path));
        while let Some(ty) = work.pop() {
            let Some(model) = self.types.get(&ty).filter(|_| found.insert(ty)) else { continue };
            model.item.iter().chain(&model.target).for_each(|ty| types_in(ty, &mut work));
            let called = model.methods.iter().filter(|(name, _)| has(**name));
            called.for_each(|(_, id)| self.given_by(*id, &mut work));
        }
        found
    }

    /// The language makes its values, or it has no path.
    fn needs_no_name(&self, model: &TypeModel) -> bool {
        let language = &self.language;
        let made = [
            language.option,
            language.result,
            language.vec,
            language.string,
            language.range,
            language.iterator,
            language.join_handle,
            language.thread_local,
        ];
        model.role == Role::Lazy || made.contains(&model.path) || !model.path.as_str().contains("::")
    }

    /// What types are also called, by their paths.
    fn other_names(&self) -> FxHashMap<Name, Vec<Name>> {
        let mut found: FxHashMap<Name, Vec<Name>> = FxHashMap::default();
        for alias in self.aliases.keys() {
            let path = self.canonical(alias);
            if self.types.contains_key(&path) {
                found.entry(path).or_default().push(last_segment(alias));
            }
        }
        found
    }

    /// The types of what a function gives its caller, or the closures that it runs.
    fn given_by(&self, id: FnModelId, into: &mut Vec<Name>) {
        let model = self.fn_model(id);
        types_in(&model.ret, into);
        if let Some(op) = &model.op {
            self.words_in(op, into);
        }
    }

    fn words_in(&self, op: &Op, into: &mut Vec<Name>) {
        match op {
            Op::Word(word) if self.types.contains_key(word) => into.push(*word),
            Op::Apply(_, args) => args.iter().for_each(|arg| self.words_in(arg, into)),
            Op::SelfArg | Op::Arg(_) | Op::Word(_) => {}
        }
    }
}

fn last_segment(path: &str) -> Name {
    Name::new(path.rfind(':').map_or(path, |colon| &path[colon + 1..]))
}

fn types_in(ty: &TyExpr, into: &mut Vec<Name>) {
    match ty {
        TyExpr::Ext(path, args) => {
            into.push(*path);
            args.iter().for_each(|arg| types_in(arg, into));
        }
        TyExpr::Tuple(args) => args.iter().for_each(|arg| types_in(arg, into)),
        TyExpr::Ref(_, inner)
        | TyExpr::Ptr(_, inner)
        | TyExpr::Slice(inner)
        | TyExpr::Item(inner)
        | TyExpr::Target(inner) => types_in(inner, into),
        TyExpr::Unknown | TyExpr::Never | TyExpr::SelfTy | TyExpr::Param(_) | TyExpr::Prim(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(models: &Models, words: &[&str]) -> Vec<String> {
        let has = |name: Name| words.contains(&name.as_str());
        let callable = models.callable(&has);
        let mut paths: Vec<String> =
            callable.iter().map(|id| models.fn_model(*id).path.to_string()).collect();
        paths.sort();
        paths
    }

    fn models() -> Models {
        let mut models = Models::default();
        let text = r#"
            aliases = { "lib::Other" = "lib::Lock" }
            fns = ["lib::open(F) -> lib::Door = call(a0, typed(fresh, lib::Key))", "std::shop::buy() -> lib::Guard"]
            [[type]]
            path = "lib::Lock<T>"
            fns = ["lock(&self) -> lib::Guard<T>"]
            [[type]]
            path = "lib::Guard<T>"
            fns = ["map(self) -> Self"]
            [[type]]
            path = "lib::Door"
            fns = ["shut(self) -> ()"]
            [[type]]
            path = "lib::Key"
            fns = ["turn(self) -> ()"]
        "#;
        models.add(text).unwrap();
        models
    }

    #[test]
    fn methods_need_a_value_of_their_type() {
        let models = models();
        assert_eq!(called(&models, &["lock", "map", "shut"]), ["lib::open"]);
        assert_eq!(called(&models, &["Lock"]), ["lib::Lock::lock", "lib::open"]);
        assert_eq!(called(&models, &["Other"]), ["lib::Lock::lock", "lib::open"]);
    }

    #[test]
    fn functions_of_the_standard_library_need_their_module() {
        let models = models();
        assert_eq!(called(&models, &["buy", "map"]), ["lib::open"]);
        assert_eq!(called(&models, &["shop", "buy"]), ["lib::Guard::map", "lib::open", "std::shop::buy"]);
    }

    #[test]
    fn values_come_from_calls_and_to_closures() {
        let models = models();
        assert_eq!(called(&models, &["Lock", "lock"]), ["lib::Guard::map", "lib::Lock::lock", "lib::open"]);
        assert_eq!(called(&models, &["open"]), ["lib::Door::shut", "lib::Key::turn", "lib::open"]);
    }
}
