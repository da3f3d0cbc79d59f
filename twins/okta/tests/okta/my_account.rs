//! What people do with their own accounts, by tokens of theirs.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::world::World;
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};

use crate::{
    factors::Key,
    oauth::{PASSWORD, form},
    support::{Call, Got, ORIGIN, Org, call, options},
};

const LENA: &str = "lena.fischer@acme.example";

const SCOPES: &str = "okta.myAccount.email.read okta.myAccount.email.manage okta.myAccount.phone.read \
                      okta.myAccount.phone.manage okta.myAccount.password.read okta.myAccount.password.manage \
                      okta.myAccount.profile.read okta.myAccount.profile.manage okta.myAccount.organization.read \
                      okta.myAccount.oktaApplications.read okta.myAccount.authenticators.read \
                      okta.myAccount.authenticators.manage okta.myAccount.sessions.manage okta.myAccount.webauthn.read \
                      okta.myAccount.webauthn.manage okta.myAccount.appAuthenticator.manage \
                      okta.myAccount.appAuthenticator.maintenance.read \
                      okta.myAccount.appAuthenticator.maintenance.manage";

/// An org with a program that people use for their accounts, and a token of one of them.
struct Account {
    org: Org,
    token: String,
}

impl Account {
    fn new() -> Self {
        let text = include_str!("../../../../fixtures/worlds/acme.yaml");
        let scopes: Vec<&str> = SCOPES.split_whitespace().collect();
        let rows = format!(
            "\n  password: \"{PASSWORD}\"\n  oauth_clients:\n    - {{key: portal, name: Portal, type: browser, client_id: \
             portal, grants: [password, refresh_token], redirect_uris: [], scopes: [{}]}}\n",
            scopes.join(", ")
        );
        let text = text.replacen("\n  oauth_clients:\n", &rows, 1);
        let world = World::parse("acme.yaml", &text, &["okta", "slack", "jira", "google"]).expect("is a good world");
        let org = Org::of(world, &options());
        let token = sign_in(&org, LENA, &format!("openid {SCOPES}"));
        Self { org, token }
    }

    fn call(&self, line: &str) -> Call {
        let (method, path) = line.split_once(' ').expect("is `METHOD path`");
        let call = call(&format!("{method} /idp/myaccount{path}"));
        call.header("authorization", &format!("Bearer {}", self.token))
            .header("accept", "application/json; okta-version=1.0.0")
    }

    #[track_caller]
    fn check(&self, line: &str, status: u16) -> Got {
        self.org.check(self.call(line), status)
    }

    #[track_caller]
    fn send(&self, line: &str, body: &Value, status: u16) -> Got {
        self.org.check(self.call(line).json(body), status)
    }

    #[track_caller]
    fn refuse(&self, line: &str, body: &Value, status: u16, code: &str, causes: &[&str]) {
        self.org.refuse(self.call(line).json(body), status, code, causes);
    }

    /// The code that was sent last for something.
    fn code(&self, about: &str) -> String {
        let read = self.org.perform("okta.read_code", LENA, &json!({ "factor": about })).expect("was sent");
        read["code"].as_str().expect("is text").to_owned()
    }
}

fn sign_in(org: &Org, login: &str, scope: &str) -> String {
    let fields = [
        ("grant_type", "password"),
        ("client_id", "portal"),
        ("username", login),
        ("password", PASSWORD),
        ("scope", scope),
    ];
    org.check(form("/oauth2/v1/token", &fields), 200).text("/access_token").to_owned()
}

#[test]
fn only_a_person_s_token_with_the_scope_and_the_version_is_let_in() {
    let account = Account::new();
    let org = &account.org;
    let path = "GET /idp/myaccount/emails";
    let accept = "application/json; okta-version=1.0.0";
    account.check("GET /emails", 200);
    let refused = org.check(call(path).header("accept", accept), 401);
    assert_eq!(refused.text("/errorCode"), "E0000015", "an API token is none here");
    let bare = org.check(account.call("GET /emails").header("accept", "application/json"), 406);
    assert_eq!(bare.text("/errorCode"), "E0000149");
    let narrow = sign_in(org, LENA, "openid okta.myAccount.phone.read");
    org.check(account.call("GET /emails").header("authorization", &format!("Bearer {narrow}")), 403);
    org.check(account.call("GET /emails").header("authorization", "Bearer nonsense"), 401);
}

