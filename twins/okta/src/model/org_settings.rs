//! The org's preferences: the footer of end users' pages, mail from Okta, access of Okta's support, contacts.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{table::Table, time::Timestamp};
use serde::Serialize;
use smol_str::SmolStr;

use super::{Act, user::User};
use crate::error::Error;

/// Whom Okta calls about the org.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Contact {
    /// About money.
    Billing,
    /// About everything else.
    Technical,
}

impl Contact {
    /// The kind of this name, in any case: links have small letters, callers large ones.
    pub fn find(name: &str) -> Option<Self> {
        [Self::Billing, Self::Technical].into_iter().find(|kind| kind.text().eq_ignore_ascii_case(name))
    }

    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Billing => "BILLING",
            Self::Technical => "TECHNICAL",
        }
    }
}

/// The settings.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Settings {
    /// Whether the footer is hidden.
    pub hides_footer: bool,
    /// Whether people get mail from Okta.
    pub takes_mail: bool,
    /// Until when Okta's support may come in; none where it may not.
    pub support_until: Option<Timestamp>,
    /// The id of whom Okta calls about money; the first administrator where none was chosen.
    pub billing: SmolStr,
    /// The id of whom Okta calls about everything else.
    pub technical: SmolStr,
}

impl Settings {
    /// Whether Okta's support may come in at a time.
    pub fn lets_support_in(&self, now: Timestamp) -> Option<Timestamp> {
        self.support_until.filter(|until| *until > now)
    }
}

/// The one row of settings.
#[derive(Clone, Debug)]
pub struct OrgSettings(Table<SmolStr, Settings>);

impl Default for OrgSettings {
    fn default() -> Self {
        Self(Table::new("org_settings"))
    }
}

const KEY: SmolStr = SmolStr::new_static("org");

impl OrgSettings {
    /// The settings as they are.
    pub fn get(&self) -> Settings {
        self.0.get(&KEY).map(|settings| Settings::clone(settings)).unwrap_or_default()
    }
}

/// How long support may come in: from a grant 8 hours, by each extension a day more. Recorded.
const GRANT: Duration = Duration::from_secs(8 * 3_600);
const EXTENSION: Duration = Duration::from_secs(24 * 3_600);

fn change(act: &mut Act<'_, '_>, edit: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = act.state.settings.get();
    edit(&mut settings);
    act.state.settings.0.put(&mut act.tx.changes, KEY, settings.clone());
    settings
}

/// Shows or hides the footer.
pub fn show_footer(act: &mut Act<'_, '_>, shown: bool) -> Settings {
    change(act, |settings| settings.hides_footer = !shown)
}

/// Opts people in to or out of mail from Okta.
pub fn take_mail(act: &mut Act<'_, '_>, taken: bool) -> Settings {
    change(act, |settings| settings.takes_mail = taken)
}

/// Lets Okta's support in.
pub fn grant_support(act: &mut Act<'_, '_>) -> Settings {
    let until = act.now().after(GRANT);
    change(act, |settings| settings.support_until = Some(until))
}

/// Lets Okta's support in for a day more.
///
/// # Errors
/// It may not come in at all: inferred, as there is no link to do so then.
pub fn extend_support(act: &mut Act<'_, '_>) -> Result<Settings, Error> {
    let until = act.state.settings.get().lets_support_in(act.now());
    let until = until.ok_or_else(|| Error::invalid("oktaSupport", "Okta Support access is not granted."))?;
    Ok(change(act, |settings| settings.support_until = Some(until.after(EXTENSION))))
}

/// Shuts Okta's support out; nothing happens where it may not come in.
pub fn revoke_support(act: &mut Act<'_, '_>) -> Settings {
    change(act, |settings| settings.support_until = None)
}

/// Chooses whom Okta calls.
pub fn choose_contact(act: &mut Act<'_, '_>, kind: Contact, user: &Arc<User>) {
    change(act, |settings| match kind {
        Contact::Billing => settings.billing = user.id.clone(),
        Contact::Technical => settings.technical = user.id.clone(),
    });
}
