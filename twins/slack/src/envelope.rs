//! What stands around every call: the credential's check, argument reading, and the headers and members that all
//! answers share.

use std::sync::LazyLock;

use bytes::Bytes;
use dtu_kernel::{
    args::{self, ArgError},
    ids,
    operation::OperationInfo,
    time::Timestamp,
    twin::{Reason, Scene, Unserved},
    wire::{self, Answer, JSON, JSON_UTF8, Reply},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Caller, contract,
    error::{self, Code, Error},
    gzip,
    input::{self, Input, is_hook},
    limits::{self, POSTING},
    model::{
        State,
        apps::{Distribution, Token, TokenKind},
        policy::Phase,
    },
    rest,
};

/// Methods that act for people alone.
const USER_ONLY: &[&str] = &[
    "admin.*",
    "dnd.end*",
    "dnd.setSnooze",
    "reminders.*",
    "search.all",
    "search.files",
    "search.messages",
    "slackbot.skills.*",
    "stars.*",
    "openid.connect.userInfo",
    "team.accessLogs",
    "team.billableInfo",
    "team.billing.info",
    "team.integrationLogs",
    "users.identity",
    "users.deletePhoto",
    "users.profile.set",
    "users.setPhoto",
];
/// Methods that need no token.
const NO_TOKEN: &[&str] =
    &["api.test", "oauth.access", "oauth.token", "oauth.v2.access", "openid.connect.token", "tooling.tokens.rotate"];

/// Believes or refuses the token, and its right to call the method.
pub(crate) fn authenticate(state: &State, scene: &Scene<'_>, input: &Input) -> Result<Caller, Error> {
    let operation = scene.operation;
    if let Some(face) = rest::face(operation) {
        return rest::authenticate(state, scene, input, face);
    }
    if NO_TOKEN.contains(&operation.id) || is_hook(operation) {
        // Of the addresses, webhooks are counted one by one.
        let channel = scene.request.path_params.iter().find(|(name, _)| *name == "id").map(|(_, id)| id.into());
        let channel = channel.unwrap_or_default();
        return Ok(Caller { token: None, text: SmolStr::default(), channel, unlisted: false });
    }
    let text = input.token.as_ref().ok_or(Code::NotAuthed)?;
    let token = state.tokens.get(text).ok_or(Code::InvalidAuth)?;
    if token.revoked || state.users.get(&token.user).is_some_and(|user| user.deleted) {
        // The code tells whose token it was, not why it is over.
        let is_bot = token.kind == TokenKind::Bot;
        return Err(if is_bot { Code::AccountInactive } else { Code::TokenRevoked }.into());
    }
    if token.expires.is_some_and(|expires| scene.now.as_secs() >= expires) {
        return Err(Code::TokenExpired.into());
    }
    if let Some(code) = migrating(state) {
        return Err(code.into());
    }
    // Opening a socket is for the app itself, and nothing else is but asking who it is.
    let for_app = matches!(operation.scopes, ["connections:write" | "authorizations:read"]);
    if operation.id != "auth.test" && (token.kind == TokenKind::App) != for_app {
        return Err(Code::NotAllowedTokenType.into());
    }
    if token.kind == TokenKind::Config && !operation.id.starts_with("apps.manifest.") {
        return Err(Code::NotAllowedTokenType.into());
    }
    if token.kind != TokenKind::Config && operation.id.starts_with("apps.manifest.") {
        return Err(Code::NotAllowedTokenType.into());
    }
    // What bots may never call is told before what they lack for it.
    if token.kind == TokenKind::Bot && is_for_people(operation.id) {
        return Err(Code::NotAllowedTokenType.into());
    }
    if let Some(needed) = lacked(operation, token) {
        return Err(Error::MissingScope { needed, provided: token.granted.clone() });
    }
    let channel = if limits::tier(operation) == POSTING { posted_to(state, token, input) } else { SmolStr::default() };
    let app = state.apps.get(&token.app);
    let unlisted = app.is_some_and(|app| app.setup.distribution == Distribution::Unlisted);
    Ok(Caller { token: Some(token.clone()), text: text.clone(), channel, unlisted })
}

/// What all methods say while the workspace is moved into an organization.
fn migrating(state: &State) -> Option<Code> {
    state.policy(|row| row.migration.as_ref().map(|migration| migration.phase)).map(|phase| match phase {
        Phase::Begun => Code::TeamAddedToOrg,
        Phase::Closed => Code::OrgLoginRequired,
    })
}

