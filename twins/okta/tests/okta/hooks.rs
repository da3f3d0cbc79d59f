//! Event hooks: their life, their verification, and what they are told.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{header, method},
};

use crate::support::{Org, call};

fn hook(uri: &str) -> Value {
    json!({
        "name": "leavers",
        "events": { "type": "EVENT_TYPE", "items": ["user.lifecycle.deactivate", "group.user_membership.remove"] },
        "channel": {
            "type": "HTTP",
            "version": "1.0.0",
            "config": {
                "uri": uri,
                "headers": [{ "key": "X-Test-Header", "value": "Test" }],
                "authScheme": { "type": "HEADER", "key": "Authorization", "value": "s3cret" },
            },
        },
    })
}

async fn settle(org: &Org) {
    assert!(org.universe.settle(Duration::from_secs(20)).await, "settles");
}

/// A receiver that meets challenges, and answers events with `statuses` one after the other, then with 204.
async fn receiver(statuses: &[u16]) -> MockServer {
    let server = MockServer::start().await;
    let meet = |request: &Request| {
        let challenge = request.headers["x-okta-verification-challenge"].to_str().expect("is text").to_owned();
        ResponseTemplate::new(200).set_body_json(json!({ "verification": challenge }))
    };
    Mock::given(method("GET")).and(header("authorization", "s3cret")).respond_with(meet).mount(&server).await;
    for status in statuses {
        Mock::given(method("POST")).respond_with(ResponseTemplate::new(*status)).up_to_n_times(1).mount(&server).await;
    }
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(204)).mount(&server).await;
    server
}

async fn verified(org: &Org, server: &MockServer) -> String {
    let id = org.post("/api/v1/eventHooks", &hook(&format!("{}/hook", server.uri()))).text("/id").to_owned();
    let got = org.wait(call(&format!("POST /api/v1/eventHooks/{id}/lifecycle/verify"))).await;
    assert_eq!((got.status, got.text("/verificationStatus")), (200, "VERIFIED"));
    assert_eq!(org.get(&format!("/api/v1/eventHooks/{id}")).body, got.body);
    id
}

async fn posts(server: &MockServer) -> Vec<Request> {
    let all = server.received_requests().await.expect("are recorded");
    all.into_iter().filter(|request| request.method.as_str() == "POST").collect()
}

#[test]
fn a_hook_lives_as_recorded() {
    let org = Org::acme();
    let got = org.post("/api/v1/eventHooks", &hook("https://hooks.example/x"));
    insta::assert_json_snapshot!(got.body, {
        ".id" => "[id]", ".createdBy" => "[id]", "._links.*.href" => "[href]",
    });
    assert!(!got.body.to_string().contains("s3cret"), "secrets are never shown");
    let path = format!("/api/v1/eventHooks/{}", got.text("/id"));
    assert_eq!(org.get("/api/v1/eventHooks").body[0], got.body);
    org.check(call(&format!("DELETE {path}")), 400);
    let off = org.check(call(&format!("POST {path}/lifecycle/deactivate")), 200);
    let links: Vec<&String> = off.body["_links"].as_object().expect("is an object").keys().collect();
    assert_eq!((off.text("/status"), links.len()), ("INACTIVE", 3));
    assert_eq!(links, ["activate", "self", "delete"]);
    assert_eq!(org.check(call(&format!("POST {path}/lifecycle/activate")), 200).text("/status"), "ACTIVE");
    let mut other = hook("https://hooks.example/y");
    other["name"] = json!("renamed");
    assert_eq!(org.check(call(&format!("PUT {path}")).json(&other), 200).text("/name"), "renamed");
    org.check(call(&format!("POST {path}/lifecycle/deactivate")), 200);
    org.check(call(&format!("DELETE {path}")), 204);
    let gone = org.refuse(call(&format!("GET {path}")), 404, "E0000007", &[]);
    assert!(gone.text("/errorSummary").ends_with("(Webhook)"));
}

#[test]
fn filters_are_refused_in_orgs_that_have_not_the_feature() {
    let org = crate::org_kinds::org("  engine: classic\n");
    let id = org.post("/api/v1/eventHooks", &hook("https://hooks.example/x")).text("/id").to_owned();
    let body = with_filter(json!([{ "event": "user.lifecycle.deactivate", "condition": { "expression": "true" } }]));
    org.refuse(call("POST /api/v1/eventHooks").json(&body), 401, "E0000015", &[]);
    org.refuse(call(&format!("PUT /api/v1/eventHooks/{id}")).json(&body), 401, "E0000015", &[]);
    assert_eq!(org.get("/api/v1/eventHooks").column("/id").len(), 1);
}

