//! What came back from a hook.

use dtu_kernel::delivery::Outcome;
use serde::Deserialize;
use serde_json::Value;

/// The longest answer that Okta takes.
const BODY_MAX: usize = 256 * 1_024;
/// What is said where a hook refuses without a word.
const WORDLESS: &str = "The callback service returned an error";

/// A hook's answer.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Something to do; nothing where it has no commands.
    Commands(Vec<Command>, Value),
    /// It refuses, and says why.
    Refused(String, Value),
    /// No answer in time.
    TimedOut,
    /// An answer or a connection that is none.
    Broken {
        /// What is wrong.
        why: String,
        /// Whether another try may go better.
        again: bool,
    },
}

/// One thing to do.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Command {
    /// What.
    #[serde(rename = "type")]
    pub kind: String,
    /// With what.
    #[serde(default)]
    pub value: Value,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    commands: Option<Vec<Command>>,
    #[serde(default)]
    error: Option<Value>,
}

impl Reply {
    /// What an attempt came to.
    pub(super) fn read(outcome: &Outcome) -> Self {
        let broken = |why: &str, again| Self::Broken { why: why.to_owned(), again };
        match outcome {
            Outcome::Answered { status: 200..=299, body, .. } if body.len() >= BODY_MAX => {
                broken("The response is larger than 256 KB", false)
            }
            Outcome::Answered { status: 200..=299, body, .. } => Self::body(body),
            Outcome::Answered { status, .. } => {
                Self::Broken { why: format!("HTTP status {status}"), again: *status >= 500 }
            }
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Unreachable => broken("The endpoint could not be reached", true),
            Outcome::TooManyRedirects => broken("The endpoint redirects", false),
            Outcome::Forbidden => broken("The endpoint may not be called", false),
        }
    }

    fn body(body: &[u8]) -> Self {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Self::Commands(Vec::new(), Value::Null);
        }
        let whole: Option<Value> = serde_json::from_slice(body).ok();
        let read = whole.clone().filter(Value::is_object).and_then(|whole| serde_json::from_value::<Body>(whole).ok());
        let (Some(whole), Some(read)) = (whole, read) else {
            let why = "Could not deserialize inline hook response".to_owned();
            return Self::Broken { why, again: false };
        };
        match read.error {
            Some(error) => {
                let said = error["errorSummary"].as_str().filter(|said| !said.is_empty()).unwrap_or(WORDLESS);
                Self::Refused(said.to_owned(), whole)
            }
            None => Self::Commands(read.commands.unwrap_or_default(), whole),
        }
    }

    /// Whether another try may go better: a 4xx is an answer.
    pub(super) const fn is_worth_retrying(&self) -> bool {
        matches!(self, Self::TimedOut | Self::Broken { again: true, .. })
    }

    /// Why there is no answer.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            Self::Commands(..) | Self::Refused(..) => None,
            Self::TimedOut => Some("The request timed out".to_owned()),
            Self::Broken { why, .. } => Some(why.clone()),
        }
    }
}
