//! Mappings of profiles: what an app's people get in it from their profiles in Okta, and what they bring to Okta when
//! they are imported from it.
//!
//! Each app has two, one either way, from the day on which it is made. They are kept with the generic twin's objects;
//! their ids follow from what they join, so that an app's are found without an index.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ProfileMapping/.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    Act, State,
    app::App,
    assignment,
    event_type::{APP_CREATE, APP_DELETE, APP_USER_ADD},
    log::Entry,
    user::User,
};
use crate::expression::{self, Person};

/// Where they are kept.
pub const MAPPINGS: &str = "/api/v1/mappings";

/// When a mapping writes a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// Whenever the source changes.
    Always,
    /// When the person gets the app.
    Once,
}

/// The id of the mapping from one end to another.
pub fn id(source: &str, target: &str) -> SmolStr {
    let hash = blake3::hash(format!("{source}>{target}").as_bytes());
    let text = URL_SAFE_NO_PAD.encode(hash.as_bytes());
    let drawn: String =
        text.chars().filter(char::is_ascii_alphanumeric).chain("0".repeat(14).chars()).take(14).collect();
    format!("prm{drawn}5d7").into()
}

/// Both mappings of an app, by id. Nothing is mapped until somebody says so: recorded of new apps' people.
pub fn of_app(people: &str, app: &App) -> [(SmolStr, Map<String, Value>); 2] {
    let user = json!({ "id": people, "name": "user", "type": "user" });
    let own = json!({ "id": app.id, "name": app.name, "type": "appuser" });
    let row = |source: &Value, target: &Value, id: SmolStr| {
        let mut members = Map::new();
        members.insert("id".to_owned(), json!(id));
        members.insert("source".to_owned(), source.clone());
        members.insert("target".to_owned(), target.clone());
        members.insert("properties".to_owned(), json!({}));
        (id, members)
    };
    [row(&own, &user, id(&app.id, people)), row(&user, &own, id(people, &app.id))]
}

/// The mapping from an identity provider to the org's people, with what it says from the first day on: a provider's
/// people become the org's by their names and addresses. Which attributes Okta maps so is inferred from what its guides
/// say that a provider must tell.
pub fn of_provider(people: &str, provider: &str, members: &Map<String, Value>) -> (SmolStr, Map<String, Value>) {
    const USUAL: [(&str, &str); 5] = [
        ("login", "userName"),
        ("firstName", "firstName"),
        ("lastName", "lastName"),
        ("email", "email"),
        ("mobilePhone", "mobilePhone"),
    ];
    let property = |(to, from): (&str, &str)| {
        (to.to_owned(), json!({ "expression": format!("appuser.{from}"), "pushStatus": "PUSH" }))
    };
    let id = id(provider, people);
    let row = json!({
        "id": id,
        "source": { "id": provider, "name": members.get("name"), "type": "appuser" },
        "target": { "id": people, "name": "user", "type": "user" },
        "properties": USUAL.into_iter().map(property).collect::<Map<_, _>>(),
    });
    (id, row.as_object().cloned().unwrap_or_default())
}

/// What the mapping to an app comes to for a person. What has no value is left out.
pub fn values(state: &State, app: &str, user: &User, push: Push) -> Map<String, Value> {
    let found = state.objects.member(MAPPINGS, &id(&state.users.type_id, app));
    let Some(properties) = found.and_then(|members| members.get("properties")?.as_object()) else {
        return Map::new();
    };
    let wanted = properties.iter().filter(|(_, property)| of(property) == push);
    wanted.filter_map(|(name, property)| Some((name.clone(), value(state, user, property)?))).collect()
}

/// What the mapping from an app comes to for somebody whom the app has; what has no value is left out.
pub fn brought(state: &State, app: &App, profile: &Map<String, Value>, pushes: &[Push]) -> Map<String, Value> {
    brought_by(state, (&app.id, &app.label), profile, pushes)
}

