//! The interaction code flow, as an app with sign-in pages of its own sees it.

use serde_json::{Value, json};

use crate::{
    authn::{PASSWORD, ida, wait},
    oauth::{CHALLENGE, VERIFIER, form, refuse},
    support::{Got, ORIGIN, Org, call},
};

const REDIRECT: &str = "https://app.example/cb";

/// An app that may use the flow, and that everybody may use; its client id.
fn app(org: &Org, grants: &[&str]) -> String {
    let client = json!({
        "application_type": "browser", "grant_types": grants, "response_types": ["code"], "redirect_uris": [REDIRECT],
    });
    let body = json!({
        "name": "oidc_client", "label": "Pages", "signOnMode": "OPENID_CONNECT",
        "credentials": { "oauthClient": { "token_endpoint_auth_method": "none" } },
        "settings": { "oauthClient": client },
    });
    let app = org.post("/api/v1/apps", &body);
    let everyone = org.get("/api/v1/groups?q=Everyone").text("/0/id").to_owned();
    let at = format!("PUT /api/v1/apps/{}/groups/{everyone}", app.text("/id"));
    org.check(call(&at).json(&json!({})), 200);
    app.text("/credentials/oauthClient/client_id").to_owned()
}

fn pages(org: &Org) -> String {
    app(org, &["authorization_code", "refresh_token", "interaction_code"])
}

/// A sign-in on its way.
struct Walk<'a> {
    org: &'a Org,
    client: String,
    interaction: String,
    handle: String,
}

impl<'a> Walk<'a> {
    fn begin(org: &'a Org, client: &str) -> Self {
        Self::asking(org, client, &[])
    }

    fn asking(org: &'a Org, client: &str, more: &[(&str, &str)]) -> Self {
        let begun = org.check(interact(client, more), 200);
        let interaction = begun.text("/interaction_handle").to_owned();
        let mut walk = Self { org, client: client.to_owned(), interaction, handle: String::new() };
        let got = walk.raw("/introspect", &json!({ "interactionHandle": walk.interaction }));
        assert_eq!(got.status, 200, "{}", got.body);
        got.text("/stateHandle").clone_into(&mut walk.handle);
        walk
    }

    fn raw(&self, path: &str, body: &Value) -> Got {
        let text = body.to_string();
        let call = call(&format!("POST /idp/idx{path}")).anonymous().raw("application/ion+json", &text);
        self.org.send(call.header("accept", "application/ion+json; okta-version=1.0.0"))
    }

    /// A step, with the members of its body.
    fn step(&self, path: &str, body: Value) -> Got {
        let mut body = body;
        body["stateHandle"] = json!(self.handle);
        self.raw(path, &body)
    }

    #[track_caller]
    fn enter(&self, name: &str, password: &str) -> Got {
        self.step("/identify", json!({ "identifier": name, "credentials": { "passcode": password } }))
    }

    fn answer(&self, credentials: &Value) -> Got {
        self.step("/challenge/answer", json!({ "credentials": credentials }))
    }

    /// Chooses an authenticator by its key, where one is to be chosen.
    fn choose(&self, shown: &Got, key: &str, more: &Value) -> Got {
        let enrols = names(shown).contains(&"select-authenticator-enroll".to_owned());
        let (list, path) =
            if enrols { ("authenticators", "/credential/enroll") } else { ("authenticatorEnrollments", "/challenge") };
        let all = shown.body[list]["value"].as_array().expect("is a list");
        let one = all.iter().find(|one| one["key"] == key).unwrap_or_else(|| panic!("no {key}: {}", shown.body));
        let mut authenticator = json!({ "id": one["id"] });
        for (name, value) in more.as_object().expect("is an object") {
            authenticator[name] = value.clone();
        }
        self.step(path, json!({ "authenticator": authenticator }))
    }

    /// The tokens for the code that an answer carries.
    #[track_caller]
    fn tokens(&self, done: &Got) -> Got {
        self.org.check(self.exchange(&code(done)), 200)
    }

