//! Texts that match a document's regular expressions.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use fancy_regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::source::Source;

/// The expressions met so far, compiled; none where one cannot be.
#[derive(Debug, Default)]
pub(super) struct Patterns(Mutex<BTreeMap<String, Option<Arc<Regex>>>>);

/// What to try where an expression cannot be taken apart (it looks ahead or back).
const CANDIDATES: &[&str] =
    &["a", "A", "1", "example", "Example1!", "example.com", "https://example.com", "user@example.com", "a1b2c3d4e5f6"];

impl Patterns {
    /// Whether a text matches somewhere. An expression that cannot be compiled forbids nothing.
    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        self.compiled(pattern).is_none_or(|regex| regex.is_match(text).unwrap_or(true))
    }

    fn compiled(&self, pattern: &str) -> Option<Arc<Regex>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = known.get(pattern) {
            return regex.clone();
        }
        let regex = Regex::new(pattern).ok().map(Arc::new);
        known.insert(pattern.to_owned(), regex.clone());
        regex
    }

    /// A text that matches and is of a length; none where none was found.
    pub(super) fn make(
        &self,
        pattern: &str,
        length: std::ops::RangeInclusive<usize>,
        source: Source,
    ) -> Option<String> {
        let fits = |text: &String| length.contains(&text.chars().count()) && self.matches(pattern, text);
        let tree = regex_syntax::Parser::new().parse(pattern).ok();
        // Repetitions are taken this often beyond what they must be, until the text is long enough.
        let grown = [0, 1, 3, 7, 15, 31, 63].into_iter().filter_map(|more| {
            let mut writer = Writer { source, more, out: String::new() };
            writer.write(tree.as_ref()?);
            Some(writer.out)
        });
        let tried = CANDIDATES.iter().map(|text| (*text).to_owned());
        grown.chain(tried).find(fits)
    }
}

struct Writer {
    source: Source,
    more: u32,
    out: String,
}

impl Writer {
    fn write(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.out.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(class) => self.class(class),
            HirKind::Capture(capture) => self.write(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.write(part)),
            HirKind::Alternation(ways) => ways.first().into_iter().for_each(|way| self.write(way)),
            HirKind::Repetition(repetition) => {
                let most = repetition.max.unwrap_or(u32::MAX);
                let times = repetition.min.saturating_add(self.more).min(most).min(4_096);
                (0..times).for_each(|_| self.write(&repetition.sub));
            }
        }
    }

    /// A letter or digit where there is one: others are more likely to be cut off or escaped on their way.
    fn class(&mut self, class: &Class) {
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
            Class::Bytes(class) => class.ranges().iter().map(|r| (r.start().into(), r.end().into())).collect(),
        };
        let within = |c: &char| ranges.iter().any(|(low, high)| (low..=high).contains(&c));
        let plain: Vec<char> = ('a'..='z').chain('0'..='9').chain('A'..='Z').filter(within).collect();
        let picked = match plain.len() {
            0 => ranges.first().map(|(low, _)| *low),
            length => plain.get(self.source.below(length)).copied(),
        };
        self.out.extend(picked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_texts_match_their_pattern() {
        let patterns = Patterns::default();
        let check = |pattern: &str, found: bool| {
            let made = patterns.make(pattern, 0..=100, Source::new(1));
            assert_eq!(made.is_some(), found, "{pattern}: {made:?}");
            if let Some(text) = made {
                assert!(patterns.matches(pattern, &text), "{pattern}: {text}");
            }
        };
        check("^[a-z]{3}-[0-9]+$", true);
        check("^(foo|bar)?$", true);
        check(r"^\d{4}-\d{2}$", true);
        check("^(?!admin).+$", true);
        check(r"^https?://[^/\s]+$", true);
        check("^a{200}$", false);
        assert_eq!(patterns.make("^x*$", 5..=9, Source::new(1)).map(|text| text.len()), Some(7));
    }
}
