//! What the policies of apps ask of people who sign in to them.

use serde_json::{Value, json};

use super::{
    DEVICE, PASSWORD,
    assurance::{authorize, claims, cookie, hidden, signs_in},
    form, org, refuse, sent, wait, web,
};
use crate::{
    factors,
    mfa::{enrol, question},
    saml,
    support::{Got, Org, call},
};

/// An org in which an app's policy has one rule before the one for all others, which denies.
fn ruled(app: &str, rule: &Value) -> Org {
    let org = org();
    rule_of(&org, app, rule);
    org
}

/// Gives an app a policy with such a rule, behind which nobody else gets in. A client that has no app is under the policy
/// of apps that have no other.
fn rule_of(org: &Org, app: &str, rule: &Value) {
    let app = org.get(&format!("/api/v1/apps?q={app}"));
    let policy = if app.body[0].is_null() {
        let all = org.get("/api/v1/policies?type=ACCESS_POLICY");
        let at = all.column("/name").iter().position(|name| name == "Any two factors").expect("is there");
        all.text(&format!("/{at}/id")).to_owned()
    } else {
        let made = org.post("/api/v1/policies", &json!({ "type": "ACCESS_POLICY", "name": "Own" }));
        let policy = made.text("/id").to_owned();
        org.check(call(&format!("PUT /api/v1/apps/{}/policies/{policy}", app.text("/0/id"))), 204);
        policy
    };
    let rules = format!("/api/v1/policies/{policy}/rules");
    let last = org.get(&rules).body[0].clone();
    let deny =
        json!({ "name": last["name"], "type": "ACCESS_POLICY", "actions": { "appSignOn": { "access": "DENY" } } });
    org.check(call(&format!("PUT {rules}/{}", last["id"].as_str().expect("is text"))).json(&deny), 200);
    let mut first = json!({ "name": "First", "type": "ACCESS_POLICY", "priority": 0 });
    for (name, value) in rule.as_object().expect("is an object") {
        first[name] = value.clone();
    }
    org.post(&rules, &first);
}

fn allows(method: &Value) -> Value {
    let mut own = json!({ "type": "ASSURANCE", "factorMode": "1FA", "constraints": [] });
    for (name, value) in method.as_object().expect("is an object") {
        own[name] = value.clone();
    }
    json!({ "actions": { "appSignOn": { "access": "ALLOW", "verificationMethod": own } } })
}

fn two_factors() -> Value {
    allows(&json!({ "factorMode": "2FA" }))
}

fn sms() -> Value {
    json!({ "factorType": "sms", "provider": "OKTA", "profile": { "phoneNumber": "+12065550100" } })
}

/// What becomes of a sign-in: `code`, the error that the client is told, or the heading of a page.
fn end(got: &Got) -> String {
    if got.status == 302 {
        let back = sent(got).1;
        return back.get("error").and_then(Value::as_str).unwrap_or("code").to_owned();
    }
    let text = got.body.as_str().expect("is a page");
    saml::between(text, "<h1>", "</h1>").to_owned()
}

/// What a page's form sends with a code.
fn step(org: &Org, page: &Got, code: &str) -> Got {
    let (token, next) = (hidden(page, "stateToken"), hidden(page, "fromURI"));
    org.send(form("/login/login.htm", &[("stateToken", &token), ("fromURI", &next), ("passCode", code)]))
}

/// What a browser gets where a page has sent it on to, and its cookie by then.
fn on(org: &Org, done: &Got) -> (Got, String) {
    let cookie = cookie(done);
    let next = done.header("location").to_owned();
    (org.send(call(&format!("GET {next}")).anonymous().header("cookie", &cookie)), cookie)
}

const CODE: &str = "Verify with a code";
const AGAIN: &str = "Verify with your password";

/// The last evaluation of a policy in the log: its result, and the names of its targets.
fn evaluated(org: &Org) -> (String, Vec<String>) {
    let query = "filter=eventType+eq+%22policy.evaluate_sign_on%22&sortOrder=DESCENDING&limit=1";
    let got = org.get(&format!("/api/v1/logs?{query}"));
    let targets = got.body[0]["target"].as_array().expect("is a list");
    let name = |target: &Value| format!("{} {}", target["type"], target["displayName"]).replace('"', "");
    (got.text("/0/outcome/result").to_owned(), targets.iter().map(name).collect())
}

