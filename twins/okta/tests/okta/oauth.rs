//! OAuth 2.0 and `OpenID` Connect, as clients, people and APIs see them.

use std::{sync::LazyLock, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::{universe::Options, world::World};
use dtu_okta::oauth::{jwt::digest, keys};
use form_urlencoded::Serializer;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode, jwk::Jwk};
use serde_json::{Map, Value, json};

use crate::support::{Call, Got, ORIGIN, Org, call, options};

/// Clients of each kind, and a custom server with a scope of its own.
const ROWS: &str = r#"
  password: "Correct-horse-1"
  oauth_clients:
    - {key: bot, name: Bot, type: service, client_id: bot, scopes: [okta.users.read, okta.groups.read, okta.groups.manage]}
    - {key: bound, name: Bound, type: service, client_id: bound, scopes: [okta.users.read], dpop: true}
    - key: web
      name: Web
      type: web
      client_id: web
      secret: web-secret
      grants: [authorization_code, refresh_token, password, client_credentials, implicit]
      responses: [code, token, id_token]
      redirect_uris: ["https://web.example/cb"]
      logout_uris: ["https://web.example/bye"]
      rotate: true
    - {key: spa, name: Spa, type: browser, client_id: spa, redirect_uris: ["https://spa.example/cb"], rotate: false}
    - key: tv
      name: Tv
      type: native
      client_id: tv
      redirect_uris: ["http://127.0.0.1/cb"]
      grants: ["urn:ietf:params:oauth:grant-type:device_code", refresh_token]
    - {key: hmac, name: Hmac, type: web, client_id: hmac, auth_method: client_secret_jwt, secret: a-secret-of-thirty-two-characters, grants: [client_credentials], redirect_uris: []}
  authorization_servers:
    - {name: orders, id: ausorders, audiences: ["api://orders"], scopes: [orders.read, orders.write]}
"#;

const PASSWORD: &str = "Correct-horse-1";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

static CLIENT_KEY: LazyLock<EncodingKey> =
    LazyLock::new(|| EncodingKey::from_rsa_pem(keys::client_pem().as_bytes()).expect("is a key"));

fn org() -> Org {
    org_with(&options())
}

fn org_with(options: &Options) -> Org {
    let text = include_str!("../../../../fixtures/worlds/acme.yaml");
    let (rows, servers) = ROWS.split_once("  authorization_servers:").expect("has servers");
    let text = text.replacen("\n  oauth_clients:\n", &format!("\n  authorization_servers:{servers}{}", &rows[1..]), 1);
    let sections = ["okta", "slack", "jira", "google"];
    Org::of(World::parse("acme.yaml", &text, &sections).expect("is a good world"), options)
}

/// A call that sends a form and shows nothing else.
fn form(target: &str, fields: &[(&str, &str)]) -> Call {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    call(&format!("POST {target}")).anonymous().raw("application/x-www-form-urlencoded", &body)
}

/// A call of the web client.
fn web(target: &str, fields: &[(&str, &str)]) -> Call {
    form(target, fields).header("authorization", &format!("Basic {}", STANDARD.encode("web:web-secret")))
}

fn query(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// An assertion of a client, with some claims of its own; null takes one away.
fn assertion(org: &Org, client: &str, own: Value) -> String {
    let now = org.universe.now().as_secs();
    let mut claims = json!({
        "iss": client, "sub": client, "aud": format!("{ORIGIN}/oauth2/v1/token"), "iat": now, "exp": now + 300,
    });
    for (name, value) in own.as_object().expect("is an object").clone() {
        claims[name] = value;
    }
    let claims: Map<String, Value> =
        claims.as_object().expect("is an object").clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
    let header = Header { kid: Some(keys::CLIENT_KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
    encode(&header, &claims, &CLIENT_KEY).expect("signs")
}

fn service(org: &Org, client: &str, scope: &str) -> Call {
    let jwt = assertion(org, client, json!({}));
    service_with(scope, &jwt)
}

fn service_with(scope: &str, jwt: &str) -> Call {
    form(
        "/oauth2/v1/token",
        &[
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", jwt),
        ],
    )
}

/// Lets time pass.
fn wait(org: &Org, seconds: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("starts");
    runtime.block_on(org.universe.advance(Duration::from_secs(seconds)));
}

/// What a token claims, its signature checked against the keys that its server publishes.
#[track_caller]
fn verified(org: &Org, keys_at: &str, token: &str) -> Value {
    let head = decode_header(token).expect("has a head");
    let set = org.check(call(&format!("GET {keys_at}")).anonymous(), 200).body;
    let kid = head.kid.expect("names its key");
    let key = set["keys"].as_array().expect("is a list").iter().find(|key| key["kid"] == kid.as_str());
    let jwk: Jwk = serde_json::from_value(key.expect("is published").clone()).expect("is a key");
    let mut validation = Validation::new(Algorithm::RS256);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let key = DecodingKey::from_jwk(&jwk).expect("is a public key");
    decode::<Value>(token, &key, &validation).expect("is signed").claims
}

#[track_caller]
fn refuse(org: &Org, call: Call, status: u16, error: &str, words: &str) -> Got {
    let got = org.check(call, status);
    assert_eq!((got.text("/error"), got.text("/error_description")), (error, words), "{}", got.body);
    got
}

/// Where a call sends the browser: the address without its query or fragment, and the fields there.
#[track_caller]
fn sent(got: &Got) -> (String, Map<String, Value>) {
    assert_eq!(got.status, 302, "{}", got.body);
    fields(got.header("location"))
}

fn fields(address: &str) -> (String, Map<String, Value>) {
    let (address, rest) = address.split_once(['?', '#']).unwrap_or((address, ""));
    let pairs = form_urlencoded::parse(rest.as_bytes()).map(|(name, value)| (name.into_owned(), Value::from(value)));
    (address.to_owned(), pairs.collect())
}

/// The redirect of somebody who signs in to a client, by the affordance.
#[track_caller]
fn signed_in(org: &Org, path: &str, asked: &[(&str, &str)]) -> Map<String, Value> {
    let address = format!("{ORIGIN}{path}?{}", query(asked));
    let done = org.perform("okta.user.sign_in", "lena", &json!({ "authorize": address })).expect("signs in");
    fields(done["redirect"].as_str().expect("is an address")).1
}

const ASKED: [(&str, &str); 6] = [
    ("client_id", "web"),
    ("redirect_uri", "https://web.example/cb"),
    ("response_type", "code"),
    ("scope", "openid profile email groups offline_access"),
    ("state", "s1"),
    ("nonce", "n1"),
];

/// The request with some parameters changed; an empty one is left out.
fn asked<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let changed = |name: &str| changes.iter().any(|(own, _)| *own == name);
    let kept = ASKED.into_iter().filter(|(name, _)| !changed(name));
    kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty()).collect()
}

/// The tokens of a whole sign-in.
#[track_caller]
fn tokens(org: &Org, server: &str, scope: &str) -> Got {
    let back = signed_in(org, &format!("{server}/v1/authorize"), &asked(&[("scope", scope)]));
    let code = back["code"].as_str().expect("has a code").to_owned();
    let redirect = ("redirect_uri", "https://web.example/cb");
    org.check(
        web(&format!("{server}/v1/token"), &[("grant_type", "authorization_code"), ("code", &code), redirect]),
        200,
    )
}

fn authorized(line: &str, scheme: &str, token: &str) -> Call {
    call(line).header("authorization", &format!("{scheme} {token}"))
}

#[test]
fn a_service_app_gets_a_token_for_the_org_s_api() {
    let org = org();
    let got = org.check(service(&org, "bot", "okta.users.read okta.groups.read"), 200);
    assert_eq!((got.text("/token_type"), &got.body["expires_in"]), ("Bearer", &json!(3_600)));
    assert_eq!(got.text("/scope"), "okta.users.read okta.groups.read");
    let token = got.text("/access_token");
    assert_eq!(decode_header(token).expect("has a head").typ.as_deref(), Some("application/okta-internal-at+jwt"));
    let claims = verified(&org, "/oauth2/v1/keys", token);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ORIGIN), &json!(ORIGIN)));
    assert_eq!((&claims["cid"], &claims["sub"], &claims["ver"]), (&json!("bot"), &json!("bot"), &json!(1)));
    assert_eq!(claims["scp"], json!(["okta.users.read", "okta.groups.read"]));
    assert!(claims["jti"].as_str().expect("is text").starts_with("AT.") && claims.get("uid").is_none());
    assert_eq!(org.check(authorized("GET /api/v1/users?limit=2", "Bearer", token), 200).column("/id").len(), 2);
    let refused = org.check(authorized("POST /api/v1/users", "Bearer", token).json(&json!({})), 403);
    assert!(refused.body.is_null(), "why stands in the header alone");
    let header = refused.header("www-authenticate");
    assert!(
        header.contains("error=\"insufficient_scope\"") && header.contains("scope=\"okta.users.manage\""),
        "{header}"
    );
    let event = org.view("log").as_array().expect("is a list").last().cloned().expect("is an entry");
    assert_eq!(event["eventType"], "app.oauth2.token.grant.access_token");
}

