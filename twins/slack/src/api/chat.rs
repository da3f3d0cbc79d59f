//! `chat.*`

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Write, tx::Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    conversations::{direct_to, need_scope},
    entity::{MISFIT, take_entities, with_entities},
};
use crate::{
    Slack, blocks,
    error::{Code, Error},
    model::{
        State,
        apps::{Token, TokenKind},
        channels::{Channel, Kind},
        files::{self, Mode},
        messages::{self, Draft, Edited, Extra, Message, Subtype, TEXT_MAX, UPDATE_TEXT_MAX},
        people::SLACKBOT,
        restrictions::{self, Posting},
        time::{micros, parse_message_ts, parse_ts, ts_text},
    },
    shapes::{self, MessageBody},
    text::{self, Reading},
};

/// The longest `markdown_text`.
pub(super) const MARKDOWN_MAX: usize = 12_000;

/// What a message says, in the arguments that all methods share.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) text: Option<String>,
    pub(super) markdown_text: Option<String>,
    pub(super) blocks: Option<Value>,
    pub(super) attachments: Option<Value>,
    pub(super) link_names: bool,
    pub(super) parse: Option<Parse>,
}

/// How much of a text is read: `client` is what Slack's own windows do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Parse {
    Full,
    None,
    #[serde(alias = "")]
    Client,
}

/// The same, checked and as stored.
#[derive(Debug)]
pub(super) struct Said {
    /// None where no text was given.
    pub(super) text: Option<Arc<str>>,
    pub(super) blocks: Option<Arc<Value>>,
    pub(super) attachments: Option<Arc<Value>>,
    pub(super) truncated: bool,
}

impl Said {
    pub(super) fn is_empty(&self) -> bool {
        let lacks_items =
            |list: &Option<Arc<Value>>| list.as_ref().and_then(|list| list.as_array()).is_none_or(Vec::is_empty);
        self.text.is_none() && lacks_items(&self.blocks) && lacks_items(&self.attachments)
    }

    /// The text; that of the blocks where none was given.
    pub(super) fn words(&self) -> Arc<str> {
        let in_blocks = || self.blocks.as_ref().map(|blocks| blocks::fallback_text(blocks)).unwrap_or_default().into();
        self.text.clone().unwrap_or_else(in_blocks)
    }
}

impl Content {
    pub(super) fn read(self, state: &State, tx: &mut Tx<'_>) -> Result<Said, Error> {
        let markdown = self.markdown_text.filter(|text| !text.is_empty());
        if markdown.is_some() && (self.text.is_some() || self.blocks.is_some()) {
            return Err(Code::MarkdownTextConflict.into());
        }
        if markdown.as_ref().is_some_and(|text| text.chars().count() > MARKDOWN_MAX) {
            return Err(Code::MsgTooLong.into());
        }
        let sent = markdown.map(|text| text::from_markdown(&text)).or(self.text).filter(|text| !text.is_empty());
        let (sent, truncated) = match sent {
            Some(text) if text.chars().count() > TEXT_MAX => (Some(text.chars().take(TEXT_MAX).collect()), true),
            other => (other, false),
        };
        let blocks = blocks::read(self.blocks, tx)?;
        if blocks.as_ref().is_some_and(|blocks| blocks::text_length(blocks) > blocks::TEXT_MAX) {
            return Err(Code::MsgBlocksTooLong.into());
        }
        let link_names = self.link_names || self.parse == Some(Parse::Full);
        let reading = Reading { link_names, typed: false };
        Ok(Said {
            text: sent.map(|text: String| text::store(state, &text, reading).into()),
            blocks: blocks.map(Arc::new),
            attachments: blocks::read_attachments(self.attachments, tx)?.map(Arc::new),
            truncated,
        })
    }
}

/// Reads a `metadata` argument: JSON, or text that holds JSON. An empty object stays one.
pub(super) fn read_metadata(argument: Option<Value>) -> Result<Option<Value>, Error> {
    let value = match argument {
        None => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => serde_json::from_str(&text).map_err(|_| Code::InvalidMetadataFormat)?,
        Some(other) => other,
    };
    let Some(members) = value.as_object() else { return Err(Code::InvalidMetadataFormat.into()) };
    let fits = value["event_type"].is_string() && value["event_payload"].is_object();
    let tells_things = value.get("entities").is_some() && value.get("event_type").is_none();
    if members.is_empty() || fits || tells_things { Ok(Some(value)) } else { Err(Code::InvalidMetadataSchema.into()) }
}

