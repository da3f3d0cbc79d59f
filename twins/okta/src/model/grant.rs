//! What authorization servers have given out: codes, tokens, and what was already used.

use std::{ops::Bound, sync::Arc, time::Duration};

use dtu_kernel::{
    table::{Changes, Record, Table},
    time::Timestamp,
};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::out_of_band::{Halfway, Waiting};

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

/// How a person has signed in, as tokens say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Context {
    /// The methods, as RFC 8176 names them.
    pub amr: Vec<SmolStr>,
    /// The class of assurance that the client has asked for.
    pub acr: Option<SmolStr>,
    /// The id of the identity provider whose word the person came with; none where that is Okta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idp: Option<SmolStr>,
}

impl Default for Context {
    fn default() -> Self {
        Self { amr: vec![SmolStr::new_static("pwd")], acr: None, idp: None }
    }
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
    pub created: Timestamp,
    /// When it was made or last used: refresh tokens end when nobody uses them.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When the person signed in.
    pub signed_in: Option<Timestamp>,
    /// And how.
    pub context: Context,
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
    /// Whether it is a refresh token that was neither revoked nor replaced.
    pub fn is_live_refresh(&self) -> bool {
        self.kind == Kind::Refresh && !self.revoked && self.replaced.is_none()
    }

    /// Whether it is good now.
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.revoked && now < self.expires
    }
}

/// Whose refresh tokens are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// A client's.
    Client(&'a str),
    /// Those that a server has given to a client.
    Server(&'a str, &'a str),
    /// Those that a client has for a person.
    User(&'a str, &'a str),
}

impl Holder<'_> {
    fn key(self) -> SmolStr {
        match self {
            Self::Client(client) => format!("c/{client}").into(),
            Self::Server(server, client) => format!("s/{server}/{client}").into(),
            Self::User(user, client) => format!("u/{user}/{client}").into(),
        }
    }
}

/// The hash under which a token is found.
pub fn hash(text: &str) -> SmolStr {
    blake3::hash(text.as_bytes()).to_hex().as_str().into()
}

/// An authorization code.
#[derive(Clone, Debug, Serialize)]
pub struct Code {
    /// The grant that it is for: `authorization_code` or `interaction_code`.
    pub grant: &'static str,
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
    /// And how.
    pub context: Context,
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

/// That a client may have a scope: an administrator's word for the org's own scopes, or a person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// `oag...`.
    pub id: SmolStr,
    /// The client.
    pub client: SmolStr,
    /// The person; none where an administrator speaks for all.
    pub user: Option<SmolStr>,
    /// The authorization server's id; empty for the org's own.
    pub server: SmolStr,
    /// The scope's name.
    pub scope: SmolStr,
    /// The scope's id; the name where the server is the org's own.
    pub scope_id: SmolStr,
    /// Who said so: an id, and whether it is a client's.
    pub by: (SmolStr, bool),
    /// When.
    pub created: Timestamp,
}

impl Consent {
    fn place(&self) -> SmolStr {
        match &self.user {
            Some(user) => format!("u/{user}/{}", self.client).into(),
            None => format!("a/{}", self.client).into(),
        }
    }
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
    /// An empty table.
    pub fn new(name: &'static str) -> Self {
        Self { table: Table::new(name), by_end: OrdSet::new() }
    }

    /// A row.
    pub fn get(&self, key: &str) -> Option<&Arc<V>> {
        self.table.get(&SmolStr::new(key))
    }

    /// All rows. Costs what the table holds: for views.
    pub fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Arc<V>)> {
        self.table.iter()
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
    /// Refresh tokens that can be used, by their holders.
    held: OrdSet<(SmolStr, SmolStr)>,
    consents: Table<SmolStr, Consent>,
    /// Consents by client or person.
    consented: OrdSet<(SmolStr, SmolStr)>,
    user_codes: OrdMap<SmolStr, SmolStr>,
    /// Authorization codes.
    pub codes: Passing<Code>,
    /// Devices by their code.
    pub devices: Passing<Device>,
    /// Pushed requests by their address.
    pub pushed: Passing<Pushed>,
    /// Used `jti`s by client or key.
    pub used: Passing<Used>,
    /// Clients that wait for people, by `auth_req_id` or `oob_code`.
    pub waiting: Passing<Waiting>,
    /// Sign-ins that lack a further factor, by `mfa_token`.
    pub halfway: Passing<Halfway>,
}

