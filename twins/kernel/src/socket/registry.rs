//! The open sockets of a universe, and the answers that deliveries over them wait for.

use std::collections::BTreeMap;

use bytes::Bytes;
use parking_lot::Mutex;
use smol_str::SmolStr;
use tokio::sync::{mpsc, oneshot};

use super::frame::SocketId;

/// How many texts may wait for a client to read them.
const QUEUE_MAX: usize = 1_024;

/// What a twin does to a socket.
#[derive(Debug)]
pub(crate) enum Out {
    /// Sends a text.
    Text(String),
    /// Closes it with a code and a reason.
    Close(u16, SmolStr),
    /// Breaks the connection.
    Cut,
}

/// An open socket.
#[derive(Debug)]
struct Entry {
    /// Tells sockets apart that have had the same number, before and after a reset.
    serial: u64,
    slot: usize,
    queue: mpsc::Sender<Out>,
    /// Until its connection is there.
    waiting: Option<mpsc::Receiver<Out>>,
}

#[derive(Debug, Default)]
struct Open {
    entries: BTreeMap<SocketId, Entry>,
    next_serial: u64,
}

/// The open sockets of a universe.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    open: Mutex<Open>,
    answers: Mutex<BTreeMap<SmolStr, Vec<oneshot::Sender<Bytes>>>>,
}

impl Sockets {
    /// Puts a socket in, whose connection comes later. Gives back its serial number.
    pub(crate) fn add(&self, socket: SocketId, slot: usize) -> u64 {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let mut open = self.open.lock();
        let serial = open.next_serial;
        open.next_serial += 1;
        open.entries.insert(socket, Entry { serial, slot, queue, waiting: Some(waiting) });
        serial
    }

    /// The connection of a socket is there: gives back its twin's slot, its serial number, and what it is to send.
    pub(crate) fn claim(&self, socket: SocketId) -> Option<(usize, u64, mpsc::Receiver<Out>)> {
        let mut open = self.open.lock();
        let entry = open.entries.get_mut(&socket)?;
        Some((entry.slot, entry.serial, entry.waiting.take()?))
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.open.lock().entries.len()
    }

    /// All that are open, with their twins' slots.
    pub(crate) fn open(&self) -> Vec<(SocketId, usize)> {
        self.open.lock().entries.iter().map(|(socket, entry)| (*socket, entry.slot)).collect()
    }

    /// The serial number of an open socket.
    pub(crate) fn serial(&self, socket: SocketId) -> Option<u64> {
        Some(self.open.lock().entries.get(&socket)?.serial)
    }

    pub(crate) fn is_open(&self, socket: SocketId, serial: u64) -> bool {
        self.serial(socket) == Some(serial)
    }

    /// Queues something for a socket; false where it is not open, or its client reads so slowly that it is cut.
    pub(crate) fn send(&self, socket: SocketId, out: Out) -> bool {
        let open = self.open.lock();
        // A full queue is not waited for: its connection ends by itself, because its client does not read.
        open.entries.get(&socket).is_some_and(|entry| entry.queue.try_send(out).is_ok())
    }

    /// Takes a socket out; false where it is out already.
    pub(crate) fn forget(&self, socket: SocketId, serial: u64) -> bool {
        let mut open = self.open.lock();
        let known = open.entries.get(&socket).is_some_and(|entry| entry.serial == serial);
        known && open.entries.remove(&socket).is_some()
    }

    /// Takes all out: their connections end, as nothing can be queued for them any more.
    pub(crate) fn clear(&self) {
        self.open.lock().entries.clear();
        self.answers.lock().clear();
    }

    /// Waits for an answer from now on.
    pub(crate) fn expect(&self, key: &SmolStr) -> oneshot::Receiver<Bytes> {
        let (sender, receiver) = oneshot::channel();
        self.answers.lock().entry(key.clone()).or_default().push(sender);
        receiver
    }

    /// An answer has come: all who wait for it have it.
    pub(crate) fn answer(&self, key: &SmolStr, body: &Bytes) {
        for waiting in self.answers.lock().remove(key).into_iter().flatten() {
            let _ = waiting.send(body.clone());
        }
    }

    /// Forgets those who wait no longer.
    pub(crate) fn give_up(&self, key: &SmolStr) {
        let mut answers = self.answers.lock();
        if let Some(waiting) = answers.get_mut(key) {
            waiting.retain(|sender| !sender.is_closed());
            if waiting.is_empty() {
                answers.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_known_until_it_is_forgotten() {
        let sockets = Sockets::default();
        let first = sockets.add(7, 0);
        assert!(sockets.send(7, Out::Text("early".to_owned())) && !sockets.send(8, Out::Cut));
        let (slot, serial, mut queue) = sockets.claim(7).expect("is open");
        assert!((slot, serial) == (0, first) && sockets.claim(7).is_none());
        assert!(matches!(queue.try_recv(), Ok(Out::Text(text)) if text == "early"));
        let again = sockets.add(7, 1);
        assert!(!sockets.forget(7, first), "another has its number by now");
        assert!(sockets.is_open(7, again) && sockets.open() == [(7, 1)]);
        assert!(sockets.forget(7, again) && sockets.len() == 0);
    }

    #[test]
    fn a_client_that_does_not_read_gets_no_more() {
        let sockets = Sockets::default();
        sockets.add(1, 0);
        let taken = (0..QUEUE_MAX + 10).filter(|_| sockets.send(1, Out::Text(String::new()))).count();
        assert_eq!(taken, QUEUE_MAX);
    }

    #[test]
    fn answers_reach_all_who_wait() {
        let sockets = Sockets::default();
        let key = SmolStr::new("e");
        let (mut a, mut b) = (sockets.expect(&key), sockets.expect(&key));
        drop(sockets.expect(&key));
        sockets.give_up(&key);
        sockets.answer(&key, &Bytes::from_static(b"{}"));
        assert!(a.try_recv().is_ok() && b.try_recv().is_ok());
        sockets.answer(&key, &Bytes::new());
    }
}
