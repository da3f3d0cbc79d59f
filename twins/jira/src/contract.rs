//! What Atlassian's public documents say, and what is served from them alone.

use std::sync::LazyLock;

use dtu_contract::{
    backing::{self, Backed, Backing, Place, Rules},
    contract::{Contract, Place as In},
    differences::Differences,
    generic::{Neighbour, Store, refusal::Refused},
    schema::Type,
    validate::{Arguments, Sent},
};
use dtu_kernel::{
    operation::{Operation, OperationInfo},
    twin::{Reason, Scene, Unserved},
};
use http::Method;

use crate::{
    Jira,
    error::Error,
    front,
    input::{self, Input},
    model::State,
};

/// The contract made from Atlassian's public documents.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> = LazyLock::new(|| {
        let differences = Differences::parse("differences.yaml", include_str!("../differences.yaml"));
        let differences = differences.expect("a test reads the list of differences");
        Backing::new(contract(), "jira", differences, Rules { absent: ABSENT, ..Rules::default() })
    });
    &BACKING
}

const ISSUES: &str = "an issue's key and status follow rules that are not written yet, and programs act on both";

/// What a made-up answer would be a lie about.
const ABSENT: &[(&str, &str)] = &[("createIssue", ISSUES), ("createIssues", ISSUES), ("doTransition", ISSUES)];

/// The twin's table: its own rows, then those of the contract that it has none of its own for.
pub(crate) fn rows(own: Vec<Operation<Jira>>) -> Vec<Operation<Jira>> {
    backing::rows(&Jira, own)
}

impl Backed for Jira {
    fn backing(&self) -> &'static Backing {
        backing()
    }

    fn objects(state: &State) -> &Store {
        &state.objects
    }

    fn objects_mut(state: &mut State) -> &mut Store {
        &mut state.objects
    }

    fn refuse(_: &OperationInfo, refused: Refused) -> Error {
        Error::Refused(refused)
    }

    fn arguments(place: Place, scene: &Scene<'_>, _: Input) -> Result<Arguments, Refused> {
        let query = input::with_booleans(&scene.request.query, |name| is_boolean(place, name));
        place.check(&Sent { query: &query, ..Sent::of(scene.request) })
    }

    fn neighbour(state: &State, collection: &str, id: &str) -> Option<Neighbour> {
        match collection {
            "/rest/api/3/user" | "/rest/api/3/users" => {
                let account = state.accounts.get(id);
                Some(account.map_or(Neighbour::Missing, |account| Neighbour::Is(account.id.clone())))
            }
            _ => None,
        }
    }
}

/// Whether an operation has a parameter of this name in its query that is a boolean.
fn is_boolean(place: Place, name: &str) -> bool {
    let parameters = &place.operation().facts.get().parameters;
    let named = parameters.iter().find(|parameter| parameter.place == In::Query && parameter.name == name);
    named.is_some_and(|parameter| place.document().resolve(&parameter.schema).types.contains(&Type::Boolean))
}

/// Whether an operation takes a JSON body: its media type is then checked before anything else.
pub(crate) fn takes_json(operation: &OperationInfo) -> bool {
    let writes = operation.methods.iter().any(|method| [Method::POST, Method::PUT].contains(method));
    let takes = |place: Place| {
        let facts = place.operation().facts.get();
        facts.request.as_ref().is_some_and(|request| request.content.contains_key("application/json"))
    };
    writes && backing().find(operation).is_none_or(takes)
}

/// Whether a request that no row can take is one that Jira serves. The public API is all in the table; the site has
/// pages and older interfaces besides. What the edge stops, and the question for a path's methods, need no row.
pub(crate) fn is_gap(scene: &Unserved<'_>) -> bool {
    const PUBLIC: [&str; 2] = ["/rest/api/3/", "/rest/agile/1.0/"];
    const ROOTS: [&str; 5] = ["/rest/", "/browse/", "/secure/", "/plugins/", "/wiki/"];
    let begins = |roots: &[&str]| roots.iter().any(|root| scene.request.path.starts_with(root));
    let answered = scene.reason == Reason::MethodNotAllowed || front::edge(&scene.request.method).is_some();
    !answered && !begins(&PUBLIC) && begins(&ROOTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dtu_kernel::{time::Timestamp, wire::Request};

    #[test]
    fn only_what_jira_serves_is_a_gap() {
        let check = |method: Method, path: &str, reason: Reason, wanted: bool| {
            let request = Request {
                method,
                path: path.to_owned(),
                query: String::new(),
                path_params: Vec::new(),
                headers: http::HeaderMap::new(),
                body: bytes::Bytes::new(),
                origin: "http://jira.test".into(),
            };
            let scene = Unserved { now: Timestamp::default(), request: &request, reason, request_bits: (0, 0) };
            assert_eq!(is_gap(&scene), wanted, "{} {path}", request.method);
        };
        check(Method::GET, "/rest/auth/1/session", Reason::NotFound, true);
        check(Method::GET, "/browse/A-1", Reason::NotFound, true);
        check(Method::GET, "/rest/api/3/nope", Reason::NotFound, false);
        check(Method::POST, "/rest/api/3/user", Reason::MethodNotAllowed, false);
        check(Method::OPTIONS, "/rest/api/3/user", Reason::MethodNotAllowed, false);
        check(Method::PATCH, "/rest/api/3/user", Reason::MethodNotAllowed, false);
        check(Method::GET, "/favicon.ico", Reason::NotFound, false);
    }
}
