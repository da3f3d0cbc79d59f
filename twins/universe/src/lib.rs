//! All twins together: the registry from which universes are made, and what crosses services.

pub mod facts;

use std::sync::Arc;

use dtu_kernel::{
    host::{Host, host},
    multiverse::Multiverse,
    world::{Company, Group, Person, SERVICES},
};
use serde_json::{Value, json};

/// All twins that there are, in the order of their ports.
pub fn all() -> Vec<Arc<dyn Host>> {
    vec![
        host(dtu_okta::Okta),
        host(dtu_jira::Jira),
        host(dtu_slack::Slack),
        host(dtu_google_drive::twin()),
        host(dtu_google_sheets::twin()),
        host(dtu_google_docs::twin()),
        host(dtu_google_identity::Identity),
    ]
}

/// Universes of all twins.
pub fn multiverse() -> Multiverse {
    Multiverse::new(numbered(all()))
}

/// Twins with their numbers for ports: the place of their service, and behind those the twins of documents.
pub fn numbered(twins: Vec<Arc<dyn Host>>) -> Vec<(Arc<dyn Host>, u16)> {
    let mut next = SERVICES.len();
    let number = |host: Arc<dyn Host>| {
        let place = SERVICES.iter().position(|name| *name == host.name()).unwrap_or_else(|| {
            next += 1;
            next - 1
        });
        (host, u16::try_from(place + 1).unwrap_or(u16::MAX))
    };
    twins.into_iter().map(number).collect()
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
