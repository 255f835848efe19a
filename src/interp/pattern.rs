//! Patterns: which alternatives of a value match, and what the bindings hold.

use super::access::Door;
use super::memory::{AccessInfo, Lval, project};
use super::places::{Index, Proj, Root};
use super::values::{Const, Deps, Kind, Pointer, Val};
use super::{Cx, Interp, LocalName};
use crate::finding::AccessKind;
use crate::hir::{ExprId, Lit, Name, Pat, Path, TextRange};
use crate::models::Role;
use crate::resolve::{Bound, LocalId, Res, Ty};
use smallvec::SmallVec;
use std::borrow::Cow;

/// Whether a pattern can match and can fail to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fit {
    pub can_match: bool,
    pub can_fail: bool,
}

impl Fit {
    const ALWAYS: Fit = Fit { can_match: true, can_fail: false };
    const NEVER: Fit = Fit { can_match: false, can_fail: true };
    const MAYBE: Fit = Fit { can_match: true, can_fail: true };

    fn and(self, other: Fit) -> Fit {
        Fit { can_match: self.can_match && other.can_match, can_fail: self.can_fail || other.can_fail }
    }
}

/// What a pattern is matched against: a value, and its place where it has one.
#[derive(Clone, Debug)]
pub struct Subject {
    pub value: Val,
    pub place: Option<Lval>,
    /// Matched through a reference: bindings are references.
    pub by_ref: Option<Pointer>,
    pub range: TextRange,
    /// The expression whose value is matched (owns temporaries made here).
    pub expr: ExprId,
}

impl Subject {
    pub fn value(value: Val, expr: ExprId, range: TextRange) -> Subject {
        Subject { value, place: None, by_ref: None, range, expr }
    }
}

