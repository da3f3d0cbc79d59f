//! Enrolling, activating, asking for and proving factors, over the API and by what people do.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use dtu_kernel::{clock::ClockMode, universe::Options};
use p256::ecdsa::signature::Signer as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Call, Got, Org, call, options};

const LENA: &str = "/api/v1/users/lena.fischer/factors";
const NUMBER: &str = "+12065550100";

fn sms() -> Value {
    json!({ "factorType": "sms", "provider": "OKTA", "profile": { "phoneNumber": NUMBER } })
}

fn of_type(kind: &str) -> Value {
    json!({ "factorType": kind })
}

/// The code that was sent last.
pub(crate) fn sent(org: &Org) -> String {
    let codes = org.view("factor_codes");
    codes
        .as_array()
        .and_then(|codes| codes.last())
        .map(|row| row["code"].as_str().expect("is text").to_owned())
        .expect("was sent")
}

fn pass(code: &str) -> Value {
    json!({ "passCode": code })
}

/// A code of as many digits that is another one.
fn other(code: &str) -> String {
    code.chars().map(|digit| if digit == '9' { '0' } else { '9' }).collect()
}

fn enrol(org: &Org, body: &Value) -> Got {
    org.post(LENA, body)
}

/// An active factor's path.
pub(crate) fn active(org: &Org, body: &Value) -> String {
    let got = org.post(&format!("{LENA}?activate=true"), body);
    assert_eq!(got.text("/status"), "ACTIVE", "{}", got.body);
    format!("{LENA}/{}", got.text("/id"))
}

fn post(target: &str, body: &Value) -> Call {
    call(&format!("POST {target}")).json(body)
}

fn wait(org: &Org, secs: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    runtime.block_on(org.universe.advance(std::time::Duration::from_secs(secs)));
}

/// The names of a factor's links.
fn links(got: &Got) -> Vec<&str> {
    got.body["_links"].as_object().expect("is an object").keys().map(String::as_str).collect()
}

#[test]
fn a_phone_is_proven_by_a_code() {
    let org = Org::acme();
    assert_eq!(org.get(LENA).body, json!([]));
    let new = enrol(&org, &sms());
    assert_eq!((new.text("/status"), new.text("/vendorName")), ("PENDING_ACTIVATION", "OKTA"));
    assert!(new.text("/id").starts_with("mbl"));
    assert_eq!(links(&new), ["resend", "activate", "self", "user"]);
    assert_eq!(new.body["_links"]["self"]["hints"]["allow"], json!(["GET"]));
    let own = format!("{LENA}/{}", new.text("/id"));
    let code = sent(&org);
    let wrong = org.refuse(
        post(&format!("{own}/lifecycle/activate"), &pass(&other(&code))),
        403,
        "E0000068",
        &["Your passcode doesn't match our records. Please try again."],
    );
    assert_eq!(wrong.text("/errorSummary"), "Invalid Passcode/Answer");
    let done = org.post(&format!("{own}/lifecycle/activate"), &pass(&code));
    assert_eq!(done.text("/status"), "ACTIVE");
    assert_eq!(links(&done), ["verify", "self", "user"]);
    assert_eq!(done.body["_links"]["self"]["hints"]["allow"], json!(["GET", "DELETE"]));
    assert_eq!(org.get(LENA).column("/id"), [new.text("/id")]);
    let events = org.events();
    assert_eq!((events["user.mfa.factor.activate"], events["system.sms.send_factor_verify_message"]), (2, 1));
}

