//! What the control plane and checks see of the state.

use std::sync::Arc;

use dtu_kernel::twin::View;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    Slack,
    model::{
        State,
        apps::App,
        channels::{Channel, Kind},
        files::File,
        surfaces::Window,
        time::ts_text,
    },
    rows,
};

/// The views.
pub(crate) fn all() -> Vec<View<Slack>> {
    vec![
        View {
            name: "users",
            about: "People and bot users, without Slack's own.",
            render: |state| rows::USERS.render(state),
        },
        View {
            name: "channels",
            about: "Conversations of all kinds, with their members.",
            render: |state| rows::CHANNELS.render(state),
        },
        View {
            name: "messages",
            about: "All messages and replies, by channel and time.",
            render: |state| rows::MESSAGES.render(state),
        },
        View { name: "ephemerals", about: "What one person alone was shown.", render: ephemerals },
        View { name: "files", about: "Files, with the names of the channels that show them.", render: files },
        View { name: "windows", about: "Open modals and Home tabs, with what people have set.", render: windows },
        View { name: "marks", about: "Reactions, pins and bookmarks, by channel.", render: marks },
        View { name: "scheduled", about: "Messages that wait for their time.", render: scheduled },
        View { name: "usergroups", about: "User groups and who is in them.", render: usergroups },
        View { name: "reminders", about: "What people want to be reminded of.", render: reminders },
        View { name: "webhooks", about: "Incoming webhooks and where they post.", render: webhooks },
        View { name: "connections", about: "Who has connected apps to what they stand for.", render: connections },
        View { name: "dialogs", about: "Dialogs that people have open.", render: dialogs },
        View { name: "mails", about: "Mails that Slack has sent.", render: mails },
        View { name: "apps", about: "Installed apps and where they are called.", render: apps },
    ]
}

/// How views name a conversation: a channel's name, `dm:` and who is in it besides the app, or the group's name.
pub(crate) fn channel_name(state: &State, channel: &Channel) -> SmolStr {
    if channel.kind != Kind::Im {
        return channel.name.clone();
    }
    let people: Vec<SmolStr> = channel
        .talkers
        .iter()
        .filter(|user| channel.talkers.len() == 1 || state.app_of_bot(user).is_none())
        .map(|user| state.label(user))
        .collect();
    format_smolstr!("dm:{}", people.join("+"))
}

fn ephemerals(state: &State) -> Value {
    let rows = state.ephemerals.iter().filter_map(|(((channel, to), ts), shown)| {
        let channel = state.channels.get(channel)?;
        Some(json!({
            "channel": channel_name(state, channel),
            "channel_id": channel.id,
            "ts": ts_text(*ts),
            "thread_ts": shown.reply_to.map(ts_text),
            "to": state.label(to),
            "from": state.label(&shown.from),
            "text": shown.text,
            "blocks": shown.blocks,
            "attachments": shown.attachments,
            "username": shown.username,
            "icon": shown.icon,
        }))
    });
    rows.collect()
}

fn files(state: &State) -> Value {
    let row = |(id, file): (&SmolStr, &Arc<File>)| {
        let shown = file.shares.iter().filter_map(|share| state.channels.get(&share.channel));
        json!({
            "id": id,
            "name": file.name,
            "title": file.title,
            "from": state.label(&file.user),
            "size": file.size,
            "filetype": file.filetype,
            "mode": file.mode,
            "channels": shown.map(|channel| channel_name(state, channel)).collect::<Vec<_>>(),
            "text": file.is_text().then(|| String::from_utf8_lossy(&file.content)),
            "public": file.public.is_some(),
        })
    };
    state.files.iter().map(row).collect()
}

fn windows(state: &State) -> Value {
    let row = |(id, window): (&SmolStr, &Arc<Window>)| {
        json!({
            "id": id,
            "kind": window.kind,
            "app": state.apps.get(&window.app).map(|app| app.key.clone()),
            "user": state.label(&window.user),
            "callback_id": window.text("callback_id"),
            "title": window.view["title"]["text"],
            "blocks": window.view["blocks"],
            "values": *window.values,
            "errors": window.errors,
            "trouble": window.trouble,
            "previous": window.previous,
        })
    };
    state.windows.iter().map(row).collect()
}

/// A channel's name by its id.
fn name_of(state: &State, channel: &SmolStr) -> SmolStr {
    state.channels.get(channel).map(|row| channel_name(state, row)).unwrap_or_default()
}

fn marks(state: &State) -> Value {
    let messages = state.messages.iter().filter(|(_, row)| row.reply_to.is_none()).map(|(key, row)| (&key.0, row));
    let replies = state.replies.iter().map(|(key, row)| (&key.0.0, row));
    let reactions = messages.chain(replies).flat_map(|(channel, row)| {
        row.reactions().iter().map(move |reaction| {
            let users: Vec<SmolStr> = reaction.users.iter().map(|user| state.label(user)).collect();
            json!({
                "kind": "reaction",
                "channel": name_of(state, channel),
                "ts": ts_text(row.ts),
                "name": reaction.name,
                "users": users,
            })
        })
    });
    let pins = state.pins.iter().map(|((channel, ts), pin)| {
        json!({ "kind": "pin", "channel": name_of(state, channel), "ts": ts_text(*ts), "by": state.label(&pin.by) })
    });
    let bookmarks = state.bookmarks.iter().map(|((channel, id), row)| {
        json!({
            "kind": "bookmark",
            "channel": name_of(state, channel),
            "id": id,
            "title": row.title,
            "link": row.link,
            "by": state.label(&row.by),
        })
    });
    reactions.chain(pins).chain(bookmarks).collect()
}

