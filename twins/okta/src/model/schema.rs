//! The schemas of profiles: of each type of people, of groups, and of applications' people.
//!
//! Base attributes are Okta's, custom ones the org's. A profile keeps the values of custom attributes by number: each
//! name has its number for ever, so that indexes need no names.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Schema/.

use std::sync::Arc;

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
    tx::Tx,
};
use imbl::{OrdMap, OrdSet};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, SmolStrBuilder};

use super::{
    Act, Acting, State,
    group::{Group, GroupField},
    group_rule,
    profile::{Attribute, Profile},
    property::{Defaults, Property, check_name, check_permissions, fits, terms},
    user::{User, UserField},
};
use crate::{error::Error, search::Entry};

/// The schema of groups, among the others.
pub const GROUP: &str = "group";

/// The most unique attributes of a schema.
/// See developer.okta.com/docs/reference/api/schemas/#unique-attributes.
const UNIQUE_MAX: usize = 5;

/// A schema.
#[derive(Clone, Debug, Serialize)]
pub struct Schema {
    /// The id of the type of people or of the app that it is of, or [`GROUP`].
    pub of: SmolStr,
    /// Its title.
    pub title: SmolStr,
    /// What it is for; empty where nobody said.
    pub description: SmolStr,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// The custom attributes, oldest first.
    pub custom: Vec<Property>,
    /// What the org says otherwise of base attributes: facts by name.
    pub base: Map<String, Value>,
}

impl Schema {
    /// A custom attribute by name.
    pub fn custom(&self, name: &str) -> Option<&Property> {
        self.custom.iter().find(|property| property.name == name)
    }

    /// A fact of a base attribute that the org has changed.
    pub fn base_fact(&self, attribute: &str, fact: &str) -> Option<&Value> {
        self.base.get(attribute)?.get(fact)
    }
}

/// All schemas.
#[derive(Clone, Debug)]
pub struct Schemas {
    table: Table<SmolStr, Schema>,
    numbers: OrdMap<SmolStr, u32>,
    /// Schemas and numbers of attributes that are gone and whose values are still being taken away.
    leaving: OrdSet<(SmolStr, u32)>,
}

impl Default for Schemas {
    fn default() -> Self {
        Self { table: Table::new("schemas"), numbers: OrdMap::new(), leaving: OrdSet::new() }
    }
}

impl Schemas {
    /// The schema of a type, of an app, or of groups; none where nothing was ever said of it.
    pub fn get(&self, of: &str) -> Option<&Arc<Schema>> {
        self.table.get(&SmolStr::new(of))
    }

    /// A custom attribute of a schema.
    pub fn custom(&self, of: &str, name: &str) -> Option<&Property> {
        self.get(of)?.custom(name)
    }

    /// Whether people of any type have a custom attribute; it.
    pub fn of_people<'a>(&'a self, name: &str) -> Option<&'a Property> {
        let mut people = self.table.iter().filter(|(of, _)| of.starts_with("oty"));
        people.find_map(|(_, schema)| schema.custom(name))
    }

    /// The number of an attribute's name.
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.into(), number);
        number
    }

    /// Makes or replaces a schema.
    pub fn put(&mut self, changes: &mut Changes, schema: Schema) -> Arc<Schema> {
        self.table.put(changes, schema.of.clone(), schema)
    }

    /// Removes a schema.
    pub fn remove(&mut self, changes: &mut Changes, of: &SmolStr) {
        self.table.remove(changes, of);
    }
}

/// An empty schema.
pub fn empty(of: &SmolStr, title: &str, description: &str, at: Timestamp) -> Schema {
    Schema {
        of: of.clone(),
        title: title.into(),
        description: description.into(),
        created: at,
        last_updated: at,
        custom: Vec::new(),
        base: Map::new(),
    }
}

/// The id of a type's schema: the same as the type's but for its beginning, as recorded.
pub fn id_of(type_id: &str) -> SmolStr {
    let mut id = SmolStrBuilder::new();
    id.push_str("osc");
    id.push_str(type_id.get(3..).unwrap_or_default());
    id.finish()
}

