//! Devices: found, changed, removed, and who uses them.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Device/ and tag/UserResources/.

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Links, act, bad_expand, find_user,
    listing::{NO_CO, SEARCHES, TIMES, has_text},
    no_content, stamp,
    user_body::UserBody,
};
use crate::{
    Okta, devices,
    error::Error,
    model::{
        State,
        device::{All, Device, Devices, Field, PROFILE, Status, Verb},
    },
    paging::{self, Size},
    query::{Dialect, Kind, Rule},
    search::{Ask, Cursor, Order, search},
};

const LIMIT: &str = "devices";
const PAGE: Size = Size { default: 200, max: 200 };

/// The rows of the table.
pub fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const ONE: &str = "/api/v1/devices/{deviceId}";
    const USERS: &str = "/api/v1/devices/{deviceId}/users";
    let verb = |id, path, verb: fn(&mut Write<'_, '_, Okta>, OfDevice) -> Done| {
        Operation::write(id, POST, path, verb).limit(LIMIT)
    };
    vec![
        Operation::read("listDevices", GET, "/api/v1/devices", list).limit(LIMIT),
        Operation::read("getDevice", GET, ONE, get).limit(LIMIT),
        Operation::write("deleteDevice", &[Method::DELETE], ONE, delete).limit(LIMIT),
        verb("activateDevice", "/api/v1/devices/{deviceId}/lifecycle/activate", |cx, args| {
            change(cx, &args, Verb::Activate)
        }),
        verb("deactivateDevice", "/api/v1/devices/{deviceId}/lifecycle/deactivate", |cx, args| {
            change(cx, &args, Verb::Deactivate)
        }),
        verb("suspendDevice", "/api/v1/devices/{deviceId}/lifecycle/suspend", |cx, args| {
            change(cx, &args, Verb::Suspend)
        }),
        verb("unsuspendDevice", "/api/v1/devices/{deviceId}/lifecycle/unsuspend", |cx, args| {
            change(cx, &args, Verb::Unsuspend)
        }),
        Operation::read("listDeviceUsers", GET, USERS, list_users).limit("devices/{id}/users"),
        Operation::read("listUserDevices", GET, "/api/v1/users/{userId}/devices", list_devices).limit("users"),
    ]
}

type Done = Result<Typed<()>, Error>;
type List = Result<Typed<Vec<Value>>, Error>;

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

/// Arguments of `listDevices`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Wish {
    after: Option<String>,
    limit: Option<i64>,
    search: Option<String>,
    expand: Option<String>,
}

/// Attributes that can be searched for any part of their text, as documented.
const PARTS: [&str; 6] = ["displayName", "serialNumber", "imei", "meid", "udid", "sid"];

const SEARCH: Dialect<Field> = Dialect {
    not: false,
    fold_case: true,
    operators: SEARCHES,
    rule: |path| {
        let (field, kind, operators) = match path {
            "id" => (Field::Id, Kind::Exact, NO_CO),
            "status" => (Field::Status, Kind::Text, NO_CO),
            "lastUpdated" => (Field::LastUpdated, Kind::Time, TIMES),
            _ => {
                let name = path.strip_prefix("profile.")?;
                let at = PROFILE.iter().position(|own| *own == name)?;
                (Field::Profile(at), Kind::Text, if PARTS.contains(&name) { SEARCHES } else { NO_CO })
            }
        };
        Some(Rule { field, kind, operators })
    },
};

/// Who is shown with each device of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expand {
    Nobody,
    Summaries,
    Users,
}

impl Expand {
    fn read(text: Option<&str>) -> Result<Self, Error> {
        match text {
            None | Some("") => Ok(Self::Nobody),
            Some("userSummary") => Ok(Self::Summaries),
            Some("user") => Ok(Self::Users),
            Some(_) => Err(bad_expand()),
        }
    }
}

fn find<'s>(state: &'s State, id: &str, kind: &'static str) -> Result<&'s Arc<Device>, Error> {
    state.devices.get(id).ok_or_else(|| Error::not_found(id, kind))
}

/// A bad cursor is a search's even where nothing is searched for: recorded.
fn list(cx: &Read<'_, Okta>, args: Wish) -> List {
    let limit = paging::size(args.limit, PAGE)?;
    let expand = Expand::read(args.expand.as_deref())?;
    let text = args.search.as_deref().filter(|text| has_text(Some(text)));
    let read = |text| SEARCH.read(text).map_err(|fault| Error::search(text, &fault, SEARCHES));
    let condition = text.map(read).transpose()?;
    let cursor = |text: &String| Cursor::read::<Devices>(text, Order::Id).ok_or(Error::Cursor { search: true });
    let after = args.after.as_ref().map(cursor).transpose()?;
    let ask = Ask { condition: condition.as_ref(), order: Order::Id, after, limit, below: None, sight: &All };
    let found = search(&cx.state.devices, &ask);
    let origin = &cx.scene.request.origin;
    let row = |device: &Arc<Device>| {
        let mut body = shown(device, origin);
        if expand != Expand::Nobody {
            let users = users(cx.state, &device.id, origin, expand == Expand::Summaries);
            body["_embedded"] = json!({ "users": users });
        }
        body
    };
    let rows: Vec<Value> = found.rows.iter().map(row).collect();
    Ok(paging::linked(Typed::ok(&rows), cx.scene, limit, found.next.as_deref()))
}

