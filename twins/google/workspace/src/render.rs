//! What all answers of an API have around them: headers, indentation, and the pages of the front server.

use std::borrow::Cow;

use dtu_kernel::{
    time::Timestamp,
    twin::{Reason, Scene, Unserved},
    wire::{self, Answer, Reply, Request},
};
use http::{HeaderValue, StatusCode, header};

use crate::{
    caller::Caller,
    error::{Error, Said},
    family::Family,
    fields::{self, Mask},
};

/// The media type of JSON as the APIs write it.
const JSON: &str = "application/json; charset=UTF-8";
/// The media type of the front server's pages.
const HTML: &str = "text/html; charset=UTF-8";

/// An answer or refusal as the API sends it.
pub fn reply(family: Family, scene: &Scene<'_>, caller: Option<&Caller>, result: Result<Answer, Error>) -> Reply {
    match result {
        Ok(answer) => dress(family, pick(answer, scene.request), scene.request, scene.now),
        Err(error) => {
            let said = error.said(family, scene.operation, caller);
            let reply = dress(family, said.answer(family), scene.request, scene.now).refused(said.code(family));
            if error.is_gap() { reply.as_gap() } else { reply }
        }
    }
}

/// The answer to a call that no operation can take.
pub fn unserved(family: Family, scene: &Unserved<'_>) -> Reply {
    let said = match scene.reason {
        // The front server knows no method of a path that it does not serve so.
        Reason::NotFound | Reason::MethodNotAllowed => {
            return page(StatusCode::NOT_FOUND, "Not Found", &scene.request.path, scene.now).refused("notFound");
        }
        Reason::BodyTooLarge => {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return page(status, "Request Entity Too Large", &scene.request.path, scene.now).refused("uploadTooLarge");
        }
        Reason::Absent(_) => Said::unimplemented(),
        Reason::Broken => Said::internal(),
    };
    dress(family, said.answer(family), scene.request, scene.now).refused(said.code(family))
}

/// Whether a call that no operation can take is one that the API serves: a path that no document lists, or a method
/// that is told by a header because the address was too long for `GET`.
pub fn is_gap(family: Family, scene: &Unserved<'_>) -> bool {
    let overrides = scene.request.headers.contains_key("x-http-method-override");
    overrides || family.unlisted().iter().any(|root| scene.request.path.starts_with(root))
}

/// The path that the front server makes of the path sent: slashes in a row count as one, and one at the end as none.
/// Clients whose configured address ends in a slash send two; `google-spreadsheet` sends one at the end.
pub fn path(sent: &str) -> Cow<'_, str> {
    let merged = wire::merge_slashes(sent);
    match merged.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => Cow::Owned(rest.to_owned()),
        _ => merged,
    }
}

/// A page of the front server for people, in our words.
pub fn page(status: StatusCode, title: &str, path: &str, now: Timestamp) -> Reply {
    let path = path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let code = status.as_u16();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n<title>Error {code} ({title})</title>\n<p><b>{code}.</b> \
         {title}.\n<p>This server has nothing for <code>{path}</code> by this method.\n"
    );
    let mut reply = Reply::new(Answer::text(HTML, page).with_status(status), now);
    reply.fix(header::REFERRER_POLICY, "no-referrer");
    reply
}

/// The part of an answer that the caller asked for. Whether there is such a part was looked at before.
pub fn pick(answer: Answer, request: &Request) -> Answer {
    let mask = fields::wanted(request).and_then(|mask| Mask::parse(&mask).ok());
    let (Some(mask), Some((media_type, body))) = (mask, &answer.body) else { return answer };
    match serde_json::from_slice(body) {
        Ok(whole) => Answer { body: Some((media_type, wire::to_json_bytes(&mask.pick(&whole)))), ..answer },
        Err(_) => answer,
    }
}

fn dress(family: Family, answer: Answer, request: &Request, now: Timestamp) -> Reply {
    let mut reply = Reply::new(answer, now);
    let media_type = reply.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.starts_with("application/json") {
        reply.fix(header::CONTENT_TYPE, JSON);
        if is_indented(request) {
            reply.body = indent(&reply.body).into();
        }
    }
    match family {
        Family::Drive => {
            reply.fix(header::VARY, "Origin, X-Origin");
            reply.fix(header::CACHE_CONTROL, "no-cache, no-store, max-age=0, must-revalidate");
        }
        Family::Sheets | Family::Docs => {
            for value in ["Origin", "X-Origin", "Referer"] {
                reply.headers.append(header::VARY, HeaderValue::from_static(value));
            }
            reply.fix(header::CACHE_CONTROL, "private");
        }
    }
    secure(&mut reply);
    reply
}

/// The headers that Google's front servers put on every answer of an API.
pub fn secure(reply: &mut Reply) {
    reply.fix(header::SERVER, "ESF");
    reply.fix(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    reply.fix(header::X_FRAME_OPTIONS, "SAMEORIGIN");
    reply.fix(header::X_XSS_PROTECTION, "0");
}

/// JSON is indented unless the caller says otherwise.
pub fn is_indented(request: &Request) -> bool {
    let wish = request.query_pairs().filter(|(name, _)| matches!(name.as_ref(), "prettyPrint" | "pp")).last();
    wish.is_none_or(|(_, value)| !matches!(value.as_ref(), "false" | "0"))
}

/// Compact JSON with two spaces a level and a line for each member, as Google writes it. Works on the text, so that
/// numbers stay as they are.
pub fn indent(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', depth * 2));
    };
    for (at, &byte) in json.iter().enumerate() {
        if in_text {
            out.push(byte);
            in_text = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                if !matches!(json.get(at + 1), Some(b'}' | b']')) {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                if !matches!(out.last(), Some(b'{' | b'[')) {
                    depth = depth.saturating_sub(1);
                    line(&mut out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend(b": "),
            _ => {
                in_text = byte == b'"';
                out.push(byte);
            }
        }
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn indented_json_is_what_a_library_makes_of_it() {
        for value in [
            json!({}),
            json!([]),
            json!("a\"b\\"),
            json!({ "a": [], "b": {}, "c": [{ "d": "x,y:{z}" }, [1, 2.5, null, true]], "e\\\"": "\\" }),
            json!([[], [[]], "[\"", {}]),
        ] {
            let wanted = format!("{value:#}\n");
            assert_eq!(String::from_utf8(indent(value.to_string().as_bytes())), Ok(wanted));
        }
        let odd = br#"{"n":0.95686275000000000001}"#;
        assert_eq!(indent(odd), b"{\n  \"n\": 0.95686275000000000001\n}\n", "numbers stay as they are");
        assert!(serde_json::from_slice::<Value>(&indent(odd)).is_ok());
    }

    #[test]
    fn pages_do_not_carry_markup_of_the_caller() {
        let reply = page(StatusCode::NOT_FOUND, "Not Found", "/<script>", Timestamp::default());
        assert!(String::from_utf8_lossy(&reply.body).contains("&lt;script&gt;"));
    }
}
