//! Custom authorization servers: what administrators set, and what it means for tokens.
//!
//! A server is one row with its scopes, claims, policies and keys in it: there are few of each, and they change
//! seldom. See developer.okta.com/docs/concepts/auth-servers/ and
//! .../api/openapi/okta-management/management/tag/AuthorizationServer/.

pub mod claim;
pub mod judge;
pub mod key;
pub mod policy;
pub mod scope;

use std::{ops::Bound, sync::Arc};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdMap;
use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr;

use self::{claim::Claim, key::ResourceKey, policy::Policy, scope::Scope};
pub use self::{
    judge::{Decision, Wanted, judge},
    policy::Lifetimes,
};
use super::{
    Act, SERVER_ID, State,
    event_type::{AS_ACTIVATED, AS_CREATED, AS_DEACTIVATED, AS_DELETED, AS_KEY, AS_UPDATED, EventType},
    log::Party,
};
use crate::{error::Error, oauth::keys::Signing};

/// The path of all servers in the administration API.
pub const COLLECTION: &str = "/api/v1/authorizationServers";

/// How the address of a server is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IssuerMode {
    /// The org's own host.
    OrgUrl,
    /// The host by which the server is called.
    Dynamic,
}

impl IssuerMode {
    /// That of servers whose makers do not say: recorded, of orgs of both engines.
    pub fn usual(state: &State) -> Self {
        if state.kind.is_classic() { Self::OrgUrl } else { Self::Dynamic }
    }
}

/// An authorization server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Server {
    /// `aus...`.
    pub id: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: String,
    /// For whom its access tokens are.
    pub audiences: Vec<SmolStr>,
    /// How its address is made.
    pub mode: IssuerMode,
    /// Whether it is in use.
    pub active: bool,
    /// Whether it is the org's `default` one.
    pub is_default: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_updated: Timestamp,
    /// Its keys.
    pub signing: Signing,
    /// The keys of its resource servers as they were sent with it (`jwks`); null where there are none.
    pub jwks: Value,
    /// Where those keys are (`jwks_uri`); null where nowhere.
    pub jwks_uri: Value,
    /// Its own scopes, and those that all servers have.
    pub scopes: Vec<Scope>,
    /// What it says in tokens.
    pub claims: Vec<Claim>,
    /// Who may have tokens, the first to be asked first.
    pub policies: Vec<Policy>,
    /// Keys of its resource servers.
    pub keys: Vec<ResourceKey>,
    /// The ids of servers whose tokens it takes in exchange.
    pub trusted: Vec<SmolStr>,
}

impl Server {
    /// A server without scopes of its own and without policies, as Okta makes it.
    pub fn new(id: SmolStr, name: SmolStr, audiences: Vec<SmolStr>, now: Timestamp) -> Self {
        Self {
            id,
            name,
            description: String::new(),
            audiences,
            mode: IssuerMode::Dynamic,
            active: true,
            is_default: false,
            created: now,
            last_updated: now,
            signing: Signing::new(now),
            jwks: Value::Null,
            jwks_uri: Value::Null,
            scopes: Vec::new(),
            claims: Vec::new(),
            policies: Vec::new(),
            keys: Vec::new(),
            trusted: Vec::new(),
        }
    }

    /// What names it in paths.
    pub fn path_name(&self) -> &str {
        if self.is_default { "default" } else { &self.id }
    }

    /// `ACTIVE` or `INACTIVE`.
    pub const fn status(&self) -> &'static str {
        status(self.active)
    }

    /// The server as actor or target.
    pub fn party(&self) -> Party {
        Party {
            id: self.id.clone(),
            kind: "AuthorizationServer",
            alternate_id: self.id.clone(),
            display_name: self.name.clone(),
        }
    }
}

/// `ACTIVE` or `INACTIVE`.
pub const fn status(active: bool) -> &'static str {
    if active { "ACTIVE" } else { "INACTIVE" }
}

/// All servers, with an index by name.
#[derive(Clone, Debug)]
pub struct Servers {
    table: Table<SmolStr, Server>,
    by_name: OrdMap<SmolStr, SmolStr>,
    /// The id of the server called `default`.
    pub default: SmolStr,
}

