//! People who are asked elsewhere than in a browser: CIBA, and direct authentication.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{PASSWORD, form, org, refuse, tokens, verified, wait};
use crate::{
    mfa::challenge,
    support::{Call, Got, Org, call},
};

const CIBA: &str = "urn:openid:params:grant-type:ciba";
const OTP: &str = "urn:okta:params:oauth:grant-type:otp";
const OOB: &str = "urn:okta:params:oauth:grant-type:oob";
const MFA_OTP: &str = "http://auth0.com/oauth/grant-type/mfa-otp";
const MFA_OOB: &str = "http://auth0.com/oauth/grant-type/mfa-oob";
const LENA: &str = "lena.fischer@acme.example";
const NUMBER: &str = "+12065550100";
const PENDING: &str = "The authorization request is still pending as the user hasn't yet been authenticated.";
const OOB_PENDING: &str =
    "No user response received on the out-of-band authenticator yet. Continue polling to wait for a response.";
const SLOW: &str = "Slow down the polling frequency. Please try again later.";
const UNABLE: &str = "The required authenticator can't be used. Check if it's required by policy and the user is \
                      enrolled in the authenticator and try again.";

/// A client with a secret, at one of the org's servers.
struct Client<'o> {
    org: &'o Org,
    server: &'static str,
    credential: String,
}

impl<'o> Client<'o> {
    fn new(org: &'o Org, server: &'static str, grants: &[&str], more: &Value) -> Self {
        let mut settings = json!({
            "application_type": "web", "grant_types": grants, "response_types": ["token"],
            "redirect_uris": ["https://till.example/cb"],
        });
        settings.as_object_mut().expect("is an object").extend(more.as_object().cloned().unwrap_or_default());
        let body = json!({
            "name": "oidc_client", "label": "Till", "signOnMode": "OPENID_CONNECT",
            "settings": { "oauthClient": settings, "implicitAssignment": true },
        });
        let app = org.post("/api/v1/apps", &body);
        let (id, secret) =
            (app.text("/credentials/oauthClient/client_id"), app.text("/credentials/oauthClient/client_secret"));
        if server != "/oauth2" {
            allow(org, grants);
        }
        Self { org, server, credential: format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))) }
    }

    fn call(&self, endpoint: &str, fields: &[(&str, &str)]) -> Call {
        form(&format!("{}/v1/{endpoint}", self.server), fields).header("authorization", &self.credential)
    }

    fn token(&self, grant: &str, fields: &[(&str, &str)]) -> Call {
        self.call("token", &[&[("grant_type", grant), ("scope", "openid")], fields].concat())
    }

    #[track_caller]
    fn refuse(&self, call: Call, status: u16, error: &str, words: &str) {
        refuse(self.org, call, status, error, words);
    }

    /// What an ID token says.
    #[track_caller]
    fn claims(&self, got: &Got) -> Value {
        verified(self.org, &format!("{}/v1/keys", self.server), got.text("/id_token"))
    }
}

/// Has the default server's rule take more grants.
fn allow(org: &Org, grants: &[&str]) {
    let policies = org.get("/api/v1/authorizationServers/default/policies");
    let path = format!("/api/v1/authorizationServers/default/policies/{}/rules", policies.text("/0/id"));
    let mut rule = org.get(&path).body[0].clone();
    let taken = rule["conditions"]["grantTypes"]["include"].as_array_mut().expect("is a list");
    taken.extend(grants.iter().filter(|grant| **grant != "refresh_token").map(|grant| json!(grant)));
    taken.dedup();
    let path = format!("{path}/{}", rule["id"].as_str().expect("has an id"));
    org.check(call(&format!("PUT {path}")).json(&rule), 200);
}

fn enrol(org: &Org, factor: &str) {
    let mut with = json!({ "factor": factor });
    if factor == "sms" || factor == "call" {
        with["phone"] = json!(NUMBER);
    }
    org.perform("okta.enrol_factor", "lena.fischer", &with).expect("enrols");
    // Nothing is sent to the same number twice in half a minute.
    wait(org, 31);
}

fn approve(org: &Org, with: &Value) -> Value {
    org.perform("okta.approve_push", "lena.fischer", with).expect("approves")
}

fn code(org: &Org, factor: &str) -> String {
    let got = org.perform("okta.read_code", "lena.fischer", &json!({ "factor": factor })).expect("reads");
    got["code"].as_str().expect("is text").to_owned()
}

