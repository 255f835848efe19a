//! Collects what the crates of a group declare into the program's tables.
//!
//! In: a loaded group. Out: a `Program` whose definitions have names, places and visibility but no types yet, the
//! `use` declarations to be resolved, and the items' written types (`Written`) for `signatures`.
//! Invariant: tables are in source order: crate by crate, module by module, an item's own parts right after it.

use super::blocks::{ItemWords, MadeByMacros, PendingBody};
use super::imports::Import;
use super::scope::{CrateNames, Def, Entry, Index, Namespace, Origin, Scope, Vis, WORDS};
use super::*;
use crate::finding::FileId;
use crate::hir::{
    self, AdtItem, AdtKind, Attr, BodySource, ConstItem, FnItem, Generics, ImplItem, Item, ItemKind, Name,
    StaticItem, TraitItem, Type, VariantShape, Visibility,
};
use crate::project::cfg::When;
use crate::project::load::{LibraryMacros, LoadedGroup, ModuleNode};
use crate::project::{CrateId, Dependency};
use std::sync::{Arc, OnceLock};

/// Types as written, by the tables' ids.
#[derive(Default)]
pub(super) struct Written {
    pub adts: Vec<Arc<AdtItem>>,
    pub traits: Vec<Arc<TraitItem>>,
    pub impls: Vec<Arc<ImplItem>>,
    /// Module, parameters, type.
    pub aliases: Vec<(ModuleId, Generics, Type)>,
}

/// The program while it is collected.
pub(super) struct Collector {
    pub program: Program,
    pub written: Written,
    pub imports: Vec<Import>,
    /// Bodies that may hold items.
    pub pending: Vec<PendingBody>,
    /// By crate.
    pub words: Vec<ItemWords>,
}

/// Where items stand.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub module: ModuleId,
    pub file: FileId,
    pub when: When,
    pub owner: Owner,
}

/// Collects all modules of all crates; bodies are left pending.
pub(super) fn collect(
    group: LoadedGroup,
    names: Arc<dyn LibraryNames + Send + Sync>,
    macros: Arc<dyn LibraryMacros + Send + Sync>,
) -> Collector {
    let files = group
        .files
        .into_iter()
        .map(|f| File { source: f.source, bodies: f.bodies, attrs: f.attrs, comments: f.comments })
        .collect();
    let index = Index {
        scopes: Vec::new(),
        crates: Vec::new(),
        blocks: Default::default(),
        impls: Default::default(),
        names,
        ext_members: Default::default(),
        macros,
    };
    let program = Program {
        files,
        crates: Vec::new(),
        modules: Vec::new(),
        fns: Vec::new(),
        statics: Vec::new(),
        consts: Vec::new(),
        adts: Vec::new(),
        traits: Vec::new(),
        impls: Vec::new(),
        aliases: Vec::new(),
        params: Vec::new(),
        errors: group.errors,
        blind: Blind { unresolved_imports: 0, opaque_macros: group.opaque_macros },
        index,
    };
    let mut collector = Collector {
        program,
        written: Written::default(),
        imports: Vec::new(),
        pending: Vec::new(),
        words: Vec::new(),
    };
    let mut roots = Vec::new();
    for (i, krate) in group.crates.into_iter().enumerate() {
        let root =
            collector.new_module(krate.root.name, CrateId(i as u32), None, krate.root.file, krate.root.when);
        collector.program.index.crates.push(CrateNames { macros: krate.macros, ..CrateNames::default() });
        collector.program.crates.push(CrateDef { source: krate.source, root });
        roots.push((root, krate.root));
    }
    collector.link_crates();
    let index = &collector.program.index;
    let mut made = MadeByMacros::default();
    collector.words = index.crates.iter().map(|krate| ItemWords::new(krate, &mut made)).collect();
    for (root, node) in roots {
        collector.module_items(root, node);
    }
    collector
}

impl Collector {
    /// What each crate calls the crates it depends on.
    fn link_crates(&mut self) {
        let crates = &mut self.program.index.crates;
        for (i, krate) in self.program.crates.iter().enumerate() {
            for (name, dependency) in &krate.source.dependencies {
                let def = match dependency {
                    Dependency::Crate(id) => {
                        let macros = crates[id.0 as usize].macros.clone();
                        crates[i].other_macros.push((*name, macros));
                        Def::Module(self.program.crates[id.0 as usize].root)
                    }
                    Dependency::External { package, .. } => {
                        Def::Ext(Name::new(&package.as_str().replace('-', "_")))
                    }
                };
                crates[i].externs.insert(*name, def);
            }
        }
    }

