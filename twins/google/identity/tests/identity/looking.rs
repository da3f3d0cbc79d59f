//! What a token says of itself and its holder, and the documents around it.

use dtu_google_workspace::testing::{ORIGIN, call};
use serde_json::{Value, json};

use crate::support::{DRIVE, EMAIL, Google};

const LENA: &str = "lena.fischer@acme.example";

#[test]
fn a_token_tells_as_much_as_its_scopes() {
    let google = Google::acme();
    let check = |scope: &str, person: Option<&str>, path: &str, wanted: &[&str]| {
        let token = google.token(scope, person);
        let got = google.send(call(path).form(&[("access_token", &token)]));
        let names: Vec<&String> = got.body.as_object().expect("is an object").keys().collect();
        assert_eq!(names, wanted, "{path} {scope}");
        assert_eq!(got.text("/scope"), scope);
    };
    let plain = ["azp", "aud", "scope", "exp", "expires_in", "access_type"];
    check(DRIVE, None, "POST /tokeninfo", &plain);
    let telling = ["azp", "aud", "sub", "scope", "exp", "expires_in", "email", "email_verified", "access_type"];
    check(EMAIL, Some(LENA), "POST /oauth2/v3/tokeninfo", &telling);
    check(DRIVE, None, "POST /oauth2/v2/tokeninfo", &["issued_to", "audience", "scope", "expires_in", "access_type"]);
    for path in ["/tokeninfo", "/oauth2/v2/tokeninfo"] {
        for query in ["access_token=ya29.x", "id_token=a.b.c", "access_token=1//dtu-acme-dana-token-not-a-real-secret"]
        {
            let got = google.send(call(&format!("GET {path}?{query}")));
            assert_eq!(got.reply.status, 400, "{path}?{query}: {}", got.body);
        }
    }
    google.refuse(call("GET /tokeninfo?access_token=x"), 400, "invalid_token", "Invalid Value");
    google.refuse(call("GET /tokeninfo?id_token=x"), 400, "invalid_token", "Invalid Value");
}

#[test]
fn a_holder_is_told_as_far_as_scopes_go() {
    let google = Google::acme();
    let profile = "https://www.googleapis.com/auth/userinfo.profile";
    let check = |scope: &str, person: Option<&str>, path: &str, wanted: &[&str]| {
        let got = google.send(call(&format!("GET {path}")).bearer(&google.token(scope, person)));
        assert_eq!(got.reply.status, 200, "{}", got.body);
        let names: Vec<&String> = got.body.as_object().expect("is an object").keys().collect();
        assert_eq!(names, wanted, "{path} {scope}");
    };
    check("openid", Some(LENA), "/v1/userinfo", &["sub", "hd"]);
    check(EMAIL, Some(LENA), "/oauth2/v3/userinfo", &["sub", "email", "email_verified", "hd"]);
    let names = ["sub", "name", "given_name", "family_name", "picture", "hd"];
    check(profile, Some(LENA), "/v1/userinfo", &names);
    check(EMAIL, None, "/v1/userinfo", &["sub", "email", "email_verified"]);
    for path in ["/oauth2/v2/userinfo", "/userinfo/v2/me"] {
        check(EMAIL, Some(LENA), path, &["id", "email", "verified_email", "hd"]);
    }
    let both = format!("{EMAIL} {profile}");
    let got = google.send(call("GET /v1/userinfo").bearer(&google.token(&both, Some(LENA))));
    assert_eq!((got.text("/email"), got.text("/name"), got.text("/hd")), (LENA, "Lena Fischer", "acme.example"));
}

#[test]
fn a_part_of_what_the_api_shows_can_be_asked_for() {
    let google = Google::acme();
    let token = google.token(EMAIL, Some(LENA));
    let ask = |path: &str| google.send(call(&format!("GET {path}")).bearer(&token));
    assert_eq!(ask("/oauth2/v2/userinfo?fields=email").body, json!({ "email": LENA }));
    let info = ask(&format!("/oauth2/v2/tokeninfo?access_token={token}&fields=scope"));
    assert_eq!(info.body, json!({ "scope": EMAIL }));
    for path in ["/userinfo/v2/me?fields=shoe", "/oauth2/v2/tokeninfo?fields=shoe"] {
        let got = ask(path);
        assert_eq!((got.reply.status.as_u16(), got.text("/error/message")), (400, "Invalid field selection shoe"));
    }
    assert_eq!(ask("/v1/userinfo?fields=shoe").text("/email"), LENA, "others have no such parameter");
}

