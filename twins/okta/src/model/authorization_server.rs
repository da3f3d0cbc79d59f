//! Custom authorization servers. Their scopes, claims and policies are objects of the generic twin; what they mean for
//! tokens is read here.
//!
//! See developer.okta.com/docs/concepts/auth-servers/ and
//! .../api/openapi/okta-management/management/tag/AuthorizationServer/.

use dtu_contract::generic::Store;
use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{State, client::Client, user::User};
use crate::oauth::keys::Signing;

/// The path of all servers in the administration API.
pub const COLLECTION: &str = "/api/v1/authorizationServers";

/// An authorization server, as its object and its keys say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `aus...`.
    pub id: SmolStr,
    /// For whom its access tokens are.
    pub audiences: Vec<SmolStr>,
    /// Whether it is in use.
    pub active: bool,
    /// Whether it is the org's `default` one.
    pub is_default: bool,
    /// Its keys.
    pub signing: Signing,
}

impl Server {
    /// What names it in paths.
    pub fn path_name(&self) -> &str {
        if self.is_default { "default" } else { &self.id }
    }

    /// The path of one of its collections in the generic twin.
    pub fn place(&self, collection: &str) -> String {
        format!("{COLLECTION}/{}/{collection}", self.id)
    }
}

/// What is kept of servers besides their objects: their keys, and which is the default one.
#[derive(Clone, Debug)]
pub struct Servers {
    keys: Table<SmolStr, Signing>,
    /// The id of the server called `default`.
    pub default: SmolStr,
}

impl Default for Servers {
    fn default() -> Self {
        Self { keys: Table::new("authorization_server_keys"), default: SmolStr::default() }
    }
}

impl Servers {
    /// Writes a server's keys.
    pub fn put(&mut self, changes: &mut Changes, id: SmolStr, signing: Signing) {
        self.keys.put(changes, id, signing);
    }
}

/// A server by its id, or `default`.
pub fn find(state: &State, name: &str) -> Option<Server> {
    let is_default = name == "default" || name == state.servers.default;
    let id = if is_default { state.servers.default.clone() } else { SmolStr::new(name) };
    let object = state.objects.member(COLLECTION, &id)?;
    // A server that an administrator has made has the keys of its making.
    let made = || Signing::new(Timestamp::parse(text(object, &["created"])).unwrap_or(state.founded));
    Some(Server {
        audiences: texts(object, &["audiences"]).into_iter().map(SmolStr::new).collect(),
        active: is_active(object),
        is_default,
        signing: state.servers.keys.get(&id).map_or_else(made, |signing| **signing),
        id,
    })
}

fn text<'a>(object: &'a Map<String, Value>, pointer: &[&str]) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

fn at<'a>(object: &'a Map<String, Value>, pointer: &[&str]) -> Option<&'a Value> {
    let (first, rest) = pointer.split_first()?;
    rest.iter().try_fold(object.get(*first)?, |value, name| value.get(name))
}

fn texts<'a>(object: &'a Map<String, Value>, pointer: &[&str]) -> Vec<&'a str> {
    let list = at(object, pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).collect()
}

fn is_active(object: &Map<String, Value>) -> bool {
    text(object, &["status"]) != "INACTIVE"
}

/// The names of a server's own scopes; of those only that stand in for a request without any, where `default` is set.
pub fn scope_names(objects: &Store, server: &Server, default: bool) -> Vec<SmolStr> {
    let all = objects.members(&server.place("scopes"));
    let wanted = all.filter(|(_, scope)| !default || scope.get("default") == Some(&Value::Bool(true)));
    wanted.map(|(_, scope)| text(scope, &["name"]).into()).collect()
}

/// How long tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Access tokens, in minutes.
    pub access: i64,
    /// Refresh tokens, in minutes; 0 where they live for ever.
    pub refresh: i64,
    /// Refresh tokens that nobody uses, in minutes.
    pub idle: i64,
}

/// What a request for tokens is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// About whom.
    pub user: Option<&'a User>,
    /// By which grant.
    pub grant: &'a str,
    /// For what.
    pub scopes: &'a [SmolStr],
}

