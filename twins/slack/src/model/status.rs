//! What people tell of themselves: profile, status, presence, and when they want no notifications.

use std::{collections::BTreeMap, sync::Arc};

use dtu_kernel::{time::Timestamp, tx::Tx};
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    State,
    apps::App,
    fields::{self, Filled},
    marks::is_emoji,
    people::{Role, User},
};
use crate::{announce, error::Code, events};

/// The longest status, in characters.
const STATUS_MAX: usize = 100;
/// The longest snooze, in minutes: Slack's pages allow no more than a year.
const SNOOZE_MAX: i64 = 366 * 24 * 60;
/// The emoji of a status that has words and no emoji.
const SPEECH: &str = ":speech_balloon:";

/// The timer that clears a status.
pub(crate) const STATUS_TIMER: &str = "status";

/// What a person tells besides name and address.
#[derive(Clone, Debug, Default, Serialize)]
pub struct About {
    /// The name that others see.
    pub display_name: SmolStr,
    /// How to be spoken of.
    pub pronouns: SmolStr,
    /// The words of the status.
    pub status_text: SmolStr,
    /// Its emoji, with colons.
    pub status_emoji: SmolStr,
    /// When it is cleared, in seconds; 0 where never.
    pub status_expiration: i64,
    /// Whether the person has set themselves away.
    pub away: bool,
    /// Until when notifications are snoozed, in seconds; 0 where they are not.
    pub snoozed_until: i64,
    /// The conversation whose huddle the person is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub huddle: Option<SmolStr>,
    /// What tells the picture from others; none where the person has chosen none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo: Option<SmolStr>,
    /// What the person has filled in of the workspace's own fields.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<SmolStr, Filled>,
}

/// The members of a profile that nobody can set.
const READ_ONLY: &[&str] = &["avatar_hash", "real_name_normalized", "display_name_normalized", "team"];

/// Changes a profile: all of it or nothing.
///
/// # Errors
/// A member that is not text, a status that is too long, an emoji that is none, an address that is taken.
pub(crate) fn set_profile(
    state: &mut State,
    tx: &mut Tx<'_>,
    (id, by): (&SmolStr, &User),
    members: &Map<String, Value>,
) -> Result<(), Code> {
    let before = state.users.get(id).cloned().ok_or(Code::UserNotFound)?;
    let mut user = User::clone(&before);
    for (name, value) in members.iter().filter(|(name, _)| !READ_ONLY.contains(&name.as_str())) {
        set_member(state, (&mut user, by), name, value)?;
    }
    let about = &mut user.about;
    if about.status_text.is_empty() && about.status_emoji.is_empty() {
        about.status_expiration = 0;
    } else if about.status_emoji.is_empty() {
        about.status_emoji = SmolStr::new_static(SPEECH);
    }
    let (expires, old) = (about.status_expiration, before.about.status_expiration);
    if expires > 0 && expires != old {
        tx.timer(Timestamp::from_secs(expires), STATUS_TIMER, json!([id, expires]));
    }
    save(state, tx, &before, user);
    Ok(())
}

/// One member of a profile.
fn set_member(state: &State, (user, by): (&mut User, &User), name: &str, value: &Value) -> Result<(), Code> {
    if name == "fields" {
        return fields::fill(state, &mut user.about, value);
    }
    let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    if name == "status_expiration" {
        user.about.status_expiration = number.filter(|secs| *secs >= 0).ok_or(Code::InvalidProfile)?;
        return Ok(());
    }
    let text = SmolStr::new(value.as_str().ok_or(Code::InvalidProfile)?.trim());
    match name {
        "first_name" | "last_name" | "real_name" | "display_name" if is_reserved(&text) => {
            return Err(Code::ReservedName);
        }
        "first_name" => user.first = text,
        "last_name" => user.last = text,
        "real_name" => (user.first, user.last) = split_name(&text),
        "display_name" => user.about.display_name = text,
        "title" => user.title = text,
        "phone" => user.phone = text,
        "pronouns" => user.about.pronouns = text,
        "status_text" if text.chars().count() > STATUS_MAX => return Err(Code::TooLong),
        "status_text" => user.about.status_text = text,
        "status_emoji" if !text.is_empty() && !is_emoji(state, text.trim_matches(':')) => {
            return Err(Code::ProfileStatusSetFailedNotValidEmoji);
        }
        "status_emoji" if text.is_empty() => user.about.status_emoji = text,
        "status_emoji" => user.about.status_emoji = smol_str::format_smolstr!(":{}:", text.trim_matches(':')),
        "email" => set_email(state, (user, by), text)?,
        _ => return Err(Code::InvalidProfile),
    }
    if matches!(name, "first_name" | "last_name" | "real_name") {
        user.real_name = format!("{} {}", user.first, user.last).trim().into();
    }
    Ok(())
}

