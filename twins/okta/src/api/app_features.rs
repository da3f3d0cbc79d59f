//! What Okta does in apps that it provisions, and what it takes from them.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationFeatures/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Links, act,
    app_body::fits,
    apps::{Which, find},
};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        app::App,
        event_type::APP_UPDATE,
        log::Party,
        provisioning::{Connection, Powers},
    },
    provisioning::{import, settings},
};

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    const ALL: &str = "/api/v1/apps/{appId}/features";
    const ONE: &str = "/api/v1/apps/{appId}/features/{featureName}";
    vec![
        Operation::read("listFeaturesForApplication", &[Method::GET], ALL, list).limit("apps"),
        Operation::read("getFeatureForApplication", &[Method::GET], ONE, get).limit("apps"),
        Operation::write("updateFeatureForApplication", &[Method::PUT], ONE, update).limit("apps"),
    ]
}

/// The two features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feature {
    /// From Okta to the app.
    Outbound,
    /// From the app to Okta.
    Inbound,
}

impl Feature {
    fn find(name: &str) -> Result<Self, Error> {
        match name {
            "USER_PROVISIONING" => Ok(Self::Outbound),
            "INBOUND_PROVISIONING" => Ok(Self::Inbound),
            _ => Err(Error::not_found(name, "PublicAppFeatureSetName")),
        }
    }

    fn body(self, app: &App, connection: &Connection, origin: &str) -> Value {
        let (name, about, capabilities) = match self {
            Self::Outbound => ("USER_PROVISIONING", "Pushes users from Okta to the app", outbound(connection)),
            Self::Inbound => ("INBOUND_PROVISIONING", "Imports users from the app to Okta", connection.inbound.clone()),
        };
        let own = format!("{origin}/api/v1/apps/{}/features/{name}", app.id);
        let links = Links::new().hint("self", own, &["GET", "PUT"]);
        json!({
            "name": name,
            "status": "ENABLED",
            "description": about,
            "capabilities": capabilities,
            "_links": links.0,
        })
    }
}

fn outbound(connection: &Connection) -> Value {
    let status = |on: bool| json!({ "status": if on { "ENABLED" } else { "DISABLED" } });
    let Powers { create, update, deactivate } = connection.powers;
    json!({
        "create": { "lifecycleCreate": status(create) },
        "update": {
            "profile": status(update),
            "lifecycleDeactivate": status(deactivate),
            "password": connection.password,
        },
    })
}

/// The connection of an app that is provisioned.
fn connection(state: &State, app: &App) -> Result<Connection, Error> {
    let found = settings::of(state, app).filter(|connection| connection.enabled);
    found.ok_or_else(|| Error::invalid("feature", "Provisioning is not supported."))
}

/// `listFeaturesForApplication`.
pub fn list(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<Value>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let connection = connection(cx.state, &app)?;
    let rows = [Feature::Outbound, Feature::Inbound];
    Ok(Typed::ok(&rows.map(|feature| feature.body(&app, &connection, &cx.scene.request.origin)).to_vec()))
}

/// Arguments of `getFeatureForApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhichFeature {
    app_id: String,
    feature_name: String,
}

/// `getFeatureForApplication`: the name is looked at first, as recorded.
pub fn get(cx: &Read<'_, Okta>, args: WhichFeature) -> Result<Typed<Value>, Error> {
    let feature = Feature::find(&args.feature_name)?;
    let app = find(cx.state, &args.app_id)?;
    Ok(Typed::ok(&feature.body(&app, &connection(cx.state, &app)?, &cx.scene.request.origin)))
}

/// Arguments of `updateFeatureForApplication`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateFeature {
    app_id: String,
    feature_name: String,
    body: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outbound {
    create: Option<Create>,
    update: Option<Update>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Create {
    lifecycle_create: Option<Switch>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Update {
    profile: Option<Switch>,
    lifecycle_deactivate: Option<Switch>,
    password: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    status: Option<Status>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Enabled,
    Disabled,
}

/// What was there, where nothing is said.
fn switched(before: bool, said: Option<Switch>) -> bool {
    said.and_then(|said| said.status).map_or(before, |status| status == Status::Enabled)
}

/// A connection that does what is said. What is not said stays.
fn changed(connection: Connection, feature: Feature, body: Map<String, Value>) -> Result<Connection, Error> {
    if feature == Feature::Inbound {
        let mut inbound = connection.inbound.clone();
        merge(&mut inbound, Value::Object(body));
        return Ok(Connection { inbound, ..connection });
    }
    let said: Outbound = serde_json::from_value(Value::Object(body)).map_err(|_| Error::Malformed)?;
    let (create, update) = (said.create.and_then(|create| create.lifecycle_create), said.update);
    let mut password = connection.password.clone();
    let (profile, deactivate) = match update {
        Some(update) => {
            update.password.into_iter().for_each(|said| merge(&mut password, Value::Object(said)));
            (update.profile, update.lifecycle_deactivate)
        }
        None => (None, None),
    };
    let before = connection.powers;
    let powers = Powers {
        create: switched(before.create, create),
        update: switched(before.update, profile),
        deactivate: switched(before.deactivate, deactivate),
    };
    Ok(Connection { powers, password, ..connection })
}

/// Writes a value's members over another's.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// `updateFeatureForApplication`.
pub fn update(cx: &mut Write<'_, '_, Okta>, args: UpdateFeature) -> Result<Typed<Value>, Error> {
    let feature = Feature::find(&args.feature_name)?;
    let app = find(cx.state, &args.app_id)?;
    let before = connection(cx.state, &app)?;
    if feature == Feature::Inbound {
        fits(cx.scene, &args.body)?;
    }
    let connection = changed(before, feature, args.body)?;
    act(cx, |act| {
        act.state.provisioning.connect(&mut act.tx.changes, connection.clone());
        act.log(&APP_UPDATE, vec![Party::app(&app)]);
        if feature == Feature::Inbound {
            import::plan(act, &app.id);
        }
        Ok(())
    })?;
    Ok(Typed::ok(&feature.body(&app, &connection, &cx.scene.request.origin)))
}
