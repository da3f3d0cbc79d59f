//! Waiting in the time of the machine.

use std::time::Duration;

/// Waits in the machine's time: a program under test lives there.
#[expect(clippy::disallowed_methods, reason = "targets run in the machine's time, and so does waiting for them")]
pub async fn rest(span: Duration) {
    tokio::time::sleep(span).await;
}
