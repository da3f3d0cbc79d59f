//! The legacy Real Time Messaging API: sockets over which classic apps hear all that their bot may hear, and write.
//!
//! <https://docs.slack.dev/legacy/legacy-rtm-api>

pub(crate) mod api;
mod frames;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dtu_kernel::{
    ids::{ALNUM, IdShape},
    socket::SocketId,
    table::Table,
    time::Timestamp,
    tx::Tx,
};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

pub(crate) use self::frames::came;
use crate::model::{
    SITE, State,
    apps::{App, Token},
    status,
};

/// How long an address can be used to open a session.
const TICKET_LIFE: Duration = Duration::from_secs(30);
/// RFC 6455: all is well.
const NORMAL: u16 = 1_000;

const TICKET: IdShape = IdShape { site: SITE.child("rtm ticket"), prefix: "", alphabet: ALNUM, drawn: 48, suffix: "" };

/// What goes over events addresses and Socket Mode only.
const NOT_TOLD: &[&str] = &[
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "link_shared",
    "message_metadata_deleted",
    "message_metadata_posted",
    "message_metadata_updated",
    "tokens_revoked",
];

/// The right to open one session.
#[derive(Clone, Debug, Serialize)]
pub struct Ticket {
    /// The app.
    pub app: SmolStr,
    /// Its bot's user.
    pub user: SmolStr,
    /// Whether presence is told of several people at once.
    pub batches: bool,
    /// When it was given.
    pub made: Timestamp,
}

/// An open session.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// The app.
    pub app: SmolStr,
    /// Its bot's user.
    pub user: SmolStr,
    /// Whether presence is told of several people at once.
    pub batches: bool,
    /// The people whose presence it wants to be told.
    pub watched: BTreeSet<SmolStr>,
}

/// What is remembered of sessions.
#[derive(Clone, Debug)]
pub struct Rtm {
    /// Tickets that were not used yet.
    pub tickets: Table<SmolStr, Ticket>,
    /// Open sessions by socket.
    pub sessions: Table<SocketId, Session>,
    /// App to its sessions.
    by_app: OrdMap<SmolStr, OrdSet<SocketId>>,
    /// The session that writes just now, which is not told of it.
    writing: Option<SocketId>,
}

impl Default for Rtm {
    fn default() -> Self {
        let (tickets, sessions) = (Table::new("rtm_tickets"), Table::new("rtm_sessions"));
        Self { tickets, sessions, by_app: OrdMap::new(), writing: None }
    }
}

impl Rtm {
    /// The apps that have a session open.
    pub(crate) fn apps(&self) -> impl Iterator<Item = &SmolStr> {
        self.by_app.keys()
    }

    /// Whether nobody has a session open.
    pub(crate) fn is_idle(&self) -> bool {
        self.by_app.is_empty()
    }

    /// Whether an app has a session open.
    pub(crate) fn has(&self, app: &SmolStr) -> bool {
        self.by_app.contains_key(app)
    }

    /// How many sessions an app has open.
    pub(crate) fn count(&self, app: &SmolStr) -> usize {
        self.by_app.get(app).map_or(0, OrdSet::len)
    }

    /// The open sessions of an app.
    fn of(&self, app: &SmolStr) -> impl Iterator<Item = SocketId> + '_ {
        self.by_app.get(app).into_iter().flatten().copied()
    }
}

/// Gives the bot of a classic app an address to connect to.
fn give_ticket(state: &mut State, tx: &mut Tx<'_>, token: &Token, batches: bool) -> SmolStr {
    let text = tx.id(&TICKET);
    let row = Ticket { app: token.app.clone(), user: token.user.clone(), batches, made: tx.now };
    state.rtm.tickets.put(&mut tx.changes, text.clone(), row);
    text
}