    fn exchange(&self, code: &str) -> crate::support::Call {
        let fields = [
            ("grant_type", "interaction_code"),
            ("interaction_code", code),
            ("client_id", &self.client),
            ("code_verifier", VERIFIER),
        ];
        form("/oauth2/v1/token", &fields)
    }
}

fn interact(client: &str, changes: &[(&str, &str)]) -> crate::support::Call {
    let usual = [
        ("client_id", client),
        ("scope", "openid profile"),
        ("redirect_uri", REDIRECT),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| changes.iter().all(|(own, _)| own != name));
    let fields: Vec<_> = kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty()).collect();
    form("/oauth2/v1/interact", &fields)
}

/// The names of the forms that are shown.
fn names(got: &Got) -> Vec<String> {
    let all = got.body.pointer("/remediation/value").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|form| form["name"].as_str()).map(str::to_owned).collect()
}

/// The key of the message above the form, or at its first field that has one.
fn key(got: &Got) -> String {
    fn within(value: &Value) -> Option<&str> {
        if let Some(key) = value.pointer("/messages/value/0/i18n/key") {
            return key.as_str();
        }
        match value {
            Value::Array(all) => all.iter().find_map(within),
            Value::Object(all) => all.values().find_map(within),
            _ => None,
        }
    }
    within(&got.body).unwrap_or_default().to_owned()
}

#[track_caller]
fn shows(got: &Got, wanted: &[&str]) {
    assert_eq!((got.status, names(got)), (200, wanted.iter().map(|&name| name.to_owned()).collect()), "{}", got.body);
}

#[track_caller]
fn refuses(got: &Got, status: u16, wanted: &str) {
    assert_eq!((got.status, key(got).as_str()), (status, wanted), "{}", got.body);
}

#[track_caller]
fn code(got: &Got) -> String {
    let fields = got.body.pointer("/successWithInteractionCode/value").and_then(Value::as_array);
    let fields = fields.unwrap_or_else(|| panic!("has a code: {}", got.body));
    let found = fields.iter().find(|field| field["name"] == "interaction_code");
    found.and_then(|field| field["value"].as_str()).expect("is a text").to_owned()
}

/// A global session policy for everybody, with one rule.
fn sign_on_rule(org: &Org, name: &str, signon: &Value) {
    let everyone = org.get("/api/v1/groups?q=Everyone").text("/0/id").to_owned();
    let policy = json!({
        "type": "OKTA_SIGN_ON", "name": name, "priority": 1,
        "conditions": { "people": { "groups": { "include": [everyone] } } },
    });
    let id = org.post("/api/v1/policies", &policy).text("/id").to_owned();
    let rule = json!({ "type": "SIGN_ON", "name": "All", "actions": { "signon": signon } });
    org.post(&format!("/api/v1/policies/{id}/rules"), &rule);
}

/// Asks everybody for a second factor.
fn ask_for_factor(org: &Org) {
    sign_on_rule(
        org,
        "Two factors",
        &json!({ "access": "ALLOW", "requireFactor": true, "factorPromptMode": "ALWAYS" }),
    );
}

fn enrol(org: &Org, with: &Value) {
    org.perform("okta.enrol_factor", "ida@acme.example", with).expect("enrols");
}

fn read(org: &Org, factor: &str) -> String {
    let read = org.perform("okta.read_code", "ida@acme.example", &json!({ "factor": factor })).expect("reads");
    read["code"].as_str().expect("is a text").to_owned()
}

