//! Security keys that are set up for people before they have them: ordered from a maker, enrolled, shipped, activated.
//!
//! Requests to the maker are encrypted to a key of the maker's, so that nobody else reads them: what stands for them
//! here has their form and no content.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/WebAuthnPreregistration/.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::{
    ids::{BASE64_URL, IdShape},
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{act, find_user, no_content, stamp};
use crate::{
    Okta,
    agents::{keep, text},
    error::Error,
    input::object,
    model::{
        Act, SITE, State,
        event_type::{FACTOR_ACTIVATE, FACTOR_DEACTIVATE, PREREGISTER},
        factor,
        log::Party,
        profile::Attribute,
        shape,
        user::{Status, User},
    },
    policy::Members,
};

/// The rows of the table.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const DELETE: &[Method] = &[Method::DELETE];
    const ROOT: &str = "/webauthn-registration/api/v1/initiate-fulfillment-request";
    const ALL: &str = "/webauthn-registration/api/v1/users/{userId}/enrollments";
    const ONE: &str = "/webauthn-registration/api/v1/users/{userId}/enrollments/{authenticatorEnrollmentId}";
    const ERROR: &str =
        "/webauthn-registration/api/v1/users/{userId}/enrollments/{authenticatorEnrollmentId}/mark-error";
    let rows = vec![
        Operation::write("generateFulfillmentRequest", POST, ROOT, initiate),
        Operation::write("enrollPreregistrationEnrollment", POST, "/webauthn-registration/api/v1/enroll", enroll),
        Operation::write("activatePreregistrationEnrollment", POST, "/webauthn-registration/api/v1/activate", activate),
        Operation::write("sendPin", POST, "/webauthn-registration/api/v1/send-pin", send_pin),
        Operation::read("listWebAuthnPreregistrationFactors", GET, ALL, list),
        Operation::write("deleteWebAuthnPreregistrationFactor", DELETE, ONE, delete),
        Operation::write("assignFulfillmentErrorWebAuthnPreregistrationFactor", POST, ERROR, mark_error),
    ];
    rows.into_iter().map(|row| row.limit("users")).collect()
}

const FACTOR_ID: IdShape = shape("fwf", "preregistered webauthn");
/// How long a PIN in a message can be read, in seconds: inferred.
const PIN_LIFE: Duration = Duration::from_secs(86_400);

/// Where a person's keys are kept.
fn place(user: &str) -> String {
    format!("/webauthn-registration/api/v1/users/{user}/enrollments")
}

/// Arguments of calls that say all in the body.
#[derive(Debug, Deserialize, JsonSchema)]
struct Sent {
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

/// Somebody.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Who {
    user_id: String,
}

/// A key of somebody's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Which {
    user_id: String,
    authenticator_enrollment_id: SmolStr,
}

fn refused(about: &'static str) -> Error {
    Error::Validation { about: SmolStr::new_static(about), causes: Vec::new() }
}

/// The person of a body, for whom keys can be set up, and the one maker that there is.
fn person(state: &State, body: &Map<String, Value>) -> Result<std::sync::Arc<User>, Error> {
    if body.get("fulfillmentProvider").is_some_and(|maker| maker != "yubico") {
        return Err(Error::fields(&[("fulfillmentProvider", "The field has an invalid value")]));
    }
    let id = text(body, "userId");
    let user = state.users.get(id).cloned().ok_or_else(|| Error::not_found(id, "User"))?;
    if user.status == Status::Deprovisioned { Err(Error::NotInStatus) } else { Ok(user) }
}

fn party(id: &str) -> Party {
    Party {
        id: id.into(),
        kind: "AuthenticatorEnrollment",
        alternate_id: SmolStr::new_static("unknown"),
        display_name: SmolStr::new_static("Security Key or Biometric"),
    }
}

/// The order is an event, which a flow of the org's picks up.
fn initiate(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<()>, Error> {
    let user = person(cx.state, &args.body)?;
    let orders = args.body.get("fulfillmentData").and_then(Value::as_array).filter(|orders| !orders.is_empty());
    let orders = orders.ok_or_else(|| Error::fields(&[("fulfillmentData", "The field cannot be left blank")]))?;
    if orders.iter().any(|order| !order.is_object()) {
        return Err(Error::Malformed);
    }
    act(cx, |act| {
        act.log(&PREREGISTER, vec![Party::user(&user)]);
        Ok(())
    })?;
    Ok(no_content())
}

/// Something that looks like what is encrypted for somebody else.
fn sealed(act: &mut Act<'_, '_>) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"ECDH-ES+A256KW","enc":"A256GCM"}"#);
    let mut part = |length| act.tx.draw(SITE.child("preregistration")).text(BASE64_URL, length);
    format!("{head}.{}.{}.{}.{}", part(54), part(16), part(120), part(22))
}