#[test]
fn a_mail_address_counts_once_its_code_came_back() {
    let account = Account::new();
    let listed = account.check("GET /emails", 200);
    assert_eq!((listed.text("/0/profile/email"), listed.text("/0/status")), (LENA, "VERIFIED"));
    account.refuse(
        "POST /emails",
        &json!({ "profile": { "email": "nothing" } }),
        400,
        "E0000001",
        &["Invalid email address."],
    );
    let known = format!("The email {LENA} is already registered to the current user profile.");
    account.refuse("POST /emails", &json!({ "profile": { "email": LENA } }), 409, "E0000157", &[&known]);
    let new =
        json!({ "profile": { "email": "lena@home.example" }, "role": "SECONDARY", "sendEmail": false, "state": "s" });
    let made = account.send("POST /emails", &new, 201);
    assert_eq!((made.text("/status"), made.text("/roles/0")), ("UNVERIFIED", "SECONDARY"));
    let one = format!("/emails/{}", made.text("/id"));
    let asked = account.send(&format!("POST {one}/challenge"), &json!({ "state": "s" }), 201);
    let challenge = format!("{one}/challenge/{}", asked.text("/id"));
    assert_eq!(account.check(&format!("GET {challenge}"), 200).text("/status"), "UNVERIFIED");
    account.send(&format!("POST {challenge}/verify"), &json!({ "verificationCode": "000000" }), 403);
    let code = account.code(asked.text("/id"));
    account.send(&format!("POST {challenge}/verify"), &json!({ "verificationCode": code }), 200);
    assert_eq!(account.check(&format!("GET {challenge}"), 200).text("/status"), "VERIFIED");
    account.send(&format!("POST {challenge}/verify"), &json!({ "verificationCode": code }), 403);
    let listed = account.check("GET /emails", 200);
    assert_eq!(listed.column("/profile/email"), [LENA, "lena@home.example"]);
    assert_eq!(account.org.get(&format!("/api/v1/users/{LENA}")).text("/profile/secondEmail"), "lena@home.example");
    assert_eq!(account.org.events().get("user.account.update_secondary_email"), Some(&1));
    let verified = account.call(&format!("DELETE {one}"));
    account.org.refuse(verified, 400, "E0000001", &["Can't delete a verified email address."]);
    let other = account.send("POST /emails", &json!({ "profile": { "email": "lena@other.example" } }), 201);
    account.check(&format!("DELETE /emails/{}", other.text("/id")), 204);
    account.check(&format!("GET /emails/{}", other.text("/id")), 404);
    account.check(&format!("GET {one}/challenge/myaccount.none"), 404);
}

#[test]
fn a_phone_counts_once_its_code_came_back() {
    let account = Account::new();
    account.refuse(
        "POST /phones",
        &json!({ "profile": { "phoneNumber": "+44 7700 900001" }, "method": "FAX" }),
        400,
        "E0000001",
        &["Invalid method FAX in the request."],
    );
    account.refuse(
        "POST /phones",
        &json!({ "profile": { "phoneNumber": "x" } }),
        400,
        "E0000001",
        &["Invalid phone number."],
    );
    let new = json!({ "profile": { "phoneNumber": "+44 7700 900001" }, "method": "SMS", "sendCode": false });
    let made = account.send("POST /phones", &new, 201);
    assert_eq!((made.text("/status"), made.text("/profile/phoneNumber")), ("UNVERIFIED", "+447700900001"));
    let one = format!("/phones/{}", made.text("/id"));
    let none = "Failed to find a transaction. Either the challenge was answered or the factor id is invalid.";
    account.refuse(&format!("POST {one}/verify"), &json!({ "verificationCode": "1" }), 409, "E0000157", &[none]);
    let call = json!({ "method": "CALL" });
    account.refuse(
        &format!("POST {one}/challenge"),
        &call,
        403,
        "E0000038",
        &["Method CALL is not enabled for your org."],
    );
    account.send(&format!("POST {one}/challenge"), &json!({ "method": "SMS" }), 200);
    let wrong = "This operation couldn't be completed as requested due to an issue with the specified authenticator.";
    account.refuse(&format!("POST {one}/verify"), &json!({ "verificationCode": "nope" }), 400, "E0000001", &[wrong]);
    let code = account.code(made.text("/id"));
    account.send(&format!("POST {one}/verify"), &json!({ "verificationCode": code }), 204);
    assert_eq!(account.check(&one.replace("/phones", "GET /phones"), 200).text("/status"), "VERIFIED");
    assert_eq!(account.check("GET /phones", 200).column("/id"), [made.text("/id")]);
    let again = "This phone number is already assigned to the current user account.";
    account.refuse("POST /phones", &new, 409, "E0000157", &[again]);
    let factors = account.org.get(&format!("/api/v1/users/{LENA}/factors"));
    assert_eq!(factors.column("/factorType"), ["sms"], "an administrator sees the same");
    account.check(&format!("DELETE {one}"), 204);
    account.org.refuse(account.call(&format!("GET {one}")), 404, "E0000008", &[wrong]);
}

