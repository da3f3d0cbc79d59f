//! The domain: plain types and rules, pure and synchronous.
//!
//! Each function here that writes a row keeps the indexes of it. Handlers, affordances and deliveries all go through
//! these functions, so that what a change announces is announced whoever made it.

pub mod accounts;
pub mod activities;
pub mod agents;
pub mod apps;
pub mod assistant;
pub mod audit;
pub mod calls;
pub mod canvases;
pub mod cells;
pub mod channels;
pub mod connect;
pub(crate) mod consent;
pub mod content;
pub(crate) mod convert;
pub mod dialogs;
pub mod documents;
pub mod drafts;
pub(crate) mod entities;
pub mod fields;
pub mod files;
pub mod functions;
pub mod groups;
pub mod health;
pub mod huddles;
pub mod interactivity;
pub(crate) mod legacy;
pub mod lists;
pub mod logins;
pub mod manifest;
pub mod marks;
pub mod mcp;
pub(crate) mod menus;
pub mod messages;
pub mod oauth;
pub mod org;
pub mod people;
pub mod policy;
pub(crate) mod restrictions;
pub mod schedule;
pub(crate) mod search;
pub mod sessions;
pub mod skills;
pub mod status;
pub mod streams;
pub mod surfaces;
pub mod time;
pub(crate) mod unfurls;
pub(crate) mod upkeep;
pub mod webhooks;
pub mod when;
pub mod workflows;

use std::{cmp::Reverse, sync::Arc};

use dtu_contract::generic::Store;
use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    seed::Site,
    table::Table,
    tx::Tx,
};
use imbl::{OrdMap, OrdSet};
use serde_json::Value;
use smol_str::SmolStr;

use self::{
    apps::{App, Link, Token},
    assistant::{Assistant, Status},
    channels::{Channel, Kind, Membership},
    files::{File, Upload},
    groups::Group,
    health::Mail,
    interactivity::{ResponseUrl, Trigger},
    marks::{Bookmark, Pin, Star, Starred},
    messages::{Ephemeral, Message},
    oauth::{Grant, Refresh},
    people::User,
    schedule::{Reminder, Scheduled},
    streams::Stream,
    surfaces::{Picks, Suggestion, Window},
    webhooks::Webhook,
};

/// The root of the twin's draws.
pub(crate) const SITE: Site = Site::named("slack").child("ids");

const fn id(site: &str, prefix: &'static str, drawn: usize) -> IdShape {
    IdShape { site: SITE.child(site), prefix, alphabet: UPPER_ALNUM, drawn, suffix: "" }
}

/// Workspaces.
pub(crate) const TEAM: IdShape = id("team", "T0", 9);
/// People and bot users.
pub(crate) const USER: IdShape = id("user", "U0", 9);
/// Bots.
pub(crate) const BOT: IdShape = id("bot", "B0", 9);
/// Apps.
pub(crate) const APP: IdShape = id("app", "A0", 9);
/// Channels of all kinds but direct messages.
pub(crate) const CHANNEL: IdShape = id("channel", "C0", 9);
/// Direct messages.
pub(crate) const DIRECT: IdShape = id("direct", "D0", 9);
/// Files.
pub(crate) const FILE: IdShape = id("file", "F0", 9);
/// Views: modals and Home tabs.
pub(crate) const VIEW: IdShape = id("view", "V0", 9);
/// User groups.
pub(crate) const GROUP: IdShape = id("group", "S0", 9);
/// Bookmarks.
pub(crate) const BOOKMARK: IdShape = id("bookmark", "Bk0", 8);
/// Scheduled messages.
pub(crate) const SCHEDULED: IdShape = id("scheduled", "Q0", 9);
/// Reminders.
pub(crate) const REMINDER: IdShape = id("reminder", "Rm0", 8);
/// Events.
pub(crate) const EVENT: IdShape = id("event", "Ev0", 9);

/// The workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its id.
    pub id: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Its subdomain of slack.com.
    pub domain: SmolStr,
    /// Whose mail addresses let people sign up by themselves; empty where none.
    pub email_domain: SmolStr,
}

