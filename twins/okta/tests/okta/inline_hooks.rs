//! Inline hooks: who is asked, what is done with the answer, and what happens without one.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::method};

use crate::{
    oauth::{self, verified, web},
    support::{Got, Org, call},
};

pub(crate) const TOKENS: &str = "com.okta.oauth2.tokens.transform";
pub(crate) const IMPORT: &str = "com.okta.user.credential.password.import";

pub(crate) fn hook(org: &Org, kind: &str, uri: &str) -> String {
    let body = json!({
        "name": kind,
        "type": kind,
        "version": "1.0.0",
        "channel": {
            "type": "HTTP",
            "version": "1.0.0",
            "config": {
                "uri": uri,
                "method": "POST",
                "headers": [{ "key": "X-Own", "value": "own" }],
                "authScheme": { "type": "HEADER", "key": "Authorization", "value": "s3cret" },
            },
        },
    });
    org.post("/api/v1/inlineHooks", &body).text("/id").to_owned()
}

pub(crate) async fn service(answers: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let last = answers.len() - 1;
    for (at, answer) in answers.into_iter().enumerate() {
        let mock = Mock::given(method("POST")).respond_with(answer);
        if at == last { mock.mount(&server).await } else { mock.up_to_n_times(1).mount(&server).await }
    }
    server
}

pub(crate) fn says(body: &Value) -> Vec<ResponseTemplate> {
    vec![ResponseTemplate::new(200).set_body_json(body)]
}

pub(crate) async fn asked(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("are recorded")
}

/// A custom server whose one rule asks a hook.
pub(crate) fn attach(org: &Org, hook: &str) {
    let policies = "/api/v1/authorizationServers/ausorders/policies";
    let policy = org.get(policies).text("/0/id").to_owned();
    let rules = format!("{policies}/{policy}/rules");
    let mut rule = org.get(&rules).body[0].clone();
    let id = rule["id"].as_str().expect("has an id").to_owned();
    rule["actions"]["token"]["inlineHook"] = json!({ "id": hook });
    org.check(call(&format!("PUT {rules}/{id}")).json(&rule), 200);
}

async fn tokens(org: &Org, scope: &str) -> Got {
    let user =
        [("username", "lena.fischer"), ("password", oauth::PASSWORD), ("grant_type", "password"), ("scope", scope)];
    org.wait(web("/oauth2/ausorders/v1/token", &user)).await
}

pub(crate) fn access(org: &Org, got: &Got) -> Value {
    verified(org, "/oauth2/ausorders/v1/keys", got.text("/access_token"))
}

pub(crate) fn identity(org: &Org, got: &Got) -> Value {
    verified(org, "/oauth2/ausorders/v1/keys", got.text("/id_token"))
}

pub(crate) fn patch(kind: &str, changes: &Value) -> Value {
    json!({ "commands": [{ "type": kind, "value": changes }] })
}

pub(crate) fn outcomes(org: &Org, event: &str) -> Vec<String> {
    let log = org.view("log");
    let own = log.as_array().expect("is a list").iter().filter(|entry| entry["eventType"] == event);
    own.map(|entry| entry["outcome"].as_str().expect("is text").to_owned()).collect()
}

