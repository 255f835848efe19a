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
        self.parse_as(&scan::skeleton(self.text, range), &map, place)
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
        let empty = format!("{}}}", scan::skeleton(self.text, head));
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

#[cfg(test)]
mod tests {
    use crate::hir::{Item, ItemKind};
    use crate::syntax::{ParsedFile, parse_file};

    fn names(items: &[Item], out: &mut Vec<&'static str>) {
        for item in items {
            out.extend(Some(item.name.as_str()).filter(|name| !name.is_empty()));
            match &item.kind {
                ItemKind::Mod(Some(items)) | ItemKind::ExternBlock { items, .. } => names(items, out),
                ItemKind::Impl(block) => names(&block.items, out),
                ItemKind::Trait(item) => names(&item.items, out),
                _ => {}
            }
        }
    }

    /// The names of all items left, and the text at which each error stands.
    fn recover(text: &str) -> (String, Vec<&str>) {
        let ParsedFile { tree, bodies, .. } = parse_file(text);
        let mut left = Vec::new();
        names(&tree.items, &mut left);
        for body in bodies {
            let text = &text[body.range.lo as usize..body.range.hi as usize];
            assert!(text.starts_with('{') && text.ends_with('}'), "{text}");
        }
        let errors = tree.errors.iter().map(|e| &text[e.range.lo as usize..e.range.hi as usize]).collect();
        (left.join(" "), errors)
    }

    #[test]
    fn an_error_costs_its_item_only() {
        let text =
            "#![a]\nuse a::b;\nstruct É { x: }\nfn f(x: u8) { g() }\ntype É = &'é é ü;\nstatic B: u8 = 1;";
        assert_eq!(recover(text), ("f B".to_owned(), vec!["}", "ü"]));
        assert_eq!(parse_file(text).tree.attrs.len(), 1);
    }

    #[test]
    fn an_error_in_a_member_costs_the_member_only() {
        let text = "mod m { fn a() {} impl S { fn b() {} fn c(&self, u8, *) {} fn d() {} }
            trait T { fn e(&self, u8); fn f() {} } extern \"C\" { fn g(); fn h(!); } mod n { fn i() {} } }";
        let (left, errors) = recover(text);
        assert_eq!(left, "m a b d T f g n i");
        assert_eq!(errors.len(), 3);
    }

    #[test]
    fn a_missing_brace_costs_what_it_leaves_open() {
        let text =
            "fn a() {}\nimpl S {\n    fn b() {}\n    fn c() { if x {\n    }\n    fn d() {}\n}\n\nfn e() {}\n";
        let (left, errors) = recover(text);
        assert_eq!(left, "a b d e");
        assert_eq!(errors.len(), 1);
        let (left, errors) = recover("fn a() { } }\nfn b() {}\nfn c() { (]\n}\nfn d() {}");
        assert_eq!(left, "a b c d");
        assert_eq!(errors, ["}"]);
    }

    #[test]
    fn a_container_with_a_broken_head_is_lost() {
        let (left, errors) = recover("impl S for for T { fn a() {} }\nfn b() {}");
        assert_eq!((left.as_str(), errors.len()), ("b", 1));
    }

    #[test]
    fn what_is_no_rust_ends() {
        assert_eq!(parse_file("\"just a string\"").tree.errors.len(), 1);
        assert_eq!(parse_file(&"x; ".repeat(10_000)).tree.errors.len(), super::MAX_ERRORS);
        assert!(parse_file(&"}".repeat(10_000)).tree.errors.len() <= super::MAX_ERRORS);
    }

    #[test]
    fn deep_nesting_costs_the_item() {
        let deep = |open: &str, close: &str| {
            let text = format!("fn a() {{}} {}{} fn b() {{}}", open.repeat(5_000), close.repeat(5_000));
            let parse = move || {
                let tree = parse_file(&text).tree;
                (tree.items.len(), tree.errors.iter().any(|e| e.message == "nested too deeply"))
            };
            std::thread::Builder::new().stack_size(64 << 20).spawn(parse).unwrap().join().unwrap()
        };
        assert_eq!(deep("type A = (", "); "), (2, true));
        assert_eq!(deep("mod m { ", "}"), (3, true));
    }
}
