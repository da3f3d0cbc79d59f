//! Which apps may sign their people in to which others by an interclient token.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationInterclientTrustMappings/.

use dtu_kernel::{
    ids::IdShape,
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    act,
    apps::{Which, find},
    no_content, stamp,
};
use crate::{Okta, error::Error, input::object, model::shape, policy::Members};

const MAPPING_ID: IdShape = shape("itm", "interclient trust mapping");

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const ALLOWED: &str = "/api/v1/apps/{appId}/interclient-allowed-apps";
    const ONE: &str = "/api/v1/apps/{appId}/interclient-allowed-apps/{allowedAppId}";
    const TARGETS: &str = "/api/v1/apps/{appId}/interclient-target-apps";
    let rows = vec![
        Operation::read("listInterclientAllowedApplications", GET, ALLOWED, list_allowed),
        Operation::write("createInterclientTrustMapping", &[Method::POST], ALLOWED, create),
        Operation::write("deleteInterclientTrustMapping", &[Method::DELETE], ONE, delete),
        Operation::read("listInterclientTargetApplications", GET, TARGETS, list_targets),
    ];
    rows.into_iter().map(|row| row.limit("apps")).collect()
}

/// Where the apps are kept that an app allows; by their ids.
fn allowed_by(app: &str) -> String {
    format!("/api/v1/apps/{app}/interclient-allowed-apps")
}

/// Where the apps are kept that allow an app: the same the other way round, so that nobody looks through all apps.
fn allowing(app: &str) -> String {
    format!("/api/v1/apps/{app}/interclient-target-apps")
}

/// Apps of a place that there still are.
fn list(cx: &Read<'_, Okta>, place: &str) -> Typed<Vec<SmolStr>> {
    let ids = cx.state.objects.members(place).map(|(id, _)| id.clone());
    Typed::ok(&ids.filter(|id| cx.state.apps.get(id).is_some()).collect())
}

fn list_allowed(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<SmolStr>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    Ok(list(cx, &allowed_by(&app.id)))
}

fn list_targets(cx: &Read<'_, Okta>, args: Which) -> Result<Typed<Vec<SmolStr>>, Error> {
    let app = find(cx.state, &args.app_id)?;
    Ok(list(cx, &allowing(&app.id)))
}

/// Arguments of `createInterclientTrustMapping`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Create {
    app_id: String,
    #[serde(deserialize_with = "object")]
    body: Allowed,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Allowed {
    id: Option<SmolStr>,
}

/// `createInterclientTrustMapping`: each app is allowed once. The words of refusals are the twin's.
fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<Value>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let id = args.body.id.ok_or_else(|| Error::fields(&[("id", "The field cannot be left blank")]))?;
    let other = cx.state.apps.get(&id).ok_or_else(|| Error::invalid("id", format!("id: There is no app '{id}'")))?;
    let other = other.id.clone();
    if other == app.id {
        return Err(Error::invalid("id", "id: An app cannot allow itself"));
    }
    if cx.state.objects.member(&allowed_by(&app.id), &other).is_some() {
        return Err(Error::taken("id"));
    }
    let org = cx.state.objects.one("/api/v1", "org").and_then(|org| org.get("id")).cloned().unwrap_or_default();
    let by = cx.caller.user.clone();
    let members = act(cx, |act| {
        let now = stamp(act.now());
        let members = json!({
            "id": act.tx.id(&MAPPING_ID), "appInstanceId": app.id, "trustedAppInstanceId": other, "orgId": org,
            "created": now, "lastUpdated": now, "lastUpdatedBy": by,
        });
        let members: Members = members.as_object().cloned().unwrap_or_default();
        act.state.objects.keep(&mut act.tx.changes, &allowed_by(&app.id), &other, members.clone());
        act.state.objects.keep(&mut act.tx.changes, &allowing(&other), &app.id, Members::new());
        Ok(members)
    })?;
    Ok(Typed::ok(&Value::Object(members)).with_status(StatusCode::CREATED))
}

/// Arguments of `deleteInterclientTrustMapping`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Delete {
    app_id: String,
    allowed_app_id: SmolStr,
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: Delete) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    let other = args.allowed_app_id;
    act(cx, |act| {
        if !act.state.objects.forget(&mut act.tx.changes, &allowed_by(&app.id), &other) {
            return Err(Error::not_found(&other, "InterclientTrustMapping"));
        }
        act.state.objects.forget(&mut act.tx.changes, &allowing(&other), &app.id);
        Ok(no_content())
    })
}
