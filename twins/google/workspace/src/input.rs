//! What a request to an API says before the state is looked at.

use dtu_kernel::{
    args::{self, Args},
    wire::Request,
};
use http::header;
use serde::de::DeserializeOwned;
use serde_json::Value;
use smol_str::SmolStr;

use crate::error::Error;

/// How a caller says who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Not at all.
    None,
    /// Not itself, only its project: by an API key.
    ApiKey,
    /// By a bearer token.
    Bearer(SmolStr),
}

/// Credential and arguments. Bodies stay with the request, which operations read from.
#[derive(Clone, Debug)]
pub struct Input {
    /// The credential.
    pub credential: Credential,
    /// The object that the path names first; empty where it names none.
    pub resource: SmolStr,
    /// What of the answer's form the caller wishes that the twin has not: a file's content, protocol buffers, a script.
    pub unserved: Option<String>,
    args: Args,
}

impl Input {
    /// Reads a request.
    pub fn read(request: &Request) -> Self {
        let mut args = Args::new();
        for (name, value) in request.query_pairs() {
            // Of a parameter given twice, the last counts, as protocol buffers are read.
            args.insert(name.into_owned(), Value::String(value.into_owned()));
        }
        for (name, value) in &request.path_params {
            args.insert((*name).to_owned(), Value::String(value.clone()));
        }
        let resource = request.path_params.first().map(|(_, value)| SmolStr::new(value)).unwrap_or_default();
        Self { credential: credential(request), resource, unserved: unserved(request), args }
    }

    /// The arguments of an operation with hand-written rules.
    ///
    /// # Errors
    /// The first that is missing or does not fit.
    pub fn decode<A: DeserializeOwned>(self) -> Result<A, Error> {
        args::read(self.args).map_err(Error::Argument)
    }
}

/// The token of `Authorization: Bearer ...` or of a request's query.
pub fn bearer(request: &Request) -> Option<SmolStr> {
    let in_header = || {
        let (scheme, token) = request.header(header::AUTHORIZATION)?.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| SmolStr::new(token.trim()))
    };
    let in_query = || {
        let found = request.query_pairs().find(|(name, _)| matches!(name.as_ref(), "access_token" | "oauth_token"));
        found.map(|(_, value)| SmolStr::from(value))
    };
    in_header().or_else(in_query).filter(|token| !token.is_empty())
}

/// The first wish for another form of the answer than JSON.
fn unserved(request: &Request) -> Option<String> {
    let is_other = |name: &str, value: &str| match name {
        "alt" | "$alt" => !["", "json"].contains(&value),
        "callback" | "$callback" => !value.is_empty(),
        _ => false,
    };
    let found = request.query_pairs().find(|(name, value)| is_other(name, value));
    found.map(|(name, value)| format!("{name}={value}"))
}

fn credential(request: &Request) -> Credential {
    if let Some(token) = bearer(request) {
        return Credential::Bearer(token);
    }
    // Any other scheme is a credential, too, and never a good one.
    if let Some(other) = request.header(header::AUTHORIZATION).filter(|value| !value.trim().is_empty()) {
        return Credential::Bearer(SmolStr::new(other));
    }
    let in_query = request.query_pairs().any(|(name, value)| name == "key" && !value.is_empty());
    let key = in_query || request.headers.contains_key("x-goog-api-key");
    if key { Credential::ApiKey } else { Credential::None }
}
