//! The devices of an `okta:` section: what people had enrolled before the world begins.

use std::{collections::BTreeSet, time::Duration};

use dtu_kernel::{diagnostic::Diagnostic, tx::Tx, world::World};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use crate::{
    contract::is_id,
    devices::{DEVICE_ID, LINK_ID},
    model::{
        State,
        device::{Device, Link, Lock, PROFILE, Status},
        user,
    },
};

/// A device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OktaDevice")]
pub(crate) struct DeviceRow {
    /// What it is called.
    name: SmolStr,
    /// What it runs.
    platform: Platform,
    /// Its id, where programs know it beforehand: `guo` and 17 letters and digits. Drawn where absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    id: Option<Spanned<SmolStr>>,
    /// The keys of the people who use it; nobody uses one that is deactivated.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    people: Vec<Spanned<SmolStr>>,
    /// How it is; active where absent.
    #[serde(default)]
    status: Status,
    /// Whether it is managed.
    #[serde(default)]
    managed: bool,
    /// How its screen is locked, where it says so.
    #[serde(default)]
    screen_lock: Option<Lock>,
    /// What more is known of it, by Okta's names for members of profiles.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    profile: Option<Spanned<Map<String, Value>>>,
}

/// Systems of devices.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OktaDevicePlatform")]
enum Platform {
    /// Android.
    Android,
    /// iOS.
    Ios,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

impl Platform {
    const fn text(self) -> &'static str {
        match self {
            Self::Android => "ANDROID",
            Self::Ios => "IOS",
            Self::Macos => "MACOS",
            Self::Windows => "WINDOWS",
        }
    }
}

/// The key of the app on a device, which Okta shows beside the documented members: recorded.
const APP_KEY: &str = "authenticatorAppKey";

/// All that is wrong with the devices.
pub(crate) fn check(world: &World, rows: &[DeviceRow]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut ids = BTreeSet::new();
    for row in rows {
        let unknown =
            row.people.iter().filter(|key| world.person(&key.value).is_none_or(|person| person.key != key.value));
        problems.extend(unknown.map(|key| world.unknown_person(key)));
        if let Some(person) = row.people.first().filter(|_| row.status == Status::Deactivated) {
            problems.push(Diagnostic::on(&world.file, person, "a device that is deactivated is nobody's"));
        }
        if let Some(id) = &row.id {
            if !is_id(&id.value) || !id.value.starts_with("guo") {
                let what = format!("`{}` is no id of a device", id.value);
                problems.push(Diagnostic::on(&world.file, id, what).hint("ids are `guo` and 17 letters and digits"));
            } else if !ids.insert(id.value.clone()) {
                problems.push(Diagnostic::on(&world.file, id, format!("the id `{}` is used twice", id.value)));
            }
        }
        let Some(profile) = &row.profile else { continue };
        for name in profile.value.keys().filter(|name| !PROFILE.contains(&name.as_str()) && *name != APP_KEY) {
            let unknown = Diagnostic::on(&world.file, profile, format!("devices have no `{name}`"));
            problems.push(unknown.suggest(name, PROFILE));
        }
    }
    problems
}

const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// Adds the devices. Okta Verify tells of them: they are registered.
pub(crate) fn add(state: &mut State, tx: &mut Tx<'_>, world: &World, rows: Vec<DeviceRow>) {
    let at = world.epoch.before(MONTH).floor_secs().max(state.founded);
    for row in rows {
        let mut profile = Map::new();
        for (name, value) in [("displayName", row.name.as_str()), ("platform", row.platform.text())] {
            profile.insert(name.to_owned(), value.into());
        }
        profile.insert("registered".to_owned(), true.into());
        profile.extend(row.profile.map(|profile| profile.value).unwrap_or_default());
        let id = row.id.map_or_else(|| tx.id(&DEVICE_ID), |id| id.value);
        let device = Device { id: id.clone(), status: row.status, created: at, last_updated: at, profile };
        state.devices.put(&mut tx.changes, device);
        for key in &row.people {
            let Some(person) = state.people.get(&key.value).and_then(|id| state.users.get(id)).cloned() else {
                continue;
            };
            if person.status == user::Status::Deprovisioned {
                continue;
            }
            let (managed, lock) = (row.managed, row.screen_lock);
            let link = Link { id: tx.id(&LINK_ID), created: at, managed, lock, factor: None };
            state.devices.link(&mut tx.changes, &id, &person.id, link);
        }
    }
}
