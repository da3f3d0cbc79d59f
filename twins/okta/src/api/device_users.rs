//! Who uses a device, and which devices somebody uses.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Device/ and tag/UserResources/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{find_user, user_body::UserBody};
use crate::{
    Okta,
    contract::is_id,
    devices::{self, DEVICES},
    error::Error,
    model::State,
    policy::Members,
    resources,
};

/// The rows of the table.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    vec![
        Operation::read("listDeviceUsers", GET, "/api/v1/devices/{deviceId}/users", list_users).stores().limit("other"),
        Operation::read("listUserDevices", GET, "/api/v1/users/{userId}/devices", list_devices).stores().limit("users"),
    ]
}

/// A device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfDevice {
    device_id: String,
}

/// Somebody.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OfUser {
    user_id: String,
}

/// The people of a device; whoever is gone is left out.
pub(crate) fn users(state: &State, device: &str, origin: &str) -> Vec<Value> {
    let rows = devices::people(state, device);
    rows.filter_map(|(user, row)| {
        let user = state.users.get(user)?;
        Some(json!({
            "created": row.get("created"),
            "managementStatus": row.get("managementStatus"),
            "screenLockType": row.get("screenLockType"),
            "user": UserBody::whole(state, user, origin),
        }))
    })
    .collect()
}

/// A device of which the org has only heard has nobody (as recorded of others' devices).
fn list_users(cx: &Read<'_, Okta>, args: OfDevice) -> Result<Typed<Vec<Value>>, Error> {
    let id = args.device_id.as_str();
    if cx.state.objects.member(DEVICES, id).is_none() && !is_id(id) {
        return Err(Error::not_found(id, "GenericUDObject"));
    }
    Ok(Typed::ok(&users(cx.state, id, &cx.scene.request.origin)))
}

fn device(state: &State, scene: &Scene<'_>, id: &str, members: &Members) -> Value {
    Value::Object(resources::shown_member(state, scene.request, (DEVICES, DEVICES), id, members))
}

fn list_devices(cx: &Read<'_, Okta>, args: OfUser) -> Result<Typed<Vec<Value>>, Error> {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let place = devices::of_user(&user.id);
    let rows = cx.state.objects.members(&place).filter_map(|(id, row)| {
        let members = cx.state.objects.member(DEVICES, id)?;
        Some(json!({
            "created": row.get("created"),
            "deviceUserId": row.get("deviceUserId"),
            "device": device(cx.state, cx.scene, id, members),
        }))
    });
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}