#[tokio::test]
async fn a_token_hook_changes_tokens() {
    let org = oauth::org();
    let answer = json!({ "commands": [
        { "type": "com.okta.access.patch", "value": [
            { "op": "add", "path": "/claims/ext", "value": { "a": [1] } },
            { "op": "add", "path": "/claims/ext/a/-", "value": 2 },
            { "op": "replace", "path": "/claims/aud", "value": "api://other" },
            { "op": "replace", "path": "/token/lifetime/expiration", "value": 600 },
        ] },
        { "type": "com.okta.identity.patch", "value": [
            { "op": "remove", "path": "/claims/preferred_username" },
            { "op": "add", "path": "/claims/seen", "value": true },
        ] },
    ] });
    let server = service(says(&answer)).await;
    attach(&org, &hook(&org, TOKENS, &server.uri()));
    let got = tokens(&org, "openid profile orders.read offline_access").await;
    assert_eq!((got.status, got.body["expires_in"].as_u64()), (200, Some(600)), "{}", got.body);
    let claims = access(&org, &got);
    assert_eq!((&claims["ext"], &claims["aud"]), (&json!({ "a": [1, 2] }), &json!("api://other")));
    assert_eq!(claims["exp"].as_i64().expect("ends") - claims["iat"].as_i64().expect("begins"), 600);
    let person = identity(&org, &got);
    assert_eq!((&person["seen"], person.get("preferred_username")), (&json!(true), None));
    assert!(person["at_hash"].is_string(), "is signed after the hook: {person}");
    let sent = asked(&server).await;
    assert_eq!(sent.len(), 1);
    assert_eq!([&sent[0].headers["authorization"], &sent[0].headers["x-own"]], ["s3cret", "own"]);
    let body: Value = serde_json::from_slice(&sent[0].body).expect("is JSON");
    let check = |pointer: &str, wanted: Value| assert_eq!(body.pointer(pointer), Some(&wanted), "{pointer}: {body}");
    check("/eventType", json!(TOKENS));
    check("/cloudEventVersion", json!("0.1"));
    check("/data/context/protocol/client/id", json!("web"));
    check("/data/context/protocol/client/type", json!("CONFIDENTIAL"));
    check("/data/context/protocol/request/grant_type", json!("password"));
    check("/data/context/user/id", json!(org.id("lena.fischer")));
    check("/data/access/claims/sub", claims["sub"].clone());
    check("/data/access/token/lifetime/expiration", json!(3600));
    check("/data/access/scopes/orders.read/action", json!("GRANT"));
    check("/data/identity/claims/jti", person["jti"].clone());
    assert!(!body.to_string().contains(oauth::PASSWORD) && body.pointer("/data/access/claims/exp").is_none(), "{body}");
    assert!(body.pointer("/data/refresh_token/jti").is_some_and(Value::is_string), "{body}");
    assert_eq!(outcomes(&org, "inline_hook.executed"), ["SUCCESS"]);
    assert_eq!(outcomes(&org, "inline_hook.response.processed"), ["SUCCESS"]);
}

#[tokio::test]
async fn what_a_token_hook_may_not_do_is_not_done() {
    for (kind, changes) in [
        ("com.okta.access.patch", json!([{ "op": "replace", "path": "/claims/iss", "value": "x" }])),
        ("com.okta.access.patch", json!([{ "op": "remove", "path": "/claims/cid" }])),
        ("com.okta.identity.patch", json!([{ "op": "replace", "path": "/claims/sub", "value": "x" }])),
        ("com.okta.access.patch", json!([{ "op": "replace", "path": "/claims/nothing", "value": "x" }])),
        ("com.okta.access.patch", json!([{ "op": "add", "path": "/claims/a/b", "value": "x" }])),
        ("com.okta.access.patch", json!([{ "op": "add", "path": "/scopes/x", "value": "x" }])),
        ("com.okta.access.patch", json!([{ "op": "replace", "path": "/token/lifetime/expiration", "value": 299 }])),
        ("com.okta.access.patch", json!([{ "op": "replace", "path": "/token/lifetime/expiration", "value": 86_401 }])),
        ("com.okta.access.patch", json!("x")),
        ("com.okta.other", json!([])),
        // One bad operation undoes the good one beside it.
        (
            "com.okta.access.patch",
            json!([{ "op": "add", "path": "/claims/x", "value": 1 }, { "op": "remove", "path": "/claims/jti" }]),
        ),
    ] {
        let org = oauth::org();
        let server = service(says(&patch(kind, &changes))).await;
        attach(&org, &hook(&org, TOKENS, &server.uri()));
        let got = tokens(&org, "openid orders.read").await;
        assert_eq!((got.status, got.body["expires_in"].as_u64()), (200, Some(3600)), "{changes}: {}", got.body);
        let claims = access(&org, &got);
        assert_eq!((claims.get("x"), &claims["cid"]), (None, &json!("web")), "{changes}");
        assert_eq!(outcomes(&org, "inline_hook.response.processed"), ["FAILURE"], "{changes}");
    }
}

#[tokio::test]
async fn without_an_answer_tokens_are_as_they_were() {
    let late = ResponseTemplate::new(200).set_body_json(json!({})).set_delay(Duration::from_secs(4));
    for (answer, executed) in [
        (ResponseTemplate::new(500), "FAILURE"),
        (ResponseTemplate::new(404), "FAILURE"),
        (ResponseTemplate::new(302).insert_header("location", "/"), "FAILURE"),
        (ResponseTemplate::new(200).set_body_string("no JSON"), "FAILURE"),
        (late, "FAILURE"),
        (ResponseTemplate::new(204), "SUCCESS"),
        (ResponseTemplate::new(200).set_body_json(json!({ "commands": [] })), "SUCCESS"),
    ] {
        let org = oauth::org();
        let server = service(vec![answer]).await;
        attach(&org, &hook(&org, TOKENS, &server.uri()));
        let got = tokens(&org, "orders.read").await;
        assert_eq!((got.status, access(&org, &got)["aud"].as_str()), (200, Some("api://orders")), "{}", got.body);
        assert_eq!(outcomes(&org, "inline_hook.executed"), [executed]);
        assert_eq!(asked(&server).await.len(), 1, "token hooks are asked once");
    }
}

