//! Answers that drift from their documents: a member of them is changed.

use serde_json::Value;

use super::effect::Change;

/// Changes a member of an answer's JSON; none where the answer is no JSON, or has no such member.
pub(crate) fn drift(body: &[u8], at: &str, change: &Change) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    let parts: Vec<String> = at.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    change_at(&mut value, &parts, change).then(|| value.to_string().into_bytes())
}

fn change_at(value: &mut Value, parts: &[String], change: &Change) -> bool {
    let Some((part, rest)) = parts.split_first() else { return false };
    match (value, rest.is_empty()) {
        (Value::Array(items), _) if part == "*" => {
            items.iter_mut().fold(false, |any, item| change_item(item, rest, change) | any)
        }
        (Value::Array(items), _) => {
            let item = part.parse::<usize>().ok().and_then(|at| items.get_mut(at));
            item.is_some_and(|item| change_item(item, rest, change))
        }
        (Value::Object(members), false) if part == "*" => {
            members.values_mut().fold(false, |any, member| change_at(member, rest, change) | any)
        }
        (Value::Object(members), false) => {
            members.get_mut(part.as_str()).is_some_and(|member| change_at(member, rest, change))
        }
        (Value::Object(members), true) => change_member(members, part, change),
        _ => false,
    }
}

fn change_item(item: &mut Value, rest: &[String], change: &Change) -> bool {
    if !rest.is_empty() {
        return change_at(item, rest, change);
    }
    *item = match change {
        Change::Added(value) => value.clone(),
        Change::Removed | Change::Nulled => Value::Null,
        Change::Widened => widened(item.take()),
    };
    true
}

fn change_member(members: &mut serde_json::Map<String, Value>, name: &str, change: &Change) -> bool {
    let names: Vec<String> = match (name, change) {
        ("*", _) => members.keys().cloned().collect(),
        (_, Change::Added(_)) => vec![name.to_owned()],
        _ => members.keys().filter(|key| *key == name).cloned().collect(),
    };
    for name in &names {
        match change {
            Change::Added(value) => drop(members.insert(name.clone(), value.clone())),
            Change::Removed => drop(members.remove(name)),
            Change::Nulled => drop(members.insert(name.clone(), Value::Null)),
            Change::Widened => {
                if let Some(member) = members.get_mut(name) {
                    *member = widened(member.take());
                }
            }
        }
    }
    !names.is_empty()
}

fn widened(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Bool(truth) => Value::String(truth.to_string()),
        other => Value::Array(vec![other]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_of_an_answer_change() {
        let check = |at: &str, change: Change, wanted: Option<Value>| {
            let body = json!({ "ok": true, "n": 3, "users": [{ "id": "a", "x": null }, { "id": "b" }] }).to_string();
            let changed = drift(body.as_bytes(), at, &change).map(|body| serde_json::from_slice(&body).expect("JSON"));
            assert_eq!(changed, wanted, "{at} {change:?}");
        };
        let with = |edit: fn(&mut Value)| {
            let mut value = json!({ "ok": true, "n": 3, "users": [{ "id": "a", "x": null }, { "id": "b" }] });
            edit(&mut value);
            Some(value)
        };
        check("/ok", Change::Widened, with(|v| v["ok"] = json!("true")));
        check("/n", Change::Widened, with(|v| v["n"] = json!("3")));
        check("/n", Change::Nulled, with(|v| v["n"] = json!(null)));
        check("/new", Change::Added(json!([1])), with(|v| v["new"] = json!([1])));
        check(
            "/users/*/id",
            Change::Widened,
            with(|v| {
                v["users"][0]["id"] = json!(["a"]);
                v["users"][1]["id"] = json!(["b"]);
            }),
        );
        check("/users/1/id", Change::Nulled, with(|v| v["users"][1]["id"] = json!(null)));
        check("/users/*/x", Change::Removed, with(|v| drop(v["users"][0].as_object_mut().map(|o| o.remove("x")))));
        check("/nothing", Change::Removed, None);
        check("/n/deeper", Change::Nulled, None);
        assert_eq!(drift(b"no json", "/n", &Change::Removed), None);
    }
}
