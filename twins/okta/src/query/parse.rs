//! Tokens to tree.

use std::{fmt, ops::Range};

use super::lex::{Placed, Token, tokens};

/// What a comparison does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Contains.
    Co,
    /// Has a value.
    Pr,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

impl Operator {
    /// All, as Okta lists them in its errors.
    pub const ALL: [Self; 10] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Pr, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// As written.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Co => "co",
            Self::Pr => "pr",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.text().eq_ignore_ascii_case(text))
    }
}

/// The right-hand side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Quoted text.
    Text(String),
    /// A bare number, `true` or `false`, as written.
    Bare(String),
}

impl Literal {
    /// The value as text.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Bare(text) => text,
        }
    }
}

/// The tree. Places do not count when trees are compared.
#[derive(Clone, Debug)]
pub enum Expr {
    /// All hold; at least two.
    And(Vec<Self>),
    /// One holds; at least two.
    Or(Vec<Self>),
    /// It does not hold; with the place of the word.
    Not(Box<Self>, Range<usize>),
    /// A comparison, with the places of its path and operator.
    Test {
        /// The attribute path.
        path: String,
        /// Where the path stands.
        path_at: Range<usize>,
        /// The operator.
        operator: Operator,
        /// Where the operator stands.
        operator_at: Range<usize>,
        /// The value; none for `pr`.
        value: Option<Literal>,
    },
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::And(a), Self::And(b)) | (Self::Or(a), Self::Or(b)) => a == b,
            (Self::Not(a, _), Self::Not(b, _)) => a == b,
            _ => self.as_test().is_some_and(|own| other.as_test() == Some(own)),
        }
    }
}

impl Expr {
    fn as_test(&self) -> Option<(&str, Operator, Option<&Literal>)> {
        match self {
            Self::Test { path, operator, value, .. } => Some((path, *operator, value.as_ref())),
            _ => None,
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Bare(text) => return f.write_str(text),
            Self::Text(text) => text,
        };
        f.write_str("\"")?;
        for c in text.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                _ => write!(f, "{c}")?,
            }
        }
        f.write_str("\"")
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::Test { path, operator, value: None, .. } => return write!(f, "{path} {}", operator.text()),
            Self::Test { path, operator, value: Some(value), .. } => {
                return write!(f, "{path} {} {value}", operator.text());
            }
            Self::Not(inner, _) => return write!(f, "not ({inner})"),
            Self::And(parts) => (parts, "and"),
            Self::Or(parts) => (parts, "or"),
        };
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                write!(f, " {word} ")?;
            }
            match part {
                Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                _ => write!(f, "{part}")?,
            }
        }
        Ok(())
    }
}

/// What is wrong with an expression's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyntaxError {
    /// A word stands where an operator should.
    Operator {
        /// The word.
        found: String,
        /// Its place.
        at: usize,
    },
    /// Anything else.
    Unexpected {
        /// The place; the text's length where it ends too early.
        at: usize,
    },
}

/// The deepest nesting that is read: a bound on the parser's recursion.
const DEPTH_MAX: usize = 32;

/// Reads an expression.
///
/// # Errors
/// [`SyntaxError`].
pub fn parse(text: &str) -> Result<Expr, SyntaxError> {
    let tokens = tokens(text).map_err(|at| SyntaxError::Unexpected { at })?;
    let mut parser = Parser { rest: &tokens, end: text.len(), depth: 0 };
    let expr = parser.or()?;
    match parser.rest.first() {
        None => Ok(expr),
        Some((_, at)) => Err(SyntaxError::Unexpected { at: at.start }),
    }
}

