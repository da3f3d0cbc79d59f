//! One-time tokens that are mailed or handed out: they let somebody in without a password, once.
//!
//! See developer.okta.com/docs/reference/api/authn/ (activation and recovery tokens).

use std::{sync::Arc, time::Duration};

use dtu_kernel::{ids::BASE64_URL, time::Timestamp};
use serde::Serialize;
use smol_str::SmolStr;

use super::{Act, SITE, grant::Passing, user::User};
use crate::policy;

/// How long an activation token is good: seven days, as orgs start.
const ACTIVATION: Duration = Duration::from_secs(7 * 86_400);

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Purpose {
    /// The first sign-in, at which a password is chosen where there is none.
    Activation,
    /// A new password, as an administrator wishes.
    Reset,
    /// A new password, as the person wishes.
    Forgot,
    /// The end of a lock.
    Unlock,
}

impl Purpose {
    /// What such tokens begin with, and how many characters follow, as recorded.
    const fn shape(self) -> (&'static str, usize) {
        match self {
            Self::Activation | Self::Unlock => ("", 20),
            Self::Reset => ("drp", 17),
            Self::Forgot => ("dfp", 17),
        }
    }
}

/// A token.
#[derive(Clone, Debug, Serialize)]
pub struct OneTime {
    /// Whose.
    pub user: SmolStr,
    /// What for.
    pub purpose: Purpose,
    /// When it ends.
    pub expires: Timestamp,
}

/// The table's name: rows in it follow from other calls.
pub const TABLE: &str = "one_time_tokens";

/// All tokens by their text, with the last of each person.
#[derive(Clone, Debug)]
pub struct OneTimes {
    tokens: Passing<OneTime>,
    latest: imbl::OrdMap<SmolStr, SmolStr>,
}

impl Default for OneTimes {
    fn default() -> Self {
        Self { tokens: Passing::new(TABLE), latest: imbl::OrdMap::new() }
    }
}

impl OneTimes {
    /// A token that has not ended.
    pub fn get(&self, text: &str, now: Timestamp) -> Option<&Arc<OneTime>> {
        self.tokens.get(text).filter(|token| now < token.expires)
    }

    /// All, by text. For views.
    pub fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Arc<OneTime>)> {
        self.tokens.iter()
    }

    /// The last token that was made for somebody: what stands in the mail that they got.
    pub fn latest(&self, user: &SmolStr, now: Timestamp) -> Option<(SmolStr, &Arc<OneTime>)> {
        let text = self.latest.get(user)?;
        Some((text.clone(), self.get(text, now)?))
    }
}

/// Makes a token. Earlier ones of the person end by it.
pub fn make(act: &mut Act<'_, '_>, user: &User, purpose: Purpose) -> SmolStr {
    forget(act, &user.id);
    let (prefix, drawn) = purpose.shape();
    let drawn = act.tx.draw(SITE.child("one-time token")).text(BASE64_URL, drawn);
    let text = SmolStr::from(format!("{prefix}{drawn}"));
    let now = act.now();
    let life = if purpose == Purpose::Activation { ACTIVATION } else { policy::password(act.state, user).token_life() };
    let token = OneTime { user: user.id.clone(), purpose, expires: now.after(life) };
    act.state.one_times.latest.insert(user.id.clone(), text.clone());
    let ends = token.expires;
    act.state.one_times.tokens.put(&mut act.tx.changes, now, text.clone(), ends, token);
    text
}

/// Uses a token up.
pub fn take(act: &mut Act<'_, '_>, text: &str) -> Option<Arc<OneTime>> {
    let token = act.state.one_times.get(text, act.tx.now).cloned()?;
    forget(act, &token.user);
    Some(token)
}

/// Ends a person's token.
pub fn forget(act: &mut Act<'_, '_>, user: &SmolStr) {
    let Some(text) = act.state.one_times.latest.remove(user) else { return };
    if let Some(token) = act.state.one_times.tokens.get(&text).cloned() {
        act.state.one_times.tokens.remove(&mut act.tx.changes, &text, token.expires);
    }
}