#[test]
fn the_first_rule_whose_conditions_hold_decides_as_in_simulations() {
    let base = org();
    let lena = base.id("lena.fischer");
    let tile = json!({ "name": "bookmark", "label": "One", "signOnMode": "BOOKMARK", "settings": { "app": { "url": "https://a.example/" } } });
    // An app that has no other policy, as the client has none.
    let app = base.post("/api/v1/apps", &tile).text("/id").to_owned();
    let everyone = base.group("Everyone");
    let zone = json!({ "type": "IP", "name": "Here", "gateways": [{ "type": "CIDR", "value": "127.0.0.0/8" }] });
    let zone = base.post("/api/v1/zones", &zone).text("/id").to_owned();
    let kind = base.get("/api/v1/meta/types/user").text("/0/id").to_owned();
    let network = |how: &str| json!({ "network": { "connection": "ZONE", how: [zone] } });
    let people = |what: &str, how: &str, id: &str| json!({ "people": { what: { how: [id] } } });
    let system =
        |kind: &str, system: &str| json!({ "platform": { "include": [{ "type": kind, "os": { "type": system } }] } });
    let written = |text: &str| json!({ "elCondition": { "condition": text } });
    for (conditions, lets_in) in [
        (json!({}), true),
        (people("users", "include", &lena), true),
        (people("users", "exclude", &lena), false),
        (people("groups", "include", &everyone), true),
        (people("groups", "exclude", &everyone), false),
        (network("include"), true),
        (network("exclude"), false),
        (json!({ "userType": { "include": [kind] } }), true),
        (json!({ "userType": { "exclude": [kind] } }), false),
        (json!({ "riskScore": { "level": "LOW" } }), true),
        (json!({ "riskScore": { "level": "HIGH" } }), false),
        (system("DESKTOP", "MACOS"), true),
        (system("MOBILE", "IOS"), false),
        (json!({ "device": { "registered": false } }), true),
        (json!({ "device": { "registered": true } }), false),
        (written("user.department == \"Design\""), true),
        (written("user.department == \"Sales\""), false),
    ] {
        let org = base.fork();
        let mut rule = allows(&json!({}));
        rule["conditions"] = conditions.clone();
        rule_of(&org, "Web", &rule);
        let sid = cookie(&org.check(signs_in(&[]), 302));
        let line = format!("GET /oauth2/v1/authorize?{}", super::query(&super::asked(&[])));
        let agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
        let got = org.send(call(&line).anonymous().header("cookie", &sid).header("user-agent", agent));
        assert_eq!(end(&got), if lets_in { "code" } else { "access_denied" }, "{conditions}");
        let name = if lets_in { "First" } else { "Catch-all Rule" };
        assert_eq!(evaluated(&org).1.last().map(String::as_str), Some(&*format!("Rule {name}")), "{conditions}");
        let context = json!({
            "user": { "id": lena }, "ip": "127.0.0.1", "risk": { "level": "LOW" },
            "device": { "platform": "MACOS", "registered": false, "managed": false },
        });
        let body = json!({ "appInstance": app, "policyTypes": ["ACCESS_POLICY"], "policyContext": context });
        let tried = org.check(call("POST /api/v1/policies/simulate").json(&body), 200);
        assert_eq!(tried.text("/evaluation/0/result/policies/0/rules/0/name"), name, "{conditions}");
    }
}

#[test]
fn the_policy_of_apps_that_have_no_other_asks_for_the_password() {
    let org = org();
    let sid = cookie(&org.check(signs_in(&[]), 302));
    assert_eq!(
        evaluated(&org),
        (
            "ALLOW".to_owned(),
            ["User Lena Fischer", "PolicyEntity Default Policy", "PolicyRule Default Rule"].map(str::to_owned).to_vec()
        )
    );
    assert_eq!(end(&authorize(&org, &sid, &[])), "code");
    let (result, targets) = evaluated(&org);
    let expected = ["PublicClientApp Web", "Rule Default Rule", "Rule Catch-all Rule"];
    assert_eq!((result.as_str(), targets), ("ALLOW", expected.map(str::to_owned).to_vec()));
    assert_eq!(org.events()["user.authentication.sso"], 1);
    wait(&org, 90 * 60);
    assert_eq!(end(&authorize(&org, &sid, &[])), "code", "as long as the session lasts");
}