#[test]
fn a_client_asks_a_person_on_their_phone() {
    for server in ["/oauth2", "/oauth2/default"] {
        let org = org();
        enrol(&org, "push");
        let till = Client::new(&org, server, &[CIBA], &json!({}));
        let ask = [("scope", "openid email"), ("login_hint", LENA), ("binding_message", "Pay 5")];
        let asked = org.check(till.call("bc/authorize", &ask), 200);
        assert_eq!((&asked.body["expires_in"], &asked.body["interval"]), (&json!(300), &json!(5)));
        let id = asked.text("/auth_req_id").to_owned();
        let poll = || till.token(CIBA, &[("auth_req_id", &id)]);
        till.refuse(poll(), 400, "authorization_pending", PENDING);
        till.refuse(poll(), 400, "slow_down", SLOW);
        wait(&org, 5);
        till.refuse(poll(), 400, "authorization_pending", PENDING);
        assert_eq!(approve(&org, &json!({}))["message"], "Pay 5", "the person sees what it is about");
        wait(&org, 5);
        let got = org.check(poll(), 200);
        let claims = till.claims(&got);
        assert_eq!((&claims["sub"], &claims["amr"]), (&json!(org.id(LENA)), &json!(["swk"])));
        assert_eq!(got.text("/scope"), "openid email");
        till.refuse(poll(), 400, "invalid_grant", "The auth_req_id is invalid or has expired.");
    }
}

#[test]
fn a_person_who_says_no_or_nothing_gives_no_tokens() {
    let org = org();
    enrol(&org, "push");
    let till = Client::new(&org, "/oauth2", &[CIBA], &json!({}));
    let ask = |fields: &[(&str, &str)]| {
        let fields = [&[("scope", "openid"), ("login_hint", LENA)], fields].concat();
        org.check(till.call("bc/authorize", &fields), 200).text("/auth_req_id").to_owned()
    };
    let poll = |id: &str| till.token(CIBA, &[("auth_req_id", id)]);
    let id = ask(&[]);
    org.perform("okta.reject_push", "lena.fischer", &json!({})).expect("rejects");
    let denied = "The resource owner or authorization server denied the request.";
    till.refuse(poll(&id), 403, "access_denied", denied);
    let id = ask(&[("request_expiry", "20")]);
    wait(&org, 19);
    till.refuse(poll(&id), 400, "authorization_pending", PENDING);
    wait(&org, 1);
    till.refuse(poll(&id), 400, "expired_token", "The auth_req_id has expired.");
    let first = ask(&[]);
    let second = ask(&[]);
    till.refuse(poll(&first), 403, "access_denied", denied);
    till.refuse(poll(&second), 400, "authorization_pending", PENDING);
    let other = Client::new(&org, "/oauth2", &[CIBA], &json!({}));
    other.refuse(
        other.token(CIBA, &[("auth_req_id", &second)]),
        400,
        "invalid_grant",
        "The auth_req_id is invalid or has expired.",
    );
}

#[test]
fn requests_to_ask_a_person_that_are_refused() {
    let org = org();
    let till = Client::new(&org, "/oauth2", &[CIBA], &json!({}));
    let check = |fields: &[(&str, &str)], status: u16, error: &str, words: &str| {
        till.refuse(till.call("bc/authorize", fields), status, error, words);
    };
    let good = [("scope", "openid"), ("login_hint", LENA)];
    check(&good, 403, "access_denied", UNABLE);
    check(&[("login_hint", LENA)], 400, "invalid_scope", "No scopes were requested.");
    check(
        &[("scope", "offline_access"), ("login_hint", LENA)],
        400,
        "invalid_scope",
        "The authentication request must include the 'openid' scope.",
    );
    let hints = "The authentication request must contain exactly one of 'login_hint' and 'id_token_hint'.";
    check(&good[..1], 400, "invalid_request", hints);
    check(&[&good[..], &[("id_token_hint", "x")]].concat(), 400, "invalid_request", hints);
    check(
        &[good[0], ("login_hint", "nobody@acme.example")],
        400,
        "unknown_user_id",
        "The hint identifies no user who can be asked.",
    );
    let foreign = tokens(&org, "/oauth2", "openid").text("/id_token").to_owned();
    check(&[good[0], ("id_token_hint", &foreign)], 400, "invalid_request", "The 'id_token_hint' parameter is invalid.");
    let expiry = "Invalid value for 'request_expiry' parameter. It should be within range 1 - 300.";
    for value in ["0", "301", "soon"] {
        check(&[&good[..], &[("request_expiry", value)]].concat(), 400, "invalid_request", expiry);
    }
    let algorithm = "The request object JWT signature algorithm is invalid.";
    check(&[("request", "e30.e30.")], 400, "invalid_request_object", algorithm);
    check(&[("request", "x")], 400, "invalid_request_object", "The request object JWT is invalid.");
    let none = Client::new(&org, "/oauth2", &["password"], &json!({}));
    let words = "The client is not authorized to use the provided grant type. Configured grant types: [password].";
    none.refuse(none.call("bc/authorize", &good), 400, "unauthorized_client", words);
    // A custom server's rules must take the grant.
    enrol(&org, "push");
    let custom = Client { server: "/oauth2/default", ..till };
    let policy = "Policy evaluation failed for this request, please check the policy configurations.";
    custom.refuse(custom.call("bc/authorize", &good), 401, "access_denied", policy);
}

