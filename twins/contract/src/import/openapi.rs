//! OpenAPI 3.0 and 3.1.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    at::At,
    draft::{Draft, parameter},
    reader::{Dialect, Reader},
};
use crate::{
    contract::{Facts, Parameter, Place, RequestBody, Response, SecurityScheme, Style},
    schema::Schema,
};

/// The methods that a path can have.
const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// What else a path can have.
const BESIDE_METHODS: &[&str] = &["summary", "description", "parameters", "servers", "$ref"];

/// Headers that are no parameters and no facts of an answer: OpenAPI says them elsewhere.
pub(super) const SAID_ELSEWHERE: &[&str] = &["accept", "content-type", "authorization"];

/// What a path says for each of its operations.
struct Shared<'a> {
    path: &'a str,
    prefix: String,
    parameters: Vec<(String, &'a Value)>,
    stage: Option<SmolStr>,
}

pub(super) type Security = Vec<IndexMap<SmolStr, Vec<SmolStr>>>;

impl<'a> Reader<'a> {
    /// Reads a document of OpenAPI 3.
    pub(super) fn openapi(&mut self) {
        let Some(root) = self.root.as_object() else { return };
        let at = At::Root("");
        let components = at.key("components");
        let map = root.get("components").and_then(|value| self.object(&components, value));
        for (name, value) in map.map(|map| self.members(&components, map, "securitySchemes")).unwrap_or_default() {
            let place = components.key("securitySchemes");
            let scheme = self.security_scheme(&place.key(name), value);
            self.security.extend(scheme.map(|scheme| (SmolStr::from(name), scheme)));
        }
        let prefix = self.server(&at, root).unwrap_or_default();
        let security = self.security_of(&at, root).unwrap_or_default();
        for (path, item) in self.members(&at, root, "paths") {
            if !path.starts_with("x-") {
                self.path_item(path, item, &prefix, &security);
            }
        }
    }

    fn security_scheme(&mut self, at: &At<'_>, value: &'a Value) -> Option<SecurityScheme> {
        use openapiv3::{APIKeyLocation, SecurityScheme as Scheme};

        let (place, value) = self.follow(at, value)?;
        // The description may be missing or wrong in many ways that do not matter here.
        let scheme: Scheme = match serde_json::from_value(value.clone()) {
            Ok(scheme) => scheme,
            Err(error) => {
                self.broken(&At::Root(&place), format!("not a security scheme: {error}"));
                return None;
            }
        };
        Some(match scheme {
            Scheme::APIKey { location, name, .. } => {
                let place = match location {
                    APIKeyLocation::Query => Place::Query,
                    APIKeyLocation::Header => Place::Header,
                    APIKeyLocation::Cookie => Place::Cookie,
                };
                SecurityScheme::ApiKey { place, name: name.into() }
            }
            Scheme::HTTP { scheme, .. } => SecurityScheme::Http { scheme: scheme.to_ascii_lowercase().into() },
            Scheme::OAuth2 { .. } | Scheme::OpenIDConnect { .. } => SecurityScheme::OAuth2,
        })
    }

