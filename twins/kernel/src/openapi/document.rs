//! An OpenAPI document in the making.

use http::Method;
use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

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

    /// The schema behind a reference into the components.
    pub(super) fn resolve(&mut self, schema: &Value) -> Value {
        let name = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next());
        let definition = name.and_then(|name| self.generator.definitions().get(name)).cloned();
        match definition.and_then(|definition| Schema::try_from(definition).ok()) {
            Some(definition) => self.adapted(definition),
            None => schema.clone(),
        }
    }
}