#[test]
fn what_enrolment_refuses() {
    let org = Org::acme();
    let cause = |body: &Value, cause: &str| {
        let got = org.refuse(post(LENA, body), 400, "E0000001", &[cause]);
        assert_eq!(got.text("/errorSummary"), "Api validation failed: factorEnrollRequest");
    };
    cause(&json!({ "factorType": "sms", "profile": { "phoneNumber": "12" } }), "Invalid Phone Number.");
    cause(&of_type("sms"), "Invalid Phone Number.");
    cause(&json!({ "factorType": "sms", "provider": "GOOGLE" }), "Invalid Factor");
    cause(&json!({ "factorType": "token", "provider": "RSA" }), "Invalid Factor");
    cause(&of_type("signed_nonce"), "Invalid Factor");
    cause(&json!({ "factorType": "email", "profile": { "email": "nobody" } }), "Invalid Email.");
    cause(
        &json!({ "factorType": "question", "profile": { "question": "why", "answer": "because" } }),
        "Invalid Profile.",
    );
    org.refuse(post(LENA, &json!({})), 400, "E0000001", &["factorType: The field cannot be left blank"]);
    org.refuse(
        post(LENA, &json!({ "factorType": "question" })),
        400,
        "E0000001",
        &["question: The field cannot be left blank"],
    );
    let short = json!({ "factorType": "question", "profile": { "question": "first_award", "answer": "abc" } });
    org.refuse(
        post(LENA, &short),
        400,
        "E0000001",
        &["The security question answer must be at least 4 characters in length"],
    );
    org.refuse(post(LENA, &json!({ "factorType": "sms", "colour": 1 })), 400, "E0000003", &[]);
    org.refuse(
        post(&format!("{LENA}?tokenLifetimeSeconds=0"), &of_type("email")),
        400,
        "E0000001",
        &["tokenLifetimeSeconds must be between 1 and 86400"],
    );
    org.refuse(post("/api/v1/users/nobody/factors", &sms()), 404, "E0000007", &[]);
    org.refuse(post("/api/v1/users/marcus.bell/factors", &sms()), 403, "E0000038", &[]);
    org.refuse(call(&format!("GET {LENA}/mblNoSuch")), 404, "E0000007", &[]);
    assert_eq!(org.view("factors"), json!([]), "refusals leave nothing");
}

#[test]
fn one_phone_of_each_kind() {
    let org = Org::acme();
    let own = active(&org, &sms());
    org.refuse(post(LENA, &sms()), 400, "E0000001", &["A factor of this type is already set up."]);
    // The phone stays known when its factor goes.
    org.check(call(&format!("DELETE {own}")), 204);
    org.check(call(&format!("GET {own}")), 404);
    let phones = org.get(&format!("{LENA}/catalog"));
    let row =
        phones.body.as_array().expect("is a list").iter().find(|row| row["factorType"] == "sms").expect("is offered");
    assert_eq!(
        (&row["status"], &row["_embedded"]["phones"][0]["profile"]["phoneNumber"]),
        (&json!("NOT_SETUP"), &json!(NUMBER))
    );
    let another = json!({ "factorType": "sms", "profile": { "phoneNumber": "+1 (206) 555-0199" } });
    org.refuse(post(LENA, &another), 400, "E0000001", &["There is an existing verified phone number."]);
    let new = org.post(&format!("{LENA}?updatePhone=true"), &another);
    assert_eq!(new.text("/profile/phoneNumber"), "+12065550199");
    // Nothing is known of a phone that goes for good.
    let call_body = json!({ "factorType": "call", "profile": { "phoneNumber": NUMBER, "phoneExtension": "12" } });
    let own = active(&org, &call_body);
    org.check(call(&format!("DELETE {own}?removeRecoveryEnrollment=true")), 204);
    let other = json!({ "factorType": "call", "profile": { "phoneNumber": "+12065550177" } });
    assert_eq!(enrol(&org, &other).text("/status"), "PENDING_ACTIVATION");
}

#[test]
fn codes_are_sent_again_after_a_while() {
    let check = |kind: &str, code: &str, secs: u64| {
        let org = Org::acme();
        let body = json!({ "factorType": kind, "profile": { "phoneNumber": NUMBER } });
        let body = if kind == "email" { of_type("email") } else { body };
        let own = format!("{LENA}/{}", enrol(&org, &body).text("/id"));
        let first = sent(&org);
        let resend = post(&format!("{own}/resend"), &body);
        org.refuse(resend.clone(), 429, code, &[]);
        org.refuse(post(LENA, &body), 429, code, &[]);
        wait(&org, secs - 1);
        org.refuse(resend.clone(), 429, code, &[]);
        wait(&org, 1);
        org.check(resend, 200);
        assert_ne!(sent(&org), first, "{kind}");
        org.check(post(&format!("{own}/lifecycle/activate"), &pass(&first)), 403);
        org.check(post(&format!("{own}/lifecycle/activate"), &pass(&sent(&org))), 200);
        org.refuse(
            post(&format!("{own}/resend"), &body),
            400,
            "E0000001",
            &["Factor is not pending activation by a code that was sent."],
        );
    };
    check("sms", "E0000109", 30);
    check("call", "E0000133", 30);
    check("email", "E0000118", 5);
}