/// The type of people whose schema this is: `default`, or a schema's id.
pub fn type_of(state: &State, schema_id: &str) -> Option<SmolStr> {
    if schema_id == "default" || schema_id == state.users.schema_id {
        return Some(state.users.type_id.clone());
    }
    let id = SmolStr::from(format!("oty{}", schema_id.strip_prefix("osc")?));
    state.types.get(&id).map(|found| found.id.clone())
}

/// Whether a name is one that a type may have.
///
/// # Errors
/// A name with other signs than letters, digits and underscores.
pub fn name_of_type(name: &str) -> Result<(), Error> {
    check_name(name).map_err(|_| Error::fields(&[("name", "Does not match required pattern")]))
}

/// What a caller says of a schema.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Another title.
    pub title: Option<SmolStr>,
    /// Another description.
    pub description: Option<SmolStr>,
    /// Custom attributes: facts, or null to take one away.
    pub custom: Map<String, Value>,
    /// Base attributes.
    pub base: Map<String, Value>,
}

/// What differs between the kinds of schemas.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What refusals call the operation.
    pub about: &'static str,
    /// What new attributes are like.
    pub defaults: Defaults,
    /// What a base attribute is like by itself.
    pub base: fn(&str) -> Option<Map<String, Value>>,
    /// The facts of a base attribute that the org may change.
    pub open: fn(&str) -> &'static [&'static str],
}

/// Changes a schema.
///
/// # Errors
/// Names and facts that are not allowed, changes of what is Okta's.
pub fn update(act: &mut Act<'_, '_>, schema: &Schema, wish: &Wish, rules: Rules) -> Result<Arc<Schema>, Error> {
    let refuse = |why: String| Error::invalid(rules.about, why);
    let mut row = schema.clone();
    for (name, facts) in &wish.base {
        change_base(&mut row, name, facts, rules).map_err(refuse)?;
    }
    let mut gone = Vec::new();
    for (name, facts) in &wish.custom {
        check_name(name).map_err(refuse)?;
        if (rules.base)(name).is_some() {
            return Err(refuse(format!("Property {name} is already defined in the base schema")));
        }
        match facts {
            Value::Null => {
                gone.extend(row.custom.iter().position(|one| one.name == *name).map(|at| row.custom.remove(at)));
            }
            Value::Object(facts) => {
                let number = act.state.schemas.number(name);
                let at = row.custom.iter().position(|one| one.name == *name);
                if act.state.schemas.leaving.contains(&(row.of.clone(), number)) {
                    return Err(refuse(LEAVING.to_owned()));
                }
                let before = at.map(|at| &row.custom[at]);
                let property = Property::read(name, number, before, facts, rules.defaults).map_err(refuse)?;
                match at {
                    Some(at) => row.custom[at] = property,
                    None => row.custom.push(property),
                }
            }
            _ => return Err(Error::Malformed),
        }
    }
    if row.custom.iter().filter(|one| one.is_unique()).count() > UNIQUE_MAX {
        return Err(refuse(format!("A schema can have at most {UNIQUE_MAX} unique properties")));
    }
    row.title = wish.title.clone().unwrap_or(row.title);
    row.description = wish.description.clone().unwrap_or(row.description);
    row.last_updated = act.now();
    let row = act.state.schemas.put(&mut act.tx.changes, row);
    for property in gone {
        group_rule::attribute_gone(act, &row.of, &property.name);
        sweep(act, &row.of, property.number);
    }
    Ok(row)
}

