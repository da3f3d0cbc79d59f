//! Factors in sign-ins: what policies ask for, step by step to a session token.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    factors::sent,
    support::{Call, Got, Org, call},
};

const PASSWORD: &str = "Correct-horse-1";
const LENA: &str = "/api/v1/users/lena.fischer/factors";
const NUMBER: &str = "+12065550100";

/// Acme, where people can sign in by a password, and the rule for all asks for a factor.
pub(crate) fn org(rule: &Value) -> Org {
    let org = Org::acme();
    challenge(&org, rule);
    org
}

/// Lena can sign in by a password, and the rule for all asks for a factor unless more is said.
pub(crate) fn challenge(org: &Org, rule: &Value) {
    let credentials = json!({ "credentials": { "password": { "value": PASSWORD } } });
    org.post("/api/v1/users/lena.fischer", &credentials);
    let policy = org.post("/api/v1/policies", &json!({ "type": "OKTA_SIGN_ON", "name": "Strict", "priority": 1 }));
    let rules = format!("/api/v1/policies/{}/rules", policy.text("/id"));
    let mut signon = json!({ "access": "ALLOW", "requireFactor": true, "factorPromptMode": "ALWAYS" });
    for (name, value) in rule.as_object().expect("is an object") {
        signon[name] = value.clone();
    }
    org.post(&rules, &json!({ "type": "SIGN_ON", "name": "All", "actions": { "signon": signon } }));
}

/// Lena's session token, who has answered her question as well.
pub(crate) fn assured(org: &Org) -> String {
    enrol(org, &question());
    let asked = start(org);
    let done = org.send(follow(&asked, "/_embedded/factors/0/_links/verify/href", json!({ "answer": "Spelling" })));
    done.text("/sessionToken").to_owned()
}

fn strict() -> Org {
    org(&json!({}))
}

fn authn(path: &str, body: &Value) -> Call {
    call(&format!("POST /api/v1/authn{path}")).anonymous().json(body)
}

fn login(org: &Org) -> String {
    org.get("/api/v1/users/lena.fischer").text("/profile/login").to_owned()
}

fn start(org: &Org) -> Got {
    let name = login(org);
    org.check(authn("", &json!({ "username": name, "password": PASSWORD })), 200)
}

fn token(got: &Got) -> Value {
    json!(got.text("/stateToken"))
}

/// Follows the link that a transaction goes on by.
fn next(org: &Org, got: &Got, body: Value) -> Got {
    org.send(follow(got, "/_links/next/href", body))
}

fn follow(got: &Got, link: &str, mut body: Value) -> Call {
    body["stateToken"] = token(got);
    let href =
        got.text(link).strip_prefix("http://okta.test/api/v1/authn").unwrap_or_else(|| panic!("{link}: {}", got.body));
    authn(href, &body)
}

pub(crate) fn enrol(org: &Org, body: &Value) -> String {
    org.post(&format!("{LENA}?activate=true"), body).text("/id").to_owned()
}

fn sms() -> Value {
    json!({ "factorType": "sms", "provider": "OKTA", "profile": { "phoneNumber": NUMBER } })
}

pub(crate) fn question() -> Value {
    json!({ "factorType": "question", "profile": { "question": "first_award", "answer": "Spelling" } })
}

fn wait(org: &Org, secs: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    runtime.block_on(org.universe.advance(Duration::from_secs(secs)));
}

#[test]
fn a_code_by_text_message() {
    let org = strict();
    let id = enrol(&org, &sms());
    let got = start(&org);
    assert_eq!((got.text("/status"), got.text("/_embedded/factors/0/id")), ("MFA_REQUIRED", id.as_str()));
    assert_eq!(got.text("/_embedded/factors/0/profile/phoneNumber"), "+1 XXX-XXX-0100");
    assert_eq!(got.body["_embedded"]["policy"]["allowRememberDevice"], json!(false));
    let asked = org.send(follow(&got, "/_embedded/factors/0/_links/verify/href", json!({})));
    assert_eq!((asked.text("/status"), asked.text("/factorResult")), ("MFA_CHALLENGE", "CHALLENGE"), "{}", asked.body);
    assert_eq!(asked.text("/_links/next/name"), "verify");
    assert_eq!(asked.text("/_links/resend/0/name"), "sms");
    let wrong = next(&org, &asked, json!({ "passCode": "1" }));
    assert_eq!((wrong.status, wrong.text("/errorCode")), (403, "E0000068"));
    let again = org.send(follow(&asked, "/_links/resend/0/href", json!({})));
    assert_eq!((again.status, again.text("/errorCode")), (429, "E0000109"));
    wait(&org, 30);
    assert_eq!(org.send(follow(&asked, "/_links/resend/0/href", json!({}))).status, 200);
    let done = next(&org, &asked, json!({ "passCode": sent(&org) }));
    assert_eq!((done.text("/status"), done.text("/sessionToken").is_empty()), ("SUCCESS", false), "{}", done.body);
    assert_eq!(next(&org, &asked, json!({ "passCode": sent(&org) })).status, 401, "the state token is no more");
}

