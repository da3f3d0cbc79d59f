//! Devices, agents of directories, and security keys that are set up beforehand.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Org, call};

const LENA: &str = "lena.fischer@acme.example";

fn enrolled(org: &Org) -> String {
    org.perform("okta.enrol_factor", LENA, &json!({ "factor": "push", "device": "Lena's phone" })).expect("enrols");
    let devices = org.get("/api/v1/devices?search=profile.displayName+eq+%22Lena%27s+phone%22");
    devices.text("/0/id").to_owned()
}

#[test]
fn a_device_comes_with_the_app_on_it_and_goes_from_status_to_status() {
    let org = Org::acme();
    let id = enrolled(&org);
    let one = format!("/api/v1/devices/{id}");
    let device = org.get(&one);
    assert_eq!((device.text("/status"), device.text("/resourceDisplayName/value")), ("ACTIVE", "Lena's phone"));
    assert_eq!(org.get(&format!("{one}/users")).column("/user/profile/login"), [LENA]);
    assert_eq!(org.get(&format!("/api/v1/users/{LENA}/devices")).column("/device/id"), [id.as_str()]);
    let whole = org.get("/api/v1/devices?expand=userSummary");
    assert_eq!(whole.text("/0/_embedded/users/0/user/profile/login"), LENA);
    let step = |verb: &str, expected: u16| drop(org.check(call(&format!("POST {one}/lifecycle/{verb}")), expected));
    let status = || org.get(&one).text("/status").to_owned();
    step("unsuspend", 403);
    step("suspend", 204);
    assert_eq!(status(), "SUSPENDED");
    step("suspend", 403);
    step("unsuspend", 204);
    assert_eq!(status(), "ACTIVE");
    org.check(call(&format!("DELETE {one}")), 403);
    step("deactivate", 204);
    assert_eq!(status(), "DEACTIVATED");
    assert!(org.get(&format!("{one}/users")).column("/user/id").is_empty(), "nobody's any more");
    assert!(org.get(&format!("/api/v1/users/{LENA}/devices")).column("/device/id").is_empty());
    let links = org.get(&one).body["_links"].clone();
    assert_eq!(links["self"]["hints"]["allow"], json!(["GET", "DELETE"]));
    assert!(links.get("users").is_none() && links.get("activate").is_some(), "{links}");
    step("activate", 204);
    step("deactivate", 204);
    org.check(call(&format!("DELETE {one}")), 204);
    assert!(org.get("/api/v1/devices").column("/id").is_empty());
    let events = org.events();
    for name in [
        "device.enrollment.create",
        "device.user.add",
        "device.user.remove",
        "device.lifecycle.suspend",
        "device.lifecycle.unsuspend",
        "device.lifecycle.activate",
        "device.lifecycle.delete",
    ] {
        assert_eq!(events.get(name), Some(&1), "{name}");
    }
    assert_eq!(events.get("device.lifecycle.deactivate"), Some(&2));
}

#[test]
fn device_integrations_are_switched_on_and_off() {
    let org = Org::acme();
    let all = org.get("/api/v1/device-integrations");
    let id = all.text("/0/id").to_owned();
    assert!(id.starts_with("din"), "{}", all.body);
    let on = org.check(call(&format!("POST /api/v1/device-integrations/{id}/lifecycle/activate")), 200);
    assert_eq!(on.text("/status"), "ACTIVE");
    assert!(on.body["_links"].get("deactivate").is_some(), "{}", on.body);
    let off = org.check(call(&format!("POST /api/v1/device-integrations/{id}/lifecycle/deactivate")), 200);
    assert_eq!(off.text("/status"), "DEACTIVATED");
    assert_eq!(org.get(&format!("/api/v1/device-integrations/{id}")).body, off.body);
    org.check(call("GET /api/v1/device-integrations/din404"), 404);
}

fn connect(org: &Org, kind: &str, agent: &str) -> (String, String) {
    let with = json!({ "type": kind, "pool": "corp.acme.example", "agent": agent, "version": "3.18.0" });
    let got = org.perform("okta.admin.connect_agent", "dana", &with).expect("connects");
    (got["pool"].as_str().expect("is text").to_owned(), got["agent"].as_str().expect("is text").to_owned())
}

