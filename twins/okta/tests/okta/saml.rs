//! SAML 2.0: metadata, sign-on at an app's address and by its tile, and what is refused. That answers verify, an
//! independent library says (`tests/clients/python/okta_saml_client.py`).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, crypto};
use serde_json::{Value, json};

use crate::{
    oauth,
    support::{Call, Got, ORIGIN, Org, call},
};

const LENA: &str = "lena.fischer@acme.example";
const ACS: &str = "https://sp.example/acs";

/// A SAML app of the org's own, whose sign-on settings differ so.
pub(crate) fn app(org: &Org, label: &str, more: Value) -> Value {
    let mut settings = json!({
        "ssoAcsUrl": ACS, "audience": "https://sp.example", "recipient": ACS, "destination": ACS,
        "subjectNameIdTemplate": "${user.userName}", "responseSigned": true, "assertionSigned": true,
        "signatureAlgorithm": "RSA_SHA256", "digestAlgorithm": "SHA256", "honorForceAuthn": true,
        "requestCompressed": false, "allowMultipleAcsEndpoints": false, "attributeStatements": [],
    });
    settings.as_object_mut().expect("is an object").extend(more.as_object().cloned().unwrap_or_default());
    let body = json!({ "label": label, "signOnMode": "SAML_2_0", "settings": { "signOn": settings } });
    let app = org.post("/api/v1/apps", &body).body;
    let path = format!("/api/v1/apps/{}/users", app["id"].as_str().expect("has an id"));
    org.post(&path, &json!({ "id": org.id(LENA) }));
    app
}

fn xml(target: &str) -> Call {
    call(&format!("GET {target}")).header("accept", "application/xml")
}

fn metadata(org: &Org, app: &Value) -> String {
    let id = app["id"].as_str().expect("has an id");
    let got = org.check(xml(&format!("/api/v1/apps/{id}/sso/saml/metadata")), 200);
    got.body.as_str().expect("is text").to_owned()
}

/// What stands between two texts, the first time.
pub(crate) fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let rest = text.split_once(start).unwrap_or_else(|| panic!("has {start}: {text}")).1;
    rest.split_once(end).unwrap_or_else(|| panic!("has {end}: {text}")).0
}

/// The path of an app's sign-on address.
pub(crate) fn sso(org: &Org, app: &Value) -> String {
    let text = metadata(org, app);
    between(&text, "Location=\"", "\"").strip_prefix(ORIGIN).expect("is in the org").to_owned()
}

pub(crate) fn session_token(org: &Org) -> String {
    let got = org.perform("okta.user.sign_in", "lena", &json!({})).expect("signs in");
    got["sessionToken"].as_str().expect("is text").to_owned()
}

pub(crate) fn page(got: &Got) -> &str {
    got.body.as_str().expect("is a page")
}

/// The answer in a page's form, decoded.
pub(crate) fn answer(got: &Got) -> String {
    let text = between(page(got), "name=\"SAMLResponse\" value=\"", "\"");
    String::from_utf8(STANDARD.decode(text).expect("is base64")).expect("is text")
}

fn request(attributes: &str, issuer: &str) -> String {
    let xml = format!(
        "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"r1\" Version=\"2.0\" {attributes}>\
         <a:Issuer xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">{issuer}</a:Issuer></p:AuthnRequest>"
    );
    encoded(&xml)
}

/// In base64, as it stands in an address.
fn encoded(text: &str) -> String {
    STANDARD.encode(text).replace('+', "%2B").replace('=', "%3D").replace('/', "%2F")
}