#[test]
fn what_a_service_app_does_is_logged_as_the_app_s() {
    let org = org();
    let token = org.check(service(&org, "bot", "okta.groups.manage okta.users.read"), 200);
    let token = token.text("/access_token");
    let member = format!("PUT /api/v1/groups/{}/users/{}", org.group("figma-admin"), org.id("lena.fischer"));
    org.check(authorized(&member, "Bearer", token), 204);
    let entry = org.get("/api/v1/logs?filter=eventType+eq+%22group.user_membership.add%22");
    assert_eq!((entry.text("/0/actor/type"), entry.text("/0/actor/id")), ("PublicClientApp", "bot"));
    let grant = org.get("/api/v1/logs?filter=eventType+eq+%22app.oauth2.token.grant.access_token%22");
    assert_eq!(grant.text("/0/actor/id"), "bot");
    org.check(authorized("GET /api/v1/users/me", "Bearer", token), 404);
}

#[test]
fn assertions_are_checked() {
    let org = org();
    let now = org.universe.now().as_secs();
    let check = |own: Value, words: &str| {
        let jwt = assertion(&org, "bot", own);
        refuse(&org, service_with("okta.users.read", &jwt), 401, "invalid_client", words);
    };
    check(json!({ "iss": "nobody" }), "The issuer claim for client_assertion is not a valid client_id.");
    check(json!({ "iss": null }), "The issuer claim for client_assertion is not a valid client_id.");
    check(json!({ "sub": "web" }), "The subject claim for client_assertion is not a valid client_id.");
    let audience = "The audience claim for client_assertion must be the endpoint invoked for the request.";
    check(json!({ "aud": ORIGIN }), audience);
    check(json!({ "aud": null }), audience);
    check(json!({ "aud": "https://elsewhere.example/oauth2/v1/token" }), audience);
    check(json!({ "exp": null }), "The client_assertion must contain the 'exp' claim as seconds since epoch.");
    check(json!({ "exp": now - 1 }), "The client_assertion token is expired.");
    check(json!({ "exp": now + 3_601 }), "The client_assertion token has an expiration too far into the future.");
    check(json!({ "iat": now + 600 }), "The client_assertion token must be issued before the current time.");
    let unreadable = service_with("okta.users.read", "a.b");
    refuse(&org, unreadable, 401, "invalid_client", "The parsing of the client_assertion failed.");
    let good = assertion(&org, "bot", json!({}));
    let (body, _) = good.rsplit_once('.').expect("has three parts");
    let forged = service_with("okta.users.read", &format!("{body}.{}", "A".repeat(342)));
    refuse(&org, forged, 401, "invalid_client", "The client_assertion signature is invalid.");
    let once = assertion(&org, "bot", json!({ "jti": "j1" }));
    org.check(service_with("okta.users.read", &once), 200);
    let used = "The client_assertion token has already been used.";
    refuse(&org, service_with("okta.users.read", &once), 401, "invalid_client", used);
    let claims =
        json!({ "iss": "hmac", "sub": "hmac", "aud": format!("{ORIGIN}/oauth2/default/v1/token"), "exp": now + 60 });
    let key = EncodingKey::from_secret(b"a-secret-of-thirty-two-characters");
    let by_secret = encode(&Header::new(Algorithm::HS256), &claims, &key).expect("signs");
    let fields = [("grant_type", "client_credentials"), ("client_assertion_type", JWT_BEARER)];
    let hmac = |target: &str| form(target, &[fields[0], fields[1], ("client_assertion", &by_secret)]);
    refuse(
        &org,
        hmac("/oauth2/default/v1/token"),
        400,
        "invalid_scope",
        "The authorization server resource does not have any configured default scopes, 'scope' must be provided.",
    );
}