    /// The path of the first server; `None` where the part names no server.
    fn server(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> Option<String> {
        let list = at.key("servers");
        let value = self.items(at, map, "servers").first()?;
        let server: openapiv3::Server = match serde_json::from_value(value.clone()) {
            Ok(server) => server,
            Err(error) => {
                self.unused(&list.index(0), format!("not a server: {error}"));
                return None;
            }
        };
        let mut url = server.url.clone();
        for (name, variable) in server.variables.iter().flatten() {
            url = url.replace(&format!("{{{name}}}"), &variable.default);
        }
        self.evidence.host(&server.url);
        self.evidence.host(&url);
        Some(path_of(&url).to_owned())
    }

    /// Who may call; `None` where the part does not say.
    pub(super) fn security_of(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> Option<Security> {
        map.get("security")?;
        let list = at.key("security");
        let mut all = Vec::new();
        for (index, value) in self.items(at, map, "security").iter().enumerate() {
            let place = list.index(index);
            let mut needed = IndexMap::new();
            for (name, scopes) in self.object(&place, value).into_iter().flatten() {
                if !self.security.contains_key(name.as_str()) {
                    self.unused(&place.key(name), format!("`{name}` is none of the document's ways to show who calls"));
                }
                let scopes = self.expect(&place.key(name), "a list", scopes, scopes.as_array());
                let scopes = scopes.into_iter().flatten().filter_map(Value::as_str).map(SmolStr::from);
                needed.insert(SmolStr::from(name), scopes.collect());
            }
            all.push(needed);
        }
        Some(all)
    }

    pub(super) fn path_item(&mut self, path: &'a str, value: &'a Value, prefix: &str, security: &Security) {
        let paths = At::Root("/paths");
        let Some((place, value)) = self.follow(&paths.key(path), value) else { return };
        let at = At::Root(&place);
        let Some(item) = self.object(&at, value) else { return };
        let prefix = self.server(&at, item).unwrap_or_else(|| prefix.to_owned());
        let parameters = self.parameter_list(&at, item);
        let shared = Shared { path, prefix, parameters, stage: stage(item) };
        for (key, value) in item {
            if METHODS.contains(&key.as_str()) {
                self.operation(&at.key(key), key, value, &shared, security);
            } else if !BESIDE_METHODS.contains(&key.as_str()) && !key.starts_with("x-") {
                self.unused(&at.key(key), format!("`{key}` is no method that is read"));
            }
        }
    }

    fn operation(&mut self, at: &At<'_>, method: &str, value: &'a Value, shared: &Shared<'a>, security: &Security) {
        let Some(map) = value.as_object() else {
            return self.left_out(at, format!("an operation is an object, not {}", super::reader::kind(value)));
        };
        let prefix = self.server(at, map).unwrap_or_else(|| shared.prefix.clone());
        let Some(path) = self.path(at, &prefix, shared.path) else {
            self.left_out += 1;
            return;
        };
        let own = self.parameter_list(at, map);
        let mut facts = if self.dialect == Dialect::Swagger2 {
            self.swagger_facts(at, map, &shared.parameters, own)
        } else {
            let request = map.get("requestBody").and_then(|body| self.request_body(&at.key("requestBody"), body));
            let parameters = self.parameters(&shared.parameters, own);
            Facts { parameters, request, responses: self.responses(at, map), ..Facts::default() }
        };
        self.fit_path(at, &path, &mut facts.parameters);
        facts.security = self.security_of(at, map).unwrap_or_else(|| security.clone());
        let id = self.text(at, map, "operationId").filter(|id| !id.is_empty());
        let draft = Draft {
            pointer: at.to_string(),
            id: id.map(SmolStr::from),
            method: method.to_ascii_uppercase().into(),
            path,
            deprecated: self.flag(at, map, "deprecated").unwrap_or_default(),
            stage: stage(map).or_else(|| shared.stage.clone()),
            facts,
        };
        self.drafts.push(draft);
    }

    /// The parameters of a path or operation, each where it stands.
    fn parameter_list(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> Vec<(String, &'a Value)> {
        let list = at.key("parameters");
        let items = self.items(at, map, "parameters").iter().enumerate();
        items.filter_map(|(index, value)| self.follow(&list.index(index), value)).collect()
    }

    /// The operation's own parameters, and those of its path that it does not have itself.
    fn parameters(&mut self, shared: &[(String, &'a Value)], own: Vec<(String, &'a Value)>) -> Vec<Parameter> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for (place, value) in own {
            let Some(parameter) = self.parameter(&At::Root(&place), value) else { continue };
            if seen.insert(parameter_key(&parameter)) {
                all.push(parameter);
            } else {
                self.unused(&At::Root(&place), format!("`{}` stands twice; the first holds", parameter.name));
            }
        }
        for (place, value) in shared {
            let parameter = self.parameter(&At::Root(place), value);
            all.extend(parameter.filter(|parameter| seen.insert(parameter_key(parameter))));
        }
        all
    }

    fn parameter(&mut self, at: &At<'_>, value: &'a Value) -> Option<Parameter> {
        let map = self.object(at, value)?;
        let name = self.named(at, map, "name")?;
        let word = self.named(at, map, "in")?;
        let Some(place) = place(word) else {
            self.broken(&at.key("in"), format!("`{word}` is no place for a parameter"));
            return None;
        };
        if place == Place::Header && SAID_ELSEWHERE.contains(&name.to_ascii_lowercase().as_str()) {
            return None;
        }
        let schema = self.schema_or_content(at, map);
        let required = self.flag(at, map, "required").unwrap_or_default() || place == Place::Path;
        let style = self.style(at, map);
        let usual = matches!(place, Place::Query | Place::Cookie);
        let explode = self.flag(at, map, "explode").unwrap_or(usual && style.is_none_or(|style| style == Style::Form));
        let deprecated = self.flag(at, map, "deprecated").unwrap_or_default();
        let usual_style = if usual { Style::Form } else { Style::Simple };
        let single = self.is_single(map.get("schema"));
        Some(Parameter {
            explode: explode && !single,
            style: style.filter(|style| *style != usual_style),
            deprecated,
            ..parameter(name.into(), place, required, schema)
        })
    }

    /// A text without which the part is nothing.
    pub(super) fn named(&mut self, at: &At<'_>, map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
        let text = map.get(key).and_then(Value::as_str);
        if text.is_none() {
            self.broken(at, format!("a parameter without `{key}`"));
        }
        text
    }

    fn style(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> Option<Style> {
        let text = self.text(at, map, "style")?;
        let style = serde_json::from_value(Value::from(text)).ok();
        if style.is_none() {
            self.unused(&at.key("style"), format!("`{text}` is no style"));
        }
        style
    }

    /// Whether values are neither lists nor objects, so that it does not matter how those are written.
    fn is_single(&self, schema: Option<&Value>) -> bool {
        let mut schema = schema;
        for _ in 0..8 {
            match schema.and_then(|schema| schema.get("$ref")).and_then(Value::as_str) {
                Some(reference) => schema = self.peek(reference),
                None => break,
            }
        }
        let word = schema.and_then(|schema| schema.get("type")).and_then(Value::as_str);
        word.is_some_and(|word| !matches!(word, "array" | "object"))
    }

    fn schema_or_content(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> Schema {
        if let Some(schema) = map.get("schema") {
            return self.schema(&at.key("schema"), schema);
        }
        let mut content = self.content(at, map);
        content.shift_remove_index(0).map(|(_, schema)| schema).unwrap_or_default()
    }

    /// Schemas by media type.
    fn content(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> IndexMap<SmolStr, Schema> {
        let list = at.key("content");
        let mut content = IndexMap::new();
        for (media, value) in self.members(at, map, "content") {
            let place = list.key(media);
            let schema = self.object(&place, value).and_then(|map| map.get("schema"));
            let schema = schema.map(|schema| self.schema(&place.key("schema"), schema)).unwrap_or_default();
            content.insert(media_type(media), schema);
        }
        content
    }

    fn request_body(&mut self, at: &At<'_>, value: &'a Value) -> Option<RequestBody> {
        let (place, value) = self.follow(at, value)?;
        let at = At::Root(&place);
        let map = self.object(&at, value)?;
        let required = self.flag(&at, map, "required").unwrap_or_default();
        Some(RequestBody { required, content: self.content(&at, map) })
    }

    fn responses(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> IndexMap<SmolStr, Response> {
        let mut responses = IndexMap::new();
        for (status, place, value) in self.statuses(at, map) {
            let response = self.response(&At::Root(&place), value);
            responses.extend(response.map(|response| (status, response)));
        }
        responses
    }

    /// The answers of an operation by status, each where it stands.
    pub(super) fn statuses(&mut self, at: &At<'_>, map: &'a Map<String, Value>) -> Vec<(SmolStr, String, &'a Value)> {
        let list = at.key("responses");
        let mut all = Vec::new();
        if !map.contains_key("responses") {
            self.unused(at, "no answers are described");
        }
        for (word, value) in self.members(at, map, "responses") {
            let place = list.key(word);
            if word.starts_with("x-") {
                continue;
            }
            match status(word) {
                Some(status) => all.extend(self.follow(&place, value).map(|(place, value)| (status, place, value))),
                None => self.broken(&place, format!("`{word}` is no status")),
            }
        }
        all
    }

    fn response(&mut self, at: &At<'_>, value: &'a Value) -> Option<Response> {
        let map = self.object(at, value)?;
        let list = at.key("headers");
        let mut headers = IndexMap::new();
        for (name, value) in self.members(at, map, "headers") {
            let lower = name.to_ascii_lowercase();
            let header = self.follow(&list.key(name), value).filter(|_| lower != "content-type");
            let Some((place, value)) = header else { continue };
            let Some(map) = self.object(&At::Root(&place), value) else { continue };
            headers.insert(lower.into(), self.schema_or_content(&At::Root(&place), map));
        }
        Some(Response { content: self.content(at, map), headers })
    }
}

/// How far a path or operation is released, where that is not generally.
pub(super) fn stage(map: &Map<String, Value>) -> Option<SmolStr> {
    let okta = map.get("x-okta-lifecycle").and_then(|value| value.get("lifecycle")).and_then(Value::as_str);
    let experimental = map.get("x-experimental").is_some_and(|value| *value == true);
    okta.filter(|stage| *stage != "GA").or(experimental.then_some("experimental")).map(SmolStr::from)
}

/// Parameters are one where their names and places are; headers' names have no case.
fn parameter_key(parameter: &Parameter) -> (u8, String) {
    match parameter.place {
        Place::Path => (0, parameter.name.to_string()),
        Place::Query => (1, parameter.name.to_string()),
        Place::Header => (2, parameter.name.to_ascii_lowercase()),
        Place::Cookie => (3, parameter.name.to_string()),
    }
}

pub(super) fn place(word: &str) -> Option<Place> {
    Some(match word {
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        "cookie" => Place::Cookie,
        _ => return None,
    })
}

/// A status as contracts write it: `200`, `2XX`, `default`.
fn status(word: &str) -> Option<SmolStr> {
    match word.as_bytes() {
        b"default" => Some("default".into()),
        [b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => Some(word.to_ascii_uppercase().into()),
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] => Some(word.into()),
        _ => None,
    }
}

/// A media type without case and spaces that mean nothing.
pub(super) fn media_type(text: &str) -> SmolStr {
    let parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    parts.collect::<Vec<_>>().join(";").into()
}

/// The path of a URL, without a slash at its end.
fn path_of(url: &str) -> &str {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = behind_scheme.find('/').map_or("", |slash| &behind_scheme[slash..]);
    path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/')
}