/// Opens a session. False where the ticket is none or over.
fn open(state: &mut State, tx: &mut Tx<'_>, socket: SocketId, ticket: &str) -> bool {
    let key = SmolStr::new(ticket);
    let Some(ticket) = state.rtm.tickets.remove(&mut tx.changes, &key) else { return false };
    let is_gone = state.apps.get(&ticket.app).is_none_or(|app| app.removed);
    if is_gone || tx.now.since(ticket.made) > TICKET_LIFE {
        return false;
    }
    let Ticket { app, user, batches, .. } = Ticket::clone(&ticket);
    state.rtm.by_app.entry(app.clone()).or_default().insert(socket);
    let is_first = state.rtm.count(&app) == 1;
    let session = Session { app, user: user.clone(), batches, watched: BTreeSet::new() };
    state.rtm.sessions.put(&mut tx.changes, socket, session);
    if is_first {
        presence_changed(state, tx, &user);
    }
    tx.push(socket, json!({ "type": "hello" }).to_string());
    true
}

/// Whether a socket is a session.
pub(crate) fn is_session(state: &State, socket: SocketId) -> bool {
    state.rtm.sessions.contains(&socket)
}

/// Tells the sessions of an app of an event.
pub(crate) fn push(state: &State, tx: &mut Tx<'_>, app: &App, event: &Value) {
    if NOT_TOLD.contains(&event["type"].as_str().unwrap_or_default()) {
        return;
    }
    for socket in state.rtm.of(&app.id).filter(|socket| state.rtm.writing != Some(*socket)) {
        tx.push(socket, event.to_string());
    }
}

/// Somebody's presence has changed: those who watch them are told.
pub(crate) fn presence_changed(state: &State, tx: &mut Tx<'_>, user: &SmolStr) {
    let sessions = state.rtm.by_app.values().flatten();
    for (socket, session) in sessions.filter_map(|socket| Some((*socket, state.rtm.sessions.get(socket)?))) {
        if session.watched.contains(user) {
            tell_presence(state, tx, (socket, session), std::slice::from_ref(user));
        }
    }
}

/// Tells a session of people's presence: of all at once where it has asked for that.
fn tell_presence(state: &State, tx: &mut Tx<'_>, (socket, session): (SocketId, &Session), users: &[SmolStr]) {
    let word = |user: &SmolStr| {
        let active = state.users.get(user).is_some_and(|user| status::is_active(state, user));
        if active { "active" } else { "away" }
    };
    for word_wanted in ["active", "away"] {
        let some: Vec<&SmolStr> = users.iter().filter(|user| word(user) == word_wanted).collect();
        if session.batches && !some.is_empty() {
            let event = json!({ "type": "presence_change", "presence": word_wanted, "users": some });
            tx.push(socket, event.to_string());
        } else {
            for user in some {
                let event = json!({ "type": "presence_change", "presence": word_wanted, "user": user });
                tx.push(socket, event.to_string());
            }
        }
    }
}

/// A session has ended.
pub(crate) fn closed(state: &mut State, tx: &mut Tx<'_>, socket: SocketId) {
    let Some(row) = state.rtm.sessions.remove(&mut tx.changes, &socket) else { return };
    if let Some(open) = state.rtm.by_app.get_mut(&row.app) {
        open.remove(&socket);
        if open.is_empty() {
            state.rtm.by_app.remove(&row.app);
        }
    }
    if !state.rtm.has(&row.app) {
        presence_changed(state, tx, &row.user);
    }
}

/// A session is about to be closed by the service.
pub(crate) fn goodbye(tx: &mut Tx<'_>, socket: SocketId) {
    tx.push(socket, json!({ "type": "goodbye" }).to_string());
}

/// The app or its bot's token is gone: its sessions are closed.
pub(crate) fn turn_off(state: &State, tx: &mut Tx<'_>, app: &SmolStr) {
    for socket in state.rtm.of(app) {
        goodbye(tx, socket);
        tx.close(socket, NORMAL, "");
    }
}

/// The session of a socket.
fn session(state: &State, socket: SocketId) -> Option<Arc<Session>> {
    state.rtm.sessions.get(&socket).map(Arc::clone)
}
