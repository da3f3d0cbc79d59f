//! Text read into values by schemas: what parameters and forms hold is text only.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Number, Value};
use smol_str::SmolStr;

use crate::{
    contract::{Document, Kind},
    schema::{Schema, Type},
};

/// What a schema may be, through references and parts.
#[derive(Debug, Default)]
pub(super) struct Shape<'a> {
    /// The types it may have; empty where it says none.
    pub(super) types: BTreeSet<Type>,
    /// Its members.
    pub(super) properties: IndexMap<&'a SmolStr, &'a Schema>,
    /// What its items are.
    pub(super) items: Option<&'a Schema>,
    /// The members it always has.
    pub(super) required: BTreeSet<&'a SmolStr>,
    nullable: bool,
    any_case: bool,
}

impl<'a> Shape<'a> {
    pub(super) fn of(document: &'a Document, schema: &'a Schema) -> Self {
        // Google's services take `True` as well.
        let mut shape = Self { any_case: document.kind == Kind::GoogleDiscovery, ..Self::default() };
        shape.add(document, schema, &mut BTreeSet::new());
        shape
    }

    fn add(&mut self, document: &'a Document, schema: &'a Schema, seen: &mut BTreeSet<&'a SmolStr>) {
        if let Some(name) = &schema.reference
            && seen.insert(name)
            && let Some(named) = document.schemas.get(name)
        {
            self.add(document, named.get(), seen);
        }
        self.types.extend(&schema.types);
        self.nullable |= schema.nullable;
        self.items = self.items.or(schema.items.as_deref());
        for (name, member) in &schema.properties {
            self.properties.entry(name).or_insert(member);
        }
        self.required.extend(&schema.required);
        for part in &schema.all_of {
            self.add(document, part, seen);
        }
        // What only one of several alternatives needs is not always needed.
        let required = self.required.clone();
        for part in schema.one_of.iter().chain(&schema.any_of) {
            self.add(document, part, seen);
        }
        self.required = required;
    }

    /// Whether it is a list and nothing else.
    pub(super) fn is_list(&self) -> bool {
        self.types.contains(&Type::Array) && self.types.len() == 1
    }

    /// Whether it may be a list.
    pub(super) fn may_be_list(&self) -> bool {
        self.types.contains(&Type::Array)
    }

    /// Whether it is an object and nothing else.
    pub(super) fn is_object(&self) -> bool {
        self.types.contains(&Type::Object) && self.types.len() == 1
    }

    /// A text as a value of this shape. Text that is none stays text, for the schema's check to refuse.
    pub(super) fn scalar(&self, text: &str) -> Value {
        let may_be = |of| self.types.contains(&of);
        let number = if may_be(Type::Number) {
            number(text)
        } else if may_be(Type::Integer) {
            integer(text)
        } else {
            None
        };
        // Where text is possible as well, a number must come out as it went in.
        let number = number.filter(|number| !may_be(Type::String) || number.to_string() == text);
        let boolean = self.boolean(text).filter(|_| may_be(Type::Boolean));
        match (number, boolean) {
            (Some(number), _) => Value::Number(number),
            (None, Some(boolean)) => Value::Bool(boolean),
            _ if self.nullable && !may_be(Type::String) && matches!(text, "" | "null") => Value::Null,
            _ => Value::String(text.to_owned()),
        }
    }

    fn boolean(&self, text: &str) -> Option<bool> {
        let is = |word: &str| text == word || (self.any_case && text.eq_ignore_ascii_case(word));
        if is("true") { Some(true) } else { is("false").then_some(false) }
    }

    /// A text as a list or object in JSON, where it is one and this shape may be.
    pub(super) fn json(&self, text: &str) -> Option<Value> {
        let may_be = match text.trim_start().as_bytes().first()? {
            b'[' => self.types.contains(&Type::Array),
            b'{' => self.types.contains(&Type::Object),
            _ => false,
        };
        if may_be { serde_json::from_str(text).ok() } else { None }
    }
}

/// A text as a value of a schema; lists and objects only as JSON.
pub(super) fn coerce(document: &Document, schema: &Schema, text: &str) -> Value {
    let shape = Shape::of(document, schema);
    shape.json(text).unwrap_or_else(|| shape.scalar(text))
}

/// Texts as a list of a shape's items.
pub(super) fn list<'t>(document: &Document, shape: &Shape<'_>, texts: impl Iterator<Item = &'t str>) -> Value {
    let of = shape.items.map(|items| Shape::of(document, items)).unwrap_or_default();
    Value::Array(texts.map(|text| of.scalar(text)).collect())
}

/// Names and texts as an object of a shape's members.
pub(super) fn object<'t>(
    document: &Document,
    shape: &Shape<'_>,
    pairs: impl Iterator<Item = (&'t str, &'t str)>,
) -> Value {
    let member = |(name, text): (&str, &str)| {
        let schema = shape.properties.get(&SmolStr::new(name));
        (name.to_owned(), schema.map_or_else(|| text.into(), |schema| coerce(document, schema, text)))
    };
    Value::Object(pairs.map(member).collect())
}

fn integer(text: &str) -> Option<Number> {
    // `+1` and an empty text are no numbers in JSON.
    if text.starts_with('+') {
        return None;
    }
    text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
}

fn number(text: &str) -> Option<Number> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'e' | b'E'));
    let float = || text.parse::<f64>().ok().filter(|_| is_decimal).and_then(Number::from_f64);
    integer(text).or_else(float)
}
