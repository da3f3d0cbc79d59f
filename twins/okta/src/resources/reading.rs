//! What Okta takes though its public documents say otherwise: members that they ask for and nobody must send, values
//! that their lists lack, and numbers and truth values as text.
//!
//! What is sent is kept as it is; only what is held against the document has something in its place.

use std::borrow::Cow;

use dtu_contract::{
    backing::Place,
    generic::refusal::Refused,
    validate::{Arguments, Sent},
    violation::{Part, Rule, Violation},
};
use serde_json::{Value, json};

/// How often a body may be mended: what one part hides shows only when another is mended.
const ROUNDS_MAX: usize = 6;

/// What stands in for a member that nobody sent.
#[derive(Clone, Copy, Debug)]
enum StandIn {
    False,
    Empty,
    Text(&'static str),
}

impl StandIn {
    fn value(self) -> Value {
        match self {
            Self::False => Value::Bool(false),
            Self::Empty => json!([]),
            Self::Text(text) => text.into(),
        }
    }
}

/// Members that the documents ask for and Okta does not: the end of an operation's name, the member, what stands in.
///
/// Apps: programs that manage infrastructure send part of them; people of a type and e-mail servers: the same. That Okta
/// takes it is inferred. The template of an
/// identity verification is asked for of all providers, where it is one vendor's.
const NOT_ASKED_FOR: &[(&str, &str, StandIn)] = &[
    ("Application", "allowMultipleAcsEndpoints", StandIn::False),
    ("Application", "assertionSigned", StandIn::False),
    ("Application", "honorForceAuthn", StandIn::False),
    ("Application", "requestCompressed", StandIn::False),
    ("Application", "responseSigned", StandIn::False),
    ("PolicyRule", "include", StandIn::Empty),
    ("PolicyRule", "exclude", StandIn::Empty),
    ("IdentityProvider", "inquiryTemplateId", StandIn::Text("none")),
    ("EmailServer", "authType", StandIn::Text("BASIC_SMTP_AUTH")),
];

/// Values that the documents' lists lack: the end of an operation's name, the member, the value, what stands in.
///
/// The org itself as a provider, which the document's own example of a default rule has;
/// `CHALLENGE` of sign-on rules: pulumi.com/docs/reference/pkg/okta/policy/rulesignon.
const TAKEN: &[(&str, &str, &str, &str)] =
    &[("PolicyRule", "type", "OKTA", "GOOGLE"), ("PolicyRule", "access", "CHALLENGE", "ALLOW")];

/// The document's pattern for the name of an event source takes one character: its own examples have more.
const PATTERNS: &[(&str, &str, &str)] = &[("LogStream", "eventSourceName", "a")];

/// Reads the arguments of a call as Okta does.
///
/// # Errors
/// What Okta does not take either.
pub(crate) fn read(place: Place, sent: &Sent<'_>) -> Result<Arguments, Refused> {
    let query = limited(place, sent.query);
    let sent = &Sent { query: &query, ..sent.clone() };
    let mut refused = match place.check(sent) {
        Ok(arguments) => return Ok(arguments),
        Err(refused) => refused,
    };
    let Ok(kept) = serde_json::from_slice::<Value>(sent.body) else { return Err(refused) };
    let mut bodies = Bodies { operation: &place.operation().id, checked: kept.clone(), kept };
    for _ in 0..ROUNDS_MAX {
        let Refused::Invalid(violations) = &refused else { break };
        if !bodies.mend(violations) {
            break;
        }
        let body = bodies.checked.to_string();
        match place.check(&Sent { body: body.as_bytes(), ..sent.clone() }) {
            Ok(arguments) => return Ok(Arguments { body: Some(bodies.kept), ..arguments }),
            Err(other) => refused = other,
        }
    }
    Err(refused)
}

/// The query with a page no larger than there are: greater wishes are cut to it, as Okta does with people, groups and
/// apps. That it does so everywhere is inferred.
fn limited(place: Place, query: &str) -> Cow<'_, str> {
    let parameters = &place.operation().facts.get().parameters;
    let limit = parameters.iter().find(|parameter| parameter.name == "limit");
    let most = limit.and_then(|limit| limit.schema.maximum.as_ref()?.as_i64());
    let Some(most) = most else { return Cow::Borrowed(query) };
    let is_more = |name: &str, value: &str| name == "limit" && value.parse().is_ok_and(|size: i64| size > most);
    if !form_urlencoded::parse(query.as_bytes()).any(|(name, value)| is_more(&name, &value)) {
        return Cow::Borrowed(query);
    }
    let mut cut = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let size = if is_more(&name, &value) { most.to_string() } else { value.into_owned() };
        cut.append_pair(&name, &size);
    }
    Cow::Owned(cut.finish())
}