#[test]
fn codes_end_and_attempts_do() {
    let org = Org::acme();
    let own = format!("{LENA}/{}", enrol(&org, &sms()).text("/id"));
    let late = org.fork();
    wait(&late, 300);
    late.check(post(&format!("{own}/lifecycle/activate"), &pass(&sent(&org))), 403);
    let wrong = post(&format!("{own}/lifecycle/activate"), &pass(&other(&sent(&org))));
    for _ in 0..5 {
        org.refuse(wrong.clone(), 403, "E0000068", &["Your passcode doesn't match our records. Please try again."]);
    }
    org.refuse(post(&format!("{own}/lifecycle/activate"), &pass(&sent(&org))), 429, "E0000047", &[]);
    wait(&org, 60);
    org.refuse(post(&format!("{own}/resend"), &sms()), 429, "E0000047", &[]);
    wait(&org, 300);
    org.check(post(&format!("{own}/resend"), &sms()), 200);
    org.check(post(&format!("{own}/lifecycle/activate"), &pass(&sent(&org))), 200);
}

#[test]
fn a_code_lives_as_long_as_the_caller_says() {
    let org = Org::acme();
    let own = active(&org, &of_type("email"));
    let verify = format!("{own}/verify");
    let check = |query: &str, after: u64, status: u16| {
        let org = org.fork();
        let asked = org.check(call(&format!("POST {verify}{query}")), 200);
        assert_eq!(asked.text("/factorResult"), "CHALLENGE");
        wait(&org, after);
        org.check(post(&verify, &pass(&sent(&org))), status);
    };
    check("", 299, 200);
    check("", 300, 403);
    check("?tokenLifetimeSeconds=60", 59, 200);
    check("?tokenLifetimeSeconds=60", 60, 403);
    check("?tokenLifetimeSeconds=3600", 3_599, 200);
}

#[test]
fn a_factor_is_asked_for_and_proven() {
    let org = Org::acme();
    let own = active(&org, &sms());
    let asked = org.check(call(&format!("POST {own}/verify?templateId=cstk2")).header("accept-language", "fr"), 200);
    assert_eq!((asked.text("/factorResult"), asked.text("/profile/phoneNumber")), ("CHALLENGE", NUMBER));
    assert_eq!(links(&asked), ["verify", "factor"]);
    let row = org.view("factor_codes")[0].clone();
    assert_eq!((&row["template"], &row["language"], &row["to"]), (&json!("cstk2"), &json!("fr"), &json!(NUMBER)));
    org.refuse(call(&format!("POST {own}/verify")), 429, "E0000109", &[]);
    let code = sent(&org);
    let got = org.post(&format!("{own}/verify"), &pass(&code));
    assert_eq!(got.body, json!({ "factorResult": "SUCCESS" }));
    // A sent code is used up.
    org.check(post(&format!("{own}/verify"), &pass(&code)), 403);
    assert_eq!(org.events()["user.authentication.auth_via_mfa"], 2);
}

#[test]
fn a_pending_factor_cannot_be_asked_for() {
    let org = Org::acme();
    let own = format!("{LENA}/{}", enrol(&org, &sms()).text("/id"));
    org.refuse(call(&format!("POST {own}/verify")), 400, "E0000001", &["Factor is not active."]);
    org.check(post(&format!("{own}/lifecycle/activate"), &pass(&sent(&org))), 200);
    org.refuse(
        post(&format!("{own}/lifecycle/activate"), &pass("123456")),
        400,
        "E0000001",
        &["A factor of this type is already set up."],
    );
}

#[test]
fn five_wrong_codes_lock_the_account() {
    let org = Org::acme();
    let own = active(
        &org,
        &json!({ "factorType": "question", "profile": { "question": "first_award", "answer": "Spelling" } }),
    );
    let cause = "Your answer doesn't match our records. Please try again.";
    for _ in 0..5 {
        org.refuse(post(&format!("{own}/verify"), &json!({ "answer": "knitting" })), 403, "E0000068", &[cause]);
    }
    let right = post(&format!("{own}/verify"), &json!({ "answer": " spelling " }));
    org.refuse(right.clone(), 403, "E0000069", &[]);
    assert_eq!(org.get("/api/v1/users/lena.fischer").text("/status"), "LOCKED_OUT");
    assert_eq!(org.events()["user.account.lock"], 1);
    org.post("/api/v1/users/lena.fischer/lifecycle/unlock", &json!({}));
    assert_eq!(org.check(right, 200).body, json!({ "factorResult": "SUCCESS" }));
}

