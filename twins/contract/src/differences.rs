//! Reviewed differences between real answers and the public document: a document says less, or other, than a service
//! does, and a twin follows the service.
//!
//! ```yaml
//! - operation: listUsers
//!   status: 200
//!   at: /*/profile/**
//!   rule: type
//!   reason: profiles may hold any custom attribute
//!   source: documentation of the Users API
//! ```

use std::sync::atomic::{AtomicBool, Ordering};

use dtu_kernel::diagnostic::Diagnostic;
use serde::Deserialize;
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use crate::violation::{Rule, Violation};

/// A twin's list of known differences.
#[derive(Debug, Default)]
pub struct Differences {
    rows: Vec<Row>,
    used: Vec<AtomicBool>,
}

/// One known difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The operation's id, with `*` for any characters.
    pub operation: SmolStr,
    /// The answer's status; any where absent.
    pub status: Option<u16>,
    /// Where in the body, as a JSON pointer with `*` for one part and `**` for any number of parts. Where the rule
    /// speaks of a member (required and unknown ones), the member is the last part.
    pub at: String,
    /// The rule that answers break there.
    pub rule: Rule,
    /// Why the service differs.
    pub reason: String,
    /// Where that is known from.
    pub source: String,
    /// The row's line in its file.
    pub line: u64,
}

/// A row as people write it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    operation: Spanned<String>,
    status: Option<u16>,
    at: Spanned<String>,
    rule: Spanned<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    source: String,
}

/// The rules' names in files.
const RULES: [(&str, Rule); 12] = [
    ("required", Rule::Required),
    ("type", Rule::Type),
    ("enum", Rule::Enum),
    ("format", Rule::Format),
    ("pattern", Rule::Pattern),
    ("range", Rule::Range),
    ("length", Rule::Length),
    ("items", Rule::Items),
    ("unknown", Rule::Unknown),
    ("alternatives", Rule::Alternatives),
    ("syntax", Rule::Syntax),
    ("undeclared", Rule::Undeclared),
];

impl Differences {
    /// Reads a list; `file_name` is for messages.
    ///
    /// # Errors
    /// All that is wrong with the file. Each row must give a reason and a source.
    pub fn parse(file_name: &str, yaml: &str) -> Result<Self, Vec<Diagnostic>> {
        let written: Vec<Written> =
            serde_saphyr::from_str(yaml).map_err(|error| vec![Diagnostic::from_yaml(file_name, &error)])?;
        let mut rows = Vec::with_capacity(written.len());
        let mut problems = Vec::new();
        for row in written {
            match row.read(file_name) {
                Ok(row) => rows.push(row),
                Err(mut found) => problems.append(&mut found),
            }
        }
        let used = rows.iter().map(|_| AtomicBool::new(false)).collect();
        if problems.is_empty() { Ok(Self { rows, used }) } else { Err(problems) }
    }

    /// The first row that allows a violation in an answer; the row counts as used from then on.
    pub fn allows(&self, operation: &str, status: u16, violation: &Violation) -> Option<&Row> {
        let at = self.rows.iter().position(|row| row.covers(operation, status, violation))?;
        self.used[at].store(true, Ordering::Relaxed);
        self.rows.get(at)
    }

    /// All rows, in the file's order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows that have allowed nothing so far: after a whole run of tests, those are stale.
    pub fn unused(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().zip(&self.used).filter(|(_, used)| !used.load(Ordering::Relaxed)).map(|(row, _)| row)
    }
}

impl Row {
    /// Whether the row is about an operation.
    pub fn is_about(&self, operation: &str) -> bool {
        matches_text(self.operation.as_bytes(), operation.as_bytes())
    }

    fn covers(&self, operation: &str, status: u16, violation: &Violation) -> bool {
        self.rule == violation.rule
            && self.status.is_none_or(|wanted| wanted == status)
            && self.is_about(operation)
            && self.covers_place(violation)
    }

    fn covers_place(&self, violation: &Violation) -> bool {
        let pattern: Vec<&str> = self.at.split('/').skip(1).collect();
        let mut parts: Vec<&str> = violation.at.split('/').skip(1).collect();
        let member = violation.member.replace('~', "~0").replace('/', "~1");
        if !member.is_empty() {
            parts.push(&member);
        }
        matches_parts(&pattern, &parts)
    }
}

impl Written {
    fn read(self, file: &str) -> Result<Row, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let rule = RULES.iter().find(|(name, _)| *name == self.rule.value).map(|(_, rule)| *rule);
        if rule.is_none() {
            let unknown = Diagnostic::on(file, &self.rule, format!("unknown rule `{}`", self.rule.value));
            problems.push(unknown.suggest(&self.rule.value, RULES.iter().map(|(name, _)| *name)));
        }
        if !(self.at.value.is_empty() || self.at.value.starts_with('/')) {
            let message = format!("`{}` is not a JSON pointer", self.at.value);
            problems.push(Diagnostic::on(file, &self.at, message).hint("start it with `/`"));
        }
        for (name, text) in [("reason", &self.reason), ("source", &self.source)] {
            if text.trim().is_empty() {
                problems.push(Diagnostic::on(file, &self.operation, format!("the row has no `{name}`")));
            }
        }
        let Some(rule) = rule.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        Ok(Row {
            line: self.operation.referenced.line(),
            operation: self.operation.value.into(),
            status: self.status,
            at: self.at.value,
            rule,
            reason: self.reason,
            source: self.source,
        })
    }
}

/// Whether parts follow a pattern in which `**` stands for any number of parts, and `*` within one for any characters.
fn matches_parts(pattern: &[&str], parts: &[&str]) -> bool {
    match pattern.split_first() {
        None => parts.is_empty(),
        Some((&"**", rest)) => (0..=parts.len()).any(|skip| matches_parts(rest, &parts[skip..])),
        Some((first, rest)) => parts.split_first().is_some_and(|(part, others)| {
            matches_text(first.as_bytes(), part.as_bytes()) && matches_parts(rest, others)
        }),
    }
}

/// Whether a text follows a pattern in which `*` stands for any characters.
pub(crate) fn matches_text(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skip| matches_text(rest, &text[skip..])),
        Some((first, rest)) => text.first() == Some(first) && matches_text(rest, &text[1..]),
    }
}
