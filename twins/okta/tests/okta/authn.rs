//! The Authentication API: passwords, locks, expiry, activation and recovery, each as a walk through states.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Got, ORIGIN, Org, call};

const DAY: u64 = 86_400;

pub(crate) const PASSWORD: &str = "Tr0ub4dor!x";

/// Lets time pass.
pub(crate) fn wait(org: &Org, seconds: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    runtime.block_on(org.universe.advance(Duration::from_secs(seconds)));
}

/// A person with a password of their own; gives back the id.
pub(crate) fn person(org: &Org, name: &str, credentials: &Value, query: &str) -> String {
    let profile = json!({
        "firstName": "Ida", "lastName": "Berg", "email": format!("{name}@acme.example"),
        "login": format!("{name}@acme.example"),
    });
    let body = json!({ "profile": profile, "credentials": credentials });
    org.post(&format!("/api/v1/users?{query}"), &body).text("/id").to_owned()
}

pub(crate) fn ida(org: &Org) -> String {
    person(org, "ida", &json!({ "password": { "value": PASSWORD } }), "activate=true")
}

/// A public call of the Authentication API.
pub(crate) fn authn(path: &str, body: &Value) -> crate::support::Call {
    call(&format!("POST /api/v1/authn{path}")).anonymous().json(body)
}

pub(crate) fn enter(org: &Org, name: &str, password: &str) -> Got {
    org.send(authn("", &json!({ "username": name, "password": password })))
}

#[track_caller]
fn status(got: &Got, status: u16, text: &str) -> String {
    assert_eq!((got.status, got.text("/status")), (status, text), "{}", got.body);
    got.text("/stateToken").to_owned()
}

/// Changes the default password policy's settings.
fn settle(org: &Org, change: impl FnOnce(&mut Value)) {
    let got = org.get("/api/v1/policies?type=PASSWORD");
    let mut policy = got.body[0].clone();
    change(&mut policy["settings"]);
    let id = policy["id"].as_str().expect("has an id").to_owned();
    org.check(call(&format!("PUT /api/v1/policies/{id}")).json(&policy), 200);
}

#[test]
fn a_right_password_gives_a_session_token() {
    let org = Org::acme();
    let id = ida(&org);
    for name in ["ida@acme.example", "IDA@acme.example", "ida"] {
        let got = enter(&org, name, PASSWORD);
        status(&got, 200, "SUCCESS");
        assert_eq!(got.text("/sessionToken").len(), 55);
        assert_eq!(got.text("/_embedded/user/id"), id);
        assert_eq!(got.text("/_embedded/user/profile/login"), "ida@acme.example");
        assert_eq!(got.text("/_embedded/user/profile/locale"), "en_US");
        assert_eq!(got.text("/_links/cancel/href"), format!("{ORIGIN}/api/v1/authn/cancel"));
    }
    let relayed = org.send(authn("", &json!({ "username": "ida", "password": PASSWORD, "relayState": "/a" })));
    assert_eq!(relayed.text("/relayState"), "/a");
    assert!(org.get("/api/v1/users/ida").body["lastLogin"].is_string());
    let events = org.events();
    assert_eq!((events["user.session.start"], events["policy.evaluate_sign_on"]), (4, 4));
}

