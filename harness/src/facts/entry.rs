//! Ledger entries as expressions and reports see them.

use dtu_kernel::time::Timestamp;
use serde_json::{Map, Value, json};

use super::steady::{short, steady};
use crate::{
    expr::{Object, Owned},
    verdict::Moment,
};

/// A ledger entry, parsed.
#[derive(Debug)]
pub struct Entry {
    /// Position in the ledger.
    pub seq: u64,
    /// Who made it happen.
    pub principal: String,
    /// The twin; empty for the universe as a whole.
    pub twin: String,
    /// What it is of: operation, verb, kind of delivery, rule, timer.
    pub what: String,
    /// Which of its kind, counted from 1: the same principal, twin and `what`.
    pub nth: u64,
    /// The entry as expressions see it, under the name `e`.
    pub json: Value,
    value: Object,
}

impl Entry {
    /// From an entry's JSON in the ledger's form, and the path template of its operation.
    pub(super) fn new(raw: Value, path: &str) -> Self {
        let json = complete(raw, path);
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let value = json.as_object().map_or_else(|| Object::new([]), Object::from_json);
        let seq = json["seq"].as_u64().unwrap_or(0);
        Self { seq, principal: text("principal"), twin: text("twin"), what: what(&json), nth: 0, json, value }
    }

    /// The same with its number among its kind.
    pub(super) fn numbered(mut self, kinds: &mut super::Kinds) -> Self {
        let nth = kinds.entry((self.principal.clone(), self.twin.clone(), self.what.clone())).or_insert(0);
        *nth += 1;
        self.nth = *nth;
        self
    }

    /// When it happened (universe time).
    pub fn at(&self) -> Option<Timestamp> {
        Timestamp::parse(self.json["at"].as_str()?).ok()
    }

    /// The entry as a value of CEL.
    pub(super) fn value(&self) -> Owned {
        Box::new(self.value.clone())
    }

    /// Whether the entry is of a principal: `target`, `system`, `actor` (any), `actor:lena` (that one), ...
    pub fn is_by(&self, principal: &str) -> bool {
        self.principal == principal || self.principal.split(':').next() == Some(principal)
    }

    /// The entry as evidence of a check.
    pub fn moment(&self) -> Moment {
        Moment {
            seq: self.seq,
            principal: self.principal.clone(),
            twin: self.twin.clone(),
            what: self.what.clone(),
            nth: self.nth,
            shows: self.shows(),
        }
    }

    /// Arguments and outcome in a few words, the same in equal runs.
    fn shows(&self) -> String {
        let outcome = match self.json["kind"].as_str() {
            Some("request" | "delivery") => status_words(&self.json),
            Some("affordance") => refusal_words(&self.json),
            Some("fault") => short(&self.json["effect"]),
            Some("act") => act_words(&self.json),
            Some("answer") => answer_words(&self.json),
            _ => String::new(),
        };
        let args = self.json["args"].as_object().map(args_words).unwrap_or_default();
        let words = [args, outcome].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>();
        words.join(" ")
    }
}

fn status_words(entry: &Value) -> String {
    let error = entry["error"].as_str().unwrap_or_default();
    let status = match entry["status"].as_u64() {
        Some(0) | None => "no answer".to_owned(),
        Some(status) => status.to_string(),
    };
    if error.is_empty() { format!("-> {status}") } else { format!("-> {status} {error}") }
}

/// What an act of the scenario is about.
fn act_words(entry: &Value) -> String {
    match (entry["request"]["target"].as_str(), entry["result"]["chosen"].as_str()) {
        (_, Some(chosen)) => format!("-> {chosen}"),
        (None | Some(""), None) => String::new(),
        (Some(_), None) => short(&entry["request"]["target"]),
    }
}

/// How an act of the scenario came out.
fn answer_words(entry: &Value) -> String {
    match entry["result"]["code"].as_i64() {
        Some(code) if entry["error"] == "" => format!("-> exit code {code}"),
        _ => status_words(entry),
    }
}

