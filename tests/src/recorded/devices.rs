//! The devices that a recorded org had before its recording.
//!
//! No call of the API makes a device, so that a recording about devices is about those that were there. A recording is
//! played to an org that has them, each as the recording's first answer shows it, with its id.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::recording::Recording;

/// The lines of the `okta` section with a recording's devices; those that people use are used by `owner`.
pub fn section(recording: &Recording, owner: &str) -> String {
    let mut devices = BTreeMap::new();
    for exchange in &recording.exchanges {
        read(&mut devices, &exchange.response.body);
    }
    for exchange in &recording.exchanges {
        let path = exchange.request.path.strip_prefix("/api/v1/devices/");
        if let Some(device) = path.and_then(|path| devices.get_mut(path.strip_suffix("/users")?)) {
            use_it(device, &exchange.response.body, owner);
        }
    }
    if devices.is_empty() {
        return String::new();
    }
    let rows = devices.values().map(|device| format!("    - {device}\n"));
    format!("  devices:\n{}", rows.collect::<String>())
}

/// Notes devices that an answer shows, as a world has them. The first word counts.
fn read(devices: &mut BTreeMap<String, Value>, body: &Value) {
    if let Value::Array(rows) = body {
        for row in rows {
            read(devices, row);
        }
        return;
    }
    let text = |name: &str| body[name].as_str().map(str::to_ascii_lowercase);
    let (Some(id), Some(status), true) = (body["id"].as_str(), text("status"), body["resourceType"] == "UDDevice")
    else {
        return;
    };
    let mut profile = body["profile"].as_object().cloned().unwrap_or_default();
    let mut own = |name: &str| profile.shift_remove(name).unwrap_or_default();
    let (name, platform) = (own("displayName"), own("platform"));
    let platform = platform.as_str().unwrap_or_default().to_ascii_lowercase();
    let device = json!({ "id": id, "name": name, "platform": platform, "status": status, "profile": profile });
    devices.entry(id.to_owned()).or_insert(device);
}

/// Somebody uses a device, as the first list of its people shows.
fn use_it(device: &mut Value, body: &Value, owner: &str) {
    let Some(link) = body.as_array().and_then(|rows| rows.first()).and_then(Value::as_object) else { return };
    if device.get("people").is_some() || device["status"] == "deactivated" {
        return;
    }
    device["people"] = json!([owner]);
    let text = |link: &Map<String, Value>, name: &str| link.get(name).and_then(Value::as_str).map(str::to_owned);
    device["managed"] = json!(text(link, "managementStatus").as_deref() == Some("MANAGED"));
    if let Some(lock) = text(link, "screenLockType") {
        device["screen_lock"] = json!(lock.to_ascii_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::recording::{Answered, Asked, Exchange};

    fn exchange(path: &str, body: Value) -> Exchange {
        let asked = Asked { method: "GET".to_owned(), path: path.to_owned(), ..Asked::default() };
        Exchange { request: asked, response: Answered { status: 200, headers: Map::new(), body } }
    }

    #[test]
    fn devices_are_as_first_shown_and_used_where_the_recording_says_so() {
        let device = |status: &str| {
            let profile = json!({ "displayName": "A phone", "platform": "IOS", "model": "x" });
            json!({ "id": "guo1", "resourceType": "UDDevice", "status": status, "profile": profile })
        };
        let link = json!([{ "managementStatus": "NOT_MANAGED", "screenLockType": "BIOMETRIC", "user": {} }]);
        let exchanges = vec![
            exchange("/api/v1/devices", json!([device("SUSPENDED")])),
            exchange("/api/v1/devices/guo1", device("ACTIVE")),
            exchange("/api/v1/devices/guo1/users", link),
            exchange("/api/v1/groups", json!([{ "id": "00g1" }])),
        ];
        let wanted = json!({
            "id": "guo1", "name": "A phone", "platform": "ios", "status": "suspended", "profile": { "model": "x" },
            "people": ["ada"], "managed": false, "screen_lock": "biometric",
        });
        let recording = Recording { name: "r".to_owned(), exchanges };
        assert_eq!(section(&recording, "ada"), format!("  devices:\n    - {wanted}\n"));
        assert_eq!(section(&Recording { name: "r".to_owned(), exchanges: Vec::new() }, "ada"), "");
    }
}
