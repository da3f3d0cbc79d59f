//! Keys of resource servers, with which tokens for them are encrypted.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/OAuth2ResourceServerCredentialsKeys/.

use dtu_kernel::{ids::IdShape, time::Timestamp};
use serde::Serialize;
use smol_str::SmolStr;

use super::{super::shape, Server, find, write_row};
use crate::{error::Error, model::Act};

/// Ids of such keys.
const ID: IdShape = shape("apk", "resource_server_key");

/// The public key of a resource server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResourceKey {
    /// `apk...`.
    pub id: SmolStr,
    /// The name that its owner gave it.
    pub kid: Option<SmolStr>,
    /// The exponent, in base64url.
    pub e: String,
    /// The modulus, in base64url.
    pub n: String,
    /// Whether it is in use.
    pub active: bool,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_updated: Timestamp,
}

impl Server {
    /// A resource server's key by its id.
    ///
    /// # Errors
    /// None such.
    pub fn resource_key(&self, id: &str) -> Result<&ResourceKey, Error> {
        self.keys.iter().find(|key| key.id == id).ok_or_else(|| Error::not_found(id, "OAuth2ResourceServerJsonWebKey"))
    }
}

/// A key as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The name that its owner gives it.
    pub kid: Option<SmolStr>,
    /// The exponent, in base64url.
    pub e: String,
    /// The modulus, in base64url.
    pub n: String,
}

/// Adds a key to a server, which is not in use at first.
///
/// # Errors
/// No such server, a name that is used, or no name where there are several keys.
pub fn add(act: &mut Act<'_, '_>, server: &str, wish: Wish) -> Result<ResourceKey, Error> {
    let before = find(act.state, server)?;
    if wish.kid.is_some() && before.keys.iter().any(|key| key.kid == wish.kid) {
        return Err(Error::taken("kid"));
    }
    if wish.kid.is_none() && !before.keys.is_empty() || before.keys.iter().any(|key| key.kid.is_none()) {
        return Err(Error::invalid("kid", "kid: Keys must have names where there are several"));
    }
    let now = act.now();
    let Wish { kid, e, n } = wish;
    let key = ResourceKey { id: act.tx.id(&ID), kid, e, n, active: false, created: now, last_updated: now };
    let row = key.clone();
    write_row(act, &before, |server| server.keys.push(row));
    Ok(key)
}

/// Switches a key on, and the others off; or off.
///
/// # Errors
/// None such.
pub fn set_active(act: &mut Act<'_, '_>, server: &str, id: &str, active: bool) -> Result<ResourceKey, Error> {
    let before = find(act.state, server)?;
    before.resource_key(id)?;
    let now = act.now();
    let server = write_row(act, &before, |server| {
        for key in &mut server.keys {
            let wanted = if key.id == id { active } else { key.active && !active };
            if key.active != wanted {
                (key.active, key.last_updated) = (wanted, now);
            }
        }
    });
    server.resource_key(id).cloned()
}

/// Deletes a key that is not in use.
///
/// # Errors
/// None such, or one in use.
pub fn delete(act: &mut Act<'_, '_>, server: &str, id: &str) -> Result<(), Error> {
    let before = find(act.state, server)?;
    if before.resource_key(id)?.active {
        return Err(Error::invalid("status", "An active key cannot be deleted. Deactivate it first"));
    }
    write_row(act, &before, |server| server.keys.retain(|key| key.id != id));
    Ok(())
}