fn refusal_words(entry: &Value) -> String {
    match entry["error"].as_str() {
        None | Some("") => String::new(),
        Some(error) => format!("-> refused: {}", steady(error)),
    }
}

/// Arguments by name, without credentials.
fn args_words(args: &Map<String, Value>) -> String {
    const SECRET: [&str; 7] =
        ["token", "client_secret", "access_token", "refresh_token", "password", "assertion", "credentials"];
    const MAX: usize = 6;
    let mut args: Vec<_> = args.iter().filter(|(name, _)| !SECRET.contains(&name.as_str())).collect();
    args.sort_by_key(|(name, _)| *name);
    let more = if args.len() > MAX { " ..." } else { "" };
    let words = args.iter().take(MAX).map(|(name, value)| format!("{name}={}", short(value)));
    words.collect::<Vec<_>>().join(" ") + more
}

/// What an entry is of.
fn what(entry: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match entry["kind"].as_str().unwrap_or_default() {
        "request" if entry["operation"] != "" => text(&entry["operation"]),
        "request" => {
            let path = text(&entry["request"]["target"]);
            let path = path.split('?').next().unwrap_or_default();
            format!("{} {}", text(&entry["request"]["method"]), steady(path))
        }
        "delivery" => text(&entry["delivery"]["kind"]),
        "affordance" => text(&entry["verb"]),
        "fault" => text(&entry["rule"]),
        "timer" => text(&entry["name"]),
        "control" => text(&entry["action"]),
        "act" => format!("{} {}", text(&entry["action"]), text(&entry["name"])),
        "answer" => format!("{} {} answered", text(&entry["action"]), text(&entry["name"])),
        kind => kind.to_owned(),
    }
}

/// The entry with every member that any kind has, and with `args` and `json`.
fn complete(raw: Value, path: &str) -> Value {
    let mut out = empty();
    if let Value::Object(members) = raw {
        out.extend(members);
    }
    let args = match out["kind"].as_str().unwrap_or_default() {
        "request" => request_args(&out["request"], path),
        "delivery" | "act" => body_args(&out["request"]),
        "affordance" => out["with"].as_object().cloned().unwrap_or_default(),
        _ => Map::new(),
    };
    out.insert("args".to_owned(), Value::Object(args));
    let answer = parsed(&out["response"]["body"]).unwrap_or_else(|| json!({}));
    out.insert("json".to_owned(), answer);
    Value::Object(out)
}

