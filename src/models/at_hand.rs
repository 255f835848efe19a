//! Which of the modelled functions a piece of code can call at all, by the words that it has.
//!
//! In: the models, and which words the code has. Out: the functions whose name says enough, and those of types that the code
//! names or is given. Over-approximate: a word stands for everything of that name, and a function gives all types that its
//! result or its effect mentions.

use super::{FnModelId, Models, Op, Role, TyExpr, TypeModel};
use crate::hir::Name;
use crate::resolve::LibraryNames;
use rustc_hash::{FxHashMap, FxHashSet};

impl Models {
    /// Called by its path, never after a dot.
    pub fn is_free(&self, id: FnModelId) -> bool {
        self.functions.get(&self.fn_model(id).path) == Some(&id)
    }

    /// The module by way of which the free function is called, or from which it is imported.
    pub fn module_of(&self, id: FnModelId) -> Option<Name> {
        let path = self.fn_model(id).path;
        let named = self.is_standard(path) && !self.prelude.values().any(|prelude| *prelude == path);
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
        let called = |path: &Name| has(last_segment(path.as_str()));
        let free = self.functions.iter().filter(|(_, id)| self.is_within_reach(**id, has));
        for (_, id) in free.chain(&self.any_methods).filter(|(path, _)| called(path)) {
            self.given_by(*id, &mut work);
        }
        let other_names = self.other_names();
        let named = |model: &TypeModel| {
            let others = other_names.get(&model.path).map_or(&[][..], |names| names);
            self.needs_no_name(model) || called(&model.path) || others.iter().any(|name| has(*name))
        };
        work.extend(self.types.values().filter(|model| named(model)).map(|model| model.path));
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
    Name::new(path.rsplit("::").next().unwrap_or(path))
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
