//! Service accounts: what is believed of what they sign, and what is said of the rest.

use std::time::Duration;

use dtu_google_identity::Identity;
use dtu_google_workspace::testing::{ORIGIN, Office, call, options};
use dtu_kernel::host::host;
use serde_json::{Value, json};

use crate::support::{AUDIENCE, DRIVE, Google, JWT_BEARER};

const LENA: &str = "lena.fischer@acme.example";

/// A change to the claims of a good assertion; null takes one out.
fn with(google: &Google, changes: &Value) -> Value {
    let mut claims = google.claims();
    for (name, value) in changes.as_object().expect("is an object") {
        match value {
            Value::Null => drop(claims.as_object_mut().expect("is an object").remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

#[test]
fn a_good_assertion_gets_a_token() {
    let google = Google::acme();
    let own = format!("{ORIGIN}/token");
    let now = google.now();
    for changes in [
        json!({}),
        json!({ "aud": own }),
        json!({ "aud": [AUDIENCE] }),
        json!({ "aud": "https://www.googleapis.com/oauth2/v4/token" }),
        json!({ "sub": LENA }),
        json!({ "sub": google.mail() }),
        json!({ "sub": "" }),
        json!({ "iat": now + 200, "exp": now + 3_800 }),
        json!({ "iat": now - 3_700, "exp": now - 100 }),
        json!({ "exp": now + 3_900 }),
        json!({ "scope": "openid email  https://www.googleapis.com/auth/spreadsheets" }),
    ] {
        let got = google.show(&google.sign(&with(&google, &changes)));
        assert_eq!(got.reply.status, 200, "{changes}: {}", got.body);
        assert!(got.text("/access_token").starts_with("ya29.c."), "{}", got.body);
        let names: Vec<&String> = got.body.as_object().expect("is an object").keys().collect();
        assert_eq!(names, ["access_token", "expires_in", "token_type"]);
        assert_eq!((&got.body["expires_in"], got.text("/token_type")), (&json!(3_599), "Bearer"));
    }
}

#[test]
fn a_bad_assertion_is_told_why() {
    let google = Google::acme();
    let check = |changes: Value, status: u16, error: &str, description: &str| {
        let assertion = google.sign(&with(&google, &changes));
        let form = [("grant_type", JWT_BEARER), ("assertion", &*assertion)];
        google.refuse(call("POST /token").form(&form), status, error, description);
    };
    let now = google.now();
    let times = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check \
                 your iat and exp values in the JWT claim.";
    for changes in [
        json!({ "iat": now - 7_200, "exp": now - 3_600 }),
        json!({ "iat": now + 400, "exp": now + 3_000 }),
        json!({ "exp": now + 3_901 }),
        json!({ "exp": now - 1, "iat": now }),
        json!({ "exp": null }),
        json!({ "iat": null }),
        json!({ "iat": "soon" }),
        json!({ "iat": i64::MIN, "exp": i64::MAX }),
    ] {
        check(changes, 400, "invalid_grant", times);
    }
    let verifier = "Invalid JWT: No valid verifier found for issuer";
    check(json!({ "iss": "nobody@x.example" }), 400, "invalid_grant", verifier);
    check(json!({ "iss": null }), 400, "invalid_grant", verifier);
    let audience = format!("Invalid JWT: Failed audience check. The right audience is {AUDIENCE}");
    for changes in [json!({ "aud": "https://other.example/token" }), json!({ "aud": null }), json!({ "aud": ORIGIN })] {
        check(changes, 400, "invalid_grant", &audience);
    }
    let scope = "Invalid OAuth scope or ID token audience provided.";
    let commas = format!("{DRIVE},{DRIVE}.file");
    for text in ["", " ", "drive", "https://www.googleapis.com/auth/nothing", &commas] {
        check(json!({ "scope": text }), 400, "invalid_scope", scope);
    }
    check(json!({ "scope": null }), 400, "invalid_scope", scope);
    check(json!({ "sub": "ghost@acme.example" }), 400, "invalid_grant", "Not a valid email or user ID.");
    check(json!({ "sub": "lena" }), 400, "invalid_request", "Invalid impersonation prn email address.");
    check(json!({ "sub": "beatriz.alonso@acme.example" }), 400, "invalid_grant", "Invalid email or User ID");
}

#[test]
fn signatures_and_keys_are_looked_at() {
    let google = Google::acme();
    let good = google.sign(&google.claims());
    let (body, _) = good.rsplit_once('.').expect("has three parts");
    let foreign_key = google.sign_as(&google.claims(), Some("0000000000000000000000000000000000000000"));
    let unsigned = format!("{body}.");
    for assertion in [&*foreign_key, &unsigned, body, "a.b.c", "not-a-token", "...."] {
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion)];
        google.refuse(call("POST /token").form(&form), 400, "invalid_grant", "Invalid JWT Signature.");
    }
    let nameless = google.show(&google.sign_as(&google.claims(), None));
    assert_eq!(nameless.reply.status, 200, "a key need not be named");
}

#[test]
fn only_delegates_act_for_people() {
    let section = "google-identity:
  service_accounts:
    - {key: plain}
    - {key: narrow, delegates: true, acts_for: [bob]}
    - {key: wide, email: wide@elsewhere.example, delegates: true}
";
    let office = crate::worlds::tiny(section).expect("is a good world");
    let google = Google::over(office);
    let may_not = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any \
                   of the scopes requested.";
    let (plain, narrow) = ("plain@dtu-tiny.iam.gserviceaccount.com", "narrow@dtu-tiny.iam.gserviceaccount.com");
    for (service, person, wanted) in [
        (plain, None, Ok(())),
        (plain, Some("ann@tiny.example"), Err(("unauthorized_client", may_not))),
        (narrow, Some("ann@tiny.example"), Err(("unauthorized_client", may_not))),
        (narrow, Some("BOB@tiny.example"), Ok(())),
        ("wide@elsewhere.example", Some("ann@tiny.example"), Ok(())),
        ("wide@elsewhere.example", Some("cid@tiny.example"), Err(("invalid_grant", "Invalid email or User ID"))),
    ] {
        let claims = with(&google, &json!({ "iss": service, "sub": person }));
        let got = google.show(&google.sign_as(&claims, None));
        let found = match got.reply.status.as_u16() {
            200 => Ok(()),
            _ => Err((got.text("/error"), got.text("/error_description"))),
        };
        assert_eq!(found, wanted, "{service} for {person:?}");
    }
}

#[test]
fn an_audience_gets_an_id_token() {
    let google = Google::acme();
    let claims = with(&google, &json!({ "scope": null, "target_audience": "https://app.example" }));
    let got = google.show(&google.sign(&claims));
    let names: Vec<&String> = got.body.as_object().expect("is an object").keys().collect();
    assert_eq!(names, ["id_token"]);
    let info = google.send(call(&format!("GET /tokeninfo?id_token={}", got.text("/id_token"))));
    assert_eq!((info.text("/aud"), info.text("/email")), ("https://app.example", google.mail()));
    assert_eq!((info.text("/iss"), info.text("/alg")), ("https://accounts.google.com", "RS256"));
}

#[test]
fn the_endpoint_has_three_addresses_and_asks_for_what_it_needs() {
    let google = Google::acme();
    for path in ["/token", "/oauth2/v4/token", "/o/oauth2/token", "//token", "/token?prettyPrint=false"] {
        let assertion = google.sign(&google.claims());
        let form = [("grant_type", JWT_BEARER), ("assertion", &*assertion)];
        let got = google.send(call(&format!("POST {path}")).form(&form));
        assert_eq!(got.reply.status, 200, "{path}: {}", got.page());
        assert_eq!(got.page().lines().count() > 1, !path.contains("pretty"), "{path}");
    }
    let check = |form: &[(&str, &str)], error: &str, description: &str| {
        google.refuse(call("POST /token").form(form), 400, error, description);
    };
    check(&[], "invalid_request", "Missing required parameter: grant_type");
    check(&[("grant_type", "")], "invalid_request", "Missing required parameter: grant_type");
    check(&[("grant_type", JWT_BEARER)], "invalid_request", "Missing required parameter: assertion");
    check(&[("grant_type", "password")], "unsupported_grant_type", "Invalid grant_type: password");
    let got = google.send(call("GET /token"));
    assert_eq!((got.reply.status.as_u16(), got.header("content-type")), (404, "text/html; charset=UTF-8"));
}

#[tokio::test]
async fn tokens_die_by_the_universe_s_clock() {
    let google = Google::acme();
    let token = google.token(DRIVE, None);
    let left = |wanted: Option<&str>| {
        let got = google.send(call(&format!("GET /tokeninfo?access_token={token}")));
        assert_eq!(got.body.get("expires_in").and_then(Value::as_str), wanted, "{}", got.body);
    };
    left(Some("3599"));
    google.office.universe.advance(Duration::from_secs(3_598)).await;
    left(Some("1"));
    google.office.universe.advance(Duration::from_secs(1)).await;
    left(None);
    assert_eq!(google.show(&google.sign(&google.claims())).reply.status, 200, "the universe's now is what counts");
}

#[test]
fn faults_take_the_endpoint_s_shape() {
    let google = Google::over(Office::with(vec![host(Identity)], &options()));
    let arm = |effect: Value| {
        let on = json!({ "twin": "google-identity", "operation": "oauth2.token" });
        let rule = serde_json::from_value(json!({ "id": "f", "on": on, "do": effect })).expect("is a rule");
        google.office.universe.disarm(None);
        google.office.universe.arm(&[rule]).expect("arms");
    };
    let check = |status: u16, error: &str| {
        let got = google.show(&google.sign(&google.claims()));
        assert_eq!((got.reply.status.as_u16(), got.text("/error")), (status, error), "{}", got.body);
    };
    for (effect, status, error) in [
        (json!({ "error": {} }), 500, "internal_failure"),
        (json!({ "error": { "status": 503 } }), 503, "temporarily_unavailable"),
        (json!({ "error": { "code": "admin_policy_enforced" } }), 400, "admin_policy_enforced"),
        (json!({ "error": { "code": "server_error" } }), 500, "server_error"),
        (json!({ "rate_limited": { "retry_after": "30s" } }), 429, "rate_limit_exceeded"),
        (json!({ "revoked": {} }), 400, "invalid_grant"),
    ] {
        arm(effect);
        check(status, error);
    }
}
