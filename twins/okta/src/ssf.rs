//! Shared signals: streams over which Okta tells others of sessions and credentials, and what others tell Okta.
//!
//! Streams belong to the OAuth clients that made them. What the System Log tells of a person's sessions and credentials
//! goes out as signed tokens (RFC 8417) by push (RFC 8935). Streams are kept with the generic twin's objects.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/SSFTransmitter/ and tag/SSFReceiver/.

use std::time::Duration;

use bytes::Bytes;
use dtu_contract::generic::Done;
use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    ids::ALNUM,
    operation::OperationInfo,
    time::Timestamp,
    twin::Scene,
    tx::Tx,
};
use http::{HeaderMap, HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Caller,
    agents::text,
    error::Error,
    events,
    model::{
        Act, Acting, SITE, State,
        event_type::{ACCOUNT_PASSWORD, FACTOR_ACTIVATE, FACTOR_DEACTIVATE, SESSION_CLEAR, SIGNALS_RECEIVED},
        log::{Entry, Outcome as Logged, Party},
    },
    oauth::{self, bearer, jwt::Unverified, server::Issuer},
    policy::Members,
};

/// Where streams are kept.
pub const STREAMS: &str = "/api/v1/ssf/stream";
/// Where providers are kept.
pub const PROVIDERS: &str = "/api/v1/security-events-providers";
/// Where tokens that were published are kept while their signatures are looked at.
const PUBLISHED: &str = "/security/api/v1/security-events";
/// The one operation that shows no credential but what it sends.
pub const PUBLISH: &str = "publishSecurityEventTokens";

/// A token for a stream's receiver.
pub const SET: &str = "security_event_token";
/// A provider's keys, for a token that was published.
pub const KEYS: &str = "security_event_keys";
/// What a provider says of itself.
pub const ABOUT: &str = "security_event_provider";

/// How long Okta waits for others. Its documents do not say; inferred.
pub const WAIT: Duration = Duration::from_secs(5);

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type";
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// What streams can tell of.
pub fn supported() -> [String; 2] {
    [format!("{CAEP}/session-revoked"), format!("{CAEP}/credential-change")]
}

/// Whether an operation is of streams, which belong to clients.
pub(crate) fn serves(operation: &OperationInfo) -> bool {
    operation.path.starts_with(STREAMS) || operation.id == PUBLISH
}

/// Who calls: an OAuth client with the scope, whatever roles it has. Whoever publishes a token shows it by the token.
///
/// # Errors
/// No access token, or one that is not believed or lacks the scope.
pub(crate) fn caller(state: &State, scene: &Scene<'_>) -> Result<Caller, Error> {
    if scene.operation.id == PUBLISH {
        return Ok(oauth::nobody(state, scene));
    }
    if bearer::is_shown(scene.request) { bearer::believed(state, scene) } else { Err(Error::Forbidden) }
}

/// A client's stream.
pub fn of_client<'a>(state: &'a State, client: &str) -> Option<(&'a SmolStr, &'a Members)> {
    state.objects.members(STREAMS).find(|(_, stream)| text(stream, "client") == client)
}

/// The events that a stream tells of: those asked for that there are.
pub fn delivered_events(stream: &Members) -> Vec<String> {
    let asked = stream.get("events_requested").and_then(Value::as_array).cloned().unwrap_or_default();
    supported().into_iter().filter(|known| asked.iter().any(|one| one == known.as_str())).collect()
}

/// A token on its way.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    stream: SmolStr,
    issuer: SmolStr,
    jti: String,
    at: Timestamp,
    events: Value,
}

/// Sends one event over a stream.
fn tell(act: &mut Act<'_, '_>, stream: &SmolStr, events: Value) {
    let jti = act.tx.draw(SITE.child("security event token")).uuid();
    let told = Told { stream: stream.clone(), issuer: act.tx.origin.clone(), jti, at: act.tx.now, events };
    act.tx.deliver(SET, json!(told));
}

/// Sends a verification event, with what the receiver wants to get back.
pub fn verify(act: &mut Act<'_, '_>, stream: &SmolStr, state: Option<&str>) {
    let mut event = json!({});
    if let Some(state) = state {
        event["state"] = json!(state);
    }
    tell(act, stream, json!({ VERIFICATION: event }));
}

