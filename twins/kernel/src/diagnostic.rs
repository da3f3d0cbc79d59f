//! Problems in files that people write: what, where, and what to do about it.

use std::fmt;

use serde_saphyr::{Location, Spanned};

/// One problem in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, without a period at the end.
    pub message: String,
    /// The file as the user named it.
    pub file: String,
    /// Line, counted from 1; 0 where the problem has no place.
    pub line: u64,
    /// Column, counted from 1; 0 where the problem has no place.
    pub column: u64,
    /// What to do about it; empty where there is nothing to say.
    pub hint: String,
}

impl Diagnostic {
    /// A problem with the file as a whole.
    pub fn whole(file: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), file: file.to_owned(), line: 0, column: 0, hint: String::new() }
    }

    /// A problem at a place.
    pub fn at(file: &str, location: Location, message: impl Into<String>) -> Self {
        Self { line: location.line(), column: location.column(), ..Self::whole(file, message) }
    }

    /// A problem with a value that knows its place.
    pub fn on<T>(file: &str, value: &Spanned<T>, message: impl Into<String>) -> Self {
        Self::at(file, value.referenced, message)
    }

    /// From the parser's own error, which may carry a place.
    pub fn from_yaml(file: &str, error: &serde_saphyr::Error) -> Self {
        let error = error.without_snippet();
        let mut message = error.to_string();
        let Some(location) = error.location() else {
            return Self::whole(file, message);
        };
        // The place is told in front of the message; the parser's own words for it would say it twice.
        if let Some(cut) = message.find(" at line ").or_else(|| message.find(" (line ")) {
            message.truncate(cut);
        }
        Self::at(file, location, message)
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The same with the hint "did you mean" where a known name is close to the unknown one.
    #[must_use]
    pub fn suggest<'a>(self, unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match closest(unknown, &known) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None if known.is_empty() => self,
            None if known.len() <= 12 => self.hint(format!("known are {}", known.join(", "))),
            None => self,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)?;
        } else {
            write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        }
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\n  hint: {}", self.hint) }
    }
}

/// The known name with the fewest edits to `unknown`, if that is close enough to be a slip.
fn closest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|name| (edits(unknown, name), *name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .map(|(_, name)| name)
}

/// Levenshtein distance over characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replace = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replace.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised() {
        let check = |unknown: &str, wanted: Option<&str>| {
            assert_eq!(closest(unknown, &["okta", "slack", "jira"]), wanted, "{unknown}");
        };
        check("slak", Some("slack"));
        check("Okta", Some("okta"));
        check("confluence", None);
    }
}
