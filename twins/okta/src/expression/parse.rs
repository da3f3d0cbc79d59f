//! Tokens to tree.

use smol_str::SmolStr;

use super::{
    lex::{Placed, Token, tokens},
    tree::{Expr, Operator},
};

/// What is wrong with an expression's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The place, in bytes; the text's length where it ends too early.
    pub at: usize,
}

/// The deepest nesting that is read: a bound on recursion, here and wherever the tree is walked.
const DEPTH_MAX: usize = 40;
/// The tallest tree that is made, for the same reason: rows of operators nest without brackets.
const HEIGHT_MAX: usize = 250;
/// The longest text that is read, in bytes.
const TEXT_MAX: usize = 16_384;

/// Reads an expression.
///
/// # Errors
/// [`SyntaxError`].
pub fn parse(text: &str) -> Result<Expr, SyntaxError> {
    if text.len() > TEXT_MAX {
        return Err(SyntaxError { at: TEXT_MAX });
    }
    let tokens = tokens(text).map_err(|at| SyntaxError { at })?;
    let mut parser = Parser { rest: &tokens, end: text.len(), depth: 0, height: 0 };
    let expr = parser.whole()?;
    match parser.rest.first() {
        None => Ok(expr),
        Some((_, at)) => Err(SyntaxError { at: at.start }),
    }
}

/// Words that are no names, in any case.
const WORDS: [&str; 10] = ["and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "null"];

const TESTS: &[(&str, Operator)] = &[
    ("==", Operator::Eq),
    ("!=", Operator::Ne),
    ("<=", Operator::Le),
    (">=", Operator::Ge),
    ("<", Operator::Lt),
    (">", Operator::Gt),
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("lt", Operator::Lt),
    ("le", Operator::Le),
    ("gt", Operator::Gt),
    ("ge", Operator::Ge),
];
const SUMS: &[(&str, Operator)] = &[("+", Operator::Add), ("-", Operator::Sub)];
const PRODUCTS: &[(&str, Operator)] = &[("*", Operator::Mul), ("/", Operator::Div), ("%", Operator::Rem)];
const ORS: &[(&str, Operator)] = &[("||", Operator::Or), ("or", Operator::Or)];
const ANDS: &[(&str, Operator)] = &[("&&", Operator::And), ("and", Operator::And)];

/// The levels of operators, the loosest first.
const LEVELS: [&[(&str, Operator)]; 5] = [ORS, ANDS, TESTS, SUMS, PRODUCTS];

struct Parser<'a> {
    rest: &'a [Placed],
    end: usize,
    /// How many brackets and signs are open.
    depth: usize,
    /// The height of what was read last.
    height: usize,
}

type Read<T> = Result<T, SyntaxError>;

