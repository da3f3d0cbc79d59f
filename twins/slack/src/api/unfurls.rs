//! `chat.unfurl`: what apps show of links.
//!
//! <https://docs.slack.dev/messaging/unfurling-links-in-messages>

use std::sync::Arc;

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{entity::MISFIT, marks::done};
use crate::{
    ANY, Row, Slack, announce, blocks,
    error::{Code, Error},
    limits::TIER_3,
    model::{
        apps::App,
        drafts,
        entities::{self, For},
        messages::{self, Message},
        time::parse_message_ts,
    },
};

/// The row.
pub(crate) fn operations() -> Vec<Row> {
    vec![Row::write("chat.unfurl", ANY, "/api/chat.unfurl", unfurl).limit(TIER_3).scopes(&["links:write"]).errors(&[
        "cannot_find_channel",
        "cannot_find_message",
        "cannot_find_service",
        "cannot_parse_attachment",
        "cannot_unfurl_message",
        "cannot_unfurl_url",
        "invalid_metadata_format",
        "invalid_source",
        "invalid_unfurl_id",
        "invalid_unfurls_format",
        "missing_channel",
        "missing_source",
        "missing_ts",
        "missing_unfurl_id",
        "missing_unfurls",
    ])]
}

/// Arguments of `chat.unfurl`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Unfurl {
    channel: Option<String>,
    ts: Option<String>,
    #[serde(rename = "unfurls")]
    previews: Option<Value>,
    #[serde(rename = "unfurl_id")]
    id: Option<String>,
    source: Option<SmolStr>,
    #[serde(default)]
    user_auth_required: bool,
    user_auth_message: Option<String>,
    user_auth_url: Option<String>,
    user_auth_blocks: Option<Value>,
    metadata: Option<Value>,
}

impl Unfurl {
    /// The channel and timestamp of the message, given as such, or as an id with where it comes from.
    fn place(&self) -> Result<(SmolStr, SmolStr), Code> {
        let given = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(SmolStr::new);
        let source = self.source.as_deref().filter(|source| !source.is_empty());
        match (given(&self.channel), given(&self.ts), given(&self.id), source) {
            (Some(channel), Some(ts), _, _) => Ok((channel, ts)),
            (Some(_), None, None, None) => Err(Code::MissingTs),
            (None, _, None, None) => Err(Code::MissingChannel),
            (_, _, None, Some(_)) => Err(Code::MissingUnfurlId),
            (_, _, Some(_), None) => Err(Code::MissingSource),
            (_, _, Some(id), Some("conversations_history")) => read_unfurl_id(&id).ok_or(Code::InvalidUnfurlId),
            (_, _, Some(id), Some("composer")) => Ok((drafts::COMPOSER.into(), id)),
            (_, _, Some(_), Some(_)) => Err(Code::InvalidSource),
        }
    }

    /// Whether the author is to sign in first.
    const fn asks(&self) -> bool {
        let words = self.user_auth_message.is_some() || self.user_auth_blocks.is_some();
        self.user_auth_required || words || self.user_auth_url.is_some()
    }

    /// What links show: what the app makes of them, and the work objects behind them; and what is wrong with those that
    /// are left out.
    fn shown(&self, app: &App) -> Result<(Map<String, Value>, Vec<String>), Error> {
        let given = match &self.metadata {
            None => return Ok((self.unfurls()?, Vec::new())),
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| Code::InvalidMetadataFormat)?,
            Some(other) => other.clone(),
        };
        let mut shown = if self.previews.is_some() { self.unfurls()? } else { Map::new() };
        let misfits = entities::faults(&given["entities"], For::Link);
        let fitting = given["entities"].as_array().filter(|_| misfits.is_empty());
        for entity in fitting.into_iter().flatten() {
            let url = entity["app_unfurl_url"].as_str().unwrap_or_default().to_owned();
            shown.insert(url, entities::attachment(entity, (&app.id, &app.bot)));
        }
        Ok((shown, misfits))
    }

    fn unfurls(&self) -> Result<Map<String, Value>, Code> {
        let given = match &self.previews {
            None => return Err(Code::MissingUnfurls),
            Some(Value::String(text)) if text.is_empty() => return Err(Code::MissingUnfurls),
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| Code::InvalidUnfurlsFormat)?,
            Some(other) => other.clone(),
        };
        let Value::Object(given) = given else { return Err(Code::InvalidUnfurlsFormat) };
        if given.values().all(Value::is_object) { Ok(given) } else { Err(Code::CannotParseAttachment) }
    }
}

/// The channel and timestamp in an id that a `link_shared` event has told.
fn read_unfurl_id(id: &str) -> Option<(SmolStr, SmolStr)> {
    let (channel, rest) = id.split_once('.')?;
    let (ts, _) = rest.rsplit_once('.')?;
    (announce::unfurl_id(channel, ts) == id).then(|| (channel.into(), ts.into()))
}