#[test]
fn clients_that_are_not_believed() {
    let org = org();
    let check = |call: Call, status: u16, error: &str, words: &str| {
        refuse(&org, call, status, error, words);
    };
    let token = "/oauth2/v1/token";
    let grant = ("grant_type", "client_credentials");
    check(form(token, &[grant]), 401, "invalid_client", "No client credentials found.");
    check(
        form(token, &[grant, ("client_id", "nope")]),
        401,
        "invalid_client",
        "Invalid value for 'client_id' parameter.",
    );
    let failed = "Client authentication failed. Either the client or the client credentials are invalid.";
    check(form(token, &[grant, ("client_id", "web")]), 401, "invalid_client", failed);
    check(form(token, &[grant, ("client_id", "bot"), ("client_secret", "x")]), 401, "invalid_client", failed);
    let wrong = "The client secret supplied for a confidential client is invalid.";
    check(form(token, &[grant, ("client_id", "web"), ("client_secret", "x")]), 401, "invalid_client", wrong);
    let both = "Cannot supply multiple client credentials. Use one of the following: credentials in the Authorization \
                header, credentials in the post body, or a client_assertion in the post body.";
    check(web(token, &[grant, ("client_secret", "web-secret")]), 401, "invalid_request", both);
    let malformed = form(token, &[grant]).header("authorization", "Basic !!!");
    let words = "Found Authentication header but was not valid client credentials.";
    check(malformed, 401, "invalid_client", words);
    let kind = form(token, &[grant, ("client_assertion", "x"), ("client_assertion_type", "y")]);
    check(kind, 400, "invalid_request", "The client_assertion_type is invalid.");
    let query = "Client credentials cannot be supplied via query parameters.";
    check(form("/oauth2/v1/token?client_secret=x", &[grant]), 400, "invalid_request", query);
    let org_only = "Only clients with 'application_type' of 'service' may use the client_credentials 'grant_type' with \
                    the Org Authorization Server.";
    check(web(token, &[grant, ("scope", "okta.users.read")]), 401, "invalid_client", org_only);
    let text = call("POST /oauth2/v1/token").anonymous().json(&json!({ "grant_type": "client_credentials" }));
    org.refuse(text, 400, "E0000021", &[]);
    org.refuse(form("/oauth2/nowhere/v1/token", &[grant]), 404, "E0000007", &[]);
}

#[test]
fn grants_and_scopes_that_are_refused() {
    let org = org();
    let custom = "/oauth2/ausorders/v1/token";
    let check = |call: Call, error: &str, words: &str| {
        let got = org.check(call, 400);
        assert_eq!(got.text("/error"), error, "{}", got.body);
        assert!(got.text("/error_description").starts_with(words), "{}", got.body);
    };
    check(web(custom, &[]), "invalid_request", "The token request must specify a 'grant_type'. Valid values: [");
    check(
        web(custom, &[("grant_type", "magic")]),
        "unsupported_grant_type",
        "The authorization grant type is not supp",
    );
    check(
        web(custom, &[("grant_type", DEVICE)]),
        "unauthorized_client",
        "The client is not authorized to use the prov",
    );
    let scoped = |scope: &str| web(custom, &[("grant_type", "client_credentials"), ("scope", scope)]);
    check(scoped("orders.delete"), "invalid_scope", "One or more scopes are not configured");
    check(scoped("openid"), "invalid_scope", "Cannot request 'openid' scopes using client credentials.");
    check(scoped("okta.users.read"), "invalid_scope", "One or more scopes are not configured");
    check(service(&org, "bot", "okta.apps.manage"), "consent_required", "You are not allowed any of the requested");
    check(service(&org, "bot", ""), "invalid_scope", "No scopes were requested.");
    let got = org.check(service(&org, "bot", "okta.apps.manage okta.users.read"), 200);
    assert_eq!(got.text("/scope"), "okta.users.read", "what was granted of it");
    let got = org.check(scoped("orders.read"), 200);
    let claims = verified(&org, "/oauth2/ausorders/v1/keys", got.text("/access_token"));
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!(format!("{ORIGIN}/oauth2/ausorders")), &json!("api://orders"))
    );
    let foreign = org.check(authorized("GET /api/v1/users", "Bearer", got.text("/access_token")), 401);
    assert_eq!(foreign.text("/errorCode"), "E0000011");
    assert!(foreign.header("www-authenticate").contains("invalid issuer"));
}

/// A proof of the client's test key.
fn proof(org: &Org, own: Value) -> String {
    let mut claims = json!({
        "htm": "POST", "htu": format!("{ORIGIN}/oauth2/v1/token"), "iat": org.universe.now().as_secs(), "jti": "p",
    });
    for (name, value) in own.as_object().expect("is an object").clone() {
        claims[name] = value;
    }
    let jwk: Jwk = serde_json::from_value(keys::client_key()).expect("is a key");
    let header = Header { typ: Some("dpop+jwt".to_owned()), jwk: Some(jwk), ..Header::new(Algorithm::RS256) };
    encode(&header, &claims, &CLIENT_KEY).expect("signs")
}

