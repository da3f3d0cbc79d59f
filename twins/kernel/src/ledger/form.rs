//! How entries are shown: to the control plane, in evidence, to checks, and in the file. The form is stable.
//!
//! Fields are written once, for a tree and for text alike, but for those of rows: an entry that goes to the file is never
//! made a tree.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::entry::{Attempt, Entry, Event, Exchange};
use crate::{
    json::Json,
    table::{Change, Row},
};

impl Entry {
    /// The entry as the control plane, evidence files and checks see it.
    pub fn to_json(&self) -> Value {
        let mut out = self.head_json();
        let (request, response) = self.event.bodies();
        put_bodies(&mut out, request, response);
        out
    }

    /// The same without bodies.
    pub(super) fn head_json(&self) -> Value {
        match serde_json::to_value(Head(self)) {
            Ok(mut head) => {
                head["changes"] = self.changes.iter().map(touched_json).collect();
                head
            }
            Err(error) => json!({ "unprintable": error.to_string() }),
        }
    }

    /// The same as text behind what is there.
    pub(super) fn write_head(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(&mut *out, &Head(self))?;
        // Within the object, as its last member.
        out.pop();
        Json::new(out).name("changes");
        Json::new(out).list(&self.changes, write_touched);
        out.push(b'}');
        Ok(())
    }
}

/// An entry without bodies and without the rows that it touched, which come last.
struct Head<'a>(&'a Entry);

impl Serialize for Head<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("seq", &entry.seq)?;
        map.serialize_entry("at", &entry.at)?;
        map.serialize_entry("principal", &format_args!("{}", entry.principal))?;
        map.serialize_entry("twin", entry.twin)?;
        if let Some(cause) = entry.cause {
            map.serialize_entry("cause", &cause)?;
        }
        entry.event.write_fields(&mut map)?;
        map.end()
    }
}

/// A row that an entry touched, before and after.
fn touched_json(change: &Change) -> Value {
    let shown = |row: &Option<Row>| row.as_ref().map(|row| row.to_json());
    json!({
        "table": change.table,
        "key": change.key,
        "before": shown(&change.before),
        "after": shown(&change.after),
    })
}

/// The same as text.
fn write_touched(json: &mut Json<'_>, change: &Change) {
    json.object(|json| {
        json.member("table", change.table);
        json.member("key", &change.key);
        for (name, row) in [("before", &change.before), ("after", &change.after)] {
            json.name(name);
            match row {
                Some(row) => json.row(row.as_ref()),
                None => json.plain("null"),
            }
        }
    });
}

/// What an entry shows of a request besides its body.
#[derive(Serialize)]
struct Asked<'a> {
    method: &'a str,
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
}

/// What an entry shows of an answer besides its body.
#[derive(Serialize)]
struct Told {
    status: u16,
}

/// What an entry shows of a delivery.
#[derive(Serialize)]
struct Delivered<'a> {
    id: u64,
    kind: &'a SmolStr,
    url: &'a SmolStr,
    attempt: u32,
}

/// An object without members: where a body goes.
#[derive(Serialize)]
struct Empty {}

impl Event {
    fn write_fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Request(exchange) => return exchange.write_fields(map),
            Self::Delivery(attempt) => return attempt.write_fields(map),
            Self::Pending { operation } => {
                map.serialize_entry("kind", "pending")?;
                map.serialize_entry("operation", operation)?;
            }
            Self::Affordance { verb, with, outcome } => {
                map.serialize_entry("kind", "affordance")?;
                map.serialize_entry("verb", verb)?;
                map.serialize_entry("with", with)?;
                match outcome {
                    Ok(result) => map.serialize_entry("result", result)?,
                    Err(reason) => map.serialize_entry("error", reason)?,
                }
            }
            Self::Fault { rule, on, effect } => {
                map.serialize_entry("kind", "fault")?;
                map.serialize_entry("rule", rule)?;
                map.serialize_entry("on", on)?;
                map.serialize_entry("effect", effect)?;
            }
            Self::FaultSkipped { rule, on, why } => {
                map.serialize_entry("kind", "fault_skipped")?;
                map.serialize_entry("rule", rule)?;
                map.serialize_entry("on", on)?;
                map.serialize_entry("error", why)?;
            }
            Self::Timer { name } => {
                map.serialize_entry("kind", "timer")?;
                map.serialize_entry("name", name)?;
            }
            Self::Frame { .. } | Self::Socket { .. } => self.write_socket_fields(map)?,
            Self::Clock { from, to } => {
                map.serialize_entry("kind", "clock")?;
                map.serialize_entry("from", from)?;
                map.serialize_entry("to", to)?;
            }
            Self::Act { is_answer, action, name, more } => {
                map.serialize_entry("kind", if *is_answer { "answer" } else { "act" })?;
                map.serialize_entry("action", action)?;
                map.serialize_entry("name", name)?;
                for (name, value) in more {
                    map.serialize_entry(name, value)?;
                }
            }
            Self::Control { action, detail } => {
                map.serialize_entry("kind", "control")?;
                map.serialize_entry("action", action)?;
                map.serialize_entry("detail", detail)?;
            }
        }
        Ok(())
    }

    fn write_socket_fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Frame { socket, from_client, .. } => {
                map.serialize_entry("kind", "frame")?;
                map.serialize_entry("socket", socket)?;
                // Where the body goes: what a client sends is the request's, what it is sent the answer's.
                map.serialize_entry(if *from_client { "request" } else { "response" }, &Empty {})
            }
            Self::Socket { socket, what } => {
                map.serialize_entry("kind", "socket")?;
                map.serialize_entry("socket", socket)?;
                map.serialize_entry("what", what)
            }
            _ => Ok(()),
        }
    }
}

