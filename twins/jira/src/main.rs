//! The standalone binary of the Jira twin.

use std::process::ExitCode;

fn main() -> ExitCode {
    dtu_kernel::shell::standalone(vec![dtu_kernel::host::host(dtu_jira::Jira)])
}
