//! OpenAPI 3.0 documents of what is served, made from the tables that serve it and schemas of the Rust types.

use http::Method;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    host::Host,
    operation::{Level, OperationInfo},
};

/// The schema of a type, as tables hold it.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A document in the making.
#[derive(Debug)]
pub struct Document {
    generator: SchemaGenerator,
    named: Map<String, Value>,
    paths: Map<String, Value>,
}

impl Default for Document {
    fn default() -> Self {
        Self { generator: SchemaSettings::openapi3().into_generator(), named: Map::new(), paths: Map::new() }
    }
}

impl Document {
    /// The schema of a type; what it refers to goes into the document's components.
    pub fn schema(&mut self, of: SchemaOf) -> Value {
        let schema = of(&mut self.generator);
        self.adapted(schema)
    }

    /// A schema in the dialect of OpenAPI 3.0. The generator adapts only what it puts into the components.
    fn adapted(&mut self, mut schema: Schema) -> Value {
        for transform in self.generator.transforms_mut() {
            transform.transform(&mut schema);
        }
        schema.to_value()
    }

    /// Whether there is a schema under this name of its own.
    pub fn defines(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// Puts a schema under a name of its own, in place of what was there.
    pub fn define(&mut self, name: &str, schema: Value) {
        self.named.insert(name.to_owned(), schema);
    }

    /// Adds an operation: an OpenAPI operation object under its path and method.
    pub fn add(&mut self, path: &str, method: &Method, operation: Value) {
        let item = self.paths.entry(path.to_owned()).or_insert_with(|| json!({}));
        item[method.as_str().to_ascii_lowercase()] = operation;
    }

    /// The finished document.
    pub fn finish(mut self, title: &str, version: &str, security: Value) -> Value {
        let mut schemas: Map<String, Value> = self.generator.take_definitions(true);
        schemas.append(&mut self.named);
        json!({
            "openapi": "3.0.3",
            "info": { "title": title, "version": version },
            "paths": self.paths,
            "components": { "schemas": schemas, "securitySchemes": security },
        })
    }
}

/// The document of what a twin serves: all of it, made from the Rust types of what is hand-written, and from the
/// service's own documents for the rest.
pub fn of_twin(host: &dyn Host) -> Value {
    of_rows(host, |info| info.level() != Level::Absent)
}

/// The document of a twin's hand-written operations alone.
pub fn of_written(host: &dyn Host) -> Value {
    of_rows(host, OperationInfo::behaves)
}

fn of_rows(host: &dyn Host, keep: impl Fn(&OperationInfo) -> bool) -> Value {
    let mut document = Document::default();
    for info in host.operations().iter().filter(|info| keep(info)) {
        for (n, method) in info.methods.iter().enumerate() {
            let operation = twin_operation(&mut document, info, method, n);
            document.add(info.path, method, operation);
        }
    }
    document.finish(host.title(), env!("CARGO_PKG_VERSION"), json!({}))
}

fn twin_operation(document: &mut Document, info: &OperationInfo, method: &Method, n: usize) -> Value {
    if let Some(described) = &info.described {
        return described.object(document);
    }
    let arguments = document.schema(info.arguments);
    let arguments = resolve(document, &arguments);
    let in_path: Vec<&str> = info.path_params().collect();
    let in_body = !matches!(*method, Method::GET | Method::DELETE | Method::HEAD);
    let required = |name: &str| {
        let list = arguments["required"].as_array();
        list.is_some_and(|list| list.iter().any(|item| item == name))
    };
    let mut parameters: Vec<Value> = in_path
        .iter()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let mut body = None;
    for (name, schema) in arguments["properties"].as_object().into_iter().flatten() {
        if name == "body" {
            body = Some(schema.clone());
        } else if !in_path.contains(&name.as_str()) && (!in_body || arguments["properties"].get("body").is_some()) {
            parameters.push(json!({ "name": name, "in": "query", "required": required(name), "schema": schema }));
        }
    }
    if in_body && body.is_none() && arguments["properties"].as_object().is_some_and(|p| !p.is_empty()) {
        body = Some(arguments.clone());
    }
    // Operation ids are unique in a document; a second method of one operation gets a suffix.
    let id = if n == 0 { info.id.to_owned() } else { format!("{}.{}", info.id, method.as_str().to_ascii_lowercase()) };
    let mut answer = json!({ "description": "What the service answers." });
    if let Some(response) = info.response {
        answer["content"] = json!({ "application/json": { "schema": document.schema(response) } });
    }
    let mut operation = json!({ "operationId": id, "parameters": parameters, "responses": { "default": answer } });
    if let Some(body) = body {
        operation["requestBody"] = json!({ "content": { "application/json": { "schema": body } } });
    }
    operation
}

/// The schema behind a reference into the components.
fn resolve(document: &mut Document, schema: &Value) -> Value {
    let name = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next());
    let definition = name.and_then(|name| document.generator.definitions().get(name)).cloned();
    match definition.and_then(|definition| Schema::try_from(definition).ok()) {
        Some(definition) => document.adapted(definition),
        None => schema.clone(),
    }
}
