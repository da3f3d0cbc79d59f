//! Inline hooks in the middle of a sign-in by a browser: assertions, tokens straight from the authorize endpoint, and
//! passwords on the page and at the token endpoint.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

use crate::{
    inline_hooks::{IMPORT, TOKENS, access, asked, attach, hook, identity, outcomes, patch, says, service},
    oauth::{self, query, web},
    saml::{answer, app, page, session_token, sso},
    support::{Call, Got, Org, call},
};

const SAML: &str = "com.okta.saml.tokens.transform";
const ASSERTION: &str = "com.okta.assertion.patch";

/// A SAML app that asks a hook, with two statements of its own.
fn asking(org: &Org, server: &MockServer) -> Value {
    let id = hook(org, SAML, &server.uri());
    let statement = |name: &str, value: &str| json!({ "type": "EXPRESSION", "name": name, "values": [value] });
    let more = json!({
        "inlineHooks": [{ "id": id }],
        "attributeStatements": [statement("dept", "user.department"), statement("http://x.example/y", "user.email")],
    });
    app(org, "Asks", more)
}

async fn signs_on(org: &Org, app: &Value) -> Got {
    org.wait(call(&format!("GET {}?sessionToken={}", sso(org, app), session_token(org))).anonymous()).await
}

fn sent(request: &wiremock::Request) -> Value {
    serde_json::from_slice(&request.body).expect("is JSON")
}

#[tokio::test]
async fn an_assertion_hook_is_told_what_the_app_would_be_told() {
    let org = Org::acme();
    let server = service(vec![ResponseTemplate::new(204)]).await;
    let made = asking(&org, &server);
    let got = signs_on(&org, &made).await;
    assert!(got.header("set-cookie").starts_with("sid="), "the session that began with the call has its cookie");
    let all = asked(&server).await;
    let body = sent(&all[0]);
    let check = |pointer: &str, wanted: Value| assert_eq!(body.pointer(pointer), Some(&wanted), "{pointer}: {body}");
    let lena = "lena.fischer@acme.example";
    check("/eventType", json!(SAML));
    check("/source", json!(format!("{}{}", crate::support::ORIGIN, sso(&org, &made))));
    check("/data/context/protocol/type", json!("SAML2.0"));
    check("/data/context/protocol/issuer/id", made["id"].clone());
    check("/data/context/session/login", json!(lena));
    check("/data/context/session/amr", json!(["PASSWORD"]));
    check("/data/context/user/id", json!(org.id(lena)));
    check("/data/context/request/method", json!("GET"));
    check("/data/assertion/subject/nameId", json!(lena));
    check("/data/assertion/subject/confirmation/data/recipient", json!("https://sp.example/acs"));
    check("/data/assertion/conditions/audienceRestriction", json!(["https://sp.example"]));
    let class = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
    check("/data/assertion/authentication/authnContext/authnContextClassRef", json!(class));
    check("/data/assertion/claims/dept/attributeValues/0/value", json!("Design"));
    check("/data/assertion/claims/http:~1~1x.example~1y/attributeValues/0/attributes/xsi:type", json!("xs:string"));
    check("/data/assertion/lifetime/expiration", json!(300));
    let text = answer(&got);
    let session = body.pointer("/data/assertion/authentication/sessionIndex").and_then(Value::as_str).expect("is told");
    assert!(text.contains(&format!("SessionIndex=\"{session}\"")), "an empty answer changes nothing: {text}");
    assert_eq!(org.events()["user.authentication.sso"], 1);
}

