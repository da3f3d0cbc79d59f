//! The authorization server that a call is for: the org's own, or a custom one.
//!
//! See developer.okta.com/docs/concepts/auth-servers/.

use std::sync::Arc;

use dtu_kernel::{time::Timestamp, wire::Request};
use smol_str::SmolStr;

use super::{
    error::{self, OAuthError},
    keys::Signing,
    rules,
};
use crate::{
    error::Error,
    model::{
        State,
        authorization_server::{self, Decision, Lifetimes, Server, Wanted},
    },
};

/// Scopes that all servers have, for what `OpenID` Connect is about.
pub const STANDARD: [&str; 7] = ["openid", "profile", "email", "address", "phone", "offline_access", "device_sso"];

/// An authorization server, as seen from an address.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// The address that the caller used.
    pub origin: SmolStr,
    /// The custom server; none for the org's own.
    pub server: Option<Arc<Server>>,
    signing: Signing,
}

impl Issuer {
    /// The server that a request is for.
    ///
    /// # Errors
    /// A server that there is not, or that is not in use.
    pub fn of(state: &State, request: &Request) -> Result<Self, Error> {
        let name = request.path_params.iter().find(|(name, _)| *name == "authorizationServerId");
        Self::named(state, &request.origin, name.map_or("", |(_, value)| value))
    }

    /// The server of a name; the org's own where it is empty.
    ///
    /// # Errors
    /// A server that there is not, or that is not in use.
    pub fn named(state: &State, origin: &SmolStr, name: &str) -> Result<Self, Error> {
        if name.is_empty() {
            return Ok(Self { origin: origin.clone(), server: None, signing: state.sign_on.signing });
        }
        let server = state.servers.find(name).filter(|server| server.active);
        let server = Arc::clone(server.ok_or_else(|| Error::not_found(name, "AuthorizationServer"))?);
        let signing = server.signing;
        Ok(Self { origin: origin.clone(), server: Some(server), signing })
    }

    /// Its id; empty for the org's own.
    pub fn id(&self) -> SmolStr {
        self.server.as_ref().map(|server| server.id.clone()).unwrap_or_default()
    }

    /// Whether it is the org's own.
    pub const fn is_org(&self) -> bool {
        self.server.is_none()
    }

    /// Its name in tokens.
    pub fn url(&self) -> String {
        match &self.server {
            None => self.origin.to_string(),
            Some(server) => format!("{}/oauth2/{}", self.origin, server.path_name()),
        }
    }

    /// The address of one of its endpoints.
    pub fn endpoint(&self, name: &str) -> String {
        match &self.server {
            None => format!("{}/oauth2/v1/{name}", self.origin),
            Some(_) => format!("{}/v1/{name}", self.url()),
        }
    }

    /// For whom its access tokens are.
    pub fn audience(&self) -> String {
        let own = self.server.as_ref().and_then(|server| server.audiences.first());
        own.map_or_else(|| self.url(), ToString::to_string)
    }

    /// Signs claims with the key of the hour.
    pub fn sign(&self, now: Timestamp, kind: &str, claims: &serde_json::Map<String, serde_json::Value>) -> String {
        super::keys::sign(&self.id(), self.signing.current(now), kind, claims)
    }

    /// The keys that it publishes.
    pub fn published(&self, now: Timestamp) -> Vec<serde_json::Map<String, serde_json::Value>> {
        super::keys::published(&self.id(), self.signing, now)
    }

    /// The scopes that it has besides the org's own for its APIs.
    pub fn scopes(&self) -> Vec<SmolStr> {
        let standard = STANDARD.iter().copied().map(SmolStr::new_static);
        match &self.server {
            None => standard.chain([SmolStr::new_static("groups")]).collect(),
            Some(server) => server.scopes.iter().map(|scope| scope.name.clone()).collect(),
        }
    }

    /// The scopes that a request gets, by those it names.
    ///
    /// # Errors
    /// None named and none by default; scopes that there are not; org scopes of which the client has none.
    pub fn grantable(&self, state: &State, wanted: &Wanted<'_>, named: &[&str]) -> Result<Vec<SmolStr>, OAuthError> {
        let named = self.named_or_default(named)?;
        let own = self.scopes();
        let of_org = |scope: &str| ["okta.", "ssf."].iter().any(|start| scope.starts_with(start));
        let (org, other): (Vec<_>, Vec<_>) = named.into_iter().partition(|scope| self.is_org() && of_org(scope));
        if other.iter().any(|scope| !own.contains(scope)) {
            return Err(error::SCOPE);
        }
        let asked = !org.is_empty();
        let granted: Vec<SmolStr> =
            org.into_iter().filter(|scope| rules::is_granted(state, wanted.client, scope)).collect();
        if asked && granted.is_empty() {
            return Err(error::NO_ORG_SCOPES);
        }
        let openid = other.iter().any(|scope| STANDARD.contains(&scope.as_str()) || scope == "groups" && self.is_org());
        if wanted.grant == "client_credentials" && openid {
            return Err(error::OPENID_ALONE);
        }
        Ok(other.into_iter().chain(granted).collect())
    }

    fn named_or_default(&self, named: &[&str]) -> Result<Vec<SmolStr>, OAuthError> {
        if !named.is_empty() {
            return Ok(named.iter().map(SmolStr::new).collect());
        }
        let Some(server) = &self.server else { return Err(error::NO_SCOPES) };
        let default = server.default_scopes();
        if default.is_empty() { Err(error::NO_DEFAULT_SCOPES) } else { Ok(default) }
    }

    /// How long tokens for a request live, in minutes. The org's own server has no policies: an hour, and 90 days for
    /// refresh tokens (inferred from recorded answers' `expires_in` and the admin console's words).
    ///
    /// # Errors
    /// No policy of the server allows the request.
    pub fn judge(&self, state: &State, wanted: &Wanted<'_>) -> Result<Lifetimes, OAuthError> {
        match &self.server {
            None => Ok(Lifetimes { access: 60, refresh: 129_600, idle: 129_600 }),
            Some(server) => {
                let decision = authorization_server::judge(state, server, wanted).ok_or(error::POLICY)?;
                Ok(decision.lifetimes)
            }
        }
    }

    /// What the rule says that allows a request, where it names a hook. The org's own server asks none.
    pub fn asks(&self, state: &State, wanted: &Wanted<'_>) -> Option<Decision> {
        authorization_server::judge(state, self.server.as_ref()?, wanted).filter(|decision| decision.hook.is_some())
    }
}