/// Of base attributes the org can change little. What is sent as it is already changes nothing.
fn change_base(row: &mut Schema, name: &str, facts: &Value, rules: Rules) -> Result<(), String> {
    let (Some(known), Value::Object(facts)) = ((rules.base)(name), facts) else {
        return Err(format!("Property {name} is not defined in the base schema"));
    };
    for (fact, value) in facts {
        let now = row.base_fact(name, fact).or_else(|| known.get(fact)).cloned().unwrap_or_default();
        let absent = |value: &Value| value.is_null() || *value == json!(false) || *value == json!("");
        if *value == now || (absent(value) && absent(&now)) || fact == "master" {
            continue;
        }
        if !(rules.open)(name).contains(&fact.as_str()) {
            return Err(format!("Property {name} is a base property: its {fact} cannot be changed"));
        }
        if fact == "permissions" {
            check_permissions(Some(value))?;
        }
        let own = row.base.entry(name).or_insert_with(|| json!({}));
        own[fact.as_str()] = value.clone();
    }
    Ok(())
}

/// The rules of schemas of people.
pub const PEOPLE: Rules = Rules {
    about: "updateUserSchemas",
    defaults: Defaults { own: "READ_ONLY", mastered: false },
    base: |name| Attribute::find(name).map(base_of_people),
    open: |name| match name {
        "firstName" | "lastName" => &["permissions", "required"],
        "login" => &["permissions", "pattern", "format"],
        _ => &["permissions"],
    },
};

/// The rules of the schema of groups.
pub const GROUPS: Rules = Rules {
    about: "updateGroupSchemas",
    defaults: Defaults { own: "READ_WRITE", mastered: true },
    base: base_of_groups,
    open: |_| &["permissions"],
};

/// The rules of schemas of applications' people.
pub const APP_PEOPLE: Rules = Rules {
    about: "updateAppUserSchemas",
    defaults: Defaults { own: "READ_ONLY", mastered: true },
    base: base_of_apps,
    open: |_| &["permissions"],
};

/// What the schema says of a base attribute of people.
fn base_of_people(attribute: Attribute) -> Map<String, Value> {
    let info = attribute.info();
    let mut facts = Map::new();
    let mut set = |name: &str, value: Value| facts.insert(name.to_owned(), value);
    set("title", json!(info.title));
    set("type", json!("string"));
    if info.required {
        set("required", json!(true));
    }
    if !info.format.is_empty() {
        set("format", json!(info.format));
    }
    set("mutability", json!("READ_WRITE"));
    set("scope", json!("NONE"));
    // Of a mail address the schema shows the format only, though its length is checked as well.
    let sized = info.format != "email";
    if sized && info.min > 0 {
        set("minLength", json!(info.min));
    }
    if sized && info.max > 0 {
        set("maxLength", json!(info.max));
    }
    set("permissions", json!([{ "principal": "SELF", "action": info.own }]));
    facts
}

fn base_of_groups(name: &str) -> Option<Map<String, Value>> {
    let (title, most) = match name {
        "name" => ("Name", 255),
        "description" => ("Description", 1_024),
        _ => return None,
    };
    let mut facts = json!({
        "title": title, "description": title, "type": "string", "mutability": "READ_WRITE", "scope": "NONE",
        "maxLength": most, "permissions": [{ "principal": "SELF", "action": "READ_WRITE" }],
        "master": { "type": "PROFILE_MASTER" },
    });
    if name == "name" {
        facts["required"] = json!(true);
    }
    facts.as_object().cloned()
}

fn base_of_apps(name: &str) -> Option<Map<String, Value>> {
    let facts = json!({
        "title": "Username", "type": "string", "required": true, "mutability": "READ_WRITE", "scope": "NONE",
        "maxLength": 100, "permissions": [{ "principal": "SELF", "action": "READ_ONLY" }],
        "master": { "type": "PROFILE_MASTER" },
    });
    (name == "userName").then(|| facts.as_object().cloned().unwrap_or_default())
}

/// The names of all base attributes, in the schema's order.
pub fn base_names(rules: Rules) -> Vec<&'static str> {
    match rules.about {
        "updateUserSchemas" => Attribute::all().map(|attribute| attribute.info().name).collect(),
        "updateGroupSchemas" => vec!["name", "description"],
        _ => vec!["userName"],
    }
}