#[test]
fn strangers_are_told_nothing() {
    let google = Google::acme();
    let drive = google.token(DRIVE, None);
    let challenge = "Bearer realm=\"https://accounts.google.com/\"";
    for path in ["/v1/userinfo", "/oauth2/v3/userinfo"] {
        let line = format!("GET {path}");
        let got = google.refuse(call(&line), 401, "invalid_request", "Invalid Credentials");
        assert_eq!(got.header("www-authenticate"), challenge);
        let got = google.refuse(call(&line).bearer("x"), 401, "invalid_request", "Invalid Credentials");
        assert_eq!(got.header("www-authenticate"), format!("{challenge}, error=\"invalid_token\""));
        let got = google.send(call(&line).bearer(&drive));
        assert_eq!((got.reply.status.as_u16(), got.text("/error")), (403, "insufficient_scope"));
    }
    for (token, status, canonical) in
        [("", 401, "UNAUTHENTICATED"), ("x", 401, "UNAUTHENTICATED"), (&*drive, 403, "PERMISSION_DENIED")]
    {
        let line = call("GET /oauth2/v2/userinfo");
        let got = google.send(if token.is_empty() { line } else { line.bearer(token) });
        assert_eq!((got.reply.status.as_u16(), got.text("/error/status")), (status, canonical), "`{token}`");
    }
}

#[test]
fn documents_point_at_the_twin() {
    let google = Google::acme();
    let got = google.send(call("GET /.well-known/openid-configuration"));
    for (name, path) in [
        ("token_endpoint", "/token"),
        ("userinfo_endpoint", "/v1/userinfo"),
        ("revocation_endpoint", "/revoke"),
        ("jwks_uri", "/oauth2/v3/certs"),
    ] {
        assert_eq!(got.body[name], format!("{ORIGIN}{path}"));
        let reached = google.send(call(&format!("{} {path}", if name == "jwks_uri" { "GET" } else { "POST" })));
        assert_ne!(reached.reply.status, 404, "{path}");
    }
    let keys = google.send(call("GET /oauth2/v3/certs"));
    assert_eq!(keys.body["keys"][0]["kty"], "RSA");
    assert!(keys.header("cache-control").starts_with("public"));
}

#[test]
fn what_is_not_there_is_refused_as_by_google() {
    let google = Google::acme();
    let locations = format!("GET /v1/projects/-/serviceAccounts/{}/allowedLocations", google.mail());
    let got = google.send(call(&locations));
    assert_eq!((got.reply.status.as_u16(), got.text("/error/status"), got.reply.gap), (404, "NOT_FOUND", false));
    for line in ["GET /nothing", "DELETE /token", "GET /o/oauth2/v2/auth"] {
        let got = google.send(call(line));
        assert_eq!((got.reply.status.as_u16(), &got.body), (404, &Value::Null), "{line}");
        assert!(got.page().starts_with("<!DOCTYPE html>"), "{line}");
    }
    assert_eq!(google.office.universe.ledger().len(), 5, "each call, and the beginning");
    assert_eq!(json!(got.header("x-content-type-options")), "nosniff");
}

#[test]
fn answers_fit_the_public_document() {
    let options = dtu_kernel::universe::Options { check: true, ..dtu_google_workspace::testing::options() };
    let hosts = vec![dtu_kernel::host::host(dtu_google_identity::Identity)];
    let google = Google::over(dtu_google_workspace::testing::Office::with(hosts, &options));
    let token = google.office.env("GOOGLE_ACCESS_TOKEN");
    for line in ["GET /oauth2/v2/userinfo", "GET /userinfo/v2/me", "POST /oauth2/v2/tokeninfo"] {
        let got = google.send(call(&format!("{line}?access_token={token}")));
        assert_eq!(got.reply.status, 200, "{line}: {}", got.page());
    }
    dtu_contract::contract::Contract::read(include_str!("../../contract.json")).expect("is a contract");
}
