//! What the languages of searches and of expressions share: a text cut into tokens, each with its place.

use std::ops::Range;

use winnow::{
    LocatingSlice, Parser, Result as Parsed,
    ascii::multispace0,
    stream::{Location, Stream},
};

/// The rest of a text that is being cut.
pub(crate) type Input<'a> = LocatingSlice<&'a str>;

/// All tokens of `text`, as `token` reads one, with their places in bytes.
///
/// # Errors
/// The place of the first character that starts no token.
pub(crate) fn tokens<T>(text: &str, token: fn(&mut Input<'_>) -> Parsed<T>) -> Result<Vec<(T, Range<usize>)>, usize> {
    let mut input = LocatingSlice::new(text);
    let mut all = Vec::new();
    loop {
        let _: Parsed<&str> = multispace0.parse_next(&mut input);
        if input.eof_offset() == 0 {
            return Ok(all);
        }
        let at = input.current_token_start();
        match token.with_span().parse_next(&mut input) {
            Ok(placed) => all.push(placed),
            Err(_) => return Err(at),
        }
    }
}
