//! OAuth clients and authorization servers of a world.

use std::collections::BTreeSet;

use dtu_kernel::{diagnostic::Diagnostic, time::Timestamp, tx::Tx, world::World};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use super::{jwt, keys};
use crate::model::{
    APP_ID, SERVER_ID, State,
    authorization_server::{
        IssuerMode, Server, furnish,
        policy::{Chosen, Conditions, People, Policy, Rule, Taken},
        scope,
    },
    client::{AuthMethod, Client, ClientType},
    role::{self, Holder},
    role_type::RoleType,
};

/// An OAuth client.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OktaOAuthClient")]
pub struct ClientRow {
    /// A short unique handle, which scenarios and affordances use.
    #[schemars(with = "String")]
    pub key: Spanned<SmolStr>,
    /// Its app's label.
    pub name: SmolStr,
    /// What kind of program it is.
    pub r#type: ClientType,
    /// Its client id; drawn where absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    client_id: Option<Spanned<SmolStr>>,
    /// How it shows that it is itself; by its type and by what it has where absent.
    #[serde(default)]
    auth_method: Option<AuthMethod>,
    /// Its secret.
    #[serde(default)]
    secret: Option<SmolStr>,
    /// Its public keys, as JSON Web Keys. A client that signs and has none here has the test key
    /// (`fixtures/keys/okta-client.pem`).
    #[serde(default)]
    #[schemars(with = "Vec<Map<String, Value>>")]
    jwks: Vec<Spanned<Value>>,
    /// The org's own scopes that it was granted (`okta.users.read`).
    #[serde(default)]
    scopes: Vec<SmolStr>,
    /// The administrator roles that it holds, for what it does by itself; that of a super administrator where absent.
    #[serde(default)]
    roles: Option<Vec<RoleType>>,
    /// The grants that it may use; by its type where absent.
    #[serde(default)]
    grants: Option<Vec<SmolStr>>,
    /// What it may ask the authorize endpoint for; by its type where absent.
    #[serde(default)]
    responses: Option<Vec<SmolStr>>,
    /// Where people may be sent after signing in.
    #[serde(default)]
    redirect_uris: Vec<SmolStr>,
    /// Where people may be sent after signing out.
    #[serde(default)]
    logout_uris: Vec<SmolStr>,
    /// Whether it must prove possession of a key.
    #[serde(default)]
    dpop: bool,
    /// Whether it must use PKCE; by its type where absent.
    #[serde(default)]
    pkce: Option<bool>,
    /// Whether each use of a refresh token gives a new one; by its type where absent.
    #[serde(default)]
    rotate: Option<bool>,
}

/// A custom authorization server. The org has one called `default` besides.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OktaAuthorizationServer")]
pub struct ServerRow {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Spanned<SmolStr>,
    /// Its id; drawn where absent.
    #[serde(default)]
    id: Option<SmolStr>,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// For whom its access tokens are.
    audiences: Vec<SmolStr>,
    /// Its own scopes.
    #[serde(default)]
    scopes: Vec<SmolStr>,
}

/// The parts of the `okta:` section that are about signing in.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Clients.
    pub clients: &'a [ClientRow],
    /// Servers.
    pub servers: &'a [ServerRow],
}

/// What is wrong with the rows.
pub fn check(world: &World, rows: &Rows<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let (mut handles, mut ids, mut names) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::from(["default"]));
    let twice = |place: &Spanned<SmolStr>, what: &str| {
        Diagnostic::on(&world.file, place, format!("the {what} `{}` is used twice", place.value))
    };
    for row in rows.clients {
        if !handles.insert(row.key.value.as_str()) {
            problems.push(twice(&row.key, "client key"));
        }
        if let Some(id) = row.client_id.as_ref().filter(|id| !ids.insert(id.value.as_str())) {
            problems.push(twice(id, "client id"));
        }
        for key in row.jwks.iter().filter(|key| jwt::thumbprint(&key.value).is_none()) {
            let problem = Diagnostic::on(&world.file, key, "this is no public key");
            problems.push(problem.hint("give an RSA or EC key as a JSON Web Key"));
        }
        if needs_secret(row) && row.secret.as_ref().is_none_or(SmolStr::is_empty) {
            let problem = Diagnostic::on(&world.file, &row.key, "this client needs a secret");
            problems.push(problem.hint("give a `secret`, or `auth_method: none` or `private_key_jwt`"));
        }
    }
    for row in rows.servers.iter().filter(|row| !names.insert(row.name.value.as_str())) {
        problems.push(twice(&row.name, "authorization server"));
    }
    problems
}

