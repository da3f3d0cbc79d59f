//! A contract's operations in OpenAPI 3.0, for the documents that twins serve of themselves.

use dtu_kernel::openapi;
use serde_json::{Map, Value, json};

use crate::{
    contract::{Document, Operation, Parameter, Place, RequestBody, Response},
    schema::{Additional, Schema},
};

/// The OpenAPI object of an operation. The schemas that it names are added to `out`.
pub fn operation(out: &mut openapi::Document, document: &'static Document, operation: &Operation) -> Value {
    let mut writer = Writer { document, out };
    let facts = operation.facts.get();
    let parameters: Vec<Value> = facts.parameters.iter().map(|parameter| writer.parameter(parameter)).collect();
    let mut responses: Map<String, Value> =
        facts.responses.iter().map(|(status, response)| (status.to_string(), writer.response(response))).collect();
    if responses.is_empty() {
        responses.insert("default".to_owned(), json!({ "description": "What the service answers." }));
    }
    let mut made = json!({
        "operationId": format!("{}:{}", document.name, operation.id),
        "parameters": parameters,
        "responses": responses,
    });
    if operation.deprecated {
        made["deprecated"] = json!(true);
    }
    if let Some(request) = &facts.request {
        made["requestBody"] = writer.request(request);
    }
    made
}

struct Writer<'a> {
    document: &'static Document,
    out: &'a mut openapi::Document,
}

impl Writer<'_> {
    fn parameter(&mut self, parameter: &Parameter) -> Value {
        let place = match parameter.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
        };
        json!({
            "name": parameter.name, "in": place, "required": parameter.required || parameter.place == Place::Path,
            "schema": self.schema(&parameter.schema),
        })
    }

    fn request(&mut self, request: &RequestBody) -> Value {
        json!({ "required": request.required, "content": self.content(&request.content) })
    }

    fn response(&mut self, response: &Response) -> Value {
        let mut made = json!({ "description": "What the service answers." });
        if !response.content.is_empty() {
            made["content"] = self.content(&response.content);
        }
        made
    }

    fn content(&mut self, content: &indexmap::IndexMap<smol_str::SmolStr, Schema>) -> Value {
        content.iter().map(|(media, schema)| (media.to_string(), json!({ "schema": self.schema(schema) }))).collect()
    }

    /// The name of a document's schema among all: documents of one service may use a name for different things.
    fn name_of(&self, name: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        format!("{}.{name}", self.document.name).chars().map(plain).collect()
    }

    /// A reference to a schema of the document, which is defined on the way.
    fn reference(&mut self, name: &str) -> Value {
        let known = self.name_of(name);
        if !self.out.defines(&known) {
            // Defined before it is looked into: schemas may hold themselves.
            self.out.define(&known, Value::Null);
            let schema = self.document.schemas.get(name).map_or_else(|| json!({}), |schema| self.schema(schema.get()));
            self.out.define(&known, schema);
        }
        json!({ "$ref": format!("#/components/schemas/{known}") })
    }

    fn schema(&mut self, schema: &Schema) -> Value {
        let Some(name) = &schema.reference else { return Value::Object(self.facts(schema)) };
        let reference = self.reference(name);
        let beside = self.facts(schema);
        // OpenAPI 3.0 passes over what stands beside a reference.
        if beside.is_empty() { reference } else { json!({ "allOf": [reference, beside] }) }
    }

    fn facts(&mut self, schema: &Schema) -> Map<String, Value> {
        let mut made = Map::new();
        Self::bounds(schema, &mut made);
        self.parts(schema, &mut made);
        made
    }

    /// What the document says of a value besides its parts. OpenAPI 3.0 knows one type; several become alternatives.
    fn bounds(schema: &Schema, made: &mut Map<String, Value>) {
        match schema.types.as_slice() {
            [] => {}
            [one] => put(made, "type", Some(json!(one))),
            several => put(made, "anyOf", Some(several.iter().map(|one| json!({ "type": one })).collect())),
        }
        let flag = |on: bool| on.then(|| json!(true));
        put(made, "nullable", flag(schema.nullable));
        put(made, "format", schema.format.as_ref().map(|format| json!(format)));
        put(made, "enum", schema.values.as_ref().map(|values| json!(values)));
        put(made, "default", schema.default.clone());
        put(made, "minimum", schema.minimum.as_ref().or(schema.exclusive_minimum.as_ref()).map(|n| json!(n)));
        put(made, "exclusiveMinimum", flag(schema.minimum.is_none() && schema.exclusive_minimum.is_some()));
        put(made, "maximum", schema.maximum.as_ref().or(schema.exclusive_maximum.as_ref()).map(|n| json!(n)));
        put(made, "exclusiveMaximum", flag(schema.maximum.is_none() && schema.exclusive_maximum.is_some()));
        put(made, "multipleOf", schema.multiple_of.as_ref().map(|n| json!(n)));
        put(made, "minLength", schema.min_length.map(|n| json!(n)));
        put(made, "maxLength", schema.max_length.map(|n| json!(n)));
        put(made, "pattern", schema.pattern.as_ref().map(|pattern| json!(pattern)));
        put(made, "minItems", schema.min_items.map(|n| json!(n)));
        put(made, "maxItems", schema.max_items.map(|n| json!(n)));
        put(made, "uniqueItems", flag(schema.unique_items));
        put(made, "minProperties", schema.min_properties.map(|n| json!(n)));
        put(made, "maxProperties", schema.max_properties.map(|n| json!(n)));
        put(made, "readOnly", flag(schema.read_only));
        put(made, "writeOnly", flag(schema.write_only));
        put(made, "deprecated", flag(schema.deprecated));
    }

    fn parts(&mut self, schema: &Schema, made: &mut Map<String, Value>) {
        let items = schema.items.as_ref().map(|items| self.schema(items));
        put(made, "items", items.or_else(|| (made.get("type") == Some(&json!("array"))).then(|| json!({}))));
        if !schema.properties.is_empty() {
            let members = schema.properties.iter();
            let members = members.map(|(name, member)| (name.to_string(), self.schema(member))).collect();
            made.insert("properties".to_owned(), Value::Object(members));
        }
        put(made, "required", (!schema.required.is_empty()).then(|| json!(schema.required)));
        let additional = schema.additional.as_ref().map(|additional| match additional {
            Additional::Allowed(allowed) => json!(allowed),
            Additional::Of(of) => self.schema(of),
        });
        put(made, "additionalProperties", additional);
        for (name, alternatives) in [("allOf", &schema.all_of), ("oneOf", &schema.one_of), ("anyOf", &schema.any_of)] {
            if !alternatives.is_empty() {
                let made_of: Vec<Value> = alternatives.iter().map(|one| self.schema(one)).collect();
                made.insert(name.to_owned(), json!(made_of));
            }
        }
        put(made, "not", schema.not.as_ref().map(|not| self.schema(not)));
        // A discriminator belongs to a choice; elsewhere the document's own tools have no use for it.
        if !schema.one_of.is_empty() || !schema.any_of.is_empty() {
            let discriminator = schema.discriminator.as_ref().map(|told| json!({ "propertyName": told.property }));
            put(made, "discriminator", discriminator);
        }
    }
}

fn put(made: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        made.insert(name.to_owned(), value);
    }
}
