//! Slash commands, clicks, and the addresses at which apps answer them.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    delivery::Outcome,
    ids::{ALNUM, HEX, IdShape},
    seed::Site,
    time::Timestamp,
    tx::Tx,
};
use http::header;
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    SITE, State,
    apps::App,
    channels::{Channel, Kind},
    legacy,
    messages::{self, Draft, Extra},
    people::User,
    restrictions::{self, Posting},
    time::{micros, parse_message_ts, ts_text},
};
use crate::{
    blocks::{self, Button},
    error::{Code, Error},
    events::{BLOCK_ACTIONS, SLASH_COMMAND},
    shapes,
    text::{self, Reading},
};

/// How often a `response_url` can be used.
const USES_MAX: u8 = 5;
/// How long a `response_url` can be used.
const LIFE: Duration = Duration::from_secs(30 * 60);

const DIGITS: &[u8] = b"0123456789";
const RESPONSE_ID: IdShape =
    IdShape { site: SITE.child("response"), prefix: "1", alphabet: DIGITS, drawn: 12, suffix: "" };
const RESPONSE_SECRET: IdShape =
    IdShape { site: SITE.child("response secret"), prefix: "", alphabet: ALNUM, drawn: 24, suffix: "" };
const TRIGGER: Site = SITE.child("trigger");

/// A message that an answer may replace or delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Original {
    /// One that the channel shows.
    Message(u64),
    /// One that only the person sees.
    Ephemeral(u64),
}

/// An address at which an app may answer.
#[derive(Clone, Debug, Serialize)]
pub struct ResponseUrl {
    /// The last part of the address.
    pub secret: SmolStr,
    /// The app that was told it.
    pub app: SmolStr,
    /// The channel it is about.
    pub channel: SmolStr,
    /// The person who caused it.
    pub user: SmolStr,
    /// What replacing and deleting is about.
    pub original: Option<Original>,
    /// When it was made.
    pub created: Timestamp,
    /// How often it was used.
    pub uses: u8,
}

/// That a person did something for which an app may open a window.
#[derive(Clone, Debug, Serialize)]
pub struct Trigger {
    /// The app.
    pub app: SmolStr,
    /// The person.
    pub user: SmolStr,
    /// Where the person was; empty where nowhere in particular.
    pub channel: SmolStr,
    /// When.
    pub at: Timestamp,
    /// Whether a window was opened with it.
    pub used: bool,
}

/// The circumstances of something that a person does to an app in a channel.
#[derive(Clone, Debug)]
pub(crate) struct Occasion {
    pub(crate) app: Arc<App>,
    pub(crate) user: Arc<User>,
    pub(crate) channel: Arc<Channel>,
}

impl Occasion {
    /// The occasion of ids; none where one of them is none.
    pub(crate) fn find(state: &State, app: &SmolStr, user: &SmolStr, channel: &str) -> Option<Self> {
        Some(Self {
            app: Arc::clone(state.apps.get(app)?),
            user: Arc::clone(state.users.get(user)?),
            channel: Arc::clone(state.channels.get(&channel.into())?),
        })
    }
}

pub(crate) fn make_trigger(state: &mut State, tx: &mut Tx<'_>, app: &SmolStr, user: &SmolStr) -> SmolStr {
    let mut draw = tx.draw(TRIGGER);
    let id = format_smolstr!(
        "{}.{}.{}",
        1_000_000_000_000 + draw.below(9_000_000_000_000),
        1_000_000_000 + draw.below(9_000_000_000),
        draw.text(HEX, 32)
    );
    let trigger =
        Trigger { app: app.clone(), user: user.clone(), channel: SmolStr::default(), at: tx.now, used: false };
    state.triggers.put(&mut tx.changes, id.clone(), trigger);
    id
}

/// The same in a conversation.
pub(crate) fn make_trigger_in(state: &mut State, tx: &mut Tx<'_>, occasion: &Occasion) -> SmolStr {
    let id = make_trigger(state, tx, &occasion.app.id, &occasion.user.id);
    state.triggers.update(&mut tx.changes, &id, |trigger| trigger.channel = occasion.channel.id.clone());
    id
}

pub(crate) fn make_response_url(
    state: &mut State,
    tx: &mut Tx<'_>,
    family: &str,
    occasion: &Occasion,
    original: Option<Original>,
) -> (SmolStr, String) {
    let (id, secret) = (tx.id(&RESPONSE_ID), tx.id(&RESPONSE_SECRET));
    let url = format!("{}/{family}/{}/{id}/{secret}", tx.origin, state.workspace.id);
    let row = ResponseUrl {
        secret,
        app: occasion.app.id.clone(),
        channel: occasion.channel.id.clone(),
        user: occasion.user.id.clone(),
        original,
        created: tx.now,
        uses: 0,
    };
    state.response_urls.put(&mut tx.changes, id.clone(), row);
    (id, url)
}

