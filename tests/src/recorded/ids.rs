//! What a recording's drawn texts are called in the twin, learned as the exchanges go by.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::shape;

/// The names learned so far.
#[derive(Debug, Default)]
pub struct Ids {
    ours: BTreeMap<String, String>,
    taken: BTreeMap<String, String>,
    cursors: BTreeMap<String, String>,
    made: BTreeSet<String>,
    seen: BTreeSet<String>,
    sent: BTreeSet<String>,
    own: BTreeSet<String>,
    secrets: BTreeMap<String, String>,
}

impl Ids {
    /// Learns what a recorded text is in the twin. False where it is something else already, or another recorded text
    /// is that.
    pub fn learn(&mut self, recorded: &str, ours: &str) -> bool {
        match (self.ours.get(recorded), self.taken.get(ours)) {
            (Some(known), _) => known == ours,
            (None, Some(other)) => other == recorded,
            (None, None) => {
                self.ours.insert(recorded.to_owned(), ours.to_owned());
                self.taken.insert(ours.to_owned(), recorded.to_owned());
                true
            }
        }
    }

    /// Learns what secrets that are not recorded are in the twin: the last of a length counts.
    pub fn learn_secrets(&mut self, recorded: &Value, ours: &Value) {
        match (recorded, ours) {
            (Value::String(text), Value::String(own)) if shape::is_redacted(text) => {
                self.secrets.insert(text.clone(), own.clone());
            }
            (Value::Array(texts), Value::Array(own)) => {
                texts.iter().zip(own).for_each(|(text, own)| self.learn_secrets(text, own));
            }
            (Value::Object(members), Value::Object(own)) => {
                let both = members.iter().filter_map(|(name, member)| Some((member, own.get(name)?)));
                both.for_each(|(member, own)| self.learn_secrets(member, own));
            }
            _ => {}
        }
    }

    /// Nothing learned yet; these objects the twin's world has from the beginning.
    pub fn new(own: BTreeSet<String>) -> Self {
        Self { own, ..Self::default() }
    }

    /// Whether an object is of the twin's world.
    pub fn is_own(&self, ours: &str) -> bool {
        self.own.contains(ours)
    }

    /// Lets what a request names, and no answer has shown yet, stand for an object of the same kind in the twin's
    /// world.
    pub fn suppose(&mut self, text: &str) {
        for word in text.split(|c: char| !is_word(c)).filter(|word| shape::is_id(word)) {
            let free = |ours: &&String| !self.taken.contains_key(*ours) && shape::is_same_kind(word, ours);
            if !self.seen.contains(word)
                && !self.ours.contains_key(word)
                && let Some(ours) = self.own.iter().find(free).cloned()
            {
                self.learn(word, &ours);
            }
        }
    }

    /// Whether a request names an object that answers have shown and the twin has not.
    pub fn is_lost(&self, text: &str) -> bool {
        let words = text.split(|c: char| !is_word(c)).filter(|word| shape::is_id(word));
        words
            .into_iter()
            .any(|word| self.seen.contains(word) && !self.ours.contains_key(word) && !self.sent.contains(word))
    }

    /// Whether a text of the twin stands for a recorded one.
    pub fn is_taken(&self, ours: &str) -> bool {
        self.taken.contains_key(ours)
    }

    /// Learns a cursor.
    pub fn learn_cursor(&mut self, recorded: &str, ours: &str) {
        self.cursors.insert(recorded.to_owned(), ours.to_owned());
    }

