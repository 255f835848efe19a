//! Paths and their generic arguments.
//!
//! As in `syntax::types`: lifetimes are dropped, and the paths of a body are numbered, each before the paths in its
//! arguments; of a qualified path the type stands first and is numbered last.

use super::cursor::Reader;
use super::trees::printed;
use crate::hir::{Bound, ExprText, GenericArg, Path, PathId, Segment, TextRange, Type};
use crate::syntax::lexer::TokenKind;

/// Where a path stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a type: `a::B<C>`.
    Type,
    /// In an expression or pattern, where generic arguments follow `::`.
    Value,
}

impl Reader<'_> {
    /// A path with its generic arguments, as it stands in types.
    pub(super) fn path(&mut self) -> Option<Path> {
        self.path_in(Place::Type)
    }

    /// A path as it stands in expressions and patterns.
    pub(super) fn value_path(&mut self) -> Option<Path> {
        self.path_in(Place::Value)
    }

    fn path_in(&mut self, place: Place) -> Option<Path> {
        let start = self.start()?;
        if self.is_punct(b'<') {
            return self.qualified_path(start, place);
        }
        let id = self.counters.next_path();
        let global = self.eat_pair(*b"::");
        let mut segments = Vec::with_capacity(1);
        self.segments(&mut segments, place)?;
        Some(Path { global, qself: None, segments, range: self.since(start), id })
    }

    /// `<T as Trait>::Name`
    fn qualified_path(&mut self, start: usize, place: Place) -> Option<Path> {
        let id = self.counters.next_path();
        self.bump()?;
        let first = self.counters.paths;
        let mut ty = self.ty(true)?;
        let of_type = self.counters.paths - first;
        let mut of_trait = match self.eat_word("as") {
            true => Some(self.trait_of_type()?),
            false => None,
        };
        self.punct(b'>')?;
        if !self.eat_pair(*b"::") {
            return None;
        }
        let mut segments = Vec::with_capacity(1);
        self.segments(&mut segments, place)?;
        let after_type = self.counters.paths - first - of_type;
        if of_type > 0 {
            let back = |id: PathId| PathId(id.0 - of_type);
            of_trait.iter_mut().flat_map(|path| &mut path.segments).for_each(|it| number_segment(it, &back));
            segments.iter_mut().for_each(|segment| number_segment(segment, &back));
        }
        let trait_number = u32::from(of_trait.is_some());
        if let Some(path) = &mut of_trait {
            path.id = self.counters.next_path();
            if self.counters.in_body {
                path.id.0 -= of_type;
            }
        }
        number_type(&mut ty, &|id: PathId| PathId(id.0 + after_type + trait_number));
        let range = self.since(start);
        Some(Path { global: false, qself: Some(Box::new((ty, of_trait))), segments, range, id })
    }

    /// The trait in `<T as Trait>`, not numbered yet.
    fn trait_of_type(&mut self) -> Option<Path> {
        let global = self.eat_pair(*b"::");
        let mut segments = Vec::with_capacity(1);
        self.segments(&mut segments, Place::Type)?;
        let range = segments.iter().map(|segment| segment.range).reduce(TextRange::to)?;
        Some(Path { global, qself: None, segments, range, id: PathId::ITEM })
    }

    fn segments(&mut self, out: &mut Vec<Segment>, place: Place) -> Option<()> {
        loop {
            let takes_args = !matches!(self.word(0), "self" | "super" | "crate");
            let word = self.path_word()?;
            let mut segment =
                Segment { name: word.name, range: word.range, args: Vec::new(), fn_output: None };
            if self.is_pair(0, *b"::") && self.is_nth(2, TokenKind::Punct(b'<')) {
                self.eat_pair(*b"::");
                segment.args = self.generic_args()?;
            } else if place == Place::Type && self.is_punct(b'<') && !self.is_pair(0, *b"<=") {
                segment.args = self.generic_args()?;
            }
            if !takes_args && !segment.args.is_empty() {
                return None;
            }
            out.push(segment);
            if self.is_nth(2, TokenKind::Open(b'(')) || !self.eat_pair(*b"::") {
                return Some(());
            }
        }
    }

    /// `(A, B) -> C` after the path of a bound.
    pub(super) fn callable(&mut self, path: &mut Path, start: usize) -> Option<()> {
        let segment = path.segments.last_mut().filter(|last| last.args.is_empty())?;
        self.eat_pair(*b"::");
        self.bump()?;
        let mut inputs = Vec::new();
        while !self.eat(TokenKind::Close(b')')) {
            inputs.push(self.ty(true)?);
            self.list_goes_on(b')')?;
        }
        path.range = self.since(start);
        segment.args = vec![GenericArg::Type(Type::Tuple(inputs))];
        if self.eat_pair(*b"->") {
            segment.fn_output = Some(Box::new(self.ty(false)?));
        }
        Some(())
    }

    /// `<…>`, without lifetimes and associated constants.
    pub(super) fn generic_args(&mut self) -> Option<Vec<GenericArg>> {
        self.punct(b'<')?;
        let mut args = Vec::new();
        while !self.eat_punct(b'>') {
            args.extend(self.generic_arg()?);
            if !self.eat_punct(b',') && !self.is_punct(b'>') {
                return None;
            }
        }
        Some(args)
    }

    fn generic_arg(&mut self) -> Option<Option<GenericArg>> {
        if self.pass_lifetime() {
            return Some(None);
        }
        if self.is_constant() {
            return Some(Some(GenericArg::Const(self.constant()?)));
        }
        let numbered = self.counters.paths;
        let ty = self.ty(true)?;
        let named = match &ty {
            Type::Path(path) if path.qself.is_none() && !path.global => match &path.segments[..] {
                [only] => Some(only.name),
                _ => None,
            },
            _ => None,
        };
        let Some(name) = named else { return Some(Some(GenericArg::Type(ty))) };
        if self.is_punct(b'=') && !self.is_pair(0, *b"==") {
            self.bump();
            self.counters.paths = numbered;
            if self.is_constant() {
                return self.constant().map(|_| None);
            }
            return Some(Some(GenericArg::Assoc(name, self.ty(true)?)));
        }
        if self.is_punct(b':') && !self.is_pair(0, *b"::") {
            self.bump();
            self.counters.paths = numbered;
            return Some(Some(GenericArg::Assoc(name, Type::Impl(self.bounds(true)?))));
        }
        Some(Some(GenericArg::Type(ty)))
    }

    /// Whether a constant argument comes that can't be a type.
    pub(super) fn is_constant(&self) -> bool {
        match self.nth(0).map(|token| token.kind) {
            Some(
                TokenKind::Number
                | TokenKind::Str
                | TokenKind::Char
                | TokenKind::Open(b'{')
                | TokenKind::Punct(b'-'),
            ) => true,
            Some(TokenKind::Ident) => matches!(self.word(0), "true" | "false"),
            _ => false,
        }
    }

    /// A literal or a block. A negative number is one token for syn.
    pub(super) fn constant(&mut self) -> Option<ExprText> {
        if self.is_punct(b'-') {
            return None;
        }
        let tokens = [self.tree()?];
        printed(&tokens).map(ExprText)
    }
}

