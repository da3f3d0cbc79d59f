//! OAuth clients: what the authorization servers know of an app that asks for tokens.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/ for the settings' names.

use std::{ops::Bound, sync::Arc};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;

/// What kind of program a client is (`application_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OktaClientType")]
pub enum ClientType {
    /// A program that acts for itself.
    Service,
    /// A server that signs people in.
    Web,
    /// A page without a server.
    Browser,
    /// A program on a person's machine.
    Native,
}

/// How a client shows at the token endpoint that it is itself (`token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OktaClientAuthMethod")]
pub enum AuthMethod {
    /// Its secret, in the header.
    ClientSecretBasic,
    /// Its secret, in the form.
    ClientSecretPost,
    /// A text signed with its secret.
    ClientSecretJwt,
    /// A text signed with its private key.
    PrivateKeyJwt,
    /// Not at all: PKCE stands in for it.
    None,
}

impl AuthMethod {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }
}

/// A client.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own in the app")]
pub struct Client {
    /// The client id: by default its app's id.
    pub id: SmolStr,
    /// The id of the app that it belongs to.
    pub app: SmolStr,
    /// The app's label.
    pub name: SmolStr,
    /// What kind of program it is.
    pub kind: ClientType,
    /// Whether its app is active: others are not believed.
    pub active: bool,
    /// How it shows that it is itself.
    pub method: AuthMethod,
    /// Its live secrets: for the target, never for the ledger.
    #[serde(skip)]
    pub secrets: Vec<SmolStr>,
    /// Its public keys, as JSON Web Keys.
    pub keys: Vec<Value>,
    /// The grants that it may use (`grant_types`).
    pub grants: Vec<SmolStr>,
    /// What it may ask the authorize endpoint for (`response_types`: `code`, `token`, `id_token`).
    pub responses: Vec<SmolStr>,
    /// Where people may be sent after signing in.
    pub redirects: Vec<SmolStr>,
    /// Where people may be sent after signing out.
    pub logout_redirects: Vec<SmolStr>,
    /// The org's own scopes that it was granted (`okta.users.read`).
    pub scopes: Vec<SmolStr>,
    /// Whether it must prove possession of a key (`dpop_bound_access_tokens`).
    pub dpop: bool,
    /// Whether it must use PKCE (`pkce_required`).
    pub pkce: bool,
    /// Whether each use of a refresh token gives a new one (`refresh_token.rotation_type` is `ROTATE`).
    pub rotates: bool,
    /// How long a used refresh token may be used again, in seconds (`refresh_token.leeway`).
    pub leeway: u32,
    /// Whether a `*` in a redirect address stands for a part of its lowest domain (`wildcard_redirect`).
    pub wildcards: bool,
    /// Whether everybody may sign in; else only people to whom the app is assigned.
    pub open: bool,
    /// When it was made.
    pub created: Timestamp,
}

impl Client {
    /// A client with Okta's defaults for its kind.
    /// See developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/ (`OpenIdConnectApplication`).
    pub fn new(id: SmolStr, name: SmolStr, kind: ClientType, created: Timestamp) -> Self {
        let (method, grants, responses): (_, &[&'static str], &[&'static str]) = match kind {
            ClientType::Service => (AuthMethod::PrivateKeyJwt, &["client_credentials"], &["token"]),
            ClientType::Web => (AuthMethod::ClientSecretBasic, &["authorization_code", "refresh_token"], &["code"]),
            ClientType::Browser | ClientType::Native => {
                (AuthMethod::None, &["authorization_code", "refresh_token"], &["code"])
            }
        };
        let own = |texts: &[&'static str]| texts.iter().copied().map(SmolStr::new_static).collect();
        let public = method == AuthMethod::None;
        Self {
            app: id.clone(),
            id,
            name,
            kind,
            active: true,
            method,
            secrets: Vec::new(),
            keys: Vec::new(),
            grants: own(grants),
            responses: own(responses),
            redirects: Vec::new(),
            logout_redirects: Vec::new(),
            scopes: Vec::new(),
            dpop: false,
            pkce: public,
            // Okta rotates refresh tokens of pages, with half a minute's grace (docs/guides/refresh-tokens).
            rotates: kind == ClientType::Browser,
            leeway: if kind == ClientType::Browser { 30 } else { 0 },
            wildcards: false,
            open: true,
            created,
        }
    }

    /// Whether it may use a grant.
    pub fn may_use(&self, grant: &str) -> bool {
        self.grants.iter().any(|own| own == grant)
    }

    /// Whether one of its secrets is this one.
    pub fn has_secret(&self, secret: &str) -> bool {
        !secret.is_empty() && self.secrets.iter().any(|own| own == secret)
    }
}

/// All clients.
#[derive(Clone, Debug)]
pub struct Clients {
    table: Table<SmolStr, Client>,
    by_app: OrdMap<SmolStr, SmolStr>,
}

impl Default for Clients {
    fn default() -> Self {
        Self { table: Table::new("oauth_clients"), by_app: OrdMap::new() }
    }
}

impl Clients {
    /// A client by its client id.
    pub fn get(&self, id: &str) -> Option<&Arc<Client>> {
        self.table.get(&SmolStr::new(id))
    }

    /// The client of an app.
    pub fn of_app(&self, app: &str) -> Option<&Arc<Client>> {
        self.by_app.get(app).and_then(|id| self.table.get(id))
    }

    /// All, by id. For views and lists of small orgs.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.table.iter().map(|(_, client)| client)
    }

    /// Clients from behind an id on, by id.
    pub fn after(&self, id: &str) -> impl Iterator<Item = &Arc<Client>> {
        self.table.range((Bound::Excluded(SmolStr::new(id)), Bound::Unbounded)).map(|(_, client)| client)
    }

    /// Writes a client and its index.
    pub fn put(&mut self, changes: &mut Changes, client: Client) -> Arc<Client> {
        self.by_app.insert(client.app.clone(), client.id.clone());
        self.table.put(changes, client.id.clone(), client)
    }

    /// Removes a client and its index; its tokens are dead, as nobody knows whom they are for.
    pub fn remove(&mut self, changes: &mut Changes, id: &SmolStr) -> Option<Arc<Client>> {
        let client = self.table.remove(changes, id)?;
        self.by_app.remove(&client.app);
        Some(client)
    }
}
