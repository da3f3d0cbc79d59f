//! The values of claims that administrators add to tokens: what an expression comes to, or which of the person's groups
//! a filter keeps.

use serde_json::{Value, json};

use super::error::{self, OAuthError};
use crate::{
    expression::{self, Fault, Person},
    model::{
        State,
        authorization_server::claim::{Claim, GroupFilter, ValueKind},
        client::Client,
        user::User,
    },
    views,
};

/// The value of a claim; none where it has none for this person.
///
/// # Errors
/// An expression that cannot be read, or that has no value for a reason other than that the person lacks it.
pub fn value(state: &State, claim: &Claim, client: &Client, user: Option<&User>) -> Result<Option<Value>, OAuthError> {
    let text = claim.value.as_deref().unwrap_or_default();
    let value = match claim.value_type {
        ValueKind::Groups => user.map(|user| groups(state, claim, user)).transpose()?,
        _ => evaluate(text.trim(), &Person { state, user, app: Some(client) })
            .ok_or_else(|| error::claim(&claim.name))?,
    };
    Ok(value)
}

fn groups(state: &State, claim: &Claim, user: &User) -> Result<Value, OAuthError> {
    let text = claim.value.as_deref().unwrap_or_default();
    let pattern = match claim.group_filter {
        Some(GroupFilter::Regex) => expression::pattern(text).map(Some),
        _ => Ok::<_, Fault>(None),
    };
    let pattern = pattern.map_err(|_| error::claim(&claim.name))?;
    let keep = |name: &str| match (&pattern, claim.group_filter) {
        (Some(pattern), _) => pattern.is_match(name).unwrap_or(false),
        (None, Some(GroupFilter::Equals)) => name == text,
        (None, Some(GroupFilter::Contains)) => name.contains(text),
        (None, _) => name.starts_with(text),
    };
    let names = views::group_names(state, user);
    Ok(json!(names.iter().filter(|name| keep(name)).collect::<Vec<_>>()))
}

/// What an expression comes to; inside none where the person has no value for it.
#[expect(clippy::option_option, reason = "not known, and known to have no value for this person, are two things")]
fn evaluate(text: &str, person: &Person<'_>) -> Option<Option<Value>> {
    let value = expression::evaluate(&expression::parse(text).ok()?, person).ok()?.to_json();
    Some((!value.is_null()).then_some(value))
}
