//! The fields of a multipart form (RFC 7578): just enough to check which there are.

use serde_json::Value;

/// A form's fields in order: text as it is; for a file, its length in bytes. None where the body is no such form.
pub(super) fn fields(content_type: &str, body: &[u8]) -> Option<Vec<(String, Value)>> {
    let boundary = parameter(content_type, "boundary")?;
    let opening = format!("--{boundary}").into_bytes();
    let separator = [b"\r\n", opening.as_slice()].concat();
    let mut rest = &body[find(body, &opening)? + opening.len()..];
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, &separator)?;
        fields.extend(field(&rest[..end]));
        rest = &rest[end + separator.len()..];
    }
    Some(fields)
}

/// One part: its name and value; none where it has no name.
fn field(part: &[u8]) -> Option<(String, Value)> {
    // A part without headers starts with the empty line that ends them.
    let end = if part.starts_with(b"\r\n") { 0 } else { find(part, b"\r\n\r\n")? + 2 };
    let (head, content) = (&part[..end], &part[end + 2..]);
    let head = String::from_utf8_lossy(head);
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let name = parameter(disposition, "name")?;
    let text = std::str::from_utf8(content).ok().filter(|_| parameter(disposition, "filename").is_none());
    Some((name, text.map_or_else(|| content.len().into(), Value::from)))
}

/// A header's parameter: `name=text` or `name="text"`.
fn parameter(header: &str, wanted: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim();
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        (name.trim().eq_ignore_ascii_case(wanted) && !bare.is_empty()).then(|| bare.to_owned())
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
