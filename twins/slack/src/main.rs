//! The standalone binary of the Slack twin.

use std::process::ExitCode;

fn main() -> ExitCode {
    dtu_kernel::shell::standalone(vec![dtu_kernel::host::host(dtu_slack::Slack)])
}