fn is_for_people(method: &str) -> bool {
    USER_ONLY.iter().any(|name| name.strip_suffix('*').map_or(*name == method, |start| method.starts_with(start)))
}

/// The scopes of which the token should have one and has none: the row's own, or else the contract's.
fn lacked(operation: &OperationInfo, token: &Token) -> Option<SmolStr> {
    if operation.behaves() {
        let scopes = operation.scopes;
        let lacks = !scopes.is_empty() && !scopes.iter().any(|scope| token.has(scope));
        return lacks.then(|| scopes.join(",").into());
    }
    let scopes = contract::scopes(operation);
    let lacks = !scopes.is_empty() && !scopes.iter().any(|scope| token.has(scope));
    lacks.then(|| scopes.join(",").into())
}

/// The channel that a posting counts for, however it is named; one for all that is not there.
fn posted_to(state: &State, token: &Token, input: &Input) -> SmolStr {
    let named = ["channel", "channel_id"].into_iter().map(|name| input.text(name).trim()).find(|text| !text.is_empty());
    let named = named.unwrap_or_default();
    match state.visible_by_name(named, &token.user) {
        Some(channel) => channel.id.clone(),
        None => state.users.get(&named.into()).map(|user| user.id.clone()).unwrap_or_default(),
    }
}

/// Reads the arguments of a method.
pub(crate) fn decode<A: DeserializeOwned>(input: Input) -> Result<A, Error> {
    if let Some(problem) = input.problem {
        return Err(problem.into());
    }
    args::read(input.args).map_err(|error| match error {
        ArgError::Missing(name) => Error::Arguments(vec![format!("missing required field: {name}")]),
        ArgError::Invalid(name, why) => Error::Arguments(vec![format!("{} [json-pointer:/{name}]", expected(&why))]),
    })
}

/// What an argument should have been, in Slack's words.
fn expected(why: &str) -> &'static str {
    match why {
        _ if why.contains("a list") => "must provide an array",
        _ if why.contains("a number") => "must provide a number",
        _ if why.contains("true or false") => "must be a boolean",
        _ if why.starts_with("unknown variant") => "must be a valid enum value",
        _ => "must provide a string",
    }
}

/// An answer with the headers that all answers have.
pub(crate) fn dressed(answer: Answer, now: Timestamp) -> Reply {
    Reply::dressed(answer, now, &HEADERS)
}

/// Puts the members and headers that all answers share around an answer or refusal.
pub(crate) fn render(scene: &Scene<'_>, caller: Option<&Caller>, result: Result<Answer, Error>) -> Reply {
    if let Some(face) = rest::face(scene.operation) {
        let mut reply = rest::render(scene, face, result);
        add_headers(&mut reply, scene.request_bits);
        return reply;
    }
    let is_hook = is_hook(scene.operation);
    let warning = if is_hook { None } else { input::charset_warning(scene.request) };
    let provided = match &result {
        Err(Error::MissingScope { provided, .. }) => Some(provided.clone()),
        _ => None,
    };
    let mut reply = match result {
        Err(error) => {
            let error = error.at_hook(is_hook);
            let reply = dressed(error.answer(warning), scene.now).refused(error.code());
            if let Error::Unserved(_) = error { reply.as_gap() } else { reply }
        }
        // Files are sent as they are.
        Ok(answer) if is_hook || answer.body.as_ref().is_some_and(|(media, _)| *media == gzip::MEDIA) => {
            dressed(answer, scene.now)
        }
        Ok(mut answer) => {
            let body = answer.body.take().map_or_else(|| Bytes::from_static(b"{}"), |(_, body)| body);
            // What is served from the contract has `ok` among its members already.
            let body = if scene.operation.behaves() { with_ok(&body) } else { body };
            answer.body = Some((JSON, warning.map_or(body.clone(), |warning| with_warning(&body, warning))));
            dressed(answer, scene.now)
        }
    };
    add_headers(&mut reply, scene.request_bits);
    if !is_hook {
        let granted = caller.and_then(|caller| caller.token.as_ref()).map(|token| token.granted.as_str());
        // A token that lacks a scope is known all the same.
        add_scopes(&mut reply, scene.operation, granted.or(provided.as_deref()));
    }
    reply
}