fn enroll(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let user = person(cx.state, &args.body)?;
    let key = args.body.get("yubicoTransportKeyJWK");
    let fits = key.is_some_and(|key| key["kty"] == "EC" && key["crv"] == "P-384" && key["x"].is_string());
    if !fits {
        return Err(refused("webAuthnPreregistrationPinRequest"));
    }
    let parties: Vec<String> = args
        .body
        .get("enrollmentRpIds")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    if parties.is_empty() {
        return Err(refused("webAuthnPreregistrationCredentialRequest"));
    }
    let body = act(cx, |act| {
        let mut requests = Vec::new();
        for rp in &parties {
            let id = act.tx.id(&FACTOR_ID);
            let key_id = act.tx.draw(SITE.child("preregistration key")).text(BASE64_URL, 20);
            let now = stamp(act.now());
            let row = json!({
                "id": id, "factorType": "webauthn", "provider": "FIDO", "vendorName": "FIDO",
                "fulfillmentProvider": "yubico",
                "status": "PENDING_ACTIVATION", "created": now, "lastUpdated": now, "profile": { "rpId": rp },
            });
            keep(act, &place(&user.id), &id, row);
            requests.push(json!({ "authenticatorEnrollmentId": id, "credRequestJwe": sealed(act), "keyId": key_id }));
        }
        Ok(json!({
            "credRequests": requests, "fulfillmentProvider": "yubico", "pinRequestJwe": sealed(act), "userId": user.id,
        }))
    })?;
    Ok(Typed::ok(&body))
}

fn find(state: &State, user: &str, id: &str) -> Result<Members, Error> {
    state.objects.member(&place(user), id).cloned().ok_or_else(|| Error::not_found(id, "UserFactor"))
}

fn become_status(act: &mut Act<'_, '_>, user: &str, id: &str, mut row: Members, status: &str) {
    row.insert("status".to_owned(), json!(status));
    row.insert("lastUpdated".to_owned(), json!(stamp(act.now())));
    keep(act, &place(user), id, Value::Object(row));
}

/// Whether a text has the form of something encrypted.
fn is_sealed(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| text.split('.').count() == 5)
}

/// The maker's answers: what is in them nobody here can read, so that their form is all that is checked.
fn activate(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let user = person(cx.state, &args.body)?;
    if !is_sealed(args.body.get("pinResponseJwe")) {
        return Err(refused("pinResponseJwe"));
    }
    let answers = args.body.get("credResponses").and_then(Value::as_array).filter(|answers| !answers.is_empty());
    let answers = answers.ok_or_else(|| refused("webAuthnCredResponse"))?;
    let mut pending = Vec::new();
    for answer in answers {
        let id = answer["authenticatorEnrollmentId"].as_str().unwrap_or_default();
        let row = find(cx.state, &user.id, id)?;
        if !is_sealed(answer.get("credResponseJwe")) || text(&row, "status") != "PENDING_ACTIVATION" {
            return Err(refused("webAuthnCredResponse"));
        }
        pending.push((SmolStr::new(id), row));
    }
    let ids: Vec<SmolStr> = pending.iter().map(|(id, _)| id.clone()).collect();
    let serial = args.body.get("serial").cloned().unwrap_or_default();
    act(cx, |act| {
        for (id, mut row) in pending {
            row.insert("serial".to_owned(), serial.clone());
            become_status(act, &user.id, &id, row, "ACTIVE");
            act.log(&FACTOR_ACTIVATE, vec![Party::user(&user), party(&id)]);
        }
        Ok(())
    })?;
    Ok(Typed::ok(&json!({ "authenticatorEnrollmentIds": ids, "fulfillmentProvider": "yubico", "userId": user.id })))
}

/// The PIN goes to the person's mail address.
fn send_pin(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<()>, Error> {
    let user = person(cx.state, &args.body)?;
    let id = SmolStr::new(text(&args.body, "authenticatorEnrollmentId"));
    find(cx.state, &user.id, &id)?;
    act(cx, |act| {
        factor::mail(act, &user, &user.profile.get(Attribute::EMAIL).into(), &id, PIN_LIFE);
        Ok(())
    })?;
    Ok(no_content())
}

fn list(cx: &Read<'_, Okta>, args: Who) -> Result<Typed<Vec<Value>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let place = place(&user.id);
    let base = format!("{}/webauthn-registration/api/v1/users/{}/enrollments", cx.scene.request.origin, user.id);
    let shown = |(id, row): (&SmolStr, &Members)| {
        let mut shown = row.clone();
        shown.shift_remove("serial");
        let own = json!({ "self": { "href": format!("{base}/{id}"), "hints": { "allow": ["DELETE"] } } });
        shown.insert("_links".to_owned(), own);
        Value::Object(shown)
    };
    Ok(Typed::ok(&cx.state.objects.members(&place).map(shown).collect::<Vec<_>>()))
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let id = &args.authenticator_enrollment_id;
    find(cx.state, &user.id, id)?;
    act(cx, |act| {
        act.state.objects.forget(&mut act.tx.changes, &place(&user.id), id);
        act.log(&FACTOR_DEACTIVATE, vec![Party::user(&user), party(id)]);
        Ok(())
    })?;
    Ok(no_content())
}

/// The document's text names the status, and its list of statuses leaves it out.
fn mark_error(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let id = &args.authenticator_enrollment_id;
    let row = find(cx.state, &user.id, id)?;
    act(cx, |act| {
        become_status(act, &user.id, id, row, "FULFILLMENT_ERRORED");
        Ok(())
    })?;
    Ok(no_content())
}
