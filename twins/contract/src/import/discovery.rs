//! Google's discovery documents.
//!
//! - A path with `{+name}`, which stands for several segments, is read as its `flatPath`, so that a route is segments;
//!   the parameters that only the flat path names become text.
//! - The document's own parameters (`fields`, `alt`, `key`) are parameters of each method, as they are on the wire.
//! - A method that takes uploads is one operation, at its usual path: the media types that it accepts are media types
//!   of its request. The paths below `/upload` are the same operation again, and are not listed.
//! - A method whose answer can be downloaded as it is (`alt=media`) answers `*/*` besides.
//! - A method without an answer answers 204.
//! - One of a method's scopes is enough: each is an alternative.
//! - `annotations.required` names the methods that need a member: it becomes `required` beside the reference in those
//!   methods' requests.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    at::At,
    draft::{Draft, parameter, placeholders},
    openapi::{media_type, place},
    reader::Reader,
};
use crate::{
    contract::{Facts, Parameter, Place, RequestBody, Response, SecurityScheme},
    schema::{Schema, Type},
};

/// Words of a parameter that are not its schema's.
const OF_PARAMETER: &[&str] = &["location", "required", "repeated"];

/// The one way to show who calls.
const OAUTH2: SmolStr = SmolStr::new_static("oauth2");

impl<'a> Reader<'a> {
    /// Reads a discovery document.
    pub(super) fn discovery(&mut self) {
        let Some(root) = self.root.as_object() else { return };
        let at = At::Root("");
        if self.root.pointer("/auth/oauth2").is_some() {
            self.security.insert(OAUTH2, SecurityScheme::OAuth2);
        }
        let host = self.text(&at, root, "rootUrl").unwrap_or_default();
        self.evidence.host(host);
        let service = self.text(&at, root, "servicePath").unwrap_or_default().trim_matches('/');
        let prefix = if service.is_empty() { String::new() } else { format!("/{service}") };
        let shared = self.discovery_parameters(&at, root);
        self.resource(&at, root, &prefix, &shared);
    }

    fn resource(&mut self, at: &At<'_>, map: &'a Map<String, Value>, prefix: &str, shared: &[Parameter]) {
        let methods = at.key("methods");
        for (name, value) in self.members(at, map, "methods") {
            self.method(&methods.key(name), value, prefix, shared);
        }
        let resources = at.key("resources");
        for (name, value) in self.members(at, map, "resources") {
            let place = resources.key(name);
            if let Some(map) = self.object(&place, value) {
                self.resource(&place, map, prefix, shared);
            }
        }
    }

