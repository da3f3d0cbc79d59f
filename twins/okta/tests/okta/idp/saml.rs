//! A provider that speaks SAML: an org's own app signs people in to another org.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{LENA, authorize, cookie, location, merge};
use crate::{
    oauth::{self, form},
    saml as apps,
    support::{Got, ORIGIN, Org, call},
};

/// An org whose people sign in with another one.
struct Two {
    /// The provider.
    home: Org,
    /// Its app for the other org.
    app: Value,
    org: Org,
    idp: String,
    body: Value,
}

impl Two {
    fn new(app: &Value, more: &Value) -> Self {
        let (home, org) = (Org::acme(), oauth::org());
        let body = json!({
            "type": "SAML2", "name": "Home",
            "protocol": {
                "type": "SAML2",
                "endpoints": {
                    "sso": { "url": "https://home.example/sso", "binding": "HTTP-REDIRECT" },
                    "acs": { "binding": "HTTP-POST", "type": "INSTANCE" },
                },
                "algorithms": { "response": { "signature": { "algorithm": "SHA-256", "scope": "ANY" } } },
                "settings": { "nameFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified" },
                "credentials": { "trust": { "issuer": "urn:home", "audience": "https://sp.example" } },
            },
            "policy": {
                "provisioning": { "action": "AUTO", "profileMaster": false, "groups": { "action": "NONE" } },
                "accountLink": { "action": "DISABLED" },
                "subject": { "userNameTemplate": { "template": "idpuser.email" }, "matchType": "USERNAME" },
            },
        });
        let mut two = Self { home, app: Value::Null, org, idp: String::new(), body };
        two.org.post("/api/v1/idps", &two.body).text("/id").clone_into(&mut two.idp);
        let statement = |name: &str, value: &str| json!({ "type": "EXPRESSION", "name": name, "values": [value] });
        let acs = format!("{ORIGIN}/sso/saml2/{}", two.idp);
        let mut settings = json!({
            "ssoAcsUrl": acs, "recipient": acs, "destination": acs, "idpIssuer": "urn:home",
            "attributeStatements": [
                statement("firstName", "user.firstName"),
                statement("lastName", "user.lastName"),
                statement("email", "\"at.\" + user.email"),
                json!({ "type": "GROUP", "name": "Teams", "filterType": "REGEX", "filterValue": ".*" }),
            ],
        });
        merge(&mut settings, app);
        two.app = apps::app(&two.home, "Other org", settings);
        let keys = two.home.get(&format!("/api/v1/apps/{}/credentials/keys", two.app["id"].as_str().expect("is text")));
        let key = two.org.post("/api/v1/idps/credentials/keys", &json!({ "x5c": [keys.text("/0/x5c/0")] }));
        let trust = json!({ "protocol": { "credentials": { "trust": { "kid": key.text("/kid") } } } });
        merge(&mut two.body, &trust);
        two.change(more);
        two
    }

    fn change(&mut self, more: &Value) {
        merge(&mut self.body, more);
        self.org.check(call(&format!("PUT /api/v1/idps/{}", self.idp)).json(&self.body), 200);
    }

    /// The response that the provider posts, asked by a request or not.
    fn response(&self, request: Option<&str>) -> String {
        let asked = request.map(|text| format!("SAMLRequest={text}&")).unwrap_or_default();
        let path = apps::sso(&self.home, &self.app);
        let token = apps::session_token(&self.home);
        apps::answer(&self.home.check(call(&format!("GET {path}?{asked}sessionToken={token}")).anonymous(), 200))
    }

    fn post(&self, xml: &str, relay_state: &str) -> Got {
        let fields = [("SAMLResponse", STANDARD.encode(xml)), ("RelayState", relay_state.to_owned())];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.org.send(form(&format!("/sso/saml2/{}", self.idp), &fields))
    }

    #[track_caller]
    fn refuse(&self, xml: &str, why: &str) {
        let got = self.post(xml, "");
        let page = got.body.as_str().unwrap_or_default();
        assert!(got.status == 400 && page.contains("GENERAL_NONSUCCESS") && page.contains(why), "{why}: {page}");
    }
}

const AT: &str = "at.lena.fischer@acme.example";

