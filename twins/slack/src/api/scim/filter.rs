//! Filters of lists (RFC 7644, 3.4.2.2): comparisons, `and`, `or`, `not` and parentheses. Operators and attributes go
//! by any case, as identity providers write them.

use smol_str::SmolStr;

use super::refused;
use crate::error::Error;

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare(SmolStr, Operator, SmolStr),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Contains,
    Starts,
    Ends,
    Present,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

const OPERATORS: &[(&str, Operator)] = &[
    ("eq", Operator::Equal),
    ("ne", Operator::NotEqual),
    ("co", Operator::Contains),
    ("sw", Operator::Starts),
    ("ew", Operator::Ends),
    ("pr", Operator::Present),
    ("gt", Operator::Greater),
    ("ge", Operator::GreaterOrEqual),
    ("lt", Operator::Less),
    ("le", Operator::LessOrEqual),
];

/// How deep filters may be nested.
const DEPTH_MAX: usize = 32;

impl Filter {
    /// Reads a filter over attributes that `known` says are there.
    ///
    /// # Errors
    /// What is no filter, or names another attribute.
    pub(super) fn parse(text: &str, known: &[&str]) -> Result<Self, Error> {
        let words = words(text).ok_or_else(bad)?;
        let mut reader = Reader { words: &words, at: 0, known };
        let filter = reader.either(0)?;
        if reader.at == words.len() { Ok(filter) } else { Err(bad()) }
    }

    /// Whether something fits, by the values of its attributes.
    pub(super) fn fits(&self, values: &dyn Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::And(a, b) => a.fits(values) && b.fits(values),
            Self::Or(a, b) => a.fits(values) || b.fits(values),
            Self::Not(a) => !a.fits(values),
            Self::Compare(name, operator, wanted) => compare(&values(name), *operator, wanted),
        }
    }

    /// What one attribute must be, where the filter is that and no more.
    pub(super) fn sole(&self) -> Option<(&str, &str)> {
        match self {
            Self::Compare(name, Operator::Equal, value) => Some((name, value)),
            _ => None,
        }
    }
}

fn compare(values: &[String], operator: Operator, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    let fits = |value: &String| {
        let value = value.to_lowercase();
        match operator {
            Operator::Equal | Operator::NotEqual => value == wanted,
            Operator::Contains => value.contains(&wanted),
            Operator::Starts => value.starts_with(&wanted),
            Operator::Ends => value.ends_with(&wanted),
            Operator::Present => !value.is_empty(),
            Operator::Greater => value > wanted,
            Operator::GreaterOrEqual => value >= wanted,
            Operator::Less => value < wanted,
            Operator::LessOrEqual => value <= wanted,
        }
    };
    let any = values.iter().any(fits);
    if operator == Operator::NotEqual { !any } else { any }
}

fn bad() -> Error {
    refused(400, "invalid_filter")
}

/// A word of a filter.
#[derive(Clone, Debug, PartialEq)]
enum Word {
    Open,
    Close,
    Bare(String),
    Quoted(String),
}

fn words(text: &str) -> Option<Vec<Word>> {
    let (mut words, mut chars) = (Vec::new(), text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            _ if c.is_whitespace() => {}
            '(' => words.push(Word::Open),
            ')' => words.push(Word::Close),
            '"' => {
                let mut value = String::new();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => value.push(chars.next()?),
                        c => value.push(c),
                    }
                }
                words.push(Word::Quoted(value));
            }
            _ => {
                let mut value = String::from(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !"()\"".contains(*c)) {
                    value.push(c);
                }
                words.push(Word::Bare(value));
            }
        }
    }
    Some(words)
}

struct Reader<'a> {
    words: &'a [Word],
    at: usize,
    known: &'a [&'a str],
}

impl Reader<'_> {
    /// Passes over a word, where it is the next one.
    fn takes(&mut self, wanted: &str) -> bool {
        let is = matches!(self.words.get(self.at), Some(Word::Bare(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(is);
        is
    }

    fn next(&mut self) -> Result<&Word, Error> {
        self.at += 1;
        self.words.get(self.at - 1).ok_or_else(bad)
    }

    fn either(&mut self, depth: usize) -> Result<Filter, Error> {
        let mut filter = self.both(depth)?;
        while self.takes("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.both(depth)?));
        }
        Ok(filter)
    }

    fn both(&mut self, depth: usize) -> Result<Filter, Error> {
        let mut filter = self.one(depth)?;
        while self.takes("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one(depth)?));
        }
        Ok(filter)
    }

    fn one(&mut self, depth: usize) -> Result<Filter, Error> {
        if depth > DEPTH_MAX {
            return Err(bad());
        }
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        let name = match self.next()? {
            Word::Open => {
                let filter = self.either(depth + 1)?;
                return if *self.next()? == Word::Close { Ok(filter) } else { Err(bad()) };
            }
            Word::Bare(name) => name.clone(),
            _ => return Err(bad()),
        };
        let name = self.known.iter().find(|known| known.eq_ignore_ascii_case(&name));
        let name = SmolStr::new(name.ok_or_else(|| refused(400, "unsupported_filter_attribute"))?);
        let Word::Bare(operator) = self.next()? else { return Err(bad()) };
        let operator = OPERATORS.iter().find(|(word, _)| word.eq_ignore_ascii_case(operator)).ok_or_else(bad)?.1;
        if operator == Operator::Present {
            return Ok(Filter::Compare(name, operator, SmolStr::default()));
        }
        match self.next()? {
            Word::Bare(value) | Word::Quoted(value) => Ok(Filter::Compare(name, operator, SmolStr::new(value))),
            _ => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["userName", "email", "active"];

    fn check(text: &str, wanted: bool) {
        let filter = Filter::parse(text, KNOWN).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let values = |name: &str| match name {
            "userName" => vec!["Carly".to_owned()],
            "email" => vec!["carly@acme.example".to_owned(), "c@acme.example".to_owned()],
            _ => vec!["true".to_owned()],
        };
        assert_eq!(filter.fits(&values), wanted, "{text}");
    }

    #[test]
    fn filters_are_read_and_followed() {
        check("userName eq \"carly\"", true);
        check("username EQ carly", true);
        check("userName ne \"carly\"", false);
        check("email eq c@acme.example", true);
        check("email co \"acme\" and active eq true", true);
        check("email sw \"x\" or userName ew \"z\"", false);
        check("not (userName eq \"carly\")", false);
        check("active pr", true);
        check("userName gt \"b\" and userName le \"carly\"", true);
        check("(userName eq x or active eq true) and email co c", true);
        check("userName eq \"say \\\"hi\\\"\"", false);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "userName",
            "userName eq",
            "eq \"x\"",
            "userName is x",
            "(userName pr",
            "a eq \"b",
            "x eq y",
            "userName pr )",
        ] {
            assert!(Filter::parse(text, KNOWN).is_err(), "{text}");
        }
        assert!(Filter::parse(&"(".repeat(10_000), KNOWN).is_err());
    }
}
