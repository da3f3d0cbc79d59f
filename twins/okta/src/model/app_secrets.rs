//! Client secrets: at most two an app, so that one can follow the other.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationSSOPublicKeys/.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dtu_kernel::time::Timestamp;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    Act, SECRET_ID,
    app::{self, App, Mode},
};
use crate::error::Error;

/// The most secrets of an app.
pub const MAX: usize = 2;
/// What refusals say that they are about.
pub const ABOUT: &str = "OAuth2ClientSecretMediated";

/// A client secret.
#[derive(Clone, Debug, Serialize)]
pub struct Secret {
    /// `ocs...`.
    pub id: SmolStr,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// Whether it is believed.
    pub active: bool,
    /// The secret: never for the ledger.
    #[serde(skip)]
    pub value: SmolStr,
}

impl Secret {
    /// A short hash, by which people tell secrets apart.
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(&blake3::hash(self.value.as_bytes()).as_bytes()[..16])
    }
}

/// A new secret: the caller's own, or a drawn one.
pub fn draw(act: &mut Act<'_, '_>, value: Option<&str>, active: bool) -> Secret {
    let now = act.now();
    let value = match value {
        Some(value) => value.into(),
        None => app::draw_secret(act),
    };
    Secret { id: act.tx.id(&SECRET_ID), created: now, last_updated: now, active, value }
}

/// Only OAuth clients have secrets.
///
/// # Errors
/// An app of another kind.
pub fn check_client(app: &App) -> Result<(), Error> {
    if app.mode == Mode::OpenIdConnect {
        return Ok(());
    }
    Err(Error::invalid("application", "Only OAuth 2.0 clients have client secrets"))
}

/// A secret of an app.
///
/// # Errors
/// An id that is none of its secrets'.
pub fn find<'a>(app: &'a App, id: &str) -> Result<&'a Secret, Error> {
    app.secrets.iter().find(|secret| secret.id == id).ok_or_else(|| Error::not_found(id, "OAuth2ClientSecret"))
}

/// Switches a secret on or off. The only one that is on stays so.
///
/// # Errors
/// The last active secret.
pub fn switch(act: &mut Act<'_, '_>, app: &App, id: &str, active: bool) -> Result<Secret, Error> {
    let secret = find(app, id)?;
    let others = app.secrets.iter().filter(|other| other.active && other.id != secret.id).count();
    if !active && others == 0 {
        return Err(Error::invalid(ABOUT, "You can't deactivate the only active client secret."));
    }
    let changed = Secret { active, last_updated: act.now(), ..secret.clone() };
    let mut row = app.clone();
    row.secrets.iter_mut().filter(|own| own.id == id).for_each(|own| *own = changed.clone());
    app::touch(act, row);
    Ok(changed)
}

/// Removes a secret that is off.
///
/// # Errors
/// A secret that is on.
pub fn delete(act: &mut Act<'_, '_>, app: &App, id: &str) -> Result<(), Error> {
    if find(app, id)?.active {
        let cause = "You can't delete an active client secret. Deactivate the secret before deleting it.";
        return Err(Error::invalid(ABOUT, cause));
    }
    let mut row = app.clone();
    row.secrets.retain(|secret| secret.id != id);
    app::touch(act, row);
    Ok(())
}