/// What an entry of the log is as an event of a stream.
fn event(entry: &Entry, issuer: &str) -> Option<(String, Value)> {
    let user =
        entry.targets.iter().find(|target| target.kind == "User").filter(|_| entry.outcome == Logged::SUCCESS)?;
    let admin = entry.actor.id != user.id;
    let mut body = json!({
        "event_timestamp": entry.published.as_secs() * 1_000,
        "subject": { "user": { "format": "iss_sub", "iss": issuer, "sub": user.id } },
        "initiating_entity": if admin { "admin" } else { "user" },
    });
    let change = match entry.event {
        event if *event == SESSION_CLEAR => return Some((format!("{CAEP}/session-revoked"), body)),
        event if *event == ACCOUNT_PASSWORD => ("password", "update"),
        event if *event == FACTOR_ACTIVATE => ("app", "create"),
        event if *event == FACTOR_DEACTIVATE => ("app", "delete"),
        _ => return None,
    };
    body["credential_type"] = json!(change.0);
    body["change_type"] = json!(change.1);
    Some((format!("{CAEP}/credential-change"), body))
}

/// Ends a write: what it logged of sessions and credentials goes out over the streams that asked for it.
pub(crate) fn follow(act: &mut Act<'_, '_>) {
    if act.state.objects.members(STREAMS).next().is_none() {
        return;
    }
    let issuer = act.tx.origin.clone();
    let logged = act.logged().filter_map(|seq| act.state.log.get(seq));
    let events: Vec<(String, Value)> = logged.filter_map(|entry| event(entry, &issuer)).collect();
    let streams: Vec<(SmolStr, Vec<String>)> =
        act.state.objects.members(STREAMS).map(|(id, stream)| (id.clone(), delivered_events(stream))).collect();
    for (name, body) in &events {
        for (id, _) in streams.iter().filter(|(_, wanted)| wanted.contains(name)) {
            tell(act, id, json!({ name.as_str(): body }));
        }
    }
}

/// What comes of a change of a provider: one that says where its configuration is is asked for it.
pub(crate) fn provider_changed(act: &mut Act<'_, '_>, done: &Done) {
    let settings = done.after.as_ref().and_then(|after| after.get("settings"));
    let address = settings.and_then(|settings| settings.get("well_known_url")?.as_str());
    let before = done.before.as_ref().and_then(|before| before.get("settings"));
    if let Some(address) = address.filter(|_| before != settings) {
        act.tx.deliver(ABOUT, json!({ "provider": done.id, "url": address }));
    }
}

/// Builds an attempt; none where what it is about has gone.
pub fn prepare(state: &State, delivery: &Delivery) -> Option<Outbound> {
    if delivery.kind != SET {
        let url = delivery.payload.get("url")?.as_str()?.to_owned();
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]);
        return Some(Outbound { method: Method::GET, url, headers, body: Bytes::new(), timeout: WAIT, redirects: 0 });
    }
    let told: Told = serde_json::from_value(delivery.payload.clone()).ok()?;
    let stream = state.objects.member(STREAMS, &told.stream)?;
    let claims = json!({
        "iss": told.issuer,
        "aud": stream.get("aud"),
        "jti": told.jti,
        "iat": told.at.as_secs(),
        "sub_id": { "format": "opaque", "id": told.stream },
        "events": told.events,
    });
    let issuer = Issuer::named(state, &told.issuer, "").ok()?;
    let token = issuer.sign(told.at, "secevent+jwt", claims.as_object()?);
    let delivered = stream.get("delivery")?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/secevent+jwt"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let credential = delivered.get("authorization_header").and_then(Value::as_str);
    if let Some(value) = credential.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(header::AUTHORIZATION, value);
    }
    let url = delivered.get("endpoint_url")?.as_str()?.to_owned();
    Some(Outbound { method: Method::POST, url, headers, body: token.into(), timeout: WAIT, redirects: 0 })
}

/// Takes in what came of an attempt. Tokens are sent once: whether Okta tries again its documents do not say.
pub fn delivered(state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
    let mut by = Acting::system();
    by.transaction.id = tx.draw(SITE.child("security event jobs")).text(ALNUM, 20).into();
    let mut act = Act::new(state, tx, by);
    let body: Option<Value> = match outcome {
        Outcome::Answered { status: 200, body, .. } => serde_json::from_slice(body).ok(),
        _ => None,
    };
    match delivery.kind.as_str() {
        KEYS => take_in(&mut act, &delivery.payload, body.as_ref()),
        ABOUT => learn(&mut act, &delivery.payload, body.as_ref()),
        _ => {}
    }
    events::announce(&mut act);
    Next::Done
}

/// A provider has said who it is and where its keys are.
fn learn(act: &mut Act<'_, '_>, payload: &Value, said: Option<&Value>) {
    let id = payload["provider"].as_str().unwrap_or_default();
    let (Some(mut provider), Some(said)) = (act.state.objects.member(PROVIDERS, id).cloned(), said) else { return };
    if let Some(settings) = provider.get_mut("settings") {
        settings["issuer"] = said["issuer"].clone();
        settings["jwks_url"] = said["jwks_uri"].clone();
    }
    act.state.objects.keep(&mut act.tx.changes, PROVIDERS, id, provider);
}

