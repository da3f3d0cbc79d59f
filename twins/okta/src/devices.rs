//! Devices: phones and computers that people enrol, and who uses them.
//!
//! A device comes with the app that is set up on it (Okta Verify, or an app with the devices SDK); no call of the API
//! makes one. They are kept with the generic twin's objects, beside each the people who use it, and beside each person
//! the devices. See developer.okta.com/docs/concepts/device-context/.

use dtu_contract::generic::Done;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    api::stamp,
    model::{
        Act, State,
        event_type::{
            DEVICE_ACTIVATE, DEVICE_DEACTIVATE, DEVICE_DELETE, DEVICE_ENROLL, DEVICE_SUSPEND, DEVICE_UNSUSPEND,
            DEVICE_USER_ADD, DEVICE_USER_REMOVE, EventType,
        },
        factor::Factor,
        log::Party,
        shape,
        user::User,
    },
    policy::Members,
};

/// Where devices are kept.
pub const DEVICES: &str = "/api/v1/devices";

const DEVICE_ID: dtu_kernel::ids::IdShape = shape("guo", "device");
const LINK_ID: dtu_kernel::ids::IdShape = shape("lnk", "device user");

/// Where the people of a device are kept, by their ids.
pub(crate) fn users_of(device: &str) -> String {
    format!("{DEVICES}/{device}/users")
}

/// Where the devices of a person are kept, by their ids.
pub(crate) fn of_user(user: &str) -> String {
    format!("/api/v1/users/{user}/devices")
}

fn party(id: &str, members: Option<&Members>) -> Party {
    let name = members.and_then(|members| members.get("profile")?.get("displayName")?.as_str());
    Party {
        id: id.into(),
        kind: "UDDevice",
        alternate_id: SmolStr::new_static("unknown"),
        display_name: name.unwrap_or("unknown").into(),
    }
}

/// A person sets an app up on a device that the org does not know yet; the device's id.
pub fn enrol(act: &mut Act<'_, '_>, user: &User, factor: Option<&Factor>, profile: Value) -> SmolStr {
    let (id, link, now) = (act.tx.id(&DEVICE_ID), act.tx.id(&LINK_ID), stamp(act.now()));
    let device = json!({ "id": id, "status": "ACTIVE", "created": now, "lastUpdated": now, "profile": profile });
    keep(act, DEVICES, &id, device);
    let row = json!({
        "created": now, "managementStatus": "NOT_MANAGED", "screenLockType": "BIOMETRIC", "deviceUserId": link,
        "factor": factor.map(|factor| factor.id.clone()),
    });
    keep(act, &users_of(&id), &user.id, row.clone());
    keep(act, &of_user(&user.id), &id, row);
    let device = party(&id, act.state.objects.member(DEVICES, &id));
    act.log(&DEVICE_ENROLL, vec![device.clone(), Party::user(user)]);
    act.log(&DEVICE_USER_ADD, vec![device, Party::user(user)]);
    id
}

/// The device of a push factor: the one that came with it, with more that is known of it now.
pub fn of_factor(act: &mut Act<'_, '_>, user: &User, factor: &Factor, profile: Value) -> SmolStr {
    let known = act.state.objects.members(&of_user(&user.id));
    let of = |(_, row): &(&SmolStr, &Members)| row.get("factor").and_then(Value::as_str) == Some(factor.id.as_str());
    let Some(id) = known.filter(of).map(|(id, _)| id.clone()).last() else {
        return enrol(act, user, Some(factor), profile);
    };
    if let Some(mut device) = act.state.objects.member(DEVICES, &id).cloned() {
        device.insert("profile".to_owned(), profile);
        act.state.objects.keep(&mut act.tx.changes, DEVICES, &id, device);
    }
    id
}

fn keep(act: &mut Act<'_, '_>, place: &str, id: &str, row: Value) {
    if let Value::Object(members) = row {
        act.state.objects.keep(&mut act.tx.changes, place, id, members);
    }
}

/// Nobody uses a device any more.
fn free(act: &mut Act<'_, '_>, id: &str, device: &Party) {
    let users: Vec<SmolStr> = act.state.objects.members(&users_of(id)).map(|(user, _)| user.clone()).collect();
    for user in users {
        act.state.objects.forget(&mut act.tx.changes, &users_of(id), &user);
        act.state.objects.forget(&mut act.tx.changes, &of_user(&user), id);
        if let Some(user) = act.state.users.get(&user).cloned() {
            act.log(&DEVICE_USER_REMOVE, vec![device.clone(), Party::user(&user)]);
        }
    }
}

/// Whether a device may go from one status to another; any may that an org has only heard of.
pub(crate) fn may_become(before: &str, after: &str) -> bool {
    match after {
        "SUSPENDED" => before == "ACTIVE",
        "ACTIVE" => matches!(before, "SUSPENDED" | "DEACTIVATED" | "CREATED"),
        "DEACTIVATED" => before != "DEACTIVATED",
        _ => false,
    }
}

/// What comes of a change of a device: the log tells, and a device that is deactivated or gone is nobody's.
pub(crate) fn follow(act: &mut Act<'_, '_>, done: &Done) {
    let device = party(&done.id, done.after.as_ref().or(done.before.as_ref()));
    let status = |members: &Option<Members>| {
        let text = members.as_ref().and_then(|members| members.get("status")?.as_str());
        text.map(SmolStr::from)
    };
    let (before, after) = (status(&done.before), status(&done.after));
    let event: &'static EventType = match (before.as_deref(), after.as_deref()) {
        (_, None) => &DEVICE_DELETE,
        (before, after) if before == after => return,
        (Some("SUSPENDED"), Some("ACTIVE")) => &DEVICE_UNSUSPEND,
        (_, Some("ACTIVE")) => &DEVICE_ACTIVATE,
        (_, Some("SUSPENDED")) => &DEVICE_SUSPEND,
        _ => &DEVICE_DEACTIVATE,
    };
    if *event == DEVICE_DEACTIVATE || *event == DEVICE_DELETE {
        free(act, &done.id, &device);
    }
    act.log(event, vec![device]);
}

/// The people of a device as rows with their ids.
pub(crate) fn people<'a>(state: &'a State, device: &str) -> impl Iterator<Item = (&'a SmolStr, &'a Members)> + use<'a> {
    state.objects.members(&users_of(device))
}
