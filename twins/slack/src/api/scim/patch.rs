//! `PATCH` of SCIM 2.0 (RFC 7644, 3.5.2) as changes to a resource's members.

use serde_json::{Map, Value, json};

use super::{Members, refused};
use crate::error::Error;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Add,
    Replace,
    Remove,
}

/// An operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) kind: Kind,
    /// The attribute; empty for the resource itself.
    pub(super) path: String,
    /// What the filter in brackets behind the attribute says a value must be.
    pub(super) only: Option<String>,
    pub(super) value: Value,
}

/// Reads the operations of a body.
///
/// # Errors
/// Where it has none, or one that is none.
pub(super) fn changes(body: &Members) -> Result<Vec<Change>, Error> {
    let operations = body.get("Operations").and_then(Value::as_array);
    let operations = operations.filter(|list| !list.is_empty()).ok_or_else(|| refused(400, "invalid_operations"))?;
    operations.iter().map(change).collect()
}

fn change(operation: &Value) -> Result<Change, Error> {
    let kind = match operation["op"].as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
        "add" => Kind::Add,
        "replace" => Kind::Replace,
        "remove" => Kind::Remove,
        _ => return Err(refused(400, "invalid_operation")),
    };
    let path = operation["path"].as_str().unwrap_or_default();
    if kind == Kind::Remove && path.is_empty() {
        return Err(refused(400, "path_required"));
    }
    let (path, only) = match path.split_once('[') {
        Some((before, rest)) => {
            let (filter, after) = rest.split_once(']').ok_or_else(|| refused(400, "invalid_path"))?;
            let wanted = filter.split_whitespace().last().unwrap_or_default().trim_matches('"').to_owned();
            (format!("{before}{}", after.strip_suffix(".value").unwrap_or(after)), Some(wanted))
        }
        None => (path.to_owned(), None),
    };
    Ok(Change { kind, path, only, value: operation["value"].clone() })
}

/// The members of a user that a change sets; null where it takes one away.
pub(super) fn members(change: &Change) -> Members {
    let value = if change.kind == Kind::Remove { Value::Null } else { change.value.clone() };
    if change.path.is_empty() {
        return value.as_object().cloned().unwrap_or_default();
    }
    let mut members = Map::new();
    // The names of extensions have dots in them, and an attribute comes behind a colon.
    match change.path.strip_prefix("urn:").map(|_| change.path.rsplit_once(':')) {
        Some(Some((urn, name))) if name.chars().next().is_some_and(char::is_lowercase) => {
            members.insert(urn.to_owned(), json!({ name: value }));
        }
        Some(_) => {
            members.insert(change.path.clone(), value);
        }
        None => match change.path.split_once('.') {
            Some((outer, inner)) => {
                members.insert(outer.to_owned(), json!({ inner: value }));
            }
            None if change.path == "emails" && value.is_string() => {
                members.insert("emails".to_owned(), json!([{ "value": value, "primary": true }]));
            }
            None if change.path == "phoneNumbers" && value.is_string() => {
                members.insert(
                    "phoneNumbers".to_owned(),
                    json!([{ "value": value, "primary": true, "type": change.only }]),
                );
            }
            None => {
                members.insert(change.path.clone(), value);
            }
        },
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(operation: Value, wanted: Value) {
        let change = change(&operation).unwrap_or_else(|error| panic!("{operation}: {error:?}"));
        assert_eq!(Value::Object(members(&change)), wanted, "{operation}");
    }

    #[test]
    fn operations_are_changes_to_members() {
        check(json!({ "op": "Replace", "path": "active", "value": false }), json!({ "active": false }));
        check(json!({ "op": "replace", "value": { "title": "Lead" } }), json!({ "title": "Lead" }));
        check(
            json!({ "op": "add", "path": "name.familyName", "value": "Ray" }),
            json!({ "name": { "familyName": "Ray" } }),
        );
        check(
            json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@b.example" }),
            json!({ "emails": [{ "value": "a@b.example", "primary": true }] }),
        );
        check(json!({ "op": "remove", "path": "title" }), json!({ "title": null }));
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        check(
            json!({ "op": "add", "path": format!("{urn}:department"), "value": "IT" }),
            json!({ urn: { "department": "IT" } }),
        );
    }

    #[test]
    fn what_is_no_operation_is_refused() {
        for operation in
            [json!({}), json!({ "op": "move" }), json!({ "op": "remove" }), json!({ "op": "add", "path": "a[b" })]
        {
            assert!(change(&operation).is_err(), "{operation}");
        }
    }
}
