//! What the APIs share of serving from their contracts what has no hand-written rules.

use dtu_contract::{
    backing::{Backing, Place},
    contract::Document,
    generic::{Store, refusal::Refused},
    schema::Schema,
    validate::Arguments,
    violation::{Part, Rule, Violation},
};
use dtu_kernel::{operation::OperationInfo, twin::Scene};
use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    family::Family,
    fields::{self, BadField, Mask},
};

/// What the generic twin remembers of each API.
#[derive(Clone, Debug)]
pub struct Objects {
    /// Of Drive.
    pub drive: Store,
    /// Of Sheets.
    pub sheets: Store,
    /// Of Docs.
    pub docs: Store,
}

impl Default for Objects {
    fn default() -> Self {
        Self {
            drive: Store::new("drive_objects"),
            sheets: Store::new("sheets_objects"),
            docs: Store::new("docs_objects"),
        }
    }
}

impl Objects {
    /// Those of an API.
    pub const fn of(&self, family: Family) -> &Store {
        match family {
            Family::Drive => &self.drive,
            Family::Sheets => &self.sheets,
            Family::Docs => &self.docs,
        }
    }

    /// The same, to be changed.
    pub const fn of_mut(&mut self, family: Family) -> &mut Store {
        match family {
            Family::Drive => &mut self.drive,
            Family::Sheets => &mut self.sheets,
            Family::Docs => &mut self.docs,
        }
    }
}

/// The scopes of which a caller of an operation needs one, as the public document has them; empty where it has not the
/// operation, or names none.
pub fn scopes(backing: &'static Backing, operation: &OperationInfo) -> Vec<&'static str> {
    let Some(place) = backing.find(operation) else { return Vec::new() };
    let shown = place.operation().facts.get().security.iter().flat_map(|entry| entry.values());
    shown.flatten().map(SmolStr::as_str).collect()
}

/// Reads a call's arguments as Drive does: parameters that it does not know are passed over.
///
/// # Errors
/// What does not fit.
pub fn arguments(place: Place, scene: &Scene<'_>) -> Result<Arguments, Refused> {
    let arguments = place.read(scene)?;
    let checked = check_fields(place, scene);
    checked.map_err(|BadField(field)| Refused::Invalid(vec![unknown(Part::Query, "fields", &field)]))?;
    Ok(arguments)
}

/// Checks that the answer of an operation has the part that the caller asks for.
///
/// # Errors
/// The first field that there is not.
pub fn check_fields(place: Place, scene: &Scene<'_>) -> Result<(), BadField> {
    let schema = place.operation().facts.get().success().and_then(|(_, response)| response.content.values().next());
    match (fields::wanted(scene.request), schema) {
        (Some(fields), Some(schema)) => Mask::parse(&fields)?.check_schema(place.document(), schema),
        _ => Ok(()),
    }
}

/// Reads a call's arguments as Sheets and Docs do: parameters and members of the body that they do not know are
/// refused.
///
/// # Errors
/// What does not fit.
pub fn strict_arguments(place: Place, scene: &Scene<'_>) -> Result<Arguments, Refused> {
    let arguments = arguments(place, scene)?;
    let mut violations: Vec<Violation> = arguments.unknown.iter().map(|name| unknown(Part::Query, name, "")).collect();
    let schema = place.operation().facts.get().request.as_ref().and_then(|body| body.content.values().next());
    if let (Some(body), Some(schema)) = (&arguments.body, schema) {
        add_unknown(place.document(), schema, body, "", &mut violations);
    }
    if violations.is_empty() { Ok(arguments) } else { Err(Refused::Invalid(violations)) }
}

fn unknown(part: Part, at: &str, member: &str) -> Violation {
    Violation { part, at: at.to_owned(), rule: Rule::Unknown, member: member.into(), what: "is not known".to_owned() }
}

/// Adds the members of a body that its schema does not have. Both spellings of protocol buffers' names are known.
fn add_unknown(document: &Document, schema: &Schema, value: &Value, at: &str, found: &mut Vec<Violation>) {
    let schema = document.resolve(schema);
    match value {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                let Some(schema) = &schema.items else { return };
                add_unknown(document, schema, item, &format!("{at}/{n}"), found);
            }
        }
        // What has no members in its schema, or may have any, is free.
        Value::Object(members) if !schema.properties.is_empty() && schema.additional.is_none() => {
            for (name, value) in members {
                match schema.properties.get(camel(name).as_str()) {
                    Some(schema) => add_unknown(document, schema, value, &format!("{at}/{name}"), found),
                    None => found.push(unknown(Part::Body, at, name)),
                }
            }
        }
        _ => {}
    }
}

/// `user_entered_value` as `userEnteredValue`.
fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut after = false;
    for c in name.chars() {
        match c {
            '_' if !out.is_empty() => after = true,
            c if std::mem::take(&mut after) => out.push(c.to_ascii_uppercase()),
            c => out.push(c),
        }
    }
    out
}
