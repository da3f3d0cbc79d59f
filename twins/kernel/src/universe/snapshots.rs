//! Going back: to kept snapshots, and to the beginning.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    core::Universe,
    value::{Inner, Snapshot, SnapshotInfo},
};
use crate::socket::{End, SocketId};

impl Universe {
    /// Keeps the present; gives back the snapshot's id.
    pub fn snapshot(&self) -> SnapshotInfo {
        let inner = self.inner.read();
        let now = inner.clock.now();
        let snapshot = Snapshot {
            inner: inner.clone(),
            now,
            requests: self.requests.load(Ordering::Relaxed),
            lineage: self.ledger.lineage(),
            seq: self.ledger.len(),
            sockets: self.sockets.open(),
        };
        let mut kept = self.snapshots.lock();
        let id = format_smolstr!("snap-{}", kept.len() + 1);
        let info = SnapshotInfo { id: id.clone(), at: now, seq: snapshot.seq };
        kept.insert(id.clone(), snapshot);
        self.note_control(now, "snapshot", json!({ "id": id }));
        info
    }

    /// The kept snapshots.
    pub fn snapshots(&self) -> Vec<SnapshotInfo> {
        let info = |(id, kept): (&SmolStr, &Snapshot)| SnapshotInfo { id: id.clone(), at: kept.now, seq: kept.seq };
        self.snapshots.lock().iter().map(info).collect()
    }

    /// Goes back to a kept snapshot; false where there is none of that id. The ledger goes on.
    pub fn restore(&self, id: &str) -> bool {
        let Some(snapshot) = self.snapshots.lock().get(id).cloned() else {
            return false;
        };
        self.rewind(&snapshot, "restored", json!({ "id": id }));
        true
    }

    /// Goes back to the universe's beginning. Kept snapshots stay.
    pub fn reset(&self) {
        self.rewind(&self.beginning.clone(), "reset", json!({}));
    }

    fn rewind(&self, to: &Snapshot, action: &'static str, detail: Value) {
        let mut inner = self.inner.write();
        let (generation, history) = (inner.generation + 1, inner.history.take());
        *inner = Inner { history, generation, ..to.inner.clone() };
        inner.clock.set(to.now);
        inner.remember();
        self.requests.store(to.requests, Ordering::Relaxed);
        self.ledger.rebase(&to.lineage);
        self.note_control(to.now, action, detail);
        self.sockets.clear();
        // What they wait for will not come any more.
        self.awaited.lock().clear();
        self.lay_ghosts(&mut inner, &to.sockets);
        drop(inner);
        self.eased.notify_waiters();
        self.gates.notify_waiters();
        self.wake.notify_one();
    }

    /// Lets twins forget sockets that their rows tell of and whose connections are another's.
    pub(super) fn lay_ghosts(&self, inner: &mut Inner, ghosts: &[(SocketId, usize)]) {
        for (socket, slot) in ghosts {
            self.forget_socket(inner, *slot, *socket, End::Rewound);
        }
    }
}
