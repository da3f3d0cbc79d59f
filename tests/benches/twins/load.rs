//! Load over loopback: few connections, one request after the other on each, counted for a time.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// How many connections put load on a server at once.
const CONNECTIONS: usize = 16;

/// A request as bytes, sent over and over.
#[derive(Clone, Debug)]
pub(crate) struct Shot(Arc<[u8]>);

impl Shot {
    /// A request without a body.
    pub(crate) fn get(target: &str, headers: &[(&str, &str)]) -> Self {
        Self::new("GET", target, headers, "")
    }

    /// A request with a form.
    pub(crate) fn form(target: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        Self::new("POST", target, &headers, body)
    }

    fn new(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let text =
            format!("{method} {target} HTTP/1.1\r\nhost: twin.localhost\r\n{}{length}\r\n{body}", headers.concat());
        Self(text.into_bytes().into())
    }
}

/// One answer: its status line and body.
pub(crate) async fn fire_once(address: SocketAddr, shot: &Shot) -> (String, Vec<u8>) {
    let mut gun = Gun::connect(address).await;
    let body = gun.fire(shot).await;
    let head = String::from_utf8_lossy(&gun.head).lines().next().unwrap_or_default().to_owned();
    (head, body)
}

/// The same request so many times over one connection.
pub(crate) async fn fire_times(address: SocketAddr, shot: &Shot, times: usize) {
    let mut gun = Gun::connect(address).await;
    for _ in 0..times {
        gun.fire(shot).await;
    }
}

/// Answers a second that a server gives under load.
pub(crate) async fn rate(address: SocketAddr, shot: &Shot, span: Duration) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let count = Arc::new(AtomicU64::new(0));
    let mut guns = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (stop, count, shot) = (Arc::clone(&stop), Arc::clone(&count), shot.clone());
        guns.spawn(async move {
            let mut gun = Gun::connect(address).await;
            while !stop.load(Ordering::Relaxed) {
                gun.fire(&shot).await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    // A warm-up that does not count.
    tokio::time::sleep(span / 8).await;
    let (start, before) = (std::time::Instant::now(), count.load(Ordering::Relaxed));
    tokio::time::sleep(span).await;
    let (passed, after) = (start.elapsed(), count.load(Ordering::Relaxed));
    stop.store(true, Ordering::Relaxed);
    while guns.join_next().await.is_some() {}
    (after - before) as f64 / passed.as_secs_f64()
}

/// Connections that have sent a request and wait for its answer until they are dropped.
pub(crate) async fn hold_open(address: SocketAddr, shot: &Shot, count: usize) -> Vec<TcpStream> {
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        let mut gun = Gun::connect(address).await;
        gun.stream.write_all(&shot.0).await.expect("the server reads");
        held.push(gun.stream);
    }
    held
}

struct Gun {
    stream: TcpStream,
    buffer: Vec<u8>,
    head: Vec<u8>,
}

impl Gun {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a socket takes the option");
        Self { stream, buffer: Vec::with_capacity(64 * 1024), head: Vec::new() }
    }

    /// Sends the request and reads the whole answer.
    async fn fire(&mut self, shot: &Shot) -> Vec<u8> {
        self.stream.write_all(&shot.0).await.expect("the server reads");
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("the server answers");
            assert!(read > 0, "the server closed the connection");
            let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let length = content_length(&self.buffer[..end]);
            while self.buffer.len() < end + 4 + length {
                let read = self.stream.read_buf(&mut self.buffer).await.expect("the server answers");
                assert!(read > 0, "the server closed the connection");
            }
            if self.head.is_empty() {
                self.head = self.buffer[..end].to_vec();
            }
            return self.buffer.split_off(end + 4);
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).expect("heads are text");
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}