#[test]
fn a_name_and_a_password_become_a_code_and_tokens() {
    let org = Org::acme();
    let (id, client) = (ida(&org), pages(&org));
    let walk = Walk::begin(&org, &client);
    let shown = walk.step("/introspect", json!({}));
    shows(&shown, &["identify"]);
    assert_eq!(shown.header("content-type"), "application/ion+json; okta-version=1.0.0");
    assert_eq!((shown.text("/version"), shown.text("/intent")), ("1.0.0", "LOGIN"));
    assert_eq!(shown.text("/remediation/value/0/href"), format!("{ORIGIN}/idp/idx/identify"));
    assert_eq!(shown.text("/cancel/href"), format!("{ORIGIN}/idp/idx/cancel"));
    assert_eq!(shown.text("/currentAuthenticator/value/recover/href"), format!("{ORIGIN}/idp/idx/recover"));
    assert_eq!(shown.text("/app/value/label"), "Pages");
    let done = walk.enter("ida", PASSWORD);
    shows(&done, &[]);
    assert_eq!(done.text("/user/value/id"), id);
    assert_eq!(done.text("/successWithInteractionCode/href"), format!("{ORIGIN}/oauth2/v1/token"));
    let code = code(&done);
    let as_other = [("grant_type", "authorization_code"), ("code", &code), ("client_id", &client)];
    let as_other = [as_other.as_slice(), &[("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)]].concat();
    let invalid = "The authorization code is invalid or has expired.";
    refuse(&org, form("/oauth2/v1/token", &as_other), 400, "invalid_grant", invalid);
    let tokens = walk.tokens(&done);
    assert_eq!((tokens.text("/scope"), tokens.text("/token_type")), ("openid profile", "Bearer"));
    refuse(&org, walk.exchange(&code), 400, "invalid_grant", invalid);
    assert_eq!(org.events()["user.session.start"], 1);
}

#[test]
fn an_interaction_begins_as_a_request_to_sign_in_does() {
    let org = Org::acme();
    let client = pages(&org);
    let check = |changes: &[(&str, &str)], status: u16, error: &str| {
        let got = org.check(interact(&client, changes), status);
        assert_eq!(got.text("/error"), error, "{changes:?} {}", got.body);
    };
    check(&[("client_id", "nobody")], 401, "invalid_client");
    check(&[("redirect_uri", "https://evil.example/")], 400, "invalid_request");
    check(&[("code_challenge", "")], 400, "invalid_request");
    check(&[("code_challenge_method", "plain")], 400, "invalid_request");
    check(&[("scope", "profile")], 400, "invalid_scope");
    check(&[("scope", "none.such")], 400, "invalid_scope");
    let other = app(&org, &["authorization_code"]);
    let got = org.check(interact(&other, &[]), 400);
    assert_eq!(got.text("/error"), "unauthorized_client");
    org.refuse(interact(&client, &[("recovery_token", "x")]), 501, "E0000060", &[]);
}

#[test]
fn handles_end_and_steps_have_their_order() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    let walk = Walk::begin(&org, &client);
    let never = [("/introspect", json!({})), ("/introspect", json!({ "interactionHandle": "x" }))];
    for (path, body) in never.into_iter().chain([("/identify", json!({ "stateHandle": "x" }))]) {
        refuses(&walk.raw(path, &body), 401, "idx.session.expired");
    }
    refuses(&walk.answer(&json!({ "passcode": "x" })), 403, "errors.E0000079");
    refuses(&walk.step("/skip", json!({})), 403, "errors.E0000079");
    refuses(&walk.step("/identify", json!({})), 400, "model.validation.field.blank");
    let got = walk.step("/identify", json!({ "identifier": "ida", "else": 1 }));
    assert_eq!(got.status, 400, "{}", got.body);
    let begun = walk.step("/cancel", json!({}));
    shows(&begun, &["identify"]);
    refuses(&walk.step("/introspect", json!({})), 401, "idx.session.expired");
    let again = walk.raw("/introspect", &json!({ "interactionHandle": walk.interaction }));
    assert_eq!(again.text("/stateHandle"), begun.text("/stateHandle"), "the interaction leads to the new one");
    wait(&org, 3_600);
    refuses(&walk.raw("/introspect", &json!({ "interactionHandle": walk.interaction })), 401, "idx.session.expired");
    let json = call("POST /idp/idx/introspect").anonymous().json(&json!({ "stateHandle": "x" }));
    let got = org.check(json.header("accept", "application/json; okta-version=1.0.0"), 401);
    assert_eq!(got.header("content-type"), "application/json; okta-version=1.0.0");
}

#[test]
fn wrong_passwords_are_refused_alike_and_lock() {
    let org = Org::acme();
    let (id, client) = (ida(&org), pages(&org));
    let walk = Walk::begin(&org, &client);
    for name in ["ida", "nobody@acme.example"] {
        refuses(&walk.enter(name, "Wrong1234"), 401, "errors.E0000004");
    }
    for _ in 0..9 {
        refuses(&walk.enter("ida", "Wrong1234"), 401, "errors.E0000004");
    }
    assert_eq!(org.get(&format!("/api/v1/users/{id}")).text("/status"), "LOCKED_OUT");
    refuses(&walk.enter("ida", PASSWORD), 401, "errors.E0000004");
    let got = org.get("/api/v1/policies?type=PASSWORD");
    let mut policy = got.body[0].clone();
    policy["settings"]["password"]["lockout"]["showLockoutFailures"] = json!(true);
    org.check(call(&format!("PUT /api/v1/policies/{}", got.text("/0/id"))).json(&policy), 200);
    refuses(&walk.enter("ida", PASSWORD), 401, "errors.E0000119");
    org.post(&format!("/api/v1/users/{id}/lifecycle/unlock"), &json!({}));
    org.post(&format!("/api/v1/users/{id}/lifecycle/suspend"), &json!({}));
    refuses(&walk.enter("ida", PASSWORD), 401, "errors.E0000004");
}

#[test]
fn a_further_factor_is_chosen_and_used() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    enrol(&org, &json!({ "factor": "sms", "phone": "+4915112345601" }));
    ask_for_factor(&org);
    wait(&org, 60);
    let walk = Walk::begin(&org, &client);
    let shown = walk.enter("ida", PASSWORD);
    shows(&shown, &["authenticator-verification-data"]);
    let asked = walk.choose(&shown, "phone_number", &json!({ "methodType": "sms" }));
    shows(&asked, &["challenge-authenticator"]);
    refuses(&walk.step("/challenge/resend", json!({})), 429, "tooManyRequests");
    refuses(&walk.answer(&json!({ "passcode": "000000" })), 403, "api.authn.error.PASSCODE_INVALID");
    walk.tokens(&walk.answer(&json!({ "passcode": read(&org, "sms") })));

    enrol(&org, &json!({ "factor": "question", "question": "first_award", "answer": "spelling" }));
    let walk = Walk::begin(&org, &client);
    let shown = walk.enter("ida", PASSWORD);
    shows(&shown, &["select-authenticator-authenticate"]);
    let asked = walk.choose(&shown, "security_question", &json!({}));
    shows(&asked, &["challenge-authenticator", "select-authenticator-authenticate"]);
    let enrolled = "/currentAuthenticatorEnrollment/value/contextualData/enrolledQuestion/questionKey";
    assert_eq!(asked.text(enrolled), "first_award");
    walk.tokens(&walk.answer(&json!({ "questionKey": "first_award", "answer": "spelling" })));
    refuses(&walk.step("/challenge", json!({ "authenticator": { "id": "x" } })), 403, "errors.E0000079");
}

#[test]
fn prompts_are_polled_until_they_are_answered_or_end() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    enrol(&org, &json!({ "factor": "push", "device": "Telephone" }));
    ask_for_factor(&org);
    let ask = || {
        let walk = Walk::begin(&org, &client);
        let shown = walk.enter("ida", PASSWORD);
        shows(&walk.choose(&shown, "okta_verify", &json!({ "methodType": "push" })), &["challenge-poll"]);
        walk
    };
    let poll = |walk: &Walk<'_>| walk.step("/authenticators/poll", json!({}));
    let walk = ask();
    shows(&poll(&walk), &["challenge-poll"]);
    org.perform("okta.approve_push", "ida@acme.example", &json!({})).expect("approves");
    walk.tokens(&poll(&walk));
    let walk = ask();
    org.perform("okta.reject_push", "ida@acme.example", &json!({})).expect("rejects");
    refuses(&poll(&walk), 400, "api.authn.poll.error.push_rejected");
    let walk = ask();
    for _ in 0..2 {
        wait(&org, 140);
        shows(&poll(&walk), &["challenge-poll"]);
    }
    wait(&org, 30);
    shows(&poll(&walk), &["select-authenticator-authenticate"]);
}