/// How payloads name a channel: only public ones by their name.
pub(crate) fn payload_name(channel: &Channel) -> &str {
    match channel.kind {
        Kind::Public | Kind::Mpim => &channel.name,
        Kind::Private => "privategroup",
        Kind::Im => "directmessage",
    }
}

/// A person has typed a slash command.
pub(crate) fn slash(state: &mut State, tx: &mut Tx<'_>, occasion: &Occasion, command: &str, text: &str) {
    let url = occasion.app.commands.get(command).map(|command| command.url.clone()).unwrap_or_default();
    if url.is_empty() && !occasion.app.socket_mode {
        return command_failed(state, tx, &occasion.channel.id, &occasion.user.id, command, "dispatch_failed");
    }
    let trigger = make_trigger_in(state, tx, occasion);
    let (response, response_url) = make_response_url(state, tx, "commands", occasion, None);
    let Occasion { app, user, channel } = occasion;
    let form = json!([
        ["token", app.verification_token],
        ["team_id", state.workspace.id],
        ["team_domain", state.workspace.domain],
        ["channel_id", channel.id],
        ["channel_name", payload_name(channel)],
        ["user_id", user.id],
        ["user_name", user.name],
        ["command", command],
        ["text", text],
        ["api_app_id", app.id],
        ["is_enterprise_install", "false"],
        ["response_url", response_url],
        ["trigger_id", trigger],
    ]);
    let payload = json!({ "app": app.id, "url": url, "command": command, "response": response, "form": form });
    tx.deliver(SLASH_COMMAND, payload);
}

/// What the person sees where an app did not take a command.
fn command_failed(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, user: &SmolStr, command: &str, why: &str) {
    let words = format!("{command} failed with the error \"{why}\"");
    messages::whisper(state, tx, channel, user, |shown| shown.text = words.into());
}

/// An app has answered a command within the request, or has not.
pub(crate) fn command_answered(state: &mut State, tx: &mut Tx<'_>, payload: &Value, outcome: &Outcome) {
    let text = |name: &str| payload[name].as_str().unwrap_or_default();
    let id = SmolStr::new(text("response"));
    let Some(row) = state.response_urls.get(&id).map(Arc::clone) else { return };
    let why = match outcome {
        Outcome::Answered { status, headers, body } if (200..300).contains(status) => {
            if let Some(said) = answer_body(headers, body) {
                // An answer that cannot be shown is dropped; the person sees nothing.
                let _ = respond(state, tx, &id, &row, said);
            }
            return;
        }
        Outcome::Answered { .. } => "http_service_error",
        Outcome::TimedOut => "operation_timeout",
        Outcome::TooManyRedirects => "too_many_redirects",
        Outcome::Unreachable | Outcome::Forbidden => "dispatch_failed",
    };
    command_failed(state, tx, &row.channel, &row.user, text("command"), why);
}

/// What an app says in its answer: a JSON message, or plain text. None where it says nothing.
pub(crate) fn answer_body(headers: &http::HeaderMap, body: &[u8]) -> Option<Map<String, Value>> {
    let said = std::str::from_utf8(body).ok()?.trim();
    if said.is_empty() {
        return None;
    }
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if (media_type.starts_with("application/json") || said.starts_with('{'))
        && let Ok(Value::Object(message)) = serde_json::from_str(said)
    {
        let shows = ["text", "blocks", "attachments"].iter().any(|name| message.contains_key(*name));
        return shows.then_some(message);
    }
    Some([("text".to_owned(), Value::from(said))].into_iter().collect())
}

/// What an app says within the request that told it of something. An answer that cannot be shown is dropped.
pub(crate) fn answer_within(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, said: Map<String, Value>) {
    if let Some(row) = state.response_urls.get(id).map(Arc::clone) {
        let _ = respond(state, tx, id, &row, said);
    }
}

