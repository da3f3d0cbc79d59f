//! Shared signals: streams that tell others of people's sessions and credentials, and tokens that others publish.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::world::World;
use dtu_okta::oauth::keys;
use jsonwebtoken::{Algorithm, Header, encode};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers};

use crate::{
    oauth::{CLIENT_KEY, ROWS, service},
    support::{Call, ORIGIN, Org, call, options},
};

const LENA: &str = "lena.fischer@acme.example";
const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const CHANGED: &str = "https://schemas.openid.net/secevent/caep/event-type/credential-change";

fn org() -> Org {
    let text = include_str!("../../../../fixtures/worlds/acme.yaml");
    let (rows, _) = ROWS.split_once("  authorization_servers:").expect("has servers");
    let own = "    - {key: ear, name: Ear, type: service, client_id: ear, scopes: [ssf.read, ssf.manage]}\n";
    let text = text.replacen("\n  oauth_clients:\n", &format!("{rows}{own}"), 1);
    let world = World::parse("acme.yaml", &text, &["okta", "slack", "jira", "google"]).expect("is a good world");
    Org::of(world, &options())
}

fn token(org: &Org, scope: &str) -> String {
    org.check(service(org, "ear", scope), 200).text("/access_token").to_owned()
}

fn with(token: &str, line: &str) -> Call {
    call(line).header("authorization", &format!("Bearer {token}"))
}

fn claims(body: &[u8]) -> Value {
    let text = std::str::from_utf8(body).expect("is text");
    let part = URL_SAFE_NO_PAD.decode(text.split('.').nth(1).expect("has claims")).expect("is base64");
    serde_json::from_slice(&part).expect("is JSON")
}

#[tokio::test]
async fn a_stream_tells_its_receiver_of_what_it_asked_for() {
    let org = org();
    let token = token(&org, "ssf.read ssf.manage");
    let server = MockServer::start().await;
    Mock::given(matchers::any()).respond_with(ResponseTemplate::new(202)).mount(&server).await;
    let stream = "/api/v1/ssf/stream";
    assert_eq!(org.check(with(&token, &format!("GET {stream}")), 200).body, json!([]));
    org.check(call(&format!("GET {stream}")), 403);
    let body = json!({
        "events_requested": [REVOKED, "https://schemas.example/other"],
        "delivery": { "method": "urn:ietf:rfc:8935", "endpoint_url": server.uri(), "authorization_header": "Bearer ear" },
    });
    org.check(with(&token, &format!("POST {stream}")).json(&json!({ "events_requested": [REVOKED] })), 400);
    let made = org.check(with(&token, &format!("POST {stream}")).json(&body), 201);
    assert_eq!(made.body["events_delivered"], json!([REVOKED]));
    assert!(made.body["delivery"].get("authorization_header").is_none(), "{}", made.body);
    org.check(with(&token, &format!("POST {stream}")).json(&body), 409);
    let id = made.text("/stream_id").to_owned();
    let status = org.check(with(&token, &format!("GET {stream}/status?stream_id={id}")), 200);
    assert_eq!(status.body, json!({ "stream_id": id, "status": "enabled" }));
    org.check(with(&token, &format!("GET {stream}?stream_id=esc404")), 404);
    let verify = json!({ "stream_id": id, "state": "abc" });
    org.check(with(&token, &format!("POST {stream}/verification")).json(&verify), 204);
    let person = org.id(LENA);
    org.check(call(&format!("DELETE /api/v1/users/{person}/sessions")), 204);
    assert!(org.universe.settle(Duration::from_secs(20)).await, "settles");
    let sent = server.received_requests().await.expect("are kept");
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].headers["content-type"], "application/secevent+jwt");
    assert_eq!(sent[0].headers["authorization"], "Bearer ear");
    let told = claims(&sent[0].body);
    assert_eq!(
        told["events"]["https://schemas.openid.net/secevent/ssf/event-type/verification"]["state"],
        json!("abc")
    );
    let told = claims(&sent[1].body);
    assert_eq!((&told["iss"], &told["aud"]), (&json!(ORIGIN), &json!(server.uri())));
    assert_eq!(told["events"][REVOKED]["subject"]["user"]["sub"], json!(person));
    let patched = with(&token, &format!("PATCH {stream}")).json(&json!({ "events_requested": [CHANGED] }));
    assert_eq!(org.check(patched, 200).body["events_delivered"], json!([CHANGED]));
    org.check(call(&format!("DELETE /api/v1/users/{person}/sessions")), 204);
    assert!(org.universe.settle(Duration::from_secs(20)).await, "settles");
    assert_eq!(server.received_requests().await.expect("are kept").len(), 2, "it is not asked for any more");
    org.check(with(&token, &format!("PUT {stream}")).json(&body), 200);
    org.check(with(&token, &format!("DELETE {stream}?stream_id={id}")), 204);
    org.check(with(&token, &format!("GET {stream}/status")), 404);
    let events = org.events();
    assert_eq!(events.get("security.events.transmitter.create"), Some(&1));
    assert_eq!(events.get("security.events.transmitter.delete"), Some(&1));
}

