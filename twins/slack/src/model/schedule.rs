//! Messages that are to be posted later, and reminders.

use dtu_kernel::{
    time::{Timestamp, parse_span},
    tx::Tx,
};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    REMINDER, SCHEDULED, State, channels,
    messages::{self, Draft, Extra},
    people::{Role, SLACKBOT, User},
    restrictions::{self, Posting},
    time,
};
use crate::error::Code;

/// How far ahead a message can be scheduled, in seconds.
const AHEAD_MAX: i64 = 120 * 24 * 3600;
/// How many messages can be scheduled for a channel within a window.
const WINDOW_MESSAGES_MAX: usize = 30;
/// The window, in seconds.
const WINDOW: i64 = 300;
/// How close to its time a message can no longer be taken back, in seconds.
const LAST_CALL: i64 = 60;

/// The timer of scheduled messages.
pub(crate) const SCHEDULED_TIMER: &str = "scheduled message";
/// The timer of reminders.
pub(crate) const REMINDER_TIMER: &str = "reminder";

/// A message that waits for its time.
#[derive(Clone, Debug, Serialize)]
pub struct Scheduled {
    /// The id.
    pub id: SmolStr,
    /// Where it is to be posted.
    pub channel: SmolStr,
    /// When, in seconds.
    pub post_at: i64,
    /// When it was scheduled, in seconds.
    pub created: i64,
    /// Who writes it.
    pub user: SmolStr,
    /// The app that scheduled it.
    pub app: SmolStr,
    /// The text as stored.
    pub text: SmolStr,
    /// The thread.
    pub reply_to: Option<u64>,
    /// Blocks, attachments and all else.
    pub extra: Extra,
}

/// Schedules a message.
///
/// # Errors
/// A time that is past or too far away, or too many messages for about that time.
pub(crate) fn schedule(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    app: &SmolStr,
    post_at: i64,
    draft: Draft,
) -> Result<SmolStr, Code> {
    let now = tx.now.as_secs();
    if post_at <= now {
        return Err(Code::TimeInPast);
    }
    if post_at > now + AHEAD_MAX {
        return Err(Code::TimeTooFar);
    }
    let window = post_at - post_at.rem_euclid(WINDOW);
    let from = (channel.clone(), window, SmolStr::default());
    let to = (channel.clone(), window + WINDOW, SmolStr::default());
    if state.index.scheduled.range(from..to).count() >= WINDOW_MESSAGES_MAX {
        return Err(Code::RestrictedTooMany);
    }
    let id = tx.id(&SCHEDULED);
    let row = Scheduled {
        id: id.clone(),
        channel: channel.clone(),
        post_at,
        created: now,
        user: draft.user,
        app: app.clone(),
        text: (&*draft.text).into(),
        reply_to: draft.reply_to,
        extra: draft.extra,
    };
    state.index.scheduled.insert((channel.clone(), post_at, id.clone()));
    state.index.scheduled_by.insert((app.clone(), post_at, id.clone()));
    state.scheduled.put(&mut tx.changes, id.clone(), row);
    tx.timer(Timestamp::from_secs(post_at), SCHEDULED_TIMER, json!(id));
    Ok(id)
}

fn take(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) -> Option<Scheduled> {
    let row = state.scheduled.remove(&mut tx.changes, id)?;
    state.index.scheduled.remove(&(row.channel.clone(), row.post_at, id.clone()));
    state.index.scheduled_by.remove(&(row.app.clone(), row.post_at, id.clone()));
    Some(Scheduled::clone(&row))
}

/// Takes a scheduled message back.
///
/// # Errors
/// Where it is not of this app and channel, was posted, or is about to be.
pub(crate) fn unschedule(
    state: &mut State,
    tx: &mut Tx<'_>,
    app: &SmolStr,
    channel: &SmolStr,
    id: &SmolStr,
) -> Result<(), Code> {
    let now = tx.now.as_secs();
    let fits = |row: &Scheduled| row.app == *app && row.channel == *channel && row.post_at - now > LAST_CALL;
    if !state.scheduled.get(id).is_some_and(|row| fits(row)) {
        return Err(Code::InvalidScheduledMessageId);
    }
    take(state, tx, id);
    Ok(())
}

