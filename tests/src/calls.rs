//! Calls of a universe's twins within the process: the same path as over HTTP, from the operation table on.

use std::sync::Arc;

use dtu_kernel::{
    host::Called,
    universe::Universe,
    wire::{Reply, Request},
};
use serde_json::Value;
use smol_str::SmolStr;

/// A call in the making.
#[derive(Debug, Clone)]
pub struct Call {
    twin: &'static str,
    operation: String,
    params: Vec<String>,
    query: Vec<(String, String)>,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Call {
    /// A call of an operation by the provider's own id.
    pub fn new(twin: &'static str, operation: &str) -> Self {
        Self {
            twin,
            operation: operation.to_owned(),
            params: Vec::new(),
            query: Vec::new(),
            headers: http::HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// A Slack method with a bot's token and form arguments.
    pub fn slack(method: &str, token: &str, form: &[(&str, &str)]) -> Self {
        let body: Vec<String> = form.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
        let mut call = Self::new("slack", method).header("authorization", &format!("Bearer {token}"));
        call = call.header("content-type", "application/x-www-form-urlencoded");
        call.body = body.join("&").into_bytes();
        call
    }

    /// An Okta operation with a token; `params` fill the path's parameters in order.
    pub fn okta(operation: &str, token: &str, params: &[&str], body: Option<&Value>) -> Self {
        let mut call = Self::new("okta", operation).header("authorization", &format!("SSWS {token}"));
        call.params = params.iter().map(|&param| param.to_owned()).collect();
        if let Some(body) = body {
            call = call.header("content-type", "application/json");
            call.body = body.to_string().into_bytes();
        }
        call
    }

    /// The same with a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), encode(value)));
        self
    }

    /// The same with values for the path's parameters, in order.
    #[must_use]
    pub fn params(mut self, params: Vec<String>) -> Self {
        self.params = params;
        self
    }

    /// The same with a body of a media type.
    #[must_use]
    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut call = self.header("content-type", media_type);
        call.body = body.into();
        call
    }

    /// The same with a body of which nothing says what it is.
    #[must_use]
    pub fn bare(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = http::HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Makes the call.
    ///
    /// # Panics
    /// Where there is no such twin or operation, or its answer waits for a delivery: a mistake of the test.
    pub fn send(self, universe: &Arc<Universe>) -> Reply {
        let operation = self.operation.clone();
        match self.called(universe) {
            Called::Answered(reply, _) => reply,
            Called::Waits(_) => panic!("`{operation}` waits for a delivery"),
        }
    }

    /// Makes the call, whose answer may wait for a delivery.
    ///
    /// # Panics
    /// Where there is no such twin or operation: a mistake of the test.
    pub fn called(self, universe: &Arc<Universe>) -> Called {
        let slot = universe.slot(self.twin).expect("the universe has the twin");
        let host = Arc::clone(&universe.twins()[slot]);
        let index = host.operations().iter().position(|info| info.id == self.operation);
        let index = index.unwrap_or_else(|| panic!("{} serves `{}`", self.twin, self.operation));
        let info = &host.operations()[index];
        let names: Vec<&'static str> = info.path_params().collect();
        let mut path = info.path.to_owned();
        for (name, value) in names.iter().zip(&self.params) {
            path = path.replace(&format!("{{{name}}}"), &encode(value));
        }
        let query: Vec<String> = self.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let method = if self.twin == "slack" { http::Method::POST } else { info.methods[0].clone() };
        let request = Request {
            method,
            path,
            query: query.join("&"),
            path_params: names.into_iter().zip(self.params).collect(),
            headers: self.headers,
            body: self.body.into(),
            origin: SmolStr::new_static("http://twin.localhost"),
        };
        host.call(universe, slot, index, request)
    }

    /// Makes the call and reads its answer as JSON; null where it is none.
    pub fn json(self, universe: &Arc<Universe>) -> Value {
        serde_json::from_slice(&self.send(universe).body).unwrap_or(Value::Null)
    }
}

/// Percent-encodes a value for a query, form or path.
pub fn encode(value: &str) -> String {
    let byte = |b: u8| match b {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    value.bytes().map(byte).collect()
}
