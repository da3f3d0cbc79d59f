//! Points in time as a schema wants them written, and which members tell when a thing was made or changed.

use dtu_kernel::time::Timestamp;
use serde_json::Value;

use super::view::View;
use crate::{
    contract::Kind,
    schema::{Looks, Type},
};

/// What a time of an object tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// When it was made.
    Created,
    /// When it was last changed.
    Updated,
}

const CREATED: &[&str] = &[
    "created",
    "createdat",
    "createdon",
    "createddate",
    "createdtime",
    "createtime",
    "creationtime",
    "creationdate",
    "datecreated",
    "datecreate",
    "timecreated",
    "createddatetime",
    "createdtimestamp",
];
const UPDATED: &[&str] = &[
    "updated",
    "updatedat",
    "updatedon",
    "updatetime",
    "updatedtime",
    "updateddate",
    "lastupdated",
    "lastupdate",
    "lastupdatedat",
    "lastupdatedtime",
    "lastmodified",
    "lastmodifiedat",
    "lastmodifiedtime",
    "lastmodifieddate",
    "modified",
    "modifiedat",
    "modifiedtime",
    "modifieddate",
    "dateupdated",
    "dateupdate",
    "datemodified",
];

/// A name without case and separators, so that `created_at` is `createdAt`.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What a member of this name tells; none where it is no time of the object's own.
pub(super) fn role(name: &str, view: &View<'_>) -> Option<Role> {
    let name = plain(name);
    let role = if CREATED.contains(&name.as_str()) {
        Role::Created
    } else if UPDATED.contains(&name.as_str()) {
        Role::Updated
    } else {
        return None;
    };
    let timely = match view.types().first() {
        Some(Type::String) => view.format() == Some("date-time") || matches!(view.looks(), Some(Looks::Time { .. })),
        Some(Type::Integer | Type::Number) => true,
        _ => false,
    };
    timely.then_some(role)
}

/// The time as a schema wants it; none where the schema is none of a time.
pub(super) fn made(now: Timestamp, name: &str, view: &View<'_>) -> Option<Value> {
    match view.types().first()? {
        Type::String => text(now, name, view).map(Value::String),
        Type::Integer | Type::Number => role(name, view).map(|_| number(now, view)),
        _ => None,
    }
}

fn text(now: Timestamp, name: &str, view: &View<'_>) -> Option<String> {
    // Some documents show times that are none of the format they name; the format is what clients were told.
    let told = view.format() == Some("date-time");
    if let Some(Looks::Time { pattern }) = view.looks().filter(|looks| !told || is_rfc_3339(looks)) {
        return Some(written(now, pattern));
    }
    match view.format() {
        Some("date-time" | "google-datetime") => Some(now.iso_millis()),
        Some("date") => Some(now.iso_millis()[..10].to_owned()),
        Some("time") => Some(written(now, "%H:%M:%SZ")),
        // Slack's message ids are the time with six digits of a fraction.
        None if view.document.kind == Kind::SlackMethods && (name == "ts" || name.ends_with("_ts")) => {
            Some(format!("{}.{:06}", now.as_secs(), now.as_micros().rem_euclid(1_000_000)))
        }
        _ => None,
    }
}

fn is_rfc_3339(looks: &Looks) -> bool {
    matches!(looks, Looks::Time { pattern } if pattern.ends_with('Z') && !pattern.ends_with("%Z") || pattern.ends_with("%:z"))
}

/// Milliseconds since 1970, or seconds where milliseconds would be too large or the service is one of seconds.
fn number(now: Timestamp, view: &View<'_>) -> Value {
    let seconds = view.document.kind == Kind::SlackMethods || view.format() == Some("int32");
    Value::from(if seconds { now.as_secs() } else { now.as_millis() })
}

/// A point in time in a pattern of `strftime`; directives that services do not use are left as they are.
pub(super) fn written(now: Timestamp, pattern: &str) -> String {
    let iso = now.iso_micros();
    let mut out = String::with_capacity(32);
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (length, piece) = directive(&rest[at..], &iso);
        out.push_str(piece);
        rest = &rest[at + length..];
    }
    out + rest
}

/// The length of the directive that a text starts with, and what it stands for in a time of
/// `2026-03-02T09:00:00.000000Z`.
fn directive<'a>(text: &'a str, iso: &'a str) -> (usize, &'a str) {
    const DIRECTIVES: [(&str, std::ops::Range<usize>); 13] = [
        ("%Y", 0..4),
        ("%m", 5..7),
        ("%d", 8..10),
        ("%H", 11..13),
        ("%M", 14..16),
        ("%S", 17..19),
        ("%3f", 20..23),
        ("%6f", 20..26),
        ("%.3f", 19..23),
        ("%.6f", 19..26),
        ("%f", 20..26),
        ("%F", 0..10),
        ("%T", 11..19),
    ];
    const FIXED: [(&str, &str); 4] = [("%:z", "+00:00"), ("%z", "+0000"), ("%Z", "UTC"), ("%%", "%")];
    let found = DIRECTIVES.iter().find(|(name, _)| text.starts_with(name));
    if let Some((name, range)) = found {
        return (name.len(), &iso[range.clone()]);
    }
    let fixed = FIXED.iter().find(|(name, _)| text.starts_with(name));
    fixed.map_or((1, "%"), |(name, piece)| (name.len(), piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_by_pattern() {
        let now = Timestamp::parse("2026-03-02T09:05:07.123456Z").expect("is a time");
        let check = |pattern: &str, expected: &str| assert_eq!(written(now, pattern), expected, "{pattern}");
        check("%Y-%m-%dT%H:%M:%S.%3fZ", "2026-03-02T09:05:07.123Z");
        check("%Y-%m-%dT%H:%M:%S.%3f%z", "2026-03-02T09:05:07.123+0000");
        check("%Y-%m-%dT%H:%M:%S%:z", "2026-03-02T09:05:07+00:00");
        check("%F %T", "2026-03-02 09:05:07");
        check("100%% of %q", "100% of %q");
    }
}
