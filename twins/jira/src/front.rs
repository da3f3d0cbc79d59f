//! What stands before the operations: the edge, the paths that lead to the same operation, and the methods of a path.

use std::{borrow::Cow, sync::LazyLock};

use dtu_kernel::{
    operation::Operation,
    route::{Found, Paths},
    twin::{Reason, Twin as _, Unserved},
    wire,
};
use http::Method;

use crate::{Jira, credential::Credential, error::Error};

/// What paths may begin with instead.
const SAME: [(&str, &str); 3] = [
    ("/rest/api/2/", "/rest/api/3/"),
    ("/rest/api/latest/", "/rest/api/3/"),
    ("/rest/agile/latest/", "/rest/agile/1.0/"),
];

/// Slashes in a row count as one, and one at the end as none, as measured. Version 2 and `latest` of the platform's API
/// and `latest` of the agile one are served by the rows of version 3 and 1.0: version 2 differs in rich text, which it
/// takes and gives as wiki markup; that is not told apart yet.
pub(crate) fn path(sent: &str) -> Cow<'_, str> {
    let mut path = wire::merge_slashes(sent);
    if path.len() > 1 && path.ends_with('/') {
        path = Cow::Owned(path.trim_end_matches('/').to_owned());
    }
    match SAME.iter().find_map(|(from, to)| Some((to, path.strip_prefix(from)?))) {
        Some((to, rest)) => Cow::Owned(format!("{to}{rest}")),
        None => path,
    }
}

static PATHS: LazyLock<Paths> = LazyLock::new(|| {
    let infos: Vec<_> = Jira.operations().iter().map(Operation::info).cloned().collect();
    Paths::new(&infos)
});

/// The methods that a path is served under, as the `Allow` header lists them.
fn methods(path: &str) -> String {
    let served = |method: &&Method| matches!(PATHS.find(method, path), Found::Operation(..));
    let all = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    all.iter().filter(served).map(Method::as_str).collect::<Vec<_>>().join(", ")
}

/// The answer to a request that no operation can take.
pub(crate) fn unserved(scene: &Unserved<'_>) -> Error {
    let request = scene.request;
    if let Some(status) = edge(&request.method) {
        return Error::Edge { status };
    }
    match scene.reason {
        Reason::NotFound if request.path == "/rest" || request.path.starts_with("/rest/") => Error::NoPath,
        Reason::NotFound => Error::NoPage,
        // The state is out of reach here, so that any readable name and token counts.
        Reason::MethodNotAllowed if request.method == Method::OPTIONS => match Credential::of(request) {
            Credential::Basic { .. } => Error::Options { allow: methods(&request.path) },
            _ => Error::Unauthenticated,
        },
        Reason::MethodNotAllowed => Error::NoMethod { allow: methods(&request.path) },
        Reason::Absent(id) => Error::Unsupported { what: id.to_owned() },
        Reason::BodyTooLarge => Error::TooLarge,
        Reason::Broken => Error::Failure { status: 500, message: None },
    }
}

/// The statuses of verbs that never reach Jira.
pub(crate) fn edge(method: &Method) -> Option<u16> {
    match method.as_str() {
        "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" => None,
        "TRACE" | "CONNECT" => Some(405),
        "PATCH" => Some(400),
        verb if verb.len() > 9 || verb.bytes().any(|byte| byte.is_ascii_lowercase()) => Some(400),
        _ => Some(403),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_paths_lead_to_one_operation() {
        let check = |sent: &str, wanted: &str| assert_eq!(path(sent), wanted, "{sent}");
        check("/rest/api/3/myself", "/rest/api/3/myself");
        check("//rest//api/3/myself/", "/rest/api/3/myself");
        check("/rest/api/2/issue/A-1/comment", "/rest/api/3/issue/A-1/comment");
        check("/rest/api/latest/myself/", "/rest/api/3/myself");
        check("/rest/agile/latest/board", "/rest/agile/1.0/board");
        check("/rest/api/20/x", "/rest/api/20/x");
        check("/", "/");
    }

    #[test]
    fn odd_verbs_stop_at_the_edge() {
        let check = |verb: &str, wanted: Option<u16>| {
            assert_eq!(edge(&verb.parse().expect("is a method")), wanted, "{verb}");
        };
        check("GET", None);
        check("PATCH", Some(400));
        check("get", Some(400));
        check("PROPPATCHES", Some(400));
        check("PURGE", Some(403));
        check("TRACE", Some(405));
    }
}
