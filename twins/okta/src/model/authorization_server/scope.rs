//! Scopes of authorization servers.

use dtu_kernel::{ids::IdShape, tx::Tx};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{super::shape, Server, find, write_row};
use crate::{
    error::Error,
    model::{
        Act,
        event_type::{SCOPE_CREATED, SCOPE_DELETED, SCOPE_UPDATED},
        log::Party,
    },
};

/// Ids of scopes.
const ID: IdShape = shape("scp", "oauth2_scope");

/// A scope, as it is sent and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scope {
    /// `scp...`.
    #[serde(default)]
    pub id: SmolStr,
    /// What clients ask for.
    pub name: SmolStr,
    /// What people read before they consent.
    #[serde(default)]
    pub description: Option<String>,
    /// What people see in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whether all servers have it.
    #[serde(default)]
    pub system: bool,
    /// Whether metadata speak of it.
    #[serde(default)]
    pub metadata_publish: Publish,
    /// Whether people are asked; shown where it was said, as recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// Whether it stands in for a request without scopes.
    #[serde(default)]
    pub default: bool,
    /// Whether people may leave it out; shown where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// Whether metadata speak of a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Publish {
    /// To all.
    AllClients,
    /// To nobody.
    #[default]
    NoClients,
}

/// Whether people are asked for a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Consent {
    /// No.
    Implicit,
    /// Yes, where the app asks at all.
    Required,
    /// Yes, and they may refuse it alone.
    Flexible,
}

/// The scopes that all servers have, and what people read of them.
const SYSTEM: [(&str, &str); 7] = [
    ("openid", "Makes a request one of OpenID Connect."),
    ("profile", "Name, time zone, picture and the like."),
    ("email", "The email address."),
    ("address", "The postal address."),
    ("phone", "The phone number."),
    ("offline_access", "Access while the person is away."),
    ("device_sso", "One sign-in for the apps of a device."),
];

/// The scopes that a new server has.
pub fn system(tx: &mut Tx<'_>) -> Vec<Scope> {
    let scope = |(name, description): (&str, &str)| Scope {
        id: tx.id(&ID),
        name: name.into(),
        description: Some(description.to_owned()),
        display_name: None,
        system: true,
        metadata_publish: Publish::AllClients,
        consent: None,
        default: false,
        optional: None,
    };
    SYSTEM.into_iter().map(scope).collect()
}

/// A scope of an administrator's own.
pub fn named(tx: &mut Tx<'_>, name: &str) -> Scope {
    Scope {
        id: tx.id(&ID),
        name: name.into(),
        description: None,
        display_name: None,
        system: false,
        metadata_publish: Publish::NoClients,
        consent: None,
        default: false,
        optional: None,
    }
}

impl Server {
    /// A scope by its id or name.
    ///
    /// # Errors
    /// None such.
    pub fn scope(&self, id: &str) -> Result<&Scope, Error> {
        let found = self.scopes.iter().find(|scope| scope.id == id);
        found.ok_or_else(|| Error::not_found(id, "OAuth2Scope"))
    }

    /// A scope by its name.
    pub fn scope_named(&self, name: &str) -> Option<&Scope> {
        self.scopes.iter().find(|scope| scope.name == name)
    }

    /// The names of scopes that stand in for a request without any.
    pub fn default_scopes(&self) -> Vec<SmolStr> {
        self.scopes.iter().filter(|scope| scope.default).map(|scope| scope.name.clone()).collect()
    }
}

fn party(scope: &Scope) -> Party {
    Party {
        id: scope.id.clone(),
        kind: "OAuth2Scope",
        alternate_id: scope.name.clone(),
        display_name: scope.name.clone(),
    }
}

fn check(server: &Server, scope: &Scope) -> Result<(), Error> {
    if scope.name.trim().is_empty() {
        return Err(Error::fields(&[("name", "The field cannot be left blank")]));
    }
    // Scopes are words between spaces (RFC 6749, section 3.3).
    if !scope.name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') {
        return Err(Error::fields(&[("name", "The field has an invalid value")]));
    }
    if server.scopes.iter().any(|other| other.name == scope.name && other.id != scope.id) {
        return Err(Error::taken("name"));
    }
    Ok(())
}

/// Adds a scope to a server.
///
/// # Errors
/// No such server, or a name that cannot be or is used.
pub fn create(act: &mut Act<'_, '_>, server: &str, wish: Scope) -> Result<Scope, Error> {
    let before = find(act.state, server)?;
    let scope = Scope { id: act.tx.id(&ID), system: false, ..wish };
    check(&before, &scope)?;
    let row = scope.clone();
    // Scopes of one's own come before those that all servers have: recorded.
    write_row(act, &before, |server| {
        let at = server.scopes.iter().position(|scope| scope.system).unwrap_or(server.scopes.len());
        server.scopes.insert(at, row);
    });
    act.log(&SCOPE_CREATED, vec![party(&scope), before.party()]);
    Ok(scope)
}

/// Replaces a scope of a server.
///
/// # Errors
/// None such, or a name that cannot be or is used.
pub fn replace(act: &mut Act<'_, '_>, server: &str, id: &str, wish: Scope) -> Result<Scope, Error> {
    let before = find(act.state, server)?;
    let own = before.scope(id)?;
    let scope = Scope { id: own.id.clone(), system: own.system, ..wish };
    if own.system && own.name != scope.name {
        return Err(Error::fields(&[("name", "The name of a system scope cannot be changed")]));
    }
    check(&before, &scope)?;
    let row = scope.clone();
    write_row(act, &before, |server| {
        if let Some(own) = server.scopes.iter_mut().find(|own| own.id == row.id) {
            *own = row;
        }
    });
    act.log(&SCOPE_UPDATED, vec![party(&scope), before.party()]);
    Ok(scope)
}

/// Deletes a scope of a server.
///
/// # Errors
/// None such, or one that all servers have.
pub fn delete(act: &mut Act<'_, '_>, server: &str, id: &str) -> Result<(), Error> {
    let before = find(act.state, server)?;
    let scope = before.scope(id)?;
    if scope.system {
        return Err(Error::invalid("scope", "System scopes cannot be deleted"));
    }
    let scope = scope.clone();
    write_row(act, &before, |server| server.scopes.retain(|own| own.id != scope.id));
    act.log(&SCOPE_DELETED, vec![party(&scope), before.party()]);
    Ok(())
}