#[tokio::test]
async fn an_assertion_hook_is_obeyed() {
    let value = |text: &str| json!({ "attributes": { "NameFormat": "urn:oasis:names:tc:SAML:2.0:attrname-format:basic" }, "attributeValues": [{ "attributes": { "xsi:type": "xs:integer" }, "value": text }] });
    let op = |op: &str, path: &str, value: Value| json!({ "op": op, "path": path, "value": value });
    for (changes, wanted) in [
        (vec![op("add", "/claims/extra", value("4321"))], "xsi:type=\"xs:integer\">4321<"),
        (
            vec![op("add", "/claims/extra", value("1"))],
            "Name=\"extra\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\"",
        ),
        (vec![op("replace", "/claims/dept/attributeValues/0/value", json!("Sales"))], ">Sales<"),
        (vec![op("replace", "/claims/http:~1~1x.example~1y/attributeValues/0/value", json!(7))], ">7<"),
        (vec![op("replace", "/subject/nameId", json!("other"))], ">other</saml2:NameID>"),
        (vec![op("replace", "/subject/nameFormat", json!("urn:f"))], "<saml2:NameID Format=\"urn:f\">"),
        (
            vec![op("replace", "/subject/confirmation/data/recipient", json!("https://r.example"))],
            "Recipient=\"https://r.example\"",
        ),
        (vec![op("replace", "/authentication/sessionIndex", json!("mine"))], "SessionIndex=\"mine\""),
        (
            vec![op("replace", "/authentication/authnContext", json!({ "authnContextClassRef": "urn:c" }))],
            ">urn:c</saml2:AuthnContextClassRef>",
        ),
        (
            vec![op("replace", "/conditions/audienceRestriction", json!(["a", "b"]))],
            "<saml2:Audience>a</saml2:Audience><saml2:Audience>b</saml2:Audience>",
        ),
    ] {
        let org = Org::acme();
        let server = service(says(&patch(ASSERTION, &json!(changes)))).await;
        let got = signs_on(&org, &asking(&org, &server)).await;
        let text = answer(&got);
        assert!(text.contains(wanted), "{changes:?}: {wanted} is in {text}");
        assert_eq!(outcomes(&org, "inline_hook.response.processed"), ["SUCCESS"], "{changes:?}");
    }
}

#[tokio::test]
async fn what_an_assertion_hook_may_not_do_is_not_done() {
    let op = |op: &str, path: &str, value: Value| json!({ "op": op, "path": path, "value": value });
    for answered in [
        patch(ASSERTION, &json!([op("remove", "/claims/dept", Value::Null)])),
        patch(ASSERTION, &json!([op("add", "/subject/nameId", json!("x"))])),
        patch(ASSERTION, &json!([op("replace", "/context/user", json!("x"))])),
        patch(ASSERTION, &json!([op("replace", "/claims/nothing", json!("x"))])),
        patch(ASSERTION, &json!([op("add", "/claims/x", json!("x"))])),
        patch(ASSERTION, &json!([op("replace", "/subject/nameId", json!("x")), op("replace", "/nothing", json!(1))])),
        patch(ASSERTION, &json!("x")),
        patch("com.okta.other", &json!([])),
    ] {
        let org = Org::acme();
        let server = service(says(&answered)).await;
        let text = answer(&signs_on(&org, &asking(&org, &server)).await);
        assert!(text.contains(">lena.fischer@acme.example</saml2:NameID>") && text.contains(">Design<"), "{answered}");
        assert_eq!(outcomes(&org, "inline_hook.response.processed"), ["FAILURE"], "{answered}");
    }
}

#[tokio::test]
async fn without_an_answer_assertions_are_as_they_were() {
    let late = ResponseTemplate::new(200).set_body_json(json!({})).set_delay(Duration::from_secs(4));
    for (answered, calls) in [
        (ResponseTemplate::new(500), 2),
        (ResponseTemplate::new(404), 1),
        (ResponseTemplate::new(200).set_body_string("no JSON"), 1),
        (late, 2),
    ] {
        let org = Org::acme();
        let server = service(vec![answered]).await;
        let text = answer(&signs_on(&org, &asking(&org, &server)).await);
        assert!(text.contains(">Design<"), "{text}");
        assert_eq!(
            (asked(&server).await.len(), outcomes(&org, "inline_hook.executed")),
            (calls, vec!["FAILURE".to_owned()])
        );
    }
}

