//! The domain: plain types and rules, pure and synchronous.
//!
//! Each function here that writes a row keeps the indexes of it. Handlers, affordances and deliveries all go through
//! these functions, so that what a change announces is announced whoever made it.

pub mod apps;
pub mod channels;
pub mod interactivity;
pub mod messages;
pub mod people;
pub mod time;

use std::sync::Arc;

use dtu_contract::generic::Store;
use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    seed::Site,
    table::Table,
};
use imbl::{OrdMap, OrdSet};
use smol_str::SmolStr;

use self::{
    apps::{App, Token},
    channels::{Channel, Kind, Membership},
    interactivity::{ResponseUrl, Trigger},
    messages::{Ephemeral, Message},
    people::User,
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
    /// Slash command to app.
    pub(crate) app_by_command: OrdMap<SmolStr, SmolStr>,
    /// Name of an event subscription to the apps that are sent it.
    pub(crate) listeners: OrdMap<SmolStr, OrdSet<SmolStr>>,
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
            objects: Store::new("objects"),
            index: Index::default(),
        }
    }

    /// The address of the workspace's pages.
    pub fn url(&self) -> String {
        format!("https://{}.slack.com/", self.workspace.domain)
    }
}
