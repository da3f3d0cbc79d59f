//! Changes to what is remembered: merges, and lists of steps (RFC 6902).

use serde_json::{Map, Value};

/// Lays members over others; objects are merged, everything else is replaced.
pub(super) fn overlay(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (name, value) in over {
        match (base.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => overlay(old, new),
            (_, value) => drop(base.insert(name, value)),
        }
    }
}

/// The same where `null` takes a member away (RFC 7396).
pub(super) fn merge(base: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match (base.get_mut(&name), value) {
            (_, Value::Null) => drop(base.shift_remove(&name)),
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => drop(base.insert(name, value)),
        }
    }
}

/// The steps of a JSON Patch, where a body is one.
pub(super) fn steps(body: &Value) -> Option<&Vec<Value>> {
    let steps = body.as_array()?;
    let is_step = |step: &Value| step["op"].is_string() && step["path"].is_string();
    (!steps.is_empty() && steps.iter().all(is_step)).then_some(steps)
}

/// Does the steps in order; none where one cannot be done.
pub(super) fn walk(base: &Map<String, Value>, steps: &[Value]) -> Option<Map<String, Value>> {
    let mut root = Value::Object(base.clone());
    for step in steps {
        let path = step["path"].as_str()?;
        let from = || step["from"].as_str();
        match step["op"].as_str()? {
            "add" => put(&mut root, path, step["value"].clone(), true)?,
            "replace" => {
                root.pointer(path)?;
                put(&mut root, path, step["value"].clone(), false)?;
            }
            "remove" => drop(take(&mut root, path)?),
            "move" => {
                let value = take(&mut root, from()?)?;
                put(&mut root, path, value, true)?;
            }
            "copy" => {
                let value = root.pointer(from()?)?.clone();
                put(&mut root, path, value, true)?;
            }
            "test" if root.pointer(path) == Some(&step["value"]) => {}
            _ => return None,
        }
    }
    match root {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn last(path: &str) -> Option<(&str, String)> {
    let (parent, name) = path.rsplit_once('/')?;
    Some((parent, name.replace("~1", "/").replace("~0", "~")))
}

fn put(root: &mut Value, path: &str, value: Value, insert: bool) -> Option<()> {
    let (parent, name) = last(path)?;
    match root.pointer_mut(parent)? {
        Value::Object(members) => drop(members.insert(name, value)),
        Value::Array(items) if name == "-" => items.push(value),
        Value::Array(items) => {
            let at: usize = name.parse().ok().filter(|at| *at <= items.len())?;
            if insert { items.insert(at, value) } else { *items.get_mut(at)? = value }
        }
        _ => return None,
    }
    Some(())
}

fn take(root: &mut Value, path: &str) -> Option<Value> {
    let (parent, name) = last(path)?;
    match root.pointer_mut(parent)? {
        Value::Object(members) => members.shift_remove(&name),
        Value::Array(items) => {
            let at: usize = name.parse().ok().filter(|at| *at < items.len())?;
            Some(items.remove(at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().expect("is an object").clone()
    }

    #[test]
    fn steps_are_done_in_order_or_not_at_all() {
        let base = map(json!({"a": 1, "b": {"c": [1, 2]}}));
        let check = |patch: Value, expected: Option<Value>| {
            let done = walk(&base, steps(&patch).expect("is a patch")).map(Value::Object);
            assert_eq!(done, expected, "{patch}");
        };
        check(json!([{"op": "replace", "path": "/a", "value": 2}]), Some(json!({"a": 2, "b": {"c": [1, 2]}})));
        check(json!([{"op": "add", "path": "/b/c/-", "value": 3}]), Some(json!({"a": 1, "b": {"c": [1, 2, 3]}})));
        check(json!([{"op": "remove", "path": "/b"}, {"op": "test", "path": "/a", "value": 1}]), Some(json!({"a": 1})));
        check(json!([{"op": "move", "from": "/a", "path": "/d"}]), Some(json!({"b": {"c": [1, 2]}, "d": 1})));
        check(json!([{"op": "replace", "path": "/x", "value": 2}]), None);
        check(json!([{"op": "test", "path": "/a", "value": 9}]), None);
    }

    #[test]
    fn merging_takes_null_for_absence() {
        let mut base = map(json!({"a": {"b": 1, "c": 2}, "d": 1}));
        merge(&mut base, map(json!({"a": {"b": null}, "d": null, "e": 1})));
        assert_eq!(Value::Object(base), json!({"a": {"c": 2}, "e": 1}));
    }
}
