//! Arguments by name, read as a method asks for them.

use dtu_kernel::args::Args;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use crate::error::Error;

/// The arguments of a call.
pub(super) struct Fields(Args);

fn invalid(name: &str, what: &str) -> Error {
    Error::Arguments(vec![format!("{what} [json-pointer:/{name}]")])
}

/// The refusal of a call without an argument that it needs.
pub(super) fn missing(name: &str) -> Error {
    Error::Arguments(vec![format!("missing required field: {name}")])
}

impl Fields {
    pub(super) fn new(args: Args) -> Self {
        Self(args)
    }

    /// A text, where it is given and not empty.
    pub(super) fn text(&self, name: &str) -> Option<SmolStr> {
        let text = match self.0.get(name)? {
            Value::String(text) => SmolStr::new(text.trim()),
            Value::Number(number) => SmolStr::new(number.to_string()),
            Value::Bool(truth) => SmolStr::new(truth.to_string()),
            _ => return None,
        };
        Some(text).filter(|text| !text.is_empty())
    }

    /// Whether the argument is there at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text that must be given.
    ///
    /// # Errors
    /// Where it is not.
    pub(super) fn need(&self, name: &str) -> Result<SmolStr, Error> {
        self.text(name).ok_or_else(|| missing(name))
    }

    /// A whole number, where it is given.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(name, "must provide an integer"))
    }

    /// Yes or no, where it is given.
    ///
    /// # Errors
    /// Where it is neither.
    pub(super) fn choice(&self, name: &str) -> Result<Option<bool>, Error> {
        match self.text(name).as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(invalid(name, "must be a boolean")),
        }
    }

    /// Yes or no; no where it is not given.
    ///
    /// # Errors
    /// Where it is neither.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Error> {
        Ok(self.choice(name)?.unwrap_or_default())
    }

    /// One of several words, where it is given.
    ///
    /// # Errors
    /// Where it is none of them.
    pub(super) fn word(&self, name: &str, words: &[&'static str]) -> Result<Option<&'static str>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let known = words.iter().copied().find(|word| *word == text);
        known.map(Some).ok_or_else(|| invalid(name, "must be a valid enum value"))
    }

    /// A list: JSON, or words between commas. Empty where it is not given.
    pub(super) fn list(&self, name: &str) -> Vec<SmolStr> {
        let of = |values: &[Value]| values.iter().filter_map(Value::as_str).map(SmolStr::new).collect();
        match self.0.get(name) {
            Some(Value::Array(values)) => of(values),
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(Value::Array(values)) => of(&values),
                _ => text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(SmolStr::new).collect(),
            },
            _ => Vec::new(),
        }
    }

    /// A list that must hold something, and not too much.
    ///
    /// # Errors
    /// Where it does not.
    pub(super) fn some(&self, name: &str, most: usize) -> Result<Vec<SmolStr>, Error> {
        match self.list(name) {
            list if list.is_empty() => Err(missing(name)),
            list if list.len() > most => Err(invalid(name, &format!("no more than {most} items allowed"))),
            list => Ok(list),
        }
    }

    /// An object: JSON.
    ///
    /// # Errors
    /// Where it is none.
    pub(super) fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, Error> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members.clone())),
            Some(Value::String(text)) => {
                serde_json::from_str(text).map(Some).map_err(|_| invalid(name, "must provide an object"))
            }
            Some(_) => Err(invalid(name, "must provide an object")),
        }
    }
}