#[tokio::test]
async fn agents_are_updated_in_their_pools() {
    let org = Org::acme();
    assert_eq!(org.get("/api/v1/agentPools").body, json!([]));
    let (pool, agent) = connect(&org, "AD", "dc01");
    connect(&org, "AD", "dc02");
    let pools = org.get("/api/v1/agentPools?poolType=AD");
    assert_eq!((pools.text("/0/id"), pools.text("/0/agents/1/name")), (pool.as_str(), "dc02"));
    assert_eq!(org.get("/api/v1/agentPools?poolType=LDAP").body, json!([]));
    let updates = format!("/api/v1/agentPools/{pool}/updates");
    let body = json!({
        "name": "To 3.20", "agentType": "AD", "agents": [{ "id": agent }], "targetVersion": "3.20.0", "enabled": true,
    });
    let blank: Vec<String> =
        ["name", "agentType", "agentList"].iter().map(|name| format!("errors in the field: {name}")).collect();
    let blank: Vec<&str> = blank.iter().map(String::as_str).collect();
    org.refuse(call(&format!("POST {updates}")).json(&json!({})), 400, "E0000001", &blank);
    let made = org.check(call(&format!("POST {updates}")).json(&body), 201);
    assert_eq!(made.text("/status"), "InProgress");
    let one = format!("{updates}/{}", made.text("/id"));
    let step = |verb: &str, status: &str| {
        let got = org.check(call(&format!("POST {one}/{verb}")), 201);
        assert_eq!(got.text("/status"), status, "{verb}");
    };
    step("pause", "Paused");
    org.check(call(&format!("POST {one}/pause")), 400);
    org.universe.advance(Duration::from_secs(400)).await;
    assert_eq!(org.get(&one).text("/status"), "Paused", "what waits does not end");
    step("resume", "InProgress");
    step("stop", "Cancelled");
    step("retry", "InProgress");
    org.universe.advance(Duration::from_secs(400)).await;
    assert_eq!(org.get(&one).text("/status"), "Success");
    assert_eq!(org.get("/api/v1/agentPools").text("/0/agents/0/version"), "3.20.0");
    let mut later = body.clone();
    later["schedule"] = json!({ "cron": "0 8 ? * 6 *", "timezone": "Etc/UTC", "duration": 60 });
    let later = org.check(call(&format!("POST {updates}")).json(&later), 201);
    assert_eq!(later.text("/status"), "Scheduled");
    let off = org.check(call(&format!("POST {updates}/{}/deactivate", later.text("/id"))), 201);
    assert_eq!(off.body["enabled"], json!(false));
    assert_eq!(org.get(&format!("{updates}?scheduled=true")).column("/id"), [later.text("/id")]);
    assert_eq!(org.get(&format!("{updates}?scheduled=false")).column("/id"), [made.text("/id")]);
    let renamed = json!({ "name": "Other", "agentType": "AD", "agents": [{ "id": agent }] });
    assert_eq!(org.check(call(&format!("POST {one}")).json(&renamed), 201).text("/name"), "Other");
    org.check(call(&format!("DELETE {one}")), 204);
    org.check(call(&format!("GET {one}")), 404);
    let settings = format!("{updates}/settings");
    assert_eq!(org.get(&settings).text("/releaseChannel"), "GA");
    org.check(call(&format!("POST {settings}")).json(&json!({ "agentType": "AD", "releaseChannel": "EA" })), 201);
    assert_eq!(org.get(&settings).text("/releaseChannel"), "EA");
    let missing = org.check(call("GET /api/v1/agentPools/0oa404/updates/settings"), 404);
    assert_eq!(missing.text("/errorCode"), "E0000007");
}

