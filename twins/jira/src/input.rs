//! What a request says before the state is looked at.

use std::borrow::Cow;

use bytes::Bytes;
use dtu_kernel::{
    args::{self, ArgError, Args},
    operation::OperationInfo,
    wire::Request,
};
use http::header;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;
use smol_str::SmolStr;

use crate::{contract, credential::Credential, error::Error};

/// Arguments, credential, and what is wrong with them.
#[derive(Clone, Debug)]
pub struct Input {
    /// Who the caller says to be.
    pub credential: Credential,
    /// The object that the path, or a person that the query, names; empty where they name none.
    pub resource: SmolStr,
    query: Vec<(String, String)>,
    args: Args,
    /// The body, of an operation that takes JSON.
    body: Option<Bytes>,
    refused: Option<Error>,
}

/// The argument that the body is read as, which no query parameter may stand for.
const BODY: &str = "body";

impl Input {
    /// Reads a request.
    pub fn read(operation: &OperationInfo, request: &Request) -> Self {
        let takes_json = contract::takes_json(operation);
        let query: Vec<(String, String)> =
            request.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let args = arguments(&query, request);
        let mut refused = is_a_browser(request).then_some(Error::Xsrf);
        if takes_json {
            refused = refused.or_else(|| media_type(request).err());
        }
        Self {
            credential: Credential::of(request),
            resource: resource(&args, request),
            args,
            query,
            body: takes_json.then(|| request.body.clone()),
            refused,
        }
    }

    /// Refuses what Jira refuses before it asks who calls.
    ///
    /// # Errors
    /// What is wrong with the request's headers.
    pub fn admit(&self) -> Result<(), Error> {
        self.refused.clone().map_or(Ok(()), Err)
    }

    /// The operation's arguments.
    ///
    /// # Errors
    /// What is wrong with the body or the query.
    pub fn decode<A: DeserializeOwned>(mut self) -> Result<A, Error> {
        if let Some(bytes) = &self.body {
            let body = body(bytes)?;
            if !body.is_object() {
                return Err(Error::Payload);
            }
            self.args.insert(BODY.to_owned(), body);
        }
        args::read(self.args).map_err(|error| match error {
            ArgError::Missing(name) | ArgError::Invalid(name, _) if name == BODY => Error::Payload,
            ArgError::Missing(name) => Error::MissingParameter { name },
            ArgError::Invalid(name, _) => Error::conversion(&self.query, &name),
        })
    }
}

fn resource(args: &Args, request: &Request) -> SmolStr {
    let of_path = request.path_params.first().map(|(_, value)| value.as_str());
    of_path.or_else(|| args.get("accountId").and_then(Value::as_str)).map(SmolStr::new).unwrap_or_default()
}

/// Arguments by name from query and path. Of a parameter given twice the first counts; several `expand` add up.
fn arguments(query: &[(String, String)], request: &Request) -> Args {
    let mut args = Args::new();
    for (name, value) in query.iter().filter(|(name, _)| name != BODY) {
        match args.get_mut(name) {
            Some(Value::String(before)) if name == "expand" => {
                before.push(',');
                before.push_str(value);
            }
            Some(_) => {}
            None => drop(args.insert(name.clone(), Value::String(value.clone()))),
        }
    }
    for (name, value) in &request.path_params {
        args.insert((*name).to_owned(), Value::String(value.clone()));
    }
    args
}

/// A JSON body as Jira reads it: bytes after a complete value are passed over.
///
/// # Errors
/// Nothing there, or nothing that can be read.
pub fn body(bytes: &[u8]) -> Result<Value, Error> {
    if bytes.is_empty() {
        return Err(Error::NoContent);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Error::Payload)?;
    match serde_json::Deserializer::from_str(text).into_iter::<Value>().next() {
        None => Err(Error::Payload),
        Some(Ok(Value::Null)) => Err(Error::NoContent),
        Some(Ok(value)) => Ok(value),
        Some(Err(_)) => Err(Error::BadJson),
    }
}