#[test]
fn a_rule_asks_for_a_second_factor() {
    let org = ruled("Web", &two_factors());
    let sid = cookie(&org.check(signs_in(&[]), 302));
    enrol(&org, &question());
    assert_eq!(end(&authorize(&org, &sid, &[])), "access_denied", "a question is of the password's type");
    assert_eq!(evaluated(&org).0, "CHALLENGE");
    enrol(&org, &sms());
    let silent = sent(&authorize(&org, &sid, &[("prompt", "none")])).1;
    let words = "The client specified not to prompt, but the client app requires re-authentication or MFA.";
    assert_eq!((&silent["error"], &silent["error_description"]), (&json!("login_required"), &json!(words)));
    let page = authorize(&org, &sid, &[]);
    assert_eq!(end(&page), CODE);
    assert_eq!(step(&org, &page, "Spelling").status, 403, "the question does not help");
    step(&org, &page, "");
    wait(&org, 3);
    let done = step(&org, &page, &factors::sent(&org));
    let (got, sid) = on(&org, &done);
    assert_eq!(end(&got), "code");
    assert_eq!(evaluated(&org).0, "ALLOW");
    let (id, access) = claims(&org, &sent(&got).1);
    assert_eq!((&id["amr"], id.get("acr")), (&json!(["pwd", "mfa", "sms"]), None));
    assert_eq!(id["auth_time"], access["auth_time"]);
    assert_eq!(end(&authorize(&org, &sid, &[("prompt", "none")])), "code");
}

#[test]
fn a_rule_asks_again_after_its_time() {
    let check = |method: Value, steps: &[(u64, &str)]| {
        let org = ruled("Web", &allows(&method));
        let mut sid = cookie(&org.check(signs_in(&[]), 302));
        for (minutes, expected) in steps {
            wait(&org, minutes * 60);
            let got = authorize(&org, &sid, &[]);
            assert_eq!(end(&got), *expected, "{method} {minutes}");
            if *expected == AGAIN {
                assert_eq!(end(&authorize(&org, &sid, &[("prompt", "none")])), "login_required");
                assert_eq!(step(&org, &got, "wrong").status, 403);
                let before = org.universe.now().as_secs();
                let (got, renewed) = on(&org, &step(&org, &got, PASSWORD));
                let (id, _) = claims(&org, &sent(&got).1);
                assert_eq!((&id["amr"], &id["auth_time"]), (&json!(["pwd"]), &json!(before)));
                sid = renewed;
            }
        }
    };
    check(json!({ "reauthenticateIn": "PT1H" }), &[(0, "code"), (59, "code"), (2, AGAIN), (1, "code")]);
    check(json!({ "reauthenticateIn": "PT0S" }), &[(0, "code"), (0, AGAIN), (0, AGAIN), (1, AGAIN)]);
    let own = json!([{ "knowledge": { "types": ["password"], "reauthenticateIn": "PT30M" } }]);
    check(json!({ "reauthenticateIn": "PT1H", "constraints": own }), &[(29, "code"), (2, AGAIN), (0, "code")]);
    let step = |key: &str, method: &str| json!({ "authenticationMethods": [{ "key": key, "method": method }] });
    let chain = json!({ "type": "AUTH_METHOD_CHAIN", "reauthenticateIn": "PT1H", "chains": [step("okta_password", "password")] });
    check(chain, &[(59, "code"), (2, AGAIN), (0, "code")]);
}

#[test]
fn what_a_client_asks_for_comes_behind_the_policy() {
    let org = org();
    let sid = cookie(&org.check(signs_in(&[]), 302));
    let class = |org: &Org, sid: &str, class: &str| end(&authorize(org, sid, &[("acr_values", class)]));
    for (value, expected) in [
        ("urn:okta:loa:1fa:any", "code"),
        ("urn:okta:loa:1fa:pwd", "code"),
        ("urn:okta:loa:2fa:any:ifpossible", "code"),
        ("urn:okta:loa:2fa:any", "unmet_authentication_requirements"),
        ("phr", "unmet_authentication_requirements"),
        ("phrh", "unmet_authentication_requirements"),
        ("magic", "code"),
        ("magic urn:okta:loa:2fa:any", "unmet_authentication_requirements"),
        ("urn:okta:loa:1fa:any urn:okta:loa:2fa:any", "code"),
    ] {
        assert_eq!(class(&org, &sid, value), expected, "{value}");
    }
    let acr = |value: &str| {
        let (id, access) = claims(&org, &sent(&authorize(&org, &sid, &[("acr_values", value)])).1);
        (id.get("acr").cloned(), access.get("acr").cloned())
    };
    let known = Some(json!("urn:okta:loa:1fa:pwd"));
    assert_eq!(acr("magic urn:okta:loa:1fa:pwd"), (known.clone(), known), "the one that was chosen");
    assert_eq!(acr("magic"), (None, None));
    assert_eq!(end(&authorize(&org, &sid, &[("acr_values", "phr"), ("prompt", "none")])), "login_required");
    enrol(&org, &sms());
    assert_eq!(class(&org, &sid, "urn:okta:loa:2fa:any:ifpossible"), CODE);
    assert_eq!(class(&org, &sid, "urn:okta:loa:2fa:any"), CODE);
    assert_eq!(class(&org, &sid, "phr"), "unmet_authentication_requirements");
}