#[test]
fn a_question_and_the_way_back() {
    let org = strict();
    enrol(&org, &sms());
    enrol(&org, &question());
    let got = start(&org);
    let kinds: Vec<&str> = got.body["_embedded"]["factors"]
        .as_array()
        .expect("is a list")
        .iter()
        .filter_map(|one| one["factorType"].as_str())
        .collect();
    assert_eq!(kinds, ["question", "sms"]);
    let asked = org.send(follow(&got, "/_embedded/factors/0/_links/verify/href", json!({})));
    assert_eq!(
        (asked.text("/status"), asked.text("/_embedded/factor/profile/question")),
        ("MFA_CHALLENGE", "first_award")
    );
    let back = org.send(follow(&asked, "/_links/prev/href", json!({})));
    assert_eq!(back.text("/status"), "MFA_REQUIRED");
    let done = org.send(follow(&back, "/_embedded/factors/0/_links/verify/href", json!({ "answer": "Spelling" })));
    assert_eq!(done.text("/status"), "SUCCESS", "{}", done.body);
}

#[test]
fn five_wrong_answers_lock_the_account() {
    let org = strict();
    enrol(&org, &question());
    let got = start(&org);
    let verify =
        |answer: &str| org.send(follow(&got, "/_embedded/factors/0/_links/verify/href", json!({ "answer": answer })));
    for _ in 0..5 {
        assert_eq!(verify("knitting").text("/errorCode"), "E0000068");
    }
    assert_eq!(verify("Spelling").text("/errorCode"), "E0000069");
    assert_eq!(org.get("/api/v1/users/lena.fischer").text("/status"), "LOCKED_OUT");
}

#[test]
fn a_prompt_is_polled() {
    let check = |verb: &str, result: &str| {
        let org = strict();
        org.post(LENA, &json!({ "factorType": "push" }));
        org.perform("okta.enrol_factor", "lena.fischer", &json!({ "factor": "push" })).expect("pairs");
        let got = start(&org);
        let at = got.body["_embedded"]["factors"]
            .as_array()
            .expect("is a list")
            .iter()
            .position(|one| one["factorType"] == "push")
            .expect("is offered");
        let asked = org.send(follow(&got, &format!("/_embedded/factors/{at}/_links/verify/href"), json!({})));
        assert_eq!(
            (asked.text("/status"), asked.text("/factorResult")),
            ("MFA_CHALLENGE", "WAITING"),
            "{}",
            asked.body
        );
        assert_eq!(asked.text("/_links/next/name"), "poll");
        assert_eq!(next(&org, &asked, json!({})).text("/factorResult"), "WAITING");
        org.perform(verb, "lena.fischer", &json!({})).expect("a prompt waits");
        let polled = next(&org, &asked, json!({}));
        if result == "SUCCESS" {
            assert_eq!(polled.text("/status"), "SUCCESS", "{}", polled.body);
            return;
        }
        assert_eq!((polled.text("/status"), polled.text("/factorResult")), ("MFA_CHALLENGE", result));
        // Asking again shows a new prompt.
        assert_eq!(next(&org, &polled, json!({})).text("/factorResult"), "WAITING");
        org.perform("okta.approve_push", "lena.fischer", &json!({})).expect("a prompt waits");
        assert_eq!(next(&org, &polled, json!({})).text("/status"), "SUCCESS");
    };
    check("okta.approve_push", "SUCCESS");
    check("okta.reject_push", "REJECTED");
}