/// An app posts to a `response_url`; `said` is none where the body is no message.
///
/// # Errors
/// An address that is used up, over, or not one; a body that cannot be used.
pub(crate) fn use_response_url(
    state: &mut State,
    tx: &mut Tx<'_>,
    [team, id, secret]: [&str; 3],
    said: Option<Map<String, Value>>,
) -> Result<(), Error> {
    let id = SmolStr::new(id);
    let known = |row: &&Arc<ResponseUrl>| row.secret == secret && state.workspace.id == team;
    let Some(row) = state.response_urls.get(&id).filter(known).map(Arc::clone) else {
        return Err(Error::Gone(Code::ExpiredUrl));
    };
    let is_removed = state.apps.get(&row.app).is_none_or(|app| app.removed);
    if is_removed || tx.now.since(row.created) > LIFE {
        return Err(Error::Gone(Code::ExpiredUrl));
    }
    if row.uses >= USES_MAX {
        return Err(Error::Gone(Code::UsedUrl));
    }
    let said = said.ok_or(Error::BadHook(Code::InvalidPayload))?;
    respond(state, tx, &id, &row, said)?;
    state.response_urls.update(&mut tx.changes, &id, |row| row.uses += 1);
    Ok(())
}

/// What an app says in an answer, read.
pub(crate) struct Said {
    text: Option<Arc<str>>,
    blocks: Option<Value>,
    attachments: Option<Value>,
    in_channel: bool,
    replace: bool,
    delete: bool,
    thread: Option<u64>,
}

