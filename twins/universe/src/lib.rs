//! All twins together: the registry from which universes are made, and what crosses services.

use std::sync::Arc;

use dtu_kernel::{
    host::{Host, host},
    multiverse::Multiverse,
    world::{Company, Group, Person, SERVICES},
};
use serde_json::{Value, json};

/// All twins that there are, in the order of their ports.
pub fn all() -> Vec<Arc<dyn Host>> {
    vec![host(dtu_okta::Okta), host(dtu_slack::Slack)]
}

/// Universes of all twins.
pub fn multiverse() -> Multiverse {
    Multiverse::new(all().into_iter().map(numbered).collect())
}

/// Universes of the twins named.
///
/// # Errors
/// The first name that is no twin's.
pub fn multiverse_of(names: &[String]) -> Result<Multiverse, String> {
    let all = all();
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|host| host.name() == *name)) {
        return Err(unknown.clone());
    }
    let wanted = all.into_iter().filter(|host| names.iter().any(|name| name == host.name()));
    Ok(Multiverse::new(wanted.map(numbered).collect()))
}

/// A twin with its number for ports.
fn numbered(host: Arc<dyn Host>) -> (Arc<dyn Host>, u16) {
    let place = SERVICES.iter().position(|name| *name == host.name()).unwrap_or(SERVICES.len());
    let number = u16::try_from(place + 1).unwrap_or(u16::MAX);
    (host, number)
}

/// The JSON Schema of world files: what services share, and the sections of all twins.
pub fn world_schema() -> Value {
    let mut generator = schemars::SchemaGenerator::default();
    let mut properties = json!({
        "schema": { "const": "dtu/world/v1" },
        "name": { "type": "string" },
        "epoch": { "type": "string", "format": "date-time" },
        "company": generator.subschema_for::<Company>(),
        "people": { "type": "array", "items": generator.subschema_for::<Person>() },
        "groups": { "type": "array", "items": generator.subschema_for::<Group>() },
    });
    for twin in all() {
        properties[twin.name()] = twin.section_schema(&mut generator).to_value();
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "World",
        "type": "object",
        "properties": properties,
        "required": ["schema", "name", "epoch", "company"],
        "additionalProperties": false,
        "$defs": generator.take_definitions(true),
    })
}
