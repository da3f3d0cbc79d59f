//! What Slack itself shows of links: messages of the workspace, quoted where their addresses are posted.
//!
//! Slack decides what to show by what the author may see, and does it a moment after the message is there. Nothing
//! outside the machine is ever fetched, so that other links show nothing but what apps make of them (`chat.unfurl`).

use std::{sync::Arc, time::Duration};

use dtu_kernel::tx::Tx;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    State,
    channels::{Channel, Kind},
    messages::{self, Message},
    time::{parse_message_ts, ts_text},
};
use crate::{announce, shapes, text};

/// The timer after which links are shown.
pub(crate) const TIMER: &str = "unfurl";
/// How long Slack takes.
const WORK: Duration = Duration::from_secs(1);
/// The most messages that one message quotes.
const QUOTES_MAX: usize = 5;

/// A message was posted whose links are to be shown.
pub(crate) fn posted(state: &State, tx: &mut Tx<'_>, channel: &SmolStr, message: &Message) {
    let mut links = announce::links(&message.text);
    if links.any(|link| quoted(state, channel, message, link).is_some()) {
        tx.timer(tx.now.after(WORK), TIMER, json!([channel, ts_text(message.ts)]));
    }
}

/// Slack shows the links of a message, as they are by now.
pub(crate) fn show(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let channel = SmolStr::new(data[0].as_str().unwrap_or_default());
    let Some(ts) = data[1].as_str().and_then(parse_message_ts) else { return };
    let Some(row) = state.message(&channel, ts).map(Arc::clone) else { return };
    let links: Vec<&str> = announce::links(&row.text).collect();
    let quotes = links.iter().filter_map(|link| Some((*link, quoted(state, &channel, &row, link)?)));
    let mut shown: Vec<Value> = quotes.take(QUOTES_MAX).map(|(link, of)| quote(state, link, &of)).collect();
    if shown.is_empty() {
        return;
    }
    let mut all = row.attachments().and_then(|list| list.as_array().cloned()).unwrap_or_default();
    all.append(&mut shown);
    for (n, item) in all.iter_mut().enumerate() {
        item["id"] = json!(n + 1);
    }
    let all = Arc::new(Value::Array(all));
    messages::edit(state, tx, &channel, ts, |message| {
        message.edit_extra(|extra| extra.attachments = Some(Arc::clone(&all)));
    });
}

/// A message that a link leads to.
struct Quoted {
    channel: Arc<Channel>,
    message: Arc<Message>,
}

/// The message that a link leads to, where its author sees it and those who read the link may.
fn quoted(state: &State, posted_in: &SmolStr, by: &Message, link: &str) -> Option<Quoted> {
    let link = text::unescape(link);
    let path = link.strip_prefix(&format!("{}archives/", state.url()))?;
    let path = path.split(['?', '#']).next()?;
    let (channel, ts) = path.split_once("/p")?;
    let (secs, micros) = ts.split_at_checked(ts.len().checked_sub(6)?)?;
    let ts = parse_message_ts(&format!("{secs}.{micros}"))?;
    let channel = state.visible(channel, &by.user)?;
    let is_for_readers = channel.kind == Kind::Public || channel.id == *posted_in;
    let message = state.message(&channel.id, ts).filter(|_| is_for_readers)?;
    Some(Quoted { channel: Arc::clone(channel), message: Arc::clone(message) })
}

/// The quote, as an attachment.
fn quote(state: &State, link: &str, Quoted { channel, message }: &Quoted) -> Value {
    let body = shapes::message_value(state, &channel.id, message);
    let author = state.users.get(&message.user);
    let name = body["username"].as_str().map(SmolStr::new).or_else(|| author.map(|user| user.real_name.clone()));
    let name = name.unwrap_or_default();
    let link = text::unescape(link);
    let place = if message.reply_to.is_some() { "Thread in" } else { "Posted in" };
    let footer = match channel.kind {
        Kind::Im | Kind::Mpim => "Direct message".to_owned(),
        _ => format!("{place} #{}", channel.name),
    };
    let mut quote = json!({
        "from_url": link,
        "original_url": link,
        "ts": ts_text(message.ts),
        "author_id": message.user,
        "author_name": name,
        "author_subname": author.map(|user| user.about.display_name.clone()).unwrap_or_default(),
        "author_link": format!("{}team/{}", state.url(), message.user),
        "author_icon": author.map(|user| shapes::profile(state, user, false).small_image()),
        "channel_id": channel.id,
        "channel_team": state.workspace.id,
        "is_msg_unfurl": true,
        "message_blocks": [{
            "team": state.workspace.id,
            "channel": channel.id,
            "ts": ts_text(message.ts),
            "message": { "blocks": body["blocks"] },
        }],
        "color": "D0D0D0",
        "fallback": format!("{name}: {}", message.text),
        "text": message.text,
        "mrkdwn_in": ["text"],
        "footer": footer,
    });
    if body["files"].is_array() {
        quote["files"] = body["files"].clone();
    }
    if message.reply_to.is_some() {
        quote["is_reply_unfurl"] = json!(true);
    } else if message.thread.is_some() {
        quote["is_thread_root_unfurl"] = json!(true);
    }
    quote
}