#[tokio::test]
async fn a_token_hook_refuses_in_its_own_words() {
    for (error, words) in
        [(json!({ "errorSummary": "not today" }), "not today"), (json!({}), "The callback service returned an error")]
    {
        let org = oauth::org();
        let server = service(says(&json!({ "error": error }))).await;
        attach(&org, &hook(&org, TOKENS, &server.uri()));
        let got = tokens(&org, "orders.read").await;
        assert_eq!((got.status, got.text("/error"), got.text("/error_description")), (400, "server_error", words));
        assert_eq!(org.events().get("app.oauth2.as.token.grant.access_token"), None);
    }
}

#[tokio::test]
async fn a_hook_that_is_off_is_not_asked() {
    let org = oauth::org();
    let server = service(says(&json!({ "error": {} }))).await;
    let id = hook(&org, TOKENS, &server.uri());
    attach(&org, &id);
    org.check(call(&format!("POST /api/v1/inlineHooks/{id}/lifecycle/deactivate")), 200);
    assert_eq!(tokens(&org, "orders.read").await.status, 200);
    assert!(asked(&server).await.is_empty());
}

#[tokio::test]
async fn a_hook_can_be_tried_out() {
    let run = async |answers: Vec<ResponseTemplate>| {
        let org = Org::acme();
        let server = service(answers).await;
        let id = hook(&org, TOKENS, &server.uri());
        let target = format!("POST /api/v1/inlineHooks/{id}/execute");
        let got = org.wait(call(&target).json(&json!({ "eventType": TOKENS, "data": { "a": 1 } }))).await;
        let sent = asked(&server).await;
        let body: Value = serde_json::from_slice(&sent[0].body).expect("is JSON");
        assert_eq!(body, json!({ "eventType": TOKENS, "data": { "a": 1 } }), "is sent as it came");
        got
    };
    let good = patch("com.okta.access.patch", &json!([{ "op": "add", "path": "/claims/a", "value": "1" }]));
    assert_eq!(run(says(&good)).await.body, good);
    let slow = ResponseTemplate::new(200).set_body_json(json!({})).set_delay(Duration::from_secs(4));
    for (answer, status, code) in [
        (ResponseTemplate::new(500), 502, "E0000134"),
        (ResponseTemplate::new(400), 400, "E0000135"),
        (ResponseTemplate::new(200).set_body_string("no JSON"), 400, "E0000135"),
        (slow, 504, "E0000137"),
    ] {
        let got = run(vec![answer]).await;
        assert_eq!((got.status, got.text("/errorCode")), (status, code), "{}", got.body);
    }
    let org = Org::acme();
    let id = hook(&org, TOKENS, "http://127.0.0.1:9/nobody");
    let target = format!("POST /api/v1/inlineHooks/{id}/execute");
    org.check(call("POST /api/v1/inlineHooks/calnothing/execute").json(&json!({})), 404);
    org.check(call(&target).json(&json!([])), 400);
    org.check(call(&target).json(&json!({ "eventType": IMPORT })), 400);
    org.check(call(&format!("POST /api/v1/inlineHooks/{id}/lifecycle/deactivate")), 200);
    org.check(call(&target).json(&json!({})), 400);
}

