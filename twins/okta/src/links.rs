//! The `Link` headers of what is served from Okta's public documents alone, which do not say how they look.
//!
//! As recorded: the page's size stands in them even where the caller did not say one; a list whose pages have no size
//! has none; and what lies below `/api/v1/iam` links to itself.

use dtu_kernel::{twin::Scene, wire::Reply};
use form_urlencoded::Serializer;
use http::{HeaderValue, Method, header::LINK};
use serde_json::Value;

use crate::contract::contract;

/// The page size that links show where neither the caller nor the document says one.
const SIZE: i64 = 20;

/// Gives an answer the links that Okta gives it.
pub(crate) fn amend(scene: &Scene<'_>, reply: &mut Reply) {
    if scene.operation.behaves() || !reply.status.is_success() {
        return;
    }
    let present: Vec<HeaderValue> = reply.headers.get_all(LINK).iter().cloned().collect();
    let links: Vec<String> = if present.is_empty() {
        own(scene, reply).into_iter().collect()
    } else {
        let size = size(scene.operation.id);
        let sized = |link: &HeaderValue| Some(sized(link.to_str().ok()?, size?));
        present.iter().filter_map(sized).collect()
    };
    reply.headers.remove(LINK);
    for link in links.iter().filter_map(|link| HeaderValue::from_str(link).ok()) {
        reply.headers.append(LINK, link);
    }
}

/// The size of an operation's pages where the caller does not say one; none where they have no size.
fn size(operation: &str) -> Option<i64> {
    let (_, found) = contract().operation(operation)?;
    let limit = found.facts.get().parameters.iter().find(|parameter| parameter.name == "limit")?;
    let default = limit.schema.default.as_ref().and_then(Value::as_i64);
    Some(default.filter(|size| *size > 0).unwrap_or(SIZE))
}

/// A link with its page's size: behind the cursor, before all else.
fn sized(link: &str, size: i64) -> String {
    let Some((url, relation)) = link.strip_prefix('<').and_then(|link| link.split_once('>')) else {
        return link.to_owned();
    };
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let said = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let mut sized = Serializer::new(String::new());
    if let Some(after) = said("after") {
        sized.append_pair("after", &after);
    }
    sized.append_pair("limit", &said("limit").unwrap_or_else(|| size.to_string()));
    sized.extend_pairs(pairs.iter().filter(|(name, _)| name != "after" && name != "limit"));
    format!("<{path}?{}>{relation}", sized.finish())
}

/// The link of a role, a set of resources, or a list of them to itself.
fn own(scene: &Scene<'_>, reply: &Reply) -> Option<String> {
    let request = scene.request;
    if !request.path.starts_with("/api/v1/iam/") || reply.body.is_empty() {
        return None;
    }
    let below = match request.method {
        Method::GET | Method::PUT => String::new(),
        Method::POST => {
            let body: Value = serde_json::from_slice(&reply.body).ok()?;
            format!("/{}", body["id"].as_str()?)
        }
        _ => return None,
    };
    Some(format!("<{}{}{below}>; rel=\"self\"", request.origin, request.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_show_the_size_of_the_page() {
        let check = |link: &str, expected: &str| assert_eq!(sized(link, 20), expected);
        check("<http://o/a>; rel=\"self\"", "<http://o/a?limit=20>; rel=\"self\"");
        check("<http://o/a?type=x&limit=2>; rel=\"self\"", "<http://o/a?limit=2&type=x>; rel=\"self\"");
        check("<http://o/a?q=1&after=b>; rel=\"next\"", "<http://o/a?after=b&limit=20&q=1>; rel=\"next\"");
    }

    #[test]
    fn sizes_are_the_documents_where_it_says_one() {
        assert_eq!(size("listGroupRules"), Some(50));
        assert_eq!(size("listApplications"), Some(SIZE));
        assert_eq!(size("listAgentPools"), None);
    }
}
