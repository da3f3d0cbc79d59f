//! Where people sign in: what the rules of the identity provider discovery policy say.
//!
//! See developer.okta.com/docs/concepts/policies/ (routing rules) and help.okta.com, "Identity Provider routing
//! rules". A rule is looked at once somebody's name is known, or where it asks for none.

use std::net::IpAddr;

use serde_json::Value;

use super::provider::Provider;
use crate::{
    expression,
    model::State,
    policy::{self, Members},
};

/// What is known of somebody who wants to sign in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known<'a> {
    /// The name that they go by; none where they have not said.
    pub(crate) login: Option<&'a str>,
    /// The id of the app that they are on the way to.
    pub(crate) app: Option<&'a str>,
    /// Their address.
    pub(crate) from: Option<IpAddr>,
    /// What their browser says of itself.
    pub(crate) agent: &'a str,
}

/// The provider at which somebody signs in; none where that is Okta itself. Where a rule names several, people choose,
/// Okta first: then it is Okta as well.
pub(crate) fn chosen(state: &State, known: &Known<'_>) -> Option<Provider> {
    let policies = policy::policies(state, "IDP_DISCOVERY");
    let rules = policies.into_iter().filter(|(_, one)| policy::is_active(one));
    let mut rules = rules.flat_map(|(id, _)| policy::rules(state, id));
    let (_, rule) = rules.find(|(_, rule)| policy::is_active(rule) && concerns(state, rule, known))?;
    let action = rule.get("actions")?.get("idp")?;
    if action["idpSelectionType"] == "DYNAMIC" {
        return dynamic(state, action, known.login?);
    }
    match action["providers"].as_array()?.as_slice() {
        [one] => Provider::active(state, one["id"].as_str()?),
        _ => None,
    }
}

/// The provider whose property is what an expression makes of somebody's name.
fn dynamic(state: &State, action: &Value, login: &str) -> Option<Provider> {
    let criterion = action["matchCriteria"].as_array()?.first()?;
    let tree = expression::parse(criterion["providerExpression"].as_str()?).ok()?;
    let value = expression::evaluate(&tree, &Login(login)).ok()?;
    Provider::with(state, criterion["propertyName"].as_str()?, &value.shown())
}

/// What expressions of routing rules see: the name that somebody has given.
struct Login<'a>(&'a str);

impl expression::Scope for Login<'_> {
    fn attribute(&self, object: &str, name: &str) -> Option<expression::Value> {
        (object == "login" && name == "identifier").then(|| expression::Value::text(self.0))
    }
}

fn concerns(state: &State, rule: &Members, known: &Known<'_>) -> bool {
    let conditions = rule.get("conditions").cloned().unwrap_or_default();
    policy::is_from(state, rule, known.from)
        && app(&conditions["app"], known.app)
        && platform(&conditions["platform"], known.agent)
        && identifier(state, &conditions["userIdentifier"], known.login)
}

