//! The keys that authorization servers sign with.
//!
//! Two keys are part of the program and protect nothing (`fixtures/keys/README.md`). A server's keys are counted from
//! its first: an even number is the one key, an odd number the other, and each number has a key id of its own, so that
//! clients see a new key at each rotation. Okta rotates them four times a year
//! (developer.okta.com/docs/concepts/key-rotation/).

use std::{sync::LazyLock, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::time::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The keys to sign with.
const PEMS: [&str; 2] = [
    include_str!("../../../../fixtures/keys/okta-signing-current.pem"),
    include_str!("../../../../fixtures/keys/okta-signing-next.pem"),
];
/// The key of the world's clients that bring none of their own.
const CLIENT_PEM: &str = include_str!("../../../../fixtures/keys/okta-client.pem");

static KEYS: LazyLock<[EncodingKey; 2]> = LazyLock::new(|| PEMS.map(read));
static PUBLIC: LazyLock<[Map<String, Value>; 2]> = LazyLock::new(|| [public(&KEYS[0]), public(&KEYS[1])]);
static CLIENT: LazyLock<Map<String, Value>> = LazyLock::new(|| public(&read(CLIENT_PEM)));

/// How often servers rotate their keys by themselves.
pub const ROTATION: Duration = Duration::from_secs(90 * 86_400);

/// For how long after a rotation the next key is not published: until a fortnight before the clock rotates.
const QUIET: Duration = Duration::from_secs(76 * 86_400);

/// The id of the test key of the world's clients.
pub const CLIENT_KEY_ID: &str = "dtu-okta-client";

fn read(pem: &str) -> EncodingKey {
    EncodingKey::from_rsa_pem(pem.as_bytes()).expect("the program's own keys are tested")
}

fn public(key: &EncodingKey) -> Map<String, Value> {
    let jwk = Jwk::from_encoding_key(key, Algorithm::RS256).expect("an RSA key has a public half");
    let Ok(Value::Object(jwk)) = serde_json::to_value(jwk) else { return Map::new() };
    jwk
}

/// Which key of a server signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Signing {
    /// The number of the key that signed when it was last rotated by hand, or from the start.
    pub number: u64,
    /// Since when.
    pub since: Timestamp,
    /// Whether it is rotated by the clock.
    pub auto: bool,
}

impl Signing {
    /// The keys of a server made now.
    pub const fn new(now: Timestamp) -> Self {
        Self { number: 1, since: now, auto: true }
    }

    /// How often the clock has rotated the keys since.
    fn turns(self, now: Timestamp) -> u64 {
        if self.auto { now.since(self.since).as_secs() / ROTATION.as_secs() } else { 0 }
    }

    /// The number of the key that signs now.
    pub fn current(self, now: Timestamp) -> u64 {
        self.number + self.turns(now)
    }

    /// When the keys were last rotated.
    pub fn last(self, now: Timestamp) -> Timestamp {
        let turns = u32::try_from(self.turns(now)).unwrap_or(u32::MAX);
        self.since.after(ROTATION * turns)
    }

    /// The keys that are listed: that which signs, for the last days that which comes next, and that which signed
    /// before. Recorded: a new server shows one key, a rotated one its old key behind the new one. When the next key
    /// shows is nowhere said; a fortnight before the clock rotates is inferred.
    pub fn listed(self, now: Timestamp) -> Vec<(u64, KeyStatus)> {
        let current = self.current(now);
        let soon = self.auto && self.last(now).after(QUIET) <= now;
        let next = soon.then_some((current + 1, KeyStatus::Next));
        let before = (current > 1).then(|| (current - 1, KeyStatus::Expired));
        std::iter::once((current, KeyStatus::Active)).chain(next).chain(before).collect()
    }

    /// The same with or without rotation by the clock from now on.
    #[must_use]
    pub fn turned(self, now: Timestamp, auto: bool) -> Self {
        Self { number: self.current(now), since: self.last(now), auto }
    }

    /// The same with the next key from now on.
    #[must_use]
    pub fn rotated(self, now: Timestamp) -> Self {
        Self { number: self.current(now) + 1, since: now, auto: self.auto }
    }
}

/// What a key is to its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum KeyStatus {
    /// It signs.
    Active,
    /// It will sign after the next rotation.
    Next,
    /// It signed before.
    Expired,
}

/// The id of a server's key of a number.
pub fn key_id(server: &str, number: u64) -> String {
    let hash = blake3::hash(format!("okta signing key {server} {number}").as_bytes());
    URL_SAFE_NO_PAD.encode(hash.as_bytes())
}

fn index(number: u64) -> usize {
    usize::from(number.is_multiple_of(2))
}

/// A server's key of a number, as a JSON Web Key.
pub fn web_key(server: &str, number: u64) -> Map<String, Value> {
    let mut key = PUBLIC[index(number)].clone();
    key.insert("kid".to_owned(), json!(key_id(server, number)));
    key.insert("use".to_owned(), json!("sig"));
    key
}

/// The keys that a server publishes: clients take those that are listed, whatever their status.
pub fn published(server: &str, signing: Signing, now: Timestamp) -> Vec<Map<String, Value>> {
    signing.listed(now).into_iter().map(|(number, _)| web_key(server, number)).collect()
}

/// Signs claims with a server's key of a number.
pub fn sign(server: &str, number: u64, kind: &str, claims: &Map<String, Value>) -> String {
    let kid = Some(key_id(server, number));
    // Okta's ID tokens and those for APIs name no type.
    let typ = (!kind.is_empty()).then(|| kind.to_owned());
    let header = Header { kid, typ, ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &KEYS[index(number)]).expect("a JSON object can be signed")
}

/// The public half of the test key of the world's clients.
pub fn client_key() -> Value {
    let mut key = CLIENT.clone();
    key.insert("kid".to_owned(), json!(CLIENT_KEY_ID));
    key.insert("use".to_owned(), json!("sig"));
    Value::Object(key)
}

/// The private half, for the environment of a program under test.
pub const fn client_pem() -> &'static str {
    CLIENT_PEM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_turn_with_the_clock_and_by_hand() {
        let start = Timestamp::from_secs(1_800_000_000);
        let signing = Signing::new(start);
        let check = |signing: Signing, days: u32, wanted: u64| {
            assert_eq!(signing.current(start.after(Duration::from_secs(86_400) * days)), wanted, "after {days} days");
        };
        check(signing, 0, 1);
        check(signing, 89, 1);
        check(signing, 90, 2);
        check(signing, 400, 5);
        check(signing.rotated(start), 0, 2);
        check(Signing { auto: false, ..signing }, 400, 1);
        assert_eq!(published("", signing, start).len(), 1);
        let two = published("", signing.rotated(start), start);
        assert_eq!((two.len(), &two[0]["kid"], &two[1]["kid"]), (2, &json!(key_id("", 2)), &json!(key_id("", 1))));
        assert_ne!(two[0]["n"], two[1]["n"]);
        assert_ne!(key_id("", 1), key_id("aus1", 1), "each server has keys of its own");
    }
}
