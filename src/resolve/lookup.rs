//! Questions the walk asks of the definitions. (Signatures fixed; see each for its meaning.)
//!
//! impl Program {
//!   /// Lowered and resolved body of a function (with its parameters' patterns), on first use. `None`: no body.
//!   pub fn body(&self, id: FnId) -> Option<Arc<ResolvedBody>>
//!   pub fn static_init(&self, id: StaticId) -> Option<Arc<ResolvedBody>>
//!   pub fn const_init(&self, id: ConstId) -> Option<Arc<ResolvedBody>>
//!   /// A type written in a body.
//!   pub fn type_in(&self, body: &ResolvedBody, ty: &hir::Type) -> Ty
//!   /// Methods named `name` that apply to exactly `ty` (no autoderef, no autoref): inherent ones first, and only if
//!   /// there are none, those of trait impls (all impls whose self type unifies with `ty`, blanket impls included).
//!   /// For `Dyn`, `Param`, unsubstituted: the trait's methods of all impls in the group, and the default body if there is one.
//!   pub fn methods(&self, ty: &Ty, name: Name) -> Vec<Method>
//!   /// Associated function or method by `Type::name` (also without self), same rules; `of_trait` narrows.
//!   pub fn assoc_fns(&self, ty: &Ty, of_trait: Option<&TraitRef>, name: Name) -> Vec<Method>
//!   pub fn assoc_const(&self, ty: &Ty, name: Name) -> Option<ConstId>
//!   /// `<ty as key>::name`, resolved through impls; `Unknown` when there is none.
//!   pub fn assoc_type(&self, ty: &Ty, key: Option<TraitKey>, name: Name) -> Ty
//!   /// The impls of a trait for a type (by key): with the substitution of the impl's generics.
//!   pub fn impls(&self, key: TraitKey, ty: &Ty) -> Vec<(ImplId, Subst)>
//!   /// All impls of a trait.
//!   pub fn impls_of(&self, key: TraitKey) -> &[ImplId]
//!   /// The method of impl `id` named `name`, else the trait's default.
//!   /// `Drop::drop` of an adt.
//!   pub fn drop_impl(&self, adt: AdtId) -> Option<FnId>
//!   /// Type of a field with the adt's arguments put in.
//!   pub fn field_ty(&self, adt: AdtId, args: &Args, variant: u32, field: Name) -> Option<Ty>
//!   /// Substitution of an adt's generics by arguments.
//!   pub fn adt_subst(&self, adt: AdtId, args: &Args) -> Subst
//!   /// Binds the parameters of `pattern` so that it becomes `ty`, as far as both are known; `false` if they can't be equal.
//!   pub fn unify(&self, pattern: &Ty, ty: &Ty, subst: &mut Subst) -> bool
//! }
