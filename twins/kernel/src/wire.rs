//! What goes over the wire, before and after a service's own meaning is put on it.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use smol_str::SmolStr;

use crate::{
    json::{self, Json},
    time::Timestamp,
};

/// A request as it came in: nothing decoded but the path's parameters.
#[derive(Clone, Debug)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Path as sent, still percent-encoded.
    pub path: String,
    /// Query as sent, without the question mark; empty where there is none.
    pub query: String,
    /// Decoded path parameters in the order of the operation's template.
    pub path_params: Vec<(&'static str, String)>,
    /// Headers as sent.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// The address that the caller used, as `http://host:port` without a slash at the end. Absolute URLs in
    /// answers are built from it.
    pub origin: SmolStr,
}

impl Request {
    /// A header's text; none where absent or not text.
    pub fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A path parameter. Empty where the template has none of that name.
    pub fn path_param(&self, name: &str) -> &str {
        self.path_params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The query's pairs, decoded, in order.
    pub fn query_pairs(&self) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_bytes())
    }

    /// The media type of the body in lower case, without parameters; empty where not given.
    pub fn media_type(&self) -> String {
        let value = self.header(header::CONTENT_TYPE).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Path and query as sent.
    pub fn target(&self) -> SmolStr {
        if self.query.is_empty() {
            SmolStr::new(&self.path)
        } else {
            smol_str::format_smolstr!("{}?{}", self.path, self.query)
        }
    }
}

/// What a handler answers: the service's envelope is put around it by [`crate::twin::Twin::render`].
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// More headers, several of a name where the service sends several.
    pub headers: Vec<(HeaderName, String)>,
    /// The body, and its media type; none for an empty body.
    pub body: Option<(&'static str, Bytes)>,
}

/// The media type of JSON with the charset that most services add.
pub const JSON_UTF8: &str = "application/json; charset=utf-8";
/// The bare media type of JSON.
pub const JSON: &str = "application/json";

/// A path in which slashes in a row count as one.
pub fn merge_slashes(path: &str) -> Cow<'_, str> {
    if !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let mut merged = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !merged.ends_with('/') {
            merged.push(c);
        }
    }
    Cow::Owned(merged)
}

/// A value as JSON in a buffer of just its size: the ledger may keep it for long.
pub fn to_json_bytes<B: Serialize + ?Sized>(body: &B) -> Bytes {
    json::written(|json| json.value(body))
}

impl Answer {
    /// 200 with `body` as JSON.
    pub fn json<B: Serialize + ?Sized>(body: &B) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Some((JSON, to_json_bytes(body))) }
    }

    /// 200 with the JSON that `write` writes.
    pub fn written(write: impl FnOnce(&mut Json<'_>)) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Some((JSON, json::written(write))) }
    }

    /// A status without a body.
    pub const fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }

    /// 200 with text of a media type.
    pub fn text(media_type: &'static str, body: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Some((media_type, Bytes::from(body.into()))) }
    }

    /// The same with another status.
    #[must_use]
    pub const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// All headers but those of the connection itself.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The service's own error code where it refuses; empty where it does not. For the ledger, not for the wire.
    pub error: SmolStr,
    /// Whether the twin answered so because it lacks something that the service has. For the ledger, too.
    pub gap: bool,
    /// The socket that the answer opens, where it opens one.
    pub socket: Option<crate::socket::SocketId>,
}

impl Reply {
    /// From an answer; the `Date` header follows the universe's clock.
    pub fn new(answer: Answer, now: Timestamp) -> Self {
        let headers = HeaderMap::with_capacity(answer.headers.len() + 8);
        Self::over(headers, answer, now)
    }

    /// The same with headers that all answers of a service have (see [`fixed_headers`]): made once and copied, they
    /// cost little. They stand above the answer's own. One that differs from answer to answer can be among them, and is
    /// set again in its place.
    pub fn dressed(mut answer: Answer, now: Timestamp, all: &HeaderMap) -> Self {
        answer.headers.retain(|(name, _)| !all.contains_key(name));
        Self::over(all.clone(), answer, now)
    }

    fn over(mut headers: HeaderMap, answer: Answer, now: Timestamp) -> Self {
        let (media_type, body) = match answer.body {
            Some((media_type, body)) => (Some(media_type), body),
            None => (None, Bytes::new()),
        };
        if let Some(media_type) = media_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        for (name, value) in answer.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.append(name, value);
            }
        }
        headers.insert(header::DATE, date_header(now));
        Self { status: answer.status, headers, body, error: SmolStr::default(), gap: false, socket: None }
    }

    /// The same, marked as a gap in the twin.
    #[must_use]
    pub const fn as_gap(mut self) -> Self {
        self.gap = true;
        self
    }

    /// The same, marked as the service's refusal `code`.
    #[must_use]
    pub fn refused(mut self, code: impl Into<SmolStr>) -> Self {
        self.error = code.into();
        self
    }

    /// Sets a header whose value is fixed.
    pub fn fix(&mut self, name: HeaderName, value: &'static str) {
        self.headers.insert(name, HeaderValue::from_static(value));
    }

    /// Sets a header; a value that is not a header's is left out.
    pub fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }
}

/// Headers with fixed values, for [`Reply::dressed`].
pub fn fixed_headers<const N: usize>(headers: [(HeaderName, &'static str); N]) -> HeaderMap {
    // Room for what each answer adds, so that nothing is sorted in anew.
    let mut map = HeaderMap::with_capacity(N + 16);
    map.extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    map
}

/// The header of a time. Answers come many to the second, and each thread makes it once for all of them.
fn date_header(now: Timestamp) -> HeaderValue {
    thread_local! {
        static LAST: std::cell::RefCell<Option<(i64, HeaderValue)>> = const { std::cell::RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| match last {
        Some((second, value)) if *second == now.as_secs() => value.clone(),
        _ => {
            let made = HeaderValue::try_from(now.http_date()).unwrap_or_else(|_| HeaderValue::from_static(""));
            *last = Some((now.as_secs(), made.clone()));
            made
        }
    })
}

/// What is done to the connection besides, or instead of, the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The answer as it is.
    Plain,
    /// The answer, this much later.
    Late(std::time::Duration),
    /// Nothing for this long, then the connection closes.
    Hang(std::time::Duration),
    /// The connection is reset.
    Reset,
    /// The answer stops in the middle.
    Truncate,
    /// The answer comes in pieces of so many bytes, this much apart.
    Drip(std::time::Duration, u32),
}

/// What a proxy in front of a service answers when the service is away.
pub fn proxy_page(status: u16, now: Timestamp) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let page = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    let answer = Answer::text("text/html", page).with_status(status);
    let mut reply = Reply::new(answer, now).refused("proxy_page");
    reply.fix(header::SERVER, "nginx");
    reply
}
