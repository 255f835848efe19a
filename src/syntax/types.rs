//! Lowers types, paths, generics, bounds, visibilities and attributes.
//!
//! In: syn's trees with the map of the text they were parsed from. Out: their HIR. Invariants: names lose their `r#`;
//! lifetimes, higher-ranked binders and doc comments are dropped; what nests more than `MAX_DEPTH` types deep is
//! `Type::Unknown`, so that nobody who walks a type has to mind the stack.

use super::names::{intern, intern_plain};
use super::source_map::SourceMap;
use super::tokens::from_stream;
use crate::hir::{
    Attr, Bound, ExprText, GenericArg, GenericParam, GenericParamKind, Generics, Name, Path, PathId, Segment,
    Type, Visibility, WherePred,
};
use proc_macro2::Span;
use quote::ToTokens;
use syn::punctuated::Punctuated;

/// How deep types and patterns nest in HIR.
pub(super) const MAX_DEPTH: u32 = 128;

/// The dense numbers given out so far, in a body or a signature.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    /// Next `BindingId`.
    pub(super) bindings: u32,
    /// Next `PathId`, if paths are numbered here.
    pub(super) paths: u32,
    /// Outside bodies paths have no numbers.
    pub(super) in_body: bool,
    /// How many types or patterns are around the present one.
    pub(super) depth: u32,
}

impl Counters {
    /// For a body whose parameters made `first_binding` bindings.
    pub(super) fn body(first_binding: u32) -> Counters {
        Counters { bindings: first_binding, in_body: true, ..Counters::default() }
    }

    pub(super) fn next_path(&mut self) -> PathId {
        if !self.in_body {
            return PathId::ITEM;
        }
        self.paths += 1;
        PathId(self.paths - 1)
    }
}

/// The identifier's name without `r#`.
pub(super) fn name_of(ident: &syn::Ident) -> Name {
    intern_plain(ident)
}

pub(super) fn lower_type(ty: &syn::Type, map: &SourceMap, counters: &mut Counters) -> Type {
    if counters.depth >= MAX_DEPTH {
        return Type::Unknown;
    }
    counters.depth += 1;
    let lowered = type_inside(ty, map, counters);
    counters.depth -= 1;
    lowered
}

fn type_inside(ty: &syn::Type, map: &SourceMap, counters: &mut Counters) -> Type {
    let mut boxed = |inner: &syn::Type| Box::new(lower_type(inner, map, counters));
    match ty {
        syn::Type::Array(array) => Type::Array(boxed(&array.elem), expr_text(&array.len, map)),
        syn::Type::FnPtr(pointer) => Type::FnPtr {
            params: pointer.inputs.iter().map(|input| lower_type(&input.ty, map, counters)).collect(),
            ret: lower_return(&pointer.output, map, counters).map(Box::new),
        },
        syn::Type::Group(group) => lower_type(&group.elem, map, counters),
        syn::Type::Paren(paren) => lower_type(&paren.elem, map, counters),
        syn::Type::ImplTrait(it) => Type::Impl(lower_bounds(&it.bounds, map, counters)),
        syn::Type::TraitObject(object) => Type::Dyn(lower_bounds(&object.bounds, map, counters)),
        syn::Type::Infer(_) => Type::Infer,
        syn::Type::Never(_) => Type::Never,
        syn::Type::Path(path) => Type::Path(lower_path(&path.path, path.qself.as_ref(), map, counters)),
        syn::Type::Ptr(pointer) => Type::Ptr {
            mutable: matches!(pointer.mutability, syn::PointerMutability::Mut(_)),
            inner: boxed(&pointer.elem),
        },
        syn::Type::Reference(reference) => {
            Type::Ref { mutable: reference.mutability.is_some(), inner: boxed(&reference.elem) }
        }
        syn::Type::Slice(slice) => Type::Slice(boxed(&slice.elem)),
        syn::Type::Tuple(tuple) => {
            Type::Tuple(tuple.elems.iter().map(|elem| lower_type(elem, map, counters)).collect())
        }
        _ => Type::Unknown,
    }
}

/// `None` for a function that returns nothing.
pub(super) fn lower_return(
    output: &syn::ReturnType,
    map: &SourceMap,
    counters: &mut Counters,
) -> Option<Type> {
    match output {
        syn::ReturnType::Default => None,
        syn::ReturnType::Type(_, ty) => Some(lower_type(ty, map, counters)),
    }
}

/// A small expression, as its tokens.
pub(super) fn expr_text(expr: &syn::Expr, map: &SourceMap) -> ExprText {
    ExprText(from_stream(expr.to_token_stream(), map))
}