#[tokio::test]
async fn a_password_is_imported_at_the_first_sign_in() {
    let verdict =
        |word: &str| json!({ "commands": [{ "type": "com.okta.action.update", "value": { "credential": word } }] });
    let person = json!({
        "profile": { "firstName": "Ida", "lastName": "Moved", "email": "ida@acme.example", "login": "ida@acme.example" },
        "credentials": { "password": { "hook": { "type": "default" } } },
    });
    let sign_in = || {
        call("POST /api/v1/authn")
            .anonymous()
            .json(&json!({ "username": "ida@acme.example", "password": "Old-secret-1" }))
    };
    let run = async |answers: Vec<ResponseTemplate>, status: u16, calls: usize| {
        let org = Org::acme();
        org.post("/api/v1/users?activate=true", &person);
        let server = service(answers).await;
        hook(&org, IMPORT, &server.uri());
        let got = org.wait(sign_in()).await;
        assert_eq!(got.status, status, "{}", got.body);
        let sent = asked(&server).await;
        assert_eq!(sent.len(), calls);
        let body: Value = serde_json::from_slice(&sent[0].body).expect("is JSON");
        assert_eq!(
            body["data"]["context"]["credential"],
            json!({ "username": "ida@acme.example", "password": "Old-secret-1" })
        );
        assert_eq!(body["data"]["action"]["credential"], "UNVERIFIED");
        let again = org.wait(sign_in()).await;
        assert_eq!(again.status, status, "{}", again.body);
        assert_eq!(
            asked(&server).await.len(),
            if status == 200 { calls } else { 2 * calls },
            "once it is right, Okta knows it"
        );
    };
    run(says(&verdict("VERIFIED")), 200, 1).await;
    run(says(&verdict("UNVERIFIED")), 401, 1).await;
    run(vec![ResponseTemplate::new(204)], 401, 1).await;
    run(vec![ResponseTemplate::new(400)], 401, 1).await;
    run(vec![ResponseTemplate::new(503)], 401, 2).await;
    run(vec![ResponseTemplate::new(503), says(&verdict("VERIFIED")).remove(0)], 200, 2).await;
    let org = Org::acme();
    org.post("/api/v1/users?activate=true", &person);
    assert_eq!(org.wait(sign_in()).await.status, 401, "without a hook nobody can say that it is right");
}

const REGISTRATION: &str = "com.okta.user.pre-registration";

/// Lets people register, with other things that the policy's rule says.
fn opens(org: &Org, more: &Value) {
    let policies = org.get("/api/v1/policies?type=PROFILE_ENROLLMENT");
    let rules = format!("/api/v1/policies/{}/rules", policies.text("/0/id"));
    let mut rule = org.get(&rules).body[0].clone();
    let id = rule["id"].as_str().expect("has an id").to_owned();
    let action = rule["actions"]["profileEnrollment"].as_object_mut().expect("is an object");
    action.insert("unknownUserAction".to_owned(), json!("REGISTER"));
    action.extend(more.as_object().expect("is an object").clone());
    org.check(call(&format!("PUT {rules}/{id}")).json(&rule), 200);
}

/// An org where who registers is asked about.
fn asking(uri: &str) -> (Org, String) {
    let org = Org::acme();
    let id = hook(&org, REGISTRATION, uri);
    opens(&org, &json!({ "preRegistrationInlineHooks": [{ "inlineHookId": id }] }));
    (org, id)
}

/// Registers Noa, waits for the hook, and gives back what Noa sees.
async fn registers(org: &Org, password: Option<&str>) -> Value {
    let mut with = json!({ "first_name": "Noa", "last_name": "New", "email": "noa@acme.example" });
    if let Some(password) = password {
        with["password"] = json!(password);
    }
    org.perform("okta.register", "visitor", &with).expect("is taken in");
    assert!(org.universe.settle(Duration::from_secs(20)).await, "settles");
    org.view("registrations")[0].clone()
}

#[tokio::test]
async fn people_register_themselves() {
    for (password, status) in [(Some("Right-enough-1"), "ACTIVE"), (None, "PROVISIONED")] {
        let org = Org::acme();
        opens(&org, &json!({}));
        let before = org.events();
        let row = registers(&org, password).await;
        assert_eq!((&row["status"], &row["login"]), (&json!("REGISTERED"), &json!("noa@acme.example")));
        let user = org.get("/api/v1/users/noa@acme.example");
        assert_eq!((user.text("/status"), &row["user"]), (status, &user.body["id"]));
        let after = org.events();
        for event in ["user.lifecycle.create", "user.lifecycle.activate"] {
            let count = |events: &std::collections::BTreeMap<String, usize>| events.get(event).copied().unwrap_or(0);
            assert_eq!(count(&after), count(&before) + 1, "{event}");
        }
    }
    let org = Org::acme();
    opens(&org, &json!({}));
    let with = |email: &str, password: &str| json!({ "first_name": "A", "last_name": "B", "email": email, "password": password });
    for (email, password) in
        [("lena.fischer@acme.example", "Right-enough-1"), ("nobody", "Right-enough-1"), ("b@acme.example", "short")]
    {
        org.perform("okta.register", "visitor", &with(email, password)).expect_err("is refused");
    }
    assert_eq!(org.view("registrations"), json!([]));
}

