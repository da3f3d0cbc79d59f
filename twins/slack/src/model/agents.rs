//! Sessions of agents, and the channels that agents make for them: views, commands and properties.
//!
//! <https://docs.slack.dev/ai/agent-sessions>

use std::{collections::BTreeMap, sync::Arc};

use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    table::Table,
    tx::Tx,
};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    FILE, SITE, State,
    apps::Token,
    channels::{self, Channel, Kind},
    messages::{self, Draft, Message},
};
use crate::error::Code;

const VIEW: IdShape =
    IdShape { site: SITE.child("agent view"), prefix: "Ct0", alphabet: UPPER_ALNUM, drawn: 9, suffix: "" };
/// The longest name of a channel, in characters.
const NAME_MAX: usize = 80;

/// A channel that an agent made for a session: a code channel.
#[derive(Clone, Debug, Serialize)]
pub struct CodeChannel {
    /// The app.
    pub app: SmolStr,
    /// What the agent calls the session.
    pub session: Option<SmolStr>,
    /// The channel and message that the session began with.
    pub origin: Option<(SmolStr, u64)>,
    /// What is shown above the channel.
    pub code_channel: Map<String, Value>,
    /// What the session is about.
    pub agent_resource: Map<String, Value>,
    /// The commands of each app, as they were given.
    pub commands: BTreeMap<SmolStr, Value>,
}

/// A tab of such a channel.
#[derive(Clone, Debug, Serialize)]
pub struct AgentView {
    /// Its id.
    pub id: SmolStr,
    /// `html`, `diff`, `block_kit`, `canvas` or `pull_request`.
    #[serde(rename = "type")]
    pub kind: ViewKind,
    /// What people see on the tab.
    pub label: SmolStr,
    /// The file that holds what it shows; none for views that are blocks, canvases or addresses.
    pub file: Option<SmolStr>,
    /// The canvas.
    pub canvas: Option<SmolStr>,
    /// What it shows, as it was given.
    pub content: Arc<Value>,
    /// How often it was set.
    pub version: u64,
    /// When it was added, in seconds.
    pub added: i64,
}

/// What a view shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// A page.
    #[default]
    Html,
    /// What has changed in files: one for each channel.
    Diff,
    /// Blocks.
    BlockKit,
    /// A canvas.
    Canvas,
    /// A pull request.
    PullRequest,
}

impl ViewKind {
    /// The name in arguments and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Diff => "diff",
            Self::BlockKit => "block_kit",
            Self::Canvas => "canvas",
            Self::PullRequest => "pull_request",
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Open, and nothing is going on.
    Active,
    /// The agent works.
    Processing,
    /// It waits for something.
    Suspended,
    /// It is over.
    Closed,
}

impl Status {
    /// The name in arguments and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Processing => "processing",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// The app.
    pub app: SmolStr,
    /// Where it stands.
    pub status: Status,
    /// What people find it by.
    pub title: SmolStr,
    /// Who began it.
    pub initiator: Option<SmolStr>,
    /// What the agent goes by: its name, emoji and picture, where they are set.
    pub look: BTreeMap<SmolStr, SmolStr>,
}

/// The tables.
#[derive(Clone, Debug)]
pub struct Agents {
    /// Code channels by channel.
    pub channels: Table<SmolStr, CodeChannel>,
    /// (channel, key of the agent's own).
    pub views: Table<(SmolStr, SmolStr), AgentView>,
    /// (channel, thread): 0 for a session that has the channel to itself.
    pub sessions: Table<(SmolStr, u64), Session>,
    /// (app, session) to the channel.
    by_session: OrdMap<(SmolStr, SmolStr), SmolStr>,
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            channels: Table::new("code_channels"),
            views: Table::new("agent_views"),
            sessions: Table::new("agent_sessions"),
            by_session: OrdMap::new(),
        }
    }
}

/// What a code channel is to be.
pub(crate) struct NewCodeChannel {
    pub(crate) name: SmolStr,
    pub(crate) session: Option<SmolStr>,
    pub(crate) private: bool,
    pub(crate) origin: Option<(SmolStr, u64)>,
}

/// The channel of a session of an app, where there is one.
pub(crate) fn of_session(state: &State, app: &SmolStr, session: &SmolStr) -> Option<SmolStr> {
    state.content.agents.by_session.get(&(app.clone(), session.clone())).cloned()
}

