//! What callers get whom the site does not know.
//!
//! Measured on Jira Cloud sites with anonymous access to nothing: what belongs to the site is shown, lists of what
//! belongs to projects are empty, their objects are not there, and all else asks for a credential.

use dtu_kernel::{operation::OperationInfo, wire::Request};
use http::Method;
use serde_json::{Value, json};

use crate::error::Error;

/// Operations that run for anonymous callers; what they show of people and projects is up to them.
const OPEN: [&str; 4] = ["getServerInfo", "getFields", "getIssueLinkTypes", "findUsers"];

/// Lets an anonymous caller call an operation.
///
/// # Errors
/// What such a caller gets instead, which need not be a refusal.
pub(crate) fn anonymous(operation: &OperationInfo, request: &Request) -> Result<(), Error> {
    if OPEN.contains(&operation.id) {
        return Ok(());
    }
    Err(nothing_of(operation.id, request).or_else(|| hidden(operation, request)).unwrap_or(Error::Unauthenticated))
}

/// Lists that are empty.
fn nothing_of(id: &str, request: &Request) -> Option<Error> {
    let body = match id {
        "searchProjects" => page(request),
        "getAllProjects" => json!([]),
        "searchAndReconsileIssuesUsingJql" | "searchAndReconsileIssuesUsingJqlPost" => {
            json!({ "issues": [], "isLast": true })
        }
        _ => return None,
    };
    Some(Error::Nothing(body))
}

fn page(request: &Request) -> Value {
    let url = format!("{}{}", request.origin, request.target());
    json!({ "self": url, "maxResults": 50, "startAt": 0, "total": 0, "isLast": true, "values": [] })
}

/// Objects of projects are not there for those who may not see them.
fn hidden(operation: &OperationInfo, request: &Request) -> Option<Error> {
    if !operation.methods.contains(&Method::GET) {
        return None;
    }
    match operation.path {
        path if path.starts_with("/rest/api/3/issue/{") => Some(Error::not_found("issue", "")),
        "/rest/api/3/project/{projectIdOrKey}" => {
            Some(Error::not_found("project", request.path_param("projectIdOrKey")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dtu_kernel::operation::Level;

    const GET: &[Method] = &[Method::GET];

    fn asked(id: &'static str, methods: &'static [Method], path: &'static str) -> Result<(), (u16, String)> {
        let request = Request {
            method: methods[0].clone(),
            path: path.to_owned(),
            query: "startAt=0".to_owned(),
            path_params: vec![("projectIdOrKey", "ACME".to_owned())],
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            origin: "http://jira.test".into(),
        };
        anonymous(&OperationInfo::untyped(id, methods, path, Level::Stores), &request).map_err(|error| {
            let answer = error.answer(&request);
            let body = answer.body.map(|(_, bytes)| bytes).unwrap_or_default();
            (answer.status.as_u16(), String::from_utf8_lossy(&body).into_owned())
        })
    }

    #[test]
    fn anonymous_callers_get_what_is_measured() {
        let check = |id, methods, path, status: u16, part: &str| {
            let (found, body) = asked(id, methods, path).expect_err("does not run");
            assert!(found == status && body.contains(part), "{id}: {found} {body}");
        };
        for id in OPEN {
            assert_eq!(asked(id, GET, "/rest/api/3/x"), Ok(()), "{id}");
        }
        let search = "/rest/api/3/search/jql";
        let post: &[Method] = &[Method::POST];
        check("searchAndReconsileIssuesUsingJql", GET, search, 200, r#"{"issues":[],"isLast":true}"#);
        check("searchAndReconsileIssuesUsingJqlPost", post, search, 200, r#""isLast":true"#);
        check("searchProjects", GET, "/rest/api/3/project/search", 200, r#"search?startAt=0","maxResults":50"#);
        check("getAllProjects", GET, "/rest/api/3/project", 200, "[]");
        check("getIssue", GET, "/rest/api/3/issue/{issueIdOrKey}", 404, "Issue does not exist or you");
        check("getComments", GET, "/rest/api/3/issue/{issueIdOrKey}/comment", 404, "Issue does not exist or you");
        check("getProject", GET, "/rest/api/3/project/{projectIdOrKey}", 404, "with key 'ACME'.");
        let line = "Client must be authenticated";
        check("editIssue", &[Method::PUT], "/rest/api/3/issue/{issueIdOrKey}", 401, line);
        check("createIssue", post, "/rest/api/3/issue", 401, line);
        check("getPriorities", GET, "/rest/api/3/priority", 401, line);
    }
}