#[test]
fn a_client_that_names_an_authenticator_asks_no_other() {
    let org = org();
    enrol(&org, "push");
    let body = json!({ "backchannel_custom_authenticator_id": "aut00000000000000001" });
    let till = Client::new(&org, "/oauth2", &[CIBA], &body);
    let ask = till.call("bc/authorize", &[("scope", "openid"), ("login_hint", LENA)]);
    till.refuse(ask, 403, "access_denied", UNABLE);
}

#[test]
fn a_prompt_is_the_first_factor() {
    let org = org();
    let till = Client::new(&org, "/oauth2", &[OOB], &json!({}));
    let fields = [("login_hint", LENA), ("channel_hint", "push"), ("challenge_hint", OOB)];
    till.refuse(till.call("primary-authenticate", &fields), 403, "access_denied", UNABLE);
    enrol(&org, "push");
    for endpoint in ["primary-authenticate", "oob-authenticate"] {
        let told = org.check(till.call(endpoint, &fields), 200);
        assert_eq!((told.text("/channel"), told.text("/binding_method")), ("push", "none"));
        assert_eq!((&told.body["expires_in"], &told.body["interval"]), (&json!(300), &json!(5)));
        let oob = told.text("/oob_code").to_owned();
        let poll = || till.token(OOB, &[("oob_code", &oob)]);
        till.refuse(poll(), 400, "authorization_pending", OOB_PENDING);
        till.refuse(poll(), 400, "slow_down", SLOW);
        approve(&org, &json!({}));
        assert_eq!(till.claims(&org.check(poll(), 200))["amr"], json!(["swk"]));
        let over = format!("`{oob}` has expired. Use a new `oob_code` or `mfa_token` and try again.");
        till.refuse(poll(), 400, "access_denied", &over);
    }
    let check = |changed: (&str, &str), words: &str| {
        let fields = fields.map(|(name, value)| if name == changed.0 { changed } else { (name, value) });
        till.refuse(till.call("primary-authenticate", &fields), 400, "invalid_request", words);
    };
    check(("channel_hint", "fax"), "`fax` isn't supported as a `channel_hint`. Try again with another value.");
    check(("challenge_hint", "x"), "`x` isn't supported as a `challenge_hint`. Try again with another value.");
    check(("login_hint", ""), "The required parameter 'login_hint' is missing.");
    let nobody = fields.map(|(name, value)| if name == "login_hint" { (name, "nobody") } else { (name, value) });
    till.refuse(till.call("primary-authenticate", &nobody), 403, "access_denied", UNABLE);
}

#[test]
fn a_prompt_asks_for_a_number_where_the_org_says_so() {
    let org = org();
    enrol(&org, "push");
    let all = org.get("/api/v1/authenticators");
    let rows = all.body.as_array().expect("is a list");
    let mut verify = rows.iter().find(|one| one["key"] == "okta_verify").expect("is there").clone();
    verify["settings"]["channelBinding"]["required"] = json!("ALWAYS");
    let path = format!("PUT /api/v1/authenticators/{}", verify["id"].as_str().expect("has an id"));
    org.check(call(&path).json(&verify), 200);
    let till = Client::new(&org, "/oauth2", &[OOB], &json!({}));
    let fields = [("login_hint", LENA), ("channel_hint", "push"), ("challenge_hint", OOB)];
    let start = || org.check(till.call("primary-authenticate", &fields), 200);
    let told = start();
    assert_eq!(told.text("/binding_method"), "transfer");
    let number: u64 = told.text("/binding_code").parse().expect("is a number");
    assert!((10..100).contains(&number));
    approve(&org, &json!({ "number": number }));
    org.check(till.token(OOB, &[("oob_code", told.text("/oob_code"))]), 200);
    let told = start();
    let number: u64 = told.text("/binding_code").parse().expect("is a number");
    approve(&org, &json!({ "number": if number == 10 { 11 } else { 10 } }));
    let denied = "The resource owner or authorization server denied the request.";
    till.refuse(till.token(OOB, &[("oob_code", told.text("/oob_code"))]), 403, "access_denied", denied);
}

