//! Profiles in the bodies of requests, and in searches, by the schemas that say what is in them.

use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::listing::{NO_CO, SEARCHES};
use crate::{
    error::Error,
    model::{
        State,
        group::GroupField,
        profile::{Attribute, Profile},
        property::Property,
        schema::{self, Custom, GROUP},
        user::UserField,
    },
    query::{Kind, Rule},
};

/// A refusal of names that no schema knows, as recorded.
fn unknown<'a>(names: impl Iterator<Item = &'a String>, about: &'static str) -> Result<(), Error> {
    let causes: Vec<String> = names.map(|name| format!("Property name '{name}' is not defined in profile")).collect();
    if causes.is_empty() {
        return Ok(());
    }
    Err(Error::Validation { about: SmolStr::new_static(about), causes })
}

/// Puts what was sent into a profile. Nulls take away, unknown names are refused.
pub(crate) fn fill(
    state: &State,
    profile: &mut Profile,
    sent: &Map<String, Value>,
    about: &'static str,
) -> Result<(), Error> {
    let number = |profile: &Profile, name: &str| schema::lookup(state, profile, name);
    unknown(sent.keys().filter(|name| Attribute::find(name).is_none() && number(profile, name).is_none()), about)?;
    for (name, value) in sent {
        match (Attribute::find(name), value) {
            (Some(attribute), Value::Null) => profile.set(attribute, ""),
            (Some(attribute), Value::String(text)) => profile.set(attribute, text),
            (Some(_), _) => return Err(Error::Malformed),
            (None, value) => {
                if let Some(number) = number(profile, name) {
                    profile.set_custom(number, name, (!value.is_null()).then(|| value.clone()));
                }
            }
        }
    }
    Ok(())
}

/// The custom values of a group.
pub(super) fn group_values(state: &State, sent: &Map<String, Value>) -> Result<Custom, Error> {
    let known = |name: &str| state.schemas.custom(GROUP, name);
    unknown(sent.keys().filter(|name| known(name).is_none()), "group")?;
    let mut custom = Custom::default();
    for (name, value) in sent {
        if let Some(property) = known(name) {
            custom.set(property.number, name, (!value.is_null()).then(|| value.clone()));
        }
    }
    Ok(custom)
}

fn rule<F>(property: &Property, field: F) -> Rule<F> {
    let kind = match property.kind() {
        _ if property.is_number() => Kind::Number,
        _ => Kind::Text,
    };
    let operators = if kind == Kind::Number || property.kind() != "string" { NO_CO } else { SEARCHES };
    Rule { field, kind, operators }
}

/// How people can be searched by a custom attribute of any of their types.
pub(super) fn user_rule(state: &State, path: &str) -> Option<Rule<UserField>> {
    let property = state.schemas.of_people(path.strip_prefix("profile.")?)?;
    Some(rule(property, UserField::Custom(property.number)))
}

/// How groups can be searched by a custom attribute.
pub(super) fn group_rule(state: &State, path: &str) -> Option<Rule<GroupField>> {
    let property = state.schemas.custom(GROUP, path.strip_prefix("profile.")?)?;
    Some(rule(property, GroupField::Custom(property.number)))
}
