//! Signals that end a run.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for a signal to end; gives back its number.
pub(super) async fn interrupted() -> u8 {
    let wait = async |kind: SignalKind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => 2,
        () = wait(SignalKind::terminate()) => 15,
        () = wait(SignalKind::hangup()) => 1,
    }
}
