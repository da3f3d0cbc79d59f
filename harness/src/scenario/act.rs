//! What happens in a beat besides a person's act in a twin: requests to the target, its commands, and beats within
//! beats.

use std::collections::BTreeMap;

use dtu_kernel::time::{Span, Timestamp};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::Beat;

/// A point in time: so long after the first beat's turn (`10m`), or what the clock shows (`2026-03-02T09:30:00Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// So long after the story began (universe time).
    Since(Span),
    /// A time of the universe's clock.
    Clock(Timestamp),
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Ok(time) = Timestamp::parse(&text) {
            return Ok(Self::Clock(time));
        }
        let span = dtu_kernel::time::parse_span(&text);
        span.map(|span| Self::Since(Span(span)))
            .map_err(|why| D::Error::custom(format!("neither a time nor a span: {why}")))
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Since(span) => write!(f, "{span} after the beginning"),
            Self::Clock(time) => write!(f, "{}", time.iso_millis()),
        }
    }
}

impl JsonSchema for At {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "At".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let examples = ["10m", "2026-03-02T09:30:00Z"];
        schemars::json_schema!({
            "description": "A span since the story began, or a time of the universe's clock.",
            "type": "string", "examples": examples,
        })
    }
}

/// Which beat a beat comes after.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum After {
    /// As soon as that beat is over.
    Beat(String),
    /// So long after that beat was over (universe time).
    Later(Later),
}

/// So long after a beat.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Later {
    /// The beat's id.
    pub beat: String,
    /// How long after it was over (universe time).
    pub by: Span,
}

impl After {
    /// The beat's id, and how long after it.
    pub fn parts(&self) -> (&str, Span) {
        match self {
            Self::Beat(id) => (id, Span(std::time::Duration::ZERO)),
            Self::Later(later) => (&later.beat, later.by),
        }
    }
}

/// A request to the target itself, as a person's browser or another program would send it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// `GET` where absent.
    #[serde(default)]
    pub method: Method,
    /// Where at the target: a path with its query (`/requests?who=${params.who}`), or a whole URL on the target's own
    /// host (`${target.url}/requests`), for programs that listen on several ports.
    #[schemars(with = "String")]
    pub url: Spanned<String>,
    /// Headers; texts may hold `${...}`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub headers: IndexMap<String, Spanned<String>>,
    /// What is sent.
    #[serde(default)]
    pub body: Option<Body>,
    /// How long the answer may take (machine time); 30 s where absent.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// What the answer must be: another makes the trajectory unsatisfied. Any answer will do where absent.
    #[serde(default)]
    pub expect: Option<ExpectAnswer>,
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Reads without the body.
    Head,
    /// Adds, or does.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Takes away.
    Delete,
    /// Asks what is possible.
    Options,
}

impl Method {
    /// As it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// The body of a request, with the content type that goes with it; a header of that name wins.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Body {
    /// JSON; texts may hold `${...}`.
    Json(Value),
    /// A form; texts may hold `${...}`.
    Form(serde_json::Map<String, Value>),
    /// A text, which may hold `${...}`.
    Text(String),
}

/// What an answer must be.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectAnswer {
    /// Its status: a number, several, or a class such as `2xx`.
    #[schemars(with = "Status")]
    pub status: Spanned<Status>,
}

/// Statuses of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Status {
    /// This one.
    One(u16),
    /// One of these.
    AnyOf(Vec<u16>),
    /// A class: `2xx`.
    Class(String),
}

impl Status {
    /// Whether a status is among them.
    pub fn fits(&self, status: u16) -> bool {
        match self {
            Self::One(one) => *one == status,
            Self::AnyOf(some) => some.contains(&status),
            Self::Class(class) => class.strip_suffix("xx").is_some_and(|first| first == (status / 100).to_string()),
        }
    }

    /// Whether there is no such status.
    pub fn is_wrong(&self) -> bool {
        let known = |status: &u16| (100..600).contains(status);
        match self {
            Self::One(one) => !known(one),
            Self::AnyOf(some) => some.is_empty() || !some.iter().all(known),
            Self::Class(class) => !["1xx", "2xx", "3xx", "4xx", "5xx"].contains(&class.as_str()),
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(one) => write!(f, "{one}"),
            Self::AnyOf(some) => {
                let some: Vec<String> = some.iter().map(ToString::to_string).collect();
                f.write_str(&some.join(" or "))
            }
            Self::Class(class) => f.write_str(class),
        }
    }
}

/// A command of the target, which its target file names under `commands`. It has the target's environment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cli {
    /// The command's name in the target file.
    #[schemars(with = "String")]
    pub run: Spanned<String>,
    /// More arguments; texts may hold `${...}`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub args: Vec<Spanned<String>>,
    /// What it reads on standard input; nothing where absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub stdin: Option<Spanned<String>>,
    /// Variables besides those of the target's environment, or instead of them.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub env: IndexMap<String, Spanned<String>>,
    /// How long it may take (machine time); 30 s where absent. Beyond it, it is killed, and the trajectory unsatisfied.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// How it must end: otherwise the trajectory is unsatisfied. Any exit code will do where absent.
    #[serde(default)]
    pub expect: Option<ExpectExit>,
}

/// How a command must end.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectExit {
    /// Its exit code.
    pub code: i32,
}

/// Beats that are played several times.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How many rounds: a number, or CEL. With `until`, the most there may be.
    pub times: Times,
    /// Ends after the round in which this holds (CEL). Where it never does within `times` rounds, the trajectory is
    /// unsatisfied.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Spanned<String>>,
    /// Waits this long between rounds (universe time).
    #[serde(default)]
    pub every: Option<Span>,
    /// What is played in each round, in which `round` is its number, counted from 1.
    #[schemars(with = "Vec<Beat>")]
    pub beats: Vec<Spanned<Beat>>,
}

/// How many rounds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Times {
    /// So many.
    Fixed(u64),
    /// CEL that gives a whole number: `params.count`.
    Of(String),
}

/// One of several courses that a story may take.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What it is called in reports; its number where absent.
    #[serde(default)]
    pub name: Option<String>,
    /// How often it is taken, against the weights of the others; 1 where absent.
    #[serde(default = "one")]
    pub weight: u32,
    /// What is played; nothing where empty.
    #[serde(default)]
    #[schemars(with = "Vec<Beat>")]
    pub beats: Vec<Spanned<Beat>>,
}

const fn one() -> u32 {
    1
}

/// A value that is made up for each trajectory by its seed, so that a program cannot have learnt it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Generated {
    /// A person's name.
    Name,
    /// A mail address at a domain that nobody has.
    Email,
    /// A word that no dictionary has.
    Word,
    /// Words with dashes, as channels and groups are named.
    Slug,
    /// A sentence of words.
    Sentence,
    /// A UUID.
    Uuid,
    /// A day of 2026 or 2027: `2026-08-17`.
    Date,
    /// A text in which each `#` is a digit, each `?` a small letter and each `*` either: `INC-####`.
    Pattern(String),
}