#[tokio::test]
async fn a_registration_hook_is_obeyed() {
    let update = |value: Value| json!({ "type": "com.okta.user.profile.update", "value": value });
    let action = |word: &str| json!({ "type": "com.okta.action.update", "value": { "registration": word } });
    let sorry = "Registration cannot be completed at this time.";
    let error = json!({ "errorSummary": "not you", "errorCauses": [{ "location": "data.userProfile.email" }] });
    for (answer, status, message, obeyed) in [
        (
            json!({ "commands": [update(json!({ "title": "Guest", "lastName": "Newer" }))] }),
            "REGISTERED",
            "",
            "SUCCESS",
        ),
        (json!({ "commands": [update(json!({ "title": "Guest" })), action("ALLOW")] }), "REGISTERED", "", "SUCCESS"),
        (json!({ "commands": [] }), "REGISTERED", "", "SUCCESS"),
        (json!({ "commands": [action("DENY")] }), "DENIED", "Registration denied.", "SUCCESS"),
        (
            json!({ "commands": [update(json!({ "title": "x" })), action("DENY")] }),
            "DENIED",
            "Registration denied.",
            "SUCCESS",
        ),
        (json!({ "commands": [action("ALLOW")], "error": error }), "DENIED", "not you", "FAILURE"),
        (json!({ "error": {} }), "DENIED", sorry, "FAILURE"),
        (json!({ "commands": [action("MAYBE")] }), "DENIED", sorry, "FAILURE"),
        (json!({ "commands": [update(json!({ "nothing": "x" }))] }), "DENIED", sorry, "FAILURE"),
        (json!({ "commands": [update(json!("x"))] }), "DENIED", sorry, "FAILURE"),
        (json!({ "commands": [{ "type": "com.okta.other", "value": {} }] }), "DENIED", sorry, "FAILURE"),
    ] {
        let server = service(says(&answer)).await;
        let (org, id) = asking(&server.uri());
        let row = registers(&org, Some("Right-enough-1")).await;
        assert_eq!((&row["status"], &row["message"]), (&json!(status), &json!(message)), "{answer}");
        assert_eq!(row["errors"], answer.pointer("/error/errorCauses").cloned().unwrap_or_else(|| json!([])));
        assert_eq!(outcomes(&org, "inline_hook.response.processed"), [obeyed], "{answer}");
        if status == "DENIED" {
            org.check(call("GET /api/v1/users/noa@acme.example"), 404);
        } else {
            let user = org.get("/api/v1/users/noa@acme.example");
            let wanted = answer.pointer("/commands/0/value/title").and_then(Value::as_str).unwrap_or_default();
            assert_eq!((user.text("/profile/title"), user.text("/status")), (wanted, "ACTIVE"), "{answer}");
        }
        let sent = asked(&server).await;
        let body: Value = serde_json::from_slice(&sent[0].body).expect("is JSON");
        let profile = json!({
            "firstName": "Noa", "lastName": "New", "email": "noa@acme.example", "login": "noa@acme.example",
        });
        assert_eq!((&body["data"]["userProfile"], &body["data"]["action"]), (&profile, &json!("ALLOW")));
        assert_eq!((&body["requestType"], &body["source"]), (&json!("self.service.registration"), &json!(id)));
        assert!(!body.to_string().contains("Right-enough-1"), "hooks are not told passwords: {body}");
    }
}

#[tokio::test]
async fn without_an_answer_nobody_is_registered() {
    let late = || ResponseTemplate::new(200).set_body_json(json!({})).set_delay(Duration::from_secs(4));
    for (answer, calls) in [
        (ResponseTemplate::new(500), 2),
        (ResponseTemplate::new(404), 1),
        (ResponseTemplate::new(200).set_body_string("no JSON"), 1),
        (late(), 2),
    ] {
        let server = service(vec![answer]).await;
        let (org, _) = asking(&server.uri());
        let row = registers(&org, None).await;
        let sorry = "Registration cannot be completed at this time.";
        assert_eq!((&row["status"], &row["message"]), (&json!("DENIED"), &json!(sorry)));
        assert_eq!(asked(&server).await.len(), calls);
        org.check(call("GET /api/v1/users/noa@acme.example"), 404);
    }
}

