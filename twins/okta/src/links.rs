//! The `Link` headers of what is served from Okta's public documents alone, which do not say how they look.
//!
//! As recorded: the page's size stands in them even where the caller did not say one, unless the document has no size
//! for it either; a list whose pages have no size has no links; and what lies below `/api/v1/iam` links to itself.

use dtu_kernel::{twin::Scene, wire::Reply};
use form_urlencoded::Serializer;
use http::{HeaderValue, Method, header::LINK};
use serde_json::Value;

use crate::contract::contract;

/// The page size that links show where the document says that there is no limit.
const SIZE: i64 = 20;

/// Lists without links, as recorded.
const UNLINKED: [&str; 2] = ["listPrincipalRateLimitEntities", "listIdentityProviderKeys"];

/// Gives an answer the links that Okta gives it.
pub(crate) fn amend(scene: &Scene<'_>, reply: &mut Reply) {
    if scene.operation.behaves() && scene.operation.contract.is_none() || !reply.status.is_success() {
        return;
    }
    if UNLINKED.contains(&scene.operation.id) || shows_classic_brands(scene, reply) {
        reply.headers.remove(LINK);
        return;
    }
    let present: Vec<HeaderValue> = reply.headers.get_all(LINK).iter().cloned().collect();
    let links: Vec<String> = if present.is_empty() {
        own(scene, reply).into_iter().collect()
    } else {
        let sized = |link: &HeaderValue| sized(scene.operation.id, link.to_str().ok()?);
        present.iter().filter_map(sized).collect()
    };
    reply.headers.remove(LINK);
    for link in links.iter().filter_map(|link| HeaderValue::from_str(link).ok()) {
        reply.headers.append(LINK, link);
    }
}

/// Whether these are brands as orgs of the Classic Engine show them, without names: they had no pages.
fn shows_classic_brands(scene: &Scene<'_>, reply: &Reply) -> bool {
    let body = || serde_json::from_slice::<Value>(&reply.body).unwrap_or_default();
    scene.operation.id == "listBrands" && body()[0]["name"].is_null()
}

/// An operation's link with its page's size: behind the cursor, before all else. None where its pages have no size.
fn sized(operation: &str, link: &str) -> Option<String> {
    let (_, found) = contract().operation(operation)?;
    let limit = found.facts.get().parameters.iter().find(|parameter| parameter.name == "limit")?;
    let (url, relation) = link.strip_prefix('<')?.split_once('>')?;
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let said = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let default = match operation {
        // Recorded, against the document's 200: this list is a search's, of all there are where nobody says.
        "listRealms" => Some(10),
        _ => limit.schema.default.as_ref().and_then(Value::as_i64),
    };
    let most = limit.schema.maximum.as_ref().and_then(serde_json::Number::as_i64).unwrap_or(i64::MAX);
    let asked = said("limit").map(|size| size.parse().map_or(size, |size: i64| size.min(most).to_string()));
    let size = asked.or_else(|| Some(default.map(|size| if size > 0 { size } else { SIZE })?.to_string()));
    let Some(size) = size else { return Some(link.to_owned()) };
    let mut query = Serializer::new(String::new());
    if let Some(after) = said("after") {
        query.append_pair("after", &after);
    }
    query.append_pair("limit", &size);
    if operation == "listProfileMappings" {
        // Its links forget whose mappings were asked for: recorded.
        return Some(format!("<{path}?{}>{relation}", query.finish()));
    }
    query.extend_pairs(pairs.iter().filter(|(name, _)| name != "after" && name != "limit"));
    if operation == "listRealms" && said("search").is_none() {
        query.append_pair("search", "id pr");
    }
    Some(format!("<{path}?{}>{relation}", query.finish()))
}

/// The link of a role, a set of resources, or a list of them to itself, by id whatever the caller named it by. The
/// list of a role's permissions has none.
fn own(scene: &Scene<'_>, reply: &Reply) -> Option<String> {
    let request = scene.request;
    let path = request.path.as_str();
    if scene.operation.id == "listBehaviorDetectionRules" {
        // Recorded (2025), though its pages have no size that the document knows.
        return Some(format!("<{}{path}?limit=10>; rel=\"self\"", request.origin));
    }
    if !path.starts_with("/api/v1/iam/") || path.ends_with("/permissions") {
        return None;
    }
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    let path = match (&request.method, body["id"].as_str()) {
        (&Method::POST, id) => format!("{path}/{}", id?),
        (&Method::GET | &Method::PUT, Some(id)) => format!("{}/{id}", path.rsplit_once('/')?.0),
        (&Method::GET, None) => path.to_owned(),
        _ => return None,
    };
    Some(format!("<{}{path}>; rel=\"self\"", request.origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_show_the_size_of_the_page() {
        let check = |operation: &str, query: &str, expected: Option<&str>| {
            let link = |query: &str| format!("<http://o/a{query}>; rel=\"self\"");
            assert_eq!(sized(operation, &link(query)), expected.map(link), "{operation} {query}");
        };
        check("listGroupRules", "", Some("?limit=50"));
        check("listGroupRules", "?search=x&limit=2", Some("?limit=2&search=x"));
        check("listGroupRules", "?limit=1000", Some("?limit=200"));
        check("listGroupRules", "?search=x&after=b", Some("?after=b&limit=50&search=x"));
        check("listApplications", "", Some("?limit=20"));
        check("listPolicies", "?type=x", Some("?type=x"));
        check("listRealms", "?limit=2", Some("?limit=2&search=id+pr"));
        check("listAgentPools", "", None);
    }
}