impl Parser<'_> {
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.wrong());
        }
        let found = read(self)?;
        self.depth -= 1;
        Ok(found)
    }

    /// What was read is one higher than what is below it.
    fn raise(&mut self, below: usize) -> Read<()> {
        self.height = below + 1;
        if self.height > HEIGHT_MAX { Err(self.wrong()) } else { Ok(()) }
    }

    fn whole(&mut self) -> Read<Expr> {
        self.nested(|parser| {
            let first = parser.level(0)?;
            let mut height = parser.height;
            if parser.take_mark("?:") {
                let other = parser.whole()?;
                parser.raise(height.max(parser.height))?;
                return Ok(Expr::Else(Box::new(first), Box::new(other)));
            }
            if !parser.take_mark("?") {
                return Ok(first);
            }
            let then = parser.whole()?;
            height = height.max(parser.height);
            parser.expect(":")?;
            let other = parser.whole()?;
            parser.raise(height.max(parser.height))?;
            Ok(Expr::Choice(Box::new(first), Box::new(then), Box::new(other)))
        })
    }

    fn level(&mut self, at: usize) -> Read<Expr> {
        let Some(operators) = LEVELS.get(at) else {
            return self.unary();
        };
        let mut left = self.level(at + 1)?;
        while let Some(operator) = self.take_operator(operators) {
            let height = self.height;
            let right = self.level(at + 1)?;
            self.raise(height.max(self.height))?;
            left = Expr::Pair(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Read<Expr> {
        if self.take_mark("!") || self.take_word("not") {
            let one = self.nested(Self::unary)?;
            self.raise(self.height)?;
            return Ok(Expr::Not(Box::new(one)));
        }
        if self.take_mark("-") {
            let one = self.nested(Self::unary)?;
            self.raise(self.height)?;
            return Ok(Expr::Minus(Box::new(one)));
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Read<Expr> {
        let mut stem = self.primary()?;
        loop {
            let height = self.height;
            if self.take_select() {
                let test = self.whole()?;
                self.expect("]")?;
                stem = Expr::Select(Box::new(stem), Box::new(test));
            } else if self.take_mark(".") || self.take_mark("?.") {
                let name = self.member()?;
                stem = if self.take_mark("(") {
                    Expr::Call(Some(Box::new(stem)), name, self.list(")")?)
                } else {
                    Expr::Field(Box::new(stem), name)
                };
            } else if self.take_mark("[") {
                let at = self.whole()?;
                self.expect("]")?;
                stem = Expr::Index(Box::new(stem), Box::new(at));
            } else {
                return Ok(stem);
            }
            self.raise(height.max(self.height))?;
        }
    }

    fn primary(&mut self) -> Read<Expr> {
        let wrong = self.wrong();
        self.height = 1;
        match self.next() {
            Some(Token::Number(text)) => Ok(Expr::Number(text)),
            Some(Token::Text(text)) => Ok(Expr::Text(text)),
            Some(Token::Word(word)) => self.named(&word, wrong),
            Some(Token::Mark("(")) => {
                let inner = self.whole()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Mark("{")) => self.braces(),
            _ => Err(wrong),
        }
    }

    fn named(&mut self, word: &str, wrong: SyntaxError) -> Read<Expr> {
        match word.to_ascii_lowercase().as_str() {
            "null" => return Ok(Expr::Null),
            "true" => return Ok(Expr::Bool(true)),
            "false" => return Ok(Expr::Bool(false)),
            lower if WORDS.contains(&lower) => return Err(wrong),
            _ => {}
        }
        if self.take_mark("(") {
            let all = self.list(")")?;
            self.raise(self.height)?;
            return Ok(Expr::Call(None, word.into(), all));
        }
        Ok(Expr::Name(word.into()))
    }

    /// A list, or a map where a colon stands behind its first text.
    fn braces(&mut self) -> Read<Expr> {
        let is_map = matches!(self.rest, [(Token::Text(_) | Token::Word(_), _), (Token::Mark(":"), _), ..]);
        if !is_map {
            let all = self.list("}")?;
            self.raise(self.height)?;
            return Ok(Expr::List(all));
        }
        let (mut all, mut height) = (Vec::new(), 0);
        loop {
            let wrong = self.wrong();
            let Some(Token::Text(name) | Token::Word(name)) = self.next() else { return Err(wrong) };
            self.expect(":")?;
            all.push((name, self.whole()?));
            height = height.max(self.height);
            if !self.take_mark(",") {
                self.expect("}")?;
                self.raise(height)?;
                return Ok(Expr::Map(all));
            }
        }
    }

    /// What is listed up to a closing mark; its height is the tallest's.
    fn list(&mut self, close: &'static str) -> Read<Vec<Expr>> {
        let (mut all, mut height) = (Vec::new(), 0);
        self.height = 0;
        if self.take_mark(close) {
            return Ok(all);
        }
        loop {
            all.push(self.whole()?);
            height = height.max(self.height);
            self.height = height;
            if !self.take_mark(",") {
                self.expect(close)?;
                return Ok(all);
            }
        }
    }

    fn member(&mut self) -> Read<SmolStr> {
        let wrong = self.wrong();
        match self.next() {
            Some(Token::Word(word)) => Ok(word.into()),
            _ => Err(wrong),
        }
    }

    fn take_operator(&mut self, operators: &[(&str, Operator)]) -> Option<Operator> {
        let (token, _) = self.rest.first()?;
        let fits = |text: &str| match token {
            Token::Mark(mark) => *mark == text,
            Token::Word(word) => word.eq_ignore_ascii_case(text),
            _ => false,
        };
        let (_, operator) = operators.iter().find(|(text, _)| fits(text))?;
        self.rest = &self.rest[1..];
        Some(*operator)
    }

    fn take_mark(&mut self, wanted: &str) -> bool {
        let found = matches!(self.rest.first(), Some((Token::Mark(mark), _)) if *mark == wanted);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// The marks of a selection: `.?[`.
    fn take_select(&mut self) -> bool {
        const WANTED: [&str; 3] = [".", "?", "["];
        let found = self.rest.len() > 2
            && self
                .rest
                .iter()
                .zip(WANTED)
                .all(|((token, _), wanted)| matches!(token, Token::Mark(mark) if *mark == wanted));
        if found {
            self.rest = &self.rest[WANTED.len()..];
        }
        found
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.rest.first(), Some((Token::Word(word), _)) if word.eq_ignore_ascii_case(wanted));
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn expect(&mut self, wanted: &str) -> Read<()> {
        if self.take_mark(wanted) { Ok(()) } else { Err(self.wrong()) }
    }

    fn next(&mut self) -> Option<Token> {
        let ((token, _), rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(token.clone())
    }

    fn wrong(&self) -> SyntaxError {
        SyntaxError { at: self.rest.first().map_or(self.end, |(_, at)| at.start) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_expr() -> impl Strategy<Value = Expr> {
        let name = || "[a-z][a-zA-Z]{4,8}".prop_map(SmolStr::from);
        let leaf = prop_oneof![
            Just(Expr::Null),
            any::<bool>().prop_map(Expr::Bool),
            "[0-9]{1,4}(\\.[0-9]{1,3})?".prop_map(Expr::Number),
            any::<String>().prop_map(Expr::Text),
            name().prop_map(Expr::Name),
        ];
        leaf.prop_recursive(4, 24, 3, move |inner| {
            let boxed = || inner.clone().prop_map(Box::new);
            let many = || prop::collection::vec(inner.clone(), 0..3);
            prop_oneof![
                many().prop_map(Expr::List),
                prop::collection::vec((any::<String>(), inner.clone()), 1..3).prop_map(Expr::Map),
                (boxed(), name()).prop_map(|(on, name)| Expr::Field(on, name)),
                (prop::option::of(boxed()), name(), many()).prop_map(|(on, name, all)| Expr::Call(on, name, all)),
                (boxed(), boxed()).prop_map(|(on, at)| Expr::Index(on, at)),
                (boxed(), boxed()).prop_map(|(on, test)| Expr::Select(on, test)),
                boxed().prop_map(Expr::Not),
                boxed().prop_map(Expr::Minus),
                (prop::sample::select(Operator::ALL.to_vec()), boxed(), boxed())
                    .prop_map(|(operator, a, b)| Expr::Pair(operator, a, b)),
                (boxed(), boxed(), boxed()).prop_map(|(a, b, c)| Expr::Choice(a, b, c)),
                (boxed(), boxed()).prop_map(|(a, b)| Expr::Else(a, b)),
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

        #[test]
        fn no_row_of_marks_breaks_the_parser(text in "[a(){}\\[\\].,!?:+*<>='\" 1-]{0,60}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn operators_bind_as_in_spring() {
        let check = |text: &str, wanted: &str| {
            assert_eq!(parse(text).map(|expr| expr.to_string()).as_deref(), Ok(wanted), "{text}");
        };
        check("a == 1 AND b == 2 or c", "((a == 1) AND (b == 2)) OR c");
        check("!a && b", "!a AND b");
        check("NOT a.b == 'x'", "!a.b == \"x\"");
        check("a + b * c", "a + (b * c)");
        check("a ? b : c ? d : e", "a ? b : (c ? d : e)");
        check("String.len(user.x) > 0 ? 'y' : null", "(String.len(user.x) > 0) ? \"y\" : null");
        check("user.isMemberOf({'group.id': '00g'})", "user.isMemberOf({\"group.id\": \"00g\"})");
        check("a?.b ?: -1", "a.b ?: -1");
        check("a.b.?[c eq 'd'].size()>0", "a.b.?[c == \"d\"].size() > 0");
    }

    #[test]
    fn slips_are_placed() {
        let check = |text: &str, at: usize| assert_eq!(parse(text), Err(SyntaxError { at }), "{text}");
        check("", 0);
        check("user.department ==", 18);
        check("user.department = \"x\"", 16);
        check("a AND", 5);
        check("f(a", 3);
        check("a b", 2);
        check("a.", 2);
        check("(a", 2);
    }

    #[test]
    fn depth_is_bounded() {
        assert!(parse(&format!("{}a{}", "(".repeat(60), ")".repeat(60))).is_err());
        assert!(parse(&format!("{}a", "!".repeat(60))).is_err());
        assert!(parse(&format!("a{}", ".b".repeat(600))).is_err());
        assert!(parse(&format!("a{}", "+a".repeat(100))).is_ok());
    }
}
