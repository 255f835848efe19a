//! Finds the end of an expression, a type or a path in a token slice.
//!
//! In: tokens. Out: number of tokens taken from the front. Linear: each token is looked at once; operators chain in a
//! loop, only conditions of `if`, `match`, … nest, and those are bounded.

use super::fragment::pattern;
use super::glue::{Op, op1, op2, operator};
use crate::hir::{Delim, Tt};

/// Conditions in conditions, types in types: deeper ones are no match.
const MAX_DEPTH: u32 = 100;

const BINARY: [&[u8]; 31] = [
    b"+", b"-", b"*", b"/", b"%", b"^", b"&", b"|", b"&&", b"||", b"==", b"!=", b"<", b">", b"<=", b">=",
    b"<<", b">>", b"=", b"+=", b"-=", b"*=", b"/=", b"%=", b"^=", b"&=", b"|=", b"<<=", b">>=", b"..",
    b"..=",
];

/// Reserved words with which no expression begins.
const NO_OPERAND: [&str; 20] = [
    "_", "as", "else", "enum", "extern", "fn", "impl", "in", "mod", "mut", "pub", "ref", "struct", "trait",
    "type", "use", "where", "dyn", "let", "static",
];

pub(super) struct Scan<'a> {
    tokens: &'a [Tt],
    at: usize,
    depth: u32,
}

impl<'a> Scan<'a> {
    pub(super) fn new(tokens: &'a [Tt]) -> Scan<'a> {
        Scan { tokens, at: 0, depth: 0 }
    }

    /// Length of the expression in front.
    pub(super) fn expression(mut self) -> Option<usize> {
        self.expr(true)?;
        (self.at > 0).then_some(self.at)
    }

    /// Length of the type in front.
    pub(super) fn whole_type(mut self) -> Option<usize> {
        self.ty()?;
        Some(self.at)
    }

    /// Length of the path in front, with generic arguments as in types.
    pub(super) fn type_path(mut self) -> Option<usize> {
        self.path(false)?;
        Some(self.at)
    }

    /// Length of `a::b::c` in front.
    pub(super) fn mod_path(&mut self) -> Option<usize> {
        self.eat(op2(b"::"));
        self.ident()?;
        while self.eat(op2(b"::")) {
            self.ident()?;
        }
        Some(self.at)
    }

    /// Length of the `<…>` in front.
    pub(super) fn angles(mut self) -> Option<usize> {
        self.angle_group()?;
        Some(self.at)
    }

    fn rest(&self) -> &'a [Tt] {
        &self.tokens[self.at..]
    }

    fn op(&self) -> Option<(Op, usize)> {
        operator(self.rest())
    }

    fn eat(&mut self, wanted: Op) -> bool {
        match self.op() {
            Some((op, len)) if op == wanted => {
                self.at += len;
                true
            }
            _ => false,
        }
    }

    /// A single character, also as the beginning of a longer operator.
    fn eat_char(&mut self, wanted: char) -> bool {
        let found = matches!(self.rest().first(), Some(Tt::Punct(c, ..)) if *c == wanted);
        self.at += usize::from(found);
        found
    }