fn scheduled(state: &State) -> Value {
    let row = |(id, row): (&SmolStr, &Arc<crate::model::schedule::Scheduled>)| {
        json!({
            "id": id,
            "channel": name_of(state, &row.channel),
            "post_at": row.post_at,
            "from": state.label(&row.user),
            "text": row.text,
        })
    };
    state.scheduled.iter().map(row).collect()
}

fn usergroups(state: &State) -> Value {
    let row = |(id, row): (&SmolStr, &Arc<crate::model::groups::Group>)| {
        let users: Vec<SmolStr> = row.users.iter().map(|user| state.label(user)).collect();
        let disabled = row.deleted > 0;
        json!({ "id": id, "name": row.name, "handle": row.handle, "users": users, "disabled": disabled })
    };
    state.groups.iter().map(row).collect()
}

fn reminders(state: &State) -> Value {
    let row = |(id, row): (&SmolStr, &Arc<crate::model::schedule::Reminder>)| {
        json!({
            "id": id,
            "user": state.label(&row.user),
            "text": row.text,
            "time": row.time,
            "recurring": row.again.is_some(),
            "complete": row.complete_ts > 0,
        })
    };
    state.reminders.iter().map(row).collect()
}

fn webhooks(state: &State) -> Value {
    let row = |(id, row): (&SmolStr, &Arc<crate::model::webhooks::Webhook>)| {
        json!({
            "id": id,
            "app": state.apps.get(&row.app).map(|app| app.key.clone()),
            "channel": name_of(state, &row.channel),
            "by": state.label(&row.creator),
            "status": row.status,
        })
    };
    state.webhooks.iter().map(row).collect()
}

fn connections(state: &State) -> Value {
    let rows = state.links.iter().map(|((app, user), link)| {
        let app = state.apps.get(app).map(|app| app.key.clone());
        json!({ "app": app, "user": state.label(user), "status": **link })
    });
    rows.collect()
}

fn dialogs(state: &State) -> Value {
    let row = |(user, row): (&SmolStr, &Arc<crate::model::dialogs::Dialog>)| {
        json!({
            "user": state.label(user),
            "app": state.apps.get(&row.app).map(|app| app.key.clone()),
            "dialog": *row.given,
            "errors": row.errors,
            "trouble": row.trouble,
        })
    };
    state.dialogs.iter().map(row).collect()
}

fn mails(state: &State) -> Value {
    let row = |(_, mail): (&SmolStr, &Arc<crate::model::health::Mail>)| json!({ "to": state.label(&mail.to), "subject": mail.subject, "at": mail.at.as_secs() });
    state.mails.iter().map(row).collect()
}

fn apps(state: &State) -> Value {
    let row = |(id, app): (&SmolStr, &Arc<App>)| {
        let commands: Value =
            app.commands.iter().map(|(name, command)| (name.to_string(), json!(command.url))).collect();
        json!({
            "id": id,
            "key": app.key,
            "name": app.name,
            "bot": state.label(&app.bot_user),
            "bot_user_id": app.bot_user,
            "installer": state.label(&app.installer),
            "scopes": app.scopes,
            "events_url": app.events_url,
            "verified": app.verification == crate::model::apps::Verification::Verified,
            "verification": app.verification,
            "events": app.events,
            "interactivity_url": app.interactivity_url,
            "socket_mode": app.socket_mode,
            "events_disabled": app.setup.silenced,
            "sockets": state.sockets.count(id),
            "commands": commands,
            "removed": app.removed,
            "client_id": app.client_id(),
            "client_secret": app.client_secret(),
        })
    };
    state.apps.iter().map(row).collect()
}

/// The first app that has all three tokens, else the first app; "first" in the order of keys.
pub(crate) fn broadest_app(state: &State) -> Option<&Arc<App>> {
    let apps = || state.index.app_by_key.values().filter_map(|id| state.apps.get(id));
    apps().find(|app| app.user_token.is_some() && app.app_token.is_some()).or_else(|| apps().next())
}

/// An app's tokens under the names that clients read.
pub(crate) fn tokens_of(app: &App) -> Vec<(&'static str, String)> {
    let rows = [
        ("SLACK_BOT_TOKEN", Some(&app.bot_token)),
        ("SLACK_USER_TOKEN", app.user_token.as_ref()),
        ("SLACK_APP_TOKEN", app.app_token.as_ref()),
        ("SLACK_SIGNING_SECRET", Some(&app.signing_secret)),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))).collect()
}
