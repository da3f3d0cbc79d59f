//! One connection of a client, which may end with a reset.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{
    answers::{Routes, answer},
    place::{Handover, Place},
    sockets::{self},
};
use crate::universe::Universe;

/// How long a client may take to send a request's head.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn connection(stream: TcpStream, universe: Arc<Universe>, slot: usize, routes: Routes) {
    let reset = Arc::new(AtomicBool::new(false));
    // Small answers must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let socket = Socket { stream, reset: Arc::clone(&reset) };
    let handover = Handover::default();
    let place = Arc::new(Place { universe, slot, reset, handover: Arc::clone(&handover) });
    let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let (routes, place) = (routes.clone(), Arc::clone(&place));
        async move { Ok::<_, std::convert::Infallible>(answer(&routes.0, &place, request).await) }
    });
    // How a connection ends is the client's business or a fault rule's; there is nobody to tell.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades()
        .await;
    let opened = handover.lock().take();
    if let Some((claim, upgrade)) = opened {
        // Within this task, which ends with the listener.
        Box::pin(sockets::serve(claim, upgrade)).await;
    }
}

/// A connection that can be told to end with a reset instead of a close.
struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::SeqCst) {
            let _ = socket_reset(&self.stream);
        }
    }
}

/// Lingering for no time makes the kernel send a reset on close.
fn socket_reset(stream: &TcpStream) -> io::Result<()> {
    stream.set_zero_linger()
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
