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
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// The `Authorization` header; with `basic` in front, user and password are still to be encoded.
    pub(crate) auth: String,
    /// Whether arguments go as a form rather than in the query.
    #[serde(default)]
    pub(crate) form: bool,
    /// Paths that nobody has.
    pub(crate) made_up: Vec<MadeUp>,
    /// What is found in views of the world.
    #[serde(default)]
    find: BTreeMap<String, Find>,
    /// Calls that make what the others need.
    #[serde(default)]
    setup: Vec<Step>,
    /// A call of each operation, by its id.
    pub(crate) calls: BTreeMap<String, Given>,
    #[serde(skip)]
    pub(crate) names: BTreeMap<String, String>,
}

/// A path that nobody has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MadeUp {
    pub(crate) path: String,
    /// Whether the twin takes it for something that the service may have.
    pub(crate) gap: bool,
}

/// A member of the view's row of which another member has this value.
#[derive(Clone, Debug, Deserialize)]
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

/// A step of the set-up: a call, something that somebody does, or time that passes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// The operation that is called.
    #[serde(default)]
    pub(crate) call: String,
    #[serde(default)]
    given: Given,
    /// Whether it is refused, and the refusal is what is kept of it.
    #[serde(default)]
    pub(crate) refused: bool,
    /// The verb, with who does it and how.
    #[serde(default)]
    pub(crate) act: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    how: BTreeMap<String, Value>,
    /// How many seconds pass. Only in lists of steps that say so: the walk's universe stands still.
    #[serde(default)]
    pub(crate) pass: u64,
    /// What of the answer is kept: names with JSON pointers, with `#last` for the last part of a path.
    #[serde(default)]
    save: BTreeMap<String, String>,
}

/// What a call is given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    /// The path's parameters, in order.
    #[serde(default)]
    pub(crate) path: Vec<String>,
    /// The query's parameters, or the form's.
    #[serde(default)]
    pub(crate) with: BTreeMap<String, Value>,
    /// Headers, in lower case.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    /// A JSON body.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// Who calls, where it is not the plan's caller: nobody where empty.
    #[serde(default)]
    pub(crate) auth: Option<String>,
    /// Whether arguments go as a form rather than in the query.
    #[serde(default)]
    pub(crate) form: bool,
    /// More values to try, by the input's name.
    #[serde(default)]
    pub(crate) samples: BTreeMap<String, Vec<Value>>,
    /// More calls that work, for inputs that count only beside others.
    #[serde(default)]
    pub(crate) also: Vec<Given>,
}

/// A universe of the acme world in which nothing happens by itself.
pub(crate) fn universe() -> Arc<Universe> {
    let options = Options { clock: ClockMode::Stepped, ..Options::default() };
    dtu_universe::multiverse().create_unserved("acme", &options).expect("acme loads")
}

/// An `Authorization` header whose user and password are encoded.
fn encoded(auth: String) -> String {
    auth.strip_prefix("basic ").map(|pair| format!("Basic {}", STANDARD.encode(pair))).unwrap_or(auth)
}

impl Plan {
    pub(crate) fn read(twin: &str) -> Self {
        let path = format!("tests/silent/{twin}.yaml");
        let text = fs_err::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Learns the environment's variables and what is to be found.
    pub(crate) fn expand(&mut self, universe: &Universe, twin: &str) {
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

    pub(crate) fn take_setup(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.setup)
    }

    /// Keeps what a call of the set-up answered.
    pub(crate) fn learn(&mut self, step: &Step, body: &Value) {
        for (name, pointer) in &step.save {
            let (pointer, part) = pointer.split_once('#').unwrap_or((pointer, ""));
            let value = match body.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => panic!("{}{}: no text at {pointer} of {body}", step.call, step.act),
            };
            let value = if part == "last" { value.rsplit('/').next().unwrap_or(&value) } else { &value };
            self.names.insert(name.clone(), value.to_owned());
        }
    }

    /// Puts values in place of all names.
    pub(crate) fn finish(&mut self) {
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

    /// The call with values in place of all names.
    pub(crate) fn filled(&self, given: Given) -> Given {
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

    /// A value with what its names stand for.
    pub(crate) fn value(&self, value: Value) -> Value {
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
    pub(crate) fn given(&self, plan: &Plan) -> Given {
        plan.filled(self.given.clone())
    }

    /// Does what somebody does: what came of it.
    pub(crate) fn perform(&self, universe: &Universe, plan: &Plan) -> Value {
        let how = self.how.iter().map(|(name, value)| (name.clone(), plan.value(value.clone()))).collect();
        let done = universe.perform(&self.act, &self.by, how);
        done.unwrap_or_else(|refusal| panic!("{} as {}: {}", self.act, self.by, refusal.0))
    }
}