#[tokio::test]
async fn a_directory_s_groups_are_changed_and_asked_through_its_agents() {
    let org = Org::acme();
    let (pool, _) = connect(&org, "AD", "dc01");
    let group = org.post(
        &format!("/api/v1/identity-sources/{pool}/groups"),
        &json!({ "externalId": "finance", "profile": { "displayName": "Finance", "description": "Money" } }),
    );
    let group = group.text("/id").to_owned();
    let modify = format!("POST /api/v1/directories/{pool}/groups/modify");
    let body = |action: &str, id: &str| json!({ "id": id, "parameters": { "action": action, "attribute": "member", "values": [org.id(LENA)] } });
    let members = || org.get(&format!("/api/v1/groups/{group}/users")).column("/profile/login");
    org.check(call(&modify).json(&body("ADD", &group)), 200);
    assert_eq!(members(), [LENA]);
    org.check(call(&modify).json(&body("REMOVE", &group)), 200);
    assert!(members().is_empty());
    org.check(call(&modify).json(&body("ADD", &org.group("vpn-users"))), 404);
    org.check(call(&modify).json(&body("TWIST", &group)), 400);
    let query = format!("/api/v1/directories/{pool}/groups/{group}/query");
    org.check(call(&format!("POST {query}")).json(&json!({ "attributes": ["member"] })), 400);
    let asked = org.check(call(&format!("POST {query}")).json(&json!({ "attributes": ["cn", "description"] })), 202);
    let result = format!("{query}/{}", asked.text("/resultId"));
    org.check(call(&format!("GET {result}")), 202);
    org.universe.advance(Duration::from_secs(5)).await;
    assert_eq!(org.get(&result).body, json!({ "id": group, "profile": { "cn": "Finance", "description": "Money" } }));
    org.check(call(&format!("GET {query}/unknown")), 404);
    org.universe.advance(Duration::from_secs(3_600)).await;
    org.check(call(&format!("GET {result}")), 404);
    org.perform("okta.admin.disconnect_agent", "dana", &json!({ "agent": "dc01" })).expect("goes");
    let away = org.check(call(&modify).json(&body("ADD", &group)), 502);
    assert_eq!(away.text("/errorCode"), "E0000236");
    org.check(call("POST /api/v1/directories/0oa404/groups/modify").json(&body("ADD", &group)), 404);
}

#[test]
fn keys_are_set_up_before_people_have_them() {
    let org = Org::acme();
    let user = org.id(LENA);
    let root = "/webauthn-registration/api/v1";
    let order = json!({ "userId": user, "fulfillmentProvider": "yubico", "fulfillmentData": [{ "productId": "1" }] });
    org.check(call(&format!("POST {root}/initiate-fulfillment-request")).json(&order), 204);
    let key = json!({ "kty": "EC", "crv": "P-384", "use": "enc", "kid": "k", "x": "AA", "y": "AA" });
    let wanted = json!({
        "userId": user, "fulfillmentProvider": "yubico", "enrollmentRpIds": ["acme.okta.com"],
        "yubicoTransportKeyJWK": key,
    });
    let made = org.post(&format!("{root}/enroll"), &wanted);
    let id = made.text("/credRequests/0/authenticatorEnrollmentId").to_owned();
    let all = format!("{root}/users/{user}/enrollments");
    let statuses = || org.get(&all).column("/status");
    assert_eq!(statuses(), ["PENDING_ACTIVATION"]);
    let answer = |id: &str, sealed: &str| {
        json!({
            "userId": user, "fulfillmentProvider": "yubico", "serial": "1", "version": "1", "pinResponseJwe": sealed,
            "credResponses": [{ "authenticatorEnrollmentId": id, "credResponseJwe": sealed }],
        })
    };
    let activate = format!("POST {root}/activate");
    org.check(call(&activate).json(&answer(&id, "not sealed")), 400);
    org.check(call(&activate).json(&answer("fwf404", "a.b.c.d.e")), 404);
    let done = org.check(call(&activate).json(&answer(&id, "a.b.c.d.e")), 200);
    assert_eq!(done.body["authenticatorEnrollmentIds"], json!([id]));
    assert_eq!(statuses(), ["ACTIVE"]);
    org.check(call(&activate).json(&answer(&id, "a.b.c.d.e")), 400);
    let pin = json!({ "userId": user, "fulfillmentProvider": "yubico", "authenticatorEnrollmentId": id });
    org.check(call(&format!("POST {root}/send-pin")).json(&pin), 204);
    let read = org.perform("okta.read_code", LENA, &json!({ "factor": id })).expect("is there");
    assert!(read["code"].as_str().is_some_and(|code| code.len() == 6), "{read}");
    org.check(call(&format!("POST {all}/{id}/mark-error")), 204);
    assert_eq!(statuses(), ["FULFILLMENT_ERRORED"]);
    org.check(call(&format!("DELETE {all}/{id}")), 204);
    assert_eq!(org.get(&all).body, Value::Array(Vec::new()));
    assert_eq!(org.events().get("system.mfa.preregister.initiate"), Some(&1));
}