/// Arguments of `chat.postMessage`. Of links only those to messages show what they lead to: nothing outside is ever
/// fetched.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PostMessage {
    channel: String,
    text: Option<String>,
    markdown_text: Option<String>,
    blocks: Option<Value>,
    attachments: Option<Value>,
    metadata: Option<Value>,
    thread_ts: Option<String>,
    #[serde(default)]
    reply_broadcast: bool,
    #[serde(default)]
    as_user: bool,
    username: Option<SmolStr>,
    icon_emoji: Option<SmolStr>,
    icon_url: Option<SmolStr>,
    #[serde(default)]
    link_names: bool,
    parse: Option<Parse>,
    mrkdwn: Option<bool>,
    unfurl_links: Option<bool>,
    #[serde(rename = "unfurl_media")]
    _unfurl_media: Option<bool>,
}

/// What was posted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Posted {
    channel: SmolStr,
    ts: SmolStr,
    message: MessageBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_metadata: Option<Cut>,
}

/// What was left out of a message, as a code and in words.
#[derive(Debug, Serialize, JsonSchema)]
struct Cut {
    messages: Vec<String>,
    warnings: [&'static str; 1],
}

impl Cut {
    fn new(truncated: bool, misfits: Vec<String>) -> Option<Self> {
        const WORDS: &str = "[WARN] The message was posted without what `text` has beyond 40,000 characters.";
        match misfits {
            misfits if !misfits.is_empty() => Some(Self { messages: misfits, warnings: [MISFIT] }),
            _ if truncated => Some(Self { messages: vec![WORDS.to_owned()], warnings: ["message_truncated"] }),
            _ => None,
        }
    }
}

/// `chat.postMessage`
pub(crate) fn post_message(cx: &mut Write<'_, '_, Slack>, args: PostMessage) -> Result<Typed<Posted>, Error> {
    let token = cx.caller.token()?;
    if args.as_user && token.kind == TokenKind::Bot {
        return Err(Code::AsUserNotSupported.into());
    }
    let channel = target(cx.state, cx.tx, token, &args.channel)?;
    check_may_post(cx.state, token, &channel)?;
    let content = Content {
        text: args.text,
        markdown_text: args.markdown_text,
        blocks: args.blocks,
        attachments: args.attachments,
        link_names: args.link_names,
        parse: args.parse,
    };
    let said = content.read(cx.state, cx.tx)?;
    let mut metadata = read_metadata(args.metadata)?;
    let bot = cx.state.apps.get(&token.app).map(|app| app.bot.clone()).unwrap_or_default();
    let (things, misfits) = take_entities(&mut metadata, token, &bot);
    if said.is_empty() && things.is_empty() {
        return Err(Code::NoText.into());
    }
    let reply_to = read_thread(cx.state, &channel.id, args.thread_ts.as_deref())?;
    let broadcast = args.reply_broadcast && reply_to.is_some();
    check_rules(cx.state, token, &channel, (reply_to.is_some(), broadcast), &said.words())?;
    let look = Look { username: args.username, icon_emoji: args.icon_emoji, icon_url: args.icon_url };
    let extra = Extra {
        blocks: said.blocks.clone(),
        attachments: with_entities(said.attachments.clone(), things),
        metadata: metadata.map(Arc::new),
        broadcast,
        plain: args.mrkdwn == Some(false),
        ..look.extra(token)?
    };
    let app = Some(token.app.clone());
    let draft = Draft {
        app,
        reply_to,
        extra,
        unfurl: args.unfurl_links == Some(true),
        ..Draft::new(&token.user, said.words())
    };
    let ts = messages::post(cx.state, cx.tx, &channel.id, draft);
    let cut = Cut::new(said.truncated, misfits);
    let row = cx.state.message(&channel.id, ts).ok_or(Code::FatalError)?;
    Ok(Typed::ok(&Posted {
        message: shapes::message(cx.state, &channel.id, row).with_metadata(row),
        channel: channel.id.clone(),
        ts: ts_text(ts),
        warning: cut.as_ref().map(|cut| cut.warnings[0]),
        response_metadata: cut,
    }))
}

/// The name and picture that an app may post under.
pub(super) struct Look {
    pub(super) username: Option<SmolStr>,
    pub(super) icon_emoji: Option<SmolStr>,
    pub(super) icon_url: Option<SmolStr>,
}

impl Look {
    pub(super) fn extra(self, token: &Token) -> Result<Extra, Error> {
        let given = [&self.username, &self.icon_emoji, &self.icon_url].into_iter().flatten().any(|s| !s.is_empty());
        // People's tokens post under the person's own name, whatever is asked.
        if !given || token.kind != TokenKind::Bot {
            return Ok(Extra::default());
        }
        need_scope(token, &["chat:write.customize"])?;
        let emoji = self.icon_emoji.filter(|emoji| !emoji.is_empty());
        Ok(Extra {
            subtype: Some(Subtype::BotMessage),
            username: self.username.filter(|name| !name.is_empty()),
            icon_emoji: emoji,
            icon_url: self.icon_url,
            ..Extra::default()
        })
    }
}

/// The conversation that a `channel` argument names: an id, a name, or a user to write to.
pub(super) fn target(state: &mut State, tx: &mut Tx<'_>, token: &Token, named: &str) -> Result<Arc<Channel>, Error> {
    let named = named.trim();
    if let Some(channel) = state.visible_by_name(named, &token.user) {
        return Ok(Arc::clone(channel));
    }
    if !state.users.contains(&named.into()) {
        return Err(Code::ChannelNotFound.into());
    }
    let id = direct_to(state, tx, token, &named.into())?;
    state.channels.get(&id).map(Arc::clone).ok_or(Code::ChannelNotFound.into())
}

/// Whether a token may post in a conversation, as far as that is a matter of who is in it.
pub(super) fn check_may_post(state: &State, token: &Token, channel: &Channel) -> Result<(), Code> {
    let may_from_outside = token.kind == TokenKind::Bot && token.has("chat:write.public");
    match channel {
        _ if channel.archived => Err(Code::IsArchived),
        _ if state.is_member(&channel.id, &token.user) => Ok(()),
        _ if channel.kind == Kind::Public && may_from_outside => Ok(()),
        _ => Err(Code::NotInChannel),
    }
}

/// What administrators have ruled about the channel.
pub(super) fn check_rules(
    state: &State,
    token: &Token,
    channel: &Channel,
    (reply, broadcast): (bool, bool),
    text: &str,
) -> Result<(), Code> {
    restrictions::check(state, channel, &token.user, Posting { reply, broadcast, text })
}

pub(super) fn read_thread(state: &State, channel: &SmolStr, thread_ts: Option<&str>) -> Result<Option<u64>, Error> {
    let Some(text) = thread_ts.filter(|text| !text.is_empty()) else { return Ok(None) };
    let invalid = || Error::Explained(Code::InvalidThreadTs, format!("{text} is not a valid thread_ts"));
    let about = parse_ts(text).filter(|ts| *ts > 0).ok_or_else(invalid)?;
    let ts = parse_message_ts(text).unwrap_or_else(|| orphan(about));
    match state.message(channel, ts).and_then(|first| first.subtype()) {
        Some(Subtype::ChannelJoin | Subtype::ChannelLeave) => Err(Code::CannotReplyToMessage.into()),
        _ => Ok(Some(ts)),
    }
}

/// A thread that no message began: what a timestamp without its six decimals replies to. Slack takes such a posting
/// and shows it nowhere. Long before any message, so that none can come to have it.
const fn orphan(about: u64) -> u64 {
    about / 1_000
}

/// Arguments of `chat.update`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    channel: String,
    ts: String,
    text: Option<String>,
    markdown_text: Option<String>,
    blocks: Option<Value>,
    attachments: Option<Value>,
    metadata: Option<Value>,
    #[serde(default)]
    reply_broadcast: bool,
    #[serde(default)]
    link_names: bool,
    parse: Option<Parse>,
    file_ids: Option<Value>,
    /// Bots and people edit as themselves anyway.
    #[serde(rename = "as_user")]
    _as_user: Option<bool>,
}

