//! What authorization servers have given out: codes, tokens, sessions, and what was already used.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    table::{Changes, Record, Table},
    time::Timestamp,
};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// For APIs.
    Access,
    /// Says who somebody is.
    Id,
    /// Gets new tokens.
    Refresh,
}

/// A token that was given out.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// Its `jti`, or for refresh tokens the id of the object (`oar...`).
    pub id: SmolStr,
    /// What it is for.
    pub kind: Kind,
    /// The authorization server's id; empty for the org's own.
    pub server: SmolStr,
    /// The client that it was given to.
    pub client: SmolStr,
    /// The person whom it is about; none where a program acts for itself.
    pub user: Option<SmolStr>,
    /// Its scopes.
    pub scopes: Vec<SmolStr>,
    /// When it was made.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When the person signed in.
    pub signed_in: Option<Timestamp>,
    /// What all tokens of one sign-in share.
    pub family: SmolStr,
    /// The thumbprint of the key that its bearer must prove to hold (RFC 9449).
    pub bound_to: Option<SmolStr>,
    /// The `nonce` of the sign-in, for ID tokens that come with later refreshes.
    pub nonce: Option<SmolStr>,
    /// Since when another refresh token stands in for it.
    pub replaced: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The hash of its text: tokens themselves are not kept.
    #[serde(skip)]
    pub hash: SmolStr,
}

impl Token {
    /// Whether it is good now.
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.revoked && now < self.expires
    }
}

/// The hash under which a token is found.
pub fn hash(text: &str) -> SmolStr {
    blake3::hash(text.as_bytes()).to_hex().as_str().into()
}

/// An authorization code.
#[derive(Clone, Debug, Serialize)]
pub struct Code {
    /// The authorization server's id.
    pub server: SmolStr,
    /// The client.
    pub client: SmolStr,
    /// Who signed in.
    pub user: SmolStr,
    /// What was granted.
    pub scopes: Vec<SmolStr>,
    /// Where it was sent.
    pub redirect: SmolStr,
    /// The PKCE challenge.
    pub challenge: Option<SmolStr>,
    /// For the ID token.
    pub nonce: Option<SmolStr>,
    /// When the person signed in.
    pub signed_in: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// Somebody's session in a browser.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// Who.
    pub user: SmolStr,
    /// When the person signed in.
    pub signed_in: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
}

/// A device that waits for somebody to let it in.
#[derive(Clone, Debug, Serialize)]
pub struct Device {
    /// What the person types.
    pub user_code: SmolStr,
    /// The authorization server's id.
    pub server: SmolStr,
    /// The client.
    pub client: SmolStr,
    /// What it asks for.
    pub scopes: Vec<SmolStr>,
    /// When it ends.
    pub expires: Timestamp,
    /// When it last asked.
    pub polled: Option<Timestamp>,
    /// Who let it in, and when; none yet.
    pub user: Option<(SmolStr, Timestamp)>,
    /// Whether the person refused.
    pub denied: bool,
}

/// A request to sign in that a client has pushed beforehand (RFC 9126).
#[derive(Clone, Debug, Serialize)]
pub struct Pushed {
    /// The authorization server's id.
    pub server: SmolStr,
    /// The client.
    pub client: SmolStr,
    /// The parameters.
    pub parameters: Value,
    /// When it ends.
    pub expires: Timestamp,
}

/// A `jti` that must not come again.
#[derive(Clone, Debug, Serialize)]
pub struct Used {
    /// Until when.
    pub expires: Timestamp,
}

/// Rows that end by themselves, with an index by their ends.
#[derive(Clone, Debug)]
pub struct Passing<V: Record> {
    table: Table<SmolStr, V>,
    by_end: OrdSet<(Timestamp, SmolStr)>,
}

/// How many rows that have ended are cleared away with each new row.
const CLEARED: usize = 4;
/// How long rows are kept beyond their end, so that refusals can say that they have ended.
const KEPT: Duration = Duration::from_secs(86_400);

impl<V: Record> Passing<V> {
    fn new(name: &'static str) -> Self {
        Self { table: Table::new(name), by_end: OrdSet::new() }
    }

    /// A row.
    pub fn get(&self, key: &str) -> Option<&Arc<V>> {
        self.table.get(&SmolStr::new(key))
    }

    /// Writes a row that ends at `end`, and clears away some that have ended long ago.
    pub fn put(&mut self, changes: &mut Changes, now: Timestamp, key: SmolStr, end: Timestamp, row: V) {
        let long_ago = now.before(KEPT);
        let gone: Vec<_> = self.by_end.iter().take(CLEARED).filter(|(end, _)| *end < long_ago).cloned().collect();
        for (end, key) in gone {
            self.table.remove(changes, &key);
            self.by_end.remove(&(end, key));
        }
        self.by_end.insert((end, key.clone()));
        self.table.put(changes, key, row);
    }

    /// Removes a row.
    pub fn remove(&mut self, changes: &mut Changes, key: &str, end: Timestamp) -> bool {
        let key = SmolStr::new(key);
        self.by_end.remove(&(end, key.clone()));
        self.table.remove(changes, &key).is_some()
    }
}