impl Default for Servers {
    fn default() -> Self {
        Self { table: Table::new("authorization_servers"), by_name: OrdMap::new(), default: SmolStr::default() }
    }
}

impl Servers {
    /// A server by its id, or `default`.
    pub fn find(&self, name: &str) -> Option<&Arc<Server>> {
        let id = if name == "default" { self.default.clone() } else { SmolStr::new(name) };
        self.table.get(&id)
    }

    /// Servers from behind an id on, by id.
    pub fn after(&self, id: &str) -> impl Iterator<Item = &Arc<Server>> {
        self.table.range((Bound::Excluded(SmolStr::new(id)), Bound::Unbounded)).map(|(_, server)| server)
    }

    /// Writes a server and its index.
    pub fn put(&mut self, changes: &mut Changes, server: Server) -> Arc<Server> {
        if let Some(before) = self.table.get(&server.id) {
            self.by_name.remove(&before.name);
        }
        self.by_name.insert(server.name.clone(), server.id.clone());
        self.table.put(changes, server.id.clone(), server)
    }

    /// Removes a server and its index.
    pub fn remove(&mut self, changes: &mut Changes, id: &SmolStr) {
        if let Some(server) = self.table.remove(changes, id) {
            self.by_name.remove(&server.name);
        }
    }
}

/// A server by its id, or `default`.
///
/// # Errors
/// None of that name.
pub fn find(state: &State, name: &str) -> Result<Arc<Server>, Error> {
    state.servers.find(name).cloned().ok_or_else(|| Error::not_found(name, "AuthorizationServer"))
}

/// What administrators say of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: String,
    /// For whom its access tokens are.
    pub audiences: Vec<SmolStr>,
    /// How its address is made.
    pub mode: Option<IssuerMode>,
    /// Whether it is in use.
    pub active: Option<bool>,
    /// Whether its keys are rotated by the clock.
    pub auto: Option<bool>,
    /// `jwks`.
    pub jwks: Value,
    /// `jwks_uri`.
    pub jwks_uri: Value,
}

impl Wish {
    /// What is missing: names and audiences must be there, and names are used once.
    fn check(&self, state: &State, own: &str) -> Result<(), Error> {
        let blank = "The field cannot be left blank";
        let mut problems = Vec::new();
        if self.name.is_empty() {
            problems.push(("name", blank));
        }
        if self.audiences.iter().all(SmolStr::is_empty) {
            problems.push(("audiences", blank));
        }
        if !problems.is_empty() {
            return Err(Error::fields(&problems));
        }
        match state.servers.by_name.get(&self.name) {
            Some(id) if id != own => Err(Error::taken("name")),
            _ => Ok(()),
        }
    }

    fn apply(self, server: &mut Server, now: Timestamp) {
        server.name = self.name;
        server.description = self.description;
        server.audiences = self.audiences;
        server.mode = self.mode.unwrap_or(server.mode);
        server.active = self.active.unwrap_or(server.active);
        if let Some(auto) = self.auto.filter(|auto| *auto != server.signing.auto) {
            server.signing = server.signing.turned(now, auto);
        }
        server.jwks = self.jwks;
        server.jwks_uri = self.jwks_uri;
        server.last_updated = now;
    }
}

/// Makes a server.
///
/// # Errors
/// What of the wish cannot be.
pub fn create(act: &mut Act<'_, '_>, wish: Wish) -> Result<Arc<Server>, Error> {
    wish.check(act.state, "")?;
    let (id, now) = (act.tx.id(&SERVER_ID), act.now());
    let mut server = Server::new(id, wish.name.clone(), Vec::new(), now);
    server.mode = IssuerMode::usual(act.state);
    wish.apply(&mut server, now);
    furnish(act.tx, &mut server);
    let server = act.state.servers.put(&mut act.tx.changes, server);
    act.log(&AS_CREATED, vec![server.party()]);
    Ok(server)
}

