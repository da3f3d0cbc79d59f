//! Types of people: each has a schema of its own.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserType/.

use std::sync::Arc;

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
    tx::Tx,
};
use imbl::OrdMap;
use serde::Serialize;
use smol_str::SmolStr;

use super::{Act, SYSTEM_ID, State, TYPE_ID, schema, user::UserField};
use crate::error::Error;

/// A type of people.
#[derive(Clone, Debug, Serialize)]
pub struct UserType {
    /// `oty...`.
    pub id: SmolStr,
    /// Its name, which stays.
    pub name: SmolStr,
    /// What administrators see.
    pub display_name: SmolStr,
    /// What it is for; none where nobody said.
    pub description: Option<SmolStr>,
    /// Whether people are of it who are of no other.
    pub default: bool,
    /// Who made it.
    pub created_by: SmolStr,
    /// Who changed it last.
    pub last_updated_by: SmolStr,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
}

/// All types.
#[derive(Clone, Debug)]
pub struct UserTypes {
    table: Table<SmolStr, UserType>,
    by_name: OrdMap<SmolStr, SmolStr>,
}

impl Default for UserTypes {
    fn default() -> Self {
        Self { table: Table::new("user_types"), by_name: OrdMap::new() }
    }
}

impl UserTypes {
    /// A type by id.
    pub fn get(&self, id: &str) -> Option<&Arc<UserType>> {
        self.table.get(&SmolStr::new(id))
    }

    /// All, by name: the order of recorded lists.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<UserType>> {
        self.by_name.values().filter_map(|id| self.table.get(id))
    }

    fn put(&mut self, changes: &mut Changes, row: UserType) -> Arc<UserType> {
        self.by_name.insert(row.name.to_lowercase().into(), row.id.clone());
        self.table.put(changes, row.id.clone(), row)
    }
}

/// What the default type and its schema are about.
pub const ABOUT: &str = "Okta user profile template with default permission settings";

/// Makes the default type, by Okta itself.
pub fn found(state: &mut State, tx: &mut Tx<'_>) {
    let system = tx.id(&SYSTEM_ID);
    let row = UserType {
        id: state.users.type_id.clone(),
        name: SmolStr::new_static("user"),
        display_name: SmolStr::new_static("User"),
        description: Some(SmolStr::new_static(ABOUT)),
        default: true,
        created_by: system.clone(),
        last_updated_by: system,
        created: state.founded,
        last_updated: state.founded,
    };
    state.types.put(&mut tx.changes, row);
    let id = state.users.type_id.clone();
    let users = schema::empty(&id, "User", ABOUT, state.founded);
    state.schemas.put(&mut tx.changes, users);
    let groups =
        schema::empty(&SmolStr::new_static(schema::GROUP), "Okta group", "Okta group profile template", state.founded);
    state.schemas.put(&mut tx.changes, groups);
}

/// What a caller says of a type. Where a part is none, it stays.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The name.
    pub name: Option<SmolStr>,
    /// What administrators see.
    pub display_name: Option<SmolStr>,
    /// What it is for; some none takes it away.
    pub description: Option<Option<SmolStr>>,
}

const BLANK: &str = "The field cannot be left blank";
/// The longest name and display name; inferred from the console's form.
const NAME_MAX: usize = 50;

impl Wish {
    fn check(&self) -> Result<(), Error> {
        for (field, value) in [("name", &self.name), ("displayName", &self.display_name)] {
            match value {
                Some(text) if text.trim().is_empty() => return Err(Error::fields(&[(field, BLANK)])),
                Some(text) if text.chars().count() > NAME_MAX => {
                    return Err(Error::fields(&[(field, "The field is too long")]));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Makes a type with an empty schema.
///
/// # Errors
/// Names that are missing, not allowed or taken.
pub fn create(act: &mut Act<'_, '_>, wish: Wish) -> Result<Arc<UserType>, Error> {
    wish.check()?;
    let (Some(name), Some(display_name)) = (wish.name, wish.display_name.clone()) else {
        let field = if wish.display_name.is_some() { "name" } else { "displayName" };
        return Err(Error::fields(&[(field, BLANK)]));
    };
    schema::name_of_type(&name)?;
    if act.state.types.by_name.contains_key(name.to_lowercase().as_str()) {
        return Err(Error::taken("name"));
    }
    let (now, by) = (act.now(), act.by.actor.id.clone());
    let row = UserType {
        id: act.tx.id(&TYPE_ID),
        name,
        display_name,
        description: wish.description.flatten(),
        default: false,
        created_by: by.clone(),
        last_updated_by: by,
        created: now,
        last_updated: now,
    };
    let empty = schema::empty(&row.id, &row.display_name, row.description.as_deref().unwrap_or_default(), now);
    act.state.schemas.put(&mut act.tx.changes, empty);
    Ok(act.state.types.put(&mut act.tx.changes, row))
}

/// Changes a type.
///
/// # Errors
/// Names that are not allowed; another name than the type's own.
pub fn update(act: &mut Act<'_, '_>, found: &UserType, wish: Wish) -> Result<Arc<UserType>, Error> {
    wish.check()?;
    if wish.name.as_ref().is_some_and(|name| *name != found.name) {
        return Err(Error::fields(&[("name", "The name of a user type cannot be changed")]));
    }
    let row = UserType {
        display_name: wish.display_name.unwrap_or_else(|| found.display_name.clone()),
        description: wish.description.unwrap_or_else(|| found.description.clone()),
        last_updated_by: act.by.actor.id.clone(),
        last_updated: act.now(),
        ..found.clone()
    };
    Ok(act.state.types.put(&mut act.tx.changes, row))
}

/// Removes a type and its schema.
///
/// # Errors
/// The default type, or a type that somebody is of.
pub fn delete(act: &mut Act<'_, '_>, found: &UserType) -> Result<(), Error> {
    let refuse = |why: &str| Err(Error::invalid("type", why));
    if found.default {
        return refuse("The default user type cannot be deleted.");
    }
    if act.state.users.with_value(UserField::Type, &found.id).next().is_some() {
        return refuse("A user type that is assigned to users cannot be deleted.");
    }
    act.state.types.by_name.remove(found.name.to_lowercase().as_str());
    act.state.types.table.remove(&mut act.tx.changes, &found.id);
    act.state.schemas.remove(&mut act.tx.changes, &found.id);
    Ok(())
}
