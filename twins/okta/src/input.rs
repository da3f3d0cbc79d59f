//! What a request says before the state is looked at.

use std::borrow::Cow;

use dtu_kernel::{
    args::{self, Args},
    operation::OperationInfo,
    wire::Request,
};
use http::{Method, header};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    api,
    error::Error,
    idx,
    oauth::{self, form::Form},
};

/// Arguments, credential, and what is wrong with them.
#[derive(Clone, Debug)]
pub struct Input {
    /// The token of `Authorization: SSWS ...`; none where there is none.
    pub token: Option<SmolStr>,
    /// The object that the path names; empty where it names none.
    pub resource: SmolStr,
    args: Args,
    problem: Option<Error>,
}

/// Arguments that come from headers or the body, which no query parameter may stand for.
const RESERVED: [&str; 3] = ["body", "if-match", "okta-response"];

impl Input {
    /// Reads a request.
    pub fn read(operation: &OperationInfo, request: &Request) -> Self {
        if oauth::serves(operation) {
            return Self::form(request);
        }
        let mut args = Args::new();
        let query = request.query_pairs().filter(|(name, _)| !RESERVED.contains(&name.as_ref()));
        for (name, value) in query {
            // Of a parameter given twice, the first counts.
            args.entry(name.into_owned()).or_insert_with(|| Value::String(value.into_owned()));
        }
        for (name, value) in &request.path_params {
            args.insert((*name).to_owned(), Value::String(value.clone()));
        }
        if let Some(tag) = request.header(header::IF_MATCH) {
            args.insert("if-match".to_owned(), Value::from(tag));
        }
        if let Some(wishes) = okta_response(request) {
            args.insert("okta-response".to_owned(), Value::from(wishes));
        }
        let mut problem = (!accepts(operation, request)).then_some(Error::NotAcceptable);
        match body(operation, request) {
            Ok(Some(body)) => drop(args.insert("body".to_owned(), body)),
            Ok(None) => {}
            Err(error) => problem = problem.or(Some(error)),
        }
        let resource = request.path_params.first().map(|(_, value)| SmolStr::new(value)).unwrap_or_default();
        Self { token: token(request), resource, args, problem }
    }

    /// Reads a call that sends a form.
    fn form(request: &Request) -> Self {
        let resource = request.path_params.first().map(|(_, value)| SmolStr::new(value)).unwrap_or_default();
        let (args, problem) = match Form::read(request) {
            Ok(form) => (form.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect(), None),
            Err(problem) => (Args::new(), Some(problem)),
        };
        Self { token: None, resource, args, problem }
    }

    /// A text among the arguments or the members of the body; none where it is empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.args.get(name).or_else(|| self.args.get("body")?.get(name));
        found.and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The operation's arguments.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub fn decode<A: DeserializeOwned>(self) -> Result<A, Error> {
        match self.problem {
            Some(problem) => Err(problem),
            None => args::read(self.args).map_err(Error::argument),
        }
    }
}

/// `SSWS <token>`, or without the space: the Python SDK sends it so, and its recordings carry 2xx answers.
fn token(request: &Request) -> Option<SmolStr> {
    let value = request.header(header::AUTHORIZATION)?.trim();
    let scheme = value.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("SSWS"))?;
    let token = value[scheme.len()..].trim();
    (!token.is_empty()).then(|| token.into())
}

/// `Content-Type: application/json; okta-response=...` asks for less in the answer.
fn okta_response(request: &Request) -> Option<&str> {
    let parameters = request.header(header::CONTENT_TYPE)?.split(';').skip(1);
    let named = parameters.filter_map(|parameter| parameter.trim().strip_prefix("okta-response="));
    named.map(|value| value.trim_matches('"')).next()
}

/// The one operation that answers in XML.
const IN_XML: &str = "previewSAMLmetadataForApplication";

fn accepts(operation: &OperationInfo, request: &Request) -> bool {
    let Some(accept) = request.header(header::ACCEPT) else {
        return true;
    };
    let types = accept.split(',').map(|part| part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let own: &[&str] = match operation.id {
        IN_XML => &["application/xml", "text/xml", "text/*"],
        _ if idx::serves(operation) => &["application/ion+json", "application/json"],
        _ => &["application/json"],
    };
    types.into_iter().any(|name| matches!(name.as_str(), "" | "*/*" | "application/*") || own.contains(&name.as_str()))
}

fn body(operation: &OperationInfo, request: &Request) -> Result<Option<Value>, Error> {
    let carries = operation.writes
        && request.method != Method::DELETE
        && !api::UPLOADS.contains(&operation.id)
        && operation.id != api::identity_sources::BARE;
    if !carries || request.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    match request.media_type().as_str() {
        "application/json" => {}
        "application/ion+json" if idx::serves(operation) => {}
        "application/merge-patch+json" if request.method == Method::PATCH => {}
        "" => return Err(Error::NoMediaType),
        _ => return Err(Error::MediaType),
    }
    let text: Cow<'_, str> = std::str::from_utf8(&request.body).map_err(|_| Error::Malformed)?.into();
    let body: Value = serde_json::from_str(&text).map_err(|_| Error::Malformed)?;
    if body.is_object() { Ok(Some(body)) } else { Err(Error::Malformed) }
}

/// Reads what must be an object, or null where that fits too. Without this, serde takes a list of a struct's fields
/// for the struct.
pub(crate) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if !value.is_object() && !value.is_null() {
        return Err(D::Error::custom("is not an object"));
    }
    serde_json::from_value(value).map_err(D::Error::custom)
}
