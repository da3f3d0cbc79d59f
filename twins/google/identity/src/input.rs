//! What a request says before the state is looked at.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_google_workspace::input::bearer;
use dtu_kernel::{
    args::{self, Args},
    operation::OperationInfo,
    wire::Request,
};
use http::header;
use serde::de::DeserializeOwned;
use serde_json::Value;
use smol_str::SmolStr;

use crate::error::Error;

/// Arguments and credential.
#[derive(Clone, Debug)]
pub struct Input {
    /// An access token that the call shows.
    pub bearer: Option<SmolStr>,
    /// The client or service account that the call speaks of; empty where it speaks of none.
    pub resource: SmolStr,
    args: Args,
}

impl Input {
    /// Reads a request: the query, over it the form, over that the path, and a client's name and secret from the
    /// header, where the form has none.
    pub fn read(operation: &OperationInfo, request: &Request) -> Self {
        let mut args = Args::new();
        let pairs = |args: &mut Args, text: &[u8]| {
            for (name, value) in form_urlencoded::parse(text) {
                args.insert(name.into_owned(), Value::String(value.into_owned()));
            }
        };
        pairs(&mut args, request.query.as_bytes());
        if request.media_type() == "application/x-www-form-urlencoded" {
            pairs(&mut args, &request.body);
        } else if let Ok(Value::Object(body)) = serde_json::from_slice(&request.body) {
            // Google's endpoint reads JSON bodies as well.
            args.extend(body);
        }
        for (name, value) in &request.path_params {
            args.insert((*name).to_owned(), Value::String(value.clone()));
        }
        if let Some((id, secret)) = basic(request) {
            args.entry("client_id").or_insert(Value::String(id));
            args.entry("client_secret").or_insert(Value::String(secret));
        }
        let of = |name: &str| args.get(name).and_then(Value::as_str).map(SmolStr::new);
        let resource = of("client_id").or_else(|| of("email")).unwrap_or_default();
        let bearer = if operation.scopes.is_empty() { None } else { bearer(request) };
        Self { bearer, resource, args }
    }

    /// The operation's arguments.
    ///
    /// # Errors
    /// The first that does not fit.
    pub fn decode<A: DeserializeOwned>(self) -> Result<A, Error> {
        args::read(self.args).map_err(|error| Error::request(error.to_string()))
    }
}

/// A client's id and secret of `Authorization: Basic ...`.
fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, value) = request.header(header::AUTHORIZATION)?.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // Both parts are form-encoded (RFC 6749, section 2.3.1).
    let plain = |part: &str| form_urlencoded::parse(format!("x={part}").as_bytes()).next().map(|(_, v)| v.into_owned());
    Some((plain(id)?, plain(secret)?))
}