#[test]
fn a_password_is_changed_reset_and_taken_away() {
    let account = Account::new();
    assert_eq!(account.check("GET /password", 200).text("/status"), "ACTIVE");
    let rules = account.check("GET /password/complexity-requirements", 200);
    assert_eq!(rules.body["complexity"]["minLength"], json!(8));
    let set = json!({ "profile": { "password": "Another-horse-2" } });
    let known = "This account already has a password set as an authenticator.";
    account.refuse("POST /password", &set, 409, "E0000157", &[known]);
    let change = json!({ "oldPassword": "wrong", "newPassword": "Another-horse-2" });
    account.refuse("POST /password/change-password", &change, 403, "E0000014", &["Old Password is not correct"]);
    let change = json!({ "oldPassword": PASSWORD, "newPassword": "Another-horse-2" });
    account.send("POST /password/change-password", &change, 204);
    let weak = account.org.check(account.call("PUT /password").json(&json!({ "profile": { "password": "x" } })), 400);
    assert!(weak.causes()[0].starts_with("password: Password requirements were not met."), "{}", weak.body);
    account.send("PUT /password", &json!({ "profile": { "password": "Third-horse-3" } }), 201);
    account.check("DELETE /password", 204);
    assert_eq!(account.check("GET /password", 200).text("/status"), "NOT_ENROLLED");
    account.check("DELETE /password", 404);
    let fields = [
        ("grant_type", "password"),
        ("client_id", "portal"),
        ("username", LENA),
        ("password", "Third-horse-3"),
        ("scope", "openid"),
    ];
    account.org.check(form("/oauth2/v1/token", &fields), 400);
    account.send("POST /password", &json!({ "profile": { "password": "Fourth-horse-4" } }), 201);
    assert_eq!(account.check("GET /password", 200).text("/status"), "ACTIVE");
}

#[test]
fn a_profile_is_written_whole_and_only_where_one_may() {
    let account = Account::new();
    let got = account.check("GET /profile", 200);
    let schema = account.check("GET /profile/schema", 200);
    let mut profile = got.body["profile"].clone();
    let names = |value: &Value| value.as_object().expect("is one").keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&profile), names(&schema.body["properties"]), "what one sees is what the schema tells");
    assert_eq!(schema.body["properties"]["title"]["readOnly"], json!(true));
    let refuse = |profile: &Value, cause: &str| {
        account.refuse("PUT /profile", &json!({ "profile": profile }), 400, "E0000001", &[cause]);
    };
    let with = |name: &str, value: Value| {
        let mut changed = profile.clone();
        changed[name] = value;
        changed
    };
    refuse(&with("shoe", json!(1)), "Property 'shoe' does not exist or is not accessible.");
    refuse(
        &with("title", json!("Queen")),
        "Property 'title' is read only.  The value supplied must exactly match the existing value.",
    );
    refuse(
        &with("email", json!("x@acme.example")),
        "You cannot update email attributes using the profile endpoint. Use the emails endpoint to make any required changes.",
    );
    refuse(&with("firstName", json!(1)), "Invalid value data type for property 'firstName'");
    let mut partly = profile.clone();
    partly.as_object_mut().expect("is one").shift_remove("lastName");
    refuse(&partly, "Property 'lastName' needs a value passed.  To unset it, explicitly set it to null.");
    profile["firstName"] = json!("Magdalena");
    let put = account.send("PUT /profile", &json!({ "profile": profile }), 200);
    assert_eq!(put.text("/profile/firstName"), "Magdalena");
    assert_eq!(account.org.get(&format!("/api/v1/users/{LENA}")).text("/profile/firstName"), "Magdalena");
}

