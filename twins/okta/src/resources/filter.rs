//! Filters of lists: `filter` and `search` in Okta's expression language, `q` at the beginning of names.

use dtu_contract::generic::{customs::Filter, refusal::Refused};
use serde_json::Value;
use smol_str::SmolStr;

use super::Members;
use crate::query::{Expr, Operator, parse};

/// Members in which `q` looks.
const NAMED: &[&str] = &["name", "label", "title", "displayName"];

/// What a parameter of a list asks for; none where it is not one of these.
///
/// # Errors
/// An expression that cannot be read.
pub(super) fn read(collection: &str, name: &SmolStr, value: &Value) -> Result<Option<Filter>, Refused> {
    let Some(row) = super::find(collection) else { return Ok(None) };
    let text = value.as_str().unwrap_or_default();
    match name.as_str() {
        "filter" | "search" => {
            let expression = parse(text).map_err(|_| Refused::Rule {
                code: "E0000031",
                about: name.clone(),
                causes: vec!["Invalid search criteria.".to_owned()],
            })?;
            Ok(Some(Box::new(move |members| fits(&expression, members))))
        }
        "q" | "query" => {
            let wanted = text.to_lowercase();
            Ok(Some(Box::new(move |members| begins(members, &wanted))))
        }
        other => {
            let Some((_, path)) = row.asks.iter().find(|(asked, _)| *asked == other) else { return Ok(None) };
            let wanted: Vec<String> = texts(value, "");
            Ok(Some(Box::new(move |members| at(members, path).iter().any(|own| wanted.contains(own)))))
        }
    }
}

fn begins(members: &Members, wanted: &str) -> bool {
    let texts = NAMED.iter().filter_map(|name| members.get(*name)?.as_str());
    texts.into_iter().any(|text| text.to_lowercase().starts_with(wanted))
}

fn fits(expression: &Expr, members: &Members) -> bool {
    match expression {
        Expr::And(parts) => parts.iter().all(|part| fits(part, members)),
        Expr::Or(parts) => parts.iter().any(|part| fits(part, members)),
        Expr::Not(inner, _) => !fits(inner, members),
        Expr::Test { path, operator, value, .. } => {
            let wanted = value.as_ref().map_or("", |value| value.text());
            let found = at(members, path);
            let tests = |text: &String| test(*operator, &text.to_lowercase(), &wanted.to_lowercase());
            if *operator == Operator::Ne { found.iter().all(tests) } else { found.iter().any(tests) }
        }
    }
}

fn test(operator: Operator, own: &str, wanted: &str) -> bool {
    match operator {
        Operator::Eq => own == wanted,
        Operator::Ne => own != wanted,
        Operator::Co => own.contains(wanted),
        Operator::Sw => own.starts_with(wanted),
        Operator::Ew => own.ends_with(wanted),
        Operator::Pr => true,
        Operator::Gt => own > wanted,
        Operator::Ge => own >= wanted,
        Operator::Lt => own < wanted,
        Operator::Le => own <= wanted,
    }
}

/// The texts at a path (`profile.name`); several where lists are on the way.
fn at(members: &Members, path: &str) -> Vec<String> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(value) = members.get(name) else { return Vec::new() };
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    values.iter().flat_map(|value| texts(value, rest)).collect()
}

fn texts(value: &Value, rest: &str) -> Vec<String> {
    match value {
        Value::Object(inner) if !rest.is_empty() => at(inner, rest),
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(flag) => vec![flag.to_string()],
        Value::Array(items) => items.iter().flat_map(|item| texts(item, rest)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_look_at_members_by_their_paths() {
        let object = json!({ "name": "Beta Ring", "status": "ACTIVE", "profile": { "os": "IOS" }, "n": 3, "scopes": [{ "type": "CORS" }] });
        let members = object.as_object().expect("is an object");
        let check = |name: &str, text: &str, expected: bool| {
            let filter = read("/api/v1/zones", &name.into(), &json!(text)).expect("can be read").expect("is known");
            assert_eq!(filter(members), expected, "{text}");
        };
        check("filter", r#"status eq "ACTIVE""#, true);
        check("filter", r#"status eq "INACTIVE" or n eq 3"#, true);
        check("search", r#"profile.os co "IO" and not (name sw "A")"#, true);
        check("filter", r#"scopes.type eq "REDIRECT""#, false);
        check("filter", "missing pr", false);
        check("q", "beta", true);
        check("q", "ring", false);
        assert!(read("/api/v1/zones", &"filter".into(), &json!("status eq")).is_err());
        assert!(read("/api/v1/zones", &"expand".into(), &json!("x")).expect("is nothing").is_none());
    }
}
