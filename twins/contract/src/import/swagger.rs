//! Swagger 2.0, as far as it differs from OpenAPI 3: bodies and forms are parameters, schemas of parameters stand in
//! place, media types are listed apart from schemas.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    at::At,
    draft::parameter,
    openapi::{SAID_ELSEWHERE, media_type, place},
    reader::Reader,
};
use crate::{
    contract::{Facts, Parameter, Place, RequestBody, Response, SecurityScheme, Style},
    schema::{Schema, Type},
};

/// Words of a parameter that are not its schema's.
const OF_PARAMETER: &[&str] = &["name", "in", "required", "collectionFormat", "allowEmptyValue", "schema"];

impl<'a> Reader<'a> {
    /// Reads a document of Swagger 2.0.
    pub(super) fn swagger(&mut self) {
        let Some(root) = self.root.as_object() else { return };
        let at = At::Root("");
        for (name, value) in self.members(&at, root, "securityDefinitions") {
            let scheme = self.security_definition(&At::Root("/securityDefinitions").key(name), value);
            self.security.extend(scheme.map(|scheme| (SmolStr::from(name), scheme)));
        }
        let host = self.text(&at, root, "host").unwrap_or_default();
        self.evidence.host(host);
        let prefix = self.text(&at, root, "basePath").unwrap_or_default().trim_end_matches('/');
        let security = self.security_of(&at, root).unwrap_or_default();
        for (path, item) in self.members(&at, root, "paths") {
            if !path.starts_with("x-") {
                self.path_item(path, item, prefix, &security);
            }
        }
    }

    fn security_definition(&mut self, at: &At<'_>, value: &'a Value) -> Option<SecurityScheme> {
        let map = self.object(at, value)?;
        match self.text(at, map, "type") {
            Some("basic") => Some(SecurityScheme::Http { scheme: "basic".into() }),
            Some("oauth2") => Some(SecurityScheme::OAuth2),
            Some("apiKey") => {
                let place = self.text(at, map, "in").and_then(place);
                let scheme = place.zip(self.text(at, map, "name"));
                if scheme.is_none() {
                    self.broken(at, "a key without place or name");
                }
                scheme.map(|(place, name)| SecurityScheme::ApiKey { place, name: name.into() })
            }
            _ => {
                self.broken(at, "not a way to show who calls that is known");
                None
            }
        }
    }

