//! An identity twin over acme, and what a client library does before it calls.

use dtu_google_identity::Identity;
use dtu_google_workspace::testing::{Call, Got, Office, call};
use dtu_kernel::host::host;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(crate) const DRIVE: &str = "https://www.googleapis.com/auth/drive";
pub(crate) const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
pub(crate) const AUDIENCE: &str = "https://oauth2.googleapis.com/token";

pub(crate) struct Google {
    pub(crate) office: Office,
    pub(crate) key_file: Value,
}

impl Google {
    pub(crate) fn acme() -> Self {
        Self::over(Office::acme(vec![host(Identity)]))
    }

    pub(crate) fn over(office: Office) -> Self {
        let key_file = serde_json::from_str(&office.env("GOOGLE_APPLICATION_CREDENTIALS")).expect("is JSON");
        Self { office, key_file }
    }

    pub(crate) fn now(&self) -> i64 {
        self.office.universe.now().as_secs()
    }

    pub(crate) fn mail(&self) -> &str {
        self.key_file["client_email"].as_str().expect("is text")
    }

    /// The claims of a good assertion.
    pub(crate) fn claims(&self) -> Value {
        let now = self.now();
        json!({ "iss": self.mail(), "aud": AUDIENCE, "iat": now, "exp": now + 3_600, "scope": DRIVE })
    }

    /// Claims signed with the key of the key file.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_as(claims, self.key_file["private_key_id"].as_str())
    }

    pub(crate) fn sign_as(&self, claims: &Value, key: Option<&str>) -> String {
        let pem = self.key_file["private_key"].as_str().expect("is text");
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("is a key");
        let header = Header { kid: key.map(str::to_owned), ..Header::new(Algorithm::RS256) };
        encode(&header, claims, &signing).expect("signs")
    }

    pub(crate) fn send(&self, call: Call) -> Got {
        self.office.send("google-identity", call)
    }

    pub(crate) fn show(&self, assertion: &str) -> Got {
        self.send(call("POST /token").form(&[("grant_type", JWT_BEARER), ("assertion", assertion)]))
    }

    /// An access token of the service account, for a person where one is named.
    #[track_caller]
    pub(crate) fn token(&self, scope: &str, person: Option<&str>) -> String {
        let mut claims = self.claims();
        claims["scope"] = json!(scope);
        if let Some(person) = person {
            claims["sub"] = json!(person);
        }
        let got = self.show(&self.sign(&claims));
        assert_eq!(got.reply.status, 200, "{}", got.body);
        got.text("/access_token").to_owned()
    }

    /// A call that must be refused so.
    #[track_caller]
    pub(crate) fn refuse(&self, call: Call, status: u16, error: &str, description: &str) -> Got {
        let got = self.send(call);
        let found = (got.reply.status.as_u16(), got.text("/error"), got.text("/error_description"));
        assert_eq!(found, (status, error, description), "{}", got.body);
        assert_eq!(got.reply.error, error, "the ledger has the code");
        got
    }
}
