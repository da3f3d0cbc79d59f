//! Placeholders of a bundle, and the secrets that a replay finds for them.

use std::collections::BTreeMap;

use dtu_kernel::{twin::EnvValue, universe::Universe, veil::Veil};

use super::{DIGITS, LEAST, MARK, Redactor, placeholder};

/// Finds the secrets behind a recording's placeholders: in the world, in the files that the run was made of, and in what
/// the replaying universe answers where a placeholder was recorded. That a text is the right one, its hash says.
#[derive(Debug, Default)]
pub struct Reveal {
    /// The secret for each placeholder.
    secrets: BTreeMap<String, String>,
    redactor: Redactor,
}

impl Reveal {
    /// Knows the words of these texts, and what clients of the universe are given.
    pub fn new<'a>(universe: &Universe, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut reveal = Self::default();
        for text in texts {
            reveal.words(text);
        }
        for variable in universe.env() {
            match variable.value {
                EnvValue::Text(text) => reveal.candidate(&text),
                EnvValue::File { content, .. } => {
                    super::find::in_text(&content, &mut |secret| reveal.candidate(secret));
                }
            }
        }
        reveal
    }

    /// Knows what lies sealed beside a recording, by its placeholders, as far as this world opens it.
    pub fn unseal(&mut self, sealed: &BTreeMap<String, String>, world: &str) {
        for (named, closed) in sealed {
            if let Some(secret) = super::seal::open(world, named, closed) {
                // What goes in with its secret comes out with it: it is hidden again before it is compared.
                self.found(&secret);
            }
        }
    }

    fn words(&mut self, text: &str) {
        let is_around = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '{' | '}' | '[' | ']');
        text.split(is_around).for_each(|word| self.candidate(word));
        // What stands in quotes may hold anything.
        text.split('"').skip(1).step_by(2).for_each(|quoted| self.candidate(quoted));
    }

    /// A text that may be a secret: it is one only where its placeholder comes up.
    fn candidate(&mut self, text: &str) {
        if text.len() >= LEAST {
            let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            for spelling in [text, &encoded] {
                self.secrets.insert(placeholder(spelling), spelling.to_owned());
            }
        }
    }

    /// A text that stands where a placeholder was recorded.
    fn found(&mut self, text: &str) {
        self.secrets.insert(placeholder(text), text.to_owned());
        self.redactor.texts.insert(text.to_owned(), placeholder(text));
        self.redactor.finder = None;
        self.redactor.seal();
    }
}

impl Veil for Reveal {
    fn learn(&mut self, recorded: &str, replayed: &str) {
        let mut parts = recorded.split(MARK);
        let Some(mut rest) = parts.next().and_then(|literal| replayed.strip_prefix(literal)) else { return };
        for part in parts {
            if part.starts_with("env-") {
                let Some(after) = rest.strip_prefix(&format!("{MARK}{part}")) else { return };
                rest = after;
                continue;
            }
            let (Some(digits), Some(literal)) = (part.get(..DIGITS), part.get(DIGITS..)) else { return };
            let wanted = format!("{MARK}{digits}");
            let is_it = |text: &&str| placeholder(text) == wanted;
            let ends = rest.match_indices(literal).map(|(at, _)| &rest[..at]);
            let found = if literal.is_empty() { Some(rest).filter(is_it) } else { ends.into_iter().find(is_it) };
            // What is not the secret may be the placeholder itself, which nobody could put back.
            let Some(found) = found.or_else(|| rest.starts_with(&wanted).then(|| &rest[..wanted.len()])) else {
                return;
            };
            rest = rest[found.len()..].strip_prefix(literal).unwrap_or_default();
            if found != wanted {
                self.found(found);
            }
        }
    }

    fn hide(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.redactor.hide(text)
    }

    fn show(&self, text: &[u8]) -> Option<Vec<u8>> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.contains(MARK))?;
        let mut parts = text.split(MARK);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.get(..DIGITS).unwrap_or_default();
            if let Some(secret) = self.secrets.get(&format!("{MARK}{digits}")) {
                out.push_str(secret);
                out.push_str(&part[DIGITS..]);
            } else {
                out.push_str(MARK);
                out.push_str(part);
            }
        }
        Some(out.into_bytes())
    }
}