    /// What an operation takes and answers.
    pub(super) fn swagger_facts(
        &mut self,
        at: &At<'_>,
        map: &'a Map<String, Value>,
        shared: &[(String, &'a Value)],
        own: Vec<(String, &'a Value)>,
    ) -> Facts {
        let mut seen = BTreeSet::new();
        let mut facts = Facts::default();
        let mut form = Form::default();
        let count = own.len();
        for (index, (pointer, value)) in own.into_iter().chain(shared.iter().cloned()).enumerate() {
            let place = At::Root(&pointer);
            let key = (value.get("in").and_then(Value::as_str), value.get("name").and_then(Value::as_str));
            if !seen.insert(key) {
                if index < count {
                    self.unused(&place, format!("`{}` stands twice; the first holds", key.1.unwrap_or_default()));
                }
                continue;
            }
            match key.0 {
                Some("body") => {
                    let consumes = self.media(at, map, "consumes");
                    facts.request = self.body(&place, value, consumes);
                }
                Some("formData") => self.form_member(&place, value, &mut form),
                _ => facts.parameters.extend(self.swagger_parameter(&place, value)),
            }
        }
        if !form.schema.properties.is_empty() {
            facts.request = Some(form.into_body(self.media(at, map, "consumes")));
        }
        let produces = self.media(at, map, "produces");
        facts.responses = self.swagger_responses(at, map, &produces);
        facts
    }

    /// The media types of an operation, or else of the document.
    fn media(&mut self, at: &At<'_>, map: &'a Map<String, Value>, key: &str) -> Vec<SmolStr> {
        let root = At::Root("");
        let list = match (map.contains_key(key), self.root.as_object()) {
            (false, Some(map)) => self.items(&root, map, key),
            _ => self.items(at, map, key),
        };
        list.iter().filter_map(Value::as_str).map(media_type).collect()
    }

    fn body(&mut self, at: &At<'_>, value: &'a Value, consumes: Vec<SmolStr>) -> Option<RequestBody> {
        let map = self.object(at, value)?;
        let required = self.flag(at, map, "required").unwrap_or_default();
        let schema = map.get("schema").map(|schema| self.schema(&at.key("schema"), schema)).unwrap_or_default();
        Some(RequestBody { required, content: for_each(consumes, schema) })
    }

    fn form_member(&mut self, at: &At<'_>, value: &'a Value, form: &mut Form) {
        let Some(map) = self.object(at, value) else { return };
        let Some(name) = self.named(at, map, "name") else { return };
        let schema = self.schema_in_place(at, value, OF_PARAMETER);
        form.has_file |= map.get("type").is_some_and(|word| word == "file");
        if self.flag(at, map, "required").unwrap_or_default() {
            form.schema.required.push(name.into());
        }
        form.schema.properties.insert(name.into(), schema);
    }

    fn swagger_parameter(&mut self, at: &At<'_>, value: &'a Value) -> Option<Parameter> {
        let map = self.object(at, value)?;
        let name = self.named(at, map, "name")?;
        let word = self.named(at, map, "in")?;
        let Some(place) = place(word).filter(|place| *place != Place::Cookie) else {
            self.broken(&at.key("in"), format!("`{word}` is no place for a parameter"));
            return None;
        };
        if place == Place::Header && SAID_ELSEWHERE.contains(&name.to_ascii_lowercase().as_str()) {
            return None;
        }
        let required = self.flag(at, map, "required").unwrap_or_default() || place == Place::Path;
        let schema = self.schema_in_place(at, value, OF_PARAMETER);
        let (explode, style) = match self.text(at, map, "collectionFormat") {
            Some("multi") => (true, None),
            Some("ssv") => (false, Some(Style::SpaceDelimited)),
            Some("pipes") => (false, Some(Style::PipeDelimited)),
            None | Some("csv") => (false, None),
            Some(other) => {
                self.unused(&at.key("collectionFormat"), format!("lists written as `{other}` are not read"));
                (false, None)
            }
        };
        Some(Parameter { explode, style, ..parameter(name.into(), place, required, schema) })
    }

    fn swagger_responses(
        &mut self,
        at: &At<'_>,
        map: &'a Map<String, Value>,
        produces: &[SmolStr],
    ) -> IndexMap<SmolStr, Response> {
        let mut responses = IndexMap::new();
        for (status, place, value) in self.statuses(at, map) {
            let at = At::Root(&place);
            let Some(map) = self.object(&at, value) else { continue };
            let list = at.key("headers");
            let headers = self.members(&at, map, "headers").into_iter().map(|(name, value)| {
                (SmolStr::from(name.to_ascii_lowercase()), self.schema_in_place(&list.key(name), value, OF_PARAMETER))
            });
            let headers = headers.collect();
            let schema = map.get("schema").map(|schema| self.schema(&at.key("schema"), schema));
            let content = schema.map(|schema| for_each(produces.to_vec(), schema)).unwrap_or_default();
            responses.insert(status, Response { content, headers });
        }
        responses
    }
}

/// A form that is put together from parameters.
#[derive(Default)]
struct Form {
    schema: Schema,
    has_file: bool,
}

impl Form {
    fn into_body(self, consumes: Vec<SmolStr>) -> RequestBody {
        let usual = if self.has_file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
        let consumes = if consumes.is_empty() { vec![SmolStr::new_static(usual)] } else { consumes };
        let required = !self.schema.required.is_empty();
        let schema = Schema { types: vec![Type::Object], ..self.schema };
        RequestBody { required, content: for_each(consumes, schema) }
    }
}

/// One schema for all media types; JSON where none is named.
fn for_each(media: Vec<SmolStr>, schema: Schema) -> IndexMap<SmolStr, Schema> {
    let media = if media.is_empty() { vec![SmolStr::new_static("application/json")] } else { media };
    media.into_iter().map(|media| (media, schema.clone())).collect()
}
