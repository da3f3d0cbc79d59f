//! Factors as Okta shows them: by kind and state.

use dtu_kernel::{operation::Typed, time::Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Links, stamp};
use crate::model::{
    State,
    factor::{
        Factor, Issued, Kind, Profile, Secret, code,
        push::{self, Fate, Push},
    },
    profile::Attribute,
    user::User,
};

/// A factor.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FactorBody {
    id: SmolStr,
    factor_type: &'static str,
    provider: &'static str,
    vendor_name: &'static str,
    status: &'static str,
    created: String,
    last_updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Value>,
    #[serde(rename = "_links")]
    links: Map<String, Value>,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<Value>,
}

/// Where a factor is.
fn place(origin: &str, factor: &Factor) -> String {
    format!("{origin}/api/v1/users/{}/factors/{}", factor.user, factor.id)
}

/// Who vouches for a factor, as a name.
pub(crate) const fn vendor(kind: Kind) -> &'static str {
    match kind {
        Kind::Symantec => "SYMANTEC",
        kind => kind.provider(),
    }
}

/// What a factor shows of itself; none where it shows nothing.
pub(crate) fn profile(factor: &Factor) -> Option<Value> {
    Some(match &factor.profile {
        Profile::Empty => return None,
        Profile::Question { question, text } => json!({ "question": question, "questionText": text }),
        Profile::Phone { number, extension: None } => json!({ "phoneNumber": number }),
        Profile::Phone { number, extension } => json!({ "phoneNumber": number, "phoneExtension": extension }),
        Profile::Email(address) => json!({ "email": address }),
        Profile::Credential(credential) => json!({ "credentialId": credential }),
        Profile::Verify { credential, device } => json!({
            "credentialId": credential, "deviceType": device.r#type, "name": device.name,
            "platform": device.platform, "version": device.version,
        }),
        Profile::Key { credential, name } => json!({ "credentialId": credential, "authenticatorName": name }),
    })
}

fn links(origin: &str, factor: &Factor) -> Map<String, Value> {
    let own = place(origin, factor);
    let activate = format!("{own}/lifecycle/activate");
    let (active, kind) = (factor.is_active(), factor.kind);
    let mut links = Links::new();
    if !active && kind.is_sent() {
        let name = kind.factor_type();
        let resend = json!([{ "name": name, "href": format!("{own}/resend"), "hints": { "allow": ["POST"] } }]);
        links.0.insert("resend".to_owned(), resend);
    }
    links = match (active, kind) {
        (false, Kind::Push) => links.hint("poll", format!("{activate}/poll"), &["POST"]),
        (false, _) => links.hint("activate", activate, &["POST"]),
        (true, Kind::Question) => {
            links.hint("questions", format!("{origin}/api/v1/users/{}/factors/questions", factor.user), &["GET"])
        }
        (true, Kind::SignedNonce) => links,
        (true, _) => links.hint("verify", format!("{own}/verify"), &["POST"]),
    };
    let allow: &[&str] = if active { &["GET", "DELETE"] } else { &["GET"] };
    links.hint("self", own, allow).hint("user", format!("{origin}/api/v1/users/{}", factor.user), &["GET"]).0
}

/// What an app, phone or browser needs to know to activate a factor. Secrets are told only to whoever enrols it.
/// `base` is where the factor is for the caller.
pub(crate) fn activation(state: &State, factor: &Factor, base: &str, enrols: bool, now: Timestamp) -> Option<Value> {
    if factor.is_active() {
        return None;
    }
    let qr = || json!({ "href": format!("{base}/qr/{}", push::qr_token(factor)), "type": "image/png" });
    match (factor.kind, &factor.secret, &factor.challenge) {
        (Kind::Push, _, Some(challenge)) => {
            let send = |name: &str| {
                let href = format!("{base}/lifecycle/activate/{name}");
                json!({ "name": name, "href": href, "hints": { "allow": ["POST"] } })
            };
            let late = now >= challenge.expires;
            Some(json!({
                "expiresAt": stamp(challenge.expires),
                "factorResult": if late { "TIMEOUT" } else { "WAITING" },
                "_links": { "send": [send("email"), send("sms")], "qrcode": qr() },
            }))
        }
        (_, Secret::Shared(key), _) if enrols => Some(json!({
            "timeStep": code::STEP_SECS,
            "sharedSecret": code::base32(key),
            "encoding": "base32",
            "keyLength": code::base32(key).len(),
            "_links": { "qrcode": qr() },
        })),
        (Kind::WebAuthn, _, Some(challenge)) if enrols => {
            let user = state.users.get(&factor.user)?;
            Some(creation(state, user, factor, &challenge.text))
        }
        _ => None,
    }
}

/// The options for a browser to make a credential.
fn creation(state: &State, user: &User, factor: &Factor, challenge: &str) -> Value {
    let known = state.factors.of_user(&factor.user).into_iter().filter_map(|other| match &other.profile {
        Profile::Key { credential, .. } => Some(json!({ "type": "public-key", "id": credential })),
        _ => None,
    });
    json!({
        "attestation": "direct",
        "authenticatorSelection": { "userVerification": "preferred", "requireResidentKey": false },
        "challenge": challenge,
        "excludeCredentials": known.collect::<Vec<_>>(),
        "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
        "rp": { "name": state.org },
        "user": {
            "displayName": user.profile.full_name(),
            "name": user.profile.get(Attribute::LOGIN),
            "id": user.id,
        },
    })
}

impl FactorBody {
    /// A factor as it stands.
    pub(super) fn new(state: &State, factor: &Factor, origin: &str, now: Timestamp) -> Self {
        Self::told(state, factor, origin, now, false)
    }

