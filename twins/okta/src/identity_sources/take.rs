//! Reads what a client of an identity source sends: profiles, ids and memberships, with what each may hold.

use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::at;
use crate::{
    error::Error,
    model::identity_source::{Brought, Members, UPLOAD_MAX, Upload},
    model::profile::is_email,
};

/// Attributes of people, each with the most characters of its value.
const PERSON: [(&str, usize); 7] = [
    ("userName", 100),
    ("email", 100),
    ("firstName", 50),
    ("lastName", 50),
    ("secondEmail", 100),
    ("mobilePhone", 100),
    ("homeAddress", 4_096),
];
/// Those without which nobody is made.
const NEEDED: [&str; 4] = ["userName", "email", "firstName", "lastName"];
/// Attributes of groups.
const GROUP: [(&str, usize); 2] = [("displayName", 255), ("description", 1_024)];
/// The longest of a source's own ids: of people and of groups.
const EXTERNAL_MAX: [usize; 2] = [512, 255];

const BLANK: &str = "The field cannot be left blank";

fn wrong(field: &SmolStr, why: &str) -> Error {
    Error::Validation { about: field.clone(), causes: vec![format!("{field}: {why}")] }
}

/// A text of at most so many characters.
fn short(value: Option<&Value>, field: &SmolStr, most: usize) -> Result<SmolStr, Error> {
    match value {
        Some(Value::String(text)) if text.chars().count() > most => Err(wrong(field, "The field is too long")),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.into()),
        None | Some(Value::Null | Value::String(_)) => Err(wrong(field, BLANK)),
        Some(_) => Err(wrong(field, "The field has an invalid value")),
    }
}

