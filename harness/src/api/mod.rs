//! The harness from Rust: universes and scenarios in a `#[tokio::test]`.

mod scenario;
mod target;
mod trajectories;
mod universe;

use std::{fmt, io};

use dtu_kernel::{diagnostic::Diagnostic, multiverse::CreateError};

pub use self::{
    scenario::Scenario,
    target::Target,
    trajectories::Trajectories,
    universe::{Begin, Universe},
};
use crate::{evidence::FolderError, trajectory::Fatal};

/// Why something could not be done. What a program under test did wrong is no error but an outcome.
#[derive(Debug)]
pub enum Error {
    /// What was given is wrong: files, texts, names. Each problem has its place, and a hint where there is one.
    Input(Vec<Diagnostic>),
    /// A person was refused what they wanted to do, as the service refuses it.
    Refused(String),
    /// The machine is to blame, or a program that is not there.
    Infrastructure(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(problems) => {
                for (at, problem) in problems.iter().enumerate() {
                    write!(f, "{}{problem}", if at == 0 { "" } else { "\n" })?;
                }
                Ok(())
            }
            Self::Refused(why) | Self::Infrastructure(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl From<Vec<Diagnostic>> for Error {
    fn from(problems: Vec<Diagnostic>) -> Self {
        Self::Input(problems)
    }
}

impl From<Diagnostic> for Error {
    fn from(problem: Diagnostic) -> Self {
        Self::Input(vec![problem])
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Infrastructure(error.to_string())
    }
}

impl From<Fatal> for Error {
    fn from(fatal: Fatal) -> Self {
        Self::Infrastructure(fatal.to_string())
    }
}

impl From<FolderError> for Error {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Refused(problem) => problem.into(),
            FolderError::Io(error) => error.into(),
        }
    }
}

impl From<CreateError> for Error {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::World(problems) => Self::Input(problems),
            other => Self::Infrastructure(other.to_string()),
        }
    }
}
