//! What the global session policy and clients ask of people: factors, and how long sessions last.

use serde_json::{Map, Value, json};

use super::{PASSWORD, asked, form, org, query, refuse, sent, verified, wait, web};
use crate::{
    mfa::{challenge, enrol, question},
    support::{Call, Got, Org, call},
};

/// What a browser with a cookie gets of the authorize endpoint.
pub(super) fn authorize(org: &Org, cookie: &str, changes: &[(&str, &str)]) -> Got {
    let line = format!("GET /oauth2/v1/authorize?{}", query(&asked(changes)));
    org.send(call(&line).anonymous().header("cookie", cookie))
}

pub(super) fn signs_in(fields: &[(&str, &str)]) -> Call {
    let password = [("username", "lena.fischer"), ("password", PASSWORD)];
    form("/login/login.htm", &[&password[..], fields].concat())
}

/// The cookie that an answer sets.
pub(super) fn cookie(got: &Got) -> String {
    got.header("set-cookie").split(';').next().expect("sets a cookie").to_owned()
}

/// A field of a page's form.
pub(super) fn hidden(page: &Got, name: &str) -> String {
    let text = page.body.as_str().expect("is a page");
    let start = format!("name=\"{name}\" value=\"");
    let value = text.split(&start).nth(1).and_then(|rest| rest.split('"').next());
    value.unwrap_or_else(|| panic!("has {name}: {text}")).replace("&amp;", "&")
}

/// What the tokens say that a code is good for.
pub(super) fn claims(org: &Org, back: &Map<String, Value>) -> (Value, Value) {
    let code = back["code"].as_str().expect("has a code");
    let redirect = ("redirect_uri", "https://web.example/cb");
    let fields = [("grant_type", "authorization_code"), ("code", code), redirect];
    let got = org.check(web("/oauth2/v1/token", &fields), 200);
    let read = |name: &str| verified(org, "/oauth2/v1/keys", got.text(name));
    (read("/id_token"), read("/access_token"))
}

const FACTOR: (&str, &str) = ("acr_values", "urn:okta:loa:2fa:any");
const IF_POSSIBLE: (&str, &str) = ("acr_values", "urn:okta:loa:2fa:any:ifpossible");

#[test]
fn a_client_asks_for_a_factor() {
    let org = org();
    let cookie_before = cookie(&org.check(signs_in(&[]), 302));
    let (_, back) = sent(&authorize(&org, &cookie_before, &[FACTOR]));
    assert_eq!(back["error"], "unmet_authentication_requirements", "nobody is asked for what they have not");
    let (id, _) = claims(&org, &sent(&authorize(&org, &cookie_before, &[IF_POSSIBLE])).1);
    assert_eq!((&id["amr"], &id["acr"]), (&json!(["pwd"]), &json!(IF_POSSIBLE.1)));
    enrol(&org, &question());
    let (_, back) = sent(&authorize(&org, &cookie_before, &[FACTOR, ("prompt", "none")]));
    assert_eq!(back["error"], "login_required");
    for class in [FACTOR, IF_POSSIBLE] {
        let page = authorize(&org, &cookie_before, &[class, ("max_age", "600")]);
        let (token, next) = (hidden(&page, "stateToken"), hidden(&page, "fromURI"));
        let step = |code: &str| {
            org.send(form("/login/login.htm", &[("stateToken", &token), ("fromURI", &next), ("passCode", code)]))
        };
        assert_eq!(step("wrong").status, 403, "{class:?}");
        let done = step("Spelling");
        assert_eq!((done.status, done.header("location")), (302, &*next));
        let got = org.send(call(&format!("GET {next}")).anonymous().header("cookie", &cookie(&done)));
        let (id, access) = claims(&org, &sent(&got).1);
        assert_eq!((&id["amr"], &id["acr"]), (&json!(["pwd", "mfa", "kba"]), &json!(class.1)));
        assert_eq!(access["acr"], class.1);
        let (id, _) = claims(&org, &sent(&authorize(&org, &cookie(&done), &[])).1);
        assert_eq!(
            (&id["amr"], id.get("acr")),
            (&json!(["pwd", "mfa", "kba"]), None),
            "who asks for nothing is told how"
        );
    }
}

#[test]
fn sessions_last_as_long_as_the_policy_says() {
    let check = |idle: u64, most: u64, steps: &[(u64, bool)]| {
        let org = org();
        let limits = json!({ "maxSessionIdleMinutes": idle, "maxSessionLifetimeMinutes": most });
        challenge(&org, &json!({ "requireFactor": false, "factorPromptMode": null, "session": limits }));
        let sid = cookie(&org.check(signs_in(&[]), 302));
        for (minutes, lives) in steps {
            wait(&org, minutes * 60);
            let refreshed = call("POST /api/v1/sessions/me/lifecycle/refresh").anonymous().header("cookie", &sid);
            assert_eq!(org.send(refreshed).status == 200, *lives, "{minutes} of {idle} and {most}");
        }
    };
    check(10, 0, &[(9, true), (9, true), (11, false)]);
    check(10, 20, &[(9, true), (9, true), (3, false)]);
    check(60, 30, &[(29, true), (2, false)]);
}

fn password_grant(password: &str) -> Call {
    let fields = [("username", "lena.fischer"), ("password", password), ("scope", "openid")];
    web("/oauth2/default/v1/token", &[&[("grant_type", "password")], &fields[..]].concat())
}

#[test]
fn the_password_grant_asks_the_policy() {
    let words = "Resource owner password credentials authentication denied by sign on policy.";
    for rule in [json!({}), json!({ "access": "DENY", "requireFactor": false, "factorPromptMode": null })] {
        let org = org();
        org.check(password_grant(PASSWORD), 200);
        challenge(&org, &rule);
        refuse(&org, password_grant(PASSWORD), 400, "invalid_grant", words);
    }
}

#[test]
fn wrong_passwords_of_the_password_grant_count() {
    let org = org();
    for _ in 0..10 {
        refuse(&org, password_grant("wrong"), 400, "invalid_grant", "The credentials provided were invalid.");
    }
    assert_eq!(org.get("/api/v1/users/lena.fischer").text("/status"), "LOCKED_OUT");
    refuse(&org, password_grant(PASSWORD), 400, "invalid_grant", "The credentials provided were invalid.");
}

#[test]
fn a_refused_step_on_the_page_changes_nothing() {
    let org = org();
    org.post("/api/v1/users/lena.fischer/lifecycle/expire_password", &json!({}));
    let page = org.check(signs_in(&[]), 200);
    let token = hidden(&page, "stateToken");
    let before = (org.view("users"), org.events());
    let length = org.universe.ledger().len();
    let changed = |org: &Org| {
        let entries = org.universe.ledger().page(length, 10).expect("is read");
        entries.iter().map(|entry| entry["changes"].as_array().map_or(0, Vec::len)).sum::<usize>()
    };
    let step = |old: &str, new: &str| {
        org.send(form("/login/login.htm", &[("stateToken", &token), ("oldPassword", old), ("newPassword", new)]))
    };
    for (old, new) in [("wrong", "Better-horse-2"), (PASSWORD, "short"), (PASSWORD, "")] {
        assert_eq!(step(old, new).status, 403, "{old} {new}");
    }
    assert_eq!(changed(&org), 0, "nor does the ledger tell of changes");
    assert_eq!((org.view("users"), org.events()), before);
    assert_eq!(step(PASSWORD, "Better-horse-2").status, 302);
    assert!(changed(&org) > 0);
    assert_eq!(org.get("/api/v1/users/lena.fischer").text("/status"), "ACTIVE");
}