/// The same of whatever has people of its own, by its id and name.
pub fn brought_by(
    state: &State,
    source: (&str, &str),
    profile: &Map<String, Value>,
    pushes: &[Push],
) -> Map<String, Value> {
    let found = state.objects.member(MAPPINGS, &id(source.0, &state.users.type_id));
    let Some(properties) = found.and_then(|members| members.get("properties")?.as_object()) else {
        return Map::new();
    };
    let wanted = properties.iter().filter(|(_, property)| pushes.contains(&of(property)));
    let value = |property: &Value| evaluated(state, source, profile, property.get("expression")?.as_str()?);
    wanted.filter_map(|(name, property)| Some((name.clone(), value(property)?))).collect()
}

/// What an expression comes to for somebody whom something else has, by its id and name; none where it has no value.
pub fn evaluated(state: &State, source: (&str, &str), profile: &Map<String, Value>, expression: &str) -> Option<Value> {
    let tree = expression::parse(expression).ok()?;
    let found = expression::evaluate(&tree, &Brought { state, source, profile }).ok()?.to_json();
    (!found.is_null()).then_some(found)
}

/// What expressions see of somebody in an app who may be nobody in Okta yet.
struct Brought<'a> {
    state: &'a State,
    source: (&'a str, &'a str),
    profile: &'a Map<String, Value>,
}

impl expression::Scope for Brought<'_> {
    fn attribute(&self, object: &str, name: &str) -> Option<expression::Value> {
        match (object, name) {
            ("appuser" | "idpuser" | "source", name) => {
                Some(self.profile.get(name).map_or(expression::Value::Null, expression::Value::from_json))
            }
            ("app", "name" | "label") => Some(expression::Value::text(self.source.1)),
            ("app", "id") => Some(expression::Value::text(self.source.0)),
            ("org", "name" | "subDomain") => Some(expression::Value::text(self.state.org.clone())),
            _ => None,
        }
    }
}

fn of(property: &Value) -> Push {
    if property.get("pushStatus").and_then(Value::as_str) == Some("PUSH") { Push::Always } else { Push::Once }
}

fn value(state: &State, user: &User, property: &Value) -> Option<Value> {
    let expression = expression::parse(property.get("expression")?.as_str()?).ok()?;
    let person = Person { state, user: Some(user), app: None };
    let found = expression::evaluate(&expression, &person).ok()?.to_json();
    (!found.is_null()).then_some(found)
}

/// What an entry of the log means for mappings.
enum Meaning {
    Made(SmolStr),
    Gone(SmolStr),
    Assigned(SmolStr, SmolStr),
}

fn meaning(entry: &Entry) -> Option<Meaning> {
    let target = |kind: &str| entry.targets.iter().find(|target| target.kind == kind).map(|target| target.id.clone());
    let app = target("AppInstance");
    match entry.event {
        event if *event == APP_CREATE => app.map(Meaning::Made),
        event if *event == APP_DELETE => app.map(Meaning::Gone),
        event if *event == APP_USER_ADD => Some(Meaning::Assigned(app?, target("User")?)),
        _ => None,
    }
}

/// Ends a write: apps that it made have mappings, those of apps that are gone go too, and who got an app has there what
/// its mapping writes once.
pub fn notice(act: &mut Act<'_, '_>) {
    let means: Vec<Meaning> =
        act.logged().filter_map(|seq| act.state.log.get(seq)).filter_map(|entry| meaning(entry)).collect();
    let people = act.state.users.type_id.clone();
    for meaning in means {
        match meaning {
            Meaning::Made(app) => {
                let Some(app) = act.state.apps.get(&app).cloned() else { continue };
                for (id, members) in of_app(&people, &app) {
                    act.state.objects.keep(&mut act.tx.changes, MAPPINGS, &id, members);
                }
            }
            Meaning::Gone(app) => {
                for id in [id(&app, &people), id(&people, &app)] {
                    act.state.objects.forget(&mut act.tx.changes, MAPPINGS, &id);
                }
            }
            Meaning::Assigned(app, user) => assigned(act, &app, &user),
        }
    }
}

fn assigned(act: &mut Act<'_, '_>, app: &str, user: &str) {
    let (Some(app), Some(user)) = (act.state.apps.get(app).cloned(), act.state.users.get(user).cloned()) else {
        return;
    };
    let values = values(act.state, &app.id, &user, Push::Once);
    if !values.is_empty() {
        assignment::keep_mapped(act, &app, &user, values);
    }
}
