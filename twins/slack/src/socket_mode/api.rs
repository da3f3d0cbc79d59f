//! Opening a socket: the method that gives an address, and the address.

use dtu_kernel::{operation::Typed, socket::SocketId, twin::Write};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{give_ticket, greet, take_ticket};
use crate::{
    Row, Slack,
    error::{Code, Error},
    limits::TIER_1,
};

/// The rows of Socket Mode.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::write("apps.connections.open", crate::ANY, "/api/apps.connections.open", open)
            .limit(TIER_1)
            .scopes(&["connections:write"])
            .errors(&["insecure_request"]),
        Row::socket("socket_mode", "/link/", link),
    ]
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Open {}

/// Where to connect.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Opened {
    /// Good for one connection, and not for long.
    url: String,
}

fn open(cx: &mut Write<'_, '_, Slack>, _: Open) -> Result<Typed<Opened>, Error> {
    if cx.scene.request.method != http::Method::POST {
        return Err(Code::InsecureRequest.into());
    }
    let app = cx.caller.token()?.app.clone();
    let ticket = give_ticket(cx.state, cx.tx, &app);
    // Clients connect to whatever address they are given: this one has no TLS.
    let host = cx.tx.origin.trim_start_matches("http://");
    Ok(Typed::ok(&Opened { url: format!("ws://{host}/link/?ticket={ticket}&app_id={app}") }))
}

/// What an address holds.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Link {
    /// The right to connect.
    #[serde(default)]
    ticket: String,
    /// The app that has it.
    #[serde(default)]
    app_id: String,
    /// Whether the connection is to be a short one, for those who want to see it end.
    #[serde(default)]
    debug_reconnects: bool,
}

fn link(cx: &mut Write<'_, '_, Slack>, socket: SocketId, with: Link) -> Result<(), Error> {
    let app = take_ticket(cx.state, cx.tx, &with.ticket).filter(|app| with.app_id.is_empty() || app.id == with.app_id);
    let app = app.ok_or(Error::Gone(Code::ExpiredUrl))?;
    greet(cx.state, cx.tx, socket, &app, with.debug_reconnects);
    Ok(())
}