impl Interp<'_> {
    /// Whether the pattern fits, without binding anything.
    pub(super) fn fit(&mut self, cx: &Cx, pat: &Pat, subject: &Subject) -> Fit {
        let subject = self.seen_through(cx, pat, subject);
        match pat {
            Pat::Wild | Pat::Rest | Pat::Unknown => Fit::ALWAYS,
            Pat::Bind { binding, sub, .. } => match cx.body.binding(*binding) {
                Bound::Local(_) => sub.as_ref().map_or(Fit::ALWAYS, |sub| self.fit(cx, sub, &subject)),
                Bound::Named(res) => self.fit_named(res, &subject.value),
            },
            Pat::Path(path) => self.fit_named(cx.body.path(path.id), &subject.value),
            Pat::Lit(lit) => fit_lit(lit, &subject.value),
            Pat::Range => Fit::MAYBE,
            Pat::Ref(inner) => {
                let inner_subject = self.behind(cx, &subject);
                self.fit(cx, inner, &inner_subject)
            }
            Pat::Tuple(parts) => self.fit_parts(cx, parts, &subject),
            Pat::Slice(parts) => {
                let rigid = parts.iter().any(|p| !matches!(p, Pat::Rest))
                    && !matches!(subject.value.ty, Ty::Array(_));
                let fit = self.fit_parts(cx, parts, &subject);
                if rigid { fit.and(Fit::MAYBE) } else { fit }
            }
            Pat::TupleStruct(path, parts) => {
                let fit = self.fit_variant(cx, path, &subject.value);
                if !fit.can_match {
                    return fit;
                }
                let narrowed = self.narrowed(cx, path, &subject);
                fit.and(self.fit_parts(cx, parts, &narrowed))
            }
            Pat::Struct { path, fields, .. } => {
                let mut fit = self.fit_variant(cx, path, &subject.value);
                if !fit.can_match {
                    return fit;
                }
                let narrowed = self.narrowed(cx, path, &subject);
                for (name, field) in fields {
                    let part = self.part_of(cx, &narrowed, Proj::Field(*name));
                    fit = fit.and(self.fit(cx, field, &part));
                }
                fit
            }
            Pat::Or(parts) => {
                let fits: Vec<Fit> = parts.iter().map(|p| self.fit(cx, p, &subject)).collect();
                Fit { can_match: fits.iter().any(|f| f.can_match), can_fail: fits.iter().all(|f| f.can_fail) }
            }
        }
    }

    /// The reads that decide whether the pattern fits. `read`: the subject's own place was read already.
    pub(super) fn tested(&mut self, cx: &Cx, pat: &Pat, subject: &Subject, read: bool) -> Deps {
        let direct = subject.by_ref;
        let mut subject = self.seen_through(cx, pat, subject);
        let tests = match pat {
            Pat::Wild | Pat::Rest | Pat::Unknown => false,
            Pat::Bind { binding, sub, .. } => match (cx.body.binding(*binding), sub) {
                (Bound::Local(_), Some(sub)) => return self.tested(cx, sub, &subject, read),
                (Bound::Local(_), None) => false,
                (Bound::Named(_), _) => true,
            },
            Pat::Ref(inner) => {
                let inner_subject = self.behind(cx, &subject);
                return self.tested(cx, inner, &inner_subject, false);
            }
            Pat::Lit(_) | Pat::Range | Pat::Path(_) => true,
            Pat::Tuple(_) => false,
            Pat::Slice(_) => true,
            Pat::TupleStruct(path, _) | Pat::Struct { path, .. } => {
                self.fit_variant(cx, path, &subject.value) != Fit::ALWAYS || subject.value.alts.len() > 1
            }
            Pat::Or(parts) => {
                let parts: Vec<Deps> = parts.iter().map(|p| self.tested(cx, p, &subject, read)).collect();
                return parts.iter().fold(Deps::default(), |deps, part| deps.join(part));
            }
        };
        let mut deps = Deps::default();
        if tests {
            if !read || subject.by_ref != direct {
                self.read_subject(cx, subject.to_mut());
            }
            let plain = matches!(pat, Pat::Lit(_) | Pat::Range | Pat::Slice(_));
            deps = if plain { subject.value.all_deps() } else { subject.value.deps.clone() };
        }
        for (proj, part) in self.tested_parts(pat, &subject) {
            let inner = self.part_of(cx, &subject, proj);
            deps = deps.join(&self.tested(cx, part, &inner, false));
        }
        deps
    }

    /// The parts of a pattern and where they look.
    fn tested_parts<'a>(&self, pat: &'a Pat, subject: &Subject) -> SmallVec<[(Proj, &'a Pat); 4]> {
        match pat {
            Pat::Tuple(parts) | Pat::Slice(parts) | Pat::TupleStruct(_, parts) => {
                numbered(parts, matches!(subject.value.ty, Ty::Array(_) | Ty::Slice(_)))
            }
            Pat::Struct { fields, .. } => {
                fields.iter().map(|(name, field)| (Proj::Field(*name), field)).collect()
            }
            _ => SmallVec::new(),
        }
    }

    /// The parts of what a tuple or variant holds that a pattern tests, each with its pattern.
    pub(super) fn inner_patterns<'p>(
        &mut self,
        cx: &Cx,
        pat: &'p Pat,
        subject: &Subject,
    ) -> Vec<(Subject, &'p Pat)> {
        let mut parts = match pat {
            Pat::TupleStruct(..) | Pat::Tuple(_) => self.tested_parts(pat, subject),
            _ => return Vec::new(),
        };
        parts.retain(|(_, part)| match part {
            Pat::Bind { binding, .. } => matches!(cx.body.binding(*binding), Bound::Named(_)),
            part => matches!(part, Pat::Lit(_) | Pat::Path(_) | Pat::Tuple(_) | Pat::TupleStruct(..)),
        });
        if parts.is_empty() {
            return Vec::new();
        }
        let narrowed = match pat {
            Pat::TupleStruct(path, _) => self.narrowed(cx, path, subject),
            _ => subject.clone(),
        };
        parts.into_iter().map(|(proj, inner)| (self.part_of(cx, &narrowed, proj), inner)).collect()
    }

    /// Binds the pattern's variables, assuming that it matches.
    pub(super) fn bind(&mut self, cx: &Cx, pat: &Pat, subject: &Subject) {
        let subject = self.seen_through(cx, pat, subject);
        match pat {
            Pat::Wild | Pat::Rest | Pat::Unknown | Pat::Lit(_) | Pat::Range => {}
            Pat::Path(path) => {
                let narrowed = self.narrowed(cx, path, &subject);
                self.recall_variant(&narrowed.value);
            }
            Pat::Bind { binding, by_ref, mutable, sub, .. } => {
                match cx.body.binding(*binding) {
                    &Bound::Local(local) => {
                        let how = if *by_ref {
                            Some(if *mutable { Pointer::Exclusive } else { Pointer::Shared })
                        } else {
                            subject.by_ref
                        };
                        self.bind_local(cx, local, &subject, how);
                    }
                    Bound::Named(res) => {
                        let narrowed = self.narrowed_to(res, &subject);
                        self.recall_variant(&narrowed.value);
                    }
                }
                if let Some(sub) = sub {
                    self.bind(cx, sub, &subject);
                }
            }
            Pat::Ref(inner) => {
                let inner_subject = self.behind(cx, &subject);
                self.bind(cx, inner, &inner_subject);
            }
            Pat::Tuple(parts) | Pat::Slice(parts) => self.bind_parts(cx, parts, &subject),
            Pat::TupleStruct(path, parts) => {
                let narrowed = self.narrowed(cx, path, &subject);
                self.recall_variant(&narrowed.value);
                self.bind_parts(cx, parts, &narrowed);
            }
            Pat::Struct { path, fields, .. } => {
                let narrowed = self.narrowed(cx, path, &subject);
                self.recall_variant(&narrowed.value);
                for (name, field) in fields {
                    let part = self.part_of(cx, &narrowed, Proj::Field(*name));
                    self.bind(cx, field, &part);
                }
            }
            Pat::Or(parts) => self.bind_one_of(cx, parts, &subject),
        }
    }

    /// Binds those alternatives that may match: what holds with each of them holds then.
    fn bind_one_of(&mut self, cx: &Cx, parts: &[Pat], subject: &Subject) {
        let before = self.st.clone();
        let mut bound: Option<super::state::State> = None;
        for part in parts {
            if !self.fit(cx, part, subject).can_match {
                continue;
            }
            self.st = before.clone();
            self.bind(cx, part, subject);
            match &mut bound {
                Some(state) => state.join(&self.st),
                None => bound = Some(self.st.clone()),
            }
        }
        self.st = bound.unwrap_or(before);
    }

    fn bind_local(&mut self, cx: &Cx, local: LocalId, subject: &Subject, how: Option<Pointer>) {
        let value = match (how, &subject.place) {
            (Some(how), Some(lval)) => self.pointer_to(lval, how),
            (Some(how), None) => {
                let temp = self.materialize(cx, subject.expr, subject.value.clone());
                self.pointer_to(&temp, how)
            }
            (None, Some(lval)) => {
                let value = self.read(cx, lval, subject.range);
                // The place's part is that of every variant, the subject's of the one that fits.
                let known = !subject.value.open && !subject.value.alts.is_empty();
                let value = if value.is_bottom() || value.open || known {
                    subject.value.clone().with_deps(&value.deps)
                } else {
                    value
                };
                self.move_out(lval, &value);
                value
            }
            (None, None) => subject.value.clone(),
        };
        self.declare(cx, local, value);
    }

    /// A local begins to live with this value.
    pub(super) fn declare(&mut self, cx: &Cx, local: LocalId, mut value: Val) {
        self.name_number(cx, local, &mut value);
        let place = self.places.root(Root::Local(cx.frame, local), &value.ty);
        let info = &cx.body.locals[local.0 as usize];
        let named = LocalName { name: info.name, at: cx.location(info.range), mutable: info.mutable };
        self.local_names.entry((cx.frame, local)).or_insert(named);
        if self.shared_locals.contains(&(cx.frame, local)) {
            self.store_at(place, value.clone(), true);
            if !info.mutable {
                self.starts_as(Root::Local(cx.frame, local), &value);
            }
        }
        self.name_object(&value, info.name);
        self.st.set_local(cx.frame, local, value);
        self.own_local(cx.frame, local);
    }

    /// Objects are called after the first binding that holds them.
    pub(super) fn name_object(&mut self, value: &Val, name: Name) {
        for (place, _) in value.pointers() {
            if let Root::Object(object) = self.places.get(place).root {
                let slot = &mut self.objects.list[object.0 as usize].name;
                slot.get_or_insert(name);
            }
        }
    }

    /// Whether the value points to an object that has no name yet.
    pub(super) fn has_nameless(&self, value: &Val) -> bool {
        value.pointers().any(|(place, _)| match self.places.get(place).root {
            Root::Object(object) => self.objects.list[object.0 as usize].name.is_none(),
            _ => false,
        })
    }

    /// A pointer value to what a place expression denotes.
    pub(super) fn pointer_to(&mut self, lval: &Lval, how: Pointer) -> Val {
        let how = if lval.door == Door::Raw { Pointer::Raw } else { how };
        let ty = match how {
            Pointer::Exclusive => Ty::reference(true, lval.ty.clone()),
            _ => Ty::reference(false, lval.ty.clone()),
        };
        let mut value = Val::unknown(ty);
        value.open = lval.places.is_empty();
        value.alts = match lval.places[..] {
            [place] => SmallVec::from_buf([Kind::Pointer(place, how)]),
            _ => lval.places.iter().map(|p| Kind::Pointer(*p, how)).collect(),
        };
        value.deps = lval.deps.clone();
        value
    }

    /// Default binding modes: a non-reference pattern looks through references.
    fn seen_through<'s>(&mut self, cx: &Cx, pat: &Pat, subject: &'s Subject) -> Cow<'s, Subject> {
        let structural = match pat {
            Pat::Tuple(_)
            | Pat::Slice(_)
            | Pat::TupleStruct(..)
            | Pat::Struct { .. }
            | Pat::Path(_)
            | Pat::Lit(_) => true,
            Pat::Bind { binding, .. } => matches!(cx.body.binding(*binding), Bound::Named(_)),
            _ => false,
        };
        let mut subject = Cow::Borrowed(subject);
        for _ in 0..4 {
            if !structural || !self.is_reference(&subject.value) {
                break;
            }
            let how = subject.value.pointers().next().map_or(Pointer::Shared, |(_, how)| how);
            let by_ref = Some(if how == Pointer::Exclusive { how } else { Pointer::Shared });
            subject = Cow::Owned(Subject { by_ref, ..self.behind(cx, &subject) });
        }
        subject
    }

    fn is_reference(&self, value: &Val) -> bool {
        matches!(value.ty, Ty::Ref { .. })
            || value.alts.iter().any(|k| matches!(k, Kind::Pointer(_, Pointer::Shared | Pointer::Exclusive)))
    }

    /// What a reference points to.
    fn behind(&mut self, cx: &Cx, subject: &Subject) -> Subject {
        let lval = self.deref_value(cx, &subject.value, subject.expr);
        let value = self.peek(&lval).with_deps(&subject.value.deps);
        let value = self.found_behind_lock(&lval.places, value);
        Subject { value, place: Some(lval), by_ref: subject.by_ref, range: subject.range, expr: subject.expr }
    }

    fn fit_named(&mut self, res: &Res, value: &Val) -> Fit {
        match res {
            Res::Variant(adt, variant, _) => {
                let def = &self.program.adts[adt.index()];
                match def.kind {
                    crate::hir::AdtKind::Enum => {
                        fit_variant_name(def.variants[*variant as usize].name, value)
                    }
                    _ => Fit::ALWAYS,
                }
            }
            Res::Ext(path, _) => fit_variant_name(path.last_segment(), value),
            _ => Fit::MAYBE,
        }
    }

    fn fit_variant(&mut self, cx: &Cx, path: &Path, value: &Val) -> Fit {
        match cx.body.path(path.id) {
            Res::Type(_) => Fit::ALWAYS,
            Res::Unresolved => match path.segments.last() {
                Some(segment) if path.segments.len() > 1 => fit_variant_name(segment.name, value),
                _ => Fit::MAYBE,
            },
            // `Self::Variant` and variants through an alias.
            Res::Assoc { name, .. } => fit_variant_name(*name, value),
            other => self.fit_named(other, value),
        }
    }

    /// The subject with only the alternatives of the path's variant.
    fn narrowed(&mut self, cx: &Cx, path: &Path, subject: &Subject) -> Subject {
        self.narrowed_to(cx.body.path(path.id), subject)
    }

    fn narrowed_to(&mut self, res: &Res, subject: &Subject) -> Subject {
        let name = match res {
            Res::Variant(adt, variant, _) => {
                let def = &self.program.adts[adt.index()];
                (def.kind == crate::hir::AdtKind::Enum).then(|| def.variants[*variant as usize].name)
            }
            Res::Ext(path, _) => Some(path.last_segment()),
            Res::Assoc { name, .. } => Some(*name),
            _ => None,
        };
        let mut narrowed = subject.clone();
        if let Some(name) = name {
            narrowed.value.alts.retain(|kind| match kind {
                Kind::Aggregate(aggregate) => aggregate.variant.is_none_or(|v| v == name),
                Kind::Moved => false,
                _ => true,
            });
            if name == self.names.ok || name == self.names.some {
                narrowed.value = self.activated(narrowed.value);
            }
        }
        narrowed
    }

    fn fit_parts(&mut self, cx: &Cx, parts: &[Pat], subject: &Subject) -> Fit {
        let mut fit = Fit::ALWAYS;
        for (proj, pat) in numbered(parts, matches!(subject.value.ty, Ty::Array(_) | Ty::Slice(_))) {
            let part = self.part_of(cx, subject, proj);
            fit = fit.and(self.fit(cx, pat, &part));
        }
        fit
    }

    fn bind_parts(&mut self, cx: &Cx, parts: &[Pat], subject: &Subject) {
        let indexed = matches!(subject.value.ty, Ty::Array(_) | Ty::Slice(_))
            || subject.value.alts.iter().any(|k| matches!(k, Kind::Aggregate(a) if a.fields.iter().any(|(p, _)| matches!(p, Proj::Index(_)))));
        let whole = indexed && !parts.iter().any(|p| matches!(p, Pat::Rest));
        for (n, (proj, pat)) in numbered(parts, indexed).into_iter().enumerate() {
            let mut part = self.part_of(cx, subject, proj);
            for kind in &mut part.value.alts {
                if let (true, Kind::Handle(handle)) = (whole, kind) {
                    handle.part = Some((n as u32, parts.len() as u32));
                }
            }
            self.bind(cx, pat, &part);
        }
    }

    fn part_of(&mut self, _cx: &Cx, subject: &Subject, proj: Proj) -> Subject {
        let mut value = project(&subject.value, proj);
        let ty = self.part_ty(&subject.value.ty, proj);
        if value.ty.is_unknown() {
            value.ty = ty.clone();
        }
        let place = subject.place.as_ref().map(|lval| {
            let mut part = lval.part(&mut self.places, proj, ty);
            part.ty = value.ty.clone();
            part
        });
        Subject { value, place, by_ref: subject.by_ref, range: subject.range, expr: subject.expr }
    }

    /// Type of a part, as far as the whole's type tells.
    pub(super) fn part_ty(&self, ty: &Ty, proj: Proj) -> Ty {
        match (ty, proj) {
            (Ty::Tuple(parts), Proj::Field(name)) => {
                name.as_str().parse::<usize>().ok().and_then(|n| parts.get(n)).cloned().unwrap_or(Ty::Unknown)
            }
            (Ty::Adt(adt, args), Proj::Field(name)) => {
                let count = self.program.adts[adt.index()].variants.len() as u32;
                (0..count).find_map(|v| self.program.field_ty(*adt, args, v, name)).unwrap_or(Ty::Unknown)
            }
            (Ty::Ext(_, args), Proj::Field(_)) => args.first().cloned().unwrap_or(Ty::Unknown),
            (Ty::Array(inner) | Ty::Slice(inner), Proj::Index(_)) => (**inner).clone(),
            (Ty::Ext(..), Proj::Index(_)) if matches!(self.models.role(ty), Role::Owner | Role::Counted) => {
                self.element_ty(ty)
            }
            (Ty::Ext(_, args), Proj::Index(_)) => args.last().cloned().unwrap_or(Ty::Unknown),
            (Ty::Ext(_, args), Proj::Cell | Proj::Guarded | Proj::Once) => {
                args.first().cloned().unwrap_or(Ty::Unknown)
            }
            _ => Ty::Unknown,
        }
    }

    /// Payload of a try that succeeded: the lock is held from here on.
    pub(super) fn activated(&mut self, value: Val) -> Val {
        let mut value = value;
        for kind in &mut value.alts {
            match kind {
                Kind::Guard(guard) if guard.pending => {
                    let mut held = (**guard).clone();
                    held.pending = false;
                    self.hold(held.lock, held.mode, held.hold);
                    *kind = Kind::Guard(held.into());
                }
                Kind::Aggregate(aggregate)
                    if aggregate.variant.is_none_or(|v| v == self.names.ok || v == self.names.some) =>
                {
                    let mut opened = (**aggregate).clone();
                    for (_, field) in &mut opened.fields {
                        *field = self.activated(field.clone());
                    }
                    *kind = Kind::Aggregate(opened.into());
                }
                _ => {}
            }
        }
        value
    }

    /// Reads the place a pattern decides on, once a scrutinee is tested.
    pub(super) fn read_subject(&mut self, cx: &Cx, subject: &mut Subject) {
        if let Some(lval) = subject.place.clone() {
            let deps = self.log_lval(cx, &lval, &AccessInfo::plain(AccessKind::Read, subject.range));
            let value = subject.value.clone().with_deps(&deps);
            subject.value = self.found_behind_lock(&lval.places, value);
        }
    }
}

