//! The values of claims that administrators add to tokens.
//!
//! Of Okta's expression language (developer.okta.com/docs/reference/okta-expression-language/) only what most claims
//! are is known: a text, a number, an attribute of the person or of the app. Others are refused as Okta refuses an
//! expression that fails.

use serde_json::{Value, json};

use super::error::{self, OAuthError};
use crate::{
    model::{State, authorization_server::Claim, client::Client, profile::Attribute, user::User},
    views,
};

/// The value of a claim; none where it has none for this person.
///
/// # Errors
/// An expression that is not known.
pub fn value(
    state: &State,
    claim: &Claim<'_>,
    client: &Client,
    user: Option<&User>,
) -> Result<Option<Value>, OAuthError> {
    let value = match claim.kind {
        "GROUPS" => user.map(|user| groups(state, claim, user)).transpose()?,
        _ => evaluate(claim.value.trim(), client, user).ok_or_else(|| error::claim(claim.name))?,
    };
    Ok(value)
}

fn groups(state: &State, claim: &Claim<'_>, user: &User) -> Result<Value, OAuthError> {
    let pattern = claim.value;
    let keep = |name: &str| match claim.filter {
        "EQUALS" => Some(name == pattern),
        "CONTAINS" => Some(name.contains(pattern)),
        "REGEX" if pattern == ".*" => Some(true),
        "STARTS_WITH" | "" => Some(name.starts_with(pattern)),
        _ => None,
    };
    let names = views::group_names(state, user);
    let mut kept = Vec::new();
    for name in &names {
        if keep(name).ok_or_else(|| error::claim(claim.name))? {
            kept.push(name.as_str());
        }
    }
    Ok(json!(kept))
}

#[expect(clippy::option_option, reason = "not known, and known to have no value for this person, are two things")]
fn evaluate(text: &str, client: &Client, user: Option<&User>) -> Option<Option<Value>> {
    if let Some(literal) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return (!literal.contains('"')).then(|| Some(json!(literal)));
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(Some(json!(number)));
    }
    match text {
        "true" => return Some(Some(json!(true))),
        "false" => return Some(Some(json!(false))),
        "app.clientId" => return Some(Some(json!(client.id))),
        "app.name" | "app.label" => return Some(Some(json!(client.name))),
        _ => {}
    }
    let name = text.strip_prefix("user.").or_else(|| text.strip_prefix("appuser."))?;
    let name = if name == "userName" { "login" } else { name };
    if name == "id" {
        return Some(user.map(|user| json!(user.id)));
    }
    let attribute = Attribute::find(name)?;
    let own = user.map(|user| user.profile.get(attribute)).filter(|value| !value.is_empty());
    Some(own.map(|value| json!(value)))
}

#[cfg(test)]
mod tests {
    use dtu_kernel::time::Timestamp;

    use super::*;
    use crate::model::client::ClientType;

    #[test]
    fn only_known_expressions_are_evaluated() {
        let client = Client::new("0oa1".into(), "App".into(), ClientType::Web, Timestamp::from_secs(0));
        let check = |text: &str, wanted: Option<Option<Value>>| {
            assert_eq!(evaluate(text, &client, None), wanted, "{text}");
        };
        check("\"driving!\"", Some(Some(json!("driving!"))));
        check("5", Some(Some(json!(5))));
        check("true", Some(Some(json!(true))));
        check("app.clientId", Some(Some(json!("0oa1"))));
        check("user.email", Some(None));
        check("user.shoeSize", None);
        check("\"a\" + \"b\"", None);
        check("Groups.startsWith(\"active_directory\", \"a\", 10)", None);
    }
}
