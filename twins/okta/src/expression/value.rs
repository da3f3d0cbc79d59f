//! What expressions come to.

use serde_json::{Number, json};
use smol_str::SmolStr;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text.
    Text(SmolStr),
    /// Several.
    List(Vec<Self>),
    /// A person, by id.
    Person(SmolStr),
}

impl Value {
    /// Text of a string.
    pub fn text(text: impl Into<SmolStr>) -> Self {
        Self::Text(text.into())
    }

    /// The value of an attribute.
    pub fn from_json(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null | serde_json::Value::Object(_) => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => number.as_f64().map_or(Self::Null, Self::Number),
            serde_json::Value::String(text) => Self::text(text.as_str()),
            serde_json::Value::Array(all) => Self::List(all.iter().map(Self::from_json).collect()),
        }
    }

    /// As JSON; whole numbers without a fraction, a person by id.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => json!(value),
            Self::Number(number) => match whole(*number) {
                Some(whole) => json!(whole),
                None => Number::from_f64(*number).map_or(serde_json::Value::Null, serde_json::Value::Number),
            },
            Self::Text(text) | Self::Person(text) => json!(text),
            Self::List(all) => all.iter().map(Self::to_json).collect(),
        }
    }

    /// As text: what it adds to another text. Nothing is no text.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => whole(*number).map_or_else(|| number.to_string(), |whole| whole.to_string()),
            Self::Text(text) | Self::Person(text) => text.to_string(),
            Self::List(all) => all.iter().map(Self::shown).collect::<Vec<_>>().join(","),
        }
    }

    /// Equal as `==` sees it.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b).is_eq(),
            (Self::Number(_), Self::Text(text)) => self.shown() == text.as_str(),
            (Self::Text(text), Self::Number(_)) => other.shown() == text.as_str(),
            (a, b) => a == b,
        }
    }
}

/// A number without a fraction that fits.
fn whole(number: f64) -> Option<i64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "numbers up to 2^53 without a fraction are exact")]
    (number.fract().abs() < f64::EPSILON && number.abs() <= MOST).then_some(number as i64)
}
