//! Slack's methods.
//!
//! Slack publishes no current document of its Web API. The list of methods is made from its client libraries, and its
//! archived Swagger document has what libraries do not know: errors, scopes, examples. Together they are one document.
//!
//! - A method is `POST /api/{method}`. Its arguments are parameters in the query: Slack takes them from there, from a
//!   form or from a JSON body alike, and a contract that knew bodies only would know nothing of the first two.
//! - The archived document's schema of an argument holds where the list has no type that can be read.
//! - The answer 200 has the library's shape, or the archived document's where the library has none. Slack answers errors
//!   with 200 as well; the answer `default` is what an error looks like, with the codes that the archived document names.
//! - A method that takes a `token` needs one, with the archived document's scopes where that knows the method.
//! - A method that only a library has (it makes several calls of it) is no operation.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use smol_str::{SmolStr, format_smolstr};

use super::{
    at::At,
    draft::{Draft, parameter},
    reader::Reader,
    typescript,
};
use crate::{
    contract::{Facts, Parameter, Place, Response, SecurityScheme},
    schema::{Schema, Type},
};

const JSON: SmolStr = SmolStr::new_static("application/json");
const TOKEN: SmolStr = SmolStr::new_static("slackAuth");

/// The member with the methods that only the archived document and samples name.
const NAMES: &str = "names_only_in_archived_spec_or_java_samples";

/// The archived document's operations, by path, and its examples of good answers.
#[derive(Default)]
pub(super) struct Archive<'a> {
    pub(super) drafts: BTreeMap<SmolStr, Draft>,
    pub(super) examples: BTreeMap<SmolStr, &'a Value>,
}

impl<'a> Archive<'a> {
    /// What the archived document says, once it is read.
    pub(super) fn new(reader: &mut Reader<'a>) -> Self {
        let drafts = std::mem::take(&mut reader.drafts).into_iter();
        let paths = reader.root.get("paths").and_then(Value::as_object);
        let example = |item: &'a Value| {
            let item = item.as_object()?;
            item.values().find_map(|operation| operation.pointer("/responses/200/examples/application~1json"))
        };
        let examples = paths.into_iter().flatten();
        let examples = examples.filter_map(|(path, item)| Some((format_smolstr!("/api{path}"), example(item)?)));
        Self { drafts: drafts.map(|draft| (draft.path.clone(), draft)).collect(), examples: examples.collect() }
    }
}

impl<'a> Reader<'a> {
    /// Reads a list of Slack's methods.
    pub(super) fn slack(&mut self, archive: &Archive<'a>) {
        let Some(root) = self.root.as_object() else { return };
        let at = At::Root("");
        self.security.insert(TOKEN, SecurityScheme::OAuth2);
        for key in ["methods", "python_only_methods", NAMES] {
            let list = at.key(key);
            for (index, value) in self.items(&at, root, key).iter().enumerate() {
                self.slack_method(&list.index(index), value, archive);
            }
        }
    }

