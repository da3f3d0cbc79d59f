//! OAuth clients: refresh tokens, and how clients show who they are.

use dtu_google_workspace::testing::{Call, call};
use serde_json::json;

use crate::{
    support::{DRIVE, Google},
    worlds::tiny,
};

const SECTION: &str = "google-identity:
  clients:
    - {id: one.apps.googleusercontent.com, secret: GOCSPX-fake one}
    - {id: two.apps.googleusercontent.com, secret: GOCSPX-fake-two}
  refresh_tokens:
    - {value: 1//ann, owner: ann}
    - {value: 1//bob, owner: bob, scopes: ['https://www.googleapis.com/auth/drive', openid]}
    - {value: 1//cid, owner: cid}
    - {value: 1//two, owner: ann, client: two.apps.googleusercontent.com}
";
const ONE: (&str, &str) = ("client_id", "one.apps.googleusercontent.com");
const SECRET: (&str, &str) = ("client_secret", "GOCSPX-fake one");
const GRANT: (&str, &str) = ("grant_type", "refresh_token");

fn google() -> Google {
    Google::over(tiny(SECTION).expect("is a good world"))
}

fn ask(pairs: &[(&str, &str)]) -> Call {
    call("POST /token").form(pairs)
}

#[test]
fn a_refresh_token_gets_access_tokens() {
    let google = google();
    let got = google.send(ask(&[GRANT, ONE, SECRET, ("refresh_token", "1//bob")]));
    let names: Vec<&String> = got.body.as_object().expect("is an object").keys().collect();
    assert_eq!(names, ["access_token", "expires_in", "scope", "token_type", "id_token"]);
    assert_eq!(got.text("/scope"), format!("{DRIVE} openid"));
    assert!(got.text("/access_token").starts_with("ya29.dtu"), "{}", got.body);
    let fewer = google.send(ask(&[GRANT, ONE, SECRET, ("refresh_token", "1//bob"), ("scope", DRIVE)]));
    assert_eq!((fewer.text("/scope"), fewer.body.get("id_token")), (DRIVE, None));
    let info = google.send(call(&format!("GET /tokeninfo?access_token={}", fewer.text("/access_token"))));
    assert_eq!((info.text("/azp"), info.text("/access_type")), (ONE.1, "offline"));
}

#[test]
fn clients_show_themselves_by_form_or_header() {
    let google = google();
    let header = |id_and_secret: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let value = format!("Basic {}", STANDARD.encode(id_and_secret));
        ask(&[GRANT, ("refresh_token", "1//ann")]).header("authorization", &value)
    };
    let good = google.send(header("one.apps.googleusercontent.com:GOCSPX-fake%20one"));
    assert_eq!(good.reply.status, 200, "{}", good.body);
    google.refuse(header("one.apps.googleusercontent.com:wrong"), 401, "invalid_client", "Unauthorized");
    google.refuse(header("other:wrong"), 401, "invalid_client", "The OAuth client was not found.");
}

#[test]
fn what_is_wrong_with_a_refresh_is_told() {
    let google = google();
    let check = |pairs: &[(&str, &str)], status: u16, error: &str, description: &str| {
        google.refuse(ask(pairs), status, error, description);
    };
    let token = ("refresh_token", "1//ann");
    check(&[GRANT, token], 400, "invalid_request", "Could not determine client ID from request.");
    check(&[GRANT, ONE, token], 400, "invalid_request", "client_secret is missing.");
    check(&[GRANT, ("client_id", "x"), SECRET, token], 401, "invalid_client", "The OAuth client was not found.");
    check(&[GRANT, ONE, ("client_secret", "x"), token], 401, "invalid_client", "Unauthorized");
    check(&[GRANT, ONE, SECRET], 400, "invalid_request", "Missing required parameter: refresh_token");
    check(&[GRANT, ONE, SECRET, ("refresh_token", "1//x")], 400, "invalid_grant", "Bad Request");
    let unauthorized = "Client is unauthorized to retrieve access tokens using this method, or client not authorized \
                        for any of the scopes requested.";
    check(&[GRANT, ONE, SECRET, ("refresh_token", "1//two")], 401, "unauthorized_client", unauthorized);
    let dead = "Token has been expired or revoked.";
    check(&[GRANT, ONE, SECRET, ("refresh_token", "1//cid")], 400, "invalid_grant", dead);
    let more = ("scope", "https://www.googleapis.com/auth/documents");
    let scope = "Invalid OAuth scope or ID token audience provided.";
    check(&[GRANT, ONE, SECRET, ("refresh_token", "1//bob"), more], 400, "invalid_scope", scope);
}

#[test]
fn codes_are_a_gap() {
    let google = google();
    for grant in ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"] {
        let pairs = [("grant_type", grant), ONE, SECRET, ("code", "4/x")];
        let got = google.refuse(ask(&pairs), 400, "invalid_grant", "Bad Request");
        assert!(got.reply.gap);
    }
    assert!(!google.send(ask(&[("grant_type", "password")])).reply.gap, "a caller's mistake is none");
}

#[test]
fn revoking_an_access_token_takes_its_refresh_token_along() {
    let google = google();
    let refresh = || google.send(ask(&[GRANT, ONE, SECRET, ("refresh_token", "1//ann")]));
    let access = refresh().text("/access_token").to_owned();
    let got = google.send(call("POST /revoke").form(&[("token", &access)]));
    assert_eq!((got.reply.status.as_u16(), &got.body), (200, &json!({})));
    assert_eq!(refresh().text("/error_description"), "Token has been expired or revoked.");
    for again in ["POST /revoke?token=", "GET /o/oauth2/revoke?token="] {
        let call = call(&format!("{again}{access}"));
        google.refuse(call, 400, "invalid_token", "Token expired or revoked");
    }
    google.refuse(call("POST /revoke"), 400, "invalid_request", "Missing required parameter: token");
}