#[test]
fn who_has_no_factor_enrols_one() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    ask_for_factor(&org);
    let walk = Walk::begin(&org, &client);
    let shown = walk.enter("ida", PASSWORD);
    shows(&shown, &["select-authenticator-enroll"]);
    let data = walk.choose(&shown, "phone_number", &json!({}));
    shows(&data, &["authenticator-enrollment-data", "select-authenticator-enroll"]);
    let asked = walk.choose(&data, "google_otp", &json!({}));
    shows(&asked, &["enroll-authenticator", "select-authenticator-enroll"]);
    assert!(!asked.text("/currentAuthenticator/value/contextualData/sharedSecret").is_empty(), "{}", asked.body);
    let asked = walk.choose(&asked, "security_question", &json!({}));
    refuses(&walk.answer(&json!({ "questionKey": "first_award" })), 400, "model.validation.field.blank");
    refuses(&walk.answer(&json!({ "questionKey": "first_award", "answer": "a" })), 400, "errors.E0000001");
    shows(&asked, &["enroll-authenticator", "select-authenticator-enroll"]);
    walk.tokens(&walk.answer(&json!({ "questionKey": "first_award", "answer": "spelling" })));
    assert_eq!(org.events()["user.mfa.factor.activate"], 1);
}

#[test]
fn a_forgotten_password_is_replaced_by_a_code_from_a_mail() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    let walk = Walk::begin(&org, &client);
    shows(&walk.step("/recover", json!({})), &["identify-recovery"]);
    let shown = walk.step("/identify", json!({ "identifier": "ida" }));
    shows(&shown, &["authenticator-verification-data"]);
    assert_eq!(shown.text("/currentAuthenticatorEnrollment/value/profile/email"), "i...a@acme.example");
    let asked = walk.choose(&shown, "okta_email", &json!({ "methodType": "email" }));
    shows(&asked, &["challenge-authenticator"]);
    refuses(&walk.answer(&json!({ "passcode": "000000" })), 403, "api.authn.error.PASSCODE_INVALID");
    let reset = walk.answer(&json!({ "passcode": read(&org, "email") }));
    shows(&reset, &["reset-authenticator"]);
    assert_eq!(reset.body.pointer("/currentAuthenticator/value/settings/complexity/minLength"), Some(&json!(8)));
    refuses(&walk.answer(&json!({ "passcode": "short" })), 403, "errors.E0000014");
    walk.tokens(&walk.answer(&json!({ "passcode": "Another-passw0rd" })));
    assert_eq!(org.events()["user.account.reset_password"], 1);

    // Whoever is not there is offered a code that never comes.
    let walk = Walk::begin(&org, &client);
    walk.step("/recover", json!({}));
    shows(
        &walk.step("/identify", json!({ "identifier": "nobody@acme.example" })),
        &["authenticator-verification-data"],
    );
    shows(&walk.step("/challenge", json!({ "authenticator": { "id": "x" } })), &["challenge-authenticator"]);
    for _ in 0..6 {
        refuses(&walk.answer(&json!({ "passcode": "000000" })), 403, "api.authn.error.PASSCODE_INVALID");
    }
    // Five wrong codes end one that was sent.
    let walk = Walk::begin(&org, &client);
    walk.step("/recover", json!({}));
    let shown = walk.step("/identify", json!({ "identifier": "ida" }));
    walk.choose(&shown, "okta_email", &json!({ "methodType": "email" }));
    let sent = read(&org, "email");
    for _ in 0..5 {
        refuses(&walk.answer(&json!({ "passcode": "000000" })), 403, "api.authn.error.PASSCODE_INVALID");
    }
    refuses(&walk.answer(&json!({ "passcode": sent })), 403, "api.authn.error.PASSCODE_INVALID");
}