#[test]
fn a_bound_client_proves_its_key() {
    let org = org();
    let with = |proof: &str| service(&org, "bound", "okta.users.read").header("dpop", proof);
    let missing = service(&org, "bound", "okta.users.read");
    refuse(&org, missing, 400, "invalid_dpop_proof", "The DPoP proof JWT header is missing.");
    let nonce_words = "Authorization server requires nonce in DPoP proof.";
    let got = refuse(&org, with(&proof(&org, json!({}))), 400, "use_dpop_nonce", nonce_words);
    let nonce = got.header("dpop-nonce").to_owned();
    assert!(!nonce.is_empty());
    let now = org.universe.now().as_secs();
    for (own, words) in [
        (json!({ "htm": "GET" }), "'htm' claim in the DPoP proof JWT is invalid."),
        (json!({ "htu": ORIGIN }), "'htu' claim in the DPoP proof JWT is invalid."),
        (json!({ "iat": null }), "'iat' claim in the DPoP proof JWT is invalid."),
        (json!({ "iat": now + 900 }), "The DPoP proof JWT is issued in the future."),
        (json!({ "iat": now - 301 }), "The DPoP proof JWT is issued more than five minutes in the past."),
        (json!({ "jti": "" }), "'jti' claim in the DPoP proof JWT is invalid."),
    ] {
        refuse(&org, with(&proof(&org, own)), 400, "invalid_dpop_proof", words);
    }
    refuse(&org, with("a.b"), 400, "invalid_dpop_proof", "The DPoP proof JWT cannot be parsed.");
    let untyped = assertion(&org, "bound", json!({}));
    refuse(&org, with(&untyped), 400, "invalid_dpop_proof", "'typ' must be 'dpop+jwt' in the DPoP proof JWT.");
    let good = proof(&org, json!({ "nonce": nonce }));
    let got = org.check(with(&good), 200);
    assert_eq!((got.text("/token_type"), got.header("dpop-nonce")), ("DPoP", &*nonce));
    refuse(&org, with(&good), 400, "invalid_dpop_proof", "The DPoP proof JWT has already been used.");
    let token = got.text("/access_token");
    let thumbprint = dtu_okta::oauth::jwt::thumbprint(&keys::client_key()).expect("is a key");
    assert_eq!(verified(&org, "/oauth2/v1/keys", token)["cnf"]["jkt"], thumbprint.as_str());
    let at = |own: Value| {
        let mut claims =
            json!({ "htm": "GET", "htu": format!("{ORIGIN}/api/v1/users"), "ath": digest(token), "jti": "r" });
        own.as_object().expect("is an object").iter().for_each(|(name, value)| claims[name] = value.clone());
        authorized("GET /api/v1/users?limit=1", "DPoP", token).header("dpop", &proof(&org, claims))
    };
    org.check(at(json!({})), 200);
    let words = "'ath' claim in the DPoP proof does not match the presented access_token.";
    refuse(&org, at(json!({ "ath": "x" })), 400, "invalid_dpop_proof", words);
    refuse(
        &org,
        at(json!({ "htm": "POST" })),
        400,
        "invalid_dpop_proof",
        "'htm' claim in the DPoP proof JWT is invalid.",
    );
    let plain = authorized("GET /api/v1/users", "Bearer", token);
    let words = "The resource request must use the DPoP authentication scheme when using a DPoP bound token.";
    refuse(&org, plain, 400, "invalid_request", words);
    let unproved = authorized("GET /api/v1/users", "DPoP", token);
    refuse(&org, unproved, 400, "invalid_request", "The resource request requires a DPoP proof.");
    let unasked = service(&org, "bot", "okta.users.read").header("dpop", &proof(&org, json!({})));
    assert_eq!(org.check(unasked, 200).text("/token_type"), "Bearer", "a proof that nobody asked for");
}

#[test]
fn somebody_signs_in_with_a_code() {
    let org = org();
    for (server, issuer) in [("/oauth2", ORIGIN.to_owned()), ("/oauth2/default", format!("{ORIGIN}/oauth2/default"))] {
        let scope = if server == "/oauth2" {
            "openid profile email groups offline_access"
        } else {
            "openid profile email offline_access"
        };
        let got = tokens(&org, server, scope);
        let access = verified(&org, &format!("{server}/v1/keys"), got.text("/access_token"));
        let id = verified(&org, &format!("{server}/v1/keys"), got.text("/id_token"));
        let lena = org.id("lena.fischer");
        assert_eq!((&access["iss"], &access["uid"]), (&json!(issuer), &json!(lena)));
        assert_eq!(access["sub"].as_str().map(|sub| sub.contains("@acme")), Some(true), "{access}");
        assert_eq!((&id["iss"], &id["aud"], &id["sub"]), (&json!(issuer), &json!("web"), &json!(lena)));
        assert_eq!((&id["nonce"], &id["amr"]), (&json!("n1"), &json!(["pwd"])));
        assert_eq!(id["at_hash"], dtu_okta::oauth::jwt::half_digest(got.text("/access_token")));
        assert_eq!(id["name"], "Lena Fischer");
        assert_eq!(id["groups"].is_array(), server == "/oauth2");
        assert!(id.get("given_name").is_none(), "the rest is at the userinfo endpoint");
        let info = authorized(&format!("GET {server}/v1/userinfo"), "Bearer", got.text("/access_token"));
        let info = org.check(info, 200);
        assert_eq!(
            (info.text("/given_name"), info.text("/sub"), &info.body["email_verified"]),
            ("Lena", &*lena, &json!(true))
        );
    }
}

#[test]
fn requests_to_sign_in_that_cannot_be_sent_back_are_shown() {
    let org = org();
    let check = |changes: &[(&str, &str)], words: &str| {
        let got = org.check(call(&format!("GET /oauth2/v1/authorize?{}", query(&asked(changes)))).anonymous(), 400);
        assert!(got.header("content-type").starts_with("text/html"));
        assert!(got.body.as_str().is_some_and(|page| page.contains(words)), "{}", got.body);
    };
    check(&[("client_id", "")], "client_id");
    check(&[("client_id", "nope")], "client_id");
    check(&[("redirect_uri", "")], "redirect_uri");
    check(&[("redirect_uri", "https://evil.example/cb")], "Login redirect URI");
    check(&[("request_uri", "urn:x")], "request_uri");
    let twice = format!("GET /oauth2/v1/authorize?{}&state=2", query(&asked(&[])));
    refuse(
        &org,
        call(&twice).anonymous(),
        400,
        "invalid_request",
        "Duplicate parameter provided in request. Duplicated parameters: [state].",
    );
}

