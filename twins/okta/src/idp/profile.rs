//! What a provider says of somebody, as its profile in Okta and as a person's.

use serde_json::{Map, Value, json};

use super::{
    Refused,
    provider::{Protocol, Provider},
};
use crate::{
    model::{
        State,
        mapping::{self, Push},
        profile::Attribute,
        user::User,
    },
    policy::Members,
};

/// Standard claims with the names that they have in Okta (help.okta.com, "Profile attributes of identity providers",
/// by the attributes of Okta's own people).
const CLAIMS: [(&str, &str); 11] = [
    ("given_name", "firstName"),
    ("family_name", "lastName"),
    ("middle_name", "middleName"),
    ("name", "displayName"),
    ("nickname", "nickName"),
    ("preferred_username", "preferredUsername"),
    ("profile", "profileUrl"),
    ("phone_number", "mobilePhone"),
    ("locale", "locale"),
    ("zoneinfo", "timezone"),
    ("sub", "externalId"),
];

/// Claims that are of a token, and say nothing of the person.
const OF_TOKENS: [&str; 12] =
    ["iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "azp", "auth_time", "ver"];

/// A person's attribute, built in or custom, as a text; none where it is empty.
pub(super) fn attribute(user: &User, name: &str) -> Option<String> {
    let own = match Attribute::find(name) {
        Some(attribute) => user.profile.get(attribute).to_owned(),
        None => match user.profile.custom().named(name)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
    };
    Some(own).filter(|text| !text.is_empty())
}

/// The profile that claims make: by Okta's names, and others by their own.
pub(super) fn of_claims(claims: &Map<String, Value>) -> Members {
    let mut profile = Members::new();
    for (name, value) in claims.iter().filter(|(name, value)| !OF_TOKENS.contains(&name.as_str()) && !value.is_null()) {
        let own = CLAIMS.iter().find(|(claim, _)| claim == name).map_or(name.as_str(), |(_, own)| own);
        profile.insert(own.to_owned(), value.clone());
    }
    profile
}

/// The name that somebody has in the org by a provider's word: what the policy's template makes of the profile.
///
/// # Errors
/// A template without a value, or a name that the policy's filter keeps out.
pub(super) fn username(state: &State, provider: &Provider, profile: &Members) -> Result<String, Refused> {
    let template = match provider.text("/policy/subject/userNameTemplate/template") {
        "" if provider.protocol() == Some(Protocol::Saml2) => "idpuser.subjectNameId",
        "" => "idpuser.email",
        template => template,
    };
    let found = mapping::evaluated(state, (&provider.id, provider.text("/name")), profile, template);
    let found = found.as_ref().and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    if found.is_empty() {
        let source = template.rsplit('.').next().unwrap_or(template);
        return Err(Refused::new(format!("Unable to transform {source} to username")));
    }
    let filter = provider.text("/policy/subject/filter");
    let fits = |text: &str| crate::expression::pattern(filter).is_ok_and(|regex| regex.is_match(text).unwrap_or(false));
    if filter.is_empty() || fits(&found) {
        return Ok(found);
    }
    let words = format!("The transformed username '{found}' was rejected by the username filter");
    Err(Refused::logged(words, "Unable to match transformed username"))
}

/// What the provider's mapping makes of the profile in Okta.
pub(super) fn mapped(
    state: &State,
    provider: &Provider,
    profile: &Members,
    username: &str,
    pushes: &[Push],
) -> Members {
    let mut profile = profile.clone();
    profile.insert("userName".to_owned(), json!(username));
    mapping::brought_by(state, (&provider.id, provider.text("/name")), &profile, pushes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_have_other_names_in_okta() {
        let claims = json!({
            "iss": "https://idp.example", "sub": "s1", "given_name": "Ada", "family_name": "Lovelace", "team": "red",
            "email": "ada@x.example", "nonce": "n", "middle_name": null,
        });
        let profile = of_claims(claims.as_object().expect("is an object"));
        let wanted = json!({
            "externalId": "s1", "firstName": "Ada", "lastName": "Lovelace", "team": "red", "email": "ada@x.example",
        });
        assert_eq!(Value::Object(profile), wanted);
    }
}
