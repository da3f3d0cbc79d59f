//! Fields of profiles that a workspace has of its own: what administrators define, and what people fill in.
//!
//! <https://docs.slack.dev/reference/methods/team.profile.get>, <https://docs.slack.dev/reference/methods/users.profile.set>

use std::sync::Arc;

use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{SITE, State, status::About};
use crate::{error::Code, text};

const FIELD: IdShape =
    IdShape { site: SITE.child("profile field"), prefix: "Xf0", alphabet: UPPER_ALNUM, drawn: 8, suffix: "" };
/// The longest value, in characters.
const VALUE_MAX: usize = 256;

/// What a field holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A line.
    #[default]
    Text,
    /// A day, as `2026-03-02`.
    Date,
    /// An address.
    Link,
    /// One of the field's options.
    OptionsList,
    /// Somebody's id.
    User,
}

/// A field.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// The id.
    pub id: SmolStr,
    /// Its place among the others, from 0 on.
    pub ordering: usize,
    /// What it is called.
    pub label: SmolStr,
    /// What it is for.
    pub hint: SmolStr,
    /// What it holds.
    pub kind: FieldKind,
    /// What can be chosen, of a list of options.
    pub options: Vec<SmolStr>,
    /// Whether profiles do not show it.
    pub hidden: bool,
}

/// What a person has filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// The value.
    pub value: SmolStr,
    /// The words of a link.
    pub alt: SmolStr,
}

/// Defines a field; its id and place are made.
pub(crate) fn define(state: &mut State, tx: &mut Tx<'_>, field: Field) -> Arc<Field> {
    let (id, ordering) = (tx.id(&FIELD), state.content.fields.iter().count());
    state.content.fields.put(&mut tx.changes, id.clone(), Field { id, ordering, ..field })
}

/// Fills in fields of a profile by their ids; an empty value takes one out.
///
/// # Errors
/// A field that is not there, or a value that it does not hold.
pub(crate) fn fill(state: &State, about: &mut About, given: &Value) -> Result<(), Code> {
    let Some(given) = given.as_object() else { return Err(Code::InvalidProfile) };
    for (id, said) in given {
        let field = state.content.fields.get(&id.into()).ok_or(Code::InvalidProfile)?;
        let text = |value: &Value| value.as_str().map(|text| SmolStr::new(text.trim()));
        let value = text(said).or_else(|| text(&said["value"])).ok_or(Code::InvalidProfile)?;
        if value.is_empty() {
            about.fields.remove(&field.id);
            continue;
        }
        if !fits(state, field, &value) {
            return Err(Code::InvalidProfile);
        }
        let filled = Filled { value, alt: text(&said["alt"]).unwrap_or_default() };
        about.fields.insert(field.id.clone(), filled);
    }
    Ok(())
}

fn fits(state: &State, field: &Field, value: &SmolStr) -> bool {
    match field.kind {
        FieldKind::Text => value.chars().count() <= VALUE_MAX,
        FieldKind::Date => value.parse::<jiff::civil::Date>().is_ok(),
        FieldKind::Link => url::Url::parse(value).is_ok(),
        FieldKind::OptionsList => field.options.contains(value),
        FieldKind::User => state.users.contains(value),
    }
}

/// What a person has filled in, as Slack tells it.
pub(crate) fn filled(state: &State, about: &About, labels: bool) -> Value {
    let row = |(id, filled): (&SmolStr, &Filled)| {
        let mut told = json!({ "value": filled.value, "alt": filled.alt });
        if let Some(field) = state.content.fields.get(id).filter(|_| labels) {
            told["label"] = json!(field.label);
        }
        (id.to_string(), told)
    };
    Value::Object(about.fields.iter().map(row).collect::<Map<String, Value>>())
}

/// The fields of a workspace as Slack tells them, and the section of profiles that they stand in.
pub(crate) fn told(state: &State, wanted: impl Fn(&Field) -> bool) -> Value {
    let team = &state.workspace.id;
    let section = format!("Rs{}", text::derived_id(&[team, "profile section"], 9).to_ascii_uppercase());
    let mut all: Vec<&Arc<Field>> = state.content.fields.iter().map(|(_, field)| field).collect();
    all.sort_by_key(|field| field.ordering);
    let row = |field: &&Arc<Field>| {
        let options = (field.kind == FieldKind::OptionsList).then_some(&field.options);
        json!({
            "id": field.id,
            "ordering": field.ordering,
            "field_name": "",
            "label": field.label,
            "hint": field.hint,
            "type": field.kind,
            "possible_values": options,
            "options": { "is_scim": false, "is_protected": false },
            "is_hidden": field.hidden,
            "is_inverse": false,
            "section_id": section,
            "permissions": { "ui": true, "scim": false, "api": ["all"] },
        })
    };
    let fields: Vec<Value> = all.iter().filter(|field| wanted(field)).map(row).collect();
    let about = json!({
        "id": section,
        "team_id": team,
        "section_type": "additional_fields",
        "label": "About me",
        "order": 0,
        "is_hidden": false,
    });
    let sections = if all.is_empty() { Vec::new() } else { vec![about] };
    json!({ "fields": fields, "sections": sections })
}