/// Checks that the body is announced as JSON; parameters and case do not count, but a charset must be one.
fn media_type(request: &Request) -> Result<(), Error> {
    let Some(value) = request.headers.get(header::CONTENT_TYPE) else {
        return Err(Error::MediaType { sent: "null".to_owned() });
    };
    let sent = value.to_str().map_err(|_| Error::UnreadableMediaType)?.trim();
    let mut parts = sent.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| part.to_ascii_lowercase().strip_prefix("charset=").map(str::to_owned));
    let known = charset.is_none_or(|charset| CHARSETS.contains(&charset.trim_matches('"')));
    match essence.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() && known => {}
        _ => return Err(Error::UnreadableMediaType),
    }
    if essence == "application/json" { Ok(()) } else { Err(Error::MediaType { sent: sent.to_owned() }) }
}

const CHARSETS: [&str; 8] = ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "utf-16", "windows-1252"];

/// Writes that look as if a browser sent them for another site are stopped: Atlassian's KB names the user agent, and
/// `Origin` and `Referer` of another host.
fn is_a_browser(request: &Request) -> bool {
    if !["POST", "PUT", "DELETE"].contains(&request.method.as_str()) {
        return false;
    }
    let elsewhere = |name| request.header(name).is_some_and(|from: &str| host(from) != host(&request.origin));
    request.header(header::USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla"))
        || elsewhere(header::ORIGIN)
        || elsewhere(header::REFERER)
}

/// The host and port of a URL. Its scheme does not count: a front that ends TLS changes it.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// Reads a whole number of 32 bits from a query parameter. White space in it does not count, and nothing but white
/// space is as good as no parameter.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let text: String = String::deserialize(deserializer)?.split_whitespace().collect();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(D::Error::custom)
}

/// A query with its booleans as documents write them. Jira takes some words for them, in any case, and nothing for no
/// parameter; clients in Python send `True`. What is no such word stays, to be refused as it was sent.
pub(crate) fn with_booleans(query: &str, is_boolean: impl Fn(&str) -> bool) -> Cow<'_, str> {
    let pairs = || form_urlencoded::parse(query.as_bytes());
    if !pairs().any(|(name, value)| is_boolean(&name) && !["true", "false"].contains(&&*value)) {
        return Cow::Borrowed(query);
    }
    let mut written = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs() {
        let word = if is_boolean(&name) { boolean(&value) } else { &value };
        if !(word.is_empty() && is_boolean(&name)) {
            written.append_pair(&name, word);
        }
    }
    Cow::Owned(written.finish())
}