/// What a message was made into.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Updated {
    channel: SmolStr,
    ts: SmolStr,
    text: Arc<str>,
    message: MessageBody,
}

/// `chat.update`: text alone drops blocks; what is not given stays.
pub(crate) fn update(cx: &mut Write<'_, '_, Slack>, args: Update) -> Result<Typed<Updated>, Error> {
    let token = cx.caller.token()?;
    let channel = cx.state.visible(&args.channel, &token.user).map(Arc::clone).ok_or(Code::ChannelNotFound)?;
    let ts = parse_message_ts(&args.ts).ok_or(Code::MessageNotFound)?;
    let row = cx.state.message(&channel.id, ts).map(Arc::clone).ok_or(Code::MessageNotFound)?;
    check_may_update(&channel, &row, token)?;
    if !cx.state.can_be_edited(&row, cx.tx.now) {
        return Err(Code::EditWindowClosed.into());
    }
    if cx.state.streams.contains(&(channel.id.clone(), ts)) {
        return Err(Code::StreamingStateConflict.into());
    }
    if args.text.as_ref().is_some_and(|text| text.chars().count() > UPDATE_TEXT_MAX) {
        return Err(Code::MsgTooLong.into());
    }
    let files = read_file_ids(cx.state, token, args.file_ids)?;
    let metadata = read_metadata(args.metadata)?;
    let content = Content {
        text: args.text,
        markdown_text: args.markdown_text,
        blocks: args.blocks,
        attachments: args.attachments,
        link_names: args.link_names,
        parse: args.parse,
    };
    let said = content.read(cx.state, cx.tx)?;
    let says_nothing = said.text.is_none() && said.blocks.is_none() && said.attachments.is_none();
    let says_nothing = says_nothing && metadata.is_none() && files.is_none();
    check_broadcast(&row, args.reply_broadcast, says_nothing)?;
    let editor = match token.kind {
        TokenKind::Bot => cx.state.apps.get(&token.app).map_or_else(SmolStr::default, |app| app.bot.clone()),
        _ => token.user.clone(),
    };
    let edited = Edited { user: editor, ts: micros(cx.tx.now.floor_secs()) };
    let broadcast = args.reply_broadcast;
    if let Some(files) = &files {
        files::reshare(cx.state, cx.tx, &channel.id, &row, files);
    }
    let after = messages::edit(cx.state, cx.tx, &channel.id, ts, |message| {
        apply(message, &said, metadata.as_ref(), broadcast, &edited);
        if let Some(files) = &files {
            message.edit_extra(|extra| extra.files = (!files.is_empty()).then(|| files.as_slice().into()));
        }
    });
    let after = after.ok_or(Code::MessageNotFound)?;
    Ok(Typed::ok(&Updated {
        text: Arc::clone(&after.text),
        message: shapes::message(cx.state, &channel.id, &after).with_metadata(&after),
        ts: ts_text(ts),
        channel: channel.id.clone(),
    }))
}