#[test]
fn authenticators_show_what_one_is_enrolled_in() {
    let account = Account::new();
    account.org.perform("okta.enrol_factor", LENA, &json!({ "factor": "push" })).expect("enrols");
    let all = account.check("GET /authenticators?expand=enrollments", 200);
    let of = |key: &str| {
        let rows = all.body.as_array().expect("is a list").iter();
        rows.clone().find(|one| one["key"] == key).unwrap_or_else(|| panic!("{key}: {}", all.body)).clone()
    };
    let verify = of("okta_verify");
    assert_eq!(verify["_embedded"]["enrollments"].as_array().map(Vec::len), Some(2), "{verify}");
    assert_eq!(of("okta_password")["_embedded"]["enrollments"][0]["canChangePassword"], json!(true));
    assert_eq!(of("okta_email")["_embedded"]["enrollments"][0]["profile"]["email"], json!(LENA));
    let own = format!("/authenticators/{}/enrollments", verify["id"].as_str().expect("is text"));
    let listed = account.check(&format!("GET {own}"), 200);
    let id = listed.text("/0/id").to_owned();
    let patch = account
        .call(&format!("PATCH {own}/{id}"))
        .raw("application/merge-patch+json; okta-version=1.0.0", &json!({ "nickname": "My phone" }).to_string());
    assert_eq!(account.org.check(patch, 200).text("/nickname"), "My phone");
    assert_eq!(account.check(&format!("GET {own}/{id}"), 200).text("/nickname"), "My phone");
    account.check(&format!("GET {own}/none"), 404);
    account.check("GET /authenticators/none", 404);
    account.check("GET /authenticators?expand=all", 400);
    assert!(
        account
            .check(&format!("GET /authenticators/{}", verify["id"].as_str().expect("is text")), 200)
            .body
            .get("_embedded")
            .is_none()
    );
}

#[test]
fn passkeys_are_registered_by_their_ceremony() {
    let account = Account::new();
    let key = Key(SigningKey::from_slice(&[7; 32]).expect("is a key"));
    account.send("POST /webauthn", &key.made("none"), 404);
    let started = account.send("POST /webauthn/registration", &json!({}), 200);
    let challenge = started.text("/options/challenge").to_owned();
    account.send("POST /webauthn", &key.made("another"), 403);
    let made = account.send("POST /webauthn", &key.made(&challenge), 200);
    assert_eq!((made.text("/status"), made.text("/credentialId")), ("ACTIVE", "Y3JlZA"));
    assert_eq!(account.check("GET /webauthn", 200).column("/id"), [made.text("/id")]);
    let again = account.send("POST /webauthn/registration", &json!({}), 200);
    assert_eq!(again.text("/options/excludeCredentials/0/id"), "Y3JlZA");
    let one = format!("/webauthn/{}", made.text("/id"));
    assert_eq!(account.check(&format!("GET {one}"), 200).body, made.body);
    account.check(&format!("DELETE {one}"), 204);
    account.check(&format!("GET {one}"), 404);
}

#[test]
fn one_s_org_and_okta_s_own_apps_are_told() {
    let account = Account::new();
    let org = account.check("GET /organization", 200);
    assert_eq!(org.text("/url"), ORIGIN);
    assert!(!org.text("/name").is_empty());
    assert_eq!(account.check("GET /okta-applications", 200).column("/name"), ["okta_enduser", "okta_browser_plugin"]);
    let dana = sign_in(&account.org, "dana.whitfield@acme.example", "openid okta.myAccount.oktaApplications.read");
    let call = account.call("GET /okta-applications").header("authorization", &format!("Bearer {dana}"));
    assert_eq!(account.org.check(call, 200).column("/name"), ["okta_enduser", "okta_browser_plugin", "saasure"]);
}

#[test]
fn all_sessions_and_tokens_end_at_once() {
    let account = Account::new();
    let other = sign_in(&account.org, LENA, "openid okta.myAccount.email.read");
    let works = |token: &str, status: u16| {
        account.org.check(account.call("GET /emails").header("authorization", &format!("Bearer {token}")), status);
    };
    account.check("DELETE /sessions?oauthTokens=false", 204);
    works(&other, 200);
    account.check("DELETE /sessions?excludeCurrentAuthorizationContext=true", 204);
    works(&other, 401);
    works(&account.token, 200);
    account.check("DELETE /sessions", 204);
    works(&account.token, 401);
    assert_eq!(account.org.events().get("user.session.clear"), Some(&3));
}

fn jwk(kid: &str, key: &SigningKey) -> Value {
    let point = key.verifying_key().to_encoded_point(false);
    let text = |part: Option<&p256::FieldBytes>| URL_SAFE_NO_PAD.encode(part.expect("is a point"));
    json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": text(point.x()), "y": text(point.y()) })
}