#[tokio::test]
async fn the_enrollment_policy_says_who_registers_and_how() {
    let name = |name: &str, required: bool| json!({ "name": name, "label": name, "required": required });
    let with = |more: Value| {
        let mut with = json!({ "first_name": "Noa", "last_name": "New", "email": "noa@acme.example" });
        with.as_object_mut().expect("is an object").extend(more.as_object().expect("is an object").clone());
        with
    };
    let org = Org::acme();
    let register =
        |org: &Org, more: Value| org.perform("okta.register", "visitor", &with(more)).map(|row| row["status"].clone());
    assert_eq!(register(&org, json!({})), Err("the profile enrollment policy lets nobody register".to_owned()));
    let (server, unasked) = (service(says(&json!({}))).await, service(says(&json!({}))).await);
    let own = hook(&org, REGISTRATION, &server.uri());
    let body = |name: &str, uri: &str| json!({ "name": name, "type": REGISTRATION, "version": "1.0.0", "channel": { "type": "HTTP", "version": "1.0.0", "config": { "uri": uri, "method": "POST" } } });
    org.post("/api/v1/inlineHooks", &body("another", &unasked.uri()));
    let design = org.group("Design");
    opens(
        &org,
        &json!({
            "preRegistrationInlineHooks": [{ "inlineHookId": own }], "targetGroupIds": [design],
            "profileAttributes": [name("email", true), name("title", true), name("referrer", false)],
        }),
    );
    let need = "the form asks for `title`: give it in `attributes`";
    assert_eq!(register(&org, json!({})), Err(need.to_owned()));
    let more = json!({ "attributes": { "title": "Guest", "shoeSize": 1 } });
    assert_eq!(register(&org, more), Err("the form does not ask for `shoeSize`".to_owned()));
    register(&org, json!({ "attributes": { "title": "Guest", "referrer": "Ida" } })).expect("is taken in");
    assert!(org.universe.settle(Duration::from_secs(20)).await, "settles");
    let user = org.get("/api/v1/users/noa@acme.example");
    assert_eq!((user.text("/profile/title"), user.body["profile"].get("referrer")), ("Guest", None));
    let groups = org.get(&format!("/api/v1/users/{}/groups", user.text("/id"))).column("/profile/name");
    assert!(groups.contains(&"Design".to_owned()), "{groups:?}");
    let sent: Value = serde_json::from_slice(&asked(&server).await[0].body).expect("is JSON");
    assert_eq!((&sent["data"]["userProfile"]["referrer"], asked(&unasked).await.len()), (&json!("Ida"), 0));
}

const TRANSFORM: &str = "com.okta.import.transform";
const ADMINISTRATOR: &str = "dana";

/// An org with an app that people can come from.
fn org_with_app() -> Org {
    let org = Org::acme();
    let settings = json!({ "app": { "requestIntegration": false, "url": "https://people.example/" } });
    let app = json!({ "name": "bookmark", "label": "People", "signOnMode": "BOOKMARK", "settings": settings });
    org.post("/api/v1/apps", &app);
    org
}

/// Imports one person, waits for the hook, and gives back what became of them.
async fn imports(org: &Org, email: &str) -> Value {
    let person = json!({ "userName": "noa2", "firstName": "Noa", "lastName": "New", "email": email });
    let with = json!({ "app": "People", "users": [person] });
    org.perform("okta.admin.import_users", ADMINISTRATOR, &with).expect("is begun");
    assert!(org.universe.settle(Duration::from_secs(20)).await, "settles");
    assert_eq!(org.events().get("system.import.complete"), Some(&1));
    org.view("imports")[0]["users"][0].clone()
}

/// The person's use of the app that they were imported from.
fn used(org: &Org, row: &Value) -> Got {
    let apps = org.view("apps");
    let app = apps.as_array().and_then(|apps| apps.iter().find(|app| app["label"] == "People")).expect("is there");
    let (app, user) = (app["id"].as_str().expect("is text"), row["user"].as_str().expect("is somebody"));
    org.get(&format!("/api/v1/apps/{app}/users/{user}"))
}

#[tokio::test]
async fn an_import_makes_people_or_links_them() {
    for (email, status) in [("noa@acme.example", "CREATED"), ("lena.fischer@acme.example", "LINKED")] {
        let org = org_with_app();
        let row = imports(&org, email).await;
        assert_eq!((&row["status"], &row["userName"]), (&json!(status), &json!("noa2")), "{row}");
        let used = used(&org, &row);
        assert_eq!((used.text("/credentials/userName"), used.text("/scope")), ("noa2", "USER"), "{}", used.body);
        assert_eq!(row["user"], json!(org.id(email)));
    }
    let org = org_with_app();
    let person = json!({ "userName": "noa2", "firstName": "Noa", "lastName": "New", "email": "noa@acme.example" });
    for (who, with) in [
        (ADMINISTRATOR, json!({ "app": "People", "users": [] })),
        (ADMINISTRATOR, json!({ "app": "nothing", "users": [person] })),
        ("lena.fischer", json!({ "app": "People", "users": [person] })),
    ] {
        org.perform("okta.admin.import_users", who, &with).expect_err("is refused");
    }
}

