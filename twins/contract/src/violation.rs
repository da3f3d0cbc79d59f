//! What does not fit a contract.

use std::fmt;

use smol_str::SmolStr;

/// Which part of a request or answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A parameter in the path.
    Path,
    /// A parameter in the query.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// The body.
    Body,
    /// The status of an answer.
    Status,
}

/// Which fact of the contract is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// It must be there.
    Required,
    /// It is of another type.
    Type,
    /// It is none of the values there are.
    Enum,
    /// It is not of its format.
    Format,
    /// It does not match its pattern.
    Pattern,
    /// A number out of bounds.
    Range,
    /// A text too short or too long.
    Length,
    /// A list or object with too few, too many or equal items.
    Items,
    /// The contract knows nothing of that name.
    Unknown,
    /// None of the alternatives holds, or too many do.
    Alternatives,
    /// The text cannot be read at all.
    Syntax,
    /// The media type, or status, is none that the contract has.
    Undeclared,
}

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// In which part.
    pub part: Part,
    /// Where: a parameter's name, or a JSON pointer into the body (empty for the whole body).
    pub at: String,
    /// Which fact is broken.
    pub rule: Rule,
    /// The member that the rule speaks of, where it is not the last part of `at` (required and unknown members).
    pub member: SmolStr,
    /// What is wrong, for people: a fragment in lower case without a full stop.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.part {
            Part::Path => "path parameter",
            Part::Query => "query parameter",
            Part::Header => "header",
            Part::Cookie => "cookie",
            Part::Body => "body",
            Part::Status => "status",
        };
        write!(f, "{part}")?;
        if !self.at.is_empty() {
            write!(f, " {}", self.at)?;
        }
        write!(f, ": {}", self.what)
    }
}
