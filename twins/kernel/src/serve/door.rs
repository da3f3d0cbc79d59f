//! A twin's port: listening, and closed while a rule has it so.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Weak},
    time::Duration,
};

use smol_str::format_smolstr;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::AbortHandle,
};

use super::{answers::Routes, connection::connection, replies::pause};
use crate::universe::Universe;

/// A twin being served. Dropping it closes the listener and all its connections.
#[derive(Debug)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listening {
    /// Its address as a URL without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves a universe's twin on a port of the loopback interface; 0 takes a free one.
///
/// # Errors
/// Where the port cannot be had.
pub fn listen(universe: &Arc<Universe>, slot: usize, routes: Routes, port: u16) -> io::Result<Listening> {
    let listener = bind(SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port)))?.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    universe.set_origin(slot, format_smolstr!("http://{address}"));
    let gates = Arc::clone(&universe.gates);
    let universe = Arc::downgrade(universe);
    let task = tokio::spawn(async move {
        // Connections end with the listener: the set aborts what it holds when dropped.
        let mut connections = tokio::task::JoinSet::new();
        let mut door = Door::Open(listener);
        loop {
            // Asked for before the rules are looked at, so that no change goes by unseen.
            let changed = gates.notified();
            let Some(may_close) = keep_door(&universe, slot, &mut door, address) else { return };
            tokio::select! {
                stream = door.accept() => {
                    let Some(universe) = universe.upgrade() else { return };
                    connections.spawn(connection(stream, universe, slot, routes.clone()));
                }
                Some(_) = connections.join_next() => {}
                () = changed => {}
                () = pause(DOOR_LOOK), if may_close => {}
            }
        }
    })
    .abort_handle();
    Ok(Listening { address, task })
}

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// How often the rules are asked whether a port is to open or close, while there is such a rule.
const DOOR_LOOK: Duration = Duration::from_millis(20);

/// A twin's port: open, or kept and closed, so that clients are refused and nobody else takes it.
enum Door {
    Open(TcpListener),
    Closed(TcpSocket),
    /// Between two tries to open it.
    Lost,
}

impl Door {
    /// The next connection; none ever while it is closed.
    async fn accept(&self) -> TcpStream {
        loop {
            match self {
                Self::Open(listener) => match listener.accept().await {
                    Ok((stream, _)) => return stream,
                    // Where the process has no file left for a connection, the next try would fail at once.
                    Err(_) => pause(DOOR_LOOK).await,
                },
                Self::Closed(_) | Self::Lost => std::future::pending().await,
            }
        }
    }
}

/// Opens or closes a twin's port as the rules have it. Gives back whether some rule may yet close it; none where the
/// universe is gone.
fn keep_door(universe: &Weak<Universe>, slot: usize, door: &mut Door, address: SocketAddr) -> Option<bool> {
    let universe = universe.upgrade()?;
    if !universe.may_refuse(slot) && matches!(door, Door::Open(_)) {
        return Some(false);
    }
    let refusal = universe.refusal(slot);
    match (std::mem::replace(door, Door::Lost), refusal) {
        (Door::Open(listener), Some(rule)) => {
            drop(listener);
            // Bound and not listening: the system answers that nobody is there.
            *door = bind(address).map_or(Door::Lost, Door::Closed);
            universe.note_refusal(slot, &rule);
        }
        (Door::Closed(socket), None) => *door = socket.listen(BACKLOG).map_or(Door::Lost, Door::Open),
        (Door::Lost, None) => {
            *door = bind(address).and_then(|socket| socket.listen(BACKLOG)).map_or(Door::Lost, Door::Open);
        }
        (same, _) => *door = same,
    }
    Some(universe.may_refuse(slot) || !matches!(door, Door::Open(_)))
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
