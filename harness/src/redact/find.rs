//! Where secrets are: by the names of members, pairs and headers, and by how known kinds of them begin.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::{
    Engine as _,
    alphabet::{self, Alphabet},
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
    },
};
use dtu_kernel::tape::{self, Headers, Note};
use serde_json::Value;

/// Takes a secret that was found.
pub(super) type Take<'a> = &'a mut dyn FnMut(&str);

/// Reads base64 of which the end may be missing.
const fn lax(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config.with_decode_padding_mode(DecodePaddingMode::Indifferent))
}

const STANDARD_LAX: GeneralPurpose = lax(&alphabet::STANDARD);
const URL_SAFE_LAX: GeneralPurpose = lax(&alphabet::URL_SAFE);

/// Names of secrets, in small letters and without dashes.
const NAMES: [&str; 45] = [
    "accesstoken",
    "activationtoken",
    "actortoken",
    "apikey",
    "apitoken",
    "apptoken",
    "assertion",
    "authorization",
    "bottoken",
    "clientassertion",
    "clientsecret",
    "codeverifier",
    "cookie",
    "devicecode",
    "devicesecret",
    "dpop",
    "idtoken",
    "idtokenhint",
    "loginhinttoken",
    "logouttoken",
    "passcode",
    "password",
    "privatekey",
    "privatekeypem",
    "proxyauthorization",
    "recoverytoken",
    "refreshtoken",
    "registrationaccesstoken",
    "samlresponse",
    "secret",
    "sessioncookie",
    "sessionid",
    "sessiontoken",
    "setcookie",
    "sharedsecret",
    "sid",
    "signingsecret",
    "statetoken",
    "subjecttoken",
    "token",
    "usertoken",
    "verificationtoken",
    "xapikey",
    "xhubsignature",
    "xslacksignature",
];

/// How tokens of known services begin.
const PREFIXES: [&str; 8] = ["xoxb-", "xoxp-", "xoxa-", "xoxe-", "xoxe.", "xapp-", "ya29.", "ATATT"];

/// What a text has in it that has a secret in it: parsing all bodies would cost more than writing them.
static SIGNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let signs = [
        "token",
        "secret",
        "password",
        "passcode",
        "private",
        "api_key",
        "apikey",
        "api-key",
        "authorization",
        "cookie",
        "assertion",
        "device_code",
        "devicecode",
        "dpop",
        "saml",
        "session_id",
        "sessionid",
        "verifier",
        "\"sid\"",
        "signature",
    ];
    AhoCorasick::builder().ascii_case_insensitive(true).build(signs.into_iter().chain(PREFIXES)).ok()
});

/// Whether what is called so holds a secret among other words.
fn is_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "authorization" | "proxy-authorization" | "cookie" | "set-cookie")
}

/// Whether a member, pair or header of this name holds a secret.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |c: &char| !matches!(c, '_' | '-' | '.');
    let plain: String = name.chars().filter(plain).map(|c| c.to_ascii_lowercase()).collect();
    NAMES.binary_search(&plain.as_str()).is_ok()
}

/// Whether a variable of this name holds a secret: `SLACK_BOT_TOKEN`, `OPENAI_API_KEY`.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIALS"].iter().any(|part| name.ends_with(part))
}

/// Secrets in an entry of the ledger.
pub(super) fn in_entry(entry: &Value, take: Take<'_>) {
    if let Some(target) = entry["request"]["target"].as_str() {
        in_target(target, take);
    }
    // What was sent over a socket, or is told of by an act.
    in_json(&entry["args"], take);
    for side in ["request", "response"] {
        let Some(body) = entry[side]["body"].as_str() else { continue };
        let media_type = entry[side]["content_type"].as_str().unwrap_or_default();
        if media_type.starts_with("application/x-www-form-urlencoded") || body.starts_with("payload=") {
            in_pairs(body, take);
        } else {
            in_text(body, take);
        }
    }
    for part in ["with", "result", "detail"] {
        in_json(&entry[part], take);
    }
    for change in entry["changes"].as_array().into_iter().flatten() {
        in_json(&change["before"], take);
        in_json(&change["after"], take);
    }
}

/// Secrets in what the ledger does not say.
pub(super) fn in_note(note: &Note, take: Take<'_>) {
    let body = |body: &Option<String>, take: Take<'_>| {
        let bytes = body.as_deref().map(tape::decoded).unwrap_or_default();
        if let Ok(text) = std::str::from_utf8(&bytes) {
            in_text(text, take);
        }
    };
    match note {
        Note::Job { .. } => {}
        Note::Receipt { headers, body: answer, .. } => {
            in_headers(headers, take);
            body(answer, take);
        }
        Note::Call(call) => {
            in_headers(&call.headers, take);
            in_headers(&call.answer_headers, take);
            body(&call.body, take);
            if let Some((_, target)) = &call.line {
                in_target(target, take);
            }
        }
    }
}

fn in_headers(headers: &Headers, take: Take<'_>) {
    for (name, value) in headers.iter().filter(|(name, _)| is_name(name)) {
        in_header(name, value, take);
    }
}

