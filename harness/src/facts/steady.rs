//! Texts that are the same in equal runs: ids, times and ports that a run draws or is given are left out.

use serde_json::Value;

/// A value in a few characters.
pub(crate) fn short(value: &Value) -> String {
    const MAX: usize = 60;
    let text = match value {
        Value::String(text) => steady(text),
        other => steady(&other.to_string()),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = match line.char_indices().nth(MAX) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    };
    if line.contains(' ') && value.is_string() { format!("\"{line}\"") } else { line }
}

/// The text with `<id>`, `<time>` and `<port>` where drawn ids, times and ports of this machine stand.
pub(crate) fn steady(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let fresh = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
        let (mark, len) = match () {
            () if fresh && time_len(rest) > 0 => ("<time>", time_len(rest)),
            () if out.ends_with("127.0.0.1:") || out.ends_with("localhost:") => ("<port>", digits(rest)),
            () if fresh && is_uuid(rest) => ("<id>", UUID),
            () if fresh => word(rest),
            () => ("", 0),
        };
        let len = if len == 0 { first.len_utf8() } else { len };
        out.push_str(if mark.is_empty() { &rest[..len] } else { mark });
        rest = &rest[len..];
    }
    out
}

/// The length of a UUID's text.
const UUID: usize = 36;

fn is_uuid(text: &str) -> bool {
    let Some(text) = text.as_bytes().get(..UUID) else { return false };
    let is_dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    text.iter().enumerate().all(|(at, b)| if is_dash(at) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// How many characters of a time stand at the beginning: `2026-03-02T09:00:00.000Z`, or seconds with a fraction as
/// Slack writes them.
fn time_len(text: &str) -> usize {
    let b = text.as_bytes();
    let whole = digits(text);
    if whole == 10 && b.get(10) == Some(&b'.') && digits(&text[11..]) == 6 {
        return 17;
    }
    let is_date = whole == 4 && b.len() > 10 && b[4] == b'-' && b[7] == b'-' && b[10] == b'T';
    let in_time = |b: &&u8| b.is_ascii_digit() || matches!(b, b'T' | b':' | b'.' | b'-' | b'+' | b'Z');
    if is_date { b.iter().take_while(in_time).count() } else { 0 }
}

/// The word at the beginning, and what stands for it where it looks drawn: long, with digits, and nothing a person
/// would write.
fn word(text: &str) -> (&'static str, usize) {
    let len = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let word = &text[..len];
    let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
    let upper_only = !has(u8::is_ascii_lowercase);
    let looks_drawn = has(u8::is_ascii_digit) && (len >= 16 || (len >= 8 && upper_only));
    (if looks_drawn { "<id>" } else { "" }, len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_run_draws_is_left_out() {
        let check = |text: &str, wanted: &str| assert_eq!(steady(text), wanted);
        check("channel C0A1B2C3D4E at 1772442000.000100", "channel <id> at <time>");
        check("2026-03-02T09:00:00.123Z, then", "<time>, then");
        check("00u1a2b3c4d5e6f7g8h9", "<id>");
        check("/x/550e8400-e29b-41d4-a716-446655440000/y", "/x/<id>/y");
        check("http://127.0.0.1:43210/api/v1", "http://127.0.0.1:<port>/api/v1");
        check("lena.fischer@acme.example wants figma-admin x2", "lena.fischer@acme.example wants figma-admin x2");
        check("room 12345, 2026-03-02", "room 12345, 2026-03-02");
        check("", "");
    }

    #[test]
    fn values_are_cut() {
        let check = |value: Value, wanted: &str| assert_eq!(short(&value), wanted);
        check(json!("two\n words"), "\"two words\"");
        check(json!("one"), "one");
        check(json!({ "a": [1, null] }), r#"{"a":[1,null]}"#);
        assert!(short(&json!("é".repeat(200))).len() < 200);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_twice_is_once(text in "[0-9A-Za-zé:.@T/ -]{0,60}") {
            let once = steady(&text);
            prop_assert_eq!(steady(&once), once);
        }
    }
}
