//! One's own profile, as far as the schema lets people see and change it.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{Body, GET, LIMIT, Nothing, PUT, ROOT, Sent, only, own, person};
use crate::{
    Okta,
    api::{act, profiles::fill, schema, stamp},
    error::Error,
    model::{
        State,
        accounts::{self, Credentials},
        user::User,
    },
};

/// The rows of the table.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const ONE: &str = "/idp/myaccount/profile";
    vec![
        Operation::read("getProfile", GET, ONE, get).limit(LIMIT),
        Operation::write("replaceProfile", PUT, ONE, replace).limit(LIMIT),
        Operation::read("getProfileSchema", GET, "/idp/myaccount/profile/schema", get_schema).limit(LIMIT),
    ]
}

/// What people themselves may do with an attribute: `HIDE`, `READ_ONLY`, `READ_WRITE`.
fn own_action(facts: &Value) -> &str {
    let permissions = facts.get("permissions").and_then(Value::as_array).into_iter().flatten();
    let mut own = permissions.filter(|one| one["principal"] == "SELF");
    own.find_map(|one| one["action"].as_str()).unwrap_or("HIDE")
}

/// The attributes that a person sees, by name.
fn visible(state: &State, user: &User) -> Map<String, Value> {
    let mut properties = schema::properties(state, state.users.type_of(user));
    properties.retain(|_, facts| own_action(facts) != "HIDE");
    properties
}

/// The values of all that a person sees; null where there is none.
fn values(state: &State, user: &User) -> Map<String, Value> {
    let all = serde_json::to_value(ShownProfile(user)).unwrap_or_default();
    let value = |name: &String| all.get(name).cloned().unwrap_or(Value::Null);
    visible(state, user).keys().map(|name| (name.clone(), value(name))).collect()
}

struct ShownProfile<'a>(&'a User);

impl serde::Serialize for ShownProfile<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.profile.shown())
    }
}

fn address(scene: &Scene<'_>, path: &str) -> Value {
    json!({ "href": format!("{}{ROOT}{path}", scene.request.origin) })
}

fn shown(state: &State, scene: &Scene<'_>, user: &User) -> Value {
    json!({
        "createdAt": stamp(user.created),
        "modifiedAt": stamp(user.last_updated),
        "profile": values(state, user),
        "_links": { "self": address(scene, "/profile"), "describedBy": address(scene, "/profile/schema") },
    })
}

fn get(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    Ok(Typed::ok(&shown(cx.state, cx.scene, &user)))
}

fn get_schema(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    let properties: Map<String, Value> =
        visible(cx.state, &user).into_iter().map(|(name, facts)| (name, told(&facts))).collect();
    let links = json!({ "self": address(cx.scene, "/profile/schema"), "user": address(cx.scene, "/profile") });
    Ok(Typed::ok(&json!({ "properties": properties, "_links": links })))
}

/// What people are told of an attribute.
fn told(facts: &Value) -> Value {
    let mut told = Map::new();
    for name in ["title", "description", "type", "format", "required", "enum", "minLength", "maxLength", "items"] {
        if let Some(value) = facts.get(name) {
            told.insert(name.to_owned(), value.clone());
        }
    }
    told.insert("readOnly".to_owned(), json!(own_action(facts) == "READ_ONLY"));
    Value::Object(told)
}

fn refused(cause: String) -> Error {
    Error::Validation { about: SmolStr::new_static("forUpdate"), causes: vec![cause] }
}

/// What changes, where all that is there was sent and only what people may change is another than it was.
fn changes(known: &Map<String, Value>, visible: &Map<String, Value>, sent: &Body) -> Result<Body, Error> {
    if let Some(name) = sent.keys().find(|name| !visible.contains_key(*name)) {
        return Err(refused(format!("Property '{name}' does not exist or is not accessible.")));
    }
    let mut changes = Map::new();
    for (name, facts) in visible {
        let Some(value) = sent.get(name) else {
            let cause = format!("Property '{name}' needs a value passed.  To unset it, explicitly set it to null.");
            return Err(refused(cause));
        };
        if Some(value) == known.get(name) {
            continue;
        }
        let mail = matches!(name.as_str(), "email" | "secondEmail");
        if mail {
            let cause = "You cannot update email attributes using the profile endpoint. Use the emails endpoint to make \
                         any required changes.";
            return Err(refused(cause.to_owned()));
        }
        if own_action(facts) == "READ_ONLY" {
            let cause = "is read only.  The value supplied must exactly match the existing value.";
            return Err(refused(format!("Property '{name}' {cause}")));
        }
        if facts["type"] == "string" && !value.is_string() && !value.is_null() {
            return Err(refused(format!("Invalid value data type for property '{name}'")));
        }
        changes.insert(name.clone(), value.clone());
    }
    Ok(changes)
}

fn replace(cx: &mut Write<'_, '_, Okta>, args: Sent) -> Result<Typed<Value>, Error> {
    let user = own(cx.state, cx.caller, cx.scene)?;
    only(&args.body, &["profile"])?;
    let sent = args.body.get("profile").and_then(Value::as_object).ok_or(Error::Malformed)?;
    let changes = changes(&values(cx.state, &user), &visible(cx.state, &user), sent)?;
    act(cx, |act| {
        let mut profile = user.profile.clone();
        fill(act.state, &mut profile, &changes, "forUpdate")?;
        accounts::update(act, &user, profile, Credentials::default(), None)
    })?;
    let user = person(cx.state, cx.caller)?;
    Ok(Typed::ok(&shown(cx.state, cx.scene, &user)))
}