#[test]
fn codes_are_first_factors() {
    let org = org();
    let till = Client::new(&org, "/oauth2/default", &[OTP, OOB], &json!({}));
    enrol(&org, "token:software:totp/GOOGLE");
    let shown = code(&org, "token:software:totp/GOOGLE");
    let by_app = |code: &str| till.token(OTP, &[("login_hint", LENA), ("otp", code)]);
    till.refuse(by_app("000000"), 400, "invalid_grant", "The credentials provided were invalid.");
    assert_eq!(till.claims(&org.check(by_app(&shown), 200))["amr"], json!(["otp"]));
    till.refuse(by_app(&shown), 400, "invalid_grant", "The credentials provided were invalid.");
    for (channel, factor, amr) in [("sms", "sms", "sms"), ("voice", "call", "tel")] {
        enrol(&org, factor);
        let fields = [("login_hint", LENA), ("channel_hint", channel), ("challenge_hint", OOB)];
        let told = org.check(till.call("primary-authenticate", &fields), 200);
        assert_eq!((told.text("/binding_method"), told.body.get("interval")), ("prompt", None));
        let oob = told.text("/oob_code").to_owned();
        let again = till.call("primary-authenticate", &fields);
        till.refuse(again, 429, "invalid_grant", "API call exceeded rate limit due to too many requests.");
        let by_code = |code: &str| till.token(OOB, &[("oob_code", &oob), ("binding_code", code)]);
        till.refuse(by_code("1"), 400, "invalid_grant", "The credentials provided were invalid.");
        assert_eq!(till.claims(&org.check(by_code(&code(&org, factor)), 200))["amr"], json!([amr]));
    }
}

/// Lena's password, where the policy asks for more.
fn begin<'o>(org: &'o Org, grants: &[&str]) -> (Client<'o>, String) {
    let client = Client::new(org, "/oauth2/default", grants, &json!({}));
    let got = org.check(client.token("password", &[("username", LENA), ("password", PASSWORD)]), 403);
    assert_eq!(got.text("/error"), "mfa_required", "{}", got.body);
    let token = got.text("/mfa_token").to_owned();
    (client, token)
}

#[test]
fn a_password_waits_for_a_further_factor() {
    let org = org();
    challenge(&org, &json!({}));
    enrol(&org, "push");
    enrol(&org, "token:software:totp/GOOGLE");
    let (till, token) = begin(&org, &["password", MFA_OTP, MFA_OOB]);
    let told = org.check(till.call("challenge", &[("mfa_token", &token), ("challenge_types_supported", MFA_OTP)]), 200);
    assert_eq!(told.body, json!({ "challenge_type": MFA_OTP }));
    let by_code = |code: &str| till.token(MFA_OTP, &[("mfa_token", &token), ("otp", code)]);
    till.refuse(by_code("000000"), 400, "invalid_grant", "The credentials provided were invalid.");
    let got = org.check(by_code(&code(&org, "token:software:totp/GOOGLE")), 200);
    assert_eq!(till.claims(&got)["amr"], json!(["pwd", "mfa", "otp"]));
    let over = format!("`{token}` has expired. Use a new `oob_code` or `mfa_token` and try again.");
    till.refuse(by_code("000000"), 400, "access_denied", &over);

    let (till, token) = begin(&org, &["password", MFA_OTP, MFA_OOB]);
    let told = org.check(till.call("challenge", &[("mfa_token", &token)]), 200);
    assert_eq!((told.text("/challenge_type"), told.text("/channel")), (MFA_OOB, "push"));
    let oob = told.text("/oob_code").to_owned();
    let poll = || till.token(MFA_OOB, &[("mfa_token", &token), ("oob_code", &oob)]);
    till.refuse(poll(), 400, "authorization_pending", OOB_PENDING);
    approve(&org, &json!({}));
    wait(&org, 5);
    assert_eq!(till.claims(&org.check(poll(), 200))["amr"], json!(["pwd", "mfa", "swk"]));
    // A prompt of one sign-in is none of another.
    let (till, token) = begin(&org, &["password", MFA_OTP, MFA_OOB]);
    let told = org.check(till.call("challenge", &[("mfa_token", &token), ("channel_hint", "push")]), 200);
    let oob = told.text("/oob_code").to_owned();
    approve(&org, &json!({}));
    let (_, other) = begin(&org, &["password", MFA_OTP, MFA_OOB]);
    let over = format!("`{oob}` has expired. Use a new `oob_code` or `mfa_token` and try again.");
    let wrong = till.token(MFA_OOB, &[("mfa_token", &other), ("oob_code", &oob)]);
    till.refuse(
        wrong,
        400,
        "access_denied",
        &format!("`{other}` has expired. Use a new `oob_code` or `mfa_token` and try again."),
    );
    let first = till.token(OOB, &[("oob_code", &oob)]);
    assert_eq!(org.send(first).status, 400, "nor is it a first factor: {over}");
    wait(&org, 301);
    let late = till.call("challenge", &[("mfa_token", &token)]);
    till.refuse(
        late,
        400,
        "access_denied",
        &format!("`{token}` has expired. Use a new `oob_code` or `mfa_token` and try again."),
    );
}