    /// A factor for whoever enrols it.
    pub(super) fn enrolled(state: &State, factor: &Factor, origin: &str, now: Timestamp) -> Self {
        Self::told(state, factor, origin, now, true)
    }

    fn told(state: &State, factor: &Factor, origin: &str, now: Timestamp, enrols: bool) -> Self {
        let activation = activation(state, factor, &place(origin, factor), enrols, now);
        Self {
            id: factor.id.clone(),
            factor_type: factor.kind.factor_type(),
            provider: factor.kind.provider(),
            vendor_name: vendor(factor.kind),
            status: factor.status.text(),
            created: stamp(factor.created),
            last_updated: stamp(factor.last_updated),
            profile: profile(factor),
            links: links(origin, factor),
            embedded: activation.map(|activation| json!({ "activation": activation })),
        }
    }
}

/// What came of asking for a factor, or of proving it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResultBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    factor_result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<Value>,
    #[serde(rename = "_links", skip_serializing_if = "Option::is_none")]
    links: Option<Map<String, Value>>,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<Value>,
}

impl ResultBody {
    fn plain(factor_result: &'static str) -> Self {
        Self { expires_at: None, factor_result, profile: None, links: None, embedded: None }
    }

    /// It was proven. Security keys show themselves.
    pub(super) fn success(factor: &Factor) -> Self {
        Self { profile: profile(factor).filter(|_| factor.kind.is_key()), ..Self::plain("SUCCESS") }
    }

    /// Something was asked: 201 where a prompt waits on a phone.
    pub(super) fn issued(issued: &Issued, origin: &str) -> Typed<Self> {
        match issued {
            Issued::Challenge(factor) => Typed::ok(&Self::challenge(factor, origin)),
            Issued::Push(push) => Typed::ok(&Self::waiting(push, None, origin)).with_status(http::StatusCode::CREATED),
        }
    }

    fn challenge(factor: &Factor, origin: &str) -> Self {
        let nonce = factor.challenge.as_ref().filter(|_| factor.kind.is_key());
        Self {
            profile: profile(factor).filter(|_| factor.kind != Kind::Email),
            links: Some(verify_links(origin, factor)),
            embedded: nonce.map(|nonce| json!({ "challenge": { "challenge": nonce.text, "extensions": {} } })),
            ..Self::plain("CHALLENGE")
        }
    }

    fn waiting(push: &Push, factor: Option<&Factor>, origin: &str) -> Self {
        let own = format!("{origin}/api/v1/users/{}/factors/{}/transactions/{}", push.user, push.factor, push.id);
        Self {
            expires_at: Some(stamp(push.expires)),
            profile: factor.and_then(credential),
            links: Some(Links::new().hint("poll", own.clone(), &["GET"]).hint("cancel", own, &["DELETE"]).0),
            embedded: push.number.map(|number| json!({ "challenge": { "correctAnswer": number } })),
            ..Self::plain("WAITING")
        }
    }

    /// What has become of a prompt.
    pub(super) fn fate(push: &Push, factor: &Factor, origin: &str, now: Timestamp) -> Self {
        match push.fate_at(now) {
            Fate::Waiting => Self::waiting(push, Some(factor), origin),
            Fate::Success => Self::plain("SUCCESS"),
            over => Self {
                profile: credential(factor),
                links: Some(verify_links(origin, factor)),
                ..Self::plain(over.text())
            },
        }
    }
}

fn credential(factor: &Factor) -> Option<Value> {
    profile(factor).map(|profile| json!({ "credentialId": profile["credentialId"] }))
}

fn verify_links(origin: &str, factor: &Factor) -> Map<String, Value> {
    let own = place(origin, factor);
    Links::new().hint("verify", format!("{own}/verify"), &["POST"]).hint("factor", own, &["GET", "DELETE"]).0
}

/// A kind of factor that a person may enrol.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SupportedBody {
    factor_type: &'static str,
    provider: &'static str,
    vendor_name: &'static str,
    enrollment: &'static str,
    status: &'static str,
    #[serde(rename = "_links")]
    links: Map<String, Value>,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<Value>,
}

impl SupportedBody {
    /// A kind, and how it stands with a person.
    pub(super) fn new(state: &State, user: &User, (kind, required): (Kind, bool), origin: &str) -> Self {
        let all = format!("{origin}/api/v1/users/{}/factors", user.id);
        let own = state.factors.of_kind(&user.id, kind);
        let mut links = Links::new();
        if kind == Kind::Question {
            links = links.hint("questions", format!("{all}/questions"), &["GET"]);
        }
        Self {
            factor_type: kind.factor_type(),
            provider: kind.provider(),
            vendor_name: vendor(kind),
            enrollment: if required { "REQUIRED" } else { "OPTIONAL" },
            status: own.map_or("NOT_SETUP", |factor| factor.status.text()),
            links: links.hint("enroll", all, &["POST"]).0,
            embedded: phones(state, user, kind),
        }
    }
}

/// The phone that is known for a kind.
pub(crate) fn phones(state: &State, user: &User, kind: Kind) -> Option<Value> {
    let phone = state.factors.phone(&user.id, kind)?;
    let mut profile = json!({ "phoneNumber": phone.number });
    if let Some(extension) = &phone.extension {
        profile["phoneExtension"] = json!(extension);
    }
    Some(json!({ "phones": [{ "id": phone.factor, "profile": profile, "status": "ACTIVE" }] }))
}

/// A security question that people can choose.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuestionBody {
    /// Its key.
    pub(super) question: &'static str,
    /// Its text.
    pub(super) question_text: &'static str,
}