#[test]
fn requests_to_sign_in_that_are_refused_to_the_client() {
    let org = org();
    let check = |changes: &[(&str, &str)], error: &str, words: &str| {
        let got = org.send(call(&format!("GET /oauth2/v1/authorize?{}", query(&asked(changes)))).anonymous());
        let (address, back) = sent(&got);
        assert_eq!((&*address, &back["error"]), ("https://web.example/cb", &json!(error)), "{back:?}");
        assert!(back["error_description"].as_str().is_some_and(|text| text.starts_with(words)), "{back:?}");
    };
    check(&[("state", "")], "invalid_request", "The authentication request has an invalid 'state' parameter.");
    check(&[("response_type", "")], "unsupported_response_type", "The response type is not supported");
    check(&[("response_type", "magic")], "unsupported_response_type", "The response type is not supported");
    check(&[("response_mode", "magic")], "unsupported_response_mode", "The response mode is not supported");
    check(
        &[("response_type", "id_token"), ("response_mode", "query")],
        "unsupported_response_mode",
        "'query' response mode",
    );
    check(&[("response_mode", "okta_post_message")], "unsupported_response_mode", "'okta_post_message' response mode");
    check(&[("response_type", "id_token"), ("nonce", "")], "invalid_request", "The 'nonce' parameter is required");
    check(&[("scope", "")], "invalid_scope", "No scopes were requested.");
    check(&[("scope", "openid magic")], "invalid_scope", "One or more scopes");
    check(&[("scope", "profile")], "invalid_scope", "Requests for ID tokens or access tokens with OpenID scopes");
    check(&[("prompt", "magic")], "invalid_request", "Invalid value for 'prompt' parameter.");
    check(&[("prompt", "none login")], "invalid_request", "Invalid value for 'prompt' parameter.");
    check(&[("prompt", "none")], "login_required", "The client specified not to prompt");
    check(&[("prompt", "none"), ("max_age", "0")], "invalid_request", "'prompt' parameter must not have");
    check(&[("prompt", "enroll_authenticator")], "invalid_request", "Authenticator enrollment requires");
    check(&[("max_age", "soon")], "invalid_request", "Invalid value for 'max_age'");
    check(&[("code_challenge", CHALLENGE)], "invalid_request", "PKCE code challenge method is not supported.");
    check(
        &[("code_challenge", CHALLENGE), ("code_challenge_method", "plain")],
        "invalid_request",
        "PKCE code challenge m",
    );
    check(
        &[("code_challenge", "short"), ("code_challenge_method", "S256")],
        "invalid_request",
        "PKCE code challenge con",
    );
    check(&[("idp", "0oa1")], "invalid_request", "Identity provider is not valid.");
    check(&[("acr_values", "phr")], "access_denied", "The authorize request required an MFA prompt");
    check(&[("acr_values", "magic")], "access_denied", "'acr_values' not supported.");
    check(&[("request", "e30.e30.")], "request_not_supported", "The authorize request object");
    check(&[("enroll_amr_values", "pwd")], "invalid_request", "Authenticator enrollment requires");
    check(&[("interclient_token", "x")], "access_denied", "No trust relationship");
    check(&[("sessionToken", "x")], "login_required", "The client specified not to prompt");
    let spa = [("client_id", "spa"), ("redirect_uri", "https://spa.example/cb"), ("scope", "openid")];
    let got = org.send(call(&format!("GET /oauth2/v1/authorize?{}", query(&asked(&spa)))).anonymous());
    assert_eq!(sent(&got).1["error_description"], "PKCE code challenge is required by the application.");
}