#[test]
fn a_further_factor_must_be_one_that_client_and_person_have() {
    let org = org();
    challenge(&org, &json!({}));
    let denied = "Resource owner password credentials authentication denied by sign on policy.";
    let lena = [("username", LENA), ("password", PASSWORD)];
    let plain = Client::new(&org, "/oauth2/default", &["password"], &json!({}));
    plain.refuse(plain.token("password", &lena), 400, "invalid_grant", denied);
    let till = Client::new(&org, "/oauth2/default", &["password", MFA_OOB, OOB], &json!({}));
    till.refuse(till.token("password", &lena), 403, "access_denied", UNABLE);
    enrol(&org, "push");
    let limited = [&lena[..], &[("grant_types_supported", MFA_OTP)]].concat();
    till.refuse(till.token("password", &limited), 403, "access_denied", UNABLE);
    let got = org.check(till.token("password", &lena), 403);
    let token = got.text("/mfa_token").to_owned();
    let ask = |more: (&str, &str)| till.call("challenge", &[("mfa_token", &token), more]);
    let words = "The client is not authorized to use the provided grant type.";
    let got = org.check(ask(("challenge_types_supported", MFA_OTP)), 400);
    assert!(got.text("/error_description").starts_with(words), "{}", got.body);
    till.refuse(
        ask(("challenge_types_supported", "x")),
        403,
        "access_denied",
        "`x` isn't supported as a `challenge_type`. Try again with another value.",
    );
    till.refuse(ask(("channel_hint", "sms")), 403, "access_denied", UNABLE);
    // What was the first factor is no further one.
    let fields = [("login_hint", LENA), ("channel_hint", "push"), ("challenge_hint", OOB)];
    let told = org.check(till.call("primary-authenticate", &fields), 200);
    approve(&org, &json!({}));
    let oob = told.text("/oob_code");
    till.refuse(till.token(OOB, &[("oob_code", oob)]), 403, "access_denied", UNABLE);
    enrol(&org, "sms");
    let told = org.check(till.call("primary-authenticate", &fields), 200);
    approve(&org, &json!({}));
    let got = org.check(till.token(OOB, &[("oob_code", told.text("/oob_code"))]), 403);
    let token = got.text("/mfa_token").to_owned();
    let told = org.check(till.call("challenge", &[("mfa_token", &token)]), 200);
    assert_eq!(told.text("/channel"), "sms");
    let sent = code(&org, "sms");
    let fields = [("mfa_token", &*token), ("oob_code", told.text("/oob_code")), ("binding_code", &sent)];
    let claims = till.claims(&org.check(till.token(MFA_OOB, &fields), 200));
    assert_eq!(claims["amr"], json!(["swk", "mfa", "sms"]));
}

#[test]
fn metadata_name_what_is_supported() {
    let org = org();
    let grants = |path: &str| {
        let got = org.check(call(&format!("GET {path}")).anonymous(), 200);
        assert_eq!(got.body["backchannel_token_delivery_modes_supported"], json!(["poll"]));
        assert_eq!(got.body["request_parameter_supported"], true);
        assert_eq!(got.header("cache-control"), "max-age=86400, must-revalidate");
        let all = got.body["grant_types_supported"].as_array().expect("is a list").clone();
        for grant in [CIBA, OTP, OOB, MFA_OTP, MFA_OOB] {
            assert!(all.contains(&json!(grant)), "{path}: {grant}");
        }
        all.contains(&json!("client_credentials"))
    };
    for server in ["", "/oauth2/default"] {
        assert!(!grants(&format!("{server}/.well-known/openid-configuration")));
        assert!(grants(&format!("{server}/.well-known/oauth-authorization-server")));
    }
}