struct Parser<'a> {
    rest: &'a [Placed],
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Expr, SyntaxError> {
        let first = self.and()?;
        self.chain("or", first, Self::and, Expr::Or)
    }

    fn and(&mut self) -> Result<Expr, SyntaxError> {
        let first = self.part()?;
        self.chain("and", first, Self::part, Expr::And)
    }

    fn chain(
        &mut self,
        word: &str,
        first: Expr,
        next: fn(&mut Self) -> Result<Expr, SyntaxError>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, SyntaxError> {
        let mut parts = vec![first];
        while self.take_word(word).is_some() {
            parts.push(next(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    fn part(&mut self) -> Result<Expr, SyntaxError> {
        if let Some(at) = self.take_not() {
            return Ok(Expr::Not(Box::new(self.bracket()?), at));
        }
        match self.rest.first() {
            Some((Token::Open, _)) => self.bracket(),
            _ => self.test(),
        }
    }

    fn bracket(&mut self) -> Result<Expr, SyntaxError> {
        self.expect(&Token::Open)?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(SyntaxError::Unexpected { at: self.here() });
        }
        let inner = self.or()?;
        self.depth -= 1;
        self.expect(&Token::Close)?;
        Ok(inner)
    }

    fn test(&mut self) -> Result<Expr, SyntaxError> {
        let (path, path_at) = self.word()?;
        let (word, operator_at) = self.word()?;
        let Some(operator) = Operator::read(&word) else {
            return Err(SyntaxError::Operator { found: word, at: operator_at.start });
        };
        let value = if operator == Operator::Pr { None } else { Some(self.literal()?) };
        Ok(Expr::Test { path, path_at, operator, operator_at, value })
    }

    fn literal(&mut self) -> Result<Literal, SyntaxError> {
        let wrong = SyntaxError::Unexpected { at: self.here() };
        match self.next() {
            Some((Token::Text(text), _)) => Ok(Literal::Text(text)),
            Some((Token::Word(word), _)) if is_bare(&word) => Ok(Literal::Bare(word)),
            _ => Err(wrong),
        }
    }

    fn word(&mut self) -> Result<(String, Range<usize>), SyntaxError> {
        let wrong = SyntaxError::Unexpected { at: self.here() };
        match self.next() {
            Some((Token::Word(word), at)) => Ok((word, at)),
            _ => Err(wrong),
        }
    }

    /// `not` is the word only before a bracket: it may also be an attribute's name.
    fn take_not(&mut self) -> Option<Range<usize>> {
        match self.rest {
            [(Token::Word(word), at), (Token::Open, _), ..] if word.eq_ignore_ascii_case("not") => {
                self.rest = &self.rest[1..];
                Some(at.clone())
            }
            _ => None,
        }
    }

    fn take_word(&mut self, wanted: &str) -> Option<()> {
        match self.rest.first() {
            Some((Token::Word(word), _)) if word.eq_ignore_ascii_case(wanted) => {
                self.rest = &self.rest[1..];
                Some(())
            }
            _ => None,
        }
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), SyntaxError> {
        let wrong = SyntaxError::Unexpected { at: self.here() };
        match self.next() {
            Some((token, _)) if token == *wanted => Ok(()),
            _ => Err(wrong),
        }
    }

    fn next(&mut self) -> Option<Placed> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first.clone())
    }

    fn here(&self) -> usize {
        self.rest.first().map_or(self.end, |(_, at)| at.start)
    }
}

/// Numbers, truths, and bare times, which old clients send without quotes.
fn is_bare(word: &str) -> bool {
    let number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    number || matches!(word.to_ascii_lowercase().as_str(), "true" | "false")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn test(path: String, operator: Operator, value: Literal) -> Expr {
        let value = (operator != Operator::Pr).then_some(value);
        Expr::Test { path, path_at: 0..0, operator, operator_at: 0..0, value }
    }

    fn any_expr() -> impl Strategy<Value = Expr> {
        let literal = prop_oneof![
            any::<String>().prop_map(Literal::Text),
            any::<i32>().prop_map(|n| Literal::Bare(n.to_string())),
            any::<bool>().prop_map(|b| Literal::Bare(b.to_string())),
        ];
        let operator = prop::sample::select(Operator::ALL.to_vec());
        let leaf = ("[a-z][a-zA-Z]{0,8}(\\.[a-z]{1,6})?", operator, literal).prop_map(|(p, o, v)| test(p, o, v));
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
                inner.prop_map(|e| Expr::Not(Box::new(e), 0..0)),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(expr in any_expr()) {
            prop_assert_eq!(parse(&expr.to_string()), Ok(expr));
        }

        #[test]
        fn no_text_breaks_the_parser(text in any::<String>()) {
            let _ = parse(&text);
        }
    }

    #[test]
    fn errors_are_placed() {
        let check = |text: &str, error: SyntaxError| assert_eq!(parse(text), Err(error), "{text}");
        check("", SyntaxError::Unexpected { at: 0 });
        check("a", SyntaxError::Unexpected { at: 1 });
        check("display_message eqq \"x\"", SyntaxError::Operator { found: "eqq".into(), at: 16 });
        check("a eq x", SyntaxError::Unexpected { at: 5 });
        check("(a pr", SyntaxError::Unexpected { at: 5 });
        check("a pr)", SyntaxError::Unexpected { at: 4 });
        check("a pr b pr", SyntaxError::Unexpected { at: 5 });
        check("not a pr", SyntaxError::Operator { found: "a".into(), at: 4 });
    }

    #[test]
    fn and_binds_closer_than_or() {
        let expr = parse("a pr or b pr and c pr").expect("parses");
        assert_eq!(expr.to_string(), "a pr or (b pr and c pr)");
        assert!(parse(&format!("{}a pr{}", "(".repeat(40), ")".repeat(40))).is_err());
    }
}