/// What the first fitting rule of a server's access policies says; none where no rule fits.
/// See developer.okta.com/docs/guides/configure-access-policy/.
pub fn judge(state: &State, server: &Server, wanted: &Wanted<'_>) -> Option<Lifetimes> {
    let policies = by_priority(&state.objects, &server.place("policies"));
    let mut fitting = policies.into_iter().filter(|(_, policy)| is_for_client(policy, wanted.client));
    fitting.find_map(|(id, _)| {
        let rules = by_priority(&state.objects, &format!("{}/{id}/rules", server.place("policies")));
        let rule = rules.into_iter().find(|(_, rule)| is_for_request(state, rule, wanted))?;
        Some(lifetimes(rule.1))
    })
}

fn by_priority<'a>(objects: &'a Store, place: &str) -> Vec<(SmolStr, &'a Map<String, Value>)> {
    let all = objects.members(place).filter(|(_, object)| is_active(object));
    let mut all: Vec<_> = all.map(|(id, object)| (id.clone(), object)).collect();
    all.sort_by_key(|(_, object)| object.get("priority").and_then(Value::as_i64).unwrap_or(i64::MAX));
    all
}

fn is_for_client(policy: &Map<String, Value>, client: &Client) -> bool {
    let include = texts(policy, &["conditions", "clients", "include"]);
    include.iter().any(|name| *name == "ALL_CLIENTS" || *name == client.id)
}

fn is_for_request(state: &State, rule: &Map<String, Value>, wanted: &Wanted<'_>) -> bool {
    let grants = texts(rule, &["conditions", "grantTypes", "include"]);
    let scopes = texts(rule, &["conditions", "scopes", "include"]);
    let all_scopes = scopes.contains(&"*") || wanted.scopes.iter().all(|scope| scopes.contains(&scope.as_str()));
    grants.contains(&wanted.grant) && all_scopes && wanted.user.is_none_or(|user| is_for_person(state, rule, user))
}

fn is_for_person(state: &State, rule: &Map<String, Value>, user: &User) -> bool {
    let people = |kind: &str, way: &str| texts(rule, &["conditions", "people", kind, way]);
    let (groups, users) = (people("groups", "include"), people("users", "include"));
    let member = |group: &&str| *group == "EVERYONE" || state.members.contains(&SmolStr::new(group), &user.id);
    let included = groups.iter().any(|group| member(group) || state.groups.everyone == **group);
    let anybody = groups.is_empty() && users.is_empty();
    let excluded = people("users", "exclude").contains(&user.id.as_str());
    !excluded && (anybody || included || users.contains(&user.id.as_str()))
}

fn lifetimes(rule: &Map<String, Value>) -> Lifetimes {
    let minutes =
        |name: &str, default| at(rule, &["actions", "token", name]).and_then(Value::as_i64).unwrap_or(default);
    Lifetimes {
        access: minutes("accessTokenLifetimeMinutes", 60),
        refresh: minutes("refreshTokenLifetimeMinutes", 0),
        idle: minutes("refreshTokenWindowMinutes", 10_080),
    }
}

/// A claim that an administrator has added to a server's tokens.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// Its name.
    pub name: &'a str,
    /// `EXPRESSION` or `GROUPS`.
    pub kind: &'a str,
    /// The expression, or what groups' names are compared with.
    pub value: &'a str,
    /// How groups' names are compared.
    pub filter: &'a str,
}

/// A server's own claims for tokens of a type (`RESOURCE`, `IDENTITY`) with certain scopes. Where `whole` is not set,
/// only those that are in the token itself rather than at the userinfo endpoint.
pub fn claims<'a>(objects: &'a Store, server: &Server, token: &str, scopes: &[SmolStr], whole: bool) -> Vec<Claim<'a>> {
    let fits = |claim: &&Map<String, Value>| {
        let wanted = texts(claim, &["conditions", "scopes"]);
        let scoped = wanted.is_empty() || scopes.iter().any(|scope| wanted.contains(&scope.as_str()));
        let included = whole || claim.get("alwaysIncludeInToken") != Some(&Value::Bool(false));
        text(claim, &["claimType"]) == token
            && text(claim, &["valueType"]) != "SYSTEM"
            && is_active(claim)
            && scoped
            && included
    };
    let all = objects.members(&server.place("claims")).map(|(_, claim)| claim).filter(fits);
    all.map(|claim| Claim {
        name: text(claim, &["name"]),
        kind: text(claim, &["valueType"]),
        value: text(claim, &["value"]),
        filter: text(claim, &["group_filter_type"]),
    })
    .collect()
}