/// Gives a new server the scopes and claims that all servers have.
pub fn furnish(tx: &mut dtu_kernel::tx::Tx<'_>, server: &mut Server) {
    server.scopes.extend(scope::system(tx));
    server.claims.extend(claim::system(tx));
}

/// Replaces what administrators say of a server.
///
/// # Errors
/// What of the wish cannot be.
pub fn replace(act: &mut Act<'_, '_>, id: &str, wish: Wish) -> Result<Arc<Server>, Error> {
    let before = find(act.state, id)?;
    wish.check(act.state, &before.id)?;
    if before.is_default && wish.name != before.name {
        return Err(Error::fields(&[("name", "The name of the default authorization server cannot be changed")]));
    }
    let now = act.now();
    Ok(change(act, &before, &AS_UPDATED, |server| wish.apply(server, now)))
}

/// Writes a changed server, and logs that.
fn change(
    act: &mut Act<'_, '_>,
    before: &Server,
    event: &'static EventType,
    write: impl FnOnce(&mut Server),
) -> Arc<Server> {
    let server = write_row(act, before, write);
    act.log(event, vec![server.party()]);
    server
}

fn write_row(act: &mut Act<'_, '_>, before: &Server, write: impl FnOnce(&mut Server)) -> Arc<Server> {
    let mut server = before.clone();
    write(&mut server);
    act.state.servers.put(&mut act.tx.changes, server)
}

/// Switches a server on or off. One that is so already stays so.
///
/// # Errors
/// None of that id.
pub fn set_active(act: &mut Act<'_, '_>, id: &str, active: bool) -> Result<(), Error> {
    let before = find(act.state, id)?;
    if before.active != active {
        let now = act.now();
        let event = if active { &AS_ACTIVATED } else { &AS_DEACTIVATED };
        change(act, &before, event, |server| (server.active, server.last_updated) = (active, now));
    }
    Ok(())
}

/// Deletes a server, in use or not: recorded. Its tokens are dead, as no endpoint knows them any more.
///
/// # Errors
/// None of that id.
pub fn delete(act: &mut Act<'_, '_>, id: &str) -> Result<(), Error> {
    let server = find(act.state, id)?;
    act.state.servers.remove(&mut act.tx.changes, &server.id);
    act.log(&AS_DELETED, vec![server.party()]);
    Ok(())
}

/// Lets the next key of a server sign from now on.
///
/// # Errors
/// None of that id.
pub fn rotate(act: &mut Act<'_, '_>, id: &str) -> Result<Arc<Server>, Error> {
    let (before, now) = (find(act.state, id)?, act.tx.now);
    Ok(change(act, &before, &AS_KEY, |server| server.signing = server.signing.rotated(now.floor_secs())))
}

/// Lets a server take the tokens of others in exchange.
///
/// # Errors
/// None of that id, or a server that trusts itself.
pub fn trust(act: &mut Act<'_, '_>, id: &str, others: &[SmolStr]) -> Result<Vec<Arc<Server>>, Error> {
    let before = find(act.state, id)?;
    let state = &*act.state;
    let all = others.iter().map(|other| find(state, other)).collect::<Result<Vec<_>, _>>()?;
    if all.iter().any(|other| other.id == before.id) {
        return Err(Error::invalid("trusted", "trusted: An authorization server cannot be associated with itself"));
    }
    let ids: Vec<SmolStr> = all.iter().map(|other| other.id.clone()).collect();
    change(act, &before, &AS_UPDATED, |server| {
        let new: Vec<_> = ids.into_iter().filter(|id| !server.trusted.contains(id)).collect();
        server.trusted.extend(new);
    });
    Ok(all)
}

/// Ends that.
///
/// # Errors
/// None of either id, or a server that is not trusted.
pub fn distrust(act: &mut Act<'_, '_>, id: &str, other: &str) -> Result<(), Error> {
    let before = find(act.state, id)?;
    if !before.trusted.iter().any(|own| own == other) {
        return Err(Error::not_found(other, "AuthorizationServer"));
    }
    change(act, &before, &AS_UPDATED, |server| server.trusted.retain(|own| own != other));
    Ok(())
}
