//! Text to tokens, each with its place.

use std::ops::Range;

use winnow::{
    Parser, Result as Parsed,
    combinator::{alt, delimited, preceded, repeat},
    token::{any, none_of, take_while},
};

use crate::lexing::{self, Input};

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An attribute path, operator, keyword or bare value.
    Word(String),
    /// Quoted text, with escapes resolved.
    Text(String),
    Open,
    Close,
}

/// A token and its place in the text, in characters' bytes.
pub(super) type Placed = (Token, Range<usize>);

/// All tokens of `text`.
///
/// # Errors
/// The place of the first character that starts no token.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, usize> {
    lexing::tokens(text, token)
}

fn token(input: &mut Input<'_>) -> Parsed<Token> {
    alt(('('.value(Token::Open), ')'.value(Token::Close), quoted.map(Token::Text), word.map(Token::Word)))
        .parse_next(input)
}

/// A run of what is neither space, quote nor bracket. A quote right behind a word would be a slip.
fn word(input: &mut Input<'_>) -> Parsed<String> {
    take_while(1.., |c: char| !c.is_whitespace() && !"()\"".contains(c)).map(str::to_owned).parse_next(input)
}

fn quoted(input: &mut Input<'_>) -> Parsed<String> {
    let inside = repeat(0.., alt((escaped, none_of(['"', '\\'])))).fold(String::new, |mut text, c| {
        text.push(c);
        text
    });
    delimited('"', inside, '"').parse_next(input)
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
        let found = tokens(r#"a.b eq "x \"y\"" )"#).expect("lexes");
        assert_eq!(found.len(), 4);
        assert_eq!(found[2], (Token::Text("x \"y\"".to_owned()), 7..16));
        assert_eq!(found[3], (Token::Close, 17..18));
        assert_eq!(tokens(r#"a eq "open"#), Err(5));
    }
}
