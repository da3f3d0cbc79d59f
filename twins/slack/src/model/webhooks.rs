//! Incoming webhooks: addresses that post to one channel, made where an app is installed with `incoming-webhook`.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use std::sync::Arc;

use dtu_kernel::{
    ids::{ALNUM, IdShape},
    tx::Tx,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::{SmolStr, format_smolstr};

use super::{
    BOT, SITE, State,
    interactivity::Said,
    messages::{self, Subtype},
    restrictions::{self, Posting},
};
use crate::{
    blocks::ATTACHMENTS_MAX,
    error::{Code, Error},
};

/// The scope that asks for a webhook.
pub(crate) const SCOPE: &str = "incoming-webhook";

const SECRET: IdShape =
    IdShape { site: SITE.child("webhook secret"), prefix: "", alphabet: ALNUM, drawn: 24, suffix: "" };

/// What becomes of what is posted to a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookStatus {
    /// It is shown.
    #[default]
    Active,
    /// Somebody has turned the webhook off.
    Disabled,
    /// The workspace lets it post nothing.
    Prohibited,
}

/// An incoming webhook.
#[derive(Clone, Debug, Serialize)]
pub struct Webhook {
    /// Its id, which is a bot's.
    pub id: SmolStr,
    /// The last part of the address.
    pub secret: SmolStr,
    /// The app; its bot posts.
    pub app: SmolStr,
    /// Where it posts.
    pub channel: SmolStr,
    /// Who chose the channel.
    pub creator: SmolStr,
    /// What becomes of what is posted.
    pub status: HookStatus,
}

impl Webhook {
    /// The address to post to, on a twin served at `origin`.
    pub fn url(&self, state: &State, origin: &str) -> String {
        format!("{origin}/services/{}/{}/{}", state.workspace.id, self.id, self.secret)
    }
}

/// Makes a webhook.
pub(crate) fn make(
    state: &mut State,
    tx: &mut Tx<'_>,
    app: &SmolStr,
    channel: &SmolStr,
    creator: &SmolStr,
) -> Arc<Webhook> {
    let (id, secret) = (tx.id(&BOT), tx.id(&SECRET));
    let row = Webhook {
        id: id.clone(),
        secret,
        app: app.clone(),
        channel: channel.clone(),
        creator: creator.clone(),
        status: HookStatus::Active,
    };
    state.index.webhooks_of.entry(app.clone()).or_default().insert(id.clone());
    state.webhooks.put(&mut tx.changes, id, row)
}

/// Ends all webhooks of an app.
pub(crate) fn end(state: &mut State, tx: &mut Tx<'_>, app: &SmolStr) {
    for id in state.index.webhooks_of.remove(app).unwrap_or_default() {
        state.webhooks.remove(&mut tx.changes, &id);
    }
}

/// Posts what an app says to a webhook; `said` is none where the body is no message.
///
/// # Errors
/// An address that is none or turned off, a channel that takes nothing, a body that cannot be used.
pub(crate) fn post(
    state: &mut State,
    tx: &mut Tx<'_>,
    [team, id, secret]: [&str; 3],
    said: Option<Map<String, Value>>,
) -> Result<(), Error> {
    if team != state.workspace.id {
        return Err(Error::BadHook(Code::NoTeam));
    }
    let row = state.webhooks.get(&id.into()).map(Arc::clone).ok_or(Error::BadHook(Code::NoService))?;
    if row.secret != secret {
        return Err(Error::BadHook(Code::InvalidToken));
    }
    if row.status == HookStatus::Disabled {
        return Err(Error::BadHook(Code::NoActiveHooks));
    }
    let said = said.ok_or(Error::BadHook(Code::InvalidPayload))?;
    if said.get("attachments").and_then(Value::as_array).is_some_and(|all| all.len() > ATTACHMENTS_MAX) {
        return Err(Error::BadHook(Code::TooManyAttachments));
    }
    let said = Said::read(state, tx, said)?;
    if said.is_empty() {
        return Err(Error::BadHook(Code::NoText));
    }
    check_channel(state, &row)?;
    let Some(app) = state.apps.get(&row.app).map(Arc::clone) else { return Err(Error::BadHook(Code::NoService)) };
    let mut draft = said.draft(&app.bot_user, &app.id);
    draft.extra.subtype = Some(Subtype::BotMessage);
    draft.extra.username = Some(app.name.clone());
    let channel = state.channels.get(&row.channel).ok_or(Error::BadHook(Code::ChannelNotFound))?;
    let posting = Posting { reply: draft.reply_to.is_some(), broadcast: draft.extra.broadcast, text: &draft.text };
    restrictions::check(state, channel, &draft.user, posting).map_err(|_| Error::BadHook(Code::ActionProhibited))?;
    messages::post(state, tx, &row.channel, draft);
    Ok(())
}

fn check_channel(state: &State, row: &Webhook) -> Result<(), Error> {
    let code = match state.channels.get(&row.channel) {
        None => Code::ChannelNotFound,
        Some(channel) if channel.archived => Code::ChannelIsArchived,
        Some(_) if row.status == HookStatus::Prohibited => Code::ActionProhibited,
        Some(_) => return Ok(()),
    };
    Err(Error::BadHook(code))
}

/// How an installation tells of a webhook.
pub(crate) fn told(state: &State, row: &Webhook, origin: &str) -> Value {
    let channel = state.channels.get(&row.channel);
    let name = channel.map(|channel| {
        if channel.kind.is_channel() { format_smolstr!("#{}", channel.name) } else { channel.name.clone() }
    });
    serde_json::json!({
        "channel": name.unwrap_or_default(),
        "channel_id": row.channel,
        "configuration_url": format!("{}services/{}", state.url(), row.id),
        "url": row.url(state, origin),
    })
}
