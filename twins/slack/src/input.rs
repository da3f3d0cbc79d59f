//! Reading a request as far as that needs no state: arguments, token, and what is wrong with them.

use dtu_kernel::{args::Args, operation::OperationInfo, wire::Request};
use http::header;
use serde_json::Value;
use smol_str::SmolStr;

use crate::{error::Code, pictures::Picture, thumbnails};

/// The argument that tells handlers what is seen of a picture. No caller can send one of this name.
const PICTURE: &str = "~picture";

/// What a request says.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Arguments of query, form and JSON body, later ones over earlier ones; without the token.
    pub args: Args,
    /// The token, from the header or the form.
    pub token: Option<SmolStr>,
    /// What is wrong with the request's form.
    pub problem: Option<Code>,
}

impl Input {
    /// An argument's text; empty where absent or not text.
    pub fn text(&self, name: &str) -> &str {
        self.args.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Reads a request.
pub(crate) fn read(operation: &OperationInfo, request: &Request) -> Input {
    let mut input = Input::default();
    if !request.query.is_empty() {
        add_pairs(&mut input, request.query.as_bytes());
        // A token in the query string is no longer looked at: docs.slack.dev/apis/web-api.
        input.args.shift_remove("token");
    }
    let added =
        if is_hook(operation) { add_json(&mut input, request) } else { add_body(&mut input, operation, request) };
    // An address that apps were told says first whether it is still one.
    if is_hook(operation) {
        input.problem = None;
    } else if let Err(code) = added {
        input.problem = Some(code);
    }
    if let Some(seen) = picture(operation, request).and_then(|seen| serde_json::to_value(seen).ok()) {
        input.args.insert(PICTURE.to_owned(), seen);
    }
    let in_form = input.args.shift_remove("token").and_then(|token| token.as_str().map(SmolStr::new));
    input.token = bearer(request).or(in_form).filter(|token| !token.is_empty());
    input
}

/// Looks at a picture that comes with a request. Looking takes long: it is done here, before the call has its turn.
fn picture(operation: &OperationInfo, request: &Request) -> Option<Picture> {
    let sent = match operation.id {
        "files.receive" => uploaded(request),
        "files.remote.add" | "files.remote.update" => file(request, "preview_image")?,
        "users.setPhoto" => first_file(request)?,
        _ => return None,
    };
    thumbnails::look(&sent)
}

/// What an upload sends: the bytes themselves, or the first file of a form.
pub(crate) fn uploaded(request: &Request) -> bytes::Bytes {
    let part = (request.media_type() == "multipart/form-data").then(|| first_file(request)).flatten();
    part.unwrap_or_else(|| request.body.clone())
}

pub(crate) fn bearer(request: &Request) -> Option<SmolStr> {
    let (scheme, token) = request.header(header::AUTHORIZATION)?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| SmolStr::new(token.trim()))
}

fn add_body(input: &mut Input, operation: &OperationInfo, request: &Request) -> Result<(), Code> {
    check_charset(request)?;
    if request.body.is_empty() {
        return Ok(());
    }
    match request.media_type().as_str() {
        "" => Err(Code::MissingPostType),
        "application/x-www-form-urlencoded" => {
            std::str::from_utf8(&request.body).map_err(|_| Code::InvalidFormData)?;
            add_pairs(input, &request.body);
            Ok(())
        }
        "multipart/form-data" => add_multipart(input, request).ok_or(Code::InvalidFormData),
        "application/json" if operation.json_body => add_json(input, request),
        // Other methods do not look into a JSON body at all.
        "application/json" | "text/plain" => Ok(()),
        _ => Err(Code::InvalidPostType),
    }
}

/// Whether an operation is an address that apps were told, not a method.
pub(crate) fn is_hook(operation: &OperationInfo) -> bool {
    !operation.path.starts_with("/api/")
}

fn add_json(input: &mut Input, request: &Request) -> Result<(), Code> {
    if request.media_type() == "application/x-www-form-urlencoded" {
        add_pairs(input, &request.body);
        return Ok(());
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| Code::InvalidJson)?;
    let Value::Object(members) = body else { return Err(Code::JsonNotObject) };
    for (name, value) in members {
        if !is_name(&name) {
            input.problem = Some(Code::InvalidArgName);
        }
        // The token must not come in JSON, and null stands for the default.
        if name != "token" && name != PICTURE && !value.is_null() {
            input.args.insert(name, value);
        }
    }
    Ok(())
}

fn add_pairs(input: &mut Input, text: &[u8]) {
    for (name, value) in form_urlencoded::parse(text) {
        add_pair(input, &name, value.into_owned());
    }
}

fn add_pair(input: &mut Input, name: &str, value: String) {
    if name.contains('[') {
        input.problem = Some(Code::InvalidArrayArg);
    } else if !is_name(name) {
        input.problem = Some(Code::InvalidArgName);
    } else {
        input.args.insert(name.to_owned(), Value::String(value));
    }
}

/// Whether arguments may have this name.
fn is_name(name: &str) -> bool {
    name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// The value of a `Content-Type` parameter.
fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let content_type = request.header(header::CONTENT_TYPE)?;
    content_type.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

fn check_charset(request: &Request) -> Result<(), Code> {
    match parameter(request, "charset") {
        Some(charset) if !["utf-8", "utf8", "iso-8859-1"].contains(&charset.to_ascii_lowercase().as_str()) => {
            Err(Code::InvalidCharset)
        }
        _ => Ok(()),
    }
}

/// Slack's warning about the charset of a POST: missing where the media type has one, superfluous where it has none.
pub(crate) fn charset_warning(request: &Request) -> Option<&'static str> {
    if request.method != http::Method::POST {
        return None;
    }
    let has = parameter(request, "charset").is_some();
    match request.media_type().as_str() {
        "application/json" | "text/plain" if !has => Some("missing_charset"),
        "application/x-www-form-urlencoded" | "multipart/form-data" if has => Some("superfluous_charset"),
        _ => None,
    }
}

/// The bytes of the first file of a multipart form; of its first field where it has no file.
pub(crate) fn first_file(request: &Request) -> Option<bytes::Bytes> {
    let delimiter = format!("--{}", parameter(request, "boundary")?);
    let body = &request.body[..];
    let (mut at, mut first) = (find(body, delimiter.as_bytes())? + delimiter.len(), None);
    while !body[at..].starts_with(b"--") {
        let head_end = at + find(&body[at..], b"\r\n\r\n")?;
        let start = head_end + 4;
        let end = start + find(&body[start..], format!("\r\n{delimiter}").as_bytes())?;
        let content = request.body.slice(start..end);
        if disposition(std::str::from_utf8(&body[at..head_end]).ok()?, "filename").is_some() {
            return Some(content);
        }
        first.get_or_insert(content);
        at = end + 2 + delimiter.len();
    }
    first
}

/// The bytes of a file of a multipart form, by the name of its field.
pub(crate) fn file(request: &Request, name: &str) -> Option<bytes::Bytes> {
    let delimiter = format!("--{}", parameter(request, "boundary")?);
    let body = &request.body[..];
    let mut at = find(body, delimiter.as_bytes())? + delimiter.len();
    while !body[at..].starts_with(b"--") {
        let head_end = at + find(&body[at..], b"\r\n\r\n")?;
        let start = head_end + 4;
        let end = start + find(&body[start..], format!("\r\n{delimiter}").as_bytes())?;
        let head = std::str::from_utf8(&body[at..head_end]).ok()?;
        if disposition(head, "filename").is_some() && disposition(head, "name") == Some(name) {
            return Some(request.body.slice(start..end));
        }
        at = end + 2 + delimiter.len();
    }
    None
}

/// The text fields of a multipart form (RFC 7578); files are passed over.
fn add_multipart(input: &mut Input, request: &Request) -> Option<()> {
    let delimiter = format!("--{}", parameter(request, "boundary")?);
    let body = &request.body[..];
    let mut at = find(body, delimiter.as_bytes())? + delimiter.len();
    loop {
        if body[at..].starts_with(b"--") {
            return Some(());
        }
        let head_end = at + find(&body[at..], b"\r\n\r\n")?;
        let start = head_end + 4;
        let end = start + find(&body[start..], format!("\r\n{delimiter}").as_bytes())?;
        let head = std::str::from_utf8(&body[at..head_end]).ok()?;
        if let Some(name) = disposition(head, "name").filter(|_| disposition(head, "filename").is_none()) {
            add_pair(input, name, std::str::from_utf8(&body[start..end]).ok()?.to_owned());
        }
        at = end + 2 + delimiter.len();
    }
}

fn disposition<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.split("\r\n");
    let line = lines.filter(|line| line.to_ascii_lowercase().starts_with("content-disposition:")).last()?;
    line.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key.trim() == name).then(|| value.trim().trim_matches('"'))
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