fn method(row: &ClientRow) -> AuthMethod {
    row.auth_method.unwrap_or(match row.r#type {
        ClientType::Web => AuthMethod::ClientSecretBasic,
        ClientType::Service if row.secret.is_some() => AuthMethod::ClientSecretBasic,
        ClientType::Service => AuthMethod::PrivateKeyJwt,
        ClientType::Browser | ClientType::Native => AuthMethod::None,
    })
}

fn needs_secret(row: &ClientRow) -> bool {
    let by_secret = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost, AuthMethod::ClientSecretJwt];
    by_secret.contains(&method(row))
}

/// Puts clients and servers into the state, the server called `default` among them.
pub fn add(state: &mut State, tx: &mut Tx<'_>, rows: &Rows<'_>) {
    for row in rows.clients {
        let client = client(row, state.founded, tx);
        state.client_keys.insert(row.key.value.clone(), client.id.clone());
        let client = state.clients.put(&mut tx.changes, client);
        for kind in row.roles.as_deref().unwrap_or(&[RoleType::SuperAdmin]) {
            role::seed(state, &mut tx.changes, Holder::client(&client), *kind, BTreeSet::new());
        }
    }
    let default = tx.id(&SERVER_ID);
    state.servers.default = default.clone();
    let about = "Default Authorization Server for your Applications";
    add_server(state, tx, &default, ("default", about), &[SmolStr::new_static("api://default")], &[]);
    for row in rows.servers {
        let id = row.id.clone().unwrap_or_else(|| tx.id(&SERVER_ID));
        add_server(state, tx, &id, (&row.name.value, &row.description), &row.audiences, &row.scopes);
    }
}

fn client(row: &ClientRow, created: Timestamp, tx: &mut Tx<'_>) -> Client {
    let id = row.client_id.as_ref().map_or_else(|| tx.id(&APP_ID), |id| id.value.clone());
    let usual = Client::new(id, row.name.clone(), row.r#type, created);
    let method = method(row);
    let mut own: Vec<Value> = row.jwks.iter().map(|key| key.value.clone()).collect();
    if own.is_empty() && method == AuthMethod::PrivateKeyJwt {
        own.push(keys::client_key());
    }
    let rotates = row.rotate.unwrap_or(usual.rotates);
    Client {
        method,
        secrets: row.secret.iter().cloned().collect(),
        keys: own,
        grants: row.grants.clone().unwrap_or(usual.grants),
        responses: row.responses.clone().unwrap_or(usual.responses),
        redirects: row.redirect_uris.clone(),
        logout_redirects: row.logout_uris.clone(),
        scopes: row.scopes.clone(),
        dpop: row.dpop,
        pkce: row.pkce.unwrap_or(usual.pkce),
        leeway: if rotates { 30 } else { 0 },
        rotates,
        ..usual
    }
}

fn add_server(
    state: &mut State,
    tx: &mut Tx<'_>,
    id: &SmolStr,
    (name, about): (&str, &str),
    audiences: &[SmolStr],
    scopes: &[SmolStr],
) {
    let mut server = Server::new(id.clone(), name.into(), audiences.to_vec(), state.founded);
    about.clone_into(&mut server.description);
    server.is_default = name == "default";
    server.mode = IssuerMode::usual(state);
    server.scopes = scopes.iter().map(|name| scope::named(tx, name)).collect();
    furnish(tx, &mut server);
    server.policies.push(policy(tx, state.founded));
    state.servers.put(&mut tx.changes, server);
}

/// A policy that lets everybody do everything, as `default` has it.
fn policy(tx: &mut Tx<'_>, now: Timestamp) -> Policy {
    let all = |names: &[&'static str]| Taken { include: names.iter().copied().map(SmolStr::new_static).collect() };
    let chosen = |names: &[&'static str]| Some(all(names).include);
    let mut rule = Rule::new(tx, SmolStr::new_static("Default Policy Rule"), now);
    rule.conditions = Conditions {
        people: People {
            users: Chosen { include: chosen(&[]), exclude: chosen(&[]) },
            groups: Some(Chosen { include: chosen(&["EVERYONE"]), exclude: chosen(&[]) }),
        },
        grant_types: all(&[
            "implicit",
            "client_credentials",
            "password",
            super::token::DEVICE_GRANT,
            "authorization_code",
        ]),
        scopes: all(&["*"]),
    };
    let mut policy = Policy::new(tx, SmolStr::new_static("Default Policy"), now);
    policy.description = Some("Default policy description".to_owned());
    policy.clients.push(SmolStr::new_static("ALL_CLIENTS"));
    policy.rules.push(rule);
    policy
}
