//! Credentials in the hands of administrators' programs, and passwords that other systems hashed.

use serde_json::{Value, json};

use crate::{
    authn::{PASSWORD, authn, enter, ida, person, wait},
    support::{Org, call},
};

const CHANGE: &str = "ida/credentials/change_password";
const QUESTION: &str = "ida/credentials/change_recovery_question";
const FORGOT: &str = "ida/credentials/forgot_password_recovery_question";

fn users(path: &str, body: &Value) -> crate::support::Call {
    call(&format!("POST /api/v1/users/{path}")).json(body)
}

fn change(old: &str, new: &str) -> Value {
    json!({ "oldPassword": { "value": old }, "newPassword": { "value": new } })
}

#[test]
fn whoever_knows_the_password_changes_it() {
    let org = Org::acme();
    ida(&org);
    let got = org.check(users("ida/credentials/change_password", &change(PASSWORD, "N3xtPassword")), 200);
    assert_eq!(got.body, json!({ "password": {}, "provider": { "type": "OKTA", "name": "OKTA" } }));
    assert_eq!(enter(&org, "ida", PASSWORD).status, 401);
    assert_eq!(enter(&org, "ida", "N3xtPassword").status, 200);
    let refuse = |path: &str, body: Value, status: u16, code: &str| {
        let got = org.check(users(path, &body), status);
        assert_eq!(got.text("/errorCode"), code, "{}", got.body);
        got.causes().join(" ")
    };
    assert!(refuse(CHANGE, change("Wrong1234", "N3xtPassword2"), 403, "E0000014").contains("oldPassword"));
    assert!(refuse(CHANGE, change("N3xtPassword", "weak"), 403, "E0000014").contains("at least 8 characters"));
    refuse(CHANGE, json!({ "oldPassword": { "value": "N3xtPassword" } }), 400, "E0000001");
    refuse(CHANGE, json!([]), 400, "E0000003");
    refuse("nobody/credentials/change_password", change("a", "b"), 404, "E0000007");
    for who in ["beatriz.alonso", "callum.fraser", "marcus.bell", "jonas.weber"] {
        refuse(&format!("{who}/credentials/change_password"), change(PASSWORD, "N3xtPassword"), 403, "E0000035");
    }
}

#[test]
fn strict_changes_keep_to_history_and_age() {
    let org = Org::acme();
    ida(&org);
    let strict =
        |old: &str, new: &str| org.send(users("ida/credentials/change_password?strict=true", &change(old, new)));
    let plain = |old: &str, new: &str| org.send(users("ida/credentials/change_password", &change(old, new)));
    let all = ["N3xtPassword1", "N3xtPassword2", "N3xtPassword3", "N3xtPassword4"];
    let mut last = PASSWORD;
    for next in all {
        assert_eq!(strict(last, next).status, 200, "{next}");
        last = next;
    }
    for used in &all {
        let got = strict(last, used);
        assert_eq!((got.status, got.text("/errorCode")), (403, "E0000014"), "{used}");
    }
    assert_eq!(strict(last, PASSWORD).status, 200, "the fifth before may come again");
    assert_eq!(plain(PASSWORD, PASSWORD).status, 200, "others may keep theirs");
}

#[test]
fn questions_are_changed_and_answered() {
    let org = Org::acme();
    ida(&org);
    let question = |password: &str, answer: &str| {
        json!({
            "password": { "value": password }, "recovery_question": { "question": "Which cat?", "answer": answer },
        })
    };
    let forgot = |answer: &str, new: &str| {
        org.send(users(FORGOT, &json!({ "password": { "value": new }, "recovery_question": { "answer": answer } })))
    };
    assert_eq!(forgot("Mauzi", "N3xtPassword").text("/errorCode"), "E0000034", "there is no question yet");
    assert_eq!(org.check(users(QUESTION, &question("Wrong1234", "Mauzi")), 403).text("/errorCode"), "E0000014");
    assert_eq!(org.check(users(QUESTION, &question(PASSWORD, "Ma")), 400).text("/errorCode"), "E0000001");
    let got = org.check(users(QUESTION, &question(PASSWORD, "Mauzi")), 200);
    assert_eq!(got.text("/recovery_question/question"), "Which cat?");
    let wrong = forgot("Bello", "N3xtPassword");
    assert_eq!((wrong.status, wrong.text("/errorCode")), (403, "E0000087"));
    assert_eq!(forgot("MAUZI", "weak").text("/errorCode"), "E0000014");
    assert_eq!(forgot("MAUZI", "N3xtPassword").status, 200);
    assert_eq!(enter(&org, "ida", "N3xtPassword").status, 200);
    let refused = users("beatriz.alonso/credentials/change_recovery_question", &question(PASSWORD, "Mauzi"));
    org.refuse(refused, 403, "E0000036", &[]);
}