/// A header's secret, without the words around it.
fn in_header(name: &str, value: &str, take: Take<'_>) {
    if name.eq_ignore_ascii_case("cookie") || name.eq_ignore_ascii_case("set-cookie") {
        let pairs = if name.eq_ignore_ascii_case("cookie") { usize::MAX } else { 1 };
        for (_, value) in value.split(';').take(pairs).filter_map(|pair| pair.split_once('=')) {
            take(value.trim_matches('"'));
        }
        return;
    }
    let Some((scheme, credential)) = value.split_once(' ') else { return take(value) };
    take(credential);
    let pair = STANDARD.decode(credential).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some((_, password)) =
        pair.as_deref().filter(|_| scheme.eq_ignore_ascii_case("basic")).and_then(|p| p.split_once(':'))
    {
        take(password);
    }
}

/// Secrets in a path with its query.
fn in_target(target: &str, take: Take<'_>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    in_pairs(query, take);
    // An incoming webhook of Slack: who knows its path may post.
    if path.starts_with("/services/")
        && let Some(secret) = path.rsplit('/').next()
    {
        take(secret);
    }
    by_prefix(path, take);
}

fn in_pairs(text: &str, take: Take<'_>) {
    let has = |wanted: &str| url::form_urlencoded::parse(text.as_bytes()).any(|(name, _)| name == wanted);
    // A code for tokens: elsewhere a code is an error's, or a country's.
    let is_grant = has("code") && (has("grant_type") || has("state") || has("redirect_uri"));
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        if is_name(&name) || (is_grant && name == "code") {
            take(&value);
        } else {
            in_text(&value, take);
        }
    }
}

/// Secrets in a text, which may be JSON.
pub(super) fn in_text(text: &str, take: Take<'_>) {
    if SIGNS.as_ref().is_some_and(|signs| !signs.is_match(text)) {
        return;
    }
    if text.starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        return in_json(&value, take);
    }
    in_page(text, take);
    by_prefix(text, take);
}

/// Secrets in the hidden fields of a page's form: `name="SAMLResponse" value="..."`.
fn in_page(text: &str, take: Take<'_>) {
    for field in text.split("<input").skip(1).filter_map(|rest| rest.split_once('>')).map(|(field, _)| field) {
        let of = |name: &str| {
            let after = field.split_once(&format!("{name}=\""))?.1;
            after.split('"').next()
        };
        if let (Some(name), Some(value)) = (of("name"), of("value"))
            && is_name(name)
        {
            take(value);
            // As it is once the page is read.
            take(&value.replace("&#43;", "+").replace("&#x2b;", "+").replace("&#61;", "=").replace("&#x3d;", "="));
        }
    }
}

/// Secrets in JSON.
pub(super) fn in_json(value: &Value, take: Take<'_>) {
    match value {
        Value::String(text) => in_text(text, take),
        Value::Array(items) => items.iter().for_each(|item| in_json(item, take)),
        Value::Object(members) => {
            // A header that a service is to send: `{"key": "Authorization", "value": "..."}`.
            if let (Some(key), Some(value)) = (members.get("key"), members.get("value").and_then(Value::as_str))
                && key.as_str().is_some_and(|key| is_header(key) || is_name(key))
            {
                take(value);
            }
            for (name, member) in members {
                match member {
                    Value::String(text) if is_header(name) => in_header(name, text, take),
                    Value::String(text) if is_name(name) => take(text),
                    Value::Object(_) | Value::Array(_) if is_name(name) || is_name(name.trim_end_matches('s')) => {
                        values(member, take);
                    }
                    member => in_json(member, take),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Below a member that is named as a secret: what is called its value, and all that is found elsewhere too.
fn values(value: &Value, take: Take<'_>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| match item {
            Value::String(text) => take(text),
            item => values(item, take),
        }),
        Value::Object(members) => {
            if let Some(text) = members.get("value").and_then(Value::as_str) {
                take(text);
            }
            in_json(value, take);
        }
        _ => {}
    }
}

/// Tokens of known services wherever they stand in a text.
fn by_prefix(text: &str, take: Take<'_>) {
    const REST: usize = 10;
    for prefix in PREFIXES {
        for (at, _) in text.match_indices(prefix) {
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            let rest = &text[at + prefix.len()..];
            let len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let token = text[at..at + prefix.len() + len].trim_end_matches('.');
            if len >= REST {
                take(token);
            }
        }
    }
}

/// What the output of a program shows of secrets without naming them: tokens of known services, and signatures of
/// webhooks, which only who knows the secret can make.
pub(super) fn in_output(text: &str, take: Take<'_>) {
    /// Hexadecimal digits of the shortest of them, SHA-1.
    const DIGITS: usize = 40;
    by_prefix(text, take);
    for prefix in ["v0=", "sha256=", "sha1="] {
        for (at, _) in text.match_indices(prefix) {
            let rest = &text[at + prefix.len()..];
            let len = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
            if len >= DIGITS {
                take(&rest[..len]);
            }
        }
    }
}

/// The parts of a text that may be base64, each with what it stands for then.
pub(super) fn encoded(text: &str) -> impl Iterator<Item = (&str, Vec<u8>)> {
    const LEAST: usize = 12;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let parts = text.split(move |c| !is_part(c)).filter(|part| part.len() >= LEAST);
    parts.filter_map(|part| {
        let engine = if part.contains(['-', '_']) { &URL_SAFE_LAX } else { &STANDARD_LAX };
        // No text of this length is whole: it has a character too many.
        let whole = if part.len() % 4 == 1 { &part[..part.len() - 1] } else { part };
        Some((part, engine.decode(whole).ok()?))
    })
}