#[test]
fn right_answers_wipe_out_wrong_ones() {
    let org = Org::acme();
    let own = active(
        &org,
        &json!({ "factorType": "question", "profile": { "question": "first_award", "answer": "Spelling" } }),
    );
    for _ in 0..3 {
        for _ in 0..4 {
            org.check(post(&format!("{own}/verify"), &json!({ "answer": "knitting" })), 403);
        }
        org.check(post(&format!("{own}/verify"), &json!({ "answer": "Spelling" })), 200);
    }
    assert_eq!(org.get("/api/v1/users/lena.fischer").text("/status"), "ACTIVE");
}

#[test]
fn a_question_is_active_at_once() {
    let org = Org::acme();
    let body = json!({ "factorType": "question", "provider": "OKTA", "profile": { "question": "disliked_food", "answer": "mayonnaise" } });
    let new = enrol(&org, &body);
    assert_eq!(new.text("/status"), "ACTIVE");
    assert!(new.text("/id").starts_with("ufs"));
    assert_eq!(new.body["profile"]["question"], json!("disliked_food"));
    assert!(new.body["profile"].get("answer").is_none());
    assert_eq!(links(&new), ["questions", "self", "user"]);
    let all = org.get(&format!("{LENA}/questions"));
    assert_eq!(all.column("/question").len(), 20);
    assert_eq!(all.text("/0/questionText"), new.text("/profile/questionText"));
    org.refuse(
        call(&format!("POST {LENA}/{}/verify", new.text("/id"))),
        400,
        "E0000001",
        &["answer: The field cannot be left blank"],
    );
}

/// What an authenticator app shows now.
fn app_code(org: &Org, factor: &str) -> String {
    let got = org.perform("okta.read_code", "lena.fischer", &json!({ "factor": factor })).expect("there is an app");
    got["code"].as_str().expect("is text").to_owned()
}

#[test]
fn an_app_shows_codes_by_the_clock() {
    for (provider, prefix) in [("GOOGLE", "uft"), ("OKTA", "ost")] {
        let org = Org::acme();
        let new = enrol(&org, &json!({ "factorType": "token:software:totp", "provider": provider }));
        let activation = &new.body["_embedded"]["activation"];
        assert!(new.text("/id").starts_with(prefix));
        assert_eq!((&activation["timeStep"], &activation["keyLength"]), (&json!(30), &json!(16)));
        let secret = activation["sharedSecret"].as_str().expect("is told");
        assert_eq!(secret.len(), 16);
        let own = format!("{LENA}/{}", new.text("/id"));
        assert!(
            activation["_links"]["qrcode"]["href"]
                .as_str()
                .expect("is told")
                .contains(&format!("{}/qr/", new.text("/id")))
        );
        let got = org.get(&own);
        assert!(got.body.get("_embedded").is_none(), "the secret is told once: {}", got.body);
        let key = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).expect("is base32");
        let code = dtu_okta::model::factor::code::totp(&key, org.universe.now());
        assert_eq!(app_code(&org, new.text("/id")), code);
        assert_eq!(org.post(&format!("{own}/lifecycle/activate"), &pass(&code)).text("/status"), "ACTIVE");
        // The same code does not count twice; the next one does.
        org.refuse(post(&format!("{own}/verify"), &pass(&code)), 403, "E0000082", &[]);
        wait(&org, 30);
        let next = app_code(&org, new.text("/id"));
        assert_eq!(org.post(&format!("{own}/verify"), &pass(&next)).body, json!({ "factorResult": "SUCCESS" }));
        wait(&org, 120);
        org.check(post(&format!("{own}/verify"), &pass(&next)), 403);
    }
}

#[test]
fn a_token_of_the_orgs_own() {
    let org = Org::acme();
    let secret = "484f97be3213b117e3a20438e291540a";
    let body = json!({ "factorType": "token:hotp", "provider": "CUSTOM", "factorProfileId": "fpr20l2mDyaUGWGCa0g4", "profile": { "sharedSecret": secret } });
    let own = active(&org, &body);
    let code = app_code(&org, "token:hotp");
    assert_eq!(org.post(&format!("{own}/verify"), &pass(&code)).body, json!({ "factorResult": "SUCCESS" }));
    org.check(call(&format!("DELETE {own}")), 204);
    let without = json!({ "factorType": "token:hotp", "provider": "CUSTOM", "profile": { "sharedSecret": secret } });
    org.refuse(post(LENA, &without), 400, "E0000001", &["factorProfileId: The field cannot be left blank"]);
}