impl Said {
    pub(crate) fn read(state: &State, tx: &mut Tx<'_>, mut said: Map<String, Value>) -> Result<Self, Error> {
        let truth = |value: Option<&Value>| match value {
            Some(Value::Bool(truth)) => *truth,
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        let bad = |_| Error::BadHook(Code::InvalidBlocks);
        let blocks = blocks::read(said.remove("blocks"), tx).map_err(bad)?;
        let attachments = blocks::read_attachments(said.remove("attachments"), tx);
        let text = said.get("text").and_then(Value::as_str).filter(|text| !text.is_empty());
        let text = text.map(|text| text.chars().take(messages::TEXT_MAX).collect::<String>());
        Ok(Self {
            text: text.map(|text| text::store(state, &text, Reading::default()).into()),
            blocks,
            attachments: attachments.map_err(|_| Error::BadHook(Code::InvalidAttachments))?,
            in_channel: said.get("response_type").is_some_and(|kind| kind == "in_channel"),
            replace: truth(said.get("replace_original")),
            delete: truth(said.get("delete_original")),
            thread: said.get("thread_ts").and_then(Value::as_str).and_then(parse_message_ts),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        let has_items =
            |list: &Option<Value>| list.as_ref().is_some_and(|list| list.as_array().is_some_and(|l| !l.is_empty()));
        self.text.is_none() && !has_items(&self.blocks) && !has_items(&self.attachments)
    }

    /// The message that it makes, in the name of an app's bot.
    pub(crate) fn draft(self, bot_user: &SmolStr, app: &SmolStr) -> Draft {
        let (text, reply_to) = (self.words(), self.thread);
        let (blocks, attachments) = (self.blocks.map(Arc::new), self.attachments.map(Arc::new));
        let extra = Extra { blocks, attachments, ..Extra::default() };
        Draft { app: Some(app.clone()), reply_to, extra, ..Draft::new(bot_user, text) }
    }

    fn words(&self) -> Arc<str> {
        let in_blocks = || self.blocks.as_ref().map(blocks::fallback_text).unwrap_or_default().into();
        self.text.clone().unwrap_or_else(in_blocks)
    }
}

fn respond(
    state: &mut State,
    tx: &mut Tx<'_>,
    id: &SmolStr,
    row: &ResponseUrl,
    said: Map<String, Value>,
) -> Result<(), Error> {
    let said = Said::read(state, tx, said)?;
    check_place(state, row, &said)?;
    if said.delete {
        delete_original(state, tx, row);
        return Ok(());
    }
    if said.is_empty() {
        return Err(Error::BadHook(Code::NoText));
    }
    if said.replace && replace_original(state, tx, row, &said) {
        return Ok(());
    }
    let made = show(state, tx, row, said);
    if row.original.is_none() {
        state.response_urls.update(&mut tx.changes, id, |row| row.original = Some(made));
    }
    Ok(())
}

/// Whether an app may say something where the address is about. It need not be in the channel itself; the person must
/// still see it.
fn check_place(state: &State, row: &ResponseUrl, said: &Said) -> Result<(), Error> {
    let refused = |code| Err(Error::BadHook(code));
    let Some(channel) = state.visible(&row.channel, &row.user) else { return refused(Code::ChannelNotFound) };
    if channel.archived {
        return refused(Code::ChannelIsArchived);
    }
    // Deleting says nothing, and what one person alone sees is no post in the channel.
    let posts = said.in_channel || (said.replace && matches!(row.original, Some(Original::Message(_))));
    let bot = state.apps.get(&row.app).map(|app| app.bot_user.clone()).unwrap_or_default();
    let posting = Posting { reply: said.thread.is_some(), broadcast: false, text: &said.words() };
    match restrictions::check(state, channel, &bot, posting) {
        Err(_) if posts && !said.delete => refused(Code::ActionProhibited),
        _ => Ok(()),
    }
}

/// Shows what an app says: to the person alone, or to the channel.
fn show(state: &mut State, tx: &mut Tx<'_>, row: &ResponseUrl, said: Said) -> Original {
    let bot_user = state.apps.get(&row.app).map(|app| app.bot_user.clone()).unwrap_or_default();
    if said.in_channel {
        let draft = said.draft(&bot_user, &row.app);
        return Original::Message(messages::post(state, tx, &row.channel, draft));
    }
    let (text, reply_to) = (said.words(), said.thread);
    let (blocks, attachments) = (said.blocks.map(Arc::new), said.attachments.map(Arc::new));
    let ts = messages::whisper(state, tx, &row.channel, &row.user, |shown| {
        shown.from = bot_user;
        shown.app = Some(row.app.clone());
        shown.text = text;
        shown.reply_to = reply_to;
        (shown.blocks, shown.attachments) = (blocks, attachments);
    });
    Original::Ephemeral(ts)
}

fn delete_original(state: &mut State, tx: &mut Tx<'_>, row: &ResponseUrl) {
    match row.original {
        Some(Original::Message(ts)) => {
            messages::delete(state, tx, &row.channel, ts);
        }
        Some(Original::Ephemeral(ts)) => {
            state.ephemerals.remove(&mut tx.changes, &((row.channel.clone(), row.user.clone()), ts));
        }
        None => {}
    }
}

/// Replaces what the answer is about; false where there is nothing to replace.
fn replace_original(state: &mut State, tx: &mut Tx<'_>, row: &ResponseUrl, said: &Said) -> bool {
    let (text, blocks) = (said.words(), said.blocks.clone().map(Arc::new));
    let attachments = said.attachments.clone().map(Arc::new);
    match row.original {
        Some(Original::Message(ts)) => messages::edit(state, tx, &row.channel, ts, |message| {
            message.text = Arc::clone(&text);
            message.edit_extra(|extra| (extra.blocks, extra.attachments) = (blocks.clone(), attachments.clone()));
        })
        .is_some(),
        Some(Original::Ephemeral(ts)) => {
            let key = ((row.channel.clone(), row.user.clone()), ts);
            let replaced = state.ephemerals.update(&mut tx.changes, &key, |shown| {
                (shown.text, shown.blocks, shown.attachments) = (text, blocks, attachments);
            });
            replaced.is_some()
        }
        None => false,
    }
}

/// A person has pressed a button.
pub(crate) fn click(state: &mut State, tx: &mut Tx<'_>, occasion: &Occasion, on: Original, button: &Button) {
    if button.attachment.is_some() {
        return legacy::click(state, tx, occasion, on, button);
    }
    let action = action(&button.element, &button.block_id, tx.now);
    act(state, tx, occasion, on, &action);
}

/// A person has used a control of a message.
pub(crate) fn act(state: &mut State, tx: &mut Tx<'_>, occasion: &Occasion, on: Original, action: &Value) {
    let Occasion { app, user, channel } = occasion;
    let (ts, is_ephemeral) = match on {
        Original::Message(ts) => (ts, false),
        Original::Ephemeral(ts) => (ts, true),
    };
    let message = (!is_ephemeral).then(|| state.message(&channel.id, ts).map(Arc::clone)).flatten();
    let thread = message.as_ref().and_then(|message| message.reply_to);
    let trigger = make_trigger_in(state, tx, occasion);
    let (_, response_url) = make_response_url(state, tx, "actions", occasion, Some(on));
    let team = &state.workspace;
    let mut container = json!({
        "type": "message",
        "message_ts": ts_text(ts),
        "channel_id": channel.id,
        "is_ephemeral": is_ephemeral,
    });
    if let Some(thread) = thread {
        container["thread_ts"] = json!(ts_text(thread));
    }
    let block_id = action["block_id"].as_str().unwrap_or_default();
    let attachments = attachments_of(state, &channel.id, &user.id, on).unwrap_or_default();
    let attachment = blocks::attachment_with(&attachments, block_id);
    let unfurl = attachment.filter(|attachment| attachment["is_app_unfurl"] == true);
    if let Some(attachment) = attachment {
        container["type"] = json!("message_attachment");
        container["attachment_id"] = attachment["id"].clone();
        container["is_app_unfurl"] = json!(unfurl.is_some());
    }
    let mut body = json!({
        "type": "block_actions",
        "user": { "id": user.id, "username": user.name, "name": user.name, "team_id": team.id },
        "api_app_id": app.id,
        "token": app.verification_token,
        "container": container,
        "trigger_id": trigger,
        "team": { "id": team.id, "domain": team.domain },
        "enterprise": null,
        "is_enterprise_install": false,
        "channel": { "id": channel.id, "name": payload_name(channel) },
    });
    if let Some(message) = message {
        body["message"] = shapes::message_value(state, &channel.id, &message);
    }
    if let Some(unfurl) = unfurl {
        body["app_unfurl"] = unfurl.clone();
    }
    body["state"] = json!({ "values": values_of(state, &channel.id, &user.id, on) });
    body["response_url"] = json!(response_url);
    body["actions"] = json!([action]);
    tx.deliver(BLOCK_ACTIONS, json!({ "app": app.id, "body": body }));
}

/// What a message holds of blocks, wherever it is shown: its own, and those in its attachments.
pub(crate) fn blocks_of(state: &State, channel: &SmolStr, user: &SmolStr, on: Original) -> Option<Arc<Value>> {
    let own = match on {
        Original::Message(ts) => state.message(channel, ts)?.blocks().map(Arc::clone),
        Original::Ephemeral(ts) => state.ephemerals.get(&((channel.clone(), user.clone()), ts))?.blocks.clone(),
    };
    let attachments = attachments_of(state, channel, user, on);
    let mut inside = attachments.iter().filter_map(|list| list.as_array()).flatten();
    if !inside.any(|attachment| attachment["blocks"].is_array()) {
        return own;
    }
    let listed = |blocks: &Value| blocks.as_array().cloned().unwrap_or_default();
    let mut all = own.map(|blocks| listed(&blocks)).unwrap_or_default();
    for attachment in attachments.iter().filter_map(|list| list.as_array()).flatten() {
        all.append(&mut listed(&attachment["blocks"]));
    }
    Some(Arc::new(Value::Array(all)))
}

/// The attachments of a message as somebody sees it.
pub(crate) fn attachments_of(state: &State, channel: &SmolStr, user: &SmolStr, on: Original) -> Option<Arc<Value>> {
    match on {
        Original::Message(ts) => state.message(channel, ts)?.attachments().map(Arc::clone),
        Original::Ephemeral(ts) => state.ephemerals.get(&((channel.clone(), user.clone()), ts))?.attachments.clone(),
    }
}

/// The app behind a message's controls: its own, or the one that put something behind somebody's link.
pub(crate) fn app_of(state: &State, channel: &SmolStr, user: &SmolStr, on: Original) -> Option<SmolStr> {
    let own = match on {
        Original::Message(ts) => state.message(channel, ts)?.app.clone(),
        Original::Ephemeral(ts) => state.ephemerals.get(&((channel.clone(), user.clone()), ts))?.app.clone(),
    };
    let unfurled = || {
        let attachments = attachments_of(state, channel, user, on)?;
        attachments.as_array()?.iter().find_map(blocks::unfurled_by)
    };
    own.or_else(unfurled)
}

/// What a person has set the controls of a message to: block to action to entry.
pub(crate) fn values_of(state: &State, channel: &SmolStr, user: &SmolStr, on: Original) -> Value {
    let blocks = blocks_of(state, channel, user, on);
    let mut values = blocks.map(|blocks| blocks::initial_values(&blocks)).unwrap_or_default();
    let (Original::Message(ts) | Original::Ephemeral(ts)) = on;
    if let Some(picks) = state.picks.get(&((channel.clone(), user.clone()), ts)) {
        for (block, actions) in &mut values {
            for (action, entry) in actions.as_object_mut().into_iter().flatten() {
                if let Some(kept) = picks.values.get(block).and_then(|actions| actions.get(action)) {
                    *entry = kept.clone();
                }
            }
        }
    }
    Value::Object(values)
}

/// What an app is told of the use of a control, without what it was set to.
pub(crate) fn action(element: &Value, block_id: &str, now: Timestamp) -> Value {
    let mut action = json!({ "action_id": element["action_id"], "block_id": block_id });
    for name in ["text", "value", "icon", "url", "style", "confirm", "placeholder"] {
        if let Some(value) = element.get(name) {
            action[name] = value.clone();
        }
    }
    action["type"] = element["type"].clone();
    action["action_ts"] = json!(ts_text(micros(now)));
    action
}
