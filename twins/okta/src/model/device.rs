//! Devices, and who uses them.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Device/.

use std::{
    collections::BTreeSet,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use crate::{
    query::Fields,
    search::{self, Corpus, Values},
};

/// How a device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(serialize = "SCREAMING_SNAKE_CASE", deserialize = "snake_case"))]
#[schemars(rename = "OktaDeviceStatus")]
pub enum Status {
    /// In use.
    #[default]
    Active,
    /// Out of use for a while.
    Suspended,
    /// Nobody's any more; only such a device can be deleted.
    Deactivated,
}

/// What an administrator does to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Makes a device that is deactivated active.
    Activate,
    /// Takes it from everybody.
    Deactivate,
    /// Takes one that is active out of use for a while.
    Suspend,
    /// Ends that.
    Unsuspend,
}

impl Status {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Deactivated => "DEACTIVATED",
        }
    }

    /// How a device is after a verb; none where the verb is not for one that is so.
    pub const fn after(self, verb: Verb) -> Option<Self> {
        match (self, verb) {
            (Self::Deactivated, Verb::Activate) | (Self::Suspended, Verb::Unsuspend) => Some(Self::Active),
            (Self::Active, Verb::Suspend) => Some(Self::Suspended),
            (Self::Active | Self::Suspended, Verb::Deactivate) => Some(Self::Deactivated),
            _ => None,
        }
    }
}

/// What profiles of devices may say, beside a key that the app on the device has.
pub const PROFILE: [&str; 16] = [
    "displayName",
    "platform",
    "manufacturer",
    "model",
    "osVersion",
    "serialNumber",
    "udid",
    "sid",
    "imei",
    "meid",
    "registered",
    "managed",
    "secureHardwarePresent",
    "diskEncryptionType",
    "integrityJailbreak",
    "tpmPublicKeyHash",
];

/// A device.
#[derive(Clone, Debug, Serialize)]
pub struct Device {
    /// `guo...`.
    pub id: SmolStr,
    /// How it is.
    pub status: Status,
    /// When it came.
    pub created: Timestamp,
    /// When it was last seen or changed.
    pub last_updated: Timestamp,
    /// What is known of it, by the names in [`PROFILE`].
    pub profile: Map<String, Value>,
}

impl Device {
    /// Its name.
    pub fn name(&self) -> &str {
        self.profile.get("displayName").and_then(Value::as_str).unwrap_or_default()
    }
}

/// A person who uses a device.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// `lnk...`.
    pub id: SmolStr,
    /// Since when.
    pub created: Timestamp,
    /// Whether it is managed for them.
    pub managed: bool,
    /// How its screen is locked; none where it does not say.
    pub lock: Option<Lock>,
    /// The factor that is set up on it, where one is.
    pub factor: Option<SmolStr>,
}

/// How a device's screen is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(serialize = "SCREAMING_SNAKE_CASE", deserialize = "snake_case"))]
#[schemars(rename = "OktaScreenLock")]
pub enum Lock {
    /// Not at all.
    None,
    /// By a code.
    Passcode,
    /// By a finger or a face.
    Biometric,
}

/// What devices can be searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `id`.
    Id,
    /// `status`.
    Status,
    /// `lastUpdated`.
    LastUpdated,
    /// `profile.*`, by the place of its name in [`PROFILE`].
    Profile(usize),
}

impl Fields<Field> for Device {
    fn any(&self, field: &Field, test: &mut dyn FnMut(&str) -> bool) -> bool {
        match field {
            Field::Id => test(&self.id),
            Field::Status => test(self.status.text()),
            Field::LastUpdated => test(&self.last_updated.floor_secs().iso_millis()),
            Field::Profile(at) => match self.profile.get(PROFILE[*at]) {
                None | Some(Value::Null) => false,
                Some(Value::String(text)) => test(text),
                Some(other) => test(&other.to_string()),
            },
        }
    }
}

/// All devices with their indexes, and who uses them, both ways round.
#[derive(Clone, Debug)]
pub struct Devices {
    table: Table<SmolStr, Device>,
    values: Values<Field>,
    /// By device and person.
    links: Table<(SmolStr, SmolStr), Link>,
    /// By person and device.
    by_user: OrdSet<(SmolStr, SmolStr)>,
}

impl Default for Devices {
    fn default() -> Self {
        Self {
            table: Table::new("devices"),
            values: Values::new(),
            links: Table::new("device_users"),
            by_user: OrdSet::new(),
        }
    }
}

impl Devices {
    /// A device by id.
    pub fn get(&self, id: &str) -> Option<&Arc<Device>> {
        self.table.get(&SmolStr::new(id))
    }