#[test]
fn all_others_are_refused_alike() {
    let org = Org::acme();
    ida(&org);
    person(&org, "staged", &json!({ "password": { "value": PASSWORD } }), "activate=false");
    person(&org, "suspended", &json!({ "password": { "value": PASSWORD } }), "activate=true");
    org.post("/api/v1/users/suspended/lifecycle/suspend", &json!({}));
    for (name, password) in [
        ("ida", "Wrong1234"),
        ("nobody@acme.example", PASSWORD),
        ("staged", PASSWORD),
        ("suspended", PASSWORD),
        ("jonas.weber", PASSWORD),
        ("marcus.bell", PASSWORD),
        ("lena.fischer", PASSWORD),
    ] {
        let got = enter(&org, name, password);
        assert_eq!((got.status, got.text("/errorCode")), (401, "E0000004"), "{name}");
    }
    let check = |body: Value, status: u16, code: &str| {
        let got = org.send(authn("", &body));
        assert_eq!((got.status, got.text("/errorCode")), (status, code), "{body}");
    };
    check(json!({ "username": "ida" }), 400, "E0000001");
    check(json!({ "username": "", "password": "" }), 400, "E0000001");
    check(json!({ "stateToken": "00nothing" }), 401, "E0000011");
    check(json!({ "token": "nothing" }), 401, "E0000004");
    check(json!({ "username": 1 }), 400, "E0000003");
    org.refuse(call("POST /api/v1/authn").anonymous(), 400, "E0000003", &[]);
    let bad = call("POST /api/v1/authn").header("authorization", "SSWS none").json(&json!({ "username": "ida" }));
    org.refuse(bad, 401, "E0000011", &[]);
}

#[tokio::test]
async fn failures_lock_an_account_and_time_or_an_administrator_unlocks_it() {
    let org = Org::acme();
    ida(&org);
    settle(&org, |settings| {
        settings["password"]["lockout"]["maxAttempts"] = json!(3);
        settings["password"]["lockout"]["autoUnlockMinutes"] = json!(15);
    });
    let lock = || {
        for _ in 0..3 {
            assert_eq!(enter(&org, "ida", "Wrong1234").status, 401);
        }
        assert_eq!(org.get("/api/v1/users/ida").text("/status"), "LOCKED_OUT");
    };
    // A right password in between starts the count again.
    for password in ["Wrong1234", "Wrong1234", PASSWORD, "Wrong1234", "Wrong1234", PASSWORD] {
        enter(&org, "ida", password);
    }
    assert_eq!(org.get("/api/v1/users/ida").text("/status"), "ACTIVE");
    lock();
    assert_eq!(enter(&org, "ida", PASSWORD).text("/errorCode"), "E0000004");
    org.post("/api/v1/users/ida/lifecycle/unlock", &json!({}));
    status(&enter(&org, "ida", PASSWORD), 200, "SUCCESS");
    lock();
    org.universe.advance(Duration::from_secs(15 * 60 - 5)).await;
    assert_eq!(org.get("/api/v1/users/ida").text("/status"), "LOCKED_OUT");
    org.universe.advance(Duration::from_secs(10)).await;
    assert_eq!(org.get("/api/v1/users/ida").text("/status"), "ACTIVE");
    status(&enter(&org, "ida", PASSWORD), 200, "SUCCESS");
    let events = org.events();
    assert_eq!((events["user.account.lock"], events["user.account.unlock"]), (2, 1));
    // The timer of an older lock does not end a newer one.
    lock();
    org.post("/api/v1/users/ida/lifecycle/unlock", &json!({}));
    org.universe.advance(Duration::from_secs(600)).await;
    lock();
    org.universe.advance(Duration::from_secs(400)).await;
    assert_eq!(org.get("/api/v1/users/ida").text("/status"), "LOCKED_OUT");
}

#[test]
fn people_are_told_of_locks_where_the_policy_says_so() {
    let org = Org::acme();
    ida(&org);
    settle(&org, |settings| {
        settings["password"]["lockout"]["maxAttempts"] = json!(1);
        settings["password"]["lockout"]["showLockoutFailures"] = json!(true);
    });
    for password in ["Wrong1234", PASSWORD] {
        let got = enter(&org, "ida", password);
        status(&got, 200, "LOCKED_OUT");
        assert_eq!(got.text("/_links/next/href"), format!("{ORIGIN}/api/v1/authn/recovery/unlock"));
    }
}

