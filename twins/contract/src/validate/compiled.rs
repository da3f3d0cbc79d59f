//! Validators, compiled at first use and kept.

use std::{collections::BTreeMap, sync::Arc};

use jsonschema::{Draft, Validator};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{
    Direction,
    lower::{INTEGERS, lower},
    report::{Place, report},
};
use crate::{contract::Document, schema::Schema, violation::Violation};

/// A part of the document that could not be compiled, and so is not checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unusable {
    /// The regular expression; or the whole schema as JSON Schema.
    pub text: String,
    /// Why.
    pub why: String,
}

/// One document's validators.
#[derive(Debug)]
pub(super) struct Validators {
    document: &'static Document,
    /// By the schema's text, so that equal schemas are compiled once.
    by_text: Mutex<BTreeMap<(Direction, String), Arc<Compiled>>>,
    /// By the address of schemas of the document, which stay where they are: spares writing them as text.
    by_address: Mutex<BTreeMap<(Direction, usize), Arc<Compiled>>>,
    /// Regular expressions met so far, and why they cannot be used.
    patterns: Mutex<BTreeMap<String, Option<String>>>,
    /// Schemas that could not be compiled. None is known that cannot.
    broken: Mutex<Vec<Unusable>>,
}

/// Absent where the schema cannot be compiled: then everything fits.
#[derive(Debug)]
pub(super) struct Compiled(Option<Validator>);

impl Compiled {
    /// What does not fit, in a stable order.
    pub(super) fn check(&self, place: &Place<'_>, value: &Value) -> Vec<Violation> {
        // Most values fit, and to find that out costs less than to look for errors.
        match &self.0 {
            Some(validator) if !validator.is_valid(value) => report(place, validator.iter_errors(value)),
            _ => Vec::new(),
        }
    }
}

impl Validators {
    pub(super) const fn new(document: &'static Document) -> Self {
        Self {
            document,
            by_text: Mutex::new(BTreeMap::new()),
            by_address: Mutex::new(BTreeMap::new()),
            patterns: Mutex::new(BTreeMap::new()),
            broken: Mutex::new(Vec::new()),
        }
    }

    /// The validator of a schema of the document.
    pub(super) fn own(&self, schema: &'static Schema, direction: Direction) -> Arc<Compiled> {
        let key = (direction, std::ptr::from_ref(schema).addr());
        if let Some(known) = self.by_address.lock().get(&key) {
            return Arc::clone(known);
        }
        let compiled = self.any(schema, direction);
        self.by_address.lock().insert(key, Arc::clone(&compiled));
        compiled
    }

    /// The validator of a schema from anywhere that refers to schemas of the document.
    pub(super) fn any(&self, schema: &Schema, direction: Direction) -> Arc<Compiled> {
        let key = (direction, serde_json::to_string(schema).expect("schemas are plain data"));
        if let Some(known) = self.by_text.lock().get(&key) {
            return Arc::clone(known);
        }
        // Compiled outside the lock: two threads may do it at once, and one result is dropped.
        let compiled = Arc::new(Compiled(self.compile(schema, direction)));
        Arc::clone(self.by_text.lock().entry(key).or_insert(compiled))
    }

    /// What could not be used so far.
    pub(super) fn unusable(&self) -> Vec<Unusable> {
        let patterns = self.patterns.lock();
        let regexes =
            patterns.iter().filter_map(|(text, why)| Some(Unusable { text: text.clone(), why: why.clone()? }));
        let mut all: Vec<Unusable> = regexes.chain(self.broken.lock().iter().cloned()).collect();
        all.sort();
        all.dedup();
        all
    }

    fn compile(&self, schema: &Schema, direction: Direction) -> Option<Validator> {
        let lowered = lower(self.document, schema, direction, &mut |pattern| self.is_usable(pattern));
        let mut options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        for (name, least, most) in INTEGERS {
            options = options.with_format(name, move |text| is_integer_text(text, least, most));
        }
        match options.build(&lowered) {
            Ok(validator) => Some(validator),
            Err(error) => {
                self.broken.lock().push(Unusable { text: lowered.to_string(), why: error.to_string() });
                None
            }
        }
    }

    fn is_usable(&self, pattern: &str) -> bool {
        let mut patterns = self.patterns.lock();
        let why = patterns.entry(pattern.to_owned()).or_insert_with(|| {
            let built = jsonschema::options().with_draft(Draft::Draft202012).build(&json!({"pattern": pattern}));
            built.err().map(|error| error.to_string())
        });
        why.is_none()
    }
}

fn is_integer_text(text: &str, least: i128, most: i128) -> bool {
    text.parse::<i128>().is_ok_and(|number| (least..=most).contains(&number))
}
