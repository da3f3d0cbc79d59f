//! A target that lives: a process under supervision, or a task.

use tokio::sync::watch;

use crate::{
    process::{Running, Written},
    supervise::Exit,
    task::Task,
};

/// See above.
#[derive(Debug)]
pub(super) enum Alive {
    Process(Running),
    Task(Task),
}

impl Alive {
    /// Follows how it ends.
    pub(super) fn exits(&self) -> watch::Receiver<Option<Exit>> {
        match self {
            Self::Process(running) => running.exits(),
            Self::Task(task) => task.exits(),
        }
    }

    /// Waits until the text was in its output.
    pub(super) async fn logged(&self, text: &str) {
        match self {
            Self::Process(running) => running.logged(text).await,
            Self::Task(task) => task.logged(text).await,
        }
    }

    /// Makes it stand still, or go on; false where it cannot.
    pub(super) async fn hold(&mut self, still: bool) -> bool {
        match self {
            Self::Process(running) => {
                running.hold(still).await;
                true
            }
            Self::Task(_) => false,
        }
    }

    /// Has it end by itself, and ends it where it does not in its time.
    pub(super) async fn stop(self) -> (Exit, Written) {
        match self {
            Self::Process(running) => running.stop().await,
            Self::Task(task) => task.stop().await,
        }
    }

    /// Ends it at once.
    pub(super) async fn kill(self) -> (Exit, Written) {
        match self {
            Self::Process(running) => running.kill().await,
            Self::Task(task) => task.stop().await,
        }
    }
}
