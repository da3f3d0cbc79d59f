//! Opening a session: the methods that give an address, and the address.

use dtu_kernel::{operation::Typed, socket::SocketId, twin::Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{give_ticket, open};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{SPECIAL, TIER_1},
    model::apps::{CLASSIC, TokenKind},
};

/// The rows.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::write("rtm.connect", ANY, "/api/rtm.connect", connect).limit(TIER_1).form_only(),
        Row::write("rtm.start", ANY, "/api/rtm.start", start).limit(TIER_1).form_only(),
        Row::socket("rtm.session", "/websocket/{ticket}", session).limit(SPECIAL),
    ]
}

/// Arguments of `rtm.connect`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Connect {
    #[serde(default)]
    batch_presence_aware: bool,
    /// Sessions are told of presence where they ask for it, which is the default, and the only way left.
    #[serde(rename = "presence_sub")]
    _presence_sub: Option<bool>,
}

/// `rtm.connect`: for the bots of classic apps alone.
fn connect(cx: &mut Write<'_, '_, Slack>, args: Connect) -> Result<Typed<Value>, Error> {
    begin(cx, args.batch_presence_aware)
}

/// Arguments of `rtm.start`. Since September 2022 it tells no more than `rtm.connect`, so that those about what it
/// tells decide nothing: <https://docs.slack.dev/changelog/2021-10-rtm-start-to-stop>.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Start {
    #[serde(default)]
    batch_presence_aware: bool,
    #[serde(rename = "include_locale")]
    _include_locale: Option<bool>,
    #[serde(rename = "mpim_aware")]
    _mpim_aware: Option<bool>,
    #[serde(rename = "no_latest")]
    _no_latest: Option<bool>,
    #[serde(rename = "no_unreads")]
    _no_unreads: Option<bool>,
    #[serde(rename = "presence_sub")]
    _presence_sub: Option<bool>,
    #[serde(rename = "simple_latest")]
    _simple_latest: Option<bool>,
}

/// `rtm.start`
fn start(cx: &mut Write<'_, '_, Slack>, args: Start) -> Result<Typed<Value>, Error> {
    begin(cx, args.batch_presence_aware)
}

fn begin(cx: &mut Write<'_, '_, Slack>, batches: bool) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?.clone();
    if token.kind != TokenKind::Bot || !token.scopes.iter().any(|scope| scope == CLASSIC) {
        return Err(Code::NotAllowedTokenType.into());
    }
    let ticket = give_ticket(cx.state, cx.tx, &token, batches);
    let team = &cx.state.workspace;
    let name = cx.state.users.get(&token.user).map(|user| user.name.clone()).unwrap_or_default();
    // Clients connect to whatever address they are given: this one has no TLS.
    let host = cx.tx.origin.trim_start_matches("http://");
    Ok(Typed::ok(&json!({
        "url": format!("ws://{host}/websocket/{ticket}"),
        "team": { "id": team.id, "name": team.name, "domain": team.domain },
        "self": { "id": token.user, "name": name },
    })))
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

fn session(cx: &mut Write<'_, '_, Slack>, socket: SocketId, _: Nothing) -> Result<(), Error> {
    let ticket = cx.scene.request.path_param("ticket");
    if open(cx.state, cx.tx, socket, ticket) { Ok(()) } else { Err(Error::Gone(Code::ExpiredUrl)) }
}
