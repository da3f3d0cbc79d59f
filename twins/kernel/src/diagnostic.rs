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
    /// The line that it is about, with a mark below its place; empty where it is not shown.
    pub snippet: String,
}

impl Diagnostic {
    /// A problem with the file as a whole.
    pub fn whole(file: &str, message: impl Into<String>) -> Self {
        let (hint, snippet) = (String::new(), String::new());
        Self { message: message.into(), file: file.to_owned(), line: 0, column: 0, hint, snippet }
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
        let mut message = plain(&error.to_string());
        let Some(location) = error.location() else {
            return Self::whole(file, message);
        };
        // The place is told in front of the message; the parser's own words for it would say it twice.
        if let Some(cut) = message.find(" at line ").or_else(|| message.find(" (line ")) {
            message.truncate(cut);
        }
        Self::at(file, location, message)
    }

    /// The same with a hint where a name is close to a known one.
    pub fn from_yaml_with_hint(file: &str, error: &serde_saphyr::Error) -> Self {
        let mut problem = Self::from_yaml(file, error);
        match error.without_snippet() {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
                problem.message = format!("unknown key `{field}`");
                problem.suggest(field, expected.iter().copied())
            }
            serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
                problem.message = format!("unknown word `{variant}`");
                problem.suggest(variant, expected.iter().copied())
            }
            _ => problem,
        }
    }

    /// The same with the line of the file's text that it is about, and a mark below its place.
    #[must_use]
    pub fn shown_in(mut self, text: &str) -> Self {
        let number = usize::try_from(self.line).unwrap_or(usize::MAX);
        let line = number.checked_sub(1).and_then(|at| text.lines().nth(at));
        if let Some(line) = line.filter(|line| line.chars().count() <= SNIPPET_MAX) {
            let before = usize::try_from(self.column.saturating_sub(1)).unwrap_or(0);
            let is_word = |c: &char| !c.is_whitespace() && !",\"'}])".contains(*c);
            let marks = line.chars().skip(before).take_while(is_word).count().max(1);
            let margin = " ".repeat(number.to_string().len());
            // Tabs stay tabs, so that the mark stands below its place however wide they are shown.
            let pad: String = line.chars().take(before).map(|c| if c == '\t' { c } else { ' ' }).collect();
            self.snippet = format!("  {number} | {line}\n  {margin} | {pad}{}", "^".repeat(marks));
        }
        self
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
        if !self.snippet.is_empty() {
            write!(f, "\n{}", self.snippet)?;
        }
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\n  hint: {}", self.hint) }
    }
}

/// The parser's words without those that are meant for who calls it.
fn plain(message: &str) -> String {
    let message = message.split_once(", set DuplicateKeyPolicy").map_or(message, |(twice, _)| twice);
    message.replace("externally tagged enum expected scalar or mapping", "a word, or a mapping, is expected here")
}

/// The longest line that is shown, in characters.
const SNIPPET_MAX: usize = 300;

/// The known name with the fewest edits to `unknown`, if that is close enough to be a slip.
fn closest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|name| (edits(unknown, name), *name)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, name)| *distance <= 1 + name.len() / 4).map(|(_, name)| name)
}

/// The hint for a name out of so many that they cannot be listed: those with the fewest edits, else those that hold
/// the unknown name; three at most. Empty where nothing is near.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: std::collections::BTreeSet<&str> = known.into_iter().collect();
    let bare = unknown.trim_matches('*').to_lowercase();
    let mut near: Vec<(usize, &str)> = known.iter().map(|name| (edits(unknown, name), *name)).collect();
    near.retain(|(distance, name)| *distance <= 1 + name.len() / 4);
    let least = near.iter().map(|(distance, _)| *distance).min();
    let mut names: Vec<&str> =
        near.into_iter().filter(|(distance, _)| Some(*distance) == least).map(|(_, name)| name).collect();
    if names.is_empty() && bare.len() >= 3 {
        names = known.into_iter().filter(|name| name.to_lowercase().contains(&bare)).collect();
        names.sort_by_key(|name| name.len());
    }
    let names: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => format!("did you mean {only}?"),
        Some((last, others)) => format!("did you mean {} or {last}?", others.join(", ")),
    }
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

    #[test]
    fn names_out_of_many_are_suggested_by_nearness_or_by_what_they_hold() {
        let check = |unknown: &str, wanted: &str| {
            let known = ["listUsers", "listGroups", "chat.postMessage", "users.info", "teams.info", "users.list"];
            assert_eq!(nearest(unknown, known), wanted, "{unknown}");
        };
        check("listUser", "did you mean `listUsers`?");
        check("postMessage", "did you mean `chat.postMessage`?");
        check("user.info", "did you mean `users.info`?");
        check("info", "did you mean `teams.info` or `users.info`?");
        check("nothing", "");
        check("", "");
    }

    #[test]
    fn the_place_is_marked_in_its_line() {
        let check = |line: u64, column: u64, wanted: &str| {
            let problem = Diagnostic { line, column, ..Diagnostic::whole("f", "wrong") };
            assert_eq!(problem.shown_in("one: {two: three}\n\tfour").snippet, wanted);
        };
        check(1, 12, "  1 | one: {two: three}\n    |            ^^^^^");
        check(2, 2, "  2 | \tfour\n    | \t^^^^");
        check(1, 99, "  1 | one: {two: three}\n    |                  ^");
        check(0, 0, "");
        check(9, 1, "");
    }
}
