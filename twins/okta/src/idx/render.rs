//! How transactions are shown.

use dtu_kernel::twin::Scene;
use serde_json::{Map, Value, json};

use super::{
    forms::Desk,
    ion,
    message::{Refusal, Refused},
    method::Method,
    transaction::{Idx, Step},
};
use crate::{
    api::stamp,
    authn::{mfa, render as people},
    error::Error,
    model::{
        State,
        authorization_server::Server,
        factor::{Factor, Kind, Profile, Secret, code, push},
        profile::Attribute,
    },
    policy,
};

/// A refusal that leaves no trace, with the transaction as it was.
pub fn refused(state: &State, scene: &Scene<'_>, handle: &str, idx: &Idx, refusal: &Refusal) -> Error {
    let body = shown(state, &scene.request.origin, handle, idx, Some(refusal));
    let ion = ion::takes(scene.request);
    Error::Idx(Box::new(Refused { status: refusal.status, key: refusal.key.clone(), body, ion }))
}

/// Where a transaction stands, and what was refused.
pub fn shown(state: &State, origin: &str, handle: &str, idx: &Idx, refusal: Option<&Refusal>) -> Value {
    let desk = Desk { state, origin, handle, idx, user: state.users.get(&idx.sign.user) };
    let mut body = Map::new();
    let mut add = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    add("version", json!(ion::VERSION));
    add("stateHandle", json!(handle));
    add("expiresAt", json!(stamp(idx.expires)));
    add("intent", json!(if idx.registers { "ENROLL_NEW_USER" } else { "LOGIN" }));
    let terminal = refusal.is_some_and(|refusal| refusal.terminal);
    let mut forms = if terminal { Vec::new() } else { desk.all() };
    if let Some(refusal) = refusal {
        let at_field = refusal.field.as_ref().is_some_and(|field| mark(&mut forms, field, refusal));
        if !at_field {
            add("messages", refusal.shown());
        }
    }
    if !forms.is_empty() {
        add("remediation", ion::array(forms));
    }
    if !terminal {
        for (name, value) in about(&desk) {
            add(name, value);
        }
        add("cancel", desk.form("cancel", "/cancel", Vec::new()));
    }
    if let Some(app) = app(state, idx) {
        add("app", app);
    }
    if let Some(code) = idx.code.as_ref().filter(|_| idx.step == Step::Done) {
        add("successWithInteractionCode", success(state, origin, idx, code));
    }
    Value::Object(body)
}

/// Puts a refusal at the first field of its name; whether there is one.
fn mark(forms: &mut [Value], field: &str, refusal: &Refusal) -> bool {
    forms.iter_mut().any(|form| {
        if form.get("name").is_some_and(|name| name == field) {
            form["messages"] = refusal.shown();
            return true;
        }
        let inner = match form.get("form") {
            Some(_) => form.pointer_mut("/form/value"),
            None => form.get_mut("value"),
        };
        inner.and_then(Value::as_array_mut).is_some_and(|fields| mark(fields, field, refusal))
    })
}

/// What there is beside the forms: authenticators, enrolments, the person.
fn about(desk: &Desk<'_>) -> Vec<(&'static str, Value)> {
    let (state, idx) = (desk.state, desk.idx);
    let mut all = Vec::new();
    if let Some(current) = current(desk) {
        all.push((desk.current(), ion::typed(&current)));
    }
    if matches!(idx.step, Step::SelectEnroll | Step::EnrollData | Step::Enroll) {
        let offers = desk.offers().iter().map(|methods| methods[0].shown(state, methods)).collect();
        all.push(("authenticators", ion::array(offers)));
    }
    if matches!(idx.step, Step::Select | Step::Data | Step::Challenge) {
        let own = desk.choices().into_iter().map(|(methods, factor)| {
            let mut one = methods[0].shown(state, &methods);
            if let Some(profile) = factor.as_deref().and_then(profile) {
                one["profile"] = profile;
            }
            one
        });
        all.push(("authenticatorEnrollments", ion::array(own.collect())));
    }
    if !idx.identifier.is_empty() {
        all.push(("user", ion::typed(&person(desk))));
    }
    all
}

/// The person: by name alone before they have shown who they are.
fn person(desk: &Desk<'_>) -> Value {
    let mut shown = json!({ "identifier": desk.idx.identifier });
    let known = desk.user.filter(|_| desk.idx.registers || desk.idx.sign.proof.password.is_some());
    if let Some(user) = known {
        shown["id"] = json!(user.id);
        shown["profile"] = people::user(user)["profile"].clone();
        if let Some(profile) = shown["profile"].as_object_mut() {
            profile.shift_remove("login");
        }
    }
    shown
}

/// What of a phone number or mail address may be seen.
fn profile(factor: &Factor) -> Option<Value> {
    match &factor.profile {
        Profile::Phone { number, .. } => Some(json!({ "phoneNumber": mfa::masked_number(number) })),
        Profile::Email(address) => Some(json!({ "email": mfa::masked_address(address) })),
        Profile::Verify { device, .. } => Some(json!({ "deviceName": device.name })),
        _ => None,
    }
}

