//! Signing in through other identity providers: a small one that speaks `OpenID` Connect, and an org as one that speaks
//! SAML.

mod api;
mod oidc;
mod routing;
mod saml;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use dtu_okta::oauth::keys;
use jsonwebtoken::{Algorithm, Header, encode};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::{
    oauth::{self, CLIENT_KEY, query},
    support::{Got, Org, call},
};

pub(super) const LENA: &str = "lena.fischer@acme.example";

/// What the provider answers at each of its paths, as status and body.
type Answers = Arc<Mutex<BTreeMap<String, (u16, Value)>>>;

#[derive(Clone)]
struct Server(Answers);

impl Respond for Server {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let answers = self.0.lock().expect("is whole");
        let (status, body) = answers.get(request.url.path()).cloned().unwrap_or((404, json!({ "error": "not_found" })));
        ResponseTemplate::new(status).set_body_json(body)
    }
}

/// An org, and a provider that its people may sign in with.
pub(super) struct Stage {
    pub(super) org: Org,
    pub(super) server: MockServer,
    pub(super) idp: String,
    answers: Answers,
}

/// Lays one object over another, at any depth.
pub(super) fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

impl Stage {
    /// A provider that differs so from one that makes and links people.
    pub(super) async fn new(more: Value) -> Self {
        let (server, answers) = (MockServer::start().await, Answers::default());
        Mock::given(any()).respond_with(Server(Arc::clone(&answers))).mount(&server).await;
        let org = oauth::org();
        let idp = org.post("/api/v1/idps", &provider(&server.uri(), &more)).text("/id").to_owned();
        Self { org, server, idp, answers }
    }

    pub(super) fn answer(&self, path: &str, status: u16, body: Value) {
        self.answers.lock().expect("is whole").insert(path.to_owned(), (status, body));
    }

    /// A client sends somebody to the org, and the org on to the provider; gives back what it says to the provider.
    pub(super) fn leave(&self, more: &[(&str, &str)]) -> BTreeMap<String, String> {
        let idp = [("idp", self.idp.as_str())];
        let got = self.org.check(call(&authorize(&[&idp[..], more].concat())).anonymous(), 302);
        let (address, fields) = location(&got);
        assert_eq!(address, format!("{}/authorize", self.server.uri()));
        fields
    }

    /// The provider is ready to hand out a token with claims.
    pub(super) fn ready(&self, nonce: &str, claims: &Value) {
        let now = self.org.universe.now().as_secs();
        let mut all = json!({
            "iss": self.server.uri(), "aud": "at-idp", "exp": now + 300, "iat": now, "nonce": nonce,
        });
        merge(&mut all, claims);
        let header = Header { kid: Some(keys::CLIENT_KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
        let token = encode(&header, &all, &CLIENT_KEY).expect("signs");
        let body = json!({
            "access_token": "at-1", "token_type": "Bearer", "expires_in": 3600, "scope": "openid email", "id_token": token,
        });
        self.answer("/token", 200, body);
        self.answer("/keys", 200, json!({ "keys": [keys::client_key()] }));
    }

    /// Somebody signs in with the provider, which claims so of them; gives back what their browser is answered then.
    pub(super) async fn sign_in(&self, claims: &Value) -> Got {
        let sent = self.leave(&[]);
        self.ready(&sent["nonce"], claims);
        self.back(&sent["state"]).await
    }

    /// Somebody comes back from the provider with a code.
    pub(super) async fn back(&self, state: &str) -> Got {
        let target = query(&[("code", "c1"), ("state", state)]);
        self.org.wait(call(&format!("GET /oauth2/v1/authorize/callback?{target}")).anonymous()).await
    }

    /// Goes on with what the browser was told, back to the client; gives back what the client is told.
    pub(super) fn client(&self, got: &Got) -> BTreeMap<String, String> {
        let (address, fields) = location(got);
        if address == "https://web.example/cb" {
            return fields;
        }
        let next = call(&format!("GET {}", got.header("location"))).anonymous();
        let next = self.org.check(next.header("cookie", cookie(got)), 302);
        location(&next).1
    }

    /// The same, whole: what came of somebody of whom the provider claims so, as a login or an error.
    pub(super) async fn came(&self, claims: &Value) -> Result<String, String> {
        let got = self.sign_in(claims).await;
        let told = self.client(&got);
        match told.get("error_description") {
            Some(words) => Err(words.clone()),
            None => Ok(self.whose(&told["code"])),
        }
    }

    /// Whose a code is.
    fn whose(&self, code: &str) -> String {
        let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "https://web.example/cb")];
        let got = self.org.check(oauth::web("/oauth2/v1/token", &fields), 200);
        let id = self.id_claims(&got);
        let user = self.org.get(&format!("/api/v1/users/{}", id["sub"].as_str().expect("is text")));
        assert_eq!(id["idp"], json!(self.idp));
        user.text("/profile/login").to_owned()
    }

    fn id_claims(&self, got: &Got) -> Value {
        oauth::verified(&self.org, "/oauth2/v1/keys", got.text("/id_token"))
    }

    /// Changes the provider.
    pub(super) fn change(&self, more: &Value) {
        self.org.check(call(&format!("PUT /api/v1/idps/{}", self.idp)).json(&provider(&self.server.uri(), more)), 200);
    }
}

/// A provider at an address, which differs so from one that makes and links people.
pub(super) fn provider(at: &str, more: &Value) -> Value {
    let mut body = json!({
        "type": "OIDC", "name": "Elsewhere",
        "protocol": {
            "type": "OIDC", "scopes": ["openid", "profile", "email"], "issuer": { "url": at },
            "endpoints": {
                "authorization": { "url": format!("{at}/authorize"), "binding": "HTTP-REDIRECT" },
                "token": { "url": format!("{at}/token"), "binding": "HTTP-POST" },
                "jwks": { "url": format!("{at}/keys"), "binding": "HTTP-REDIRECT" },
            },
            "credentials": { "client": { "client_id": "at-idp", "client_secret": "not-a-real-secret" } },
        },
        "policy": {
            "provisioning": {
                "action": "AUTO", "profileMaster": false, "groups": { "action": "NONE" },
                "conditions": { "deprovisioned": { "action": "NONE" }, "suspended": { "action": "NONE" } },
            },
            "accountLink": { "action": "AUTO" },
            "subject": { "userNameTemplate": { "template": "idpuser.email" }, "matchType": "USERNAME" },
            "maxClockSkew": 0,
        },
    });
    merge(&mut body, more);
    body
}

/// A request of the web client.
pub(super) fn authorize(more: &[(&str, &str)]) -> String {
    let own = [
        ("client_id", "web"),
        ("redirect_uri", "https://web.example/cb"),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("state", "s1"),
        ("nonce", "n1"),
    ];
    format!("GET /oauth2/v1/authorize?{}", query(&[&own[..], more].concat()))
}

/// Where an answer sends a browser: the address and its query.
pub(super) fn location(got: &Got) -> (String, BTreeMap<String, String>) {
    let (address, query) = got.header("location").split_once('?').unwrap_or((got.header("location"), ""));
    (address.to_owned(), form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// The cookie of the session that an answer begins.
pub(super) fn cookie(got: &Got) -> &str {
    let set = got.header("set-cookie");
    set.split(';').next().filter(|cookie| cookie.starts_with("sid=")).unwrap_or_else(|| panic!("no session: {got:?}"))
}

/// Somebody whom the org does not know.
pub(super) fn ada() -> Value {
    json!({ "sub": "s1", "email": "ada@x.example", "given_name": "Ada", "family_name": "Lovelace", "team": "red" })
}
