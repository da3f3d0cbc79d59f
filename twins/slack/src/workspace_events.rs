//! What apps hear of the workspace as a whole: its name and address, its organization, its history, its huddles.

use dtu_kernel::tx::Tx;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    api::admin::app_shown,
    events::send,
    listeners::{Listener, listeners, listeners_in},
    model::{
        State,
        channels::{Channel, Kind},
        org::AppRequest,
        people::User,
        schedule::stamp,
        time::ts_text,
    },
    shapes::{self, UserView},
};

/// The workspace has another name, address or mail domain.
pub(crate) fn renamed(state: &State, tx: &mut Tx<'_>, name: &str) {
    let team = &state.workspace;
    let mut event = json!({ "type": name, "event_ts": stamp(tx.now) });
    match name {
        "team_rename" => event["name"] = json!(team.name),
        "team_domain_change" => (event["url"], event["domain"]) = (json!(state.url()), json!(team.domain)),
        _ => event["email_domain"] = json!(team.email_domain),
    }
    send(state, tx, &listeners(state, name), None, &event);
}

/// Slack begins to move the workspace into an organization, or is through with it.
pub(crate) fn migrates(state: &State, tx: &mut Tx<'_>, name: &str, org: &SmolStr) {
    let event = json!({ "type": name, "enterprise_id": org, "event_ts": stamp(tx.now) });
    send(state, tx, &listeners(state, name), None, &event);
}

/// Much of what was said in a conversation is new or gone at once: up to `latest`.
pub(crate) fn history_changed(state: &State, tx: &mut Tx<'_>, channel: &Channel, latest: u64) {
    let name = match channel.kind {
        Kind::Public => "channel_history_changed",
        Kind::Im => "im_history_changed",
        Kind::Private | Kind::Mpim => "group_history_changed",
    };
    let now = stamp(tx.now);
    let event = json!({ "type": name, "channel": channel.id, "latest": ts_text(latest), "ts": now, "event_ts": now });
    send(state, tx, &listeners_in(state, name, channel), Some(&channel.id), &event);
}

/// An organization is no longer in a channel.
pub(crate) fn unshared(state: &State, tx: &mut Tx<'_>, channel: &SmolStr, partner: &SmolStr, is_shared: bool) {
    let event = json!({
        "type": "channel_unshared",
        "previously_connected_team_id": partner,
        "channel": channel,
        "is_ext_shared": is_shared,
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &listeners(state, "channel_unshared"), Some(channel), &event);
}

/// A member asks for an app.
pub(crate) fn app_requested(state: &State, tx: &mut Tx<'_>, request: &AppRequest) {
    let (Some(app), Some(user)) = (state.apps.get(&request.app), state.users.get(&request.by)) else { return };
    let before = state.enterprise.resolutions.get(&request.app);
    let status = before.map(|row| json!({ "status": if row.approved { "approved" } else { "restricted" } }));
    let team = &state.workspace;
    let event = json!({
        "type": "app_requested",
        "app_request": {
            "id": request.id,
            "app": app_shown(state, app),
            "previous_resolution": status,
            "user": { "id": user.id, "name": user.real_name, "email": user.email },
            "team": { "id": team.id, "name": team.name, "domain": team.domain },
            "scopes": app.scopes,
            "message": request.message,
            "is_user_app_collaborator": app.installer == user.id,
            "date_created": request.at,
        },
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &listeners(state, "app_requested"), None, &event);
}

/// An app may act in more workspaces of the organization, or in fewer.
pub(crate) fn access(state: &State, tx: &mut Tx<'_>, app: &SmolStr, teams: &[SmolStr], granted: bool) {
    let name = if granted { "team_access_granted" } else { "team_access_revoked" };
    let mut apps = listeners(state, name);
    apps.retain(|listener| listener.id == *app);
    let event = json!({ "type": name, "team_ids": teams, "event_ts": stamp(tx.now) });
    send(state, tx, &apps, None, &event);
}

/// Somebody has come into a huddle, or gone.
pub(crate) fn huddle(state: &State, tx: &mut Tx<'_>, user: &User) {
    for app in listeners(state, "user_huddle_changed") {
        let event = about_user(state, tx, "user_huddle_changed", user, &app);
        send(state, tx, &[app], None, &event);
    }
}

/// An event that tells all of a user. Apps are told the mail address where they may ask for it.
pub(crate) fn about_user(state: &State, tx: &Tx<'_>, name: &str, user: &User, app: &Listener) -> Value {
    let email = app.scopes.iter().any(|scope| scope == "users:read.email");
    json!({
        "type": name,
        "user": shapes::user(state, user, UserView { email, locale: true, now: tx.now }),
        "cache_ts": tx.now.as_secs(),
        "event_ts": stamp(tx.now),
    })
}