/// Where a pattern binds its first name.
pub(super) fn bound_at(cx: &Cx, pat: &Pat) -> Option<TextRange> {
    match pat {
        Pat::Bind { binding, .. } => match cx.body.binding(*binding) {
            Bound::Local(local) => cx.body.locals.get(local.0 as usize).map(|info| info.range),
            Bound::Named(_) => None,
        },
        Pat::Ref(inner) => bound_at(cx, inner),
        Pat::Tuple(parts) | Pat::Slice(parts) | Pat::TupleStruct(_, parts) | Pat::Or(parts) => {
            parts.iter().find_map(|part| bound_at(cx, part))
        }
        Pat::Struct { fields, .. } => fields.iter().find_map(|(_, field)| bound_at(cx, field)),
        Pat::Wild | Pat::Rest | Pat::Unknown | Pat::Path(_) | Pat::Lit(_) | Pat::Range => None,
    }
}

/// Positions of tuple or slice sub-patterns; after `..` in a slice positions count from the end and are unknown.
fn numbered(parts: &[Pat], indexed: bool) -> SmallVec<[(Proj, &Pat); 4]> {
    let mut result = SmallVec::new();
    let mut after_rest = false;
    for (n, pat) in parts.iter().enumerate() {
        if matches!(pat, Pat::Rest) {
            after_rest = true;
            continue;
        }
        let proj = match (indexed, after_rest) {
            (true, false) => Proj::Index(Index::Const(n as i128)),
            (true, true) => Proj::Index(Index::Any),
            (false, _) => super::expr::field(n),
        };
        result.push((proj, pat));
    }
    result
}

