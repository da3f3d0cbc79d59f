//! Messages as they are told of, with what is on them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    model::{
        State,
        apps::App,
        calls, huddles,
        marks::Reaction,
        messages::{About, Message, Subtype},
        time::ts_text,
    },
    rich_text::RichText,
    text,
};

/// The app behind a message.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct BotProfile {
    id: SmolStr,
    app_id: SmolStr,
    user_id: SmolStr,
    name: SmolStr,
    icons: Icons,
    deleted: bool,
    updated: i64,
    team_id: SmolStr,
}

/// The pictures that an app posts under.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Icons {
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_36: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_48: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_72: Option<SmolStr>,
}

impl Icons {
    fn of_url(url: &SmolStr) -> Self {
        Self { emoji: None, image_36: Some(url.clone()), image_48: Some(url.clone()), image_72: Some(url.clone()) }
    }
}

/// Who edited a message, and when.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct EditedBody {
    user: SmolStr,
    ts: SmolStr,
}

/// A message's blocks: those that an app gave, or what Slack makes of the text.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Blocks {
    Given(Arc<Value>),
    Made(RichText),
}

/// A message.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct MessageBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    subtype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<SmolStr>,
    #[serde(rename = "type")]
    kind: &'static str,
    ts: SmolStr,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_msg_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<SmolStr>,
    text: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icons: Option<Icons>,
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_profile: Option<BotProfile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inviter: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_name: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assistant_app_thread: Option<Box<AssistantThread>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<Arc<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mrkdwn: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Option<EditedBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_user_id: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_users_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_reply: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_users: Option<Vec<SmolStr>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_locked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscribed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<Box<MessageBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    blocks: Option<Blocks>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments: Option<Arc<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_as_bot: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_to: Option<[SmolStr; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_info: Option<PinnedInfo>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<ReactionBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Arc<Value>>,
}

/// What the first message of a thread with an assistant says of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct AssistantThread {
    title: SmolStr,
    title_blocks: [(); 0],
    artifacts: [(); 0],
}

impl AssistantThread {
    fn new(title: &SmolStr) -> Self {
        Self { title: title.clone(), title_blocks: [], artifacts: [] }
    }
}

/// Who pinned a message, and where.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PinnedInfo {
    channel: SmolStr,
    pinned_by: SmolStr,
    pinned_ts: i64,
}

/// One emoji on a message.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ReactionBody {
    name: SmolStr,
    users: Vec<SmolStr>,
    count: usize,
}

impl ReactionBody {
    fn new(reaction: &Reaction) -> Self {
        Self { name: reaction.name.clone(), users: reaction.users.clone(), count: reaction.users.len() }
    }
}

/// Whom messages name as their author whose key is withheld.
const REVOKED: SmolStr = SmolStr::new_static("UREVOKEDU");

const REDACTED: &str = "ekm_access_denied";

/// What is told of a message whose key is withheld.
/// <https://docs.slack.dev/reference/events/message/ekm_access_denied>
fn redacted(message: &Message) -> MessageBody {
    MessageBody {
        kind: "message",
        subtype: Some(REDACTED),
        user: Some(REVOKED),
        text: "Your admins have suspended everyone's access to this content.".into(),
        hidden: Some(true),
        ts: ts_text(message.ts),
        ..MessageBody::default()
    }
}

/// Puts a message into words, without its metadata.
pub(crate) fn message(state: &State, channel: &SmolStr, message: &Message) -> MessageBody {
    if state.is_suspended(channel) {
        return redacted(message);
    }
    let ts = ts_text(message.ts);
    let app = message.app.as_ref().and_then(|id| state.apps.get(id));
    let mut body = MessageBody {
        kind: "message",
        user: Some(message.user.clone()),
        text: Arc::clone(&message.text),
        bot_id: app.map(|app| app.bot.clone()),
        app_id: app.map(|app| app.id.clone()),
        bot_profile: app.map(|app| bot_profile(state, app)),
        subtype: message.subtype().map(Subtype::as_str),
        ..MessageBody::default()
    };
    match message.subtype() {
        None | Some(Subtype::FileShare) => {
            body.team = Some(state.workspace.id.clone());
            if app.is_none() {
                body.client_msg_id = Some(text::derived_uuid(&[channel, &ts]));
            }
            if message.blocks().is_none() && message.attachments().is_none() && !message.text.is_empty() {
                let block_id = text::derived_id(&[channel, &ts], 5);
                body.blocks = Some(Blocks::Made(RichText { text: Arc::clone(&message.text), block_id }));
            }
        }
        Some(Subtype::Tombstone) => body.hidden = Some(true),
        Some(Subtype::HuddleThread) => body.room = huddles::room(state, channel, message),
        // Posted under another name: Slack leaves out the bot's own.
        Some(Subtype::BotMessage) => (body.user, body.bot_profile) = (None, None),
        Some(_) => {}
    }
    add_thread(state, channel, message, &mut body);
    add_extra(state, message, &mut body);
    add_pin(state, channel, message, &mut body);
    body.ts = ts;
    body
}

