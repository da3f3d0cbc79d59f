//! What can be said of a text without knowing what it means: ids, times and addresses have a shape.

use std::borrow::Cow;

/// Whether a text looks like something that a service drew: an id, a key, an error id.
pub fn is_id(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plain && (15..=64).contains(&text.len()) && text.bytes().any(|b| b.is_ascii_digit())
}

/// Whether a text is an id of a failure, in which there may be no digit by chance.
pub fn is_error_id(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plain && text.len() == 25 && text.starts_with("oae")
}

/// Whether two drawn texts are of one kind: as long, and the same first letters where the service's ids have such.
pub fn is_same_kind(one: &str, other: &str) -> bool {
    let hyphens = |text: &str| text.matches('-').count() == 4 && text.len() == 36;
    let prefixed = one.len() == 20 || one.len() == 25;
    one.len() == other.len() && hyphens(one) == hyphens(other) && (!prefixed || one.get(..3) == other.get(..3))
}

/// The shape of a point in time, in which a space may stand for the `T`; none for other texts.
pub fn time(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let is_time =
        bytes.len() >= 19 && bytes[4] == b'-' && bytes[7] == b'-' && b"T ".contains(&bytes[10]) && bytes[13] == b':';
    is_time.then(|| text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect())
}

/// Whether a text stands in for a secret.
pub fn is_redacted(text: &str) -> bool {
    text.starts_with("<redacted:")
}

/// A password as long as the secret that a text stands in for, and good enough for the default policy.
pub fn secret(text: &str) -> String {
    let length = text.trim_start_matches("<redacted:").trim_end_matches('>').parse().unwrap_or(20);
    "Qz7!vKp3".chars().chain("wX5_".chars().cycle()).take(length).collect()
}

/// Path and query of an address; none for other texts.
pub fn url(text: &str) -> Option<(&str, &str, &str)> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let (host, target) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some((host, path, query))
}

/// Whether a host serves an org, rather than pictures.
pub fn is_org(host: &str) -> bool {
    (host.ends_with(".okta.com") || host.ends_with(".oktapreview.com")) && !host.contains("static")
}

/// The text with the addresses of all recorded orgs replaced by one.
pub fn one_org<'t>(text: &'t str, origin: &str) -> Cow<'t, str> {
    if !text.contains("https://") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for (at, part) in text.split("https://").enumerate() {
        if at == 0 {
            out.push_str(part);
            continue;
        }
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-').unwrap_or(part.len());
        let (host, rest) = part.split_at(end);
        if is_org(host) {
            out.push_str(origin);
        } else {
            out.push_str("https://");
            out.push_str(host);
        }
        out.push_str(rest);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_by_their_shape() {
        assert!(is_id("00u1a2b3c4d5e6f7g8h9"));
        assert!(!is_id("a plain sentence 1234567"));
        assert!(!is_id("short1"));
        assert!(is_same_kind("00u1a2b3c4d5e6f7g8h9", "00uzzzzzzzzzzzzzzzz1"));
        assert!(!is_same_kind("00u1a2b3c4d5e6f7g8h9", "00gzzzzzzzzzzzzzzzz1"));
        assert_eq!(time("2026-01-02T03:04:05.000Z").as_deref(), Some("0000-00-00T00:00:00.000Z"));
        assert_eq!(time("2026-01-02 03:04:05.0").as_deref(), Some("0000-00-00 00:00:00.0"));
        assert_eq!(time("Tuesday"), None);
        assert!(is_error_id("oaeSnBrvgOKSK-egLbdXTfTTA"));
        assert!(!is_error_id("oaeSnBrvgOKSK-egLbdXTfTT"));
        assert_eq!(secret("<redacted:10>").len(), 10);
        assert_eq!(url("https://a.okta.com/b?c=d"), Some(("a.okta.com", "/b", "c=d")));
    }

    #[test]
    fn all_orgs_become_one() {
        let found = one_org("see https://dev-1.okta.com/a and https://ok1static.oktacdn.com/b", "https://o.test");
        assert_eq!(found, "see https://o.test/a and https://ok1static.oktacdn.com/b");
    }
}
