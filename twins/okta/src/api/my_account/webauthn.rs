//! One's own security keys and passkeys.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Body, DELETE, GET, LIMIT, Nothing, POST, Sent, Which, link, only, own, text};
use crate::{
    Okta,
    api::{act, no_content, stamp},
    error::Error,
    model::{
        State,
        factor::{self, Enrolment, Factor, Kind, Profile, Proof, Verdict},
        user::User,
    },
};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/idp/myaccount/webauthn";
    const ONE: &str = "/idp/myaccount/webauthn/{id}";
    const START: &str = "/idp/myaccount/webauthn/registration";
    vec![
        Operation::read("listWebAuthn", GET, ALL, list).limit(LIMIT),
        Operation::write("createWebAuthnEnrollment", POST, ALL, create).limit(LIMIT),
        Operation::write("startWebAuthnEnrollment", POST, START, start).limit(LIMIT),
        Operation::read("getWebAuthn", GET, ONE, get).limit(LIMIT),
        Operation::write("deleteWebAuthn", DELETE, ONE, delete).limit(LIMIT),
    ]
}

/// The most keys of one person
/// (help.okta.com/oie/en-us/content/topics/identity-engine/authenticators/configure-webauthn.htm).
const KEYS_MAX: usize = 10;
/// ES256 and RS256, as COSE numbers them.
const ALGORITHMS: [i64; 2] = [-7, -257];

fn keys(state: &State, user: &User) -> Vec<Arc<Factor>> {
    let own = state.factors.of_user(&user.id).into_iter();
    own.filter(|factor| factor.kind == Kind::WebAuthn).collect()
}

fn in_use(state: &State, user: &User) -> Vec<Arc<Factor>> {
    keys(state, user).into_iter().filter(|factor| factor.is_active()).collect()
}

fn credential(factor: &Factor) -> &str {
    match &factor.profile {
        Profile::Key { credential, .. } => credential,
        _ => "",
    }
}

fn shown(scene: &Scene<'_>, factor: &Factor) -> Value {
    let name = match &factor.profile {
        Profile::Key { name, .. } => name.as_str(),
        _ => "",
    };
    json!({
        "id": factor.id,
        "key": "webauthn",
        "type": "security_key",
        "status": "ACTIVE",
        "name": name,
        "credentialId": credential(factor),
        "created": stamp(factor.created),
        "lastUpdated": stamp(factor.last_updated),
        "_links": { "self": link(scene, &format!("/webauthn/{}", factor.id), &["GET", "DELETE"]) },
    })
}

fn find(state: &State, user: &User, id: &str) -> Result<Arc<Factor>, Error> {
    let found = in_use(state, user).into_iter().find(|factor| factor.id == id);
    found.ok_or_else(|| Error::not_found(id, "WebAuthn"))
}

/// The document describes one where its text lists all.
fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<Value>>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let all = in_use(cx.state, &user);
    Ok(Typed::ok(&all.iter().map(|factor| shown(cx.scene, factor)).collect::<Vec<_>>()))
}

fn get(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    find(cx.state, &user, &args.id).map(|factor| Typed::ok(&shown(cx.scene, &factor)))
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let factor = find(cx.state, &user, &args.id)?;
    act(cx, |act| factor::unenroll(act, &user, &factor, false))?;
    Ok(no_content())
}

fn full(state: &State, user: &User) -> Result<(), Error> {
    if in_use(state, user).len() < KEYS_MAX {
        return Ok(());
    }
    let cause = "This user account has reached the maximum number of enrolled Passkey authenticators.";
    Err(Error::invalid("Exceeded cardinality max", cause))
}

/// Arguments of `startWebAuthnEnrollment`, which may have a body without members.
#[derive(Debug, Deserialize, JsonSchema)]
struct Start {
    #[serde(default)]
    body: Body,
}

/// A ceremony that was begun before is begun anew.
fn start(cx: &mut Write<'_, '_, Okta>, args: Start) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &[])?;
    full(cx.state, &user)?;
    let started = act(cx, |act| factor::enroll(act, &user, &Enrolment::of(Kind::WebAuthn)));
    let factor = started.map_err(|error| match error {
        Error::Validation { .. } => Error::Worded {
            code: "E0000038",
            summary: "WebAuthn enrollment is not allowed.".to_owned(),
            causes: vec!["WebAuthn is not enabled for the org.".to_owned()],
        },
        other => other,
    })?;
    let Some(challenge) = &factor.challenge else { return Err(Error::coded("E0000009")) };
    let known = in_use(cx.state, &user);
    let known: Vec<Value> =
        known.iter().map(|factor| json!({ "type": "public-key", "id": credential(factor) })).collect();
    let algorithms = ALGORITHMS.map(|alg| json!({ "type": "public-key", "alg": alg }));
    Ok(Typed::ok(&json!({
        "expiresAt": stamp(challenge.expires),
        "options": {
            "rp": { "name": cx.state.org },
            "user": { "id": user.id, "name": user.login(), "displayName": user.profile.full_name() },
            "pubKeyCredParams": algorithms,
            "challenge": challenge.text,
            "attestation": "direct",
            "authenticatorSelection": {
                "userVerification": "preferred", "residentKey": "discouraged", "requireResidentKey": false,
            },
            "u2fParams": { "appid": cx.scene.request.origin },
            "excludeCredentials": known,
        },
        "_links": { "enroll": link(cx.scene, "/webauthn", &["POST"]) },
    })))
}

/// The ceremony's end. What a key says of itself beside its attestation is taken, and changes nothing.
fn create(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["attestation", "clientData", "clientExtensions", "transports"])?;
    let proof = Proof {
        attestation: Some(SmolStr::new(text(&args.body, "attestation")?)),
        client_data: Some(SmolStr::new(text(&args.body, "clientData")?)),
        ..Proof::default()
    };
    full(cx.state, &user)?;
    let waiting = keys(cx.state, &user).into_iter().find(|factor| !factor.is_active());
    let waiting = waiting.ok_or_else(|| Error::not_found(&user.id, "WebAuthn"))?;
    let verdict = act(cx, |act| factor::activate(act, &user, &waiting, &proof))?;
    Ok(match verdict {
        Verdict::Right(factor) => Typed::ok(&shown(cx.scene, &factor)),
        Verdict::Wrong(refusal) => Typed::from_answer(refusal.answer(cx.scene.request_bits).0),
    })
}