fn add_thread(state: &State, channel: &SmolStr, message: &Message, body: &mut MessageBody) {
    if let Some(thread) = &message.thread {
        body.thread_ts = Some(ts_text(message.ts));
        body.reply_count = Some(thread.count);
        body.reply_users_count = Some(thread.users.len());
        body.latest_reply = Some(ts_text(thread.latest));
        body.reply_users = Some(thread.shown_users());
        body.is_locked = Some(false);
        body.subscribed = Some(false);
    }
    let Some(parent) = message.reply_to else { return };
    body.thread_ts = Some(ts_text(parent));
    let first = state.messages.get(&(channel.clone(), parent));
    body.parent_user_id = first.map(|first| first.user.clone());
    if message.is_broadcast() {
        body.subtype = Some("thread_broadcast");
        // What began a thread is no reply itself.
        let root = first.filter(|first| first.reply_to.is_none());
        body.root = root.map(|root| Box::new(self::message(state, channel, root)));
    }
}

fn add_pin(state: &State, channel: &SmolStr, message: &Message, body: &mut MessageBody) {
    if state.pins.is_empty() {
        return;
    }
    let Some(pin) = state.pins.get(&(channel.clone(), message.ts)) else { return };
    body.pinned_to = Some([channel.clone()]);
    let (channel, pinned_by) = (channel.clone(), pin.by.clone());
    body.pinned_info = Some(PinnedInfo { channel, pinned_by, pinned_ts: pin.created });
}

fn add_extra(state: &State, message: &Message, body: &mut MessageBody) {
    let Some(extra) = &message.extra else { return };
    if let Some(files) = &extra.files {
        let shown = files.iter().filter_map(|id| state.files.get(id)).map(|file| super::file(state, file));
        body.files = Some(shown.collect());
        (body.upload, body.display_as_bot) = (Some(false), Some(false));
    }
    if let Some(blocks) = &extra.blocks {
        let with_calls = calls::with_calls(state, message).map(Arc::new);
        body.blocks = Some(Blocks::Given(with_calls.unwrap_or_else(|| Arc::clone(blocks))));
    }
    body.reactions = extra.reactions.iter().map(ReactionBody::new).collect();
    body.attachments.clone_from(&extra.attachments);
    body.username.clone_from(&extra.username);
    body.inviter.clone_from(&extra.inviter);
    match extra.about.as_deref() {
        Some(About::Name { old, new }) => (body.old_name, body.name) = (Some(old.clone()), Some(new.clone())),
        Some(About::Topic(topic)) => body.topic = Some(topic.clone()),
        Some(About::Purpose(purpose)) => body.purpose = Some(purpose.clone()),
        Some(About::Assistant(title)) => body.assistant_app_thread = Some(Box::new(AssistantThread::new(title))),
        None => {}
    }
    body.mrkdwn = extra.plain.then_some(false);
    let emoji = extra.icon_emoji.as_ref().map(|emoji| Icons { emoji: Some(emoji.clone()), ..Icons::default() });
    body.icons = emoji.or_else(|| extra.icon_url.as_ref().map(Icons::of_url));
    let edited = extra.edited.as_ref();
    body.edited = edited.map(|edited| EditedBody { user: edited.user.clone(), ts: ts_text(edited.ts) });
}

impl MessageBody {
    /// The same with the metadata that an app gave.
    pub(crate) fn with_metadata(mut self, message: &Message) -> Self {
        let is_withheld = self.subtype == Some(REDACTED);
        let metadata = message.extra.as_ref().filter(|_| !is_withheld).and_then(|extra| extra.metadata.clone());
        self.metadata = metadata;
        self
    }
}

fn bot_profile(state: &State, app: &App) -> BotProfile {
    BotProfile {
        id: app.bot.clone(),
        app_id: app.id.clone(),
        user_id: app.bot_user.clone(),
        name: app.name.clone(),
        icons: Icons {
            emoji: None,
            image_36: Some(SmolStr::new_static("https://a.slack-edge.com/80588/img/plugins/app/bot_36.png")),
            image_48: Some(SmolStr::new_static("https://a.slack-edge.com/80588/img/plugins/app/bot_48.png")),
            image_72: Some(SmolStr::new_static("https://a.slack-edge.com/80588/img/plugins/app/service_72.png")),
        },
        deleted: app.removed,
        updated: app.updated,
        team_id: state.workspace.id.clone(),
    }
}

/// A message as an object that more members can be added to.
pub(crate) fn message_value(state: &State, channel: &SmolStr, row: &Message) -> Value {
    serde_json::to_value(message(state, channel, row)).unwrap_or_else(|_| json!({}))
}
