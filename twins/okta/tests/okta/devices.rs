//! Devices, agents of directories, and security keys that are set up beforehand.

use std::time::Duration;

use dtu_kernel::world::World;
use serde_json::{Value, json};

use crate::support::{Org, call, options};

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
    step("activate", 403);
    let factors = || org.get(&format!("/api/v1/users/{LENA}/factors")).column("/factorType");
    assert!(factors().contains(&"push".to_owned()));
    step("deactivate", 204);
    step("deactivate", 403);
    assert_eq!(status(), "DEACTIVATED");
    assert!(!factors().contains(&"push".to_owned()), "what was set up on it is gone");
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
fn a_device_that_the_org_never_saw_is_not_found() {
    let org = Org::acme();
    for (line, kind) in [
        ("GET /api/v1/devices/guo1234567890abcde5d7", "Device"),
        ("DELETE /api/v1/devices/guo1234567890abcde5d7", "Device"),
        ("POST /api/v1/devices/guo1234567890abcde5d7/lifecycle/suspend", "Device"),
        ("GET /api/v1/devices/guo1234567890abcde5d7/users", "GenericUDObject"),
    ] {
        let got = org.refuse(call(line), 404, "E0000007", &[]);
        let said = format!("Not found: Resource not found: guo1234567890abcde5d7 ({kind})");
        assert_eq!(got.text("/errorSummary"), said);
    }
    assert_eq!(org.get("/api/v1/devices").body, json!([]));
    org.refuse(call("GET /api/v1/users/nobody@acme.example/devices"), 404, "E0000007", &[]);
}

const FLEET: &str = r#"schema: dtu/world/v1
name: fleet
epoch: "2026-03-02T09:00:00Z"
company: {name: Fleet, domain: fleet.example, timezone: Europe/London}
people:
  - {key: ann, first: Ann, last: Lee, email: ann@fleet.example, admin: true}
  - {key: bob, first: Bob, last: Ray, email: bob@fleet.example}
