//! Second factors: what people have enrolled, and what proves that it is they.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/ for the rules; the same factors
//! serve sign-ins (developer.okta.com/docs/reference/api/authn/#factors).

pub mod challenge;
pub mod code;
pub mod enrol;
pub mod kind;
pub mod message;
pub mod push;
pub mod question;
pub mod tac;
pub mod verify;
pub mod webauthn;

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdMap;
use serde::Serialize;
use smol_str::SmolStr;

pub use self::{
    challenge::{Delivery, Issued, challenge, mail, resend},
    enrol::{Enrolment, activate, enroll, enrollable, forget, reset_all, unenroll},
    kind::Kind,
    verify::{Proof, Verdict, holds, verify},
};
use self::{message::Message, push::Push, tac::Tac};
use super::{State, user::User};

/// Where a factor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Enrolled, and not yet proven.
    PendingActivation,
    /// In use.
    Active,
}

impl Status {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
        }
    }
}

/// The phone or computer that Okta Verify runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Its name.
    pub name: SmolStr,
    /// `SmartPhone_IPhone`, ...
    pub r#type: SmolStr,
    /// `IOS`, ...
    pub platform: SmolStr,
    /// The version of its system.
    pub version: SmolStr,
}

impl Device {
    /// A phone of this name.
    pub fn phone(name: &str) -> Self {
        let text = SmolStr::new_static;
        Self { name: name.into(), r#type: text("SmartPhone_IPhone"), platform: text("IOS"), version: text("18.0.0") }
    }
}

/// What a factor shows of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Profile {
    /// Nothing yet.
    Empty,
    /// A security question, by key and text.
    Question {
        /// `disliked_food`, ..., or `custom`.
        question: SmolStr,
        /// What the person is asked.
        text: SmolStr,
    },
    /// A phone.
    Phone {
        /// `+` and digits.
        number: SmolStr,
        /// What is dialled behind it.
        extension: Option<SmolStr>,
    },
    /// A mail address.
    Email(SmolStr),
    /// An account in an app or on a token, by its name there.
    Credential(SmolStr),
    /// An account in Okta Verify on a device.
    Verify {
        /// The person's login.
        credential: SmolStr,
        /// The device.
        device: Device,
    },
    /// A security key.
    Key {
        /// The key's own id of the credential.
        credential: SmolStr,
        /// What the key is called.
        name: SmolStr,
    },
}

/// What proves a factor: never on the wire but at enrolment, and never in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// Nothing that is kept: codes are sent, or the device answers.
    None,
    /// The hash of an answer.
    Answer([u8; 32]),
    /// What codes are made from.
    Shared(Vec<u8>),
    /// A public key on P-256, uncompressed.
    Public(Vec<u8>),
}

/// Something that the person is to give back.
#[derive(Clone, Debug, Serialize)]
pub struct Challenge {
    /// A code that was sent, or a browser's nonce.
    #[serde(skip)]
    pub text: SmolStr,
    /// When it ends.
    pub expires: Timestamp,
    /// The custom template that the caller asked for.
    pub template: Option<SmolStr>,
    /// The language that the caller asked for.
    pub language: Option<SmolStr>,
}

impl Challenge {
    /// Something that is asked in no words.
    pub fn new(text: SmolStr, expires: Timestamp) -> Self {
        Self { text, expires, template: None, language: None }
    }
}

/// A person's factor.
#[derive(Clone, Debug, Serialize)]
pub struct Factor {
    /// `mbl...`, `ost...`, ...
    pub id: SmolStr,
    /// Whose it is.
    pub user: SmolStr,
    /// Of which kind.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// When it was enrolled.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// When the person last proved it.
    pub last_verified: Option<Timestamp>,
    /// What it shows of itself.
    pub profile: Profile,
    /// What proves it.
    #[serde(skip)]
    pub secret: Secret,
    /// What was asked last; none where nothing waits.
    pub challenge: Option<Challenge>,
    /// The last step or counter whose code was taken: no code counts twice.
    pub used: Option<u64>,
    /// When wrong codes came for its activation, the last few.
    pub wrong: Vec<Timestamp>,
}

impl Factor {
    /// Whether it can be used.
    pub fn is_active(&self) -> bool {
        self.status == Status::Active
    }

    /// The phone number or mail address that its codes go to.
    pub fn address(&self) -> Option<&SmolStr> {
        match &self.profile {
            Profile::Phone { number, .. } => Some(number),
            Profile::Email(address) => Some(address),
            _ => None,
        }
    }
}

/// How long a sent code is good, where the caller does not say.
pub const CODE_LIFE: Duration = Duration::from_secs(300);

/// A person's phone beside its factor: it stays known for recovery when the factor is gone.
#[derive(Clone, Debug, Serialize)]
pub struct Phone {
    /// The kind of factor that proved it.
    pub kind: Kind,
    /// Its number.
    pub number: SmolStr,
    /// What is dialled behind it.
    pub extension: Option<SmolStr>,
    /// The id of the factor that proved it.
    pub factor: SmolStr,
}