/// A path with its generic arguments; `qself` is what stands in `<…>` before it.
pub(super) fn lower_path(
    path: &syn::Path,
    qself: Option<&syn::QSelf>,
    map: &SourceMap,
    counters: &mut Counters,
) -> Path {
    let id = counters.next_path();
    let mut segments: Vec<Segment> = path.segments.iter().map(|s| lower_segment(s, map, counters)).collect();
    let range = path_range(path, qself, map);
    let Some(qself) = qself else {
        return Path { global: path.leading_colon.is_some(), qself: None, segments, range, id };
    };
    let rest = segments.split_off(qself.position.min(segments.len()));
    let trait_ = qself.as_token.as_ref().map(|_| Path {
        global: path.leading_colon.is_some(),
        range: segments.iter().map(|s| s.range).reduce(|a, b| a.to(b)).unwrap_or(range),
        segments,
        qself: None,
        id: counters.next_path(),
    });
    let self_ty = lower_type(&qself.ty, map, counters);
    Path { global: false, qself: Some(Box::new((self_ty, trait_))), segments: rest, range, id }
}

fn path_range(path: &syn::Path, qself: Option<&syn::QSelf>, map: &SourceMap) -> crate::hir::TextRange {
    let (Some(first), Some(last)) = (path.segments.first(), path.segments.last()) else {
        return map.whole();
    };
    let start = match (qself, &path.leading_colon) {
        (Some(qself), _) => qself.lt_token.span,
        (None, Some(colons)) => colons.spans[0],
        (None, None) => first.ident.span(),
    };
    map.join(start, segment_end(last))
}

fn segment_end(segment: &syn::PathSegment) -> Span {
    match &segment.arguments {
        syn::PathArguments::None => segment.ident.span(),
        syn::PathArguments::AngleBracketed(args) => args.gt_token.span,
        syn::PathArguments::Parenthesized(args) => args.paren_token.span.close(),
    }
}

fn lower_segment(segment: &syn::PathSegment, map: &SourceMap, counters: &mut Counters) -> Segment {
    let (args, fn_output) = match &segment.arguments {
        syn::PathArguments::None => (Vec::new(), None),
        syn::PathArguments::AngleBracketed(args) => (lower_generic_args(args, map, counters), None),
        syn::PathArguments::Parenthesized(args) => {
            let inputs = args.inputs.iter().map(|input| lower_type(&input.ty, map, counters)).collect();
            let output = lower_return(&args.output, map, counters).map(Box::new);
            (vec![GenericArg::Type(Type::Tuple(inputs))], output)
        }
    };
    Segment { name: name_of(&segment.ident), range: map.range(segment.ident.span()), args, fn_output }
}

/// Generic arguments without lifetimes and associated constants.
pub(super) fn lower_generic_args(
    args: &syn::AngleBracketedGenericArguments,
    map: &SourceMap,
    counters: &mut Counters,
) -> Vec<GenericArg> {
    let mut lowered = Vec::with_capacity(args.args.len());
    for arg in &args.args {
        match arg {
            syn::GenericArgument::Type(ty) => lowered.push(GenericArg::Type(lower_type(ty, map, counters))),
            syn::GenericArgument::Const(expr) => lowered.push(GenericArg::Const(expr_text(expr, map))),
            syn::GenericArgument::AssocType(assoc) => {
                let ty = lower_type(&assoc.ty, map, counters);
                lowered.push(GenericArg::Assoc(name_of(&assoc.ident), ty));
            }
            syn::GenericArgument::Constraint(constraint) => {
                let ty = Type::Impl(lower_bounds(&constraint.bounds, map, counters));
                lowered.push(GenericArg::Assoc(name_of(&constraint.ident), ty));
            }
            _ => {}
        }
    }
    lowered
}

/// Trait bounds without lifetimes and `use<…>`.
pub(super) fn lower_bounds<P>(
    bounds: &Punctuated<syn::TypeParamBound, P>,
    map: &SourceMap,
    counters: &mut Counters,
) -> Vec<Bound> {
    let mut lowered = Vec::new();
    for bound in bounds {
        if let syn::TypeParamBound::Trait(bound) = bound {
            let path = lower_path(&bound.path, None, map, counters);
            lowered.push(Bound { path, maybe: bound.maybe.is_some() });
        }
    }
    lowered
}

/// Parameters and `where` predicates.
pub(super) fn lower_generics(generics: &syn::Generics, map: &SourceMap, counters: &mut Counters) -> Generics {
    let params = generics.params.iter().map(|param| lower_generic_param(param, map, counters)).collect();
    let mut preds = Vec::new();
    for pred in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
        if let syn::WherePredicate::Type(pred) = pred {
            preds.push(WherePred {
                ty: lower_type(&pred.bounded_ty, map, counters),
                bounds: lower_bounds(&pred.bounds, map, counters),
            });
        }
    }
    Generics { params, preds }
}

fn lower_generic_param(param: &syn::GenericParam, map: &SourceMap, counters: &mut Counters) -> GenericParam {
    match param {
        syn::GenericParam::Lifetime(lifetime) => GenericParam {
            name: intern(&lifetime.lifetime),
            kind: GenericParamKind::Lifetime,
            bounds: Vec::new(),
            default: None,
        },
        syn::GenericParam::Type(ty) => GenericParam {
            name: name_of(&ty.ident),
            kind: GenericParamKind::Type,
            bounds: lower_bounds(&ty.bounds, map, counters),
            default: ty.default.as_ref().map(|(_, default)| lower_type(default, map, counters)),
        },
        syn::GenericParam::Const(constant) => GenericParam {
            name: name_of(&constant.ident),
            kind: GenericParamKind::Const,
            bounds: Vec::new(),
            default: None,
        },
    }
}

