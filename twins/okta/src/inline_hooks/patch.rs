//! Changes of a JSON document by commands: `add`, `replace` and `remove` at slash-separated paths (RFC 6902).

use serde::Deserialize;
use serde_json::Value;

/// One change.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Change {
    /// What is done.
    pub op: String,
    /// Where.
    pub path: String,
    /// The new value.
    #[serde(default)]
    pub value: Value,
}

/// Makes a change.
///
/// # Errors
/// A path that leads nowhere, an operation that there is not.
pub(super) fn apply(document: &mut Value, change: &Change) -> Result<(), String> {
    let nowhere = || format!("The path '{}' does not exist", change.path);
    let (parent, last) = change.path.rsplit_once('/').ok_or_else(nowhere)?;
    let last = last.replace("~1", "/").replace("~0", "~");
    let value = change.value.clone();
    let done = match (change.op.as_str(), document.pointer_mut(parent).ok_or_else(nowhere)?) {
        ("add", Value::Object(members)) => {
            members.insert(last, value);
            true
        }
        ("add", Value::Array(items)) => {
            let at = if last == "-" { Some(items.len()) } else { last.parse().ok() };
            at.filter(|at| *at <= items.len()).map(|at| items.insert(at, value)).is_some()
        }
        ("replace", parent) => slot(parent, &last).map(|slot| *slot = value).is_some(),
        ("remove", Value::Object(members)) => members.shift_remove(&last).is_some(),
        ("remove", Value::Array(items)) => {
            last.parse().ok().filter(|at| *at < items.len()).map(|at: usize| items.remove(at)).is_some()
        }
        ("add" | "remove", _) => false,
        (other, _) => return Err(format!("The operation '{other}' is not supported")),
    };
    if done { Ok(()) } else { Err(nowhere()) }
}

fn slot<'a>(parent: &'a mut Value, last: &str) -> Option<&'a mut Value> {
    match parent {
        Value::Object(members) => members.get_mut(last),
        Value::Array(items) => items.get_mut(last.parse::<usize>().ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Change, apply};

    #[test]
    fn changes_are_made_where_their_paths_lead() {
        let check = |op: &str, path: &str, value: Value, wanted: Result<Value, &str>| {
            let mut document = json!({ "a": { "b": 1, "x/y": 2 }, "l": [1, 2] });
            let change = Change { op: op.to_owned(), path: path.to_owned(), value };
            let got = apply(&mut document, &change).map(|()| document);
            assert_eq!(got.as_ref().map_err(String::as_str), wanted.as_ref().map_err(|why| *why), "{op} {path}");
        };
        check("add", "/a/c", json!(3), Ok(json!({ "a": { "b": 1, "x/y": 2, "c": 3 }, "l": [1, 2] })));
        check("add", "/a/b", json!(3), Ok(json!({ "a": { "b": 3, "x/y": 2 }, "l": [1, 2] })));
        check("add", "/l/-", json!(3), Ok(json!({ "a": { "b": 1, "x/y": 2 }, "l": [1, 2, 3] })));
        check("add", "/l/1", json!(3), Ok(json!({ "a": { "b": 1, "x/y": 2 }, "l": [1, 3, 2] })));
        check("replace", "/a/x~1y", json!(3), Ok(json!({ "a": { "b": 1, "x/y": 3 }, "l": [1, 2] })));
        check("replace", "/l/0", json!(3), Ok(json!({ "a": { "b": 1, "x/y": 2 }, "l": [3, 2] })));
        check("remove", "/a/b", Value::Null, Ok(json!({ "a": { "x/y": 2 }, "l": [1, 2] })));
        check("remove", "/l/1", Value::Null, Ok(json!({ "a": { "b": 1, "x/y": 2 }, "l": [1] })));
        check("add", "/z/b", json!(1), Err("The path '/z/b' does not exist"));
        check("add", "/l/7", json!(1), Err("The path '/l/7' does not exist"));
        check("replace", "/a/z", json!(1), Err("The path '/a/z' does not exist"));
        check("remove", "/l/2", json!(1), Err("The path '/l/2' does not exist"));
        check("move", "/a/b", json!(1), Err("The operation 'move' is not supported"));
        check("add", "nothing", json!(1), Err("The path 'nothing' does not exist"));
    }
}