fn with_filter(map: Value) -> Value {
    let mut body = hook("https://hooks.example/x");
    body["events"]["filter"] = json!({ "type": "EXPRESSION_LANGUAGE", "eventFilterMap": map });
    body
}

#[test]
fn bad_filters_are_refused() {
    let org = Org::acme();
    let one = |event: &str, expression: &str| json!({ "event": event, "condition": { "expression": expression } });
    let leaves = "user.lifecycle.deactivate";
    let check = |map: Value, cause: &str| {
        let call = call("POST /api/v1/eventHooks").json(&with_filter(map));
        org.refuse(call, 400, "E0000001", &[cause]);
    };
    let bad = format!("filter: The expression for '{leaves}' is invalid");
    check(json!([one(leaves, "event.target")]), &bad);
    check(json!([one(leaves, "event.actor.id eq")]), &bad);
    check(json!([one(leaves, "event.client.ipAddress eq '1'")]), &bad);
    let other = "filter: Event type 'user.lifecycle.create' is not among the hook's events";
    check(json!([one("user.lifecycle.create", "true")]), other);
    let twice = format!("filter: Event type '{leaves}' has more than one filter");
    check(json!([one(leaves, "true"), one(leaves, "true")]), &twice);
    for filter in [json!([]), json!("x"), json!({ "eventFilterMap": "x" })] {
        let mut body = hook("https://hooks.example/x");
        body["events"]["filter"] = filter;
        org.refuse(call("POST /api/v1/eventHooks").json(&body), 400, "E0000003", &[]);
    }
    let mut body = with_filter(json!([]));
    body["events"]["filter"]["type"] = json!("REGEX");
    org.refuse(
        call("POST /api/v1/eventHooks").json(&body),
        400,
        "E0000001",
        &["filter: The field has an invalid value"],
    );
    assert_eq!(org.get("/api/v1/eventHooks").body, json!([]));
    let made = org.post("/api/v1/eventHooks", &with_filter(json!([one(leaves, "event.actor.id eq '1'")])));
    let condition = json!({ "version": null, "expression": "event.actor.id eq '1'" });
    let shown =
        json!({ "type": "EXPRESSION_LANGUAGE", "eventFilterMap": [{ "event": leaves, "condition": condition }] });
    assert_eq!(made.body["events"]["filter"], shown);
    let path = format!("/api/v1/eventHooks/{}", made.text("/id"));
    let again = org.check(call(&format!("PUT {path}")).json(&hook("https://hooks.example/x")), 200);
    assert_eq!(again.body["events"]["filter"], Value::Null, "a filter that is not sent again is gone");
}

#[tokio::test]
async fn hooks_are_told_only_of_events_that_pass_their_filters() {
    let org = Org::acme();
    let server = receiver(&[]).await;
    let id = verified(&org, &server).await;
    let (lena, design) = (org.id("lena.fischer"), org.group("Design"));
    let run = async |expression: &str, wanted: usize| {
        let org = org.fork();
        let mut body = with_filter(
            json!([{ "event": "group.user_membership.remove", "condition": { "expression": expression } }]),
        );
        body["channel"]["config"]["uri"] = json!(format!("{}/hook", server.uri()));
        org.check(call(&format!("PUT /api/v1/eventHooks/{id}")).json(&body), 200);
        let before = posts(&server).await.len();
        org.check(call(&format!("DELETE /api/v1/groups/{design}/users/{lena}")), 204);
        settle(&org).await;
        assert_eq!(posts(&server).await.len() - before, wanted, "{expression}");
        org.check(call(&format!("POST /api/v1/users/{lena}/lifecycle/deactivate")), 200);
        settle(&org).await;
        assert_eq!(posts(&server).await.len() - before, wanted + 1, "{expression}: other event types have no filter");
    };
    run("event.target.?[type eq 'UserGroup' && displayName eq 'Design'].size()> 0", 1).await;
    run("event.target.?[type eq 'UserGroup' && displayName eq 'Sales'].size()> 0", 0).await;
    run("event.target.?[type eq 'UserGroup'].size()>0 && event.target.?[displayName eq 'Design'].size()>0", 1).await;
    run(&format!("event.target.?[id eq '{lena}'].size() == 1"), 1).await;
    run("event.outcome.result ne 'SUCCESS'", 0).await;
    run("event.eventType eq 'group.user_membership.remove' || false", 1).await;
    run("!(event.actor.type eq 'User')", 0).await;
    run("event.outcome.reason eq null", 1).await;
}