#[test]
fn an_expired_password_is_changed_on_the_way() {
    let org = Org::acme();
    ida(&org);
    org.post("/api/v1/users/ida/lifecycle/expire_password", &json!({}));
    let got = enter(&org, "ida", PASSWORD);
    let token = status(&got, 200, "PASSWORD_EXPIRED");
    assert_eq!(got.text("/_links/next/name"), "changePassword");
    assert_eq!(got.body["_embedded"]["policy"]["complexity"]["minLength"], 8);
    let change = |old: &str, new: &str| {
        let body = json!({ "stateToken": token, "oldPassword": old, "newPassword": new });
        org.send(authn("/credentials/change_password", &body))
    };
    let refused = |got: &Got, code: &str| assert_eq!((got.status, got.text("/errorCode")), (403, code), "{}", got.body);
    refused(&change("Wrong1234", "N3xtPassword"), "E0000014");
    refused(&change(PASSWORD, "short"), "E0000014");
    refused(&change(PASSWORD, PASSWORD), "E0000014");
    let reset = json!({ "stateToken": token, "newPassword": "N3xtPassword" });
    refused(&org.send(authn("/credentials/reset_password", &reset)), "E0000079");
    status(&change(PASSWORD, "N3xtPassword"), 200, "SUCCESS");
    assert_eq!(change("N3xtPassword", "0therPassword").text("/errorCode"), "E0000011", "the state token is used up");
    status(&enter(&org, "ida", "N3xtPassword"), 200, "SUCCESS");
    assert_eq!(org.get("/api/v1/users/ida").text("/status"), "ACTIVE");
}

#[test]
fn passwords_age_as_the_policy_says() {
    let org = Org::acme();
    ida(&org);
    settle(&org, |settings| {
        settings["password"]["age"]["maxAgeDays"] = json!(30);
        settings["password"]["age"]["expireWarnDays"] = json!(5);
    });
    let warned = || {
        let body = json!({
            "username": "ida", "password": PASSWORD, "options": { "warnBeforePasswordExpired": true },
        });
        org.send(authn("", &body))
    };
    status(&warned(), 200, "SUCCESS");
    wait(&org, 26 * DAY);
    let got = warned();
    let token = status(&got, 200, "PASSWORD_WARN");
    assert_eq!(got.body["_embedded"]["policy"]["expiration"]["passwordExpireDays"], 4);
    assert!(got.body["_links"]["skip"].is_object());
    status(&enter(&org, "ida", PASSWORD), 200, "SUCCESS");
    status(&org.send(authn("/skip", &json!({ "stateToken": token }))), 200, "SUCCESS");
    wait(&org, 5 * DAY);
    status(&enter(&org, "ida", PASSWORD), 200, "PASSWORD_EXPIRED");
}

#[test]
fn state_tokens_end_and_are_cancelled() {
    let org = Org::acme();
    ida(&org);
    org.post("/api/v1/users/ida/lifecycle/expire_password", &json!({}));
    let begin = || {
        let body = json!({ "username": "ida", "password": PASSWORD, "relayState": "x" });
        status(&org.send(authn("", &body)), 200, "PASSWORD_EXPIRED")
    };
    let look = |token: &str| org.send(authn("", &json!({ "stateToken": token })));
    let token = begin();
    wait(&org, 200);
    status(&look(&token), 200, "PASSWORD_EXPIRED");
    wait(&org, 200);
    status(&look(&token), 200, "PASSWORD_EXPIRED");
    wait(&org, 301);
    assert_eq!(look(&token).text("/errorCode"), "E0000011");
    let token = begin();
    let cancelled = org.send(authn("/cancel", &json!({ "stateToken": token })));
    assert_eq!((cancelled.status, cancelled.body.clone()), (200, json!({ "relayState": "x" })));
    assert_eq!(look(&token).text("/errorCode"), "E0000011");
    let token = begin();
    for path in ["/previous", "/skip", "/recovery/answer"] {
        let got = org.send(authn(path, &json!({ "stateToken": token, })));
        assert_eq!((got.status, got.text("/errorCode")), (403, "E0000079"), "{path}: {}", got.body);
        assert_eq!(got.causes(), ["This operation is not allowed in the current authentication state."]);
    }
    assert_eq!(org.send(authn("/skip", &json!({}))).text("/errorCode"), "E0000001");
}

