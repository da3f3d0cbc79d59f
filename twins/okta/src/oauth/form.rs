//! What a call of an OAuth endpoint says: in the query where it is a GET, else in the body's form.

use std::collections::BTreeMap;

use dtu_kernel::wire::Request;
use http::{Method, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::error::{self, OAuthError};
use crate::error::Error;

/// Parameters by name. Empty ones count as absent (RFC 6749, section 3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Form(BTreeMap<String, String>);

/// Parameters that show who a client is, and have no business in an address.
const CREDENTIALS: [&str; 2] = ["client_secret", "client_assertion"];

impl Form {
    /// Reads a request.
    ///
    /// # Errors
    /// A body that is no form, parameters that are there twice, credentials in the query.
    pub fn read(request: &Request) -> Result<Self, Error> {
        if request.method != Method::POST {
            return Ok(Self::of(request.query_pairs())?);
        }
        if request.query_pairs().any(|(name, _)| CREDENTIALS.contains(&name.as_ref())) {
            return Err(error::CREDENTIALS_IN_QUERY.into());
        }
        match request.media_type().as_str() {
            _ if request.body.is_empty() => Ok(Self::default()),
            "application/x-www-form-urlencoded" => Ok(Self::of(form_urlencoded::parse(&request.body))?),
            // The document of the pushed requests has JSON, the standard has a form.
            "application/json" if request.path.ends_with("/par") => Self::of_json(&request.body),
            _ => Err(Error::MediaType),
        }
    }

    /// Parameters of pairs.
    ///
    /// # Errors
    /// Those that are there twice.
    pub fn of<N: AsRef<str>, V: AsRef<str>>(pairs: impl Iterator<Item = (N, V)>) -> Result<Self, OAuthError> {
        let mut form = BTreeMap::new();
        for (name, value) in pairs {
            let name = name.as_ref().to_owned();
            if form.insert(name.clone(), value.as_ref().to_owned()).is_some() {
                return Err(error::duplicated(&name));
            }
        }
        form.retain(|_, value| !value.is_empty());
        Ok(Self(form))
    }

    fn of_json(body: &[u8]) -> Result<Self, Error> {
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return Err(Error::Malformed) };
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(Self::of(members.into_iter().map(|(name, value)| (name, text(value))))?)
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// Where it is not.
    pub fn need(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| error::missing(name))
    }

    /// A list whose items are separated by spaces, each once.
    pub fn words(&self, name: &str) -> Vec<&str> {
        let mut words = Vec::new();
        for word in self.get(name).unwrap_or_default().split_ascii_whitespace() {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The parameters as an object.
    pub fn to_json(&self) -> Value {
        self.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
    }

    /// Parameters of an object of texts.
    pub fn from_json(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }
}

/// The scheme, in lower case, and the rest of an `Authorization` header.
pub fn authorization(request: &Request) -> Option<(String, &str)> {
    let (scheme, rest) = request.header(header::AUTHORIZATION)?.trim().split_once(' ')?;
    Some((scheme.to_ascii_lowercase(), rest.trim()))
}