/// A body as it is kept, and as it is held against the document.
struct Bodies<'a> {
    operation: &'a str,
    checked: Value,
    kept: Value,
}

impl Bodies<'_> {
    /// Mends what can be; whether anything was. Members that are null count as not sent: recorded.
    fn mend(&mut self, violations: &[Violation]) -> bool {
        let mut of_body = violations.iter().filter(|violation| violation.part == Part::Body).peekable();
        if of_body.peek().is_none() {
            return false;
        }
        if strip(&mut self.checked) {
            strip(&mut self.kept);
            return true;
        }
        let mended = of_body.filter(|violation| self.mend_one(violation)).count();
        mended > 0
    }

    fn mend_one(&mut self, violation: &Violation) -> bool {
        let at = violation.at.as_str();
        match violation.rule {
            Rule::Required => self.stand_in(at, &violation.member),
            Rule::Type => match self.checked.pointer(at).and_then(other_scalar) {
                Some(value) => self.put(at, &value),
                None => false,
            },
            Rule::Enum => self.replace(at, |member, text| {
                let of = |row: &&(&str, &str, &str, &str)| {
                    self.operation.ends_with(row.0) && row.1 == member && row.2 == text
                };
                TAKEN.iter().find(of).map(|row| row.3)
            }),
            // The document's pattern of a duration fits `P` alone, and no duration.
            Rule::Pattern | Rule::Format if self.text(at).is_some_and(is_duration) => {
                self.replace(at, |_, _| Some("P"))
            }
            Rule::Pattern => self.replace(at, |member, text| {
                let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
                let of = |row: &&(&str, &str, &str)| plain && self.operation.ends_with(row.0) && row.1 == member;
                PATTERNS.iter().find(of).map(|row| row.2)
            }),
            _ => false,
        }
    }

    fn text(&self, at: &str) -> Option<&str> {
        self.checked.pointer(at).and_then(Value::as_str)
    }

    /// Adds a member that nobody must send to what is checked.
    fn stand_in(&mut self, at: &str, member: &str) -> bool {
        let of = |row: &&(&str, &str, StandIn)| self.operation.ends_with(row.0) && row.1 == member;
        let Some((_, _, value)) = NOT_ASKED_FOR.iter().find(of) else { return false };
        let Some(object) = self.checked.pointer_mut(at).and_then(Value::as_object_mut) else { return false };
        object.insert(member.to_owned(), value.value()).is_none()
    }

    /// Has another text in the place of one that Okta takes.
    fn replace(&mut self, at: &str, with: impl Fn(&str, &str) -> Option<&'static str>) -> bool {
        let member = at.rsplit('/').next().unwrap_or_default();
        let found = self.text(at).and_then(|text| with(member, text));
        let Some((found, place)) = found.zip(self.checked.pointer_mut(at)) else { return false };
        *place = found.into();
        true
    }

    fn put(&mut self, at: &str, value: &Value) -> bool {
        let mut any = false;
        for body in [&mut self.checked, &mut self.kept] {
            if let Some(place) = body.pointer_mut(at) {
                *place = value.clone();
                any = true;
            }
        }
        any
    }
}

/// Whether a text is a duration of ISO 8601.
fn is_duration(text: &str) -> bool {
    let Some(parts) = text.strip_prefix('P') else { return false };
    let known = parts.bytes().all(|byte| byte.is_ascii_digit() || b"YMWDTHS".contains(&byte));
    known
        && parts.bytes().any(|byte| byte.is_ascii_digit())
        && !parts.ends_with(|c: char| c.is_ascii_digit() || c == 'T')
}

/// A truth value or number that was sent as text: Okta reads the one for the other, as the document's own example of a
/// provider with `pkce_required` shows.
fn other_scalar(value: &Value) -> Option<Value> {
    match value.as_str()? {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        number => number.parse::<i64>().ok().map(Value::from),
    }
}

/// Takes away members that are null; whether there were any.
fn strip(value: &mut Value) -> bool {
    match value {
        Value::Array(items) => items.iter_mut().fold(false, |any, item| strip(item) | any),
        Value::Object(members) => {
            let before = members.len();
            members.retain(|_, member| !member.is_null());
            let here = members.len() < before;
            members.values_mut().fold(here, |any, member| strip(member) | any)
        }
        _ => false,
    }
}
