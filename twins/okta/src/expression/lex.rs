//! Text to tokens, each with its place.

use std::ops::Range;

use winnow::{
    Parser, Result as Parsed,
    ascii::digit1,
    combinator::{alt, delimited, opt, preceded, repeat},
    token::{any, literal, none_of, one_of, take_while},
};

use crate::lexing::{self, Input};

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, keyword or word of an operator.
    Word(String),
    /// A number as written.
    Number(String),
    /// Quoted text, with escapes resolved.
    Text(String),
    /// Anything else that means something.
    Mark(&'static str),
}

/// A token and its place in the text, in bytes.
pub(super) type Placed = (Token, Range<usize>);

/// The marks; the longer of two that start alike comes first.
const MARKS: [&str; 25] = [
    "&&", "||", "==", "!=", "<=", ">=", "?.", "?:", "(", ")", "{", "}", "[", "]", ",", ".", "?", ":", "!", "<", ">",
    "+", "-", "*", "/",
];

/// All tokens of `text`.
///
/// # Errors
/// The place of the first character that starts no token.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, usize> {
    lexing::tokens(text, token)
}

fn token(input: &mut Input<'_>) -> Parsed<Token> {
    let mark = |input: &mut Input<'_>| {
        let found = MARKS.iter().find(|mark| input.starts_with(**mark)).copied();
        literal(found.unwrap_or("%")).parse_next(input).map(|_| Token::Mark(found.unwrap_or("%")))
    };
    alt((
        mark,
        quoted('"').map(Token::Text),
        quoted('\'').map(Token::Text),
        number.map(Token::Number),
        word.map(Token::Word),
    ))
    .parse_next(input)
}

fn number(input: &mut Input<'_>) -> Parsed<String> {
    (digit1, opt(preceded('.', digit1)))
        .map(|(whole, part): (&str, Option<&str>)| match part {
            Some(part) => format!("{whole}.{part}"),
            None => whole.to_owned(),
        })
        .parse_next(input)
}

fn word(input: &mut Input<'_>) -> Parsed<String> {
    let first = one_of(|c: char| c.is_alphabetic() || c == '_' || c == '$');
    let rest = take_while(0.., |c: char| c.is_alphanumeric() || c == '_' || c == '$');
    (first, rest).map(|(first, rest): (char, &str)| format!("{first}{rest}")).parse_next(input)
}

fn quoted<'a>(quote: char) -> impl Parser<Input<'a>, String, winnow::error::ContextError> {
    let inside = repeat(0.., alt((escaped, none_of([quote, '\\'])))).fold(String::new, |mut text, c| {
        text.push(c);
        text
    });
    delimited(quote, inside, quote)
}

fn escaped(input: &mut Input<'_>) -> Parsed<char> {
    preceded('\\', any)
        .map(|c| match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            other => other,
        })
        .parse_next(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_their_places() {
        let found = tokens(r"a.b >= 'x\'' ?: 1.5").expect("lexes");
        let text = |at: usize| found[at].clone();
        assert_eq!(text(0), (Token::Word("a".into()), 0..1));
        assert_eq!(text(3), (Token::Mark(">="), 4..6));
        assert_eq!(text(4), (Token::Text("x'".into()), 7..12));
        assert_eq!(text(5), (Token::Mark("?:"), 13..15));
        assert_eq!(text(6), (Token::Number("1.5".into()), 16..19));
        assert_eq!(tokens("a = b"), Err(2));
        assert_eq!(tokens("a == \"open"), Err(5));
    }
}