/// All that was given out.
#[derive(Clone, Debug)]
pub struct Grants {
    tokens: Table<SmolStr, Token>,
    by_hash: OrdMap<SmolStr, SmolStr>,
    by_family: OrdSet<(SmolStr, SmolStr)>,
    by_user: OrdSet<(SmolStr, SmolStr)>,
    by_end: OrdSet<(Timestamp, SmolStr)>,
    user_codes: OrdMap<SmolStr, SmolStr>,
    /// Authorization codes.
    pub codes: Passing<Code>,
    /// Sessions by their cookie.
    pub sessions: Passing<Session>,
    /// One-time tokens that become sessions.
    pub session_tokens: Passing<Session>,
    /// Devices by their code.
    pub devices: Passing<Device>,
    /// Pushed requests by their address.
    pub pushed: Passing<Pushed>,
    /// Used `jti`s by client or key.
    pub used: Passing<Used>,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            tokens: Table::new("oauth_tokens"),
            by_hash: OrdMap::new(),
            by_family: OrdSet::new(),
            by_user: OrdSet::new(),
            by_end: OrdSet::new(),
            user_codes: OrdMap::new(),
            codes: Passing::new("oauth_codes"),
            sessions: Passing::new("sessions"),
            session_tokens: Passing::new("session_tokens"),
            devices: Passing::new("oauth_devices"),
            pushed: Passing::new("oauth_requests"),
            used: Passing::new("oauth_used"),
        }
    }
}

/// The tables of this module: rows in them follow from other calls.
pub const TABLES: [&str; 7] =
    ["oauth_tokens", "oauth_codes", "sessions", "session_tokens", "oauth_devices", "oauth_requests", "oauth_used"];

impl Grants {
    /// The token of a text.
    pub fn token(&self, text: &str) -> Option<&Arc<Token>> {
        self.by_hash.get(&hash(text)).and_then(|id| self.tokens.get(id))
    }

    /// A token by its id.
    pub fn token_by_id(&self, id: &str) -> Option<&Arc<Token>> {
        self.tokens.get(&SmolStr::new(id))
    }

    /// Writes a token and its indexes, and clears away some that have ended long ago.
    pub fn put(&mut self, changes: &mut Changes, now: Timestamp, token: Token) {
        let long_ago = now.before(KEPT);
        let gone: Vec<_> = self.by_end.iter().take(CLEARED).filter(|(end, _)| *end < long_ago).cloned().collect();
        for (_, id) in gone {
            self.forget(changes, &id);
        }
        self.by_hash.insert(token.hash.clone(), token.id.clone());
        self.by_family.insert((token.family.clone(), token.id.clone()));
        if let Some(user) = &token.user {
            self.by_user.insert((user.clone(), token.id.clone()));
        }
        self.by_end.insert((token.expires, token.id.clone()));
        self.tokens.put(changes, token.id.clone(), token);
    }

    fn forget(&mut self, changes: &mut Changes, id: &SmolStr) {
        let Some(token) = self.tokens.remove(changes, id) else { return };
        self.by_hash.remove(&token.hash);
        self.by_family.remove(&(token.family.clone(), id.clone()));
        if let Some(user) = &token.user {
            self.by_user.remove(&(user.clone(), id.clone()));
        }
        self.by_end.remove(&(token.expires, id.clone()));
    }

    /// Revokes a token.
    pub fn revoke(&mut self, changes: &mut Changes, id: &SmolStr) {
        self.tokens.update(changes, id, |token| token.revoked = true);
    }

    /// Revokes all tokens of one sign-in.
    pub fn revoke_family(&mut self, changes: &mut Changes, family: &SmolStr) {
        let ids = Self::second(&self.by_family, family);
        for id in &ids {
            self.revoke(changes, id);
        }
    }

    /// Revokes all of a person's tokens.
    pub fn revoke_user(&mut self, changes: &mut Changes, user: &SmolStr) {
        let ids = Self::second(&self.by_user, user);
        for id in &ids {
            self.revoke(changes, id);
        }
    }

    fn second(index: &OrdSet<(SmolStr, SmolStr)>, first: &SmolStr) -> Vec<SmolStr> {
        let from = index.range((first.clone(), SmolStr::default())..);
        from.take_while(|(key, _)| key == first).map(|(_, id)| id.clone()).collect()
    }

    /// Says that another refresh token stands in for one since now.
    pub fn replace(&mut self, changes: &mut Changes, id: &SmolStr, now: Timestamp) {
        self.tokens.update(changes, id, |token| token.replaced = token.replaced.or(Some(now)));
    }

    /// Adds a device.
    pub fn add_device(&mut self, changes: &mut Changes, now: Timestamp, code: &SmolStr, device: Device) {
        self.user_codes.insert(device.user_code.clone(), code.clone());
        self.devices.put(changes, now, code.clone(), device.expires, device);
    }

    /// The code and device of what a person types, in any case.
    pub fn device_of(&self, user_code: &str) -> Option<(SmolStr, &Arc<Device>)> {
        let code = self.user_codes.get(user_code.trim().to_uppercase().as_str())?;
        Some((code.clone(), self.devices.get(code)?))
    }

    /// Ends a device's wait.
    pub fn end_device(&mut self, changes: &mut Changes, code: &str, device: &Device) {
        self.user_codes.remove(&device.user_code);
        self.devices.remove(changes, code, device.expires);
    }

    /// Takes note of a `jti`; false where it was used before.
    pub fn use_once(&mut self, changes: &mut Changes, now: Timestamp, key: SmolStr, expires: Timestamp) -> bool {
        if self.used.get(&key).is_some() {
            return false;
        }
        self.used.put(changes, now, key, expires, Used { expires });
        true
    }
}
