//! A socket on the wire: RFC 6455 over a connection that hyper hands over.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{sync::mpsc, time::MissedTickBehavior};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Bytes, Message,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

use crate::{
    socket::{End, FRAME_MAX, Line, Out, SocketId},
    universe::{Busy, Universe},
};

/// How often the service pings its clients (machine time). Slack's clients give up after 30 seconds without one.
const PING: Duration = Duration::from_secs(10);

/// How long a client may take to read what it is sent.
const READING: Duration = Duration::from_secs(10);

/// How long a client may take to answer that a socket is closed.
const CLOSING: Duration = Duration::from_secs(2);

/// How long after the answer the connection may take to be handed over.
const HANDOVER: Duration = Duration::from_secs(10);

/// A socket whose connection is coming. Dropping it before it is served tells the twin that it never came about.
#[derive(Debug)]
pub(crate) struct Claim {
    universe: Weak<Universe>,
    line: Line,
    queue: Option<mpsc::Receiver<Out>>,
    end: End,
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(universe) = self.universe.upgrade() {
            universe.socket_ended(self.line, self.end);
        }
    }
}

/// Claims the socket that an answer opens, on behalf of its connection.
pub(crate) fn accept(universe: &Arc<Universe>, socket: SocketId) -> Option<Claim> {
    let (slot, serial, queue) = universe.sockets.claim(socket)?;
    let universe = Arc::downgrade(universe);
    let line = Line { slot, socket, serial };
    Some(Claim { universe, line, queue: Some(queue), end: End::Unopened })
}

/// Serves a socket until it ends.
pub(crate) async fn serve(mut claim: Claim, upgrade: OnUpgrade) {
    let Ok(Ok(connection)) = tokio::time::timeout(HANDOVER, upgrade).await else { return };
    let Some(mut queue) = claim.queue.take() else { return };
    let mut stream = WebSocketStream::from_raw_socket(TokioIo::new(connection), Role::Server, Some(bounds())).await;
    // Set before the first frame: where this future is dropped, the listener has gone.
    claim.end = End::Service;
    claim.end = converse(&claim, &mut stream, &mut queue).await;
}

/// What a client may take of this process. Buffers are small, because most sockets are idle.
fn bounds() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(2 << 10)
        .write_buffer_size(0)
        .max_write_buffer_size(8 << 20)
        .max_message_size(Some(FRAME_MAX))
        .max_frame_size(Some(FRAME_MAX))
}

type Stream = WebSocketStream<TokioIo<Upgraded>>;

async fn converse(claim: &Claim, stream: &mut Stream, queue: &mut mpsc::Receiver<Out>) -> End {
    let mut ping = tokio::time::interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            out = queue.recv() => match out {
                Some(Out::Text(text)) => {
                    if !send(stream, Message::text(text)).await {
                        return End::Misbehaved;
                    }
                }
                Some(Out::Close(code, reason)) => {
                    close(stream, code, &reason).await;
                    return End::Service;
                }
                Some(Out::Cut) => return End::Service,
                None => {
                    close(stream, 1001, "").await;
                    return End::Rewound;
                }
            },
            came = stream.next() => match came {
                Some(Ok(Message::Text(text))) => match claim.universe.upgrade() {
                    Some(universe) => take(&universe, claim, &text),
                    None => return End::Service,
                },
                // Pings are answered by the protocol's own machine, which sends the pong when it is flushed.
                Some(Ok(Message::Ping(_))) => {
                    let _ = tokio::time::timeout(READING, stream.flush()).await;
                }
                Some(Ok(Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) => {
                    let _ = tokio::time::timeout(CLOSING, stream.flush()).await;
                    return End::Client;
                }
                Some(Err(error)) => return if is_lost(&error) { End::Client } else { End::Misbehaved },
                None => return End::Client,
            },
            _ = ping.tick() => {
                if !send(stream, Message::Ping(Bytes::from_static(b"Ping from dtu"))).await {
                    return End::Misbehaved;
                }
            }
        }
    }
}

/// Whether the connection broke, rather than the client the rules.
const fn is_lost(error: &tokio_tungstenite::tungstenite::Error) -> bool {
    use tokio_tungstenite::tungstenite::{Error, error::ProtocolError};
    matches!(
        error,
        Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Io(_)
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
    )
}

fn take(universe: &Arc<Universe>, claim: &Claim, text: &str) {
    let _busy = Busy::new(universe);
    universe.frame_came(claim.line, text);
}

async fn send(stream: &mut Stream, message: Message) -> bool {
    matches!(tokio::time::timeout(READING, stream.send(message)).await, Ok(Ok(())))
}

/// Closes a socket as the protocol wants it: both say so, then the connection ends.
async fn close(stream: &mut Stream, code: u16, reason: &str) {
    let farewell = async {
        let _ = stream.close(Some(CloseFrame { code: code.into(), reason: reason.into() })).await;
        while let Some(Ok(_)) = stream.next().await {}
    };
    let _ = tokio::time::timeout(CLOSING, farewell).await;
}
