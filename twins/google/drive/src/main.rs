//! The standalone binary of the Google Drive twin, with the identity twin that gives its callers their tokens.

use std::process::ExitCode;

use dtu_google_identity::Identity;
use dtu_kernel::{host::host, shell};

fn main() -> ExitCode {
    shell::standalone(vec![host(dtu_google_drive::twin()), host(Identity)])
}
