//! JSON written as text at once, for the answers that are asked for most: no tree is made of it first, and what needs
//! no escapes is copied as it is.

use bytes::Bytes;
use serde::Serialize;

use crate::{table::Record, time::Timestamp};

/// JSON under way. Names, items and values are added in order; commas come by themselves.
#[derive(Debug)]
pub struct Json<'a>(&'a mut Vec<u8>);

/// The JSON that `write` writes, in a buffer of just its size: the ledger may keep it for long.
pub fn written(write: impl FnOnce(&mut Json<'_>)) -> Bytes {
    thread_local! {
        static SCRATCH: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    // Taken for as long as it is written to: what writes may make other texts on its way.
    let mut scratch = SCRATCH.take();
    scratch.clear();
    write(&mut Json(&mut scratch));
    let bytes = Bytes::copy_from_slice(&scratch);
    SCRATCH.set(scratch);
    bytes
}

impl<'a> Json<'a> {
    /// JSON behind what is there.
    pub(crate) const fn new(out: &'a mut Vec<u8>) -> Self {
        Self(out)
    }
}

impl Json<'_> {
    /// An object of what `members` adds.
    pub fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.0.push(b'{');
        members(self);
        self.0.push(b'}');
    }

    /// A member's name: its value comes next. The name needs no escapes.
    pub fn name(&mut self, name: &str) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.plain(name);
        self.plain("\":");
    }

    /// The same for a name that somebody has chosen.
    pub fn key(&mut self, name: &str) {
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.text(name);
        self.0.push(b':');
    }

    /// A list of what `one` writes of each item.
    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut one: impl FnMut(&mut Self, T)) {
        self.0.push(b'[');
        for (n, item) in items.into_iter().enumerate() {
            if n > 0 {
                self.0.push(b',');
            }
            one(self, item);
        }
        self.0.push(b']');
    }

    /// Text as it stands: JSON already, or a part of it.
    pub fn plain(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// JSON as it stands.
    pub fn json(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        if needs_escapes(text) {
            self.value(text);
        } else {
            self.0.push(b'"');
            self.plain(text);
            self.0.push(b'"');
        }
    }

    /// A time as [`Timestamp::iso_millis`] writes it.
    pub fn millis(&mut self, at: Timestamp) {
        self.0.push(b'"');
        self.0.extend_from_slice(&at.iso_millis_bytes());
        self.0.push(b'"');
    }

    /// Any value.
    pub fn value<V: Serialize + ?Sized>(&mut self, value: &V) {
        // Serialising our own types cannot fail: they hold no maps with keys that are not text.
        let _ = serde_json::to_writer(&mut *self.0, value);
    }

    /// A row of a table.
    pub(crate) fn row(&mut self, row: &dyn Record) {
        let start = self.0.len();
        if row.write_text(self.0).is_err() {
            self.0.truncate(start);
            self.value(&row.to_json());
        }
    }

    /// A member whose value is text.
    pub fn member(&mut self, name: &str, text: &str) {
        self.name(name);
        self.text(text);
    }
}

/// Whether a text cannot stand in JSON as it is.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "every byte is looked at whatever is found, which compilers make wide"
)]
fn needs_escapes(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_serde_writes() {
        let check = |text: &str| {
            let bytes = written(|json| json.text(text));
            assert_eq!(bytes, serde_json::to_vec(text).expect("is JSON"), "{text}");
        };
        for text in ["", "plain", "Ünïcode 🎉", "a \"quote\"", "back\\slash", "line\nbreak", "\u{1}\u{7f}"] {
            check(text);
        }
        for byte in 0..=127_u8 {
            check(&format!("before {} after, and enough of it to be looked at widely", char::from(byte)));
        }
    }

    #[test]
    fn commas_come_by_themselves() {
        let at = Timestamp::parse("2026-03-02T09:00:00.123456Z").expect("is a time");
        let bytes = written(|json| {
            json.object(|json| {
                json.member("a", "{");
                json.key("\"");
                json.plain("null");
                json.name("b");
                json.list([1, 2], |json, number| json.value(&number));
                json.name("c");
                json.object(|json| {
                    json.name("d");
                    json.millis(at);
                });
                json.name("e");
                json.list([written(|json| json.object(|_| {}))], |json, inner| json.json(&inner));
            });
        });
        assert_eq!(&bytes[..], br#"{"a":"{","\"":null,"b":[1,2],"c":{"d":"2026-03-02T09:00:00.123Z"},"e":[{}]}"#);
    }
}