/// Two users' ids in order, or those of a group, joined: the key of a direct conversation.
pub(crate) type DirectKey = SmolStr;

/// What finds rows without looking through tables. Derived: never recorded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) user_by_email: OrdMap<SmolStr, SmolStr>,
    pub(crate) user_by_key: OrdMap<SmolStr, SmolStr>,
    pub(crate) user_by_name: OrdMap<SmolStr, SmolStr>,
    pub(crate) channel_by_name: OrdMap<SmolStr, SmolStr>,
    /// The channel that everyone is in.
    pub(crate) general: Option<SmolStr>,
    /// Public channels, for listing.
    pub(crate) public: OrdSet<SmolStr>,
    /// (user, kind, channel): the conversations that a user is in.
    pub(crate) joined: OrdSet<(SmolStr, Kind, SmolStr)>,
    /// Direct conversations by those who talk.
    pub(crate) direct: OrdMap<DirectKey, SmolStr>,
    /// The newest timestamp given out in a channel.
    pub(crate) newest: OrdMap<SmolStr, u64>,
    /// (channel, reply) to the thread it is in.
    pub(crate) thread_of: OrdMap<(SmolStr, u64), u64>,
    /// Bot user to app.
    pub(crate) app_by_bot_user: OrdMap<SmolStr, SmolStr>,
    pub(crate) app_by_key: OrdMap<SmolStr, SmolStr>,
    /// (user, newest first, channel): the messages that a user has put an emoji on.
    pub(crate) reacted: OrdSet<(SmolStr, Reverse<u64>, SmolStr)>,
    /// (user, newest first, what): stars.
    pub(crate) starred: OrdSet<(SmolStr, Reverse<u64>, Starred)>,
    /// (channel, when, id): scheduled messages.
    pub(crate) scheduled: OrdSet<(SmolStr, i64, SmolStr)>,
    /// (app, when, id): the same by app.
    pub(crate) scheduled_by: OrdSet<(SmolStr, i64, SmolStr)>,
    /// (user, id): the reminders that a user made or is reminded by.
    pub(crate) reminded: OrdSet<(SmolStr, SmolStr)>,
    pub(crate) group_by_name: OrdMap<SmolStr, SmolStr>,
    pub(crate) group_by_handle: OrdMap<SmolStr, SmolStr>,
    /// (user, group).
    pub(crate) groups_of: OrdSet<(SmolStr, SmolStr)>,
    pub(crate) app_by_client: OrdMap<SmolStr, SmolStr>,
    /// Bot id to app.
    pub(crate) app_by_bot: OrdMap<SmolStr, SmolStr>,
    /// Slash command to app.
    pub(crate) app_by_command: OrdMap<SmolStr, SmolStr>,
    /// Name of an event subscription to the apps that are sent it.
    pub(crate) listeners: OrdMap<SmolStr, OrdSet<SmolStr>>,
    /// The same of subscriptions on behalf of people.
    pub(crate) user_listeners: OrdMap<SmolStr, OrdSet<SmolStr>>,
    /// (app, person, token): the tokens by which apps act for people.
    pub(crate) tokens_for: OrdSet<(SmolStr, SmolStr, SmolStr)>,
    /// What finds messages by their words.
    pub(crate) words: search::WordIndex,
    /// (created, id) of files that are not deleted.
    pub(crate) files_by_time: OrdSet<(u64, SmolStr)>,
    /// (app, external id) to the file.
    pub(crate) file_by_external_id: OrdMap<(SmolStr, SmolStr), SmolStr>,
    /// File to the ticket of its upload.
    pub(crate) ticket_of: OrdMap<SmolStr, SmolStr>,
    /// The modals that a user has open, the one on top last.
    pub(crate) modals: OrdMap<SmolStr, Vec<SmolStr>>,
    /// (app, user) to the app's Home tab for the user.
    pub(crate) homes: OrdMap<(SmolStr, SmolStr), SmolStr>,
    /// (app, external id) to the view that has it.
    pub(crate) view_by_external_id: OrdMap<(SmolStr, SmolStr), SmolStr>,
    /// (last, user, device): logins.
    pub(crate) logins_by_time: OrdSet<(i64, SmolStr, SmolStr)>,
    /// Channel to the huddle that goes on in it.
    pub(crate) huddle_of: OrdMap<SmolStr, u64>,
    /// App to its incoming webhooks.
    pub(crate) webhooks_of: OrdMap<SmolStr, OrdSet<SmolStr>>,
}