/// Whether a name stands for many people in messages, so that nobody can have it.
fn is_reserved(name: &str) -> bool {
    ["channel", "everyone", "group", "here"].iter().any(|reserved| name.eq_ignore_ascii_case(reserved))
}

fn split_name(name: &str) -> (SmolStr, SmolStr) {
    let (first, last) = name.rsplit_once(' ').unwrap_or((name, ""));
    (first.into(), last.into())
}

fn set_email(state: &State, (user, by): (&mut User, &User), email: SmolStr) -> Result<(), Code> {
    if !by.is_admin() {
        return Err(Code::NotAdmin);
    }
    if state.user_by_email(&email).is_some_and(|other| other.id != user.id) {
        return Err(Code::EmailTaken);
    }
    if !email.contains('@') {
        return Err(Code::InvalidProfile);
    }
    user.email = Some(email);
    Ok(())
}

/// Writes a user's row where it differs, and what finds it; apps hear of it.
fn save(state: &mut State, tx: &mut Tx<'_>, before: &User, mut user: User) {
    if let Some(email) = &before.email {
        state.index.user_by_email.remove(email.to_ascii_lowercase().as_str());
    }
    if let Some(email) = &user.email {
        state.index.user_by_email.insert(email.to_ascii_lowercase().into(), user.id.clone());
    }
    user.updated = tx.now.as_secs();
    let id = user.id.clone();
    let row = state.users.put(&mut tx.changes, id, user);
    events::user_changed(state, tx, &row);
    announce::profile_changed(state, tx, before, &row);
}

/// Gives a person another picture, or none; apps hear of it.
///
/// # Errors
/// Where there is no such user.
pub(crate) fn set_photo(
    state: &mut State,
    tx: &mut Tx<'_>,
    id: &SmolStr,
    photo: Option<SmolStr>,
) -> Result<Arc<User>, Code> {
    let (before, now) = (state.users.get(id).cloned().ok_or(Code::UserNotFound)?, tx.now.as_secs());
    let after = state.users.update(&mut tx.changes, id, |user| (user.about.photo, user.updated) = (photo, now));
    let after = after.ok_or(Code::UserNotFound)?;
    events::user_changed(state, tx, &after);
    announce::profile_changed(state, tx, &before, &after);
    Ok(after)
}

/// Clears a status whose time is over, if it is still the same one.
pub(crate) fn expire(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let Some(before) = data[0].as_str().and_then(|id| state.users.get(&id.into())).cloned() else { return };
    if data[1].as_i64() != Some(before.about.status_expiration) {
        return;
    }
    let mut user = User::clone(&before);
    let about = &mut user.about;
    (about.status_text, about.status_emoji, about.status_expiration) = (SmolStr::default(), SmolStr::default(), 0);
    save(state, tx, &before, user);
}

/// Sets a person away, or leaves it to Slack.
pub(crate) fn set_away(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, away: bool) {
    state.users.update(&mut tx.changes, id, |user| user.about.away = away);
    crate::rtm::presence_changed(state, tx, id);
}

/// Whether a user counts as here. People do unless they are away; of bots those that are set to be always online, and
/// those with a real-time session.
///
/// <https://docs.slack.dev/apis/web-api/user-presence-and-status>
pub(crate) fn is_active(state: &State, user: &User) -> bool {
    let app = user.app.as_ref().and_then(|id| state.apps.get(id)).filter(|app| !app.removed);
    let is_online = |app: &App| app.setup.manifest["features"]["bot_user"]["always_online"] == true;
    let counts = match user.role {
        Role::Bot => app.is_some_and(|app| is_online(app) || state.rtm.has(&app.id)),
        _ => true,
    };
    counts && !user.deleted && !user.about.away
}

/// Snoozes notifications.
///
/// # Errors
/// Minutes that are none, or too many.
pub(crate) fn snooze(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, minutes: i64) -> Result<i64, Code> {
    if minutes < 1 {
        return Err(Code::MissingDuration);
    }
    if minutes > SNOOZE_MAX {
        return Err(Code::TooLong);
    }
    let until = tx.now.as_secs() + minutes * 60;
    set_snooze(state, tx, id, until);
    Ok(until)
}

/// Ends a snooze.
///
/// # Errors
/// Where there is none.
pub(crate) fn end_snooze(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) -> Result<(), Code> {
    if state.users.get(id).is_none_or(|user| user.about.snoozed_until <= tx.now.as_secs()) {
        return Err(Code::SnoozeNotActive);
    }
    set_snooze(state, tx, id, 0);
    Ok(())
}

fn set_snooze(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, until: i64) {
    if let Some(user) = state.users.update(&mut tx.changes, id, |user| user.about.snoozed_until = until) {
        announce::dnd(state, tx, &user);
    }
}