/// A channel name made of words, which nobody has.
pub(crate) fn free_name(state: &State, words: &str) -> SmolStr {
    let mut name = String::new();
    for c in words.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || c == '_' {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let cut = |most: usize| name.chars().take(most).collect::<String>().trim_end_matches('-').to_owned();
    let base = if name.is_empty() { "agent-session".to_owned() } else { cut(NAME_MAX) };
    let others = (2..).map(|n: u32| format!("{}-{n}", cut(NAME_MAX - 8)));
    let mut names = std::iter::once(base.clone()).chain(others);
    names.find(|name| !state.has_channel_named(name)).unwrap_or(base).into()
}

/// Makes a code channel, with the agent in it and whoever wrote the message that it began with.
///
/// # Errors
/// A name that makes no channel.
pub(crate) fn create(state: &mut State, tx: &mut Tx<'_>, token: &Token, new: NewCodeChannel) -> Result<SmolStr, Code> {
    let name = free_name(state, &new.name);
    let kind = if new.private { Kind::Private } else { Kind::Public };
    let id = channels::create(state, tx, &token.user, &name, kind)?;
    if let Some(session) = &new.session {
        state.content.agents.by_session.insert((token.app.clone(), session.clone()), id.clone());
    }
    let author = new.origin.as_ref().and_then(|(channel, ts)| state.message(channel, *ts)).map(|row| row.user.clone());
    let row = CodeChannel {
        app: token.app.clone(),
        session: new.session,
        origin: new.origin,
        code_channel: Map::new(),
        agent_resource: Map::new(),
        commands: BTreeMap::new(),
    };
    state.content.agents.channels.put(&mut tx.changes, id.clone(), row);
    let is_person = |user: &SmolStr| state.users.get(user).is_some_and(|row| !row.deleted && *user != token.user);
    if let Some(author) = author.filter(is_person) {
        channels::join(state, tx, &id, &author, Some(&token.user));
    }
    Ok(id)
}

/// Remembers which message sums a session up, and says it where the session began.
pub(crate) fn sum_up(state: &mut State, tx: &mut Tx<'_>, token: &Token, channel: &Channel, summary: &Message) {
    let told = serde_json::json!({ "message_ts": super::time::ts_text(summary.ts) });
    state.content.agents.channels.update(&mut tx.changes, &channel.id, |row| {
        row.code_channel.insert("summary_message".to_owned(), told.clone());
    });
    let origin = state.content.agents.channels.get(&channel.id).and_then(|row| row.origin.clone());
    if let Some((place, ts)) = origin.filter(|(place, _)| state.is_member(place, &token.user)) {
        let draft = Draft {
            app: Some(token.app.clone()),
            reply_to: Some(ts),
            ..Draft::new(&token.user, Arc::clone(&summary.text))
        };
        messages::post(state, tx, &place, draft);
    }
}

/// What a view is to show.
pub(crate) struct NewView {
    pub(crate) key: SmolStr,
    pub(crate) kind: ViewKind,
    pub(crate) label: SmolStr,
    pub(crate) canvas: Option<SmolStr>,
    pub(crate) content: Value,
}

/// Shows a view, in place of the one with its key.
pub(crate) fn set_view(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, new: NewView) -> Arc<AgentView> {
    let key = (channel.clone(), new.key);
    let before = state.content.agents.views.get(&key).map(Arc::clone);
    let (id, version, added) = match &before {
        Some(before) => (before.id.clone(), before.version + 1, before.added),
        None => (tx.id(&VIEW), 1, tx.now.as_secs()),
    };
    let has_file = matches!(new.kind, ViewKind::Html | ViewKind::Diff);
    let file = has_file.then(|| before.and_then(|before| before.file.clone()).unwrap_or_else(|| tx.id(&FILE)));
    let row = AgentView {
        id,
        kind: new.kind,
        label: new.label,
        file,
        canvas: new.canvas,
        content: Arc::new(new.content),
        version,
        added,
    };
    state.content.agents.views.put(&mut tx.changes, key, row)
}

/// The views of a channel with their keys, in the order of these.
pub(crate) fn views<'a>(
    state: &'a State,
    channel: &SmolStr,
) -> impl Iterator<Item = (&'a SmolStr, &'a Arc<AgentView>)> + use<'a> {
    let channel = channel.clone();
    let rows = state.content.agents.views.range((channel.clone(), SmolStr::default())..);
    rows.take_while(move |(key, _)| key.0 == channel).map(|(key, row)| (&key.1, row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Workspace;

    #[test]
    fn names_of_channels_are_made_of_words() {
        let text = |text: &str| SmolStr::new(text);
        let state =
            State::new(Workspace { id: text("T0"), name: text("A"), domain: text("a"), email_domain: text("") });
        let check = |words: &str, wanted: &str| assert_eq!(free_name(&state, words), wanted, "{words}");
        check("Help me debug!", "help-me-debug");
        check("  two  words ", "two-words");
        check("!!!", "agent-session");
        assert_eq!(free_name(&state, &"x".repeat(100)).chars().count(), NAME_MAX);
    }
}