    /// Notes all that looks drawn, so that what comes later and is new can be told.
    pub fn see(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.see_text(text),
            Value::Array(items) => items.iter().for_each(|item| self.see(item)),
            Value::Object(members) => members.values().for_each(|member| self.see(member)),
            _ => {}
        }
    }

    /// [`Ids::see`] of a path, query or text.
    pub fn see_text(&mut self, text: &str) {
        for word in text.split(|c: char| !is_word(c)).filter(|word| shape::is_id(word)) {
            self.seen.insert(word.to_owned());
        }
    }

    /// Notes all texts that the client sent: they are its own, and no service draws them.
    pub fn send(&mut self, body: &Value) {
        match body {
            Value::String(text) => drop(self.sent.insert(text.clone())),
            Value::Array(items) => items.iter().for_each(|item| self.send(item)),
            Value::Object(members) => members.values().for_each(|member| self.send(member)),
            _ => {}
        }
    }

    /// Whether the client sent this text.
    pub fn is_sent(&self, text: &str) -> bool {
        self.sent.contains(text)
    }

    /// Whether this has been seen.
    pub fn is_seen(&self, text: &str) -> bool {
        self.seen.contains(text)
    }

    /// Notes that an exchange made this object, unless it has been seen before.
    pub fn make(&mut self, id: &str) {
        if !self.seen.contains(id) {
            self.made.insert(id.to_owned());
        }
    }

    /// Whether the recording made this object itself.
    pub fn is_made(&self, id: &str) -> bool {
        self.made.contains(id)
    }

    /// A text with all that is known in it replaced. Percent-escapes end a word.
    pub fn translate(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let escape = c == '%' && rest.len() >= 3 && rest.as_bytes()[1..3].iter().all(u8::is_ascii_hexdigit);
            let length = match (escape, is_word(c)) {
                (true, _) => 3,
                (false, true) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                (false, false) => c.len_utf8(),
            };
            let (word, after) = rest.split_at(length);
            out.push_str(self.ours.get(word).map_or(word, String::as_str));
            rest = after;
        }
        out
    }

    /// A raw query with all that is known in it replaced.
    pub fn translate_query(&self, query: &str) -> String {
        let one = |pair: &str| match pair.strip_prefix("after=") {
            Some(value) => {
                let cursor: String = form_urlencoded::parse(format!("a={value}").as_bytes())
                    .map(|(_, value)| value.into_owned())
                    .collect();
                match self.cursors.get(&cursor) {
                    Some(ours) => format!("after={}", encode(ours)),
                    None => self.translate(pair),
                }
            }
            None => self.translate(pair),
        };
        query.split('&').map(one).collect::<Vec<_>>().join("&")
    }

    /// A body with all that is known in it replaced, and secrets made up.
    pub fn translate_body(&self, body: &Value) -> Value {
        match body {
            Value::String(text) if shape::is_redacted(text) => {
                Value::String(self.secrets.get(text).cloned().unwrap_or_else(|| shape::secret(text)))
            }
            Value::String(text) => Value::String(self.translate(text)),
            Value::Array(items) => items.iter().map(|item| self.translate_body(item)).collect(),
            Value::Object(members) => {
                let one = |(name, member): (&String, &Value)| (self.translate(name), self.translate_body(member));
                Value::Object(members.iter().map(one).collect())
            }
            other => other.clone(),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn encode(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_learned_is_replaced_everywhere() {
        let mut ids = Ids::default();
        assert!(ids.learn("00u1", "00uA"));
        assert!(ids.learn("00u1", "00uA"));
        assert!(!ids.learn("00u1", "00uB"));
        assert!(!ids.learn("00u2", "00uA"));
        ids.learn_cursor("a b", "c=");
        assert_eq!(ids.translate("/users/00u1/groups"), "/users/00uA/groups");
        assert_eq!(ids.translate("id+eq+%2200u1%22"), "id+eq+%2200uA%22");
        assert_eq!(ids.translate_query("after=a+b&q=00u1"), "after=c%3D&q=00uA");
        let body = json!({ "00u1": ["00u1", "<redacted:3>", 4] });
        assert_eq!(ids.translate_body(&body), json!({ "00uA": ["00uA", "Qz7", 4] }));
    }

    #[test]
    fn only_what_is_new_was_made() {
        let mut ids = Ids::default();
        ids.see(&json!({ "createdBy": "00u1a2b3c4d5e6f7g8h9" }));
        ids.make("00u1a2b3c4d5e6f7g8h9");
        ids.make("00g1a2b3c4d5e6f7g8h9");
        assert!(!ids.is_made("00u1a2b3c4d5e6f7g8h9"));
        assert!(ids.is_made("00g1a2b3c4d5e6f7g8h9"));
    }
}
