//! Made-up texts in the shape that a schema implies.

use serde_json::Value;

use super::{make::Maker, source::Source, times, view::View};
use crate::schema::{Alphabet, Looks};

/// The characters and length of an id of which nothing is known.
const PLAIN_ID: (Alphabet, usize) = (Alphabet::Lower, 20);

impl Maker<'_> {
    /// A text for a member of this name; none where none was found that fits.
    pub(super) fn text(&self, name: &str, view: &View<'_>, source: Source) -> Option<String> {
        let length = view.min_length()..=view.max_length();
        if let Some(Value::String(time)) = times::made(self.now, name, view) {
            return Some(time);
        }
        if view.links(name)
            && let Some(link) = self.link.as_ref()
        {
            return Some(link.clone());
        }
        let shaped = self.looking(view, source).or_else(|| formatted(self.origin, view, source));
        let fits = |text: &String| {
            length.contains(&text.chars().count())
                && view.patterns().all(|pattern| self.patterns.matches(pattern, text))
        };
        let by_pattern = || self.patterns.make(view.patterns().next()?, length.clone(), source);
        shaped.filter(fits).or_else(by_pattern).or_else(|| Some(named(name, view, source))).filter(fits)
    }

    fn looking(&self, view: &View<'_>, mut source: Source) -> Option<String> {
        Some(match view.looks()? {
            Looks::Id { prefix, alphabet, length } => {
                let drawn = usize::from(*length).saturating_sub(prefix.len());
                format!("{prefix}{}", source.text(alphabet.characters(), drawn))
            }
            Looks::Uuid => source.uuid(),
            Looks::Time { pattern } => times::written(self.now, pattern),
            Looks::Url => self.link.clone().unwrap_or_else(|| format!("{}/", self.origin)),
            Looks::Email => "someone@example.com".to_owned(),
        })
    }

    /// An id for a member, never counted: see [`super::store::Store`] for those that count up.
    pub(super) fn id_text(&self, name: &str, view: &View<'_>, source: Source) -> Option<String> {
        let shapeless = view.looks().is_none() && view.format().is_none() && view.patterns().next().is_none();
        let (alphabet, usual) = PLAIN_ID;
        if shapeless {
            let length = usual.max(view.min_length()).min(view.max_length());
            return Some(source.clone().text(alphabet.characters(), length));
        }
        self.text(name, view, source)
    }
}

/// A text of one of the formats that documents use.
fn formatted(origin: &str, view: &View<'_>, mut source: Source) -> Option<String> {
    Some(match view.format()? {
        "uuid" => source.uuid(),
        "email" | "idn-email" => "someone@example.com".to_owned(),
        "uri" | "url" | "iri" => format!("{origin}/"),
        "uri-reference" | "json-pointer" => "/".to_owned(),
        "uri-template" => format!("{origin}/{{id}}"),
        "hostname" | "idn-hostname" => "example.com".to_owned(),
        "ipv4" => "192.0.2.1".to_owned(),
        "ipv6" => "2001:db8::1".to_owned(),
        "byte" | "base64" | "binary" | "google-fieldmask" => String::new(),
        "int64" | "uint64" | "int32" | "uint32" => "0".to_owned(),
        "google-duration" => "0s".to_owned(),
        "duration" => "PT0S".to_owned(),
        "regex" => ".*".to_owned(),
        "locale" => "en".to_owned(),
        _ => return None,
    })
}

/// A text of which nothing is known but the member's name: an id where that says so, else the name itself.
fn named(name: &str, view: &View<'_>, mut source: Source) -> String {
    let id = ["id", "Id", "ID", "_id"].iter().any(|end| name.ends_with(end));
    let text = if id { source.text(PLAIN_ID.0.characters(), PLAIN_ID.1) } else { name.to_owned() };
    let mut text: String = text.chars().take(view.max_length()).collect();
    while text.chars().count() < view.min_length() {
        text.push('x');
    }
    text
}
