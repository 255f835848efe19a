//! Lowers patterns and literals.
//!
//! In: syn's patterns with the map of their text. Out: `Pat` trees whose bindings are numbered densely in text order.
//! Invariant: the alternatives of one or-pattern give the same number to the same name.

use super::source_map::SourceMap;
use super::types::{Counters, MAX_DEPTH, lower_path, name_of};
use crate::hir::{BindingId, Lit, Name, Pat};
use syn::punctuated::Punctuated;

/// Longest string literal whose value is kept, in bytes.
pub(super) const MAX_STR: usize = 256;

pub(super) fn lower_pat(pat: &syn::Pat, map: &SourceMap, counters: &mut Counters) -> Pat {
    PatLowering { map, counters, known: Vec::new() }.pat(pat)
}

struct PatLowering<'a> {
    map: &'a SourceMap,
    counters: &'a mut Counters,
    /// What the earlier alternatives of the or-patterns around bind.
    known: Vec<(Name, BindingId)>,
}

impl PatLowering<'_> {
    fn pat(&mut self, pat: &syn::Pat) -> Pat {
        if self.counters.depth >= MAX_DEPTH {
            return Pat::Unknown;
        }
        self.counters.depth += 1;
        let lowered = self.pat_inside(pat);
        self.counters.depth -= 1;
        lowered
    }

    fn pat_inside(&mut self, pat: &syn::Pat) -> Pat {
        match pat {
            syn::Pat::Wild(_) => Pat::Wild,
            syn::Pat::Rest(_) => Pat::Rest,
            syn::Pat::Range(_) => Pat::Range,
            syn::Pat::Lit(lit) => Pat::Lit(lower_lit(&lit.lit)),
            syn::Pat::Ident(ident) => self.bind(ident),
            syn::Pat::Guard(guard) => self.pat(&guard.pat),
            syn::Pat::Paren(paren) => self.pat(&paren.pat),
            syn::Pat::Type(typed) => self.pat(&typed.pat),
            syn::Pat::Reference(reference) => Pat::Ref(Box::new(self.pat(&reference.pat))),
            syn::Pat::Slice(slice) => Pat::Slice(self.all(&slice.elems)),
            syn::Pat::Tuple(tuple) => Pat::Tuple(self.all(&tuple.elems)),
            syn::Pat::Or(or) => self.or(&or.cases),
            syn::Pat::Path(path) => Pat::Path(self.path(&path.path, path.qself.as_ref())),
            syn::Pat::TupleStruct(tuple) => {
                let path = self.path(&tuple.path, tuple.qself.as_ref());
                Pat::TupleStruct(path, self.all(&tuple.elems))
            }
            syn::Pat::Struct(record) => Pat::Struct {
                path: self.path(&record.path, record.qself.as_ref()),
                fields: record.fields.iter().map(|f| (member_name(&f.member), self.pat(&f.pat))).collect(),
                rest: record.rest.is_some(),
            },
            _ => Pat::Unknown,
        }
    }

    fn all<P>(&mut self, pats: &Punctuated<syn::Pat, P>) -> Vec<Pat> {
        pats.iter().map(|pat| self.pat(pat)).collect()
    }

    fn path(&mut self, path: &syn::Path, qself: Option<&syn::QSelf>) -> crate::hir::Path {
        lower_path(path, qself, self.map, self.counters)
    }

    fn bind(&mut self, ident: &syn::PatIdent) -> Pat {
        let name = name_of(&ident.ident);
        let binding = match self.known.iter().rev().find(|(known, _)| *known == name) {
            Some(&(_, binding)) => binding,
            None => {
                self.counters.bindings += 1;
                BindingId(self.counters.bindings - 1)
            }
        };
        Pat::Bind {
            name,
            binding,
            by_ref: ident.by_ref.is_some(),
            mutable: ident.mutability.is_some(),
            sub: ident.subpat.as_ref().map(|(_, sub)| Box::new(self.pat(sub))),
            range: self.map.range(ident.ident.span()),
        }
    }

    fn or<P>(&mut self, cases: &Punctuated<syn::Pat, P>) -> Pat {
        let outer = self.known.len();
        let mut lowered = Vec::with_capacity(cases.len());
        for case in cases {
            let case = self.pat(case);
            if lowered.is_empty() {
                collect_bindings(&case, &mut self.known);
            }
            lowered.push(case);
        }
        self.known.truncate(outer);
        Pat::Or(lowered)
    }
}

