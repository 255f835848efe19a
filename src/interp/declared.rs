//! Contexts that the program declares, by attributes, and what contexts are given from outside: shared state that a
//! framework hands to whoever asks for its type, the receiver of a method that others call.
//!
//! In: attributes and types, as models have them. Out: entry points and values. Invariant: what is given to two
//! contexts by one type is one object.

use super::auto_traits::{Auto, AutoTraits};
use super::contexts::{Context, Entry};
use super::handles::{is_only_sent, is_sent_by_promise};
use super::places::{ObjId, PlaceId, Proj, Root};
use super::values::{Kind, Mode, Pointer, Val};
use super::{CalleeKey, Cx, Frame, Interp, Made, Object};
use crate::finding::{ContextKind, Location};
use crate::hir::{Attr, ExprId, Name, Tokens, Tt};
use crate::models::{AttributeModel, Models, version};
use crate::project::Dependency;
use crate::resolve::{FnId, ImplDef, ModuleId, Owner, Program, StaticId, TraitKey, Ty};
use std::rc::Rc;

/// A function that begins a context by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryPoint {
    pub function: FnId,
    pub kind: ContextKind,
    /// Several instances may run at once.
    pub many: bool,
    /// Runs on a single-threaded executor of its own.
    pub single_threaded: bool,
    /// Process-wide locks that it holds all the time, by name.
    pub holds: Vec<(Name, Mode)>,
    /// The static that it is called on.
    pub on: Option<StaticId>,
}

impl EntryPoint {
    pub fn new(function: FnId, kind: ContextKind, many: bool) -> EntryPoint {
        EntryPoint { function, kind, many, single_threaded: false, holds: Vec::new(), on: None }
    }
}

/// What the attributes of a function, or of the impl it stands in, make of it. `None`: no context.
/// `kind`: what it is without them.
pub fn declared(
    program: &Program,
    models: &Models,
    id: FnId,
    kind: Option<ContextKind>,
) -> Option<EntryPoint> {
    let def = program.fn_def(id);
    let of_impl = match def.owner {
        Owner::Impl(imp) => &program.impls[imp.index()].attrs[..],
        _ => &[],
    };
    let mut entry = EntryPoint::new(id, kind.unwrap_or(ContextKind::Caller), false);
    let mut is_context = kind.is_some();
    for attr in def.attrs.iter().chain(of_impl) {
        let Some(model) = model_of(program, models, def.module, attr) else { continue };
        if let Some(kind) = model.kind {
            entry.kind = kind;
            is_context = true;
        }
        let cases = |name: Name| def.attrs.iter().filter(|a| a.path.last() == Some(&name)).count();
        entry.many |= model.many || model.cases.is_some_and(|name| cases(name) > 1);
        entry.single_threaded |= model.single_threaded;
        let keyed = |names: &[Name], mode| names.iter().map(|n| (*n, mode)).collect::<Vec<_>>();
        entry.holds.extend(keyed(&model.holds, Mode::Exclusive));
        entry.holds.extend(keyed(&model.shares, Mode::Shared));
    }
    is_context.then_some(entry)
}

/// What the attributes of a static make of the functions that its type implements a trait with.
pub fn declared_on(program: &Program, models: &Models, id: StaticId) -> Vec<EntryPoint> {
    let def = &program.statics[id.index()];
    let mut found = Vec::new();
    for attr in &def.attrs {
        let Some(model) = model_of(program, models, def.module, attr) else { continue };
        let (Some(of), Some(kind), Ty::Adt(adt, _)) = (model.functions_of, model.kind, &def.ty) else {
            continue;
        };
        let implements = |imp: &&ImplDef| {
            matches!(&imp.trait_, Some(of_trait) if of_trait.key == TraitKey::Ext(of))
                && matches!(&imp.self_ty, Ty::Adt(own, _) if own == adt)
        };
        for function in program.impls.iter().filter(implements).flat_map(|imp| &imp.fns) {
            found.push(EntryPoint { on: Some(id), ..EntryPoint::new(*function, kind, model.many) });
        }
    }
    found
}