/// A profile by the attributes that there are; nulls take away.
fn profile(
    value: Option<&Value>,
    field: &SmolStr,
    known: &[(&'static str, usize)],
) -> Result<Map<String, Value>, Error> {
    let Some(Value::Object(profile)) = value else { return Err(wrong(field, BLANK)) };
    for (name, value) in profile {
        let Some((_, most)) = known.iter().find(|(known, _)| known == name) else {
            let cause = format!("Property name '{name}' is not defined in profile");
            return Err(Error::Validation { about: field.clone(), causes: vec![cause] });
        };
        let name = SmolStr::new(name);
        match value {
            Value::String(text) if text.chars().count() > *most => return Err(wrong(&name, "The field is too long")),
            Value::String(text) if name.to_lowercase().ends_with("email") && !is_email(text) => {
                return Err(wrong(&name, "Does not match required pattern"));
            }
            Value::Null | Value::String(_) => {}
            _ => return Err(wrong(&name, "The field has an invalid value")),
        }
    }
    Ok(profile.clone())
}

fn only(members: &Map<String, Value>, known: &[&str]) -> Result<(), Error> {
    if members.keys().all(|name| known.contains(&name.as_str())) { Ok(()) } else { Err(Error::Malformed) }
}

/// A list of a body, of one to 200 objects or texts.
fn list<'a>(body: &'a Map<String, Value>, name: &'static str) -> Result<&'a [Value], Error> {
    let field = SmolStr::new_static(name);
    match body.get(name) {
        Some(Value::Array(all)) if all.is_empty() => Err(wrong(&field, BLANK)),
        Some(Value::Array(all)) if all.len() > UPLOAD_MAX => {
            Err(wrong(&field, &format!("The number of entries must be between 1 and {UPLOAD_MAX}")))
        }
        Some(Value::Array(all)) => Ok(all),
        None | Some(Value::Null) => Err(wrong(&field, BLANK)),
        Some(_) => Err(Error::Malformed),
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>, Error> {
    value.as_object().ok_or(Error::Malformed)
}

fn of_users(body: &Map<String, Value>) -> Result<(), Error> {
    only(body, &["entityType", "profiles"])?;
    match body.get("entityType").map(|kind| kind.as_str()) {
        None | Some(Some("USERS")) => Ok(()),
        Some(_) => Err(wrong(&SmolStr::new_static("entityType"), "The field has an invalid value")),
    }
}

/// The body of `bulk-upsert`.
///
/// # Errors
/// What is missing or does not fit.
pub fn people(body: &Map<String, Value>) -> Result<Upload, Error> {
    of_users(body)?;
    let all = list(body, "profiles")?.iter().enumerate();
    all.map(|(index, entry)| brought(entry, index, &PERSON, EXTERNAL_MAX[0]))
        .collect::<Result<_, _>>()
        .map(Upload::People)
}

fn brought(entry: &Value, index: usize, known: &[(&'static str, usize)], most: usize) -> Result<Brought, Error> {
    let entry = object(entry)?;
    only(entry, &["externalId", "profile"])?;
    Ok(Brought {
        external: short(entry.get("externalId"), &at("profiles", index, "externalId"), most)?,
        profile: profile(entry.get("profile"), &at("profiles", index, "profile"), known)?,
    })
}

/// The body of `bulk-delete`.
///
/// # Errors
/// What is missing or does not fit.
pub fn people_gone(body: &Map<String, Value>) -> Result<Upload, Error> {
    of_users(body)?;
    let external = |(index, entry): (usize, &Value)| {
        let entry = object(entry)?;
        only(entry, &["externalId"])?;
        short(entry.get("externalId"), &at("profiles", index, "externalId"), EXTERNAL_MAX[0])
    };
    list(body, "profiles")?.iter().enumerate().map(external).collect::<Result<_, _>>().map(Upload::PeopleGone)
}

/// The body of `bulk-groups-upsert`.
///
/// # Errors
/// What is missing or does not fit.
pub fn groups(body: &Map<String, Value>) -> Result<Upload, Error> {
    only(body, &["profiles"])?;
    let all = list(body, "profiles")?.iter().enumerate();
    all.map(|(index, entry)| brought(entry, index, &GROUP, EXTERNAL_MAX[1]))
        .collect::<Result<_, _>>()
        .map(Upload::Groups)
}

/// The body of `bulk-groups-delete`.
///
/// # Errors
/// What is missing or does not fit.
pub fn groups_gone(body: &Map<String, Value>) -> Result<Upload, Error> {
    only(body, &["externalIds"])?;
    ids(list(body, "externalIds")?, "externalIds").map(Upload::GroupsGone)
}

fn ids(all: &[Value], name: &'static str) -> Result<Vec<SmolStr>, Error> {
    let field = SmolStr::new_static(name);
    all.iter().map(|value| short(Some(value), &field, EXTERNAL_MAX[1])).collect()
}

/// The body of `bulk-group-memberships-upsert` and `bulk-group-memberships-delete`.
///
/// # Errors
/// What is missing or does not fit.
pub fn members(body: &Map<String, Value>) -> Result<Vec<Members>, Error> {
    only(body, &["memberships"])?;
    let one = |(index, entry): (usize, &Value)| {
        let entry = object(entry)?;
        only(entry, &["groupExternalId", "memberExternalIds"])?;
        Ok(Members {
            group: short(entry.get("groupExternalId"), &at("memberships", index, "groupExternalId"), EXTERNAL_MAX[1])?,
            people: ids(list(entry, "memberExternalIds")?, "memberExternalIds")?,
        })
    };
    list(body, "memberships")?.iter().enumerate().map(one).collect()
}

/// The body of a call about one person, who is made by it or written whole.
///
/// # Errors
/// What is missing or does not fit.
pub fn person(body: &Map<String, Value>) -> Result<Brought, Error> {
    only(body, &["externalId", "profile"])?;
    let one = Brought {
        external: short(body.get("externalId"), &SmolStr::new_static("externalId"), EXTERNAL_MAX[0])?,
        profile: profile(body.get("profile"), &SmolStr::new_static("profile"), &PERSON)?,
    };
    match NEEDED.into_iter().find(|name| one.profile.get(*name).is_none_or(Value::is_null)) {
        Some(name) => Err(wrong(&SmolStr::new_static(name), BLANK)),
        None => Ok(one),
    }
}

/// The profile in the body of a call that changes some of it.
///
/// # Errors
/// What is missing or does not fit.
pub fn changes(body: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
    only(body, &["profile"])?;
    profile(body.get("profile"), &SmolStr::new_static("profile"), &PERSON)
}

/// The body of a call about one group.
///
/// # Errors
/// What is missing or does not fit.
pub fn group(body: &Map<String, Value>) -> Result<Brought, Error> {
    only(body, &["externalId", "profile"])?;
    Ok(Brought {
        external: short(body.get("externalId"), &SmolStr::new_static("externalId"), EXTERNAL_MAX[1])?,
        profile: profile(body.get("profile"), &SmolStr::new_static("profile"), &GROUP)?,
    })
}

/// The profile in the body of a call that changes a group, which may name the group by the source's own id.
///
/// # Errors
/// What is missing or does not fit, or another group's id.
pub fn group_changes(body: &Map<String, Value>, external: &str) -> Result<Brought, Error> {
    let mut body = body.clone();
    body.entry("externalId").or_insert_with(|| Value::from(external));
    same(group(&body)?, external)
}

/// The same that the path names.
///
/// # Errors
/// Another one.
pub fn same(one: Brought, external: &str) -> Result<Brought, Error> {
    if one.external == external {
        return Ok(one);
    }
    Err(wrong(&SmolStr::new_static("externalId"), "The field cannot be changed"))
}

/// The person of a body that puts one into a group.
///
/// # Errors
/// What is missing or does not fit.
pub fn member(body: &Map<String, Value>) -> Result<SmolStr, Error> {
    only(body, &["memberExternalId"])?;
    short(body.get("memberExternalId"), &SmolStr::new_static("memberExternalId"), EXTERNAL_MAX[1])
}