#[test]
fn an_expired_password_is_replaced_on_the_way() {
    let org = Org::acme();
    let (id, client) = (ida(&org), pages(&org));
    org.post(&format!("/api/v1/users/{id}/lifecycle/expire_password"), &json!({}));
    let walk = Walk::begin(&org, &client);
    shows(&walk.enter("ida", PASSWORD), &["reenroll-authenticator"]);
    refuses(&walk.answer(&json!({})), 400, "model.validation.field.blank");
    walk.tokens(&walk.answer(&json!({ "passcode": "Another-passw0rd" })));
}

#[test]
fn a_password_that_expires_soon_can_wait() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    let got = org.get("/api/v1/policies?type=PASSWORD");
    let mut policy = got.body[0].clone();
    policy["settings"]["password"]["age"]["maxAgeDays"] = json!(90);
    policy["settings"]["password"]["age"]["expireWarnDays"] = json!(90);
    org.check(call(&format!("PUT /api/v1/policies/{}", got.text("/0/id"))).json(&policy), 200);
    let walk = Walk::begin(&org, &client);
    shows(&walk.enter("ida", PASSWORD), &["reenroll-authenticator-warning", "skip"]);
    walk.tokens(&walk.step("/skip", json!({})));
    let walk = Walk::begin(&org, &client);
    walk.enter("ida", PASSWORD);
    walk.tokens(&walk.answer(&json!({ "passcode": "Another-passw0rd" })));
}