pub(super) fn lower_vis(vis: &syn::Visibility, map: &SourceMap) -> Visibility {
    match vis {
        syn::Visibility::Public(_) => Visibility::Public,
        syn::Visibility::Inherited => Visibility::Private,
        syn::Visibility::Restricted(restricted) => {
            Visibility::Restricted(lower_path(&restricted.path, None, map, &mut Counters::default()))
        }
    }
}

/// The attributes but for doc comments.
pub(super) fn lower_attrs(attrs: &[syn::Attribute], map: &SourceMap) -> Vec<Attr> {
    attrs.iter().filter(|attr| !is_doc(attr)).map(|attr| lower_attr(attr, map)).collect()
}

/// `/// text` and `#[doc = "text"]`.
pub(super) fn is_doc(attr: &syn::Attribute) -> bool {
    matches!(&attr.meta, syn::Meta::NameValue(pair) if pair.path.is_ident("doc"))
}

fn lower_attr(attr: &syn::Attribute, map: &SourceMap) -> Attr {
    let tokens = match &attr.meta {
        syn::Meta::Path(_) => Default::default(),
        syn::Meta::List(list) => from_stream(list.tokens.clone(), map),
        syn::Meta::NameValue(pair) => from_stream(pair.value.to_token_stream(), map),
    };
    Attr {
        path: attr.path().segments.iter().map(|segment| name_of(&segment.ident)).collect(),
        tokens,
        range: map.join(attr.pound_token.span, attr.bracket_token.span.close()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::TextRange;
    use crate::syntax::source_map::parse;
    use syn::parse::Parse;

    fn ty(text: &str) -> Type {
        let map = SourceMap::of_text(text, TextRange::new(0, text.len() as u32));
        parse(text, &map, <syn::Type as Parse>::parse, |ty| lower_type(&ty, &map, &mut Counters::default()))
            .unwrap()
    }

    fn path(text: &str) -> Path {
        match ty(text) {
            Type::Path(path) => path,
            other => panic!("{other:?}"),
        }
    }

    fn names(path: &Path) -> Vec<&'static str> {
        path.segments.iter().map(|segment| segment.name.as_str()).collect()
    }

    #[test]
    fn paths_keep_arguments_and_places() {
        let path = path("::a::r#type<'x, u8, Item = B, { 3 }>::C");
        assert!(path.global);
        assert_eq!(names(&path), ["a", "type", "C"]);
        assert_eq!((path.range.lo, path.range.hi), (0, 39));
        assert_eq!(path.segments[1].range, TextRange::new(5, 11));
        let [GenericArg::Type(_), GenericArg::Assoc(item, _), GenericArg::Const(_)] =
            &path.segments[1].args[..]
        else {
            panic!("{:?}", path.segments[1].args);
        };
        assert_eq!(*item, "Item");
    }

    #[test]
    fn a_qualified_path_is_split_at_its_trait() {
        let path = path("<Vec<T> as a::Iter>::Item::X");
        let (self_ty, trait_) = path.qself.as_deref().unwrap();
        assert!(matches!(self_ty, Type::Path(p) if names(p) == ["Vec"]));
        assert_eq!(names(trait_.as_ref().unwrap()), ["a", "Iter"]);
        assert_eq!(names(&path), ["Item", "X"]);
        let plain = self::path("<T>::X");
        assert!(matches!(plain.qself.as_deref(), Some((Type::Path(_), None))));
        assert_eq!(names(&plain), ["X"]);
    }

    #[test]
    fn callables_keep_inputs_and_output() {
        let Type::Dyn(bounds) = ty("dyn for<'a> Fn(&'a u8, A) -> B + Send + 'static") else { panic!() };
        assert_eq!(bounds.len(), 2);
        let call = &bounds[0].path.segments[0];
        assert!(matches!(&call.args[..], [GenericArg::Type(Type::Tuple(inputs))] if inputs.len() == 2));
        assert!(call.fn_output.is_some());
        let Type::FnPtr { params, ret } = ty("unsafe extern \"C\" fn(x: u8, *const u8) -> !") else {
            panic!()
        };
        assert_eq!(params.len(), 2);
        assert_eq!(ret.as_deref(), Some(&Type::Never));
    }

    #[test]
    fn types_that_nest_too_deep_are_cut() {
        let parses = || {
            let mut inner = ty(&format!("{}u8", "&".repeat(2 * MAX_DEPTH as usize)));
            let mut depth = 0;
            while let Type::Ref { inner: next, .. } = inner {
                inner = *next;
                depth += 1;
            }
            assert_eq!((inner, depth), (Type::Unknown, MAX_DEPTH));
        };
        std::thread::Builder::new().stack_size(64 << 20).spawn(parses).unwrap().join().unwrap()
    }
}