/// Renumbers the paths in a type.
fn number_type(ty: &mut Type, number: &dyn Fn(PathId) -> PathId) {
    match ty {
        Type::Path(path) => number_path(path, number),
        Type::Ref { inner, .. } | Type::Ptr { inner, .. } | Type::Array(inner, _) | Type::Slice(inner) => {
            number_type(inner, number);
        }
        Type::Tuple(parts) => parts.iter_mut().for_each(|part| number_type(part, number)),
        Type::FnPtr { params, ret } => {
            params.iter_mut().chain(ret.as_deref_mut()).for_each(|part| number_type(part, number));
        }
        Type::Dyn(bounds) | Type::Impl(bounds) => {
            bounds.iter_mut().for_each(|Bound { path, .. }| number_path(path, number));
        }
        Type::Never | Type::Infer | Type::Unknown => {}
    }
}

fn number_path(path: &mut Path, number: &dyn Fn(PathId) -> PathId) {
    if path.id != PathId::ITEM {
        path.id = number(path.id);
    }
    if let Some((ty, of_trait)) = path.qself.as_deref_mut() {
        number_type(ty, number);
        of_trait.iter_mut().for_each(|path| number_path(path, number));
    }
    path.segments.iter_mut().for_each(|segment| number_segment(segment, number));
}

fn number_segment(segment: &mut Segment, number: &dyn Fn(PathId) -> PathId) {
    for arg in &mut segment.args {
        match arg {
            GenericArg::Type(ty) | GenericArg::Assoc(_, ty) => number_type(ty, number),
            GenericArg::Const(_) => {}
        }
    }
    segment.fn_output.iter_mut().for_each(|output| number_type(output, number));
}
