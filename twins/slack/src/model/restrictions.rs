//! What administrators have ruled about who may say what where: posting permissions of channels, who may come into them,
//! information barriers, and how long messages are kept.
//!
//! Which of Slack's codes goes with which rule follows from the words that `chat.postMessage`'s page has for them:
//! <https://docs.slack.dev/reference/methods/chat.postMessage>. Barriers are described at
//! <https://slack.com/help/articles/360056171734-Create-information-barriers-in-Slack>: what was a direct message becomes
//! read-only, new ones are blocked, channels stay as they are.

use dtu_kernel::{time::Timestamp, tx::Tx};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    State,
    channels::{Channel, Kind},
    messages::{self, Subtype},
    org,
    people::{Role, User},
    time::micros,
    upkeep,
};
use crate::error::Code;

/// The timer that removes messages whose time is over.
pub(crate) const RETENTION_TIMER: &str = "retention";
/// A day, in microseconds.
const DAY: u64 = 24 * 3600 * 1_000_000;
/// The most messages that one turn of the timer removes.
const SWEEP_MAX: usize = 1_000;

/// Something that somebody is about to say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting<'a> {
    /// Whether it is a reply.
    pub(crate) reply: bool,
    /// Whether a reply is shown in the channel as well.
    pub(crate) broadcast: bool,
    /// The text as stored.
    pub(crate) text: &'a str,
}

/// Whether somebody is among those whom a preference names. Bots are not full members:
/// <https://github.com/slack-samples/javascript-announcement-bot/issues/6>.
fn is_named(state: &State, preference: &Value, user: &User) -> bool {
    let list = |name: &str| preference[name].as_array().into_iter().flatten().filter_map(Value::as_str);
    let by_kind = list("type").any(|kind| match kind {
        "ra" => true,
        "user" => !matches!(user.role, Role::Guest | Role::Bot),
        "admin" | "org_admin" => user.is_admin(),
        "owner" | "org_owner" => matches!(user.role, Role::PrimaryOwner | Role::Owner),
        _ => false,
    });
    let in_group = |group: &str| state.index.groups_of.contains(&(user.id.clone(), group.into()));
    by_kind || list("user").any(|id| user.id == id) || list("subteam").any(in_group)
}

/// Whether somebody may say something in a channel, by what administrators have ruled.
///
/// # Errors
/// The code of the rule that forbids it.
pub(crate) fn check(state: &State, channel: &Channel, user: &SmolStr, said: Posting<'_>) -> Result<(), Code> {
    if state.is_suspended(&channel.id) {
        return Err(Code::EkmAccessDenied);
    }
    if !channel.kind.is_channel() {
        return if is_barred(state, &channel.talkers) { Err(Code::RestrictedActionReadOnlyChannel) } else { Ok(()) };
    }
    let at_top = !said.reply || said.broadcast;
    if channel.general && at_top && !state.may(user, |row| row.posts_in_general) {
        return Err(Code::RestrictedAction);
    }
    let Some(rules) = state.enterprise.rules.get(&channel.id).filter(|rules| !rules.prefs.is_empty()) else {
        return Ok(());
    };
    match rights(state, &channel.id, user) {
        (false, false) => return Err(Code::RestrictedActionReadOnlyChannel),
        (false, true) if at_top => return Err(Code::RestrictedActionThreadOnlyChannel),
        (true, false) if said.reply => return Err(Code::RestrictedActionNonThreadableChannel),
        _ => {}
    }
    let off = |name: &str| rules.prefs.get(name).is_some_and(|preference| preference["enabled"] == false);
    let calls = |name: &str| said.text.contains(&format!("<!{name}>")) || said.text.contains(&format!("<!{name}|"));
    let everybody = (off("enable_at_channel") && (calls("channel") || calls("everyone")))
        || (off("enable_at_here") && calls("here"));
    if everybody { Err(Code::RestrictedAction) } else { Ok(()) }
}

/// Whether one more may come into a channel, besides `coming` others who come with the same call: by the most members
/// that it may have, and by the groups whose people alone may be added to it. Who is in it already stays; apps are in no
/// such group. That `too_many_members` tells of the limit, and `cant_invite` of the groups, follows from the words at
/// <https://docs.slack.dev/reference/methods/conversations.join> and
/// <https://docs.slack.dev/reference/methods/conversations.invite>.
///
/// # Errors
/// The code of the rule that forbids it.
pub(crate) fn check_join(state: &State, channel: &Channel, user: &SmolStr, coming: usize) -> Result<(), Code> {
    let Some(rules) = state.enterprise.rules.get(&channel.id) else { return Ok(()) };
    let most = rules.prefs.get("membership_limit").and_then(|preference| preference["value"].as_u64());
    let there = u64::try_from(coming).unwrap_or(u64::MAX).saturating_add(u64::from(channel.members));
    if most.is_some_and(|most| there >= most) {
        return Err(Code::TooManyMembers);
    }
    let is_app = state.users.get(user).is_some_and(|user| user.role == Role::Bot);
    let is_in = |group: &SmolStr| state.index.groups_of.contains(&(user.clone(), group.clone()));
    let is_open = rules.groups.is_empty() || channel.kind != Kind::Private || is_app;
    if is_open || rules.groups.iter().any(is_in) { Ok(()) } else { Err(Code::CantInvite) }
}

