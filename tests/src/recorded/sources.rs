//! The identity sources that a recorded org had: they are set up in the admin console, and no call makes one.

use std::collections::BTreeSet;

use super::recording::Recording;

/// The lines of the `okta` section with the sources that a recording finds, each with its id.
pub fn section(recording: &Recording) -> String {
    let found = recording.exchanges.iter().filter(|exchange| exchange.response.status < 300);
    let id = |path: &str| path.strip_prefix("/api/v1/identity-sources/")?.split('/').next().map(str::to_owned);
    let ids: BTreeSet<String> = found.filter_map(|exchange| id(&exchange.request.path)).collect();
    if ids.is_empty() {
        return String::new();
    }
    let rows = ids.iter().map(|id| format!("    - {{name: Recorded, id: {id}}}\n"));
    format!("  identity_sources:\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;
    use crate::recorded::recording::{Answered, Asked, Exchange};

    #[test]
    fn sources_are_those_that_were_found() {
        let exchange = |path: &str, status: u16| Exchange {
            request: Asked { path: path.to_owned(), ..Asked::default() },
            response: Answered { status, headers: Map::new(), body: Value::Null },
        };
        let check = |exchanges: Vec<Exchange>, expected: &str| {
            assert_eq!(section(&Recording { name: "r".to_owned(), exchanges }), expected);
        };
        check(vec![exchange("/api/v1/users/me", 200)], "");
        check(vec![exchange("/api/v1/identity-sources/0oa1/sessions", 404)], "");
        let all = vec![exchange("/api/v1/identity-sources/0oa1/sessions", 200), exchange("/api/v1/groups", 200)];
        check(all, "  identity_sources:\n    - {name: Recorded, id: 0oa1}\n");
    }
}
