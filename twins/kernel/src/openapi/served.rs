//! Documents of what a twin serves.

use http::Method;
use serde_json::{Value, json};

use super::document::Document;
use crate::{
    host::Host,
    operation::{Level, OperationInfo},
};

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
    let arguments = document.resolve(&arguments);
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