/// All that the twin remembers: persistent tables, cloned by pointer.
#[derive(Clone, Debug)]
pub struct State {
    /// The workspace.
    pub workspace: Arc<Workspace>,
    /// People and bot users by id.
    pub users: Table<SmolStr, User>,
    /// Conversations of all kinds by id.
    pub channels: Table<SmolStr, Channel>,
    /// (channel, user).
    pub memberships: Table<(SmolStr, SmolStr), Membership>,
    /// (channel, ts): what a channel shows, newest last.
    pub messages: Table<(SmolStr, u64), Message>,
    /// ((channel, thread), ts).
    pub replies: Table<((SmolStr, u64), u64), Message>,
    /// ((channel, user), ts): what one person alone was shown.
    pub ephemerals: Table<((SmolStr, SmolStr), u64), Ephemeral>,
    /// Installed apps by id.
    pub apps: Table<SmolStr, App>,
    /// Tokens by their text.
    pub tokens: Table<SmolStr, Token>,
    /// Addresses that apps may answer at, by the number in them.
    pub response_urls: Table<SmolStr, ResponseUrl>,
    /// Trigger ids.
    pub triggers: Table<SmolStr, Trigger>,
    /// Files by id, deleted ones as well.
    pub files: Table<SmolStr, File>,
    /// Uploads under way by their ticket.
    pub uploads: Table<SmolStr, Upload>,
    /// How many bytes of files are kept.
    pub file_bytes: u64,
    /// Open modals and published Home tabs by id.
    pub windows: Table<SmolStr, Window>,
    /// ((channel, user), ts): what a person has set the controls of a message to.
    pub picks: Table<((SmolStr, SmolStr), u64), Picks>,
    /// The options that an app has offered a user last.
    pub suggestions: Table<SmolStr, Suggestion>,
    /// (channel, ts): pinned messages.
    pub pins: Table<(SmolStr, u64), Pin>,
    /// (user, what): stars.
    pub stars: Table<(SmolStr, Starred), Star>,
    /// (channel, id).
    pub bookmarks: Table<(SmolStr, SmolStr), Bookmark>,
    /// Messages that wait for their time.
    pub scheduled: Table<SmolStr, Scheduled>,
    /// Reminders by id.
    pub reminders: Table<SmolStr, Reminder>,
    /// User groups by id.
    pub groups: Table<SmolStr, Group>,
    /// The workspace's own emoji: name to address or `alias:name`.
    pub emoji: Table<SmolStr, SmolStr>,
    /// Canvases, lists, calls, functions, invitations.
    pub content: content::Content,
    /// (channel, ts): messages that apps are writing.
    pub streams: Table<(SmolStr, u64), Stream>,
    /// (channel, ts): threads with assistants; 0 for what holds for all of a channel.
    pub assistants: Table<(SmolStr, u64), Assistant>,
    /// (channel, ts): what apps are doing in threads.
    pub statuses: Table<(SmolStr, u64), Status>,
    /// What people let apps have, by the code for it.
    pub grants: Table<SmolStr, Grant>,
    /// Tokens that get new ones.
    pub refreshes: Table<SmolStr, Refresh>,
    /// Incoming webhooks by id.
    pub webhooks: Table<SmolStr, Webhook>,
    /// (app, user): who has connected an app to what it stands for.
    pub links: Table<(SmolStr, SmolStr), Link>,
    /// (user, device): who has signed in.
    pub logins: Table<(SmolStr, SmolStr), logins::Login>,
    /// User to the dialog that the user has open.
    pub dialogs: Table<SmolStr, dialogs::Dialog>,
    /// (channel, ts): huddles.
    pub huddles: Table<(SmolStr, u64), huddles::Huddle>,
    /// What the owners have settled, by workspace.
    pub policies: Table<SmolStr, policy::Policies>,
    /// What people have written and not sent, by the id that an app was told.
    pub drafts: Table<SmolStr, drafts::Draft>,
    /// Mails that Slack has sent, by number.
    pub mails: Table<SmolStr, Mail>,
    /// How the events of apps fare. Counted, never recorded.
    pub(crate) health: OrdMap<SmolStr, health::Health>,
    /// The legacy Real Time Messaging API.
    pub rtm: crate::rtm::Rtm,
    /// The organization that the workspace is part of, where it is.
    pub enterprise: org::Enterprise,
    /// Socket Mode.
    pub sockets: crate::socket_mode::Sockets,
    /// What is served from the public documents alone.
    pub objects: Store,
    pub(crate) index: Index,
}

