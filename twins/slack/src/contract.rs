//! What Slack's public documents say, and what is served from them alone.

use std::sync::LazyLock;

use dtu_contract::{
    backing::{Backed, Backing, Place, Rules},
    contract::Contract,
    differences::Differences,
    generic::{Neighbour, Store, refusal::Refused},
    validate::{Arguments, Sent},
    violation::{Rule, Violation},
};
use dtu_kernel::{operation::OperationInfo, twin::Scene};
use http::HeaderMap;
use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    Slack,
    error::{Code, Error},
    input::Input,
    model::State,
};

/// The contract made from Slack's public documents.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::embedded(include_str!("../contract.json")));
    &CONTRACT
}

fn backing() -> &'static Backing {
    static BACKING: LazyLock<Backing> = LazyLock::new(|| {
        let differences = Differences::parse("differences.yaml", include_str!("../differences.yaml"));
        let differences = differences.expect("a test reads the list of differences");
        Backing::new(contract(), "slack", differences, Rules { also_get: true, ..Rules::default() })
    });
    &BACKING
}

/// The operation of the public documents that a row serves.
pub(crate) fn place(operation: &OperationInfo) -> Option<Place> {
    backing().find(operation)
}

/// The scopes of which a method that is served from the contract needs one; empty where the documents name none.
pub(crate) fn scopes(operation: &OperationInfo) -> &'static [SmolStr] {
    let security = backing().find(operation).map(|place| place.operation().facts.get().security.as_slice());
    security.unwrap_or_default().iter().flat_map(|entry| entry.values()).next().map_or(&[], Vec::as_slice)
}

impl Backed for Slack {
    fn backing(&self) -> &'static Backing {
        backing()
    }

    fn objects(state: &State) -> &Store {
        &state.objects
    }

    fn objects_mut(state: &mut State) -> &mut Store {
        &mut state.objects
    }

    fn refuse(operation: &OperationInfo, refused: Refused) -> Error {
        match refused {
            Refused::Invalid(violations) => Error::Arguments(violations.iter().map(sentence).collect()),
            Refused::NotFound { collection, .. } => match collection.as_str() {
                "channel" | "channels" => Code::ChannelNotFound.into(),
                "user" | "users" => Code::UserNotFound.into(),
                _ => Error::Named(not_found(operation)),
            },
            Refused::Exists { .. } => Error::Named(SmolStr::new_static("already_exists")),
            Refused::BadCursor { .. } => Code::InvalidCursor.into(),
            Refused::Unserved { what } => Error::Unserved(what),
            Refused::Rule { code, .. } => Error::Named(SmolStr::new_static(code)),
            Refused::MediaType { .. } => Code::InvalidPostType.into(),
        }
    }

    fn neighbour(state: &State, collection: &str, id: &str) -> Option<Neighbour> {
        let id = SmolStr::new(id);
        let is_there = match collection {
            "users" | "user" => state.users.contains(&id),
            "channels" | "channel" => state.channels.contains(&id),
            _ => return None,
        };
        Some(if is_there { Neighbour::Is(id) } else { Neighbour::Missing })
    }

    /// Arguments come in the query, a form or JSON alike; the contract has all of them as parameters of the query.
    fn arguments(place: Place, _: &Scene<'_>, input: Input) -> Result<Arguments, Refused> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &input.args {
            match value {
                Value::String(text) => query.append_pair(name, text),
                other => query.append_pair(name, &other.to_string()),
            };
        }
        let (query, headers) = (query.finish(), HeaderMap::new());
        let sent = Sent { path_params: &[], query: &query, headers: &headers, media_type: String::new(), body: &[] };
        place.check(&sent)
    }
}

/// A violation in Slack's words.
fn sentence(violation: &Violation) -> String {
    match violation.rule {
        Rule::Required => format!("missing required field: {}", violation.at),
        _ => format!("{} [json-pointer:/{}]", violation.what, violation.at),
    }
}

/// The code for an object that is not there: the method's own where the documents have one.
fn not_found(operation: &OperationInfo) -> SmolStr {
    let noun = operation.id.split('.').next().unwrap_or_default();
    let singular = noun.strip_suffix('s').unwrap_or(noun);
    let responses = backing().find(operation).map(|place| &place.operation().facts.get().responses);
    let schemas = responses.into_iter().flat_map(|all| all.values()).flat_map(|response| response.content.values());
    let codes = schemas.filter_map(|schema| schema.properties.get("error")?.values.as_ref()).flatten();
    let known: Vec<&str> = codes.filter_map(Value::as_str).filter(|code| code.ends_with("not_found")).collect();
    let own = known.iter().find(|code| code.starts_with(singular)).or_else(|| known.first());
    own.map_or_else(|| SmolStr::new_static("not_found"), SmolStr::new)
}