/// The authenticator that is in use or being enrolled.
fn current(desk: &Desk<'_>) -> Option<Value> {
    let (state, idx) = (desk.state, desk.idx);
    let method = match idx.step {
        Step::Identify | Step::Reset | Step::Expired | Step::Warning => Method::Password,
        Step::Data | Step::Challenge | Step::EnrollData | Step::Enroll => idx.with?,
        _ => return None,
    };
    let mut shown = method.shown(state, &[method]);
    let factor = idx.sign.factor.as_ref().and_then(|id| state.factors.get(&idx.sign.user, id));
    if let Some(profile) = factor.and_then(|factor| profile(factor)) {
        shown["profile"] = profile;
    } else if method == Method::Factor(Kind::Email)
        && let Some(user) = desk.user
    {
        shown["profile"] = json!({ "email": mfa::masked_address(user.profile.get(Attribute::EMAIL)) });
    }
    let resends = matches!(idx.step, Step::Challenge | Step::Enroll) && method.kind().is_some_and(Kind::is_sent);
    if resends {
        shown["resend"] = desk.form("resend", "/challenge/resend", Vec::new());
    }
    if method == Method::Password && matches!(idx.step, Step::Identify | Step::Challenge) && !idx.recovers {
        shown["recover"] = desk.form("recover", "/recover", Vec::new());
    }
    if matches!(idx.step, Step::Reset | Step::Expired | Step::Warning | Step::Enroll) && method == Method::Password {
        shown["settings"] = rules(desk);
    }
    if let Some(context) = context(desk, method, factor.map(std::convert::AsRef::as_ref)) {
        shown["contextualData"] = context;
    }
    Some(shown)
}

/// What a new password must be.
fn rules(desk: &Desk<'_>) -> Value {
    let Some(user) = desk.user else { return json!({}) };
    people::requirements(&policy::password(desk.state, user))
}

/// What an app, phone or browser needs to know.
fn context(desk: &Desk<'_>, method: Method, factor: Option<&Factor>) -> Option<Value> {
    let enrolls = desk.idx.step == Step::Enroll;
    let qr = |factor: &Factor| {
        let href =
            format!("{}/api/v1/users/{}/factors/{}/qr/{}", desk.origin, factor.user, factor.id, push::qr_token(factor));
        json!({ "method": "embedded", "href": href, "type": "image/png" })
    };
    match (method.kind()?, factor) {
        (Kind::Question, None) if enrolls => {
            use crate::model::factor::question::QUESTIONS;
            let keys: Vec<&str> = QUESTIONS.iter().map(|(key, _)| *key).collect();
            let all = QUESTIONS.iter().map(|(key, text)| json!({ "questionKey": key, "question": text }));
            Some(json!({ "questions": all.collect::<Vec<_>>(), "questionKeys": keys }))
        }
        (Kind::Question, _) => {
            let (key, text) = desk.question();
            Some(json!({ "enrolledQuestion": { "questionKey": key, "question": text } }))
        }
        (Kind::Push, Some(factor)) if enrolls => Some(json!({ "qrcode": qr(factor), "selectedChannel": "qrcode" })),
        (Kind::GoogleTotp, Some(factor)) if enrolls => match &factor.secret {
            Secret::Shared(key) => Some(json!({ "qrcode": qr(factor), "sharedSecret": code::base32(key) })),
            _ => None,
        },
        (Kind::WebAuthn, Some(factor)) if enrolls => {
            let base = format!("{}/idp/idx", desk.origin);
            let options = crate::api::factor_body::activation(desk.state, factor, &base, true, desk.idx.expires)?;
            Some(json!({ "activationData": options }))
        }
        (Kind::WebAuthn, Some(factor)) => {
            let nonce = &factor.challenge.as_ref()?.text;
            Some(json!({ "challengeData": { "challenge": nonce, "userVerification": "preferred", "extensions": {} } }))
        }
        (Kind::Push, Some(factor)) => {
            let number = desk.state.factors.latest(&factor.id)?.number?;
            Some(json!({ "correctAnswer": number }))
        }
        _ => None,
    }
}

/// The app that the person is on the way to.
fn app(state: &State, idx: &Idx) -> Option<Value> {
    let client = state.clients.get(&idx.asked.client)?;
    let app = state.apps.get(&client.app)?;
    Some(ion::typed(&json!({ "name": app.name, "label": app.label, "id": app.id })))
}

/// The code, and how it becomes tokens.
fn success(state: &State, origin: &str, idx: &Idx, code: &str) -> Value {
    let server = state.servers.find(&idx.asked.server).map(|server| Server::path_name(server));
    let endpoint = server.map_or_else(|| "/oauth2/v1/token".to_owned(), |name| format!("/oauth2/{name}/v1/token"));
    let field = |name: &str, value: &str| json!({ "name": name, "required": true, "value": value });
    let mut fields = vec![
        field("grant_type", super::INTERACTION),
        field("interaction_code", code),
        field("client_id", &idx.asked.client),
    ];
    let has_secret = state.clients.get(&idx.asked.client).is_some_and(|client| !client.secrets.is_empty());
    if has_secret {
        fields.push(json!({ "name": "client_secret", "required": true }));
    }
    fields.push(json!({ "name": "code_verifier", "required": true }));
    json!({
        "rel": ["create-form"],
        "name": "issue",
        "href": format!("{origin}{endpoint}"),
        "method": "POST",
        "value": fields,
        "accepts": "application/x-www-form-urlencoded",
    })
}
