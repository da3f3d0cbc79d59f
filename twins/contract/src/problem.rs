//! What is wrong with a document: all of it at once, each with its place.

use std::fmt;

use smol_str::SmolStr;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The part was read, but something in it could not be used; what was made of it says less than the document.
    Unused,
    /// The part cannot be read at all, and is left out.
    Broken,
}

/// A problem with a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The document's name.
    pub document: SmolStr,
    /// Where in the document, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Unused => "not used",
            Severity::Broken => "broken",
        };
        write!(f, "{}#{}: {word}: {}", self.document, self.pointer, self.what)
    }
}
