//! Apps, their tokens, and what they have asked to be told.

use std::{collections::BTreeMap, sync::Arc};

use dtu_kernel::tx::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::{SmolStr, format_smolstr};

use super::{State, webhooks};

/// The scope of the bots of classic apps.
pub(crate) const CLASSIC: &str = "bot";

/// Who a token acts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// The app's bot (`xoxb-`).
    Bot,
    /// A person who let the app act for them (`xoxp-`).
    User,
    /// The app itself (`xapp-`).
    App,
    /// A person who configures apps (`xoxe.xoxp-`).
    Config,
}

/// A token.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// Who it acts as.
    pub kind: TokenKind,
    /// The app.
    pub app: SmolStr,
    /// The user it acts as; empty for the app itself.
    pub user: SmolStr,
    /// What it may do.
    pub scopes: Arc<[SmolStr]>,
    /// The same, comma-separated.
    pub granted: SmolStr,
    /// How the ledger names its bearer (`access-bot`, `dtu-tester/user`).
    pub bearer: SmolStr,
    /// Whether it was revoked.
    pub revoked: bool,
    /// When it is over, in seconds; none where never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
}

impl Token {
    /// Whether it has a scope. The bot of a classic app has the one scope `bot`, which stands for all of a bot's.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope || (granted == CLASSIC && self.kind == TokenKind::Bot))
    }
}

/// Where the check of an events address stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// No address is set.
    #[default]
    None,
    /// The challenge is on its way.
    Pending,
    /// The challenge came back.
    Verified,
    /// It did not; why.
    Failed(SmolStr),
}

/// A slash command.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Command {
    /// What it does.
    pub description: SmolStr,
    /// What to write after it.
    pub usage_hint: SmolStr,
    /// Where it is sent; empty until configured.
    pub url: SmolStr,
}

/// What an app shows people besides messages, and how they start it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Surfaces {
    /// Its shortcuts by callback id: whether each is for messages.
    pub shortcuts: BTreeMap<SmolStr, bool>,
    /// Whether its Home tab is turned off.
    pub no_home: bool,
    /// Where options are asked for; where clicks go if empty.
    pub options_url: SmolStr,
}

/// Who may install an app, which decides how often it may read what was said.
///
/// <https://docs.slack.dev/apis/web-api/rate-limits>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// The workspace's own people made it for themselves.
    #[default]
    Internal,
    /// It is listed in Slack's Marketplace.
    Marketplace,
    /// It is given to other companies without being listed.
    Unlisted,
}

/// Whether a person has connected an app to what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// They have.
    Connected,
    /// They have not, or not any more.
    Disconnected,
}

/// How an app was set up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Setup {
    /// Whether its bot has the one old scope `bot`, which stands for all that bots may do.
    pub classic: bool,
    /// Who may install it.
    pub distribution: Distribution,
    /// Whether it proves with each code that it asked for it (RFC 7636).
    pub pkce: bool,
    /// Whether it was asked nothing any more because too little of what it was sent arrived.
    pub silenced: bool,
    /// The event subscriptions on behalf of people, by name.
    pub user_events: Arc<[SmolStr]>,
    /// The workspaces of the organization in which it may act beside the home.
    pub teams: Arc<[SmolStr]>,
    /// What its manifest says besides what the other members hold.
    pub manifest: Arc<Value>,
}

/// An installed app.
#[derive(Clone, Debug, Serialize)]
pub struct App {
    /// The id.
    pub id: SmolStr,
    /// The world's key.
    pub key: SmolStr,
    /// The name.
    pub name: SmolStr,
    /// The bot's id.
    pub bot: SmolStr,
    /// The bot's user.
    pub bot_user: SmolStr,
    /// Who installed it.
    pub installer: SmolStr,
    /// Signs what it is sent.
    pub signing_secret: SmolStr,
    /// The older proof of origin.
    pub verification_token: SmolStr,
    /// The bot's scopes.
    pub scopes: Arc<[SmolStr]>,
    /// Bot, user and app token, where given.
    pub bot_token: SmolStr,
    /// The installer's, where given.
    pub user_token: Option<SmolStr>,
    /// The app's own, where given.
    pub app_token: Option<SmolStr>,
    /// Where events go.
    pub events_url: SmolStr,
    /// Whether that address has proved itself.
    pub verification: Verification,
    /// The event subscriptions, by name.
    pub events: Arc<[SmolStr]>,
    /// Where clicks go.
    pub interactivity_url: SmolStr,
    /// Its shortcuts, Home tab and options.
    pub surfaces: Surfaces,
    /// Where people may be sent back to after they let it have something.
    pub redirect_urls: Arc<[SmolStr]>,
    /// The domains whose links it shows.
    pub unfurl_domains: Arc<[SmolStr]>,
    /// Whether it is sent everything over sockets that it opens, and nothing over HTTP.
    pub socket_mode: bool,
    /// Whether its tokens are given anew every twelve hours.
    pub rotates: bool,
    /// Its slash commands.
    pub commands: BTreeMap<SmolStr, Command>,
    /// How it was set up.
    pub setup: Setup,
    /// Whether it was taken off the workspace.
    pub removed: bool,
    /// When it was installed, in seconds.
    pub updated: i64,
}

