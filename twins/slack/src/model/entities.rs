//! Work objects: what apps tell of things behind links, in one shape for all apps.
//!
//! <https://docs.slack.dev/messaging/work-objects-implementation>. What Slack says of those that do not fit is a warning,
//! and they are dropped: <https://www.reddit.com/r/Slack/comments/1pkhyy8>.

use serde_json::{Value, json};
use smol_str::SmolStr;

/// <https://docs.slack.dev/tools/node-slack-sdk/reference/types/enumerations/EntityType>
const TYPES: [&str; 5] = ["content_item", "file", "incident", "item", "task"];

/// Where an entity is told of: an unfurl must name the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// A link of a message that somebody posted.
    Link,
    /// A message of the app's own.
    Message,
}

/// All that is wrong with a list of entities, in Slack's words.
pub(crate) fn faults(entities: &Value, told: For) -> Vec<String> {
    let Some(list) = entities.as_array() else {
        return vec!["must be an array (pointer: /metadata/entities)".to_owned()];
    };
    let mut found = Vec::new();
    if list.is_empty() {
        found.push("must have at least 1 item (pointer: /metadata/entities)".to_owned());
    }
    for (n, entity) in list.iter().enumerate() {
        look_at(entity, &format!("/metadata/entities/{n}"), told, &mut found);
    }
    found
}

/// What is wrong with what an app tells of one thing.
pub(crate) fn faults_of_one(entity: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look_at(entity, "/metadata", For::Message, &mut found);
    found
}

fn look_at(entity: &Value, at: &str, told: For, found: &mut Vec<String>) {
    let link = (told == For::Link).then_some("app_unfurl_url");
    for name in ["entity_type", "url"].into_iter().chain(link) {
        need(entity, name, at, found);
    }
    let kind = entity["entity_type"].as_str().and_then(|kind| kind.strip_prefix("slack#/entities/"));
    if entity["entity_type"].is_string() && !kind.is_some_and(|kind| TYPES.contains(&kind)) {
        found.push(format!("must be a valid enum value (pointer: {at}/entity_type)"));
    }
    need(&entity["external_ref"], "id", &format!("{at}/external_ref"), found);
    let (payload, at) = (&entity["entity_payload"], format!("{at}/entity_payload"));
    need(&payload["attributes"]["title"], "text", &format!("{at}/attributes/title"), found);
    let icon = &payload["attributes"]["product_icon"];
    if icon.is_object() {
        need(icon, "alt_text", &format!("{at}/attributes/product_icon"), found);
    }
    for (n, field) in payload["custom_fields"].as_array().into_iter().flatten().enumerate() {
        for name in ["key", "label", "type"] {
            need(field, name, &format!("{at}/custom_fields/{n}"), found);
        }
    }
}

fn need(object: &Value, name: &str, at: &str, found: &mut Vec<String>) {
    match &object[name] {
        Value::String(text) if !text.is_empty() => {}
        Value::Null => found.push(format!("missing required field: {name} (pointer: {at})")),
        _ => found.push(format!("must be a string (pointer: {at}/{name})")),
    }
}

/// An entity as the message shows it: what clients that know no work objects show stands beside it.
pub(crate) fn attachment(entity: &Value, (app, bot): (&SmolStr, &SmolStr)) -> Value {
    let title = &entity["entity_payload"]["attributes"]["title"]["text"];
    let link = entity.get("app_unfurl_url").unwrap_or(&entity["url"]);
    json!({
        "from_url": link,
        "app_unfurl_url": link,
        "is_app_unfurl": true,
        "app_id": app,
        "bot_id": bot,
        "title": title,
        "title_link": entity["url"],
        "fallback": title,
        "work_object_entity": entity,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_checked() {
        let good = json!({
            "app_unfurl_url": "https://acme.example/1?x", "url": "https://acme.example/1",
            "external_ref": { "id": "1" }, "entity_type": "slack#/entities/task",
            "entity_payload": { "attributes": { "title": { "text": "One" } } },
        });
        let check = |path: &str, value: Value, told: For, wanted: &[&str]| {
            let mut entity = good.clone();
            if let Some((parent, name)) = path.rsplit_once('/') {
                entity.pointer_mut(parent).unwrap()[name] = value;
            }
            assert_eq!(faults(&json!([entity]), told), wanted, "{path}");
        };
        check("", Value::Null, For::Link, &[]);
        check("/app_unfurl_url", Value::Null, For::Message, &[]);
        let link = "missing required field: app_unfurl_url (pointer: /metadata/entities/0)";
        check("/app_unfurl_url", Value::Null, For::Link, &[link]);
        let kind = "must be a valid enum value (pointer: /metadata/entities/0/entity_type)";
        check("/entity_type", json!("slack#/entities/cow"), For::Link, &[kind]);
        let icon =
            "missing required field: alt_text (pointer: /metadata/entities/0/entity_payload/attributes/product_icon)";
        check("/entity_payload/attributes/product_icon", json!({ "url": "u" }), For::Link, &[icon]);
        let title = "must be a string (pointer: /metadata/entities/0/entity_payload/attributes/title/text)";
        check("/entity_payload/attributes/title/text", json!(1), For::Link, &[title]);
        assert_eq!(faults(&json!([]), For::Link), ["must have at least 1 item (pointer: /metadata/entities)"]);
        assert_eq!(faults(&json!("x"), For::Link), ["must be an array (pointer: /metadata/entities)"]);
    }
}
