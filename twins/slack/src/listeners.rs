//! Who is told of an event: the apps that subscribe to it, each through its bot or through a person.
//!
//! An app asks for events twice: for those that its bot may hear, and for those that the people may hear who have let
//! it act for them. <https://docs.slack.dev/apis/events-api#subscriptions>

use std::{ops::Deref, sync::Arc};

use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::model::{
    State,
    apps::App,
    channels::{Channel, Kind},
};

/// The subscriptions that the twin serves, each with the scopes of which bot or person needs one.
pub(crate) const SUBSCRIPTIONS: &[(&str, &[&str])] = &[
    ("agent_session_stopped", &["assistant:write"]),
    ("app_home_opened", &[]),
    ("app_mention", &["app_mentions:read"]),
    ("app_requested", &["admin.apps:read"]),
    ("app_uninstalled", &[]),
    ("assistant_thread_context_changed", &["assistant:write"]),
    ("assistant_thread_started", &["assistant:write"]),
    ("call_rejected", &["calls:read"]),
    ("channel_archive", &["channels:read"]),
    ("channel_created", &["channels:read"]),
    ("channel_deleted", &["channels:read"]),
    ("channel_history_changed", &["channels:history"]),
    ("channel_left", &["channels:read"]),
    ("channel_rename", &["channels:read"]),
    ("channel_shared", &["channels:read"]),
    ("channel_unarchive", &["channels:read"]),
    ("channel_unshared", &["channels:read"]),
    ("dnd_updated", &["dnd:read"]),
    ("dnd_updated_user", &["dnd:read"]),
    ("email_domain_changed", &["team:read"]),
    ("emoji_changed", &["emoji:read"]),
    ("entity_details_requested", &[]),
    ("file_change", &["files:read"]),
    ("file_created", &["files:read"]),
    ("file_deleted", &["files:read"]),
    ("file_public", &["files:read"]),
    ("file_shared", &["files:read"]),
    ("file_unshared", &["files:read"]),
    ("function_executed", &[]),
    ("grid_migration_finished", &[]),
    ("grid_migration_started", &[]),
    ("group_archive", &["groups:read"]),
    ("group_close", &["mpim:read", "groups:read"]),
    ("group_deleted", &["groups:read"]),
    ("group_history_changed", &["groups:history"]),
    ("group_left", &["groups:read"]),
    ("group_open", &["mpim:read", "groups:read"]),
    ("group_rename", &["groups:read"]),
    ("group_unarchive", &["groups:read"]),
    ("im_close", &["im:read"]),
    ("im_created", &["im:read"]),
    ("im_history_changed", &["im:history"]),
    ("im_open", &["im:read"]),
    ("invite_requested", &["admin.invites:read"]),
    ("link_shared", &["links:read"]),
    ("member_joined_channel", &["channels:read", "groups:read"]),
    ("member_left_channel", &["channels:read", "groups:read"]),
    ("message.channels", &["channels:history"]),
    ("message.groups", &["groups:history"]),
    ("message.im", &["im:history"]),
    ("message.mpim", &["mpim:history"]),
    ("message_metadata_deleted", &["metadata.message:read"]),
    ("message_metadata_posted", &["metadata.message:read"]),
    ("message_metadata_updated", &["metadata.message:read"]),
    ("pin_added", &["pins:read"]),
    ("pin_removed", &["pins:read"]),
    ("reaction_added", &["reactions:read"]),
    ("reaction_removed", &["reactions:read"]),
    ("shared_channel_invite_accepted", &["conversations.connect:manage"]),
    ("shared_channel_invite_approved", &["conversations.connect:manage"]),
    ("shared_channel_invite_declined", &["conversations.connect:manage"]),
    ("shared_channel_invite_received", &["conversations.connect:read"]),
    ("shared_channel_invite_requested", &["conversations.connect:manage"]),
    ("star_added", &["stars:read"]),
    ("star_removed", &["stars:read"]),
    ("subteam_created", &["usergroups:read"]),
    ("subteam_members_changed", &["usergroups:read"]),
    ("subteam_self_added", &["usergroups:read"]),
    ("subteam_self_removed", &["usergroups:read"]),
    ("subteam_updated", &["usergroups:read"]),
    ("team_access_granted", &[]),
    ("team_access_revoked", &[]),
    ("team_domain_change", &["team:read"]),
    ("team_join", &["users:read"]),
    ("team_rename", &["team:read"]),
    ("tokens_revoked", &[]),
    ("user_change", &["users:read"]),
    ("user_connection", &["users:write"]),
    ("user_huddle_changed", &["users:read"]),
    ("user_profile_changed", &["users:read"]),
    ("user_status_changed", &["users:read"]),
];

/// Those that tell a person of the person's own doings. Bots hear none of them.
const ONES_OWN: &[&str] = &["dnd_updated", "subteam_self_added", "subteam_self_removed"];