/// Whether people may begin a huddle in a channel.
pub(crate) fn has_huddles(state: &State, channel: &SmolStr) -> bool {
    let rules = state.enterprise.rules.get(channel);
    rules.and_then(|rules| rules.prefs.get("can_huddle")).is_none_or(|preference| preference["enabled"] != false)
}

/// Whether somebody may change what is pinned to a channel: who may not post there may not.
///
/// # Errors
/// `permission_denied`.
pub(crate) fn check_pin(state: &State, channel: &SmolStr, user: &SmolStr) -> Result<(), Code> {
    if rights(state, channel, user).0 { Ok(()) } else { Err(Code::PermissionDenied) }
}

/// Sets preferences of a channel; the channel shows it where they say who may post.
pub(crate) fn prefer(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, by: &SmolStr, prefs: Map<String, Value>) {
    let tells = prefs.keys().any(|name| matches!(name.as_str(), "who_can_post" | "can_thread"));
    org::set_rules(state, tx, channel, |rules| rules.prefs.extend(prefs));
    if tells {
        upkeep::show_permissions(state, tx, channel, by);
    }
}

/// Whether administrators let somebody post in a channel, and reply in its threads.
pub(crate) fn rights(state: &State, channel: &SmolStr, user: &SmolStr) -> (bool, bool) {
    let rules = state.enterprise.rules.get(channel);
    let Some((rules, user)) = rules.zip(state.users.get(user)) else { return (true, true) };
    let may = |name: &str| rules.prefs.get(name).is_none_or(|preference| is_named(state, preference, user));
    (may("who_can_post"), may("can_thread"))
}

/// Whether a barrier stands between two of those who talk. An organization has few barriers, people are in few groups.
pub(crate) fn is_barred(state: &State, talkers: &[SmolStr]) -> bool {
    let is_in = |user: &SmolStr, group: &SmolStr| state.index.groups_of.contains(&(user.clone(), group.clone()));
    state.enterprise.barriers.iter().any(|(_, barrier)| {
        talkers.iter().any(|one| {
            let others = || talkers.iter().filter(|other| *other != one);
            is_in(one, &barrier.primary) && others().any(|other| barrier.from.iter().any(|group| is_in(other, group)))
        })
    })
}

/// Sets how long the messages of a channel are kept; 0 for as long as those of others.
pub(crate) fn keep(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, days: i64) {
    let set = micros(tx.now);
    org::set_rules(state, tx, channel, |rules| (rules.retention_days, rules.retention_set) = (days, set));
    if days > 0 {
        arm(state, tx, (channel, set), days);
    }
}

/// How old a message may become, in microseconds.
fn life(days: i64) -> u64 {
    DAY.saturating_mul(days.unsigned_abs())
}

/// Comes back when the oldest message's time is over; in an empty channel, when that of one said now would be.
fn arm(state: &State, tx: &mut Tx<'_>, (channel, set): (&SmolStr, u64), days: i64) {
    let oldest = oldest(state, channel).unwrap_or_else(|| micros(tx.now));
    let due = oldest.saturating_add(life(days)).max(micros(tx.now));
    // A whole second later, so that what is due then is over.
    let at = Timestamp::from_secs(i64::try_from(due / 1_000_000 + 1).unwrap_or(i64::MAX));
    tx.timer(at, RETENTION_TIMER, json!([channel, set]));
}

/// The oldest of what may be removed in a channel: what is left of a message goes with the last reply to it.
fn oldest(state: &State, channel: &SmolStr) -> Option<u64> {
    let mut found: Option<u64> = None;
    for message in state.timeline(channel, u64::MAX) {
        let is_left = message.subtype() == Some(Subtype::Tombstone);
        let first_reply = || state.thread(channel, message.ts, 0).next().map(|reply| reply.ts);
        let ts = if is_left { first_reply().unwrap_or(message.ts) } else { message.ts };
        found = Some(found.map_or(ts, |found| found.min(ts)));
        if !is_left {
            break;
        }
    }
    found
}

/// Removes what has become too old in a channel, and comes back for the rest.
pub(crate) fn sweep(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let (Some(channel), Some(set)) = (data[0].as_str().map(SmolStr::new), data[1].as_u64()) else { return };
    let days = match state.enterprise.rules.get(&channel) {
        Some(rules) if rules.retention_set == set && rules.retention_days > 0 => rules.retention_days,
        // Another rule holds since.
        _ => return,
    };
    let until = micros(tx.now).saturating_sub(life(days));
    let old: Vec<u64> = state.timeline(&channel, until).map(|message| message.ts).take(SWEEP_MAX).collect();
    for ts in old {
        let replies: Vec<u64> =
            state.thread(&channel, ts, 0).map(|reply| reply.ts).take_while(|ts| *ts <= until).collect();
        for reply in replies {
            messages::delete(state, tx, &channel, reply);
        }
        let is_left = |row: &messages::Message| row.subtype() == Some(Subtype::Tombstone) && row.thread.is_some();
        if state.message(&channel, ts).is_some_and(|row| !is_left(row)) {
            messages::delete(state, tx, &channel, ts);
        }
    }
    arm(state, tx, (&channel, set), days);
}