impl App {
    /// What it is known by where it asks for tokens.
    pub fn client_id(&self) -> SmolStr {
        let part = |what: &str| 1_000_000_000_000 + crate::text::hash(&[&self.id, what]) % 9_000_000_000_000;
        format_smolstr!("{}.{}", part("client"), part("app"))
    }

    /// Its proof there.
    pub fn client_secret(&self) -> SmolStr {
        let part = |what: &str| crate::text::hash(&[&self.id, &self.signing_secret, what]);
        format_smolstr!("{:016x}{:016x}", part("one"), part("two"))
    }

    /// Whether events are sent to it.
    pub fn listens(&self) -> bool {
        let at_url = self.verification == Verification::Verified && !self.events_url.is_empty();
        !self.removed && !self.setup.silenced && (self.socket_mode || at_url)
    }

    /// Whether it is told what people do to its buttons and windows.
    pub fn interacts(&self) -> bool {
        self.socket_mode || !self.interactivity_url.is_empty()
    }
}

/// Writes an app's row and what finds it.
pub(crate) fn put(state: &mut State, tx: &mut Tx<'_>, app: App) -> Arc<App> {
    let id = app.id.clone();
    if let Some(before) = state.apps.get(&id).map(Arc::clone) {
        unsubscribe(state, &before);
        for command in before.commands.keys() {
            if state.index.app_by_command.get(command) == Some(&id) {
                state.index.app_by_command.remove(command);
            }
        }
    }
    if app.listens() {
        for name in app.events.iter() {
            state.index.listeners.entry(name.clone()).or_default().insert(id.clone());
        }
        for name in app.setup.user_events.iter() {
            state.index.user_listeners.entry(name.clone()).or_default().insert(id.clone());
        }
    }
    for command in app.commands.keys() {
        state.index.app_by_command.insert(command.clone(), id.clone());
    }
    // An app that was never installed has no bot.
    if !app.bot_user.is_empty() {
        state.index.app_by_bot_user.insert(app.bot_user.clone(), id.clone());
        state.index.app_by_bot.insert(app.bot.clone(), id.clone());
    }
    state.index.app_by_client.insert(app.client_id(), id.clone());
    state.index.app_by_key.insert(app.key.clone(), id.clone());
    state.apps.put(&mut tx.changes, id, app)
}

fn unsubscribe(state: &mut State, app: &App) {
    let index = &mut state.index;
    for (names, listeners) in [(&app.events, &mut index.listeners), (&app.setup.user_events, &mut index.user_listeners)]
    {
        for name in names.iter() {
            if let Some(apps) = listeners.get_mut(name) {
                apps.remove(&app.id);
            }
        }
    }
}

/// Writes a token and what finds it.
pub(crate) fn keep_token(state: &mut State, tx: &mut Tx<'_>, text: SmolStr, token: Token) {
    if token.kind == TokenKind::User {
        state.index.tokens_for.insert((token.app.clone(), token.user.clone(), text.clone()));
    }
    state.tokens.put(&mut tx.changes, text, token);
}

/// Edits an app's row.
pub(crate) fn edit(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, edit: impl FnOnce(&mut App)) {
    if let Some(row) = state.apps.get(id) {
        let mut app = App::clone(row);
        edit(&mut app);
        put(state, tx, app);
    }
}

/// Takes an app off the workspace: its tokens are revoked, and nothing is sent to it any more.
pub(crate) fn remove(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    let Some(app) = state.apps.get(id).map(Arc::clone) else { return };
    let tokens = [Some(&app.bot_token), app.user_token.as_ref(), app.app_token.as_ref()];
    for token in tokens.into_iter().flatten() {
        state.tokens.update(&mut tx.changes, token, |token| token.revoked = true);
    }
    edit(state, tx, id, |app| app.removed = true);
    webhooks::end(state, tx, id);
    crate::socket_mode::turn_off(state, tx, id);
    crate::rtm::turn_off(state, tx, id);
}

/// Deletes an app for good: it is taken off the workspace, and nothing finds it any more.
pub(crate) fn delete(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    remove(state, tx, id);
    let Some(app) = state.apps.remove(&mut tx.changes, id) else { return };
    unsubscribe(state, &app);
    let index = &mut state.index;
    for command in app.commands.keys() {
        if index.app_by_command.get(command) == Some(id) {
            index.app_by_command.remove(command);
        }
    }
    index.app_by_bot_user.remove(&app.bot_user);
    index.app_by_bot.remove(&app.bot);
    index.app_by_client.remove(&app.client_id());
    index.app_by_key.remove(&app.key);
}

impl State {
    /// An app by world key, name or id.
    pub fn find_app(&self, named: &str) -> Option<&Arc<App>> {
        let by_key = self.index.app_by_key.get(named).and_then(|id| self.apps.get(id));
        let by_name = || self.apps.iter().map(|(_, app)| app).find(|app| app.name.eq_ignore_ascii_case(named));
        by_key.or_else(|| self.apps.get(&named.into())).or_else(by_name)
    }

    /// The app whose bot this user is.
    pub fn app_of_bot(&self, user: &SmolStr) -> Option<&Arc<App>> {
        self.apps.get(self.index.app_by_bot_user.get(user)?)
    }
}
