//! Where people are signed in, and what ends that.

use std::sync::Arc;

use dtu_kernel::{seed::Site, tx::Tx};
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    SITE, State,
    audit::{self, Entity},
};

const NUMBER: Site = SITE.child("session");

/// What somebody signs in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// A browser.
    Web,
    /// Slack's program.
    Desktop,
    /// A telephone.
    Mobile,
}

/// Somebody is signed in.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// Who.
    pub user: SmolStr,
    /// With what.
    pub device: Device,
    /// Since when, in seconds.
    pub created: i64,
}

/// What is set for a person's sessions.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SessionRules {
    /// How long one lasts, in seconds.
    pub duration: Option<i64>,
    /// Whether it ends when the window is closed.
    pub quits: Option<bool>,
}

/// Which of a person's sessions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Which {
    pub(crate) mobile_only: bool,
    pub(crate) web_only: bool,
}

impl Which {
    fn holds(self, device: Device) -> bool {
        (!self.mobile_only || device == Device::Mobile) && (!self.web_only || device != Device::Mobile)
    }
}

/// Signs somebody in. Gives back the session's number.
pub(crate) fn sign_in(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, device: Device) -> u64 {
    let number = 1_000_000_000_000 + tx.draw(NUMBER).below(9_000_000_000_000);
    let session = Session { user: user.clone(), device, created: tx.now.as_secs() };
    state.enterprise.sessions.put(&mut tx.changes, number, session);
    state.enterprise.index.sessions_of.insert((user.clone(), number));
    audit::log(state, tx, user, "user_login", &Entity::user(user));
    super::logins::note(state, tx, user, device);
    number
}

/// Ends a session. False where it is none of the person's.
pub(crate) fn end(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, number: u64) -> bool {
    state.enterprise.index.sessions_of.remove(&(user.clone(), number)).is_some()
        && state.enterprise.sessions.remove(&mut tx.changes, &number).is_some()
}

/// Ends a person's sessions.
pub(crate) fn end_all(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, which: Which) {
    let ended: Vec<u64> =
        state.sessions_of(user).filter(|(_, session)| which.holds(session.device)).map(|(number, _)| number).collect();
    for number in ended {
        end(state, tx, user, number);
    }
}

impl State {
    /// A person's sessions by number.
    pub fn sessions_of(&self, user: &SmolStr) -> impl Iterator<Item = (u64, &Arc<Session>)> {
        let rows = self.enterprise.index.sessions_of.range((user.clone(), 0)..=(user.clone(), u64::MAX));
        rows.filter_map(|(_, number)| Some((*number, self.enterprise.sessions.get(number)?)))
    }
}
