//! A recording as it lies on disk: one exchange a line.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A client's session with the live service.
#[derive(Debug)]
pub struct Recording {
    /// The file's name without its ending.
    pub name: String,
    /// What was asked and answered, in order.
    pub exchanges: Vec<Exchange>,
}

/// One question and its answer.
#[derive(Debug, Deserialize)]
pub struct Exchange {
    /// The question.
    pub request: Asked,
    /// The answer.
    pub response: Answered,
}

/// What the client sent. Credentials are not recorded.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// HTTP method.
    pub method: String,
    /// Path as sent.
    pub path: String,
    /// Query as sent, without the question mark.
    pub query: Option<String>,
    /// Headers that carry behaviour, by name in lower case.
    pub headers: Map<String, Value>,
    /// The body; null where empty.
    pub body: Value,
}

/// What the service answered.
#[derive(Debug, Deserialize)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Headers that carry behaviour, by name in lower case: a text, or a list where there were several.
    pub headers: Map<String, Value>,
    /// The body; null where empty.
    pub body: Value,
}

impl Exchange {
    /// The body that may have led to the answer: what the service showed of it afterwards, without what the service
    /// itself decides. Null where it showed none. `is_old` knows what earlier exchanges have shown.
    pub fn supposed_body(&self, is_old: impl Fn(&str) -> bool) -> Value {
        let wrote =
            matches!(self.request.method.as_str(), "POST" | "PUT") && (200..300).contains(&self.response.status);
        let Some(shown) = self.response.body.as_object().filter(|_| wrote) else { return Value::Null };
        if self.request.path.contains("/lifecycle/") {
            return Value::Null;
        }
        if let Some((_, operation)) = self.request.path.split_once("/credentials/")
            && self.request.path.contains("/users/")
        {
            return credentials_body(operation, shown);
        }
        let mut body = shown.clone();
        body.retain(|name, value| match (name.as_str(), value) {
            ("id", Value::String(id)) => is_old(id),
            ("created" | "lastUpdated" | "_links" | "_embedded", _) | ("type", Value::Object(_)) => false,
            _ => true,
        });
        let mut body = Value::Object(body);
        drop_nulls(&mut body);
        // Passwords are never shown, only that there is one.
        if let Some(password) = body.pointer_mut("/credentials/password") {
            *password = serde_json::json!({ "value": "<redacted:12>" });
        }
        body
    }
}

/// What a call on somebody's credentials must have said: passwords are those that [`Exchange::supposed_body`] makes up
/// for new people.
fn credentials_body(operation: &str, shown: &Map<String, Value>) -> Value {
    let present = serde_json::json!({ "value": "<redacted:12>" });
    let question = shown.get("recovery_question").and_then(|shown| shown.get("question"));
    match operation {
        "change_password" => {
            serde_json::json!({ "oldPassword": present, "newPassword": { "value": "<redacted:14>" } })
        }
        "change_recovery_question" => serde_json::json!({
            "password": present, "recovery_question": { "question": question, "answer": "<redacted:8>" },
        }),
        "forgot_password_recovery_question" => serde_json::json!({
            "password": { "value": "<redacted:14>" }, "recovery_question": { "answer": "<redacted:8>" },
        }),
        _ => Value::Null,
    }
}

/// Takes out what was shown only to say that there is none.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

impl Answered {
    /// All values of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        match self.headers.get(name) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the service was too busy or away, which says nothing of what it does: front servers refuse without a
    /// media type.
    pub fn is_weather(&self) -> bool {
        self.status == 429 || self.status >= 500 || (self.status >= 400 && self.header("content-type").is_empty())
    }
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that is no exchange.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs_err::read_to_string(path)?;
        let one = |(at, line): (usize, &str)| {
            serde_json::from_str(line).with_context(|| format!("{}:{}: is no exchange", path.display(), at + 1))
        };
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        Ok(Self { name, exchanges: text.lines().enumerate().map(one).collect::<anyhow::Result<_>>()? })
    }

    /// Reads all recordings of a folder, by name.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read_all(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let mut paths = Vec::new();
        for entry in fs_err::read_dir(folder)? {
            paths.push(entry?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// The body of a sign-in that was not recorded with it: whom the answer names, with the last password that the
    /// recording has given them.
    pub fn sign_in_body(&self, index: usize) -> Option<Value> {
        let exchange = &self.exchanges[index];
        let is_sign_in = exchange.request.path.ends_with("/api/v1/authn") && exchange.response.status == 200;
        if !is_sign_in || !exchange.request.body.is_null() {
            return None;
        }
        let login = exchange.response.body.pointer("/_embedded/user/profile/login")?;
        let mut earlier = self.exchanges[..index].iter().rev().map(|exchange| &exchange.request.body);
        let password = earlier.find_map(|body| {
            body.pointer("/credentials/password/value").filter(|_| body.pointer("/profile/login") == Some(login))
        })?;
        Some(serde_json::json!({ "username": login, "password": password }))
    }

    /// Whether no exchange has a body, as in recordings of before 2021: what was sent is made up from the answers.
    pub fn lacks_bodies(&self) -> bool {
        self.exchanges.iter().all(|exchange| exchange.request.body.is_null())
    }

    /// When it was made, in seconds since 1970: the first rate-limit window says so.
    pub fn made_at(&self) -> Option<i64> {
        let resets = |exchange: &Exchange| exchange.response.header("x-rate-limit-reset").first()?.parse().ok();
        self.exchanges.iter().find_map(resets)
    }
}