impl Exchange {
    fn write_fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("kind", "request")?;
        map.serialize_entry("operation", self.operation)?;
        map.serialize_entry("level", &self.level)?;
        map.serialize_entry("gap", &self.gap)?;
        map.serialize_entry("caller", &self.caller)?;
        map.serialize_entry("resource", &self.resource)?;
        map.serialize_entry("error", &self.error)?;
        map.serialize_entry("fault", &self.fault)?;
        map.serialize_entry("status", &self.status)?;
        let content_type = Some(self.content_type.as_str());
        let request = Asked { method: self.method.as_str(), target: &self.target, content_type };
        map.serialize_entry("request", &request)?;
        map.serialize_entry("response", &Told { status: self.status })
    }
}

impl Attempt {
    fn write_fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("kind", "delivery")?;
        let shown = Delivered { id: self.delivery, kind: &self.kind, url: &self.url, attempt: self.attempt };
        map.serialize_entry("delivery", &shown)?;
        map.serialize_entry("request", &Asked { method: "POST", target: &self.url, content_type: None })?;
        match self.outcome {
            Ok(status) => {
                map.serialize_entry("status", &status)?;
                map.serialize_entry("error", "")?;
                map.serialize_entry("response", &Told { status })
            }
            Err(reason) => {
                map.serialize_entry("status", &0)?;
                map.serialize_entry("error", reason)
            }
        }
    }
}

/// Puts bodies where an entry's JSON has a place for them.
pub(super) fn put_bodies(entry: &mut Value, request: &[u8], response: &[u8]) {
    for (side, body) in [("request", request), ("response", response)] {
        if let Some(Value::Object(side)) = entry.get_mut(side) {
            // Acts bring their bodies with them.
            side.entry("body").or_insert_with(|| text(body));
        }
    }
}

/// Bodies are text nearly always; what is not is shown as its length.
fn text(body: &[u8]) -> Value {
    match std::str::from_utf8(body) {
        Ok(text) => json!(text),
        Err(_) => json!({ "bytes": body.len() }),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::{
        ledger::Principal,
        operation::Level,
        table::{Changes, Table},
        time::Timestamp,
    };

    fn check(event: Event) {
        let mut changes = Changes::default();
        let mut table: Table<SmolStr, Vec<&str>> = Table::new("rows");
        table.put(&mut changes, "a".into(), vec!["x"]);
        table.put(&mut changes, "a".into(), vec!["\"y\""]);
        let (at, principal) = (Timestamp::from_secs(1), Principal::Actor("ann".into()));
        let entry = Entry { seq: 7, at, principal, twin: "okta", cause: Some(3), event, changes: changes.into_vec() };
        let mut text = Vec::new();
        entry.write_head(&mut text).expect("is written");
        let read: Value = serde_json::from_slice(&text).expect("is JSON");
        assert_eq!(String::from_utf8(text).expect("is text"), entry.head_json().to_string());
        assert_eq!(read["changes"][1]["after"][0], "\"y\"");
        assert_eq!((&read["seq"], &read["principal"], &read["cause"]), (&json!(7), &json!("actor:ann"), &json!(3)));
    }

    #[test]
    fn the_text_in_the_file_says_what_the_tree_says() {
        let attempt = |outcome| Attempt {
            delivery: 1,
            kind: "hook".into(),
            url: "http://127.0.0.1/x".into(),
            attempt: 2,
            request: bytes::Bytes::new(),
            outcome,
            response: bytes::Bytes::new(),
        };
        check(Event::Request(Box::new(Exchange {
            operation: "getUser",
            level: Level::Behaves,
            gap: false,
            caller: "token".into(),
            resource: "00u".into(),
            method: Method::GET,
            target: "/a?b=\"".into(),
            content_type: SmolStr::default(),
            request: bytes::Bytes::new(),
            status: 200,
            response: bytes::Bytes::from_static(b"{}"),
            error: SmolStr::default(),
            fault: SmolStr::default(),
        })));
        check(Event::Delivery(Box::new(attempt(Ok(204)))));
        check(Event::Delivery(Box::new(attempt(Err("no answer")))));
        check(Event::Pending { operation: "x" });
        check(Event::Frame { socket: 1, from_client: true, text: bytes::Bytes::new() });
        check(Event::Socket { socket: 1, what: "ended" });
        let more = json!({ "status": 200 }).as_object().cloned().unwrap_or_default();
        check(Event::Act { is_answer: true, action: "http".into(), name: "n".into(), more });
        check(Event::Control { action: "reset".into(), detail: json!({ "a": [1] }) });
    }
}
