//! The site's burst limits.
//!
//! developer.atlassian.com/cloud/jira/platform/rate-limiting/ gives rates a second by method, and the operations that
//! have others; capacities are recorded `x-ratelimit-limit` values. Calls are counted by method and path for the whole
//! site. The universe counts calls in minutes, so a burst within one second is not stopped here where Jira stops it.
//! Calls with API tokens use up no quota of points, and none is counted.

use dtu_kernel::{operation::OperationInfo, twin::Limit};
use http::Method;
use smol_str::format_smolstr;

/// A bucket of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Calls a second that flow back.
    pub per_second: u32,
    /// Calls that it holds when full.
    pub capacity: u32,
}

const fn burst(per_second: u32, capacity: u32) -> Burst {
    Burst { per_second, capacity }
}

/// By method, where an operation has no limit of its own. Capacities of `PUT` and `DELETE` are inferred.
pub const BY_METHOD: &[(Method, Burst)] = &[
    (Method::GET, burst(100, 350)),
    (Method::POST, burst(100, 350)),
    (Method::PUT, burst(50, 300)),
    (Method::DELETE, burst(50, 300)),
];

/// By operation. Capacities are recorded for `getIssue`, project roles and `POST search/jql`; the others are inferred.
pub const BY_OPERATION: &[(&str, Burst)] = &[
    ("getIssue", burst(150, 400)),
    ("getUser", burst(150, 400)),
    ("getChangeLogs", burst(200, 450)),
    ("countIssues", burst(150, 400)),
    ("getAttachmentContent", burst(300, 550)),
    ("getComponent", burst(200, 450)),
    ("getProjectRole", burst(200, 500)),
    ("searchAndReconsileIssuesUsingJqlPost", burst(100, 200)),
];

/// An operation's bucket.
pub fn of(operation: &OperationInfo) -> Burst {
    let own = BY_OPERATION.iter().find(|(id, _)| *id == operation.id).map(|(_, burst)| *burst);
    let by_method = || BY_METHOD.iter().find(|(method, _)| operation.methods.contains(method)).map(|(_, burst)| *burst);
    own.or_else(by_method).unwrap_or(burst(100, 350))
}

/// The same as the universe counts it.
pub fn limit(operation: &OperationInfo) -> Limit {
    let method = operation.methods.first().unwrap_or(&Method::GET);
    Limit { bucket: format_smolstr!("{method} {}", operation.path), per_minute: of(operation).per_second * 60 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dtu_kernel::operation::Level;

    #[test]
    fn limits_go_by_operation_then_by_method() {
        let check = |id: &'static str, methods: &'static [Method], wanted: (u32, u32)| {
            let found = of(&OperationInfo::untyped(id, methods, "/x", Level::Stores));
            assert_eq!((found.per_second, found.capacity), wanted, "{id}");
        };
        check("getIssue", &[Method::GET], (150, 400));
        check("getFields", &[Method::GET], (100, 350));
        check("deleteIssue", &[Method::DELETE], (50, 300));
    }
}