/// Why an attribute cannot be made again at once: github.com/okta/terraform-provider-okta/issues/1974 and others.
const LEAVING: &str = "Deletion process for an attribute with the same variable name is incomplete. Wait until the data \
                       clean up process finishes and then try again.";

/// The timer that takes values away whose attribute is gone.
pub const SWEEP: &str = "schema.sweep";
/// So many profiles are swept at once.
const SLICE: usize = 500;

/// Takes the values of an attribute that is gone out of profiles: a slice now, what is left by a timer.
pub fn sweep(act: &mut Act<'_, '_>, of: &SmolStr, number: u32) {
    let left = if *of == GROUP { sweep_groups(act, number) } else { sweep_people(act, of, number) };
    let key = (of.clone(), number);
    if left {
        act.state.schemas.leaving.insert(key);
        act.tx.timer(act.tx.now, SWEEP, json!({ "of": of, "number": number }));
    } else {
        act.state.schemas.leaving.remove(&key);
    }
}

/// Goes on with a sweep.
pub fn sweep_due(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let number = data["number"].as_u64().and_then(|number| u32::try_from(number).ok());
    let (Some(of), Some(number)) = (data["of"].as_str(), number) else { return };
    sweep(&mut Act::new(state, tx, Acting::system()), &of.into(), number);
}

fn sweep_people(act: &mut Act<'_, '_>, of: &SmolStr, number: u32) -> bool {
    let with = act.state.users.with_field(UserField::Custom(number));
    let mut found: Vec<Arc<User>> =
        with.filter(|user| act.state.users.type_of(user) == of).take(SLICE + 1).cloned().collect();
    let left = found.len() > SLICE;
    found.truncate(SLICE);
    for user in found {
        let mut row = User::clone(&user);
        row.profile.forget(number);
        act.state.users.put(&mut act.tx.changes, row);
    }
    left
}

fn sweep_groups(act: &mut Act<'_, '_>, number: u32) -> bool {
    let with = act.state.groups.with_field(GroupField::Custom(number));
    let mut found: Vec<_> = with.take(SLICE + 1).cloned().collect();
    let left = found.len() > SLICE;
    found.truncate(SLICE);
    for group in found {
        let mut row = Group::clone(&group);
        row.custom.forget(number);
        act.state.groups.put(&mut act.tx.changes, row);
    }
    left
}

/// What a profile of people may be called, and is: names with their number.
pub fn lookup(state: &State, profile: &Profile, name: &str) -> Option<u32> {
    let of = if profile.of().is_empty() { &state.users.type_id } else { profile.of() };
    state.schemas.custom(of, name).map(|property| property.number)
}

/// What is wrong with a profile, as (field, message), in the order that Okta tells it.
pub fn problems(state: &State, profile: &Profile, own: Option<&SmolStr>) -> Vec<(SmolStr, &'static str)> {
    let of = if profile.of().is_empty() { &state.users.type_id } else { profile.of() };
    let Some(schema) = state.schemas.get(of) else {
        return profile.problems().into_iter().map(|(name, why)| (SmolStr::new_static(name), why)).collect();
    };
    let pattern = schema.base_fact("login", "pattern").and_then(Value::as_str);
    let waived = |name: &str, why: &str| {
        let optional =
            schema.base_fact(name, "required") == Some(&json!(false)) && why == "The field cannot be left blank";
        optional || (pattern.is_some() && name == "login" && why.starts_with("Username must"))
    };
    let base = profile.problems().into_iter().filter(|(name, why)| !waived(name, why));
    let mut all: Vec<(SmolStr, &'static str)> = base.map(|(name, why)| (SmolStr::new_static(name), why)).collect();
    if pattern.is_some_and(|pattern| !fits(pattern, profile.get(Attribute::LOGIN))) {
        all.push((SmolStr::new_static("login"), "Does not match required pattern"));
    }
    all.extend(custom_problems(schema, |number| profile.custom().value(number)));
    let twin = |property: &Property, value: &Value| terms(value).iter().any(|term| is_held(state, property, term, own));
    for property in schema.custom.iter().filter(|property| property.is_unique()) {
        if profile.custom().value(property.number).is_some_and(|value| twin(property, value)) {
            all.push((property.name.clone(), TAKEN));
        }
    }
    all
}

/// What someone else has already.
pub const TAKEN: &str = "An object with this field already exists in the current organization";

/// What is wrong with the custom values of a profile.
pub fn custom_problems<'a>(schema: &Schema, value: impl Fn(u32) -> Option<&'a Value>) -> Vec<(SmolStr, &'static str)> {
    let problem = |property: &Property| {
        let why = match value(property.number) {
            None if property.is_required() => "The field cannot be left blank",
            None => return None,
            Some(value) => property.admit(value).err()?,
        };
        Some((property.name.clone(), why))
    };
    schema.custom.iter().filter_map(problem).collect()
}