#[test]
fn okta_verify_is_set_up_on_a_phone_while_the_page_polls() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    ask_for_factor(&org);
    let walk = Walk::begin(&org, &client);
    let shown = walk.enter("ida", PASSWORD);
    let asked = walk.choose(&shown, "okta_verify", &json!({ "channel": "qrcode" }));
    shows(&asked, &["enroll-poll", "select-authenticator-enroll"]);
    assert_eq!(asked.text("/currentAuthenticator/value/contextualData/selectedChannel"), "qrcode");
    let poll = || walk.step("/challenge/poll", json!({}));
    shows(&poll(), &["enroll-poll", "select-authenticator-enroll"]);
    enrol(&org, &json!({ "factor": "push", "device": "Telephone" }));
    walk.tokens(&poll());
    let walk = Walk::begin(&org, &client);
    let shown = walk.enter("ida", PASSWORD);
    let asked = walk.choose(&shown, "okta_verify", &json!({ "methodType": "totp" }));
    shows(&asked, &["challenge-authenticator"]);
    refuses(&walk.step("/authenticators/poll", json!({})), 403, "errors.E0000079");
}

#[test]
fn pages_of_trusted_origins_may_call() {
    let org = Org::acme();
    let ask = |origin: &str| {
        let asked = call("OPTIONS /idp/idx/identify").anonymous().header("origin", origin);
        let asked = asked.header("access-control-request-headers", "content-type");
        org.check(asked.header("access-control-request-method", "POST"), 204)
    };
    assert_eq!(ask("https://app.example").header("access-control-allow-origin"), "");
    let origin = json!({ "name": "Pages", "origin": "https://app.example", "scopes": [{ "type": "CORS" }] });
    org.post("/api/v1/trustedOrigins", &origin);
    let got = ask("https://app.example");
    assert_eq!(got.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(got.header("access-control-allow-headers"), "content-type");
    let call = call("POST /idp/idx/introspect").anonymous().json(&json!({ "stateHandle": "x" }));
    let got = org.check(call.header("origin", "https://app.example"), 401);
    assert_eq!(got.header("access-control-allow-origin"), "https://app.example");
}

#[test]
fn people_register_where_the_policy_lets_them() {
    let org = Org::acme();
    let client = pages(&org);
    let walk = Walk::begin(&org, &client);
    refuses(&walk.step("/enroll", json!({})), 400, "oie.registration.is.not.enabled");
    let policy = org.get("/api/v1/policies?type=PROFILE_ENROLLMENT").text("/0/id").to_owned();
    let rules = org.get(&format!("/api/v1/policies/{policy}/rules"));
    let mut rule = rules.body[0].clone();
    rule["actions"]["profileEnrollment"]["unknownUserAction"] = json!("REGISTER");
    org.check(call(&format!("PUT /api/v1/policies/{policy}/rules/{}", rules.text("/0/id"))).json(&rule), 200);

    let walk = Walk::begin(&org, &client);
    shows(&walk.step("/introspect", json!({})), &["identify", "select-enroll-profile"]);
    shows(&walk.step("/enroll", json!({})), &["enroll-profile", "select-identify"]);
    shows(&walk.step("/identify/select", json!({})), &["identify", "select-enroll-profile"]);
    walk.step("/enroll", json!({}));
    let new = |profile: Value| walk.step("/enroll/new", json!({ "userProfile": profile }));
    let ida = json!({ "firstName": "Ida", "lastName": "Berg", "email": "ida@acme.example" });
    refuses(&new(json!({ "email": "ida@acme.example" })), 400, "model.validation.field.blank");
    let mut more = ida.clone();
    more["nickName"] = json!("I");
    refuses(&new(more), 400, "errors.E0000001");
    let shown = new(ida.clone());
    shows(&shown, &["select-authenticator-enroll"]);
    assert_eq!(shown.text("/intent"), "ENROLL_NEW_USER");
    let early = walk.choose(&shown, "okta_password", &json!({}));
    refuses(&walk.answer(&json!({ "passcode": PASSWORD })), 403, "errors.E0000079");
    shows(&early, &["enroll-authenticator", "select-authenticator-enroll"]);
    let asked = walk.choose(&shown, "okta_email", &json!({}));
    shows(&asked, &["enroll-authenticator", "select-authenticator-enroll"]);
    let shown = walk.answer(&json!({ "passcode": read(&org, "email") }));
    shows(&shown, &["select-authenticator-enroll"]);
    walk.choose(&shown, "okta_password", &json!({}));
    let weak = walk.answer(&json!({ "passcode": "short" }));
    refuses(&weak, 403, "errors.E0000014");
    walk.tokens(&walk.answer(&json!({ "passcode": PASSWORD })));
    assert_eq!(org.get("/api/v1/users/ida").text("/status"), "ACTIVE");

    let walk = Walk::begin(&org, &client);
    walk.step("/enroll", json!({}));
    let taken = walk.step("/enroll/new", json!({ "userProfile": ida }));
    refuses(&taken, 400, "registration.error.notUniqueWithinOrg");
}

#[test]
fn a_name_is_asked_for_first_where_any_factor_will_do() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    sign_on_rule(
        &org,
        "Name first",
        &json!({ "access": "ALLOW", "requireFactor": false, "primaryFactor": "PASSWORD_IDP_ANY_FACTOR" }),
    );
    for name in ["ida", "nobody@acme.example"] {
        let walk = Walk::begin(&org, &client);
        shows(&walk.step("/identify", json!({ "identifier": name })), &["challenge-authenticator"]);
        refuses(&walk.answer(&json!({ "passcode": "Wrong1234" })), 401, "incorrectPassword");
        let got = walk.answer(&json!({ "passcode": PASSWORD }));
        assert_eq!(got.status, if name == "ida" { 200 } else { 401 }, "{}", got.body);
    }
}

