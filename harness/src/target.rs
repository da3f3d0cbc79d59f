//! Target files: how to build, start, observe and stop a program under test.

use dtu_kernel::time::Span;
use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

/// A program under test.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The format: `dtu/target/v1`.
    pub schema: SchemaV1,
    /// Its name.
    pub name: String,
    /// Run once before the first trajectory.
    #[serde(default)]
    pub build: Option<Build>,
    /// Instead of `command`: where a program answers that runs already. All trajectories share it, one at a time, and
    /// `reset` brings it back to its beginning before each. It must know the twins by `ports`, as nobody sets its
    /// environment.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub url: Option<Spanned<String>>,
    /// A POST to this URL brings a program that runs already back to its beginning; it answers 2xx.
    #[serde(default)]
    pub reset: Option<String>,
    /// On which ports twins are served, by twin; on free ones where absent. With any, trajectories run one at a time.
    #[serde(default)]
    pub ports: BTreeMap<String, u16>,
    /// Program and arguments; a program with a slash in it is relative to this file. `${port}` is a free port.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub command: Vec<Spanned<String>>,
    /// Environment, and nothing else but `PATH`, `HOME`, `TMPDIR` and `LANG`. `${...}` is CEL over `port`, `env`
    /// (what the twins' clients read), `twins` (name to URL) and `params`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub env: IndexMap<String, Spanned<String>>,
    /// Commands by name that scenarios run beside the program (`cli`): program and arguments, as in `command`. They have
    /// its environment and its folder.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub commands: IndexMap<String, Vec<Spanned<String>>>,
    /// Variables whose values are nobody's business: they are taken from the environment of `dtu` itself (or from
    /// `--target-env`), and never written to disk.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub secrets: Vec<Spanned<String>>,
    /// Acts of administrators that connect the program with the services, once it is ready (request URLs).
    #[serde(default)]
    pub connect: Vec<Connect>,
    /// When the program is ready; the first that comes true counts.
    #[serde(default)]
    pub ready: Ready,
    /// When the program is taken to be idle after the last beat.
    #[serde(default)]
    pub quiesce: Quiesce,
    /// How the program is ended.
    #[serde(default)]
    pub stop: Stop,
    /// Bounds on one trajectory.
    #[serde(default)]
    pub limits: Limits,
}

impl Target {
    /// Whether its trajectories can only run one at a time.
    pub fn is_shared(&self) -> bool {
        self.url.is_some() || !self.ports.is_empty()
    }
}

/// The one known version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SchemaV1 {
    /// `dtu/target/v1`
    #[serde(rename = "dtu/target/v1")]
    V1,
}

/// A command that builds the program.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Program and arguments.
    pub command: Vec<String>,
    /// Where it runs, relative to this file; the file's folder where absent.
    #[serde(default)]
    pub cwd: Option<String>,
}

/// An administrator's act.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Who acts: a person's key or mail address.
    #[serde(rename = "as")]
    pub actor: String,
    /// The verb.
    #[serde(rename = "do")]
    #[schemars(with = "String")]
    pub verb: Spanned<String>,
    /// Its arguments; texts may hold `${...}`.
    #[serde(default)]
    pub with: serde_json::Map<String, Value>,
}

/// Signs that the program is ready.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ready {
    /// Any of these. A program without a sign is ready at once.
    pub any_of: Vec<Sign>,
    /// How long it may take (machine time); 30 s where absent.
    pub timeout: Option<Span>,
}

/// A sign that the program is ready.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sign {
    /// A GET of this URL answers 2xx. `${port}` is replaced.
    Http(String),
    /// A line of its output holds this text.
    Log(String),
    /// The program has called this operation of a twin with success (`slack.auth.test`): its first token, for one.
    Called(String),
    /// The program has a socket of this twin open (`slack`).
    Socket(String),
    /// The program has accepted a delivery of this kind (`okta.event_hook_verification`): its hook is verified.
    Delivered(String),
}

impl Sign {
    /// That it did not come, in words.
    pub fn lacking(&self) -> String {
        match self {
            Self::Http(url) => format!("no GET of {url} was answered with 2xx"),
            Self::Log(text) => format!("its output never held `{text}`"),
            Self::Called(operation) => format!("it never called {operation} with success"),
            Self::Socket(twin) => format!("it never had a socket of {twin} open"),
            Self::Delivered(kind) => format!("it never accepted a delivery of {kind}"),
        }
    }
}

/// When the program is taken to be idle.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quiesce {
    /// No call and no delivery for this long (machine time); 300 ms where absent.
    pub idle: Option<Span>,
    /// Waits at most this long; 10 s where absent.
    pub max: Option<Span>,
}

/// How the program is ended.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stop {
    /// How long it has after SIGTERM before the whole process group is killed; 5 s where absent.
    pub grace: Option<Span>,
}

/// Bounds on one trajectory.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Machine time from launch to the end; 120 s where absent.
    pub wall: Option<Span>,
    /// Bytes of output kept; the rest is counted and thrown away. 4 MiB where absent.
    pub output: Option<u64>,
    /// Bytes of memory of the program and its children together; no bound where absent. Beyond it, it is killed.
    pub memory: Option<u64>,
    /// Processor time of the program and its children together; no bound where absent. Beyond it, it is killed.
    pub cpu: Option<Span>,
}

/// A variable of the target's environment that is set on the command line: `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value, taken as it is.
    pub value: String,
}

impl std::str::FromStr for EnvVar {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self { name: name.to_owned(), value: value.to_owned() }),
            _ => Err(format!("expected NAME=VALUE, found `{text}`")),
        }
    }
}

impl std::fmt::Display for EnvVar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}
