//! The tokens of an expression, each with its place in the text.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name.
    Name,
    /// A whole number.
    Int,
    /// Another number.
    Number,
    /// A text in quotes.
    Text,
    /// `(`, `[`, `{`
    Open,
    /// `)`, `]`, `}`
    Close,
    /// Any other sign.
    Sign,
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

impl Token {
    pub(super) fn of<'a>(&self, source: &'a str) -> &'a str {
        &source[self.at.clone()]
    }
}

/// Signs of several characters, the longest first.
const SIGNS: [&str; 8] = ["&&", "||", "==", "!=", "<=", ">=", ".?", "[?"];

/// The tokens of an expression that is known to be one.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(first) = source[from..].chars().next() {
        let rest = &source[from..];
        let (kind, length) = match first {
            _ if first.is_whitespace() => {
                from += first.len_utf8();
                continue;
            }
            '\'' | '"' => (Kind::Text, text_len(rest, 0)),
            'r' | 'b' if rest[1..].starts_with(['\'', '"']) => (Kind::Text, text_len(rest, 1)),
            _ if first.is_ascii_digit() => number(rest),
            _ if first.is_alphabetic() || first == '_' => {
                (Kind::Name, rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()))
            }
            _ => sign(rest, first),
        };
        out.push(Token { kind, at: from..from + length });
        from += length;
    }
    out
}

fn sign(rest: &str, first: char) -> (Kind, usize) {
    let length = SIGNS.iter().find(|sign| rest.starts_with(**sign)).map_or(first.len_utf8(), |sign| sign.len());
    match first {
        '(' | '[' | '{' => (Kind::Open, length),
        ')' | ']' | '}' => (Kind::Close, length),
        _ => (Kind::Sign, length),
    }
}

fn number(rest: &str) -> (Kind, usize) {
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
    let is_int = rest[..length].bytes().all(|byte| byte.is_ascii_digit());
    (if is_int { Kind::Int } else { Kind::Number }, length)
}

/// The length of a text in quotes that begins after so many characters.
fn text_len(rest: &str, prefix: usize) -> usize {
    let body = &rest[prefix..];
    let one = &body[..1];
    let triple = one.repeat(3);
    let quote = if body.starts_with(&triple) { triple.as_str() } else { one };
    let is_raw = rest.starts_with('r');
    let mut at = prefix + quote.len();
    while at < rest.len() {
        if rest[at..].starts_with(quote) {
            return at + quote.len();
        }
        let escaped = !is_raw && rest[at..].starts_with('\\');
        let skip = if escaped { 2 } else { 1 };
        at += rest[at..].chars().take(skip).map(char::len_utf8).sum::<usize>();
    }
    rest.len()
}