impl Default for Grants {
    fn default() -> Self {
        Self {
            tokens: Table::new("oauth_tokens"),
            by_hash: OrdMap::new(),
            by_family: OrdSet::new(),
            by_user: OrdSet::new(),
            by_end: OrdSet::new(),
            held: OrdSet::new(),
            consents: Table::new("oauth_consents"),
            consented: OrdSet::new(),
            user_codes: OrdMap::new(),
            codes: Passing::new("oauth_codes"),
            devices: Passing::new("oauth_devices"),
            pushed: Passing::new("oauth_requests"),
            used: Passing::new("oauth_used"),
            waiting: Passing::new("oauth_waiting"),
            halfway: Passing::new("oauth_halfway"),
        }
    }
}

/// The tables of this module: rows in them follow from other calls.
pub const TABLES: [&str; 7] =
    ["oauth_tokens", "oauth_codes", "oauth_devices", "oauth_requests", "oauth_used", "oauth_waiting", "oauth_halfway"];

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
        self.hold(&token, !token.revoked && token.replaced.is_none());
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
        self.hold(&token, false);
    }

    /// Keeps the index of refresh tokens that can be used.
    fn hold(&mut self, token: &Token, usable: bool) {
        if token.kind != Kind::Refresh {
            return;
        }
        let user = token.user.as_ref().map(|user| Holder::User(user, &token.client));
        let others = [Holder::Client(&token.client), Holder::Server(&token.server, &token.client)];
        for holder in others.into_iter().chain(user) {
            let entry = (holder.key(), token.id.clone());
            if usable {
                self.held.insert(entry);
            } else {
                self.held.remove(&entry);
            }
        }
    }

    /// The refresh tokens of a holder that can be used now, by id, from behind an id on.
    pub fn refresh_tokens(
        &self,
        holder: Holder<'_>,
        after: &str,
        now: Timestamp,
    ) -> impl Iterator<Item = &Arc<Token>> + use<'_> {
        let key = holder.key();
        let from = (Bound::Excluded((key.clone(), SmolStr::new(after))), Bound::Unbounded);
        let ids = self.held.range(from).take_while(move |(own, _)| *own == key);
        ids.filter_map(|(_, id)| self.tokens.get(id)).filter(move |token| token.is_good(now))
    }

    /// The clients to which a server (`s/aus1/`) has given refresh tokens, or that have some for a person (`u/00u1/`).
    fn clients_below(&self, root: &str) -> Vec<SmolStr> {
        let mut clients: Vec<SmolStr> = Vec::new();
        let mut from = SmolStr::new(root);
        while let Some((key, _)) = self.held.range((from.clone(), SmolStr::default())..).next() {
            let Some(client) = key.strip_prefix(root) else { break };
            clients.push(client.into());
            // The next client's entries come behind all of this one's: no id starts with such a letter.
            from = format!("{key}\u{1}").into();
        }
        clients
    }

    /// The clients to which a server has given refresh tokens, by id.
    pub fn clients_of_server(&self, server: &str) -> Vec<SmolStr> {
        self.clients_below(&format!("s/{server}/"))
    }

    /// The clients that have refresh tokens for a person, by id.
    pub fn clients_of_user(&self, user: &str) -> Vec<SmolStr> {
        self.clients_below(&format!("u/{user}/"))
    }

    /// Revokes a token.
    pub fn revoke(&mut self, changes: &mut Changes, id: &SmolStr) {
        if let Some(token) = self.tokens.update(changes, id, |token| token.revoked = true) {
            self.hold(&token, false);
        }
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

    /// Revokes all of a person's tokens but those of one sign-in.
    pub fn revoke_user_but(&mut self, changes: &mut Changes, user: &SmolStr, family: &SmolStr) {
        let ids = Self::second(&self.by_user, user);
        let others = ids.iter().filter(|id| self.tokens.get(*id).is_some_and(|token| token.family != *family));
        for id in others.cloned().collect::<Vec<_>>() {
            self.revoke(changes, &id);
        }
    }

    /// Revokes all refresh tokens of a holder, and the access tokens that came with them.
    pub fn revoke_held(&mut self, changes: &mut Changes, holder: Holder<'_>) {
        let key = holder.key();
        let ids = Self::second(&self.held, &key);
        let families: Vec<SmolStr> =
            ids.iter().filter_map(|id| self.tokens.get(id)).map(|token| token.family.clone()).collect();
        for family in &families {
            self.revoke_family(changes, family);
        }
    }

    /// Revokes all that a client has for a person.
    pub fn revoke_pair(&mut self, changes: &mut Changes, user: &SmolStr, client: &str) {
        let ids = Self::second(&self.by_user, user);
        let of_client = |id: &&SmolStr| self.tokens.get(*id).is_some_and(|token| token.client == client);
        let ids: Vec<SmolStr> = ids.iter().filter(of_client).cloned().collect();
        for id in &ids {
            self.revoke(changes, id);
        }
    }

    fn second(index: &OrdSet<(SmolStr, SmolStr)>, first: &SmolStr) -> Vec<SmolStr> {
        let from = index.range((first.clone(), SmolStr::default())..);
        from.take_while(|(key, _)| key == first).map(|(_, id)| id.clone()).collect()
    }

    /// A consent by its id.
    pub fn consent(&self, id: &str) -> Option<&Arc<Consent>> {
        self.consents.get(&SmolStr::new(id))
    }

    /// What administrators have consented to for a client, by id.
    pub fn consents_of_client(&self, client: &str) -> impl Iterator<Item = &Arc<Consent>> {
        self.consents_at(format!("a/{client}").into())
    }

    /// What somebody has consented to for a client, by id.
    pub fn consents_of_pair(&self, user: &str, client: &str) -> impl Iterator<Item = &Arc<Consent>> {
        self.consents_at(format!("u/{user}/{client}").into())
    }

    fn consents_at(&self, place: SmolStr) -> impl Iterator<Item = &Arc<Consent>> {
        let from = self.consented.range((place.clone(), SmolStr::default())..);
        from.take_while(move |(own, _)| *own == place).filter_map(|(_, id)| self.consents.get(id))
    }

    /// What somebody has consented to, client by client.
    pub fn consents_of_user(&self, user: &str) -> impl Iterator<Item = &Arc<Consent>> {
        let root = SmolStr::from(format!("u/{user}/"));
        let from = self.consented.range((root.clone(), SmolStr::default())..);
        from.take_while(move |(own, _)| own.starts_with(root.as_str())).filter_map(|(_, id)| self.consents.get(id))
    }

    /// Writes a consent and its index.
    pub fn put_consent(&mut self, changes: &mut Changes, consent: Consent) -> Arc<Consent> {
        self.consented.insert((consent.place(), consent.id.clone()));
        self.consents.put(changes, consent.id.clone(), consent)
    }

    /// Takes a consent away.
    pub fn remove_consent(&mut self, changes: &mut Changes, id: &SmolStr) {
        if let Some(consent) = self.consents.remove(changes, id) {
            self.consented.remove(&(consent.place(), id.clone()));
        }
    }

    /// Says that another refresh token stands in for one since now.
    pub fn replace(&mut self, changes: &mut Changes, id: &SmolStr, now: Timestamp) {
        if let Some(token) = self.tokens.update(changes, id, |token| token.replaced = token.replaced.or(Some(now))) {
            self.hold(&token, false);
        }
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