/// Okta Verify on Lena's phone.
pub(crate) fn push(org: &Org) -> String {
    let new = enrol(org, &of_type("push"));
    assert_eq!(links(&new), ["poll", "self", "user"]);
    assert_eq!(new.text("/_embedded/activation/factorResult"), "WAITING");
    let own = format!("{LENA}/{}", new.text("/id"));
    assert_eq!(org.check(call(&format!("POST {own}/lifecycle/activate/poll")), 200).text("/factorResult"), "WAITING");
    org.perform("okta.enrol_factor", "lena.fischer", &json!({ "factor": "push", "device": "Pixel" })).expect("pairs");
    own
}

#[test]
fn a_phone_is_paired_and_prompts_are_answered() {
    let org = Org::acme();
    let own = push(&org);
    let polled = org.check(call(&format!("POST {own}/lifecycle/activate/poll")), 200);
    assert_eq!((polled.text("/status"), polled.text("/profile/name")), ("ACTIVE", "Pixel"));
    // Okta Verify brings its codes along.
    assert_eq!(org.get(LENA).column("/factorType"), ["token:software:totp", "push"]);
    let check = |verb: &str, wanted: &str| {
        let org = org.fork();
        let asked = org.check(call(&format!("POST {own}/verify")), 201);
        assert_eq!((asked.text("/factorResult"), links(&asked)), ("WAITING", vec!["poll", "cancel"]));
        let poll = asked.text("/_links/poll/href").strip_prefix("http://okta.test").expect("is here").to_owned();
        assert_eq!(org.get(&poll).text("/factorResult"), "WAITING");
        match verb {
            "wait" => wait(&org, 300),
            verb => drop(org.perform(verb, "lena.fischer", &json!({})).expect("a prompt waits")),
        }
        assert_eq!(org.get(&poll).text("/factorResult"), wanted, "{verb}");
        let again = org.perform("okta.approve_push", "lena.fischer", &json!({}));
        assert!(again.expect_err("nothing waits").contains("no prompt waits"));
    };
    check("okta.approve_push", "SUCCESS");
    check("okta.reject_push", "REJECTED");
    check("wait", "TIMEOUT");
}

#[test]
fn prompts_are_withdrawn() {
    let org = Org::acme();
    let own = push(&org);
    let poll = |got: &Got| got.text("/_links/poll/href").strip_prefix("http://okta.test").expect("is here").to_owned();
    let first = poll(&org.check(call(&format!("POST {own}/verify")), 201));
    let second = poll(&org.check(call(&format!("POST {own}/verify")), 201));
    org.check(call(&format!("GET {first}")), 404);
    org.check(call(&format!("DELETE {second}")), 204);
    org.check(call(&format!("GET {second}")), 404);
}

#[test]
fn a_prompt_may_ask_for_a_number() {
    let org = Org::acme();
    let own = push(&org);
    let asked = org.check(post(&format!("{own}/verify"), &json!({ "useNumberMatchingChallenge": true })), 201);
    let number = asked.body.pointer("/_embedded/challenge/correctAnswer").and_then(Value::as_u64).expect("is told");
    let approve = |org: &Org, with: &Value| org.perform("okta.approve_push", "lena.fischer", with);
    assert!(approve(&org, &json!({})).expect_err("a number is asked for").contains("number"));
    assert_eq!(
        approve(&org.fork(), &json!({ "number": number + 1 })).expect("is answered")["factorResult"],
        json!("REJECTED")
    );
    assert_eq!(approve(&org, &json!({ "number": number })).expect("is answered")["factorResult"], json!("SUCCESS"));
}

#[test]
fn a_phone_that_is_not_paired_in_time() {
    let org = Org::acme();
    let own = format!("{LENA}/{}", enrol(&org, &of_type("push")).text("/id"));
    wait(&org, 600);
    let poll = call(&format!("POST {own}/lifecycle/activate/poll"));
    assert_eq!(org.check(poll.clone(), 200).text("/factorResult"), "TIMEOUT");
    assert_eq!(org.check(call(&format!("POST {own}/lifecycle/activate")), 200).text("/status"), "PENDING_ACTIVATION");
    // It is activated on the phone, by no code.
    let cause = "Push factors are activated on the device.";
    org.refuse(post(&format!("{own}/lifecycle/activate"), &pass("123456")), 400, "E0000001", &[cause]);
    assert_eq!(org.check(poll, 200).text("/factorResult"), "WAITING");
}