/// Why a token is not taken: the code and the words of the answer.
pub type Refused = (&'static str, String);

/// Looks at a token that was published, and asks for its provider's keys; the present call waits for them.
///
/// # Errors
/// What is no such token, is of nobody whom the org listens to, or is for somebody else.
pub fn receive(act: &mut Act<'_, '_>, token: &str, origin: &str) -> Result<(), Refused> {
    let request = |why: &str| ("invalid_request", format!("Failed claim validation in security event token. {why}"));
    let read = Unverified::read(token).ok_or_else(|| request("The token cannot be read."))?;
    if read.head("typ") != Some("secevent+jwt") {
        return Err(request("'typ': The field has an invalid value"));
    }
    for name in ["iss", "aud", "jti"] {
        if read.claim(name).is_none_or(str::is_empty) {
            return Err(request(&format!("'{name}': The field cannot be left blank")));
        }
    }
    if read.seconds("iat").is_none() {
        return Err(request("'iat': The field cannot be left blank"));
    }
    if read.claims.get("events").and_then(Value::as_object).is_none_or(serde_json::Map::is_empty) {
        return Err(request("'events': The field cannot be left blank"));
    }
    let issuer = read.claim("iss").unwrap_or_default();
    let of = |provider: &Members| provider.get("settings").is_some_and(|settings| settings["issuer"] == issuer);
    let mut providers = act.state.objects.members(PROVIDERS);
    let found = providers.find(|(_, provider)| of(provider) && text(provider, "status") == "ACTIVE");
    let found = found.map(|(id, provider)| (id.clone(), provider["settings"]["jwks_url"].clone()));
    drop(providers);
    let (id, url) =
        found.ok_or_else(|| ("invalid_issuer", "The issuer is not one of an active provider.".to_owned()))?;
    if read.claim("aud").map(|aud| aud.trim_end_matches('/')) != Some(origin) {
        return Err(("invalid_audience", "The audience is not this org.".to_owned()));
    }
    let key = key_of(token);
    let row = json!({ "status": "pending", "token": token, "provider": id });
    crate::agents::keep(act, PUBLISHED, &key, row);
    act.tx.deliver_and_wait(KEYS, json!({ "published": key, "url": url }));
    Ok(())
}

/// Under what a published token is kept.
fn key_of(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex()[..32].to_owned()
}

/// What came of a published token, once its provider's keys were asked for.
///
/// # Errors
/// Why it is not taken.
pub fn outcome(state: &State, token: &str) -> Result<(), Refused> {
    let row = state.objects.member(PUBLISHED, &key_of(token));
    match row.map(|row| text(row, "status")) {
        Some("accepted") => Ok(()),
        Some("unsigned") => Err(("authentication_failed", "The signature does not hold.".to_owned())),
        _ => Err(("invalid_key", "The key of the token cannot be found.".to_owned())),
    }
}

/// The keys of a provider have come, or not: a token that one of them signed is told to the System Log.
fn take_in(act: &mut Act<'_, '_>, payload: &Value, keys: Option<&Value>) {
    let id = payload["published"].as_str().unwrap_or_default();
    let Some(mut row) = act.state.objects.member(PUBLISHED, id).cloned() else { return };
    let token = text(&row, "token").to_owned();
    let Some(read) = Unverified::read(&token) else { return };
    let keys = keys.and_then(|keys| keys["keys"].as_array()).into_iter().flatten();
    let named: Vec<&Value> = keys.filter(|key| key["kid"].as_str() == read.head("kid")).collect();
    let status = match named.as_slice() {
        [] => "unknown",
        keys if keys.iter().any(|key| read.is_signed_by(key)) => "accepted",
        _ => "unsigned",
    };
    row.insert("status".to_owned(), json!(status));
    let provider = SmolStr::new(text(&row, "provider"));
    crate::agents::keep(act, PUBLISHED, id, Value::Object(row));
    if status == "accepted" {
        let named = act.state.objects.member(PROVIDERS, &provider).map(|one| SmolStr::new(text(one, "name")));
        let mut targets = vec![Party {
            id: provider,
            kind: "SecurityEventsProvider",
            alternate_id: SmolStr::new_static("unknown"),
            display_name: named.unwrap_or_default(),
        }];
        targets.extend(subject(act.state, &read));
        act.log(&SIGNALS_RECEIVED, targets);
    }
}

/// The person whom a token is about, where the org has them.
fn subject(state: &State, token: &Unverified<'_>) -> Option<Party> {
    let events = token.claims.get("events")?.as_object()?;
    let user = &events.values().next()?["subject"]["user"];
    let name = user["email"].as_str().or_else(|| user["sub"].as_str())?;
    state.users.find(name).map(|user| Party::user(user))
}
