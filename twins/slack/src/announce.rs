//! What changes of marks, groups, people and tokens announce to apps. See also [`crate::events`].

use dtu_kernel::tx::Tx;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    bodies,
    events::send,
    listeners::{listeners, listeners_as, listeners_in},
    model::{
        State,
        apps::{App, Token, TokenKind},
        groups::Group,
        marks::{PINS_MAX, Starred, pins},
        messages::Message,
        org::InviteRequest,
        people::User,
        schedule::stamp,
        time::ts_text,
    },
    shapes::{self, UserView},
    text,
};

/// An emoji was put on a message, or taken off.
pub(crate) fn reaction(
    state: &State,
    tx: &mut Tx<'_>,
    name: &str,
    (channel, ts): (&SmolStr, u64),
    (user, emoji, item_user): (&SmolStr, &str, &SmolStr),
) {
    let Some(row) = state.channels.get(channel) else { return };
    let apps = listeners_in(state, name, row);
    if apps.is_empty() {
        return;
    }
    let event = json!({
        "type": name,
        "user": user,
        "reaction": emoji,
        "item": { "type": "message", "channel": channel, "ts": ts_text(ts) },
        "item_user": item_user,
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &apps, Some(channel), &event);
}

/// A message was pinned, or a pin taken off.
pub(crate) fn pin(state: &State, tx: &mut Tx<'_>, name: &str, (channel, row): (&SmolStr, &Message), user: &SmolStr) {
    let Some(channel) = state.channels.get(channel) else { return };
    let apps = listeners_in(state, name, channel);
    if apps.is_empty() {
        return;
    }
    let (now, count) = (tx.now.as_secs(), pins(state, &channel.id).take(PINS_MAX).count());
    let mut message = shapes::message_value(state, &channel.id, row);
    message["permalink"] = json!(state.permalink(&channel.id, row));
    let mut event = json!({
        "type": name,
        "user": user,
        "channel_id": channel.id,
        "item": {
            "type": "message",
            "created": now,
            "created_by": user,
            "channel": channel.id,
            "message": message,
        },
        "item_user": row.user,
        "pin_count": count,
        "pinned_info": { "channel": channel.id, "pinned_by": user, "pinned_ts": now },
        "event_ts": stamp(tx.now),
    });
    if name == "pin_removed" {
        event["has_pins"] = json!(count > 0);
    }
    send(state, tx, &apps, Some(&channel.id), &event);
}

/// A person put a star on something, or took it off.
pub(crate) fn star(state: &State, tx: &mut Tx<'_>, name: &str, user: &SmolStr, on: &Starred) {
    let apps = listeners(state, name);
    if apps.is_empty() {
        return;
    }
    let event = json!({
        "type": name,
        "user": user,
        "item": bodies::starred(state, on, tx.now.as_secs()),
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &apps, None, &event);
}

/// A user group was made or changed.
pub(crate) fn group(state: &State, tx: &mut Tx<'_>, name: &str, group: &Group) {
    let apps = listeners(state, name);
    if apps.is_empty() {
        return;
    }
    let subteam = bodies::group(state, group, true, true);
    let event = json!({ "type": name, "subteam": subteam, "event_ts": stamp(tx.now) });
    send(state, tx, &apps, None, &event);
}

/// Somebody is in a user group, or no longer: apps that act for the person hear of it.
fn group_self(state: &State, tx: &mut Tx<'_>, name: &str, group: &SmolStr, user: &SmolStr) {
    let event = json!({ "type": name, "subteam_id": group, "event_ts": stamp(tx.now) });
    send(state, tx, &listeners_as(state, name, user), None, &event);
}

/// The people of a user group changed.
pub(crate) fn group_members(state: &State, tx: &mut Tx<'_>, before: &Group, after: &Group) {
    let without = |from: &Group, other: &Group| -> Vec<SmolStr> {
        from.users.iter().filter(|user| !other.users.contains(user)).cloned().collect()
    };
    let (added, removed) = (without(after, before), without(before, after));
    for (name, users) in [("subteam_self_added", &added), ("subteam_self_removed", &removed)] {
        for user in users {
            group_self(state, tx, name, &after.id, user);
        }
    }
    let apps = listeners(state, "subteam_members_changed");
    if apps.is_empty() {
        return;
    }
    let event = json!({
        "type": "subteam_members_changed",
        "subteam_id": after.id,
        "team_id": state.workspace.id,
        "date_previous_update": before.updated,
        "date_update": after.updated,
        "added_users": added,
        "added_users_count": added.len(),
        "removed_users": removed,
        "removed_users_count": removed.len(),
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &apps, None, &event);
}

/// A profile changed; of a status that changed apps hear separately.
pub(crate) fn profile_changed(state: &State, tx: &mut Tx<'_>, before: &User, after: &User) {
    let status = |user: &User| (user.about.status_text.clone(), user.about.status_emoji.clone());
    let names: &[&str] = if status(before) == status(after) {
        &["user_profile_changed"]
    } else {
        &["user_profile_changed", "user_status_changed"]
    };
    for name in names {
        for app in listeners(state, name) {
            let email = app.scopes.iter().any(|scope| scope == "users:read.email");
            let user = shapes::user(state, after, UserView { email, locale: true, now: tx.now });
            let event = json!({
                "type": name,
                "user": user,
                "cache_ts": tx.now.as_secs(),
                "event_ts": stamp(tx.now),
            });
            send(state, tx, &[app], None, &event);
        }
    }
}

/// Somebody snoozed notifications, or wants them again. Of a snooze hear apps that act for the person alone.
pub(crate) fn dnd(state: &State, tx: &mut Tx<'_>, user: &User) {
    let event = json!({
        "type": "dnd_updated",
        "user": user.id,
        "dnd_status": bodies::dnd(user, tx.now, true),
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &listeners_as(state, "dnd_updated", &user.id), None, &event);
    let apps = listeners(state, "dnd_updated_user");
    if apps.is_empty() {
        return;
    }
    let event = json!({
        "type": "dnd_updated_user",
        "user": user.id,
        "dnd_status": bodies::dnd(user, tx.now, false),
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &apps, None, &event);
}

/// An emoji of the workspace was added or removed.
pub(crate) fn emoji(state: &State, tx: &mut Tx<'_>, subtype: &str, name: &str, value: &str) {
    let apps = listeners(state, "emoji_changed");
    if apps.is_empty() {
        return;
    }
    let mut event = json!({ "type": "emoji_changed", "subtype": subtype, "event_ts": stamp(tx.now) });
    if subtype == "remove" {
        event["names"] = json!([name]);
    } else {
        (event["name"], event["value"]) = (json!(name), json!(value));
    }
    send(state, tx, &apps, None, &event);
}

/// An emoji of the workspace has another name.
pub(crate) fn emoji_renamed(state: &State, tx: &mut Tx<'_>, (old, new): (&str, &str), value: &str) {
    let event = json!({
        "type": "emoji_changed",
        "subtype": "rename",
        "old_name": old,
        "new_name": new,
        "value": value,
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &listeners(state, "emoji_changed"), None, &event);
}

/// Links in a message that apps have asked to show: each app hears of those of its domains.
pub(crate) fn links_shared(state: &State, tx: &mut Tx<'_>, channel: &SmolStr, message: &Message) {
    let apps = listeners(state, "link_shared");
    if apps.is_empty() || message.subtype().is_some() || state.is_suspended(channel) {
        return;
    }
    for app in apps.into_iter().filter(|app| message.app.as_ref() != Some(&app.id)) {
        let links = links_of(&app, &message.text);
        if links.is_empty() {
            continue;
        }
        let ts = ts_text(message.ts);
        let mut event = json!({
            "type": "link_shared",
            "channel": channel,
            "is_bot_user_member": state.is_member(channel, &app.bot_user),
            "user": message.user,
            "message_ts": ts,
            "unfurl_id": unfurl_id(channel, &ts),
            "source": "conversations_history",
            "links": links,
            "event_ts": stamp(tx.now),
        });
        if let Some(parent) = message.reply_to {
            event["thread_ts"] = json!(ts_text(parent));
        }
        send(state, tx, &[app], Some(channel), &event);
    }
}

/// The links of an app's domains in a stored text, as the app is told of them.
pub(crate) fn links_of(app: &App, text: &str) -> Vec<Value> {
    let of = |url| Some(json!({ "domain": domain_of(&app.unfurl_domains, url)?, "url": text::unescape(url) }));
    links(text).filter_map(of).collect()
}

/// What names the links of a message in `link_shared` events: its place, and what tells it from guesses.
pub(crate) fn unfurl_id(channel: &str, ts: &str) -> String {
    let parts = ["1", "2", "3", "4"].map(|part| text::hash(&["unfurl", channel, ts, part]));
    let [a, b, c, d] = parts;
    format!("{channel}.{ts}.{a:016x}{b:016x}{c:016x}{d:016x}")
}

/// The addresses in a stored text.
pub(crate) fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').skip(1).filter_map(|part| {
        let inner = part.split('>').next()?;
        let url = inner.split('|').next()?;
        (url.starts_with("http://") || url.starts_with("https://")).then_some(url)
    })
}

/// Whether a stored text has an address, escaped as stored or plain as apps are told it.
pub(crate) fn has_link(stored: &str, url: &str) -> bool {
    links(stored).any(|link| link == url || text::unescape(link) == url)
}

/// The domain among `domains` that an address is of.
pub(crate) fn domain_of<'a>(domains: &'a [SmolStr], url: &str) -> Option<&'a SmolStr> {
    let host = url.split_once("://")?.1.split(['/', '?', '#', ':']).next()?;
    domains.iter().find(|domain| {
        host == domain.as_str() || host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
    })
}

/// A token was revoked. Sent before the app is off, as its last words.
pub(crate) fn tokens_revoked(state: &State, tx: &mut Tx<'_>, token: &Token) {
    let apps: Vec<_> = listeners(state, "tokens_revoked").into_iter().filter(|app| app.id == token.app).collect();
    let is_bot = token.kind == TokenKind::Bot;
    let users = |wanted: bool| if wanted { vec![token.user.clone()] } else { Vec::new() };
    let event = json!({ "type": "tokens_revoked", "tokens": { "oauth": users(!is_bot), "bot": users(is_bot) }, "event_ts": stamp(tx.now) });
    send(state, tx, &apps, None, &event);
}

/// An app is taken off the workspace.
pub(crate) fn uninstalled(state: &State, tx: &mut Tx<'_>, id: &SmolStr) {
    let apps: Vec<_> = listeners(state, "app_uninstalled").into_iter().filter(|app| app.id == *id).collect();
    let event = json!({ "type": "app_uninstalled", "event_ts": stamp(tx.now) });
    send(state, tx, &apps, None, &event);
}

/// Somebody new is in the workspace. Apps are told the mail address where they may ask for it.
pub(crate) fn team_join(state: &State, tx: &mut Tx<'_>, user: &User) {
    for app in listeners(state, "team_join") {
        let email = app.scopes.iter().any(|scope| scope == "users:read.email");
        let user = shapes::user(state, user, UserView { email, locale: true, now: tx.now });
        let event =
            json!({ "type": "team_join", "user": user, "cache_ts": tx.now.as_secs(), "event_ts": stamp(tx.now) });
        send(state, tx, &[app], None, &event);
    }
}

/// A member asks that somebody be invited.
pub(crate) fn invite_requested(state: &State, tx: &mut Tx<'_>, request: &InviteRequest) {
    let apps = listeners(state, "invite_requested");
    let team = state.enterprise.teams.get(&request.team);
    let event = json!({
        "type": "invite_requested",
        "invite_request": {
            "id": request.id,
            "email": request.email,
            "date_created": request.at,
            "requester_ids": [request.by],
            "channel_ids": request.channels,
            "invite_type": "full_member",
            "real_name": "",
            "date_expire": 0,
            "request_reason": request.reason,
            "team": team.map(|team| json!({ "id": team.id, "name": team.name, "domain": team.domain })),
        },
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &apps, None, &event);
}