#[test]
fn metadata_says_where_people_sign_in() {
    let org = Org::acme();
    let made =
        app(&org, "Meta", json!({ "subjectNameIdFormat": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" }));
    let text = metadata(&org, &made);
    let key = between(&text, "entityID=\"http://www.okta.com/", "\"");
    assert!(key.starts_with("exk") && key.len() == 20, "{key}");
    let (name, id) = (made["name"].as_str().expect("is text"), made["id"].as_str().expect("is text"));
    let address = format!("{ORIGIN}/app/{name}/{key}/sso/saml");
    assert_eq!(text.matches(&format!("Location=\"{address}\"")).count(), 2, "by POST and by redirect");
    assert!(between(&text, "<md:NameIDFormat>", "<").ends_with(":persistent"), "the app's own format goes first");
    assert_eq!(text.matches("<md:NameIDFormat>").count(), 3);
    let certificate = between(&text, "X509Certificate>", "<").replace('\n', "");
    let keys = org.get(&format!("/api/v1/apps/{id}/credentials/keys"));
    assert_eq!(keys.text("/0/x5c/0"), certificate);
    let public = org.check(call(&format!("GET /app/{key}/sso/saml/metadata")).anonymous(), 200);
    assert_eq!(public.body, text, "everybody may read it");
    let kid = keys.text("/0/kid");
    assert_eq!(org.check(xml(&format!("/api/v1/apps/{id}/sso/saml/metadata?kid={kid}")), 200).body, text);
    let next = org.check(call(&format!("POST /api/v1/apps/{id}/credentials/keys/generate?validityYears=2")), 201);
    let other = org.check(xml(&format!("/api/v1/apps/{id}/sso/saml/metadata?kid={}", next.text("/kid"))), 200);
    assert!(page(&other).replace('\n', "").contains(next.text("/x5c/0")), "another key can be asked for");
    org.refuse(xml(&format!("/api/v1/apps/{id}/sso/saml/metadata?kid=nothing")), 404, "E0000007", &[]);
    org.refuse(xml("/api/v1/apps/0oanothing/sso/saml/metadata"), 404, "E0000007", &[]);
    org.refuse(call(&format!("GET /api/v1/apps/{id}/sso/saml/metadata")), 400, "E0000019", &[]);
    org.check(call("GET /app/exkNothing/sso/saml/metadata").anonymous(), 404);
}

#[test]
fn answers_say_what_the_app_wants() {
    let org = Org::acme();
    let check = |more: Value, wanted: &[&str], without: &[&str]| {
        let org = org.fork();
        let made = app(&org, "Says", more.clone());
        let got = org.check(call(&format!("GET {}?sessionToken={}", sso(&org, &made), session_token(&org))), 200);
        let text = answer(&got);
        for part in wanted {
            assert!(text.contains(part), "{more}: {part} is in {text}");
        }
        for part in without {
            assert!(!text.contains(part), "{more}: {part} is not in {text}");
        }
    };
    let statement =
        |value: &str| json!({ "attributeStatements": [{ "type": "EXPRESSION", "name": "a", "values": [value] }] });
    let group = |kind: &str, value: &str| json!({ "attributeStatements": [{ "type": "GROUP", "name": "g", "filterType": kind, "filterValue": value }] });
    let value = |text: &str| format!("xsi:type=\"xs:string\">{text}</saml2:AttributeValue>");
    check(
        json!({}),
        &[&format!(">{LENA}</saml2:NameID>"), "NotOnOrAfter", "SessionIndex", "status:Success"],
        &["InResponseTo", "AttributeStatement", "SessionNotOnOrAfter"],
    );
    check(
        json!({ "subjectNameIdTemplate": "${user.firstName}.${user.lastName}" }),
        &[">Lena.Fischer</saml2:NameID>"],
        &[],
    );
    check(json!({ "recipient": "https://r.example" }), &["Recipient=\"https://r.example\""], &[]);
    check(json!({ "destination": "https://d.example" }), &["Destination=\"https://d.example\""], &[]);
    check(json!({ "idpIssuer": "urn:me:${org.externalKey}" }), &[">urn:me:exk"], &[]);
    check(json!({ "samlAssertionLifetimeSeconds": 60 }), &["SessionNotOnOrAfter"], &[]);
    let class = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509";
    check(json!({ "authnContextClassRef": class }), &[&format!(">{class}</saml2:AuthnContextClassRef>")], &[]);
    check(
        json!({ "assertionSigned": false, "signatureAlgorithm": "RSA_SHA1" }),
        &["xmldsig#rsa-sha1"],
        &["rsa-sha256"],
    );
    check(statement("user.department"), &[&value("Design")], &[]);
    check(statement("${user.email}"), &[&value(LENA)], &[]);
    check(statement("String.toUpperCase(user.firstName)"), &[&value("LENA")], &[]);
    check(statement("\"a < b\""), &[&value("a &lt; b")], &[]);
    check(statement("Fixed value"), &[&value("Fixed value")], &[]);
    check(statement("user.nickName"), &[], &["AttributeStatement"]);
    check(group("STARTS_WITH", "Des"), &[&value("Design")], &[&value("Everyone")]);
    check(group("EQUALS", "Everyone"), &[&value("Everyone")], &[&value("Design")]);
    check(group("CONTAINS", "sig"), &[&value("Design")], &[&value("Everyone")]);
    check(group("REGEX", "(Des|Ev).*"), &[&value("Design"), &value("Everyone")], &[]);
    check(group("REGEX", "Desi"), &[], &["AttributeStatement"]);
}

#[test]
fn requests_that_are_not_in_order_are_told_to_the_person() {
    let org = Org::acme();
    let several = json!({
        "allowMultipleAcsEndpoints": true, "acsEndpoints": [{ "index": 3, "url": "https://sp.example/three" }],
    });
    let (one, many) = (sso(&org, &app(&org, "One", json!({}))), sso(&org, &app(&org, "Many", several)));
    let check = |path: &str, request: &str, status: u16, wanted: &str| {
        let target = format!("GET {path}?SAMLRequest={request}&sessionToken={}", session_token(&org));
        let got = org.check(call(&target).anonymous(), status);
        assert!(page(&got).contains(wanted), "{wanted}: {}", page(&got));
    };
    let sp = "https://sp.example";
    check(&one, "%25", 400, "not base64");
    check(&one, &encoded("hello"), 400, "inflated");
    check(&one, &encoded("<a>"), 400, "no AuthnRequest");
    check(&one, &request("", ""), 400, "no issuer");
    check(&one, &request("Destination=\"https://other.example/x\"", sp), 400, "another destination");
    check(&one, &request("ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:PAOS\"", sp), 400, "another binding");
    check(&one, &request(&format!("Destination=\"{ORIGIN}{one}\""), sp), 200, "SAMLResponse");
    check(
        &one,
        &request("AssertionConsumerServiceURL=\"https://evil.example\"", sp),
        200,
        &format!("action=\"{ACS}\""),
    );
    check(
        &many,
        &request("AssertionConsumerServiceURL=\"https://sp.example/three\"", sp),
        200,
        "action=\"https://sp.example/three\"",
    );
    check(&many, &request("AssertionConsumerServiceIndex=\"3\"", sp), 200, "action=\"https://sp.example/three\"");
    check(&many, &request("AssertionConsumerServiceIndex=\"4\"", sp), 400, "the app has not");
    check(&many, &request("AssertionConsumerServiceURL=\"https://evil.example\"", sp), 400, "the app has not");
    check("/app/acme_one_1/exkNothing/sso/saml", &request("", sp), 404, "Page Not Found");
    check(&one.replace("acme_one_1", "acme_many_1"), &request("", sp), 404, "Page Not Found");
}

#[test]
fn apps_that_cannot_sign_in_say_why() {
    let org = Org::acme();
    let check = |more: Value, status: u16, wanted: &str| {
        let org = org.fork();
        let made = app(&org, "Cannot", more);
        let path = sso(&org, &made);
        let got = org.check(call(&format!("GET {path}?sessionToken={}", session_token(&org))).anonymous(), status);
        assert!(page(&got).contains(wanted), "{wanted}: {}", page(&got));
    };
    let statement =
        |value: &str| json!({ "attributeStatements": [{ "type": "EXPRESSION", "name": "why", "values": [value] }] });
    check(json!({ "assertionEncryption": { "enabled": true } }), 400, "Encrypted assertions");
    check(json!({ "subjectNameIdTemplate": "${user.nickName}" }), 400, "subjectNameIdTemplate");
    check(statement("user.shoeSize"), 400, "&#39;why&#39;");
    check(statement("Nothing.known(1)"), 400, "&#39;why&#39;");
    let made = app(&org, "Off", json!({}));
    let path = sso(&org, &made);
    let got = org.check(call(&format!("GET {}", path.replace("/sso/", "/slo/"))).anonymous(), 400);
    assert!(page(&got).contains("Single logout"), "{}", page(&got));
    org.check(
        call(&format!("POST /api/v1/apps/{}/lifecycle/deactivate", made["id"].as_str().unwrap_or_default())),
        200,
    );
    org.check(call(&format!("GET {path}?sessionToken={}", session_token(&org))).anonymous(), 404);
}

#[test]
fn who_has_not_the_app_is_told_and_logged() {
    let org = Org::acme();
    let made = app(&org, "Mine", json!({}));
    let id = made["id"].as_str().expect("is text");
    let path = sso(&org, &made);
    let got = org.check(call(&format!("GET {path}?sessionToken={}", session_token(&org))).anonymous(), 200);
    assert!(got.header("set-cookie").starts_with("sid="));
    org.check(call(&format!("DELETE /api/v1/apps/{id}/users/{}", org.id(LENA))), 204);
    let got = org.check(call(&format!("GET {path}?sessionToken={}", session_token(&org))).anonymous(), 403);
    assert!(page(&got).contains("not assigned"), "{}", page(&got));
    let refused = org.perform("okta.user.sign_in_to_app", "lena", &json!({ "app": "Mine" }));
    assert_eq!(refused, Err("the app `Mine` is not assigned to the person".to_owned()));
    let events = org.events();
    assert_eq!(events["user.authentication.sso"], 1);
    assert_eq!(events["app.generic.unauth_app_access_attempt"], 1);
}

#[test]
fn who_has_no_session_signs_in_first() {
    let org = Org::acme();
    let path = sso(&org, &app(&org, "First", json!({})));
    let anonymous = |line: &str| call(line).anonymous();
    let got = org.check(anonymous(&format!("GET {path}?SAMLRequest={}&RelayState=here", request("", "sp"))), 200);
    let next = between(page(&got), "name=\"fromURI\" value=\"", "\"").to_owned();
    assert!(next.starts_with(&format!("{path}?okta_key=")), "{next}");
    // The same by a form, which the sign-in page cannot send again.
    let form = format!("SAMLRequest={}&RelayState=here", request("", "sp"));
    let posted = anonymous(&format!("POST {path}")).raw("application/x-www-form-urlencoded", &form);
    assert!(page(&org.check(posted, 200)).contains("okta_key="));
    let got = org.check(anonymous(&format!("GET {next}&sessionToken={}", session_token(&org))), 200);
    assert!(answer(&got).contains("InResponseTo=\"r1\""));
    assert!(page(&got).contains("name=\"RelayState\" value=\"here\""));
    org.check(anonymous(&format!("GET {path}?okta_key=nothing")), 400);
}

#[test]
fn tiles_start_what_their_apps_are() {
    let org = Org::acme();
    let made = app(&org, "Tile", json!({ "defaultRelayState": "/home" }));
    let tile = |app: &Value| {
        let href = app["_links"]["appLinks"][0]["href"].as_str().expect("has a tile").to_owned();
        href.strip_prefix(ORIGIN).expect("is in the org").to_owned()
    };
    let got = org.check(call(&format!("GET {}?sessionToken={}", tile(&made), session_token(&org))).anonymous(), 200);
    assert!(page(&got).contains("name=\"RelayState\" value=\"/home\""));
    let cookie = got.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    let body = json!({ "label": "Link", "name": "bookmark", "settings": { "app": { "url": "https://a.example/x" } } });
    let link = org.post("/api/v1/apps", &body).body;
    let open = |app: &Value| call(&format!("GET {}", tile(app))).anonymous().header("cookie", &cookie);
    org.check(open(&link), 403);
    let path = format!("/api/v1/apps/{}/users", link["id"].as_str().expect("is text"));
    org.post(&path, &json!({ "id": org.id(LENA) }));
    assert_eq!(org.check(open(&link), 302).header("location"), "https://a.example/x");
    let asked = org.check(call(&format!("GET {}", tile(&link))).anonymous(), 200);
    assert!(page(&asked).contains("Sign In"));
    org.check(call("GET /home/bookmark/0oaNothing/2557").anonymous(), 404);
}

#[test]
fn people_sign_in_without_a_browser() {
    let org = Org::acme();
    let path = sso(&org, &app(&org, "Script", json!({})));
    let address = format!("{ORIGIN}{path}?SAMLRequest={}&RelayState=back", request("", "sp"));
    let post = org.perform("okta.user.sign_in_to_app", "lena", &json!({ "address": address })).expect("signs in");
    assert_eq!((&post["post"], &post["RelayState"]), (&json!(ACS), &json!("back")));
    let text = STANDARD.decode(post["SAMLResponse"].as_str().expect("is text")).expect("is base64");
    assert!(String::from_utf8(text).expect("is text").contains("InResponseTo=\"r1\""));
    let refused = |with: Value| org.perform("okta.user.sign_in_to_app", "lena", &with).expect_err("is refused");
    assert_eq!(refused(json!({})), "give either `app` or `address`");
    assert_eq!(refused(json!({ "app": "Nothing" })), "there is no app `Nothing` in Okta");
    assert_eq!(refused(json!({ "address": "https://a.example/" })), "there is no active SAML app at this address");
}

#[test]
fn a_session_token_keeps_what_was_shown_for_it() {
    let org = crate::mfa::org(&json!({}));
    let app = app(&org, "Payroll", json!({}));
    let token = crate::mfa::assured(&org);
    let got = org.check(xml(&format!("{}?sessionToken={token}", sso(&org, &app))), 200);
    assert!(got.header("set-cookie").starts_with("sid=102"));
    assert_eq!(org.view("sessions")[0]["amr"], json!(["pwd", "mfa", "kba"]));
    let again = xml(&format!("{}?sessionToken={token}", sso(&org, &app)));
    assert_eq!(org.check(again, 200).header("set-cookie"), "", "it is good once");
}

/// The service provider's certificate: the public half of the key that programs under test have.
const CERTIFICATE: &str = concat!(
    "MIIDDTCCAfWgAwIBAgIUQGFAxZvHx6vzd70mTkTSkmHycpUwDQYJKoZIhvcNAQELBQAwFTETMBEGA1UEAwwKc3AuZXhhbXBsZTAg",
    "Fw0yNjExMjExNTM3NDBaGA8yMTI2MTAyODE1Mzc0MFowFTETMBEGA1UEAwwKc3AuZXhhbXBsZTCCASIwDQYJKoZIhvcNAQEBBQAD",
    "ggEPADCCAQoCggEBALITkuXALUgP60gt72C69aAN8AD6u4h/Kc9KbYWBNmfD3DxZPNVCAhwe+cHYBAHWJ6gy1uTSds/eJKCKmd57",
    "fULGKgzoEN9MMsjk91iJskwW2fmdvZcjLWVARcSJ9mJAaF2mg/0WhvMdpXUl8t2XIePUsUpV5rWdFBWiDCAIu1IDHBqxI7dtrNgH",
    "z1uFMMxuvak8bdNPY0eDGwf1ruw1D5npQk0ucDfQCbmc6wpQN3kCwEXehR6LYhErMCV3faw31Yi4XJWMIpKmZ87r+asagmrmZSsw",
    "eOulJrsWvFrvViNu2+c4OAr5Tx28vyHjqz1P6cL5n1CihTCsklC5qrfOVvsCAwEAAaNTMFEwHQYDVR0OBBYEFGSwa9339XiW9g4T",
    "uhZU6D1a4iD7MB8GA1UdIwQYMBaAFGSwa9339XiW9g4TuhZU6D1a4iD7MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQAD",
    "ggEBAGXRomSxSwxlx28v3o/bIQi4Fw7IVrBoZ78XF2cHfAAnynOt6T6X8I501e269iq5o1T5gmMg0e3pECk2a6YK7fKDm7WP8n2X",
    "I5iT2J9bqd0uQsRyXPSg7wBsUOAW+Sgeg4jnaJYkinsoepAAXvu+8tyqVUUjL4BezhEeDl9wUqiCT5o31Qod0yVRsrzQWK0Ibb/Q",
    "SeD7x4DVGrVyxqMNldCbkHvvgsyXy3UKaK51n3zTBStGgOCAFxkG3aFSbRgptbkWVXmOcYLZmLVmdznzAwTe7N5Bv/n1hM51VvaX",
    "CoteKoyL/Nln+zsWEQZzI/iMhZ06n4YuN70BWiW/2kCZ1fQ=",
);

/// A query with a signed request to sign out.
fn logout_query(xml: &str, relay_state: &str, algorithm: &str) -> String {
    let text = format!("SAMLRequest={}&RelayState={relay_state}&SigAlg={}", encoded(xml), escaped(algorithm));
    let signature = crypto::sign(text.as_bytes(), &oauth::CLIENT_KEY, Algorithm::RS256).expect("signs");
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("is base64");
    format!("{text}&Signature={}", escaped(&STANDARD.encode(bytes)))
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

fn logout_request(issuer: &str, attributes: &str) -> String {
    format!(
        "<p:LogoutRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"l1\" Version=\"2.0\" {attributes}>\
         <a:Issuer xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">{issuer}</a:Issuer></p:LogoutRequest>"
    )
}

#[test]
fn an_app_that_may_signs_people_out() {
    let org = Org::acme();
    let sp = "https://sp.example";
    let own = json!({
        "slo": { "enabled": true, "issuer": sp, "logoutUrl": "https://sp.example/bye" },
        "spCertificate": { "x5c": [CERTIFICATE] },
    });
    let made = app(&org, "Leaves", own);
    // Where people sign out stands first.
    let slo = sso(&org, &made);
    let path = slo.replace("/slo/", "/sso/");
    let text = metadata(&org, &made);
    assert_eq!(text.matches(&format!("SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"{ORIGIN}{slo}\"")).count(), 1, "{text}");
    let got = org.check(call(&format!("GET {path}?sessionToken={}", session_token(&org))).anonymous(), 200);
    let cookie = got.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    let send = |query: &str| org.send(call(&format!("GET {slo}?{query}")).anonymous().header("cookie", &cookie));
    let refuse = |query: &str, wanted: &str| {
        let got = send(query);
        assert!(got.status == 400 && page(&got).contains(wanted), "{wanted}: {}", page(&got));
    };
    let good = logout_request(sp, "");
    let signed = logout_query(&good, "back", RSA_SHA256);
    refuse("", "no SAML logout request");
    refuse(&format!("SAMLRequest={}", encoded(&good)), "is not signed");
    refuse(
        &signed.replace("RelayState=back", "RelayState=elsewhere"),
        "signature of the SAML logout request is invalid",
    );
    refuse(&logout_query(&good, "back", "http://www.w3.org/2000/09/xmldsig#dsa-sha1"), "not supported");
    refuse(&logout_query(&logout_request("https://other.example", ""), "back", RSA_SHA256), "another issuer");
    let elsewhere = logout_request(sp, "Destination=\"https://other.example/x\"");
    refuse(&logout_query(&elsewhere, "back", RSA_SHA256), "another destination");
    refuse(&logout_query("<a></a>", "back", RSA_SHA256), "no LogoutRequest");
    assert_eq!(org.view("sessions").as_array().map(Vec::len), Some(1));
    let of = |name: &str| {
        let name = format!("<a:NameID xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">{name}</a:NameID></p:");
        logout_query(&good.replace("</p:", &name), "back", RSA_SHA256)
    };
    let other = send(&of("noor@acme.example"));
    assert!(answer(&other).contains("status:UnknownPrincipal") && other.header("set-cookie").is_empty());
    assert_eq!(org.view("sessions").as_array().map(Vec::len), Some(1), "nobody else is signed out");
    let fork = org.fork();
    let got = fork.send(call(&format!("GET {slo}?{}", of(LENA))).anonymous().header("cookie", &cookie));
    assert!(answer(&got).contains("status:Success"));
    assert_eq!(fork.view("sessions"), json!([]));
    let got = send(&signed);
    assert_eq!(got.status, 200, "{}", page(&got));
    assert!(page(&got).contains("action=\"https://sp.example/bye\"") && page(&got).contains("value=\"back\""));
    let response = answer(&got);
    for part in ["saml2p:LogoutResponse", "InResponseTo=\"l1\"", "status:Success", "<ds:Signature "] {
        assert!(response.contains(part), "{part}: {response}");
    }
    assert!(got.header("set-cookie").starts_with("sid=\"\""));
    assert_eq!(org.view("sessions"), json!([]));
    assert_eq!(org.events()["user.session.end"], 1);
    assert_eq!(send(&signed).status, 200, "whoever has no session is signed out");
    let ended = logout_request(sp, "NotOnOrAfter=\"2020-01-01T00:00:00Z\"");
    refuse(&logout_query(&ended, "back", RSA_SHA256), "has expired");
    let post = |xml: &str| {
        let body = format!("SAMLRequest={}&RelayState=back", encoded(xml));
        org.send(call(&format!("POST {slo}")).anonymous().raw("application/x-www-form-urlencoded", &body))
    };
    assert!(page(&post(&good)).contains("is not signed"));
    let inside = enveloped(&good);
    let got = post(&inside);
    assert!(got.status == 200 && answer(&got).contains("InResponseTo=\"l1\""), "{}", page(&got));
    assert!(page(&post(&inside.replace("ID=\"l1\"", "ID=\"l2\""))).contains("is invalid"));
    assert!(page(&post(&inside.replace("Version=\"2.0\"", "Version=\"2.1\""))).contains("is invalid"));
}

/// The message with a signature of the service provider's inside, which stands at its end. The message must be in its
/// canonical form but for what its empty elements and space look like.
fn enveloped(xml: &str) -> String {
    use sha2::{Digest as _, Sha256};
    const C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
    const DS: &str = "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"";
    let canonical = xml.replace(" >", ">");
    let id = between(xml, " ID=\"", "\"");
    let digest = STANDARD.encode(Sha256::digest(canonical.as_bytes()));
    let info = format!(
        "<ds:CanonicalizationMethod Algorithm=\"{C14N}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{RSA_SHA256}\"></ds:SignatureMethod><ds:Reference URI=\"#{id}\">\
         <ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"{C14N}\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    );
    let alone = format!("<ds:SignedInfo {DS}>{info}");
    let signature = crypto::sign(alone.as_bytes(), &oauth::CLIENT_KEY, Algorithm::RS256).expect("signs");
    let value = STANDARD.encode(URL_SAFE_NO_PAD.decode(signature).expect("is base64"));
    let signature = format!(
        "<ds:Signature {DS}><ds:SignedInfo>{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>"
    );
    let at = xml.rfind("</").expect("ends");
    format!("{}{signature}{}", &xml[..at], &xml[at..])
}

#[test]
fn requests_to_sign_in_are_signed_where_the_app_wants_that() {
    let org = Org::acme();
    let certificate = json!({ "x5c": [CERTIFICATE] });
    let wants = app(&org, "Wants", json!({ "samlSignedRequestEnabled": true, "spCertificate": certificate }));
    let knows = app(&org, "Knows", json!({ "spCertificate": certificate }));
    assert!(metadata(&org, &wants).contains("WantAuthnRequestsSigned=\"true\""));
    assert!(metadata(&org, &knows).contains("WantAuthnRequestsSigned=\"false\""));
    let (wants, knows) = (sso(&org, &wants), sso(&org, &knows));
    let plain = "<p:AuthnRequest xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"r1\" Version=\"2.0\">\
                 <a:Issuer xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\">sp</a:Issuer></p:AuthnRequest>";
    let get = |path: &str, query: &str| {
        org.send(call(&format!("GET {path}?{query}&sessionToken={}", session_token(&org))).anonymous())
    };
    let post = |path: &str, xml: &str| {
        let body = format!("SAMLRequest={}&sessionToken={}", encoded(xml), session_token(&org));
        org.send(call(&format!("POST {path}")).anonymous().raw("application/x-www-form-urlencoded", &body))
    };
    let signed = logout_query(plain, "back", RSA_SHA256);
    let forged = signed.replace("RelayState=back", "RelayState=elsewhere");
    let unsigned = format!("SAMLRequest={}", encoded(plain));
    let (inside, changed) = (enveloped(plain), enveloped(plain).replace("ID=\"r1\"", "ID=\"r2\""));
    let check = |got: Got, wanted: &str| assert!(page(&got).contains(wanted), "{wanted}: {}", page(&got));
    for path in [&wants, &knows] {
        check(get(path, &signed), "SAMLResponse");
        check(get(path, &forged), "signature of the SAML request is invalid");
        check(post(path, &inside), "SAMLResponse");
        check(post(path, &changed), "signature of the SAML request is invalid");
    }
    check(get(&wants, &unsigned), "The SAML request is not signed.");
    check(post(&wants, plain), "The SAML request is not signed.");
    check(get(&knows, &unsigned), "SAMLResponse");
    check(post(&knows, plain), "SAMLResponse");
    check(get(&wants, "x=y"), "SAMLResponse");
    let bare = sso(&org, &app(&org, "Bare", json!({ "samlSignedRequestEnabled": true })));
    check(get(&bare, &signed), "no certificate to check SAML requests with");
}

#[test]
fn assertions_are_for_their_app_only() {
    let org = Org::acme();
    let get = |more: Value| {
        let org = org.fork();
        let own = json!({ "enabled": true, "x5c": [CERTIFICATE] });
        let mut own = own.as_object().cloned().expect("is an object");
        own.extend(more.as_object().cloned().expect("is an object"));
        let made = app(&org, "Sealed", json!({ "assertionEncryption": own }));
        org.check(call(&format!("GET {}?sessionToken={}", sso(&org, &made), session_token(&org))), 200)
    };
    let check = |more: Value, cipher: &str, transport: &str| {
        let text = answer(&get(more));
        assert!(text.contains(cipher) && text.contains(transport), "{text}");
        assert!(!text.contains("<saml2:Assertion") && !text.contains(LENA), "{text}");
        assert_eq!(text.matches("<saml2:EncryptedAssertion").count(), 1);
    };
    check(json!({}), "xmlenc#aes256-cbc", "xmlenc#rsa-oaep-mgf1p");
    check(json!({ "encryptionAlgorithm": "AES128_CBC" }), "xmlenc#aes128-cbc", "rsa-oaep-mgf1p");
    check(
        json!({ "encryptionAlgorithm": "AES256_GCM", "keyTransportAlgorithm": "RSA_15" }),
        "xmlenc11#aes256-gcm",
        "xmlenc#rsa-1_5",
    );
    assert_eq!(answer(&get(json!({}))), answer(&get(json!({}))), "the same universe encrypts the same");
}
