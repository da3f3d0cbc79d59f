//! Authenticators and their methods, as the Identity Engine names them.

use data_encoding::BASE32HEX_NOPAD;
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::model::{State, factor::Kind};

/// A way to show who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Method {
    /// A password.
    Password,
    /// Another factor.
    Factor(Kind),
}

impl Method {
    /// The key of its authenticator.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Password => "okta_password",
            Self::Factor(kind) => kind.authenticator(),
        }
    }

    /// The name of its authenticator.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "Password",
            Self::Factor(kind) => kind.authenticator_name(),
        }
    }

    /// The type of its authenticator.
    pub const fn authenticator_type(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Factor(Kind::Question) => "security_question",
            Self::Factor(Kind::Sms | Kind::Call) => "phone",
            Self::Factor(Kind::Email) => "email",
            Self::Factor(Kind::WebAuthn | Kind::U2f) => "security_key",
            Self::Factor(_) => "app",
        }
    }

    /// Its own type (`methodType`).
    pub const fn text(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Factor(kind) => match kind {
                Kind::Question => "security_question",
                Kind::Sms => "sms",
                Kind::Call => "voice",
                Kind::Email => "email",
                Kind::Push => "push",
                Kind::Totp => "totp",
                Kind::SignedNonce => "signed_nonce",
                Kind::WebAuthn | Kind::U2f => "webauthn",
                _ => "otp",
            },
        }
    }

    /// What people are told that it is, where an authenticator has several.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Factor(Kind::Sms) => "SMS",
            Self::Factor(Kind::Call) => "Voice call",
            Self::Factor(Kind::Push) => "Get a push notification",
            Self::Factor(Kind::Totp) => "Enter a code",
            other => other.name(),
        }
    }

    /// The kind of factor that it is; none of a password.
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::Password => None,
            Self::Factor(kind) => Some(kind),
        }
    }

    /// Whether a phone's number or an app asks which of several ways is meant.
    pub const fn has_ways(self) -> bool {
        matches!(self, Self::Factor(Kind::Sms | Kind::Call | Kind::Push | Kind::Totp))
    }

    /// The id of its authenticator in the org; for one that the org keeps no authenticator for, an id of its own.
    pub fn id(self, state: &State) -> SmolStr {
        let mut all = state.objects.members("/api/v1/authenticators");
        let own = all.find(|(_, one)| one.get("key").and_then(Value::as_str) == Some(self.key()));
        own.map_or_else(|| made_up(state, self.key()), |(id, _)| id.clone())
    }

    /// How the API shows its authenticator.
    pub fn shown(self, state: &State, methods: &[Self]) -> Value {
        let ways: Vec<Value> = methods.iter().map(|method| json!({ "type": method.text() })).collect();
        json!({
            "type": self.authenticator_type(),
            "key": self.key(),
            "id": self.id(state),
            "displayName": self.name(),
            "methods": ways,
        })
    }
}

/// An id that follows from the org and the key.
fn made_up(state: &State, key: &str) -> SmolStr {
    let mut hasher = blake3::Hasher::new();
    hasher.update(state.org.as_bytes());
    hasher.update(key.as_bytes());
    let text = BASE32HEX_NOPAD.encode(&hasher.finalize().as_bytes()[..15]).to_lowercase();
    format!("aut{}", &text[..17]).into()
}