/// The files that a message is to show instead of its own: a list, or text that holds one or divides ids by commas.
fn read_file_ids(state: &State, token: &Token, argument: Option<Value>) -> Result<Option<Vec<SmolStr>>, Error> {
    let ids: Vec<SmolStr> = match argument {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) if text.trim_start().starts_with('[') => {
            serde_json::from_str(&text).map_err(|_| Code::FileNotFound)?
        }
        Some(Value::String(text)) => text.split(',').map(|id| id.trim().into()).collect(),
        Some(other) => serde_json::from_value(other).map_err(|_| Code::FileNotFound)?,
    };
    let is_there = |id: &SmolStr| {
        state.visible_file(id, &token.user).is_some_and(|file| file.user == token.user && file.mode != Mode::Tombstone)
    };
    if ids.iter().all(is_there) { Ok(Some(ids)) } else { Err(Code::FileNotFound.into()) }
}

fn check_may_update(channel: &Channel, row: &Message, token: &Token) -> Result<(), Code> {
    let is_ordinary = matches!(row.subtype(), None | Some(Subtype::BotMessage | Subtype::FileShare));
    match row {
        _ if channel.archived => Err(Code::IsInactive),
        _ if row.user != token.user || !is_ordinary => Err(Code::CantUpdateMessage),
        _ => Ok(()),
    }
}