/// An entry that says nothing: expressions ask any entry for any of these.
fn empty() -> Map<String, Value> {
    let nothing = json!({
        "seq": 0, "at": "", "kind": "", "principal": "", "twin": "", "cause": -1,
        "operation": "", "verb": "", "caller": "", "resource": "", "status": 0, "error": "", "fault": "", "gap": false,
        "args": {}, "json": {}, "with": {}, "result": {}, "changes": [],
        "request": { "method": "", "target": "", "content_type": "", "body": "" },
        "response": { "status": 0, "body": "" },
        "delivery": { "id": 0, "kind": "", "url": "", "attempt": 0 },
        "rule": "", "on": "", "effect": {}, "name": "", "from": "", "to": "", "action": "", "detail": {},
    });
    match nothing {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// A request's arguments by name: of its path, its query and its body, the later ones winning.
fn request_args(request: &Value, template: &str) -> Map<String, Value> {
    let target = request["target"].as_str().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut args = path_args(path, template);
    args.extend(pairs(query));
    args.extend(body_args(request));
    args
}

/// The parameters of a path, by its template's names.
fn path_args(path: &str, template: &str) -> Map<String, Value> {
    // A template may stand below a prefix that the path has too: both are read from the end.
    let both = template.rsplit('/').zip(path.rsplit('/'));
    let named = both.filter_map(|(name, part)| {
        let name = name.strip_prefix('{')?.strip_suffix('}')?;
        Some((name.to_owned(), Value::String(decoded(part))))
    });
    named.collect()
}

fn decoded(part: &str) -> String {
    // A path's plus is a plus, and nothing in it separates pairs.
    let part = part.replace('+', "%2B").replace('=', "%3D").replace('&', "%26");
    url::form_urlencoded::parse(part.as_bytes()).map(|(text, _)| text.into_owned()).next().unwrap_or_default()
}

/// The pairs of a query or form. A name that comes several times has a list.
fn pairs(text: &str) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let value = unpacked(&name, value.into_owned());
        match out.get_mut(name.as_ref()) {
            None => drop(out.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    out
}

/// A form's value: those that are JSON in text are parsed.
fn unpacked(name: &str, text: String) -> Value {
    const JSON_IN_TEXT: [&str; 5] = ["attachments", "blocks", "metadata", "payload", "view"];
    let parsed = JSON_IN_TEXT.contains(&name).then(|| serde_json::from_str(&text).ok()).flatten();
    parsed.unwrap_or(Value::String(text))
}

/// The arguments in a body: a JSON object's members, or a form's pairs.
fn body_args(request: &Value) -> Map<String, Value> {
    if let Some(Value::Object(mut members)) = parsed(&request["body"]) {
        for (name, value) in &mut members {
            if let Value::String(text) = value {
                *value = unpacked(name, std::mem::take(text));
            }
        }
        return members;
    }
    let body = request["body"].as_str().unwrap_or_default();
    let media_type = request["content_type"].as_str().unwrap_or_default();
    let is_form = media_type.starts_with("application/x-www-form-urlencoded") || body.starts_with("payload=");
    if is_form { pairs(body) } else { Map::new() }
}

/// The JSON that a text is, where it is an object or a list.
fn parsed(text: &Value) -> Option<Value> {
    let text = text.as_str()?;
    serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::ENTRY_MEMBERS;

    fn request(target: &str, content_type: &str, body: &str) -> Entry {
        let raw = json!({
            "seq": 4, "principal": "target", "twin": "okta", "kind": "request", "operation": "addUser", "status": 204,
            "error": "", "request": { "method": "PUT", "target": target, "content_type": content_type, "body": body },
            "response": { "status": 204, "body": "" }, "changes": [],
        });
        Entry::new(raw, "/api/v1/groups/{groupId}/users/{userId}")
    }

    #[test]
    fn arguments_come_by_name() {
        let check = |target: &str, content_type: &str, body: &str, wanted: Value| {
            assert_eq!(request(target, content_type, body).json["args"], wanted, "{target} {body}");
        };
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let path = "/api/v1/groups/g1/users/u%401";
        check(path, "", "", json!({ "userId": "u@1", "groupId": "g1" }));
        check("/x?a=1&a=2&b=c+d", "", "", json!({ "a": ["1", "2"], "b": "c d", "userId": "x" }));
        check(
            "",
            form,
            "text=hi&blocks=%5B%7B%7D%5D&n=[1]",
            json!({ "userId": "", "text": "hi", "blocks": [{}], "n": "[1]" }),
        );
        check(
            "",
            "application/json",
            r#"{"n":1,"view":"{\"a\":2}"}"#,
            json!({ "userId": "", "n": 1, "view": { "a": 2 } }),
        );
        check("", "text/plain", "a=b", json!({ "userId": "" }));
    }

    #[test]
    fn every_member_is_there_for_every_kind() {
        let entry = Entry::new(json!({ "seq": 1, "kind": "timer", "name": "retry", "principal": "system" }), "");
        let mut members: Vec<&str> = entry.json.as_object().expect("is an object").keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ENTRY_MEMBERS);
        assert_eq!(entry.what, "retry");
    }

    #[test]
    fn an_entry_shows_itself_in_a_few_words() {
        let entry = request("/api/v1/groups/00g1a2b3c4d5e6f7g8h9/users/lena?token=xoxb-secret", "", "");
        assert_eq!(entry.moment().shows, "groupId=<id> userId=lena -> 204");
        assert!(entry.is_by("target") && !entry.is_by("actor"));
    }
}
