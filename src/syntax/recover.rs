//! Parses what is left of a file that doesn't parse as a whole.
//!
//! In: the text, or a part of it. Out: the items that parse alone, and for each other one its `SyntaxError`.
//! Invariants: an error costs the smallest item it stands in: of a module, impl, trait or extern block that fails,
//! the members that parse are kept. Items are told apart by their brackets; where these don't balance, a word that
//! begins an item at the margin begins a new one.

use super::items::{Bodies, Lowering, lower_file};
use super::lexer::{Lexer, Token, TokenKind};
use super::source_map::{SourceMap, parse};
use super::{scan, split};
use crate::hir::{Item, ItemKind, ItemTree, SyntaxError, TextRange};
use std::sync::Arc;
use syn::parse::{Parse, ParseStream};

/// How deep modules that fail are taken apart.
const MAX_DEPTH: u32 = 32;
/// After that many errors the file is taken for something else than Rust.
const MAX_ERRORS: usize = 100;

/// What the items around mean for how an item is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Module,
    Impl,
    Trait,
    Extern,
}

/// The items of a file whose skeleton was refused.
pub(super) fn file(text: &str, whole: TextRange) -> ItemTree {
    let range = scan::code(text, whole);
    let map = SourceMap::of_text(text, range);
    let piece = &text[range.lo as usize..range.hi as usize];
    parse(piece, &map, syn::File::parse, |file| lower_file(&file, text, &map)).unwrap_or_else(|_| {
        let mut recovery = Recovery { text, errors: Vec::new(), depth: 0 };
        let mut tree = recovery.content(range, Place::Module);
        tree.errors = recovery.errors;
        tree
    })
}

struct Recovery<'t> {
    text: &'t str,
    errors: Vec<SyntaxError>,
    depth: u32,
}

impl Recovery<'_> {
    /// What stands between a container's braces, or in the file.
    fn content(&mut self, range: TextRange, place: Place) -> ItemTree {
        let mut tree = ItemTree::default();
        for item in split::items(self.text, range) {
            if self.errors.len() >= MAX_ERRORS {
                break;
            }
            match self.parse(item, place) {
                Ok(parsed) => {
                    tree.items.extend(parsed.items);
                    tree.attrs.extend(parsed.attrs);
                }
                Err(error) => tree.items.extend(self.take_apart(item, error)),
            }
        }
        tree
    }

    /// Parses one item, first without its bodies, then as it is.
    fn parse(&self, range: TextRange, place: Place) -> Result<ItemTree, SyntaxError> {
        let map = SourceMap::of_text(self.text, range);
        let piece = &self.text[range.lo as usize..range.hi as usize];
        self.parse_as(&scan::scan(self.text, range).skeleton, &map, place)
            .or_else(|error| self.parse_as(piece, &map, place).map_err(|_| error))
    }

    fn parse_as(&self, piece: &str, map: &SourceMap, place: Place) -> Result<ItemTree, SyntaxError> {
        let lowering = Lowering { map, bodies: Bodies::InFile(self.text) };
        let items = match place {
            Place::Module => {
                return parse(piece, map, syn::File::parse, |file| lower_file(&file, self.text, map));
            }
            Place::Impl => parse(piece, map, all::<syn::ImplItem>, |members| lowering.impl_members(&members)),
            Place::Trait => {
                parse(piece, map, all::<syn::TraitItem>, |members| lowering.trait_members(&members))
            }
            Place::Extern => parse(piece, map, all::<syn::ForeignItem>, |it| lowering.foreign_members(&it)),
        };
        items.map(|items| ItemTree { items, ..ItemTree::default() })
    }

    /// The item around what parses of its members, if it has members and is sound without them; reports what fails.
    fn take_apart(&mut self, range: TextRange, error: SyntaxError) -> Option<Item> {
        let Some((place, content)) = container(self.text, range).filter(|_| self.depth < MAX_DEPTH) else {
            self.errors.push(error);
            return None;
        };
        let mut item = match self.header(range, content) {
            Ok(item) => item?,
            Err(error) => {
                self.errors.push(error);
                return None;
            }
        };
        let before = self.errors.len();
        self.depth += 1;
        let members = self.content(content, place);
        self.depth -= 1;
        if self.errors.len() == before {
            self.errors.push(error);
        }
        item.range.hi = range.hi;
        match &mut item.kind {
            ItemKind::Mod(items) => *items = Some(members.items),
            ItemKind::Impl(block) => Arc::make_mut(block).items = members.items,
            ItemKind::Trait(item) => Arc::make_mut(item).items = members.items,
            ItemKind::ExternBlock { items, .. } => *items = members.items,
            _ => {}
        }
        item.attrs.extend(members.attrs);
        Some(item)
    }

    /// The container without its members.
    fn header(&self, range: TextRange, content: TextRange) -> Result<Option<Item>, SyntaxError> {
        let map = SourceMap::of_text(self.text, range);
        let head = TextRange::new(range.lo, content.lo);
        let empty = format!("{}}}", scan::scan(self.text, head).skeleton);
        self.parse_as(&empty, &map, Place::Module).map(|mut tree| tree.items.pop())
    }
}

fn all<T: Parse>(input: ParseStream) -> syn::Result<Vec<T>> {
    let mut members = Vec::new();
    while !input.is_empty() {
        members.push(input.parse()?);
    }
    Ok(members)
}

/// Of a module, impl, trait or extern block: what its members are, and where they stand.
fn container(text: &str, range: TextRange) -> Option<(Place, TextRange)> {
    let mut keyword: Option<(Place, Token)> = None;
    let mut last = None;
    let mut attribute = 0_u32;
    for token in Lexer::new(text, range.lo as usize, range.hi as usize).filter(|token| !token.is_comment()) {
        last = Some(token);
        match token.kind {
            _ if keyword.is_some_and(|(place, _)| place != Place::Extern) => {}
            TokenKind::Open(b'{') if attribute == 0 && keyword.is_none() => return None,
            TokenKind::Open(_) => attribute += 1,
            TokenKind::Close(_) => attribute = attribute.saturating_sub(1),
            TokenKind::Ident if attribute == 0 => {
                let place = match token.text(text) {
                    "mod" => Place::Module,
                    "impl" => Place::Impl,
                    "trait" => Place::Trait,
                    "extern" => Place::Extern,
                    "pub" | "unsafe" | "default" | "auto" | "const" | "crate" => continue,
                    _ if keyword.is_some() => continue,
                    _ => return None,
                };
                keyword = Some((place, token));
            }
            _ => {}
        }
    }
    let (place, keyword) = keyword?;
    let open = scan::open_brace(text, TextRange::new(keyword.hi as u32, range.hi))?;
    let end = last.filter(|last| last.kind == TokenKind::Close(b'}') && last.lo as u32 >= open.hi);
    Some((place, TextRange::new(open.hi, end.map_or(range.hi, |end| end.lo as u32))))
}