/// Posts a scheduled message whose time has come; where the app may no longer write there, it is dropped.
pub(crate) fn post_scheduled(state: &mut State, tx: &mut Tx<'_>, id: &Value) {
    let Some(row) = id.as_str().and_then(|id| take(state, tx, &id.into())) else { return };
    let has_channel = state.channels.get(&row.channel).is_some_and(|channel| !channel.archived);
    let has_app = state.apps.get(&row.app).is_some_and(|app| !app.removed);
    let has_user = state.users.get(&row.user).is_some_and(|user| !user.deleted);
    if !(has_channel && has_app && has_user && state.is_member(&row.channel, &row.user)) {
        return;
    }
    let posting = Posting { reply: row.reply_to.is_some(), broadcast: row.extra.broadcast, text: &row.text };
    let rules = state.channels.get(&row.channel).map(|channel| restrictions::check(state, channel, &row.user, posting));
    if rules.is_some_and(|ruled| ruled.is_err()) {
        return;
    }
    let draft = Draft {
        app: Some(row.app),
        reply_to: row.reply_to,
        extra: row.extra,
        ..Draft::new(&row.user, row.text.as_str())
    };
    messages::post(state, tx, &row.channel, draft);
}

/// What a person wants to be reminded of.
#[derive(Clone, Debug, Serialize)]
pub struct Reminder {
    /// The id.
    pub id: SmolStr,
    /// Who made it.
    pub creator: SmolStr,
    /// Who is reminded.
    pub user: SmolStr,
    /// Of what.
    pub text: SmolStr,
    /// When, in seconds.
    pub time: i64,
    /// When it was done, in seconds; 0 where it is not.
    pub complete_ts: i64,
    /// How often it comes again, in seconds; none where once.
    pub every: Option<i64>,
}

/// When a reminder is due, and how often it comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) time: i64,
    pub(crate) every: Option<i64>,
}

const DAY: i64 = 24 * 3600;
/// The furthest a reminder can be away.
const REMINDER_MAX: i64 = 5 * 366 * DAY;

/// Reads the time of a reminder: seconds since 1970, seconds from now within a day, or a few phrases.
pub(crate) fn read_when(text: &str, now: i64) -> Option<When> {
    let text = text.trim().to_ascii_lowercase();
    let once = |time: i64| (time > now && time <= now + REMINDER_MAX).then_some(When { time, every: None });
    if let Ok(number) = text.parse::<i64>() {
        return once(if (1..=DAY).contains(&number) { now + number } else { number });
    }
    let every = |secs: i64| Some(When { time: now + secs, every: Some(secs) });
    match text.as_str() {
        "tomorrow" => return once(now + DAY),
        "next week" => return once(now + 7 * DAY),
        "every day" => return every(DAY),
        "every week" => return every(7 * DAY),
        _ => {}
    }
    let (number, unit) = text.strip_prefix("in ")?.split_once(' ')?;
    let number = if matches!(number, "a" | "an") { "1" } else { number };
    let unit = match unit.trim_end_matches('s') {
        "second" => "s",
        "minute" => "m",
        "hour" => "h",
        "day" => "d",
        _ => return None,
    };
    let span = parse_span(&format!("{number}{unit}")).ok()?;
    once(now + i64::try_from(span.as_secs()).ok()?)
}

