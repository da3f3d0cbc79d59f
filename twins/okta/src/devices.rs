//! What happens to devices: people enrol them, and administrators change them.
//!
//! A device comes with the app that is set up on it (Okta Verify, or an app with the devices SDK); no call of the API
//! makes one. See developer.okta.com/docs/concepts/device-context/.

use serde_json::{Map, Value};
use smol_str::SmolStr;

use crate::{
    error::Error,
    model::{
        Act,
        device::{Device, Link, Lock, Status, Verb},
        event_type::{
            DEVICE_ACTIVATE, DEVICE_DEACTIVATE, DEVICE_DELETE, DEVICE_ENROLL, DEVICE_SUSPEND, DEVICE_UNSUSPEND,
            DEVICE_USER_ADD, DEVICE_USER_REMOVE,
        },
        factor::{Factor, enrol},
        log::Party,
        shape,
        user::User,
    },
};

/// Ids of devices.
pub const DEVICE_ID: dtu_kernel::ids::IdShape = shape("guo", "device");
/// Ids of people's links with devices.
pub const LINK_ID: dtu_kernel::ids::IdShape = shape("lnk", "device user");

fn party(device: &Device) -> Party {
    let name = device.name();
    Party {
        id: device.id.clone(),
        kind: "UDDevice",
        alternate_id: SmolStr::new_static("unknown"),
        display_name: if name.is_empty() { SmolStr::new_static("unknown") } else { name.into() },
    }
}

/// A person sets an app up on a device that the org does not know yet; the device's id.
pub fn enrol(act: &mut Act<'_, '_>, user: &User, factor: Option<&Factor>, profile: Map<String, Value>) -> SmolStr {
    let (id, link, now) = (act.tx.id(&DEVICE_ID), act.tx.id(&LINK_ID), act.now());
    let device = Device { id: id.clone(), status: Status::Active, created: now, last_updated: now, profile };
    let device = party(&act.state.devices.put(&mut act.tx.changes, device));
    let factor = factor.map(|factor| factor.id.clone());
    let link = Link { id: link, created: now, managed: false, lock: Some(Lock::Biometric), factor };
    act.state.devices.link(&mut act.tx.changes, &id, &user.id, link);
    act.log(&DEVICE_ENROLL, vec![device.clone(), Party::user(user)]);
    act.log(&DEVICE_USER_ADD, vec![device, Party::user(user)]);
    id
}

/// The device of a push factor: the one that came with it, with more that is known of it now.
pub fn of_factor(act: &mut Act<'_, '_>, user: &User, factor: &Factor, profile: Map<String, Value>) -> SmolStr {
    let own = act.state.devices.of_user(&user.id).filter(|(_, link)| link.factor.as_ref() == Some(&factor.id));
    let Some(device) = own.last().map(|(device, _)| Device { profile: profile.clone(), ..Device::clone(device) })
    else {
        return enrol(act, user, Some(factor), profile);
    };
    let id = device.id.clone();
    act.state.devices.put(&mut act.tx.changes, device);
    id
}

/// An administrator changes how a device is.
///
/// # Errors
/// A status that the verb is not for; the refusal's code is inferred.
pub fn change(act: &mut Act<'_, '_>, device: &Device, verb: Verb) -> Result<(), Error> {
    let status = device.status.after(verb).ok_or(Error::NotInStatus)?;
    let event = match verb {
        Verb::Activate => &DEVICE_ACTIVATE,
        Verb::Deactivate => &DEVICE_DEACTIVATE,
        Verb::Suspend => &DEVICE_SUSPEND,
        Verb::Unsuspend => &DEVICE_UNSUSPEND,
    };
    let now = act.now();
    act.state.devices.put(&mut act.tx.changes, Device { status, last_updated: now, ..device.clone() });
    if verb == Verb::Deactivate {
        free(act, device)?;
    }
    act.log(event, vec![party(device)]);
    Ok(())
}

/// Nobody uses a device any more, and the factors that were set up on it are gone.
fn free(act: &mut Act<'_, '_>, device: &Device) -> Result<(), Error> {
    let links: Vec<_> = act.state.devices.users(&device.id).map(|(user, link)| (user.clone(), link.clone())).collect();
    for (user, link) in links {
        act.state.devices.unlink(&mut act.tx.changes, &device.id, &user);
        let Some(user) = act.state.users.get(&user).cloned() else { continue };
        let factor = link.factor.as_ref().and_then(|factor| act.state.factors.get(&user.id, factor)).cloned();
        if let Some(factor) = factor.filter(|_| user.status != crate::model::user::Status::Deprovisioned) {
            enrol::unenroll(act, &user, &factor, false)?;
        }
        act.log(&DEVICE_USER_REMOVE, vec![party(device), Party::user(&user)]);
    }
    Ok(())
}

/// An administrator removes a device for good.
///
/// # Errors
/// A device that is not deactivated; the refusal's code is inferred.
pub fn delete(act: &mut Act<'_, '_>, device: &Device) -> Result<(), Error> {
    if device.status != Status::Deactivated {
        return Err(Error::NotInStatus);
    }
    act.state.devices.remove(&mut act.tx.changes, &device.id);
    act.log(&DEVICE_DELETE, vec![party(device)]);
    Ok(())
}