/// Whether an edit may say what it says: a reply is either shown in the channel or changed, not both at once.
fn check_broadcast(row: &Message, broadcast: bool, says_nothing: bool) -> Result<(), Code> {
    match (broadcast, row.reply_to) {
        (true, None) => Err(Code::CantBroadcastMessage),
        (true, Some(_)) if !says_nothing && !row.is_broadcast() => Err(Code::NoDualBroadcastContentUpdate),
        (false, _) if says_nothing => Err(Code::NoText),
        _ => Ok(()),
    }
}

fn apply(message: &mut Message, said: &Said, metadata: Option<&Value>, broadcast: bool, edited: &Edited) {
    let is_empty = |list: &Arc<Value>| list.as_array().is_some_and(Vec::is_empty);
    let text_changed = said.text.as_ref().is_some_and(|text| *text != message.text);
    if said.text.is_some() || said.blocks.as_ref().is_some_and(|blocks| !is_empty(blocks)) {
        message.text = said.words();
    }
    message.edit_extra(|extra| {
        match &said.blocks {
            Some(blocks) => extra.blocks = (!is_empty(blocks)).then(|| Arc::clone(blocks)),
            None if said.text.is_some() => extra.blocks = None,
            None => {}
        }
        if let Some(attachments) = &said.attachments {
            extra.attachments = (!is_empty(attachments)).then(|| Arc::clone(attachments));
        }
        if let Some(metadata) = metadata {
            let is_empty = metadata.as_object().is_some_and(serde_json::Map::is_empty);
            extra.metadata = (!is_empty).then(|| Arc::new(metadata.clone()));
        }
        // An edit of the blocks alone is not marked.
        if text_changed && said.blocks.is_none() {
            extra.edited = Some(edited.clone());
        }
        extra.broadcast |= broadcast;
    });
}

/// Arguments of `chat.postEphemeral`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PostEphemeral {
    channel: String,
    user: SmolStr,
    text: Option<String>,
    markdown_text: Option<String>,
    blocks: Option<Value>,
    attachments: Option<Value>,
    thread_ts: Option<String>,
    username: Option<SmolStr>,
    icon_emoji: Option<SmolStr>,
    icon_url: Option<SmolStr>,
    #[serde(default)]
    link_names: bool,
    parse: Option<Parse>,
    /// Nobody is told apart by it: what one person sees shows the app either way.
    #[serde(rename = "as_user")]
    _as_user: Option<bool>,
}

/// That somebody was shown something.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whispered {
    message_ts: SmolStr,
}

/// `chat.postEphemeral`
pub(crate) fn post_ephemeral(cx: &mut Write<'_, '_, Slack>, args: PostEphemeral) -> Result<Typed<Whispered>, Error> {
    let token = cx.caller.token()?;
    let channel = target(cx.state, cx.tx, token, &args.channel)?;
    if channel.archived {
        return Err(Code::IsArchived.into());
    }
    if !cx.state.is_member(&channel.id, &token.user) {
        return Err(Code::NotInChannel.into());
    }
    if args.user == SLACKBOT || !cx.state.is_member(&channel.id, &args.user) {
        return Err(Code::UserNotInChannel.into());
    }
    let content = Content {
        text: args.text,
        markdown_text: args.markdown_text,
        blocks: args.blocks,
        attachments: args.attachments,
        link_names: args.link_names,
        parse: args.parse,
    };
    let said = content.read(cx.state, cx.tx)?;
    if said.is_empty() {
        return Err(Code::NoText.into());
    }
    let look = Look { username: args.username, icon_emoji: args.icon_emoji, icon_url: args.icon_url }.extra(token)?;
    let reply_to = read_thread(cx.state, &channel.id, args.thread_ts.as_deref())?;
    check_rules(cx.state, token, &channel, (reply_to.is_some(), false), &said.words())?;
    let ts = messages::whisper(cx.state, cx.tx, &channel.id, &args.user, |shown| {
        shown.from = token.user.clone();
        shown.app = Some(token.app.clone());
        shown.text = said.words();
        shown.reply_to = reply_to;
        (shown.blocks, shown.attachments) = (said.blocks, said.attachments);
        (shown.username, shown.icon) = (look.username, look.icon_emoji.or(look.icon_url));
    });
    Ok(Typed::ok(&Whispered { message_ts: ts_text(ts) }))
}