/// One device also says by which authenticator it came: recorded.
fn get(cx: &Read<'_, Okta>, args: OfDevice) -> Result<Typed<Value>, Error> {
    let device = find(cx.state, &args.device_id, "Device")?;
    let mut body = shown(device, &cx.scene.request.origin);
    let mut all = cx.state.objects.members("/api/v1/authenticators");
    if let Some((id, from)) = all.find(|(_, one)| one.get("key").is_some_and(|key| key == "okta_verify")) {
        let from = json!({ "id": id, "name": from.get("name"), "key": from.get("key") });
        body["_embedded"] = json!({ "originatedFrom": [from] });
    }
    Ok(Typed::ok(&body))
}

fn delete(cx: &mut Write<'_, '_, Okta>, args: OfDevice) -> Done {
    let device = find(cx.state, &args.device_id, "Device")?.clone();
    act(cx, |act| devices::delete(act, &device))?;
    Ok(no_content())
}

fn change(cx: &mut Write<'_, '_, Okta>, args: &OfDevice, verb: Verb) -> Done {
    let device = find(cx.state, &args.device_id, "Device")?.clone();
    act(cx, |act| devices::change(act, &device, verb))?;
    Ok(no_content())
}

/// Okta calls a device that it does not find here by another name: recorded.
fn list_users(cx: &Read<'_, Okta>, args: OfDevice) -> List {
    let device = find(cx.state, &args.device_id, "GenericUDObject")?;
    Ok(Typed::ok(&users(cx.state, &device.id, &cx.scene.request.origin, false)))
}

fn list_devices(cx: &Read<'_, Okta>, args: OfUser) -> List {
    let user = find_user(cx.state, cx.caller, &args.user_id)?;
    let origin = &cx.scene.request.origin;
    let rows = cx.state.devices.of_user(&user.id).map(|(device, link)| {
        json!({ "created": stamp(link.created), "deviceUserId": link.id, "device": shown(device, origin) })
    });
    Ok(Typed::ok(&rows.collect::<Vec<_>>()))
}

/// The people of a device; whoever is gone is left out.
fn users(state: &State, device: &SmolStr, origin: &str, short: bool) -> Vec<Value> {
    let rows = state.devices.users(device).filter_map(|(user, link)| {
        let user = state.users.get(user)?;
        let body = json!(UserBody::whole(state, user, origin));
        let mut row = json!({
            "created": stamp(link.created),
            "managementStatus": if link.managed { "MANAGED" } else { "NOT_MANAGED" },
            "user": if short { summary(&body) } else { body },
        });
        if let Some(lock) = link.lock {
            row["screenLockType"] = json!(lock);
        }
        Some(row)
    });
    rows.collect()
}

fn summary(user: &Value) -> Value {
    let profile: serde_json::Map<String, Value> = ["firstName", "lastName", "email", "login"]
        .into_iter()
        .map(|name| (name.to_owned(), user["profile"][name].clone()))
        .collect();
    let mut short = json!({ "id": user["id"], "profile": profile });
    if let Some(realm) = user.get("realmId") {
        short["realmId"] = realm.clone();
    }
    short
}

/// A device as it is shown.
fn shown(device: &Device, origin: &str) -> Value {
    let own = format!("{origin}/api/v1/devices/{}", device.id);
    let mut links = Links::new();
    let mut verb = |name: &str| {
        let links_so_far = std::mem::replace(&mut links, Links::new());
        links = links_so_far.hint(name, format!("{own}/lifecycle/{name}"), &["POST"]);
    };
    match device.status {
        Status::Active => ["suspend", "deactivate"].into_iter().for_each(&mut verb),
        Status::Suspended => ["unsuspend", "deactivate"].into_iter().for_each(&mut verb),
        Status::Deactivated => verb("activate"),
    }
    let links = match device.status {
        Status::Deactivated => links.hint("self", own, &["GET", "DELETE"]),
        Status::Active | Status::Suspended => {
            links.hint("users", format!("{own}/users"), &["GET"]).hint("self", own, &["GET", "PATCH", "PUT"])
        }
    };
    json!({
        "id": device.id,
        "status": device.status.text(),
        "created": stamp(device.created),
        "lastUpdated": stamp(device.last_updated),
        "profile": device.profile,
        "resourceType": "UDDevice",
        "resourceDisplayName": { "value": device.name(), "sensitive": false },
        "resourceId": device.id,
        "resourceAlternateId": null,
        "_links": links.0,
    })
}
