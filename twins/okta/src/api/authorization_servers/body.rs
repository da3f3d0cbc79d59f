//! Authorization servers and what belongs to them, as Okta shows them.

use dtu_kernel::time::Timestamp;
use serde_json::{Map, Value, json};

use super::super::{Links, stamp};
use crate::{
    model::authorization_server::{
        IssuerMode, Server,
        claim::Claim,
        key::ResourceKey,
        policy::{Policy, Rule},
        scope::Scope,
        status,
    },
    oauth::keys::{self, ROTATION},
};

/// The address of a server's part in the administration API.
pub(super) fn address(server: &Server, origin: &str, rest: &str) -> String {
    format!("{origin}/api/v1/authorizationServers/{}{rest}", server.id)
}

/// A server.
pub(super) fn server(server: &Server, origin: &str, now: Timestamp) -> Value {
    let mut body = json!({
        "id": server.id,
        "name": server.name,
        "description": server.description,
        "audiences": server.audiences,
        "issuer": format!("{origin}/oauth2/{}", server.path_name()),
        "issuerMode": server.mode,
        "status": server.status(),
        "created": stamp(server.created),
        "lastUpdated": stamp(server.last_updated),
        "credentials": { "signing": signing(server, now) },
    });
    // Recorded: servers whose address is the org's own do not show it.
    if server.mode == IssuerMode::Dynamic {
        body["default"] = json!(server.is_default);
    }
    for (name, value) in [("jwks", &server.jwks), ("jwks_uri", &server.jwks_uri)] {
        if !value.is_null() {
            body[name] = value.clone();
        }
    }
    body["_links"] = Value::Object(server_links(server, origin));
    body
}

fn signing(server: &Server, now: Timestamp) -> Value {
    let signing = server.signing;
    let mut shown = json!({
        "kid": keys::key_id(&server.id, signing.current(now)),
        "rotationMode": if signing.auto { "AUTO" } else { "MANUAL" },
        "lastRotated": stamp(signing.last(now)),
    });
    if signing.auto {
        shown["nextRotation"] = json!(stamp(signing.last(now).after(ROTATION)));
    }
    shown
}

fn server_links(server: &Server, origin: &str) -> Map<String, Value> {
    let own = |rest: &str| address(server, origin, rest);
    let document = |name: &str| {
        let href = format!("{origin}/oauth2/{}/.well-known/{name}", server.path_name());
        json!({ "name": name, "href": href, "hints": { "allow": ["GET"] } })
    };
    let mut links = Links::new().hint("rotateKey", own("/credentials/lifecycle/keyRotate"), &["POST"]);
    links.0.insert("metadata".to_owned(), ["oauth-authorization-server", "openid-configuration"].map(document).into());
    let both: &[&str] = &["GET", "POST"];
    links
        .hint("keys", own("/credentials/keys"), &["GET"])
        .hint("claims", own("/claims"), both)
        .hint("policies", own("/policies"), both)
        .hint("self", own(""), &["GET", "DELETE", "PUT"])
        .hint("scopes", own("/scopes"), both)
        .switch(&own(""), server.active)
        .0
}

impl Links {
    /// The link that switches an object on or off.
    pub(super) fn switch(self, own: &str, active: bool) -> Self {
        let verb = if active { "deactivate" } else { "activate" };
        self.hint(verb, format!("{own}/lifecycle/{verb}"), &["POST"])
    }
}

/// The link of an object to itself.
fn itself(href: String) -> Links {
    Links::new().hint("self", href, &["GET", "PUT", "DELETE"])
}

fn with_links<T: serde::Serialize>(object: &T, links: Links) -> Value {
    let mut body = serde_json::to_value(object).unwrap_or_default();
    body["_links"] = Value::Object(links.0);
    body
}

/// A scope of a server.
pub(super) fn scope(server: &Server, scope: &Scope, origin: &str) -> Value {
    with_links(scope, itself(address(server, origin, &format!("/scopes/{}", scope.id))))
}

/// A claim of a server.
pub(super) fn claim(server: &Server, claim: &Claim, origin: &str) -> Value {
    with_links(claim, itself(address(server, origin, &format!("/claims/{}", claim.id))))
}

/// A policy of a server.
pub(super) fn policy(server: &Server, (priority, policy): (usize, &Policy), origin: &str) -> Value {
    let own = address(server, origin, &format!("/policies/{}", policy.id));
    let links = itself(own.clone()).hint("rules", format!("{own}/rules"), &["GET"]).switch(&own, policy.active);
    json!({
        "id": policy.id,
        "status": status(policy.active),
        "name": policy.name,
        "description": policy.description,
        "priority": priority,
        "system": false,
        "conditions": { "clients": { "include": policy.clients } },
        "created": stamp(policy.created),
        "lastUpdated": stamp(policy.last_updated),
        "_links": links.0,
        "type": "OAUTH_AUTHORIZATION_POLICY",
    })
}

/// A rule of a policy.
pub(super) fn rule(server: &Server, policy: &Policy, (priority, rule): (usize, &Rule), origin: &str) -> Value {
    let own = address(server, origin, &format!("/policies/{}/rules/{}", policy.id, rule.id));
    let mut token = json!({
        "accessTokenLifetimeMinutes": rule.lifetimes.access,
        "refreshTokenLifetimeMinutes": rule.lifetimes.refresh,
        "refreshTokenWindowMinutes": rule.lifetimes.idle,
    });
    if let Some(hook) = &rule.hook {
        token["inlineHook"] = json!({ "id": hook });
    }
    json!({
        "id": rule.id,
        "status": status(rule.active),
        "name": rule.name,
        "priority": priority,
        "created": stamp(rule.created),
        "lastUpdated": stamp(rule.last_updated),
        "system": false,
        "conditions": rule.conditions,
        "actions": { "token": token },
        "_links": itself(own.clone()).switch(&own, rule.active).0,
        "type": "RESOURCE_ACCESS",
    })
}

/// A key of a resource server.
pub(super) fn resource_key(server: &Server, key: &ResourceKey, origin: &str) -> Value {
    let own = address(server, origin, &format!("/resourceservercredentials/keys/{}", key.id));
    let links = if key.active {
        Links::new().hint("deactivate", format!("{own}/lifecycle/deactivate"), &["POST"])
    } else {
        let links = Links::new().hint("activate", format!("{own}/lifecycle/activate"), &["POST"]);
        links.hint("delete", own, &["DELETE"])
    };
    json!({
        "id": key.id,
        "kid": key.kid,
        "kty": "RSA",
        "use": "enc",
        "e": key.e,
        "n": key.n,
        "status": status(key.active),
        "created": stamp(key.created),
        "lastUpdated": stamp(key.last_updated),
        "_links": links.0,
    })
}