/// The body with `"ok":true` in front. Bodies are objects of ours: no need to read them again.
fn with_ok(body: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(body.len() + 11);
    out.extend_from_slice(b"{\"ok\":true");
    if body.len() > 2 {
        out.push(b',');
    }
    out.extend_from_slice(&body[1..]);
    Bytes::from(out)
}

fn with_warning(body: &[u8], warning: &str) -> Bytes {
    let mut value: Value = serde_json::from_slice(body).unwrap_or_else(|_| json!({ "ok": true }));
    error::add_warning(&mut value, warning);
    Bytes::from(value.to_string())
}

const REQ_ID: HeaderName = HeaderName::from_static("x-slack-req-id");
const UNIQUE_ID: HeaderName = HeaderName::from_static("x-slack-unique-id");
const FAILURE: HeaderName = HeaderName::from_static("x-slack-failure");
const SCOPES: HeaderName = HeaderName::from_static("x-oauth-scopes");
const ACCEPTED_SCOPES: HeaderName = HeaderName::from_static("x-accepted-oauth-scopes");

/// The headers of all answers, in their order. What stands empty differs from answer to answer.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    wire::fixed_headers([
        (header::DATE, ""),
        (REQ_ID, ""),
        (UNIQUE_ID, ""),
        (header::CACHE_CONTROL, "private, no-cache, no-store, must-revalidate"),
        (header::EXPIRES, "Sat, 26 Jul 1997 05:00:00 GMT"),
        (header::PRAGMA, "no-cache"),
        (header::VARY, "Accept-Encoding"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_XSS_PROTECTION, "0"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains; preload"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "x-slack-req-id, retry-after"),
        (header::SERVER, "Apache"),
        (HeaderName::from_static("x-backend"), "api_normal"),
    ])
});

/// Sets what differs in the headers of every answer.
fn add_headers(reply: &mut Reply, (a, b): (u64, u64)) {
    if reply.headers.get(header::CONTENT_TYPE).is_some_and(|media_type| media_type == JSON) {
        reply.fix(header::CONTENT_TYPE, JSON_UTF8);
    }
    reply.set(REQ_ID, &ids::hex(a, b));
    reply.set(UNIQUE_ID, &uuid(b, a));
    if !reply.error.is_empty() {
        let code = reply.error.clone();
        reply.set(FAILURE, &code);
    }
}

/// What the method takes, and what the token has.
fn add_scopes(reply: &mut Reply, operation: &OperationInfo, granted: Option<&str>) {
    if let Some(granted) = granted {
        reply.set(SCOPES, granted);
    }
    match operation.scopes {
        [] => {}
        // Without a token, Slack names the scope's old name.
        ["chat:write"] if granted.is_none() => reply.fix(ACCEPTED_SCOPES, "chat:write:bot"),
        [one] => reply.fix(ACCEPTED_SCOPES, one),
        several => reply.set(ACCEPTED_SCOPES, &several.join(",")),
    }
}

/// 128 bits in the form of a UUID.
fn uuid(a: u64, b: u64) -> String {
    let mut text = ids::hex(a, b);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

/// Answers what no operation can take.
pub(crate) fn unserved(scene: &Unserved<'_>) -> Reply {
    let method = scene.request.path.strip_prefix("/api/").map(|name| name.trim_end_matches('/'));
    let mut reply = match (scene.reason, method) {
        (Reason::Broken, _) => dressed(Error::from(Code::FatalError).answer(None), scene.now).refused("fatal_error"),
        (Reason::BodyTooLarge, _) => page(StatusCode::PAYLOAD_TOO_LARGE, scene),
        (Reason::NotFound | Reason::Absent(_), Some(name)) if !name.is_empty() => {
            let body = json!({ "ok": false, "error": "unknown_method", "req_method": name });
            dressed(Answer::json(&body), scene.now).refused("unknown_method")
        }
        (Reason::NotFound | Reason::Absent(_), _) => page(StatusCode::NOT_FOUND, scene),
        (Reason::MethodNotAllowed, _) => page(StatusCode::METHOD_NOT_ALLOWED, scene),
    };
    add_headers(&mut reply, scene.request_bits);
    reply
}

fn page(status: StatusCode, scene: &Unserved<'_>) -> Reply {
    let reason = status.canonical_reason().unwrap_or_default();
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>{reason} | Slack</title></head>\n<body><h1>{reason}</h1></body>\n</html>\n"
    );
    let answer = Answer::text("text/html; charset=utf-8", html).with_status(status);
    let mut reply = dressed(answer, scene.now);
    reply.headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    reply
}
