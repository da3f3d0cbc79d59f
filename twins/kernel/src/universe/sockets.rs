//! Sockets: what comes over them, how they end, and the rules that close them.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLockWriteGuard;
use smol_str::SmolStr;

use super::{core::Universe, value::Inner};
use crate::{
    fault::{Effect, Rule, Strikes, Subject},
    job::Job,
    ledger::{Event, Principal},
    seed::Site,
    socket::{Cut, End, Line, Out, SocketId},
    time::Timestamp,
    tx::{SocketAct, Tx, Written},
};

impl Universe {
    /// The open sockets of a twin, by number.
    pub fn open_sockets(&self, twin: &str) -> Vec<SocketId> {
        let Some(slot) = self.slot(twin) else { return Vec::new() };
        self.sockets.open().into_iter().filter(|(_, of)| *of == slot).map(|(socket, _)| socket).collect()
    }

    /// A text has come from a client.
    pub(crate) fn frame_came(&self, line: Line, text: &str) {
        let guard = self.lock();
        if self.sockets.is_open(line.socket, line.serial) {
            self.take_frame_with(guard, line.slot, line.socket, text);
        }
    }

    /// The same, where nobody asks whether the socket is open.
    pub(crate) fn take_frame(&self, slot: usize, socket: SocketId, text: &str) {
        self.take_frame_with(self.lock(), slot, socket, text);
    }

    fn take_frame_with(&self, mut guard: RwLockWriteGuard<'_, Inner>, slot: usize, socket: SocketId, text: &str) {
        let body = Bytes::copy_from_slice(text.as_bytes());
        let event = Event::Frame { socket, from_client: true, text: body };
        let now = guard.clock.now();
        let ((), Written { changes, planned }) =
            self.write(&mut guard, slot, now, |host, state, tx| host.on_frame(state, tx, socket, text));
        let twin = self.twins[slot].name();
        let seq = self.ledger().append(now, Principal::Target, twin, None, event, changes);
        self.plan(guard, slot, planned, Some(seq), &Principal::Target, now);
    }

    /// A socket has ended: the twin forgets it. Does nothing where its end is known already.
    pub(crate) fn socket_ended(&self, line: Line, end: End) {
        let mut guard = self.lock();
        if self.sockets.forget(line.socket, line.serial) {
            self.forget_socket(&mut guard, line.slot, line.socket, end);
        }
    }

    /// Lets a twin forget a socket.
    pub(crate) fn forget_socket(&self, inner: &mut Inner, slot: usize, socket: SocketId, end: End) {
        let now = inner.clock.now();
        let ((), Written { changes, planned }) =
            self.write(inner, slot, now, |host, state, tx| host.on_closed(state, tx, socket));
        let principal = if end == End::Client { Principal::Target } else { Principal::System };
        let event = Event::Socket { socket, what: end.words() };
        let seq = self.ledger().append(now, principal.clone(), self.twins[slot].name(), None, event, changes);
        self.carry_out(inner, slot, planned, Some(seq), &principal, now);
        self.wake.notify_one();
    }

    pub(super) fn act_on_socket(
        &self,
        inner: &mut Inner,
        slot: usize,
        act: SocketAct,
        cause: Option<u64>,
        now: Timestamp,
    ) {
        match act {
            SocketAct::Open { socket } => {
                let serial = self.sockets.add(socket, slot);
                self.plan_cuts(inner, slot, socket, serial, &[]);
            }
            SocketAct::Push { socket, text } => {
                let body = bytes::Bytes::copy_from_slice(text.as_bytes());
                if self.sockets.send(socket, Out::Text(text)) {
                    let event = Event::Frame { socket, from_client: false, text: body };
                    let twin = self.twins[slot].name();
                    self.ledger.append(now, Principal::System, twin, cause, event, Vec::new());
                }
            }
            SocketAct::Close { socket, code, reason } => {
                self.sockets.send(socket, Out::Close(code, reason));
            }
            SocketAct::Answer { key, body } => self.sockets.answer(&key, &body),
        }
    }

    /// Plans the turns of a socket under the rules that close sockets: under `only` these where some are named.
    pub(crate) fn plan_cuts(&self, inner: &mut Inner, slot: usize, socket: SocketId, serial: u64, only: &[Rule]) {
        let now = inner.clock.now();
        for (rule, every) in inner.faults.socket_rules(self.twins()[slot].name(), now) {
            if !only.is_empty() && only.iter().all(|wanted| wanted.id != rule) {
                continue;
            }
            let site = Site::named("fault").child(&rule).child("turn");
            let ordinal = inner.ordinals.next(site);
            let nanos = u64::try_from(every.as_nanos()).unwrap_or(u64::MAX);
            let drawn = std::time::Duration::from_nanos(self.seeds().draw(site, ordinal).below(nanos));
            inner.enqueue(now.after(drawn), Job::Cut(Cut { line: Line { slot, socket, serial }, rule }));
        }
    }

    /// A socket's turn has come.
    pub(crate) fn do_cut(&self, cut: Cut, now: Timestamp) {
        let mut guard = self.lock();
        let name = self.twins()[cut.line.slot].name();
        let mut rules = guard.faults.socket_rules(name, now).into_iter();
        let Some((_, every)) = rules.find(|(rule, _)| *rule == cut.rule) else { return };
        if !self.sockets.is_open(cut.line.socket, cut.line.serial) {
            return;
        }
        let number = smol_str::format_smolstr!("{}", cut.line.socket);
        let subject = Subject {
            kind: Strikes::Sockets,
            twin: name,
            name: "socket",
            writes: true,
            cursors: &[],
            resource: &number,
            caller: "",
            is_stranger: false,
            facts: &|| serde_json::Value::Null,
        };
        let inner = &mut *guard;
        let fate = inner.faults.strike_one(&cut.rule, subject, now, self.seeds(), &mut inner.ordinals);
        self.record_skipped(name, "socket", &fate.skipped, now);
        let Some(fired) = fate.fired else {
            return inner.enqueue(now.after(every), Job::Cut(cut));
        };
        let cause = self.record_fault(name, "socket", &fired, now);
        if let Effect::CloseSocket { code, announced, .. } = fired.effect {
            if announced {
                self.announce(inner, &cut, cause, now);
            }
            let out = code.map_or(Out::Cut, |code| Out::Close(code, SmolStr::default()));
            self.sockets.send(cut.line.socket, out);
        }
    }

    /// Lets the twin tell a client that its socket is about to close.
    fn announce(&self, inner: &mut Inner, cut: &Cut, cause: u64, now: Timestamp) {
        let origin = self.origin(cut.line.slot);
        let state = Arc::clone(inner.state(cut.line.slot));
        let mut tx = Tx::new(now, origin, (self.seeds(), self.limits()), &mut inner.ordinals);
        self.twins()[cut.line.slot].on_closing(&state, &mut tx, cut.line.socket);
        let planned = tx.planned;
        self.carry_out(inner, cut.line.slot, planned, Some(cause), &crate::ledger::Principal::System, now);
    }
}
