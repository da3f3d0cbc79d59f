//! Socket Mode: apps that are sent everything over sockets that they open, and not over HTTP.
//!
//! <https://docs.slack.dev/apis/events-api/using-socket-mode>

pub(crate) mod api;
mod envelopes;

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    ids::{HEX, IdShape},
    socket::SocketId,
    table::Table,
    time::Timestamp,
    tx::Tx,
};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

pub(crate) use self::envelopes::{acknowledged, frame};
use crate::model::{
    SITE, State,
    apps::{self, App, Token, TokenKind},
};

/// How many sockets an app may have open.
const CONNECTIONS_MAX: usize = 10;
/// How long an address can be used to open one. Slack says only that it is short.
const TICKET_LIFE: Duration = Duration::from_secs(60);
/// How long a socket stays open.
const LIFE: Duration = Duration::from_secs(3_600);
/// The same for clients that want to see reconnections.
const SHORT_LIFE: Duration = Duration::from_secs(360);
/// How long before its end a client is warned.
const WARNING: Duration = Duration::from_secs(10);

/// The timer that warns.
const WARNING_TIMER: &str = "socket warning";
/// The timer that ends a socket.
const REFRESH_TIMER: &str = "socket refresh";

/// RFC 6455: all is well.
const NORMAL: u16 = 1_000;

const TICKET: IdShape = IdShape { site: SITE.child("ticket"), prefix: "", alphabet: HEX, drawn: 32, suffix: "" };

const TOKEN: IdShape = IdShape { site: SITE.child("app token"), prefix: "", alphabet: HEX, drawn: 64, suffix: "" };

/// The right to open one socket.
#[derive(Clone, Debug, Serialize)]
pub struct Ticket {
    /// The app.
    pub app: SmolStr,
    /// When it was given.
    pub made: Timestamp,
}

/// An open socket.
#[derive(Clone, Debug, Serialize)]
pub struct Connection {
    /// The app.
    pub app: SmolStr,
    /// When it was opened.
    pub opened: Timestamp,
}

/// What is remembered for Socket Mode.
#[derive(Clone, Debug)]
pub struct Sockets {
    /// Tickets that were not used yet.
    pub tickets: Table<SmolStr, Ticket>,
    /// Open sockets by number.
    pub connections: Table<SocketId, Connection>,
    /// App to its open sockets.
    by_app: OrdMap<SmolStr, OrdSet<SocketId>>,
}

impl Default for Sockets {
    fn default() -> Self {
        let (tickets, connections) = (Table::new("socket_tickets"), Table::new("socket_connections"));
        Self { tickets, connections, by_app: OrdMap::new() }
    }
}

impl Sockets {
    /// The open sockets of an app.
    pub fn of(&self, app: &SmolStr) -> impl Iterator<Item = SocketId> + '_ {
        self.by_app.get(app).into_iter().flatten().copied()
    }

    /// How many sockets an app has open.
    pub fn count(&self, app: &SmolStr) -> usize {
        self.by_app.get(app).map_or(0, OrdSet::len)
    }
}

/// Gives an app a token of its own, where it has none.
pub(crate) fn give_app_token(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    let Some(app) = state.apps.get(id).filter(|app| app.app_token.is_none()).map(Arc::clone) else { return };
    let scope = SmolStr::new_static("connections:write");
    let text = format_smolstr!("xapp-1-{id}-{}-{}", app.updated, tx.id(&TOKEN));
    let token = Token {
        kind: TokenKind::App,
        app: id.clone(),
        user: SmolStr::default(),
        scopes: [scope.clone()].into(),
        granted: scope,
        bearer: format_smolstr!("{}/app", app.key),
        revoked: false,
        expires: None,
    };
    state.tokens.put(&mut tx.changes, text.clone(), token);
    apps::edit(state, tx, id, |app| app.app_token = Some(text));
}

/// Gives an app a ticket.
fn give_ticket(state: &mut State, tx: &mut Tx<'_>, app: &SmolStr) -> SmolStr {
    let text = tx.id(&TICKET);
    state.sockets.tickets.put(&mut tx.changes, text.clone(), Ticket { app: app.clone(), made: tx.now });
    text
}