#[tokio::test]
async fn an_import_hook_is_obeyed() {
    let org = org_with_app();
    let lena = org.id("lena.fischer");
    let command = |kind: &str, value: Value| json!({ "type": format!("com.okta.{kind}"), "value": value });
    let result = |word: &str| command("action.update", json!({ "result": word }));
    let is = |id: &str| command("user.update", json!({ "id": id }));
    let title = || command("user.profile.update", json!({ "title": "Guest" }));
    let renamed = command("appUser.profile.update", json!({ "firstName": "Nova", "userName": "nova" }));
    let (own, theirs) = ("noa@acme.example", "lena.fischer@acme.example");
    for (email, commands, status, login, obeyed) in [
        (own, vec![title(), renamed], "CREATED", own, "SUCCESS"),
        (own, vec![], "CREATED", own, "SUCCESS"),
        (own, vec![is(&lena), result("LINK_USER")], "LINKED", theirs, "SUCCESS"),
        (theirs, vec![], "LINKED", theirs, "SUCCESS"),
        (
            theirs,
            vec![result("CREATE_USER"), command("user.profile.update", json!({ "login": "noa2@acme.example" }))],
            "CREATED",
            "noa2@acme.example",
            "SUCCESS",
        ),
        // What is no answer leaves the person as the app has them.
        (own, vec![title(), result("LINK_USER")], "CREATED", own, "FAILURE"),
        (own, vec![title(), result("MAYBE")], "CREATED", own, "FAILURE"),
        (own, vec![title(), is("00unobody")], "CREATED", own, "FAILURE"),
        (own, vec![title(), command("other", json!({}))], "CREATED", own, "FAILURE"),
        (own, vec![command("user.profile.update", json!({ "nothing": "x" }))], "CREATED", own, "FAILURE"),
    ] {
        let org = org.fork();
        let answer = json!({ "commands": commands });
        let server = service(says(&answer)).await;
        hook(&org, TRANSFORM, &server.uri());
        let row = imports(&org, email).await;
        assert_eq!(row["status"], status, "{answer}: {row}");
        assert_eq!(row["user"], json!(org.id(login)), "{answer}");
        assert_eq!(outcomes(&org, "inline_hook.response.processed"), [obeyed], "{answer}");
        let user = org.get(&format!("/api/v1/users/{login}"));
        if status == "CREATED" && obeyed == "SUCCESS" && answer.to_string().contains("Nova") {
            assert_eq!((user.text("/profile/firstName"), user.text("/profile/title")), ("Nova", "Guest"));
            assert_eq!(used(&org, &row).text("/credentials/userName"), "nova");
        } else if status == "CREATED" {
            assert_eq!((user.text("/profile/firstName"), user.text("/profile/title")), ("Noa", ""), "{answer}");
        } else {
            assert_eq!(user.text("/profile/firstName"), "Lena", "who is there keeps their profile");
        }
        let sent = asked(&server).await;
        let body: Value = serde_json::from_slice(&sent[0].body).expect("is JSON");
        let matches = if email == theirs { json!([lena]) } else { json!([]) };
        let wanted = if email == theirs { "LINK_USER" } else { "CREATE_USER" };
        let check =
            |pointer: &str, wanted: Value| assert_eq!(body.pointer(pointer), Some(&wanted), "{pointer}: {body}");
        check("/data/context/matches", matches);
        check("/data/action/result", json!(wanted));
        check("/data/appUser/profile/userName", json!("noa2"));
        check("/data/user/profile/login", json!(email));
        check("/data/context/job/type", json!("import:users"));
        assert_eq!(body.pointer("/data/user/id").is_some(), email == theirs);
    }
}

#[tokio::test]
async fn without_an_answer_people_are_imported_as_they_are() {
    let late = ResponseTemplate::new(200).set_body_json(json!({})).set_delay(Duration::from_secs(4));
    for (answer, calls, processed) in [
        (ResponseTemplate::new(500), 2, vec![]),
        (ResponseTemplate::new(404), 1, vec![]),
        (late, 2, vec![]),
        (ResponseTemplate::new(200).set_body_json(json!({ "error": { "errorSummary": "no" } })), 1, vec!["FAILURE"]),
    ] {
        let org = org_with_app();
        let server = service(vec![answer]).await;
        hook(&org, TRANSFORM, &server.uri());
        assert_eq!(imports(&org, "noa@acme.example").await["status"], "CREATED");
        assert_eq!(asked(&server).await.len(), calls);
        assert_eq!(outcomes(&org, "inline_hook.response.processed"), processed);
    }
}