#[test]
fn who_may_not_use_the_app_is_turned_away() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    let app = org.get("/api/v1/apps?q=Pages").text("/0/id").to_owned();
    let everyone = org.get("/api/v1/groups?q=Everyone").text("/0/id").to_owned();
    org.check(call(&format!("DELETE /api/v1/apps/{app}/groups/{everyone}")), 204);
    let walk = Walk::begin(&org, &client);
    let got = walk.enter("ida", PASSWORD);
    refuses(&got, 403, "security.access_denied");
    assert!(got.body.get("remediation").is_none(), "{}", got.body);
}

#[test]
fn an_app_can_ask_for_a_class_of_assurance() {
    let org = Org::acme();
    ida(&org);
    let client = pages(&org);
    let walk = Walk::asking(&org, &client, &[("acr_values", "urn:okta:loa:2fa:any")]);
    shows(&walk.enter("ida", PASSWORD), &["select-authenticator-enroll"]);
    enrol(&org, &json!({ "factor": "question", "question": "first_award", "answer": "spelling" }));
    let walk = Walk::asking(&org, &client, &[("acr_values", "urn:okta:loa:2fa:any")]);
    shows(&walk.enter("ida", PASSWORD), &["challenge-authenticator"]);
    walk.tokens(&walk.answer(&json!({ "answer": "spelling" })));
}
