//! Token trees of macros: proc-macro2's to ours, and ours back to text that can be parsed again.
//!
//! In: a `TokenStream` with the map of the text it came from; or `hir::Tokens`, each with its range. Out: the other of
//! the two, the text with the map that leads back to the tokens' ranges. Invariant: rendering and parsing again gives
//! the same tokens, except that invisible groups become parentheses (or vanish around a single token).

use super::names::intern;
use super::source_map::{Position, SourceMap};
use crate::hir::{Delim, Joint, TextRange, Tokens, Tt};
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The stream's tokens with the ranges `map` gives them.
pub(super) fn from_stream(stream: TokenStream, map: &SourceMap) -> Tokens {
    let mut tokens = Vec::new();
    let mut stream = stream.into_iter();
    while let Some(tree) = stream.next() {
        tokens.push(match tree {
            TokenTree::Group(group) => {
                let inner = from_stream(group.stream(), map);
                Tt::Group(delim(group.delimiter()), inner, map.range(group.span()))
            }
            TokenTree::Ident(ident) => Tt::Ident(intern(&ident), map.range(ident.span())),
            TokenTree::Literal(literal) => Tt::Literal(intern(&literal), map.range(literal.span())),
            TokenTree::Punct(punct) if punct.as_char() == '\'' => match stream.next() {
                Some(TokenTree::Ident(ident)) => {
                    Tt::Lifetime(intern(&format_args!("'{ident}")), map.join(punct.span(), ident.span()))
                }
                _ => continue,
            },
            TokenTree::Punct(punct) => {
                let joint = match punct.spacing() {
                    Spacing::Joint => Joint::Joint,
                    Spacing::Alone => Joint::Alone,
                };
                Tt::Punct(punct.as_char(), joint, map.char_range(punct.span()))
            }
        });
    }
    tokens.into()
}

fn delim(delimiter: Delimiter) -> Delim {
    match delimiter {
        Delimiter::Parenthesis => Delim::Paren,
        Delimiter::Bracket => Delim::Bracket,
        Delimiter::Brace => Delim::Brace,
        Delimiter::None => Delim::None,
    }
}

/// The tokens as text, and where each of them comes from.
pub(super) fn render(tokens: &[Tt]) -> (String, SourceMap) {
    let mut renderer = Renderer { rendered: Rendered::default(), joint: None };
    renderer.all(tokens);
    renderer.rendered.finish()
}

/// Text that tokens are written to.
pub(super) struct Rendered {
    text: String,
    /// The end of `text`.
    position: Position,
    table: Vec<(Position, TextRange)>,
}

impl Default for Rendered {
    fn default() -> Rendered {
        Rendered { text: String::new(), position: (1, 0), table: Vec::new() }
    }
}

impl Rendered {
    /// Adds a token; `touches`: without a blank before it.
    pub(super) fn add(&mut self, text: &str, range: TextRange, touches: bool) {
        if !touches && !self.text.is_empty() {
            self.text.push(' ');
            self.position.1 += 1;
        }
        self.table.push((self.position, range));
        for char in text.chars() {
            self.position = match char {
                '\n' => (self.position.0 + 1, 0),
                _ => (self.position.0, self.position.1 + 1),
            };
        }
        self.text.push_str(text);
    }

    pub(super) fn finish(self) -> (String, SourceMap) {
        (self.text, SourceMap::of_tokens(self.table))
    }
}

struct Renderer {
    rendered: Rendered,
    /// The punctuation character that the text ends with, if it wants to touch the next one.
    joint: Option<char>,
}

impl Renderer {
    fn all(&mut self, tokens: &[Tt]) {
        for token in tokens {
            match token {
                Tt::Ident(name, range) | Tt::Lifetime(name, range) | Tt::Literal(name, range) => {
                    self.token(name.as_str(), *range);
                }
                Tt::Punct(char, joint, range) => self.punct(*char, *joint, *range),
                Tt::Group(delim, inner, range) => self.group(*delim, inner, *range),
            }
        }
    }

    fn token(&mut self, text: &str, range: TextRange) {
        self.rendered.add(text, range, false);
        self.joint = None;
    }

    /// Two puncts touch if the first is joint, unless they would open a comment (`$a /$b` with `*c` for `$b`).
    fn punct(&mut self, char: char, joint: Joint, range: TextRange) {
        let touches = self.joint.is_some_and(|before| before != '/' || !matches!(char, '/' | '*'));
        self.rendered.add(char.encode_utf8(&mut [0; 4]), range, touches);
        self.joint = (joint == Joint::Joint).then_some(char);
    }

    fn group(&mut self, delim: Delim, inner: &[Tt], range: TextRange) {
        let (open, close) = match (delim, inner) {
            (Delim::None, [_]) => return self.all(inner),
            (Delim::Paren | Delim::None, _) => ("(", ")"),
            (Delim::Bracket, _) => ("[", "]"),
            (Delim::Brace, _) => ("{", "}"),
        };
        self.token(open, range);
        self.all(inner);
        self.token(close, range);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::source_map::parse;

    fn tokens_of(text: &str) -> Tokens {
        let map = SourceMap::of_text(text, TextRange::new(0, text.len() as u32));
        let stream = <TokenStream as syn::parse::Parse>::parse;
        parse(text, &map, stream, |stream| from_stream(stream, &map)).unwrap()
    }

    /// The tokens of `text` with the source text of each, groups flattened.
    fn leaves<'t>(tokens: &[Tt], text: &'t str, out: &mut Vec<&'t str>) {
        for token in tokens {
            match token {
                Tt::Group(_, inner, _) => leaves(inner, text, out),
                _ => out.push(&text[token.range().lo as usize..token.range().hi as usize]),
            }
        }
    }

    #[test]
    fn tokens_know_where_they_stand() {
        let text = "é::<'a, r#fn>(\"ü\", &&x) += 1.5e3";
        let mut out = Vec::new();
        leaves(&tokens_of(text), text, &mut out);
        let expected =
            ["é", ":", ":", "<", "'a", ",", "r#fn", ">", "\"ü\"", ",", "&", "&", "x", "+", "=", "1.5e3"];
        assert_eq!(out, expected);
    }

    #[test]
    fn rendered_tokens_parse_to_the_same_tokens_at_the_same_places() {
        let text = "a += { 'é'..=b'x' } && \"two\nlines\".len() as r#type < 'static -> [|x| !x; 1]";
        let tokens = tokens_of(text);
        let (rendered, map) = render(&tokens);
        let again =
            parse(&rendered, &map, <TokenStream as syn::parse::Parse>::parse, |s| from_stream(s, &map));
        assert_eq!(again.unwrap(), tokens, "{rendered}");
    }

    #[test]
    fn invisible_groups_keep_their_operands_together() {
        let text = "a + b";
        let sum = Tt::Group(Delim::None, tokens_of(text), TextRange::new(0, 5));
        let one = Tt::Group(Delim::None, tokens_of("c"), TextRange::new(0, 1));
        let star = Tt::Punct('*', Joint::Joint, TextRange::default());
        assert_eq!(render(&[one, star, sum]).0, "c * ( a + b )");
    }

    #[test]
    fn puncts_that_would_open_a_comment_are_kept_apart() {
        let punct = |char| Tt::Punct(char, Joint::Joint, TextRange::default());
        assert_eq!(render(&[punct('/'), punct('*')]).0, "/ *");
        assert_eq!(render(&[punct('+'), punct('=')]).0, "+=");
    }
}