#[test]
fn parts_of_okta_verify_go_together() {
    let org = Org::acme();
    let own = push(&org);
    org.check(call(&format!("DELETE {own}")), 204);
    assert_eq!(org.get(LENA).body, json!([]));
    assert_eq!(org.events()["user.mfa.factor.deactivate"], 2);
}

#[test]
fn the_catalog_says_how_things_stand() {
    let org = Org::acme();
    active(&org, &sms());
    enrol(&org, &of_type("email"));
    let got = org.get(&format!("{LENA}/catalog"));
    let rows = got.body.as_array().expect("is a list");
    let status = |kind: &str| {
        let row = rows.iter().find(|row| row["factorType"] == kind).unwrap_or_else(|| panic!("{kind} is offered"));
        row["status"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!([status("sms"), status("email"), status("push")], ["ACTIVE", "PENDING_ACTIVATION", "NOT_SETUP"]);
}

#[test]
fn factors_are_reset_and_go_with_the_account() {
    let org = Org::acme();
    let own = active(&org, &sms());
    push(&org);
    let reset = org.fork();
    reset
        .perform("okta.admin.reset_factors", "it_admin", &json!({ "user": "lena.fischer" }))
        .unwrap_or_else(|_| reset.post("/api/v1/users/lena.fischer/lifecycle/reset_factors", &json!({})).body);
    assert_eq!(reset.get(LENA).body, json!([]));
    assert_eq!(reset.events()["user.mfa.factor.reset_all"], 1);
    // A deactivated person's factors stay, and cannot be taken.
    org.post("/api/v1/users/lena.fischer/lifecycle/deactivate", &json!({}));
    org.refuse(call(&format!("DELETE {own}")), 403, "E0000038", &[]);
    assert_eq!(org.get(LENA).column("/id").len(), 3);
    org.check(call("DELETE /api/v1/users/lena.fischer"), 204);
    assert_eq!(org.view("factors"), json!([]));
}

#[test]
fn people_enrol_by_themselves() {
    let org = Org::acme();
    let check = |with: Value, kind: &str| {
        let got = org.perform("okta.enrol_factor", "lena.fischer", &with).expect("is enrolled");
        assert_eq!((&got["factorType"], &got["status"]), (&json!(kind), &json!("ACTIVE")));
    };
    check(json!({ "factor": "sms", "phone": NUMBER }), "sms");
    check(json!({ "factor": "email" }), "email");
    check(json!({ "factor": "token:software:totp/GOOGLE" }), "token:software:totp");
    check(json!({ "factor": "question", "question": "first_award", "answer": "Spelling" }), "question");
    check(json!({ "factor": "push" }), "push");
    let refused = org.perform("okta.enrol_factor", "lena.fischer", &json!({ "factor": "sms", "phone": NUMBER }));
    assert_eq!(refused.expect_err("is there"), "A factor of this type is already set up.");
    let refused = org.perform("okta.enrol_factor", "lena.fischer", &json!({ "factor": "fax" }));
    assert_eq!(refused.expect_err("is no factor"), "Okta has no factor `fax`");
}

#[test]
fn people_enter_codes_that_a_program_asked_for() {
    let org = Org::acme();
    let own = format!("{LENA}/{}", enrol(&org, &sms()).text("/id"));
    let wrong = org.perform("okta.enter_code", "lena.fischer", &json!({ "factor": "sms", "code": "1" }));
    assert!(wrong.expect_err("is wrong").contains("doesn't match"));
    org.perform("okta.enter_code", "lena.fischer", &json!({ "factor": "sms" })).expect("is right");
    assert_eq!(org.get(&own).text("/status"), "ACTIVE");
    let none = org.perform("okta.enter_code", "lena.fischer", &json!({ "factor": "call" }));
    assert!(none.expect_err("there is none").contains("has no factor `call`"));
}

#[test]
fn codes_are_the_same_in_equal_universes_and_others_with_another_seed() {
    let code = |options: &Options| {
        let org = Org::with(options);
        enrol(&org, &sms());
        sent(&org)
    };
    let seeded = Options { seed: 7, clock: ClockMode::Stepped, check: true, ..Options::default() };
    assert_eq!(code(&options()), code(&options()));
    assert_ne!(code(&options()), code(&seeded));
}

/// A security key that makes one credential.
pub(crate) struct Key(pub(crate) p256::ecdsa::SigningKey);

impl Key {
    fn client_data(kind: &str, challenge: &str) -> String {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(challenge);
        json!({ "type": kind, "challenge": challenge, "origin": "http://okta.test" }).to_string()
    }

    /// What the key says of itself, without a credential.
    fn said() -> Vec<u8> {
        [&[7_u8; 32][..], &[1], &[0, 0, 0, 1]].concat()
    }

    pub(crate) fn made(&self, challenge: &str) -> Value {
        let point = self.0.verifying_key().to_encoded_point(false);
        let bytes = |bytes: &[u8]| ciborium::Value::Bytes(bytes.to_vec());
        let int = |number: i64| ciborium::Value::Integer(number.into());
        let public = ciborium::Value::Map(vec![
            (int(1), int(2)),
            (int(3), int(-7)),
            (int(-1), int(1)),
            (int(-2), bytes(point.x().expect("is a point"))),
            (int(-3), bytes(point.y().expect("is a point"))),
        ]);
        let mut said = [Self::said(), vec![0; 16], vec![0, 4], b"cred".to_vec()].concat();
        ciborium::into_writer(&public, &mut said).expect("is written");
        let text = |text: &str| ciborium::Value::Text(text.to_owned());
        let whole = ciborium::Value::Map(vec![(text("fmt"), text("none")), (text("authData"), bytes(&said))]);
        let mut attestation = Vec::new();
        ciborium::into_writer(&whole, &mut attestation).expect("is written");
        let client = Self::client_data("webauthn.create", challenge);
        json!({ "attestation": STANDARD.encode(attestation), "clientData": STANDARD.encode(client) })
    }

    fn signed(&self, challenge: &str) -> Value {
        let client = Self::client_data("webauthn.get", challenge);
        let whole = [Self::said(), Sha256::digest(&client).to_vec()].concat();
        let signature: p256::ecdsa::Signature = self.0.sign(&whole);
        json!({
            "clientData": STANDARD.encode(client),
            "authenticatorData": STANDARD.encode(Self::said()),
            "signatureData": STANDARD.encode(signature.to_der()),
        })
    }
}

#[test]
fn a_security_key_signs_what_it_is_asked() {
    let org = Org::acme();
    let key = Key(p256::ecdsa::SigningKey::from_slice(&[7; 32]).expect("is a key"));
    let other = Key(p256::ecdsa::SigningKey::from_slice(&[8; 32]).expect("is a key"));
    let new = enrol(&org, &json!({ "factorType": "webauthn", "provider": "FIDO" }));
    let own = format!("{LENA}/{}", new.text("/id"));
    let challenge = new.text("/_embedded/activation/challenge").to_owned();
    org.check(post(&format!("{own}/lifecycle/activate"), &key.made("another")), 403);
    let done = org.post(&format!("{own}/lifecycle/activate"), &key.made(&challenge));
    assert_eq!((done.text("/status"), done.text("/profile/credentialId")), ("ACTIVE", "Y3JlZA"));
    let asked = org.check(call(&format!("POST {own}/verify")), 200);
    let challenge = asked.text("/_embedded/challenge/challenge").to_owned();
    assert_eq!(asked.text("/factorResult"), "CHALLENGE");
    org.check(post(&format!("{own}/verify"), &other.signed(&challenge)), 403);
    org.check(post(&format!("{own}/verify"), &key.signed("another")), 403);
    let proven = org.post(&format!("{own}/verify"), &key.signed(&challenge));
    assert_eq!((proven.text("/factorResult"), proven.text("/profile/credentialId")), ("SUCCESS", "Y3JlZA"));
    org.check(post(&format!("{own}/verify"), &key.signed(&challenge)), 403);
    // There may be several keys.
    assert_ne!(enrol(&org, &json!({ "factorType": "webauthn" })).text("/id"), new.text("/id"));
}

const ENROLMENTS: &str = "/api/v1/users/lena.fischer/authenticator-enrollments";

/// The id of an authenticator of the org.
fn authenticator(org: &Org, key: &str) -> String {
    let all = org.get("/api/v1/authenticators");
    let rows = all.body.as_array().expect("is a list");
    let found = rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("there is {key}: {}", all.body));
    found["id"].as_str().expect("is text").to_owned()
}

#[test]
fn enrolments_are_factors_by_another_name() {
    let org = Org::acme();
    let types = |org: &Org| org.get(ENROLMENTS).column("/type");
    assert_eq!(types(&org), ["email", "password"]);
    let id = authenticator(&org, "phone_number");
    let body = json!({ "authenticatorId": id, "profile": { "phoneNumber": NUMBER } });
    let made = org.post(&format!("{ENROLMENTS}/phone"), &body);
    assert_eq!((made.text("/type"), made.text("/key"), made.text("/status")), ("phone", "phone_number", "ACTIVE"));
    assert_eq!(made.text("/profile/phoneNumber"), "+1 XXX-XXX-0100");
    assert_eq!(made.text("/_links/authenticator/href"), format!("http://okta.test/api/v1/authenticators/{id}"));
    let own = format!("{ENROLMENTS}/{}", made.text("/id"));
    assert_eq!(org.get(&own).body, made.body);
    assert_eq!(org.get(&format!("{own}?discloseIdentifiers=phone")).text("/profile/phoneNumber"), NUMBER);
    org.refuse(call(&format!("GET {own}?discloseIdentifiers=email")), 400, "E0000037", &[]);
    assert_eq!(types(&org), ["email", "password", "phone"]);
    assert_eq!(org.get(LENA).column("/id"), [made.text("/id")]);
    org.check(call(&format!("DELETE {own}")), 204);
    org.refuse(call(&format!("GET {own}")), 404, "E0000007", &[]);
    let password = org.get(ENROLMENTS).text("/1/id").to_owned();
    org.refuse(call(&format!("DELETE {ENROLMENTS}/{password}")), 403, "E0000006", &[]);
}

#[test]
fn what_enrolments_refuse() {
    let org = Org::acme();
    let phone = format!("{ENROLMENTS}/phone");
    let blank = "authenticatorId: The field cannot be left blank";
    org.refuse(post(&phone, &json!({})), 400, "E0000001", &[blank]);
    let with = |id: &str| json!({ "authenticatorId": id, "profile": { "phoneNumber": NUMBER } });
    org.refuse(post(&phone, &with("autNoSuch")), 404, "E0000007", &[]);
    let cause = "authenticatorId: The authenticator is not of the type to enroll.";
    org.refuse(post(&phone, &with(&authenticator(&org, "okta_email"))), 400, "E0000001", &[cause]);
    let bare = json!({ "authenticatorId": authenticator(&org, "phone_number") });
    org.refuse(post(&phone, &bare), 400, "E0000001", &["Invalid Phone Number."]);
    org.refuse(call(&format!("DELETE {ENROLMENTS}/nothing")), 404, "E0000007", &[]);
    org.refuse(call("GET /api/v1/users/nobody/authenticator-enrollments"), 404, "E0000007", &[]);
}

#[test]
fn a_temporary_code_is_shown_once() {
    let org = Org::acme();
    let made = org.send(post("/api/v1/authenticators", &json!({ "key": "tac", "name": "Temporary Access Code" })));
    assert_eq!(made.status, 200, "{}", made.body);
    let body = |ttl: Value| json!({ "authenticatorId": made.text("/id"), "profile": { "ttl": ttl, "multiUse": true } });
    let got = org.post(&format!("{ENROLMENTS}/tac"), &body(json!("10")));
    assert_eq!((got.text("/profile/tac").len(), &got.body["profile"]["multiUse"]), (8, &json!(true)));
    let own = format!("{ENROLMENTS}/{}", got.text("/id"));
    assert!(org.get(&own).body["profile"].get("tac").is_none());
    let again = org.post(&format!("{ENROLMENTS}/tac"), &body(json!(20)));
    org.check(call(&format!("GET {own}")), 404);
    for ttl in [json!("9"), json!(14_401)] {
        org.refuse(
            post(&format!("{ENROLMENTS}/tac"), &body(ttl)),
            400,
            "E0000001",
            &["ttl: must be between 10 and 14400"],
        );
    }
    let own = format!("{ENROLMENTS}/{}", again.text("/id"));
    let withdrawn = org.fork();
    withdrawn.check(call(&format!("DELETE {own}")), 204);
    withdrawn.check(call(&format!("GET {own}")), 404);
    wait(&org, 20 * 60);
    org.check(call(&format!("GET {own}")), 404);
}