/// Process-wide locks that the crate of this module declares not to hold.
pub fn revoked(program: &Program, models: &Models, root: ModuleId) -> Vec<Name> {
    let krate = program.krate(root);
    let fns = program.fns.iter().map(|def| (def.module, &def.attrs));
    let modules = program.modules.iter().filter_map(|def| Some((def.parent?, &def.attrs)));
    let own = fns.chain(modules).filter(|(module, _)| program.krate(*module) == krate);
    let attrs = own.flat_map(|(module, attrs)| attrs.iter().map(move |attr| (module, attr)));
    let found = attrs.filter_map(|(module, attr)| model_of(program, models, module, attr));
    found.flat_map(|model| model.revokes.iter().copied()).collect()
}

fn model_of<'m>(
    program: &Program,
    models: &'m Models,
    module: ModuleId,
    attr: &Attr,
) -> Option<&'m AttributeModel> {
    let last = attr.path.last()?;
    let mut candidates =
        models.attributes().iter().filter(|m| m.path.as_str().ends_with(last.as_str())).peekable();
    candidates.peek()?;
    let path = program.attr_path(module, &attr.path);
    let text = text_of(&attr.tokens);
    let library = path.as_str().split("::").next().unwrap_or_default();
    candidates.find(|model| {
        let same = match model.path.as_str().strip_prefix("*::") {
            Some(name) => path.as_str().ends_with(name) && path.as_str().contains("::"),
            None => model.path == path,
        };
        let has = |words: &[String]| words.iter().any(|word| text.contains(word.as_str()));
        same && (model.when.is_empty() || has(&model.when))
            && !has(&model.unless)
            && model.since.as_ref().is_none_or(|since| version_of(program, module, library) >= *since)
    })
}

/// The version of a library that a module's crate asks for; without one, the newest.
fn version_of(program: &Program, module: ModuleId, library: &str) -> Vec<u32> {
    let krate = &program.crates[program.krate(module).0 as usize].source;
    let found = krate.dependencies.iter().find_map(|(_, dependency)| match dependency {
        Dependency::External { package, version } if package.as_str().replace('-', "_") == library => {
            version.clone()
        }
        _ => None,
    });
    found.map_or(vec![u32::MAX], |text| version(&text))
}

/// Tokens as text with a blank between each two.
fn text_of(tokens: &Tokens) -> String {
    let words: Vec<String> = tokens
        .iter()
        .map(|token| match token {
            Tt::Ident(name, _) => name.to_string(),
            Tt::Group(_, inner, _) => format!("( {} )", text_of(inner)),
            Tt::Punct(c, ..) => c.to_string(),
            Tt::Literal(text, ..) => text.to_string(),
            Tt::Lifetime(..) => String::new(),
        })
        .collect();
    words.join(" ")
}