#[tokio::test]
async fn filters_can_look_at_what_has_changed() {
    let org = Org::acme();
    let server = receiver(&[]).await;
    let mut body = hook(&format!("{}/hook", server.uri()));
    let changed = "user.account.update_profile";
    let condition = json!({ "expression": "event.debugData.changedAttributes eq 'title'" });
    body["events"] = json!({
        "type": "EVENT_TYPE", "items": [changed],
        "filter": { "type": "EXPRESSION_LANGUAGE", "eventFilterMap": [{ "event": changed, "condition": condition }] },
    });
    let id = org.post("/api/v1/eventHooks", &body).text("/id").to_owned();
    org.wait(call(&format!("POST /api/v1/eventHooks/{id}/lifecycle/verify"))).await;
    let lena = org.id("lena.fischer");
    for (profile, wanted) in [
        (json!({ "title": "Lead" }), 1),
        (json!({ "title": "Head", "nickName": "Le" }), 1),
        (json!({ "nickName": "Len" }), 1),
    ] {
        org.post(&format!("/api/v1/users/{lena}"), &json!({ "profile": profile }));
        settle(&org).await;
        assert_eq!(posts(&server).await.len(), wanted, "{profile}");
    }
    let sent: Value = serde_json::from_slice(&posts(&server).await[0].body).expect("is JSON");
    assert_eq!(sent["data"]["events"][0]["debugContext"]["debugData"]["changedAttributes"], "title");
}

#[test]
fn replacing_switches_as_the_status_says() {
    let org = Org::acme();
    let path = {
        let mut off = hook("https://hooks.example/x");
        off["status"] = json!("INACTIVE");
        let got = org.post("/api/v1/eventHooks", &off);
        assert_eq!(got.text("/status"), "ACTIVE", "a new hook is on");
        format!("/api/v1/eventHooks/{}", got.text("/id"))
    };
    let check = |sent: Option<&str>, status: &str| {
        let mut body = hook("https://hooks.example/x");
        body["status"] = json!(sent);
        let got = org.check(call(&format!("PUT {path}")).json(&body), 200);
        assert_eq!(got.text("/status"), status, "{sent:?}");
    };
    check(Some("INACTIVE"), "INACTIVE");
    check(None, "INACTIVE");
    check(Some("ACTIVE"), "ACTIVE");
    check(Some("ACTIVE"), "ACTIVE");
    let events = org.events();
    assert_eq!(
        (events["event_hook.deactivated"], events["event_hook.activated"], events["event_hook.updated"]),
        (1, 1, 4)
    );
    let mut body = hook("https://hooks.example/x");
    body["status"] = json!("ASLEEP");
    org.refuse(call(&format!("PUT {path}")).json(&body), 400, "E0000003", &[]);
}

#[test]
fn bad_hooks_are_refused() {
    let org = Org::acme();
    let check = |pointer: &str, value: Value, causes: &[&str]| {
        let mut body = hook("https://hooks.example/x");
        *body.pointer_mut(pointer).expect("is there") = value;
        org.refuse(call("POST /api/v1/eventHooks").json(&body), 400, "E0000001", causes);
    };
    check("/name", json!(""), &["name: The field cannot be left blank"]);
    check("/events/items", json!([]), &["events: The field cannot be left blank"]);
    check("/events/items", json!(["weather.rain"]), &["events: Event type 'weather.rain' is not supported"]);
    check("/events/type", json!("X"), &["events: The field has an invalid value"]);
    check("/channel/type", json!("SMTP"), &["channel: The field has an invalid value"]);
    check("/channel/config/uri", json!("nowhere"), &["uri: The field must be a valid URL"]);
    org.refuse(call("POST /api/v1/eventHooks").json(&json!({ "x": 1 })), 400, "E0000003", &[]);
}

