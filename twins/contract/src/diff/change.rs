//! One change, and the list they are written to.

use std::fmt;

use serde::Serialize;
use smol_str::SmolStr;

use crate::validate::Direction;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

/// What a change is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The document as a whole.
    Document,
    /// A way for callers to show who they are, by name.
    Security(SmolStr),
    /// An operation, by id.
    Operation(SmolStr),
    /// A shared schema, by name.
    Schema(SmolStr),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// The document.
    pub document: SmolStr,
    /// What it is in.
    pub subject: Subject,
    /// Where in that, as a JSON pointer (`/parameters/query/limit`, `/properties/name/type`).
    pub pointer: String,
    /// What happened.
    pub kind: ChangeKind,
    /// What it is, for people.
    pub what: String,
    /// The directions that a shared schema is used in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directions: Vec<Direction>,
    /// Why it breaks clients; `may break: ` in front where only those that know a closed list do. Absent where it does
    /// not break any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaks: Option<String>,
}

/// Whether any of the changes breaks clients, or may.
pub fn breaks(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.breaks.is_some())
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => f.write_str("document"),
            Self::Security(name) => write!(f, "security scheme {name}"),
            Self::Operation(id) => write!(f, "operation {id}"),
            Self::Schema(name) => write!(f, "schema {name}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            ChangeKind::Added => '+',
            ChangeKind::Removed => '-',
            ChangeKind::Changed => '~',
        };
        write!(f, "{sign} {}: {}", self.document, self.subject)?;
        if !self.pointer.is_empty() {
            write!(f, " {}", self.pointer)?;
        }
        write!(f, ": {}", self.what)?;
        match self.breaks.as_deref() {
            None => Ok(()),
            Some(reason) if reason.starts_with(MAY_BREAK) => write!(f, " ({reason})"),
            Some(reason) => write!(f, " (breaks: {reason})"),
        }
    }
}

/// What stands in front of reasons that hold for some clients only.
const MAY_BREAK: &str = "may break: ";

/// Whether and why a change breaks clients.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    None,
    Breaks(&'static str),
    MayBreak(&'static str),
}

impl Reason {
    pub(super) const fn breaks(why: &'static str) -> Self {
        Self::Breaks(why)
    }

    /// The reason, where a condition holds.
    pub(super) const fn when(self, holds: bool) -> Self {
        if holds { self } else { Self::None }
    }

    /// The first of two reasons that there is.
    pub(super) const fn or(self, other: Self) -> Self {
        match self {
            Self::None => other,
            found => found,
        }
    }

    fn text(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Breaks(why) => Some(why.to_owned()),
            Self::MayBreak(why) => Some(format!("{MAY_BREAK}{why}")),
        }
    }
}

/// The list of a document's changes being written.
#[derive(Debug)]
pub(super) struct Log {
    document: SmolStr,
    subject: Subject,
    directions: Vec<Direction>,
    changes: Vec<Change>,
}

impl Log {
    pub(super) fn new(document: &SmolStr, subject: Subject) -> Self {
        Self { document: document.clone(), subject, directions: Vec::new(), changes: Vec::new() }
    }

    /// What the next changes are in.
    pub(super) fn subject(&mut self, subject: Subject) {
        self.subject = subject;
    }

    /// The directions that the next changes' schema is used in.
    pub(super) fn directions(&mut self, directions: Vec<Direction>) {
        self.directions = directions;
    }

    pub(super) fn added(&mut self, pointer: &str, reason: Reason, what: impl Into<String>) {
        self.push(pointer, ChangeKind::Added, reason, what.into());
    }

    pub(super) fn removed(&mut self, pointer: &str, reason: Reason, what: impl Into<String>) {
        self.push(pointer, ChangeKind::Removed, reason, what.into());
    }

    pub(super) fn changed(&mut self, pointer: &str, reason: Reason, what: impl Into<String>) {
        self.push(pointer, ChangeKind::Changed, reason, what.into());
    }

    fn push(&mut self, pointer: &str, kind: ChangeKind, reason: Reason, what: String) {
        self.changes.push(Change {
            document: self.document.clone(),
            subject: self.subject.clone(),
            pointer: pointer.to_owned(),
            kind,
            what,
            directions: self.directions.clone(),
            breaks: reason.text(),
        });
    }

    pub(super) fn into_changes(self) -> Vec<Change> {
        self.changes
    }
}

/// A pointer with one more part.
pub(super) fn join(pointer: &str, part: &str) -> String {
    format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"))
}
