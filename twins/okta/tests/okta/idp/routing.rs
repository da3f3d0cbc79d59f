//! Rules that send people to providers.

use serde_json::{Value, json};

use super::{Stage, ada, authorize, cookie, location};
use crate::{
    oauth::form,
    support::{Got, call},
};

/// The place of the rules of the policy that says where people sign in.
fn rules(stage: &Stage) -> String {
    let policies = stage.org.get("/api/v1/policies?type=IDP_DISCOVERY");
    format!("/api/v1/policies/{}/rules", policies.text("/0/id"))
}

fn rule(stage: &Stage, conditions: &Value) -> Value {
    let providers = json!([{ "type": "OIDC", "id": stage.idp }]);
    json!({
        "type": "IDP_DISCOVERY", "name": "Elsewhere", "conditions": conditions,
        "actions": { "idp": { "providers": providers, "idpSelectionType": "SPECIFIC" } },
    })
}

fn suffix(domain: &str) -> Value {
    json!({ "userIdentifier": { "type": "IDENTIFIER", "patterns": [{ "matchType": "SUFFIX", "value": domain }] } })
}

fn is_elsewhere(stage: &Stage, got: &Got) -> bool {
    location(got).0 == format!("{}/authorize", stage.server.uri())
}

#[tokio::test]
async fn a_rule_sends_people_to_a_provider() {
    let stage = Stage::new(json!({})).await;
    let windows = ("user-agent", "Mozilla/5.0 (Windows NT 10.0)");
    let check = |conditions: Value, hint: &str, agent: &str, expected: bool| {
        let org = stage.org.fork();
        org.post(&rules(&stage), &rule(&stage, &conditions));
        let more: &[(&str, &str)] = if hint.is_empty() { &[] } else { &[("login_hint", hint)] };
        let got = org.send(call(&authorize(more)).anonymous().header("user-agent", agent));
        assert_eq!(got.status == 302 && is_elsewhere(&stage, &got), expected, "{conditions} {hint}: {}", got.body);
    };
    check(json!({}), "", "", true);
    check(suffix("x.example"), "ada@x.example", "", true);
    check(suffix("x.example"), "ada@y.example", "", false);
    check(suffix("x.example"), "", "", false);
    check(
        json!({ "platform": { "include": [{ "type": "DESKTOP", "os": { "type": "WINDOWS" } }] } }),
        "",
        windows.1,
        true,
    );
    check(json!({ "platform": { "include": [{ "type": "MOBILE", "os": { "type": "ANY" } }] } }), "", windows.1, false);
    let department = |value: &str| {
        let patterns = json!([{ "matchType": "EQUALS", "value": value }]);
        json!({ "userIdentifier": { "type": "ATTRIBUTE", "attribute": "department", "patterns": patterns } })
    };
    check(department("Design"), "lena.fischer", "", true);
    check(department("Sales"), "lena.fischer", "", false);
    check(department("Design"), "nobody", "", false);
}

#[tokio::test]
async fn a_rule_may_be_for_some_apps_alone() {
    let stage = Stage::new(json!({})).await;
    let body = json!({
        "name": "oidc_client", "label": "Shop", "signOnMode": "OPENID_CONNECT",
        "credentials": { "oauthClient": { "token_endpoint_auth_method": "client_secret_basic" } },
        "settings": { "oauthClient": {
            "application_type": "web", "grant_types": ["authorization_code"], "response_types": ["code"],
            "redirect_uris": ["https://web.example/cb"],
        } },
    });
    let app = stage.org.post("/api/v1/apps", &body).text("/id").to_owned();
    let check = |how: &str, client: &str, expected: bool| {
        let org = stage.org.fork();
        org.post(&rules(&stage), &rule(&stage, &json!({ "app": { how: [{ "type": "APP", "id": app }] } })));
        let target = authorize(&[]).replace("client_id=web", &format!("client_id={client}"));
        let got = org.send(call(&target).anonymous());
        assert_eq!(got.status == 302 && is_elsewhere(&stage, &got), expected, "{how} {client}: {}", got.body);
    };
    check("include", &app, true);
    check("include", "web", false);
    check("exclude", &app, false);
    check("exclude", "web", true);
}

#[tokio::test]
async fn whoever_gives_their_name_on_the_page_is_sent_on_as_well() {
    let stage = Stage::new(json!({})).await;
    stage.org.post(&rules(&stage), &rule(&stage, &suffix("x.example")));
    let next = authorize(&[]).trim_start_matches("GET ").to_owned();
    let fields = [("username", "ada@x.example"), ("password", ""), ("fromURI", next.as_str())];
    let got = stage.org.check(form("/login/login.htm", &fields), 302);
    assert!(is_elsewhere(&stage, &got), "{got:?}");
    let sent = location(&got).1;
    assert_eq!(sent["login_hint"], "ada@x.example");
    stage.ready(&sent["nonce"], &ada());
    let got = stage.back(&sent["state"]).await;
    assert_eq!(got.header("location"), next);
    assert!(stage.client(&got).contains_key("code") && !cookie(&got).is_empty());
    let own = [("username", super::LENA), ("password", crate::oauth::PASSWORD), ("fromURI", next.as_str())];
    let got = stage.org.check(form("/login/login.htm", &own), 302);
    assert_eq!(got.header("location"), next, "others sign in with Okta");
}

#[tokio::test]
async fn a_rule_may_find_the_provider_by_somebodys_name() {
    let stage = Stage::new(json!({ "name": "x.example" })).await;
    let criteria =
        json!([{ "propertyName": "name", "providerExpression": "String.substringAfter(login.identifier, \"@\")" }]);
    let mut dynamic = rule(&stage, &json!({}));
    dynamic["actions"]["idp"] = json!({ "providers": [], "idpSelectionType": "DYNAMIC", "matchCriteria": criteria });
    stage.org.post(&rules(&stage), &dynamic);
    let check = |hint: &str, expected: bool| {
        let got = stage.org.send(call(&authorize(&[("login_hint", hint)])).anonymous());
        assert_eq!(got.status == 302 && is_elsewhere(&stage, &got), expected, "{hint}: {}", got.body);
    };
    check("ada@x.example", true);
    check("ada@y.example", false);
}