#[tokio::test]
async fn an_assertion_hook_refuses_in_its_own_words() {
    let org = Org::acme();
    let server = service(says(&json!({ "error": { "errorSummary": "not today" } }))).await;
    let made = asking(&org, &server);
    let got = signs_on(&org, &made).await;
    assert_eq!(got.status, 400);
    assert!(page(&got).contains("not today"), "{}", page(&got));
    assert_eq!(org.events().get("user.authentication.sso"), None);
    let by_script = org.perform("okta.user.sign_in_to_app", "lena", &json!({ "app": "Asks" }));
    assert_eq!(by_script, Err("the app asks an inline hook: use a browser".to_owned()));
    let id = made["settings"]["signOn"]["inlineHooks"][0]["id"].as_str().expect("has a hook");
    org.check(call(&format!("POST /api/v1/inlineHooks/{id}/lifecycle/deactivate")), 200);
    assert_eq!(signs_on(&org, &made).await.status, 200, "a hook that is off is not asked");
    assert_eq!(asked(&server).await.len(), 1);
}

/// The fields that the client gets in its address.
fn fields(got: &Got) -> Vec<(String, String)> {
    let address = got.header("location");
    let (_, text) = address.split_once(['#', '?']).unwrap_or_else(|| panic!("has fields: {} {}", got.status, got.body));
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn field(got: &Got, name: &str) -> String {
    fields(got).into_iter().find(|(own, _)| own == name).map(|(_, value)| value).unwrap_or_default()
}

fn authorize(org: &Org, response: &str) -> Call {
    let token = session_token(org);
    let all = query(&[
        ("client_id", "web"),
        ("response_type", response),
        ("scope", "openid profile orders.read"),
        ("redirect_uri", "https://web.example/cb"),
        ("state", "s"),
        ("nonce", "n"),
        ("sessionToken", &token),
    ]);
    call(&format!("GET /oauth2/ausorders/v1/authorize?{all}")).anonymous()
}

#[tokio::test]
async fn a_token_hook_changes_tokens_that_come_by_the_browser() {
    let both = json!({ "commands": [
        { "type": "com.okta.access.patch", "value": [
            { "op": "add", "path": "/claims/ext", "value": "a" },
            { "op": "replace", "path": "/token/lifetime/expiration", "value": 600 },
        ] },
        { "type": "com.okta.identity.patch", "value": [{ "op": "add", "path": "/claims/ext", "value": "i" }] },
    ] });
    for response in ["token", "id_token", "id_token token", "code id_token", "code token", "code id_token token"] {
        let org = oauth::org();
        let server = service(says(&both)).await;
        attach(&org, &hook(&org, TOKENS, &server.uri()));
        let got = org.wait(authorize(&org, response)).await;
        assert!(got.header("set-cookie").starts_with("sid="), "{response}");
        assert_eq!(field(&got, "state"), "s", "{response}");
        let given = |name: &str| json!({ "access_token": field(&got, name), "id_token": field(&got, name) });
        let has = |word: &str| response.split(' ').any(|own| own == word);
        if has("token") {
            let tokens = Got { status: 200, headers: http::HeaderMap::new(), body: given("access_token") };
            assert_eq!((access(&org, &tokens)["ext"].as_str(), field(&got, "expires_in").as_str()), (Some("a"), "600"));
        }
        if has("id_token") {
            let tokens = Got { status: 200, headers: http::HeaderMap::new(), body: given("id_token") };
            let claims = identity(&org, &tokens);
            assert_eq!((&claims["ext"], claims.get("c_hash").is_some()), (&json!("i"), has("code")), "{response}");
        }
        assert_eq!(field(&got, "code").is_empty(), !has("code"), "{response}");
        let body = sent(&asked(&server).await[0]);
        assert_eq!(body["data"]["context"]["protocol"]["request"]["response_type"], response);
        assert_eq!(
            (body["data"].get("access").is_some(), body["data"].get("identity").is_some()),
            (has("token"), has("id_token"))
        );
    }
}

#[tokio::test]
async fn codes_alone_ask_no_hook_and_refusals_go_to_the_client() {
    let org = oauth::org();
    let server = service(says(&json!({ "error": { "errorSummary": "not today" } }))).await;
    attach(&org, &hook(&org, TOKENS, &server.uri()));
    assert!(!field(&org.wait(authorize(&org, "code")).await, "code").is_empty());
    assert!(asked(&server).await.is_empty());
    let got = org.wait(authorize(&org, "code token")).await;
    assert_eq!(
        (field(&got, "error").as_str(), field(&got, "error_description").as_str()),
        ("server_error", "not today")
    );
    assert_eq!((field(&got, "code").as_str(), field(&got, "state").as_str()), ("", "s"));
}

/// An org with somebody whose password only the hook knows.
fn with_ida(org: Org) -> Org {
    let person = json!({
        "profile": { "firstName": "Ida", "lastName": "Moved", "email": "ida@acme.example", "login": "ida@acme.example" },
        "credentials": { "password": { "hook": { "type": "default" } } },
    });
    org.post("/api/v1/users?activate=true", &person);
    org
}

fn verdict(word: &str) -> Value {
    json!({ "commands": [{ "type": "com.okta.action.update", "value": { "credential": word } }] })
}

#[tokio::test]
async fn a_password_is_imported_on_the_sign_in_page_too() {
    let form = query(&[("username", "ida@acme.example"), ("password", "Old-secret-1"), ("fromURI", "/home")]);
    let sign_in = || call("POST /login/login.htm").anonymous().raw("application/x-www-form-urlencoded", &form);
    for (word, status, calls) in [("VERIFIED", 302, 1), ("UNVERIFIED", 401, 2)] {
        let org = with_ida(Org::acme());
        let server = service(says(&verdict(word))).await;
        hook(&org, IMPORT, &server.uri());
        for _ in 0..2 {
            let got = org.wait(sign_in()).await;
            assert_eq!(
                (got.status, got.header("set-cookie").starts_with("sid=")),
                (status, status == 302),
                "{}",
                got.body
            );
            if status == 302 {
                assert_eq!(got.header("location"), "/home");
            } else {
                assert!(page(&got).contains("Unable to sign in"), "{}", page(&got));
            }
        }
        assert_eq!(asked(&server).await.len(), calls, "once it is right, Okta knows it");
    }
    let org = with_ida(Org::acme());
    assert_eq!(org.wait(sign_in()).await.status, 401, "without a hook nobody can say that it is right");
}

#[tokio::test]
async fn a_password_is_imported_at_the_token_endpoint_too() {
    let grant = [
        ("username", "ida@acme.example"),
        ("password", "Old-secret-1"),
        ("grant_type", "password"),
        ("scope", "openid orders.read"),
    ];
    let ask = || web("/oauth2/ausorders/v1/token", &grant);
    for (word, status, calls) in [("VERIFIED", 200, 1), ("UNVERIFIED", 400, 2)] {
        let org = with_ida(oauth::org());
        let server = service(says(&verdict(word))).await;
        hook(&org, IMPORT, &server.uri());
        for _ in 0..2 {
            let got = org.wait(ask()).await;
            assert_eq!(got.status, status, "{}", got.body);
            assert_eq!(got.text("/error"), if status == 200 { "" } else { "invalid_grant" });
        }
        assert_eq!(asked(&server).await.len(), calls, "once it is right, Okta knows it");
    }
    let org = with_ida(oauth::org());
    assert_eq!(org.wait(ask()).await.status, 400, "without a hook nobody can say that it is right");
    // What the right password opens another hook may change.
    let org = with_ida(oauth::org());
    let (first, second) = (
        service(says(&verdict("VERIFIED"))).await,
        service(says(&patch("com.okta.access.patch", &json!([{ "op": "add", "path": "/claims/ext", "value": 1 }]))))
            .await,
    );
    hook(&org, IMPORT, &first.uri());
    attach(&org, &hook(&org, TOKENS, &second.uri()));
    let got = org.wait(ask()).await;
    assert_eq!((got.status, &access(&org, &got)["ext"]), (200, &json!(1)), "{}", got.body);
}
