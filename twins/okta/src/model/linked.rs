//! Links between people: a primary and those who are associated with them, by definitions of the org's.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/LinkedObject/.

use std::{ops::Bound::Excluded, sync::Arc};

use dtu_kernel::table::{Changes, Table};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    Act, State,
    property::check_name,
    user::{User, Users},
};
use crate::error::Error;

/// One side of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Its name.
    pub name: SmolStr,
    /// What people see.
    pub title: SmolStr,
    /// What it is for; none where nobody said.
    pub description: Option<SmolStr>,
}

/// What a kind of link is.
#[derive(Clone, Debug, Serialize)]
pub struct Definition {
    /// Its number: a name that is used again has other links.
    pub number: u64,
    /// The one side.
    pub primary: Side,
    /// The many sides.
    pub associated: Side,
}

/// The most definitions of an org.
const DEFINITIONS_MAX: usize = 200;

/// All definitions and links.
#[derive(Clone, Debug)]
pub struct Links {
    definitions: Table<u64, Definition>,
    by_name: OrdMap<SmolStr, u64>,
    /// Definition and associated person, with the primary.
    primaries: Table<(u64, SmolStr), SmolStr>,
    /// Definition, primary, associated person.
    back: OrdSet<(u64, SmolStr, SmolStr)>,
    next: u64,
}

impl Default for Links {
    fn default() -> Self {
        Self {
            definitions: Table::new("linked_object_definitions"),
            by_name: OrdMap::new(),
            primaries: Table::new("linked_objects"),
            back: OrdSet::new(),
            next: 1,
        }
    }
}

impl Links {
    /// All definitions, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Definition>> {
        self.definitions.iter().map(|(_, definition)| definition)
    }

    /// A definition by the name of either side.
    pub fn by_name(&self, name: &str) -> Option<&Arc<Definition>> {
        self.definitions.get(self.by_name.get(name)?)
    }

    /// The primary of an associated person.
    pub fn primary(&self, definition: &Definition, associated: &SmolStr) -> Option<&SmolStr> {
        self.primaries.get(&(definition.number, associated.clone())).map(|primary| &**primary)
    }

    /// Who is associated with a primary, by id.
    pub fn associated<'a>(&'a self, definition: &Definition, primary: &SmolStr) -> impl Iterator<Item = &'a SmolStr> {
        let (number, primary) = (definition.number, primary.clone());
        let start = (number, primary.clone(), SmolStr::default());
        let own = move |(of, found, _): &&(u64, SmolStr, SmolStr)| *of == number && *found == primary;
        self.back.range(start..).take_while(own).map(|(.., associated)| associated)
    }

    fn unlink(&mut self, changes: &mut Changes, number: u64, associated: &SmolStr) {
        if let Some(primary) = self.primaries.remove(changes, &(number, associated.clone())) {
            self.back.remove(&(number, SmolStr::clone(&primary), associated.clone()));
        }
    }
}

/// Makes a definition.
///
/// # Errors
/// Names that are not allowed, or that are in use on either side of any definition.
pub fn define(act: &mut Act<'_, '_>, primary: Side, associated: Side) -> Result<Arc<Definition>, Error> {
    for (place, side) in [("primary", &primary), ("associated", &associated)] {
        if side.name.is_empty() || side.title.trim().is_empty() {
            let field = if side.name.is_empty() { "name" } else { "title" };
            return Err(Error::invalid(place, format!("{place}.{field}: The field cannot be left blank")));
        }
        check_name(&side.name).map_err(|why| Error::invalid(place, why))?;
    }
    let links = &act.state.links;
    let used = |side: &Side| links.by_name.contains_key(&side.name);
    let mut causes: Vec<String> = Vec::new();
    for (place, side) in [("primary", &primary), ("associated", &associated)] {
        if used(side) || (place == "associated" && side.name == primary.name) {
            causes.push(format!("Linked object identifier for {place} is already in use."));
        }
    }
    if !causes.is_empty() {
        return Err(Error::Coded { code: "E0000127", causes });
    }
    if links.definitions.len() >= DEFINITIONS_MAX {
        return Err(Error::invalid("linkedObject", format!("An org has at most {DEFINITIONS_MAX} definitions.")));
    }
    let (links, changes) = (&mut act.state.links, &mut act.tx.changes);
    let number = links.next;
    links.next += 1;
    links.by_name.insert(primary.name.clone(), number);
    links.by_name.insert(associated.name.clone(), number);
    Ok(links.definitions.put(changes, number, Definition { number, primary, associated }))
}

/// So many links go with their definition; those of a definition with more stay behind unseen, as their number never
/// comes back.
const DROPPED_MAX: usize = 10_000;

/// Removes a definition and its links.
pub fn undefine(act: &mut Act<'_, '_>, definition: &Definition) {
    let (links, changes) = (&mut act.state.links, &mut act.tx.changes);
    let start = (definition.number, SmolStr::default());
    let end = (definition.number + 1, SmolStr::default());
    let associated: Vec<SmolStr> =
        links.primaries.range(start..end).take(DROPPED_MAX).map(|((_, one), _)| one.clone()).collect();
    for one in &associated {
        links.unlink(changes, definition.number, one);
    }
    links.by_name.remove(&definition.primary.name);
    links.by_name.remove(&definition.associated.name);
    links.definitions.remove(changes, &definition.number);
}

/// Links a person to their primary; a link that they had goes.
pub fn link(act: &mut Act<'_, '_>, definition: &Definition, associated: &User, primary: &User) {
    let (links, changes) = (&mut act.state.links, &mut act.tx.changes);
    links.unlink(changes, definition.number, &associated.id);
    links.primaries.put(changes, (definition.number, associated.id.clone()), primary.id.clone());
    links.back.insert((definition.number, primary.id.clone(), associated.id.clone()));
}

/// Takes a person's link away; nothing happens where they have none.
pub fn unlink(act: &mut Act<'_, '_>, definition: &Definition, associated: &User) {
    act.state.links.unlink(&mut act.tx.changes, definition.number, &associated.id);
}

/// The people on the other side: the primary by the primary's name, the associated by theirs.
pub fn others<'a>(state: &'a State, definition: &Definition, name: &str, user: &User) -> Vec<&'a Arc<User>> {
    let find = |id: &SmolStr| state.users.get(id);
    if name == definition.primary.name {
        return state.links.primary(definition, &user.id).and_then(find).into_iter().collect();
    }
    state.links.associated(definition, &user.id).filter_map(find).collect()
}

/// Takes all links of a person who is deleted.
pub fn drop_user(act: &mut Act<'_, '_>, user: &SmolStr) {
    let (links, changes) = (&mut act.state.links, &mut act.tx.changes);
    let numbers: Vec<u64> = links.definitions.iter().map(|(number, _)| *number).collect();
    for number in numbers {
        links.unlink(changes, number, user);
        let start = (number, user.clone(), SmolStr::default());
        let own: Vec<SmolStr> = links
            .back
            .range((Excluded(start), std::ops::Bound::Unbounded))
            .take_while(|(of, primary, _)| *of == number && primary == user)
            .map(|(.., associated)| associated.clone())
            .collect();
        for associated in &own {
            links.unlink(changes, number, associated);
        }
    }
}

/// The primary of a person by the primary's name, for expressions.
pub fn primary_of(links: &Links, users: &Users, user: &SmolStr, name: &str) -> Option<SmolStr> {
    let definition = links.by_name(name).filter(|definition| definition.primary.name == name)?;
    let primary = links.primary(definition, user)?;
    users.get(primary).map(|user| user.id.clone())
}