#[tokio::test]
async fn events_of_one_write_come_together() {
    let (org, server) = (Org::acme(), receiver(&[]).await);
    let id = verified(&org, &server).await;
    org.post("/api/v1/users/zoe.oneill/lifecycle/suspend", &json!({}));
    org.post("/api/v1/users/lena.fischer/lifecycle/deactivate", &json!({}));
    settle(&org).await;
    let posts = posts(&server).await;
    assert_eq!(posts.len(), 1, "only what was asked for");
    let text = |name: &str| posts[0].headers[name].to_str().expect("is text").to_owned();
    assert_eq!((text("authorization"), text("x-test-header")), ("s3cret".to_owned(), "Test".to_owned()));
    let body: Value = posts[0].body_json().expect("is JSON");
    assert_eq!(body["eventType"], "com.okta.event_hook");
    assert_eq!(body["cloudEventsVersion"], "0.1");
    assert_eq!(body["source"], format!("http://okta.test/api/v1/eventHooks/{id}"));
    let events = body["data"]["events"].as_array().expect("is a list");
    let types: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
    assert_eq!(types, ["user.lifecycle.deactivate", "group.user_membership.remove"]);
    assert_eq!(events[0]["target"][0]["alternateId"], "lena.fischer@acme.example");
}

#[tokio::test]
async fn failures_are_tried_once_more_and_logged() {
    let check = async |statuses: &[u16], attempts: usize, failures: usize| {
        let (org, server) = (Org::acme(), receiver(statuses).await);
        verified(&org, &server).await;
        org.post("/api/v1/users/lena.fischer/lifecycle/deactivate", &json!({}));
        settle(&org).await;
        assert_eq!(posts(&server).await.len(), attempts, "{statuses:?}");
        let logged = org.events().get("event_hook.delivery").copied().unwrap_or(0);
        assert_eq!(logged, failures, "{statuses:?}");
    };
    check(&[], 1, 0).await;
    check(&[500], 2, 0).await;
    check(&[500, 503], 2, 1).await;
    check(&[400], 1, 1).await;
}

#[tokio::test]
async fn hooks_that_fail_the_challenge_are_told_nothing() {
    let (org, server) = (Org::acme(), MockServer::start().await);
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "verification": "wrong" })))
        .expect(2)
        .mount(&server)
        .await;
    let id = org.post("/api/v1/eventHooks", &hook(&server.uri())).text("/id").to_owned();
    let got = org.wait(call(&format!("POST /api/v1/eventHooks/{id}/lifecycle/verify"))).await;
    assert_eq!((got.status, got.text("/errorCode")), (400, "E0000001"));
    org.post("/api/v1/users/lena.fischer/lifecycle/deactivate", &json!({}));
    settle(&org).await;
    assert_eq!(org.view("event_hooks")[0]["verificationStatus"], "UNVERIFIED");
    assert!(posts(&server).await.is_empty());
}

#[tokio::test]
async fn another_channel_is_verified_again() {
    let (org, server) = (Org::acme(), receiver(&[]).await);
    let id = verified(&org, &server).await;
    let path = format!("/api/v1/eventHooks/{id}");
    // Without its secret, the channel stays what it was.
    let mut same = hook(&format!("{}/hook", server.uri()));
    same["channel"]["config"]["authScheme"] = json!({ "type": "HEADER", "key": "Authorization" });
    let put = call(&format!("PUT {path}")).json(&same);
    assert_eq!(org.check(put, 200).text("/verificationStatus"), "VERIFIED");
    let put = call(&format!("PUT {path}")).json(&hook(&format!("{}/other", server.uri())));
    assert_eq!(org.check(put, 200).text("/verificationStatus"), "UNVERIFIED");
    // People's acts are announced as well; this hook is to be told nothing now.
    org.perform("okta.admin.deactivate_user", "dana", &json!({ "user": "lena.fischer@acme.example" })).expect("may");
    settle(&org).await;
    assert!(posts(&server).await.is_empty());
}

#[tokio::test]
async fn what_people_do_is_announced() {
    let (org, server) = (Org::acme(), receiver(&[]).await);
    verified(&org, &server).await;
    let with = json!({ "user": "omar.haddad@acme.example", "group": "figma-admin" });
    org.perform("okta.admin.remove_from_group", "dana", &with).expect("may");
    settle(&org).await;
    let body: Value = posts(&server).await[0].body_json().expect("is JSON");
    assert_eq!(body["data"]["events"][0]["actor"]["alternateId"], "dana.whitfield@acme.example");
    assert_eq!(body["data"]["events"][0]["transaction"]["detail"], json!({}));
}
