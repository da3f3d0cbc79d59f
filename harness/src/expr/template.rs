//! Texts with CEL in `${...}`.

use serde_json::{Map, Value};

use super::{Compiler, EvalError, Place, Program, Scope};
use crate::facts::Facts;

/// A text that may hold `${...}`; `$${` stands for `${` itself.
#[derive(Clone, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Program(Program),
}

impl Template {
    /// A text that holds no expression, whatever it looks like.
    pub fn plain(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    /// Fills it. A text that is one `${...}` and nothing else gives the expression's value, whatever its type.
    ///
    /// # Errors
    /// Why an expression in it has no value.
    pub fn fill(&self, facts: &mut Facts) -> Result<Value, EvalError> {
        match self.0.as_slice() {
            [Part::Program(program)] => facts.value(program),
            parts => parts.iter().map(|part| part.text(facts)).collect::<Result<String, _>>().map(Value::String),
        }
    }

    /// Fills it; a value that is not text is written as JSON.
    ///
    /// # Errors
    /// Why an expression in it has no value.
    pub fn fill_text(&self, facts: &mut Facts) -> Result<String, EvalError> {
        self.0.iter().map(|part| part.text(facts)).collect()
    }

    /// The expressions in it.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Program(program) => Some(program),
        })
    }

    /// Whether it is one `${...}` and nothing else.
    pub fn is_whole(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Program(_)])
    }

    /// The text itself, where it holds no `${...}`.
    pub fn fixed(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl Part {
    fn text(&self, facts: &mut Facts) -> Result<String, EvalError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Program(program) => facts.value(program).map(|value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            }),
        }
    }
}

/// JSON whose texts may hold `${...}`.
#[derive(Clone, Debug)]
pub struct Form(Node);

#[derive(Clone, Debug)]
enum Node {
    Fixed(Value),
    Text(Template),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Form {
    /// Fills all its texts.
    ///
    /// # Errors
    /// Why an expression in it has no value.
    pub fn fill(&self, facts: &mut Facts) -> Result<Value, EvalError> {
        self.0.fill(facts)
    }

    /// Fills all its texts, where it is an object; an empty object where it is not.
    ///
    /// # Errors
    /// Why an expression in it has no value.
    pub fn fill_object(&self, facts: &mut Facts) -> Result<Map<String, Value>, EvalError> {
        match self.fill(facts)? {
            Value::Object(object) => Ok(object),
            _ => Ok(Map::new()),
        }
    }

    /// The expressions in it.
    pub fn programs(&self) -> Vec<&Program> {
        let mut out = Vec::new();
        self.0.programs(&mut out);
        out
    }
}

impl Node {
    fn fill(&self, facts: &mut Facts) -> Result<Value, EvalError> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Text(template) => template.fill(facts),
            Self::List(items) => items.iter().map(|item| item.fill(facts)).collect(),
            Self::Object(members) => members.iter().map(|(key, node)| Ok((key.clone(), node.fill(facts)?))).collect(),
        }
    }

    fn programs<'a>(&'a self, out: &mut Vec<&'a Program>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(template) => out.extend(template.programs()),
            Self::List(items) => items.iter().for_each(|item| item.programs(out)),
            Self::Object(members) => members.iter().for_each(|(_, node)| node.programs(out)),
        }
    }
}

/// A part of a text as written.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Code(&'a str),
}

/// Cuts a text at its `${...}`.
fn cut(mut text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut out = Vec::new();
    while let Some(at) = text.find("${") {
        let escaped = text[..at].ends_with('$');
        out.push(Piece::Text(&text[..at - usize::from(escaped)]));
        let rest = &text[at + 2..];
        if escaped {
            out.push(Piece::Text("${"));
            text = rest;
            continue;
        }
        let end = end_of_code(rest).ok_or("a `${` has no `}`")?;
        out.push(Piece::Code(rest[..end].trim()));
        text = &rest[end + 1..];
    }
    out.push(Piece::Text(text));
    out.retain(|piece| *piece != Piece::Text(""));
    Ok(out)
}

/// Where the brace stands that closes the code: braces of maps and those within quotes do not count.
fn end_of_code(code: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in code.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            (Some(_) | None, _) => {}
        }
    }
    None
}

impl Compiler<'_> {
    /// Compiles a text that may hold `${...}`.
    pub(crate) fn template(&mut self, scope: Scope, text: &str, place: Place) -> Template {
        let pieces = cut(text).unwrap_or_else(|why| {
            self.problem(place, format!("{why} in `{text}`"), "write `$${` for the characters `${` themselves");
            Vec::new()
        });
        let mut parts: Vec<Part> = Vec::new();
        for piece in pieces {
            match (piece, parts.last_mut()) {
                (Piece::Code(code), _) => parts.push(Part::Program(self.program(scope, code, place))),
                (Piece::Text(text), Some(Part::Text(before))) => before.push_str(text),
                (Piece::Text(text), _) => parts.push(Part::Text(text.to_owned())),
            }
        }
        Template(parts)
    }

    /// Compiles JSON whose texts may hold `${...}`. `near` is where its surroundings begin.
    pub(crate) fn form(&mut self, scope: Scope, value: &Value, near: Place) -> Form {
        Form(self.node(scope, value, near))
    }

    fn node(&mut self, scope: Scope, value: &Value, near: Place) -> Node {
        match value {
            Value::String(text) => {
                let place = self.find(text, near);
                Node::Text(self.template(scope, text, place))
            }
            Value::Array(items) => Node::List(items.iter().map(|item| self.node(scope, item, near)).collect()),
            Value::Object(members) => {
                let member = |(key, value): (&String, &Value)| (key.clone(), self.node(scope, value, near));
                Node::Object(members.iter().map(member).collect())
            }
            fixed => Node::Fixed(fixed.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_cut_at_its_code() {
        let check = |text: &str, wanted: &[Piece<'_>]| assert_eq!(cut(text).as_deref(), Ok(wanted), "{text}");
        check("", &[]);
        check("plain $5 {x}", &[Piece::Text("plain $5 {x}")]);
        check("${ a }", &[Piece::Code("a")]);
        check("a${b}c${d}", &[Piece::Text("a"), Piece::Code("b"), Piece::Text("c"), Piece::Code("d")]);
        check("${{'k': '}'}.k}!", &[Piece::Code("{'k': '}'}.k"), Piece::Text("!")]);
        check(r#"${"\"}"}"#, &[Piece::Code(r#""\"}""#)]);
        check("$${a}", &[Piece::Text("${"), Piece::Text("a}")]);
        assert!(cut("${ never").is_err());
        assert!(cut("${ 'never}").is_err());
    }

    proptest! {
        #[test]
        fn cutting_never_panics(text in r#"[a$\{\}'"\\é ]{0,24}"#) {
            let _ = cut(&text);
        }

        /// What is escaped comes out as it was, whatever it holds.
        #[test]
        fn an_escaped_text_stays_as_it_was(text in r"[a$\{\}' ]{0,16}") {
            let mut compiler = Compiler::new("f", "", None);
            let escaped = text.replace("${", "$${");
            let template = compiler.template(Scope::Target, &escaped, Place::default());
            prop_assert!(compiler.problems.is_empty());
            prop_assert_eq!(template.fixed(), Some(text.as_str()));
        }
    }
}