#[test]
fn somebody_signs_in_from_the_providers_tile() {
    let two = Two::new(&json!({}), &json!({}));
    let got = two.post(&two.response(None), "/app/UserHome");
    assert_eq!((got.status, got.header("location")), (302, "/app/UserHome"), "{}", got.body);
    let session = two.org.check(call("GET /api/v1/sessions/me").anonymous().header("cookie", cookie(&got)), 200);
    assert_eq!((session.text("/login"), session.text("/idp/type")), (AT, "FEDERATION"));
    let user = two.org.get(&format!("/api/v1/users/{AT}"));
    assert_eq!((user.text("/status"), user.text("/profile/lastName")), ("ACTIVE", "Fischer"));
    assert_eq!(user.text("/credentials/provider/type"), "FEDERATION");
    let link = two.org.get(&format!("/api/v1/idps/{}/users/{}", two.idp, user.text("/id")));
    assert_eq!((link.text("/externalId"), link.text("/profile/subjectNameId")), (LENA, LENA));
    assert_eq!(two.org.events()["user.authentication.auth_via_IDP"], 1);
    assert_eq!(two.post(&two.response(None), "https://evil.example/").header("location"), "/", "no way out of the org");
}

#[test]
fn a_client_sends_people_to_the_provider_and_has_them_back() {
    for (more, signed) in [
        (json!({}), false),
        (
            json!({ "protocol": { "algorithms": { "request": { "signature": { "algorithm": "SHA-256", "scope": "REQUEST" } } } } }),
            true,
        ),
    ] {
        let two = Two::new(&json!({}), &more);
        let got = two.org.check(call(&authorize(&[("idp", &two.idp)])).anonymous(), 302);
        let (address, sent) = location(&got);
        assert_eq!((address.as_str(), sent.contains_key("Signature")), ("https://home.example/sso", signed));
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        let query = encoded.append_pair("SAMLRequest", &sent["SAMLRequest"]).finish();
        // The provider's app wants requests for its own address: what the org asks for is put there by hand.
        let own = query.trim_start_matches("SAMLRequest=");
        let request = inflated(&sent["SAMLRequest"]);
        assert!(
            request.contains(&format!("AssertionConsumerServiceURL=\"{ORIGIN}/sso/saml2/{}\"", two.idp)),
            "{request}"
        );
        assert!(request.contains(">https://sp.example</saml2:Issuer>"), "{request}");
        let readdressed = request.replace("Destination=\"https://home.example/sso\"", "");
        let readdressed = STANDARD.encode(&readdressed).replace('+', "%2B").replace('=', "%3D").replace('/', "%2F");
        assert!(!own.is_empty());
        let response = two.response(Some(&readdressed));
        two.refuse(&response, "answers a request that nobody made");
        let got = two.post(&response, &sent["RelayState"]);
        assert_eq!(got.status, 302, "{}", got.body);
        let next = call(&format!("GET {}", got.header("location"))).anonymous().header("cookie", cookie(&got));
        let (client, told) = location(&two.org.check(next, 302));
        assert_eq!((client.as_str(), told.contains_key("code")), ("https://web.example/cb", true));
    }
}

fn inflated(text: &str) -> String {
    let bytes = STANDARD.decode(text).expect("is base64");
    String::from_utf8(miniz_oxide::inflate::decompress_to_vec(&bytes).expect("is deflated")).expect("is text")
}

#[test]
fn what_must_be_signed_the_settings_say() {
    let check = |response: bool, assertion: bool, scope: &str, good: bool| {
        let more = json!({ "protocol": { "algorithms": { "response": { "signature": { "scope": scope } } } } });
        let two = Two::new(&json!({ "responseSigned": response, "assertionSigned": assertion }), &more);
        let got = two.post(&two.response(None), "");
        assert_eq!(got.status == 302, good, "{response} {assertion} {scope}: {}", got.body);
    };
    check(true, true, "ANY", true);
    check(true, false, "ANY", true);
    check(false, true, "ANY", true);
    check(false, false, "ANY", false);
    check(true, false, "RESPONSE", true);
    check(false, true, "RESPONSE", false);
    check(true, false, "TOKEN", false);
    check(false, true, "TOKEN", true);
    let old = json!({ "signatureAlgorithm": "RSA_SHA1", "digestAlgorithm": "SHA1" });
    let two = Two::new(&old, &json!({}));
    two.refuse(&two.response(None), "weaker");
    let takes = json!({ "protocol": { "algorithms": { "response": { "signature": { "algorithm": "SHA-1" } } } } });
    let two = Two::new(&old, &takes);
    assert_eq!(two.post(&two.response(None), "").status, 302);
}

