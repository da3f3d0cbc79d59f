//! What does not fit an API's contract, in the API's words.
//!
//! The newer APIs word problems with bodies and queries as their front servers do for all of Google; Drive has reasons
//! of its own. Where neither documents nor recordings say how a rule is worded, the general words stand.

use std::fmt::Write as _;

use dtu_contract::{
    generic::refusal::Refused,
    violation::{Part, Rule, Violation},
};
use dtu_kernel::{args::ArgError, operation::OperationInfo};

use super::{
    bad_fields,
    said::{Location, Said},
};
use crate::family::Family;

/// A refusal of the generic twin.
pub(super) fn said(family: Family, operation: &OperationInfo, refused: &Refused) -> Said {
    if let Refused::Invalid(violations) = refused
        && let Some(field) = bad_field(violations)
    {
        return bad_fields(family, field);
    }
    match (family, refused) {
        (Family::Drive, Refused::Invalid(violations)) => {
            violations.first().map_or_else(|| bad_value(""), drive_violation)
        }
        (_, Refused::Invalid(violations)) => violations_said(family.body_field(operation), violations),
        (Family::Drive, Refused::NotFound { collection, id }) => drive_not_found(collection, id),
        (_, Refused::NotFound { .. }) => Said::new("NOT_FOUND", "notFound", "Requested entity was not found."),
        (Family::Drive, Refused::Exists { collection, .. }) if collection == "files" => {
            Said::new("ALREADY_EXISTS", "fileIdInUse", "A file already exists with the provided ID.")
        }
        (_, Refused::Exists { .. }) => Said::new("ALREADY_EXISTS", "duplicate", "Requested entity already exists"),
        (Family::Drive, Refused::BadCursor { parameter, .. }) => bad_value(parameter),
        (_, Refused::BadCursor { .. } | Refused::Rule { .. }) => Said::invalid(),
        (Family::Drive, Refused::MediaType { sent }) => {
            Said::new("INVALID_ARGUMENT", "badContent", format!("Unsupported content with type: {sent}"))
        }
        (_, Refused::MediaType { .. }) => syntax(),
        (_, Refused::Unserved { .. }) => Said::unimplemented(),
    }
}

/// An argument of a hand-written operation.
pub(super) fn argument(family: Family, error: &ArgError) -> Said {
    match (family, error) {
        (Family::Drive, ArgError::Missing(name)) => required(name),
        (Family::Drive, ArgError::Invalid(name, _)) => bad_value(name),
        (_, ArgError::Missing(name)) => missing(name),
        (_, ArgError::Invalid(name, why)) => invalid_value(&snake(name), why),
    }
}

/// The field of a mask that there is not.
fn bad_field(violations: &[Violation]) -> Option<&str> {
    let is_mask = |violation: &&Violation| {
        violation.part == Part::Query && violation.rule == Rule::Unknown && violation.at == "fields"
    };
    violations.iter().find(is_mask).map(|violation| violation.member.as_str())
}

fn required(parameter: &str) -> Said {
    Said::new("INVALID_ARGUMENT", "required", format!("Required parameter: {parameter}"))
        .at(Location::parameter(parameter))
}

pub(super) fn bad_value(parameter: &str) -> Said {
    let said = Said::new("INVALID_ARGUMENT", "invalid", "Invalid Value");
    if parameter.is_empty() { said } else { said.at(Location::parameter(parameter)) }
}

fn drive_violation(violation: &Violation) -> Said {
    match (violation.part, violation.rule) {
        (Part::Body, Rule::Syntax) => Said::new("INVALID_ARGUMENT", "parseError", "Parse Error"),
        (Part::Body, _) => bad_value(last_part(violation)),
        (_, Rule::Required) => required(&violation.at),
        _ => bad_value(&violation.at),
    }
}

/// The member that a problem with a body is about.
fn last_part(violation: &Violation) -> &str {
    match violation.member.as_str() {
        "" => violation.at.rsplit('/').next().unwrap_or_default(),
        member => member,
    }
}

/// Drive names the kind of thing, and the parameter that named it.
fn drive_not_found(collection: &str, id: &str) -> Said {
    let (kind, parameter) = match collection {
        "permissions" => ("Permission", "permissionId"),
        "revisions" => ("Revision", "revisionId"),
        "comments" => ("Comment", "commentId"),
        "replies" => ("Reply", "replyId"),
        "drives" => ("Shared drive", "driveId"),
        "apps" => ("App", "appId"),
        _ => ("File", "fileId"),
    };
    Said::new("NOT_FOUND", "notFound", format!("{kind} not found: {id}.")).at(Location::parameter(parameter))
}

fn missing(parameter: &str) -> Said {
    Said::new("INVALID_ARGUMENT", "required", format!("'{parameter}' is required but not specified"))
}

fn syntax() -> Said {
    Said::new("INVALID_ARGUMENT", "parseError", "Invalid JSON payload received. Unexpected token.")
}

fn invalid_value(field: &str, why: &str) -> Said {
    let message = format!("Invalid value at '{field}': {why}");
    Said::new("INVALID_ARGUMENT", "badRequest", message.clone()).violation(field, &message)
}

/// Several problems are one message of several lines, with a violation for each.
fn violations_said(body_field: &str, violations: &[Violation]) -> Said {
    if violations.iter().any(|violation| violation.part == Part::Body && violation.rule == Rule::Syntax) {
        return syntax();
    }
    let is_missing = |violation: &&Violation| violation.part == Part::Query && violation.rule == Rule::Required;
    if let Some(violation) = violations.iter().find(is_missing) {
        return missing(&violation.at);
    }
    let worded: Vec<(String, String)> = violations.iter().map(|violation| word(body_field, violation)).collect();
    let message = worded.iter().map(|(_, message)| message.as_str()).collect::<Vec<_>>().join("\n");
    let said = Said::new("INVALID_ARGUMENT", "badRequest", message);
    worded.iter().fold(said, |said, (field, message)| said.violation(field, message))
}

/// The field at fault and what is wrong with it.
fn word(body_field: &str, violation: &Violation) -> (String, String) {
    let Violation { part, at, rule, member, what } = violation;
    match (part, rule) {
        (Part::Query, Rule::Unknown) => {
            let why = format!("Cannot bind query parameter. Field '{at}' could not be found in request message.");
            (String::new(), format!("Invalid JSON payload received. Unknown name \"{at}\": {why}"))
        }
        (Part::Body, Rule::Unknown) => {
            let field = path(body_field, at);
            let place = if field.is_empty() { String::new() } else { format!(" at '{field}'") };
            let message =
                format!("Invalid JSON payload received. Unknown name \"{member}\"{place}: Cannot find field.");
            (field, message)
        }
        (Part::Body, _) => {
            let field = path(body_field, at);
            let message = format!("Invalid value at '{field}': {what}");
            (field, message)
        }
        _ => (snake(at), format!("Invalid value at '{}': {what}", snake(at))),
    }
}

/// A JSON pointer as a path of protocol buffer fields: `/requests/0/addSheet` is `requests[0].add_sheet`.
fn path(body_field: &str, pointer: &str) -> String {
    let mut path = body_field.to_owned();
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            // Writing to a string cannot fail.
            let _ = write!(path, "[{part}]");
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&snake(part));
        }
    }
    path
}

fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
