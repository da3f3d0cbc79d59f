//! Slack's smaller objects as they go over the wire: marks, groups, reminders, snoozes.

use dtu_kernel::time::Timestamp;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    model::{
        State,
        files::{File, Mode},
        groups::Group,
        marks::{Bookmark, Starred},
        messages::Message,
        people::User,
        schedule::Reminder,
        time::ts_text,
    },
    shapes,
};

impl State {
    /// Where people find a message in a browser.
    pub(crate) fn permalink(&self, channel: &SmolStr, message: &Message) -> String {
        let ts = ts_text(message.ts).replace('.', "");
        let url = format!("{}archives/{channel}/p{ts}", self.url());
        match message.reply_to {
            Some(parent) => format!("{url}?thread_ts={}&cid={channel}", ts_text(parent)),
            None => url,
        }
    }
}

/// A message with where people find it.
pub(crate) fn linked_message(state: &State, channel: &SmolStr, message: &Message) -> Value {
    let mut body = shapes::message_value(state, channel, message);
    body["permalink"] = json!(state.permalink(channel, message));
    body
}

/// Something starred; null where it is gone.
pub(crate) fn starred(state: &State, on: &Starred, created: i64) -> Value {
    match on {
        Starred::Channel(id) => json!({ "type": "channel", "channel": id, "date_create": created }),
        Starred::File(id) => {
            let is_gone = |file: &&std::sync::Arc<File>| file.mode == Mode::Tombstone;
            let Some(file) = state.files.get(id).filter(|file| !is_gone(file)) else { return Value::Null };
            let mut file = shapes::file(state, file);
            file["is_starred"] = json!(true);
            json!({ "type": "file", "file": file, "date_create": created })
        }
        Starred::Message(channel, ts) => {
            let Some(row) = state.message(channel, *ts) else { return Value::Null };
            let mut message = linked_message(state, channel, row);
            message["is_starred"] = json!(true);
            json!({ "type": "message", "channel": channel, "message": message, "date_create": created })
        }
    }
}

/// A user group.
pub(crate) fn group(state: &State, group: &Group, users: bool, count: bool) -> Value {
    let (private, public): (Vec<&SmolStr>, Vec<&SmolStr>) = group
        .channels
        .iter()
        .partition(|id| state.channels.get(*id).is_some_and(|row| row.kind.scope_family() == "groups"));
    let mut body = json!({
        "id": group.id,
        "team_id": state.workspace.id,
        "is_usergroup": true,
        "is_subteam": true,
        "name": group.name,
        "description": group.description,
        "handle": group.handle,
        "is_external": false,
        "date_create": group.created,
        "date_update": group.updated,
        "date_delete": group.deleted,
        "auto_type": null,
        "auto_provision": false,
        "enterprise_subteam_id": "",
        "created_by": group.created_by,
        "updated_by": group.updated_by,
        "deleted_by": group.deleted_by,
        "prefs": { "channels": public, "groups": private },
        "channel_count": group.channels.len(),
        "is_section": false,
        "is_idp_group": group.idp,
        "is_visible": true,
        "is_editing_restricted": false,
        "is_membership_locked": false,
        "is_org_level": false,
    });
    if users {
        body["users"] = json!(group.users);
    }
    if count {
        body["user_count"] = json!(group.users.len());
    }
    body
}

/// A bookmark.
pub(crate) fn bookmark(state: &State, row: &Bookmark) -> Value {
    json!({
        "id": row.id,
        "channel_id": row.channel,
        "title": row.title,
        "link": row.link,
        "emoji": row.emoji.as_deref().unwrap_or_default(),
        "icon_url": icon_of(&row.link).unwrap_or_default(),
        "type": "link",
        "entity_id": null,
        "date_created": row.created,
        "date_updated": row.updated,
        "rank": "i",
        "last_updated_by_user_id": row.by,
        "last_updated_by_team_id": state.workspace.id,
        "shortcut_id": null,
        "app_id": row.app,
    })
}

fn icon_of(link: &str) -> Option<String> {
    let (scheme, rest) = link.split_once("://")?;
    Some(format!("{scheme}://{}/favicon.ico", rest.split('/').next()?))
}

/// A reminder.
pub(crate) fn reminder(row: &Reminder) -> Value {
    let mut body = json!({
        "id": row.id,
        "creator": row.creator,
        "text": row.text,
        "user": row.user,
        "recurring": row.again.is_some(),
    });
    if let Some(again) = &row.again {
        body["recurrence"] = json!({ "frequency": again.frequency.as_str(), "weekdays": again.days() });
    } else {
        (body["time"], body["complete_ts"]) = (json!(row.time), json!(row.complete_ts));
    }
    body
}

/// Whether somebody wants no notifications. Of a snooze only the person hears (`own`).
pub(crate) fn dnd(user: &User, now: Timestamp, own: bool) -> Value {
    let left = user.about.snoozed_until - now.as_secs();
    // Slack gives 1 for both where no hours are set.
    let mut body = json!({ "dnd_enabled": false, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1 });
    if own {
        body["snooze_enabled"] = json!(left > 0);
        if left > 0 {
            body["snooze_endtime"] = json!(user.about.snoozed_until);
            body["snooze_remaining"] = json!(left);
            body["snooze_is_indefinite"] = json!(false);
        }
    }
    body
}
