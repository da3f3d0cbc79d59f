//! Which part of a list a call asks for, and how an answer says what comes next.

use serde_json::Value;

use super::{call::Call, refusal::Refused, source::Source, tree::Op};
use crate::contract::{Facts, Paging, Parameter};

/// The most items of a page where the document says nothing.
const LIMIT_USUAL: usize = 100;
/// What the page's size is called where the document has no facts on paging.
const LIMITS: &[&str] =
    &["limit", "pageSize", "page_size", "maxResults", "max_results", "per_page", "perPage", "count"];

/// What part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// After this ordinal.
    pub(super) after: u64,
    /// Past this many items.
    pub(super) skip: usize,
    /// Up to this many.
    pub(super) limit: usize,
}

/// The name of the parameter with the page's size, if any.
pub(super) fn limit_name(op: &Op) -> Option<&'static str> {
    let facts = op.operation.facts.get();
    match &facts.paging {
        Some(Paging::Link { limit, .. } | Paging::Token { limit, .. } | Paging::Offset { limit, .. }) => {
            limit.as_deref()
        }
        None => LIMITS.iter().copied().find(|name| parameter(facts, name).is_some()),
    }
}

/// Whether an argument only says which page.
pub(super) fn is_paging(op: &Op, name: &str) -> bool {
    let place = match &op.operation.facts.get().paging {
        Some(Paging::Link { cursor, .. }) => Some(cursor),
        Some(Paging::Token { token, .. }) => Some(token),
        Some(Paging::Offset { offset, .. }) => Some(offset),
        None => None,
    };
    limit_name(op) == Some(name) || place.is_some_and(|place| place == name)
}

fn parameter<'a>(facts: &'a Facts, name: &str) -> Option<&'a Parameter> {
    facts.parameters.iter().find(|parameter| parameter.name == name)
}

/// Reads what part of the list at a place a call asks for.
pub(super) fn asked(op: &Op, call: &Call<'_>, place: &str) -> Result<Asked, Refused> {
    let facts = op.operation.facts.get();
    let limit = limit(op, call);
    let mut asked = Asked { after: 0, skip: 0, limit };
    match &facts.paging {
        Some(Paging::Link { cursor: name, .. } | Paging::Token { token: name, .. }) => {
            if let Some(sent) = call.argument_text(name).filter(|text| !text.is_empty()) {
                let wrong = || Refused::BadCursor { parameter: name.clone(), value: sent.to_string() };
                asked.after = read_cursor(place, &sent).ok_or_else(wrong)?;
            }
        }
        Some(Paging::Offset { offset, pages, .. }) => {
            let sent = call.argument(offset).and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
            let sent = usize::try_from(sent.unwrap_or(0)).unwrap_or(usize::MAX);
            asked.skip =
                if *pages { sent.saturating_sub(first_page(facts, offset)).saturating_mul(limit) } else { sent };
        }
        None => {}
    }
    Ok(asked)
}

/// Pages count from one unless the document shows that they count from zero.
fn first_page(facts: &Facts, name: &str) -> usize {
    let schema = parameter(facts, name).map(|parameter| &parameter.schema);
    let zero = |value: &serde_json::Number| value.as_u64() == Some(0);
    let from_zero = schema.is_some_and(|schema| {
        schema.minimum.as_ref().is_some_and(zero) || schema.default.as_ref().and_then(Value::as_u64) == Some(0)
    });
    usize::from(!from_zero)
}

fn limit(op: &Op, call: &Call<'_>) -> usize {
    let facts = op.operation.facts.get();
    let Some(name) = limit_name(op) else {
        // Without any way to ask for a second page the first is the whole.
        return if facts.paging.is_some() { LIMIT_USUAL } else { usize::MAX };
    };
    let schema =
        parameter(facts, name).map(|parameter| crate::contract::Document::resolve(op.document, &parameter.schema));
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let most = schema.and_then(|schema| schema.maximum.as_ref()?.as_u64()).unwrap_or(u64::MAX);
    let usual = schema.and_then(|schema| schema.default.as_ref().and_then(number));
    let nothing = if facts.paging.is_some() { LIMIT_USUAL as u64 } else { u64::MAX };
    let limit = call.argument(name).and_then(number).or(usual).unwrap_or(nothing).min(most);
    usize::try_from(limit).unwrap_or(usize::MAX).max(1)
}

/// The cursor behind an item: its ordinal, veiled, with a check that it belongs to the place.
pub(super) fn cursor(place: &str, ordinal: u64) -> String {
    let (veil, check) = seal(place, ordinal);
    format!("{:016x}{check:08x}", ordinal ^ veil)
}

/// The ordinal of a cursor; none where it was never given out for the place.
pub(super) fn read_cursor(place: &str, text: &str) -> Option<u64> {
    let (head, _) = (text.get(..16)?, text.get(16..24).filter(|_| text.len() == 24)?);
    let ordinal = u64::from_str_radix(head, 16).ok()? ^ seal(place, 0).0;
    (cursor(place, ordinal) == text).then_some(ordinal)
}

fn seal(place: &str, ordinal: u64) -> (u64, u32) {
    let veil = Source::of(&["cursor", place]).bits();
    let check = Source::of(&["check", place, &ordinal.to_string()]).bits() >> 32;
    (veil, u32::try_from(check).unwrap_or(0))
}

/// The same query with another value for one parameter.
pub(super) fn query_with(query: &str, name: &str, value: &str) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != name);
    for (key, value) in pairs {
        out.append_pair(&key, &value);
    }
    out.append_pair(name, value);
    out.finish()
}

/// A refusal of an argument that the engine cannot honour.
pub(super) fn not_honoured(name: &str) -> Refused {
    Refused::Unserved { what: format!("`{name}` here") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_belong_to_their_place() {
        for ordinal in [0, 1, 17, u64::MAX] {
            let text = cursor("/pets", ordinal);
            assert_eq!(read_cursor("/pets", &text), Some(ordinal));
            assert_eq!(read_cursor("/toys", &text), None);
        }
        let check = |text: &str| assert_eq!(read_cursor("/pets", text), None, "{text}");
        check("");
        check("17");
        check("000000000000000000000000");
        check("zzzzzzzzzzzzzzzzzzzzzzzz");
        check("ééééééééééééé");
    }

    #[test]
    fn the_next_address_keeps_the_other_parameters() {
        assert_eq!(query_with("limit=2&after=x&q=a%20b", "after", "y"), "limit=2&q=a+b&after=y");
        assert_eq!(query_with("", "after", "y"), "after=y");
    }
}