    /// All, by id. Costs what the table holds: for views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Device>> {
        self.table.iter().map(|(_, device)| device)
    }

    /// The people of a device, by their ids.
    pub fn users<'a>(&'a self, device: &str) -> impl Iterator<Item = (&'a SmolStr, &'a Arc<Link>)> + use<'a> {
        let device = SmolStr::new(device);
        let rows = self.links.range((device.clone(), SmolStr::default())..);
        rows.take_while(move |((of, _), _)| *of == device).map(|((_, user), link)| (user, link))
    }

    /// The devices of a person, by their ids.
    pub fn of_user<'a>(&'a self, user: &str) -> impl Iterator<Item = (&'a Arc<Device>, &'a Arc<Link>)> + use<'a> {
        let user = SmolStr::new(user);
        let own = self.by_user.range((user.clone(), SmolStr::default())..).take_while(move |(of, _)| *of == user);
        own.filter_map(|(user, device)| Some((self.get(device)?, self.links.get(&(device.clone(), user.clone()))?)))
    }

    /// Writes a row and its index entries.
    pub fn put(&mut self, changes: &mut Changes, device: Device) -> Arc<Device> {
        let before = self.table.get(&device.id).map(|before| entries(before)).unwrap_or_default();
        self.values.replace(before, entries(&device));
        self.table.put(changes, device.id.clone(), device)
    }

    /// Somebody uses a device from now on.
    pub fn link(&mut self, changes: &mut Changes, device: &SmolStr, user: &SmolStr, link: Link) {
        self.links.put(changes, (device.clone(), user.clone()), link);
        self.by_user.insert((user.clone(), device.clone()));
    }

    /// Somebody does not use a device any more.
    pub fn unlink(&mut self, changes: &mut Changes, device: &SmolStr, user: &SmolStr) {
        self.links.remove(changes, &(device.clone(), user.clone()));
        self.by_user.remove(&(user.clone(), device.clone()));
    }

    /// Removes a device that nobody uses.
    pub fn remove(&mut self, changes: &mut Changes, id: &SmolStr) {
        if let Some(device) = self.table.remove(changes, id) {
            self.values.replace(entries(&device), Vec::new());
        }
    }
}

/// A device's index entries. Ids are found without.
fn entries(device: &Device) -> Vec<(Field, SmolStr, SmolStr)> {
    let profile = (0..PROFILE.len()).map(Field::Profile);
    let mut entries = Vec::new();
    for field in [Field::Status, Field::LastUpdated].into_iter().chain(profile) {
        device.any(&field, &mut |value| {
            entries.push((field, Devices::key(field, value), device.id.clone()));
            true
        });
    }
    entries
}

impl Corpus for Devices {
    type Field = Field;
    type Row = Device;

    fn row(&self, id: &SmolStr) -> Option<&Arc<Device>> {
        self.table.get(id)
    }

    fn rows_after(&self, after: &SmolStr) -> Box<dyn Iterator<Item = &Arc<Device>> + '_> {
        Box::new(self.table.range((Excluded(after.clone()), Unbounded)).map(|(_, device)| device))
    }

    fn id(row: &Device) -> &SmolStr {
        &row.id
    }

    fn values(&self) -> &Values<Field> {
        &self.values
    }

    fn fields<'a>(&'a self, row: &'a Device) -> Box<dyn Fields<Field> + 'a> {
        Box::new(row)
    }

    fn id_field(field: Field) -> bool {
        field == Field::Id
    }

    fn indexed(field: Field) -> bool {
        field != Field::Id
    }

    fn equal_key(field: Field, value: &SmolStr) -> Option<(Field, SmolStr)> {
        Self::indexed(field).then(|| (field, Self::key(field, value)))
    }

    fn key(field: Field, value: &str) -> SmolStr {
        match field {
            Field::Id | Field::LastUpdated => value.into(),
            Field::Status | Field::Profile(_) => value.to_lowercase().into(),
        }
    }

    fn has_plain_cursor(_: Field) -> bool {
        false
    }
}

impl Fields<Field> for &Device {
    fn any(&self, field: &Field, test: &mut dyn FnMut(&str) -> bool) -> bool {
        Device::any(self, field, test)
    }
}

/// All devices are shown to whoever may list them.
#[derive(Clone, Copy, Debug)]
pub struct All;

impl search::Sight for All {
    fn sees(&self, _: &SmolStr) -> bool {
        true
    }

    fn few(&self) -> Option<BTreeSet<SmolStr>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Status, Verb};

    #[test]
    fn verbs_lead_from_some_statuses_to_others() {
        use Status::{Active, Deactivated, Suspended};
        let check = |verb: Verb, expected: [Option<Status>; 3]| {
            assert_eq!([Active, Suspended, Deactivated].map(|status| status.after(verb)), expected, "{verb:?}");
        };
        check(Verb::Activate, [None, None, Some(Active)]);
        check(Verb::Deactivate, [Some(Deactivated), Some(Deactivated), None]);
        check(Verb::Suspend, [Some(Suspended), None, None]);
        check(Verb::Unsuspend, [None, Some(Active), None]);
    }
}