impl State {
    /// A workspace with nothing in it.
    pub fn new(workspace: Workspace) -> Self {
        Self {
            workspace: Arc::new(workspace),
            users: Table::new("users"),
            channels: Table::new("channels"),
            memberships: Table::new("memberships"),
            messages: Table::new("messages"),
            // One name for both: from outside, a reply is a message.
            replies: Table::new("messages"),
            ephemerals: Table::new("ephemerals"),
            apps: Table::new("apps"),
            tokens: Table::new("tokens"),
            response_urls: Table::new("response_urls"),
            triggers: Table::new("triggers"),
            files: Table::new("files"),
            uploads: Table::new("uploads"),
            file_bytes: 0,
            windows: Table::new("windows"),
            picks: Table::new("picks"),
            suggestions: Table::new("suggestions"),
            pins: Table::new("pins"),
            stars: Table::new("stars"),
            bookmarks: Table::new("bookmarks"),
            scheduled: Table::new("scheduled_messages"),
            reminders: Table::new("reminders"),
            groups: Table::new("usergroups"),
            emoji: Table::new("emoji"),
            content: content::Content::default(),
            streams: Table::new("streams"),
            assistants: Table::new("assistant_threads"),
            statuses: Table::new("assistant_statuses"),
            grants: Table::new("grants"),
            refreshes: Table::new("refresh_tokens"),
            webhooks: Table::new("webhooks"),
            huddles: Table::new("huddles"),
            policies: Table::new("policies"),
            mails: Table::new("mails"),
            dialogs: Table::new("dialogs"),
            drafts: Table::new("drafts"),
            links: Table::new("app_connections"),
            logins: Table::new("logins"),
            health: OrdMap::new(),
            rtm: crate::rtm::Rtm::default(),
            enterprise: org::Enterprise::default(),
            sockets: crate::socket_mode::Sockets::default(),
            objects: Store::new("objects"),
            index: Index::default(),
        }
    }

    /// The address of the workspace's pages.
    pub fn url(&self) -> String {
        format!("https://{}.slack.com/", self.workspace.domain)
    }
}

/// Something that was to happen at this time.
pub(crate) fn on_timer(state: &mut State, tx: &mut Tx<'_>, name: &str, data: &Value) {
    match name {
        schedule::SCHEDULED_TIMER => schedule::post_scheduled(state, tx, data),
        schedule::REMINDER_TIMER => schedule::ring(state, tx, data),
        accounts::EXPIRY_TIMER => accounts::expire(state, tx, data),
        status::STATUS_TIMER => status::expire(state, tx, data),
        health::LIMITED_TIMER => health::still_limited(state, tx, data),
        unfurls::TIMER => unfurls::show(state, tx, data),
        assistant::STATUS_TIMER => assistant::expire(state, tx, data),
        restrictions::RETENTION_TIMER => restrictions::sweep(state, tx, data),
        _ => {}
    }
}