#[test]
fn whoever_has_no_factor_enrols_one() {
    let org = strict();
    let got = start(&org);
    assert_eq!(got.text("/status"), "MFA_ENROLL", "{}", got.body);
    let offered = got.body["_embedded"]["factors"].as_array().expect("is a list");
    assert!(offered.iter().any(|one| one["factorType"] == "sms" && one["status"] == "NOT_SETUP"), "{}", got.body);
    let mut body = sms();
    body["stateToken"] = token(&got);
    let pending = org.check(authn("/factors", &body), 200);
    assert_eq!((pending.text("/status"), pending.text("/_embedded/factor/factorType")), ("MFA_ENROLL_ACTIVATE", "sms"));
    assert_eq!(pending.text("/_links/next/name"), "activate");
    assert_eq!(next(&org, &pending, json!({ "passCode": "1" })).text("/errorCode"), "E0000068");
    let done = next(&org, &pending, json!({ "passCode": sent(&org) }));
    assert_eq!(done.text("/status"), "SUCCESS", "{}", done.body);
    assert_eq!(org.get(LENA).column("/status"), ["ACTIVE"]);
}

#[test]
fn an_app_is_set_up_on_the_way() {
    let org = strict();
    let got = start(&org);
    let body = json!({ "stateToken": token(&got), "factorType": "token:software:totp", "provider": "GOOGLE" });
    let pending = org.check(authn("/factors", &body), 200);
    assert_eq!(pending.text("/_embedded/factor/_embedded/activation/sharedSecret").len(), 16);
    let code =
        org.perform("okta.read_code", "lena.fischer", &json!({ "factor": "token:software:totp" })).expect("shows one");
    assert_eq!(next(&org, &pending, json!({ "passCode": code["code"] })).text("/status"), "SUCCESS");
    let push = strict();
    let got = start(&push);
    let pending = push.check(authn("/factors", &json!({ "stateToken": token(&got), "factorType": "push" })), 200);
    assert_eq!(
        (pending.text("/factorResult"), pending.text("/_links/next/name")),
        ("WAITING", "poll"),
        "{}",
        pending.body
    );
    assert_eq!(next(&push, &pending, json!({})).text("/factorResult"), "WAITING");
    push.perform("okta.enrol_factor", "lena.fischer", &json!({ "factor": "push" })).expect("pairs");
    assert_eq!(next(&push, &pending, json!({})).text("/status"), "SUCCESS");
}

#[test]
fn steps_out_of_turn_are_refused() {
    let org = strict();
    let id = enrol(&org, &question());
    let got = start(&org);
    let verify = format!("/factors/{id}/verify");
    let code = |path: &str, body: &Value| org.send(authn(path, body)).text("/errorCode").to_owned();
    assert_eq!(code("/factors", &json!({ "stateToken": token(&got), "factorType": "email" })), "E0000079");
    assert_eq!(code(&format!("/factors/{id}/lifecycle/activate"), &json!({ "stateToken": token(&got) })), "E0000079");
    assert_eq!(code("/factors/nothing/verify", &json!({ "stateToken": token(&got) })), "E0000007");
    assert_eq!(code(&verify, &json!({ "answer": "Spelling" })), "E0000001");
    assert_eq!(code(&verify, &json!({ "stateToken": "00nothing" })), "E0000011");
    assert_eq!(code(&verify, &json!({ "stateToken": token(&got), "colour": 1 })), "E0000003");
    wait(&org, 300);
    assert_eq!(code(&verify, &json!({ "stateToken": token(&got), "answer": "Spelling" })), "E0000011");
}

#[test]
fn devices_are_remembered() {
    let check = |mode: &str, minutes: u64, after: u64, wanted: &str| {
        let org = org(&json!({ "factorPromptMode": mode, "factorLifetime": minutes }));
        enrol(&org, &question());
        let name = login(&org);
        let trusted = || {
            let body = json!({ "username": name, "password": PASSWORD, "context": { "deviceToken": "laptop" } });
            org.check(call("POST /api/v1/authn").json(&body), 200)
        };
        let got = trusted();
        assert_eq!(got.text("/status"), "MFA_REQUIRED", "{}", got.body);
        let path = got
            .text("/_embedded/factors/0/_links/verify/href")
            .strip_prefix("http://okta.test/api/v1/authn")
            .expect("is here")
            .to_owned();
        let body = json!({ "stateToken": token(&got), "answer": "Spelling" });
        org.check(authn(&format!("{path}?rememberDevice=true"), &body), 200);
        wait(&org, after);
        assert_eq!(trusted().text("/status"), wanted, "{mode} after {after} s");
        assert_eq!(start(&org).text("/status"), "MFA_REQUIRED", "another device");
    };
    check("ALWAYS", 15, 1, "MFA_REQUIRED");
    check("SESSION", 15, 899, "SUCCESS");
    check("SESSION", 15, 901, "MFA_REQUIRED");
    check("DEVICE", 15, 901, "SUCCESS");
}