fn list<'a>(condition: &'a Value, name: &str) -> &'a [Value] {
    condition[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn app(condition: &Value, app: Option<&str>) -> bool {
    let names = |how: &str| list(condition, how).iter().any(|one| one["id"].as_str().is_some_and(|id| Some(id) == app));
    (list(condition, "include").is_empty() || names("include")) && !names("exclude")
}

/// Whether a browser runs on a platform that a condition names.
fn platform(condition: &Value, agent: &str) -> bool {
    let (kind, os) = match agent {
        _ if agent.contains("Android") => ("MOBILE", "ANDROID"),
        _ if agent.contains("iPhone") || agent.contains("iPad") => ("MOBILE", "IOS"),
        _ if agent.contains("Windows") => ("DESKTOP", "WINDOWS"),
        _ if agent.contains("Mac OS X") => ("DESKTOP", "OSX"),
        _ => ("OTHER", "OTHER"),
    };
    let fits = |one: &Value| {
        let is = |wanted: &Value, own: &str| wanted.as_str().is_none_or(|wanted| wanted == "ANY" || wanted == own);
        is(&one["type"], kind) && is(&one["os"]["type"], os)
    };
    let include = list(condition, "include");
    (include.is_empty() || include.iter().any(fits)) && !list(condition, "exclude").iter().any(fits)
}

/// Whether the name that somebody has given, or an attribute of whoever has it, fits a pattern.
fn identifier(state: &State, condition: &Value, login: Option<&str>) -> bool {
    let patterns = list(condition, "patterns");
    if patterns.is_empty() {
        return true;
    }
    let Some(login) = login else { return false };
    let value = match condition["type"].as_str() {
        Some("ATTRIBUTE") => {
            let attribute = condition["attribute"].as_str().unwrap_or_default();
            state.users.find(login).and_then(|user| super::profile::attribute(user, attribute))
        }
        _ => Some(login.to_owned()),
    };
    value.is_some_and(|value| patterns.iter().any(|pattern| fits(pattern, &value)))
}

fn fits(pattern: &Value, value: &str) -> bool {
    let wanted = pattern["value"].as_str().unwrap_or_default();
    let (low, wanted_low) = (value.to_lowercase(), wanted.to_lowercase());
    match pattern["matchType"].as_str() {
        Some("SUFFIX") => low.ends_with(&wanted_low),
        Some("STARTS_WITH") => low.starts_with(&wanted_low),
        Some("CONTAINS") => low.contains(&wanted_low),
        Some("EQUALS") => low == wanted_low,
        Some("EXPRESSION") => expression::pattern(wanted).is_ok_and(|regex| regex.is_match(value).unwrap_or(false)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_fit_patterns() {
        let check = |kind: &str, wanted: &str, value: &str, expected: bool| {
            assert_eq!(fits(&json!({ "matchType": kind, "value": wanted }), value), expected, "{kind} {wanted}");
        };
        check("SUFFIX", "partner.example", "Pat@Partner.example", true);
        check("SUFFIX", "partner.example", "pat@partner.example.org", false);
        check("STARTS_WITH", "pat@", "pat@x.example", true);
        check("CONTAINS", "@x.", "pat@x.example", true);
        check("EQUALS", "pat@x.example", "PAT@x.example", true);
        check("EQUALS", "pat@x.example", "pat@y.example", false);
        check("EXPRESSION", r"[a-z]+@x\.example", "pat@x.example", true);
        check("EXPRESSION", r"[a-z]+@x\.example", "pat@x.example.org", false);
        check("EXPRESSION", "(", "(", false);
        check("OTHER", "a", "a", false);
    }

    #[test]
    fn browsers_are_told_by_their_name() {
        let check = |agent: &str, condition: Value, expected: bool| assert_eq!(platform(&condition, agent), expected);
        let on = |kind: &str, os: &str| json!({ "include": [{ "type": kind, "os": { "type": os } }], "exclude": [] });
        check("Mozilla/5.0 (Windows NT 10.0)", on("DESKTOP", "ANY"), true);
        check("Mozilla/5.0 (Windows NT 10.0)", on("ANY", "OSX"), false);
        check("Mozilla/5.0 (iPhone)", on("MOBILE", "IOS"), true);
        check("Mozilla/5.0 (iPhone)", on("DESKTOP", "ANY"), false);
        check("curl", on("ANY", "ANY"), true);
        check("curl", Value::Null, true);
    }

    #[test]
    fn apps_are_told_by_their_id() {
        let condition = json!({ "include": [{ "type": "APP", "id": "0oa1" }], "exclude": [] });
        assert!(app(&condition, Some("0oa1")) && !app(&condition, Some("0oa2")) && !app(&condition, None));
        let condition = json!({ "include": [], "exclude": [{ "type": "APP", "id": "0oa1" }] });
        assert!(!app(&condition, Some("0oa1")) && app(&condition, Some("0oa2")) && app(&condition, None));
    }
}
