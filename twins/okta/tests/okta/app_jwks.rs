//! Public keys, secrets and pictures of apps.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{Org, call};

fn key(kid: &str) -> Value {
    json!({ "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([7; 256]) })
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

/// An OAuth client, by its path.
fn client(org: &Org, method: &str) -> String {
    let mut body = json!({
        "label": "Client", "signOnMode": "OPENID_CONNECT",
        "credentials": { "oauthClient": { "token_endpoint_auth_method": method } },
        "settings": { "oauthClient": { "grant_types": ["client_credentials"], "application_type": "service" } },
    });
    if method == "private_key_jwt" {
        body["settings"]["oauthClient"]["jwks"] = json!({ "keys": [key("first")] });
    }
    format!("/api/v1/apps/{}", org.post("/api/v1/apps", &body).text("/id"))
}

fn post(path: &str, what: &str, body: &Value) -> crate::support::Call {
    call(&format!("POST {path}/credentials/{what}")).json(body)
}

#[test]
fn keys_are_added_switched_off_and_removed() {
    let org = Org::acme();
    let app = client(&org, "client_secret_basic");
    assert_eq!(org.get(&format!("{app}/credentials/jwks")).body, json!([]));
    let added = org.check(post(&app, "jwks", &key("one")), 201);
    let own = format!("{app}/credentials/jwks/{}", added.text("/id"));
    assert!(added.text("/id").starts_with("pks"), "{}", added.body);
    assert_eq!((added.text("/kid"), added.text("/status")), ("one", "ACTIVE"));
    assert!(added.body["_links"]["deactivate"].is_object());
    assert_eq!(org.get(&own).body, added.body);
    assert_eq!(org.get(&app).body["settings"]["oauthClient"]["jwks"]["keys"], json!([key("one")]));
    let deleted = call(&format!("DELETE {own}"));
    let active = "You can't delete an active JSON Web Key. Deactivate the key before deleting it.";
    org.refuse(deleted.clone(), 400, "E0000001", &[active]);
    let off = org.check(call(&format!("POST {own}/lifecycle/deactivate")), 200);
    assert_eq!(off.text("/status"), "INACTIVE");
    assert!(off.body["_links"]["activate"].is_object() && off.body["_links"]["delete"].is_object());
    org.check(call(&format!("POST {own}/lifecycle/activate")), 200);
    org.check(call(&format!("POST {own}/lifecycle/deactivate")), 200);
    org.check(deleted.clone(), 204);
    org.refuse(deleted, 404, "E0000007", &[]);
    assert_eq!(org.get(&app).body["settings"]["oauthClient"].get("jwks"), None);
}

#[test]
fn bad_keys_are_refused() {
    let org = Org::acme();
    let app = client(&org, "client_secret_basic");
    let check = |key: &Value, cause: &str| org.refuse(post(&app, "jwks", key), 400, "E0000001", &[cause]);
    let short = "RSA key length in the 'jwks' is less than '2,048' bits for the given key.";
    check(&with(key("one"), "n", json!(URL_SAFE_NO_PAD.encode([7; 128]))), short);
    check(&json!({ "kid": "one", "kty": "RSA", "use": "sig", "status": "ACTIVE" }), short);
    org.check(post(&app, "jwks", &key("one")), 201);
    check(&key("one"), "All keys in the 'jwks' must have a unique `kid`.");
    let other = json!(URL_SAFE_NO_PAD.encode([9; 256]));
    let nameless = with(with(key("one"), "kid", Value::Null), "n", other);
    assert_eq!(org.check(post(&app, "jwks", &nameless), 400).causes().len(), 1);
    org.check(post(&app, "jwks", &with(key("enc"), "use", json!("enc"))), 201);
    let second = with(key("enc 2"), "use", json!("enc"));
    check(&second, "The client can have only one active encryption key in the 'jwks'.");
    let idle = org.check(post(&app, "jwks", &with(second, "status", json!("INACTIVE"))), 201);
    let on = org.check(post(&app, &format!("jwks/{}/lifecycle/activate", idle.text("/id")), &json!({})), 200);
    assert_eq!((on.text("/status"), on.body.get("_links")), ("ACTIVE", None));
    let statuses = org.get(&format!("{app}/credentials/jwks")).column("/status");
    assert_eq!(statuses, ["ACTIVE", "INACTIVE", "ACTIVE"]);
    let off = post(&app, &format!("jwks/{}/lifecycle/deactivate", idle.text("/id")), &json!({}));
    org.refuse(off, 400, "E0000001", &["You can't deactivate the active encryption key."]);
    let bookmark = org.post(
        "/api/v1/apps",
        &json!({ "name": "bookmark", "label": "B", "signOnMode": "BOOKMARK", "settings": { "app": { "url": "https://b.example/" } } }),
    );
    let other = format!("/api/v1/apps/{}", bookmark.text("/id"));
    assert_eq!(org.check(post(&other, "jwks", &key("one")), 400).text("/errorCode"), "E0000001");
}

#[test]
fn a_client_keeps_the_key_that_it_signs_with() {
    let org = Org::acme();
    let app = client(&org, "private_key_jwt");
    let keys = org.get(&format!("{app}/credentials/jwks"));
    assert_eq!(keys.column("/kid"), ["first"]);
    let off = post(&app, &format!("jwks/{}/lifecycle/deactivate", keys.text("/0/id")), &json!({}));
    assert_eq!(org.check(off.clone(), 400).text("/errorCode"), "E0000001");
    org.check(post(&app, "jwks", &with(key("second"), "n", json!(URL_SAFE_NO_PAD.encode([9; 256])))), 201);
    org.check(off, 200);
}

#[test]
fn secrets_have_their_lengths() {
    let org = Org::acme();
    let check = |method: &str, secret: &str, cause: &str| {
        let app = client(&org, method);
        let got = org.check(post(&app, "secrets", &json!({ "client_secret": secret })), 400);
        assert_eq!(got.causes(), [cause], "{secret}");
    };
    let basic = "client_secret_basic";
    check(basic, "short", "client_secret: 'client_secret' must be at least '14' characters long.");
    check(basic, &"x".repeat(101), "client_secret: 'client_secret' can't be more than '100' characters long.");
    check(
        basic,
        "not plain \u{e9}\u{e9}\u{e9}\u{e9}\u{e9}",
        "client_secret: 'client_secret' must only contain printable ASCII: [x20-x7E]+",
    );
    check(
        "client_secret_jwt",
        &"x".repeat(20),
        "client_secret: 'client_secret' must be at least '32' characters long when 'token_endpoint_auth_method' is \
         'client_secret_jwt'.",
    );
    check(
        "private_key_jwt",
        &"x".repeat(20),
        "'client_secret' can't be used when 'token_endpoint_auth_method' is 'private_key_jwt'.",
    );
}

#[test]
fn apps_get_pictures() {
    let org = Org::acme();
    let app = client(&org, "client_secret_basic");
    let form = |content: &str| {
        let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.svg\"\r\n\r\n";
        call(&format!("POST {app}/logo"))
            .raw("multipart/form-data; boundary=b", &format!("{head}{content}\r\n--b--\r\n"))
    };
    let before = org.get(&app).body["_links"]["logo"].clone();
    org.check(form("<svg/>"), 201);
    let after = org.get(&app).body["_links"]["logo"].clone();
    assert_ne!(before, after);
    for content in ["", "no picture", &format!("<svg>{}", "x".repeat(1 << 20))] {
        assert_eq!(org.check(form(content), 400).text("/errorCode"), "E0000001");
    }
    org.check(call(&format!("POST {app}/logo")).json(&json!({})), 400);
    assert_eq!(org.get(&app).body["_links"]["logo"], after);
}

#[test]
fn tokens_are_renamed_and_bound_to_zones() {
    let org = Org::acme();
    let tokens = org.get("/api/v1/api-tokens");
    let token = format!("/api/v1/api-tokens/{}", tokens.text("/0/id"));
    let put = |body: &Value| call(&format!("PUT {token}")).json(body);
    let zone = org.get("/api/v1/zones").text("/0/id").to_owned();
    let network = json!({ "connection": "ZONE", "include": [zone] });
    let got = org.check(put(&json!({ "name": "renamed", "network": network })), 200);
    assert_eq!((got.text("/name"), &got.body["network"]), ("renamed", &network));
    assert_eq!(org.get(&token).body["network"], network);
    let unknown = json!({ "network": { "connection": "ZONE", "include": ["nzo00000000000000000"] } });
    org.refuse(put(&unknown), 404, "E0000007", &[]);
    for bad in [json!({ "name": " " }), json!({ "userId": "00u" }), json!({ "network": { "connection": "X" } })] {
        assert_eq!(org.check(put(&bad), 400).text("/errorCode"), "E0000001", "{bad}");
    }
    let gone = call("PUT /api/v1/api-tokens/00T00000000000000000").json(&json!({ "name": "x" }));
    org.refuse(gone, 404, "E0000007", &[]);
}