#[test]
fn responses_that_are_not_in_order_sign_nobody_in() {
    let mut two = Two::new(&json!({}), &json!({}));
    let good = two.response(None);
    two.refuse(&good.replace(LENA, "dana.whitfield@acme.example"), "changed after it was signed");
    two.refuse(&good.replace("status:Success", "status:Responder"), "has not signed the user in");
    two.refuse("", "not base64");
    two.refuse("<a/>", "no response");
    two.refuse("<!DOCTYPE a><a/>", "more than elements");
    // A second assertion, in front of the one that is signed.
    let forged = good.split_once("<saml2:Assertion").expect("has one").1;
    let forged = format!("<saml2:Assertion{}", forged.split_once("</saml2p:Response>").expect("ends").0);
    let wrapped = good.replacen("<saml2:Assertion", &format!("{forged}<saml2:Assertion"), 1);
    two.refuse(&wrapped, "has not one assertion");
    let (head, body) = good.split_once("<ds:Signature").expect("is signed");
    let bare = format!("{head}{}", body.split_once("</ds:Signature>").expect("ends").1);
    assert_eq!(two.post(&bare, "").status, 302, "the assertion is signed by itself");
    two.refuse(&good, "already been processed");
    let check = |two: &mut Two, trust: Value, why: &str| {
        two.change(&json!({ "protocol": { "credentials": { "trust": trust } } }));
        let response = two.response(None);
        two.refuse(&response, why);
    };
    check(&mut two, json!({ "issuer": "urn:other" }), "issuer is another");
    check(&mut two, json!({ "issuer": "urn:home", "audience": "https://other.example" }), "audience is another");
    let generate = format!("POST /api/v1/idps/{}/credentials/keys/generate?validityYears=2", two.idp);
    let app = two.app["id"].as_str().expect("is text");
    let own = two.home.get(&format!("/api/v1/apps/{app}/credentials/keys")).text("/0/n").to_owned();
    let mut alien = two.org.check(call(&generate), 201);
    // Both orgs draw from the same few keys.
    assert_ne!((own.as_str(), alien.text("/n")), ("", ""));
    while alien.text("/n") == own {
        alien = two.org.check(call(&generate), 201);
    }
    let alien = two.org.post("/api/v1/idps/credentials/keys", &json!({ "x5c": [alien.text("/x5c/0")] }));
    check(&mut two, json!({ "audience": "https://sp.example", "kid": alien.text("/kid") }), "signature does not hold");
    let old = two.response(None);
    let late = two.org.fork();
    crate::oauth::wait(&late, 301);
    let two = Two { org: late, ..two };
    two.refuse(&old, "signature does not hold");
}

#[test]
fn assertions_end() {
    let two = Two::new(&json!({}), &json!({}));
    let response = two.response(None);
    crate::oauth::wait(&two.org, 301);
    two.refuse(&response, "has expired");
    let two = Two::new(&json!({}), &json!({ "policy": { "maxClockSkew": 120_000 } }));
    let response = two.response(None);
    crate::oauth::wait(&two.org, 301);
    assert_eq!(two.post(&response, "").status, 302, "the provider's clock may be off");
}

#[test]
fn groups_follow_what_the_provider_says() {
    let groups = |action: &str, filter: &[&str]| {
        json!({ "policy": { "provisioning": { "groups": {
            "action": action, "sourceAttributeName": "teams", "filter": filter,
        } } } })
    };
    let mut two = Two::new(&json!({}), &json!({}));
    let make =
        |name: &str| two.org.post("/api/v1/groups", &json!({ "profile": { "name": name } })).text("/id").to_owned();
    let (design, own) = (two.org.group("Design"), make("Own"));
    let names = |two: &Two| {
        let mut names = two.org.get(&format!("/api/v1/users/{AT}/groups")).column("/profile/name");
        names.retain(|name| name != "Everyone");
        names
    };
    two.change(&groups("APPEND", &[&design, &own]));
    assert_eq!(two.post(&two.response(None), "").status, 302);
    assert_eq!(names(&two), ["Design"]);
    let user = two.org.id(AT);
    two.org.check(call(&format!("PUT /api/v1/groups/{own}/users/{user}")), 204);
    assert_eq!(two.post(&two.response(None), "").status, 302);
    assert_eq!(names(&two), ["Design", "Own"], "nobody is taken out");
    two.change(&groups("SYNC", &[&own]));
    assert_eq!(two.post(&two.response(None), "").status, 302);
    assert_eq!(names(&two), ["Design"], "only what the provider says, of the groups that it may speak of");
}

#[test]
fn metadata_says_where_responses_go() {
    let two = Two::new(&json!({}), &json!({}));
    let got = two.org.check(call(&format!("GET /api/v1/idps/{}/metadata.xml", two.idp)).anonymous(), 200);
    let text = got.body.as_str().expect("is text");
    assert_eq!(apps::between(text, "entityID=\"", "\""), "https://sp.example");
    assert_eq!(apps::between(text, "Location=\"", "\""), format!("{ORIGIN}/sso/saml2/{}", two.idp));
    two.org.check(call("GET /api/v1/idps/0oanothing/metadata.xml").anonymous(), 404);
}