pub(super) fn collect_bindings(pat: &Pat, out: &mut Vec<(Name, BindingId)>) {
    match pat {
        Pat::Bind { name, binding, sub, .. } => {
            out.push((*name, *binding));
            if let Some(sub) = sub {
                collect_bindings(sub, out);
            }
        }
        Pat::Ref(inner) => collect_bindings(inner, out),
        Pat::Tuple(pats) | Pat::Slice(pats) | Pat::Or(pats) | Pat::TupleStruct(_, pats) => {
            pats.iter().for_each(|pat| collect_bindings(pat, out));
        }
        Pat::Struct { fields, .. } => fields.iter().for_each(|(_, pat)| collect_bindings(pat, out)),
        Pat::Wild | Pat::Rest | Pat::Path(_) | Pat::Lit(_) | Pat::Range | Pat::Unknown => {}
    }
}

/// A field's name, or its number in a tuple.
pub(super) fn member_name(member: &syn::Member) -> Name {
    match member {
        syn::Member::Named(ident) => name_of(ident),
        syn::Member::Unnamed(index) => Name::new(&index.index.to_string()),
    }
}

pub(super) fn lower_lit(lit: &syn::Lit) -> Lit {
    match lit {
        syn::Lit::Int(int) => {
            let suffix = Some(int.suffix()).filter(|suffix| !suffix.is_empty()).map(Name::new);
            Lit::Int(int.base10_digits().parse().ok(), suffix)
        }
        syn::Lit::Float(float) => Lit::Float(Name::new(float.base10_digits())),
        syn::Lit::Bool(bool) => Lit::Bool(bool.value),
        syn::Lit::Char(char) => Lit::Char(char.value()),
        syn::Lit::Str(str) => {
            let value = str.value();
            Lit::Str(Name::new(&value[..value.floor_char_boundary(MAX_STR)]))
        }
        _ => Lit::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hir::TextRange;
    use crate::syntax::source_map::parse;

    fn pat(text: &str) -> (Pat, u32) {
        let map = SourceMap::of_text(text, TextRange::new(0, text.len() as u32));
        let mut counters = Counters::default();
        let parser = syn::Pat::parse_multi_with_leading_vert;
        let pat = parse(text, &map, parser, |pat| lower_pat(&pat, &map, &mut counters)).unwrap();
        (pat, counters.bindings)
    }

    fn bindings(pat: &Pat) -> Vec<(&'static str, u32)> {
        let mut out = Vec::new();
        collect_bindings(pat, &mut out);
        out.iter().map(|(name, id)| (name.as_str(), id.0)).collect()
    }

    #[test]
    fn bindings_are_numbered_in_text_order() {
        let (pat, count) = pat("S { a, b: ref mut b @ [c, .., &d], e: (f, 1, _), .. }");
        assert_eq!(bindings(&pat), [("a", 0), ("b", 1), ("c", 2), ("d", 3), ("f", 4)]);
        assert_eq!(count, 5);
    }

    #[test]
    fn alternatives_share_their_bindings() {
        let (pat, count) = pat("(A(x, y) | B { y, x } | (C(x) | D(x), y), z)");
        let expected = [("x", 0), ("y", 1), ("y", 1), ("x", 0), ("x", 0), ("x", 0), ("y", 1), ("z", 2)];
        assert_eq!(bindings(&pat), expected);
        assert_eq!(count, 3);
    }

    #[test]
    fn literals_keep_their_values() {
        let lit = |text| pat(text).0;
        assert_eq!(lit("0x_ffu8"), Pat::Lit(Lit::Int(Some(255), Some(Name::new("u8")))));
        assert_eq!(lit("'\\u{e9}'"), Pat::Lit(Lit::Char('é')));
        assert_eq!(lit("b\"x\""), Pat::Lit(Lit::Other));
        let long = format!("\"{}\"", "é".repeat(200));
        assert_eq!(lit(&long), Pat::Lit(Lit::Str(Name::new(&"é".repeat(128)))));
    }
}