#[test]
fn activation_tokens_let_people_choose_a_password_once() {
    let org = Org::acme();
    person(&org, "neu", &json!({}), "activate=false");
    let handed = org.post("/api/v1/users/neu/lifecycle/activate?sendEmail=false", &json!({}));
    let activation = handed.text("/activationToken").to_owned();
    let got = org.send(authn("", &json!({ "token": activation })));
    let token = status(&got, 200, "PASSWORD_RESET");
    assert_eq!(got.text("/recoveryType"), "ACCOUNT_ACTIVATION");
    assert_eq!(org.send(authn("", &json!({ "token": activation }))).text("/errorCode"), "E0000004");
    let choose = |password: &str| {
        org.send(authn("/credentials/reset_password", &json!({ "stateToken": token, "newPassword": password })))
    };
    assert_eq!(choose("weak").text("/errorCode"), "E0000014");
    status(&choose(PASSWORD), 200, "SUCCESS");
    assert_eq!(org.get("/api/v1/users/neu").text("/status"), "ACTIVE");
    status(&enter(&org, "neu", PASSWORD), 200, "SUCCESS");
    // Whoever has a password needs no other.
    person(&org, "ready", &json!({ "password": { "value": PASSWORD } }), "activate=false");
    let handed = org.post("/api/v1/users/ready/lifecycle/activate?sendEmail=false", &json!({}));
    let got = org.send(authn("", &json!({ "token": handed.text("/activationToken") })));
    status(&got, 200, "SUCCESS");
    // Tokens end after a week.
    person(&org, "late", &json!({}), "activate=false");
    let handed = org.post("/api/v1/users/late/lifecycle/activate?sendEmail=false", &json!({}));
    wait(&org, 8 * 86_400);
    let got = org.send(authn("", &json!({ "token": handed.text("/activationToken") })));
    assert_eq!(got.text("/errorCode"), "E0000004");
}

#[test]
fn forgotten_passwords_are_recovered_by_a_token_and_the_question() {
    let org = Org::acme();
    let question = json!({ "question": "Which cat?", "answer": "Mauzi" });
    person(&org, "ida", &json!({ "password": { "value": PASSWORD }, "recovery_question": question }), "activate=true");
    let trusted = call("POST /api/v1/authn/recovery/password").json(&json!({ "username": "ida", "relayState": "r" }));
    let got = org.check(trusted, 200);
    assert_eq!(
        (got.text("/status"), got.text("/recoveryType"), got.text("/relayState")),
        ("RECOVERY", "PASSWORD", "r")
    );
    assert!(got.body.get("stateToken").is_none());
    let recovery = got.text("/recoveryToken").to_owned();
    let got = org.send(authn("/recovery/token", &json!({ "recoveryToken": recovery })));
    let token = status(&got, 200, "RECOVERY");
    assert_eq!(got.text("/_embedded/user/recovery_question/question"), "Which cat?");
    assert_eq!(org.send(authn("/recovery/token", &json!({ "recoveryToken": recovery }))).status, 401, "it is used up");
    let answer = |text: &str| org.send(authn("/recovery/answer", &json!({ "stateToken": token, "answer": text })));
    let wrong = answer("Bello");
    assert_eq!((wrong.status, wrong.text("/errorCode")), (403, "E0000087"));
    status(&answer("mauzi"), 200, "PASSWORD_RESET");
    let chosen = json!({ "stateToken": token, "newPassword": "N3xtPassword" });
    status(&org.send(authn("/credentials/reset_password", &chosen)), 200, "SUCCESS");
    status(&enter(&org, "ida", "N3xtPassword"), 200, "SUCCESS");
}

