//! Streams of shared signals, and tokens that others publish.

use dtu_kernel::{
    ids::IdShape,
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
    wire::Answer,
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{act, no_content};
use crate::{
    Caller, Okta,
    agents::{keep, text},
    error::Error,
    input::object,
    model::{
        State,
        event_type::{SIGNALS_STREAM_CREATE, SIGNALS_STREAM_DELETE},
        log::Party,
        shape,
    },
    policy::Members,
    ssf::{self, PUBLISH, Refused, STREAMS},
};

/// The rows of the table.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const PUT: &[Method] = &[Method::PUT];
    const PATCH: &[Method] = &[Method::PATCH];
    const DELETE: &[Method] = &[Method::DELETE];
    let rows = vec![
        Operation::read("getSsfStreams", GET, STREAMS, get),
        Operation::write("createSsfStream", POST, STREAMS, create),
        Operation::write("replaceSsfStream", PUT, STREAMS, replace),
        Operation::write("updateSsfStream", PATCH, STREAMS, update),
        Operation::write("deleteSsfStream", DELETE, STREAMS, delete),
        Operation::read("getSsfStreamStatus", GET, "/api/v1/ssf/stream/status", status),
        Operation::write("verifySsfStream", POST, "/api/v1/ssf/stream/verification", verify),
        Operation::write(PUBLISH, POST, "/security/api/v1/security-events", publish).then(published),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

const STREAM_ID: IdShape = shape("esc", "security event stream");
/// By push, as the standard names it and as its draft did.
const METHODS: [&str; 2] = ["https://schemas.openid.net/secevent/risc/delivery-method/push", "urn:ietf:rfc:8935"];
/// The most events that a receiver can ask for, and the longest name of one, by the document.
const EVENTS_MAX: usize = 50;
const EVENT_MAX: usize = 256;

/// Arguments that may name a stream.
#[derive(Debug, Deserialize, JsonSchema)]
struct Named {
    stream_id: Option<String>,
}

/// Arguments of calls that say all in the body.
#[derive(Debug, Deserialize, JsonSchema)]
struct Sent {
    #[serde(deserialize_with = "object")]
    body: Map<String, Value>,
}

fn client(caller: &Caller) -> Result<&SmolStr, Error> {
    caller.client.as_ref().ok_or(Error::Forbidden)
}

/// The caller's stream, which must be the one that is named.
fn find<'a>(state: &'a State, caller: &Caller, named: Option<&str>) -> Result<(SmolStr, &'a Members), Error> {
    let client = client(caller)?;
    let named = named.filter(|name| !name.is_empty());
    let missing = || Error::not_found(named.unwrap_or(client), "StreamConfiguration");
    let (id, stream) = ssf::of_client(state, client).ok_or_else(missing)?;
    if named.is_some_and(|name| *id != name) { Err(missing()) } else { Ok((id.clone(), stream)) }
}

/// A stream as its receiver sees it. What it shows to the receiver's endpoint stays with Okta.
fn shown(scene: &Scene<'_>, id: &str, stream: &Members) -> Value {
    let delivery = stream.get("delivery").cloned().unwrap_or_default();
    json!({
        "stream_id": id,
        "iss": scene.request.origin,
        "aud": stream.get("aud"),
        "delivery": { "method": delivery["method"], "endpoint_url": delivery["endpoint_url"] },
        "events_requested": stream.get("events_requested"),
        "events_supported": ssf::supported(),
        "events_delivered": ssf::delivered_events(stream),
        "format": "iss_sub",
        "min_verification_interval": 0,
    })
}

/// One stream where it is named, or else all of the caller's.
fn get(cx: &Read<'_, Okta>, args: Named) -> Result<Typed<Value>, Error> {
    let named = args.stream_id.as_deref();
    if named.is_some() {
        return find(cx.state, cx.caller, named).map(|(id, stream)| Typed::ok(&shown(cx.scene, &id, stream)));
    }
    let own = ssf::of_client(cx.state, client(cx.caller)?);
    let all: Vec<Value> = own.into_iter().map(|(id, stream)| shown(cx.scene, id, stream)).collect();
    Ok(Typed::ok(&json!(all)))
}

fn wrong(field: &'static str) -> Error {
    Error::fields(&[(field, "The field has an invalid value")])
}

/// What a body says of a stream, checked; `whole` where all must be there.
fn read(body: &Map<String, Value>, whole: bool) -> Result<Members, Error> {
    const OWN: [&str; 6] =
        ["aud", "events_delivered", "events_supported", "iss", "min_verification_interval", "stream_id"];
    const SAID: [&str; 3] = ["delivery", "events_requested", "format"];
    if body.keys().any(|name| !OWN.contains(&name.as_str()) && !SAID.contains(&name.as_str())) {
        return Err(Error::Malformed);
    }
    let mut stream = Members::new();
    match body.get("events_requested") {
        None if whole => return Err(Error::fields(&[("events_requested", "The field cannot be left blank")])),
        None => {}
        Some(events) => {
            let fits =
                |event: &Value| event.as_str().is_some_and(|event| event.contains(':') && event.len() <= EVENT_MAX);
            let all = events.as_array().ok_or(Error::Malformed)?;
            if all.is_empty() || all.len() > EVENTS_MAX || !all.iter().all(fits) {
                return Err(wrong("events_requested"));
            }
            stream.insert("events_requested".to_owned(), events.clone());
        }
    }
    match body.get("delivery") {
        None if whole => return Err(Error::fields(&[("delivery", "The field cannot be left blank")])),
        None => {}
        Some(delivery) => {
            let address = delivery["endpoint_url"].as_str().filter(|url| url.contains("://"));
            let address = address.ok_or_else(|| wrong("endpoint_url"))?;
            if !delivery["method"].as_str().is_some_and(|method| METHODS.contains(&method)) {
                return Err(wrong("method"));
            }
            stream.insert("aud".to_owned(), json!(address));
            stream.insert("delivery".to_owned(), delivery.clone());
        }
    }
    if body.get("format").is_some_and(|format| format != "iss_sub") {
        return Err(wrong("format"));
    }
    Ok(stream)
}

fn party(id: &str) -> Party {
    let unknown = || SmolStr::new_static("unknown");
    Party { id: id.into(), kind: "SecurityEventsStream", alternate_id: unknown(), display_name: unknown() }
}

/// A client has one stream at most.
fn create(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let client = client(cx.caller)?.clone();
    let mut stream = read(&args.body, true)?;
    if ssf::of_client(cx.state, &client).is_some() {
        let summary = "Api validation failed due to conflict: stream".to_owned();
        let cause = "A stream exists already for the client.".to_owned();
        return Err(Error::Worded { code: "E0000195", summary, causes: vec![cause] });
    }
    stream.insert("client".to_owned(), json!(client));
    stream.insert("status".to_owned(), json!("enabled"));
    let id = act(cx, |act| {
        let id = act.tx.id(&STREAM_ID);
        keep(act, STREAMS, &id, Value::Object(stream.clone()));
        act.log(&SIGNALS_STREAM_CREATE, vec![party(&id)]);
        Ok(id)
    })?;
    Ok(Typed::ok(&shown(cx.scene, &id, &stream)).with_status(StatusCode::CREATED))
}

fn write(cx: &mut Write<'_, '_, Okta>, body: &Map<String, Value>, whole: bool) -> Result<Typed<Value>, Error> {
    let changes = read(body, whole)?;
    let (id, known) = find(cx.state, cx.caller, body.get("stream_id").and_then(Value::as_str))?;
    let mut stream = known.clone();
    stream.extend(changes);
    act(cx, |act| {
        keep(act, STREAMS, &id, Value::Object(stream.clone()));
        Ok(())
    })?;
    Ok(Typed::ok(&shown(cx.scene, &id, &stream)))
}

fn replace(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    write(cx, &args.body, true)
}

fn update(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    write(cx, &args.body, false)
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Named) -> Result<Typed<()>, Error> {
    let (id, _) = find(cx.state, cx.caller, args.stream_id.as_deref())?;
    act(cx, |act| {
        act.state.objects.forget(&mut act.tx.changes, STREAMS, &id);
        act.log(&SIGNALS_STREAM_DELETE, vec![party(&id)]);
        Ok(())
    })?;
    Ok(no_content())
}

fn status(cx: &Read<'_, Okta>, args: Named) -> Result<Typed<Value>, Error> {
    let (id, stream) = find(cx.state, cx.caller, args.stream_id.as_deref())?;
    Ok(Typed::ok(&json!({ "stream_id": id, "status": text(stream, "status") })))
}

fn verify(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<()>, Error> {
    let named = text(&args.body, "stream_id");
    if named.is_empty() {
        return Err(Error::fields(&[("stream_id", "The field cannot be left blank")]));
    }
    let (id, _) = find(cx.state, cx.caller, Some(named))?;
    let state = args.body.get("state").and_then(Value::as_str).map(str::to_owned);
    act(cx, |act| {
        ssf::verify(act, &id, state.as_deref());
        Ok(())
    })?;
    Ok(no_content())
}

/// Arguments of `publishSecurityEventTokens`: the body is no JSON, and is read by the handler.
#[derive(Debug, Deserialize, JsonSchema)]
struct Nothing {}

fn token<'a>(scene: &'a Scene<'_>) -> &'a str {
    std::str::from_utf8(&scene.request.body).unwrap_or_default().trim()
}

fn refusal((err, description): Refused) -> Typed<()> {
    let answer = Answer::json(&json!({ "err": err, "description": description }));
    Typed::from_answer(answer.with_status(StatusCode::BAD_REQUEST))
}

/// Answers once the keys of whoever signed it have come.
fn publish(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    if request.media_type() != "application/secevent+jwt" {
        return Ok(refusal(("invalid_request", "The content type must be application/secevent+jwt.".to_owned())));
    }
    let (token, origin) = (token(cx.scene).to_owned(), request.origin.clone());
    let received = act(cx, |act| Ok(ssf::receive(act, &token, &origin)))?;
    Ok(received.map_or_else(refusal, |()| Typed::from_answer(Answer::empty(StatusCode::ACCEPTED))))
}

#[expect(clippy::unnecessary_wraps, reason = "handlers can refuse")]
fn published(cx: &Read<'_, Okta>) -> Result<Typed<()>, Error> {
    let outcome = ssf::outcome(cx.state, token(cx.scene));
    Ok(outcome.map_or_else(refusal, |()| Typed::from_answer(Answer::empty(StatusCode::ACCEPTED))))
}