#[test]
fn saml_apps_ask_their_policies() {
    let org = org();
    let app = saml::app(&org, "Mine", json!({}));
    let path = saml::sso(&org, &app);
    let sid = cookie(&org.check(signs_in(&[]), 302));
    let open = |org: &Org, sid: &str| org.send(call(&format!("GET {path}")).anonymous().header("cookie", sid));
    let denied = org.fork();
    rule_of(&denied, "Mine", &json!({ "actions": { "appSignOn": { "access": "DENY" } } }));
    assert_eq!((open(&denied, &sid).status, evaluated(&denied).0), (403, "DENY".to_owned()));
    let words = "the policy of the app `Mine` does not let the person in";
    let refused = denied.perform("okta.user.sign_in_to_app", "lena", &json!({ "app": "Mine" }));
    assert_eq!(refused, Err(words.to_owned()));
    rule_of(&org, "Mine", &two_factors());
    enrol(&org, &sms());
    let refused = org.perform("okta.user.sign_in_to_app", "lena", &json!({ "app": "Mine" }));
    assert_eq!(refused, Err("the app asks for more than a password: use a browser".to_owned()));
    let page = open(&org, &sid);
    assert_eq!(end(&page), CODE);
    step(&org, &page, "");
    let (got, _) = on(&org, &step(&org, &page, &factors::sent(&org)));
    assert!(saml::answer(&got).contains("status:Success"));
    let (result, targets) = evaluated(&org);
    let expected = ["AppInstance Mine", "Rule Default Rule", "Rule First"];
    assert_eq!((result.as_str(), targets), ("ALLOW", expected.map(str::to_owned).to_vec()));
}

#[test]
fn grants_without_a_browser_ask_the_policy() {
    let password = || {
        let fields =
            [("grant_type", "password"), ("username", "lena.fischer"), ("password", PASSWORD), ("scope", "openid")];
        web("/oauth2/default/v1/token", &fields)
    };
    let words = "Resource owner password credentials authentication denied by sign on policy.";
    for rule in [two_factors(), json!({ "actions": { "appSignOn": { "access": "DENY" } } })] {
        let org = ruled("Web", &rule);
        refuse(&org, password(), 400, "invalid_grant", words);
        let refused = org.perform(
            "okta.user.sign_in",
            "lena",
            &json!({ "authorize": format!("/oauth2/v1/authorize?{}", super::query(&super::asked(&[]))) }),
        );
        assert!(refused.is_err_and(|words| words.contains("policy") || words.contains("asks for more")), "{rule}");
    }
    let org = ruled("Web", &allows(&json!({})));
    org.check(password(), 200);
}

#[test]
fn devices_ask_the_policy_of_their_app() {
    let code = |org: &Org| {
        let asked = form("/oauth2/v1/device/authorize", &[("client_id", "tv"), ("scope", "openid")]);
        let got = org.check(asked, 200);
        (got.text("/user_code").to_owned(), got.text("/device_code").to_owned())
    };
    let activate =
        |org: &Org, sid: &str, code: &str| org.send(form("/activate", &[("user_code", code)]).header("cookie", sid));
    let denied = ruled("Tv", &json!({ "actions": { "appSignOn": { "access": "DENY" } } }));
    let sid = cookie(&denied.check(signs_in(&[]), 302));
    let got = activate(&denied, &sid, &code(&denied).0);
    assert!(got.body.as_str().is_some_and(|text| text.contains("denied the request")), "{}", got.body);
    let org = ruled("Tv", &two_factors());
    enrol(&org, &sms());
    let sid = cookie(&org.check(signs_in(&[]), 302));
    let (user_code, device_code) = code(&org);
    let page = activate(&org, &sid, &user_code);
    assert_eq!(end(&page), CODE);
    step(&org, &page, "");
    let done = step(&org, &page, &factors::sent(&org));
    assert_eq!(done.header("location"), format!("/activate?user_code={user_code}"));
    assert_eq!(end(&activate(&org, &cookie(&done), &user_code)), "Device activated");
    let fields = [("grant_type", DEVICE), ("client_id", "tv"), ("device_code", &*device_code)];
    org.check(form("/oauth2/v1/token", &fields), 200);
}