#[test]
fn nobody_learns_who_is_there() {
    let org = Org::acme();
    ida(&org);
    let ask = |name: &str, way: &str, path: &str| {
        org.send(authn(&format!("/recovery/{path}"), &json!({ "username": name, "factorType": way })))
    };
    for path in ["password", "unlock"] {
        let (known, unknown) = (ask("ida", "EMAIL", path), ask("nobody", "email", path));
        assert_eq!((known.status, &known.body), (200, &unknown.body));
        assert_eq!(known.text("/factorResult"), "WAITING");
    }
    let anonymous = org.send(authn("/recovery/password", &json!({ "username": "ida" })));
    assert_eq!((anonymous.status, anonymous.text("/errorCode")), (400, "E0000001"));
    let trusted = |name: &str| call("POST /api/v1/authn/recovery/password").json(&json!({ "username": name }));
    org.refuse(trusted("nobody"), 403, "E0000095", &[]);
    org.refuse(trusted("beatriz.alonso"), 403, "E0000034", &[]);
    let unknown = ask("nobody", "SMS", "password");
    let token = status(&unknown, 200, "RECOVERY_CHALLENGE");
    status(
        &org.send(authn("/recovery/factors/SMS/resend", &json!({ "stateToken": token }))),
        200,
        "RECOVERY_CHALLENGE",
    );
    let verify = json!({ "stateToken": token, "passCode": "123456" });
    let got = org.send(authn("/recovery/factors/SMS/verify", &verify));
    assert_eq!((got.status, got.text("/errorCode")), (403, "E0000068"));
    assert_eq!(ask("ida", "PIGEON", "password").text("/errorCode"), "E0000001");
}

#[test]
fn locked_people_unlock_themselves() {
    let org = Org::acme();
    ida(&org);
    settle(&org, |settings| settings["password"]["lockout"]["maxAttempts"] = json!(1));
    let rules = org.get("/api/v1/policies?type=PASSWORD");
    let policy = rules.text("/0/id").to_owned();
    let got = org.get(&format!("/api/v1/policies/{policy}/rules"));
    let mut rule = got.body[0].clone();
    rule["actions"]["selfServiceUnlock"] = json!({ "access": "ALLOW" });
    let id = rule["id"].as_str().expect("has an id").to_owned();
    org.check(call(&format!("PUT /api/v1/policies/{policy}/rules/{id}")).json(&rule), 200);
    enter(&org, "ida", "Wrong1234");
    let handed = org.check(call("POST /api/v1/authn/recovery/unlock").json(&json!({ "username": "ida" })), 200);
    assert_eq!(handed.text("/recoveryType"), "UNLOCK");
    let got = org.send(authn("/recovery/token", &json!({ "recoveryToken": handed.text("/recoveryToken") })));
    assert_eq!((got.text("/status"), got.text("/recoveryType")), ("SUCCESS", "UNLOCK"), "{}", got.body);
    assert!(got.body.get("sessionToken").is_none());
    status(&enter(&org, "ida", PASSWORD), 200, "SUCCESS");
}

#[test]
fn people_do_it_themselves() {
    let org = Org::acme();
    ida(&org);
    let with = |verb: &str, with: Value| org.perform(verb, "ida", &with);
    let signed_in = with("okta.sign_in", json!({ "password": PASSWORD })).expect("is a verb");
    assert_eq!(signed_in["status"], "SUCCESS");
    assert_eq!(org.view("sessions")[0]["user"], "ida@acme.example");
    let wrong = with("okta.sign_in", json!({ "password": "Wrong1234" })).expect("is no refusal");
    assert_eq!(wrong["status"], "REFUSED");
    assert_eq!(org.events()["user.session.start"], 2, "what failed is logged as well");
    let change =
        |old: &str, new: &str| with("okta.change_password", json!({ "old_password": old, "new_password": new }));
    change("Wrong1234", "N3xtPassword").expect_err("knows the old one");
    change(PASSWORD, "weak").expect_err("is too weak");
    change(PASSWORD, "N3xtPassword").expect("changes it");
    let asked = with("okta.request_password_reset", json!({})).expect("asks");
    assert_eq!(org.view("recovery_mails")[0]["token"], asked["recoveryToken"]);
    with("okta.unlock_request", json!({})).expect_err("is not locked");
    with("okta.sign_out", json!({})).expect("signs out");
    assert_eq!(org.view("sessions"), json!([]));
}