okta:
  tokens: [{name: t, owner: ann, value: 00dtu-acme-it-admin-token-not-a-real-secret}]
  devices:
    - {name: Ann's phone, platform: ios, id: guo0000000000000a5d7, people: [ann], screen_lock: passcode}
    - {name: Shared laptop, platform: macos, id: guo0000000000000b5d7, people: [ann, bob], managed: true, status: suspended,
       profile: {serialNumber: SN-42, secureHardwarePresent: true, osVersion: 15.6.1}}
    - {name: Old box, platform: windows, id: guo0000000000000c5d7, status: deactivated, profile: {sid: S-1-5-21}}
"#;

fn fleet() -> Org {
    Org::of(World::parse("fleet.yaml", FLEET, &["okta"]).expect("is a world"), &options())
}

#[test]
fn devices_are_searched_by_what_is_known_of_them() {
    let org = fleet();
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let check = |search: &str, expected: &str| {
        let got = org.get(&format!("/api/v1/devices?search={}", encode(search)));
        let found: String = got.column("/id").iter().map(|id| &id[16..17]).collect();
        assert_eq!(found, expected, "{search}");
    };
    check("", "abc");
    check(r#"status eq "ACTIVE""#, "a");
    check(r#"status eq "suspended" or status eq "DEACTIVATED""#, "bc");
    check(r#"id eq "guo0000000000000b5d7""#, "b");
    check(r#"profile.platform eq "WINDOWS""#, "c");
    check(r#"profile.displayName co "LAP""#, "b");
    check(r#"profile.displayName sw "ann""#, "a");
    check(r#"profile.serialNumber eq "sn-42" and profile.secureHardwarePresent eq true"#, "b");
    check("profile.sid pr", "c");
    check(r#"lastUpdated gt "2026-01-01T00:00:00.000Z""#, "abc");
    check(r#"lastUpdated gt "2026-03-01T00:00:00.000Z""#, "");
    let refused = |search: &str| {
        let got = org.check(call(&format!("GET /api/v1/devices?search={}", encode(search))), 400);
        assert_eq!(got.text("/errorCode"), "E0000031", "{search}");
    };
    refused(r#"profile.osVersion co "15""#);
    refused(r#"profile.colour eq "red""#);
    refused(r#"created gt "2026-01-01T00:00:00.000Z""#);
    refused("status eq");
}

#[test]
fn devices_are_listed_page_by_page_with_who_uses_them() {
    let org = fleet();
    let first = org.get("/api/v1/devices?limit=2");
    assert_eq!(first.column("/profile/displayName"), ["Ann's phone", "Shared laptop"]);
    let next = first.link("next").expect("there is more");
    assert!(next.contains("after=guo0000000000000b5d7"), "{next}");
    let last = org.get(&next);
    assert_eq!((last.column("/status"), last.link("next")), (vec!["DEACTIVATED".to_owned()], None));
    org.refuse(call("GET /api/v1/devices?after=nothing"), 400, "E0000031", &["Invalid cursor."]);
    org.check(call("GET /api/v1/devices?limit=0"), 400);
    org.check(call("GET /api/v1/devices?expand=everything"), 400);
    let short = org.get("/api/v1/devices?expand=userSummary");
    assert_eq!(short.body[2]["_embedded"], json!({ "users": [] }));
    let ann =
        json!({ "firstName": "Ann", "lastName": "Lee", "email": "ann@fleet.example", "login": "ann@fleet.example" });
    assert_eq!(short.body[0]["_embedded"]["users"][0]["user"]["profile"], ann);
    let whole = org.get("/api/v1/devices?expand=user");
    let users = whole.body[1]["_embedded"]["users"].as_array().expect("is a list");
    assert!(users.len() == 2 && users.iter().all(|row| row["user"]["status"] == "ACTIVE"), "{users:?}");
    let users = org.get("/api/v1/devices/guo0000000000000b5d7/users");
    assert_eq!(users.column("/managementStatus"), ["MANAGED", "MANAGED"]);
    assert_eq!(users.body[0].get("screenLockType"), None, "it does not say");
    let own = org.get("/api/v1/devices/guo0000000000000a5d7/users");
    assert_eq!(own.column("/screenLockType"), ["PASSCODE"]);
    let of_ann = org.get("/api/v1/users/ann@fleet.example/devices");
    assert_eq!(of_ann.column("/device/status"), ["ACTIVE", "SUSPENDED"]);
    assert!(of_ann.text("/0/deviceUserId").starts_with("lnk"));
    let one = org.get("/api/v1/devices/guo0000000000000a5d7");
    assert_eq!(one.text("/_embedded/originatedFrom/0/key"), "okta_verify");
    let view = org.view("devices");
    let mut logins: Vec<&str> = view[1]["users"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    logins.sort_unstable();
    assert_eq!(logins, ["ann@fleet.example", "bob@fleet.example"]);
}

#[test]
fn checks_of_posture_are_kept_where_the_org_has_them() {
    const ROOT: &str = "/api/v1/device-posture-checks";
    let org = Org::acme();
    let made = json!({
        "name": "Firewall", "variableName": "macOSFirewall", "platform": "MACOS", "mappingType": "CHECKBOX",
        "type": "CUSTOM", "query": "SELECT 1;", "description": "Whether it is on",
        "remediationSettings": { "link": { "customUrl": "help.example/firewall" }, "message": { "customText": "Switch it on" } },
    });
    for line in [
        format!("GET {ROOT}"),
        format!("GET {ROOT}/default"),
        format!("GET {ROOT}/dch1"),
        format!("DELETE {ROOT}/dch1"),
    ] {
        org.refuse(call(&line), 401, "E0000015", &[]);
    }
    org.refuse(call(&format!("POST {ROOT}")).json(&made), 401, "E0000015", &[]);
    let features = org.get("/api/v1/features");
    let at = features.column("/name").iter().position(|name| name == "Advanced posture checks").expect("is there");
    org.check(call(&format!("POST /api/v1/features/{}/ENABLE", features.text(&format!("/{at}/id")))), 200);
    assert_eq!(org.get(&format!("{ROOT}/default")).body, json!([]));
    let post = |body: &Value| call(&format!("POST {ROOT}")).json(body);
    let with = |name: &str, value: Value| {
        let mut body = made.clone();
        body[name] = value;
        body
    };
    let blank = "The field cannot be left blank";
    let wrong = "The field has an invalid value";
    org.refuse(post(&with("name", json!(""))), 400, "E0000001", &[&format!("name: {blank}")]);
    org.refuse(post(&with("variableName", json!(null))), 400, "E0000001", &[&format!("variableName: {blank}")]);
    org.refuse(post(&with("platform", json!("IOS"))), 400, "E0000001", &[&format!("platform: {wrong}")]);
    org.refuse(post(&with("type", json!("BUILTIN"))), 400, "E0000001", &[&format!("type: {wrong}")]);
    org.refuse(post(&with("colour", json!("red"))), 400, "E0000003", &[]);
    org.refuse(post(&with("remediationSettings", json!({ "link": { "customUrl": 1 } }))), 400, "E0000003", &[]);
    let got = org.check(post(&made), 200);
    let one = format!("{ROOT}/{}", got.text("/id"));
    assert!(got.text("/id").starts_with("dch") && !got.text("/createdBy").is_empty(), "{}", got.body);
    assert_eq!(got.body["remediationSettings"], made["remediationSettings"]);
    assert_eq!(org.get(&one).body, got.body);
    assert_eq!(org.get(ROOT).column("/variableName"), ["macOSFirewall"]);
    org.check(post(&made), 400);
    let put = |body: &Value| call(&format!("PUT {one}")).json(body);
    let renamed = org.check(put(&with("name", json!("Wall"))), 200);
    assert_eq!((renamed.text("/name"), renamed.text("/createdDate")), ("Wall", got.text("/createdDate")));
    org.check(put(&with("platform", json!("WINDOWS"))), 400);
    let policy = json!({
        "name": "Macs", "platform": "MACOS", "osVersion": { "minimum": "14.0" },
        "devicePostureChecks": { "include": [{ "variableName": "macOSFirewall", "value": "true" }] },
    });
    let policy = org.post("/api/v1/device-assurances", &policy);
    let used = org.check(call(&format!("DELETE {one}")), 409);
    assert_eq!(used.text("/errorSummary"), "Device posture check is in use and can't be deleted.");
    org.check(put(&with("variableName", json!("other"))), 400);
    org.check(call(&format!("DELETE /api/v1/device-assurances/{}", policy.text("/id"))), 204);
    org.check(call(&format!("DELETE {one}")), 204);
    org.refuse(call(&format!("GET {one}")), 404, "E0000007", &[]);
    org.check(put(&made), 404);
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
    org.refuse(call("GET /api/v1/device-integrations/din404"), 404, "E0000007", &[]);
    org.refuse(call("POST /api/v1/device-integrations/din404/lifecycle/activate"), 404, "E0000007", &[]);
    assert!(all.column("/status").iter().all(|status| status == "DEACTIVATED"), "{}", all.body);
    let at = all.column("/name").iter().position(|name| name == "com.google.dtc").expect("is offered");
    assert!(all.body[at].get("metadata").is_none(), "nothing is set up yet");
    let id = all.text(&format!("/{at}/id"));
    let on = org.check(call(&format!("POST /api/v1/device-integrations/{id}/lifecycle/activate")), 200);
    let account = on.text("/metadata/serviceAccountName").to_owned();
    assert!(account.starts_with("okta-gci-00o") && on.text("/metadata/serviceAccountEmail").starts_with(&account));
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
