//! Rules that close sockets: when each socket's turn comes, and what happens then.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{Out, SocketId};
use crate::{
    fault::{Effect, Rule, Strikes, Subject},
    job::{Job, enqueue},
    seed::Site,
    time::Timestamp,
    tx::Tx,
    universe::{Inner, Universe},
};

/// A socket's turn under a rule.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) slot: usize,
    socket: SocketId,
    serial: u64,
    rule: SmolStr,
}

impl Universe {
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
            enqueue(inner, now.after(drawn), Job::Cut(Cut { slot, socket, serial, rule }));
        }
    }

    /// A socket's turn has come.
    pub(crate) fn do_cut(&self, cut: Cut, now: Timestamp) {
        let mut guard = self.lock();
        let name = self.twins()[cut.slot].name();
        let mut rules = guard.faults.socket_rules(name, now).into_iter();
        let Some((_, every)) = rules.find(|(rule, _)| *rule == cut.rule) else { return };
        if !self.sockets.is_open(cut.socket, cut.serial) {
            return;
        }
        let number = smol_str::format_smolstr!("{}", cut.socket);
        let subject = Subject {
            kind: Strikes::Sockets,
            twin: name,
            name: "socket",
            writes: true,
            cursors: &[],
            resource: &number,
            caller: "",
            facts: &|| serde_json::Value::Null,
        };
        let inner = &mut *guard;
        let fate = inner.faults.strike_one(&cut.rule, subject, now, self.seeds(), &mut inner.ordinals);
        self.record_skipped(name, "socket", &fate.skipped, now);
        let Some(fired) = fate.fired else {
            return enqueue(inner, now.after(every), Job::Cut(cut));
        };
        let cause = self.record_fault(name, "socket", &fired, now);
        if let Effect::CloseSocket { code, announced, .. } = fired.effect {
            if announced {
                self.announce(inner, &cut, cause, now);
            }
            let out = code.map_or(Out::Cut, |code| Out::Close(code, SmolStr::default()));
            self.sockets.send(cut.socket, out);
        }
    }

    /// Lets the twin tell a client that its socket is about to close.
    fn announce(&self, inner: &mut Inner, cut: &Cut, cause: u64, now: Timestamp) {
        let origin = self.origin(cut.slot);
        let state = Arc::clone(inner.state(cut.slot));
        let mut tx = Tx::new(now, origin, (self.seeds(), self.limits()), &mut inner.ordinals);
        self.twins()[cut.slot].on_closing(&state, &mut tx, cut.socket);
        let planned = tx.planned;
        self.carry_out(inner, cut.slot, planned, Some(cause), &crate::ledger::Principal::System, now);
    }
}
