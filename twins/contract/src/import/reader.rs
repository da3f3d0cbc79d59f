//! What the readers of all kinds of documents share: the document, its problems, and its schemas by name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use indexmap::IndexMap;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    at::{At, escape, unescape},
    draft::Draft,
    looks::Evidence,
};
use crate::{
    contract::SecurityScheme,
    problem::{Problem, Severity},
    schema::Schema,
};

/// How often a part may just be another part's name.
const MAX_HOPS: usize = 32;

/// How a kind of document writes schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAPI 3.0: what stands beside a reference is ignored.
    OpenApi30,
    /// OpenAPI 3.1: JSON Schema 2020-12.
    OpenApi31,
    /// Swagger 2.0.
    Swagger2,
    /// Google's: references are names, numbers and defaults are texts, `required` is a member's own.
    Discovery,
}

/// One document being read.
pub(super) struct Reader<'a> {
    pub(super) document: SmolStr,
    pub(super) root: &'a Value,
    pub(super) dialect: Dialect,
    pub(super) problems: Vec<Problem>,
    pub(super) security: IndexMap<SmolStr, SecurityScheme>,
    pub(super) drafts: Vec<Draft>,
    /// Operations that could not be read.
    pub(super) left_out: usize,
    pub(super) evidence: Evidence,
    /// The names of schemas that something refers to, by pointer.
    names: BTreeMap<String, SmolStr>,
    taken: BTreeSet<SmolStr>,
    queue: VecDeque<(String, SmolStr, &'a Value)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(document: SmolStr, root: &'a Value, dialect: Dialect) -> Self {
        Self {
            document,
            root,
            dialect,
            problems: Vec::new(),
            security: IndexMap::new(),
            drafts: Vec::new(),
            left_out: 0,
            evidence: Evidence::default(),
            names: BTreeMap::new(),
            taken: BTreeSet::new(),
            queue: VecDeque::new(),
        }
    }

    /// Notes what was read without being used in full.
    pub(super) fn unused(&mut self, at: &At<'_>, what: impl Into<String>) {
        self.problem(at, Severity::Unused, what.into());
    }

    /// Notes what is left out.
    pub(super) fn broken(&mut self, at: &At<'_>, what: impl Into<String>) {
        self.problem(at, Severity::Broken, what.into());
    }

    /// Notes an operation that is left out.
    pub(super) fn left_out(&mut self, at: &At<'_>, what: impl Into<String>) {
        self.left_out += 1;
        self.broken(at, what);
    }

    fn problem(&mut self, at: &At<'_>, severity: Severity, what: String) {
        self.problems.push(Problem { document: self.document.clone(), pointer: at.to_string(), severity, what });
    }

    /// An object, or a problem.
    pub(super) fn object(&mut self, at: &At<'_>, value: &'a Value) -> Option<&'a Map<String, Value>> {
        self.expect(at, "an object", value, value.as_object())
    }

    /// What a value is read as, or a problem that says what was expected.
    pub(super) fn expect<T>(&mut self, at: &At<'_>, wanted: &str, value: &Value, read: Option<T>) -> Option<T> {
        if read.is_none() {
            self.unused(at, format!("{wanted} was expected, not {}", kind(value)));
        }
        read
    }

    /// A member that is an object; empty where there is none.
    pub(super) fn members(&mut self, at: &At<'_>, map: &'a Map<String, Value>, key: &str) -> Vec<(&'a str, &'a Value)> {
        let object = map.get(key).and_then(|value| self.object(&at.key(key), value));
        object.into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect()
    }

    /// A member that is a list; empty where there is none.
    pub(super) fn items(&mut self, at: &At<'_>, map: &'a Map<String, Value>, key: &str) -> &'a [Value] {
        let list = map.get(key).and_then(|value| self.expect(&at.key(key), "a list", value, value.as_array()));
        list.map_or(&[], Vec::as_slice)
    }

    /// A member that is text.
    pub(super) fn text(&mut self, at: &At<'_>, map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
        map.get(key).and_then(|value| self.expect(&at.key(key), "text", value, value.as_str()))
    }

    /// A member that is true or false.
    pub(super) fn flag(&mut self, at: &At<'_>, map: &'a Map<String, Value>, key: &str) -> Option<bool> {
        map.get(key).and_then(|value| self.expect(&at.key(key), "true or false", value, value.as_bool()))
    }

    /// Where a reference leads.
    fn target(&self, reference: &str) -> Result<(String, &'a Value), String> {
        if self.dialect == Dialect::Discovery {
            let pointer = format!("/schemas/{}", escape(reference));
            return self.root.pointer(&pointer).map(|value| (pointer, value)).ok_or_else(|| nowhere(reference));
        }
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(format!("`{reference}` is in another document, which is not read"));
        };
        let pointer = percent_decode_str(fragment).decode_utf8_lossy().into_owned();
        if pointer.is_empty() {
            return Err("the document as a whole is no part of itself".to_owned());
        }
        self.root.pointer(&pointer).map(|value| (pointer, value)).ok_or_else(|| nowhere(reference))
    }

    /// Where a reference leads, without a word where it leads nowhere.
    pub(super) fn peek(&self, reference: &str) -> Option<&'a Value> {
        self.target(reference).ok().map(|(_, value)| value)
    }

    /// A part that may be given by reference, with its own place. `None`, and a problem, where the reference leads
    /// nowhere.
    pub(super) fn follow(&mut self, at: &At<'_>, value: &'a Value) -> Option<(String, &'a Value)> {
        let mut found = (at.to_string(), value);
        for _ in 0..MAX_HOPS {
            let Some(reference) = found.1.get("$ref") else { return Some(found) };
            let place = format!("{}/$ref", found.0);
            let text = self.expect(&At::Root(&place), "a reference", reference, reference.as_str())?;
            match self.target(text) {
                Ok(next) => found = next,
                Err(what) => {
                    self.broken(&At::Root(&place), what);
                    return None;
                }
            }
        }
        self.broken(&at.key("$ref"), "the reference leads back to itself");
        None
    }

    /// The name of the schema that a reference leads to; it will be read. `None`, and a problem, where it leads nowhere.
    pub(super) fn reference(&mut self, at: &At<'_>, reference: &str) -> Option<SmolStr> {
        let (pointer, value) = match self.target(reference) {
            Ok(target) => target,
            Err(what) => {
                self.broken(at, what);
                return None;
            }
        };
        if let Some(name) = self.names.get(&pointer) {
            return Some(name.clone());
        }
        let name = self.free_name(&pointer);
        self.names.insert(pointer.clone(), name.clone());
        self.queue.push_back((pointer, name.clone(), value));
        Some(name)
    }

    fn free_name(&mut self, pointer: &str) -> SmolStr {
        let base = schema_name(pointer);
        let numbered = (2..).map(|number: u32| format!("{base}-{number}"));
        let mut names = std::iter::once(base.clone()).chain(numbered).map(SmolStr::from);
        let free = names.find(|name| self.taken.insert(name.clone()));
        free.expect("numbers do not end")
    }

    /// Reads all schemas that something refers to, and all that those refer to. By name.
    pub(super) fn schemas(&mut self) -> BTreeMap<SmolStr, Schema> {
        let mut read = BTreeMap::new();
        while let Some((pointer, name, value)) = self.queue.pop_front() {
            let schema = self.schema(&At::Root(&pointer), value);
            read.insert(name, schema);
        }
        read
    }

    /// The places of all named schemas, by name.
    pub(super) fn places(&self) -> BTreeMap<SmolStr, String> {
        self.names.iter().map(|(pointer, name)| (name.clone(), pointer.clone())).collect()
    }
}

/// What a value is, for people.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn nowhere(reference: &str) -> String {
    format!("`{reference}` leads nowhere")
}

/// What the schema at a pointer is called: its own name where the document keeps schemas by name, and else the steps
/// to it.
fn schema_name(pointer: &str) -> String {
    let homes = ["/components/schemas/", "/definitions/", "/schemas/", "/components/", "/"];
    let rest = homes.iter().find_map(|home| pointer.strip_prefix(home)).unwrap_or(pointer);
    rest.split('/').map(unescape).collect::<Vec<_>>().join(".")
}