impl Interp<'_> {
    /// What any thread may call runs in many of them, if there are any; where nothing else is started, it runs in the one there is.
    pub(super) fn settle_hooks(&mut self) {
        let is_hook = |context: &Context| context.kind == ContextKind::Hook;
        let mut others = self.contexts.list.iter().filter(|context| !is_hook(context));
        let alone = others.next().is_none_or(|first| !first.many && others.next().is_none());
        for context in self.contexts.list.iter_mut().filter(|context| is_hook(context)) {
            match alone {
                true => context.log = Default::default(),
                false => context.many = true,
            }
        }
    }

    /// The place of what the process has one of.
    pub(super) fn process_place(&mut self, name: Name) -> PlaceId {
        self.places.root(Root::Process(name), &Ty::Unknown)
    }

    /// The receiver of a method that contexts outside of the program call: the same object for all.
    pub(super) fn own_receiver(&mut self, ty: &Ty) -> Val {
        let context = self.contexts.get(self.context);
        match ty {
            Ty::Ref { mutable, inner } if context.kind == ContextKind::PythonCall => {
                let how = if *mutable { Pointer::Exclusive } else { Pointer::Shared };
                let place = self.ambient(inner);
                Val::pointer(place, how, ty.clone())
            }
            _ if context.kind == ContextKind::Caller => self.instance(ty),
            _ => Val::unknown(ty.clone()),
        }
    }

    /// What whoever calls a library may hand to it: some instance of a type that threads may share, the same for all.
    fn instance(&mut self, ty: &Ty) -> Val {
        let (how, inner) = match self.pointer_ty(ty) {
            Some((how @ (Pointer::Shared | Pointer::Counted | Pointer::Exclusive), inner)) => (how, inner),
            _ => return Val::unknown(ty.clone()),
        };
        let Ty::Adt(adt, _) = &inner else { return Val::unknown(ty.clone()) };
        if how == Pointer::Exclusive && !is_only_sent(self.program, self.models, *adt) {
            return Val::unknown(ty.clone());
        }
        let auto = AutoTraits { program: self.program, models: self.models };
        let holds = self.relevance.holds_cell(&inner) || self.shared_types.leads_to(&inner);
        let open = holds && auto.is_meant_to_have(&inner, Auto::Sync);
        // What it starts shares the instance, whatever that is.
        let starts = match self.contexts.get(self.context).entry {
            Entry::Fn(id) => self.relevance.starts_contexts(self.program, id),
            Entry::Value(..) | Entry::Chain(_) => false,
        };
        let handle = !open && is_sent_by_promise(self.program, self.models, *adt);
        if !open && !starts && !handle {
            return Val::unknown(ty.clone());
        }
        // Whatever the parameters stand for, it is an instance of the one type.
        let params = self.program.adts[adt.index()].generics.len();
        let place = self.ambient(&Ty::Adt(*adt, vec![Ty::Unknown; params].into()));
        if !open {
            self.unshared.insert(place);
        }
        Val::pointer(place, how, ty.clone())
    }

    /// Nobody knows what a callee does with a part of an instance: it may take a lock, and give it back at the end.
    pub(super) fn may_be_locked<'a>(&mut self, cx: &Cx, id: ExprId, args: impl Iterator<Item = &'a Val>) {
        if self.contexts.get(self.context).kind != ContextKind::Caller {
            return;
        }
        let mut lent: Vec<PlaceId> = Vec::new();
        for (place, _) in args.flat_map(Val::pointers) {
            let root = self.places.ancestors(place).last().unwrap_or(place);
            if matches!(self.places.get(root).root, Root::Object(object) if self.objects.list[object.0 as usize].made == Made::Once)
            {
                lent.push(root);
            }
        }
        for (n, root) in lent.into_iter().enumerate() {
            let hold = self.new_hold(cx, id, n as u32);
            self.hold(root, Mode::Exclusive, hold);
        }
    }

    /// A method of a part whose type a parameter stands for is called: that part may be the lock of the whole.
    pub(super) fn may_guard_itself(&mut self, receiver: &Val) {
        if self.contexts.get(self.context).kind != ContextKind::Caller {
            return;
        }
        for (place, _) in receiver.pointers() {
            if !matches!(self.places.get(place).ty, Ty::Unknown | Ty::Param(_)) {
                continue;
            }
            let root = self.places.ancestors(place).last().filter(|root| *root != place);
            self.self_guarded.extend(root);
        }
    }

    /// What a context gets for a parameter that nobody of the program gave it.
    pub(super) fn asked_for(&mut self, ty: &Ty) -> Val {
        let ty = &self.normalized(ty);
        if self.contexts.get(self.context).kind == ContextKind::Caller && self.stack.len() <= 1 {
            return self.instance(ty);
        }
        let Ty::Ext(path, args) = ty else { return Val::unknown(ty.clone()) };
        let Some(model) = self.models.type_model(*path) else { return Val::unknown(ty.clone()) };
        if !model.provided {
            return Val::unknown(ty.clone());
        }
        if self.pointer_ty(ty).is_some() {
            return self.provided_value(ty);
        }
        let inner = args.first().cloned().unwrap_or(Ty::Unknown);
        let value = self.provided_value(&inner);
        Val::aggregate(None, vec![(super::expr::field(0), value)], ty.clone())
    }

    /// What was provided of this type, by itself or as a field; else some object that all share.
    fn provided_value(&mut self, ty: &Ty) -> Val {
        let mut found: Option<Val> = None;
        self.heap.facts.look_at(super::facts::Fact::Provided);
        for value in self.provided.clone() {
            let mut candidates = vec![value.clone()];
            if let Some(Kind::Aggregate(aggregate)) = value.single() {
                candidates.extend(aggregate.fields.iter().map(|(_, field)| field.clone()));
            }
            for one in candidates.into_iter().filter(|v| v.ty == *ty && !v.alts.is_empty()) {
                found = Some(found.map_or(one.clone(), |old| old.join(&one)));
            }
        }
        let known = found.unwrap_or_else(|| Val::unknown(ty.clone()));
        self.completed(known, ty)
    }

    /// A value with those parts filled in of which nothing is known: some objects that all share.
    fn completed(&mut self, value: Val, ty: &Ty) -> Val {
        if value.alts.is_empty() {
            return self.ambient_value(ty, 0);
        }
        let (Ty::Adt(adt, args), Some(Kind::Aggregate(aggregate))) = (ty, value.single()) else {
            return value;
        };
        let mut aggregate = (**aggregate).clone();
        for (proj, field) in &mut aggregate.fields {
            let Proj::Field(name) = proj else { continue };
            if field.alts.is_empty() {
                let field_ty = self.program.field_ty(*adt, args, 0, *name).unwrap_or(Ty::Unknown);
                *field = self.ambient_value(&field_ty, 1);
            }
        }
        Val { alts: [Kind::Aggregate(Rc::new(aggregate))].into_iter().collect(), ..value }
    }

    fn ambient_value(&mut self, ty: &Ty, depth: u32) -> Val {
        const MAX_DEPTH: u32 = 2;
        if let Some((how, inner)) = self.pointer_ty(ty) {
            let place = self.ambient(&inner);
            return Val::pointer(place, how, ty.clone());
        }
        let Ty::Adt(adt, args) = ty else { return Val::unknown(ty.clone()) };
        let def = &self.program.adts[adt.index()];
        if depth >= MAX_DEPTH || def.variants.len() != 1 {
            return Val::unknown(ty.clone());
        }
        let names: Vec<Name> = def.variants[0].fields.iter().map(|f| f.name).collect();
        let mut fields = Vec::new();
        for name in names {
            let field_ty = self.program.field_ty(*adt, args, 0, name).unwrap_or(Ty::Unknown);
            fields.push((Proj::Field(name), self.ambient_value(&field_ty, depth + 1)));
        }
        Val::aggregate(None, fields, ty.clone())
    }

    /// The object of this type that every context is given.
    fn ambient(&mut self, ty: &Ty) -> PlaceId {
        let id = match self.objects.ambient.get(ty) {
            Some(&id) => id,
            None => {
                let id = ObjId(self.objects.list.len() as u32);
                let context = self.context;
                let frame = self.intern_frame((Err(context), ExprId(u32::MAX), CalleeKey::Body), |depth| {
                    Frame { context, parent: None, called_at: None, function: None, captures: None, depth }
                });
                let site = self.declared_at(ty);
                let object = Object { frame, site, loops: Vec::new(), name: None, made: Made::Once };
                self.objects.list.push(object);
                self.objects.ambient.insert(ty.clone(), id);
                id
            }
        };
        self.places.root(Root::Object(id), ty)
    }

    fn declared_at(&self, ty: &Ty) -> Location {
        match ty {
            Ty::Adt(id, _) => {
                let def = &self.program.adts[id.index()];
                Location { file: def.file, range: def.name_range }
            }
            _ => self.contexts.get(self.context).spawned_at,
        }
    }
}
