//! The program that scenarios are run against.

use std::{fmt, future::Future, path::Path, sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::Error;
use crate::{
    load::{self, LoadedTarget},
    target::Sign,
    task::{Place, Program},
};

/// A program under test: a task of this process, a command, or what a target file says.
///
/// ```
/// use dtu::Target;
/// use serde_json::json;
///
/// // An async function that is told where the twins are. It may serve a port of its own.
/// let bot = Target::task("bot", |place| async move {
///     let _slack = place.var("SLACK_API_URL");
///     let _requests = place.listen().await.map_err(|error| error.to_string())?;
///     place.say("listening");
///     std::future::pending::<Result<(), String>>().await
/// })
/// .ready_when_it_says("listening")
/// .connect("dana", "slack.admin.configure_app", json!({
///     "app": "access-bot",
///     "commands": {"/access": "http://127.0.0.1:${port}/commands"},
/// }));
///
/// // Any program of the machine.
/// let script = Target::command("script", ["python3", "bot.py", "--port", "${port}"])
///     .env("SLACK_API_URL", "${env.SLACK_API_URL}");
/// # drop((bot, script));
/// ```
#[derive(Debug, Clone)]
pub struct Target {
    kind: Kind,
    env: IndexMap<String, String>,
    connect: Vec<Value>,
    ready: Vec<Value>,
    patience: Duration,
    idle: Duration,
}

#[derive(Debug, Clone)]
enum Kind {
    /// A target file says all.
    File(Box<LoadedTarget>),
    Command {
        name: String,
        command: Vec<String>,
    },
    Task {
        name: String,
        program: Arc<dyn Program>,
    },
}

/// A function as a program.
struct Function<F>(F);

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

impl<F, Fut, E> Program for Function<F>
where
    F: Fn(Place) -> Fut + Send + Sync,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: fmt::Display + Send,
{
    fn run(&self, place: Place) -> BoxFuture<'static, Result<(), String>> {
        (self.0)(place).map(|ended| ended.map_err(|error| error.to_string())).boxed()
    }
}

impl Target {
    fn new(kind: Kind) -> Self {
        let (patience, idle) = (Duration::from_secs(30), Duration::from_millis(300));
        Self { kind, env: IndexMap::new(), connect: Vec::new(), ready: Vec::new(), patience, idle }
    }

    /// What a target file says (`target.yaml`). Its `build` is not run: that is the test's own business.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn file(path: impl AsRef<Path>) -> Result<Self, Error> {
        Ok(Self::new(Kind::File(Box::new(load::target(path.as_ref())?))))
    }

    /// A program with its arguments, relative to the folder that the test runs in. `${port}` is a free port. It is
    /// supervised by `dtu`, which must lie beside the test's program or in `PATH`.
    pub fn command<'a>(name: &str, command: impl IntoIterator<Item = &'a str>) -> Self {
        let command = command.into_iter().map(str::to_owned).collect();
        Self::new(Kind::Command { name: name.to_owned(), command })
    }

    /// A task, started anew for each trajectory and each time that a story restarts it. One that ends by itself ends as
    /// a program does that exits: with 0, with 1 for an error, with 101 for a panic.
    pub fn task<F, Fut, E>(name: &str, program: F) -> Self
    where
        F: Fn(Place) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        Self::new(Kind::Task { name: name.to_owned(), program: Arc::new(Function(program)) })
    }

    /// Sets a variable of its environment; `${...}` is filled as in target files.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Has an administrator connect it with a service once it is ready; `${port}` is its port.
    #[must_use]
    pub fn connect(mut self, who: &str, verb: &str, with: Value) -> Self {
        self.connect.push(json!({ "as": who, "do": verb, "with": with }));
        self
    }

    /// It is ready when its output holds this text. With several signs the first that comes true counts; without any it
    /// is ready at once.
    #[must_use]
    pub fn ready_when_it_says(self, text: &str) -> Self {
        self.sign(json!({ "log": text }))
    }

    /// It is ready when a GET of this path of its port answers 2xx.
    #[must_use]
    pub fn ready_at(self, path: &str) -> Self {
        self.sign(json!({ "http": format!("http://127.0.0.1:${{port}}{path}") }))
    }

    /// It is ready when a twin has seen this of it.
    #[must_use]
    pub fn ready_on(self, sign: &Sign) -> Self {
        let sign = match sign {
            Sign::Http(url) => json!({ "http": url }),
            Sign::Log(text) => json!({ "log": text }),
            Sign::Called(operation) => json!({ "called": operation }),
            Sign::Socket(twin) => json!({ "socket": twin }),
            Sign::Delivered(kind) => json!({ "delivered": kind }),
        };
        self.sign(sign)
    }

    fn sign(mut self, sign: Value) -> Self {
        self.ready.push(sign);
        self
    }

    /// How long it may take to be ready; 30 s where nothing is said.
    #[must_use]
    pub const fn ready_within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// It is taken to be idle where nothing was called and delivered for so long; 300 ms where nothing is said.
    #[must_use]
    pub const fn idle_after(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// As target files say it.
    pub(super) fn loaded(&self) -> Result<LoadedTarget, Error> {
        let (name, command) = match &self.kind {
            Kind::File(loaded) => return Ok(self.on_top_of(loaded)),
            Kind::Command { name, command } => (name, command.clone()),
            Kind::Task { name, .. } => (name, vec![TASK.to_owned()]),
        };
        let millis = |span: Duration| format!("{}ms", span.as_millis());
        let text = json!({
            "schema": "dtu/target/v1",
            "name": name,
            "command": command,
            "env": self.env,
            "connect": self.connect,
            "ready": { "any_of": self.ready, "timeout": millis(self.patience) },
            "quiesce": { "idle": millis(self.idle) },
        });
        Ok(load::target_from(format!("target {name}"), format!("{text:#}\n"))?)
    }

    /// A file's target with variables set besides.
    fn on_top_of(&self, loaded: &LoadedTarget) -> LoadedTarget {
        let mut loaded = loaded.clone();
        for (name, value) in &self.env {
            loaded.set_env(name, value);
        }
        loaded
    }

    /// The variables that were set besides those of a file.
    pub(super) fn set_besides(&self) -> &IndexMap<String, String> {
        &self.env
    }

    /// The task, where it is one.
    pub(super) fn program(&self) -> Option<Arc<dyn Program>> {
        match &self.kind {
            Kind::Task { program, .. } => Some(Arc::clone(program)),
            Kind::File(_) | Kind::Command { .. } => None,
        }
    }
}

/// What stands for the command of a task.
const TASK: &str = "(a task of the test)";