#[test]
fn who_is_not_asked_signs_in_by_password() {
    let org = org(&json!({ "requireFactor": false, "factorPromptMode": null }));
    enrol(&org, &question());
    assert_eq!(start(&org).text("/status"), "SUCCESS");
}

#[test]
fn a_code_is_sent_again_while_enrolling() {
    let org = strict();
    let got = start(&org);
    let body = json!({ "stateToken": token(&got), "factorType": "email" });
    let pending = org.check(authn("/factors", &body), 200);
    assert_eq!(pending.text("/_links/resend/0/name"), "email");
    let first = sent(&org);
    let again = || org.send(follow(&pending, "/_links/resend/0/href", json!({})));
    assert_eq!(again().text("/errorCode"), "E0000118");
    wait(&org, 5);
    assert_eq!(again().text("/status"), "MFA_ENROLL_ACTIVATE");
    assert_ne!(sent(&org), first);
    assert_eq!(next(&org, &pending, json!({ "passCode": first })).text("/errorCode"), "E0000068");
    assert_eq!(next(&org, &pending, json!({ "passCode": sent(&org) })).text("/status"), "SUCCESS");
}

/// The policy for enrolling says whether people are asked at once, and whether they may leave it.
#[test]
fn policies_say_what_must_be_enrolled() {
    let check = |self_: &str, required: &str, wanted: &str| {
        let org = org(&json!({ "requireFactor": false, "factorPromptMode": null }));
        let settings = json!({ "type": "AUTHENTICATORS", "authenticators": [{ "key": "security_question", "enroll": { "self": required } }] });
        let policy = json!({ "type": "MFA_ENROLL", "name": "All", "priority": 1, "settings": settings });
        let policy = org.post("/api/v1/policies", &policy);
        let rule = json!({ "type": "MFA_ENROLL", "name": "All", "actions": { "enroll": { "self": self_ } } });
        org.post(&format!("/api/v1/policies/{}/rules", policy.text("/id")), &rule);
        assert_eq!(start(&org).text("/status"), wanted, "{required} at {self_}");
        if required == "NOT_ALLOWED" {
            let cause = "Factor not allowed for the user based on the Multifactor policy.";
            org.refuse(call(&format!("POST {LENA}")).json(&question()), 400, "E0000001", &[cause]);
        }
    };
    check("LOGIN", "REQUIRED", "MFA_ENROLL");
    check("CHALLENGE", "REQUIRED", "SUCCESS");
    check("NEVER", "REQUIRED", "SUCCESS");
    check("LOGIN", "OPTIONAL", "SUCCESS");
    check("LOGIN", "NOT_ALLOWED", "SUCCESS");
}

/// The page that a browser gets for what it sends.
fn page(org: &Org, fields: &[(&str, &str)]) -> Got {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    org.send(
        call("POST /login/login.htm")
            .anonymous()
            .header("accept", "text/html")
            .raw("application/x-www-form-urlencoded", &body),
    )
}

#[test]
fn a_browser_types_the_code() {
    let org = strict();
    enrol(&org, &sms());
    let name = login(&org);
    let asked = page(&org, &[("username", &name), ("password", PASSWORD)]);
    let text = asked.body.as_str().expect("is a page");
    let at = text.find("name=\"stateToken\" value=\"").unwrap_or_else(|| panic!("asks for a code: {text}"));
    let state: String = text[at + 25..].chars().take_while(|c| *c != '"').collect();
    // Who types nothing has a code sent.
    assert_eq!(page(&org, &[("stateToken", &state), ("passCode", "")]).status, 200);
    assert_eq!(page(&org, &[("stateToken", &state), ("passCode", "1")]).status, 403);
    let done = page(&org, &[("stateToken", &state), ("passCode", &sent(&org))]);
    assert_eq!((done.status, done.header("set-cookie").starts_with("sid=")), (302, true), "{}", done.body);
    let state = {
        let asked = page(&org, &[("username", &name), ("password", PASSWORD)]);
        let text = asked.body.as_str().expect("is a page").to_owned();
        let at = text.find("name=\"stateToken\" value=\"").expect("asks for a code");
        text[at + 25..].chars().take_while(|c| *c != '"').collect::<String>()
    };
    for _ in 0..5 {
        assert_eq!(page(&org, &[("stateToken", &state), ("passCode", "1")]).status, 403);
    }
    assert_eq!(org.get("/api/v1/users/lena.fischer").text("/status"), "LOCKED_OUT", "wrong codes count");
}
