//! How the events of apps fare: too many in an hour, and too few that arrive.
//!
//! <https://docs.slack.dev/apis/events-api#rate_limiting>, <https://docs.slack.dev/apis/events-api#failure-limits>

use std::time::Duration;

use dtu_kernel::{limits::Limits, time::Timestamp, tx::Tx};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    State, apps,
    people::{Role, User},
};
use crate::events::APP_RATE_LIMITED;

/// How many events of a workspace an app is sent in an hour.
pub(crate) const EVENTS_MAX: u32 = 30_000;
/// How many events in an hour it takes before failures count.
const COUNTED_MIN: u32 = 1_000;
/// The percentage of attempts to deliver them that has to fail.
const FAILED_PERCENT: u32 = 95;
/// What both are counted over.
const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// The timer that tells an app each minute that it is sent nothing.
pub(crate) const LIMITED_TIMER: &str = "events limited";

/// What was sent to an app within an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    /// When the hour began.
    since: Timestamp,
    /// Events, each counted once.
    events: u32,
    /// Attempts to deliver them.
    attempts: u32,
    /// Those that failed.
    failed: u32,
    /// Whether the app is sent no more within the hour.
    limited: bool,
}

/// What a delivery has brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Nothing,
    Limited,
    Silenced,
}

impl Health {
    const fn new(now: Timestamp) -> Self {
        Self { since: now, events: 0, attempts: 0, failed: 0, limited: false }
    }

    fn is_over(self, now: Timestamp) -> bool {
        now.since(self.since) >= HOUR
    }

    fn is_limited(self, now: Timestamp) -> bool {
        self.limited && !self.is_over(now)
    }

    /// Counts an attempt. Without limits no app is sent too much.
    fn note(&mut self, is_first: bool, arrived: bool, limits: Limits) -> Turn {
        self.attempts += 1;
        self.events += u32::from(is_first);
        self.failed += u32::from(!arrived);
        let fails = u64::from(self.failed) * 100 > u64::from(self.attempts) * u64::from(FAILED_PERCENT);
        match () {
            () if self.events >= COUNTED_MIN && fails => Turn::Silenced,
            () if is_first && !self.limited && limits.of(EVENTS_MAX).is_some_and(|most| self.events >= most) => {
                self.limited = true;
                Turn::Limited
            }
            () => Turn::Nothing,
        }
    }
}

/// A mail that Slack has sent somebody.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    /// The user.
    pub to: SmolStr,
    /// What it is about.
    pub subject: String,
    /// When.
    pub at: Timestamp,
}

/// An attempt to tell an app of an event is over.
pub(crate) fn attempted(state: &mut State, tx: &mut Tx<'_>, app: &SmolStr, is_first: bool, arrived: bool) {
    let fresh = Health::new(tx.now);
    let mut health = state.health.get(app).copied().filter(|health| !health.is_over(tx.now)).unwrap_or(fresh);
    let turn = health.note(is_first, arrived, tx.limits);
    state.health.insert(app.clone(), health);
    match turn {
        Turn::Nothing => {}
        Turn::Limited => tell_limited(state, tx, app),
        Turn::Silenced => silence(state, tx, app),
    }
}

/// Whether an app is sent no more events for now.
pub(crate) fn is_limited(state: &State, app: &SmolStr, now: Timestamp) -> bool {
    state.health.get(app).is_some_and(|health| health.is_limited(now))
}

/// Tells an app that it is sent nothing in this minute, and again in the next while that lasts.
fn tell_limited(state: &State, tx: &mut Tx<'_>, id: &SmolStr) {
    let Some(app) = state.apps.get(id) else { return };
    let secs = tx.now.as_secs();
    let body = json!({
        "token": app.verification_token,
        "type": "app_rate_limited",
        "team_id": state.workspace.id,
        "minute_rate_limited": secs - secs.rem_euclid(60),
        "api_app_id": app.id,
    });
    tx.deliver(APP_RATE_LIMITED, json!({ "app": id, "body": body }));
    tx.timer(tx.now.after(MINUTE), LIMITED_TIMER, json!(id));
}

/// The timer has come due.
pub(crate) fn still_limited(state: &State, tx: &mut Tx<'_>, data: &Value) {
    let id = SmolStr::new(data.as_str().unwrap_or_default());
    if is_limited(state, &id, tx.now) {
        tell_limited(state, tx, &id);
    }
}

/// Turns off the events of an app, and writes to those who look after it.
fn silence(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    state.health.remove(id);
    let Some(app) = state.apps.get(id).filter(|app| !app.setup.silenced).cloned() else { return };
    apps::edit(state, tx, id, |app| app.setup.silenced = true);
    let cares = |user: &User| user.id == app.installer || matches!(user.role, Role::PrimaryOwner | Role::Owner);
    let all: Vec<SmolStr> =
        state.users.iter().filter(|(_, user)| !user.deleted && cares(user)).map(|(id, _)| id.clone()).collect();
    for to in all {
        let number = format_smolstr!("{:06}", state.mails.len() + 1);
        let subject = format!("Event subscriptions of {} have been disabled", app.name);
        state.mails.put(&mut tx.changes, number, Mail { to, subject, at: tx.now });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_count_from_a_thousand_events_on() {
        let mut health = Health::new(Timestamp::from_secs(0));
        let turns: Vec<Turn> = (0..4 * COUNTED_MIN).map(|n| health.note(n % 4 == 0, false, Limits::Off)).collect();
        let last = 4 * (COUNTED_MIN as usize - 1);
        assert!(turns[..last].iter().all(|turn| *turn == Turn::Nothing));
        assert_eq!(turns[last], Turn::Silenced);
        let mut health = Health::new(Timestamp::from_secs(0));
        let turns: Vec<Turn> = (0..2_000).map(|n| health.note(true, n % 20 == 0, Limits::Off)).collect();
        assert!(turns.iter().all(|turn| *turn == Turn::Nothing), "95 of 100 are not more than 95");
    }

    #[test]
    fn an_hour_has_thirty_thousand_events() {
        let mut health = Health::new(Timestamp::from_secs(0));
        let turns: Vec<Turn> = (0..EVENTS_MAX).map(|_| health.note(true, true, Limits::Real)).collect();
        assert_eq!(turns.iter().filter(|turn| **turn == Turn::Limited).count(), 1);
        let at = |secs| health.is_limited(Timestamp::from_secs(secs));
        assert!(at(0) && at(3_599) && !at(3_600));
    }
}
