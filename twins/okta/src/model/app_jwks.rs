//! The public keys of an OAuth client: what it signs with, and what Okta encrypts for it with.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationSSOPublicKeys/.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    Act, JWK_ID,
    app::{self, App},
    app_client, app_secrets,
    client::AuthMethod,
};
use crate::error::Error;

/// The most keys of a client.
const MAX: usize = 50;
/// The shortest RSA key, in bits.
const RSA_BITS: usize = 2_048;

/// A public key of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// `pks...`.
    pub id: SmolStr,
    /// When it was added.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// Whether it is in use.
    pub active: bool,
    /// The key itself, without what Okta says of it.
    pub members: Map<String, Value>,
}

impl Jwk {
    /// The name that its owner gave it; empty where there is none.
    pub fn kid(&self) -> &str {
        self.members.get("kid").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether Okta encrypts with it.
    pub fn encrypts(&self) -> bool {
        self.members.get("use").is_some_and(|purpose| purpose == "enc")
    }
}

/// What Okta says of a key, which is no part of it.
const OWN: [&str; 5] = ["id", "status", "created", "lastUpdated", "_links"];

fn invalid(cause: &str) -> Error {
    Error::invalid("JsonWebKey", cause)
}

/// A new key as sent.
fn new(act: &mut Act<'_, '_>, sent: &Map<String, Value>) -> Jwk {
    let now = act.now();
    let active = sent.get("status").is_none_or(|status| status != "INACTIVE");
    let members = sent.iter().filter(|(name, value)| !OWN.contains(&name.as_str()) && !value.is_null());
    let members = members.map(|(name, value)| (name.clone(), value.clone())).collect();
    Jwk { id: act.tx.id(&JWK_ID), created: now, last_updated: now, active, members }
}

/// How many bits an RSA key has; none for other keys.
fn rsa_bits(members: &Map<String, Value>) -> Option<usize> {
    if members.get("kty").is_none_or(|kind| kind != "RSA") {
        return None;
    }
    let modulus = members.get("n").and_then(Value::as_str).unwrap_or_default().trim_end_matches('=');
    let bytes = URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some((bytes.len() - first) * 8)
}

/// Takes over the keys that an app's settings name. Keys that it had already stay the same.
///
/// # Errors
/// Two keys of one name, or too many.
pub fn settle(act: &mut Act<'_, '_>, app: &mut App) -> Result<(), Error> {
    let sent = app.setting("/oauthClient/jwks/keys").as_array().cloned().unwrap_or_default();
    let mut kids = BTreeSet::new();
    let named = sent.iter().filter_map(|key| key["kid"].as_str());
    if !named.into_iter().all(|kid| kids.insert(kid)) {
        return Err(Error::invalid("jwks", "All keys in the 'jwks' must have a unique `kid`."));
    }
    if sent.len() > MAX {
        return Err(Error::invalid("jwks", "The 'jwks' has more keys than are allowed (50)."));
    }
    let before = std::mem::take(&mut app.jwks);
    for key in sent.iter().filter_map(Value::as_object) {
        let same = |own: &&Jwk| ["kid", "n", "x"].iter().all(|name| own.members.get(*name) == key.get(*name));
        let known = before.iter().find(same).cloned();
        let row = known.unwrap_or_else(|| new(act, key));
        app.jwks.push(row);
    }
    Ok(())
}

/// A key of an app, by its id or name.
///
/// # Errors
/// An id that is none of its keys'.
pub fn find<'a>(app: &'a App, id: &str) -> Result<&'a Jwk, Error> {
    let found = app.jwks.iter().find(|key| key.id == id || key.kid() == id);
    found.ok_or_else(|| Error::not_found(id, "OAuth2ClientJsonWebKey"))
}

/// Writes an app with other keys: its settings name them, too.
fn keep(act: &mut Act<'_, '_>, app: &App, keys: Vec<Jwk>) {
    let mut row = App { jwks: keys, ..app.clone() };
    let shown: Vec<&Map<String, Value>> = row.jwks.iter().map(|key| &key.members).collect();
    let shown = (!shown.is_empty()).then(|| json!({ "keys": shown }));
    if let Some(client) = row.parts.settings.get_mut("oauthClient").and_then(Value::as_object_mut) {
        match shown {
            Some(keys) => drop(client.insert("jwks".to_owned(), keys)),
            None => drop(client.shift_remove("jwks")),
        }
    }
    app::touch(act, row);
}

