//! The headers that carry behaviour: media type, links, rate limit, place and tag.

use dtu_kernel::wire::Reply;

use super::{
    compare::{Compare, Kind},
    recording::Answered,
};

/// Headers whose presence counts, not their value.
const PRESENT: [&str; 5] = ["x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", "etag", "location"];

/// Compares the headers of two answers.
pub fn headers(compare: &mut Compare<'_>, recorded: &Answered, ours: &Reply) {
    for name in PRESENT {
        let (expected, got) = (recorded.header(name).first().copied(), text(ours, name));
        match (expected, got) {
            (Some(_), None) | (None, Some(_)) => {
                let said = |value: Option<&str>| if value.is_some() { "there" } else { "not there" };
                compare.differ(Kind::Header, name, said(expected), said(got));
            }
            (Some(expected), Some(got)) if name == "location" => compare.address(name, expected, got),
            _ => {}
        }
    }
    let expected = media_type(recorded.header("content-type").first().copied());
    let got = media_type(text(ours, "content-type"));
    if expected != got {
        compare.differ(Kind::Header, "content-type", &expected, &got);
    }
    links(compare, recorded, ours);
}

/// Links by relation. Whether there is a next page depends on what the recorded org held before, unless the recording
/// made all that is listed.
fn links(compare: &mut Compare<'_>, recorded: &Answered, ours: &Reply) {
    let expected = relations(&recorded.header("link"));
    let values = ours.headers.get_all("link").iter().filter_map(|value| value.to_str().ok());
    let got = relations(&values.collect::<Vec<_>>());
    for (relation, url) in &expected {
        let name = format!("link {relation}");
        match got.iter().find(|(other, _)| other == relation) {
            Some((_, ours)) => compare.address(&name, url, ours),
            None if relation == "next" && !compare.made_all => {}
            None => compare.differ(Kind::Header, &name, url, "nothing"),
        }
    }
    for (relation, url) in got.iter().filter(|(relation, _)| expected.iter().all(|(other, _)| other != relation)) {
        compare.differ(Kind::Header, &format!("link {relation}"), "nothing", url);
    }
}

/// `<url>; rel="name"`, several in one header or several headers.
fn relations(headers: &[&str]) -> Vec<(String, String)> {
    let links = headers.iter().flat_map(|header| header.split(", <"));
    let one = |link: &str| {
        let (url, rest) = link.trim_start_matches('<').split_once('>')?;
        let relation = rest.split_once("rel=")?.1.trim_matches('"');
        Some((relation.to_owned(), url.to_owned()))
    };
    links.filter_map(one).collect()
}

fn text<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.get(name).and_then(|value| value.to_str().ok())
}

/// JSON has no charset: that older orgs name one says nothing (RFC 8259, section 11).
fn media_type(value: Option<&str>) -> String {
    let value = value.unwrap_or("nothing").to_ascii_lowercase().replace(' ', "");
    match value.strip_suffix(";charset=utf-8") {
        Some("application/json") => "application/json".to_owned(),
        _ => value,
    }
}