    fn word(&self) -> Option<&'static str> {
        match self.rest().first() {
            Some(Tt::Ident(name, _)) => Some(name.as_str()),
            _ => None,
        }
    }

    fn eat_word(&mut self, wanted: &str) -> bool {
        let found = self.word() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn ident(&mut self) -> Option<()> {
        self.word()?;
        self.at += 1;
        Some(())
    }

    fn group(&mut self, delim: Delim) -> bool {
        let found = matches!(self.rest().first(), Some(Tt::Group(d, ..)) if *d == delim);
        self.at += usize::from(found);
        found
    }

    fn lifetime(&mut self) -> bool {
        let found = matches!(self.rest().first(), Some(Tt::Lifetime(..)));
        self.at += usize::from(found);
        found
    }

    /// Operands joined by operators. `structs`: a path may be followed by a struct literal's braces.
    fn expr(&mut self, structs: bool) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        loop {
            let optional = self.prefixes()?;
            if self.operand(structs).is_none() {
                return if optional { self.leave() } else { None };
            }
            self.postfixes()?;
            match self.op() {
                Some((op, len)) if is_binary(op) => {
                    self.at += len;
                    if (op == op2(b"..")) && !self.operand_ahead(structs) {
                        return self.leave();
                    }
                }
                _ => return self.leave(),
            }
        }
    }

    fn leave(&mut self) -> Option<()> {
        self.depth -= 1;
        Some(())
    }

    /// Whether an operand could begin here, after `..`.
    fn operand_ahead(&self, structs: bool) -> bool {
        match self.rest().first() {
            None => false,
            Some(Tt::Ident(name, _)) => !NO_OPERAND.contains(&name.as_str()),
            Some(Tt::Group(Delim::Brace, ..)) => structs,
            Some(Tt::Punct(c, ..)) => "-!*&|<:".contains(*c),
            Some(Tt::Literal(..) | Tt::Lifetime(..) | Tt::Group(..)) => true,
        }
    }

    /// Prefix operators, closure heads, attributes, labels. Yields whether the operand may be missing now.
    fn prefixes(&mut self) -> Option<bool> {
        let mut optional = false;
        loop {
            let before = self.at;
            match self.rest() {
                [Tt::Punct('#', ..), Tt::Group(Delim::Bracket, ..), ..] => self.at += 2,
                [Tt::Lifetime(..), Tt::Punct(':', ..), ..] => self.at += 2,
                [Tt::Punct(c, ..), ..] => match c {
                    '-' | '!' | '*' => self.at += 1,
                    '&' => self.borrow(),
                    '|' => self.closure_head()?,
                    '.' if matches!(self.op(), Some((op, _)) if op == op2(b"..") || op == *b"..=") => {
                        self.at += self.op()?.1;
                        optional = true;
                        continue;
                    }
                    _ => {}
                },
                [Tt::Ident(name, _), ..] => match name.as_str() {
                    "return" | "break" | "yield" | "become" => {
                        self.at += 1;
                        self.lifetime();
                        optional = true;
                        continue;
                    }
                    "move" | "static" => self.at += 1,
                    "async" if self.async_closure() => self.at += 1,
                    "for" if matches!(self.rest().get(1), Some(Tt::Punct('<', ..))) => {
                        self.at += 1;
                        self.angle_group()?;
                    }
                    "let" => {
                        self.at += 1;
                        self.at += pattern(self.rest(), true);
                        if !self.eat(op1(b'=')) {
                            return None;
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
            if self.at == before {
                return Some(optional);
            }
            optional = false;
        }
    }

    fn async_closure(&self) -> bool {
        match self.rest() {
            [_, Tt::Punct('|', ..), ..] => true,
            [_, Tt::Ident(word, _), Tt::Punct('|', ..), ..] => *word == "move",
            _ => false,
        }
    }

    /// `&`, `&mut`, `&raw const`, `&raw mut`
    fn borrow(&mut self) {
        self.at += 1;
        if let [Tt::Ident(raw, _), Tt::Ident(kind, _), ..] = self.rest()
            && *raw == "raw"
            && (*kind == "const" || *kind == "mut")
        {
            self.at += 2;
        } else {
            self.eat_word("mut");
        }
    }

    /// `|params|`, `||`, with `-> T` if there is one; the block after it is the operand.
    fn closure_head(&mut self) -> Option<()> {
        if !self.eat(op2(b"||")) {
            self.at += 1;
            let close = self.rest().iter().position(|tt| matches!(tt, Tt::Punct('|', ..)))?;
            self.at += close + 1;
        }
        if self.eat(op2(b"->")) {
            self.ty()?;
        }
        Some(())
    }

    fn operand(&mut self, structs: bool) -> Option<()> {
        match self.rest().first()? {
            Tt::Literal(..) => self.at += 1,
            Tt::Group(..) => self.at += 1,
            Tt::Lifetime(..) => return None,
            Tt::Punct('<', ..) => self.path_operand(structs)?,
            Tt::Punct(':', ..) if self.op()?.0 == op2(b"::") => self.path_operand(structs)?,
            Tt::Punct(..) => return None,
            Tt::Ident(name, _) => match name.as_str() {
                "if" => self.if_chain()?,
                "match" | "while" => {
                    self.at += 1;
                    self.condition_and_block()?;
                }
                "for" => {
                    self.at += 1;
                    self.at += pattern(self.rest(), true);
                    if !self.eat_word("in") {
                        return None;
                    }
                    self.condition_and_block()?;
                }
                "loop" | "unsafe" | "const" | "try" | "async" => {
                    self.at += 1;
                    self.eat_word("move");
                    if !self.group(Delim::Brace) {
                        return None;
                    }
                }
                "continue" => {
                    self.at += 1;
                    self.lifetime();
                }
                word if NO_OPERAND.contains(&word) => return None,
                _ => self.path_operand(structs)?,
            },
        }
        Some(())
    }

    fn condition_and_block(&mut self) -> Option<()> {
        self.expr(false)?;
        self.group(Delim::Brace).then_some(())
    }

    fn if_chain(&mut self) -> Option<()> {
        while self.eat_word("if") {
            self.condition_and_block()?;
            if !self.eat_word("else") {
                return Some(());
            }
        }
        self.group(Delim::Brace).then_some(())
    }

    /// A path, a macro call or a struct literal.
    fn path_operand(&mut self, structs: bool) -> Option<()> {
        self.path(true)?;
        if let [Tt::Punct('!', ..), Tt::Group(..), ..] = self.rest() {
            self.at += 2;
        } else if structs {
            self.group(Delim::Brace);
        }
        Some(())
    }

    fn postfixes(&mut self) -> Option<()> {
        loop {
            match self.rest() {
                [Tt::Group(Delim::Paren | Delim::Bracket, ..), ..] => self.at += 1,
                [Tt::Punct('?', ..), ..] => self.at += 1,
                [Tt::Punct('.', ..), Tt::Ident(..) | Tt::Literal(..), ..] if self.op()?.1 == 1 => {
                    self.at += 2;
                    if matches!(self.op(), Some((op, _)) if op == op2(b"::")) {
                        self.at += 2;
                        self.angle_group()?;
                    }
                }
                [Tt::Ident(name, _), ..] if *name == "as" => {
                    self.at += 1;
                    self.ty()?;
                }
                _ => return Some(()),
            }
        }
    }

    /// A path. `value`: generic arguments need `::` before `<`.
    fn path(&mut self, value: bool) -> Option<()> {
        if matches!(self.rest().first(), Some(Tt::Group(Delim::None, ..))) {
            self.at += 1;
        } else if matches!(self.rest().first(), Some(Tt::Punct('<', ..))) {
            self.angle_group()?;
        } else {
            self.eat(op2(b"::"));
            self.ident()?;
            self.segment_args(value)?;
        }
        while let Some((op, 2)) = self.op()
            && op == op2(b"::")
        {
            self.at += 2;
            if matches!(self.rest().first(), Some(Tt::Punct('<', ..))) {
                self.angle_group()?;
            } else {
                self.ident()?;
                self.segment_args(value)?;
            }
        }
        Some(())
    }

    fn segment_args(&mut self, value: bool) -> Option<()> {
        if value {
            return Some(());
        }
        if matches!(self.rest().first(), Some(Tt::Punct('<', ..))) {
            self.angle_group()?;
        } else if self.group(Delim::Paren) && self.eat(op2(b"->")) {
            self.ty()?;
        }
        Some(())
    }

    /// `<…>`, by counting; `->` and `=>` don't count.
    fn angle_group(&mut self) -> Option<()> {
        let mut open = 0u32;
        loop {
            let (c, len) = match self.rest() {
                [Tt::Punct('-' | '=', ..), Tt::Punct('>', ..), ..] if self.op()?.1 == 2 => (' ', 2),
                [Tt::Punct(c, ..), ..] => (*c, 1),
                [_, ..] => (' ', 1),
                [] => return None,
            };
            self.at += len;
            match c {
                '<' => open += 1,
                '>' => open = open.checked_sub(1)?,
                ';' => return None,
                _ => {}
            }
            if open == 0 {
                return Some(());
            }
        }
    }

    fn ty(&mut self) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.type_prefixes();
        match self.rest().first()? {
            Tt::Group(Delim::None | Delim::Paren | Delim::Bracket, ..) => self.at += 1,
            Tt::Punct('!', ..) => self.at += 1,
            Tt::Punct('<' | ':', ..) => self.path(false)?,
            Tt::Ident(name, _) => match name.as_str() {
                "_" => self.at += 1,
                "dyn" | "impl" => {
                    self.at += 1;
                    self.bounds()?;
                }
                "fn" | "unsafe" | "extern" => self.fn_pointer()?,
                "for" => {
                    self.at += 1;
                    self.angle_group()?;
                    if matches!(self.word(), Some("fn" | "unsafe" | "extern")) {
                        self.fn_pointer()?;
                    } else {
                        self.path(false)?;
                    }
                }
                word if word != "crate" && word != "self" && NO_OPERAND.contains(&word) => return None,
                _ => {
                    self.path(false)?;
                    if let [Tt::Punct('!', ..), Tt::Group(..), ..] = self.rest() {
                        self.at += 2;
                    }
                }
            },
            Tt::Group(Delim::Brace, ..) | Tt::Punct(..) | Tt::Lifetime(..) | Tt::Literal(..) => return None,
        }
        self.leave()
    }

    fn type_prefixes(&mut self) {
        loop {
            if self.eat_char('&') {
                self.lifetime();
                self.eat_word("mut");
            } else if let [Tt::Punct('*', ..), Tt::Ident(word, _), ..] = self.rest()
                && (*word == "const" || *word == "mut")
            {
                self.at += 2;
            } else {
                return;
            }
        }
    }

    fn fn_pointer(&mut self) -> Option<()> {
        while !self.eat_word("fn") {
            match self.rest().first()? {
                Tt::Ident(..) | Tt::Literal(..) => self.at += 1,
                _ => return None,
            }
        }
        if !self.group(Delim::Paren) {
            return None;
        }
        if self.eat(op2(b"->")) { self.ty() } else { Some(()) }
    }

    /// `A + ?B + 'a + for<'b> C<'b>`
    fn bounds(&mut self) -> Option<()> {
        loop {
            self.eat_char('?');
            if self.eat_word("for") {
                self.angle_group()?;
            }
            if !self.lifetime() && !self.group(Delim::Paren) {
                self.path(false)?;
            }
            if !self.eat(op1(b'+')) {
                return Some(());
            }
        }
    }
}

fn is_binary(op: Op) -> bool {
    let len = op.iter().position(|c| *c == 0).unwrap_or(3);
    BINARY.contains(&&op[..len])
}