    pub fn new_module(
        &mut self,
        name: Name,
        krate: CrateId,
        parent: Option<ModuleId>,
        file: FileId,
        when: When,
    ) -> ModuleId {
        let id = ModuleId(self.program.modules.len() as u32);
        self.program.modules.push(ModuleDef {
            name,
            krate,
            parent,
            file,
            attrs: Vec::new(),
            when,
            public: false,
            is_block: false,
            block_of: None,
        });
        self.program.index.scopes.push(Scope::default());
        id
    }

    /// Items of a module and the modules below it. Child modules get their names first, so that visibilities can
    /// name them.
    fn module_items(&mut self, module: ModuleId, node: ModuleNode) {
        let place = Place { module, file: node.file, when: node.when, owner: Owner::Module };
        let krate = self.program.krate(module);
        let mut children = Vec::new();
        for child in node.children {
            let when = node.when.and(child.when);
            if when == When::Never {
                continue;
            }
            let id = self.new_module(child.name, krate, Some(module), child.file, when);
            self.declare(place, when, Namespace::Types, child.name, Def::Module(id), &child.vis);
            self.program.modules[id.index()].attrs.clone_from(&child.attrs);
            children.push((id, ModuleNode { when, ..child }));
        }
        for (item, when) in &node.items {
            self.item(Place { when: place.when.and(*when), ..place }, item);
        }
        for (id, child) in children {
            self.module_items(id, child);
        }
    }

    /// Items whose cfg is still to be decided: of a block, an impl, a trait, an extern block.
    pub fn undecided_items(&mut self, place: Place, items: &[Item]) {
        for item in items {
            let krate = self.program.krate(place.module);
            let own = self.program.crates[krate.0 as usize].source.cfg.when(&item.attrs);
            self.item(Place { when: place.when.and(own), ..place }, item);
        }
    }

    /// One item; `place.when` is the item's own already.
    fn item(&mut self, place: Place, item: &Item) {
        if place.when == When::Never {
            return;
        }
        match &item.kind {
            ItemKind::Fn(f) => self.function(place, item, f),
            ItemKind::Static(s) => self.static_(place, item, s),
            ItemKind::Const(c) => self.constant(place, item, c),
            ItemKind::Adt(adt) => self.adt(place, item, adt),
            ItemKind::TypeAlias { generics, ty, .. } => {
                if let (Owner::Module, Some(ty)) = (place.owner, ty) {
                    self.alias(place, item, generics, ty);
                }
            }
            ItemKind::Trait(t) => self.trait_(place, item, t),
            ItemKind::Impl(i) => self.impl_(place, item, i),
            ItemKind::Use(leaves) => {
                for leaf in leaves {
                    let vis = self.vis(place.module, &item.vis);
                    self.imports.push(Import::new(&self.program, place, leaf, vis));
                }
            }
            ItemKind::ExternCrate { alias } => self.extern_crate(place, item, *alias),
            ItemKind::ExternBlock { items, .. } => self.undecided_items(place, items),
            ItemKind::Mod(Some(items)) => self.inline_module(place, item, items),
            ItemKind::Mod(None) | ItemKind::MacroRules(_) | ItemKind::MacroCall { .. } => {}
        }
    }

    fn inline_module(&mut self, place: Place, item: &Item, items: &[Item]) {
        let krate = self.program.krate(place.module);
        let module = self.new_module(item.name, krate, Some(place.module), place.file, place.when);
        self.declare(place, place.when, Namespace::Types, item.name, Def::Module(module), &item.vis);
        self.undecided_items(Place { module, ..place }, items);
    }

    fn extern_crate(&mut self, place: Place, item: &Item, alias: Option<Name>) {
        let root = self.program.root_of(place.module);
        let def = if item.name == WORDS.self_value {
            Def::Module(root)
        } else {
            self.program.extern_crate(place.module, item.name).unwrap_or(Def::Ext(item.name))
        };
        let name = alias.unwrap_or(item.name);
        if name == WORDS.underscore {
            return;
        }
        if place.module == root {
            let krate = self.program.krate(root);
            self.program.index.crates[krate.0 as usize].externs.insert(name, def);
        }
        self.declare(place, place.when, Namespace::Types, name, def, &item.vis);
    }