/// What is wrong with the custom values of a group.
pub fn group_problems(state: &State, custom: &Custom, own: Option<&SmolStr>) -> Vec<(SmolStr, &'static str)> {
    let Some(schema) = state.schemas.get(GROUP) else { return Vec::new() };
    let mut all = custom_problems(schema, |number| custom.value(number));
    for property in schema.custom.iter().filter(|property| property.is_unique()) {
        let terms = custom.value(property.number).map(terms).unwrap_or_default();
        let field = GroupField::Custom(property.number);
        if terms.iter().any(|term| state.groups.with_value(field, term).any(|group| Some(&group.id) != own)) {
            all.push((property.name.clone(), TAKEN));
        }
    }
    all
}

/// Whether somebody else, of a type for which the attribute is unique as well, has a value.
fn is_held(state: &State, property: &Property, term: &str, own: Option<&SmolStr>) -> bool {
    let field = UserField::Custom(property.number);
    let mut holders = state.users.with_value(field, term).filter(|user| Some(&user.id) != own);
    holders.any(|user| {
        let schema = state.schemas.get(state.users.type_of(user));
        schema.and_then(|schema| schema.custom(&property.name)).is_some_and(Property::is_unique)
    })
}

/// The values of a profile's custom attributes, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Custom(Vec<(u32, SmolStr, Value)>);

impl Serialize for Custom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Custom {
    /// A value by the number of its attribute.
    pub fn value(&self, number: u32) -> Option<&Value> {
        self.0.iter().find(|(found, ..)| *found == number).map(|(.., value)| value)
    }

    /// A value by name.
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(_, found, _)| found == name).map(|(.., value)| value)
    }

    /// Sets a value; nothing takes it away.
    pub fn set(&mut self, number: u32, name: &str, value: Option<Value>) {
        self.forget(number);
        if let Some(value) = value {
            let at = self.0.partition_point(|(_, found, _)| found.as_str() < name);
            self.0.insert(at, (number, name.into(), value));
        }
    }

    /// Takes a value away.
    pub fn forget(&mut self, number: u32) {
        self.0.retain(|(found, ..)| *found != number);
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Value)> {
        self.0.iter().map(|(_, name, value)| (name, value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The index entries of the values.
    pub fn entries<F>(&self, id: &SmolStr, field: impl Fn(u32) -> F) -> Vec<Entry<F>> {
        let of = |(number, _, value): &(u32, SmolStr, Value)| {
            let terms =
                terms(value).into_iter().map(|term| (field(*number), SmolStr::from(term.to_lowercase()), id.clone()));
            terms.collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of).collect()
    }

    /// Those of which a schema still knows.
    #[must_use]
    pub fn known_to(&self, schema: Option<&Schema>) -> Self {
        let known = |name: &str| schema.is_some_and(|schema| schema.custom(name).is_some());
        Self(self.0.iter().filter(|(_, name, _)| known(name)).cloned().collect())
    }
}
