//! How each operation of a twin is called so that it works: `tests/silent/<twin>.yaml`.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::{
    clock::ClockMode,
    universe::{Options, Universe},
};
use serde::Deserialize;
use serde_json::Value;

use crate::support::root;

/// The calls of a twin. `{name}` in any text stands for a variable of the environment, for what is found in a view,
/// and for what a call of the set-up answered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// The `Authorization` header; with `basic` in front, user and password are still to be encoded.
    pub(super) auth: String,
    /// Whether arguments go as a form rather than in the query.
    #[serde(default)]
    pub(super) form: bool,
    /// Paths that nobody has.
    pub(super) made_up: Vec<MadeUp>,
    /// What is found in views of the world.
    #[serde(default)]
    find: BTreeMap<String, Find>,
    /// Calls that make what the others need.
    #[serde(default)]
    setup: Vec<Step>,
    /// A call of each operation, by its id.
    pub(super) calls: BTreeMap<String, Given>,
    #[serde(skip)]
    names: BTreeMap<String, String>,
}

/// A path that nobody has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MadeUp {
    pub(super) path: String,
    /// Whether the twin takes it for something that the service may have.
    pub(super) gap: bool,
}

/// A member of the view's row of which another member has this value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Find {
    view: String,
    member: String,
    is: String,
    #[serde(default = "id")]
    take: String,
}

fn id() -> String {
    "id".to_owned()
}

/// A call of the set-up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) call: String,
    #[serde(default)]
    given: Given,
    /// What of the answer is kept: names with JSON pointers.
    #[serde(default)]
    save: BTreeMap<String, String>,
}

/// What a call is given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The path's parameters, in order.
    #[serde(default)]
    pub(super) path: Vec<String>,
    /// The query's parameters, or the form's.
    #[serde(default)]
    pub(super) with: BTreeMap<String, Value>,
    /// Headers, in lower case.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Value>,
    /// A JSON body.
    #[serde(default)]
    pub(super) body: Option<Value>,
    /// Who calls, where it is not the plan's caller: nobody where empty.
    #[serde(default)]
    pub(super) auth: Option<String>,
    /// Whether arguments go as a form rather than in the query.
    #[serde(default)]
    pub(super) form: bool,
    /// More values to try, by the input's name.
    #[serde(default)]
    pub(super) samples: BTreeMap<String, Vec<Value>>,
    /// More calls that work, for inputs that count only beside others.
    #[serde(default)]
    pub(super) also: Vec<Given>,
}

/// A universe of the acme world in which nothing happens by itself.
pub(super) fn universe() -> Arc<Universe> {
    let options = Options { clock: ClockMode::Stepped, ..Options::default() };
    dtu_universe::multiverse().create_unserved("acme", &options).expect("acme loads")
}

/// An `Authorization` header whose user and password are encoded.
fn encoded(auth: String) -> String {
    auth.strip_prefix("basic ").map(|pair| format!("Basic {}", STANDARD.encode(pair))).unwrap_or(auth)
}

impl Plan {
    pub(super) fn read(twin: &str) -> Self {
        let path = format!("tests/silent/{twin}.yaml");
        let text = fs_err::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Learns the environment's variables and what is to be found.
    pub(super) fn expand(&mut self, universe: &Universe, twin: &str) {
        for variable in universe.env() {
            self.names.insert(variable.name.to_owned(), variable.content().to_owned());
        }
        for (name, find) in &self.find {
            let rows = universe.view(twin, &find.view).unwrap_or_default();
            let row = rows.as_array().into_iter().flatten().find(|row| row[&find.member] == find.is.as_str());
            let id = row.and_then(|row| row[&find.take].as_str());
            let id =
                id.unwrap_or_else(|| panic!("no row of {twin}.{} has the {} `{}`", find.view, find.member, find.is));
            self.names.insert(name.clone(), id.to_owned());
        }
        self.auth = encoded(self.replaced(&self.auth));
    }

    pub(super) fn take_setup(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.setup)
    }

    /// Keeps what a call of the set-up answered.
    pub(super) fn learn(&mut self, step: &Step, body: &Value) {
        for (name, pointer) in &step.save {
            let value = body.pointer(pointer).and_then(Value::as_str);
            let value = value.unwrap_or_else(|| panic!("{}: no text at {pointer} of {body}", step.call));
            self.names.insert(name.clone(), value.to_owned());
        }
    }

    /// Puts values in place of all names.
    pub(super) fn finish(&mut self) {
        let calls = std::mem::take(&mut self.calls);
        self.calls = calls.into_iter().map(|(id, given)| (id, self.filled(given))).collect();
    }

    fn replaced(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.names {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    fn filled(&self, given: Given) -> Given {
        let all = |values: BTreeMap<String, Value>| -> BTreeMap<String, Value> {
            values.into_iter().map(|(name, value)| (name, self.value(value))).collect()
        };
        let samples =
            |(name, values): (String, Vec<Value>)| (name, values.into_iter().map(|v| self.value(v)).collect());
        Given {
            path: given.path.iter().map(|text| self.replaced(text)).collect(),
            with: all(given.with),
            headers: all(given.headers),
            body: given.body.map(|body| self.value(body)),
            auth: given.auth.map(|auth| encoded(self.replaced(&auth))),
            form: given.form,
            samples: given.samples.into_iter().map(samples).collect(),
            also: given.also.into_iter().map(|other| self.filled(other)).collect(),
        }
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.replaced(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => members.into_iter().map(|(name, value)| (name, self.value(value))).collect(),
            other => other,
        }
    }
}

impl Step {
    /// What the call is given, with what is known so far.
    pub(super) fn given(&self, plan: &Plan) -> Given {
        plan.filled(self.given.clone())
    }
}
