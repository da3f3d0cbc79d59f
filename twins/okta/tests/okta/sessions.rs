//! Sessions.

use serde_json::json;

use crate::{
    authn::{PASSWORD, enter, ida, wait},
    support::{ORIGIN, Org, call},
};

fn begin(org: &Org) -> crate::support::Got {
    let token = enter(org, "ida", PASSWORD).text("/sessionToken").to_owned();
    org.post("/api/v1/sessions", &json!({ "sessionToken": token }))
}

#[test]
fn a_session_token_becomes_one_session() {
    let org = Org::acme();
    let user = ida(&org);
    let token = enter(&org, "ida", PASSWORD).text("/sessionToken").to_owned();
    let made = call("POST /api/v1/sessions").json(&json!({ "sessionToken": token }));
    let got = org.check(made.clone(), 200);
    let id = got.text("/id").to_owned();
    assert!(id.starts_with("102") && id.len() == 25);
    assert_eq!((got.text("/userId"), got.text("/login"), got.text("/status")), (&*user, "ida@acme.example", "ACTIVE"));
    assert_eq!((&got.body["amr"], &got.body["mfaActive"]), (&json!(["pwd"]), &json!(true)));
    assert!(got.text("/idp/id").starts_with("00o"));
    assert_eq!(got.text("/_links/self/href"), format!("{ORIGIN}/api/v1/sessions/me"));
    assert_eq!(got.text("/_links/user/href"), format!("{ORIGIN}/api/v1/users/me"));
    org.refuse(made, 401, "E0000004", &[]);
    org.refuse(call("POST /api/v1/sessions").json(&json!({ "sessionToken": "x" })), 401, "E0000004", &[]);
    org.refuse(call("POST /api/v1/sessions"), 400, "E0000003", &[]);
    let got = org.get(&format!("/api/v1/sessions/{id}"));
    let other = got.text("/_links/self/href").to_owned();
    assert!(other.starts_with(&format!("{ORIGIN}/api/v1/sessions/102")) && !other.ends_with(&id));
    assert_eq!(got.text("/_links/user/href"), format!("{ORIGIN}/api/v1/users/{user}"));
    assert_eq!(org.get(&other[ORIGIN.len()..]).text("/id"), id, "the link leads to it");
}

#[test]
fn sessions_last_are_refreshed_and_end() {
    let org = Org::acme();
    ida(&org);
    let id = begin(&org).text("/id").to_owned();
    let at = format!("/api/v1/sessions/{id}");
    wait(&org, 7_000);
    let before = org.get(&at).text("/expiresAt").to_owned();
    let refreshed = org.post(&format!("{at}/lifecycle/refresh"), &json!({}));
    assert!(refreshed.text("/expiresAt") > &*before);
    wait(&org, 7_000);
    org.get(&at);
    wait(&org, 300);
    org.check(call(&format!("GET {at}")), 404);
    let id = begin(&org).text("/id").to_owned();
    let at = format!("/api/v1/sessions/{id}");
    org.check(call(&format!("DELETE {at}")), 204);
    for line in [format!("GET {at}"), format!("DELETE {at}"), format!("POST {at}/lifecycle/refresh")] {
        let got = org.check(call(&line), 404);
        assert_eq!(got.text("/errorSummary"), format!("Not found: Resource not found: {id} (AppSession)"));
    }
    org.check(call("GET /api/v1/sessions"), 405);
    assert_eq!(org.events()["user.session.end"], 1);
}

#[test]
fn session_tokens_end_after_five_minutes() {
    let org = Org::acme();
    ida(&org);
    let token = enter(&org, "ida", PASSWORD).text("/sessionToken").to_owned();
    wait(&org, 301);
    org.refuse(call("POST /api/v1/sessions").json(&json!({ "sessionToken": token })), 401, "E0000004", &[]);
}

#[test]
fn a_person_s_sessions_end_together() {
    let org = Org::acme();
    ida(&org);
    let ids: Vec<String> = (0..3).map(|_| begin(&org).text("/id").to_owned()).collect();
    let gone = || ids.iter().all(|id| org.send(call(&format!("GET /api/v1/sessions/{id}"))).status == 404);
    assert!(!gone());
    org.check(call("DELETE /api/v1/users/ida/sessions"), 204);
    assert!(gone());
    let id = begin(&org).text("/id").to_owned();
    org.post("/api/v1/users/ida/lifecycle/deactivate", &json!({}));
    org.check(call(&format!("GET /api/v1/sessions/{id}")), 404);
}

#[test]
fn browsers_show_their_session() {
    let org = Org::acme();
    let user = ida(&org);
    let id = begin(&org).text("/id").to_owned();
    let own = |line: &str| call(line).anonymous().header("cookie", &format!("sid={id}"));
    let got = org.check(own("GET /api/v1/sessions/me"), 200);
    assert_eq!((got.text("/id"), got.text("/userId")), (&*id, &*user));
    assert_eq!(org.check(own("GET /api/v1/users/me"), 200).text("/id"), user);
    org.check(own("POST /api/v1/sessions/me/lifecycle/refresh"), 200);
    let home = org.check(own("GET /"), 200);
    assert!(home.body.as_str().expect("is a page").contains("ida@acme.example"));
    assert_eq!(org.check(call("GET /").anonymous(), 302).header("location"), "/login/login.htm");
    org.check(own("DELETE /api/v1/sessions/me"), 204);
    let got = org.send(own("GET /api/v1/sessions/me"));
    assert_eq!((got.status, got.text("/errorCode")), (404, "E0000007"), "{}", got.body);
    org.refuse(own("GET /api/v1/users/me"), 403, "E0000005", &[]);
}