    fn method(&mut self, at: &At<'_>, value: &'a Value, prefix: &str, shared: &[Parameter]) {
        let Some(map) = value.as_object() else {
            return self.left_out(at, format!("a method is an object, not {}", super::reader::kind(value)));
        };
        let word = self.text(at, map, "httpMethod").filter(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let own = self.text(at, map, "path");
        let flat = self.text(at, map, "flatPath").filter(|_| own.is_none_or(|path| path.contains("{+")));
        let Some((word, own)) = word.zip(flat.or(own)) else {
            return self.left_out(at, "a method without `httpMethod` or `path`");
        };
        let own = format!("/{}", own.trim_start_matches('/').replace("{+", "{"));
        let Some(path) = self.path(at, prefix, &own) else {
            self.left_out += 1;
            return;
        };
        let id = self.text(at, map, "id");
        let mut parameters = self.discovery_parameters(at, map);
        let is_own =
            |shared: &&Parameter| !parameters.iter().any(|it| (it.place, &it.name) == (shared.place, &shared.name));
        let common: Vec<_> = shared.iter().filter(is_own).cloned().collect();
        parameters.extend(common);
        if flat.is_some() {
            fit_flat(&path, &mut parameters);
        }
        self.fit_path(at, &path, &mut parameters);
        let draft = Draft {
            pointer: at.to_string(),
            id: id.map(SmolStr::from),
            method: word.to_ascii_uppercase().into(),
            path,
            deprecated: self.flag(at, map, "deprecated").unwrap_or_default(),
            stage: None,
            facts: Facts {
                parameters,
                request: self.discovery_request(at, map, id),
                responses: self.discovery_responses(at, map),
                security: self.scopes(at, map),
                paging: None,
            },
        };
        self.drafts.push(draft);
    }

    fn discovery_parameters(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> Vec<Parameter> {
        let list = at.key("parameters");
        let members = self.members(at, map, "parameters");
        members.into_iter().filter_map(|(name, value)| self.discovery_parameter(&list.key(name), name, value)).collect()
    }

    fn discovery_parameter(&mut self, at: &At<'_>, name: &str, value: &'a Value) -> Option<Parameter> {
        let map = self.object(at, value)?;
        let word = self.named(at, map, "location")?;
        let Some(place) = place(word) else {
            self.broken(&at.key("location"), format!("`{word}` is no place for a parameter"));
            return None;
        };
        let required = self.flag(at, map, "required").unwrap_or_default();
        let repeated = self.flag(at, map, "repeated").unwrap_or_default();
        let mut schema = self.schema_in_place(at, value, OF_PARAMETER);
        if repeated {
            schema = Schema { types: vec![Type::Array], items: Some(Box::new(schema)), ..Schema::default() };
        }
        Some(Parameter { explode: repeated, ..parameter(name.into(), place, required, schema) })
    }

    fn discovery_request(&mut self, at: &At<'_>, map: &'a Map<String, Value>, id: Option<&str>) -> Option<RequestBody> {
        let mut content = IndexMap::new();
        if let Some(value) = map.get("request") {
            let mut schema = self.schema(&at.key("request"), value);
            schema.required = self.needed_by(value, id);
            content.insert(SmolStr::new_static("application/json"), schema);
        }
        let required = content.values().any(|schema| !schema.required.is_empty());
        let upload = at.key("mediaUpload");
        if let Some(media) = map.get("mediaUpload").and_then(|value| self.object(&upload, value)) {
            let accepted = self.items(&upload, media, "accept").iter().filter_map(Value::as_str);
            let types = std::iter::once("multipart/related").chain(accepted);
            content.extend(types.map(|media| (media_type(media), bytes())));
        }
        (!content.is_empty()).then_some(RequestBody { required, content })
    }

    /// The members of a request that a method needs.
    fn needed_by(&self, request: &Value, id: Option<&str>) -> Vec<SmolStr> {
        let name = request.get("$ref").and_then(Value::as_str);
        let schema = name.and_then(|name| self.peek(name));
        let properties = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
        let needs = |property: &Value| {
            let methods = property.pointer("/annotations/required").and_then(Value::as_array);
            methods.is_some_and(|methods| methods.iter().any(|method| method.as_str() == id && id.is_some()))
        };
        let needed = properties.into_iter().flatten().filter(|(_, property)| needs(property));
        needed.map(|(name, _)| SmolStr::from(name)).collect()
    }

    fn discovery_responses(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> IndexMap<SmolStr, Response> {
        let mut content = IndexMap::new();
        if let Some(value) = map.get("response") {
            content.insert("application/json".into(), self.schema(&at.key("response"), value));
        }
        if self.flag(at, map, "supportsMediaDownload").unwrap_or_default() {
            content.insert("*/*".into(), bytes());
        }
        let status = if content.is_empty() { "204" } else { "200" };
        IndexMap::from([(status.into(), Response { content, headers: IndexMap::new() })])
    }

    fn scopes(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> super::openapi::Security {
        let scopes = self.items(at, map, "scopes").iter().filter_map(Value::as_str);
        scopes.map(|scope| IndexMap::from([(OAUTH2, vec![SmolStr::from(scope)])])).collect()
    }
}

/// The parameters of a flat path: text, in place of those of the path that it stands for.
fn fit_flat(path: &str, parameters: &mut Vec<Parameter>) {
    let named = placeholders(path).unwrap_or_default();
    parameters.retain(|it| it.place != Place::Path || named.contains(&it.name.as_str()));
    let text = || Schema { types: vec![Type::String], ..Schema::default() };
    for name in named {
        if !parameters.iter().any(|it| it.place == Place::Path && it.name == name) {
            parameters.push(parameter(name.into(), Place::Path, true, text()));
        }
    }
}

fn bytes() -> Schema {
    Schema { types: vec![Type::String], format: Some("binary".into()), ..Schema::default() }
}
