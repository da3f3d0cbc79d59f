//! What the contract refuses, in Jira's words.

use dtu_contract::{
    generic::refusal::Refused,
    violation::{Part, Rule, Violation},
};
use dtu_kernel::wire::Request;
use smol_str::SmolStr;

use crate::error::{BAD_PAGE_TOKEN, Error};

/// The refusal that Jira gives.
pub(crate) fn error(refused: &Refused, request: &Request) -> Error {
    match refused {
        Refused::NotFound { collection, id } => not_found(collection, id),
        Refused::Exists { collection, member, value } => exists(collection, member, value),
        Refused::BadCursor { parameter, .. } if parameter == "nextPageToken" => Error::says(400, BAD_PAGE_TOKEN),
        Refused::BadCursor { parameter, value } => {
            Error::Conversion { name: parameter.to_string(), value: value.clone() }
        }
        Refused::Unserved { what } => Error::Unsupported { what: what.clone() },
        Refused::MediaType { sent } if sent.is_empty() => Error::MediaType { sent: "null".to_owned() },
        Refused::MediaType { sent } => Error::MediaType { sent: sent.clone() },
        Refused::Invalid(violations) => invalid(violations, request),
        Refused::Rule { about, .. } => Error::says(400, about.as_str()),
    }
}

/// What Jira says of an id that names nothing. `{}` stands for the id.
///
/// Recorded for issues, projects, issue links and link types; those of users and comments are in clients' public logs;
/// the others are inferred from them.
const SENTENCES: &[(&str, &str)] = &[
    ("issue", "Issue does not exist or you do not have permission to see it."),
    ("project", "No project could be found with key '{}'."),
    ("issueLink", "No issue link with id '{}' exists."),
    ("issueLinkType", "No issue link type with id '{}' found."),
    ("user", "Specified user does not exist or you do not have required permissions"),
    ("comment", "Can not find a comment for the id: {}."),
    ("worklog", "Cannot find worklog with id: '{}'."),
    ("component", "The component with id {} does not exist."),
    ("version", "Could not find version for id '{}'"),
    ("attachment", "The attachment with id '{}' does not exist"),
    (
        "filter",
        "The selected filter is not available to you, perhaps it has been deleted or had its permissions changed.",
    ),
    ("dashboard", "The dashboard with id '{}' does not exist."),
    ("group", "The group with id '{}' does not exist."),
    (
        "board",
        "The requested board cannot be viewed because it either does not exist or you do not have permission to view it.",
    ),
    ("sprint", "Sprint does not exist or you do not have permission to view it."),
];

/// There is nothing of that id in a collection, which is named by the last literal part of its path.
pub(crate) fn not_found(collection: &str, id: &str) -> Error {
    let sentence = SENTENCES.iter().find(|(name, _)| *name == collection).map(|(_, sentence)| *sentence);
    let message = match sentence {
        Some(sentence) => sentence.replace("{}", id),
        None => format!("The {collection} with id '{id}' does not exist."),
    };
    Error::says(404, message)
}

/// Collections whose documents answer 409 to a name that is taken; the others answer 400.
const CONFLICTING: [&str; 2] = ["issuetype", "role"];

fn exists(collection: &str, member: &SmolStr, value: &str) -> Error {
    let status = if CONFLICTING.contains(&collection) { 409 } else { 400 };
    let message = match (collection, member.as_str()) {
        ("project", "key") => format!("A project with that key '{value}' already exists."),
        _ => format!("A {collection} with the {member} '{value}' already exists."),
    };
    // A project's fields are told under other names than those that they are sent under.
    let member = match (collection, member.as_str()) {
        ("project", "key") => SmolStr::new_static("projectKey"),
        ("project", "name") => SmolStr::new_static("projectName"),
        _ => member.clone(),
    };
    Error::Application { status, messages: Vec::new(), errors: vec![(member, message)] }
}

/// Parameters are converted before bodies are read, and a body is read as a whole before its members are looked at.
fn invalid(violations: &[Violation], request: &Request) -> Error {
    let parameter = violations.iter().find(|violation| violation.part != Part::Body);
    if let Some(violation) = parameter {
        return of_parameter(violation, request);
    }
    if let Some(whole) = violations.iter().find_map(of_body) {
        return whole;
    }
    let errors = violations.iter().map(|violation| (member(violation), sentence(violation))).collect();
    Error::Application { status: 400, messages: Vec::new(), errors }
}

fn of_parameter(violation: &Violation, request: &Request) -> Error {
    let query: Vec<(String, String)> =
        request.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    match (violation.part, violation.rule) {
        (Part::Query, Rule::Required) => Error::MissingParameter { name: member(violation).to_string() },
        (Part::Query, Rule::Type | Rule::Format | Rule::Range | Rule::Syntax) => {
            Error::conversion(&query, &violation.at)
        }
        (Part::Path, Rule::Type | Rule::Format | Rule::Range | Rule::Syntax) => {
            Error::Conversion { name: violation.at.clone(), value: request.path_param(&violation.at).to_owned() }
        }
        _ => Error::says(400, format!("{}: {}", violation.at, violation.what)),
    }
}

/// The refusal of a body that cannot be read into what the operation takes.
fn of_body(violation: &Violation) -> Option<Error> {
    match (violation.at.is_empty(), violation.rule) {
        (true, Rule::Required) if violation.member.is_empty() => Some(Error::NoContent),
        (true, Rule::Syntax) => Some(Error::BadJson),
        (_, Rule::Type | Rule::Unknown | Rule::Syntax | Rule::Alternatives) => Some(Error::Payload),
        _ => None,
    }
}

/// The member that a violation is about: the first of its path, since `errors` names fields, not places in them.
fn member(violation: &Violation) -> SmolStr {
    let first = violation.at.trim_start_matches('/').split('/').next().unwrap_or_default();
    if first.is_empty() { violation.member.clone() } else { SmolStr::new(first) }
}

/// As Jira writes sentences: with a capital and a full stop.
fn sentence(violation: &Violation) -> String {
    let mut letters = violation.what.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
