//! People, guests and bot users.

use std::sync::Arc;

use dtu_kernel::{twin::Refusal, tx::Tx};
use serde::Serialize;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{State, channels, status::About};
use crate::events;

/// Slack's own user, the same in all workspaces.
pub const SLACKBOT: &str = "USLACKBOT";

/// What a user may do in the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Owns the workspace in the end.
    PrimaryOwner,
    /// Owns it beside the primary owner.
    Owner,
    /// Administers it.
    Admin,
    /// A full member.
    Member,
    /// A guest of several channels.
    Guest,
    /// Not a person.
    Bot,
}

/// What administrators and identity providers know of an account.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Account {
    /// When it was made, in seconds.
    pub created: i64,
    /// Whether a guest is in one channel only.
    pub single_channel: bool,
    /// When a guest's access ends, in seconds; 0 where never.
    pub expires: i64,
    /// Who invited the person; empty where nobody did.
    pub invited_by: SmolStr,
    /// When it was deactivated in the whole company, in seconds; 0 where it is not.
    pub ended: i64,
    /// What the identity provider calls it.
    pub external_id: Option<SmolStr>,
    /// What the identity provider says besides.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
}

/// A user.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    /// The id.
    pub id: SmolStr,
    /// The world's key; none for bots.
    pub key: Option<SmolStr>,
    /// The user name.
    pub name: SmolStr,
    /// First and last name.
    pub real_name: SmolStr,
    /// First name.
    pub first: SmolStr,
    /// Last name.
    pub last: SmolStr,
    /// Mail address; none for bots.
    pub email: Option<SmolStr>,
    /// Job title.
    pub title: SmolStr,
    /// Phone number.
    pub phone: SmolStr,
    /// IANA time zone.
    pub tz: SmolStr,
    /// What the user may do.
    pub role: Role,
    /// The app, where the user is its bot.
    pub app: Option<SmolStr>,
    /// Profile, status and presence.
    pub about: About,
    /// What administrators and identity providers know.
    pub account: Account,
    /// Whether the account is deactivated.
    pub deleted: bool,
    /// When the row last changed, in seconds.
    pub updated: i64,
}

impl User {
    /// How views and refusals name the user: the mail address, or the bot's user name.
    pub fn label(&self) -> &SmolStr {
        self.email.as_ref().unwrap_or(&self.name)
    }

    /// Whether the user may change how the workspace is set up.
    pub const fn is_admin(&self) -> bool {
        matches!(self.role, Role::PrimaryOwner | Role::Owner | Role::Admin)
    }

    /// Whether the user owns the workspace.
    pub const fn is_owner(&self) -> bool {
        matches!(self.role, Role::PrimaryOwner | Role::Owner)
    }

    /// Whether the user is a full member: neither guest nor bot.
    pub const fn is_full_member(&self) -> bool {
        matches!(self.role, Role::PrimaryOwner | Role::Owner | Role::Admin | Role::Member)
    }
}

/// Adds a user.
pub(crate) fn add(state: &mut State, tx: &mut Tx<'_>, user: User) -> Arc<User> {
    let index = &mut state.index;
    if let Some(email) = &user.email {
        index.user_by_email.insert(email.to_ascii_lowercase().into(), user.id.clone());
    }
    if let Some(key) = &user.key {
        index.user_by_key.insert(key.clone(), user.id.clone());
    }
    index.user_by_name.insert(user.name.clone(), user.id.clone());
    state.users.put(&mut tx.changes, user.id.clone(), user)
}

/// The user that is an app's bot, or Slack's own.
pub(crate) fn bot(id: &SmolStr, name: &str, real_name: &str, app: Option<SmolStr>, now: i64) -> User {
    User {
        id: id.clone(),
        key: None,
        name: name.into(),
        real_name: real_name.into(),
        first: real_name.into(),
        last: SmolStr::default(),
        email: None,
        title: SmolStr::default(),
        phone: SmolStr::default(),
        tz: SmolStr::new_static("America/Los_Angeles"),
        role: Role::Bot,
        app,
        about: About::default(),
        account: Account { created: now, ..Account::default() },
        deleted: false,
        updated: now,
    }
}

/// Deactivates an account: the person leaves all channels, and apps hear of it.
pub(crate) fn deactivate(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    let now = tx.now.as_secs();
    let row = state.users.update(&mut tx.changes, id, |user| {
        user.deleted = true;
        user.updated = now;
    });
    for channel in channels::joined_by(state, id) {
        if state.channels.get(&channel).is_some_and(|channel| channel.kind.is_channel()) {
            channels::remove_member(state, tx, &channel, id);
        }
    }
    if let Some(user) = row {
        events::user_changed(state, tx, &user);
    }
}

impl State {
    /// A user by mail address, whatever the case.
    pub fn user_by_email(&self, email: &str) -> Option<&Arc<User>> {
        self.users.get(self.index.user_by_email.get(email.trim().to_ascii_lowercase().as_str())?)
    }

    /// A user by world key, mail address, user name or id.
    pub fn find_user(&self, named: &str) -> Option<&Arc<User>> {
        let by_key = self.index.user_by_key.get(named).and_then(|id| self.users.get(id));
        let by_name = || self.users.get(self.index.user_by_name.get(named)?);
        by_key.or_else(|| self.user_by_email(named)).or_else(by_name).or_else(|| self.users.get(&named.into()))
    }

    /// The person that an actor is.
    ///
    /// # Errors
    /// Where the actor has no account, or a deactivated one.
    pub fn person(&self, actor: &str) -> Result<Arc<User>, Refusal> {
        match self.find_user(actor) {
            None => Err(Refusal::new(format!("`{actor}` has no Slack account in this workspace"))),
            Some(user) if user.deleted => Err(Refusal::new(format!("the Slack account of `{actor}` is deactivated"))),
            Some(user) if user.role == Role::Bot => Err(Refusal::new(format!("`{actor}` is an app, not a person"))),
            Some(user) => Ok(Arc::clone(user)),
        }
    }

    /// Whether somebody sees another: guests see those alone who are in a channel with them, and bots.
    pub(crate) fn meets(&self, viewer: &SmolStr, other: &SmolStr) -> bool {
        let is_guest = self.users.get(viewer).is_some_and(|user| user.role == Role::Guest);
        let is_bot = self.users.get(other).is_some_and(|user| user.role == Role::Bot);
        !is_guest
            || is_bot
            || viewer == other
            || channels::joined_by(self, viewer).iter().any(|channel| self.is_member(channel, other))
    }

    /// How views name a user of this id.
    pub fn label(&self, user: &SmolStr) -> SmolStr {
        self.users.get(user).map_or_else(|| user.clone(), |user| user.label().clone())
    }
}