/// The words that Spring's converter of booleans knows; any other as it is.
fn boolean(word: &str) -> &str {
    let is_one_of = |words: [&str; 4]| words.iter().any(|known| word.trim().eq_ignore_ascii_case(known));
    match word {
        _ if is_one_of(["true", "on", "yes", "1"]) => "true",
        _ if is_one_of(["false", "off", "no", "0"]) => "false",
        _ if word.trim().is_empty() => "",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dtu_kernel::operation::Level;
    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    #[test]
    fn bodies_are_read_as_jira_reads_them() {
        let check = |bytes: &[u8], wanted: Result<Value, Error>| assert_eq!(body(bytes), wanted, "{bytes:?}");
        check(b"", Err(Error::NoContent));
        check(b"null", Err(Error::NoContent));
        check(b"{\"a\":", Err(Error::BadJson));
        check(b"nonsense", Err(Error::BadJson));
        check(b"  ", Err(Error::Payload));
        check(b"\xff", Err(Error::Payload));
        check(b"{} trailing", Ok(Value::Object(serde_json::Map::new())));
        check(b"\"5b10\"", Ok(Value::from("5b10")));
    }

    fn input(method: &'static [Method], headers: &[(&'static str, &str)], body: &'static str) -> Input {
        let header = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("is a header"))
        };
        let request = Request {
            method: method[0].clone(),
            path: "/rest/api/3/x/7".to_owned(),
            query: "body=x&expand=a&expand=b&n=1&n=2".to_owned(),
            path_params: vec![("id", "7".to_owned())],
            headers: headers.iter().map(header).collect::<HeaderMap>(),
            body: Bytes::from_static(body.as_bytes()),
            origin: "http://jira.test".into(),
        };
        Input::read(&OperationInfo::untyped("x", method, "/rest/api/3/x/{id}", Level::Behaves), &request)
    }

    const POST: &[Method] = &[Method::POST];
    const AS_JSON: &[(&str, &str)] = &[("content-type", "application/json")];

    #[test]
    fn media_types_are_checked_before_anything_else() {
        let check = |sent: &str, wanted: Result<(), Error>| {
            assert_eq!(input(POST, &[("content-type", sent)], "").admit(), wanted, "{sent}");
        };
        let other = |sent: &str| Err(Error::MediaType { sent: sent.to_owned() });
        check("application/json", Ok(()));
        check("Application/JSON; charset=UTF-8", Ok(()));
        check("application/json; x=y", Ok(()));
        check("text/plain", other("text/plain"));
        check("application/json;charset=nope", Err(Error::UnreadableMediaType));
        check("json", Err(Error::UnreadableMediaType));
        assert_eq!(input(POST, &[], "").admit(), other("null"));
        assert_eq!(input(&[Method::GET], &[("content-type", "text/plain")], "").admit(), Ok(()));
        assert_eq!(input(&[Method::DELETE], &[], "").admit(), Ok(()));
    }

    #[test]
    fn what_looks_like_another_site_s_page_is_stopped() {
        let check = |header: (&'static str, &str), wanted: Result<(), Error>| {
            assert_eq!(input(POST, &[header, AS_JSON[0]], "").admit(), wanted, "{header:?}");
            assert_eq!(input(&[Method::GET], &[header], "").admit(), Ok(()), "{header:?}");
        };
        check(("user-agent", "python-requests/2.33"), Ok(()));
        check(("user-agent", "Mozilla/5.0"), Err(Error::Xsrf));
        check(("origin", "http://jira.test"), Ok(()));
        check(("referer", "https://jira.test/browse/A-1"), Ok(()));
        check(("origin", "http://jira.test.evil.example"), Err(Error::Xsrf));
        check(("referer", "http://evil.example/http://jira.test"), Err(Error::Xsrf));
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Sample {
        id: String,
        expand: String,
        #[serde(default, deserialize_with = "number")]
        n: Option<i32>,
        body: Value,
    }

    #[test]
    fn arguments_come_from_path_query_and_body() {
        let read = |body: &'static str| input(POST, AS_JSON, body).decode::<Sample>();
        let body = serde_json::json!({ "a": 1 });
        let sample = Sample { id: "7".to_owned(), expand: "a,b".to_owned(), n: Some(1), body };
        assert_eq!(read(r#"{"a":1}"#), Ok(sample));
        assert_eq!(read("[]"), Err(Error::Payload));
        assert_eq!(read(""), Err(Error::NoContent));
        let without = input(&[Method::GET], &[], "").decode::<Sample>();
        assert_eq!(without, Err(Error::Payload), "a query parameter never stands for the body");
    }

    #[test]
    fn booleans_are_read_in_any_case() {
        let check = |query: &str, wanted: &str| {
            assert_eq!(with_booleans(query, |name| name == "b"), wanted, "{query}");
        };
        check("b=true&c=True", "b=true&c=True");
        check("b=True&c=No", "b=true&c=No");
        check("b=FALSE", "b=false");
        check("b=%20yes%20&b=off&b=1", "b=true&b=false&b=true");
        check("a=1&b=&b=%20", "a=1");
        check("b=maybe+not&a=x%26y", "b=maybe+not&a=x%26y");
        check("", "");
    }
}