fn arm(org: &Org, on: &Value, effect: &Value) {
    let rule = json!({ "id": "r", "on": on, "do": effect });
    org.universe.arm(&[serde_json::from_value(rule).expect("is a rule")]).expect("is armed");
}

#[tokio::test]
async fn a_call_waits_for_a_hook_that_comes_later_and_no_longer_than_okta_does() {
    let claim = json!([{ "op": "add", "path": "/claims/late", "value": true }]);
    let answer = patch("com.okta.access.patch", &claim);
    // What comes of a call that asks for tokens: whether the hook had its say, how often it was asked, and when, in
    // seconds of the clock.
    let check = async |effect: Value, wanted: (u16, bool), times: usize, seconds: u64| {
        let org = oauth::org();
        let server = service(says(&answer)).await;
        attach(&org, &hook(&org, TOKENS, &server.uri()));
        arm(&org, &json!({ "deliver": "inline_hook" }), &effect);
        let start = org.universe.now();
        let got = org.wait_over_time(
            web(
                "/oauth2/ausorders/v1/token",
                &[
                    ("username", "lena.fischer"),
                    ("password", oauth::PASSWORD),
                    ("grant_type", "password"),
                    ("scope", "orders.read"),
                ],
            ),
            Duration::from_millis(500),
        );
        let got = got.await;
        let changed = got.status == 200 && access(&org, &got).get("late").is_some();
        assert_eq!((got.status, changed), wanted, "{effect}: {}", got.body);
        assert_eq!(org.universe.now().since(start).as_secs(), seconds, "{effect}");
        org.universe.run_until_quiet(Duration::from_secs(600)).await;
        assert_eq!(asked(&server).await.len(), times, "{effect}");
    };
    check(json!({ "delay": { "by": "2s" } }), (200, true), 1, 2).await;
    // Given up after three seconds: tokens are as they would be without a hook, which is asked late and in vain.
    check(json!({ "delay": { "by": "1m" } }), (200, false), 1, 3).await;
    check(json!({ "hold": { "every": "2s" } }), (200, true), 1, 2).await;
    check(json!({ "drop": {} }), (200, false), 0, 3).await;
}

#[tokio::test]
async fn a_challenge_that_comes_later_is_waited_for() {
    let server = MockServer::start().await;
    let meet = |request: &Request| {
        let challenge = request.headers["x-okta-verification-challenge"].to_str().expect("is text").to_owned();
        ResponseTemplate::new(200).set_body_json(json!({ "verification": challenge }))
    };
    Mock::given(method("GET")).respond_with(meet).mount(&server).await;
    let check = async |effect: Value, seconds: u64, times: usize| {
        server.reset().await;
        Mock::given(method("GET")).respond_with(meet).mount(&server).await;
        let org = Org::acme();
        let made = json!({
            "name": "leavers",
            "events": { "type": "EVENT_TYPE", "items": ["user.lifecycle.deactivate"] },
            "channel": { "type": "HTTP", "version": "1.0.0", "config": {
                "uri": server.uri(),
                "authScheme": { "type": "HEADER", "key": "Authorization", "value": "s3cret" },
            } },
        });
        let id = org.post("/api/v1/eventHooks", &made).text("/id").to_owned();
        arm(&org, &json!({ "deliver": "event_hook_verification" }), &effect);
        let start = org.universe.now();
        let verify = call(&format!("POST /api/v1/eventHooks/{id}/lifecycle/verify"));
        let got = org.wait_over_time(verify, Duration::from_millis(250)).await;
        assert_eq!((got.status, got.text("/verificationStatus")), (200, "VERIFIED"), "{effect}");
        assert_eq!(org.universe.now().since(start).as_secs(), seconds, "{effect}");
        org.universe.run_until_quiet(Duration::from_secs(600)).await;
        assert_eq!(asked(&server).await.len(), times, "{effect}");
    };
    check(json!({ "delay": { "by": "1s" } }), 1, 1).await;
    check(json!({ "drop": {} }), 3, 1).await;
    check(json!({ "delay": { "by": "20s" } }), 3, 2).await;
}