#[test]
fn forgotten_passwords_have_a_link() {
    let org = Org::acme();
    ida(&org);
    let got = org.check(users("ida/credentials/forgot_password?sendEmail=false", &json!({})), 200);
    let url = got.text("/resetPasswordUrl").to_owned();
    let token = url.strip_prefix("http://okta.test/signin/reset-password/").expect("is a link");
    assert!(token.starts_with("dfp") && token.len() == 20);
    let page = org.check(call(&format!("GET /signin/reset-password/{token}")).anonymous(), 200);
    assert!(page.body.as_str().expect("is a page").contains("newPassword"));
    let again = org.check(call(&format!("GET /signin/reset-password/{token}")).anonymous(), 403);
    assert!(again.body.as_str().expect("is a page").contains("expired"));
    assert_eq!(org.check(users("ida/credentials/forgot_password", &json!({})), 200).body, json!({}));
    for path in ["tokens/x/verify", "welcome/x", "reset_password/x", "signin/unlock/x"] {
        let none = org.check(call(&format!("GET /{path}")).anonymous(), 403);
        assert!(none.body.as_str().expect("is a page").contains("expired"), "{path}");
    }
    for who in ["beatriz.alonso", "jonas.weber", "marcus.bell"] {
        org.refuse(users(&format!("{who}/credentials/forgot_password"), &json!({})), 403, "E0000034", &[]);
    }
}

#[test]
fn reset_passwords_and_temporary_ones_work() {
    let org = Org::acme();
    ida(&org);
    let got = org.post("/api/v1/users/ida/lifecycle/reset_password?sendEmail=false", &json!({}));
    let token = got.text("/resetPasswordUrl").rsplit('/').next().expect("has a token").to_owned();
    assert_eq!(enter(&org, "ida", PASSWORD).status, 401, "the old one is no more");
    let got = org.send(authn("/recovery/token", &json!({ "recoveryToken": token })));
    assert_eq!(got.text("/status"), "PASSWORD_RESET", "{}", got.body);
    let state = got.text("/stateToken");
    let chosen = json!({ "stateToken": state, "newPassword": "N3xtPassword" });
    assert_eq!(org.send(authn("/credentials/reset_password", &chosen)).text("/status"), "SUCCESS");
    let got = org.post("/api/v1/users/ida/lifecycle/expire_password_with_temp_password", &json!({}));
    let temporary = got.text("/tempPassword").to_owned();
    assert_eq!(enter(&org, "ida", "N3xtPassword").status, 401);
    assert_eq!(enter(&org, "ida", &temporary).text("/status"), "PASSWORD_EXPIRED");
    let got = org.post("/api/v1/users/ida/lifecycle/reset_password?sendEmail=false", &json!({}));
    let token = got.text("/resetPasswordUrl").rsplit('/').next().expect("has a token").to_owned();
    wait(&org, 3_601);
    let late = org.send(authn("/recovery/token", &json!({ "recoveryToken": token })));
    assert_eq!((late.status, late.text("/errorCode")), (401, "E0000011"));
}

#[test]
fn hashed_passwords_are_understood_at_the_first_sign_in() {
    let org = Org::acme();
    // The password is `Tr0ub4dor`, as in the unit tests of the hashes.
    let sha = json!({
        "algorithm": "SHA-256", "salt": "cGVwcGVy", "saltOrder": "PREFIX",
        "value": "th9vjK1lp/wTDxGIu8Q4K4fYGjPboqczrWR8i3pL3Ok=",
    });
    let bcrypt = json!({
        "algorithm": "BCRYPT", "workFactor": 4, "salt": "abcdefghijklmnopqrstuu",
        "value": "KC4nwQ/40pdVH.z4/reSqlzV4ZGMBQG",
    });
    let hashed =
        |name: &str, hash: &Value| person(&org, name, &json!({ "password": { "hash": hash } }), "activate=true");
    for (name, hash) in [("blow", &bcrypt), ("sha", &sha)] {
        hashed(name, hash);
        assert_eq!(enter(&org, name, "Tr0ub4dos").status, 401);
        assert_eq!(enter(&org, name, "Tr0ub4dor").status, 200);
        assert_eq!(enter(&org, name, "Tr0ub4dor").status, 200, "now by Okta's own hash");
    }
    let create = |hash: Value| {
        let profile =
            json!({ "firstName": "A", "lastName": "B", "email": "x@acme.example", "login": "x@acme.example" });
        org.send(call("POST /api/v1/users").json(&json!({ "profile": profile, "credentials": { "password": hash } })))
    };
    for bad in [
        json!({ "hash": { "algorithm": "CRC", "value": "x" } }),
        json!({ "hash": { "algorithm": "BCRYPT", "value": "x", "salt": "short", "workFactor": 10 } }),
        json!({ "hash": { "algorithm": "MD5", "value": "" } }),
        json!({ "hash": { "algorithm": "PBKDF2", "value": "x", "salt": "eA==", "iterationCount": 10, "keySize": 32,
            "digestAlgorithm": "SHA256_HMAC" } }),
        json!({ "hook": { "type": "other" } }),
        json!({ "value": PASSWORD, "hook": { "type": "default" } }),
    ] {
        let got = create(bad.clone());
        assert_eq!((got.status, got.text("/errorCode")), (400, "E0000001"), "{bad}");
    }
    assert_eq!(create(json!({ "hook": { "type": "default" } })).status, 200);
    let update = users("ida", &json!({ "credentials": { "password": { "hash": bcrypt } } }));
    ida(&org);
    assert_eq!(org.check(update, 400).text("/errorCode"), "E0000001", "only staged people's can be set by a hash");
}

#[test]
fn what_people_know_does_not_show() {
    let org = Org::acme();
    let secret =
        json!({ "password": { "value": PASSWORD }, "recovery_question": { "question": "Q?", "answer": "Mauzi" } });
    person(&org, "ida", &secret, "activate=true");
    let shown = org.get("/api/v1/users/ida").body["credentials"].to_string();
    assert!(!shown.contains(PASSWORD) && !shown.contains("Mauzi"), "{shown}");
}