#[test]
fn a_browser_signs_in_on_the_page() {
    let org = org();
    let line = format!("GET /oauth2/v1/authorize?{}", query(&asked(&[("login_hint", "lena.fischer")])));
    let page = org.check(call(&line).anonymous(), 200);
    let text = page.body.as_str().expect("is a page");
    assert!(text.contains("name=\"password\"") && text.contains("value=\"lena.fischer\""));
    let next = text.split("name=\"fromURI\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let next = next.expect("says where to go next").replace("&amp;", "&");
    let send = |password: &str| {
        let fields = [("username", "lena.fischer"), ("password", password), ("fromURI", &*next)];
        org.send(form("/login/login.htm", &fields))
    };
    assert_eq!(send("wrong").status, 401);
    let done = send(PASSWORD);
    assert_eq!((done.status, done.header("location")), (302, &*next));
    let cookie = done.header("set-cookie").split(';').next().expect("sets a cookie").to_owned();
    let got = org.send(call(&format!("GET {next}")).anonymous().header("cookie", &cookie));
    let (address, back) = sent(&got);
    assert_eq!((&*address, &back["state"]), ("https://web.example/cb", &json!("s1")));
    let silent = query(&asked(&[("prompt", "none")]));
    let silently = call(&format!("GET /oauth2/v1/authorize?{silent}")).anonymous().header("cookie", &cookie);
    assert!(sent(&org.send(silently.clone())).1.contains_key("code"), "the session is still there");
    let again = query(&asked(&[("prompt", "login")]));
    org.check(call(&format!("GET /oauth2/v1/authorize?{again}")).anonymous().header("cookie", &cookie), 200);
    let posted = form("/oauth2/v1/authorize", &asked(&[("response_mode", "form_post")])).header("cookie", &cookie);
    let posted = org.check(posted, 200);
    assert!(posted.body.as_str().is_some_and(|page| page.contains("action=\"https://web.example/cb\"")));
    wait(&org, 2 * 3_600);
    assert_eq!(sent(&org.send(silently)).1["error"], "login_required", "sessions end");
    let evil = form(
        "/login/login.htm",
        &[("username", "lena.fischer"), ("password", PASSWORD), ("fromURI", "//evil.example")],
    );
    assert_eq!(org.send(evil).header("location"), "/");
}

#[test]
fn session_tokens_sign_in_once() {
    let org = org();
    let authn = |password: &str| {
        call("POST /api/v1/authn").anonymous().json(&json!({ "username": "lena.fischer", "password": password }))
    };
    org.refuse(authn("wrong"), 401, "E0000004", &[]);
    let token = org.check(authn(PASSWORD), 200).text("/sessionToken").to_owned();
    let line = format!("GET /oauth2/v1/authorize?{}", query(&asked(&[("sessionToken", &token)])));
    let got = org.send(call(&line).anonymous());
    assert!(sent(&got).1.contains_key("code") && got.header("set-cookie").starts_with("sid="));
    assert_eq!(sent(&org.send(call(&line).anonymous())).1["error"], "login_required");
    let token = org.check(authn(PASSWORD), 200).text("/sessionToken").to_owned();
    let line = format!("GET /login/sessionCookieRedirect?token={token}&redirectUrl={ORIGIN}/activate");
    let got = org.check(call(&line).anonymous(), 302);
    assert!(got.header("set-cookie").starts_with("sid=102"), "{:?}", got.headers);
}

#[test]
fn tokens_come_without_a_code_where_a_client_may() {
    let org = org();
    let check = |kind: &str, members: &[&str]| {
        let back = signed_in(&org, "/oauth2/v1/authorize", &asked(&[("response_type", kind)]));
        for member in ["code", "access_token", "id_token"] {
            assert_eq!(back.contains_key(member), members.contains(&member), "{kind}: {member}");
        }
        if let Some(token) = back.get("id_token").and_then(Value::as_str) {
            let claims = verified(&org, "/oauth2/v1/keys", token);
            assert_eq!(claims.get("at_hash").is_some(), members.contains(&"access_token"), "{kind}");
            assert_eq!(claims.get("c_hash").is_some(), members.contains(&"code"), "{kind}");
            assert_eq!(claims.get("given_name").is_some(), members.len() == 1, "{kind}: alone, it says all");
        }
    };
    check("code", &["code"]);
    check("id_token", &["id_token"]);
    check("token", &["access_token"]);
    check("id_token token", &["access_token", "id_token"]);
    check("code id_token", &["code", "id_token"]);
    check("code token", &["code", "access_token"]);
    check("id_token token code", &["code", "access_token", "id_token"]);
}

#[test]
fn codes_are_good_once_for_whoever_asked() {
    let org = org();
    let redirect = ("redirect_uri", "https://spa.example/cb");
    let spa = [
        ("client_id", "spa"),
        redirect,
        ("scope", "openid"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let code = signed_in(&org, "/oauth2/v1/authorize", &asked(&spa))["code"].as_str().expect("has a code").to_owned();
    let send = |client: &str, code: &str, own: &[(&str, &str)]| {
        let fields = [("grant_type", "authorization_code"), ("client_id", client), ("code", code)];
        let fields: Vec<_> = fields.into_iter().chain(own.iter().copied()).collect();
        form("/oauth2/v1/token", &fields)
    };
    let verifier = ("code_verifier", VERIFIER);
    let check = |own: &[(&str, &str)], error: &str, words: &str| {
        refuse(&org, send("spa", &code, own), 400, error, words);
    };
    check(&[verifier], "invalid_request", "The required parameter 'redirect_uri' is missing.");
    let other = ("redirect_uri", "https://spa.example/other");
    let words = "The 'redirect_uri' does not match the redirection URI used in the authorization request.";
    check(&[verifier, other], "invalid_grant", words);
    check(&[redirect], "invalid_request", "PKCE code verifier is required by the application.");
    check(&[redirect, ("code_verifier", "wrong")], "invalid_grant", "PKCE verification failed.");
    let got = org.check(send("spa", &code, &[redirect, verifier]), 200);
    assert!(got.body.get("refresh_token").is_none(), "nobody asked for offline access");
    check(&[redirect, verifier], "invalid_grant", "The authorization code is invalid or has expired.");
    let code = signed_in(&org, "/oauth2/v1/authorize", &asked(&spa))["code"].as_str().expect("has a code").to_owned();
    let foreign = [("grant_type", "authorization_code"), ("code", &*code), redirect];
    let words = "The grant was issued to another client. Please make sure the 'client_id' matches the one used at the \
                 authorize request.";
    refuse(&org, web("/oauth2/v1/token", &foreign), 400, "invalid_grant", words);
    wait(&org, 300);
    let late = send("spa", &code, &[redirect, verifier]);
    refuse(&org, late, 400, "invalid_grant", "The authorization code is invalid or has expired.");
}

#[test]
fn refresh_tokens_turn_over_and_replays_end_the_sign_in() {
    let org = org();
    let first = tokens(&org, "/oauth2/default", "openid offline_access");
    let refresh = |token: &str, scope: &str| {
        web("/oauth2/default/v1/token", &[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)])
    };
    let (access, old) = (first.text("/access_token"), first.text("/refresh_token"));
    assert!(verified(&org, "/oauth2/default/v1/keys", access)["jti"].as_str().is_some_and(|jti| jti.contains(".oar")));
    let denied = org.check(refresh(old, "openid email"), 400);
    assert_eq!(denied.text("/error"), "access_denied");
    let second = org.check(refresh(old, ""), 200);
    let new = second.text("/refresh_token");
    assert_ne!(old, new);
    assert!(second.body.get("id_token").is_some());
    org.check(refresh(old, ""), 200);
    wait(&org, 31);
    let words = "The refresh token is invalid or expired.";
    refuse(&org, refresh(old, ""), 400, "invalid_grant", words);
    refuse(&org, refresh(new, ""), 400, "invalid_grant", words);
    let looked = org.check(web("/oauth2/default/v1/introspect", &[("token", second.text("/access_token"))]), 200);
    assert_eq!(looked.body, json!({ "active": false }), "all that came of the sign-in is dead");
    assert_eq!(org.events().get("app.oauth2.as.token.detect_reuse"), Some(&1));
    let idle = tokens(&org, "/oauth2/default", "openid offline_access");
    wait(&org, 7 * 86_400);
    refuse(&org, refresh(idle.text("/refresh_token"), ""), 400, "invalid_grant", words);
}

#[test]
fn passwords_are_a_grant_where_a_client_may() {
    let org = org();
    let send = |name: &str, password: &str, scope: &str| {
        let fields = [("grant_type", "password"), ("username", name), ("password", password), ("scope", scope)];
        web("/oauth2/default/v1/token", &fields)
    };
    let got = org.check(send("lena.fischer", PASSWORD, "openid offline_access"), 200);
    assert!(got.body.get("refresh_token").is_some() && got.body.get("id_token").is_some());
    let words = "The credentials provided were invalid.";
    refuse(&org, send("lena.fischer", "wrong", "openid"), 400, "invalid_grant", words);
    refuse(&org, send("nobody", PASSWORD, "openid"), 400, "invalid_grant", words);
}

#[test]
fn tokens_are_looked_at_and_revoked() {
    let org = org();
    let got = tokens(&org, "/oauth2", "openid offline_access");
    let look = |token: &str, hint: &str| {
        let fields = [("token", token), ("token_type_hint", hint)];
        org.check(web("/oauth2/v1/introspect", &fields), 200).body
    };
    let access = got.text("/access_token");
    let shown = look(access, "access_token");
    assert_eq!(
        (&shown["active"], &shown["client_id"], &shown["token_type"]),
        (&json!(true), &json!("web"), &json!("Bearer"))
    );
    assert_eq!((&shown["scope"], &shown["iss"]), (&json!("openid offline_access"), &json!(ORIGIN)));
    for (token, hint) in [(access, "refresh_token"), ("nonsense", ""), ("a.b.c", "access_token")] {
        assert_eq!(look(token, hint), json!({ "active": false }), "{token} {hint}");
    }
    assert_eq!(look(got.text("/refresh_token"), "")["active"], true);
    assert_eq!(look(got.text("/id_token"), "id_token")["active"], true);
    refuse(&org, web("/oauth2/v1/introspect", &[]), 400, "invalid_request", "The 'token' parameter is required.");
    let elsewhere = org.check(web("/oauth2/default/v1/introspect", &[("token", access)]), 200);
    assert_eq!(elsewhere.body, json!({ "active": false }), "tokens of one server are nothing to another");
    refuse(&org, web("/oauth2/v1/revoke", &[]), 400, "invalid_request", "The 'token' parameter is required.");
    org.check(web("/oauth2/v1/revoke", &[("token", "nonsense")]), 200);
    let gone = org.check(web("/oauth2/v1/revoke", &[("token", access)]), 200);
    assert!(gone.body.is_null());
    assert_eq!(look(access, ""), json!({ "active": false }));
    assert_eq!(look(got.text("/refresh_token"), "")["active"], true, "it outlives its access token");
    let info = org.check(authorized("GET /oauth2/v1/userinfo", "Bearer", access), 401);
    assert!(info.header("www-authenticate").contains("revoked"));
    let other = tokens(&org, "/oauth2", "openid offline_access");
    org.check(web("/oauth2/v1/revoke", &[("token", other.text("/refresh_token"))]), 200);
    assert_eq!(look(other.text("/access_token"), ""), json!({ "active": false }), "it goes with its refresh token");
}

#[test]
fn access_tokens_end_with_the_clock() {
    let org = org();
    let token = org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned();
    let ask = || authorized("GET /api/v1/users?limit=1", "Bearer", &token);
    wait(&org, 3_599);
    org.check(ask(), 200);
    wait(&org, 1);
    let got = org.refuse(ask(), 401, "E0000011", &[]);
    assert!(
        got.header("www-authenticate")
            .contains("error=\"invalid_token\", error_description=\"The token has expired.\"")
    );
    for (line, words) in [
        ("GET /oauth2/v1/userinfo", "access token is missing"),
        ("GET /oauth2/v1/userinfo?access_token=x", "query string"),
    ] {
        let got = org.send(call(line).anonymous());
        assert!(got.text("/error_description").contains(words), "{}", got.body);
    }
    let unscoped = org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned();
    let got = org.check(authorized("GET /oauth2/v1/userinfo", "Bearer", &unscoped), 403);
    assert_eq!(got.text("/error"), "insufficient_scope");
}

#[test]
fn a_device_waits_until_somebody_lets_it_in() {
    let org = org();
    let begin =
        || org.check(form("/oauth2/default/v1/device/authorize", &[("client_id", "tv"), ("scope", "openid")]), 200);
    let got = begin();
    assert_eq!((&got.body["expires_in"], &got.body["interval"]), (&json!(600), &json!(5)));
    assert_eq!(
        got.text("/verification_uri_complete"),
        format!("{ORIGIN}/activate?user_code={}", got.text("/user_code"))
    );
    let poll = |got: &Got| {
        let fields = [("grant_type", DEVICE), ("client_id", "tv"), ("device_code", got.text("/device_code"))];
        form("/oauth2/default/v1/token", &fields)
    };
    refuse(
        &org,
        poll(&got),
        400,
        "authorization_pending",
        "The device authorization is pending. Please try again later.",
    );
    refuse(&org, poll(&got), 400, "slow_down", "Slow down the polling frequency. Please try again later.");
    wait(&org, 5);
    let code = json!({ "user_code": got.text("/user_code").to_lowercase() });
    org.perform("okta.user.activate_device", "lena", &code).expect("is let in");
    let given = org.check(poll(&got), 200);
    assert_eq!(verified(&org, "/oauth2/default/v1/keys", given.text("/id_token"))["aud"], "tv");
    refuse(&org, poll(&got), 400, "invalid_grant", "The device code is invalid or has expired.");
    let refused = begin();
    let code = json!({ "user_code": refused.text("/user_code"), "allow": false });
    org.perform("okta.user.activate_device", "lena", &code).expect("is refused");
    let words = "The resource owner or authorization server denied the request.";
    refuse(&org, poll(&refused), 403, "access_denied", words);
    let late = begin();
    wait(&org, 600);
    refuse(&org, poll(&late), 400, "expired_token", "The device code has expired.");
    let unknown = org.perform("okta.user.activate_device", "lena", &json!({ "user_code": "NOPE" }));
    assert_eq!(unknown, Err("The user code is invalid or has expired.".to_owned()));
}

#[test]
fn requests_are_pushed_beforehand() {
    let org = org();
    let pushed = org.check(web("/oauth2/v1/par", &asked(&[("client_id", "")])), 200);
    let address = pushed.text("/request_uri");
    let back = signed_in(&org, "/oauth2/v1/authorize", &[("client_id", "web"), ("request_uri", address)]);
    assert!(back.contains_key("code"));
    let bad = web("/oauth2/v1/par", &asked(&[("client_id", ""), ("redirect_uri", "https://evil.example")]));
    let words = "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.";
    refuse(&org, bad, 400, "invalid_request", words);
    let nested = web("/oauth2/v1/par", &asked(&[("client_id", ""), ("request_uri", "urn:x")]));
    refuse(&org, nested, 400, "invalid_request", "The 'request_uri' parameter must not be present in the request.");
}

#[test]
fn signing_out_ends_the_session_and_goes_back() {
    let org = org();
    let id_token = tokens(&org, "/oauth2", "openid").text("/id_token").to_owned();
    let authn = json!({ "username": "lena.fischer", "password": PASSWORD });
    let token = org.check(call("POST /api/v1/authn").anonymous().json(&authn), 200).text("/sessionToken").to_owned();
    let begun =
        org.send(call(&format!("GET /oauth2/v1/authorize?{}", query(&asked(&[("sessionToken", &token)])))).anonymous());
    let cookie = begun.header("set-cookie").split(';').next().expect("sets a cookie").to_owned();
    let out = |fields: &[(&str, &str)]| {
        call(&format!("GET /oauth2/v1/logout?{}", query(fields))).anonymous().header("cookie", &cookie)
    };
    let hint = ("id_token_hint", &*id_token);
    for (fields, words) in [
        (vec![], "id_token_hint"),
        (vec![("id_token_hint", "x")], "The id token is invalid."),
        (vec![hint, ("post_logout_redirect_uri", "https://evil.example")], "Logout redirect URI"),
    ] {
        let got = org.check(out(&fields), 400);
        assert!(got.body.as_str().is_some_and(|page| page.contains(words)), "{}", got.body);
    }
    let got = org.check(out(&[hint, ("post_logout_redirect_uri", "https://web.example/bye"), ("state", "a b")]), 302);
    assert_eq!(got.header("location"), "https://web.example/bye?state=a+b");
    let silent = query(&asked(&[("prompt", "none")]));
    let after = org.send(call(&format!("GET /oauth2/v1/authorize?{silent}")).anonymous().header("cookie", &cookie));
    assert_eq!(sent(&after).1["error"], "login_required");
}

#[test]
fn servers_say_where_everything_is() {
    let org = org();
    let check = |path: &str, issuer: &str, openid: bool| {
        let got = org.check(call(&format!("GET {path}")).anonymous(), 200);
        assert_eq!(got.text("/issuer"), format!("{ORIGIN}{issuer}"), "{path}");
        let prefix = if issuer.is_empty() { "/oauth2" } else { issuer };
        assert_eq!(got.text("/token_endpoint"), format!("{ORIGIN}{prefix}/v1/token"));
        assert_eq!(got.body.get("userinfo_endpoint").is_some(), openid, "{path}");
        let keys = got.text("/jwks_uri").strip_prefix(ORIGIN).expect("is here").to_owned();
        assert!(!org.check(call(&format!("GET {keys}")).anonymous(), 200).body["keys"][0]["n"].is_null());
        assert!(!got.body["scopes_supported"].to_string().contains("orders"), "a server's own scopes are not public");
    };
    check("/.well-known/openid-configuration", "", true);
    check("/.well-known/oauth-authorization-server", "", false);
    check("/oauth2/default/.well-known/openid-configuration", "/oauth2/default", true);
    check("/oauth2/default/.well-known/oauth-authorization-server", "/oauth2/default", false);
    check("/.well-known/oauth-authorization-server/oauth2/ausorders", "/oauth2/ausorders", false);
    org.refuse(call("GET /oauth2/nowhere/.well-known/openid-configuration").anonymous(), 404, "E0000007", &[]);
    let got = org.check(call("GET /.well-known/openid-configuration?client_id=nope").anonymous(), 400);
    assert_eq!(got.text("/error"), "invalid_client");
}

#[test]
fn keys_rotate_and_the_old_one_stays_for_a_while() {
    let org = org();
    let kids = || -> Vec<String> {
        let got = org.check(call("GET /oauth2/v1/keys").anonymous(), 200);
        got.body["keys"]
            .as_array()
            .expect("is a list")
            .iter()
            .map(|key| key["kid"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let before = kids();
    let old = org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned();
    let done = org.perform("okta.admin.rotate_keys", "dana", &json!({})).expect("rotates");
    let after = kids();
    assert_eq!((done["kid"].as_str(), &after[1]), (Some(&*after[0]), &before[0]));
    verified(&org, "/oauth2/v1/keys", &old);
    let new = org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned();
    assert_eq!(decode_header(&new).expect("has a head").kid.as_deref(), Some(&*after[0]));
    wait(&org, 91 * 86_400);
    assert_ne!(kids()[0], after[0], "and by the clock");
}

#[test]
fn everything_is_drawn_from_the_seed() {
    let tokens = || {
        let org = org();
        org.check(service(&org, "bot", "okta.users.read"), 200).text("/access_token").to_owned()
    };
    assert_eq!(tokens(), tokens());
}

#[test]
fn a_server_that_an_administrator_made_goes_by_its_scopes_policies_and_claims() {
    let org = org();
    let made = json!({ "name": "made", "description": "Made", "audiences": ["api://made"] });
    let id = org.check(call("POST /api/v1/authorizationServers").json(&made), 201).text("/id").to_owned();
    let at = format!("/api/v1/authorizationServers/{id}");
    let add =
        |path: &str, body: &Value| org.check(call(&format!("POST {at}{path}")).json(body), 201).text("/id").to_owned();
    add("/scopes", &json!({ "name": "made.read", "default": true }));
    let ask = || web(&format!("/oauth2/{id}/v1/token"), &[("grant_type", "client_credentials")]);
    let words = "Policy evaluation failed for this request, please check the policy configurations.";
    refuse(&org, ask(), 401, "access_denied", words);
    let clients = json!({ "clients": { "include": ["web"] } });
    let policy = json!({
        "type": "OAUTH_AUTHORIZATION_POLICY", "name": "P", "description": "P", "priority": 1, "status": "ACTIVE",
        "conditions": clients,
    });
    let policy = add("/policies", &policy);
    let rule = json!({
        "type": "RESOURCE_ACCESS", "name": "R", "priority": 1, "status": "ACTIVE",
        "conditions": {
            "grantTypes": { "include": ["client_credentials"] }, "scopes": { "include": ["made.read"] },
            "people": { "groups": { "include": ["EVERYONE"] } },
        },
        "actions": { "token": {
            "accessTokenLifetimeMinutes": 5, "refreshTokenLifetimeMinutes": 0, "refreshTokenWindowMinutes": 10_080,
        }},
    });
    add(&format!("/policies/{policy}/rules"), &rule);
    let claim = |name: &str, value: &str| {
        add(
            "/claims",
            &json!({
                "name": name, "status": "ACTIVE", "claimType": "RESOURCE", "valueType": "EXPRESSION", "value": value,
                "alwaysIncludeInToken": true,
            }),
        )
    };
    claim("car", "\"driving!\"");
    let got = org.check(ask(), 200);
    assert_eq!((&got.body["expires_in"], got.text("/scope")), (&json!(300), "made.read"));
    let claims = verified(&org, &format!("/oauth2/{id}/v1/keys"), got.text("/access_token"));
    assert_eq!((&claims["car"], &claims["aud"]), (&json!("driving!"), &json!("api://made")));
    claim("odd", "user.shoe + 1");
    let got = org.check(ask(), 400);
    assert_eq!(got.text("/error"), "server_error", "what cannot be evaluated is not passed over");
    org.check(call(&format!("POST {at}/lifecycle/deactivate")), 204);
    org.refuse(ask(), 404, "E0000007", &[]);
    org.perform("okta.admin.rotate_keys", "dana", &json!({ "server": "default" })).expect("rotates");
    let names = org.get("/api/v1/authorizationServers").column("/name");
    assert!(["default", "orders", "made"].iter().all(|name| names.iter().any(|own| own == name)), "{names:?}");
}