    fn function(&mut self, place: Place, item: &Item, f: &Arc<FnItem>) {
        let id = FnId(self.program.fns.len() as u32);
        self.program.fns.push(FnDef {
            name: item.name,
            module: place.module,
            owner: place.owner,
            file: place.file,
            name_range: item.name_range,
            range: item.range,
            attrs: item.attrs.clone(),
            when: place.when,
            public: false,
            declared_public: item.vis == Visibility::Public,
            is_private: item.vis == Visibility::Private && !self.is_of_trait(place.owner),
            item: f.clone(),
            generics: Vec::new(),
            sig: OnceLock::new(),
            body: OnceLock::new(),
        });
        self.declare_owned(place, item, Def::Fn(id));
        match place.owner {
            Owner::Module => {}
            Owner::Impl(i) => self.program.impls[i.index()].fns.push(id),
            Owner::Trait(t) => self.program.traits[t.index()].fns.push(id),
        }
        self.pend(place, BodyOwner::Fn(id), f.body.as_ref(), f.param_bindings);
    }

    /// Whether what stands there can be named wherever a trait can.
    fn is_of_trait(&self, owner: Owner) -> bool {
        match owner {
            Owner::Module => false,
            Owner::Trait(_) => true,
            Owner::Impl(at) => self.written.impls[at.index()].trait_.is_some(),
        }
    }

    fn static_(&mut self, place: Place, item: &Item, s: &Arc<StaticItem>) {
        let id = StaticId(self.program.statics.len() as u32);
        let mut path = self.program.module_path(place.module);
        path.push(item.name);
        let path: Vec<&str> = path.iter().map(|n| n.as_str()).collect();
        self.program.statics.push(StaticDef {
            name: item.name,
            module: place.module,
            file: place.file,
            name_range: item.name_range,
            when: place.when,
            public: false,
            attrs: item.attrs.clone(),
            item: s.clone(),
            ty: Ty::Unknown,
            path: path.join("::"),
            body: OnceLock::new(),
        });
        self.declare_owned(place, item, Def::Static(id));
        self.pend(place, BodyOwner::Static(id), s.init.as_ref(), 0);
    }

    fn constant(&mut self, place: Place, item: &Item, c: &Arc<ConstItem>) {
        let id = ConstId(self.program.consts.len() as u32);
        self.program.consts.push(ConstDef {
            name: item.name,
            module: place.module,
            owner: place.owner,
            file: place.file,
            ty: Ty::Unknown,
            item: c.clone(),
            body: OnceLock::new(),
        });
        if item.name != WORDS.underscore {
            self.declare_owned(place, item, Def::Const(id));
        }
        match place.owner {
            Owner::Module => {}
            Owner::Impl(i) => self.program.impls[i.index()].consts.push(id),
            Owner::Trait(t) => self.program.traits[t.index()].consts.push(id),
        }
        self.pend(place, BodyOwner::Const(id), c.init.as_ref(), 0);
    }

    fn adt(&mut self, place: Place, item: &Item, adt: &Arc<AdtItem>) {
        let id = AdtId(self.program.adts.len() as u32);
        let variants = adt.variants.iter().filter(|v| self.is_built(place.module, &v.attrs));
        let variants: Vec<VariantDef> = variants
            .map(|v| VariantDef {
                name: v.name,
                shape: v.shape,
                fields: (v.fields.iter().filter(|f| self.is_built(place.module, &f.attrs)))
                    .map(|f| FieldDef {
                        name: f.name,
                        name_range: f.name_range,
                        public: adt.kind == AdtKind::Enum || f.vis == Visibility::Public,
                        ty: Ty::Unknown,
                    })
                    .collect(),
            })
            .collect();
        let callable = variants.first().is_some_and(|v| v.shape != VariantShape::Named);
        self.program.adts.push(AdtDef {
            name: item.name,
            module: place.module,
            file: place.file,
            name_range: item.name_range,
            public: false,
            attrs: item.attrs.clone(),
            kind: adt.kind,
            generics: Vec::new(),
            variants,
        });
        self.written.adts.push(adt.clone());
        self.declare(place, place.when, Namespace::Types, item.name, Def::Adt(id), &item.vis);
        if adt.kind == AdtKind::Struct && callable {
            self.declare(place, place.when, Namespace::Values, item.name, Def::Variant(id, 0), &item.vis);
        }
    }