/// The subscription to what is said in a kind of conversation.
pub(crate) const fn message_subscription(kind: Kind) -> &'static str {
    match kind {
        Kind::Public => "message.channels",
        Kind::Private => "message.groups",
        Kind::Im => "message.im",
        Kind::Mpim => "message.mpim",
    }
}

/// An app, and through whom it hears.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    app: Arc<App>,
    /// Its bot's user, or the person who has let it act for them.
    pub(crate) user: SmolStr,
    /// Whether that is its bot.
    pub(crate) is_bot: bool,
}

impl Deref for Listener {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl Listener {
    /// An app through its bot.
    fn bot(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app), user: app.bot_user.clone(), is_bot: true }
    }

    fn person(app: &Arc<App>, user: &SmolStr) -> Self {
        Self { app: Arc::clone(app), user: user.clone(), is_bot: false }
    }

    /// By what right the app hears, as envelopes tell it.
    pub(crate) fn authorization(&self, state: &State) -> Value {
        json!({
            "enterprise_id": state.enterprise_id(),
            "team_id": state.workspace.id,
            "user_id": self.user,
            "is_bot": self.is_bot,
            "is_enterprise_install": false,
        })
    }
}

/// The apps that are told of an event: those that subscribe to it, and classic ones with a session open.
pub(crate) fn listeners(state: &State, subscription: &str) -> Vec<Listener> {
    heard(state, subscription, |_| true)
}

/// The subscribed apps whose bot is in the channel, or a person who has let them act for them.
pub(crate) fn listeners_in(state: &State, subscription: &str, channel: &Channel) -> Vec<Listener> {
    heard(state, subscription, |user| state.is_member(&channel.id, user))
}

/// The apps that hear of what one person does, through that person alone.
pub(crate) fn listeners_as(state: &State, subscription: &str, user: &SmolStr) -> Vec<Listener> {
    let mut all = heard(state, subscription, |other| other == user);
    all.retain(|listener| !listener.is_bot);
    all
}

fn heard(state: &State, subscription: &str, may: impl Fn(&SmolStr) -> bool) -> Vec<Listener> {
    let subscribed = state.index.listeners.get(subscription);
    let also = state.rtm.apps().filter(|id| subscribed.is_none_or(|apps| !apps.contains(*id)));
    let bots = subscribed.into_iter().flatten().chain(also).filter_map(|id| state.apps.get(id)).map(Listener::bot);
    let mut all: Vec<Listener> = bots.filter(|bot| may(&bot.user)).collect();
    if ONES_OWN.contains(&subscription) {
        all.clear();
    }
    for app in state.index.user_listeners.get(subscription).into_iter().flatten().filter_map(|id| state.apps.get(id)) {
        let person = people_of(state, app, subscription).find(|user| may(user));
        all.extend(person.map(|user| Listener::person(app, user)));
    }
    all
}

/// The people who have let an app act for them and hear such events for them.
fn people_of<'a>(state: &'a State, app: &'a App, subscription: &str) -> impl Iterator<Item = &'a SmolStr> {
    let scopes = SUBSCRIPTIONS.iter().find(|(name, _)| *name == subscription).map_or(&[][..], |(_, scopes)| scopes);
    let from = (app.id.clone(), SmolStr::default(), SmolStr::default());
    let tokens = state.index.tokens_for.range(from..).take_while(|key| key.0 == app.id);
    let lives = move |text: &SmolStr| {
        let token = state.tokens.get(text).filter(|token| !token.revoked);
        token.is_some_and(|token| scopes.is_empty() || scopes.iter().any(|scope| token.has(scope)))
    };
    let is_here = |user: &SmolStr| state.users.get(user).is_some_and(|user| !user.deleted);
    tokens.filter(move |(_, user, text)| lives(text) && is_here(user)).map(|(_, user, _)| user)
}

/// Through whom an app hears of events of a kind, in a channel where there is one: its bot first.
pub(crate) fn authorizations(state: &State, app: &Arc<App>, kind: &str, channel: Option<&Channel>) -> Vec<Listener> {
    let subscription = channel.filter(|_| kind == "message").map_or(kind, |channel| message_subscription(channel.kind));
    let hears = |user: &&SmolStr| channel.is_none_or(|channel| state.is_member(&channel.id, user));
    let asks = |names: &[SmolStr]| names.iter().any(|name| name == subscription);
    let bot = Some(Listener::bot(app)).filter(|bot| asks(&app.events) && hears(&&bot.user));
    let people = people_of(state, app, subscription).filter(|_| asks(&app.setup.user_events)).filter(hears);
    let mut all: Vec<Listener> = bot.into_iter().chain(people.map(|user| Listener::person(app, user))).collect();
    all.dedup_by(|one, other| one.user == other.user);
    all
}

/// Whether an app has asked to be sent an event, rather than hearing of it over a session.
pub(crate) fn subscribes(app: &App, event: &Value) -> bool {
    let kind = event["type"].as_str().unwrap_or_default();
    let fits = |name: &SmolStr| name == kind || (kind == "message" && name.starts_with("message."));
    app.listens() && app.events.iter().any(fits)
}
