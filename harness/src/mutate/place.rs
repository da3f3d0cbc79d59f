//! Where a part of an expression stands in its file.

use std::ops::Range;

use crate::expr::Place;

/// A place in a file, and how many characters are marked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) place: Place,
    pub(super) length: usize,
}

/// So far behind the place of a value its text may begin: after quotes, or on the line after `>-`.
const SLACK: usize = 200;

impl Mark {
    /// The line with marks below the part; empty where it is not known.
    pub(super) fn snippet(&self, text: &str) -> String {
        let number = usize::try_from(self.place.line).unwrap_or(usize::MAX);
        let Some(line) = number.checked_sub(1).and_then(|at| text.lines().nth(at)) else { return String::new() };
        let before = usize::try_from(self.place.column.saturating_sub(1)).unwrap_or(0);
        let margin = " ".repeat(number.to_string().len());
        let pad: String = line.chars().take(before).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let marks = self.length.min(line.chars().count().saturating_sub(before)).max(1);
        format!("{number} | {line}\n{margin} | {pad}{}", "^".repeat(marks))
    }
}

impl Mark {
    /// What is marked.
    pub(super) fn written(&self, text: &str) -> String {
        let number = usize::try_from(self.place.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let before = usize::try_from(self.place.column.saturating_sub(1)).unwrap_or(0);
        let line = text.lines().nth(number).unwrap_or_default();
        line.chars().skip(before).take(self.length).collect::<String>().trim_end().to_owned()
    }
}

/// Where a part of an expression stands. YAML may have folded its lines, or written its quotes twice: only what is not
/// white space is compared. The place of the whole expression where that does not find it.
pub(super) fn of_part(text: &str, near: Place, source: &str, part: &Range<usize>) -> Mark {
    let chars = positions(text);
    let from = chars.iter().position(|(_, place)| (place.line, place.column) >= (near.line, near.column));
    let Some(from) = from else { return Mark { place: near, length: 1 } };
    let wanted: Vec<char> = source.chars().filter(|c| !c.is_whitespace()).collect();
    let count = |range: Range<usize>| source[range].chars().filter(|c| !c.is_whitespace()).count();
    let (first, length) = (count(0..part.start), count(part.clone()).max(1));
    for start in (from..chars.len()).take(SLACK) {
        let Some(found) = matched(&chars[start..], &wanted) else { continue };
        let (Some(begin), Some(end)) = (found.get(first), found.get(first + length - 1)) else { break };
        let same_line = found[first..first + length].iter().rev().find(|place| place.line == begin.line).unwrap_or(end);
        let length = usize::try_from(same_line.column - begin.column + 1).unwrap_or(1);
        return Mark { place: *begin, length };
    }
    Mark { place: near, length: 1 }
}

/// Where `key:` and its value stand within a block that begins at a place.
pub(super) fn of_key(text: &str, near: Place, key: &str) -> Mark {
    let begin = usize::try_from(near.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let wanted = format!("{key}:");
    for (number, line) in text.lines().enumerate().skip(begin) {
        let before = line.match_indices(&wanted).map(|(at, _)| at);
        let mut whole = before.filter(|at| !line[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        let Some(at) = whole.next() else { continue };
        let end = line[at..].find([',', '}']).map_or(line.len(), |end| at + end);
        let column = line[..at].chars().count() as u64 + 1;
        return Mark { place: Place { line: number as u64 + 1, column }, length: line[at..end].chars().count() };
    }
    of_line(text, near)
}

/// All that stands on a line from a place on.
pub(super) fn of_line(text: &str, place: Place) -> Mark {
    let number = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let before = usize::try_from(place.column.saturating_sub(1)).unwrap_or(0);
    let length = text.lines().nth(number).map_or(1, |line| line.trim_end().chars().count().saturating_sub(before));
    Mark { place, length: length.max(1) }
}

fn positions(text: &str) -> Vec<(char, Place)> {
    let of_line = |(number, line): (usize, &str)| {
        let place = move |column: usize| Place { line: number as u64 + 1, column: column as u64 + 1 };
        line.chars().enumerate().map(|(column, c)| (c, place(column))).collect::<Vec<_>>()
    };
    text.lines().enumerate().flat_map(of_line).collect()
}

/// Where each of the wanted characters stands, if the text begins with them.
fn matched(text: &[(char, Place)], wanted: &[char]) -> Option<Vec<Place>> {
    let mut found = Vec::new();
    for (c, place) in text {
        match wanted.get(found.len()) {
            None => break,
            Some(next) if next == c => found.push(*place),
            // Quotes that are written twice, or behind a backslash.
            Some(_) if c.is_whitespace() || (!found.is_empty() && matches!(c, '\'' | '\\')) => {}
            Some(_) => return None,
        }
        if found.is_empty() {
            return None;
        }
    }
    (found.len() == wanted.len()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_however_yaml_wrote_it() {
        let check = |text: &str, source: &str, part: &str, wanted: &str| {
            let at = source.find(part).expect("is there");
            let mark = of_part(text, Place { line: 1, column: 1 }, source, &(at..at + part.len()));
            assert_eq!(mark.snippet(text), wanted, "{text}");
        };
        check("that: a == 1 && b", "a == 1 && b", "a == 1", "1 | that: a == 1 && b\n  |       ^^^^^^");
        check("that: >-\n  a == 1\n  && b\n", "a == 1 && b", "b", "3 |   && b\n  |      ^");
        check(
            "{of: 'a == ''x'' && b'}",
            "a == 'x' && b",
            "b",
            "1 | {of: 'a == ''x'' && b'}\n  |                     ^",
        );
        check(
            "{of: \"a == \\\"x\\\" && b\"}",
            "a == \"x\" && b",
            "b",
            "1 | {of: \"a == \\\"x\\\" && b\"}\n  |                     ^",
        );
        check("other\n", "a && b", "b", "1 | other\n  | ^");
    }

    #[test]
    fn a_key_is_found_with_its_value() {
        let check = |key: &str, wanted: &str| {
            let text = "- name: n\n  that: {count: {of: x, min: 1, max: 2}}";
            assert_eq!(of_key(text, Place { line: 1, column: 3 }, key).snippet(text), wanted, "{key}");
        };
        check("min", "2 |   that: {count: {of: x, min: 1, max: 2}}\n  |                         ^^^^^^");
        check("max", "2 |   that: {count: {of: x, min: 1, max: 2}}\n  |                                 ^^^^^^");
        check("none", "1 | - name: n\n  |   ^^^^^^^");
    }
}