    fn slack_method(&mut self, at: &At<'_>, value: &'a Value, archive: &Archive<'a>) {
        let nothing = Map::new();
        let name = value.as_str().or_else(|| value.get("method")?.as_str());
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return self.left_out(at, "a method without a name");
        };
        if value.get("note").and_then(Value::as_str).is_some_and(|note| note.starts_with("SDK helper")) {
            self.left_out += 1;
            return self.unused(at, format!("`{name}` is a library's own, not one of the service"));
        }
        let Some(path) = self.path(at, "/api", &format!("/{name}")) else {
            self.left_out += 1;
            return;
        };
        let archived = archive.drafts.get(&path);
        let map = value.as_object().unwrap_or(&nothing);
        let known = archived.map(|draft| arguments_of(&draft.facts)).unwrap_or_default();
        let parameters = self.arguments(at, value, known);
        let facts = Facts {
            security: security(&parameters, archived),
            responses: self.answers(at, value, archive.examples.get(&path).copied(), archived),
            parameters,
            ..Facts::default()
        };
        self.drafts.push(Draft {
            pointer: at.to_string(),
            id: Some(name.into()),
            method: "POST".into(),
            path,
            deprecated: map.contains_key("deprecated") || archived.is_some_and(|draft| draft.deprecated),
            stage: None,
            facts,
        });
    }

    /// The arguments: a library's with types, or else the other library's, or else the archived document's.
    fn arguments(&mut self, at: &At<'_>, value: &'a Value, known: IndexMap<SmolStr, (Schema, bool)>) -> Vec<Parameter> {
        let Some(map) = value.as_object() else {
            return known.into_iter().map(|(name, (schema, required))| argument(name, required, schema)).collect();
        };
        let schema_of = |name: &str| known.get(name).map(|(schema, _)| schema.clone()).unwrap_or_default();
        if map.contains_key("args") {
            let list = at.key("args");
            let args = self.items(at, map, "args").iter().enumerate();
            return args
                .filter_map(|(index, value)| self.typed_argument(&list.index(index), value, &schema_of))
                .collect();
        }
        let place = at.key("py");
        let Some(map) = map.get("py").and_then(|value| self.object(&place, value)) else { return Vec::new() };
        let required = self.items(&place, map, "required");
        let names = self.items(&place, map, "args").iter().filter_map(Value::as_str);
        let is_required = |name: &str| required.iter().any(|required| required == name);
        names.map(|name| argument(name.into(), is_required(name), schema_of(name))).collect()
    }

    fn typed_argument(&mut self, at: &At<'_>, value: &'a Value, known: &impl Fn(&str) -> Schema) -> Option<Parameter> {
        let map = self.object(at, value)?;
        let name = self.named(at, map, "name")?;
        let schema = self.text(at, map, "type").map(typescript::schema).unwrap_or_default();
        let schema = if schema == Schema::default() { known(name) } else { schema };
        Some(argument(name.into(), self.flag(at, map, "required").unwrap_or_default(), schema))
    }

    fn answers(
        &mut self,
        at: &At<'_>,
        value: &'a Value,
        example: Option<&Value>,
        archived: Option<&Draft>,
    ) -> IndexMap<SmolStr, Response> {
        let good = value.get("response").map(|shape| {
            self.note_shape(shape, example.unwrap_or(&Value::Null));
            Schema { required: vec!["ok".into()], ..self.shape(&at.key("response"), shape) }
        });
        let archived_answer = |status: &str| {
            let response = archived?.facts.responses.get(status)?;
            response.content.values().next().cloned()
        };
        let good = good.or_else(|| archived_answer("200")).unwrap_or_else(|| envelope(None, None));
        let codes = archived_answer("default").and_then(|bad| bad.properties.get("error")?.values.clone());
        let bad = codes.map(|codes| ("default", envelope(Some(false), Some(codes))));
        let all = std::iter::once(("200", good)).chain(bad);
        let response = |schema| Response { content: IndexMap::from([(JSON, schema)]), headers: IndexMap::new() };
        all.map(|(status, schema)| (status.into(), response(schema))).collect()
    }

    /// Notes what an example shows along a shape.
    fn note_shape(&mut self, shape: &'a Value, example: &Value) {
        match (shape, example) {
            (Value::Object(members), Value::Object(examples)) => {
                for (shape, example) in members.iter().filter_map(|(name, shape)| Some((shape, examples.get(name)?))) {
                    self.note_shape(shape, example);
                }
            }
            (Value::Array(shapes), Value::Array(examples)) => {
                let Some(shape) = shapes.first() else { return };
                for example in examples {
                    self.note_shape(shape, example);
                }
            }
            (Value::String(_), Value::String(text)) => self.evidence.note(shape, text),
            _ => {}
        }
    }

    /// A library's shape of an answer as a schema.
    fn shape(&mut self, at: &At<'_>, value: &'a Value) -> Schema {
        match value {
            Value::Object(members) if members.values().filter_map(Value::as_str).any(typescript::is_function) => {
                self.unused(at, "the members of a list's own type; taken as a list");
                Schema { types: vec![Type::Array], ..Schema::default() }
            }
            Value::Object(members) => {
                let properties = members.iter();
                let properties = properties.map(|(name, value)| (name.into(), self.shape(&at.key(name), value)));
                Schema { types: vec![Type::Object], properties: properties.collect(), ..Schema::default() }
            }
            Value::Array(items) => {
                let item = items.first().map(|item| Box::new(self.shape(&at.index(0), item)));
                Schema { types: vec![Type::Array], items: item, ..Schema::default() }
            }
            Value::String(text) => {
                let schema = typescript::schema(text);
                let looks = self.evidence.looks(value, at.called(), &schema);
                Schema { looks: looks.filter(|_| schema.values.is_none()), ..schema }
            }
            other => {
                self.expect::<()>(at, "a shape", other, None);
                Schema::default()
            }
        }
    }
}

/// The arguments of an archived operation, from wherever it takes them.
fn arguments_of(facts: &Facts) -> IndexMap<SmolStr, (Schema, bool)> {
    let outside = facts.parameters.iter().map(|it| (it.name.clone(), (it.schema.clone(), it.required)));
    let body = facts.request.iter().filter_map(|body| body.content.values().next());
    let inside = body.flat_map(|schema| {
        let required = |name: &SmolStr| schema.required.contains(name);
        schema.properties.iter().map(move |(name, part)| (name.clone(), (part.clone(), required(name))))
    });
    outside.chain(inside).collect()
}

fn argument(name: SmolStr, required: bool, schema: Schema) -> Parameter {
    // A token may always be in the `Authorization` header instead.
    let required = required && name != "token";
    parameter(name, Place::Query, required, schema)
}

fn security(parameters: &[Parameter], archived: Option<&Draft>) -> super::openapi::Security {
    let named = archived.into_iter().flat_map(|draft| &draft.facts.security).flat_map(IndexMap::values).flatten();
    let scopes: Vec<_> = named.filter(|scope| *scope != "none").cloned().collect();
    let token = parameters.iter().any(|parameter| parameter.name == "token");
    if token || !scopes.is_empty() { vec![IndexMap::from([(TOKEN, scopes)])] } else { Vec::new() }
}

/// What every answer of Slack is: `ok`, and the error's code where it is not.
fn envelope(ok: Option<bool>, codes: Option<Vec<Value>>) -> Schema {
    let flag = Schema { types: vec![Type::Boolean], values: ok.map(|ok| vec![ok.into()]), ..Schema::default() };
    let mut properties = IndexMap::from([(SmolStr::new_static("ok"), flag)]);
    if codes.is_some() {
        properties.insert("error".into(), Schema { types: vec![Type::String], values: codes, ..Schema::default() });
    }
    let required = properties.keys().cloned().collect();
    Schema { types: vec![Type::Object], properties, required, ..Schema::default() }
}