/// All factors, and what was asked and sent for them.
#[derive(Clone, Debug)]
pub struct Factors {
    table: Table<(SmolStr, SmolStr), Factor>,
    phones: Table<(SmolStr, SmolStr), Phone>,
    pushes: Table<(SmolStr, SmolStr), Push>,
    messages: Table<(SmolStr, u64), Message>,
    tacs: Table<SmolStr, Tac>,
    /// When something was last sent to an address, by kind and address.
    sent: OrdMap<(Kind, SmolStr), Timestamp>,
    /// How many wrong proofs came in a row, by person.
    strikes: OrdMap<SmolStr, u32>,
    /// Until when a person is not asked on a device, by person and device.
    remembered: OrdMap<(SmolStr, SmolStr), Timestamp>,
    next_message: u64,
}

impl Default for Factors {
    fn default() -> Self {
        Self {
            table: Table::new("factors"),
            phones: Table::new("factor_phones"),
            pushes: Table::new("factor_transactions"),
            messages: Table::new("factor_messages"),
            tacs: Table::new("temporary_access_codes"),
            sent: OrdMap::new(),
            strikes: OrdMap::new(),
            remembered: OrdMap::new(),
            next_message: 0,
        }
    }
}

/// The tables whose rows follow from other changes.
pub const JOURNALS: [&str; 2] = ["factor_transactions", "factor_messages"];

/// The rows of a table under one first key.
fn under<'a, V: dtu_kernel::table::Record>(
    table: &'a Table<(SmolStr, SmolStr), V>,
    first: &str,
) -> impl Iterator<Item = &'a Arc<V>> {
    let first = SmolStr::new(first);
    let rows = table.range((first.clone(), SmolStr::default())..);
    rows.take_while(move |((of, _), _)| *of == first).map(|(_, row)| row)
}

impl Factors {
    /// A person's factor by id.
    pub fn get(&self, user: &str, id: &str) -> Option<&Arc<Factor>> {
        self.table.get(&(user.into(), id.into()))
    }

    /// A person's factors, the oldest first.
    pub fn of_user(&self, user: &str) -> Vec<Arc<Factor>> {
        let mut own: Vec<Arc<Factor>> = under(&self.table, user).cloned().collect();
        own.sort_by(|a, b| (a.created, a.kind, &a.id).cmp(&(b.created, b.kind, &b.id)));
        own
    }

    /// A person's factor of a kind.
    pub fn of_kind(&self, user: &str, kind: Kind) -> Option<&Arc<Factor>> {
        under(&self.table, user).find(|factor| factor.kind == kind)
    }

    /// A person's proven phone of a kind of factor.
    pub fn phone(&self, user: &str, kind: Kind) -> Option<&Arc<Phone>> {
        self.phones.get(&(user.into(), kind.factor_type().into()))
    }

    /// Whether a person need not be asked on a device.
    pub fn is_remembered(&self, user: &str, device: &str, now: Timestamp) -> bool {
        self.remembered.get(&(user.into(), device.into())).is_some_and(|until| now < *until)
    }

    /// A person is not asked on a device until then.
    pub fn remember(&mut self, user: &str, device: &str, until: Timestamp) {
        self.remembered.insert((user.into(), device.into()), until);
    }

    /// All, by person. For views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Factor>> {
        self.table.iter().map(|(_, factor)| factor)
    }

    fn put(&mut self, changes: &mut Changes, factor: Factor) -> Arc<Factor> {
        self.table.put(changes, (factor.user.clone(), factor.id.clone()), factor)
    }

    fn remove(&mut self, changes: &mut Changes, factor: &Factor) {
        self.table.remove(changes, &(factor.user.clone(), factor.id.clone()));
        let old: Vec<_> = under(&self.pushes, &factor.id).map(|push| push.id.clone()).collect();
        for id in old {
            self.pushes.remove(changes, &(factor.id.clone(), id));
        }
    }

    fn keep_phone(&mut self, changes: &mut Changes, factor: &Factor) {
        if let (Profile::Phone { number, extension }, true) = (&factor.profile, factor.kind.is_phone()) {
            let phone = Phone {
                kind: factor.kind,
                number: number.clone(),
                extension: extension.clone(),
                factor: factor.id.clone(),
            };
            self.phones.put(changes, (factor.user.clone(), factor.kind.factor_type().into()), phone);
        }
    }

    /// A person's devices are asked again.
    fn forget_devices(&mut self, user: &SmolStr) {
        let from = (user.clone(), SmolStr::default());
        let own: Vec<_> =
            self.remembered.range(from..).map(|(key, _)| key.clone()).take_while(|(of, _)| of == user).collect();
        for key in own {
            self.remembered.remove(&key);
        }
    }

    fn drop_phone(&mut self, changes: &mut Changes, user: &str, kind: Kind) {
        self.phones.remove(changes, &(user.into(), kind.factor_type().into()));
    }
}

/// The factors that a person can be asked for.
pub fn usable(state: &State, user: &User) -> Vec<Arc<Factor>> {
    state.factors.of_user(&user.id).into_iter().filter(|factor| factor.is_active()).collect()
}
