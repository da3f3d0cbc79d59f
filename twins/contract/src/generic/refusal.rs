//! Why the generic twin refuses a call. Each twin puts it into its service's own envelope.

use std::fmt;

use smol_str::SmolStr;

use crate::violation::Violation;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Parameters or body do not fit the contract; at least one.
    Invalid(Vec<Violation>),
    /// There is nothing of that id.
    NotFound {
        /// What kind of thing: the last literal part of the collection's path (`apps`).
        collection: SmolStr,
        /// The id asked for.
        id: SmolStr,
    },
    /// There is one already with the id, or name, that must be unique.
    Exists {
        /// What kind of thing.
        collection: SmolStr,
        /// The member that must be unique.
        member: SmolStr,
        /// Its value.
        value: String,
    },
    /// A page was asked for with a cursor that no answer gave out.
    BadCursor {
        /// The parameter.
        parameter: SmolStr,
        /// What was sent.
        value: String,
    },
    /// The service acts on this, the generic twin does not: a gap, never passed over in silence.
    Unserved {
        /// What it is that the twin does not act on.
        what: String,
    },
    /// A rule of the service's own.
    Rule {
        /// The service's name for the refusal.
        code: &'static str,
        /// What it is about.
        about: SmolStr,
        /// Why, a line each.
        causes: Vec<String>,
    },
    /// The body's media type is none that the operation takes.
    MediaType {
        /// What was sent; empty where nothing was said.
        sent: String,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(violations) => {
                let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("; "))
            }
            Self::NotFound { collection, id } => write!(f, "there is no `{id}` in {collection}"),
            Self::Exists { collection, member, value } => {
                write!(f, "there is something in {collection} already with `{value}` as its {member}")
            }
            Self::BadCursor { parameter, value } => write!(f, "`{value}` is no {parameter} that was given out"),
            Self::Unserved { what } => write!(f, "the twin does not act on {what}"),
            Self::Rule { code, about, causes } => write!(f, "{code}: {about} {}", causes.join("; ")),
            Self::MediaType { sent } => write!(f, "the media type `{sent}` is not taken here"),
        }
    }
}