/// Adds a key.
///
/// # Errors
/// A key that is too short, has a name that is taken or needs one, a second key to encrypt with, or one too many.
pub fn add(act: &mut Act<'_, '_>, app: &App, sent: &Map<String, Value>) -> Result<Jwk, Error> {
    app_secrets::check_client(app)?;
    let key = new(act, sent);
    if rsa_bits(&key.members).is_some_and(|bits| bits < RSA_BITS)
        || (key.members["kty"] == "RSA" && rsa_bits(&key.members).is_none())
    {
        return Err(invalid("RSA key length in the 'jwks' is less than '2,048' bits for the given key."));
    }
    if app.jwks.len() >= MAX {
        return Err(invalid(
            "You can't create a new key. You have reached the maximum number of keys allowed (50). To add another key, \
             you must first delete an existing one.",
        ));
    }
    if !app.jwks.is_empty() && (key.kid().is_empty() || app.jwks.iter().any(|own| own.kid().is_empty())) {
        return Err(invalid(
            "Each key should have a unique kid when adding multiple keys. Use the Apps API to update the JWKS to add a \
             kid for the existing key, or delete the existing key and re-add the key with a kid using the JWKS APIs.",
        ));
    }
    if app.jwks.iter().any(|own| own.kid() == key.kid()) {
        return Err(invalid("All keys in the 'jwks' must have a unique `kid`."));
    }
    if key.active && key.encrypts() && app.jwks.iter().any(|own| own.active && own.encrypts()) {
        return Err(invalid("The client can have only one active encryption key in the 'jwks'."));
    }
    keep(act, app, app.jwks.iter().cloned().chain([key.clone()]).collect());
    Ok(key)
}

/// Why a key may not be switched off; nothing where it may.
fn needed(app: &App, key: &Jwk) -> Option<&'static str> {
    if !key.active {
        return None;
    }
    if key.encrypts() {
        return Some("You can't deactivate the active encryption key.");
    }
    let others = app.jwks.iter().any(|own| own.active && !own.encrypts() && own.id != key.id);
    (!others && app_client::method(app) == AuthMethod::PrivateKeyJwt).then_some(
        "Can't deactivate the only active JSON Web Key when the value for `token_endpoint_auth_method` is \
         `private_key_jwt`.",
    )
}

/// Switches a key on or off. Of the keys to encrypt with, one is on: it takes the place of the other.
///
/// # Errors
/// The key that Okta encrypts with, or the only one with which a client can show that it is itself.
pub fn switch(act: &mut Act<'_, '_>, app: &App, id: &str, active: bool) -> Result<Jwk, Error> {
    let key = find(app, id)?;
    if let Some(cause) = needed(app, key).filter(|_| !active) {
        return Err(invalid(cause));
    }
    let now = act.now();
    let mut keys = app.jwks.clone();
    for own in &mut keys {
        let replaced = active && key.encrypts() && own.encrypts() && own.id != key.id;
        let wanted = if own.id == key.id { active } else { own.active && !replaced };
        if own.active != wanted {
            (own.active, own.last_updated) = (wanted, now);
        }
    }
    let changed = keys.iter().find(|own| own.id == key.id).cloned().unwrap_or_else(|| key.clone());
    keep(act, app, keys);
    Ok(changed)
}

/// Removes a key that is off.
///
/// # Errors
/// A key that is on.
pub fn delete(act: &mut Act<'_, '_>, app: &App, id: &str) -> Result<(), Error> {
    let key = find(app, id)?;
    if key.active {
        return Err(invalid("You can't delete an active JSON Web Key. Deactivate the key before deleting it."));
    }
    keep(act, app, app.jwks.iter().filter(|own| own.id != key.id).cloned().collect());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rsa_keys_have_a_length() {
        let check = |key: Value, expected: Option<usize>| {
            let members = key.as_object().cloned().unwrap_or_default();
            assert_eq!(rsa_bits(&members), expected, "{key}");
        };
        check(json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([1; 256]) }), Some(2_048));
        check(json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0, 1, 1]) }), Some(16));
        check(json!({ "kty": "RSA" }), None);
        check(json!({ "kty": "EC", "x": "AQAB" }), None);
    }
}