/// Makes a reminder.
///
/// # Errors
/// Where `user` cannot be reminded by `creator`.
pub(crate) fn remind(
    state: &mut State,
    tx: &mut Tx<'_>,
    creator: &User,
    user: &SmolStr,
    text: &str,
    when: When,
) -> Result<SmolStr, Code> {
    let reminded = state.users.get(user).filter(|user| !user.deleted).ok_or(Code::UserNotFound)?;
    let others = *user != creator.id;
    match reminded.role {
        _ if user == SLACKBOT => return Err(Code::CannotAddSlackbot),
        Role::Bot => return Err(Code::CannotAddBot),
        _ if others && creator.role == Role::Guest => return Err(Code::CannotAddOthers),
        _ if others && when.every.is_some() => return Err(Code::CannotAddOthersRecurring),
        _ => {}
    }
    let id = tx.id(&REMINDER);
    let row = Reminder {
        id: id.clone(),
        creator: creator.id.clone(),
        user: user.clone(),
        text: text.into(),
        time: when.time,
        complete_ts: 0,
        every: when.every,
    };
    state.index.reminded.insert((creator.id.clone(), id.clone()));
    state.index.reminded.insert((user.clone(), id.clone()));
    state.reminders.put(&mut tx.changes, id.clone(), row);
    tx.timer(Timestamp::from_secs(when.time), REMINDER_TIMER, json!(id));
    Ok(id)
}

/// Marks a reminder as done.
///
/// # Errors
/// Where it comes again, or is another person's.
pub(crate) fn complete(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, id: &SmolStr) -> Result<(), Code> {
    let row = own_reminder(state, user, id)?;
    if row.every.is_some() {
        return Err(Code::CannotCompleteRecurring);
    }
    if row.user != *user {
        return Err(Code::CannotCompleteOthers);
    }
    let now = tx.now.as_secs();
    state.reminders.update(&mut tx.changes, id, |row| row.complete_ts = now);
    Ok(())
}

/// Deletes a reminder.
///
/// # Errors
/// Where the person has no such reminder.
pub(crate) fn delete_reminder(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr, id: &SmolStr) -> Result<(), Code> {
    let row = own_reminder(state, user, id)?.clone();
    state.reminders.remove(&mut tx.changes, id);
    state.index.reminded.remove(&(row.creator, id.clone()));
    state.index.reminded.remove(&(row.user, id.clone()));
    Ok(())
}

/// A reminder that the person made or is reminded by.
pub(crate) fn own_reminder<'a>(state: &'a State, user: &SmolStr, id: &SmolStr) -> Result<&'a Reminder, Code> {
    let row = state.reminders.get(id).filter(|row| row.creator == *user || row.user == *user);
    row.map(|row| &**row).ok_or(Code::NotFound)
}

/// Slackbot says what a person wanted to be reminded of.
pub(crate) fn ring(state: &mut State, tx: &mut Tx<'_>, id: &Value) {
    let Some(row) = id.as_str().and_then(|id| state.reminders.get(&id.into())).cloned() else { return };
    if row.complete_ts > 0 || state.users.get(&row.user).is_none_or(|user| user.deleted) {
        return;
    }
    let talkers = [row.user.clone(), SmolStr::new_static(SLACKBOT)];
    let channel = channels::open_direct(state, tx, &talkers);
    let text = format!("Reminder: {}.", row.text.trim_end_matches('.'));
    messages::post(state, tx, &channel, Draft::new(&talkers[1], text));
    if let Some(every) = row.every {
        let next = row.time + every;
        state.reminders.update(&mut tx.changes, &row.id, |row| row.time = next);
        tx.timer(Timestamp::from_secs(next), REMINDER_TIMER, json!(row.id));
    }
}

/// The time at which something else than a message happened, as a message timestamp.
pub(crate) fn stamp(now: Timestamp) -> SmolStr {
    time::ts_text(time::micros(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_reminders_are_read() {
        let now = 1_772_442_000;
        let check = |text: &str, wanted: Option<(i64, Option<i64>)>| {
            let read = read_when(text, now).map(|when| (when.time - now, when.every));
            assert_eq!(read, wanted, "{text}");
        };
        check("1772442060", Some((60, None)));
        check("20", Some((20, None)));
        check("in 15 minutes", Some((900, None)));
        check("In an hour", Some((3600, None)));
        check("tomorrow", Some((DAY, None)));
        check("every day", Some((DAY, Some(DAY))));
        check("1772441000", None);
        check("2772442060", None);
        check("whenever", None);
    }
}