fn fit_variant_name(name: Name, value: &Val) -> Fit {
    if value.alts.is_empty() {
        return Fit::MAYBE;
    }
    let mut fit = Fit { can_match: value.open, can_fail: value.open };
    for kind in &value.alts {
        match kind {
            Kind::Aggregate(aggregate) => match aggregate.variant {
                Some(variant) if variant == name => fit.can_match = true,
                Some(_) => fit.can_fail = true,
                None => fit = Fit::MAYBE,
            },
            Kind::Moved => fit.can_fail = true,
            _ => fit = Fit::MAYBE,
        }
    }
    if fit.can_match && !fit.can_fail {
        return Fit::ALWAYS;
    }
    if !fit.can_match { Fit::NEVER } else { fit }
}

fn fit_lit(lit: &Lit, value: &Val) -> Fit {
    let same = match (lit, value.constant()) {
        (Lit::Int(Some(a), _), Some(Const::Int(b))) => a == b,
        (Lit::Bool(a), Some(Const::Bool(b))) => a == b,
        (Lit::Char(a), Some(Const::Char(b))) => a == b,
        (Lit::Str(a), Some(Const::Str(b))) => a == b,
        _ => return Fit::MAYBE,
    };
    if same { Fit::ALWAYS } else { Fit::NEVER }
}
