//! Targets that are tasks of this process: an async function that is told where the twins are.
//!
//! They need no supervisor and no build, and a test can hold their state in its hands. What a process can do that a task
//! cannot (be killed by a signal, stand still, have an environment of its own) is told as such.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dtu_kernel::environment::Environment;
use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::AbortHandle,
};

use crate::{evidence::pretty, process::Written, supervise::Exit};

/// A program under test that runs as a task.
pub trait Program: fmt::Debug + Send + Sync {
    /// Runs it. It lives as long as the future does: one that ends early ends the program, with an error or in peace.
    fn run(&self, place: Place) -> BoxFuture<'static, Result<(), String>>;
}

/// Where a task runs: what a command would read from its arguments and its environment.
#[derive(Debug, Clone)]
pub struct Place {
    pub(crate) port: u16,
    pub(crate) twins: BTreeMap<String, String>,
    pub(crate) env: BTreeMap<String, String>,
    /// Files that variables name are there as long as this is.
    _environment: Arc<Environment>,
    log: Arc<Log>,
}

impl Place {
    /// A place with its own port, the twins by name, and the environment.
    pub(crate) fn new(
        port: u16,
        twins: BTreeMap<String, String>,
        env: BTreeMap<String, String>,
        environment: Environment,
        output_max: u64,
    ) -> Self {
        let log = Log { text: Mutex::default(), said: Notify::new(), max: output_max, dropped: AtomicU64::new(0) };
        Self { port, twins, env, _environment: Arc::new(environment), log: Arc::new(log) }
    }

    /// The port that nobody else has, for what it serves itself.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Listens on [`Place::port`] of the loopback interface.
    ///
    /// # Errors
    /// Where somebody took the port meanwhile.
    pub async fn listen(&self) -> io::Result<TcpListener> {
        TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, self.port)).await
    }

    /// Where a twin is, without a slash at the end; empty where there is no such twin.
    pub fn url(&self, twin: &str) -> &str {
        self.twins.get(twin).map_or("", String::as_str)
    }

    /// A variable that a command would find in its environment: those that the services' own clients read
    /// (`SLACK_API_URL`), and those of the target. Empty where there is none.
    pub fn var(&self, name: &str) -> &str {
        self.env.get(name).map_or("", String::as_str)
    }

    /// All variables.
    pub const fn env(&self) -> &BTreeMap<String, String> {
        &self.env
    }

    /// Writes a line of output, which the evidence keeps and [`crate::target::Sign::Log`] looks at.
    pub fn say(&self, line: &str) {
        self.log.say(line);
    }
}

/// What a task wrote.
#[derive(Debug)]
struct Log {
    text: Mutex<String>,
    said: Notify,
    max: u64,
    dropped: AtomicU64,
}

impl Log {
    fn text(&self) -> MutexGuard<'_, String> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, line: &str) {
        let mut text = self.text();
        if (text.len() + line.len()) as u64 >= self.max {
            self.dropped.fetch_add(line.len() as u64 + 1, Ordering::SeqCst);
        } else {
            text.push_str(line);
            text.push('\n');
        }
        drop(text);
        self.said.notify_waiters();
    }
}

/// A task under way. Dropping it ends the task.
#[derive(Debug)]
pub struct Task {
    exit: watch::Receiver<Option<Exit>>,
    handle: AbortHandle,
    log: Arc<Log>,
    folder: PathBuf,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl Task {
    /// Launches a program. Its output goes to `folder`.
    ///
    /// # Errors
    /// Where the folder cannot be had.
    pub fn launch(program: &dyn Program, place: Place, folder: &Path) -> io::Result<Self> {
        fs_err::create_dir_all(folder)?;
        let (sender, exit) = watch::channel(None);
        let log = Arc::clone(&place.log);
        // A panic of the program is its end, and no concern of whoever waits for it.
        let running = std::panic::AssertUnwindSafe(program.run(place)).catch_unwind();
        let said = folder.join("stderr");
        let handle = tokio::spawn(async move {
            let (code, error) = match running.await {
                Ok(Ok(())) => (0, String::new()),
                Ok(Err(error)) => (1, error),
                Err(panic) => (PANIC, words(panic.as_ref())),
            };
            // Without a place to write to, the code must say it.
            let _ = fs_err::write(said, if error.is_empty() { error } else { format!("{error}\n") });
            sender.send_replace(Some(Exit { code: Some(code), ..Exit::default() }));
        });
        Ok(Self { exit, handle: handle.abort_handle(), log, folder: folder.to_owned() })
    }

    /// Follows how it ends.
    pub fn exits(&self) -> watch::Receiver<Option<Exit>> {
        self.exit.clone()
    }

    /// Waits until the text was in the output.
    pub async fn logged(&self, text: &str) {
        loop {
            let said = self.log.said.notified();
            tokio::pin!(said);
            // Asked for before it is looked at, so that nothing goes by unseen.
            said.as_mut().enable();
            if self.log.text().contains(text) {
                return;
            }
            said.await;
        }
    }

    /// Ends it, wherever it is, and writes down what it wrote.
    pub async fn stop(self) -> (Exit, Written) {
        /// A task that blocks its thread cannot be ended; nobody waits for it longer than this.
        const PATIENCE: Duration = Duration::from_secs(5);
        self.handle.abort();
        let mut exits = self.exit.clone();
        // It ends by a word, or by its sender's being dropped.
        let ended = tokio::time::timeout(PATIENCE, exits.wait_for(Option::is_some)).await;
        let ended = ended.ok().and_then(Result::ok).and_then(|exit| exit.clone());
        let exit = ended.unwrap_or(Exit { asked: true, ..Exit::default() });
        let text = self.log.text().clone();
        let written = Written { kept: text.len() as u64, dropped: self.log.dropped.load(Ordering::SeqCst) };
        // The record stands without them; a full disk is told where the evidence is written.
        let _ = fs_err::write(self.folder.join("stdout"), text);
        let _ = fs_err::write(self.folder.join("exit.json"), pretty(&serde_json::json!(exit)));
        (exit, written)
    }
}

/// What a Rust program ends with when it panics.
const PANIC: i32 = 101;

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.map_or_else(|| "panicked".to_owned(), |text| format!("panicked: {text}"))
}
