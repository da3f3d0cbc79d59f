//! The standalone binary of the Okta twin.

use std::process::ExitCode;

fn main() -> ExitCode {
    dtu_kernel::shell::standalone(vec![dtu_kernel::host::host(dtu_okta::Okta)])
}