/// Takes a ticket; gives back whose it is, where it is one.
fn take_ticket(state: &mut State, tx: &mut Tx<'_>, text: &str) -> Option<Arc<App>> {
    let key = SmolStr::new(text);
    let ticket = state.sockets.tickets.get(&key).map(Arc::clone)?;
    state.sockets.tickets.remove(&mut tx.changes, &key);
    let in_time = tx.now.since(ticket.made) <= TICKET_LIFE;
    state.apps.get(&ticket.app).filter(|_| in_time).map(Arc::clone)
}

/// Greets a client, or tells it why it cannot stay.
fn greet(state: &mut State, tx: &mut Tx<'_>, socket: SocketId, app: &App, short: bool) {
    if !app.socket_mode || app.removed {
        return end(tx, socket, "link_disabled");
    }
    if state.sockets.count(&app.id) >= CONNECTIONS_MAX {
        return end(tx, socket, "too_many_websockets");
    }
    let row = Connection { app: app.id.clone(), opened: tx.now };
    state.sockets.connections.put(&mut tx.changes, socket, row);
    state.sockets.by_app.entry(app.id.clone()).or_default().insert(socket);
    let life = if short { SHORT_LIFE } else { LIFE };
    let hello = json!({
        "type": "hello",
        "num_connections": state.sockets.count(&app.id),
        "debug_info": {
            "host": host(socket),
            "build_number": 108,
            "approximate_connection_time": life.as_secs(),
        },
        "connection_info": { "app_id": app.id },
    });
    tx.push(socket, hello.to_string());
    let data = json!({ "socket": socket, "opened": tx.now });
    tx.timer(tx.now.after(life.saturating_sub(WARNING)), WARNING_TIMER, data.clone());
    tx.timer(tx.now.after(life), REFRESH_TIMER, data);
}

/// The machine that a socket hangs on.
fn host(socket: SocketId) -> String {
    format!("applink-{}", socket % 16)
}

/// Tells a client to go, and why.
fn disconnect(tx: &mut Tx<'_>, socket: SocketId, reason: &str) {
    let said = json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": host(socket) } });
    tx.push(socket, said.to_string());
}

fn end(tx: &mut Tx<'_>, socket: SocketId, reason: &str) {
    disconnect(tx, socket, reason);
    tx.close(socket, NORMAL, "");
}

/// A fault rule is about to close a socket.
pub(crate) fn closing(tx: &mut Tx<'_>, socket: SocketId) {
    disconnect(tx, socket, "refresh_requested");
}

/// A socket has ended.
pub(crate) fn closed(state: &mut State, tx: &mut Tx<'_>, socket: SocketId) {
    let Some(row) = state.sockets.connections.remove(&mut tx.changes, &socket) else { return };
    if let Some(open) = state.sockets.by_app.get_mut(&row.app) {
        open.remove(&socket);
        if open.is_empty() {
            state.sockets.by_app.remove(&row.app);
        }
    }
}

/// Socket Mode was turned off for an app, or the app is gone: its sockets are closed.
pub(crate) fn turn_off(state: &State, tx: &mut Tx<'_>, app: &SmolStr) {
    for socket in state.sockets.of(app) {
        end(tx, socket, "link_disabled");
    }
}

/// A socket's time comes to its end. False where the timer is another's.
pub(crate) fn on_timer(state: &State, tx: &mut Tx<'_>, name: &str, data: &Value) -> bool {
    if name != WARNING_TIMER && name != REFRESH_TIMER {
        return false;
    }
    let socket = data["socket"].as_u64().unwrap_or_default();
    let is_same = |row: &Arc<Connection>| json!(row.opened) == data["opened"];
    if state.sockets.connections.get(&socket).is_some_and(is_same) {
        match name {
            WARNING_TIMER => disconnect(tx, socket, "warning"),
            _ => end(tx, socket, "refresh_requested"),
        }
    }
    true
}