    /// Whether a variant or field with these attributes is in some build.
    pub fn is_built(&self, module: ModuleId, attrs: &[Attr]) -> bool {
        let krate = self.program.krate(module);
        self.program.crates[krate.0 as usize].source.cfg.when(attrs) != When::Never
    }

    fn alias(&mut self, place: Place, item: &Item, generics: &Generics, ty: &Type) {
        let id = AliasId(self.program.aliases.len() as u32);
        self.program.aliases.push(AliasDef { name: item.name, generics: Vec::new(), ty: Ty::Unknown });
        self.written.aliases.push((place.module, generics.clone(), ty.clone()));
        self.declare(place, place.when, Namespace::Types, item.name, Def::Alias(id), &item.vis);
    }

    fn trait_(&mut self, place: Place, item: &Item, t: &Arc<TraitItem>) {
        let id = TraitId(self.program.traits.len() as u32);
        self.program.traits.push(TraitDef {
            name: item.name,
            module: place.module,
            public: false,
            is_unsafe: t.is_unsafe,
            self_param: ParamId(0),
            generics: Vec::new(),
            supers: Vec::new(),
            fns: Vec::new(),
            consts: Vec::new(),
            types: Vec::new(),
            type_bounds: Vec::new(),
        });
        self.written.traits.push(t.clone());
        self.declare(place, place.when, Namespace::Types, item.name, Def::Trait(id), &item.vis);
        self.undecided_items(Place { owner: Owner::Trait(id), ..place }, &t.items);
    }

    fn impl_(&mut self, place: Place, item: &Item, i: &Arc<ImplItem>) {
        let id = ImplId(self.program.impls.len() as u32);
        self.program.impls.push(ImplDef {
            module: place.module,
            file: place.file,
            range: item.range,
            attrs: item.attrs.clone(),
            when: place.when,
            is_unsafe: i.is_unsafe,
            negative: i.negative,
            generics: Vec::new(),
            predicates: Vec::new(),
            inherent: i.trait_.is_none(),
            trait_: None,
            self_ty: Ty::Unknown,
            fns: Vec::new(),
            consts: Vec::new(),
            types: Vec::new(),
        });
        self.written.impls.push(i.clone());
        self.undecided_items(Place { owner: Owner::Impl(id), ..place }, &i.items);
    }

    /// Puts a value of a module (not of an impl or trait) into the scope.
    fn declare_owned(&mut self, place: Place, item: &Item, def: Def) {
        if place.owner == Owner::Module {
            self.declare(place, place.when, Namespace::Values, item.name, def, &item.vis);
        }
    }

    fn declare(&mut self, place: Place, when: When, ns: Namespace, name: Name, def: Def, vis: &Visibility) {
        let vis = self.vis(place.module, vis);
        let entry = Entry { def, vis, when, origin: Origin::Declared };
        self.program.index.scopes[place.module.index()].insert(ns, name, entry);
    }

    /// A visibility of something declared in `module`.
    fn vis(&self, module: ModuleId, vis: &Visibility) -> Vis {
        let program = &self.program;
        let path = match vis {
            Visibility::Public => return Vis::Public,
            Visibility::Private => return Vis::In(module),
            Visibility::Restricted(path) => path,
        };
        let mut names = path.segments.iter().map(|s| s.name);
        let (mut inside, used) =
            program.keyword_module(module, &mut names, false).unwrap_or((program.root_of(module), 0));
        for seg in &path.segments[used.min(path.segments.len())..] {
            match program.in_scope(inside, Namespace::Types, seg.name) {
                Some(Def::Module(child)) => inside = child,
                _ => break,
            }
        }
        Vis::In(inside)
    }

    /// Remembers a body that may hold items.
    fn pend(&mut self, place: Place, owner: BodyOwner, source: Option<&BodySource>, first_binding: u32) {
        let Some(source) = source else { return };
        let krate = self.program.krate(place.module).0 as usize;
        let file = &self.program.files[place.file.0 as usize];
        if self.words[krate].may_have_items(file, source, &*self.program.index.macros) {
            let place = Place { owner: Owner::Module, ..place };
            self.pending.push(PendingBody { owner, place, source: source.clone(), first_binding });
        }
    }
}

/// The parameters of a declaration that types are substituted for: all but lifetimes.
pub(super) fn type_params(generics: &hir::Generics) -> impl Iterator<Item = &hir::GenericParam> {
    generics.params.iter().filter(|p| p.kind != hir::GenericParamKind::Lifetime)
}
