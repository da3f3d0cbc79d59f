//! What a replay needs besides the ledger: headers, bodies that are no text, and when jobs were taken up.
//!
//! Nothing is noted before a universe is told to (`Universe::record`): a universe that is not replayed pays for nothing.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::HeaderMap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    delivery::Outcome,
    time::Timestamp,
    wire::{Reply, Request},
};

/// Names and values, in their order.
pub type Headers = Vec<(String, String)>;

/// Something that the ledger does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// A job was taken up.
    Job {
        /// The ledger's length then.
        seq: u64,
        /// The job's number within the universe.
        id: u64,
        /// What the clock showed.
        at: Timestamp,
    },
    /// More about a call.
    Call(Box<CallNote>),
    /// More about what a receiver answered.
    Receipt {
        /// The delivery's entry.
        seq: u64,
        /// The answer's headers.
        headers: Headers,
        /// The answer's body in base64, where it is no text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
    },
}

/// More about a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNote {
    /// The call's entry.
    pub seq: u64,
    /// The number that keys the draws of its request id.
    pub nr: u64,
    /// Whether its body was larger than the service takes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub too_large: bool,
    /// The address that the caller used.
    pub origin: SmolStr,
    /// The request's headers.
    pub headers: Headers,
    /// Method and path with query, where the entry does not have them yet: the answer waits for a delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<(String, String)>,
    /// The request's body in base64, where the entry does not have it as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The answer's headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answer_headers: Headers,
    /// A hash of the answer's body, where it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_body: Option<String>,
}

impl CallNote {
    pub(crate) fn new(seq: u64, nr: u64, request: &Request) -> Self {
        Self {
            seq,
            nr,
            too_large: false,
            origin: request.origin.clone(),
            headers: pairs(&request.headers),
            line: None,
            body: unless_text(&request.body),
            answer_headers: Vec::new(),
            answer_body: None,
        }
    }

    /// The same with all of the request.
    pub(crate) fn whole(mut self, request: &Request) -> Self {
        self.line = Some((request.method.to_string(), request.target().to_string()));
        self.body = Some(BASE64.encode(&request.body));
        self
    }

    /// The same with the answer.
    pub(crate) fn answered(mut self, reply: &Reply) -> Self {
        self.answer_headers = pairs(&reply.headers);
        let is_text = std::str::from_utf8(&reply.body).is_ok();
        self.answer_body = (!is_text).then(|| blake3::hash(&reply.body).to_hex().to_string());
        self
    }
}

/// The notes of a universe.
#[derive(Debug, Default)]
pub(crate) struct Tape(pub(crate) Mutex<Vec<Note>>);

impl Tape {
    pub(crate) fn add(&self, note: Note) {
        self.0.lock().push(note);
    }

    /// What a receiver answered to a delivery.
    pub(crate) fn receipt(&self, seq: u64, outcome: &Outcome) {
        if let Outcome::Answered { headers, body, .. } = outcome {
            self.add(Note::Receipt { seq, headers: pairs(headers), body: unless_text(body) });
        }
    }
}

/// Headers as text; bytes that are none are replaced.
fn pairs(headers: &HeaderMap) -> Headers {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

fn unless_text(body: &Bytes) -> Option<String> {
    std::str::from_utf8(body).is_err().then(|| BASE64.encode(body))
}

/// A body as notes hold it.
pub(crate) fn encoded(body: &[u8]) -> String {
    BASE64.encode(body)
}

/// A noted body.
pub fn decoded(body: &str) -> Bytes {
    BASE64.decode(body).unwrap_or_default().into()
}