fn published(issuer: &str, own: &Value) -> Call {
    let mut said = json!({
        "iss": issuer, "aud": ORIGIN, "jti": "one", "iat": 1_772_442_000,
        "events": { REVOKED: { "subject": { "user": { "format": "email", "email": LENA } } } },
    });
    for (name, value) in own.as_object().expect("is one") {
        said[name] = value.clone();
    }
    let header = Header {
        kid: Some(keys::CLIENT_KEY_ID.to_owned()),
        typ: Some("secevent+jwt".to_owned()),
        ..Header::new(Algorithm::RS256)
    };
    let token = encode(&header, &said, &CLIENT_KEY).expect("signs");
    call("POST /security/api/v1/security-events").anonymous().raw("application/secevent+jwt", &token)
}

#[tokio::test]
async fn a_token_that_is_published_counts_where_its_provider_signed_it() {
    let org = org();
    let server = MockServer::start().await;
    let about = json!({ "issuer": server.uri(), "jwks_uri": format!("{}/keys", server.uri()) });
    let about = ResponseTemplate::new(200).set_body_json(about);
    Mock::given(matchers::path("/.well-known/ssf-configuration")).respond_with(about).mount(&server).await;
    let set = ResponseTemplate::new(200).set_body_json(json!({ "keys": [keys::client_key()] }));
    Mock::given(matchers::path("/keys")).respond_with(set).mount(&server).await;
    let refuse = |got: crate::support::Got, err: &str| {
        assert_eq!((got.status, got.text("/err")), (400, err), "{}", got.body);
    };
    refuse(org.send(published(&server.uri(), &json!({}))), "invalid_issuer");
    let settings = json!({ "well_known_url": format!("{}/.well-known/ssf-configuration", server.uri()) });
    let providers = "/api/v1/security-events-providers";
    let made = org.post(providers, &json!({ "name": "Other", "type": "okta", "settings": settings }));
    assert!(org.universe.settle(Duration::from_secs(20)).await, "settles");
    let one = format!("{providers}/{}", made.text("/id"));
    assert_eq!(org.get(&one).text("/settings/issuer"), server.uri(), "it is asked who it is");
    refuse(org.send(published(&server.uri(), &json!({ "events": {} }))), "invalid_request");
    refuse(org.send(published(&server.uri(), &json!({ "aud": "https://other.example" }))), "invalid_audience");
    let taken = org.wait(published(&server.uri(), &json!({}))).await;
    assert_eq!(taken.status, 202, "{}", taken.body);
    let received = org.get("/api/v1/logs?filter=eventType+eq+%22security.events.provider.receive_event%22");
    assert_eq!((received.text("/0/target/0/displayName"), received.text("/0/target/1/alternateId")), ("Other", LENA));
    org.check(call(&format!("POST {one}/lifecycle/deactivate")), 200);
    refuse(org.send(published(&server.uri(), &json!({ "jti": "two" }))), "invalid_issuer");
    org.check(call(&format!("POST {one}/lifecycle/activate")), 200);
    let alien = json!({ "name": "Alien", "type": "okta", "settings": { "issuer": "https://alien.example", "jwks_url": format!("{}/none", server.uri()) } });
    org.post(providers, &alien);
    refuse(org.wait(published("https://alien.example", &json!({}))).await, "invalid_key");
    let taken = json!({ "name": "Other", "type": "okta", "settings": settings });
    org.check(call(&format!("POST {providers}")).json(&taken), 400);
    org.check(call(&format!("DELETE {one}")), 204);
    org.check(call(&format!("GET {one}")), 404);
    assert_eq!(org.events().get("security.events.provider.create"), Some(&2));
}