/// `chat.unfurl`: shows links of the app's domains in a message. Or asks the author, alone, to sign in first.
fn unfurl(cx: &mut Write<'_, '_, Slack>, args: Unfurl) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let (channel, ts) = args.place()?;
    if channel == drafts::COMPOSER {
        return unfurl_draft(cx, &ts, &args);
    }
    let channel = cx.state.visible(&channel, &token.user).ok_or(Code::CannotFindChannel)?.id.clone();
    let ts = parse_message_ts(&ts).ok_or(Code::CannotFindMessage)?;
    let row = cx.state.message(&channel, ts).cloned().ok_or(Code::CannotFindMessage)?;
    if args.asks() {
        return ask_to_sign_in(cx, &channel, &row, args);
    }
    let app = cx.state.apps.get(&token.app).cloned().ok_or(Code::CannotFindService)?;
    let (unfurls, misfits) = args.shown(&app)?;
    if unfurls.is_empty() && !misfits.is_empty() {
        return Ok(unfurled(&misfits));
    }
    if app.unfurl_domains.is_empty() {
        return Err(Code::CannotFindService.into());
    }
    for url in unfurls.keys() {
        check_domain(&app, url)?;
        if !announce::has_link(&row.text, url) {
            return Err(Code::CannotUnfurlMessage.into());
        }
    }
    let given: Vec<Value> = unfurls.values().cloned().collect();
    let given = blocks::read_attachments(Some(Value::Array(given)), cx.tx)?.unwrap_or_default();
    let shown = with_unfurls(&row, &unfurls, given, (&app.id, &app.bot));
    messages::edit(cx.state, cx.tx, &channel, ts, |message| {
        message.edit_extra(|extra| extra.attachments = Some(Arc::clone(&shown)));
    });
    Ok(unfurled(&misfits))
}

/// An answer of nothing but what Slack left out, if anything.
fn unfurled(misfits: &[String]) -> Typed<Value> {
    if misfits.is_empty() {
        return done();
    }
    let messages = json!({ "messages": misfits, "warnings": [MISFIT] });
    Typed::ok(&json!({ "warning": MISFIT, "response_metadata": messages }))
}

fn check_domain(app: &App, url: &str) -> Result<(), Code> {
    announce::domain_of(&app.unfurl_domains, url).map(|_| ()).ok_or(Code::CannotUnfurlUrl)
}

/// Shows links of what somebody has not sent yet.
fn unfurl_draft(cx: &mut Write<'_, '_, Slack>, id: &SmolStr, args: &Unfurl) -> Result<Typed<Value>, Error> {
    let app = cx.state.apps.get(&cx.caller.token()?.app).cloned().ok_or(Code::CannotFindService)?;
    if args.asks() {
        drafts::ask(cx.state, cx.tx, &app, id)?;
        return Ok(done());
    }
    let (unfurls, misfits) = args.shown(&app)?;
    unfurls.keys().try_for_each(|url| check_domain(&app, url))?;
    drafts::preview(cx.state, cx.tx, (&app, id), unfurls)?;
    Ok(unfurled(&misfits))
}

/// The message's attachments and what its links show: another preview of a link takes the place of the first.
fn with_unfurls(
    row: &Message,
    unfurls: &Map<String, Value>,
    given: Value,
    (app, bot): (&SmolStr, &SmolStr),
) -> Arc<Value> {
    let before = row.attachments().and_then(|list| list.as_array().cloned()).unwrap_or_default();
    let is_new = |item: &Value| item["from_url"].as_str().is_some_and(|url| unfurls.contains_key(url));
    let mut all: Vec<Value> = before.into_iter().filter(|item| !is_new(item)).collect();
    let given = if let Value::Array(given) = given { given } else { Vec::new() };
    for (mut item, url) in given.into_iter().zip(unfurls.keys()) {
        item["from_url"] = json!(url);
        item["app_unfurl_url"] = json!(url);
        item["is_app_unfurl"] = json!(true);
        item["app_id"] = json!(app);
        item["bot_id"] = json!(bot);
        all.push(item);
    }
    for (n, item) in all.iter_mut().enumerate() {
        item["id"] = json!(n + 1);
    }
    Arc::new(Value::Array(all))
}

fn ask_to_sign_in(
    cx: &mut Write<'_, '_, Slack>,
    channel: &SmolStr,
    row: &Message,
    args: Unfurl,
) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let app = cx.state.apps.get(&token.app).cloned().ok_or(Code::CannotFindService)?;
    let blocks = blocks::read(args.user_auth_blocks, cx.tx)?.map(Arc::new);
    let link = args.user_auth_url.map(|url| format!(" <{url}|Sign in>")).unwrap_or_default();
    let words = args.user_auth_message.unwrap_or_else(|| format!("{} wants to show a preview.", app.name));
    messages::whisper(cx.state, cx.tx, channel, &row.user, |shown| {
        (shown.from, shown.app) = (app.bot_user.clone(), Some(app.id.clone()));
        shown.text = format!("{words}{link}").into();
        (shown.blocks, shown.reply_to) = (blocks, row.reply_to);
    });
    Ok(done())
}