/// Claims as a device signs them.
fn signed(claims: &Value, key: &SigningKey) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "ES256", "kid": "proof" })), part(claims));
    let signature: Signature = key.sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

#[test]
fn an_app_is_an_authenticator_whose_key_answers_prompts() {
    let account = Account::new();
    let org = &account.org;
    let all = org.get("/api/v1/authenticators");
    let verify =
        all.body.as_array().expect("is a list").iter().find(|one| one["key"] == "okta_verify").expect("is there");
    let key = SigningKey::from_slice(&[9; 32]).expect("is a key");
    let new = json!({
        "authenticatorId": verify["id"],
        "device": {
            "clientInstanceKey": jwk("instance", &key), "osVersion": "18.1", "clientInstanceBundleId": "example.app",
            "platform": "IOS", "clientInstanceVersion": "1.0", "clientInstanceDeviceSdkVersion": "1.0",
            "displayName": "Lena's phone", "manufacturer": "APPLE",
        },
        "methods": { "push": { "pushToken": "token", "keys": { "proofOfPossession": jwk("proof", &key) } } },
    });
    let mut without = new.clone();
    without["methods"]["push"]["keys"] = json!({});
    account.refuse(
        "POST /app-authenticators",
        &without,
        400,
        "E0000001",
        &["proofOfPossession: The field cannot be left blank"],
    );
    let made = account.send("POST /app-authenticators", &new, 200);
    let id = made.text("/id").to_owned();
    let device = org.get(&format!("/api/v1/devices/{}", made.text("/device/id")));
    assert_eq!((device.text("/profile/displayName"), device.text("/profile/manufacturer")), ("Lena's phone", "APPLE"));
    let waiting = format!("GET /app-authenticators/{id}/push/notifications");
    assert_eq!(account.check(&waiting, 200).body, json!([]));
    let prompt = || {
        let asked = org.check(call(&format!("POST /api/v1/users/{LENA}/factors/{id}/verify")), 201);
        asked.text("/_links/poll/href").rsplit('/').next().expect("has an id").to_owned()
    };
    let challenged = || {
        let got = account.check(&waiting, 200);
        let part = got.text("/0/challenge").split('.').nth(1).expect("has claims").to_owned();
        let claims = URL_SAFE_NO_PAD.decode(part).expect("is base64");
        serde_json::from_slice::<Value>(&claims).expect("is JSON")
    };
    let answer = |claims: &Value, consent: &str, key: &SigningKey| {
        let said = json!({
            "iss": id, "aud": claims["iss"], "sub": claims["userId"], "tx": claims["transactionId"],
            "nonce": claims["nonce"], "methodEnrollmentId": made.text("/methods/push/id"),
            "challengeResponseContext": { "userConsent": consent },
        });
        let token = signed(&said, key);
        let target = format!(
            "POST /idp/myaccount/app-authenticators/challenge/{}/verify",
            claims["transactionId"].as_str().expect("is text")
        );
        call(&target).anonymous().json(&json!({ "method": "push", "challengeResponse": token }))
    };
    let transaction = prompt();
    let claims = challenged();
    assert_eq!(claims["transactionId"], json!(transaction));
    let other = SigningKey::from_slice(&[8; 32]).expect("is a key");
    org.check(answer(&claims, "APPROVED_CONSENT_PROMPT", &other), 400);
    org.check(answer(&claims, "APPROVED_CONSENT_PROMPT", &key), 200);
    let fate = |transaction: &str| {
        org.get(&format!("/api/v1/users/{LENA}/factors/{id}/transactions/{transaction}"))
            .text("/factorResult")
            .to_owned()
    };
    assert_eq!(fate(&transaction), "SUCCESS");
    org.check(answer(&claims, "APPROVED_CONSENT_PROMPT", &key), 400);
    let transaction = prompt();
    org.check(answer(&challenged(), "DENIED_CONSENT_PROMPT", &key), 204);
    assert_eq!(fate(&transaction), "REJECTED");
    let patch = account
        .call(&format!("PATCH /app-authenticators/{id}"))
        .raw("application/merge-patch+json", &json!({ "methods": { "push": { "pushToken": "new" } } }).to_string());
    org.check(patch, 200);
    account.check(&format!("DELETE /app-authenticators/{id}"), 204);
    account.check(&waiting, 404);
}
