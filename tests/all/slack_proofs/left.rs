//! Lists of what is left out, each line with its reason: `PATTERN # reason`. They may only shrink.

use crate::support::root;

/// A line of a list.
struct Line {
    number: usize,
    pattern: String,
    reason: String,
}

/// A list of what is left out.
pub(super) struct Left {
    path: String,
    lines: Vec<Line>,
}

impl Left {
    pub(super) fn read(path: &str) -> Self {
        let text = fs_err::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let used = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let line = |(number, line): (usize, &str)| {
            let (pattern, reason) = line.split_once('#').unwrap_or((line, ""));
            Line { number, pattern: pattern.trim().to_owned(), reason: reason.trim().to_owned() }
        };
        Self { path: path.to_owned(), lines: used.map(line).collect() }
    }

    /// Holds findings against the list: what is not in it, lines without a reason, and lines that nothing needs.
    pub(super) fn hold(&self, found: &[String]) -> Vec<String> {
        let mut problems = Vec::new();
        for line in &self.lines {
            let place = format!("{}:{}: `{}`", self.path, line.number, line.pattern);
            if line.reason.is_empty() {
                problems.push(format!("{place} has no reason"));
            }
            if !found.iter().any(|found| fits(&line.pattern, found)) {
                problems.push(format!("{place} is not left out (any more): delete the line"));
            }
        }
        let listed = |found: &&String| self.lines.iter().any(|line| fits(&line.pattern, found));
        problems.extend(found.iter().filter(|found| !listed(found)).map(|found| format!("{}: {found}", self.path)));
        problems
    }

    /// The reasons given, with their places.
    pub(super) fn reasons(&self) -> impl Iterator<Item = (String, &str)> {
        self.lines.iter().map(|line| (format!("{}:{}", self.path, line.number), line.reason.as_str()))
    }
}

/// Whether a text fits a pattern, in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(start) else { return false };
    (0..=text.len()).any(|at| text.is_char_boundary(at) && fits(rest, &text[at..]))
}

#[test]
fn patterns_fit_what_they_say() {
    for (pattern, text, fit) in [
        ("a.b c", "a.b c", true),
        ("a.* c", "a.b.d c", true),
        ("a.* c*", "a.b c[]: number, not string", true),
        ("*.b", "a.b", true),
        ("*.b", "a.bc", false),
        ("a", "ab", false),
    ] {
        assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
    }
}
