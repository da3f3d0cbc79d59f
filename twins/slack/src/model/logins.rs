//! Who has signed in, with what, and how often: what `team.accessLogs` tells.

use dtu_kernel::tx::Tx;
use serde::Serialize;
use smol_str::SmolStr;

use super::{State, sessions::Device};

/// All that a person has signed in with one device.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Login {
    /// The first time, in seconds.
    pub first: i64,
    /// The last time, in seconds.
    pub last: i64,
    /// How often.
    pub count: u64,
}

impl Device {
    /// What the device calls itself.
    pub(crate) const fn agent(self) -> &'static str {
        match self {
            Self::Web => "SlackWeb Mozilla/5.0",
            Self::Desktop => "Slack_SSB Mozilla/5.0",
            Self::Mobile => "com.tinyspeck.chatlyio",
        }
    }
}

/// Somebody has signed in.
pub(crate) fn note(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, device: Device) {
    let key = (user.clone(), SmolStr::new_static(device.agent()));
    let now = tx.now.as_secs();
    let before = state.logins.get(&key).map_or(Login { first: now, last: now, count: 0 }, |login| **login);
    let login = Login { last: now, count: before.count + 1, ..before };
    if before.count > 0 {
        state.index.logins_by_time.remove(&(before.last, key.0.clone(), key.1.clone()));
    }
    state.index.logins_by_time.insert((now, key.0.clone(), key.1.clone()));
    state.logins.put(&mut tx.changes, key, login);
}
